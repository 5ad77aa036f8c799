package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// reader walks the syntax tree of a configuration. It goes on after a fault,
// so that one look shows all of them, and remembers where every value stands,
// so that checks made later can still point at the line.
type reader struct {
	env      func(string) (string, bool)
	src      []byte
	lines    []string
	problems []Problem
	places   map[string]place
}

// place is where a value stands.
type place struct{ line, column, width int }

// maxSource bounds a configuration; thousands of partners fit.
const maxSource = 8 << 20

// parse reads src down to its top mapping.
func (r *reader) parse(src []byte) *section {
	r.places, r.src = map[string]place{}, src
	if len(src) > maxSource {
		r.problems = append(r.problems, Problem{Text: fmt.Sprintf("%d bytes are too large for a configuration", len(src)), Hint: "is this the right file?"})
		return nil
	}
	r.lines = strings.Split(strings.ReplaceAll(string(src), "\r\n", "\n"), "\n")
	if !utf8.Valid(src) {
		r.problems = append(r.problems, Problem{Text: "the file is not UTF-8 text", Hint: "is this the right file?"})
		return nil
	}
	file, err := parser.ParseBytes(src, 0)
	if err != nil {
		p := Problem{Text: "this is not YAML: " + err.Error(), Hint: "check indentation, quotes and brackets on this line and the one before"}
		var located yaml.Error
		if errors.As(err, &located) {
			p.Text = "this is not YAML: " + located.GetMessage()
			if t := located.GetToken(); t != nil && t.Position != nil {
				at := placeOf(t)
				p.Line, p.Column, p.width = at.line, at.column, at.width
			}
		}
		r.problems = append(r.problems, p)
		return nil
	}
	var body ast.Node
	for _, d := range file.Docs {
		if d.Body == nil || d.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			r.problem("", placeOfNode(d.Body), "remove the --- line", "a second YAML document begins here")
			return nil
		}
		body = d.Body
	}
	if body == nil {
		r.problems = append(r.problems, Problem{Text: "the configuration is empty", Hint: "`tradepost init` writes one with comments"})
		return nil
	}
	return r.section("", body)
}

func (r *reader) problem(path string, at place, hint, format string, args ...any) {
	r.problems = append(r.problems, Problem{
		Line: at.line, Column: at.column, width: at.width,
		Path: path, Text: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// at finds the place of a path, or of the nearest thing around it.
func (r *reader) at(path string) place {
	for {
		if p, ok := r.places[path]; ok {
			return p
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return place{}
		}
		path = path[:cut]
	}
}

// placeOf tells where a token stands.
func placeOf(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{}
	}
	width := utf8.RuneCountInString(strings.TrimSpace(strings.SplitN(strings.TrimLeft(t.Origin, "\n\r \t"), "\n", 2)[0]))
	return place{t.Position.Line, t.Position.Column, max(1, width)}
}

// placeOfNode tells where a node begins: a mapping at its first key.
func placeOfNode(n ast.Node) place {
	switch m := n.(type) {
	case *ast.MappingNode:
		if len(m.Values) > 0 {
			return placeOf(m.Values[0].Key.GetToken())
		}
	case *ast.MappingValueNode:
		return placeOf(m.Key.GetToken())
	}
	return placeOf(n.GetToken())
}

// section is one mapping. Keys that nobody asked for by the time done is
// called are unknown ones.
type section struct {
	r       *reader
	path    string
	keys    []string // in the order of the file
	values  map[string]ast.Node
	keyAt   map[string]place
	asked   []string
	present bool // it is written in the file
}

// section reads node as a mapping. It never returns nil, so that the walk goes
// on with defaults.
func (r *reader) section(path string, node ast.Node) *section {
	s := &section{r: r, path: path, values: map[string]ast.Node{}, keyAt: map[string]place{}}
	if node == nil || node.Type() == ast.NullType {
		return s
	}
	s.present = true
	var entries []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		entries = n.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{n}
	default:
		r.problem(path, placeOf(node.GetToken()), "write `key: value` lines below it", "a section is wanted here, not %s", kind(node))
		return s
	}
	for _, e := range entries {
		key, ok := e.Key.(*ast.StringNode)
		if !ok {
			r.problem(path, placeOf(e.Key.GetToken()), "write a plain word", "%s cannot be a key", kind(e.Key))
			continue
		}
		s.keys = append(s.keys, key.Value)
		s.values[key.Value] = e.Value
		s.keyAt[key.Value] = placeOf(key.GetToken())
		if e.Value.Type() == ast.NullType {
			r.places[s.child(key.Value)] = s.keyAt[key.Value]
		} else {
			r.places[s.child(key.Value)] = placeOfNode(e.Value)
		}
	}
	if path != "" {
		r.places[path] = placeOfNode(node)
	}
	return s
}

func (s *section) child(key string) string {
	if s.path == "" {
		return key
	}
	return s.path + "." + key
}

// take returns the value of a key, nil when it is not there.
func (s *section) take(key string) ast.Node {
	s.asked = append(s.asked, key)
	return s.values[key]
}

// wrong notes that the value of a key is of another kind than wanted.
func (s *section) wrong(key, hint, format string, args ...any) {
	s.r.problem(s.child(key), s.r.at(s.child(key)), hint, format, args...)
}

// done reports the keys nobody asked for.
func (s *section) done() {
	for _, k := range s.keys {
		if slices.Contains(s.asked, k) {
			continue
		}
		hint := "keys here are " + strings.Join(s.asked, ", ")
		if near := nearest(k, s.asked); near != "" {
			hint = "did you mean " + near + "?"
		}
		s.r.problem(s.child(k), s.keyAt[k], hint, "unknown key %q", k)
	}
}

// text reads a text; fallback when it is not there.
func (s *section) text(key, fallback string) string {
	n := s.take(key)
	if n == nil {
		return fallback
	}
	v, ok := s.r.scalar(s.child(key), n)
	if !ok {
		return fallback
	}
	return v
}

// required reads a text that must be there.
func (s *section) required(key, hint string) string {
	v := s.text(key, "")
	if s.values[key] == nil {
		at := s.r.at(s.path)
		s.r.problem(s.child(key), at, hint, "%s is missing", key)
	}
	return v
}

// scalar reads a text or a number as it is written, with ${NAME} replaced.
func (r *reader) scalar(path string, n ast.Node) (string, bool) {
	at := placeOf(n.GetToken())
	switch n := n.(type) {
	case *ast.StringNode:
		return r.expand(path, at, n.Value)
	case *ast.LiteralNode:
		return r.expand(path, at, n.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode:
		return n.GetToken().Value, true
	case *ast.NullNode:
		r.problem(path, r.at(path), "write the value after the colon, or remove the line", "the value is missing")
		return "", false
	}
	r.problem(path, at, `put it in "quotes" if it is meant as text`, "a text is wanted here, not %s", kind(n))
	return "", false
}

// expand replaces ${NAME} by the environment's value.
func (r *reader) expand(path string, at place, s string) (string, bool) {
	ok := true
	out := regexp.MustCompile(`\$\{[^}]*\}`).ReplaceAllStringFunc(s, func(ref string) string {
		name := ref[2 : len(ref)-1]
		v, set := r.env(name)
		if !set {
			r.problem(path, at, "set it before the start, for instance in the service's environment file", "the environment has no %s", ref)
			ok = false
		}
		return v
	})
	return out, ok
}

// texts reads a list of texts; a single text is a list of one.
func (s *section) texts(key string) []string {
	n := s.take(key)
	if n == nil {
		return nil
	}
	var out []string
	for i, item := range s.r.items(s.child(key), n) {
		path := fmt.Sprintf("%s[%d]", s.child(key), i)
		s.r.places[path] = placeOfNode(item)
		if v, ok := s.r.scalar(path, item); ok {
			out = append(out, v)
		}
	}
	return out
}

// sections reads a list of mappings.
func (s *section) sections(key string) []*section {
	n := s.take(key)
	if n == nil {
		return nil
	}
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		if n.Type() != ast.NullType {
			s.wrong(key, "begin every entry with a hyphen: `- name: ...`", "a list is wanted here, not %s", kind(n))
		}
		return nil
	}
	var out []*section
	for i, item := range seq.Values {
		path := fmt.Sprintf("%s[%d]", s.child(key), i)
		s.r.places[path] = placeOfNode(item)
		out = append(out, s.r.section(path, item))
	}
	return out
}

// section reads a mapping below s, an empty one when it is not there.
func (s *section) section(key string) *section {
	return s.r.section(s.child(key), s.take(key))
}

// boolean reads true or false.
func (s *section) boolean(key string, fallback bool) bool {
	n := s.take(key)
	if n == nil {
		return fallback
	}
	b, ok := n.(*ast.BoolNode)
	if !ok {
		s.wrong(key, "write true or false", "true or false is wanted here, not %s", kind(n))
		return fallback
	}
	return b.Value
}

// items returns the entries of a list, or the single value.
func (r *reader) items(path string, n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.SequenceNode:
		return n.Values
	case *ast.NullNode:
		return nil
	case *ast.MappingNode, *ast.MappingValueNode:
		r.problem(path, r.at(path), "write [one, two]", "a list is wanted here, not %s", kind(n))
		return nil
	}
	return []ast.Node{n}
}

// kind names a node for a sentence.
func kind(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a section"
	case *ast.SequenceNode:
		return "a list"
	case *ast.BoolNode:
		return "true or false"
	case *ast.NullNode:
		return "nothing"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.StringNode, *ast.LiteralNode:
		return "a text"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "a YAML anchor or alias (write the value out)"
	case *ast.TagNode:
		return "a YAML tag"
	}
	return "this"
}

// nearest finds the word most like got, "" when none is near.
func nearest(got string, words []string) string {
	best, least := "", 3
	for _, w := range words {
		if d := distance(strings.ToLower(got), w); d < least {
			best, least = w, d
		}
	}
	return best
}

// distance counts the letters to change, add or remove to make b of a. Long
// words are not compared.
func distance(a, b string) int {
	if len(a) > 40 || len(b) > 40 {
		return 99
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
