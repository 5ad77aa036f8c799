package tracking

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// ErrNotFound is returned (wrapped) when an id or key names nothing.
var ErrNotFound = errors.New("not found")

// DuplicateError is returned by InsertTransmission when an accepted
// transmission with the same direction and key is already there.
type DuplicateError struct {
	Key      string
	Existing ID
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("%s was already accepted as transmission %s", e.Key, e.Existing)
}

// Tx is what can be written, and read back, inside one database transaction.
// Rows are written whole; ids are the caller's. A method's error leaves the
// database transaction usable only for DuplicateError and ErrNotFound;
// everything else must make the caller give up.
type Tx interface {
	// InsertTransmission stores t. When t.State is received and its (Direction,
	// Key) was accepted before, nothing is stored and a *DuplicateError comes back.
	InsertTransmission(ctx context.Context, t *Transmission) error
	UpdateTransmission(ctx context.Context, t *Transmission) error
	Transmission(ctx context.Context, id ID) (*Transmission, error)

	// OpenTransmissions returns the outbound transmissions in state prepared with
	// a Message-ID, for receipts that come on their own.
	OpenTransmissions(ctx context.Context, messageID string) ([]*Transmission, error)

	InsertReceipt(ctx context.Context, r *Receipt) error
	// FirstReceipt returns the earliest receipt about a transmission.
	FirstReceipt(ctx context.Context, transmission ID) (*Receipt, error)

	InsertInterchange(ctx context.Context, i *Interchange) error
	UpdateInterchange(ctx context.Context, i *Interchange) error
	Interchange(ctx context.Context, id ID) (*Interchange, error)
	InsertGroup(ctx context.Context, g *Group) error
	UpdateGroup(ctx context.Context, g *Group) error
	Group(ctx context.Context, id ID) (*Group, error)
	// SentGroup finds the newest outbound group to a partner by GS01 and GS06,
	// for correlation of an acknowledgement.
	SentGroup(ctx context.Context, partner, groupType, control string) (*Group, error)
	// SentInterchange finds the newest outbound interchange to a partner by its
	// control number, for TA1 and CONTRL.
	SentInterchange(ctx context.Context, partner, control string) (*Interchange, error)

	// InsertDocument stores d with its Keys.
	InsertDocument(ctx context.Context, d *Document) error
	// UpdateDocument stores everything but the Keys.
	UpdateDocument(ctx context.Context, d *Document) error
	// Document reads a document and locks it until the database transaction
	// ends, so that what is changed and stored again loses nobody's change. The
	// other methods that read transmissions, interchanges, groups and documents
	// lock what they return likewise.
	Document(ctx context.Context, id ID) (*Document, error)
	DocumentsOfGroup(ctx context.Context, group ID) ([]*Document, error)
	// DocumentsOfSource returns what a transmission brought, in order.
	DocumentsOfSource(ctx context.Context, transmission ID) ([]*Document, error)
	// DocumentsOfDelivery returns what a transmission carried on, in order.
	DocumentsOfDelivery(ctx context.Context, transmission ID) ([]*Document, error)
	// OverdueAcks returns outbound documents whose acknowledgement is awaited and
	// was due before now, and which have no overdue event yet; oldest first.
	OverdueAcks(ctx context.Context, now time.Time, limit int) ([]*Document, error)

	// InsertIssues stores the issues of a document (document set) or of an
	// interchange or group that no document owns (document zero).
	InsertIssues(ctx context.Context, interchange, document ID, issues []Issue) error
	InsertAcknowledgement(ctx context.Context, a *Acknowledgement) error
	AppendEvent(ctx context.Context, e *Event) error

	// ControlSeen returns the interchange that used a control number first since
	// a time (zero: ever), or zero when it is new.
	ControlSeen(ctx context.Context, scope, control string, since time.Time) (ID, error)
	// RememberControl records a control number seen inbound at a time (for
	// duplicate detection over time) under a scope such as "interchange ZZ:A
	// ZZ:B"; it returns the interchange that used it first since a time (zero:
	// ever), or zero when it is new. Of several callers at once one finds it new.
	// File names that a partner may use only once are remembered likewise, with
	// the transmission.
	RememberControl(ctx context.Context, scope, control string, interchange ID, at, since time.Time) (ID, error)
	// NextControl allocates the next outbound control number of a scope: 1, 2,
	// 3 ... Gaps are allowed, repeats never.
	NextControl(ctx context.Context, scope string) (int64, error)
}

// Archive keeps payloads by their content. Put returns only when the bytes
// are durable; the same bytes are kept once.
type Archive interface {
	Put(ctx context.Context, r io.Reader) (Payload, error)
	// Open returns the uncompressed bytes; ErrNotFound (wrapped) if they are not kept.
	Open(ctx context.Context, p Payload) (io.ReadCloser, error)
}

// Reader answers the questions of people: lists, single views, counts.
type Reader interface {
	Documents(ctx context.Context, q DocumentQuery) (*DocumentPage, error)
	DocumentView(ctx context.Context, id ID) (*DocumentView, error)
	Transmissions(ctx context.Context, q TransmissionQuery) (*TransmissionPage, error)
	TransmissionView(ctx context.Context, id ID) (*TransmissionView, error)
	// Events returns events after an id, oldest first, for followers.
	Events(ctx context.Context, after ID, limit int) ([]Event, error)
	Summary(ctx context.Context, since, now time.Time) (*Summary, error)
}

// QueryError is returned by a Reader that cannot answer what it was asked;
// the one who asks can put it right.
type QueryError struct {
	Field   string // "text", "since"
	Problem string // and what to do
}

func (e *QueryError) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Problem) }

// DocumentQuery selects documents; zero fields do not select. Newest first.
type DocumentQuery struct {
	Text      string // search box: a key value or control number, or a prefix of one (at least 2 characters), or an id
	Partner   string
	Direction Direction
	Type      string
	States    []DocumentState
	Acks      []AckState
	Overdue   bool   // acknowledgement awaited and due before Now
	Troubled  bool   // invalid, failed, or rejected: what Summary counts as troubled
	Control   string // ISA13, GS06 or ST02
	KeyName   string // with KeyValue: exact business key
	KeyValue  string
	Since     time.Time
	Until     time.Time
	Now       time.Time
	Before    ID  // page: only documents older than this id
	Limit     int // 0 = 50, at most 1000
}

// DocumentRow is a document in a list, with what a list shows of its surroundings.
type DocumentRow struct {
	Document
	InterchangeControl string `json:"interchangeControl"`
	GroupControl       string `json:"groupControl"`
}

// DocumentPage is one page; Next is the Before of the next page, zero at the end.
type DocumentPage struct {
	Documents []DocumentRow `json:"documents"`
	Next      ID            `json:"next,omitzero"`
}

// DocumentView is everything known of one document.
type DocumentView struct {
	Document         Document          `json:"document"`
	Interchange      *Interchange      `json:"interchange,omitempty"`
	Group            *Group            `json:"group,omitempty"`
	Source           *Transmission     `json:"source,omitempty"`
	Delivery         *Transmission     `json:"delivery,omitempty"`
	Receipts         []Receipt         `json:"receipts"`         // of both transmissions
	Acknowledgements []Acknowledgement `json:"acknowledgements"` // about it, its group or its interchange; and made by it when it is a 997
	Issues           []Issue           `json:"issues"`
	Related          []DocumentRow     `json:"related"` // same partner and a common key value
	Events           []Event           `json:"events"`  // oldest first
}

// TransmissionQuery selects transmissions; zero fields do not select. Newest first.
type TransmissionQuery struct {
	Text      string // Message-ID or file name, or a prefix; or an id
	Partner   string
	Direction Direction
	States    []TransmissionState
	Connector string
	Since     time.Time
	Until     time.Time
	Before    ID
	Limit     int
}

// TransmissionPage is one page.
type TransmissionPage struct {
	Transmissions []Transmission `json:"transmissions"`
	Next          ID             `json:"next,omitzero"`
}

// TransmissionView is everything known of one transmission.
type TransmissionView struct {
	Transmission Transmission  `json:"transmission"`
	Receipts     []Receipt     `json:"receipts"`
	Interchanges []Interchange `json:"interchanges"`
	Documents    []DocumentRow `json:"documents"`
	Issues       []Issue       `json:"issues"` // those that no document owns
	Duplicates   []ID          `json:"duplicates"`
	Events       []Event       `json:"events"`
}

// Summary is the Today page: what came and went since a moment, and what
// needs somebody.
type Summary struct {
	Since       time.Time      `json:"since"`
	Received    int            `json:"received"` // documents inbound
	Sent        int            `json:"sent"`     // documents outbound delivered
	Invalid     int            `json:"invalid"`
	Failed      int            `json:"failed"`
	Rejected    int            `json:"rejected"` // outbound, rejected by the partner
	AwaitingAck int            `json:"awaitingAck"`
	Overdue     int            `json:"overdue"`
	Refused     int            `json:"refused"` // transmissions refused or failed
	Duplicates  int            `json:"duplicates"`
	Hours       []HourCount    `json:"hours"`    // per hour since Since, with zero hours
	Partners    []PartnerCount `json:"partners"` // busiest first
}

// HourCount counts documents of one hour.
type HourCount struct {
	Hour     time.Time `json:"hour"`
	Inbound  int       `json:"inbound"`
	Outbound int       `json:"outbound"`
	Troubled int       `json:"troubled"` // invalid, failed or rejected
}

// PartnerCount counts documents of one partner.
type PartnerCount struct {
	Partner  string    `json:"partner"`
	Inbound  int       `json:"inbound"`
	Outbound int       `json:"outbound"`
	Troubled int       `json:"troubled"`
	LastAt   time.Time `json:"lastAt"`
}
