package edi

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// WriterOptions set how a Writer writes.
type WriterOptions struct {
	// LineEnd is written behind the terminator of each segment that Write,
	// WriteFields or End writes: "", "\n" or "\r\n". WriteSegment and WriteRaw
	// do not use it.
	LineEnd string
	// KeepEmpty writes trailing empty elements and components instead of
	// leaving them out.
	KeepEmpty bool
	// Buffer is how many bytes are kept before they go to the underlying
	// writer; 0 stands for 32 KiB.
	Buffer int
}

// Writer writes segments: raw ones exactly as they were read, and new ones
// from values in canonical form, that is, with trailing empty elements and
// components left out and with release characters where the delimiters have
// one. A value that these delimiters cannot carry is refused. A Writer buffers;
// call Flush at the end. After an error from the underlying writer every call
// returns it.
type Writer struct {
	w        *bufio.Writer
	d        Delimiters
	opt      WriterOptions
	segments int
	bytes    int64

	out     []byte // the segment being built
	kept    int    // length of out without trailing empties
	element int
	tag     string
	scratch []byte
	err     error
}

// NewWriter returns a Writer that delimits new segments with d.
func NewWriter(w io.Writer, d Delimiters, o WriterOptions) *Writer {
	if o.Buffer <= 0 {
		o.Buffer = 32 << 10
	}
	return &Writer{w: bufio.NewWriterSize(w, o.Buffer), d: d, opt: o}
}

// Delimiters returns the delimiters new segments are written with.
func (w *Writer) Delimiters() Delimiters { return w.d }

// SetDelimiters changes the delimiters of the segments that follow.
func (w *Writer) SetDelimiters(d Delimiters) { w.d = d }

// Segments returns the number of segments written since the Writer was made or
// ResetCount was called.
func (w *Writer) Segments() int { return w.segments }

// ResetCount sets the number that Segments returns to 0.
func (w *Writer) ResetCount() { w.segments = 0 }

// Written returns the number of bytes written so far, buffered ones included.
func (w *Writer) Written() int64 { return w.bytes }

// Flush writes what is buffered.
func (w *Writer) Flush() error { return w.w.Flush() }

// WriteRaw writes b as it is.
func (w *Writer) WriteRaw(b []byte) error {
	n, err := w.w.Write(b)
	w.bytes += int64(n)
	return err
}

// WriteSegment writes a segment that a Reader returned exactly as it stood,
// with what stood before it.
func (w *Writer) WriteSegment(s *Segment) error {
	if err := w.WriteRaw(s.Lead); err != nil {
		return err
	}
	w.segments++
	return w.WriteRaw(s.Raw)
}

// WriteTrailing writes what stood behind the last segment of r's input: call
// it when r has returned io.EOF.
func (w *Writer) WriteTrailing(r *Reader) error { return w.WriteRaw(r.Trailing()) }

// Copy reads r to its end and writes the same bytes to w.
func Copy(w *Writer, r *Reader) error {
	for {
		s, err := r.Next()
		if errors.Is(err, io.EOF) {
			if err := w.WriteTrailing(r); err != nil {
				return err
			}
			return w.Flush()
		}
		if err != nil {
			return err
		}
		if err := w.WriteSegment(s); err != nil {
			return err
		}
	}
}

// Edit replaces one element of a segment while it is written. The value is a
// simple one; an element behind the last is added.
type Edit struct {
	Element int // from 1
	Value   string
}

// WriteEdited writes a segment that a Reader returned as WriteSegment does,
// with some elements replaced. Every other byte stays.
func (w *Writer) WriteEdited(s *Segment, edits ...Edit) error {
	if len(edits) == 0 {
		return w.WriteSegment(s)
	}
	own := w.d
	w.d = s.Delimiters() // the values must suit the segment they go into
	defer func() { w.d = own }()
	w.tag, w.err = string(s.Tag), nil
	w.out = append(w.out[:0], s.Lead...)
	done := 0 // bytes of Raw written
	last := s.Len()
	for _, e := range edits {
		last = max(last, e.Element)
	}
	for i := 1; i <= last; i++ {
		k := indexEdit(edits, i)
		if i > s.Len() {
			w.out = append(w.out, s.Raw[done:len(s.Content())]...)
			done = len(s.Content())
			w.out = append(w.out, w.d.Element)
		} else if k >= 0 {
			e := s.Element(i)
			from, to := s.part(e.first, e.last)
			w.out = append(w.out, s.Raw[done:from]...)
			done = to
		}
		if k >= 0 {
			w.element = i
			w.value(0, edits[k].Value)
		}
	}
	w.out = append(w.out, s.Raw[done:]...)
	if w.err != nil {
		return w.place(s)
	}
	w.segments++
	return w.WriteRaw(w.out)
}

// indexEdit returns which of edits replaces the element, -1 for none.
func indexEdit(edits []Edit, element int) int {
	for k, e := range edits {
		if e.Element == element {
			return k
		}
	}
	return -1
}

// place gives the error of the segment being built the position of s.
func (w *Writer) place(s *Segment) error {
	var se *SyntaxError
	if errors.As(w.err, &se) {
		se.Position = s.Pos
	}
	return w.err
}

// Rewrite writes the values of a segment that a Reader returned with the
// Writer's own delimiters: every element, repetition and component, empty ones
// included, in canonical form, with some elements replaced. A value that the
// Writer's delimiters cannot carry is refused. Neither an ISA nor a UNA can be
// rewritten: they declare delimiters.
func (w *Writer) Rewrite(s *Segment, edits ...Edit) error {
	if s.flags&declares != 0 {
		return &SyntaxError{Position: s.Pos, Segment: string(s.Tag), Code: CodeSegmentKind, Msg: "a segment that declares delimiters cannot be rewritten with others", Hint: "build it anew"}
	}
	w.Begin(string(s.Tag))
	last := s.Len()
	for _, e := range edits {
		last = max(last, e.Element)
	}
	for i := 1; i <= last; i++ {
		w.element++
		w.out = append(w.out, w.d.Element)
		if e := s.Element(i); i == s.binary {
			w.out = append(w.out, e.Raw()...)
		} else if k := indexEdit(edits, i); k >= 0 {
			w.value(0, edits[k].Value)
		} else {
			w.rewriteElement(e)
		}
	}
	w.kept = len(w.out)
	if w.err != nil {
		return w.place(s)
	}
	return w.End()
}

func (w *Writer) rewriteElement(e Element) {
	for k := 1; k <= max(e.Repeats(), 1); k++ {
		if k > 1 {
			w.separator(w.d.Repetition, "repetition")
		}
		one := e.Repeat(k)
		for j := 1; j <= max(one.Components(), 1); j++ {
			if j > 1 {
				w.separator(w.d.Component, "component")
			}
			w.scratch = one.Component(j).Append(w.scratch[:0])
			w.value(j, string(w.scratch))
		}
	}
}

func (w *Writer) separator(b byte, name string) {
	if b == 0 {
		w.fail(0, CodeDelimiters, "these delimiters have no "+name+" separator", "choose delimiters that have one")
		return
	}
	w.out = append(w.out, b)
}

// Field is the value of one element: a simple one, a composite or a repeated
// one. Make it with Simple, Composite or Repeated.
type Field struct {
	repeats [][]string
}

// Simple returns the Field of a simple element.
func Simple(value string) Field { return Field{[][]string{{value}}} }

// Composite returns the Field of a composite with the components given.
func Composite(components ...string) Field { return Field{[][]string{components}} }

// Repeated returns the Field whose repetitions are those of the fields given.
func Repeated(fields ...Field) Field {
	var f Field
	for _, g := range fields {
		f.repeats = append(f.repeats, g.repeats...)
	}
	return f
}

// Write writes a segment of simple elements.
func (w *Writer) Write(tag string, elements ...string) error {
	w.Begin(tag)
	for _, e := range elements {
		w.Element(e)
	}
	return w.End()
}

// WriteFields writes a segment whose elements may be composite or repeated.
func (w *Writer) WriteFields(tag string, fields ...Field) error {
	w.Begin(tag)
	for _, f := range fields {
		if len(f.repeats) == 0 {
			w.Element("")
		}
		for i, components := range f.repeats {
			if i == 0 {
				w.Element(components...)
			} else {
				w.Repeat(components...)
			}
		}
	}
	return w.End()
}

// Begin starts a segment. Elements follow by Element and Repeat; End writes it.
func (w *Writer) Begin(tag string) {
	w.tag, w.element, w.err = tag, 0, nil
	w.out = append(w.out[:0], tag...)
	w.kept = len(w.out)
	for i := 0; i < len(tag); i++ {
		if !isAlnum(tag[i]) {
			w.fail(0, CodeSegmentTag, "a segment tag is letters and digits", "give another tag")
		}
	}
	if tag == "" {
		w.fail(0, CodeSegmentTag, "the segment tag is empty", "give the tag")
	}
}

// Element adds the next element: one value, or the components of a composite.
// None, or empty ones, make it empty.
func (w *Writer) Element(components ...string) {
	w.element++
	w.out = append(w.out, w.d.Element)
	w.components(components)
}

// Repeat adds a further repetition of the element added last.
func (w *Writer) Repeat(components ...string) {
	w.separator(w.d.Repetition, "repetition")
	w.components(components)
}

func (w *Writer) components(values []string) {
	for i, v := range values {
		if i > 0 {
			if v == "" && !w.opt.KeepEmpty && allEmpty(values[i:]) {
				break
			}
			w.separator(w.d.Component, "component")
		}
		w.value(i+1, v)
		if v != "" {
			w.kept = len(w.out)
		}
	}
}

func allEmpty(values []string) bool {
	for _, v := range values {
		if v != "" {
			return false
		}
	}
	return true
}

// value adds one value, with release characters or refused when it holds a
// delimiter.
func (w *Writer) value(component int, v string) {
	d := &w.d
	for i := 0; i < len(v); i++ {
		b := v[i]
		special := b == d.Element || b == d.Segment && (d.SegmentTail == "" || bytes.HasPrefix([]byte(v[i+1:]), []byte(d.SegmentTail))) ||
			b == d.Component && b != 0 || b == d.Repetition && b != 0 || b == d.Release && b != 0
		switch {
		case special && d.Release != 0 && !isNewline(b):
			w.out = append(w.out, d.Release, b)
			continue
		case special:
			w.fail(component, CodeDelimiterValue, fmt.Sprintf("the value %q holds the delimiter %q", clip(v), b), "change the value, or choose delimiters that do not occur in data")
			return
		case isNewline(b):
			w.fail(component, CodeDelimiterValue, fmt.Sprintf("the value %q holds a line end", clip(v)), "take the line end out: readers drop it")
			return
		}
		w.out = append(w.out, b)
	}
}

func clip(v string) string {
	const most = 40
	if len(v) > most {
		return v[:most] + "..."
	}
	return v
}

func (w *Writer) fail(component int, code Code, msg, hint string) {
	if w.err == nil {
		w.err = &SyntaxError{Segment: w.tag, Element: w.element, Component: component, Code: code, Msg: msg, Hint: hint}
	}
}

// End writes the segment begun last, without trailing empty elements, or
// returns what was wrong with it; then nothing of it is written.
func (w *Writer) End() error {
	if w.err != nil {
		return w.err
	}
	if !w.opt.KeepEmpty {
		w.out = w.out[:w.kept]
	}
	w.out = append(w.out, w.d.Segment)
	w.out = append(w.out, w.d.SegmentTail...)
	w.out = append(w.out, w.opt.LineEnd...)
	w.segments++
	return w.WriteRaw(w.out)
}
