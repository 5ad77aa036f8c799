package cms

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"testing"
	"testing/iotest"
)

// sevens is randomness that is the same every time, as fuzzing needs.
type sevens struct{}

func (sevens) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 7
	}
	return len(p), nil
}

// fuzzParty has the same key in every process of a fuzzing run.
func fuzzParty(f *testing.F) party {
	f.Helper()
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		f.Fatal(err)
	}
	cert, err := selfSigned("fuzz", big.NewInt(7), key, false)
	if err != nil {
		f.Fatal(err)
	}
	return party{"fuzz", cert, key}
}

var fuzzLimits = Limits{Content: 4 << 20}

// outcome is what a reader made of its input, to be compared between two ways of
// reading. A pinned content is kept whole.
func outcome(r io.Reader, err error) (string, []byte) {
	var content []byte
	if err == nil {
		content, err = io.ReadAll(r)
	}
	return fmt.Sprint(err), content
}

// sameEitherWay reads b whole and an octet at a time and wants the same outcome.
func sameEitherWay(t *testing.T, b []byte, open func(io.Reader) (io.Reader, error)) ([]byte, error) {
	t.Helper()
	said, content := outcome(open(bytes.NewReader(b)))
	slowlySaid, slowly := outcome(open(iotest.OneByteReader(bytes.NewReader(b))))
	if said != slowlySaid || (said == "<nil>" && !bytes.Equal(content, slowly)) {
		t.Fatalf("whole: %s, %d octets; by octets: %s, %d octets", said, len(content), slowlySaid, len(slowly))
	}
	if said != "<nil>" {
		return nil, errors.New(said)
	}
	return content, nil
}

func FuzzDecrypt(f *testing.F) {
	p := fuzzParty(f)
	for _, c := range Ciphers() {
		for _, definite := range []bool{false, true} {
			for _, byKey := range []bool{false, true} {
				o := EncryptOptions{Cipher: c, AllowTripleDES: true, Definite: definite}
				if byKey {
					o.ContentType = OIDSignedData
				}
				f.Add(encryptAll(f, sample(40), o, Recipient{Certificate: p.cert, KeyIdentifier: byKey}))
			}
		}
	}
	rsaParty := testParties(f).bob
	f.Add(encryptAll(f, sample(20), EncryptOptions{}, Recipient{Certificate: rsaParty.cert}, Recipient{Certificate: p.cert}))
	f.Add(encryptAll(f, sample(20), EncryptOptions{}, Recipient{Certificate: p.cert}, Recipient{Certificate: rsaParty.cert, OAEP: &OAEP{Label: []byte("x")}}))
	keys := []DecryptionKey{p.decryption()}
	f.Fuzz(func(t *testing.T, b []byte) {
		plain, err := sameEitherWay(t, b, func(r io.Reader) (io.Reader, error) { return Decrypt(sevens{}, r, keys, fuzzLimits) })
		if err != nil {
			return
		}
		if int64(len(plain)) > fuzzLimits.Content || len(plain) > len(b) {
			t.Fatalf("%d octets of plaintext from %d", len(plain), len(b))
		}
	})
}

func FuzzParseSignedData(f *testing.F) {
	p := fuzzParty(f)
	content := sample(20)
	for _, s := range []Signer{
		{Certificate: p.cert, Key: p.key},
		{Certificate: p.cert, Key: p.key, Digest: SHA512, KeyIdentifier: true, SigningTime: noon, IncludeCertificates: []*x509.Certificate{p.cert}},
	} {
		der, err := SignDetached(sevens{}, s, digestBy(s.EffectiveDigest(), content), OIDData)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
		var out bytes.Buffer
		w, err := Sign(sevens{}, &out, s, OIDData)
		if err != nil {
			f.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			f.Fatal(err)
		}
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
		f.Add(out.Bytes())
	}
	bag, err := EncodeCertificates([]*x509.Certificate{p.cert})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bag)
	trusted := []*x509.Certificate{p.cert}
	digests := map[Digest][]byte{}
	for _, d := range Digests() {
		digests[d] = digestBy(d, content)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := sameEitherWay(t, b, func(r io.Reader) (io.Reader, error) { return OpenSignedData(r, fuzzLimits) }); err != nil {
			return
		}
		parsed, err := ParseSignedData(bytes.NewReader(b), fuzzLimits)
		if err != nil {
			t.Fatalf("read as a stream and not at once: %v", err)
		}
		v, err := parsed.Verify(digests, trusted, noon)
		if err == nil && (v.Certificate != p.cert || !v.Digest.Valid()) {
			t.Fatalf("%+v", v)
		}
		if err != nil && err.Error() == "" {
			t.Fatal("an error without words")
		}
		for _, id := range parsed.Signers() {
			_ = id.String()
		}
	})
}

func FuzzDecompress(f *testing.F) {
	for _, n := range []int{0, 1, 100, 5000} {
		f.Add(compressAll(f, sample(n), 6))
		f.Add(compressedDER(zlibAll(f, sample(n))))
	}
	f.Add(compressedDER(zlibAll(f, make([]byte, 2<<20))))
	f.Fuzz(func(t *testing.T, b []byte) {
		content, err := sameEitherWay(t, b, func(r io.Reader) (io.Reader, error) { return Decompress(r, fuzzLimits) })
		if err != nil {
			return
		}
		if int64(len(content)) > fuzzLimits.Content || len(content) > ratioGrace && len(content)/defaultRatio > len(b) {
			t.Fatalf("%d octets from %d", len(content), len(b))
		}
	})
}

func FuzzPeek(f *testing.F) {
	f.Add(compressAll(f, nil, 6))
	f.Add(beginContentInfo(nil, OIDSignedData))
	f.Add([]byte("0\x80\x06\v\xca\x98\x9a\x9a\x9a\x9a\x9a\x9a<\fQ")) // an arc that cannot be written back
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := Peek(bufio.NewReader(bytes.NewReader(b)))
		if err == nil && !validOID(id) {
			t.Fatalf("%q", id)
		}
	})
}

// FuzzShapes reads messages of ours in random shapes of BER with a few octets
// changed: it gets deeper into the structure than changes to whole inputs do.
func FuzzShapes(f *testing.F) {
	p := fuzzParty(f)
	plain := sample(60)
	var signed bytes.Buffer
	w, err := Sign(sevens{}, &signed, Signer{Certificate: p.cert, Key: p.key, SigningTime: noon}, OIDData)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	flat, problem := flatten(signed.Bytes(), defaultDepth)
	if problem != "" {
		f.Fatal(problem)
	}
	bases := [][]byte{
		encryptAll(f, plain, EncryptOptions{Definite: true, Cipher: AES128CBC}, Recipient{Certificate: p.cert}),
		encryptAll(f, plain, EncryptOptions{Definite: true, Cipher: AES128GCM, ContentType: OIDSignedData}, Recipient{Certificate: p.cert, KeyIdentifier: true}),
		compressedDER(zlibAll(f, plain)),
		flat,
	}
	keys := []DecryptionKey{p.decryption()}
	trusted := []*x509.Certificate{p.cert}
	for base := range bases {
		f.Add(byte(base), uint64(0), uint16(0), byte(0), uint16(0), byte(0))
		f.Add(byte(base), uint64(base)+7, uint16(30), byte(0x80), uint16(100), byte(1))
	}
	f.Fuzz(func(t *testing.T, base byte, seed uint64, at1 uint16, to1 byte, at2 uint16, to2 byte) {
		r := &reshaper{rng: mathrand.New(mathrand.NewPCG(seed, 3)), implicit: base%4 < 2}
		r.indefinite, r.long, r.stray, r.pieces = r.rng.Float64(), r.rng.Float64(), r.rng.Float64(), r.rng.Float64()
		b := r.elements(bases[base%4], 0)
		b[int(at1)%len(b)] ^= to1
		b[int(at2)%len(b)] ^= to2
		for _, open := range []func(io.Reader) (io.Reader, error){
			func(r io.Reader) (io.Reader, error) { return Decrypt(sevens{}, r, keys, fuzzLimits) },
			func(r io.Reader) (io.Reader, error) { return OpenSignedData(r, fuzzLimits) },
			func(r io.Reader) (io.Reader, error) { return Decompress(r, fuzzLimits) },
		} {
			content, err := sameEitherWay(t, b, open)
			// What carries a tag, a checksum or nothing changed comes out as it was.
			if untouched := to1 == 0 && to2 == 0; err == nil && (untouched || base%4 == 1 || base%4 == 2) && !bytes.Equal(content, plain) {
				t.Fatalf("%x instead of %x", content, plain)
			}
		}
		parsed, err := ParseSignedData(bytes.NewReader(b), fuzzLimits)
		if err != nil {
			return
		}
		if _, err := parsed.Verify(nil, trusted, noon); err == nil {
			if got, err := sameEitherWay(t, b, func(r io.Reader) (io.Reader, error) { return OpenSignedData(r, fuzzLimits) }); err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("verified: %x, %v", got, err)
			}
		}
	})
}
