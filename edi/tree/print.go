package tree

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"tradepost/edi"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// Print reads EDI and writes its tree for a person: loops and segments by
// name, every element with its name and what its code stands for.
func Print(ctx context.Context, w io.Writer, r io.Reader, o validate.Options) error {
	p := &printer{w: bufio.NewWriterSize(w, 64<<10), names: newNames(&o)}
	o.OnSegment = func(seg *edi.Segment, at *validate.Place) error {
		p.segment(seg, at)
		return p.err
	}
	_, err := walk(ctx, r, o)
	return errors.Join(err, p.w.Flush())
}

type printer struct {
	w     *bufio.Writer
	names *names
	err   error
}

func (p *printer) line(depth int, format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, "%s%s\n", strings.Repeat("  ", depth), fmt.Sprintf(format, args...))
	}
}

// Depths of the levels that are always there.
const (
	depthInterchange = iota
	depthGroup
	depthDocument
	depthBody
)

func (p *printer) segment(seg *edi.Segment, at *validate.Place) {
	depth := depthBody
	switch at.Role {
	case validate.InterchangeStart:
		ic := at.Interchange
		test := ""
		if ic.Test {
			test = ", test"
		}
		p.line(depthInterchange, "%s interchange %s from %s to %s, version %s%s", ic.Standard, plain(ic.Control), plain(ic.Sender), plain(ic.Receiver), plain(ic.Version), test)
		depth = depthGroup
	case validate.GroupStart:
		p.line(depthGroup, "group %s of %s, version %s", plain(at.Group.Control), plain(at.Group.Type), plain(at.Group.Version))
		depth = depthDocument
	case validate.DocumentStart:
		title := "no guide"
		if at.Guide != nil {
			title = at.Guide.Title + ", guide " + at.Guide.Name
		}
		p.line(depthDocument, "document %s %s (%s)", plain(at.Document.Type), plain(at.Document.Control), title)
	case validate.InterchangeEnd:
		depth = depthGroup
	case validate.GroupEnd:
		depth = depthDocument
	case validate.Body:
		for i := at.Kept; i < len(at.Loops); i++ {
			l := at.Loops[i]
			name := "loop " + l.Name
			if l.Level != "" && l.Level != "*" {
				name += " " + l.Level
			}
			if l.Title != "" {
				name += ": " + l.Title
			}
			p.line(depthBody+i, "%s", name)
		}
		depth += len(at.Loops)
	case validate.DocumentEnd, validate.Outside:
	}
	p.elements(seg, at, depth)
}

// elements prints a segment and a line for each element that holds something.
func (p *printer) elements(seg *edi.Segment, at *validate.Place, depth int) {
	layout := p.names.layout(seg, at)
	name := "(not described)"
	if layout != nil {
		name = layout.Name
	}
	p.line(depth, "%s  %s", plain(string(seg.Tag)), name)
	for i := 1; i <= seg.Len(); i++ {
		e := seg.Element(i)
		if e.Empty() {
			continue
		}
		var use *schema.Use
		if layout != nil && i <= len(layout.Uses) {
			use = &layout.Uses[i-1]
		}
		for k := 1; k <= e.Repeats(); k++ {
			part := e.Repeat(k)
			label := fmt.Sprintf("%02d", i)
			if e.Repeats() > 1 {
				label += fmt.Sprintf(" (%d)", k)
			}
			if use != nil && use.Composite != nil || part.Components() > 1 {
				p.composite(part, use, label, depth+1)
				continue
			}
			p.value(part.String(), use, label, depth+1)
		}
	}
}

func (p *printer) composite(e edi.Element, use *schema.Use, label string, depth int) {
	for c := 1; c <= e.Components(); c++ {
		value := e.Component(c)
		if value.Empty() {
			continue
		}
		var part *schema.Use
		if use != nil && use.Composite != nil && c <= len(use.Composite.Uses) {
			part = &use.Composite.Uses[c-1]
		}
		p.value(value.String(), part, fmt.Sprintf("%s-%d", label, c), depth)
	}
}

const nameWidth = 36

func (p *printer) value(value string, use *schema.Use, label string, depth int) {
	name, meaning := "", ""
	if use != nil {
		name = use.Name
		if code, ok := use.Codes.Find([]byte(value)); ok && code.Name != "" {
			meaning = "  = " + code.Name
		}
	}
	if len(value) > 200 {
		value = value[:200] + fmt.Sprintf("... (%d bytes)", len(value))
	}
	p.line(depth, "%s %-*s %s%s", label, nameWidth, name, plain(value), meaning)
}

// plain makes foreign text fit for a terminal.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
