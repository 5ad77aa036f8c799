package mapping

import (
	"context"
	"fmt"
)

// source is a document a map reads from.
type source interface {
	root() spot
	// occurrence goes the steps of a place, the first that fits each time; for
	// a value of a form it ends at the object that holds it.
	occurrence(c spot, p *place) (spot, bool)
	// occurrences goes through all that fit; rest leaves out those that were
	// gone into before.
	occurrences(c spot, p *place, rest bool, f func(spot) bool)
	// value appends the canonical value at the end of a place.
	value(c spot, p *place, dst []byte) ([]byte, string)
	// stands tests what has to stand beside a value.
	stands(c spot, beside []besideValue) bool
	// pieces goes through the parts of a joined text.
	pieces(c spot, p *place, f func([]byte) bool)
	// take notes that a line goes into the occurrence reached last; a value
	// that is read does so by itself.
	take()
	// observe tells whether what is read from now on counts as carried.
	observe(on bool)
	// where tells where the value read last stands.
	where(p *place) Location
}

// sink is a document a map writes to.
type sink interface {
	root() spot
	open(c spot, p *place) (spot, string)
	add(c spot, p *place) (spot, string)
	drop(c spot, p *place)
	write(c spot, p *place, v []byte) string
	fill(c spot, places []*place, join string, v []byte) string
	// every calls f for every occurrence there is that a place crosses.
	every(c spot, steps []step, f func(spot) string) (n int, bad string)
	target(c spot, p *place) string
}

// run maps one document.
type run struct {
	way    Way
	source source
	// document is the source when it is EDI and the run goes forward.
	document *ediDoc
	sink     sink
	machine  *machine
	budget   *budget
	frames   []frame
	eaches   []*eachRun // by depth, kept for the next one
	eaching  int
	joining  joinRun
	value    []byte // the value of the line being run
	scratch  []byte
	faults   []Fault
	omitted  int
	notes    []Fault
	depth    int
	entered  int   // blocks run
	stopped  error // the context's
}

// frame is a pair of occurrences lines run in.
type frame struct{ from, to spot }

const (
	maxRunDepth  = 200     // blocks inside of blocks
	maxRunBlocks = 1 << 24 // blocks of one document
	maxJoined    = 1 << 20 // bytes of a joined text
)

var errTooManyBlocks = fmt.Errorf("the map runs more than %d blocks for one document", maxRunBlocks)

// start runs the lines of a program from one document to another.
func (r *run) start(ctx context.Context, p *program, w Way, from source, to sink) {
	r.way, r.source, r.sink = w, from, to
	r.faults, r.notes, r.omitted, r.depth, r.entered, r.eaching, r.stopped = nil, nil, 0, 0, 0, 0, nil
	r.budget = &budget{check: ctx.Err}
	r.frames = append(r.frames[:0], frame{from.root(), to.root()})
	if r.document = nil; w == Forward {
		r.document, _ = from.(*ediDoc)
	}
	r.block(p.top)
}

func (r *run) fault(l *line, at Location, target, format string, args ...any) {
	if len(r.faults) >= maxProblems {
		r.omitted++
		return
	}
	r.faults = append(r.faults, Fault{Text: fmt.Sprintf(format, args...), File: l.at.file, Line: l.at.line, Column: l.at.column, Source: at, Target: target})
}

// note records something that was left behind, which is no fault.
func (r *run) note(l *line, at Location, target, format string, args ...any) {
	if len(r.notes) < maxProblems {
		r.notes = append(r.notes, Fault{Text: fmt.Sprintf(format, args...), File: l.at.file, Line: l.at.line, Column: l.at.column, Source: at, Target: target})
	}
}

// spot finds where a place starts.
func (r *run) spot(p *place, reading bool) spot {
	f := r.frames[0]
	if p.up >= 0 {
		f = r.frames[max(len(r.frames)-1-p.up, 0)]
	}
	if reading {
		return f.from
	}
	return f.to
}

func (r *run) block(b *block) {
	if r.depth++; r.depth > maxRunDepth {
		if r.depth--; len(b.lines) > 0 {
			r.fault(b.lines[0], Location{}, "", "blocks run inside of blocks more than %d deep", maxRunDepth)
		}
		return
	}
	if r.entered++; r.entered > maxRunBlocks && r.stopped == nil {
		r.stopped = errTooManyBlocks
	}
	for _, l := range b.lines {
		if r.way == Forward && !l.forward || r.way == Backward && !l.backward || r.stopped != nil {
			continue
		}
		if l.slot >= 0 && r.document != nil && r.document.lacks(r.frames[len(r.frames)-1].from, l.slot) {
			continue // most lines find nothing: this tells at once
		}
		r.line(l)
	}
	r.depth--
}

// sides gives the places a line reads and writes, in the direction of the run.
func (r *run) sides(l *line) (from, to *place, when, value *expression) {
	if r.way == Forward || l.turned {
		return l.from, l.to, l.toWhen, l.toValue
	}
	return l.to, l.from, l.fromWhen, l.fromValue
}

func (r *run) line(l *line) {
	from, to, when, _ := r.sides(l)
	switch l.kind {
	case lineBlock, lineEach:
		if when != nil && !r.holds(l, when, nil) {
			return
		}
		if l.kind == lineEach {
			r.each(l, from, to)
		} else {
			r.into(l, from, to)
		}
		return
	}
	r.valueLine(l, from, to, when)
}

// wheres gives the condition on the occurrences of an each.
func (r *run) where(l *line) *expression {
	if r.way == Forward || l.turned {
		return l.toWhere
	}
	return l.fromWhere
}

// into runs a block in the first occurrence of its place.
func (r *run) into(l *line, from, to *place) {
	if l.to == nil && l.from == nil {
		r.block(l.body) // a block used here: the occurrences stay the same
		return
	}
	next := r.frames[len(r.frames)-1]
	var ok bool
	if from != nil {
		if next.from, ok = r.source.occurrence(r.spot(from, true), from); !ok {
			return
		}
		r.source.take()
		r.onlyOne(l, from)
	}
	if to != nil {
		var bad string
		if next.to, bad = r.sink.open(r.spot(to, false), to); bad != "" {
			r.fault(l, r.source.where(from), r.sink.target(r.spot(to, false), to), "%s %s", l.name, bad)
			return
		}
	}
	r.frames = append(r.frames, next)
	r.block(l.body)
	r.frames = r.frames[:len(r.frames)-1]
}

// onlyOne refuses to take the first item of a list that has more, when the
// line goes into one only.
func (r *run) onlyOne(l *line, from *place) {
	if from.field == nil || from.field.Kind != List || len(from.steps[len(from.steps)-1].conds) > 0 || from.steps[len(from.steps)-1].nth > 0 {
		return
	}
	n := 0
	r.source.occurrences(r.spot(from, true), from, false, func(spot) bool {
		n++
		return n < 2
	})
	if n > 1 {
		r.fault(l, Location{Path: from.text}, "", "the map carries one item of %s, the document has more", from.text)
	}
}

// each runs a block for every occurrence.
func (r *run) each(l *line, from, to *place) {
	if r.eaching == len(r.eaches) {
		e := &eachRun{r: r}
		e.do = e.occurrence
		r.eaches = append(r.eaches, e)
	}
	e := r.eaches[r.eaching]
	e.l, e.from, e.to, e.where, e.n = l, from, to, r.where(l), 0
	r.eaching++
	r.source.occurrences(r.spot(from, true), from, l.rest && r.way == Forward, e.do)
	r.eaching--
}

// eachRun is one each being run. It is kept for the next one of its depth.
type eachRun struct {
	r        *run
	l        *line
	from, to *place
	where    *expression
	n        int
	do       func(spot) bool // occurrence
}

// occurrence runs the block for one occurrence; false ends the loop.
func (e *eachRun) occurrence(at spot) bool {
	r := e.r
	if e.n++; e.n%64 == 0 && r.stopped == nil {
		r.stopped = r.budget.check()
	}
	next := frame{at, r.frames[len(r.frames)-1].to}
	if e.where != nil {
		r.frames = append(r.frames, next)
		ok := r.holds(e.l, e.where, nil)
		if r.frames = r.frames[:len(r.frames)-1]; !ok {
			return r.stopped == nil
		}
	}
	r.source.take()
	if e.to != nil {
		var bad string
		if next.to, bad = r.sink.add(r.spot(e.to, false), e.to); bad != "" {
			r.fault(e.l, Location{Path: e.from.text}, r.sink.target(r.spot(e.to, false), e.to), "%s %s", e.l.name, bad)
			return false
		}
	}
	r.frames = append(r.frames, next)
	r.block(e.l.body)
	r.frames = r.frames[:len(r.frames)-1]
	if e.to != nil {
		r.sink.drop(next.to, e.to)
	}
	return r.stopped == nil && len(r.faults) < maxProblems
}
