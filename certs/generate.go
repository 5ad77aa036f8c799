package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"time"
)

// Generate makes a key and a self-signed certificate for it. random feeds the
// serial number and the key; nil is crypto/rand. (Since Go 1.26 the standard
// library makes the key from the system's randomness whatever is passed.)
func Generate(r Request, random io.Reader) (*Pair, error) {
	if r.CommonName == "" {
		return nil, errors.New("certs: generate: CommonName is empty: give the name the partner will see")
	}
	if r.NotBefore.IsZero() {
		return nil, errors.New("certs: generate: NotBefore is not set")
	}
	if random == nil {
		random = rand.Reader
	}
	if r.Validity == 0 {
		r.Validity = 3 * 365 * 24 * time.Hour
	}
	key, err := GenerateKey(r.Type, random)
	if err != nil {
		return nil, err
	}
	serial := make([]byte, 16)
	if _, err := io.ReadFull(random, serial); err != nil {
		return nil, fmt.Errorf("certs: generate: serial number: %w", err)
	}
	serial[0] = serial[0]&0x7f | 0x40 // positive, and always 16 bytes
	subject, err := r.subject()
	if err != nil {
		return nil, err
	}
	addresses, err := r.addresses()
	if err != nil {
		return nil, err
	}
	keyID, err := keyIdentifier(key.Public())
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial),
		Subject:      subject,
		NotBefore:    r.NotBefore.UTC().Truncate(time.Second),
		NotAfter:     r.NotBefore.Add(r.Validity).UTC().Truncate(time.Second),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		DNSNames:     r.DNSNames,
		SubjectKeyId: keyID,
		IPAddresses:  addresses,
		// Self-signed: a peer that checks for a CA flag wants it absent on an
		// end entity certificate.
		BasicConstraintsValid: true,
	}
	if _, ok := key.(*rsa.PrivateKey); ok {
		template.KeyUsage |= x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment
	} else {
		template.KeyUsage |= x509.KeyUsageKeyAgreement
	}
	if len(r.DNSNames)+len(r.Addresses) > 0 {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	der, err := x509.CreateCertificate(random, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("certs: generate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("certs: generate: %w", err)
	}
	return &Pair{Certificate: cert, Key: key}, nil
}

// keyIdentifier names a public key by the first 20 bytes of its SHA-256 (RFC
// 7093 section 2, method 1), so that peers can name the certificate by it.
func keyIdentifier(pub crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, fmt.Errorf("certs: generate: %w", err)
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if err := unmarshal(der, &info, "public key"); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(info.Key.Bytes)
	return sum[:20], nil
}

// subject is the name a certificate is made for.
func (r Request) subject() (pkix.Name, error) {
	n := pkix.Name{CommonName: r.CommonName}
	if r.Organization != "" {
		n.Organization = []string{r.Organization}
	}
	if r.Unit != "" {
		n.OrganizationalUnit = []string{r.Unit}
	}
	if r.Country != "" {
		if len(r.Country) != 2 {
			return n, fmt.Errorf("certs: country %q: want the two letters of ISO 3166", r.Country)
		}
		n.Country = []string{r.Country}
	}
	return n, nil
}

// addresses parses the IP addresses.
func (r Request) addresses() ([]net.IP, error) {
	var out []net.IP
	for _, a := range r.Addresses {
		ip := net.ParseIP(a)
		if ip == nil {
			return nil, fmt.Errorf("certs: %q is no IP address", a)
		}
		out = append(out, ip)
	}
	return out, nil
}

// GenerateKey makes a private key of type t; "" is rsa-2048. random is as in
// Generate.
func GenerateKey(t KeyType, random io.Reader) (crypto.Signer, error) {
	bits := 0
	switch t {
	case "", RSA2048:
		bits = 2048
	case RSA3072:
		bits = 3072
	case RSA4096:
		bits = 4096
	case P256:
		k, err := ecdsa.GenerateKey(elliptic.P256(), random)
		if err != nil {
			return nil, fmt.Errorf("certs: generate: %w", err)
		}
		return k, nil
	default:
		return nil, fmt.Errorf("certs: generate: unknown key type %q: want rsa-2048, rsa-3072, rsa-4096 or p-256", t)
	}
	k, err := rsa.GenerateKey(random, bits)
	if err != nil {
		return nil, fmt.Errorf("certs: generate: %w", err)
	}
	return k, nil
}
