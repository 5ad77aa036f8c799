package gateway

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"tradepost/as2"
	"tradepost/partners"
	"tradepost/tracking"
	transportas2 "tradepost/transport/as2"
)

// relations finds agreements and keys for the AS2 connector: what the
// directory says, with the certificates as they are at the moment of asking.
type relations struct {
	directory *partners.Directory
	ring      atomic.Pointer[keyring]
	now       func() time.Time
	spoke     evidence
}

func newRelations(d *partners.Directory, ring *keyring, store tracking.Reader, now func() time.Time) *relations {
	r := &relations{directory: d, now: now, spoke: evidence{store}}
	r.ring.Store(ring)
	return r
}

var _ transportas2.Relations = (*relations)(nil)

// Receiving implements the connector's Relations.
func (r *relations) Receiving(_ context.Context, from, to string) (*transportas2.Relation, error) {
	if to != r.directory.Station().AS2ID {
		return nil, fmt.Errorf("AS2 id %q is not this station: %w", to, as2.ErrUnknownRelation)
	}
	p, err := r.directory.ByAS2(from)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, as2.ErrUnknownRelation)
	}
	agreement, err := r.directory.Partnership(p.Name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, as2.ErrUnknownRelation)
	}
	return r.relation(p, agreement), nil
}

// Sending implements the connector's Relations.
func (r *relations) Sending(ctx context.Context, connection string) (*transportas2.Relation, error) {
	c, err := r.directory.Connection(connection)
	if err != nil {
		return nil, err
	}
	p, err := r.directory.Partner(c.Partner)
	if err != nil {
		return nil, err
	}
	agreement, err := r.directory.Partnership(p.Name)
	if err != nil {
		return nil, err
	}
	rel := r.relation(p, agreement)
	if fallback := agreement.AS2.EncryptFallback; fallback != "" {
		modern, err := r.spoke.modern(ctx, p.Name)
		if err != nil {
			return nil, err
		}
		if !modern {
			rel.Terms.Encrypt = as2.Cipher(fallback)
		}
	}
	if rel.Terms.Encrypt != "" && rel.Relation.Partner.Encrypt == nil {
		return nil, fmt.Errorf("no certificate to encrypt to %s is valid now: get a new one from %s and name it under the partner's certificates", p.Name, cmp.Or(p.Contact, "them"))
	}
	return rel, nil
}

// StrangerKey implements the connector's Relations.
func (r *relations) StrangerKey(_ context.Context, to string) (*as2.Key, error) {
	if to != r.directory.Station().AS2ID {
		return nil, nil //nolint:nilnil // the interface says: nil leaves the receipt unsigned
	}
	ring := r.ring.Load()
	e, ok := ring.signing(r.now())
	if !ok {
		return nil, nil //nolint:nilnil // as above
	}
	key := ring.key(e.Certificate)
	return &key, nil
}

// relation puts the two sides together as they are now.
func (r *relations) relation(p *partners.Partner, agreement *partners.Partnership) *transportas2.Relation {
	ring, now := r.ring.Load(), r.now()
	verify, encrypt := ring.partner(p.Name, now)
	rel := &transportas2.Relation{
		Relation: as2.Relation{
			Station:    as2.Station{ID: r.directory.Station().AS2ID, Keys: ring.keys(now)},
			Partner:    as2.Partner{ID: p.AS2ID, Encrypt: encrypt, Verify: verify},
			Policy:     policyOf(agreement.AS2),
			ReceiptMIC: receiptMIC(agreement.AS2.ReceiptMIC),
		},
		Partner: p.Name, Connection: agreement.Connection, Terms: termsOf(agreement.AS2),
	}
	if agreement.AS2.UniqueFileNames {
		rel.NameUsed = func(ctx context.Context, name, messageID string) (bool, error) {
			return r.spoke.nameUsed(ctx, p.Name, name, messageID)
		}
	}
	return rel
}

// policyOf is what we accept.
func policyOf(a partners.AS2Policy) as2.Policy {
	return as2.Policy{
		RequireSigned: a.RequireSigned, RequireEncrypted: a.RequireEncrypted,
		Digests: each[as2.Digest](a.AcceptDigests), Ciphers: each[as2.Cipher](a.AcceptCiphers),
		MaxPayload: a.MaxPayload, FileNames: a.PlainFileNames,
	}
}

// termsOf is how we send.
func termsOf(a partners.AS2Policy) transportas2.Terms {
	t := transportas2.Terms{
		Sign: as2.Digest(a.Sign), PSS: a.PSS, Encrypt: as2.Cipher(a.Encrypt), OAEP: a.OAEP, EncryptToSelf: a.EncryptToSelf,
		DER: a.DER, NoFileName: a.NoFileName, Receipt: as2.ReceiptMode(a.Receipt), SignedReceipt: a.SignedReceipt,
		ReceiptDigests: each[as2.Digest](a.ReceiptDigests), MICOptional: a.ReceiptMICOptional,
	}
	switch {
	case a.Compress && a.CompressSigned:
		t.Compress = as2.AfterSigning
	case a.Compress:
		t.Compress = as2.BeforeSigning
	}
	return t
}

func receiptMIC(rule string) as2.MICRule {
	if rule == string(as2.MICFirstListed) {
		return as2.MICFirstListed
	}
	return as2.MICOfSignature
}

// each takes words over as names of another kind.
func each[T ~string](words []string) []T {
	var out []T
	for _, w := range words {
		out = append(out, T(w))
	}
	return out
}
