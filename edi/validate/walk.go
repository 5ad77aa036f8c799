package validate

import (
	"fmt"

	"tradepost/edi"
	"tradepost/edi/schema"
)

// walker keeps the place in a guide while a document goes by.
type walker struct {
	guide  *schema.Guide
	counts []uint32 // uses of every node since its loop was entered
	frames []frame  // open loops, the root first
	levels hierarchy
	bounds []bounded // loops between LS and LE that are open

	kept int          // frames that were open before the last segment and still are
	open int          // frames that were open before the last segment
	node *schema.Node // place of the last segment, nil when it has none

	missed []missed // what was reported as missing, of late
	second reading
}

// frame is one open loop.
type frame struct {
	loop *schema.Loop
	pos  int // node taken last, -1 before the first

	level bool // the loop is a level of a hierarchy
}

// place is a node found for a segment.
type place struct {
	depth, index int
}

func (w *walker) reset(g *schema.Guide) {
	w.guide, w.node = g, nil
	w.frames = w.frames[:0]
	w.kept = 0
	w.bounds, w.missed, w.second.left = w.bounds[:0], w.missed[:0], 0
	if g == nil {
		return
	}
	if cap(w.counts) < g.Nodes {
		w.counts = make([]uint32, g.Nodes)
	}
	w.counts = w.counts[:g.Nodes]
	w.levels.reset()
	w.enter(g.Root)
}

func (w *walker) enter(l *schema.Loop) *frame {
	clear(w.counts[l.First : l.First+len(l.Nodes)])
	if len(w.missed) > 0 {
		w.forget(l)
	}
	w.kept = min(w.kept, len(w.frames))
	w.frames = append(w.frames, frame{loop: l, pos: -1})
	return &w.frames[len(w.frames)-1]
}

// step finds the place of a segment, reports what is wrong with it, and checks
// its elements.
func (w *walker) step(v *validator, seg *edi.Segment, tag schema.Tag) {
	w.node = nil
	if w.guide == nil {
		return
	}
	w.kept, w.open = len(w.frames), len(w.frames)
	at, full, ok := w.find(seg, tag)
	if w.second.left > 0 {
		if n := w.second.owed; n != nil {
			if w.second.left, w.second.owed = 0, nil; n.Tag == tag {
				w.node = &n.Loop.Nodes[0] // the two were swapped, and that was told
				v.checkSegment(seg, n.Segment, w.node)
				return
			}
		} else if w.doubt(v, seg, tag, ok) {
			at, full, ok = w.find(seg, tag)
		}
	}
	if ok && full.depth >= 0 {
		if ok = !w.skips(at); ok { // rather one too many than one far from here
			w.surplus(v, seg, full)
		}
	}
	if !ok && full.depth >= 0 {
		w.tooOften(v, seg, full)
		at, ok = full, true
	}
	if !ok {
		w.lost(v, seg, tag)
		return
	}
	w.take(v, seg, at)
}

// find looks for the nearest place: forward in the innermost open loop, then
// in the loops around it. full is the first place that fits but is used up; its
// depth is -1 when there is none.
func (w *walker) find(seg *edi.Segment, tag schema.Tag) (at, full place, ok bool) {
	full.depth = -1
	if tag == 0 {
		return at, full, false
	}
	for d := len(w.frames) - 1; d >= 0; d-- {
		f := &w.frames[d]
		from := 0
		if d > 0 {
			from = 1 // the segment that opens a loop is looked for in the loop around it
		}
		if f.pos >= 0 {
			from = max(from, f.loop.Nodes[f.pos].From)
		}
		tags := f.loop.Tags
		row := 0 // behind the variants of which one fits and is used up
		for i := from; i < len(tags); i++ {
			if tags[i] != tag {
				continue
			}
			n := &f.loop.Nodes[i]
			if n.Where != nil && !matches(n.Where, seg) || n.Where == nil && i < row {
				continue
			}
			if n.Max != 0 && w.counts[f.loop.First+i] >= uint32(n.Max) { //nolint:gosec // bounded by the schema loader
				if full.depth < 0 {
					full = place{d, i}
				}
				if n.Where != nil {
					row = n.To // it is not one of the others
				}
				continue
			}
			return place{d, i}, full, true
		}
	}
	return at, full, false
}

func matches(w *schema.Where, seg *edi.Segment) bool {
	e := seg.Element(w.Element)
	if w.Component > 0 {
		return w.Values.Allows(e.Component(w.Component).Raw(), 0)
	}
	return w.Values.Allows(e.Raw(), 0)
}

// take goes to a place that was found and checks the segment there.
func (w *walker) take(v *validator, seg *edi.Segment, at place) {
	for len(w.frames)-1 > at.depth {
		w.leave(v)
	}
	f := &w.frames[at.depth]
	n := &f.loop.Nodes[at.index]
	from := 0
	if f.pos >= 0 {
		from = f.loop.Nodes[f.pos].From
	}
	if from < n.From {
		w.missing(v, f.loop, from, n.From)
	}
	f.pos = at.index
	w.counts[f.loop.First+at.index]++
	if w.second.begun {
		w.second.settle(v, seg)
	}
	if n.Forbidden {
		v.segmentIssue(faultForbiddenSegment, n, true, string(seg.Tag), fmt.Sprintf("%s is not used at %s in guide %s. Leave it out.", seg.Tag, n.Path, w.guide.Name))
	}
	node := n
	if n.Loop != nil {
		loop := n.Loop
		if len(loop.Levels) > 0 {
			loop = w.levels.choose(v, seg, loop)
		}
		inner := w.enter(loop)
		inner.pos, inner.level = 0, len(n.Loop.Levels) > 0
		w.counts[loop.First] = 1
		node = &loop.Nodes[0]
	}
	w.node = node
	if node.Tag == tagLS || node.Tag == tagLE {
		w.bound(v, seg, node.Tag, node)
	}
	v.checkSegment(seg, node.Segment, node)
	if len(node.Keys) > 0 && !v.o.StructureOnly {
		v.keys(seg, node)
	}
}

// missing reports the mandatory nodes from one place of a loop up to another.
func (w *walker) missing(v *validator, l *schema.Loop, from, to int) {
	for _, i := range l.Mandatory {
		if i < from || i >= to {
			continue
		}
		n := &l.Nodes[i]
		count := w.counts[l.First+i]
		if count >= uint32(n.Min) || w.told(n) { //nolint:gosec // bounded by the schema loader
			continue
		}
		if n.Tag == tagSE || n.Tag == tagUNT {
			continue // reported as a missing trailer
		}
		if v.full() {
			v.add(&Issue{Severity: Error, Level: LevelSegment})
			w.second.left = 0
			continue
		}
		text := fmt.Sprintf("%s (%s) is missing: it has to stand before this place, at %s.", n.Tag, n.Segment.Name, n.Path)
		f := faultMissingSegment
		switch {
		case n.Loop != nil && n.Own:
			f = faultLoopTooFew
		case count > 0:
			f = faultTooFew
		}
		switch {
		case count > 0:
			text = fmt.Sprintf("%s occurs %s at %s, at least %s is expected.", n.Tag, often(int(count)), n.Path, often(n.Min))
		case n.Own && n.Title == "" && n.Loop == nil:
			text = fmt.Sprintf("%s (%s) is missing: guide %s asks for it before this place, at %s.", n.Tag, n.Segment.Name, w.guide.Name, n.Path)
		case n.Title != "":
			text = fmt.Sprintf("%s (%s) is missing: guide %s asks for it at %s.", n.Tag, n.Title, w.guide.Name, n.Path)
		case n.Loop != nil && n.Loop.Title != "":
			text = fmt.Sprintf("%s (%s), which begins loop %s (%s), is missing: at least one is expected before this place.", n.Tag, n.Segment.Name, n.Loop.Name, n.Loop.Title)
		}
		if last := len(w.bounds) - 1; n.Tag == tagLE && last >= 0 {
			text, w.bounds = w.bounds[last].open(), w.bounds[:last]
		}
		v.segmentIssue(f, n, n.Own, n.Tag.String(), text)
		w.miss(v, n)
	}
}

// leave closes the innermost loop.
func (w *walker) leave(v *validator) {
	f := &w.frames[len(w.frames)-1]
	from := 0
	if f.pos >= 0 {
		from = f.loop.Nodes[f.pos].From
	}
	w.missing(v, f.loop, from, len(f.loop.Nodes))
	w.frames = w.frames[:len(w.frames)-1]
	w.kept = min(w.kept, len(w.frames))
}

// tooOften reports a segment or loop beyond its largest number of uses.
func (w *walker) tooOften(v *validator, seg *edi.Segment, at place) {
	n := &w.frames[at.depth].loop.Nodes[at.index]
	f, text := oneTooMany(seg, n)
	v.segmentIssue(f, n, n.Own, string(seg.Tag), text)
}

func oneTooMany(seg *edi.Segment, n *schema.Node) (fault, string) {
	if n.Loop != nil {
		return faultLoopTooOften, fmt.Sprintf("Loop %s begins for the %s time at %s; it may occur %s.", n.Loop.Name, ordinalNumber(n.Max+1), n.Path, often(n.Max))
	}
	return faultSegmentTooOften, fmt.Sprintf("%s stands here once more than it may: %s at %s.", seg.Tag, often(n.Max), n.Path)
}

func ordinalNumber(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, suffix)
}

// path is where the walk stands.
func (w *walker) path() string {
	for d := len(w.frames) - 1; d >= 0; d-- {
		if f := &w.frames[d]; f.pos >= 0 {
			return f.loop.Nodes[f.pos].Path
		}
	}
	return ""
}

func (w *walker) lastTag() string {
	for d := len(w.frames) - 1; d >= 0; d-- {
		if f := &w.frames[d]; f.pos >= 0 {
			return f.loop.Nodes[f.pos].Tag.String()
		}
	}
	return "the segment before"
}

func (w *walker) after(path string) string {
	if path == "" {
		return ""
	}
	return ", behind " + path
}

// describe fills in where the last segment stands.
func (w *walker) describe(p *Place) {
	if w.node != nil {
		p.Layout = w.node.Segment
	}
	for i := 1; i < len(w.frames); i++ {
		f := &w.frames[i]
		l := Loop{Name: f.loop.Name, Title: f.loop.Title}
		if f.level {
			l.Name, l.Level = "HL", f.loop.Name
		}
		p.Loops = append(p.Loops, l)
	}
	p.Kept = max(w.kept-1, 0)
}

// loopName is the identifier of the innermost open loop, for AK303.
func (w *walker) loopName() string {
	if len(w.frames) > 1 {
		return w.frames[len(w.frames)-1].loop.Name
	}
	return ""
}
