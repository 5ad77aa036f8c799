package dictionary

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tradepost/edi/schema"
)

// standard is what an importer found, before it is written in our format.
type standard struct {
	standard string // schema.X12 or schema.EDIFACT
	version  string // 004010 or D:96A
	title    string
	origin   []string // comment lines for the head of every file

	elements   map[string]*element
	composites map[string]*layout
	segments   map[string]*layout
	documents  []*document

	anything []use // positions of a segment of which only the identifier is known
}

func newStandard() *standard {
	return &standard{elements: map[string]*element{}, composites: map[string]*layout{}, segments: map[string]*layout{}}
}

// element is a data element with its codes.
type element struct {
	ref, name string
	kind      schema.Type
	decimals  int
	min, max  int
	open      bool // the codes are no complete list
	guessed   bool // the length is that of the longest code
	codes     []schema.Code
	place     place
}

// layout is a segment or a composite.
type layout struct {
	ref, name string
	uses      []use
	notes     []string // P0203, D3:0102
	place     place
}

// use is one position of a layout.
type use struct {
	ref, name string
	required  bool
	repeat    int // 0 or 1: once
	min, max  int // 0 keeps the element's
	codes     []string
	open      bool
	format    int // position whose code tells the form of this date, 0 for none
	comment   string
	place     place
}

// document is one guide. A document with basedOn lies over another one and has
// edits only.
type document struct {
	name    string // of the guide, set when it is written
	kind    string // 850, ORDERS
	group   string
	title   string
	nodes   []area
	edits   []edit
	codes   []codeChange
	basedOn string
	comment []string
	place   place
	keys    []string // PO BEG03
}

// area is a part of a document: heading, detail, summary or message.
type area struct {
	name  string
	nodes []node
}

// node is a segment, or a loop when it has nodes.
type node struct {
	name     string // tag, or name of the loop
	title    string
	required bool
	max      int // 0 for any number
	nodes    []node
	comment  string    // for people, behind the line
	fields   []variety // the segment as an XML Schema has it here
	levels   []level
	place    place
}

// level is one kind of hierarchical level.
type level struct {
	code, title string
	root        bool
	under       []string
	nodes       []node
}

// edit is one at block.
type edit struct {
	path     string
	rules    []string // require, max 3, 2 codes A B ...
	variants []variant
	others   string // "", forbid or allow
	comment  string
}

// variant is a copy of a node for some values of one element.
type variant struct {
	name, title string
	rules       string // require max 1
	where       string // 1 = ST
	edits       []edit
}

// codeChange is a codes statement of a guide.
type codeChange struct {
	ref   string
	verb  string // add, only
	codes []schema.Code
}

// addUse appends a position.
func (l *layout) addUse(u use) { l.uses = append(l.uses, u) }

// first is the first segment below a node: the node itself, or what opens a
// loop.
func (n *node) first() string {
	if len(n.levels) > 0 {
		return "HL"
	}
	if len(n.nodes) > 0 {
		return n.nodes[0].first()
	}
	return n.name
}

// walk visits every segment node below nodes with its path.
func walk(nodes []node, path string, visit func(n *node, path string)) {
	for i := range nodes {
		n := &nodes[i]
		at := joinPath(path, n.name)
		visit(n, at)
		walk(n.nodes, at, visit)
		for j := range n.levels {
			walk(n.levels[j].nodes, at+"["+n.levels[j].code+"]", visit)
		}
	}
}

func joinPath(path, name string) string {
	if path == "" {
		return name
	}
	return path + "/" + name
}

// prefix is what paths in an area begin with.
func (a *area) prefix() string {
	if a.name == "message" {
		return ""
	}
	return a.name
}

// sortedRefs orders numbers by value and the others behind them by text: 2, 28,
// 1004, C040, I01.
func sortedRefs[T any](m map[string]T) []string {
	return slices.SortedFunc(maps.Keys(m), compareRefs)
}

func compareRefs(a, b string) int {
	m, errA := strconv.Atoi(a)
	n, errB := strconv.Atoi(b)
	switch {
	case errA == nil && errB == nil:
		return cmp.Or(cmp.Compare(m, n), strings.Compare(a, b))
	case errA == nil:
		return -1
	case errB == nil:
		return 1
	}
	return strings.Compare(a, b)
}

// parseRepresentation reads an..35, n3 or a..3 as EDIFACT directories write
// them.
func parseRepresentation(text string) (kind schema.Type, shortest, longest int, ok bool) {
	text = strings.ReplaceAll(text, " ", "")
	rest := strings.TrimLeft(text, "an")
	switch text[:len(text)-len(rest)] {
	case "an":
		kind = schema.AlphaNum
	case "a":
		kind = schema.Alpha
	case "n":
		kind = schema.Numeric
	default:
		return 0, 0, 0, false
	}
	digits, ranged := strings.CutPrefix(rest, "..")
	longest, err := strconv.Atoi(digits)
	if err != nil || longest < 1 || longest > maxElementLength || digits[0] == '+' {
		return 0, 0, 0, false
	}
	if ranged {
		return kind, 1, longest, true
	}
	return kind, longest, longest, true
}

const (
	maxElementLength = 1 << 30
	maxPositions     = 99 // positions of a segment that our format can name
	maxNotePositions = 64
	maxUses          = 1 << 24
	maxNestedLoops   = 24
)
