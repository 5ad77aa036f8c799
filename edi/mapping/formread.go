package mapping

import (
	"slices"
)

// occurrence goes the steps of a place while reading: into objects, and into
// the item of a list that fits.
func (d *formDoc) occurrence(c spot, p *place) (spot, bool) {
	steps := p.steps
	if len(steps) > 0 && p.field != nil && p.kind.isScalar() {
		steps = steps[:len(steps)-1]
	}
	for i := range steps {
		next, ok := d.first(c, &steps[i])
		if !ok {
			return c, false
		}
		c = next
	}
	return c, true
}

func (d *formDoc) first(c spot, s *step) (spot, bool) {
	sl := d.at(c, s.slot)
	id, ok := sl.object()
	if !ok {
		return c, false
	}
	sl.used = sl.used || !d.unseen
	n := 0
	for ; id >= 0; id = d.objects[id].next {
		if d.holds(id, s.conds) {
			if n++; n >= s.nth {
				return spot{at: id, seg: -1}, true
			}
		}
	}
	return c, false
}

// holds tests conditions on an object.
func (d *formDoc) holds(id int32, conds []cond) bool {
	for i := range conds {
		s := &d.slots[d.objects[id].base+int32(conds[i].field.index)] //nolint:gosec // a form has few fields
		if !conds[i].accepts(d.text[s.from:s.to]) {
			return false
		}
	}
	for i := range conds {
		s := &d.slots[d.objects[id].base+int32(conds[i].field.index)] //nolint:gosec // the same
		s.used = s.used || !d.unseen
	}
	return true
}

func (d *formDoc) occurrences(c spot, p *place, rest bool, f func(spot) bool) {
	d.each(c, p.steps, rest, f)
}

func (d *formDoc) each(c spot, steps []step, rest bool, f func(spot) bool) bool {
	if len(steps) == 0 {
		return f(c)
	}
	s := &steps[0]
	sl := d.at(c, s.slot)
	id, ok := sl.object()
	if !ok {
		return true
	}
	sl.used = sl.used || !d.unseen
	n := 0
	for ; id >= 0; id = d.objects[id].next {
		if !d.holds(id, s.conds) {
			continue
		}
		if n++; s.nth != 0 && n != s.nth {
			continue
		}
		if !d.each(spot{at: id, seg: -1}, steps[1:], rest, f) {
			return false
		}
	}
	return true
}

// value appends the value of a place in an occurrence.
func (d *formDoc) value(c spot, p *place, dst []byte) ([]byte, string) {
	if c.at < 0 {
		return dst, ""
	}
	at := d.objects[c.at].base
	if p.field != nil {
		at += int32(p.field.index) //nolint:gosec // a form has few fields
	}
	s := &d.slots[at]
	s.used, d.last = s.used || !d.unseen, at
	return append(dst, d.text[s.from:s.to]...), ""
}

func (d *formDoc) stands(spot, []besideValue) bool { return true }

func (d *formDoc) pieces(c spot, p *place, f func([]byte) bool) {
	if c, ok := d.occurrence(c, p); ok {
		if v, _ := d.value(c, p, nil); len(v) > 0 {
			f(v)
		}
	}
}

// where tells where the value read last stands.
func (d *formDoc) where(p *place) Location {
	if int(d.last) >= len(d.slots) {
		return Location{}
	}
	s := &d.slots[d.last]
	return Location{Path: d.pathOf(d.last), Offset: d.base + int64(s.offset), Value: clip(d.text[s.from:s.to])}
}

// pathOf describes the place of a slot.
func (d *formDoc) pathOf(at int32) string {
	i, _ := slices.BinarySearchFunc(d.objects, at, func(o object, at int32) int {
		n := int32(1)
		if o.shape != nil {
			n = int32(len(o.shape.Fields)) //nolint:gosec // a form has few fields
		}
		switch {
		case o.base+n <= at:
			return -1
		case o.base > at:
			return 1
		}
		return 0
	})
	if i >= len(d.objects) {
		return ""
	}
	o := &d.objects[i]
	if o.shape == nil {
		return d.path(int32(i), nil) //nolint:gosec // an index
	}
	return d.path(int32(i), o.shape.Fields[at-o.base]) //nolint:gosec // the same
}

// take does nothing: every value of a form counts for itself.
func (d *formDoc) take() {}

// observe tells whether what is read from now on counts as carried.
func (d *formDoc) observe(on bool) { d.unseen = !on }

// leftOver calls f for every field with a value that no line has read.
func (d *formDoc) leftOver(f func(at int32, field *Field)) { d.unread(0, f) }

func (d *formDoc) unread(id int32, f func(int32, *Field)) {
	o := &d.objects[id]
	for i, field := range o.shape.Fields {
		at := o.base + int32(i) //nolint:gosec // a form has few fields
		s := &d.slots[at]
		if s.from == 0 && s.to == 0 {
			continue
		}
		if !s.used {
			f(at, field)
			continue
		}
		if field.Object == nil {
			continue
		}
		first, _ := s.object()
		for item := first; item >= 0; item = d.objects[item].next {
			d.unread(item, f)
		}
	}
}
