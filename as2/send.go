package as2

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// Options is how one transmission is made.
type Options struct {
	// MessageID with brackets, at most 255 characters, no spaces; required.
	// NewMessageID makes one.
	MessageID string
	// Now is the Date header; required.
	Now time.Time
	// Rand is used for content keys, boundaries and signatures; nil is
	// crypto/rand.
	Rand io.Reader
	// Subject is optional.
	Subject string
	// Sign is the signature digest; empty leaves the content unsigned.
	Sign Digest
	// PSS signs with RSASSA-PSS instead of PKCS #1 v1.5.
	PSS bool
	// Encrypt is the content cipher; empty leaves it in the clear.
	Encrypt Cipher
	// OAEP transports the content key with RSAES-OAEP (SHA-256) instead of
	// PKCS #1 v1.5.
	OAEP bool
	// EncryptToSelf also encrypts the content key to the station's own first
	// certificate, so that the sent bytes stay readable (draft rfc4130bis).
	EncryptToSelf bool
	// Compress places zlib compression before or after signing.
	Compress Compression
	// Receipt is what is asked of the partner.
	Receipt ReceiptRequest
	// Attachments are further documents, sent as multipart/related (RFC 6362).
	Attachments []Payload
	// DER writes what is encrypted or compressed with definite lengths, for
	// partners that cannot read the BER of a stream. Each such layer is then
	// kept in the spool once more.
	DER bool
	// Product is written as AS2-Product and User-Agent; empty is "tradepost".
	Product string
	// Features are EDIINT-Features (RFC 6017) of the program around this
	// package, such as "AS2-Reliability", beside those the package has itself.
	Features []string
	// Spool keeps the finished body above its threshold until Outgoing.Close.
	Spool Spool
	// Deflaters keeps compressors between transmissions; nil makes a new one
	// each time.
	Deflaters *Deflaters
}

// Outgoing is a finished transmission: headers, body and integrity checks are
// fixed, so that retries send the same bytes. Store Header, the body and Sent
// before the first attempt.
type Outgoing struct {
	Sent
	// Header holds every HTTP header except Content-Length and Host.
	Header http.Header
	// Size is the length of the body in bytes.
	Size int64
	// Open returns the body from its beginning; it may be called again.
	Open func() (io.ReadCloser, error)

	spooled []io.Closer
}

// Build makes a transmission from a payload: it compresses, signs and encrypts
// as o asks and computes the MIC under every digest. The payload is read once
// and its bytes are not changed.
func Build(ctx context.Context, rel Relation, p Payload, o Options) (*Outgoing, error) {
	return build(ctx, rel, p, o)
}

// NewMessageID makes a Message-ID of the form <time-random@host>; host is
// stripped of what a Message-ID may not contain.
func NewMessageID(now time.Time, rand io.Reader, host string) (string, error) {
	return newMessageID(now, rand, host)
}

// Close frees the spooled body.
func (o *Outgoing) Close() error {
	var errs []error
	for _, c := range o.spooled {
		errs = append(errs, c.Close())
	}
	o.spooled = nil
	return errors.Join(errs...)
}
