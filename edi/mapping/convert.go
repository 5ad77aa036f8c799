package mapping

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// Format is how documents are written down.
type Format string

// The formats. Forms are JSON, XML or CSV; EDI is what the guide says.
const (
	EDI       Format = "edi"   // X12 or EDIFACT interchanges
	JSON      Format = "json"  // one document an object, several an array of objects
	JSONLines Format = "jsonl" // an object a line
	XML       Format = "xml"   // one document an element, several inside of <documents>
	CSV       Format = "csv"   // rows, as the form's csv section says
)

// Options say how to convert. The zero value converts forward, with JSON on
// the side of the form.
type Options struct {
	Way Way

	// Form is the format of the side that is a form, JSON when empty.
	Form Format

	// Validate holds the catalog of guides, the profile and who may choose
	// guides when the input is EDI. What it says of streams and events is not
	// used.
	Validate validate.Options

	// Guide replaces the guide of the EDI side of its document type: a
	// partner's guide, or another release.
	Guide *schema.Guide

	// Envelope is what EDI is put into when it is written.
	Envelope Envelope

	// MaxDocument bounds one document in memory, in bytes; default 64 MiB.
	MaxDocument int

	// OnDocument is called for every document of the input, in order; an error
	// stops the conversion and is returned.
	OnDocument func(*Document) error
}

const defaultMaxDocument = 64 << 20

// Document tells what became of one document of the input.
type Document struct {
	Number   int    // in the input, from 1
	Type     string // 850, ORDERS, or the name of the form
	Control  string // ST02 or UNH 0062; empty in forms
	Guide    string // it was read with; empty in forms
	Accepted bool   // it is valid under that guide; true for a form without faults
	Issues   []*validate.Issue

	// Written tells that the document was mapped and written. It is not when
	// there are Faults, or when Skipped says why the map is not for it.
	Written bool
	Skipped string
	Faults  []Fault
	Omitted int // faults beyond the first hundred

	// Left are the values of the input that no line of the map carries, at
	// most a hundred.
	Left []Fault

	// Bytes are the document as it was written: an object, an element, rows,
	// or ST to SE. They are valid during the call of OnDocument only.
	Bytes []byte
}

// Summary counts what a conversion did.
type Summary struct {
	Documents int // in the input
	Written   int // mapped and written
	Failed    int // not written because of faults
	Skipped   int // not for this map
	Invalid   int // EDI, written or not, that is not valid under its guide
	Left      int // values the map does not carry
}

// ErrInput says that the input as a whole is not what the map reads: no EDI, no
// JSON, a sheet without the columns that are needed.
var ErrInput = errors.New("the input cannot be read")

// Convert reads documents one by one, maps each and writes it. What goes wrong
// with one document is in its report and leaves the others alone; the error is
// that of the input as a whole, of the output, of OnDocument or of the
// context. One document at a time is held in memory.
func (m *Map) Convert(ctx context.Context, w io.Writer, r io.Reader, o Options) (Summary, error) {
	if err := m.check(o.Way); err != nil {
		return Summary{}, err
	}
	if o.Form == "" {
		o.Form = JSON
	}
	if o.MaxDocument <= 0 {
		o.MaxDocument = defaultMaxDocument
	}
	c := &conversion{m: m, o: o, ctx: ctx, run: run{machine: &machine{}}}
	from, to := m.sides(o.Way)
	if err := c.output(w, to); err != nil {
		return Summary{}, err
	}
	var err error
	if from.form != nil {
		err = c.fromForm(r, from.form)
	} else {
		err = c.fromEDI(r)
	}
	if closed := c.out.close(); err == nil {
		err = closed
	}
	return c.sum, err
}

// conversion is one call of Convert, which is why it may hold the context.
type conversion struct {
	m   *Map
	o   Options
	ctx context.Context //nolint:containedctx // see above
	run run
	sum Summary
	out output

	source ediDoc
	form   formDoc
	target ediOut

	to       *schema.Guide // written, nil for a form
	reading  *program      // of the document being read, nil when the map is not for it
	first    int           // ordinal of its first segment
	tooLarge bool
	skipped  string
	envelope *validate.Interchange // it stands in
}

// output chooses where documents go.
func (c *conversion) output(w io.Writer, to *sideModel) error {
	switch {
	case to.form == nil:
		c.to = to.guides[0]
		if g := c.o.Guide; g != nil && g.Standard == c.to.Standard && g.Type == c.to.Type {
			c.to = g
		}
		from, _ := c.m.sides(c.o.Way)
		out, err := newEDIOutput(w, c.to, c.o.Envelope, from.form == nil)
		c.out = out
		return err
	case c.o.Form == JSON:
		c.out = &jsonOutput{w: w}
	case c.o.Form == JSONLines:
		c.out = &linesOutput{w: w}
	case c.o.Form == XML:
		c.out = &xmlOutput{w: w}
	case c.o.Form == CSV:
		out, err := newCSVOutput(w, to.form)
		c.out = out
		return err
	default:
		return fmt.Errorf("documents of form %s are not written as %q: json, jsonl, xml or csv", to.form.Name, c.o.Form)
	}
	return nil
}

// formSource reads documents of a form one by one.
type formSource interface {
	next() ([]Fault, error)
}

// fromForm converts documents of a form.
func (c *conversion) fromForm(r io.Reader, f *Form) error {
	c.form.form = f
	var in formSource
	var err error
	switch c.o.Form {
	case JSON, JSONLines:
		in = newJSONSource(r, c.o.MaxDocument, &c.form)
	case XML:
		in = newXMLSource(r, c.o.MaxDocument, &c.form)
	case CSV:
		in, err = newCSVSource(r, c.o.MaxDocument, &c.form)
	default:
		return fmt.Errorf("documents of form %s are not read from %q: json, jsonl, xml or csv", f.Name, c.o.Form)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInput, err)
	}
	var p *program
	if c.o.Way == Backward {
		p, err = c.m.program(c.to, nil)
	} else {
		p, err = c.m.program(nil, c.to)
	}
	if err != nil {
		return err
	}
	for {
		if err := c.ctx.Err(); err != nil {
			return fmt.Errorf("converting: %w", err)
		}
		faults, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrInput, err)
		}
		doc := &Document{Type: f.Name, Accepted: len(faults) == 0, Faults: faults}
		if len(faults) == 0 {
			c.start(p, &c.form)
			c.leftFields(p, f)
		}
		if err := c.finish(doc); err != nil {
			return err
		}
	}
}

// start runs the map into the target.
func (c *conversion) start(p *program, from source) {
	if c.to != nil {
		info := p.to
		if c.o.Way == Backward {
			info = p.from
		}
		c.target.reset(info.guide)
		c.out.(*ediOutput).prepare(&c.target)
		c.run.start(c.ctx, p, c.o.Way, from, &c.target)
		return
	}
	info := p.to
	if c.o.Way == Backward {
		info = p.from
	}
	c.form.reset(info.form)
	c.run.start(c.ctx, p, c.o.Way, from, &c.form)
}

// leftFields notes the values of a form that no line has read. One that must
// not be lost is a fault.
func (c *conversion) leftFields(p *program, f *Form) {
	c.form.leftOver(func(at int32, field *Field) {
		s := &c.form.slots[at]
		constant, derived := p.derived[field]
		if derived && (constant == nil || bytes.Equal(constant, c.form.text[s.from:s.to])) || len(c.run.notes) >= maxProblems {
			return
		}
		where := Location{Path: c.form.pathOf(at), Offset: c.form.base + int64(s.offset)}
		if field.Kind.isScalar() {
			where.Value = clip(c.form.text[s.from:s.to])
		}
		note := Fault{Text: "no line of the map carries it", Source: where}
		if field.Essential {
			note.Text = fmt.Sprintf("no line of map %s carries it, and form %s says that it must not be lost", c.m.Name(), f.Name)
			c.run.faults = append(c.run.faults, note)
			return
		}
		c.run.notes = append(c.run.notes, note)
	})
}

// finish completes the report of a document, writes it and hands it over.
func (c *conversion) finish(doc *Document) error {
	c.sum.Documents++
	doc.Number = c.sum.Documents
	if c.run.stopped != nil {
		return fmt.Errorf("converting: %w", c.run.stopped)
	}
	if doc.Skipped == "" && len(doc.Faults) == 0 {
		doc.Faults, doc.Omitted, doc.Left = c.run.faults, c.run.omitted, append(doc.Left, c.run.notes...)
	}
	c.run.faults, c.run.notes, c.run.omitted = nil, nil, 0
	switch {
	case doc.Skipped != "":
		c.sum.Skipped++
	case len(doc.Faults) == 0:
		written, err := c.out.write(c, doc)
		if err != nil {
			return err
		}
		if doc.Bytes = written; len(doc.Faults) == 0 {
			doc.Written = true
			c.sum.Written++
		}
	}
	if len(doc.Faults) > 0 {
		c.sum.Failed++
	}
	if !doc.Accepted && doc.Guide != "" {
		c.sum.Invalid++
	}
	c.sum.Left += len(doc.Left)
	if c.o.OnDocument != nil {
		return c.o.OnDocument(doc)
	}
	return nil
}
