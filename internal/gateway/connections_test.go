package gateway_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/certs"
	"tradepost/internal/gateway"
	"tradepost/partners"
	"tradepost/tracking"
)

// front stands before a station's AS2 port and notes who comes by.
type front struct {
	*httptest.Server
	mu       sync.Mutex
	users    []string
	clients  []string
	requests []*http.Request
}

// newFront makes a front of a house, plain or with TLS.
func newFront(t *testing.T, h *house, secure bool, ask tls.ClientAuthType) *front {
	t.Helper()
	f := &front{}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: h.as2})
	f.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.requests = append(f.requests, r)
		user, password, _ := r.BasicAuth()
		f.users = append(f.users, user+":"+password)
		if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
			f.clients = append(f.clients, certs.Fingerprint(r.TLS.PeerCertificates[0]))
		}
		f.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	f.Config.ErrorLog = log.New(io.Discard, "", 0)
	if secure {
		f.TLS = &tls.Config{ClientAuth: ask, MinVersion: tls.VersionTLS12}
		f.StartTLS()
	} else {
		f.Start()
	}
	t.Cleanup(f.Close)
	return f
}

// last is what the front noted last.
func (f *front) last() (user, client string, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.clients); n > 0 {
		client = f.clients[n-1]
	}
	if n := len(f.users); n > 0 {
		user, r = f.users[n-1], f.requests[n-1]
	}
	return user, client, r
}

// connection is one of the house's.
func (h *house) connection(name string) partners.Connection {
	h.t.Helper()
	c, err := h.config().Directory.Connection(name)
	if err != nil {
		h.t.Fatal(err)
	}
	return *c
}

// connect sets more of the house's connection to its partner, or its URL.
func (h *house) connect(peer *house, to, more string) {
	h.t.Helper()
	h.replace(fmt.Sprintf(`url: "http://%s/as2", timeout: 5s`, peer.as2), fmt.Sprintf(`url: "%s", timeout: 5s%s`, to, more))
}

// TestConnectionToAServerThatAsks crosses TLS with basic authentication and a
// client certificate whose key is sealed, and renews it while the station runs.
func TestConnectionToAServerThatAsks(t *testing.T) {
	t.Parallel()
	buyer, supplier := newHouses(t)
	f := newFront(t, supplier, true, tls.RequireAnyClientCert)
	text, err := certs.NewSealingKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := certs.ParseSealingKey([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := certs.NewSealer(key)
	if err != nil {
		t.Fatal(err)
	}
	buyer.file("keys/sealing.key", text)
	present := func() *certs.Pair {
		p := buyer.pair(time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		_ = os.Remove(filepath.Join(buyer.dir, "keys/client.key"))
		if err := certs.WriteKeyFile(filepath.Join(buyer.dir, "keys/client.key"), p, sealer, rand.Reader); err != nil {
			t.Fatal(err)
		}
		buyer.file("keys/client.crt", string(certs.EncodeCertificate(p.Certificate)))
		return p
	}
	first := present()
	buyer.replace("\nlisten:", "\nsecrets: {key_file: keys/sealing.key}\nlisten:")
	pin := certs.Fingerprint(f.Certificate())
	buyer.connect(supplier, f.URL+"/as2", fmt.Sprintf(
		`, basic_auth: {user: kim, password_env: PATH}, headers: {X-Route: "edi 7"}, tls: {pin: "%s", certificate: keys/client.crt, key: keys/client.key}`, pin))
	buyer.serve()
	supplier.serve()
	x := trades(t, buyer, supplier, order("4500099001"))
	x.delivered()
	// `doctor --online` reaches the partner the same way.
	if resp, err := gateway.Reach(t.Context(), buyer.config(), buyer.connection("wire")); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("reaching the partner: %v", err)
	} else {
		_ = resp.Body.Close()
	}
	user, client, r := f.last()
	if user != "kim:"+os.Getenv("PATH") {
		t.Errorf("came as %.20q", user)
	}
	if client != certs.Fingerprint(first.Certificate) {
		t.Errorf("presented %s", client)
	}
	if r.Method != http.MethodHead {
		t.Errorf("the last request is %s", r.Method)
	}
	f.mu.Lock()
	for _, r := range f.requests {
		if r.Method == http.MethodPost && r.Header.Get("X-Route") != "edi 7" {
			t.Errorf("X-Route is %q", r.Header.Get("X-Route"))
		}
	}
	f.mu.Unlock()
	if !strings.HasPrefix(x.sent.Transmission.Evidence.TLS, "TLS 1.3") {
		t.Errorf("evidence of TLS: %q", x.sent.Transmission.Evidence.TLS)
	}
	second := present()
	f.CloseClientConnections()
	x.order("second.edi", order("4500099002"))
	x.delivered()
	if _, client, _ := f.last(); client != certs.Fingerprint(second.Certificate) {
		t.Errorf("after the renewal it presented %s", client)
	}
}

// TestConnectionTrustsWhatItIsTold meets a server whose certificate nobody
// vouches for, by no trust, a certificate of its own, and another's pin.
func TestConnectionTrustsWhatItIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tls  string
		good bool
	}{
		"the system's authorities": {"", false},
		"its own certificate":      {", tls: {ca: keys/front.crt, server_name: example.com}", true},
		"another's pin":            {", tls: {pin: " + strings.Repeat("ab", 32) + "}", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			buyer, supplier := newHouses(t)
			f := newFront(t, supplier, true, tls.NoClientCert)
			buyer.file("keys/front.crt", string(certs.EncodeCertificate(f.Certificate())))
			buyer.connect(supplier, f.URL+"/as2", c.tls)
			buyer.serve()
			supplier.serve()
			x := trades(t, buyer, supplier, order("4500099001"))
			if good := x.document.State == tracking.DocumentDelivered; good != c.good {
				t.Errorf("the order is %s: %s", x.document.State, x.document.Error)
			}
			if !c.good && !strings.Contains(x.document.Error, "certificate") {
				t.Errorf("the reason does not name the certificate: %s", x.document.Error)
			}
		})
	}
}

// TestConnectionThroughAProxy reaches a partner through an HTTP proxy only.
func TestConnectionThroughAProxy(t *testing.T) {
	t.Parallel()
	buyer, supplier := newHouses(t)
	f := newFront(t, supplier, false, tls.NoClientCert)
	buyer.connect(supplier, "http://as2.supplier.example/as2", `, proxy: "`+f.URL+`"`)
	buyer.serve()
	supplier.serve()
	trades(t, buyer, supplier, order("4500099001")).delivered()
	if _, _, r := f.last(); r == nil || r.URL.Host != "as2.supplier.example" {
		t.Errorf("the proxy was not asked for the partner")
	}
}

// TestProxiesInFront limits those who are refused by the address that a proxy
// of ours names, and by nobody else's word.
func TestProxiesInFront(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		listen string
		second int // what another source is answered after the first was shut out
	}{
		"ours":    {"proxies: [127.0.0.1], ", http.StatusBadRequest},
		"another": {"proxies: [192.0.2.0/24], ", http.StatusTooManyRequests},
		"none":    {"", http.StatusTooManyRequests},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			buyer, _ := newHouses(t)
			buyer.replace("\nlisten: {", "\nlisten: {"+c.listen)
			buyer.serve()
			ask := func(from string) int {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+buyer.as2+"/as2", strings.NewReader("x"))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("X-Forwarded-For", from)
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				return resp.StatusCode
			}
			status, n := 0, 0
			for ; status != http.StatusTooManyRequests && n < 200; n++ {
				status = ask("203.0.113.1")
			}
			if n < 20 || n == 200 {
				t.Errorf("shut out after %d refusals", n)
			}
			if got := ask("203.0.113.2"); got != c.second {
				t.Errorf("another source is answered %d, want %d", got, c.second)
			}
		})
	}
}

// TestReceiptHosts lets the supplier post its receipts only where the buyer's
// profile says.
func TestReceiptHosts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		more string
		good bool
	}{
		"nothing said":          {"", false},
		"another host":          {", receipt_hosts: [receipts.example]", false},
		"the host":              {", receipt_hosts: [localhost]", true},
		"the host, wrong port":  {`, receipt_hosts: ["localhost:1"]`, false},
		"the host and its port": {`, receipt_hosts: ["localhost:PORT"]`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			buyer, supplier := newHouses(t)
			_, port, err := net.SplitHostPort(buyer.as2)
			if err != nil {
				t.Fatal(err)
			}
			// The supplier knows the buyer by an address, the buyer calls itself by a name.
			buyer.replace("\nlisten: {", fmt.Sprintf("\nlisten: {as2_url: \"http://localhost:%s/as2\", ", port))
			buyer.agree("receipt: async")
			supplier.connect(buyer, "http://"+buyer.as2+"/as2", strings.ReplaceAll(c.more, "PORT", port))
			buyer.serve()
			supplier.serve()
			buyer.drop("order.edi", order("4500099001"))
			theirs := supplier.open()
			if c.good {
				buyer.await(tracking.DocumentQuery{Direction: tracking.Outbound, Type: "850"}, accepted)
				return
			}
			var text string
			for deadline := time.Now().Add(2 * time.Minute); text == "" && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
				events, err := theirs.Events(t.Context(), 0, 1000)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range events {
					if strings.Contains(e.Text, "receipt_hosts") {
						text = e.Text
					}
				}
			}
			if !strings.Contains(text, "localhost:"+port) {
				t.Errorf("no event says where the receipt was not posted: %q", text)
			}
		})
	}
}

// TestRestartIsRecorded breaks the line in the middle of an order: it is gone on
// with, and both sides tell.
func TestRestartIsRecorded(t *testing.T) {
	t.Parallel()
	buyer, supplier := newHouses(t)
	line := breakingLine(t, supplier.as2, 600<<10)
	buyer.agree("compress: none")
	buyer.connect(supplier, "http://"+line+"/as2", ", restart: true")
	buyer.serve()
	supplier.serve()
	var items strings.Builder
	const lines = 30_000
	for i := range lines {
		fmt.Fprintf(&items, "PO1*%d*144*EA*4.95**VN*TRV-%08d~\n", i+1, i)
	}
	large := strings.NewReplacer("PO1*1*144*EA*4.95**VN*TRV-100~\n", items.String(), "CTT*1~", fmt.Sprintf("CTT*%d~", lines), "SE*6*", fmt.Sprintf("SE*%d*", lines+5)).Replace(order("4500099001"))
	x := trades(t, buyer, supplier, large)
	x.delivered()
	if x.header("ETag") == "" {
		t.Error("it carries no ETag")
	}
	for side, v := range map[string]*tracking.TransmissionView{"buyer": x.sent, "supplier": x.received} {
		text := ""
		for _, e := range v.Events {
			if e.Kind == tracking.EventResumed {
				text = e.Text
			}
		}
		if !strings.Contains(text, "gone on with from byte ") {
			t.Errorf("the %s does not tell that it was gone on with: %q", side, text)
		}
	}
	if x.received.Transmission.State != tracking.TransmissionProcessed || x.sent.Transmission.Attempts != 1 {
		t.Errorf("there it is %s, after %d tries", x.received.Transmission.State, x.sent.Transmission.Attempts)
	}
}

// breakingLine leads to an address and breaks once, after some bytes.
func breakingLine(t *testing.T, to string, after int64) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	var once sync.Once
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = client.Close() }()
				server, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer func() { _ = server.Close() }()
				go func() { _, _ = io.Copy(client, server); _ = client.Close() }()
				if _, err := io.CopyN(server, client, after); err != nil {
					return
				}
				broke := false
				once.Do(func() { broke = true })
				if !broke {
					_, _ = io.Copy(server, client)
				}
			}()
		}
	}()
	return l.Addr().String()
}

// TestECCertificates gives both sides keys of an elliptic curve: signatures are
// ECDSA, and content keys are agreed upon.
func TestECCertificates(t *testing.T) {
	t.Parallel()
	buyer, supplier := newHouses(t)
	pairs := map[*house]*certs.Pair{}
	for _, h := range []*house{buyer, supplier} {
		p, err := certs.Generate(certs.Request{CommonName: h.name, Type: certs.P256, NotBefore: time.Now().Add(-time.Hour)}, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		pairs[h] = p
	}
	for h, peer := range map[*house]*house{buyer: supplier, supplier: buyer} {
		key, err := certs.EncodeKey(pairs[h].Key)
		if err != nil {
			t.Fatal(err)
		}
		h.file("keys/own.key", string(key))
		h.file("keys/own.crt", string(certs.EncodeCertificate(pairs[h].Certificate)))
		h.file("keys/peer.crt", string(certs.EncodeCertificate(pairs[peer].Certificate)))
	}
	buyer.serve()
	supplier.serve()
	x := trades(t, buyer, supplier, order("4500099001"))
	x.delivered()
	e := x.arrived().Evidence
	if e.Signer == nil || e.Recipient == nil || !x.receipt().Signed {
		t.Fatalf("evidence %+v", e)
	}
	if ecdh := []byte{0x2b, 0x81, 0x04, 0x01, 0x0b, 0x01}; !bytes.Contains(x.wire()[:1024], ecdh) { // dhSinglePass-stdDH-sha256kdf-scheme
		t.Error("the content key was not agreed upon")
	}
}

// TestFileNames sends names that are paths, and names again.
func TestFileNames(t *testing.T) {
	t.Parallel()
	type sent struct {
		name, id string
		want     tracking.TransmissionState
		why      string
	}
	path := "../../etc/orders.edi"
	for settings, sends := range map[string][]sent{
		"file_names: any":   {{path, "1", tracking.TransmissionProcessed, ""}, {path, "2", tracking.TransmissionProcessed, ""}},
		"file_names: plain": {{path, "1", tracking.TransmissionRefused, "file name"}, {"a.edi", "2", tracking.TransmissionProcessed, ""}, {"a.edi", "3", tracking.TransmissionProcessed, ""}},
		"file_names: unique": {
			{path, "1", tracking.TransmissionRefused, "file name"},
			{"a.edi", "2", tracking.TransmissionProcessed, ""},
			{"a.edi", "3", tracking.TransmissionRefused, `"a.edi" was used before`},
			{"a.edi", "2", tracking.TransmissionDuplicate, ""}, // a retry
			{"a.edi.1", "4", tracking.TransmissionProcessed, ""},
			{"", "5", tracking.TransmissionProcessed, ""},
			{"", "6", tracking.TransmissionProcessed, ""},
			{"b", "7", tracking.TransmissionProcessed, ""},
		},
	} {
		t.Run(settings, func(t *testing.T) {
			t.Parallel()
			_, supplier := newHouses(t)
			supplier.agree("require_signed: false, require_encrypted: false, " + settings)
			supplier.serve()
			store := supplier.open()
			for i, s := range sends {
				body := []byte(strings.Replace(order(fmt.Sprint(4500099000+i)), "000000001", fmt.Sprintf("%09d", i+1), 2))
				out, err := as2.Build(context.Background(), as2.Relation{Station: as2.Station{ID: "BUYER"}, Partner: as2.Partner{ID: "SUPPLIER"}}, as2.Payload{
					ContentType: "application/edi-x12", Filename: s.name, Size: int64(len(body)),
					Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil },
				}, as2.Options{MessageID: "<" + s.id + "@test>", Now: time.Now()})
				if err != nil {
					t.Fatal(err)
				}
				_, err = as2.NewClient(as2.ClientConfig{}).Post(t.Context(), "http://"+supplier.as2+"/as2", out)
				if (err != nil) != (s.want == tracking.TransmissionRefused) {
					t.Error(err)
				}
				if err := out.Close(); err != nil {
					t.Fatal(err)
				}
				if m := supplier.settled(store); m.State != s.want || m.MessageID != "<"+s.id+"@test>" || !strings.Contains(m.Error, s.why) {
					t.Errorf("%s as %s: the transmission %s is %s: %s", s.name, s.id, m.MessageID, m.State, m.Error)
				}
			}
		})
	}
}

// TestReceiptsWithoutMIC trades with a partner whose signed receipts for
// unsigned content carry no MIC.
func TestReceiptsWithoutMIC(t *testing.T) {
	t.Parallel()
	for settings, good := range map[string]bool{"": false, "receipt_mic_optional: true": true, "peer: pyas2": true} {
		t.Run(settings, func(t *testing.T) {
			t.Parallel()
			buyer, supplier := newHouses(t)
			buyer.agree(strings.TrimSuffix("sign: none, "+settings, ", "))
			ring, err := supplier.config().Keyring()
			if err != nil {
				t.Fatal(err)
			}
			key := as2.Key{Certificate: ring.Own[0].Certificate, Private: ring.Key(ring.Own[0].Certificate)}
			partner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				report := []byte("--b\r\nContent-Type: text/plain\r\n\r\ntaken\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\n" +
					"Final-Recipient: rfc822; SUPPLIER\r\nOriginal-Message-ID: " + r.Header.Get("Message-ID") +
					"\r\nDisposition: automatic-action/MDN-sent-automatically; processed\r\n\r\n--b--\r\n")
				out, err := as2.Build(r.Context(), as2.Relation{Station: as2.Station{ID: "SUPPLIER", Keys: []as2.Key{key}}, Partner: as2.Partner{ID: "BUYER"}}, as2.Payload{
					ContentType: "multipart/report; report-type=disposition-notification; boundary=b", Size: int64(len(report)),
					Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(report)), nil },
				}, as2.Options{MessageID: "<receipt@test>", Now: time.Now(), Sign: as2.SHA256})
				if err != nil {
					t.Error(err)
					return
				}
				defer func() { _ = out.Close() }()
				body, err := out.Open()
				if err != nil {
					t.Error(err)
					return
				}
				for n, v := range out.Header {
					w.Header()[n] = v
				}
				_, _ = io.Copy(w, body)
			}))
			t.Cleanup(partner.Close)
			buyer.connect(supplier, partner.URL+"/as2", "")
			buyer.serve()
			buyer.drop("order.edi", order("4500099001"))
			d := buyer.await(tracking.DocumentQuery{Direction: tracking.Outbound, Type: "850"}, func(d tracking.DocumentRow) bool {
				return d.State == tracking.DocumentDelivered || d.State == tracking.DocumentFailed
			})
			if (d.State == tracking.DocumentDelivered) != good || !good && !strings.Contains(d.Error, "Received-Content-MIC") {
				t.Errorf("the order is %s: %s", d.State, d.Error)
			}
		})
	}
}
