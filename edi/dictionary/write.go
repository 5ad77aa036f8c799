package dictionary

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"tradepost/edi/schema"
)

// write turns a standard into texts, loads them to see that they stand, and
// puts them into the result.
func (im *importer) write(ctx context.Context, r *Result, s *standard) error {
	base, err := im.base(s)
	if err != nil {
		return err
	}
	im.complete(s)
	im.writeOutRepeats(s)
	dateForms(s)
	openLists(s, im.options.OpenCodes)
	for _, e := range s.elements {
		if e.open && e.guessed {
			e.min, e.max = 1, 65535 // other codes may be shorter or longer
		}
	}
	name := base + "/directory"
	r.Standard, r.Version = listed(r.Standard, s.standard), listed(r.Version, s.version)
	texts := []File{{Name: name + schema.DictionaryExt, Text: s.dictionaryText(name)}}
	for _, d := range s.documents {
		d.name = im.guideName(base, d)
	}
	slices.SortStableFunc(s.documents, func(a, b *document) int { return strings.Compare(a.name, b.name) })
	for i, d := range s.documents {
		if i > 0 && s.documents[i-1].name == d.name {
			im.report(Contradiction, d.place, "%s is described twice, first in %s; the first was kept", d.kind, s.documents[i-1].place.file)
			d.name = ""
			s.documents[i] = s.documents[i-1]
			continue
		}
		if err := next(ctx); err != nil {
			return err
		}
		im.lend(d, s)
		texts = append(texts, File{Name: d.name + schema.GuideExt, Text: s.guideText(d, name)})
	}
	im.prove(r, texts)
	r.Elements += len(s.elements)
	r.Composites += len(s.composites)
	r.Segments += len(s.segments)
	for _, e := range s.elements {
		r.Codes += len(e.codes)
	}
	return nil
}

// listed adds a word to a list unless it is in it.
func listed(list, word string) string {
	switch {
	case list == "":
		return word
	case slices.Contains(strings.Split(list, ", "), word):
		return list
	}
	return list + ", " + word
}

// base is what the names of a standard's texts begin with.
func (im *importer) base(s *standard) (string, error) {
	if s.standard == "" || s.version == "" {
		return "", fmt.Errorf("the source does not say of which standard and version it is: name them, as in standard X12, version 004010")
	}
	if !versionName.MatchString(s.version) {
		return "", fmt.Errorf("the source says it is of version %q, which is none: name the version, as in 004010 or D:96A", printable(s.version))
	}
	if im.options.Name != "" {
		return im.options.Name, nil
	}
	return strings.ToLower(s.standard) + "/" + strings.ReplaceAll(s.version, ":", ""), nil
}

func (im *importer) guideName(base string, d *document) string {
	if d.basedOn == "" {
		return base + "/" + d.kind
	}
	d.basedOn = base + "/" + d.kind
	own := im.options.Guide
	if own == "" {
		own = d.name
	}
	if own == "" || own == base {
		own = base + "/guide"
	}
	return own + "/" + d.kind
}

// openLists marks code lists of EDIFACT as incomplete where a sender may name
// another one: in a composite with 1131 (code list) or 3055 (who keeps it) the
// value may come from a list of somebody else. all opens every list.
func openLists(s *standard, all bool) {
	for _, e := range s.elements {
		e.open = e.open || all
	}
	if s.standard != schema.EDIFACT {
		return
	}
	for _, c := range s.composites {
		foreign := slices.ContainsFunc(c.uses, func(x use) bool { return x.ref == "1131" || x.ref == "3055" })
		for _, x := range c.uses {
			if e := s.elements[x.ref]; e != nil && foreign && x.ref != "3055" {
				e.open = true
			}
		}
	}
}

// complete makes a standard whole: a reference to something that is not
// described gets a description that allows everything, and is reported.
func (im *importer) complete(s *standard) {
	need := func(what string, l *layout) {
		for i := range l.uses {
			x := &l.uses[i]
			if s.composites[x.ref] != nil {
				x.min, x.max, x.codes, x.format = 0, 0, nil, 0 // those are its components'
				continue
			}
			if s.elements[x.ref] != nil {
				continue
			}
			im.report(Contradiction, x.place, "%s %s uses element %s, which is not described; any text of up to 65535 characters is allowed there", what, l.ref, x.ref)
			kind := schema.String
			if s.standard == schema.EDIFACT {
				kind = schema.AlphaNum
			}
			s.elements[x.ref] = &element{ref: x.ref, name: "Not described", kind: kind, min: 1, max: 65535}
		}
	}
	for _, ref := range sortedRefs(s.composites) {
		c := s.composites[ref]
		need("composite", c)
		c.uses = slices.DeleteFunc(c.uses, func(x use) bool {
			if s.elements[x.ref] == nil {
				im.report(NotKept, x.place, "composite %s holds composite %s; a composite holds elements only", ref, x.ref)
				return true
			}
			return false
		})
		im.clip("composite", c)
	}
	for _, tag := range sortedRefs(s.segments) {
		need("segment", s.segments[tag])
		im.clip("segment", s.segments[tag])
	}
	for _, d := range s.documents {
		for i := range d.nodes {
			walk(d.nodes[i].nodes, "", func(n *node, _ string) {
				if len(n.nodes) == 0 && len(n.levels) == 0 && s.segments[n.name] == nil {
					if !im.within(&im.left.uses, maxPositions, n.place, "positions") {
						return
					}
					im.report(Contradiction, n.place, "%s uses segment %s, which is not described; its elements are not checked", d.kind, n.name)
					s.segments[n.name] = im.anything(s, n.name)
				}
			})
		}
	}
}

// writeOutRepeats gives the repeats of a segment's last position places of
// their own. Directories count repeats since 2000, but a document in syntax 3,
// which has no repetition character, writes them as elements that follow each
// other; one in syntax 4 puts them into the first.
func (im *importer) writeOutRepeats(s *standard) {
	if s.standard != schema.EDIFACT {
		return
	}
	for _, tag := range sortedRefs(s.segments) {
		l := s.segments[tag]
		n := len(l.uses)
		if n == 0 || isInteractive(l) || l.uses[0].ref == anyComposite {
			continue // interactive segments are traded in syntax 4; what may hold anything has room
		}
		for _, x := range l.uses[:n-1] {
			if x.repeat > 1 {
				im.report(NotKept, x.place, "%s occurs %d times before other elements of %s: repeats are read with the repetition character of syntax 4, not as elements of their own", x.ref, x.repeat, tag)
			}
		}
		again := l.uses[n-1]
		more := min(again.repeat-1, maxPositions-n)
		if !im.within(&im.left.uses, more, l.place, "positions") {
			return
		}
		again.required, again.repeat = false, 1
		for range more {
			l.addUse(again)
		}
	}
}

// isInteractive tells a segment of the interactive directories.
func isInteractive(l *layout) bool {
	return strings.HasPrefix(strings.ToUpper(path.Base(l.place.file)), "ID")
}

// What may hold anything.
const (
	anyElement   = "99999"
	anyComposite = "X9999"
)

// anything describes a segment of which only the identifier is known.
func (im *importer) anything(s *standard, tag string) *layout {
	im.describeAnything(s)
	if s.anything == nil {
		s.anything = slices.Repeat([]use{{ref: anyComposite, repeat: 9999}}, maxPositions)
	}
	return &layout{ref: tag, name: "Not described", uses: s.anything} // written to by nobody
}

// describeAnything adds the composite and the element that hold anything.
func (im *importer) describeAnything(s *standard) {
	if s.composites[anyComposite] != nil {
		return
	}
	kind := schema.String
	if s.standard == schema.EDIFACT {
		kind = schema.AlphaNum
	}
	s.elements[anyElement] = &element{ref: anyElement, name: "Anything", kind: kind, min: 1, max: 65535}
	s.composites[anyComposite] = &layout{ref: anyComposite, name: "Anything", uses: slices.Repeat([]use{{ref: anyElement}}, maxPositions)}
}

// clip cuts a layout to what our format can name.
func (im *importer) clip(what string, l *layout) {
	if len(l.uses) > maxPositions {
		im.report(NotKept, l.place, "%s %s has %d positions; the first %d were kept", what, l.ref, len(l.uses), maxPositions)
		l.uses = l.uses[:maxPositions]
	}
	l.notes = slices.DeleteFunc(l.notes, func(note string) bool {
		digits := note[strings.IndexAny(note, "0123456789"):]
		if note[0] == 'D' {
			digits = note[3:]
		}
		for i := 0; i+1 < len(digits); i += 2 {
			if n, _ := strconv.Atoi(digits[i : i+2]); n < 1 || n > min(len(l.uses), maxNotePositions) {
				im.report(NotKept, l.place, "note %s of %s %s names position %d, there are %d", note, what, l.ref, n, len(l.uses))
				return true
			}
		}
		return false
	})
}

// printer writes statements.
type printer struct {
	bytes.Buffer
}

func (p *printer) line(depth int, words ...string) {
	for range depth {
		p.WriteString("  ")
	}
	first := true
	for _, w := range words {
		if w == "" {
			continue
		}
		if !first {
			p.WriteByte(' ')
		}
		first = false
		p.WriteString(w)
	}
	p.WriteByte('\n')
}

func (p *printer) comment(depth int, text string) {
	if text == "" {
		return
	}
	p.line(depth, "#", printable(text))
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// quote writes a name for people.
func quote(name string) string {
	name = strings.TrimSpace(collapse(printable(name)))
	if name == "" {
		return ""
	}
	if len(name) > 400 {
		name = strings.ToValidUTF8(name[:397], "") + "..."
	}
	return `"` + escaper.Replace(name) + `"`
}

// word writes a code, in quotes where it needs them.
func word(value string) string {
	if value == "" || strings.ContainsAny(value, " \t") || value[0] == '#' || value[0] == '"' {
		return `"` + escaper.Replace(value) + `"`
	}
	return value
}

// plainCode tells that a code can stand in a list of codes without quotes.
func plainCode(value string) bool {
	return value != "" && value != "open" && printable(value) == value && word(value) == value
}

// head begins a text.
func (s *standard) head(p *printer, kind, name, title string) {
	for _, l := range s.origin {
		p.comment(0, l)
	}
	p.line(0, kind, name, quote(title))
}

// dictionaryText writes elements, composites and segments, sorted.
func (s *standard) dictionaryText(name string) []byte {
	var p printer
	s.head(&p, "dictionary", name, s.title)
	p.line(0, "standard", s.standard)
	p.line(0, "version", s.version)
	p.WriteString("\n# --- elements and their codes ---\n\n")
	for _, ref := range sortedRefs(s.elements) {
		s.elements[ref].print(&p)
	}
	p.WriteString("\n# --- composites ---\n\n")
	for _, ref := range sortedRefs(s.composites) {
		s.composites[ref].print(&p, "composite")
	}
	p.WriteString("\n# --- segments ---\n\n")
	for _, tag := range sortedRefs(s.segments) {
		s.segments[tag].print(&p, "segment")
	}
	return p.Bytes()
}

func (e *element) print(p *printer) {
	kind := e.kind.String()
	if e.kind == schema.Implied {
		kind += strconv.Itoa(e.decimals)
	}
	open := ""
	if e.open && len(e.codes) > 0 {
		open = "open"
	}
	p.line(0, "element", e.ref, kind, length(e.min, e.max), quote(e.name), open)
	for _, c := range e.codes {
		var dates []string
		if c.From != 0 {
			dates = append(dates, "from", strconv.Itoa(c.From))
		}
		if c.Until != 0 {
			dates = append(dates, "until", strconv.Itoa(c.Until))
		}
		p.line(1, append([]string{word(c.Value), quote(c.Name)}, dates...)...)
	}
}

func length(shortest, longest int) string {
	if shortest == longest {
		return strconv.Itoa(longest)
	}
	return fmt.Sprintf("%d..%d", shortest, longest)
}

// print writes a layout; equal positions in a row take one line.
func (l *layout) print(p *printer, kind string) {
	p.line(0, kind, l.ref, quote(l.name))
	for i := 0; i < len(l.uses); {
		last := i
		for last+1 < len(l.uses) && l.uses[last+1].same(&l.uses[i]) {
			last++
		}
		at := strconv.Itoa(i + 1)
		if last > i {
			at = fmt.Sprintf("%d..%d", i+1, last+1)
		}
		p.line(1, append([]string{at}, l.uses[i].words()...)...)
		i = last + 1
	}
	if len(l.notes) > 0 {
		p.line(1, "notes", strings.Join(l.notes, " "))
	}
}

func (x *use) same(y *use) bool {
	return x.ref == y.ref && x.name == y.name && x.required == y.required && max(x.repeat, 1) == max(y.repeat, 1) &&
		x.min == y.min && x.max == y.max && x.open == y.open && x.format == y.format && x.comment == y.comment && slices.Equal(x.codes, y.codes)
}

func (x *use) words() []string {
	out := []string{x.ref, "C"}
	if x.required {
		out[1] = "M"
	}
	if x.repeat > 1 {
		out = append(out, "x"+strconv.Itoa(x.repeat))
	}
	if x.max > 0 {
		out = append(out, "length", length(x.min, x.max))
	}
	if len(x.codes) > 0 {
		out = append(out, "codes", strings.Join(x.codes, " "))
		if x.open {
			out = append(out, "open")
		}
	}
	if x.format > 0 {
		out = append(out, "format", strconv.Itoa(x.format))
	}
	if out = append(out, quote(x.name)); x.comment != "" {
		out = append(out, "# "+printable(x.comment))
	}
	return out
}
