package as2

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
)

// leaf takes over the bare content: one payload, or several attachments.
func (p *peeler) leaf(e entity, t mediaType) error {
	if p.rel != nil && p.rel.Policy.RequireSigned && !p.r.Signed {
		p.doubtful = e.exact && !beginsLikeMIME(e.raw)
		return nil // it will be refused, whatever else may be said of it
	}
	content, at := e.kept, int64(len(e.raw))
	if content == nil || !p.micSet {
		var err error
		if content, err = p.keep(e); err != nil {
			return err
		}
		at = 0
	}
	if t.full == "multipart/related" || t.full == "multipart/mixed" {
		return p.attachments(content.section(at, content.size-at), t)
	}
	return p.payload(e.header, content, at, content.size-at)
}

// beginsLikeMIME tells whether header lines begin as everybody writes them.
func beginsLikeMIME(raw []byte) bool {
	start := strings.ToLower(string(raw[:min(len(raw), len("content-"))]))
	return start == "content-" || start == "mime-ver"
}

// keep spools the body of e. It computes the MICs when no signature did: over
// header and content when anything was wrapped around them, else over the
// content alone (RFC 4130 section 7.4.3, RFC 5402 section 4).
func (p *peeler) keep(e entity) (*spooled, error) {
	content := p.spool()
	var hashers []*micHasher
	if !p.micSet {
		hashers = append(hashers, newMICHasher(p.r.Request.Digests))
		if e.raw != nil {
			_, _ = hashers[0].Write(e.raw) // a hash never fails
			if p.unverified {
				hashers = append(hashers, newMICHasher(p.r.Request.Digests))
			}
		}
	}
	most := p.maxPayload()
	most += most / 2
	if n, err := copyContent(hashed(content, hashers...), io.LimitReader(e.body, most+1)); err != nil {
		return nil, err
	} else if n > most {
		return nil, refuse(UnexpectedProcessingError, fmt.Errorf("content is larger than the limit of %d bytes", p.maxPayload()))
	}
	if len(hashers) > 0 {
		p.setMICs(hashers[0].mics())
	}
	if len(hashers) > 1 {
		p.bare = hashers[1].mics()
	}
	return content, nil
}

// payload adds the section of content as one payload, decoding it if need be.
func (p *peeler) payload(h http.Header, content *spooled, off, size int64) error {
	decoded, identity, err := transferDecoder(h, content.section(off, size))
	if err != nil {
		return refuse(UnexpectedProcessingError, err)
	}
	if !identity {
		plain := p.spool()
		if _, err := copyContent(plain, io.LimitReader(decoded, p.maxPayload()+1)); err != nil {
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
func (p *peeler) attachments(content io.Reader, t mediaType) error {
	boundary := t.params["boundary"]
	if boundary == "" {
		return refuse(UnexpectedProcessingError, errNoBoundary)
	}
	m := newMultipart(content, boundary, p.o.Limits.Parts)
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
		br := bufio.NewReaderSize(m, firstBuffer)
		h, err := readHeader(br, p.o.Limits.Headers)
		if err != nil {
			return refuseUnlessLocal(UnexpectedProcessingError, err)
		}
		part := p.spool()
		if _, err := copyContent(part, br); err != nil {
			return refuseUnlessLocal(UnexpectedProcessingError, err)
		}
		if err := p.payload(h.fields, part, 0, part.size); err != nil {
			return err
		}
	}
}
