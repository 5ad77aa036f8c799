// Package partners holds who trades with whom under which agreement: station,
// partners, partnerships and connections, and the look-up that finds the
// partnership for what arrives. It imports nothing of ours.
package partners

import (
	"encoding/json"
	"slices"
	"strings"
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
	Retire      time.Time    // when that pair is no longer used at all; zero: when its validity ends
	Keys        []KeyFile    // the pairs that follow
}

// KeyFiles lists every pair of the station, the one it began with first.
func (s Station) KeyFiles() []KeyFile {
	var out []KeyFile
	if s.Certificate != "" {
		out = append(out, KeyFile{Certificate: s.Certificate, Key: s.Key, Use: Use{Retire: s.Retire}})
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
	// Except names the rules of validation of which the other profile holds.
	Except []string
	// Duplicates says which of their control numbers must not come again.
	Duplicates DuplicatePolicy
	// Test: interchanges carry the test indicator.
	Test bool
	AS2  AS2Policy
}

// DuplicatePolicy says which control numbers of a partner must be new. Its zero
// value wants that of interchanges only, for ever.
type DuplicatePolicy struct {
	// AnyInterchange: ISA13 and UNB 0020 may come again.
	AnyInterchange bool
	// Groups: a GS06 or UNG 0048 comes once for each kind of group.
	Groups bool
	// Documents: an ST02 comes once with its group's GS06, a UNH 0062 once for
	// each type of message.
	Documents bool
	// Window is how long a number is taken; zero: for ever.
	Window time.Duration
}

// DocumentRule says what happens to one type of document in one direction.
type DocumentRule struct {
	Type    string // "850"
	Guide   string // "" = the shipped guide of the type and version
	Deliver string // inbound: the connection that takes it to the back office
	// Map turns the document into the form the back office works with, or that
	// form into the document: the name of a shipped map ("x12/850") or a file
	// of our own (see IsMapFile). "" = the back office gets and gives EDI.
	Map string
	// Format of the form, with a map: FormatJSON, FormatXML or FormatCSV.
	Format string
	// From, outbound with a map, is the connection of our own house whose files
	// become this document, where they are no EDI.
	From string
}

// Formats of the forms a back office works with.
const (
	FormatJSON = "json"
	FormatXML  = "xml"
	FormatCSV  = "csv"
)

// IsMapFile tells a map that is a file ("maps/acme-850.yaml") from one that is
// shipped ("x12/850").
func IsMapFile(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// AS2Policy is what the two sides agreed for AS2. Its zero value sends in the
// clear, asks for nothing and accepts what can be read.
type AS2Policy struct {
	// What we send.

	Sign    string // digest, "sha-256"; "" = unsigned
	PSS     bool   // RSASSA-PSS in place of PKCS #1 v1.5
	Encrypt string // cipher, "aes-256-cbc"; "" = not encrypted
	// EncryptFallback takes the place of Encrypt while nothing of the partner's
	// says that it speaks AS2 1.3; "" = Encrypt always.
	EncryptFallback string
	OAEP            bool // RSAES-OAEP for the content key in place of PKCS #1 v1.5
	EncryptToSelf   bool // we can read what we sent
	Compress        bool // before signing, or
	CompressSigned  bool // with Compress: after signing
	DER             bool // definite lengths, for who cannot read a stream's BER
	NoFileName      bool // the name of the file stays at home

	// The receipt we ask for.

	Receipt       string // "sync", "async", "none"
	SignedReceipt bool
	// ReceiptDigests are asked for in this order; none: the digest of Sign.
	ReceiptDigests []string
	// ReceiptMICOptional lets a signed receipt for unsigned content prove
	// delivery without a MIC.
	ReceiptMICOptional bool

	// What we accept.

	RequireSigned    bool // refuse what arrives unsigned
	RequireEncrypted bool // or in the clear
	AcceptDigests    []string
	AcceptCiphers    []string
	MaxPayload       int64 // bytes, after decompression; 0 = the station's limit
	PlainFileNames   bool  // refuse names that are paths or have control characters
	UniqueFileNames  bool  // and those that the partner has used before

	// The receipts we give.

	// ReceiptMIC is "signature" (or "") or "first-listed": the digest of the MIC.
	ReceiptMIC string
}

// Connection is one configured use of a connector.
type Connection struct {
	Name      string
	Connector string
	Partner   string          // "" for our own house
	Settings  json.RawMessage // decoded by the connector
}
