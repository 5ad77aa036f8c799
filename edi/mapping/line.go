package mapping

import "tradepost/edi/schema"

// lineKind is what a line does.
type lineKind uint8

const (
	lineValue   lineKind = iota // one value from one place, or the first of several
	lineAgree                   // one value that all its places agree in
	lineJoin                    // one text put together from several places
	lineValues                  // a list of values from several places
	lineConst                   // a constant
	lineCount                   // a number of occurrences
	lineWritten                 // how often a segment was written
	lineBlock                   // lines inside of one occurrence, or of none
	lineEach                    // lines for each occurrence
)

// line is one line of a map, looked up on both sides.
type line struct {
	kind lineKind
	at   position
	name string // the target as written

	to, from *place   // nil where the line has none
	places   []*place // of from, when there are several
	join     string
	constant []byte
	tag      schema.Tag // counted
	table    *Table
	rest     bool
	body     *block
	beside   []besideValue

	toStandard, fromStandard []byte // defaults
	toValue, fromValue       *expression
	toWhen, fromWhen         *expression
	toWhere, fromWhere       *expression // of an each: which occurrences

	forward, backward bool   // the directions it takes part in
	slot              int32  // that has to hold something when it runs forward, -1 for none
	turned            bool   // a line of only-from: from and to are those of the run
	stands            string // why it cannot run backward, "" when it can
}

// besideValue is what has to stand beside the value of a line on its from side.
type besideValue struct {
	element, component int
	values             []string
}

// block is the lines of a document, loop or object.
type block struct {
	lines []*line
}

// program is a map looked up for one guide or form on each side.
type program struct {
	from, to sideInfo
	top      *block
	all      []*line   // every line once, blocks included
	dropped  []Problem // why lines were left out for a guide the map does not name

	made    map[*schema.Node][]madeValue // what writing the from side makes by itself
	derived map[*Field][]byte            // fields that follow from the from side: the constant, or nil for a computed value
}

// sideInfo is one side of a program.
type sideInfo struct {
	guide *guideIndex
	form  *Form
}
