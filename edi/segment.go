package edi

import (
	"bytes"
	"slices"
)

// segment flags
const (
	hasRelease uint8 = 1 << iota // release characters occur
	hasNewline                   // line ends occur that are not the terminator
	declares                     // ISA or UNA: declares delimiters
)

// Segment is one segment as it stands in the input. Its slices point into the
// Reader's buffer and are valid until the next call of Next; the same holds for
// its elements and values.
type Segment struct {
	Tag  []byte   // segment tag, without EDIFACT nesting indicators and without line ends
	Raw  []byte   // tag up to and including the terminator
	Lead []byte   // bytes between the segment before and this one: line ends, white space, text
	Pos  Position // place of the first byte of Raw

	// Object is set on UNP only: the object the package carries, a part of Lead.
	Object []byte

	delims *Delimiters
	sep    []uint32 // every separator in Raw, of whatever kind, and the end of the content
	elem   []uint32 // which of sep end the tag and the elements
	seps   int      // how many of sep, and of elem, are this segment's
	elems  int
	flags  uint8
	binary int // element that is binary data, 0 for none
}

// Is tells whether the segment's tag is tag.
func (s *Segment) Is(tag string) bool { return string(s.Tag) == tag }

// Len returns the number of elements after the tag, empty ones included.
func (s *Segment) Len() int {
	return max(s.elems-1, 0)
}

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
	if s.seps == 0 {
		return s.Raw
	}
	return s.Raw[:s.sep[s.seps-1]]
}

// Clone returns a copy of s that stays valid when the Reader goes on.
func (s *Segment) Clone() *Segment {
	c := *s
	all := slices.Concat(s.Lead, s.Raw)
	c.Lead, c.Raw = all[:len(s.Lead):len(s.Lead)], all[len(s.Lead):]
	if c.Tag = c.Raw[:len(s.Tag):len(s.Tag)]; s.flags&hasNewline != 0 {
		c.Tag = bytes.Clone(s.Tag)
	}
	c.Object = bytes.Clone(s.Object)
	c.sep, c.elem = slices.Clone(s.sep[:s.seps]), slices.Clone(s.elem[:s.elems])
	d := s.Delimiters()
	c.delims = &d
	return &c
}

// separated takes the separators found; room that is left in the slices stays
// in use for the next segment.
func (s *Segment) separated(sep, elem []uint32) {
	s.sep, s.elem = sep[:cap(sep)], elem[:cap(elem)]
	s.seps, s.elems = len(sep), len(elem)
}

// Element returns element i, from 1. An element that is not there is the zero
// Element, which is empty.
func (s *Segment) Element(i int) Element {
	if i < 1 || i >= s.elems {
		return Element{}
	}
	return Element{seg: s, first: int(s.elem[i-1]) + 1, last: int(s.elem[i])}
}

// part returns where the bytes of the values that separators first to last end
// stand in Raw.
func (s *Segment) part(first, last int) (from, to int) {
	return int(s.sep[first-1]) + 1, int(s.sep[last])
}

// Element is one data element: simple, composite or repeated. The zero
// Element is empty.
type Element struct {
	seg         *Segment
	first, last int // which of seg.sep end its first and last component
}

// Raw returns the bytes as they stand, separators and release characters
// included.
func (e Element) Raw() []byte { return Value(e).Raw() }

// Empty tells whether the element is absent or has no bytes.
func (e Element) Empty() bool { return Value(e).Empty() }

// Offset returns the byte offset in the input of the element's first byte; 0
// for the zero Element.
func (e Element) Offset() int64 { return Value(e).Offset() }

// Value returns the whole element as one value: right for simple elements.
func (e Element) Value() Value { return Value(e) }

// String returns the whole element with release characters removed.
func (e Element) String() string { return Value(e).String() }

// Simple tells that the element is one value: no separator stands in it.
func (e Element) Simple() bool { return e.first == e.last }

// Repeats returns how often the element occurs: 0 when empty, else one more
// than there are repetition separators.
func (e Element) Repeats() int {
	if e.Empty() {
		return 0
	}
	n := 1
	if e.first == e.last || e.seg.delims.Repetition == 0 {
		return n
	}
	for _, at := range e.seg.sep[e.first:e.last] {
		if e.seg.Raw[at] == e.seg.delims.Repetition {
			n++
		}
	}
	return n
}

// Repeat returns repetition k, from 1, as an Element of its own; the zero
// Element when there is none.
func (e Element) Repeat(k int) Element {
	if e.seg == nil {
		return e
	}
	for first := e.first; ; k-- {
		last := first
		for last < e.last && e.seg.Raw[e.seg.sep[last]] != e.seg.delims.Repetition {
			last++
		}
		if k == 1 {
			return Element{seg: e.seg, first: first, last: last}
		}
		if last == e.last || k < 1 {
			return Element{}
		}
		first = last + 1
	}
}

// Components returns the number of components of the first repetition: 0 when
// the element is empty.
func (e Element) Components() int {
	if e.first != e.last && e.seg.delims.Repetition != 0 {
		e = e.Repeat(1)
	}
	if e.first != e.last {
		return e.last - e.first + 1
	}
	if e.Empty() {
		return 0
	}
	return 1
}

// Component returns component j, from 1, of the first repetition. A simple
// element has one component, itself. What is not there is the zero Value.
func (e Element) Component(j int) Value {
	if e.first != e.last && e.seg.delims.Repetition != 0 {
		e = e.Repeat(1)
	}
	return e.Part(j)
}

// Parts returns the number of values between the separators of whatever kind,
// 1 for an element without any. For one repetition, as Repeat gives it, these
// are its components.
func (e Element) Parts() int { return e.last - e.first + 1 }

// Part returns value j, from 1, of those that Parts counts. What is not there
// is the zero Value.
func (e Element) Part(j int) Value {
	if at := e.first + j - 1; j >= 1 && at <= e.last {
		return Value{seg: e.seg, first: at, last: at}
	}
	return Value{}
}

// Value is one simple value: a component, or an element without components.
// The zero Value is empty.
type Value struct {
	seg         *Segment
	first, last int // which of seg.sep end its first and last component
}

// Raw returns the bytes as they stand, release characters included.
func (v Value) Raw() []byte {
	if v.seg == nil {
		return nil
	}
	from, to := v.seg.part(v.first, v.last)
	return v.seg.Raw[from:to:to]
}

// Empty tells whether the value is absent or has no bytes.
func (v Value) Empty() bool {
	if v.seg == nil {
		return true
	}
	from, to := v.seg.part(v.first, v.last)
	return from == to
}

// Offset returns the byte offset in the input of the value's first byte; 0 for
// the zero Value.
func (v Value) Offset() int64 {
	if v.seg == nil {
		return 0
	}
	return v.seg.Pos.Offset + int64(v.seg.sep[v.first-1]) + 1
}

// Plain tells that the value's text is its raw bytes: nothing is released and
// no line end stands in it.
func (v Value) Plain() bool { return v.seg == nil || v.seg.flags == 0 || v.unchanged() }

// unchanged looks for bytes that Append leaves out.
func (v Value) unchanged() bool {
	release := v.release()
	for _, b := range v.Raw() {
		if b == release && release != 0 || v.seg.flags&hasNewline != 0 && isNewline(b) {
			return false
		}
	}
	return true
}

// release returns the release character, 0 when none occurs in the segment.
func (v Value) release() byte {
	if v.seg.flags&hasRelease == 0 {
		return 0
	}
	return v.seg.delims.Release
}

// Text appends the value, without release characters and line ends, to dst[:0]
// and returns it, so that one scratch buffer serves many values. Raw is the
// same without a copy when Plain is true.
func (v Value) Text(dst []byte) []byte { return v.Append(dst[:0]) }

// Append appends the text of the value to dst.
func (v Value) Append(dst []byte) []byte {
	if v.Plain() {
		return append(dst, v.Raw()...)
	}
	release, raw := v.release(), v.Raw()
	for i := 0; i < len(raw); i++ {
		b := raw[i]
		if b == release && release != 0 {
			if i = released(raw, i); i >= len(raw) {
				break
			}
			dst = append(dst, raw[i])
			continue
		}
		if v.seg.flags&hasNewline != 0 && isNewline(b) {
			continue
		}
		dst = append(dst, b)
	}
	return dst
}

// String returns the text of the value.
func (v Value) String() string {
	if v.Plain() {
		return string(v.Raw())
	}
	return string(v.Append(nil))
}

// Is tells whether the text of the value is s, without allocating.
func (v Value) Is(s string) bool {
	if v.Plain() {
		return string(v.Raw()) == s
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
