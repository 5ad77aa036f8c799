package validate

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"tradepost/edi"
	"tradepost/edi/edifact"
	"tradepost/edi/schema"
)

var (
	tagUNA, tagUNB, tagUNZ = schema.MakeTag("UNA"), schema.MakeTag("UNB"), schema.MakeTag("UNZ")
	tagUNG, tagUNE         = schema.MakeTag("UNG"), schema.MakeTag("UNE")
	tagUNH, tagUNT         = schema.MakeTag("UNH"), schema.MakeTag("UNT")
	tagUNO, tagUNP         = schema.MakeTag("UNO"), schema.MakeTag("UNP")
	tagUIB, tagUIZ         = schema.MakeTag("UIB"), schema.MakeTag("UIZ")
	tagUIH, tagUIT         = schema.MakeTag("UIH"), schema.MakeTag("UIT")
)

// isEdifactService tells the service segments that make the envelope.
func isEdifactService(tag schema.Tag) bool {
	switch tag {
	case tagUNA, tagUNB, tagUNZ, tagUNG, tagUNE, tagUNH, tagUNT, tagUNO, tagUNP, tagUIB, tagUIZ, tagUIH, tagUIT:
		return true
	}
	return false
}

// edifactEnvelope handles UNB, UNG, UNH, UNO and their trailers (ISO 9735-1),
// and UIB and UIH of interactive EDIFACT (ISO 9735-3).
func (v *validator) edifactEnvelope(seg *edi.Segment, tag schema.Tag) error {
	switch tag {
	case tagUNA:
		return nil
	case tagUNB, tagUIB:
		if err := v.closeInterchange(false); err != nil {
			return err
		}
		return v.openUNB(seg)
	case tagUNZ, tagUIZ:
		return v.closeUNZ(seg)
	}
	if v.ic == nil {
		v.openMissingUNB(seg)
	}
	switch tag {
	case tagUNG:
		if err := v.closeGroup(); err != nil {
			return err
		}
		return v.openUNG(seg)
	case tagUNE:
		return v.closeUNE(seg)
	case tagUNH, tagUIH, tagUNO:
		if err := v.closeDocument(); err != nil {
			return err
		}
		return v.openUNH(seg, tag)
	}
	return v.closeUNT(seg, tag)
}

// part reads one component, blanks behind it left out.
func (v *validator) part(element, component int) string {
	return unpad(v.seg.Element(element).Component(component).String())
}

// badPart reports a fault of an element of a service segment.
func (v *validator) badPart(level Level, ack string, element, component int, format string, args ...any) {
	is := v.envelopeElement(level, "0085="+ack, element, format, args...)
	is.Severity, is.Component = Error, component
	if component > 0 {
		c := v.seg.Element(element).Component(component)
		if is.Value = clip(c.Raw()); c.Raw() != nil {
			is.Offset = c.Offset()
		}
	}
	v.add(&is)
}

func (v *validator) openUNB(seg *edi.Segment) error {
	v.icScope = scope{}
	v.delims = seg.Delimiters()
	v.mark = ','
	interactive := seg.Is("UIB")
	ic := &Interchange{
		Standard: schema.EDIFACT, Offset: seg.Pos.Offset, Accepted: true, Groups: []*Group{}, Delimiters: v.delims,
		Version: v.part(1, 1), Extent: Extent{Offset: seg.Pos.Offset, First: seg.Pos.Ordinal},
	}
	if syntax := v.part(1, 2); syntax != "" {
		ic.Version += ":" + syntax
	}
	v.ic, v.groupNo, v.docNo = ic, 0, 0
	v.charset, _ = edifact.CharsetOf(v.part(1, 1))
	v.grControls.reset()
	v.docControls.reset()
	v.today = 0
	if !v.o.Stream {
		v.report.Interchanges = append(v.report.Interchanges, ic)
	}
	v.report.seen++
	if interactive {
		return nil // its fields are those of a dialogue; only the frame is checked
	}
	ic.From = edi.Party{ID: v.part(2, 1), Qualifier: v.part(2, 2), Internal: v.part(2, 3)}
	ic.To = edi.Party{ID: v.part(3, 1), Qualifier: v.part(3, 2), Internal: v.part(3, 3)}
	ic.Sender, ic.Receiver = ic.From.String(), ic.To.String()
	ic.Date, ic.Time, ic.Control = v.part(4, 1), v.part(4, 2), v.part(5, 1)
	ic.AckRequested, ic.Test = v.part(9, 1) == "1", v.part(11, 1) != "" && v.part(11, 1) != "0"
	v.today = isaDay(ic.Date)
	if len(ic.Date) == 8 && validDate([]byte(ic.Date)) {
		v.today, _ = number([]byte(ic.Date))
	}
	v.checkUNB()
	return v.duplicate(&v.icControls, Reference{Level: LevelInterchange, Standard: schema.EDIFACT, Sender: ic.From, Receiver: ic.To, Control: ic.Control},
		ic.Sender+" "+ic.Receiver+" ", "0085=26", 5)
}

func (v *validator) checkUNB() {
	ic := v.ic
	id := v.part(1, 1)
	switch {
	case id == "":
		v.badPart(LevelInterchange, "13", 1, 1, "UNB S001 0001, the character set, is missing: UNOA, UNOB, UNOC and so on are expected.")
	case v.charset.ID() == "":
		is := v.envelopeElement(LevelInterchange, "0085=2", 1, "UNB S001 0001 %q is no character set of the standard; bytes are taken as they are. Both sides have to agree on it.", id)
		is.Rule, is.Component = "character-set-name", 1
		v.waive(&v.icScope, is)
	}
	if syntax := v.part(1, 2); syntax == "" {
		v.badPart(LevelInterchange, "13", 1, 2, "UNB S001 0002, the syntax version, is missing: 1 to 4 is expected.")
	} else if len(syntax) != 1 || syntax < "1" || syntax > "4" {
		v.badPart(LevelInterchange, "2", 1, 2, "UNB S001 0002 %q is no syntax version: 1 to 4 is expected.", syntax)
	}
	if ic.From.ID == "" {
		v.badPart(LevelInterchange, "13", 2, 1, "UNB S002 0004, the sender, is missing.")
	}
	if ic.To.ID == "" {
		v.badPart(LevelInterchange, "13", 3, 1, "UNB S003 0010, the receiver, is missing.")
	}
	for n, party := range []edi.Party{ic.From, ic.To} {
		if width := utf8.RuneCountInString(party.ID); width > 35 {
			v.badPart(LevelInterchange, "39", n+2, 1, "UNB S00%d, the identification %q, has %d characters, at most 35 are expected.", n+2, clip([]byte(party.ID)), width)
		}
		if width := len(party.Qualifier); width > 4 {
			v.badPart(LevelInterchange, "39", n+2, 2, "UNB S00%d 0007, the qualifier %q, has %d characters, at most 4 are expected.", n+2, clip([]byte(party.Qualifier)), width)
		}
	}
	switch n := len(ic.Date); {
	case n == 0:
		v.badPart(LevelInterchange, "13", 4, 1, "UNB S004 0017, the date, is missing.")
	case n != 6 && n != 8 || !validDate([]byte(ic.Date)):
		v.badPart(LevelInterchange, "12", 4, 1, "UNB S004 0017 %q is no date: YYMMDD, or CCYYMMDD in syntax 4, is expected.", clip([]byte(ic.Date)))
	}
	switch n := len(ic.Time); {
	case n == 0 && v.part(4, 1) != "":
		v.badPart(LevelInterchange, "13", 4, 2, "UNB S004 0019, the time, is missing.")
	case n > 0 && (n != 4 || !validTime([]byte(ic.Time))):
		v.badPart(LevelInterchange, "12", 4, 2, "UNB S004 0019 %q is no time: HHMM is expected.", clip([]byte(ic.Time)))
	}
	switch n := len(ic.Control); {
	case n == 0:
		v.badPart(LevelInterchange, "13", 5, 0, "UNB 0020, the control reference, is missing.")
	case n > 14:
		v.badPart(LevelInterchange, "39", 5, 0, "UNB 0020 %q has %d characters, at most 14 are expected.", clip([]byte(ic.Control)), n)
	}
}

// openMissingUNB begins an interchange whose header is missing.
func (v *validator) openMissingUNB(seg *edi.Segment) {
	v.icScope = scope{}
	v.delims = seg.Delimiters()
	v.mark = ','
	v.charset = edifact.Charset{}
	v.ic = &Interchange{Standard: schema.EDIFACT, Offset: seg.Pos.Offset, Accepted: true, Groups: []*Group{}, Delimiters: v.delims, Extent: Extent{Offset: seg.Pos.Offset, First: seg.Pos.Ordinal}}
	v.groupNo, v.docNo, v.headless = 0, 0, true
	v.docControls.reset()
	v.grControls.reset()
	if !v.o.Stream {
		v.report.Interchanges = append(v.report.Interchanges, v.ic)
	}
	v.report.seen++
	v.fail(Issue{Level: LevelInterchange, Ack: "0085=13", Segment: "UNB", Text: "The interchange header UNB is missing. Check whether the beginning of the input was cut off."})
}

func (v *validator) closeUNZ(seg *edi.Segment) error {
	if v.ic == nil {
		v.fail(Issue{Level: LevelInput, Ack: "0085=33", Segment: string(seg.Tag), Text: fmt.Sprintf("%s ends an interchange that no UNB began. The UNB is missing, or this is the second %s.", seg.Tag, seg.Tag)})
		return nil
	}
	if err := v.closeGroup(); err != nil {
		return err
	}
	if seg.Is("UNZ") {
		what, have := "message", v.docNo
		if v.groupNo > 0 {
			what, have = "group", v.groupNo
		}
		if !v.headless {
			v.trailer(LevelInterchange, "UNZ", "UNB 0020", v.ic.Control, "0085=28", "0085=29", what, have)
		}
		if have == 0 {
			is := v.envelopeElement(LevelInterchange, "0085=32", 1, "The interchange holds no group, message or package.")
			is.Rule = "empty-interchange"
			v.waive(&v.icScope, is)
		}
	}
	v.ic.Extent.end(seg, true)
	return v.endInterchange()
}

func (v *validator) openUNG(seg *edi.Segment) error {
	v.grScope = scope{}
	gr := &Group{
		Type: v.part(1, 1), Sender: v.part(2, 1), Receiver: v.part(3, 1), Date: v.part(4, 1), Time: v.part(4, 2), Control: v.part(5, 1), Agency: v.part(6, 1),
		Version: version(v.part(7, 1), v.part(7, 2)), Accepted: true, Documents: []*Document{}, Declared: -1, NoAck: v.part(1, 1) == "CONTRL",
		Extent: Extent{Offset: seg.Pos.Offset, First: seg.Pos.Ordinal},
	}
	mixed := v.docNo > 0 && v.groupNo == 0
	v.gr = gr
	v.groupNo++
	v.docControls.reset()
	if !v.o.Stream {
		v.ic.Groups = append(v.ic.Groups, gr)
	}
	if mixed {
		v.fail(Issue{Level: LevelGroup, Ack: "0085=30", Segment: "UNG", Text: "A group follows messages that stand in none: an interchange holds either groups or messages."})
	}
	v.checkUNG()
	return v.duplicate(&v.grControls, Reference{Level: LevelGroup, Standard: schema.EDIFACT, Sender: v.ic.From, Receiver: v.ic.To, Group: gr.Type, Control: gr.Control},
		"", "0085=26", 5)
}

// checkUNG checks the group header; syntax 4 needs date, time and reference
// only.
func (v *validator) checkUNG() {
	g := v.gr
	switch n := len(g.Control); {
	case n == 0:
		v.badPart(LevelGroup, "13", 5, 0, "UNG 0048, the group's reference, is missing.")
	case n > 14:
		v.badPart(LevelGroup, "39", 5, 0, "UNG 0048 %q has %d characters, at most 14 are expected.", clip([]byte(g.Control)), n)
	}
	if n := len(g.Date); n > 0 && (n != 6 && n != 8 || !validDate([]byte(g.Date))) {
		v.badPart(LevelGroup, "12", 4, 1, "UNG S004 0017 %q is no date: YYMMDD, or CCYYMMDD in syntax 4, is expected.", clip([]byte(g.Date)))
	}
	if g.Time != "" && (len(g.Time) != 4 || !validTime([]byte(g.Time))) {
		v.badPart(LevelGroup, "12", 4, 2, "UNG S004 0019 %q is no time: HHMM is expected.", clip([]byte(g.Time)))
	}
	missing := func(element int, what string) {
		is := v.envelopeElement(LevelGroup, "0085=13", element, "UNG %s is missing.", what)
		is.Rule = "group-header"
		v.waive(&v.grScope, is)
	}
	if g.Date == "" {
		missing(4, "S004, date and time,")
	}
	if v.syntax4() {
		return
	}
	for _, field := range []struct {
		value   string
		element int
		what    string
	}{{g.Type, 1, "0038, the type of its messages,"}, {g.Sender, 2, "S006, the sender,"}, {g.Receiver, 3, "S007, the receiver,"}, {g.Agency, 6, "0051, the controlling agency,"}} {
		if field.value == "" {
			missing(field.element, field.what)
		}
	}
}

func (v *validator) syntax4() bool { return strings.HasSuffix(v.ic.Version, ":4") }

func version(number, release string) string {
	if number == "" && release == "" {
		return ""
	}
	return number + ":" + release
}

func (v *validator) closeUNE(seg *edi.Segment) error {
	if v.gr == nil || v.bareGroup {
		v.fail(Issue{Level: LevelInterchange, Ack: "0085=33", Segment: "UNE", Text: "UNE ends a group that no UNG began. The UNG is missing, or this is the second UNE."})
		return nil
	}
	if err := v.closeDocument(); err != nil {
		return err
	}
	v.gr.Declared = v.trailer(LevelGroup, "UNE", "UNG 0048", v.gr.Control, "0085=28", "0085=29", "message", v.gr.Received)
	v.gr.Extent.end(seg, true)
	return v.endGroup()
}

func (v *validator) openUNH(seg *edi.Segment, tag schema.Tag) error {
	mixed := v.gr == nil && v.groupNo > 0
	if v.gr == nil {
		v.openBareGroup(seg.Pos)
	}
	doc := &Document{Control: v.part(1, 1), Accepted: true, Extent: Extent{Offset: seg.Pos.Offset, First: seg.Pos.Ordinal}}
	switch tag {
	case tagUNO:
		doc.Type = "UNO"
	case tagUIH:
		doc.Type, doc.Version, doc.Control = v.part(1, 1), version(v.part(1, 2), v.part(1, 3)), v.part(2, 1)
	default:
		doc.Type, doc.Version = v.part(2, 1), version(v.part(2, 2), v.part(2, 3))
		doc.Agency, doc.Convention = v.part(2, 4), v.part(2, 5)
		v.gr.NoAck = v.gr.NoAck || doc.Type == "CONTRL"
	}
	v.begin(doc)
	if mixed {
		v.fail(Issue{Level: LevelDocument, Ack: "0085=30", Segment: string(seg.Tag), Text: "A message stands outside of the groups: an interchange holds either groups or messages."})
	}
	if tag != tagUNH {
		v.walk.reset(nil)
		return nil
	}
	v.checkUNH()
	guide := v.guide(Choice{Standard: schema.EDIFACT, Version: doc.Version, Type: doc.Type, Convention: doc.Convention})
	v.start(guide, seg, tag)
	v.association(guide)
	return v.duplicate(&v.docControls, v.documentReference(doc), "", "0085=26", 1)
}

func (v *validator) checkUNH() {
	doc := v.doc
	switch n := len(doc.Control); {
	case n == 0:
		v.badPart(LevelDocument, "13", 1, 0, "UNH 0062, the message reference, is missing.")
	case n > 14:
		v.badPart(LevelDocument, "39", 1, 0, "UNH 0062 %q has %d characters, at most 14 are expected.", clip([]byte(doc.Control)), n)
	}
	switch {
	case doc.Type == "":
		v.badPart(LevelDocument, "13", 2, 1, "UNH S009 0065, the message type, is missing: ORDERS, INVOIC and so on are expected.")
	case len(doc.Type) > 6:
		v.badPart(LevelDocument, "39", 2, 1, "UNH S009 0065 %q has %d characters, at most 6 are expected.", clip([]byte(doc.Type)), len(doc.Type))
	}
	if doc.Type != "" {
		for i, what := range []string{"version (D)", "release (96A)", "controlling agency (UN)"} {
			if v.part(2, i+2) == "" {
				is := v.envelopeElement(LevelDocument, "0085=13", 2, "UNH S009 does not name the %s of %s.", what, doc.Type)
				is.Rule, is.Component = "message-version", i+2
				v.waive(&v.docScope, is)
			}
		}
	}
	if v.gr.Type != "" && doc.Type != v.gr.Type {
		is := v.envelopeElement(LevelDocument, "0085=31", 2, "A message %s stands in a group of %s.", doc.Type, v.gr.Type)
		is.Rule, is.Component = "group-type", 1
		v.waive(&v.docScope, is)
	}
}

// association looks at the subset a message says it is of.
func (v *validator) association(guide *schema.Guide) {
	given := v.doc.Convention
	if guide == nil || slices.Contains(guide.Conventions, given) || given == "" && len(guide.Conventions) == 0 {
		return
	}
	is := v.envelopeElement(LevelDocument, "0085=14", 2, "UNH S009 0057 %q names a subset; guide %s is of the standard itself, so what the subset asks for beyond it was not checked. Import the subset, or name a guide with convention %s.", given, guide.Name, given)
	if wanted := strings.Join(guide.Conventions, " or "); wanted != "" {
		is.Text = fmt.Sprintf("UNH S009 0057 is %q, guide %s is for %s.", given, guide.Name, wanted)
	}
	is.Rule, is.Component, is.Ordinal = "convention", 5, 1
	if c := v.seg.Element(2).Component(5); c.Raw() != nil {
		is.Offset, is.Value = c.Offset(), clip(c.Raw())
	}
	v.waive(&v.docScope, is)
}

func (v *validator) closeUNT(seg *edi.Segment, tag schema.Tag) error {
	if v.doc == nil {
		v.fail(Issue{Level: v.above(), Ack: "0085=33", Segment: string(seg.Tag), Text: fmt.Sprintf("%s ends a message that no header began. The header is missing, or this is the second %s.", seg.Tag, seg.Tag)})
		return nil
	}
	v.ordinal++
	if tag == tagUNP {
		if v.doc.Type == "UNO" && v.part(2, 1) != v.doc.Control {
			v.badPart(LevelDocument, "28", 2, 0, "UNP 0800 %q does not repeat UNO 0800 %q.", v.part(2, 1), v.doc.Control)
		}
	} else {
		v.walk.step(v, seg, tag)
		header, control := "UNH 0062", v.doc.Control
		if tag == tagUIT {
			header = "UIH 0340"
		}
		v.messageTrailer(string(seg.Tag), header, control, tag == tagUIT)
	}
	v.doc.Extent.end(seg, true)
	return v.endDocument()
}

// messageTrailer checks UNT, whose count comes first, and UIT, whose reference
// does.
func (v *validator) messageTrailer(tag, header, control string, interactive bool) {
	if !interactive {
		v.trailer(LevelDocument, tag, header, control, "0085=28", "0085=29", "segment", v.ordinal)
		return
	}
	if got := v.part(1, 1); got != "" && got != control {
		v.badPart(LevelDocument, "28", 1, 1, "%s %q does not repeat %s %q.", tag, got, header, control)
	}
	if n, ok := number(v.seg.Element(2).Raw()); ok && n != v.ordinal {
		v.badPart(LevelDocument, "29", 2, 0, "%s says %d segments, there are %d.", tag, n, v.ordinal)
	}
}

// checkCharacters compares a segment with the character set UNB names.
func (v *validator) checkCharacters(seg *edi.Segment) {
	b := seg.Content()
	if v.o.StructureOnly || v.ascii && (v.charset.ID() != "UNOA" || !hasLower(b)) {
		return
	}
	class := classes(b)
	suspicious := classHigh
	if v.charset.ID() == "UNOA" {
		suspicious |= classLower
	}
	if class&(suspicious|classControl) == 0 {
		return
	}
	if id := v.charset.ID(); len(id) == 4 && id[3] > 'L' { // sets of several bytes a character are read as a whole
		if i := v.charset.Check(b); i >= 0 && byteClass[b[i]]&classControl == 0 && !v.again("character-set") {
			v.badCharacter(seg, i, true)
		}
		suspicious = 0
	}
	d, told := &v.delims, false // one control character a value tells enough
	for i, c := range b {
		switch {
		case c == d.Element || c == d.Component || d.Repetition != 0 && c == d.Repetition:
			told = false
		case told || c == d.Release || c == d.Segment || c == '\r' || c == '\n':
		case byteClass[c]&classControl != 0:
			v.badCharacter(seg, i, false)
			told = true
		case byteClass[c]&suspicious != 0 && v.charset.ID() != "" && v.charset.Check(b[i:i+1]) == 0 && !v.again("character-set"):
			v.badCharacter(seg, i, true)
			suspicious = 0 // one a segment tells enough
		}
	}
}

// badCharacter reports the byte at an index of a segment. Characters outside
// the declared set are a waiver, since UNOA with small letters is everywhere.
func (v *validator) badCharacter(seg *edi.Segment, i int, waiver bool) {
	is := Issue{Severity: Error, Level: LevelElement, Ack: "0085=21", Segment: string(seg.Tag), Ordinal: v.ordinal, Offset: seg.Pos.Offset + int64(i), Line: seg.Pos.Line}
	where := v.locate(seg, &is)
	if v.charset.Escapes(seg.Raw[i]) {
		is.Text = fmt.Sprintf("%s switches its character set (byte 0x%02x, ISO 2022) as %s allows; what follows cannot be read. Have it sent under UNOW or UNOY, which are UTF-8.", where, seg.Raw[i], v.charset)
		v.add(&is)
		return
	}
	if !waiver {
		is.Text = fmt.Sprintf("%s holds a control character (0x%02x); only printable characters are allowed.", where, seg.Raw[i])
		v.add(&is)
		return
	}
	is.Rule = "character-set"
	is.Text = fmt.Sprintf("%s holds a character (0x%02x) outside %s, the set UNB declares.", where, seg.Raw[i], v.charset)
	v.waive(&v.docScope, is)
}

// locate finds the element and component at the offset of an issue, and names
// them.
func (v *validator) locate(seg *edi.Segment, is *Issue) string {
	at := func(raw []byte, offset int64) bool { return offset <= is.Offset && is.Offset < offset+int64(len(raw)) }
	for n := 1; n <= seg.Len(); n++ {
		e := seg.Element(n)
		if !at(e.Raw(), e.Offset()) {
			continue
		}
		is.Element, is.Value = n, clip(e.Raw())
		for k := range e.Repeats() {
			part := e
			if e.Repeats() > 1 {
				part, is.Repeat = e.Repeat(k+1), k+1
			}
			if !at(part.Raw(), part.Offset()) {
				continue
			}
			composite := part.Components() > 1
			if node := v.walk.node; node != nil && n <= len(node.Segment.Uses) {
				composite = node.Segment.Uses[n-1].Composite != nil
				is.Reference = reference(node.Segment.Uses[n-1].Ref)
			}
			for c := 1; composite && c <= part.Components(); c++ {
				if value := part.Component(c); at(value.Raw(), value.Offset()) {
					is.Component, is.Value = c, clip(value.Raw())
					return fmt.Sprintf("%s%02d component %d", seg.Tag, n, c)
				}
			}
			break
		}
		return fmt.Sprintf("%s%02d", seg.Tag, n)
	}
	return string(seg.Tag)
}
