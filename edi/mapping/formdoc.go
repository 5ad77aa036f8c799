package mapping

import (
	"fmt"
	"math"
	"slices"
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
