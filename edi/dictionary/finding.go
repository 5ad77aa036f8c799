package dictionary

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Kind says what a Finding is about.
type Kind string

// The kinds of findings.
const (
	NotUnderstood Kind = "not understood" // the importer cannot read this
	NotKept       Kind = "not kept"       // read, but our format has no place for it
	Contradiction Kind = "contradiction"  // the source says two things; which one was taken is in the text
	Missing       Kind = "missing"        // it belongs to such a source, and is not in this one
)

// Finding is one thing of a source that did not come over, or not as it
// stands.
type Finding struct {
	Kind   Kind   `json:"kind"`
	File   string `json:"file"` // parts of nested archives are separated by slashes
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Text   string `json:"text"`
	Source string `json:"source,omitempty"` // the line itself, cut to 120 bytes
}

// String gives the place, the kind and the text on one line.
func (f Finding) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d", f.Line)
		if f.Column > 0 {
			fmt.Fprintf(&b, ":%d", f.Column)
		}
	}
	fmt.Fprintf(&b, ": %s: %s", f.Kind, f.Text)
	if f.Source != "" {
		fmt.Fprintf(&b, " (%s)", f.Source)
	}
	return b.String()
}

// place is where something stands in the source.
type place struct {
	file         string
	line, column int
	text         string
}

// findings collects findings up to a limit.
type findings struct {
	list    []Finding
	limit   int
	omitted int
}

func (f *findings) add(kind Kind, at place, format string, args ...any) {
	if len(f.list) >= f.limit {
		f.omitted++
		return
	}
	f.list = append(f.list, Finding{Kind: kind, File: at.file, Line: at.line, Column: at.column, Text: shorten(fmt.Sprintf(format, args...), 500), Source: excerpt(at.text)})
}

// excerpt makes a line of the source fit for a report.
func excerpt(s string) string { return shorten(s, 120) }

// shorten makes a text fit for a report: printable, and cut to some bytes.
func shorten(s string, most int) string {
	s = strings.TrimSpace(s)
	if len(s) > most {
		cut := most - 3
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "..."
	}
	return printable(s)
}

// printable takes control characters and broken UTF-8 out of a text.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r' || r == '\u00a0':
			return ' '
		case r < ' ' || r == 0x7f || r == utf8.RuneError:
			return '?'
		case r == '\u2028' || r == '\u2029' || r == '\ufeff':
			return -1
		}
		return r
	}, s)
}
