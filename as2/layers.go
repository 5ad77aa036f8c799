package as2

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"tradepost/as2/cms"
)

// entity is header fields with the body they describe.
type entity struct {
	header http.Header
	// raw is the exact header bytes with the empty line; nil at the top, where
	// the header is HTTP's.
	raw  []byte
	body io.Reader
	// kept holds the body, behind raw, when it was spooled before; else nil.
	kept *spooled
	// exact forbids octets behind the end of what the body is, which are passed
	// over elsewhere: see peelEncrypted.
	exact bool
}

// peeler takes the layers of security off an entity until the payload is bare.
type peeler struct {
	stop  func() error // tells why to stop, nil to go on
	o     ReceiveOptions
	rel   *Relation
	r     *Received
	depth int
	// unverified skips the check of signatures: a station recalling the MIC
	// of its own transmission.
	unverified bool
	// micSet is true once the MICs are known: at the first signed layer, else
	// at the leaf.
	micSet bool
	bare   MICs // of wrapped unsigned content without its header
	// late is a wrong padding, to be told when nothing else is wrong.
	late error
	// doubtful is unsigned content of a decryption that may have gone wrong.
	doubtful bool
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
	if err := p.stop(); err != nil {
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
func (p *peeler) inner(r io.Reader, exact bool) error {
	br := bufio.NewReaderSize(r, firstBuffer)
	h, err := readHeader(br, p.o.Limits.Headers)
	if err != nil {
		return err
	}
	if !h.ended {
		return &mimeError{"content ends within its header"}
	}
	return p.peel(entity{header: h.fields, raw: h.raw, body: br, exact: exact})
}

// innerKept is inner for an entity that was spooled: its body need not be
// copied once more.
func (p *peeler) innerKept(content *spooled) error {
	h, err := readHeader(bufio.NewReaderSize(content.section(0, content.size), firstBuffer), p.o.Limits.Headers)
	if err != nil {
		return err
	}
	if !h.ended {
		return &mimeError{"content ends within its header"}
	}
	at := int64(len(h.raw))
	return p.peel(entity{header: h.fields, raw: h.raw, body: content.section(at, content.size-at), kept: content})
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
		return p.peelCompressed(br, e.exact)
	case cms.OIDSignedData:
		return p.peelEnveloping(br, e.exact)
	}
	return refuse(UnexpectedProcessingError, fmt.Errorf("CMS content type %s does not belong into AS2", kind))
}

// peelEncrypted decrypts. Whatever goes wrong with a key in it is the same
// decryption-failed, and so is garbage that does not look like MIME.
//
// A mode without authentication, CBC, lets others put octets of their own behind
// a genuine transmission, or in the place of its end. Were the answer another
// one when these happen to make a proper padding, it would decrypt for them
// octet by octet. So a wrong padding is told last, when everything else is
// right; and nothing may stand behind the end of a signature or a compressed
// content, so that everything else is never right. Content that begins like no
// MIME is garbage and not unsigned, though by chance it can be read. What need
// not be signed, and is not, has no such protection.
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
	late := &paddingReader{r: d}
	plain := &stickyReader{r: d}
	if !d.Authenticated {
		plain.r = late
	}
	err = p.inner(plain, !d.Authenticated)
	if e := plain.drain(); e != nil {
		return refuse(DecryptionFailed, e)
	}
	switch {
	case err != nil:
		return refuseGarbage(DecryptionFailed, err)
	case late.err != nil:
		p.late = refuse(DecryptionFailed, late.err)
	default:
		p.r.Recipient = d.Recipient
	}
	return nil
}

// paddingReader makes a wrong padding look like a right one, and keeps it.
type paddingReader struct {
	r   io.Reader
	err error
}

func (p *paddingReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	var syntax *cms.SyntaxError
	var limit *cms.LimitError
	if errors.Is(err, cms.ErrDecrypt) && !errors.As(err, &syntax) && !errors.As(err, &limit) { // those anyone can see
		p.err, err = err, io.EOF
	}
	return n, err
}

// refuseGarbage turns the error of a layer that is no MIME at all into the
// failure of the layer around it, since its octets came out wrong. What an
// inner layer found to refuse stays.
func refuseGarbage(m Modifier, err error) error {
	var refused *DispositionError
	var syntax *mimeError
	if !errors.As(err, &refused) && errors.As(err, &syntax) {
		return refuse(m, err)
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
func (p *peeler) peelCompressed(r io.Reader, exact bool) error {
	p.r.Compressed = true
	d, err := cms.Decompress(r, p.cmsLimits())
	if err != nil {
		return refuse(DecompressionFailed, err)
	}
	if d.Base64 {
		p.warn("the compressed octets are base64 text, which RFC 3274 does not have")
	}
	plain := &stickyReader{r: d}
	err = p.inner(plain, false)
	if e := plain.drain(); e != nil {
		return refuse(DecompressionFailed, e)
	}
	if exact && d.Trailing() > lineEnds {
		return errBehind
	}
	return refuseGarbage(DecompressionFailed, err)
}

// lineEnds is how many octets a line end or two take: less than a block of any
// cipher.
const lineEnds = 4

// errBehind is content with something of others, perhaps, behind its end.
var errBehind = &mimeError{"something stands behind the end"}

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

// refuseUnlessLocal refuses with m unless err is the local disk's.
func refuseUnlessLocal(m Modifier, err error) error {
	var local *SpoolError
	if errors.As(err, &local) {
		return err
	}
	return refuse(m, err)
}

func contains[T comparable](list []T, v T) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}
