package as2

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"
)

// The benchmarks of this file run ours and a floor in turns, so that whatever
// else the machine does hits both. The floor is the work that cannot be
// avoided: operations with an RSA-2048 key, or SHA-256 and AES-256-CBC over the
// same bytes. %floor says how much of the floor's speed ours reaches, by the
// medians; 100 would be nothing but the floor. The floor uses one processor;
// -cpu 1 holds ours to the same.

// against measures ours beside floor.
func against(b *testing.B, size int64, ours, floor func()) {
	b.Helper()
	b.SetBytes(size)
	b.ReportAllocs()
	var spent, least []time.Duration
	timed := func(f func()) time.Duration {
		start := time.Now()
		f()
		return time.Since(start)
	}
	for b.Loop() {
		spent = append(spent, timed(ours))
		b.StopTimer()
		least = append(least, timed(floor))
		b.StartTimer()
	}
	slices.Sort(spent)
	slices.Sort(least)
	mine, its := spent[len(spent)/2].Seconds(), least[len(least)/2].Seconds()
	b.ReportMetric(100*its/mine, "%floor")
	b.ReportMetric(1e6*its, "floor-us")
	b.ReportMetric(1e6*mine, "ours-us")
}

// usual is what most partners agree on.
func usual(size int64) Options {
	o := Options{
		MessageID: "<b@alice.test>", Now: testNow, Sign: SHA256, Encrypt: AES256CBC,
		Receipt: ReceiptRequest{Mode: SyncReceipt, Signed: true},
	}
	if size > 1<<20 {
		o.Receipt.Digests = []Digest{SHA256}
	}
	return o
}

// kilobyte is 1 KB of an order, as most of what AS2 carries is.
func kilobyte() Payload {
	content := slices.Clone(order)
	for i := 1; len(content) < 1<<10; i++ {
		content = fmt.Appendf(content, "PO1*%d*%d*EA*%d.%02d**BP*%08d*VP*ITEM%d~\n", i, i*7%50, i*13%90, i*37%100, i*7919, i*31)
	}
	return payloadOf(content[:1<<10], "application/edi-x12", "order.edi")
}

// rsaFloor makes n private operations with an RSA-2048 key, of which the first
// signs and the second decrypts.
func rsaFloor(b *testing.B, n int) func() {
	b.Helper()
	k := testKeys()["bob"].Private.(*rsa.PrivateKey)
	sum := sha256.Sum256(order)
	sealed, err := rsa.EncryptPKCS1v15(rand.Reader, &k.PublicKey, sum[:]) //nolint:staticcheck // what AS2 uses
	if err != nil {
		b.Fatal(err)
	}
	return func() {
		if _, err := rsa.SignPKCS1v15(nil, k, crypto.SHA256, sum[:]); err != nil {
			b.Fatal(err)
		}
		if n > 1 {
			if err := rsa.DecryptPKCS1v15SessionKey(nil, k, sealed, make([]byte, 32)); err != nil { //nolint:staticcheck // what AS2 uses
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkReceive1KB receives 1 KB, signed and encrypted, and makes the signed
// receipt.
func BenchmarkReceive1KB(b *testing.B) {
	out, err := Build(context.Background(), relation("alice", "bob"), kilobyte(), usual(1<<10))
	if err != nil {
		b.Fatal(err)
	}
	body := bodyOf(b, out)
	o := ReceiveOptions{Lookup: lookup(relation("bob", "alice"))}
	against(b, 1<<10, func() {
		r, err := Receive(context.Background(), out.Header, bytes.NewReader(body), o)
		if err != nil || r.Failure != nil {
			b.Fatal(err, r.Failure)
		}
		if _, err := r.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow}); err != nil {
			b.Fatal(err)
		}
		_ = r.Close()
	}, rsaFloor(b, 2))
}

// BenchmarkSend1KB builds 1 KB, signed and encrypted, and checks the signed
// receipt that comes back.
func BenchmarkSend1KB(b *testing.B) {
	for name, compress := range map[string]Compression{"usual": NoCompression, "compressed": BeforeSigning} {
		b.Run(name, func(b *testing.B) {
			rel, o := relation("alice", "bob"), usual(1<<10)
			o.Compress, o.Deflaters = compress, &Deflaters{}
			first, err := Build(context.Background(), rel, kilobyte(), o)
			if err != nil {
				b.Fatal(err)
			}
			answer := answerTo(b, first)
			against(b, 1<<10, func() {
				out, err := Build(context.Background(), rel, kilobyte(), o)
				if err != nil {
					b.Fatal(err)
				}
				rc, err := ParseReceipt(answer.Header, bytes.NewReader(answer.Body), Limits{})
				if err != nil {
					b.Fatal(err)
				}
				if got := rc.Check(first.Sent, rel.Partner.Verify); !got.Delivered {
					b.Fatal(got.Reason)
				}
				_ = out.Close()
			}, rsaFloor(b, 1))
		})
	}
}

// bulkFloor is SHA-256 and AES-256-CBC over n bytes and nothing else.
func bulkFloor(b *testing.B, n int64, encrypt bool) func() {
	b.Helper()
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	buf, iv := make([]byte, 64<<10), make([]byte, 16)
	return func() {
		mode := cipher.NewCBCDecrypter(block, iv)
		if encrypt {
			mode = cipher.NewCBCEncrypter(block, iv)
		}
		h, p := sha256.New(), &pattern{n: n}
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

// bulkSizes are those of large payloads. 100 MB goes through files.
var bulkSizes = []int64{1 << 20, 100 << 20}

// BenchmarkSendLarge signs and encrypts.
func BenchmarkSendLarge(b *testing.B) {
	for _, size := range bulkSizes {
		b.Run(fmt.Sprintf("%dMB", size>>20), func(b *testing.B) {
			rel, o := relation("alice", "bob"), usual(size)
			o.Spool = Spool{Dir: b.TempDir()}
			against(b, size, func() {
				out, err := Build(context.Background(), rel, patternPayload(size), o)
				if err != nil {
					b.Fatal(err)
				}
				_ = out.Close()
			}, bulkFloor(b, size, true))
		})
	}
}

// BenchmarkReceiveLarge decrypts and verifies.
func BenchmarkReceiveLarge(b *testing.B) {
	for _, size := range bulkSizes {
		b.Run(fmt.Sprintf("%dMB", size>>20), func(b *testing.B) {
			o := usual(size)
			o.Spool = Spool{Dir: b.TempDir()}
			out, err := Build(context.Background(), relation("alice", "bob"), patternPayload(size), o)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = out.Close() }()
			ro := ReceiveOptions{Lookup: lookup(relation("bob", "alice")), Spool: o.Spool}
			against(b, size, func() {
				body, err := out.Open()
				if err != nil {
					b.Fatal(err)
				}
				r, err := Receive(context.Background(), out.Header, body, ro)
				if err != nil || r.Failure != nil {
					b.Fatal(err, r.Failure)
				}
				_ = r.Close()
			}, bulkFloor(b, size, false))
		})
	}
}

// discarded takes what is written without the short cuts of io.Discard.
type discarded struct{}

func (discarded) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkSpool is what it costs to write 100 MB to a file and read it back,
// for comparison: no receiver can hand out a payload before it is verified.
func BenchmarkSpool(b *testing.B) {
	dir, buf := b.TempDir(), make([]byte, 64<<10)
	b.SetBytes(100 << 20)
	for b.Loop() {
		s := Spool{Dir: dir}.create()
		if _, err := io.CopyBuffer(struct{ io.Writer }{s}, &pattern{n: 100 << 20}, buf); err != nil {
			b.Fatal(err)
		}
		if _, err := io.CopyBuffer(discarded{}, struct{ io.Reader }{s.section(0, s.size)}, buf); err != nil {
			b.Fatal(err)
		}
		_ = s.Close()
	}
}
