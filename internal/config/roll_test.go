package config

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tradepost/certs"
	"tradepost/partners"
)

// created is a station whose certificate is of 2026-01-01, for three years.
func created(t *testing.T, seal *Seal) *Config {
	t.Helper()
	c, err := Create(filepath.Join(t.TempDir(), "station"), New{
		Name: "buyer", AS2ID: "BUYER", Identifier: "ZZ:BUYER", AS2Address: "127.0.0.1:0", AdminAddress: "127.0.0.1:0", KeyType: certs.RSA2048, Seal: seal,
	}, time.Date(2026, 1, 1, 1, 0, 0, 0, time.UTC), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func reload(t *testing.T, c *Config) *Config {
	t.Helper()
	again, err := Load(c.File, Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestRoll(t *testing.T) {
	t.Parallel()
	date := func(s string) time.Time {
		d, err := ParseMoment(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		name, now string
		r         RollRequest
		live      string // of the new one
		file      string
	}{
		{"a month ahead", "2026-06-10T15:00:00Z", RollRequest{}, "2026-07-10", "station-2026-07-10.crt"},
		{"a week before the end", "2028-12-10T15:00:00Z", RollRequest{}, "2028-12-24", "station-2028-12-24.crt"},
		{"at once, when there is no time left", "2028-12-30T15:00:00Z", RollRequest{}, "2028-12-30T14:00:00Z", "station-2028-12-30.crt"},
		{"at once, when it is over", "2029-03-01T15:00:00Z", RollRequest{}, "2029-03-01T14:00:00Z", "station-2029-03-01.crt"},
		{"when it is said", "2026-06-10T15:00:00Z", RollRequest{GoLive: date("2026-09-01")}, "2026-09-01", "station-2026-09-01.crt"},
		{"at once, when it is said", "2026-06-10T15:00:00Z", RollRequest{Now: true}, "2026-06-10T14:00:00Z", "station-2026-06-10.crt"},
		{"a date that is past", "2026-06-10T15:00:00Z", RollRequest{GoLive: date("2026-06-01")}, "2026-06-10T14:00:00Z", "station-2026-06-10.crt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg, now := created(t, nil), date(c.now)
			a, err := cfg.Roll(c.r, now, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			if !a.GoLive.Equal(date(c.live)) || filepath.Base(a.File) != c.file {
				t.Errorf("goes live on %s in %s, want %s in %s", a.GoLive, a.File, c.live, c.file)
			}
			if a.Replaces == nil || a.Certificate.Subject.String() != "CN=BUYER" || certs.KeyName(a.Certificate.PublicKey) != "rsa-2048" {
				t.Errorf("the new certificate is %v, %s; replaces %v", a.Certificate.Subject, certs.KeyName(a.Certificate.PublicKey), a.Replaces)
			}
			ring, err := reload(t, cfg).Keyring()
			if err != nil || len(ring.Own) != 2 {
				t.Fatalf("%d pairs, %v", len(ring.Own), err)
			}
			if e, err := ring.Own.ForSending(certs.Sign, date(c.live)); err != nil || !e.Certificate.Equal(a.Certificate) || ring.Key(e.Certificate) == nil {
				t.Errorf("on its day it is not what we sign with: %v", err)
			}
			if info, err := os.Stat(a.Key); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("key file: %v", err)
			}
		})
	}
}

func TestRollTwiceAndSealed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 10, 15, 0, 0, 0, time.UTC)
	cfg := created(t, &Seal{File: "keys/sealing.key"})
	first, err := cfg.Roll(RollRequest{}, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	second, err := reload(t, cfg).Roll(RollRequest{Type: certs.P256, Validity: 400 * 24 * time.Hour}, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if !second.GoLive.Equal(first.GoLive.AddDate(0, 0, 1)) {
		t.Errorf("the second goes live on %s, the first on %s", second.GoLive, first.GoLive)
	}
	for _, a := range []*Added{first, second} {
		data, err := os.ReadFile(a.Key)
		if err != nil || !certs.IsSealed(data) {
			t.Errorf("%s is not sealed: %v", a.Key, err)
		}
	}
	if certs.KeyName(second.Certificate.PublicKey) != "p-256" || second.Certificate.NotAfter.Sub(now) > 400*24*time.Hour {
		t.Errorf("the second is %s until %s", certs.KeyName(second.Certificate.PublicKey), second.Certificate.NotAfter)
	}
	if _, err := reload(t, cfg).Roll(RollRequest{GoLive: now.AddDate(9, 0, 0)}, now, rand.Reader); err == nil || !strings.Contains(err.Error(), "before it goes live") {
		t.Errorf("a certificate that ends before it goes live: %v", err)
	}
}

// TestRollLeavesNothingBehind fails at the last step.
func TestRollLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	cfg := created(t, nil)
	if err := os.WriteFile(cfg.File, []byte("changed\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := cfg.Roll(RollRequest{}, time.Date(2026, 6, 10, 0, 0, 0, 0, time.UTC), rand.Reader); err == nil || !strings.Contains(err.Error(), "somebody else") {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(cfg.Dir, "keys", "station-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestImport(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 10, 15, 0, 0, 0, time.UTC)
	pair := func(name string, from time.Time) *certs.Pair {
		p, err := certs.Generate(certs.Request{CommonName: name, Type: certs.P256, NotBefore: from}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	january := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	cfg, err := Load(station(t, good), Overrides{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	again := func() *Config {
		c, err := Load(cfg.File, Overrides{Env: env})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	next := pair("SUPPLIER NEXT", january)
	a, err := cfg.Import(Import{Partner: "supplier", Certificates: []*x509.Certificate{next.Certificate}, Use: partners.Use{GoLive: now.AddDate(0, 1, 0)}}, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if a.Replaces == nil || a.Replaces.Certificate.Subject.CommonName != "supplier" || !strings.HasPrefix(filepath.Base(a.File), "supplier-") || a.Key != "" {
		t.Errorf("added %+v", a)
	}
	ring, err := again().Keyring()
	if err != nil || len(ring.Partners["supplier"]) != 2 {
		t.Fatalf("%v, %d certificates", err, len(ring.Partners["supplier"]))
	}

	own := pair("OWN NEXT", january)
	if a, err = again().Import(Import{Pair: own}, now, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if ring, err = again().Keyring(); err != nil || ring.Key(own.Certificate) == nil || a.Key == "" {
		t.Errorf("our own pair: %v", err)
	}

	issued := pair("ISSUED", january) // as it comes back from an authority, for a key that is there
	keyFile := filepath.Join(cfg.Dir, "keys", "requested.key")
	if err := certs.WriteKeyFile(keyFile, issued, nil, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if a, err = again().Import(Import{Certificates: []*x509.Certificate{issued.Certificate}, KeyFile: keyFile}, now, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if ring, err = again().Keyring(); err != nil || ring.Key(issued.Certificate) == nil || a.Key != "" {
		t.Errorf("an issued certificate: %v", err)
	}

	var before *ImportedBeforeError
	var missing *partners.NotFoundError
	var wrong *Error
	over := pair("OVER", january.AddDate(-5, 0, 0))
	for name, c := range map[string]struct {
		i     Import
		check func(error) bool
	}{
		"twice":            {Import{Partner: "supplier", Certificates: []*x509.Certificate{next.Certificate}}, func(err error) bool { return errors.As(err, &before) }},
		"nobody's":         {Import{Partner: "nobody", Certificates: []*x509.Certificate{next.Certificate}}, func(err error) bool { return errors.As(err, &missing) }},
		"one that is over": {Import{Partner: "supplier", Certificates: []*x509.Certificate{over.Certificate}}, func(err error) bool { return strings.Contains(err.Error(), "ended on") }},
		"two":              {Import{Partner: "supplier", Certificates: []*x509.Certificate{own.Certificate, issued.Certificate}}, func(err error) bool { return strings.Contains(err.Error(), "holds 2 certificates") }},
		"another's key": {Import{Certificates: []*x509.Certificate{pair("X", january).Certificate}, KeyFile: keyFile}, func(err error) bool {
			return errors.As(err, &wrong) && strings.Contains(err.Error(), "does not belong")
		}},
	} {
		text, err := os.ReadFile(cfg.File)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again().Import(c.i, now, rand.Reader); err == nil || !c.check(err) {
			t.Errorf("%s: %v", name, err)
		}
		if now, err := os.ReadFile(cfg.File); err != nil || string(now) != string(text) {
			t.Errorf("%s: the configuration was changed", name)
		}
	}
	if files, err := filepath.Glob(filepath.Join(cfg.Dir, "keys", "*-*")); err != nil || len(files) != 4 {
		t.Errorf("files %v, want 4: %v", files, err)
	}
}
