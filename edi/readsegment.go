package edi

import (
	"bytes"
	"fmt"
	"io"
)

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

func (r *Reader) tooLong(code Code, format string, limit int) *SyntaxError {
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
			e := r.tooLong(CodeSegmentLong, "no segment terminator within %d bytes", r.lim.Segment)
			e.Position = r.at(lead)
			e.Recoverable = true
			if i := bytes.IndexByte(w[lead:], d.Element); i == 2 || i == 3 {
				e.Segment = printable(w[lead : lead+i])
			}
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
	if len(s.Tag) == 3 {
		r.follow()
	}
	r.una = false
	return s, nil
}

// split finds the separators of the segment, with every limit checked.
func (r *Reader) split(raw []byte) error {
	s := &r.seg
	sep, elem := s.sep[:0], s.elem[:0]
	components, repeats := 1, 1
	for i := 0; i < len(raw); i++ {
		switch c := r.class[raw[i]]; {
		case c&classElement != 0:
			if len(elem) > r.lim.Elements {
				return r.limit(0, CodeElements, "more than %d elements", r.lim.Elements)
			}
			elem = append(elem, uint32(len(sep))) //nolint:gosec // Limits keep segments below 1 GiB
			components, repeats = 1, 1
		case c&classSub != 0:
			if raw[i] == r.delims.Repetition {
				components = 1
				repeats++
			} else {
				components++
			}
			if components > r.lim.Components {
				return r.limit(len(elem), CodeComponents, "more than %d components", r.lim.Components)
			}
			if repeats > r.lim.Repeats {
				return r.limit(len(elem), CodeRepeats, "more than %d repetitions", r.lim.Repeats)
			}
		case c&classRelease != 0:
			s.flags |= hasRelease
			if i = released(raw, i); i < len(raw) && isNewline(raw[i-1]) {
				s.flags |= hasNewline
			}
			continue
		case c&classNewline != 0:
			s.flags |= hasNewline
			continue
		default:
			continue
		}
		sep = append(sep, uint32(i))
	}
	if len(elem) > r.lim.Elements {
		return r.limit(0, CodeElements, "more than %d elements", r.lim.Elements)
	}
	elem = append(elem, uint32(len(sep))) //nolint:gosec // Limits keep segments below 1 GiB
	sep = append(sep, uint32(len(raw)))   //nolint:gosec // Limits keep segments below 1 GiB
	s.separated(sep, elem)
	if s.Tag = raw[:sep[0]:sep[0]]; s.flags&hasNewline != 0 {
		s.Tag = r.unwrapped(s.Tag)
	}
	return nil
}

// unwrapped returns a tag without the line ends, and the blanks around them,
// of a line that was wrapped inside it.
func (r *Reader) unwrapped(tag []byte) []byte {
	if bytes.IndexByte(tag, '\n') < 0 && bytes.IndexByte(tag, '\r') < 0 {
		return tag
	}
	r.scan.tag = r.scan.tag[:0]
	for _, b := range tag {
		if !isNewline(b) {
			r.scan.tag = append(r.scan.tag, b)
		}
	}
	return bytes.Trim(r.scan.tag, " ")
}

func (r *Reader) limit(element int, code Code, format string, limit int) error {
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
