package edi

import "bytes"

// segment flags
const (
	hasSub     uint8 = 1 << iota // component or repetition separators occur
	hasRelease                   // release characters occur
	hasNewline                   // line ends occur that are not the terminator
	flat                         // no splitting below elements (ISA, UNA, binary)
)

// Segment is one segment as it stands in the input. Its slices point into the
// Reader's buffer and are valid until the next call of Next.
type Segment struct {
	Tag  []byte   // segment tag, without EDIFACT nesting indicators
	Raw  []byte   // tag up to and including the terminator
	Lead []byte   // bytes between the segment before and this one: line ends, white space, text
	Pos  Position // place of the first byte of Raw

	// Object is set on UNP only: the object the package carries, a part of Lead.
	Object []byte

	delims *Delimiters
	marks  []uint32 // end of the tag, then of each element, relative to Raw
	flags  uint8
	binary int // element that is binary data, 0 for none
}

// Is tells whether the segment's tag is tag.
func (s *Segment) Is(tag string) bool { return string(s.Tag) == tag }

// Len returns the number of elements after the tag, empty ones included.
func (s *Segment) Len() int { return max(len(s.marks)-1, 0) }

// End returns the byte offset in the input behind the segment's terminator.
func (s *Segment) End() int64 { return s.Pos.Offset + int64(len(s.Raw)) }

// Delimiters returns the delimiters the segment was read with.
func (s *Segment) Delimiters() Delimiters {
	if s.delims == nil {
		return Delimiters{}
	}
	return *s.delims
}

// Content returns Raw without the terminator.
func (s *Segment) Content() []byte {
	if len(s.marks) == 0 {
		return s.Raw
	}
	return s.Raw[:s.marks[len(s.marks)-1]]
}

// Element returns element i, from 1. An element that is not there is the zero
// Element, which is empty.
func (s *Segment) Element(i int) Element {
	if i < 1 || i >= len(s.marks) {
		return Element{}
	}
	from, to := s.marks[i-1]+1, s.marks[i]
	e := Element{raw: s.Raw[from:to:to], delims: s.delims, offset: s.Pos.Offset + int64(from), flags: s.flags}
	if i == s.binary {
		e.flags = flat
	}
	return e
}

// Element is one data element: simple, composite or repeated. The zero
// Element is empty.
type Element struct {
	raw    []byte
	delims *Delimiters
	offset int64
	flags  uint8
}

// Raw returns the bytes as they stand, separators and release characters
// included.
func (e Element) Raw() []byte { return e.raw }

// Empty tells whether the element is absent or has no bytes.
func (e Element) Empty() bool { return len(e.raw) == 0 }

// Offset returns the byte offset in the input of the element's first byte; 0
// for the zero Element.
func (e Element) Offset() int64 { return e.offset }

// Value returns the whole element as one value: right for simple elements.
func (e Element) Value() Value { return Value(e) }

// String returns the whole element with release characters removed.
func (e Element) String() string { return Value(e).String() }

// Repeats returns how often the element occurs: 0 when empty, else one more
// than there are repetition separators.
func (e Element) Repeats() int {
	if len(e.raw) == 0 {
		return 0
	}
	if e.flags&hasSub == 0 || e.flags&flat != 0 || e.delims.Repetition == 0 {
		return 1
	}
	return e.count(e.delims.Repetition)
}

// Repeat returns repetition k, from 1, as an Element of its own; the zero
// Element when there is none.
func (e Element) Repeat(k int) Element {
	if e.flags&hasSub == 0 || e.flags&flat != 0 || e.delims.Repetition == 0 {
		if k == 1 {
			return e
		}
		return Element{}
	}
	return e.part(e.delims.Repetition, k)
}

// Components returns the number of components of the first repetition: 0 when
// the element is empty.
func (e Element) Components() int {
	if len(e.raw) == 0 {
		return 0
	}
	if e.flags&hasSub == 0 || e.flags&flat != 0 {
		return 1
	}
	e = e.Repeat(1)
	if len(e.raw) == 0 {
		return 0
	}
	if e.delims.Component == 0 {
		return 1
	}
	return e.count(e.delims.Component)
}

// Component returns component j, from 1, of the first repetition. A simple
// element has one component, itself. What is not there is the zero Value.
func (e Element) Component(j int) Value {
	if e.flags&hasSub == 0 || e.flags&flat != 0 {
		if j == 1 {
			return Value(e)
		}
		return Value{}
	}
	e = e.Repeat(1)
	if e.delims == nil || e.delims.Component == 0 {
		if j == 1 {
			return Value(e)
		}
		return Value{}
	}
	return Value(e.part(e.delims.Component, j))
}

// count returns the number of parts between sep.
func (e Element) count(sep byte) int {
	if e.flags&hasRelease == 0 {
		n := 1
		for _, b := range e.raw {
			if b == sep {
				n++
			}
		}
		return n
	}
	n := 1
	for i := 0; i < len(e.raw); i++ {
		switch e.raw[i] {
		case e.delims.Release:
			i = released(e.raw, i)
		case sep:
			n++
		}
	}
	return n
}

// part returns part k, from 1, between sep.
func (e Element) part(sep byte, k int) Element {
	if k < 1 {
		return Element{}
	}
	start, escaped := 0, e.flags&hasRelease != 0
	for i := 0; i < len(e.raw); i++ {
		b := e.raw[i]
		if escaped && b == e.delims.Release {
			i = released(e.raw, i)
			continue
		}
		if b != sep {
			continue
		}
		if k == 1 {
			return e.slice(start, i)
		}
		k--
		start = i + 1
	}
	if k == 1 {
		return e.slice(start, len(e.raw))
	}
	return Element{}
}

func (e Element) slice(from, to int) Element {
	e.raw = e.raw[from:to:to]
	e.offset += int64(from)
	return e
}

// Value is one simple value: a component, or an element without components.
// The zero Value is empty.
type Value struct {
	raw    []byte
	delims *Delimiters
	offset int64
	flags  uint8
}

// Raw returns the bytes as they stand, release characters included.
func (v Value) Raw() []byte { return v.raw }

// Empty tells whether the value is absent or has no bytes.
func (v Value) Empty() bool { return len(v.raw) == 0 }

// Offset returns the byte offset in the input of the value's first byte.
func (v Value) Offset() int64 { return v.offset }

// Plain tells that the value's text is its raw bytes: nothing is released and
// no line end stands in it.
func (v Value) Plain() bool {
	if v.flags&(hasRelease|hasNewline) == 0 {
		return true
	}
	for _, b := range v.raw {
		if v.dropped(b) {
			return false
		}
	}
	return true
}

func (v Value) dropped(b byte) bool {
	return v.flags&hasNewline != 0 && isNewline(b) ||
		v.flags&hasRelease != 0 && b == v.delims.Release
}

// Text returns the value with release characters and line ends removed. It
// returns Raw itself when there is nothing to remove, else the text appended
// to dst[:0], so that a scratch buffer can be used again and again.
func (v Value) Text(dst []byte) []byte {
	if v.Plain() {
		return v.raw
	}
	return v.Append(dst[:0])
}

// Append appends the text of the value to dst.
func (v Value) Append(dst []byte) []byte {
	if v.Plain() {
		return append(dst, v.raw...)
	}
	for i := 0; i < len(v.raw); i++ {
		b := v.raw[i]
		if v.flags&hasRelease != 0 && b == v.delims.Release {
			if i = released(v.raw, i); i >= len(v.raw) {
				break
			}
			dst = append(dst, v.raw[i])
			continue
		}
		if v.flags&hasNewline != 0 && isNewline(b) {
			continue
		}
		dst = append(dst, b)
	}
	return dst
}

// String returns the text of the value.
func (v Value) String() string {
	if v.Plain() {
		return string(v.raw)
	}
	return string(v.Append(nil))
}

// Is tells whether the text of the value is s, without allocating.
func (v Value) Is(s string) bool {
	if v.Plain() {
		return string(v.raw) == s
	}
	var scratch [64]byte
	return string(v.Append(scratch[:0])) == s
}

// released returns the index of the byte that the release character at i makes
// plain. Line ends between the two come from wrapped lines and do not count.
func released(b []byte, i int) int {
	for i++; i < len(b) && isNewline(b[i]); i++ {
	}
	return i
}

// countLines returns how many lines end in b: LF, CR LF, or CR alone.
func countLines(b []byte) int {
	n := bytes.Count(b, []byte{'\n'})
	for i, c := range b {
		if c == '\r' && (i+1 == len(b) || b[i+1] != '\n') {
			n++
		}
	}
	return n
}
