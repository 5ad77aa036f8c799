package certs

import (
	"crypto/x509"
	"errors"
	"testing"
	"time"
)

// cert is a certificate with a name and a validity in days after day0.
func cert(name string, from, to int) *x509.Certificate {
	return &x509.Certificate{Raw: []byte(name), NotBefore: at(from), NotAfter: at(to)}
}

func at(days int) time.Time { return day0.AddDate(0, 0, days) }

// TestRollover replaces a certificate without an appointment: both are
// accepted while they overlap, and sending changes on the date.
func TestRollover(t *testing.T) {
	t.Parallel()
	old, next := cert("old", 0, 365), cert("next", 300, 700)
	set := Set{{Certificate: next, GoLive: at(340)}, {Certificate: old}}
	for _, c := range []struct {
		day     int
		sending string
		accept  string
	}{
		{-1, "", ""},
		{0, "old", "old"},
		{299, "old", "old"},
		{300, "old", "next,old"},
		{339, "old", "next,old"},
		{340, "next", "next,old"},
		{364, "next", "next,old"},
		{365, "next", "next"},
		{699, "next", "next"},
		{700, "", ""},
	} {
		for _, p := range []Purpose{Sign, Encrypt} {
			e, err := set.ForSending(p, at(c.day))
			got := ""
			if err == nil {
				got = string(e.Certificate.Raw)
			} else if !errors.Is(err, ErrNoneValid) {
				t.Fatal(err)
			}
			if got != c.sending {
				t.Errorf("day %d: %s sends with %q, want %q", c.day, p, got, c.sending)
			}
			accept := ""
			for _, e := range set.ForVerifying(p, at(c.day)) {
				if accept != "" {
					accept += ","
				}
				accept += string(e.Certificate.Raw)
			}
			if accept != c.accept {
				t.Errorf("day %d: %s accepts %q, want %q", c.day, p, accept, c.accept)
			}
		}
		if _, err := set.ForSending(TLS, at(c.day)); !errors.Is(err, ErrNoneValid) {
			t.Errorf("day %d: an AS2 certificate serves TLS", c.day)
		}
	}
}

func TestRetire(t *testing.T) {
	t.Parallel()
	set := Set{{Certificate: cert("lost", 0, 365), Retire: at(10)}}
	if len(set.ForVerifying(Sign, at(9))) != 1 || len(set.ForVerifying(Sign, at(10))) != 0 {
		t.Error("a retired certificate is accepted")
	}
	if _, err := set.ForSending(Sign, at(10)); !errors.Is(err, ErrNoneValid) {
		t.Errorf("a retired certificate is sent with: %v", err)
	}
}

func TestPurposes(t *testing.T) {
	t.Parallel()
	set := Set{
		{Certificate: cert("sign", 0, 100), Purposes: []Purpose{Sign}},
		{Certificate: cert("encrypt", 0, 100), Purposes: []Purpose{Encrypt}},
		{Certificate: cert("tls", 0, 100), Purposes: []Purpose{TLS}},
	}
	for _, p := range []Purpose{Sign, Encrypt, TLS} {
		e, err := set.ForSending(p, at(1))
		if err != nil || string(e.Certificate.Raw) != string(p) {
			t.Errorf("%s: %s, %v", p, e.Certificate.Raw, err)
		}
	}
}

func TestExpiring(t *testing.T) {
	t.Parallel()
	set := Set{
		{Certificate: cert("ended", -100, 0)},
		{Certificate: cert("covered", 0, 20)},
		{Certificate: cert("next", 10, 400)},
		{Certificate: cert("tls", 0, 5), Purposes: []Purpose{TLS}},
	}
	got := set.Expiring(at(15))
	type w struct {
		name    string
		days    int
		covered bool
	}
	want := []w{{"ended", 0, true}, {"tls", 0, false}, {"covered", 7, true}}
	if len(got) != len(want) {
		t.Fatalf("%d warnings, want %d: %+v", len(got), len(want), got)
	}
	for i, g := range got {
		if (w{string(g.Entry.Certificate.Raw), g.Days, g.Covered}) != want[i] {
			t.Errorf("warning %d is %s, %d days, covered %v; want %+v", i, g.Entry.Certificate.Raw, g.Days, g.Covered, want[i])
		}
	}
	if n := len(set.Expiring(at(15), 1)); n != 2 {
		t.Errorf("threshold of a day: %d warnings", n)
	}
	for days, want := range map[int]int{61: -1, 60: 60, 31: 60, 30: 30, 15: 30, 14: 14, 8: 14, 7: 7, 2: 7, 1: 1, 0: 0, -5: 0} {
		one := Set{{Certificate: cert("c", -1000, 100)}}
		got := one.Expiring(at(100 - days))
		if want < 0 {
			if len(got) != 0 {
				t.Errorf("%d days left: warned", days)
			}
			continue
		}
		if len(got) != 1 || got[0].Days != want {
			t.Errorf("%d days left: %+v, want threshold %d", days, got, want)
		}
	}
}
