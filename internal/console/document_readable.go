package console

import (
	"context"
	"slices"
)

// Readable is the tab that tells a document in words.
type Readable struct {
	*Excerpt
	Guide   string
	Areas   []Area
	Problem string
}

// Area is the heading, detail or summary of a document.
type Area struct {
	Name  string
	Parts []Part
}

// Part is a segment, or a loop with its parts.
type Part struct {
	Segment *SegmentView
	Title   string
	Level   int
	Parts   []Part
	number  int // of the pass through the loop
}

// SegmentView is a segment with the issues found in it.
type SegmentView struct {
	Segment
	Fields []Field
	Bad    bool
	Issues []IssueView
}

// Field is an element that has a value, or a qualifier with what it qualifies.
type Field struct {
	Place   string // "BEG03", a component "BEG03-1"
	Name    string
	Value   string
	Meaning string
	Code    string // of the qualifier that gave the name
	Bad     bool
	coded   bool
}

func (c *Console) readableTab(ctx context.Context, l *loaded) (any, error) {
	x, err := c.excerpt(ctx, &l.Document)
	if err != nil {
		return nil, err
	}
	r, problem, err := c.reading(ctx, l, x)
	if err != nil {
		return nil, err
	}
	t := Readable{Excerpt: x, Problem: problem}
	if r == nil {
		return t, nil
	}
	t.Guide = r.Guide
	issues := issuesBySegment(l)
	for i := range r.Segments {
		s := &r.Segments[i]
		if isService(s.Tag) {
			continue
		}
		v := segmentView(s, issues[s.Ordinal])
		name := areaName(s.Area)
		if len(t.Areas) == 0 || t.Areas[len(t.Areas)-1].Name != name {
			t.Areas = append(t.Areas, Area{Name: name})
		}
		area := &t.Areas[len(t.Areas)-1]
		area.Parts = place(area.Parts, s.Loops, 1, v)
	}
	return t, nil
}

// place puts a segment into the innermost of its loops, opening those that are
// not open yet.
func place(parts []Part, loops []Loop, level int, v *SegmentView) []Part {
	if len(loops) == 0 || level > 6 {
		return append(parts, Part{Segment: v})
	}
	// Passes are numbered, so the last part is this pass or an earlier one.
	if n := len(parts); n > 0 && parts[n-1].Segment == nil && parts[n-1].number == loops[0].Number {
		parts[n-1].Parts = place(parts[n-1].Parts, loops[1:], level+1, v)
		return parts
	}
	p := Part{Title: loops[0].Title, Level: min(level, 4), number: loops[0].Number}
	p.Parts = place(nil, loops[1:], level+1, v)
	return append(parts, p)
}

func isService(tag string) bool {
	return slices.Contains([]string{"ST", "SE", "UNH", "UNT", "UNS"}, tag)
}

func areaName(s string) string {
	switch s {
	case "heading":
		return "Heading"
	case "detail":
		return "Detail"
	case "summary":
		return "Summary"
	}
	return ""
}
