package gateway_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tradepost/certs"
	"tradepost/internal/config"
)

// TestShareOfOneSource: how many connections of the AS2 listener one source may
// take is a setting.
func TestShareOfOneSource(t *testing.T) {
	t.Parallel()
	for limits, want := range map[string]int{"{connections: 4, share: 25}": 1, "{connections: 3, share: 100}": 3} {
		t.Run(limits, func(t *testing.T) {
			t.Parallel()
			_, supplier := newHouses(t)
			supplier.edit(func(c *config.Config) ([]byte, error) {
				text, err := os.ReadFile(c.File)
				return []byte(strings.Replace(string(text), "\nlisten: {", "\nlimits: "+limits+"\nlisten: {", 1)), err
			})
			supplier.start()
			for i := range want {
				if !speaks(t, supplier.as2) {
					t.Errorf("connection %d is turned away", i+1)
				}
			}
			if want < 3 && speaks(t, supplier.as2) { // at 100 percent one more waits
				t.Error("one more than its share is let in")
			}
		})
	}
}

// speaks opens a connection that stays open until the test ends, and tells
// whether it is answered.
func speaks(t *testing.T, address string) bool {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /as2 HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return false
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil && resp.Body.Close() == nil
}

// TestListenerAsksForCertificates: with client_ca only those come in whom an
// authority of the station's choice vouches for, or whose own certificate it has.
func TestListenerAsksForCertificates(t *testing.T) {
	t.Parallel()
	_, supplier := newHouses(t)
	server, client, stranger := supplier.pair(time.Now().Add(-time.Hour), time.Now().Add(time.Hour)), supplier.pair(time.Now().Add(-time.Hour), time.Now().Add(time.Hour)),
		supplier.pair(time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	key, err := certs.EncodeKey(server.Key)
	if err != nil {
		t.Fatal(err)
	}
	supplier.file("keys/tls.key", string(key))
	supplier.file("keys/tls.crt", string(certs.EncodeCertificate(server.Certificate)))
	supplier.file("keys/clients.pem", string(certs.EncodeCertificate(client.Certificate)))
	supplier.edit(func(c *config.Config) ([]byte, error) {
		text, err := os.ReadFile(c.File)
		return []byte(strings.Replace(string(text), "listen: {", "listen: {tls: {certificate: keys/tls.crt, key: keys/tls.key, client_ca: keys/clients.pem}, ", 1)), err
	})
	supplier.start()
	for name, c := range map[string]struct {
		pair *certs.Pair
		in   bool
	}{"known": {client, true}, "a stranger": {stranger, false}, "nobody": {nil, false}} {
		config := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // who the server is, is not what is tested
		if c.pair != nil {
			config.Certificates = []tls.Certificate{{Certificate: [][]byte{c.pair.Certificate.Raw}, PrivateKey: c.pair.Key}}
		}
		transport := &http.Transport{TLSClientConfig: config}
		resp, err := (&http.Client{Transport: transport}).Get("https://" + supplier.as2 + "/as2")
		if err == nil {
			_ = resp.Body.Close()
		}
		if (err == nil) != c.in {
			t.Errorf("%s: %v", name, err)
		}
		transport.CloseIdleConnections()
	}
	supplier.file("keys/clients.pem", "nothing")
	if _, err := config.Load(filepath.Join(supplier.dir, "tradepost.yaml"), config.Overrides{}); err == nil || !strings.Contains(err.Error(), "listen.tls.client_ca") {
		t.Errorf("a file without certificates: %v", err)
	}
}
