package cms

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"testing"
	"time"

	"go.mozilla.org/pkcs7"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// signDetached signs content and parses the result.
func signDetached(t *testing.T, s Signer, content []byte) (der []byte, parsed *SignedData) {
	t.Helper()
	der, err := SignDetached(rand.Reader, s, digestBy(s.EffectiveDigest(), content), OIDData)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err = ParseSignedData(bytes.NewReader(der), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return der, parsed
}

// signers are all pairs of key and digest that make sense.
func signers(p *parties) map[string]Signer {
	out := map[string]Signer{}
	for _, d := range Digests() {
		out["rsa "+string(d)] = Signer{Certificate: p.alice.cert, Key: p.alice.key, Digest: d}
		if d == MD5 {
			continue
		}
		out["pss "+string(d)] = Signer{Certificate: p.alice.cert, Key: p.alice.key, Digest: d, PSS: true}
		for _, ec := range []party{p.p256, p.p384, p.p521} {
			out[ec.name+" "+string(d)] = Signer{Certificate: ec.cert, Key: ec.key, Digest: d}
		}
	}
	out["ed25519"] = Signer{Certificate: p.ed.cert, Key: p.ed.key}
	out["default"] = Signer{Certificate: p.alice.cert, Key: p.alice.key}
	out["key identifier"] = Signer{Certificate: p.alice.cert, Key: p.alice.key, KeyIdentifier: true}
	out["computed key identifier"] = Signer{Certificate: p.carol.cert, Key: p.carol.key, KeyIdentifier: true}
	out["serial 0"] = Signer{Certificate: p.zeroSerial.cert, Key: p.zeroSerial.key}
	return out
}

func TestSignAndVerifyEveryPair(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	content := []byte("Content-Type: application/edi-x12\r\n\r\nISA*00*~")
	for name, s := range signers(p) {
		s.SigningTime = noon
		_, parsed := signDetached(t, s, content)
		d := s.EffectiveDigest()
		v, err := parsed.Verify(map[Digest][]byte{d: digestBy(d, content)}, []*x509.Certificate{p.bob.cert, s.Certificate}, noon)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if v.Certificate != s.Certificate || v.Digest != d || !v.SignedAttributes || !v.SigningTime.Equal(noon) {
			t.Errorf("%s: %+v", name, v)
		}
		if got := parsed.Digests(); len(got) != 1 || got[0] != d || !parsed.Detached() || len(parsed.Certificates()) != 0 {
			t.Errorf("%s: digests %v, detached %v", name, got, parsed.Detached())
		}
		if _, err := parsed.Verify(map[Digest][]byte{d: digestBy(d, append(content, 0))}, []*x509.Certificate{s.Certificate}, noon); !errors.Is(err, ErrContentChanged) {
			t.Errorf("%s: changed content gives %v", name, err)
		}
	}
}

func TestOnlyGivenCertificatesCount(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	content := []byte("content")
	s := Signer{Certificate: p.alice.cert, Key: p.alice.key, IncludeCertificates: []*x509.Certificate{p.alice.cert, p.bob.cert}}
	_, parsed := signDetached(t, s, content)
	if n := len(parsed.Certificates()); n != 2 {
		t.Fatalf("%d certificates embedded", n)
	}
	digests := map[Digest][]byte{SHA256: digestBy(SHA256, content)}
	for _, trusted := range [][]*x509.Certificate{nil, {}, {p.bob.cert}, {nil}} {
		var unknown *UnknownSignerError
		if _, err := parsed.Verify(digests, trusted, noon); !errors.As(err, &unknown) || len(unknown.Signers) != 1 {
			t.Errorf("trusting %v gives %v", trusted, err)
		}
	}
	// Somebody else's signature under alice's name.
	forged := Signer{Certificate: sameNameOtherKey(t, p.alice, p.bob.key), Key: p.bob.key, IncludeCertificates: []*x509.Certificate{p.bob.cert}}
	_, parsed = signDetached(t, forged, content)
	if _, err := parsed.Verify(digests, []*x509.Certificate{p.alice.cert}, noon); !errors.Is(err, ErrSignature) {
		t.Errorf("a forged signature gives %v", err)
	}
}

// sameNameOtherKey is a certificate with p's issuer and serial and another key.
func sameNameOtherKey(t *testing.T, p party, key crypto.Signer) *x509.Certificate {
	t.Helper()
	c, err := selfSigned(p.name, p.cert.SerialNumber, key, false)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestVerifyPicksTheRightOneOfTwinCertificates(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	content := []byte("content")
	_, parsed := signDetached(t, Signer{Certificate: p.sameIDs.cert, Key: p.sameIDs.key}, content)
	v, err := parsed.Verify(map[Digest][]byte{SHA256: digestBy(SHA256, content)}, []*x509.Certificate{p.bob.cert, p.sameIDs.cert}, noon)
	if err != nil || v.Certificate != p.sameIDs.cert {
		t.Fatalf("%v, %v", v, err)
	}
}

func TestVerifyAsksForTheSignersDigestAndTime(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	content := []byte("content")
	_, parsed := signDetached(t, Signer{Certificate: p.alice.cert, Key: p.alice.key, Digest: SHA384}, content)
	trusted := []*x509.Certificate{p.alice.cert}
	var missing *MissingDigestError
	if _, err := parsed.Verify(map[Digest][]byte{SHA256: digestBy(SHA256, content)}, trusted, noon); !errors.As(err, &missing) || missing.Digest != SHA384 {
		t.Errorf("%v", err)
	}
	right := map[Digest][]byte{SHA384: digestBy(SHA384, content)}
	var validity *ValidityError
	if _, err := parsed.Verify(right, trusted, noon.AddDate(30, 0, 0)); !errors.As(err, &validity) {
		t.Errorf("%v", err)
	}
	if _, err := parsed.Verify(right, trusted, time.Time{}); err != nil {
		t.Errorf("no time asked about: %v", err)
	}
}

func TestSignRefusesWhatNobodyCouldUse(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	good := digestBy(SHA256, nil)
	for name, c := range map[string]struct {
		s           Signer
		digest      []byte
		contentType OID
	}{
		"no certificate":      {Signer{Key: p.alice.key}, good, OIDData},
		"no key":              {Signer{Certificate: p.alice.cert}, good, OIDData},
		"somebody else's key": {Signer{Certificate: p.alice.cert, Key: p.bob.key}, good, OIDData},
		"unknown digest":      {Signer{Certificate: p.alice.cert, Key: p.alice.key, Digest: "sha-3"}, good, OIDData},
		"short digest":        {Signer{Certificate: p.alice.cert, Key: p.alice.key}, good[1:], OIDData},
		"no content type":     {Signer{Certificate: p.alice.cert, Key: p.alice.key}, good, ""},
		"odd content type":    {Signer{Certificate: p.alice.cert, Key: p.alice.key}, good, "1.x"},
		"MD5 with ECDSA":      {Signer{Certificate: p.p256.cert, Key: p.p256.key, Digest: MD5}, digestBy(MD5, nil), OIDData},
	} {
		if _, err := SignDetached(rand.Reader, c.s, c.digest, c.contentType); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
}

func TestEnvelopingSignature(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	for _, n := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 3*chunkSize + 17} {
		content := sample(n)
		s := Signer{Certificate: p.p256.cert, Key: p.p256.key, Digest: SHA512, IncludeCertificates: []*x509.Certificate{p.p256.cert}}
		var out bytes.Buffer
		w, err := Sign(rand.Reader, &out, s, OIDData)
		if err != nil {
			t.Fatal(err)
		}
		for rest := content; len(rest) > 0; {
			piece := min(len(rest), 40_001)
			if _, err := w.Write(rest[:piece]); err != nil {
				t.Fatal(err)
			}
			rest = rest[piece:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err == nil {
			t.Error("closed twice")
		}
		out.WriteString("\r\n")
		for how, r := range readers(out.Bytes()) {
			sr, err := OpenSignedData(r, Limits{})
			if err != nil {
				t.Fatalf("%d %s: %v", n, how, err)
			}
			if _, err := sr.SignedData(); err == nil {
				t.Error("signatures before the content was read")
			}
			got, err := io.ReadAll(sr)
			if err != nil || !bytes.Equal(got, content) {
				t.Fatalf("%d %s: %d octets, %v", n, how, len(got), err)
			}
			parsed, err := sr.SignedData()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parsed.Verify(nil, []*x509.Certificate{p.p256.cert}, noon); err != nil {
				t.Errorf("%d %s: %v", n, how, err)
			}
			if parsed.Trailing() != 2 || parsed.Detached() {
				t.Errorf("%d %s: trailing %d, detached %v", n, how, parsed.Trailing(), parsed.Detached())
			}
		}
	}
}

// TestEnvelopingSignatureInDER: the definite form is the shortest there is, and
// is read by ourselves and by go.mozilla.org/pkcs7, which copes with DER only.
func TestEnvelopingSignatureInDER(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	for name, s := range map[string]Signer{
		"RSA":               {Certificate: p.alice.cert, Key: p.alice.key, IncludeCertificates: []*x509.Certificate{p.alice.cert}, SigningTime: noon},
		"RSA, nothing else": {Certificate: p.alice.cert, Key: p.alice.key},
		"ECDSA":             {Certificate: p.p256.cert, Key: p.p256.key, IncludeCertificates: []*x509.Certificate{p.p256.cert}},
	} {
		for _, n := range []int{0, 5, 127, 128, 70_000} {
			content := sample(n)
			head, tail, err := SignEnveloping(rand.Reader, s, digestBy(SHA256, content), int64(n), OIDData)
			if err != nil {
				t.Fatal(err)
			}
			der := slices.Concat(head, content, tail)
			var whole asn1.RawValue
			if rest, err := asn1.Unmarshal(der, &whole); err != nil || len(rest) > 0 {
				t.Fatalf("%s, %d octets: not DER: %v, %d octets left", name, n, err, len(rest))
			}
			r, err := OpenSignedData(bytes.NewReader(der), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content) {
				t.Fatalf("%s, %d octets: %d came back, %v", name, n, len(got), err)
			}
			sd, err := r.SignedData()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := sd.Verify(nil, []*x509.Certificate{s.Certificate}, noon); err != nil || sd.Trailing() != 0 {
				t.Errorf("%s, %d octets: %v", name, n, err)
			}
			if name == "RSA" {
				other, err := pkcs7.Parse(der)
				if err != nil {
					t.Fatal(err)
				}
				if err := other.Verify(); err != nil || !bytes.Equal(other.Content, content) {
					t.Errorf("%s, %d octets, by pkcs7: %v", name, n, err)
				}
			}
		}
	}
	good := Signer{Certificate: p.alice.cert, Key: p.alice.key}
	if _, _, err := SignEnveloping(rand.Reader, good, []byte("short"), 1, OIDData); err == nil {
		t.Error("a digest of 5 octets was signed")
	}
	if _, _, err := SignEnveloping(rand.Reader, good, digestBy(SHA256, nil), -1, OIDData); err == nil {
		t.Error("a size of -1 was taken")
	}
	if _, _, err := SignEnveloping(rand.Reader, Signer{}, nil, 1, OIDData); err == nil {
		t.Error("nobody signed")
	}
}

func TestEmbeddedContentIsLimited(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	var out bytes.Buffer
	w, err := Sign(rand.Reader, &out, Signer{Certificate: p.p256.cert, Key: p.p256.key}, OIDData)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(sample(1000)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var limit *LimitError
	if _, err := ParseSignedData(&out, Limits{Content: 999}); !errors.As(err, &limit) || limit.Limit != "content" {
		t.Errorf("%v", err)
	}
}

func TestCertificateBag(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	der, err := EncodeCertificates([]*x509.Certificate{p.alice.cert, p.p256.cert})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ParseSignedData(bytes.NewReader(der), Limits{})
	if err != nil || len(parsed.Certificates()) != 2 {
		t.Fatalf("%v", err)
	}
	if _, err := parsed.Verify(nil, []*x509.Certificate{p.alice.cert}, noon); !errors.Is(err, ErrNotSigned) {
		t.Errorf("%v", err)
	}
	if _, err := EncodeCertificates([]*x509.Certificate{nil}); err == nil {
		t.Error("a missing certificate was encoded")
	}
}

// signedParts lets a test build a SignedData that our own writer would not.
type signedParts struct {
	contentType  OID    // in the SignedData
	digest       []byte // AlgorithmIdentifier
	sid          []byte
	attributes   []byte // contents; nil for none
	signature    []byte // AlgorithmIdentifier
	value        []byte
	moreInfos    []byte
	announcement []byte // digestAlgorithms' contents
}

func (s signedParts) encode() []byte {
	var attrs []byte
	if s.attributes != nil {
		attrs = tlv(tagContextCons|0, s.attributes)
	}
	announced := s.announcement
	if announced == nil {
		announced = s.digest
	}
	info := tlv(tagSequence, encodeSmall(1), s.sid, s.digest, attrs, s.signature, tlv(tagOctetString, s.value))
	return encodeSignedData(encodeSmall(1), tlv(tagSet, announced), tlv(tagSequence, encodeOID(s.contentType)), tlv(tagSet, s.moreInfos, info))
}

func signRSA(t *testing.T, p party, d Digest, b []byte) []byte {
	t.Helper()
	out, err := rsa.SignPKCS1v15(rand.Reader, p.key.(*rsa.PrivateKey), d.Hash(), digestBy(d, b))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestForeignShapesOfSignatures(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	content := []byte("content")
	sum := digestBy(SHA256, content)
	typ := encodeAttribute(oidContentType, encodeOID(OIDData))
	digest := encodeAttribute(oidMessageDigest, tlv(tagOctetString, sum))
	when := encodeAttribute(oidSigningTime, encodeTime(noon))
	sorted := setOf(tagSet, typ, digest, when)
	unsorted := tlv(tagSet, when, digest, typ)
	contents := func(set []byte) []byte { _, c, _, _, _ := split(set); return c }
	if bytes.Equal(sorted, unsorted) {
		t.Fatal("the attributes are in order either way")
	}
	base := signedParts{
		contentType: OIDData,
		digest:      encodeAlgorithm(oidSHA256),
		sid:         identifier(p.alice.cert, false).encode(tagContext | 0),
		attributes:  contents(sorted),
		signature:   encodeAlgorithm(oidRSAEncryption, encodeNull()),
		value:       signRSA(t, p.alice, SHA256, sorted),
	}
	for name, c := range map[string]struct {
		change func(*signedParts)
		want   error // nil: fine
	}{
		"as it should be":                 {func(*signedParts) {}, nil},
		"digest with NULL":                {func(s *signedParts) { s.digest = encodeAlgorithm(oidSHA256, encodeNull()) }, nil},
		"rsaEncryption without NULL":      {func(s *signedParts) { s.signature = encodeAlgorithm(oidRSAEncryption) }, nil},
		"sha256WithRSAEncryption":         {func(s *signedParts) { s.signature = encodeAlgorithm(oidSHA256RSA, encodeNull()) }, nil},
		"sha256WithRSA where a digest is": {func(s *signedParts) { s.digest = encodeAlgorithm(oidSHA256RSA, encodeNull()) }, nil},
		"digests not announced":           {func(s *signedParts) { s.announcement = []byte{} }, nil},
		"unsorted, signed in order":       {func(s *signedParts) { s.attributes = contents(unsorted) }, nil},
		"unsorted, signed as sent": {func(s *signedParts) {
			s.attributes = contents(unsorted)
			s.value = signRSA(t, p.alice, SHA256, unsorted)
		}, nil},
		"sha384WithRSA over SHA-256 digest": {func(s *signedParts) {
			s.signature = encodeAlgorithm(oidSHA384RSA)
			s.value = signRSA(t, p.alice, SHA384, sorted)
		}, nil},
		"no attributes":        {func(s *signedParts) { s.attributes = nil; s.value = signRSA(t, p.alice, SHA256, content) }, nil},
		"no attributes, wrong": {func(s *signedParts) { s.attributes = nil }, ErrSignature},
		"no attributes, other content type": {func(s *signedParts) {
			s.contentType = OIDCompressedData
			s.attributes = nil
			s.value = signRSA(t, p.alice, SHA256, content)
		}, ErrSignature},
		"no attributes, two digests": {func(s *signedParts) {
			s.attributes = nil
			s.signature = encodeAlgorithm(oidSHA384RSA)
			s.value = signRSA(t, p.alice, SHA384, content)
		}, ErrSignature},
		"content type differs":  {func(s *signedParts) { s.contentType = OIDCompressedData }, ErrSignature},
		"signature cut":         {func(s *signedParts) { s.value = s.value[1:] }, ErrSignature},
		"signature empty":       {func(s *signedParts) { s.value = nil }, ErrSignature},
		"attribute changed":     {func(s *signedParts) { s.attributes = contents(setOf(tagSet, typ, digest)) }, ErrSignature},
		"no digest attribute":   {func(s *signedParts) { s.resign(t, p.alice, typ) }, ErrSignature},
		"no type attribute":     {func(s *signedParts) { s.resign(t, p.alice, digest) }, ErrSignature},
		"two digest attributes": {func(s *signedParts) { s.resign(t, p.alice, typ, digest, digest) }, ErrSignature},
		"two values in the digest attribute": {func(s *signedParts) {
			s.resign(t, p.alice, typ, tlv(tagSequence, encodeOID(oidMessageDigest), tlv(tagSet, tlv(tagOctetString, sum), tlv(tagOctetString, sum))))
		}, ErrSignature},
		"digest attribute of another kind": {func(s *signedParts) { s.resign(t, p.alice, typ, encodeAttribute(oidMessageDigest, encodeNull())) }, ErrSignature},
		"a time nobody can read":           {func(s *signedParts) { s.resign(t, p.alice, typ, digest, encodeAttribute(oidSigningTime, encodeNull())) }, nil},
		"PSS params on PKCS1":              {func(s *signedParts) { s.signature = encodeAlgorithm(oidRSAPSS) }, ErrSignature},
		"ECDSA claimed for an RSA key":     {func(s *signedParts) { s.signature = encodeAlgorithm(oidECDSASHA256) }, ErrSignature},
		"unknown signature algorithm":      {func(s *signedParts) { s.signature = encodeAlgorithm("1.2.3") }, &UnsupportedError{}},
		"unknown digest":                   {func(s *signedParts) { s.digest = encodeAlgorithm("1.2.3") }, &UnsupportedError{}},
		"a second, unknown signer first": {func(s *signedParts) {
			s.moreInfos = tlv(tagSequence, encodeSmall(1), identifier(p.bob.cert, false).encode(0x80), s.digest, s.signature, tlv(tagOctetString, nil))
		}, nil},
	} {
		s := base
		c.change(&s)
		parsed, err := ParseSignedData(bytes.NewReader(s.encode()), Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, err = parsed.Verify(map[Digest][]byte{SHA256: sum}, []*x509.Certificate{p.alice.cert}, noon)
		var unsupported *UnsupportedError
		switch {
		case c.want == nil:
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case errors.As(c.want, &unsupported):
			if !errors.As(err, &unsupported) {
				t.Errorf("%s: %v", name, err)
			}
		case !errors.Is(err, c.want):
			t.Errorf("%s: %v", name, err)
		}
	}
}

// resign replaces the attributes and signs them.
func (s *signedParts) resign(t *testing.T, p party, attributes ...[]byte) {
	t.Helper()
	set := setOf(tagSet, attributes...)
	_, s.attributes, _, _, _ = split(set)
	s.value = signRSA(t, p, SHA256, set)
}

func TestPSSWithAnotherMaskDigestAndSalt(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	content := []byte("content")
	key := p.alice.key.(*rsa.PrivateKey)
	for _, m := range []signatureMethod{
		{scheme: RSAPSS, digest: SHA256, mgf: SHA1, salt: 20},
		{scheme: RSAPSS, digest: SHA512, mgf: SHA256, salt: 64},
		{scheme: RSAPSS, digest: SHA1, mgf: SHA384, salt: 0},
		{scheme: RSAPSS, digest: SHA256, mgf: SHA256, salt: 0},
		{scheme: RSAPSS, digest: SHA256, mgf: SHA256, salt: 190},
	} {
		set := setOf(tagSet,
			encodeAttribute(oidContentType, encodeOID(OIDData)),
			encodeAttribute(oidMessageDigest, tlv(tagOctetString, digestBy(m.digest, content))))
		_, attrs, _, _, _ := split(set)
		s := signedParts{
			contentType: OIDData, digest: encodeAlgorithm(m.digest.OID()), attributes: attrs,
			sid: identifier(p.alice.cert, false).encode(0x80), signature: m.encode(),
			value: signPSS(t, key, m, digestBy(m.digest, set)),
		}
		name := fmt.Sprintf("%s with MGF1 %s, salt %d", m.digest, m.mgf, m.salt)
		for _, change := range []int{-1, 0, 100, 255} {
			if change >= 0 {
				s.value = bytes.Clone(s.value)
				s.value[change] ^= 1
			}
			parsed, err := ParseSignedData(bytes.NewReader(s.encode()), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = parsed.Verify(map[Digest][]byte{m.digest: digestBy(m.digest, content)}, []*x509.Certificate{p.alice.cert}, noon)
			if (err == nil) != (change < 0) {
				t.Errorf("%s, octet %d changed: %v", name, change, err)
			}
		}
	}
}

// signPSS is EMSA-PSS with any mask digest (RFC 8017 section 9.1.1).
func signPSS(t *testing.T, key *rsa.PrivateKey, m signatureMethod, hashed []byte) []byte {
	t.Helper()
	salt := sample(m.salt)
	h := m.digest.New()
	h.Write(make([]byte, 8))
	h.Write(hashed)
	h.Write(salt)
	sum := h.Sum(nil)
	emBits := key.N.BitLen() - 1
	em := make([]byte, (emBits+7)/8)
	db := em[:len(em)-len(sum)-1]
	db[len(db)-m.salt-1] = 1
	copy(db[len(db)-m.salt:], salt)
	xorMGF1(m.mgf, sum, db)
	db[0] &= 0xff >> (8*len(em) - emBits)
	copy(em[len(db):], sum)
	em[len(em)-1] = 0xbc
	s := new(big.Int).Exp(new(big.Int).SetBytes(em), key.D, key.N)
	return s.FillBytes(make([]byte, key.Size()))
}
