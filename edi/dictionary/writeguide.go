package dictionary

import (
	"strconv"
	"strings"
)

// guideText writes one guide.
func (s *standard) guideText(d *document, dictionary string) []byte {
	var p printer
	s.head(&p, "guide", d.name, d.title)
	for _, c := range d.comment {
		p.comment(0, c)
	}
	if d.basedOn != "" {
		p.line(0, "based-on", d.basedOn)
	} else {
		p.line(0, "uses", dictionary)
		group := ""
		if d.group != "" {
			group = "group " + d.group
		}
		p.line(0, "set", d.kind, group)
	}
	for _, k := range d.keys {
		p.line(0, "key", k)
	}
	for _, a := range d.nodes {
		p.WriteByte('\n')
		p.line(0, "area", a.name)
		p.nodes(1, a.nodes, false)
	}
	if len(d.codes)+len(d.edits) > 0 {
		p.WriteByte('\n')
	}
	for _, c := range d.codes {
		p.codes(c)
	}
	for _, e := range d.edits {
		p.edit(0, e)
	}
	return p.Bytes()
}

func usage(required bool, limit int) string {
	m, n := "C", "*"
	if required {
		m = "M"
	}
	if limit > 0 {
		n = strconv.Itoa(limit)
	}
	return m + " " + n
}

// nodes writes places; opener is set inside a loop, whose first segment is
// there once whenever the loop is.
func (p *printer) nodes(depth int, nodes []node, opener bool) {
	for i := range nodes {
		n := &nodes[i]
		comment := ""
		if n.comment != "" {
			comment = "# " + printable(n.comment)
		}
		switch {
		case len(n.levels) > 0:
			p.line(depth, "hl", n.name, usage(n.required, n.max), quote(n.title), comment)
			for _, l := range n.levels {
				root, under := "", ""
				if l.root {
					root = "root"
				}
				if len(l.under) > 0 {
					under = "under " + strings.Join(l.under, " ")
				}
				p.line(depth+1, "level", word(l.code), quote(l.title), root, under)
				p.nodes(depth+2, l.nodes, true)
			}
		case len(n.nodes) > 0:
			p.line(depth, "loop", n.name, usage(n.required, n.max), quote(n.title), comment)
			p.nodes(depth+1, n.nodes, true)
		case opener && i == 0:
			p.line(depth, n.name, usage(true, 1), comment)
		default:
			p.line(depth, n.name, usage(n.required, n.max), comment)
		}
	}
}

// codes writes a code change, some codes a line.
func (p *printer) codes(c codeChange) {
	for i := 0; i < len(c.codes); i += 12 {
		words := []string{"codes", c.ref, c.verb}
		for _, code := range c.codes[i:min(i+12, len(c.codes))] {
			words = append(words, word(code.Value))
			if c.verb == "add" {
				words = append(words, quote(code.Name))
			}
		}
		p.line(0, words...)
	}
}

func (p *printer) edit(depth int, e edit) {
	if len(e.rules)+len(e.variants) == 0 && e.others == "" {
		p.comment(depth, e.path+": "+e.comment)
		return
	}
	p.line(depth, "at", e.path)
	p.comment(depth+1, e.comment)
	for _, r := range e.rules {
		p.line(depth+1, r)
	}
	for _, v := range e.variants {
		p.line(depth+1, "variant", v.name, quote(v.title), v.rules, "where", v.where)
		for _, inner := range v.edits {
			p.edit(depth+2, inner)
		}
	}
	if e.others != "" {
		p.line(depth+1, "others", e.others)
	}
}
