// Package as2 exchanges business documents over HTTP as RFC 4130 (AS2) asks,
// with compression (RFC 3274, RFC 5402), multiple attachments (RFC 6362), the
// EDIINT-Features header (RFC 6017), message disposition notifications
// (RFC 8098, here called receipts) and S/MIME (RFC 8551). It writes
// AS2-Version 1.3 of draft-ietf-ediint-rfc4130bis and talks to any 1.x peer.
//
// What is written is strict; what is read is everything that certified
// products are known to send. The exact bytes of a transmission are kept from
// the wire to the digest: nothing is re-encoded, and the payload is never
// changed.
//
// # Receiving
//
// Receive, commit and answer are three lines in a row. Receive returns a value
// that later makes its own receipt, so the caller can store what arrived and
// the receipt in one database transaction before a byte of the answer leaves:
//
//	rcv, err := as2.Receive(ctx, r.Header, r.Body, as2.ReceiveOptions{Lookup: lookup})
//	receipt, err := rcv.Receipt(as2.ReceiptOptions{Now: now, MessageID: id})
//	err = store(rcv, receipt)
//
// A transmission that fails (unknown partner, wrong signer, tampered) is a
// *Received too, with a failing Disposition; Receive returns an error only when
// no receipt could answer it.
//
// # Sending
//
// Build fixes headers, body and message integrity checks before anything is
// sent, so that every retry sends the same bytes under the same Message-ID:
//
//	out, err := as2.Build(ctx, relation, payload, as2.Options{Sign: as2.SHA256, Encrypt: as2.AES256CBC})
//	resp, err := client.Post(ctx, url, out)
//	receipt, err := resp.Receipt()
//	outcome := receipt.Check(out.Sent, relation.Partner.Verify)
//
// The package holds no state, does not log, and takes clock and randomness
// from its caller.
package as2

import (
	"crypto"
	"crypto/x509"
	"io"
)

// Version is the AS2-Version header this package writes (draft rfc4130bis).
const Version = "1.3"

// Key is a private key of our own with its certificate.
type Key struct {
	// Certificate is sent along in signatures and finds the recipient entry of
	// an encrypted transmission.
	Certificate *x509.Certificate
	// Private signs, and decrypts when it is also a crypto.Decrypter (RSA).
	Private crypto.Signer
}

// Station is our own side of a relation.
type Station struct {
	// ID is the AS2 identifier, without quotes.
	ID string
	// Keys are our key pairs. The first signs; all of them are tried for
	// decryption, so that a certificate can be replaced with an overlap.
	Keys []Key
}

// Partner is the other side of a relation.
type Partner struct {
	// ID is the AS2 identifier, without quotes.
	ID string
	// Encrypt is the certificate to encrypt to; nil if nothing is encrypted.
	Encrypt *x509.Certificate
	// Verify lists every certificate a signature may be made with. A
	// certificate embedded in a signature is never trusted by itself.
	Verify []*x509.Certificate
}

// Policy is what a station demands of a partner's transmissions. Its zero
// value accepts everything that can be read except MD5 signatures.
type Policy struct {
	// RequireSigned refuses unsigned content with insufficient-message-security.
	// Without it nothing keeps others from changing what is encrypted with CBC,
	// and our answers tell them what they hit: ask for signatures, or for
	// AES-GCM.
	RequireSigned bool
	// RequireEncrypted refuses unencrypted content likewise. TLS does not count.
	RequireEncrypted bool
	// Digests lists the signature digests accepted; empty accepts all but MD5.
	Digests []Digest
	// Ciphers lists the content ciphers accepted; empty accepts all.
	Ciphers []Cipher
	// MaxPayload is the largest payload in bytes, counted after decryption and
	// decompression; 0 takes Limits.Payload.
	MaxPayload int64
	// FileNames refuses payload names that are no plain file name (a path,
	// control characters, over 255 bytes) with illegal-filename (RFC 4130 has
	// no such rule; the filename preservation profile has).
	FileNames bool
}

// MICRule says under which digest the receipt for signed content gives the
// MIC. Products read the standard in two ways, and a few of them compare only
// under the one they expect.
type MICRule string

// The two readings.
const (
	// MICOfSignature takes the signature's digest (RFC 4130 section 7.4.3,
	// draft rfc4130bis section 8.4.3). It is the default.
	MICOfSignature MICRule = ""
	// MICFirstListed takes the first digest that Disposition-Notification-
	// Options names and we know (the draft's section 8.3; OpenAS2 does so).
	MICFirstListed MICRule = "first-listed"
)

// Relation is the agreement of one station with one partner about AS2.
type Relation struct {
	Station Station
	Partner Partner
	Policy  Policy
	// ReceiptMIC is the rule for our receipts to this partner.
	ReceiptMIC MICRule
}

// Payload is one document as it travels: its bytes are never changed.
type Payload struct {
	// ContentType is the media type with parameters, for example
	// "application/edi-x12". Empty means application/octet-stream.
	ContentType string
	// Filename is the name the sender gave (Content-Disposition). It is
	// metadata and must not be used as a path. Empty when there is none.
	Filename string
	// Size is the number of bytes Open yields, -1 when not known beforehand
	// (sending only).
	Size int64
	// Open returns the bytes from the beginning; it may be called again.
	Open func() (io.ReadCloser, error)
}

// ReceiptMode tells how a receipt is asked for.
type ReceiptMode string

// The ways a receipt can be asked for.
const (
	NoReceipt    ReceiptMode = "none"  // no Disposition-Notification-To
	SyncReceipt  ReceiptMode = "sync"  // in the HTTP response
	AsyncReceipt ReceiptMode = "async" // posted later to Receipt-Delivery-Option
)

// ReceiptRequest is what a sender asks of the receipt (RFC 4130 section 7.3).
type ReceiptRequest struct {
	// Mode is none, sync or async; empty means none.
	Mode ReceiptMode `json:"mode"`
	// URL is where an asynchronous receipt is posted. It comes from the
	// partner: check it against the partner's profile before connecting.
	URL string `json:"url,omitempty"`
	// To is Disposition-Notification-To, an address nobody mails to.
	To string `json:"to,omitempty"`
	// Signed asks for a signed receipt.
	Signed bool `json:"signed"`
	// Required is set when the signed receipt was asked for with "required".
	Required bool `json:"required,omitempty"`
	// Digests are the MIC algorithms in order of preference. Names we do not
	// know are left out.
	Digests []Digest `json:"digests,omitempty"`
	// RequiredDigests is set when the digests were asked for with "required".
	RequiredDigests bool `json:"required_digests,omitempty"`
	// UnknownDigests are the names of the list that are not known here.
	UnknownDigests []string `json:"unknown_digests,omitempty"`
	// MICOptional accepts, for unsigned content, a signed receipt without a
	// MIC: pyas2 sends such. It says something about the partner and does not
	// travel.
	MICOptional bool `json:"mic_optional,omitempty"`
	// UnknownProtocols is set when a signed receipt was asked for in a
	// protocol other than pkcs7-signature only.
	UnknownProtocols bool `json:"unknown_protocols,omitempty"`
}

// Wanted reports whether any receipt is asked for.
func (r ReceiptRequest) Wanted() bool { return r.Mode == SyncReceipt || r.Mode == AsyncReceipt }

// Limits bounds what a foreign transmission may cost. A zero field takes the
// default named in its comment.
type Limits struct {
	Body         int64 // bytes of the HTTP body as received; 16 GiB
	Payload      int64 // bytes of the content after decompression; 16 GiB
	InflateRatio int   // inflated bytes per compressed byte, looked at above 1 MiB; 500
	Headers      int64 // bytes of one block of header lines; 64 KiB
	Depth        int   // nested MIME and CMS layers; 8
	Parts        int   // parts of one multipart; 256
	Receipt      int64 // bytes of a receipt; 1 MiB
}

// withDefaults fills in the zero fields.
func (l Limits) withDefaults() Limits {
	def := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.Body, 16<<30)
	def(&l.Payload, 16<<30)
	def(&l.Headers, 64<<10)
	def(&l.Receipt, 1<<20)
	if l.Depth <= 0 {
		l.Depth = 8
	}
	if l.Parts <= 0 {
		l.Parts = 256
	}
	return l
}
