package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tradepost/edi/schema"
)

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
	case p.kind == Date || p.kind == Moment || p.kind == Time:
		if _, ok := parseMoment([]byte(v)); ok {
			return "", ""
		}
		if _, ok := parseISOTime([]byte(v)); ok {
			return "", ""
		}
		return fmt.Sprintf("%q is no date or time; write it as 2026-03-01 or 08:30, whatever form the element has", clip(v)), ""
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
