package certificates

import (
	"bytes"
	"context"
	"crypto/x509"
	"embed"
	"errors"
	"fmt"
	"io"
	"time"

	"tradepost/certs"
	"tradepost/certs/cem"
	"tradepost/partners"
	"tradepost/processes"
	"tradepost/tracking"
)

// Process works off what arrives about certificates, carry takes away what we
// say about them. The definitions are in the folder of that name.
const (
	Process = "exchange"
	carry   = "carry"
)

//go:embed definitions/*.yaml
var definitions embed.FS

// Definitions returns the processes of exchanges.
func Definitions() (processes.Definitions, error) {
	return processes.LoadDefinitions(definitions, "definitions")
}

// Exchange takes part in exchanges of certificates: it offers ours, records
// what partners offer, and answers them.
type Exchange struct {
	Store     processes.Store
	Archive   tracking.Archive
	IDs       *tracking.IDs
	Now       func() time.Time
	Random    io.Reader // nil is crypto/rand
	Directory *partners.Directory
	// Sets are the certificates in use now, by the name of the partner.
	Sets func() map[string]certs.Set
	// ResponseURL is where partners are asked to post their responses: our own
	// AS2 listener as they see it. Needed for offers.
	ResponseURL string
}

// RefusedError tells why an offer is not made, or not decided.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

func refused(format string, args ...any) error { return &RefusedError{fmt.Sprintf(format, args...)} }

// connection finds the AS2 connection that leads to a partner.
func (x *Exchange) connection(partner string) (string, error) {
	p, err := x.Directory.Partnership(partner)
	if err != nil {
		return "", err
	}
	c, err := x.Directory.Connection(p.Connection)
	if err != nil {
		return "", err
	}
	if c.Connector != "as2" {
		return "", refused("%s is reached over %s, and certificates are exchanged over AS2", partner, c.Name)
	}
	return c.Name, nil
}

// Offer offers certificates of ours to a partner and returns the id of the
// request. It goes out by the queue like everything else, signed with the
// present certificate, so the partner must know that one. respondBy is when we
// begin to sign with them; zero says nothing. *partners.NotFoundError when
// nothing was agreed with the partner, *RefusedError when it cannot be done.
func (x *Exchange) Offer(ctx context.Context, partner string, list []certs.Entry, respondBy time.Time, actor string) (string, error) {
	if _, err := x.connection(partner); err != nil {
		return "", err
	}
	if x.ResponseURL == "" {
		return "", refused("nothing says where the answer shall come to: set listen.as2_url to the URL under which partners reach this station")
	}
	now := x.Now()
	id, err := cem.NewID(x.Random)
	if err != nil {
		return "", err
	}
	request := &cem.Request{ID: id + "@" + x.Directory.Station().Name, From: x.Directory.Station().AS2ID, Originated: now}
	offers := make([]*tracking.CertificateOffer, 0, len(list))
	for _, e := range list {
		request.Trust = append(request.Trust, cem.TrustRequest{Usages: usagesOf(e), RespondBy: respondBy, ResponseURL: x.ResponseURL, Certificate: e.Certificate})
		offers = append(offers, &tracking.CertificateOffer{
			ID: x.IDs.Next(), Direction: tracking.Outbound, Partner: partner, State: tracking.OfferOpen, RequestID: request.ID,
			Certificate: named(e.Certificate), PEM: string(certs.EncodeCertificate(e.Certificate)), Purposes: purposesOf(request.Trust[len(offers)].Usages),
			GoLive: e.Live(), RespondBy: respondBy, Actor: actor, OfferedAt: now,
		})
	}
	entity, err := request.Encode(x.Random)
	if err != nil {
		return "", err
	}
	err = x.Store.Update(ctx, func(ctx context.Context, tx processes.Tx) error {
		for _, o := range offers {
			if err := tx.InsertCertificateOffer(ctx, o); err != nil {
				return err
			}
			text := fmt.Sprintf("%s is offered to %s, by %s", o.Certificate.Subject, partner, actor)
			if err := x.event(ctx, tx, tracking.EventCertOffered, o, 0, text); err != nil {
				return err
			}
		}
		return x.say(ctx, tx, partner, "Certificate exchange request", entity, 0)
	})
	return request.ID, err
}

// say keeps a message and queues it for the partner. about is the transmission
// it answers, or zero.
func (x *Exchange) say(ctx context.Context, tx processes.Tx, partner, subject string, e *cem.Entity, about tracking.ID) error {
	connection, err := x.connection(partner)
	if err != nil {
		return err
	}
	content, err := x.Archive.Put(ctx, bytes.NewReader(e.Body))
	if err != nil {
		return fmt.Errorf("keep the message about certificates: %w", err)
	}
	run := &processes.Run{ID: x.IDs.Next(), Process: carry, TransmissionID: about, Partner: partner, CreatedAt: x.Now()}
	err = processes.PutParcel(run, &processes.Parcel{Connection: connection, Content: content, ContentType: e.ContentType, Subject: subject})
	if err != nil {
		return err
	}
	return processes.Enqueue(ctx, tx, run, "deliver/"+connection)
}

// Decision is what a person says to an offer of a partner.
type Decision struct {
	Offer   tracking.ID
	Accept  bool
	GoLive  time.Time // when sending switches to it; zero: when the partner asked, or at once
	Actor   string
	Comment string // sent to the partner as the reason of a refusal
}

// Decide accepts or refuses an offer of a partner. When every certificate of
// the request is decided the partner gets the answer. One that was accepted can
// be refused later, and is not used any more; the partner is not told. The
// error is a *RefusedError, tracking.ErrNotFound (wrapped), or the store's.
func (x *Exchange) Decide(ctx context.Context, d Decision) (*tracking.CertificateOffer, error) {
	var decided *tracking.CertificateOffer
	err := x.Store.Update(ctx, func(ctx context.Context, tx processes.Tx) error {
		o, err := tx.CertificateOffer(ctx, d.Offer)
		if err != nil {
			return err
		}
		answered := o.State == tracking.OfferAccepted
		if err := x.decide(o, d); err != nil {
			return err
		}
		decided = o
		if err := x.settle(ctx, tx, o, 0); err != nil || answered {
			return err
		}
		return x.respond(ctx, tx, o.Partner, o.RequestID, o.TransmissionID)
	})
	if err != nil {
		return nil, err
	}
	return decided, nil
}

// decide moves an offer.
func (x *Exchange) decide(o *tracking.CertificateOffer, d Decision) error {
	now := x.Now()
	switch {
	case o.Direction != tracking.Inbound:
		return refused("offer %s is ours: %s decides it", o.ID, o.Partner)
	case o.State == tracking.OfferRefused:
		return refused("offer %s was refused on %s: ask %s to offer it again", o.ID, o.DecidedAt.Format("2006-01-02"), o.Partner)
	case o.State == tracking.OfferAccepted && d.Accept:
		return refused("offer %s was accepted already", o.ID)
	case d.Accept && !now.Before(o.Certificate.NotAfter):
		return refused("the offered certificate ended on %s", o.Certificate.NotAfter.Format("2006-01-02"))
	}
	o.State, o.Reason = tracking.OfferAccepted, ""
	if !d.Accept {
		o.State, o.Reason = tracking.OfferRefused, d.Comment
	}
	if o.Actor, o.DecidedAt = d.Actor, now; d.Accept {
		o.GoLive = x.goLive(o, d.GoLive)
	}
	return nil
}

// goLive is when sending switches to an accepted certificate: as it was said
// here, or when the partner asked, but not in the past, so that it follows what
// is live now, and not after that has ended.
func (x *Exchange) goLive(o *tracking.CertificateOffer, said time.Time) time.Time {
	now, at := x.Now(), said
	if at.IsZero() {
		at = o.RespondBy
		if live, err := x.Sets()[o.Partner].ForSending(certs.Encrypt, now); err == nil && at.After(live.End()) {
			at = live.End()
		}
	}
	if at.Before(now) {
		at = now
	}
	return at.UTC().Truncate(time.Millisecond)
}

// settle stores a decided offer with its event.
func (x *Exchange) settle(ctx context.Context, tx processes.Tx, o *tracking.CertificateOffer, transmission tracking.ID) error {
	if err := tx.UpdateCertificateOffer(ctx, o); err != nil {
		return err
	}
	kind, text := x.verdict(o)
	return x.event(ctx, tx, kind, o, transmission, text)
}

// verdict says what became of an offer of a partner.
func (x *Exchange) verdict(o *tracking.CertificateOffer) (tracking.EventKind, string) {
	by := "by " + o.Actor
	if o.Actor == "" {
		by = "as the partner's profile says"
	}
	if o.State == tracking.OfferAccepted {
		return tracking.EventCertAccepted, fmt.Sprintf("%s of %s is accepted %s; what goes there is encrypted to it from %s on", o.Certificate.Subject, o.Partner, by, o.GoLive.UTC().Format("2006-01-02 15:04 MST"))
	}
	text := fmt.Sprintf("%s of %s is refused", o.Certificate.Subject, o.Partner)
	if o.Actor != "" {
		text += " " + by
	}
	if o.Reason != "" {
		text += ": " + o.Reason
	}
	return tracking.EventCertRefused, text
}

func (x *Exchange) event(ctx context.Context, tx processes.Tx, kind tracking.EventKind, o *tracking.CertificateOffer, transmission tracking.ID, text string) error {
	return tx.AppendEvent(ctx, &tracking.Event{
		ID: x.IDs.Next(), At: x.Now(), Kind: kind, TransmissionID: transmission, Partner: o.Partner, Text: text, Actor: o.Actor,
	})
}

// respond queues our response to a request, unless something of it waits for a
// decision.
func (x *Exchange) respond(ctx context.Context, tx processes.Tx, partner, requestID string, about tracking.ID) error {
	all, err := tx.RequestedOffers(ctx, tracking.Inbound, partner, requestID)
	if err != nil {
		return err
	}
	r := &cem.Response{RequestID: requestID, From: x.Directory.Station().AS2ID, Originated: x.Now()}
	for _, o := range all {
		if o.State == tracking.OfferOpen {
			return nil
		}
		c, err := certs.ParseCertificate([]byte(o.PEM))
		if err != nil {
			return fmt.Errorf("offer %s: %w", o.ID, err)
		}
		r.Answers = append(r.Answers, cem.About(c, o.State == tracking.OfferAccepted, o.Reason))
	}
	entity, err := r.Encode(x.Random)
	if err != nil {
		return err
	}
	return x.say(ctx, tx, partner, "Certificate exchange response", entity, about)
}

// usagesOf says in the words of the exchange what a certificate is for.
func usagesOf(e certs.Entry) []cem.Usage {
	var out []cem.Usage
	for p, u := range map[certs.Purpose]cem.Usage{certs.Sign: cem.DigitalSignature, certs.Encrypt: cem.KeyEncipherment} {
		if e.Serves(p) {
			out = append(out, u)
		}
	}
	if len(out) == 2 {
		out[0], out[1] = cem.DigitalSignature, cem.KeyEncipherment
	}
	return out
}

// purposesOf is the inverse of usagesOf; usages of TLS are left out.
func purposesOf(list []cem.Usage) []string {
	var out []string
	for _, u := range list {
		switch u {
		case cem.DigitalSignature:
			out = append(out, string(certs.Sign))
		case cem.KeyEncipherment:
			out = append(out, string(certs.Encrypt))
		case cem.TLSServer, cem.TLSClient:
		}
	}
	return out
}

// named names a certificate as evidence does.
func named(c *x509.Certificate) tracking.Certificate {
	return tracking.Certificate{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(), Serial: c.SerialNumber.Text(16),
		SHA256: certs.Fingerprint(c), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
	}
}

// isSyntax tells a message that cannot be read from trouble of our own.
func isSyntax(err error) bool {
	var s *cem.SyntaxError
	return errors.As(err, &s)
}
