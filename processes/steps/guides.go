package steps

import (
	"embed"
	"fmt"
	"os"
	"slices"
	"strings"

	"tradepost/edi/schema"
	"tradepost/edi/validate"
	"tradepost/partners"
)

// Guides finds the guide that was agreed for a document: the shipped ones, and
// the partners' own files.
type Guides struct {
	catalog *schema.Catalog
	names   map[string]string // as the configuration writes it -> name in the catalog
}

// LoadGuides reads every guide file that a partnership names and makes sure
// that every other guide it names is shipped, and every rule it excepts known.
// What does not fit is a
// *partners.ConflictError.
func LoadGuides(d *partners.Directory) (*Guides, error) {
	if err := checkExceptions(d); err != nil {
		return nil, err
	}
	catalog, err := schema.Load(embed.FS{}, schema.Shipped()) // a copy of our own to add to
	if err != nil {
		return nil, err
	}
	g := &Guides{catalog: catalog, names: map[string]string{}}
	return g, eachRule(d, func(rule partners.DocumentRule, _ partners.Direction) (key string, err error) {
		return "guide", g.load(rule.Guide)
	})
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
					conflict.Problems = append(conflict.Problems, partners.Problem{Path: path, Text: err.Error()})
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

func (g *Guides) load(ref string) error {
	if _, known := g.names[ref]; known || ref == "" {
		return nil
	}
	if !strings.HasSuffix(ref, schema.GuideExt) {
		if _, err := g.catalog.Guide(ref); err != nil {
			return fmt.Errorf("%w; shipped are %s", err, strings.Join(g.catalog.Names(), ", "))
		}
		g.names[ref] = ref
		return nil
	}
	text, err := os.ReadFile(ref)
	if err != nil {
		return err
	}
	f, err := g.catalog.Add(ref, text)
	if err != nil {
		return err
	}
	g.names[ref] = f.Name
	return nil
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
