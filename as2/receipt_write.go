package as2

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"tradepost/as2/cms"
)

// defaultProduct is written where nobody says otherwise.
const defaultProduct = "tradepost"

// crlf is the only line end ever written.
const crlf = "\r\n"

// makeReceipt is Received.Receipt.
func (r *Received) makeReceipt(o ReceiptOptions) (*Receipt, error) {
	if err := checkMessageID(o.MessageID); err != nil {
		return nil, fmt.Errorf("as2: receipt: %w", err)
	}
	if o.Now.IsZero() {
		return nil, errors.New("as2: receipt: Now is not set")
	}
	if r.Returned != nil {
		return nil, errors.New("as2: a receipt is not answered by a receipt")
	}
	if o.Product == "" {
		o.Product = defaultProduct
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	rc := &Receipt{
		From: r.To, To: r.From,
		MessageID:         o.MessageID,
		OriginalMessageID: r.MessageID,
		FinalRecipient:    r.To, OriginalRecipient: r.To,
		ReportingUA: o.Product,
		Disposition: r.Disposition,
		Text:        o.Text,

		dispositions: 1,
	}
	if rc.Text == "" {
		rc.Text = r.sentence()
	}
	if r.Disposition.Positive() {
		if d := r.ReceiptDigest(); r.MICs[d] != "" {
			rc.MICDigest, rc.MIC = d, r.MICs[d]
			rc.micRaw = rc.MIC + ", " + spelled(r.Header, d)
		}
	}
	own := echoID(r.Header.Get("AS2-To"), r.To)
	report, contentType := rc.report(own)
	key := o.Key
	if key == nil && r.Relation != nil && len(r.Relation.Station.Keys) > 0 {
		key = &r.Relation.Station.Keys[0]
	}
	fields := []field{
		{"AS2-Version", Version},
		{"AS2-From", own},
		{"AS2-To", echoID(r.Header.Get("AS2-From"), r.From)},
		{"AS2-Product", o.Product},
		{"EDIINT-Features", featureList(o.Features)},
		{"Message-ID", o.MessageID},
		{"Date", o.Now.UTC().Format(time.RFC1123Z)},
		{"Subject", "Receipt"},
		{"MIME-Version", "1.0"},
	}
	rc.Body = report
	if r.Request.Signed && key != nil {
		signed, signedType, err := signReceipt(report, contentType, *key, r.receiptSignature(), o)
		if err != nil {
			return nil, fmt.Errorf("as2: sign receipt: %w", err)
		}
		rc.Body, contentType, rc.Signed = signed, signedType, true
	}
	rc.Header = http.Header{}
	for _, f := range append(fields, field{"Content-Type", contentType}) {
		rc.Header.Set(f.name, oneLine(f.value))
	}
	return rc, nil
}

// featureList writes EDIINT-Features (RFC 6017): what this package has, and
// what the program around it adds.
func featureList(more []string) string {
	return strings.Join(append([]string{"multiple-attachments"}, more...), ", ")
}

// receiptSignature is the digest a receipt is signed with: the first one asked
// for, else SHA-256.
func (r *Received) receiptSignature() Digest {
	for _, d := range r.Request.Digests {
		if d != MD5 {
			return d
		}
	}
	return SHA256
}

// echoID returns the identifier as the partner wrote it when that is proper,
// so that receipt and transmission quote it alike.
func echoID(raw, id string) string {
	raw = strings.TrimSpace(raw)
	if raw == quoteParam(id) {
		return raw
	}
	return FormatID(id)
}

// sentence is the part of a receipt for a person.
func (r *Received) sentence() string {
	switch {
	case r.Disposition.Positive():
		return "The transmission was received and its security was checked. This says nothing about its content."
	case r.Disposition.Type == "failed":
		return "The transmission could not be answered as asked: " + string(r.Disposition.Modifier) + "."
	}
	return "The transmission was received but not accepted: " + string(r.Disposition.Modifier) + "."
}

// boundary derives a boundary from the receipt's identifiers, so that the same
// inputs give the same bytes.
func (rc *Receipt) boundary(use string) string {
	sum := sha256.Sum256([]byte(use + "\x00" + rc.MessageID + "\x00" + rc.OriginalMessageID))
	return "=_" + use + "_" + hex.EncodeToString(sum[:16])
}

// report writes the multipart/report (RFC 8098) with its own Content-Type in
// the return value only. recipient is AS2-To as it was received.
func (rc *Receipt) report(recipient string) (body []byte, contentType string) {
	b := rc.boundary("report")
	text := strings.Join(strings.Split(strings.ReplaceAll(rc.Text, "\r\n", "\n"), "\n"), crlf)
	fields := []field{
		{"Reporting-UA", rc.ReportingUA},
		{"Original-Recipient", "rfc822; " + recipient},
		{"Final-Recipient", "rfc822; " + recipient},
		{"Original-Message-ID", rc.OriginalMessageID},
		{"Disposition", rc.Disposition.String()},
	}
	if rc.micRaw != "" {
		fields = append(fields, field{"Received-Content-MIC", rc.micRaw})
	}
	notification := appendFields(nil, fields)

	var w bytes.Buffer
	w.WriteString("--" + b + crlf)
	w.Write(appendFields(nil, []field{
		{"Content-Type", "text/plain; charset=" + charset(text)},
		{"Content-Transfer-Encoding", encoding(text)},
	}))
	w.WriteString(text + crlf)
	w.WriteString("--" + b + crlf)
	w.Write(appendFields(nil, []field{
		{"Content-Type", "message/disposition-notification"},
		{"Content-Transfer-Encoding", encoding(string(notification))},
	}))
	w.Write(notification)
	w.WriteString("--" + b + "--" + crlf)
	return w.Bytes(), "multipart/report; report-type=disposition-notification; boundary=" + quoteParam(b)
}

func charset(s string) string {
	if encoding(s) == "7bit" {
		return "us-ascii"
	}
	return "utf-8"
}

// encoding names the Content-Transfer-Encoding that s already is in.
func encoding(s string) string {
	for _, c := range []byte(s) {
		if c >= 0x80 {
			return "8bit"
		}
	}
	return "7bit"
}

// signReceipt wraps a report into a multipart/signed.
func signReceipt(report []byte, reportType string, key Key, d Digest, o ReceiptOptions) (body []byte, contentType string, err error) {
	signer := cms.Signer{
		Certificate: key.Certificate, Key: key.Private, Digest: d,
		SigningTime: o.Now,
	}
	if key.Certificate != nil {
		signer.IncludeCertificates = append(signer.IncludeCertificates, key.Certificate)
	}
	d = signer.EffectiveDigest()
	part := append(appendFields(nil, []field{{"Content-Type", reportType}}), report...)
	h := d.New()
	_, _ = h.Write(part) // a hash never fails
	signature, err := cms.SignDetached(o.Rand, signer, h.Sum(nil), cms.OIDData)
	if err != nil {
		return nil, "", err
	}
	rc := Receipt{MessageID: o.MessageID}
	b := rc.boundary("signed")
	var w bytes.Buffer
	w.WriteString("--" + b + crlf)
	w.Write(part)
	if err := writeSignaturePart(&w, b, signature, true); err != nil {
		return nil, "", err
	}
	return w.Bytes(), signedType(b, d), nil
}

// signedType is the Content-Type of a multipart/signed.
func signedType(boundary string, d Digest) string {
	return `multipart/signed; protocol="application/pkcs7-signature"; micalg=` + string(d) + "; boundary=" + quoteParam(boundary)
}

// writeSignaturePart ends a multipart/signed behind its first part.
func writeSignaturePart(w io.Writer, boundary string, signature []byte, asBase64 bool) error {
	enc := "binary"
	if asBase64 {
		enc = "base64"
		signature = wrapBase64(signature)
	}
	out := make([]byte, 0, len(signature)+2*len(boundary)+256)
	out = append(out, crlf+"--"+boundary+crlf...)
	out = appendFields(out, []field{
		{"Content-Type", `application/pkcs7-signature; name="smime.p7s"; smime-type=signed-data`},
		{"Content-Transfer-Encoding", enc},
		{"Content-Disposition", `attachment; filename="smime.p7s"`},
	})
	out = append(out, signature...)
	out = append(out, crlf+"--"+boundary+"--"+crlf...)
	_, err := w.Write(out)
	return err
}

// wrapBase64 encodes with lines of 76 characters.
func wrapBase64(b []byte) []byte {
	const line = 57 // octets that 76 characters stand for
	out := make([]byte, 0, base64.StdEncoding.EncodedLen(len(b))+2*(len(b)/line+1))
	for len(b) > line {
		out = append(base64.StdEncoding.AppendEncode(out, b[:line]), crlf...)
		b = b[line:]
	}
	return base64.StdEncoding.AppendEncode(out, b)
}
