package edifact

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"tradepost/edi"
)

// Charset is a character set as UNB S001 element 0001 names it (ISO 9735-1 and
// code list 0001). The zero value is no set.
type Charset struct {
	id, name string
	kind     charsetKind
	upper    string // 96 characters for bytes A0 to FF
}

type charsetKind uint8

const (
	noCharset charsetKind = iota
	levelA                // ISO 646 without lower case and national characters
	levelB                // ISO 646 without national characters
	latin1                // ISO 8859-1
	table                 // another part of ISO 8859
	unicode8              // ISO 10646 as UTF-8
	extension             // ISO 2022: read as long as nothing is switched
)

// CharsetOf returns the character set with the identifier given, as in "UNOC".
// It knows UNOA to UNOL, UNOW, UNOX and UNOY; ok is false for others, such as
// those that trading partners agree on.
func CharsetOf(id string) (c Charset, ok bool) {
	set := func(kind charsetKind, name, upper string) (Charset, bool) {
		return Charset{id: id, name: name, kind: kind, upper: upper}, true
	}
	switch id {
	case "UNOA":
		return set(levelA, "ISO-646 level A", "")
	case "UNOB":
		return set(levelB, "ISO-646 level B", "")
	case "UNOC":
		return set(latin1, "ISO-8859-1", "")
	case "UNOD":
		return set(table, "ISO-8859-2", latin2)
	case "UNOE":
		return set(table, "ISO-8859-5", cyrillic)
	case "UNOF":
		return set(table, "ISO-8859-7", greek)
	case "UNOG":
		return set(table, "ISO-8859-3", latin3)
	case "UNOH":
		return set(table, "ISO-8859-4", latin4)
	case "UNOI":
		return set(table, "ISO-8859-6", arabic)
	case "UNOJ":
		return set(table, "ISO-8859-8", hebrew)
	case "UNOK":
		return set(table, "ISO-8859-9", latin5)
	case "UNOL":
		return set(table, "ISO-8859-15", latin9)
	case "UNOW", "UNOY":
		return set(unicode8, "UTF-8", "")
	case "UNOX":
		return set(extension, "ISO-2022", "")
	}
	return Charset{}, false
}

// ID returns the identifier, as in "UNOC".
func (c Charset) ID() string { return c.id }

// Name returns the common name, as in "ISO-8859-1".
func (c Charset) Name() string { return c.name }

// Escapes tells whether a byte begins an escape sequence, or shifts, to another
// character set: only UNOX has those (ISO 2022), and they are not read.
func (c Charset) Escapes(b byte) bool {
	return c.kind == extension && (b == 0x1B || b == 0x0E || b == 0x0F)
}

// Check returns the index of the first byte of b that the character set does
// not hold, -1 when all are in it. Control characters are in none.
func (c Charset) Check(b []byte) int {
	for i := 0; i < len(b); {
		r, n := c.decode(b[i:])
		if r == utf8.RuneError {
			return i
		}
		i += n
	}
	return -1
}

// decode returns the first character of b and its length, utf8.RuneError when
// it is not in the set.
func (c Charset) decode(b []byte) (rune, int) {
	v := b[0]
	if v < ' ' || v == 0x7F {
		return utf8.RuneError, 1
	}
	if v < 0x80 {
		switch {
		case c.kind == levelA && v >= 'a' && v <= 'z',
			(c.kind == levelA || c.kind == levelB) && strings.IndexByte("#$@[\\]^`{|}~", v) >= 0,
			c.kind == noCharset:
			return utf8.RuneError, 1
		}
		return rune(v), 1
	}
	switch c.kind {
	case unicode8:
		r, n := utf8.DecodeRune(b)
		if r >= 0x80 && r < 0xA0 {
			r = utf8.RuneError
		}
		return r, n
	case latin1:
		if v >= 0xA0 {
			return rune(v), 1
		}
	case table:
		if v >= 0xA0 {
			return nth(c.upper, int(v-0xA0)), 1
		}
	}
	return utf8.RuneError, 1
}

// nth returns character n of s.
func nth(s string, n int) rune {
	for _, r := range s {
		if n == 0 {
			return r
		}
		n--
	}
	return utf8.RuneError
}

// Decode appends b, which is in the character set, to dst as UTF-8. A byte
// outside the set is a *edi.SyntaxError whose Offset is its index in b; dst
// then holds what came before it.
func (c Charset) Decode(dst, b []byte) ([]byte, error) {
	for i := 0; i < len(b); {
		r, n := c.decode(b[i:])
		if r == utf8.RuneError && c.Escapes(b[i]) {
			return dst, &edi.SyntaxError{
				Position: edi.Position{Offset: int64(i)}, Code: edi.CodeCharset,
				Msg: fmt.Sprintf("byte %d begins an escape sequence of ISO 2022 under %s; switched character sets are not read", i, c), Hint: "have it sent under UNOW or UNOY, which are UTF-8",
			}
		}
		if r == utf8.RuneError {
			return dst, &edi.SyntaxError{
				Position: edi.Position{Offset: int64(i)}, Code: edi.CodeCharset,
				Msg: fmt.Sprintf("byte %d, %#02x, is not in character set %s", i, b[i], c), Hint: "correct the value, or declare the character set it is written in",
			}
		}
		dst = utf8.AppendRune(dst, r)
		i += n
	}
	return dst, nil
}

// Encode appends s, which is UTF-8, to dst in the character set. A letter with a
// combining mark behind it, as some systems write accents, becomes the one
// character of the set that both stand for; under UTF-8 it stays as it is. A
// character that the set does not hold is a *edi.SyntaxError whose Offset is
// its index in s.
func (c Charset) Encode(dst []byte, s string) ([]byte, error) {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if mark, k := utf8.DecodeRuneInString(s[i+n:]); mark >= 0x300 && c.kind != unicode8 {
			if whole, ok := compose(r, mark); ok {
				r, n = whole, n+k
			}
		}
		b, ok := c.encode(r)
		if !ok || r == utf8.RuneError {
			return dst, &edi.SyntaxError{
				Position: edi.Position{Offset: int64(i)}, Code: edi.CodeCharset,
				Msg: fmt.Sprintf("character %d, %q, is not in character set %s", i, r, c), Hint: "change the value, or declare a wider character set",
			}
		}
		if c.kind == unicode8 {
			dst = utf8.AppendRune(dst, r)
		} else {
			dst = append(dst, b)
		}
		i += n
	}
	return dst, nil
}

// encode returns the byte of r; for UTF-8 only whether r is in the set.
func (c Charset) encode(r rune) (byte, bool) {
	if r < 0x80 {
		b := byte(r & 0x7F)
		got, _ := c.decode([]byte{b})
		return b, got == r
	}
	switch c.kind {
	case unicode8:
		return 0, r >= 0xA0
	case latin1:
		return byte(r), r >= 0xA0 && r <= 0xFF //nolint:gosec // the range is checked beside it
	case table:
		n := 0
		for _, u := range c.upper {
			if u == r {
				return byte(0xA0 + n), true
			}
			n++
		}
	}
	return 0, false
}

// String returns identifier and name, as in "UNOC (ISO-8859-1)".
func (c Charset) String() string { return c.id + " (" + c.name + ")" }
