package edifact

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"tradepost/edi"
)

// Interchange is an interchange to be written: the header and documents whose
// bytes exist already, in groups or not. The counts of UNE and UNZ are made
// here; everything else is the caller's.
type Interchange struct {
	UNB        UNB
	Delimiters edi.Delimiters // the zero value is edi.DefaultEDIFACT of UNB.Version
	AlwaysUNA  bool           // write a UNA even when the delimiters are the default ones
	LineEnd    string         // behind every envelope segment and document: "", "\n" or "\r\n"
	Groups     []Group        // either groups
	Documents  []Document     // or documents without

	// Body, when it is set, writes further groups or documents, whole and with
	// their line ends, and gives their number: of those too long to be held.
	Body func(io.Writer) (int, error)
}

// Group is a group of an Interchange.
type Group struct {
	UNG       UNG
	Documents []Document
}

// Document is one document, UNH up to and including UNT with its terminator,
// as it was cut from a payload or made by a Writer.
type Document struct {
	Bytes []byte
	// Delimiters are those of Bytes; the zero value means those of the
	// interchange it goes into. When they differ the document is rewritten with
	// the interchange's delimiters; otherwise its bytes stay as they are.
	Delimiters edi.Delimiters
	// Control replaces the reference in UNH 0062 and UNT 0062 when it is not
	// empty. Every other byte of the document stays.
	Control string
	// Recount replaces UNT 0074 with the number of segments found.
	Recount bool
}

// Write writes the interchange to w. UNA is written when the delimiters are not
// those that a UNB without UNA implies.
func (x *Interchange) Write(w io.Writer) error {
	version, _ := strconv.Atoi(or(x.UNB.Version, "3"))
	standard := edi.DefaultEDIFACT(version)
	d := x.Delimiters
	if d.Segment == 0 {
		d = standard
	}
	if d.Standard = edi.EDIFACT; version < 4 {
		d.Repetition = 0
	}
	if err := d.Validate(); err != nil {
		return err
	}
	if len(x.Groups) > 0 && len(x.Documents) > 0 {
		return &edi.SyntaxError{Segment: "UNG", Code: edi.CodeEnvelope, Msg: "documents stand both in groups and outside", Hint: "an interchange has either groups or documents"}
	}
	out := edi.NewWriter(w, d, edi.WriterOptions{LineEnd: x.LineEnd})
	if x.AlwaysUNA || d != standard {
		una, err := AppendUNA(nil, d)
		if err != nil {
			return err
		}
		if err := out.WriteRaw(append(una, x.LineEnd...)); err != nil {
			return err
		}
	}
	if err := x.UNB.Write(out); err != nil {
		return err
	}
	for _, g := range x.Groups {
		if err := g.write(out, x.LineEnd); err != nil {
			return err
		}
	}
	for i, doc := range x.Documents {
		if err := doc.write(out, x.LineEnd); err != nil {
			return fmt.Errorf("document %d: %w", i+1, err)
		}
	}
	count := len(x.Groups) + len(x.Documents)
	if x.Body != nil {
		if err := out.Flush(); err != nil {
			return err
		}
		n, err := x.Body(w)
		if err != nil {
			return err
		}
		count += n
	}
	if err := (Trailer{count, x.UNB.Control}).WriteUNZ(out); err != nil {
		return err
	}
	return out.Flush()
}

func (g *Group) write(out *edi.Writer, lineEnd string) error {
	if err := g.UNG.Write(out); err != nil {
		return err
	}
	for i, doc := range g.Documents {
		if err := doc.write(out, lineEnd); err != nil {
			return fmt.Errorf("document %d of group %s: %w", i+1, g.UNG.Control, err)
		}
	}
	return Trailer{len(g.Documents), g.UNG.Control}.WriteUNE(out)
}

// Wrap writes one document in an interchange of its own, with the delimiters
// of the document and line ends between envelope segments as lineEnd says.
func Wrap(w io.Writer, unb UNB, doc Document, lineEnd string) error {
	x := Interchange{UNB: unb, Delimiters: doc.Delimiters, LineEnd: lineEnd, Documents: []Document{doc}}
	return x.Write(w)
}

// write writes the document.
func (doc Document) write(w *edi.Writer, lineEnd string) error {
	from, to := doc.Delimiters, w.Delimiters()
	if from.Segment == 0 {
		from = to
	}
	from.Standard = edi.EDIFACT
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
		level, _ := edi.Envelope(s)
		if done || (count == 1) != s.Is("UNH") || level != 0 && level != edi.LevelDocument {
			return &edi.SyntaxError{
				Position: s.Pos, Segment: string(s.Tag), Code: edi.CodeEnvelope,
				Msg: "the bytes are not exactly one document", Hint: "hand over the bytes from UNH up to and including UNT",
			}
		}
		if done = s.Is("UNT"); done && len(s.Content()) == len(s.Raw) {
			return &edi.SyntaxError{Position: s.Pos, Segment: "UNT", Code: edi.CodeEnvelope, Msg: "the segment has no terminator", Hint: "hand over the bytes from UNH up to and including UNT with its terminator"}
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
		return &edi.SyntaxError{Segment: "UNT", Code: edi.CodeEnvelope, Msg: "the document has no UNT", Hint: "hand over the bytes from UNH up to and including UNT"}
	}
	if rewrite {
		return nil // the line end is written behind every segment
	}
	if tail := r.Trailing(); len(tail) > 0 {
		return w.WriteRaw(tail)
	}
	return w.WriteRaw([]byte(lineEnd))
}

// needsRewriting tells whether a document written with the delimiters from
// means something else under the delimiters to. The decimal mark is no reason:
// receivers accept either mark whatever UNA says.
func needsRewriting(b []byte, from, to edi.Delimiters) bool {
	old, young := from.Repetition, to.Repetition
	from.Repetition, to.Repetition = 0, 0
	from.Decimal, to.Decimal = 0, 0
	if from != to {
		return true
	}
	return old != young && (old != 0 && bytes.IndexByte(b, old) >= 0 || young != 0 && bytes.IndexByte(b, young) >= 0)
}

// edits returns what is replaced in segment number count of the document.
func (doc Document) edits(s *edi.Segment, count int) []edi.Edit {
	var e []edi.Edit
	if doc.Recount && s.Is("UNT") {
		e = append(e, edi.Edit{Element: 1, Value: strconv.Itoa(count)})
	}
	if doc.Control != "" {
		switch {
		case count == 1:
			e = append(e, edi.Edit{Element: 1, Value: doc.Control})
		case s.Is("UNT"):
			e = append(e, edi.Edit{Element: 2, Value: doc.Control})
		}
	}
	return e
}
