package schema

import "slices"

// resolver finds elements, composites and segments through a chain of files,
// the most particular first, and compiles each once.
type resolver struct {
	chain      []*File
	extra      map[string][]codeChange // codes a partner adds or takes away, by element
	elements   map[string]*elementText
	codes      map[string]*Codes
	composites map[string]*Composite
	segments   map[string]*Segment
}

// codeChange is one codes statement of a partner's guide.
type codeChange struct {
	st     *statement
	add    []Code
	remove []string
	only   []string
}

func newResolver(chain []*File) *resolver {
	return &resolver{
		chain:      chain,
		extra:      make(map[string][]codeChange),
		elements:   make(map[string]*elementText),
		codes:      make(map[string]*Codes),
		composites: make(map[string]*Composite),
		segments:   make(map[string]*Segment),
	}
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
		c.Formats = formats(c.Uses)
		r.composites[ref] = c
		return c, nil
	}
	return nil, nil
}

// segment compiles a segment's layout; nil when no file describes it.
func (r *resolver) segment(tag string) (*Segment, error) {
	if seg := r.segments[tag]; seg != nil {
		return seg, nil
	}
	for _, f := range r.chain {
		text := f.segments[tag]
		if text == nil {
			continue
		}
		seg := &Segment{Tag: tag, Name: text.name, Notes: text.notes}
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

// dictionary compiles everything the chain describes.
func (r *resolver) dictionary() (*Dictionary, error) {
	d := &Dictionary{segments: make(map[Tag]*Segment), names: make(map[string]string), known: make(map[Tag]bool)}
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
		for _, tag := range f.tags {
			d.known[MakeTag(tag)] = true
		}
		for ref, e := range f.elements {
			d.names[ref] = e.name
		}
		for tag := range f.segments {
			seg, err := r.segment(tag)
			if err != nil {
				return nil, err
			}
			d.segments[MakeTag(tag)] = seg
		}
		for ref := range f.composites {
			if _, err := r.composite(ref); err != nil {
				return nil, err
			}
		}
	}
	return d, nil
}
