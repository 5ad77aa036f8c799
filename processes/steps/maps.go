package steps

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tradepost/edi/mapping"
	"tradepost/partners"
)

// Maps finds the map that was agreed for a document: the shipped ones, and
// files of our own.
type Maps struct {
	library *mapping.Library
	loaded  map[string]*mapping.Map // as the configuration writes it
}

// LoadMaps reads and checks every map that a partnership names, against the
// guide that goes with it where one is named. What does not fit is a
// *partners.ConflictError.
func LoadMaps(d *partners.Directory, g *Guides) (*Maps, error) {
	m := &Maps{library: mapping.NewLibrary(g.Catalog()), loaded: map[string]*mapping.Map{}}
	return m, eachRule(d, func(rule partners.DocumentRule, way partners.Direction) (key string, err error) {
		return "map", m.load(rule, way, g)
	})
}

func (m *Maps) load(rule partners.DocumentRule, way partners.Direction, g *Guides) error {
	if rule.Map == "" {
		return nil
	}
	found := m.loaded[rule.Map]
	if found == nil {
		var err error
		if partners.IsMapFile(rule.Map) {
			found, err = m.library.Load(os.DirFS(filepath.Dir(rule.Map)), filepath.Base(rule.Map))
		} else if found, err = m.library.Map(rule.Map); err != nil {
			err = fmt.Errorf("%w; shipped are %s", err, strings.Join(m.library.Names(), ", "))
		}
		if err != nil {
			return err
		}
		m.loaded[rule.Map] = found
	}
	return fits(found, rule, way, g)
}

// fits makes sure that a map is between a form and the document it was named
// for, and runs in the direction it is wanted in.
func fits(m *mapping.Map, rule partners.DocumentRule, way partners.Direction, g *Guides) error {
	if m.From().IsEDI() == m.To().IsEDI() {
		return fmt.Errorf("map %s leads from EDI to EDI; the back office gives and takes a form (JSON, XML, CSV)", m.Name())
	}
	side := m.From()
	if !side.IsEDI() {
		side = m.To()
	}
	known := false
	for _, name := range side.Guides {
		guide, err := g.catalog.Guide(name)
		known = known || err == nil && guide.Type == rule.Type
	}
	if !known {
		return fmt.Errorf("map %s is for %s, not for a %s", m.Name(), strings.Join(side.Guides, ", "), rule.Type)
	}
	if standing := m.Standing(); mapWay(m, way) == mapping.Backward && len(standing) > 0 {
		return &mapping.OneWayError{Map: m.Name(), Lines: standing}
	}
	if guide := g.Named(rule); guide != nil {
		return m.Check(guide)
	}
	return nil
}

// For returns the map of a rule, nil when none was agreed.
func (m *Maps) For(rule partners.DocumentRule) *mapping.Map { return m.loaded[rule.Map] }

// mapWay is the way a map runs for documents of a direction: what comes in
// leaves the side of EDI, what goes out ends there.
func mapWay(m *mapping.Map, way partners.Direction) mapping.Way {
	if m.From().IsEDI() == (way == partners.Inbound) {
		return mapping.Forward
	}
	return mapping.Backward
}
