package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
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
// one put in last does. A text that takes the name of one in a catalog below
// leaves what builds on that one alone. It may be used by several goroutines.
// The zero Catalog is empty.
type Catalog struct {
	mu           sync.Mutex
	files        map[string]*File
	order        []string           // names of files, those put in last at the end
	older        map[string][]*File // those of layers below that files took the names of, the oldest first
	layers       map[*File]int
	top          int // the layer that Add puts texts into; those of the base catalogs are below
	guides       map[*File]*Guide
	dictionaries map[*File]*Dictionary
	byType       map[string]string // standard, version and type to the guide's name
	named        map[string]bool   // guides that Lookup does not find
	loaded       []*File           // what Load itself read, by path
}

// Load reads every file ending in .dictionary or .guide below a folder tree on
// top of what base catalogs hold; a name that occurs there replaces it, a name
// that occurs twice in the tree is a mistake. Everything is compiled once, so
// that a mistake is told now and not in the night: the error joins up to
// maxMistakes of type *SyntaxError, of each file the first, or says which file
// cannot be read.
func Load(fsys fs.FS, base ...*Catalog) (*Catalog, error) { return loadChecked(fsys, "", base) }

// LoadFolder is Load for a folder of this machine; errors name files as seen
// from where the folder is named.
func LoadFolder(dir string, base ...*Catalog) (*Catalog, error) {
	return loadChecked(os.DirFS(dir), dir, base)
}

func loadChecked(fsys fs.FS, dir string, base []*Catalog) (*Catalog, error) {
	c, mistakes, err := load(fsys, dir, true, base)
	if err != nil {
		return nil, err
	}
	for _, f := range c.loaded {
		if err := c.check(f); err != nil {
			mistakes = append(mistakes, err)
		}
		delete(c.guides, f) // one at a time: there may be hundreds
	}
	if len(mistakes) > maxMistakes {
		mistakes = append(mistakes[:maxMistakes], fmt.Errorf("and %d files more with mistakes", len(mistakes)-maxMistakes))
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	c.forget() // read and compiled again where they are used
	return c, nil
}

// maxMistakes is how many mistakes of a folder are told.
const maxMistakes = 20

// load parses the files below a folder tree without compiling them, and keeps
// their outlines or all of them. What cannot be parsed is a mistake; the error
// is that of reading.
func load(fsys fs.FS, dir string, outlined bool, base []*Catalog) (c *Catalog, mistakes []error, err error) {
	c = over(base...)
	own := map[string]*File{}
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			var path *fs.PathError
			if errors.As(err, &path) {
				err = path.Err // the name is that below the folder
			}
			return fmt.Errorf("reading %s: %w", filepath.Join(dir, name), err)
		}
		if ext := path.Ext(name); d.IsDir() || ext != DictionaryExt && ext != GuideExt {
			return nil
		}
		text, err := readFile(fsys, name)
		if err != nil {
			return fmt.Errorf("reading %s: %w", filepath.Join(dir, name), err)
		}
		f, err := Parse(filepath.Join(dir, name), text)
		if err != nil {
			mistakes = append(mistakes, err)
			return nil
		}
		if first := own[f.Name]; first != nil {
			mistakes = append(mistakes, f.source.fail(1, 1, "the name %s is taken by %s: give this one another", f.Name, first.source.file))
			return nil
		}
		if outlined {
			f = f.outline()
		}
		own[f.Name] = f
		c.put(f)
		c.loaded = append(c.loaded, f)
		return nil
	})
	return c, mistakes, err
}

// over returns a catalog with the texts of others below, the last uppermost.
func over(base ...*Catalog) *Catalog {
	c := &Catalog{}
	for _, b := range base {
		b.mu.Lock()
		for _, list := range b.older {
			for _, f := range list {
				c.putAt(f, c.top+b.layers[f])
			}
		}
		for _, name := range b.order {
			f := b.files[name]
			c.putAt(f, c.top+b.layers[f])
		}
		if c.named == nil {
			c.named = make(map[string]bool)
		}
		maps.Copy(c.named, b.named)
		c.top += b.top + 1
		b.mu.Unlock()
	}
	return c
}

// Loaded lists what Load read itself, without what lies below, by path.
func (c *Catalog) Loaded() []*File { return slices.Clone(c.loaded) }

func readFile(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	text := bytes.NewBuffer(make([]byte, 0, min(info.Size(), maxSourceBytes)+bytes.MinRead))
	_, err = text.ReadFrom(io.LimitReader(f, maxSourceBytes+1))
	return text.Bytes(), err
}

// Clone returns a catalog with the same texts that can be added to on its own.
func (c *Catalog) Clone() *Catalog {
	out := over(c)
	out.loaded = slices.Clone(c.loaded)
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

// AddNamed parses one guide and puts it into the catalog to be found by its
// name only, never by Lookup: a guide that was agreed with one partner must not
// judge the documents of another. A name that is taken is a *NameError, unless
// it is by the same text.
func (c *Catalog) AddNamed(name string, text []byte) (*File, error) {
	f, err := Parse(name, text)
	if err != nil {
		return nil, err
	}
	if !f.IsGuide {
		return nil, f.source.fail(1, 1, "this is a dictionary, not a guide")
	}
	c.mu.Lock()
	taken := c.files[f.Name]
	if taken == nil {
		if c.named == nil {
			c.named = make(map[string]bool)
		}
		c.named[f.Name] = true
	}
	c.mu.Unlock()
	switch {
	case taken == nil:
		c.put(f)
		return f, c.check(f)
	case taken.source.text == f.source.text:
		return taken, nil
	}
	return nil, &NameError{Name: f.Name, File: name, Taken: taken.source.file}
}

// NameError says that two different guides have one name.
type NameError struct {
	Name        string
	File, Taken string // names of the texts, the second that of the one before
}

// Error names both texts.
func (e *NameError) Error() string {
	return fmt.Sprintf("%s: the name %s is taken by another guide (%s): give this one a name of its own in its first line", e.File, e.Name, e.Taken)
}

func (c *Catalog) check(f *File) error {
	if f.IsGuide {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, err := c.guide(f)
		return err
	}
	c.mu.Lock()
	d, err := c.dictionary(f)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	return d.resolver.check(d.resolver.chain[0]) // f with all it says
}

func (c *Catalog) put(f *File) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.putAt(f, c.top)
}

// putAt puts a file into a layer; layers are filled from below.
func (c *Catalog) putAt(f *File, layer int) {
	if c.files == nil {
		c.files, c.older, c.layers = make(map[string]*File), make(map[string][]*File), make(map[*File]int)
		c.forget()
	}
	if replaced := c.files[f.Name]; replaced != nil {
		c.order = slices.DeleteFunc(c.order, func(name string) bool { return name == f.Name })
		if c.layers[replaced] < layer {
			c.older[f.Name] = append(c.older[f.Name], replaced)
		} else {
			delete(c.layers, replaced)
		}
		c.forget() // what is compiled may depend on the file replaced
	}
	c.files[f.Name], c.layers[f] = f, layer
	c.order = append(c.order, f.Name)
	c.byType = nil
}

// forget drops what was compiled.
func (c *Catalog) forget() {
	c.guides, c.dictionaries = make(map[*File]*Guide), make(map[*File]*Dictionary)
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

// Dictionaries lists the dictionaries in the catalog, sorted.
func (c *Catalog) Dictionaries() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for name, f := range c.files {
		if !f.IsGuide {
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
	return c.uppermost(name)
}

func (c *Catalog) uppermost(name string) (*Guide, error) {
	f := c.files[name]
	if f == nil || !f.IsGuide {
		return nil, fmt.Errorf("guide %s: %w", name, ErrNotFound)
	}
	return c.guide(f)
}

// Lowest returns the guide of a name as it is in the undermost catalog that has
// one: what is shipped, though a text above has taken its name.
func (c *Catalog) Lowest(name string) (*Guide, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.older[name] {
		if f.IsGuide {
			return c.guide(f)
		}
	}
	return c.uppermost(name)
}

// Dictionary returns a dictionary by its name; the error is ErrNotFound or a
// *SyntaxError.
func (c *Catalog) Dictionary(name string) (*Dictionary, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.files[name]
	if f == nil || f.IsGuide {
		return nil, fmt.Errorf("dictionary %s: %w", name, ErrNotFound)
	}
	return c.dictionary(f)
}

func (c *Catalog) dictionary(f *File) (*Dictionary, error) {
	if d := c.dictionaries[f]; d != nil {
		return d, nil
	}
	chain, err := c.chain(f)
	if err != nil {
		return nil, err
	}
	for i := range chain {
		if chain[i], err = chain[i].whole(); err != nil {
			return nil, err
		}
	}
	d := newResolver(chain, nil).dictionary()
	c.dictionaries[f] = d
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
	g, err := c.guide(c.files[name])
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
		if !f.IsGuide || f.based.name != "" || c.named[name] {
			continue
		}
		standard, version := c.release(f)
		set := f.set
		if like := c.find(f, f.like.name); like != nil {
			set = like.set
		}
		key := standard + " " + version + " " + set
		if _, taken := c.byType[key]; !taken {
			c.byType[key] = name
		}
	}
}
