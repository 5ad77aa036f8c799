package dictionary

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Segments and composites are blocks between rules. A block begins with the
// identifier and the name in capitals, then come texts (Function:, Desc:,
// Note:), then the positions:
//
//	010    C817 ADDRESS USAGE                              C    1
//	       3299  Address purpose code                      C      an..3
//	       3131  Address type code                         C      an..3
//
//	030    3164 CITY NAME                                  C    1 an..35
//
// The components of a composite are repeated below it. Files up to 1993 have
// no positions, those up to 1998 no number of repetitions. A name may go on on
// the next line, which then has the status.
var (
	blockSegment   = regexp.MustCompile(`^[-+*#|X ]{0,7}?\s*([A-Z][A-Z0-9]{2})\s+(\S.*)$`)
	blockComposite = regexp.MustCompile(`^[-+*#|X ]{0,7}?\s*([CES][0-9]{3})\s+(\S.*)$`)
	itemStart      = regexp.MustCompile(`^\s*([0-9]{3}(?:[- +*#|X]|$))?[-+*#|X ]*?([CES][0-9]{3}|[0-9]{4})\s+(\S.*)$`)
	itemEnd        = regexp.MustCompile(`^(.*?)\s+([MC])(?:\s+([0-9]{1,6}))?(?:\s+((?:an|a|n)\s*(?:\.\.)?\s*[0-9]+))?$`)
	textStart      = regexp.MustCompile(`^\s*[-+*#|X]{0,3}\s*(Function|Desc|Notes?|Dependency [Nn]otes?|Repr|Usage)\s*:\s*(.*)$`)
	indexEntry     = regexp.MustCompile(`^[-+*#|X ]{0,7}?\s*([A-Z]{6}|[A-Z][A-Z0-9]{2}|[CES][0-9]{3}|[0-9]{4})\s+(\S.*?)(?:\s+\[[BIC]\])?(?:\s+[0-9]{1,2})*$`)
	dependencyNote = regexp.MustCompile(`^\s*(?:[0-9]{1,3}\.?\s+)?D([1-7])\s*\(\s*([0-9]{2,3}(?:\s*,\s*[0-9]{2,3})*)\s*\)`)
	positionOccurs = regexp.MustCompile(`(?:composite|element)\s+([CE][0-9]{3}|[0-9]{4})\b.{0,120}?\boccurs\s+([0-9,]+)\s+times\s+in\s+the\s+segment`)
	compOccurs     = regexp.MustCompile(`component\s+([0-9]{4})\b.{0,120}?\boccurs\s+([0-9,]+)\s+times\s+in\s+the\s+composite(?:\s+([CE][0-9]{3}))?`)
)

// index takes names in small letters from the lists at the head of a
// directory.
func (u *unece) index(_ *sourceFile, text []line) {
	last, column := "", 0
	for _, l := range text {
		if m := indexEntry.FindStringSubmatchIndex(l.text); m != nil && !isRule(l.text) {
			tag, name := l.text[m[2]:m[3]], collapse(l.text[m[4]:m[5]])
			if tag != "PART" && tag != "CHA" {
				u.names[tag], last, column = name, tag, m[4]
				continue
			}
		}
		if last != "" && indent(l.text) == column && strings.TrimSpace(l.text) != "" {
			rest := collapse(l.text)
			if m := indexTail.FindStringSubmatch(rest); m != nil {
				rest = m[1]
			}
			u.names[last] = joinName(u.names[last], rest)
			continue
		}
		last = ""
		u.prose++
	}
}

var indexTail = regexp.MustCompile(`^(.*?)(?:\s+\[[BIC]\]|(?:\s+[0-9]{1,2})+)$`)

// block is what stands between two rules.
type block struct {
	lines []line
}

// blocks splits a directory at its rules. What stands before the first one is
// explanation, unless it begins with an entry.
func blocks(text []line) []block {
	var out []block
	current := block{}
	for _, l := range text {
		if isRule(l.text) {
			out = append(out, current)
			current = block{}
			continue
		}
		current.lines = append(current.lines, l)
	}
	return append(out, current)
}

// trim drops empty lines in front.
func (b block) trim() []line {
	for len(b.lines) > 0 && strings.TrimSpace(b.lines[0].text) == "" {
		b.lines = b.lines[1:]
	}
	return b.lines
}

func (u *unece) segments(f *sourceFile, text []line) {
	u.layouts(f, text, blockSegment, func(ref string) bool { return segmentName.MatchString(ref) }, u.std.segments, "segment")
}

func (u *unece) composites(f *sourceFile, text []line) {
	u.layouts(f, text, blockComposite, func(string) bool { return true }, u.std.composites, "composite")
}

func (u *unece) layouts(f *sourceFile, all []line, head *regexp.Regexp, valid func(string) bool, into map[string]*layout, what string) {
	for i, b := range blocks(all) {
		text := b.trim()
		if len(text) == 0 {
			continue
		}
		m := head.FindStringSubmatch(text[0].text)
		if m == nil || !valid(m[1]) || i == 0 && !hasItem(text) {
			if i == 0 {
				u.prose += len(text)
				continue
			}
			u.report(NotUnderstood, place{f.name, text[0].number, 1, text[0].text}, "no %s begins here; %d lines were left out", what, len(text))
			continue
		}
		r := layoutReader{u: u, file: f.name, out: &layout{ref: m[1], name: collapse(m[2]), place: place{f.name, text[0].number, 1, text[0].text}}, what: what}
		r.read(text[1:])
		if len(r.out.uses) == 0 {
			u.report(NotUnderstood, r.out.place, "the %s has no elements", what)
			continue
		}
		if name := u.names[m[1]]; name != "" {
			r.out.name = name
		}
		r.out.name = sentenceCase(r.out.name)
		if known := into[m[1]]; known != nil {
			u.report(Contradiction, r.out.place, "%s %s is described twice, first in %s on line %d; the first was kept", what, m[1], known.place.file, known.place.line)
			continue
		}
		if u.within(&u.left.layouts, 1, r.out.place, "segments and composites") {
			into[m[1]] = r.out
		}
	}
}

const maxName = 400 // bytes of a name

// joinName adds the next line of a name.
func joinName(name, more string) string {
	if len(name) > maxName {
		return name
	}
	return strings.TrimSpace(name + " " + more)
}

// hasItem tells that a block has positions and is no introduction.
func hasItem(text []line) bool {
	for _, l := range text {
		if itemStart.MatchString(l.text) {
			return true
		}
	}
	return false
}

// layoutReader reads the lines of one segment or composite.
type layoutReader struct {
	u    *unece
	file string
	what string
	out  *layout

	part   string // an item whose name goes on
	partAt line
	inside *layout // the composite whose components follow
	next   int     // the component that follows
	after  int     // column of the name of the item in the line before, 0 for none
	label  string  // Function, Desc, Note ...
	note   []string
	noteAt line
	often  []occurrence
}

func (r *layoutReader) place(l line) place {
	return place{file: r.file, line: l.number, column: indent(l.text) + 1, text: l.text}
}

func (r *layoutReader) read(text []line) {
	for _, l := range text {
		r.line(l)
	}
	if r.part != "" {
		r.u.report(NotUnderstood, r.place(r.partAt), "a position without its status M or C")
	}
	r.endText()
	r.writeOut()
}

func (r *layoutReader) line(l line) {
	if r.part != "" {
		joined := r.part + " " + strings.TrimSpace(l.text)
		if m := itemEnd.FindStringSubmatch(joined); m != nil {
			at := r.partAt
			r.part = ""
			r.item(at, joined)
			return
		}
		if len(joined) < 400 && strings.TrimSpace(l.text) != "" && !itemStart.MatchString(l.text) {
			r.part = joined
			return
		}
		r.u.report(NotUnderstood, r.place(r.partAt), "a position without its status M or C")
		r.part = ""
	}
	if strings.TrimSpace(l.text) == "" {
		r.inside, r.after = nil, 0
		if r.label != "" && !strings.HasPrefix(r.label, "Note") && !strings.HasPrefix(r.label, "Dep") {
			r.endText()
		}
		return
	}
	if m := textStart.FindStringSubmatch(l.text); m != nil {
		r.endText()
		r.label, r.noteAt = m[1], l
		r.note = append(r.note, m[2])
		r.u.prose++
		return
	}
	if itemStart.MatchString(l.text) && (r.label == "" || r.isItem(l.text)) {
		r.endText()
		if itemEnd.MatchString(l.text) {
			r.item(l, l.text)
			return
		}
		r.part, r.partAt = l.text, l
		return
	}
	if r.label != "" {
		if len(r.note) < maxNoteLines {
			r.note = append(r.note, strings.TrimSpace(l.text))
		}
		r.u.prose++
		if m := dependencyNote.FindStringSubmatch(l.text); m != nil {
			r.dependency(l, m)
		} else if strings.HasPrefix(r.label, "Dep") {
			r.u.report(NotUnderstood, r.place(l), "no dependency note")
		}
		return
	}
	if r.out.uses == nil && indent(l.text) > 3 {
		r.out.name = joinName(r.out.name, collapse(l.text))
		return
	}
	if r.after > 0 && indent(l.text) >= r.after {
		return // the name of the item above goes on; the element has it whole
	}
	r.u.report(NotUnderstood, r.place(l), "no line of a %s", r.what)
}

const maxNoteLines = 60 // of a text, looked through for what it says about repeats

// isItem tells an item from a line of text that begins with a number: items
// stand at the margin or have a status.
func (r *layoutReader) isItem(text string) bool {
	return itemEnd.MatchString(text) || indent(text) == 0 && itemStart.FindStringSubmatch(text)[1] != ""
}

// item takes one position or component.
func (r *layoutReader) item(l line, text string) {
	m := itemStart.FindStringSubmatch(text)
	end := itemEnd.FindStringSubmatch(m[3])
	if end == nil {
		r.u.report(NotUnderstood, r.place(l), "no position of a %s", r.what)
		return
	}
	x := use{ref: m[2], required: end[2] == "M", repeat: 1, place: r.place(l)}
	if end[3] != "" {
		x.repeat, _ = strconv.Atoi(end[3])
	}
	r.after = strings.Index(text, m[2]) + len(m[2])
	if end[4] != "" {
		r.u.represent(&x, collapse(end[1]), end[4])
	}
	if r.inside != nil && m[1] == "" && x.ref[0] >= '0' && x.ref[0] <= '9' {
		r.component(&x)
		return
	}
	r.inside = nil
	if x.repeat > 1 && r.what == "composite" {
		r.u.report(NotKept, x.place, "a component that repeats %d times; components stand once", x.repeat)
		x.repeat = 1
	}
	if end[4] == "" && x.ref[0] >= 'A' {
		r.inside, r.next = r.u.std.composites[x.ref], 0
		if r.inside == nil {
			r.inside = &layout{ref: x.ref, name: sentenceCase(collapse(end[1])), place: x.place}
			r.u.std.composites[x.ref] = r.inside // at most 3 000 numbers fit the form
			r.u.report(Contradiction, x.place, "composite %s is in no composite directory; it is taken from this segment", x.ref)
			r.next = -1
		}
	}
	if r.u.within(&r.u.left.uses, 1, x.place, "positions") {
		r.out.addUse(x)
	}
}

// component compares a component with the composite's own description, or adds
// it when there is none.
func (r *layoutReader) component(x *use) {
	if r.next < 0 || r.next >= len(r.inside.uses) && r.next > 0 && r.inside.uses[0].place.file == r.file {
		if r.u.within(&r.u.left.uses, 1, x.place, "positions") {
			r.inside.addUse(*x)
		}
		r.next = -1
		return
	}
	if r.next >= len(r.inside.uses) {
		r.u.report(Contradiction, x.place, "composite %s has a component %s here that its own description has not; the description was kept", r.inside.ref, x.ref)
		return
	}
	own := r.inside.uses[r.next]
	r.next++
	if own.ref != x.ref || own.required != x.required {
		r.u.report(Contradiction, x.place, "component %s of composite %s is not as in its own description (%s); the description was kept", x.ref, r.inside.ref, own.ref)
	}
}

// represent takes type and length of an element, and keeps what differs from
// the element's own description.
func (u *unece) represent(x *use, name, text string) {
	kind, shortest, longest, ok := parseRepresentation(text)
	if !ok {
		u.report(NotUnderstood, x.place, "%q is no type and length", text)
		return
	}
	e := u.std.elements[x.ref]
	if e == nil { // at most 10 000 numbers fit the form
		u.std.elements[x.ref] = &element{ref: x.ref, name: sentenceCase(name), kind: kind, min: shortest, max: longest, place: x.place}
		u.report(Contradiction, x.place, "element %s is in no element directory; it is taken from here", x.ref)
		return
	}
	if e.min != shortest || e.max != longest {
		x.min, x.max = shortest, longest
	}
	if e.kind != kind {
		u.report(Contradiction, x.place, "element %s is %s here and %s in the element directory; the directory was kept", x.ref, kind, e.kind)
	}
}

// endText ends a text. Notes may tell how often something occurs that the
// directory writes out once only.
func (r *layoutReader) endText() {
	text := collapse(strings.Join(r.note, " "))
	r.label, r.note = "", nil
	pattern := positionOccurs
	if r.what == "composite" {
		pattern = compOccurs
	}
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		if r.what == "segment" || m[3] == "" || m[3] == r.out.ref {
			r.often = append(r.often, occurrence{m[1], number(m[2]), r.place(r.noteAt)})
		}
	}
}

// occurrence is a note that says how often something occurs.
type occurrence struct {
	ref   string
	count int
	place place
}

// writeOut repeats positions whose number is told in a note, as far as
// positions can be named.
func (r *layoutReader) writeOut() {
	for _, o := range r.often {
		last, have := -1, 0
		for i, x := range r.out.uses {
			if x.ref == o.ref {
				last = i
				have += max(x.repeat, 1)
			}
		}
		if last < 0 || have >= o.count {
			continue
		}
		more := min(o.count-have, maxPositions-len(r.out.uses))
		if more > 0 && !r.u.within(&r.u.left.uses, more, o.place, "positions") {
			return
		}
		if more < o.count-have {
			r.u.report(NotKept, o.place, "%s occurs %d times in %s; %d positions were kept", o.ref, o.count, r.out.ref, have+more)
		}
		again := r.out.uses[last]
		again.required = false
		for range more {
			r.out.uses = slices.Insert(r.out.uses, last+1, again)
		}
	}
}

// dependency takes a dependency note: D5(040,030), positions in tens.
func (r *layoutReader) dependency(l line, m []string) {
	note := "D" + m[1] + ":"
	for _, p := range strings.Split(m[2], ",") {
		n := number(strings.TrimSpace(p))
		if n%10 != 0 || n < 10 || n/10 > maxNotePositions {
			r.u.report(NotUnderstood, r.place(l), "a dependency note with position %s", p)
			return
		}
		note += twoDigits(n / 10)
	}
	if strings.Count(m[2], ",") == 0 {
		r.u.report(NotUnderstood, r.place(l), "a dependency note on one position only")
		return
	}
	r.out.notes = append(r.out.notes, note)
}

func twoDigits(n int) string { return string([]byte{byte('0' + n/10%10), byte('0' + n%10)}) }

func number(text string) int {
	n, err := strconv.Atoi(strings.ReplaceAll(text, ",", ""))
	if err != nil {
		return 0
	}
	return n
}
