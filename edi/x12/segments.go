package x12

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tradepost/edi"
)

// ISA is the interchange header. Blank padding is not part of the values.
type ISA struct {
	AuthorizationQualifier string    // ISA01; "" is written as 00
	Authorization          string    // ISA02, 10 bytes
	SecurityQualifier      string    // ISA03; "" is written as 00
	Security               string    // ISA04, 10 bytes
	Sender                 edi.Party // ISA05 and ISA06, 2 and 15 bytes; qualifier "" is written as ZZ
	Receiver               edi.Party // ISA07 and ISA08
	Date                   string    // ISA09, YYMMDD
	Time                   string    // ISA10, HHMM
	Standards              string    // ISA11 before version 00402; "" is written as U
	Version                string    // ISA12, 5 bytes as in 00401
	Control                string    // ISA13, up to 9 digits; written with leading zeros
	AckRequested           bool      // ISA14
	Usage                  string    // ISA15: P production, T test, I information; "" is written as P
}

// SetTime sets date and time from t.
func (x *ISA) SetTime(t time.Time) { x.Date, x.Time = t.Format("060102"), t.Format("1504") }

// ReadISA returns what an ISA says. The error is a *edi.SyntaxError when s is
// no ISA or has fewer than 16 elements.
func ReadISA(s *edi.Segment) (ISA, error) {
	if err := expect(s, "ISA", 15); err != nil {
		return ISA{}, err
	}
	text := func(i int) string { return strings.Trim(s.Element(i).String(), " ") }
	return ISA{
		AuthorizationQualifier: text(1), Authorization: text(2),
		SecurityQualifier: text(3), Security: text(4),
		Sender:   edi.Party{Qualifier: text(5), ID: text(6)},
		Receiver: edi.Party{Qualifier: text(7), ID: text(8)},
		Date:     text(9), Time: text(10), Standards: text(11), Version: text(12),
		Control: text(13), AckRequested: text(14) == "1", Usage: text(15),
	}, nil
}

// Append appends the ISA in its 106 bytes, terminator included, to dst. The
// repetition separator of d goes to ISA11 from version 00402 on. A value that
// does not fit its field or holds a delimiter is a *edi.SyntaxError.
func (x ISA) Append(dst []byte, d edi.Delimiters) ([]byte, error) {
	d = InForce(d, x.Version)
	if err := d.Validate(); err != nil {
		return dst, err
	}
	if d.Component == 0 {
		return dst, &edi.SyntaxError{Segment: "ISA", Element: 16, Code: edi.CodeDelimiters, Msg: "no component separator is given", Hint: "X12 declares one in every ISA"}
	}
	control, err := pad("ISA", 13, x.Control, 9)
	if err != nil {
		return dst, err
	}
	standards := or(x.Standards, "U")
	if d.Repetition != 0 {
		standards = string([]byte{d.Repetition})
	} else if len(standards) == 1 && !isAlnum(standards[0]) {
		standards = "U" // a separator of another interchange
	}
	wanted := "0"
	if x.AckRequested {
		wanted = "1"
	}
	out := append(dst, "ISA"...)
	for i, f := range [15]struct {
		value string
		width int
		exact bool
	}{
		{or(x.AuthorizationQualifier, "00"), 2, true},
		{x.Authorization, 10, false},
		{or(x.SecurityQualifier, "00"), 2, true},
		{x.Security, 10, false},
		{or(x.Sender.Qualifier, "ZZ"), 2, true},
		{x.Sender.ID, 15, false},
		{or(x.Receiver.Qualifier, "ZZ"), 2, true},
		{x.Receiver.ID, 15, false},
		{x.Date, 6, true},
		{x.Time, 4, true},
		{standards, 1, true},
		{x.Version, 5, true},
		{control, 9, true},
		{wanted, 1, true},
		{or(x.Usage, "P"), 1, true},
	} {
		if len(f.value) > f.width || f.exact && len(f.value) != f.width {
			return dst, &edi.SyntaxError{
				Segment: "ISA", Element: i + 1, Code: edi.CodeValueWidth,
				Msg: fmt.Sprintf("the value %q has %d bytes, the field has %d", f.value, len(f.value), f.width), Hint: "correct the value",
			}
		}
		if i != 10 || d.Repetition == 0 {
			if err := clean("ISA", i+1, f.value, d); err != nil {
				return dst, err
			}
		}
		out = append(out, d.Element)
		out = append(out, f.value...)
		for n := len(f.value); n < f.width; n++ {
			out = append(out, ' ')
		}
	}
	out = append(out, d.Element, d.Component, d.Segment)
	return append(out, d.SegmentTail...), nil
}

// InForce returns d as an interchange of the version given (ISA12, as in
// "00401") uses it: without a repetition separator before 00402.
func InForce(d edi.Delimiters, version string) edi.Delimiters {
	d.Standard = edi.X12
	if version < "00402" {
		d.Repetition = 0
	}
	return d
}

// InterchangeVersion returns the ISA12 version that goes with a group version
// (GS08, as in "005010X222A1"): its first five digits, "00501".
func InterchangeVersion(group string) string {
	if len(group) < 5 {
		return ""
	}
	return group[:5]
}

// TA1 is the interchange acknowledgement.
type TA1 struct {
	Control string // TA101: ISA13 of the interchange acknowledged
	Date    string // TA102: its ISA09
	Time    string // TA103: its ISA10
	Code    string // TA104: A accepted, E accepted with errors, R rejected
	Note    string // TA105: 000 when nothing is wrong
}

// ReadTA1 returns what a TA1 says.
func ReadTA1(s *edi.Segment) (TA1, error) {
	if err := expect(s, "TA1", 1); err != nil {
		return TA1{}, err
	}
	text := func(i int) string { return s.Element(i).String() }
	return TA1{Control: text(1), Date: text(2), Time: text(3), Code: text(4), Note: text(5)}, nil
}

// Write writes the TA1; the control number gets its nine digits.
func (x TA1) Write(w *edi.Writer) error {
	control, err := pad("TA1", 1, x.Control, 9)
	if err != nil {
		return err
	}
	return w.Write("TA1", control, x.Date, x.Time, x.Code, x.Note)
}

// GS is the group header.
type GS struct {
	Type     string // GS01, as in PO
	Sender   string // GS02
	Receiver string // GS03
	Date     string // GS04, CCYYMMDD (YYMMDD up to version 003072)
	Time     string // GS05, HHMM with seconds and fractions if wanted
	Control  string // GS06, up to 9 digits
	Agency   string // GS07; "" is written as X
	Version  string // GS08, as in 004010
}

// SetTime sets date and time from t: four digits of the year from version
// 004010 on, two before.
func (x *GS) SetTime(t time.Time) {
	x.Date, x.Time = t.Format("20060102"), t.Format("1504")
	if x.Version != "" && x.Version < "004010" {
		x.Date = t.Format("060102")
	}
}

// ReadGS returns what a GS says.
func ReadGS(s *edi.Segment) (GS, error) {
	if err := expect(s, "GS", 1); err != nil {
		return GS{}, err
	}
	text := func(i int) string { return s.Element(i).String() }
	return GS{Type: text(1), Sender: text(2), Receiver: text(3), Date: text(4), Time: text(5), Control: text(6), Agency: text(7), Version: text(8)}, nil
}

// Write writes the GS.
func (x GS) Write(w *edi.Writer) error {
	if _, err := pad("GS", 6, x.Control, 9); err != nil {
		return err
	}
	return w.Write("GS", x.Type, x.Sender, x.Receiver, x.Date, x.Time, x.Control, or(x.Agency, "X"), x.Version)
}

// ST is the document header.
type ST struct {
	Type       string // ST01, as in 850
	Control    string // ST02, 4 to 9 letters and digits
	Convention string // ST03, implementation convention; mostly empty
}

// ReadST returns what an ST says.
func ReadST(s *edi.Segment) (ST, error) {
	if err := expect(s, "ST", 1); err != nil {
		return ST{}, err
	}
	return ST{Type: s.Element(1).String(), Control: s.Element(2).String(), Convention: s.Element(3).String()}, nil
}

// Write writes the ST.
func (x ST) Write(w *edi.Writer) error { return w.Write("ST", x.Type, x.Control, x.Convention) }

// Trailer is an SE, GE or IEA: a count and the control number of the header.
type Trailer struct {
	Count   int
	Control string
}

// ReadTrailer returns what an SE, GE or IEA says; a count that is no number is
// a *edi.SyntaxError.
func ReadTrailer(s *edi.Segment) (Trailer, error) {
	if !s.Is("SE") && !s.Is("GE") {
		if err := expect(s, "IEA", 1); err != nil {
			return Trailer{}, err
		}
	}
	t := Trailer{Control: s.Element(2).String()}
	v := s.Element(1).String()
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return t, &edi.SyntaxError{
			Position: s.Pos, Segment: string(s.Tag), Element: 1, Code: edi.CodeEnvelope, Err: err,
			Msg: fmt.Sprintf("the count %q is not a number", v), Hint: "give the count in digits",
		}
	}
	t.Count = n
	return t, nil
}

// WriteSE writes the SE.
func (x Trailer) WriteSE(w *edi.Writer) error { return w.Write("SE", strconv.Itoa(x.Count), x.Control) }

// WriteGE writes the GE.
func (x Trailer) WriteGE(w *edi.Writer) error { return w.Write("GE", strconv.Itoa(x.Count), x.Control) }

// WriteIEA writes the IEA; the control number gets its nine digits.
func (x Trailer) WriteIEA(w *edi.Writer) error {
	control, err := pad("IEA", 2, x.Control, 9)
	if err != nil {
		return err
	}
	return w.Write("IEA", strconv.Itoa(x.Count), control)
}

func or(v, other string) string {
	if v == "" {
		return other
	}
	return v
}

func isAlnum(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z'
}

// pad returns a control number with leading zeros up to width digits.
func pad(tag string, element int, control string, width int) (string, error) {
	digits := control != "" && len(control) <= width
	for i := 0; i < len(control); i++ {
		digits = digits && control[i] >= '0' && control[i] <= '9'
	}
	if !digits {
		return "", &edi.SyntaxError{
			Segment: tag, Element: element, Code: edi.CodeControlNumber,
			Msg: fmt.Sprintf("the control number %q is not 1 to %d digits", control, width), Hint: "give the number the sequence allocated",
		}
	}
	return strings.Repeat("0", width-len(control)) + control, nil
}

// clean refuses a value that holds a delimiter or a control character.
func clean(tag string, element int, v string, d edi.Delimiters) error {
	for i := 0; i < len(v); i++ {
		b := v[i]
		if b < ' ' || b == d.Element || b == d.Segment || b == d.Component || b == d.Repetition && b != 0 {
			return &edi.SyntaxError{
				Segment: tag, Element: element, Code: edi.CodeDelimiterValue,
				Msg: fmt.Sprintf("the value %q holds the delimiter or control character %q", v, b), Hint: "change the value, or choose other delimiters",
			}
		}
	}
	return nil
}

// expect tells whether s is a segment with the tag and elements given.
func expect(s *edi.Segment, tag string, elements int) error {
	if !s.Is(tag) {
		return &edi.SyntaxError{Position: s.Pos, Segment: string(s.Tag), Code: edi.CodeSegmentKind, Msg: "expected " + tag, Hint: "hand over the right segment"}
	}
	if s.Len() < elements {
		return &edi.SyntaxError{
			Position: s.Pos, Segment: tag, Code: edi.CodeEnvelope,
			Msg: fmt.Sprintf("%d elements, at least %d are needed", s.Len(), elements), Hint: "complete the segment",
		}
	}
	return nil
}
