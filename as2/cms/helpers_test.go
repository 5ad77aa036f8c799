package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"testing/iotest"
	"time"
)

// party is a certificate with its key.
type party struct {
	name string
	cert *x509.Certificate
	key  crypto.Signer
}

func (p party) decryption() DecryptionKey { return DecryptionKey{Certificate: p.cert, Key: p.key} }

// parties are made once: RSA keys take their time.
type parties struct {
	alice, bob, carol   party // RSA 2048; carol has no key identifier
	p256, p384, p521    party
	ed                  party
	zeroSerial, sameIDs party // serial 0; sameIDs carries bob's issuer and serial with another key
}

var makeParties = sync.OnceValues(func() (*parties, error) {
	var out parties
	rsaKey := func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }
	ecKey := func(c elliptic.Curve) func() (crypto.Signer, error) {
		return func() (crypto.Signer, error) { return ecdsa.GenerateKey(c, rand.Reader) }
	}
	for _, p := range []struct {
		to     *party
		name   string
		serial int64
		key    func() (crypto.Signer, error)
		noKey  bool
	}{
		{&out.alice, "alice", 4711, rsaKey, false},
		{&out.bob, "bob", 128, rsaKey, false},
		{&out.carol, "carol", 3, rsaKey, true},
		{&out.p256, "p256", 4, ecKey(elliptic.P256()), false},
		{&out.p384, "p384", 5, ecKey(elliptic.P384()), false},
		{&out.p521, "p521", 6, ecKey(elliptic.P521()), false},
		{&out.ed, "ed", 7, func() (crypto.Signer, error) {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			return key, err
		}, false},
		{&out.zeroSerial, "zero", 0, ecKey(elliptic.P256()), false},
		{&out.sameIDs, "bob", 128, rsaKey, false},
	} {
		key, err := p.key()
		if err != nil {
			return nil, err
		}
		cert, err := selfSigned(p.name, big.NewInt(p.serial), key, p.noKey)
		if err != nil {
			return nil, err
		}
		*p.to = party{p.name, cert, key}
	}
	return &out, nil
})

func testParties(t testing.TB) *parties {
	t.Helper()
	p, err := makeParties()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func selfSigned(name string, serial *big.Int, key crypto.Signer, noKeyID bool) (*x509.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name, Organization: []string{"Example Trading"}, Country: []string{"DE"}},
		NotBefore:    time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement,
	}
	if !noKeyID {
		template.SubjectKeyId = []byte("id of " + name)
	}
	if serial.Sign() == 0 {
		template.SerialNumber = big.NewInt(1)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err == nil && serial.Sign() == 0 {
		cert.SerialNumber = new(big.Int) // CreateCertificate refuses to write it
	}
	return cert, err
}

// corpusDir is where the AS2 test corpus lies; the test is skipped without one.
func corpusDir(t testing.TB) string {
	t.Helper()
	root := os.Getenv("TRADEPOST_CORPUS")
	if root == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("TRADEPOST_CORPUS is not set: with CI=true the corpus must be there")
		}
		t.Skip("TRADEPOST_CORPUS is not set: no corpus to read")
	}
	return filepath.Join(root, "as2")
}

// corpusParty loads a certificate and key of the corpus.
func corpusParty(t testing.TB, dir, name string) party {
	t.Helper()
	cert, err := x509.ParseCertificate(pemBlock(t, filepath.Join(dir, "keys", name+".crt")))
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKCS8PrivateKey(pemBlock(t, filepath.Join(dir, "keys", name+".key")))
	if err != nil {
		t.Fatal(err)
	}
	return party{name, cert, key.(crypto.Signer)}
}

func pemBlock(t testing.TB, path string) []byte {
	t.Helper()
	block, _ := pem.Decode(readFile(t, path))
	if block == nil {
		t.Fatalf("%s holds no PEM", path)
	}
	return block.Bytes
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// openssl runs the openssl program; the test is skipped when it is not installed.
func openssl(t testing.TB, stdin []byte, args ...string) []byte {
	t.Helper()
	out, stderr, err := tryOpenssl(t, stdin, args...)
	if err != nil {
		t.Fatalf("openssl %v: %v\n%s", args, err, stderr)
	}
	return out
}

func tryOpenssl(t testing.TB, stdin []byte, args ...string) (out, stderr []byte, err error) {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the openssl program is not installed: with CI=true it must be there")
		}
		t.Skip("the openssl program is not installed")
	}
	cmd := exec.Command(path, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err = cmd.Run()
	return o.Bytes(), e.Bytes(), err
}

// pemFiles writes the party's certificate and key for openssl.
func (p party) pemFiles(t testing.TB) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: p.cert.Raw},
		key:  {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// ways to read the same bytes: whole, and an octet at a time.
func readers(b []byte) map[string]io.Reader {
	return map[string]io.Reader{
		"whole":     bytes.NewReader(b),
		"by octets": iotest.OneByteReader(bytes.NewReader(b)),
	}
}

// decryptAll decrypts b or returns the first error.
func decryptAll(b []byte, limits Limits, keys ...DecryptionKey) ([]byte, *Decrypted, error) {
	d, err := Decrypt(rand.Reader, bytes.NewReader(b), keys, limits)
	if err != nil {
		return nil, nil, err
	}
	plain, err := io.ReadAll(d)
	return plain, d, err
}

func encryptAll(t testing.TB, plain []byte, o EncryptOptions, recipients ...Recipient) []byte {
	t.Helper()
	var out bytes.Buffer
	o.Size = int64(len(plain))
	w, err := Encrypt(rand.Reader, &out, recipients, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if size := w.Size(); o.Definite && size != int64(out.Len()) {
		t.Fatalf("Size said %d, %d octets were written", size, out.Len())
	}
	return out.Bytes()
}

func digestBy(d Digest, b []byte) []byte {
	h := d.New()
	h.Write(b)
	return h.Sum(nil)
}

// sample is n octets that are not all alike.
func sample(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}
