package cms

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
)

func TestEncryptAndDecryptEveryPair(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	recipients := map[string]struct {
		r      Recipient
		to     party
		scheme Scheme
	}{
		"pkcs1":                   {Recipient{Certificate: p.bob.cert}, p.bob, RSAPKCS1},
		"pkcs1 by key id":         {Recipient{Certificate: p.bob.cert, KeyIdentifier: true}, p.bob, RSAPKCS1},
		"pkcs1 by made up key id": {Recipient{Certificate: p.carol.cert, KeyIdentifier: true}, p.carol, RSAPKCS1},
		"ecdh p256":               {Recipient{Certificate: p.p256.cert}, p.p256, ECDH},
		"ecdh p384":               {Recipient{Certificate: p.p384.cert}, p.p384, ECDH},
		"ecdh p521":               {Recipient{Certificate: p.p521.cert}, p.p521, ECDH},
		"ecdh by key id":          {Recipient{Certificate: p.p256.cert, KeyIdentifier: true}, p.p256, ECDH},
		"serial 0":                {Recipient{Certificate: p.zeroSerial.cert}, p.zeroSerial, ECDH},
		"oaep default":            {Recipient{Certificate: p.bob.cert, OAEP: &OAEP{}}, p.bob, RSAOAEP},
		"oaep label":              {Recipient{Certificate: p.bob.cert, OAEP: &OAEP{Digest: SHA512, MGF: SHA1, Label: []byte("label")}}, p.bob, RSAOAEP},
	}
	for _, d := range Digests() {
		for _, m := range []Digest{SHA1, SHA256, d} {
			recipients[fmt.Sprintf("oaep %s %s", d, m)] = struct {
				r      Recipient
				to     party
				scheme Scheme
			}{Recipient{Certificate: p.bob.cert, OAEP: &OAEP{Digest: d, MGF: m}}, p.bob, RSAOAEP}
		}
	}
	plain := sample(100)
	for name, r := range recipients {
		for _, c := range Ciphers() {
			for _, definite := range []bool{false, true} {
				b := encryptAll(t, plain, EncryptOptions{Cipher: c, AllowTripleDES: true, Definite: definite}, r.r)
				got, d, err := decryptAll(b, Limits{}, p.alice.decryption(), r.to.decryption())
				if err != nil || !bytes.Equal(got, plain) {
					t.Errorf("%s %s definite=%v: %v", name, c, definite, err)
					continue
				}
				if d.Cipher != c || d.Scheme != r.scheme || d.Recipient != r.to.cert || d.Authenticated != c.Authenticated() || d.ContentType != OIDData {
					t.Errorf("%s %s: %+v", name, c, d)
				}
			}
		}
	}
}

func TestContentsOfEverySize(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	sizes := []int{0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 4095, 4096, 4097, 8191, 8192, 12288, 16384 + 1, chunkSize - 16, chunkSize - 1, chunkSize, chunkSize + 1, 2 * chunkSize, 5*chunkSize + 123}
	for _, c := range Ciphers() {
		for _, n := range sizes {
			plain := sample(n)
			for _, definite := range []bool{false, true} {
				b := encryptAll(t, plain, EncryptOptions{Cipher: c, AllowTripleDES: true, Definite: definite}, Recipient{Certificate: p.p256.cert})
				got, _, err := decryptAll(b, Limits{}, p.p256.decryption())
				if err != nil || !bytes.Equal(got, plain) {
					t.Errorf("%s, %d octets, definite=%v: %d octets, %v", c, n, definite, len(got), err)
				}
			}
		}
	}
}

func TestWritesAndReadsOfAnySize(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	plain := sample(2*chunkSize + 1000)
	for _, c := range []Cipher{AES128CBC, AES256GCM} {
		for _, step := range []int{1, 13, 4096, chunkSize, chunkSize + 1} {
			var out bytes.Buffer
			w, err := Encrypt(rand.Reader, &out, []Recipient{{Certificate: p.p256.cert}}, EncryptOptions{Cipher: c})
			if err != nil {
				t.Fatal(err)
			}
			for rest := plain; len(rest) > 0; rest = rest[min(step, len(rest)):] {
				if _, err := w.Write(rest[:min(step, len(rest))]); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			d, err := Decrypt(rand.Reader, iotest.HalfReader(bytes.NewReader(out.Bytes())), []DecryptionKey{p.p256.decryption()}, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if _, err := io.CopyBuffer(struct{ io.Writer }{&got}, struct{ io.Reader }{d}, make([]byte, step)); err != nil || !bytes.Equal(got.Bytes(), plain) {
				t.Errorf("%s by %d: %d octets, %v", c, step, got.Len(), err)
			}
		}
	}
}

func TestSeveralRecipients(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	plain := []byte("for all of you")
	b := encryptAll(t, plain, EncryptOptions{Cipher: AES192GCM},
		Recipient{Certificate: p.alice.cert}, Recipient{Certificate: p.bob.cert, OAEP: &OAEP{}},
		Recipient{Certificate: p.p384.cert}, Recipient{Certificate: p.carol.cert, KeyIdentifier: true})
	for _, who := range []party{p.alice, p.bob, p.p384, p.carol} {
		got, d, err := decryptAll(b, Limits{}, who.decryption())
		if err != nil || !bytes.Equal(got, plain) || d.Recipient != who.cert || len(d.Recipients) != 4 {
			t.Errorf("%s: %v", who.name, err)
		}
	}
	var not *NotRecipientError
	if _, _, err := decryptAll(b, Limits{}, p.p256.decryption()); !errors.As(err, &not) || len(not.Recipients) != 4 {
		t.Errorf("nobody's key: %v", err)
	}
	if _, _, err := decryptAll(b, Limits{}); !errors.As(err, &not) {
		t.Errorf("no key: %v", err)
	}
}

func TestTwinCertificatesAndRollover(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	plain := []byte("content")
	for _, o := range []*OAEP{nil, {}} {
		b := encryptAll(t, plain, EncryptOptions{}, Recipient{Certificate: p.sameIDs.cert, OAEP: o})
		for _, keys := range [][]DecryptionKey{
			{p.bob.decryption(), p.sameIDs.decryption()},
			{p.sameIDs.decryption(), p.bob.decryption()},
		} {
			got, d, err := decryptAll(b, Limits{}, keys...)
			if err != nil || !bytes.Equal(got, plain) || d.Recipient != p.sameIDs.cert {
				t.Errorf("%v, %v", d, err)
			}
		}
	}
	both := encryptAll(t, plain, EncryptOptions{}, Recipient{Certificate: p.alice.cert}, Recipient{Certificate: p.bob.cert})
	if got, d, err := decryptAll(both, Limits{}, p.bob.decryption(), p.alice.decryption()); err != nil || !bytes.Equal(got, plain) || d.Recipient != p.bob.cert {
		t.Errorf("%v, %v", d, err)
	}
}

func TestOpaqueKeys(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	plain := []byte("content")
	exchanger, err := p.p256.key.(*ecdsa.PrivateKey).ECDH()
	if err != nil {
		t.Fatal(err)
	}
	b := encryptAll(t, plain, EncryptOptions{}, Recipient{Certificate: p.p256.cert}, Recipient{Certificate: p.bob.cert})
	for name, k := range map[string]DecryptionKey{
		"key exchanger":   {Certificate: p.p256.cert, Key: exchanger},
		"opaque exchange": {Certificate: p.p256.cert, Key: struct{ ecdh.KeyExchanger }{exchanger}},
		"opaque RSA":      {Certificate: p.bob.cert, Key: struct{ *rsa.PrivateKey }{p.bob.key.(*rsa.PrivateKey)}},
	} {
		if got, _, err := decryptAll(b, Limits{}, k); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, k := range map[string]DecryptionKey{
		"another's key":      {Certificate: p.bob.cert, Key: p.alice.key},
		"another's exchange": {Certificate: p.p384.cert, Key: exchanger},
		"no certificate":     {Key: p.bob.key},
		"no key":             {Certificate: p.bob.cert},
		"a key for signing":  {Certificate: p.ed.cert, Key: p.ed.key},
		"no key at all":      {Certificate: p.bob.cert, Key: 17},
	} {
		if _, _, err := decryptAll(b, Limits{}, k); err == nil {
			t.Errorf("%s: decrypted", name)
		}
	}
}

func TestEncryptRefuses(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	bob := []Recipient{{Certificate: p.bob.cert}}
	for name, c := range map[string]struct {
		to []Recipient
		o  EncryptOptions
	}{
		"nobody":                  {nil, EncryptOptions{}},
		"no certificate":          {[]Recipient{{}}, EncryptOptions{}},
		"unknown cipher":          {bob, EncryptOptions{Cipher: "rot13"}},
		"3DES without the word":   {bob, EncryptOptions{Cipher: TripleDES}},
		"negative size":           {bob, EncryptOptions{Definite: true, Size: -1}},
		"more than GCM may":       {bob, EncryptOptions{Cipher: AES128GCM, Definite: true, Size: 1 << 36}},
		"odd content type":        {bob, EncryptOptions{ContentType: "data"}},
		"OAEP on a curve":         {[]Recipient{{Certificate: p.p256.cert, OAEP: &OAEP{}}}, EncryptOptions{}},
		"OAEP of unknown digest":  {[]Recipient{{Certificate: p.bob.cert, OAEP: &OAEP{Digest: "sha-3"}}}, EncryptOptions{}},
		"a key that cannot":       {[]Recipient{{Certificate: p.ed.cert}}, EncryptOptions{}},
		"no key identifier to be": {[]Recipient{{Certificate: p.ed.cert, KeyIdentifier: true}}, EncryptOptions{}},
	} {
		if _, err := Encrypt(rand.Reader, io.Discard, c.to, c.o); err == nil {
			t.Errorf("%s: encrypted", name)
		}
	}
	for name, n := range map[string]int{"too few": 9, "too many": 11} {
		w, err := Encrypt(rand.Reader, io.Discard, bob, EncryptOptions{Definite: true, Size: 10})
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Write(make([]byte, n))
		if err = errors.Join(err, w.Close()); err == nil {
			t.Errorf("%s octets: closed", name)
		}
	}
	if _, err := Encrypt(bytes.NewReader(nil), io.Discard, bob, EncryptOptions{}); err == nil {
		t.Error("encrypted without randomness")
	}
}

func TestOtherContentTypesAreAuthenticated(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	plain := sample(3*chunkSize + 5)
	for _, definite := range []bool{false, true} {
		o := EncryptOptions{Cipher: AES128GCM, ContentType: OIDCompressedData, Definite: definite}
		b := encryptAll(t, plain, o, Recipient{Certificate: p.p256.cert})
		got, d, err := decryptAll(b, Limits{}, p.p256.decryption())
		if err != nil || !bytes.Equal(got, plain) || d.ContentType != OIDCompressedData {
			t.Fatalf("%v", err)
		}
		// Change the authenticated attribute: the last octet of its identifier.
		at := bytes.LastIndex(b, encodeOID(OIDCompressedData)) + len(encodeOID(OIDCompressedData)) - 1
		b[at] ^= 1
		if _, _, err := decryptAll(b, Limits{}, p.p256.decryption()); !errors.Is(err, ErrDecrypt) {
			t.Errorf("a changed attribute gives %v", err)
		}
	}
}

// TestOneAnswerToEveryFailure changes each octet of the recipient's key, of the
// vector, of the ciphertext and of the tag: the error must be the very same.
func TestOneAnswerToEveryFailure(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	for name, r := range map[string]struct {
		to Recipient
		by party
	}{
		"pkcs1": {Recipient{Certificate: p.bob.cert}, p.bob},
		"oaep":  {Recipient{Certificate: p.bob.cert, OAEP: &OAEP{}}, p.bob},
		"ecdh":  {Recipient{Certificate: p.p256.cert}, p.p256},
	} {
		for _, c := range []Cipher{AES128CBC, AES256GCM, TripleDES} {
			plain := sample(40)
			b := encryptAll(t, plain, EncryptOptions{Cipher: c, AllowTripleDES: true, Definite: true}, r.to)
			garbage := 0
			for back := 1; back <= 60; back++ { // the content, and the tag
				checkChanged(t, name, c, b, len(b)-back, r.by, plain, &garbage)
			}
			key := bytes.Index(b, append([]byte{tagOctetString}, 0x82, 1, 0))
			if name == "ecdh" {
				key = bytes.LastIndex(b, []byte{tagOctetString, byte(c.KeySize() + 8)})
			}
			if key < 0 {
				t.Fatalf("%s %s: no encrypted key found", name, c)
			}
			for at := 4; at < 24; at++ {
				checkChanged(t, name, c, b, key+at, r.by, plain, &garbage)
			}
			if c.Authenticated() && garbage > 0 {
				t.Errorf("%s %s: %d changes went unseen", name, c, garbage)
			}
		}
	}
}

func checkChanged(t *testing.T, name string, c Cipher, b []byte, at int, by party, plain []byte, garbage *int) {
	t.Helper()
	changed := bytes.Clone(b)
	changed[at] ^= 0x41
	got, _, err := decryptAll(changed, Limits{}, by.decryption())
	var syntax *SyntaxError
	switch {
	case err == nil:
		// CBC alone does not notice every change, only those in its padding.
		*garbage++
		if bytes.Equal(got, plain) {
			t.Errorf("%s %s: octet %d does not matter", name, c, at)
		}
	case errors.As(err, &syntax): // identifier and length octets
	case err != ErrDecrypt: //nolint:errorlint // it must be the same value
		t.Errorf("%s %s: octet %d changed gives %v", name, c, at, err)
	}
}

// TestFailuresShowOnlyAtTheEnd wants a content key that does not unwrap to look
// like one that does until everything was read.
func TestFailuresShowOnlyAtTheEnd(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	plain := sample(10_000)
	for name, r := range map[string]struct {
		to Recipient
		by party
	}{
		"pkcs1": {Recipient{Certificate: p.bob.cert}, p.bob},
		"oaep":  {Recipient{Certificate: p.bob.cert, OAEP: &OAEP{}}, p.bob},
		"ecdh":  {Recipient{Certificate: p.p256.cert}, p.p256},
	} {
		for _, c := range []Cipher{AES128CBC, AES256GCM} {
			b := encryptAll(t, plain, EncryptOptions{Cipher: c, Definite: true}, r.to)
			// The content key is the last octet string before the content.
			at := bytes.Index(b, encodeOID(OIDData))
			if at < 0 {
				t.Fatal("no content")
			}
			b[at-10] ^= 1
			d, err := Decrypt(rand.Reader, bytes.NewReader(b), []DecryptionKey{r.by.decryption()}, Limits{})
			if err != nil {
				t.Errorf("%s %s: shows at once: %v", name, c, err)
				continue
			}
			got := make([]byte, 9_000)
			if _, err := io.ReadFull(d, got); err != nil || bytes.Equal(got, plain[:9_000]) {
				t.Errorf("%s %s: shows early: %v", name, c, err)
			}
			// One in 256 random keys gives a CBC padding that looks right.
			if _, err := io.Copy(io.Discard, d); !errors.Is(err, ErrDecrypt) && (c.Authenticated() || err != nil) {
				t.Errorf("%s %s: %v at the end", name, c, err)
			}
		}
	}
}

func TestTruncationIsAnError(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	for _, definite := range []bool{false, true} {
		for _, c := range []Cipher{AES128CBC, AES128GCM} {
			b := encryptAll(t, sample(50), EncryptOptions{Cipher: c, Definite: definite}, Recipient{Certificate: p.p256.cert})
			for n := range b {
				_, _, err := decryptAll(b[:n], Limits{}, p.p256.decryption())
				if !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("%s, %d of %d octets: %v", c, n, len(b), err)
				}
			}
		}
	}
}

var errLine = errors.New("the line is down")

func TestSourceErrorsKeepTheirName(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	b := encryptAll(t, sample(3*chunkSize), EncryptOptions{}, Recipient{Certificate: p.p256.cert})
	for _, n := range []int{0, 1, 30, 400, chunkSize, len(b) - 1} {
		r := io.MultiReader(bytes.NewReader(b[:n]), iotest.ErrReader(errLine))
		d, err := Decrypt(rand.Reader, r, []DecryptionKey{p.p256.decryption()}, Limits{})
		if err == nil {
			_, err = io.Copy(io.Discard, d)
		}
		if !errors.Is(err, errLine) || errors.Is(err, ErrDecrypt) {
			t.Errorf("after %d octets: %v", n, err)
		}
	}
}

func TestDecryptedContentIsLimited(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	b := encryptAll(t, sample(1000), EncryptOptions{}, Recipient{Certificate: p.p256.cert})
	var limit *LimitError
	if _, _, err := decryptAll(b, Limits{Content: 999}, p.p256.decryption()); !errors.As(err, &limit) || !errors.Is(err, ErrDecrypt) {
		t.Errorf("%v", err)
	}
	if _, _, err := decryptAll(b, Limits{Content: 1000}, p.p256.decryption()); err != nil {
		t.Errorf("%v", err)
	}
	if _, _, err := decryptAll(b, Limits{Header: 100}, p.p256.decryption()); !errors.As(err, &limit) || limit.Limit != "header" {
		t.Errorf("%v", err)
	}
	if _, _, err := decryptAll(b, Limits{Depth: 2}, p.p256.decryption()); !errors.As(err, &limit) || limit.Limit != "depth" {
		t.Errorf("%v", err)
	}
}

func TestGarbageBehindTheEndIsCounted(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	for _, definite := range []bool{false, true} {
		b := encryptAll(t, sample(10), EncryptOptions{Definite: definite}, Recipient{Certificate: p.p256.cert})
		for _, n := range []int{0, 1, 2, 5000, maxTrailing, maxTrailing + 5} {
			_, d, err := decryptAll(append(bytes.Clone(b), make([]byte, n)...), Limits{}, p.p256.decryption())
			if err != nil || d.Trailing() != min(n, maxTrailing) {
				t.Errorf("%d octets: %v", n, err)
			}
		}
	}
}
