package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Problem is one fault in a configuration and where it stands.
type Problem struct {
	Line   int    `json:"line"`   // from 1; 0 when the fault is in no line
	Column int    `json:"column"` // from 1
	Path   string `json:"path"`   // "partners[0].as2_id"
	Text   string `json:"text"`
	Hint   string `json:"hint,omitempty"` // what to do
	width  int    // of the marked value, in letters
}

// Error is everything that is wrong with a configuration, in the order of its
// lines. Its text shows each faulty line with the value marked.
type Error struct {
	File     string // as the caller named it
	Problems []Problem
	lines    []string
}

func (e *Error) Error() string {
	var b strings.Builder
	if n := len(e.Problems); n > 1 {
		fmt.Fprintf(&b, "%s: %d problems\n", e.File, n)
	}
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		e.write(&b, p)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// write renders one problem: place and sentence, the line before and the line
// itself with the value underlined, and the hint.
func (e *Error) write(b *strings.Builder, p Problem) {
	b.WriteString(e.File)
	if p.Line > 0 {
		fmt.Fprintf(b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Text + "\n")
	if p.Line > 0 && p.Line <= len(e.lines) {
		if p.Line > 1 {
			fmt.Fprintf(b, "  %5d | %s\n", p.Line-1, shown(e.lines[p.Line-2]))
		}
		line := shown(e.lines[p.Line-1])
		fmt.Fprintf(b, "> %5d | %s\n", p.Line, line)
		room := utf8.RuneCountInString(line) - p.Column + 1
		marks := max(1, min(p.width, room))
		fmt.Fprintf(b, "        | %s%s\n", strings.Repeat(" ", max(0, p.Column-1)), strings.Repeat("^", marks))
	}
	if p.Hint != "" {
		fmt.Fprintf(b, "  hint: %s\n", p.Hint)
	}
}

// shown makes a line fit for a terminal: no control characters, not endless.
func shown(line string) string {
	line = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return ' '
		}
		return r
	}, line)
	if utf8.RuneCountInString(line) > 160 {
		line = string([]rune(line)[:160]) + " ..."
	}
	return line
}

// sorted orders problems by line and drops repeated ones.
func sorted(ps []Problem) []Problem {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(ps)
}
