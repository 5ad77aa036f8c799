package dictionary

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tradepost/edi/schema"
)

// field is one position of a segment or composite as a schema describes it.
type field struct {
	use
	kind     schema.Type
	decimals int
	codes    []schema.Code
	values   []string // of the codes
	unused   bool
	parts    []field // of a composite
}

// variety is what a place may have other than its segment has elsewhere. Equal
// ones are kept once, for schemas write out the same thing for each place of
// each document.
type variety struct {
	ref              string
	required, unused bool
	min, max         int
	codes            []string
	parts            []variety
}

type varieties struct {
	lists map[string][]variety
	codes map[string][]string
}

// keep gives the one copy of a list of codes.
func (v *varieties) keep(codes []string) []string {
	key := strings.Join(codes, "\x00")
	if own, ok := v.codes[key]; ok {
		return own
	}
	v.codes[key] = codes
	return codes
}

// varieties gives the one copy of a list of fields.
func (x *xsd) varieties(fields []field) []variety {
	list := make([]variety, len(fields))
	var key strings.Builder
	for i := range fields {
		f := &fields[i]
		list[i] = variety{f.ref, f.required, f.unused, f.use.min, f.use.max, f.values, x.varieties(f.parts)}
		fmt.Fprintf(&key, "%s %t %t %d %d %p %p|", f.ref, f.required, f.unused, f.use.min, f.use.max, f.values, list[i].parts) // one copy of each
	}
	if own, ok := x.kinds.lists[key.String()]; ok {
		return own
	}
	if !x.within(&x.left.fields, len(list), place{}, "elements that are narrower in some documents") {
		return nil
	}
	x.kinds.lists[key.String()] = list
	return list
}

var (
	noteRef  = regexp.MustCompile(`^(.*?)_([A-Z]?[0-9]{1,5})$`)
	idType   = regexp.MustCompile(`^(?:X12|EDIFACT)_ID_([A-Z]?[0-9]{1,5})(?:_[0-9]+)?$`)
	baseType = regexp.MustCompile(`^(?:X12|EDIFACT)_(AN|ID|N[0-9]?|R|DT|TM|B|A)$`)
	subject  = regexp.MustCompile(`^[A-Z][A-Z0-9]{1,3}?([0-9]{2})(?:_{1,2}.*)?$`)
)

// segment reads the segment at a place and describes it when it is new.
func (x *xsd) segment(name string, reference, target *xmlNode) []variety {
	fields := x.fields(target, name, false)
	if x.std.segments[name] == nil && x.within(&x.left.layouts, 1, target.at(), "segments and composites") && x.within(&x.left.uses, len(fields), target.at(), "positions") {
		l := &layout{ref: name, name: sentenceCase(notes(target)), place: target.at()}
		if l.name == "" {
			l.name = name
		}
		for _, f := range fields {
			l.addUse(f.use)
		}
		l.notes = x.rules(reference, target, name)
		x.std.segments[name] = l
	}
	if _, known := x.kept[target]; !known {
		x.kept[target] = x.varieties(fields)
	}
	return x.kept[target]
}

// placeRules gives the rules in which the segment at a place differs from its
// description.
func (x *xsd) placeRules(n *node) []string {
	l, fields := x.std.segments[n.name], n.fields
	if l == nil || fields == nil {
		return nil
	}
	var rules []string
	for i := range l.uses {
		if i >= len(fields) {
			rules = append(rules, strconv.Itoa(i+1)+" forbid")
			continue
		}
		words := x.differs(&l.uses[i], &fields[i], n.place)
		if len(words) > 0 {
			rules = append(rules, strconv.Itoa(i+1)+" "+strings.Join(words, " "))
		}
		c := x.std.composites[l.uses[i].ref]
		if c == nil || l.uses[i].ref != fields[i].ref || slices.Contains(words, "forbid") {
			continue
		}
		for j := range min(len(c.uses), len(fields[i].parts)) {
			if words := x.differs(&c.uses[j], &fields[i].parts[j], n.place); len(words) > 0 {
				rules = append(rules, component{i + 1, j + 1}.String()+" "+strings.Join(words, " "))
			}
		}
	}
	if len(fields) > len(l.uses) {
		x.report(Contradiction, n.place, "%s has %d elements here and %d where it stands first; the first was kept", n.name, len(fields), len(l.uses))
	}
	return rules
}

// differs gives the rules for one element of a place.
func (x *xsd) differs(u *use, f *variety, at place) []string {
	if u.ref != f.ref {
		if key := "differs " + u.ref + " " + f.ref; !x.told[key] {
			x.told[key] = true
			x.report(Contradiction, at, "this is element %s where the segment has %s elsewhere; %s was kept", f.ref, u.ref, u.ref)
		}
		return nil
	}
	if f.unused {
		return []string{"forbid"}
	}
	var words []string
	switch {
	case f.required && !u.required:
		words = append(words, "require")
	case !f.required && u.required:
		words = append(words, "optional")
	}
	e := x.std.elements[u.ref]
	if e == nil {
		return words
	}
	low, high := e.min, e.max
	if u.max > 0 {
		low, high = u.min, u.max
	}
	fieldLow, fieldHigh := e.min, e.max
	if f.max > 0 {
		fieldLow, fieldHigh = f.min, f.max
	}
	if fieldLow != low || fieldHigh != high {
		words = append(words, "length", length(fieldLow, fieldHigh))
	}
	if len(f.codes) > 0 && len(f.codes) < len(e.codes) && !slices.ContainsFunc(f.codes, func(v string) bool { return !plainCode(v) }) {
		words = append(words, "codes", strings.Join(f.codes, " "))
	}
	return words
}

// fields reads the elements of a segment or composite, and describes those
// that are new.
func (x *xsd) fields(n *xmlNode, name string, inside bool) []field {
	out, known := x.read[n]
	if known {
		return out
	}
	defer func() { x.read[n] = out }()
	for _, c := range x.children(n) {
		if len(out) >= maxPositions {
			x.report(NotKept, c.at(), "%s has more than %d elements", name, maxPositions)
			break
		}
		t := x.target(c)
		if t == nil {
			x.report(Contradiction, c.at(), "element %q is not in the schema", c.attr("ref"))
			continue
		}
		low, high, ok := c.occurs(1, 1)
		if !ok {
			x.report(NotUnderstood, c.at(), "minOccurs and maxOccurs are numbers")
		}
		f := field{use: use{required: low > 0, repeat: 1, place: c.at()}}
		if high != 1 {
			f.repeat = min(max(high, 1), 999999)
			if high == 0 {
				f.repeat = 999999
			}
		}
		if i := info(c); i != nil && i.attr("Used") == "No" || high < 0 {
			f.unused, f.required = true, false
		}
		switch {
		case t.child("complexType") == nil:
			x.simple(&f, c, t, name, len(out)+1)
		case inside:
			x.report(NotKept, c.at(), "a composite inside of a composite")
			continue
		default:
			x.composite(&f, c, t)
		}
		out = append(out, f)
	}
	return out
}

// composite reads a composite. It is described once; schemas have it once for
// each place, where it may be narrower.
func (x *xsd) composite(f *field, reference, t *xmlNode) {
	ref := copySuffix.ReplaceAllString(t.attr("name"), "")
	if !compositeRef.MatchString(ref) {
		if m := noteRef.FindStringSubmatch(notes(reference)); m != nil {
			ref = m[2]
		}
	}
	if !compositeRef.MatchString(ref) { // UNH2 and its like, written in place
		ref = "Y" + strconv.Itoa(len(x.std.composites)+1)
	}
	f.ref = ref
	fields := x.fields(t, ref, true)
	l := x.std.composites[ref]
	if l == nil {
		if !x.within(&x.left.layouts, 1, t.at(), "segments and composites") || !x.within(&x.left.uses, len(fields), t.at(), "positions") {
			return
		}
		l = &layout{ref: ref, name: sentenceCase(notes(t)), place: t.at()}
		if l.name == "" {
			l.name = sentenceCase(notes(reference))
		}
		for _, inner := range fields {
			l.addUse(inner.use)
		}
		l.notes = x.rules(reference, t, ref)
		x.std.composites[ref] = l
	}
	if len(fields) != len(l.uses) {
		x.report(Contradiction, t.at(), "composite %s has %d components here and %d elsewhere; the first was kept", ref, len(fields), len(l.uses))
	}
	f.parts = fields
}

// simple reads a simple element.
func (x *xsd) simple(f *field, c, t *xmlNode, holder string, position int) {
	name := notes(c)
	if m := noteRef.FindStringSubmatch(name); m != nil {
		name, f.ref = m[1], m[2]
	}
	typeName := local(t.attr("type"))
	body := t.child("simpleType")
	if m := idType.FindStringSubmatch(typeName); m != nil {
		if f.ref == "" {
			f.ref = m[1]
		}
		f.kind = x.kind("ID")
	}
	if m := baseType.FindStringSubmatch(typeName); m != nil {
		f.kind, f.decimals = x.kind(m[1]), decimalsOf(m[1])
	} else if g := x.types[typeName]; g != nil && body == nil {
		body = g
	}
	told := x.facet(body, 0)
	f.codes, f.values = told.codes, told.values
	switch {
	case told.kind != 0:
		f.kind, f.decimals = told.kind, told.decimals
	case told.text && f.kind == 0:
		f.kind = x.kind("AN")
	}
	low, high := told.low, told.high
	if f.kind == 0 {
		f.kind = x.kind("AN")
		x.report(NotUnderstood, t.at(), "type %q of %s is not known; it was taken as text", typeName, holder)
	}
	if f.ref == "" || !elementName.MatchString(f.ref) {
		key := fmt.Sprintf("%s %d", holder, position)
		if f.ref = x.made[key]; f.ref == "" {
			f.ref = fmt.Sprintf("Z%d", 10000+len(x.made))
			x.made[key] = f.ref
			x.report(NotUnderstood, c.at(), "the number of this element is not told; it got %s", f.ref)
		}
	}
	e := x.std.elements[f.ref]
	if e == nil {
		if !x.within(&x.left.elements, 1, c.at(), "elements") {
			return
		}
		e = &element{ref: f.ref, name: sentenceCase(name), kind: f.kind, decimals: f.decimals, place: c.at()}
		e.min, e.max, e.guessed = told.length()
		if e.name == "" {
			e.name = f.ref
		}
		x.std.elements[f.ref] = e
	}
	if high > 0 && (max(low, 1) != e.min || high != e.max) {
		f.use.min, f.use.max = max(low, 1), max(high, low, 1)
	}
	if len(f.codes) == 0 || x.left.codes <= 0 {
		return
	}
	known := map[string]bool{}
	for _, have := range e.codes {
		known[have.Value] = true
	}
	for _, code := range f.codes {
		if !known[code.Value] && x.within(&x.left.codes, 1, c.at(), "codes") {
			known[code.Value] = true
			e.codes = append(e.codes, code)
			if e.guessed {
				e.min, e.max = min(e.min, len(code.Value)), max(e.max, len(code.Value))
			}
		}
	}
}

// length gives the length of an element: codes tell it when nothing else does,
// which is a guess.
func (f *facet) length() (shortest, longest int, guessed bool) {
	shortest, longest = max(f.low, 1), f.high
	if f.high == 0 && len(f.codes) > 0 {
		shortest, guessed = len(f.codes[0].Value), true
		for _, c := range f.codes {
			shortest, longest = min(shortest, len(c.Value)), max(longest, len(c.Value))
		}
	}
	if longest == 0 {
		longest = 65535
	}
	return shortest, max(shortest, longest), guessed
}

func (x *xsd) kind(text string) schema.Type {
	kind, _, _ := sefType(x.std.standard, text)
	return kind
}

func decimalsOf(text string) int {
	if len(text) == 2 && text[0] == 'N' && text[1] >= '0' && text[1] <= '9' {
		return int(text[1] - '0')
	}
	return 0
}

// facet is what a simple type tells: lengths (0 is not told), kind and codes.
type facet struct {
	low, high int
	kind      schema.Type // 0 for none
	decimals  int
	text      bool // a string without a kind of EDI
	codes     []schema.Code
	values    []string
}

// facet reads a simple type.
func (x *xsd) facet(body *xmlNode, depth int) facet {
	r := body.child("restriction")
	if r == nil || depth > 8 {
		return facet{}
	}
	if known, ok := x.facets[body]; ok {
		return known
	}
	base := local(r.attr("base"))
	var f facet
	switch m := baseType.FindStringSubmatch(base); {
	case m != nil:
		f.kind, f.decimals = x.kind(m[1]), decimalsOf(m[1])
	case x.types[base] != nil && x.types[base] != body:
		f = x.facet(x.types[base], depth+1)
	case base == "string":
		f.text = true
	}
	var codes []schema.Code
	seen := map[string]bool{}
	for _, c := range r.children {
		v := c.attr("value")
		n, isNumber := count(v)
		switch c.name {
		case "minLength":
			if isNumber {
				f.low = n
			}
		case "maxLength":
			if isNumber {
				f.high = n
			}
		case "length":
			if isNumber {
				f.low, f.high = n, n
			}
		case "enumeration":
			if v != "" && printable(v) == v && !seen[v] {
				seen[v] = true
				codes = append(codes, schema.Code{Value: v, Name: collapse(c.child("annotation").child("documentation").string())})
			}
		case "annotation", "whiteSpace":
		default:
			x.report(NotKept, c.at(), "a facet that elements of EDI do not have")
		}
	}
	if len(codes) > 0 {
		f.codes = codes
		values := make([]string, len(codes))
		for i, c := range codes {
			values[i] = c.Value
		}
		f.values = x.kinds.keep(values)
	}
	x.facets[body] = f
	return f
}

func (n *xmlNode) string() string {
	if n == nil {
		return ""
	}
	return n.text
}

// rules reads the syntax notes of a segment or composite.
func (x *xsd) rules(reference, t *xmlNode, name string) []string {
	var list []*xmlNode
	if i := info(reference); i != nil {
		list = i.all("Rule")
	}
	if i := info(t); len(list) == 0 && i != nil {
		list = i.all("Rule")
	}
	positions := map[string]string{} // a composite is named by itself, an element by its segment and position
	if len(list) > 0 {
		for i, c := range x.children(t) {
			child := c.attr("name")
			if child == "" {
				child = local(c.attr("ref"))
			}
			if _, twice := positions[child]; !twice && i < maxNotePositions {
				positions[child] = twoDigits(i + 1)
			}
		}
	}
	var out []string
	for _, r := range list {
		letter := map[string]string{
			"X12ConditionDesignatorX_Paired": "P", "X12ConditionDesignatorX_Required": "R", "X12ConditionDesignatorX_Exclusion": "E",
			"X12ConditionDesignatorX_Conditional": "C", "X12ConditionDesignatorX_ListConditional": "L",
		}[r.attr("subjects")]
		names := []string{}
		if q := r.attr("qualifier"); q != "" {
			names = append(names, q)
		}
		for _, s := range r.all("Subject") {
			names = append(names, s.attr("name"))
		}
		text := letter
		for _, s := range names {
			if at, ok := positions[s]; ok {
				text += at
				continue
			}
			m := subject.FindStringSubmatch(s)
			if m == nil || m[1] == "00" {
				text = ""
				break
			}
			text += m[1]
		}
		if letter == "" || text == "" || len(names) < 2 {
			x.report(NotUnderstood, r.at(), "a rule of %s: %s %s", name, r.attr("subjects"), strings.Join(names, " "))
			continue
		}
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}
