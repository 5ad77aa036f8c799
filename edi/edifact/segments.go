package edifact

import (
	"fmt"
	"strconv"
	"time"

	"tradepost/edi"
)

// UNB is the interchange header.
type UNB struct {
	Syntax       string    // S001 0001 character set, as in UNOC
	Version      string    // S001 0002 syntax version, 1 to 4
	Sender       edi.Party // S002: 0004, 0007, 0008
	Receiver     edi.Party // S003: 0010, 0007, 0014
	Date         string    // S004 0017: YYMMDD, CCYYMMDD in syntax 4
	Time         string    // S004 0019: HHMM
	Control      string    // 0020, up to 14 characters
	Password     []string  // S005: 0022, 0025
	Reference    string    // 0026 application reference
	Priority     string    // 0029
	AckRequested bool      // 0031 is 1
	Agreement    string    // 0032
	Test         string    // 0035: 1 for a test; empty for live traffic
}

// SetTime sets date and time from t: four digits of the year in syntax 4, two
// before. Set Version first.
func (x *UNB) SetTime(t time.Time) {
	x.Date, x.Time = t.Format("060102"), t.Format("1504")
	if x.Version >= "4" {
		x.Date = t.Format("20060102")
	}
}

// ReadUNB returns what a UNB says. The error is a *edi.SyntaxError when s is no
// UNB or lacks sender, receiver, date or control reference.
func ReadUNB(s *edi.Segment) (UNB, error) {
	if err := expect(s, "UNB", 5); err != nil {
		return UNB{}, err
	}
	x := UNB{
		Syntax: text(s, 1, 1), Version: text(s, 1, 2),
		Sender: party(s, 2), Receiver: party(s, 3),
		Date: text(s, 4, 1), Time: text(s, 4, 2), Control: text(s, 5, 1),
		Reference: text(s, 7, 1), Priority: text(s, 8, 1),
		AckRequested: text(s, 9, 1) == "1", Agreement: text(s, 10, 1), Test: text(s, 11, 1),
	}
	for j := 1; j <= s.Element(6).Components(); j++ {
		x.Password = append(x.Password, text(s, 6, j))
	}
	return x, nil
}

// Write writes the UNB.
func (x UNB) Write(w *edi.Writer) error {
	ack := ""
	if x.AckRequested {
		ack = "1"
	}
	return w.WriteFields("UNB",
		edi.Composite(or(x.Syntax, "UNOA"), or(x.Version, "3")),
		composite(x.Sender), composite(x.Receiver),
		edi.Composite(x.Date, x.Time), edi.Simple(x.Control), edi.Composite(x.Password...),
		edi.Simple(x.Reference), edi.Simple(x.Priority), edi.Simple(ack), edi.Simple(x.Agreement), edi.Simple(x.Test))
}

// UNG is the group header.
type UNG struct {
	Type        string    // 0038, the message type of the group
	Sender      edi.Party // S006: 0040, 0007
	Receiver    edi.Party // S007: 0044, 0007
	Date        string    // S004 0017
	Time        string    // S004 0019
	Control     string    // 0048
	Agency      string    // 0051, as in UN
	Version     string    // S008 0052, as in D
	Release     string    // S008 0054, as in 96A
	Association string    // S008 0057
	Password    string    // 0058
}

// ReadUNG returns what a UNG says.
func ReadUNG(s *edi.Segment) (UNG, error) {
	if err := expect(s, "UNG", 1); err != nil {
		return UNG{}, err
	}
	return UNG{
		Type: text(s, 1, 1), Sender: party(s, 2), Receiver: party(s, 3),
		Date: text(s, 4, 1), Time: text(s, 4, 2), Control: text(s, 5, 1), Agency: text(s, 6, 1),
		Version: text(s, 7, 1), Release: text(s, 7, 2), Association: text(s, 7, 3), Password: text(s, 8, 1),
	}, nil
}

// Write writes the UNG.
func (x UNG) Write(w *edi.Writer) error {
	return w.WriteFields("UNG",
		edi.Simple(x.Type), composite(x.Sender), composite(x.Receiver), edi.Composite(x.Date, x.Time),
		edi.Simple(x.Control), edi.Simple(x.Agency), edi.Composite(x.Version, x.Release, x.Association), edi.Simple(x.Password))
}

// UNH is the document header.
type UNH struct {
	Control     string // 0062
	Type        string // S009 0065, as in ORDERS
	Version     string // S009 0052, as in D
	Release     string // S009 0054, as in 96A
	Agency      string // S009 0051, as in UN
	Association string // S009 0057, as in EAN008; may be empty
	Access      string // 0068 common access reference
}

// ReadUNH returns what a UNH says.
func ReadUNH(s *edi.Segment) (UNH, error) {
	if err := expect(s, "UNH", 1); err != nil {
		return UNH{}, err
	}
	return UNH{
		Control: text(s, 1, 1), Type: text(s, 2, 1), Version: text(s, 2, 2), Release: text(s, 2, 3),
		Agency: text(s, 2, 4), Association: text(s, 2, 5), Access: text(s, 3, 1),
	}, nil
}

// Write writes the UNH.
func (x UNH) Write(w *edi.Writer) error {
	return w.WriteFields("UNH", edi.Simple(x.Control),
		edi.Composite(x.Type, x.Version, x.Release, x.Agency, x.Association), edi.Simple(x.Access))
}

// Trailer is a UNT, UNE or UNZ: a count and the control reference of the
// header.
type Trailer struct {
	Count   int
	Control string
}

// ReadTrailer returns what a UNT, UNE or UNZ says; a count that is no number
// is a *edi.SyntaxError.
func ReadTrailer(s *edi.Segment) (Trailer, error) {
	if !s.Is("UNT") && !s.Is("UNE") {
		if err := expect(s, "UNZ", 1); err != nil {
			return Trailer{}, err
		}
	}
	t := Trailer{Control: text(s, 2, 1)}
	v := text(s, 1, 1)
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

// WriteUNT writes the UNT.
func (x Trailer) WriteUNT(w *edi.Writer) error {
	return w.Write("UNT", strconv.Itoa(x.Count), x.Control)
}

// WriteUNE writes the UNE.
func (x Trailer) WriteUNE(w *edi.Writer) error {
	return w.Write("UNE", strconv.Itoa(x.Count), x.Control)
}

// WriteUNZ writes the UNZ.
func (x Trailer) WriteUNZ(w *edi.Writer) error {
	return w.Write("UNZ", strconv.Itoa(x.Count), x.Control)
}

// AppendUNA appends the nine bytes of the service string advice that declares
// d. A delimiter that is not in use is written as a blank.
func AppendUNA(dst []byte, d edi.Delimiters) ([]byte, error) {
	d.Standard = edi.EDIFACT
	if err := d.Validate(); err != nil {
		return dst, err
	}
	blank := func(b byte) byte {
		if b == 0 {
			return ' '
		}
		return b
	}
	decimal := d.Decimal
	if decimal == 0 {
		decimal = '.'
	}
	return append(dst, 'U', 'N', 'A', blank(d.Component), d.Element, decimal, blank(d.Release), blank(d.Repetition), d.Segment), nil
}

// text returns component j of element i.
func text(s *edi.Segment, i, j int) string { return s.Element(i).Component(j).String() }

// party returns the party that element i names.
func party(s *edi.Segment, i int) edi.Party {
	return edi.Party{ID: text(s, i, 1), Qualifier: text(s, i, 2), Internal: text(s, i, 3)}
}

func composite(p edi.Party) edi.Field { return edi.Composite(p.ID, p.Qualifier, p.Internal) }

func or(v, other string) string {
	if v == "" {
		return other
	}
	return v
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
