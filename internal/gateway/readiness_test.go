package gateway_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A station that cannot keep what arrives is not ready, and is again by itself.
func TestNotReadyWithoutRoomForPayloads(t *testing.T) {
	t.Parallel()
	buyer, _ := newHouses(t)
	buyer.serve()
	ready := func() (int, string) {
		resp, err := http.Get("http://" + buyer.admin + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	incoming := filepath.Join(buyer.config().Store.Data, "archive", "incoming")
	if status, body := ready(); status != http.StatusOK || !strings.Contains(body, `{"name":"archive","ok":true}`) {
		t.Errorf("a station with room: %d %s", status, body)
	}
	if err := os.Rename(incoming, incoming+".gone"); err != nil {
		t.Fatal(err)
	}
	if status, body := ready(); status != http.StatusServiceUnavailable || !strings.Contains(body, `{"name":"archive","ok":false}`) {
		t.Errorf("without: %d %s", status, body)
	}
	if err := os.Rename(incoming+".gone", incoming); err != nil {
		t.Fatal(err)
	}
	if status, body := ready(); status != http.StatusOK {
		t.Errorf("with room again: %d %s", status, body)
	}
}
