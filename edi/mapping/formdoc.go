package mapping

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// formDoc holds one document of a form: its objects as slots, its values as
// parts of one text. It is used again for the next document.
type formDoc struct {
	form    *Form
	text    []byte
	slots   []slot
	objects []object
	last    int32 // slot read last
	base    int64 // offset in the input of the document, for faults
	unseen  bool  // what is read now does not count as carried

	spaces map[fieldSign]int32 // objects made for conditions while writing
}

// slot is what a field of one object holds: a value as a part of the text, an
// object, or a list of objects.
type slot struct {
	from, to uint32
	offset   uint32 // in the input, from the start of the document
	used     bool
}

// object is one object, or one item of a list of values.
type object struct {
	shape  *Object // nil for an item of a list of values
	base   int32   // in slots
	next   int32   // item of the same list, -1 for none
	parent int32   // -1 for the document
	field  *Field  // that holds it
	number int32   // in its list, from 1
}

// fieldSign tells objects of one slot apart that were made for different
// conditions.
type fieldSign struct {
	parent int32
	slot   int32
	sign   string
	nth    int32
}

func (d *formDoc) reset(f *Form) {
	d.form = f
	d.text, d.slots, d.objects = d.text[:0], d.slots[:0], d.objects[:0]
	clear(d.spaces)
	d.newObject(f.Root, -1, nil)
}

func (d *formDoc) newObject(shape *Object, parent int32, f *Field) int32 {
	n := 1
	if shape != nil {
		n = len(shape.Fields)
	}
	base := int32(len(d.slots)) //nolint:gosec // below the limit of a document
	for range n {
		d.slots = append(d.slots, slot{})
	}
	d.objects = append(d.objects, object{shape: shape, base: base, next: -1, parent: parent, field: f})
	return int32(len(d.objects) - 1) //nolint:gosec // the same
}

// size is what the document takes in memory, roughly.
func (d *formDoc) size() int { return len(d.text) + 16*len(d.slots) + 40*len(d.objects) }

func (d *formDoc) root() spot { return spot{seg: -1} }

func (d *formDoc) at(c spot, field int) *slot {
	return &d.slots[d.objects[c.at].base+int32(field)] //nolint:gosec // a form has few fields
}

// object returns the object a slot holds; ok is false when it is empty.
func (s *slot) object() (int32, bool) {
	return int32(s.from) - 1, s.from > 0 //nolint:gosec // made by put
}

func (d *formDoc) put(at int32, v []byte) bool {
	if len(d.text)+len(v) > math.MaxInt32 {
		return false
	}
	from := len(d.text)
	d.text = append(d.text, v...)
	s := &d.slots[at]
	s.from, s.to = uint32(from), uint32(len(d.text)) //nolint:gosec // checked above
	return true
}

// append adds an object to the list in a slot.
func (d *formDoc) append(at int32, shape *Object, parent int32, f *Field) int32 {
	id := d.newObject(shape, parent, f)
	s := &d.slots[at]
	if s.from == 0 {
		s.from = uint32(id + 1) //nolint:gosec // positive
		d.objects[id].number = 1
	} else {
		last := int32(s.to) - 1 //nolint:gosec // made here
		d.objects[last].next = id
		d.objects[id].number = d.objects[last].number + 1
	}
	s.to = uint32(id + 1) //nolint:gosec // positive
	return id
}

// path describes an object or one of its fields: lines[2].item.gtin.
func (d *formDoc) path(at int32, f *Field) string {
	var parts fieldPath
	if f != nil {
		parts = append(parts, f.Name)
	}
	for at > 0 {
		o := &d.objects[at]
		name := o.field.Name
		if o.field.Kind == List {
			name = fmt.Sprintf("%s[%d]", name, o.number)
		}
		parts = append(parts, name)
		at = o.parent
	}
	slices.Reverse(parts)
	return parts.String()
}

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
