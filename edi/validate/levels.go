package validate

import (
	"fmt"

	"tradepost/edi"
	"tradepost/edi/schema"
)

// hierarchy remembers the levels of HL segments by their numbers.
type hierarchy struct {
	levels []uint8        // level of HL number i+1, while numbers count up from 1
	others map[string]int // the same for numbers that do not
	count  int
	loop   *schema.Loop // the hierarchy, nil before its first segment
	uses   []int        // of each of its levels
}

const maxLevels = 1 << 20 // HL segments remembered

func (h *hierarchy) reset() {
	h.levels, h.count, h.loop = h.levels[:0], 0, nil
	clear(h.others)
}

func (h *hierarchy) level(id []byte) (int, bool) {
	if n, ok := number(id); ok && id[0] != '0' && n >= 1 && n <= len(h.levels) && h.levels[n-1] != 255 {
		return int(h.levels[n-1]), true
	}
	level, ok := h.others[string(id)]
	return level, ok
}

func (h *hierarchy) put(id []byte, level int) {
	h.count++
	if h.count > maxLevels {
		return
	}
	if n, ok := number(id); ok && id[0] != '0' && n == len(h.levels)+1 {
		h.levels = append(h.levels, uint8(level)) //nolint:gosec // a guide has few levels
		return
	}
	if h.others == nil {
		h.others = make(map[string]int)
	}
	h.others[string(id)] = level
}

// choose finds the level of an HL by its code, checks its number and its
// parent, and gives the loop to go on in.
func (h *hierarchy) choose(v *validator, seg *edi.Segment, loop *schema.Loop) *schema.Loop {
	id, parent, code := seg.Element(1).Raw(), seg.Element(2).Raw(), seg.Element(3).Raw()
	index := -1
	for i := range loop.Levels {
		if loop.Levels[i].Code == string(code) {
			index = i
			break
		}
		if loop.Levels[i].Code == "*" && index < 0 {
			index = i
		}
	}
	if index < 0 {
		if len(code) > 0 {
			v.elementIssue(faultLevel, seg, nil, 3, 0, code, fmt.Sprintf("HL03 %s is no level of this guide.", quote(clip(code))))
		}
		index = 0
	}
	level := &loop.Levels[index]
	h.use(v, seg, loop, index)
	switch {
	case len(parent) == 0:
		if !level.IsRoot && (h.count > 0 || level.Own) {
			v.unusualLevel(level, seg, 2, fmt.Sprintf("HL02 is empty: a level %s (%s) needs the number of the level above it.", code, level.Title))
		}
	default:
		above, ok := h.level(parent)
		switch {
		case !ok:
			v.elementIssue(faultLevel, seg, nil, 2, 0, parent, fmt.Sprintf("HL02 %s names a level above that has not come yet: no HL before this one has that number in HL01.", quote(clip(parent))))
		case len(level.Under) > 0 && above < len(loop.Levels) && !contains(level.Under, loop.Levels[above].Code):
			v.unusualLevel(level, seg, 2, fmt.Sprintf("A level %s (%s) is not expected below a level %s (%s).", code, level.Title, loop.Levels[above].Code, loop.Levels[above].Title))
		}
	}
	if len(id) > 0 {
		if _, used := h.level(id); used {
			v.elementIssue(faultLevel, seg, nil, 1, 0, id, fmt.Sprintf("HL01 %s was used by an HL before; each needs a number of its own.", quote(clip(id))))
		} else {
			h.put(id, index)
		}
	}
	return level.Loop
}

// use counts a level, and reports one that a partner's guide does not have, or
// not so often.
func (h *hierarchy) use(v *validator, seg *edi.Segment, loop *schema.Loop, index int) {
	if h.loop != loop {
		h.loop, h.uses = loop, append(h.uses[:0], make([]int, len(loop.Levels))...)
	}
	h.uses[index]++
	level, text := &loop.Levels[index], ""
	switch {
	case level.Forbidden:
		text = fmt.Sprintf("A level %s (%s) is not used in guide %s.", level.Code, level.Title, v.walk.guide.Name)
	case level.Max > 0 && h.uses[index] == level.Max+1:
		text = fmt.Sprintf("There is one level %s (%s) more than guide %s allows: it may occur %s.", level.Code, level.Title, v.walk.guide.Name, often(level.Max))
	default:
		return
	}
	if v.full() {
		v.add(&Issue{Severity: Error, Level: LevelElement})
		return
	}
	is := v.elementAt(faultLevel, seg, nil, 3, 0, 0, seg.Element(3).Raw())
	_, _, is.Code999 = faultLevel.codes()
	is.Text = text
	v.add(is)
}

// missing reports the levels that a partner's guide asks for and that did not
// come.
func (h *hierarchy) missing(v *validator) {
	if h.loop == nil {
		return // the hierarchy itself is missing, if it had to be there
	}
	for i := range h.loop.Levels {
		if level := &h.loop.Levels[i]; h.uses[i] < level.Min {
			v.segmentIssue(faultLoopTooFew, nil, true, "HL", fmt.Sprintf("Guide %s asks for a level %s (%s) %s; there are %d.", v.walk.guide.Name, level.Code, level.Title, often(level.Min), h.uses[i]))
		}
	}
}

// unusualLevel reports a level in a place where it does not belong: to the
// standard that is unusual, to a partner's guide it is a fault.
func (v *validator) unusualLevel(level *schema.Level, seg *edi.Segment, p int, text string) {
	if level.Own {
		v.elementIssue(faultLevel, seg, nil, p, 0, seg.Element(p).Raw(), text)
		return
	}
	v.levelWaiver(seg, p, text)
}

func contains(list []string, value string) bool {
	for _, s := range list {
		if s == value {
			return true
		}
	}
	return false
}
