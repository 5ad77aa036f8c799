package tree

import (
	"tradepost/edi"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// names finds layouts for segments that stand in no guide, so that they have
// names all the same.
type names struct {
	catalog *schema.Catalog
	byKey   map[string]*schema.Dictionary
}

func newNames(o *validate.Options) *names {
	if o.Catalog == nil {
		o.Catalog = schema.Shipped()
	}
	return &names{catalog: o.Catalog, byKey: make(map[string]*schema.Dictionary)}
}

// layout gives the layout of a segment, nil when nothing describes it.
func (n *names) layout(seg *edi.Segment, p *validate.Place) *schema.Segment {
	if p.Layout != nil {
		return p.Layout
	}
	if p.Interchange == nil {
		return nil
	}
	standard, version := p.Interchange.Standard, ""
	if p.Group != nil {
		version = p.Group.Version
	}
	if p.Document != nil && p.Document.Version != "" {
		version = p.Document.Version
	}
	tag := schema.MakeTag(seg.Tag)
	if d := n.dictionary(standard, version); d != nil {
		if layout := d.Segment(tag); layout != nil {
			return layout
		}
	}
	if standard == schema.EDIFACT {
		return n.dictionary(standard, "").Segment(tag) // service segments
	}
	// The envelope has hardly changed over the releases.
	switch string(seg.Tag) {
	case "ISA", "IEA", "TA1", "GS", "GE", "ST", "SE":
		return n.dictionary(standard, "004010").Segment(tag)
	}
	return nil
}

func (n *names) dictionary(standard, version string) *schema.Dictionary {
	key := standard + " " + version
	d, ok := n.byKey[key]
	if !ok && len(n.byKey) < 1000 {
		d = n.catalog.DictionaryFor(standard, version)
		n.byKey[key] = d
	}
	return d
}
