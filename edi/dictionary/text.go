package dictionary

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// line is one line of a text file without its end, with tabs as blanks.
type line struct {
	number int
	text   string
}

const (
	maxLines   = 200_000  // of one file
	maxTabLine = 64 << 10 // bytes of a line in which tabs are made blanks
)

// lines splits a text into lines, decoded.
func lines(data []byte) []line {
	text := decode(data)
	out := make([]line, 0, strings.Count(text, "\n")+1)
	for n := 1; text != ""; n++ {
		var l string
		l, text, _ = strings.Cut(text, "\n")
		l = strings.TrimRight(l, "\r\x1a\x00") // DOS ends a file with 0x1a
		if len(l) <= maxTabLine {
			l = strings.ReplaceAll(l, "\t", "        ")
		}
		out = append(out, line{n, strings.TrimRight(l, " ")})
	}
	return out
}

// decode turns the bytes of a directory into text: UTF-8 when they are that,
// else Windows-1252, in which the UNECE directories write their letters. Files
// up to the year 2001 draw their rules and brackets with the line characters of
// code page 437, and letters that need more than ASCII still in 1252.
func decode(data []byte) string {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if utf8.Valid(data) {
		return string(data)
	}
	ruled := bytes.Contains(data, []byte("\xc4\xc4\xc4\xc4\xc4\xc4\xc4\xc4"))
	var b strings.Builder
	size := len(data)
	for _, c := range data {
		if c >= 0x80 {
			size += 2
		}
	}
	b.Grow(size)
	for _, c := range data {
		switch {
		case c < 0x80:
			b.WriteByte(c)
		case ruled && c >= 0xb3 && c <= 0xda:
			b.WriteRune(lineCharacter(c))
		case c < 0xa0:
			b.WriteRune(windows1252(c))
		default:
			b.WriteRune(rune(c))
		}
	}
	return b.String()
}

// lineCharacter gives the characters 0xb3 to 0xda of code page 437.
func lineCharacter(c byte) rune {
	const page = "│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌"
	i := 0
	for _, r := range page {
		if i == int(c)-0xb3 {
			return r
		}
		i++
	}
	return utf8.RuneError
}

// windows1252 gives the characters 0x80 to 0x9f, of which five are undefined.
func windows1252(c byte) rune {
	const page = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"
	i := 0
	for _, r := range page {
		if i == int(c)-0x80 {
			return r
		}
		i++
	}
	return utf8.RuneError
}

// isRule tells a line that is drawn across the page.
func isRule(text string) bool {
	text = strings.TrimSpace(text)
	if utf8.RuneCountInString(text) < 10 {
		return false
	}
	return strings.Trim(text, "-─_=") == ""
}

// indent is the number of blanks a line begins with.
func indent(text string) int { return len(text) - len(strings.TrimLeft(text, " ")) }

// collapse makes runs of blanks one blank.
func collapse(text string) string { return strings.Join(strings.Fields(text), " ") }

// sentenceCase turns a name in capitals into small letters but for its first;
// words that hold digits or stand in brackets stay as they are.
func sentenceCase(name string) string {
	if name != strings.ToUpper(name) {
		return name
	}
	words := strings.Fields(name)
	for i, w := range words {
		if strings.ContainsAny(w, "0123456789") {
			continue
		}
		words[i] = strings.ToLower(w)
	}
	name = strings.Join(words, " ")
	if name == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(name)
	return strings.ToUpper(string(first)) + name[size:]
}
