package steps

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"tradepost/edi/schema"
	"tradepost/edi/validate"
	"tradepost/partners"
)

// Guides finds the guide that was agreed for a document: the shipped ones,
// those of the station's folder of dictionaries before them, and the partners'
// own files.
type Guides struct {
	catalog *schema.Catalog
	names   map[string]string // as the configuration writes it -> name in the catalog
}

// LoadGuides reads the texts below a folder ("" for none), which stand before
// the shipped ones, and every guide file that a partnership names. It makes
// sure that every other guide a partnership names is there, and every rule it
// excepts known. What does not fit is a *partners.ConflictError; the path of
// the folder is "dictionaries".
func LoadGuides(d *partners.Directory, folder string) (*Guides, error) {
	if err := checkExceptions(d); err != nil {
		return nil, err
	}
	g := &Guides{catalog: schema.Shipped(), names: map[string]string{}}
	if folder != "" {
		var err error
		if g.catalog, err = schema.LoadFolder(folder, g.catalog); err != nil {
			return nil, folderConflict(err)
		}
	}
	return g, eachRule(d, func(rule partners.DocumentRule, _ partners.Direction) (key string, err error) {
		return "guide", g.load(rule)
	})
}

// folderConflict tells each mistake of the folder by itself, with its line.
func folderConflict(err error) error {
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // one level, as the folder's mistakes are joined
		list = joined.Unwrap()
	}
	conflict := &partners.ConflictError{}
	for _, one := range list {
		conflict.Problems = append(conflict.Problems, partners.Problem{Path: "dictionaries", Text: schema.Explain(one), Hint: folderHint(one)})
	}
	return conflict
}

// folderHint says what helps against a text of the folder that does not load.
func folderHint(err error) string {
	var mistake *schema.SyntaxError
	switch {
	case hintFor(err) != "":
		return hintFor(err)
	case errors.As(err, &mistake):
		return "mend the line, or take the file out of the folder"
	}
	return "is the folder there, and may the station read it?"
}

// hintFor says where a text should be that another one builds on; "" where that
// is not the matter.
func hintFor(err error) string {
	var mistake *schema.SyntaxError
	if errors.As(err, &mistake) && mistake.Missing != "" {
		return "put " + mistake.Missing + " into the folder that the setting dictionaries names (`tradepost edi dictionary import SOURCE --to FOLDER`)"
	}
	return ""
}

// FolderText is a dictionary or guide of the station's folder.
type FolderText struct {
	Name     string // edifact/D01B/SLSRPT
	IsGuide  bool
	Standard string
	Version  string
	Type     string // of a guide
	Named    bool   // a partnership names the guide
	Over     string // guide that it lies over, "" for none
	// Behind is the guide that documents of the same type and version are checked
	// with in its place unless a partnership names this one; "" when that is this
	// one, or when it lies over another guide and has to be named.
	Behind string
}

// Folder lists the texts of the station's folder by path. It compiles each of
// them, so it is for a look-over and not for a running station.
func (g *Guides) Folder() ([]FolderText, error) {
	var out []FolderText
	for _, f := range g.catalog.Loaded() {
		text := FolderText{Name: f.Name, IsGuide: f.IsGuide, Standard: f.Standard, Version: f.Version}
		if f.IsGuide {
			guide, err := g.catalog.Guide(f.Name)
			if err != nil {
				return nil, err
			}
			text.Standard, text.Version, text.Type, text.Over = guide.Standard, guide.Version, guide.Type, guide.BasedOn
			for _, name := range g.names {
				text.Named = text.Named || name == f.Name
			}
			if used, ok := g.catalog.Lookup(guide.Standard, guide.Version, guide.Type); ok && guide.BasedOn == "" && used.Name != f.Name {
				text.Behind = used.Name
			}
		}
		out = append(out, text)
	}
	return out, nil
}

// checkExceptions looks whether the rules that partnerships except exist.
func checkExceptions(d *partners.Directory) error {
	conflict := &partners.ConflictError{}
	rules := validate.Rules()
	for n, p := range d.Partnerships() {
		for i, rule := range p.Except {
			if !slices.Contains(rules, rule) {
				conflict.Problems = append(conflict.Problems, partners.Problem{
					Path: fmt.Sprintf("partnerships[%d].except[%d]", n, i), Text: fmt.Sprintf("%q is no rule of validation", rule),
					Hint: "write names that warnings have: " + strings.Join(rules, ", "),
				})
			}
		}
	}
	if len(conflict.Problems) > 0 {
		return conflict
	}
	return nil
}

// eachRule goes through all that was agreed on documents and collects what
// does not fit, at the key the function tells.
func eachRule(d *partners.Directory, f func(partners.DocumentRule, partners.Direction) (key string, err error)) error {
	conflict := &partners.ConflictError{}
	for n, p := range d.Partnerships() {
		for _, side := range []struct {
			name  string
			way   partners.Direction
			rules []partners.DocumentRule
		}{{"inbound", partners.Inbound, p.Inbound}, {"outbound", partners.Outbound, p.Outbound}} {
			for i, rule := range side.rules {
				if key, err := f(rule, side.way); err != nil {
					path := fmt.Sprintf("partnerships[%d].%s[%d].%s", n, side.name, i, key)
					conflict.Problems = append(conflict.Problems, partners.Problem{Path: path, Text: schema.Explain(err), Hint: hintFor(err)})
				}
			}
		}
	}
	if len(conflict.Problems) > 0 {
		return conflict
	}
	return nil
}

// Catalog returns all guides, for whoever wants names and titles.
func (g *Guides) Catalog() *schema.Catalog { return g.catalog }

// load finds the guide of a rule and makes sure that it is for such documents.
func (g *Guides) load(rule partners.DocumentRule) error {
	ref := rule.Guide
	if ref == "" {
		return nil
	}
	name, known := g.names[ref]
	switch {
	case known:
	case !strings.HasSuffix(ref, schema.GuideExt):
		name = ref
	default:
		text, err := os.ReadFile(ref)
		if err != nil {
			return err
		}
		f, err := g.catalog.AddNamed(ref, text)
		if err != nil {
			return err
		}
		name = f.Name
	}
	guide, err := g.catalog.Guide(name)
	switch {
	case errors.Is(err, schema.ErrNotFound):
		return fmt.Errorf("%w; %s", err, g.offer(ref))
	case err != nil:
		return err
	case guide.Type != rule.Type:
		return fmt.Errorf("guide %s is for %s %s, not for a %s", name, guide.Type, guide.Version, rule.Type)
	}
	g.names[ref] = name
	return nil
}

// offer names the guides of the same type as one that is not there, or else of
// how many types there are.
func (g *Guides) offer(ref string) string {
	const most = 40
	names := g.catalog.Names()
	wanted := strings.ToUpper(ref[strings.LastIndexByte(ref, '/')+1:])
	like := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.HasSuffix(strings.ToUpper(name), "/"+wanted) })
	switch {
	case len(like) > 0:
		return "there are " + strings.Join(like, ", ")
	case len(names) > most:
		return fmt.Sprintf("there are %s and %d more (`tradepost edi dictionary list`)", strings.Join(names[:most], ", "), len(names)-most)
	}
	return "there are " + strings.Join(names, ", ")
}

// For returns the guide a rule names for documents of a version, or nil to
// leave the choice to the catalog.
func (g *Guides) For(rule partners.DocumentRule, version string) *schema.Guide {
	guide := g.Named(rule)
	if guide == nil || !strings.HasPrefix(version, guide.Version) {
		return nil // a document of another release is judged by that release's own guide
	}
	return guide
}

// Named returns the guide a rule names, or nil when it names none.
func (g *Guides) Named(rule partners.DocumentRule) *schema.Guide {
	name, ok := g.names[rule.Guide]
	if !ok {
		return nil
	}
	guide, err := g.catalog.Guide(name)
	if err != nil {
		return nil
	}
	return guide
}
