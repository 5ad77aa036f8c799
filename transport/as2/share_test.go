package as2_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	connector "tradepost/transport/as2"
)

// begin opens a connection from a loopback address, writes text on it and leaves
// it open until the test ends.
func begin(t *testing.T, from, to, text string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 20 * time.Second}
	conn, err := d.DialContext(t.Context(), "tcp", to)
	if err != nil {
		t.Skipf("this system has no address %s: %v", from, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, text)
	must(t, err)
	return conn
}

// TestOneSourceCannotTakeAllPlaces: somebody who sends body after body at a
// crawl takes his share of the places, and the others work on.
func TestOneSourceCannotTakeAllPlaces(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *connector.Config) { c.Limits.Concurrent = 4 },
		connector.ListenConfig{Source: func(r *http.Request) string { return r.Header.Get("X-Test-Source") }})
	address := strings.TrimSuffix(strings.TrimPrefix(b.url, "http://"), "/as2")
	for range 6 {
		begin(t, "127.0.0.1", address, "POST /as2 HTTP/1.1\r\nHost: x\r\nX-Test-Source: crawler\r\nAS2-From: ALICE\r\nAS2-To: BOB\r\nMessage-ID: <1@a>\r\nContent-Length: 1000\r\n\r\nhalf")
	}
	for i := range 3 {
		good := build(t, fmt.Sprintf("D%d", i), usual, "ALICE", "BOB")
		good.header.Set("X-Test-Source", "good")
		start := time.Now()
		if resp, _ := b.post(good); resp.StatusCode != http.StatusOK {
			t.Errorf("%s after %v", resp.Status, time.Since(start))
		}
	}
}

// TestOneSourceCannotTakeAllConnections: the same with connections on which
// nothing is going on.
func TestOneSourceCannotTakeAllConnections(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *connector.Config) { c.Limits.Connections = 8 }, connector.ListenConfig{})
	address := strings.TrimSuffix(strings.TrimPrefix(b.url, "http://"), "/as2")
	const idle = "GET /as2 HTTP/1.1\r\nHost: x\r\n\r\n"
	var closed int
	for range 8 {
		conn := begin(t, "127.0.0.2", address, idle)
		must(t, conn.SetReadDeadline(time.Now().Add(2*time.Minute)))
		if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil { //nolint:bodyclose // nothing but its end is of interest
			closed++
		}
	}
	if closed != 4 {
		t.Errorf("%d of 8 connections were closed, want those beyond half of 8", closed)
	}
	if resp, _ := b.post(build(t, "D1", usual, "ALICE", "BOB")); resp.StatusCode != http.StatusOK {
		t.Errorf("another source: %s", resp.Status)
	}
}
