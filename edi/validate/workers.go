package validate

import (
	"context"
	"fmt"
	"io"
	"sync"

	"tradepost/edi"
	"tradepost/edi/schema"
)

// workers judge the documents of an input ahead of the walk over it. The walk
// takes a judgement where it comes to the very document under the very headers,
// and reads as ever what lies between, what is odd, and what was not judged. So
// the report is that of the walk alone, whatever the splitter takes for a
// document.
//
// A window of blocks goes round: the splitter fills one, a worker judges it,
// the walk takes it, and the splitter gets it back.
type workers struct {
	free    chan *block
	ordered chan *block // as they stand in the input
	work    chan *block
	stop    chan struct{}
	running sync.WaitGroup
	err     error // of the input, set when ordered is closed

	block     *block // the walk is in
	at, plain int    // its data[at:plain] is to be read by the walk
	next      int    // of its judgements

	header, group []byte // the walk stands under
	una           bool   // the segment before was UNA
}

// startWorkers begins to read r. The caller must call close.
func startWorkers(ctx context.Context, r io.Reader, o Options) *workers {
	window := 8 * o.Workers // blocks: one that waits for its worker must not hold up the others
	w := &workers{
		free: make(chan *block, window), ordered: make(chan *block, window), work: make(chan *block, window),
		stop: make(chan struct{}),
	}
	for range window {
		w.free <- &block{judged: make(chan struct{}, 1)}
	}
	w.running.Go(func() { w.split(newSplitter(r, &o, window)) })
	for range o.Workers {
		w.running.Go(func() {
			j := newJudge(ctx, o, window)
			for b := range w.work {
				if ctx.Err() == nil {
					j.block(b)
				}
				b.judged <- struct{}{}
			}
		})
	}
	return w
}

// close ends all goroutines.
func (w *workers) close() {
	close(w.stop)
	w.running.Wait()
}

// split cuts the input into blocks until its end.
func (w *workers) split(s *splitter) {
	defer close(w.ordered)
	defer close(w.work)
	var left []byte
	for {
		var b *block
		select {
		case b = <-w.free:
		case <-w.stop:
			return
		}
		left, w.err = s.fill(b, left)
		if len(b.runs) > 0 {
			w.work <- b
		} else {
			b.judged <- struct{}{}
		}
		w.ordered <- b
		if w.err != nil {
			return
		}
	}
}

// load makes the block that holds the next byte the current one. It returns
// false at the end of the input.
func (w *workers) load() bool {
	for w.block == nil || w.at == len(w.block.data) {
		if w.block != nil {
			w.free <- w.block
		}
		w.at, w.plain, w.next = 0, 0, 0
		if w.block = <-w.ordered; w.block == nil {
			return false
		}
		<-w.block.judged
	}
	return true
}

// verdict returns the judgement of the document that begins at the next byte,
// nil when there is none.
func (w *workers) verdict() *judgement {
	if w.at < w.plain || !w.load() {
		return nil
	}
	if all := w.block.judgements; w.next < len(all) && all[w.next].from == w.at {
		return &all[w.next]
	}
	return nil
}

// taken passes over the document that verdict gave.
func (w *workers) taken(j *judgement) {
	w.at, w.plain = j.to, j.to
	w.next++
}

// Read gives the walk what it has to read itself: what was not judged, and a
// document whose judgement it did not take.
func (w *workers) Read(p []byte) (int, error) {
	if w.at == w.plain {
		if !w.load() {
			return 0, w.err
		}
		w.plain = len(w.block.data)
		if all := w.block.judgements; w.next < len(all) {
			w.plain = all[w.next].from
			if w.at == w.plain {
				w.plain = all[w.next].to
				w.next++
			}
		}
	}
	n := copy(p, w.block.data[w.at:w.plain])
	w.at += n
	return n, nil
}

// saw notes the headers that the walk comes by.
func (w *workers) saw(seg *edi.Segment) {
	una := false
	switch string(seg.Tag) {
	case "ISA", "UNA":
		w.header, w.group = append(w.header[:0], seg.Raw...), w.group[:0]
		una = seg.Is("UNA")
	case "UNB":
		if !w.una {
			w.header = w.header[:0]
		}
		w.header, w.group = append(w.header, seg.Raw...), w.group[:0]
	case "GS", "UNG":
		w.group = append(w.group[:0], seg.Raw...)
	case "GE", "UNE":
		w.group = w.group[:0]
	}
	w.una = una
}

// under tells whether the walk stands under the headers of a run.
func (w *workers) under(r *run) bool {
	return string(w.header) == r.header && string(w.group) == r.group
}

// takeJudged takes the documents that were judged as far as they fit.
func (v *validator) takeJudged() error {
	w := v.workers
	for v.ic != nil && v.doc == nil && v.reader.CanSkip() {
		j := w.verdict()
		if j == nil || !w.under(j.run) || j.run.delims != v.reader.Delimiters() {
			return nil
		}
		if v.gr == nil && (v.ic.Standard == schema.X12 || v.groupNo > 0) {
			return nil
		}
		if err := v.ctx.Err(); err != nil {
			return fmt.Errorf("validating: %w", err)
		}
		if ok, err := v.take(j); !ok || err != nil {
			return err
		}
	}
	return nil
}

// take makes a judged document the next one of the walk. It returns false when
// the document has to be walked through, because its control number has.
func (v *validator) take(j *judgement) (bool, error) {
	doc := j.doc
	here := v.reader.Position()
	if v.gr == nil {
		v.openBareGroup(edi.Position{Offset: here.Offset + doc.Extent.Offset - j.before.Offset, Ordinal: here.Ordinal + 1})
	}
	if doc.Control != "" {
		if v.docControls.has(doc.Control) || len(v.docControls.others) >= maxNumbers {
			return false, nil // there is something to report
		}
		if seen, err := v.seen(v.documentReference(doc)); seen || err != nil {
			return false, err
		}
		v.docControls.add(doc.Control)
	}
	doc.move(here, j.before)
	v.docNo++
	v.gr.Received++
	v.gr.NoAck = v.gr.NoAck || j.noAck
	if !v.o.Stream {
		v.gr.Documents = append(v.gr.Documents, doc)
	}
	if more := len(doc.Issues) - max(v.o.MaxIssues-v.kept, 0); more > 0 {
		doc.Issues = doc.Issues[:len(doc.Issues)-more]
		doc.Omitted += more
	}
	v.report.Errors += j.errors
	v.report.Warnings += j.warnings
	v.report.Omitted += doc.Omitted
	v.kept += len(doc.Issues)
	v.last = moved(j.last, here, j.before)
	v.end = here.Offset + j.behind.Offset - j.before.Offset
	v.reader.Skip(j.behind.Offset-j.before.Offset, j.behind.Line-j.before.Line, j.behind.Ordinal-j.before.Ordinal)
	v.workers.taken(j)
	return true, v.ended(doc)
}

// moved turns a position that counts from one place into the same counted from
// another.
func moved(p, to, from edi.Position) edi.Position {
	return edi.Position{Offset: p.Offset + to.Offset - from.Offset, Line: p.Line + to.Line - from.Line, Ordinal: p.Ordinal + to.Ordinal - from.Ordinal}
}

// move moves a document with its issues.
func (d *Document) move(to, from edi.Position) {
	offset, line := to.Offset-from.Offset, to.Line-from.Line
	d.Extent.Offset += offset
	d.Extent.First += to.Ordinal - from.Ordinal
	d.Extent.Last += to.Ordinal - from.Ordinal
	d.Extent.LastLine += line
	for _, is := range d.Issues {
		is.Offset += offset
		is.Line += line
		if is.Raw != "" {
			is.RawOffset += offset
		}
	}
}
