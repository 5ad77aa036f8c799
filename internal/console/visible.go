package console

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// visible replaces what a reader cannot see by something that can be seen:
// control characters by their pictures, marks that turn the direction of
// writing or have no width by their number, and bytes that are no UTF-8 by the
// replacement character. Our templates contain none of these, so whatever is
// found came from somebody else; doing it once, over the finished page, leaves
// no place where it can be forgotten.
func visible(page []byte) []byte {
	if !bytes.ContainsFunc(page, hidden) && utf8.Valid(page) {
		return page
	}
	out := make([]byte, 0, len(page)+len(page)/16)
	for len(page) > 0 {
		r, n := utf8.DecodeRune(page)
		switch {
		case !hidden(r):
			out = utf8.AppendRune(out, r)
		case r < 0x20:
			out = utf8.AppendRune(out, 0x2400+r)
		case r == 0x7f:
			out = utf8.AppendRune(out, 0x2421)
		default:
			out = fmt.Appendf(out, "[U+%04X]", r)
		}
		page = page[n:]
	}
	return out
}

// hidden tells the characters that must not reach a browser as they are.
func hidden(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < 0x20, 0x7f <= r && r < 0xa0:
		return true
	case r == 0x061c, r == 0x200b, r == 0x200e, r == 0x200f, r == 0x2028, r == 0x2029, r == 0x2060, r == 0xfeff:
		return true
	case 0x202a <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069:
		return true
	case 0xfff9 <= r && r <= 0xfffb, 0xe0000 <= r && r <= 0xe007f:
		return true
	}
	return false
}
