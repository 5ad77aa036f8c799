package tree

import (
	"unicode/utf8"

	"tradepost/edi"
	"tradepost/edi/edifact"
)

// texter turns values into text: what is no UTF-8 is read in the character set
// that UNB names, and in X12, which names none, as ISO 8859-1.
type texter struct {
	charset edifact.Charset
	scratch []byte
	decoded []byte
}

// begin takes the character set of an interchange from its header.
func (t *texter) begin(header *edi.Segment) {
	t.charset = edifact.Charset{}
	if header.Is("UNB") || header.Is("UIB") {
		t.charset, _ = edifact.CharsetOf(header.Element(1).Component(1).String())
	}
	if t.charset.ID() == "" || t.charset.ID() == "UNOA" || t.charset.ID() == "UNOB" {
		t.charset, _ = edifact.CharsetOf("UNOC")
	}
}

// of gives a value as text and as the bytes it has without release characters
// and line ends. Both are valid until the next call.
func (t *texter) of(value edi.Value) (text, plain []byte) {
	plain = value.Raw()
	if !value.Plain() {
		t.scratch = value.Append(t.scratch[:0])
		plain = t.scratch
	}
	ascii := byte(0)
	for _, c := range plain {
		ascii |= c
	}
	if ascii < utf8.RuneSelf || utf8.Valid(plain) {
		return plain, plain
	}
	t.decoded = t.decoded[:0]
	for rest := plain; len(rest) > 0; {
		var err error
		before := len(t.decoded)
		if t.decoded, err = t.charset.Decode(t.decoded, rest); err == nil {
			break
		}
		// One byte that the set does not have: the rest goes on behind it.
		rest = rest[count(t.charset, t.decoded[before:])+1:]
		t.decoded = utf8.AppendRune(t.decoded, utf8.RuneError)
	}
	return t.decoded, plain
}

// count is how many bytes a text has in a character set of one byte each, or
// in UTF-8.
func count(c edifact.Charset, text []byte) int {
	if c.ID() == "UNOW" || c.ID() == "UNOY" {
		return len(text)
	}
	return utf8.RuneCount(text)
}
