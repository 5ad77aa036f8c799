package ack

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"tradepost/edi"
)

// Acknowledgement is one TA1, 997, 999 or CONTRL that came back. What the partner left
// out is empty or zero.
type Acknowledgement struct {
	Kind Kind

	// The interchange and document it came in.
	From        edi.Party // its sender: who acknowledges
	To          edi.Party // its receiver: whose interchange is acknowledged
	Interchange string    // ISA13 of the interchange it came in
	Control     string    // ST02; empty for a TA1
	Offset      int64     // byte offset in the input of its TA1 or ST
	GroupFrom   string    // GS02
	GroupTo     string    // GS03

	// What it is about: of a 997 or 999 the group, of a TA1 or CONTRL the
	// interchange.
	GroupType    string // AK101
	GroupControl string // AK102
	GroupVersion string // AK103
	About        string // TA101 or UCI 0020, control number of the interchange acknowledged
	Date, Time   string // TA102 and TA103

	Status Status
	Codes  []string // TA105=nnn, AK905=n or 0085=nn
	// GroupRejected are the references of groups a CONTRL refuses as a whole.
	GroupRejected []string
	groups        int // groups a CONTRL speaks of
	// ReceiptOnly tells that a CONTRL says of the interchange that it was
	// received (0083 is 8), and nothing yet of what is inside.
	ReceiptOnly bool
	Included    int // AK902, -1 when it is not told
	Received    int // AK903, -1 when it is not told
	Taken       int // AK904, documents accepted, -1 when it is not told
	Documents   []Document
}

// Document is the verdict on one document.
type Document struct {
	Type       string // AK201 or UCM 0065
	Control    string // AK202 or UCM 0062
	Convention string // AK203 or UCM 0057
	Status     Status
	Codes      []string // AK502=n or 0085=nn
	Issues     []Issue
}

// Issue is one fault the partner found.
type Issue struct {
	Segment   string // AK301
	Ordinal   int    // AK302, ST is 1
	Loop      string // AK303
	Element   int    // AK401-1
	Component int    // AK401-2
	Repeat    int    // AK401-3
	Reference string // AK402, number of the element in the dictionary
	Code      string // AK304=n or AK403=n, with the I codes of a 999 as they stand; 0085=nn
	Value     string // AK404
	Context   string // CTX segments of a 999, one a line
	Text      string // the code in words
}

// Bounds of what one input may make the reader remember.
const (
	maxDocuments = 1 << 20
	maxIssues    = 1 << 20
)

// ErrTooLarge says that an input holds more verdicts than a reader remembers.
var ErrTooLarge = errors.New("more acknowledgements than one input may hold")

// Read returns the acknowledgements in an input, in its order; other documents
// are passed over. What was read is returned with the error, which is that of
// the input or ErrTooLarge.
func Read(r io.Reader) ([]Acknowledgement, error) {
	in := &reading{}
	src := edi.NewReader(r, edi.Options{})
	for {
		seg, err := src.Next()
		if errors.Is(err, io.EOF) {
			in.end()
			return in.out, nil
		}
		if err != nil {
			var bad *edi.SyntaxError
			if errors.As(err, &bad) && bad.Recoverable {
				continue
			}
			in.end()
			return in.out, fmt.Errorf("reading acknowledgements: %w", err)
		}
		in.segment(seg)
		if in.documents > maxDocuments || in.issues > maxIssues || len(in.out) > maxDocuments {
			in.end()
			return in.out, fmt.Errorf("reading acknowledgements at byte %d: %w", seg.Pos.Offset, ErrTooLarge)
		}
	}
}

// reading is the state of Read.
type reading struct {
	out       []Acknowledgement
	base      Acknowledgement // what the envelope says
	cur       *Acknowledgement
	doc       *Document
	issue     *Issue // segment whose elements follow
	context   *Issue // where a CTX belongs
	documents int
	issues    int
}

func text(seg *edi.Segment, n int) string {
	return strings.TrimRight(seg.Element(n).String(), " ")
}

func count(seg *edi.Segment, n int) int {
	i, err := strconv.Atoi(text(seg, n))
	if err != nil || i < 0 {
		return -1
	}
	return i
}

func (in *reading) segment(seg *edi.Segment) {
	switch string(seg.Tag) {
	case "ISA":
		in.end()
		in.base = Acknowledgement{
			From:        edi.Party{Qualifier: text(seg, 5), ID: text(seg, 6)},
			To:          edi.Party{Qualifier: text(seg, 7), ID: text(seg, 8)},
			Interchange: text(seg, 13),
		}
	case "GS":
		in.end()
		in.base.GroupFrom, in.base.GroupTo = text(seg, 2), text(seg, 3)
	case "TA1":
		in.end()
		in.ta1(seg)
	case "ST":
		in.end()
		if kind := Kind(text(seg, 1)); kind == FA997 || kind == FA999 {
			a := in.base
			a.Kind, a.Control, a.Offset = kind, text(seg, 2), seg.Pos.Offset
			a.Included, a.Received, a.Taken = -1, -1, -1
			in.cur = &a
		}
	case "UNB":
		in.end()
		in.base = Acknowledgement{
			From:        edi.Party{ID: component(seg, 2, 1), Qualifier: component(seg, 2, 2), Internal: component(seg, 2, 3)},
			To:          edi.Party{ID: component(seg, 3, 1), Qualifier: component(seg, 3, 2), Internal: component(seg, 3, 3)},
			Interchange: text(seg, 5),
		}
	case "UNH":
		in.end()
		if component(seg, 2, 1) == "CONTRL" {
			a := in.base
			a.Kind, a.Control, a.Offset = CONTRL, text(seg, 1), seg.Pos.Offset
			a.Included, a.Received, a.Taken = -1, -1, -1
			in.cur = &a
		}
	case "SE", "GE", "IEA", "UNT", "UNE", "UNZ":
		in.end()
	default:
		if in.cur != nil {
			in.inside(seg)
		}
	}
}

func (in *reading) ta1(seg *edi.Segment) {
	a := in.base
	a.Kind, a.Offset = TA1, seg.Pos.Offset
	a.About, a.Date, a.Time = text(seg, 1), text(seg, 2), text(seg, 3)
	a.Status = status(text(seg, 4))
	a.Included, a.Received, a.Taken = -1, -1, -1
	if note := text(seg, 5); note != "" && note != "000" {
		a.Codes = []string{"TA105=" + note}
	}
	in.out = append(in.out, a)
}

// inside reads one segment of a 997, 999 or CONTRL.
func (in *reading) inside(seg *edi.Segment) {
	a := in.cur
	if a.Kind == CONTRL {
		in.contrl(seg)
		return
	}
	switch string(seg.Tag) {
	case "AK1":
		a.GroupType, a.GroupControl, a.GroupVersion = text(seg, 1), text(seg, 2), text(seg, 3)
	case "AK2":
		in.document(Document{Type: text(seg, 1), Control: text(seg, 2), Convention: text(seg, 3)})
	case "AK3", "IK3":
		in.need()
		code := ""
		if c := text(seg, 4); c != "" {
			code = "AK304=" + c
		}
		ordinal := max(count(seg, 2), 0)
		is := Issue{Segment: text(seg, 1), Ordinal: ordinal, Loop: text(seg, 3), Code: code, Text: Words(code)}
		in.issue, in.context = &is, nil
		if code != "" && code != "AK304=8" {
			in.add(is)
		}
	case "AK4", "IK4":
		in.need()
		if in.issue == nil {
			in.issue = &Issue{}
		}
		is := Issue{Segment: in.issue.Segment, Ordinal: in.issue.Ordinal, Loop: in.issue.Loop, Context: in.issue.Context}
		at := seg.Element(1)
		is.Element, is.Component, is.Repeat = part(at, 1), part(at, 2), part(at, 3)
		is.Reference, is.Value = text(seg, 2), text(seg, 4)
		if c := text(seg, 3); c != "" {
			is.Code = "AK403=" + c
		}
		is.Text = Words(is.Code)
		in.add(is)
	case "CTX":
		in.ctx(seg)
	case "AK5", "IK5":
		in.need()
		in.doc.Status, in.doc.Codes = status(text(seg, 1)), codes(seg, 2, "AK502=")
		in.flush()
	case "AK9":
		in.flush()
		a.Status, a.Codes = status(text(seg, 1)), codes(seg, 5, "AK905=")
		a.Included, a.Received, a.Taken = count(seg, 2), count(seg, 3), count(seg, 4)
	}
}

func part(e edi.Element, n int) int {
	i, err := strconv.Atoi(strings.TrimSpace(e.Component(n).String()))
	if err != nil || i < 0 {
		return 0
	}
	return i
}

func codes(seg *edi.Segment, from int, prefix string) []string {
	var out []string
	for i := from; i <= seg.Len() && i < from+5; i++ {
		if c := text(seg, i); c != "" {
			out = append(out, prefix+c)
		}
	}
	return out
}

// ctx keeps what a CTX says with the fault it follows.
func (in *reading) ctx(seg *edi.Segment) {
	if in.issue == nil || len(in.issue.Context) > 4096 {
		return
	}
	line := string(seg.Element(1).Raw())
	for i := 2; i <= seg.Len(); i++ {
		if e := seg.Element(i); !e.Empty() {
			line += " " + string(e.Raw())
		}
	}
	target := in.issue
	if in.context != nil {
		target = in.context
	}
	if target.Context != "" {
		target.Context += "\n"
	}
	target.Context += line
	if in.context == nil && in.doc != nil && len(in.doc.Issues) > 0 {
		if last := &in.doc.Issues[len(in.doc.Issues)-1]; last.Element == 0 && last.Segment == in.issue.Segment && last.Ordinal == in.issue.Ordinal {
			last.Context = in.issue.Context
		}
	}
}

func (in *reading) add(is Issue) {
	in.issues++
	in.doc.Issues = append(in.doc.Issues, is)
	in.context = nil
	if is.Element > 0 {
		in.context = &in.doc.Issues[len(in.doc.Issues)-1]
	}
}

// need makes a document for details that come without their AK2.
func (in *reading) need() {
	if in.doc == nil {
		in.document(Document{})
	}
}

func (in *reading) document(d Document) {
	in.flush()
	in.documents++
	in.doc = &d
}

func (in *reading) flush() {
	if in.doc != nil {
		in.cur.Documents = append(in.cur.Documents, *in.doc)
	}
	in.doc, in.issue, in.context = nil, nil, nil
}

// end closes the acknowledgement that is open. Without AK9, and in a CONTRL
// that does not refuse the interchange, the verdict follows from those on the
// documents.
func (in *reading) end() {
	if in.cur == nil {
		return
	}
	in.flush()
	a := in.cur
	in.cur = nil
	if a.Kind == CONTRL && a.Status == Accepted && len(a.GroupRejected) > 0 {
		in.groupsRejected(a)
	}
	if (a.Status == Unknown || a.Kind == CONTRL && a.Status == Accepted) && len(a.Documents) > 0 {
		good := 0
		for _, d := range a.Documents {
			if d.Status.accepted() {
				good++
			}
		}
		switch good {
		case len(a.Documents):
			a.Status = Accepted
		case 0:
			a.Status = Rejected
		default:
			a.Status = PartlyAccepted
		}
	}
	in.out = append(in.out, *a)
}

// groupsRejected gives a CONTRL that refuses groups its verdict on the
// interchange: refused as a whole when all groups are, and nothing else in it
// is accepted.
func (in *reading) groupsRejected(a *Acknowledgement) {
	a.Status = PartlyAccepted
	if len(a.GroupRejected) < a.groups {
		return
	}
	for _, d := range a.Documents {
		if d.Status.accepted() {
			return
		}
	}
	a.Status = Rejected
}

// Verdict gives the verdict on one document: what its own AK5 says or, when the
// acknowledgement does not list it, what follows from that of the group. In a
// partly accepted group documents that are not listed are accepted. The status
// is Unknown where nothing follows: when a CONTRL is a receipt only, or refuses
// some groups and not others.
func (a *Acknowledgement) Verdict(documentType, control string) (Document, bool) {
	for _, d := range a.Documents {
		if d.Type == documentType && d.Control == control {
			return d, true
		}
	}
	s := a.Status
	if a.ReceiptOnly || len(a.GroupRejected) > 0 && s != Rejected {
		s = Unknown
	}
	if s == PartlyAccepted || s == AcceptedWithErrors {
		s = Accepted
	}
	return Document{Type: documentType, Control: control, Status: s}, false
}

func component(seg *edi.Segment, n, c int) string {
	return strings.TrimRight(seg.Element(n).Component(c).String(), " ")
}

// action reads element 0083.
func action(code string) Status {
	switch code {
	case actionRejected:
		return Rejected
	case actionAcknowledged, actionReceived:
		return Accepted
	}
	return Unknown
}

func syntaxCodes(seg *edi.Segment, n int) []string {
	if c := text(seg, n); c != "" {
		return []string{"0085=" + c}
	}
	return nil
}

// contrl reads one segment of a CONTRL.
func (in *reading) contrl(seg *edi.Segment) {
	a := in.cur
	switch string(seg.Tag) {
	case "UCI":
		a.About, a.Status, a.Codes = text(seg, 1), action(text(seg, 4)), syntaxCodes(seg, 5)
		a.ReceiptOnly = text(seg, 4) == actionReceived
	case "UCF":
		in.flush()
		a.GroupControl = text(seg, 1)
		a.groups++
		if action(text(seg, 4)) == Rejected {
			a.GroupRejected = append(a.GroupRejected, a.GroupControl)
		}
	case "UCM":
		in.document(Document{
			Control: text(seg, 1), Type: component(seg, 2, 1), Convention: component(seg, 2, 5),
			Status: action(text(seg, 3)), Codes: syntaxCodes(seg, 4),
		})
	case "UCS":
		in.need()
		is := Issue{Ordinal: max(count(seg, 1), 0)}
		in.issue = &is
		if c := text(seg, 2); c != "" {
			is.Code = "0085=" + c
			is.Text = Words(is.Code)
			in.add(is)
		}
	case "UCD":
		in.need()
		is := Issue{Code: "0085=" + text(seg, 1), Element: max(part(seg.Element(2), 1)-1, 0), Component: part(seg.Element(2), 2)}
		if in.issue != nil {
			is.Ordinal = in.issue.Ordinal
		}
		is.Text = Words(is.Code)
		in.add(is)
	}
}
