package mapping

import (
	"bytes"
	"fmt"
)

// valueLine reads, turns and writes one value, when the line's condition
// holds. A value looked at for a condition that does not hold stays behind.
func (r *run) valueLine(l *line, from, to *place, when *expression) {
	forward := r.way == Forward || l.turned
	if l.kind == lineWritten {
		if out, ok := r.sink.(*ediOut); ok && (when == nil || r.holds(l, when, nil)) {
			if bad := out.countLater(r.spot(to, false), to, l.tag); bad != "" {
				r.fault(l, Location{}, r.sink.target(r.spot(to, false), to), "%s", bad)
			}
		}
		return
	}
	if l.kind == lineValues {
		r.values(l, from, to, forward, when)
		return
	}
	if when != nil {
		r.source.observe(false)
		ok := r.obtain(l, from, forward) && r.holds(l, when, r.value)
		r.source.observe(true)
		if !ok {
			return
		}
	}
	if r.obtain(l, from, forward) && r.turn(l, from, to, forward) && len(r.value) > 0 {
		r.write(l, from, to, forward)
	}
}

// obtain brings the value of a line in, before it is turned.
func (r *run) obtain(l *line, from *place, forward bool) bool {
	r.value = r.value[:0]
	switch l.kind {
	case lineConst:
		r.value = append(r.value, l.constant...)
	case lineCount:
		r.count(from)
	case lineJoin:
		r.join(l, from, forward)
	default:
		return r.read(l, from, forward)
	}
	return true
}

// read reads the first value of the line's places, or the one they agree in.
func (r *run) read(l *line, from *place, forward bool) bool {
	if from == nil {
		return true
	}
	if !forward {
		return r.readOne(l, from)
	}
	for _, p := range l.places {
		if l.kind == lineAgree {
			if !r.agree(l, p) {
				return false
			}
			continue
		}
		if !r.readOne(l, p) {
			return false
		}
		if len(r.value) > 0 {
			break
		}
	}
	return true
}

// readOne reads the value of one place.
func (r *run) readOne(l *line, p *place) bool {
	at := r.spot(p, true)
	at, ok := r.source.occurrence(at, p)
	if !ok || len(l.beside) > 0 && !l.turned && r.way == Forward && !r.source.stands(at, l.beside) {
		return true
	}
	var bad string
	if r.value, bad = r.source.value(at, p, r.value[:0]); bad != "" {
		r.misread(l, p, bad)
		return false
	}
	return true
}

func (r *run) misread(l *line, p *place, bad string) {
	at := r.source.where(p)
	r.fault(l, at, l.name, "%q %s", at.Value, bad)
}

// agree reads all values of a place and refuses two that differ.
func (r *run) agree(l *line, p *place) bool {
	ok := true
	r.source.occurrences(r.spot(p, true), valueSteps(p), false, func(at spot) bool {
		v, bad := r.source.value(at, p, r.scratch[:0])
		r.scratch = v
		switch {
		case bad != "":
			r.misread(l, p, bad)
			ok = false
		case len(v) == 0:
		case len(r.value) == 0:
			r.value = append(r.value, v...)
		case !bytes.Equal(r.value, v):
			r.fault(l, r.source.where(p), l.name, "%q here and %q elsewhere: the map carries one value of %s a document", clip(v), clip(r.value), l.name)
			ok = false
		}
		return ok
	})
	return ok
}

// valueSteps is a place without the field at its end, so that its occurrences
// are the objects that hold the field.
func valueSteps(p *place) *place {
	if p.field == nil || !p.kind.isScalar() || p.field.Kind == List || len(p.steps) == 0 {
		return p
	}
	q := *p
	q.steps = p.steps[:len(p.steps)-1]
	return &q
}

func (r *run) count(from *place) {
	n := 0
	r.source.observe(false)
	r.source.occurrences(r.spot(from, true), from, false, func(spot) bool {
		n++
		return true
	})
	r.source.observe(true)
	r.value = fmt.Appendf(r.value, "%d", n)
}

// join puts the pieces of a text together.
func (r *run) join(l *line, from *place, forward bool) {
	j := &r.joining
	if j.do == nil {
		j.r, j.do = r, j.piece
	}
	if j.between = ""; !forward {
		r.source.pieces(r.spot(from, true), from, j.do)
		return
	}
	j.between = l.join
	for _, p := range l.places {
		r.source.pieces(r.spot(p, true), p, j.do)
	}
}

// joinRun is a text being put together.
type joinRun struct {
	r       *run
	between string
	do      func([]byte) bool // piece
}

func (j *joinRun) piece(v []byte) bool {
	r := j.r
	if len(r.value) > 0 {
		r.value = append(r.value, j.between...)
	}
	r.value = append(r.value, v...)
	return len(r.value) < maxJoined
}

// values copies several values between their places and a list.
func (r *run) values(l *line, from, to *place, forward bool, when *expression) {
	put := func(from, to *place) {
		if (when == nil || r.holds(l, when, r.value)) && r.turn(l, from, to, forward) && len(r.value) > 0 {
			r.write(l, from, to, forward)
		}
	}
	if forward {
		for _, p := range l.places {
			r.source.occurrences(r.spot(p, true), valueSteps(p), false, func(at spot) bool {
				var bad string
				if r.value, bad = r.source.value(at, p, r.value[:0]); bad != "" {
					r.misread(l, p, bad)
				} else {
					put(p, to)
				}
				return len(r.faults) < maxProblems
			})
		}
		return
	}
	n := 0
	r.source.occurrences(r.spot(from, true), from, false, func(at spot) bool {
		self := &place{text: from.text, kind: from.kind}
		r.value, _ = r.source.value(at, self, r.value[:0])
		if n >= len(l.places) {
			r.fault(l, r.source.where(from), "", "the map has room for %d values of %s, this is one more", len(l.places), l.name)
			return false
		}
		p := l.places[n]
		n++
		put(from, p)
		return true
	})
}
