package mapping

import (
	"fmt"
	"strings"
)

// Location is where in the input a value stands.
type Location struct {
	Path      string `json:"path,omitempty"`      // as the map writes it, or lines[2].quantity in a form
	Segment   string `json:"segment,omitempty"`   // tag
	Ordinal   int    `json:"ordinal,omitempty"`   // of the segment in its document, ST or UNH is 1
	Element   int    `json:"element,omitempty"`   // from 1
	Component int    `json:"component,omitempty"` // from 1; 0 for the element as a whole
	Offset    int64  `json:"offset"`              // byte in the input, from 0
	Value     string `json:"value,omitempty"`     // cut to 80 bytes
}

// String says where in one phrase.
func (l Location) String() string {
	var b strings.Builder
	switch {
	case l.Segment != "" && l.Element > 0:
		fmt.Fprintf(&b, "%s%02d", l.Segment, l.Element)
		if l.Component > 0 {
			fmt.Fprintf(&b, "-%d", l.Component)
		}
	case l.Segment != "":
		b.WriteString(l.Segment)
	case l.Path != "":
		b.WriteString(l.Path)
	}
	if l.Ordinal > 0 {
		fmt.Fprintf(&b, " (segment %d, byte %d)", l.Ordinal, l.Offset)
	} else if l.Offset > 0 {
		fmt.Fprintf(&b, " (byte %d)", l.Offset)
	}
	return b.String()
}

// Fault is one thing that went wrong while a document was mapped.
type Fault struct {
	Text   string   `json:"text"`             // what is wrong
	File   string   `json:"file,omitempty"`   // of the map
	Line   int      `json:"line,omitempty"`   // in the map, 0 when no line is at fault
	Column int      `json:"column,omitempty"` // in the map
	Source Location `json:"source"`           // where in the input
	Target string   `json:"target,omitempty"` // where it was to go: lines[2].quantity, or PO1[3]/2
}

// String gives what, where from, where to and the line of the map.
func (f Fault) String() string {
	var b strings.Builder
	if where := f.Source.String(); where != "" {
		b.WriteString(where)
		b.WriteString(": ")
	}
	b.WriteString(f.Text)
	if f.Target != "" {
		b.WriteString("; it goes to ")
		b.WriteString(f.Target)
	}
	if f.Line > 0 {
		fmt.Fprintf(&b, " [%s:%d:%d]", f.File, f.Line, f.Column)
	}
	return b.String()
}
