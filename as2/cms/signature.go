package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"io"
)

// Scheme names how a signature is made or how a content key travels.
type Scheme string

// The schemes of this package, as recorded in Verified and Decrypted.
const (
	RSAPKCS1 Scheme = "rsa-pkcs1-v1.5"
	RSAPSS   Scheme = "rsa-pss"
	RSAOAEP  Scheme = "rsa-oaep"
	ECDSA    Scheme = "ecdsa"
	Ed25519  Scheme = "ed25519"
	ECDH     Scheme = "ecdh"
)

// signatureMethod is a signature algorithm with everything its parameters say.
type signatureMethod struct {
	scheme Scheme
	digest Digest // what is signed is hashed with; "" leaves it to the SignerInfo
	mgf    Digest // PSS only
	salt   int    // PSS only; -1 means whatever it turns out to be
}

// parseSignatureMethod understands the signatureAlgorithm of a SignerInfo
// (RFC 3370, RFC 4056, RFC 5754, RFC 8419).
func parseSignatureMethod(a algorithm) (signatureMethod, error) {
	switch a.id {
	case oidRSAEncryption:
		return signatureMethod{scheme: RSAPKCS1}, nil
	case oidMD5RSA, oidSHA1RSA, oidSHA1RSAOld, oidSHA224RSA, oidSHA256RSA, oidSHA384RSA, oidSHA512RSA:
		d, _ := digestOf(a.id)
		return signatureMethod{scheme: RSAPKCS1, digest: d}, nil
	case oidECPublicKey:
		return signatureMethod{scheme: ECDSA}, nil
	case oidECDSASHA1, oidECDSASHA224, oidECDSASHA256, oidECDSASHA384, oidECDSASHA512:
		d, _ := digestOf(a.id)
		return signatureMethod{scheme: ECDSA, digest: d}, nil
	case oidEd25519:
		return signatureMethod{scheme: Ed25519, digest: SHA512}, nil
	case oidRSAPSS:
		return parsePSS(a.parameters)
	}
	return signatureMethod{}, &UnsupportedError{What: "signature algorithm", Name: string(a.id)}
}

// parsePSS reads RSASSA-PSS-params (RFC 4055 section 3.1), whose defaults are
// SHA-1 throughout and 20 octets of salt. Parameters that are missing altogether
// (pyas2lib leaves them out) are not the defaults: the SignerInfo's digest is
// meant then, and the salt shows itself.
func parsePSS(parameters []byte) (signatureMethod, error) {
	m := signatureMethod{scheme: RSAPSS, digest: SHA1, mgf: SHA1, salt: 20}
	if len(parameters) == 0 {
		return signatureMethod{scheme: RSAPSS, salt: -1}, nil
	}
	p := &parsing{what: "RSASSA-PSS-params"}
	c := p.sub(parameters)
	seq := c.into(tagSequence, "parameters")
	var err error
	if inner, ok := seq.optional(tagContextCons | 0); ok {
		if m.digest, err = knownDigest(inner.algorithm("hash algorithm").id); err != nil && p.err == nil {
			return m, err
		}
	}
	if inner, ok := seq.optional(tagContextCons | 1); ok {
		if m.mgf, err = maskDigest(inner.algorithm("mask generation algorithm"), p); err != nil {
			return m, err
		}
	}
	if inner, ok := seq.optional(tagContextCons | 2); ok {
		m.salt = inner.small("salt length")
	}
	return m, p.err
}

// maskDigest reads the mask generation algorithm, which is MGF1 with a hash.
func maskDigest(a algorithm, p *parsing) (Digest, error) {
	if p.err != nil {
		return "", p.err
	}
	if a.id != oidMGF1 {
		return "", &UnsupportedError{What: "mask generation function", Name: string(a.id)}
	}
	inner := p.sub(a.parameters)
	id := inner.algorithm("hash algorithm of the mask").id
	if p.err != nil {
		return "", p.err
	}
	return knownDigest(id)
}

func knownDigest(id OID) (Digest, error) {
	if d, ok := digestOf(id); ok {
		return d, nil
	}
	return "", &UnsupportedError{What: "digest", Name: string(id)}
}

// encodeDigest writes the identifier of a digest inside the parameters of
// another algorithm, where RFC 4055 section 2.1 wants NULL.
func encodeDigest(d Digest) []byte { return encodeAlgorithm(d.OID(), encodeNull()) }

// encodeMGF1 writes MGF1 with a hash.
func encodeMGF1(d Digest) []byte { return encodeAlgorithm(oidMGF1, encodeDigest(d)) }

// encodeHashes writes the first two fields of RSASSA-PSS-params and
// RSAES-OAEP-params. Their default is SHA-1, which DER leaves out (X.690
// section 11.5).
func encodeHashes(digest, mgf Digest) []byte {
	var out []byte
	if digest != SHA1 {
		out = tlv(tagContextCons|0, encodeDigest(digest))
	}
	if mgf != SHA1 {
		out = append(out, tlv(tagContextCons|1, encodeMGF1(mgf))...)
	}
	return out
}

// methodFor chooses how a key signs.
func methodFor(public crypto.PublicKey, d Digest, pss bool) (signatureMethod, error) {
	switch public.(type) {
	case *rsa.PublicKey:
		if pss {
			return signatureMethod{scheme: RSAPSS, digest: d, mgf: d, salt: d.Size()}, nil
		}
		return signatureMethod{scheme: RSAPKCS1, digest: d}, nil
	case *ecdsa.PublicKey:
		if d == MD5 {
			return signatureMethod{}, &UnsupportedError{What: "digest for ECDSA", Name: string(d)}
		}
		return signatureMethod{scheme: ECDSA, digest: d}, nil
	case ed25519.PublicKey:
		return signatureMethod{scheme: Ed25519, digest: SHA512}, nil
	}
	return signatureMethod{}, &UnsupportedError{What: "signing key", Name: fmt.Sprintf("%T", public)}
}

// encode writes the AlgorithmIdentifier of the method.
func (m signatureMethod) encode() []byte {
	switch m.scheme {
	case RSAPSS:
		var salt []byte
		if m.salt != 20 { // the default
			salt = tlv(tagContextCons|2, encodeSmall(m.salt))
		}
		return encodeAlgorithm(oidRSAPSS, tlv(tagSequence, encodeHashes(m.digest, m.mgf), salt))
	case ECDSA:
		return encodeAlgorithm(m.ecdsaOID())
	case Ed25519:
		return encodeAlgorithm(oidEd25519)
	}
	return encodeAlgorithm(oidRSAEncryption, encodeNull())
}

func (m signatureMethod) ecdsaOID() OID {
	switch m.digest {
	case SHA1:
		return oidECDSASHA1
	case SHA224:
		return oidECDSASHA224
	case SHA384:
		return oidECDSASHA384
	case SHA512:
		return oidECDSASHA512
	}
	return oidECDSASHA256
}

// sign signs the signed attributes.
func (m signatureMethod) sign(random io.Reader, key crypto.Signer, attributes []byte) ([]byte, error) {
	if m.scheme == Ed25519 {
		return key.Sign(random, attributes, crypto.Hash(0))
	}
	h := m.digest.New()
	h.Write(attributes)
	var opts crypto.SignerOpts = m.digest.Hash()
	if m.scheme == RSAPSS {
		opts = &rsa.PSSOptions{SaltLength: m.salt, Hash: m.digest.Hash()}
	}
	return key.Sign(random, h.Sum(nil), opts)
}

// verify tells whether the key made the signature over what has the given hash
// (under m.digest); message is the thing itself, which Ed25519 needs.
func (m signatureMethod) verify(public crypto.PublicKey, hashed, message, signature []byte) bool {
	switch key := public.(type) {
	case *rsa.PublicKey:
		switch m.scheme {
		case RSAPKCS1:
			return rsa.VerifyPKCS1v15(key, m.digest.Hash(), hashed, signature) == nil
		case RSAPSS:
			if m.mgf != m.digest {
				return verifyPSS(key, m, hashed, signature)
			}
			return rsa.VerifyPSS(key, m.digest.Hash(), hashed, signature, &rsa.PSSOptions{SaltLength: pssSalt(m.salt)}) == nil
		}
	case *ecdsa.PublicKey:
		return m.scheme == ECDSA && ecdsa.VerifyASN1(key, hashed, signature)
	case ed25519.PublicKey:
		return m.scheme == Ed25519 && message != nil && ed25519.Verify(key, message, signature)
	}
	return false
}

// pssSalt turns a salt length into what crypto/rsa takes: it has no way to say
// "empty", so an empty salt is accepted with any other.
func pssSalt(n int) int {
	if n <= 0 {
		return rsa.PSSSaltLengthAuto
	}
	return n
}

// certificateKey returns the public key of c. RSA keys that are filed under
// id-RSASSA-PSS or id-RSAES-OAEP (RFC 4055), which crypto/x509 leaves alone,
// are RSA keys too.
func certificateKey(c *x509.Certificate) crypto.PublicKey {
	if c.PublicKey != nil {
		return c.PublicKey
	}
	a, key, ok := subjectPublicKey(c)
	if !ok || (a.id != oidRSAPSS && a.id != oidRSAOAEP) {
		return nil
	}
	public, err := x509.ParsePKCS1PublicKey(bytes.Clone(key))
	if err != nil {
		return nil
	}
	return public
}
