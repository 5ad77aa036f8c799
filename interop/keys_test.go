package interop

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/certs"
)

// curves are the elliptic curves whose names stand for parties that use them;
// other parties use RSA.
func curves() map[string]elliptic.Curve {
	return map[string]elliptic.Curve{"p256": elliptic.P256(), "p384": elliptic.P384(), "p521": elliptic.P521()}
}

// newParties makes keys with certificates and writes them into dir, as
// NAME.key and NAME.crt.
func newParties(t *testing.T, dir string, names ...string) map[string]as2.Key {
	t.Helper()
	out := map[string]as2.Key{}
	for i, name := range names {
		key := newPrivate(t, name)
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(1000 + i)), Subject: pkix.Name{Country: []string{"DE"}, Organization: []string{"Interop"}, CommonName: name},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour), SubjectKeyId: []byte("key of " + name),
			BasicConstraintsValid: true,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		private, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
		write(t, filepath.Join(dir, name+".crt"), certs.EncodeCertificate(certificate))
		out[name] = as2.Key{Certificate: certificate, Private: key}
	}
	return out
}

func newPrivate(t *testing.T, name string) crypto.Signer {
	t.Helper()
	if curve := curves()[name]; curve != nil {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
