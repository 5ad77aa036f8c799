package as2

import (
	"bytes"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"tradepost/as2/cms"
)

// TestForgedReceipts: what a receipt says counts only when the partner says it,
// of this transmission, and once.
func TestForgedReceipts(t *testing.T) {
	t.Parallel()
	asked := Options{Sign: SHA256, Receipt: ReceiptRequest{Mode: SyncReceipt, Signed: true}}
	sent := mustBuild(t, order, asked)
	genuine := answerTo(t, sent)
	// Of another transmission: the same but for its Message-ID.
	asked.MessageID = "<order-2@alice.test>"
	another := answerTo(t, mustBuild(t, order, asked))
	unsigned := sent.Header.Clone()
	unsigned.Del("Disposition-Notification-Options")
	plain, err := accepted(t, unsigned, bodyOf(t, sent)).Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	report := append([]byte("Content-Type: "+plain.Header.Get("Content-Type")+"\r\n\r\n"), plain.Body...)

	from := func(contentType string, body []byte) *Receipt {
		h := http.Header{}
		h.Set("AS2-From", "bob")
		h.Set("AS2-To", "alice")
		h.Set("Content-Type", contentType)
		rc, err := ParseReceipt(h, bytes.NewReader(body), Limits{})
		if err != nil {
			return nil // refused as a whole
		}
		return rc
	}
	signed := func(signer string, part []byte, include ...string) *Receipt {
		sum := SHA256.New()
		sum.Write(part)
		how := cms.Signer{Certificate: testKeys()[signer].Certificate, Key: testKeys()[signer].Private}
		for _, name := range include {
			how.IncludeCertificates = append(how.IncludeCertificates, testKeys()[name].Certificate)
		}
		signature, err := cms.SignDetached(rand.Reader, how, sum.Sum(nil), cms.OIDData)
		if err != nil {
			t.Fatal(err)
		}
		return from(signedType("hand", SHA256), multipart(t, part, signature))
	}
	signatureOf := func(rc *Receipt) []byte { // the last part, as it stands
		b := "--" + parseMediaType(rc.Header.Get("Content-Type")).params["boundary"]
		parts := strings.Split(string(rc.Body), b)
		return []byte(strings.TrimPrefix(parts[len(parts)-2], "\r\n"))
	}
	entity := func(rc *Receipt) []byte {
		return append([]byte("Content-Type: "+rc.Header.Get("Content-Type")+"\r\n\r\n"), rc.Body...)
	}
	join := func(parts ...[]byte) []byte {
		var b bytes.Buffer
		for _, p := range parts {
			b.WriteString("--wrap\r\n")
			b.Write(bytes.TrimSuffix(p, []byte("\r\n")))
			b.WriteString("\r\n")
		}
		b.WriteString("--wrap--\r\n")
		return b.Bytes()
	}
	notification := []byte("Content-Type: message/disposition-notification\r\n\r\nOriginal-Message-ID: <order-1@alice.test>\r\n" +
		"Disposition: automatic-action/MDN-sent-automatically; processed\r\nReceived-Content-MIC: " + sent.MICs[SHA256] + ", sha-256\r\n")

	check := func(rc *Receipt) Outcome {
		if rc == nil {
			return Outcome{Reason: "unreadable"}
		}
		return rc.Check(sent.Sent, relation("alice", "bob").Partner.Verify)
	}
	if o := check(reparse(t, genuine)); !o.Delivered {
		t.Fatalf("the genuine one: %+v", o)
	}
	if o := check(signed("bob", report)); !o.Delivered {
		t.Fatalf("the genuine one, signed by hand: %+v", o)
	}
	for name, c := range map[string]struct {
		receipt *Receipt
		want    OutcomeCode // "" is any
	}{
		"unsigned, a signed one was asked for":               {reparse(t, plain), OutcomeUnsigned},
		"signed by a stranger":                               {signed("mallory", report), OutcomeBadSignature},
		"signed by a stranger, who encloses his certificate": {signed("mallory", report, "mallory"), OutcomeBadSignature},
		"signed by a stranger, who encloses the partner's":   {signed("mallory", report, "bob", "mallory"), OutcomeBadSignature},
		"signed by us":                                           {signed("alice", report), OutcomeBadSignature},
		"of another transmission":                                {reparse(t, another), OutcomeUnknownOriginal},
		"of an unknown transmission":                             {signed("bob", bytes.ReplaceAll(report, []byte("order-1@"), []byte("order-9@"))), OutcomeUnknownOriginal},
		"without a MIC":                                          {signed("bob", without(t, report, "Received-Content-MIC:")), OutcomeMICMissing},
		"with an empty MIC":                                      {signed("bob", bytes.ReplaceAll(report, []byte(sent.MICs[SHA256]), nil)), OutcomeMICMissing},
		"with two dispositions, properly signed":                 {signed("bob", edited(t, report, "Disposition: ", "Disposition: automatic-action/MDN-sent-automatically; processed/error: decryption-failed\r\nDisposition: ")), OutcomeAmbiguous},
		"with a MIC of something else":                           {signed("bob", edited(t, report, sent.MICs[SHA256], strings.ToLower(sent.MICs[SHA256]))), OutcomeMICMismatch},
		"wrapped: a forged report before a genuine signature":    {from("multipart/signed; boundary=wrap; protocol=\"application/pkcs7-signature\"; micalg=sha-256", join(edited(t, report, "; processed", ";  processed"), signatureOf(genuine))), OutcomeBadSignature},
		"wrapped: a genuine one of another beside a forged part": {from("multipart/report; boundary=wrap", join(entity(another), notification)), OutcomeUnsigned},
		"wrapped: forged, behind the signature of another":       {from("multipart/signed; boundary=wrap; protocol=\"application/pkcs7-signature\"; micalg=sha-256", append(join(entity(another)), join(notification)...)), ""},
		"wrapped: in the third part of a genuine one of another": {from(another.Header.Get("Content-Type"), thirdPart(t, another, notification)), OutcomeUnknownOriginal},
		"wrapped: two reports in one, signed by the partner":     {signed("bob", append([]byte("Content-Type: multipart/report; boundary=wrap\r\n\r\n"), join(notification, notification)...)), OutcomeAmbiguous},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := check(c.receipt)
			if o.Delivered || o.Reason == "" || c.want != "" && o.Code != c.want {
				t.Errorf("%+v, want %s", o, c.want)
			}
		})
	}
	for name, change := range map[string]func(http.Header){
		"from somebody else": func(h http.Header) { h.Set("AS2-From", "mallory") },
		"to somebody else":   func(h http.Header) { h.Set("AS2-To", "mallory") },
		"the wrong way":      func(h http.Header) { h.Set("AS2-From", "alice"); h.Set("AS2-To", "bob") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := genuine.Header.Clone()
			change(h)
			rc, err := ParseReceipt(h, bytes.NewReader(genuine.Body), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if o := check(rc); o.Delivered || o.Code != OutcomeWrongPartner {
				t.Errorf("%+v", o)
			}
		})
	}
}

// multipart is a multipart/signed with the boundary "hand".
func multipart(t *testing.T, part, signature []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("--hand\r\n")
	b.Write(part)
	if err := writeSignaturePart(&b, "hand", signature, true); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// without takes the line out that begins so.
func without(t *testing.T, b []byte, begins string) []byte {
	t.Helper()
	i := bytes.Index(b, []byte(begins))
	if i < 0 {
		t.Fatalf("%q is not in %q", begins, b)
	}
	j := i + bytes.Index(b[i:], []byte("\r\n")) + 2
	return append(bytes.Clone(b[:i]), b[j:]...)
}

// thirdPart is a signed receipt with one more part behind its signature.
func thirdPart(t *testing.T, rc *Receipt, part []byte) []byte {
	t.Helper()
	b := "--" + parseMediaType(rc.Header.Get("Content-Type")).params["boundary"]
	return edited(t, rc.Body, b+"--", b+"\r\n"+string(part)+b+"--")
}
