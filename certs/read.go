package certs

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.mozilla.org/pkcs7"
)

// maxInput bounds what is read as a key or certificate: a bag of a few hundred
// certificates fits.
const maxInput = 1 << 20

// ParseCertificates reads all certificates of data: PEM (other blocks are
// passed over), DER (one or several in a row) or a PKCS #7 bag (.p7b, in DER or
// PEM). The order is kept and duplicates are dropped.
func ParseCertificates(data []byte) ([]*x509.Certificate, error) {
	if len(data) > maxInput {
		return nil, fmt.Errorf("certs: input of %d bytes is over the limit of %d", len(data), maxInput)
	}
	var out []*x509.Certificate
	if what := foreign(data); what != "" {
		return nil, fmt.Errorf("%w: %s", ErrNoCertificate, what)
	}
	if bytes.Contains(data, []byte("-----BEGIN ")) {
		var others []string
		rest := data
		for {
			var b *pem.Block
			if b, rest = pem.Decode(rest); b == nil {
				break
			}
			switch b.Type {
			case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
				c, err := x509.ParseCertificate(b.Bytes)
				if err != nil {
					return nil, fmt.Errorf("certs: certificate %d of the PEM input: %w", len(out)+1, err)
				}
				out = append(out, c)
			case "PKCS7", "CMS":
				cs, err := parseBag(b.Bytes)
				if err != nil {
					return nil, err
				}
				out = append(out, cs...)
			default:
				others = append(others, b.Type)
			}
		}
		if len(out) == 0 && len(others) > 0 {
			return nil, fmt.Errorf("%w, only: %s", ErrNoCertificate, strings.Join(others, ", "))
		}
	} else if cs, err := x509.ParseCertificates(data); err == nil {
		out = cs
	} else if cs, bagErr := parseBag(data); bagErr == nil {
		out = cs
	} else if len(bytes.TrimSpace(data)) > 0 {
		return nil, fmt.Errorf("%w: neither PEM nor DER (%w) nor a PKCS #7 bag (%w)", ErrNoCertificate, err, bagErr)
	}
	out = unique(out)
	if len(out) == 0 {
		return nil, ErrNoCertificate
	}
	return out, nil
}

// foreign names what is taken for a file of certificates, "" for anything else.
func foreign(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte{0xfe, 0xed, 0xfe, 0xed}), bytes.HasPrefix(data, []byte{0xce, 0xce, 0xce, 0xce}):
		return "this is a Java keystore of the old kind (JKS, JCEKS); make a PKCS #12 file of it: keytool -importkeystore -srckeystore FILE -destkeystore FILE.p12 -deststoretype pkcs12"
	case IsSealed(data):
		return "this is a private key that tradepost sealed"
	}
	return ""
}

// ParseCertificate reads data like ParseCertificates and returns the first.
func ParseCertificate(data []byte) (*x509.Certificate, error) {
	cs, err := ParseCertificates(data)
	if err != nil {
		return nil, err
	}
	return cs[0], nil
}

// ParseKey reads an unencrypted private key, RSA or EC: PEM (PKCS #8, PKCS #1
// or SEC 1; certificates before it are passed over) or DER.
func ParseKey(data []byte) (crypto.Signer, error) { return ParseEncryptedKey(data, "") }

// ParseEncryptedKey reads what ParseKey reads, and also an encrypted PKCS #8
// key in PEM (PBES2). ErrPassword when the password is wrong.
func ParseEncryptedKey(data []byte, password string) (crypto.Signer, error) {
	if len(data) > maxInput {
		return nil, fmt.Errorf("certs: input of %d bytes is over the limit of %d", len(data), maxInput)
	}
	if !bytes.Contains(data, []byte("-----BEGIN ")) {
		return parseKeyDER(data)
	}
	rest := data
	for {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			return nil, ErrNoKey
		}
		switch b.Type {
		case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
			if b.Headers["DEK-Info"] != "" {
				return nil, fmt.Errorf("%w: the key is encrypted the old PEM way; convert it with: openssl pkcs8 -topk8 -nocrypt", ErrPassword)
			}
			return parseKeyDER(b.Bytes)
		case "ENCRYPTED PRIVATE KEY":
			if password == "" {
				return nil, fmt.Errorf("%w: the key is encrypted, give its password", ErrPassword)
			}
			der, err := decryptKey(b.Bytes, password)
			if err != nil {
				return nil, err
			}
			return parseKeyDER(der)
		}
	}
}

// parseKeyDER tries the three DER forms of a private key.
func parseKeyDER(der []byte) (crypto.Signer, error) {
	if k, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		switch k := k.(type) {
		case *rsa.PrivateKey:
			return k, nil
		case *ecdsa.PrivateKey:
			return k, nil
		case ed25519.PrivateKey:
			return nil, errors.New("certs: Ed25519 keys do not serve AS2: use RSA or EC")
		}
		return nil, errors.New("certs: this kind of private key does not serve AS2: use RSA or EC")
	}
	if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return k, nil
	}
	if k, err := x509.ParseECPrivateKey(der); err == nil {
		return k, nil
	}
	return nil, fmt.Errorf("%w: the bytes are no PKCS #8, PKCS #1 or SEC 1 key", ErrNoKey)
}

// ParsePair reads a certificate and the private key that belongs to it. certs
// and key may be the same PEM bytes.
func ParsePair(certificates, key []byte) (*Pair, error) {
	cs, err := ParseCertificates(certificates)
	if err != nil {
		return nil, err
	}
	k, err := ParseKey(key)
	if err != nil {
		return nil, err
	}
	return NewPair(k, cs)
}

// NewPair finds the certificate of key among cs; the others become the chain.
// ErrMismatch when it is not among them.
func NewPair(key crypto.Signer, cs []*x509.Certificate) (*Pair, error) {
	if len(cs) == 0 {
		return nil, ErrNoCertificate
	}
	type public interface{ Equal(crypto.PublicKey) bool }
	p := &Pair{Key: key}
	for _, c := range cs {
		if pub, ok := key.Public().(public); ok && p.Certificate == nil && pub.Equal(c.PublicKey) {
			p.Certificate = c
			continue
		}
		p.Chain = append(p.Chain, c)
	}
	if p.Certificate == nil {
		return nil, fmt.Errorf("%w %q", ErrMismatch, cs[0].Subject)
	}
	return p, nil
}

// EncodeCertificate is c as PEM.
func EncodeCertificate(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// EncodeKey is key as PEM of PKCS #8, unencrypted: seal it, or write it with
// WriteKeyFile.
func EncodeKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("certs: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// WriteKeyFile writes the key of p to path, readable by its owner only (0600). With a
// Sealer the file is sealed, bound to the public key, so that it can be neither
// read nor put in the place of another; sealer nil writes plain PEM. An existing
// file is not overwritten.
func WriteKeyFile(path string, p *Pair, sealer *Sealer, random io.Reader) error {
	data, err := SealKey(p.Key, sealer, random)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // #nosec G304 -- the operator names the file
	if err != nil {
		return fmt.Errorf("certs: write key: %w", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(path) // half a key file helps nobody
		return fmt.Errorf("certs: write key: %w", err)
	}
	return nil
}

// SealKey is key as it is kept in a file: sealed, or with sealer nil plain PEM.
func SealKey(key crypto.Signer, sealer *Sealer, random io.Reader) ([]byte, error) {
	data, err := EncodeKey(key)
	if err != nil || sealer == nil {
		return data, err
	}
	label, err := keyLabel(key.Public())
	if err != nil {
		return nil, err
	}
	return sealer.Seal(random, label, data)
}

// keyLabel names a public key, which stays the same when a certificate is
// renewed for it.
func keyLabel(pub crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return "", fmt.Errorf("certs: public key: %w", err)
	}
	sum := sha256.Sum256(der)
	return "private key of " + hex.EncodeToString(sum[:]), nil
}

// ReadKeyFile reads what WriteKeyFile wrote for the key of certificate c. A
// sealed file needs the Sealer it was written with, else the error is ErrSealed.
func ReadKeyFile(path string, c *x509.Certificate, sealer *Sealer) (crypto.Signer, error) {
	data, err := os.ReadFile(path) // #nosec G304 -- the operator names the file
	if err != nil {
		return nil, fmt.Errorf("certs: read key: %w", err)
	}
	key, err := OpenKey(data, c, sealer)
	if err != nil {
		return nil, fmt.Errorf("certs: read key %s: %w", path, err)
	}
	return key, nil
}

// OpenKey is ReadKeyFile for bytes at hand.
func OpenKey(data []byte, c *x509.Certificate, sealer *Sealer) (crypto.Signer, error) {
	key, err := OpenKeyOf(data, c.PublicKey, sealer)
	if err != nil {
		return nil, err
	}
	if _, err := NewPair(key, []*x509.Certificate{c}); err != nil {
		return nil, err
	}
	return key, nil
}

// OpenKeyOf is OpenKey for a public key that no certificate was issued for yet.
// That a plain key belongs to it is not checked.
func OpenKeyOf(data []byte, pub crypto.PublicKey, sealer *Sealer) (crypto.Signer, error) {
	if IsSealed(data) {
		if sealer == nil {
			return nil, fmt.Errorf("%w: no sealing key is given", ErrSealed)
		}
		label, err := keyLabel(pub)
		if err != nil {
			return nil, err
		}
		if data, err = sealer.Open(label, data); err != nil {
			return nil, err
		}
	}
	return ParseKey(data)
}

// parseBag reads the certificates of a PKCS #7 bag. A bag is only handed to
// the library after a look at its nesting: it does not bound recursion itself.
func parseBag(der []byte) (cs []*x509.Certificate, err error) {
	if d := nesting(der, bagDepth); d > bagDepth {
		return nil, fmt.Errorf("certs: PKCS #7 bag: nested more than %d deep", bagDepth)
	}
	defer func() {
		if p := recover(); p != nil {
			cs, err = nil, errors.New("certs: PKCS #7 bag: damaged")
		}
	}()
	b, err := pkcs7.Parse(der)
	if err != nil {
		return nil, fmt.Errorf("certs: PKCS #7 bag: %w", err)
	}
	return b.Certificates, nil
}

// unique drops repeated certificates.
func unique(cs []*x509.Certificate) []*x509.Certificate {
	var out []*x509.Certificate
	for _, c := range cs {
		seen := false
		for _, o := range out {
			seen = seen || o.Equal(c)
		}
		if !seen {
			out = append(out, c)
		}
	}
	return out
}
