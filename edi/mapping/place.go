package mapping

import (
	"tradepost/edi/schema"
)

// place is a path looked up: slots instead of names. It starts in a context,
// the occurrence of a loop, segment or object that a line stands in.
type place struct {
	text  string // as written
	at    position
	up    int // contexts to go up; -1 for the document
	steps []step
	kind  Kind

	// of a guide
	leaf   leaf
	codec  codec
	layout *schema.Segment // that it ends in
	node   *schema.Node    // of that segment

	// of a form
	field *Field // the last one; nil when the place is the context itself
}

// step goes from one occurrence to one inside of it.
type step struct {
	slot  int
	loop  *loopInfo // nil for a segment
	head  bool      // the segment that opens the loop of the context
	nth   int       // which of those that fit, 0 for any
	conds []cond
	sign  int // tells steps with different conditions apart when writing
	max   int
	name  string // as written
	tag   string

	layout *schema.Segment
	node   *schema.Node
	field  *Field // of a form
}

// cond is one condition on an occurrence.
type cond struct {
	element   int
	component int
	field     *Field // of a form
	values    []string
	not       bool
	use       *schema.Use
}

// leaf is which element or component a place ends at.
type leaf struct {
	element, last            int // 0: the place is an occurrence
	component, lastComponent int
	pair                     []string // qualifiers of which the value stands behind
	conds                    []cond   // on components
	isRange                  bool     // a range to go through
	step                     int      // 2 for pairs, 1 for composites
	use                      *schema.Use
}

// contextType is what lines are written for: where their paths start.
type contextType struct {
	loop   *loopInfo       // of a guide
	layout *schema.Segment // a segment of the loop
	node   *schema.Node    // of that segment, or of the one that opens the loop
	span   *leaf           // elements of that segment
	object *Object         // of a form
	item   *Field          // a list of values
	path   string          // for messages

	above  *contextType
	closed bool // a block used in several places: it cannot see what is around
}

// sameAs tells whether lines compiled for one context serve the other.
func (c *contextType) sameAs(d *contextType) bool {
	return c.loop == d.loop && c.layout == d.layout && c.object == d.object && c.item == d.item &&
		(c.span == nil) == (d.span == nil) && (c.span == nil || c.span.element == d.span.element && c.span.last == d.span.last && c.span.step == d.span.step)
}

// binder looks up the paths of one side of a map.
type binder interface {
	// root is the context of the document.
	root() *contextType
	// bind looks a path up. Scalar tells that it must end in a value; writing
	// that an occurrence must be possible to make.
	bind(ctx *contextType, path located, want want) *place
	// inside is the context of an occurrence the place leads to.
	inside(ctx *contextType, p *place) *contextType
	// reporting is the same binder with problems of its own.
	reporting(p *problems) binder
}

// want is what a path is looked up for.
type want uint8

const (
	wantValue want = iota // an element or a field with a value
	wantOne               // one occurrence to go into
	wantEach              // all occurrences, one by one
	wantCount             // all occurrences, to be counted
	wantJoin              // a value, or a range of components
	wantMany              // the values of all occurrences
)
