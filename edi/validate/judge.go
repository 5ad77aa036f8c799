package validate

import (
	"context"

	"tradepost/edi"
	"tradepost/edi/schema"
)

// judgement is the verdict on one document, reached apart from the walk over
// the input. Its positions count from the start of its run.
type judgement struct {
	run      *run
	doc      *Document
	from, to int          // in the data of the block
	before   edi.Position // behind the segment before
	last     edi.Position // of the trailer
	behind   edi.Position // behind the trailer
	errors   int
	warnings int
	noAck    bool // its group is never acknowledged
}

// windowIssues is how many issues the documents of all blocks together may
// keep, about. What comes behind is left to the walk.
const windowIssues = 40_000

var tagBIN, tagBDS = schema.MakeTag("BIN"), schema.MakeTag("BDS")

// judge walks documents under their headers.
type judge struct {
	v      *validator
	ended  *Document // the document that the last segment ended
	header []byte
	most   int // issues the documents of one block may keep, about
}

func newJudge(ctx context.Context, o Options, window int) *judge {
	j := &judge{most: max(windowIssues/window, 1)}
	o.Stream, o.History = true, nil
	o.OnGroup, o.OnInterchange = nil, nil
	o.OnDocument = func(_ *Interchange, _ *Group, d *Document) error {
		j.ended = d
		return nil
	}
	j.v = newValidator(ctx, o)
	j.v.apart = true
	j.v.reader = edi.NewBytesReader(nil, edi.Options{Limits: o.Limits})
	return j
}

// block judges the documents of a block, as far as they are ordinary.
func (j *judge) block(b *block) {
	issues := 0
	for i := range b.runs {
		r := &b.runs[i]
		if !j.headers(r) {
			continue
		}
		j.v.reader.ResetFragment(b.data[r.from:r.to], r.delims)
		for issues < j.most {
			verdict, ok := j.document()
			if !ok {
				break
			}
			verdict.run = r
			verdict.from, verdict.to = r.from+int(verdict.before.Offset), r.from+int(verdict.behind.Offset)
			b.judgements = append(b.judgements, verdict)
			issues += len(verdict.doc.Issues)
		}
	}
}

// headers walks the headers of a run and tells whether documents under them
// can be judged.
func (j *judge) headers(r *run) bool {
	v := j.v
	v.ic, v.gr, v.doc, v.seg = nil, nil, nil, nil
	v.report, v.input = &Report{}, scope{}
	j.header = append(append(j.header[:0], r.header...), r.group...)
	v.reader.ResetBytes(j.header)
	for int(v.reader.Offset()) < len(j.header) {
		seg, err := v.reader.Next()
		if err != nil {
			return false
		}
		v.seg = seg
		if err := v.segment(seg); err != nil {
			return false
		}
	}
	v.kept = 0
	return v.ic != nil && v.reader.Delimiters() == r.delims
}

// document judges the next document of a fragment. It returns false when there
// is none, and when anything about it is out of the ordinary: then what it does
// to the interchange around it is for the walk to find out.
func (j *judge) document() (judgement, bool) {
	v := j.v
	verdict := judgement{before: v.reader.Position()}
	errors, warnings := v.report.Errors, v.report.Warnings
	j.ended = nil
	for j.ended == nil {
		seg, err := v.reader.Next()
		if err != nil || len(v.reader.Notices()) > 0 {
			return verdict, false
		}
		tag := schema.MakeTag(seg.Tag)
		switch {
		case v.doc == nil:
			if tag != tagST && tag != tagUNH {
				return verdict, false
			}
		case tag == tagSE || tag == tagUNT:
		case tag == tagISA || tag == tagIEA || tag == tagGS || tag == tagGE || tag == tagST || tag == tagBIN || tag == tagBDS || isEdifactService(tag):
			return verdict, false
		}
		v.seg = seg
		if err := v.segment(seg); err != nil || v.doc == nil && j.ended == nil {
			return verdict, false
		}
		v.last, v.end = seg.Pos, seg.End()
	}
	verdict.doc, verdict.last, verdict.behind = j.ended, v.last, v.reader.Position()
	verdict.errors, verdict.warnings = v.report.Errors-errors, v.report.Warnings-warnings
	verdict.noAck = v.gr.NoAck
	// Issues that are not the document's own belong to what is around it.
	return verdict, verdict.doc.Extent.Complete && verdict.errors+verdict.warnings == len(verdict.doc.Issues)+verdict.doc.Omitted
}
