package cms

import (
	"crypto/x509"
	"errors"
	"io"
	"time"
)

// Scheme names how a signature is made or how a content key travels.
type Scheme string

// The schemes of this package, as recorded in Verified and Decrypted.
const (
	RSAPKCS1 Scheme = "rsa-pkcs1-v1.5"
	RSAPSS   Scheme = "rsa-pss"
	RSAOAEP  Scheme = "rsa-oaep"
	ECDSA    Scheme = "ecdsa"
	Ed25519  Scheme = "ed25519"
	ECDH     Scheme = "ecdh"
)

// SignedData is a parsed SignedData without its content (RFC 5652 section 5.1).
type SignedData struct{}

// Verified tells what Verify established.
type Verified struct {
	// Certificate is the one of the trusted certificates that signed.
	Certificate *x509.Certificate
	// Digest is what the content was hashed with.
	Digest Digest
	// Scheme is how the signature was made.
	Scheme Scheme
	// SigningTime is what the signer claims, zero when it claims nothing.
	SigningTime time.Time
	// SignedAttributes tells whether the signature covers attributes, as nearly
	// all do. Without them the signature is over the content itself.
	SignedAttributes bool
	// Signer is the position of the signature in the message, from 0.
	Signer int
}

// ParseSignedData reads a whole SignedData ContentInfo, as found in an
// application/pkcs7-signature part. Content that is embedded is hashed under
// every digest the message announces, counted against limits.Content and
// dropped; OpenSignedData hands it out instead. Errors are *SyntaxError,
// *LimitError, *UnsupportedError, or what r returned.
func ParseSignedData(r io.Reader, limits Limits) (*SignedData, error) {
	return nil, errors.New("cms: pending")
}

// ContentType is the type of what was signed, OIDData as a rule.
func (s *SignedData) ContentType() OID { return "" }

// Detached tells that the content is not inside.
func (s *SignedData) Detached() bool { return false }

// Digests lists the digests the signers used, each once, in the order of the
// signatures. Verify wants the content under at least the trusted signer's one.
func (s *SignedData) Digests() []Digest { return nil }

// Signers lists who the message says signed it, in the order of the signatures.
func (s *SignedData) Signers() []Identifier { return nil }

// Certificates returns the certificates embedded in the message that can be
// parsed. They prove nothing: they are for display, for certificate exchange
// and for comparison with what is configured.
func (s *SignedData) Certificates() []*x509.Certificate { return nil }

// Trailing is the number of octets found behind the end of the structure, such
// as a line end or the garbage some products add. It says 65536 when there was
// that much or more.
func (s *SignedData) Trailing() int { return 0 }

// Verify checks that one of the trusted certificates made one of the signatures
// over the content with the given digests, and that the signed attributes agree
// (RFC 5652 section 5.4 to 5.6). Embedded certificates do not count and chains
// are not built: trusted are the very certificates of the partner. For embedded
// content contentDigests may be nil; digests given win over those computed on
// the way.
//
// When at is not zero, the certificate must be valid then. Errors, the more
// telling first when there are several signatures: ErrContentChanged,
// ErrSignature, *ValidityError, *MissingDigestError, *UnsupportedError,
// *UnknownSignerError, ErrNotSigned.
func (s *SignedData) Verify(contentDigests map[Digest][]byte, trusted []*x509.Certificate, at time.Time) (*Verified, error) {
	return nil, errors.New("cms: pending")
}

// SignedReader streams the content embedded in a SignedData and hashes it on
// the way.
type SignedReader struct{}

// OpenSignedData reads the beginning of a SignedData ContentInfo up to its
// content. Read the content to io.EOF, then ask SignedData for the signatures.
// A detached SignedData gives an empty content.
func OpenSignedData(r io.Reader, limits Limits) (*SignedReader, error) {
	return nil, errors.New("cms: pending")
}

// Read implements io.Reader. What it hands out is not yet verified: keep it
// until io.EOF and until SignedData's Verify succeeded.
func (s *SignedReader) Read(p []byte) (int, error) { return 0, io.EOF }

// SignedData returns the signatures. It fails until Read has returned io.EOF.
func (s *SignedReader) SignedData() (*SignedData, error) { return nil, errors.New("cms: pending") }
