package as2

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// pattern is a stream of n bytes made of one block of noise, again and again.
type pattern struct{ n, at int64 }

// noise is larger than what zlib looks back, so it does not compress.
var noise = sync.OnceValue(func() []byte {
	b := make([]byte, 1<<20)
	_, _ = rand.Read(b) // never fails
	return b
})

func (p *pattern) Read(b []byte) (int, error) {
	if p.at >= p.n {
		return 0, io.EOF
	}
	block := noise()
	n := copy(b[:min(int64(len(b)), p.n-p.at)], block[p.at%int64(len(block)):])
	p.at += int64(n)
	return n, nil
}

func patternPayload(n int64) Payload {
	return Payload{ContentType: "application/octet-stream", Filename: "big.bin", Size: n, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(&pattern{n: n}), nil
	}}
}

// TestLargePayload sends and receives more than it may hold in memory.
func TestLargePayload(t *testing.T) { // not parallel: it measures the heap
	const size = 8 << 20
	spool := Spool{Dir: t.TempDir(), Threshold: 1 << 18}
	for name, o := range map[string]Options{
		"signed":                       {Sign: SHA256},
		"signed, encrypted":            {Sign: SHA256, Encrypt: AES256CBC},
		"compressed, signed, GCM":      {Sign: SHA256, Encrypt: AES128GCM, Compress: BeforeSigning},
		"signed, compressed, in plain": {Sign: SHA512, Compress: AfterSigning},
	} {
		t.Run(name, func(t *testing.T) {
			o.MessageID, o.Now, o.Spool = "<big@alice.test>", testNow, spool
			o.Receipt = ReceiptRequest{Mode: SyncReceipt, Signed: true, Digests: []Digest{SHA384}}
			before := heap()
			out, err := Build(context.Background(), relation("alice", "bob"), patternPayload(size), o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = out.Close() }()
			body, err := out.Open()
			if err != nil {
				t.Fatal(err)
			}
			rel := relation("bob", "alice")
			r, err := Receive(context.Background(), out.Header, body, ReceiveOptions{Lookup: lookup(rel), Spool: spool})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			if r.Failure != nil {
				t.Fatal(r.Failure)
			}
			if grown := int64(heap()) - int64(before); grown > 4<<20 {
				t.Errorf("the heap grew by %d MB", grown>>20)
			}
			p, err := r.Payloads[0].Open()
			if err != nil {
				t.Fatal(err)
			}
			got, want := sha256.New(), sha256.New()
			if _, err := io.Copy(got, p); err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(want, &pattern{n: size})
			if !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
				t.Error("the payload changed")
			}
			for d, mic := range r.MICs {
				if out.MICs[d] != "" && out.MICs[d] != mic {
					t.Errorf("MIC under %s differs", d)
				}
			}
			if out.MICs[SHA256] == "" || out.MICs[SHA384] == "" || r.MICs[o.Sign] == "" {
				t.Errorf("MICs kept: %d sent, %d received", len(out.MICs), len(r.MICs))
			}
			files, err := os.ReadDir(spool.Dir)
			if err != nil {
				t.Fatal(err)
			}
			if runtime.GOOS == "linux" && len(files) > 0 {
				t.Errorf("%d files lie open to everybody", len(files))
			}
		})
	}
}

// heap is the size of what is alive.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestLimits(t *testing.T) {
	t.Parallel()
	receive := func(t *testing.T, o Options, l Limits, policy Policy) (*Received, error) {
		t.Helper()
		out := mustBuild(t, bytes.Repeat(order, 500), o)
		rel := relation("bob", "alice")
		rel.Policy = policy
		r, err := Receive(context.Background(), out.Header, bytes.NewReader(bodyOf(t, out)), ReceiveOptions{Lookup: lookup(rel), Limits: l})
		if err == nil {
			t.Cleanup(func() { _ = r.Close() })
		}
		return r, err
	}
	t.Run("body", func(t *testing.T) {
		t.Parallel()
		_, err := receive(t, Options{}, Limits{Body: 1000}, Policy{})
		var malformed *MalformedError
		if !errors.As(err, &malformed) || malformed.Status != 413 {
			t.Errorf("got %v", err)
		}
	})
	for name, o := range map[string]Options{
		"payload":            {},
		"compressed payload": {Compress: AfterSigning},
		"encrypted payload":  {Encrypt: AES256CBC},
		"signed payload":     {Sign: SHA256, Compress: BeforeSigning},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r, err := receive(t, o, Limits{}, Policy{MaxPayload: 20000}); err != nil || r.Failure == nil || len(r.Payloads) > 0 {
				t.Errorf("got %v", err)
			}
			if r, err := receive(t, o, Limits{}, Policy{MaxPayload: int64(500 * len(order))}); err != nil || r.Failure != nil {
				t.Errorf("exactly the limit: %v, %v", r.Failure, err)
			}
		})
	}
	t.Run("header lines inside", func(t *testing.T) {
		t.Parallel()
		h, body := signHand(t, testKeys()["alice"], []byte("X: "+strings.Repeat("x", 10000)+"\r\n\r\nbody"))
		r, err := Receive(context.Background(), h, bytes.NewReader(body), ReceiveOptions{Lookup: lookup(relation("bob", "alice")), Limits: Limits{Headers: 4096}})
		if err != nil || r.Failure == nil {
			t.Errorf("got %v", err)
		}
	})
	t.Run("parts", func(t *testing.T) {
		t.Parallel()
		body := strings.Repeat("--m\r\n\r\nx\r\n", 30) + "--m--"
		r := receiveAt(t, relation("bob", "alice"), baseHeader("multipart/related; boundary=m"), []byte(body))
		if r.Failure != nil || len(r.Payloads) != 30 {
			t.Errorf("%d payloads, %v", len(r.Payloads), r.Failure)
		}
		r, err := Receive(context.Background(), baseHeader("multipart/related; boundary=m"), strings.NewReader(body), ReceiveOptions{
			Lookup: lookup(relation("bob", "alice")), Limits: Limits{Parts: 20},
		})
		if err != nil || r.Failure == nil {
			t.Errorf("got %v", err)
		}
	})
	t.Run("layers", func(t *testing.T) {
		t.Parallel()
		part := append([]byte("\r\n"), order...)
		for range 12 {
			h, signed := signHand(t, testKeys()["alice"], part)
			part = append([]byte("Content-Type: "+h.Get("Content-Type")+"\r\n\r\n"), signed...)
			part = bytes.ReplaceAll(part, []byte("hand"), []byte("handx"))
		}
		h, body := encryptHand(t, part, AES256GCM)
		r := receiveAt(t, relation("bob", "alice"), h, body)
		if r.Failure == nil {
			t.Error("accepted")
		}
	})
	t.Run("bomb", func(t *testing.T) {
		t.Parallel()
		out, err := Build(context.Background(), relation("alice", "bob"), Payload{Size: -1, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.LimitReader(zeros{}, 64<<20)), nil
		}}, Options{MessageID: "<bomb@alice.test>", Now: testNow, Compress: AfterSigning})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = out.Close() }()
		r := receiveAt(t, relation("bob", "alice"), out.Header, bodyOf(t, out))
		if modifierOf(r.Failure) != DecompressionFailed {
			t.Errorf("failure %v", r.Failure)
		}
	})
	t.Run("receipt", func(t *testing.T) {
		t.Parallel()
		_, err := ParseReceipt(baseHeader("multipart/report; boundary=b"), zeros{}, Limits{})
		var malformed *MalformedError
		if !errors.As(err, &malformed) {
			t.Errorf("got %v", err)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
