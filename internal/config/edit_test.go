package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tradepost/partners"

	"github.com/google/go-cmp/cmp"
)

// change is a text with one line more in it.
type change struct{ name, before, after string }

func january(c *Config) partners.Use {
	_ = c
	return partners.Use{GoLive: time.Date(2027, 1, 15, 0, 0, 0, 0, time.UTC)}
}

// TestAddKey adds a pair to a station however its section is laid out.
func TestAddKey(t *testing.T) {
	t.Parallel()
	const added = "{certificate: keys/next.crt, key: keys/next.key, go_live: 2027-01-15}"
	for _, c := range []change{
		{"below the key", "  key: keys/station.key\n", "  key: keys/station.key\n  keys:\n    - " + added + "\n"},
		{
			"behind others, comments kept",
			"  key: keys/station.key # secret\n  keys:\n  # the next one\n  - certificate: keys/other.crt\n    key: keys/other.key # too\n\n  # that is all\n",
			"  key: keys/station.key # secret\n  keys:\n  # the next one\n  - certificate: keys/other.crt\n    key: keys/other.key # too\n  - " + added + "\n\n  # that is all\n",
		},
		{
			"in brackets", "  key: keys/station.key\n  keys: [{certificate: keys/other.crt, key: keys/other.key}] # é\n",
			"  key: keys/station.key\n  keys: [{certificate: keys/other.crt, key: keys/other.key}, " + added + "] # é\n",
		},
		{"in empty brackets", "  key: keys/station.key\n  keys: []\n", "  key: keys/station.key\n  keys: [" + added + "]\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(good, "  key: keys/station.key\n", c.before, 1)
			cfg, err := Load(station(t, text), Overrides{Env: env})
			if err != nil {
				t.Fatal(err)
			}
			got, err := cfg.AddKey(partners.KeyFile{Certificate: filepath.Join(cfg.Dir, "keys/next.crt"), Key: filepath.Join(cfg.Dir, "keys/next.key"), Use: january(cfg)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Replace(good, "  key: keys/station.key\n", c.after, 1), string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestAddCertificate adds a certificate to a partner however it is laid out.
func TestAddCertificate(t *testing.T) {
	t.Parallel()
	const old, added = "    certificates: [keys/supplier.crt]\n", "{file: keys/next.crt, go_live: 2027-01-15}"
	for _, c := range []change{
		{"in brackets", old, "    certificates: [keys/supplier.crt, " + added + "]\n"},
		{"a single text", "    certificates: \"keys/supplier.crt\" # theirs\n", "    certificates: [\"keys/supplier.crt\", " + added + "] # theirs\n"},
		{"a list", "    certificates:\n      - keys/supplier.crt\n", "    certificates:\n      - keys/supplier.crt\n      - " + added + "\n"},
		{
			"a list of sections", "    certificates:\n    - file: keys/supplier.crt\n      purposes: [sign,\n        encrypt]\n",
			"    certificates:\n    - file: keys/supplier.crt\n      purposes: [sign,\n        encrypt]\n    - " + added + "\n",
		},
		{
			"in brackets over lines", "    certificates: [\n      keys/supplier.crt\n    ]\n",
			"    certificates: [\n      keys/supplier.crt\n    , " + added + "]\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg, err := Load(station(t, strings.Replace(good, old, c.before, 1)), Overrides{Env: env})
			if err != nil {
				t.Fatal(err)
			}
			got, err := cfg.AddCertificate("supplier", partners.CertificateFile{File: filepath.Join(cfg.Dir, "keys/next.crt"), Use: january(cfg)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Replace(good, old, c.after, 1), string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestAddToSectionsOnOneLine is how programs write configurations.
func TestAddToSectionsOnOneLine(t *testing.T) {
	t.Parallel()
	text := `station: {name: buyer, as2_id: BUYER, identifiers: ["ZZ:BUYER"], certificate: keys/station.crt, key: keys/station.key}
partners:
  - {name: supplier, identifiers: ["ZZ:S"]}
  - {name: carrier, identifiers: ["ZZ:C"], certificates: keys/other.crt}`
	cfg, err := Load(station(t, text), Overrides{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	for partner, want := range map[string]string{
		"supplier": `{name: supplier, identifiers: ["ZZ:S"], certificates: [{file: "keys/the next.crt", go_live: 2027-01-15T06:30:00Z, retire: 2028-01-15, purposes: [encrypt]}]}`,
		"carrier":  `certificates: [keys/other.crt, {file: "keys/the next.crt", go_live: 2027-01-15T06:30:00Z, retire: 2028-01-15, purposes: [encrypt]}]}`,
	} {
		got, err := cfg.AddCertificate(partner, partners.CertificateFile{File: filepath.Join(cfg.Dir, "keys/the next.crt"), Use: partners.Use{
			GoLive: time.Date(2027, 1, 15, 6, 30, 0, 0, time.UTC), Retire: time.Date(2028, 1, 15, 0, 0, 0, 0, time.UTC), Purposes: []string{"encrypt"},
		}})
		if err != nil || !strings.Contains(string(got), want) {
			t.Errorf("%v:\n%s", err, got)
		}
	}
	got, err := cfg.AddKey(partners.KeyFile{Certificate: "/etc/keys/n.crt", Key: "/etc/keys/n.key"})
	if err != nil || !strings.Contains(string(got), "key: keys/station.key, keys: [{certificate: /etc/keys/n.crt, key: /etc/keys/n.key}]}\n") {
		t.Errorf("%v:\n%s", err, got)
	}
	var missing *partners.NotFoundError
	if _, err := cfg.AddCertificate("nobody", partners.CertificateFile{}); !errors.As(err, &missing) {
		t.Errorf("a partner that is not there: %v", err)
	}
}

// TestEditThatWouldMeanSomethingElse asks for what the text cannot carry.
func TestEditThatWouldMeanSomethingElse(t *testing.T) {
	t.Parallel()
	cfg, err := Load(station(t, good), Overrides{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	var edit *EditError
	_, err = cfg.AddKey(partners.KeyFile{Certificate: "/a.crt", Key: "/a.key", Use: partners.Use{GoLive: time.Date(2027, 1, 1, 0, 0, 0, 1, time.UTC)}})
	if !errors.As(err, &edit) || !strings.Contains(err.Error(), "- {certificate: /a.crt, key: /a.key") {
		t.Errorf("a nanosecond was lost in silence: %v", err)
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	file := station(t, good)
	if err := os.Chmod(file, 0o640); err != nil { //nolint:gosec // the mode is what is tested
		t.Fatal(err)
	}
	cfg, err := Load(file, Overrides{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.Write([]byte("changed")); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	info, statErr := os.Stat(file)
	if err != nil || statErr != nil || string(got) != "changed" || info.Mode().Perm() != 0o640 {
		t.Errorf("%q, mode %v, %v, %v", got, info.Mode(), err, statErr)
	}
	if err := cfg.Write([]byte("again")); err == nil || !strings.Contains(err.Error(), "changed by somebody else") {
		t.Errorf("somebody's change was overwritten: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(file), ".tradepost-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
