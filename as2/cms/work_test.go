package cms

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"testing"
)

// work is what a decryption did that takes time: how often it asked for input
// and how much it took, what it drew from the source of randomness, what it had
// the private key do, and how much plaintext it handed out, in whole blocks.
type work struct{ reads, octets, random, privateKey, blocks int }

type counted struct {
	io.Reader
	reads, octets *int
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	*c.reads++
	*c.octets += n
	return n, err
}

// countedKey is an RSA key in a device.
type countedKey struct {
	*rsa.PrivateKey
	n *int
}

func (c countedKey) Decrypt(random io.Reader, b []byte, o crypto.DecrypterOpts) ([]byte, error) {
	*c.n++
	return c.PrivateKey.Decrypt(random, b, o)
}

// done is the work of decrypting b, and how it ended.
func done(t *testing.T, b []byte, by party) (work, error) {
	t.Helper()
	var w work
	var drawn int
	key := by.decryption()
	key.Key = countedKey{key.Key.(*rsa.PrivateKey), &w.privateKey}
	d, err := Decrypt(counted{rand.Reader, &drawn, &w.random}, counted{bytes.NewReader(b), &w.reads, &w.octets}, []DecryptionKey{key}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	total := 0
	for err == nil {
		var n int
		n, err = d.Read(buf)
		total += n
	}
	w.blocks = total / 16
	return w, err
}

// TestEveryFailureIsTheSameWork: what is wrong with a content key, a padding or
// a tag shows neither in the answer nor in what is done before it. How long a
// thing takes cannot be tested well by a clock; that the same is done can. What
// is done inside is rsa's and subtle's, which promise constant time.
func TestEveryFailureIsTheSameWork(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	public := &p.bob.key.(*rsa.PrivateKey).PublicKey
	for _, oaep := range []*OAEP{nil, {}} {
		for _, c := range []Cipher{AES128CBC, AES256CBC, AES256GCM} {
			// The plaintext ends in the middle of a block, so that whole blocks are as
			// many whatever the padding says.
			b := encryptAll(t, sample(16*700+8), EncryptOptions{Cipher: c, Definite: true}, Recipient{Certificate: p.bob.cert, OAEP: oaep})
			at := bytes.Index(b, []byte{tagOctetString, 0x82, 1, 0}) + 4
			if at < 4 {
				t.Fatal("no encrypted key found")
			}
			changed := func(f func([]byte)) []byte {
				out := bytes.Clone(b)
				f(out)
				return out
			}
			wrapped := func(n int) []byte {
				var other []byte
				var err error
				if oaep == nil {
					other, err = rsa.EncryptPKCS1v15(rand.Reader, public, sample(n))
				} else {
					other, err = rsa.EncryptOAEPWithOptions(rand.Reader, public, sample(n), oaep.withDefaults().options())
				}
				if err != nil {
					t.Fatal(err)
				}
				return changed(func(b []byte) { copy(b[at:], other) })
			}
			want, err := done(t, b, p.bob)
			if !errors.Is(err, io.EOF) || want.privateKey != 1 || want.octets < len(b) || want.random == 0 {
				t.Fatalf("%s: %+v, %v", c, want, err)
			}
			for name, b := range map[string][]byte{
				"the content key is garbage":        changed(func(b []byte) { b[at+7] ^= 1 }),
				"the content key is of zeros":       changed(func(b []byte) { clear(b[at : at+256]) }),
				"the content key is another":        wrapped(c.KeySize()),
				"the content key is too short":      wrapped(c.KeySize() - 1),
				"the content key is too long":       wrapped(c.KeySize() + 1),
				"the content key is empty":          wrapped(0),
				"the first block is changed":        changed(func(b []byte) { b[len(b)-16*600] ^= 1 }),
				"the block before last is changed":  changed(func(b []byte) { b[len(b)-16*3] ^= 0x80 }),
				"the last block, or tag is changed": changed(func(b []byte) { b[len(b)-1] ^= 0x80 }),
			} {
				got, err := done(t, b, p.bob)
				if got != want {
					t.Errorf("%s, OAEP %v, %s: %+v, want %+v", c, oaep != nil, name, got, want)
				}
				// Padding alone does not notice every change.
				if err != ErrDecrypt && (c.Authenticated() || !errors.Is(err, io.EOF)) { //nolint:errorlint // it must be the same value
					t.Errorf("%s, OAEP %v, %s: %v", c, oaep != nil, name, err)
				}
			}
		}
	}
}
