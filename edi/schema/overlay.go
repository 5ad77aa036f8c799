package schema

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// edit is one at block of a guide laid over another one.
type edit struct {
	source *source
	file   *File
	st     *statement
	path   string
	own    bool // a partner's rule, not what another release has otherwise
}

// matches tells whether a place is meant; */N1/N4 means every N4 in an N1.
func (e *edit) matches(path string) bool {
	if rest, any := strings.CutPrefix(e.path, "*/"); any {
		return path == rest || strings.HasSuffix(path, "/"+rest)
	}
	return path == e.path
}

// mayHold tells whether a place that is meant may stand below a path.
func (e *edit) mayHold(path string) bool {
	return strings.HasPrefix(e.path, "*/") || within(e.path, path)
}

// layer takes keys, code changes and edits of one file of a guide's chain.
func (c *compiler) layer(f *File) error {
	for _, k := range f.keys {
		c.keys = append(c.keys, keySource{keyText: k, source: f.source, used: new(bool)})
	}
	for _, st := range f.overlay {
		if st.words[0].text == "codes" {
			if err := c.codeChange(f, st); err != nil {
				return err
			}
			continue
		}
		if len(st.words) != 2 || len(st.children) == 0 {
			return f.source.at(st, 1, "at needs a path such as heading/BEG and its changes below")
		}
		c.edits = append(c.edits, edit{source: f.source, file: f, st: st, path: st.words[1].text, own: f.based.name != ""})
	}
	return nil
}

// codeChange reads: codes 355 add P9 "name" [from DAY] [until DAY] | remove A B
// | only A B.
func (c *compiler) codeChange(f *File, st *statement) error {
	s := f.source
	if len(st.words) < 4 {
		return s.at(st, len(st.words), "codes NUMBER add CODE \"name\", codes NUMBER remove CODE ... or codes NUMBER only CODE ...")
	}
	ref := st.words[1].text
	if c.r.element(ref) == nil {
		return s.at(st, 1, "element %s is not described in this file or the ones it builds on", ref)
	}
	change := codeChange{st: st}
	values := st.words[3:]
	switch st.words[2].text {
	case "add":
		for len(values) > 0 {
			n := 1 // words of this code
			for n < len(values) && (values[n].quoted || values[n].text == "from" || values[n].text == "until") {
				if !values[n].quoted {
					n++
				}
				n++
			}
			n = min(n, len(values))
			code, err := f.code(&statement{line: st.line, words: values[:n]})
			if err != nil {
				return err
			}
			change.add, values = append(change.add, code), values[n:]
		}
	case "remove", "only":
		for _, v := range values {
			if st.words[2].text == "only" {
				change.only = append(change.only, v.text)
			} else {
				change.remove = append(change.remove, v.text)
			}
		}
	default:
		return s.at(st, 2, "%q: add, remove or only is expected", st.words[2].text)
	}
	c.r.change(ref, change)
	return nil
}

// overlay applies the edits to the compiled loops.
func (c *compiler) overlay(root *Loop) error {
	for _, e := range c.edits {
		found, err := c.edit(root, e)
		if err != nil {
			return err
		}
		if found == 0 {
			return e.source.at(e.st, 1, "the guide below has no place %s; paths look like heading/N1/N4 or detail/HL[O]/PRF", e.path)
		}
	}
	return nil
}

func (c *compiler) edit(l *Loop, e edit) (int, error) {
	found := 0
	for i := 0; i < len(l.Nodes) && len(l.Levels) == 0; i++ {
		if e.matches(l.Nodes[i].Path) {
			found++
			added, err := c.change(l, i, e)
			if err != nil {
				return found, err
			}
			i += added
			continue
		}
		if l.Nodes[i].Loop != nil && e.mayHold(l.Nodes[i].Path) || l.Nodes[i].Loop != nil && len(l.Nodes[i].Loop.Levels) > 0 {
			n, err := c.edit(l.Nodes[i].Loop, e)
			found += n
			if err != nil {
				return found, err
			}
		}
	}
	for i := range l.Levels {
		n, err := c.edit(l.Levels[i].Loop, e)
		found += n
		if err != nil {
			return found, err
		}
	}
	return found, nil
}

// change applies one block to the node at place i and returns how many nodes
// were put before and behind it, -1 when it is gone.
func (c *compiler) change(l *Loop, i int, e edit) (int, error) {
	s := e.source
	added, behind := 0, 0
	own := false // the segment was copied and may be changed
	for _, st := range e.st.children {
		n := &l.Nodes[i+added]
		w := st.words[0].text
		if m := positionRef.FindStringSubmatch(w); m != nil {
			if err := e.element(st, n, m[1], m[2], own); err != nil {
				return added, err
			}
			own = true
			continue
		}
		if strings.Contains(w, "..") {
			if err := e.elements(st, n, own); err != nil {
				return added, err
			}
			own = true
			continue
		}
		switch w {
		case "notes":
			if err := e.notes(st, n, own); err != nil {
				return added, err
			}
			own = true
		case "level":
			if err := e.level(st, n); err != nil {
				return added, err
			}
		case "instead", "followed-by":
			node, err := c.place(l, i+added, st, e)
			if err != nil {
				return added, err
			}
			if w == "instead" {
				l.Nodes[i+added], own = node, false
				continue
			}
			behind++
			l.Nodes = slices.Insert(l.Nodes, i+added+behind, node)
		case "remove":
			if i == 0 || len(e.st.children) > 1 {
				return added, s.at(st, 0, "remove stands alone, and not at the segment that begins a loop")
			}
			l.Nodes = slices.Delete(l.Nodes, i, i+1)
			return -1, nil
		case "variant":
			if i == 0 && n.Loop == nil && n.Min == 1 && n.Max == 1 && strings.HasSuffix(n.Path, "/"+l.Name+"/"+n.Tag.String()) {
				return added, s.at(st, 0, "%s begins its loop: put the variants on the loop, at %s", e.path, strings.TrimSuffix(e.path, "/"+n.Tag.String()))
			}
			variant, err := c.variant(n, st, e)
			if err != nil {
				return added, err
			}
			l.Nodes = slices.Insert(l.Nodes, i+added, variant)
			added++
			l.Nodes[i+added].variants = true
		case "others":
			if len(st.words) != 2 || st.words[1].text != "forbid" && st.words[1].text != "allow" {
				return added, s.at(st, 1, "others forbid or others allow")
			}
			n.Forbidden, n.Own = st.words[1].text == "forbid", true
		default:
			if rest, err := e.nodeRule(st, 0, n); err != nil {
				return added, err
			} else if rest < len(st.words) {
				return added, s.at(st, rest, "%q is not expected here", st.words[rest].text)
			}
		}
	}
	return added + behind, nil
}

// place compiles: instead MTX O *, followed-by PWK O 5, or followed-by loop
// with its segments below, for a place beside the node at i.
func (c *compiler) place(l *Loop, i int, st *statement, e edit) (Node, error) {
	n := &l.Nodes[i]
	if len(st.words) < 2 {
		return Node{}, e.source.at(st, 1, "%s needs a segment or loop: %s PWK O 5", st.words[0].text, st.words[0].text)
	}
	if i == 0 && st.words[0].text == "instead" {
		return Node{}, e.source.at(st, 0, "%s begins its loop and cannot be replaced", n.Path)
	}
	parent := ""
	if k := strings.LastIndexByte(n.Path, '/'); k >= 0 {
		parent = n.Path[:k]
	}
	inner := *st
	inner.words = st.words[1:]
	file := c.file
	c.file = e.file
	defer func() { c.file = file }()
	var into Loop
	if err := c.body(&into, []*statement{&inner}, n.Area, parent, 0); err != nil {
		return Node{}, err
	}
	if len(into.Nodes) != 1 {
		return Node{}, e.source.at(st, 1, "one segment or loop is expected")
	}
	into.Nodes[0].Own = e.own
	return into.Nodes[0], nil
}

// element applies a line to an element or component of a node's segment; own
// tells that the segment is a copy of its own already.
func (e edit) element(st *statement, n *Node, position, component string, own bool) error {
	s := e.source
	p, _ := strconv.Atoi(position)
	if n.Loop != nil {
		return s.at(st, 0, "%s is a loop: name the segment inside it whose element %d is meant", e.path, p)
	}
	if p < 1 || p > len(n.Segment.Uses) {
		return s.at(st, 0, "%s has elements 1 to %d", n.Tag, len(n.Segment.Uses))
	}
	if !own {
		n.ownSegment()
	}
	u := &n.Segment.Uses[p-1]
	if component == "" {
		err := e.use(st, u)
		n.Segment.finish()
		return err
	}
	if u.Composite == nil {
		return s.at(st, 0, "element %d of %s is no composite", p, n.Tag)
	}
	c, _ := strconv.Atoi(component)
	if c < 1 || c > len(u.Composite.Uses) {
		return s.at(st, 0, "element %d of %s has components 1 to %d", p, n.Tag, len(u.Composite.Uses))
	}
	whole := *u.Composite
	whole.Uses = slices.Clone(whole.Uses)
	u.Composite = &whole
	err := e.use(st, &whole.Uses[c-1])
	whole.finish()
	return err
}

// nodeRule reads require, forbid, optional, min N and max N from word i on and
// returns the first word that is none of these.
func (e edit) nodeRule(st *statement, i int, n *Node) (int, error) {
	s := e.source
	for ; i < len(st.words); i++ {
		switch st.words[i].text {
		case "require":
			n.Min = max(n.Min, 1)
		case "optional", "relax":
			n.Min = 0
		case "forbid":
			n.Forbidden, n.Min = true, 0
		case "min", "max":
			if i+1 >= len(st.words) {
				return i, s.at(st, i, "%s needs a number", st.words[i].text)
			}
			i++
			limit, err := parseMax(st.words[i].text)
			if err != nil {
				return i, s.at(st, i, "%q: %v", st.words[i].text, err)
			}
			if st.words[i-1].text == "min" {
				n.Min = limit
			} else {
				n.Max = limit
			}
		default:
			if i == 0 {
				return i, s.at(st, 0, "%q is no change: require, optional, forbid, min N, max N, variant, others, notes, level, instead, followed-by, remove or an element number", st.words[0].text)
			}
			return i, nil
		}
		n.Own = e.own
	}
	return i, nil
}

// use applies one element line: 2 codes SA NE require forbid length 1..10.
func (e edit) use(st *statement, u *Use) error {
	s := e.source
	for i := 1; i < len(st.words); i++ {
		switch w := st.words[i]; {
		case w.quoted:
			u.Name = w.text
		case w.text == "require":
			u.Required, u.OwnRequired = true, e.own
		case w.text == "optional" || w.text == "relax":
			u.Required = false
		case w.text == "forbid":
			u.Forbidden, u.Required = true, false
		case w.text == "length" && i+1 < len(st.words):
			i++
			var ok bool
			if u.Min, u.Max, ok = parseLength(st.words[i].text); !ok {
				return s.at(st, i, "%q is no length", st.words[i].text)
			}
			u.OwnLength = e.own
		case w.text == "pattern" && i+1 < len(st.words) && st.words[i+1].quoted:
			i++
			if u.Composite != nil {
				return s.at(st, i, "%s is a composite; its components hold the values", u.Ref)
			}
			pattern, err := regexp.Compile(`\A(?:` + st.words[i].text + `)\z`)
			if err != nil {
				return s.at(st, i, "%q is no pattern: %v", st.words[i].text, err)
			}
			u.Pattern = pattern
		case len(w.text) > 1 && len(w.text) <= 7 && w.text[0] == 'x' && isDigits(w.text[1:]):
			if u.Repeat, _ = strconv.Atoi(w.text[1:]); u.Repeat < 1 {
				return s.at(st, i, "x0: an element that is not used is forbidden")
			}
		case w.text == "codes" && i+1 < len(st.words):
			var values []string
			for i+1 < len(st.words) && !st.words[i+1].quoted {
				i++
				values = append(values, st.words[i].text)
			}
			if u.Composite != nil {
				return s.at(st, 1, "%s is a composite; its components hold the codes", u.Ref)
			}
			u.Codes, u.OwnCodes = NewCodes(false, pick(u.Codes.List(), values)), e.own
		default:
			return s.at(st, i, "%q is not expected: require, optional, forbid, length MIN..MAX, codes A B, pattern \"REGULAR EXPRESSION\", xN or a name in quotes", w.text)
		}
	}
	return nil
}

// variant copies a node for one value of an element:
// variant ST "Ship to" require max 1 where 1 = ST, changes indented below.
func (c *compiler) variant(n *Node, st *statement, e edit) (Node, error) {
	s := e.source
	if len(st.words) < 2 {
		return Node{}, s.at(st, 1, "a variant needs a name: variant ST \"Ship to\" where 1 = ST")
	}
	name := st.words[1].text
	path := n.Path + "[" + name + "]"
	v, err := c.copyNode(n, n.Path, path)
	if err != nil {
		return Node{}, s.at(st, 0, "%v", err)
	}
	v.Min, v.Max, v.Own, v.Forbidden, v.variants = 0, n.Max, true, false, true
	i := 2
	if i < len(st.words) && st.words[i].quoted {
		v.Title = st.words[i].text
		i++
	}
	if i < len(st.words) && st.words[i].text != "where" {
		if i, err = e.nodeRule(st, i, &v); err != nil {
			return Node{}, err
		}
	}
	if i >= len(st.words) || st.words[i].text != "where" {
		return Node{}, s.at(st, i, "a variant needs its condition: where 1 = ST")
	}
	w, err := e.file.where(st, i+1)
	if err != nil {
		return Node{}, err
	}
	v.Where = w.compile()
	for _, child := range st.children {
		if child.words[0].text != "at" || len(child.words) != 2 || len(child.children) == 0 {
			return Node{}, s.at(child, 0, "at SEGMENT with its changes below is expected in a variant")
		}
		inner := edit{source: s, file: e.file, st: child, path: path + "/" + child.words[1].text, own: e.own}
		holder := &Loop{Nodes: []Node{v}}
		if v.Loop == nil {
			inner.path = path
		}
		found, err := c.edit(holder, inner)
		if err != nil {
			return Node{}, err
		}
		if found == 0 {
			return Node{}, s.at(child, 1, "%s has no place %s", n.Path, child.words[1].text)
		}
		v = holder.Nodes[0]
	}
	return v, nil
}

// copyNode copies a node with all below it and gives the copy its own path.
func (c *compiler) copyNode(n *Node, from, to string) (Node, error) {
	if c.nodes++; c.nodes > maxNodes {
		return Node{}, errTooManyNodes
	}
	out := *n
	out.Path = to + strings.TrimPrefix(n.Path, from)
	if n.Loop != nil {
		loop, err := c.copyLoop(n.Loop, from, to)
		if err != nil {
			return Node{}, err
		}
		out.Loop = loop
	}
	return out, nil
}

func (c *compiler) copyLoop(l *Loop, from, to string) (*Loop, error) {
	out := *l
	out.Nodes = make([]Node, len(l.Nodes))
	for i := range l.Nodes {
		var err error
		if out.Nodes[i], err = c.copyNode(&l.Nodes[i], from, to); err != nil {
			return nil, err
		}
	}
	out.Levels = slices.Clone(l.Levels)
	for i := range out.Levels {
		level, err := c.copyLoop(out.Levels[i].Loop, from, to)
		if err != nil {
			return nil, err
		}
		out.Levels[i].Loop = level
	}
	return &out, nil
}
