package edi

import "fmt"

// Standard is the syntax family an interchange is written in.
type Standard uint8

// The syntax families.
const (
	Unknown Standard = iota // not recognised
	X12                     // ANSI ASC X12
	EDIFACT                 // UN/EDIFACT, ISO 9735
)

// String returns "X12", "EDIFACT" or "unknown".
func (s Standard) String() string {
	switch s {
	case X12:
		return "X12"
	case EDIFACT:
		return "EDIFACT"
	}
	return "unknown"
}

// Delimiters are the service characters of one interchange. A zero byte means
// that the character is not in use.
type Delimiters struct {
	Standard   Standard
	Segment    byte // ends a segment; the lead byte when SegmentTail is set
	Element    byte // separates elements
	Component  byte // separates components of a composite
	Repetition byte // separates repetitions of an element
	Release    byte // makes the next byte plain data (EDIFACT)
	Decimal    byte // decimal mark: '.' or ',' (EDIFACT UNA; '.' in X12)

	// SegmentTail holds the further bytes of a segment terminator that takes
	// more than one byte (a UTF-8 character). It is empty in nearly all traffic.
	SegmentTail string
}

// DefaultX12 returns the delimiters most partners use: ~ * > ^.
// The repetition separator is in force from interchange version 00402 on.
func DefaultX12() Delimiters {
	return Delimiters{Standard: X12, Segment: '~', Element: '*', Component: '>', Repetition: '^', Decimal: '.'}
}

// DefaultEDIFACT returns the service characters in force without a UNA
// (ISO 9735 clause on the service string advice) for the syntax version given:
// : + . ? ' and, from version 4 on, * between repetitions.
func DefaultEDIFACT(syntaxVersion int) Delimiters {
	d := Delimiters{Standard: EDIFACT, Segment: '\'', Element: '+', Component: ':', Release: '?', Decimal: '.'}
	if syntaxVersion >= 4 {
		d.Repetition = '*'
	}
	return d
}

// Validate tells whether d can delimit anything: segment terminator and
// element separator are set, no two characters are the same and none is a
// letter, digit or space.
func (d Delimiters) Validate() error {
	if d.Segment == 0 || d.Element == 0 {
		return &SyntaxError{Code: CodeDelimiters, Msg: "segment terminator or element separator is not set", Hint: "give both"}
	}
	used := [5]struct {
		name string
		char byte
	}{{"segment terminator", d.Segment}, {"element separator", d.Element}, {"component separator", d.Component}, {"repetition separator", d.Repetition}, {"release character", d.Release}}
	for i, a := range used {
		if a.char == 0 {
			continue
		}
		if isAlnum(a.char) || a.char == ' ' {
			return &SyntaxError{Code: CodeDelimiters, Msg: fmt.Sprintf("%s %q is a letter, digit or space", a.name, a.char), Hint: "choose a character that does not occur in data"}
		}
		for _, b := range used[:i] {
			if b.char == a.char {
				return &SyntaxError{Code: CodeDelimiters, Msg: fmt.Sprintf("%q is both %s and %s", a.char, b.name, a.name), Hint: "choose different characters"}
			}
		}
	}
	return nil
}

func isAlnum(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z'
}

func isNewline(b byte) bool { return b == '\n' || b == '\r' }

// usable tells whether b can be a delimiter at all.
func usable(b byte) bool { return !isAlnum(b) && b != ' ' && b != 0 }
