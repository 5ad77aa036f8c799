package validate

import (
	"context"

	"tradepost/edi"
	"tradepost/edi/schema"
)

// Profile says how much of real traffic's habits is let pass.
type Profile string

// The profiles.
const (
	Tolerant Profile = "tolerant" // the default: waivers are warnings
	Strict   Profile = "strict"   // waivers are errors
)

// Options says what to check against. The zero value checks with the shipped
// guides in the tolerant profile.
type Options struct {
	Profile Profile // Tolerant when empty

	// Except names rules (see Rules) of which the other profile holds: what one
	// partner is waived beyond the strict profile, or not within the tolerant.
	Except []string

	// Catalog holds the guides; nil means schema.Shipped(), which costs some
	// milliseconds a call: make one and use it again.
	Catalog *schema.Catalog

	// GuideFor, when set, is asked first for the guide of a document; nil
	// leaves the choice to the catalog. It is the place for partner guides.
	GuideFor func(Choice) *schema.Guide

	// History tells whether a control number was used before. Nil checks
	// duplicates inside the input only.
	History History

	// OnDocument is called when a document ends, OnGroup and OnInterchange when
	// these do, in that order; an error stops the walk and is returned.
	OnDocument    func(*Interchange, *Group, *Document) error
	OnGroup       func(*Interchange, *Group) error
	OnInterchange func(*Interchange) error

	// OnSegment is called for every segment of the input, envelope segments
	// included, after it was checked. The Place is valid during the call only.
	OnSegment func(*edi.Segment, *Place) error

	// OnUnread is called for every segment that could not be read, between the
	// calls of OnSegment for those around it. Behind one that is not Recoverable
	// nothing follows.
	OnUnread func(*edi.SyntaxError) error

	// Stream drops documents, groups and interchanges from the report once
	// their function was called, so that memory does not grow with the input.
	Stream bool

	// StructureOnly finds the place of every segment and does not look into
	// elements: for those who want the tree and not the verdict.
	StructureOnly bool

	// KeepRaw puts the raw segment into each issue.
	KeepRaw bool

	// MaxIssues bounds the issues kept for the input (default 10000) and
	// MaxDocumentIssues those of one document (default 1000). Issues beyond are
	// counted, and still cost acceptance.
	MaxIssues         int
	MaxDocumentIssues int

	// Limits are the reader's.
	Limits edi.Limits

	// Workers is how many documents are checked at once: 0 and 1 stand for one
	// after the other. The report is the same, byte for byte, and so are the
	// calls of the functions above; only GuideFor is then called by several
	// goroutines. Memory grows by some megabytes a worker. With OnSegment or
	// OnUnread, or where documents are longer than a megabyte, there is one.
	Workers int

	blockSize int // bytes of the blocks that workers take, 0 for the usual
}

// Choice is what a guide is chosen by.
type Choice struct {
	Standard      string
	Sender        edi.Party // of the interchange
	Receiver      edi.Party // of the interchange
	GroupSender   string    // GS02
	GroupReceiver string    // GS03
	Version       string    // GS08, or D:96A
	Type          string    // ST01 or UNH 0065
	Convention    string    // ST03, or UNH 0057 (EAN008)
}

// Reference names one use of a control number.
type Reference struct {
	Level    Level // interchange, group or document
	Standard string
	Sender   edi.Party
	Receiver edi.Party
	Group    string // GS01 and GS06, for groups and documents
	Type     string // ST01, for documents
	Control  string
}

// History remembers control numbers over time. Seen reports whether a number
// was used before this input; it must not record it, since the input may still
// be refused.
type History interface {
	Seen(ctx context.Context, ref Reference) (bool, error)
}

// Place tells where a segment stands.
type Place struct {
	Interchange *Interchange // nil outside of any
	Group       *Group       // nil outside of any; in EDIFACT without UNG a group stands for none
	Document    *Document    // nil outside of any
	Role        Role
	Guide       *schema.Guide   // of the document, nil when there is none
	Node        *schema.Node    // nil when the segment has no place or there is no guide
	Layout      *schema.Segment // nil when the segment is not described
	Loops       []Loop          // open loops, the outermost first, this segment's included
	Kept        int             // how many of these were open before the segment
}

// Loop is one open loop.
type Loop struct {
	Name  string // N1, HL
	Title string
	Level string // code of the level in a hierarchy, as the guide names it; * for others
}

// Role is what a segment is to the envelope.
type Role uint8

// The roles.
const (
	Outside          Role = iota // in no document
	Body                         // in a document
	InterchangeStart             // ISA, UNB
	InterchangeEnd               // IEA, UNZ
	GroupStart                   // GS, UNG
	GroupEnd                     // GE, UNE
	DocumentStart                // ST, UNH
	DocumentEnd                  // SE, UNT
)
