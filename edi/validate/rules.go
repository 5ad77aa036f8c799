package validate

import (
	"slices"

	"tradepost/edi"
)

// Rules are the names of everything the tolerant profile waives: those of the
// reader (edi.Rule) and those of this package, sorted. An issue names its rule,
// and Options.Except takes such names.
func Rules() []string {
	rules := []string{
		"blank-value",                   // an element of blanks only
		"character-set",                 // a character outside the set UNB declares
		"convention",                    // UNH 0057 or ST03 names a subset the guide is not of
		"character-set-name",            // UNB 0001 is no set of the standard
		"decimal-digit",                 // EDIFACT: no digit before the decimal mark
		"decimal-notation",              // EDIFACT: no digit behind the decimal mark
		"empty-group",                   // GS and GE with nothing between
		"empty-interchange",             // a header and a trailer with nothing between
		"group-agency",                  // GS07 is neither X nor T
		"group-header",                  // UNG without a part that syntax 1 to 3 asks for
		"group-type",                    // a document in a group of another kind
		"hierarchy",                     // an HL below a level it does not belong under
		"isa11-repetition-separator",    // ISA11 cannot separate repetitions
		"isa11-standards-id",            // ISA11 is not U before 00402
		"leading-zeros",                 // header and trailer differ in leading zeros
		"message-version",               // UNH names no version, release or agency
		"non-ascii",                     // X12 with characters beyond ASCII
		"outside",                       // a segment before or behind an interchange
		"padded-value",                  // blanks around a value
		"plus-sign",                     // a plus sign before a number
		"separator-in-text",             // a component separator in an element that is no composite
		"short-control-number",          // ISA13 or ST02 with fewer digits than it must have
		"syntax-note",                   // a note that is widely broken
		"trailing-component-separators", // components without values at the end
		"trailing-separators",           // elements without values at the end
	}
	for _, r := range []edi.Rule{
		edi.RuleByteOrderMark, edi.RuleBlankLine, edi.RulePadding, edi.RuleText, edi.RuleEmptySegment, edi.RuleNewlineInSegment, edi.RuleCarriageReturn,
		edi.RuleUnterminated, edi.RuleISAWidth, edi.RuleISAElements, edi.RuleISATerminator, edi.RuleMultiByteTerminator, edi.RuleComponentSeparator,
		edi.RuleRepetition, edi.RuleUNAWidth, edi.RuleUNARepetition, edi.RuleMissingUNB, edi.RuleNewlineTerminator, edi.RuleBinaryLength, edi.RuleObjectLength,
	} {
		rules = append(rules, string(r))
	}
	slices.Sort(rules)
	return rules
}
