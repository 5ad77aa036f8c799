package as2_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"tradepost/as2"
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

// taken posts a request until it is taken, for tests that shorten the patience
// of the listener: a busy machine may be slower than that, and the next try, of
// the same transmission, is not. Without an end a place that is never freed
// would make it so: then the test fails by its own time.
func (b *bench) taken(client *http.Client, r request) *http.Response {
	b.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; {
		req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url, bytes.NewReader(r.body))
		must(b.t, err)
		req.Header = r.header
		resp, err := client.Do(req)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if err == nil && resp.StatusCode == http.StatusOK {
				return resp
			}
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("it was never taken: %v, %v", resp, err)
		}
	}
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

// TestNamesOfTwoAtTheSameMoment: neither name was used when it was looked up;
// the door takes the first, and the other is refused.
func TestNamesOfTwoAtTheSameMoment(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, connector.ListenConfig{})
	b.bob.change(func(r *connector.Relation) {
		r.NameUsed = func(context.Context, string, string) (bool, error) { return false, nil }
	})
	for i, want := range []string{"", string(as2.DuplicateFilename)} {
		r := build(t, fmt.Sprint("D", i), usual, "ALICE", "BOB") // both are po.edi
		resp, body := b.post(r)
		if got := disposition(t, resp, body); resp.StatusCode != http.StatusOK || got != want {
			t.Errorf("%d: %s, %q, want %q", i, resp.Status, got, want)
		}
	}
	seen := b.sink.Seen()
	if len(seen) != 2 || len(b.sink.Accepted()) != 1 || !strings.Contains(seen[1].Refused, `the file name "po.edi" was used before`) || seen[1].Receipt.Positive {
		t.Errorf("%+v", seen)
	}
	// A retry of the first is no other transmission.
	if resp, body := b.post(build(t, "D0", usual, "ALICE", "BOB")); disposition(t, resp, body) != "" || !b.sink.Seen()[2].Duplicate {
		t.Errorf("%s: %s", resp.Status, body)
	}
}
