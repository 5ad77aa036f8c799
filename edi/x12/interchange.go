package x12

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"tradepost/edi"
)

// Interchange is an interchange to be written: the header, acknowledgements
// and groups of documents whose bytes exist already. The counts of GE and IEA
// are made here; everything else is the caller's.
type Interchange struct {
	ISA        ISA
	Delimiters edi.Delimiters // the zero value is edi.DefaultX12
	LineEnd    string         // behind every envelope segment and document: "", "\n" or "\r\n"
	TA1        []TA1
	Groups     []Group

	// Body, when it is set, writes further groups, GS to GE with their line
	// ends, and gives their number: of those that are too many to be held.
	Body func(io.Writer) (int, error)
}

// Group is a group of an Interchange.
type Group struct {
	GS        GS
	Documents []Document
}

// Document is one document, ST up to and including SE with its terminator, as
// it was cut from a payload or made by a Writer.
type Document struct {
	Bytes []byte
	// Delimiters are those of Bytes; the zero value means those of the
	// interchange it goes into. When they differ the document is rewritten with
	// the interchange's delimiters; otherwise its bytes stay as they are.
	Delimiters edi.Delimiters
	// Control replaces the control number in ST02 and SE02 when it is not
	// empty. Every other byte of the document stays.
	Control string
	// Recount replaces SE01 with the number of segments found.
	Recount bool
}

// Write writes the interchange to w.
func (x *Interchange) Write(w io.Writer) error {
	d := x.Delimiters
	if d.Segment == 0 {
		d = edi.DefaultX12()
	}
	d = InForce(d, x.ISA.Version)
	isa, err := x.ISA.Append(nil, d)
	if err != nil {
		return err
	}
	out := edi.NewWriter(w, d, edi.WriterOptions{LineEnd: x.LineEnd})
	if err := out.WriteRaw(append(isa, x.LineEnd...)); err != nil {
		return err
	}
	for _, t := range x.TA1 {
		if err := t.Write(out); err != nil {
			return err
		}
	}
	for _, g := range x.Groups {
		if err := g.GS.Write(out); err != nil {
			return err
		}
		for i, doc := range g.Documents {
			if err := doc.write(out, x.LineEnd); err != nil {
				return fmt.Errorf("document %d of group %s: %w", i+1, g.GS.Control, err)
			}
		}
		if err := (Trailer{len(g.Documents), g.GS.Control}).WriteGE(out); err != nil {
			return err
		}
	}
	groups := len(x.Groups)
	if x.Body != nil {
		if err := out.Flush(); err != nil {
			return err
		}
		n, err := x.Body(w)
		if err != nil {
			return err
		}
		groups += n
	}
	// IEA01 counts groups; an interchange of TA1 alone says 0.
	if err := (Trailer{groups, x.ISA.Control}).WriteIEA(out); err != nil {
		return err
	}
	return out.Flush()
}

// Wrap writes one document in an interchange of its own, with the delimiters
// of the document and line ends between envelope segments as lineEnd says.
func Wrap(w io.Writer, isa ISA, gs GS, doc Document, lineEnd string) error {
	x := Interchange{ISA: isa, Delimiters: doc.Delimiters, LineEnd: lineEnd, Groups: []Group{{GS: gs, Documents: []Document{doc}}}}
	return x.Write(w)
}

// write writes the document.
func (doc Document) write(w *edi.Writer, lineEnd string) error {
	from, to := doc.Delimiters, w.Delimiters()
	if from.Segment == 0 {
		from = to
	}
	from.Standard, from.Decimal = to.Standard, to.Decimal
	rewrite := needsRewriting(doc.Bytes, from, to)
	r := edi.NewFragmentReader(doc.Bytes, from, edi.Options{Limits: edi.Limits{Segment: len(doc.Bytes) + 1, Binary: len(doc.Bytes) + 1}})
	count, done := 0, false
	for {
		s, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		count++
		if done || (count == 1) != s.Is("ST") || s.Is("GS") || s.Is("GE") || s.Is("ISA") || s.Is("IEA") {
			return notOne(s)
		}
		if done = s.Is("SE"); done && len(s.Content()) == len(s.Raw) {
			return &edi.SyntaxError{Position: s.Pos, Segment: "SE", Code: edi.CodeEnvelope, Msg: "the segment has no terminator", Hint: "hand over the bytes from ST up to and including SE with its terminator"}
		}
		if rewrite {
			err = w.Rewrite(s, doc.edits(s, count)...)
		} else {
			err = w.WriteEdited(s, doc.edits(s, count)...)
		}
		if err != nil {
			return err
		}
	}
	if !done {
		return &edi.SyntaxError{Segment: "SE", Code: edi.CodeEnvelope, Msg: "the document has no SE", Hint: "hand over the bytes from ST up to and including SE"}
	}
	if rewrite {
		return nil // the line end is written behind every segment
	}
	if tail := r.Trailing(); len(tail) > 0 {
		return w.WriteRaw(tail)
	}
	return w.WriteRaw([]byte(lineEnd))
}

func notOne(s *edi.Segment) error {
	return &edi.SyntaxError{
		Position: s.Pos, Segment: string(s.Tag), Code: edi.CodeEnvelope,
		Msg: "the bytes are not exactly one document", Hint: "hand over the bytes from ST up to and including SE",
	}
}

// needsRewriting tells whether a document written with the delimiters from
// means something else under the delimiters to.
func needsRewriting(b []byte, from, to edi.Delimiters) bool {
	old, young := from.Repetition, to.Repetition
	from.Repetition, to.Repetition = 0, 0
	if from != to {
		return true
	}
	return old != young && (old != 0 && bytes.IndexByte(b, old) >= 0 || young != 0 && bytes.IndexByte(b, young) >= 0)
}

// edits returns what is replaced in segment number count of the document.
func (doc Document) edits(s *edi.Segment, count int) []edi.Edit {
	var e []edi.Edit
	if doc.Recount && s.Is("SE") {
		e = append(e, edi.Edit{Element: 1, Value: strconv.Itoa(count)})
	}
	if doc.Control != "" && (s.Is("SE") || count == 1) {
		e = append(e, edi.Edit{Element: 2, Value: doc.Control})
	}
	return e
}
