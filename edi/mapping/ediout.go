package mapping

import (
	"fmt"
	"slices"
	"strings"

	"tradepost/edi/edifact"
	"tradepost/edi/schema"
)

// ediOut builds one document to be written: lines fill it in any order, and it
// is written in the order of its guide.
type ediOut struct {
	index   *guideIndex
	charset edifact.Charset
	encoded bool // text is encoded in charset
	mark    byte // decimal mark, 0 for the point
	loops   []*outLoop
	segs    []*outSegment
	size    int
}

// outLoop is one occurrence of a loop.
type outLoop struct {
	info    *loopInfo
	id      int32
	head    *outSegment
	slots   [][]outItem
	parent  *outLoop
	dropped bool
}

// outItem is a segment or a loop in a slot, and the conditions it was made
// for.
type outItem struct {
	seg  *outSegment
	loop *outLoop
	sign int
	nth  int
}

// outSegment is one segment. Elements hold components.
type outSegment struct {
	id       int32
	layout   *schema.Segment
	loop     *outLoop
	elements [][]string
	first    []string // room for the first components of all elements
	filled   bool     // by a line, not by conditions alone
	counts   []counted
	dropped  bool
}

// counted is an element that tells how often a segment was written before it.
type counted struct {
	element, component int
	tag                schema.Tag
	codec              *codec
}

const maxOutSize = 256 << 20 // bytes of one document being built, roughly

func (o *ediOut) reset(x *guideIndex) {
	o.index, o.size = x, 0
	clear(o.loops)
	clear(o.segs)
	o.loops, o.segs = o.loops[:0], o.segs[:0]
	o.newLoop(x.root, nil)
}

func (o *ediOut) newLoop(info *loopInfo, parent *outLoop) *outLoop {
	l := &outLoop{info: info, id: int32(len(o.loops)), slots: make([][]outItem, info.slots), parent: parent} //nolint:gosec // below the limit of a document
	o.loops = append(o.loops, l)
	o.size += 64 + 24*info.slots
	if parent != nil {
		l.head = o.newSegment(l, info.loop.Nodes[0].Segment)
		l.slots[0] = []outItem{{seg: l.head}}
		if info.level != "" && info.level != "*" {
			l.head.set(3, 0, info.level)
		}
	}
	return l
}

func (o *ediOut) newSegment(l *outLoop, layout *schema.Segment) *outSegment {
	s := &outSegment{id: int32(len(o.segs)), layout: layout, loop: l} //nolint:gosec // below the limit of a document
	o.segs = append(o.segs, s)
	o.size += 96
	return s
}

// get returns an element's component; component 0 is a simple element.
func (s *outSegment) get(element, component int) string {
	if element > len(s.elements) || len(s.elements[element-1]) < max(component, 1) {
		return ""
	}
	return s.elements[element-1][max(component, 1)-1]
}

func (s *outSegment) set(element, component int, v string) {
	if n := len(s.layout.Uses); s.first == nil {
		s.first, s.elements = make([]string, n), make([][]string, 0, n)
	}
	for len(s.elements) < element {
		s.elements = append(s.elements, nil)
	}
	e := &s.elements[element-1]
	if *e == nil && element <= len(s.first) {
		*e = s.first[element-1 : element-1 : element]
	}
	for len(*e) < max(component, 1) {
		*e = append(*e, "")
	}
	(*e)[max(component, 1)-1] = v
}

func (o *ediOut) root() spot { return spot{at: 0, seg: -1} }

func (o *ediOut) segment(c spot) *outSegment {
	if c.seg >= 0 {
		return o.segs[c.seg]
	}
	return o.loops[c.at].head
}

// open goes the steps of a place and makes what is missing.
func (o *ediOut) open(c spot, p *place) (spot, string) {
	for i := range p.steps {
		var bad string
		if c, bad = o.into(c, &p.steps[i]); bad != "" {
			return c, bad
		}
	}
	return c, ""
}

// into goes one step: into the occurrence made for the same conditions, or a
// new one.
func (o *ediOut) into(c spot, s *step) (spot, string) {
	l := o.loops[c.at]
	if s.head {
		if bad := l.head.satisfy(s.conds); bad != "" {
			return c, bad
		}
		return spot{at: c.at, seg: l.head.id}, ""
	}
	count := 0
	for _, item := range l.slots[s.slot] {
		if item.sign != s.sign || item.nth < 0 || item.dropped() {
			continue
		}
		if count++; s.nth == 0 || item.nth == s.nth {
			return item.spot(c), ""
		}
	}
	return o.make(c, s, s.nth)
}

func (i outItem) dropped() bool {
	if i.loop != nil {
		return i.loop.dropped
	}
	return i.seg.dropped
}

func (i outItem) spot(c spot) spot {
	if i.loop != nil {
		return spot{at: i.loop.id, seg: -1}
	}
	return spot{at: c.at, seg: i.seg.id}
}

// make adds an occurrence to a slot and makes its conditions true.
func (o *ediOut) make(c spot, s *step, nth int) (spot, string) {
	l := o.loops[c.at]
	if o.size > maxOutSize {
		return c, "needs more room than a document may have"
	}
	if s.max > 0 {
		n := 0
		for _, item := range l.slots[s.slot] {
			if !item.dropped() {
				n++
			}
		}
		if n >= s.max {
			return c, fmt.Sprintf("needs one %s more than the %d guide %s allows there", s.name, s.max, o.index.guide.Name)
		}
	}
	item := outItem{sign: s.sign, nth: nth}
	head := (*outSegment)(nil)
	if s.loop != nil {
		item.loop = o.newLoop(s.loop, l)
		head = item.loop.head
	} else {
		item.seg = o.newSegment(l, s.layout)
		head = item.seg
	}
	l.slots[s.slot] = append(l.slots[s.slot], item)
	return item.spot(c), head.satisfy(s.conds)
}

// satisfy makes conditions true.
func (s *outSegment) satisfy(conds []cond) string {
	for _, c := range settable(conds) {
		have := s.get(c.element, c.component)
		switch {
		case have == "":
			s.set(c.element, c.component, c.values[0])
		case !slices.Contains(c.values, have):
			return fmt.Sprintf("asks for %s%02d %q, which is %q already", s.layout.Tag, c.element, c.values[0], have)
		}
	}
	return ""
}

// add makes a new occurrence at the end of a place, or a new pair or composite
// of a range.
func (o *ediOut) add(c spot, p *place) (spot, string) {
	last := len(p.steps) - 1
	for i := range p.steps {
		s := &p.steps[i]
		var bad string
		switch {
		case i < last || p.leaf.isRange || s.head:
			c, bad = o.into(c, s)
		default:
			// An occurrence of its own: no other line finds it.
			c, bad = o.make(c, s, -1)
		}
		if bad != "" {
			return c, bad
		}
	}
	if !p.leaf.isRange {
		return c, ""
	}
	seg := o.segment(c)
	for e := p.leaf.element; e <= p.leaf.last; e += p.leaf.step {
		if seg.isFree(e, p.leaf.step) {
			for _, cond := range settable(p.leaf.conds) {
				seg.set(e, cond.component, cond.values[0])
			}
			return spot{at: c.at, seg: seg.id, elem: int32(e)}, "" //nolint:gosec // at most 999
		}
	}
	return c, fmt.Sprintf("finds no free place in elements %d to %d of %s", p.leaf.element, p.leaf.last, seg.layout.Tag)
}

// holdsText tells whether one of the components has a value.
func holdsText(components []string) bool {
	return slices.ContainsFunc(components, func(c string) bool { return c != "" })
}

func (s *outSegment) isFree(element, step int) bool {
	for e := element; e < element+step; e++ {
		if e <= len(s.elements) && holdsText(s.elements[e-1]) {
			return false
		}
	}
	return true
}

// drop takes an occurrence away again when no line has filled it.
func (o *ediOut) drop(c spot, p *place) {
	switch {
	case p.leaf.isRange, len(p.steps) > 0 && p.steps[len(p.steps)-1].head:
	case c.seg >= 0:
		o.segs[c.seg].dropped = !o.segs[c.seg].filled
	default:
		l := o.loops[c.at]
		l.dropped = !l.filled()
	}
}

// filled tells whether a line has put a value into a loop or one inside of it.
func (l *outLoop) filled() bool {
	for _, items := range l.slots {
		for _, i := range items {
			if i.seg != nil && i.seg.filled && !i.seg.dropped || i.loop != nil && !i.loop.dropped && i.loop.filled() {
				return true
			}
		}
	}
	return false
}

// write puts a canonical value at a place. The text says what is wrong.
func (o *ediOut) write(c spot, p *place, v []byte) string {
	c, bad := o.open(c, p)
	if bad != "" {
		return bad
	}
	seg := o.segment(c)
	if seg == nil {
		return "has no segment to go to"
	}
	element, component, bad := o.elementFor(c, seg, p)
	if bad != "" {
		return bad
	}
	return o.put(seg, element, component, &p.codec, v)
}

// every calls f for every occurrence there is that the steps lead to.
func (o *ediOut) every(c spot, steps []step, f func(spot) string) (n int, bad string) {
	if len(steps) == 0 {
		return 1, f(c)
	}
	s := &steps[0]
	if s.head || s.max == 1 {
		next, bad := o.into(c, s)
		if bad != "" {
			return 0, bad
		}
		return o.every(next, steps[1:], f)
	}
	for _, item := range o.loops[c.at].slots[s.slot] {
		if item.dropped() || s.sign != 0 && item.sign != s.sign {
			continue
		}
		found, bad := o.every(item.spot(c), steps[1:], f)
		if n += found; bad != "" {
			return n, bad
		}
	}
	return n, ""
}

// countLater leaves an element to be filled when the document is written.
func (o *ediOut) countLater(c spot, p *place, tag schema.Tag) string {
	c, bad := o.open(c, p)
	if bad != "" {
		return bad
	}
	seg := o.segment(c)
	if seg == nil {
		return "has no segment to go to"
	}
	seg.counts = append(seg.counts, counted{p.leaf.element, p.leaf.component, tag, &p.codec})
	seg.filled = true
	return ""
}

// elementFor finds the element a place ends at: for pairs and composites of a
// range a free one, qualifier and conditions set.
func (o *ediOut) elementFor(c spot, seg *outSegment, p *place) (element, component int, bad string) {
	l := &p.leaf
	switch {
	case c.elem > 0 && len(p.steps) == 0:
		return int(c.elem) + l.element - 1, l.component, ""
	case l.pair != nil:
		for e := l.element; e <= l.last; e += 2 {
			if seg.isFree(e, 2) {
				seg.set(e, 0, l.pair[0])
				return e + 1, 0, ""
			}
		}
		return 0, 0, fmt.Sprintf("finds no free pair in elements %d to %d of %s", l.element, l.last, seg.layout.Tag)
	case len(l.conds) > 0:
		for e := l.element; e <= l.last; e++ {
			if seg.isFree(e, 1) {
				for _, cond := range settable(l.conds) {
					seg.set(e, cond.component, cond.values[0])
				}
				return e, l.component, ""
			}
		}
		return 0, 0, fmt.Sprintf("finds no free composite in elements %d to %d of %s", l.element, l.last, seg.layout.Tag)
	}
	return l.element, l.component, ""
}

// put encodes a value and sets the element, and those its codec names.
func (o *ediOut) put(seg *outSegment, element, component int, codec *codec, v []byte) string {
	out, bad := codec.encode(nil, v, o.mark)
	if bad != "" {
		return bad
	}
	if codec.kind == Text && o.encoded && codec.use != nil {
		encoded, err := o.charset.Encode(nil, string(out.text))
		if err != nil {
			return fmt.Sprintf("holds characters that are not in character set %s", o.charset)
		}
		defer func(n int) { o.size += n }(len(encoded))
		if bad := codec.fits(out.text); bad != "" {
			return bad
		}
		return seg.place(element, component, string(encoded))
	}
	if bad := codec.fits(out.text); bad != "" {
		return bad
	}
	o.size += len(out.text)
	if out.format != nil {
		e, n := element, codec.formatAt
		if component == 0 {
			e, n = codec.formatAt, 0
		}
		seg.set(e, n, string(out.format))
	}
	if out.time != nil {
		seg.set(codec.timeAt, 0, string(out.time))
	}
	return seg.place(element, component, string(out.text))
}

// place sets an element that no other line has set to something else.
func (s *outSegment) place(element, component int, v string) string {
	if have := s.get(element, component); have != "" && have != v {
		return fmt.Sprintf("differs from %q, which %s%02d holds already", clip(have), s.layout.Tag, element)
	}
	s.set(element, component, v)
	s.filled = true
	return ""
}

// putBeside sets what has to stand beside a value, where no line has set
// anything else.
func (o *ediOut) putBeside(c spot, p *place, beside []besideValue) string {
	c, bad := o.open(c, p)
	if bad != "" {
		return bad
	}
	seg := o.segment(c)
	for _, b := range beside {
		switch have := seg.get(b.element, b.component); {
		case have == "":
			seg.set(b.element, b.component, b.values[0])
		case !slices.Contains(b.values, have):
			return fmt.Sprintf("asks for %s%02d %q beside it, which is %q already", seg.layout.Tag, b.element, b.values[0], have)
		}
	}
	return ""
}

// target describes a place lines write to: PO1[3]/2.
func (o *ediOut) target(c spot, p *place) string {
	l := o.loops[c.at]
	if l.parent == nil {
		return p.text
	}
	n, of := 0, 0
	for _, items := range l.parent.slots {
		for i, item := range items {
			if item.loop == l {
				n, of = i+1, len(items)
			}
		}
	}
	if of <= 1 && n == 1 {
		return p.text
	}
	return fmt.Sprintf("%s[%d] %s", strings.TrimSuffix(l.info.name, "]"), n, p.text)
}
