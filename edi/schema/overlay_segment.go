package schema

import (
	"slices"
	"strconv"
)

// ownSegment gives a node a copy of its segment that may be changed.
func (n *Node) ownSegment() {
	seg := *n.Segment
	seg.Uses, seg.Notes = slices.Clone(seg.Uses), slices.Clone(seg.Notes)
	n.Segment = &seg
}

// elements applies a line to a range of elements: 10..25 forbid, 6..24/2 codes
// UP VN.
func (e edit) elements(st *statement, n *Node, own bool) error {
	first, last, step, ok := parseRange(st.words[0].text)
	if !ok || first < 1 || last < first || step < 1 {
		return e.source.at(st, 0, "%q is no range of elements: FIRST..LAST or FIRST..LAST/STEP", st.words[0].text)
	}
	if n.Loop == nil && last > len(n.Segment.Uses) {
		return e.source.at(st, 0, "%s has elements 1 to %d", n.Tag, len(n.Segment.Uses))
	}
	for p := first; p <= last; p += step {
		if err := e.element(st, n, strconv.Itoa(p), "", own); err != nil {
			return err
		}
		own = true
	}
	return nil
}

// notes adds syntax notes to a segment: notes P1011 C0203.
func (e edit) notes(st *statement, n *Node, own bool) error {
	s := e.source
	if n.Loop != nil {
		return s.at(st, 0, "%s is a loop: name the segment inside it whose elements are meant", e.path)
	}
	if len(st.words) < 2 {
		return s.at(st, 1, "notes needs at least one: notes P1011")
	}
	if !own {
		n.ownSegment()
	}
	for i := 1; i < len(st.words); i++ {
		note, problem := parseNote(st.words[i].text)
		if problem != "" {
			return s.at(st, i, "%s", problem)
		}
		if last := slices.Max(note.Positions); last > len(n.Segment.Uses) {
			return s.at(st, i, "note %s names position %d, %s has %d", note, last, n.Tag, len(n.Segment.Uses))
		}
		note.Own = e.own
		n.Segment.Notes = append(n.Segment.Notes, note)
	}
	return nil
}

// level changes a level of a hierarchy: level P under T, level Q forbid, level S
// require max 1.
func (e edit) level(st *statement, n *Node) error {
	s := e.source
	if n.Loop == nil || len(n.Loop.Levels) == 0 {
		return s.at(st, 0, "%s is no hierarchy: levels are those of an hl, as at detail/HL", e.path)
	}
	if len(st.words) < 3 {
		return s.at(st, len(st.words), "level CODE with under CODE ..., root, require, min N, max N or forbid is expected")
	}
	loop := n.Loop
	i := slices.IndexFunc(loop.Levels, func(l Level) bool { return l.Code == st.words[1].text })
	if i < 0 {
		return s.at(st, 1, "%s has no level %s", e.path, st.words[1].text)
	}
	level := &loop.Levels[i]
	level.Own = level.Own || e.own
	for i := 2; i < len(st.words); i++ {
		switch w := st.words[i]; {
		case w.quoted:
			level.Title = w.text
		case w.text == "under" && i+1 < len(st.words):
			level.Under, level.IsRoot = nil, false
			for i+1 < len(st.words) && slices.ContainsFunc(loop.Levels, func(l Level) bool { return l.Code == st.words[i+1].text }) {
				i++
				level.Under = append(level.Under, st.words[i].text)
			}
			if len(level.Under) == 0 {
				return s.at(st, i+1, "%s has no level %s", e.path, st.words[i+1].text)
			}
		case w.text == "root":
			level.IsRoot = true
		case w.text == "require":
			level.Min = max(level.Min, 1)
		case w.text == "forbid":
			level.Forbidden, level.Min = true, 0
		case (w.text == "min" || w.text == "max") && i+1 < len(st.words):
			i++
			limit, err := parseMax(st.words[i].text)
			if err != nil {
				return s.at(st, i, "%q: %v", st.words[i].text, err)
			}
			if w.text == "min" {
				level.Min = limit
			} else {
				level.Max = limit
			}
		default:
			return s.at(st, i, "%q is not expected: under CODE ..., root, require, min N, max N, forbid or a name in quotes", w.text)
		}
	}
	return nil
}
