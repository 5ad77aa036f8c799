package ack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"tradepost/edi"
	"tradepost/edi/validate"
	"tradepost/edi/x12"
)

// Kind is the kind of an acknowledgement.
type Kind string

// The kinds. Auto leaves the choice to KindFor.
const (
	Auto   Kind = "auto"
	TA1    Kind = "TA1"
	FA997  Kind = "997"
	FA999  Kind = "999"
	CONTRL Kind = "CONTRL"
)

// convention999 is the implementation guide a 999 names (ASC X12N).
const convention999 = "005010X231A1"

// ErrNotAcknowledged says that a group holds acknowledgements, which are not
// acknowledged themselves (X12.20), or that nothing was asked for.
var ErrNotAcknowledged = errors.New("not acknowledged")

// Envelope says what an acknowledgement is wrapped in. Control numbers, date
// and time are left to the caller.
type Envelope struct {
	ISA        x12.ISA
	GS         x12.GS
	Delimiters edi.Delimiters
}

// Functional is a 997 or 999 in the making: one for each group.
type Functional struct {
	Kind     Kind
	Envelope Envelope
	Status   Status // verdict on the group, final after Close

	o        Options
	group    *validate.Group
	room     io.ReadWriter // of rows
	rows     *rows
	noted    int  // segments of documents that were listed
	partly   bool // a document was accepted with errors noted
	accepted int
	received int
	closed   bool
}

// mostNoted bounds the segments that one acknowledgement lists as wrong; what
// is wrong with documents beyond is not told, only that they are.
const mostNoted = 100_000

// KindFor chooses between 997 and 999: a group of an implementation convention
// of release 005010 or later (GS08 of the form 005010X222A1) gets a 999, all
// others a 997.
func KindFor(version string) Kind {
	if len(version) > 7 && version[6] == 'X' && version[:6] >= "005010" {
		return FA999
	}
	return FA997
}

// NewFunctional begins the acknowledgement of a group. Add each of its
// documents, at the earliest as it ends, and Close it when the group has been
// validated to its end. The error wraps ErrNotAcknowledged for a group of
// acknowledgements, of a group that is still open it may turn out later that it
// is one; for documents that stand in no group or in one without a control
// number; and for an interchange that is not Answerable.
func NewFunctional(kind Kind, ic *validate.Interchange, gr *validate.Group, o Options) (*Functional, error) {
	if gr.NoAck || gr.Type == "FA" {
		return nil, fmt.Errorf("group %s holds acknowledgements: %w", gr.Control, ErrNotAcknowledged)
	}
	if ic.Standard != "X12" {
		return nil, fmt.Errorf("a %s answers X12 only, this is %s: %w", kind, ic.Standard, ErrNotAcknowledged)
	}
	switch {
	case gr.Type == "" && gr.Control == "":
		return nil, fmt.Errorf("documents that stand in no group have nothing a %s could name: %w", kind, ErrNotAcknowledged)
	case gr.Control == "":
		return nil, fmt.Errorf("the group at byte %d has no control number (GS06) that a %s could name: %w", gr.Extent.Offset, kind, ErrNotAcknowledged)
	}
	// What a 997 names is the group; ISA13 is the TA1's to repeat.
	if ic.From.ID == "" || ic.To.ID == "" {
		return nil, Answerable(ic)
	}
	if kind == Auto {
		kind = KindFor(gr.Version)
	}
	f := &Functional{Kind: kind, o: o, group: gr, Envelope: envelope(ic)}
	f.room = o.room()
	f.rows = newRows(f.room, f.Envelope.Delimiters)
	f.Envelope.GS = x12.GS{Type: "FA", Sender: f.clean(gr.Receiver), Receiver: f.clean(gr.Sender), Agency: "X", Version: f.clean(release(gr.Version))}
	ak1 := []edi.Field{f.copied(gr.Type, 2), f.copied(gr.Control, 9)}
	if kind == FA999 {
		f.Envelope.GS.Version = convention999
	}
	if kind == FA999 || release(gr.Version) >= "005010" && gr.Version != "" {
		ak1 = append(ak1, f.copied(gr.Version, 12))
	}
	f.rows.add("AK1", ak1...)
	return f, nil
}

// release cuts a version to its six digits; what is none becomes 004010.
func release(version string) string {
	if len(version) < 6 || !allDigits(version[:6]) {
		return "004010"
	}
	return version[:6]
}

// envelope gives the envelope back to the sender of an interchange.
func envelope(ic *validate.Interchange) Envelope {
	e := Envelope{ISA: x12.ISA{Version: ic.Version, Usage: "P"}, Delimiters: ic.Delimiters}
	if ic.Test {
		e.ISA.Usage = "T"
	}
	if v := e.ISA.Version; len(v) != 5 || !allDigits(v) || v < "00200" || v >= "00900" { // none there is (I11)
		e.ISA.Version = "00401"
	}
	if e.Delimiters.Component == 0 || e.Delimiters.SegmentTail != "" || e.Delimiters.Validate() != nil {
		e.Delimiters = edi.DefaultX12()
	}
	if e.ISA.Version >= "00402" && e.Delimiters.Repetition == 0 {
		e.Delimiters.Repetition = spare(e.Delimiters)
	}
	e.Delimiters = x12.InForce(e.Delimiters, e.ISA.Version)
	fit := func(p edi.Party) edi.Party {
		q := clean(p.Qualifier, e.Delimiters)
		if len(q) != 2 {
			q = "ZZ" // what is given back as it was would not be an ISA
		}
		return edi.Party{Qualifier: q, ID: cut(clean(p.ID, e.Delimiters), 15)}
	}
	e.ISA.Sender, e.ISA.Receiver = fit(ic.To), fit(ic.From)
	return e
}

func allDigits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

// spare finds a repetition separator that is not in use otherwise.
func spare(d edi.Delimiters) byte {
	for _, c := range []byte("^!|{`") {
		if c != d.Segment && c != d.Element && c != d.Component {
			return c
		}
	}
	return 0
}

// Add puts the verdict on one document into the acknowledgement.
func (f *Functional) Add(doc *validate.Document) {
	f.received++
	control := doc.Control
	if control == "" {
		control = "0000" // AK202 is mandatory; the code says that ST02 is missing
	}
	ak2 := []edi.Field{f.copied(doc.Type, 3), f.copied(control, 9)}
	if f.Kind == FA999 && doc.Convention != "" {
		ak2 = append(ak2, f.copied(doc.Convention, 35))
	}
	f.rows.add("AK2", ak2...)
	noted := f.notes(doc)
	var codes []string
	standardErrors, guideErrors, fatal := false, false, false
	for _, is := range noted {
		if code, ok := strings.CutPrefix(is.Ack, "AK502="); ok {
			fatal = fatal || is.Severity == validate.Error
			codes = appendNew(codes, f.known(is.Ack, code))
			continue
		}
		if f.Kind == FA999 && is.Code999 != "" {
			guideErrors = true
		} else {
			standardErrors = true
		}
	}
	if standardErrors || doc.Omitted > 0 && !doc.Accepted && !guideErrors {
		codes = appendNew(codes, "5")
	}
	if guideErrors {
		codes = appendNew(codes, "I5")
	}
	if f.noted < mostNoted {
		f.segments(doc, noted)
	}
	status := Accepted
	switch {
	case !doc.Accepted && (fatal || !f.o.AcceptErrors):
		status = Rejected
	case len(noted) > 0:
		status = AcceptedWithErrors
	}
	if status.accepted() {
		f.accepted++
	}
	f.partly = f.partly || len(codes) > 0
	f.rows.add(f.verdictTag(), verdict(status, codes)...)
}

func verdict(s Status, codes []string) []edi.Field {
	fields := []edi.Field{edi.Simple(string(s))}
	for i, c := range codes {
		if i == 5 {
			break
		}
		fields = append(fields, edi.Simple(c))
	}
	return fields
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// notes are the issues that go into the acknowledgement.
func (f *Functional) notes(doc *validate.Document) []*validate.Issue {
	var out []*validate.Issue
	for _, is := range doc.Issues {
		if is.Ack != "" && (is.Severity == validate.Error || f.o.NoteWarnings) {
			out = append(out, is)
		}
	}
	slices.SortStableFunc(out, func(a, b *validate.Issue) int { return a.Ordinal - b.Ordinal })
	return out
}

// segments writes AK3 and AK4, or IK3, CTX and IK4.
func (f *Functional) segments(doc *validate.Document, noted []*validate.Issue) {
	open, listed := "", 0 // segment whose elements are being listed, and how many are
	for _, is := range noted {
		if code, ok := strings.CutPrefix(is.Ack, "AK304="); ok {
			f.segment(doc, is, f.choose(is, code))
			open = ""
			continue
		}
		code, ok := strings.CutPrefix(is.Ack, "AK403=")
		if !ok {
			continue
		}
		if at := is.Segment + strconv.Itoa(is.Ordinal); at != open {
			f.segment(doc, is, "8")
			open, listed = at, 0
		}
		if listed++; listed <= mostElements {
			f.element(is, f.choose(is, code))
		}
	}
}

// Largest numbers of what stands in an acknowledgement.
const (
	mostElements = 99     // AK4 of one AK3, UCD of one UCS
	mostSegments = 999    // UCS of one UCM
	mostOrdinal  = 999999 // AK302, UCS 0096
)

// ordinal writes the place of a segment, or the largest there is room for.
func ordinal(n int) edi.Field { return edi.Simple(strconv.Itoa(min(n, mostOrdinal))) }

// choose takes the code of the partner's guide in a 999.
func (f *Functional) choose(is *validate.Issue, code string) string {
	if f.Kind == FA999 && is.Code999 != "" {
		return is.Code999
	}
	return f.known(is.Ack, code)
}

// known gives the code that a release has for what later ones have a code of
// its own for: before 005010 there is none for too many repetitions or
// components, and none for a document in a group of another kind.
func (f *Functional) known(ack, code string) string {
	if f.Kind == FA999 || release(f.group.Version) >= "005010" {
		return code
	}
	switch ack {
	case "AK403=12", "AK403=13":
		return "3"
	case "AK502=18":
		return "6"
	}
	return code
}

func (f *Functional) segment(doc *validate.Document, is *validate.Issue, code string) {
	tag, loop := "AK3", ""
	if f.Kind == FA999 {
		tag = "IK3"
		if len(is.Loop) <= 4 {
			loop = is.Loop
		}
	}
	name := is.Segment
	if len(name) < 2 || len(name) > 3 || f.clean(name) != name {
		name = "ZZZ" // AK301 has two or three characters; the real one cannot be said
	}
	f.noted++
	f.rows.add(tag, edi.Simple(name), ordinal(is.Ordinal), edi.Simple(f.clean(loop)), edi.Simple(code))
	if f.Kind == FA999 && len(doc.Keys) > 0 {
		key := doc.Keys[0]
		if value := f.clean(key.Value); value != "" && len(value) <= 35 {
			f.rows.add("CTX", edi.Composite(f.clean(key.Name), value))
		}
	}
}

func (f *Functional) element(is *validate.Issue, code string) {
	tag := "AK4"
	if f.Kind == FA999 {
		tag = "IK4"
	}
	place := func(n int) string { return strconv.Itoa(min(max(n, 1), 99)) } // two digits
	at := []string{place(is.Element)}
	if is.Component > 0 {
		at = append(at, place(is.Component))
	}
	if is.Repeat > 1 && release(f.group.Version) >= "005010" {
		for len(at) < 2 {
			at = append(at, "")
		}
		at = append(at, strconv.Itoa(min(is.Repeat, 9999)))
	}
	fields := []edi.Field{edi.Composite(at...), edi.Simple(is.Reference), edi.Simple(code)}
	if value := f.clean(is.Value); value == is.Value && value != "" {
		fields = append(fields, edi.Simple(cut(value, 99)))
	}
	f.noted++
	f.rows.add(tag, fields...)
	if f.Kind == FA999 && is.Trigger > 0 {
		f.rows.add("CTX", edi.Simple("SITUATIONAL TRIGGER"), edi.Simple(is.Segment), ordinal(is.Ordinal),
			edi.Simple(""), edi.Simple(place(is.Trigger)))
	}
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

// copied is a value of the inbound document as the acknowledgement can carry
// it: however wrong it was, the acknowledgement itself is valid.
func (f *Functional) copied(value string, longest int) edi.Field {
	return edi.Simple(cut(f.clean(value), longest))
}

// clean takes out of a value what the delimiters of the acknowledgement cannot
// carry.
func (f *Functional) clean(value string) string { return clean(value, f.Envelope.Delimiters) }

func clean(value string, d edi.Delimiters) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f || r == rune(d.Segment) || r == rune(d.Element) || r == rune(d.Component) || d.Repetition != 0 && r == rune(d.Repetition) {
			return -1
		}
		return r
	}, value)
}

// Close ends the acknowledgement with the verdict on the group.
func (f *Functional) Close() {
	if f.closed {
		return
	}
	f.closed = true
	var codes []string
	for _, is := range f.group.Issues {
		if code, ok := strings.CutPrefix(is.Ack, "AK905="); ok && is.Severity == validate.Error {
			codes = appendNew(codes, code)
		}
	}
	switch {
	case !f.group.Accepted || f.received > 0 && f.accepted == 0:
		f.Status = Rejected
	case f.accepted < f.received:
		f.Status = PartlyAccepted
	case f.partly:
		f.Status = AcceptedWithErrors
	default:
		f.Status = Accepted
	}
	if !f.group.Accepted {
		f.accepted = 0
	}
	declared := f.group.Declared
	if declared < 0 {
		declared = f.received
	}
	count := func(n int) edi.Field { return edi.Simple(strconv.Itoa(min(n, 999999))) }
	fields := []edi.Field{edi.Simple(string(f.Status)), count(declared), count(f.received), count(f.accepted)}
	f.rows.add("AK9", append(fields, verdict("", codes)[1:]...)...)
}

// Bytes gives the document, ST to SE, with the delimiters of the envelope.
// control is its ST02, four to nine characters. It can be had once.
func (f *Functional) Bytes(control string) ([]byte, error) {
	var b bytes.Buffer
	err := f.Write(&b, control)
	return b.Bytes(), err
}

// Write writes what Bytes gives.
func (f *Functional) Write(out io.Writer, control string) error {
	f.Close()
	if err := f.rows.flush(); err != nil {
		return err
	}
	w := edi.NewWriter(out, f.Envelope.Delimiters, edi.WriterOptions{Buffer: smallBuffer})
	st := x12.ST{Type: string(f.Kind), Control: control}
	if f.Kind == FA999 {
		st.Convention = convention999
	}
	if err := st.Write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	body := out
	if !f.group.Accepted { // a refused group takes its documents with it
		d := f.Envelope.Delimiters
		body = &refusing{w: out, mark: append([]byte(f.verdictTag()), d.Element), end: d.Segment}
	}
	if _, err := io.Copy(body, f.room); err != nil {
		return err
	}
	if err := (x12.Trailer{Count: f.rows.count + 2, Control: control}).WriteSE(w); err != nil {
		return err
	}
	return w.Flush()
}

// verdictTag is the segment with the verdict on a document.
func (f *Functional) verdictTag() string {
	if f.Kind == FA999 {
		return "IK5"
	}
	return "AK5"
}

// Answer makes the 997 or 999 of a group whose documents are in the report.
func Answer(kind Kind, ic *validate.Interchange, gr *validate.Group, o Options) (*Functional, error) {
	f, err := NewFunctional(kind, ic, gr, o)
	if err != nil {
		return nil, err
	}
	for _, doc := range gr.Documents {
		f.Add(doc)
	}
	f.Close()
	return f, nil
}
