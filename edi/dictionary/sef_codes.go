package dictionary

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tradepost/edi/schema"
)

const (
	maxRange     = 5000  // codes of one range, A1:A9
	maxListCodes = 50000 // codes of one element
)

// codeLists reads .CODES: the codes of an element, ranges written A1:A9, and
// behind % the sets of codes that places use:
//
//	639=AA:AB,CA,PE%[CA,PE{03}]+850/77///5[AA]+850/80///1+855/52///5
//
// Codes in braces are not of the standard. (1) numbers a set for the texts.
// Codes of two parts have both lists, with | between.
func (s *sefFile) codeLists() {
	for _, r := range s.records["CODES"] {
		if !s.within(&s.left.codes, 1, r.place, "codes") || !s.within(&s.left.steps, 1, r.place, "ranges of codes") {
			return
		}
		list, sets, _ := strings.Cut(strings.TrimSpace(r.value), "%")
		e := s.std.elements[r.key]
		if e == nil {
			s.report(Contradiction, r.place, "codes for element %s, which is not described; they were left out", r.key)
			continue
		}
		if len(e.codes) > 0 {
			s.report(Contradiction, r.place, "element %s has a second code list; the first was kept", r.key)
			continue
		}
		values, ok := s.codes(list, r.place)
		for _, v := range values {
			e.codes = append(e.codes, schema.Code{Value: v})
		}
		if ok {
			s.codeSets(r, sets)
		}
	}
}

// codes reads A,B1:B9,C with the two parts of a code apart.
func (s *sefFile) codes(text string, at place) ([]string, bool) {
	first, second, parted := strings.Cut(text, "|")
	front, ok := s.codeRange(first, at)
	if !parted || !ok {
		return front, ok
	}
	back, ok := s.codeRange(second, at)
	if len(front)*len(back) > maxListCodes || !s.within(&s.left.codes, len(front)*len(back), at, "codes") {
		s.report(NotKept, at, "codes of two parts, %d by %d: more than can be listed; only the first parts were kept", len(front), len(back))
		return front, ok
	}
	out := slices.Clone(front)
	for _, a := range front {
		for _, b := range back {
			out = append(out, a+b)
		}
	}
	return out, ok
}

func (s *sefFile) codeRange(text string, at place) ([]string, bool) {
	var out []string
	seen := map[string]bool{}
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		from, to, ranged := strings.Cut(item, ":")
		values := []string{from}
		if ranged {
			values = expand(from, to)
			cost := len(values)
			if values == nil {
				cost = maxRange
			}
			if !s.within(&s.left.steps, 10*cost, at, "ranges of codes") {
				return out, true
			}
		}
		if values == nil || len(out)+len(values) > maxListCodes {
			s.report(NotUnderstood, at, "%q is no code and no range of codes", excerpt(item))
			continue
		}
		if !s.within(&s.left.codes, len(values), at, "codes") {
			return out, true
		}
		for _, v := range values {
			if printable(v) != v || v == "" {
				s.report(NotUnderstood, at, "%q is no code", excerpt(v))
				continue
			}
			if !seen[v] {
				seen[v] = true
				out = append(out, v)
			}
		}
	}
	return out, true
}

// expand lists a range: numbers count up; else the last characters count
// through digits and letters.
func expand(from, to string) []string {
	a, err1 := strconv.Atoi(from)
	b, err2 := strconv.Atoi(to)
	if err1 == nil && err2 == nil && from[0] != '-' && from[0] != '+' {
		if b < a || b-a >= maxRange {
			return nil
		}
		var out []string
		for n := a; n <= b; n++ {
			v := strconv.Itoa(n)
			if len(from) == len(to) {
				v = strings.Repeat("0", max(len(from)-len(v), 0)) + v
			}
			out = append(out, v)
		}
		return out
	}
	if len(from) != len(to) || from == "" || from > to {
		return nil
	}
	out := []string{from}
	for v := []byte(from); string(v) != to; {
		if !increment(v) || len(out) >= maxRange {
			return nil
		}
		out = append(out, string(v))
	}
	return out
}

// increment counts v up by one in place: 0 to 9, A to Z, then a carry.
func increment(v []byte) bool {
	for i := len(v) - 1; i >= 0; i-- {
		switch c := v[i]; {
		case c >= '0' && c < '9', c >= 'A' && c < 'Z', c >= 'a' && c < 'z':
			v[i]++
			return true
		case c == '9':
			v[i] = 'A'
			return true
		case c == 'Z':
			v[i] = '0'
		default:
			return false
		}
	}
	return false
}

// codeSets reads [A,B{C}]+850/77///5+... sets that stand behind a code list.
func (s *sefFile) codeSets(r record, text string) {
	var empty []string
	defer func() {
		if len(empty) > 0 {
			s.report(NotKept, at(r.place, strings.Join(empty, "")), "empty sets of codes; all codes of element %s are allowed there", r.key)
		}
	}()
	for text != "" {
		if text[0] != '[' {
			s.report(NotUnderstood, at(r.place, text), "a set of codes begins with [; the rest of the record was left out")
			return
		}
		end := strings.IndexByte(text, ']')
		if end < 0 {
			s.report(NotUnderstood, at(r.place, text), "this set of codes has no end")
			return
		}
		inner := text[1:end]
		text = text[end+1:]
		next := strings.IndexByte(text, '[')
		if next < 0 {
			next = len(text)
		}
		places := text[:next]
		text = text[next:]
		if places == "" {
			continue // a set nothing refers to
		}
		own, local := inner, ""
		if i := strings.IndexByte(inner, '{'); i >= 0 {
			own, local = inner[:i], strings.TrimSuffix(inner[i+1:], "}")
		}
		own = sefSetNumber.ReplaceAllString(own, "")
		values, ok := s.codes(own, r.place)
		if local = strings.Trim(local, "|"); local != "" {
			more, good := s.codes(local, r.place)
			values, ok = append(values, more...), ok && good
		}
		if !ok {
			continue
		}
		if len(values) == 0 {
			if len(empty) < 20 { // enough for the text of a finding
				empty = append(empty, places)
			}
			continue
		}
		for p := range strings.SplitSeq(strings.TrimPrefix(places, "+"), "+") {
			s.restrict(p, r.key, values, at(r.place, p))
		}
	}
}

var sefSetNumber = regexp.MustCompile(`^\([0-9]{1,6}\)`)

func at(p place, text string) place {
	p.text = text
	return p
}

// sefLocation is SET/ORDINAL/SEGMENT/ELEMENT/POSITION.
type sefLocation struct {
	set      string
	ordinal  int
	segment  string
	element  string
	position int
	part     int // component, 0 for none
}

func parseLocation(text string) (sefLocation, bool) {
	fields := strings.SplitN(strings.TrimSpace(text), "/", 8)
	if len(fields) < 4 || len(fields) > 7 {
		return sefLocation{}, false
	}
	fields = append(fields, "", "")
	l := sefLocation{set: fields[0], segment: fields[2], element: fields[3]}
	var err1, err2 error
	if fields[1] != "" {
		l.ordinal, err1 = strconv.Atoi(fields[1])
	}
	position, part, _ := strings.Cut(fields[4], "-")
	if position != "" {
		l.position, err2 = strconv.Atoi(position)
	}
	if part == "" {
		part = fields[5]
	}
	if part != "" {
		var err error
		if l.part, err = strconv.Atoi(part); err != nil {
			return l, false
		}
	}
	return l, err1 == nil && err2 == nil && l.ordinal >= 0 && l.position >= 0 && l.part >= 0
}

// restrict narrows the codes of the places a location names.
func (s *sefFile) restrict(location, element string, values []string, p place) {
	l, ok := parseLocation(location)
	if !ok {
		s.report(NotUnderstood, p, "%q is no place: SET/ORDINAL///POSITION is expected", location)
		return
	}
	if l.element == "" {
		l.element = element
	}
	found := false
	for _, kind := range s.setOrder {
		if l.set != "" && l.set != kind {
			continue
		}
		for _, place := range s.guides[kind].places {
			if !s.within(&s.left.steps, 1, p, "rules on places") {
				return
			}
			if l.ordinal != 0 && l.ordinal != place.ordinal || l.segment != "" && l.segment != place.tag {
				continue
			}
			if !s.within(&s.left.steps, 100, p, "rules on places") {
				return
			}
			found = s.narrow(place, l, values, p) || found
		}
	}
	if !found {
		s.report(Contradiction, p, "there is no place %s with element %s", location, l.element)
	}
}

// narrow narrows the codes of one place.
func (s *sefFile) narrow(place *sefPlace, l sefLocation, values []string, p place) bool {
	segment := s.std.segments[place.tag]
	if segment == nil {
		return false
	}
	found := false
	for i, x := range segment.uses {
		if l.position != 0 && l.position != i+1 {
			continue
		}
		if c := s.std.composites[x.ref]; c != nil {
			for j := range c.uses {
				if l.part == j+1 || l.part == 0 && l.element == c.uses[j].ref {
					found = s.narrowOne(place, component{i + 1, j + 1}, values, p) || found
				}
			}
			continue
		}
		if l.part == 0 && (l.position != 0 || l.element == x.ref) {
			found = s.narrowOne(place, component{i + 1, 0}, values, p) || found
		}
	}
	return found
}

func (s *sefFile) narrowOne(place *sefPlace, at component, values []string, p place) bool {
	if place.codes[at] != nil {
		s.report(Contradiction, p, "%s element %s has codes of its own already; these were left out", place.tag, at)
		return true
	}
	place.codes[at] = values
	return true
}

// valueRules reads .VALREFS, which bind lists of values to places, and reports
// the rules of .SEMREFS and .OBJVARS, but for those that do the same as
// .VALREFS.
func (s *sefFile) valueRules() {
	for _, r := range s.records["VALREFS"] {
		s.valueRule(r, strings.TrimSpace(r.value))
	}
	for _, r := range s.records["SEMREFS"] {
		if m := sefAppValue.FindStringSubmatch(strings.TrimSpace(r.value)); m != nil {
			s.valueRule(r, m[1])
			continue
		}
		s.report(NotKept, r.place, "a rule on several elements; guides have none")
	}
	for _, r := range s.records["OBJVARS"] {
		s.report(NotKept, r.place, "a name for the rules of .SEMREFS")
	}
}

var sefAppValue = regexp.MustCompile(`^\[:APPVALUE:([A-Za-z0-9_-]+):\]$`)

func (s *sefFile) valueRule(r record, name string) {
	list := s.lists[name]
	switch {
	case list == nil || name == "":
		s.report(Contradiction, r.place, "there is no list %q in .VALLISTS", name)
	case list.patterns > 0:
		s.report(NotKept, r.place, "list %s has patterns; guides list values", name)
	case slices.ContainsFunc(list.values, func(v string) bool { return !plainCode(v) }):
		s.report(NotKept, r.place, "list %s has values with blanks; guides list codes", name)
	case len(list.values) > 0:
		s.restrict(r.key, "", list.values, r.place)
	}
}
