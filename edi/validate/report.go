package validate

import (
	"cmp"
	"encoding/json"
	"slices"

	"tradepost/edi"
)

// Severity tells whether an issue costs acceptance.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // what it concerns is not accepted
	Warning Severity = "warning" // accepted; Rule names what was waived
)

// Level tells what an issue concerns.
type Level string

// The levels.
const (
	LevelInput       Level = "input"
	LevelInterchange Level = "interchange"
	LevelGroup       Level = "group"
	LevelDocument    Level = "document"
	LevelSegment     Level = "segment"
	LevelElement     Level = "element"
)

// Issue is one fault or waiver.
type Issue struct {
	Severity  Severity `json:"severity"`
	Level     Level    `json:"level"`
	Ack       string   `json:"ack"`       // TA105=nnn, AK905=n, AK502=n, AK304=n, AK403=n, 0085=nn; empty where no code exists
	Segment   string   `json:"segment"`   // tag, of the missing one when a segment is missing
	Ordinal   int      `json:"ordinal"`   // place in the document, ST or UNH is 1; 0 outside documents
	Element   int      `json:"element"`   // from 1; 0 for the segment as a whole
	Component int      `json:"component"` // from 1; 0 for the element as a whole
	Path      string   `json:"path"`      // place in the guide: heading/N1/N4
	Offset    int64    `json:"offset"`    // byte offset in the input
	Line      int      `json:"line"`      // from 1
	Value     string   `json:"value"`     // the value in question, cut to 100 bytes
	Text      string   `json:"text"`      // what, where, what is expected, what to do
	Rule      string   `json:"rule,omitempty"`

	Repeat    int    `json:"repeat,omitempty"`    // which repetition of the element, 0 when it has one only
	Reference string `json:"reference,omitempty"` // number of the element in the dictionary
	Loop      string `json:"loop,omitempty"`      // identifier of the loop, for AK303
	Trigger   int    `json:"-"`                   // element of the segment that makes this one needed, for CTX
	Code999   string `json:"code_999,omitempty"`  // IK304 or IK403 where it differs from Ack: I4, I6, I9, I10

	Raw       string `json:"-"` // the segment as it stands, cut to 512 bytes; only with Options.KeepRaw
	RawOffset int64  `json:"-"` // byte offset of Raw in the input
}

// Key is a business key a guide names: PO, Invoice, Shipment.
type Key struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Extent is a range of bytes and segments of the input.
type Extent struct {
	Offset   int64 `json:"offset"`   // byte offset of the header's first byte
	Length   int64 `json:"length"`   // bytes up to and with the trailer's terminator
	First    int   `json:"first"`    // ordinal in the input of the header segment, from 1
	Last     int   `json:"last"`     // ordinal in the input of the trailer segment
	LastLine int   `json:"-"`        // line of the last segment
	Complete bool  `json:"complete"` // the trailer is there
}

// Document is one ST to SE or UNH to UNT.
type Document struct {
	Type       string   `json:"type"`    // ST01 or UNH 0065
	Control    string   `json:"control"` // ST02 or UNH 0062
	Segments   int      `json:"segments"`
	Accepted   bool     `json:"accepted"`
	Guide      string   `json:"guide"`                // name of the guide it was checked with, empty when there was none
	Convention string   `json:"convention,omitempty"` // ST03 or UNH 0057
	Version    string   `json:"version,omitempty"`    // of an EDIFACT message: D:96A
	Agency     string   `json:"agency,omitempty"`     // of an EDIFACT message: UN
	Keys       []Key    `json:"keys,omitempty"`
	Extent     Extent   `json:"extent"`
	Issues     []*Issue `json:"-"`
	Omitted    int      `json:"omitted,omitempty"` // issues beyond the limit
}

// Group is one GS to GE or UNG to UNE; in EDIFACT without UNG a group without
// type holds the documents.
type Group struct {
	Type      string      `json:"type"`
	Version   string      `json:"version"`
	Control   string      `json:"control"`
	Accepted  bool        `json:"accepted"`
	Documents []*Document `json:"documents"`

	Sender   string   `json:"sender,omitempty"`   // GS02
	Receiver string   `json:"receiver,omitempty"` // GS03
	Agency   string   `json:"agency,omitempty"`   // GS07
	Date     string   `json:"date,omitempty"`     // GS04
	Time     string   `json:"time,omitempty"`     // GS05
	Declared int      `json:"declared"`           // GE01, -1 when it is missing or no number
	Received int      `json:"received"`           // documents found
	Refused  int      `json:"refused"`            // of these, not accepted
	Extent   Extent   `json:"extent"`
	Issues   []*Issue `json:"-"`
	NoAck    bool     `json:"-"` // holds acknowledgements only: never acknowledged
}

// Interchange is one ISA to IEA or UNB to UNZ.
type Interchange struct {
	Standard string   `json:"standard"` // X12 or EDIFACT
	Version  string   `json:"version"`  // ISA12 or UNB 0001:0002
	Control  string   `json:"control"`  // ISA13 or UNB 0020
	Sender   string   `json:"sender"`   // qualifier:identification
	Receiver string   `json:"receiver"`
	Offset   int64    `json:"offset"`
	Accepted bool     `json:"accepted"`
	Groups   []*Group `json:"groups"`

	From         edi.Party      `json:"-"`             // Sender in its parts
	To           edi.Party      `json:"-"`             // Receiver in its parts
	Date         string         `json:"date"`          // ISA09, YYMMDD, as sent
	Time         string         `json:"time"`          // ISA10, HHMM, as sent
	AckRequested bool           `json:"ack_requested"` // ISA14 or UNB 0031
	Test         bool           `json:"test"`          // ISA15 is T, or UNB 0035 is 1
	Usage        string         `json:"usage,omitempty"`
	Delimiters   edi.Delimiters `json:"-"`
	Received     int            `json:"received"`
	TA1          int            `json:"ta1,omitempty"` // interchange acknowledgements inside
	// Noted is the first code TA105=nnn among the errors of the groups: what is
	// wrong with a GS has no code in a 997, so that a TA1 has to tell it.
	Noted  string   `json:"-"`
	Extent Extent   `json:"extent"`
	Issues []*Issue `json:"-"`
}

// Report is the verdict on one input.
type Report struct {
	Accepted     bool
	Interchanges []*Interchange
	Issues       []*Issue // those that concern the input and no interchange in it
	Errors       int      // errors found, those omitted included
	Warnings     int
	Omitted      int // issues beyond Options.MaxIssues, counted and not kept
	// Unread is the first error of the reader: a part of the input could not be
	// read as segments, nil when all of it could. It is an issue, too.
	Unread error
	// Trailing are the bytes behind the last segment.
	Trailing []byte

	seen int // interchanges, those streamed included
}

// All returns every issue kept, in the order of the input.
func (r *Report) All() []*Issue {
	all := slices.Clone(r.Issues)
	for _, ic := range r.Interchanges {
		all = append(all, ic.Issues...)
		for _, g := range ic.Groups {
			all = append(all, g.Issues...)
			for _, d := range g.Documents {
				all = append(all, d.Issues...)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *Issue) int { return cmp.Compare(a.Offset, b.Offset) })
	return all
}

// MarshalJSON writes the object the command edi validate -o json prints.
func (r *Report) MarshalJSON() ([]byte, error) {
	interchanges, issues := r.Interchanges, r.All()
	if interchanges == nil {
		interchanges = []*Interchange{}
	}
	if issues == nil {
		issues = []*Issue{}
	}
	return json.Marshal(struct {
		Accepted     bool           `json:"accepted"`
		Interchanges []*Interchange `json:"interchanges"`
		Issues       []*Issue       `json:"issues"`
		Errors       int            `json:"errors"`
		Warnings     int            `json:"warnings"`
		Omitted      int            `json:"omitted,omitempty"`
	}{r.Accepted, interchanges, issues, r.Errors, r.Warnings, r.Omitted})
}
