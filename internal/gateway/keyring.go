package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"

	"tradepost/as2"
	"tradepost/certs"
	"tradepost/internal/config"
	"tradepost/processes/certificates"
	"tradepost/tracking"
)

// keyring is all certificates of a moment, of the station and its partners. It
// never changes; a reload makes a new one and puts it in the place of the old.
type keyring struct {
	own      certs.Set
	key      func(*x509.Certificate) as2.Key
	partners map[string]certs.Set // by the name of the partner
	tls      *tls.Certificate
}

// watch looks after the certificates in use.
func (g *Gateway) watch() *certificates.Watch {
	return &certificates.Watch{
		Store: g.store, IDs: g.store.IDs(), Now: g.o.Now, Thresholds: g.c.Monitor.Thresholds(),
		Sets: g.sets, TLS: g.presented,
		Notice: func(e tracking.Event) {
			log := g.o.Log.Info
			if e.Kind == tracking.EventCertEnding {
				log = g.o.Log.Warn
			}
			log(e.Text, "partner", e.Partner)
		},
	}
}

// sets are the certificates in use now, of the station under "" and of every
// partner by its name.
func (g *Gateway) sets() map[string]certs.Set {
	ring := g.relations.ring.Load()
	sets := map[string]certs.Set{"": ring.own}
	for _, p := range g.c.Directory.Partners() {
		sets[p.Name] = ring.partners[p.Name]
	}
	return sets
}

// presented are the certificates that we show in TLS: to who connects, and to
// servers that ask. Files are looked at as they are now.
func (g *Gateway) presented() []certificates.TLSCertificate {
	var out []certificates.TLSCertificate
	if ring := g.relations.ring.Load(); ring.tls != nil {
		out = append(out, certificates.TLSCertificate{Where: "the AS2 listener", Certificate: ring.tls.Leaf})
	}
	for _, c := range g.c.Directory.Connections() {
		if list := g.c.ClientCertificate(c); len(list) > 0 {
			out = append(out, certificates.TLSCertificate{Where: "connection " + c.Name, Certificate: list[0]})
		}
	}
	return out
}

// exchange takes part in exchanges of certificates.
func (g *Gateway) exchange() *certificates.Exchange {
	return &certificates.Exchange{
		Store: g.store, Archive: g.archive, IDs: g.store.IDs(), Now: g.o.Now, Random: g.o.Random,
		Directory: g.c.Directory, ResponseURL: g.c.Listen.AS2URL, Sets: g.sets,
	}
}

// newKeyring takes over what a configuration names.
func newKeyring(r *config.Keyring) *keyring {
	return &keyring{
		own: r.Own, partners: r.Partners, tls: r.TLS,
		key: func(c *x509.Certificate) as2.Key { return as2.Key{Certificate: c, Private: r.Key(c)} },
	}
}

// keys are our own pairs at t: the one that signs first, then all that may be
// needed to read what partners encrypted, however old.
func (k *keyring) keys(t time.Time) []as2.Key {
	var out []as2.Key
	if e, ok := k.signing(t); ok {
		out = append(out, k.key(e.Certificate))
	}
	for _, e := range k.own.ForReading(certs.Encrypt, t) {
		if len(out) == 0 || !out[0].Certificate.Equal(e.Certificate) {
			out = append(out, k.key(e.Certificate))
		}
	}
	return out
}

// signing is the certificate to sign with at t. When every one is over it is
// the last that was: whether that still counts is for the partner to say, and
// silence would be a refusal in any case.
func (k *keyring) signing(t time.Time) (certs.Entry, bool) {
	live, err := k.own.ForSending(certs.Sign, t)
	if !errors.Is(err, certs.ErrNoneValid) {
		return live, err == nil
	}
	var last *certs.Entry
	for i, e := range k.own {
		if e.Serves(certs.Sign) && !t.Before(e.End()) && (e.Retire.IsZero() || t.Before(e.Retire)) && (last == nil || e.End().After(last.End())) {
			last = &k.own[i]
		}
	}
	if last == nil {
		return certs.Entry{}, false
	}
	return *last, true
}

// partner is what a partner's signatures are checked with and what it is
// encrypted to at t; encrypt is nil when every certificate is over, since what
// the partner sends can still be received then.
func (k *keyring) partner(name string, t time.Time) (verify []*x509.Certificate, encrypt *x509.Certificate) {
	set := k.partners[name]
	for _, e := range set.ForVerifying(certs.Sign, t) {
		verify = append(verify, e.Certificate)
	}
	if e, err := set.ForSending(certs.Encrypt, t); err == nil {
		encrypt = e.Certificate
	}
	return verify, encrypt
}
