package as2_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/certs"
	"tradepost/transport"
	connector "tradepost/transport/as2"
	"tradepost/transport/transporttest"
)

// order is what the tests deliver.
func order(id string) *transport.Delivery {
	return &transport.Delivery{
		ID: id, Partner: "our-BOB", Subject: "order", CreatedAt: time.Now(),
		Content: transport.Part{Filename: "po.edi", ContentType: "application/edi-x12", Body: transport.Bytes("ISA*00~")},
	}
}

// stored prepares an order and takes it through a store.
func stored(t testing.TB, s transport.Sender, id string) *transport.Prepared {
	t.Helper()
	p, err := s.Prepare(context.Background(), order(id))
	must(t, err)
	return transporttest.Stored(t, p)
}

// answering is a partner that answers everything alike.
func answering(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/as2"
}

func TestPreparedIsComplete(t *testing.T) {
	t.Parallel()
	e := endpoint(t, between("ALICE", "BOB", usual), nil)
	s := sender(t, e, "to-BOB", "http://bob.example/as2", `,"headers":{"X-Route":"7"}`)
	p := stored(t, s, "D1")
	if p.MessageID != "<D1@test.example>" || !p.WantReceipt || p.Wire == nil || p.Wire.Size() == 0 {
		t.Errorf("%+v", p)
	}
	v := p.Evidence
	if v.From != "ALICE" || v.To != "BOB" || !v.Signed || !v.Encrypted || !v.Compressed || v.Digest != "sha-256" || v.Cipher != "aes-256-cbc" ||
		v.MIC == "" || v.MICAlg != "sha-256" || v.MICs["sha-512"] == "" || v.Signer.Subject != "CN=ALICE" || v.Recipient.Subject != "CN=BOB" || v.Remote != "http://bob.example/as2" {
		t.Errorf("%+v", v)
	}
	got := map[string]string{}
	for _, h := range p.Headers {
		got[h.Name] = h.Value
	}
	if got["AS2-From"] != "ALICE" || got["X-Route"] != "7" || got["Disposition-Notification-To"] != "receipts@test.example" || got["Authorization"] != "" {
		t.Errorf("%v", got)
	}
	// An id that cannot stand in a Message-ID still gives one, and its own.
	odd, other := stored(t, s, "a b<c>@d"), stored(t, s, "a b<c>@e")
	if odd.MessageID == other.MessageID || strings.ContainsAny(odd.MessageID, " ") || !strings.HasSuffix(odd.MessageID, "@test.example>") {
		t.Errorf("%q, %q", odd.MessageID, other.MessageID)
	}
}

// TestAnswersOfPartners: which answers are tried again, and which end it.
func TestAnswersOfPartners(t *testing.T) {
	t.Parallel()
	const again, no = "again", "no"
	cases := []struct {
		status int
		header http.Header
		body   string
		want   string
	}{
		{500, nil, "", again},
		{502, nil, "", again},
		{503, http.Header{"Retry-After": {"120"}}, "busy", again},
		{504, nil, "", again},
		{408, nil, "", again},
		{425, nil, "", again},
		{429, nil, "", again},
		{400, nil, "what?", no},
		{401, nil, "", no},
		{403, nil, "", no},
		{404, nil, "", no},
		{405, nil, "", no},
		{413, nil, "", no},
		{301, http.Header{"Location": {"http://elsewhere.example/"}}, "", no},
		{307, http.Header{"Location": {"/as2"}}, "", no},
		{501, nil, "", no},
		{505, nil, "", no},
		{200, nil, "", again},
		{204, nil, "", again},
		{200, http.Header{"Content-Type": {"text/html"}}, "<h1>Thank you</h1>", again},
		{200, http.Header{"Content-Type": {"multipart/report; report-type=disposition-notification; boundary=b"}}, "--b\r\ngarbage\r\n--b--", again},
	}
	e := endpoint(t, between("ALICE", "BOB", usual), nil)
	for _, c := range cases {
		url := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			for n, v := range c.header {
				w.Header()[n] = v
			}
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		})
		s := sender(t, e, "to-BOB", url, "")
		o, err := s.Send(context.Background(), "D1", stored(t, s, "D1"))
		if transport.IsPermanent(err) {
			t.Errorf("%d: permanent: %v", c.status, err)
			continue
		}
		switch c.want {
		case again:
			var a *transport.AttemptError
			if !errors.As(err, &a) || a.Evidence.HTTPStatus != c.status || a.Evidence.Remote != url {
				t.Errorf("%d %q: %+v, %v", c.status, c.body, o, err)
			}
			if c.status == 503 && (transport.RetryAfter(err) != 2*time.Minute || a.Evidence.Response != "busy") {
				t.Errorf("503: after %v, response %q", transport.RetryAfter(err), a.Evidence.Response)
			}
		case no:
			if err != nil || o.Delivered || o.Pending || o.Reason == "" || o.Evidence.HTTPStatus != c.status || o.Evidence.Response != c.body {
				t.Errorf("%d: %+v, %v", c.status, o, err)
			}
		}
	}
}

func TestNoReceiptAskedFor(t *testing.T) {
	t.Parallel()
	terms := usual
	terms.Receipt = as2.NoReceipt
	bob := between("BOB", "ALICE", usual)
	sink := transporttest.NewSink()
	url := serve(t, endpoint(t, bob, nil), sink, connector.ListenConfig{})
	s := sender(t, endpoint(t, between("ALICE", "BOB", terms), nil), "to-BOB", url, "")
	p := stored(t, s, "D1")
	if p.WantReceipt {
		t.Error("wants a receipt")
	}
	o, err := s.Send(context.Background(), "D1", p)
	if err != nil || !o.Delivered || o.Receipt != nil || o.Evidence.HTTPStatus != 200 || sink.Seen()[0].Receipt != nil {
		t.Errorf("%+v, %v", o, err)
	}
}

// TestReceiptsThatProveNothing: the partner has answered, but not what counts.
func TestReceiptsThatProveNothing(t *testing.T) {
	t.Parallel()
	// answer is BOB's receipt for what came, spoilt.
	answer := func(t *testing.T, spoil func(rcv *as2.Received, o *as2.ReceiptOptions)) string {
		bob := between("BOB", "ALICE", usual)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rel, _ := bob.get()
			rcv, err := as2.Receive(r.Context(), r.Header, r.Body, as2.ReceiveOptions{Lookup: func(string, string) (*as2.Relation, error) { return &rel.Relation, nil }})
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { must(t, rcv.Close()) }()
			o := as2.ReceiptOptions{MessageID: "<r@bob>", Now: time.Now()}
			spoil(rcv, &o)
			made, err := rcv.Receipt(o)
			if err != nil {
				t.Error(err)
				return
			}
			for n, v := range made.Header {
				w.Header()[n] = v
			}
			_, _ = w.Write(made.Body)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	cases := []struct {
		name   string
		spoil  func(*as2.Received, *as2.ReceiptOptions)
		reason string
	}{
		{"signed by somebody else", func(_ *as2.Received, o *as2.ReceiptOptions) { k := keys()["MALLORY"]; o.Key = &k }, "signature does not count"},
		{"unsigned", func(r *as2.Received, _ *as2.ReceiptOptions) { r.Request.Signed = false }, "this one is unsigned"},
		{"for another transmission", func(r *as2.Received, _ *as2.ReceiptOptions) { r.MessageID = "<other@alice>" }, "answers"},
		{"with another MIC", func(r *as2.Received, _ *as2.ReceiptOptions) {
			r.MICs[as2.SHA256] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
		}, "the partner holds something else"},
		{"without a MIC", func(r *as2.Received, _ *as2.ReceiptOptions) { r.MICs = nil }, "no Received-Content-MIC"},
		{"a no", func(r *as2.Received, _ *as2.ReceiptOptions) {
			r.Fail(as2.UnexpectedProcessingError, errors.New("broken"))
		}, "unexpected-processing-error"},
	}
	e := endpoint(t, between("ALICE", "BOB", usual), nil)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := sender(t, e, "to-BOB", answer(t, c.spoil), "")
			o, err := s.Send(context.Background(), "D1", stored(t, s, "D1"))
			if err != nil {
				t.Fatal(err)
			}
			if o.Delivered || o.Pending || !strings.Contains(o.Reason, c.reason) || o.Receipt == nil || o.Receipt.Positive || o.Receipt.Reason != o.Reason || len(o.Receipt.Body) == 0 {
				t.Errorf("reason %q, receipt %.200v", o.Reason, o.Receipt)
			}
		})
	}
	t.Run("nothing spoilt", func(t *testing.T) {
		t.Parallel()
		s := sender(t, e, "to-BOB", answer(t, func(*as2.Received, *as2.ReceiptOptions) {}), "")
		o, err := s.Send(context.Background(), "D1", stored(t, s, "D1"))
		if err != nil || !o.Delivered || !o.Receipt.MICMatches || o.Receipt.Signer.Subject != "CN=BOB" || o.Reason != "" {
			t.Errorf("%+v, %v", o, err)
		}
	})
	t.Run("MIC of the bare payload", func(t *testing.T) { // of unsigned content, through the store
		t.Parallel()
		terms := usual
		terms.Sign = ""
		s := sender(t, endpoint(t, between("ALICE", "BOB", terms), nil), "to-BOB", answer(t, func(r *as2.Received, _ *as2.ReceiptOptions) {
			r.Disposition, r.Failure = as2.Processed(), nil // BOB's policy wants it signed
			sum := sha256.Sum256([]byte("ISA*00~"))
			r.MICs = as2.MICs{as2.SHA256: base64.StdEncoding.EncodeToString(sum[:])}
		}), "")
		o, err := s.Send(context.Background(), "D1", stored(t, s, "D1"))
		if err != nil || !o.Delivered || !o.Receipt.MICMatches {
			t.Errorf("%.300v, %v", o, err)
		}
	})
	t.Run("MIC under another label", func(t *testing.T) { // kept under all digests, through the store
		t.Parallel()
		s := sender(t, e, "to-BOB", answer(t, func(r *as2.Received, _ *as2.ReceiptOptions) { r.Digest = as2.SHA512 }), "")
		o, err := s.Send(context.Background(), "D1", stored(t, s, "D1"))
		if err != nil || !o.Delivered || o.Receipt.MICAlg != "sha-512" {
			t.Errorf("%+v, %v", o, err)
		}
	})
}

// TestCertificateChangesBetweenPrepareAndSend: what counts is the partner's
// certificates when the receipt comes.
func TestCertificateChangesBetweenPrepareAndSend(t *testing.T) {
	t.Parallel()
	alice, bob := between("ALICE", "BOB", usual), between("BOB", "ALICE", usual)
	url := serve(t, endpoint(t, bob, nil), transporttest.NewSink(), connector.ListenConfig{})
	s := sender(t, endpoint(t, alice, nil), "to-BOB", url, "")
	p := stored(t, s, "D1")
	bob.change(func(r *connector.Relation) { r.Station.Keys = []as2.Key{keys()["MALLORY"], keys()["BOB"]} })
	alice.change(func(r *connector.Relation) {
		r.Relation.Partner.Verify = append(certificates("MALLORY"), certificates("BOB")...)
	})
	o, err := s.Send(context.Background(), "D1", p)
	if err != nil || !o.Delivered || o.Receipt.Signer.Subject != "CN=MALLORY" {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestTroubleOfOurOwn(t *testing.T) {
	t.Parallel()
	alice := between("ALICE", "BOB", usual)
	url := serve(t, endpoint(t, between("BOB", "ALICE", usual), nil), transporttest.NewSink(), connector.ListenConfig{})
	s := sender(t, endpoint(t, alice, nil), "to-BOB", url, "")
	p := stored(t, s, "D1")
	p.Wire = brokenBody{p.Wire.(transport.Bytes)}
	if o, err := s.Send(context.Background(), "D1", p); err == nil || transport.IsPermanent(err) || !strings.Contains(err.Error(), "the archive is damaged") {
		t.Errorf("unreadable bytes: %+v, %v", o, err)
	}
	p.Wire = goneBody{p.Wire.(brokenBody).Bytes}
	if o, err := s.Send(context.Background(), "D1", p); err == nil || transport.IsPermanent(err) || !strings.Contains(err.Error(), "the archive is away") {
		t.Errorf("bytes that cannot be opened: %+v, %v", o, err)
	}
	if _, err := s.Prepare(context.Background(), &transport.Delivery{ID: "D2", Content: transport.Part{Body: goneBody{transport.Bytes("xx")}}}); err == nil || transport.IsPermanent(err) {
		t.Errorf("content that cannot be opened: %v", err)
	}
	if _, err := s.Prepare(context.Background(), &transport.Delivery{ID: "D2", Content: transport.Part{Body: brokenBody{transport.Bytes("xx")}}}); err == nil || transport.IsPermanent(err) {
		t.Errorf("unreadable content: %v", err)
	}
	if _, err := s.Prepare(context.Background(), &transport.Delivery{ID: "D2"}); !transport.IsPermanent(err) {
		t.Errorf("no content: %v", err)
	}
	if _, err := s.Send(context.Background(), "D1", &transport.Prepared{}); !transport.IsPermanent(err) {
		t.Errorf("nothing prepared: %v", err)
	}
	alice.change(func(r *connector.Relation) { r.Relation.Partner.Encrypt = nil })
	if _, err := s.Prepare(context.Background(), order("D3")); !transport.IsPermanent(err) || !strings.Contains(err.Error(), "no certificate to encrypt to") {
		t.Errorf("terms that cannot be kept: %v", err)
	}
	alice.mu.Lock()
	alice.fail = errors.New("database is away")
	alice.mu.Unlock()
	if _, err := s.Prepare(context.Background(), order("D3")); err == nil || transport.IsPermanent(err) {
		t.Errorf("look-up failed: %v", err)
	}
	if _, err := s.Send(context.Background(), "D1", p); err == nil || transport.IsPermanent(err) {
		t.Errorf("look-up failed: %v", err)
	}
}

// brokenBody cannot be read to its end.
type brokenBody struct{ transport.Bytes }

func (b brokenBody) Open() (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(bytes.NewReader(b.Bytes[:1]), failing{})), nil
}

// goneBody cannot be opened.
type goneBody struct{ transport.Bytes }

func (goneBody) Open() (io.ReadCloser, error) { return nil, errors.New("the archive is away") }

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the archive is damaged") }

// TestSilentPartner: one that takes nothing, and one that answers nothing.
func TestSilentPartner(t *testing.T) {
	t.Parallel()
	e := endpoint(t, between("ALICE", "BOB", connector.Terms{Receipt: as2.SyncReceipt}), nil)
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { must(t, socket.Close()) }() // connections wait in its queue, and nobody reads
	s := sender(t, e, "to-BOB", "http://"+socket.Addr().String()+"/", `,"timeout":"150ms"`)
	for _, size := range []int{10, 64 << 20} {
		d := order("D1")
		d.Content.Body = transport.Bytes(make([]byte, size))
		p, err := s.Prepare(context.Background(), d)
		must(t, err)
		begun := time.Now()
		o, err := s.Send(context.Background(), "D1", p)
		if err == nil || transport.IsPermanent(err) || time.Since(begun) > 10*time.Second {
			t.Errorf("%d bytes: %+v, %v after %v", size, o, err, time.Since(begun))
		}
		must(t, transport.Release(p.Wire))
	}
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, refused.Close())
	s = sender(t, e, "to-BOB", "http://"+refused.Addr().String()+"/", "")
	if o, err := s.Send(context.Background(), "D1", stored(t, s, "D1")); err == nil || transport.IsPermanent(err) {
		t.Errorf("connection refused: %+v, %v", o, err)
	}
}

func TestBasicAuthAndHeaders(t *testing.T) {
	t.Parallel()
	e := endpoint(t, between("ALICE", "BOB", connector.Terms{}), func(c *connector.Config) {
		c.Getenv = func(n string) string { return map[string]string{"BOB_PASSWORD": "s3cret"}[n] }
	})
	got := make(chan *http.Request, 1)
	url := answering(t, func(_ http.ResponseWriter, r *http.Request) { got <- r })
	s := sender(t, e, "to-BOB", url, `,"basic_auth":{"user":"alice","password_env":"BOB_PASSWORD"},"headers":{"X-Route":"7"}`)
	_, err := s.Send(context.Background(), "D1", stored(t, s, "D1"))
	must(t, err)
	r := <-got
	if u, p, _ := r.BasicAuth(); u != "alice" || p != "s3cret" || r.Header.Get("X-Route") != "7" || r.Header.Get("As2-From") != "ALICE" {
		t.Errorf("%v", r.Header)
	}
	_, err = e.Sender(transport.Connection{Name: "to-BOB", Settings: []byte(`{"url":"` + url + `","basic_auth":{"user":"alice","password_env":"NOT_SET"}}`)})
	if err == nil || !strings.Contains(err.Error(), "NOT_SET is not set") {
		t.Errorf("%v", err)
	}
}

// TestHTTPS: trust by certificate authority and by pin, none without, and a
// certificate of our own where it is asked for.
func TestHTTPS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	make := func(name string) (*certs.Pair, string, string) {
		p, err := certs.Generate(certs.Request{CommonName: name, Addresses: []string{"127.0.0.1"}, NotBefore: time.Now().Add(-time.Hour), Type: certs.P256}, nil)
		must(t, err)
		key, err := certs.EncodeKey(p.Key)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, name+".crt"), certs.EncodeCertificate(p.Certificate), 0o600))
		must(t, os.WriteFile(filepath.Join(dir, name+".key"), key, 0o600))
		return p, name + ".crt", name + ".key"
	}
	server, serverCrt, _ := make("server")
	client, clientCrt, clientKey := make("client")
	_, otherCrt, otherKey := make("other")
	pool := x509.NewCertPool()
	pool.AddCert(client.Certificate)
	sum := sha256.Sum256(server.Certificate.Raw)
	pin := hex.EncodeToString(sum[:])

	listen := func(auth tls.ClientAuthType) (string, *transporttest.Sink) {
		sink := transporttest.NewSink()
		e := endpoint(t, between("BOB", "ALICE", usual), nil)
		return serve(t, e, sink, connector.ListenConfig{TLS: &tls.Config{
			Certificates: []tls.Certificate{{Certificate: [][]byte{server.Certificate.Raw}, PrivateKey: server.Key}},
			ClientAuth:   auth, ClientCAs: pool,
		}}), sink
	}
	open, sink := listen(tls.NoClientCert)
	closed, _ := listen(tls.RequireAndVerifyClientCert)
	e := endpoint(t, between("ALICE", "BOB", usual), func(c *connector.Config) { c.Base = dir })
	cases := []struct {
		name, url, settings string
		want                string // "delivered", "permanent", "again"
	}{
		{"the system's authorities", open, ``, "permanent"},
		{"its certificate as authority", open, `,"tls":{"ca":"` + serverCrt + `"}`, "delivered"},
		{"another authority", open, `,"tls":{"ca":"` + otherCrt + `"}`, "permanent"},
		{"another name", open, `,"tls":{"ca":"` + serverCrt + `","server_name":"bob.example"}`, "permanent"},
		{"pinned", open, `,"tls":{"pin":"` + strings.ToUpper(certs.Fingerprint(server.Certificate)) + `"}`, "delivered"},
		{"pinned, TLS 1.3", open, `,"tls":{"pin":"` + pin + `","min_version":"1.3"}`, "delivered"},
		{"another pinned", open, `,"tls":{"pin":"` + strings.Repeat("0", 64) + `"}`, "permanent"},
		{"who are you: nobody", closed, `,"tls":{"pin":"` + pin + `"}`, "again"},
		{"who are you: client", closed, `,"tls":{"pin":"` + pin + `","certificate":"` + clientCrt + `","key":"` + clientKey + `"}`, "delivered"},
		{"who are you: other", closed, `,"tls":{"pin":"` + pin + `","certificate":"` + otherCrt + `","key":"` + otherKey + `"}`, "again"},
	}
	for i, c := range cases {
		id := "D" + string(rune('A'+i))
		s := sender(t, e, "to-BOB", c.url, c.settings)
		o, err := s.Send(context.Background(), id, stored(t, s, id))
		got := "no"
		switch {
		case transport.IsPermanent(err):
			got = "permanent"
		case err != nil:
			got = "again"
		case o.Delivered:
			got = "delivered"
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s: %+v, %v", c.name, got, c.want, o, err)
		}
		if got == "delivered" && !strings.HasPrefix(o.Evidence.TLS, "TLS 1.3 TLS_") {
			t.Errorf("%s: TLS %q", c.name, o.Evidence.TLS)
		}
	}
	seen := sink.Seen()
	if len(seen) != 3 || !strings.HasPrefix(seen[0].Evidence.TLS, "TLS 1.3 TLS_") {
		t.Errorf("%d arrivals, TLS %q", len(seen), seen[0].Evidence.TLS)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	cases := []struct{ settings, path, msg string }{
		{`{}`, "url", "not set"},
		{`{"url":"bob.example/as2"}`, "url", "want http"},
		{`{"url":"ftp://bob.example"}`, "url", "want http"},
		{`{"url":"https://me:pw@bob.example"}`, "url", "basic_auth"},
		{`{"url":"https://b","timeout":"0s"}`, "timeout", "more than"},
		{`{"url":"https://b","timeout":"soon"}`, "timeout", "no duration"},
		{`{"url":"https://b","basic_auth":{"user":"a"}}`, "basic_auth", "password_env"},
		{`{"url":"https://b","basic_auth":{"user":"a","password":"x"}}`, "basic_auth.password", "unknown setting"},
		{`{"url":"https://b","proxy":"b:1"}`, "proxy", "want http"},
		{`{"url":"https://b","headers":{"AS2-From":"X"}}`, "headers.AS2-From", "cannot be set"},
		{`{"url":"https://b","headers":{"message-id":"X"}}`, "headers.message-id", "cannot be set"},
		{`{"url":"https://b","headers":{"X-A":"a\r\nAS2-To: x"}}`, "headers.X-A", "cannot be set"},
		{`{"url":"https://b","headers":{"X A":"a"}}`, "headers.X A", "cannot be set"},
		{`{"url":"https://b","receipt_hosts":["http://x/y"]}`, "receipt_hosts.0", "want host"},
		{`{"url":"https://b","tls":{"min_version":"1.0"}}`, "tls.min_version", "1.2 or 1.3"},
		{`{"url":"https://b","tls":{"certificate":"x"}}`, "tls.certificate", "together"},
		{`{"url":"https://b","tls":{"pin":"abc"}}`, "tls.pin", "64 hex"},
		{`{"url":"https://b","tls":{"insecure":true}}`, "tls.insecure", "unknown setting"},
		{`{"url":"https://b","tls":{"ca":"missing.pem"}}`, "tls.ca", "missing.pem"},
	}
	e := endpoint(t, between("ALICE", "BOB", usual), func(c *connector.Config) { c.Base = t.TempDir() })
	for _, c := range cases {
		_, err := e.Sender(transport.Connection{Name: "x", Settings: []byte(c.settings)})
		var se *transport.SettingsError
		if !errors.As(err, &se) || se.Path != c.path || !strings.Contains(se.Msg, c.msg) {
			t.Errorf("%s: %v, want %q at %s", c.settings, err, c.msg, c.path)
		}
	}
	if _, err := connector.New(connector.Config{}); err == nil {
		t.Error("New without anything")
	}
}
