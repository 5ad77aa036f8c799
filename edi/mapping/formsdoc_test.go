package mapping

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"tradepost/edi/schema"
)

// TestFormsDoc keeps the tables of docs/forms.md and docs/forms-shapes.md true,
// which are made from the forms and maps; what stands around them is written by
// hand. -update writes them.
func TestFormsDoc(t *testing.T) {
	t.Parallel()
	tables := newFormsTables(t).tables()
	for _, page := range []string{"../../docs/forms.md", "../../docs/forms-shapes.md"} {
		checkTables(t, page, tables)
	}
	for name := range tables {
		t.Errorf("neither page has a place for the table of %s: add <!-- %s --> and <!-- end -->", name, name)
	}
}

// checkTables compares the tables of one page with what they ought to be, and
// takes them off the list.
func checkTables(t *testing.T, formsDoc string, tables map[string]string) {
	t.Helper()
	text, err := os.ReadFile(formsDoc)
	if err != nil {
		t.Fatal(err)
	}
	out := string(text)
	for name, table := range tables {
		begin, end := "<!-- "+name+" -->\n", "<!-- end -->\n"
		from := strings.Index(out, begin)
		if from < 0 {
			continue
		}
		delete(tables, name)
		from += len(begin)
		to := strings.Index(out[from:], end)
		if to < 0 {
			t.Fatalf("%s: %q has no end", formsDoc, begin)
		}
		out = out[:from] + table + out[from+to:]
	}
	if out == string(text) {
		return
	}
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(formsDoc, []byte(out), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	old, young := strings.Split(string(text), "\n"), strings.Split(out, "\n")
	for i := range young {
		if i >= len(old) || old[i] != young[i] {
			t.Fatalf("%s is not what the forms and maps say from line %d on: %q; run go test ./edi/mapping -run TestFormsDoc -update", formsDoc, i+1, young[i])
		}
	}
	t.Fatalf("%s is longer than the forms and maps make it; run go test ./edi/mapping -run TestFormsDoc -update", formsDoc)
}

// formsTables collects where the fields of the shipped forms stand in EDI.
type formsTables struct {
	forms  map[string]*Form
	maps   map[string][]*Map                // by form: X12, EDIFACT
	places map[string]map[fieldKey][]string // of fields
	seen   map[*block]bool
}

// fieldKey names a field in all forms that share its shape.
type fieldKey struct{ object, field string }

func newFormsTables(t *testing.T) *formsTables {
	t.Helper()
	d := &formsTables{forms: map[string]*Form{}, maps: map[string][]*Map{}, places: map[string]map[fieldKey][]string{schema.X12: {}, schema.EDIFACT: {}}}
	l := NewLibrary(schema.Shipped())
	for _, name := range l.Names() {
		m, err := l.Map(name)
		if err != nil {
			t.Fatal(err)
		}
		form := m.to.form
		d.forms[form.Name] = form
		d.maps[form.Name] = append(d.maps[form.Name], m)
		for _, p := range m.all() {
			d.seen = map[*block]bool{}
			d.walk(p.top, "", p.from.guide.guide.Standard, owners(form))
		}
	}
	return d
}

// owners names the object every field of a form stands in.
func owners(f *Form) map[*Field]fieldKey {
	out, seen := map[*Field]fieldKey{}, map[*Object]bool{}
	var look func(o *Object, name string)
	look = func(o *Object, name string) {
		if seen[o] {
			return
		}
		seen[o] = true
		for _, field := range o.Fields {
			out[field] = fieldKey{name, field.Name}
			if field.Object == nil {
				continue
			}
			if inner := field.Object.Name; !strings.Contains(inner, ".") {
				look(field.Object, inner)
			} else {
				look(field.Object, name+"."+field.Name)
			}
		}
	}
	look(f.Root, f.Name)
	return out
}

// walk notes the places of the lines of a block. prefix is the segment that
// their paths start in.
func (d *formsTables) walk(b *block, prefix string, s string, keys map[*Field]fieldKey) {
	if b == nil || d.seen[b] {
		return
	}
	d.seen[b] = true
	for _, l := range b.lines {
		inner := prefix
		var field *Field
		var places []*place
		switch {
		case l.turned:
			if l.from != nil {
				field = l.from.field
			}
			places = []*place{l.to}
		case l.to != nil:
			field, places = l.to.field, l.places
			if len(places) == 0 && l.from != nil {
				places = []*place{l.from}
			}
		}
		if l.body != nil && l.from != nil && !l.turned {
			inner = l.from.prefix(prefix)
		}
		if key, ok := keys[field]; ok && l.kind != lineCount {
			if l.kind == lineBlock && len(places) == 0 {
				d.note(s, key, "its fields")
			}
			for _, p := range places {
				d.note(s, key, p.shown(prefix))
			}
			if !l.turned && l.to != nil && l.from != nil && len(l.to.steps) > 0 {
				for _, c := range l.to.steps[len(l.to.steps)-1].conds {
					if inner, ok := keys[c.field]; ok && len(c.values) == 1 {
						d.note(s, inner, l.from.text)
					}
				}
			}
			if l.kind == lineConst && !l.turned {
				d.note(s, key, "= "+string(l.constant))
			}
		}
		d.walk(l.body, inner, s, keys)
	}
}

func (d *formsTables) note(s string, key fieldKey, text string) {
	if at := d.places[s]; text != "" && !slices.Contains(at[key], text) {
		at[key] = append(at[key], text)
	}
}

// prefix is the segment that paths inside of a place start in when they begin
// with the number of an element; in a loop that is its first segment.
func (p *place) prefix(outer string) string {
	switch {
	case p.leaf.isRange:
		return p.shown(outer)
	case len(p.steps) == 0:
		return outer
	}
	return p.steps[len(p.steps)-1].tag
}

// shown is a path with the segment it starts in. Further ones of the same kind
// (#2) and the area in front say nothing new.
func (p *place) shown(prefix string) string {
	text := strings.TrimLeft(p.text, "/.")
	for _, area := range []string{"heading/", "detail/", "summary/"} {
		text = strings.TrimPrefix(text, area)
	}
	if strings.Contains(text, "#2") || strings.Contains(text, "#3") {
		return ""
	}
	text = strings.ReplaceAll(text, "#1", "")
	if text != "" && text[0] >= '0' && text[0] <= '9' && prefix != "" {
		return prefix + "/" + text
	}
	return text
}

// tables makes the table of every form and shape, and of what no map carries.
func (d *formsTables) tables() map[string]string {
	out := map[string]string{}
	shapes := map[string]*Object{}
	for name, f := range d.forms {
		var b strings.Builder
		head(&b)
		d.rows(&b, f.Root, name, "", shapes)
		out["form "+name] = b.String()
		var left strings.Builder
		for _, m := range d.maps[name] {
			fmt.Fprintf(&left, "- `%s` has no line for %s\n", m.Name(), untouched(m))
		}
		out["left "+name] = left.String()
	}
	var b strings.Builder
	done := map[string]bool{}
	for len(done) < len(shapes) {
		for _, name := range slices.Sorted(keysOf(shapes)) {
			if done[name] {
				continue
			}
			done[name] = true
			fmt.Fprintf(&b, "### %s\n\n", name)
			head(&b)
			d.rows(&b, shapes[name], name, "", shapes)
			b.WriteString("\n")
		}
	}
	out["shapes"] = strings.TrimSuffix(b.String(), "\n")
	return out
}

func head(b *strings.Builder) {
	b.WriteString("| Field | Kind | Meaning | X12 | EDIFACT |\n| --- | --- | --- | --- | --- |\n")
}

// rows writes a row for each field of an object, and for those of objects that
// have no shape.
func (d *formsTables) rows(b *strings.Builder, o *Object, object, above string, shapes map[string]*Object) {
	for _, f := range o.Fields {
		kind := f.Kind.String()
		own := false
		switch {
		case f.Kind == List && f.Object == nil:
			kind = "list of " + f.Of.String()
		case f.Object != nil && !strings.Contains(f.Object.Name, "."):
			shapes[f.Object.Name] = f.Object
			kind = f.Object.Name
			if f.Kind == List {
				kind = "list of " + kind
			}
		case f.Object != nil:
			own = true
		}
		if f.Required {
			kind += ", required"
		}
		name := above + f.Name
		key := fieldKey{object, f.Name}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", name, kind, f.meaning(), d.cell(schema.X12, key), d.cell(schema.EDIFACT, key))
		if !own {
			continue
		}
		if f.Kind == List {
			name += "[]"
		}
		inner := f.Object
		if shape := widenedShape(f.Object); shape > 0 {
			inner = &Object{Name: f.Object.Name, Fields: f.Object.Fields[:shape]}
		}
		d.rows(b, inner, object+"."+f.Name, name+".", shapes)
	}
}

// widenedShape tells a party with a field of its own in front: the others are
// those of the shape.
func widenedShape(o *Object) int {
	if i := slices.Index(o.names(), "id_type"); i == 2 {
		return 1
	}
	return 0
}

func (d *formsTables) cell(s string, key fieldKey) string {
	places := d.places[s][key]
	for i, p := range places {
		if strings.HasPrefix(p, "= ") {
			places[i] = "always " + p[2:]
			continue
		}
		if p != "its fields" && !strings.HasPrefix(p, "`") && !strings.HasPrefix(p, "always ") {
			places[i] = "`" + strings.ReplaceAll(p, "|", `\|`) + "`"
		}
	}
	return strings.Join(places, ", ")
}

func (f *Field) meaning() string {
	text := f.About
	if f.Unit != "" {
		text += " (" + f.Unit + ")"
	}
	if len(f.Codes) > 0 {
		text += ": `" + strings.Join(f.Codes, "`, `") + "`"
	}
	return text
}

// untouched lists the segments and groups of a map's first guide that none of
// its lines names. Of a hierarchy they are those that no level names.
func untouched(m *Map) string {
	g := m.from.guides[0]
	named := map[*schema.Node]bool{}
	for _, p := range m.all() {
		if p.from.guide.guide != g {
			continue
		}
		for _, l := range p.all {
			for _, at := range append([]*place{l.from, l.to}, l.places...) {
				if at == nil {
					continue
				}
				for _, s := range at.steps {
					named[s.node] = true
				}
			}
		}
	}
	u := &unnamed{named: named}
	u.look(g.Root, true)
	return strings.Join(u.paths, ", ")
}

// unnamed collects the nodes of a guide that are not named.
type unnamed struct {
	named map[*schema.Node]bool
	paths []string
}

// look goes through a loop and tells whether any of it is named.
func (u *unnamed) look(l *schema.Loop, root bool) bool {
	found := false
	for i := range l.Nodes {
		n := &l.Nodes[i]
		before := len(u.paths)
		switch {
		case n.Loop != nil && len(n.Loop.Levels) > 0:
			found = true
			u.levels(n)
		case n.Loop != nil && u.look(n.Loop, false), n.Loop == nil && u.named[n]:
			found = true
		case n.Loop != nil:
			u.paths = append(u.paths[:before], n.Path)
		case (root || i > 0) && !isOrder(n.Tag.String()):
			u.paths = append(u.paths, n.Path)
		}
	}
	return found
}

// levels keeps what is unnamed in every level a map has lines for.
func (u *unnamed) levels(n *schema.Node) {
	count, used := map[string]int{}, 0
	var order []string
	for k := range n.Loop.Levels {
		inner := &unnamed{named: u.named}
		if !inner.look(n.Loop.Levels[k].Loop, false) {
			continue
		}
		used++
		for _, p := range inner.paths {
			p = "HL" + p[strings.Index(p, "]")+1:]
			if count[p]++; count[p] == 1 {
				order = append(order, p)
			}
		}
	}
	for _, p := range order {
		if count[p] == used {
			u.paths = append(u.paths, p)
		}
	}
}

// isOrder tells segments that hold the order of a document together.
func isOrder(tag string) bool {
	return slices.Contains([]string{"ST", "SE", "UNH", "UNT", "UNS", "HL", "LS", "LE", "CPS"}, tag)
}
