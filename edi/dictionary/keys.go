package dictionary

import (
	"fmt"
	"slices"
	"strings"

	"tradepost/edi/schema"
)

// lend takes business keys, the group and the title of a document from a known
// guide of its type: the one of its version, or else any.
func (im *importer) lend(d *document, s *standard) {
	if d.group == "" {
		d.group = im.options.Group
	}
	known := im.knownGuide(s, d.kind)
	if d.basedOn != "" {
		return
	}
	if known == nil {
		if at := documentNumber(s); at != "" && d.has("BGM") {
			d.keys = append(d.keys, "Document "+at)
		}
		return
	}
	if d.group == "" {
		d.group = known.Group
	}
	if d.title == "" {
		d.title = known.Title
	}
	places := map[string][]*schema.Node{}
	var collect func(l *schema.Loop)
	collect = func(l *schema.Loop) {
		for i := range l.Nodes {
			n := &l.Nodes[i]
			if n.Loop == nil {
				places[n.Tag.String()] = append(places[n.Tag.String()], n)
			} else {
				collect(n.Loop)
			}
		}
		for i := range l.Levels {
			collect(l.Levels[i].Loop)
		}
	}
	collect(known.Root)
	have := map[string]bool{}
	for i := range d.nodes {
		walk(d.nodes[i].nodes, "", func(n *node, _ string) { have[n.name] = len(n.nodes) == 0 && len(n.levels) == 0 || have[n.name] })
	}
	for _, tag := range sortedRefs(places) {
		nodes := places[tag]
		if !have[tag] || s.segments[tag] == nil {
			continue
		}
		for _, k := range nodes[0].Keys {
			everywhere := !slices.ContainsFunc(nodes, func(n *schema.Node) bool {
				return !slices.ContainsFunc(n.Keys, func(o schema.Key) bool { return o.Name == k.Name && o.Element == k.Element })
			})
			if text := keyText(s, tag, k); everywhere && text != "" {
				d.keys = append(d.keys, text)
			}
		}
	}
}

// documentNumber is where nearly all messages of EDIFACT have the number of the
// document: element 1004 of BGM. It is empty when there is none.
func documentNumber(s *standard) string {
	bgm := s.segments["BGM"]
	if s.standard != schema.EDIFACT || bgm == nil {
		return ""
	}
	for i, u := range bgm.uses {
		if u.ref == "1004" {
			return address(s, "BGM", i+1, 0)
		}
		if c := s.composites[u.ref]; c != nil {
			if j := slices.IndexFunc(c.uses, func(part use) bool { return part.ref == "1004" }); j >= 0 {
				return address(s, "BGM", i+1, j+1)
			}
		}
	}
	return ""
}

// has tells whether a segment has a place in the document.
func (d *document) has(tag string) bool {
	found := false
	for i := range d.nodes {
		walk(d.nodes[i].nodes, "", func(n *node, _ string) { found = found || n.name == tag && len(n.nodes) == 0 && len(n.levels) == 0 })
	}
	return found
}

func (im *importer) knownGuide(s *standard, kind string) *schema.Guide {
	if im.options.Known == nil {
		return nil
	}
	if g, ok := im.options.Known.Lookup(s.standard, s.version, kind); ok {
		return g
	}
	for _, name := range im.options.Known.Names() {
		if !strings.HasSuffix(name, "/"+kind) {
			continue
		}
		if g, err := im.options.Known.Guide(name); err == nil && g.Standard == s.standard && g.Type == kind && g.BasedOn == "" {
			return g
		}
	}
	return nil
}

// keyText writes a key for a segment as it is here: what is a composite in one
// release may be a simple element in another.
func keyText(s *standard, tag string, k schema.Key) string {
	at := address(s, tag, k.Element, k.Component)
	if at == "" {
		return ""
	}
	text := k.Name + " " + at
	if k.Where != nil {
		on := address(s, tag, k.Where.Element, k.Where.Component)
		var values []string
		for _, c := range k.Where.Values.List() {
			values = append(values, word(c.Value))
		}
		if on == "" {
			return ""
		}
		text += " where " + on + " = " + strings.Join(values, " ")
	}
	return text
}

// address writes BGM02 or RFF01-2; empty when the segment has no such place.
func address(s *standard, tag string, element, component int) string {
	l := s.segments[tag]
	if element < 1 || element > len(l.uses) {
		return ""
	}
	c := s.composites[l.uses[element-1].ref]
	switch {
	case c == nil && component > 1:
		return ""
	case c == nil:
		return fmt.Sprintf("%s%02d", tag, element)
	}
	if component = max(component, 1); component > len(c.uses) {
		return ""
	}
	return fmt.Sprintf("%s%02d-%d", tag, element, component)
}

// dateForms finds dates whose form is told by a code beside them: 1251 by 1250
// in X12, 2380 by 2379 in EDIFACT.
func dateForms(s *standard) {
	form, value := "1250", "1251"
	if s.standard == schema.EDIFACT {
		form, value = "2379", "2380"
	}
	for _, list := range []map[string]*layout{s.composites, s.segments} {
		for _, l := range list {
			l.dateForms(form, value)
		}
	}
}

func (l *layout) dateForms(form, value string) {
	for i := range l.uses {
		if l.uses[i].ref != value || max(l.uses[i].repeat, 1) > 1 {
			continue
		}
		nearest := 0
		for j := range l.uses {
			if l.uses[j].ref == form && (nearest == 0 || distance(i, j) < distance(i, nearest-1)) {
				nearest = j + 1
			}
		}
		l.uses[i].format = nearest
	}
}

func distance(a, b int) int { return max(a-b, b-a) }
