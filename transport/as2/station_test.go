package as2_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/certs"
	"tradepost/transport"
	connector "tradepost/transport/as2"
	"tradepost/transport/transporttest"
)

// keys are made once: an RSA key takes its time.
var keys = sync.OnceValue(func() map[string]as2.Key {
	out := map[string]as2.Key{}
	for _, name := range []string{"ALICE", "BOB", "MALLORY"} {
		p, err := certs.Generate(certs.Request{CommonName: name, NotBefore: time.Now().Add(-time.Hour)}, rand.Reader)
		if err != nil {
			panic(err)
		}
		out[name] = as2.Key{Certificate: p.Certificate, Private: p.Key}
	}
	return out
})

// usual is how the tests send when they say nothing else.
var usual = connector.Terms{
	Sign: as2.SHA256, Encrypt: as2.AES256CBC, Compress: as2.BeforeSigning, Receipt: as2.SyncReceipt, SignedReceipt: true,
}

// relations is a station with one partner.
type relations struct {
	mu   sync.Mutex
	rel  connector.Relation
	fail error
}

// between is station us with partner them.
func between(us, them string, terms connector.Terms) *relations {
	return &relations{rel: connector.Relation{
		Relation: as2.Relation{
			Station: as2.Station{ID: us, Keys: []as2.Key{keys()[us]}},
			Partner: as2.Partner{ID: them, Encrypt: keys()[them].Certificate, Verify: certificates(them)},
			Policy:  as2.Policy{RequireSigned: terms.Sign != "", RequireEncrypted: terms.Encrypt != ""},
		},
		Partner: "our-" + them, Connection: "to-" + them, Terms: terms,
	}}
}

// change changes the relation from now on.
func (r *relations) change(f func(*connector.Relation)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.rel)
}

func (r *relations) get() (*connector.Relation, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rel := r.rel
	return &rel, r.fail
}

func (r *relations) Receiving(_ context.Context, from, to string) (*connector.Relation, error) {
	rel, err := r.get()
	if err == nil && (from != rel.Relation.Partner.ID || to != rel.Station.ID) {
		return nil, as2.ErrUnknownRelation
	}
	return rel, err
}

func (r *relations) Sending(_ context.Context, connection string) (*connector.Relation, error) {
	rel, err := r.get()
	if err == nil && connection != rel.Connection {
		return nil, errors.New("no such connection")
	}
	return rel, err
}

func (r *relations) StrangerKey(context.Context, string) (*as2.Key, error) {
	rel, err := r.get()
	return &rel.Station.Keys[0], err
}

// endpoint makes the connector of a station.
func endpoint(t testing.TB, r *relations, change func(*connector.Config)) *connector.Endpoint {
	t.Helper()
	c := connector.Config{Relations: r, Now: time.Now, Rand: rand.Reader, Host: "test.example", TempDir: t.TempDir()}
	if change != nil {
		change(&c)
	}
	e, err := connector.New(c)
	must(t, err)
	return e
}

// sender makes a Sender to url.
func sender(t testing.TB, e *connector.Endpoint, name, url, more string) *connector.Sender {
	t.Helper()
	s, err := e.Sender(transport.Connection{Name: name, Connector: "as2", Settings: json.RawMessage(`{"url":"` + url + `"` + more + `}`)})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// serve runs a Listener on a free port until the test ends, and returns its URL.
func serve(t testing.TB, e *connector.Endpoint, sink transport.Sink, c connector.ListenConfig) string {
	t.Helper()
	c.Address = "127.0.0.1:0"
	l, err := e.Listener(c, sink)
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx) }()
	t.Cleanup(func() { cancel(); must(t, <-done) })
	scheme := "http"
	if c.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + l.Addr().String() + "/as2"
}

func certificates(name string) []*x509.Certificate {
	return []*x509.Certificate{keys()[name].Certificate}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wirePort is a place between sender and receiver where things go wrong. It
// keeps its address while the receiver behind it is replaced.
type wirePort struct {
	mu     sync.Mutex
	target string
	cut    bool
	lose   bool
	status int
	server *httptest.Server
}

func newWirePort(t *testing.T, secure bool) *wirePort {
	p := &wirePort{}
	if secure {
		p.server = httptest.NewTLSServer(p)
	} else {
		p.server = httptest.NewServer(p)
	}
	t.Cleanup(p.server.Close)
	return p
}

func (p *wirePort) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// ServeHTTP passes a request on, or does not.
func (p *wirePort) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	target, cut, lose, status := p.target, p.cut, p.lose, p.status
	p.lose = false
	p.mu.Unlock()
	switch {
	case cut:
		panic(http.ErrAbortHandler)
	case status != 0:
		w.WriteHeader(status)
		return
	}
	u, err := url.Parse(target)
	if err != nil {
		panic(err)
	}
	out := r.Clone(r.Context())
	out.URL, out.Host, out.RequestURI = u, u.Host, ""
	tr := &http.Transport{DisableKeepAlives: true, DisableCompression: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	resp, err := tr.RoundTrip(out)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer resp.Body.Close()
	if lose {
		panic(http.ErrAbortHandler)
	}
	for n, v := range resp.Header {
		w.Header()[n] = v
	}
	w.WriteHeader(resp.StatusCode)
	_, err = io.Copy(w, resp.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
}

// road joins ALICE's Sender to BOB's Listener.
func road(terms connector.Terms, secure bool) transporttest.Factory {
	return func(t *testing.T) *transporttest.Road {
		alice, bob := between("ALICE", "BOB", terms), between("BOB", "ALICE", terms)
		out, in := endpoint(t, alice, nil), endpoint(t, bob, nil)
		port := newWirePort(t, secure)
		more, scheme := "", "http"
		var tlsConfig *tls.Config
		if secure {
			ca := filepath.Join(t.TempDir(), "ca.pem")
			must(t, os.WriteFile(ca, certs.EncodeCertificate(port.server.Certificate()), 0o600))
			more, scheme = `,"tls":{"ca":"`+ca+`"}`, "https"
			tlsConfig = port.server.TLS.Clone()
			tlsConfig.NextProtos = nil
		}
		return &transporttest.Road{
			Sender: func(t *testing.T) transport.Sender { return sender(t, out, "to-BOB", port.server.URL+"/as2", more) },
			Listener: func(t *testing.T, sink transport.Sink) transport.Listener {
				socket, err := net.Listen("tcp", "127.0.0.1:0")
				must(t, err)
				l, err := in.Listener(connector.ListenConfig{Listener: socket, TLS: tlsConfig}, sink)
				must(t, err)
				port.set(func() { port.target = scheme + "://" + socket.Addr().String() + "/as2" })
				return l
			},
			Settings: func(raw json.RawMessage) error {
				_, err := out.Sender(transport.Connection{Name: "x", Settings: raw})
				return err
			},
			Partner: "our-ALICE",
			Answers: true,
			Empty:   true,
			Filename: func(_, sent string) string {
				return sent // names are metadata and travel as they are
			},
			Cut: func(*testing.T) func() {
				port.set(func() { port.cut = true })
				return func() { port.set(func() { port.cut = false }) }
			},
			LoseAnswer: func(*testing.T) { port.set(func() { port.lose = true }) },
			Refuse: func(*testing.T) func() {
				bob.change(func(r *connector.Relation) { r.Relation.Partner.Verify = certificates("MALLORY") })
				return func() { bob.change(func(r *connector.Relation) { r.Relation.Partner.Verify = certificates("ALICE") }) }
			},
		}
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	transporttest.Run(t, road(usual, false))
}

// TestConformanceHTTPS: the same over TLS, trusted by an authority of the test.
func TestConformanceHTTPS(t *testing.T) {
	t.Parallel()
	transporttest.Run(t, road(usual, true))
}

// TestConformancePlain: neither signed nor encrypted, with an unsigned receipt.
func TestConformancePlain(t *testing.T) {
	t.Parallel()
	f := road(connector.Terms{Receipt: as2.SyncReceipt}, false)
	transporttest.Run(t, func(t *testing.T) *transporttest.Road {
		r := f(t)
		r.Refuse = nil // nothing there to refuse
		return r
	})
}
