package mapping

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds on one text, so that a hostile one costs little.
const (
	maxText  = 4 << 20 // bytes
	maxNests = 64      // brackets inside brackets, dashes behind dashes
	maxDeep  = 100     // levels of indentation
)

// nodeKind is what a node of the text is.
type nodeKind uint8

const (
	scalarNode nodeKind = iota
	mappingNode
	sequenceNode
)

// node is one value of a YAML text with its place. Every scalar is text: 00
// stays 00, and N is no truth value.
type node struct {
	kind    nodeKind
	at      position
	text    string
	null    bool
	entries []entry
	items   []*node
}

// entry is one key of a mapping.
type entry struct {
	key   string
	at    position
	value *node
}

// get returns the value of a key, nil when it is not there.
func (n *node) get(key string) *node {
	for i := range n.entries {
		if n.entries[i].key == key {
			return n.entries[i].value
		}
	}
	return nil
}

// what names the kind of a node for a person.
func (n *node) what() string {
	switch {
	case n.kind == mappingNode:
		return "a mapping"
	case n.kind == sequenceNode:
		return "a list"
	case n.null:
		return "nothing"
	}
	return fmt.Sprintf("%q", clip(n.text))
}

// yamlReader turns a text into nodes.
type yamlReader struct {
	file string
	p    *problems
}

// readYAML reads one text; nil when it cannot be read, which is then among the
// problems.
func readYAML(file string, text []byte, p *problems) (n *node) {
	r := yamlReader{file, p}
	whole := position{file: file}
	switch {
	case len(text) > maxText:
		p.at(whole, "is this the right file?", "the text has %d bytes, more than the %d it may have", len(text), maxText)
		return nil
	case !utf8.Valid(text):
		p.at(whole, "save it as UTF-8", "the file is not UTF-8 text")
		return nil
	}
	// The parser is foreign; whatever it trips over is a mistake in the text.
	defer func() {
		if bad := recover(); bad != nil {
			n = nil
			p.at(whole, "simplify it", "this cannot be read as YAML: %v", bad)
		}
	}()
	tokens := lexer.Tokenize(string(text))
	if !r.plain(tokens) {
		return nil
	}
	file2, err := parser.Parse(tokens, 0)
	if err != nil {
		r.syntax(err)
		return nil
	}
	var body ast.Node
	for _, d := range file2.Docs {
		if d.Body == nil || d.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			p.at(r.place(d.Body.GetToken()), "remove the --- line", "a second YAML document begins here")
			return nil
		}
		body = d.Body
	}
	if body == nil {
		p.at(whole, "", "the file is empty")
		return nil
	}
	return r.node(body, 0)
}

// plain refuses, before the parser recurses, what maps do not use: anchors,
// aliases, tags, and nests no person writes.
func (r *yamlReader) plain(tokens token.Tokens) bool {
	depth, dashes, line := 0, 0, 0
	for _, t := range tokens {
		at := r.place(t)
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType, token.DirectiveType, token.MappingKeyType:
			r.p.at(at, "write it out, or use blocks", "%q: anchors, aliases, tags and complex keys are not used here", clip(t.Value))
			return false
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth = max(depth-1, 0)
		case token.SequenceEntryType:
			if at.line != line {
				line, dashes = at.line, 0
			}
			dashes++
		}
		if depth > maxNests || dashes > maxNests || at.column > 2000 {
			r.p.at(at, "simplify it", "this is nested too deep")
			return false
		}
	}
	return true
}

func (r *yamlReader) syntax(err error) {
	at, text := position{file: r.file}, err.Error()
	var located yaml.Error
	if errors.As(err, &located) {
		text = located.GetMessage()
		if t := located.GetToken(); t != nil {
			at = r.place(t)
		}
	}
	r.p.at(at, "check indentation, quotes and brackets on this line and the one before", "this is not YAML: %s", clip(strings.TrimSpace(text)))
}

// place tells where a token stands.
func (r *yamlReader) place(t *token.Token) position {
	if t == nil || t.Position == nil {
		return position{file: r.file}
	}
	return position{r.file, max(t.Position.Line, 1), max(t.Position.Column, 1)}
}

func (r *yamlReader) node(n ast.Node, depth int) *node {
	out := &node{at: r.place(n.GetToken())}
	if depth > maxDeep {
		r.p.at(out.at, "simplify it", "this is nested too deep")
		return out
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		r.mapping(out, n.Values, depth)
	case *ast.MappingValueNode:
		r.mapping(out, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		out.kind = sequenceNode
		for _, item := range n.Values {
			out.items = append(out.items, r.node(item, depth+1))
		}
	case *ast.NullNode:
		out.null = true
	case *ast.StringNode:
		out.text = n.Value
	case *ast.LiteralNode:
		if n.Value != nil {
			out.text = n.Value.Value
		}
	default:
		out.text = n.GetToken().Value
	}
	return out
}

func (r *yamlReader) mapping(out *node, values []*ast.MappingValueNode, depth int) {
	out.kind = mappingNode
	seen := make(map[string]bool, len(values))
	for i, v := range values {
		at := r.place(v.Key.GetToken())
		key := v.Key.GetToken().Value
		if s, ok := v.Key.(*ast.StringNode); ok {
			key = s.Value
		}
		if i == 0 {
			out.at = at
		}
		if seen[key] {
			r.p.at(at, "remove one of the two", "%q is written twice", clip(key))
			continue
		}
		seen[key] = true
		e := entry{key: key, at: at}
		if v.Value == nil {
			e.value = &node{at: at, null: true}
		} else {
			e.value = r.node(v.Value, depth+1)
		}
		if e.value.null {
			e.value.at = at
		}
		out.entries = append(out.entries, e)
	}
}
