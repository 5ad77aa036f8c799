package tree

import (
	"bufio"
	"context"
	"io"

	"tradepost/edi"
	"tradepost/edi/validate"
)

// lineFields begin the line of one document.
type lineFields struct {
	Interchange interchangeFields `json:"interchange"`
	Group       groupFields       `json:"group"`
	documentFields
}

// WriteLines reads EDI and writes one line of JSON for each document, in the
// form of WriteJSON with its interchange and group in front. It is meant for
// other programs; the way back is from WriteJSON.
func WriteLines(ctx context.Context, w io.Writer, r io.Reader, o validate.Options) error {
	j := &jsonWriter{w: bufio.NewWriterSize(w, 64<<10), names: newNames(&o), lines: true}
	o.OnSegment = func(seg *edi.Segment, p *validate.Place) error {
		j.line(seg, p)
		return j.err
	}
	_, err := walk(ctx, r, o)
	if len(j.open) > 0 {
		j.closeTo(0)
		j.text("\n")
	}
	if err == nil {
		err = j.err
	}
	if flushed := j.w.Flush(); err == nil {
		err = flushed
	}
	return err
}

// line writes a segment into the line of its document.
func (j *jsonWriter) line(seg *edi.Segment, p *validate.Place) {
	switch p.Role {
	case validate.InterchangeStart:
		j.d = seg.Delimiters()
	case validate.DocumentStart:
		if len(j.open) > 0 {
			j.closeTo(0) // its trailer is missing
			j.text("\n")
		}
		ic, g, doc := p.Interchange, p.Group, p.Document
		j.head(kindDocument, lineFields{
			Interchange:    interchangeFields{ic.Control, ic.Standard, ic.Version, ic.Sender, ic.Receiver, makeDelimiters(j.d)},
			Group:          groupFields{g.Control, g.Type, g.Version},
			documentFields: documentFields{doc.Control, doc.Type, doc.Guide},
		})
	case validate.Body:
		j.enter(p)
	case validate.DocumentEnd:
		j.closeTo(min(1, len(j.open)))
	}
	if len(j.open) == 0 {
		j.lead = string(seg.Lead)
		return
	}
	if p.Role != validate.Body && p.Role != validate.DocumentStart && p.Role != validate.DocumentEnd {
		return
	}
	j.part()
	j.node(seg, p, string(seg.Lead))
	if p.Role == validate.DocumentEnd {
		j.closeTo(0)
		j.text("\n")
	}
}
