package edi

import (
	"bytes"
	"fmt"
)

const hintDelimiter = "choose a character that does not occur in data, as * for elements, > for components, ~ for segments"

// lookAhead is how far a header is looked into to place its delimiters.
const lookAhead = 1024

// findInterchange returns the length of what stands before the next header
// (ISA, UNA, UNB, UIB): white space as a rule, else text that is reported.
func (r *Reader) findInterchange() (int, error) {
	start := r.state == stateStart
	w := r.need(4)
	if start {
		if name := wideText(w); name != "" {
			return 0, r.notEDI(name, "convert it to UTF-8 or the character set of its interchange first")
		}
	}
	n, pad, lines := 0, -1, 0
	for {
		if n > r.lim.Gap {
			return 0, r.tooLong(CodeGapLong, "more than %d bytes outside interchanges", r.lim.Gap)
		}
		if n == len(w) {
			if !r.more() {
				break
			}
			w = r.window()
		}
		switch b := w[n]; {
		case isNewline(b):
			if b == '\n' {
				lines++
			}
			n++
			continue
		case b == ' ' || b == '\t' || b == 0 || b == 0x1A:
			if pad < 0 {
				pad = n
			}
			n++
			continue
		case b == 0xEF:
			if w = r.need(n + 3); bytes.HasPrefix(w[n:], []byte{0xEF, 0xBB, 0xBF}) {
				r.notice(RuleByteOrderMark, r.at(n), 3)
				n += 3
				continue
			}
		}
		break
	}
	if pad >= 0 {
		r.notice(RulePadding, r.at(pad), n-pad)
	}
	if n == len(w) {
		return 0, r.endOutside(n)
	}
	if lines > 1 || start && lines > 0 {
		r.notice(RuleBlankLine, r.at(0), n)
	}
	w = r.need(n + 4)
	switch header(w[n:]) {
	case headerISA, headerUNA, headerUNB:
		return n, nil
	case headerUNH:
		if start {
			r.notice(RuleMissingUNB, r.at(n), 3)
			r.setDelimiters(DefaultEDIFACT(3))
			r.state = stateInside
			return n, nil
		}
	case headerGS:
		if start {
			return 0, r.missingISA(n, "GS", "a group")
		}
	}
	if start {
		if code, msg := faultyISA(r.need(n + isaLength)[n:]); code != "" {
			return 0, &SyntaxError{Position: r.at(n), Segment: "ISA", Code: code, Msg: msg, Hint: hintDelimiter}
		}
		w = r.window()
		if b := w[n:]; len(b) > 7 && b[0] == 'S' && b[1] == 'T' && usable(b[2]) && b[6] == b[2] && isAlnum(b[3]) && isAlnum(b[5]) {
			return 0, r.missingISA(n, "ST", "a document")
		}
		if name, hint := sniff(w[n:]); name != "" {
			return 0, r.notEDI(name, hint)
		}
	}
	return r.findInText(n)
}

// missingISA tells that the input starts inside an interchange.
func (r *Reader) missingISA(n int, tag, what string) error {
	return &SyntaxError{
		Position: r.at(n), Segment: tag, Code: CodeMissingISA,
		Msg: "the input starts with " + what + "; the ISA that declares the delimiters is missing", Hint: "send the whole interchange, from ISA to IEA",
	}
}

// endOutside ends the reading behind n bytes of white space.
func (r *Reader) endOutside(n int) error {
	if r.state != stateStart {
		return r.finish(n, -1)
	}
	if err := r.failed(); err != nil {
		return err
	}
	return &SyntaxError{Position: r.at(0), Code: CodeEmpty, Msg: "the input is empty", Hint: "give an X12 or EDIFACT interchange"}
}

func (r *Reader) notEDI(name, hint string) error {
	if name == "" {
		w := r.window()
		name = fmt.Sprintf("begins with %q", w[:min(len(w), 16)])
	} else {
		name = "is " + name
	}
	return &SyntaxError{Position: r.at(0), Code: CodeNotEDI, Msg: "the input is not X12 or EDIFACT: it " + name, Hint: hint}
}

// findInText looks for a header behind text that starts at byte n.
func (r *Reader) findInText(n int) (int, error) {
	w, long := r.window(), false
	for i := n; ; i++ {
		if i > r.lim.Gap {
			long = true
			break
		}
		if i == len(w) {
			if !r.more() {
				break
			}
			w = r.window()
		}
		if b := w[i]; b != 'I' && b != 'U' {
			continue
		}
		// Inside a word only what can be nothing else is taken for a header: an
		// interchange must not vanish because text ends right before it.
		inWord := i > 0 && isAlnum(w[i-1])
		w = r.need(i + 4)
		switch header(w[i:]) {
		case headerISA:
			if w = r.need(i + lookAhead); len(w) < i+7 || w[i+6] != w[i+3] {
				continue
			}
			if _, ok := placeISA(w[i:]); !ok || inWord && !hasFixedWidths(w[i:]) {
				continue
			}
		case headerUNA:
			w = r.need(i + unaLook)
			length, _, ok := placeUNA(w[i:])
			if !ok || !bytes.HasPrefix(bytes.TrimLeft(w[i+length:], "\r\n"), []byte("U")) || inWord && header(bytes.TrimLeft(w[i+length:], "\r\n")) != headerUNB {
				continue
			}
		case headerUNB:
			w = r.need(i + 8)
			if len(w) < i+8 || !isAlnum(w[i+4]) || !isAlnum(w[i+5]) || !isAlnum(w[i+6]) || !isAlnum(w[i+7]) || inWord && string(w[i+4:i+7]) != "UNO" {
				continue
			}
		default:
			continue
		}
		r.notice(RuleText, r.at(n), i-n)
		return i, nil
	}
	if err := r.failed(); err != nil {
		return 0, err
	}
	if r.state == stateStart {
		return 0, r.notEDI("", "an interchange starts with ISA, UNA or UNB")
	}
	if long {
		return 0, r.tooLong(CodeGapLong, "more than %d bytes outside interchanges", r.lim.Gap)
	}
	return 0, r.finish(len(w), n)
}

// kinds of header
const (
	headerNone = iota
	headerISA
	headerUNA
	headerUNB // or UIB
	headerUNH // or UNG, UIH: EDIFACT without its header
	headerGS
)

// header tells what w begins with.
func header(w []byte) int {
	if len(w) < 4 {
		return headerNone
	}
	switch string(w[:3]) {
	case "ISA":
		if usable(w[3]) && !isNewline(w[3]) {
			return headerISA
		}
	case "UNA":
		if usable(w[3]) {
			return headerUNA
		}
	case "UNB", "UIB":
		if _, ok := impliedEDIFACT(w[3]); ok {
			return headerUNB
		}
	case "UNG", "UNH", "UIH":
		if w[3] == '+' {
			return headerUNH
		}
	default:
		if w[0] == 'G' && w[1] == 'S' && usable(w[2]) && isAlnum(w[3]) {
			return headerGS
		}
	}
	return headerNone
}

// readISA reads the ISA at byte lead of the window and puts its delimiters in
// force.
func (r *Reader) readISA(lead int) (*Segment, error) {
	w := r.need(lead + isaLength + 1)
	p, ok := placeISA(w[lead:])
	if !ok || len(p.rules) > 0 || isNewline(p.delims.Segment) || p.delims.Segment >= 0x80 {
		w = r.need(lead + lookAhead)
		p, ok = placeISA(w[lead:])
	}
	if !ok {
		if err := r.failed(); err != nil {
			return nil, err
		}
		e := &SyntaxError{
			Position: r.at(lead), Segment: "ISA", Code: CodeISA, Recoverable: true,
			Msg:  "the delimiters cannot be placed: no component separator and segment terminator behind 16 elements",
			Hint: "check that the ISA has 16 elements, 106 bytes in all, and ends with a segment terminator",
		}
		if code, msg := faultyISA(w[lead:]); code != "" {
			e.Code, e.Msg, e.Hint = code, msg, hintDelimiter
		} else if n := len(w) - lead; n < isaLength && r.eof {
			e.Code = CodeISACut
			e.Msg = fmt.Sprintf("the input ends inside the ISA, %d bytes into it; an ISA has %d", n, isaLength)
			e.Hint = "the interchange was cut off: have it sent again"
		}
		r.state = stateBetween
		r.pos += lead + 3
		return nil, e
	}
	for _, rule := range p.rules {
		r.notice(rule, r.at(lead), p.length)
	}
	r.setDelimiters(p.delims)
	r.state = stateInside
	r.una = false
	r.begin(lead, p.length)
	s := &r.seg
	content := s.Raw[:p.length-1-len(p.delims.SegmentTail)]
	sep := r.seg.sep[:0]
	for i, b := range content {
		if b == p.delims.Element {
			sep = append(sep, uint32(i))
		}
	}
	r.setElements(append(sep, uint32(len(content)))) //nolint:gosec // below lookAhead
	s.Tag = s.Raw[:3:3]
	s.flags = declares
	if bytes.ContainsAny(content, "\r\n") {
		s.flags |= hasNewline
		r.notice(RuleNewlineInSegment, s.Pos, len(s.Raw))
	}
	r.countLines(s.Raw)
	return s, nil
}

// setElements makes every separator of r.seg end an element.
func (r *Reader) setElements(sep []uint32) {
	elem := r.seg.elem[:0]
	for i := range sep {
		elem = append(elem, uint32(i))
	}
	r.seg.separated(sep, elem)
}
