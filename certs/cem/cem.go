// Package cem writes and reads the messages by which AS2 partners exchange
// certificates (EDIINT Certificate Exchange Messaging, CEM,
// draft-meadors-certificate-exchange-14): a request offers certificates with
// what they are for and until when an answer is wanted, a response accepts or
// refuses each of them.
//
// A message is a multipart/related (RFC 2387) of type
// application/ediint-cert-exchange+xml: the XML first, then, in a request, a
// certs-only bag (RFC 8551 section 3.8) for each certificate, which the XML
// names by its Content-ID. It travels as the content of an AS2 transmission,
// and it is that transmission's signature, by a certificate known already, that
// vouches for it: nothing in here is trusted by itself.
//
// What is read is bounded: a megabyte, few parts, XML without a document type,
// shallow and short. The package holds no state.
package cem

import (
	"crypto/x509"
	"fmt"
	"math/big"
	"mime"
	"strings"
	"time"
)

// MediaType is the media type of the XML, and of the whole by its type parameter.
const MediaType = "application/ediint-cert-exchange+xml"

// namespace is that of every element of ours; identifiers are XML Signature's.
const (
	namespace = "urn:ietf:params:xml:ns:ediintcertificateexchange"
	signature = "http://www.w3.org/2000/09/xmldsig#"
)

// Usage says what a certificate is offered for.
type Usage string

// The usages of the draft.
const (
	DigitalSignature Usage = "digitalSignature" // the requester will sign with it
	KeyEncipherment  Usage = "keyEncipherment"  // encrypt to it
	TLSServer        Usage = "tlsServer"        // the requester's server shows it
	TLSClient        Usage = "tlsClient"        // the requester's client shows it
)

// Request offers certificates to a partner.
type Request struct {
	// ID names the exchange; the response repeats it.
	ID string
	// From is the AS2 identifier of the requester.
	From       string
	Originated time.Time
	Trust      []TrustRequest
}

// TrustRequest asks for one certificate to be trusted.
type TrustRequest struct {
	Usages []Usage
	// RespondBy is until when an answer is wanted, and when the requester may
	// begin to use the certificate; zero when it says nothing.
	RespondBy time.Time
	// ResponseURL is where the requester wants the response. It is foreign
	// input: post to the partner's configured address instead.
	ResponseURL string
	Certificate *x509.Certificate
	// Chain are the further certificates that came along.
	Chain []*x509.Certificate
}

// Response answers a request.
type Response struct {
	RequestID  string
	From       string // AS2 identifier of the responder
	Originated time.Time
	Answers    []Answer
}

// Answer accepts or refuses one certificate, which it names by issuer and
// serial number.
type Answer struct {
	Accepted bool
	Reason   string // why it was refused
	Issuer   string // as a text, in whatever order and writing
	Serial   *big.Int
}

// About makes the answer for a certificate.
func About(c *x509.Certificate, accepted bool, reason string) Answer {
	return Answer{Accepted: accepted, Reason: reason, Issuer: c.Issuer.String(), Serial: c.SerialNumber}
}

// Concerns tells whether an answer is about a certificate: by the serial
// number, since the writing of a name differs from product to product.
func (a Answer) Concerns(c *x509.Certificate) bool {
	return a.Serial != nil && c.SerialNumber != nil && a.Serial.Cmp(c.SerialNumber) == 0
}

// Message is what was read: one of the two.
type Message struct {
	Request  *Request
	Response *Response
}

// Is tells whether a content type is that of a message: of the whole, or of its
// XML alone.
func Is(contentType string) bool {
	t, params, err := mime.ParseMediaType(contentType)
	if err != nil && t == "" {
		return false
	}
	return t == MediaType || t == "multipart/related" && strings.EqualFold(params["type"], MediaType)
}

// SyntaxError tells what is wrong with a message that cannot be read.
type SyntaxError struct{ Problem string }

// Error names the problem.
func (e *SyntaxError) Error() string { return "cem: " + e.Problem }

func wrong(format string, args ...any) error { return &SyntaxError{fmt.Sprintf(format, args...)} }
