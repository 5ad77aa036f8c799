package dictionary

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"tradepost/edi"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// statistics counts what stands at each place of a guide.
type statistics struct {
	documents int
	above     map[*schema.Node]*schema.Node // the loop a place stands in, nil at the top
	opens     map[*schema.Node]*schema.Node // the loop a segment opens
	order     []*schema.Node
	places    map[*schema.Node]*placeCount
	loops     map[*schema.Node]int // times a loop was entered, by its node and level
	stack     []instance
	left      int // values that may still be told apart, so that memory is bounded
}

// instance is a loop that is open, with what it holds so far.
type instance struct {
	loop   *schema.Node // nil for the document
	opener *schema.Node // the segment that opened it
	held   map[*schema.Node]int
}

// placeCount is what was seen at one place.
type placeCount struct {
	in       int // loops, or documents, that have it at all
	most     int // uses in one of them
	segments int
	elements []*valueCount
}

// valueCount is what was seen of one element, or one component.
type valueCount struct {
	filled   int // segments, or composites, in which it has a value
	times    int // the same, with each repetition counted
	repeats  int // most repetitions
	shortest int
	longest  int
	numeric  bool
	decimal  bool
	control  bool           // control characters, as only binary data has them
	codes    map[string]int // values
	uncoded  bool           // too many or too long for codes
	parts    []*valueCount  // components; one when the element is simple
}

const (
	maxCodesSeen  = 60
	maxValues     = 10_000 // elements and components of all places
	maxCodeLength = 12
)

func newStatistics(g *schema.Guide) *statistics {
	st := &statistics{
		above: map[*schema.Node]*schema.Node{}, opens: map[*schema.Node]*schema.Node{},
		places: map[*schema.Node]*placeCount{}, loops: map[*schema.Node]int{}, left: maxValues,
	}
	st.collect(g.Root, nil)
	return st
}

func (st *statistics) collect(l *schema.Loop, loop *schema.Node) {
	for i := range l.Nodes {
		n := &l.Nodes[i]
		st.above[n] = loop
		st.order = append(st.order, n)
		st.places[n] = &placeCount{}
		if n.Loop == nil {
			continue
		}
		if len(n.Loop.Levels) == 0 {
			st.opens[&n.Loop.Nodes[0]] = n
			st.collect(n.Loop, n)
		}
		for j := range n.Loop.Levels {
			level := n.Loop.Levels[j].Loop
			st.opens[&level.Nodes[0]] = n
			st.collect(level, n)
		}
	}
}

// segment counts one segment of a document.
func (st *statistics) segment(seg *edi.Segment, p *validate.Place) {
	n := p.Node
	if n == nil || st.places[n] == nil {
		return
	}
	if len(st.stack) == 0 {
		st.stack = append(st.stack, instance{held: map[*schema.Node]int{}})
	}
	if loop := st.opens[n]; loop != nil {
		st.back(st.above[loop])
		st.stack[len(st.stack)-1].held[loop]++
		st.stack = append(st.stack, instance{loop: loop, opener: n, held: map[*schema.Node]int{n: 1}})
		st.loops[n]++
	} else {
		st.back(st.above[n])
		st.stack[len(st.stack)-1].held[n]++
	}
	c := st.places[n]
	c.segments++
	for i := 1; i <= seg.Len() && i <= maxPositions; i++ {
		if i > len(c.elements) {
			if st.left <= 0 {
				return
			}
			st.left--
			c.elements = append(c.elements, newValueCount())
		}
		if e := seg.Element(i); !e.Empty() {
			c.elements[i-1].element(e, &st.left)
		}
	}
}

// back closes loops until the one a segment stands in is the innermost.
func (st *statistics) back(loop *schema.Node) {
	for len(st.stack) > 1 && st.stack[len(st.stack)-1].loop != loop {
		st.close()
	}
}

// close ends the innermost loop and counts what it held.
func (st *statistics) close() {
	in := st.stack[len(st.stack)-1]
	st.stack = st.stack[:len(st.stack)-1]
	for n, times := range in.held {
		c := st.places[n]
		c.in++
		c.most = max(c.most, times)
	}
}

// end counts a document that has ended.
func (st *statistics) end(_ string, _ *validate.Document) {
	st.documents++
	for len(st.stack) > 0 {
		st.close()
	}
}

// chances is how often a place could have been used: documents, or uses of the
// loop it stands in.
func (st *statistics) chances(n *schema.Node) int {
	loop := st.above[n]
	if loop == nil {
		return st.documents
	}
	if len(loop.Loop.Levels) == 0 {
		return st.loops[&loop.Loop.Nodes[0]]
	}
	for i := range loop.Loop.Levels { // the level the place is of
		nodes := loop.Loop.Levels[i].Loop.Nodes
		for j := range nodes {
			if &nodes[j] == n {
				return st.loops[&nodes[0]]
			}
		}
	}
	return 0
}

func newValueCount() *valueCount {
	return &valueCount{numeric: true, decimal: true}
}

// element counts an element: its repetitions, and each of its components. A
// simple element has one component.
func (v *valueCount) element(e edi.Element, left *int) {
	v.filled++
	repeats := max(e.Repeats(), 1)
	v.repeats = max(v.repeats, repeats)
	for k := 1; k <= min(repeats, 100); k++ {
		one := e
		if repeats > 1 {
			one = e.Repeat(k)
		}
		v.times++
		for c := 1; c <= min(max(one.Components(), 1), maxPositions); c++ {
			if c > len(v.parts) {
				if *left <= 0 {
					return
				}
				*left--
				v.parts = append(v.parts, newValueCount())
			}
			if part := one.Component(c); !part.Empty() {
				v.parts[c-1].filled++
				v.parts[c-1].value(part.Text(nil))
			}
		}
	}
}

// value counts one value.
func (v *valueCount) value(text []byte) {
	if len(text) == 0 {
		return
	}
	n := len(text)
	if utf8.Valid(text) {
		n = utf8.RuneCount(text)
	}
	if v.shortest == 0 || n < v.shortest {
		v.shortest = n
	}
	v.longest = max(v.longest, n)
	points := 0
	for i, c := range text {
		digit := c >= '0' && c <= '9'
		v.control = v.control || c < ' '
		switch {
		case digit:
		case c == '-' && i == 0 && n > 1:
		case c == '.' || c == ',':
			points++
			v.numeric = false
		default:
			v.numeric, v.decimal = false, false
		}
	}
	last := text[len(text)-1]
	v.decimal = v.decimal && points <= 1 && last >= '0' && last <= '9'
	switch {
	case v.uncoded:
	case len(text) > maxCodeLength || !utf8.Valid(text) || printable(string(text)) != string(text):
		v.codes, v.uncoded = nil, true
	default:
		if v.codes == nil {
			v.codes = map[string]int{}
		}
		if v.codes[string(text)]++; len(v.codes) > maxCodesSeen {
			v.codes, v.uncoded = nil, true
		}
	}
}

// values lists the values seen, the most frequent first.
func (v *valueCount) values() []string {
	return slices.SortedFunc(maps.Keys(v.codes), func(a, b string) int {
		if v.codes[a] != v.codes[b] {
			return v.codes[b] - v.codes[a]
		}
		return strings.Compare(a, b)
	})
}
