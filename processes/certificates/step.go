package certificates

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tradepost/certs"
	"tradepost/certs/cem"
	"tradepost/processes"
	"tradepost/tracking"
)

// Step is the step that works off what a partner says about certificates. An
// offer is recorded, and used only when a person accepts it, or when the
// partner's profile says so and the transmission was signed with a certificate
// of the partner that is known already. An answer settles what we offered.
type Step struct{ *Exchange }

// Name implements processes.Step.
func (*Step) Name() string { return "exchange-certificates" }

// Bounds of what is read of one message.
const (
	maxPart  = 256 << 10
	maxParts = 64
)

// Run implements processes.Step.
func (s *Step) Run(ctx context.Context, x *processes.Execution) (processes.Result, error) {
	var t *tracking.Transmission
	err := s.Store.Update(ctx, func(ctx context.Context, tx processes.Tx) (err error) {
		t, err = tx.Transmission(ctx, x.Run.TransmissionID)
		return err
	})
	if err != nil {
		return processes.Result{}, err
	}
	// A signature by a certificate that we know is what vouches for all of it.
	if t.Partner == "" || t.Evidence.Signer == nil {
		return s.unusable(t, "it is not signed by a certificate of the partner that is known here, so anybody could have sent it"), nil
	}
	m, err := s.read(ctx, t)
	switch {
	case isSyntax(err):
		return s.unusable(t, err.Error()), nil
	case err != nil:
		return processes.Result{}, err
	case m.Response != nil:
		return s.answered(t, m.Response), nil
	}
	return s.offered(ctx, t, m.Request)
}

// read gets the message out of the archive.
func (s *Step) read(ctx context.Context, t *tracking.Transmission) (*cem.Message, error) {
	if 1+len(t.Attachments) > maxParts {
		return nil, &cem.SyntaxError{Problem: fmt.Sprintf("it has %d parts", 1+len(t.Attachments))}
	}
	var parts []cem.Part
	for _, a := range append([]tracking.Attachment{{ContentType: t.ContentType, Payload: t.Content}}, t.Attachments...) {
		if a.Payload.Size > maxPart {
			return nil, &cem.SyntaxError{Problem: fmt.Sprintf("a part of it has %d bytes", a.Payload.Size)}
		}
		f, err := s.Archive.Open(ctx, a.Payload)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(io.LimitReader(f, maxPart))
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return nil, err
		}
		parts = append(parts, cem.Part{ContentType: a.ContentType, Body: body})
	}
	return cem.ParseParts(parts)
}

// unusable keeps a message that nothing is done with.
func (s *Step) unusable(t *tracking.Transmission, why string) processes.Result {
	return processes.Result{
		Detail: "not usable: " + why,
		Commit: func(ctx context.Context, tx processes.Tx) error {
			if err := s.finish(ctx, tx, t.ID, tracking.TransmissionFailed, why); err != nil {
				return err
			}
			return tx.AppendEvent(ctx, &tracking.Event{
				ID: s.IDs.Next(), At: s.Now(), Kind: tracking.EventUnreadable, TransmissionID: t.ID, Partner: t.Partner,
				Text: "the message about certificates cannot be used and is kept: " + why,
			})
		},
	}
}

// finish says what became of the transmission.
func (s *Step) finish(ctx context.Context, tx processes.Tx, id tracking.ID, state tracking.TransmissionState, why string) error {
	t, err := tx.Transmission(ctx, id)
	if err != nil {
		return err
	}
	t.State, t.Error, t.CompletedAt = state, why, s.Now()
	return tx.UpdateTransmission(ctx, t)
}

// maxOpen is how many offers of a partner may wait for a decision.
const maxOpen = 20

// offered records a request. What is offered again is not recorded again; the
// answer is given again.
func (s *Step) offered(ctx context.Context, t *tracking.Transmission, r *cem.Request) (processes.Result, error) {
	waiting, err := s.Store.CertificateOffers(ctx, tracking.OfferQuery{
		Partner: t.Partner, Direction: tracking.Inbound, States: []tracking.OfferState{tracking.OfferOpen}, Limit: maxOpen + 1,
	})
	if err != nil {
		return processes.Result{}, err
	}
	var offers []*tracking.CertificateOffer
	for i := range r.Trust {
		o := s.judge(t, r, &r.Trust[i])
		if o.State == tracking.OfferOpen && len(waiting)+i >= maxOpen {
			o.State, o.DecidedAt, o.Reason = tracking.OfferRefused, s.Now(), "too many certificates wait for a decision already"
		}
		offers = append(offers, o)
	}
	return processes.Result{
		Detail: fmt.Sprintf("%s offers %d certificates", t.Partner, len(offers)),
		Commit: func(ctx context.Context, tx processes.Tx) error {
			known, err := tx.RequestedOffers(ctx, tracking.Inbound, t.Partner, r.ID)
			if err != nil {
				return err
			}
			for _, o := range offers {
				if slices.ContainsFunc(known, func(k *tracking.CertificateOffer) bool { return same(k.Certificate.SHA256, o.Certificate.SHA256) }) {
					continue
				}
				known = append(known, o)
				if err := s.record(ctx, tx, t, o); err != nil {
					return err
				}
			}
			if err := s.finish(ctx, tx, t.ID, tracking.TransmissionProcessed, ""); err != nil {
				return err
			}
			return s.respond(ctx, tx, t.Partner, r.ID, t.ID)
		},
	}, nil
}

// judge turns one offered certificate into an offer: refused where it could
// never be used, accepted where the profile says so or it is in use already,
// else open.
func (s *Step) judge(t *tracking.Transmission, r *cem.Request, q *cem.TrustRequest) *tracking.CertificateOffer {
	now := s.Now()
	pem := string(certs.EncodeCertificate(q.Certificate))
	for _, c := range q.Chain {
		pem += string(certs.EncodeCertificate(c))
	}
	o := &tracking.CertificateOffer{
		ID: s.IDs.Next(), Direction: tracking.Inbound, Partner: t.Partner, State: tracking.OfferOpen, RequestID: r.ID,
		Certificate: named(q.Certificate), PEM: pem, Purposes: purposesOf(q.Usages), RespondBy: q.RespondBy, TransmissionID: t.ID, OfferedAt: now,
	}
	refuse := func(format string, args ...any) *tracking.CertificateOffer {
		o.State, o.DecidedAt, o.Reason = tracking.OfferRefused, now, fmt.Sprintf(format, args...)
		return o
	}
	accept := func() *tracking.CertificateOffer {
		o.State, o.DecidedAt, o.GoLive = tracking.OfferAccepted, now, s.goLive(o, time.Time{})
		return o
	}
	if !now.Before(q.Certificate.NotAfter) {
		return refuse("it ended on %s", q.Certificate.NotAfter.UTC().Format("2006-01-02"))
	}
	if err := certs.Suits(q.Certificate); err != nil {
		return refuse("%s", strings.TrimPrefix(err.Error(), "certs: "))
	}
	if len(o.Purposes) == 0 {
		return refuse("certificates of TLS are settings of the connection here: send it to whoever runs this station")
	}
	for _, e := range s.Sets()[t.Partner] {
		if e.Certificate.Equal(q.Certificate) && serves(e, o.Purposes) {
			o = accept()
			o.GoLive = e.Live()
			return o
		}
	}
	p, err := s.Directory.Partner(t.Partner)
	if err == nil && p.CertificateExchange == "accept" && r.From == t.Evidence.From && certs.Strong(q.Certificate) { // a weak one is for a person to take
		return accept()
	}
	return o
}

// serves tells whether a certificate in use is for all of some purposes.
func serves(e certs.Entry, purposes []string) bool {
	return !slices.ContainsFunc(purposes, func(p string) bool { return !e.Serves(certs.Purpose(p)) })
}

// record stores a new offer with its event.
func (s *Step) record(ctx context.Context, tx processes.Tx, t *tracking.Transmission, o *tracking.CertificateOffer) error {
	if err := tx.InsertCertificateOffer(ctx, o); err != nil {
		return err
	}
	kind, text := tracking.EventCertOffered, fmt.Sprintf("%s offers %s, good until %s, and waits for a decision: `tradepost cert exchange accept %s`, or refuse", t.Partner, o.Certificate.Subject, o.Certificate.NotAfter.Format("2006-01-02"), o.ID)
	if o.State != tracking.OfferOpen {
		kind, text = s.verdict(o)
	}
	return s.event(ctx, tx, kind, o, t.ID, text)
}

// answered settles what we offered. Answers to nothing of ours are noted and
// change nothing.
func (s *Step) answered(t *tracking.Transmission, r *cem.Response) processes.Result {
	return processes.Result{
		Detail: fmt.Sprintf("%s answers %d offers", t.Partner, len(r.Answers)),
		Commit: func(ctx context.Context, tx processes.Tx) error {
			offers, err := tx.RequestedOffers(ctx, tracking.Outbound, t.Partner, r.RequestID)
			if err != nil {
				return err
			}
			matched := 0
			for _, o := range offers {
				c, err := certs.ParseCertificate([]byte(o.PEM))
				if err != nil {
					return err
				}
				i := slices.IndexFunc(r.Answers, func(a cem.Answer) bool { return a.Concerns(c) })
				if i < 0 || o.State != tracking.OfferOpen {
					continue
				}
				matched++
				if err := s.settled(ctx, tx, t, o, r.Answers[i]); err != nil {
					return err
				}
			}
			if matched == 0 {
				text := fmt.Sprintf("%s answers an offer of certificates that is not open here; it changes nothing", t.Partner)
				err := tx.AppendEvent(ctx, &tracking.Event{ID: s.IDs.Next(), At: s.Now(), Kind: tracking.EventProcessed, TransmissionID: t.ID, Partner: t.Partner, Text: text})
				if err != nil {
					return err
				}
			}
			return s.finish(ctx, tx, t.ID, tracking.TransmissionProcessed, "")
		},
	}
}

// settled stores a partner's answer about one certificate of ours.
func (s *Step) settled(ctx context.Context, tx processes.Tx, t *tracking.Transmission, o *tracking.CertificateOffer, a cem.Answer) error {
	o.State, o.DecidedAt, o.TransmissionID = tracking.OfferAccepted, s.Now(), t.ID
	kind, text := tracking.EventCertAccepted, fmt.Sprintf("%s accepts our certificate %s", t.Partner, o.Certificate.Subject)
	if !a.Accepted {
		o.State, o.Reason = tracking.OfferRefused, clip(a.Reason)
		kind, text = tracking.EventCertRefused, fmt.Sprintf("%s refuses our certificate %s: %s", t.Partner, o.Certificate.Subject, o.Reason)
	}
	if err := tx.UpdateCertificateOffer(ctx, o); err != nil {
		return err
	}
	return s.event(ctx, tx, kind, o, t.ID, text)
}

// clip shortens what a partner says.
func clip(s string) string {
	const most = 500
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
