package as2_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/certs"
	"tradepost/transport"
	connector "tradepost/transport/as2"
	"tradepost/transport/transporttest"
)

// TestDrummondListener posts what odd clients write, octet by octet.
func TestDrummondListener(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, connector.ListenConfig{})
	address := strings.TrimSuffix(strings.TrimPrefix(b.url, "http://"), "/as2")
	chunks := func(body, end string) string {
		return fmt.Sprintf("%X%s\r\n%s\r\n%x%s\r\n%s\r\n0\r\n\r\n", 100, end, body[:100], len(body)-100, end, body[100:])
	}
	for name, write := range map[string]func(head, body string) []string{
		"Content-Length": func(h, b string) []string {
			return []string{fmt.Sprintf("POST /as2 HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", h, len(b), b)}
		},
		"HTTP/1.0 closes": func(h, b string) []string {
			return []string{fmt.Sprintf("POST /as2 HTTP/1.0\r\n%sContent-Length: %d\r\n\r\n%s", h, len(b), b)}
		},
		"chunked": func(h, b string) []string {
			return []string{"POST /as2 HTTP/1.1\r\nHost: x\r\n" + h + "Transfer-Encoding: chunked\r\n\r\n" + chunks(b, "")}
		},
		"chunk size followed by spaces": func(h, b string) []string {
			return []string{"POST /as2 HTTP/1.1\r\nHost: x\r\n" + h + "Transfer-Encoding: chunked\r\n\r\n" + chunks(b, "  ")}
		},
		"chunk extensions": func(h, b string) []string {
			return []string{"POST /as2 HTTP/1.1\r\nHost: x\r\n" + h + "Transfer-Encoding: chunked\r\n\r\n" + chunks(b, `;name="value";x`)}
		},
		"Expect: 100-continue, body at once": func(h, b string) []string {
			return []string{fmt.Sprintf("POST /as2 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n%sContent-Length: %d\r\n\r\n%s", h, len(b), b)}
		},
		"split inside CRLFCRLF": func(h, b string) []string {
			return []string{fmt.Sprintf("POST /as2 HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r", h, len(b)), "\n" + b[:1], b[1:]}
		},
		"a query string nobody asked for": func(h, b string) []string {
			return []string{fmt.Sprintf("POST /as2?partner=alice&x=%s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", strings.Repeat("y", 200), h, len(b), b)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := build(t, strings.Map(func(c rune) rune {
				if c >= 'a' && c <= 'z' {
					return c
				}
				return -1
			}, name), usual, "ALICE", "BOB")
			var head bytes.Buffer
			must(t, r.header.Write(&head))
			conn, err := net.Dial("tcp", address)
			must(t, err)
			defer func() { must(t, conn.Close()) }()
			must(t, conn.SetDeadline(time.Now().Add(2*time.Minute)))
			for _, piece := range write(head.String(), string(r.body)) {
				_, err := io.WriteString(conn, piece)
				must(t, err)
			}
			answer := make([]byte, 64<<10)
			n := 0
			for !bytes.Contains(answer[:n], []byte("Disposition: ")) {
				k, err := conn.Read(answer[n:])
				if n += k; err != nil {
					break
				}
			}
			if !bytes.Contains(answer[:n], []byte(" 200 OK\r\n")) || !bytes.Contains(answer[:n], []byte("sent-automatically; processed\r\n")) {
				t.Errorf("%s", answer[:n])
			}
		})
	}
}

// posting is a Sink that posts the receipt it owes as soon as it has accepted,
// as a worker on another processor would.
type posting struct {
	*transporttest.Sink
	post func(*transport.Receipt)
	wait func()
}

func (p posting) Accept(ctx context.Context, a *transport.Arrival) (*transport.Acceptance, error) {
	acc, err := p.Sink.Accept(ctx, a)
	if err == nil {
		go p.post(acc.Receipt)
		p.wait()
	}
	return acc, err
}

// TestDrummondFirstExchangeIsClosedFirst: the receipt is not posted before the
// request that it is about has been answered, and that answer waits for nobody.
func TestDrummondFirstExchangeIsClosedFirst(t *testing.T) {
	t.Parallel()
	var posted atomic.Int32
	arrived := make(chan struct{}, 4)
	hang := make(chan struct{})
	theirs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		posted.Add(1)
		arrived <- struct{}{}
		<-hang // the partner's server never answers: that is not the first exchange's trouble
	}))
	t.Cleanup(theirs.Close)
	t.Cleanup(func() { close(hang) })

	terms := usual
	terms.Receipt = as2.AsyncReceipt
	e := endpoint(t, between("BOB", "ALICE", usual), nil)
	back := sender(t, e, "to-ALICE", theirs.URL, "")
	ctx, cancel := context.WithCancel(context.Background())
	var posts sync.WaitGroup
	t.Cleanup(posts.Wait)
	t.Cleanup(cancel)
	sink := posting{
		Sink: transporttest.NewSink(),
		post: func(r *transport.Receipt) {
			posts.Add(1)
			defer posts.Done()
			_ = back.SendReceipt(ctx, "our-ALICE", r) // ends with the test
		},
		wait: func() {
			before := posted.Load()
			time.Sleep(50 * time.Millisecond) // time enough to post too early
			if posted.Load() != before {
				t.Error("the receipt came before the answer")
			}
		},
	}
	url := serve(t, e, sink, connector.ListenConfig{})
	alice := endpoint(t, between("ALICE", "BOB", terms), func(c *connector.Config) { c.ReceiptURL = theirs.URL + "/receipts" })
	s := sender(t, alice, "to-BOB", url, "")
	p := stored(t, s, "D1")
	for range 2 { // the second is a duplicate, and gets the first receipt once more
		o, err := s.Send(context.Background(), "D1", p)
		if err != nil || !o.Pending || o.Evidence.HTTPStatus != http.StatusNoContent {
			t.Fatalf("%+v, %v", o, err)
		}
		<-arrived
	}
	if n := len(sink.Seen()); n != 2 {
		t.Errorf("%d arrivals", n)
	}
}

// TestDrummondLargePayloadDoesNotBlock: while one large transmission is being
// taken, others are answered.
func TestDrummondLargePayloadDoesNotBlock(t *testing.T) {
	t.Parallel()
	terms := usual
	terms.Receipt = as2.AsyncReceipt
	b := newBench(t, nil, connector.ListenConfig{})
	s := sender(t, endpoint(t, between("ALICE", "BOB", terms), func(c *connector.Config) { c.ReceiptURL = "http://alice.example/as2" }), "to-BOB", b.url, "")
	slow, quick := prepare(t, s, large("D1", 3<<20)), stored(t, s, "D2")
	entered, release := b.sink.Hold()
	done := make(chan error, 1)
	go func() {
		o, err := s.Send(context.Background(), "D1", slow)
		if err == nil && !o.Pending {
			err = fmt.Errorf("%+v", o)
		}
		done <- err
	}()
	<-entered
	others := make(chan error, 1)
	go func() {
		_, err := s.Send(context.Background(), "D2", quick)
		others <- err
	}()
	<-entered // it is not kept waiting behind the first
	if resp, err := http.Get(b.url); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%v", err)
	} else {
		must(t, resp.Body.Close())
	}
	release()
	must(t, <-done)
	must(t, <-others)
}

// TestFeaturesAndVersion: what we tell of ourselves, in transmissions and
// receipts alike (RFC 6017 section 3).
func TestFeaturesAndVersion(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, connector.ListenConfig{})
	r := build(t, "D1", usual, "ALICE", "BOB")
	resp, _ := b.post(r)
	for what, h := range map[string]http.Header{"transmission": r.header, "receipt": resp.Header} {
		if got := h.Get("EDIINT-Features"); got != "multiple-attachments, AS2-Reliability, AS2-Restart" {
			t.Errorf("%s: EDIINT-Features %q", what, got)
		}
		if got := h.Get("AS2-Version"); got != "1.3" {
			t.Errorf("%s: AS2-Version %q", what, got)
		}
		if got := h.Get("AS2-Product"); got != "tradepost" {
			t.Errorf("%s: AS2-Product %q", what, got)
		}
	}
}

// TestCertificateIsReplaced: a listener goes on with the certificate it is given
// at each handshake.
func TestCertificateIsReplaced(t *testing.T) {
	t.Parallel()
	var current atomic.Pointer[tls.Certificate]
	put := func(name string) {
		t.Helper()
		pair, err := certs.Generate(certs.Request{CommonName: name, Addresses: []string{"127.0.0.1"}, NotBefore: time.Now().Add(-time.Hour), Type: certs.P256}, nil)
		must(t, err)
		current.Store(&tls.Certificate{Certificate: [][]byte{pair.Certificate.Raw}, PrivateKey: pair.Key})
	}
	put("first")
	b := newBench(t, nil, connector.ListenConfig{TLS: &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return current.Load(), nil },
	}})
	for i, name := range []string{"first", "second"} {
		if i > 0 {
			put(name)
		}
		conn, err := tls.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(b.url, "https://"), "/as2"), &tls.Config{InsecureSkipVerify: true})
		must(t, err)
		must(t, conn.Handshake())
		if got := conn.ConnectionState().PeerCertificates[0].Subject.CommonName; got != name {
			t.Errorf("serves %q, want %q", got, name)
		}
		must(t, conn.Close())
	}
}

func TestBehindProxies(t *testing.T) {
	t.Parallel()
	source := connector.BehindProxies([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")})
	for _, c := range []struct {
		from      string
		forwarded []string
		want      string
	}{
		{"203.0.113.9:1234", nil, "203.0.113.9"},
		{"203.0.113.9:1234", []string{"198.51.100.1"}, "203.0.113.9"}, // past the proxy: it says what it likes
		{"10.0.0.1:1234", nil, "10.0.0.1"},
		{"10.0.0.1:1234", []string{"198.51.100.1"}, "198.51.100.1"},
		{"[::ffff:10.0.0.1]:1234", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:1234", []string{"192.0.2.7, 198.51.100.1"}, "198.51.100.1"}, // the client made up the first
		{"10.0.0.1:1234", []string{"192.0.2.7", "198.51.100.1, 10.9.9.9"}, "198.51.100.1"},
		{"[fd00::1]:1234", []string{"2001:db8:1:2:3::4"}, "2001:db8:1:2::/64"},
		{"10.0.0.1:1234", []string{"[2001:db8:1:2:3::4]:555"}, "2001:db8:1:2::/64"},
		{"10.0.0.1:1234", []string{"198.51.100.1, nonsense"}, "10.0.0.1"},
		{"10.0.0.1:1234", []string{"10.0.0.2, 10.0.0.3"}, "10.0.0.2"},
	} {
		r := &http.Request{RemoteAddr: c.from, Header: http.Header{"X-Forwarded-For": c.forwarded}}
		if got := source(r); got != c.want {
			t.Errorf("from %s, forwarded for %q: %s, want %s", c.from, c.forwarded, got, c.want)
		}
	}
}
