package edi

import (
	"bytes"
	"errors"
	"io"
)

// Party is a sender or receiver as an envelope names it.
type Party struct {
	Qualifier string // ISA05 or ISA07; component 2 of S002 or S003; may be empty
	ID        string // without trailing blanks
	Internal  string // EDIFACT only: component 3, internal routing
}

// String returns "qualifier:id", or the id alone when there is no qualifier.
func (p Party) String() string {
	if p.Qualifier == "" {
		return p.ID
	}
	return p.Qualifier + ":" + p.ID
}

// Header is what the first interchange, group and document headers of an
// input say.
type Header struct {
	Standard   Standard
	Delimiters Delimiters
	Offset     int64  // byte offset of the ISA, UNA or UNB
	Version    string // ISA12 as in "00401"; syntax as in "UNOA:3"
	Control    string // ISA13; UNB 0020
	Sender     Party
	Receiver   Party
	Date       string // as written: YYMMDD or CCYYMMDD
	Time       string // as written: HHMM
	Test       bool   // ISA15 is T; UNB 0035 is 1 or more
	AckWanted  bool   // ISA14 is 1; UNB 0031 is 1
	Agreement  string // UNB 0032; empty in X12
	Reference  string // UNB 0026 application reference; empty in X12

	Group    GroupHeader    // the first group; zero when there is none
	Document DocumentHeader // the first document; zero when there is none

	Notices []Notice // waivers made on the way
}

// GroupHeader is what a GS or UNG says.
type GroupHeader struct {
	Type     string // GS01; UNG 0038
	Version  string // GS08; UNG S008 as in "D:96A"
	Control  string // GS06; UNG 0048
	Sender   string // GS02; UNG S006
	Receiver string // GS03; UNG S007
	Agency   string // GS07; UNG 0051
}

// DocumentHeader is what an ST or UNH says.
type DocumentHeader struct {
	Type        string // ST01; UNH S009 0065
	Version     string // ST03 when given, else empty; UNH as in "D:96A"
	Control     string // ST02; UNH 0062
	Agency      string // UNH 0051; empty in X12
	Association string // UNH 0057; empty in X12
}

// Peek reads the headers at the start of b without a dictionary and without
// reading further than the first document header. b may be the beginning of a
// longer input: segments it does not hold to their end stay out. The error is a
// *SyntaxError when b is not EDI; the Header then holds what is known.
func Peek(b []byte) (Header, error) { return peek(NewBytesReader(b, Options{})) }

// PeekReader is Peek on a stream. It takes from r what fills one buffer, 64 KiB
// as a rule, which is lost to other readers of r.
func PeekReader(r io.Reader) (Header, error) { return peek(NewReader(r, Options{})) }

// peekSegments is how many segments Peek looks through for a document header.
const peekSegments = 64

func peek(r *Reader) (Header, error) {
	var h Header
	for range peekSegments {
		s, err := r.Next()
		h.Notices = append(h.Notices, r.Notices()...)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			var se *SyntaxError
			if errors.As(err, &se) && se.Segment == "ISA" {
				h.Standard = X12
			}
			return h, err
		}
		h.Delimiters = r.Delimiters()
		if h.Standard == Unknown {
			h.Standard = h.Delimiters.Standard
			h.Offset = s.Pos.Offset
		}
		if len(s.Content()) == len(s.Raw) {
			h.Notices = h.Notices[:len(h.Notices)-len(r.Notices())]
			break // cut off: b ends here
		}
		if !h.read(s) {
			break
		}
	}
	return h, nil
}

// read takes what s says into h and tells whether to go on.
func (h *Header) read(s *Segment) bool {
	text := func(i, j int) string { return s.Element(i).Component(j).String() }
	switch string(s.Tag) {
	case "ISA":
		if h.Control != "" {
			return false
		}
		trim := func(i int) string { return string(bytes.TrimSpace([]byte(s.Element(i).String()))) }
		h.Sender = Party{Qualifier: trim(5), ID: trim(6)}
		h.Receiver = Party{Qualifier: trim(7), ID: trim(8)}
		h.Date, h.Time, h.Version, h.Control = trim(9), trim(10), trim(12), trim(13)
		h.AckWanted, h.Test = trim(14) == "1", trim(15) == "T"
	case "UNB":
		if h.Control != "" {
			return false
		}
		h.Version = text(1, 1)
		if v := text(1, 2); v != "" {
			h.Version += ":" + v
		}
		h.Sender = Party{ID: text(2, 1), Qualifier: text(2, 2), Internal: text(2, 3)}
		h.Receiver = Party{ID: text(3, 1), Qualifier: text(3, 2), Internal: text(3, 3)}
		h.Date, h.Time, h.Control = text(4, 1), text(4, 2), text(5, 1)
		h.Reference, h.AckWanted, h.Agreement = text(7, 1), text(9, 1) == "1", text(10, 1)
		test := text(11, 1)
		h.Test = test != "" && test != "0"
	case "UIB":
		h.Version = text(1, 1)
		if v := text(1, 2); v != "" {
			h.Version += ":" + v
		}
	case "GS", "UNG":
		if h.Group == (GroupHeader{}) {
			h.Group = ReadGroupHeader(s)
		}
	case "ST", "UNH", "UIH":
		h.Document = ReadDocumentHeader(s)
		return false
	case "IEA", "UNZ", "UIZ":
		return false
	}
	return true
}

// ReadGroupHeader returns what a GS or UNG says; the zero value for any other
// segment.
func ReadGroupHeader(s *Segment) GroupHeader {
	text := func(i int) string { return s.Element(i).Component(1).String() }
	switch {
	case s.Is("GS"):
		return GroupHeader{Type: text(1), Sender: text(2), Receiver: text(3), Control: text(6), Agency: text(7), Version: text(8)}
	case s.Is("UNG"):
		g := GroupHeader{Type: text(1), Sender: text(2), Receiver: text(3), Control: text(5), Agency: text(6)}
		g.Version = join(s.Element(7), 1)
		return g
	}
	return GroupHeader{}
}

// ReadDocumentHeader returns what an ST, UNH or UIH says; the zero value for
// any other segment.
func ReadDocumentHeader(s *Segment) DocumentHeader {
	switch {
	case s.Is("ST"):
		return DocumentHeader{Type: s.Element(1).String(), Control: s.Element(2).String(), Version: s.Element(3).String()}
	case s.Is("UNH"):
		id := s.Element(2)
		return DocumentHeader{
			Control: s.Element(1).String(), Type: id.Component(1).String(), Version: join(id, 2),
			Agency: id.Component(4).String(), Association: id.Component(5).String(),
		}
	case s.Is("UIH"):
		id := s.Element(1)
		return DocumentHeader{
			Control: s.Element(2).String(), Type: id.Component(1).String(), Version: join(id, 2),
			Association: id.Component(4).String(),
		}
	}
	return DocumentHeader{}
}

// join returns components j and j+1 of e as "D:96A".
func join(e Element, j int) string {
	a, b := e.Component(j).String(), e.Component(j+1).String()
	if b == "" {
		return a
	}
	return a + ":" + b
}
