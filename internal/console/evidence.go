package console

import (
	"context"
	"strings"
	"time"

	"tradepost/tracking"
)

// Evidence is the tab that proves how a document crossed the wire.
type Evidence struct {
	Crossings []Crossing
}

// Crossing is one transmission with its evidence and receipts.
type Crossing struct {
	tracking.Transmission
	Title        string
	Link         string
	State        Chip
	Out          bool
	Facts        []Detail
	Safe         []Chip // signed, encrypted, compressed
	Receipts     []ReceiptView
	Certificates []CertificateView
	Downloads    []Download
	MIC          string // ours, with its algorithm
	IsAS2        bool
}

// Detail is a fact of the evidence.
type Detail struct {
	Name, Value string
	Code        bool // every letter counts
}

// ReceiptView is a receipt for a person.
type ReceiptView struct {
	tracking.Receipt
	Title    string
	Chip     Chip
	MICChip  Chip
	Link     string // of its exact bytes
	Stored   string // of headers and bytes together
	Signers  []CertificateView
	Expected string // the MIC it is compared with
}

// CertificateView is a certificate for a person.
type CertificateView struct {
	tracking.Certificate
	Role string
	Chip Chip
	Name string // the common name, or the whole subject
}

func (c *Console) evidenceTab(_ context.Context, l *loaded) (any, error) {
	var e Evidence
	from, to := "the back office", cut(60, l.Document.Partner)
	if to == "" {
		to = "an unknown partner"
	}
	if l.Document.Direction == tracking.Inbound {
		from, to = to, from
	}
	if t := l.Source; t != nil {
		e.Crossings = append(e.Crossings, crossing(t, l.Receipts, "How it came from "+from, l.now))
	}
	if t := l.Delivery; t != nil {
		e.Crossings = append(e.Crossings, crossing(t, l.Receipts, "How it went to "+to, l.now))
	}
	return e, nil
}

// crossing gathers a transmission's evidence.
func crossing(t *tracking.Transmission, receipts []tracking.Receipt, title string, now time.Time) Crossing {
	e := &t.Evidence
	x := Crossing{
		Transmission: *t, Title: title, Link: "/transmissions/" + t.ID.String(), State: transmissionChip(t.State),
		Out: t.Direction == tracking.Outbound, IsAS2: t.Connector == "as2", Downloads: transmissionDownloads("", t),
	}
	fact := func(name, value string) {
		if value != "" {
			x.Facts = append(x.Facts, Detail{Name: name, Value: cut(600, value)})
		}
	}
	fact("Connection", connectorName(t.Connector)+" · "+t.Connection)
	if x.Out {
		fact("Sent to", e.Remote)
	} else {
		fact("Came from", e.Remote)
	}
	fact("AS2-From", e.From)
	fact("AS2-To", e.To)
	fact("Message-ID", t.MessageID)
	fact("File name", t.Filename)
	fact("Subject", t.Subject)
	fact("Content type", t.ContentType)
	if !t.Content.None() {
		fact("Content", size(t.Content.Size))
	}
	fact("TLS", e.TLS)
	if t.Attempts > 1 {
		fact("Attempts", number(t.Attempts))
	}
	if e.HTTPStatus != 0 {
		fact("HTTP status", number(e.HTTPStatus))
	}
	if !t.Content.None() {
		x.Facts = append(x.Facts, Detail{"SHA-256 of the content", t.Content.SHA256, true})
	}
	if x.IsAS2 {
		x.Safe = []Chip{
			safe(e.Signed, "lock-check", "Signed", "Not signed", e.Digest),
			safe(e.Encrypted, "lock", "Encrypted", "Not encrypted", e.Cipher),
		}
		if e.Compressed {
			x.Safe = append(x.Safe, Chip{"mute", "compress", "Compressed"})
		}
	}
	if e.MIC != "" {
		x.MIC = e.MIC + " (" + e.MICAlg + ")"
	}
	for i := range receipts {
		if receipts[i].TransmissionID == t.ID {
			x.Receipts = append(x.Receipts, receiptView(t, &receipts[i], now))
		}
	}
	x.certificate(e.Signer, "Signed with", now)
	x.certificate(e.Recipient, "Encrypted to", now)
	return x
}

func safe(yes bool, icon, word, not, how string) Chip {
	if !yes {
		return Chip{"mute", "minus", not}
	}
	if how != "" {
		word += " · " + strings.ToUpper(cut(30, how))
	}
	return Chip{"good", icon, word}
}

func (x *Crossing) certificate(c *tracking.Certificate, role string, now time.Time) {
	if c != nil {
		x.Certificates = append(x.Certificates, certificateView(c, role, now))
	}
}

func certificateView(c *tracking.Certificate, role string, now time.Time) CertificateView {
	return CertificateView{Certificate: *c, Role: role, Chip: certificateChip(c, now), Name: commonName(c.Subject)}
}

// commonName takes the CN out of a subject written as "CN=a,O=b".
func commonName(subject string) string {
	for part := range strings.SplitSeq(subject, ",") {
		if name, ok := strings.CutPrefix(strings.TrimSpace(part), "CN="); ok && name != "" {
			return cut(80, name)
		}
	}
	return cut(80, subject)
}

func receiptView(t *tracking.Transmission, r *tracking.Receipt, now time.Time) ReceiptView {
	v := ReceiptView{Receipt: *r, Expected: t.Evidence.MIC, Chip: Chip{"good", "receipt", "Positive"}, Title: "Receipt from the partner"}
	if r.Direction == tracking.Outbound {
		v.Title = "Our receipt"
	}
	if !r.Positive {
		v.Chip = Chip{"bad", "octagon", "Negative"}
	}
	switch {
	case r.MIC == "":
		v.MICChip = Chip{"mute", "minus", "None returned"}
	case r.MICMatches:
		v.MICChip = Chip{"good", "equal", "Equal to ours"}
		if r.Direction == tracking.Outbound {
			v.MICChip.Word = "What we computed"
		}
	default:
		v.MICChip = Chip{"bad", "not-equal", "Differs from ours"}
	}
	if !r.Body.None() {
		v.Link = "/api/v1/transmissions/" + t.ID.String() + "/receipts/" + r.ID.String()
		v.Stored = v.Link + "?form=stored"
	}
	if r.Signer != nil && r.Signed {
		v.Signers = []CertificateView{certificateView(r.Signer, "Signed with", now)}
	}
	return v
}
