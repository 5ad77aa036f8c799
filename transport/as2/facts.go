package as2

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"strings"

	"tradepost/as2"
	"tradepost/transport"
)

// This file turns what the library says into what the seam keeps, and back.

// barePrefix marks, among the MICs of an Evidence, those over the payload
// without its header: what some products return for unsigned content.
const barePrefix = "bare "

// certificate names c; nil stays nil.
func certificate(c *x509.Certificate) *transport.Certificate {
	if c == nil {
		return nil
	}
	sum := sha256.Sum256(c.Raw)
	return &transport.Certificate{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(), Serial: c.SerialNumber.Text(16),
		SHA256: hex.EncodeToString(sum[:]), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
	}
}

// headerFields lists headers in alphabetical order, spelt as the standards do.
func headerFields(h http.Header) []transport.HeaderField {
	names := make([]string, 0, len(h))
	for n := range h {
		names = append(names, n)
	}
	slices.Sort(names)
	var out []transport.HeaderField
	for _, n := range names {
		for _, v := range h[n] {
			out = append(out, transport.HeaderField{Name: wireName(n), Value: text(v)})
		}
	}
	return out
}

// httpHeader is the inverse of headerFields.
func httpHeader(fields []transport.HeaderField) http.Header {
	h := http.Header{}
	for _, f := range fields {
		h.Add(f.Name, f.Value)
	}
	return h
}

// wireName spells a header name as RFC 4130 does, for peers that compare
// names with their case.
func wireName(name string) string {
	switch http.CanonicalHeaderKey(name) {
	case "As2-Version":
		return "AS2-Version"
	case "As2-From":
		return "AS2-From"
	case "As2-To":
		return "AS2-To"
	case "As2-Product":
		return "AS2-Product"
	case "Etag":
		return "ETag"
	case "Ediint-Features":
		return "EDIINT-Features"
	case "Message-Id":
		return "Message-ID"
	case "Mime-Version":
		return "MIME-Version"
	}
	return name
}

// allMICs keeps every integrity check there is.
func allMICs(mics, bare as2.MICs) map[string]string {
	out := map[string]string{}
	for d, v := range mics {
		out[string(d)] = v
	}
	for d, v := range bare {
		out[barePrefix+string(d)] = v
	}
	return out
}

// sentFacts are the facts a receipt is checked against, read back from a
// Prepared that may come from the store.
func sentFacts(p *transport.Prepared, terms Terms) as2.Sent {
	e := p.Evidence
	s := as2.Sent{
		From: e.From, To: e.To, MessageID: p.MessageID, Signed: e.Signed, Encrypted: e.Encrypted,
		MICs: as2.MICs{}, BareMICs: as2.MICs{},
	}
	if e.MIC != "" {
		s.MICs[as2.Digest(e.MICAlg)] = e.MIC
	}
	for name, v := range e.MICs {
		if d, bare := strings.CutPrefix(name, barePrefix); bare {
			s.BareMICs[as2.Digest(d)] = v
		} else {
			s.MICs[as2.Digest(name)] = v
		}
	}
	h := httpHeader(p.Headers)
	s.Request.Mode = as2.NoReceipt
	if h.Get("Disposition-Notification-To") != "" {
		s.Request.Mode = as2.SyncReceipt
	}
	if h.Get("Receipt-Delivery-Option") != "" {
		s.Request.Mode = as2.AsyncReceipt
	}
	s.Request.Signed = h.Get("Disposition-Notification-Options") != ""
	s.Request.MICOptional = terms.MICOptional
	return s
}

// theirReceipt is a receipt of the partner's with what it proves.
func theirReceipt(r *as2.Receipt, o as2.Outcome) *transport.Receipt {
	return &transport.Receipt{
		MessageID: clip(text(r.MessageID)), Disposition: clip(text(r.Disposition.String())), Positive: o.Delivered, Signed: r.Signed,
		MIC: clip(text(r.MIC)), MICAlg: string(r.MICDigest), MICMatches: o.MICMatches, Signer: certificate(o.Signer),
		Headers: headerFields(r.Header), Body: r.Body, Reason: text(o.Reason),
	}
}

// tlsName is how a connection was protected: "TLS 1.3 TLS_AES_128_GCM_SHA256",
// "" when it was not.
func tlsName(s *tls.ConnectionState) string {
	if s == nil {
		return ""
	}
	return tls.VersionName(s.Version) + " " + tls.CipherSuiteName(s.CipherSuite)
}

// payloadBody is a payload of the library as a Body.
type payloadBody struct {
	open func() (io.ReadCloser, error)
	size int64
}

func (b payloadBody) Open() (io.ReadCloser, error) { return b.open() }
func (b payloadBody) Size() int64                  { return b.size }

// payloadPart is a payload as a Part.
func payloadPart(p as2.Payload) transport.Part {
	return transport.Part{Filename: clip(text(p.Filename)), ContentType: clip(text(p.ContentType)), Body: payloadBody{p.Open, p.Size}}
}

// plainHost keeps what may stand behind the @ of a Message-ID.
func plainHost(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '.' || r == '-' || r == '_' {
			return r
		}
		return -1
	}, s)
	return s[:min(len(s), 100)]
}

// text is foreign text as it can be stored: valid UTF-8 without NUL.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// clip cuts what may be long without bound, and is by nature short.
func clip(s string) string {
	const most = 998 // a line of RFC 5322
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

// readable cuts an answer to what a person will read, in valid UTF-8.
func readable(b []byte) string {
	return text(string(b[:min(len(b), 1024)]))
}
