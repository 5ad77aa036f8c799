package mapping

// ruleText is one line of a map as it is written: the path it stands under and
// what it says, not yet looked up.
type ruleText struct {
	at     position
	target located

	paths  []located
	how    string // path, any or agree
	join   *located
	count  *located
	tag    *located // written
	value  *located // const
	lookup *lookupText
	date   *located
	time   *located
	places *located // implied
	raw    bool
	beside []pairText
	guides []located

	each, inside *located
	rest         bool
	use          *located
	lines        linesText
	isBlock      bool

	to, from wayText
}

// wayText is what a line says about one direction.
type wayText struct {
	value, when, where, standard *located
	with                         []pairText
	at                           position
	given                        bool
}

// pairText is a name with a text.
type pairText struct {
	name, text located
	values     []string
}

// lookupText is a table by its name, or written out.
type lookupText struct {
	name  *located
	table *Table
	at    position
}

// linesText are the lines of a map, block or loop: those for both directions
// and those for one.
type linesText struct {
	both, onlyTo, onlyFrom []*ruleText
}

// ruleReader reads the lines of a map.
type ruleReader struct {
	p      *problems
	tables *tableReader
	count  int
}

const maxLines = 10000 // of one map

func leafKeys() []string {
	return []string{"path", "any", "agree", "join", "count", "written", "const", "lookup", "date", "time", "implied", "raw", "beside", "default"}
}

func blockKeys() []string {
	return []string{"at", "each", "rest", "use", "fields", "only-to", "only-from"}
}

// lines reads fields, only-to and only-from of one mapping.
func (r *ruleReader) lines(n *node, key string) linesText {
	return linesText{both: r.rules(n.get(key)), onlyTo: r.rules(n.get("only-to")), onlyFrom: r.rules(n.get("only-from"))}
}

func (r *ruleReader) rules(n *node) []*ruleText {
	if n == nil {
		return nil
	}
	if n.kind != mappingNode {
		r.p.at(n.at, "write `target: source` lines", "lines of a map are wanted here, not %s", n.what())
		return nil
	}
	var out []*ruleText
	for _, e := range n.entries {
		if r.count++; r.count > maxLines {
			r.p.at(e.at, "", "a map has at most %d lines", maxLines)
			return out
		}
		out = append(out, r.rule(e))
	}
	return out
}

// rule reads one line: a path, or a mapping that says more.
func (r *ruleReader) rule(e entry) *ruleText {
	t := &ruleText{at: e.at, target: located{e.key, e.at}, how: "path"}
	if e.value.kind == scalarNode && !e.value.null {
		t.paths = []located{{e.value.text, e.value.at}}
		return t
	}
	known := append(append(leafKeys(), blockKeys()...), "to", "from", "when", "where", "with", "guides")
	n := e.value
	if n.kind == scalarNode {
		r.p.at(e.at, "write the path it comes from", "%q says nothing", clip(e.key))
		return t
	}
	k := newKeys(n, r.p, known...)
	for _, key := range blockKeys() {
		t.isBlock = t.isBlock || n.get(key) != nil
	}
	r.sources(t, n, k)
	t.join, t.count, t.value, t.tag = k.located("join"), k.located("count"), k.located("const"), k.located("written")
	t.date, t.time, t.places = k.located("date"), k.located("time"), k.located("implied")
	t.each, t.inside, t.use, t.rest = k.located("each"), k.located("at"), k.located("use"), k.flag("rest")
	t.guides, t.raw = k.texts("guides"), k.flag("raw")
	for _, e := range entriesOf(k.mapping("beside")) {
		inner := newKeys(&node{kind: mappingNode, at: e.at, entries: []entry{e}}, r.p, e.key)
		p := pairText{name: located{e.key, e.at}}
		for _, v := range inner.texts(e.key) {
			p.values, p.text = append(p.values, v.text), v
		}
		t.beside = append(t.beside, p)
	}
	if l := n.get("lookup"); l != nil {
		t.lookup = r.lookup(l)
	}
	t.lines = r.lines(n, "fields")
	r.ways(t, n, k)
	r.consistent(t, n)
	return t
}

func entriesOf(n *node) []entry {
	if n == nil {
		return nil
	}
	return n.entries
}

func (r *ruleReader) sources(t *ruleText, n *node, k *keys) {
	found := 0
	for _, how := range []string{"path", "any", "agree"} {
		if n.get(how) != nil {
			t.how, t.paths = how, k.texts(how)
			found++
		}
	}
	if found > 1 {
		r.p.at(t.at, "", "path, any and agree exclude each other")
	}
}

func (r *ruleReader) lookup(n *node) *lookupText {
	switch {
	case n.kind == scalarNode && !n.null:
		return &lookupText{name: &located{n.text, n.at}, at: n.at}
	case n.kind == scalarNode:
		r.p.at(n.at, "name a table or write its rows", "lookup says nothing")
		return nil
	}
	t := newTable("")
	t.inline = true
	r.tables.rows(t, n)
	return &lookupText{table: t, at: n.at}
}

// ways reads what the line says about the two directions. when, with and
// default without a direction are those of to.
func (r *ruleReader) ways(t *ruleText, n *node, k *keys) {
	t.to, t.from = r.way(n.get("to")), r.way(n.get("from"))
	short := func(key string, to **located) {
		v := k.located(key)
		if v != nil && *to != nil {
			r.p.at(v.at, "", "%s is written twice, here and under to", key)
		}
		if v != nil {
			*to = v
		}
	}
	short("when", &t.to.when)
	short("where", &t.to.where)
	short("default", &t.to.standard)
	if with := k.mapping("with"); with != nil {
		if len(t.to.with) > 0 {
			r.p.at(with.at, "", "with is written twice, here and under to")
		}
		t.to.with = r.with(with)
	}
}

func (r *ruleReader) way(n *node) wayText {
	var w wayText
	if n == nil {
		return w
	}
	w.at, w.given = n.at, true
	if n.kind == scalarNode && !n.null {
		w.value = &located{n.text, n.at}
		return w
	}
	k := newKeys(n, r.p, "value", "when", "where", "default", "with")
	w.value, w.when, w.where, w.standard = k.located("value"), k.located("when"), k.located("where"), k.located("default")
	w.with = r.with(k.mapping("with"))
	return w
}

func (r *ruleReader) with(n *node) []pairText {
	var out []pairText
	for _, e := range entriesOf(n) {
		if e.value.kind != scalarNode || e.value.null {
			r.p.at(e.value.at, "write name: path", "with gives a path to each name, not %s", e.value.what())
			continue
		}
		out = append(out, pairText{name: located{e.key, e.at}, text: located{e.value.text, e.value.at}})
	}
	return out
}

// consistent refuses keys that say nothing together.
func (r *ruleReader) consistent(t *ruleText, n *node) {
	leaf := ""
	for _, key := range leafKeys() {
		if n.get(key) != nil && (leaf == "" || key == "path") {
			leaf = key
		}
	}
	scalars := t.each != nil && len(t.paths) > 0 && t.use == nil && n.get("fields") == nil // a list of values
	switch {
	case t.isBlock && leaf != "" && !scalars:
		r.p.at(t.at, "put it into fields", "%s is for a value, not for a block with at, each or fields", leaf)
	case t.isBlock && t.each != nil && t.inside != nil:
		r.p.at(t.at, "", "at goes into one occurrence, each into all: give one of the two")
	case t.each == nil && (t.to.where != nil || t.from.where != nil):
		r.p.at(t.at, "write when: for a condition on the line as a whole", "where chooses among the occurrences of each")
	case t.isBlock && t.rest && t.each == nil:
		r.p.at(t.at, "", "rest goes with each")
	case t.isBlock && !scalars && t.use == nil && len(t.lines.both)+len(t.lines.onlyTo)+len(t.lines.onlyFrom) == 0:
		r.p.at(t.at, "list its lines under fields:", "the block holds no lines")
	case t.isBlock && (t.to.value != nil || t.from.value != nil || t.to.standard != nil || t.from.standard != nil):
		r.p.at(t.at, "", "value and default are for values, not for blocks")
	case !t.isBlock && len(t.paths) == 0 && t.value == nil && t.count == nil && t.tag == nil && t.to.value == nil && t.from.value == nil:
		r.p.at(t.at, "give path, const, count or to", "the line does not say where its value comes from")
	case t.value != nil && (len(t.paths) > 0 || t.count != nil || t.lookup != nil), t.count != nil && (len(t.paths) > 0 || t.lookup != nil),
		t.tag != nil && (len(t.paths) > 0 || t.count != nil || t.value != nil || t.lookup != nil):
		r.p.at(t.at, "", "path, const, count and written exclude each other")
	}
}
