package mapping

import (
	"fmt"
	"unicode/utf8"
)

// inputFaults collects what is wrong with a document of a form.
type inputFaults struct {
	doc  *formDoc
	list []Fault
	told map[int32]bool // slots that have a fault
}

// tell notes that a slot has a fault: it is not missing, too.
func (in *inputFaults) tell(at int32) {
	if in.told == nil {
		in.told = map[int32]bool{}
	}
	in.told[at] = true
}

func (in *inputFaults) offset(at int64) uint32 {
	return uint32(max(at-in.doc.base, 0)) //nolint:gosec // below the limit of a document
}

func (in *inputFaults) add(id int32, f *Field, offset int64, text string) {
	if len(in.list) < maxProblems {
		in.list = append(in.list, Fault{Text: text, Source: Location{Path: in.doc.path(id, f), Offset: offset}})
	}
}

func (in *inputFaults) unknown(id int32, name string, offset int64) {
	path := in.doc.path(id, nil)
	if path != "" {
		path += "."
	}
	if len(in.list) < maxProblems {
		in.list = append(in.list, Fault{Text: "form " + in.doc.form.Name + " has no such field; " + choose(name, in.doc.objects[id].shape.names()), Source: Location{Path: clip(path + name), Offset: offset}})
	}
}

// scalar checks a value and puts it into a slot.
func (in *inputFaults) scalar(id, at int32, f *Field, kind Kind, v []byte, offset int64) {
	d := in.doc
	var bad string
	from := len(d.text)
	switch {
	case len(v) == 0:
		return
	case !utf8.Valid(v):
		bad = "is no UTF-8 text"
	case kind == Text:
		d.text = append(d.text, v...)
	default:
		d.text, bad = kind.check(d.text, v)
	}
	if bad == "" && f.Kind != List {
		bad = d.fits(f, d.text[from:])
	}
	if bad != "" {
		d.text = d.text[:from]
		in.tell(at)
		if len(in.list) < maxProblems {
			in.list = append(in.list, Fault{Text: fmt.Sprintf("%q %s", clip(v), bad), Source: Location{Path: d.path(id, fieldOf(f)), Offset: offset, Value: clip(v)}})
		}
		return
	}
	d.slots[at] = slot{from: uint32(from), to: uint32(len(d.text)), offset: in.offset(offset)} //nolint:gosec // below the limit of a document
}

// fieldOf leaves out the field of a list, which the path of its item names.
func fieldOf(f *Field) *Field {
	if f.Kind == List {
		return nil
	}
	return f
}

// required reports required fields without a value, in objects that are there.
func (in *inputFaults) required(id int32) {
	o := in.doc.objects[id]
	if o.shape == nil {
		return
	}
	for i, f := range o.shape.Fields {
		s := in.doc.slots[o.base+int32(i)] //nolint:gosec // a form has few fields
		if s.to == 0 {
			if f.Required && !in.told[o.base+int32(i)] { //nolint:gosec // the same
				in.add(id, f, in.doc.base, "is required and missing")
			}
			continue
		}
		if f.Object == nil {
			continue
		}
		first, _ := s.object()
		for item := first; item >= 0; item = in.doc.objects[item].next {
			in.required(item)
		}
	}
}
