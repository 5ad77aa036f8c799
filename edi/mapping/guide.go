package mapping

import (
	"slices"
	"strings"

	"tradepost/edi/schema"
)

// guideIndex numbers the places of a guide, so that a path becomes a few slot
// numbers and a segment finds its slot without a search.
type guideIndex struct {
	guide *schema.Guide
	root  *loopInfo
	nodes map[*schema.Node]nodeInfo
}

// loopInfo is a loop of a guide and how one occurrence of it is kept: a slot
// for each of its nodes and, where loops nest by numbers in the data, one for
// each kind of loop below.
type loopInfo struct {
	loop   *schema.Loop
	name   string // N1, SG2, HL[S]
	path   string // heading/N1
	parent *loopInfo
	place  int // slot in the parent
	max    int // largest number of occurrences, 0 for any
	slots  int

	inner  []*loopInfo // by node; nil for a segment
	levels []*loopInfo // the levels of the hierarchy this loop holds or is part of
	above  int         // first slot for levels below this occurrence

	// byNumber tells loops that nest by numbers: their first element is a
	// number, the second that of the loop above (HL, CPS).
	byNumber bool
	level    string // HL03
}

// nodeInfo is the place of a segment.
type nodeInfo struct {
	loop *loopInfo
	slot int
}

// first returns the slot that nodes which may stand in any order share.
func first(l *schema.Loop, i int) int { return l.Nodes[i].From }

// forbidden tells a node that a partner's guide does not allow, in any of its
// variants.
func forbidden(l *schema.Loop, i int) bool {
	for k := l.Nodes[i].From; k < l.Nodes[i].To; k++ {
		if !l.Nodes[k].Forbidden {
			return false
		}
	}
	return l.Nodes[i].Forbidden
}

func newGuideIndex(g *schema.Guide) *guideIndex {
	x := &guideIndex{guide: g, nodes: make(map[*schema.Node]nodeInfo)}
	x.root = x.loop(g.Root, nil, "", 1)
	x.root.name = g.Type
	return x
}

func (x *guideIndex) loop(l *schema.Loop, parent *loopInfo, path string, limit int) *loopInfo {
	info := &loopInfo{loop: l, name: l.Name, path: path, parent: parent, max: limit, slots: len(l.Nodes), inner: make([]*loopInfo, len(l.Nodes))}
	for i := range l.Nodes {
		n := &l.Nodes[i]
		x.nodes[n] = nodeInfo{info, first(l, i)}
		if n.Loop == nil {
			continue
		}
		if len(n.Loop.Levels) > 0 {
			info.levels, info.above = x.levels(n, info), info.slots
			info.slots += len(info.levels)
			continue
		}
		info.inner[i] = x.loop(n.Loop, info, n.Path, n.Max)
		info.inner[i].place = first(l, i)
		if n.Tag == schema.MakeTag("CPS") {
			x.byNumber(info.inner[i])
		}
	}
	return info
}

// byNumber makes a loop hold others of its kind.
func (x *guideIndex) byNumber(info *loopInfo) {
	info.byNumber = true
	info.levels, info.above = []*loopInfo{info}, info.slots
	info.slots++
}

// levels indexes a hierarchy; any level may stand below any other.
func (x *guideIndex) levels(n *schema.Node, parent *loopInfo) []*loopInfo {
	levels := make([]*loopInfo, len(n.Loop.Levels))
	for k := range n.Loop.Levels {
		level := &n.Loop.Levels[k]
		info := x.loop(level.Loop, parent, n.Path+"["+level.Code+"]", n.Max)
		info.name, info.level, info.byNumber = "HL["+level.Code+"]", level.Code, true
		levels[k] = info
	}
	for k, info := range levels {
		info.levels, info.above = levels, info.slots
		info.slots += len(levels)
		info.place = parent.slots + k
	}
	return levels
}

// slotBelow is the slot of info in an occurrence of the loop above it.
func (l *loopInfo) slotBelow(above *loopInfo) int {
	if l.byNumber {
		if k := slices.Index(above.levels, l); k >= 0 {
			return above.above + k
		}
	}
	return l.place
}

// found is what a step of a path leads to.
type found struct {
	slot   int
	loop   *loopInfo       // nil for a segment
	layout *schema.Segment // of the segment, or of the one that opens the loop
	node   *schema.Node    // of that segment
	max    int
	level  string // HL03 to ask for, when the guide has no such level of its own
}

// find looks a name up in a loop: the tag of a segment, the name of a loop or
// the tag that opens it. area limits it to heading, detail or summary.
func (x *guideIndex) find(in *loopInfo, name, level, area string) (found, []string) {
	if name == "HL" || len(in.levels) > 0 && in.levels[0].byNumber && in.levels[0].name == name {
		if f, names, ok := x.findLevel(in, name, level); ok {
			return f, names
		}
	}
	var out found
	var where []string
	for i := range in.loop.Nodes {
		n := &in.loop.Nodes[i]
		if area != "" && n.Area != area || first(in.loop, i) != i || forbidden(in.loop, i) {
			continue
		}
		inner := in.inner[i]
		if n.Tag.String() != name && (inner == nil || inner.loop.Name != name) || n.Loop != nil && inner == nil {
			continue
		}
		where = append(where, n.Path)
		if len(where) == 1 {
			out = found{slot: i, loop: inner, layout: n.Segment, node: n, max: n.Max}
			if inner != nil {
				out.node = &inner.loop.Nodes[0]
			}
			if n.To-n.From > 1 {
				out.max = 0 // variants count each for itself
			}
		}
	}
	return out, where
}

// findLevel finds a level of a hierarchy.
func (x *guideIndex) findLevel(in *loopInfo, name, level string) (f found, where []string, ok bool) {
	if len(in.levels) == 0 {
		return f, nil, false
	}
	others := -1
	for k, l := range in.levels {
		if l.level == level || name != "HL" {
			return found{slot: in.above + k, loop: l, layout: l.loop.Nodes[0].Segment, node: &l.loop.Nodes[0], max: l.max}, []string{l.path}, true
		}
		if l.level == "*" {
			others = k
		}
	}
	if level != "" && others >= 0 {
		l := in.levels[others]
		return found{slot: in.above + others, loop: l, layout: l.loop.Nodes[0].Segment, node: &l.loop.Nodes[0], max: l.max, level: level}, []string{l.path}, true
	}
	// HL inside of a level without brackets is the segment that opens it.
	return f, nil, level != ""
}

// names lists what stands in a loop, for hints.
func (x *guideIndex) names(in *loopInfo) []string {
	var names []string
	for i := range in.loop.Nodes {
		n := &in.loop.Nodes[i]
		name := n.Tag.String()
		if in.inner[i] != nil && in.inner[i].loop.Name != name {
			names = append(names, in.inner[i].loop.Name)
		}
		if !slices.Contains(names, name) && name != "ST" && name != "SE" && name != "UNH" && name != "UNT" {
			names = append(names, name)
		}
	}
	for _, l := range in.levels {
		names = append(names, l.name)
	}
	return names
}

// areas are the first words of paths in the guide.
func (x *guideIndex) isArea(name string) bool {
	for i := range x.root.loop.Nodes {
		if x.root.loop.Nodes[i].Area == name && name != "" {
			return true
		}
	}
	return false
}

// elsewhere finds where else in the guide a segment stands.
func (x *guideIndex) elsewhere(name string) []string {
	var paths []string
	for n := range x.nodes {
		if (n.Tag.String() == name || n.Loop != nil && n.Loop.Name == name) && !slices.Contains(paths, n.Path) {
			paths = append(paths, n.Path)
		}
	}
	slices.SortFunc(paths, func(a, b string) int {
		if d := strings.Count(a, "/") - strings.Count(b, "/"); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	if len(paths) > 3 {
		paths = append(paths[:3], "...")
	}
	return paths
}
