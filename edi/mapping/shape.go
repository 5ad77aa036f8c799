package mapping

import (
	"regexp"
	"slices"
)

// Form is the declared shape of documents in JSON, XML or CSV: their fields
// with kind and meaning.
type Form struct {
	Name  string
	Title string
	About string
	Root  *Object
	Sheet *Sheet // how a document lies in CSV; nil when it does not
}

// Object is a set of fields.
type Object struct {
	Name   string // of the shape, or the path to it
	Fields []*Field

	byName map[string]int
}

// Field is one field of an object.
type Field struct {
	Name      string
	Kind      Kind
	About     string   // what it means
	Unit      string   // of a number, or the code list of a text
	Header    string   // title of the column in CSV, the path when empty
	Codes     []string // the words it may hold; nil for any
	Open      bool     // Codes are the usual words, others may occur
	Required  bool
	Essential bool    // a map that cannot carry it must not run
	Max       int     // characters of a text, 0 for any number
	Object    *Object // of a Group, or of the items of a List; nil for a list of values
	Of        Kind    // of the items of a list of values

	at    position
	index int
}

// Sheet says how documents lie in CSV: one row for each item of a list, the
// fields of the document repeated on every row.
type Sheet struct {
	Rows string   // the list; empty for one row a document
	Key  []string // columns that tell one document from the next
	// Separator stands between the cells. Zero is a comma when written; what is
	// read may then have commas, semicolons or tabs, as its heading shows.
	Separator rune

	at position
}

// field finds a field by its name.
func (o *Object) field(name string) *Field {
	if i, ok := o.byName[name]; ok {
		return o.Fields[i]
	}
	return nil
}

func (o *Object) names() []string {
	names := make([]string, len(o.Fields))
	for i, f := range o.Fields {
		names[i] = f.Name
	}
	return names
}

func fieldName() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`) }

// ParseForm reads a form. The name stands in its errors, which are a
// *LoadError.
func ParseForm(name string, text []byte) (*Form, error) {
	var p problems
	n := readYAML(name, text, &p)
	if n == nil {
		return nil, p.err()
	}
	f := readForm(n, &p)
	if err := p.err(); err != nil {
		return nil, err
	}
	return f, nil
}

// formReader reads one form.
type formReader struct {
	p      *problems
	name   *regexp.Regexp
	shapes map[string]*Object
	fields int

	complete bool // the shapes are read
}

const maxFields = 5000 // of one form

func readForm(n *node, p *problems) *Form {
	f := &Form{}
	r := &formReader{p: p, name: fieldName(), shapes: map[string]*Object{}}
	k := newKeys(n, p, "form", "title", "about", "shapes", "fields", "csv")
	f.Name, f.Title, f.About = k.text("form"), k.text("title"), k.text("about")
	if shapes := k.mapping("shapes"); shapes != nil {
		for _, e := range shapes.entries {
			r.shapes[e.key] = &Object{Name: e.key}
		}
		for _, e := range shapes.entries {
			r.object(r.shapes[e.key], e.value)
		}
	}
	r.complete = true
	f.Root = &Object{Name: f.Name}
	if fields := k.mapping("fields"); fields != nil {
		r.object(f.Root, fields)
	} else if n.kind == mappingNode && n.get("fields") == nil {
		p.at(n.at, "list its fields under fields:", "a form without fields")
	}
	if sheet := k.mapping("csv"); sheet != nil {
		f.Sheet = r.sheet(f.Root, sheet)
	}
	return f
}

func (r *formReader) object(o *Object, n *node) {
	o.byName = map[string]int{}
	if n.kind != mappingNode || len(n.entries) == 0 {
		r.p.at(n.at, "write `name: kind` lines", "the fields of an object are wanted here, not %s", n.what())
		return
	}
	for _, e := range n.entries {
		if !r.name.MatchString(e.key) {
			r.p.at(e.at, "letters, digits, _ and - make a name, a letter first", "%q is no name of a field", clip(e.key))
			continue
		}
		if r.fields++; r.fields > maxFields {
			r.p.at(e.at, "", "a form has at most %d fields", maxFields)
			return
		}
		f := &Field{Name: e.key, at: e.at, index: len(o.Fields)}
		o.byName[e.key] = f.index
		o.Fields = append(o.Fields, f)
		r.field(f, o.Name+"."+e.key, e.value)
	}
}

// field reads one field: its kind as a word, with ! behind it when it is
// required, or a mapping whose first key is the kind.
func (r *formReader) field(f *Field, path string, n *node) {
	if n.kind == scalarNode && !n.null {
		word := n.text
		if len(word) > 0 && word[len(word)-1] == '!' {
			f.Required, word = true, word[:len(word)-1]
		}
		kind, ok := kindOf(word)
		if !ok || !kind.isScalar() {
			r.p.at(n.at, choose(word, kindNames()[:Boolean]), "%q is no kind of value", clip(word))
			kind = Text
		}
		f.Kind = kind
		return
	}
	known := append(kindNames(), "required", "essential", "codes", "open", "unit", "header", "max", "fields", "like", "of")
	k := newKeys(n, r.p, known...)
	f.Kind = Text
	found := 0
	for kind := Text; kind <= List; kind++ {
		if n.get(kind.String()) != nil {
			f.Kind, f.About = kind, k.text(kind.String())
			found++
		}
	}
	if n.kind == mappingNode && found != 1 {
		r.p.at(f.at, "write {text: \"what it means\"}, or another kind: "+choose("", kindNames())[len("there are "):], "field %s needs exactly one kind", f.Name)
	}
	f.Required, f.Essential, f.Open = k.flag("required"), k.flag("essential"), k.flag("open")
	f.Unit, f.Header, f.Max = k.text("unit"), k.text("header"), k.number("max", 1, 1<<20)
	for _, c := range k.texts("codes") {
		f.Codes = append(f.Codes, c.text)
	}
	if f.Kind != Text && (len(f.Codes) > 0 || f.Max > 0) {
		r.p.at(f.at, "", "codes and max are for texts, %s is a %s", f.Name, f.Kind)
	}
	fields, like, of := k.mapping("fields"), n.get("like"), n.get("of")
	switch {
	case f.Kind != Group && f.Kind != List:
		if fields != nil || like != nil || of != nil {
			r.p.at(f.at, "make it an object or a list", "fields, like and of are for objects and lists, %s is a %s", f.Name, f.Kind)
		}
	case fields != nil && like == nil && of == nil:
		f.Object = &Object{Name: path}
		r.object(f.Object, fields)
	case like != nil && of == nil:
		shape := r.shapes[like.text]
		switch {
		case shape == nil:
			r.p.at(like.at, choose(like.text, slices.Sorted(keysOf(r.shapes))), "there is no shape %q", clip(like.text))
			f.Object = &Object{Name: like.text}
		case fields == nil:
			f.Object = shape
		case !r.complete:
			r.p.at(like.at, "write its fields out", "a shape is widened by fields outside of shapes only")
			f.Object = &Object{Name: path}
		default:
			f.Object = r.widened(shape, fields, path)
		}
	case of != nil && f.Kind == List && fields == nil && like == nil:
		var ok bool
		if f.Of, ok = kindOf(of.text); !ok || !f.Of.isScalar() {
			r.p.at(of.at, choose(of.text, kindNames()[:Boolean]), "%q is no kind of value", clip(of.text))
			f.Of = Text
		}
	default:
		r.p.at(f.at, "give fields: or like: (a shape), or both; a list may give of: (a kind) instead", "what does %s hold?", f.Name)
		f.Object = &Object{Name: path}
	}
}

// widened is an object with further fields in front of those of a shape.
func (r *formReader) widened(shape *Object, fields *node, path string) *Object {
	out := &Object{Name: path}
	r.object(out, fields)
	for _, f := range shape.Fields {
		if out.field(f.Name) != nil {
			r.p.at(fields.at, "", "%s is a field of shape %s already", f.Name, shape.Name)
			continue
		}
		own := *f
		own.index = len(out.Fields)
		out.byName[f.Name] = own.index
		out.Fields = append(out.Fields, &own)
	}
	return out
}

func (r *formReader) sheet(root *Object, n *node) *Sheet {
	k := newKeys(n, r.p, "rows", "key", "separator")
	s := &Sheet{Rows: k.text("rows"), at: n.at}
	if s.Rows != "" {
		if f := root.field(s.Rows); f == nil || f.Kind != List {
			var lists []string
			for _, f := range root.Fields {
				if f.Kind == List {
					lists = append(lists, f.Name)
				}
			}
			r.p.at(n.get("rows").at, choose(s.Rows, lists), "rows names a list of the form; %q is none", clip(s.Rows))
		}
	}
	switch text := k.text("separator"); text {
	case "":
	case "tab":
		s.Separator = '\t'
	case ",", ";", "|":
		s.Separator = rune(text[0])
	default:
		r.p.at(n.get("separator").at, "", "%q separates no cells: \",\", \";\", \"|\" or tab", clip(text))
	}
	for _, c := range k.texts("key") {
		if f := root.field(c.text); f == nil || !f.Kind.isScalar() {
			r.p.at(c.at, choose(c.text, root.names()), "a key is a value of the form; %q is none", clip(c.text))
		}
		s.Key = append(s.Key, c.text)
	}
	if s.Rows != "" && len(s.Key) == 0 {
		r.p.at(n.at, "name the fields that differ between documents: key: [number]", "rows need a key to tell one document from the next")
	}
	return s
}
