// Package partners holds who trades with whom under which agreement: station,
// partners, partnerships and connections, and the look-up that finds the
// partnership for what arrives. It imports nothing of ours.
package partners

import (
	"encoding/json"
	"slices"
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
	Certificate string       // file of the certificate we began with; "" = only those in Keys
	Key         string       // file of its key
	Keys        []KeyFile    // the pairs that follow
}

// KeyFiles lists every pair of the station, the one it began with first.
func (s Station) KeyFiles() []KeyFile {
	var out []KeyFile
	if s.Certificate != "" {
		out = append(out, KeyFile{Certificate: s.Certificate, Key: s.Key})
	}
	return append(out, s.Keys...)
}

// KeyFile is a key of our own with its certificate.
type KeyFile struct {
	Certificate string // file
	Key         string // file; sealed or plain
	Use
}

// CertificateFile is a certificate of a partner.
type CertificateFile struct {
	File string
	Use
}

// Use says what a certificate is for and when.
type Use struct {
	// Purposes are "sign" and "encrypt"; none means both.
	Purposes []string
	// GoLive is when sending switches to it; zero: when its validity begins.
	GoLive time.Time
	// Retire is when it is no longer accepted; zero: when its validity ends.
	Retire time.Time
}

// For tells whether a purpose is among those of u.
func (u Use) For(purpose string) bool {
	return len(u.Purposes) == 0 || slices.Contains(u.Purposes, purpose)
}

// Partner is the other side.
type Partner struct {
	Name         string
	AS2ID        string
	Identifiers  []Identifier
	Certificates []CertificateFile // each is accepted; of those gone live the last is encrypted to
	Contact      string            // who to call, shown where something fails
	// CertificateExchange says what becomes of a certificate the partner offers
	// over AS2, signed with one we know: "ask" a person, or "accept" it.
	CertificateExchange string
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
