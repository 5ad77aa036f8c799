package sqlstore

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"tradepost/tracking"
)

// offerColumns lists what scanOffer reads, of table alias o.
const offerColumns = `o.id, o.direction, o.partner, o.state, o.request_id, o.certificate, o.pem, o.purposes, o.go_live, o.respond_by,
	o.transmission_id, o.reason, o.actor, o.offered_at, o.decided_at`

func scanOffer(r Rows) (*tracking.CertificateOffer, error) {
	o := new(tracking.CertificateOffer)
	err := r.Scan((*int64)(&o.ID), (*string)(&o.Direction), &o.Partner, (*string)(&o.State), &o.RequestID, fromJSON{&o.Certificate}, &o.PEM, fromJSON{&o.Purposes},
		asTime{&o.GoLive}, asTime{&o.RespondBy}, (*int64)(&o.TransmissionID), &o.Reason, &o.Actor, asTime{&o.OfferedAt}, asTime{&o.DecidedAt})
	return o, err
}

// InsertCertificateOffer implements tracking.CertificateTx.
func (t *tx) InsertCertificateOffer(ctx context.Context, o *tracking.CertificateOffer) error {
	return t.exec(ctx, "insert certificate offer "+o.ID.String(), `insert into certificate_offer (id, direction, partner, state, request_id, certificate, pem, purposes,
		go_live, respond_by, transmission_id, reason, actor, offered_at, decided_at)
		values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		o.ID, o.Direction, o.Partner, o.State, indexed(o.RequestID), asJSON{o.Certificate}, o.PEM, asJSON{o.Purposes},
		o.GoLive, o.RespondBy, o.TransmissionID, o.Reason, o.Actor, o.OfferedAt, o.DecidedAt)
}

// UpdateCertificateOffer implements tracking.CertificateTx.
func (t *tx) UpdateCertificateOffer(ctx context.Context, o *tracking.CertificateOffer) error {
	return t.execOne(ctx, "update certificate offer", o.ID, `update certificate_offer set direction = ?, partner = ?, state = ?, request_id = ?, certificate = ?, pem = ?,
		purposes = ?, go_live = ?, respond_by = ?, transmission_id = ?, reason = ?, actor = ?, offered_at = ?, decided_at = ? where id = ?`,
		o.Direction, o.Partner, o.State, indexed(o.RequestID), asJSON{o.Certificate}, o.PEM,
		asJSON{o.Purposes}, o.GoLive, o.RespondBy, o.TransmissionID, o.Reason, o.Actor, o.OfferedAt, o.DecidedAt, o.ID)
}

// CertificateOffer implements tracking.CertificateTx.
func (t *tx) CertificateOffer(ctx context.Context, id tracking.ID) (*tracking.CertificateOffer, error) {
	o, found, err := selectOne(ctx, t.c, "certificate offer", `select `+offerColumns+` from certificate_offer o where o.id = ?`+t.dialect.Lock, scanOffer, id)
	if err == nil && !found {
		return nil, notFound("certificate offer", id)
	}
	return o, err
}

// RequestedOffers implements tracking.CertificateTx.
func (t *tx) RequestedOffers(ctx context.Context, direction tracking.Direction, partner, requestID string) ([]*tracking.CertificateOffer, error) {
	return selectAll(ctx, t.c, "offers of a request", `select `+offerColumns+` from certificate_offer o
		where o.request_id = ? and o.partner = ? and o.direction = ? order by o.id`+t.dialect.Lock, scanOffer, indexed(requestID), partner, direction)
}

// NoteCertificate implements tracking.CertificateTx.
func (t *tx) NoteCertificate(ctx context.Context, owner, sha256, notice string, at time.Time) (bool, error) {
	_, first, err := selectOne(ctx, t.c, "note certificate", `insert into certificate_notice (owner, sha256, notice, noted_at) values (?, ?, ?, ?)
		on conflict (owner, sha256, notice) do nothing returning noted_at`, scanInt, indexed(owner), indexed(sha256), indexed(notice), at)
	return first, err
}

// CertificateOffers implements tracking.CertificateReader.
func (s *Store) CertificateOffers(ctx context.Context, q tracking.OfferQuery) ([]tracking.CertificateOffer, error) {
	w := new(where)
	w.equal("o.partner", q.Partner)
	w.equal("o.direction", string(q.Direction))
	w.equal("o.request_id", q.RequestID)
	oneOf(w, "o.state", q.States)
	limit := q.Limit
	if limit <= 0 || limit > viewLimit {
		limit = viewLimit
	}
	out := []tracking.CertificateOffer{}
	err := s.backend.View(ctx, func(ctx context.Context, c Conn) error {
		rows, err := selectAll(ctx, c, "list certificate offers", `select `+offerColumns+` from certificate_offer o`+w.String()+` order by o.id desc limit ?`,
			scanOffer, append(w.args, limit)...)
		for _, o := range rows {
			out = append(out, *o)
		}
		return err
	})
	return out, err
}

// Bounds of a look at the evidence.
const (
	usesNewest = 500
	usesMost   = 5000
	usesBatch  = 256 // receipts looked up at a time
)

// CertificateUses implements tracking.CertificateReader. Evidence is read as it
// is stored, newest first and only so far: what says that a partner still uses
// an old certificate is recent traffic.
func (s *Store) CertificateUses(ctx context.Context, q tracking.CertificateUseQuery) ([]tracking.CertificateUse, error) {
	newest := q.Newest
	if newest <= 0 {
		newest = usesNewest
	}
	out := []tracking.CertificateUse{}
	err := s.backend.View(ctx, func(ctx context.Context, c Conn) error {
		for _, partner := range q.Partners {
			uses, err := usesOf(ctx, c, partner, q.Since, min(newest, usesMost))
			if err != nil {
				return err
			}
			out = append(out, uses...)
		}
		return nil
	})
	return out, err
}

// witness is one transmission or receipt with the certificates it names.
type witness struct {
	id                tracking.ID
	direction         string
	signer, recipient *tracking.Certificate
	at                time.Time
}

// usesOf reads the newest evidence of one partner.
func usesOf(ctx context.Context, c Conn, partner string, since time.Time, newest int) ([]tracking.CertificateUse, error) {
	const what = "uses of certificates"
	seen, err := selectAll(ctx, c, what, `select t.id, t.direction, t.evidence, t.created_at from transmission t
		where t.partner = ? and t.created_at >= ? order by t.created_at desc, t.id desc limit ?`, scanWitness, partner, since, newest)
	if err != nil {
		return nil, err
	}
	tally := map[[3]string]*tracking.CertificateUse{}
	var outbound []tracking.ID
	for _, w := range seen {
		theirs := w.direction == string(tracking.Inbound)
		// Who sends signs with a certificate of its own and encrypts to one of
		// the other side.
		count(tally, partner, !theirs, "sign", w.signer, w)
		count(tally, partner, theirs, "encrypt", w.recipient, w)
		if !theirs {
			outbound = append(outbound, w.id)
		}
	}
	for batch := range slices.Chunk(outbound, usesBatch) {
		args := anyOf(batch)
		receipts, err := selectAll(ctx, c, what, `select r.transmission_id, r.signer, r.at from receipt r
			where r.transmission_id in (`+list(len(args))+`) and r.direction = 'inbound'`, scanReceiptWitness, args...)
		if err != nil {
			return nil, err
		}
		for _, w := range receipts {
			count(tally, partner, false, "sign", w.signer, w)
		}
	}
	out := make([]tracking.CertificateUse, 0, len(tally))
	for _, u := range tally {
		out = append(out, *u)
	}
	slices.SortFunc(out, func(a, b tracking.CertificateUse) int {
		if d := b.LastAt.Compare(a.LastAt); d != 0 {
			return d
		}
		return strings.Compare(a.Purpose+a.Certificate.SHA256, b.Purpose+b.Certificate.SHA256)
	})
	return out, nil
}

func scanWitness(r Rows) (witness, error) {
	var w witness
	var evidence struct{ Signer, Recipient *tracking.Certificate }
	err := r.Scan((*int64)(&w.id), &w.direction, fromJSON{&evidence}, asTime{&w.at})
	w.signer, w.recipient = evidence.Signer, evidence.Recipient
	return w, err
}

func scanReceiptWitness(r Rows) (witness, error) {
	var w witness
	var signer json.RawMessage
	if err := r.Scan((*int64)(&w.id), asRaw{&signer}, asTime{&w.at}); err != nil || len(signer) == 0 {
		return w, err
	}
	return w, json.Unmarshal(signer, &w.signer)
}

// count adds one use of a certificate.
func count(tally map[[3]string]*tracking.CertificateUse, partner string, ours bool, purpose string, c *tracking.Certificate, w witness) {
	if c == nil {
		return
	}
	side := "theirs"
	if ours {
		side = "ours"
	}
	key := [3]string{side, purpose, c.SHA256}
	u := tally[key]
	if u == nil {
		u = &tracking.CertificateUse{Partner: partner, Ours: ours, Purpose: purpose, Certificate: *c, FirstAt: w.at, LastAt: w.at, LastID: w.id}
		tally[key] = u
	}
	u.Count++
	if w.at.After(u.LastAt) {
		u.LastAt, u.LastID = w.at, w.id
	}
	if w.at.Before(u.FirstAt) {
		u.FirstAt = w.at
	}
}
