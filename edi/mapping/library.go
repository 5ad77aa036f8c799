package mapping

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"tradepost/edi/schema"
)

//go:embed shipped
var shipped embed.FS

// ErrNotFound says that there is no map of the name asked for.
var ErrNotFound = errors.New("no such map")

// Library finds maps and forms: those that come with this package, and others
// in folders. It may be used by several goroutines.
type Library struct {
	catalog *schema.Catalog

	mu    sync.Mutex
	forms map[string]*Form
	maps  map[string]*Map
}

// NewLibrary returns a library of the maps and forms that come with this
// package, whose guides are taken from the catalog.
func NewLibrary(catalog *schema.Catalog) *Library {
	return &Library{catalog: catalog, forms: map[string]*Form{}, maps: map[string]*Map{}}
}

// Names lists the maps that come with this package.
func (l *Library) Names() []string {
	var names []string
	for _, dir := range []string{"x12", "edifact"} {
		for _, name := range shippedNames(dir, ".yaml") {
			names = append(names, dir+"/"+name)
		}
	}
	return names
}

// FormNames lists the forms that come with this package.
func (l *Library) FormNames() []string { return shippedNames("forms", ".yaml") }

// Text returns the text of a map or form that comes with this package, as a
// beginning for one of your own; the error is ErrNotFound when there is none
// of that name.
func (l *Library) Text(name string) ([]byte, error) {
	file := "shipped/" + name + ".yaml"
	switch {
	case slices.Contains(l.Names(), name):
	case slices.Contains(l.FormNames(), name):
		file = "shipped/forms/" + name + ".yaml"
	default:
		return nil, fmt.Errorf("map or form %s: %w; %s", clip(name), ErrNotFound, choose(name, append(l.Names(), l.FormNames()...)))
	}
	text, err := fs.ReadFile(shipped, file)
	if err != nil {
		return nil, fmt.Errorf("map or form %s: %w", name, err)
	}
	return text, nil
}

// shippedNames lists the texts of one folder without their ending.
func shippedNames(dir, ext string) []string {
	entries, err := shipped.ReadDir("shipped/" + dir)
	if err != nil {
		return nil // a folder without texts
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ext); ok {
			names = append(names, name)
		}
	}
	return names
}

// Map returns a map that comes with this package; the error is ErrNotFound
// when there is none of that name.
func (l *Library) Map(name string) (*Map, error) {
	if !slices.Contains(l.Names(), name) {
		return nil, fmt.Errorf("map %s: %w; %s", clip(name), ErrNotFound, choose(name, l.Names()))
	}
	l.mu.Lock()
	m := l.maps[name]
	l.mu.Unlock()
	if m != nil {
		return m, nil
	}
	file := "shipped/" + name + ".yaml"
	text, err := readText(shipped, file)
	if err != nil {
		return nil, err
	}
	if m, err = l.load(file, text, shipped, l.catalog.Lowest); err != nil { // written for the guides that come with it
		return nil, err
	}
	m.shipped = true
	l.mu.Lock()
	defer l.mu.Unlock()
	l.maps[name] = m
	return m, nil
}

// Form returns a form that comes with this package.
func (l *Library) Form(name string) (*Form, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.form(name)
}

func (l *Library) form(name string) (*Form, error) {
	if f := l.forms[name]; f != nil {
		return f, nil
	}
	if !slices.Contains(l.FormNames(), name) {
		return nil, fmt.Errorf("there is no form %s; %s", clip(name), choose(name, l.FormNames()))
	}
	text, err := fs.ReadFile(shipped, "shipped/forms/"+name+".yaml")
	if err != nil {
		return nil, fmt.Errorf("form %s: %w", name, err)
	}
	f, err := ParseForm("forms/"+name+".yaml", text)
	if err != nil {
		return nil, err
	}
	l.forms[name] = f
	return f, nil
}

// Load reads a map from a folder tree, with the tables and forms beside it,
// and checks it against the guides and forms it names: every mistake is told
// at once. The error is a *LoadError, or that of reading the file.
func (l *Library) Load(fsys fs.FS, name string) (*Map, error) {
	text, err := readText(fsys, name)
	if err != nil {
		return nil, err
	}
	return l.load(name, text, fsys, l.catalog.Guide)
}

// Parse is Load for a text without a folder: it can name no files.
func (l *Library) Parse(name string, text []byte) (*Map, error) {
	return l.load(name, text, nil, l.catalog.Guide)
}

func readText(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading map %s: %w", name, err)
	}
	defer f.Close() //nolint:errcheck // opened for reading
	text, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err != nil {
		return nil, fmt.Errorf("reading map %s: %w", name, err)
	}
	return text, nil
}

func (l *Library) load(name string, text []byte, fsys fs.FS, guide func(string) (*schema.Guide, error)) (*Map, error) {
	var p problems
	shown := strings.TrimPrefix(name, "shipped/")
	t := readMap(shown, path.Dir(name), text, fsys, &p)
	if t == nil {
		return nil, p.err()
	}
	m := &Map{text: t, programs: map[programKey]*program{}}
	ok := l.side(&m.from, t.from, fsys, path.Dir(name), guide, &p)
	ok = l.side(&m.to, t.to, fsys, path.Dir(name), guide, &p) && ok
	if ok {
		m.pairs(func(from, to *schema.Guide) {
			m.programs[programKey{from, to}] = m.compile(from, to, &p)
		})
		for _, a := range t.alternatives {
			if !a.found {
				p.list = append(p.list, a.problems...)
			}
		}
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return m, nil
}

// side finds the guides or the form of one side.
func (l *Library) side(s *sideModel, t sideText, fsys fs.FS, dir string, guide func(string) (*schema.Guide, error), p *problems) bool {
	switch {
	case t.form != nil:
		s.form = t.form
	case t.formName != nil:
		s.form = l.namedForm(*t.formName, fsys, dir, p)
	}
	for _, name := range t.guides {
		g, err := guide(name.text)
		if err != nil {
			hint := ""
			if errors.Is(err, schema.ErrNotFound) {
				hint = choose(name.text, l.catalog.Names())
			}
			p.at(name.at, hint, "%v", err)
			continue
		}
		s.guides = append(s.guides, g)
	}
	return s.form != nil || len(s.guides) > 0
}

// namedForm finds a form: one that comes with this package, or a file beside
// the map.
func (l *Library) namedForm(name located, fsys fs.FS, dir string, p *problems) *Form {
	if strings.HasSuffix(name.text, ".yaml") || strings.HasSuffix(name.text, ".yml") {
		full := path.Join(dir, name.text)
		if fsys == nil || !fs.ValidPath(full) {
			p.at(name.at, "name a file beside the map or below it", "the form %q cannot be read from here", clip(name.text))
			return nil
		}
		text, err := readText(fsys, full)
		if err != nil {
			p.at(name.at, "", "the form %q cannot be read: %v", clip(name.text), errors.Unwrap(err))
			return nil
		}
		n := readYAML(name.text, text, p)
		if n == nil {
			return nil
		}
		return readForm(n, p)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := l.form(name.text)
	if err != nil {
		p.at(name.at, "", "%v", err)
	}
	return f
}
