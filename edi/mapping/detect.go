package mapping

import (
	"bytes"

	"tradepost/edi"
	"tradepost/edi/schema"
)

// WayOf tells which way a map runs to read an input that begins with head, the
// first few hundred bytes: EDI goes to the side that is EDI, anything else to
// the form. Between two sides of EDI standard and document type decide. ok is
// false when neither side reads it.
func (m *Map) WayOf(head []byte) (w Way, ok bool) {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	standard := ""
	switch {
	case bytes.HasPrefix(head, []byte("ISA")), bytes.HasPrefix(head, []byte("ST")):
		standard = schema.X12
	case bytes.HasPrefix(head, []byte("UNA")), bytes.HasPrefix(head, []byte("UNB")), bytes.HasPrefix(head, []byte("UNH")):
		standard = schema.EDIFACT
	}
	reads := func(s *sideModel) bool { return s.reads(standard, head) }
	switch {
	case reads(&m.from):
		return Forward, true
	case reads(&m.to):
		return Backward, true
	}
	return Forward, false
}

// reads tells whether a side takes an input.
func (s *sideModel) reads(standard string, head []byte) bool {
	if standard == "" || s.form != nil {
		return standard == "" && s.form != nil
	}
	document := ""
	if h, err := edi.Peek(head); err == nil {
		document = h.Document.Type
	}
	for _, g := range s.guides {
		if g.Standard == standard && (document == "" || g.Type == document) {
			return true
		}
	}
	return false
}
