package as2

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestHabits are the ways of other products that surprised somebody: what they
// do is met, and what they do wrong is not repeated.
func TestHabits(t *testing.T) {
	t.Parallel()
	t.Run("no certificate in the signature", func(t *testing.T) {
		t.Parallel()
		h, body := signHand(t, testKeys()["alice"], append([]byte("Content-Type: application/edi-x12\r\n\r\n"), order...))
		accepted(t, h, body)
	})
	t.Run("chunked, spaces in Message-ID and AS2-To, no Content-Length", func(t *testing.T) {
		t.Parallel()
		h, body := encryptHand(t, append([]byte("Content-Type: application/edi-x12\r\n\r\n"), order...), AES192CBC)
		stored := "POST /as2 HTTP/1.1\r\nMessage-ID: <OPENAS2-21112026093000+0000-my order 1.edi@alice_bob plant>\r\nAS2-From: alice\r\n" +
			"AS2-To: \"bob plant 2\"\r\nTransfer-Encoding: chunked\r\nContent-Type: " + h.Get("Content-Type") + "\r\n" +
			"Disposition-Notification-To: edi@alice.test\r\n\r\n" + string(body)
		rel := relation("bob", "alice")
		rel.Station.ID = "bob plant 2"
		r := receiveStored(t, rel, []byte(stored))
		if r.Failure != nil || !bytes.Equal(open(t, r.Payloads[0]), order) {
			t.Fatalf("refused: %v", r.Failure)
		}
		rc, err := r.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
		if err != nil {
			t.Fatal(err)
		}
		if rc.Header.Get("AS2-From") != `"bob plant 2"` || !strings.Contains(string(rc.Body), "\r\nOriginal-Message-ID: <OPENAS2-21112026093000+0000-my order 1.edi@alice_bob plant>\r\n") {
			t.Errorf("%v\n%s", rc.Header, rc.Body)
		}
	})
	t.Run("the receipt's MIC is under the digest asked for, not the signature's", func(t *testing.T) {
		t.Parallel()
		out := mustBuild(t, order, Options{Sign: SHA384, Encrypt: AES128CBC, Receipt: ReceiptRequest{Mode: SyncReceipt, Signed: true, Digests: []Digest{SHA256}}})
		for _, rule := range []MICRule{MICOfSignature, MICFirstListed} {
			rel := relation("bob", "alice")
			rel.ReceiptMIC = rule
			rc, err := receiveAt(t, rel, out.Header, bodyOf(t, out)).Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
			if err != nil {
				t.Fatal(err)
			}
			if o := reparse(t, rc).Check(out.Sent, relation("alice", "bob").Partner.Verify); !o.Delivered || !o.MICMatches {
				t.Errorf("%q: %+v", rule, o)
			}
		}
	})
	t.Run("capital Error, no space after the colon, misspelt", func(t *testing.T) {
		t.Parallel()
		for written, want := range map[string]Modifier{
			"automatic-action/MDN-sent-automatically; processed/Error:integrity-check-failed": IntegrityCheckFailed,
			"automatic-action/MDN-sent-automatically; processed/Error:decompresion-failed":    DecompressionFailed,
			"automatic-action/MDN-sent-automatically;processed/error:decryption-failed":       DecryptionFailed,
		} {
			d, err := ParseDisposition(written)
			if err != nil || d.Positive() || d.Severity != SeverityError || d.Modifier != want {
				t.Errorf("%s: %+v, %v", written, d, err)
			}
		}
	})
	t.Run("HTTP 500 instead of a receipt", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }))
		t.Cleanup(server.Close)
		_, err := post(t, server.URL, mustBuild(t, order, Options{Sign: SHA256}))
		if pe, ok := err.(*PostError); !ok || !pe.Retry || pe.Status != http.StatusInternalServerError { //nolint:errorlint // exactly this
			t.Errorf("%v", err)
		}
	})
	t.Run("text keeps its line ends", func(t *testing.T) {
		t.Parallel()
		for _, contentType := range []string{"text/plain; charset=iso-8859-1", "application/xml", "application/edi-x12", "application/octet-stream"} {
			for _, o := range []Options{
				{}, {Sign: SHA256}, {Encrypt: AES256CBC}, {Compress: BeforeSigning}, {Sign: SHA256, Compress: AfterSigning}, {Sign: SHA1, Compress: BeforeSigning, Encrypt: AES256GCM},
			} {
				o.MessageID, o.Now = "<text@alice.test>", testNow
				content := []byte("a\nb\r\nc\rd\n\nStra\xdfe\n")
				out, err := Build(context.Background(), relation("alice", "bob"), payloadOf(content, contentType, "a.txt"), o)
				if err != nil {
					t.Fatal(err)
				}
				r := receiveAt(t, relation("bob", "alice"), out.Header, bodyOf(t, out))
				if got := open(t, r.Payloads[0]); r.Failure != nil || !bytes.Equal(got, content) {
					t.Errorf("%s, %+v: %q, %v", contentType, o, got, r.Failure)
				}
			}
		}
	})
	t.Run("mixed line ends: the exact bytes count", func(t *testing.T) {
		t.Parallel()
		h, body := signHand(t, testKeys()["alice"], append([]byte("Content-Type: application/octet-stream\r\n\r\n"), order...))
		accepted(t, h, binarySignature(t, h, edited(t, body, "Content-Transfer-Encoding: base64\r\n", "")))
	})
	t.Run("signed with CRLF, sent with LF", func(t *testing.T) {
		t.Parallel()
		canonical := []byte("Content-Type: text/plain\r\n\r\none\r\ntwo\r\n")
		h, body := signHand(t, testKeys()["alice"], canonical)
		i := bytes.Index(body, []byte("pkcs7-signature"))
		lf := append(bytes.ReplaceAll(body[:i], []byte("one\r\ntwo\r\n"), []byte("one\ntwo\n")), body[i:]...)
		r := receiveAt(t, relation("bob", "alice"), h, lf)
		if r.Failure != nil {
			t.Fatal(r.Failure)
		}
		if got := string(open(t, r.Payloads[0])); got != "one\ntwo\n" {
			t.Errorf("the payload was changed: %q", got)
		}
	})
	t.Run("the start boundary is missing", func(t *testing.T) {
		t.Parallel()
		out, body := signedTransmission(t)
		first := bytes.Index(body, []byte("\r\n")) + 2
		r := receiveAt(t, relation("bob", "alice"), out.Header, body[first:])
		if r.Failure == nil || r.Disposition.Positive() {
			t.Fatal("accepted")
		}
		if _, err := r.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow}); err != nil {
			t.Error(err)
		}
	})
	t.Run("a receipt that is nothing but its notification", func(t *testing.T) {
		t.Parallel()
		out := mustBuild(t, order, Options{Sign: SHA256, Receipt: ReceiptRequest{Mode: SyncReceipt}})
		h := http.Header{}
		h.Set("AS2-From", "bob")
		h.Set("AS2-To", "alice")
		h.Set("Content-Type", "message/disposition-notification")
		rc, err := ParseReceipt(h, strings.NewReader("Original-Message-ID: <order-1@alice.test>\r\nDisposition: automatic-action/MDN-sent-automatically; processed\r\n"+
			"Received-Content-MIC: "+out.MICs[SHA256]+", sha256\r\n"), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if o := rc.Check(out.Sent, relation("alice", "bob").Partner.Verify); !o.Delivered || !o.MICMatches {
			t.Errorf("%+v", o)
		}
	})
	t.Run("our receipts have a boundary, and their parts say what they are", func(t *testing.T) {
		t.Parallel()
		out := mustBuild(t, order, Options{Sign: SHA256, Receipt: ReceiptRequest{Mode: SyncReceipt, Signed: true}})
		rc := answerTo(t, out)
		top := parseMediaType(rc.Header.Get("Content-Type"))
		if b := top.params["boundary"]; top.full != "multipart/signed" || len(b) < 8 || len(b) > 70 || strings.Count(string(rc.Body), "--"+b) != 3 {
			t.Errorf("%s\n%s", rc.Header.Get("Content-Type"), rc.Body)
		}
		for _, line := range []string{"Content-Type: multipart/report; report-type=disposition-notification; boundary=", "Content-Type: text/plain", "Content-Type: message/disposition-notification", "Content-Type: application/pkcs7-signature"} {
			if !bytes.Contains(rc.Body, []byte(line)) {
				t.Errorf("no %q in\n%s", line, rc.Body)
			}
		}
	})
}

// TestReceiptYearsLater: what was kept of an exchange still proves it when the
// certificates have expired.
func TestReceiptYearsLater(t *testing.T) {
	t.Parallel()
	out := mustBuild(t, order, Options{Sign: SHA256, Receipt: ReceiptRequest{Mode: SyncReceipt, Signed: true}})
	rc := answerTo(t, out)
	var kept bytes.Buffer
	if err := WriteStored(&kept, rc.Header, bytes.NewReader(rc.Body)); err != nil {
		t.Fatal(err)
	}
	facts, err := json.Marshal(out.Sent)
	if err != nil {
		t.Fatal(err)
	}
	var sent Sent
	if err := json.Unmarshal(facts, &sent); err != nil {
		t.Fatal(err)
	}
	expired := *testKeys()["bob"].Certificate
	expired.NotAfter = testNow.AddDate(0, 0, -1)
	if o := parseStored(t, kept.Bytes()).Check(sent, []*x509.Certificate{&expired}); !o.Delivered || !o.MICMatches || o.Signer == nil {
		t.Errorf("%+v", o)
	}
}
