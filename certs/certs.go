// Package certs makes, reads and chooses the keys and certificates of trading
// partners (X.509 version 3, RFC 5280; PKCS #12, RFC 7292; certificate bags of
// PKCS #7, RFC 2315).
//
// AS2 certificates are mostly self-signed and trusted because both sides
// swapped them, so nothing here builds chains: a Set is the list of
// certificates a party may use, each with the instant it goes live. For
// sending exactly one is chosen; for verification all that overlap are good.
// That is what lets two parties replace a certificate without an appointment.
//
// Private keys are PKCS #8. Sealer encrypts them at rest (AES-256-GCM). The
// package holds no state and takes clock and randomness from its caller.
package certs

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Pair is a private key with its certificate.
type Pair struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
	// Chain holds further certificates that came along, nearest issuer first
	// as far as the source kept an order. May be empty.
	Chain []*x509.Certificate
}

// KeyType is a kind of key Generate can make.
type KeyType string

// The key types. RSA serves everybody; what is encrypted to P-256 needs key
// agreement (RFC 5753), which few products know.
const (
	RSA2048 KeyType = "rsa-2048"
	RSA3072 KeyType = "rsa-3072"
	RSA4096 KeyType = "rsa-4096"
	P256    KeyType = "p-256"
)

// Errors of reading keys and certificates. Test with errors.Is.
var (
	// ErrNoCertificate means the input holds no certificate.
	ErrNoCertificate = errors.New("certs: no certificate in the input")
	// ErrNoKey means the input holds no private key.
	ErrNoKey = errors.New("certs: no private key in the input")
	// ErrPassword means a PKCS #12 or encrypted key needs another password.
	ErrPassword = errors.New("certs: wrong password")
	// ErrSealed means that a sealed secret cannot be opened: wrong key, wrong
	// label or altered bytes.
	ErrSealed = errors.New("certs: cannot open the sealed secret: wrong key or altered bytes")
	// ErrNoneValid means that a Set has no certificate that serves.
	ErrNoneValid = errors.New("certs: no certificate is live and valid")
	// ErrMismatch means that a private key does not belong to a certificate.
	ErrMismatch = errors.New("certs: the private key does not belong to the certificate")
)

// Fingerprint is the SHA-256 of the certificate's DER form as upper case hex
// pairs with colons, the form people read to each other over the telephone.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return pairs(hex.EncodeToString(sum[:]))
}

// ParseFingerprint brings the fingerprint of a certificate, or its beginning of
// at least 4 hex digits, to the writing of Fingerprint: people leave out the
// colons, use lower case, or blanks.
func ParseFingerprint(s string) (string, error) {
	plain := strings.NewReplacer(":", "", " ", "", "-", "").Replace(s)
	if len(plain) < 4 || len(plain) > 2*sha256.Size || strings.Trim(strings.ToLower(plain), "0123456789abcdef") != "" {
		return "", fmt.Errorf("certs: %q is no SHA-256 fingerprint: write its hex digits, or at least the first 4", s)
	}
	return pairs(plain), nil
}

// pairs writes hex digits in upper case with a colon after each pair.
func pairs(hexDigits string) string {
	h := strings.ToUpper(hexDigits)
	var b strings.Builder
	for i := 0; i < len(h); i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(h[i:min(i+2, len(h))])
	}
	return b.String()
}

// Request describes a self-signed certificate to generate.
type Request struct {
	// CommonName is required; Organization, Unit and Country (two letters) are
	// optional.
	CommonName, Organization, Unit, Country string
	// DNSNames and Addresses make it a server certificate as well, for tests
	// and self-signed listeners.
	DNSNames  []string
	Addresses []string
	// Type is the key; empty is rsa-2048.
	Type KeyType
	// NotBefore is the first instant of validity, required.
	NotBefore time.Time
	// Validity is how long it lasts; 0 is 3 years.
	Validity time.Duration
}
