package config

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"

	"tradepost/certs"
	"tradepost/partners"
	"tradepost/transport"
	transportas2 "tradepost/transport/as2"
)

// Keyring is every certificate that a configuration names, read from its
// files, and the station's private keys.
type Keyring struct {
	// Own are the station's certificates.
	Own certs.Set
	// Partners are the certificates of every partner that has any, by its name.
	Partners map[string]certs.Set
	// TLS is the certificate of the AS2 listener; nil when it speaks plain HTTP.
	TLS *tls.Certificate

	keys map[string]crypto.Signer // by the fingerprint of the certificate
}

// Key is the private key of one of the station's certificates; nil when it was
// not read.
func (k *Keyring) Key(c *x509.Certificate) crypto.Signer { return k.keys[certs.Fingerprint(c)] }

// Keyring reads all keys and certificates. When one cannot be used the error is
// an *Error with every problem found; the Keyring then holds what could be read.
func (c *Config) Keyring() (*Keyring, error) { return c.result(c.keyring(true)) }

// Certificates is Keyring without private keys, for those who only look.
func (c *Config) Certificates() (*Keyring, error) { return c.result(c.keyring(false)) }

func (c *Config) result(k *Keyring, problems []Problem) (*Keyring, error) {
	if len(problems) > 0 {
		return k, c.fail(problems)
	}
	return k, nil
}

// KeyFiles names the files that Keyring reads.
func (c *Config) KeyFiles() []string {
	var out []string
	add := func(names ...string) {
		for _, n := range names {
			if n != "" && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	add(c.Secrets.KeyFile)
	for _, f := range c.Directory.Station().KeyFiles() {
		add(f.Certificate, f.Key)
	}
	if t := c.Listen.TLS; t != nil {
		add(t.Certificate, t.Key)
	}
	for _, p := range c.Directory.Partners() {
		for _, f := range p.Certificates {
			add(f.File)
		}
	}
	return out
}

// collector fills a Keyring and notes what cannot be used.
type collector struct {
	c        *Config
	ring     *Keyring
	private  bool
	sealer   *certs.Sealer
	noSealer bool // a problem with the sealing key was noted
	problems []Problem
}

func (k *collector) note(path, text, hint string) {
	k.problems = append(k.problems, k.c.at(path, text, hint))
}

// keyring reads what Keyring promises, as far as it can be read.
func (c *Config) keyring(private bool) (*Keyring, []Problem) {
	k := &collector{c: c, private: private, ring: &Keyring{Partners: map[string]certs.Set{}, keys: map[string]crypto.Signer{}}}
	if private {
		var problem *Problem
		if k.sealer, problem = c.sealer(); problem != nil {
			k.problems, k.noSealer = append(k.problems, *problem), true
		}
	}
	k.station(c.Directory.Station())
	if t := c.Listen.TLS; t != nil {
		if cs, key := k.pair("listen.tls", t.Certificate, t.Key); len(cs) > 0 && key != nil {
			k.ring.TLS = tlsCertificate(cs, key)
		}
	}
	for i, p := range c.Directory.Partners() {
		k.partner(fmt.Sprintf("partners[%d].certificates", i), p)
	}
	return k.ring, k.problems
}

// station reads our own pairs.
func (k *collector) station(st partners.Station) {
	for i, f := range st.KeyFiles() {
		at := "station"
		if n := i - (len(st.KeyFiles()) - len(st.Keys)); n >= 0 {
			at = fmt.Sprintf("station.keys[%d]", n)
		}
		cs, key := k.pair(at, f.Certificate, f.Key)
		if len(cs) == 0 || !k.fits(at, cs[0], f.Use) || !k.once(at+".certificate", k.ring.Own, cs[0]) {
			continue
		}
		k.ring.Own = append(k.ring.Own, entry(cs[0], f.Certificate, f.Use))
		if key != nil {
			k.ring.keys[certs.Fingerprint(cs[0])] = key
		}
	}
}

// partner reads the certificates of a partner. Of a chain only the certificate
// at its end is one of the partner's.
func (k *collector) partner(at string, p partners.Partner) {
	for i, f := range p.Certificates {
		path := fmt.Sprintf("%s[%d]", at, i)
		data, ok := k.read(path, f.File)
		if !ok {
			continue
		}
		list, err := certs.ParseCertificates(data)
		if err != nil {
			k.note(path, fmt.Sprintf("%s holds no certificate: %v", f.File, err), "ask partner "+p.Name+" for its certificate as PEM, DER or .p7b")
			continue
		}
		for _, x := range certs.EndEntities(list) {
			if k.fits(path, x, f.Use) && k.once(path, k.ring.Partners[p.Name], x) {
				k.ring.Partners[p.Name] = append(k.ring.Partners[p.Name], entry(x, f.File, f.Use))
			}
		}
	}
}

func entry(c *x509.Certificate, source string, u partners.Use) certs.Entry {
	e := certs.Entry{Certificate: c, GoLive: u.GoLive, Retire: u.Retire, Source: source}
	for _, p := range u.Purposes {
		e.Purposes = append(e.Purposes, certs.Purpose(p))
	}
	return e
}

// fits checks that a certificate can be used as it is meant to be.
func (k *collector) fits(path string, c *x509.Certificate, u partners.Use) bool {
	day := "2006-01-02 15:04 MST"
	switch err := certs.Suits(c); {
	case err != nil:
		k.note(path, err.Error(), "an RSA key of at least 2048 bits serves everybody")
	case !u.GoLive.IsZero() && u.GoLive.Before(c.NotBefore):
		k.note(path+".go_live", "the certificate begins only on "+c.NotBefore.UTC().Format(day), "write a later date, or none")
	case !u.GoLive.IsZero() && !u.GoLive.Before(c.NotAfter):
		k.note(path+".go_live", "the certificate ends on "+c.NotAfter.UTC().Format(day)+", before it goes live", "write an earlier date, or get a certificate that lasts longer")
	default:
		return true
	}
	return false
}

// once checks that a certificate is not listed twice: which of the two dates
// would count?
func (k *collector) once(path string, s certs.Set, c *x509.Certificate) bool {
	for _, e := range s {
		if e.Certificate.Equal(c) {
			k.note(path, fmt.Sprintf("the same certificate is listed before, in %s", e.Source), "remove one of the two")
			return false
		}
	}
	return true
}

// pair reads a certificate, with its chain behind it, and its private key,
// which stays nil when only certificates are wanted.
func (k *collector) pair(at, certificate, key string) ([]*x509.Certificate, crypto.Signer) {
	data, ok := k.read(at+".certificate", certificate)
	var sealed []byte
	var okKey bool
	if k.private {
		sealed, okKey = k.read(at+".key", key)
	}
	if !ok {
		return nil, nil
	}
	list, err := certs.ParseCertificates(data)
	if err != nil {
		k.note(at+".certificate", fmt.Sprintf("%s holds no certificate: %v", certificate, err), "a PEM or DER file of X.509 certificates is wanted")
		return nil, nil
	}
	if !okKey {
		return certs.EndEntities(list), nil // the first is the station's
	}
	signer, c, err := openPair(list, sealed, k.sealer)
	switch {
	case errors.Is(err, certs.ErrSealed) && k.noSealer: // said already
	case errors.Is(err, certs.ErrSealed) && k.sealer == nil:
		k.note(at+".key", key+" is sealed, and nothing says with what", "add a section secrets with key_file or key_env")
	case errors.Is(err, certs.ErrSealed):
		k.note(at+".key", key+" cannot be opened: it was sealed with another key, for another certificate, or was altered", "give the sealing key it was made with under secrets, or restore the file")
	case errors.Is(err, certs.ErrMismatch):
		k.note(at+".key", "the key does not belong to the certificate in "+certificate, "name the two files that were made together")
	case err != nil:
		k.note(at+".key", fmt.Sprintf("%s holds no usable key: %v", key, err), "a PEM file with an RSA or EC key is wanted, unencrypted or sealed by tradepost")
	default:
		return c, signer
	}
	return nil, nil
}

// KeyPair reads a certificate of our own, with its chain behind it, and its
// private key, plain or sealed, for a TLS server that asks who we are.
func (c *Config) KeyPair(certificate, key string) (*tls.Certificate, error) {
	text, err := readFile(certificate)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %s", certificate, reason(err))
	}
	list, err := certs.ParseCertificates(text)
	if err != nil {
		return nil, fmt.Errorf("%s holds no certificate: %w", certificate, err)
	}
	data, err := readFile(key)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %s", key, reason(err))
	}
	var sealer *certs.Sealer
	if certs.IsSealed(data) {
		if sealer, err = c.Sealer(); err != nil {
			return nil, err
		}
		if sealer == nil {
			return nil, fmt.Errorf("%s is sealed, and nothing says with what: add a section secrets with key_file or key_env", key)
		}
	}
	signer, list, err := openPair(list, data, sealer)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", certificate, key, err)
	}
	return tlsCertificate(list, signer), nil
}

// ClientCertificate is the certificate that a connection shows to servers that
// ask, and its chain; none where there is none, or it cannot be read.
func (c *Config) ClientCertificate(x partners.Connection) []*x509.Certificate {
	s, err := transportas2.ParseSettings(transport.Connection{Name: x.Name, Connector: x.Connector, Partner: x.Partner, Settings: x.Settings})
	if x.Connector != transportas2.Connector || err != nil || s.TLS.Certificate == "" {
		return nil
	}
	text, err := readFile(absolute(c.Dir, s.TLS.Certificate))
	if err != nil {
		return nil
	}
	list, err := certs.ParseCertificates(text)
	if err != nil {
		return nil
	}
	return list
}

// tlsCertificate is a certificate with its chain and key as crypto/tls wants it.
func tlsCertificate(list []*x509.Certificate, key crypto.Signer) *tls.Certificate {
	out := &tls.Certificate{PrivateKey: key, Leaf: list[0]}
	for _, x := range list {
		out.Certificate = append(out.Certificate, x.Raw)
	}
	return out
}

// openPair opens a private key and puts its certificate first.
func openPair(list []*x509.Certificate, data []byte, sealer *certs.Sealer) (crypto.Signer, []*x509.Certificate, error) {
	if !certs.IsSealed(data) {
		if _, err := certs.ParseKey(data); err != nil {
			return nil, nil, err
		}
	}
	var first error
	for i, c := range list {
		key, err := certs.OpenKey(data, c, sealer)
		if err == nil {
			return key, append([]*x509.Certificate{c}, append(append([]*x509.Certificate(nil), list[:i]...), list[i+1:]...)...), nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, nil, first
}

// read reads a file named at path, noting why it cannot.
func (k *collector) read(path, file string) ([]byte, bool) {
	data, err := readFile(file)
	if err != nil {
		k.note(path, file+" cannot be read: "+reason(err), unreadable(err))
		return nil, false
	}
	return data, true
}

// maxKeyFile bounds a key or certificate file.
const maxKeyFile = 4 << 20

// readFile reads a file that an operator names.
func readFile(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxKeyFile {
		return nil, fmt.Errorf("%d bytes are too many for a key or certificate", info.Size())
	}
	return os.ReadFile(file) // #nosec G304 -- the operator names the file
}
