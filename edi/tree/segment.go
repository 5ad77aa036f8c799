package tree

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"tradepost/edi"
	"tradepost/edi/schema"
)

// segmentNode is one segment of the JSON form.
type segmentNode struct {
	Segment    string        `json:"segment"`
	Name       string        `json:"name,omitempty"`
	Lead       *string       `json:"lead,omitempty"`
	LeadBase64 string        `json:"lead_base64,omitempty"`
	Count      int           `json:"count,omitempty"` // elements, when the last ones are empty
	Elements   []elementNode `json:"elements,omitempty"`
	Raw        string        `json:"raw,omitempty"` // terminator included
	RawBase64  string        `json:"raw_base64,omitempty"`
}

// elementNode is one element or, in Repeats, one repetition.
type elementNode struct {
	Position   int           `json:"position,omitempty"`
	Name       string        `json:"name,omitempty"`
	Value      *string       `json:"value,omitempty"`
	Meaning    string        `json:"meaning,omitempty"` // what the code stands for
	Components []string      `json:"components,omitempty"`
	Repeats    []elementNode `json:"repeats,omitempty"`
}

// makeSegment describes a segment as it was read. usual is what stood before
// the segment before it; scratch is used and returned, so that it can be used
// again.
func makeSegment(seg *edi.Segment, layout *schema.Segment, d edi.Delimiters, usual string, scratch []byte) (segmentNode, []byte) {
	node := segmentNode{Segment: string(seg.Tag)}
	if layout != nil {
		node.Name = layout.Name
	}
	if lead := string(seg.Lead); lead != usual {
		if utf8.ValidString(lead) {
			node.Lead = &lead
		} else {
			node.LeadBase64 = base64.StdEncoding.EncodeToString(seg.Lead)
		}
	}
	last := 0
	for i := 1; i <= seg.Len(); i++ {
		e := seg.Element(i)
		if e.Empty() {
			continue
		}
		last = i
		var use *schema.Use
		if layout != nil && i <= len(layout.Uses) {
			use = &layout.Uses[i-1]
		}
		en := makeElement(e, use)
		en.Position = i
		node.Elements = append(node.Elements, en)
	}
	if last < seg.Len() {
		node.Count = seg.Len()
	}
	if !utf8.Valid(seg.Raw) {
		node.RawBase64 = base64.StdEncoding.EncodeToString(seg.Raw)
	} else if built, err := node.build(scratch[:0], d); err != nil || !ascii(d) || node.check(d) != nil || !bytes.Equal(built, seg.Raw) {
		node.Raw = string(seg.Raw)
	} else {
		scratch = built
	}
	return node, scratch
}

// ascii tells that the delimiters cannot split a UTF-8 sequence, so that every
// value is valid where the segment is.
func ascii(d edi.Delimiters) bool {
	return (d.Segment | d.Element | d.Component | d.Repetition | d.Release) < utf8.RuneSelf
}

func makeElement(e edi.Element, use *schema.Use) elementNode {
	var node elementNode
	if use != nil {
		node.Name = use.Name
	}
	if n := e.Repeats(); n > 1 {
		for k := 1; k <= n; k++ {
			part := makeElement(e.Repeat(k), use)
			part.Name = ""
			node.Repeats = append(node.Repeats, part)
		}
		return node
	}
	if n := e.Components(); n > 1 {
		for j := 1; j <= n; j++ {
			node.Components = append(node.Components, e.Component(j).String())
		}
		return node
	}
	value := e.String()
	node.Value = &value
	if use != nil {
		if code, ok := use.Codes.Find([]byte(value)); ok {
			node.Meaning = code.Name
		}
	}
	return node
}

// build appends the segment, made from its elements, to b.
func (s *segmentNode) build(b []byte, d edi.Delimiters) ([]byte, error) {
	if d.Segment == 0 || d.Element == 0 {
		return nil, fmt.Errorf("segment %s: the delimiters of its interchange are not known", s.Segment)
	}
	b = append(b, s.Segment...)
	at := 0
	for i := range s.Elements {
		e := &s.Elements[i]
		if e.Position <= at || e.Position > maxElements {
			return nil, fmt.Errorf("segment %s: element %d is out of order; positions count up from 1 to %d", s.Segment, e.Position, maxElements)
		}
		for ; at < e.Position; at++ {
			b = append(b, d.Element)
		}
		b = e.build(b, d)
	}
	for ; at < s.Count && at < maxElements; at++ {
		b = append(b, d.Element)
	}
	b = append(b, d.Segment)
	return append(b, d.SegmentTail...), nil
}

const maxElements = 1000

func (e *elementNode) build(b []byte, d edi.Delimiters) []byte {
	if len(e.Repeats) > 0 {
		for i := range e.Repeats {
			if i > 0 {
				b = append(b, d.Repetition)
			}
			b = e.Repeats[i].build(b, d)
		}
		return b
	}
	if len(e.Components) > 0 {
		for i, c := range e.Components {
			if i > 0 {
				b = append(b, d.Component)
			}
			b = appendValue(b, c, d)
		}
		return b
	}
	if e.Value != nil {
		b = appendValue(b, *e.Value, d)
	}
	return b
}

// appendValue writes a value; in EDIFACT what would separate is released.
func appendValue(b []byte, value string, d edi.Delimiters) []byte {
	if d.Release == 0 {
		return append(b, value...)
	}
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c == d.Release || c == d.Element || c == d.Component || c == d.Segment || d.Repetition != 0 && c == d.Repetition {
			b = append(b, d.Release)
		}
		b = append(b, c)
	}
	return b
}

// check refuses a value the delimiters cannot carry, so that an edited tree
// does not become another document in silence.
func (s *segmentNode) check(d edi.Delimiters) error {
	if d.Release != 0 {
		return nil
	}
	forbidden := string([]byte{d.Segment, d.Element})
	var bad func(e *elementNode) string
	bad = func(e *elementNode) string {
		values := e.Components
		if e.Value != nil {
			values = append(values, *e.Value)
		}
		for _, v := range values {
			if strings.ContainsAny(v, forbidden) {
				return v
			}
		}
		for i := range e.Repeats {
			if v := bad(&e.Repeats[i]); v != "" {
				return v
			}
		}
		return ""
	}
	for i := range s.Elements {
		if v := bad(&s.Elements[i]); v != "" {
			return fmt.Errorf("segment %s element %d: the value %q holds a delimiter, and X12 cannot release it; change the value or the delimiters", s.Segment, s.Elements[i].Position, v)
		}
	}
	return nil
}

// bytes gives what is written for the segment.
func (s *segmentNode) bytes(d edi.Delimiters) ([]byte, error) {
	switch {
	case s.RawBase64 != "":
		raw, err := base64.StdEncoding.DecodeString(s.RawBase64)
		if err != nil {
			return nil, fmt.Errorf("segment %s: raw_base64: %w", s.Segment, err)
		}
		return raw, nil
	case s.Raw != "":
		return []byte(s.Raw), nil
	}
	if err := s.check(d); err != nil {
		return nil, err
	}
	return s.build(nil, d)
}

// lead gives what is written before the segment: the same as before the last
// one, unless it says otherwise.
func (s *segmentNode) lead(last string) (string, error) {
	switch {
	case s.LeadBase64 != "":
		b, err := base64.StdEncoding.DecodeString(s.LeadBase64)
		if err != nil {
			return "", fmt.Errorf("segment %s: lead_base64: %w", s.Segment, err)
		}
		return string(b), nil
	case s.Lead != nil:
		return *s.Lead, nil
	}
	return last, nil
}
