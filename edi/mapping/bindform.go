package mapping

import (
	"fmt"
	"slices"
)

// formBinder looks paths up in a form.
type formBinder struct {
	f *Form
	p *problems
}

func (b *formBinder) reporting(p *problems) binder { return &formBinder{b.f, p} }

func (b *formBinder) root() *contextType { return &contextType{object: b.f.Root, path: b.f.Name} }

func (b *formBinder) bind(ctx *contextType, path located, w want) *place {
	text := readPath(path, true, b.p)
	if text == nil {
		return nil
	}
	out := &place{text: path.text, at: path.at}
	at := climb(ctx, text, out, b.p)
	if at == nil {
		return nil
	}
	fail := func(col int, hint, format string, args ...any) *place {
		place := path.at
		place.column += col
		b.p.at(place, hint, "path %q: %s in form %s", clip(path.text), fmt.Sprintf(format, args...), b.f.Name)
		return nil
	}
	object := at.object
	if object == nil {
		return fail(0, "", "the items of this list are values, they have no fields")
	}
	if len(text.steps) == 0 {
		return fail(0, "", "name a field")
	}
	for i, st := range text.steps {
		last := i == len(text.steps)-1
		if object == nil {
			return fail(st.col, "", "%s has no fields, there is no %s", out.field.Name, st.name)
		}
		f := object.field(st.name)
		if f == nil {
			return fail(st.col, choose(st.name, object.names()), "there is no field %s in %s", st.name, object.Name)
		}
		s := step{slot: f.index, field: f, nth: st.nth, name: st.name}
		if st.level != "" || (len(st.conds) > 0 || st.nth > 0) && (f.Kind != List || f.Object == nil) {
			return fail(st.col, "", "%s is no list of objects, it takes no conditions", st.name)
		}
		for _, c := range st.conds {
			inner := f.Object.field(c.field)
			switch {
			case inner == nil:
				return fail(c.col, choose(c.field, f.Object.names()), "there is no field %s in %s", c.field, f.Object.Name)
			case !inner.Kind.isScalar():
				return fail(c.col, "", "a condition is on a value, %s is a %s", c.field, inner.Kind)
			}
			for _, v := range c.values {
				if bad, hint := inner.badConstant(v); bad != "" {
					return fail(c.col, hint, "%s", bad)
				}
			}
			s.conds = append(s.conds, cond{field: inner, values: c.values, not: c.not})
		}
		crossed := f.Kind == List && len(st.conds) == 0 && st.nth == 0
		if !last && crossed && (w == wantValue || w == wantJoin) {
			return fail(st.col, "go through it with each, or choose one item: "+st.name+"#1", "%s is a list", st.name)
		}
		out.steps = append(out.steps, s)
		out.field, object = f, f.Object
	}
	f := out.field
	chosen := len(out.steps[len(out.steps)-1].conds) > 0 || out.steps[len(out.steps)-1].nth > 0
	switch w {
	case wantValue, wantJoin, wantMany:
		if !f.Kind.isScalar() && (f.Kind != List || f.Object != nil || w == wantValue) {
			return fail(text.steps[len(text.steps)-1].col, "", "%s is a %s, a value is wanted", f.Name, f.Kind)
		}
		out.kind = f.Kind
		if f.Kind == List {
			out.kind = f.Of
		}
	case wantOne:
		if f.Kind != Group && f.Kind != List || chosen && f.Kind != List {
			return fail(text.steps[len(text.steps)-1].col, "", "%s is a %s, an object is wanted", f.Name, f.Kind)
		}
		out.kind = f.Kind
	case wantEach, wantCount:
		if f.Kind != List {
			return fail(text.steps[len(text.steps)-1].col, "use at instead of each", "%s is a %s, a list is wanted", f.Name, f.Kind)
		}
		out.kind = List
	}
	return out
}

// badConstant tells what is wrong with a value of the map at a field.
func (f *Field) badConstant(v string) (text, hint string) {
	kind := f.Kind
	if kind == List {
		kind = f.Of
	}
	if _, bad := kind.check(nil, []byte(v)); bad != "" {
		return fmt.Sprintf("%q at %s %s", clip(v), f.Name, bad), ""
	}
	if len(f.Codes) > 0 && !f.Open && !slices.Contains(f.Codes, v) {
		return fmt.Sprintf("%q is no word of %s", clip(v), f.Name), choose(v, f.Codes)
	}
	return "", ""
}

func (b *formBinder) inside(ctx *contextType, p *place) *contextType {
	in := &contextType{above: ctx, path: p.text}
	if in.object = p.field.Object; in.object == nil {
		in.item = p.field
	}
	return in
}
