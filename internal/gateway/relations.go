package gateway

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"tradepost/as2"
	"tradepost/partners"
	transportas2 "tradepost/transport/as2"
)

// relations finds agreements and keys for the AS2 connector: what the
// directory says, with the certificates as they are at the moment of asking.
type relations struct {
	directory *partners.Directory
	ring      atomic.Pointer[keyring]
	now       func() time.Time
}

func newRelations(d *partners.Directory, ring *keyring, now func() time.Time) *relations {
	r := &relations{directory: d, now: now}
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
func (r *relations) Sending(_ context.Context, connection string) (*transportas2.Relation, error) {
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
	policy := agreement.AS2
	rel := &transportas2.Relation{
		Relation: as2.Relation{
			Station: as2.Station{ID: r.directory.Station().AS2ID, Keys: ring.keys(now)},
			Partner: as2.Partner{ID: p.AS2ID, Encrypt: encrypt, Verify: verify},
			Policy:  as2.Policy{RequireSigned: policy.RequireSigned, RequireEncrypted: policy.RequireEncrypted},
		},
		Partner: p.Name, Connection: agreement.Connection,
		Terms: transportas2.Terms{
			Sign: as2.Digest(policy.Sign), Encrypt: as2.Cipher(policy.Encrypt),
			Receipt: as2.ReceiptMode(policy.Receipt), SignedReceipt: policy.SignedReceipt,
		},
	}
	if policy.Compress {
		rel.Terms.Compress = as2.BeforeSigning
	}
	return rel
}
