package as2

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"testing"
)

// fixtureKey reads a key pair made with openssl: a key of 4096 bits takes long
// to make.
func fixtureKey(t *testing.T, name string) Key {
	t.Helper()
	rest, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var k Key
	for block, rest := pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "PRIVATE KEY":
			private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			k.Private = private.(crypto.Signer)
		case "CERTIFICATE":
			if k.Certificate, err = x509.ParseCertificate(block.Bytes); err != nil {
				t.Fatal(err)
			}
		}
	}
	return k
}

// TestDrummondCertificates sends with certificates that were a problem between
// certified products. How odd ones are read is tested in package certs.
func TestDrummondCertificates(t *testing.T) {
	t.Parallel()
	keys := testKeys()
	serial := func(name string, n int64) Key {
		k := keys[name]
		c := *k.Certificate
		c.SerialNumber = big.NewInt(n)
		return Key{Certificate: &c, Private: k.Private}
	}
	for name, c := range map[string]struct{ alice, bob Key }{
		"4096-bit keys":                 {fixtureKey(t, "rsa4096.pem"), fixtureKey(t, "rsa4096.pem")},
		"serial number 0":               {serial("alice", 0), serial("bob", 0)},
		"negative serial number":        {serial("alice", -77), serial("bob", -1)},
		"the same serial number":        {serial("alice", 5), serial("bob", 5)},
		"very long serial number":       {serial("alice", 1<<62), serial("bob", 1<<62)},
		"elliptic curve of the partner": {keys["ec"], keys["bob"]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			alice := Relation{Station: Station{ID: "alice", Keys: []Key{c.alice}}, Partner: Partner{ID: "bob", Encrypt: c.bob.Certificate, Verify: []*x509.Certificate{c.bob.Certificate}}}
			bob := Relation{Station: Station{ID: "bob", Keys: []Key{c.bob}}, Partner: Partner{ID: "alice", Encrypt: c.alice.Certificate, Verify: []*x509.Certificate{c.alice.Certificate}}}
			out, err := Build(context.Background(), alice, payloadOf(order, "", ""), Options{
				MessageID: "<c@alice.test>", Now: testNow, Sign: SHA256, Encrypt: AES256CBC, Receipt: ReceiptRequest{Mode: SyncReceipt, Signed: true},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = out.Close() }()
			r := receiveAt(t, bob, out.Header, bodyOf(t, out))
			if r.Failure != nil {
				t.Fatal(r.Failure)
			}
			rc, err := r.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
			if err != nil {
				t.Fatal(err)
			}
			if o := reparse(t, rc).Check(out.Sent, alice.Partner.Verify); !o.Delivered || !o.Signer.Equal(c.bob.Certificate) {
				t.Errorf("outcome %+v", o)
			}
		})
	}
}
