package mapping

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
)

// output is where mapped documents go.
type output interface {
	// write writes the document that was mapped and returns its bytes. Faults
	// found on the way are added to its report, and then nothing is written.
	write(c *conversion, doc *Document) ([]byte, error)
	// close ends the output.
	close() error
}

// jsonOutput writes one document as an object and several as an array: it
// holds the first back until a second comes.
type jsonOutput struct {
	w     io.Writer
	held  []byte
	count int
	buf   []byte
}

func (o *jsonOutput) write(c *conversion, _ *Document) ([]byte, error) {
	o.buf = c.form.appendJSON(o.buf[:0], true)
	o.count++
	var err error
	switch o.count {
	case 1:
		o.held = bytes.Clone(o.buf)
	case 2:
		_, err = fmt.Fprintf(o.w, "[%s,\n%s", o.held, o.buf)
		o.held = nil
	default:
		_, err = fmt.Fprintf(o.w, ",\n%s", o.buf)
	}
	return o.buf, err
}

func (o *jsonOutput) close() error {
	var err error
	switch {
	case o.count == 1:
		_, err = fmt.Fprintf(o.w, "%s\n", o.held)
	case o.count > 1:
		_, err = io.WriteString(o.w, "]\n")
	}
	return err
}

// linesOutput writes an object a line.
type linesOutput struct {
	w   io.Writer
	buf []byte
}

func (o *linesOutput) write(c *conversion, _ *Document) ([]byte, error) {
	o.buf = append(c.form.appendJSON(o.buf[:0], false), '\n')
	_, err := o.w.Write(o.buf)
	return o.buf, err
}

func (o *linesOutput) close() error { return nil }

// xmlOutput writes one document as an element and several inside of another.
type xmlOutput struct {
	w     io.Writer
	held  []byte
	count int
	buf   []byte
}

const (
	xmlHead  = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	xmlOpen  = "<documents>\n"
	xmlClose = "</documents>\n"
)

func (o *xmlOutput) write(c *conversion, _ *Document) ([]byte, error) {
	o.buf = c.form.appendXML(o.buf[:0])
	o.count++
	var err error
	switch o.count {
	case 1:
		o.held = bytes.Clone(o.buf)
	case 2:
		_, err = fmt.Fprintf(o.w, "%s%s%s%s", xmlHead, xmlOpen, o.held, o.buf)
		o.held = nil
	default:
		_, err = o.w.Write(o.buf)
	}
	return o.buf, err
}

func (o *xmlOutput) close() error {
	var err error
	switch {
	case o.count == 1:
		_, err = fmt.Fprintf(o.w, "%s%s", xmlHead, o.held)
	case o.count > 1:
		_, err = io.WriteString(o.w, xmlClose)
	}
	return err
}

// csvOutput writes rows under one heading.
type csvOutput struct {
	w       io.Writer
	columns []column
	comma   rune
	headed  bool
	buf     bytes.Buffer
}

func newCSVOutput(w io.Writer, f *Form) (*csvOutput, error) {
	columns, bad := f.columns()
	if bad != "" {
		return nil, errors.New(bad)
	}
	return &csvOutput{w: w, columns: columns, comma: cmp.Or(f.Sheet.Separator, ',')}, nil
}

func (o *csvOutput) write(c *conversion, doc *Document) ([]byte, error) {
	rows, left := c.form.rows(o.columns)
	doc.Left = append(doc.Left, left...)
	o.buf.Reset()
	out := csv.NewWriter(&o.buf)
	out.Comma = o.comma
	if !o.headed {
		titles := make([]string, len(o.columns))
		for i, col := range o.columns {
			titles[i] = col.title
		}
		rows = append([][]string{titles}, rows...)
		o.headed = true
	}
	if err := out.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("writing CSV: %w", err)
	}
	_, err := o.w.Write(o.buf.Bytes())
	return o.buf.Bytes(), err
}

func (o *csvOutput) close() error { return nil }
