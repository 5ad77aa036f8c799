package edi

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// byte classes of the current delimiters
const (
	classElement  uint8 = 1 << iota // element separator
	classSub                        // component or repetition separator
	classRelease                    // release character
	classNewline                    // CR or LF, unless it is the terminator
	classTerminal                   // segment terminator
	classSkip                       // white space passed over between segments
	classHead                       // B, I, U: the tag may need a closer look
)

// states of a Reader
const (
	stateStart   uint8 = iota // nothing read yet
	stateInside               // between a header and its trailer
	stateBetween              // behind an IEA, UNZ or UIZ
)

const (
	firstBuffer = 64 << 10
	emptyReads  = 100
)

// Reader reads segments from a stream. It is not safe for use by several
// goroutines at once. Its memory is one buffer, which grows to the longest
// segment, bounded by Limits.
type Reader struct {
	src    io.Reader
	strict bool
	lim    Limits

	buf      []byte
	pos, end int   // unread bytes are buf[pos:end]
	base     int64 // offset in the input of buf[0]
	eof      bool
	readErr  error
	fixed    bool // buf belongs to the caller: never written, never grown

	line    int
	ordinal int
	lastCR  bool // the byte before pos is a CR

	state   uint8
	delims  Delimiters
	una     bool // the segment before was a UNA
	class   [256]uint8
	scan    *scanner
	object  int64  // bytes of the object that follows, -1 for none
	found   [2]int // where in the lead the object was found
	discard bool   // passing over a segment that broke a limit

	seg      Segment
	notices  []Notice
	trailing []byte
	err      error
}

// NewReader returns a Reader over r.
func NewReader(r io.Reader, o Options) *Reader {
	rd := &Reader{strict: o.Strict, lim: o.Limits.WithDefaults()}
	rd.Reset(r)
	return rd
}

// NewBytesReader returns a Reader over b, which it reads in place: b must not
// change while segments of it are in use.
func NewBytesReader(b []byte, o Options) *Reader {
	rd := &Reader{strict: o.Strict, lim: o.Limits.WithDefaults()}
	rd.ResetBytes(b)
	return rd
}

// NewFragmentReader returns a Reader over b, a part of an interchange such as
// one document or group, whose delimiters are known. Offsets count from the
// start of b.
func NewFragmentReader(b []byte, d Delimiters, o Options) *Reader {
	rd := &Reader{strict: o.Strict, lim: o.Limits.WithDefaults()}
	rd.ResetFragment(b, d)
	return rd
}

// ResetFragment makes r read b in place, a part of an interchange with the
// delimiters d.
func (r *Reader) ResetFragment(b []byte, d Delimiters) {
	r.ResetBytes(b)
	r.setDelimiters(d)
	r.state = stateInside
}

// Reset makes r read src from the start, with the options it has, and keeps
// its buffers.
func (r *Reader) Reset(src io.Reader) {
	buf := r.buf
	if r.fixed || buf == nil {
		buf = make([]byte, firstBuffer)
	}
	r.reset(buf)
	r.src = src
}

// ResetBytes makes r read b in place.
func (r *Reader) ResetBytes(b []byte) {
	r.reset(b)
	r.end, r.eof, r.fixed = len(b), true, true
}

func (r *Reader) reset(buf []byte) {
	if r.scan == nil {
		r.scan = newScanner(r.lim)
	}
	r.scan.ready = false
	sep, elem := r.seg.sep, r.seg.elem
	if sep == nil {
		sep, elem = make([]uint32, quickSize), make([]uint32, quickSize)
	}
	*r = Reader{strict: r.strict, lim: r.lim, buf: buf, line: 1, object: -1, scan: r.scan, notices: r.notices[:0]}
	r.seg = Segment{delims: &r.delims, sep: sep, elem: elem}
}

// Delimiters returns the delimiters in force: those of the interchange the
// last segment belongs to.
func (r *Reader) Delimiters() Delimiters { return r.delims }

// Notices returns the waivers the last call of Next made, io.EOF included. The
// slice is valid until the next call.
func (r *Reader) Notices() []Notice { return r.notices }

// Trailing returns, after Next has returned io.EOF, the bytes behind the last
// segment.
func (r *Reader) Trailing() []byte { return r.trailing }

// Offset returns the byte offset in the input behind the last segment.
func (r *Reader) Offset() int64 { return r.base + int64(r.pos) }

// Position returns the place behind the last segment: the offset and line of the
// byte there, and the ordinal of that segment.
func (r *Reader) Position() Position {
	return Position{Offset: r.Offset(), Line: r.line, Ordinal: r.ordinal}
}

// CanSkip tells whether the Reader stands between two ordinary segments of an
// interchange, with nothing in its buffer.
func (r *Reader) CanSkip() bool {
	return r.pos == r.end && !r.eof && r.state == stateInside && r.object < 0 && !r.una && !r.lastCR && !r.discard && r.err == nil
}

// Skip goes on behind size bytes of the input that the underlying reader does
// not bring, because another Reader has read them as a fragment with the same
// delimiters: whole segments, so many lines ending in them, and nothing out of
// the ordinary. It changes nothing and returns false when CanSkip does.
func (r *Reader) Skip(size int64, lines, segments int) bool {
	if !r.CanSkip() {
		return false
	}
	r.base += size
	r.line += lines
	r.ordinal += segments
	return true
}

// Next returns the next segment, or io.EOF behind the last one. The segment is
// valid until the next call. Errors are *SyntaxError or wrap what the
// underlying reader returned; after an error that is not Recoverable every
// further call returns the same error.
func (r *Reader) Next() (*Segment, error) {
	r.notices = r.notices[:0]
	if r.scan.ready && r.quick() {
		return &r.seg, nil
	}
	return r.long()
}

// long reads the next segment whatever it is.
func (r *Reader) long() (*Segment, error) {
	if r.err != nil {
		return nil, r.err
	}
	r.scan.ready = false
	seg, err := r.next()
	if err == nil && r.strict && len(r.notices) > 0 {
		n := r.notices[0]
		err = &SyntaxError{Position: n.Position, Code: Code(n.Rule), Msg: "read strictly: " + strings.TrimSuffix(n.Rule.Explain(), "."), Hint: "correct the input or read it without Strict"}
		seg = nil
	}
	if err != nil {
		var se *SyntaxError
		if !errors.As(err, &se) || !se.Recoverable {
			r.err = err
		}
		return nil, err
	}
	r.scan.ready = r.state == stateInside && r.object < 0 && !r.una && r.delims.SegmentTail == "" && seg.Object == nil && seg.binary == 0
	return seg, nil
}

// window returns the unread bytes in the buffer.
func (r *Reader) window() []byte { return r.buf[r.pos:r.end] }

// more reads more bytes behind the window and tells whether there were any.
// The window moves; offsets relative to it stay right.
func (r *Reader) more() bool {
	if r.eof {
		return false
	}
	if r.pos > 0 {
		n := copy(r.buf, r.buf[r.pos:r.end])
		r.base += int64(r.pos)
		r.pos, r.end = 0, n
	}
	if r.end == len(r.buf) {
		grown := make([]byte, 2*len(r.buf))
		copy(grown, r.buf)
		r.buf = grown
	}
	for range emptyReads {
		n, err := r.src.Read(r.buf[r.end:])
		if n < 0 || n > len(r.buf)-r.end {
			r.eof, r.readErr = true, errors.New("reader returned an impossible count")
			return false
		}
		r.end += n
		if err != nil {
			r.eof = true
			if err != io.EOF {
				r.readErr = err
			}
		}
		if n > 0 {
			return true
		}
		if r.eof {
			return false
		}
	}
	r.eof, r.readErr = true, io.ErrNoProgress
	return false
}

// need makes the window at least n bytes long, if the input has them.
func (r *Reader) need(n int) []byte {
	for r.end-r.pos < n && r.more() {
	}
	return r.window()
}

// failed returns the error of the underlying reader, once the window is used
// up to its end.
func (r *Reader) failed() error {
	if r.readErr == nil {
		return nil
	}
	if errors.Is(r.readErr, io.EOF) {
		// Not the plain io.EOF: the end came too early. It must not look like the end.
		return fmt.Errorf("edi: read failed behind byte %d (%q): %w", r.base+int64(r.end), r.readErr.Error(), io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("edi: read failed behind byte %d: %w", r.base+int64(r.end), r.readErr)
}

// at returns the position of byte n of the window, before the segment there
// is counted.
func (r *Reader) at(n int) Position {
	p := Position{Offset: r.base + int64(r.pos) + int64(n), Line: r.line, Ordinal: r.ordinal + 1}
	if n > 0 {
		before := r.buf[r.pos : r.pos+n]
		if p.Line += countLines(before); r.lastCR && before[0] == '\n' {
			p.Line--
		}
	}
	return p
}

func (r *Reader) notice(rule Rule, p Position, length int) {
	r.notices = append(r.notices, Notice{Position: p, Rule: rule, Length: int64(length)})
}

func (r *Reader) setDelimiters(d Delimiters) {
	r.delims = d
	c := &r.class
	*c = [256]uint8{'B': classHead, 'I': classHead, 'U': classHead, ' ': classSkip, '\t': classSkip, 0: classSkip, 0x1A: classSkip, '\r': classSkip | classNewline, '\n': classSkip | classNewline}
	put := func(b, v uint8) {
		if b != 0 {
			c[b] = v
		}
	}
	put(d.Component, classSub)
	put(d.Repetition, classSub)
	put(d.Release, classRelease)
	put(d.Element, classElement)
	put(d.Segment, classTerminal)
	r.scan.prepare(c, d)
}

// next reads one segment.
func (r *Reader) next() (*Segment, error) {
	if r.discard {
		r.passOver()
	}
	var lead int
	var err error
	switch {
	case r.object >= 0:
		lead, err = r.passObject()
	case r.state == stateInside:
		lead, err = r.passWhiteSpace()
	default:
		lead, err = r.findInterchange()
	}
	if err != nil {
		return nil, err
	}
	w := r.need(lead + 4)
	if len(w) >= lead+4 {
		switch w[lead] {
		case 'I':
			if w[lead+1] == 'S' && w[lead+2] == 'A' && usable(w[lead+3]) {
				return r.readISA(lead)
			}
		case 'U':
			switch string(w[lead+1 : lead+3]) {
			case "NA":
				return r.readUNA(lead)
			case "NB", "IB":
				if !r.una {
					if d, ok := impliedEDIFACT(w[lead+3]); ok {
						r.setDelimiters(d)
						r.state = stateInside
						r.lineTerminator(lead)
					}
				}
			}
		}
	}
	return r.readSegment(lead)
}
