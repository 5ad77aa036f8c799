package tracking

import (
	"context"
	"time"
)

// OfferState is where an offered certificate stands.
type OfferState string

// States of an offer.
const (
	OfferOpen     OfferState = "open"     // waits for an answer: ours when it is inbound, theirs when it is outbound
	OfferAccepted OfferState = "accepted" // in use by its dates
	OfferRefused  OfferState = "refused"  // not in use, or not any more
)

// CertificateOffer is a certificate that one side offered the other by an
// exchange of certificates (draft-meadors-certificate-exchange).
type CertificateOffer struct {
	ID        ID         `json:"id"`
	Direction Direction  `json:"direction"` // inbound: the partner offered it to us
	Partner   string     `json:"partner"`
	State     OfferState `json:"state"`
	// RequestID is the requester's name of the exchange; one request may offer
	// several certificates.
	RequestID   string      `json:"requestId"`
	Certificate Certificate `json:"certificate"`
	PEM         string      `json:"pem"`                // the certificate, then its chain
	Purposes    []string    `json:"purposes,omitempty"` // "sign", "encrypt"
	GoLive      time.Time   `json:"goLive,omitzero"`    // when sending switches to it
	RespondBy   time.Time   `json:"respondBy,omitzero"` // until when the requester wants an answer
	// TransmissionID brought an inbound offer, or the answer to an outbound one.
	TransmissionID ID        `json:"transmissionId,omitzero"`
	Reason         string    `json:"reason,omitempty"` // why it was refused
	Actor          string    `json:"actor,omitempty"`  // who decided
	OfferedAt      time.Time `json:"offeredAt"`
	DecidedAt      time.Time `json:"decidedAt,omitzero"`
}

// OfferQuery selects offers; zero fields do not select.
type OfferQuery struct {
	Partner   string
	Direction Direction
	States    []OfferState
	RequestID string
	Limit     int // 0 = 1000, and never more
}

// CertificateUse tells what the evidence of transmissions and receipts says of
// one certificate: that a partner and we used it, for what and when last.
type CertificateUse struct {
	Partner string `json:"partner"`
	// Ours tells whose certificate it is: ours when true, the partner's when not.
	Ours bool `json:"ours"`
	// Purpose is "sign" or "encrypt". Who signs chooses the certificate, and so
	// does who encrypts: a partner that encrypts to an old one of ours has not
	// switched yet.
	Purpose     string      `json:"purpose"`
	Certificate Certificate `json:"certificate"`
	Count       int         `json:"count"`
	FirstAt     time.Time   `json:"firstAt"` // within what was looked at
	LastAt      time.Time   `json:"lastAt"`
	// LastID is the transmission that it was used in last.
	LastID ID `json:"lastId"`
}

// CertificateUseQuery says whose evidence is looked at, and how much of it.
type CertificateUseQuery struct {
	Partners []string
	Since    time.Time
	Newest   int // transmissions of each partner, newest first; 0 = 500, at most 5000
}

// CertificateTx is what can be written about certificates inside one database
// transaction.
type CertificateTx interface {
	InsertCertificateOffer(ctx context.Context, o *CertificateOffer) error
	UpdateCertificateOffer(ctx context.Context, o *CertificateOffer) error
	// CertificateOffer reads an offer and locks it until the database transaction ends.
	CertificateOffer(ctx context.Context, id ID) (*CertificateOffer, error)
	// RequestedOffers returns the offers of one request, in the order they were
	// made, locked likewise.
	RequestedOffers(ctx context.Context, direction Direction, partner, requestID string) ([]*CertificateOffer, error)
	// NoteCertificate remembers that a notice about a certificate was given, and
	// tells whether it is the first: "ends in 30 days" is said once. owner is
	// the partner, or "" for the station; sha256 the fingerprint.
	NoteCertificate(ctx context.Context, owner, sha256, notice string, at time.Time) (first bool, err error)
}

// CertificateReader answers the questions of people about certificates.
type CertificateReader interface {
	// CertificateOffers lists offers, newest first.
	CertificateOffers(ctx context.Context, q OfferQuery) ([]CertificateOffer, error)
	// CertificateUses tells which certificates were used, per partner, side,
	// purpose and certificate; the one used last first.
	CertificateUses(ctx context.Context, q CertificateUseQuery) ([]CertificateUse, error)
}
