package certs

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"

	"go.mozilla.org/pkcs7"
)

// EncodeBag is a PKCS #7 bag (.p7b, .p7c: a SignedData without signers, RFC
// 5652 section 5) of certificates in DER. Readers may see them in any order.
func EncodeBag(cs []*x509.Certificate) ([]byte, error) {
	if len(cs) == 0 {
		return nil, ErrNoCertificate
	}
	var raw bytes.Buffer
	for _, c := range cs {
		if len(c.Raw) == 0 {
			return nil, errors.New("certs: a certificate without its DER form cannot be put into a bag")
		}
		raw.Write(c.Raw)
	}
	der, err := pkcs7.DegenerateCertificate(raw.Bytes())
	if err != nil {
		return nil, fmt.Errorf("certs: PKCS #7 bag: %w", err)
	}
	return der, nil
}

// EndEntities leaves out of a list those certificates that issued another of
// it: a partner that sends its certificate with the chain means the certificate.
// The order is kept.
func EndEntities(cs []*x509.Certificate) []*x509.Certificate {
	var out []*x509.Certificate
	for _, c := range cs {
		issuer := false
		for _, o := range cs {
			issuer = issuer || issued(c, o)
		}
		if !issuer {
			out = append(out, c)
		}
	}
	return out
}

// issued reports whether by signed c. Names decide first, which is cheap; a
// certificate that was renewed for the same key and name issued nothing.
func issued(by, c *x509.Certificate) bool {
	if by.Equal(c) || !bytes.Equal(by.RawSubject, c.RawIssuer) || bytes.Equal(c.RawSubject, c.RawIssuer) {
		return false
	}
	// Not CheckSignatureFrom: old certificates of authorities lack the marks it asks for.
	return by.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}
