package cms

import (
	"compress/zlib"
	"crypto/rand"
	"crypto/x509"
	"io"
	"runtime"
	"testing"
)

// endless gives n octets without holding them.
type endless struct{ n int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.n == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), e.n))
	for i := 0; i < n; i += 64 {
		p[i] = byte(e.n) + byte(i) // not all alike
	}
	e.n -= int64(n)
	return n, nil
}

// TestMemoryDoesNotGrowWithTheContent sends contents of 1 MB and of 48 MB through
// every stream and compares what was allocated.
func TestMemoryDoesNotGrowWithTheContent(t *testing.T) {
	p := testParties(t)
	to := []Recipient{{Certificate: p.p256.cert}}
	keys := []DecryptionKey{p.p256.decryption()}
	signer := Signer{Certificate: p.p256.cert, Key: p.p256.key}
	encrypt := func(o EncryptOptions) func(io.Writer, int64) (io.WriteCloser, error) {
		return func(w io.Writer, size int64) (io.WriteCloser, error) {
			o.Size = size
			return Encrypt(rand.Reader, w, to, o)
		}
	}
	decrypt := func(r io.Reader) (io.Reader, error) { return Decrypt(rand.Reader, r, keys, Limits{}) }
	for name, c := range map[string]struct {
		write func(io.Writer, int64) (io.WriteCloser, error)
		read  func(io.Reader) (io.Reader, error)
	}{
		"cbc":          {encrypt(EncryptOptions{}), decrypt},
		"cbc definite": {encrypt(EncryptOptions{Definite: true}), decrypt},
		"gcm":          {encrypt(EncryptOptions{Cipher: AES128GCM}), decrypt},
		"gcm definite": {encrypt(EncryptOptions{Cipher: AES128GCM, Definite: true}), decrypt},
		"compressed": {
			func(w io.Writer, _ int64) (io.WriteCloser, error) { return Compress(w, zlib.BestSpeed) },
			func(r io.Reader) (io.Reader, error) { return Decompress(r, Limits{}) },
		},
		"signed": {
			func(w io.Writer, _ int64) (io.WriteCloser, error) { return Sign(rand.Reader, w, signer, OIDData) },
			func(r io.Reader) (io.Reader, error) {
				s, err := OpenSignedData(r, Limits{})
				if err != nil {
					return nil, err
				}
				return io.MultiReader(s, verifying{s, p.p256.cert}), nil
			},
		},
	} {
		allocated := func(size int64) uint64 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r, w := io.Pipe()
			go func() {
				out, err := c.write(w, size)
				if err == nil {
					_, err = io.CopyBuffer(struct{ io.Writer }{out}, &endless{size}, make([]byte, 32<<10))
				}
				if err == nil {
					err = out.Close()
				}
				w.CloseWithError(err)
			}()
			in, err := c.read(r)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{in}, make([]byte, 32<<10))
			if err != nil || n != size {
				t.Fatalf("%s: %d octets, %v", name, n, err)
			}
			runtime.ReadMemStats(&after)
			return after.TotalAlloc - before.TotalAlloc
		}
		small, large := allocated(1<<20), allocated(48<<20)
		t.Logf("%s: %d KB for 1 MB, %d KB for 48 MB", name, small>>10, large>>10)
		if large > small+(2<<20) {
			t.Errorf("%s: %d octets for 1 MB, %d for 48 MB", name, small, large)
		}
	}
}

// verifying reads as empty when the signature that was read verifies.
type verifying struct {
	s       *SignedReader
	trusted *x509.Certificate
}

func (v verifying) Read([]byte) (int, error) {
	parsed, err := v.s.SignedData()
	if err == nil {
		_, err = parsed.Verify(nil, []*x509.Certificate{v.trusted}, noon)
	}
	if err == nil {
		err = io.EOF
	}
	return 0, err
}
