package as2

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// rawPartner answers every connection with the same bytes after it has read
// one request, and keeps the request.
func rawPartner(t *testing.T, answer ...string) (address string, request func() string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	got := make(chan string, 16)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				var raw bytes.Buffer
				req, err := http.ReadRequest(bufio.NewReader(io.TeeReader(c, &raw)))
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, req.Body)
				got <- raw.String()
				for _, piece := range answer {
					if _, err := io.WriteString(c, piece); err != nil {
						return
					}
					time.Sleep(time.Millisecond) // lets the pieces leave as packets of their own; nothing depends on it
				}
			}()
		}
	}()
	return "http://" + l.Addr().String(), func() string { return <-got }
}

// answerTo makes bob's receipt for a transmission.
func answerTo(t testing.TB, out *Outgoing) *Receipt {
	t.Helper()
	r := receiveAt(t, relation("bob", "alice"), out.Header, bodyOf(t, out))
	rc, err := r.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	return rc
}

// headOf writes the header lines of a receipt.
func headOf(rc *Receipt) string {
	var b bytes.Buffer
	_ = WriteStored(&b, rc.Header, strings.NewReader("")) // a buffer takes everything
	return strings.TrimSuffix(b.String(), "\r\n")
}

func post(t *testing.T, target string, out *Outgoing) (*Response, error) {
	t.Helper()
	c := NewClient(ClientConfig{})
	defer c.CloseIdle()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	return c.Post(ctx, target, out)
}

func TestDrummondHTTPAnswers(t *testing.T) {
	t.Parallel()
	out := mustBuild(t, order, Options{Sign: SHA256, Receipt: ReceiptRequest{Mode: SyncReceipt, Signed: true}})
	rc := answerTo(t, out)
	head, body := headOf(rc), string(rc.Body)
	chunked := func(end string) string {
		return fmt.Sprintf("%x%s\r\n%s\r\n%x%s\r\n%s\r\n0\r\n\r\n", 100, end, body[:100], len(body)-100, end, body[100:])
	}
	i := strings.Index(body, "\r\n\r\n") + 2
	for name, answer := range map[string][]string{
		"Content-Length":                  {"HTTP/1.1 200 OK\r\n" + head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body},
		"HTTP/1.0, ends with the close":   {"HTTP/1.0 200 OK\r\n" + head + "\r\n" + body},
		"no length, ends with the close":  {"HTTP/1.1 200 OK\r\nConnection: close\r\n" + head + "\r\n" + body},
		"chunked":                         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + head + "\r\n" + chunked("")},
		"chunk sizes followed by spaces":  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + head + "\r\n" + chunked("  ")},
		"chunk extensions":                {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + head + "\r\n" + chunked(";name=value")},
		"split inside CRLFCRLF":           {"HTTP/1.1 200 OK\r\nConnection: close\r\n" + head + "\r", "\n" + body[:i], body[i : i+1], body[i+1:]},
		"Content-Length two bytes short":  {"HTTP/1.1 200 OK\r\n" + head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)-2) + body[:len(body)-2]},
		"Content-Length four bytes short": {"HTTP/1.1 200 OK\r\n" + head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)-4) + body[:len(body)-4]},
		"Content-Length two bytes long":   {"HTTP/1.1 200 OK\r\n" + head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)+2) + body},
		"100 Continue first":              {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" + head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body},
		"102 Processing first":            {"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n" + head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body},
		"folded Content-Type": {"HTTP/1.1 200 OK\r\n" + strings.Replace(head, "micalg=sha-256; ", "micalg=sha-256;\r\n\t", 1) +
			fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body},
		"201 Created": {"HTTP/1.1 201 Created\r\n" + head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, _ := rawPartner(t, answer...)
			resp, err := post(t, address, out)
			if err != nil {
				t.Fatal(err)
			}
			got, err := resp.Receipt()
			if err != nil {
				t.Fatal(err)
			}
			if o := got.Check(out.Sent, relation("alice", "bob").Partner.Verify); !o.Delivered {
				t.Errorf("outcome %+v", o)
			}
		})
	}
	for _, status := range []string{"200 OK", "202 Accepted", "204 No Content"} {
		t.Run("asynchronous: "+status, func(t *testing.T) {
			t.Parallel()
			address, _ := rawPartner(t, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\n\r\n")
			resp, err := post(t, address, out)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := resp.Receipt(); !errors.Is(err, ErrNoReceipt) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("a page that says thank you is no receipt", func(t *testing.T) {
		t.Parallel()
		address, _ := rawPartner(t, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>thanks</html>")
		resp, err := post(t, address, out)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := resp.Receipt(); !errors.Is(err, ErrNoReceipt) {
			t.Errorf("got %v", err)
		}
	})
}

func TestDrummondHTTPRequest(t *testing.T) {
	t.Parallel()
	out := mustBuild(t, order, Options{
		Sign: SHA256, Encrypt: AES128CBC,
		Receipt: ReceiptRequest{Mode: AsyncReceipt, Signed: true, URL: "https://alice.test/mdn?" + strings.Repeat("a=b&", 40)},
	})
	if len(out.Header.Get("Receipt-Delivery-Option")) < 150 {
		t.Error("the receipt URL was cut")
	}
	address, request := rawPartner(t, "HTTP/1.1 204 No Content\r\n\r\n")
	path := "/as2?x=" + strings.Repeat("y", 120)
	if _, err := post(t, address+path, out); err != nil {
		t.Fatal(err)
	}
	got := request()
	if !strings.HasPrefix(got, "POST "+path+" HTTP/1.1\r\n") {
		t.Errorf("request line %q", strings.SplitN(got, "\r\n", 2)[0])
	}
	head, body, _ := strings.Cut(got, "\r\n\r\n")
	if body != string(bodyOf(t, out)) {
		t.Error("the body differs")
	}
	for _, want := range []string{
		"\r\nAS2-Version: 1.3\r\n", "\r\nAS2-From: alice\r\n", "\r\nAS2-To: bob\r\n", "\r\nMessage-ID: <order-1@alice.test>\r\n",
		"\r\nMIME-Version: 1.0\r\n", "\r\nEDIINT-Features: ", "\r\nAS2-Product: tradepost\r\n",
		fmt.Sprintf("\r\nContent-Length: %d\r\n", len(body)),
	} {
		if !strings.Contains(head+"\r\n", want) {
			t.Errorf("%q is not in\n%s", want, head)
		}
	}
	for _, not := range []string{"Transfer-Encoding", "Accept-Encoding", "Authorization", "Expect"} {
		if strings.Contains(head, "\r\n"+not+":") {
			t.Errorf("%s is in\n%s", not, head)
		}
	}
	t.Run("https without a port is 443", func(t *testing.T) {
		t.Parallel()
		asked := ""
		transport := newTransport(ClientConfig{})
		transport.DialContext = func(_ context.Context, _, address string) (net.Conn, error) {
			asked = address
			return nil, errors.New("no network in tests")
		}
		c := NewClient(ClientConfig{Transport: transport})
		_, err := c.Post(t.Context(), "https://partner.test/as2", out)
		var failed *PostError
		if !errors.As(err, &failed) || !failed.Retry || asked != "partner.test:443" {
			t.Errorf("dialled %q, %v", asked, err)
		}
	})
}

// TestPostAgain proves that a retry sends the same bytes.
func TestPostAgain(t *testing.T) {
	t.Parallel()
	out := mustBuild(t, bytes.Repeat(order, 20000), Options{
		Sign: SHA256, Encrypt: AES256CBC, Compress: BeforeSigning, Spool: Spool{Dir: t.TempDir(), Threshold: 1 << 10},
		Receipt: ReceiptRequest{Mode: SyncReceipt, Signed: true},
	})
	address, request := rawPartner(t, "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n")
	var first string
	for i := range 3 {
		_, err := post(t, address, out)
		var failed *PostError
		if !errors.As(err, &failed) || failed.Status != 503 || !failed.Retry || failed.After != 2*time.Minute {
			t.Fatalf("got %+v", err)
		}
		_, body, _ := strings.Cut(request(), "\r\n\r\n")
		if i == 0 {
			first = body
		}
		if body != first || int64(len(body)) != out.Size {
			t.Fatal("a retry sends other bytes")
		}
	}
}

func TestPostErrors(t *testing.T) {
	t.Parallel()
	out := mustBuild(t, order, Options{})
	for status, retry := range map[int]bool{
		301: false, 302: false, 307: false, 400: false, 401: false, 403: false, 404: false, 408: true, 413: false,
		425: true, 429: true, 500: true, 501: false, 502: true, 503: true, 504: true, 505: false,
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			address, _ := rawPartner(t, fmt.Sprintf("HTTP/1.1 %d x\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\nno", status))
			_, err := post(t, address, out)
			var failed *PostError
			if !errors.As(err, &failed) || failed.Status != status || failed.Retry != retry || string(failed.Body) != "no" {
				t.Errorf("got %+v", failed)
			}
		})
	}
	t.Run("no answer at all", func(t *testing.T) {
		t.Parallel()
		address, _ := rawPartner(t)
		_, err := post(t, address, out)
		var failed *PostError
		if !errors.As(err, &failed) || failed.Status != 0 || !failed.Retry {
			t.Errorf("got %+v", err)
		}
	})
	t.Run("answer breaks off in its chunks", func(t *testing.T) {
		t.Parallel()
		address, _ := rawPartner(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")
		resp, err := post(t, address, out)
		if err != nil || !resp.Truncated {
			t.Errorf("got %+v, %v", resp, err)
		}
	})
	t.Run("endless answer", func(t *testing.T) {
		t.Parallel()
		address, _ := rawPartner(t, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", strings.Repeat("x", 2<<20))
		_, err := post(t, address, out)
		var failed *PostError
		if !errors.As(err, &failed) {
			t.Errorf("got %v", err)
		}
	})
	for _, address := range []string{"ftp://x/", "/path", "http://", "http://[::1", ""} {
		t.Run("address "+address, func(t *testing.T) {
			t.Parallel()
			_, err := post(t, address, out)
			var failed *PostError
			if !errors.As(err, &failed) || failed.Retry {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("address is not public", func(t *testing.T) {
		t.Parallel()
		c := NewClient(ClientConfig{PublicOnly: true})
		_, err := c.Post(t.Context(), "http://127.0.0.1:1/", out)
		var private *PrivateAddressError
		var failed *PostError
		if !errors.As(err, &private) || !errors.As(err, &failed) || failed.Retry {
			t.Errorf("got %v", err)
		}
	})
}

// TestPostTLS trusts only what it is told to trust.
func TestPostTLS(t *testing.T) {
	t.Parallel()
	out := mustBuild(t, order, Options{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "alice" || password != "secret" {
			http.Error(w, "who?", http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)

	_, err := post(t, server.URL, out)
	var failed *PostError
	if !errors.As(err, &failed) || failed.Retry {
		t.Errorf("an unknown certificate: %+v", failed)
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	c := NewClient(ClientConfig{TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10}, Username: "alice", Password: "secret"})
	defer c.CloseIdle()
	if resp, err := c.Post(t.Context(), server.URL, out); err != nil || resp.Status != http.StatusNoContent {
		t.Errorf("got %+v, %v", resp, err)
	}
	server.TLS.MaxVersion = tls.VersionTLS11
	old := NewClient(ClientConfig{TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10}})
	defer old.CloseIdle()
	if _, err := old.Post(t.Context(), server.URL, out); err == nil {
		t.Error("TLS 1.1 was spoken")
	}
}

// TestDrummondServer receives what odd clients send over HTTP.
func TestDrummondServer(t *testing.T) {
	t.Parallel()
	out := mustBuild(t, order, Options{Sign: SHA256, Encrypt: AES256CBC, Receipt: ReceiptRequest{Mode: SyncReceipt, Signed: true}})
	body := string(bodyOf(t, out))
	var stored bytes.Buffer
	if err := WriteStored(&stored, out.Header, strings.NewReader("")); err != nil {
		t.Fatal(err)
	}
	head := strings.TrimSuffix(stored.String(), "\r\n")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rcv, err := Receive(r.Context(), r.Header, r.Body, ReceiveOptions{Lookup: lookup(relation("bob", "alice"))})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		defer func() { _ = rcv.Close() }()
		rc, err := rcv.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		for name, values := range rc.Header {
			w.Header()[name] = values
		}
		_, _ = w.Write(rc.Body)
	}))
	t.Cleanup(server.Close)
	length := fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body))
	chunked := func(end string) string {
		return "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%X%s\r\n%s\r\n%x%s\r\n%s\r\n0\r\n\r\n", 100, end, body[:100], len(body)-100, end, body[100:])
	}
	for name, request := range map[string][]string{
		"Content-Length":                 {"POST / HTTP/1.1\r\nHost: x\r\n" + head + length + body},
		"HTTP/1.0":                       {"POST / HTTP/1.0\r\n" + head + length + body},
		"chunked":                        {"POST / HTTP/1.1\r\nHost: x\r\n" + head + chunked("")},
		"chunk sizes followed by spaces": {"POST / HTTP/1.1\r\nHost: x\r\n" + head + chunked(" ")},
		"chunk extensions":               {"POST / HTTP/1.1\r\nHost: x\r\n" + head + chunked(";x=y")},
		"Expect: 100-continue":           {"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n" + head + length, body},
		"folded headers": {"POST / HTTP/1.1\r\nHost: x\r\n" +
			strings.Replace(head, "signed-receipt-protocol=optional, ", "signed-receipt-protocol=optional,\r\n ", 1) + length + body},
		"lower case names": {"POST / HTTP/1.1\r\nhost: x\r\n" + strings.NewReplacer("AS2-From", "as2-from", "AS2-To", "as2-to", "Message-ID", "message-id").Replace(head) + length + body},
		"in many packets":  append([]string{"POST / HTTP/1.1\r\nHost: x\r", "\n" + head + length[:len(length)-1], "\n"}, strings.SplitAfter(body, "\n")...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			if err := c.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
				t.Fatal(err)
			}
			for _, piece := range request {
				if _, err := io.WriteString(c, piece); err != nil {
					t.Fatal(err)
				}
			}
			br := bufio.NewReader(c)
			resp, err := http.ReadResponse(br, &http.Request{Method: http.MethodPost})
			if err == nil && resp.StatusCode == http.StatusContinue {
				resp, err = http.ReadResponse(br, &http.Request{Method: http.MethodPost})
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			rc, err := ParseReceipt(resp.Header, resp.Body, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if o := rc.Check(out.Sent, relation("alice", "bob").Partner.Verify); !o.Delivered {
				t.Errorf("outcome %+v", o)
			}
		})
	}
}
