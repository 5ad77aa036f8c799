package cms

import (
	"bytes"
	"compress/zlib"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"io"
	"testing"
	"time"
)

// against runs ours and the floor in turns on the same core and reports how much
// of the floor's speed ours reaches.
func against(b *testing.B, size int, ours, floor func()) {
	b.Helper()
	b.SetBytes(int64(size))
	b.ReportAllocs()
	var spent, least time.Duration
	for b.Loop() {
		start := time.Now()
		ours()
		middle := time.Now()
		spent += middle.Sub(start)
		b.StopTimer()
		middle = time.Now()
		floor()
		least += time.Since(middle)
		b.StartTimer()
	}
	b.ReportMetric(100*least.Seconds()/spent.Seconds(), "%floor")
}

func must[T any](b *testing.B) func(T, error) T {
	return func(v T, err error) T {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
		return v
	}
}

const (
	smallContent = 1 << 10
	largeContent = 16 << 20
)

func BenchmarkSignSmall(b *testing.B) {
	p := testParties(b)
	content := sample(smallContent)
	s := Signer{Certificate: p.alice.cert, Key: p.alice.key, SigningTime: noon}
	key := p.alice.key.(*rsa.PrivateKey)
	against(b, smallContent, func() {
		must[[]byte](b)(SignDetached(rand.Reader, s, digestBy(SHA256, content), OIDData))
	}, func() {
		sum := sha256.Sum256(content)
		must[[]byte](b)(rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:]))
	})
}

func BenchmarkVerifySmall(b *testing.B) {
	p := testParties(b)
	content := sample(smallContent)
	s := Signer{Certificate: p.alice.cert, Key: p.alice.key, SigningTime: noon}
	der := must[[]byte](b)(SignDetached(rand.Reader, s, digestBy(SHA256, content), OIDData))
	key := p.alice.key.(*rsa.PrivateKey)
	sum := sha256.Sum256(content)
	raw := must[[]byte](b)(rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:]))
	trusted := []*x509.Certificate{p.alice.cert}
	against(b, smallContent, func() {
		parsed := must[*SignedData](b)(ParseSignedData(bytes.NewReader(der), Limits{}))
		must[*Verified](b)(parsed.Verify(map[Digest][]byte{SHA256: digestBy(SHA256, content)}, trusted, noon))
	}, func() {
		sum := sha256.Sum256(content)
		if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], raw); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkDecryptSmall(b *testing.B) {
	for _, c := range []Cipher{AES256CBC, AES256GCM} {
		b.Run(string(c), func(b *testing.B) {
			p := testParties(b)
			enveloped := encryptAll(b, sample(smallContent), EncryptOptions{Cipher: c}, Recipient{Certificate: p.bob.cert})
			keys := []DecryptionKey{p.bob.decryption()}
			key := p.bob.key.(*rsa.PrivateKey)
			wrapped := must[[]byte](b)(rsa.EncryptPKCS1v15(rand.Reader, &key.PublicKey, sample(32)))
			against(b, smallContent, func() {
				d := must[*Decrypted](b)(Decrypt(rand.Reader, bytes.NewReader(enveloped), keys, Limits{}))
				must[int64](b)(io.Copy(io.Discard, d))
			}, func() {
				session := make([]byte, 32)
				if err := rsa.DecryptPKCS1v15SessionKey(rand.Reader, key, wrapped, session); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// discard takes what is written without the shortcuts of io.Discard.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// hashing hashes what passes, as the signature of a message asks.
func hashing(r io.Reader) error {
	h := sha256.New()
	_, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{r}, make([]byte, 64<<10))
	return err
}

func BenchmarkSignAndEncryptLarge(b *testing.B) {
	for _, c := range []Cipher{AES256CBC, AES256GCM} {
		for name, definite := range map[string]bool{"indefinite": false, "definite": true} {
			b.Run(string(c)+"/"+name, func(b *testing.B) {
				p := testParties(b)
				content := sample(largeContent)
				against(b, largeContent, func() {
					if err := hashing(bytes.NewReader(content)); err != nil {
						b.Fatal(err)
					}
					w := must[*Encrypter](b)(Encrypt(rand.Reader, discard{}, []Recipient{{Certificate: p.bob.cert}}, EncryptOptions{Cipher: c, Definite: definite, Size: largeContent}))
					must[int64](b)(io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{bytes.NewReader(content)}, make([]byte, 64<<10)))
					if err := w.Close(); err != nil {
						b.Fatal(err)
					}
				}, func() { floorEncrypt(b, c, content) })
			})
		}
	}
}

// floorEncrypt is hashing and encrypting and nothing else.
func floorEncrypt(b *testing.B, c Cipher, content []byte) {
	sha256.Sum256(content)
	block := must[cipher.Block](b)(aes.NewCipher(sample(32)))
	out := make([]byte, chunkSize+16)
	if c.Authenticated() {
		gcm := must[cipher.AEAD](b)(cipher.NewGCM(block))
		for i := 0; i < len(content); i += chunkSize {
			gcm.Seal(out[:0], out[:12], content[i:i+chunkSize], nil)
		}
		return
	}
	mode := cipher.NewCBCEncrypter(block, sample(16))
	for i := 0; i < len(content); i += chunkSize {
		mode.CryptBlocks(out, content[i:i+chunkSize])
	}
}

func BenchmarkDecryptAndVerifyLarge(b *testing.B) {
	for _, c := range []Cipher{AES256CBC, AES256GCM} {
		b.Run(string(c), func(b *testing.B) {
			p := testParties(b)
			enveloped := encryptAll(b, sample(largeContent), EncryptOptions{Cipher: c}, Recipient{Certificate: p.bob.cert})
			keys := []DecryptionKey{p.bob.decryption()}
			block := must[cipher.Block](b)(aes.NewCipher(sample(32)))
			gcm := must[cipher.AEAD](b)(cipher.NewGCM(block))
			chunk := gcm.Seal(nil, sample(12), sample(chunkSize), nil)
			out := make([]byte, chunkSize)
			against(b, largeContent, func() {
				d := must[*Decrypted](b)(Decrypt(rand.Reader, bytes.NewReader(enveloped), keys, Limits{}))
				if err := hashing(d); err != nil {
					b.Fatal(err)
				}
			}, func() {
				h := sha256.New()
				mode := cipher.NewCBCDecrypter(block, sample(16))
				for i := 0; i < largeContent; i += chunkSize {
					if c.Authenticated() {
						must[[]byte](b)(gcm.Open(out[:0], sample(12), chunk, nil))
					} else {
						mode.CryptBlocks(out, enveloped[i:i+chunkSize])
					}
					h.Write(out)
				}
			})
		})
	}
}

// order is EDI-like text that deflates as such text does.
func order(n int) []byte {
	var out bytes.Buffer
	for i := 0; out.Len() < n; i++ {
		out.WriteString("PO1*")
		out.WriteString(time.Unix(int64(i)*7919, 0).UTC().Format("150405"))
		out.WriteString("*10*EA*9.95**BP*ABC")
		out.WriteByte(byte('0' + i*i%10))
		out.WriteString("~PID*F****WIDGET ")
		out.WriteByte(byte('A' + i*i*i%26))
		out.WriteByte('~')
	}
	return out.Bytes()[:n]
}

func BenchmarkCompress(b *testing.B) {
	content := order(4 << 20)
	against(b, len(content), func() {
		w := must[io.WriteCloser](b)(Compress(discard{}, zlib.DefaultCompression))
		must[int](b)(w.Write(content))
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}, func() {
		w := zlib.NewWriter(discard{})
		must[int](b)(w.Write(content))
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkDecompress(b *testing.B) {
	content := order(4 << 20)
	compressed, bare := compressAll(b, content, -1), zlibAll(b, content)
	against(b, len(content), func() {
		r := must[io.Reader](b)(Decompress(bytes.NewReader(compressed), Limits{}))
		must[int64](b)(io.Copy(discard{}, r))
	}, func() {
		r := must[io.ReadCloser](b)(zlib.NewReader(bytes.NewReader(bare)))
		must[int64](b)(io.Copy(discard{}, r))
	})
}
