package tree

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"tradepost/edi"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// Print reads EDI and writes its tree for a person: loops and segments by
// name, every element with its name and what its code stands for. A segment
// that cannot be read, such as one that is too long, is told in its place, and
// Print goes on behind it; an error at the end says how many there were.
// Memory does not grow with the input.
func Print(ctx context.Context, w io.Writer, r io.Reader, o validate.Options) error {
	p := &printer{w: w, names: newNames(&o)}
	o.OnSegment = func(seg *edi.Segment, at *validate.Place) error {
		p.segment(seg, at)
		return p.err
	}
	o.OnUnread = func(bad *edi.SyntaxError) error {
		p.unread++
		p.line(p.depth, "!! not read: ", bad.Error())
		return p.err
	}
	_, err := walk(ctx, r, o)
	if p.unread > 1 && err != nil {
		err = fmt.Errorf("%d places were not read, the tree tells which; the first: %w", p.unread, err)
	}
	if flushed := p.flush(); err == nil {
		err = flushed
	}
	return err
}

// printer writes lines into a buffer of its own: fmt would take more time than
// reading the input.
type printer struct {
	w      io.Writer
	buf    []byte
	text   []byte // of the value that is printed
	names  *names
	depth  int // of the segment before
	unread int
	err    error
}

// Depths of the levels that are always there.
const (
	depthInterchange = iota
	depthGroup
	depthDocument
	depthBody
)

// begin starts a line.
func (p *printer) begin(depth int) {
	const blanks = "                                                                "
	for n := 2 * depth; n > 0; n -= len(blanks) {
		p.buf = append(p.buf, blanks[:min(n, len(blanks))]...)
	}
}

// end ends a line.
func (p *printer) end() {
	if p.buf = append(p.buf, '\n'); len(p.buf) > scanSize {
		_ = p.flush() // kept in p.err
	}
}

// flush writes what is buffered.
func (p *printer) flush() error {
	if p.err == nil && len(p.buf) > 0 {
		_, p.err = p.w.Write(p.buf)
	}
	p.buf = p.buf[:0]
	return p.err
}

// line prints texts, some of them foreign, on a line.
func (p *printer) line(depth int, texts ...string) {
	p.begin(depth)
	for _, t := range texts {
		p.buf = appendPlain(p.buf, t)
	}
	p.end()
}

func (p *printer) segment(seg *edi.Segment, at *validate.Place) {
	depth := depthBody
	switch at.Role {
	case validate.InterchangeStart:
		ic := at.Interchange
		test := ""
		if ic.Test {
			test = ", test"
		}
		p.line(depthInterchange, ic.Standard, " interchange ", ic.Control, " from ", ic.Sender, " to ", ic.Receiver, ", version ", ic.Version, test)
		depth = depthGroup
	case validate.GroupStart:
		p.line(depthGroup, "group ", at.Group.Control, " of ", at.Group.Type, ", version ", at.Group.Version)
		depth = depthDocument
	case validate.DocumentStart:
		title := "no guide"
		if at.Guide != nil {
			title = at.Guide.Title + ", guide " + at.Guide.Name
		}
		p.line(depthDocument, "document ", at.Document.Type, " ", at.Document.Control, " (", title, ")")
	case validate.InterchangeEnd:
		depth = depthGroup
	case validate.GroupEnd:
		depth = depthDocument
	case validate.Body:
		for i := at.Kept; i < len(at.Loops); i++ {
			p.loop(&at.Loops[i], depthBody+i)
		}
		depth += len(at.Loops)
	case validate.DocumentEnd, validate.Outside:
	}
	p.depth = depth
	p.elements(seg, at, depth)
}

func (p *printer) loop(l *validate.Loop, depth int) {
	level, title := "", ""
	if l.Level != "" && l.Level != "*" {
		level = " " + l.Level
	}
	if l.Title != "" {
		title = ": " + l.Title
	}
	p.line(depth, "loop ", l.Name, level, title)
}

// elements prints a segment and a line for each element that holds something.
func (p *printer) elements(seg *edi.Segment, at *validate.Place, depth int) {
	layout := p.names.layout(seg, at)
	name := "(not described)"
	if layout != nil {
		name = layout.Name
	}
	p.begin(depth)
	p.buf = appendPlain(p.buf, seg.Tag)
	p.buf = append(append(p.buf, "  "...), name...)
	p.end()
	for i := 1; i <= seg.Len(); i++ {
		e := seg.Element(i)
		if e.Empty() {
			continue
		}
		here := label{element: i}
		var use *schema.Use
		if layout != nil && i <= len(layout.Uses) {
			use = &layout.Uses[i-1]
		}
		repeats := e.Repeats()
		if repeats == 1 {
			p.repeat(e, use, here, depth+1)
			continue
		}
		for k := 1; k <= repeats; k++ {
			here.repeat = k
			p.repeat(e.Repeat(k), use, here, depth+1)
		}
	}
}

// repeat prints one repetition: its components, if it is a composite.
func (p *printer) repeat(e edi.Element, use *schema.Use, at label, depth int) {
	if e.Simple() && (use == nil || use.Composite == nil) {
		p.value(e.Value(), use, at, depth)
		return
	}
	for c := 1; c <= e.Parts(); c++ {
		value := e.Part(c)
		if value.Empty() {
			continue
		}
		var part *schema.Use
		if use != nil && use.Composite != nil && c <= len(use.Composite.Uses) {
			part = &use.Composite.Uses[c-1]
		}
		at.component = c
		p.value(value, part, at, depth)
	}
}

// label is what stands before a value: 03, 03 (2) or 03-1.
type label struct{ element, repeat, component int }

func (l label) append(b []byte) []byte {
	if l.element < 10 {
		b = append(b, '0')
	}
	b = strconv.AppendInt(b, int64(l.element), 10)
	if l.repeat > 0 {
		b = append(strconv.AppendInt(append(b, " ("...), int64(l.repeat), 10), ')')
	}
	if l.component > 0 {
		b = strconv.AppendInt(append(b, '-'), int64(l.component), 10)
	}
	return b
}

const (
	labelWidth = 5   // bytes, of 02-1 and a blank
	nameWidth  = 36  // characters
	mostValue  = 200 // bytes of a value that are shown
)

func (p *printer) value(v edi.Value, use *schema.Use, at label, depth int) {
	text := v.Raw()
	if !v.Plain() {
		p.text = v.Append(p.text[:0])
		text = p.text
	}
	p.begin(depth)
	before := len(p.buf)
	p.buf = append(at.append(p.buf), ' ')
	for len(p.buf) < before+labelWidth {
		p.buf = append(p.buf, ' ')
	}
	name, width := "", 0
	if use != nil {
		name, width = use.Name, len(use.Name)
		if !isASCII(name) {
			width = utf8.RuneCountInString(name)
		}
	}
	p.buf = append(p.buf, name...)
	for ; width < nameWidth; width++ {
		p.buf = append(p.buf, ' ')
	}
	p.buf = append(p.buf, ' ')
	if len(text) > mostValue {
		p.buf = appendPlain(p.buf, text[:mostValue])
		p.buf = fmt.Appendf(p.buf, "... (%d bytes)", len(text))
	} else {
		p.buf = appendPlain(p.buf, text)
	}
	if use != nil {
		if code, ok := use.Codes.Find(text); ok && code.Name != "" {
			p.buf = append(append(p.buf, "  = "...), code.Name...)
		}
	}
	p.end()
}

// appendPlain appends foreign text, made fit for a terminal.
func appendPlain[T string | []byte](b []byte, text T) []byte {
	if isASCII(text) {
		return append(b, text...)
	}
	return append(b, strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, string(text))...)
}

// isASCII tells whether all of a text is printable ASCII.
func isASCII[T string | []byte](text T) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
