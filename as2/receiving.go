package as2

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// peekSize is how much of a body is looked at to tell a receipt from a
// document.
const peekSize = 16 << 10

// requestBody is the HTTP body: bounded, cancellable, and with its own errors
// kept apart from those of the content.
type requestBody struct {
	stop func() error // tells why to stop, nil to go on
	r    io.Reader
	left int64
	err  error // a failure of the transfer itself
}

// Read implements io.Reader.
func (b *requestBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if err := b.stop(); err != nil {
		b.err = err
		return 0, err
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		b.err = &MalformedError{Status: http.StatusRequestEntityTooLarge, Err: errors.New("the body is larger than the limit")}
		return 0, b.err
	}
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// receive is Receive.
func receive(ctx context.Context, header http.Header, body io.Reader, o ReceiveOptions) (*Received, error) {
	if o.Lookup == nil {
		return nil, errors.New("as2: ReceiveOptions.Lookup is not set")
	}
	o.Limits = o.Limits.withDefaults()
	r, err := newReceived(header)
	src := &requestBody{stop: ctx.Err, r: body, left: o.Limits.Body}
	if err != nil {
		_, _ = io.Copy(io.Discard, src) // keep the connection usable; the verdict stands
		return nil, err
	}
	size := firstBuffer
	if parseMediaType(header.Get("Content-Type")).full == "multipart/signed" {
		size = peekSize // to see whether a receipt is inside
	}
	br := bufio.NewReaderSize(src, size)
	if looksLikeReceipt(header, br, o.Limits) { // it needs no Message-ID, since nothing answers it
		r.Returned, err = parseReceipt(header, br, o.Limits)
		_, _ = io.Copy(io.Discard, br)
		if src.err != nil {
			return nil, src.err
		}
		if err != nil {
			return nil, err
		}
		return r, nil
	}
	if err = r.requireMessageID(); err == nil {
		err = r.open(ctx, br, o)
	}
	if _, cerr := io.Copy(io.Discard, br); src.err == nil && cerr != nil {
		src.err = cerr
	}
	if src.err != nil {
		_ = r.Close()
		return nil, src.err
	}
	var local *SpoolError
	var malformed *MalformedError
	if errors.As(err, &local) || errors.As(err, &malformed) || ctx.Err() != nil {
		_ = r.Close()
		return nil, err
	}
	var lookup *lookupError
	if errors.As(err, &lookup) {
		_ = r.Close()
		return nil, lookup.err
	}
	r.conclude(err)
	return r, nil
}

// lookupError is what a Lookup returned that is not ErrUnknownRelation.
type lookupError struct{ err error }

func (e *lookupError) Error() string {
	return "as2: look-up of the trading relationship: " + e.err.Error()
}
func (e *lookupError) Unwrap() error { return e.err }

// newReceived reads the HTTP headers.
func newReceived(header http.Header) (*Received, error) {
	r := &Received{
		From:      ParseID(header.Get("AS2-From")),
		To:        ParseID(header.Get("AS2-To")),
		MessageID: header.Get("Message-ID"),
		Subject:   header.Get("Subject"),
		Version:   strings.TrimSpace(header.Get("AS2-Version")),
		Header:    header,
		Request:   parseReceiptRequest(header),
	}
	for _, f := range strings.Split(strings.Join(header.Values("EDIINT-Features"), ","), ",") {
		if f = strings.TrimSpace(f); f != "" {
			r.Features = append(r.Features, f)
		}
	}
	switch {
	case r.From == "":
		return nil, missingHeader("AS2-From")
	case r.To == "":
		return nil, missingHeader("AS2-To")
	}
	if r.Version == "" {
		r.Version = "1.0"
	}
	if !strings.HasPrefix(r.Version, "1.") {
		r.Warnings = append(r.Warnings, fmt.Sprintf("AS2-Version %q is not 1.x", clip(r.Version)))
	}
	return r, nil
}

// missingHeader refuses a request without a header that the receipt needs.
func missingHeader(name string) error {
	return &MalformedError{Status: http.StatusBadRequest, Err: fmt.Errorf("there is no %s header, so no receipt can answer", name)}
}

// requireMessageID refuses a document without a Message-ID: neither could a
// receipt name it, nor a duplicate be told from it.
func (r *Received) requireMessageID() error {
	if strings.TrimSpace(r.MessageID) == "" {
		return missingHeader("Message-ID")
	}
	return nil
}

// open finds the relation and takes the layers off the body.
func (r *Received) open(ctx context.Context, body io.Reader, o ReceiveOptions) error {
	rel, err := o.Lookup(r.From, r.To)
	switch {
	case errors.Is(err, ErrUnknownRelation) || err == nil && rel == nil:
		return refuse(UnknownTradingRelationship, fmt.Errorf("no relation of %q (AS2-From) with %q (AS2-To)", clip(r.From), clip(r.To)))
	case err != nil:
		return &lookupError{err}
	}
	r.Relation = rel
	if len(r.MessageID) > maxMessageID {
		return refuse(InvalidMessageID, fmt.Errorf("Message-ID has %d characters, at most %d are allowed", len(r.MessageID), maxMessageID))
	}
	if len(r.Request.UnknownDigests) > 0 && len(r.Request.Digests) == 0 && r.Request.RequiredDigests {
		return &DispositionError{
			Disposition: Disposition{Type: "failed", Severity: SeverityFailure, Modifier: UnsupportedMICAlgorithms},
			Err:         fmt.Errorf("none of the required MIC algorithms %q is known", r.Request.UnknownDigests),
		}
	}
	if r.Request.UnknownProtocols && r.Request.Required {
		return &DispositionError{
			Disposition: Disposition{Type: "failed", Severity: SeverityFailure, Modifier: UnsupportedFormat},
			Err:         errors.New("the required receipt protocol is not pkcs7-signature"),
		}
	}
	p := &peeler{stop: ctx.Err, o: o, rel: rel, r: r}
	err = p.peel(entity{header: r.Header, body: body})
	var refused *DispositionError
	var syntax *mimeError
	switch {
	case errors.As(err, &refused):
		return err
	case errors.As(err, &syntax):
		return refuse(UnexpectedProcessingError, err)
	case err != nil:
		return err
	}
	if p.doubtful {
		return refuse(DecryptionFailed, errors.New("what was decrypted is not signed, as agreed, and begins like no MIME entity"))
	}
	if rel.Policy.RequireEncrypted && !r.Encrypted {
		return refuse(InsufficientMessageSecurity, errors.New("the content is not encrypted, as agreed"))
	}
	if rel.Policy.RequireSigned && !r.Signed {
		return refuse(InsufficientMessageSecurity, errors.New("the content is not signed, as agreed"))
	}
	return p.late
}

// conclude sets disposition and failure from what open found.
func (r *Received) conclude(err error) {
	if err == nil {
		r.Disposition = Processed()
		return
	}
	var refused *DispositionError
	if !errors.As(err, &refused) {
		refused = &DispositionError{
			Disposition: Disposition{Type: "processed", Severity: SeverityError, Modifier: UnexpectedProcessingError},
			Err:         err,
		}
	}
	r.Disposition, r.Failure = refused.Disposition, refused
	r.Payloads = nil
	_ = r.Close()
}

// looksLikeReceipt tells whether the body is a receipt: multipart/report (or
// what belongs into one, bare), or multipart/signed around one. It only peeks.
func looksLikeReceipt(header http.Header, br *bufio.Reader, l Limits) bool {
	t := parseMediaType(header.Get("Content-Type"))
	switch t.full {
	case "multipart/report", "message/disposition-notification":
		return true
	case "multipart/signed":
	default:
		return false
	}
	peek, _ := br.Peek(peekSize) // a short body is not an error here
	m := multipartOf(peek, t.params["boundary"], 1)
	if t.params["boundary"] == "" || m.next() != nil {
		return false
	}
	part, err := m.part()
	if err != nil {
		return false
	}
	h, err := readHeader(bufferOf(part), l.Headers)
	return err == nil && parseMediaType(h.fields.Get("Content-Type")).full == "multipart/report"
}

// ReceiptDigest is the digest of the MIC that the receipt carries: the
// signature's own for signed content unless Relation.ReceiptMIC says otherwise,
// else the first known one asked for, else the signature's again, else SHA-256,
// or SHA-1 for a peer before 1.3 that asked for nothing.
func (r *Received) ReceiptDigest() Digest {
	signature := r.Signed && r.Digest.Valid()
	if signature && (r.Relation == nil || r.Relation.ReceiptMIC != MICFirstListed) {
		return r.Digest
	}
	for _, d := range r.Request.Digests {
		if _, ok := r.MICs[d]; ok {
			return d
		}
	}
	if signature {
		return r.Digest
	}
	if _, ok := r.MICs[SHA1]; ok && (r.Version == "1.0" || r.Version == "1.1" || r.Version == "1.2") {
		return SHA1
	}
	return SHA256
}
