package interop

import (
	"slices"
	"strings"

	"tradepost/as2"
)

// deviation is what a product does otherwise than the standards ask, or cannot
// do. It is no fault of ours, and a trial that meets it must show it.
type deviation struct {
	product string
	meets   func(trial) bool
	shows   string // the trial says so
	why     string // for docs/interop.md
}

// known finds the deviation a trial meets.
func known(tr trial) *deviation {
	for _, d := range deviations() {
		if d.product == tr.product && d.meets(tr) {
			return &d
		}
	}
	return nil
}

// titled meets trials outside the matrix by what they try.
func titled(direction string, titles ...string) func(trial) bool {
	return func(tr trial) bool {
		return tr.part != inMatrix && tr.direction == direction && slices.Contains(titles, tr.title[0])
	}
}

// inCells meets the matrix of a direction.
func inCells(tr trial, direction string) bool {
	return tr.part == inMatrix && tr.direction == direction
}

// bare tells what is neither signed nor encrypted.
func bare(c cell) bool { return c.sign == "" && c.encrypt == "" }

// text tells contents that MIME counts as text, with line ends of its own.
func text(c cell) bool { return c.content == x12Lines || c.content == latin1Text }

// deviations are numbered by their place in this list, product by product.
func deviations() []deviation {
	return []deviation{
		{
			product: "OpenAS2", meets: titled(toPeer, "AES-128-GCM", "AES-256-GCM"), shows: "the partner holds something else",
			why: "It does not know AuthEnvelopedData (RFC 5083), takes the encrypted bytes for the document and sends a positive receipt. " +
				"The MIC in it gives it away: we do not count it as delivered.",
		},
		{
			product: "OpenAS2", meets: titled(toPeer, "RSA-OAEP key transport"), shows: "decryption-failed",
			why: "It reads content keys encrypted with RSAES-PKCS1-v1_5 only.",
		},
		{
			product: "OpenAS2", meets: titled(toPeer, "sent to a name that is not there"), shows: "HTTP status: 500",
			why: "For an AS2-To that it does not know it sends no receipt, but HTTP status 500.",
		},
		{
			product: "OpenAS2", meets: titled(toPeer, "the same twice"), shows: "taken it 2 times",
			why: "It has no look-out for duplicates: a repeated Message-ID is taken over again.",
		},
		{
			product: "OpenAS2", meets: titled(fromPeer, "AS2 name with spaces"), shows: "Partnership not found",
			why: "It does not take the quotes off AS2-To of a receipt in the HTTP answer, and then does not find its own name with spaces. " +
				"In receipts that come on their own it does.",
		},
		{
			product: "OpenAS2", meets: titled(fromPeer, "SHA-384 signature, receipt asked under SHA-256"), shows: "MIC algorithm returned by partner is not the same",
			why: "It expects the MIC under the digest of Disposition-Notification-Options. RFC 4130 section 7.4.3 asks for the digest of the signature, " +
				"which is what we return. Set both alike, or tell us to do as it does (`receipt_mic: first-listed`, or `peer: openas2`).",
		},
		{
			product: "OpenAS2", meets: titled(fromPeer, "8bit, MIC over the bytes as they are"), shows: "MIC not matched",
			why: "With prevent_canonicalization_for_mic its MIC covers the bytes with LF, its signature the same with CRLF. " +
				"We return the MIC of what the signature covers.",
		},
		{
			product: "OpenAS2", meets: titled(fromPeer, "quoted-printable transfer encoding"), shows: crlf,
			why: "Its quoted-printable encoder writes LF as a line break, which is CRLF: the document is changed before it is signed.",
		},
		{
			product: "OpenAS2", meets: func(tr trial) bool {
				return inCells(tr, fromPeer) && bare(tr.cell) && tr.cell.compress == as2.NoCompression
			}, shows: `file name ""`,
			why: "Of a document that is neither signed, encrypted nor compressed it does not tell the file name: Content-Disposition is cut off after its first word.",
		},
		{
			product: "OpenAS2", meets: func(tr trial) bool {
				signed := tr.cell.receipt == syncSigned || tr.cell.receipt == asyncSigned
				return inCells(tr, fromPeer) && bare(tr.cell) && tr.cell.compress != as2.NoCompression && signed
			}, shows: "MIC not matched",
			why: "Its MIC of content that is compressed, but neither signed nor encrypted, leaves the MIME header out. RFC 5402 section 4 has it in, as has ours.",
		},
		{
			product: "OpenAS2", meets: titled(toPeer, "ECDSA signature of the receipt", "encrypted to its P-256 certificate by ECDH"), shows: "answered 500",
			why: "With a certificate of its own on an elliptic curve it neither signs receipts nor decrypts, and answers with HTTP status 500. ECDSA signatures of ours it verifies.",
		},
		{
			product: "OpenAS2", meets: titled(fromPeer, "ECDSA signature"), shows: "nothing came",
			why: "It cannot sign with a key on an elliptic curve, and sends nothing.",
		},
		{
			product: "OpenAS2", meets: titled(fromPeer, "encrypted to our P-256 certificate by ECDH"), shows: "decryption-failed",
			why: "It cannot encrypt to a certificate on an elliptic curve, and sends an empty body instead.",
		},
		{
			product: "pyas2lib", meets: func(tr trial) bool {
				return inCells(tr, fromPeer) && text(tr.cell) && !(bare(tr.cell) && tr.cell.compress == as2.NoCompression)
			}, shows: crlf,
			why: "It turns LF into CRLF in everything but application/octet-stream, before it signs, encrypts or compresses: the document arrives as pyas2lib has changed it.",
		},
		{
			product: "pyas2lib", meets: func(tr trial) bool {
				c := tr.cell
				return inCells(tr, toPeer) && c.sign == "" && c.encrypt != "" && c.compress == as2.NoCompression && c.content == latin1Text
			}, shows: "Content-Type: text/p",
			why: "It takes the MIME header of text/plain that is encrypted, but neither signed nor compressed, for a part of the document.",
		},
		{
			product: "pyas2lib", meets: titled(toPeer, "ECDSA signature"), shows: "authentication-failed",
			why: "It cannot verify an ECDSA signature, and takes it for a forged one.",
		},
		{
			product: "pyas2lib", meets: titled(toPeer, "AES-128-GCM", "AES-256-GCM"), shows: "insufficient-message-security",
			why: "It does not know AuthEnvelopedData (RFC 5083).",
		},
		{
			product: "pyas2lib", meets: titled(toPeer, "RSA-OAEP key transport"), shows: "decryption-failed",
			why: "It reads RSAES-OAEP with SHA-1 only; we write it with SHA-256.",
		},
		{
			product: "pyas2lib", meets: titled(toPeer, "the same twice"), shows: "duplicate-document",
			why: "It answers a repeated Message-ID with the warning duplicate-document and without a MIC, not with the first receipt again: " +
				"such a receipt does not prove what it holds.",
		},
	}
}

// number is the number of a deviation in docs/interop.md, from 1 in each product.
func (d *deviation) number() int {
	n := 0
	for _, other := range deviations() {
		if other.product != d.product {
			continue
		}
		n++
		if other.why == d.why {
			return n
		}
	}
	panic("not in the list: " + strings.ToValidUTF8(d.why, ""))
}
