package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// made is a certificate with a key, signed by parent or by itself.
func made(t testing.TB, name string, serial int64, authority bool, parent *Pair) *Pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: day0, NotAfter: day0.AddDate(1, 0, 0),
		IsCA: authority, BasicConstraintsValid: true,
	}
	issuer, signer := template, key
	if parent != nil {
		issuer, signer = parent.Certificate, parent.Key.(*ecdsa.PrivateKey)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &Pair{Certificate: c, Key: key}
}

func TestBagComesBack(t *testing.T) {
	t.Parallel()
	root := made(t, "root", 1, true, nil)
	leaf := made(t, "leaf", 2, false, root)
	der, err := EncodeBag([]*x509.Certificate{leaf.Certificate, root.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseCertificates(der)
	if err != nil || len(got) != 2 {
		t.Fatalf("%d certificates, %v", len(got), err)
	}
	if ends := EndEntities(got); len(ends) != 1 || !ends[0].Equal(leaf.Certificate) {
		t.Errorf("%d end entities", len(ends))
	}
	if _, err := EncodeBag(nil); !errors.Is(err, ErrNoCertificate) {
		t.Errorf("an empty bag: %v", err)
	}
	if _, err := EncodeBag([]*x509.Certificate{{}}); err == nil {
		t.Error("a certificate without bytes was put into a bag")
	}
}

// TestBagReadByOpenSSL has openssl read what EncodeBag wrote.
func TestBagReadByOpenSSL(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	leaf := made(t, "bagged", 7, false, nil)
	der, err := EncodeBag([]*x509.Certificate{leaf.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "bag.p7b")
	if err := os.WriteFile(file, der, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), openssl, "pkcs7", "-inform", "DER", "-in", file, "-print_certs").CombinedOutput() //nolint:gosec // both are ours
	if err != nil || !strings.Contains(string(out), strings.TrimSpace(string(EncodeCertificate(leaf.Certificate)))) {
		t.Errorf("%v: %s", err, out)
	}
}

func TestEndEntities(t *testing.T) {
	t.Parallel()
	root := made(t, "root", 1, true, nil)
	sub := made(t, "sub", 2, true, root)
	leaf := made(t, "leaf", 3, false, sub)
	alone := made(t, "alone", 4, false, nil)
	renewed := made(t, "alone", 5, false, nil) // same name, own key: a successor, not an issuer
	stranger := made(t, "root", 6, true, nil)  // the name of the root, another key
	for name, c := range map[string]struct {
		in   []*Pair
		want string
	}{
		"chain":                      {[]*Pair{root, leaf, sub}, "leaf"},
		"old and new":                {[]*Pair{alone, renewed}, "alone alone"},
		"an issuer in name only":     {[]*Pair{stranger, sub}, "root sub"},
		"the root alone":             {[]*Pair{root}, "root"},
		"twice the same is no chain": {[]*Pair{alone, alone}, "alone alone"},
	} {
		var in []*x509.Certificate
		for _, p := range c.in {
			in = append(in, p.Certificate)
		}
		var got []string
		for _, e := range EndEntities(in) {
			got = append(got, e.Subject.CommonName)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	for kind, want := range map[KeyType]string{RSA2048: "rsa-2048", P256: "p-256"} {
		p, err := Generate(Request{CommonName: "Alice", Type: kind, NotBefore: day0, Validity: 48 * time.Hour}, nil)
		if err != nil {
			t.Fatal(err)
		}
		d := Describe(p.Certificate)
		if d.Key != want || d.Subject != "CN=Alice" || !d.SelfSigned || d.Authority || d.SHA256 != Fingerprint(p.Certificate) ||
			len(d.SHA1) != 59 || d.Usages[0] != "digitalSignature" || !d.NotAfter.Equal(day0.Add(48*time.Hour)) {
			t.Errorf("%+v", d)
		}
		if err := Suits(p.Certificate); err != nil {
			t.Error(err)
		}
	}
	if Suits(&x509.Certificate{PublicKey: "?"}) == nil {
		t.Error("an unknown key serves")
	}
}

// TestKeysOfOddSizes: what cannot be used is not taken, and what is weak is told.
func TestKeysOfOddSizes(t *testing.T) {
	t.Parallel()
	number := func(bits int) *big.Int { return new(big.Int).SetBit(new(big.Int), bits-1, 1) }
	for name, c := range map[string]struct {
		key            any
		suits, certain bool
	}{
		"512":             {&rsa.PublicKey{N: number(512), E: 65537}, false, false},
		"1023":            {&rsa.PublicKey{N: number(1023), E: 65537}, false, false},
		"1024":            {&rsa.PublicKey{N: number(1024), E: 65537}, true, false},
		"2048":            {&rsa.PublicKey{N: number(2048), E: 3}, true, true},
		"16384":           {&rsa.PublicKey{N: number(16384), E: 65537}, true, true},
		"16385":           {&rsa.PublicKey{N: number(16385), E: 65537}, false, true},
		"exponent 1":      {&rsa.PublicKey{N: number(2048), E: 1}, false, true},
		"an even one":     {&rsa.PublicKey{N: number(2048), E: 65536}, false, true},
		"a small curve":   {&ecdsa.PublicKey{Curve: elliptic.P224()}, false, true},
		"a curve in use":  {&ecdsa.PublicKey{Curve: elliptic.P384()}, true, true},
		"the other curve": {&ecdsa.PublicKey{Curve: elliptic.P521()}, true, true},
	} {
		x := &x509.Certificate{PublicKey: c.key}
		if err := Suits(x); (err == nil) != c.suits || Strong(x) != c.certain {
			t.Errorf("%s: suits %v, strong %v", name, err, Strong(x))
		}
	}
}

func TestParseFingerprint(t *testing.T) {
	t.Parallel()
	full := Fingerprint(made(t, "a", 1, false, nil).Certificate)
	for _, in := range []string{full, strings.ToLower(full), strings.ReplaceAll(full, ":", ""), strings.ReplaceAll(full, ":", " ")} {
		if got, err := ParseFingerprint(in); err != nil || got != full {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	if got, err := ParseFingerprint("abcde"); err != nil || got != "AB:CD:E" {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"", "abc", "keys/a.crt", strings.Repeat("a", 65), "zzzz"} {
		if _, err := ParseFingerprint(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
