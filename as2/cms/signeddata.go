package cms

import (
	"bytes"
	"crypto/x509"
	"errors"
	"hash"
	"io"
	"slices"
)

// SignedData is a parsed SignedData without its content (RFC 5652 section 5.1).
type SignedData struct {
	contentType  OID
	detached     bool
	embedded     map[Digest][]byte // digests of embedded content
	certificates [][]byte          // DER
	signers      []signerInfo
	trailing     int
}

// signerInfo is one signature (RFC 5652 section 5.3).
type signerInfo struct {
	id        Identifier
	digestID  OID
	digest    Digest // "" when digestID is unknown
	attrs     []byte // contents of the signed attributes as received
	hasAttrs  bool
	algorithm algorithm
	signature []byte
}

// ParseSignedData reads a whole SignedData ContentInfo, as found in an
// application/pkcs7-signature part. Content that is embedded is hashed under
// every digest the message announces, counted against limits.Content and
// dropped; OpenSignedData hands it out instead. Errors are *SyntaxError,
// *LimitError, *UnsupportedError, or what r returned.
func ParseSignedData(r io.Reader, limits Limits) (*SignedData, error) {
	s, err := OpenSignedData(r, limits)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, s); err != nil {
		return nil, err
	}
	return s.SignedData()
}

// ContentType is the type of what was signed, OIDData as a rule.
func (s *SignedData) ContentType() OID { return s.contentType }

// Detached tells that the content is not inside.
func (s *SignedData) Detached() bool { return s.detached }

// Digests lists the digests the signers used, each once, in the order of the
// signatures. Verify wants the content under at least the trusted signer's one.
// Digests this package does not know are left out.
func (s *SignedData) Digests() []Digest {
	var out []Digest
	for _, si := range s.signers {
		if si.digest != "" && !slices.Contains(out, si.digest) {
			out = append(out, si.digest)
		}
	}
	return out
}

// Signers lists who the message says signed it, in the order of the signatures.
func (s *SignedData) Signers() []Identifier {
	out := make([]Identifier, 0, len(s.signers))
	for _, si := range s.signers {
		out = append(out, si.id)
	}
	return out
}

// Certificates returns the certificates embedded in the message that can be
// parsed. They prove nothing: they are for display, for certificate exchange
// and for comparison with what is configured.
func (s *SignedData) Certificates() []*x509.Certificate {
	var out []*x509.Certificate
	for _, der := range s.certificates {
		// One that crypto/x509 refuses is no use and no harm.
		if c, err := x509.ParseCertificate(der); err == nil {
			out = append(out, c)
		}
	}
	return out
}

// Trailing is the number of octets found behind the end of the structure, such
// as a line end or the garbage some products add. It says 65536 when there was
// that much or more.
func (s *SignedData) Trailing() int { return s.trailing }

// SignedReader streams the content embedded in a SignedData and hashes it on
// the way.
type SignedReader struct {
	b       *berReader
	content *octetReader // nil when detached
	hashes  map[Digest]hash.Hash
	count   int64
	parsed  *SignedData // complete once err is io.EOF
	err     error
}

// OpenSignedData reads the beginning of a SignedData ContentInfo up to its
// content. Read the content to io.EOF, then ask SignedData for the signatures.
// A detached SignedData gives an empty content.
func OpenSignedData(r io.Reader, limits Limits) (*SignedReader, error) {
	b := newBERReader(r, limits)
	id, err := b.openContentInfo()
	if err != nil {
		return nil, err
	}
	if id != OIDSignedData {
		return nil, &UnsupportedError{What: "content type for a signed-data", Name: string(id)}
	}
	b.what = "SignedData"
	if err := b.expectInto(tagSequence, "a sequence"); err != nil {
		return nil, err
	}
	if err := b.version(); err != nil {
		return nil, err
	}
	announced, err := b.digestAlgorithms()
	if err != nil {
		return nil, err
	}
	b.what = "SignedData.encapContentInfo"
	if err := b.expectInto(tagSequence, "the content"); err != nil {
		return nil, err
	}
	s := &SignedReader{b: b, parsed: &SignedData{detached: true}}
	if s.parsed.contentType, err = b.oid("content type"); err != nil {
		return nil, err
	}
	e, ok, err := b.next()
	if err != nil {
		return nil, err
	}
	if !ok {
		return s, nil
	}
	if e.tag != tagContextCons|0 {
		return nil, b.syntax(e.offset, "something else where the content belongs")
	}
	if err := b.enter(e); err != nil {
		return nil, err
	}
	if e, ok, err = b.next(); err != nil {
		return nil, err
	}
	if !ok || e.tag&^constructedBit != tagOctetString {
		return nil, b.syntax(e.offset, "the content is not an octet string")
	}
	if s.content, err = b.octets(e); err != nil {
		return nil, err
	}
	s.parsed.detached = false
	s.hashes = map[Digest]hash.Hash{}
	for _, d := range announced {
		s.hashes[d] = d.New()
	}
	return s, nil
}

// version passes over a version number; they tell nothing the structure does not.
func (b *berReader) version() error {
	e, err := b.expect(tagInteger, "the version")
	if err != nil {
		return err
	}
	c, err := b.parse(e)
	if err != nil {
		return err
	}
	c.integer("version")
	return c.p.err
}

// digestAlgorithms reads the announced digests; when none is known it returns
// all there are, since the signatures may still use one of them.
func (b *berReader) digestAlgorithms() ([]Digest, error) {
	e, err := b.expect(tagSet, "the digest algorithms")
	if err != nil {
		return nil, err
	}
	c, err := b.parse(e)
	if err != nil {
		return nil, err
	}
	set := c.into(tagSet, "digest algorithms")
	var out []Digest
	for set.more() {
		a := set.algorithm("digest algorithm")
		if d, ok := digestOf(a.id); ok && !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	if len(out) == 0 {
		out = Digests()
	}
	return out, c.p.err
}

// Read implements io.Reader. What it hands out is not yet verified: keep it
// until io.EOF and until SignedData's Verify succeeded.
func (s *SignedReader) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.content == nil {
		s.err = s.end()
		return 0, s.err
	}
	n, err := s.content.Read(p)
	s.count += int64(n)
	if limit := s.b.limits.Content; s.count > limit {
		s.err = &LimitError{Limit: "content", Max: limit, Offset: s.b.off}
		return 0, s.err
	}
	for _, h := range s.hashes {
		h.Write(p[:n])
	}
	if errors.Is(err, io.EOF) {
		err = s.end()
	}
	s.err = err
	return n, err
}

// end reads what follows the content; io.EOF means that all was well.
func (s *SignedReader) end() error {
	b := s.b
	if !s.parsed.detached {
		s.parsed.embedded = map[Digest][]byte{}
		for d, h := range s.hashes {
			s.parsed.embedded[d] = h.Sum(nil)
		}
		if err := b.leave(); err != nil { // [0]
			return err
		}
	}
	if err := b.leave(); err != nil { // encapContentInfo
		return err
	}
	b.what = "SignedData"
	for {
		e, ok, err := b.next()
		if err != nil {
			return err
		}
		if !ok {
			return b.syntax(b.off, "there are no signer infos")
		}
		switch e.tag {
		case tagContextCons | 0:
			err = s.readCertificates(e)
		case tagContextCons | 1:
			err = b.skip(e) // revocation lists: trust is decided elsewhere
		case tagSet:
			if err = s.readSigners(e); err != nil {
				return err
			}
			if s.parsed.trailing, err = b.finish(); err != nil {
				return err
			}
			return io.EOF
		default:
			err = b.syntax(e.offset, "something else where certificates or signer infos belong")
		}
		if err != nil {
			return err
		}
	}
}

func (s *SignedReader) readCertificates(e element) error {
	s.b.what = "SignedData.certificates"
	c, err := s.b.parse(e)
	if err != nil {
		return err
	}
	_, set, _ := c.any()
	for set.more() {
		if tag, _, der := set.any(); tag == tagSequence {
			s.parsed.certificates = append(s.parsed.certificates, bytes.Clone(der))
		}
	}
	return c.p.err
}

func (s *SignedReader) readSigners(e element) error {
	s.b.what = "SignedData.signerInfos"
	c, err := s.b.parse(e)
	if err != nil {
		return err
	}
	set := c.into(tagSet, "signer infos")
	for set.more() {
		info := set.into(tagSequence, "signer info")
		info.small("version")
		si := signerInfo{id: info.identifier(tagContext|0, "signer's identifier")}
		si.digestID = info.algorithm("digest algorithm").id
		si.digest, _ = digestOf(si.digestID)
		var attrs cursor
		if attrs, si.hasAttrs = info.optional(tagContextCons | 0); si.hasAttrs {
			si.attrs = attrs.bytes()
		}
		si.algorithm = info.algorithm("signature algorithm")
		si.signature = info.octets("signature")
		if c.p.err == nil {
			s.parsed.signers = append(s.parsed.signers, si)
		}
	}
	return c.p.err
}

// SignedData returns the signatures. It fails until Read has returned io.EOF.
func (s *SignedReader) SignedData() (*SignedData, error) {
	switch {
	case s.err == nil:
		return nil, errors.New("cms: the signatures come after the content: read it to the end first")
	case !errors.Is(s.err, io.EOF):
		return nil, s.err
	}
	return s.parsed, nil
}
