package as2_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/certs"
	"tradepost/transport"
	connector "tradepost/transport/as2"
	"tradepost/transport/transporttest"
)

// TestHTTP2BetweenUs: over TLS, two of ours speak HTTP/2 with each other, in
// both directions of an exchange and with large payloads, whatever the size of
// the flow control windows.
func TestHTTP2BetweenUs(t *testing.T) {
	t.Parallel()
	spoken := make(chan string, 100)
	secure, pinned := secured(t, spoken)
	listen := func(e *connector.Endpoint, sink transport.Sink) string { return serve(t, e, sink, secure) }
	terms := usual
	terms.Compress = as2.NoCompression
	for _, receipt := range []as2.ReceiptMode{as2.SyncReceipt, as2.AsyncReceipt} {
		terms.Receipt = receipt
		alice, bob := between("ALICE", "BOB", terms), between("BOB", "ALICE", usual)
		atAlice, atBob := transporttest.NewSink(), transporttest.NewSink()
		aliceURL := listen(endpoint(t, alice, nil), atAlice)
		bobEnd := endpoint(t, bob, nil)
		s := sender(t, endpoint(t, alice, func(c *connector.Config) { c.ReceiptURL = aliceURL }), "to-BOB", listen(bobEnd, atBob), pinned)
		d := order("D1")
		content := bytes.Repeat([]byte("N1*BY*0123456789~\n"), 1<<18) // 4.5 MB
		d.Content.Body = transport.Bytes(content)
		p, err := s.Prepare(context.Background(), d)
		must(t, err)
		o, err := s.Send(context.Background(), "D1", p)
		must(t, err)
		if o.Delivered != (receipt == as2.SyncReceipt) || o.Pending != (receipt == as2.AsyncReceipt) {
			t.Fatalf("%+v", o)
		}
		if got := <-spoken; got != "HTTP/2.0" {
			t.Errorf("the transmission went by %s", got)
		}
		if in := atBob.Accepted(); len(in) != 1 || !bytes.Equal(in[0].Bytes, content) {
			t.Fatalf("%d accepted", len(in))
		}
		if receipt == as2.AsyncReceipt {
			must(t, sender(t, bobEnd, "to-ALICE", aliceURL, pinned).SendReceipt(context.Background(), "our-ALICE", atBob.Accepted()[0].Receipt))
			if got := <-spoken; got != "HTTP/2.0" {
				t.Errorf("the receipt went by %s", got)
			}
			if back := atAlice.Seen(); len(back) != 1 || !back[0].Returned.Check(p).Delivered {
				t.Errorf("%+v", back)
			}
		}
		must(t, transport.Release(p.Wire))
	}
}

// secured is how to listen over TLS, and the settings to trust that. What was
// spoken is told of each request.
func secured(t *testing.T, spoken chan<- string) (listen connector.ListenConfig, settings string) {
	t.Helper()
	pair, err := certs.Generate(certs.Request{CommonName: "server", Addresses: []string{"127.0.0.1"}, NotBefore: time.Now().Add(-time.Hour), Type: certs.P256}, nil)
	must(t, err)
	sum := sha256.Sum256(pair.Certificate.Raw)
	return connector.ListenConfig{
		TLS:    &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{pair.Certificate.Raw}, PrivateKey: pair.Key}}},
		Source: func(r *http.Request) string { spoken <- r.Proto; return "here" },
	}, `,"tls":{"pin":"` + hex.EncodeToString(sum[:]) + `"}`
}

// TestRestartOverHTTP2: a broken line is gone on with over HTTP/2 as well.
func TestRestartOverHTTP2(t *testing.T) {
	t.Parallel()
	const size, cuts = 12 << 20, 4
	spoken := make(chan string, 1000)
	secure, pinned := secured(t, spoken)
	b := newBench(t, nil, secure)
	b.bob.change(func(r *connector.Relation) { r.Terms = largeTerms })
	p := newLine(t, "http"+strings.TrimPrefix(b.url, "https"))
	for range cuts {
		p.cuts = append(p.cuts, size/cuts/2)
	}
	e := endpoint(t, between("ALICE", "BOB", largeTerms), func(c *connector.Config) { c.RestartPause = 50 * time.Millisecond })
	s := sender(t, e, "to-BOB", "https"+strings.TrimPrefix(p.url(), "http"), `,"restart":true`+pinned)
	d := large("D1", size)
	prepared := prepare(t, s, d)
	o := deliver(t, s, prepared)
	if !o.Delivered {
		t.Fatalf("%+v", o)
	}
	if seen := b.sink.Seen(); len(seen) != 1 || !bytes.Equal(seen[0].Bytes, whole(t, d.Content.Body)) {
		t.Fatalf("%d arrivals", len(seen))
	}
	up, broken := p.counts()
	if broken != cuts || up > prepared.Wire.Size()+int64(broken)*(2<<20) {
		t.Errorf("%d breaks, %d KiB of %d KiB were sent", broken, up>>10, prepared.Wire.Size()>>10)
	}
	if got := <-spoken; got != "HTTP/2.0" {
		t.Errorf("spoken was %s", got)
	}
}

// TestStalledStreamIsGivenUp: a stream of HTTP/2 on which nothing comes any more
// does not hold a place for ever, and leaves the others of its connection alone.
func TestStalledStreamIsGivenUp(t *testing.T) {
	t.Parallel()
	spoken := make(chan string, 100)
	secure, _ := secured(t, spoken)
	b := newBench(t, func(c *connector.Config) { c.Limits.Stall = 250 * time.Millisecond; c.Limits.Concurrent = 1 }, secure)
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // whose certificate it is does not matter
	t.Cleanup(client.CloseIdleConnections)
	body, feed := io.Pipe()
	t.Cleanup(func() { _ = feed.Close() })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url, body)
	must(t, err)
	req.Header = http.Header{"As2-From": {"ALICE"}, "As2-To": {"BOB"}, "Message-Id": {"<1@a>"}}
	go func() { _, _ = io.WriteString(feed, "half") }()
	resp, err := client.Do(req)
	if err == nil {
		if _, rerr := io.Copy(io.Discard, resp.Body); resp.StatusCode == http.StatusOK {
			t.Errorf("answered %s, %v", resp.Status, rerr)
		}
		_ = resp.Body.Close()
	}
	if n := len(b.sink.Seen()); n != 0 {
		t.Errorf("%d arrivals", n)
	}
	if resp := b.taken(client, build(t, "D1", usual, "ALICE", "BOB")); resp.ProtoMajor != 2 { // the place is free again
		t.Errorf("HTTP/%d %s", resp.ProtoMajor, resp.Status)
	}
}
