package tracking

import "time"

// Direction tells which way something crossed the border of the station.
type Direction string

// The two directions. For a document they are seen from the partner: inbound
// is from the partner to us, whatever connector carried it inside our house.
const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
)

// Payload points at bytes in the archive by their content. The zero value
// means that there are none.
type Payload struct {
	SHA256 string `json:"sha256,omitempty"` // lower-case hex of the uncompressed bytes
	Size   int64  `json:"size"`             // of the uncompressed bytes
}

// None tells whether p points at nothing.
func (p Payload) None() bool { return p.SHA256 == "" }

// Transmission is one transport-level message or file with its evidence: an
// AS2 POST, a file picked up or dropped.
type Transmission struct {
	ID         ID                `json:"id"`
	Direction  Direction         `json:"direction"` // inbound: it came to us over its connection
	State      TransmissionState `json:"state"`
	Station    string            `json:"station"`
	Partner    string            `json:"partner"` // "" while unknown
	Connection string            `json:"connection"`
	Connector  string            `json:"connector"` // "as2", "directory"
	// Key makes the transmission unique among the accepted ones of its
	// direction, for exactly-once intake: "as2:FROM:MESSAGE-ID",
	// "directory:CLAIM". Several failed ones may share it; "" has no meaning.
	Key         string       `json:"key,omitempty"`
	MessageID   string       `json:"messageId,omitempty"`
	Filename    string       `json:"filename,omitempty"` // as the other side named it: never a path
	ContentType string       `json:"contentType,omitempty"`
	Subject     string       `json:"subject,omitempty"`
	Wire        Payload      `json:"wire"`    // exact bytes as they crossed the wire, without headers
	Content     Payload      `json:"content"` // the business payload inside
	Attachments []Attachment `json:"attachments,omitempty"`
	Evidence    Evidence     `json:"evidence"`
	DuplicateOf ID           `json:"duplicateOf,omitzero"`
	Attempts    int          `json:"attempts"`
	Error       string       `json:"error,omitempty"` // why it failed, in words for a person
	CreatedAt   time.Time    `json:"createdAt"`       // received, or prepared for sending
	CompletedAt time.Time    `json:"completedAt,omitzero"`
}

// Attachment is a further part that travelled beside the business payload.
type Attachment struct {
	Filename    string  `json:"filename,omitempty"`
	ContentType string  `json:"contentType,omitempty"`
	Payload     Payload `json:"payload"`
}

// HeaderField is one header line as it crossed the wire, in its order.
type HeaderField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Certificate names a certificate that took part, well enough to find it
// again years later.
type Certificate struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Serial    string    `json:"serial"` // hex
	SHA256    string    `json:"sha256"` // fingerprint of the DER, hex
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
}

// Evidence is what proves how a transmission crossed the wire. Fields that do
// not apply to its connector stay empty.
type Evidence struct {
	Remote     string        `json:"remote,omitempty"` // peer address, or the URL or folder sent to
	TLS        string        `json:"tls,omitempty"`    // "TLS 1.3 TLS_AES_128_GCM_SHA256"
	Headers    []HeaderField `json:"headers,omitempty"`
	From       string        `json:"from,omitempty"` // AS2-From
	To         string        `json:"to,omitempty"`   // AS2-To
	Signed     bool          `json:"signed,omitempty"`
	Encrypted  bool          `json:"encrypted,omitempty"`
	Compressed bool          `json:"compressed,omitempty"`
	Digest     string        `json:"digest,omitempty"` // "sha-256"
	Cipher     string        `json:"cipher,omitempty"` // "aes-256-cbc"
	MIC        string        `json:"mic,omitempty"`    // base64
	MICAlg     string        `json:"micAlgorithm,omitempty"`
	// MICs is the same check under every digest it was kept in, base64 by digest
	// name: a partner may label the one it returns with any of them.
	MICs       map[string]string `json:"mics,omitempty"`
	Signer     *Certificate      `json:"signer,omitempty"`
	Recipient  *Certificate      `json:"recipient,omitempty"`
	HTTPStatus int               `json:"httpStatus,omitempty"` // of the answer to an outbound one
	// Response is the answer to an outbound one where it was no receipt, cut
	// to a readable length.
	Response string `json:"response,omitempty"`
}

// Receipt is an MDN (RFC 8098, RFC 4130 section 7), theirs for an outbound
// transmission or ours for an inbound one. Ours is stored before it is sent,
// and a duplicate gets the same bytes again.
type Receipt struct {
	ID             ID            `json:"id"`
	TransmissionID ID            `json:"transmissionId"` // the transmission it is about
	Direction      Direction     `json:"direction"`      // outbound: we wrote it
	MessageID      string        `json:"messageId,omitempty"`
	Disposition    string        `json:"disposition"` // "automatic-action/MDN-sent-automatically; processed"
	Positive       bool          `json:"positive"`    // it proves delivery (theirs) or we accepted (ours)
	Signed         bool          `json:"signed"`
	Async          bool          `json:"async"`
	AsyncURL       string        `json:"asyncUrl,omitempty"` // where ours is to be posted, when Async
	MIC            string        `json:"mic,omitempty"`
	MICAlg         string        `json:"micAlgorithm,omitempty"`
	MICMatches     bool          `json:"micMatches"`
	Signer         *Certificate  `json:"signer,omitempty"`
	Headers        []HeaderField `json:"headers,omitempty"`
	Body           Payload       `json:"body"` // exact bytes
	Reason         string        `json:"reason,omitempty"`
	At             time.Time     `json:"at"`
}
