package as2_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync/atomic"
	"testing"

	"tradepost/transport"
	connector "tradepost/transport/as2"
)

// newProxy is an HTTP proxy that lets pass who knows its password: by CONNECT
// (RFC 9110 section 9.3.6), or by whole addresses.
func newProxy(t *testing.T) (url string, passed *atomic.Int32) {
	t.Helper()
	passed = &atomic.Int32{}
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("us:s3cret"))
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.Header.Del("Proxy-Authorization") }}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Proxy-Authorization") != want {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		passed.Add(1)
		if r.Method != http.MethodConnect {
			forward.ServeHTTP(w, r)
			return
		}
		there, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = there.Close() }()
		w.WriteHeader(http.StatusOK)
		here, rest, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = here.Close() }()
		go func() { _, _ = io.Copy(there, rest) }()
		_, _ = io.Copy(here, there)
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL, passed
}

// TestThroughAProxy: transmissions leave through a proxy with a password, in the
// clear and over TLS with a pinned certificate; the partner learns nothing of
// the password, and a proxy that does not let us pass is tried again.
func TestThroughAProxy(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		var listen connector.ListenConfig
		var more string
		if secure {
			pair := keys()["MALLORY"]
			sum := sha256.Sum256(pair.Certificate.Raw)
			listen.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{pair.Certificate.Raw}, PrivateKey: pair.Private}}}
			more = `,"tls":{"pin":"` + hex.EncodeToString(sum[:]) + `"}`
		}
		b := newBench(t, nil, listen)
		proxy, passed := newProxy(t)
		e := endpoint(t, between("ALICE", "BOB", usual), nil)
		with := func(user string) *connector.Sender {
			return sender(t, e, "to-BOB", b.url, more+`,"proxy":"`+strings.Replace(proxy, "://", "://"+user, 1)+`"`)
		}
		s := with("us:s3cret@")
		p := stored(t, s, "D1")
		for _, user := range []string{"", "us:wrong@"} {
			o, err := with(user).Send(context.Background(), "D1", p)
			if err == nil || o != nil || passed.Load() != 0 || len(b.sink.Seen()) != 0 {
				t.Fatalf("secure %v, as %q: %+v, %v", secure, user, o, err)
			}
			if strings.Contains(err.Error(), "wrong") {
				t.Errorf("the password is told: %v", err)
			}
			if transport.IsPermanent(err) {
				t.Errorf("secure %v, as %q: given up at once: %v", secure, user, err)
			}
		}
		o, err := s.Send(context.Background(), "D1", p)
		must(t, err)
		if !o.Delivered || passed.Load() != 1 || len(b.sink.Seen()) != 1 {
			t.Errorf("secure %v: %+v, %d passed", secure, o, passed.Load())
		}
		for _, f := range b.sink.Seen()[0].Evidence.Headers {
			if strings.EqualFold(f.Name, "Proxy-Authorization") {
				t.Error("the partner has got the password of the proxy")
			}
		}
	}
}
