package as2

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
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

// BenchmarkReceive1KB receives 1 KB, signed and encrypted, and makes the signed
// receipt. BenchmarkFloorRSA is what its RSA operations cost at least.
func BenchmarkReceive1KB(b *testing.B) {
	out, err := Build(context.Background(), relation("alice", "bob"), patternPayload(1<<10), Options{
		MessageID: "<b@alice.test>", Now: testNow, Sign: SHA256, Encrypt: AES256CBC, Receipt: ReceiptRequest{Mode: SyncReceipt, Signed: true},
	})
	if err != nil {
		b.Fatal(err)
	}
	body := bodyOf(b, out)
	o := ReceiveOptions{Lookup: lookup(relation("bob", "alice"))}
	b.ReportAllocs()
	for b.Loop() {
		r, err := Receive(context.Background(), out.Header, bytes.NewReader(body), o)
		if err != nil || r.Failure != nil {
			b.Fatal(err, r.Failure)
		}
		if _, err := r.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow}); err != nil {
			b.Fatal(err)
		}
		_ = r.Close()
	}
}

func BenchmarkSend1KB(b *testing.B) {
	rel := relation("alice", "bob")
	o := Options{MessageID: "<b@alice.test>", Now: testNow, Sign: SHA256, Encrypt: AES256CBC, Receipt: ReceiptRequest{Mode: SyncReceipt, Signed: true}}
	b.ReportAllocs()
	for b.Loop() {
		out, err := Build(context.Background(), rel, patternPayload(1<<10), o)
		if err != nil {
			b.Fatal(err)
		}
		_ = out.Close()
	}
}

func BenchmarkFloorRSASign(b *testing.B)    { benchmarkRSA(b, true, false) }
func BenchmarkFloorRSAReceive(b *testing.B) { benchmarkRSA(b, true, true) }

func benchmarkRSA(b *testing.B, sign, decrypt bool) {
	k := testKeys()["bob"].Private.(*rsa.PrivateKey)
	sum := sha256.Sum256(order)
	sealed, err := rsa.EncryptPKCS1v15(rand.Reader, &k.PublicKey, sum[:]) //nolint:staticcheck // what AS2 uses
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if sign {
			if _, err := rsa.SignPKCS1v15(nil, k, 5, sum[:]); err != nil {
				b.Fatal(err)
			}
		}
		if decrypt {
			if err := rsa.DecryptPKCS1v15SessionKey(nil, k, sealed, make([]byte, 32)); err != nil { //nolint:staticcheck // what AS2 uses
				b.Fatal(err)
			}
		}
	}
}

const bulk = 100 << 20

func BenchmarkSend100MB(b *testing.B) {
	rel, spool := relation("alice", "bob"), Spool{Dir: b.TempDir()}
	b.SetBytes(bulk)
	b.ReportAllocs()
	for b.Loop() {
		out, err := Build(context.Background(), rel, patternPayload(bulk), Options{MessageID: "<b@alice.test>", Now: testNow, Sign: SHA256, Encrypt: AES256CBC, Spool: spool})
		if err != nil {
			b.Fatal(err)
		}
		_ = out.Close()
	}
}

func BenchmarkReceive100MB(b *testing.B) {
	spool := Spool{Dir: b.TempDir()}
	out, err := Build(context.Background(), relation("alice", "bob"), patternPayload(bulk), Options{MessageID: "<b@alice.test>", Now: testNow, Sign: SHA256, Encrypt: AES256CBC, Spool: spool})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	o := ReceiveOptions{Lookup: lookup(relation("bob", "alice")), Spool: spool}
	b.SetBytes(bulk)
	b.ReportAllocs()
	for b.Loop() {
		body, err := out.Open()
		if err != nil {
			b.Fatal(err)
		}
		r, err := Receive(context.Background(), out.Header, body, o)
		if err != nil || r.Failure != nil {
			b.Fatal(err, r.Failure)
		}
		_ = r.Close()
	}
}

func BenchmarkFloorSend100MB(b *testing.B)    { benchmarkBulk(b, true) }
func BenchmarkFloorReceive100MB(b *testing.B) { benchmarkBulk(b, false) }

// benchmarkBulk is SHA-256 and AES-256-CBC over the same bytes and nothing else.
func benchmarkBulk(b *testing.B, encrypt bool) {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	buf, iv := make([]byte, 64<<10), make([]byte, 16)
	b.SetBytes(bulk)
	for b.Loop() {
		mode := cipher.NewCBCDecrypter(block, iv)
		if encrypt {
			mode = cipher.NewCBCEncrypter(block, iv)
		}
		h, p := sha256.New(), &pattern{n: bulk}
		for {
			n, err := p.Read(buf)
			if err != nil {
				break
			}
			h.Write(buf[:n])
			mode.CryptBlocks(buf[:n], buf[:n])
		}
	}
}
