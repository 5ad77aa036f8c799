package steps

import (
	"embed"
	"fmt"
	"os"
	"strings"

	"tradepost/edi/schema"
	"tradepost/partners"
)

// Guides finds the guide that was agreed for a document: the shipped ones, and
// the partners' own files.
type Guides struct {
	catalog *schema.Catalog
	names   map[string]string // as the configuration writes it -> name in the catalog
}

// LoadGuides reads every guide file that a partnership names and makes sure
// that every other guide it names is shipped.
func LoadGuides(d *partners.Directory) (*Guides, error) {
	catalog, err := schema.Load(embed.FS{}, schema.Shipped()) // a copy of our own to add to
	if err != nil {
		return nil, err
	}
	g := &Guides{catalog: catalog, names: map[string]string{}}
	for _, p := range d.Partnerships() {
		for _, rule := range append(append([]partners.DocumentRule(nil), p.Inbound...), p.Outbound...) {
			if err := g.load(rule.Guide); err != nil {
				return nil, fmt.Errorf("guide of %s for partner %s: %w", rule.Type, p.Partner, err)
			}
		}
	}
	return g, nil
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
	name, ok := g.names[rule.Guide]
	if !ok {
		return nil
	}
	guide, err := g.catalog.Guide(name)
	if err != nil || !strings.HasPrefix(version, guide.Version) {
		return nil // a document of another release is judged by that release's own guide
	}
	return guide
}
