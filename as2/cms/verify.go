package cms

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Verified tells what Verify established.
type Verified struct {
	// Certificate is the one of the trusted certificates that signed.
	Certificate *x509.Certificate
	// Digest is what the content was hashed with, SignatureDigest what the signed
	// attributes were. They are the same unless the signer is an odd one; a policy
	// against weak digests looks at both.
	Digest, SignatureDigest Digest
	// Scheme is how the signature was made.
	Scheme Scheme
	// SigningTime is what the signer claims, zero when it claims nothing.
	SigningTime time.Time
	// SignedAttributes tells whether the signature covers attributes, as nearly
	// all do. Without them the signature is over the content itself, and the
	// signed attributes of some other message could be passed off as content.
	SignedAttributes bool
	// Signer is the position of the signature in the message, from 0.
	Signer int
}

// Verify checks that one of the trusted certificates made one of the signatures
// over the content with the given digests, and that the signed attributes agree
// (RFC 5652 section 5.4 to 5.6). Embedded certificates do not count and chains
// are not built: trusted are the very certificates of the partner. For embedded
// content contentDigests may be nil; digests given win over those computed on
// the way.
//
// When at is not zero, the certificate must be valid then. Errors, the more
// telling first when there are several signatures: ErrContentChanged,
// ErrSignature, *ValidityError, *MissingDigestError, *UnsupportedError,
// *UnknownSignerError, ErrNotSigned.
func (s *SignedData) Verify(contentDigests map[Digest][]byte, trusted []*x509.Certificate, at time.Time) (*Verified, error) {
	if len(s.signers) == 0 {
		return nil, ErrNotSigned
	}
	var worst error = &UnknownSignerError{Signers: s.Signers()}
	for i := range s.signers {
		for _, c := range trusted {
			if !s.signers[i].id.Matches(c) {
				continue
			}
			v, err := s.verifySigner(&s.signers[i], contentDigests, c, at)
			if err == nil {
				v.Signer = i
				return v, nil
			}
			if telling(err) > telling(worst) {
				worst = err
			}
		}
	}
	return nil, worst
}

// telling ranks what Verify can fail with.
func telling(err error) int {
	var validity *ValidityError
	var missing *MissingDigestError
	var unsupported *UnsupportedError
	switch {
	case errors.Is(err, ErrContentChanged):
		return 5
	case errors.Is(err, ErrSignature):
		return 4
	case errors.As(err, &validity):
		return 3
	case errors.As(err, &missing):
		return 2
	case errors.As(err, &unsupported):
		return 1
	}
	return 0
}

func (s *SignedData) verifySigner(si *signerInfo, digests map[Digest][]byte, c *x509.Certificate, at time.Time) (*Verified, error) {
	if si.digest == "" {
		return nil, &UnsupportedError{What: "digest", Name: string(si.digestID)}
	}
	method, err := parseSignatureMethod(si.algorithm)
	if err != nil {
		return nil, err
	}
	if method.digest == "" {
		method.digest, method.mgf = si.digest, si.digest
	}
	content, ok := digests[si.digest]
	if !ok {
		content, ok = s.embedded[si.digest]
	}
	if !ok {
		return nil, &MissingDigestError{Digest: si.digest}
	}

	v := &Verified{Certificate: c, Digest: si.digest, SignatureDigest: method.digest, Scheme: method.scheme, SignedAttributes: si.hasAttrs}
	key := certificateKey(c)
	if si.hasAttrs {
		if !si.attributesSigned(method, key) {
			return nil, fmt.Errorf("%w with the key of %s", ErrSignature, c.Subject)
		}
		if v.SigningTime, err = s.checkAttributes(si, content); err != nil {
			return nil, err
		}
	} else {
		// RFC 5652 section 5.3: other content types must have attributes.
		if s.contentType != OIDData {
			return nil, fmt.Errorf("%w: there are no signed attributes though the content is a %s", ErrSignature, s.contentType)
		}
		if method.digest != si.digest {
			return nil, fmt.Errorf("%w: it is made with %s over a content hashed with %s", ErrSignature, method.digest, si.digest)
		}
		if !method.verify(key, content, nil, si.signature) {
			return nil, fmt.Errorf("%w with the key of %s", ErrSignature, c.Subject)
		}
	}
	if !at.IsZero() && (at.Before(c.NotBefore) || at.After(c.NotAfter)) {
		return nil, &ValidityError{Certificate: c, At: at}
	}
	return v, nil
}

// attributesSigned checks the signature over the signed attributes. They are
// signed under the tag of a SET OF: first exactly as they came, then as DER has
// them, since there are signers that sign the one and send the other.
func (si *signerInfo) attributesSigned(m signatureMethod, key any) bool {
	check := func(set []byte) bool {
		h := m.digest.New()
		h.Write(set)
		return m.verify(key, h.Sum(nil), set, si.signature)
	}
	received := tlv(tagSet, si.attrs)
	if check(received) {
		return true
	}
	der := derSet(si.attrs)
	return !bytes.Equal(der, received) && check(der)
}

// checkAttributes checks what the signed attributes say (RFC 5652 section 11):
// content type and message digest must be there once and be right.
func (s *SignedData) checkAttributes(si *signerInfo, content []byte) (signingTime time.Time, err error) {
	p := &parsing{what: "SignerInfo.signedAttrs"}
	c := p.sub(si.attrs)
	var contentType OID
	var digest []byte
	var digests, contentTypes int
	for c.more() {
		attribute := c.into(tagSequence, "attribute")
		id := attribute.oid("attribute type")
		values := attribute.into(tagSet, "attribute values")
		switch id {
		case oidContentType:
			contentTypes++
			contentType = values.oid("content type")
		case oidMessageDigest:
			digests++
			digest = values.octets("message digest")
		case oidSigningTime:
			// A time nobody can read is no time; the signature is as good.
			inner := (&parsing{}).sub(values.bytes())
			signingTime = inner.time("signing time")
			continue
		default:
			continue
		}
		if values.more() {
			return time.Time{}, fmt.Errorf("%w: the attribute %s has more than one value", ErrSignature, id)
		}
	}
	switch {
	case p.err != nil:
		return time.Time{}, fmt.Errorf("%w: %w", ErrSignature, p.err)
	case digests != 1 || contentTypes != 1:
		return time.Time{}, fmt.Errorf("%w: the signed attributes have %d message digests and %d content types, one of each belongs there", ErrSignature, digests, contentTypes)
	case contentType != s.contentType:
		return time.Time{}, fmt.Errorf("%w: it is over a content of type %s, the message says %s", ErrSignature, contentType, s.contentType)
	case !bytes.Equal(digest, content):
		return time.Time{}, ErrContentChanged
	}
	return signingTime, nil
}
