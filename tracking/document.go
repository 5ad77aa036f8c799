package tracking

import "time"

// Identifier is an EDI address: a qualifier and an id (ISA05/ISA06, UNB S002).
type Identifier struct {
	Qualifier string `json:"qualifier"`
	ID        string `json:"id"`
}

// String writes "ZZ:BUYER".
func (i Identifier) String() string { return i.Qualifier + ":" + i.ID }

// Interchange is one ISA..IEA or UNB..UNZ.
type Interchange struct {
	ID             ID         `json:"id"`
	TransmissionID ID         `json:"transmissionId,omitzero"` // that carried it to or from the partner; zero while ours waits to be sent
	Direction      Direction  `json:"direction"`
	Partner        string     `json:"partner"`
	Standard       string     `json:"standard"` // "X12", "EDIFACT"
	Version        string     `json:"version"`  // "00401"
	Sender         Identifier `json:"sender"`
	Receiver       Identifier `json:"receiver"`
	Control        string     `json:"control"` // ISA13, UNB 0020
	Date           time.Time  `json:"date,omitzero"`
	Test           bool       `json:"test"`
	State          Verdict    `json:"state"`
	Payload        Payload    `json:"payload"` // the content it lies in
	Offset         int64      `json:"offset"`  // of its first byte in the content
	Length         int64      `json:"length"`
	CreatedAt      time.Time  `json:"createdAt"`
}

// Group is one GS..GE or UNG..UNE; an EDIFACT interchange without groups has
// one Group with an empty Type.
type Group struct {
	ID            ID      `json:"id"`
	InterchangeID ID      `json:"interchangeId"`
	Type          string  `json:"type"`    // GS01: "PO"
	Version       string  `json:"version"` // GS08: "004010"
	Control       string  `json:"control"` // GS06
	State         Verdict `json:"state"`
}

// Document is one ST..SE or UNH..UNT.
type Document struct {
	ID            ID            `json:"id"`
	Direction     Direction     `json:"direction"` // seen from the partner
	Partner       string        `json:"partner"`
	Standard      string        `json:"standard"`
	Type          string        `json:"type"`    // "850"
	Version       string        `json:"version"` // "004010"
	Guide         string        `json:"guide,omitempty"`
	InterchangeID ID            `json:"interchangeId,omitzero"` // the partner-facing one; zero until ours is enveloped
	GroupID       ID            `json:"groupId,omitzero"`
	Control       string        `json:"control"`             // ST02 in the partner-facing interchange; of the source until enveloped
	SourceID      ID            `json:"sourceId,omitzero"`   // the transmission that brought it to us; zero for what we made (997)
	DeliveryID    ID            `json:"deliveryId,omitzero"` // the transmission that carried it on
	Payload       Payload       `json:"payload"`             // the content it lies in
	Offset        int64         `json:"offset"`              // of ST in the content
	Length        int64         `json:"length"`              // through the terminator of SE
	Segments      int           `json:"segments"`
	State         DocumentState `json:"state"`
	Ack           AckState      `json:"ack"`
	AckDue        time.Time     `json:"ackDue,omitzero"` // when the partner's (outbound) acknowledgement is overdue
	AckAt         time.Time     `json:"ackAt,omitzero"`
	Errors        int           `json:"errors"` // issues of severity error
	Warnings      int           `json:"warnings"`
	Error         string        `json:"error,omitempty"` // why it is invalid, failed or rejected, for a person
	Keys          []Key         `json:"keys,omitempty"`
	Test          bool          `json:"test"`
	CreatedAt     time.Time     `json:"createdAt"`
	UpdatedAt     time.Time     `json:"updatedAt"`
}

// Key is a business key of a document: {"PO", "4500012345"}.
type Key struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Issue is one fault or waiver found in a document, group or interchange, in
// the form of the command line contract.
type Issue struct {
	Severity  string `json:"severity"` // "error", "warning"
	Level     string `json:"level"`    // "input", "interchange", "group", "document", "segment", "element"; LevelMap
	Ack       string `json:"ack"`      // "AK403=7"
	Segment   string `json:"segment"`
	Ordinal   int    `json:"ordinal"`
	Element   int    `json:"element"`
	Component int    `json:"component"`
	Path      string `json:"path"`
	Offset    int64  `json:"offset"` // in the content of the transmission
	Line      int    `json:"line"`
	Value     string `json:"value"`
	Text      string `json:"text"`
	Reporter  string `json:"reporter,omitempty"` // "" = we found it; "partner" = their acknowledgement says so
}

// LevelMap is the level of what a map found in a form of the back office: its
// Path leads to the field, there is no segment.
const LevelMap = "map"

// Acknowledgement is one statement of a TA1, 997, 999 or CONTRL about one
// interchange, group or document.
type Acknowledgement struct {
	ID            ID        `json:"id"`
	Type          string    `json:"type"`                   // "997"
	Direction     Direction `json:"direction"`              // outbound: we wrote it about an inbound document
	CarrierID     ID        `json:"carrierId,omitzero"`     // the Document that carries it (the 997 itself)
	InterchangeID ID        `json:"interchangeId,omitzero"` // what it is about ...
	GroupID       ID        `json:"groupId,omitzero"`
	DocumentID    ID        `json:"documentId,omitzero"`
	Status        AckState  `json:"status"`
	Code          string    `json:"code"` // as on the wire: AK501 "R", AK901 "P", TA104 "A"
	At            time.Time `json:"at"`
}

// Event is one thing that happened, append-only. It hangs on whichever of the
// three ids are set; a document's life cycle is the union of its own, its
// interchange's and its transmissions' events.
type Event struct {
	ID             ID        `json:"id"`
	At             time.Time `json:"at"`
	Kind           EventKind `json:"kind"`
	TransmissionID ID        `json:"transmissionId,omitzero"`
	InterchangeID  ID        `json:"interchangeId,omitzero"`
	DocumentID     ID        `json:"documentId,omitzero"`
	Partner        string    `json:"partner,omitempty"`
	Text           string    `json:"text"`            // one sentence for a person
	Actor          string    `json:"actor,omitempty"` // who, where a person caused it
}
