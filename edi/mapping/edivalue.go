package mapping

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"tradepost/edi/schema"
)

// find tells which element and component a place ends at in an occurrence; ok
// is false when there is none.
func (d *ediDoc) find(c spot, p *place) (seg int32, element, component int, ok bool) {
	seg = d.segment(c)
	if seg < 0 {
		return 0, 0, 0, false
	}
	l := &p.leaf
	switch {
	case c.elem > 0 && len(p.steps) == 0:
		return seg, int(c.elem) + l.element - 1, l.component, true
	case l.pair != nil:
		for e := l.element; e <= l.last && e < int(d.segs[seg].count); e += 2 {
			v := d.text(seg, e, 0)
			for _, q := range l.pair {
				if string(v) == q {
					if len(d.text(seg, e+1, 0)) > 0 {
						d.mark(seg, e, 0)
					}
					return seg, e + 1, 0, true
				}
			}
		}
		return 0, 0, 0, false
	case len(l.conds) > 0:
		for e := l.element; e <= l.last && e <= int(d.segs[seg].count); e++ {
			if len(d.text(seg, e, l.component)) > 0 && d.componentsHold(seg, e, l.conds) {
				for _, c := range l.conds {
					d.mark(seg, e, c.component)
				}
				return seg, e, l.component, true
			}
		}
		return 0, 0, 0, false
	}
	return seg, l.element, l.component, true
}

// componentsHold tests conditions on the components of an element.
func (d *ediDoc) componentsHold(seg int32, element int, conds []cond) bool {
	for i := range conds {
		if !conds[i].accepts(d.text(seg, element, conds[i].component)) {
			return false
		}
	}
	return true
}

// value appends the canonical value a place has in an occurrence. It is empty
// when there is none. The text says what is wrong with it.
func (d *ediDoc) value(c spot, p *place, dst []byte) ([]byte, string) {
	seg, element, component, ok := d.find(c, p)
	if !ok {
		return dst, ""
	}
	return d.component(seg, element, component, &p.codec, dst)
}

// component decodes one element or component.
func (d *ediDoc) component(seg int32, element, component int, codec *codec, dst []byte) ([]byte, string) {
	v := d.text(seg, element, component)
	if len(v) == 0 {
		return dst, ""
	}
	d.last = valuePlace{seg, int32(element), int32(component)} //nolint:gosec // below 1000
	if codec.formatAt == 0 && codec.timeAt == 0 {
		d.mark(seg, element, component)
		d.take()
		if codec.kind == Text {
			return d.decodeText(dst, v)
		}
		return codec.decode(dst, v, nil, nil, d.decimal())
	}
	// text is valid until the next call only.
	var own [64]byte
	v = append(own[:0], v...)
	var format, time []byte
	if codec.formatAt > 0 {
		e, n := element, codec.formatAt
		if component == 0 {
			e, n = codec.formatAt, 0
		}
		format = append(format, d.text(seg, e, n)...)
		if _, ok := formNamed(string(format)); !ok && len(format) > 0 {
			return dst, "" // a period or an interval: no date, so it is left
		}
		d.mark(seg, e, n)
	}
	d.mark(seg, element, component)
	d.take()
	if codec.timeAt > 0 {
		time = append(time, d.text(seg, codec.timeAt, 0)...)
		d.mark(seg, codec.timeAt, 0)
	}
	return codec.decode(dst, v, format, time, d.decimal())
}

// decimal is the decimal mark besides the point.
func (d *ediDoc) decimal() byte {
	if d.decoded {
		return ','
	}
	return 0
}

// decodeText appends text as UTF-8: from the character set of an EDIFACT
// interchange; in X12, which names none, what is no UTF-8 is taken for
// ISO 8859-1. Blanks that pad the end stay out.
func (d *ediDoc) decodeText(dst, v []byte) ([]byte, string) {
	v = bytes.TrimRight(v, " ")
	plain := true
	for _, b := range v {
		if b >= 0x80 || b < ' ' {
			plain = false
			break
		}
	}
	if plain {
		return append(dst, v...), ""
	}
	start := len(dst)
	if d.decoded && d.charset.ID() != "" {
		out, err := d.charset.Decode(dst, v)
		if err == nil {
			return out, ""
		}
		if d.charset.ID() != "UNOA" && d.charset.ID() != "UNOB" {
			return dst[:start], fmt.Sprintf("holds bytes that are not in character set %s", d.charset)
		}
		dst = out[:start]
	}
	if utf8.Valid(v) {
		return append(dst, v...), ""
	}
	for _, b := range v {
		dst = utf8.AppendRune(dst, rune(b))
	}
	return dst, ""
}

// stands tests the values that have to stand beside one: each is absent or as
// the map says.
func (d *ediDoc) stands(c spot, beside []besideValue) bool {
	seg := d.segment(c)
	if seg < 0 {
		return false
	}
	for _, b := range beside {
		v := d.text(seg, b.element, b.component)
		ok := len(v) == 0
		for _, want := range b.values {
			ok = ok || string(v) == want
		}
		if !ok {
			return false
		}
	}
	for _, b := range beside {
		d.mark(seg, b.element, b.component)
	}
	return true
}

// pieces calls f for every value of a place that is joined: of all components
// of its range, in all occurrences.
func (d *ediDoc) pieces(c spot, p *place, f func(v []byte) bool) {
	d.begin()
	if n := len(p.steps); n == 0 || n == 1 && !p.steps[0].head && d.slots[d.loops[c.at].base+int32(p.steps[0].slot)].first < 0 { //nolint:gosec // a guide has few nodes
		if n == 0 {
			d.piecesAt(c, p, f)
		}
		return
	}
	d.each(c, p.steps, false, func(c spot) bool { return d.piecesAt(c, p, f) })
}

// piecesAt goes through the pieces in one occurrence.
func (d *ediDoc) piecesAt(c spot, p *place, f func(v []byte) bool) bool {
	seg, element, component, ok := d.find(c, p)
	if !ok {
		return true
	}
	as := codec{kind: Text, use: p.codec.use}
	last := element
	if p.leaf.pair == nil && len(p.leaf.conds) == 0 {
		last += p.leaf.last - p.leaf.element
	}
	for e := element; e <= last; e++ {
		for n := component; n <= max(component, p.leaf.lastComponent); n++ {
			out, bad := d.component(seg, e, n, &as, d.piece[:0])
			d.piece = out
			if bad == "" && len(out) > 0 && !f(out) {
				return false
			}
		}
	}
	return true
}

// where tells where the value read last stands.
func (d *ediDoc) where(p *place) Location {
	l := Location{}
	if p != nil {
		l.Path = p.text
	}
	if int(d.last.seg) >= len(d.segs) || d.last.element == 0 {
		return l
	}
	return d.location(d.last.seg, int(d.last.element), int(d.last.component), l.Path)
}

// location describes one element.
func (d *ediDoc) location(seg int32, element, component int, path string) Location {
	s := &d.segs[seg]
	l := Location{
		Path: path, Segment: s.node.Tag.String(), Ordinal: int(s.ordinal), Element: element, Component: component,
		Offset: s.offset, Value: clip(d.text(seg, element, component)),
	}
	if element <= int(s.count) && element > 0 {
		// Elements keep their distance from the tag.
		first := d.spans[s.first].from
		l.Offset += int64(d.spans[int(s.first)+element-1].from-first) + int64(len(l.Segment)) + 1
	}
	return l
}

// lost lists the values no line has read, at most limit: those a map does not
// carry, but for those that writing makes anew.
func (d *ediDoc) lost(made map[*schema.Node][]madeValue, limit int) []Location {
	ignored := func(seg int32, node *schema.Node, element, component int) bool {
		for _, v := range made[node] {
			if v.element == element && v.component == component && (v.constant == nil || bytes.Equal(v.constant, d.text(seg, element, component))) && d.holds(seg, v.conds) {
				return true
			}
		}
		return false
	}
	var out []Location
	for i := range d.segs {
		s := &d.segs[i]
		for e := 1; e <= int(s.count) && len(out) < limit; e++ {
			seen := d.seen[int(s.first)+e-1]
			at := d.spans[int(s.first)+e-1]
			if more := d.repeats(s, e); seen != 0 && more != "" {
				l := d.location(int32(i), e, 0, "") //nolint:gosec // below the limit of a document
				l.Value = clip(more)
				out = append(out, l)
			}
			if seen&1 != 0 || at.from == at.to || d.isEnvelope(s, e) {
				continue
			}
			composite := s.layout != nil && e <= len(s.layout.Uses) && s.layout.Uses[e-1].Composite != nil
			if !composite {
				if seen == 0 && !ignored(int32(i), s.node, e, 0) {
					out = append(out, d.location(int32(i), e, 0, "")) //nolint:gosec // below the limit of a document
				}
				continue
			}
			for n := 1; n <= len(s.layout.Uses[e-1].Composite.Uses) && len(out) < limit; n++ {
				if seen&(1<<min(n, 15)) == 0 && len(d.text(int32(i), e, n)) > 0 && !ignored(int32(i), s.node, e, n) { //nolint:gosec // the same
					out = append(out, d.location(int32(i), e, n, "")) //nolint:gosec // the same
				}
			}
		}
	}
	return out
}

// repeats returns the repetitions of an element behind the first, which is the
// one that maps read.
func (d *ediDoc) repeats(s *segment, element int) string {
	r := d.delims.Repetition
	if r == 0 {
		return ""
	}
	if s.odd != nil {
		e := s.odd.Element(element)
		if e.Repeats() < 2 {
			return ""
		}
		return string(e.Raw()[len(e.Repeat(1).Raw()):])
	}
	at := d.spans[int(s.first)+element-1]
	v := d.raw[at.from:at.to]
	if i := bytes.IndexByte(v, r); i >= 0 {
		return string(v[i:])
	}
	return ""
}

// madeValue is a value that lines of only-from write: it follows from the rest
// of the document.
type madeValue struct {
	element, component int
	constant           []byte // nil for a computed one
	conds              []cond
}

// Tags of segments that hold the order of a document together.
const (
	tagUNS = schema.Tag('U')<<16 | schema.Tag('N')<<8 | schema.Tag('S')
	tagLS  = schema.Tag('L')<<8 | schema.Tag('S')
	tagLE  = schema.Tag('L')<<8 | schema.Tag('E')
	tagHL  = schema.Tag('H')<<8 | schema.Tag('L')
	tagCPS = schema.Tag('C')<<16 | schema.Tag('P')<<8 | schema.Tag('S')
)

// isEnvelope tells elements that hold nothing but the order of the document.
func (d *ediDoc) isEnvelope(s *segment, element int) bool {
	switch s.node.Tag {
	case tagUNS, tagLS, tagLE:
		return true
	case tagHL:
		// A line that names the level has understood its code.
		level := d.loops[s.loop]
		return element != 3 || level.taken && level.info.level != "" && level.info.level != "*"
	case tagCPS:
		return element < 3
	}
	return false
}
