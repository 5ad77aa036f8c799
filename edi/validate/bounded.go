package validate

import (
	"fmt"
	"slices"

	"tradepost/edi"
	"tradepost/edi/schema"
)

var tagLS, tagLE = schema.MakeTag("LS"), schema.MakeTag("LE")

const maxBounded = 100 // bounded loops inside one another that are followed

// bounded is a loop that an LS began and whose LE has not come (X12.6): both
// stand there or none, with the same identifier.
type bounded struct {
	id      string
	ordinal int
	node    *schema.Node
}

// bound follows LS and LE.
func (w *walker) bound(v *validator, seg *edi.Segment, tag schema.Tag, node *schema.Node) {
	if v.o.StructureOnly {
		return
	}
	id := clip(seg.Element(1).Raw())
	at := slices.IndexFunc(w.bounds, func(b bounded) bool { return b.id == id })
	if tag == tagLS {
		if at >= 0 {
			w.unbound(v, at)
		}
		if len(w.bounds) < maxBounded {
			w.bounds = append(w.bounds, bounded{id: id, ordinal: v.ordinal, node: node})
		}
		return
	}
	switch last := len(w.bounds) - 1; {
	case at >= 0:
		w.unbound(v, at+1)
		w.bounds = w.bounds[:at]
	case last >= 0:
		v.elementIssue(faultLevel, seg, node, 1, 0, seg.Element(1).Raw(), fmt.Sprintf("LE01 %s does not repeat LS01 %s of segment %d.", quote(id), quote(w.bounds[last].id), w.bounds[last].ordinal))
		w.bounds = w.bounds[:last]
	default:
		v.segmentIssue(faultUnexpected, node, false, "LE", unbegun(id))
	}
}

func unbegun(id string) string {
	return fmt.Sprintf("LE %s ends a loop that no LS began. Leave it out, or put the LS before the loop.", quote(id))
}

// open says that the LE is missing.
func (b *bounded) open() string {
	return fmt.Sprintf("LE is missing: the loop that LS %s of segment %d begins has no end.", quote(b.id), b.ordinal)
}

// unbound reports the LE of every bounded loop from one on as missing.
func (w *walker) unbound(v *validator, from int) {
	for i := len(w.bounds) - 1; i >= from; i-- {
		b := &w.bounds[i]
		v.segmentIssue(faultMissingSegment, b.node, false, "LE", b.open())
	}
	w.bounds = w.bounds[:min(from, len(w.bounds))]
}
