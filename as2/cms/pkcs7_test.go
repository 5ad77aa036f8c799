package cms

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"testing"

	"go.mozilla.org/pkcs7"
)

// These tests hold this package against go.mozilla.org/pkcs7 where that reads
// or writes what we do: a second opinion that shares no code with us.

func TestPKCS7ReadsWhatWeWrite(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	for _, n := range []int{0, 1, 15, 16, 5000, chunkSize + 1} {
		plain := sample(n)
		for _, c := range []Cipher{AES128CBC, AES256CBC, TripleDES} {
			for _, definite := range []bool{false, true} {
				b := encryptAll(t, plain, EncryptOptions{Cipher: c, AllowTripleDES: true, Definite: definite}, Recipient{Certificate: p.alice.cert}, Recipient{Certificate: p.bob.cert})
				parsed, err := pkcs7.Parse(b)
				if err != nil {
					t.Errorf("%s, %d octets, definite=%v: %v", c, n, definite, err)
					continue
				}
				got, err := parsed.Decrypt(p.bob.cert, p.bob.key)
				if err != nil || !bytes.Equal(got, plain) {
					t.Errorf("%s, %d octets, definite=%v: %d octets, %v", c, n, definite, len(got), err)
				}
			}
		}
		for name, s := range signers(p) {
			if s.PSS || s.KeyIdentifier || s.EffectiveDigest() == MD5 || s.EffectiveDigest() == SHA224 || name == "ed25519" || name == "serial 0" {
				continue // it knows none of these
			}
			s.IncludeCertificates = []*x509.Certificate{s.Certificate}
			der, _ := signDetached(t, s, plain)
			parsed, err := pkcs7.Parse(der)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			parsed.Content = plain
			if err := parsed.Verify(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestWeReadWhatPKCS7Writes(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	for _, n := range []int{0, 1, 16, 5000} {
		content := sample(n)
		for _, d := range []Digest{SHA1, SHA256, SHA384, SHA512} {
			for _, by := range []party{p.alice, p.p256} {
				for _, detached := range []bool{false, true} {
					sd, err := pkcs7.NewSignedData(content)
					if err != nil {
						t.Fatal(err)
					}
					sd.SetDigestAlgorithm(dotted(t, d.OID()))
					if err := sd.AddSigner(by.cert, by.key, pkcs7.SignerInfoConfig{}); err != nil {
						t.Fatal(err)
					}
					if detached {
						sd.Detach()
					}
					b, err := sd.Finish()
					if err != nil {
						t.Fatal(err)
					}
					parsed, err := ParseSignedData(bytes.NewReader(b), Limits{})
					if err != nil || parsed.Detached() != detached {
						t.Errorf("%s by %s: %v", d, by.name, err)
						continue
					}
					var digests map[Digest][]byte
					if detached {
						digests = map[Digest][]byte{d: digestBy(d, content)}
					}
					if _, err := parsed.Verify(digests, []*x509.Certificate{by.cert}, noon); err != nil {
						t.Errorf("%s by %s, detached=%v: %v", d, by.name, detached, err)
					}
				}
			}
		}
	}
}

// The package variable that chooses pkcs7's cipher is left alone: it writes DES,
// which nobody should read, so its encrypting side is built here by hand from
// what it shows: AES-GCM inside an EnvelopedData, the tag at the end.
func TestGCMInsideEnvelopedData(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	for _, n := range []int{0, 1, 15, 16, 17, 4096 - 16, 4096, 5000, chunkSize, 3 * chunkSize} {
		plain := sample(n)
		key := sample(32)
		info, _, err := (Recipient{Certificate: p.bob.cert}).encode(rand.Reader, key)
		if err != nil {
			t.Fatal(err)
		}
		block, err := AES256GCM.newBlock(key)
		if err != nil {
			t.Fatal(err)
		}
		for _, tagSize := range []int{12, 16} {
			g, err := newGCMStream(block, sample(12))
			if err != nil {
				t.Fatal(err)
			}
			sealed := bytes.Clone(plain)
			g.seal(sealed)
			sealed = append(sealed, g.sum(nil)[:tagSize]...)
			parameters := tlv(tagSequence, tlv(tagOctetString, sample(12)), encodeSmall(tagSize))
			b := tlv(tagSequence, encodeOID(OIDEnvelopedData), tlv(tagContextCons|0, tlv(tagSequence,
				encodeSmall(0), tlv(tagSet, info),
				tlv(tagSequence, encodeOID(OIDData), encodeAlgorithm(oidAES256GCM, parameters), tlv(tagContext|0, sealed)))))
			got, d, err := decryptAll(b, Limits{}, p.bob.decryption())
			if err != nil || !bytes.Equal(got, plain) || !d.Authenticated {
				t.Fatalf("%d octets, tag %d: %d octets, %v", n, tagSize, len(got), err)
			}
			b[len(b)-1] ^= 1
			if _, _, err := decryptAll(b, Limits{}, p.bob.decryption()); err != ErrDecrypt { //nolint:errorlint // the very same
				t.Errorf("%d octets, tag %d changed: %v", n, tagSize, err)
			}
		}
	}
}

func dotted(t *testing.T, id OID) asn1.ObjectIdentifier {
	t.Helper()
	var out asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(encodeOID(id), &out); err != nil {
		t.Fatal(err)
	}
	return out
}
