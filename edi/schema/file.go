package schema

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// File is one parsed text: a dictionary or a guide, not yet compiled.
type File struct {
	Name     string // x12/004010 or x12/004010/850
	Title    string
	Standard string
	Version  string
	IsGuide  bool

	source   *source
	outlined bool      // elements and what follows are left out, see outline
	extends  reference // another dictionary
	uses     reference // the dictionary of a guide
	based    reference // the guide this one is laid over
	like     reference // the guide whose structure this one has, in another release
	set      string
	group    string
	noAck    bool

	conventions []string // subsets the guide is for

	elements   map[string]*elementText
	composites map[string]*segmentText
	segments   map[string]*segmentText
	tags       []string
	keys       []keyText
	areas      []*statement
	templates  map[string]*statement
	overlay    []*statement // at and codes statements of a partner's guide
}

// reference is the name of another file and where it was written.
type reference struct {
	name string
	st   *statement
}

type elementText struct {
	st       *statement
	ref      string
	name     string
	kind     Type
	decimals int
	min, max int
	codes    []Code
	open     bool
}

type segmentText struct {
	st    *statement
	id    string
	name  string
	uses  []useText
	notes []Note
}

type useText struct {
	st       *statement
	position int
	ref      string
	name     string
	required bool
	repeat   int
	codes    []string
	open     bool
	min, max int // 0 keeps the element's
	format   int // position whose code names the form of the date, 0 for none
}

type keyText struct {
	st    *statement
	name  string
	at    address
	in    string
	where *whereText
}

type whereText struct {
	at     address
	values []string
}

// address is BEG03 or C507-2 style: a segment, an element, a component.
type address struct {
	tag       string
	element   int
	component int
}

var (
	fileName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]*(/[A-Za-z0-9][A-Za-z0-9._:-]*)*$`)
	addressRef  = regexp.MustCompile(`^([A-Z][A-Z0-9]{1,2}?)([0-9]{2})(?:-([0-9]{1,2}))?$`)
	positionRef = regexp.MustCompile(`^([0-9]{1,2})(?:-([0-9]{1,2}))?$`) // an element, or a component of it: 3 or 3-2
)

// isSegmentTag tells a letter with one or two letters or digits behind it.
func isSegmentTag(s string) bool {
	if len(s) < 2 || len(s) > 3 || s[0] < 'A' || s[0] > 'Z' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// isElementRef tells one to five digits, with or without a letter before them.
func isElementRef(s string) bool {
	if len(s) > 0 && s[0] >= 'A' && s[0] <= 'Z' {
		s = s[1:]
	}
	return len(s) <= 5 && isDigits(s)
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) > 0
}

// Parse reads one dictionary or guide. The name stands in its errors, which
// are of type *SyntaxError.
func Parse(name string, text []byte) (*File, error) { return parse(name, string(text)) }

func parse(name, text string) (*File, error) {
	s := &source{file: name}
	statements, err := s.read(text)
	if err != nil {
		return nil, err
	}
	if len(statements) == 0 {
		return nil, s.fail(1, 1, "the text is empty: start it with dictionary NAME or guide NAME")
	}
	f := &File{
		source:     s,
		elements:   make(map[string]*elementText),
		composites: make(map[string]*segmentText),
		segments:   make(map[string]*segmentText),
		templates:  make(map[string]*statement),
	}
	if err := f.head(statements[0]); err != nil {
		return nil, err
	}
	for _, st := range statements[1:] {
		if err := f.statement(st); err != nil {
			return nil, err
		}
	}
	if f.IsGuide && len(f.areas) == 0 && f.based.name == "" && f.like.name == "" {
		return nil, s.at(statements[0], 1, "guide %s describes nothing: it needs area statements, based-on or like", f.Name)
	}
	if f.IsGuide && f.based.name == "" && f.like.name == "" && f.set == "" {
		return nil, s.at(statements[0], 1, "guide %s does not say which document it describes: add set TYPE", f.Name)
	}
	return f, nil
}

func (f *File) head(st *statement) error {
	switch st.words[0].text {
	case "dictionary":
	case "guide":
		f.IsGuide = true
	default:
		return f.source.at(st, 0, "the first line must be dictionary NAME or guide NAME, not %q", st.words[0].text)
	}
	if len(st.words) < 2 || !fileName.MatchString(st.words[1].text) {
		return f.source.at(st, 1, "a name is missing: letters, digits, . _ : - and / as in x12/004010/850")
	}
	f.Name = st.words[1].text
	title, err := f.title(st, 2)
	f.Title = title
	return err
}

// title reads the optional quoted text that ends a statement.
func (f *File) title(st *statement, n int) (string, error) {
	if len(st.words) <= n {
		return "", nil
	}
	if !st.words[n].quoted {
		return "", f.source.at(st, n, "%q is not expected here; a name stands in double quotes", st.words[n].text)
	}
	if len(st.words) > n+1 {
		return "", f.source.at(st, n+1, "%q is too much: the statement ends with its name", st.words[n+1].text)
	}
	return st.words[n].text, nil
}

func (f *File) statement(st *statement) error {
	s := f.source
	keyword := st.words[0].text
	switch keyword {
	case "element":
		return f.element(st)
	case "composite":
		return f.layout(st, f.composites, isElementRef, "a composite number such as C040")
	case "segment":
		return f.layout(st, f.segments, isSegmentTag, "a segment identifier such as BEG")
	case "standard", "version":
		value, err := f.single(st)
		if err != nil {
			return err
		}
		if keyword == "version" {
			f.Version = value
			return nil
		}
		if value != X12 && value != EDIFACT {
			return s.at(st, 1, "the standard is X12 or EDIFACT, not %q", value)
		}
		f.Standard = value
		return nil
	}
	if f.IsGuide {
		return f.guideStatement(st)
	}
	switch keyword {
	case "extends":
		value, err := f.single(st)
		f.extends = reference{value, st}
		return err
	case "tags":
		for i, w := range st.words[1:] {
			if !isSegmentTag(w.text) {
				return s.at(st, i+1, "%q is no segment identifier", w.text)
			}
			f.tags = append(f.tags, w.text)
		}
		return nil
	}
	return s.at(st, 0, "%q is no statement of a dictionary: standard, version, extends, element, composite, segment or tags", keyword)
}

func (f *File) guideStatement(st *statement) error {
	s := f.source
	var err error
	switch keyword := st.words[0].text; keyword {
	case "uses":
		f.uses.st = st
		f.uses.name, err = f.single(st)
	case "based-on":
		f.based.st = st
		f.based.name, err = f.single(st)
	case "like":
		f.like.st = st
		f.like.name, err = f.single(st)
	case "set":
		err = f.setLine(st)
	case "convention":
		for _, w := range st.words[1:] {
			f.conventions = append(f.conventions, w.text)
		}
		if len(f.conventions) == 0 {
			err = s.at(st, 1, "convention needs a name as it stands in UNH 0057, ST03 or behind the version in GS08: convention EAN008")
		}
	case "key":
		err = f.key(st)
	case "area":
		if len(st.words) != 2 || !slices.Contains([]string{"heading", "detail", "summary", "message"}, st.words[1].text) {
			return s.at(st, 1, "an area is heading, detail or summary, or message in EDIFACT")
		}
		f.areas = append(f.areas, st)
	case "template":
		var name string
		if name, err = f.single(st); err == nil {
			if f.templates[name] != nil {
				return s.at(st, 1, "template %s is written twice", name)
			}
			f.templates[name] = st
		}
	case "at", "codes":
		f.overlay = append(f.overlay, st)
	default:
		return s.at(st, 0, "%q is no statement of a guide: uses, based-on, like, set, convention, key, area, template, at, codes, element, composite or segment", keyword)
	}
	return err
}

func (f *File) single(st *statement) (string, error) {
	if len(st.words) != 2 {
		return "", f.source.at(st, min(len(st.words), 2), "%s takes one word", st.words[0].text)
	}
	return st.words[1].text, nil
}

// setLine reads: set 850 group PO [no-ack].
func (f *File) setLine(st *statement) error {
	if len(st.words) < 2 {
		return f.source.at(st, 1, "the document type is missing: set 850 group PO")
	}
	f.set = st.words[1].text
	for i := 2; i < len(st.words); i++ {
		switch {
		case st.words[i].text == "group" && i+1 < len(st.words):
			i++
			f.group = st.words[i].text
		case st.words[i].text == "no-ack":
			f.noAck = true
		default:
			return f.source.at(st, i, "%q is not expected: set TYPE [group CODE] [no-ack]", st.words[i].text)
		}
	}
	return nil
}

// element reads: element 353 ID 2..2 "Purpose" [open], codes indented below.
func (f *File) element(st *statement) error {
	s := f.source
	if len(st.words) < 4 {
		return s.at(st, len(st.words), "an element needs number, type and length: element 353 ID 2..2 \"Purpose\"")
	}
	e := &elementText{st: st, ref: st.words[1].text}
	if !isElementRef(e.ref) && !isSegmentTag(e.ref) {
		return s.at(st, 1, "%q is no element number", e.ref)
	}
	if f.elements[e.ref] != nil {
		return s.at(st, 1, "element %s is described twice, first on line %d", e.ref, f.elements[e.ref].st.line)
	}
	var ok bool
	if e.kind, e.decimals, ok = parseType(st.words[2].text); !ok {
		return s.at(st, 2, "%q is no element type: AN, ID, N, N0 to N9, R, DT, TM, B, a, n or an", st.words[2].text)
	}
	if e.min, e.max, ok = parseLength(st.words[3].text); !ok {
		return s.at(st, 3, "%q is no length: a number or MIN..MAX, at most %d", st.words[3].text, maxLength)
	}
	for i := 4; i < len(st.words); i++ {
		switch w := st.words[i]; {
		case w.quoted && e.name == "":
			e.name = w.text
		case w.text == "open" && !w.quoted:
			e.open = true
		default:
			return s.at(st, i, "%q is not expected: element NUMBER TYPE LENGTH \"name\" [open]", w.text)
		}
	}
	e.codes = make([]Code, 0, len(st.children))
	for _, child := range st.children {
		if child.words[0].text == "others" {
			for _, w := range child.words[1:] {
				e.codes = append(e.codes, Code{Value: w.text})
			}
			continue
		}
		code, err := f.code(child)
		if err != nil {
			return err
		}
		e.codes = append(e.codes, code)
	}
	f.elements[e.ref] = e
	st.children = nil // they are in e
	return nil
}

// code reads: 00 "Original" [from CCYYMMDD] [until CCYYMMDD].
func (f *File) code(st *statement) (Code, error) {
	s := f.source
	code := Code{Value: st.words[0].text}
	if len(st.children) > 0 {
		return code, s.at(st.children[0], 0, "nothing can stand below a code")
	}
	for i := 1; i < len(st.words); i++ {
		w := st.words[i]
		switch {
		case w.quoted && code.Name == "":
			code.Name = w.text
		case (w.text == "from" || w.text == "until") && i+1 < len(st.words):
			i++
			day, err := strconv.Atoi(strings.ReplaceAll(st.words[i].text, "-", ""))
			if err != nil || day < 19000101 || day > 99991231 {
				return code, s.at(st, i, "%q is no day: CCYY-MM-DD", st.words[i].text)
			}
			if w.text == "from" {
				code.From = day
			} else {
				code.Until = day
			}
		default:
			return code, s.at(st, i, "%q is not expected: CODE \"name\" [from DAY] [until DAY]", w.text)
		}
	}
	return code, nil
}
