package mapping

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// open goes the steps of a place while writing and makes what is missing. The
// last step of a place with a value is its field.
func (d *formDoc) open(c spot, p *place) (spot, string) {
	steps := p.steps
	if p.field != nil && p.kind.isScalar() {
		steps = steps[:len(steps)-1]
	}
	for i := range steps {
		c = d.into(c, &steps[i])
	}
	return c, ""
}

// into goes one step, making the object, or the item of a list with the values
// its conditions ask for.
func (d *formDoc) into(c spot, s *step) spot {
	at := d.objects[c.at].base + int32(s.slot) //nolint:gosec // a form has few fields
	if s.field.Kind == Group {
		id, ok := d.slots[at].object()
		if !ok {
			id = d.newObject(s.field.Object, c.at, s.field)
			d.slots[at].from = uint32(id + 1) //nolint:gosec // positive
			d.slots[at].to = uint32(id + 1)   //nolint:gosec // the same
		}
		return spot{at: id, seg: -1}
	}
	var sign strings.Builder
	for _, cond := range s.conds {
		fmt.Fprintf(&sign, "%s%t%q", cond.field.Name, cond.not, cond.values)
	}
	key := fieldSign{c.at, int32(s.slot), sign.String(), int32(s.nth)} //nolint:gosec // small numbers
	if id, ok := d.spaces[key]; ok {
		return spot{at: id, seg: -1}
	}
	id := d.append(at, s.field.Object, c.at, s.field)
	d.set(id, s.conds)
	if d.spaces == nil {
		d.spaces = map[fieldSign]int32{}
	}
	d.spaces[key] = id
	return spot{at: id, seg: -1}
}

// set fills in what conditions ask for.
func (d *formDoc) set(id int32, conds []cond) {
	for _, c := range settable(conds) {
		d.put(d.objects[id].base+int32(c.field.index), []byte(c.values[0])) //nolint:gosec // a form has few fields
	}
}

// add makes a new item of the list a place ends at.
func (d *formDoc) add(c spot, p *place) (spot, string) {
	for i := range p.steps[:len(p.steps)-1] {
		c = d.into(c, &p.steps[i])
	}
	s := &p.steps[len(p.steps)-1]
	at := d.objects[c.at].base + int32(s.slot) //nolint:gosec // a form has few fields
	id := d.append(at, s.field.Object, c.at, s.field)
	d.set(id, s.conds)
	return spot{at: id, seg: -1}, ""
}

// drop takes a new item away again, when no line has filled it.
func (d *formDoc) drop(c spot, p *place) {
	o := &d.objects[c.at]
	s := &p.steps[len(p.steps)-1]
	if o.shape == nil {
		if d.slots[o.base].to > d.slots[o.base].from {
			return
		}
	} else {
		for i, f := range o.shape.Fields {
			at := o.base + int32(i) //nolint:gosec // a form has few fields
			if d.filled(at, f) && !slices.ContainsFunc(s.conds, func(c cond) bool { return c.field == f && !c.not }) {
				return
			}
		}
	}
	list := &d.slots[d.objects[o.parent].base+int32(s.slot)] //nolint:gosec // the same
	first, _ := list.object()
	if first == c.at {
		*list = slot{}
		return
	}
	for id := first; id >= 0; id = d.objects[id].next {
		if d.objects[id].next == c.at {
			d.objects[id].next = -1
			list.to = uint32(id + 1) //nolint:gosec // positive
			return
		}
	}
}

// filled tells whether a slot holds a value, or an object that does.
func (d *formDoc) filled(at int32, f *Field) bool {
	s := &d.slots[at]
	if f.Kind.isScalar() {
		return s.to > s.from
	}
	id, ok := s.object()
	if !ok {
		return false
	}
	if f.Kind == List {
		return true
	}
	o := &d.objects[id]
	for i, f := range o.shape.Fields {
		if d.filled(o.base+int32(i), f) { //nolint:gosec // a form has few fields
			return true
		}
	}
	return false
}

// write puts a value at a place. The text says what is wrong with it.
func (d *formDoc) write(c spot, p *place, v []byte) string {
	kind := p.kind
	at := d.objects[c.at].base
	if p.field != nil && p.field.Kind == List {
		steps := p.steps
		for i := range steps[:len(steps)-1] {
			c = d.into(c, &steps[i])
		}
		at = d.objects[c.at].base + int32(p.field.index)      //nolint:gosec // a form has few fields
		at = d.objects[d.append(at, nil, c.at, p.field)].base // a new item of a list of values
	} else if p.field != nil {
		c, _ = d.open(c, p)
		at = d.objects[c.at].base + int32(p.field.index) //nolint:gosec // the same
	}
	if kind == Date && len(v) > 10 && v[10] == 'T' {
		v = v[:10] // forms say day: the time of the day is left behind
	}
	from := len(d.text)
	var bad string
	if kind == Text {
		d.text = append(d.text, v...)
	} else {
		d.text, bad = kind.check(d.text, v)
	}
	if bad != "" {
		d.text = d.text[:from]
		return bad
	}
	if len(d.text) > math.MaxInt32 {
		return "is more than a document may hold"
	}
	s := &d.slots[at]
	if s.to > s.from && string(d.text[s.from:s.to]) != string(d.text[from:]) {
		return fmt.Sprintf("differs from %q, which another line has put there", clip(d.text[s.from:s.to]))
	}
	s.from, s.to = uint32(from), uint32(len(d.text)) //nolint:gosec // checked above
	return d.fits(p.field, d.text[from:])
}

// every calls f for every object there is that the steps lead to.
func (d *formDoc) every(c spot, steps []step, f func(spot) string) (n int, bad string) {
	if len(steps) == 0 {
		return 1, f(c)
	}
	id, ok := d.at(c, steps[0].slot).object()
	for ; ok && id >= 0; id = d.objects[id].next {
		found, bad := d.every(spot{at: id, seg: -1}, steps[1:], f)
		if n += found; bad != "" {
			return n, bad
		}
	}
	return n, ""
}

// fits checks words and length.
func (d *formDoc) fits(f *Field, v []byte) string {
	if f == nil {
		return ""
	}
	if len(f.Codes) > 0 && !f.Open && !slices.Contains(f.Codes, string(v)) {
		return "is no word of " + f.Name + "; " + choose(string(v), f.Codes)
	}
	if f.Max > 0 && len([]rune(string(v))) > f.Max {
		return fmt.Sprintf("is longer than the %d characters of %s", f.Max, f.Name)
	}
	return ""
}

// fill puts a joined text at a place.
func (d *formDoc) fill(c spot, places []*place, _ string, v []byte) string {
	return d.write(c, places[0], v)
}

// target describes a place lines write to.
func (d *formDoc) target(c spot, p *place) string {
	name := d.path(c.at, nil)
	var steps fieldPath
	if name != "" {
		steps = append(steps, name)
	}
	for _, s := range p.steps {
		steps = append(steps, s.name)
	}
	return steps.String()
}
