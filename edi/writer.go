package edi

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// WriterOptions set how a Writer writes.
type WriterOptions struct {
	// LineEnd is written behind the terminator of each segment that Write,
	// WriteFields or End writes: "", "\n" or "\r\n". WriteSegment and WriteRaw
	// do not use it.
	LineEnd string
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
	err     error
}

// NewWriter returns a Writer that delimits new segments with d.
func NewWriter(w io.Writer, d Delimiters, o WriterOptions) *Writer {
	return &Writer{w: bufio.NewWriterSize(w, 32<<10), d: d, opt: o}
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
		if err == io.EOF {
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
	if w.d.Repetition == 0 {
		w.fail(0, CodeDelimiters, "these delimiters have no repetition separator", "write one repetition, or use a version and syntax with repetitions")
		return
	}
	w.out = append(w.out, w.d.Repetition)
	w.components(components)
}

func (w *Writer) components(values []string) {
	for i, v := range values {
		if i > 0 {
			if v == "" && allEmpty(values[i:]) {
				break
			}
			if w.d.Component == 0 {
				w.fail(i+1, CodeDelimiters, "these delimiters have no component separator", "write simple elements only")
				return
			}
			w.out = append(w.out, w.d.Component)
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
	w.out = append(w.out[:w.kept], w.d.Segment)
	w.out = append(w.out, w.d.SegmentTail...)
	w.out = append(w.out, w.opt.LineEnd...)
	w.segments++
	return w.WriteRaw(w.out)
}
