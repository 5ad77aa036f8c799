package certificates

import (
	"slices"
	"strings"
	"time"

	"tradepost/certs"
	"tradepost/tracking"
)

// Row is one certificate with what it is for, until when, and who uses it.
type Row struct {
	// Party is the partner it belongs to; "" for the station.
	Party string `json:"party"`
	certs.Description
	Purposes []certs.Purpose `json:"purposes"`
	Standing certs.Standing  `json:"standing"`
	GoesLive time.Time       `json:"goesLive"`
	Ends     time.Time       `json:"ends"`
	DaysLeft int             `json:"daysLeft"` // full days; negative when it has ended
	// Covered tells that another takes over before it ends.
	Covered bool   `json:"covered"`
	Source  string `json:"source"` // file, or the offer it was taken over from
	// UsedBy is what the evidence says, the newest first.
	UsedBy []Usage `json:"usedBy"`
	// StillUsedBy names the partners whose newest traffic was made with this
	// certificate though another is live: they have not switched.
	StillUsedBy []string `json:"stillUsedBy"`
}

// Usage tells that somebody used a certificate.
type Usage struct {
	Partner string `json:"partner"` // with whom, or by whom
	// What is "they sign", "they encrypt", "we sign" or "we encrypt".
	What   string      `json:"what"`
	Count  int         `json:"count"`
	LastAt time.Time   `json:"lastAt"`
	LastID tracking.ID `json:"lastId"`
	// Newest tells that nothing newer was made with another certificate.
	Newest bool `json:"newest"`
}

// Overview puts the certificates in use, by party, beside what the evidence
// says of them. The station comes first, then the partners by name; of one party
// what sending uses comes first.
func Overview(sets map[string]certs.Set, uses []tracking.CertificateUse, now time.Time) []Row {
	var parties []string
	for p := range sets {
		parties = append(parties, p)
	}
	slices.Sort(parties)
	newest := newestUses(uses)
	out := []Row{}
	for _, party := range parties {
		set := sets[party]
		rows := make([]Row, 0, len(set))
		for i, e := range set {
			rows = append(rows, row(party, set, i, now))
			rows[i].fill(e, uses, newest)
		}
		slices.SortStableFunc(rows, func(a, b Row) int {
			if d := rank(a.Standing) - rank(b.Standing); d != 0 {
				return d
			}
			return b.GoesLive.Compare(a.GoesLive)
		})
		out = append(out, rows...)
	}
	return out
}

func rank(s certs.Standing) int {
	return slices.Index([]certs.Standing{certs.Live, certs.Next, certs.Old, certs.Ended}, s)
}

// row describes entry i of a set.
func row(party string, set certs.Set, i int, now time.Time) Row {
	e := set[i]
	r := Row{
		Party: party, Description: certs.Describe(e.Certificate), Purposes: e.Purposes, Standing: set.Standing(e, now),
		GoesLive: e.Live().UTC(), Ends: e.End().UTC(), Source: e.Source, UsedBy: []Usage{}, StillUsedBy: []string{},
	}
	if len(r.Purposes) == 0 {
		r.Purposes = []certs.Purpose{certs.Sign, certs.Encrypt}
	}
	left := e.End().Sub(now)
	r.DaysLeft = int(left / (24 * time.Hour))
	if left < 0 {
		r.DaysLeft--
	}
	for _, w := range set.Expiring(now, max(r.DaysLeft, 0)+1) {
		if w.Entry.Certificate.Equal(e.Certificate) {
			r.Covered = w.Covered
		}
	}
	return r
}

// role is who uses a certificate, in whose traffic, for what.
type role struct{ partner, what string }

func roleOf(u tracking.CertificateUse) role {
	who := "they"
	// The owner signs; the other side encrypts.
	if u.Ours == (u.Purpose == string(certs.Sign)) {
		who = "we"
	}
	return role{u.Partner, who + " " + u.Purpose}
}

// newestUses finds the certificate used last in every role.
func newestUses(uses []tracking.CertificateUse) map[role]tracking.CertificateUse {
	out := map[role]tracking.CertificateUse{}
	for _, u := range uses {
		if last, ok := out[roleOf(u)]; !ok || u.LastAt.After(last.LastAt) {
			out[roleOf(u)] = u
		}
	}
	return out
}

// fill adds what the evidence says of a certificate.
func (r *Row) fill(e certs.Entry, uses []tracking.CertificateUse, newest map[role]tracking.CertificateUse) {
	for _, u := range uses {
		if (r.Party == "") != u.Ours || r.Party != "" && u.Partner != r.Party || !same(u.Certificate.SHA256, r.SHA256) {
			continue
		}
		role := roleOf(u)
		usage := Usage{Partner: u.Partner, What: role.what, Count: u.Count, LastAt: u.LastAt, LastID: u.LastID}
		usage.Newest = same(newest[role].Certificate.SHA256, r.SHA256)
		r.UsedBy = append(r.UsedBy, usage)
		theirs := strings.HasPrefix(role.what, "they ")
		stale := r.Standing == certs.Old || r.Standing == certs.Ended
		if usage.Newest && theirs && stale && !slices.Contains(r.StillUsedBy, u.Partner) {
			r.StillUsedBy = append(r.StillUsedBy, u.Partner)
		}
	}
	slices.SortStableFunc(r.UsedBy, func(a, b Usage) int { return b.LastAt.Compare(a.LastAt) })
	slices.Sort(r.StillUsedBy)
}

// same compares fingerprints whatever their writing.
func same(a, b string) bool {
	x, errX := certs.ParseFingerprint(a)
	y, errY := certs.ParseFingerprint(b)
	return errX == nil && errY == nil && x == y
}
