package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tradepost/certs"
	"tradepost/partners"
	"tradepost/tracking"
)

// unanswered is how long a partner may take to answer an offer of ours before
// somebody should call.
const unanswered = 7 * 24 * time.Hour

// exchange tells which certificates partners have offered and nobody decided
// about, and which offers of ours they have not answered.
func (d *Doctor) exchange(ctx context.Context, r *report) {
	list, err := d.offers(ctx, tracking.OfferOpen)
	if err != nil {
		return // that is the matter of store
	}
	day := func(t time.Time) string { return t.UTC().Format("2006-01-02") }
	waiting := false
	for _, o := range list {
		id, contact := o.ID.String(), d.contact(o.Partner)
		switch {
		case o.Direction == tracking.Inbound:
			wanted := ""
			if !o.RespondBy.IsZero() {
				wanted = ", and wants an answer by " + day(o.RespondBy)
			}
			waiting = true
			r.add(Warn, "compare its SHA-256 fingerprint "+o.Certificate.SHA256+" with "+contact+", then: tradepost cert exchange accept "+id+", or refuse "+id,
				"partner %s offers a new certificate, %s, since %s%s", o.Partner, o.Certificate.Subject, day(o.OfferedAt), wanted)
		case d.Now().Sub(o.OfferedAt) > unanswered:
			waiting = true
			r.add(Warn, "send the file to "+contact+": not everybody takes part in exchanges",
				"partner %s has not answered our offer of %s, %s", o.Partner, day(o.OfferedAt), o.Certificate.Subject)
		}
	}
	if !waiting {
		r.add(OK, "", "no certificate that was offered waits for an answer")
	}
}

// contact is whom to call.
func (d *Doctor) contact(partner string) string {
	if p, err := d.Config.Directory.Partner(partner); err == nil && p.Contact != "" {
		return p.Contact
	}
	return "them"
}

// offers lists certificates that were offered; none where there is no store yet.
func (d *Doctor) offers(ctx context.Context, state tracking.OfferState) ([]tracking.CertificateOffer, error) {
	if !d.stored() {
		return nil, nil
	}
	s, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	return s.CertificateOffers(ctx, tracking.OfferQuery{States: []tracking.OfferState{state}})
}

// takenOver adds what partners offered and we accepted to their certificates.
func (d *Doctor) takenOver(ctx context.Context, sets map[string]certs.Set) {
	list, err := d.offers(ctx, tracking.OfferAccepted)
	if err != nil {
		return // that is the matter of store
	}
	for _, o := range list {
		c, err := certs.ParseCertificate([]byte(o.PEM))
		known := func(e certs.Entry) bool { return e.Certificate.Equal(c) }
		if err != nil || o.Direction != tracking.Inbound || slices.ContainsFunc(sets[o.Partner], known) {
			continue
		}
		e := certs.Entry{Certificate: c, GoLive: o.GoLive, Source: "offer " + o.ID.String()}
		for _, p := range o.Purposes {
			e.Purposes = append(e.Purposes, certs.Purpose(p))
		}
		sets[o.Partner] = append(sets[o.Partner], e)
	}
}

// presented checks the certificates that we show to servers that ask.
func (d *Doctor) presented(r *report) {
	for _, c := range d.Config.Directory.Connections() {
		certificate, key := d.clientPair(c)
		if certificate == "" {
			continue
		}
		pair, err := d.Config.KeyPair(certificate, key)
		if err != nil {
			r.add(Fail, "name the two files that were made together under tls of connection "+c.Name, "connection %s: %v", c.Name, err)
			continue
		}
		set := certs.Set{{Certificate: pair.Leaf, Purposes: []certs.Purpose{certs.TLS}}}
		d.set(r, "our TLS certificate for connection "+c.Name, set, "renew it with whoever issued it")
	}
}

// clientPair are the files of the certificate that a connection shows, "" for
// none.
func (d *Doctor) clientPair(c partners.Connection) (certificate, key string) {
	var s settings
	if err := json.Unmarshal(c.Settings, &s); err != nil || s.TLS.Certificate == "" {
		return "", "" // what cannot be read is the matter of config
	}
	whole := func(file string) string {
		if filepath.IsAbs(file) {
			return file
		}
		return filepath.Join(d.Config.Dir, file)
	}
	return whole(s.TLS.Certificate), whole(s.TLS.Key)
}

// stored tells whether there is a store to ask: the embedded one is made at the
// first start only.
func (d *Doctor) stored() bool {
	if d.Config.Store.Database != "" {
		return true
	}
	entries, err := os.ReadDir(d.Config.Store.Data)
	if err == nil {
		return len(entries) > 0
	}
	return !errors.Is(err, os.ErrNotExist)
}
