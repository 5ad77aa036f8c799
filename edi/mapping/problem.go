package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a map, form or table, found while it was loaded.
type Problem struct {
	File   string // name of the text as it was given
	Line   int    // from 1; 0 when the whole file is meant
	Column int    // from 1
	Text   string // what is wrong
	Hint   string // what to do next, may be empty
}

// String gives file, line and column in front of the explanation.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	b.WriteString(p.Text)
	if p.Hint != "" {
		b.WriteString("; ")
		b.WriteString(p.Hint)
	}
	return b.String()
}

// LoadError holds every mistake found in the texts of one map.
type LoadError struct {
	Problems []Problem // in the order of the files; at least one
}

// Error lists the problems, a line each.
func (e *LoadError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// maxProblems bounds what is reported of one load or one document.
const maxProblems = 100

// problems collects what is wrong while texts are read.
type problems struct {
	list []Problem
}

// position is a place in one of the texts.
type position struct {
	file         string
	line, column int
}

func (p *problems) at(at position, hint, format string, args ...any) {
	if len(p.list) < maxProblems {
		p.list = append(p.list, Problem{File: at.file, Line: at.line, Column: at.column, Text: fmt.Sprintf(format, args...), Hint: hint})
	}
}

// err returns the problems in the order of the text, each once: a map checked
// against several guides meets most of them several times.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	list := slices.Clone(p.list)
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &LoadError{Problems: slices.Compact(list)}
}

// choose makes the hint for a word that is not known: the nearest one that is,
// or the list.
func choose(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return "did you mean " + near + "?"
	}
	if len(known) == 0 {
		return ""
	}
	const most = 30
	if len(known) > most {
		return "there are " + strings.Join(known[:most], ", ") + ", ..."
	}
	return "there are " + strings.Join(known, ", ")
}

// nearest finds the known word that differs from word by the fewest letters,
// at most a third of them.
func nearest(word string, known []string) string {
	best, least := "", max(1, len(word)/3)+1
	if len(word) < 3 {
		least = 1 // another short code is no mistype of it
	}
	for _, k := range known {
		if len(word) > 100 || len(k) > 100 {
			continue
		}
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts the letters to add, drop, change or swap with their
// neighbour.
func distance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	next := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}

// clip cuts a value for a report.
func clip[T string | []byte](v T) string {
	const most = 80
	if len(v) > most {
		return strings.ToValidUTF8(string(v[:most]), "") + "..."
	}
	return string(v)
}
