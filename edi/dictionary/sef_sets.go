package dictionary

import (
	"cmp"
	"regexp"
	"strconv"

	"tradepost/edi/schema"
)

// sefGuide is one set with what the file says of its places.
type sefGuide struct {
	doc    *document
	places []*sefPlace // by ordinal, 1 first
	byPath map[string][]*sefPlace
}

// sefPlace is a reference to a segment in a set.
type sefPlace struct {
	tag       string
	ordinal   int
	attribute byte
	mask      int
	path      string // of the segment
	loop      string // of the loop it opens, or empty
	codes     map[component][]string
	notes     []string
	record    place
}

// component is a position of a segment, and of the composite there, 0 for the
// position as a whole.
type component struct{ element, part int }

func (c component) String() string {
	if c.part == 0 {
		return strconv.Itoa(c.element)
	}
	return strconv.Itoa(c.element) + "-" + strconv.Itoa(c.part)
}

func compareComponents(a, b component) int {
	return cmp.Or(cmp.Compare(a.element, b.element), cmp.Compare(a.part, b.part))
}

// sets reads .SETS: tables begin with ^, segments stand in brackets, loops in
// braces with their number of uses: {N1:200[N1][N2,,2]}.
func (s *sefFile) sets() {
	for _, r := range s.records["SETS"] {
		if !documentKind.MatchString(r.key) {
			s.report(NotUnderstood, r.place, "%q is no document type", r.key)
			continue
		}
		if s.guides[r.key] != nil {
			s.report(Contradiction, r.place, "set %s is described twice; the first was kept", r.key)
			continue
		}
		if !s.within(&s.left.documents, 1, r.place, "documents") {
			return
		}
		g := &sefGuide{doc: &document{kind: r.key, place: r.place}, byPath: map[string][]*sefPlace{}}
		p := setParser{sefParser: sefParser{sefFile: s, text: r.value, place: r.place}, guide: g}
		p.tables()
		if len(g.places) == 0 {
			s.report(NotUnderstood, r.place, "set %s has no segments", r.key)
			continue
		}
		s.shape(g)
		s.guides[r.key] = g
		s.setOrder = append(s.setOrder, r.key)
		s.std.documents = append(s.std.documents, g.doc)
	}
}

// setParser reads one set.
type setParser struct {
	sefParser
	guide *sefGuide
	last  int // ordinal
}

func (p *setParser) tables() {
	names := []string{"heading", "detail", "summary"}
	for p.at < len(p.text) {
		if p.peek() == '^' {
			p.at++
		}
		nodes, ok := p.nodes(0)
		list := &p.guide.doc.nodes
		switch {
		case len(nodes) == 0:
		case p.std.standard == schema.EDIFACT && len(*list) == 0:
			*list = append(*list, area{"message", nodes})
		case p.std.standard == schema.EDIFACT || len(*list) == len(names):
			last := &(*list)[len(*list)-1]
			last.nodes = append(last.nodes, nodes...)
		default:
			*list = append(*list, area{names[len(*list)], nodes})
		}
		if !ok {
			return
		}
		if p.at < len(p.text) && p.peek() != '^' {
			p.fail("^, a segment in brackets or a loop in braces is expected; the rest of the set was left out")
			return
		}
	}
}

// nodes reads segments and loops up to a table mark, a closing brace or the
// end.
func (p *setParser) nodes(depth int) (out []node, ok bool) {
	for {
		switch p.peek() {
		case '[':
			text, ok := p.inside()
			if !ok {
				return out, false
			}
			if n, ok := p.segment(text); ok {
				out = append(out, n)
			}
		case '{':
			n, ok := p.loop(depth)
			if len(n.nodes) > 0 {
				out = append(out, n)
			}
			if !ok {
				return out, false
			}
		case '+', '-':
			p.at++
			if _, ok := p.number(); !ok {
				return out, p.fail("a position is expected behind the sign")
			}
		default:
			return out, true
		}
	}
}

var setLoop = regexp.MustCompile(`^\{([A-Za-z0-9_]{0,12}):(>1|[0-9]{1,8})`)

func (p *setParser) loop(depth int) (node, bool) {
	m := setLoop.FindStringSubmatch(p.text[p.at:])
	if m == nil || depth > maxNestedLoops {
		return node{}, p.fail("a loop begins with its number of uses, as in {N1:200, and is nested at most %d deep", maxNestedLoops)
	}
	p.at += len(m[0])
	if !p.within(&p.left.nodes, 1, p.place, "places in guides") {
		return node{}, false
	}
	n := node{name: m[1], max: sefUses(m[2])}
	nodes, ok := p.nodes(depth + 1)
	n.nodes = nodes
	if !ok {
		return n, false
	}
	if p.peek() != '}' {
		return n, p.fail("a closing brace is missing")
	}
	p.at++
	if len(nodes) == 0 {
		return n, true
	}
	if len(nodes[0].nodes) > 0 {
		p.report(NotUnderstood, p.place, "a loop that begins with a loop; both were left out")
		return node{}, true
	}
	n.required = nodes[0].required
	if n.name == "" {
		n.name = nodes[0].name
	}
	return n, true
}

func sefUses(text string) int {
	if text == ">1" {
		return 0
	}
	n, _ := strconv.Atoi(text)
	if n < 1 || n > maxUses {
		return 0
	}
	return n
}

// setSegment is [ATTRIBUTE TAG *MASK @ORDINAL ,REQUIREMENT ,USES].
var setSegment = regexp.MustCompile(`^([.!$&-])?([A-Z][A-Z0-9]{1,2})(?:\*([0-9]{1,3}))?(?:@([0-9]{1,5}))?(?:,([A-Z]?)(?:,(>1|[0-9]{1,8}))?)?$`)

const maxSEFPlaces = 5000

func (p *setParser) segment(text string) (node, bool) {
	m := setSegment.FindStringSubmatch(text)
	if m == nil || len(p.guide.places) >= maxSEFPlaces || !p.within(&p.left.nodes, 1, p.place, "places in guides") {
		at := p.place
		at.text = "[" + text + "]"
		p.report(NotUnderstood, at, "no segment of set %s", p.guide.doc.kind)
		return node{}, false
	}
	p.last++
	if m[4] != "" {
		p.last = number(m[4])
	}
	n := node{name: m[2], required: m[5] == "M", max: 1, place: p.place}
	if m[6] != "" {
		n.max = sefUses(m[6])
	}
	at := &sefPlace{tag: m[2], ordinal: p.last, mask: number(m[3]), codes: map[component][]string{}, record: p.place}
	at.record.text = "[" + text + "]"
	if m[1] != "" {
		at.attribute = m[1][0]
	}
	p.guide.places = append(p.guide.places, at)
	n.place.column = len(p.guide.places) // finds the place again when the tree is whole
	return n, true
}

// shape gives every place its path, and makes hierarchies of HL loops.
func (s *sefFile) shape(g *sefGuide) {
	for i := range g.doc.nodes {
		a := &g.doc.nodes[i]
		if s.std.standard == schema.X12 {
			hierarchies(a.nodes)
		}
		walk(a.nodes, a.prefix(), func(n *node, path string) {
			if len(n.nodes) > 0 || len(n.levels) > 0 {
				return
			}
			at := g.places[n.place.column-1]
			at.path = path
			g.byPath[path] = append(g.byPath[path], at)
			n.place.column = 0
		})
		openers(a.nodes, a.prefix(), g)
	}
}

// openers notes for each segment that opens a loop the path of that loop.
func openers(nodes []node, path string, g *sefGuide) {
	for i := range nodes {
		n := &nodes[i]
		at := joinPath(path, n.name)
		if len(n.nodes) > 0 {
			for _, p := range g.byPath[joinPath(at, n.nodes[0].name)] {
				p.loop = at
			}
			openers(n.nodes, at, g)
		}
		for _, l := range n.levels {
			inner := at + "[" + l.code + "]"
			for _, p := range g.byPath[joinPath(inner, l.nodes[0].name)] {
				p.loop = at
			}
			openers(l.nodes, inner, g)
		}
	}
}

// hierarchies turns loops opened by HL, and holding no other one, into a
// hierarchy whose levels are all alike: numbers and parents are checked then.
func hierarchies(nodes []node) bool {
	found := false
	for i := range nodes {
		n := &nodes[i]
		inner := hierarchies(n.nodes)
		if !inner && len(n.nodes) > 0 && n.nodes[0].name == "HL" && len(n.nodes[0].nodes) == 0 {
			n.levels = []level{{code: "*", title: "Any level", root: true, nodes: n.nodes}}
			n.nodes = nil
			inner = true
		}
		found = found || inner
	}
	return found
}
