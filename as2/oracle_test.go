package as2

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"tradepost/as2/cms"
)

// TestNoPaddingOracle is the attack on CBC of Vaudenay: whoever recorded a
// transmission sends it again with blocks of his own at its end, and learns from
// the answers which of them make proper padding, and so, octet by octet, what is
// inside. All answers must be the same. (Where nothing has to be signed there is
// nothing that could make them the same: see Policy.RequireSigned.)
func TestNoPaddingOracle(t *testing.T) {
	t.Parallel()
	rel := relation("bob", "alice")
	rel.Policy.RequireSigned = true
	for name, o := range map[string]Options{
		"signed":              {Sign: SHA256},
		"compressed, signed":  {Sign: SHA256, Compress: BeforeSigning},
		"signed, compressed":  {Sign: SHA256, Compress: AfterSigning},
		"unsigned":            {},
		"unsigned compressed": {Compress: BeforeSigning},
	} {
		for how, forge := range map[string]func(parts cbcParts, guess byte) []byte{
			"blocks behind the end": func(p cbcParts, guess byte) []byte {
				return p.with(p.iv, p.ciphertext, p.forged(guess))
			},
			"blocks instead of the end": func(p cbcParts, guess byte) []byte {
				return p.with(p.iv, p.ciphertext[:len(p.ciphertext)-48], p.forged(guess))
			},
			"blocks instead of nearly all": func(p cbcParts, guess byte) []byte {
				return p.with(p.iv, p.ciphertext[:160], p.forged(guess))
			},
			"blocks instead of all": func(p cbcParts, guess byte) []byte {
				return p.with(p.iv, nil, p.forged(guess))
			},
			"header changed, blocks behind the end": func(p cbcParts, guess byte) []byte {
				iv := bytes.Clone(p.iv)
				iv[0] ^= 'C' ^ 'X' // Xontent-Type: it is not multipart/signed any more
				return p.with(iv, p.ciphertext, p.forged(guess))
			},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				o := o // others change theirs
				o.Encrypt, o.Receipt = AES128CBC, ReceiptRequest{Mode: SyncReceipt}
				out := mustBuild(t, order, o)
				parts := takeApart(t, bodyOf(t, out))
				answers := map[string]int{}
				right := parts.right(t, bodyOf(t, out))
				for guess := right - 7; guess != right+7; guess++ {
					r, err := Receive(context.Background(), out.Header, bytes.NewReader(forge(parts, guess)), ReceiveOptions{Lookup: lookup(rel)})
					if err != nil {
						t.Fatal(err)
					}
					if r.Failure == nil {
						t.Errorf("guess %d is accepted", guess)
					}
					answers[r.Disposition.String()]++
					_ = r.Close()
				}
				if len(answers) != 1 {
					t.Errorf("different answers: %v", answers)
				}
			})
		}
	}
}

// cbcParts are the pieces of an EnvelopedData with AES-CBC in one chunk.
type cbcParts struct{ head, iv, middle, ciphertext, end []byte }

// takeApart finds the pieces of what cms.Encrypt wrote.
func takeApart(t *testing.T, body []byte) cbcParts {
	t.Helper()
	const ends = 10 // five end-of-contents
	i := bytes.Index(body, []byte("\x04\x10"))
	for ; i >= 0; i++ {
		j := bytes.Index(body[i:], []byte("\xa0\x80\x04\x82"))
		if j < 0 {
			break
		}
		j += i
		if n := int(binary.BigEndian.Uint16(body[j+4:])); i+18 == j && j+6+n+ends == len(body) {
			return cbcParts{body[:i+2], body[i+2 : j], body[j : j+2], body[j+6 : j+6+n], body[len(body)-ends:]}
		}
	}
	t.Fatal("not an EnvelopedData as we write it")
	return cbcParts{}
}

// forged are two blocks: the second is the target, the first makes its last
// octet another one with each guess.
func (p cbcParts) forged(guess byte) []byte {
	first := bytes.Repeat([]byte{0xa5}, 16)
	first[15] = guess
	return append(first, p.ciphertext[32:48]...)
}

// right is the guess that makes a padding of one octet.
func (p cbcParts) right(t *testing.T, body []byte) byte {
	t.Helper()
	bob := testKeys()["bob"]
	d, err := cms.Decrypt(rand.Reader, bytes.NewReader(body), []cms.DecryptionKey{{Certificate: bob.Certificate, Key: bob.Private}}, cms.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(d)
	if err != nil {
		t.Fatal(err)
	}
	return plain[47] ^ p.ciphertext[31] ^ 1
}

// with puts an EnvelopedData together again.
func (p cbcParts) with(iv []byte, ciphertext ...[]byte) []byte {
	var out bytes.Buffer
	for _, b := range [][]byte{p.head, iv, p.middle} {
		out.Write(b)
	}
	for _, b := range ciphertext {
		if len(b) > 0 {
			out.Write(binary.BigEndian.AppendUint16([]byte("\x04\x82"), uint16(len(b))))
			out.Write(b)
		}
	}
	out.Write(p.end)
	return out.Bytes()
}

// TestEndOfEncryptedContent: behind the end of what is signed may stand white
// space; more only where nobody else can have put it there.
func TestEndOfEncryptedContent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change   func(string) string
		anywhere bool // also within CBC
	}{
		"as it should be":                      {func(s string) string { return s }, true},
		"no line end at the end":               {func(s string) string { return strings.TrimSpace(s) }, true},
		"empty lines at the end":               {func(s string) string { return s + "\r\n \t\r\n" + strings.Repeat("\r\n", 5000) }, true},
		"no line end before the last boundary": {func(s string) string { return strings.Replace(s, "\r\n--hand--", "--hand--", 1) }, true},
		"an epilogue":                          {func(s string) string { return s + "this is the end" }, false},
		"a far epilogue":                       {func(s string) string { return s + strings.Repeat("\r\n", 5000) + "x" }, false},
		"a third part":                         {func(s string) string { return strings.Replace(s, "--hand--", "--hand\r\n\r\nx\r\n--hand--", 1) }, false},
		"no last boundary":                     {func(s string) string { return strings.Replace(s, "--hand--", "", 1) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, body := signHand(t, testKeys()["alice"], append([]byte("Content-Type: application/edi-x12\r\n\r\n"), order...))
			entity := "Content-Type: " + h.Get("Content-Type") + "\r\n\r\n" + c.change(string(body))
			for cipher, accept := range map[Cipher]bool{AES256GCM: true, AES256CBC: c.anywhere, TripleDES: c.anywhere} {
				var b bytes.Buffer
				e, err := cms.Encrypt(rand.Reader, &b, []cms.Recipient{{Certificate: testKeys()["bob"].Certificate}}, cms.EncryptOptions{Cipher: cipher, AllowTripleDES: true})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := e.Write([]byte(entity)); err != nil {
					t.Fatal(err)
				}
				if err := e.Close(); err != nil {
					t.Fatal(err)
				}
				r := receiveAt(t, relation("bob", "alice"), baseHeader("application/pkcs7-mime"), b.Bytes())
				want := DecryptionFailed
				if accept {
					want = ""
				}
				if got := modifierOf(r.Failure); got != want {
					t.Errorf("%s: %q, want %q: %v", cipher, got, want, r.Failure)
				}
			}
		})
	}
}
