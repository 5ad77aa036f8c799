package mapping

import (
	"fmt"

	"tradepost/edi/schema"
)

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
