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

func (l *lookup) wantsValue() bool {
	return l.want == wantValue || l.want == wantJoin || l.want == wantMany
}

// end looks up what the path ends at.
func (l *lookup) end() {
	t, out := l.text.leaf, &l.place.leaf
	if l.wantsValue() {
		if t == nil {
			l.fail(len(l.text.text), "add an element: "+l.text.text+"/1", "it ends at a segment, a value is wanted")
			return
		}
	} else if t == nil {
		if len(l.place.steps) == 0 && l.want != wantOne {
			l.fail(0, "", "name a loop or segment")
		}
		return
	}
	if l.span != nil && len(l.place.steps) == 0 {
		l.inSpan(t, out)
		return
	}
	use := l.element(l.layout, t.element, t.col)
	if l.failed {
		return
	}
	if t.last > t.element {
		l.element(l.layout, t.last, t.col)
	}
	if l.failed {
		return
	}
	*out = leaf{element: t.element, last: t.last, component: t.component, lastComponent: t.lastComponent, use: use, step: 1}
	switch {
	case t.hasPair || t.wholeList && use.Composite == nil && l.want != wantJoin:
		l.pair(t, out, use)
	case t.last > t.element:
		l.composites(t, out, use)
	case !l.wantsValue():
		l.fail(t.col, "take the element off", "it ends at one element, a loop, segment or range of elements is wanted")
	default:
		l.value(t, out, use)
	}
}

// value ends at one element or component, or a range of components.
func (l *lookup) value(t *leafText, out *leaf, use *schema.Use) {
	switch {
	case t.component == 0 && use.Composite != nil:
		l.fail(t.col, fmt.Sprintf("write %s/%d.1", l.layout.Tag, t.element), "%s%02d (%s) is a composite", l.layout.Tag, t.element, use.Name)
		return
	case t.lastComponent > t.component && l.want != wantJoin:
		l.fail(t.col, "add join: \" \" to the line", "a range of components is a value when it is joined")
		return
	}
	uses, formatAt := l.layout.Uses, use.Format
	if t.component > 0 {
		inner := l.component(use, l.layout, t.element, t.component, t.col)
		l.component(use, l.layout, t.element, t.lastComponent, t.col)
		if l.failed {
			return
		}
		if use.Composite != nil {
			uses, formatAt = use.Composite.Uses, inner.Format
		}
		use = inner
	}
	if use.Forbidden {
		l.fail(t.col, "", "%s is not used", use.Name)
		return
	}
	out.use = use
	l.place.codec = codecOf(use, formatAt, uses)
	l.place.kind = l.place.codec.kind
}

// pair ends at X12 pairs of qualifier and value.
func (l *lookup) pair(t *leafText, out *leaf, use *schema.Use) {
	out.step, out.pair = 2, t.pair
	uses := l.layout.Uses
	switch {
	case t.component > 0 || use.Composite != nil:
		l.fail(t.col, "write 2..6[2=SA].1 for composites", "pairs are simple elements")
		return
	case t.last+1 > len(uses) && (t.last-t.element)%2 == 0, t.last > len(uses):
		l.fail(t.col, "", "the value of the last pair would be element %d, %s has %d", t.last+1, l.layout.Tag, len(uses))
		return
	}
	if (t.last-t.element)%2 == 1 {
		out.last-- // 6..25 names the last value, 6..24 the last qualifier
	}
	if t.wholeList {
		out.isRange = true
		if l.want != wantEach && l.want != wantCount {
			l.fail(t.col, "write =QUALIFIER behind the range, or go through it with each", "a range of elements is no value")
		}
		return
	}
	if !l.wantsValue() {
		l.fail(t.col, "", "it ends at a value, occurrences are wanted")
		return
	}
	if out.pair = l.codes(use, t.pair, t.col); l.failed {
		return
	}
	out.use = &uses[t.element]
	l.place.codec = codecOf(out.use, 0, nil)
	l.place.kind = l.place.codec.kind
}

// composites ends at a range of composites.
func (l *lookup) composites(t *leafText, out *leaf, use *schema.Use) {
	for n := t.element; n <= t.last; n++ {
		if u := &l.layout.Uses[n-1]; (u.Composite == nil) != (use.Composite == nil) || u.Ref != use.Ref {
			l.fail(t.col, "", "elements %d to %d are not all of one kind", t.element, t.last)
			return
		}
	}
	for _, c := range t.conds {
		if c.component > 0 {
			l.fail(c.col, "write [2=SA] for component 2", "conditions on a range name components")
			return
		}
		inner := l.component(use, l.layout, t.element, c.element, c.col)
		values := l.condCodes(inner, c)
		if l.failed {
			return
		}
		out.conds = append(out.conds, cond{component: c.element, values: values, not: c.not, use: inner})
	}
	switch {
	case t.component == 0 && (l.want == wantEach || l.want == wantCount):
		out.isRange = true
	case t.component == 0 && use.Composite != nil:
		l.fail(t.col, "write .1 behind it for its first component", "%s is a composite", use.Name)
	case t.wholeList && l.want != wantJoin:
		l.fail(t.col, "write conditions in brackets behind it, or go through it with each", "a range of elements is no value")
	default:
		if t.component > 0 {
			inner := l.component(use, l.layout, t.element, t.component, t.col)
			if use.Composite != nil {
				l.place.codec = codecOf(inner, inner.Format, use.Composite.Uses)
			}
			use = inner
		}
		if l.place.codec.kind == 0 {
			l.place.codec = codecOf(use, 0, nil)
		}
		out.use, l.place.kind = use, l.place.codec.kind
	}
}

// inSpan ends inside of one pair or composite of a range: 1 is the qualifier
// or first component.
func (l *lookup) inSpan(t *leafText, out *leaf) {
	uses := l.layout.Uses[l.span.element-1:]
	switch {
	case t.last > t.element || t.component > 0 || !l.wantsValue():
		l.fail(t.col, "write 1 or 2", "inside of a pair or composite a path is one number")
		return
	case l.span.step == 2 && t.element > 2:
		l.fail(t.col, "write 1 for the qualifier and 2 for the value", "a pair has two elements")
		return
	case l.span.step == 2:
		out.use = &uses[t.element-1]
		*out = leaf{element: t.element, last: t.element, use: out.use, step: 1}
		l.place.codec = codecOf(out.use, 0, nil)
	default:
		use := &uses[0]
		inner := l.component(use, l.layout, l.span.element, t.element, t.col)
		if l.failed {
			return
		}
		*out = leaf{element: 1, last: 1, component: t.element, lastComponent: t.element, use: inner, step: 1}
		formatAt := 0
		var all []schema.Use
		if use.Composite != nil {
			formatAt, all = inner.Format, use.Composite.Uses
		}
		l.place.codec = codecOf(inner, formatAt, all)
	}
	l.place.kind = l.place.codec.kind
}

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
