package mapping

import (
	"bytes"
	"math"

	"tradepost/edi"
	"tradepost/edi/edifact"
	"tradepost/edi/schema"
)

// spot is an occurrence lines run in: of a loop or object, of a segment in
// it, of a pair or composite in that.
type spot struct {
	at   int32 // occurrence of a loop or object
	seg  int32 // segment, -1 for none
	elem int32 // first element of a pair or composite, 0 for none
}

// ediDoc holds one document while it is mapped: its bytes, where its elements
// stand, and its loops as slots. It is used again for the next document.
type ediDoc struct {
	index   *guideIndex
	raw     []byte
	spans   []span   // of elements
	seen    []uint16 // by element: bit n for component n, bit 0 for the whole
	segs    []segment
	loops   []occurrence
	slots   []list
	open    []int32 // loops the last segment stands in
	numbers map[string]int32
	delims  edi.Delimiters
	charset edifact.Charset
	decoded bool // text is decoded from charset
	scratch []byte
	piece   []byte // of a joined text
	last    valuePlace
	trail   []footstep // how the occurrence looked at was reached
	unseen  bool       // what is read now does not count as carried
}

// footstep is one occurrence gone into on the way to a value.
type footstep struct {
	loop  int32 // -1 for a segment
	seg   int32 // -1 for a loop that no segment opens
	conds []cond
}

// valuePlace is the value read last, for faults.
type valuePlace struct {
	seg, element, component int32
}

type span struct{ from, to uint32 }

// segment is one segment of the document.
type segment struct {
	first   uint32 // in spans
	count   uint32
	next    int32 // of the same slot, -1 for none
	ordinal int32 // in the document, ST or UNH is 1
	offset  int64 // in the input
	loop    int32
	node    *schema.Node
	layout  *schema.Segment
	odd     *edi.Segment // kept whole: release characters or line ends stand in it
	taken   bool         // a line went into it
}

// occurrence is one loop.
type occurrence struct {
	info *loopInfo
	base int32 // in slots
	next int32
	head int32 // the segment that opens it
	// taken tells that a line went into it by name
	taken bool
}

// list is the occurrences of one slot.
type list struct{ first, last int32 }

func (d *ediDoc) reset(x *guideIndex, delims edi.Delimiters, charset edifact.Charset, decoded bool) {
	d.index, d.delims, d.charset, d.decoded = x, delims, charset, decoded
	d.raw, d.spans, d.seen = d.raw[:0], d.spans[:0], d.seen[:0]
	clear(d.segs) // lets go of segments kept whole
	d.segs, d.loops, d.slots, d.open = d.segs[:0], d.loops[:0], d.slots[:0], d.open[:0]
	clear(d.numbers)
	d.open = append(d.open, d.newLoop(x.root, -1))
}

func (d *ediDoc) newLoop(info *loopInfo, head int32) int32 {
	base := len(d.slots)
	for range info.slots {
		d.slots = append(d.slots, list{-1, -1})
	}
	d.loops = append(d.loops, occurrence{info: info, base: int32(base), next: -1, head: head}) //nolint:gosec // below the limit of a document
	return int32(len(d.loops) - 1)                                                             //nolint:gosec // the same
}

// size is what the document takes in memory, roughly.
func (d *ediDoc) size() int {
	return len(d.raw) + 10*len(d.spans) + 80*len(d.segs) + 32*len(d.loops) + 8*len(d.slots)
}

// add takes the next segment of the document. A segment without a place in the
// guide is passed over.
func (d *ediDoc) add(s *edi.Segment, n *schema.Node, ordinal int) {
	if n == nil || len(d.raw)+len(s.Raw) > math.MaxInt32 {
		return
	}
	if n.Loop != nil {
		if len(n.Loop.Levels) > 0 {
			return
		}
		n = &n.Loop.Nodes[0]
	}
	at, ok := d.index.nodes[n]
	if !ok {
		return
	}
	id := d.keep(s, n, ordinal)
	opens := at.slot == 0 && at.loop != d.index.root
	loop := d.enter(at.loop, opens, id)
	d.segs[id].loop = loop
	d.append(&d.slots[d.loops[loop].base+int32(at.slot)], id, false) //nolint:gosec // a guide has few nodes
}

// keep copies a segment.
func (d *ediDoc) keep(s *edi.Segment, n *schema.Node, ordinal int) int32 {
	base := len(d.raw)
	d.raw = append(d.raw, s.Raw...)
	rec := segment{first: uint32(len(d.spans)), next: -1, ordinal: int32(ordinal), offset: s.Pos.Offset, node: n, layout: n.Segment} //nolint:gosec // below the limit of a document
	count := s.Len()
	for i := 1; i <= count; i++ {
		e := s.Element(i)
		from := base + int(e.Offset()-s.Pos.Offset)
		d.spans = append(d.spans, span{uint32(from), uint32(from + len(e.Raw()))}) //nolint:gosec // the same
		d.seen = append(d.seen, 0)
	}
	rec.count = uint32(count) //nolint:gosec // the same
	if r := d.delims.Release; r != 0 && bytes.IndexByte(s.Raw, r) >= 0 || bytes.IndexByte(s.Content(), '\n') >= 0 || bytes.IndexByte(s.Content(), '\r') >= 0 {
		rec.odd = s.Clone()
	}
	d.segs = append(d.segs, rec)
	return int32(len(d.segs) - 1) //nolint:gosec // the same
}

func (d *ediDoc) append(l *list, id int32, loops bool) {
	switch {
	case l.first < 0:
		l.first = id
	case loops:
		d.loops[l.last].next = id
	default:
		d.segs[l.last].next = id
	}
	l.last = id
}

// enter finds the loop a segment stands in, opening it and those around it.
func (d *ediDoc) enter(info *loopInfo, opens bool, seg int32) int32 {
	depth := 0
	for l := info; l.parent != nil; l = l.parent {
		depth++
	}
	keep := min(len(d.open), depth+1)
	for l, i := info, depth; i > 0; l, i = l.parent, i-1 {
		if i < keep && d.loops[d.open[i]].info != l {
			keep = i
		}
	}
	if opens {
		keep = min(keep, depth)
	}
	d.open = d.open[:keep]
	for len(d.open) <= depth {
		l := info
		for i := depth; i > len(d.open); i-- {
			l = l.parent
		}
		head := int32(-1)
		if opens && l == info {
			head = seg
		}
		id := d.newLoop(l, head)
		above := d.open[len(d.open)-1]
		if l.byNumber && head >= 0 {
			above = d.above(l, id, head, above)
		}
		slot := l.slotBelow(d.loops[above].info)
		d.append(&d.slots[d.loops[above].base+int32(slot)], id, true) //nolint:gosec // a guide has few nodes
		d.open = append(d.open, id)
	}
	return d.open[depth]
}

// above finds the loop that the second element of a loop's first segment
// names, and remembers the loop by its own number. Without one it stands in
// the loop around it.
func (d *ediDoc) above(l *loopInfo, id, head, around int32) int32 {
	if d.numbers == nil {
		d.numbers = map[string]int32{}
	}
	parent := d.text(head, 2, 0)
	if len(parent) > 0 {
		if p, ok := d.numbers[string(parent)]; ok && d.loops[p].info.levels != nil {
			around = p
		}
	}
	number := d.text(head, 1, 0)
	if _, used := d.numbers[string(number)]; !used && len(number) > 0 {
		d.numbers[string(number)] = id
	}
	return around
}

// text returns an element's or component's bytes as they were meant, in the
// character set of the input. It is valid until the next call.
func (d *ediDoc) text(seg int32, element, component int) []byte {
	s := &d.segs[seg]
	if s.odd != nil {
		d.scratch = s.odd.Element(element).Component(max(component, 1)).Append(d.scratch[:0])
		return d.scratch
	}
	if element > int(s.count) {
		return nil
	}
	at := d.spans[int(s.first)+element-1]
	v := d.raw[at.from:at.to]
	if r := d.delims.Repetition; r != 0 {
		if i := bytes.IndexByte(v, r); i >= 0 {
			v = v[:i]
		}
	}
	if component == 0 && (s.layout == nil || element > len(s.layout.Uses) || s.layout.Uses[element-1].Composite == nil) {
		return v
	}
	// Composites are short: looking at each byte takes less than a search would.
	n, from, sep := max(component, 1), 0, d.delims.Component
	for i, c := range v {
		if c != sep {
			continue
		}
		if n == 1 {
			return v[from:i]
		}
		n, from = n-1, i+1
	}
	if n > 1 {
		return nil
	}
	return v[from:]
}

// observe tells whether what is read from now on counts as carried. Conditions
// look at values and carry none.
func (d *ediDoc) observe(on bool) { d.unseen = !on }

// mark notes that a value was read.
func (d *ediDoc) mark(seg int32, element, component int) {
	s := &d.segs[seg]
	if d.unseen {
		return
	}
	if element <= int(s.count) {
		d.seen[int(s.first)+element-1] |= 1 << min(max(component, 0), 15)
	}
}
