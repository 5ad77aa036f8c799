package cli

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"tradepost/as2"
	"tradepost/certs"
	"tradepost/internal/config"
)

// sealed gives the station a sealing key, in the environment.
func (b *bureau) sealed() {
	b.t.Helper()
	key, err := certs.NewSealingKey(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.env["SEALING_KEY"] = key
	text := b.read("station/tradepost.yaml")
	b.write("station/tradepost.yaml", append(text, []byte("\nsecrets: {key_env: SEALING_KEY}\n")...))
}

// issue is an authority that signs a request.
func (b *bureau) issue(request []byte) []byte {
	b.t.Helper()
	q, err := certs.ParseSigningRequest(request)
	if err != nil {
		b.t.Fatal(err)
	}
	authority, err := certs.Generate(certs.Request{CommonName: "Authority", Type: certs.P256, NotBefore: b.now.AddDate(0, -1, 0)}, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	der, err := x509.CreateCertificate(nil, &x509.Certificate{
		SerialNumber: authority.Certificate.SerialNumber, Subject: q.Subject, NotBefore: b.now.AddDate(0, 0, -1), NotAfter: b.now.AddDate(2, 0, 0),
	}, authority.Certificate, q.PublicKey, authority.Key)
	if err != nil {
		b.t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), certs.EncodeCertificate(authority.Certificate)...)
}

// TestCertFromAnAuthority takes a sealed key to an authority and back, and then
// renews its certificate without a new key.
func TestCertFromAnAuthority(t *testing.T) {
	t.Parallel()
	b := newBureau(t)
	b.sealed()
	cfg := b.env["TRADEPOST_CONFIG"]
	key := b.path("station/keys/next.key")
	b.ok("cert", "request", "--name", "BUYER", "--type", "p-256", "--seal-with", cfg, "--out", b.path("station/keys/next"))
	if !certs.IsSealed(b.read("station/keys/next.key")) {
		t.Fatal("the key is not sealed")
	}
	b.write("issued.pem", b.issue(b.read("station/keys/next.csr")))
	r := b.ok("cert", "import", b.path("issued.pem"), "--own", "--key", key)
	if text := string(b.read("station/tradepost.yaml")); !strings.Contains(text, "key: keys/next.key") || !strings.Contains(r.stderr, "Who has to get it") || !strings.Contains(r.stderr, "supplier") || !strings.Contains(r.stderr, "exchange offer") {
		t.Errorf("the import says %s\n%s", r.stdout, r.stderr)
	}
	rows := b.list("--own")
	if len(rows) != 2 || rows[1].Standing != "next" || !rows[1].GoesLive.After(b.now.AddDate(0, 0, 25)) {
		t.Errorf("without --go-live: %+v", rows)
	}
	// The certificate is renewed for the same key, found by its request.
	b.ok("cert", "request", "--name", "BUYER", "--key", key, "--seal-with", cfg, "--out", b.path("renewal"))
	first, err := certs.ParseSigningRequest(b.read("station/keys/next.csr"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := certs.ParseSigningRequest(b.read("renewal.csr"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.RawSubjectPublicKeyInfo, second.RawSubjectPublicKeyInfo) {
		t.Error("the renewal is for another key")
	}
	for args, want := range map[string]string{
		"":                   "--seal-with",
		"--seal-with " + cfg: "neither",
	} {
		b.write("lonely.key", b.read("station/keys/next.key"))
		full := append([]string{"cert", "request", "--name", "X", "--key", b.path("lonely.key"), "--out", b.path("r")}, strings.Fields(args)...)
		if r := b.run(full...); r.code == ExitOK || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: %+v", args, r)
		}
	}
}

// TestCertImportOwnKeys brings private keys from elsewhere: they are taken into
// the station's folder, and sealed where the others are.
func TestCertImportOwnKeys(t *testing.T) {
	t.Parallel()
	b := newBureau(t)
	keyOf := func(subject string) string {
		t.Helper()
		c, err := config.Load(b.env["TRADEPOST_CONFIG"], config.Overrides{Env: func(n string) (string, bool) { v, ok := b.env[n]; return v, ok }})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range c.Directory.Station().KeyFiles() {
			pair := b.ok("cert", "show", f.Certificate, "-o", "json").stdout
			if strings.Contains(pair, subject) {
				return f.Key
			}
		}
		t.Fatalf("%s is not configured", subject)
		return ""
	}
	b.make("outside", "CN OUTSIDE", b.now)
	r := b.ok("cert", "import", b.path("outside.crt"), "--own", "--key", b.path("outside.key"), "--now")
	if strings.Contains(r.stderr, "exchange offer") {
		t.Errorf("an offer would be signed with what partners do not know: %s", r.stderr)
	}
	if k := keyOf("CN OUTSIDE"); !strings.HasPrefix(k, b.path("station/keys/")) || !strings.Contains(r.stderr, "outside.key is not used") {
		t.Errorf("the key is %s; says %s", k, r.stderr)
	}
	if rows := b.list("--own"); rows[0].Subject != "CN=CN OUTSIDE" || rows[0].Standing != "live" {
		t.Errorf("with --now: %+v", rows)
	}
	b.make("station/keys/inside", "CN INSIDE", b.now)
	b.ok("cert", "import", b.path("station/keys/inside.crt"), "--own", "--key", b.path("station/keys/inside.key"))
	if k := keyOf("CN INSIDE"); k != b.path("station/keys/inside.key") {
		t.Errorf("a key that is in place was copied to %s", k)
	}
	b.sealed()
	b.make("station/keys/plain", "CN PLAIN", b.now)
	b.ok("cert", "import", b.path("station/keys/plain.crt"), "--own", "--key", b.path("station/keys/plain.key"))
	k := keyOf("CN PLAIN")
	if !certs.IsSealed(b.read(strings.TrimPrefix(k, b.dir+"/"))) {
		t.Errorf("%s is not sealed, though the station's keys are", k)
	}
	if openssl, err := exec.LookPath("openssl"); err == nil {
		b.make("locked", "CN LOCKED", b.now)
		out, err := exec.CommandContext(t.Context(), openssl, "pkcs8", "-topk8", "-in", b.path("locked.key"), "-out", b.path("locked.p8"), "-passout", "pass:secret").CombinedOutput() //nolint:gosec // a test
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		b.env["PASSWORD"] = "secret"
		b.ok("cert", "import", b.path("locked.crt"), "--own", "--key", b.path("locked.p8"), "--password-env", "PASSWORD")
		keyOf("CN LOCKED")
	}
}

// TestCertImportTrustStore takes a partner's certificate out of the file that a
// Java program keeps it in, and says what to do with one of the old kind.
func TestCertImportTrustStore(t *testing.T) {
	t.Parallel()
	b := newBureau(t)
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not here to make the file")
	}
	b.make("java", "JAVA", b.now)
	out, err := exec.CommandContext(t.Context(), openssl, "pkcs12", "-export", "-nokeys", "-in", b.path("java.crt"), "-out", b.path("java.p12"), "-passout", "pass:secret").CombinedOutput() //nolint:gosec // a test
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b.env["PASSWORD"] = "secret"
	b.ok("cert", "import", b.path("java.p12"), "--partner", "supplier", "--password-env", "PASSWORD")
	if rows := b.list("--partner", "supplier"); len(rows) != 2 {
		t.Errorf("certificates of the supplier: %+v", rows)
	}
	b.write("old.jks", []byte("\xfe\xed\xfe\xed\x00\x00\x00\x02"))
	if r := b.run("cert", "show", b.path("old.jks")); r.code != ExitFailed || !strings.Contains(r.stderr, "keytool -importkeystore") {
		t.Errorf("a keystore of the old kind: %+v", r)
	}
}

// TestAS2WithASealedKey reads a stored request with the station's own sealed key.
func TestAS2WithASealedKey(t *testing.T) {
	t.Parallel()
	b := newBureau(t)
	b.sealed()
	b.ok("cert", "roll", "--now", "-o", "json")
	cfg, err := config.Load(b.env["TRADEPOST_CONFIG"], config.Overrides{NoFiles: true, Env: func(n string) (string, bool) { v, ok := b.env[n]; return v, ok }})
	if err != nil {
		t.Fatal(err)
	}
	files := cfg.Directory.Station().KeyFiles()
	own := files[len(files)-1]
	text, err := os.ReadFile(own.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := certs.ParseCertificate(text)
	if err != nil {
		t.Fatal(err)
	}
	out, err := as2.Build(t.Context(), as2.Relation{Station: as2.Station{ID: "SUPPLIER"}, Partner: as2.Partner{ID: "BUYER", Encrypt: certificate}}, as2.Payload{
		ContentType: "application/edi-x12", Size: 5, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("ISA*~")), nil },
	}, as2.Options{MessageID: "<one@supplier.test>", Now: b.now, Encrypt: as2.AES256CBC})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	body, err := out.Open()
	if err != nil {
		t.Fatal(err)
	}
	var stored bytes.Buffer
	if err := as2.WriteStored(&stored, out.Header, body); err != nil {
		t.Fatal(err)
	}
	b.write("request.txt", stored.Bytes())
	args := []string{"as2", "receive", b.path("request.txt"), "--cert", own.Certificate, "--key", own.Key, "--partner-cert", b.path("supplier.crt"), "--payload", b.path("payload.edi"), "-o", "json"}
	if r := b.run(args...); r.code == ExitOK || !strings.Contains(r.stderr, "--seal-with") {
		t.Errorf("without the sealing key: %+v", r)
	}
	b.ok(append(args, "--seal-with", b.env["TRADEPOST_CONFIG"])...)
	if got := string(b.read("payload.edi")); got != "ISA*~" {
		t.Errorf("the payload is %q", got)
	}
}
