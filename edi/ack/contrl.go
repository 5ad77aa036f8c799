package ack

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"tradepost/edi"
	"tradepost/edi/edifact"
	"tradepost/edi/validate"
)

// Actions of element 0083 (ISO 9735-10): what became of a level.
const (
	actionRejected     = "4" // this level and all below
	actionAcknowledged = "7" // this level, and those below unless they are rejected one by one
	actionReceived     = "8" // interchange only
)

// Contrl is a CONTRL: the syntax and service report on one interchange, with
// the envelope it goes into. Control reference, date and time of the UNB are
// left to the caller.
type Contrl struct {
	UNB        edifact.UNB
	Delimiters edi.Delimiters
	Status     Status // final after Close

	o       Options
	uci     []edi.Field   // once it is closed
	open    io.ReadWriter // messages of the group that is open, as entries
	done    io.ReadWriter // groups that ended, as entries
	message bytes.Buffer  // what is said of one message, or of a group
	rows    *rows         // of message
	err     error         // of writing a part
	noted   int           // segments of messages that were listed
	taken   int           // messages accepted
	refused int           // messages refused
	dropped bool          // the interchange was refused, and what was accepted in it with it
	noAck   bool          // it holds CONTRL itself

	charset edifact.Charset // of the interchange answered
	plain   edifact.Charset // UNOA
	wider   []carrier       // sets that may carry what is repeated, the first one that of the interchange
}

// carrier is a character set, and whether it holds all that is repeated.
type carrier struct {
	id   string
	set  edifact.Charset
	fits bool
}

// NewContrl makes the CONTRL of an interchange whose groups and documents are
// in the report. The error wraps ErrNotAcknowledged for X12, for interchanges
// that hold CONTRL themselves, and for those that are not Answerable.
func NewContrl(ic *validate.Interchange, o Options) (*Contrl, error) {
	c, err := BeginContrl(ic, o)
	if err != nil {
		return nil, err
	}
	for _, g := range ic.Groups {
		for _, doc := range g.Documents {
			c.Add(doc)
		}
		c.AddGroup(g)
	}
	return c, c.Close(ic)
}

// BeginContrl begins the CONTRL of an interchange whose header was validated.
// Add each message as it ends, AddGroup each group, which holds the messages
// added since the one before, and Close it when the interchange has ended. The
// error wraps ErrNotAcknowledged for X12.
func BeginContrl(ic *validate.Interchange, o Options) (*Contrl, error) {
	if ic.Standard != "EDIFACT" {
		return nil, fmt.Errorf("a CONTRL answers EDIFACT only, this is %s: %w", ic.Standard, ErrNotAcknowledged)
	}
	syntax, number, _ := strings.Cut(ic.Version, ":")
	c := &Contrl{Delimiters: ic.Delimiters, Status: Accepted, o: o}
	c.charset, _ = edifact.CharsetOf(syntax)
	c.plain, _ = edifact.CharsetOf("UNOA")
	syntax = or(c.copied(syntax, 4), "UNOA")
	for _, id := range []string{syntax, "UNOB", "UNOC"} {
		set, _ := edifact.CharsetOf(id) // one that is not known was agreed on by both sides
		c.wider = append(c.wider, carrier{id: id, set: set, fits: true})
	}
	c.copied(syntax, 4) // it is repeated, too
	if len(number) != 1 || number < "1" || number > "4" {
		number = "3" // the one asked for does not exist
	}
	fit := func(p edi.Party) edi.Party {
		return edi.Party{ID: c.copied(p.ID, 35), Qualifier: c.copied(p.Qualifier, 4), Internal: c.copied(p.Internal, 35)}
	}
	c.UNB = edifact.UNB{Syntax: syntax, Version: number, Sender: fit(ic.To), Receiver: fit(ic.From)}
	if ic.Test {
		c.UNB.Test = "1"
	}
	if c.Delimiters.Component == 0 || c.Delimiters.Release == 0 || c.Delimiters.SegmentTail != "" || c.Delimiters.Validate() != nil {
		n, _ := strconv.Atoi(c.UNB.Version)
		c.Delimiters = edi.DefaultEDIFACT(n)
	}
	c.open, c.done = o.room(), o.room()
	c.rows = newRows(&c.message, c.Delimiters)
	return c, nil
}

// Close ends the CONTRL with the verdict on the interchange. The error wraps
// ErrNotAcknowledged for one that holds CONTRL itself or is not Answerable.
func (c *Contrl) Close(ic *validate.Interchange) error {
	if err := Answerable(ic); err != nil {
		return err
	}
	if c.noAck {
		return fmt.Errorf("interchange %s holds CONTRL: %w", ic.Control, ErrNotAcknowledged)
	}
	c.interchange(ic)
	c.dropped = !ic.Accepted
	if c.Status == PartlyAccepted && c.taken == 0 && c.refused > 0 {
		c.Status = Rejected
	}
	for _, w := range c.wider {
		if w.fits {
			c.UNB.Syntax = w.id
			break
		}
	}
	return c.err
}

// enter puts what was said of one message or group into w.
func (c *Contrl) enter(kind entryKind, w io.Writer) {
	err := c.rows.flush()
	if err == nil {
		err = entry{kind: kind, count: c.rows.count, text: c.message.Bytes()}.write(w)
	}
	if c.err == nil {
		c.err = err
	}
	c.rows.count = 0
	c.message.Reset()
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// service gives the fields from 0085 on: the code, the service segment and the
// place of the first fault of a level.
func service(issues []*validate.Issue) []edi.Field {
	for _, is := range issues {
		code, ok := strings.CutPrefix(is.Ack, "0085=")
		if !ok || is.Severity != validate.Error {
			continue
		}
		fields := []edi.Field{edi.Simple(code)}
		if len(is.Segment) == 3 && strings.HasPrefix(is.Segment, "U") {
			fields = append(fields, edi.Simple(is.Segment), position(is))
		}
		return fields
	}
	return nil
}

// position gives S011; the tag of the segment is position 1.
func position(is *validate.Issue) edi.Field {
	if is.Element == 0 {
		return edi.Simple("")
	}
	place := strconv.Itoa(min(is.Element+1, 999)) // three digits
	if is.Component > 0 {
		return edi.Composite(place, strconv.Itoa(min(is.Component, 999)))
	}
	return edi.Simple(place)
}

func (c *Contrl) party(p edi.Party) edi.Field {
	return edi.Composite(c.copied(p.ID, 35), c.copied(p.Qualifier, 4), c.copied(p.Internal, 35))
}

func (c *Contrl) interchange(ic *validate.Interchange) {
	action := actionAcknowledged
	if !ic.Accepted {
		action, c.Status = actionRejected, Rejected
	}
	fields := []edi.Field{edi.Simple(c.copied(ic.Control, 14)), c.party(ic.From), c.party(ic.To), edi.Simple(action)}
	c.uci = append(fields, service(ic.Issues)...)
}

// AddGroup takes the verdict on a group that ended.
func (c *Contrl) AddGroup(g *validate.Group) {
	c.noAck = c.noAck || g.NoAck
	refused := false // what is above takes all below with it
	if g.Type != "" || g.Control != "" {
		action := actionAcknowledged
		if refused = !g.Accepted; refused {
			action = actionRejected
			c.lower()
		}
		fields := []edi.Field{edi.Simple(or(c.copied(g.Control, 14), nothing)), edi.Simple(c.copied(g.Sender, 35)), edi.Simple(c.copied(g.Receiver, 35)), edi.Simple(action)}
		c.rows.add("UCF", append(fields, service(g.Issues)...)...)
		c.enter(entryGroup, c.done)
	}
	err := readEntries(c.open, func(e entry) error {
		switch {
		case e.kind == entryAccepted && refused:
			c.refused++
			return nil
		case e.kind == entryRefused:
			c.refused++
			c.lower()
		default:
			c.taken++
		}
		return e.write(c.done)
	})
	if c.err == nil {
		c.err = err
	}
}

// nothing stands where a CONTRL must repeat a reference or type that the sender
// left out; the code beside it says so.
const nothing = "0"

// copied is a value of the inbound interchange as the CONTRL can carry it.
func (c *Contrl) copied(value string, longest int) string {
	high := c.charset.ID() != "" && c.charset.Check([]byte(value)) < 0
	b := make([]byte, 0, len(value))
	for i := 0; i < len(value); i++ {
		if x := value[i]; x >= ' ' && x < 0x7f || x > 0x7f && high {
			b = append(b, x)
		}
	}
	out := cut(string(b), longest)
	if c.charset.ID() == "UNOW" || c.charset.ID() == "UNOY" {
		out = string([]rune(string(b))[:min(longest, utf8.RuneCount(b))])
	}
	if c.plain.Check([]byte(out)) >= 0 { // what UNOA has, all others have, too
		for i := range c.wider {
			w := &c.wider[i]
			w.fits = w.fits && (w.set.ID() == "" || w.set.Check([]byte(out)) < 0)
		}
	}
	return out
}

// lower makes the verdict on the interchange that of its worst part.
func (c *Contrl) lower() {
	if c.Status == Accepted {
		c.Status = PartlyAccepted
	}
}

// Add takes the verdict on a message that ended.
func (c *Contrl) Add(doc *validate.Document) {
	if doc.Type == "UNO" {
		return // packages are acknowledged by UCO, which none of our partners is known to read
	}
	number, release, _ := strings.Cut(doc.Version, ":")
	action := actionAcknowledged
	fatal := service(documentIssues(doc)) != nil
	taken := doc.Accepted || !fatal && c.o.AcceptErrors
	if !taken {
		action = actionRejected
	}
	kind := entryRefused
	switch {
	case doc.Accepted:
		kind = entryAccepted
	case taken:
		kind = entryNoted
	}
	defer func() { c.enter(kind, c.open) }()
	fields := []edi.Field{
		edi.Simple(or(c.copied(doc.Control, 14), nothing)),
		edi.Composite(or(c.copied(doc.Type, 6), nothing), c.copied(number, 3), c.copied(release, 3), c.copied(doc.Agency, 3), c.copied(doc.Convention, 6)),
		edi.Simple(action),
	}
	c.rows.add("UCM", append(fields, service(documentIssues(doc))...)...)
	at, segments, elements := 0, 0, 0
	for _, is := range doc.Issues {
		if c.noted >= mostNoted || segments > mostSegments {
			return // the others come to light when these are mended
		}
		code, ok := strings.CutPrefix(is.Ack, "0085=")
		if !ok || is.Severity != validate.Error || is.Level == validate.LevelDocument {
			continue
		}
		if is.Ordinal != at || is.Level == validate.LevelSegment {
			place := is.Ordinal
			if is.Level == validate.LevelSegment && code == "13" {
				place = max(place-1, 1) // what is missing is told by the segment before it (ISO 9735-10, UCS 0096)
			}
			if segments++; segments > mostSegments {
				continue
			}
			segment := []edi.Field{ordinal(place)}
			if is.Level == validate.LevelSegment {
				segment = append(segment, edi.Simple(code))
			}
			c.rows.add("UCS", segment...)
			c.noted++
			at, elements = is.Ordinal, 0
		}
		if is.Level != validate.LevelElement {
			continue
		}
		if elements++; elements <= mostElements {
			c.rows.add("UCD", edi.Simple(code), position(is))
			c.noted++
		}
	}
}

// documentIssues are those of the message as a whole.
func documentIssues(doc *validate.Document) []*validate.Issue {
	var out []*validate.Issue
	for _, is := range doc.Issues {
		if is.Level == validate.LevelDocument {
			out = append(out, is)
		}
	}
	return out
}

// Bytes gives the message, UNH to UNT; control is its UNH 0062. It can be had
// once.
func (c *Contrl) Bytes(control string) ([]byte, error) {
	var b bytes.Buffer
	err := c.Write(&b, control)
	return b.Bytes(), err
}

// Write writes what Bytes gives.
func (c *Contrl) Write(out io.Writer, control string) error {
	if c.err != nil {
		return c.err
	}
	w := newRows(out, c.Delimiters)
	unh := edifact.UNH{Control: control, Type: "CONTRL", Version: "D", Release: "3", Agency: "UN"}
	if c.UNB.Version == "4" {
		unh.Version, unh.Release = "4", "1"
	}
	if err := unh.Write(w.w); err != nil {
		return err
	}
	w.add("UCI", c.uci...)
	err := readEntries(c.done, func(e entry) error {
		if e.kind == entryAccepted && c.dropped {
			return nil
		}
		w.count += e.count
		return w.w.WriteRaw(e.text)
	})
	if err != nil {
		return err
	}
	if w.err != nil {
		return w.err
	}
	if err := (edifact.Trailer{Count: w.count + 2, Control: control}).WriteUNT(w.w); err != nil {
		return err
	}
	return w.flush()
}
