package mapping

import (
	"fmt"
	"io"

	"tradepost/edi"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// fromEDI converts documents of interchanges.
func (c *conversion) fromEDI(r io.Reader) error {
	v := c.o.Validate
	chosen := v.GuideFor
	v.GuideFor = func(choice validate.Choice) *schema.Guide { return c.choose(choice, chosen) }
	v.Stream, v.MaxIssues, v.MaxDocumentIssues, v.KeepRaw = true, 10000, 100, true
	v.OnGroup, v.OnInterchange = nil, nil
	v.OnSegment = c.segment
	v.OnDocument = c.document
	report, err := validate.Validate(c.ctx, r, v)
	if err != nil {
		return err
	}
	if report.Unread != nil {
		return fmt.Errorf("%w: %w", ErrInput, report.Unread)
	}
	return nil
}

// choose finds the guide a document is read with: that of the options, that of
// the caller, or the one of the map that fits its release.
func (c *conversion) choose(choice validate.Choice, chosen func(validate.Choice) *schema.Guide) *schema.Guide {
	if g := c.o.Guide; g != nil && g.Standard == choice.Standard && g.Type == choice.Type {
		return g
	}
	if chosen != nil {
		if g := chosen(choice); g != nil {
			return g
		}
	}
	side, _ := c.m.sides(c.o.Way)
	for _, g := range side.guides {
		if g.Standard != choice.Standard || g.Type != choice.Type || !sameRelease(g, choice.Version) {
			continue
		}
		if c.m.shipped && c.o.Validate.Catalog != nil { // the user may have a fuller one than it was written for
			if own, ok := c.o.Validate.Catalog.Lookup(choice.Standard, choice.Version, choice.Type); ok {
				return own
			}
		}
		return g
	}
	return nil
}

// sameRelease tells whether a guide is for a version: an industry's version
// (004010VICS) is that of its release.
func sameRelease(g *schema.Guide, version string) bool {
	return g.Version == version || g.Standard == schema.X12 && len(version) > len(g.Version) && version[:len(g.Version)] == g.Version
}

// segment takes one segment of the input.
func (c *conversion) segment(s *edi.Segment, p *validate.Place) error {
	switch p.Role {
	case validate.DocumentStart:
		return c.begin(s, p)
	case validate.Body:
		if c.reading == nil || c.tooLarge {
			return nil
		}
		c.source.add(s, p.Node, s.Pos.Ordinal-c.first+1)
		if c.source.size() > c.o.MaxDocument {
			c.tooLarge = true
		}
	}
	return nil
}

// begin looks at the header of a document.
func (c *conversion) begin(s *edi.Segment, p *validate.Place) error {
	c.reading, c.skipped, c.tooLarge, c.first = nil, "", false, s.Pos.Ordinal
	c.envelope = p.Interchange
	side, _ := c.m.sides(c.o.Way)
	fits := false
	for _, g := range side.guides {
		fits = fits || p.Guide != nil && g.Standard == p.Guide.Standard && g.Type == p.Guide.Type
	}
	if !fits {
		c.skipped = c.notForIt(p)
		return nil
	}
	prog, err := c.programOf(p.Guide)
	if err != nil {
		return fmt.Errorf("map %s does not fit guide %s:\n%w", c.m.Name(), p.Guide.Name, err)
	}
	c.reading = prog
	index := prog.from.guide
	if c.o.Way == Backward {
		index = prog.to.guide
	}
	charset, decoded := charsetOf(p.Interchange)
	c.source.reset(index, s.Delimiters(), charset, decoded)
	return nil
}

func (c *conversion) programOf(g *schema.Guide) (*program, error) {
	if c.o.Way == Backward {
		return c.m.program(c.to, g)
	}
	return c.m.program(g, c.to)
}

// notForIt explains why a document is passed over.
func (c *conversion) notForIt(p *validate.Place) string {
	side, _ := c.m.sides(c.o.Way)
	version := p.Document.Version
	if version == "" && p.Group != nil {
		version = p.Group.Version
	}
	names := ""
	for i, g := range side.guides {
		if i > 0 {
			names += ", "
		}
		names += g.Name
	}
	return fmt.Sprintf("map %s is for %s, this is a document %s in version %s", c.m.Name(), names, clip(p.Document.Type), clip(version))
}

// document maps the document that has ended.
func (c *conversion) document(_ *validate.Interchange, _ *validate.Group, d *validate.Document) error {
	doc := &Document{Type: d.Type, Control: d.Control, Guide: d.Guide, Accepted: d.Accepted, Issues: d.Issues, Skipped: c.skipped}
	switch {
	case c.reading == nil:
	case c.tooLarge:
		doc.Faults = []Fault{{Text: fmt.Sprintf("the document takes more than %d bytes of memory; raise the limit to map it", c.o.MaxDocument)}}
	default:
		c.start(c.reading, &c.source)
		if c.to == nil {
			in := inputFaults{doc: &c.form}
			in.required(0)
			for _, f := range in.list {
				c.run.faults = append(c.run.faults, Fault{Text: "is required and the document has no value for it", Target: f.Source.Path})
			}
		}
		for _, l := range c.source.lost(c.reading.made, maxProblems) {
			doc.Left = append(doc.Left, Fault{Text: "no line of the map carries it", Source: l})
		}
	}
	c.reading = nil
	return c.finish(doc)
}
