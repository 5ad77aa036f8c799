package schema

import "slices"

// find gives the file that a name means in a text: of its own layer or the next
// one below, else of a layer above.
func (c *Catalog) find(from *File, name string) *File {
	f := c.files[name]
	if f == nil || c.layers[f] <= c.layers[from] {
		return f
	}
	for _, o := range slices.Backward(c.older[name]) {
		if c.layers[o] <= c.layers[from] {
			return o
		}
	}
	return f
}

// release gives standard and version of a guide, from itself or its
// dictionary.
func (c *Catalog) release(f *File) (standard, version string) {
	standard, version = f.Standard, f.Version
	for d, depth := c.find(f, f.uses.name), 0; d != nil && depth < maxDepth; d, depth = c.find(d, d.extends.name), depth+1 {
		standard, version = or(standard, d.Standard), or(version, d.Version)
	}
	return standard, version
}

// chain lists a dictionary and those it extends, the most particular first.
func (c *Catalog) chain(f *File) ([]*File, error) {
	chain := []*File{f}
	for f.extends.name != "" {
		next := c.find(f, f.extends.name)
		if next == nil || next.IsGuide {
			return nil, f.source.missing(f.extends, "dictionary")
		}
		if slices.Contains(chain, next) {
			return nil, f.source.at(f.extends.st, 1, "dictionary %s extends itself", next.Name)
		}
		f = next
		chain = append(chain, f)
	}
	return chain, nil
}

// guide compiles a guide: the areas of the guide at the bottom, with the
// overlays of those above it.
func (c *Catalog) guide(f *File) (*Guide, error) {
	if g := c.guides[f]; g != nil {
		return g, nil
	}
	layers := []*File{f} // the most particular first
	base := f
	for base.based.name != "" {
		next := c.find(base, base.based.name)
		if next == nil || !next.IsGuide {
			return nil, base.source.missing(base.based, "guide")
		}
		if slices.Contains(layers, next) {
			return nil, base.source.at(base.based.st, 1, "guide %s is based on itself", next.Name)
		}
		base = next
		layers = append(layers, base)
	}
	own := len(layers)
	var below *Dictionary
	shape := base // whose areas are compiled
	if base.like.name != "" {
		shape = c.find(base, base.like.name)
		if shape == nil || !shape.IsGuide {
			return nil, base.source.missing(base.like, "guide")
		}
		if shape.based.name != "" || shape.like.name != "" {
			return nil, base.source.at(base.like.st, 1, "guide %s is itself made from another one", base.like.name)
		}
		layers = append(layers, shape)
	}
	if base.uses.name != "" {
		uses := c.find(base, base.uses.name)
		if uses == nil || uses.IsGuide {
			return nil, base.source.missing(base.uses, "dictionary")
		}
		var err error
		if below, err = c.dictionary(uses); err != nil {
			return nil, err
		}
	}
	for i, layer := range layers {
		var err error
		if layers[i], err = layer.whole(); err != nil {
			return nil, err
		}
	}
	g, err := compileGuide(layers[0], layers[len(layers)-1], layers, layers[:own], below)
	if err != nil {
		return nil, err
	}
	c.guides[f] = g
	return g, nil
}

// compileGuide compiles the areas of shape with the layers over it; own are
// the guide's files, whose descriptions stand before those of the dictionary
// below.
func compileGuide(f, shape *File, layers, own []*File, below *Dictionary) (*Guide, error) {
	r := newResolver(own, nil)
	if below != nil {
		r = newResolver(slices.Concat(own, below.resolver.chain), below.resolver)
	}
	comp := &compiler{file: shape, r: r}
	for _, layer := range slices.Backward(layers) {
		if err := comp.layer(layer); err != nil {
			return nil, err
		}
	}
	d := r.dictionary()
	if d.Name = ""; below != nil {
		d.Name = below.Name
	}
	if below != nil && r.extra == nil && !slices.ContainsFunc(own, (*File).describes) {
		comp.r, d.resolver = below.resolver, below.resolver // nothing is otherwise: compiled once for all guides
	}
	for _, file := range own {
		if err := comp.r.check(file); err != nil {
			return nil, err
		}
	}
	g := &Guide{
		Name: f.Name, Title: or(f.Title, shape.Title), Standard: d.Standard, Version: d.Version,
		Type: shape.set, Group: shape.group, BasedOn: f.based.name, NoAck: shape.noAck, Dictionary: d,
	}
	for _, layer := range layers {
		if g.Conventions = layer.conventions; g.Conventions != nil {
			break
		}
	}
	return g, comp.build(g)
}

// outline returns the file without what its statements say: what linking and
// look-ups need, and the text to read the rest from again. A station may hold
// hundreds of texts and use a few.
func (f *File) outline() *File {
	bare := func(r reference) reference {
		if r.st != nil {
			r.st = &statement{line: r.st.line, column: r.st.column, words: slices.Clone(r.st.words)}
		}
		return r
	}
	return &File{
		Name: f.Name, Title: f.Title, Standard: f.Standard, Version: f.Version, IsGuide: f.IsGuide,
		source: &source{file: f.source.file, text: f.source.text}, outlined: true,
		extends: bare(f.extends), uses: bare(f.uses), based: bare(f.based), like: bare(f.like),
		set: f.set, group: f.group, noAck: f.noAck, conventions: f.conventions,
	}
}

// whole returns the file with what its statements say.
func (f *File) whole() (*File, error) {
	if !f.outlined {
		return f, nil
	}
	return parse(f.source.file, f.source.text)
}

// describes tells whether a file describes elements, composites or segments.
func (f *File) describes() bool {
	return len(f.elements)+len(f.composites)+len(f.segments) > 0
}
