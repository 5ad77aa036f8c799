package edi

// quickSize is the longest lead and segment the quick way reads; longer ones
// go the long way.
const quickSize = 4096

// weights: what a byte adds to the count of a segment being scanned
const (
	weightSep     uint64 = 1       // any separator, and the terminator
	weightSub     uint64 = 1 << 16 // component or repetition separator
	weightNewline uint64 = 1 << 32 // line end that is not the terminator
	weightStop    uint64 = 1 << 63 // terminator or release character
)

// scanner is the table and the room for reading segments the quick way.
type scanner struct {
	ready    bool // the next segment may be read the quick way
	most     int  // separators the quick way takes, from the limits
	size     int  // bytes it looks at, from the limits
	release  byte
	endsLine int  // 1 when the terminator ends a line
	isCR     bool // the terminator is CR
	weight   [256]uint64
	sep      [quickSize]uint32
	longSep  []uint32
	longElem []uint32
}

// sort finds which separators of s end elements.
func (sc *scanner) sort(s *Segment) {
	elem := sc.longElem[:0]
	last := len(s.sep) - 1
	for i, at := range s.sep[:last] {
		if s.Raw[at] == s.delims.Element {
			elem = append(elem, uint32(i)) //nolint:gosec // below quickSize
		}
	}
	sc.longElem = append(elem, uint32(last)) //nolint:gosec // below quickSize
	s.elem = sc.longElem
	s.unsorted = false
}

func newScanner(l Limits) *scanner {
	return &scanner{most: min(l.Elements, l.Components, l.Repeats), size: min(l.Segment, quickSize)}
}

// weigh makes the table for the delimiters d with their classes.
func (sc *scanner) weigh(class *[256]uint8, d Delimiters) {
	for b, c := range class {
		switch {
		case c&classTerminal != 0:
			sc.weight[b] = weightStop
		case c&classElement != 0:
			sc.weight[b] = weightSep
		case c&classSub != 0:
			sc.weight[b] = weightSep | weightSub
		case c&classRelease != 0:
			sc.weight[b] = weightStop
		case c&classNewline != 0:
			sc.weight[b] = weightNewline
		default:
			sc.weight[b] = 0
		}
	}
	sc.release = d.Release
	sc.endsLine, sc.isCR = 0, d.Segment == '\r'
	if isNewline(d.Segment) {
		sc.endsLine = 1
	}
}

// quick reads the next segment when nothing about it is out of the ordinary:
// it is whole in the buffer, not longer than quickSize, no line end stands in
// it and its tag asks for nothing special. It changes nothing and returns
// false when it meets anything else. One pass, with one branch a byte that is
// taken once a segment.
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
	count, i, flags := uint64(0), 0, uint8(0)
	sep, weight := &sc.sep, &sc.weight
	for {
		if i >= len(body) {
			return false
		}
		w := weight[body[i]]
		sep[count%quickSize] = uint32(i)
		count += w
		i++
		if w < weightStop {
			continue
		}
		if body[i-1] != sc.release || sc.release == 0 {
			break
		}
		if i >= len(body) || isNewline(body[i]) {
			return false
		}
		flags = hasRelease
		i++
	}
	seps := int(count & 0xFFFF)
	if seps > sc.most || count>>32&0x7FFF != 0 || sc.endsLine != 0 && i > 1 && body[i-2] == '\r' {
		return false
	}
	s := &r.seg
	s.elem = nil
	s.unsorted = count&(0xFFFF*weightSub) != 0
	s.Lead = b[:lead:lead]
	s.Raw = body[:i:i]
	s.Tag = body[:sep[0]:sep[0]]
	s.sep = sep[:seps+1]
	s.flags = flags
	s.binary = 0
	s.Object = nil
	r.ordinal++
	s.Pos = Position{Offset: r.base + int64(r.pos+lead), Line: line, Ordinal: r.ordinal}
	r.line = line + sc.endsLine
	r.lastCR = sc.isCR
	r.pos += lead + i
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
