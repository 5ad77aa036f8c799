package cms

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// reshaper writes DER anew as some other BER of the same value.
type reshaper struct {
	rng        *mathrand.Rand
	indefinite float64 // how often a constructed element gets an indefinite length
	long       float64 // how often a length is written longer than needed
	pieces     float64 // how often an octet string is cut into pieces
	stray      float64 // how often a definite element gets end-of-contents octets
	implicit   bool    // cut [0] under EncryptedContentInfo as well
}

func (r *reshaper) elements(b []byte, depth int) []byte {
	var out []byte
	for len(b) > 0 {
		tag, contents, raw, rest, problem := split(b)
		if problem != "" {
			panic(problem)
		}
		b = rest
		switch {
		case tag == tagOctetString && r.rng.Float64() < r.pieces:
			out = append(out, r.cut(tag|constructedBit, contents, depth)...)
		case tag == tagContext|0 && r.implicit && r.rng.Float64() < r.pieces:
			out = append(out, r.cut(tag|constructedBit, contents, depth)...)
		case tag&constructedBit == 0:
			out = append(out, r.header(tag, len(contents))...)
			out = append(out, contents...)
		case depth > 9: // certificates and such stay as they are
			out = append(out, raw...)
		default:
			out = append(out, r.wrap(tag, r.elements(contents, depth+1))...)
		}
	}
	return out
}

// wrap writes a constructed element in one of its forms.
func (r *reshaper) wrap(tag byte, contents []byte) []byte {
	if r.rng.Float64() < r.indefinite {
		return append(append([]byte{tag, 0x80}, contents...), 0, 0)
	}
	if r.rng.Float64() < r.stray {
		contents = append(contents, 0, 0)
	}
	return append(r.header(tag, len(contents)), contents...)
}

func (r *reshaper) header(tag byte, n int) []byte {
	if r.rng.Float64() < r.long {
		return []byte{tag, 0x85, 0, 0, byte(n >> 16), byte(n >> 8), byte(n)}
	}
	return appendHeader(nil, tag, n)
}

// cut writes an octet string in pieces of any size, some of them empty, some in
// pieces themselves.
func (r *reshaper) cut(tag byte, contents []byte, depth int) []byte {
	var inner []byte
	for first := true; first || len(contents) > 0; first = false {
		n := min(r.rng.IntN(40), len(contents))
		piece := contents[:n]
		contents = contents[n:]
		if depth < 10 && r.rng.IntN(4) == 0 {
			inner = append(inner, r.cut(tagOctetString|constructedBit, piece, depth+1)...)
			continue
		}
		inner = append(append(inner, r.header(tagOctetString, n)...), piece...)
	}
	return r.wrap(tag, inner)
}

func TestEveryShapeOfBERIsReadAlike(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	plain := sample(1500)
	cbc := encryptAll(t, plain, EncryptOptions{Definite: true, Cipher: AES128CBC}, Recipient{Certificate: p.p256.cert}, Recipient{Certificate: p.bob.cert, KeyIdentifier: true})
	gcm := encryptAll(t, plain, EncryptOptions{Definite: true, Cipher: AES256GCM, ContentType: OIDSignedData}, Recipient{Certificate: p.p256.cert, KeyIdentifier: true})
	zipped := compressedDER(zlibAll(t, plain))
	signed, _ := signDetached(t, Signer{Certificate: p.p256.cert, Key: p.p256.key, IncludeCertificates: []*x509.Certificate{p.p256.cert}}, plain)
	digests := map[Digest][]byte{SHA256: digestBy(SHA256, plain)}

	for seed := range uint64(300) {
		r := &reshaper{rng: mathrand.New(mathrand.NewPCG(seed, 1)), implicit: true}
		r.indefinite, r.pieces = r.rng.Float64(), r.rng.Float64()
		r.long, r.stray = r.rng.Float64(), r.rng.Float64()
		for name, b := range map[string][]byte{"cbc": cbc, "gcm": gcm} {
			shaped := r.elements(b, 0)
			key := p.p256.decryption()
			if name == "cbc" && seed%2 == 0 {
				key = p.bob.decryption()
			}
			got, _, err := decryptAll(shaped, Limits{}, key)
			if err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("%s in shape %d: %v\n%x", name, seed, err, shaped)
			}
		}
		if got, err := decompressAll(r.elements(zipped, 0), Limits{}); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("compressed in shape %d: %v", seed, err)
		}
		r.implicit = false // [0] are certificates here
		shaped := r.elements(signed, 0)
		parsed, err := ParseSignedData(iotest.OneByteReader(bytes.NewReader(shaped)), Limits{})
		if err != nil {
			t.Fatalf("signed in shape %d: %v\n%x", seed, err, shaped)
		}
		if _, err := parsed.Verify(digests, []*x509.Certificate{p.p256.cert}, noon); err != nil {
			t.Fatalf("signed in shape %d: %v\n%x", seed, err, shaped)
		}
	}
}

func TestBrokenBERIsASyntaxError(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	head := beginContentInfo(nil, OIDEnvelopedData)
	huge := []byte{tagSet, 0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	for name, b := range map[string][]byte{
		"nothing":                       {},
		"text":                          []byte("Content-Type: text/plain\r\n\r\n"),
		"a lone end-of-contents":        {0, 0, 0, 0},
		"end-of-contents with contents": {0x30, 0x80, 0, 1, 1},
		"primitive of indefinite":       {0x10, 0x80, 0, 0},
		"length of 127 digits":          append([]byte{0x30, 0xff}, make([]byte, 200)...),
		"length of 9 digits":            append([]byte{0x30, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 200)...),
		"largest length":                {0x30, 0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 6, 1, 1},
		"endless tag":                   bytes.Repeat([]byte{0xff}, 100),
		"child longer than its parent":  {0x30, 5, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 3},
		"empty content type":            {0x30, 2, 6, 0},
		"unfinished content type":       {0x30, 3, 6, 1, 0x80},
		"no content":                    tlv(tagSequence, encodeOID(OIDEnvelopedData)),
		"huge recipients":               append(append(bytes.Clone(head), encodeSmall(0)...), huge...),
		"nested for ever":               bytes.Repeat([]byte{0x30, 0x80}, 1000),
		"nested recipients":             append(append(bytes.Clone(head), encodeSmall(0)...), bytes.Repeat([]byte{tagSet, 0x80}, 20000)...),
	} {
		_, _, err := decryptAll(b, Limits{}, p.bob.decryption())
		var syntax *SyntaxError
		var limit *LimitError
		if !errors.As(err, &syntax) && !errors.As(err, &limit) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPeek(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	signed, _ := signDetached(t, Signer{Certificate: p.p256.cert, Key: p.p256.key}, nil)
	for want, b := range map[OID][]byte{
		OIDEnvelopedData:     encryptAll(t, nil, EncryptOptions{}, Recipient{Certificate: p.p256.cert}),
		OIDAuthEnvelopedData: encryptAll(t, nil, EncryptOptions{Cipher: AES128GCM, Definite: true}, Recipient{Certificate: p.p256.cert}),
		OIDCompressedData:    compressAll(t, nil, 6),
		OIDSignedData:        signed,
	} {
		for _, size := range []int{16, 64, 4096} {
			r := bufio.NewReaderSize(bytes.NewReader(b), size)
			got, err := Peek(r)
			if size == 16 { // too small a buffer for the content type
				if err == nil && got != want {
					t.Errorf("%s: %s", want, got)
				}
				continue
			}
			if err != nil || got != want {
				t.Errorf("%s: %s, %v", want, got, err)
			}
			if rest, err := io.ReadAll(r); err != nil || !bytes.Equal(rest, b) {
				t.Errorf("%s: the reader has moved", want)
			}
		}
	}
	for _, text := range []string{"", "0", "MIIBIjANBgkqhkiG", "\x30\x80\x02\x01\x00"} {
		var syntax *SyntaxError
		if got, err := Peek(bufio.NewReader(strings.NewReader(text))); !errors.As(err, &syntax) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, err := Peek(bufio.NewReader(iotest.ErrReader(errLine))); !errors.Is(err, errLine) {
		t.Errorf("%v", err)
	}
}

func TestIntegersAndIdentifiers(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "\x02\x01\x00", 1: "\x02\x01\x01", 127: "\x02\x01\x7f", 128: "\x02\x02\x00\x80", 256: "\x02\x02\x01\x00", -1: "\x02\x01\xff", -128: "\x02\x01\x80", -129: "\x02\x02\xff\x7f", -32768: "\x02\x02\x80\x00"} {
		got := encodeInteger(big.NewInt(n))
		if string(got) != want {
			t.Errorf("%d: %x", n, got)
		}
		c := (&parsing{}).sub(got)
		if back := c.integer("n"); back.Int64() != n || c.p.err != nil {
			t.Errorf("%d: back as %v, %v", n, back, c.p.err)
		}
	}
	for _, id := range []OID{OIDSignedData, "0.0", "0.39.1", "1.39", "2.999.3", "2.5.29.128", "1.2.16384.2097152.1"} {
		c := (&parsing{}).sub(encodeOID(id))
		if back := c.oid("id"); back != id || c.p.err != nil || !validOID(id) {
			t.Errorf("%s: back as %s, %v", id, back, c.p.err)
		}
	}
	for _, id := range []OID{"", "1", "3.1", "1.40", "1.2.", ".1", "1..2", "1.-2", "a.b", "1.2.99999999999999999999"} {
		if validOID(id) {
			t.Errorf("%q is valid", id)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"\x17\x0d260304120000Z":          "2026-03-04T12:00:00Z",
		"\x17\x0b2603041200Z":            "2026-03-04T12:00:00Z",
		"\x17\x11260304120000+0100":      "2026-03-04T11:00:00Z",
		"\x17\x0d500304120000Z":          "1950-03-04T12:00:00Z",
		"\x17\x0d490304120000Z":          "2049-03-04T12:00:00Z",
		"\x18\x0f20260304120000Z":        "2026-03-04T12:00:00Z",
		"\x18\x1320260304120000.250Z":    "2026-03-04T12:00:00.25Z",
		"\x18\x1320500304120000+0000":    "2050-03-04T12:00:00Z",
		"\x17\x03now":                    "",
		"\x17\x00":                       "",
		"\x04\x0d260304120000Z":          "",
		"\x18\x0f99999999999999Z":        "",
		"\x17\x0d261304120000Z trailing": "",
	} {
		c := (&parsing{}).sub([]byte(text))
		got := c.time("time")
		switch {
		case want == "" && c.p.err == nil:
			t.Errorf("%q: %v", text, got)
		case want != "" && (c.p.err != nil || got.Format(time.RFC3339Nano) != want):
			t.Errorf("%q: %v, %v", text, got, c.p.err)
		}
	}
	for _, when := range []time.Time{noon, noon.AddDate(50, 0, 0), noon.AddDate(-90, 0, 0)} {
		c := (&parsing{}).sub(encodeTime(when))
		if got := c.time("time"); !got.Equal(when) || c.p.err != nil {
			t.Errorf("%v: back as %v, %v", when, got, c.p.err)
		}
	}
}

func TestIdentifiersMatch(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	c := p.alice.cert
	id := identifier(c, false)
	if !id.Matches(c) || id.Matches(p.bob.cert) || id.Matches(nil) {
		t.Error("issuer and serial")
	}
	if by := identifier(c, true); !by.Matches(c) || by.Matches(p.bob.cert) {
		t.Error("key identifier")
	}
	// The same name with other string types and in capitals.
	rewritten := bytes.ReplaceAll(c.RawIssuer, []byte{0x13, byte(len("alice"))}, []byte{0x0c, byte(len("alice"))})
	rewritten = bytes.ReplaceAll(rewritten, []byte("alice"), []byte("ALICE"))
	if bytes.Equal(rewritten, c.RawIssuer) {
		t.Fatal("nothing was rewritten")
	}
	if id := (Identifier{Issuer: rewritten, Serial: c.SerialNumber}); !id.Matches(c) || id.Matches(p.bob.cert) {
		t.Error("a name written anew")
	}
	negative := *c
	negative.SerialNumber = big.NewInt(-77)
	id = identifier(&negative, false)
	cur := (&parsing{}).sub(id.encode(0x80))
	if back := cur.identifier(0x80, "id"); !back.Matches(&negative) || back.Matches(c) {
		t.Errorf("a negative serial number comes back as %v", back)
	}
	if (Identifier{Issuer: []byte("?"), Serial: c.SerialNumber}).Matches(c) || (Identifier{}).Matches(c) {
		t.Error("nonsense matches")
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Digest{"sha1": SHA1, "SHA-1": SHA1, "rsa-sha1": SHA1, "sha_256": SHA256, "SHA2-256": SHA256, "rsa-sha256": SHA256, " sha512 ": SHA512, "\"sha-384\"": SHA384, "sha224": SHA224, "MD5": MD5, "rsa-md5": MD5} {
		if got, err := ParseDigest(name); err != nil || got != want {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
	for name, want := range map[string]Cipher{"aes128": AES128CBC, "AES-256-CBC": AES256CBC, "aes192_cbc": AES192CBC, "AES256-GCM": AES256GCM, "3DES": TripleDES, "des-ede3-cbc": TripleDES, "tripledes": TripleDES} {
		if got, err := ParseCipher(name); err != nil || got != want {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
	var unsupported *UnsupportedError
	for _, name := range []string{"", "sha", "crc32", "sha3-256", "rc2", "des"} {
		if d, err := ParseDigest(name); !errors.As(err, &unsupported) && name != "sha" {
			t.Errorf("%q is %q", name, d)
		}
		if c, err := ParseCipher(name); !errors.As(err, &unsupported) {
			t.Errorf("%q is %q", name, c)
		}
	}
	for _, d := range Digests() {
		if back, err := ParseDigest(string(d)); err != nil || back != d || !d.Valid() || d.Size() != d.New().Size() {
			t.Errorf("%s: %s, %v", d, back, err)
		}
		if back, ok := digestOf(d.OID()); !ok || back != d {
			t.Errorf("%s: %s", d, back)
		}
	}
	for _, c := range Ciphers() {
		if back, err := ParseCipher(string(c)); err != nil || back != c || !c.Valid() {
			t.Errorf("%s: %s, %v", c, back, err)
		}
		if back, ok := cipherOf(c.OID()); !ok || back != c {
			t.Errorf("%s: %s", c, back)
		}
	}
	if d := Digest("x"); d.Valid() || d.New() != nil || d.Size() != 0 || d.OID() != "" {
		t.Error("an unknown digest")
	}
	if c := Cipher("x"); c.Valid() || c.OID() != "" || c.KeySize() != 0 {
		t.Error("an unknown cipher")
	}
}
