package tree

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"tradepost/edi"
	"tradepost/edi/validate"
)

// Format is the name of the JSON form, in its first field.
const Format = "tradepost-edi-tree-1"

// delimitersNode are the service characters, each as a text of one character.
type delimitersNode struct {
	Segment, Element, Component, Repetition, Release, Decimal string
}

func makeDelimiters(d edi.Delimiters) delimitersNode {
	terminator := character(d.Segment)
	for i := 0; i < len(d.SegmentTail); i++ {
		terminator += character(d.SegmentTail[i])
	}
	return delimitersNode{
		Segment: terminator, Element: character(d.Element), Component: character(d.Component),
		Repetition: character(d.Repetition), Release: character(d.Release), Decimal: character(d.Decimal),
	}
}

// character writes a byte as a text that survives JSON: ASCII as it is, others
// as a number in angle brackets.
func character(b byte) string {
	switch {
	case b == 0:
		return ""
	case b < utf8.RuneSelf:
		return string(rune(b))
	}
	return fmt.Sprintf("<%02x>", b)
}

// delimiter reads the first character of a text and returns the rest.
func delimiter(s string) (b byte, rest string, err error) {
	switch {
	case s == "":
		return 0, "", nil
	case len(s) >= 4 && s[0] == '<' && s[3] == '>':
		n, err := strconv.ParseUint(s[1:3], 16, 8)
		if err != nil {
			return 0, "", fmt.Errorf("delimiter %q: two hexadecimal digits are expected in angle brackets", s)
		}
		return byte(n), s[4:], nil
	case s[0] < utf8.RuneSelf:
		return s[0], s[1:], nil
	}
	return 0, "", fmt.Errorf("delimiter %q: one ASCII character, or a byte as <e9>, is expected", s)
}

func (n delimitersNode) delimiters() (edi.Delimiters, error) {
	var d edi.Delimiters
	var tail []byte
	b, rest, err := delimiter(n.Segment)
	for d.Segment = b; err == nil && rest != ""; {
		b, rest, err = delimiter(rest)
		tail = append(tail, b)
	}
	if err != nil || len(tail) > 3 {
		return d, errors.Join(err, fmt.Errorf("delimiters: segment %q is no terminator", n.Segment))
	}
	d.SegmentTail = string(tail)
	for _, c := range []struct {
		to   *byte
		text string
	}{{&d.Element, n.Element}, {&d.Component, n.Component}, {&d.Repetition, n.Repetition}, {&d.Release, n.Release}, {&d.Decimal, n.Decimal}} {
		if *c.to, rest, err = delimiter(c.text); err != nil || rest != "" {
			return d, errors.Join(err, fmt.Errorf("delimiters: %q is more than one character", c.text))
		}
	}
	if d.Segment == 0 || d.Element == 0 {
		return d, errors.New("delimiters: segment and element are needed")
	}
	return d, nil
}

// jsonWriter writes the tree while the input goes by.
type jsonWriter struct {
	w     io.Writer
	buf   []byte
	open  []level // containers that are open, the outermost first
	err   error
	lead  []byte // what stood before the last segment
	names *names
	enc   encoder
	lines bool // one line a document: no line ends inside
}

// level is one open container of the JSON text.
type level struct {
	kind  kind
	parts int // written so far
}

type kind uint8

const (
	kindRoot kind = iota
	kindInterchange
	kindGroup
	kindDocument
	kindLoop
)

// WriteJSON reads EDI and writes its tree. Faults of the documents do not stop
// it: every byte of the input has its place in the tree. Options may choose
// guides; what they say of streams and events is not used. Input that cannot
// be read as segments is an error.
func WriteJSON(ctx context.Context, w io.Writer, r io.Reader, o validate.Options) error {
	j := &jsonWriter{w: w, names: newNames(&o)}
	j.text(`{"format":"` + Format + `","parts":[`)
	j.open = append(j.open, level{kind: kindRoot})
	o.OnSegment = func(seg *edi.Segment, p *validate.Place) error {
		j.segment(seg, p)
		return j.err
	}
	report, err := walk(ctx, r, o)
	if err != nil {
		return errors.Join(err, j.flush())
	}
	j.closeTo(1)
	j.text("\n]")
	if trailing := report.Trailing; len(trailing) > 0 && utf8.Valid(trailing) {
		j.buf = appendString(append(j.buf, `,"trailing":`...), trailing)
	} else if len(trailing) > 0 {
		j.buf = appendString(append(j.buf, `,"trailing_base64":`...), base64.StdEncoding.EncodeToString(trailing))
	}
	j.text("}\n")
	return j.flush()
}

// walk sends every segment of the input to o.OnSegment.
func walk(ctx context.Context, r io.Reader, o validate.Options) (*validate.Report, error) {
	o.Stream, o.OnDocument, o.OnGroup, o.OnInterchange = true, nil, nil, nil
	o.StructureOnly, o.MaxIssues, o.MaxDocumentIssues = true, 1, 1
	report, err := validate.Validate(ctx, r, o)
	if err == nil && report.Unread != nil {
		err = fmt.Errorf("the input cannot be read to its end: %w", report.Unread)
	}
	return report, err
}

func (j *jsonWriter) text(s string) { j.buf = append(j.buf, s...) }

// flush writes what is buffered.
func (j *jsonWriter) flush() error {
	if j.err == nil && len(j.buf) > 0 {
		_, j.err = j.w.Write(j.buf)
	}
	j.buf = j.buf[:0]
	return j.err
}

// node writes one segment.
func (j *jsonWriter) node(seg *edi.Segment, p *validate.Place, lead bool) {
	j.buf = j.enc.segment(j.buf, seg, j.names.layout(seg, p), lead)
	if len(j.buf) > scanSize {
		_ = j.flush() // kept in j.err
	}
}

// part begins another member of the innermost container.
func (j *jsonWriter) part() {
	at := &j.open[len(j.open)-1]
	if at.parts > 0 {
		j.buf = append(j.buf, ',')
	}
	at.parts++
	if !j.lines {
		j.buf = append(j.buf, '\n')
	}
}

// member writes a member of a container; the first one begins it.
func (j *jsonWriter) member(name, value string, first bool) {
	if first {
		j.buf = append(j.buf, '{')
	} else {
		j.buf = append(j.buf, ',')
	}
	j.buf = append(append(append(j.buf, '"'), name...), `":`...)
	j.buf = appendString(j.buf, value)
}

// optional writes a member that is left out when it is empty.
func (j *jsonWriter) optional(name, value string) {
	if value != "" {
		j.member(name, value, false)
	}
}

// begin opens the list of parts of a container whose members are written.
func (j *jsonWriter) begin(k kind) {
	j.text(`,"parts":[`)
	j.open = append(j.open, level{kind: k})
}

func (j *jsonWriter) interchange(ic *validate.Interchange) {
	j.member("interchange", ic.Control, true)
	j.member("standard", ic.Standard, false)
	j.member("version", ic.Version, false)
	j.member("sender", ic.Sender, false)
	j.member("receiver", ic.Receiver, false)
	n := makeDelimiters(j.enc.d)
	j.text(`,"delimiters":`)
	j.member("segment", n.Segment, true)
	j.member("element", n.Element, false)
	j.member("component", n.Component, false)
	j.member("repetition", n.Repetition, false)
	j.member("release", n.Release, false)
	j.member("decimal", n.Decimal, false)
	j.text("}")
}

func (j *jsonWriter) group(g *validate.Group) {
	j.member("group", g.Control, true)
	j.optional("type", g.Type)
	j.optional("version", g.Version)
}

func (j *jsonWriter) document(d *validate.Document, first bool) {
	j.member("document", d.Control, first)
	j.member("type", d.Type, false)
	j.optional("guide", d.Guide)
}

// closeTo closes containers until n are left.
func (j *jsonWriter) closeTo(n int) {
	for len(j.open) > n {
		j.text("]}")
		j.open = j.open[:len(j.open)-1]
	}
}

// depth is how many containers up to and with a kind are open, 0 for none.
func (j *jsonWriter) depth(k kind) int {
	for i := len(j.open) - 1; i >= 0; i-- {
		if j.open[i].kind == k {
			return i + 1
		}
	}
	return 0
}

// loops is how many loops are open.
func (j *jsonWriter) loops() int {
	n := 0
	for i := len(j.open) - 1; i >= 0 && j.open[i].kind == kindLoop; i-- {
		n++
	}
	return n
}

func (j *jsonWriter) segment(seg *edi.Segment, p *validate.Place) {
	switch p.Role {
	case validate.InterchangeStart:
		j.closeTo(1)
		j.enc.d = seg.Delimiters()
		j.enc.text.begin(seg)
		j.part()
		j.interchange(p.Interchange)
		j.begin(kindInterchange)
	case validate.InterchangeEnd:
		j.closeTo(max(j.depth(kindInterchange), 1))
	case validate.GroupStart:
		j.closeTo(max(j.depth(kindInterchange), 1))
		j.part()
		j.group(p.Group)
		j.begin(kindGroup)
	case validate.GroupEnd:
		j.closeTo(max(j.depth(kindGroup), j.depth(kindInterchange), 1))
	case validate.DocumentStart:
		j.closeTo(max(j.depth(kindGroup), j.depth(kindInterchange), 1))
		j.part()
		j.document(p.Document, true)
		j.begin(kindDocument)
	case validate.DocumentEnd:
		j.closeTo(max(j.depth(kindDocument), 1))
	case validate.Body:
		j.enter(p)
	}
	if j.depth(kindInterchange) == 0 {
		j.enc.d = edi.Delimiters{} // outside of interchanges segments are kept raw
	}
	j.part()
	lead := !bytes.Equal(j.lead, seg.Lead)
	j.node(seg, p, lead)
	if lead {
		j.lead = append(j.lead[:0], seg.Lead...)
	}
	switch p.Role {
	case validate.InterchangeEnd:
		j.closeTo(1)
	case validate.GroupEnd:
		j.closeTo(max(j.depth(kindInterchange), 1))
	case validate.DocumentEnd:
		j.closeTo(max(j.depth(kindGroup), j.depth(kindInterchange), 1))
	}
}

// enter opens and closes loops so that the segment stands in its own.
func (j *jsonWriter) enter(p *validate.Place) {
	loops := j.loops()
	if base := len(j.open) - loops; j.open[base-1].kind == kindDocument {
		j.closeTo(base + min(p.Kept, loops))
	} else {
		return
	}
	for _, l := range p.Loops[min(j.loops(), len(p.Loops)):] {
		j.part()
		j.member("loop", l.Name, true)
		j.optional("name", l.Title)
		j.optional("level", l.Level)
		j.begin(kindLoop)
	}
}
