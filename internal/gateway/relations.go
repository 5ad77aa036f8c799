package gateway

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"tradepost/as2"
	"tradepost/certs"
	"tradepost/partners"
	transportas2 "tradepost/transport/as2"
)

// relations finds agreements and keys for the AS2 connector: what the
// directory says, with the certificates read from their files.
type relations struct {
	directory *partners.Directory
	own       as2.Key
	partners  map[string]certs.Set // by the name of the partner
	now       func() time.Time
}

// newRelations reads the station's key and every partner's certificates.
func newRelations(d *partners.Directory, now func() time.Time) (*relations, error) {
	r := &relations{directory: d, partners: map[string]certs.Set{}, now: now}
	station := d.Station()
	if station.Certificate != "" {
		certificates, err := os.ReadFile(station.Certificate)
		if err != nil {
			return nil, fmt.Errorf("read the station's certificate: %w", err)
		}
		key, err := os.ReadFile(station.Key)
		if err != nil {
			return nil, fmt.Errorf("read the station's key: %w", err)
		}
		pair, err := certs.ParsePair(certificates, key)
		if err != nil {
			return nil, fmt.Errorf("key %s and certificate %s of the station: %w", station.Key, station.Certificate, err)
		}
		r.own = as2.Key{Certificate: pair.Certificate, Private: pair.Key}
	}
	for _, p := range d.Partners() {
		for _, file := range p.Certificates {
			data, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("read a certificate of partner %s: %w", p.Name, err)
			}
			list, err := certs.ParseCertificates(data)
			if err != nil {
				return nil, fmt.Errorf("certificate %s of partner %s: %w", file, p.Name, err)
			}
			for _, c := range list {
				r.partners[p.Name] = append(r.partners[p.Name], certs.Entry{Certificate: c})
			}
		}
	}
	return r, nil
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
	if to != r.directory.Station().AS2ID || r.own.Private == nil {
		return nil, nil //nolint:nilnil // the interface says: nil leaves the receipt unsigned
	}
	return &r.own, nil
}

// relation puts the two sides together as they are now: the partner's
// certificate to encrypt to is the one that is live, and every one that is not
// over counts for verification.
func (r *relations) relation(p *partners.Partner, agreement *partners.Partnership) *transportas2.Relation {
	set := r.partners[p.Name]
	var verify []*x509.Certificate
	for _, e := range set.ForVerifying(certs.Sign, r.now()) {
		verify = append(verify, e.Certificate)
	}
	var encrypt *x509.Certificate // none when all are over: what they send can still be received
	if e, err := set.ForSending(certs.Encrypt, r.now()); err == nil {
		encrypt = e.Certificate
	}
	policy := agreement.AS2
	rel := &transportas2.Relation{
		Relation: as2.Relation{
			Station: as2.Station{ID: r.directory.Station().AS2ID, Keys: []as2.Key{r.own}},
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
