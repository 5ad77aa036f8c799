package certificates

import (
	"slices"
	"strings"
	"time"

	"tradepost/certs"
	"tradepost/tracking"
)

// Retirement is what it means that a certificate is not used any more.
type Retirement struct {
	Row
	// At is when it ends.
	At time.Time `json:"at"`
	// Successors are what takes its place, by purpose.
	Successors map[certs.Purpose]certs.Description `json:"successors"`
	// Without are the purposes for which its party has no other certificate then:
	// nothing is signed with or encrypted to it, and no signature is accepted.
	Without []certs.Purpose `json:"without"`
	// Unswitched are the partners whose newest traffic was made with it: what
	// they go on making with it is refused, or cannot be read.
	Unswitched []string `json:"unswitched"`
	// Open are transmissions of ours that were made with it and are not delivered
	// yet: they go out as they are.
	Open []tracking.ID `json:"open"`
}

// Retire tells what depends on entry i of a party's set, "" being the station,
// when it ends at a moment. uses is what the evidence says of certificates, open
// the outbound transmissions that are not yet delivered.
func Retire(party string, set certs.Set, i int, at time.Time, uses []tracking.CertificateUse, open []tracking.Transmission, now time.Time) Retirement {
	e := set[i]
	r := Retirement{
		Row: row(party, set, i, now), At: at, Successors: map[certs.Purpose]certs.Description{},
		Without: []certs.Purpose{}, Unswitched: []string{}, Open: []tracking.ID{},
	}
	r.fill(e, uses, newestUses(uses))
	r.Ends = at
	left := make(certs.Set, 0, len(set))
	for _, x := range set {
		if !x.Certificate.Equal(e.Certificate) {
			left = append(left, x)
		}
	}
	then := at
	if then.Before(now) {
		then = now
	}
	for _, p := range r.Purposes {
		if next, err := left.ForSending(p, then); err == nil {
			r.Successors[p] = certs.Describe(next.Certificate)
		} else {
			r.Without = append(r.Without, p)
		}
	}
	for _, u := range r.UsedBy {
		if u.Newest && strings.HasPrefix(u.What, "they ") && !slices.Contains(r.Unswitched, u.Partner) {
			r.Unswitched = append(r.Unswitched, u.Partner)
		}
	}
	slices.Sort(r.Unswitched)
	for _, t := range open {
		made := t.Evidence.Signer
		if party != "" {
			made = t.Evidence.Recipient
		}
		if made != nil && same(made.SHA256, r.SHA256) && (party == "" || t.Partner == party) {
			r.Open = append(r.Open, t.ID)
		}
	}
	return r
}
