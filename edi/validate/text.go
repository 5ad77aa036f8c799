package validate

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// sentence makes a sentence of a message in the style of Go errors.
func sentence(msg string) string {
	if msg == "" {
		return ""
	}
	r, n := utf8.DecodeRuneInString(msg)
	return string(unicode.ToUpper(r)) + strings.TrimRight(msg[n:], ".") + "."
}

func hint(h string) string {
	if h == "" {
		return ""
	}
	return " " + sentence(h)
}

// plural writes a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// quote puts a value in quotes with control characters made visible.
func quote(value string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range value {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			b.WriteRune('\u00b7')
			continue
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}

// bare gives a pattern as its guide has it.
func bare(p *regexp.Regexp) string {
	return strings.TrimSuffix(strings.TrimPrefix(p.String(), `\A(?:`), `)\z`)
}

// lineEnds counts the lines that end in b: with LF, CR LF or CR alone.
func lineEnds(b []byte) int {
	n := bytes.Count(b, []byte{'\n'})
	for i, c := range b {
		if c == '\r' && (i+1 == len(b) || b[i+1] != '\n') {
			n++
		}
	}
	return n
}

// often writes how many times something may occur.
func often(n int) string {
	if n == 1 {
		return "once"
	}
	return strconv.Itoa(n) + " times"
}
