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

// ParseSigningRequest reads a PKCS #10 request in PEM or DER, whose signature
// proves that who made it has the private key.
func ParseSigningRequest(data []byte) (*x509.CertificateRequest, error) {
	if len(data) > maxInput {
		return nil, fmt.Errorf("certs: input of %d bytes is over the limit of %d", len(data), maxInput)
	}
	if b, _ := pem.Decode(data); b != nil {
		data = b.Bytes
	}
	r, err := x509.ParseCertificateRequest(data)
	if err == nil {
		err = r.CheckSignature()
	}
	if err != nil {
		return nil, fmt.Errorf("certs: request: %w", err)
	}
	return r, nil
}

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
