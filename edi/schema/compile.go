package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	maxNodes  = 20000 // nodes of one compiled guide, includes written out
	maxLevels = 100   // kinds of levels of a hierarchy; a validator keeps one in a byte
)

var errTooManyNodes = fmt.Errorf("the guide has more than %d places for segments, templates written out", maxNodes)

// compiler turns a guide's statements into the loops a validator walks.
type compiler struct {
	file  *File // the guide whose area statements are compiled (the base of an overlay)
	r     *resolver
	nodes int
	keys  []keySource
	edits []edit
}

// keySource is a key with the file it stands in.
type keySource struct {
	keyText
	source *source
	used   *bool
}

func (c *compiler) build(guide *Guide) error {
	root := &Loop{Name: guide.Type}
	for _, area := range c.file.areas {
		name := area.words[1].text
		path := name
		if name == "message" {
			name, path = "", ""
		}
		if err := c.body(root, area.children, name, path, 0); err != nil {
			return err
		}
	}
	if err := c.overlay(root); err != nil {
		return err
	}
	c.nodes = 0
	c.finish(root)
	guide.Root, guide.Nodes = root, c.nodes
	guide.places = make(map[Tag]*Segment)
	c.collect(guide, root)
	for _, k := range c.keys {
		if !*k.used {
			return k.source.at(k.st, 2, "no segment %s has a place at %s in this guide", k.at.tag, or(k.in, "any path"))
		}
	}
	return nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// body compiles the statements of an area, loop or level into a loop.
func (c *compiler) body(into *Loop, statements []*statement, area, path string, depth int) error {
	s := c.file.source
	if depth > maxDepth {
		return s.at(statements[0], 0, "loops and templates are nested deeper than %d; a template may include itself", maxDepth)
	}
	for _, st := range statements {
		var node Node
		var err error
		switch st.words[0].text {
		case "include":
			name, problem := c.file.single(st)
			if problem != nil {
				return problem
			}
			template := c.file.templates[name]
			if template == nil {
				return s.at(st, 1, "there is no template %s in this file", name)
			}
			if c.nodes++; c.nodes > maxNodes {
				return s.at(st, 0, "%v", errTooManyNodes)
			}
			if err = c.body(into, template.children, area, path, depth+1); err != nil {
				return err
			}
			continue
		case "loop":
			node, err = c.loop(st, area, path, depth)
		case "hl":
			node, err = c.hierarchy(st, area, path, depth)
		default:
			node, err = c.segment(st, area, path)
		}
		if err != nil {
			return err
		}
		if c.nodes++; c.nodes > maxNodes {
			return s.at(st, 0, "%v", errTooManyNodes)
		}
		into.Nodes = append(into.Nodes, node)
	}
	return nil
}

func (c *compiler) segment(st *statement, area, path string) (Node, error) {
	s := c.file.source
	tag := st.words[0].text
	if !isSegmentTag(tag) {
		return Node{}, s.at(st, 0, "%q is no segment identifier; loop, hl, include or a segment is expected", tag)
	}
	seg, err := c.r.segment(MakeTag(tag))
	if err != nil {
		return Node{}, err
	}
	if seg == nil {
		return Node{}, s.at(st, 0, "segment %s is not described in this file or the ones it builds on", tag)
	}
	if len(st.children) > 0 {
		return Node{}, s.at(st.children[0], 0, "nothing can stand below a segment; loop opens a group")
	}
	node := Node{Tag: MakeTag(tag), Segment: seg, Area: area, Path: join(path, tag)}
	if _, err := c.uses(st, 1, &node); err != nil {
		return Node{}, err
	}
	for i := range c.keys {
		k := &c.keys[i]
		if k.at.tag != tag || !within(node.Path, k.in) {
			continue
		}
		if k.at.element > len(seg.Uses) {
			return Node{}, k.source.at(k.st, 2, "%s has %d elements", tag, len(seg.Uses))
		}
		*k.used = true
		key := Key{Name: k.name, Element: k.at.element, Component: k.at.component}
		if k.where != nil {
			key.Where = k.where.compile()
		}
		node.Keys = append(node.Keys, key)
	}
	return node, nil
}

// within tells whether a path is the prefix itself or stands below it.
func within(path, prefix string) bool {
	return prefix == "" || path == prefix || strings.HasPrefix(path, prefix+"/")
}

func (w *whereText) compile() *Where {
	list := make([]Code, len(w.values))
	for i, v := range w.values {
		list[i].Value = v
	}
	return &Where{Element: w.at.element, Component: w.at.component, Values: NewCodes(false, list)}
}

// uses reads M or O and the largest number of uses from word n on and returns
// the title, if any.
func (c *compiler) uses(st *statement, n int, node *Node) (string, error) {
	s := c.file.source
	if len(st.words) <= n {
		return "", s.at(st, n, "M or O is missing, and how often it may occur: %s O 3", st.words[0].text)
	}
	switch st.words[n].text {
	case "M":
		node.Min = 1
	case "O", "C":
	default:
		return "", s.at(st, n, "%q: M (mandatory) or O (optional) is expected", st.words[n].text)
	}
	node.Max = 1
	n++
	if n < len(st.words) && !st.words[n].quoted {
		limit, err := parseMax(st.words[n].text)
		if err != nil {
			return "", s.at(st, n, "%q: %v", st.words[n].text, err)
		}
		node.Max = limit
		n++
	}
	return c.file.title(st, n)
}

func parseMax(text string) (int, error) {
	if text == "*" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxUse {
		return 0, fmt.Errorf("how often it may occur is a number from 1, or * for any")
	}
	return n, nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "/" + name
}

// loop reads: loop N1 O 200 "Party", its segments indented below.
func (c *compiler) loop(st *statement, area, path string, depth int) (Node, error) {
	s := c.file.source
	if len(st.words) < 2 || len(st.children) == 0 {
		return Node{}, s.at(st, 1, "a loop needs a name, M or O, and its segments below: loop N1 O 200")
	}
	name := st.words[1].text
	node := Node{Area: area, Path: join(path, name)}
	title, err := c.uses(st, 2, &node)
	if err != nil {
		return Node{}, err
	}
	node.Loop = &Loop{Name: name, Title: title}
	if err := c.body(node.Loop, st.children, area, node.Path, depth+1); err != nil {
		return Node{}, err
	}
	first := &node.Loop.Nodes[0]
	if first.Loop != nil {
		return Node{}, s.at(st.children[0], 0, "a loop is opened by a segment, not by another loop")
	}
	first.Min, first.Max = 1, 1
	node.Tag, node.Segment = first.Tag, first.Segment
	return node, nil
}

// hierarchy reads: hl HL M * "Hierarchy" with level statements below.
func (c *compiler) hierarchy(st *statement, area, path string, depth int) (Node, error) {
	s := c.file.source
	if len(st.words) < 2 || len(st.children) == 0 {
		return Node{}, s.at(st, 1, "a hierarchy needs a name, M or O, and levels below: hl HL M *")
	}
	name := st.words[1].text
	node := Node{Area: area, Path: join(path, name), Tag: MakeTag("HL")}
	title, err := c.uses(st, 2, &node)
	if err != nil {
		return Node{}, err
	}
	node.Loop = &Loop{Name: name, Title: title}
	for _, child := range st.children {
		level, err := c.level(child, area, node.Path, depth)
		if err != nil {
			return Node{}, err
		}
		if slices.ContainsFunc(node.Loop.Levels, func(l Level) bool { return l.Code == level.Code }) {
			return Node{}, s.at(child, 1, "level %s is described twice", level.Code)
		}
		if len(node.Loop.Levels) == maxLevels {
			return Node{}, s.at(child, 0, "a hierarchy has at most %d kinds of levels", maxLevels)
		}
		node.Loop.Levels = append(node.Loop.Levels, level)
	}
	node.Loop.Nodes = slices.Clone(node.Loop.Levels[0].Loop.Nodes[:1])
	node.Segment = node.Loop.Nodes[0].Segment
	return node, nil
}

// level reads: level O "Order" [root] [under S T].
func (c *compiler) level(st *statement, area, path string, depth int) (Level, error) {
	s := c.file.source
	if st.words[0].text != "level" || len(st.words) < 2 || len(st.children) == 0 {
		return Level{}, s.at(st, 0, "level CODE \"name\" [root] [under CODE ...] with its segments below is expected")
	}
	level := Level{Code: st.words[1].text}
	for i := 2; i < len(st.words); i++ {
		switch w := st.words[i]; {
		case w.quoted:
			level.Title = w.text
		case w.text == "root":
			level.IsRoot = true
		case w.text == "under" && i+1 < len(st.words):
			for i+1 < len(st.words) && !st.words[i+1].quoted && st.words[i+1].text != "root" {
				i++
				level.Under = append(level.Under, st.words[i].text)
			}
		default:
			return Level{}, s.at(st, i, "%q is not expected: root, under CODE ... or a name in quotes", w.text)
		}
	}
	level.Loop = &Loop{Name: level.Code, Title: level.Title}
	if err := c.body(level.Loop, st.children, area, path+"["+level.Code+"]", depth+1); err != nil {
		return Level{}, err
	}
	first := &level.Loop.Nodes[0]
	if first.Loop != nil || first.Tag != MakeTag("HL") {
		return Level{}, s.at(st.children[0], 0, "a level begins with its HL segment")
	}
	first.Min, first.Max = 1, 1
	return level, nil
}

// finish fills the tables that are derived from the nodes, after overlays.
func (c *compiler) finish(l *Loop) {
	l.Tags, l.Mandatory = make([]Tag, len(l.Nodes)), nil
	l.First = c.nodes
	c.nodes += len(l.Nodes)
	for i := range l.Nodes {
		n := &l.Nodes[i]
		l.Tags[i] = n.Tag
		if n.Min > 0 {
			l.Mandatory = append(l.Mandatory, i)
		}
		if n.From, n.To = i, i+1; n.variants && i > 0 && l.Nodes[i-1].variants && l.Nodes[i-1].Tag == n.Tag {
			n.From = l.Nodes[i-1].From
			for j := n.From; j < i; j++ {
				l.Nodes[j].To = n.To
			}
		}
		if n.Loop != nil {
			c.finish(n.Loop)
		}
	}
	for i := range l.Levels {
		c.finish(l.Levels[i].Loop)
	}
}

func (c *compiler) collect(g *Guide, l *Loop) {
	for i := range l.Nodes {
		n := &l.Nodes[i]
		if _, ok := g.places[n.Tag]; !ok {
			g.places[n.Tag] = n.Segment
		}
		if n.Loop != nil {
			c.collect(g, n.Loop)
		}
	}
	for i := range l.Levels {
		c.collect(g, l.Levels[i].Loop)
	}
}
