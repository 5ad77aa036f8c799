package as2

import (
	"bytes"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"tradepost/as2/cms"
)

// peelEnveloping opens a SignedData that carries its content.
func (p *peeler) peelEnveloping(r io.Reader, exact bool) error {
	p.r.Signed = true
	s, err := cms.OpenSignedData(r, p.cmsLimits())
	if err != nil {
		return refuse(AuthenticationFailed, err)
	}
	content := p.spool()
	hasher := newMICHasher(p.r.Request.Digests)
	if _, err := copyContent(hashed(content, hasher), s); err != nil {
		return refuseUnlessLocal(IntegrityCheckFailed, err)
	}
	sd, err := s.SignedData()
	if err != nil {
		return refuse(AuthenticationFailed, err)
	}
	if exact && sd.Trailing() > lineEnds {
		return errBehind
	}
	sums := hasher.sums()
	if err := addSums(sums, sd.Digests(), content.section(0, content.size)); err != nil {
		return err
	}
	if err := p.verify(sd, sums); err != nil {
		return err
	}
	p.setMICs(toMICs(sums))
	return p.innerKept(content)
}

// peelSigned opens a multipart/signed (RFC 1847). The signed part is spooled
// as its exact bytes, verified, and only then looked into.
func (p *peeler) peelSigned(e entity, t mediaType) error {
	p.r.Signed = true
	boundary := t.params["boundary"]
	if boundary == "" {
		return refuse(UnexpectedProcessingError, errNoBoundary)
	}
	body, _, err := transferDecoder(e.header, e.body)
	if err != nil {
		return err
	}
	var named []Digest
	for _, name := range strings.Split(t.params["micalg"], ",") {
		if d, err := ParseDigest(name); err == nil {
			named = append(named, d)
		}
	}
	content, signature, sums, err := p.splitSigned(body, boundary, named, e.exact)
	if err != nil {
		return err
	}
	sd, err := readSignature(signature, p.o.Limits)
	if err != nil {
		return refuse(AuthenticationFailed, err)
	}
	if err := addSums(sums, sd.Digests(), content.section(0, content.size)); err != nil {
		return err
	}
	err = p.verify(sd, sums)
	if errors.Is(err, cms.ErrContentChanged) {
		sums, err = p.verifyCanonical(sd, content, err)
	}
	if err != nil {
		return err
	}
	p.setMICs(toMICs(sums))
	return p.innerKept(content)
}

// splitSigned spools the first part of a multipart/signed and returns the
// second whole. A second look without the rule that boundaries begin a line is
// taken when no boundary was found with it.
func (p *peeler) splitSigned(body io.Reader, boundary string, named []Digest, exact bool) (*spooled, []byte, map[Digest][]byte, error) {
	read := func(src io.Reader, lenient bool) (*spooled, []byte, map[Digest][]byte, error) {
		m := newMultipart(src, boundary, p.o.Limits.Parts)
		m.lenient = lenient
		content, hasher := p.spool(), newMICHasher(p.r.Request.Digests, named...)
		if err := m.next(); err != nil {
			return content, nil, nil, multipartFault(err)
		}
		if _, err := m.WriteTo(hashed(content, hasher)); err != nil {
			return content, nil, nil, err
		}
		if err := m.next(); err != nil {
			return content, nil, nil, multipartFault(err)
		}
		signature, err := io.ReadAll(io.LimitReader(m, maxSignature+1))
		if err != nil {
			return content, nil, nil, err
		}
		if len(signature) > maxSignature {
			return content, nil, nil, refuse(AuthenticationFailed, fmt.Errorf("signature part is larger than %d bytes", maxSignature))
		}
		signature, closed := m.closedBy(signature)
		if exact && !closed && !m.endsHere() {
			return content, nil, nil, errBehind
		}
		return content, signature, hasher.sums(), nil
	}
	content, signature, sums, err := read(body, false)
	if errors.Is(err, errUnclosed) && content.size > 0 {
		// Everything behind the first boundary is in the spool by now.
		whole := io.MultiReader(strings.NewReader("--"+boundary+"\r\n"), content.section(0, content.size))
		var err2 error
		if content, signature, sums, err2 = read(whole, true); err2 == nil {
			p.warn("a boundary does not stand at the beginning of a line")
			err = nil
		}
	}
	return content, signature, sums, err
}

// multipartFault turns a multipart without the parts it needs into a fault of
// the sender.
func multipartFault(err error) error {
	if errors.Is(err, io.EOF) {
		return &mimeError{"multipart/signed has fewer than two parts"}
	}
	return err
}

// maxSignature bounds a signature part: certificates of a long chain and
// base64 included.
const maxSignature = 512 << 10

// readSignature parses the signature part of a multipart/signed.
func readSignature(part []byte, l Limits) (*cms.SignedData, error) {
	h, err := readHeader(bufferOf(part), l.Headers)
	if err != nil {
		return nil, err
	}
	der := bytes.TrimLeft(part[len(h.raw):], " \t\r\n")
	if bytes.HasPrefix(der, []byte("M")) { // base64, see cmsReader
		if der, err = io.ReadAll(newBase64Reader(bytes.NewReader(der))); err != nil {
			return nil, err
		}
	}
	return cms.ParseSignedData(bufferOf(der), cms.Limits{Header: maxSignature, Content: 1 << 20})
}

// verify checks a signature against the partner's certificates.
func (p *peeler) verify(sd *cms.SignedData, sums map[Digest][]byte) error {
	if p.unverified {
		if ds := sd.Digests(); len(ds) > 0 && p.r.Digest == "" {
			p.r.Digest = ds[0]
		}
		return nil
	}
	if len(p.rel.Partner.Verify) == 0 {
		return refuse(AuthenticationFailed, errors.New("no certificate of the partner is configured to verify with"))
	}
	v, err := sd.Verify(sums, p.rel.Partner.Verify, time.Time{})
	if err != nil {
		return signatureFault(err)
	}
	if p.r.Signer == nil {
		p.r.Signer, p.r.Digest = v.Certificate, v.Digest
	}
	allowed := p.rel.Policy.Digests
	for _, d := range []Digest{v.Digest, v.SignatureDigest} { // of the content, and of the signed attributes
		if len(allowed) == 0 && d == MD5 || len(allowed) > 0 && !contains(allowed, d) {
			return refuse(InsufficientMessageSecurity, fmt.Errorf("signature digest %s is not agreed", d))
		}
	}
	if v.Digest == SHA1 || v.SignatureDigest == SHA1 {
		p.warn("the signature uses SHA-1")
	}
	return nil
}

// signatureFault names the disposition of a signature that does not verify.
func signatureFault(err error) error {
	var unsupported *cms.UnsupportedError
	switch {
	case errors.Is(err, cms.ErrContentChanged):
		return refuse(IntegrityCheckFailed, err)
	case errors.As(err, &unsupported) && unsupported.What == "digest":
		return refuse(UnsupportedMICAlgorithm, err)
	}
	return refuse(AuthenticationFailed, err)
}

// verifyCanonical tries the signature on what a signer may have hashed that
// is not the exact bytes: line ends made CRLF, or one more line end at the end.
// It returns first when nothing fits. The payload stays as it came.
func (p *peeler) verifyCanonical(sd *cms.SignedData, content *spooled, first error) (map[Digest][]byte, error) {
	for _, form := range canonicalForms() {
		hasher := newMICHasher(p.r.Request.Digests, sd.Digests()...)
		if err := form.copy(hasher, content.section(0, content.size)); err != nil {
			return nil, err
		}
		sums := hasher.sums()
		if err := p.verify(sd, sums); err == nil {
			p.warn("the signature fits only after line ends were made canonical")
			return sums, nil
		}
	}
	return nil, first
}

// addSums computes the digests of content that are wanted and still missing.
func addSums(sums map[Digest][]byte, wanted []Digest, content io.Reader) error {
	missing := map[Digest]hash.Hash{}
	var ws []io.Writer
	for _, d := range wanted {
		if _, ok := sums[d]; !ok && d.Valid() && missing[d] == nil {
			missing[d] = d.New()
			ws = append(ws, missing[d])
		}
	}
	if len(ws) == 0 {
		return nil
	}
	if _, err := copyContent(io.MultiWriter(ws...), content); err != nil {
		return err
	}
	for d, h := range missing {
		sums[d] = h.Sum(nil)
	}
	return nil
}
