package tree

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"tradepost/edi"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// columns are those of WriteCSV.
func columns() []string {
	return []string{"interchange", "group", "document", "type", "segment", "path", "tag", "element", "repeat", "component", "name", "value", "meaning"}
}

// WriteCSV reads EDI and writes a row for each value that is not empty, for
// spreadsheets and databases: control numbers of interchange, group and
// document, document type, number of the segment in the document (in the
// interchange, where it stands outside of documents), loops around it, tag,
// element, repetition, component (empty for an element without), the names a
// guide gives them, and the value. There is no way back from it.
func WriteCSV(ctx context.Context, w io.Writer, r io.Reader, o validate.Options) error {
	c := &csvWriter{w: csv.NewWriter(w), names: newNames(&o), row: make([]string, len(columns()))}
	if err := c.w.Write(columns()); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	o.OnSegment = c.segment
	_, err := walk(ctx, r, o)
	c.w.Flush()
	if err == nil && c.w.Error() != nil {
		err = fmt.Errorf("writing CSV: %w", c.w.Error())
	}
	return err
}

type csvWriter struct {
	w       *csv.Writer
	names   *names
	text    texter
	row     []string
	ordinal int
}

func (c *csvWriter) segment(seg *edi.Segment, p *validate.Place) error {
	c.ordinal++
	switch p.Role {
	case validate.InterchangeStart:
		c.text.begin(seg)
		c.ordinal = 1
	case validate.DocumentStart:
		c.ordinal = 1
	}
	clear(c.row)
	if p.Interchange != nil {
		c.row[0] = p.Interchange.Control
	}
	if p.Group != nil {
		c.row[1] = p.Group.Control
	}
	if p.Document != nil {
		c.row[2], c.row[3] = p.Document.Control, p.Document.Type
	}
	c.row[4] = strconv.Itoa(c.ordinal)
	path := make([]string, len(p.Loops))
	for i, l := range p.Loops {
		if path[i] = l.Name; l.Level != "" {
			path[i] += "[" + l.Level + "]"
		}
	}
	c.row[5], c.row[6] = strings.Join(path, "/"), string(seg.Tag)
	layout := c.names.layout(seg, p)
	for i := 1; i <= seg.Len(); i++ {
		var use *schema.Use
		if layout != nil && i <= len(layout.Uses) {
			use = &layout.Uses[i-1]
		}
		if err := c.element(seg.Element(i), i, use); err != nil {
			return err
		}
	}
	return nil
}

func (c *csvWriter) element(e edi.Element, number int, use *schema.Use) error {
	if e.Empty() {
		return nil
	}
	c.row[7] = strconv.Itoa(number)
	repeats := max(e.Repeats(), 1)
	for k := 1; k <= repeats; k++ {
		one := e
		if c.row[8] = ""; repeats > 1 {
			one, c.row[8] = e.Repeat(k), strconv.Itoa(k)
		}
		n := max(one.Components(), 1)
		for j := 1; j <= n; j++ {
			part := use
			if use != nil && use.Composite != nil && j <= len(use.Composite.Uses) {
				part = &use.Composite.Uses[j-1]
			}
			c.row[9] = ""
			if n > 1 || use != nil && use.Composite != nil {
				c.row[9] = strconv.Itoa(j)
			}
			if err := c.value(one.Component(j), part); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *csvWriter) value(v edi.Value, use *schema.Use) error {
	if v.Empty() {
		return nil
	}
	text, plain := c.text.of(v)
	c.row[10], c.row[11], c.row[12] = "", string(text), ""
	if use != nil {
		c.row[10] = use.Name
		if code, ok := use.Codes.Find(plain); ok {
			c.row[12] = code.Name
		}
	}
	if err := c.w.Write(c.row); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}
