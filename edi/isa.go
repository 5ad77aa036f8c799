package edi

import (
	"bytes"
	"fmt"
)

const (
	isaLength   = 106
	isaElements = 16
)

// isaPlace is what an ISA says about its interchange's delimiters.
type isaPlace struct {
	delims Delimiters
	length int // bytes up to and including the terminator
	rules  []Rule
}

// placeISA finds the delimiters of the ISA that w begins with. X12.5 gives the
// ISA fixed widths, so that the element separator is byte 4, the component
// separator byte 105 and the terminator byte 106. Where the widths are not
// kept, elements are counted, and where their number is not kept, the next
// service segment tells where the ISA ends.
func placeISA(w []byte) (isaPlace, bool) {
	if len(w) < 5 {
		return isaPlace{}, false
	}
	w = w[:min(len(w), lookAhead)]
	p, ok := fixedISA(w)
	if !ok {
		p, ok = looseISA(w)
	}
	if !ok {
		return p, false
	}
	d := &p.delims
	d.Standard, d.Element, d.Decimal = X12, w[3], '.'
	if d.Component != 0 && (!usable(d.Component) || d.Component == d.Element || d.Component == d.Segment || isNewline(d.Component)) {
		d.Component = 0
		p.rules = append(p.rules, RuleComponentSeparator)
	}
	p.tail(w)
	p.repetition(w[:p.length])
	return p, true
}

// hasFixedWidths tells whether w begins with an ISA of the standard's widths,
// whatever its delimiters are.
func hasFixedWidths(w []byte) bool {
	if len(w) < isaLength || string(w[:3]) != "ISA" {
		return false
	}
	for _, at := range [isaElements]int{3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103} {
		if w[at] != w[3] {
			return false
		}
	}
	return true
}

// faultyISA tells which delimiter of an ISA of the standard's widths cannot
// work; the code is empty when the widths are not kept.
func faultyISA(w []byte) (Code, string) {
	if !hasFixedWidths(w) {
		return "", ""
	}
	elem, component, terminator := w[3], w[104], w[105]
	switch {
	case !usable(elem):
		return CodeElementSeparator, fmt.Sprintf("%q cannot be the element separator", elem)
	case !usable(terminator) || terminator == elem:
		return CodeTerminator, fmt.Sprintf("%q cannot be the segment terminator", terminator)
	case component == terminator:
		return CodeComponentSeparator, fmt.Sprintf("%q is both the component separator and the segment terminator", component)
	}
	return "", ""
}

// fixedISA places the delimiters of an ISA with the standard's widths.
func fixedISA(w []byte) (isaPlace, bool) {
	if !hasFixedWidths(w) {
		return isaPlace{}, false
	}
	elem := w[3]
	if bytes.Count(w[:isaLength-2], w[3:4]) != isaElements {
		return isaPlace{}, false
	}
	component, terminator := w[104], w[105]
	if !usable(terminator) || terminator == elem || terminator == component {
		return isaPlace{}, false
	}
	p := isaPlace{length: isaLength, delims: Delimiters{Component: component, Segment: terminator}}
	if isNewline(terminator) && endsSegment(w[isaLength:], component, elem) {
		p.delims = Delimiters{Segment: component}
		p.length = isaLength - 1
		p.rules = []Rule{RuleISATerminator}
	}
	return p, true
}

// endsSegment tells whether the segment at the start of w, a GS or TA1, ends
// with b on the line it starts on: another segment follows. Then b, which
// stands where ISA16 should, is the terminator and no component separator.
func endsSegment(w []byte, b, elem byte) bool {
	w = bytes.TrimLeft(w, "\r\n \t")
	end := bytes.IndexByte(w, b)
	if nl := bytes.IndexAny(w, "\r\n"); !usable(b) || end < 5 || nl >= 0 && nl < end {
		return false
	}
	w = bytes.TrimLeft(w[end+1:], "\r\n \t")
	tag := bytes.IndexByte(w[:min(len(w), 4)], elem)
	return tag >= 2 && isAlnum(w[0]) && isAlnum(w[1]) && isAlnum(w[tag-1])
}

// looseISA places the delimiters of an ISA whose widths are not kept.
func looseISA(w []byte) (isaPlace, bool) {
	elem := w[3]
	next := nextService(w, elem)
	limit := next
	if limit < 0 {
		limit = len(w)
	}
	seen, last := 0, 0
	for i := 3; i < limit && seen < isaElements; i++ {
		if w[i] == elem {
			seen++
			last = i
		}
	}
	extra := bytes.Count(w[last+1:limit], w[3:4])
	if next < 0 {
		// Nothing behind it to go by: the two bytes behind separator 16.
		if seen != isaElements || last+2 >= len(w) || !usable(w[last+1]) || !usable(w[last+2]) || w[last+1] == w[last+2] {
			return isaPlace{}, false
		}
		return isaPlace{length: last + 3, delims: Delimiters{Component: w[last+1], Segment: w[last+2]}, rules: []Rule{RuleISAWidth}}, true
	}
	// The terminator stands before the next segment, with line ends and blanks between.
	blank := next
	for blank > last+1 && (isNewline(w[blank-1]) || w[blank-1] == ' ' || w[blank-1] == '\t') {
		blank--
	}
	end := blank - 1 // last byte that is not blank
	if seen == isaElements && extra == 0 {
		return looseDelimiters(w, last, end, blank, next)
	}
	// Too many or too few elements.
	p := isaPlace{rules: []Rule{RuleISAElements}}
	for end > last && w[end]&0xC0 == 0x80 {
		end--
	}
	switch {
	case end > last+1 && usable(w[end]) && w[end] != elem:
		p.length, p.delims.Segment = end+1, w[end]
		if c := w[end-1]; usable(c) && c != elem && c != w[end] && w[end-2] == elem {
			p.delims.Component = c
		}
	case blank < next && isNewline(w[blank]):
		p.length, p.delims.Segment = blank+1, w[blank]
	default:
		return isaPlace{}, false
	}
	return p, true
}

// looseDelimiters places the delimiters of an ISA with 16 elements that are not
// as wide as they should be: the last separator is at byte last, the last byte
// that is not blank before the next segment at end, blanks start at blank.
func looseDelimiters(w []byte, last, end, blank, next int) (isaPlace, bool) {
	p := isaPlace{rules: []Rule{RuleISAWidth}}
	if end > last+1 {
		p.delims.Component, p.delims.Segment = w[last+1], w[last+2]
		p.length = last + 3
		return p, usable(p.delims.Segment) && p.delims.Segment != p.delims.Component
	}
	if end <= last || !usable(w[end]) {
		return p, false
	}
	if endsSegment(w[next:], w[end], w[3]) {
		p.delims.Segment = w[end]
		p.length = end + 1
		p.rules = append(p.rules, RuleISATerminator)
		return p, true
	}
	nl := bytes.IndexAny(w[blank:next], "\r\n")
	if nl < 0 {
		return p, false
	}
	p.delims.Component, p.delims.Segment = w[end], w[blank+nl]
	p.length = blank + nl + 1
	return p, true
}

// nextService returns where the first segment that may follow an ISA begins in
// w, -1 when none is seen.
func nextService(w []byte, elem byte) int {
	for i := 8; i+3 < len(w); i++ {
		if isAlnum(w[i-1]) {
			continue
		}
		switch {
		case w[i] == 'G' && w[i+1] == 'S' && w[i+2] == elem && isAlnum(w[i+3]):
			return i
		case w[i+3] == elem:
			switch string(w[i : i+3]) {
			case "TA1", "IEA", "ISB", "ISE", "TA3":
				return i
			}
		}
	}
	return -1
}

// tail takes the further bytes of a terminator that is a UTF-8 character.
func (p *isaPlace) tail(w []byte) {
	more := 0
	switch b := p.delims.Segment; {
	case b >= 0xC2 && b < 0xE0:
		more = 1
	case b >= 0xE0 && b < 0xF0:
		more = 2
	case b >= 0xF0 && b < 0xF5:
		more = 3
	}
	if more == 0 || len(w) < p.length+more {
		return
	}
	rest := w[p.length : p.length+more]
	for _, b := range rest {
		if b&0xC0 != 0x80 {
			return
		}
	}
	p.delims.SegmentTail = string(rest)
	p.length += more
	p.rules = append(p.rules, RuleMultiByteTerminator)
}

// repetition reads ISA11: from interchange version 00402 on it declares the
// repetition separator; before, and where it is a letter such as U, it names
// the standards body.
func (p *isaPlace) repetition(isa []byte) {
	parts := 0
	var standards, version []byte
	for rest := isa; ; parts++ {
		i := bytes.IndexByte(rest, p.delims.Element)
		if i < 0 {
			break
		}
		switch parts {
		case 11:
			standards = rest[:i]
		case 12:
			version = bytes.TrimSpace(rest[:i])
		}
		rest = rest[i+1:]
	}
	if len(version) != 5 || string(version) < "00402" || version[0] != '0' {
		return
	}
	if len(standards) > 1 {
		standards = bytes.TrimSpace(standards)
	}
	if len(standards) != 1 || !usable(standards[0]) || isNewline(standards[0]) {
		return
	}
	b := standards[0]
	if d := &p.delims; b == d.Component || b == d.Segment {
		p.rules = append(p.rules, RuleRepetition)
		return
	}
	p.delims.Repetition = b
}
