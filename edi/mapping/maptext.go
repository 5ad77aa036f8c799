package mapping

import (
	"io/fs"
	"slices"
)

// mapText is a map as it is written, not yet looked up in guides and forms.
type mapText struct {
	name, title, about string
	at                 position
	from, to           sideText
	lines              linesText
	blocks             map[string]linesText
	tables             map[string]*Table
	alternatives       map[position]*alternative // by where they stand
}

// sideText is what a map says about one of its sides.
type sideText struct {
	at       position
	guides   []located
	formName *located
	form     *Form // written out in the map
}

func (m *mapText) guideNames() []string {
	var names []string
	for _, g := range append(slices.Clone(m.from.guides), m.to.guides...) {
		names = append(names, g.text)
	}
	return names
}

func (m *mapText) blockNames() []string { return slices.Sorted(keysOf(m.blocks)) }

// readMap reads the text of a map; tables in files are looked for in fsys,
// beside the map. It returns nil when the text is no YAML.
func readMap(file, dir string, text []byte, fsys fs.FS, p *problems) *mapText {
	n := readYAML(file, text, p)
	if n == nil {
		return nil
	}
	m := &mapText{at: n.at, blocks: map[string]linesText{}, tables: map[string]*Table{}}
	k := newKeys(n, p, "map", "title", "about", "from", "to", "tables", "blocks", "lines", "only-to", "only-from")
	m.name, m.title, m.about = k.text("map"), k.text("title"), k.text("about")
	if m.name == "" && n.kind == mappingNode {
		p.at(n.at, "begin with map: NAME", "the map has no name")
	}
	m.from, m.to = readSide(n, "from", p), readSide(n, "to", p)
	if m.from.formName != nil && m.to.formName != nil || m.from.form != nil && m.to.form != nil {
		p.at(n.at, "", "one side of a map is EDI, both are forms here")
	}
	tables := &tableReader{p, fsys, dir}
	if t := k.mapping("tables"); t != nil {
		for _, e := range t.entries {
			m.tables[e.key] = tables.named(e.key, e.value)
		}
	}
	r := &ruleReader{p: p, tables: tables}
	if b := k.mapping("blocks"); b != nil {
		for _, e := range b.entries {
			inner := newKeys(e.value, p, "fields", "only-to", "only-from")
			m.blocks[e.key] = r.lines(inner.n, "fields")
		}
	}
	m.lines = r.lines(n, "lines")
	if len(m.lines.both)+len(m.lines.onlyTo)+len(m.lines.onlyFrom) == 0 && n.kind == mappingNode {
		p.at(n.at, "write `target: source` lines under lines:", "the map has no lines")
	}
	return m
}

// readSide reads {edi: GUIDE}, {edi: [GUIDE, ...]} or {form: NAME}.
func readSide(n *node, key string, p *problems) sideText {
	v := n.get(key)
	if v == nil {
		if n.kind == mappingNode {
			p.at(n.at, "write "+key+": {edi: GUIDE} or "+key+": {form: NAME}", "the map does not say what its %s side is", key)
		}
		return sideText{at: n.at}
	}
	k := newKeys(v, p, "edi", "form")
	s := sideText{at: v.at, guides: k.texts("edi")}
	form := v.get("form")
	switch {
	case form == nil:
	case form.kind == mappingNode:
		s.form = readForm(form, p)
	default:
		s.formName = k.located("form")
	}
	if (len(s.guides) > 0) == (form != nil) {
		p.at(v.at, "", "the %s side is either edi or form", key)
	}
	return s
}
