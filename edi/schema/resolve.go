package schema

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// resolver finds elements, composites and segments through a chain of files,
// the most particular first, and compiles each at its first use. Several
// goroutines may use it once its code changes are known.
type resolver struct {
	chain []*File
	extra map[string][]codeChange // codes a partner adds or takes away, by element
	base  *resolver               // that of the dictionary below, whose code lists are shared; nil for none

	mu         sync.Mutex
	codes      map[string]*Codes
	composites map[string]*Composite
	segments   map[Tag]*Segment
}

// codeChange is one codes statement of a partner's guide.
type codeChange struct {
	st     *statement
	add    []Code
	remove []string
	only   []string
}

func newResolver(chain []*File, base *resolver) *resolver {
	return &resolver{
		chain:      chain,
		base:       base,
		codes:      make(map[string]*Codes),
		composites: make(map[string]*Composite),
		segments:   make(map[Tag]*Segment),
	}
}

// change adds a partner's change of an element's codes.
func (r *resolver) change(ref string, c codeChange) {
	if r.extra == nil {
		r.extra = make(map[string][]codeChange)
	}
	r.extra[ref] = append(r.extra[ref], c)
}

func (r *resolver) element(ref string) *elementText {
	for _, f := range r.chain {
		if e := f.elements[ref]; e != nil {
			return e
		}
	}
	return nil
}

// elementCodes compiles the code list of an element, partner's changes
// included.
func (r *resolver) elementCodes(e *elementText) *Codes {
	if len(r.extra[e.ref]) == 0 && r.base != nil && r.base.element(e.ref) == e {
		r.base.mu.Lock()
		defer r.base.mu.Unlock()
		return r.base.elementCodes(e)
	}
	if c, ok := r.codes[e.ref]; ok {
		return c
	}
	list, open := slices.Clone(e.codes), e.open
	for _, change := range r.extra[e.ref] {
		if len(change.only) > 0 {
			list, open = pick(list, change.only), false
		}
		list = append(list, change.add...)
		list = slices.DeleteFunc(list, func(c Code) bool { return slices.Contains(change.remove, c.Value) })
	}
	var c *Codes
	if len(list) > 0 {
		c = NewCodes(open, list)
	}
	r.codes[e.ref] = c
	return c
}

// pick returns the entries for values, with their names where the list has
// them.
func pick(list []Code, values []string) []Code {
	out := make([]Code, 0, len(values))
	for _, v := range values {
		code := Code{Value: v}
		if i := slices.IndexFunc(list, func(c Code) bool { return c.Value == v }); i >= 0 {
			code = list[i]
		}
		out = append(out, code)
	}
	return out
}

// use compiles one position.
func (r *resolver) use(s *source, u *useText) (Use, error) {
	out := Use{Ref: u.ref, Name: u.name, Repeat: u.repeat, Required: u.required, Format: u.format}
	e := r.element(u.ref)
	if e == nil {
		c, err := r.composite(u.ref)
		if err != nil {
			return out, err
		}
		if c == nil {
			return out, s.at(u.st, 1, "element or composite %s is not described in this file or the ones it builds on", u.ref)
		}
		if u.max != 0 || len(u.codes) > 0 {
			return out, s.at(u.st, 1, "%s is a composite: length and codes belong to its components", u.ref)
		}
		out.Composite = c
		if out.Name == "" {
			out.Name = c.Name
		}
		return out, nil
	}
	out.Type, out.Decimals, out.Min, out.Max = e.kind, e.decimals, e.min, e.max
	if u.max != 0 {
		out.Min, out.Max = u.min, u.max
	}
	if out.Name == "" {
		out.Name = e.name
	}
	out.Codes = r.elementCodes(e)
	if len(u.codes) > 0 {
		out.Codes = NewCodes(u.open, pick(out.Codes.List(), u.codes))
	}
	return out, nil
}

func (r *resolver) composite(ref string) (*Composite, error) {
	if c := r.composites[ref]; c != nil {
		return c, nil
	}
	for _, f := range r.chain {
		text := f.composites[ref]
		if text == nil {
			continue
		}
		c := &Composite{Ref: ref, Name: text.name, Notes: text.notes}
		for i := range text.uses {
			if r.element(text.uses[i].ref) == nil {
				return nil, f.source.at(text.uses[i].st, 1, "element %s is not described; a composite holds elements only", text.uses[i].ref)
			}
			u, err := r.use(f.source, &text.uses[i])
			if err != nil {
				return nil, err
			}
			c.Uses = append(c.Uses, u)
		}
		c.finish()
		r.composites[ref] = c
		return c, nil
	}
	return nil, nil
}

// segment gives a segment's layout; nil when no file describes it.
func (r *resolver) segment(tag Tag) (*Segment, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if seg := r.segments[tag]; seg != nil {
		return seg, nil
	}
	name := tag.String()
	for _, f := range r.chain {
		text := f.segments[name]
		if text == nil {
			continue
		}
		seg := &Segment{Tag: name, Name: text.name, Notes: text.notes}
		for i := range text.uses {
			u, err := r.use(f.source, &text.uses[i])
			if err != nil {
				return nil, err
			}
			seg.Uses = append(seg.Uses, u)
		}
		seg.finish()
		r.segments[tag] = seg
		return seg, nil
	}
	return nil, nil
}

// check compiles everything a file of the chain describes, in the order of its
// lines.
func (r *resolver) check(f *File) error {
	for _, text := range byLine(f.segments) {
		if _, err := r.segment(MakeTag(text.id)); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, text := range byLine(f.composites) {
		if _, err := r.composite(text.id); err != nil {
			return err
		}
	}
	return nil
}

func byLine(texts map[string]*segmentText) []*segmentText {
	return slices.SortedFunc(maps.Values(texts), func(a, b *segmentText) int { return cmp.Compare(a.st.line, b.st.line) })
}

// dictionary is what the chain describes, compiled as it is asked for.
func (r *resolver) dictionary() *Dictionary {
	d := &Dictionary{resolver: r}
	for _, f := range slices.Backward(r.chain) {
		if !f.IsGuide {
			d.Name, d.Title = f.Name, f.Title
		}
		if f.Standard != "" {
			d.Standard = f.Standard
		}
		if f.Version != "" {
			d.Version = f.Version
		}
	}
	return d
}
