package cem

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"strings"
	"time"
	"unicode/utf8"

	"tradepost/certs"
)

// Bounds of what is read.
const (
	maxBody    = 1 << 20
	maxXML     = 128 << 10
	maxParts   = 64
	maxTokens  = 4096
	maxDepth   = 12
	maxSerial  = 128 // digits
	maxAnswers = 64  // certificates of one message
)

// Part is one part of a message whose MIME layer was taken off already.
type Part struct {
	ContentType string
	ContentID   string // with or without brackets; may be empty
	Body        []byte
}

// Parse reads a message with its MIME layer. Errors are *SyntaxError.
func Parse(contentType string, body []byte) (*Message, error) {
	if len(body) > maxBody {
		return nil, wrong("the message has %d bytes, over the limit of %d", len(body), maxBody)
	}
	t, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, wrong("the content type %q cannot be read", clip(contentType))
	}
	if t == MediaType {
		return ParseParts([]Part{{ContentType: contentType, Body: body}})
	}
	if !strings.HasPrefix(t, "multipart/") || params["boundary"] == "" {
		return nil, wrong("%q is no multipart/related with a boundary", clip(t))
	}
	var parts []Part
	for r := multipart.NewReader(bytes.NewReader(body), params["boundary"]); ; {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, wrong("the parts cannot be told apart: %v", err)
		}
		if len(parts) == maxParts {
			return nil, wrong("there are more than %d parts", maxParts)
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return nil, wrong("part %d breaks off: %v", len(parts)+1, err)
		}
		switch encoding := strings.ToLower(strings.TrimSpace(p.Header.Get("Content-Transfer-Encoding"))); encoding {
		case "", "7bit", "8bit", "binary":
		case "base64":
			if content, err = decode(content); err != nil {
				return nil, wrong("part %d is no base64", len(parts)+1)
			}
		default:
			return nil, wrong("part %d has the transfer encoding %q", len(parts)+1, clip(encoding))
		}
		parts = append(parts, Part{ContentType: p.Header.Get("Content-Type"), ContentID: p.Header.Get("Content-ID"), Body: content})
	}
	return ParseParts(parts)
}

// decode reads base64 with any white space in it.
func decode(text []byte) ([]byte, error) {
	plain := bytes.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\r', '\n':
			return -1
		}
		return r
	}, text)
	out := make([]byte, base64.StdEncoding.DecodedLen(len(plain)))
	n, err := base64.StdEncoding.Decode(out, plain)
	return out[:n], err
}

// ParseParts reads a message from its parts. The XML is known by its type, or is
// the only part there is. Errors are *SyntaxError.
func ParseParts(parts []Part) (*Message, error) {
	if len(parts) > maxParts {
		return nil, wrong("there are more than %d parts", maxParts)
	}
	var text *Part
	for i, p := range parts {
		if t, _, _ := mime.ParseMediaType(p.ContentType); t == MediaType && text == nil {
			text = &parts[i]
		}
	}
	if text == nil && len(parts) == 1 {
		text = &parts[0]
	}
	if text == nil {
		return nil, wrong("no part is of type %s", MediaType)
	}
	root, err := guard(text.Body)
	if err != nil {
		return nil, err
	}
	var d document
	if err := xml.Unmarshal(text.Body, &d); err != nil {
		return nil, wrong("the XML cannot be read: %v", err)
	}
	if strings.TrimSpace(d.RequestID) == "" {
		return nil, wrong("there is no requestId")
	}
	if len(d.Requests) > maxAnswers || len(d.Responses) > maxAnswers {
		return nil, wrong("it is about more than %d certificates", maxAnswers)
	}
	if root == "EDIINTCertificateExchangeResponse" {
		r, err := d.response()
		return &Message{Response: r}, err
	}
	r, err := d.request(parts, text)
	return &Message{Request: r}, err
}

// guard walks the XML once before it is decoded: no document type, so no
// entities, no other encoding than UTF-8, bounded in size and depth. It returns
// the name of the root.
func guard(text []byte) (root string, err error) {
	if len(text) > maxXML {
		return "", wrong("the XML has %d bytes, over the limit of %d", len(text), maxXML)
	}
	if !utf8.Valid(text) {
		return "", wrong("the XML is not UTF-8")
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	for depth, tokens := 0, 0; ; tokens++ {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", wrong("the XML cannot be read: %v", err)
		}
		if tokens > maxTokens {
			return "", wrong("the XML has more than %d tokens", maxTokens)
		}
		switch t := t.(type) {
		case xml.Directive:
			return "", wrong("the XML declares a document type, which a message never needs")
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return "", wrong("the XML nests more than %d deep", maxDepth)
			}
			switch {
			case depth > 1:
			case root != "":
				return "", wrong("the XML has two roots")
			case t.Name.Space != namespace:
				return "", wrong("the XML is of the namespace %q, not %q", clip(t.Name.Space), namespace)
			default:
				root = t.Name.Local
			}
		case xml.EndElement:
			depth--
		}
	}
	if root != "EDIINTCertificateExchangeRequest" && root != "EDIINTCertificateExchangeResponse" {
		return "", wrong("the XML is %q, neither a request nor a response", clip(root))
	}
	return root, nil
}

// document is the XML of both messages, as far as it is read.
type document struct {
	RequestID string `xml:"requestId,attr"`
	Info      struct {
		Name       string `xml:"Name"`
		Originated string `xml:"MessageOriginated"`
	} `xml:"TradingPartnerInfo"`
	Requests []struct {
		Usages      []string `xml:"CertUsage"`
		RespondBy   string   `xml:"RespondByDate"`
		ResponseURL string   `xml:"ResponseURL"`
		EndEntity   struct {
			Identifier identifier `xml:"CertificateIdentifier"`
			ContentID  string     `xml:"CertificateContentID"`
		} `xml:"EndEntity"`
	} `xml:"TrustRequest"`
	Responses []struct {
		Status    string     `xml:"CertStatus"`
		Reason    string     `xml:"ReasonForRejection"`
		Reference identifier `xml:"CertificateReference"`
	} `xml:"TrustResponse"`
}

// identifier names a certificate.
type identifier struct {
	Issuer string `xml:"X509IssuerName"`
	Serial string `xml:"X509SerialNumber"`
}

// serial reads a serial number, decimal as XML Signature has it.
func (i identifier) serial() (*big.Int, error) {
	text := strings.TrimSpace(i.Serial)
	if text == "" || len(text) > maxSerial {
		return nil, wrong("a serial number has %d digits", len(text))
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return nil, wrong("%q is no serial number", clip(text))
	}
	return n, nil
}

// moment reads an xs:dateTime; one without a zone is taken for UTC.
func moment(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, wrong("%q is no time", clip(text))
}

func (d *document) originated() time.Time {
	t, _ := moment(d.Info.Originated) // of no consequence
	return t
}

func (d *document) response() (*Response, error) {
	r := &Response{RequestID: strings.TrimSpace(d.RequestID), From: strings.TrimSpace(d.Info.Name), Originated: d.originated()}
	for i, x := range d.Responses {
		a := Answer{Reason: strings.TrimSpace(x.Reason), Issuer: strings.TrimSpace(x.Reference.Issuer)}
		switch strings.ToLower(strings.TrimSpace(x.Status)) {
		case "accepted":
			a.Accepted = true
		case "rejected":
		default:
			return nil, wrong("answer %d is %q, neither Accepted nor Rejected", i+1, clip(x.Status))
		}
		var err error
		if a.Serial, err = x.Reference.serial(); err != nil {
			return nil, err
		}
		r.Answers = append(r.Answers, a)
	}
	if len(r.Answers) == 0 {
		return nil, wrong("the response answers nothing")
	}
	return r, nil
}

func (d *document) request(parts []Part, text *Part) (*Request, error) {
	r := &Request{ID: strings.TrimSpace(d.RequestID), From: strings.TrimSpace(d.Info.Name), Originated: d.originated()}
	bags, err := readBags(parts, text)
	if err != nil {
		return nil, err
	}
	for i, x := range d.Requests {
		t := TrustRequest{ResponseURL: strings.TrimSpace(x.ResponseURL)}
		for _, u := range x.Usages {
			t.Usages = append(t.Usages, Usage(strings.TrimSpace(u)))
		}
		if len(t.Usages) == 0 {
			return nil, wrong("certificate %d has no usage", i+1)
		}
		if strings.TrimSpace(x.RespondBy) != "" {
			if t.RespondBy, err = moment(x.RespondBy); err != nil {
				return nil, err
			}
		}
		serial, err := x.EndEntity.Identifier.serial()
		if err != nil {
			return nil, err
		}
		if t.Certificate, t.Chain = pick(bags, x.EndEntity.ContentID, serial); t.Certificate == nil {
			return nil, wrong("no part holds certificate %d, with the serial number %s", i+1, serial)
		}
		r.Trust = append(r.Trust, t)
	}
	if len(r.Trust) == 0 {
		return nil, wrong("the request offers no certificate")
	}
	return r, nil
}

// bag is a part with certificates.
type bag struct {
	id   string
	list []*x509.Certificate
}

func readBags(parts []Part, text *Part) ([]bag, error) {
	var out []bag
	for i := range parts {
		if &parts[i] == text {
			continue
		}
		list, err := certs.ParseCertificates(parts[i].Body)
		if err != nil {
			return nil, wrong("part %d holds no certificates: %v", i+1, err)
		}
		out = append(out, bag{bare(parts[i].ContentID), list})
	}
	return out, nil
}

// pick finds a certificate by the part's Content-ID and its serial number, or
// by the serial number alone where the Content-ID leads nowhere.
func pick(bags []bag, contentID string, serial *big.Int) (*x509.Certificate, []*x509.Certificate) {
	for _, strict := range []bool{true, false} {
		for _, b := range bags {
			if strict && (b.id == "" || b.id != bare(contentID)) {
				continue
			}
			for i, c := range b.list {
				if c.SerialNumber.Cmp(serial) == 0 {
					chain := append([]*x509.Certificate(nil), b.list[:i]...)
					return c, append(chain, b.list[i+1:]...)
				}
			}
		}
	}
	return nil, nil
}

// bare is a Content-ID without brackets.
func bare(id string) string { return strings.Trim(strings.TrimSpace(id), "<>") }

// clip shortens foreign text for an error.
func clip(s string) string {
	if len(s) <= 60 {
		return s
	}
	return strings.ToValidUTF8(s[:60], "") + "..."
}
