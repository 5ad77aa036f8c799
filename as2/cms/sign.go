package cms

import (
	"crypto"
	"crypto/x509"
	"errors"
	"io"
	"time"
)

// Signer says who signs and how (RFC 5652 section 5.3).
type Signer struct {
	// Certificate names the signer. It is written into the message only when it
	// is also listed in IncludeCertificates.
	Certificate *x509.Certificate
	// Key is the private key of Certificate: RSA, ECDSA or Ed25519, in memory or
	// in a device.
	Key crypto.Signer
	// Digest is what the content is hashed with; SHA256 when empty. Ed25519
	// takes SHA512 whatever is asked (RFC 8419).
	Digest Digest
	// PSS asks for RSASSA-PSS instead of RSASSA-PKCS1-v1_5; RSA keys only.
	PSS bool
	// KeyIdentifier names the signer by subject key identifier instead of by
	// issuer and serial number.
	KeyIdentifier bool
	// IncludeCertificates are put into the message for the other side's
	// convenience; none is fine.
	IncludeCertificates []*x509.Certificate
	// SigningTime goes into the signed attributes; left out when zero.
	SigningTime time.Time
}

// EffectiveDigest is the digest SignDetached expects: Digest, or the one the key
// or the default makes of it.
func (s Signer) EffectiveDigest() Digest { return s.Digest }

// SignDetached returns the DER of a ContentInfo with a detached SignedData: the
// application/pkcs7-signature of a multipart/signed. digest is the content's
// under s.EffectiveDigest; contentType is OIDData unless the content is itself a
// CMS structure. random is used by PSS and ECDSA and may not be nil.
func SignDetached(random io.Reader, s Signer, digest []byte, contentType OID) ([]byte, error) {
	return nil, errors.New("cms: pending")
}

// Sign starts an enveloping SignedData on w and returns where to write the
// content. Close makes the signature and ends the structure; it does not close
// w. The form is BER with indefinite lengths, the content in octet strings of
// 64 KiB.
func Sign(random io.Reader, w io.Writer, s Signer, contentType OID) (io.WriteCloser, error) {
	return nil, errors.New("cms: pending")
}

// EncodeCertificates returns the DER of a SignedData that carries certificates
// and nothing else (RFC 5652 section 5.1, .p7c and .p7b files, certs-only).
func EncodeCertificates(certificates []*x509.Certificate) ([]byte, error) {
	return nil, errors.New("cms: pending")
}
