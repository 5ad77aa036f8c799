package ack

import "strings"

// Words says what a code means: AK304=3, AK403=7, AK502=5, AK905=4, TA105=001, 0085=12.
// It is empty for a code it does not know.
func Words(code string) string {
	element, value, _ := strings.Cut(code, "=")
	switch element {
	case "AK304":
		return segmentWords(value)
	case "AK403":
		return elementWords(value)
	case "AK502":
		return documentWords(value)
	case "AK905":
		return groupWords(value)
	case "TA105":
		return noteWords(value)
	case "0085":
		return syntaxWords(value)
	}
	return ""
}

func segmentWords(code string) string {
	switch code {
	case "1":
		return "segment identifier unknown"
	case "2":
		return "segment not expected here"
	case "3":
		return "mandatory segment missing"
	case "4":
		return "loop occurs too often"
	case "5":
		return "segment used too often"
	case "6":
		return "segment does not belong in this document type"
	case "7":
		return "segment out of sequence"
	case "8":
		return "segment has element errors"
	case "I4":
		return "segment is not used in the partner's guide"
	case "I6":
		return "segment missing that the partner's guide asks for here"
	case "I7":
		return "loop occurs less often than the partner's guide asks"
	case "I8":
		return "segment occurs less often than the partner's guide asks"
	case "I9":
		return "segment the partner's guide does not use here"
	}
	return ""
}

func elementWords(code string) string {
	switch code {
	case "1":
		return "mandatory element missing"
	case "2":
		return "element missing that others make necessary"
	case "3":
		return "too many elements"
	case "4":
		return "too short"
	case "5":
		return "too long"
	case "6":
		return "invalid character"
	case "7":
		return "invalid code"
	case "8":
		return "invalid date"
	case "9":
		return "invalid time"
	case "10":
		return "elements that exclude each other"
	case "11", "12":
		return "too many repetitions"
	case "13":
		return "too many components"
	case "I6":
		return "code is not used in the partner's guide"
	case "I9":
		return "element missing that the partner's guide asks for here"
	case "I10":
		return "element is not used in the partner's guide"
	case "I11":
		return "fewer repetitions than the partner's guide asks"
	case "I12":
		return "value does not fit the pattern of the partner's guide"
	case "I13":
		return "element the partner's guide does not use here"
	}
	return ""
}

func documentWords(code string) string {
	switch code {
	case "1":
		return "document type not supported"
	case "2":
		return "trailer missing"
	case "3":
		return "control numbers of header and trailer differ"
	case "4":
		return "number of segments differs from the count"
	case "5", "I5":
		return "segments in error"
	case "6":
		return "document type missing or invalid"
	case "7":
		return "control number missing or invalid"
	case "8", "9", "10", "11", "12", "13", "15", "16", "17", "24", "25", "26", "27":
		return "security (authentication or encryption) failed"
	case "18":
		return "document type does not belong in the group"
	case "19":
		return "implementation convention reference invalid"
	case "23":
		return "control number not unique in the group"
	case "I6":
		return "implementation convention not supported"
	}
	return ""
}

func groupWords(code string) string {
	switch code {
	case "1":
		return "kind of group not supported"
	case "2":
		return "version not supported"
	case "3":
		return "group trailer missing"
	case "4":
		return "control numbers of group header and trailer differ"
	case "5":
		return "number of documents differs from the count"
	case "6":
		return "group control number breaks the syntax"
	case "10", "11", "12", "13", "14", "15", "16", "17", "18", "23", "24", "25", "26":
		return "security (authentication or encryption) failed"
	case "19":
		return "group control number not unique in the interchange"
	}
	return ""
}

func noteWords(code string) string {
	words := [...]string{
		"no error", "control numbers of ISA and IEA differ", "control standard not supported", "version of the controls not supported",
		"segment terminator invalid", "sender qualifier invalid", "sender invalid", "receiver qualifier invalid", "receiver invalid", "receiver unknown",
		"authorization qualifier invalid", "authorization invalid", "security qualifier invalid", "security invalid", "interchange date invalid",
		"interchange time invalid", "standards identifier or repetition separator invalid", "interchange version invalid", "interchange control number invalid",
		"acknowledgement request invalid", "usage indicator invalid", "number of groups differs from the count", "control structure invalid",
		"input ends too early", "content of the interchange invalid", "interchange control number used before", "element separator invalid",
		"component separator invalid", "delivery date invalid", "delivery time invalid", "delivery time code invalid", "grade of service invalid",
	}
	n := 0
	if len(code) != 3 {
		return ""
	}
	for _, c := range []byte(code) {
		if c < '0' || c > '9' {
			return ""
		}
		n = n*10 + int(c-'0')
	}
	if n < len(words) {
		return words[n]
	}
	return ""
}

// syntaxWords are the values of element 0085 (ISO 9735-10).
func syntaxWords(code string) string {
	switch code {
	case "2":
		return "syntax version or level not supported"
	case "7":
		return "not meant for this recipient"
	case "12":
		return "invalid value"
	case "13":
		return "missing"
	case "14", "15":
		return "not supported in this position"
	case "16":
		return "too many constituents"
	case "17":
		return "no agreement"
	case "18":
		return "unspecified error"
	case "19":
		return "invalid decimal mark"
	case "20", "22":
		return "invalid service character"
	case "21":
		return "invalid character"
	case "23":
		return "sender unknown"
	case "24":
		return "too old"
	case "25":
		return "test indicator not supported"
	case "26":
		return "duplicate"
	case "27":
		return "security not supported"
	case "28":
		return "references of header and trailer differ"
	case "29":
		return "number of parts differs from the count"
	case "30":
		return "groups and messages mixed"
	case "31":
		return "more than one message type in the group"
	case "32":
		return "nothing inside"
	case "33":
		return "stands outside of message or group"
	case "34":
		return "nesting not allowed"
	case "35":
		return "too many repetitions"
	case "36":
		return "too many repetitions of the segment group"
	case "37":
		return "wrong kind of characters"
	case "38":
		return "digit missing before the decimal mark"
	case "39":
		return "too long"
	case "40":
		return "too short"
	case "41", "42":
		return "error of the network"
	case "43":
		return "recipient unknown"
	case "45":
		return "separators at the end"
	case "46":
		return "character set not supported"
	case "47":
		return "function of the envelope not supported"
	case "48":
		return "dependency note broken"
	}
	return ""
}
