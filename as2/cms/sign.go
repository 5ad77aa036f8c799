package cms

import (
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"
)

// Signer says who signs and how (RFC 5652 section 5.3).
type Signer struct {
	// Certificate names the signer. It is written into the message only when it
	// is also listed in IncludeCertificates.
	Certificate *x509.Certificate
	// Key is the private key of Certificate: RSA, ECDSA or Ed25519, in memory or
	// in a device.
	Key crypto.Signer
	// Digest is what the content is hashed with; SHA256 when empty. Ed25519
	// takes SHA512 whatever is asked (RFC 8419).
	Digest Digest
	// PSS asks for RSASSA-PSS instead of RSASSA-PKCS1-v1_5; RSA keys only.
	PSS bool
	// KeyIdentifier names the signer by subject key identifier instead of by
	// issuer and serial number.
	KeyIdentifier bool
	// IncludeCertificates are put into the message for the other side's
	// convenience; none is fine.
	IncludeCertificates []*x509.Certificate
	// SigningTime goes into the signed attributes; left out when zero.
	SigningTime time.Time
}

// EffectiveDigest is the digest SignDetached expects: Digest, or what the key or
// the default makes of it.
func (s Signer) EffectiveDigest() Digest {
	if s.Key != nil {
		if _, ok := s.Key.Public().(ed25519.PublicKey); ok {
			return SHA512
		}
	}
	if s.Digest == "" {
		return SHA256
	}
	return s.Digest
}

// SignDetached returns the DER of a ContentInfo with a detached SignedData: the
// application/pkcs7-signature of a multipart/signed. digest is the content's
// under s.EffectiveDigest; contentType is OIDData unless the content is itself a
// CMS structure. random is used by PSS and ECDSA and may not be nil.
func SignDetached(random io.Reader, s Signer, digest []byte, contentType OID) ([]byte, error) {
	if err := s.check(contentType); err != nil {
		return nil, err
	}
	info, err := s.signerInfo(random, digest, contentType)
	if err != nil {
		return nil, err
	}
	return encodeSignedData(
		encodeSmall(s.version(contentType)),
		tlv(tagSet, encodeAlgorithm(s.EffectiveDigest().OID())),
		tlv(tagSequence, encodeOID(contentType)),
		encodeCertificateSet(s.IncludeCertificates),
		tlv(tagSet, info)), nil
}

// check finds what would make a signature nobody can use.
func (s Signer) check(contentType OID) error {
	switch {
	case s.Certificate == nil || s.Key == nil:
		return errors.New("cms: a signer needs a certificate and its key")
	case !s.EffectiveDigest().Valid():
		return &UnsupportedError{What: "digest", Name: string(s.Digest)}
	case !validOID(contentType):
		return &UnsupportedError{What: "content type", Name: string(contentType)}
	case s.KeyIdentifier && keyIdentifier(s.Certificate) == nil:
		return fmt.Errorf("cms: the certificate %s has no key identifier", s.Certificate.Subject)
	}
	public, ok := certificateKey(s.Certificate).(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(s.Key.Public()) {
		return fmt.Errorf("cms: the signing key does not belong to the certificate %s", s.Certificate.Subject)
	}
	return nil
}

// version is that of the SignedData (RFC 5652 section 5.1).
func (s Signer) version(contentType OID) int {
	if s.KeyIdentifier || contentType != OIDData {
		return 3
	}
	return 1
}

// signerInfo makes the signature.
func (s Signer) signerInfo(random io.Reader, digest []byte, contentType OID) ([]byte, error) {
	d := s.EffectiveDigest()
	if len(digest) != d.Size() {
		return nil, fmt.Errorf("cms: a digest of %d octets is not a %s", len(digest), d)
	}
	method, err := methodFor(s.Key.Public(), d, s.PSS)
	if err != nil {
		return nil, err
	}
	attributes := [][]byte{
		encodeAttribute(oidContentType, encodeOID(contentType)),
		encodeAttribute(oidMessageDigest, tlv(tagOctetString, digest)),
	}
	if !s.SigningTime.IsZero() {
		attributes = append(attributes, encodeAttribute(oidSigningTime, encodeTime(s.SigningTime)))
	}
	set := setOf(tagSet, attributes...)
	signature, err := method.sign(random, s.Key, set)
	if err != nil {
		return nil, fmt.Errorf("cms: signing with the key of %s: %w", s.Certificate.Subject, err)
	}
	version := 1
	if s.KeyIdentifier {
		version = 3
	}
	return tlv(tagSequence,
		encodeSmall(version),
		identifier(s.Certificate, s.KeyIdentifier).encode(tagContext|0),
		encodeAlgorithm(d.OID()),
		setOf(tagContextCons|0, attributes...),
		method.encode(),
		tlv(tagOctetString, signature)), nil
}

func encodeAttribute(id OID, value []byte) []byte {
	return tlv(tagSequence, encodeOID(id), tlv(tagSet, value))
}

// encodeSignedData wraps the fields of a SignedData in a ContentInfo.
func encodeSignedData(fields ...[]byte) []byte {
	return tlv(tagSequence, encodeOID(OIDSignedData), tlv(tagContextCons|0, tlv(tagSequence, fields...)))
}

// encodeCertificateSet writes the certificates field, nothing when there are none.
func encodeCertificateSet(certificates []*x509.Certificate) []byte {
	if len(certificates) == 0 {
		return nil
	}
	raw := make([][]byte, 0, len(certificates))
	for _, c := range certificates {
		raw = append(raw, c.Raw)
	}
	return setOf(tagContextCons|0, raw...)
}

// EncodeCertificates returns the DER of a SignedData that carries certificates
// and nothing else (RFC 5652 section 5.1, .p7c and .p7b files, certs-only).
func EncodeCertificates(certificates []*x509.Certificate) ([]byte, error) {
	for i, c := range certificates {
		if c == nil || len(c.Raw) == 0 {
			return nil, fmt.Errorf("cms: certificate %d has no encoding", i)
		}
	}
	return encodeSignedData(encodeSmall(1), tlv(tagSet), tlv(tagSequence, encodeOID(OIDData)),
		encodeCertificateSet(certificates), tlv(tagSet)), nil
}

// SignEnveloping makes a SignedData around a content of size octets in DER, with
// definite lengths: write head, the content and tail. The digest is the
// content's under s.EffectiveDigest, so the content has been read once before.
func SignEnveloping(random io.Reader, s Signer, digest []byte, size int64, contentType OID) (head, tail []byte, err error) {
	if err := s.check(contentType); err != nil {
		return nil, nil, err
	}
	if size < 0 {
		return nil, nil, fmt.Errorf("cms: a content of %d octets", size)
	}
	info, err := s.signerInfo(random, digest, contentType)
	if err != nil {
		return nil, nil, err
	}
	tail = append(encodeCertificateSet(s.IncludeCertificates), tlv(tagSet, info)...)
	length := size
	wrap := func(tag byte, before []byte) { // from the inside out
		head = slices.Concat(before, appendHeader64(nil, tag, length), head)
		length = size + int64(len(head))
	}
	wrap(tagOctetString, nil)
	wrap(tagContextCons|0, encodeOID(contentType))
	wrap(tagSequence, append(encodeSmall(s.version(contentType)), tlv(tagSet, encodeAlgorithm(s.EffectiveDigest().OID()))...))
	size += int64(len(tail)) // from here on they are inside
	length += int64(len(tail))
	wrap(tagSequence, nil)
	wrap(tagContextCons|0, encodeOID(OIDSignedData))
	wrap(tagSequence, nil)
	return head, tail, nil
}

// signWriter is the enveloping form of SignDetached.
type signWriter struct {
	random      io.Reader
	w           io.Writer
	signer      Signer
	contentType OID
	hash        hash.Hash
	chunks      chunkWriter
	err         error
}

// Sign starts an enveloping SignedData on w and returns where to write the
// content. Close makes the signature and ends the structure; it does not close
// w. The form is BER with indefinite lengths, the content in octet strings of
// 64 KiB.
func Sign(random io.Reader, w io.Writer, s Signer, contentType OID) (io.WriteCloser, error) {
	if err := s.check(contentType); err != nil {
		return nil, err
	}
	d := s.EffectiveDigest()
	head := beginContentInfo(nil, OIDSignedData)
	head = append(head, encodeSmall(s.version(contentType))...)
	head = append(head, tlv(tagSet, encodeAlgorithm(d.OID()))...)
	head = append(head, tagSequence, 0x80)
	head = append(head, encodeOID(contentType)...)
	head = append(head, tagContextCons|0, 0x80, tagOctetString|constructedBit, 0x80)
	if _, err := w.Write(head); err != nil {
		return nil, err
	}
	return &signWriter{random: random, w: w, signer: s, contentType: contentType, hash: d.New(), chunks: chunkWriter{w: w}}, nil
}

func (s *signWriter) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	s.hash.Write(p)
	n, err := s.chunks.Write(p)
	s.err = err
	return n, err
}

func (s *signWriter) Close() error {
	if s.err != nil {
		return s.err
	}
	s.err = errClosed
	if err := s.chunks.flush(); err != nil {
		return err
	}
	info, err := s.signer.signerInfo(s.random, s.hash.Sum(nil), s.contentType)
	if err != nil {
		return err
	}
	tail := make([]byte, 6, 1024) // ends of the octet string, of [0] and of encapContentInfo
	tail = append(tail, encodeCertificateSet(s.signer.IncludeCertificates)...)
	tail = append(tail, tlv(tagSet, info)...)
	tail = append(tail, 0, 0, 0, 0, 0, 0) // ends of SignedData, of [0] and of ContentInfo
	_, err = s.w.Write(tail)
	return err
}
