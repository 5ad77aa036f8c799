package as2

import (
	"fmt"
	"net/url"
	"testing"
	"time"
)

func TestSource(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"192.0.2.7:4711":               "192.0.2.7",
		"[::ffff:192.0.2.7]:4711":      "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:4711":  "2001:db8:1:2::/64",
		"[2001:db8:1:2:9::1]:1":        "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1":             "fe80::/64",
		"pipe":                         "pipe",
		"":                             "",
		"192.0.2.7":                    "192.0.2.7",
		"not an address at all:really": "not an address at all",
	} {
		if got := source(in); got != want {
			t.Errorf("source(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestLimiterForgetsTheQuietest(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	l := newLimiter(2, 3, func() time.Time { return now })
	for range 2 {
		l.refused("a")
	}
	if l.wait("a") != 30*time.Second || l.wait("b") != 0 {
		t.Errorf("a waits %v, b %v", l.wait("a"), l.wait("b"))
	}
	for i := range 1000 {
		l.refused(fmt.Sprint(i))
		if i%2 == 0 {
			l.refused("a") // stays in memory, as it is never quiet
		}
	}
	if len(l.buckets) != 3 || l.recent.Len() != 3 {
		t.Errorf("remembers %d and %d", len(l.buckets), l.recent.Len())
	}
	if l.wait("a") == 0 {
		t.Error("a was forgotten")
	}
	now = now.Add(time.Hour)
	if l.wait("a") != 0 {
		t.Errorf("a waits %v after an hour", l.wait("a"))
	}
	now = now.Add(-2 * time.Hour) // the clock was set back
	l.refused("a")
	if l.wait("a") != 0 {
		t.Errorf("a waits %v after one refusal", l.wait("a"))
	}
}

func TestWireBeyondMemory(t *testing.T) {
	t.Parallel()
	w := &wire{dir: t.TempDir()}
	piece := make([]byte, 300_000)
	for i := range 5 {
		for j := range piece {
			piece[j] = byte(i)
		}
		if _, err := w.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	if w.file == nil || w.Size() != 1_500_000 {
		t.Fatalf("file %v, size %d", w.file, w.Size())
	}
	for range 2 {
		r, err := w.Open()
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 1_500_000)
		for n := 0; n < len(got); {
			k, err := r.Read(got[n:])
			if err != nil {
				t.Fatal(err)
			}
			n += k
		}
		for i, c := range got {
			if c != byte(i/300_000) {
				t.Fatalf("byte %d is %d", i, c)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	if got := text("a\x00b\xff"); got != "a\uFFFDb\uFFFD" {
		t.Errorf("%q", got)
	}
	long := ""
	for range 600 {
		long += "ж"
	}
	if got := clip(long); len(got) != 998 {
		t.Errorf("clipped to %d bytes", len(got))
	}
}

// TestReceiptHosts: a name that the operator wrote down may still not lead to
// a private address, unless that was written down, too.
func TestReceiptHosts(t *testing.T) {
	t.Parallel()
	h := newReceiptHosts(Settings{
		URL:          "https://alice.example/as2",
		ReceiptHosts: []string{"mdn.alice.example", "Async.Alice.example:10081", "10.0.0.7", "[::1]:8080"},
	})
	inside := newReceiptHosts(Settings{URL: "https://alice.example/as2", ReceiptHosts: []string{"mdn.alice.example"}, PrivateNetwork: true})
	for _, c := range []struct {
		hosts       receiptHosts
		url         string
		ok, private bool
	}{
		{h, "https://alice.example/as2", true, true},
		{h, "https://alice.example/other", true, false},
		{h, "https://ALICE.example:443/other", true, false},
		{h, "http://alice.example/as2", false, false},
		{h, "https://alice.example:8443/as2", false, false},
		{h, "https://mdn.alice.example:1234/x", true, false},
		{h, "http://async.alice.example:10081/x", true, false},
		{h, "http://async.alice.example:10082/x", false, false},
		{h, "http://10.0.0.7/x", true, true},
		{h, "http://[::1]:8080/x", true, true},
		{h, "http://[::1]/x", false, false},
		{h, "http://evil.example/alice.example", false, false},
		{h, "http://alice.example.evil.example/", false, false},
		{inside, "https://mdn.alice.example/", true, true},
	} {
		u, err := url.Parse(c.url)
		if err != nil {
			t.Fatal(err)
		}
		if ok, private := c.hosts.allowed(u); ok != c.ok || private != c.private {
			t.Errorf("%s: allowed %v, private %v; want %v, %v", c.url, ok, private, c.ok, c.private)
		}
	}
}
