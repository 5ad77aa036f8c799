package dictionary

import (
	"bytes"
	"context"
	"regexp"
	"strings"

	"tradepost/edi/schema"
)

// A SEF file is a text in sections, each begun by a line with a dot and a name
// in capitals. Most hold records, KEY=VALUE, that may go on over several lines.
//
//	.VER 1.6
//	.INI
//	KAVERPO,,004 010,X,X12-4010,Kaver Corp X12-4010 Purchase Order
//	.SETS
//	850=^[ST,M][BEG*1,M][.CUR]{:200[N1][N2,,2]}
//	.SEGS
//	BEG=[353,M][92,M][324,M]+P0203,...,..#
//	.COMS .ELMS .CODES .VALLISTS .VALREFS .SEMREFS .OBJVARS .TEXT,SETS
var sefSection = regexp.MustCompile(`^\.([A-Z]{2,12})(?:[ ,](.*))?$`)

// sefRecords are the sections that hold records.
func sefRecords(section string) bool {
	switch section {
	case "SETS", "SEGS", "COMS", "ELMS", "CODES", "VALREFS", "SEMREFS", "OBJVARS":
		return true
	}
	return false
}

// looksLikeSEF tells by the first bytes. Files that EDIdev gives away for trial
// begin with EDIDE and are encrypted.
func looksLikeSEF(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head[:min(len(head), 512)], []byte("\xef\xbb\xbf")), " \r\n")
	return bytes.HasPrefix(head, []byte(".VER")) || bytes.HasPrefix(head, []byte(".INI")) || bytes.HasPrefix(head, []byte(encryptedSEF))
}

const encryptedSEF = "EDIDE1"

// record is KEY=VALUE, its lines joined.
type record struct {
	key, value string
	more       []string // lines, until they are joined
	place      place
}

// sefFile is a SEF file in its sections.
type sefFile struct {
	*importer
	name     string
	std      *standard
	title    string
	own      string // the name the file gives itself
	records  map[string][]record
	texts    []sefText
	lists    map[string]*valueList
	guides   map[string]*sefGuide // by set
	setOrder []string
	masks    map[string]*sefLayout
	codeAt   map[*element]map[string]int // codes that texts name, by value
}

// sefText is one record of .TEXT: where, what and the text.
type sefText struct {
	section string // SETS, SEGS, COMS, ELMS
	where   []string
	what    string
	text    string
	place   place
}

// valueList is a list of .VALLISTS.
type valueList struct {
	values   []string
	patterns int
	place    place
}

// importSEF reads SEF files, each a standard of its own.
func (im *importer) importSEF(ctx context.Context, files []sourceFile) ([]*standard, error) {
	var out []*standard
	for i := range files {
		f := &files[i]
		if err := next(ctx); err != nil {
			return nil, err
		}
		switch {
		case f.format != SEF:
			im.skip(f, "no SEF file")
		case f.encrypted:
			im.report(NotUnderstood, place{file: f.name}, "the file is an encrypted one of EDIdev's eFileManager; ask for the plain SEF file")
		case len(out) > 0:
			im.report(NotKept, place{file: f.name}, "a second SEF file: import one at a time, each is a standard of its own")
		default:
			s := &sefFile{
				importer: im, name: f.name, std: newStandard(), records: map[string][]record{}, lists: map[string]*valueList{},
				guides: map[string]*sefGuide{}, masks: map[string]*sefLayout{}, codeAt: map[*element]map[string]int{},
			}
			text, err := im.lines(f)
			if err != nil {
				return nil, err
			}
			s.read(text)
			s.build()
			out = append(out, s.std)
		}
	}
	return out, nil
}

// read sorts the lines into sections and records.
func (s *sefFile) read(text []line) {
	section, private := "", 0
	for _, l := range text {
		if m := sefSection.FindStringSubmatch(l.text); m != nil && (knownSEF(m[1]) || !strings.ContainsAny(l.text, "[]{}=")) {
			switch {
			case m[1] == "PUBLIC":
				private, section = 0, ""
			case m[1] == "PRIVATE":
				private = l.number
				s.report(NotKept, s.at(l), "a private section; what stands up to .PUBLIC is for the program that wrote the file")
			case private > 0:
				s.prose++
			default:
				section = s.section(l, m[1], m[2])
			}
			continue
		}
		if private > 0 || strings.TrimSpace(l.text) == "" {
			s.prose++
			continue
		}
		s.textOf(section, l)
	}
	for _, list := range s.records {
		for i := range list {
			list[i].value += strings.Join(list[i].more, "")
			list[i].more = nil
		}
	}
}

func knownSEF(name string) bool {
	switch name {
	case "VER", "INI", "PRIVATE", "PUBLIC", "STD", "TEXT", "VALLISTS":
		return true
	}
	return sefRecords(name)
}

// section begins a section and returns its name, empty when its lines are not
// to be read.
func (s *sefFile) section(l line, name, rest string) string {
	switch name {
	case "VER":
		if v := strings.TrimSpace(rest); !strings.HasPrefix(v, "1.") {
			s.report(NotUnderstood, s.at(l), "SEF version %q: 1.0 to 1.6 are known; it was read as 1.6", v)
		}
		return ""
	case "STD":
		return "" // which of the newer properties the file uses; they are read in any case
	case "TEXT":
		return "TEXT," + strings.TrimSpace(rest)
	}
	if !knownSEF(name) {
		s.report(NotUnderstood, s.at(l), "section .%s is not known; its lines were left out", name)
		return "?"
	}
	return name
}

func (s *sefFile) at(l line) place { return place{file: s.name, line: l.number, text: l.text} }

// textOf takes a line of a section.
func (s *sefFile) textOf(section string, l line) {
	switch {
	case section == "?":
		s.prose++
	case section == "INI":
		s.ini(l)
	case section == "VALLISTS":
		s.valueLine(l)
	case strings.HasPrefix(section, "TEXT,"):
		s.textLine(section[len("TEXT,"):], l)
	case sefRecords(section):
		s.recordLine(section, l)
	default:
		s.report(NotUnderstood, s.at(l), "a line outside of the sections")
	}
}

// ini reads the line that names standard, version and title; the title may go
// on on the next line.
func (s *sefFile) ini(l line) {
	if s.own != "" {
		s.title = joinName(s.title, collapse(l.text))
		return
	}
	fields := strings.SplitN(l.text, ",", 6)
	if len(fields) < 4 {
		s.report(NotUnderstood, s.at(l), "the line below .INI has to name the file, version and agency")
		s.own = "guide"
		return
	}
	s.own = strings.ToLower(safeName(fields[0]))
	version := strings.Fields(fields[2])
	switch agency := strings.TrimSpace(fields[3]); agency {
	case "X", "T":
		s.std.standard = schema.X12
		s.std.version = strings.Join(version, "")
	case "UN":
		s.std.standard = schema.EDIFACT
		if len(version) > 1 {
			s.std.version = version[0] + ":" + version[1]
		}
	default:
		s.report(NotUnderstood, s.at(l), "the agency is %q; X (X12) and UN (EDIFACT) can be imported", agency)
	}
	if len(fields) > 5 {
		s.title = collapse(fields[5])
	}
}

// safeName keeps of a text what the name of a guide may hold.
func safeName(text string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r == ' ' || r == '.' || r == '/':
			return '-'
		}
		return -1
	}, strings.TrimSpace(text))
	name = strings.Trim(name, "-_")
	if name == "" {
		return "guide"
	}
	return name[:min(len(name), 40)]
}

// sefKey is what a record begins with; lines without it go on with the record
// before.
var sefKey = regexp.MustCompile(`^([A-Za-z0-9/_@.-]{1,80})=`)

func (s *sefFile) recordLine(section string, l line) {
	list := s.records[section]
	if m := sefKey.FindStringSubmatch(l.text); m != nil {
		if s.within(&s.left.records, 1, s.at(l), "records") {
			s.records[section] = append(list, record{key: m[1], value: l.text[len(m[0]):], place: s.at(l)})
		}
		return
	}
	if len(list) == 0 {
		s.report(NotUnderstood, s.at(l), "no record of section .%s: KEY=VALUE is expected", section)
		return
	}
	last := &list[len(list)-1]
	last.more = append(last.more, strings.TrimLeft(l.text, " "))
}

// valueLine reads NAME="text", 'value and &pattern.
func (s *sefFile) valueLine(l line) {
	text := strings.TrimLeft(l.text, " ")
	name, _, named := strings.Cut(text, "=")
	switch {
	case text[0] == '\'' && s.lists[""] != nil:
		if s.within(&s.left.codes, 1, s.at(l), "codes") {
			s.lists[""].values = append(s.lists[""].values, strings.TrimSpace(text[1:]))
		}
	case text[0] == '&' && s.lists[""] != nil:
		s.lists[""].patterns++
	case named && !strings.ContainsAny(name, `"'& `):
		if !s.within(&s.left.records, 1, s.at(l), "lists of values") {
			return
		}
		v := &valueList{place: s.at(l)}
		s.lists[name], s.lists[""] = v, v // the empty name is the list being read
	default:
		s.report(NotUnderstood, s.at(l), "no line of .VALLISTS")
	}
}

var sefTextRecord = regexp.MustCompile(`^([A-Za-z0-9~@._-]{1,80}),([0-9]{1,3}),(.*)$`)

// textLine reads WHERE,WHAT,TEXT; other lines go on with the text before.
func (s *sefFile) textLine(section string, l line) {
	if m := sefTextRecord.FindStringSubmatch(l.text); m != nil {
		if s.within(&s.left.records, 1, s.at(l), "texts") {
			s.texts = append(s.texts, sefText{section, strings.Split(m[1], "~"), m[2], m[3][:min(len(m[3]), maxSEFText)], s.at(l)})
		}
		return
	}
	if len(s.texts) == 0 {
		s.report(NotUnderstood, s.at(l), "no record of .TEXT: WHERE,WHAT,TEXT is expected")
		return
	}
	if last := &s.texts[len(s.texts)-1]; len(last.text)+len(l.text) < maxSEFText {
		last.text += " " + strings.TrimSpace(l.text)
	}
}

const maxSEFText = 4000 // bytes of a text

var sefEscape = regexp.MustCompile(`\\(?:[rn]|[0-9]{3}|\\)`)

// plain undoes the escapes of a text: \r, \n and \233 for a character of
// Windows-1252.
func (t *sefText) plain() string {
	return collapse(sefEscape.ReplaceAllStringFunc(t.text, func(e string) string {
		switch e {
		case `\r`, `\n`:
			return " "
		case `\\`:
			return `\`
		}
		n := number(e[1:])
		if n > 255 || n < 32 {
			return "?"
		}
		if n >= 0x80 && n < 0xa0 {
			return string(windows1252(byte(n)))
		}
		return string(rune(n))
	}))
}

// build turns the records into a standard with its guides.
func (s *sefFile) build() {
	if s.options.Standard != "" {
		s.std.standard = s.options.Standard
	}
	if s.options.Version != "" {
		s.std.version = s.options.Version
	}
	s.std.title = s.title
	s.std.origin = []string{"Made from a SEF file; the terms of who wrote it, and of the standard in it, hold for this text, too."}
	s.elements()
	s.layouts("COMS", s.std.composites)
	s.layouts("SEGS", s.std.segments)
	s.headers(s.std)
	s.sets()
	s.codeLists()
	s.names()
	s.valueRules()
	for _, kind := range s.setOrder {
		s.guide(s.guides[kind])
	}
}
