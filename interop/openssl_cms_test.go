package interop

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"testing"

	"tradepost/as2/cms"
)

// TestOpenSSLReadsOurCMS is what package cms writes beyond what package as2 asks
// it to: enveloping signatures, signers and recipients by key identifier, with
// and without certificates, and many recipients, in BER and DER.
func TestOpenSSLReadsOurCMS(t *testing.T) {
	t.Parallel()
	o := newOpenSSL(t)
	for _, name := range []string{"alice", "p256", "p384", "p521"} {
		for _, byKey := range []bool{false, true} {
			for _, enclosed := range []bool{false, true} {
				s := cms.Signer{Certificate: o.parties[name].Certificate, Key: o.parties[name].Private, Digest: cms.SHA384, KeyIdentifier: byKey, PSS: name == "alice"}
				if enclosed {
					s.IncludeCertificates = []*x509.Certificate{s.Certificate}
				}
				t.Run(fmt.Sprintf("enveloping signature of %s, key identifier %v, certificate %v", name, byKey, enclosed), func(t *testing.T) {
					t.Parallel()
					var ber bytes.Buffer
					w, err := cms.Sign(rand.Reader, &ber, s, cms.OIDData)
					if err == nil {
						_, err = w.Write(document)
					}
					if err = errors.Join(err, w.Close()); err != nil {
						t.Fatal(err)
					}
					head, tail, err := cms.SignEnveloping(rand.Reader, s, digestOf(s.Digest, document), int64(len(document)), cms.OIDData)
					if err != nil {
						t.Fatal(err)
					}
					for form, made := range map[string][]byte{"BER": ber.Bytes(), "DER": bytes.Join([][]byte{head, document, tail}, nil)} {
						got := o.run(t, made, "cms", "-verify", "-inform", "DER", "-binary", "-CAfile", name+".crt", "-certfile", name+".crt", "-purpose", "any", "-partial_chain")
						if !bytes.Equal(got, document) {
							t.Errorf("%s: openssl read %q", form, got)
						}
					}
				})
			}
		}
	}
	for _, cipher := range cms.Ciphers() {
		for _, definite := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s to everybody, DER %v", cipher, definite), func(t *testing.T) {
				t.Parallel()
				readers := []string{"alice", "bob", "carol", "p256", "p384", "p521"}
				var to []cms.Recipient
				for i, name := range readers {
					r := cms.Recipient{Certificate: o.parties[name].Certificate, KeyIdentifier: i%2 == 1}
					if name == "carol" {
						r.OAEP = &cms.OAEP{}
					}
					to = append(to, r)
				}
				var b bytes.Buffer
				e, err := cms.Encrypt(rand.Reader, &b, to, cms.EncryptOptions{Cipher: cipher, AllowTripleDES: true, Definite: definite, Size: int64(len(document))})
				if err == nil {
					_, err = e.Write(document)
				}
				if err = errors.Join(err, e.Close()); err != nil {
					t.Fatal(err)
				}
				for _, reader := range readers {
					got := o.run(t, b.Bytes(), "cms", "-decrypt", "-inform", "DER", "-binary", "-recip", reader+".crt", "-inkey", reader+".key")
					if !bytes.Equal(got, document) {
						t.Errorf("openssl read %q as %s", got, reader)
					}
				}
			})
		}
	}
}
