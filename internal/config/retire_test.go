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

// TestRetire ends the use of a certificate however it is laid out.
func TestRetire(t *testing.T) {
	t.Parallel()
	const theirs, ours = "    certificates: [keys/supplier.crt]\n", "  key: keys/station.key\n"
	at := time.Date(2026, 11, 21, 6, 30, 15, 999, time.FixedZone("", 3600))
	for _, c := range []struct{ name, partner, file, old, before, after string }{
		{"in brackets", "supplier", "supplier", theirs, theirs, "    certificates: [{file: keys/supplier.crt, retire: 2026-11-21T05:30:15Z}]\n"},
		{"in brackets, quoted", "supplier", "supplier", theirs, "    certificates: [\"keys/supplier.crt\", keys/other.crt] # é\n", "    certificates: [{file: \"keys/supplier.crt\", retire: 2026-11-21T05:30:15Z}, keys/other.crt] # é\n"},
		{"a single text", "supplier", "supplier", theirs, "    certificates: keys/supplier.crt # theirs\n", "    certificates: {file: keys/supplier.crt, retire: 2026-11-21T05:30:15Z} # theirs\n"},
		{"a list", "supplier", "other", theirs, "    certificates:\n      - keys/supplier.crt\n      - keys/other.crt # new\n", "    certificates:\n      - keys/supplier.crt\n      - {file: keys/other.crt, retire: 2026-11-21T05:30:15Z} # new\n"},
		{
			"a section on one line", "supplier", "supplier", theirs, "    certificates:\n      - {file: keys/supplier.crt, go_live: 2026-11-01}\n",
			"    certificates:\n      - {file: keys/supplier.crt, go_live: 2026-11-01, retire: 2026-11-21T05:30:15Z}\n",
		},
		{
			"a section over lines", "supplier", "supplier", theirs, "    certificates:\n      - file: keys/supplier.crt # the old one\n        purposes: [sign,\n          encrypt]\n",
			"    certificates:\n      - file: keys/supplier.crt # the old one\n        retire: 2026-11-21T05:30:15Z\n        purposes: [sign,\n          encrypt]\n",
		},
		{
			"sooner than planned", "supplier", "supplier", theirs, "    certificates: [{file: keys/supplier.crt, retire: \"2027-01-15\", purposes: [sign, encrypt]}]\n",
			"    certificates: [{file: keys/supplier.crt, retire: 2026-11-21T05:30:15Z, purposes: [sign, encrypt]}]\n",
		},
		{
			"before it goes live", "supplier", "other", theirs, "    certificates: [keys/supplier.crt, {file: keys/other.crt, go_live: 2027-01-15}]\n",
			"    certificates: [keys/supplier.crt, {file: keys/other.crt, go_live: 2027-01-15, retire: 2026-11-21T05:30:15Z}]\n",
		},
		{"our first pair", "", "station", ours, ours, ours + "  retire: 2026-11-21T05:30:15Z\n"},
		{
			"our next pair", "", "other", ours, ours + "  keys:\n  - certificate: keys/other.crt\n    key: keys/other.key\n",
			ours + "  keys:\n  - certificate: keys/other.crt\n    key: keys/other.key\n    retire: 2026-11-21T05:30:15Z\n",
		},
		{
			"our next pair, in brackets", "", "other", ours, ours + "  keys: [{certificate: keys/other.crt, key: keys/other.key}]\n",
			ours + "  keys: [{certificate: keys/other.crt, key: keys/other.key, retire: 2026-11-21T05:30:15Z}]\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(good, c.old, c.before, 1)
			cfg, err := Load(station(t, text), Overrides{Env: env})
			if err != nil {
				t.Fatal(err)
			}
			if err := cfg.Retire(c.partner, filepath.Join(cfg.Dir, "keys", c.file+".crt"), at); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(cfg.File)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Replace(good, c.old, c.after, 1), string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestRetireThatCannotBe asks for what is not there, or cannot be written.
func TestRetireThatCannotBe(t *testing.T) {
	t.Parallel()
	odd := strings.Replace(good, "[keys/supplier.crt]", "\n      - >-\n        keys/supplier.crt", 1)
	cfg, err := Load(station(t, odd), Overrides{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	var edit *EditError
	if err := cfg.Retire("supplier", filepath.Join(cfg.Dir, "keys/supplier.crt"), at); !errors.As(err, &edit) || !strings.Contains(err.Error(), "retire: 2026-11-21") {
		t.Errorf("a layout that is not understood: %v", err)
	}
	var missing *partners.NotFoundError
	if err := cfg.Retire("nobody", "x", at); !errors.As(err, &missing) {
		t.Errorf("nobody's: %v", err)
	}
	for partner, want := range map[string]string{"": "not among the keys", "supplier": "not among the certificates"} {
		if err := cfg.Retire(partner, filepath.Join(cfg.Dir, "keys/none.crt"), at); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", partner, err)
		}
	}
	if text, err := os.ReadFile(cfg.File); err != nil || string(text) != odd {
		t.Errorf("the configuration has changed, %v:\n%s", err, text)
	}
}
