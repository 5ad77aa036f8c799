package edi

// Rule names a waiver: something against the letter of the standard that the
// Reader read all the same. Names are stable.
type Rule string

// The rules a Reader waives.
const (
	RuleByteOrderMark       Rule = "byte-order-mark"       // UTF-8 byte order mark before the first segment
	RuleBlankLine           Rule = "blank-line"            // empty lines between segments
	RulePadding             Rule = "padding"               // spaces, tabs, NUL or Ctrl-Z between or behind segments
	RuleText                Rule = "text"                  // other bytes before, between or behind interchanges
	RuleEmptySegment        Rule = "empty-segment"         // a terminator with nothing before it
	RuleNewlineInSegment    Rule = "newline-in-segment"    // line ends inside a segment; values are read without them
	RuleCarriageReturn      Rule = "carriage-return"       // CR before the LF that is the declared terminator
	RuleUnterminated        Rule = "unterminated-segment"  // the last segment has no terminator
	RuleISAWidth            Rule = "isa-width"             // an ISA that is not 106 bytes with its elements in place
	RuleISAElements         Rule = "isa-elements"          // an ISA with more or fewer than 16 elements
	RuleISATerminator       Rule = "isa-terminator"        // ISA16 left out: the terminator stands in its place
	RuleMultiByteTerminator Rule = "multi-byte-terminator" // a segment terminator of several bytes
	RuleComponentSeparator  Rule = "component-separator"   // ISA16 cannot separate components; none is in force
	RuleRepetition          Rule = "repetition-separator"  // ISA11 equals another delimiter; none is in force
	RuleUNAWidth            Rule = "una-width"             // a UNA of 8 bytes, without the reserved one
	RuleUNARepetition       Rule = "una-repetition"        // UNA declares a repetition separator before syntax 4; not in force
	RuleMissingUNB          Rule = "missing-unb"           // EDIFACT that starts without UNB
	RuleNewlineTerminator   Rule = "newline-terminator"    // line ends in place of the EDIFACT terminator in force
	RuleBinaryLength        Rule = "binary-length"         // BIN or BDS whose count does not lead to a terminator; read up to the next one
	RuleObjectLength        Rule = "object-length"         // UNO whose length does not lead to UNP; read up to the next one
)

// Explain says in a sentence what the waiver is about, for reports.
func (r Rule) Explain() string {
	switch r {
	case RuleByteOrderMark:
		return "A UTF-8 byte order mark stands before the interchange."
	case RuleBlankLine:
		return "Empty lines stand between segments."
	case RulePadding:
		return "Spaces, tabs, NUL or Ctrl-Z bytes stand between or behind segments."
	case RuleText:
		return "Bytes that belong to no interchange were passed over."
	case RuleEmptySegment:
		return "A segment terminator follows another with no segment between."
	case RuleNewlineInSegment:
		return "A line end stands inside the segment; values are read without it."
	case RuleCarriageReturn:
		return "A carriage return stands before the line feed that ends segments."
	case RuleUnterminated:
		return "The last segment has no terminator."
	case RuleISAWidth:
		return "The ISA is not 106 bytes with its elements in fixed places; delimiters were taken by counting elements."
	case RuleISAElements:
		return "The ISA has not 16 elements; delimiters were taken from where the next segment begins."
	case RuleISATerminator:
		return "ISA16 is left out; the terminator stands in its place."
	case RuleMultiByteTerminator:
		return "The segment terminator takes more than one byte."
	case RuleComponentSeparator:
		return "ISA16 cannot separate components; composites are not split."
	case RuleRepetition:
		return "ISA11 is also another delimiter; repetitions are not split."
	case RuleUNAWidth:
		return "The UNA lacks its reserved character."
	case RuleUNARepetition:
		return "The UNA names a repetition separator, but the syntax version is below 4; it is read as data."
	case RuleMissingUNB:
		return "The interchange header UNB is missing; default service characters are assumed."
	case RuleNewlineTerminator:
		return "Segments end at line ends, not at the terminator in force."
	case RuleBinaryLength:
		return "The byte count of the binary element does not lead to a terminator; the segment was read up to the next one."
	case RuleObjectLength:
		return "The object length does not lead to UNP; the object was read up to the next UNP."
	}
	return string(r)
}

// Notice reports one waiver, at its place.
type Notice struct {
	Position
	Rule   Rule
	Length int64 // bytes concerned, from Offset on
}
