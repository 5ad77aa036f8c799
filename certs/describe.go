package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha1" // #nosec G505 -- partners still compare by it
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Description tells a person what a certificate is.
type Description struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Serial    string    `json:"serial"` // hex
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	Key       string    `json:"key"`       // "rsa-2048", "p-256"
	Signature string    `json:"signature"` // "SHA256-RSA"
	SHA256    string    `json:"sha256"`    // as Fingerprint
	SHA1      string    `json:"sha1"`      // of the DER form, in the same writing
	Usages    []string  `json:"usages"`    // "digitalSignature", as RFC 5280 names them; empty: any
	// SelfSigned tells that subject and issuer are one.
	SelfSigned bool `json:"selfSigned"`
	// Authority tells that it may issue others: not what a partner signs with.
	Authority bool `json:"authority"`
}

// Describe describes c.
func Describe(c *x509.Certificate) Description {
	sum := sha1.Sum(c.Raw) // #nosec G401 -- shown to be compared, nothing is decided by it
	return Description{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(), Serial: c.SerialNumber.Text(16),
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
		Key: KeyName(c.PublicKey), Signature: c.SignatureAlgorithm.String(),
		SHA256: Fingerprint(c), SHA1: pairs(hex.EncodeToString(sum[:])), Usages: usages(c.KeyUsage),
		SelfSigned: string(c.RawSubject) == string(c.RawIssuer), Authority: c.BasicConstraintsValid && c.IsCA,
	}
}

// KeyName names the kind of a public key: "rsa-2048", "p-256".
func KeyName(pub crypto.PublicKey) string {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("rsa-%d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return strings.ToLower(k.Curve.Params().Name)
	case ed25519.PublicKey:
		return "ed25519"
	}
	return "unknown"
}

// usages names the bits of a key usage (RFC 5280 section 4.2.1.3).
func usages(u x509.KeyUsage) []string {
	names := []string{
		"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
		"keyCertSign", "cRLSign", "encipherOnly", "decipherOnly",
	}
	out := []string{}
	for i, name := range names {
		if u&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// Sizes of RSA keys in bits. Below the first crypto/rsa does nothing with a key,
// since it is broken with what everybody has; above the last nobody has one, and
// every use would cost. Between the first two old partners may be met.
const (
	rsaLeast  = 1024
	rsaStrong = 2048 // draft rfc4130bis
	rsaMost   = 16384
)

// Suits tells why a certificate cannot serve AS2, or nil: the key is of a kind
// that nobody there signs with or encrypts to, or of a size that makes it
// useless.
func Suits(c *x509.Certificate) error {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < rsaLeast || bits > rsaMost {
			return fmt.Errorf("certs: an RSA key of %d bits does not serve AS2: %d bits are usual, %d to %d are possible", bits, rsaStrong, rsaLeast, rsaMost)
		}
		if k.E < 3 || k.E%2 == 0 {
			return fmt.Errorf("certs: an RSA key with the exponent %d protects nothing", k.E)
		}
		return nil
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			return nil
		}
		return fmt.Errorf("certs: a key on the curve %s does not serve AS2: P-256, P-384 or P-521 is wanted", k.Params().Name)
	}
	return fmt.Errorf("certs: a key of kind %s does not serve AS2: RSA or EC is wanted", KeyName(c.PublicKey))
}

// Strong tells whether the key of a certificate that Suits is as strong as one
// that is made today has to be.
func Strong(c *x509.Certificate) bool {
	k, ok := c.PublicKey.(*rsa.PublicKey)
	return !ok || k.N.BitLen() >= rsaStrong
}
