package dictionary

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// names takes titles, groups, and the names of segments, elements and codes
// from .TEXT. Notes go as comments to the place they are about.
func (s *sefFile) names() {
	for i := range s.texts {
		t := &s.texts[i]
		if !s.name1(t) {
			s.report(NotKept, t.place, "a text on %s; there is no such thing, or no place for this kind of text", strings.Join(t.where, "~"))
		}
	}
}

// name1 takes one text and tells whether it found a place.
func (s *sefFile) name1(t *sefText) bool {
	text := t.plain()
	switch t.section {
	case "ELMS":
		return s.elementText(t.where, t.what, text)
	case "SEGS", "COMS":
		return s.layoutText(t, text)
	case "SETS":
		return s.setText(t, text)
	}
	return false
}

func (s *sefFile) elementText(where []string, what, text string) bool {
	e := s.std.elements[where[0]]
	switch {
	case e == nil:
		return false
	case len(where) == 1:
		if e.name == "" && (what == "0" || what == "2") {
			e.name = text
			return true
		}
		return false
	}
	return s.codeName(e, where[1], text) || s.localCodeName(e.ref, where[1], text)
}

const maxPlaceNotes = 100

// localCodeName notes the name of a code that is none of the standard at the
// places that have it.
func (s *sefFile) localCodeName(ref, value, text string) bool {
	found := false
	for _, kind := range s.setOrder {
		for _, p := range s.guides[kind].places {
			cost := 1
			for _, values := range p.codes {
				cost += len(values)
			}
			if !s.within(&s.left.steps, cost, place{file: s.name}, "texts on codes") {
				return found
			}
			for _, at := range slices.SortedFunc(maps.Keys(p.codes), compareComponents) {
				if s.refAt(p.tag, at) == ref && slices.Contains(p.codes[at], value) && len(p.notes) < maxPlaceNotes {
					p.notes = append(p.notes, fmt.Sprintf("%s element %s, %s: %s", p.tag, at, value, text))
					found = true
				}
			}
		}
	}
	return found
}

// refAt is the number of the element at a position.
func (s *sefFile) refAt(tag string, at component) string {
	x := s.std.segments[tag].uses[at.element-1]
	if at.part == 0 {
		return x.ref
	}
	return s.std.composites[x.ref].uses[at.part-1].ref
}

// codeName names a code of the standard.
func (s *sefFile) codeName(e *element, value, text string) bool {
	if s.codeAt[e] == nil {
		s.codeAt[e] = make(map[string]int, len(e.codes))
		for i, c := range e.codes {
			s.codeAt[e][c.Value] = i
		}
	}
	i, ok := s.codeAt[e][value]
	if ok && e.codes[i].Name == "" {
		e.codes[i].Name = text
	}
	return ok
}

func (s *sefFile) layoutText(t *sefText, text string) bool {
	l := s.std.segments[t.where[0]]
	if t.section == "COMS" {
		l = s.std.composites[t.where[0]]
	}
	if l == nil || len(t.where) != 1 || l.name != "" || t.what != "0" && t.what != "3" {
		return false
	}
	l.name = text
	return true
}

// setText takes a text on a set, one of its segments, an element or a code.
func (s *sefFile) setText(t *sefText, text string) bool {
	g := s.guides[t.where[0]]
	if g == nil {
		return false
	}
	if len(t.where) == 1 {
		switch {
		case t.what == "0":
			g.doc.title = text
		case t.what == "1" && documentKind.MatchString(text):
			g.doc.group = text
		case len(g.doc.comment) >= maxPlaceNotes:
			return false
		default:
			g.doc.comment = append(g.doc.comment, text)
		}
		return true
	}
	n, err := strconv.Atoi(t.where[1])
	i := slices.IndexFunc(g.places, func(p *sefPlace) bool { return p.ordinal == n })
	if err != nil || i < 0 || len(g.places[i].notes) >= maxPlaceNotes || !s.within(&s.left.steps, i+1, t.place, "texts on places") {
		return false
	}
	p := g.places[i]
	switch len(t.where) {
	case 2:
		p.notes = append(p.notes, text)
	case 3:
		p.notes = append(p.notes, p.tag+padTwo(t.where[2])+": "+text)
	default:
		p.notes = append(p.notes, p.tag+padTwo(t.where[2])+" "+t.where[3]+": "+text)
	}
	return true
}

func padTwo(n string) string {
	if len(n) == 1 {
		return "0" + n
	}
	return n
}

// guide makes the guide that lies over a set of the standard, when the file
// says anything about it.
func (s *sefFile) guide(g *sefGuide) {
	over := &document{kind: g.doc.kind, name: s.own, basedOn: "-", title: s.title, comment: g.doc.comment, place: g.doc.place}
	g.doc.comment = nil
	for _, path := range s.paths(g) {
		places := g.byPath[path]
		edits := s.edits(places[0])
		for _, other := range places[1:] {
			if !sameEdits(edits, s.edits(other)) {
				s.report(NotKept, other.record, "%s stands at %s more than once, each time with other rules; a guide cannot tell them apart, and none was kept", other.tag, path)
				edits = nil
				break
			}
		}
		over.edits = append(over.edits, edits...)
	}
	if len(over.edits) > 0 {
		s.std.documents = append(s.std.documents, over)
	}
}

// paths lists the paths of a set in the order of its segments.
func (s *sefFile) paths(g *sefGuide) []string {
	var out []string
	seen := map[string]bool{}
	for _, p := range g.places {
		if p.path != "" && !seen[p.path] {
			seen[p.path] = true
			out = append(out, p.path)
		}
	}
	return out
}

func sameEdits(a, b []edit) bool {
	return slices.EqualFunc(a, b, func(x, y edit) bool {
		return x.path == y.path && x.comment == y.comment && slices.Equal(x.rules, y.rules)
	})
}

// edits gives the rules of one place: whether it is used, and its elements.
func (s *sefFile) edits(p *sefPlace) []edit {
	whole, inner := edit{path: p.path}, edit{path: p.path}
	if p.loop != "" {
		whole.path = p.loop
	}
	whole.comment = strings.Join(p.notes, " / ")
	switch p.attribute {
	case '.':
		whole.rules = append(whole.rules, "forbid")
	case '!':
		whole.rules = append(whole.rules, "require")
	case '$':
		whole.comment = note(whole.comment, "recommended")
	case '-':
		whole.comment = note(whole.comment, "not recommended")
	case '&':
		whole.comment = note(whole.comment, "depends on other data")
	}
	if p.attribute != '.' {
		inner.rules = s.elementRules(p)
	}
	var out []edit
	switch {
	case p.loop != "":
		if len(whole.rules) > 0 {
			out = append(out, whole)
		}
		if len(inner.rules) > 0 {
			if len(whole.rules) == 0 {
				inner.comment = whole.comment
			}
			out = append(out, inner)
		}
	default:
		whole.rules = append(whole.rules, inner.rules...)
		if len(whole.rules) > 0 {
			out = append(out, whole)
		}
	}
	if len(out) == 0 && whole.comment != "" {
		out = append(out, edit{path: p.path, comment: whole.comment})
	}
	return out
}

func note(comment, more string) string {
	if comment == "" {
		return more
	}
	return comment + " / " + more
}

// elementRules gives the rules on the elements of a place: its mask, the
// attributes the segment itself has, and narrowed codes; those of components
// follow the element.
func (s *sefFile) elementRules(p *sefPlace) []string {
	segment := s.std.segments[p.tag]
	if segment == nil || s.masks[p.tag] == nil {
		return nil
	}
	var out []string
	for i, item := range s.mask(p, p.tag, p.mask, len(segment.uses)) {
		x := &segment.uses[i]
		words := s.attributeWords(p, item.use, x.required, p.codes[component{i + 1, 0}])
		if len(words) > 0 {
			out = append(out, strconv.Itoa(i+1)+" "+strings.Join(words, " "))
		}
		c := s.std.composites[x.ref]
		if c == nil || slices.Contains(words, "forbid") || s.masks[x.ref] == nil {
			continue
		}
		for j, part := range s.mask(p, x.ref, item.inner, len(c.uses)) {
			at := component{i + 1, j + 1}
			if words := s.attributeWords(p, part.use, c.uses[j].required, p.codes[at]); len(words) > 0 {
				out = append(out, at.String()+" "+strings.Join(words, " "))
			}
		}
	}
	return out
}

// mask gives how each position is used: by a mask, which leaves out what it
// does not reach, or by the attributes of the layout.
func (s *sefFile) mask(p *sefPlace, ref string, number, positions int) []maskItem {
	extra := s.masks[ref]
	out := make([]maskItem, positions)
	for i := range out {
		out[i] = maskItem{use: extra.attributes[i], inner: extra.use[i]}
		if out[i].use == '.' {
			out[i].use = '#' // not used, as a mask writes it
		}
	}
	if number == 0 {
		return out
	}
	if number > len(extra.masks) {
		s.report(Contradiction, p.record, "mask %d of %s is not there; there are %d", number, ref, len(extra.masks))
		return out
	}
	mask := extra.masks[number-1]
	for i := range out {
		inner := out[i].inner
		if out[i] = (maskItem{use: '#'}); i < len(mask) {
			out[i] = mask[i]
			out[i].inner = max(out[i].inner, inner)
		}
	}
	return out
}

// attributeWords turns a character of a mask, and codes, into rules.
func (s *sefFile) attributeWords(p *sefPlace, use byte, required bool, values []string) []string {
	var words []string
	switch use {
	case '#':
		return []string{"forbid"}
	case '!', 'M', 'R':
		if !required {
			words = append(words, "require")
		}
	case 0, '.', '$', '-', '&', 'O', 'C', 'D', '+':
	default:
		s.report(NotUnderstood, p.record, "%q in a mask of %s; the element was left as it is", string(use), p.tag)
	}
	if len(values) == 0 {
		return words
	}
	for _, v := range values {
		if !plainCode(v) {
			s.report(NotKept, p.record, "%s has code %q, which cannot stand in a list of codes; its codes were not narrowed", p.tag, v)
			return words
		}
	}
	return append(words, "codes", strings.Join(values, " "))
}
