package dictionary

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tradepost/edi/schema"
)

const maxCodesListed = 25 // of an element without a list of codes

// text writes the draft.
func (l *learner) text(name string, st *statistics) []byte {
	var p printer
	d := l.draft
	p.comment(0, fmt.Sprintf("A draft, learned from %s %s of %s: what they have and how often.", plural(st.documents, "document"), d.Type, d.Version))
	if st.documents < 10 {
		p.comment(0, "So few documents tell little about what is always there and what may occur: look at every line.")
	}
	p.comment(0, "Behind # stands what was seen. Widen what is too narrow, take away what you do not want to check.")
	if d.BasedOn != "" {
		p.line(0, "guide", name, quote(l.guide.Title+", draft"))
		p.line(0, "based-on", d.BasedOn)
		p.WriteByte('\n')
		l.edits(&p, st, nil)
		return p.Bytes()
	}
	p.line(0, "guide", name, quote(d.Type+", draft"))
	dictionary := l.dictionary()
	if dictionary != nil {
		p.line(0, "uses", dictionary.Name)
	} else {
		p.line(0, "standard", d.Standard)
		p.line(0, "version", d.Version)
	}
	if set := []string{"set", d.Type}; l.group != "" {
		p.line(0, append(set, "group", l.group)...)
	} else {
		p.line(0, set...)
	}
	known := func(tag string) *schema.Segment { return dictionary.Segment(schema.MakeTag(tag)) }
	p.WriteByte('\n')
	p.line(0, "area", "message")
	l.area(&p, st, l.guide.Root, 1)
	p.WriteByte('\n')
	l.describe(&p, st, known)
	l.edits(&p, st, known)
	return p.Bytes()
}

// dictionary finds the directory of the version: one that was imported, or the
// shipped one.
func (l *learner) dictionary() *schema.Dictionary {
	var found *schema.Dictionary
	for _, name := range l.o.Catalog.Names() {
		g, err := l.o.Catalog.Guide(name)
		if err != nil || g.Standard != l.draft.Standard || g.Version != l.draft.Version || g.Dictionary == nil || g.Dictionary.Name == "" {
			continue
		}
		d, err := l.o.Catalog.Dictionary(g.Dictionary.Name)
		if err == nil && (found == nil || strings.HasSuffix(d.Name, "/directory") && !strings.HasSuffix(found.Name, "/directory")) {
			found = d
		}
	}
	return found
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// area writes the places of a draft that stands alone.
func (l *learner) area(p *printer, st *statistics, loop *schema.Loop, depth int) {
	for i := range loop.Nodes {
		n := &loop.Nodes[i]
		c, chances := st.places[n], st.chances(n)
		words := usage(c.in == chances && chances > 0, max(c.most, 1))
		comment := fmt.Sprintf("# %d of %d, at most %d", c.in, chances, c.most)
		switch tag := n.Tag.String(); {
		case n.Loop != nil:
			p.line(depth, "loop", n.Loop.Name, words, comment)
			l.area(p, st, n.Loop, depth+1)
		case tag == "ST" || tag == "SE" || tag == "UNH" || tag == "UNT" || depth > 1 && i == 0:
			p.line(depth, tag, usage(true, 1))
		default:
			p.line(depth, tag, words, comment)
		}
	}
}

// describe writes the segments that no dictionary describes, as they were
// seen.
func (l *learner) describe(p *printer, st *statistics, known func(string) *schema.Segment) {
	im := &importer{findings: findings{limit: 1}}
	s := newStandard()
	s.standard = l.draft.Standard
	if known("ST") == nil && known("UNH") == nil {
		im.headers(s)
	}
	merged := map[string]*placeCount{}
	for _, n := range st.order {
		tag := n.Tag.String()
		if c := st.places[n]; n.Loop == nil && known(tag) == nil && s.segments[tag] == nil && c.segments > 0 {
			if merged[tag] == nil {
				merged[tag] = &placeCount{}
			}
			merged[tag].add(c)
		}
	}
	next := 0
	for _, tag := range sortedRefs(merged) {
		c := merged[tag]
		seg := &layout{ref: tag, name: "As it was seen"}
		for i, v := range c.elements {
			next++
			x := use{ref: fmt.Sprintf("L%05d", next), required: v.filled == c.segments, repeat: v.repeats, comment: fmt.Sprintf("%d of %d%s", v.filled, c.segments, lengths(v))}
			if len(v.parts) > 1 {
				comp := &layout{ref: fmt.Sprintf("K%05d", next), name: fmt.Sprintf("%s%02d", tag, i+1)}
				for j, part := range v.parts {
					next++
					ref := fmt.Sprintf("L%05d", next)
					s.elements[ref] = l.learned(ref, fmt.Sprintf("%s%02d-%d", tag, i+1, j+1), part)
					comp.addUse(use{ref: ref, required: part.filled == v.times, comment: fmt.Sprintf("%d of %d%s", part.filled, v.times, lengths(part))})
				}
				s.composites[comp.ref] = comp
				x.ref = comp.ref
			} else {
				s.elements[x.ref] = l.learned(x.ref, fmt.Sprintf("%s%02d", tag, i+1), v.first())
			}
			seg.addUse(x)
		}
		s.segments[tag] = seg
	}
	for _, ref := range sortedRefs(s.elements) {
		s.elements[ref].print(p)
	}
	for _, ref := range sortedRefs(s.composites) {
		s.composites[ref].print(p, "composite")
	}
	for _, tag := range sortedRefs(s.segments) {
		s.segments[tag].print(p, "segment")
	}
}

// lengths tells how long values were; "" for a composite and for none.
func lengths(v *valueCount) string {
	if len(v.parts) == 1 {
		v = v.parts[0]
	}
	switch {
	case len(v.parts) > 1 || v.longest == 0:
		return ""
	case v.shortest == v.longest:
		return fmt.Sprintf(", %s", plural(v.longest, "character"))
	}
	return fmt.Sprintf(", %d to %d characters", v.shortest, v.longest)
}

// learned makes an element of the values seen.
func (l *learner) learned(ref, name string, v *valueCount) *element {
	e := &element{ref: ref, name: name, min: max(v.shortest, 1), max: max(v.longest, 1)}
	edifact := l.draft.Standard == schema.EDIFACT
	switch {
	case v.control && !edifact:
		e.kind, e.min = schema.Binary, 1
	case edifact && v.decimal && v.filled > 0:
		e.kind, e.min = schema.Numeric, 1
	case edifact:
		e.kind = schema.AlphaNum
	case v.decimal && !v.numeric && v.filled > 0:
		e.kind, e.min = schema.Decimal, 1
	default:
		e.kind = schema.String
	}
	return e
}

// add merges what was seen at another place of the same segment.
func (c *placeCount) add(o *placeCount) {
	c.in, c.most, c.segments = c.in+o.in, max(c.most, o.most), c.segments+o.segments
	for i, v := range o.elements {
		if i == len(c.elements) {
			c.elements = append(c.elements, newValueCount())
		}
		c.elements[i].add(v)
	}
}

func (v *valueCount) add(o *valueCount) {
	v.filled += o.filled
	v.times += o.times
	v.repeats = max(v.repeats, o.repeats)
	if v.shortest == 0 || o.shortest > 0 && o.shortest < v.shortest {
		v.shortest = o.shortest
	}
	v.longest = max(v.longest, o.longest)
	v.numeric, v.decimal, v.uncoded = v.numeric && o.numeric, v.decimal && o.decimal, v.uncoded || o.uncoded
	v.control = v.control || o.control
	for value, n := range o.codes {
		if v.codes == nil {
			v.codes = map[string]int{}
		}
		v.codes[value] += n
	}
	if v.uncoded = v.uncoded || len(v.codes) > maxCodesSeen; v.uncoded {
		v.codes = nil
	}
	for i, part := range o.parts {
		if i == len(v.parts) {
			v.parts = append(v.parts, newValueCount())
		}
		v.parts[i].add(part)
	}
}

// edits writes a block for each place: how often it is used, and its elements.
// In a draft that stands alone, known describes the segments and the places
// have their numbers already.
func (l *learner) edits(p *printer, st *statistics, known func(string) *schema.Segment) {
	counts := map[string]*placeCount{}
	same := map[string]int{}
	var order []*schema.Node
	for _, n := range st.order {
		if counts[n.Path] == nil {
			counts[n.Path] = &placeCount{}
			order = append(order, n)
		}
		counts[n.Path].add(st.places[n])
		same[n.Path]++
	}
	for _, n := range order {
		if tag := n.Tag.String(); n.Loop == nil && (tag == "ST" || tag == "SE" || tag == "UNH" || tag == "UNT") {
			continue
		}
		c := counts[n.Path]
		var rules []string
		if known == nil && same[n.Path] == 1 {
			rules = l.usageRules(st, n)
		}
		layout := n.Segment
		if known != nil {
			layout = known(n.Tag.String())
		}
		if n.Loop == nil && c.segments > 0 && layout != nil {
			rules = append(rules, l.elementRules(layout, c)...)
		}
		p.place(n.Path, rules)
	}
	if known != nil || l.o.Unseen != UnseenNothing {
		return
	}
	var unseen []string
	for _, n := range order {
		if counts[n.Path].in == 0 && (st.above[n] == nil || st.places[st.above[n]].in > 0) && n.Tag.String() != "SE" && n.Tag.String() != "UNT" && n.Tag.String() != "ST" && n.Tag.String() != "UNH" {
			unseen = append(unseen, n.Path)
		}
	}
	for i := 0; i < len(unseen); i += 8 {
		p.comment(0, "not seen: "+strings.Join(unseen[i:min(i+8, len(unseen))], " "))
	}
}

// place writes the rules of a place; comments alone stand outside of a block.
func (p *printer) place(path string, rules []string) {
	depth := 1
	if slices.ContainsFunc(rules, func(r string) bool { return r[0] != '#' }) {
		p.line(0, "at", path)
	} else {
		depth = 0
	}
	for _, r := range rules {
		if depth == 0 {
			r = "# " + path + " " + strings.TrimPrefix(r, "# ")
		}
		p.line(depth, r)
	}
}

// usageRules tells how often a place was used, where that differs from the
// guide below.
func (l *learner) usageRules(st *statistics, n *schema.Node) []string {
	c, chances := st.places[n], st.chances(n)
	opener := st.opens[n] != nil
	if opener || n.Loop != nil && len(n.Loop.Levels) > 0 || chances == 0 {
		return nil
	}
	seen := fmt.Sprintf("# %d of %d, at most %d", c.in, chances, c.most)
	var rules []string
	switch {
	case c.in == 0:
		if l.o.Unseen != UnseenNothing {
			return []string{fmt.Sprintf("forbid # 0 of %d", chances)}
		}
		if n.Min > 0 {
			return []string{fmt.Sprintf("optional # 0 of %d", chances)}
		}
		return nil
	case c.in == chances && n.Min == 0:
		rules = append(rules, "require "+seen)
	case c.in < chances && n.Min > 0:
		rules = append(rules, "optional "+seen)
	}
	if c.most != n.Max {
		rules = append(rules, fmt.Sprintf("max %d %s", c.most, seen))
	}
	return rules
}

// elementRules tells what the elements of a segment held, where that differs
// from its layout.
func (l *learner) elementRules(layout *schema.Segment, c *placeCount) []string {
	var rules, never []string
	for i := range layout.Uses {
		u := &layout.Uses[i]
		if i >= len(c.elements) || c.elements[i].filled == 0 {
			if u.Required {
				rules = append(rules, fmt.Sprintf("%d optional # 0 of %d", i+1, c.segments))
			} else if l.o.Unseen == UnseenElements {
				rules = append(rules, fmt.Sprintf("%d forbid # 0 of %d", i+1, c.segments))
			} else {
				never = append(never, strconv.Itoa(i+1))
			}
			continue
		}
		v := c.elements[i]
		if rule := l.valueRule(u, v.filled, v.first(), c.segments); rule != "" {
			rules = append(rules, strconv.Itoa(i+1)+" "+rule)
		}
		if u.Composite == nil {
			continue
		}
		for j := range u.Composite.Uses {
			part := newValueCount()
			if j < len(v.parts) {
				part = v.parts[j]
			}
			if rule := l.valueRule(&u.Composite.Uses[j], part.filled, part, v.times); rule != "" {
				rules = append(rules, component{i + 1, j + 1}.String()+" "+rule)
			}
		}
	}
	if len(never) > 0 {
		rules = append(rules, "# never filled: "+strings.Join(never, " "))
	}
	return rules
}

// valueRule tells what one element or component held: require, length, codes.
func (l *learner) valueRule(u *schema.Use, filled int, v *valueCount, chances int) string {
	var words []string
	seen := fmt.Sprintf("%d of %d", filled, chances)
	switch {
	case filled >= chances && !u.Required:
		words = append(words, "require")
	case filled < chances && u.Required:
		words = append(words, "optional")
	}
	if u.Composite != nil {
		if len(words) == 0 {
			return ""
		}
		return strings.Join(words, " ") + " # " + seen
	}
	if values, list := l.codes(u, v); len(list) > 0 {
		if v.longest > u.Max || v.shortest < u.Min {
			words = append(words, "length", length(min(v.shortest, u.Min), max(v.longest, u.Max)))
		}
		words = append(words, "codes", strings.Join(list, " ")) // last: everything behind it is a code
		seen += ": " + values
	} else if low, high := l.lengths(u, v); high > 0 {
		words = append(words, "length", length(low, high))
		seen += fmt.Sprintf(", %d to %d characters", v.shortest, v.longest)
	}
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, " ") + " # " + seen
}

// lengths gives the length of an element when it differs from its layout: the
// longest value seen, and the shortest where it is too short below. Numbers and
// dates are told only when they are too long.
func (l *learner) lengths(u *schema.Use, v *valueCount) (low, high int) {
	switch u.Type {
	case schema.Decimal, schema.Numeric, schema.Implied:
		if v.longest <= u.Max {
			return 0, 0
		}
	case schema.Date, schema.Time, schema.Binary:
		return 0, 0
	}
	if v.longest == 0 || v.longest == u.Max && v.shortest >= u.Min {
		return 0, 0
	}
	return min(max(v.shortest, 1), u.Min), v.longest
}

// first is the value of a simple element.
func (v *valueCount) first() *valueCount {
	if len(v.parts) == 0 {
		return newValueCount()
	}
	return v.parts[0]
}

// codes gives the codes seen with how often each was, when the element is one
// that holds codes.
func (l *learner) codes(u *schema.Use, v *valueCount) (seen string, list []string) {
	coded := u.Codes.Len() > 0 || u.Type == schema.Code1
	if len(v.codes) == 0 || !coded {
		return "", nil
	}
	if u.Codes.Len() == 0 && (len(v.codes) > maxCodesListed || u.Max > 6 || v.filled < 3*len(v.codes)) {
		return "", nil // no list to narrow, and too many different values to be a new one
	}
	values := v.values()
	if slices.ContainsFunc(values, func(s string) bool { return !plainCode(s) }) {
		return "", nil
	}
	var counts []string
	for _, value := range values[:min(len(values), 8)] {
		text := fmt.Sprintf("%s %d", value, v.codes[value])
		if code, ok := u.Codes.Find([]byte(value)); ok && code.Name != "" {
			text += " (" + code.Name + ")"
		}
		counts = append(counts, text)
	}
	if len(values) > 8 {
		counts = append(counts, "...")
	}
	return strings.Join(counts, ", "), slices.Sorted(slices.Values(values))
}
