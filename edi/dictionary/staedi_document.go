package dictionary

import (
	"slices"
	"strconv"
	"strings"

	"tradepost/edi/schema"
)

// transaction makes the document and, when there is an implementation, the
// guide over it. Tables of X12 are not told apart: there is one area.
func (s *staedi) transaction() {
	d := &document{kind: s.options.Type, title: s.transact.attr("title"), place: s.transact.at()}
	for _, c := range s.transact.children {
		switch c.name {
		case "sequence":
			d.nodes = []area{{name: "message", nodes: s.nodes(c, 0)}}
		case "description":
		case "syntax":
			s.report(NotKept, c.at(), "a syntax note on the segments of a transaction; guides have them for elements only")
		default:
			s.report(NotUnderstood, c.at(), "no part of a transaction")
		}
	}
	if len(d.nodes) == 0 || len(d.nodes[0].nodes) == 0 {
		s.report(NotUnderstood, s.transact.at(), "the transaction has no segments")
		return
	}
	d.nodes = frame(s.std.standard, d.nodes)
	if s.std.standard == schema.X12 && (s.hierarchic || s.implements == nil) {
		hierarchies(d.nodes[0].nodes)
	}
	s.std.documents = append(s.std.documents, d)
	if s.implements == nil {
		return
	}
	over := &document{kind: d.kind, basedOn: "-", title: s.implements.attr("title"), place: s.implements.at()}
	if over.title == "" {
		over.title = "Implementation of " + d.kind
	}
	for _, c := range s.implements.children {
		switch c.name {
		case "sequence":
			over.edits = s.edits(c, d.nodes[0].nodes, "", true)
		case "description":
		default:
			s.report(NotUnderstood, c.at(), "no part of an implementation")
		}
	}
	s.std.documents = append(s.std.documents, over)
}

// nodes reads a sequence of segments and loops.
func (s *staedi) nodes(sequence *xmlNode, depth int) []node {
	var out []node
	for _, c := range sequence.children {
		if !s.within(&s.left.nodes, 1, c.at(), "places in guides") {
			return out
		}
		low, high, ok := c.occurs(0, 1)
		if high < 0 {
			continue // never used in this standard
		}
		if !ok || high > maxUses {
			s.report(NotUnderstood, c.at(), "minOccurs and maxOccurs are numbers")
			low, high = 0, 0
		}
		ref := c.attr("type")
		if ref == "" {
			ref = c.attr("ref")
		}
		n := node{required: low > 0, max: high, place: c.at(), title: c.attr("title")}
		switch c.name {
		case "segment":
			if !segmentName.MatchString(ref) {
				s.report(NotUnderstood, c.at(), "%q is no segment", ref)
				continue
			}
			n.name = ref
		case "loop":
			body := c
			n.name = c.attr("code")
			if target := s.loops[ref]; target != nil && c.child("sequence") == nil {
				body = target
				if n.name == "" {
					n.name = target.attr("code")
				}
			}
			if depth > maxNestedLoops || body.child("sequence") == nil {
				s.report(NotUnderstood, c.at(), "a loop without a sequence, or nested deeper than %d", maxNestedLoops)
				continue
			}
			s.hierarchic = s.hierarchic || c.attr("levelIdPosition") != ""
			for _, other := range body.children {
				if other.name != "sequence" && other.name != "description" {
					s.report(NotKept, other.at(), "guides have nothing like this for loops")
				}
			}
			n.nodes = s.nodes(body.child("sequence"), depth+1)
			if len(n.nodes) == 0 || len(n.nodes[0].nodes) > 0 {
				s.report(NotUnderstood, c.at(), "a loop begins with a segment")
				continue
			}
			if !loopName.MatchString(n.name) {
				n.name = n.nodes[0].name
			}
		default:
			s.report(NotUnderstood, c.at(), "no segment and no loop")
			continue
		}
		out = append(out, n)
	}
	return out
}

// edits lays a sequence of an implementation over the places of the standard.
// Several entries for one place are variants told apart by an element's value;
// places without an entry are not used.
func (s *staedi) edits(sequence *xmlNode, nodes []node, path string, whole bool) []edit {
	var out []edit
	used := map[int][]*xmlNode{}
	at := 0
	for _, c := range sequence.children {
		if c.name != "segment" && c.name != "loop" {
			s.report(NotUnderstood, c.at(), "no segment and no loop")
			continue
		}
		i := s.find(c, nodes, at)
		if i < 0 {
			s.report(Contradiction, c.at(), "the standard has no such place here")
			continue
		}
		used[i] = append(used[i], c)
		at = i
	}
	for i := range nodes {
		n := &nodes[i]
		place := joinPath(path, n.name)
		if len(n.levels) > 0 {
			if len(used[i]) > 0 {
				s.report(NotKept, used[i][0].at(), "rules on the levels of a hierarchy")
			}
			continue
		}
		list := used[i]
		switch {
		case len(list) == 0:
			if head := n.first(); head != "ST" && head != "SE" && head != "UNH" && head != "UNT" && (whole || i > 0) {
				out = append(out, edit{path: place, rules: []string{"forbid"}})
			}
		case len(list) == 1 && list[0].attr("discriminator") == "":
			out = append(out, s.single(list[0], n, place, i == 0 && !whole)...)
		default:
			out = append(out, s.variants(list, n, place, i == 0 && !whole)...)
		}
	}
	return out
}

// find looks for the place of an entry from a place on.
func (s *staedi) find(c *xmlNode, nodes []node, from int) int {
	want := c.attr("type")
	for i := from; i < len(nodes); i++ {
		isLoop := len(nodes[i].nodes) > 0 || len(nodes[i].levels) > 0
		if isLoop == (c.name == "loop") && nodes[i].name == want {
			return i
		}
	}
	return -1
}

// single gives the rules of a place that has one entry.
func (s *staedi) single(c *xmlNode, n *node, path string, opener bool) []edit {
	var out []edit
	if rules := s.uses(c); len(rules) > 0 && !opener {
		out = append(out, edit{path: path, rules: []string{strings.Join(rules, " ")}, comment: c.attr("title")})
	}
	if c.name == "segment" {
		if rules := s.elementRules(c, n.name, component{}); len(rules) > 0 {
			if len(out) > 0 {
				out[0].rules = append(out[0].rules, rules...)
				return out
			}
			out = append(out, edit{path: path, rules: rules})
		}
		return out
	}
	if seq := c.child("sequence"); seq != nil {
		out = append(out, s.edits(seq, n.nodes, path, false)...)
	}
	return out
}

// variants gives the rules of a place that has several entries.
func (s *staedi) variants(list []*xmlNode, n *node, path string, opener bool) []edit {
	if opener {
		s.report(NotKept, list[0].at(), "variants of the segment that begins a loop; the loop has to have them")
		return nil
	}
	e := edit{path: path, others: "forbid"}
	for i, c := range list {
		where, position := s.condition(c)
		if where == "" {
			if c.attr("discriminator") == "" && i == len(list)-1 {
				e.others = "allow"
			}
			s.report(NotKept, c.at(), "a variant without an element whose values tell it from the others")
			continue
		}
		name := safeName(c.attr("code"))
		if slices.ContainsFunc(e.variants, func(v variant) bool { return v.name == name }) || name == "guide" {
			name = "V" + strconv.Itoa(i+1)
		}
		v := variant{name: name, title: c.attr("title"), rules: strings.Join(s.uses(c), " "), where: where}
		if c.name == "segment" {
			if rules := s.elementRules(c, n.name, position); len(rules) > 0 {
				v.edits = []edit{{path: n.name, rules: rules}}
			}
		} else if seq := c.child("sequence"); seq != nil {
			v.edits = s.edits(seq, n.nodes, "", false)
		}
		e.variants = append(e.variants, v)
	}
	if len(e.variants) == 0 {
		return nil
	}
	return []edit{e}
}

// uses gives require and max of an entry.
func (s *staedi) uses(c *xmlNode) []string {
	var out []string
	low, high, ok := c.occurs(-1, -2)
	if !ok {
		s.report(NotUnderstood, c.at(), "minOccurs and maxOccurs are numbers")
		return nil
	}
	switch {
	case low == 1:
		out = append(out, "require")
	case low > 1 && low <= maxUses:
		out = append(out, "min", strconv.Itoa(low))
	}
	if high == -1 {
		return []string{"forbid"}
	}
	if high > 0 && high <= maxUses {
		out = append(out, "max", strconv.Itoa(high))
	}
	return out
}

// condition gives the where of a variant: its discriminator and the values the
// element there has.
func (s *staedi) condition(c *xmlNode) (where string, at component) {
	element, part, _ := strings.Cut(c.attr("discriminator"), ".")
	at = component{number(element), number(part)}
	if at.element < 1 || at.element > maxPositions || at.part > maxPositions {
		return "", at
	}
	segment := c
	if c.name == "loop" {
		if segment = c.child("sequence").child("segment"); segment == nil {
			return "", at
		}
	}
	entry := entryAt(segment, at.element)
	if at.part > 0 {
		entry = entryAt(entry, at.part)
	}
	values := enumeration(entry)
	if len(values) == 0 {
		return "", at
	}
	return at.String() + " = " + strings.Join(values, " "), at
}

// entryAt gives the entry for a position of a segment or composite.
func entryAt(n *xmlNode, position int) *xmlNode {
	seq := n.child("sequence")
	if seq == nil {
		return nil
	}
	for _, c := range seq.children {
		if number(c.attr("position")) == position {
			return c
		}
	}
	return nil
}

// enumeration gives the values of an entry as words.
func enumeration(n *xmlNode) []string {
	list := n.child("enumeration")
	var out []string
	for _, v := range list.all("value") {
		if value := strings.TrimSpace(v.text); value != "" && printable(value) == value {
			out = append(out, word(value))
		}
	}
	return out
}

// elementRules gives the rules on the elements of a segment. With a sequence,
// elements without an entry are not used; the one a variant is told by keeps
// its codes.
func (s *staedi) elementRules(c *xmlNode, tag string, discriminator component) []string {
	l := s.std.segments[tag]
	if c.child("sequence") == nil || l == nil {
		return nil
	}
	return s.positionRules(c, l, tag, component{}, discriminator)
}

// positionRules gives the rules of the entries of a segment, or of the
// composite at a position of it.
func (s *staedi) positionRules(c *xmlNode, l *layout, tag string, at, discriminator component) []string {
	entries := map[int]*xmlNode{}
	for _, e := range c.child("sequence").children {
		p := number(e.attr("position"))
		if p < 1 || p > len(l.uses) || entries[p] != nil {
			s.report(Contradiction, e.at(), "%s has %d positions, each may have one entry", tag, len(l.uses))
			continue
		}
		entries[p] = e
	}
	var out []string
	for i, x := range l.uses {
		here := component{i + 1, 0}
		if at.element > 0 {
			here = component{at.element, i + 1}
		}
		e := entries[i+1]
		if e == nil {
			if !x.required {
				out = append(out, here.String()+" forbid")
			}
			continue
		}
		var words []string
		if low, _, _ := e.occurs(-1, -2); low > 0 && !x.required {
			words = append(words, "require")
		}
		if values := enumeration(e); len(values) > 0 && here != discriminator {
			if slices.ContainsFunc(values, func(v string) bool { return !plainCode(v) }) {
				s.report(NotKept, e.at(), "codes with blanks cannot be listed")
			} else {
				words = append(words, "codes", strings.Join(values, " "))
			}
		}
		if len(words) > 0 {
			out = append(out, here.String()+" "+strings.Join(words, " "))
		}
		if composite := s.std.composites[x.ref]; composite != nil && at.element == 0 && e.child("sequence") != nil {
			out = append(out, s.positionRules(e, composite, tag, here, discriminator)...)
		}
	}
	return out
}
