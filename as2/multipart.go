package as2

import (
	"bytes"
	"errors"
	"io"
)

// maxBoundaryLine is how much may stand behind a boundary on its line.
const maxBoundaryLine = 256

var (
	errNoBoundary = &mimeError{"multipart without a boundary parameter"}
	errUnclosed   = &mimeError{"multipart ends before its closing boundary"}
	errTooMany    = &mimeError{"more parts than the limit"}
)

// multipartReader splits a multipart into the exact bytes of its parts
// (RFC 2046 section 5.1). The line end before a boundary belongs to the
// boundary, be it CRLF or LF. Nothing else is changed, which the standard
// library's reader cannot promise.
//
// Call next, then Read to io.EOF for the part (header lines included), then
// next again.
type multipartReader struct {
	src   io.Reader
	delim []byte // "--" + boundary
	// lenient also takes a boundary that does not stand at the beginning of a
	// line, as long as nothing follows it on its line.
	lenient bool

	buf       []byte
	pos, end  int
	total     int64 // octets read so far
	srcErr    error
	lineStart bool // buf[pos] begins a line
	found     bool // the boundary at hit ends the current part
	hit       int  // offset in buf where the part's bytes end
	after     int  // offset in buf behind the boundary's line
	last      bool // that boundary closes the multipart
	started   bool
	safe      int // bytes from pos already known to be content
	// unclosed is set when the input ended without a closing boundary; the
	// last part then reaches to the end of the input.
	unclosed bool
	parts    int
	maxParts int
}

// newMultipart reads the multipart with the given boundary from r.
func newMultipart(r io.Reader, boundary string, maxParts int) *multipartReader {
	return &multipartReader{
		src: r, delim: []byte("--" + boundary), buf: make([]byte, max(firstBuffer, 4*(len(boundary)+maxBoundaryLine))),
		lineStart: true, maxParts: maxParts,
	}
}

// multipartOf reads a multipart that is in memory; each part is one piece of
// body.
func multipartOf(body []byte, boundary string, maxParts int) *multipartReader {
	return &multipartReader{
		delim: []byte("--" + boundary), buf: body, end: len(body), srcErr: io.EOF,
		lineStart: true, maxParts: maxParts,
	}
}

// part returns the current part of a multipart in memory.
func (m *multipartReader) part() ([]byte, error) {
	piece, err := m.piece()
	if errors.Is(err, io.EOF) {
		return nil, nil // it is empty
	}
	return piece, err
}

// fill reads more input, making room first.
func (m *multipartReader) fill() {
	into := m.buf
	if m.total >= int64(len(m.buf)) && len(m.buf) < lastBuffer {
		into = make([]byte, 2*len(m.buf))
	}
	m.end = copy(into, m.buf[m.pos:m.end])
	m.buf, m.pos = into, 0
	for i := 0; i < 100 && m.srcErr == nil && m.end < len(m.buf); i++ {
		n, err := m.src.Read(m.buf[m.end:])
		m.end += n
		m.total += int64(n)
		m.srcErr = err
		if n > 0 {
			return
		}
	}
	if m.srcErr == nil && m.end < len(m.buf) {
		m.srcErr = io.ErrNoProgress
	}
}

// scan looks for the next boundary. It sets found, or returns how many bytes
// from pos are surely content (0 at the end of the input only when nothing is
// left).
func (m *multipartReader) scan() (safe int) {
	for {
		if m.found {
			return m.hit - m.pos
		}
		keep := len(m.delim) + 2 // a boundary and its line end may be cut in two
		incomplete := false
		from := m.pos
		for from < m.end {
			i := bytes.Index(m.buf[from:m.end], m.delim)
			if i < 0 {
				break
			}
			i += from
			from = i + 1
			atStart := i == m.pos && m.lineStart || i > m.pos && m.buf[i-1] == '\n'
			if !atStart && !m.lenient {
				continue
			}
			rest := m.buf[i+len(m.delim) : m.end]
			eol := bytes.IndexByte(rest, '\n')
			if eol < 0 && len(rest) <= maxBoundaryLine && m.srcErr == nil {
				incomplete = true
				keep = m.end - i + 2
				break
			}
			line := rest
			if eol >= 0 {
				line = rest[:eol+1]
			}
			last, ok := boundaryTail(line, eol < 0)
			if !ok {
				continue
			}
			m.found, m.last = true, last
			m.hit, m.after = i, i+len(m.delim)+len(line)
			if m.hit > m.pos && m.buf[m.hit-1] == '\n' {
				m.hit--
				if m.hit > m.pos && m.buf[m.hit-1] == '\r' {
					m.hit--
				}
			}
			return m.hit - m.pos
		}
		if m.srcErr != nil {
			return m.end - m.pos
		}
		if safe := m.end - m.pos - keep; safe > 0 {
			return safe
		}
		before := m.end - m.pos
		m.fill()
		if m.end-m.pos == before && m.srcErr == nil && incomplete {
			// Cannot happen while the buffer is larger than a boundary line;
			// give up rather than spin.
			m.srcErr = io.ErrNoProgress
		}
	}
}

// boundaryTail tells whether line, what follows the boundary on its line, is
// the end of a boundary line, and whether it closes the multipart.
func boundaryTail(line []byte, atEnd bool) (last, ok bool) {
	line = bytes.TrimRight(line, " \t\r\n")
	switch {
	case len(line) == 0:
		return atEnd, true
	case bytes.Equal(line, []byte("--")):
		return true, true
	case atEnd && bytes.Equal(line, []byte("-")):
		return true, true // the answer was cut a few bytes short
	}
	return false, false
}

// piece returns more of the current part, as it lies in the buffer. io.EOF
// means that the part has ended.
func (m *multipartReader) piece() ([]byte, error) {
	if !m.started {
		return nil, io.EOF
	}
	if m.safe == 0 {
		m.safe = m.scan()
	}
	if m.safe == 0 {
		if m.found {
			return nil, io.EOF
		}
		if m.srcErr != nil && !errors.Is(m.srcErr, io.EOF) {
			return nil, m.srcErr
		}
		m.unclosed = true
		return nil, io.EOF
	}
	return m.buf[m.pos : m.pos+m.safe], nil
}

// Read reads from the current part.
func (m *multipartReader) Read(p []byte) (int, error) {
	piece, err := m.piece()
	if err != nil {
		return 0, err
	}
	n := copy(p, piece)
	m.advance(n)
	m.safe -= n
	return n, nil
}

// WriteTo writes what is left of the current part, without a copy.
func (m *multipartReader) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		piece, err := m.piece()
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		n, err := w.Write(piece)
		total += int64(n)
		if err != nil {
			return total, err
		}
		m.advance(len(piece))
		m.safe = 0
	}
}

// blank is what may stand anywhere.
const blank = " \t\r\n"

// closedBy takes the closing boundary off the end of a part that reached to the
// end of the input, where it stands when no line end is before it.
func (m *multipartReader) closedBy(part []byte) ([]byte, bool) {
	if !m.unclosed {
		return part, false
	}
	before, ok := bytes.CutSuffix(bytes.TrimRight(part, blank), []byte("--"))
	if ok {
		before, ok = bytes.CutSuffix(before, m.delim)
	}
	if !ok {
		return part, false
	}
	return before, true
}

// endsHere tells whether the part just read to its end is the last, and nothing
// but white space follows it.
func (m *multipartReader) endsHere() bool {
	if m.unclosed || !m.last {
		return false
	}
	rest := m.buf[m.after:m.end]
	for len(bytes.Trim(rest, blank)) == 0 {
		if m.srcErr != nil {
			return errors.Is(m.srcErr, io.EOF)
		}
		m.pos = m.end
		m.fill()
		rest = m.buf[m.pos:m.end]
	}
	return false
}

// advance drops n bytes of content.
func (m *multipartReader) advance(n int) {
	if n == 0 {
		return
	}
	m.lineStart = m.buf[m.pos+n-1] == '\n'
	m.pos += n
}

// next goes to the next part. io.EOF means that the closing boundary was
// reached; errUnclosed that the input ended without one.
func (m *multipartReader) next() error {
	m.safe = 0
	for {
		n := m.scan()
		if n == 0 {
			break
		}
		m.advance(n)
	}
	if !m.found {
		if m.srcErr != nil && !errors.Is(m.srcErr, io.EOF) {
			return m.srcErr
		}
		m.unclosed = true
		m.started = false
		return errUnclosed
	}
	if m.last {
		m.started = false
		return io.EOF
	}
	if m.parts++; m.parts > m.maxParts {
		return errTooMany
	}
	m.pos, m.lineStart, m.found, m.last = m.after, true, false, false
	m.started = true
	return nil
}
