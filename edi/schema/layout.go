package schema

import (
	"slices"
	"strconv"
	"strings"
)

const (
	maxLength    = 1 << 30 // largest element length a text may name
	maxPositions = 99      // elements of a segment; positions have two digits
	maxUse       = 1 << 24
)

func parseType(text string) (Type, int, bool) {
	switch text {
	case "AN":
		return String, 0, true
	case "ID":
		return Code1, 0, true
	case "R":
		return Decimal, 0, true
	case "DT":
		return Date, 0, true
	case "TM":
		return Time, 0, true
	case "B":
		return Binary, 0, true
	case "a":
		return Alpha, 0, true
	case "n":
		return Numeric, 0, true
	case "an":
		return AlphaNum, 0, true
	case "N":
		return Implied, 0, true
	}
	if len(text) == 2 && text[0] == 'N' && text[1] >= '0' && text[1] <= '9' {
		return Implied, int(text[1] - '0'), true
	}
	return 0, 0, false
}

// parseLength reads 3, 1..3 or ..35 (EDIFACT's way of writing 1..35).
func parseLength(text string) (shortest, longest int, ok bool) {
	low, high, ranged := strings.Cut(text, "..")
	if !ranged {
		n, err := strconv.Atoi(text)
		return n, n, err == nil && n >= 1 && n <= maxLength
	}
	if low == "" {
		low = "1"
	}
	shortest, err1 := strconv.Atoi(low)
	longest, err2 := strconv.Atoi(high)
	return shortest, longest, err1 == nil && err2 == nil && shortest >= 0 && longest >= 1 && shortest <= longest && longest <= maxLength
}

// layout reads a segment or composite with its positions and notes.
func (f *File) layout(st *statement, into map[string]*segmentText, form func(string) bool, example string) error {
	s := f.source
	if len(st.words) < 2 || !form(st.words[1].text) {
		return s.at(st, 1, "%s is expected", example)
	}
	l := &segmentText{st: st, id: st.words[1].text}
	if first := into[l.id]; first != nil {
		return s.at(st, 1, "%s is described twice, first on line %d", l.id, first.st.line)
	}
	var err error
	if l.name, err = f.title(st, 2); err != nil {
		return err
	}
	for _, child := range st.children {
		if child.words[0].text == "notes" {
			for i := 1; i < len(child.words); i++ {
				note, problem := parseNote(child.words[i].text)
				if problem != "" {
					return s.at(child, i, "%s", problem)
				}
				l.notes = append(l.notes, note)
			}
			continue
		}
		if err := f.positions(child, l); err != nil {
			return err
		}
	}
	slices.SortStableFunc(l.uses, func(a, b useText) int { return a.position - b.position })
	for i, use := range l.uses {
		if use.position != i+1 {
			if i > 0 && l.uses[i-1].position == use.position {
				return s.at(use.st, 0, "position %d of %s is described twice", use.position, l.id)
			}
			return s.at(use.st, 0, "position %d of %s is missing", i+1, l.id)
		}
	}
	for _, note := range l.notes {
		for _, p := range note.Positions {
			if p > len(l.uses) || p > 64 {
				return s.at(st, 1, "note %s of %s names position %d, there are %d", note, l.id, p, len(l.uses))
			}
		}
	}
	for i := range l.uses {
		if u := &l.uses[i]; u.format > len(l.uses) || u.format == u.position {
			return s.at(u.st, 0, "format names position %d, which is none of the others of %s", u.format, l.id)
		}
	}
	into[l.id] = l
	st.children = nil // they are in l
	return nil
}

// positions reads one line of positions: 6..24/2 235 O x3 codes A B open length 1..5 "name".
func (f *File) positions(st *statement, l *segmentText) error {
	s := f.source
	first, last, step, ok := parseRange(st.words[0].text)
	if !ok {
		return s.at(st, 0, "%q is no position: a number, FIRST..LAST or FIRST..LAST/STEP", st.words[0].text)
	}
	if first < 1 || last < first || last > maxPositions || step < 1 || step > maxPositions {
		return s.at(st, 0, "positions run from 1 to %d", maxPositions)
	}
	if len(st.words) < 3 || !isElementRef(st.words[1].text) {
		return s.at(st, min(1, len(st.words)), "a position needs an element number and M, O or C: 1 353 M")
	}
	use := useText{st: st, ref: st.words[1].text, repeat: 1}
	switch st.words[2].text {
	case "M":
		use.required = true
	case "O", "C":
	default:
		return s.at(st, 2, "%q: an element is M (mandatory), O (optional) or C (conditional)", st.words[2].text)
	}
	if err := f.useOptions(st, 3, &use); err != nil {
		return err
	}
	for p := first; p <= last; p += step {
		use.position = p
		l.uses = append(l.uses, use)
	}
	return nil
}

// parseRange reads 3, 6..24 or 6..24/2.
func parseRange(text string) (first, last, step int, ok bool) {
	low, rest, ranged := strings.Cut(text, "..")
	high, every, stepped := strings.Cut(rest, "/")
	if !ranged {
		high = low
	}
	if !stepped {
		every = "1"
	}
	if !isDigits(low) || !isDigits(high) || !isDigits(every) {
		return 0, 0, 0, false
	}
	first, _ = strconv.Atoi(low) // a number too long for this is out of bounds in any case
	last, _ = strconv.Atoi(high)
	step, _ = strconv.Atoi(every)
	return first, last, step, true
}

func (f *File) useOptions(st *statement, from int, use *useText) error {
	s := f.source
	for i := from; i < len(st.words); i++ {
		w := st.words[i]
		switch {
		case w.quoted:
			use.name = w.text
		case len(w.text) <= 7 && w.text[0] == 'x' && isDigits(w.text[1:]):
			use.repeat, _ = strconv.Atoi(w.text[1:])
			if use.repeat < 1 {
				return s.at(st, i, "x0: an element stands at least once")
			}
		case w.text == "length" && i+1 < len(st.words):
			i++
			var ok bool
			if use.min, use.max, ok = parseLength(st.words[i].text); !ok {
				return s.at(st, i, "%q is no length", st.words[i].text)
			}
		case w.text == "format" && i+1 < len(st.words):
			i++
			var err error
			if use.format, err = strconv.Atoi(st.words[i].text); err != nil || use.format < 1 {
				return s.at(st, i, "%q is no position: format names the one whose code tells the form of the date", st.words[i].text)
			}
		case w.text == "codes":
			for i+1 < len(st.words) && !st.words[i+1].quoted {
				i++
				if st.words[i].text == "open" {
					use.open = true
					continue
				}
				use.codes = append(use.codes, st.words[i].text)
			}
			if len(use.codes) == 0 {
				return s.at(st, i, "codes needs at least one value")
			}
		default:
			return s.at(st, i, "%q is not expected: xN, length MIN..MAX, codes A B C, format N or a name in quotes", w.text)
		}
	}
	return nil
}

// parseNote reads P0607, D1:0102 or either with a trailing ~ (soft).
func parseNote(text string) (Note, string) {
	rest, soft := strings.CutSuffix(text, "~")
	note := Note{Soft: soft}
	digits := ""
	switch {
	case len(rest) > 3 && rest[0] == 'D' && rest[2] == ':':
		kinds := map[byte]NoteKind{'1': OnlyOne, '2': Paired, '3': OneRequired, '4': Exclusive, '5': Conditional, '6': ListCond, '7': FirstNone}
		note.Kind, digits = kinds[rest[1]], rest[3:]
	case len(rest) > 1 && strings.IndexByte("PRECL", rest[0]) >= 0:
		note.Kind, digits = NoteKind(rest[0]), rest[1:]
	}
	if note.Kind == 0 || len(digits) < 4 || len(digits)%2 != 0 {
		return note, strconv.Quote(text) + " is no syntax note: P, R, E, C or L with two digits a position as in P0607, or D1:0102"
	}
	for i := 0; i < len(digits); i += 2 {
		p, err := strconv.Atoi(digits[i : i+2])
		if err != nil || p < 1 || p > 64 {
			return note, strconv.Quote(text) + ": positions have two digits, 01 to 64"
		}
		note.Positions = append(note.Positions, p)
	}
	note.compile()
	return note, ""
}

// key reads: key PO BEG03 [in PATH] [where REF01 = BM].
func (f *File) key(st *statement) error {
	s := f.source
	if len(st.words) < 3 {
		return s.at(st, len(st.words), "a key needs a name and a place: key PO BEG03")
	}
	k := keyText{st: st, name: st.words[1].text}
	var ok bool
	if k.at, ok = parseAddress(st.words[2].text); !ok {
		return s.at(st, 2, "%q is no place: segment and two-digit element as in BEG03, or C107-2 style with a component", st.words[2].text)
	}
	for i := 3; i < len(st.words); i++ {
		switch st.words[i].text {
		case "in":
			if i+1 >= len(st.words) {
				return s.at(st, i, "in needs a path such as detail/HL")
			}
			i++
			k.in = st.words[i].text
		case "where":
			w, err := f.where(st, i+1)
			if err != nil {
				return err
			}
			if w.at.tag != "" && w.at.tag != k.at.tag {
				return s.at(st, i+1, "the condition must be on %s, the segment of the key", k.at.tag)
			}
			k.where = w
			i = len(st.words)
		default:
			return s.at(st, i, "%q is not expected: in PATH or where REF01 = VALUE", st.words[i].text)
		}
	}
	f.keys = append(f.keys, k)
	return nil
}

// where reads REF01 = BM BN or 1 = BM from word n to the end of the line.
func (f *File) where(st *statement, n int) (*whereText, error) {
	s := f.source
	if n+2 >= len(st.words) || st.words[n+1].text != "=" {
		return nil, s.at(st, min(n, len(st.words)), "where needs an element, = and a value: where REF01 = BM")
	}
	w := &whereText{}
	if m := positionRef.FindStringSubmatch(st.words[n].text); m != nil && m[1] != "0" && m[1] != "00" {
		w.at.element, _ = strconv.Atoi(m[1])
		w.at.component, _ = strconv.Atoi(m[2]) // 0 when none is named
	} else if at, ok := parseAddress(st.words[n].text); ok {
		w.at = at
	} else {
		return nil, s.at(st, n, "%q is no element: REF01, 1 for the first, or 1-2 for a component", st.words[n].text)
	}
	for _, v := range st.words[n+2:] {
		w.values = append(w.values, v.text)
	}
	return w, nil
}

func parseAddress(text string) (address, bool) {
	m := addressRef.FindStringSubmatch(text)
	if m == nil {
		return address{}, false
	}
	a := address{tag: m[1]}
	a.element, _ = strconv.Atoi(m[2])
	if m[3] != "" {
		a.component, _ = strconv.Atoi(m[3])
	}
	return a, a.element >= 1
}
