package config

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tradepost/certs"
	"tradepost/partners"

	"github.com/google/go-cmp/cmp"
)

// dated adds what one can say of certificates to the good configuration.
func dated(t *testing.T, keys, certificates string) string {
	t.Helper()
	text := strings.Replace(good, "  key: keys/station.key\n", "  key: keys/station.key\n"+keys, 1)
	return strings.Replace(text, "    certificates: [keys/supplier.crt]\n", certificates, 1)
}

func TestCertificatesWithDates(t *testing.T) {
	t.Parallel()
	text := dated(t, `  keys:
    - {certificate: keys/other.crt, key: keys/other.key, go_live: 2027-01-15}
`, `    certificates:
      - keys/supplier.crt
      - {file: keys/station.crt, go_live: 2027-02-01T06:00:00+01:00, retire: "2027-03-01", purposes: [sign]}
    certificate_exchange: accept
`)
	c, err := Load(station(t, text), Overrides{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	abs := func(name string) string { return filepath.Join(c.Dir, name) }
	if diff := cmp.Diff([]partners.KeyFile{
		{Certificate: abs("keys/station.crt"), Key: abs("keys/station.key")},
		{Certificate: abs("keys/other.crt"), Key: abs("keys/other.key"), Use: partners.Use{GoLive: time.Date(2027, 1, 15, 0, 0, 0, 0, time.UTC)}},
	}, c.Directory.Station().KeyFiles()); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	p := c.Directory.Partners()[0]
	if diff := cmp.Diff([]partners.CertificateFile{
		{File: abs("keys/supplier.crt")},
		{File: abs("keys/station.crt"), Use: partners.Use{
			GoLive: time.Date(2027, 2, 1, 5, 0, 0, 0, time.UTC), Retire: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), Purposes: []string{"sign"},
		}},
	}, p.Certificates); diff != "" {
		t.Errorf("certificates (-want +got):\n%s", diff)
	}
	if p.CertificateExchange != "accept" {
		t.Errorf("certificate_exchange is %q", p.CertificateExchange)
	}
	ring, err := c.Keyring()
	if err != nil {
		t.Fatal(err)
	}
	if len(ring.Own) != 2 || len(ring.Partners["supplier"]) != 2 {
		t.Fatalf("%d own certificates, %d of the partner", len(ring.Own), len(ring.Partners["supplier"]))
	}
	for _, e := range ring.Own {
		if ring.Key(e.Certificate) == nil {
			t.Errorf("no key for %s", e.Source)
		}
	}
	second := ring.Partners["supplier"][1]
	if !second.Serves(certs.Sign) || second.Serves(certs.Encrypt) || !second.End().Equal(time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("entry %+v", second)
	}
	public, err := c.Certificates()
	if err != nil || len(public.Own) != 2 || public.Key(public.Own[0].Certificate) != nil {
		t.Errorf("certificates alone: %v, with a private key or not all there", err)
	}
	want := []string{"keys/station.crt", "keys/station.key", "keys/other.crt", "keys/other.key", "keys/supplier.crt"}
	for i := range want {
		want[i] = abs(want[i])
	}
	if diff := cmp.Diff(want, c.KeyFiles()); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestCertificateFaults(t *testing.T) {
	t.Parallel()
	list := func(s string) string { return "    certificates: [" + s + "]\n" }
	for _, c := range []struct {
		name, keys, certificates string
		want                     string // of the first problem
	}{
		{"no file", "", list("{go_live: 2027-01-15}"), "16:21: partners[0].certificates[0].file: file is missing"},
		{"unknown key", "", list("{file: keys/supplier.crt, golive: 2027-01-15}"), `16:46: partners[0].certificates[0].golive: unknown key "golive"`},
		{"no date", "", list("{file: keys/supplier.crt, go_live: soon}"), `16:55: partners[0].certificates[0].go_live: "soon" is no date`},
		{"a time without a zone", "", list(`{file: keys/supplier.crt, go_live: "2027-01-15T06:00:00"}`), `16:55: partners[0].certificates[0].go_live: "2027-01-15T06:00:00" is no date`},
		{"unknown purpose", "", list("{file: keys/supplier.crt, purposes: [wrap]}"), `16:57: partners[0].certificates[0].purposes[0]: "wrap" is no purpose`},
		{"live before it is valid", "", list("{file: keys/supplier.crt, go_live: 2025-01-15}"), "16:55: partners[0].certificates[0].go_live: the certificate begins only on 2026-01-01"},
		{"live after its end", "", list("{file: keys/supplier.crt, go_live: 2035-01-15}"), "16:55: partners[0].certificates[0].go_live: the certificate ends on 2028-12-31"},
		{"the same twice", "", list("keys/supplier.crt, keys/supplier.crt"), "16:39: partners[0].certificates[1]: the same certificate is listed before"},
		{"a list in a list", "", list("[keys/supplier.crt]"), "16:20: partners[0].certificates[0]: a text is wanted here, not a list"},
		{"a pair without a key", "  keys: [{certificate: keys/other.crt}]\n", "", "8:11: station.keys[0].key: key is missing"},
		{"keys of two certificates", "  keys: [{certificate: keys/other.crt, key: keys/supplier.key}]\n", "", "8:45: station.keys[0].key: the key does not belong to the certificate"},
		{"our own twice", "  keys: [{certificate: keys/station.crt, key: keys/station.key}]\n", "", "8:24: station.keys[0].certificate: the same certificate is listed before"},
		{"keys that are no list", "  keys: keys/other.key\n", "", "8:9: station.keys: a list is wanted here, not a text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.certificates == "" {
				c.certificates = list("keys/supplier.crt")
			}
			_, err := Load(station(t, dated(t, c.keys, c.certificates)), Overrides{Env: env})
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v, want an *Error", err)
			}
			if got := problemLine(e.Problems[0]); !strings.HasPrefix(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestChainOfAPartner is about files that hold the issuer too. chain.pem was
// made with openssl 3.0: a root, a leaf, valid for a hundred years.
func TestChainOfAPartner(t *testing.T) {
	t.Parallel()
	file := station(t, good)
	leaf, err := os.ReadFile(filepath.Join("testdata", "chain.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "keys", "supplier.crt"), leaf, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file, Overrides{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := c.Keyring()
	if err != nil {
		t.Fatal(err)
	}
	if set := ring.Partners["supplier"]; len(set) != 1 || set[0].Certificate.Subject.CommonName != "leaf" {
		t.Errorf("%d certificates, want the leaf alone", len(set))
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	sealing, err := certs.NewSealingKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := certs.ParseSealingKey([]byte(sealing))
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := certs.NewSealer(key)
	if err != nil {
		t.Fatal(err)
	}
	other, err := certs.NewSealingKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, secrets string
		content       string // of keys/sealing.key
		environment   string // SEALING
		want          string // "" when all is well
	}{
		{"from a file", "secrets: {key_file: keys/sealing.key}\n", sealing, "", ""},
		{"from the environment", "secrets: {key_env: SEALING}\n", "", sealing, ""},
		{"nothing says with what", "", "", "", "7:8: station.key: DIR/keys/station.key is sealed, and nothing says with what"},
		{"another key", "secrets: {key_file: keys/sealing.key}\n", other, "", "7:8: station.key: DIR/keys/station.key cannot be opened"},
		{"no such file", "secrets: {key_file: keys/gone.key}\n", "", "", "35:21: secrets.key_file: DIR/keys/gone.key cannot be read"},
		{"no such variable", "secrets: {key_env: SEALING}\n", "", "", "35:20: secrets.key_env: the environment has no SEALING"},
		{"no key at all", "secrets: {key_env: SEALING}\n", "", "hunter2", "35:20: secrets.key_env: certs: sealing key: want 32 bytes"},
		{"both", "secrets: {key_env: SEALING, key_file: keys/sealing.key}\n", sealing, sealing, "35:20: secrets.key_env: the sealing key cannot come from a file and from the environment"},
		{"neither", "secrets: {}\n", "", "", "35:10: secrets: nothing says what the keys are sealed with"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := station(t, good+c.secrets)
			dir := filepath.Dir(file)
			pair := pairOf(t, dir, "station")
			sealed, err := certs.SealKey(pair.Key, sealer, nil)
			if err != nil {
				t.Fatal(err)
			}
			for name, data := range map[string]string{"station.key": string(sealed), "sealing.key": c.content + "\n"} {
				if err := os.WriteFile(filepath.Join(dir, "keys", name), []byte(data), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			loaded, err := Load(file, Overrides{Env: func(name string) (string, bool) {
				if name == "SEALING" {
					return c.environment, c.environment != ""
				}
				return env(name)
			}})
			var e *Error
			switch {
			case c.want == "" && err != nil:
				t.Fatal(err)
			case c.want == "":
				ring, err := loaded.Keyring()
				if err != nil || ring.Key(pair.Certificate) == nil {
					t.Errorf("the key was not opened: %v", err)
				}
			case !errors.As(err, &e):
				t.Fatalf("error %v, want an *Error", err)
			default:
				if got := strings.ReplaceAll(problemLine(e.Problems[0]), dir, "DIR"); !strings.HasPrefix(got, c.want) || len(e.Problems) != 1 {
					t.Errorf("%d problems, %q, want %q", len(e.Problems), got, c.want)
				}
				if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), sealing) {
					t.Error("the error shows the sealing key")
				}
			}
		})
	}
}

func pairOf(t *testing.T, dir, name string) *certs.Pair {
	t.Helper()
	read := func(file string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, "keys", file))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	p, err := certs.ParsePair(read(name+".crt"), read(name+".key"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCreateSealed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	sealing, err := certs.NewSealingKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "sealing.key")
	for name, s := range map[string]*Seal{
		"into the folder": {File: "keys/sealing.key"}, "elsewhere": {File: elsewhere}, "from the environment": {Env: "SEALING", Key: sealing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "station")
			c, err := Create(dir, New{Name: "buyer", AS2ID: "BUYER", Identifier: "ZZ:BUYER", AS2Address: "127.0.0.1:0", AdminAddress: "127.0.0.1:0", KeyType: certs.P256, Seal: s}, now, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(filepath.Join(dir, "keys", "station.key"))
			if err != nil || !certs.IsSealed(data) {
				t.Errorf("the key is not sealed: %v", err)
			}
			ring, err := c.Keyring()
			if err != nil || len(ring.Own) != 1 || ring.Key(ring.Own[0].Certificate) == nil {
				t.Errorf("the new station cannot open its key: %v", err)
			}
			if f := c.Secrets.KeyFile; f != "" {
				if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("sealing key %s: %v", f, err)
				}
			}
		})
	}
	if _, err := Create(t.TempDir(), New{Name: "buyer", AS2ID: "B", Identifier: "ZZ:B", AS2Address: "127.0.0.1:0", AdminAddress: "127.0.0.1:1", KeyType: certs.P256, Seal: &Seal{Env: "SEALING", Key: "short"}}, now, rand.Reader); err == nil || !strings.Contains(err.Error(), "SEALING") {
		t.Errorf("a bad sealing key: %v", err)
	}
}

func TestThresholds(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration][]int{
		60 * 24 * time.Hour: {60, 30, 14, 7, 1}, 45 * 24 * time.Hour: {45, 30, 14, 7, 1}, 24 * time.Hour: {1}, 0: nil, time.Hour: nil,
	} {
		if diff := cmp.Diff(want, Monitor{Certificate: d}.Thresholds()); diff != "" {
			t.Errorf("%v (-want +got):\n%s", d, diff)
		}
	}
}
