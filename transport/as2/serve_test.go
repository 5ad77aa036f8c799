package as2_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"tradepost/certs"
	"tradepost/transport"
	connector "tradepost/transport/as2"
	"tradepost/transport/transporttest"
)

func TestWhatIsNotATransmission(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *connector.Config) { c.Limits.Body = 1 << 16 }, connector.ListenConfig{})
	do := func(method, path string, header http.Header, body string) (int, string, http.Header) {
		t.Helper()
		req, err := http.NewRequest(method, strings.TrimSuffix(b.url, "/as2")+path, strings.NewReader(body))
		must(t, err)
		for n, v := range header {
			req.Header[n] = v
		}
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		must(t, err)
		return resp.StatusCode, string(text), resp.Header
	}
	from := http.Header{"As2-From": {"ALICE"}, "As2-To": {"BOB"}, "Message-Id": {"<1@a>"}}
	if code, text, h := do("GET", "/as2", nil, ""); code != 200 || !strings.Contains(text, "AS2 endpoint") || h.Get("Server") != "" {
		t.Errorf("GET: %d %q %v", code, text, h)
	}
	if code, text, h := do("HEAD", "/as2", nil, ""); code != 200 || text != "" || h.Get("Content-Length") == "" {
		t.Errorf("HEAD: %d %q %v", code, text, h)
	}
	if code, _, h := do("PUT", "/as2", nil, "x"); code != 405 || h.Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("PUT: %d %v", code, h)
	}
	for _, path := range []string{"/", "/as2/", "/as2/x", "/console"} {
		if code, _, _ := do("POST", path, from, "x"); code != 404 {
			t.Errorf("POST %s: %d", path, code)
		}
	}
	if code, text, _ := do("POST", "/as2", nil, "hello"); code != 400 || !strings.Contains(text, "AS2-From") {
		t.Errorf("no AS2-From: %d %q", code, text)
	}
	if code, _, _ := do("POST", "/as2", from, strings.Repeat("x", 1<<16+1)); code != 413 {
		t.Errorf("too large: %d", code)
	}
	if n := len(b.sink.Seen()); n != 0 {
		t.Fatalf("%d of these were kept", n)
	}
	// One that at least says whom it is from is kept.
	if code, text, _ := do("POST", "/as2", http.Header{"As2-From": {"ALICE"}, "As2-To": {"BOB"}}, "hello"); code != 400 || !strings.Contains(text, "Message-ID") {
		t.Errorf("no Message-ID: %d %q", code, text)
	}
	seen := b.sink.Seen()
	if len(seen) != 1 || seen[0].Refused == "" || string(seen[0].WireBytes) != "hello" || seen[0].Evidence.From != "ALICE" {
		t.Errorf("kept %+v", seen)
	}
}

// TestChunkedTooLarge: without Content-Length the limit is found on the way.
func TestChunkedTooLarge(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *connector.Config) { c.Limits.Body = 1 << 16 }, connector.ListenConfig{})
	req, err := http.NewRequest(http.MethodPost, b.url, io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<17))))
	must(t, err)
	req.Header = http.Header{"As2-From": {"ALICE"}, "As2-To": {"BOB"}, "Message-Id": {"<1@a>"}}
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge || len(b.sink.Seen()) != 0 {
		t.Errorf("%s, %d arrivals", resp.Status, len(b.sink.Seen()))
	}
}

func TestRefusalsAreLimitedBySource(t *testing.T) {
	t.Parallel()
	now := make(chan time.Time, 1)
	now <- time.Now()
	clock := func() time.Time { n := <-now; now <- n; return n }
	b := newBench(t, func(c *connector.Config) { c.Limits.Refusals = 3; c.Now = clock },
		connector.ListenConfig{Source: func(r *http.Request) string { return r.Header.Get("X-Test-Source") }})
	good, bad := build(t, "D1", usual, "ALICE", "BOB"), build(t, "D2", usual, "MALLORY", "BOB")
	bad.header.Set("X-Test-Source", "evil")
	for i := range 3 {
		if resp, _ := b.post(bad); resp.StatusCode != http.StatusOK {
			t.Fatalf("attempt %d: %s", i, resp.Status)
		}
	}
	resp, _ := b.post(bad)
	if wait, _ := strconv.Atoi(resp.Header.Get("Retry-After")); resp.StatusCode != http.StatusTooManyRequests || wait != 20 {
		t.Errorf("%s, Retry-After %q", resp.Status, resp.Header.Get("Retry-After"))
	}
	if n := len(b.sink.Seen()); n != 3 {
		t.Errorf("%d arrivals", n)
	}
	if resp, _ := b.post(good); resp.StatusCode != http.StatusOK || len(b.sink.Accepted()) != 1 {
		t.Errorf("another source: %s", resp.Status)
	}
	now <- (<-now).Add(20 * time.Second)
	if resp, _ := b.post(bad); resp.StatusCode != http.StatusOK {
		t.Errorf("after the wait: %s", resp.Status)
	}
	if resp, _ := b.post(bad); resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("right again: %s", resp.Status)
	}
}

// TestHTTP2: peers that speak it get it.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	pair, err := certs.Generate(certs.Request{CommonName: "server", Addresses: []string{"127.0.0.1"}, NotBefore: time.Now().Add(-time.Hour), Type: certs.P256}, nil)
	must(t, err)
	b := newBench(t, nil, connector.ListenConfig{TLS: &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{pair.Certificate.Raw}, PrivateKey: pair.Key}},
	}})
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	r := build(t, "D1", usual, "ALICE", "BOB")
	for i := range 2 {
		req, err := http.NewRequest(http.MethodPost, b.url, bytes.NewReader(r.body))
		must(t, err)
		req.Header = r.header
		resp, err := client.Do(req)
		must(t, err)
		body, err := io.ReadAll(resp.Body)
		must(t, errors.Join(err, resp.Body.Close()))
		if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusOK || !bytes.Equal(body, b.sink.Accepted()[0].Receipt.Body) {
			t.Errorf("%d: HTTP/%d %s: %.200s", i, resp.ProtoMajor, resp.Status, body)
		}
	}
	if len(b.sink.Accepted()) != 1 || len(b.sink.Seen()) != 2 {
		t.Errorf("%d arrivals, %d accepted", len(b.sink.Seen()), len(b.sink.Accepted()))
	}
}

// TestStalledBodyIsGivenUp: a client that stops in the middle does not hold a
// place for ever.
func TestStalledBodyIsGivenUp(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *connector.Config) { c.Limits.Stall = 250 * time.Millisecond; c.Limits.Concurrent = 1 }, connector.ListenConfig{})
	address := strings.TrimSuffix(strings.TrimPrefix(b.url, "http://"), "/as2")
	conn, err := net.Dial("tcp", address)
	must(t, err)
	defer func() { must(t, conn.Close()) }()
	_, err = io.WriteString(conn, "POST /as2 HTTP/1.1\r\nHost: x\r\nAS2-From: ALICE\r\nAS2-To: BOB\r\nMessage-ID: <1@a>\r\nContent-Length: 1000\r\n\r\nhalf")
	must(t, err)
	must(t, conn.SetReadDeadline(time.Now().Add(2*time.Minute)))
	answer, err := io.ReadAll(conn)
	must(t, err)
	if len(b.sink.Seen()) != 0 || strings.Contains(string(answer), "200 OK") {
		t.Errorf("%d arrivals: %s", len(b.sink.Seen()), answer)
	}
	b.taken(http.DefaultClient, build(t, "D1", usual, "ALICE", "BOB")) // the place is free again
}

// TestSlowAcceptOnAKeptConnection: neither the read nor the write deadline of
// one request hits what comes after.
func TestSlowAcceptOnAKeptConnection(t *testing.T) {
	t.Parallel()
	// The patience grows where a busy machine cannot bring the body in time: with
	// a deadline that hits what it should not, none is ever enough.
	for stall := 300 * time.Millisecond; ; stall *= 4 {
		b := newBench(t, func(c *connector.Config) { c.Limits.Stall = stall }, connector.ListenConfig{})
		var failed error
		for _, id := range []string{"D1", "D2"} {
			failed = errors.Join(failed, b.slowly(id, 2*stall))
			time.Sleep(stall + stall/2) // past the deadline of the answer
		}
		if failed == nil && len(b.sink.Accepted()) == 2 {
			return
		}
		if stall > 10*time.Second {
			t.Fatalf("%d accepted, %v", len(b.sink.Accepted()), failed)
		}
	}
}

// slowly posts a transmission that is accepted after a while.
func (b *bench) slowly(id string, while time.Duration) error {
	entered, release := b.sink.Hold()
	defer release()
	posted := make(chan struct{})
	defer close(posted)
	go func() {
		select {
		case <-entered:
			time.Sleep(while) // what is tested is that this is not too long
		case <-posted:
		}
		release()
	}()
	r := build(b.t, id, usual, "ALICE", "BOB")
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url, bytes.NewReader(r.body))
	must(b.t, err)
	req.Header = r.header
	req.Header.Set("Expect", "100-continue")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != http.StatusOK {
		err = errors.Join(err, errors.New(id+": "+resp.Status))
	}
	return errors.Join(err, resp.Body.Close())
}

// panicking is a Sink with a fault.
type panicking struct{}

func (panicking) Accept(context.Context, *transport.Arrival) (*transport.Acceptance, error) {
	panic("fault")
}

func TestPanicIsOneAnswerNotTheEnd(t *testing.T) {
	t.Parallel()
	told := make(chan error, 10)
	e := endpoint(t, between("BOB", "ALICE", usual), func(c *connector.Config) { c.OnTrouble = func(err error) { told <- err } })
	b := &bench{t: t, url: serve(t, e, panicking{}, connector.ListenConfig{})}
	for range 2 {
		if resp, _ := b.post(build(t, "D1", usual, "ALICE", "BOB")); resp.StatusCode != http.StatusInternalServerError {
			t.Errorf("%s", resp.Status)
		}
		if err := <-told; !strings.Contains(err.Error(), "panic: fault") {
			t.Errorf("told %v", err)
		}
	}
}

// TestClientGoesWhileAccepting: what has begun is brought to its end, so that
// the client's next attempt is a duplicate and not half a commit.
func TestClientGoesWhileAccepting(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, connector.ListenConfig{})
	entered, release := b.sink.Hold()
	defer release()
	r := build(t, "D1", usual, "ALICE", "BOB")
	conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(b.url, "http://"), "/as2"))
	must(t, err)
	req, err := http.NewRequest(http.MethodPost, b.url, bytes.NewReader(r.body))
	must(t, err)
	req.Header = r.header
	must(t, req.Write(conn))
	<-entered
	must(t, conn.Close())
	time.Sleep(50 * time.Millisecond) // for the server to notice, which it does not tell
	release()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := b.sink.Wait(ctx, func() bool { return len(b.sink.Accepted()) == 1 }); err != nil {
		t.Fatal("it was not accepted")
	}
	if resp, body := b.post(r); !bytes.Equal(body, b.sink.Accepted()[0].Receipt.Body) {
		t.Errorf("%s: another receipt", resp.Status)
	}
}

// TestStoppingIsNotHeldForEver: what is in hand when the time to drain is over
// is cut off, and was not accepted.
func TestStoppingIsNotHeldForEver(t *testing.T) {
	t.Parallel()
	told := make(chan error, 10)
	e := endpoint(t, between("BOB", "ALICE", usual), func(c *connector.Config) {
		c.Limits.Drain = 20 * time.Millisecond
		c.OnTrouble = func(err error) { told <- err }
	})
	sink := transporttest.NewSink()
	entered, release := sink.Hold()
	defer release()
	l, err := e.Listener(connector.ListenConfig{Address: "127.0.0.1:0"}, sink)
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx) }()
	s := sender(t, endpoint(t, between("ALICE", "BOB", usual), nil), "to-BOB", "http://"+l.Addr().String()+"/as2", "")
	p, err := s.Prepare(context.Background(), &transport.Delivery{ID: "D1", Content: transport.Part{Body: transport.Bytes("x")}})
	must(t, err)
	sent := make(chan error, 1)
	go func() { _, err := s.Send(context.Background(), "D1", p); sent <- err }()
	<-entered
	cancel()
	must(t, <-done)
	if err := <-sent; err == nil || transport.IsPermanent(err) {
		t.Errorf("Send: %v", err)
	}
	if err := <-told; !strings.Contains(err.Error(), "cut off") && !strings.Contains(err.Error(), "canceled") {
		t.Errorf("told %v", err)
	}
	if len(sink.Seen()) != 0 {
		t.Errorf("%d accepted", len(sink.Seen()))
	}
}

func TestListenerThatCannot(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, connector.ListenConfig{})
	e := endpoint(t, b.bob, nil)
	taken := strings.TrimSuffix(strings.TrimPrefix(b.url, "http://"), "/as2")
	if _, err := e.Listener(connector.ListenConfig{Address: taken}, b.sink); err == nil || !strings.Contains(err.Error(), "choose another address") {
		t.Errorf("port in use: %v", err)
	}
	if _, err := e.Listener(connector.ListenConfig{Address: "127.0.0.1:0", Path: "as2"}, b.sink); err == nil || !strings.Contains(err.Error(), "begin with /") {
		t.Errorf("path: %v", err)
	}
	l, err := e.Listener(connector.ListenConfig{Address: "127.0.0.1:0"}, b.sink)
	must(t, err)
	must(t, l.Close())
	if err := l.Serve(context.Background()); err == nil {
		t.Error("serves on a closed socket")
	}
}

// TestSilentConnectionsAreCutOff: whoever opens connections and says nothing
// does not keep others out.
func TestSilentConnectionsAreCutOff(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *connector.Config) {
		c.Limits.Connections, c.Limits.Share = 2, 100
		c.Limits.HeaderTime = 100 * time.Millisecond
	}, connector.ListenConfig{})
	address := strings.TrimSuffix(strings.TrimPrefix(b.url, "http://"), "/as2")
	for range 6 {
		conn, err := net.Dial("tcp", address)
		must(t, err)
		defer func() { must(t, conn.Close()) }()
	}
	b.taken(http.DefaultClient, build(t, "D1", usual, "ALICE", "BOB"))
}
