package as2

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
)

// ErrUnknownRelation is returned by a Lookup that knows no such pair of AS2
// identifiers; the sender then gets unknown-trading-relationship.
var ErrUnknownRelation = errors.New("as2: no such trading relationship")

// MalformedError is a request that no receipt can answer; answer it with HTTP
// Status.
type MalformedError struct {
	Status int // 400, 413 ...
	Err    error
}

// Error describes what was wrong with the request.
func (e *MalformedError) Error() string { return "as2: malformed request: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *MalformedError) Unwrap() error { return e.Err }

// ReceiveOptions tells Receive whom it may hear and where to keep what it reads.
type ReceiveOptions struct {
	// Lookup finds the relation of a sender (AS2-From, from) and a receiver
	// (AS2-To, to), both unquoted. ErrUnknownRelation (wrapped or not) gives a
	// negative receipt; any other error ends Receive, so that the listener can
	// answer 503 and the partner tries again. Required.
	Lookup func(from, to string) (*Relation, error)
	// Spool holds content above its threshold; the zero value uses the
	// system's folder for temporary files above 1 MiB.
	Spool Spool
	// Limits bounds the cost of hostile input.
	Limits Limits
	// Rand feeds the implicit rejection of wrong content keys; nil is
	// crypto/rand.
	Rand io.Reader
}

// rand is Rand or its default.
func (o ReceiveOptions) rand() io.Reader {
	if o.Rand != nil {
		return o.Rand
	}
	return rand.Reader
}

// Received is one transmission as it arrived: accepted or refused, and able to
// make its own receipt. Close it when the payloads are no longer needed.
type Received struct {
	// From and To are AS2-From and AS2-To without quotes.
	From, To string
	// MessageID is Message-ID exactly as received.
	MessageID string
	Subject   string
	// Version is AS2-Version, "1.0" when absent (RFC 4130 section 6.2).
	Version string
	// Features are the EDIINT-Features of the peer (RFC 6017).
	Features []string
	// Header holds the HTTP headers as received.
	Header http.Header

	Signed, Encrypted, Compressed bool
	// Digest is the signature's digest; Cipher the content cipher.
	Digest Digest
	Cipher Cipher
	// Signer is the configured partner certificate that made the signature.
	// It is nil unless the signature was verified.
	Signer *x509.Certificate
	// Recipient is the certificate of ours that the content was encrypted to. It
	// is nil unless the content was decrypted and could be used.
	Recipient *x509.Certificate
	// MICs is the message integrity check under several digests.
	MICs MICs
	// Payloads are the documents, one unless the partner sent several
	// attachments (RFC 6362). Empty when the transmission is refused.
	Payloads []Payload
	// Disposition is what the receipt will say.
	Disposition Disposition
	// Failure is nil when Disposition is positive, else a *DispositionError.
	Failure error
	// Warnings are deviations that were tolerated, in words.
	Warnings []string
	// Request is the receipt the sender asks for.
	Request ReceiptRequest
	// Returned is set when the transmission is no document but a receipt for
	// something we sent (an asynchronous MDN). It is parsed, not yet checked:
	// call Returned.Check with the facts of what was sent. No receipt answers
	// a receipt.
	Returned *Receipt
	// Relation is what Lookup returned; nil for an unknown partner.
	Relation *Relation

	spooled []io.Closer
}

// Receive reads one AS2 transmission: it decrypts, decompresses and verifies in
// whatever order the layers come, computes the MIC and opens the payload only
// when every signature and tag was verified.
//
// body is always read to its end (within Limits.Body), so a caller that keeps
// the raw bytes can hand in an io.TeeReader. The error is nil also for a
// refused transmission: look at Received.Failure. An error is a
// *MalformedError when no receipt can answer, an error of body, spool or Lookup
// otherwise; the latter should be answered with HTTP 503.
func Receive(ctx context.Context, header http.Header, body io.Reader, o ReceiveOptions) (*Received, error) {
	return receive(ctx, header, body, o)
}

// Fail turns an accepted transmission into a refused one before its receipt is
// made: the caller found a reason of its own, such as DuplicateFilename or
// UnexpectedProcessingError.
func (r *Received) Fail(m Modifier, cause error) {
	r.Disposition = Disposition{Type: "processed", Severity: SeverityError, Modifier: m}
	r.Failure = &DispositionError{Disposition: r.Disposition, Err: cause}
}

// Close frees spooled content. Payloads cannot be opened afterwards.
func (r *Received) Close() error {
	var errs []error
	for _, c := range r.spooled {
		errs = append(errs, c.Close())
	}
	r.spooled = nil
	return errors.Join(errs...)
}
