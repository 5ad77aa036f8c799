package mapping

import (
	"slices"

	"tradepost/edi/schema"
)

// compiler looks the lines of a map up on both sides.
type compiler struct {
	p        *problems
	m        *mapText
	from, to binder
	guides   []string // names of the guides of this program
	blocks   map[string][]*compiledBlock
	all      []*line
	depth    int
	using    []usedBlock // those being compiled, the outermost first
	moves    [2]int      // how often lines around went on, on the from and the to side
	turned   bool        // a line of only-from is compiled
	oneway   bool        // a line of only-to, or one inside of it
	lenient  bool        // for a guide the map does not name: lines it has no place for are left out
	dropped  []Problem
	tried    map[*Field]bool // fields that lines with a mistake were written for
}

// compiledBlock is a block used in one pair of contexts.
type compiledBlock struct {
	from, to *contextType
	oneway   bool
	block    *block
}

// usedBlock is a block being compiled, and how far the lines around it had gone
// on.
type usedBlock struct {
	name  string
	moves [2]int
}

const (
	maxBlockDepth = 40
	maxCompiled   = 100000 // lines of one program, uses of blocks written out
)

// compile makes the program for one guide or form on each side.
func compile(m *mapText, from, to sideInfo, lenient bool, p *problems) *program {
	c := &compiler{p: p, m: m, blocks: map[string][]*compiledBlock{}, lenient: lenient, tried: map[*Field]bool{}}
	bind := func(s *sideInfo) binder {
		if s.form != nil {
			return &formBinder{s.form, p}
		}
		b := &ediBinder{s.guide, p, map[string]int{}, lenient}
		c.guides = append(c.guides, s.guide.guide.Name)
		return b
	}
	c.from, c.to = bind(&from), bind(&to)
	prog := &program{from: from, to: to, top: &block{}}
	c.lines(prog.top, m.lines, c.from.root(), c.to.root())
	prog.all, prog.dropped = c.all, c.dropped
	c.required(prog)
	return prog
}

// lines compiles the lines of one block: in the order they are written, those
// of one direction behind those of both.
func (c *compiler) lines(into *block, text linesText, from, to *contextType) {
	for _, r := range text.both {
		c.try(into, func() *line { return c.line(r, from, to) })
	}
	for _, r := range text.onlyTo {
		c.try(into, func() *line { return c.oneWay(r, from, to, Forward) })
	}
	for _, r := range text.onlyFrom {
		c.try(into, func() *line { return c.oneWay(r, from, to, Backward) })
	}
}

// try adds a line; one that a guide the map does not name has no place for is
// left out.
func (c *compiler) try(into *block, compile func() *line) {
	before, all := len(c.p.list), len(c.all)
	l := compile()
	if c.lenient && len(c.p.list) > before {
		c.dropped = append(c.dropped, c.p.list[before:]...)
		c.p.list, c.all = c.p.list[:before], c.all[:all]
		return
	}
	c.add(into, l)
}

func (c *compiler) add(into *block, l *line) {
	if l == nil {
		return
	}
	into.lines = append(into.lines, l)
	l.slot = l.needs()
	if c.all = append(c.all, l); len(c.all) == maxCompiled {
		c.p.at(l.at, "", "the map has more than %d lines, blocks written out", maxCompiled)
	}
}

// needs is the slot without which the line does nothing when it reads EDI
// forward, -1 when there is none.
func (l *line) needs() int32 {
	from, alone := l.from, len(l.places) <= 1
	switch {
	case from == nil || from.field != nil || from.up != 0 || !alone || l.turned || len(from.steps) == 0 || from.steps[0].head,
		l.toValue != nil || l.toStandard != nil || l.kind == lineCount:
		return -1
	}
	return int32(from.steps[0].slot) //nolint:gosec // a guide has few nodes
}

// concerns tells whether a line is for the guides of this program.
func (c *compiler) concerns(r *ruleText) bool {
	if len(r.guides) == 0 {
		return true
	}
	for _, g := range r.guides {
		if slices.Contains(c.guides, g.text) {
			return true
		}
		if !slices.Contains(c.m.guideNames(), g.text) {
			c.p.at(g.at, choose(g.text, c.m.guideNames()), "the map has no guide %s", clip(g.text))
		}
	}
	return false
}

func (c *compiler) line(r *ruleText, from, to *contextType) *line {
	if !c.concerns(r) || len(c.all) >= maxCompiled {
		return nil
	}
	l := &line{at: r.at, name: r.target.text, rest: r.rest, forward: true, backward: !c.oneway}
	if r.isBlock {
		return c.blockLine(l, r, from, to)
	}
	if l.to = c.to.bind(to, r.target, c.targetWant(r, to)); l.to == nil {
		return nil
	}
	c.attempt(l.to)
	return c.valueLine(l, r, from, to)
}

// attempt notes that there is a line for a field, right or wrong.
func (c *compiler) attempt(p *place) {
	if p != nil && len(p.steps) > 0 && p.steps[0].field != nil {
		c.tried[p.steps[0].field] = true
	}
}

// targetWant lets a line with several paths and no join write a list.
func (c *compiler) targetWant(r *ruleText, to *contextType) want {
	if r.how == "path" && r.join == nil && to.object != nil {
		if f := to.object.field(r.target.text); f != nil && f.Kind == List && f.Object == nil {
			return wantMany
		}
	}
	return wantValue
}

// valueLine compiles what a value is made from.
func (c *compiler) valueLine(l *line, r *ruleText, from, to *contextType) *line {
	switch {
	case r.value != nil:
		l.kind, l.constant = lineConst, []byte(r.value.text)
		c.constant(l.to, r.value)
	case r.count != nil:
		l.kind = lineCount
		l.from = c.from.bind(from, *r.count, wantCount)
		if l.to.kind != Integer && l.to.kind != Decimal {
			c.p.at(r.count.at, "", "%s is a %s, a count is a number", l.name, l.to.kind)
		}
	case r.tag != nil:
		l.kind, l.tag = lineWritten, schema.MakeTag(r.tag.text)
		if l.to.leaf.use == nil || !l.to.kind.isNumber() {
			c.p.at(r.tag.at, "", "written counts segments of EDI that is written, for an element that holds a number")
		}
	case !c.sources(l, r, from):
		return nil
	}
	if len(l.places) > 0 {
		l.from = l.places[0]
	}
	c.form(l, r)
	c.ways(l, r, from, to)
	c.lookup(l, r)
	c.kinds(l, r)
	c.reversible(l, r)
	return l
}

// sources looks the paths of a value up.
func (c *compiler) sources(l *line, r *ruleText, from *contextType) bool {
	w := wantValue
	list := c.isList(l.to)
	switch {
	case r.join != nil:
		w, l.kind, l.join = wantJoin, lineJoin, r.join.text
		if l.to.kind != Text {
			c.p.at(r.join.at, "", "%s is a %s, join makes a text", l.name, l.to.kind)
		}
	case r.how == "agree":
		w, l.kind = wantMany, lineAgree
	case list:
		w, l.kind = wantMany, lineValues
	case len(r.paths) > 1 && r.how == "path":
		c.p.at(r.paths[1].at, "write any: for the first that has a value, or add join: \" \"", "%s takes one value, there are %d paths", l.name, len(r.paths))
		return false
	}
	if from.item != nil && len(r.paths) > 0 {
		c.p.at(r.at, "", "the items of %s are values, they have no fields", from.path)
		return false
	}
	for _, path := range r.paths {
		p := c.source(path, from, w, len(r.paths) > 1)
		if p != nil {
			l.places = append(l.places, p)
		} else if len(r.paths) == 1 {
			return false
		}
	}
	return len(l.places) > 0 || len(r.paths) == 0
}

// source looks one path of a value up. One of several that only another guide
// of the map has is left out.
func (c *compiler) source(path located, from *contextType, w want, several bool) *place {
	if !several {
		return c.from.bind(from, path, w)
	}
	own := &problems{}
	p := c.from.reporting(own).bind(from, path, w)
	if c.m.alternatives == nil {
		c.m.alternatives = map[position]*alternative{}
	}
	a := c.m.alternatives[path.at]
	if a == nil {
		a = &alternative{}
		c.m.alternatives[path.at] = a
	}
	if a.found = a.found || p != nil; p == nil {
		a.problems = own.list
	}
	return p
}

// alternative is one of several paths of a line: it has to be in one guide of
// the map.
type alternative struct {
	found    bool
	problems []Problem
}
