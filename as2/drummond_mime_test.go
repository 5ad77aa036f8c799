package as2

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"tradepost/as2/cms"
)

func TestDrummondMIME(t *testing.T) {
	t.Parallel()
	boundaryOf := func(h http.Header) string { return parseMediaType(h.Get("Content-Type")).params["boundary"] }
	for name, change := range map[string]func(t *testing.T, h http.Header, body []byte) []byte{
		"missing transfer encoding on the base64 signature part": func(t *testing.T, _ http.Header, b []byte) []byte {
			return edited(t, b, "Content-Transfer-Encoding: base64\r\n", "")
		},
		"binary signature without transfer encoding": func(t *testing.T, h http.Header, b []byte) []byte {
			return binarySignature(t, h, b)
		},
		"base64 signature declared binary": func(t *testing.T, _ http.Header, b []byte) []byte {
			return edited(t, b, "Content-Transfer-Encoding: base64\r\n", "Content-Transfer-Encoding: binary\r\n")
		},
		"base64 signature with LF only": func(t *testing.T, h http.Header, b []byte) []byte {
			i := bytes.Index(b, []byte("pkcs7-signature"))
			j := i + bytes.Index(b[i:], []byte("\r\n\r\n")) + 4
			return append(bytes.Clone(b[:j]), bytes.ReplaceAll(b[j:], []byte("\r\n"), []byte("\n"))...)
		},
		"prologue": func(_ *testing.T, _ http.Header, b []byte) []byte {
			return append([]byte("\r\nThis is S/MIME.\r\n\r\n"), b...)
		},
		"epilogue": func(_ *testing.T, _ http.Header, b []byte) []byte {
			return append(bytes.Clone(b), "\r\n\r\nbye\r\n"...)
		},
		"no line end after the closing boundary": func(_ *testing.T, _ http.Header, b []byte) []byte {
			return bytes.TrimRight(b, "\r\n")
		},
		"closing boundary is two bytes short": func(_ *testing.T, _ http.Header, b []byte) []byte {
			return bytes.TrimSuffix(bytes.TrimRight(b, "\r\n"), []byte("--"))
		},
		"closing boundary is one byte short": func(_ *testing.T, _ http.Header, b []byte) []byte {
			return bytes.TrimSuffix(bytes.TrimRight(b, "\r\n"), []byte("-"))
		},
		"closing boundary is missing": func(t *testing.T, h http.Header, b []byte) []byte {
			return bytes.TrimSuffix(bytes.TrimRight(b, "\r\n"), []byte("--"+boundaryOf(h)+"--"))
		},
		"boundary followed by spaces": func(t *testing.T, h http.Header, b []byte) []byte {
			return edited(t, b, "--"+boundaryOf(h)+"\r\n", "--"+boundaryOf(h)+" \t \r\n")
		},
		"boundary lines end with LF": func(t *testing.T, h http.Header, b []byte) []byte {
			return edited(t, b, "--"+boundaryOf(h)+"\r\n", "--"+boundaryOf(h)+"\n")
		},
		"no line end before the closing boundary": func(t *testing.T, h http.Header, b []byte) []byte {
			return edited(t, b, "\r\n--"+boundaryOf(h)+"--", "--"+boundaryOf(h)+"--")
		},
		"quoted micalg, sha256 spelling": func(t *testing.T, h http.Header, b []byte) []byte {
			h.Set("Content-Type", strings.Replace(h.Get("Content-Type"), "micalg=sha-256", `micalg="SHA256"`, 1))
			return b
		},
		"micalg is wrong": func(t *testing.T, h http.Header, b []byte) []byte {
			h.Set("Content-Type", strings.Replace(h.Get("Content-Type"), "micalg=sha-256", "micalg=sha1", 1))
			return b
		},
		"micalg is missing": func(t *testing.T, h http.Header, b []byte) []byte {
			h.Set("Content-Type", strings.Replace(h.Get("Content-Type"), "micalg=sha-256; ", "", 1))
			return b
		},
		"boundary is not quoted": func(t *testing.T, h http.Header, b []byte) []byte {
			h.Set("Content-Type", strings.ReplaceAll(h.Get("Content-Type"), `"`, ""))
			return b
		},
		"whole Content-Type is quoted": func(t *testing.T, h http.Header, b []byte) []byte {
			h.Set("Content-Type", quoteParam(h.Get("Content-Type")))
			return b
		},
		"signature part has no header lines": func(t *testing.T, h http.Header, b []byte) []byte {
			i := bytes.Index(b, []byte("Content-Type: application/pkcs7-signature"))
			j := i + bytes.Index(b[i:], []byte("\r\n\r\n")) + 2
			return append(bytes.Clone(b[:i]), b[j:]...)
		},
		"a third part behind the signature": func(t *testing.T, h http.Header, b []byte) []byte {
			return edited(t, b, "--"+boundaryOf(h)+"--", "--"+boundaryOf(h)+"\r\n\r\nx\r\n--"+boundaryOf(h)+"--")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, body := signedTransmission(t)
			h := out.Header.Clone()
			r := accepted(t, h, change(t, h, body))
			if r.MICs[SHA256] != out.MICs[SHA256] {
				t.Error("the MIC differs")
			}
		})
	}
	for name, c := range map[string]struct{ header, body string }{
		"default transfer encoding is binary": {"Content-Type: application/edi-x12\r\n", string(order)},
		"no Content-Type":                     {"Content-Disposition: attachment; filename=order.edi\r\n", string(order)},
		"no header lines":                     {"", string(order)},
		"double quoted file name":             {"Content-Disposition: attachment; filename=\"order 1.edi\"\r\n", string(order)},
		"base64 inside with LF only":          {"Content-Type: application/edi-x12\r\nContent-Transfer-Encoding: BASE64\r\n", strings.ReplaceAll(string(wrapBase64(order)), "\r\n", "\n")},
		"base64 inside in one line":           {"Content-Transfer-Encoding: base64\r\n", base64.StdEncoding.EncodeToString(order)},
		"base64 inside without padding":       {"Content-Transfer-Encoding: base64\r\n", base64.RawStdEncoding.EncodeToString(order)},
		"7bit":                                {"Content-Transfer-Encoding: 7bit\r\n", string(order)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, body := signHand(t, testKeys()["alice"], []byte(c.header+"\r\n"+c.body))
			accepted(t, h, body)
			h, body = encryptHand(t, []byte(c.header+"\r\n"+c.body), AES128CBC)
			accepted(t, h, body)
		})
	}
}

// binarySignature replaces the base64 signature by its bytes, without header
// lines that say so.
func binarySignature(t *testing.T, h http.Header, body []byte) []byte {
	t.Helper()
	boundary := parseMediaType(h.Get("Content-Type")).params["boundary"]
	i := bytes.Index(body, []byte("Content-Type: application/pkcs7-signature"))
	j := i + bytes.Index(body[i:], []byte("\r\n\r\n")) + 4
	k := j + bytes.Index(body[j:], []byte("\r\n--"+boundary))
	der, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(body[j:k]), "\r\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	b.Write(body[:i])
	b.WriteString("Content-Type: application/pkcs7-signature\r\n\r\n")
	b.Write(der)
	b.Write(body[k:])
	return b.Bytes()
}

func TestDrummondLayers(t *testing.T) {
	t.Parallel()
	entity := append([]byte("Content-Type: application/edi-x12\r\n\r\n"), order...)
	t.Run("base64 body of an encrypted transmission", func(t *testing.T) {
		t.Parallel()
		h, body := encryptHand(t, entity, AES256CBC)
		h.Set("Content-Transfer-Encoding", "base64")
		accepted(t, h, wrapBase64(body))
		h.Del("Content-Transfer-Encoding")
		accepted(t, h, wrapBase64(body))
	})
	t.Run("garbage after the end of contents", func(t *testing.T) {
		t.Parallel()
		h, body := encryptHand(t, entity, AES256CBC)
		accepted(t, h, append(body, "\r\n\x00\x00garbage"...))
	})
	t.Run("end of contents bytes inside the content", func(t *testing.T) {
		t.Parallel()
		zeros := append([]byte("Content-Type: application/octet-stream\r\n\r\n"), make([]byte, 4096)...)
		h, body := encryptHand(t, zeros, AES128CBC)
		r := receiveAt(t, relation("bob", "alice"), h, body)
		if r.Failure != nil || r.Payloads[0].Size != 4096 {
			t.Errorf("failure %v", r.Failure)
		}
	})
	t.Run("multiple recipients, ours the second", func(t *testing.T) {
		t.Parallel()
		var b bytes.Buffer
		keys := testKeys()
		e, err := cms.Encrypt(rand.Reader, &b, []cms.Recipient{
			{Certificate: keys["mallory"].Certificate}, {Certificate: keys["ec"].Certificate}, {Certificate: keys["bob"].Certificate, KeyIdentifier: true},
		}, cms.EncryptOptions{Cipher: AES256GCM})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Write(entity); err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		accepted(t, baseHeader("application/pkcs7-mime"), b.Bytes())
	})
	t.Run("enveloping signature", func(t *testing.T) {
		t.Parallel()
		var b bytes.Buffer
		key := testKeys()["alice"]
		w, err := cms.Sign(rand.Reader, &b, cms.Signer{Certificate: key.Certificate, Key: key.Private, Digest: SHA384}, cms.OIDData)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(entity); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r := accepted(t, baseHeader("application/x-pkcs7-mime; smime-type=signed-data"), b.Bytes())
		if !r.Signed || r.Digest != SHA384 || r.Signer == nil {
			t.Errorf("signed %v, %s", r.Signed, r.Digest)
		}
	})
	t.Run("type on multipart/related, in either form", func(t *testing.T) {
		t.Parallel()
		for _, kind := range []string{"application/edi-x12", `"application/edi-x12"`} {
			body := "--m\r\nContent-Type: application/edi-x12\r\n\r\n" + string(order) + "\r\n--m\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"a.pdf\"\r\n\r\n%PDF\r\n--m--\r\n"
			h, signed := signHand(t, testKeys()["alice"], []byte("Content-Type: multipart/related; type="+kind+"; boundary=m\r\n\r\n"+body))
			r := accepted(t, h, signed)
			if len(r.Payloads) != 2 || r.Payloads[1].Filename != "a.pdf" || string(open(t, r.Payloads[1])) != "%PDF" {
				t.Errorf("payloads %+v", r.Payloads)
			}
		}
	})
}
