package tree

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
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
	Segment    string `json:"segment"`
	Element    string `json:"element"`
	Component  string `json:"component"`
	Repetition string `json:"repetition"`
	Release    string `json:"release"`
	Decimal    string `json:"decimal"`
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
	w       *bufio.Writer
	open    []level // containers that are open, the outermost first
	err     error
	lead    string // what stood before the last segment
	d       edi.Delimiters
	names   *names
	scratch []byte
	lines   bool // one line a document: no line ends inside
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
	j := &jsonWriter{w: bufio.NewWriterSize(w, 64<<10), names: newNames(&o)}
	j.text(`{"format":"` + Format + `","parts":[`)
	j.open = append(j.open, level{kind: kindRoot})
	o.OnSegment = func(seg *edi.Segment, p *validate.Place) error {
		j.segment(seg, p)
		return j.err
	}
	report, err := walk(ctx, r, o)
	if err != nil {
		return errors.Join(err, j.w.Flush())
	}
	j.closeTo(1)
	j.text("\n]")
	if trailing := report.Trailing; len(trailing) > 0 && utf8.Valid(trailing) {
		j.text(`,"trailing":`)
		j.value(string(trailing))
	} else if len(trailing) > 0 {
		j.text(`,"trailing_base64":`)
		j.value(base64.StdEncoding.EncodeToString(trailing))
	}
	j.text("}\n")
	if j.err != nil {
		return j.err
	}
	return j.w.Flush()
}

// walk sends every segment of the input to o.OnSegment.
func walk(ctx context.Context, r io.Reader, o validate.Options) (*validate.Report, error) {
	o.Stream, o.OnDocument, o.OnGroup, o.OnInterchange = true, nil, nil, nil
	o.MaxIssues, o.MaxDocumentIssues = 1, 1
	report, err := validate.Validate(ctx, r, o)
	if err == nil && report.Unread != nil {
		err = fmt.Errorf("the input cannot be read to its end: %w", report.Unread)
	}
	return report, err
}

func (j *jsonWriter) text(s string) {
	if j.err == nil {
		_, j.err = j.w.WriteString(s)
	}
}

func (j *jsonWriter) value(v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil && j.err == nil {
		j.err = err
		return
	}
	j.text(string(bytes.TrimRight(b.Bytes(), "\n")))
}

// node writes one segment.
func (j *jsonWriter) node(seg *edi.Segment, p *validate.Place, usual string) {
	var node segmentNode
	node, j.scratch = makeSegment(seg, j.names.layout(seg, p), j.d, usual, j.scratch)
	j.scratch = node.appendJSON(j.scratch[:0])
	if j.err == nil {
		_, j.err = j.w.Write(j.scratch)
	}
}

// part begins another member of the innermost container.
func (j *jsonWriter) part() {
	at := &j.open[len(j.open)-1]
	if at.parts > 0 {
		j.text(",")
	}
	at.parts++
	if !j.lines {
		j.text("\n")
	}
}

// container opens an object with parts; fields are its other members.
func (j *jsonWriter) container(k kind, fields any) {
	j.part()
	j.head(k, fields)
}

// head writes the members of a container up to its parts.
func (j *jsonWriter) head(k kind, fields any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(fields); err != nil && j.err == nil {
		j.err = err
	}
	j.text(string(bytes.TrimSuffix(bytes.TrimRight(b.Bytes(), "\n"), []byte("}"))))
	j.text(`,"parts":[`)
	j.open = append(j.open, level{kind: k})
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
	for _, l := range j.open {
		if l.kind == kindLoop {
			n++
		}
	}
	return n
}

type interchangeFields struct {
	Interchange string         `json:"interchange"`
	Standard    string         `json:"standard"`
	Version     string         `json:"version"`
	Sender      string         `json:"sender"`
	Receiver    string         `json:"receiver"`
	Delimiters  delimitersNode `json:"delimiters"`
}

type groupFields struct {
	Group   string `json:"group"`
	Type    string `json:"type,omitempty"`
	Version string `json:"version,omitempty"`
}

type documentFields struct {
	Document string `json:"document"`
	Type     string `json:"type"`
	Guide    string `json:"guide,omitempty"`
}

type loopFields struct {
	Loop  string `json:"loop"`
	Name  string `json:"name,omitempty"`
	Level string `json:"level,omitempty"`
}

func (j *jsonWriter) segment(seg *edi.Segment, p *validate.Place) {
	switch p.Role {
	case validate.InterchangeStart:
		j.closeTo(1)
		j.d = seg.Delimiters()
		ic := p.Interchange
		j.container(kindInterchange, interchangeFields{ic.Control, ic.Standard, ic.Version, ic.Sender, ic.Receiver, makeDelimiters(j.d)})
	case validate.InterchangeEnd:
		j.closeTo(max(j.depth(kindInterchange), 1))
	case validate.GroupStart:
		j.closeTo(max(j.depth(kindInterchange), 1))
		j.container(kindGroup, groupFields{p.Group.Control, p.Group.Type, p.Group.Version})
	case validate.GroupEnd:
		j.closeTo(max(j.depth(kindGroup), j.depth(kindInterchange), 1))
	case validate.DocumentStart:
		j.closeTo(max(j.depth(kindGroup), j.depth(kindInterchange), 1))
		j.container(kindDocument, documentFields{p.Document.Control, p.Document.Type, p.Document.Guide})
	case validate.DocumentEnd:
		j.closeTo(max(j.depth(kindDocument), 1))
	case validate.Body:
		j.enter(p)
	}
	if j.depth(kindInterchange) == 0 {
		j.d = edi.Delimiters{} // outside of interchanges segments are kept raw
	}
	j.part()
	j.node(seg, p, j.lead)
	if j.lead != string(seg.Lead) {
		j.lead = string(seg.Lead)
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
	base := j.depth(kindDocument)
	if base == 0 {
		return
	}
	j.closeTo(base + min(p.Kept, j.loops()))
	for _, l := range p.Loops[min(j.loops(), len(p.Loops)):] {
		j.container(kindLoop, loopFields{l.Name, l.Title, l.Level})
	}
}
