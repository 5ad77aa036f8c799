package directory_test

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tradepost/transport"
	"tradepost/transport/directory"
	"tradepost/transport/transporttest"
)

// road joins a Sender to a Listener by one folder.
func road(t *testing.T) *transporttest.Road {
	base := t.TempDir()
	must(t, os.Mkdir(filepath.Join(base, "box"), 0o750))
	cfg := directory.Config{Base: base, Now: time.Now, Rand: rand.Reader, Retry: 20 * time.Millisecond}
	out := transport.Connection{Name: "out", Connector: "directory", Settings: json.RawMessage(`{"deliver":"box"}`)}
	in := transport.Connection{Name: "in", Connector: "directory", Settings: json.RawMessage(`{"pickup":"box","settle":"30ms","poll":"20ms"}`)}
	return &transporttest.Road{
		Sender: func(t *testing.T) transport.Sender {
			s, err := directory.NewSender(out, cfg)
			must(t, err)
			return s
		},
		Listener: func(t *testing.T, sink transport.Sink) transport.Listener {
			l, err := directory.NewListener(in, sink, cfg)
			must(t, err)
			return l
		},
		Settings: func(raw json.RawMessage) error {
			_, err := directory.NewSender(transport.Connection{Name: "x", Settings: raw}, cfg)
			return err
		},
		Filename: func(id, sent string) string {
			// The names of the suite, as a folder holds them.
			names := map[string][2]string{
				"":                       {"document", ""},
				"../../etc/passwd":       {"passwd", ""},
				`C:\temp\..\order.edi`:   {"order", ".edi"},
				`or"der;x=1.edi`:         {"or_der;x=1", ".edi"},
				"a\r\nX-Injected: 1.edi": {"a__X-Injected_ 1", ".edi"},
				"заказ 注文 ordré.edi":     {"заказ 注文 ordré", ".edi"},
			}
			n, ok := names[sent]
			if !ok {
				ext := filepath.Ext(sent)
				n = [2]string{sent[:len(sent)-len(ext)], ext}
			}
			return n[0] + "-" + id + n[1]
		},
		Cut: func(t *testing.T) func() {
			must(t, os.Rename(filepath.Join(base, "box"), filepath.Join(base, "away")))
			return func() { must(t, os.Rename(filepath.Join(base, "away"), filepath.Join(base, "box"))) }
		},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	transporttest.Run(t, road)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
