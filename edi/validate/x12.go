package validate

import (
	"fmt"
	"slices"
	"strings"

	"tradepost/edi"
	"tradepost/edi/schema"
)

var (
	tagISA, tagIEA = schema.MakeTag("ISA"), schema.MakeTag("IEA")
	tagGS, tagGE   = schema.MakeTag("GS"), schema.MakeTag("GE")
	tagST, tagSE   = schema.MakeTag("ST"), schema.MakeTag("SE")
	tagTA1         = schema.MakeTag("TA1")
)

// x12Envelope handles ISA, GS, ST and their trailers.
func (v *validator) x12Envelope(seg *edi.Segment, tag schema.Tag) error {
	switch tag {
	case tagISA:
		if err := v.closeInterchange(false); err != nil {
			return err
		}
		return v.openISA(seg)
	case tagIEA:
		return v.closeIEA(seg)
	}
	if v.ic == nil {
		v.outside(seg)
		return nil
	}
	switch tag {
	case tagGS:
		if err := v.closeGroup(); err != nil {
			return err
		}
		return v.openGS(seg)
	case tagGE:
		return v.closeGE(seg)
	case tagST:
		if err := v.closeDocument(); err != nil {
			return err
		}
		return v.openST(seg)
	}
	return v.closeSE(seg)
}

// outside reports a segment that stands in no document.
func (v *validator) outside(seg *edi.Segment) {
	name := string(seg.Tag)
	switch {
	case v.ic == nil:
		v.waiveOrFail("outside", Issue{Level: LevelInput, Segment: name, Text: fmt.Sprintf("%s stands outside of any interchange. Segments before ISA or behind IEA belong to nobody; check how the input was put together.", name)})
	case v.ic.Standard == schema.X12 && v.gr == nil && (name == "ISB" || name == "ISE" || name == "TA3"):
		// Interchange-related services: allowed and not interpreted.
	case v.ic.Standard == schema.X12:
		v.astray("TA105=024", name, "%s stands in no document: GS and ST have to come before it. Add the missing ST, or take it out.")
	default:
		v.astray("0085=33", name, "%s stands in no message: UNH has to come before it. Add the missing UNH, or take it out.")
	}
}

// stray are segments in a row that stand in no document.
type stray struct {
	issue *Issue
	count int // of those behind the first
	last  int // ordinal in the input of the last
}

// astray reports a segment that stands in no document, once for all in a row.
func (v *validator) astray(ack, name, format string) {
	if s := &v.stray; s.issue != nil && s.last+1 == v.seg.Pos.Ordinal {
		s.count, s.last = s.count+1, s.last+1
		s.issue.Text = fmt.Sprintf(format, fmt.Sprintf("%s, with the %s behind it,", s.issue.Segment, plural(s.count, "segment")))
		return
	}
	is := &Issue{Severity: Error, Level: v.above(), Ack: ack, Segment: name, Text: fmt.Sprintf(format, name)}
	v.place(is)
	v.add(is)
	v.stray = stray{issue: is, last: v.seg.Pos.Ordinal}
}

// above is the level that what stands in no document belongs to.
func (v *validator) above() Level {
	if v.gr != nil && !v.bareGroup {
		return LevelGroup
	}
	return LevelInterchange
}

// fail adds an error at the segment being looked at.
func (v *validator) fail(is Issue) {
	is.Severity = Error
	v.place(&is)
	v.add(&is)
}

// place fills in where an issue is when that was not said.
func (v *validator) place(is *Issue) {
	if is.Offset == 0 && is.Line == 0 {
		is.Offset, is.Line = v.here()
	}
	if is.Ordinal == 0 && v.doc != nil && (is.Level == LevelDocument || is.Level == LevelSegment || is.Level == LevelElement) {
		is.Ordinal = v.ordinal
	}
}

// waiveOrFail adds a waiver at the segment being looked at.
func (v *validator) waiveOrFail(rule string, is Issue) {
	is.Rule = rule
	v.place(&is)
	sc, _ := v.scopeFor()
	v.waive(sc, is)
}

// envelopeElement describes an issue with one element of an envelope segment.
func (v *validator) envelopeElement(level Level, ack string, n int, format string, args ...any) Issue {
	e := v.seg.Element(n)
	is := Issue{Level: level, Ack: ack, Segment: string(v.seg.Tag), Element: n, Value: clip(e.Raw()), Text: fmt.Sprintf(format, args...), Line: v.seg.Pos.Line}
	if is.Offset = e.Offset(); e.Raw() == nil {
		is.Offset = v.seg.Pos.Offset + int64(len(v.seg.Content()))
	}
	if level == LevelDocument {
		is.Ordinal = v.ordinal
	}
	return is
}

func (v *validator) openISA(seg *edi.Segment) error {
	v.icScope = scope{}
	v.delims = seg.Delimiters()
	v.mark = '.'
	field := func(n int) string { return unpad(seg.Element(n).String()) }
	ic := &Interchange{
		Standard: schema.X12, Version: field(12), Control: field(13), Offset: seg.Pos.Offset, Accepted: true, Groups: []*Group{},
		From: edi.Party{Qualifier: field(5), ID: field(6)}, To: edi.Party{Qualifier: field(7), ID: field(8)},
		Date: field(9), Time: field(10), AckRequested: field(14) == "1", Test: field(15) == "T", Usage: field(15),
		Delimiters: v.delims,
		Extent:     Extent{Offset: seg.Pos.Offset, First: seg.Pos.Ordinal},
	}
	ic.Sender, ic.Receiver = ic.From.String(), ic.To.String()
	v.ic = ic
	v.groupNo, v.docNo = 0, 0
	v.grControls.reset()
	v.today = isaDay(ic.Date)
	if !v.o.Stream {
		v.report.Interchanges = append(v.report.Interchanges, ic)
	}
	v.report.seen++
	v.checkISA(seg)
	return v.duplicate(&v.icControls, Reference{Level: LevelInterchange, Standard: schema.X12, Sender: ic.From, Receiver: ic.To, Control: ic.Control},
		ic.Sender+" "+ic.Receiver+" ", "TA105=025", 13)
}

var isaQualifiers = []string{"AM", "NR", "SA", "SN", "SS", "ZZ"}

func knownQualifier(q string) bool {
	if len(q) == 2 && isDigits(q) {
		return q >= "01" && q <= "40"
	}
	return slices.Contains(isaQualifiers, q)
}

// checkISA looks at every element of the ISA; each has a TA1 code of its own.
func (v *validator) checkISA(seg *edi.Segment) {
	raw := func(n int) string { return seg.Element(n).String() }
	field := func(n int) string { return unpad(raw(n)) }
	bad := func(n int, ack, format string, args ...any) {
		is := v.envelopeElement(LevelInterchange, "TA105="+ack, n, format, args...)
		is.Severity = Error
		v.add(&is)
	}
	if q := field(1); len(q) != 2 || !isDigits(q) || q > "08" {
		bad(1, "010", "ISA01 %q is no qualifier of authorization information: 00 (none) to 08 is expected.", q)
	}
	if info := raw(2); !printable(info) {
		bad(2, "011", "ISA02, the authorization information, holds control characters.")
	}
	if q := field(3); q != "00" && q != "01" {
		bad(3, "012", "ISA03 %q is no qualifier of security information: 00 (none) or 01 (password) is expected.", q)
	}
	if info := raw(4); !printable(info) {
		bad(4, "013", "ISA04, the security information, holds control characters.")
	}
	if q := field(5); !knownQualifier(q) {
		bad(5, "005", "ISA05 %q is no qualifier of a sender: ZZ, 01 (D-U-N-S), 08, 12, 14 and so on are expected.", q)
	}
	if id := field(6); strings.TrimSpace(id) == "" || !printable(id) {
		bad(6, "006", "ISA06, the sender, is blank or holds control characters. It names who sent the interchange.")
	}
	if q := field(7); !knownQualifier(q) {
		bad(7, "007", "ISA07 %q is no qualifier of a receiver: ZZ, 01 (D-U-N-S), 08, 12, 14 and so on are expected.", q)
	}
	if id := field(8); strings.TrimSpace(id) == "" || !printable(id) {
		bad(8, "008", "ISA08, the receiver, is blank or holds control characters. It names whom the interchange is for.")
	}
	if date := raw(9); len(date) != 6 || !validDate([]byte(date)) {
		bad(9, "014", "ISA09 %q is no date: six digits YYMMDD are expected.", clip([]byte(date)))
	}
	if clock := raw(10); len(clock) != 4 || !validTime([]byte(clock)) {
		bad(10, "015", "ISA10 %q is no time: four digits HHMM are expected.", clip([]byte(clock)))
	}
	v.checkISA11(seg)
	if version := field(12); len(version) != 5 || !isDigits(version) || version < "00200" || version > "00999" {
		bad(12, "017", "ISA12 %q is no interchange version: five digits such as 00401 or 00501 are expected.", version)
	}
	if control := field(13); len(control) == 0 || len(control) > 9 || !isDigits(control) {
		bad(13, "018", "ISA13 %q is no control number: nine digits are expected.", control)
	} else if len(control) != 9 {
		is := v.envelopeElement(LevelInterchange, "TA105=018", 13, "ISA13 %q has %d digits, nine are expected; it is taken as it stands.", control, len(control))
		is.Rule = "short-control-number"
		v.waive(&v.icScope, is)
	}
	if a := field(14); a != "0" && a != "1" {
		bad(14, "019", "ISA14 %q: 1 asks for a TA1, 0 does not; nothing else is defined.", a)
	}
	if u := field(15); u != "P" && u != "T" && u != "I" {
		bad(15, "020", "ISA15 %q: P (production), T (test) or I (information) is expected.", u)
	}
}

// checkISA11 checks the standards identifier U of releases up to 00401, and
// the repetition separator that took its place in 00402.
func (v *validator) checkISA11(seg *edi.Segment) {
	value := string(seg.Element(11).Raw())
	if seg.Len() < 12 {
		return
	}
	if v.ic.Version < "00402" {
		if strings.TrimRight(value, " ") != "U" {
			is := v.envelopeElement(LevelInterchange, "TA105=016", 11, "ISA11 %q: version %s has the standards identifier U here (a repetition separator only from 00402 on). Nothing is split at it.", value, v.ic.Version)
			is.Rule = "isa11-standards-id"
			v.waive(&v.icScope, is)
		}
		return
	}
	if len(value) != 1 || isAlnum(value[0]) || value == " " {
		is := v.envelopeElement(LevelInterchange, "TA105=016", 11, "ISA11 %q cannot be the repetition separator that version %s has here. Repetitions are not split; the sender should send ^.", value, v.ic.Version)
		is.Rule = "isa11-repetition-separator"
		v.waive(&v.icScope, is)
	}
}

func (v *validator) closeIEA(seg *edi.Segment) error {
	if v.ic == nil {
		v.fail(Issue{Level: LevelInput, Ack: "TA105=022", Segment: "IEA", Text: "IEA ends an interchange that no ISA began. The ISA is missing, or this is the second IEA."})
		return nil
	}
	if err := v.closeGroup(); err != nil {
		return err
	}
	v.trailer(LevelInterchange, "IEA", "ISA13", v.ic.Control, "TA105=001", "TA105=021", "group", v.groupNo)
	if v.groupNo == 0 && v.docNo == 0 && v.ic.TA1 == 0 {
		is := v.envelopeElement(LevelInterchange, "TA105=022", 1, "The interchange holds neither a group nor a TA1.")
		is.Rule = "empty-interchange"
		v.waive(&v.icScope, is)
	}
	v.ic.Extent.end(seg, true)
	return v.endInterchange()
}

// trailer compares count and control number of IEA, GE or SE and returns the
// count declared, -1 when there is none.
func (v *validator) trailer(level Level, tag, header, control, controlAck, countAck, what string, have int) int {
	declared, ok := number(v.seg.Element(1).Raw())
	switch {
	case !ok:
		is := v.envelopeElement(level, countAck, 1, "%s01 %q is no number; it must say how many %s there are, and there are %d.", tag, clip(v.seg.Element(1).Raw()), what+"s", have)
		is.Severity = Error
		v.add(&is)
		declared = -1
	case declared != have:
		is := v.envelopeElement(level, countAck, 1, "%s01 says %s, there %s%s. %s", tag, plural(declared, what), areThere(have), counted(what, header, tag), tooFewOrMany(declared, have, what))
		is.Severity = Error
		v.add(&is)
	}
	got := unpad(v.seg.Element(2).String())
	switch {
	case got == control:
	case sameNumber(got, control):
		is := v.envelopeElement(level, controlAck, 2, "%s02 %q and %s %q differ in leading zeros; they are taken for the same number.", tag, got, header, control)
		is.Rule = "leading-zeros"
		sc, _ := v.scopeFor()
		v.waive(sc, is)
	default:
		is := v.envelopeElement(level, controlAck, 2, "%s02 %q does not repeat %s %q. Header and trailer do not belong together, or the sender filled in the wrong number.", tag, clip([]byte(got)), header, control)
		is.Severity = Error
		v.add(&is)
	}
	return declared
}

// tooFewOrMany says what a wrong count comes from.
func tooFewOrMany(declared, have int, what string) string {
	if declared > have {
		return fmt.Sprintf("Either %s did not arrive, or the sender counts wrongly.", plural(declared-have, what))
	}
	return "The sender counts wrongly, or put two parts of data together."
}

// counted reminds of what belongs to a count.
func counted(what, header, tag string) string {
	if what == "segment" {
		return fmt.Sprintf(", %s and %s included", strings.TrimRight(header, " 0123456789"), tag)
	}
	return ""
}

func areThere(n int) string {
	if n == 1 {
		return "is 1"
	}
	return fmt.Sprintf("are %d", n)
}

func (e *Extent) end(seg *edi.Segment, complete bool) {
	e.Length = seg.End() - e.Offset
	e.Last = seg.Pos.Ordinal
	e.LastLine = seg.Pos.Line
	e.Complete = complete
}

// cut ends an extent behind the segment before, when the trailer is missing.
func (v *validator) cut(e *Extent) {
	e.Length = v.end - e.Offset
	e.Last = v.last.Ordinal
	e.LastLine = v.last.Line
}

// closeInterchange ends the interchange that is open; its trailer is missing.
func (v *validator) closeInterchange(atEOF bool) error {
	if err := v.closeGroup(); err != nil {
		return err
	}
	if v.ic == nil {
		if atEOF {
			v.input.settle("input")
		}
		return nil
	}
	if v.ic.Standard == schema.EDIFACT {
		v.fail(Issue{Level: LevelInterchange, Ack: "0085=13", Segment: "UNZ", Text: "The trailer UNZ is missing. The interchange may be cut off; ask the sender to send it again."})
	} else {
		ack, why := "TA105=022", "the next ISA comes before it"
		if atEOF {
			ack, why = "TA105=023", "the input ends before it"
		}
		v.fail(Issue{Level: LevelInterchange, Ack: ack, Segment: "IEA", Text: fmt.Sprintf("The trailer IEA of interchange %s is missing: %s. The interchange may be cut off; ask the sender to send it again.", v.ic.Control, why)})
	}
	v.cut(&v.ic.Extent)
	if err := v.endInterchange(); err != nil {
		return err
	}
	if atEOF {
		v.input.settle("input")
	}
	return nil
}

func (v *validator) endInterchange() error {
	ic := v.ic
	ic.Received = v.groupNo
	v.headless = false
	v.icScope.settle("interchange")
	v.ic = nil
	v.kept -= v.dropped(len(ic.Issues))
	if v.o.OnInterchange != nil {
		return v.o.OnInterchange(ic)
	}
	return nil
}

// dropped is how many kept issues leave memory with what was streamed.
func (v *validator) dropped(n int) int {
	if v.o.Stream {
		return n
	}
	return 0
}

func (v *validator) openGS(seg *edi.Segment) error {
	v.grScope = scope{}
	field := func(n int) string { return unpad(seg.Element(n).String()) }
	gr := &Group{
		Type: field(1), Sender: field(2), Receiver: field(3), Date: field(4), Time: field(5), Control: field(6), Agency: field(7), Version: field(8),
		Accepted: true, Documents: []*Document{}, Declared: -1, NoAck: field(1) == "FA",
		Extent: Extent{Offset: seg.Pos.Offset, First: seg.Pos.Ordinal},
	}
	v.gr = gr
	v.groupNo++
	v.docControls.reset()
	if !v.o.Stream {
		v.ic.Groups = append(v.ic.Groups, gr)
	}
	v.checkGS(seg)
	return v.duplicate(&v.grControls, Reference{Level: LevelGroup, Standard: schema.X12, Sender: v.ic.From, Receiver: v.ic.To, Group: gr.Type, Control: gr.Control},
		"", "AK905=19", 6)
}

func (v *validator) checkGS(seg *edi.Segment) {
	bad := func(n int, ack, format string, args ...any) {
		is := v.envelopeElement(LevelGroup, ack, n, format, args...)
		is.Severity = Error
		v.add(&is)
	}
	g := v.gr
	if len(g.Type) != 2 || !isUpperAlnum(g.Type) {
		bad(1, "AK905=1", "GS01 %q does not say what kind of documents the group holds: two characters such as PO or IN are expected.", g.Type)
	}
	if g.Sender == "" {
		bad(2, "TA105=024", "GS02, the sender's code, is missing.")
	}
	if g.Receiver == "" {
		bad(3, "TA105=024", "GS03, the receiver's code, is missing.")
	}
	if n := len(g.Date); n != 6 && n != 8 || !validDate([]byte(g.Date)) {
		bad(4, "TA105=024", "GS04 %q is no date: CCYYMMDD is expected.", g.Date)
	}
	if n := len(g.Time); n < 4 || n > 8 || !validTime([]byte(g.Time)) {
		bad(5, "TA105=024", "GS05 %q is no time: HHMM, HHMMSS or HHMMSSDD is expected.", g.Time)
	}
	if n := len(g.Control); n == 0 || n > 9 || !isDigits(g.Control) {
		bad(6, "AK905=6", "GS06 %q is no control number: one to nine digits are expected.", g.Control)
	}
	if g.Agency != "X" && g.Agency != "T" {
		is := v.envelopeElement(LevelGroup, "TA105=024", 7, "GS07 %q: X (Accredited Standards Committee X12) or T (Transportation) is expected.", g.Agency)
		is.Rule = "group-agency"
		v.waive(&v.grScope, is)
	}
	if len(g.Version) < 6 || len(g.Version) > 12 || !isDigits(g.Version[:6]) {
		bad(8, "AK905=2", "GS08 %q is no version: six digits such as 004010, and an industry identifier if need be, are expected.", g.Version)
	}
}

func (v *validator) closeGE(seg *edi.Segment) error {
	if v.gr == nil || v.bareGroup {
		v.fail(Issue{Level: LevelInterchange, Ack: "TA105=022", Segment: "GE", Text: "GE ends a group that no GS began. The GS is missing, or this is the second GE."})
		return v.closeGroup()
	}
	if err := v.closeDocument(); err != nil {
		return err
	}
	v.gr.Declared = v.trailer(LevelGroup, "GE", "GS06", v.gr.Control, "AK905=4", "AK905=5", "document", v.gr.Received)
	if v.gr.Received == 0 {
		is := v.envelopeElement(LevelGroup, "AK905=5", 1, "The group holds no document.")
		is.Rule = "empty-group"
		v.waive(&v.grScope, is)
	}
	v.gr.Extent.end(seg, true)
	return v.endGroup()
}

// closeGroup ends the group that is open; its trailer is missing.
func (v *validator) closeGroup() error {
	if err := v.closeDocument(); err != nil {
		return err
	}
	if v.gr == nil {
		return nil
	}
	switch {
	case v.bareGroup:
	case v.ic.Standard == schema.EDIFACT:
		v.fail(Issue{Level: LevelGroup, Ack: "0085=13", Segment: "UNE", Text: fmt.Sprintf("The trailer UNE of group %s is missing.", v.gr.Control)})
	default:
		v.fail(Issue{Level: LevelGroup, Ack: "AK905=3", Segment: "GE", Text: fmt.Sprintf("The trailer GE of group %s is missing. Documents may be missing with it; ask the sender to send the group again.", v.gr.Control)})
	}
	v.cut(&v.gr.Extent)
	return v.endGroup()
}

func (v *validator) endGroup() error {
	gr := v.gr
	v.grScope.settle("group")
	v.gr, v.bareGroup = nil, false
	v.kept -= v.dropped(len(gr.Issues))
	if v.o.OnGroup != nil {
		return v.o.OnGroup(v.ic, gr)
	}
	return nil
}

// interchangeAck checks a TA1 that stands in an interchange.
func (v *validator) interchangeAck(seg *edi.Segment) {
	v.ic.TA1++
	if code := seg.Element(4).String(); code != "A" && code != "E" && code != "R" {
		is := v.envelopeElement(LevelInterchange, "TA105=024", 4, "TA104 %q: A (accepted), E (accepted with errors) or R (rejected) is expected.", clip([]byte(code)))
		is.Severity = Error
		v.add(&is)
	}
	if note := seg.Element(5).String(); len(note) != 3 || !isDigits(note) {
		is := v.envelopeElement(LevelInterchange, "TA105=024", 5, "TA105 %q is no note code: three digits, 000 when nothing is wrong, are expected.", clip([]byte(note)))
		is.Severity = Error
		v.add(&is)
	}
}
