package cms

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"errors"
	mathrand "math/rand/v2"
	"strings"
	"testing"
)

// open takes the wrapping of a ContentInfo off: the fields of its content.
func openFields(t *testing.T, b []byte) (kind OID, fields [][]byte) {
	t.Helper()
	c := (&parsing{}).sub(b)
	info := c.into(tagSequence, "ContentInfo")
	kind = info.oid("content type")
	explicit := info.into(tagContextCons|0, "content")
	seq := explicit.into(tagSequence, "sequence")
	for seq.more() {
		_, _, raw := seq.any()
		fields = append(fields, raw)
	}
	if c.p.err != nil {
		t.Fatal(c.p.err)
	}
	return kind, fields
}

func closeFields(kind OID, fields ...[]byte) []byte {
	return tlv(tagSequence, encodeOID(kind), tlv(tagContextCons|0, tlv(tagSequence, fields...)))
}

// TestOptionalPartsArePassedOver adds what the standard allows and AS2 has no use
// for: originator's certificates, revocation lists, attributes outside the
// protection, recipients by password.
func TestOptionalPartsArePassedOver(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	plain := sample(100)
	attribute := tlv(tagSequence, encodeOID("1.2.3.4"), tlv(tagSet, encodeNull()))
	originator := tlv(tagContextCons|0, tlv(tagContextCons|0, p.alice.cert.Raw))
	crls := tlv(tagContextCons|1, tlv(tagSequence, tlv(tagSequence, encodeSmall(1)), bytes.Repeat(tlv(tagSequence, tlv(tagOctetString, sample(200))), 1000)))
	password := tlv(tagContextCons|3, encodeSmall(0), encodeAlgorithm("1.2.3"), tlv(tagOctetString, sample(20)))
	byKey := tlv(tagContextCons|2, encodeSmall(4), tlv(tagSequence, tlv(tagOctetString, sample(4))), encodeAlgorithm(oidAES128Wrap), tlv(tagOctetString, sample(24)))

	enveloped := map[string][]byte{}
	for _, c := range []Cipher{AES128CBC, AES128GCM} {
		kind, f := openFields(t, encryptAll(t, plain, EncryptOptions{Cipher: c, Definite: true}, Recipient{Certificate: p.p256.cert}))
		_, infos, _, _, _ := split(f[1])
		fields := [][]byte{f[0], originator, tlv(tagSet, password, infos, byKey), f[2]}
		number := byte(1)
		if c.Authenticated() {
			fields, number = append(fields, f[3]), 2
		}
		fields = append(fields, tlv(tagContextCons|number, attribute, attribute))
		enveloped[string(c)] = closeFields(kind, fields...)
	}
	content := []byte("content")
	der, _ := signDetached(t, Signer{Certificate: p.p256.cert, Key: p.p256.key}, content)
	kind, f := openFields(t, der)
	attributeCertificate := tlv(tagContextCons|2, tlv(tagOctetString, sample(30)))
	certificates := tlv(tagContextCons|0, attributeCertificate, p.alice.cert.Raw, tlv(tagSequence, []byte{2, 1, 1}))
	_, infos, _, _, _ := split(f[3])
	_, info, _, _, _ := split(infos)
	unsigned := tlv(tagSet, tlv(tagSequence, info, tlv(tagContextCons|1, attribute)))
	signed := closeFields(kind, f[0], f[1], f[2], certificates, crls, unsigned)

	for seed := range uint64(60) {
		r := &reshaper{rng: mathrand.New(mathrand.NewPCG(seed, 2))}
		if seed > 0 {
			r.indefinite, r.long, r.stray, r.pieces = r.rng.Float64(), r.rng.Float64(), r.rng.Float64(), r.rng.Float64()
		}
		for name, b := range enveloped {
			got, d, err := decryptAll(r.elements(b, 0), Limits{}, p.p256.decryption())
			if err != nil || !bytes.Equal(got, plain) || len(d.Recipients) != 1 {
				t.Errorf("%s in shape %d: %v", name, seed, err)
			}
		}
		parsed, err := ParseSignedData(bytes.NewReader(r.elements(signed, 0)), Limits{})
		if err != nil {
			t.Errorf("signed in shape %d: %v", seed, err)
			continue
		}
		if n := len(parsed.Certificates()); n != 1 && seed == 0 {
			t.Errorf("%d certificates", n)
		}
		if _, err := parsed.Verify(map[Digest][]byte{SHA256: digestBy(SHA256, content)}, []*x509.Certificate{p.p256.cert}, noon); err != nil {
			t.Errorf("signed in shape %d: %v", seed, err)
		}
	}
}

func TestAlgorithmsNobodyKnows(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	swap := func(b []byte, from, to OID) []byte {
		t.Helper()
		f, w := encodeOID(from), encodeOID(to)
		if len(f) != len(w) || !bytes.Contains(b, f) {
			t.Fatalf("%s cannot become %s", from, to)
		}
		return bytes.Replace(b, f, w, 1)
	}
	cbc := encryptAll(t, sample(20), EncryptOptions{Cipher: AES128CBC}, Recipient{Certificate: p.bob.cert})
	gcm := encryptAll(t, sample(20), EncryptOptions{Cipher: AES128GCM}, Recipient{Certificate: p.bob.cert})
	oaep := encryptAll(t, sample(20), EncryptOptions{}, Recipient{Certificate: p.bob.cert, OAEP: &OAEP{Label: []byte("l")}})
	ecdh := encryptAll(t, sample(20), EncryptOptions{}, Recipient{Certificate: p.p256.cert})
	for name, c := range map[string]struct {
		b  []byte
		by party
	}{
		"cipher":                   {swap(cbc, oidAES128CBC, "2.16.840.1.101.3.4.1.7"), p.bob},
		"CBC in AuthEnvelopedData": {swap(gcm, oidAES128GCM, oidAES128CBC), p.bob},
		"key transport":            {swap(cbc, oidRSAEncryption, "1.2.840.113549.1.1.99"), p.bob},
		"OAEP hash":                {swap(oaep, oidSHA256, "2.16.840.1.101.3.4.2.9"), p.bob},
		"OAEP mask":                {swap(oaep, oidMGF1, "1.2.840.113549.1.1.98"), p.bob},
		"OAEP label":               {swap(oaep, oidPSpecified, "1.2.840.113549.1.1.97"), p.bob},
		"key agreement":            {swap(ecdh, oidStdDHSHA256, "1.3.132.1.11.9"), p.p256},
		"key wrap":                 {swap(ecdh, oidAES256Wrap, "2.16.840.1.101.3.4.1.55"), p.p256},
		"content type":             {swap(cbc, OIDEnvelopedData, "1.2.840.113549.1.7.4"), p.bob},
	} {
		_, _, err := decryptAll(c.b, Limits{}, c.by.decryption())
		var unsupported *UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.What == "" || unsupported.Name == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestErrorsSayWhatAndWhere(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	to := make([]Recipient, 0, 6)
	for _, one := range []party{p.alice, p.bob, p.carol, p.p256, p.p384, p.p521} {
		to = append(to, Recipient{Certificate: one.cert, KeyIdentifier: one.name == "alice"})
	}
	b := encryptAll(t, nil, EncryptOptions{}, to...)
	_, _, notUs := decryptAll(b, Limits{})
	_, _, header := decryptAll(b, Limits{Header: 64})
	_, _, cut := decryptAll(b[:100], Limits{})
	_, parsed := signDetached(t, Signer{Certificate: p.alice.cert, Key: p.alice.key}, nil)
	_, unknown := parsed.Verify(nil, nil, noon)
	_, missing := parsed.Verify(nil, []*x509.Certificate{p.alice.cert}, noon)
	_, expired := parsed.Verify(map[Digest][]byte{SHA256: digestBy(SHA256, nil)}, []*x509.Certificate{p.alice.cert}, noon.AddDate(20, 0, 0))
	_, digest := ParseDigest("sha-9")
	_, mismatched := Decrypt(rand.Reader, bytes.NewReader(b), []DecryptionKey{{Certificate: p.bob.cert, Key: p.alice.key}}, Limits{})
	for _, c := range []struct {
		err   error
		words []string
	}{
		{notUs, []string{"key identifier", "CN=bob,O=Example Trading,C=DE, serial 128", "2 more"}},
		{header, []string{"header limit of 64", "byte 20"}},
		{cut, []string{"EnvelopedData.recipientInfos", "byte 100", "ends here"}},
		{unknown, []string{"CN=alice", "serial 4711"}},
		{missing, []string{"sha-256"}},
		{expired, []string{"CN=alice", "2040-01-01", "2046-03-04"}},
		{digest, []string{"digest", `"sha-9"`}},
		{mismatched, []string{"CN=bob"}},
	} {
		if c.err == nil {
			t.Errorf("no error that says %v", c.words)
			continue
		}
		for _, w := range c.words {
			if !strings.Contains(c.err.Error(), w) {
				t.Errorf("%q does not say %q", c.err, w)
			}
		}
	}
}
