package validate

import (
	"bytes"
	"fmt"
	"slices"

	"tradepost/edi"
	"tradepost/edi/schema"
)

// missed is a mandatory segment that was reported as missing.
type missed struct {
	node  *schema.Node
	issue *Issue
}

// maxMissed are the missing segments remembered, should they come late.
const maxMissed = 64

// reading is a second way to read a document that has a fault. What went by may
// have been a stray, or the walk may have to go on from it: what comes next
// tells, and the fault is told by that.
type reading struct {
	frames []frame // open loops, as this reading has them
	left   int     // segments for which it still stands
	jump   bool    // the walk went on from a segment behind something missing; else it stayed

	owed     *schema.Node // the loop that was read without its first segment just now
	told     *Issue       // of a segment too late: that it was
	begun    bool         // what is missing before a segment is being reported
	from, to int          // of a jump: the issues that told so, among those of the document
	issue    Issue
	behind   int // segments that followed the jump
}

// secondLook is for how many segments a jump is in doubt.
const secondLook = 8

// miss remembers a segment that was reported as missing just now. The first of
// them tells that the segment at hand may be a stray from far ahead.
func (w *walker) miss(v *validator, n *schema.Node) {
	if last := len(v.doc.Issues) - 1; last >= 0 && v.doc.Omitted == 0 && len(w.missed) < maxMissed {
		w.missed = append(w.missed, missed{n, v.doc.Issues[last]})
	}
	r := &w.second
	if r.begun || v.seg == nil {
		return
	}
	// The loops that were left just now still stand behind the open ones.
	r.frames = append(r.frames[:0], w.frames[:w.open]...)
	r.begun, r.left, r.jump, r.behind = true, 0, true, 0
	r.from = len(v.doc.Issues) - 1
}

// settle ends what a segment made missing.
func (r *reading) settle(v *validator, seg *edi.Segment) {
	r.begun = false
	if r.to = len(v.doc.Issues); r.from < 0 || v.doc.Omitted > 0 {
		return
	}
	r.left, r.owed = secondLook, nil
	r.issue = *v.doc.Issues[r.from]
	r.issue.Ack, r.issue.Code999, r.issue.Segment, r.issue.Ordinal = v.code(faultUnexpected), "", clip(seg.Tag), v.ordinal
}

// surplus is for a segment that has no more room where it would have stood, and
// a place ahead. The second reading is that it stands once too often.
func (w *walker) surplus(v *validator, seg *edi.Segment, full place) {
	r := &w.second
	n := &w.frames[full.depth].loop.Nodes[full.index]
	if r.left > 0 || n.Loop != nil || v.full() {
		return
	}
	r.frames = append(r.frames[:0], w.frames[:full.depth+1]...)
	r.frames[full.depth].pos = full.index
	r.left, r.jump, r.behind, r.owed = secondLook, true, 0, nil
	r.from, r.to = len(v.doc.Issues), len(v.doc.Issues)
	f, text := oneTooMany(seg, n)
	r.issue = Issue{Severity: Error, Level: LevelSegment, Ack: v.code(f), Segment: clip(seg.Tag), Ordinal: v.ordinal, Offset: seg.Pos.Offset, Line: seg.Pos.Line, Text: text, Path: n.Path, Loop: w.frames[full.depth].loop.Name}
	if n.Own {
		_, _, r.issue.Code999 = f.codes()
	}
}

// told tells that a segment was reported as missing, and not forgotten.
func (w *walker) told(n *schema.Node) bool {
	return len(w.missed) > 0 && slices.ContainsFunc(w.missed, func(m missed) bool { return m.node == n })
}

// forget is for a loop that begins anew.
func (w *walker) forget(l *schema.Loop) {
	w.missed = slices.DeleteFunc(w.missed, func(m missed) bool {
		for i := range l.Nodes {
			if m.node == &l.Nodes[i] {
				return true
			}
		}
		return false
	})
}

// doubt looks whether the second reading is the better one, now that there is
// another segment, and goes over to it. fits tells that the first has a place
// for the segment.
func (w *walker) doubt(v *validator, seg *edi.Segment, tag schema.Tag, fits bool) bool {
	r := &w.second
	if r.left--; fits {
		if r.behind++; !r.jump && r.left > secondLook {
			r.left = 0
		}
		return false
	}
	if at, ok := w.behind(seg, tag); ok && r.jump {
		if n := &w.frames[at.depth].loop.Nodes[at.index]; n.Loop == nil && w.told(n) {
			return false // it was not missing, but is late
		}
	}
	w.frames, r.frames = r.frames, w.frames
	if at, _, ok := w.find(seg, tag); !ok || w.skips(at) {
		w.frames, r.frames = r.frames, w.frames
		return false
	}
	same := 0
	for same < min(len(w.frames), len(r.frames)) && w.frames[same].loop == r.frames[same].loop {
		same++
	}
	w.kept, w.open = min(w.kept, same), len(w.frames)
	if !r.jump {
		r.told.Text += " What follows is read from that place on."
	}
	if r.jump {
		for d := range same { // what was taken since is not there
			l := w.frames[d].loop
			for i := w.frames[d].pos + 1; i <= r.frames[d].pos; i++ {
				w.counts[l.First+i] = 0
			}
		}
		w.retract(v)
	}
	r.left = 0
	return true
}

// retract says of a jump that it was a stray.
func (w *walker) retract(v *validator) {
	r := &w.second
	if r.to > len(v.doc.Issues) {
		return
	}
	gone := v.doc.Issues[r.from:r.to]
	if is := r.issue; len(gone) == 0 {
		v.add(&is)
		return
	}
	w.missed = slices.DeleteFunc(w.missed, func(m missed) bool { return slices.Contains(gone, m.issue) })
	name := r.issue.Segment
	if r.behind > 0 {
		name = fmt.Sprintf("%s, with the %s behind it,", name, plural(r.behind, "segment"))
	}
	r.issue.Path = w.path()
	r.issue.Text = fmt.Sprintf("%s is not expected here%s. Leave it out, or look what is missing before it.", name, w.after(r.issue.Path))
	is := r.issue
	v.report.Errors -= len(gone) - 1
	v.kept -= len(gone) - 1
	v.doc.Issues = slices.Replace(v.doc.Issues, r.from, r.to, &is)
}

// skips tells whether a place lies behind something mandatory that has not
// come.
func (w *walker) skips(at place) bool {
	for d := len(w.frames) - 1; d >= at.depth; d-- {
		f := &w.frames[d]
		from, to := 0, len(f.loop.Nodes)
		if f.pos >= 0 {
			from = f.loop.Nodes[f.pos].From
		}
		if d == at.depth {
			to = f.loop.Nodes[at.index].From
		}
		for _, i := range f.loop.Mandatory {
			if n := &f.loop.Nodes[i]; i >= from && i < to && w.counts[f.loop.First+i] < uint32(n.Min) && !w.told(n) { //nolint:gosec // bounded by the schema loader
				return true
			}
		}
	}
	return false
}

// unreport takes back an error of the document.
func (v *validator) unreport(is *Issue) {
	if i := slices.Index(v.doc.Issues, is); i >= 0 {
		v.doc.Issues = slices.Delete(v.doc.Issues, i, i+1)
		v.report.Errors--
		v.kept--
	}
}

// late reports a segment whose place the walk has passed, and goes on where it
// was. When what follows does not fit there, it is read from the place of the
// late one on.
func (w *walker) late(v *validator, seg *edi.Segment, name string, at place) {
	f := &w.frames[at.depth]
	n := &f.loop.Nodes[at.index]
	if at.depth > 0 { // it may belong to another loop of the kind
		for i := at.index; i <= f.pos; i++ {
			w.counts[f.loop.First+i] = min(w.counts[f.loop.First+i], uint32(f.loop.Nodes[i].Min)) //nolint:gosec // bounded by the schema loader
		}
	}
	w.counts[f.loop.First+at.index]++
	for i, m := range w.missed {
		if m.node == n {
			v.unreport(m.issue)
			w.missed = slices.Delete(w.missed, i, i+1)
			break
		}
	}
	text := fmt.Sprintf("%s is out of sequence: its place is %s, before %s. Put it there.", name, n.Path, w.lastTag())
	if at.depth > 0 {
		text = fmt.Sprintf("%s is out of sequence: its place is %s, before %s. Put it there, or add the %s that is missing before it when another loop %s begins here.", name, n.Path, w.lastTag(), f.loop.Nodes[0].Tag, f.loop.Name)
	}
	r := &w.second
	r.told = &Issue{}
	before := len(v.doc.Issues)
	if v.segmentIssue(faultSequence, n, false, name, text); len(v.doc.Issues) > before {
		r.told = v.doc.Issues[before]
	}
	w.node = n
	r.frames = append(r.frames[:0], w.frames[:at.depth+1]...)
	r.frames[at.depth].pos = at.index
	v.checkSegment(seg, n.Segment, n)
	if n.Loop != nil && len(n.Loop.Levels) == 0 {
		w.beside(v, n.Loop)
		r.frames = append(r.frames, frame{loop: n.Loop})
	}
	r.left, r.owed, r.jump, r.begun = 1<<30, nil, false, false
	if n.Loop != nil {
		r.left = secondLook
	}
}

// lost reports a segment without a place and finds the way again.
func (w *walker) lost(v *validator, seg *edi.Segment, tag schema.Tag) {
	name := clip(seg.Tag)
	path := w.path()
	if tag == tagLE && len(w.bounds) == 0 && !v.o.StructureOnly {
		v.segmentIssue(faultUnexpected, nil, false, name, unbegun(clip(seg.Element(1).Raw())))
		return
	}
	if at, ok := w.behind(seg, tag); ok {
		w.late(v, seg, name, at)
		return
	}
	if at, inner, ok := w.headless(seg, tag); ok {
		n := &w.frames[at.depth].loop.Nodes[at.index]
		f := faultUnexpected
		if n.Min > 0 && w.counts[w.frames[at.depth].loop.First+at.index] == 0 {
			f = faultMissingSegment
		}
		text := fmt.Sprintf("%s belongs in loop %s, which begins with %s; that %s is missing before it.", name, n.Loop.Name, n.Tag, n.Tag)
		if f == faultMissingSegment {
			v.segmentIssue(f, n, false, n.Tag.String(), text)
		} else {
			v.segmentIssue(f, n, false, name, text)
		}
		w.assume(v, at)
		w.take(v, seg, place{len(w.frames) - 1, inner})
		w.second.left, w.second.owed = 1, n
		return
	}
	if known := w.guide.Places(tag); known != nil {
		v.segmentIssue(faultUnexpected, nil, false, name, fmt.Sprintf("%s (%s) is not expected here%s. It has a place elsewhere in document type %s; check what comes before it.", name, known.Name, w.after(path), w.guide.Type))
		v.checkSegment(seg, known, nil)
		return
	}
	if w.guide.Dictionary.Knows(tag) {
		v.segmentIssue(faultNotInSet, nil, false, name, fmt.Sprintf("%s exists, but not in document type %s. Leave it out, or use a guide that has it.", name, w.guide.Type))
		return
	}
	why := "A terminator or separator inside the data before it can make such a segment, too."
	if upper := bytes.ToUpper(seg.Tag); !bytes.Equal(upper, seg.Tag) && w.guide.Dictionary.Knows(schema.MakeTag(upper)) {
		why = fmt.Sprintf("Segment identifiers have capital letters; have it sent as %s.", upper)
	}
	v.segmentIssue(faultUnknownSegment, nil, false, name, fmt.Sprintf("There is no segment %s in version %s. %s", quote(name), w.guide.Version, why))
}

// beside opens a loop that stands out of its sequence on top of those that are
// open, so that both its own segments and theirs find their place.
func (w *walker) beside(v *validator, l *schema.Loop) {
	for k := range w.frames {
		if w.frames[k].loop == l { // once more
			for len(w.frames) > k {
				w.leave(v)
			}
			break
		}
	}
	w.enter(l).pos = 0
	w.counts[l.First] = 1
}

// behind looks for a place the walk has already passed.
func (w *walker) behind(seg *edi.Segment, tag schema.Tag) (place, bool) {
	for d := len(w.frames) - 1; d >= 0; d-- {
		f := &w.frames[d]
		for i := 0; i < f.pos; i++ {
			n := &f.loop.Nodes[i]
			if n.Tag == tag && (d == 0 || i > 0) && (n.Where == nil || matches(n.Where, seg)) {
				return place{d, i}, true
			}
		}
	}
	return place{}, false
}

// headless looks for a loop ahead that has the segment as a member, but was
// not begun: as a segment of its own first, else as the beginning of a loop
// inside it.
func (w *walker) headless(seg *edi.Segment, tag schema.Tag) (at place, inner int, ok bool) {
	if at, inner, ok = w.memberAhead(seg, tag, false); !ok {
		at, inner, ok = w.memberAhead(seg, tag, true)
	}
	return at, inner, ok
}

func (w *walker) memberAhead(seg *edi.Segment, tag schema.Tag, loops bool) (at place, inner int, ok bool) {
	for d := len(w.frames) - 1; d >= 0; d-- {
		f := &w.frames[d]
		for i := max(f.pos, 0); i < len(f.loop.Nodes); i++ {
			n := &f.loop.Nodes[i]
			if n.Loop == nil || len(n.Loop.Levels) > 0 || n.Where != nil || n.Forbidden {
				continue
			}
			if n.Max != 0 && w.counts[f.loop.First+i] >= uint32(n.Max) { //nolint:gosec // bounded by the schema loader
				continue
			}
			for j := 1; j < len(n.Loop.Nodes); j++ {
				if m := &n.Loop.Nodes[j]; m.Tag == tag && (m.Loop != nil) == loops && (m.Loop == nil || len(m.Loop.Levels) == 0) && (m.Where == nil || matches(m.Where, seg)) {
					return place{d, i}, j, true
				}
			}
		}
	}
	return place{}, 0, false
}

// assume enters a loop whose first segment is missing.
func (w *walker) assume(v *validator, at place) {
	for len(w.frames)-1 > at.depth {
		w.leave(v)
	}
	f := &w.frames[at.depth]
	from := 0
	if f.pos >= 0 {
		from = f.loop.Nodes[f.pos].From
	}
	w.missing(v, f.loop, from, f.loop.Nodes[at.index].From)
	f.pos = at.index
	w.counts[f.loop.First+at.index]++
	loop := f.loop.Nodes[at.index].Loop
	w.enter(loop).pos = 0
	w.counts[loop.First] = 1
}
