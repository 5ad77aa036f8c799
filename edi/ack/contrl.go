package ack

import (
	"bytes"
	"fmt"
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

	o        Options
	head     *rows            // UCI, and once it is closed all that follows
	body     *rows            // UCM with what stands below, of all messages
	parts    []messageVerdict // of body, a message each
	groups   []groupVerdict
	noted    int             // segments of messages that were listed
	charset  edifact.Charset // of the interchange answered
	repeated []byte          // values that are repeated from it and not in UNOA
	taken    int             // messages accepted
	refused  int             // messages refused
	plain    edifact.Charset // UNOA
	noAck    bool            // it holds CONTRL itself
}

// messageVerdict is one message in the body.
type messageVerdict struct {
	end, count int  // behind it: bytes and segments of the body
	accepted   bool // by validation
	taken      bool // by the CONTRL
}

// groupVerdict is a group that ended, with its UCF and its messages.
type groupVerdict struct {
	fields   []edi.Field // of the UCF, none for messages without a group
	parts    int         // behind its messages
	accepted bool
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
	if len(number) != 1 || number < "1" || number > "4" {
		number = "3" // the one asked for does not exist
	}
	fit := func(p edi.Party) edi.Party {
		return edi.Party{ID: c.copied(p.ID, 35), Qualifier: c.copied(p.Qualifier, 4), Internal: c.copied(p.Internal, 35)}
	}
	c.UNB = edifact.UNB{Syntax: or(c.copied(syntax, 4), "UNOA"), Version: number, Sender: fit(ic.To), Receiver: fit(ic.From)}
	if ic.Test {
		c.UNB.Test = "1"
	}
	if c.Delimiters.Component == 0 || c.Delimiters.Release == 0 || c.Delimiters.SegmentTail != "" || c.Delimiters.Validate() != nil {
		n, _ := strconv.Atoi(c.UNB.Version)
		c.Delimiters = edi.DefaultEDIFACT(n)
	}
	c.head, c.body = newRows(c.Delimiters), newRows(c.Delimiters)
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
	body, err := c.body.bytes()
	if err != nil {
		return err
	}
	c.head.out.Grow(len(body))
	from := messageVerdict{}
	parts := c.parts
	for _, g := range c.groups {
		if g.fields != nil {
			c.head.add("UCF", g.fields...)
			if !g.accepted {
				c.lower()
			}
		}
		refused := !ic.Accepted || g.fields != nil && !g.accepted // what is above takes all below with it
		for ; len(parts) > 0 && len(c.parts)-len(parts) < g.parts; parts = parts[1:] {
			p := parts[0]
			switch {
			case p.accepted && refused:
				c.refused++
			default:
				if c.head.raw(body[from.end:p.end], p.count-from.count); p.taken {
					c.taken++
				} else {
					c.refused++
					c.lower()
				}
			}
			from = p
		}
	}
	c.body, c.parts, c.groups = nil, nil, nil
	if c.Status == PartlyAccepted && c.taken == 0 && c.refused > 0 {
		c.Status = Rejected
	}
	c.UNB.Syntax = c.carrying(c.UNB.Syntax)
	return nil
}

// carrying gives the character set of the CONTRL: that of the interchange
// answered, or a wider one where the sender did not keep to it in what the
// CONTRL repeats.
func (c *Contrl) carrying(id string) string {
	fits := func(id string) bool {
		set, known := edifact.CharsetOf(id)
		if !known {
			return true // both sides agreed on it
		}
		return set.Check(c.repeated) < 0
	}
	for _, wider := range []string{id, "UNOB", "UNOC"} {
		if fits(wider) {
			return wider
		}
	}
	return id
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
	c.head.add("UCI", append(fields, service(ic.Issues)...)...)
}

// AddGroup takes the verdict on a group that ended.
func (c *Contrl) AddGroup(g *validate.Group) {
	c.noAck = c.noAck || g.NoAck
	v := groupVerdict{parts: len(c.parts), accepted: g.Accepted}
	if g.Type != "" || g.Control != "" {
		action := actionAcknowledged
		if !g.Accepted {
			action = actionRejected
		}
		v.fields = []edi.Field{edi.Simple(or(c.copied(g.Control, 14), nothing)), edi.Simple(c.copied(g.Sender, 35)), edi.Simple(c.copied(g.Receiver, 35)), edi.Simple(action)}
		v.fields = append(v.fields, service(g.Issues)...)
	}
	c.groups = append(c.groups, v)
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
	if c.plain.Check([]byte(out)) >= 0 {
		c.repeated = append(c.repeated, out...) // what UNOA has, all others have, too
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
	defer func() {
		c.parts = append(c.parts, messageVerdict{end: c.body.size(), count: c.body.count, accepted: doc.Accepted, taken: taken})
	}()
	fields := []edi.Field{
		edi.Simple(or(c.copied(doc.Control, 14), nothing)),
		edi.Composite(or(c.copied(doc.Type, 6), nothing), c.copied(number, 3), c.copied(release, 3), c.copied(doc.Agency, 3), c.copied(doc.Convention, 6)),
		edi.Simple(action),
	}
	c.body.add("UCM", append(fields, service(documentIssues(doc))...)...)
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
			c.body.add("UCS", segment...)
			c.noted++
			at, elements = is.Ordinal, 0
		}
		if is.Level != validate.LevelElement {
			continue
		}
		if elements++; elements <= mostElements {
			c.body.add("UCD", edi.Simple(code), position(is))
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

// Bytes writes the message, UNH to UNT; control is its UNH 0062.
func (c *Contrl) Bytes(control string) ([]byte, error) {
	text, err := c.head.bytes()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.Grow(len(text) + 256) // UNH and UNT, too
	w := edi.NewWriter(&b, c.Delimiters, edi.WriterOptions{})
	unh := edifact.UNH{Control: control, Type: "CONTRL", Version: "D", Release: "3", Agency: "UN"}
	if c.UNB.Version == "4" {
		unh.Version, unh.Release = "4", "1"
	}
	if err := unh.Write(w); err != nil {
		return nil, err
	}
	if err := w.WriteRaw(text); err != nil {
		return nil, err
	}
	if err := (edifact.Trailer{Count: c.head.count + 2, Control: control}).WriteUNT(w); err != nil {
		return nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
