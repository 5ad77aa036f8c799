package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tradepost/certs"
	"tradepost/internal/config"
	"tradepost/processes"
	"tradepost/tracking"
)

// bureau is a station with a partner and a real store, and a clock.
type bureau struct {
	t   *testing.T
	dir string
	now time.Time
	env map[string]string
}

func newBureau(t *testing.T) *bureau {
	t.Helper()
	b := &bureau{t: t, dir: t.TempDir(), now: noon(), env: map[string]string{}}
	b.make("supplier", "SUPPLIER", b.now.AddDate(0, -6, 0))
	r := b.run("init", b.path("station"), "--name", "buyer", "--partner", "supplier", "--partner-url", "http://127.0.0.1:1/as2",
		"--partner-certificate", b.path("supplier.crt"), "--partner-contact", "Kim, 555 0100", "--key-type", "rsa-2048")
	if r.code != ExitOK {
		t.Fatal(r.stderr)
	}
	b.env["TRADEPOST_CONFIG"] = b.path("station/tradepost.yaml")
	return b
}

func (b *bureau) path(name string) string { return filepath.Join(b.dir, name) }

// make makes a pair of files.
func (b *bureau) make(file, name string, from time.Time) *certs.Pair {
	b.t.Helper()
	p, err := certs.Generate(certs.Request{CommonName: name, Type: certs.P256, NotBefore: from}, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := certs.WriteKeyFile(b.path(file+".key"), p, nil, nil); err != nil {
		b.t.Fatal(err)
	}
	b.write(file+".crt", certs.EncodeCertificate(p.Certificate))
	return p
}

func (b *bureau) write(name string, data []byte) {
	b.t.Helper()
	if err := os.WriteFile(b.path(name), data, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bureau) read(name string) []byte {
	b.t.Helper()
	data, err := os.ReadFile(b.path(name))
	if err != nil {
		b.t.Fatal(err)
	}
	return data
}

func (b *bureau) run(args ...string) result {
	var out, words bytes.Buffer
	env := &Env{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &words, Random: rand.Reader,
		Now:       func() time.Time { return b.now },
		LookupEnv: func(name string) (string, bool) { v, ok := b.env[name]; return v, ok },
	}
	env.OpenStore, env.OpenArchive = openStore(env), openArchive(env)
	code := Run(b.t.Context(), env, args)
	return result{code, out.String(), words.String()}
}

// ok runs a command line that must succeed.
func (b *bureau) ok(args ...string) result {
	b.t.Helper()
	r := b.run(args...)
	if r.code != ExitOK {
		b.t.Fatalf("%s: exit code %d\n%s", strings.Join(args, " "), r.code, r.stderr)
	}
	return r
}

// certRow is what `cert list -o json` prints.
type certRow struct {
	Party, Subject, SHA256, Standing, Source, Key string
	Purposes                                      []string
	GoesLive, Ends                                time.Time
	DaysLeft                                      int
	Covered                                       bool
	UsedBy                                        []struct{ Partner, What string }
	StillUsedBy                                   []string
}

func (b *bureau) list(args ...string) []certRow {
	b.t.Helper()
	return decodeJSON[[]certRow](b.t, b.ok(append([]string{"cert", "list", "-o", "json"}, args...)...).stdout)
}

// TestCertRollover goes through a change of certificates as an operator does.
func TestCertRollover(t *testing.T) {
	t.Parallel()
	b := newBureau(t)
	before := b.list()
	if len(before) != 2 || before[0].Party != "" || before[0].Standing != "live" || before[1].Party != "supplier" || before[0].Source != "keys/station.crt" {
		t.Fatalf("%+v", before)
	}
	old := before[0].SHA256

	type planned struct {
		Certificate, KeyFile, GoesLive, SHA256, Replaces string
		Partners                                         []struct{ Name, Contact string }
	}
	p := decodeJSON[planned](t, b.ok("cert", "roll", "--go-live", "2026-05-01", "-o", "json").stdout)
	if p.Replaces != old || p.GoesLive != "2026-05-01T00:00:00Z" || len(p.Partners) != 1 || p.Partners[0].Contact != "Kim, 555 0100" {
		t.Errorf("plan %+v", p)
	}
	if !strings.Contains(string(b.read("station/tradepost.yaml")), "  keys:\n    - {certificate: keys/station-2026-05-01.crt, key: keys/station-2026-05-01.key, go_live: 2026-05-01}\n") {
		t.Errorf("the configuration:\n%s", b.read("station/tradepost.yaml"))
	}
	next := b.make("supplier-next", "SUPPLIER", b.now)
	r := b.ok("cert", "import", b.path("supplier-next.crt"), "--partner", "supplier", "--go-live", "2026-05-10", "--sha256", certs.Fingerprint(next.Certificate)[:20])
	if !strings.Contains(r.stderr, "what goes to supplier is encrypted to it from 2026-05-10") || !strings.Contains(r.stderr, "SIGHUP") || !strings.Contains(r.stdout, certs.Fingerprint(next.Certificate)) {
		t.Errorf("import says %q and prints %q", r.stderr, r.stdout)
	}

	// In May our new one is live; the supplier has not switched to it.
	b.now = time.Date(2026, 5, 5, 12, 0, 0, 0, time.UTC)
	b.receive("supplier", strings.ToLower(strings.ReplaceAll(old, ":", "")))
	rows := b.list("--own")
	if len(rows) != 2 || rows[0].SHA256 != p.SHA256 || rows[0].Standing != "live" || rows[1].Standing != "old" || strings.Join(rows[1].StillUsedBy, " ") != "supplier" {
		t.Errorf("own in May: %+v", rows)
	}
	theirs := b.list("--partner", "supplier")
	if len(theirs) != 2 || theirs[0].Standing != "live" || theirs[1].Standing != "next" {
		t.Errorf("theirs in May: %+v", theirs)
	}
	table := b.ok("cert", "list").stdout
	for _, want := range []string{"PARTY", "(station)", "supplier: they encrypt, 2026-05-05", "STILL USED BY"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table has no %q:\n%s", want, table)
		}
	}
	if lines := strings.Split(strings.TrimSpace(b.ok("cert", "list", "-o", "csv").stdout), "\n"); len(lines) != 5 || !strings.Contains(lines[0], "still used by") {
		t.Errorf("csv: %q", lines)
	}

	// What is exported is what is live.
	exported, err := certs.ParseCertificates([]byte(b.ok("cert", "export").stdout))
	if err != nil || certs.Fingerprint(exported[0]) != p.SHA256 {
		t.Errorf("exported %v, %v", exported, err)
	}
	if doctor := b.run("doctor"); !strings.Contains(doctor.stdout, "the 2 keys belong to their certificates") || !strings.Contains(doctor.stdout, "goes live on 2026-05-10") {
		t.Errorf("doctor:\n%s%s", doctor.stdout, doctor.stderr)
	}
}

// receive records a transmission of a partner that was encrypted to one of our
// certificates.
func (b *bureau) receive(partner, sha256 string) {
	b.t.Helper()
	cfg, err := config.Load(b.env["TRADEPOST_CONFIG"], config.Overrides{NoFiles: true})
	if err != nil {
		b.t.Fatal(err)
	}
	s, err := openStore(&Env{Now: func() time.Time { return b.now }})(b.t.Context(), cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	err = s.Update(b.t.Context(), func(ctx context.Context, tx processes.Tx) error {
		return tx.InsertTransmission(ctx, &tracking.Transmission{
			ID: tracking.FirstIDAt(b.now) + 1, Direction: tracking.Inbound, State: tracking.TransmissionProcessed, Partner: partner, Connector: "as2",
			Evidence: tracking.Evidence{Recipient: &tracking.Certificate{SHA256: sha256}}, CreatedAt: b.now,
		})
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func TestCertNewShowAndRequest(t *testing.T) {
	t.Parallel()
	b := newBureau(t)
	type made struct{ Certificate, KeyFile, Subject, Key string }
	m := decodeJSON[made](t, b.ok("cert", "new", "--name", "EDI", "--organization", "Buyer, Inc.", "--country", "US", "--type", "p-256", "--days", "400", "--out", b.path("edi"), "-o", "json").stdout)
	if m.Subject != `CN=EDI,O=Buyer\, Inc.,C=US` || m.Key != "p-256" || m.KeyFile != b.path("edi.key") {
		t.Errorf("%+v", m)
	}
	if info, err := os.Stat(b.path("edi.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key: %v", err)
	}
	if r := b.run("cert", "new", "--name", "EDI", "--out", b.path("edi")); r.code != ExitFailed || !strings.Contains(r.stderr, "nothing is ever overwritten") {
		t.Errorf("overwritten? %+v", r)
	}
	shown := decodeJSON[[]made](t, b.ok("cert", "show", b.path("edi.crt"), "-o", "json").stdout)
	if len(shown) != 1 || shown[0].Subject != m.Subject {
		t.Errorf("%+v", shown)
	}
	if text := b.ok("cert", "show", b.path("edi.crt")).stdout; !strings.Contains(text, "self-signed") || !strings.Contains(text, "SHA-256  ") {
		t.Errorf("%s", text)
	}

	b.ok("cert", "request", "--name", "EDI", "--organization", "Buyer", "--type", "p-256", "--out", b.path("asked"))
	block, _ := pem.Decode(b.read("asked.csr"))
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || csr.Subject.String() != "CN=EDI,O=Buyer" || csr.CheckSignature() != nil {
		t.Errorf("%v, %v", csr.Subject, err)
	}
	b.ok("cert", "request", "--name", "EDI", "--key", b.path("edi.key"), "--out", b.path("again"))
	if _, err := os.Stat(b.path("again.key")); err == nil {
		t.Error("a request for a key that is there made another")
	}
}

// TestCertImportKinds takes up certificates in every form they come in.
func TestCertImportKinds(t *testing.T) {
	t.Parallel()
	b := newBureau(t)
	der := b.make("der", "DER", b.now)
	b.write("der.cer", der.Certificate.Raw)
	bagged := b.make("bagged", "BAGGED", b.now)
	bag, err := certs.EncodeBag([]*x509.Certificate{bagged.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	b.write("bag.p7b", bag)
	for _, file := range []string{"der.cer", "bag.p7b"} {
		b.ok("cert", "import", b.path(file), "--partner", "supplier")
	}
	both := b.make("both", "OWN BOTH", b.now)
	key, err := certs.EncodeKey(both.Key)
	if err != nil {
		t.Fatal(err)
	}
	b.write("both.pem", append(certs.EncodeCertificate(both.Certificate), key...))
	b.ok("cert", "import", b.path("both.pem"), "--own", "--go-live", "2026-06-01")
	b.make("issued", "OWN ISSUED", b.now)
	b.ok("cert", "import", b.path("issued.crt"), "--own", "--key", b.path("issued.key"), "--go-live", "2026-07-01", "--purposes", "sign")
	if openssl, err := exec.LookPath("openssl"); err == nil {
		b.make("packed", "OWN PACKED", b.now)
		out, err := exec.CommandContext(t.Context(), openssl, "pkcs12", "-export", "-inkey", b.path("packed.key"), "-in", b.path("packed.crt"), "-out", b.path("packed.p12"), "-passout", "pass:secret").CombinedOutput() //nolint:gosec // a test
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for flags, want := range map[string]string{"": "is protected by a password", "--password-env=WRONG": "wrong password", "--password-env=NONE": "has no NONE"} {
			b.env["WRONG"] = "x"
			args := []string{"cert", "import", b.path("packed.p12"), "--own"}
			if flags != "" {
				args = append(args, flags)
			}
			if r := b.run(args...); r.code == ExitOK || !strings.Contains(r.stderr, want) {
				t.Errorf("%s: %+v", flags, r)
			}
		}
		b.write("password.txt", []byte("secret\nnothing else\n"))
		b.ok("cert", "import", b.path("packed.p12"), "--own", "--password-file", b.path("password.txt"), "--go-live", "2026-08-01")
	}
	want := map[string]bool{"CN=DER": true, "CN=BAGGED": true, "CN=OWN BOTH": true, "CN=OWN ISSUED": true}
	for _, r := range b.list() {
		delete(want, r.Subject)
	}
	if len(want) != 0 {
		t.Errorf("not in the list: %v", want)
	}
	if cfg, err := config.Load(b.env["TRADEPOST_CONFIG"], config.Overrides{NoFiles: true}); err != nil || len(cfg.Directory.Station().KeyFiles()) < 3 {
		t.Errorf("the configuration: %v", err)
	}
}

// TestCertFaults holds the exit codes and the words of what goes wrong.
func TestCertFaults(t *testing.T) {
	t.Parallel()
	b := newBureau(t)
	b.write("junk", []byte("junk"))
	b.write("empty", nil)
	b.make("new", "NEW", b.now)
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"cert", ExitOK, ""},
		{"cert nonsense", ExitUsage, "there is no command"},
		{"cert new", ExitUsage, "--name is missing"},
		{"cert new --name X --type dsa", ExitUsage, "write rsa-2048"},
		{"cert new --name X --days -1", ExitUsage, "--days -1"},
		{"cert new --name X --country USA --out DIR/usa", ExitUsage, "two letters"},
		{"cert new --name X --out DIR/x --seal-with DIR/station/tradepost.yaml", ExitConfig, "no section secrets"},
		{"cert show", ExitUsage, "FILE is missing"},
		{"cert show DIR/none", ExitNotFound, "there is no file"},
		{"cert show DIR/junk", ExitFailed, "neither PEM nor DER"},
		{"cert show DIR/empty", ExitFailed, "no certificate"},
		{"cert import DIR/new.crt", ExitUsage, "say whose it is"},
		{"cert import DIR/new.crt --own --partner supplier", ExitUsage, "say whose it is"},
		{"cert import DIR/new.crt --own", ExitUsage, "holds no private key"},
		{"cert import DIR/new.crt --partner nobody", ExitNotFound, `no partner "nobody"`},
		{"cert import DIR/new.crt --partner supplier --key DIR/new.key", ExitUsage, "nobody has the private key"},
		{"cert import DIR/new.crt --partner supplier --go-live soon", ExitUsage, "--go-live soon"},
		{"cert import DIR/new.crt --partner supplier --purposes wrap", ExitUsage, "write sign, encrypt"},
		{"cert import DIR/new.crt --partner supplier --go-live 2027-01-01 --retire 2026-12-01", ExitUsage, "--retire is before"},
		{"cert import DIR/new.crt --partner supplier --sha256 00:00", ExitFailed, "nothing was taken"},
		{"cert import DIR/new.crt --partner supplier --sha256 zz", ExitUsage, "no SHA-256 fingerprint"},
		{"cert import DIR/supplier.crt --partner supplier", ExitFailed, "listed already"},
		{"cert import DIR/new.crt --partner supplier --go-live 2050-01-01", ExitConfig, "before it goes live"},
		{"cert import DIR/new.crt --own --key DIR/supplier.key", ExitFailed, "does not belong"},
		{"cert import DIR/new.crt --partner supplier --now", ExitUsage, "--now goes with --own"},
		{"cert import DIR/new.crt --own --key DIR/new.key --now --go-live 2026-06-01", ExitUsage, "one of the two"},
		{"cert export --format exe", ExitUsage, "write pem, der or p7b"},
		{"cert export --partner nobody", ExitNotFound, "nobody"},
		{"cert export --sha256 00:00", ExitNotFound, "0 certificates"},
		{"cert roll --now --go-live 2026-09-01", ExitUsage, "one of the two"},
		{"cert roll --type x", ExitUsage, "--type x"},
		{"cert roll --go-live 2060-01-01", ExitFailed, "before it goes live"},
		{"cert list --partner nobody", ExitNotFound, "nobody"},
		{"cert list --own --partner supplier", ExitUsage, "one of the two"},
		{"cert list --since never", ExitUsage, "--since"},
		{"cert list -o xml", ExitUsage, "-o xml"},
		{"cert list -c DIR/none.yaml", ExitConfig, "cannot be read"},
		{"cert request", ExitUsage, "--name is missing"},
		{"cert request --name X --key DIR/junk --out DIR/r", ExitFailed, "no PKCS #8"},
	} {
		args := strings.Fields(strings.ReplaceAll(c.args, "DIR", b.dir))
		text := b.read("station/tradepost.yaml")
		r := b.run(args...)
		if r.code != c.code || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%s: exit code %d, want %d; says %q, want %q", c.args, r.code, c.code, r.stderr, c.want)
		}
		if !bytes.Equal(text, b.read("station/tradepost.yaml")) {
			t.Errorf("%s changed the configuration", c.args)
		}
	}
}

func TestInitSealed(t *testing.T) {
	t.Parallel()
	b := newBureau(t)
	key, err := certs.NewSealingKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	b.env["SEALING"] = key
	for name, c := range map[string]struct {
		flags []string
		code  int
		want  string
	}{
		"default":        {[]string{"--seal"}, ExitOK, "is sealed with"},
		"environment":    {[]string{"--seal", "--seal-env", "SEALING"}, ExitOK, "is ready"},
		"elsewhere":      {[]string{"--seal", "--seal-file", b.path("elsewhere.key")}, ExitOK, "elsewhere.key"},
		"no variable":    {[]string{"--seal", "--seal-env", "NONE"}, ExitUsage, "the environment has no NONE"},
		"both":           {[]string{"--seal", "--seal-env", "SEALING", "--seal-file", "x"}, ExitUsage, "one of the two"},
		"without --seal": {[]string{"--seal-env", "SEALING"}, ExitUsage, "need --seal"},
	} {
		dir := b.path("sealed " + name)
		r := b.run(append([]string{"init", dir, "--name", "sealed"}, c.flags...)...)
		if r.code != c.code || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%s: %+v", name, r)
		}
		if c.code != ExitOK {
			continue
		}
		file := filepath.Join(dir, "tradepost.yaml")
		if data := b.read("sealed " + name + "/keys/station.key"); !certs.IsSealed(data) {
			t.Errorf("%s: the key is plain", name)
		}
		if r := b.run("doctor", "-c", file); !strings.Contains(r.stdout, "the private keys are sealed") {
			t.Errorf("%s: doctor says\n%s%s", name, r.stdout, r.stderr)
		}
		b.ok("cert", "roll", "-c", file)
		b.ok("cert", "new", "--name", "X", "--type", "p-256", "--out", filepath.Join(dir, "x"), "--seal-with", file)
		if data := b.read("sealed " + name + "/x.key"); !certs.IsSealed(data) {
			t.Errorf("%s: the new key is plain", name)
		}
	}
}
