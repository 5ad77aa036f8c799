package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

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

// isList tells a place that holds a list of values.
func (c *compiler) isList(p *place) bool {
	return p != nil && p.field != nil && p.field.Kind == List && p.field.Object == nil
}

// constant checks a constant of the map against the side it is written to.
func (c *compiler) constant(p *place, v *located) {
	if p == nil || v == nil {
		return
	}
	if bad, hint := p.badConstant(v.text); bad != "" {
		c.p.at(v.at, hint, "%s", bad)
	}
}

// badConstant tells what is wrong with a constant of the map at a place.
func (p *place) badConstant(v string) (text, hint string) {
	switch {
	case p == nil:
		return "", ""
	case p.field != nil:
		return p.field.badConstant(v)
	}
	return badConstant(p.leaf.use, v)
}

// form reads what the line says about dates, implied decimals and values
// beside.
func (c *compiler) form(l *line, r *ruleText) {
	if l.from == nil {
		return
	}
	inGuide := l.from.leaf.use != nil
	wrong := func(v *located, text string) {
		c.p.at(v.at, "", "%s", text)
	}
	for _, p := range l.places {
		if r.raw {
			p.codec = codec{kind: Text, use: p.codec.use}
			p.kind = Text
		}
	}
	switch {
	case r.raw && (r.date != nil || r.time != nil || r.places != nil):
		c.p.at(r.at, "", "raw takes the value as it stands: date, time and implied do not go with it")
	case r.date != nil && !inGuide:
		wrong(r.date, "date names the form a date has in EDI; "+l.from.text+" is a field")
	case r.date != nil:
		f, ok := formNamed(r.date.text)
		if !ok {
			c.p.at(r.date.at, choose(r.date.text, formNames()), "%q is no form of a date or time", clip(r.date.text))
			break
		}
		for _, p := range l.places {
			p.codec.form, p.codec.formatAt = f, 0
			switch {
			case !f.hasDay():
				p.codec.kind = Time
			case f.hasTime():
				p.codec.kind = Moment
			default:
				p.codec.kind = Date
			}
			p.kind = p.codec.kind
		}
	}
	if r.places != nil {
		n, err := strconv.Atoi(r.places.text)
		if err != nil || n < 1 || n > 9 || !inGuide {
			wrong(r.places, "implied is the number of decimal places of an element, 1 to 9")
		} else {
			for _, p := range l.places {
				p.codec.kind, p.codec.implied, p.codec.places, p.kind = Decimal, true, n, Decimal
			}
		}
	}
	if r.time != nil {
		c.timeBeside(l, r)
	}
	for _, b := range r.beside {
		c.besideValue(l, b)
	}
}

// timeBeside looks up the element that holds the time of a date.
func (c *compiler) timeBeside(l *line, r *ruleText) {
	n, err := strconv.Atoi(r.time.text)
	layout := l.from.layout
	switch {
	case err != nil || layout == nil || l.from.leaf.component > 0 || l.from.kind != Date:
		c.p.at(r.time.at, "", "time names the element beside a date that holds its time: time: 3")
	case n < 1 || n > len(layout.Uses) || layout.Uses[n-1].Type != schema.Time:
		c.p.at(r.time.at, "", "element %s of %s is no time", clip(r.time.text), layout.Tag)
	default:
		for _, p := range l.places {
			p.codec.timeAt, p.codec.kind, p.kind = n, Moment, Moment
		}
	}
}

// besideValue looks up one value that has to stand in the same segment.
func (c *compiler) besideValue(l *line, b pairText) {
	var layout *schema.Segment
	if l.from != nil {
		layout = l.from.layout
	}
	element, component, dotted := strings.Cut(b.name.text, ".")
	n, err := strconv.Atoi(element)
	m := 0
	if err == nil && dotted {
		m, err = strconv.Atoi(component)
	}
	if err != nil || n < 1 || m < 0 || layout == nil {
		c.p.at(b.name.at, "write 6: \"3\" or 3.1: \"5\"", "beside names elements of the segment the value stands in")
		return
	}
	look := &lookup{b: &ediBinder{p: c.p, x: c.index(l.from), lenient: c.lenient}, text: &pathText{located: b.name}, place: &place{}}
	use := look.element(layout, n, 0)
	if look.failed {
		return
	}
	if m > 0 {
		use = look.component(use, layout, n, m, 0)
	} else if use.Composite != nil {
		look.fail(0, fmt.Sprintf("write %d.1", n), "%s%02d is a composite", layout.Tag, n)
	}
	if look.failed {
		return
	}
	for _, v := range b.values {
		if bad, hint := badConstant(use, v); bad != "" {
			c.p.at(b.text.at, hint, "%s", bad)
		}
	}
	l.beside = append(l.beside, besideValue{n, m, b.values})
}

// index finds the guide a place was looked up in.
func (c *compiler) index(p *place) *guideIndex {
	for _, b := range []binder{c.from, c.to} {
		if e, ok := b.(*ediBinder); ok {
			return e.x
		}
	}
	return nil
}

// lookup finds the table of a line and checks its codes against both sides.
func (c *compiler) lookup(l *line, r *ruleText) {
	if r.lookup == nil {
		return
	}
	l.table = r.lookup.table
	if r.lookup.name != nil {
		if l.table = c.m.tables[r.lookup.name.text]; l.table == nil {
			c.p.at(r.lookup.at, choose(r.lookup.name.text, slices.Sorted(keysOf(c.m.tables))), "there is no table %q", clip(r.lookup.name.text))
			return
		}
	}
	if c.lenient {
		return // codes the guide does not have are refused when they occur
	}
	for _, row := range l.table.rows {
		var bad, hint string
		left, right := l.from, l.to
		if c.turned {
			left, right = l.to, l.from
		}
		if bad, hint = left.badConstant(row.from); bad == "" {
			bad, hint = right.badConstant(row.to)
		}
		if bad != "" {
			c.p.at(row.at, hint, "row %s, %s: %s", clip(row.from), clip(row.to), bad)
		}
	}
}

// kinds checks that the values of both sides can become each other.
func (c *compiler) kinds(l *line, r *ruleText) {
	if l.from == nil || l.kind == lineCount || l.table != nil || l.toValue != nil || l.fromValue != nil {
		return
	}
	for _, p := range l.places {
		if l.kind != lineJoin {
			c.numberInText(p, l.to)
			c.numberInText(l.to, p)
		}
		if !canBecome(p.kind, l.to.kind) {
			c.p.at(p.at, "say how: date: for texts that hold dates, lookup, or to and from", "%s is a %s, %s is a %s", p.text, p.kind, l.name, l.to.kind)
			return
		}
	}
}

// numberInText makes a text element that goes to a number of a form one that
// holds a number, with the decimal mark of its interchange.
func (c *compiler) numberInText(element, other *place) {
	if element.leaf.use != nil && element.kind == Text && other.field != nil && other.kind.isNumber() {
		element.kind, element.codec.kind = other.kind, other.kind
	}
}

// canBecome tells kinds that turn into each other without being told how.
func canBecome(a, b Kind) bool {
	switch {
	case a == b, a.isNumber() && b.isNumber(), a == Date && b == Moment, a == Moment && b == Date:
		return true
	case a == Text:
		return b.isNumber() || b == Boolean || b == Text
	case b == Text:
		return true
	}
	return false
}

// reversible tells whether the line can run backward, and why not.
func (c *compiler) reversible(l *line, r *ruleText) {
	switch {
	case l.toValue != nil && l.fromValue == nil && l.kind != lineConst:
		l.stands = "it has a value for to and none for from"
	case l.toWhen != nil && l.fromWhen == nil:
		l.stands = "it has a condition for to and none for from"
	case l.from == nil && l.kind != lineConst && l.fromValue == nil && l.toValue != nil:
		l.stands = "it has no path to write to"
	}
	switch l.kind {
	case lineConst, lineCount, lineWritten:
		l.backward = false // it says nothing the other side does not know
		l.stands = ""
	}
}
