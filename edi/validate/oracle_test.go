package validate_test

import (
	"math/bits"

	"tradepost/edi/schema"
)

// oracle tells whether segments can be read by a guide in any way at all. It
// tries every way, where the walk takes the nearest place.
type oracle struct {
	lines []line
	seen  map[spot]uint64
}

// spot is a place of a guide and of a document.
type spot struct {
	loop            *schema.Loop
	node, uses, pos int
}

// accepts tells whether there is a way. Documents have 63 segments at most.
func accepts(g *schema.Guide, lines []line) bool {
	o := &oracle{lines: lines, seen: map[spot]uint64{}}
	return o.ends(spot{loop: g.Root})&(1<<len(lines)) != 0
}

// ends gives the places where a loop may end, as bits, when it goes on at a
// spot.
func (o *oracle) ends(at spot) uint64 {
	if at.node == len(at.loop.Nodes) {
		return 1 << at.pos
	}
	if ends, ok := o.seen[at]; ok {
		return ends
	}
	n := &at.loop.Nodes[at.node]
	var ends uint64
	if at.uses >= n.Min {
		ends = o.ends(spot{at.loop, at.node + 1, 0, at.pos})
	}
	if at.pos < len(o.lines) && schema.MakeTag(o.lines[at.pos].layout.Tag) == n.Tag && (n.Max == 0 || at.uses < n.Max) {
		next := uint64(2) << at.pos
		if n.Loop != nil {
			inner := n.Loop
			if len(inner.Levels) > 0 {
				inner = levelOf(inner, o.lines[at.pos].values[2][0][0])
			}
			next = o.ends(spot{inner, 1, 0, at.pos + 1})
		}
		for ; next != 0; next &= next - 1 {
			ends |= o.ends(spot{at.loop, at.node, at.uses + 1, bits.TrailingZeros64(next)})
		}
	}
	o.seen[at] = ends
	return ends
}

// levelOf gives the loop of an HL.
func levelOf(l *schema.Loop, code string) *schema.Loop {
	var other *schema.Loop
	for _, level := range l.Levels {
		switch level.Code {
		case code:
			return level.Loop
		case "*":
			other = level.Loop
		}
	}
	return other
}
