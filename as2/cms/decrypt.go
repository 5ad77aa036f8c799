package cms

import (
	"crypto"
	"crypto/x509"
	"errors"
	"io"
)

// DecryptionKey is one of our certificates with its private key.
type DecryptionKey struct {
	// Certificate is what recipients' identifiers are compared with.
	Certificate *x509.Certificate
	// Key is a crypto.Decrypter for RSA (*rsa.PrivateKey or a device that honours
	// *rsa.PKCS1v15DecryptOptions.SessionKeyLen and *rsa.OAEPOptions), or for key
	// agreement an *ecdsa.PrivateKey or a crypto/ecdh.KeyExchanger.
	Key crypto.PrivateKey
}

// Decrypted streams the plaintext of an EnvelopedData or AuthEnvelopedData and
// tells how it came.
type Decrypted struct {
	ContentType   OID               // what is inside; OIDData as a rule
	Cipher        Cipher            // how the content was encrypted
	Authenticated bool              // whether a tag protects the content (AES-GCM)
	Scheme        Scheme            // how the content key travelled
	Recipient     *x509.Certificate // which of our certificates it was encrypted to
	Recipients    []Identifier      // everybody it was encrypted to
}

// Decrypt reads the beginning of an EnvelopedData or AuthEnvelopedData
// ContentInfo from r, finds the recipients that are ours and returns the
// plaintext as a stream.
//
// Keys are tried in their order; several may match. From then on every failure
// that depends on a key is ErrDecrypt and shows only at the end of the stream: an
// RSA PKCS#1 v1.5 content key that does not unwrap is replaced by a random one
// (implicit rejection), padding is checked in constant time, and the same work
// is done in each case. Therefore the caller MUST NOT release or act upon
// plaintext before Read returned io.EOF. Plaintext without a tag
// (Authenticated false) can be garbage even then: answer what follows from a
// decryption failure and from garbage in the same words.
//
// Errors before that: *NotRecipientError, *UnsupportedError, *SyntaxError,
// *LimitError, or what r returned. random gives the replacement keys.
func Decrypt(random io.Reader, r io.Reader, keys []DecryptionKey, limits Limits) (*Decrypted, error) {
	return nil, errors.New("cms: pending")
}

// Read implements io.Reader. io.EOF means that padding or tag were right.
func (d *Decrypted) Read(p []byte) (int, error) { return 0, errors.New("cms: pending") }

// Trailing is the number of octets found behind the end of the structure, once
// Read returned io.EOF. It says 65536 when there was that much or more.
func (d *Decrypted) Trailing() int { return 0 }
