// Package transport is the seam between the gateway and the connectors (AS2,
// directory, SFTP, FTP, HTTPS). A connector brings arrivals to the Sink and
// carries deliveries away; it stores nothing itself, decides nothing about
// documents and imports nothing of ours but this package (and as2 for AS2).
//
// Two promises hold across the seam. In: the other side is told "received"
// only after Sink.Accept returned, which is after the commit. Out: everything
// that identifies a delivery (id, bytes) is fixed by Prepare and stored before
// Send lets the first byte leave, so that a retry is recognisably the same.
package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Connection is one configured use of a connector.
type Connection struct {
	Name      string          // unique in the station
	Connector string          // "as2", "directory"
	Partner   string          // whose connection it is; "" for our own house (back office)
	Settings  json.RawMessage // decoded strictly by the connector
}

// Body is a payload that can be read more than once.
type Body interface {
	Open() (io.ReadCloser, error)
	Size() int64
}

// Bytes is a Body in memory.
type Bytes []byte

// Part is one payload with what the other side says of it. Filename is
// metadata and never a path.
type Part struct {
	Filename    string
	ContentType string
	Body        Body
}

// HeaderField is one header line as it crossed the wire.
type HeaderField struct{ Name, Value string }

// Certificate names a certificate that took part.
type Certificate struct {
	Subject, Issuer, Serial, SHA256 string // serial and fingerprint in hex
	NotBefore, NotAfter             time.Time
}

// Evidence proves how something crossed the wire; fields that do not apply
// stay empty. It has the meaning of tracking.Evidence.
type Evidence struct {
	Remote                        string
	TLS                           string
	Headers                       []HeaderField
	From, To                      string
	Signed, Encrypted, Compressed bool
	Digest, Cipher                string
	MIC, MICAlg                   string
	// MICs is the same check under every digest it was kept in, base64 by
	// digest name: a partner may label the one it returns with any of them.
	MICs              map[string]string
	Signer, Recipient *Certificate
	HTTPStatus        int
	Response          string
	// Resumed are the bytes from which it was gone on with after a connection
	// broke; none when it crossed in one.
	Resumed []int64
}

// Receipt is a proof of delivery: ours about an arrival, or theirs about a
// delivery. Header and Body are the exact bytes that (will) cross the wire.
type Receipt struct {
	MessageID   string
	Disposition string
	Positive    bool // it proves delivery, or we accepted
	Signed      bool
	Async       bool
	AsyncURL    string // where ours is to be posted, when Async
	MIC, MICAlg string
	MICMatches  bool
	Signer      *Certificate
	Headers     []HeaderField
	Body        []byte
	Reason      string // why it does not prove delivery, or why we refused
}

// Arrival is what a connector brings to the door.
type Arrival struct {
	Connection  string
	Connector   string
	Partner     string // our name of the sender; "" when it could not be told
	Key         string // exactly-once key: a second arrival with the key of an accepted one is a duplicate
	MessageID   string
	Subject     string
	Content     Part // the business payload; its Body is nil when it could not be got out
	Attachments []Part
	Wire        Body // exact bytes as they crossed, when they differ from Content; else nil
	Evidence    Evidence
	// Receipt is the answer that will be given, made before the commit so that
	// it is stored with what it is about. Nil when none is asked for.
	Receipt *Receipt
	// Refused, when not empty, says why what arrived cannot be used (unknown
	// partner, wrong key, tampered): it is recorded and kept, not processed. It
	// never is the duplicate of anything, since anybody can write any Key.
	Refused string
	// UniqueNames says that no file name of what arrived, Content and Attachments,
	// may be one of an arrival of the partner's that was accepted before: Accept
	// answers with a *NameUsedError then.
	UniqueNames bool
	// Again is set when nothing came but the question for the answer to what was
	// accepted under Key before: it is recorded as a duplicate, without bytes.
	// Accept answers with ErrNeverAccepted when nothing was.
	Again bool
	// Returned is set when no document arrived but a receipt for a delivery of
	// ours that is Pending. Content is then empty and no receipt answers it.
	Returned *Returned
}

// Acceptance is what the door says, after the commit.
type Acceptance struct {
	ID        string   // of the transmission, for the log line of the other side
	Duplicate bool     // it was accepted before: answer with Receipt
	Receipt   *Receipt // the stored one: for a duplicate, the first one's, byte for byte
}

// ErrNeverAccepted is the answer to an arrival that is Again, when nothing was
// accepted under its key.
var ErrNeverAccepted = errors.New("nothing was accepted under this key")

// NameUsedError is the answer to an arrival with UniqueNames that has a name
// which was used before. Nothing was recorded.
type NameUsedError struct{ Name string }

// Error names the name.
func (e *NameUsedError) Error() string {
	return fmt.Sprintf("the file name %q was used before", e.Name)
}

// Sink is the one door in. When Accept returns an error nothing was recorded,
// and the other side must be left believing that it still has to deliver.
type Sink interface {
	Accept(ctx context.Context, a *Arrival) (*Acceptance, error)
}

// Delivery is what is to be carried away.
type Delivery struct {
	ID        string // ours, stable over retries and restarts
	Partner   string
	Subject   string
	Content   Part
	CreatedAt time.Time
}

// Prepared is a delivery whose bytes and ids are fixed. It survives a restart:
// Send is called with a Prepared read back from the store.
type Prepared struct {
	MessageID string
	Headers   []HeaderField
	Wire      Body // exact bytes that Send will carry; nil when they are the content's. Release it once stored
	Content   Part
	Evidence  Evidence
	// WantReceipt tells that the delivery is proven only by a receipt.
	WantReceipt bool
}

// Outcome of a Send that reached the other side.
type Outcome struct {
	// Delivered: the other side has proven that it has it. When false and
	// Pending is false, it was refused; when Pending, a receipt will come later.
	Delivered bool
	Pending   bool
	// Reason says in words why it was refused or is not proven; "" otherwise.
	Reason   string
	Receipt  *Receipt
	Evidence Evidence // what sending adds: address, TLS, status, answer
}

// Sender carries deliveries away over one connection. It is safe for
// concurrent use.
type Sender interface {
	// Prepare fixes ids and bytes. It may be called again for the same delivery
	// when the first result was never stored.
	Prepare(ctx context.Context, d *Delivery) (*Prepared, error)
	// Send may be called again for the same Prepared, after a failure or a
	// crash, and must then not deliver twice by its own doing. An error made
	// with Permanent is not tried again; every other error is.
	Send(ctx context.Context, id string, p *Prepared) (*Outcome, error)
}

// Listener receives over one or more connections of its connector until ctx
// ends; Serve then finishes the arrivals in hand and returns nil.
type Listener interface {
	Serve(ctx context.Context) error
}

// PermanentError marks a failure that trying again cannot cure.
type PermanentError struct{ Err error }

func (e *PermanentError) Error() string { return e.Err.Error() }
func (e *PermanentError) Unwrap() error { return e.Err }

// Permanent marks err as not worth trying again.
func Permanent(err error) error { return &PermanentError{Err: err} }

// IsPermanent tells whether err was marked by Permanent.
func IsPermanent(err error) bool {
	var p *PermanentError
	return errors.As(err, &p)
}

// SettingsError tells which setting of which connection is wrong. Path is the
// place below the connection's settings, "url" or "retry.delay".
type SettingsError struct {
	Connection, Path, Msg string
}

func (e *SettingsError) Error() string {
	return fmt.Sprintf("connection %s: %s: %s", e.Connection, e.Path, e.Msg)
}
