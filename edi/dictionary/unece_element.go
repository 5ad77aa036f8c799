package dictionary

import (
	"regexp"
	"strings"

	"tradepost/edi/schema"
)

// Data elements and code lists are blocks between rules, too:
//
//	1001  Document name code                                      [C]
//
//	Desc: Code specifying the document name.
//
//	Repr: an..3
//
//	1     Certificate of analysis
//	         Certificate providing the values of an analysis.
//
// Codes and names have columns of their own, which differ between the years:
// the code begins at the column of the element's number or behind it, the name
// eight or six columns behind that, explanations three behind the name.
var (
	blockElement = regexp.MustCompile(`^([-+*#|X ]{0,7}?)\s*([0-9]{4})\s+(\S.*?)(?:\s+\[([BIC])\])?$`)
	reprLine     = regexp.MustCompile(`^\s*[-+*#|X]{0,3}\s*Repr\s*:\s*(.*)$`)
	noteNumber   = regexp.MustCompile(`^[0-9]{1,2}[.)]$`)
)

// elements reads an element directory, or a code list when codes are listed.
func (u *unece) elements(f *sourceFile, all []line, listed bool) {
	for i, b := range blocks(all) {
		text := b.trim()
		if len(text) == 0 {
			continue
		}
		m := blockElement.FindStringSubmatchIndex(text[0].text)
		if m == nil || i == 0 && !hasRepr(text) {
			if i == 0 {
				u.prose += len(text)
			} else {
				u.report(NotUnderstood, place{f.name, text[0].number, 1, text[0].text}, "no element begins here; %d lines were left out", len(text))
			}
			continue
		}
		r := elementReader{u: u, file: f.name, text: text, column: m[4], listed: listed}
		r.out = &element{ref: text[0].text[m[4]:m[5]], name: collapse(text[0].text[m[6]:m[7]]), place: place{f.name, text[0].number, m[4] + 1, text[0].text}}
		r.read()
		u.element(r.out)
	}
}

// beginsText tells a line with a label of an explanation: Desc:, Note:.
func beginsText(s string) bool { return strings.Contains(s, ":") && textStart.MatchString(s) }

func hasRepr(text []line) bool {
	for _, l := range text {
		if reprLine.MatchString(l.text) {
			return true
		}
	}
	return false
}

// element joins an element's two descriptions, that of the element directory
// and that of the code list.
func (u *unece) element(e *element) {
	known := u.std.elements[e.ref]
	switch {
	case known == nil && e.max == 0:
		u.report(NotUnderstood, e.place, "element %s has no type and length (Repr:)", e.ref)
	case known == nil:
		u.std.elements[e.ref] = e
	case len(e.codes) > 0 && len(known.codes) == 0:
		if e.max != 0 && (e.max != known.max || e.min != known.min || e.kind != known.kind) {
			u.report(Contradiction, e.place, "element %s has another type or length here than in the element directory; the directory was kept", e.ref)
		}
		known.codes = e.codes
	case len(e.codes) > 0:
		u.report(Contradiction, e.place, "element %s has a second code list; the first, of %s, was kept", e.ref, known.place.file)
	}
}

// elementReader reads the lines of one element.
type elementReader struct {
	u      *unece
	file   string
	text   []line
	column int // of the element's number
	names  int // column of the names of codes
	listed bool
	out    *element
	seen   map[string]bool // codes
}

func (r *elementReader) place(l line) place {
	return place{r.file, l.number, indent(l.text) + 1, l.text}
}

func (r *elementReader) read() {
	i := 1
	for ; i < len(r.text) && strings.TrimSpace(r.text[i].text) != "" && !beginsText(r.text[i].text); i++ {
		r.out.name = joinName(r.out.name, collapse(r.text[i].text))
	}
	r.out.name = strings.TrimSuffix(r.out.name, " [C]")
	described := false // the texts are over, codes follow
	for i < len(r.text) {
		l := r.text[i]
		var m []string
		if strings.Contains(l.text, ":") {
			m = reprLine.FindStringSubmatch(l.text)
		}
		switch {
		case strings.TrimSpace(l.text) == "":
			i++
		case m != nil:
			r.represent(l, m[1])
			described = true
			i++
			r.names = r.nameColumn(r.text[i:])
		case beginsText(l.text):
			i = r.skipText(i)
		case described && r.isCode(l.text):
			i = r.code(i)
		default:
			r.u.report(NotUnderstood, r.place(l), "no line of an element")
			i++
		}
	}
}

func (r *elementReader) represent(l line, text string) {
	kind, shortest, longest, ok := parseRepresentation(text)
	if !ok {
		r.u.report(NotUnderstood, r.place(l), "%q is no type and length", text)
		return
	}
	r.out.kind, r.out.min, r.out.max = kind, shortest, longest
}

// skipText leaves out an explanation: its lines up to an empty one, and what
// follows when it is indented deeper than its label and is no code.
func (r *elementReader) skipText(i int) int {
	label := indent(r.text[i].text)
	r.u.prose++
	for i++; i < len(r.text); i++ {
		s := r.text[i].text
		if strings.TrimSpace(s) == "" {
			next := i + 1
			if next >= len(r.text) || indent(r.text[next].text) <= label || r.isCode(r.text[next].text) || beginsText(r.text[next].text) {
				return i
			}
			continue
		}
		if beginsText(s) || indent(s) <= label && r.isCode(s) {
			return i
		}
		r.u.prose++
	}
	return i
}

// codeAt finds the code of a line: its columns, and the column of the name.
// Marks of change stand before the column of the element's number.
func (r *elementReader) codeAt(s string) (from, to, name int, ok bool) {
	if !r.listed || len(s) <= r.column || strings.Trim(s[:r.column], "-+*#|X ") != "" {
		return 0, 0, 0, false
	}
	from = r.column + indent(s[r.column:])
	to = from
	for to < len(s) && s[to] != ' ' {
		to++
	}
	if from >= r.names || to == from || noteNumber.MatchString(s[from:to]) {
		return 0, 0, 0, false
	}
	if to == len(s) { // a long code, its name on the next line
		return from, to, to, to >= r.names-1
	}
	name = to + indent(s[to:])
	return from, to, name, name == r.names || name >= to+2 || to >= r.names-1
}

// nameColumn finds the column where most lines that look like a code have
// their name.
func (r *elementReader) nameColumn(text []line) int {
	const furthest = 16
	var count [furthest]int
	best := r.column + 6
	for _, l := range text {
		s := l.text
		if len(s) <= r.column || strings.Trim(s[:r.column], "-+*#|X ") != "" || beginsText(s) {
			continue
		}
		from := r.column + indent(s[r.column:])
		to := from
		for to < len(s) && s[to] != ' ' {
			to++
		}
		if name := to + indent(s[to:]); from < r.column+8 && to < len(s) && name < furthest {
			if count[name]++; count[name] > count[best] {
				best = name
			}
		}
	}
	return best
}

func (r *elementReader) isCode(s string) bool {
	_, _, _, ok := r.codeAt(s)
	return ok
}

// code takes a code with the lines of its name, and leaves out its
// explanation.
func (r *elementReader) code(i int) int {
	s := r.text[i].text
	from, to, name, _ := r.codeAt(s)
	c := schema.Code{Value: s[from:to], Name: collapse(s[name:])}
	at := r.place(r.text[i])
	column := r.names
	for i++; i < len(r.text); i++ {
		s := r.text[i].text
		if strings.TrimSpace(s) == "" || indent(s) != column {
			break
		}
		c.Name = joinName(c.Name, collapse(s))
	}
	for ; i < len(r.text); i++ {
		s := r.text[i].text
		if strings.TrimSpace(s) == "" {
			continue
		}
		if indent(s) <= column && (r.isCode(s) || beginsText(s)) || indent(s) <= r.column {
			break
		}
		r.u.prose++
	}
	if c.Name == "" {
		r.u.report(NotUnderstood, at, "code %s has no name", c.Value)
	}
	if r.seen[c.Value] {
		r.u.report(Contradiction, at, "code %s of element %s is listed twice; the first was kept", c.Value, r.out.ref)
		return i
	}
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	r.seen[c.Value] = true
	if deleted(s, from) {
		r.u.report(NotKept, at, "code %s of element %s is marked as deleted in this release", c.Value, r.out.ref)
		return i
	}
	if r.u.within(&r.u.left.codes, 1, at, "codes") {
		r.out.codes = append(r.out.codes, c)
	}
	return i
}

// deleted tells that a minus stands among the marks of change before a column.
// What is marked X will be deleted later and counts still.
func deleted(s string, column int) bool { return strings.Contains(s[:column], "-") }
