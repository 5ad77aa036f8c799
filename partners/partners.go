// Package partners holds who trades with whom under which agreement: station,
// partners, partnerships and connections, and the look-up that finds the
// partnership for what arrives. It imports nothing of ours.
package partners

import (
	"encoding/json"
	"time"
)

// Identifier is an EDI address: qualifier and id (ISA05/ISA06, UNB S002).
type Identifier struct {
	Qualifier string
	ID        string
}

// String writes "ZZ:BUYER".
func (i Identifier) String() string { return i.Qualifier + ":" + i.ID }

// Station is us.
type Station struct {
	Name        string
	AS2ID       string
	Identifiers []Identifier // the first is written in what we send
	Certificate string       // file of our certificate (PEM)
	Key         string       // file of its key
}

// Partner is the other side.
type Partner struct {
	Name         string
	AS2ID        string
	Identifiers  []Identifier
	Certificates []string // files; each is accepted, the first is encrypted to
	Contact      string   // who to call, shown where something fails
}

// Partnership is the agreement of the station and one partner.
type Partnership struct {
	Partner  string
	Inbound  []DocumentRule // what they send us
	Outbound []DocumentRule // what we send them
	// Connection carries everything to the partner (documents and acknowledgements).
	Connection string
	// Acknowledge tells how inbound groups are acknowledged: "997", "999" or "none".
	Acknowledge string
	// AckWithin is how long the partner may take to acknowledge what we send;
	// zero means no acknowledgement is expected.
	AckWithin time.Duration
	// Profile of validation: "tolerant" or "strict".
	Profile string
	// Test: interchanges carry the test indicator.
	Test bool
	AS2  AS2Policy
}

// DocumentRule says what happens to one type of document in one direction.
type DocumentRule struct {
	Type    string // "850"
	Guide   string // "" = the shipped guide of the type and version
	Deliver string // inbound: the connection that takes it to the back office
}

// AS2Policy is what the two sides agreed for AS2.
type AS2Policy struct {
	Sign     string // digest, "sha-256"; "" = unsigned
	Encrypt  string // cipher, "aes-256-cbc"; "" = not encrypted
	Compress bool
	Receipt  string // "sync", "async", "none"
	// SignedReceipt asks for a signed receipt.
	SignedReceipt bool
	// RequireSigned and RequireEncrypted refuse what arrives without.
	RequireSigned    bool
	RequireEncrypted bool
}

// Connection is one configured use of a connector.
type Connection struct {
	Name      string
	Connector string
	Partner   string          // "" for our own house
	Settings  json.RawMessage // decoded by the connector
}
