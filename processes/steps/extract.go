package steps

import (
	"bytes"
	"context"
	"fmt"

	"tradepost/edi"
	"tradepost/partners"
	"tradepost/processes"
)

// Extract is the step that cuts an inbound document out of what the partner
// sent and puts it into an interchange of its own, under the partner's own
// headers: the back office gets one document a file, byte for byte as it was.
type Extract struct{ c Config }

// NewExtract returns the step.
func NewExtract(c Config) *Extract { return &Extract{c} }

// Name implements processes.Step.
func (*Extract) Name() string { return "extract" }

// Run implements processes.Step.
func (s *Extract) Run(ctx context.Context, x *processes.Execution) (processes.Result, error) {
	c, err := s.c.carry(ctx, x)
	if err != nil {
		return processes.Result{}, err
	}
	d := c.document
	rule, ok := c.agreement.Rule(partners.Inbound, d.Type)
	if !ok {
		return processes.Result{}, processes.Permanent(fmt.Errorf("the agreement with %s no longer covers inbound documents %s", d.Partner, d.Type))
	}
	own, err := c.frame.around(c.bytes)
	if err != nil {
		return processes.Result{}, processes.Permanent(err)
	}
	content, err := s.c.Archive.Put(ctx, bytes.NewReader(own))
	if err != nil {
		return processes.Result{}, err
	}
	err = processes.PutParcel(x.Run, &processes.Parcel{
		Connection: rule.Deliver, Content: content, ContentType: contentType(d.Standard),
		Filename: fmt.Sprintf("%s-%s-%s.edi", d.Type, d.Partner, c.frame.Control),
		Subject:  fmt.Sprintf("%s from %s", d.Type, d.Partner),
	})
	return processes.Result{Detail: fmt.Sprintf("%s %s in an interchange of its own, %d bytes", d.Type, d.Control, content.Size)}, err
}

// around writes the frame's headers, the document, and trailers that close
// just this one.
func (f *Frame) around(document []byte) ([]byte, error) {
	end := lineEnd(document)
	var b bytes.Buffer
	put := func(segment []byte) {
		if len(segment) > 0 {
			b.Write(segment)
			b.WriteString(end)
		}
	}
	put(f.Head)
	put(f.Group)
	put(document)
	w := edi.NewWriter(&b, f.Delimiters, edi.WriterOptions{LineEnd: end})
	trailer, groupTrailer := "IEA", "GE"
	if f.Delimiters.Standard == edi.EDIFACT {
		trailer, groupTrailer = "UNZ", "UNE"
	}
	if len(f.Group) > 0 {
		if err := w.Write(groupTrailer, "1", f.GroupControl); err != nil {
			return nil, err
		}
	}
	if err := w.Write(trailer, "1", f.Control); err != nil {
		return nil, err
	}
	err := w.Flush()
	return b.Bytes(), err
}

// lineEnd returns what stands behind the segments of a document: a line end
// or nothing.
func lineEnd(document []byte) string {
	i := bytes.IndexAny(document, "\r\n")
	switch {
	case i < 0:
		return ""
	case document[i] == '\r' && i+1 < len(document) && document[i+1] == '\n':
		return "\r\n"
	}
	return string(document[i : i+1])
}

// contentType returns the media type of a standard (RFC 1767).
func contentType(standard string) string {
	if standard == edi.EDIFACT.String() {
		return "application/EDIFACT"
	}
	return "application/EDI-X12"
}
