package as2

import (
	"bytes"
	"strings"
	"testing"
)

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
		"no line end before the closing boundary": func(s string) string {
			i := strings.LastIndex(s, "\r\n--")
			return s[:i] + s[i+2:]
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
	t.Run("not proven: MD5 over the signed attributes", func(t *testing.T) {
		t.Parallel()
		out := mustBuild(t, order, Options{Sign: SHA256, Receipt: ReceiptRequest{Mode: SyncReceipt}})
		rc, err := accepted(t, out.Header, bodyOf(t, out)).Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
		if err != nil {
			t.Fatal(err)
		}
		h, body := signHandMD5Attributes(t, testKeys()["bob"], append([]byte("Content-Type: "+rc.Header.Get("Content-Type")+"\r\n\r\n"), rc.Body...))
		h.Set("AS2-From", "bob")
		h.Set("AS2-To", "alice")
		got, err := ParseReceipt(h, bytes.NewReader(body), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if o := got.Check(out.Sent, relation("alice", "bob").Partner.Verify); o.Code != OutcomeBadSignature || !strings.Contains(o.Reason, "MD5") {
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
		rule MICRule
		want Digest
	}{
		"first micalg of the list":                        {Options{Receipt: ReceiptRequest{Digests: []Digest{SHA384, SHA1}}}, "", SHA384},
		"unsigned with a signed SHA-2 receipt":            {Options{Receipt: ReceiptRequest{Digests: []Digest{SHA256}}}, "", SHA256},
		"signed with another digest than the options say": {Options{Sign: SHA384, Receipt: ReceiptRequest{Digests: []Digest{SHA256}}}, MICOfSignature, SHA384},
		"the partner wants the first listed":              {Options{Sign: SHA384, Receipt: ReceiptRequest{Digests: []Digest{SHA256}}}, MICFirstListed, SHA256},
		"first listed, unsigned":                          {Options{Receipt: ReceiptRequest{Digests: []Digest{SHA512, SHA1}}}, MICFirstListed, SHA512},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.o.Receipt.Mode, c.o.Receipt.Signed = SyncReceipt, true
			out := mustBuild(t, order, c.o)
			rel := relation("bob", "alice")
			rel.ReceiptMIC = c.rule
			r := receiveAt(t, rel, out.Header, bodyOf(t, out))
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
	t.Run("first listed, and no list", func(t *testing.T) {
		t.Parallel()
		out := mustBuild(t, order, Options{Sign: SHA384, Receipt: ReceiptRequest{Mode: SyncReceipt}})
		rel := relation("bob", "alice")
		rel.ReceiptMIC = MICFirstListed
		if d := receiveAt(t, rel, out.Header, bodyOf(t, out)).ReceiptDigest(); d != SHA384 {
			t.Errorf("MIC under %s", d)
		}
	})
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
