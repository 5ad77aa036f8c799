package validate

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// classes of bytes, for one pass over a value
const (
	classControl uint8 = 1 << iota
	classHigh          // above 0x7e
	classDigit
	classUpper
	classLower
	classSpace
	classOther
)

//nolint:gochecknoglobals // a constant table: Go has no constant arrays
var byteClass = makeClasses()

func makeClasses() [256]uint8 {
	var t [256]uint8
	for i := range t {
		switch b := byte(i); { //nolint:gosec // below 256
		case b < 0x20 || b == 0x7f:
			t[i] = classControl
		case b > 0x7f:
			t[i] = classHigh
		case b >= '0' && b <= '9':
			t[i] = classDigit
		case b >= 'A' && b <= 'Z':
			t[i] = classUpper
		case b >= 'a' && b <= 'z':
			t[i] = classLower
		case b == ' ':
			t[i] = classSpace
		default:
			t[i] = classOther
		}
	}
	return t
}

// classes gives the union of the classes of a value's bytes.
func classes(b []byte) uint8 {
	var c uint8
	for _, x := range b {
		c |= byteClass[x]
	}
	return c
}

// eight times a byte, for looking at eight bytes at once
const eight = 0x0101010101010101

// isASCII tells whether all bytes are printable ASCII, as nearly all are.
func isASCII(b []byte) bool {
	var odd uint64 // the highest bit of a byte that is not
	for ; len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		odd |= w | (w - ' '*eight) | (w + eight) // 7F carries into the highest bit, what is below a blank borrows it
	}
	return odd&(0x80*eight) == 0 && classes(b)&(classControl|classHigh) == 0
}

// hasLower tells whether a small letter occurs in b, which is ASCII.
func hasLower(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		if (w+(0x80-'a')*eight)&^(w+(0x80-'z'-1)*eight)&(0x80*eight) != 0 {
			return true
		}
	}
	return classes(b)&classLower != 0
}

// length counts characters: bytes, but a UTF-8 sequence once.
func length(b []byte) int {
	if !utf8.Valid(b) {
		return len(b)
	}
	return utf8.RuneCount(b)
}

func isDigits[T string | []byte](s T) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) > 0
}

func isUpperAlnum(s string) bool {
	for i := 0; i < len(s); i++ {
		if byteClass[s[i]]&(classDigit|classUpper) == 0 {
			return false
		}
	}
	return len(s) > 0
}

func isAlnum(b byte) bool { return byteClass[b]&(classDigit|classUpper|classLower) != 0 }

func printable(s string) bool { return classes([]byte(s))&classControl == 0 }

// number reads an unsigned number of at most nine digits, leading zeros not
// counted, blanks around it allowed.
func number(b []byte) (int, bool) {
	b = bytes.TrimSpace(b)
	for len(b) > 1 && b[0] == '0' {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 9 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// sameNumber tells whether two texts are the same number but for leading
// zeros.
func sameNumber(a, b string) bool {
	if !isDigits(a) || !isDigits(b) {
		return false
	}
	for len(a) > 1 && a[0] == '0' {
		a = a[1:]
	}
	for len(b) > 1 && b[0] == '0' {
		b = b[1:]
	}
	return a == b
}

// two reads two digits.
func two(b []byte) int { return int(b[0]-'0')*10 + int(b[1]-'0') }

// validDate takes YYMMDD or CCYYMMDD and the calendar.
func validDate(b []byte) bool {
	if !isDigits(b) {
		return false
	}
	var year int
	switch len(b) {
	case 6:
		year = 2000 + two(b)
	case 8:
		year = two(b)*100 + two(b[2:])
		b = b[2:]
	default:
		return false
	}
	month, day := two(b[2:]), two(b[4:])
	return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(month, year) && year > 0
}

func daysIn(month, year int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// validTime takes HHMM, HHMMSS and HHMMSS with decimals of the second.
func validTime(b []byte) bool {
	if !isDigits(b) || len(b) < 4 || len(b) == 5 {
		return false
	}
	return two(b) <= 23 && two(b[2:]) <= 59 && (len(b) == 4 || two(b[4:]) <= 59)
}

// unpad takes the blanks off that pad an envelope field, the non-breaking ones
// of text copied from a web page included.
func unpad(s string) string { return strings.TrimRight(s, " \u00a0") }

// isaDay turns YYMMDD into CCYYMMDD as a number, 0 when it is no date.
func isaDay(date string) int {
	if len(date) != 6 || !validDate([]byte(date)) {
		return 0
	}
	b := []byte(date)
	year := 2000 + two(b)
	if year >= 2080 {
		year -= 100
	}
	return year*10000 + two(b[2:])*100 + two(b[4:])
}

// clip cuts a value for a report.
func clip(b []byte) string {
	if len(b) > 100 {
		return string(b[:97]) + "..."
	}
	return string(b)
}
