package tree

import (
	"encoding/base64"
	"fmt"

	"tradepost/edi"
)

const maxElements = 1000

// node is one segment that is read from JSON. Its texts stand in one buffer,
// which serves the next segment again.
type node struct {
	tag      []byte
	lead     []byte
	hasLead  bool
	count    int // elements, when the last ones are empty
	raw      []byte
	elements []element
	parts    []part // repetitions of the elements
	values   []span // components of the repetitions
	arena    []byte // texts of the values
}

// element is an element at its position; its repetitions are parts[first:last].
type element struct{ position, first, last int }

// part is one repetition; its components are values[first:last].
type part struct{ first, last int }

// span is a text in the arena.
type span struct{ from, to int }

func (n *node) reset() {
	n.tag, n.lead, n.raw, n.arena = n.tag[:0], n.lead[:0], n.raw[:0], n.arena[:0]
	n.hasLead, n.count = false, 0
	n.elements, n.parts, n.values = n.elements[:0], n.parts[:0], n.values[:0]
}

// readElements reads the list of elements.
func (n *node) readElements(s *scanner) error {
	n.elements, n.parts, n.values, n.arena = n.elements[:0], n.parts[:0], n.values[:0], n.arena[:0]
	if err := s.take('['); err != nil {
		return err
	}
	for first := true; ; first = false {
		ok, err := s.more(first, ']')
		if err != nil || !ok {
			return err
		}
		if len(n.elements) == maxElements {
			return fmt.Errorf("a segment has more than %d elements: %w", maxElements, ErrFormat)
		}
		e, err := n.readElement(s, 0)
		if err != nil {
			return err
		}
		n.elements = append(n.elements, e)
	}
}

// readElement reads one element or, inside repeats, one repetition.
func (n *node) readElement(s *scanner, depth int) (element, error) {
	if depth > 1 {
		return element{}, fmt.Errorf("repeats stand inside repeats: %w", ErrFormat)
	}
	e := element{first: len(n.parts)}
	if err := s.take('{'); err != nil {
		return e, err
	}
	var value, components part
	hasValue, repeats := false, part{}
	for first := true; ; first = false {
		ok, err := s.more(first, '}')
		if err != nil {
			return e, err
		}
		if !ok {
			break
		}
		key, err := s.key()
		if err != nil {
			return e, err
		}
		switch string(key) {
		case "position":
			e.position, err = s.number()
		case "value":
			at := len(n.values)
			err = n.readValue(s)
			value, hasValue = part{at, len(n.values)}, true
		case "components":
			at := len(n.values)
			err = s.list(func() error { return n.readValue(s) })
			components = part{at, len(n.values)}
		case "repeats":
			at := len(n.parts)
			err = s.list(func() error {
				_, err := n.readElement(s, depth+1)
				return err
			})
			repeats = part{at, len(n.parts)}
		default: // names and meanings
			err = s.skip(0)
		}
		if err != nil {
			return e, err
		}
	}
	switch {
	case repeats.last > repeats.first:
		e.first, e.last = repeats.first, repeats.last
		return e, nil
	case components.last > components.first:
		n.parts = append(n.parts, components)
	case hasValue:
		n.parts = append(n.parts, value)
	default:
		n.parts = append(n.parts, part{})
	}
	e.first, e.last = len(n.parts)-1, len(n.parts)
	return e, nil
}

func (n *node) readValue(s *scanner) error {
	at := len(n.arena)
	var err error
	n.arena, err = s.text(n.arena)
	n.values = append(n.values, span{at, len(n.arena)})
	if len(n.arena) > maxValue {
		return fmt.Errorf("a segment is longer than %d bytes: %w", maxValue, ErrFormat)
	}
	return err
}

// appendTo appends what is written for the segment: its raw form when there is
// one, else its elements between the delimiters.
func (n *node) appendTo(b []byte, d edi.Delimiters) ([]byte, error) {
	if len(n.raw) > 0 {
		return append(b, n.raw...), nil
	}
	if d.Segment == 0 || d.Element == 0 {
		return b, fmt.Errorf("segment %s: the delimiters of its interchange are not known", n.tag)
	}
	b = append(b, n.tag...)
	at := 0
	for _, e := range n.elements {
		if e.position <= at || e.position > maxElements {
			return b, fmt.Errorf("segment %s: element %d is out of order; positions count up from 1 to %d", n.tag, e.position, maxElements)
		}
		for ; at < e.position; at++ {
			b = append(b, d.Element)
		}
		for i, p := range n.parts[e.first:e.last] {
			if i > 0 {
				b = append(b, d.Repetition)
			}
			for j, v := range n.values[p.first:p.last] {
				if j > 0 {
					b = append(b, d.Component)
				}
				text := n.arena[v.from:v.to]
				if d.Release == 0 && holdsDelimiter(text, d) {
					return b, fmt.Errorf("segment %s element %d: the value %q holds a delimiter, and X12 cannot release it; change the value or the delimiters", n.tag, e.position, clip(text))
				}
				b = appendValue(b, text, d)
			}
		}
	}
	for ; at < n.count && at < maxElements; at++ {
		b = append(b, d.Element)
	}
	b = append(b, d.Segment)
	return append(b, d.SegmentTail...), nil
}

func clip(b []byte) []byte { return b[:min(len(b), 100)] }

// holdsDelimiter tells whether a value would end its element or segment, so
// that an edited tree does not become another document in silence.
func holdsDelimiter(value []byte, d edi.Delimiters) bool {
	for _, c := range value {
		if c == d.Segment || c == d.Element {
			return true
		}
	}
	return false
}

// appendValue writes a value; in EDIFACT what would separate is released.
func appendValue(b, value []byte, d edi.Delimiters) []byte {
	if d.Release == 0 {
		return append(b, value...)
	}
	for _, c := range value {
		if c == d.Release || c == d.Element || c == d.Component || c == d.Segment || d.Repetition != 0 && c == d.Repetition {
			b = append(b, d.Release)
		}
		b = append(b, c)
	}
	return b
}

// unbase64 reads a text in base64 into dst[:0].
func unbase64(dst, text []byte, name string) ([]byte, error) {
	out, err := base64.StdEncoding.AppendDecode(dst[:0], text)
	if err != nil {
		return dst[:0], fmt.Errorf("%s: %w: %w", name, err, ErrFormat)
	}
	return out, nil
}
