package edi

import (
	"strconv"
	"strings"
)

// Position is a place in the input.
type Position struct {
	Offset  int64 // byte offset from the start of the input, from 0
	Line    int   // line, from 1; a line ends at LF, CR LF or CR
	Ordinal int   // ordinal of the segment in the input, from 1; 0 outside segments
}

// Code names the kind of a SyntaxError. Codes are stable and may be compared.
// When Options.Strict turns a notice into an error, its Code is the name of
// the rule.
type Code string

// The codes of SyntaxError.
const (
	CodeNotEDI             Code = "not-edi"             // neither X12 nor EDIFACT
	CodeEmpty              Code = "empty"               // no bytes, or none but white space
	CodeMissingISA         Code = "missing-isa"         // X12 segments without the ISA that declares delimiters
	CodeISA                Code = "isa"                 // an ISA whose delimiters cannot be placed
	CodeISACut             Code = "isa-cut-off"         // an input that ends inside its ISA
	CodeElementSeparator   Code = "element-separator"   // an ISA whose element separator cannot work
	CodeTerminator         Code = "segment-terminator"  // an ISA whose segment terminator cannot work
	CodeComponentSeparator Code = "component-separator" // an ISA whose component separator is its terminator, too
	CodeUNA                Code = "una"                 // a UNA that declares no usable service characters
	CodeDelimiters         Code = "delimiters"          // delimiters that cannot work
	CodeSegmentLong        Code = "segment-too-long"    // Limits.Segment
	CodeBinaryLong         Code = "binary-too-long"     // Limits.Binary
	CodeElements           Code = "too-many-elements"   // Limits.Elements
	CodeComponents         Code = "too-many-components" // Limits.Components
	CodeRepeats            Code = "too-many-repeats"    // Limits.Repeats
	CodeGapLong            Code = "gap-too-long"        // Limits.Gap
	CodeParts              Code = "too-many-parts"      // Limits.Parts
	CodeObject             Code = "object"              // UNO object without its UNP
	CodeDelimiterValue     Code = "delimiter-in-value"  // a value that cannot be written with these delimiters
	CodeSegmentTag         Code = "segment-tag"         // a tag that cannot be written
	CodeEnvelope           Code = "envelope"            // an envelope segment that does not fit its standard
	CodeCharset            Code = "character-set"       // bytes outside the declared character set
	CodeValueWidth         Code = "value-does-not-fit"  // a value wider than its fixed field
	CodeSegmentKind        Code = "unexpected-segment"  // another segment than the one asked for
	CodeControlNumber      Code = "control-number"      // a control number outside its form
)

// SyntaxError says what is wrong with the bytes of an interchange, where, and
// what to do next. It is returned by readers and writers of this package and
// its subpackages and found with errors.As.
type SyntaxError struct {
	Position
	Segment   string // tag of the segment, when known
	Element   int    // element, from 1; 0 for the segment as a whole
	Component int    // component, from 1; 0 for the element as a whole
	Code      Code
	Msg       string // what is wrong
	Hint      string // what to do next

	// Recoverable tells that the Reader goes on behind the bad segment at the
	// next call of Next. Other errors are final.
	Recoverable bool
	// Err is the cause, if there is one.
	Err error
}

// Error returns one line: what, where, what next.
func (e *SyntaxError) Error() string {
	var b strings.Builder
	b.WriteString("edi: ")
	if e.Segment != "" {
		b.WriteString(e.Segment)
		if e.Element > 0 {
			b.WriteString(" element ")
			b.WriteString(strconv.Itoa(e.Element))
		}
		if e.Component > 0 {
			b.WriteString(" component ")
			b.WriteString(strconv.Itoa(e.Component))
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Msg)
	if e.Line > 0 {
		b.WriteString(" at byte ")
		b.WriteString(strconv.FormatInt(e.Offset, 10))
		b.WriteString(", line ")
		b.WriteString(strconv.Itoa(e.Line))
		if e.Ordinal > 0 {
			b.WriteString(", segment ")
			b.WriteString(strconv.Itoa(e.Ordinal))
		}
	}
	if e.Hint != "" {
		b.WriteString("; ")
		b.WriteString(e.Hint)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *SyntaxError) Unwrap() error { return e.Err }
