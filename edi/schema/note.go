package schema

import (
	"fmt"
	"strings"
)

// NoteKind is the kind of a syntax note.
type NoteKind byte

// Syntax notes of X12.6 and the dependency notes of ISO 9735 part 1.
const (
	Paired      NoteKind = 'P' // all or none
	OneRequired NoteKind = 'R' // at least one
	Exclusive   NoteKind = 'E' // at most one
	Conditional NoteKind = 'C' // if the first, then all others
	ListCond    NoteKind = 'L' // if the first, then at least one other
	OnlyOne     NoteKind = '1' // D1: one and only one
	FirstNone   NoteKind = '7' // D7: if the first, then none of the others
)

// Note is one syntax note on the elements of a segment or the components of a
// composite.
type Note struct {
	Kind      NoteKind
	Positions []int // 1 is the first, 64 the last
	Soft      bool  // widely broken in practice: a warning in the tolerant profile
	Own       bool  // from a partner's guide

	all, first uint64 // positions as bits
}

// String writes the note as the standards do: P0607.
func (n Note) String() string {
	var b strings.Builder
	if n.Kind == OnlyOne || n.Kind == FirstNone {
		b.WriteByte('D')
	}
	b.WriteByte(byte(n.Kind))
	if n.Kind == OnlyOne || n.Kind == FirstNone {
		b.WriteByte(':')
	}
	for _, p := range n.Positions {
		fmt.Fprintf(&b, "%02d", p)
	}
	return b.String()
}

// compile sets what Holds works with.
func (n *Note) compile() {
	n.all = 0
	for _, p := range n.Positions {
		n.all |= 1 << (p - 1)
	}
	n.first = 1 << (n.Positions[0] - 1)
}

// Holds reports whether a note is kept by a segment whose elements that hold
// a value are the bits of present, position 1 in bit 0.
func (n *Note) Holds(present uint64) bool {
	have := present & n.all
	switch n.Kind {
	case Paired:
		return have == 0 || have == n.all
	case OneRequired:
		return have != 0
	case Exclusive:
		return have&(have-1) == 0
	case Conditional:
		return have&n.first == 0 || have == n.all
	case ListCond:
		return have&n.first == 0 || have&^n.first != 0
	case OnlyOne:
		return have != 0 && have&(have-1) == 0
	case FirstNone:
		return have&n.first == 0 || have&^n.first == 0
	}
	return true
}
