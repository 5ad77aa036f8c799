package as2

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"net/http"
	"sync"
	"testing"
	"time"

	"tradepost/as2/cms"
)

// testNow is the clock of all tests.
var testNow = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

// testKeys makes the key pairs of the tests once: making RSA keys is slow.
var testKeys = sync.OnceValue(func() map[string]Key {
	keys := map[string]Key{}
	for i, name := range []string{"alice", "bob", "mallory"} {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[name] = certify(name, int64(i+1), k)
	}
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	keys["ec"] = certify("ec", 99, k)
	return keys
})

func certify(name string, serial int64, k crypto.Signer) Key {
	t := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
		NotBefore: testNow.AddDate(-1, 0, 0), NotAfter: testNow.AddDate(5, 0, 0),
		SubjectKeyId: []byte(name + "-key-id"),
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, k.Public(), k)
	if err != nil {
		panic(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return Key{Certificate: c, Private: k}
}

// relation is what one of the test parties has agreed with the other.
func relation(station, partner string) Relation {
	keys := testKeys()
	return Relation{
		Station: Station{ID: station, Keys: []Key{keys[station]}},
		Partner: Partner{ID: partner, Encrypt: keys[partner].Certificate, Verify: []*x509.Certificate{keys[partner].Certificate}},
	}
}

// lookup knows only the relation given.
func lookup(rel Relation) func(from, to string) (*Relation, error) {
	return func(from, to string) (*Relation, error) {
		if from != rel.Partner.ID || to != rel.Station.ID {
			return nil, ErrUnknownRelation
		}
		return &rel, nil
	}
}

// payloadOf wraps bytes as a payload.
func payloadOf(content []byte, contentType, name string) Payload {
	return Payload{ContentType: contentType, Filename: name, Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}}
}

// order is a small purchase order with LF segment ends inside CRLF ones, so
// that any change of line ends shows.
var order = []byte("ISA*00*          *00*          *ZZ*ALICE          *ZZ*BOB            *261120*2301*U*00401*000000001*0*T*:~\r\n" +
	"GS*PO*ALICE*BOB*20261120*2301*1*X*004010~\nST*850*0001~\nBEG*00*SA*PO1**20261120~\r\nSE*3*0001~\rGE*1*1~\nIEA*1*000000001~\n")

// open reads a payload whole.
func open(t testing.TB, p Payload) []byte {
	t.Helper()
	r, err := p.Open()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// mustBuild builds a transmission of alice to bob.
func mustBuild(t testing.TB, content []byte, o Options) *Outgoing {
	t.Helper()
	if o.MessageID == "" {
		o.MessageID = "<order-1@alice.test>"
	}
	if o.Now.IsZero() {
		o.Now = testNow
	}
	out, err := Build(context.Background(), relation("alice", "bob"), payloadOf(content, "application/edi-x12", "order 1.edi"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close() })
	return out
}

// bodyOf reads the whole body of a transmission.
func bodyOf(t testing.TB, out *Outgoing) []byte {
	t.Helper()
	return open(t, Payload{Open: out.Open})
}

// receiveAt receives bytes at bob's.
func receiveAt(t testing.TB, rel Relation, h http.Header, body []byte) *Received {
	t.Helper()
	r, err := Receive(context.Background(), h, bytes.NewReader(body), ReceiveOptions{Lookup: lookup(rel)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// reparse reads a made receipt the way the sender does.
func reparse(t testing.TB, r *Receipt) *Receipt {
	t.Helper()
	p, err := ParseReceipt(r.Header, bytes.NewReader(r.Body), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// modifierOf is the modifier of a failed reception.
func modifierOf(err error) Modifier {
	var d *DispositionError
	if errors.As(err, &d) {
		return d.Disposition.Modifier
	}
	return ""
}

// signHand wraps an entity made by hand into a multipart/signed.
func signHand(t testing.TB, key Key, part []byte) (http.Header, []byte) {
	t.Helper()
	h := SHA256.New()
	h.Write(part)
	signature, err := cms.SignDetached(rand.Reader, cms.Signer{Certificate: key.Certificate, Key: key.Private, Digest: SHA256}, h.Sum(nil), cms.OIDData)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	b.WriteString("--hand\r\n")
	b.Write(part)
	if err := writeSignaturePart(&b, "hand", signature, true); err != nil {
		t.Fatal(err)
	}
	return baseHeader(signedType("hand", SHA256)), b.Bytes()
}

// signHandMD5Attributes is signHand with SHA-256 over the part, and MD5 over
// the attributes that carry that digest.
func signHandMD5Attributes(t testing.TB, key Key, part []byte) (http.Header, []byte) {
	t.Helper()
	sum := sha256.Sum256(part)
	der, err := cms.SignDetached(rand.Reader, cms.Signer{Certificate: key.Certificate, Key: key.Private}, sum[:], cms.OIDData)
	if err != nil {
		t.Fatal(err)
	}
	var info struct {
		Type    asn1.ObjectIdentifier
		Content struct {
			Version                int
			Digests, Encapsulation asn1.RawValue
			Signers                []struct {
				Version    int
				ID, Digest asn1.RawValue
				Attributes asn1.RawValue `asn1:"tag:0"`
				Method     struct {
					OID        asn1.ObjectIdentifier
					Parameters asn1.RawValue
				}
				Signature []byte
			} `asn1:"set"`
		} `asn1:"explicit,tag:0"`
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		t.Fatal(err)
	}
	signer := info.Content.Signers[0]
	attributes := bytes.Clone(signer.Attributes.FullBytes)
	attributes[0] = 0x31 // they are signed as a SET
	hashed := md5.Sum(attributes)
	signature, err := rsa.SignPKCS1v15(nil, key.Private.(*rsa.PrivateKey), crypto.MD5, hashed[:])
	if err != nil {
		t.Fatal(err)
	}
	rsaEncryption, md5WithRSA := []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"), []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04")
	i := bytes.LastIndex(der, rsaEncryption)
	copy(der[i:], md5WithRSA)
	copy(der[len(der)-len(signature):], signature)
	var b bytes.Buffer
	b.WriteString("--hand\r\n")
	b.Write(part)
	if err := writeSignaturePart(&b, "hand", der, true); err != nil {
		t.Fatal(err)
	}
	return baseHeader(signedType("hand", SHA256)), b.Bytes()
}

// encryptHand encrypts an entity made by hand to bob.
func encryptHand(t testing.TB, part []byte, cipher Cipher) (http.Header, []byte) {
	t.Helper()
	var b bytes.Buffer
	e, err := cms.Encrypt(rand.Reader, &b, []cms.Recipient{{Certificate: testKeys()["bob"].Certificate}}, cms.EncryptOptions{Cipher: cipher})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Write(part); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return baseHeader("application/pkcs7-mime; smime-type=enveloped-data"), b.Bytes()
}

// baseHeader is the least a transmission of alice to bob needs.
func baseHeader(contentType string) http.Header {
	h := http.Header{}
	h.Set("AS2-From", "alice")
	h.Set("AS2-To", "bob")
	h.Set("Message-ID", "<hand@alice.test>")
	h.Set("Content-Type", contentType)
	return h
}
