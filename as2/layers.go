package as2

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"tradepost/as2/cms"
)

// entity is header fields with the body they describe.
type entity struct {
	header http.Header
	// raw is the exact header bytes with the empty line; nil at the top, where
	// the header is HTTP's.
	raw  []byte
	body io.Reader
}

// peeler takes the layers of security off an entity until the payload is bare.
type peeler struct {
	ctx   context.Context //nolint:containedctx // lives as long as one Receive
	o     ReceiveOptions
	rel   *Relation
	r     *Received
	depth int
	// unverified skips the check of signatures: a station recalling the MIC
	// of its own transmission.
	unverified bool
	// named are the digests to compute however large the content is.
	named []Digest
	// micSet is true once the MICs are known: at the first signed layer, else
	// at the leaf.
	micSet bool
	bare   MICs // of wrapped unsigned content without its header
}

// refuse makes the error of a refused transmission.
func refuse(m Modifier, err error) error {
	return &DispositionError{Disposition: Disposition{Type: "processed", Severity: SeverityError, Modifier: m}, Err: err}
}

// stickyReader remembers the first error of its reader, so that a layer can
// tell its own failures from those of the layer below.
type stickyReader struct {
	r   io.Reader
	err error
}

func (s *stickyReader) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	s.err = err
	return n, err
}

// drain reads s to its end and returns its failure, nil for a proper end.
func (s *stickyReader) drain() error {
	_, _ = io.Copy(io.Discard, s) // the error is kept in s
	if s.err != nil && !errors.Is(s.err, io.EOF) {
		return s.err
	}
	return nil
}

// maxPayload is the largest content this relation may send.
func (p *peeler) maxPayload() int64 {
	if p.rel != nil && p.rel.Policy.MaxPayload > 0 {
		return p.rel.Policy.MaxPayload
	}
	return p.o.Limits.Payload
}

func (p *peeler) cmsLimits() cms.Limits {
	// Content that is still wrapped in MIME and signature may be larger than
	// the payload by a little, or by a third when it is base64.
	content := p.maxPayload()
	content += content/2 + 1<<20
	return cms.Limits{Content: content, Ratio: p.o.Limits.InflateRatio}
}

// peel opens e and puts the payloads into the Received.
func (p *peeler) peel(e entity) error {
	if p.depth++; p.depth > p.o.Limits.Depth {
		return refuse(UnexpectedProcessingError, fmt.Errorf("more than %d layers", p.o.Limits.Depth))
	}
	if err := p.ctx.Err(); err != nil {
		return err
	}
	t := parseMediaType(e.header.Get("Content-Type"))
	switch t.full {
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		return p.peelCMS(e)
	case "multipart/signed":
		return p.peelSigned(e, t)
	}
	return p.leaf(e, t)
}

// inner reads the header of an entity found inside a layer and peels on.
func (p *peeler) inner(r io.Reader) error {
	br := bufio.NewReaderSize(r, 32<<10)
	h, err := readHeader(br, p.o.Limits.Headers)
	if err != nil {
		return err
	}
	if !h.ended {
		return &mimeError{"content ends within its header"}
	}
	return p.peel(entity{header: h.fields, raw: h.raw, body: br})
}

// peelCMS opens an application/pkcs7-mime of any kind.
func (p *peeler) peelCMS(e entity) error {
	br := cmsReader(e.body)
	kind, err := cms.Peek(br)
	if err != nil {
		smime := strings.ToLower(parseMediaType(e.header.Get("Content-Type")).params["smime-type"])
		if smime == "compressed-data" {
			return refuse(DecompressionFailed, err)
		}
		return refuse(DecryptionFailed, err)
	}
	switch kind {
	case cms.OIDEnvelopedData, cms.OIDAuthEnvelopedData:
		return p.peelEncrypted(br)
	case cms.OIDCompressedData:
		return p.peelCompressed(br)
	case cms.OIDSignedData:
		return p.peelEnveloping(br)
	}
	return refuse(UnexpectedProcessingError, fmt.Errorf("CMS content type %s does not belong into AS2", kind))
}

// peelEncrypted decrypts. Whatever goes wrong with a key in it is the same
// decryption-failed, and so is garbage that does not look like MIME.
func (p *peeler) peelEncrypted(r io.Reader) error {
	p.r.Encrypted = true
	d, err := cms.Decrypt(p.o.rand(), r, p.decryptionKeys(), p.cmsLimits())
	if err != nil {
		return refuse(DecryptionFailed, err)
	}
	p.r.Cipher = d.Cipher
	if allowed := p.rel.Policy.Ciphers; len(allowed) > 0 && !contains(allowed, d.Cipher) {
		return refuse(InsufficientMessageSecurity, fmt.Errorf("cipher %s is not agreed", d.Cipher))
	}
	plain := &stickyReader{r: d}
	err = p.inner(plain)
	if e := plain.drain(); e != nil {
		return refuse(DecryptionFailed, e)
	}
	var syntax *mimeError
	if errors.As(err, &syntax) {
		return refuse(DecryptionFailed, err)
	}
	return err
}

func (p *peeler) decryptionKeys() []cms.DecryptionKey {
	var keys []cms.DecryptionKey
	for _, k := range p.rel.Station.Keys {
		keys = append(keys, cms.DecryptionKey{Certificate: k.Certificate, Key: k.Private})
	}
	return keys
}

// peelCompressed inflates (RFC 3274).
func (p *peeler) peelCompressed(r io.Reader) error {
	p.r.Compressed = true
	d, err := cms.Decompress(r, p.cmsLimits())
	if err != nil {
		return refuse(DecompressionFailed, err)
	}
	plain := &stickyReader{r: d}
	err = p.inner(plain)
	if e := plain.drain(); e != nil {
		return refuse(DecompressionFailed, e)
	}
	var syntax *mimeError
	if errors.As(err, &syntax) {
		return refuse(DecompressionFailed, err)
	}
	return err
}

// peelEnveloping opens a SignedData that carries its content.
func (p *peeler) peelEnveloping(r io.Reader) error {
	p.r.Signed = true
	s, err := cms.OpenSignedData(r, p.cmsLimits())
	if err != nil {
		return refuse(AuthenticationFailed, err)
	}
	content := p.spool()
	hasher := newMICHasher(p.named...)
	if err := copyContent(io.MultiWriter(content, hasher), s); err != nil {
		return refuseUnlessLocal(IntegrityCheckFailed, err)
	}
	sd, err := s.SignedData()
	if err != nil {
		return refuse(AuthenticationFailed, err)
	}
	sums := hasher.sums()
	if err := addSums(sums, sd.Digests(), content.section(0, content.size)); err != nil {
		return err
	}
	if err := p.verify(sd, sums); err != nil {
		return err
	}
	p.setMICs(toMICs(sums))
	return p.inner(content.section(0, content.size))
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
	named := p.named
	for _, name := range strings.Split(t.params["micalg"], ",") {
		if d, err := ParseDigest(name); err == nil {
			named = append(named, d)
		}
	}
	content, signature, sums, err := p.splitSigned(body, boundary, named)
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
	return p.inner(content.section(0, content.size))
}

// splitSigned spools the first part of a multipart/signed and returns the
// second whole. A second look without the rule that boundaries begin a line is
// taken when no boundary was found with it.
func (p *peeler) splitSigned(body io.Reader, boundary string, named []Digest) (*spooled, []byte, map[Digest][]byte, error) {
	read := func(src io.Reader, lenient bool) (*spooled, []byte, map[Digest][]byte, error) {
		m := newMultipart(src, boundary, p.o.Limits.Parts)
		m.lenient = lenient
		content, hasher := p.spool(), newMICHasher(named...)
		if err := m.next(); err != nil {
			return content, nil, nil, multipartFault(err)
		}
		if err := copyContent(io.MultiWriter(content, hasher), m); err != nil {
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
	br := bufio.NewReaderSize(bytes.NewReader(part), 4<<10)
	if _, err := readHeader(br, l.Headers); err != nil {
		return nil, err
	}
	return cms.ParseSignedData(cmsReader(br), cms.Limits{Header: maxSignature, Content: 1 << 20})
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
	if len(allowed) == 0 && v.Digest == MD5 || len(allowed) > 0 && !contains(allowed, v.Digest) {
		return refuse(InsufficientMessageSecurity, fmt.Errorf("signature digest %s is not agreed", v.Digest))
	}
	if v.Digest == SHA1 {
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
		hasher := newMICHasher(append(sd.Digests(), p.named...)...)
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

// leaf takes over the bare content: one payload, or several attachments.
func (p *peeler) leaf(e entity, t mediaType) error {
	wrapped := e.raw != nil
	content, hasher := p.spool(), newMICHasher(p.named...)
	var bare *micHasher
	var w io.Writer = content
	if !p.micSet {
		// Not signed: the MIC covers header and content when anything was
		// wrapped around them, else the content alone (RFC 4130 section 7.4.3,
		// RFC 5402 section 4).
		w = io.MultiWriter(content, hasher)
		if wrapped {
			_, _ = hasher.Write(e.raw)
			if p.unverified {
				bare = newMICHasher(p.named...)
				w = io.MultiWriter(content, hasher, bare)
			}
		}
	}
	max := p.maxPayload()
	if n, err := io.Copy(w, io.LimitReader(e.body, max+max/2+1)); err != nil {
		return err
	} else if n > max+max/2 {
		return refuse(UnexpectedProcessingError, fmt.Errorf("content is larger than the limit of %d bytes", max))
	}
	if !p.micSet {
		p.setMICs(hasher.mics())
		if bare != nil {
			p.bare = bare.mics()
		}
	}
	if t.full == "multipart/related" || t.full == "multipart/mixed" {
		return p.attachments(content, t)
	}
	return p.payload(e.header, content, 0, content.size)
}

// payload adds the section of content as one payload, decoding it if need be.
func (p *peeler) payload(h http.Header, content *spooled, off, size int64) error {
	decoded, identity, err := transferDecoder(h, content.section(off, size))
	if err != nil {
		return refuse(UnexpectedProcessingError, err)
	}
	if !identity {
		plain := p.spool()
		if _, err := io.Copy(plain, io.LimitReader(decoded, p.maxPayload()+1)); err != nil {
			return refuseUnlessLocal(UnexpectedProcessingError, fmt.Errorf("content transfer encoding: %w", err))
		}
		content, off, size = plain, 0, plain.size
	}
	if size > p.maxPayload() {
		return refuse(UnexpectedProcessingError, fmt.Errorf("payload is larger than the limit of %d bytes", p.maxPayload()))
	}
	name := filename(h)
	if p.rel != nil && p.rel.Policy.FileNames && !legalFilename(name) {
		return refuse(IllegalFilename, fmt.Errorf("file name %q", clip(name)))
	}
	contentType := strings.TrimSpace(h.Get("Content-Type"))
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	p.r.Payloads = append(p.r.Payloads, Payload{
		ContentType: contentType,
		Filename:    name,
		Size:        size,
		Open: func() (io.ReadCloser, error) {
			if content.closed {
				return nil, &SpoolError{errors.New("the transmission was closed")}
			}
			return io.NopCloser(content.section(off, size)), nil
		},
	})
	return nil
}

// legalFilename tells whether name is a plain file name.
func legalFilename(name string) bool {
	if name == "" {
		return true
	}
	if len(name) > 255 || name == "." || name == ".." || path.Base(name) != name || strings.ContainsAny(name, `\:*?"<>|`) {
		return false
	}
	for _, c := range []byte(name) {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// attachments splits a multipart/related (RFC 6362) into its payloads.
func (p *peeler) attachments(content *spooled, t mediaType) error {
	boundary := t.params["boundary"]
	if boundary == "" {
		return refuse(UnexpectedProcessingError, errNoBoundary)
	}
	m := newMultipart(content.section(0, content.size), boundary, p.o.Limits.Parts)
	for {
		switch err := m.next(); {
		case errors.Is(err, io.EOF) || errors.Is(err, errUnclosed) && len(p.r.Payloads) > 0:
			if len(p.r.Payloads) == 0 {
				return refuse(UnexpectedProcessingError, &mimeError{"multipart without parts"})
			}
			return nil
		case err != nil:
			return refuseUnlessLocal(UnexpectedProcessingError, err)
		}
		br := bufio.NewReaderSize(m, 32<<10)
		h, err := readHeader(br, p.o.Limits.Headers)
		if err != nil {
			return refuseUnlessLocal(UnexpectedProcessingError, err)
		}
		part := p.spool()
		if _, err := io.Copy(part, br); err != nil {
			return refuseUnlessLocal(UnexpectedProcessingError, err)
		}
		if err := p.payload(h.fields, part, 0, part.size); err != nil {
			return err
		}
	}
}

// setMICs keeps the MICs of the outermost signed layer, else of the leaf.
func (p *peeler) setMICs(m MICs) {
	if !p.micSet {
		p.r.MICs, p.micSet = m, true
	}
}

func (p *peeler) warn(text string) { p.r.Warnings = append(p.r.Warnings, text) }

// spool makes a spooled content that lives as long as the Received.
func (p *peeler) spool() *spooled {
	s := p.o.Spool.create()
	p.r.spooled = append(p.r.spooled, s)
	return s
}

// copyContent copies and hides io.WriterTo and io.ReaderFrom short cuts.
func copyContent(w io.Writer, r io.Reader) error {
	_, err := io.Copy(w, struct{ io.Reader }{r})
	return err
}

// refuseUnlessLocal refuses with m unless err is the local disk's.
func refuseUnlessLocal(m Modifier, err error) error {
	var local *SpoolError
	if errors.As(err, &local) {
		return err
	}
	return refuse(m, err)
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
	if _, err := io.Copy(io.MultiWriter(ws...), content); err != nil {
		return err
	}
	for d, h := range missing {
		sums[d] = h.Sum(nil)
	}
	return nil
}

func contains[T comparable](list []T, v T) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}
