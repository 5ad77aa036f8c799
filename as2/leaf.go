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
