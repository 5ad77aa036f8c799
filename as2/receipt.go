package as2

import (
	"crypto/x509"
	"io"
	"net/http"
	"time"
)

// Receipt is a message disposition notification (RFC 8098, RFC 4130
// section 7), made by Received.Receipt or read by ParseReceipt.
type Receipt struct {
	// Header and Body are what travels. Store them before they are sent and
	// give a duplicate the same bytes again.
	Header http.Header
	Body   []byte

	// From and To are AS2-From and AS2-To of the receipt itself: From is the
	// receiver of the original transmission.
	From, To string
	// MessageID is the receipt's own identifier; may be empty when read.
	MessageID string
	// OriginalMessageID is the transmission answered, byte for byte.
	OriginalMessageID string
	// FinalRecipient and OriginalRecipient are the addresses without "rfc822;".
	FinalRecipient, OriginalRecipient string
	// ReportingUA names the answering software.
	ReportingUA string
	Disposition Disposition
	// MIC is Received-Content-MIC's base64 value and MICDigest its algorithm;
	// empty when the receipt has none.
	MIC       string
	MICDigest Digest
	// Signed tells whether the receipt is a multipart/signed; whose signature
	// that is, is for Check to say.
	Signed bool
	// Text is the part meant for a person, at most 4 KiB of it.
	Text string
	// Warnings are deviations that were tolerated in reading.
	Warnings []string

	dispositions  int               // how many Disposition fields were there
	contradictory string            // what is there twice, with different values
	signature     *receiptSignature // of a signed receipt
	micRaw        string            // Received-Content-MIC as read
}

// ReceiptOptions is what a receipt needs beside the transmission it answers.
type ReceiptOptions struct {
	// MessageID is the receipt's own identifier with brackets; required, so
	// that the receipt is the same bytes whenever it is made from the same
	// inputs.
	MessageID string
	// Now is the Date header; required.
	Now time.Time
	// Rand feeds signatures that need randomness; nil is crypto/rand.
	Rand io.Reader
	// Key signs instead of the relation's first key. Without either a receipt
	// is unsigned.
	Key *Key
	// Product is written as Reporting-UA and AS2-Product; empty is "tradepost".
	Product string
	// Features are as in Options.
	Features []string
	// Text replaces the sentence for a person.
	Text string
}

// Receipt makes the receipt of r: headers and exact bytes, the same for the
// same inputs. It does not look at Request.Wanted: a caller may want the bytes
// of a receipt nobody asked for.
func (r *Received) Receipt(o ReceiptOptions) (*Receipt, error) { return r.makeReceipt(o) }

// ParseReceipt reads a receipt from HTTP headers and body. It accepts every
// deviation known from certified products; a *MalformedError means that no
// disposition can be found in it. Nothing is verified yet: see Check.
func ParseReceipt(header http.Header, body io.Reader, l Limits) (*Receipt, error) {
	return parseReceipt(header, body, l)
}

// Sent holds the facts of an outgoing transmission that its receipt is checked
// against. Store it with the transmission; it is plain data.
type Sent struct {
	From      string `json:"from"`
	To        string `json:"to"`
	MessageID string `json:"message_id"`
	Signed    bool   `json:"signed"`
	Encrypted bool   `json:"encrypted"`
	MICs      MICs   `json:"mics"`
	// BareMICs covers the payload of unsigned content without its MIME header,
	// which is what some products return for it.
	BareMICs MICs           `json:"bare_mics,omitempty"`
	Request  ReceiptRequest `json:"request"`
}

// Outcome is what a receipt proves about a transmission.
type Outcome struct {
	// Delivered is true only when the partner provably took over exactly what
	// was sent.
	Delivered bool `json:"delivered"`
	// Reason says in words why it is not delivered; empty otherwise.
	Reason string `json:"reason,omitempty"`
	// Code classifies Reason.
	Code OutcomeCode `json:"code"`
	// Signer is the partner certificate that signed the receipt, nil if none.
	Signer *x509.Certificate `json:"-"`
	// MICMatches is true when the receipt carries the MIC of what was sent.
	MICMatches bool `json:"mic_matches"`
	// Warnings are deviations that do not change the outcome.
	Warnings []string `json:"warnings,omitempty"`
}

// OutcomeCode classifies an Outcome.
type OutcomeCode string

// The outcomes of checking a receipt. Refused means that the partner said no;
// all others but Delivered mean that the receipt proves nothing and the
// transmission stays open.
const (
	OutcomeDelivered       OutcomeCode = "delivered"
	OutcomeRefused         OutcomeCode = "refused"          // negative disposition, properly signed if asked
	OutcomeMICMismatch     OutcomeCode = "mic-mismatch"     // processed, but something else than was sent
	OutcomeMICMissing      OutcomeCode = "mic-missing"      // no Received-Content-MIC, or in an unknown digest
	OutcomeUnknownOriginal OutcomeCode = "unknown-original" // Original-Message-ID is not this transmission
	OutcomeWrongPartner    OutcomeCode = "wrong-partner"    // AS2-From/AS2-To are not this relation
	OutcomeUnsigned        OutcomeCode = "unsigned"         // signed receipt was asked for
	OutcomeBadSignature    OutcomeCode = "bad-signature"    // signature does not match, or a stranger's
	OutcomeAmbiguous       OutcomeCode = "ambiguous"        // two Disposition fields
)

// Check says what the receipt proves about the transmission sent. verify are
// the partner's configured certificates: a signature by anybody else proves
// nothing, nor does a certificate embedded in the receipt.
func (rc *Receipt) Check(sent Sent, verify []*x509.Certificate) Outcome {
	return rc.check(sent, verify)
}
