package mapping

import "strings"

// blockLine compiles a line that goes into an occurrence, or through all.
func (c *compiler) blockLine(l *line, r *ruleText, from, to *contextType) *line {
	if c.depth++; c.depth > maxBlockDepth {
		c.depth--
		c.p.at(r.at, "a block that uses itself has to go one loop deeper each time", "blocks are nested deeper than %d", maxBlockDepth)
		return nil
	}
	defer func() { c.depth-- }()
	l.kind = lineBlock
	if !r.stays() {
		return c.block(l, r, from, to)
	}
	// The line stays where it is on the to side.
	if r.each != nil && !c.oneway {
		c.p.at(r.at, "move it to only-to", "%s goes through occurrences and stays where it is: that cannot run backward", l.name)
		return nil
	}
	return c.block(l, r, from, to)
}

// stays tells a target that is the context itself: a point, with a name behind
// it where there are several.
func (r *ruleText) stays() bool {
	return strings.HasPrefix(r.target.text, ".") && !strings.HasPrefix(r.target.text, "..")
}

// block binds both sides of a block and compiles its lines.
func (c *compiler) block(l *line, r *ruleText, from, to *contextType) *line {
	w := wantOne
	if r.each != nil {
		l.kind, w = lineEach, wantEach
	}
	if !r.stays() {
		l.to = c.to.bind(to, r.target, w)
		c.attempt(l.to)
	}
	source := r.each
	if source == nil {
		source = r.inside
	}
	if source != nil {
		l.from = c.from.bind(from, *source, w)
	}
	if l.to == nil && !r.stays() || source != nil && l.from == nil {
		return nil
	}
	if source == nil && l.to == nil {
		c.p.at(r.at, "write at: or each:", "%s goes nowhere on either side", l.name)
		return nil
	}
	insideTo, insideFrom := to.again(), from.again()
	if l.to != nil {
		insideTo = c.to.inside(to, l.to)
	}
	if l.from != nil {
		insideFrom = c.from.inside(from, l.from)
	}
	before := c.moves
	defer func() { c.moves = before }()
	if l.from != nil {
		c.moves[0]++
	}
	if l.to != nil {
		c.moves[1]++
	}
	c.ways(l, r, from, to)
	c.where(l, r, insideFrom, insideTo)
	l.body = &block{}
	if insideTo.item != nil {
		c.items(l, r, insideFrom, insideTo)
	} else {
		c.body(l, r, insideFrom, insideTo)
	}
	c.reversible(l, r)
	return l
}

// again is the same occurrence as the context of a block inside of it.
func (c *contextType) again() *contextType {
	out := *c
	out.above, out.closed = c, false
	return &out
}

// where compiles the conditions on the occurrences of an each; their names are
// looked up inside.
func (c *compiler) where(l *line, r *ruleText, from, to *contextType) {
	one := func(w wayText, b binder, ctx *contextType) *expression {
		if w.where == nil {
			return nil
		}
		if w.when != nil {
			c.p.at(w.where.at, "put both into where", "when and where do not go together: their names would be looked up in different places")
			return nil
		}
		_, e := c.expressions(wayText{when: w.where, with: w.with}, nil, b, ctx)
		return e
	}
	l.toWhere, l.fromWhere = one(r.to, c.from, from), one(r.from, c.to, to)
}

// items compiles the line of a list of values: each: MSG, path: MSG/1.
func (c *compiler) items(l *line, r *ruleText, from, to *contextType) {
	if len(r.paths) == 0 || r.use != nil || len(r.lines.both)+len(r.lines.onlyTo)+len(r.lines.onlyFrom) > 0 {
		c.p.at(r.at, "write {each: ..., path: ...}", "%s is a list of values, each of its items has one path", l.name)
		return
	}
	inner := &line{at: r.at, name: l.name, forward: true, backward: !c.oneway, to: &place{text: l.name, at: r.at, kind: to.item.Of}}
	once := *r
	once.to.when, once.from.when = nil, nil
	if c.valueLine(inner, &once, from, to) != nil {
		c.add(l.body, inner)
	}
}

// body compiles the lines of a block: those of the block it uses, and its own.
func (c *compiler) body(l *line, r *ruleText, from, to *contextType) {
	if len(r.paths) > 0 {
		c.p.at(r.at, "", "path is for values; %s has fields", l.name)
	}
	if r.use != nil {
		if shared := c.use(*r.use, from, to); shared != nil {
			l.body.lines = append(l.body.lines, &line{kind: lineBlock, at: r.use.at, name: l.name, body: shared, forward: true, backward: !c.oneway, slot: -1})
		}
	}
	c.lines(l.body, r.lines, from, to)
	if !r.stays() {
		c.complete(l.at, l.body, to)
	}
}

// use compiles a block for a pair of contexts, once: a block may use itself.
func (c *compiler) use(name located, from, to *contextType) *block {
	text, ok := c.m.blocks[name.text]
	if !ok {
		c.p.at(name.at, choose(name.text, c.m.blockNames()), "there is no block %q", clip(name.text))
		return nil
	}
	for _, u := range c.using {
		if u.name == name.text && (u.moves[0] == c.moves[0] || u.moves[1] == c.moves[1] && !c.oneway) {
			c.p.at(name.at, "a block that uses itself has to go one loop or object deeper on both sides", "block %q uses itself without end", clip(name.text))
			return nil
		}
	}
	for _, b := range c.blocks[name.text] {
		if b.from.sameAs(from) && b.to.sameAs(to) && b.oneway == c.oneway {
			return b.block
		}
	}
	b := &compiledBlock{from: closed(from), to: closed(to), oneway: c.oneway, block: &block{}}
	c.blocks[name.text] = append(c.blocks[name.text], b)
	c.using = append(c.using, usedBlock{name.text, c.moves})
	c.lines(b.block, text, b.from, b.to)
	c.using = c.using[:len(c.using)-1]
	return b.block
}

func closed(ctx *contextType) *contextType {
	out := *ctx
	out.closed = true
	return &out
}

// complete reports required fields of an object that no line fills.
func (c *compiler) complete(at position, b *block, to *contextType) {
	if to.object == nil || c.lenient {
		return
	}
	filled := map[*Field]bool{}
	seen := map[*block]bool{}
	var look func(b *block)
	look = func(b *block) {
		if seen[b] {
			return
		}
		seen[b] = true
		for _, l := range b.lines {
			switch {
			case l.to == nil:
				look(l.body)
			case l.to.up == 0 && len(l.to.steps) > 0:
				filled[l.to.steps[0].field] = true
			}
		}
	}
	look(b)
	for _, f := range to.object.Fields {
		if f.Required && !filled[f] && !(c.tried[f] && len(c.p.list) > 0) {
			c.p.at(at, "add a line for it", "field %s of %s is required and no line fills it", f.Name, to.object.Name)
		}
	}
}

// required reports required fields of the document.
func (c *compiler) required(p *program) {
	c.complete(c.m.at, p.top, c.to.root())
}

// oneWay compiles a line of only-to or only-from. A line of only-from is
// turned round: it reads the to side and writes the from side.
func (c *compiler) oneWay(r *ruleText, from, to *contextType, w Way) *line {
	if w == Forward {
		before := c.oneway
		c.oneway = true
		l := c.line(r, from, to)
		c.oneway = before
		return l
	}
	if r.isBlock {
		c.p.at(r.at, "write a line for each value: a path makes the loops it needs", "only-from holds lines, no blocks")
		return nil
	}
	turned := *r
	turned.to, turned.from = turn(r), wayText{}
	c.from, c.to, c.turned = c.to, c.from, true
	l := c.line(&turned, to, from)
	c.from, c.to, c.turned = c.to, c.from, false
	if l != nil {
		l.forward, l.backward, l.turned, l.stands = false, true, true, ""
	}
	return l
}

// turn gives what a line of only-from says about its direction. What is
// written without a direction belongs to it.
func turn(r *ruleText) wayText {
	w := r.from
	if w.when == nil {
		w.when = r.to.when
	}
	if w.standard == nil {
		w.standard = r.to.standard
	}
	if len(w.with) == 0 {
		w.with = r.to.with
	}
	if w.value == nil {
		w.value = r.to.value
	}
	return w
}

// ways compiles conditions, computed values and defaults.
func (c *compiler) ways(l *line, r *ruleText, from, to *contextType) {
	var own, other *place
	if len(l.places) > 0 {
		own = l.places[0]
	}
	other = l.to
	l.toValue, l.toWhen = c.expressions(r.to, own, c.from, from)
	l.fromValue, l.fromWhen = c.expressions(r.from, other, c.to, to)
	c.result(l.toValue, l.to, l.name)
	if own != nil {
		c.result(l.fromValue, own, own.text)
	} else if l.fromValue != nil {
		c.p.at(l.fromValue.at, "give a path", "from computes a value, but the line has no path to write it to")
	}
	if r.to.standard != nil {
		l.toStandard = []byte(r.to.standard.text)
		c.constant(l.to, r.to.standard)
	}
	if r.from.standard != nil {
		l.fromStandard = []byte(r.from.standard.text)
		c.constant(own, r.from.standard)
	}
}

// result checks the type of a computed value where it is known.
func (c *compiler) result(e *expression, p *place, name string) {
	if e == nil || p == nil {
		return
	}
	t := e.program.Node().Type()
	bad := false
	switch p.kind {
	case Integer, Decimal:
		bad = t == boolType() || t == instantType()
	case Date, Time, Moment:
		bad = t == boolType() || t == numberType()
	case Boolean:
		bad = t == numberType() || t == instantType()
	}
	if bad {
		c.p.at(e.at, "", "expression %q is %s, %s is a %s", clip(e.text), typeName(t), name, p.kind)
	}
}

// expressions compiles the condition and the value of one direction; b and ctx
// are those of the side it reads, value is what the line reads there.
func (c *compiler) expressions(w wayText, value *place, b binder, ctx *contextType) (computed, when *expression) {
	if w.value == nil && w.when == nil {
		if len(w.with) > 0 && w.where == nil {
			c.p.at(w.with[0].name.at, "", "with gives names for value, when and where, and there is none of them")
		}
		return nil, nil
	}
	var names []variable
	if value != nil && value.kind.isScalar() {
		names = append(names, variable{name: "value", place: value})
	}
	for _, v := range w.with {
		name := v.name.text
		if !plainName(name) || name == "value" {
			c.p.at(v.name.at, "", "%q is no name for a value: letters and digits, a letter first, and not value", clip(name))
			continue
		}
		p := c.bindVariable(b, ctx, v.text)
		if p == nil {
			continue
		}
		names = append(names, variable{name: name, place: p, many: repeats(p)})
	}
	if w.value != nil {
		computed = compileExpression(*w.value, names, false, c.p)
	}
	if w.when != nil {
		when = compileExpression(*w.when, names, true, c.p)
	}
	return computed, when
}

func (c *compiler) bindVariable(b binder, ctx *contextType, path located) *place {
	if ctx.item != nil {
		c.p.at(path.at, "", "the items of %s are values, they have no fields", ctx.path)
		return nil
	}
	return b.bind(ctx, path, wantMany)
}

// repeats tells whether a place can have several values: it crosses a loop or
// list without choosing one of its occurrences.
func repeats(p *place) bool {
	for _, s := range p.steps {
		switch {
		case s.head || s.nth > 0 || len(s.conds) > 0:
		case s.field != nil && s.field.Kind == List:
			return true
		case s.field == nil && s.max != 1:
			return true
		}
	}
	return p.leaf.isRange
}

func plainName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x80 || !isWord(c, i == 0) || c == '-' {
			return false
		}
	}
	return s != "" && s[0] != '_'
}
