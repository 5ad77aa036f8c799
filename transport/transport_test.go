package transport_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tradepost/transport"
)

func TestKeyCannotBeForged(t *testing.T) {
	t.Parallel()
	cases := []struct {
		parts []string
		want  string
	}{
		{[]string{"as2", "ALICE", "<1@alice>"}, "as2:ALICE:<1@alice>"},
		{[]string{"as2", "A:B", "C"}, "as2:A%3AB:C"},
		{[]string{"as2", "A", "B:C"}, "as2:A:B%3AC"},
		{[]string{"as2", "A%3AB", "C"}, "as2:A%253AB:C"},
		{[]string{"as2", "A B\r\n", "\xff"}, "as2:A%20B%0D%0A:%FF"},
		{[]string{"as2", "", ""}, "as2::"},
		{[]string{"as2", strings.Repeat("a", 301), "1"}, "as2:%sha256=eb22b48c636cd5d31633b58f5fcaf24e8b3750c5b6f1cf07e3061466afe6af90:1"},
		{[]string{"as2", "%sha256=00", "1"}, "as2:%25sha256=00:1"},
	}
	for _, c := range cases {
		if got := transport.Key(c.parts...); got != c.want {
			t.Errorf("Key(%q) = %q, want %q", c.parts, got, c.want)
		}
	}
}

func FuzzKey(f *testing.F) {
	f.Add("A:B", "C", "A", "B:C")
	f.Add("A%3A", "", "A:", "")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		one, two := transport.Key("as2", a, b), transport.Key("as2", c, d)
		if (one == two) != (a == c && b == d) {
			t.Fatalf("Key(%q,%q) = %q and Key(%q,%q) = %q", a, b, one, c, d, two)
		}
		if strings.Count(one, ":") != 2 {
			t.Fatalf("Key(%q,%q) = %q", a, b, one)
		}
	})
}

type settings struct {
	URL     string             `json:"url"`
	Timeout transport.Duration `json:"timeout"`
	Retry   *retry             `json:"retry"`
	TLS     struct {
		CA string `json:"ca"`
	} `json:"tls"`
	Include []string `json:"include"`
}

type retry struct {
	Delay transport.Duration `json:"delay"`
	Max   int                `json:"max"`
}

func TestDecodeSettings(t *testing.T) {
	t.Parallel()
	var s settings
	err := transport.DecodeSettings(transport.Connection{Name: "bob", Settings: json.RawMessage(
		`{"url":"http://x","timeout":"90s","retry":{"delay":"5m","max":3},"tls":{"ca":"ca.pem"},"include":["*.edi"]}`)}, &s)
	if err != nil {
		t.Fatal(err)
	}
	if s.URL != "http://x" || time.Duration(s.Timeout) != 90*time.Second || time.Duration(s.Retry.Delay) != 5*time.Minute ||
		s.Retry.Max != 3 || s.TLS.CA != "ca.pem" || len(s.Include) != 1 {
		t.Errorf("%+v", s)
	}
	cases := []struct{ in, path, msg string }{
		{`{"ulr":"x"}`, "ulr", "unknown setting"},
		{`{"URL":"x"}`, "URL", "unknown setting"},
		{`{"retry":{"dealy":"5m"}}`, "retry.dealy", "unknown setting: known are delay, max"},
		{`{"retry":{"delay":"5 minutes"}}`, "retry.delay", "no duration"},
		{`{"retry":{"max":"3"}}`, "retry.max", "want int"},
		{`{"tls":[]}`, "tls", "want an object"},
		{`{"timeout":30}`, "timeout", "in quotes"},
		{`[]`, "settings", "want an object"},
		{`null`, "settings", "want an object"},
		{`{"url":"x"} {}`, "settings", "want an object"},
	}
	for _, c := range cases {
		var got settings
		err := transport.DecodeSettings(transport.Connection{Name: "bob", Settings: json.RawMessage(c.in)}, &got)
		var se *transport.SettingsError
		if !errors.As(err, &se) || se.Connection != "bob" || se.Path != c.path || !strings.Contains(se.Msg, c.msg) {
			t.Errorf("%s: %v, want path %q and %q", c.in, err, c.path, c.msg)
		}
	}
	if err := transport.DecodeSettings(transport.Connection{}, &s); err != nil {
		t.Errorf("no settings: %v", err)
	}
}

func TestRetryAfterAndPermanentAreSeenThroughWrapping(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("send: %w", &transport.AttemptError{Err: errors.New("busy"), RetryAfter: time.Minute})
	if transport.RetryAfter(err) != time.Minute || transport.RetryAfter(errors.New("x")) != 0 {
		t.Errorf("RetryAfter(%v) = %v", err, transport.RetryAfter(err))
	}
	if transport.IsPermanent(err) || !transport.IsPermanent(fmt.Errorf("x: %w", transport.Permanent(err))) {
		t.Error("IsPermanent does not see what Permanent marked")
	}
}
