package schema

import (
	"regexp"
	"slices"
	"strings"
)

// Standard names for Dictionary and Guide.
const (
	X12     = "X12"
	EDIFACT = "EDIFACT"
)

// Type is the kind of value an element holds.
type Type uint8

// The element types of X12.6 and ISO 9735.
const (
	String   Type = iota + 1 // AN: any characters
	Code1                    // ID: a code
	Implied                  // N0..N9: digits with an implied decimal point
	Decimal                  // R: decimal number with a point
	Date                     // DT: YYMMDD or CCYYMMDD
	Time                     // TM: HHMM, HHMMSS, HHMMSSd..
	Binary                   // B: bytes counted by another element
	Alpha                    // a: letters (EDIFACT)
	Numeric                  // n: number (EDIFACT)
	AlphaNum                 // an: characters (EDIFACT)
)

// String gives the type as the text format writes it.
func (t Type) String() string {
	switch t {
	case String:
		return "AN"
	case Code1:
		return "ID"
	case Implied:
		return "N"
	case Decimal:
		return "R"
	case Date:
		return "DT"
	case Time:
		return "TM"
	case Binary:
		return "B"
	case Alpha:
		return "a"
	case Numeric:
		return "n"
	case AlphaNum:
		return "an"
	}
	return "?"
}

// Words gives the type in words for the text of an issue.
func (t Type) Words() string {
	switch t {
	case Code1:
		return "code"
	case Implied:
		return "whole number (digits only)"
	case Decimal, Numeric:
		return "number"
	case Date:
		return "date"
	case Time:
		return "time"
	case Binary:
		return "binary data"
	case Alpha:
		return "letters"
	}
	return "text"
}

// Use is an element or composite at its position in a segment, or an element
// at its position in a composite.
type Use struct {
	Ref       string // number in the dictionary: 353, C040
	Name      string
	Type      Type
	Decimals  int // implied decimal places of type N
	Min, Max  int // length in characters, sign and decimal point not counted
	Repeat    int // largest number of repetitions, at least 1
	Required  bool
	Forbidden bool       // a partner's guide does not allow it
	Codes     *Codes     // nil when any value is allowed
	Composite *Composite // set for a composite; Type, Min and Max are then unused

	// Pattern is what the whole value has to look like, nil for anything. Only a
	// partner's guide has one.
	Pattern *regexp.Regexp

	// Format is the position, in the same segment or composite, whose code
	// names the form of this date or time (X12 1250, EDIFACT 2379); 0 for none.
	Format int

	// OwnRequired, OwnCodes tell that the rule comes from a partner's guide and
	// not from the standard below it.
	OwnRequired bool
	OwnCodes    bool
	OwnLength   bool
}

// Composite is a composite data element.
type Composite struct {
	Ref   string
	Name  string
	Uses  []Use
	Notes []Note

	// LastRequired is the position of the last mandatory component, 0 when
	// there is none.
	LastRequired int
	// Formats are the positions whose Use has a Format.
	Formats []int
}

// Segment is a segment's layout.
type Segment struct {
	Tag   string
	Name  string
	Uses  []Use
	Notes []Note

	// LastRequired is the position of the last mandatory element, 0 when there
	// is none.
	LastRequired int
	// Formats are the positions whose Use has a Format.
	Formats []int
}

func formats(uses []Use) []int {
	var list []int
	for i := range uses {
		if uses[i].Format > 0 {
			list = append(list, i+1)
		}
	}
	return list
}

// finish sets what is derived from Uses.
func (s *Segment) finish() {
	s.LastRequired, s.Formats = lastRequired(s.Uses), formats(s.Uses)
}

// finish sets what is derived from Uses.
func (c *Composite) finish() {
	c.LastRequired, c.Formats = lastRequired(c.Uses), formats(c.Uses)
}

func lastRequired(uses []Use) int {
	for i := len(uses); i > 0; i-- {
		if uses[i-1].Required {
			return i
		}
	}
	return 0
}

// Where is a condition on a segment: an element's value is one of a list.
type Where struct {
	Element   int // 1 is the first after the tag
	Component int // 1 is the first, 0 means the element is simple
	Values    *Codes
}

// Key is a business key taken from a segment.
type Key struct {
	Name      string
	Element   int
	Component int
	Where     *Where // nil: always
}

// Node is one place in a loop: a segment, or a loop opened by its first
// segment.
type Node struct {
	Tag Tag // of the segment, or of the segment that opens the loop
	Min int // 0 optional, 1 or more mandatory
	Max int // 0 for any number

	// From and To are the places in the loop, To not included, that this node
	// shares with the other variants of the same segment: they may occur in any
	// order. A node without variants has a range of its own.
	From, To int

	Segment *Segment
	Loop    *Loop  // nil for a segment
	Where   *Where // variant of a partner's guide; nil otherwise
	Keys    []Key
	Area    string // heading, detail or summary; empty in EDIFACT
	Path    string // heading/N1/N3
	Title   string // name of a variant, or empty

	Forbidden bool // a partner's guide does not allow it
	Own       bool // Min, Max or Where come from a partner's guide
	variants  bool // one of a row of variants, or the node they were made from
}

// Loop is a sequence of nodes; the first is the segment that opens it. The
// root of a guide is a loop without such a segment.
type Loop struct {
	Name  string // N1, PO1, HL
	Title string
	Nodes []Node
	Tags  []Tag // Tags[i] == Nodes[i].Tag, kept apart for a fast search
	First int   // number of Nodes[0] among all nodes of the guide, for counters

	// Mandatory are the places in Nodes whose Min is not 0.
	Mandatory []int

	// Levels is set for a hierarchy loop (HL): Nodes is then that of the
	// level, chosen by HL03, and Nodes of this loop holds the HL segment only.
	Levels []Level
}

// Level is one kind of hierarchical level, chosen by the code in HL03.
type Level struct {
	Code   string // "*" stands for every code that is not named
	Title  string
	Under  []string // codes of permitted parents; empty for any
	IsRoot bool     // may stand without a parent
	Loop   *Loop

	Min, Max  int  // of all levels of the code in a document; Max is 0 for any number
	Forbidden bool // a partner's guide does not allow it
	Own       bool // Under, IsRoot, Min, Max or Forbidden come from a partner's guide
}

// Guide is one compiled transaction set or message.
type Guide struct {
	Name     string // x12/004010/850
	Title    string
	Standard string // X12 or EDIFACT
	Version  string // 004010 or D:96A
	Type     string // 850 or ORDERS
	Group    string // GS01 the set belongs in, PO for 850; empty in EDIFACT
	BasedOn  string // name of the guide it is laid over, or empty
	NoAck    bool   // never answered by a functional acknowledgement (997 itself)

	// Conventions are the subsets of the standard the guide is for, as UNH 0057
	// (EAN008), ST03 or GS08 behind the version (VICS) name them. Empty for a
	// guide of the standard itself.
	Conventions []string

	Root  *Loop
	Nodes int // number of nodes, for sizing counters

	Dictionary *Dictionary
	places     map[Tag]*Segment
}

// Places returns the layout of a segment that has a place somewhere in the
// guide, nil when it has none.
func (g *Guide) Places(t Tag) *Segment { return g.places[t] }

// Dictionary is a set of elements, composites and segments. It may be used by
// several goroutines.
type Dictionary struct {
	Name     string
	Title    string
	Standard string
	Version  string

	resolver *resolver
}

// Segment returns a segment's layout, nil when the dictionary has none.
func (d *Dictionary) Segment(t Tag) *Segment {
	if d == nil {
		return nil
	}
	seg, _ := d.resolver.segment(t) // mistakes were told when the text was put into the catalog
	return seg
}

// Knows reports whether such a segment exists in the release, described or
// not.
func (d *Dictionary) Knows(t Tag) bool {
	if d == nil {
		return false
	}
	tag := t.String()
	return slices.ContainsFunc(d.resolver.chain, func(f *File) bool { return f.segments[tag] != nil || slices.Contains(f.tags, tag) })
}

// Tag is a segment identifier packed into a number, so that comparing two is
// one instruction. The zero Tag is no identifier.
type Tag uint32

// MakeTag packs an identifier of one to four bytes; others give zero.
func MakeTag[T string | []byte](id T) Tag {
	if len(id) == 0 || len(id) > 4 {
		return 0
	}
	var t Tag
	for i := 0; i < len(id); i++ {
		t = t<<8 | Tag(id[i])
	}
	return t
}

// String unpacks the identifier.
func (t Tag) String() string {
	var b strings.Builder
	for shift := 24; shift >= 0; shift -= 8 {
		if c := byte(t >> shift & 0xff); c != 0 {
			b.WriteByte(c)
		}
	}
	return b.String()
}
