package as2

import (
	"bytes"
	"context"
	"crypto/x509"
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
		"K.3 decompression-failed inside encryption": {func(t *testing.T) (http.Header, []byte) {
			out := mustBuild(t, order, Options{Compress: AfterSigning})
			return encryptHand(t, append([]byte("Content-Type: application/pkcs7-mime; smime-type=compressed-data\r\n\r\n"), bodyOf(t, out)[:150]...), AES256GCM)
		}, DecompressionFailed},
		"K.3 decompression-failed, garbage inside": {func(t *testing.T) (http.Header, []byte) {
			var b bytes.Buffer
			z, err := cms.Compress(&b, -1)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := z.Write([]byte("\x01\x02 no MIME at all")); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			return encryptHand(t, append([]byte("Content-Type: application/pkcs7-mime; smime-type=compressed-data\r\n\r\n"), b.Bytes()...), AES256GCM)
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
