package dictionary

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tradepost/edi/schema"
)

// An XML Schema of the BizTalk kind describes one document. The root element
// has header, segments and loops in a row; segments and composites are global
// elements, written once for each place with _2, _3 behind their name; fields
// are elements named after segment and position (BGM02), their number stands
// at the end of an annotation (DOCUMENT NUMBER_1004), codes are enumerations
// of global types (EDIFACT_ID_1225). Annotations also tell the identifier of a
// segment (tag_name), its syntax notes (Rule) and what is not used (Used).
type xsd struct {
	*importer
	*edition
	editions *[]*edition
	globals  map[string]*xmlNode // elements
	types    map[string]*xmlNode // simple types
	groups   int                 // segment groups counted, for EDIFACT
	doc      *document
	told     map[string]bool
	read     map[*xmlNode][]field // segments and composites that were read
	kept     map[*xmlNode][]variety
	facets   map[*xmlNode]facet // simple types that were read
}

// edition is what the schemas of one version of a standard have in common.
type edition struct {
	std   *standard
	made  map[string]string // numbers given to elements that have none
	kinds *varieties
}

// edition finds that of a document.
func (x *xsd) editionOf(standard, version string) *edition {
	for _, e := range *x.editions {
		if e.std.standard == standard && e.std.version == version {
			return e
		}
	}
	e := &edition{newStandard(), map[string]string{}, &varieties{lists: map[string][]variety{}, codes: map[string][]string{}}}
	e.std.standard, e.std.version = standard, version
	e.std.title = strings.TrimSpace(standard+" "+version) + ", from XML Schemas"
	e.std.origin = []string{"Made from an XML Schema; the terms of who wrote it, and of the standard in it, hold for this text, too."}
	*x.editions = append(*x.editions, e)
	return e
}

func (im *importer) importXSD(ctx context.Context, files []sourceFile) ([]*standard, error) {
	var documents []*xsd
	var editions []*edition
	for i := range files {
		if err := next(ctx); err != nil {
			return nil, err
		}
		if files[i].format != XSD {
			im.skip(&files[i], "no XML Schema")
			continue
		}
		data, err := im.content(&files[i])
		if err != nil {
			return nil, err
		}
		root, err := readXML(files[i].name, data)
		if err != nil {
			im.report(NotUnderstood, place{file: files[i].name}, "the XML cannot be read to its end: %v", err)
		}
		if root == nil {
			continue
		}
		x := &xsd{
			importer: im, editions: &editions, globals: map[string]*xmlNode{}, types: map[string]*xmlNode{}, told: map[string]bool{},
			read: map[*xmlNode][]field{}, kept: map[*xmlNode][]variety{}, facets: map[*xmlNode]facet{},
		}
		x.schema(root)
		if x.doc != nil {
			documents = append(documents, &xsd{importer: im, edition: x.edition, told: x.told, doc: x.doc}) // without the text
		}
	}
	if len(documents) == 0 {
		return nil, nil // why is in the findings
	}
	for _, x := range documents { // all codes are known now
		x.variants()
	}
	var list []*standard
	for _, e := range editions {
		im.headers(e.std)
		list = append(list, e.std)
	}
	return list, nil
}

var rootName = regexp.MustCompile(`^(X12|EFACT|EDIFACT)_([0-9A-Z.]{2,12})_([A-Z0-9]{3,6})(?:_[A-Za-z0-9]+)?$`)

// schema takes one schema.
func (x *xsd) schema(root *xmlNode) {
	var first *xmlNode
	for _, c := range root.children {
		switch c.name {
		case "element":
			if x.globals[c.attr("name")] == nil {
				x.globals[c.attr("name")] = c
			}
			if first == nil && rootName.MatchString(c.attr("name")) {
				first = c
			}
		case "simpleType":
			x.types[c.attr("name")] = c
		case "annotation":
		case "import", "include":
			x.report(NotUnderstood, c.at(), "another schema is taken in, which is not read: import it together with this one when it describes a document")
		default:
			x.report(NotUnderstood, c.at(), "a part of an XML Schema that is not read here")
		}
	}
	info := root.child("annotation").child("appinfo")
	about := map[string]string{}
	for _, c := range info.all("schemaInfo") {
		for _, a := range c.attrs {
			about[a.name] = a.value
		}
	}
	if g := x.globals[about["root_reference"]]; g != nil {
		first = g
	}
	if first == nil {
		x.report(NotUnderstood, root.at(), "no element is named as BizTalk names documents: X12_00401_850 or EFACT_D96A_ORDERS")
		return
	}
	x.document(first, about)
}

// document takes the root element.
func (x *xsd) document(root *xmlNode, about map[string]string) {
	standard, version, kind := "", about["standards_version"], about["document_type"]
	if m := rootName.FindStringSubmatch(root.attr("name")); m != nil {
		standard = schema.X12
		if m[1] != "X12" {
			standard = schema.EDIFACT
		}
		if version == "" {
			version = m[2]
		}
		if kind == "" {
			kind = m[3]
		}
	}
	if x.options.Type != "" {
		kind = x.options.Type
	}
	version = biztalkVersion(version, standard)
	if x.options.Version != "" {
		version = x.options.Version
	}
	if x.options.Standard != "" {
		standard = x.options.Standard
	}
	if !documentKind.MatchString(kind) || standard == "" {
		x.report(NotUnderstood, root.at(), "the schema does not say of which standard and type the document is")
		return
	}
	x.edition = x.editionOf(standard, version)
	x.doc = &document{kind: kind, title: sentenceCase(notes(root)), place: root.at()}
	nodes := x.nodes(root, 0)
	if len(nodes) < 2 {
		x.report(NotUnderstood, root.at(), "the document has no segments")
		return
	}
	x.doc.nodes = frame(standard, []area{{name: "message", nodes: nodes}})
	if standard == schema.X12 {
		hierarchies(x.doc.nodes[0].nodes)
	}
	if x.within(&x.left.documents, 1, root.at(), "documents") {
		x.std.documents = append(x.std.documents, x.doc)
	}
}

// biztalkVersion turns 00401 into 004010, D96A into D:96A, and 41, as schemas of
// service messages have it, into 4:1.
func biztalkVersion(text, standard string) string {
	text = strings.ToUpper(strings.ReplaceAll(text, ".", ""))
	switch {
	case len(text) == 5 && text[0] == '0':
		return text + "0"
	case len(text) == 4 && (text[0] == 'D' || text[0] == 'S'):
		return text[:1] + ":" + text[1:]
	case len(text) == 2 && standard == schema.EDIFACT:
		return text[:1] + ":" + text[1:]
	}
	return text
}

// info gives the annotation of an element: recordInfo or fieldInfo.
func info(n *xmlNode) *xmlNode {
	app := n.child("annotation").child("appinfo")
	if r := app.child("recordInfo"); r != nil {
		return r
	}
	return app.child("fieldInfo")
}

func notes(n *xmlNode) string {
	if i := info(n); i != nil {
		return collapse(i.attr("notes"))
	}
	return ""
}

// target gives the element that a reference names.
func (x *xsd) target(n *xmlNode) *xmlNode {
	if ref := n.attr("ref"); ref != "" {
		return x.globals[local(ref)]
	}
	return n
}

// local takes the prefix off a name.
func local(name string) string { return name[strings.LastIndexByte(name, ':')+1:] }

// children gives the elements inside an element, choices and inner sequences
// opened.
func (x *xsd) children(n *xmlNode) []*xmlNode {
	var out []*xmlNode
	var open func(group *xmlNode, depth int)
	open = func(group *xmlNode, depth int) {
		if group == nil || depth > 8 {
			return
		}
		for _, c := range group.children {
			switch c.name {
			case "element":
				out = append(out, c)
			case "sequence":
				open(c, depth+1)
			case "choice", "all":
				x.report(NotKept, c.at(), "a choice; what may stand here may stand in the order of the schema only, and each is optional")
				from := len(out)
				open(c, depth+1)
				for i := from; i < len(out); i++ {
					optional := *out[i]
					optional.attrs = append([]xmlAttr{{"minOccurs", "0"}}, out[i].attrs...) // the first of a name counts
					out[i] = &optional
				}
			case "annotation":
			default:
				x.report(NotUnderstood, c.at(), "no element")
			}
		}
	}
	open(n.child("complexType"), 0)
	return out
}

var copySuffix = regexp.MustCompile(`_[0-9]+$`)

// tag gives the identifier of a segment, empty for what is none.
func tag(n *xmlNode) string {
	i := info(n)
	name := ""
	if i != nil {
		name = i.attr("tag_name")
	}
	if name == "" {
		name, _, _ = strings.Cut(n.attr("name"), "_")
	}
	name = copySuffix.ReplaceAllString(name, "")
	if segmentName.MatchString(name) {
		return name
	}
	return ""
}

// isLoop tells a loop from a segment: it holds segments, and a segment holds
// fields and composites.
func (x *xsd) isLoop(n *xmlNode, depth int) bool {
	if i := info(n); i != nil && i.attr("tag_name") != "" {
		return false
	}
	if depth > maxNestedLoops {
		return false
	}
	children := n.child("complexType").child("sequence").all("element")
	if len(children) == 0 {
		return n.child("complexType") != nil && tag(n) == ""
	}
	first := x.target(children[0])
	if first == nil || first.child("complexType") == nil {
		return false
	}
	if i := info(first); i != nil && i.attr("tag_name") != "" {
		return true
	}
	return strings.Contains(first.attr("name"), "Loop") || x.isLoop(first, depth+1)
}

// nodes reads the places inside the root or a loop.
func (x *xsd) nodes(parent *xmlNode, depth int) []node {
	var out []node
	if depth > maxNestedLoops {
		x.report(NotUnderstood, parent.at(), "loops are nested deeper than %d", maxNestedLoops)
		return nil
	}
	for _, c := range x.children(parent) {
		if !x.within(&x.left.nodes, 1, parent.at(), "places in guides") {
			return out
		}
		t := x.target(c)
		if t == nil {
			x.report(Contradiction, c.at(), "element %q is not in the schema", c.attr("ref"))
			continue
		}
		low, high, ok := c.occurs(1, 1)
		if !ok || high > maxUses {
			x.report(NotUnderstood, c.at(), "minOccurs and maxOccurs are numbers")
			high = 0
		}
		if high < 0 {
			continue
		}
		if x.std.standard == schema.X12 && (high == 99999 || high >= 999999) {
			high = 0 // how these schemas write >1
		}
		n := node{required: low > 0, max: high, place: c.at()}
		if x.isLoop(t, 0) {
			x.groups++
			group := "SG" + strconv.Itoa(x.groups)
			n.nodes = x.nodes(t, depth+1)
			if len(n.nodes) == 0 || len(n.nodes[0].nodes) > 0 {
				x.report(NotUnderstood, c.at(), "a loop begins with a segment")
				continue
			}
			n.name = n.nodes[0].name
			if x.std.standard == schema.EDIFACT {
				n.name = group
			}
			n.title = sentenceCase(strings.TrimPrefix(notes(t), "Loop for "))
			out = append(out, n)
			continue
		}
		if n.name = tag(c); c.attr("ref") != "" && (info(c) == nil || info(c).attr("tag_name") == "") || n.name == "" {
			n.name = tag(t)
		}
		if n.name == "" {
			x.report(NotUnderstood, c.at(), "neither a segment nor a loop")
			continue
		}
		if i := info(c); i != nil && i.attr("Trigger_Field_Name") != "" {
			x.report(NotKept, c.at(), "%s is told from its like by %s = %s; here it is every %s", n.name, i.attr("Trigger_Field_Name"), i.attr("Trigger_Field_Value"), n.name)
		}
		if header := n.name; header == "ST" || header == "SE" || header == "UNH" || header == "UNT" {
			n.required = true // optional in these schemas, where envelopes are read apart
		} else {
			n.fields = x.segment(n.name, c, t)
		}
		out = append(out, n)
	}
	return out
}

// variants turns what a place's segment has other than the segment itself into
// edits of the guide. Places that share a path share them, or have none.
func (x *xsd) variants() {
	byPath := map[string][][]string{}
	var order []string
	for i := range x.doc.nodes {
		a := &x.doc.nodes[i]
		walk(a.nodes, a.prefix(), func(n *node, path string) {
			if len(n.nodes) > 0 || len(n.levels) > 0 {
				return
			}
			if byPath[path] == nil {
				order = append(order, path)
			}
			byPath[path] = append(byPath[path], x.placeRules(n))
		})
	}
	for _, path := range order {
		rules := byPath[path][0]
		for _, other := range byPath[path][1:] {
			if !slices.Equal(rules, other) {
				x.report(NotKept, x.doc.place, "%s stands more than once, each time with other rules; a guide cannot tell them apart, and none was kept", path)
				rules = nil
				break
			}
		}
		if len(rules) > 0 {
			x.doc.edits = append(x.doc.edits, edit{path: path, rules: rules})
		}
	}
}
