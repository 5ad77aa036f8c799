package schema

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits on one source text, so that a hostile file costs bounded work.
const (
	maxSourceBytes = 64 << 20
	maxDepth       = 32
	maxLineBytes   = 64 << 10
)

// SyntaxError says what is wrong in a schema text and where.
type SyntaxError struct {
	File   string // name of the text as given to Parse
	Line   int    // first line is 1
	Column int    // first byte of the line is 1
	Text   string // what is wrong and what is expected
	Source string // the line itself, without its end
	// Missing is the dictionary or guide that the text builds on and that is not
	// in the catalog, where that is what is wrong.
	Missing string
}

// Error gives file, line and column in front of the explanation.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Text)
}

// Excerpt shows the line with a mark below the column, for people: two lines
// with the line's number before them, without control characters and cut to
// some 120 characters around the mark. It is empty when there is no line.
func (e *SyntaxError) Excerpt() string {
	const before, behind = 70, 50
	if e.Source == "" || e.Column < 1 {
		return ""
	}
	at := min(e.Column-1, len(e.Source))
	clean := func(s string) []rune {
		return []rune(strings.Map(func(r rune) rune {
			if !unicode.IsPrint(r) {
				return ' '
			}
			return r
		}, strings.ToValidUTF8(s, "\ufffd")))
	}
	head, tail := clean(e.Source[:at]), clean(e.Source[at:])
	lead, end := "", ""
	if len(head) > before {
		head, lead = head[len(head)-before:], "..."
	}
	if len(tail) > behind {
		tail, end = tail[:behind], "..."
	}
	number := fmt.Sprintf("%7d", e.Line)
	return fmt.Sprintf("%s | %s%s%s%s\n%s | %s^", number, lead, string(head), string(tail), end,
		strings.Repeat(" ", len(number)), strings.Repeat(" ", len(lead)+len(head)))
}

// Explain gives the text of an error with the excerpt below each mistake that
// it holds.
func Explain(err error) string {
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // one level, as Load joins them
		var parts []string
		for _, one := range joined.Unwrap() {
			parts = append(parts, Explain(one))
		}
		return strings.Join(parts, "\n")
	}
	text := err.Error()
	var mistake *SyntaxError
	if errors.As(err, &mistake) && mistake.Excerpt() != "" {
		text += "\n" + mistake.Excerpt()
	}
	return text
}

// word is one token of a statement.
type word struct {
	text   string
	column int32
	quoted bool
}

// statement is one line with the lines indented below it.
type statement struct {
	line     int
	column   int
	words    []word
	children []*statement
}

// source reads a schema text into statements. Words are parts of the text, and
// words and statements are made many at a time: a catalog holds a great many
// of both.
type source struct {
	file       string
	text       string
	words      []word
	statements []statement
}

// chunk is how many words or statements are made at once.
const chunk = 256

// missing reports that what a statement names is not in the catalog.
func (s *source) missing(r reference, what string) error {
	err := s.at(r.st, 1, "%s %s is not in the catalog", what, r.name)
	var mistake *SyntaxError
	if errors.As(err, &mistake) {
		mistake.Missing = r.name
	}
	return err
}

func (s *source) fail(line, column int, format string, args ...any) error {
	return &SyntaxError{File: s.file, Line: line, Column: column, Text: fmt.Sprintf(format, args...), Source: s.line(line)}
}

// line gives a line of the text, at most maxLineBytes of it.
func (s *source) line(number int) string {
	rest := s.text
	for ; number > 1; number-- {
		_, rest, _ = strings.Cut(rest, "\n")
	}
	line, _, _ := strings.Cut(rest[:min(len(rest), maxLineBytes)], "\n")
	return strings.TrimSuffix(line, "\r")
}

// at reports an error at the n-th word of a statement, or behind its end.
func (s *source) at(st *statement, n int, format string, args ...any) error {
	column := st.column
	switch {
	case n < len(st.words):
		column = int(st.words[n].column)
	case len(st.words) > 0:
		last := st.words[len(st.words)-1]
		column = int(last.column) + len(last.text) + 1
	}
	return s.fail(st.line, column, format, args...)
}

// read turns the text into a tree of statements by indentation.
func (s *source) read(text string) ([]*statement, error) {
	if len(text) > maxSourceBytes {
		return nil, s.fail(1, 1, "the text has %d bytes, more than the %d a schema may have", len(text), maxSourceBytes)
	}
	text = strings.TrimPrefix(text, "\xef\xbb\xbf")
	s.text = text
	stack := []*statement{{}}
	for line := 1; len(text) > 0; line++ {
		var raw string
		raw, text, _ = strings.Cut(text, "\n")
		raw = strings.TrimSuffix(raw, "\r")
		if len(raw) > maxLineBytes {
			return nil, s.fail(line, maxLineBytes, "the line has %d bytes, more than the %d a line may have", len(raw), maxLineBytes)
		}
		indent := 0
		for indent < len(raw) && raw[indent] == ' ' {
			indent++
		}
		if indent < len(raw) && raw[indent] == '\t' {
			return nil, s.fail(line, indent+1, "a tab: indent with two spaces")
		}
		words, err := s.split(raw, indent, line)
		if err != nil {
			return nil, err
		}
		if len(words) == 0 {
			continue
		}
		depth := indent / 2
		switch {
		case indent%2 != 0:
			return nil, s.fail(line, indent+1, "indented by %d spaces: each level is two spaces", indent)
		case depth >= len(stack):
			return nil, s.fail(line, indent+1, "indented too deep: at most %d spaces here", 2*(len(stack)-1))
		case depth >= maxDepth:
			return nil, s.fail(line, indent+1, "nested deeper than %d levels", maxDepth)
		}
		if len(s.statements) == cap(s.statements) {
			s.statements = make([]statement, 0, chunk)
		}
		s.statements = append(s.statements, statement{line: line, column: indent + 1, words: words})
		st := &s.statements[len(s.statements)-1]
		stack = append(stack[:depth+1], st)
		parent := stack[depth]
		parent.children = append(parent.children, st)
	}
	return stack[0].children, nil
}

// split splits a line at blanks; quotes keep blanks together.
func (s *source) split(raw string, from, line int) ([]word, error) {
	first := len(s.words)
	add := func(w word) {
		if len(s.words) == cap(s.words) { // the words of a line stay together
			s.words = append(make([]word, 0, max(chunk, 2*(len(s.words)-first))), s.words[first:]...)
			first = 0
		}
		s.words = append(s.words, w)
	}
	for i := from; i < len(raw); {
		column := int32(i + 1) //nolint:gosec // a line is short
		switch c := raw[i]; {
		case c == ' ' || c == '\t':
			i++
		case c == '#':
			return s.words[first:len(s.words):len(s.words)], nil
		case c == '"':
			text, end, err := s.quoted(raw, i, line)
			if err != nil {
				return nil, err
			}
			add(word{text: text, quoted: true, column: column})
			i = end
		default:
			end, high := i, byte(0)
			for end < len(raw) && raw[end] != ' ' && raw[end] != '\t' {
				if raw[end] < ' ' || raw[end] == 0x7f {
					return nil, s.fail(line, end+1, "a control character (0x%02x)", raw[end])
				}
				high |= raw[end]
				end++
			}
			if high >= utf8.RuneSelf && !utf8.ValidString(raw[i:end]) {
				return nil, s.fail(line, i+1, "not UTF-8 text")
			}
			add(word{text: raw[i:end], column: column})
			i = end
		}
	}
	return s.words[first:len(s.words):len(s.words)], nil
}

// quoted reads a text in double quotes; \" and \\ stand for themselves.
func (s *source) quoted(raw string, from, line int) (string, int, error) {
	escaped := false
	for i := from + 1; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			text := raw[from+1 : i]
			if escaped {
				text = unescape.Replace(text)
			}
			if !utf8.ValidString(text) {
				return "", 0, s.fail(line, from+1, "not UTF-8 text")
			}
			return text, i + 1, nil
		case c == '\\' && i+1 < len(raw) && (raw[i+1] == '"' || raw[i+1] == '\\'):
			i++
			escaped = true
		case c < ' ' || c == 0x7f:
			return "", 0, s.fail(line, i+1, "a control character (0x%02x) in a text", c)
		}
	}
	return "", 0, s.fail(line, from+1, "this text has no closing quote")
}

//nolint:gochecknoglobals // never changed
var unescape = strings.NewReplacer(`\\`, `\`, `\"`, `"`)
