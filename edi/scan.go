package edi

// quickSize is the longest lead and segment the quick way reads; longer ones
// go the long way.
const quickSize = 4096

// what a byte is to the quick way
const (
	kindData    uint8 = iota
	kindElement       // element separator
	kindSub           // component or repetition separator
	kindEnd           // segment terminator
	kindRelease       // release character
	kindOther         // line end that is not the terminator: not for the quick way
)

// scanner is the table and the room for reading segments the quick way.
type scanner struct {
	ready    bool // the next segment may be read the quick way
	most     int  // separators the quick way takes, from the limits
	size     int  // bytes it looks at, from the limits
	endsLine int  // 1 when the terminator ends a line
	isCR     bool // the terminator is CR
	kind     [256]uint8
	sep      [quickSize]uint32
	elem     [quickSize]uint32
	longSep  []uint32
	longElem []uint32
	tag      []byte // of a segment wrapped inside its tag
}

func newScanner(l Limits) *scanner {
	return &scanner{most: min(l.Elements, l.Components, l.Repeats), size: min(l.Segment, quickSize)}
}

// prepare makes the table for the delimiters d with their classes.
func (sc *scanner) prepare(class *[256]uint8, d Delimiters) {
	for b, c := range class {
		kind := kindData
		switch {
		case c&classTerminal != 0:
			kind = kindEnd
		case c&classElement != 0:
			kind = kindElement
		case c&classSub != 0:
			kind = kindSub
		case c&classRelease != 0:
			kind = kindRelease
		case c&classNewline != 0:
			kind = kindOther
		}
		sc.kind[b] = kind
	}
	sc.endsLine, sc.isCR = 0, d.Segment == '\r'
	if isNewline(d.Segment) {
		sc.endsLine = 1
	}
}

// mark puts the places of the separators in body, up to and including the
// first terminator, into sep, and which of them end elements into elem. It
// returns how many there are and the length up to behind the terminator: 0
// when there is none or something in between asks for the long way.
func (sc *scanner) mark(body []byte) (seps, elems, length int, flags uint8) {
	kind, sep, elem := &sc.kind, &sc.sep, &sc.elem
	n, m, i := uint(0), uint(0), uint(0)
	for {
		// Runs of data are short: a few bytes at a time, each with a branch of its
		// own, which the processor learns to foresee.
		k := kindData
		for k == kindData && i+4 <= uint(len(body)) {
			b := body[i : i+4 : i+4]
			if k = kind[b[0]]; k != kindData {
				break
			}
			if k = kind[b[1]]; k != kindData {
				i++
				break
			}
			if k = kind[b[2]]; k != kindData {
				i += 2
				break
			}
			if k = kind[b[3]]; k != kindData {
				i += 3
				break
			}
			i += 4
		}
		for k == kindData {
			if i >= uint(len(body)) {
				return 0, 0, 0, 0
			}
			if k = kind[body[i]]; k == kindData {
				i++
			}
		}
		sep[n%quickSize] = uint32(i)
		elem[m%quickSize] = uint32(n)
		i++
		if k <= kindSub {
			n++
			m += uint(k & kindElement) // 1 for an element separator, 0 for others
			continue
		}
		if k == kindEnd {
			return int(n), int(m), int(i), flags
		}
		if k != kindRelease || i >= uint(len(body)) || isNewline(body[i]) {
			return 0, 0, 0, 0
		}
		flags = hasRelease
		i++
	}
}

// quick reads the next segment when nothing about it is out of the ordinary:
// it is whole in the buffer, not longer than quickSize, no line end stands in
// it and its tag asks for nothing special. It changes nothing and returns
// false when it meets anything else.
func (r *Reader) quick() bool {
	sc := r.scan
	b := r.buf[r.pos:r.end]
	if len(b) > sc.size {
		b = b[:sc.size]
	}
	if len(b) < 4 {
		return false
	}
	lead, line, c := 0, r.line, r.class[b[0]]
	if c&classNewline != 0 {
		switch {
		case b[0] == '\n':
			lead = 1
		case b[1] == '\n' && r.class[b[1]]&classNewline != 0:
			lead = 2
		default:
			return false
		}
		if !r.lastCR || lead == 2 {
			line++
		}
		c = r.class[b[lead]]
	}
	body := b[lead:]
	if c != 0 && (c != classHead || len(body) < 4 || special(body[0], body[1])) {
		return false
	}
	seps, elems, length, flags := sc.mark(body)
	if length == 0 || seps > sc.most || sc.endsLine != 0 && length > 1 && body[length-2] == '\r' {
		return false
	}
	s := &r.seg
	s.Lead = b[:lead:lead]
	s.Raw = body[:length:length]
	s.Tag = body[:sc.sep[0]:sc.sep[0]]
	s.sep = sc.sep[:seps+1]
	s.elem = sc.elem[:elems+1]
	s.flags = flags
	s.binary = 0
	s.Object = nil
	r.ordinal++
	s.Pos = Position{Offset: r.base + int64(r.pos+lead), Line: line, Ordinal: r.ordinal}
	r.line = line + sc.endsLine
	r.lastCR = sc.isCR
	r.pos += lead + length
	return true
}

// special tells whether a tag that begins with the two letters may start or
// end an interchange or package, or hold binary data.
func special(a, b byte) bool {
	switch a {
	case 'I':
		return b == 'S' || b == 'E'
	case 'B':
		return b == 'I' || b == 'D'
	}
	return b == 'N' || b == 'I'
}
