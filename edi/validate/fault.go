package validate

// fault is a kind of finding. Its codes in both standards stand in one table,
// so that the walk itself knows no standard.
type fault uint8

const (
	faultUnknownSegment fault = iota + 1
	faultUnexpected
	faultMissingSegment
	faultLoopTooOften
	faultSegmentTooOften
	faultNotInSet
	faultSequence
	faultForbiddenSegment
	faultTooFew
	faultLoopTooFew
	faultMissingElement
	faultConditional
	faultTooManyElements
	faultTooShort
	faultTooLong
	faultCharacter
	faultKind // a letter in a number, a digit in letters
	faultCode
	faultDate
	faultTime
	faultExclusive
	faultTooManyRepeats
	faultTooManyComponents
	faultForbiddenElement
	faultLevel
	faultDecimalNotation // digits missing around the decimal mark
	faultDecimalDigit    // no digit before the decimal mark
	faultPattern         // not as a partner's guide has it
)

// faultCodes gives a fault's code in X12 and EDIFACT and, where a rule of a
// partner's guide is broken, in a 999.
func (f fault) codes() (x12, edifact, implementation string) {
	switch f {
	case faultUnknownSegment:
		return "AK304=1", "0085=15", ""
	case faultUnexpected:
		return "AK304=2", "0085=15", ""
	case faultMissingSegment:
		return "AK304=3", "0085=13", "I6"
	case faultLoopTooOften:
		return "AK304=4", "0085=36", ""
	case faultSegmentTooOften:
		return "AK304=5", "0085=35", ""
	case faultNotInSet:
		return "AK304=6", "0085=15", ""
	case faultSequence:
		return "AK304=7", "0085=15", ""
	case faultForbiddenSegment:
		return "AK304=2", "0085=15", "I4"
	case faultTooFew:
		return "AK304=3", "0085=13", "I8"
	case faultLoopTooFew:
		return "AK304=3", "0085=13", "I7"
	case faultMissingElement:
		return "AK403=1", "0085=13", "I9"
	case faultConditional:
		return "AK403=2", "0085=13", "I9"
	case faultTooManyElements:
		return "AK403=3", "0085=16", ""
	case faultTooShort:
		return "AK403=4", "0085=40", ""
	case faultTooLong:
		return "AK403=5", "0085=39", ""
	case faultCharacter:
		return "AK403=6", "0085=21", ""
	case faultKind:
		return "AK403=6", "0085=37", ""
	case faultCode:
		return "AK403=7", "0085=12", "I6"
	case faultDate:
		return "AK403=8", "0085=12", ""
	case faultTime:
		return "AK403=9", "0085=12", ""
	case faultExclusive:
		return "AK403=10", "0085=15", "I13"
	case faultTooManyRepeats:
		return "AK403=12", "0085=35", ""
	case faultTooManyComponents:
		return "AK403=13", "0085=16", ""
	case faultForbiddenElement:
		return "AK403=3", "0085=15", "I10"
	case faultLevel:
		return "AK403=7", "0085=12", "I6"
	case faultPattern:
		return "AK403=7", "0085=12", "I12"
	case faultDecimalNotation:
		return "AK403=6", "0085=19", ""
	case faultDecimalDigit:
		return "AK403=6", "0085=38", ""
	}
	return "", "", ""
}
