package doctor

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tradepost/as2"
	"tradepost/certs"
	"tradepost/internal/config"
)

// keys checks that every key and certificate file is there and fits.
func (d *Doctor) keys(_ context.Context, r *report) {
	problems := d.Config.CheckFiles()
	if d.Documents != nil { // told there
		problems = slices.DeleteFunc(problems, func(p config.Problem) bool {
			return p.Path == "dictionaries" || strings.HasSuffix(p.Path, ".guide") || strings.HasSuffix(p.Path, ".map")
		})
	}
	for _, p := range problems {
		r.add(Fail, p.Hint, "%s (line %d): %s", p.Path, p.Line, p.Text)
	}
	pairs := d.Config.Directory.Station().KeyFiles()
	switch {
	case len(problems) > 0:
	case len(pairs) == 0:
		r.add(Warn, "add certificate and key under station, with an as2_id, to speak AS2", "the station has no certificate")
	case len(pairs) == 1:
		r.add(OK, "", "the key belongs to the certificate")
	default:
		r.add(OK, "", "the %d keys belong to their certificates", len(pairs))
	}
}

// certificates checks how long the certificates of both sides are good for,
// and whether what follows them is there in time.
func (d *Doctor) certificates(ctx context.Context, r *report) {
	ring, _ := d.Config.Certificates() // what cannot be read is the matter of keys
	d.takenOver(ctx, ring.Partners)
	d.set(r, "the station's certificate", ring.Own, "make the next one with `tradepost cert roll`: it says what to send to your partners")
	if t := ring.TLS; t != nil {
		d.set(r, "the listener's TLS certificate", certs.Set{{Certificate: t.Leaf, Purposes: []certs.Purpose{certs.TLS}}}, "renew it with whoever issued it")
	}
	d.presented(r)
	for _, p := range d.Config.Directory.Partners() {
		d.set(r, "partner "+p.Name, ring.Partners[p.Name], "ask the partner for the next one, and add it with `tradepost cert import FILE --partner "+p.Name+"`")
	}
}

// set looks at the certificates of one party.
func (d *Doctor) set(r *report, whose string, set certs.Set, advice string) {
	now := d.Now()
	day := func(t time.Time) string { return t.UTC().Format("2006-01-02") }
	left := map[string]certs.Warning{}
	for _, w := range set.Expiring(now, d.Config.Monitor.Thresholds()...) {
		left[certs.Fingerprint(w.Entry.Certificate)] = w
	}
	for _, e := range set {
		name := whose
		if e.Source != "" && len(set) > 1 || strings.HasPrefix(whose, "partner ") {
			name += ", " + filepath.Base(e.Source)
		}
		w, ending := left[certs.Fingerprint(e.Certificate)]
		switch {
		case ending && w.Left <= 0 && w.Covered:
			r.add(OK, "", "%s ended on %s; another took over", name, day(e.End()))
		case ending && w.Left <= 0:
			r.add(Fail, advice, "%s ended on %s", name, day(e.End()))
		case now.Before(e.Certificate.NotBefore) && len(set) == 1:
			r.add(Warn, "check the clock of this machine; else wait", "%s begins only on %s", name, day(e.Certificate.NotBefore))
		case ending && w.Covered:
			r.add(OK, "", "%s ends on %s; the next one is there", name, day(e.End()))
		case ending:
			r.add(Warn, advice, "%s ends on %s, in %s", name, day(e.End()), count(int(w.Left.Hours()/24), "day"))
		case set.Standing(e, now) == certs.Next:
			r.add(OK, "", "%s goes live on %s and is good until %s", name, day(e.Live()), day(e.End()))
		default:
			r.add(OK, "", "%s is good until %s", name, day(e.End()))
		}
		d.strength(r, name, e.Certificate)
	}
}

// strength names what is weaker than it should be.
func (d *Doctor) strength(r *report, whose string, c *x509.Certificate) {
	if k, ok := c.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() < 2048 {
		r.add(Warn, "agree on a key of at least 2048 bits", "%s has an RSA key of only %d bits", whose, k.N.BitLen())
	}
	if c.SignatureAlgorithm == x509.MD5WithRSA || c.SignatureAlgorithm == x509.SHA1WithRSA {
		r.add(Warn, "agree on a certificate signed with SHA-256", "%s is signed with %s", whose, c.SignatureAlgorithm)
	}
}

// secrets checks that nobody else on the machine can read the secrets.
func (d *Doctor) secrets(_ context.Context, r *report) {
	files := []string{d.Config.Secrets.KeyFile, d.Config.Listen.AdminToken}
	for _, f := range d.Config.Directory.Station().KeyFiles() {
		files = append(files, f.Key)
	}
	if t := d.Config.Listen.TLS; t != nil {
		files = append(files, t.Key)
	}
	for _, c := range d.Config.Directory.Connections() {
		_, key := d.clientPair(c)
		files = append(files, key)
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
	d.seals(r)
}

// seals tells whether the private keys are sealed as the configuration says.
func (d *Doctor) seals(r *report) {
	configured := d.Config.Secrets != config.Secrets{}
	pairs := d.Config.Directory.Station().KeyFiles()
	plain := 0
	for _, f := range pairs {
		data, err := os.ReadFile(f.Key)
		if err != nil {
			return // that is the matter of keys
		}
		if !certs.IsSealed(data) {
			plain++
			if configured {
				r.add(Warn, "replace it at the next change of certificates: what `tradepost cert roll` makes is sealed", "%s is not sealed, though there is a sealing key", f.Key)
			}
		}
	}
	switch {
	case len(pairs) == 0:
	case plain == 0:
		r.add(OK, "", "the private keys are sealed")
	case !configured:
		r.add(OK, "", "the private keys are plain files: `secrets` in the configuration would seal the next ones")
	}
	if f := d.Config.Secrets.KeyFile; f != "" && len(pairs) > 0 && filepath.Dir(f) == filepath.Dir(pairs[0].Key) {
		r.add(OK, "", "the sealing key lies beside the keys it seals: whoever copies the folder has both; key_env, or a file that backups of this folder leave out, would keep them apart")
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
		if p.AS2.ReceiptMICOptional && p.AS2.Sign == "" {
			note("receipts without a MIC are taken for proof of what is sent unsigned")
		}
		for _, digest := range p.AS2.AcceptDigests {
			if d := as2.Digest(digest); (d == as2.MD5 || d == as2.SHA1) && p.AS2.Sign != digest {
				note("signatures with " + digest + " are accepted")
			}
		}
		if !p.AS2.RequireSigned {
			note("what they send unsigned is accepted")
		}
	}
	if !weak {
		r.add(OK, "", "nothing weak is agreed with any partner")
	}
}
