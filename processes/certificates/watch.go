// Package certificates looks after the certificates of a running station: it
// tells in time which of them end and when sending switches to the next one,
// and it takes part in exchanges of certificates with partners
// (draft-meadors-certificate-exchange).
package certificates

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"tradepost/certs"
	"tradepost/processes"
	"tradepost/tracking"
)

// Watch raises an event when a certificate is about to end and nothing follows
// it, at each of the thresholds once, when sending switches to another, and when
// one is retired.
type Watch struct {
	Store processes.Store
	IDs   *tracking.IDs
	Now   func() time.Time
	// Sets are the certificates in use now, by the name of the partner; the
	// station's own are under "".
	Sets func() map[string]certs.Set
	// TLS are the certificates that we show to those who connect, and to servers
	// that ask; nil is none. Nothing takes over from these but a renewal.
	TLS func() []TLSCertificate
	// Thresholds are the days before the end at which somebody is told; none
	// tells nobody.
	Thresholds []int
	// Notice hears what was raised, for the log; nil ignores it.
	Notice func(e tracking.Event)
}

// TLSCertificate is a certificate of ours for TLS.
type TLSCertificate struct {
	Where       string // "the AS2 listener", "connection supplier-as2"
	Certificate *x509.Certificate
}

// notice is one thing to say about a certificate, once.
type notice struct {
	owner, sha256, name string
	kind                tracking.EventKind
	text                string
}

// Look raises what is to be raised now.
func (w *Watch) Look(ctx context.Context) error {
	now := w.Now()
	var due []notice
	for owner, set := range w.Sets() {
		due = append(due, w.ending(owner, set, now)...)
		due = append(due, switched(owner, set, now)...)
		due = append(due, retired(owner, set, now)...)
	}
	if w.TLS != nil {
		for _, c := range w.TLS() {
			due = append(due, w.endingTLS(c, now)...)
		}
	}
	if len(due) == 0 {
		return nil
	}
	var raised []tracking.Event
	err := w.Store.Update(ctx, func(ctx context.Context, tx processes.Tx) error {
		raised = raised[:0]
		for _, n := range due {
			first, err := tx.NoteCertificate(ctx, n.owner, n.sha256, n.name, now)
			if err != nil {
				return err
			}
			if !first {
				continue
			}
			e := tracking.Event{ID: w.IDs.Next(), At: now, Kind: n.kind, Partner: n.owner, Text: n.text}
			if err := tx.AppendEvent(ctx, &e); err != nil {
				return err
			}
			raised = append(raised, e)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if w.Notice != nil {
		for _, e := range raised {
			w.Notice(e)
		}
	}
	return nil
}

// ending lists the warnings that are due for the certificates of one party. One
// that another takes over from needs nobody.
func (w *Watch) ending(owner string, set certs.Set, now time.Time) []notice {
	if len(w.Thresholds) == 0 {
		return nil
	}
	var out []notice
	for _, x := range set.Expiring(now, w.Thresholds...) {
		if x.Covered {
			continue
		}
		out = append(out, notice{
			owner: owner, sha256: certs.Fingerprint(x.Entry.Certificate), name: fmt.Sprintf("ends within %d days", x.Days),
			kind: tracking.EventCertEnding, text: warning(owner, x),
		})
	}
	return out
}

// endingTLS is ending for a certificate of TLS.
func (w *Watch) endingTLS(c TLSCertificate, now time.Time) []notice {
	out := w.ending("", certs.Set{{Certificate: c.Certificate, Purposes: []certs.Purpose{certs.TLS}}}, now)
	for i := range out {
		out[i].text = fmt.Sprintf("the TLS certificate %q of %s %s: renew it with whoever issued it",
			c.Certificate.Subject.String(), c.Where, ends(c.Certificate.NotAfter, c.Certificate.NotAfter.Sub(now)))
	}
	return out
}

// ends says when something ends, or has ended.
func ends(at time.Time, left time.Duration) string {
	when := at.UTC().Format("2006-01-02 15:04 MST")
	if left <= 0 {
		return "ended on " + when
	}
	return fmt.Sprintf("ends on %s, in %s", when, days(left))
}

// warning says what ends, when, and what to do.
func warning(owner string, w certs.Warning) string {
	whose, advice := "the station's certificate", "make the next one with `tradepost cert roll`, and send it to every partner"
	if owner != "" {
		whose, advice = owner+"'s certificate", "ask "+owner+" for the next one, and add it with `tradepost cert import FILE --partner "+owner+"`"
	}
	return fmt.Sprintf("%s %s %s, and no other takes over: %s", whose, short(w.Entry), ends(w.Entry.End(), w.Left), advice)
}

func days(d time.Duration) string {
	switch n := int(d.Hours() / 24); {
	case d < 24*time.Hour:
		return "less than a day"
	case n == 1:
		return "1 day"
	default:
		return fmt.Sprintf("%d days", n)
	}
}

// short names a certificate in a sentence.
func short(e certs.Entry) string {
	return fmt.Sprintf("%q (%s...)", e.Certificate.Subject.String(), certs.Fingerprint(e.Certificate)[:11])
}

// switched tells that sending uses another certificate than before. The first
// certificate of a party is no switch.
func switched(owner string, set certs.Set, now time.Time) []notice {
	var out []notice
	for _, p := range []certs.Purpose{certs.Sign, certs.Encrypt} {
		live, err := set.ForSending(p, now)
		if err != nil || !follows(set, live, p) {
			continue
		}
		var text string
		switch {
		case owner == "" && p == certs.Sign:
			text = fmt.Sprintf("we sign with %s from now on; what partners encrypt to the others is still read", short(live))
		case owner != "" && p == certs.Encrypt:
			text = fmt.Sprintf("what goes to %s is encrypted to %s from now on", owner, short(live))
		default: // the other side decides that, and its traffic shows it
			continue
		}
		out = append(out, notice{owner: owner, sha256: certs.Fingerprint(live.Certificate), name: "live to " + string(p), kind: tracking.EventCertLive, text: text})
	}
	return out
}

// retired tells that a certificate is not used any more, though it is valid.
func retired(owner string, set certs.Set, now time.Time) []notice {
	var out []notice
	for _, e := range set {
		if e.Retire.IsZero() || now.Before(e.Retire) || !now.Before(e.Certificate.NotAfter) {
			continue
		}
		text := fmt.Sprintf("%s of the station is retired: we sign nothing with it, and read nothing that is encrypted to it", short(e))
		if owner != "" {
			text = fmt.Sprintf("%s of %s is retired: its signatures are refused, and nothing is encrypted to it", short(e), owner)
		}
		out = append(out, notice{owner: owner, sha256: certs.Fingerprint(e.Certificate), name: "retired", kind: tracking.EventCertRetired, text: text})
	}
	return out
}

// follows tells whether another certificate was live before.
func follows(set certs.Set, live certs.Entry, p certs.Purpose) bool {
	for _, e := range set {
		if e.Serves(p) && e.Live().Before(live.Live()) {
			return true
		}
	}
	return false
}
