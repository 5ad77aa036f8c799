package certs

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
)

// SigningRequest makes a PKCS #10 certificate request (RFC 2986) for key in
// PEM, with the names of r; its type and validity are not part of one. random
// feeds the signature; nil is crypto/rand.
func SigningRequest(r Request, key crypto.Signer, random io.Reader) ([]byte, error) {
	if r.CommonName == "" {
		return nil, errors.New("certs: request: CommonName is empty: give the name the partner will see")
	}
	if random == nil {
		random = rand.Reader
	}
	subject, err := r.subject()
	if err != nil {
		return nil, err
	}
	addresses, err := r.addresses()
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(random, &x509.CertificateRequest{
		Subject: subject, DNSNames: r.DNSNames, IPAddresses: addresses,
	}, key)
	if err != nil {
		return nil, fmt.Errorf("certs: request: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), nil
}
