package cms

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"
)

var (
	// ErrDecrypt is the one answer to everything that goes wrong after a
	// recipient was found: a content key that does not unwrap, wrong padding, a
	// wrong tag. Which of them it was is not told, so that nobody can use the
	// answer to decrypt something piece by piece. Broken syntax or an exceeded
	// limit in that part wraps ErrDecrypt together with *SyntaxError or
	// *LimitError: these anyone can see without a key.
	ErrDecrypt = errors.New("cms: decryption failed")

	// ErrNotSigned means that a SignedData carries no signature at all, as a
	// bag of certificates does.
	ErrNotSigned = errors.New("cms: the signed-data carries no signature")

	// ErrContentChanged means that the digest in the signature is not the
	// digest of the content.
	ErrContentChanged = errors.New("cms: the content does not have the digest that was signed")

	// ErrSignature means that the named certificate's key did not make the
	// signature, or that the signed attributes are not what RFC 5652 section
	// 5.3 asks.
	ErrSignature = errors.New("cms: the signature does not verify")

	// errClosed answers a second Close and a Write after Close.
	errClosed = errors.New("cms: already closed")
)

// SyntaxError tells that bytes are not the BER or the structure they should be.
type SyntaxError struct {
	Offset  int64  // octets from the start of the ContentInfo
	Element string // what was being read: "EnvelopedData.recipientInfos"
	Problem string // what is wrong with it

	cause error
}

// Error implements error.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("cms: %s at byte %d: %s", e.Element, e.Offset, e.Problem)
}

// Unwrap returns io.ErrUnexpectedEOF when the data ended too early, and what the
// inflater said for a broken compressed stream.
func (e *SyntaxError) Unwrap() error { return e.cause }

// LimitError tells which of the Limits the input would exceed.
type LimitError struct {
	Limit  string // "depth", "header", "content", "ratio"
	Max    int64  // the limit in its own unit: levels, octets, octets, times
	Offset int64  // octets from the start of the ContentInfo
}

// Error implements error.
func (e *LimitError) Error() string {
	return fmt.Sprintf("cms: %s limit of %d exceeded at byte %d", e.Limit, e.Max, e.Offset)
}

// UnsupportedError names an algorithm or a content type this package does not
// know or does not expect in that place.
type UnsupportedError struct {
	What string // "digest", "cipher", "key transport", "signature", "content type" ...
	Name string // the name or the object identifier as found
}

// Error implements error.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("cms: unsupported %s %q", e.What, e.Name)
}

// NotRecipientError means that none of the keys given to Decrypt belongs to any
// of the message's recipients.
type NotRecipientError struct {
	Recipients []Identifier // whom the message was encrypted to
}

// Error implements error.
func (e *NotRecipientError) Error() string {
	return "cms: encrypted to none of our certificates but to " + joinIdentifiers(e.Recipients)
}

// UnknownSignerError means that none of the certificates given to Verify is
// named by any of the message's signers.
type UnknownSignerError struct {
	Signers []Identifier // who the message says signed it
}

// Error implements error.
func (e *UnknownSignerError) Error() string {
	return "cms: signed by none of the trusted certificates but by " + joinIdentifiers(e.Signers)
}

// ValidityError means that the signature is right but its certificate is not
// valid at the time asked about.
type ValidityError struct {
	Certificate *x509.Certificate
	At          time.Time
}

// Error implements error.
func (e *ValidityError) Error() string {
	return fmt.Sprintf("cms: the signer's certificate %s is valid from %s to %s, not at %s",
		e.Certificate.Subject, e.Certificate.NotBefore.UTC().Format(time.RFC3339),
		e.Certificate.NotAfter.UTC().Format(time.RFC3339), e.At.UTC().Format(time.RFC3339))
}

// MissingDigestError means that Verify was not given the content's digest under
// the algorithm the signer used. SignedData.Digests tells what it needs.
type MissingDigestError struct {
	Digest Digest
}

// Error implements error.
func (e *MissingDigestError) Error() string {
	return fmt.Sprintf("cms: the content's digest under %s is needed and was not given", e.Digest)
}

func joinIdentifiers(ids []Identifier) string {
	if len(ids) == 0 {
		return "nobody"
	}
	names := make([]string, 0, len(ids))
	for i, id := range ids {
		if i == 4 {
			names = append(names, fmt.Sprintf("%d more", len(ids)-i))
			break
		}
		names = append(names, id.String())
	}
	return strings.Join(names, "; ")
}
