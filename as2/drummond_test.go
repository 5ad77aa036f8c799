package as2

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"tradepost/as2/cms"
)

// The cases of this file were failures between certified products, settled in
// the Drummond interoperability tests. Each is a test by its name.

// edited replaces old by new in b and fails when old is not there.
func edited(t *testing.T, b []byte, old, replacement string) []byte {
	t.Helper()
	if !bytes.Contains(b, []byte(old)) {
		t.Fatalf("%q is not in %q", old, b)
	}
	return bytes.ReplaceAll(b, []byte(old), []byte(replacement))
}

// signedTransmission is a plain signed transmission with a signed receipt
// asked for.
func signedTransmission(t *testing.T) (*Outgoing, []byte) {
	t.Helper()
	out := mustBuild(t, order, Options{Sign: SHA256, Receipt: ReceiptRequest{Mode: SyncReceipt, Signed: true}})
	return out, bodyOf(t, out)
}

// accepted receives a transmission and fails unless it is taken over with its
// payload unchanged.
func accepted(t *testing.T, h http.Header, body []byte) *Received {
	t.Helper()
	r := receiveAt(t, relation("bob", "alice"), h, body)
	if r.Failure != nil {
		t.Fatalf("refused: %v\n%q", r.Failure, body)
	}
	if got := open(t, r.Payloads[0]); !bytes.Equal(got, order) {
		t.Fatalf("payload changed: %q", got)
	}
	return r
}

func TestDrummondHeaders(t *testing.T) {
	t.Parallel()
	t.Run("headers are never folded", func(t *testing.T) {
		t.Parallel()
		out, body := signedTransmission(t)
		var stored bytes.Buffer
		if err := WriteStored(&stored, out.Header, bytes.NewReader(body)); err != nil {
			t.Fatal(err)
		}
		head, _, _ := bytes.Cut(stored.Bytes(), []byte("\r\n\r\n"))
		for _, line := range bytes.Split(head, []byte("\r\n")) {
			if line[0] == ' ' || line[0] == '\t' {
				t.Errorf("folded line %q", line)
			}
		}
	})
	t.Run("folded headers are accepted", func(t *testing.T) {
		t.Parallel()
		out, body := signedTransmission(t)
		var stored bytes.Buffer
		if err := WriteStored(&stored, out.Header, bytes.NewReader(body)); err != nil {
			t.Fatal(err)
		}
		folded := edited(t, stored.Bytes(), "micalg=sha-256; boundary", "micalg=sha-256;\r\n\tboundary")
		folded = edited(t, folded, "signed-receipt-protocol=optional, pkcs7-signature; ", "signed-receipt-protocol=optional,\r\n  pkcs7-signature;\r\n ")
		h, b, err := ReadStored(bytes.NewReader(folded), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		rest := new(bytes.Buffer)
		if _, err := rest.ReadFrom(b); err != nil {
			t.Fatal(err)
		}
		r := accepted(t, h, rest.Bytes())
		if !r.Request.Signed || len(r.Request.Digests) != 1 {
			t.Errorf("request %+v", r.Request)
		}
	})
	t.Run("names and content types are compared without case", func(t *testing.T) {
		t.Parallel()
		out, body := signedTransmission(t)
		h := out.Header.Clone()
		h.Set("Content-Type", strings.NewReplacer("multipart/signed", "Multipart/SIGNED", "boundary=", "BOUNDARY=", "micalg=sha-256", "MICALG=SHA-256").Replace(h.Get("Content-Type")))
		accepted(t, h, edited(t, body, "Content-Type: application/pkcs7-signature", "CONTENT-type: Application/PKCS7-Signature"))
	})
	t.Run("Date is optional and may have any form", func(t *testing.T) {
		t.Parallel()
		out, body := signedTransmission(t)
		for _, date := range []string{"", "yesterday", "2026-11-21", "Sat Nov 21 09:30:00 CET 2026", "\"Mon, 07 Oct 2019 21:38:32 +0300\""} {
			h := out.Header.Clone()
			h.Set("Date", date)
			accepted(t, h, body)
			h.Del("Date")
			accepted(t, h, body)
		}
	})
	t.Run("To and From are optional", func(t *testing.T) {
		t.Parallel()
		out, body := signedTransmission(t)
		h := out.Header.Clone()
		h.Del("To")
		h.Del("From")
		accepted(t, h, body)
		h.Set("To", "nobody@x.test")
		h.Set("From", "anybody@x.test")
		accepted(t, h, body)
	})
	t.Run("Subject may end in a semicolon", func(t *testing.T) {
		t.Parallel()
		out, body := signedTransmission(t)
		h := out.Header.Clone()
		h.Set("Subject", "orders; of today;")
		if r := accepted(t, h, body); r.Subject != "orders; of today;" {
			t.Errorf("subject %q", r.Subject)
		}
	})
	t.Run("unsolicited Authorization is ignored", func(t *testing.T) {
		t.Parallel()
		out, body := signedTransmission(t)
		h := out.Header.Clone()
		h.Set("Authorization", "Basic !!!not base64")
		accepted(t, h, body)
	})
	t.Run("unknown EDIINT-Features and AS2-Version 1.x are fine", func(t *testing.T) {
		t.Parallel()
		out, body := signedTransmission(t)
		for _, version := range []string{"", "1.0", "1.1", "1.2", "1.3", "1.9"} {
			h := out.Header.Clone()
			h.Set("AS2-Version", version)
			if version == "" {
				h.Del("AS2-Version")
			}
			h.Set("EDIINT-Features", "multiple-attachments, time-travel,,CEM")
			r := accepted(t, h, body)
			if len(r.Features) != 3 || len(r.Warnings) > 0 {
				t.Errorf("version %q: features %q, warnings %q", version, r.Features, r.Warnings)
			}
		}
	})
}

func TestDrummondIdentifiers(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"plain", "with space", "[brackets]", "<angle>", "a#b", "a!b", "a,b", "a;b", "rfc822;x", "rfc822: x", "ab c", "  lead",
		`qu"ote`, `back\slash`, "a@b.test", "ZZ:123456789", "trail ",
	} {
		t.Run(fmt.Sprintf("%q", id), func(t *testing.T) {
			t.Parallel()
			sender, receiver := relation("alice", "bob"), relation("bob", "alice")
			sender.Partner.ID, receiver.Station.ID = id, id
			out, err := Build(context.Background(), sender, payloadOf(order, "", ""), Options{
				MessageID: "<id@alice.test>", Now: testNow, Sign: SHA256, Receipt: ReceiptRequest{Mode: SyncReceipt, Signed: true},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = out.Close() }()
			r := receiveAt(t, receiver, out.Header, bodyOf(t, out))
			if r.Failure != nil || r.To != id {
				t.Fatalf("received for %q: %v", r.To, r.Failure)
			}
			rc, err := r.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := rc.Header.Get("AS2-From"), out.Header.Get("AS2-To"); got != want {
				t.Errorf("the receipt writes %s, the transmission %s", got, want)
			}
			if o := reparse(t, rc).Check(out.Sent, sender.Partner.Verify); !o.Delivered || len(o.Warnings) > 0 {
				t.Errorf("outcome %+v", o)
			}
		})
	}
	t.Run("quoting is consistent between message and receipt", func(t *testing.T) {
		t.Parallel()
		out, body := signedTransmission(t)
		h := out.Header.Clone()
		h.Set("AS2-To", `"bob"`) // needless quotes
		r := accepted(t, h, body)
		rc, err := r.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
		if err != nil {
			t.Fatal(err)
		}
		if got := rc.Header.Get("AS2-From"); got != `"bob"` {
			t.Errorf("AS2-From is %s", got)
		}
	})
	t.Run("an identifier quoted twice is understood", func(t *testing.T) {
		t.Parallel()
		if got := ParseID(`"\"bob p00\""`); got != "bob p00" {
			t.Errorf("got %q", got)
		}
	})
}

func TestDrummondMessageID(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{
		"lacks @":                       "<just-a-name>",
		"lacks brackets":                "order-1@alice.test",
		"998 characters":                "<" + strings.Repeat("x", 990) + "@a.bc>",
		"characters no file name takes": `<a/b\c:d*e?f"g|h@alice.test>`,
		"spaces":                        "<2026 alice_bob p01_order 01.edi>",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, body := signedTransmission(t)
			h := out.Header.Clone()
			h.Set("Message-ID", id)
			r := accepted(t, h, body)
			rc, err := r.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
			if err != nil {
				t.Fatal(err)
			}
			if got := reparse(t, rc).OriginalMessageID; got != id {
				t.Errorf("Original-Message-ID is %q, want it byte for byte %q", got, id)
			}
		})
	}
	t.Run("999 characters are refused with invalid-message-id", func(t *testing.T) {
		t.Parallel()
		out, body := signedTransmission(t)
		h := out.Header.Clone()
		h.Set("Message-ID", "<"+strings.Repeat("x", 993)+"@a.b>")
		r := receiveAt(t, relation("bob", "alice"), h, body)
		if modifierOf(r.Failure) != InvalidMessageID {
			t.Errorf("failure %v", r.Failure)
		}
	})
	t.Run("a receipt needs none", func(t *testing.T) {
		t.Parallel()
		out, body := signedTransmission(t)
		rc, err := accepted(t, out.Header, body).Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
		if err != nil {
			t.Fatal(err)
		}
		rc.Header.Del("Message-ID")
		if o := reparse(t, rc).Check(out.Sent, relation("alice", "bob").Partner.Verify); !o.Delivered {
			t.Errorf("outcome %+v", o)
		}
	})
}

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

// receiptOf makes the receipt of an accepted signed transmission, changes its
// stored text and returns what Check says. Without a signature it can be
// changed at will.
func receiptOf(t *testing.T, signed bool, change func(body string) string) (Outcome, *Receipt) {
	t.Helper()
	out := mustBuild(t, order, Options{Sign: SHA512, Receipt: ReceiptRequest{Mode: SyncReceipt, Signed: signed}})
	rc, err := accepted(t, out.Header, bodyOf(t, out)).Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	var stored bytes.Buffer
	if err := WriteStored(&stored, rc.Header, bytes.NewReader(rc.Body)); err != nil {
		t.Fatal(err)
	}
	parsed := parseStored(t, []byte(change(stored.String())))
	return parsed.Check(out.Sent, relation("alice", "bob").Partner.Verify), parsed
}

func TestDrummondReceipts(t *testing.T) {
	t.Parallel()
	swap := func(old, replacement string) func(string) string {
		return func(s string) string {
			if !strings.Contains(s, old) {
				panic(old + " is not in " + s)
			}
			return strings.ReplaceAll(s, old, replacement)
		}
	}
	for name, change := range map[string]func(string) string{
		"as we write it":                   func(s string) string { return s },
		"no space after the semicolon":     swap("automatically; processed", "automatically;processed"),
		"tab after the semicolon":          swap("automatically; processed", "automatically;\tprocessed"),
		"other case":                       swap("automatic-action/MDN-sent-automatically; processed", "Automatic-Action/mdn-sent-automatically ; Processed"),
		"manual action":                    swap("automatic-action/", "manual-action/"),
		"folded disposition":               swap("automatically; processed", "automatically;\r\n processed"),
		"MIC without space before label":   swap(", sha-512", ",sha-512"),
		"MIC label SHA512":                 swap(", sha-512", ", SHA512"),
		"MIC label rsa-sha512":             swap(", sha-512", ", rsa-sha512"),
		"MIC label in quotes":              swap(", sha-512", `, "sha-512"`),
		"lower case field names":           swap("Received-Content-MIC:", "received-content-mic:"),
		"no space after the colon":         swap("Original-Message-ID: ", "Original-Message-ID:"),
		"no report-type":                   swap("report-type=disposition-notification; ", ""),
		"report-type in other case":        swap("report-type=disposition-notification", "Report-Type=DISPOSITION-Notification"),
		"no transfer encodings":            swap("Content-Transfer-Encoding: 7bit\r\n", ""),
		"text part without header lines":   swap("Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n", ""),
		"empty lines between fields":       swap("\r\nDisposition:", "\r\n\r\nDisposition:"),
		"fields end with LF":               func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") },
		"brackets of the original id lost": swap("<order-1@alice.test>", "order-1@alice.test"),
		"no closing boundary": func(s string) string {
			return s[:strings.LastIndex(strings.TrimRight(s, "\r\n-"), "\r\n")]
		},
		"original headers as a third part": func(s string) string {
			i := strings.LastIndex(s, "\r\n--")
			b := strings.TrimSuffix(strings.TrimSpace(s[i:]), "--")
			return s[:i] + "\r\n" + b + "\r\nContent-Type: text/rfc822-headers\r\n\r\nDisposition: x\r\n" + b + "--\r\n"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, rc := receiptOf(t, false, change)
			if !o.Delivered || !o.MICMatches {
				t.Errorf("outcome %+v of\n%s", o, rc.Body)
			}
		})
	}
	t.Run("SHA-512 value wraps", func(t *testing.T) {
		t.Parallel()
		o, _ := receiptOf(t, false, func(s string) string {
			i := strings.Index(s, "Received-Content-MIC: ") + 60
			return s[:i] + "\r\n\t" + s[i:]
		})
		if !o.Delivered {
			t.Errorf("outcome %+v", o)
		}
	})
	t.Run("another Final-Recipient is only a warning", func(t *testing.T) {
		t.Parallel()
		o, _ := receiptOf(t, false, swap("Final-Recipient: rfc822; bob", "Final-Recipient: rfc822; bob@bob.test"))
		if !o.Delivered || len(o.Warnings) != 1 {
			t.Errorf("outcome %+v", o)
		}
	})
	for name, change := range map[string]func(string) string{
		"two contradicting dispositions": swap("Disposition: ", "Disposition: automatic-action/MDN-sent-automatically; processed/error: decryption-failed\r\nDisposition: "),
		"two equal dispositions":         swap("Disposition: ", "Disposition: automatic-action/MDN-sent-automatically; processed\r\nDisposition: "),
		"two MICs":                       swap("Received-Content-MIC: ", "Received-Content-MIC: AAAA, sha-512\r\nReceived-Content-MIC: "),
		"two original ids":               swap("Original-Message-ID: ", "Original-Message-ID: <x@y>\r\nOriginal-Message-ID: "),
		"processed/error":                swap("; processed", "; processed/error: decryption-failed"),
		"processed/Error without space":  swap("; processed", "; processed/Error:integrity-check-failed"),
		"failed/Failure":                 swap("; processed", "; failed/Failure: unsupported format"),
		"failed":                         swap("; processed", "; failed"),
		"displayed":                      swap("; processed", "; displayed"),
		"modifier without severity":      swap("; processed", "; processed/decryption-failed"),
		"unknown words":                  swap("; processed", "; processed, not really"),
		"other message":                  swap("<order-1@alice.test>", "<order-2@alice.test>"),
		"MIC differs":                    swap("Received-Content-MIC: ", "Received-Content-MIC: A"),
		"MIC under an unknown label":     swap(", sha-512", ", crc32"),
	} {
		t.Run("not proven: "+name, func(t *testing.T) {
			t.Parallel()
			o, _ := receiptOf(t, false, change)
			if o.Delivered || o.Reason == "" || o.Code == OutcomeDelivered {
				t.Errorf("outcome %+v", o)
			}
		})
	}
	t.Run("not proven: changed after signing", func(t *testing.T) {
		t.Parallel()
		o, _ := receiptOf(t, true, swap("; processed", ";  processed"))
		if o.Code != OutcomeBadSignature {
			t.Errorf("outcome %+v", o)
		}
	})
	t.Run("warning is delivered", func(t *testing.T) {
		t.Parallel()
		o, _ := receiptOf(t, false, swap("; processed", "; processed/warning: duplicate-document"))
		if !o.Delivered || len(o.Warnings) == 0 {
			t.Errorf("outcome %+v", o)
		}
	})
	t.Run("report-type is written", func(t *testing.T) {
		t.Parallel()
		_, rc := receiptOf(t, true, func(s string) string { return s })
		if !strings.Contains(string(rc.Body), "multipart/report; report-type=disposition-notification;") {
			t.Errorf("%s", rc.Body)
		}
	})
}

func TestDrummondReceiptDigest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o    Options
		want Digest
		warn string
	}{
		"first micalg of the list":                        {Options{Receipt: ReceiptRequest{Digests: []Digest{SHA384, SHA1}}}, SHA384, ""},
		"unsigned with a signed SHA-2 receipt":            {Options{Receipt: ReceiptRequest{Digests: []Digest{SHA256}}}, SHA256, ""},
		"signed with another digest than the options say": {Options{Sign: SHA384, Receipt: ReceiptRequest{Digests: []Digest{SHA256}}}, SHA384, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.o.Receipt.Mode, c.o.Receipt.Signed = SyncReceipt, true
			out := mustBuild(t, order, c.o)
			r := accepted(t, out.Header, bodyOf(t, out))
			rc, err := r.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
			if err != nil {
				t.Fatal(err)
			}
			if rc.MICDigest != c.want {
				t.Errorf("MIC under %s, want %s", rc.MICDigest, c.want)
			}
			// A peer that follows the other rule is understood as well.
			for d, mic := range out.MICs {
				rc.MIC, rc.MICDigest = mic, d
				if !rc.micMatches(out.Sent) {
					t.Errorf("the MIC under %s would not count", d)
				}
			}
		})
	}
	t.Run("the sender's spelling comes back", func(t *testing.T) {
		t.Parallel()
		out, body := signedTransmission(t)
		h := out.Header.Clone()
		h.Set("Disposition-Notification-Options", "signed-receipt-protocol=optional,pkcs7-signature;signed-receipt-micalg=optional,SHA256,md5")
		rc, err := accepted(t, h, body).Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(rc.Body), ", SHA256\r\n") {
			t.Errorf("%s", rc.Body)
		}
	})
	t.Run("required and unknown gives failed/Failure", func(t *testing.T) {
		t.Parallel()
		for options, want := range map[string]string{
			"signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, crc32": "failed/Failure: unsupported MIC-algorithms",
			"signed-receipt-protocol=required, pgp-signature; signed-receipt-micalg=optional, sha256":  "failed/Failure: unsupported format",
		} {
			out, body := signedTransmission(t)
			h := out.Header.Clone()
			h.Set("Disposition-Notification-Options", options)
			r := receiveAt(t, relation("bob", "alice"), h, body)
			if r.Failure == nil || !strings.HasSuffix(r.Disposition.String(), want) {
				t.Errorf("%s: %s", options, r.Disposition)
			}
		}
	})
}

// TestDrummondConformance is K.1 to K.3: the receipt names the failure.
func TestDrummondConformance(t *testing.T) {
	t.Parallel()
	entity := append([]byte("Content-Type: application/edi-x12\r\n\r\n"), order...)
	for name, c := range map[string]struct {
		make func(t *testing.T) (http.Header, []byte)
		want Modifier
	}{
		"K.1 authentication-failed": {func(t *testing.T) (http.Header, []byte) {
			return signHand(t, testKeys()["mallory"], entity)
		}, AuthenticationFailed},
		"K.2 decryption-failed": {func(t *testing.T) (http.Header, []byte) {
			h, b := encryptHand(t, entity, AES256CBC)
			return h, b[:len(b)-30]
		}, DecryptionFailed},
		"K.2 decryption-failed, tag damaged": {func(t *testing.T) (http.Header, []byte) {
			h, b := encryptHand(t, entity, AES256GCM)
			b[len(b)-1] ^= 1
			return h, b
		}, DecryptionFailed},
		"K.2 decryption-failed, not for us": {func(t *testing.T) (http.Header, []byte) {
			h, b := encryptHand(t, entity, AES256CBC)
			return h, bytes.ReplaceAll(b, []byte("bob"), []byte("bop"))
		}, DecryptionFailed},
		"K.2 decryption-failed, garbage inside": {func(t *testing.T) (http.Header, []byte) {
			return encryptHand(t, []byte("\x01\x02 no MIME at all"), AES256CBC)
		}, DecryptionFailed},
		"K.3 decompression-failed": {func(t *testing.T) (http.Header, []byte) {
			out := mustBuild(t, order, Options{Compress: AfterSigning})
			b := bodyOf(t, out)
			b[len(b)-20] ^= 0x55
			return out.Header, b
		}, DecompressionFailed},
		"integrity-check-failed": {func(t *testing.T) (http.Header, []byte) {
			h, b := signHand(t, testKeys()["alice"], entity)
			return h, edited(t, b, "BEG*00*SA*PO1", "BEG*00*SA*PO2")
		}, IntegrityCheckFailed},
		"unknown-trading-relationship": {func(t *testing.T) (http.Header, []byte) {
			h, b := signHand(t, testKeys()["alice"], entity)
			h.Set("AS2-To", "carol")
			return h, b
		}, UnknownTradingRelationship},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, body := c.make(t)
			h.Set("Disposition-Notification-To", "x")
			h.Set("Disposition-Notification-Options", "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, sha-256")
			read := &countingReader{r: bytes.NewReader(body)}
			r, err := Receive(context.Background(), h, read, ReceiveOptions{Lookup: lookup(relation("bob", "alice"))})
			if err != nil {
				t.Fatal(err)
			}
			if modifierOf(r.Failure) != c.want || len(r.Payloads) > 0 {
				t.Fatalf("failure %v", r.Failure)
			}
			if read.n != len(body) {
				t.Errorf("read %d of %d bytes: the caller's copy is not whole", read.n, len(body))
			}
			key := testKeys()["bob"]
			rc, err := r.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow, Key: &key})
			if err != nil {
				t.Fatal(err)
			}
			if rc.MIC != "" || strings.Contains(string(rc.Body), "Received-Content-MIC") {
				t.Error("a negative receipt carries a MIC")
			}
			o := reparse(t, rc).Check(Sent{From: "alice", To: r.To, MessageID: r.MessageID, Request: ReceiptRequest{Mode: SyncReceipt, Signed: true}},
				[]*x509.Certificate{key.Certificate})
			if o.Code != OutcomeRefused || !strings.Contains(o.Reason, "processed/error: "+string(c.want)) {
				t.Errorf("outcome %+v", o)
			}
		})
	}
}

// countingReader counts what is read.
type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}
