package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tradepost/edi/schema"
)

// ediBinder looks paths up in a guide.
type ediBinder struct {
	x     *guideIndex
	p     *problems
	signs map[string]int

	lenient bool // codes of conditions that the guide does not have are left out
}

func (b *ediBinder) reporting(p *problems) binder { return &ediBinder{b.x, p, b.signs, b.lenient} }

func (b *ediBinder) root() *contextType { return &contextType{loop: b.x.root, path: b.x.guide.Name} }

// lookup is one path on its way through the guide.
type lookup struct {
	b      *ediBinder
	text   *pathText
	place  *place
	loop   *loopInfo
	layout *schema.Segment
	span   *leaf
	inside bool // of a segment: only elements follow
	want   want
	failed bool
}

func (l *lookup) fail(col int, hint, format string, args ...any) {
	if l.failed {
		return
	}
	l.failed = true
	at := l.text.at
	at.column += col
	text := fmt.Sprintf(format, args...)
	l.b.p.at(at, hint, "path %q: %s in guide %s", clip(l.text.text), text, l.b.x.guide.Name)
}

func (b *ediBinder) bind(ctx *contextType, path located, w want) *place {
	text := readPath(path, false, b.p)
	if text == nil {
		return nil
	}
	l := &lookup{b: b, text: text, want: w, place: &place{text: path.text, at: path.at}}
	at := climb(ctx, text, l.place, b.p)
	if at == nil {
		return nil
	}
	l.loop, l.layout, l.span, l.inside = at.loop, at.layout, at.span, at.layout != nil
	if l.layout == nil && at.loop != b.x.root && len(text.steps) == 0 {
		l.layout = at.loop.loop.Nodes[0].Segment // a plain 2 is an element of the segment that opens the loop
	}
	for i, st := range text.steps {
		l.step(i, st)
		if l.failed {
			return nil
		}
	}
	l.end()
	if l.failed {
		return nil
	}
	l.place.layout, l.place.node = l.layout, at.node
	if n := len(l.place.steps); n > 0 {
		l.place.node = l.place.steps[n-1].node
	}
	return l.place
}

// climb finds the context a path starts in; nil when there is none.
func climb(ctx *contextType, text *pathText, pl *place, p *problems) *contextType {
	at := ctx
	pl.up = text.up
	if text.root {
		for pl.up = -1; at.above != nil; {
			at = at.above
		}
		return at
	}
	for range text.up {
		if at.above == nil {
			p.at(text.at, "", "path %q: there is nothing around the document", clip(text.text))
			return nil
		}
		if at.closed {
			p.at(text.at, "begin with / to start at the document", "path %q: a block that is used elsewhere cannot look at what is around it", clip(text.text))
			return nil
		}
		at = at.above
	}
	return at
}

// step looks one name up.
func (l *lookup) step(i int, st stepText) {
	if i == 0 && l.loop == l.b.x.root && len(l.text.steps) > 1 && l.b.x.isArea(st.name) {
		return // the next step is looked for in this area
	}
	if l.inside {
		l.fail(st.col, "an element follows: "+l.layout.Tag+"/2", "%s is a segment, there is nothing inside called %s", l.layout.Tag, st.name)
		return
	}
	area := ""
	if i == 1 && len(l.place.steps) == 0 && l.loop == l.b.x.root && l.b.x.isArea(l.text.steps[0].name) {
		area = l.text.steps[0].name
	}
	f, where := l.b.x.find(l.loop, st.name, st.level, area)
	switch {
	case len(where) == 0:
		hint := choose(st.name, l.b.x.names(l.loop))
		if paths := l.b.x.elsewhere(st.name); len(paths) > 0 {
			hint = "it stands at " + strings.Join(paths, ", ")
		}
		l.fail(st.col, hint, "there is no %s in %s", st.name, l.loop.name)
		return
	case len(where) > 1:
		l.fail(st.col, "write the area or the name of the loop: "+strings.Join(where, ", "), "%s stands at %d places", st.name, len(where))
		return
	}
	s := step{slot: f.slot, loop: f.loop, nth: st.nth, max: f.max, layout: f.layout, node: f.node, name: st.name, tag: f.layout.Tag}
	s.head = f.loop == nil && f.slot == 0 && l.loop != l.b.x.root
	if f.max > 0 && st.nth > f.max {
		l.fail(st.col, "", "%s#%d: %s occurs at most %s", st.name, st.nth, st.name, often(f.max))
		return
	}
	for _, c := range st.conds {
		s.conds = append(s.conds, l.cond(c, f.layout))
		if l.failed {
			return
		}
	}
	if f.level != "" {
		s.conds = append(s.conds, cond{element: 3, values: []string{f.level}, use: &f.layout.Uses[2]})
	}
	if len(st.conds) > 0 || st.nth > 0 || f.level != "" {
		s.sign = l.b.sign(st.key())
	}
	l.place.steps = append(l.place.steps, s)
	l.layout, l.inside = f.layout, f.loop == nil
	if f.loop != nil {
		l.loop = f.loop
	}
}

func often(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return strconv.Itoa(n) + " times"
}

// sign numbers the different conditions.
func (b *ediBinder) sign(key string) int {
	n, ok := b.signs[key]
	if !ok {
		n = len(b.signs) + 1
		b.signs[key] = n
	}
	return n
}

// cond looks one condition up and checks its values against the code list.
func (l *lookup) cond(c condText, layout *schema.Segment) cond {
	use := l.element(layout, c.element, c.col)
	if l.failed {
		return cond{}
	}
	switch {
	case use.Composite != nil && c.component == 0:
		l.fail(c.col, fmt.Sprintf("write %d.1", c.element), "%s%02d (%s) is a composite", layout.Tag, c.element, use.Name)
		return cond{}
	case c.component > 0:
		if use = l.component(use, layout, c.element, c.component, c.col); l.failed {
			return cond{}
		}
	}
	return cond{element: c.element, component: c.component, values: l.condCodes(use, c), not: c.not, use: use}
}

// codes checks constants of the map against a code list and returns those it
// has: all of them, but for a guide the map does not name.
func (l *lookup) codes(use *schema.Use, values []string, col int) []string {
	var known []string
	for _, v := range values {
		bad, hint := badConstant(use, v)
		if bad == "" {
			known = append(known, v)
		} else if !l.b.lenient {
			l.fail(col, hint, "%s", bad)
			return nil
		}
	}
	if len(known) == 0 && len(values) > 0 {
		l.fail(col, "", "no code of %s is left", use.Name)
	}
	return known
}

// condCodes are the codes of a condition. One that excludes codes keeps those
// that a guide does not have anyway.
func (l *lookup) condCodes(use *schema.Use, c condText) []string {
	if c.not && l.b.lenient {
		return c.values
	}
	return l.codes(use, c.values, c.col)
}

// badConstant tells what is wrong with a value of the map at an element.
func badConstant(use *schema.Use, v string) (text, hint string) {
	if use == nil || use.Composite != nil {
		return "", ""
	}
	n := len(v)
	switch {
	case use.Max > 0 && n > use.Max || n < use.Min && use.Type != schema.Implied && use.Type != schema.Decimal && use.Type != schema.Numeric:
		return fmt.Sprintf("%q has %d characters, %s takes %d to %d", clip(v), n, use.Name, use.Min, use.Max), ""
	case !use.Codes.Allows([]byte(v), 0):
		var known []string
		for _, c := range use.Codes.List() {
			known = append(known, c.Value)
		}
		return fmt.Sprintf("%q is no code of %s", clip(v), use.Name), choose(v, known)
	}
	return "", ""
}

// element finds an element of a segment.
func (l *lookup) element(layout *schema.Segment, n, col int) *schema.Use {
	if layout == nil {
		l.fail(col, "write SEGMENT/ELEMENT", "element %d of what?", n)
		return nil
	}
	if n > len(layout.Uses) {
		l.fail(col, "", "%s has %d elements, there is no element %d", layout.Tag, len(layout.Uses), n)
		return nil
	}
	use := &layout.Uses[n-1]
	if use.Forbidden {
		l.fail(col, "", "%s%02d (%s) is not used", layout.Tag, n, use.Name)
	}
	return use
}

// component finds a component of an element.
func (l *lookup) component(use *schema.Use, layout *schema.Segment, element, n, col int) *schema.Use {
	switch {
	case use.Composite == nil && n == 1:
		return use
	case use.Composite == nil:
		l.fail(col, fmt.Sprintf("write %d", element), "%s%02d (%s) is no composite", layout.Tag, element, use.Name)
		return use
	case n > len(use.Composite.Uses):
		l.fail(col, "", "%s%02d (%s) has %d components, there is no component %d", layout.Tag, element, use.Name, len(use.Composite.Uses), n)
		return use
	}
	return &use.Composite.Uses[n-1]
}

// inside is the context of an occurrence that a path leads to.
func (b *ediBinder) inside(ctx *contextType, p *place) *contextType {
	at := ctx
	if p.up < 0 {
		for at.above != nil {
			at = at.above
		}
	}
	for range max(p.up, 0) {
		at = at.above
	}
	in := &contextType{loop: at.loop, layout: at.layout, node: at.node, span: at.span, above: ctx, path: p.text}
	for _, s := range p.steps {
		in.span, in.node = nil, s.node
		if s.loop != nil {
			in.loop, in.layout = s.loop, nil
		} else {
			in.layout = s.layout
		}
	}
	if p.leaf.isRange {
		in.span = &p.leaf
	}
	return in
}

// settable returns the conditions that writing makes true: those with a value,
// of which it sets the first.
func settable(conds []cond) []cond {
	return slices.DeleteFunc(slices.Clone(conds), func(c cond) bool { return c.not || len(c.values) == 0 })
}
