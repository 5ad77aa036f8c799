package as2

import (
	"bytes"
	"io"
)

// canonicalForm is a form of a signed part that a signer may have hashed
// instead of the bytes that arrived.
type canonicalForm struct {
	lines lineForm
	extra bool // one more line end at the end
}

// lineForm says which bare line ends become CRLF.
type lineForm int

const (
	asReceived lineForm = iota
	headerLines
	allLines
)

// canonicalForms lists the forms other than the exact bytes, the likelier
// ones first.
func canonicalForms() []canonicalForm {
	return []canonicalForm{
		{asReceived, true},
		{allLines, false},
		{allLines, true},
		{headerLines, false},
		{headerLines, true},
	}
}

// copy writes content to w in the form f.
func (f canonicalForm) copy(w io.Writer, content io.Reader) error {
	dst := w
	switch f.lines {
	case headerLines:
		dst = &headerCRLFWriter{w: w}
	case allLines:
		dst = &crlfWriter{w: w}
	case asReceived:
	}
	if _, err := copyContent(dst, content); err != nil {
		return err
	}
	if f.extra {
		_, err := io.WriteString(w, crlf)
		return err
	}
	return nil
}

// crlfWriter makes every bare LF and bare CR a CRLF.
type crlfWriter struct {
	w  io.Writer
	cr bool // the last byte was a CR whose line end is already written
}

func (c *crlfWriter) Write(p []byte) (int, error) {
	buf := make([]byte, 0, len(p)+len(p)/16+2)
	for _, b := range p {
		switch {
		case b == '\n' && c.cr:
		case b == '\n' || b == '\r':
			buf = append(buf, '\r', '\n')
		default:
			buf = append(buf, b)
		}
		c.cr = b == '\r'
	}
	if _, err := c.w.Write(buf); err != nil {
		return 0, err
	}
	return len(p), nil
}

// headerCRLFWriter makes every bare LF a CRLF up to the first empty line.
type headerCRLFWriter struct {
	w    io.Writer
	last byte
	line int // bytes on the current line, CR not counted
	body bool
}

func (c *headerCRLFWriter) Write(p []byte) (int, error) {
	rest := p
	if !c.body {
		var buf bytes.Buffer
		for len(rest) > 0 && !c.body {
			b := rest[0]
			rest = rest[1:]
			switch {
			case b == '\n':
				if c.last != '\r' {
					buf.WriteByte('\r')
				}
				c.body, c.line = c.line == 0, 0
			case b != '\r':
				c.line++
			}
			buf.WriteByte(b)
			c.last = b
		}
		if _, err := c.w.Write(buf.Bytes()); err != nil {
			return 0, err
		}
	}
	if len(rest) > 0 {
		if _, err := c.w.Write(rest); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
