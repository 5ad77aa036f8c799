package certs

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The files in testdata were made with openssl 3.0: one P-256 key, its
// certificates, and the ways tools wrap them. The password is "secret".

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var day0 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestGenerate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind KeyType
		bits int // 0 is P-256
	}{{"", 2048}, {RSA2048, 2048}, {RSA3072, 3072}, {P256, 0}} {
		t.Run(string(c.kind), func(t *testing.T) {
			t.Parallel()
			p, err := Generate(Request{CommonName: "Alice", Organization: "A Ltd", Country: "DE", Type: c.kind, NotBefore: day0, Validity: 24 * time.Hour}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Certificate.CheckSignature(p.Certificate.SignatureAlgorithm, p.Certificate.RawTBSCertificate, p.Certificate.Signature); err != nil {
				t.Error(err)
			}
			if got := p.Certificate.Subject.String(); got != "CN=Alice,O=A Ltd,C=DE" {
				t.Errorf("subject %s", got)
			}
			if p.Certificate.SerialNumber.Sign() <= 0 || p.Certificate.SerialNumber.BitLen() > 127 {
				t.Errorf("serial %v", p.Certificate.SerialNumber)
			}
			if !p.Certificate.NotBefore.Equal(day0) || !p.Certificate.NotAfter.Equal(day0.Add(24*time.Hour)) {
				t.Errorf("valid %v to %v", p.Certificate.NotBefore, p.Certificate.NotAfter)
			}
			encipher := p.Certificate.KeyUsage&x509.KeyUsageKeyEncipherment != 0
			switch k := p.Key.(type) {
			case *rsa.PrivateKey:
				if k.N.BitLen() != c.bits || !encipher {
					t.Errorf("%d bits, encipherment %v", k.N.BitLen(), encipher)
				}
			case *ecdsa.PrivateKey:
				if c.bits != 0 || encipher {
					t.Errorf("EC, encipherment %v", encipher)
				}
			}
		})
	}
	for name, r := range map[string]Request{
		"no name":      {NotBefore: day0},
		"no time":      {CommonName: "a"},
		"bad country":  {CommonName: "a", NotBefore: day0, Country: "DEU"},
		"bad address":  {CommonName: "a", NotBefore: day0, Addresses: []string{"x"}},
		"unknown type": {CommonName: "a", NotBefore: day0, Type: "rsa-512"},
	} {
		if _, err := Generate(r, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSigningRequest(t *testing.T) {
	t.Parallel()
	key, err := ParseKey(fixture(t, "pkcs8.key"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := SigningRequest(Request{CommonName: "Alice", Country: "DE", DNSNames: []string{"a.test"}, Addresses: []string{"::1"}}, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := pem.Decode(text)
	r, err := x509.ParseCertificateRequest(b.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.CheckSignature(); err != nil || r.Subject.CommonName != "Alice" || len(r.IPAddresses) != 1 {
		t.Errorf("%v, %+v", err, r.Subject)
	}
}

func TestParseCertificates(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{
		"fixture.crt": 1, "usa.crt": 1, "usa.der": 1, "bag.p7b": 2, "bag-pem.p7b": 2,
	} {
		cs, err := ParseCertificates(fixture(t, name))
		if err != nil || len(cs) != want {
			t.Errorf("%s: %d certificates, %v", name, len(cs), err)
		}
	}
	twice := append(fixture(t, "fixture.crt"), fixture(t, "fixture.crt")...)
	if cs, err := ParseCertificates(twice); err != nil || len(cs) != 1 {
		t.Errorf("twice the same: %d, %v", len(cs), err)
	}
	// Three letters of country are not allowed, and were certified all the same.
	c, err := ParseCertificate(fixture(t, "usa.crt"))
	if err != nil || c.Subject.Country[0] != "USA" {
		t.Errorf("C=USA: %v", err)
	}
	for name, b := range map[string][]byte{
		"empty": nil, "words": []byte("hello"), "only a key": fixture(t, "pkcs8.key"),
		"broken": []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
		"huge":   make([]byte, maxInput+1),
		"nested": []byte(strings.Repeat("\x30\x80", 5000)),
	} {
		if _, err := ParseCertificates(b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"pkcs8.key", "sec1.key"} {
		if _, err := ParsePair(fixture(t, "fixture.crt"), fixture(t, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseKey(fixture(t, "encrypted.key")); !errors.Is(err, ErrPassword) {
		t.Errorf("encrypted, no password: %v", err)
	}
	if _, err := ParseEncryptedKey(fixture(t, "encrypted.key"), "wrong"); !errors.Is(err, ErrPassword) && !errors.Is(err, ErrNoKey) {
		t.Errorf("encrypted, wrong password: %v", err)
	}
	if _, err := ParseEncryptedKey(fixture(t, "encrypted.key"), "secret"); err != nil {
		t.Errorf("encrypted: %v", err)
	}
	if _, err := ParseKey(fixture(t, "fixture.crt")); !errors.Is(err, ErrNoKey) {
		t.Errorf("certificate: %v", err)
	}
	other, err := Generate(Request{CommonName: "x", NotBefore: day0, Type: P256}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParsePair(EncodeCertificate(other.Certificate), fixture(t, "pkcs8.key")); !errors.Is(err, ErrMismatch) {
		t.Errorf("key of another: %v", err)
	}
}

func TestParsePKCS12(t *testing.T) {
	t.Parallel()
	want, err := ParseCertificate(fixture(t, "fixture.crt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"aes256.p12", "aes128-mac512.p12", "rc2-3des.p12", "3des.p12", "plain.p12"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := fixture(t, name)
			p, err := ParsePKCS12(data, "secret")
			if err != nil {
				t.Fatal(err)
			}
			if !p.Certificate.Equal(want) || len(p.Chain) != 0 {
				t.Errorf("certificate %v, chain of %d", p.Certificate.Subject, len(p.Chain))
			}
			if _, err := ParsePKCS12(data, "Secret"); !errors.Is(err, ErrPassword) {
				t.Errorf("wrong password: %v", err)
			}
			if _, err := ParsePKCS12(data[:len(data)-9], "secret"); err == nil {
				t.Error("truncated: no error")
			}
			data[len(data)/2] ^= 1
			if _, err := ParsePKCS12(data, "secret"); err == nil {
				t.Error("changed: no error")
			}
		})
	}
}

func TestSeal(t *testing.T) {
	t.Parallel()
	text, err := NewSealingKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	k, err := ParseSealingKey([]byte(" " + text + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSealer(k)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := s.Seal(nil, "label", []byte("secret"))
	if err != nil || !IsSealed(sealed) || strings.Contains(string(sealed), "secret") {
		t.Fatalf("%q, %v", sealed, err)
	}
	if got, err := s.Open("label", sealed); err != nil || string(got) != "secret" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := s.Open("other", sealed); !errors.Is(err, ErrSealed) {
		t.Errorf("other label: %v", err)
	}
	for i := range sealed {
		changed := append([]byte(nil), sealed...)
		changed[i] ^= 1
		if _, err := s.Open("label", changed); !errors.Is(err, ErrSealed) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if _, err := s.Open("label", sealed[:i]); !errors.Is(err, ErrSealed) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	for _, bad := range []string{"", "abc", strings.Repeat("z", 64), strings.Repeat("a", 62)} {
		if _, err := ParseSealingKey([]byte(bad)); err == nil {
			t.Errorf("%q was taken for a key", bad)
		}
	}
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	p, err := ParsePair(fixture(t, "fixture.crt"), fixture(t, "pkcs8.key"))
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := NewSealer(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*Sealer{"plain": nil, "sealed": sealer} {
		path := filepath.Join(t.TempDir(), name)
		if err := WriteKeyFile(path, p, s, nil); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
		if err := WriteKeyFile(path, p, s, nil); !errors.Is(err, os.ErrExist) {
			t.Errorf("%s: an existing file was overwritten: %v", name, err)
		}
		got, err := ReadKeyFile(path, p.Certificate, s)
		if err != nil || !got.(*ecdsa.PrivateKey).Equal(p.Key) {
			t.Errorf("%s: %v", name, err)
		}
		if s != nil {
			if _, err := ReadKeyFile(path, p.Certificate, nil); !errors.Is(err, ErrSealed) {
				t.Errorf("a sealed key was read without the sealing key: %v", err)
			}
			other, err := Generate(Request{CommonName: "other", Type: P256, NotBefore: day0}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ReadKeyFile(path, other.Certificate, s); !errors.Is(err, ErrSealed) {
				t.Errorf("a sealed key was read for another certificate: %v", err)
			}
		}
	}
}

// FuzzParse reads any bytes as every kind of input.
func FuzzParse(f *testing.F) {
	entries, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			f.Add(fixture(f, e.Name()))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if cs, err := ParseCertificates(b); err == nil && len(cs) == 0 {
			t.Error("neither certificates nor an error")
		}
		if k, err := ParseKey(b); err == nil && k == nil {
			t.Error("neither key nor an error")
		}
		if len(b) < 4096 {
			if p, err := ParsePKCS12(b, "secret"); err == nil && (p.Key == nil || p.Certificate == nil) {
				t.Error("half a pair")
			}
			if cs, err := ParseTrustStore(b, "secret"); err == nil && len(cs) == 0 {
				t.Error("a trust store without certificates")
			}
		}
		if q, err := ParseSigningRequest(b); err == nil && q.PublicKey == nil {
			t.Error("a request for no key")
		}
	})
}

// TestParseTrustStore reads the certificates that a Java program keeps of its
// partners, and those beside a private key.
func TestParseTrustStore(t *testing.T) {
	t.Parallel()
	want, err := ParseCertificate(fixture(t, "fixture.crt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"truststore.p12", "aes256.p12", "rc2-3des.p12"} {
		list, err := ParseTrustStore(fixture(t, name), "secret")
		if err != nil || len(list) != 1 || !list[0].Equal(want) {
			t.Errorf("%s: %d certificates, %v", name, len(list), err)
		}
	}
	if _, err := ParseTrustStore(fixture(t, "truststore.p12"), "Secret"); !errors.Is(err, ErrPassword) {
		t.Errorf("wrong password: %v", err)
	}
	if _, err := ParsePKCS12(fixture(t, "truststore.p12"), "secret"); !errors.Is(err, ErrNoKey) {
		t.Errorf("as a pair: %v", err)
	}
}

// TestWhatIsNoCertificate names what is taken for one.
func TestWhatIsNoCertificate(t *testing.T) {
	t.Parallel()
	pair, err := Generate(Request{CommonName: "x", NotBefore: time.Unix(0, 0), Type: P256}, nil)
	if err != nil {
		t.Fatal(err)
	}
	request, err := SigningRequest(Request{CommonName: "x"}, pair.Key, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"a Java keystore": {[]byte("\xfe\xed\xfe\xed\x00\x00\x00\x02"), "keytool -importkeystore"},
		"a request":       {request, "CERTIFICATE REQUEST"},
		"a private key":   {fixture(t, "pkcs8.key"), "PRIVATE KEY"},
		"a sealed key":    {[]byte(sealMagic + "xxxxxxxxxxxxxxxxxxxxxxxx"), "sealed"},
	} {
		if _, err := ParseCertificates(c.data); !errors.Is(err, ErrNoCertificate) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOpenKeyOf opens a sealed key by its request, before a certificate is issued.
func TestOpenKeyOf(t *testing.T) {
	t.Parallel()
	sealer, err := NewSealer(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	pair, err := Generate(Request{CommonName: "x", NotBefore: time.Unix(0, 0), Type: P256}, nil)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := SealKey(pair.Key, sealer, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := SigningRequest(Request{CommonName: "x"}, pair.Key, nil)
	if err != nil {
		t.Fatal(err)
	}
	q, err := ParseSigningRequest(text)
	if err != nil {
		t.Fatal(err)
	}
	key, err := OpenKeyOf(sealed, q.PublicKey, sealer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewPair(key, []*x509.Certificate{pair.Certificate}); err != nil {
		t.Error(err)
	}
	if _, err := OpenKeyOf(sealed, q.PublicKey, nil); !errors.Is(err, ErrSealed) {
		t.Errorf("without the sealing key: %v", err)
	}
	other, err := Generate(Request{CommonName: "y", NotBefore: time.Unix(0, 0), Type: P256}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKeyOf(sealed, other.Certificate.PublicKey, sealer); !errors.Is(err, ErrSealed) {
		t.Errorf("for another key: %v", err)
	}
	text[len(text)/2] ^= 1
	if _, err := ParseSigningRequest(text); err == nil {
		t.Error("a changed request was read")
	}
}
