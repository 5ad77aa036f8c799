package dictionary

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tradepost/edi/schema"
)

// A StAEDI schema has the types of elements, composites and segments, a
// transaction made of them and, from v3 on, an implementation that lies over
// it. It says neither the standard nor the version nor the document type. An
// include names another file of types, which has to be among the sources.
type staedi struct {
	*importer
	std        *standard
	files      []sourceFile
	refs       map[string]string // name of an element or composite type to its number
	taken      map[string]string // the other way round
	loops      map[string]*xmlNode
	transact   *xmlNode
	implements *xmlNode
	hierarchic bool
	generated  int
	included   map[string]bool
}

func (im *importer) importStAEDI(ctx context.Context, files []sourceFile) ([]*standard, error) {
	s := &staedi{importer: im, std: newStandard(), files: files, refs: map[string]string{}, taken: map[string]string{}, loops: map[string]*xmlNode{}, included: map[string]bool{}}
	var roots []*xmlNode
	for i := range files {
		if err := next(ctx); err != nil {
			return nil, err
		}
		if files[i].format != StAEDI {
			im.skip(&files[i], "no StAEDI schema")
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
		if root != nil {
			roots = append(roots, root)
		}
	}
	s.std.standard, s.std.version = im.options.Standard, im.options.Version
	if s.std.standard == "" {
		s.std.standard = guessStandard(roots)
	}
	if s.std.standard == "" || s.std.version == "" || im.options.Type == "" {
		return nil, fmt.Errorf("a StAEDI schema does not say of which standard, version and document type it is: name them, as in standard X12, version 005010, type 837")
	}
	s.std.title = s.std.standard + " " + s.std.version + ", from a StAEDI schema"
	s.std.origin = []string{"Made from a StAEDI schema; the terms of who wrote it, and of the standard in it, hold for this text, too."}
	for _, kind := range []string{"elementType", "compositeType", "segmentType"} { // each refers to those before
		for _, r := range roots {
			for _, c := range r.all(kind) {
				s.typeNode(c)
			}
		}
	}
	for _, r := range roots {
		s.rest(r)
	}
	im.headers(s.std)
	if s.transact != nil {
		s.transaction()
	}
	return []*standard{s.std}, nil
}

// guessStandard knows the segments that only one of the standards has.
func guessStandard(roots []*xmlNode) string {
	for _, r := range roots {
		for _, c := range r.all("segmentType") {
			switch c.attr("name") {
			case "BGM", "UNB", "UNH", "UNS", "UCI":
				return schema.EDIFACT
			case "ISA", "ST", "BHT", "BEG", "BIG", "AK1", "BAK", "BSN", "CLM":
				return schema.X12
			}
		}
	}
	return ""
}

// rest takes what is no type.
func (s *staedi) rest(root *xmlNode) {
	for _, c := range root.children {
		switch c.name {
		case "elementType", "compositeType", "segmentType":
		case "transaction", "mainLoop":
			if s.transact != nil {
				s.report(NotKept, c.at(), "a second transaction; the first was kept")
				continue
			}
			s.transact = c
		case "implementation":
			if s.implements != nil {
				s.report(NotKept, c.at(), "a second implementation; the first was kept")
				continue
			}
			s.implements = c
		case "loopType":
			s.loops[c.attr("name")] = c
		case "interchange":
			s.report(NotKept, c.at(), "the structure of the interchange; envelopes are checked by the standards themselves")
		case "include":
			if name := path.Base(c.attr("schemaLocation")); !slices.ContainsFunc(s.files, func(f sourceFile) bool { return path.Base(f.name) == name }) {
				s.report(NotUnderstood, c.at(), "file %s is included and is not among the sources: import both together", printable(name))
			}
		default:
			s.report(NotUnderstood, c.at(), "no part of a StAEDI schema")
		}
	}
}

func (s *staedi) typeNode(n *xmlNode) {
	switch n.name {
	case "elementType":
		s.elementType(n)
	case "compositeType":
		s.compositeType(n)
	default:
		s.segmentType(n)
	}
}

var trailingNumber = regexp.MustCompile(`^[A-Z]{0,4}?([0-9]{1,5})$`)

// reference finds a number for a type: its code, the digits of its name, or a
// new one.
func (s *staedi) reference(n *xmlNode, letter string) string {
	name := n.attr("name")
	try := n.attr("code")
	if try == "" {
		try = n.attr("number")
	}
	if m := trailingNumber.FindStringSubmatch(name); m != nil && (try == "" || strings.TrimLeft(try, "0123456789") == "") {
		digits := strings.TrimLeft(m[1], "0")
		if s.std.standard == schema.EDIFACT || letter == "C" {
			digits = m[1]
		}
		if letter == "C" {
			digits = name[:min(1, len(name))] + digits
		}
		if try == "" || letter == "E" {
			try = digits
		}
	}
	valid := elementName
	if letter == "C" {
		valid = compositeRef
	}
	if !valid.MatchString(try) || s.taken[try] != "" {
		for {
			s.generated++
			if try = fmt.Sprintf("%s9%04d", map[string]string{"C": "Y", "E": "Z"}[letter], s.generated%10000); s.taken[try] == "" {
				break
			}
		}
	}
	s.taken[try] = name
	s.refs[name] = try
	return try
}

func (s *staedi) elementType(n *xmlNode) {
	name := n.attr("name")
	if name == "" || s.refs[name] != "" || len(s.refs) > 9000 {
		s.report(NotUnderstood, n.at(), "an element type needs a name of its own")
		return
	}
	e := &element{name: n.attr("title"), min: 1, max: 1, place: n.at()}
	e.kind = staediKind(s.std.standard, n.attr("base"))
	if e.kind == 0 {
		s.report(NotUnderstood, n.at(), "base %q is no type of element; it was taken as text", n.attr("base"))
		e.kind = staediKind(s.std.standard, "string")
	}
	if d, ok := count(n.attr("scale")); ok && e.kind == schema.Implied {
		e.decimals = min(d, 9)
	}
	s.elementProperties(e, n)
	for _, c := range n.children {
		switch c.name {
		case "enumeration", "description":
		case "version":
			if s.applies(c) {
				s.elementProperties(e, c)
			}
		default:
			s.report(NotUnderstood, c.at(), "no part of an element type")
		}
	}
	if !s.within(&s.left.elements, 1, n.at(), "elements") {
		return
	}
	e.ref = s.reference(n, "E")
	if e.name == "" {
		e.name = name
	}
	s.std.elements[e.ref] = e
}

// elementProperties takes lengths and codes, of a type or of its version.
func (s *staedi) elementProperties(e *element, n *xmlNode) {
	for attr, to := range map[string]*int{"minLength": &e.min, "maxLength": &e.max} {
		if v, set := n.lookup(attr); set {
			if k, ok := count(v); ok && k <= maxElementLength {
				*to = k
			} else {
				s.report(NotUnderstood, n.at(), "%s %q is no length", attr, v)
			}
		}
	}
	e.max = max(e.max, 1)
	e.min = min(e.min, e.max)
	if list := n.child("enumeration"); list != nil {
		e.codes = nil
		seen := map[string]bool{}
		for _, v := range list.all("value") {
			value := strings.TrimSpace(v.text)
			if value == "" || seen[value] || printable(value) != value {
				s.report(NotUnderstood, v.at(), "%q is no code, or stands twice", value)
				continue
			}
			if !s.within(&s.left.codes, 1, v.at(), "codes") {
				return
			}
			seen[value] = true
			e.codes = append(e.codes, schema.Code{Value: value, Name: v.attr("title")})
		}
	}
}

// applies tells whether a version override is for the version that is
// imported.
func (s *staedi) applies(n *xmlNode) bool {
	version := "X." + s.std.version
	if s.std.standard == schema.EDIFACT {
		version = "UN." + strings.ReplaceAll(s.std.version, ":", ".")
	}
	low, high := n.attr("minVersion"), n.attr("maxVersion")
	return (low == "" || version >= low) && (high == "" || version <= high)
}

func staediKind(standard, base string) schema.Type {
	if standard == schema.EDIFACT {
		switch base {
		case "", "string", "identifier", "date", "time", "binary":
			return schema.AlphaNum
		case "numeric", "decimal":
			return schema.Numeric
		}
		return 0
	}
	switch base {
	case "", "string":
		return schema.String
	case "identifier":
		return schema.Code1
	case "numeric":
		return schema.Implied
	case "decimal":
		return schema.Decimal
	case "date":
		return schema.Date
	case "time":
		return schema.Time
	case "binary":
		return schema.Binary
	}
	return 0
}

func (s *staedi) compositeType(n *xmlNode) {
	name := n.attr("name")
	if name == "" || s.refs[name] != "" || len(s.refs) > 9000 {
		s.report(NotUnderstood, n.at(), "a composite type needs a name of its own")
		return
	}
	if !s.within(&s.left.layouts, 1, n.at(), "segments and composites") {
		return
	}
	l := &layout{name: n.attr("title"), place: n.at()}
	s.positions(l, n)
	l.ref = s.reference(n, "C")
	if l.name == "" {
		l.name = name
	}
	s.std.composites[l.ref] = l
}

func (s *staedi) segmentType(n *xmlNode) {
	l := &layout{ref: n.attr("name"), name: n.attr("title"), place: n.at()}
	if !segmentName.MatchString(l.ref) || s.std.segments[l.ref] != nil {
		s.report(NotUnderstood, n.at(), "a segment type needs an identifier of its own")
		return
	}
	if !s.within(&s.left.layouts, 1, n.at(), "segments and composites") {
		return
	}
	if l.name == "" {
		l.name = l.ref
	}
	s.positions(l, n)
	s.std.segments[l.ref] = l
}

// positions reads sequence and syntax of a composite or segment.
func (s *staedi) positions(l *layout, n *xmlNode) {
	for _, c := range n.children {
		switch c.name {
		case "description":
		case "sequence":
			for _, p := range c.children {
				s.position(l, p)
			}
			for len(l.uses) > 0 && l.uses[len(l.uses)-1].repeat < 0 {
				l.uses = l.uses[:len(l.uses)-1]
			}
			for _, x := range l.uses {
				if x.repeat < 0 {
					s.report(NotKept, x.place, "a position that may not be used and has others behind it; it may be used here")
				}
			}
		case "syntax":
			if text := s.syntax(c); text != "" {
				l.notes = append(l.notes, text)
			}
		default:
			s.report(NotUnderstood, c.at(), "no part of a %s", n.name)
		}
	}
}

func (s *staedi) position(l *layout, n *xmlNode) {
	low, high, ok := n.occurs(0, 1)
	if !ok {
		s.report(NotUnderstood, n.at(), "minOccurs and maxOccurs are numbers")
	}
	switch n.name {
	case "any":
		s.any(l, high)
		return
	case "element", "composite":
	default:
		s.report(NotUnderstood, n.at(), "no element and no composite")
		return
	}
	for _, v := range n.all("version") {
		if s.applies(v) {
			low, high, _ = v.occurs(low, high)
		}
	}
	name := n.attr("type")
	if name == "" {
		name = n.attr("ref")
	}
	ref := s.refs[name]
	if ref == "" {
		s.report(Contradiction, n.at(), "type %q is not described; any text is allowed there", name)
		s.any(l, 1)
		return
	}
	if high == 0 {
		high = 999999
	}
	if !s.within(&s.left.uses, 1, n.at(), "positions") {
		return
	}
	l.addUse(use{ref: ref, required: low > 0 && high > 0, repeat: min(high, 999999), place: n.at()})
}

// any adds positions of which nothing is known.
func (s *staedi) any(l *layout, positions int) {
	s.describeAnything(s.std)
	ref := anyComposite
	if _, composite := s.std.composites[l.ref]; composite || l.ref == "" {
		ref = anyElement
	}
	if positions == 0 || positions > maxPositions {
		positions = maxPositions
	}
	for range min(positions, maxPositions-len(l.uses)) {
		if !s.within(&s.left.uses, 1, l.place, "positions") {
			return
		}
		l.addUse(use{ref: ref, repeat: 999999})
	}
}

// syntax reads a syntax note.
func (s *staedi) syntax(n *xmlNode) string {
	prefix := map[string]string{
		"paired": "P", "required": "R", "exclusion": "E", "conditional": "C", "list": "L", "single": "D1:", "firstonly": "D7:",
	}[n.attr("type")]
	if prefix == "" {
		s.report(NotUnderstood, n.at(), "%q is no kind of syntax note", n.attr("type"))
		return ""
	}
	text := prefix
	positions := n.all("position")
	if len(positions) > maxNotePositions {
		s.report(NotUnderstood, n.at(), "a syntax note of %d positions", len(positions))
		return ""
	}
	for _, p := range positions {
		v, err := strconv.Atoi(strings.TrimSpace(p.text))
		if err != nil || v < 1 || v > maxNotePositions {
			s.report(NotUnderstood, p.at(), "%q is no position", p.text)
			return ""
		}
		text += twoDigits(v)
	}
	if len(positions) < 2 {
		s.report(NotUnderstood, n.at(), "a syntax note needs two positions or more")
		return ""
	}
	return text
}
