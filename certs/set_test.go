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

// TestForReading is about our own keys: what was encrypted to an old one must
// stay readable as long as it is not retired.
func TestForReading(t *testing.T) {
	t.Parallel()
	set := Set{
		{Certificate: cert("ended", 0, 100)},
		{Certificate: cert("live", 50, 400)},
		{Certificate: cert("next", 90, 800), GoLive: at(300)},
		{Certificate: cert("retired", 0, 400), Retire: at(110)},
		{Certificate: cert("signs", 0, 400), Purposes: []Purpose{Sign}},
	}
	got := ""
	for _, e := range set.ForReading(Encrypt, at(120)) {
		got += string(e.Certificate.Raw) + " "
	}
	if got != "live next ended " {
		t.Errorf("at 120: %s", got)
	}
	over := Set{{Certificate: cert("first", 0, 10)}, {Certificate: cert("last", 5, 20)}}
	if list := over.ForReading(Sign, at(30)); len(list) != 2 || string(list[0].Certificate.Raw) != "last" {
		t.Errorf("all are over: %v", list)
	}
}

func TestStandingAndSwitches(t *testing.T) {
	t.Parallel()
	old, next := Entry{Certificate: cert("old", 0, 365)}, Entry{Certificate: cert("next", 300, 700), GoLive: at(340)}
	set := Set{old, next}
	for _, c := range []struct {
		day  int
		old  Standing
		next Standing
	}{{0, Live, Next}, {339, Live, Next}, {340, Old, Live}, {365, Ended, Live}, {700, Ended, Ended}} {
		if o, n := set.Standing(old, at(c.day)), set.Standing(next, at(c.day)); o != c.old || n != c.next {
			t.Errorf("day %d: old is %s, next is %s; want %s and %s", c.day, o, n, c.old, c.next)
		}
	}
	sw := set.Switches(at(1), at(1000))
	if len(sw) != 2 || !sw[0].At.Equal(at(340)) || string(sw[0].To.Certificate.Raw) != "next" || sw[0].Purpose != Sign || sw[1].Purpose != Encrypt {
		t.Errorf("switches: %+v", sw)
	}
	if sw := set.Switches(at(340), at(1000)); len(sw) != 0 {
		t.Errorf("a switch came twice: %+v", sw)
	}
	// When the newer one ends first, sending goes back to the older.
	back := Set{{Certificate: cert("long", 0, 365)}, {Certificate: cert("short", 10, 20)}}
	sw = back.Switches(at(0), at(365))
	if len(sw) != 4 || string(sw[0].To.Certificate.Raw) != "short" || string(sw[2].To.Certificate.Raw) != "long" || !sw[2].At.Equal(at(20)) {
		t.Errorf("there and back: %+v", sw)
	}
}
