package console

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tradepost/edi"
	"tradepost/edi/schema"
	"tradepost/tracking"
)

// Segments reads a document for people.
type Segments interface {
	// Read takes the bytes of a document and the first bytes of the content it
	// lies in, which tell its delimiters; cut tells that body is only the
	// beginning. An error means that the document is shown as plain bytes.
	Read(d *tracking.Document, head, body []byte, cut bool) (*Reading, error)
}

// Reading is a document in segments.
type Reading struct {
	Guide    string // name of the guide that gave the names, "" without
	Segments []Segment
}

// Segment is one segment with its place and its names.
type Segment struct {
	Ordinal  int // ST and UNH are 1
	Tag      string
	Name     string // "" where no guide or dictionary knows it
	Head     string // its tag as it stands, in EDIFACT with nesting counts
	Raw      string // with its terminator
	Offset   int64  // of its first byte in the document
	Area     string // heading, detail, summary, or ""
	Loops    []Loop // those it stands in, outermost first
	Elements []Element
}

// Loop is one pass through a loop.
type Loop struct {
	Number int // counts passes through any loop of the document
	Title  string
}

// Element is one element of a segment.
type Element struct {
	Number     int // 1 is the first after the tag
	Name       string
	Raw        string
	Value      string
	Meaning    string // of a code; a date or time written for people; "" where unknown
	Coded      bool   // its values come from a code list
	Components []Element
}

// reader reads segments by package edi and names them by guides.
type reader struct {
	catalog *schema.Catalog
}

// NewSegments returns a reader that takes names from the guides and
// dictionaries of a catalog.
func NewSegments(catalog *schema.Catalog) Segments { return &reader{catalog: catalog} }

// maxSegments bounds what one page shows.
const maxSegments = 20_000

func (s *reader) Read(d *tracking.Document, head, body []byte, cut bool) (*Reading, error) {
	delims := edi.DefaultX12()
	if d.Standard == schema.EDIFACT {
		delims = edi.DefaultEDIFACT(3)
	}
	// A header that cannot be read leaves the standard's usual delimiters.
	if h, err := edi.Peek(head); err == nil && h.Delimiters.Validate() == nil {
		delims = h.Delimiters
	}
	guide := s.guide(d)
	out := &Reading{}
	if guide != nil {
		out.Guide = guide.Name
	}
	at := newPlacer(guide, s.catalog.DictionaryFor(d.Standard, d.Version))
	r := edi.NewFragmentReader(body, delims, edi.Options{})
	for len(out.Segments) < maxSegments {
		seg, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			if len(out.Segments) > 0 && cut {
				return out, nil // the last segment is not whole
			}
			return out, fmt.Errorf("read segment %d: %w", len(out.Segments)+1, err)
		}
		out.Segments = append(out.Segments, at.segment(seg, len(out.Segments)+1))
	}
	return out, nil
}

// guide is the one the document was checked by, or else the standard's.
func (s *reader) guide(d *tracking.Document) *schema.Guide {
	if d.Guide != "" {
		if g, err := s.catalog.Guide(d.Guide); err == nil {
			return g
		}
	}
	g, _ := s.catalog.Lookup(d.Standard, d.Version, d.Type)
	return g
}

// placer follows a document through a guide to tell in which loop a segment
// stands. Unlike the validator it judges nothing and counts nothing: what has
// no place stays where the one before it was.
type placer struct {
	guide      *schema.Guide
	dictionary *schema.Dictionary
	open       []pass
	passes     int
	levels     map[string][]Loop // of hierarchy levels by HL01, each with those above it
	area       string
}

type pass struct {
	loop   *schema.Loop
	at     int // node taken last, -1 before the first
	number int
	title  string
	above  []Loop // hierarchy levels this one lies under
}

// maxLevels is how deep hierarchy levels are drawn into each other.
const maxLevels = 5

func newPlacer(g *schema.Guide, d *schema.Dictionary) *placer {
	p := &placer{guide: g, dictionary: d, levels: map[string][]Loop{}}
	if g != nil {
		p.open = []pass{{loop: g.Root, at: -1}}
		if p.dictionary == nil {
			p.dictionary = g.Dictionary
		}
	}
	return p
}

func (p *placer) segment(seg *edi.Segment, ordinal int) Segment {
	tag := schema.MakeTag(seg.Tag)
	layout := p.layout(tag)
	if n := p.take(seg, tag); n != nil && n.Segment != nil {
		layout = n.Segment
	}
	out := Segment{Ordinal: ordinal, Tag: string(seg.Tag), Head: string(seg.Content()), Raw: string(seg.Raw), Offset: seg.Pos.Offset, Area: p.area}
	if n := seg.Element(1).Offset() - seg.Pos.Offset - 1; seg.Len() > 0 && n > 0 && n < int64(len(seg.Raw)) {
		out.Head = string(seg.Raw[:n])
	}
	for _, f := range p.open[min(1, len(p.open)):] {
		out.Loops = append(append(out.Loops, f.above...), Loop{Number: f.number, Title: f.title})
	}
	var uses []schema.Use
	if layout != nil {
		out.Name, uses = layout.Name, layout.Uses
	}
	for i := 1; i <= seg.Len(); i++ {
		e := seg.Element(i)
		out.Elements = append(out.Elements, element(i, e, use(uses, i)))
	}
	return out
}

func (p *placer) layout(tag schema.Tag) *schema.Segment {
	if p.guide != nil {
		if s := p.guide.Places(tag); s != nil {
			return s
		}
	}
	return p.dictionary.Segment(tag)
}

// take finds the segment's node: forward in the innermost loop, then in those
// around it.
func (p *placer) take(seg *edi.Segment, tag schema.Tag) *schema.Node {
	for d := len(p.open) - 1; d >= 0; d-- {
		f := &p.open[d]
		from := 0
		if f.at >= 0 {
			from = f.loop.Nodes[f.at].From
		}
		if d > 0 {
			from = max(from, 1) // what opens a loop belongs to the loop around it
		}
		for i := from; i < len(f.loop.Nodes); i++ {
			n := &f.loop.Nodes[i]
			if n.Tag != tag || n.Where != nil && !holds(n.Where, seg) {
				continue
			}
			p.open = p.open[:d+1]
			f.at = i
			if d == 0 {
				p.area = n.Area
			}
			if n.Loop != nil {
				return p.enter(n, seg)
			}
			return n
		}
	}
	return nil
}

// enter opens a loop by its first segment.
func (p *placer) enter(n *schema.Node, seg *edi.Segment) *schema.Node {
	p.passes++
	loop, title := n.Loop, n.Loop.Title
	if n.Title != "" {
		title = n.Title
	}
	if len(loop.Levels) > 0 {
		code := seg.Element(3).String()
		for _, l := range loop.Levels {
			if l.Code == code || l.Code == "*" {
				loop, title = l.Loop, l.Title
				break
			}
		}
	}
	next := pass{loop: loop, number: p.passes, title: p.name(title, n, seg)}
	if len(n.Loop.Levels) > 0 {
		next.above = p.levels[seg.Element(2).String()]
		p.levels[seg.Element(1).String()] = append(slices.Clip(next.above), Loop{next.number, next.title})[:min(len(next.above)+1, maxLevels)]
	}
	p.open = append(p.open, next)
	if len(loop.Nodes) > 0 {
		return &loop.Nodes[0]
	}
	return n
}

// name makes the title of a pass out of the loop's and of what its first
// segment says: the meaning of a code ("Party: Ship to") or a number ("Line 2").
func (p *placer) name(title string, n *schema.Node, seg *edi.Segment) string {
	if title == "" {
		title = string(seg.Tag)
	}
	if n.Segment == nil || len(n.Loop.Levels) > 0 || n.Max == 1 {
		return title
	}
	first := element(1, seg.Element(1), use(n.Segment.Uses, 1))
	switch {
	case first.Meaning != "":
		return title + ": " + first.Meaning
	case first.Value != "" && len(first.Value) <= 6 && strings.Trim(first.Value, "0123456789") == "":
		return title + " " + first.Value
	}
	return title
}

func holds(w *schema.Where, seg *edi.Segment) bool {
	e := seg.Element(w.Element)
	if w.Component > 0 {
		return w.Values.Allows(e.Component(w.Component).Raw(), 0)
	}
	return w.Values.Allows(e.Raw(), 0)
}

func use(uses []schema.Use, i int) *schema.Use {
	if i < 1 || i > len(uses) {
		return nil
	}
	return &uses[i-1]
}

// element names one element and its components.
func element(number int, e edi.Element, u *schema.Use) Element {
	out := Element{Number: number, Raw: string(e.Raw()), Value: e.String()}
	var parts []schema.Use
	if u != nil {
		out.Name, out.Meaning, out.Coded = u.Name, meaning(u, e.Raw()), u.Codes != nil
		if u.Composite != nil {
			parts = u.Composite.Uses
		}
	}
	if n := e.Components(); n > 1 || len(parts) > 0 && !e.Empty() {
		for j := 1; j <= n; j++ {
			v := e.Component(j)
			c := Element{Number: j, Raw: string(v.Raw()), Value: v.String()}
			if cu := use(parts, j); cu != nil {
				c.Name, c.Meaning, c.Coded = cu.Name, meaning(cu, v.Raw()), cu.Codes != nil
			}
			out.Components = append(out.Components, c)
		}
	}
	return out
}

// withPoint writes a number of type N2 and the like with its decimal point, ""
// where that changes nothing.
func withPoint(value []byte, decimals int) string {
	s, sign := string(value), ""
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		s, sign = rest, "-"
	}
	if decimals < 1 || s == "" || len(s) > 20 || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	if n := decimals + 1 - len(s); n > 0 {
		s = strings.Repeat("0", n) + s
	}
	return sign + s[:len(s)-decimals] + "." + s[len(s)-decimals:]
}

func meaning(u *schema.Use, value []byte) string {
	switch u.Type {
	case schema.Date:
		if t, err := time.Parse("20060102", string(value)); err == nil {
			return t.Format("2 January 2006")
		}
	case schema.Implied:
		if s := withPoint(value, u.Decimals); s != "" {
			return s
		}
	case schema.Time:
		if t, err := time.Parse("1504", string(value)); err == nil {
			return t.Format("15:04")
		}
	}
	if u.Codes == nil || len(value) == 0 {
		return ""
	}
	code, ok := u.Codes.Find(value)
	if !ok {
		return ""
	}
	return code.Name
}
