package cms

import (
	"crypto/x509"
	"errors"
	"io"
)

// Recipient says to whom a content key is encrypted and how. An RSA certificate
// gets key transport (RFC 5652 section 6.2.1), an elliptic curve certificate
// (P-256, P-384, P-521) gets key agreement with a fresh key (RFC 5753).
type Recipient struct {
	Certificate *x509.Certificate
	// OAEP asks for RSAES-OAEP with these parameters instead of
	// RSAES-PKCS1-v1_5; RSA keys only.
	OAEP *OAEP
	// KeyIdentifier names the certificate by subject key identifier instead of
	// by issuer and serial number.
	KeyIdentifier bool
}

// OAEP holds the parameters of RSAES-OAEP (RFC 8017 section 7.1). The zero
// value means SHA-256 throughout and no label.
type OAEP struct {
	Digest Digest // hash of the label; SHA256 when empty
	MGF    Digest // hash of the mask generation function; Digest when empty
	Label  []byte
}

// EncryptOptions says how a content is encrypted.
type EncryptOptions struct {
	// Cipher is the content encryption algorithm; AES256CBC when empty. An
	// Authenticated cipher makes an AuthEnvelopedData, any other an
	// EnvelopedData. TripleDES needs AllowTripleDES as well.
	Cipher Cipher
	// AllowTripleDES is the explicit word that 3DES may be written: it is for
	// partners that read nothing else.
	AllowTripleDES bool
	// ContentType is the type of what is inside; OIDData when empty.
	ContentType OID
	// Definite writes DER with definite lengths. Size must then be the exact
	// number of octets that will be written; Close fails when it is not.
	// Without it the form is BER with indefinite lengths and octet strings of
	// 64 KiB, and Size is not looked at.
	Definite bool
	Size     int64
}

// Encrypter is where the plaintext goes. Nothing but Close tells whether the
// structure is whole.
type Encrypter struct{}

// Encrypt writes the beginning of an EnvelopedData or AuthEnvelopedData
// ContentInfo for the recipients to w and returns where to write the content.
// Close ends the structure and does not close w. random gives the content key,
// the initialisation vector and the padding of the recipients' keys.
func Encrypt(random io.Reader, w io.Writer, recipients []Recipient, o EncryptOptions) (*Encrypter, error) {
	return nil, errors.New("cms: pending")
}

// Size is the length in octets of the whole structure when it is Definite (what
// a Content-Length needs), -1 otherwise.
func (e *Encrypter) Size() int64 { return -1 }

// Write encrypts p. It implements io.Writer.
func (e *Encrypter) Write(p []byte) (int, error) { return 0, errors.New("cms: pending") }

// Close ends the content and the structure.
func (e *Encrypter) Close() error { return errors.New("cms: pending") }
