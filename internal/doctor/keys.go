package doctor

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tradepost/as2"
	"tradepost/certs"
)

// keys checks that every key and certificate file is there and fits.
func (d *Doctor) keys(_ context.Context, r *report) {
	problems := d.Config.CheckFiles()
	for _, p := range problems {
		r.add(Fail, p.Hint, "%s (line %d): %s", p.Path, p.Line, p.Text)
	}
	switch {
	case len(problems) > 0:
	case d.Config.Directory.Station().Certificate == "":
		r.add(Warn, "add certificate and key under station, with an as2_id, to speak AS2", "the station has no certificate")
	default:
		r.add(OK, "", "the key belongs to the certificate")
	}
}

// certificates checks how long the certificates of both sides are good for.
func (d *Doctor) certificates(_ context.Context, r *report) {
	if st := d.Config.Directory.Station(); st.Certificate != "" {
		d.certificate(r, "the station's certificate", st.Certificate, "make a new key and certificate and send the certificate to every partner")
	}
	if t := d.Config.Listen.TLS; t != nil {
		d.certificate(r, "the listener's TLS certificate", t.Certificate, "renew it with whoever issued it")
	}
	for _, p := range d.Config.Directory.Partners() {
		for _, file := range p.Certificates {
			d.certificate(r, fmt.Sprintf("partner %s, %s", p.Name, filepath.Base(file)), file, "ask the partner for the next one and list it beside this one")
		}
	}
}

// certificate looks at the certificates of one file. That it can be read is
// the matter of keys.
func (d *Doctor) certificate(r *report, whose, file, advice string) {
	data, err := os.ReadFile(file)
	if err != nil {
		return
	}
	cs, err := certs.ParseCertificates(data)
	if err != nil {
		return
	}
	now := d.Now()
	c := cs[0] // the others are its issuers
	day := func(t time.Time) string { return t.UTC().Format("2006-01-02") }
	switch left := c.NotAfter.Sub(now); {
	case left <= 0:
		r.add(Fail, advice, "%s ended on %s", whose, day(c.NotAfter))
	case now.Before(c.NotBefore):
		r.add(Warn, "check the clock of this machine; else wait", "%s begins only on %s", whose, day(c.NotBefore))
	case left <= d.Config.Monitor.Certificate:
		r.add(Warn, advice, "%s ends on %s, in %s", whose, day(c.NotAfter), count(int(left.Hours()/24), "day"))
	default:
		r.add(OK, "", "%s is good until %s", whose, day(c.NotAfter))
	}
	if k, ok := c.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() < 2048 {
		r.add(Warn, "agree on a key of at least 2048 bits", "%s has an RSA key of only %d bits", whose, k.N.BitLen())
	}
	if c.SignatureAlgorithm == x509.MD5WithRSA || c.SignatureAlgorithm == x509.SHA1WithRSA {
		r.add(Warn, "agree on a certificate signed with SHA-256", "%s is signed with %s", whose, c.SignatureAlgorithm)
	}
}

// secrets checks that nobody else on the machine can read the secrets.
func (d *Doctor) secrets(_ context.Context, r *report) {
	files := []string{d.Config.Directory.Station().Key, d.Config.Listen.AdminToken}
	if t := d.Config.Listen.TLS; t != nil {
		files = append(files, t.Key)
	}
	good := true
	for _, f := range files {
		if f == "" {
			continue
		}
		info, err := os.Stat(f)
		switch {
		case err != nil && f == d.Config.Listen.AdminToken:
			good = false
			r.add(Warn, "write a line such as `admin TOKEN` into it, with a token of at least 32 letters (`openssl rand -hex 32`)", "there is no %s: programs cannot use the API", f)
		case err == nil && info.Mode().Perm()&0o077 != 0:
			good = false
			r.add(Warn, "chmod 600 "+f, "%s can be read by others on this machine (mode %04o)", f, info.Mode().Perm())
		}
	}
	if good {
		r.add(OK, "", "keys and token can be read by their owner only")
	}
}

// algorithms names what was agreed with partners and is weaker than it should be.
func (d *Doctor) algorithms(_ context.Context, r *report) {
	weak := false
	for _, p := range d.Config.Directory.Partnerships() {
		c, err := d.Config.Directory.Connection(p.Connection)
		if err != nil || c.Connector != "as2" {
			continue
		}
		note := func(what string) {
			weak = true
			r.add(Warn, "agree on sha-256 and aes-256-cbc with the partner", "partnership with %s: %s", p.Partner, what)
		}
		switch as2.Digest(p.AS2.Sign) {
		case "":
			note("what we send is not signed")
		case as2.MD5, as2.SHA1:
			note("signatures use " + p.AS2.Sign)
		}
		switch as2.Cipher(p.AS2.Encrypt) {
		case "":
			note("what we send is not encrypted")
		case as2.TripleDES:
			note("encryption uses " + p.AS2.Encrypt)
		}
		if p.AS2.Receipt == "none" || !p.AS2.SignedReceipt {
			note("deliveries are not proven by a signed receipt")
		}
	}
	if !weak {
		r.add(OK, "", "nothing weak is agreed with any partner")
	}
}
