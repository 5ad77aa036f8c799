package config

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tradepost/certs"
	"tradepost/partners"
)

// RollRequest says what the station's next pair is to be. The zero value takes
// everything from the present one.
type RollRequest struct {
	GoLive   time.Time     // when we begin to sign with it; zero: chosen so that partners have time
	Now      bool          // go live at once
	Type     certs.KeyType // "" = the kind of the present key
	Validity time.Duration // 0 = 3 years
}

// Added is what was added to a configuration.
type Added struct {
	Certificate *x509.Certificate
	File        string    // of the certificate
	Key         string    // file of the private key; "" for a partner's certificate
	GoLive      time.Time // when sending switches to it
	// Replaces is what sending used until then; nil when there was nothing.
	Replaces *certs.Entry
}

// Roll makes the station's next key with its certificate, writes both beside
// the present ones and adds them to the configuration. The present pair stays
// in use until the new one goes live, and both read what partners encrypt.
// Files are never overwritten. When the configuration cannot be changed by
// itself the error is an *EditError and the files are there.
func (c *Config) Roll(r RollRequest, now time.Time, random io.Reader) (*Added, error) {
	ring, err := c.Certificates()
	if err != nil {
		return nil, err
	}
	st := c.Directory.Station()
	q := certs.Request{CommonName: st.AS2ID, Type: r.Type, NotBefore: now.Add(-time.Hour), Validity: r.Validity}
	if q.CommonName == "" {
		q.CommonName = st.Name
	}
	var present *certs.Entry
	if e, ok := last(ring.Own, now); ok {
		present = &e
		like(&q, e.Certificate)
	}
	if q.Validity == 0 {
		q.Validity = 3 * 365 * 24 * time.Hour
	}
	goLive := r.GoLive
	switch {
	case r.Now || !goLive.IsZero() && !goLive.After(now):
		goLive = time.Time{}
	case goLive.IsZero():
		goLive = c.chooseGoLive(ring.Own, present, now)
	}
	if !goLive.IsZero() && !goLive.Before(q.NotBefore.Add(q.Validity)) {
		return nil, fmt.Errorf("the new certificate would end on %s, before it goes live on %s", day(q.NotBefore.Add(q.Validity)), day(goLive))
	}
	sealer, err := c.Sealer()
	if err != nil {
		return nil, err
	}
	pair, err := certs.Generate(q, random)
	if err != nil {
		return nil, err
	}
	use := partners.Use{GoLive: goLive}
	name := "station-" + now.UTC().Format("2006-01-02")
	if !goLive.IsZero() {
		name = "station-" + goLive.UTC().Format("2006-01-02")
	}
	added, err := c.addPair(pair, name, use, sealer, random)
	if added != nil {
		added.Replaces = present
	}
	return added, err
}

// addPair writes a pair into files and adds it to the configuration.
func (c *Config) addPair(pair *certs.Pair, name string, use partners.Use, sealer *certs.Sealer, random io.Reader) (*Added, error) {
	dir := c.keyDir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of keys: %w", err)
	}
	name = free(dir, name, ".crt", ".key")
	f := partners.KeyFile{Certificate: filepath.Join(dir, name+".crt"), Key: filepath.Join(dir, name+".key"), Use: use}
	if err := certs.WriteKeyFile(f.Key, pair, sealer, random); err != nil {
		return nil, err
	}
	if err := writeNew(f.Certificate, chainPEM(pair.Certificate, pair.Chain), 0o644); err != nil {
		return nil, errors.Join(err, os.Remove(f.Key))
	}
	added := &Added{Certificate: pair.Certificate, File: f.Certificate, Key: f.Key, GoLive: live(pair.Certificate, use)}
	text, err := c.AddKey(f)
	return c.finish(added, text, err)
}

// finish checks a changed text with all its files and writes it. What is wrong
// takes the new files along, but for an *EditError: then the operator writes the
// line by hand.
func (c *Config) finish(a *Added, text []byte, err error) (*Added, error) {
	var edit *EditError
	if errors.As(err, &edit) {
		return a, err
	}
	if err == nil {
		_, err = read(c.named, c.File, text, Overrides{Env: c.source.env})
	}
	if err == nil {
		err = c.Write(text)
	}
	if err == nil {
		return a, nil
	}
	for _, f := range []string{a.File, a.Key} {
		if f != "" {
			err = errors.Join(err, os.Remove(f))
		}
	}
	return nil, err
}

// Import says what is to be added.
type Import struct {
	// Partner whose certificate it is; "" for a pair of the station.
	Partner string
	// Certificates are what a file holds: the certificate and perhaps its chain.
	Certificates []*x509.Certificate
	// Pair is the station's, when the file holds the private key too; KeyFile
	// names the file of the private key when not.
	Pair    *certs.Pair
	KeyFile string
	Use     partners.Use
	// Now signs with a pair of the station at once; without it, and without a
	// date in Use, the day is chosen as for Roll.
	Now bool
}

// ImportedBeforeError tells that a certificate is in use already.
type ImportedBeforeError struct{ Source string }

func (e *ImportedBeforeError) Error() string {
	return "this certificate is listed already, in " + e.Source
}

// Import copies certificates into files of its own beside the present ones and
// adds them to the configuration. Errors as for Roll; an *ImportedBeforeError
// when there is nothing to add.
func (c *Config) Import(i Import, now time.Time, random io.Reader) (*Added, error) {
	ring, err := c.Certificates()
	if err != nil {
		return nil, err
	}
	set, purpose := ring.Own, certs.Sign
	if i.Partner != "" {
		if _, err := c.Directory.Partner(i.Partner); err != nil {
			return nil, err
		}
		set, purpose = ring.Partners[i.Partner], certs.Encrypt
	}
	list := i.Certificates
	if i.Pair != nil {
		list = append([]*x509.Certificate{i.Pair.Certificate}, i.Pair.Chain...)
	}
	cert, chain, err := endEntity(list)
	if i.Pair != nil {
		cert, chain, err = i.Pair.Certificate, i.Pair.Chain, nil
	}
	if err != nil {
		return nil, err
	}
	if err := certs.Suits(cert); err != nil {
		return nil, err
	}
	if !now.Before(cert.NotAfter) {
		return nil, fmt.Errorf("the certificate ended on %s: ask for the one that follows it", day(cert.NotAfter))
	}
	for _, e := range set {
		if e.Certificate.Equal(cert) {
			return nil, &ImportedBeforeError{e.Source}
		}
	}
	var present *certs.Entry
	if e, err := set.ForSending(purpose, now); err == nil {
		present = &e
	}
	if i.Partner == "" && i.Use.GoLive.IsZero() && !i.Now && present != nil {
		if at := c.chooseGoLive(ring.Own, present, now); at.After(cert.NotBefore) && at.Before(cert.NotAfter) {
			i.Use.GoLive = at
		}
	}
	added, err := c.add(i, cert, chain, random)
	if added != nil {
		added.Replaces = present
	}
	return added, err
}

// add writes the files of an import.
func (c *Config) add(i Import, cert *x509.Certificate, chain []*x509.Certificate, random io.Reader) (*Added, error) {
	sealer, err := c.Sealer()
	if err != nil {
		return nil, err
	}
	mark := strings.ToLower(strings.ReplaceAll(certs.Fingerprint(cert)[:11], ":", ""))
	if i.Pair != nil {
		return c.addPair(&certs.Pair{Certificate: cert, Key: i.Pair.Key, Chain: chain}, "station-"+mark, i.Use, sealer, random)
	}
	name := "station-" + mark
	if i.Partner != "" {
		name = i.Partner + "-" + mark
	}
	dir := c.keyDir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of certificates: %w", err)
	}
	file := filepath.Join(dir, free(dir, name, ".crt")+".crt")
	if err := writeNew(file, chainPEM(cert, chain), 0o644); err != nil {
		return nil, err
	}
	added := &Added{Certificate: cert, File: file, GoLive: live(cert, i.Use)}
	var text []byte
	if i.Partner != "" {
		text, err = c.AddCertificate(i.Partner, partners.CertificateFile{File: file, Use: i.Use})
	} else {
		text, err = c.AddKey(partners.KeyFile{Certificate: file, Key: i.KeyFile, Use: i.Use})
	}
	return c.finish(added, text, err)
}

// endEntity picks the certificate of a party out of what it sent.
func endEntity(list []*x509.Certificate) (*x509.Certificate, []*x509.Certificate, error) {
	ends := certs.EndEntities(list)
	if len(ends) != 1 {
		var names []string
		for _, e := range ends {
			names = append(names, fmt.Sprintf("%s (SHA-256 %s...)", e.Subject, certs.Fingerprint(e)[:11]))
		}
		return nil, nil, fmt.Errorf("the file holds %d certificates that belong to no chain: %s; say which with its fingerprint", len(ends), strings.Join(names, ", "))
	}
	var chain []*x509.Certificate
	for _, x := range list {
		if !x.Equal(ends[0]) {
			chain = append(chain, x)
		}
	}
	return ends[0], chain, nil
}

// chooseGoLive gives partners a month, or what is left of the present
// certificate less a week; zero, at once, when that is past.
func (c *Config) chooseGoLive(own certs.Set, present *certs.Entry, now time.Time) time.Time {
	at := now.AddDate(0, 0, 30)
	if present != nil {
		if latest := present.End().AddDate(0, 0, -7); latest.Before(at) {
			at = latest
		}
	}
	at = at.UTC().Truncate(24 * time.Hour)
	for _, e := range own { // not before another that is waiting already
		if !e.Live().Before(at) {
			at = e.Live().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
		}
	}
	if !at.After(now) {
		return time.Time{}
	}
	return at
}

// last is what we sign with, or else what we signed with last.
func last(own certs.Set, now time.Time) (certs.Entry, bool) {
	if e, err := own.ForSending(certs.Sign, now); err == nil {
		return e, true
	}
	var best *certs.Entry
	for i := range own {
		if best == nil || own[i].End().After(best.End()) {
			best = &own[i]
		}
	}
	if best == nil {
		return certs.Entry{}, false
	}
	return *best, true
}

// like takes names and kind of key from the present certificate.
func like(q *certs.Request, c *x509.Certificate) {
	first := func(list []string) string {
		if len(list) == 0 {
			return ""
		}
		return list[0]
	}
	if n := c.Subject.CommonName; n != "" {
		q.CommonName = n
	}
	q.Organization, q.Unit = first(c.Subject.Organization), first(c.Subject.OrganizationalUnit)
	if country := first(c.Subject.Country); len(country) == 2 {
		q.Country = country
	}
	if q.Type != "" {
		return
	}
	q.Type = certs.RSA2048
	if _, ok := c.PublicKey.(*ecdsa.PublicKey); ok {
		q.Type = certs.P256
	}
	for _, t := range []certs.KeyType{certs.RSA3072, certs.RSA4096} {
		if certs.KeyName(c.PublicKey) == string(t) {
			q.Type = t
		}
	}
}

// keyDir is where the station keeps keys and certificates.
func (c *Config) keyDir() string {
	if pairs := c.Directory.Station().KeyFiles(); len(pairs) > 0 {
		return filepath.Dir(pairs[0].Certificate)
	}
	return filepath.Join(c.Dir, "keys")
}

// free is a name that no file has, with any of the endings.
func free(dir, name string, endings ...string) string {
	for n := 1; ; n++ {
		try := name
		if n > 1 {
			try = fmt.Sprintf("%s-%d", name, n)
		}
		taken := false
		for _, e := range endings {
			if _, err := os.Lstat(filepath.Join(dir, try+e)); !errors.Is(err, fs.ErrNotExist) {
				taken = true
			}
		}
		if !taken || n > 1000 { // the writing itself refuses what is there
			return try
		}
	}
}

func chainPEM(c *x509.Certificate, chain []*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, x := range append([]*x509.Certificate{c}, chain...) {
		b.Write(certs.EncodeCertificate(x))
	}
	return b.Bytes()
}

func live(c *x509.Certificate, u partners.Use) time.Time {
	return certs.Entry{Certificate: c, GoLive: u.GoLive}.Live().UTC()
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02") }
