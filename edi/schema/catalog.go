package schema

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"sync"
)

// The name endings Load takes files by.
const (
	DictionaryExt = ".dictionary"
	GuideExt      = ".guide"
)

// ErrNotFound says that no guide or dictionary has the name asked for.
var ErrNotFound = errors.New("no such guide or dictionary")

// Catalog holds dictionaries and guides by name and compiles each at its first
// use; guides share what their dictionary describes. Where several serve, the
// one put in last does. It may be used by several goroutines. The zero Catalog
// is empty.
type Catalog struct {
	mu           sync.Mutex
	files        map[string]*File
	order        []string // names of files, those put in last at the end
	guides       map[string]*Guide
	dictionaries map[string]*Dictionary
	byType       map[string]string // standard, version and type to the guide's name
}

// Load reads every file ending in .dictionary or .guide below a folder tree on
// top of what base catalogs hold; a name that occurs again replaces the
// earlier one. Everything is compiled once, so that a mistake is told now and
// not in the night.
func Load(fsys fs.FS, base ...*Catalog) (*Catalog, error) {
	c, own, err := load(fsys, base)
	if err != nil {
		return nil, err
	}
	for _, f := range own {
		if err := c.check(f); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// load parses the files below a folder tree without compiling them.
func load(fsys fs.FS, base []*Catalog) (*Catalog, []*File, error) {
	c := &Catalog{}
	for _, b := range base {
		for _, f := range b.list() {
			c.put(f)
		}
	}
	var own []*File
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("reading the schema folder: %w", err)
		}
		if ext := path.Ext(name); d.IsDir() || ext != DictionaryExt && ext != GuideExt {
			return nil
		}
		text, err := readFile(fsys, name)
		if err != nil {
			return fmt.Errorf("reading schema %s: %w", name, err)
		}
		f, err := Parse(name, text)
		if err != nil {
			return err
		}
		c.put(f)
		own = append(own, f)
		return nil
	})
	return c, own, err
}

func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	return io.ReadAll(io.LimitReader(f, maxSourceBytes+1))
}

// Clone returns a catalog with the same texts that can be added to on its own.
func (c *Catalog) Clone() *Catalog {
	out := &Catalog{}
	for _, f := range c.list() {
		out.put(f)
	}
	return out
}

// Add parses one text and puts it into the catalog.
func (c *Catalog) Add(name string, text []byte) (*File, error) {
	f, err := Parse(name, text)
	if err != nil {
		return nil, err
	}
	c.put(f)
	return f, c.check(f)
}

func (c *Catalog) check(f *File) error {
	if f.IsGuide {
		_, err := c.Guide(f.Name)
		return err
	}
	d, err := c.Dictionary(f.Name)
	if err != nil {
		return err
	}
	return d.resolver.check(f)
}

func (c *Catalog) put(f *File) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.files == nil {
		c.files = make(map[string]*File)
	}
	if replaced := c.files[f.Name] != nil; replaced || c.guides == nil {
		c.order = slices.DeleteFunc(c.order, func(name string) bool { return name == f.Name })
		c.guides = make(map[string]*Guide) // what is compiled may depend on the file replaced
		c.dictionaries = make(map[string]*Dictionary)
	}
	c.files[f.Name] = f
	c.order = append(c.order, f.Name)
	c.byType = nil
}

// list gives the files in the order they were put in.
func (c *Catalog) list() []*File {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]*File, 0, len(c.files))
	for _, name := range c.order {
		out = append(out, c.files[name])
	}
	return out
}

// Names lists the guides in the catalog, sorted.
func (c *Catalog) Names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for name, f := range c.files {
		if f.IsGuide {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Guide returns a guide by its name; the error is ErrNotFound or a
// *SyntaxError.
func (c *Catalog) Guide(name string) (*Guide, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.guide(name)
}

// Dictionary returns a dictionary by its name; the error is ErrNotFound or a
// *SyntaxError.
func (c *Catalog) Dictionary(name string) (*Dictionary, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dictionary(name)
}

func (c *Catalog) dictionary(name string) (*Dictionary, error) {
	if d := c.dictionaries[name]; d != nil {
		return d, nil
	}
	f := c.files[name]
	if f == nil || f.IsGuide {
		return nil, fmt.Errorf("dictionary %s: %w", name, ErrNotFound)
	}
	chain, err := c.chain(f)
	if err != nil {
		return nil, err
	}
	d := newResolver(chain, nil).dictionary()
	c.dictionaries[name] = d
	return d, nil
}

// Lookup returns the standard's guide for a document: version is GS08
// (004010, 004010X098A1, 004010VICS) or, in EDIFACT, UNH 0052 and 0054 joined
// by a colon (D:96A). An industry version is served by the guide of its
// release when it has none of its own. Of several guides for the same document
// the one put in last is found, so that a user's own stand before the shipped
// ones. A partner's guide (based-on) is never found this way.
func (c *Catalog) Lookup(standard, version, document string) (*Guide, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byType == nil {
		c.index()
	}
	name, ok := c.byType[standard+" "+version+" "+document]
	if !ok && standard == X12 && len(version) > 6 {
		name, ok = c.byType[standard+" "+version[:6]+" "+document]
	}
	if !ok {
		return nil, false
	}
	g, err := c.guide(name)
	return g, err == nil
}

// DictionaryFor returns the dictionary of a release, nil when there is none;
// of several the one put in last.
func (c *Catalog) DictionaryFor(standard, version string) *Dictionary {
	if standard == X12 && len(version) > 6 {
		version = version[:6]
	}
	for _, f := range slices.Backward(c.list()) {
		if !f.IsGuide && f.Standard == standard && f.Version == version {
			if d, err := c.Dictionary(f.Name); err == nil {
				return d
			}
		}
	}
	return nil
}

func (c *Catalog) index() {
	c.byType = make(map[string]string)
	for _, name := range slices.Backward(c.order) {
		f := c.files[name]
		if !f.IsGuide || f.based.name != "" {
			continue
		}
		standard, version := c.release(f)
		set := f.set
		if like := c.files[f.like.name]; like != nil {
			set = like.set
		}
		key := standard + " " + version + " " + set
		if _, taken := c.byType[key]; !taken {
			c.byType[key] = name
		}
	}
}

// release gives standard and version of a guide, from itself or its
// dictionary.
func (c *Catalog) release(f *File) (standard, version string) {
	standard, version = f.Standard, f.Version
	for d, depth := c.files[f.uses.name], 0; d != nil && depth < maxDepth; d, depth = c.files[d.extends.name], depth+1 {
		standard, version = or(standard, d.Standard), or(version, d.Version)
	}
	return standard, version
}

// chain lists a dictionary and those it extends, the most particular first.
func (c *Catalog) chain(f *File) ([]*File, error) {
	chain := []*File{f}
	for f.extends.name != "" {
		next := c.files[f.extends.name]
		if next == nil || next.IsGuide {
			return nil, f.source.at(f.extends.st, 1, "dictionary %s is not in the catalog", f.extends.name)
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
func (c *Catalog) guide(name string) (*Guide, error) {
	if g := c.guides[name]; g != nil {
		return g, nil
	}
	f := c.files[name]
	if f == nil || !f.IsGuide {
		return nil, fmt.Errorf("guide %s: %w", name, ErrNotFound)
	}
	layers := []*File{f} // the most particular first
	base := f
	for base.based.name != "" {
		next := c.files[base.based.name]
		if next == nil || !next.IsGuide {
			return nil, base.source.at(base.based.st, 1, "guide %s is not in the catalog", base.based.name)
		}
		if slices.Contains(layers, next) {
			return nil, base.source.at(base.based.st, 1, "guide %s is based on itself", next.Name)
		}
		base = next
		layers = append(layers, base)
	}
	chain := slices.Clone(layers)
	var below *Dictionary
	shape := base // whose areas are compiled
	if base.like.name != "" {
		shape = c.files[base.like.name]
		if shape == nil || !shape.IsGuide || shape.based.name != "" || shape.like.name != "" {
			return nil, base.source.at(base.like.st, 1, "guide %s is not in the catalog, or is itself made from another one", base.like.name)
		}
		layers = append(layers, shape)
	}
	if base.uses.name != "" {
		var err error
		if below, err = c.dictionary(base.uses.name); errors.Is(err, ErrNotFound) {
			return nil, base.source.at(base.uses.st, 1, "dictionary %s is not in the catalog", base.uses.name)
		} else if err != nil {
			return nil, err
		}
	}
	g, err := compileGuide(f, shape, layers, chain, below)
	if err != nil {
		return nil, err
	}
	c.guides[name] = g
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
	return g, comp.build(g)
}

// describes tells whether a file describes elements, composites or segments.
func (f *File) describes() bool {
	return len(f.elements)+len(f.composites)+len(f.segments) > 0
}
