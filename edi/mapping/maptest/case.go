// Package maptest runs golden cases for maps of edi/mapping: texts that hold an
// input and what a map has to make of it, written without a line of Go.
//
// A case is one text of sections, each begun by a line "-- name --":
//
//	-- case --        key: value lines, see below
//	-- input --       EDI, or JSON, XML or CSV of the form
//	-- output --      what the map makes of the input
//	-- back --        what the map makes of the output when it runs the other
//	                  way; "same" stands for the documents of the input
//	-- faults --      a line for each fault; without it none may occur
//	-- left --        a line for each value no line of the map carries; the same
//	-- issues --      a line for each error of validation; the same
//	-- back faults --
//	-- back left --   as above, on the way back
//
// A line of faults, left or issues stands for one that contains it. EDI in the
// input may be bare documents, ST to SE or UNH to UNT with the delimiters of
// the standard; an envelope is then put around them. EDI is compared by
// segments without the envelope, JSON by content with every digit of its
// numbers, XML and CSV by lines.
//
// The keys of the case section:
//
//	map: x12/850      a map that is shipped, or a .yaml file beside the case
//	title: ...        what the case shows
//	way: backward     from the to side to the from side; by itself when the
//	                  input can only be read that way
//	format: json      of the form: json, jsonl, xml or csv
//	guide: NAME       the guide of the map, when it has several, that bare
//	                  documents are read with and EDI is written for
//	profile: strict   of the validation
//	left: ignore      values that are left behind are no failure
//	then: edifact/X   a second map that takes the form the first one made, and
//	                  writes EDI; what it reports is in the back sections
//
// For maps that are made for one case there are the sections map (its text),
// file NAME (a table or form beside it), guide (a guide or dictionary laid over
// the shipped ones) and problems (a line for each mistake in the map: it must
// not load).
package maptest

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"tradepost/edi/mapping"
)

// Case is one golden case.
type Case struct {
	File  string // name it was read from
	Title string
	Map   string // name or file; empty when its text is in the case
	Then  string // a second map

	way     string
	format  mapping.Format
	guide   string
	strict  bool
	anyLeft bool

	fsys     fs.FS
	sections []section
}

// section is one part of the text of a case.
type section struct {
	name, text string
	line       int // of its text, from 1
}

// FormatError says that the text of a case is not as it should be.
type FormatError struct {
	File string
	Line int
	Text string
}

func (e *FormatError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text) }

// Ext is how the names of cases end.
const Ext = ".case"

// maxCase bounds the text of one case, in bytes.
const maxCase = 16 << 20

func sectionLine() *regexp.Regexp { return regexp.MustCompile(`^-- ([a-z]+(?: [^ ]+)?) --\r?$`) }

// Read reads a case from a folder tree. Maps and files it names lie beside it.
// The error is a *FormatError, or that of reading the file.
func Read(fsys fs.FS, name string) (*Case, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading case %s: %w", name, err)
	}
	defer f.Close() //nolint:errcheck // opened for reading
	text, err := io.ReadAll(io.LimitReader(f, maxCase+1))
	if err != nil {
		return nil, fmt.Errorf("reading case %s: %w", name, err)
	}
	if len(text) > maxCase {
		return nil, &FormatError{name, 1, fmt.Sprintf("a case has at most %d bytes", maxCase)}
	}
	c := &Case{File: name, fsys: fsys, format: mapping.JSON}
	if err := c.split(string(text)); err != nil {
		return nil, err
	}
	return c, c.options()
}

// split cuts the text into sections.
func (c *Case) split(text string) error {
	begins := sectionLine()
	line := 0
	for l := range strings.Lines(text) {
		line++
		if m := begins.FindStringSubmatch(strings.TrimSuffix(l, "\n")); m != nil {
			known := slices.Contains([]string{"case", "map", "guide", "problems", "input", "output", "back", "faults", "left", "issues", "back faults", "back left"}, m[1])
			if !known && !strings.HasPrefix(m[1], "file ") {
				return &FormatError{c.File, line, fmt.Sprintf("there is no section %q", m[1])}
			}
			c.sections = append(c.sections, section{name: m[1], line: line + 1})
			continue
		}
		if len(c.sections) == 0 {
			if strings.TrimSpace(l) == "" || strings.HasPrefix(l, "#") {
				continue
			}
			return &FormatError{c.File, line, "a case begins with a line -- case --"}
		}
		c.sections[len(c.sections)-1].text += l
	}
	if len(c.sections) == 0 {
		return &FormatError{c.File, 1, "the case is empty; it begins with a line -- case --"}
	}
	return nil
}

// section returns the text of a section; ok is false when there is none.
func (c *Case) section(name string) (s section, ok bool) {
	for _, s := range c.sections {
		if s.name == name {
			return s, true
		}
	}
	return section{}, false
}

// options reads the case section.
func (c *Case) options() error {
	s, _ := c.section("case")
	line := s.line - 1
	for l := range strings.Lines(s.text) {
		line++
		l = strings.TrimSpace(l)
		if l == "" || l[0] == '#' {
			continue
		}
		bad := func(format string, args ...any) error {
			return &FormatError{c.File, line, fmt.Sprintf(format, args...)}
		}
		key, value, found := strings.Cut(l, ":")
		if value = strings.TrimSpace(value); !found || value == "" {
			return bad("write key: value, not %q", l)
		}
		switch key {
		case "map":
			c.Map = value
		case "then":
			c.Then = value
		case "title":
			c.Title = value
		case "guide":
			c.guide = value
		case "way":
			if c.way = value; value != "forward" && value != "backward" {
				return bad("way is forward or backward, not %q", value)
			}
		case "format":
			c.format = mapping.Format(value)
			if !slices.Contains([]mapping.Format{mapping.JSON, mapping.JSONLines, mapping.XML, mapping.CSV}, c.format) {
				return bad("format is json, jsonl, xml or csv, not %q", value)
			}
		case "profile":
			if c.strict = value == "strict"; !c.strict && value != "tolerant" {
				return bad("profile is tolerant or strict, not %q", value)
			}
		case "left":
			if c.anyLeft = value == "ignore"; !c.anyLeft {
				return bad("left is ignore, or is left out")
			}
		default:
			return bad("there is no key %q: map, then, title, way, format, guide, profile and left", key)
		}
	}
	_, inline := c.section("map")
	_, input := c.section("input")
	_, problems := c.section("problems")
	switch {
	case inline == (c.Map != ""):
		return &FormatError{c.File, max(s.line, 1), "name the map with map: NAME, or write it in a section of its own"}
	case !input && !problems:
		return &FormatError{c.File, max(s.line, 1), "the case has no section input"}
	}
	return nil
}

// Find lists the cases in a folder tree, in the order of their names.
func Find(fsys fs.FS, dir string) ([]string, error) {
	var out []string
	err := fs.WalkDir(fsys, dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && path.Ext(name) == Ext {
			out = append(out, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for cases: %w", err)
	}
	slices.Sort(out)
	return out, nil
}
