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
	most     uint // separators the quick way takes, from the limits
	size     int  // bytes it looks at, from the limits
	endsLine int  // 1 when the terminator ends a line
	isCR     bool // the terminator is CR
	kind     [256]uint8
	tag      []byte // of a segment wrapped inside its tag
}

func newScanner(l Limits) *scanner {
	return &scanner{most: uint(min(l.Elements, l.Components, l.Repeats)), size: min(l.Segment, quickSize)}
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

// quick reads the next segment when nothing about it is out of the ordinary:
// it is whole in the buffer, not longer than quickSize, no line end stands in
// it and its tag asks for nothing special. It changes nothing and returns
// false when it meets anything else.
func (r *Reader) quick() bool {
	b := r.buf[r.pos:r.end]
	if len(b) > r.scan.size {
		b = b[:r.scan.size]
	}
	if len(b) < 4 {
		return false
	}
	lead, line := 0, r.line
	if c := r.class[b[0]]; c != 0 {
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
		if c != 0 && (c != classHead || lead+1 >= len(b) || special(b[lead], b[lead+1])) {
			return false
		}
	}
	length := r.mark(b[lead:])
	if length == 0 {
		return false
	}
	s, end := &r.seg, lead+length
	tag := lead + int(s.sep[0])
	// The three are stored at once: the garbage collector is asked once, too.
	before, raw, name := b[:lead:lead], b[lead:end:end], b[lead:tag:tag]
	s.Lead, s.Raw, s.Tag = before, raw, name
	r.ordinal++
	s.Pos = Position{Offset: r.base + int64(r.pos+lead), Line: line, Ordinal: r.ordinal}
	r.line, r.lastCR = line+r.scan.endsLine, r.scan.isCR
	r.pos += end
	return true
}

// mark finds the separators of the segment at the start of body and returns
// its length up to behind the terminator: 0 when there is none or something in
// between asks for the long way.
func (r *Reader) mark(body []byte) int {
	kind, sep, elem := &r.scan.kind, (*[quickSize]uint32)(r.seg.sep), (*[quickSize]uint32)(r.seg.elem)
	n, m, i, flags := uint(0), uint(0), uint(0), uint8(0)
	for {
		// Runs of data are short: a few bytes at a time, each with a branch of its
		// own, which the processor learns to foresee. (Eight bytes in one word take
		// more instructions than they save where a run has four.)
		var k uint8
	run:
		for { // once: it is there to be left from inside
			for ; i+4 <= uint(len(body)); i += 4 {
				b := body[i : i+4 : i+4]
				if k = kind[b[0]]; k != kindData {
					break run
				}
				if k = kind[b[1]]; k != kindData {
					i++
					break run
				}
				if k = kind[b[2]]; k != kindData {
					i += 2
					break run
				}
				if k = kind[b[3]]; k != kindData {
					i += 3
					break run
				}
			}
			for ; i < uint(len(body)); i++ {
				if k = kind[body[i]]; k != kindData {
					break run
				}
			}
			return 0
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
			break
		}
		if k != kindRelease || i >= uint(len(body)) || isNewline(body[i]) {
			return 0
		}
		flags = hasRelease
		i++
	}
	if n >= r.scan.most { // one more part than separators
		return 0
	}
	r.seg.seps, r.seg.elems, r.seg.flags = int(n)+1, int(m)+1, flags
	return int(i)
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
