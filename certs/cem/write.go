package cem

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"tradepost/certs"
)

// Entity is a message as the content of a transmission.
type Entity struct {
	ContentType string // with its boundary
	Body        []byte
}

// NewID makes a name for an exchange, or the local part of a Content-ID. random
// nil is crypto/rand.
func NewID(random io.Reader) (string, error) {
	if random == nil {
		random = rand.Reader
	}
	b := make([]byte, 16)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("cem: %w", err)
	}
	return hex.EncodeToString(b), nil
}

// Encode writes a request. random feeds boundary and Content-IDs; nil is
// crypto/rand.
func (r *Request) Encode(random io.Reader) (*Entity, error) {
	switch {
	case r.ID == "" || r.From == "":
		return nil, errors.New("cem: a request needs an ID and the AS2 identifier it is from")
	case len(r.Trust) == 0:
		return nil, errors.New("cem: a request needs at least one certificate")
	}
	w, err := newWriter(random)
	if err != nil {
		return nil, err
	}
	w.open("EDIINTCertificateExchangeRequest", r.ID)
	w.info(r.From, r.Originated)
	var bags [][]byte
	for i, t := range r.Trust {
		if t.Certificate == nil || len(t.Usages) == 0 || t.ResponseURL == "" {
			return nil, fmt.Errorf("cem: certificate %d of the request needs a usage and a response URL", i+1)
		}
		bag, err := certs.EncodeBag(append([]*x509.Certificate{t.Certificate}, t.Chain...))
		if err != nil {
			return nil, err
		}
		bags = append(bags, bag)
		w.line(1, "<TrustRequest>")
		for _, u := range t.Usages {
			w.element(2, "CertUsage", string(u))
		}
		if !t.RespondBy.IsZero() {
			w.element(2, "RespondByDate", stamp(t.RespondBy))
		}
		w.element(2, "ResponseURL", t.ResponseURL)
		w.line(2, "<EndEntity>")
		w.line(3, "<CertificateIdentifier>")
		w.element(4, "ds:X509IssuerName", t.Certificate.Issuer.String())
		w.element(4, "ds:X509SerialNumber", t.Certificate.SerialNumber.String())
		w.line(3, "</CertificateIdentifier>")
		w.element(3, "CertificateContentID", w.contentID(i+1))
		w.line(2, "</EndEntity>")
		w.line(1, "</TrustRequest>")
	}
	w.line(0, "</EDIINTCertificateExchangeRequest>")
	return w.entity(bags), nil
}

// Encode writes a response.
func (r *Response) Encode(random io.Reader) (*Entity, error) {
	switch {
	case r.RequestID == "" || r.From == "":
		return nil, errors.New("cem: a response needs the ID of the request and the AS2 identifier it is from")
	case len(r.Answers) == 0:
		return nil, errors.New("cem: a response needs at least one answer")
	}
	w, err := newWriter(random)
	if err != nil {
		return nil, err
	}
	w.open("EDIINTCertificateExchangeResponse", r.RequestID)
	w.info(r.From, r.Originated)
	for _, a := range r.Answers {
		if a.Serial == nil {
			return nil, errors.New("cem: an answer names no serial number")
		}
		status := "Accepted"
		if !a.Accepted {
			status = "Rejected"
		}
		w.line(1, "<TrustResponse>")
		w.element(2, "CertStatus", status)
		if !a.Accepted && a.Reason != "" {
			w.element(2, "ReasonForRejection", a.Reason)
		}
		w.line(2, "<CertificateReference>")
		w.element(3, "ds:X509IssuerName", a.Issuer)
		w.element(3, "ds:X509SerialNumber", a.Serial.String())
		w.line(2, "</CertificateReference>")
		w.line(1, "</TrustResponse>")
	}
	w.line(0, "</EDIINTCertificateExchangeResponse>")
	return w.entity(nil), nil
}

// writer puts a message together.
type writer struct {
	xml bytes.Buffer
	id  string // of this message: boundary and Content-IDs are made of it
}

func newWriter(random io.Reader) (*writer, error) {
	id, err := NewID(random)
	return &writer{id: id}, err
}

func (w *writer) contentID(n int) string { return fmt.Sprintf("%s.%d@cem", w.id, n) }

func (w *writer) line(depth int, text string) {
	w.xml.WriteString(strings.Repeat("  ", depth) + text + "\r\n")
}

// element writes an element with a text.
func (w *writer) element(depth int, name, text string) {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a Buffer takes everything
	w.line(depth, "<"+name+">"+b.String()+"</"+strings.Fields(name)[0]+">")
}

func (w *writer) open(name, id string) {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(id)) // as above
	w.line(0, `<?xml version="1.0" encoding="UTF-8"?>`)
	w.line(0, "<"+name+` xmlns="`+namespace+`" xmlns:ds="`+signature+`" requestId="`+b.String()+`">`)
}

func (w *writer) info(from string, at time.Time) {
	w.line(1, "<TradingPartnerInfo>")
	w.element(2, `Name qualifier="AS2"`, from)
	w.element(2, "MessageOriginated", stamp(at))
	w.line(1, "</TradingPartnerInfo>")
}

// stamp writes an xs:dateTime.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// entity wraps XML and bags.
func (w *writer) entity(bags [][]byte) *Entity {
	boundary := "cem_" + w.id
	var b bytes.Buffer
	part := func(header, id string) {
		b.WriteString("--" + boundary + "\r\n" + header + "\r\nContent-ID: <" + id + ">\r\n")
	}
	part("Content-Type: "+MediaType, w.contentID(0))
	b.WriteString("\r\n")
	b.Write(w.xml.Bytes())
	b.WriteString("\r\n")
	for i, bag := range bags {
		part("Content-Type: application/pkcs7-mime; smime-type=certs-only", w.contentID(i+1))
		b.WriteString("Content-Transfer-Encoding: base64\r\n\r\n")
		for text := base64.StdEncoding.EncodeToString(bag); text != ""; {
			n := min(76, len(text))
			b.WriteString(text[:n] + "\r\n")
			text = text[n:]
		}
	}
	b.WriteString("--" + boundary + "--\r\n")
	return &Entity{
		ContentType: `multipart/related; type="` + MediaType + `"; boundary="` + boundary + `"`,
		Body:        b.Bytes(),
	}
}
