package as2_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/certs"
	"tradepost/transport"
	connector "tradepost/transport/as2"
	"tradepost/transport/transporttest"
)

// bench is BOB's listener with everything the tests want to touch.
type bench struct {
	t        *testing.T
	bob      *relations
	sink     *transporttest.Sink
	url      string
	temp     string
	mu       chan struct{} // guards troubles
	troubles []error
}

func newBench(t *testing.T, change func(*connector.Config), listen connector.ListenConfig) *bench {
	b := &bench{t: t, bob: between("BOB", "ALICE", usual), sink: transporttest.NewSink(), mu: make(chan struct{}, 1)}
	e := endpoint(t, b.bob, func(c *connector.Config) {
		b.temp = c.TempDir
		c.OnTrouble = func(err error) {
			b.mu <- struct{}{}
			b.troubles = append(b.troubles, err)
			<-b.mu
		}
		if change != nil {
			change(c)
		}
	})
	b.url = serve(t, e, b.sink, listen)
	return b
}

// told tells whether a trouble with these words was reported.
func (b *bench) told(words string) bool {
	b.mu <- struct{}{}
	defer func() { <-b.mu }()
	for _, err := range b.troubles {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

// request is a transmission of ALICE's, ready to be spoilt and posted by hand.
type request struct {
	header http.Header
	body   []byte
}

// build makes one as ALICE with terms, signed with the key of signer and
// encrypted to the certificate of recipient.
func build(t testing.TB, id string, terms connector.Terms, signer, recipient string) request {
	t.Helper()
	alice := between("ALICE", "BOB", terms)
	alice.change(func(r *connector.Relation) {
		r.Station.Keys = []as2.Key{keys()[signer]}
		r.Relation.Partner.Encrypt = keys()[recipient].Certificate
	})
	e := endpoint(t, alice, func(c *connector.Config) { c.ReceiptURL = "http://receipts.example/as2" })
	p, err := sender(t, e, "to-BOB", "http://bob.example", "").Prepare(context.Background(), &transport.Delivery{
		ID: id, Partner: "our-BOB", Subject: "order",
		Content: transport.Part{Filename: "po.edi", ContentType: "application/edi-x12", Body: transport.Bytes("ISA*00~ of " + id)},
	})
	must(t, err)
	body, err := transporttest.ReadAll(p.Wire)
	must(t, err)
	r := request{header: http.Header{}, body: body}
	for _, f := range p.Headers {
		r.header.Set(f.Name, f.Value)
	}
	return r
}

// post posts a request and reads the answer whole.
func (b *bench) post(r request) (*http.Response, []byte) {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodPost, b.url, bytes.NewReader(r.body))
	must(b.t, err)
	req.Header = r.header
	resp, err := http.DefaultClient.Do(req)
	must(b.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(b.t, err)
	return resp, body
}

// disposition is what a receipt says; "" for no receipt.
func disposition(t *testing.T, resp *http.Response, body []byte) string {
	t.Helper()
	r, err := as2.ParseReceipt(resp.Header, bytes.NewReader(body), as2.Limits{})
	if err != nil {
		return ""
	}
	return string(r.Disposition.Modifier)
}

func TestEvidenceOfWhatArrives(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, connector.ListenConfig{})
	r := build(t, "D1", usual, "ALICE", "BOB")
	r.header.Set("Authorization", "Basic c2VjcmV0")
	resp, body := b.post(r)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", resp.Status, body)
	}
	seen := b.sink.Seen()
	if len(seen) != 1 {
		t.Fatalf("%d arrivals", len(seen))
	}
	a := seen[0]
	if a.Key != "as2:ALICE:<D1@test.example>" || a.MessageID != "<D1@test.example>" || a.Subject != "order" ||
		a.Partner != "our-ALICE" || a.Connection != "to-ALICE" || a.Connector != "as2" || a.Refused != "" {
		t.Errorf("%+v", a.Arrival)
	}
	if !bytes.Equal(a.WireBytes, r.body) || string(a.Bytes) != "ISA*00~ of D1" || a.Content.Filename != "po.edi" || a.Content.ContentType != "application/edi-x12" {
		t.Errorf("%d wire bytes, content %q, %q, %q", len(a.WireBytes), a.Bytes, a.Content.Filename, a.Content.ContentType)
	}
	e := a.Evidence
	if !e.Signed || !e.Encrypted || !e.Compressed || e.Digest != "sha-256" || e.Cipher != "aes-256-cbc" || e.From != "ALICE" || e.To != "BOB" ||
		e.MIC == "" || e.MICAlg != "sha-256" || e.MICs["sha-256"] != e.MIC || e.Signer == nil || e.Signer.Subject != "CN=ALICE" || e.TLS != "" {
		t.Errorf("%+v", e)
	}
	if !strings.HasPrefix(e.Remote, "127.0.0.1:") {
		t.Errorf("Remote %q", e.Remote)
	}
	names := ""
	for _, h := range e.Headers {
		names += h.Name + " "
		if strings.Contains(h.Value, "c2VjcmV0") {
			t.Errorf("kept %s: %s", h.Name, h.Value)
		}
	}
	if !strings.Contains(names, "AS2-From AS2-Product AS2-To AS2-Version") || !strings.Contains(names, "Message-ID ") || !strings.Contains(names, "Authorization ") {
		t.Errorf("headers %s", names)
	}
	rc := a.Receipt
	if rc == nil || !rc.Positive || !rc.Signed || rc.Async || rc.MIC != e.MIC || rc.Signer.Subject != "CN=BOB" || !bytes.Equal(rc.Body, body) {
		t.Fatalf("receipt %+v", rc)
	}
	for _, f := range rc.Headers {
		if got := resp.Header.Get(f.Name); got != f.Value {
			t.Errorf("answered %s: %q, stored %q", f.Name, got, f.Value)
		}
	}
}

func TestReplayGetsTheFirstReceipt(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, connector.ListenConfig{})
	r := build(t, "D1", usual, "ALICE", "BOB")
	first, one := b.post(r)
	for range 3 {
		again, two := b.post(r)
		if !bytes.Equal(one, two) || again.StatusCode != http.StatusOK {
			t.Fatalf("%s: another receipt", again.Status)
		}
		for _, n := range []string{"Message-ID", "Date", "Content-Type", "AS2-From", "AS2-To"} {
			if first.Header.Get(n) != again.Header.Get(n) {
				t.Errorf("%s is %q and then %q", n, first.Header.Get(n), again.Header.Get(n))
			}
		}
	}
	if n := len(b.sink.Seen()); n != 4 || len(b.sink.Accepted()) != 1 {
		t.Errorf("%d arrivals, %d accepted", n, len(b.sink.Accepted()))
	}
	// The same Message-ID around other content is the same transmission: it is
	// not processed, and the old MIC tells the sender.
	other := build(t, "D2", usual, "ALICE", "BOB")
	other.header.Set("Message-ID", r.header.Get("Message-ID"))
	if _, body := b.post(other); !bytes.Equal(body, one) || len(b.sink.Accepted()) != 1 {
		t.Errorf("other content under the same Message-ID was accepted")
	}
}

// TestRefused: everything that cannot be used is answered as the standard asks
// and kept with the reason.
func TestRefused(t *testing.T) {
	t.Parallel()
	sync, none, async := usual, usual, usual
	none.Receipt = as2.NoReceipt
	async.Receipt = as2.AsyncReceipt
	clear, unsigned := usual, usual
	clear.Encrypt = ""
	readable := clear
	readable.Compress = as2.NoCompression
	unsigned.Sign = ""
	cases := []struct {
		name     string
		make     func(t *testing.T) request
		status   int
		modifier as2.Modifier
		reason   string
		partner  string
	}{
		{"unknown sender", func(t *testing.T) request {
			r := build(t, "D1", sync, "ALICE", "BOB")
			r.header.Set("AS2-From", "MALLORY")
			return r
		}, 200, as2.UnknownTradingRelationship, `"MALLORY"`, ""},
		{"not for us", func(t *testing.T) request {
			r := build(t, "D1", sync, "ALICE", "BOB")
			r.header.Set("AS2-To", "CHARLIE")
			return r
		}, 200, as2.UnknownTradingRelationship, `"CHARLIE"`, ""},
		{"unknown sender without a receipt", func(t *testing.T) request {
			r := build(t, "D1", none, "ALICE", "BOB")
			r.header.Set("AS2-From", "MALLORY")
			return r
		}, 403, "", "unknown-trading-relationship", ""},
		{"unknown sender who wants a receipt elsewhere", func(t *testing.T) request {
			r := build(t, "D1", async, "ALICE", "BOB")
			r.header.Set("AS2-From", "MALLORY")
			return r
		}, 403, "", "unknown-trading-relationship", ""},
		{
			"encrypted to another key", func(t *testing.T) request { return build(t, "D1", sync, "ALICE", "MALLORY") },
			200, as2.DecryptionFailed, "decryption-failed", "our-ALICE",
		},
		{
			"encrypted to another key, no receipt", func(t *testing.T) request { return build(t, "D1", none, "ALICE", "MALLORY") },
			403, "", "decryption-failed", "our-ALICE",
		},
		{
			"encrypted to another key, receipt elsewhere", func(t *testing.T) request { return build(t, "D1", async, "ALICE", "MALLORY") },
			204, "", "decryption-failed", "our-ALICE",
		},
		{
			"signed by another key", func(t *testing.T) request { return build(t, "D1", sync, "MALLORY", "BOB") },
			200, as2.AuthenticationFailed, "authentication-failed", "our-ALICE",
		},
		{
			"not encrypted", func(t *testing.T) request { return build(t, "D1", clear, "ALICE", "BOB") },
			200, as2.InsufficientMessageSecurity, "not encrypted", "our-ALICE",
		},
		{
			"not signed", func(t *testing.T) request { return build(t, "D1", unsigned, "ALICE", "BOB") },
			200, as2.InsufficientMessageSecurity, "not signed", "our-ALICE",
		},
		{"cut off", func(t *testing.T) request {
			r := build(t, "D1", sync, "ALICE", "BOB")
			r.body = r.body[:len(r.body)-40]
			return r
		}, 200, as2.DecryptionFailed, "decryption-failed", "our-ALICE"},
		{"content key damaged", func(t *testing.T) request {
			r := build(t, "D1", sync, "ALICE", "BOB")
			r.body[200] ^= 1 // within the encrypted content key
			return r
		}, 200, as2.DecryptionFailed, "decryption-failed", "our-ALICE"},
		{"content changed under way", func(t *testing.T) request {
			r := build(t, "D1", readable, "ALICE", "BOB")
			r.body = bytes.Replace(r.body, []byte("ISA*00"), []byte("ISA*99"), 1)
			return r
		}, 200, as2.IntegrityCheckFailed, "integrity-check-failed", "our-ALICE"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil, connector.ListenConfig{})
			r := c.make(t)
			resp, body := b.post(r)
			if resp.StatusCode != c.status {
				t.Fatalf("%s: %s", resp.Status, body)
			}
			got := as2.Modifier(disposition(t, resp, body))
			if got != c.modifier {
				t.Errorf("answered %q, want %q\n%s", got, c.modifier, body)
			}
			seen := b.sink.Seen()
			if len(seen) != 1 {
				t.Fatalf("%d arrivals are kept", len(seen))
			}
			a := seen[0]
			if a.Refused == "" || !strings.Contains(a.Refused, c.reason) || a.Partner != c.partner || a.Content.Body != nil || !bytes.Equal(a.WireBytes, r.body) {
				t.Errorf("kept: refused %q, partner %q, %d wire bytes", a.Refused, a.Partner, len(a.WireBytes))
			}
			if rc := a.Receipt; rc != nil && (!rc.Signed || rc.Signer.Subject != "CN=BOB") {
				t.Errorf("receipt signed %v by %v", rc.Signed, rc.Signer)
			}
			if a.Partner == "" && a.Connection != "as2" {
				t.Errorf("connection %q", a.Connection)
			}
			switch {
			case c.status == 403 && a.Receipt != nil:
				t.Errorf("receipt %.200v", a.Receipt)
			case c.status == 204 && (a.Receipt == nil || !a.Receipt.Async || a.Receipt.AsyncURL != "http://receipts.example/as2" || a.Receipt.Positive):
				t.Errorf("receipt %.300v", a.Receipt)
			case c.status == 200 && (a.Receipt == nil || a.Receipt.Positive || a.Receipt.Reason == "" || !bytes.Equal(a.Receipt.Body, body)):
				t.Errorf("receipt %.300v", a.Receipt)
			}
			if c.status == 403 && (!strings.Contains(string(body), "refused: ") || strings.Contains(string(body), "MALLORY")) {
				t.Errorf("answered %q", body)
			}
		})
	}
}

// TestRefusedTakesNoPlace: after a forged transmission with its Message-ID, the
// true one is accepted; after the true one, a forged one learns nothing.
func TestRefusedTakesNoPlace(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, connector.ListenConfig{})
	forged, genuine := build(t, "D1", usual, "MALLORY", "BOB"), build(t, "D1", usual, "ALICE", "BOB")
	b.post(forged)
	_, receipt := b.post(genuine)
	if len(b.sink.Accepted()) != 1 {
		t.Fatal("the true transmission was not accepted")
	}
	resp, body := b.post(forged)
	if bytes.Equal(body, receipt) || disposition(t, resp, body) != string(as2.AuthenticationFailed) {
		t.Errorf("the forger was answered\n%s", body)
	}
}

func TestNoReceiptWhenTheSinkFails(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, connector.ListenConfig{})
	b.sink.FailNext(2, errors.New("no space left on device"))
	r := build(t, "D1", usual, "ALICE", "BOB")
	bad := build(t, "D1", usual, "MALLORY", "BOB")
	for _, r := range []request{r, bad} { // a refusal that is not kept is not answered either
		resp, body := b.post(r)
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "60" || disposition(t, resp, body) != "" || strings.Contains(string(body), "space") {
			t.Errorf("%s, Retry-After %q: %s", resp.Status, resp.Header.Get("Retry-After"), body)
		}
	}
	if !b.told("no space left on device") {
		t.Error("nobody was told")
	}
	if resp, _ := b.post(r); resp.StatusCode != http.StatusOK || len(b.sink.Accepted()) != 1 {
		t.Errorf("afterwards %s, %d accepted", resp.Status, len(b.sink.Accepted()))
	}
}

func TestTroubleOfOurOwnIsNotTheirFault(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, connector.ListenConfig{})
	b.bob.mu.Lock()
	b.bob.fail = errors.New("database is away")
	b.bob.mu.Unlock()
	resp, _ := b.post(build(t, "D1", usual, "ALICE", "BOB"))
	if resp.StatusCode != http.StatusServiceUnavailable || len(b.sink.Seen()) != 0 || !b.told("database is away") {
		t.Errorf("%s, %d arrivals", resp.Status, len(b.sink.Seen()))
	}
}

func TestFullTempDir(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *connector.Config) { c.TempDir = "/nonexistent/temp" }, connector.ListenConfig{})
	plain := connector.Terms{Receipt: as2.SyncReceipt}
	b.bob.change(func(r *connector.Relation) { r.Policy = as2.Policy{} })
	r := build(t, "D1", plain, "ALICE", "BOB")
	r.body = make([]byte, 3<<20)
	resp, _ := b.post(r)
	if resp.StatusCode != http.StatusServiceUnavailable || len(b.sink.Seen()) != 0 || !b.told("receive") {
		t.Errorf("%s, %d arrivals, troubles %v", resp.Status, len(b.sink.Seen()), b.troubles)
	}
}

// TestLargeBodyLeavesNothingBehind: bodies beyond memory go to files that are
// gone afterwards.
func TestLargeBodyLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, connector.ListenConfig{})
	alice := between("ALICE", "BOB", usual)
	s := sender(t, endpoint(t, alice, nil), "to-BOB", b.url, "")
	content := bytes.Repeat([]byte("N1*BY*0123456789~"), 400_000)
	terms := usual
	terms.Compress = as2.NoCompression
	alice.change(func(r *connector.Relation) { r.Terms = terms })
	p, err := s.Prepare(context.Background(), &transport.Delivery{ID: "D1", Content: transport.Part{Body: transport.Bytes(content)}})
	must(t, err)
	o, err := s.Send(context.Background(), "D1", p)
	must(t, err)
	if !o.Delivered || !bytes.Equal(b.sink.Accepted()[0].Bytes, content) {
		t.Errorf("%+v", o)
	}
	must(t, transport.Release(p.Wire))
	left, err := os.ReadDir(b.temp)
	must(t, err)
	if len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

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
	must(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	answer, err := io.ReadAll(conn)
	must(t, err)
	if len(b.sink.Seen()) != 0 || strings.Contains(string(answer), "200 OK") {
		t.Errorf("%d arrivals: %s", len(b.sink.Seen()), answer)
	}
	if resp, _ := b.post(build(t, "D1", usual, "ALICE", "BOB")); resp.StatusCode != http.StatusOK {
		t.Errorf("the place is still taken: %s", resp.Status)
	}
}

// TestSlowAcceptOnAKeptConnection: neither the read nor the write deadline of
// one request hits what comes after.
func TestSlowAcceptOnAKeptConnection(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *connector.Config) { c.Limits.Stall = 300 * time.Millisecond }, connector.ListenConfig{})
	for _, id := range []string{"D1", "D2"} {
		entered, release := b.sink.Hold()
		go func() {
			<-entered
			time.Sleep(700 * time.Millisecond) // what is tested is that this is not too long
			release()
		}()
		r := build(t, id, usual, "ALICE", "BOB")
		r.header.Set("Expect", "100-continue")
		if resp, _ := b.post(r); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", id, resp.Status)
		}
	}
	if len(b.sink.Accepted()) != 2 {
		t.Errorf("%d accepted", len(b.sink.Accepted()))
	}
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
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
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
