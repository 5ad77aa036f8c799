package schema

import (
	"bytes"
	"fmt"
	"strings"
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
}

// Error gives file, line and column in front of the explanation.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Text)
}

// word is one token of a statement.
type word struct {
	text   string
	quoted bool
	column int
}

// statement is one line with the lines indented below it.
type statement struct {
	line     int
	column   int
	words    []word
	children []*statement
}

// source reads a schema text into statements.
type source struct {
	file string
}

func (s *source) fail(line, column int, format string, args ...any) error {
	return &SyntaxError{File: s.file, Line: line, Column: column, Text: fmt.Sprintf(format, args...)}
}

// at reports an error at the n-th word of a statement, or behind its end.
func (s *source) at(st *statement, n int, format string, args ...any) error {
	column := st.column
	switch {
	case n < len(st.words):
		column = st.words[n].column
	case len(st.words) > 0:
		last := st.words[len(st.words)-1]
		column = last.column + len(last.text) + 1
	}
	return s.fail(st.line, column, format, args...)
}

// read turns the text into a tree of statements by indentation.
func (s *source) read(text []byte) ([]*statement, error) {
	if len(text) > maxSourceBytes {
		return nil, s.fail(1, 1, "the text has %d bytes, more than the %d a schema may have", len(text), maxSourceBytes)
	}
	root := &statement{}
	stack := []*statement{root}
	for line := 1; len(text) > 0; line++ {
		var raw []byte
		raw, text, _ = bytes.Cut(text, []byte("\n"))
		raw = bytes.TrimSuffix(raw, []byte("\r"))
		if line == 1 {
			raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
		}
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
		words, err := s.words(raw, indent, line)
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
		st := &statement{line: line, column: indent + 1, words: words}
		stack = append(stack[:depth+1], st)
		parent := stack[depth]
		parent.children = append(parent.children, st)
	}
	return root.children, nil
}

// words splits a line at blanks; quotes keep blanks together.
func (s *source) words(raw []byte, from, line int) ([]word, error) {
	words := make([]word, 0, 4)
	for i := from; i < len(raw); {
		switch c := raw[i]; {
		case c == ' ' || c == '\t':
			i++
		case c == '#':
			return words, nil
		case c == '"':
			text, end, err := s.quoted(raw, i, line)
			if err != nil {
				return nil, err
			}
			words = append(words, word{text: text, quoted: true, column: i + 1})
			i = end
		default:
			end := i
			for end < len(raw) && raw[end] != ' ' && raw[end] != '\t' {
				if raw[end] < ' ' || raw[end] == 0x7f {
					return nil, s.fail(line, end+1, "a control character (0x%02x)", raw[end])
				}
				end++
			}
			if !utf8.Valid(raw[i:end]) {
				return nil, s.fail(line, i+1, "not UTF-8 text")
			}
			words = append(words, word{text: string(raw[i:end]), column: i + 1})
			i = end
		}
	}
	return words, nil
}

// quoted reads a text in double quotes; \" and \\ stand for themselves.
func (s *source) quoted(raw []byte, from, line int) (string, int, error) {
	var b strings.Builder
	for i := from + 1; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			if !utf8.ValidString(b.String()) {
				return "", 0, s.fail(line, from+1, "not UTF-8 text")
			}
			return b.String(), i + 1, nil
		case c == '\\' && i+1 < len(raw) && (raw[i+1] == '"' || raw[i+1] == '\\'):
			i++
			b.WriteByte(raw[i])
		case c < ' ' || c == 0x7f:
			return "", 0, s.fail(line, i+1, "a control character (0x%02x) in a text", c)
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, s.fail(line, from+1, "this text has no closing quote")
}
