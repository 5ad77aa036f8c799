package tree

import (
	"context"
	"io"

	"tradepost/edi"
	"tradepost/edi/validate"
)

// WriteLines reads EDI and writes one line of JSON for each document, in the
// form of WriteJSON with its interchange and group in front. It is meant for
// other programs; the way back is from WriteJSON.
func WriteLines(ctx context.Context, w io.Writer, r io.Reader, o validate.Options) error {
	j := &jsonWriter{w: w, names: newNames(&o), lines: true}
	o.OnSegment = func(seg *edi.Segment, p *validate.Place) error {
		j.line(seg, p)
		return j.err
	}
	_, err := walk(ctx, r, o)
	if len(j.open) > 0 {
		j.closeTo(0)
		j.text("\n")
	}
	if flushed := j.flush(); err == nil {
		err = flushed
	}
	return err
}

// line writes a segment into the line of its document.
func (j *jsonWriter) line(seg *edi.Segment, p *validate.Place) {
	switch p.Role {
	case validate.InterchangeStart:
		j.enc.d = seg.Delimiters()
		j.enc.text.begin(seg)
	case validate.DocumentStart:
		if len(j.open) > 0 {
			j.closeTo(0) // its trailer is missing
			j.text("\n")
		}
		j.text(`{"interchange":`)
		j.interchange(p.Interchange)
		j.text(`},"group":`)
		j.group(p.Group)
		j.text("}")
		j.document(p.Document, false)
		j.begin(kindDocument)
	case validate.Body:
		if len(j.open) > 0 {
			j.enter(p)
		}
	case validate.DocumentEnd:
		j.closeTo(min(1, len(j.open)))
	}
	if len(j.open) == 0 {
		j.lead = append(j.lead[:0], seg.Lead...)
		return
	}
	if p.Role != validate.Body && p.Role != validate.DocumentStart && p.Role != validate.DocumentEnd {
		return
	}
	j.part()
	j.node(seg, p, false)
	if p.Role == validate.DocumentEnd {
		j.closeTo(0)
		j.text("\n")
	}
}
