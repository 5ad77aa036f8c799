package edi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// byte classes of the current delimiters
const (
	classElement  uint8 = 1 << iota // element separator
	classSub                        // component or repetition separator
	classRelease                    // release character
	classNewline                    // CR or LF, unless it is the terminator
	classTerminal                   // segment terminator
	classSkip                       // white space passed over between segments
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
	marks   []uint32
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
	if r.marks == nil {
		r.marks = make([]uint32, r.lim.Elements+2)
	}
	*r = Reader{strict: r.strict, lim: r.lim, buf: buf, line: 1, object: -1, marks: r.marks, notices: r.notices[:0]}
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

// Next returns the next segment, or io.EOF behind the last one. The segment is
// valid until the next call. Errors are *SyntaxError or wrap what the
// underlying reader returned; after an error that is not Recoverable every
// further call returns the same error.
func (r *Reader) Next() (*Segment, error) {
	if r.err != nil {
		r.notices = r.notices[:0]
		return nil, r.err
	}
	r.notices = r.notices[:0]
	seg, err := r.next()
	if err == nil && r.strict && len(r.notices) > 0 {
		n := r.notices[0]
		err = &SyntaxError{Position: n.Position, Code: Code(n.Rule), Msg: n.Rule.Explain(), Hint: "correct the input or read it without Strict"}
		seg = nil
	}
	if err != nil {
		var se *SyntaxError
		if !errors.As(err, &se) || !se.Recoverable {
			r.err = err
		}
		return nil, err
	}
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
	*c = [256]uint8{' ': classSkip, '\t': classSkip, 0: classSkip, 0x1A: classSkip, '\r': classSkip | classNewline, '\n': classSkip | classNewline}
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

// passWhiteSpace returns the length of what stands between two segments of an
// interchange: line ends, white space, lone terminators.
func (r *Reader) passWhiteSpace() (int, error) {
	n, lines, firstPad, firstEmpty, lf := 0, 0, -1, -1, 0
	w := r.window()
	for {
		if n == len(w) {
			if !r.more() {
				break
			}
			w = r.window()
		}
		b := w[n]
		c := r.class[b]
		if c&(classSkip|classTerminal) == 0 || c&classTerminal != 0 && r.delims.SegmentTail != "" {
			break
		}
		switch {
		case c&classTerminal != 0 && isNewline(b):
			lines += 2
		case c&classTerminal != 0:
			if firstEmpty < 0 {
				firstEmpty = n
			}
		case c&classNewline != 0:
			if b == '\n' {
				lf++
			}
			lines++
		case firstPad < 0:
			firstPad = n
		}
		if n++; n > r.lim.Gap {
			return 0, r.tooLong(CodeGapLong, "more than %d bytes between two segments", r.lim.Gap)
		}
	}
	if n == 0 {
		if len(w) == 0 {
			return 0, r.finish(0, -1)
		}
		return 0, nil
	}
	atEOF := n == len(w)
	if firstPad >= 0 {
		r.notice(RulePadding, r.at(firstPad), n-firstPad)
	}
	if firstEmpty >= 0 {
		r.notice(RuleEmptySegment, r.at(firstEmpty), 1)
	}
	if !atEOF && (lf > 1 || lf == 0 && lines > 1 && firstEmpty < 0) {
		r.notice(RuleBlankLine, r.at(0), n)
	}
	if atEOF {
		return 0, r.finish(n, -1)
	}
	return n, nil
}

// finish ends the reading: n bytes are left, none of them a segment.
func (r *Reader) finish(n, text int) error {
	if err := r.failed(); err != nil {
		return err
	}
	w := r.window()[:n]
	if text >= 0 {
		r.notice(RuleText, r.at(text), n-text)
	}
	r.trailing = w
	r.pos += n
	return io.EOF
}

func (r *Reader) tooLong(code Code, format string, limit int) error {
	return &SyntaxError{Position: r.at(0), Code: code, Msg: fmt.Sprintf(format, limit), Hint: "check the delimiters, or raise the limit"}
}

// readSegment reads the segment that starts at byte lead of the window.
func (r *Reader) readSegment(lead int) (*Segment, error) {
	if d := r.delims; d.Standard == X12 {
		w := r.need(lead + 4)
		if len(w) >= lead+4 && w[lead] == 'B' && w[lead+3] == d.Element {
			if tag := string(w[lead : lead+3]); tag == "BIN" || tag == "BDS" {
				if seg, err := r.readBinary(lead, tag == "BDS"); seg != nil || err != nil {
					return seg, err
				}
			}
		}
	}
	content, length, err := r.findTerminator(lead)
	if err != nil {
		return nil, err
	}
	s := &r.seg
	r.begin(lead, length)
	if content > 0 && r.delims.Segment == '\n' && s.Raw[content-1] == '\r' {
		content--
		r.notice(RuleCarriageReturn, s.Pos, len(s.Raw))
	}
	return r.complete(content)
}

// findTerminator returns the length of the segment at lead, without and with
// its terminator.
func (r *Reader) findTerminator(lead int) (content, length int, err error) {
	d := &r.delims
	w := r.window()
	n := lead
	for {
		i := bytes.IndexByte(w[n:], d.Segment)
		if i >= 0 && n+i-lead <= r.lim.Segment {
			n += i
			if d.Release != 0 && isReleased(w[lead:n], d.Release) {
				n++
				continue
			}
			if d.SegmentTail != "" {
				w = r.need(n + 1 + len(d.SegmentTail))
				if !bytes.HasPrefix(w[n+1:], []byte(d.SegmentTail)) {
					n++
					continue
				}
			}
			return n - lead, n - lead + 1 + len(d.SegmentTail), nil
		}
		if i >= 0 || len(w)-lead > r.lim.Segment {
			r.discard = true
			e := r.tooLong(CodeSegmentLong, "no segment terminator within %d bytes", r.lim.Segment).(*SyntaxError)
			e.Position = r.at(lead)
			e.Recoverable = true
			r.line, r.lastCR = e.Line, false
			r.pos += lead
			return 0, 0, e
		}
		n = len(w)
		if !r.more() {
			break
		}
		w = r.window()
	}
	if err := r.failed(); err != nil {
		return 0, 0, err
	}
	length = len(w) - lead
	for length > 0 && r.class[w[lead+length-1]]&classSkip != 0 {
		length--
	}
	r.notice(RuleUnterminated, r.at(lead), length)
	return length, length, nil
}

// isReleased tells whether the byte behind b is released: an odd number of
// release characters stands before it.
func isReleased(b []byte, release byte) bool {
	n := len(b)
	for n > 0 && isNewline(b[n-1]) {
		n--
	}
	odd := false
	for ; n > 0 && b[n-1] == release; n-- {
		odd = !odd
	}
	return odd
}

// begin sets up r.seg for lead bytes followed by length bytes of segment, and
// moves behind both.
func (r *Reader) begin(lead, length int) {
	s := &r.seg
	w := r.window()
	s.Lead = w[:lead:lead]
	s.Raw = w[lead : lead+length : lead+length]
	s.Object = nil
	if r.found[1] > 0 {
		s.Object = s.Lead[r.found[0]:r.found[1]:r.found[1]]
		r.found = [2]int{}
	}
	s.delims = &r.delims
	s.flags = 0
	s.binary = 0
	if lead > 0 {
		r.countLines(s.Lead)
	}
	r.ordinal++
	s.Pos = Position{Offset: r.base + int64(r.pos) + int64(lead), Line: r.line, Ordinal: r.ordinal}
	r.pos += lead + length
}

func (r *Reader) countLines(b []byte) {
	r.line += countLines(b)
	if r.lastCR && b[0] == '\n' {
		r.line--
	}
	r.lastCR = b[len(b)-1] == '\r'
}

// complete splits the segment of r.seg, whose content has n bytes, counts its
// lines and follows what it says about the interchange.
func (r *Reader) complete(n int) (*Segment, error) {
	s := &r.seg
	r.lastCR = false
	if err := r.split(s.Raw[:n]); err != nil {
		r.countLines(s.Raw)
		return nil, err
	}
	if s.flags&hasNewline != 0 {
		r.notice(RuleNewlineInSegment, s.Pos, len(s.Raw))
		r.countLines(s.Raw)
	} else if isNewline(r.delims.Segment) && n < len(s.Raw) {
		r.line++
		r.lastCR = r.delims.Segment == '\r'
	}
	r.una = false
	if len(s.Tag) == 3 {
		r.follow()
	}
	return s, nil
}

// split finds the elements of the segment. Fast way: no branch a byte; what is
// rare is looked at again.
func (r *Reader) split(raw []byte) error {
	s := &r.seg
	marks, class := r.marks, &r.class
	n, all := 0, uint8(0)
	for i := 0; i < len(raw); i++ {
		c := class[raw[i]]
		if n >= len(marks)-1 {
			return r.limit(CodeElements, "more than %d elements", r.lim.Elements)
		}
		marks[n] = uint32(i)
		n += int(c & classElement)
		all |= c
	}
	s.flags = all & (classSub | classRelease | classNewline) >> 1
	if all&classRelease != 0 {
		n = 0
		for i := 0; i < len(raw); i++ {
			switch c := class[raw[i]]; {
			case c&classRelease != 0:
				i = released(raw, i)
			case c&classElement != 0:
				marks[n] = uint32(i)
				n++
			}
		}
	}
	marks[n] = uint32(len(raw))
	s.marks = marks[:n+1]
	s.Tag = raw[:marks[0]:marks[0]]
	if s.flags&hasSub != 0 {
		if r.delims.Standard == EDIFACT {
			if i := bytes.IndexByte(s.Tag, r.delims.Component); i >= 0 {
				s.Tag = s.Tag[:i:i]
			}
		}
		if len(raw) > r.lim.Components || len(raw) > r.lim.Repeats {
			return r.checkParts()
		}
	}
	return nil
}

// checkParts holds a long segment against the limits on components and
// repetitions.
func (r *Reader) checkParts() error {
	s := &r.seg
	for i := 1; i <= s.Len(); i++ {
		e := s.Element(i)
		if len(e.raw) <= r.lim.Components && len(e.raw) <= r.lim.Repeats {
			continue
		}
		if e.Repeats() > r.lim.Repeats {
			return r.limitAt(i, CodeRepeats, "more than %d repetitions", r.lim.Repeats)
		}
		parts, repeats := 1, &r.delims
		for j := 0; j < len(e.raw); j++ {
			switch b := e.raw[j]; {
			case b == repeats.Release && b != 0:
				j = released(e.raw, j)
			case b == repeats.Repetition && b != 0:
				parts = 1
			case b == repeats.Component && b != 0:
				if parts++; parts > r.lim.Components {
					return r.limitAt(i, CodeComponents, "more than %d components", r.lim.Components)
				}
			}
		}
	}
	return nil
}

func (r *Reader) limit(code Code, format string, limit int) error {
	return r.limitAt(0, code, format, limit)
}

func (r *Reader) limitAt(element int, code Code, format string, limit int) error {
	s := &r.seg
	tag := s.Raw
	if i := bytes.IndexByte(tag, r.delims.Element); i >= 0 {
		tag = tag[:i]
	}
	return &SyntaxError{
		Position: s.Pos, Segment: printable(tag), Element: element, Code: code, Recoverable: true,
		Msg: fmt.Sprintf(format, limit), Hint: "check the delimiters, or raise the limit",
	}
}

// printable returns a short form of foreign bytes for error texts.
func printable(b []byte) string {
	const most = 16
	if len(b) > most {
		b = b[:most]
	}
	for _, c := range b {
		if c < ' ' || c > '~' {
			return fmt.Sprintf("%q", b)
		}
	}
	return string(b)
}

// follow looks at a three-letter segment for what it means to the reading.
func (r *Reader) follow() {
	s := &r.seg
	switch string(s.Tag) {
	case "IEA":
		if r.delims.Standard == X12 {
			r.state = stateBetween
		}
	case "UNZ", "UIZ":
		if r.delims.Standard == EDIFACT {
			r.state = stateBetween
		}
	case "UNB", "UIB":
		r.syntaxVersion()
	case "UNO":
		if r.delims.Standard == EDIFACT {
			r.object = objectLength(s)
		}
	}
}

// passOver drops the rest of a segment that broke Limits.Segment.
func (r *Reader) passOver() {
	r.discard = false
	for {
		w := r.window()
		i := bytes.IndexByte(w, r.delims.Segment)
		if i >= 0 {
			i++
			if w = r.need(i + len(r.delims.SegmentTail)); bytes.HasPrefix(w[i:], []byte(r.delims.SegmentTail)) {
				i += len(r.delims.SegmentTail)
			}
			r.countLines(w[:i])
			r.pos += i
			return
		}
		if len(w) > 0 {
			r.countLines(w)
		}
		r.pos = r.end
		if !r.more() {
			return
		}
	}
}
