package mapping

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"tradepost/edi"
	"tradepost/edi/edifact"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
	"tradepost/edi/x12"
)

// Envelope is what written EDI documents are put into: one interchange with
// one group. Who sends, who receives and all numbers are the caller's.
type Envelope struct {
	// Bare writes documents alone, ST to SE or UNH to UNT, for callers that
	// put them into interchanges of their own.
	Bare bool

	// Sender and Receiver stand in ISA05 to ISA08 or S002 and S003. When both
	// are empty and the input is EDI they are those of its first interchange.
	Sender, Receiver edi.Party

	// GroupSender and GroupReceiver stand in GS02 and GS03; the identifiers of
	// Sender and Receiver when empty.
	GroupSender, GroupReceiver string

	// Time is that of the interchange and group.
	Time time.Time

	Control  string // number of the interchange: ISA13, UNB 0020
	Group    string // number of the group, GS06; that of the interchange when empty
	Document string // number of the first document, 0001 or 1 when empty; those behind it count up

	Test       bool           // ISA15 is T, UNB 0035 is 1
	Charset    string         // EDIFACT: UNB 0001, UNOC when empty
	Delimiters edi.Delimiters // those of the standard when zero
	LineEnd    string         // behind every segment: "", "\n" or "\r\n"
	Convention string         // ST03, or the code of the user association in UNH (0057)
}

// EnvelopeError says what an envelope needs and does not have.
type EnvelopeError struct {
	Missing []string // sender, receiver, control, time
}

// Error names what is missing.
func (e *EnvelopeError) Error() string {
	return "the interchange to be written has no " + strings.Join(e.Missing, ", no ") + "; give it, or write bare documents"
}

// complete reports what an envelope lacks.
func (e *Envelope) complete() error {
	var missing []string
	for _, m := range []struct {
		name  string
		lacks bool
	}{{"sender", e.Sender.ID == ""}, {"receiver", e.Receiver.ID == ""}, {"control number", e.Control == ""}, {"time", e.Time.IsZero()}} {
		if m.lacks {
			missing = append(missing, m.name)
		}
	}
	if len(missing) > 0 {
		return &EnvelopeError{missing}
	}
	return nil
}

// ediOutput writes documents into one interchange with one group.
type ediOutput struct {
	w        io.Writer
	guide    *schema.Guide
	e        Envelope
	delims   edi.Delimiters
	charset  edifact.Charset
	count    int
	next     int // number of the next document
	width    int // digits it has at least
	buf      bytes.Buffer
	envelope *edi.Writer // nil until the headers are written
}

func newEDIOutput(w io.Writer, g *schema.Guide, e Envelope, fromEDI bool) (*ediOutput, error) {
	o := &ediOutput{w: w, guide: g, e: e, delims: e.Delimiters}
	if !e.Bare && !fromEDI {
		if err := e.complete(); err != nil {
			return nil, err
		}
	}
	if err := o.number(); err != nil {
		return nil, err
	}
	if g.Standard == schema.X12 {
		if o.delims.Segment == 0 {
			o.delims = edi.DefaultX12()
		}
		o.delims = x12.InForce(o.delims, x12.InterchangeVersion(g.Version))
		return o, o.delims.Validate()
	}
	if o.e.Charset == "" {
		o.e.Charset = "UNOC"
	}
	var ok bool
	if o.charset, ok = edifact.CharsetOf(o.e.Charset); !ok {
		return nil, fmt.Errorf("character set %q is not known: UNOA to UNOL, UNOW or UNOY", clip(o.e.Charset))
	}
	if o.delims.Segment == 0 {
		o.delims = edi.DefaultEDIFACT(o.syntax())
	}
	return o, o.delims.Validate()
}

// syntax is the version of ISO 9735 that knows the character set: 4 has those
// of ISO 10646 and ISO 2022.
func (o *ediOutput) syntax() int {
	if id := o.charset.ID(); id == "UNOW" || id == "UNOX" || id == "UNOY" {
		return 4
	}
	return 3
}

// number reads the number of the first document.
func (o *ediOutput) number() error {
	first := o.e.Document
	switch {
	case first == "" && o.guide.Standard == schema.X12:
		first = "0001"
	case first == "":
		first = "1"
	}
	n, ok := number([]byte(first))
	if !ok || n < 1 || len(first) > 9 {
		return fmt.Errorf("the number of the first document is 1 to 9 digits, not %q", clip(first))
	}
	o.next, o.width = n, len(first)
	return nil
}

// prepare sets the target up for the interchange.
func (o *ediOutput) prepare(t *ediOut) {
	t.charset, t.encoded, t.mark = o.charset, o.guide.Standard == schema.EDIFACT, 0
	if o.delims.Decimal == ',' {
		t.mark = ','
	}
}

func (o *ediOutput) write(c *conversion, doc *Document) ([]byte, error) {
	o.buf.Reset()
	fault := func(text, target string) {
		if len(doc.Faults) < maxProblems {
			doc.Faults = append(doc.Faults, Fault{Text: text, Target: target})
		}
	}
	h := header{control: fmt.Sprintf("%0*d", o.width, o.next), convention: o.e.Convention}
	if err := c.target.writeTo(&o.buf, o.delims, h, o.e.LineEnd, fault); err != nil {
		return nil, fmt.Errorf("writing a document: %w", err)
	}
	if len(doc.Faults) > 0 {
		return nil, nil
	}
	if err := o.open(c.envelope); err != nil {
		return nil, err
	}
	o.next++
	o.count++
	_, err := o.w.Write(o.buf.Bytes())
	return o.buf.Bytes(), err
}

// open writes the headers before the first document; in is the interchange it
// was read from, nil for a form.
func (o *ediOutput) open(in *validate.Interchange) error {
	if o.e.Bare || o.envelope != nil {
		return nil
	}
	if in != nil && o.e.Sender.ID == "" && o.e.Receiver.ID == "" {
		o.e.Sender, o.e.Receiver = in.From, in.To
	}
	if err := o.e.complete(); err != nil {
		return err
	}
	o.envelope = edi.NewWriter(o.w, o.delims, edi.WriterOptions{LineEnd: o.e.LineEnd})
	if o.guide.Standard == schema.X12 {
		return o.openX12()
	}
	return o.openEDIFACT()
}

func (o *ediOutput) openX12() error {
	isa := x12.ISA{Sender: o.e.Sender, Receiver: o.e.Receiver, Version: x12.InterchangeVersion(o.guide.Version), Control: o.e.Control, Usage: "P"}
	if o.e.Test {
		isa.Usage = "T"
	}
	isa.SetTime(o.e.Time)
	header, err := isa.Append(nil, o.delims)
	if err != nil {
		return err
	}
	if err := o.envelope.WriteRaw(append(header, o.e.LineEnd...)); err != nil {
		return err
	}
	gs := x12.GS{Type: o.guide.Group, Sender: o.e.GroupSender, Receiver: o.e.GroupReceiver, Control: o.groupControl(), Version: o.guide.Version}
	if gs.Sender == "" {
		gs.Sender = o.e.Sender.ID
	}
	if gs.Receiver == "" {
		gs.Receiver = o.e.Receiver.ID
	}
	gs.SetTime(o.e.Time)
	if err := gs.Write(o.envelope); err != nil {
		return err
	}
	return o.envelope.Flush()
}

// groupControl is the number of the group: without leading zeros, which GS06
// does not need.
func (o *ediOutput) groupControl() string {
	if o.e.Group != "" {
		return o.e.Group
	}
	if n, err := strconv.Atoi(o.e.Control); err == nil {
		return strconv.Itoa(n)
	}
	return o.e.Control
}

func (o *ediOutput) openEDIFACT() error {
	unb := edifact.UNB{Syntax: o.e.Charset, Version: strconv.Itoa(o.syntax()), Sender: o.e.Sender, Receiver: o.e.Receiver, Control: o.e.Control}
	if o.e.Test {
		unb.Test = "1"
	}
	unb.SetTime(o.e.Time)
	if o.delims != edi.DefaultEDIFACT(o.syntax()) {
		una, err := edifact.AppendUNA(nil, o.delims)
		if err != nil {
			return err
		}
		if err := o.envelope.WriteRaw(append(una, o.e.LineEnd...)); err != nil {
			return err
		}
	}
	if err := unb.Write(o.envelope); err != nil {
		return err
	}
	return o.envelope.Flush()
}

func (o *ediOutput) close() error {
	if o.envelope == nil {
		return nil
	}
	if o.guide.Standard == schema.X12 {
		if err := (x12.Trailer{Count: o.count, Control: o.groupControl()}).WriteGE(o.envelope); err != nil {
			return err
		}
		if err := (x12.Trailer{Count: 1, Control: o.e.Control}).WriteIEA(o.envelope); err != nil {
			return err
		}
		return o.envelope.Flush()
	}
	if err := (edifact.Trailer{Count: o.count, Control: o.e.Control}).WriteUNZ(o.envelope); err != nil {
		return err
	}
	return o.envelope.Flush()
}

// charsetOf finds the character set of an EDIFACT interchange; decoded is
// false for X12, which names none.
func charsetOf(ic *validate.Interchange) (c edifact.Charset, decoded bool) {
	if ic == nil || ic.Standard != schema.EDIFACT {
		return c, false
	}
	id := ic.Version
	if len(id) > 4 {
		id = id[:4]
	}
	c, _ = edifact.CharsetOf(id)
	return c, true
}
