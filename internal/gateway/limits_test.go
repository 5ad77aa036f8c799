package gateway_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

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
