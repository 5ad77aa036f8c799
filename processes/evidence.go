package processes

import (
	"fmt"
	"strings"

	"tradepost/tracking"
	"tradepost/transport"
)

// The seam to the connectors and the system of record each have their own
// words for evidence, because neither may import the other. This file is the
// one place where the two meet.

func evidenceOf(e transport.Evidence) tracking.Evidence {
	return tracking.Evidence{
		Remote: e.Remote, TLS: e.TLS, Headers: trackingHeaders(e.Headers), From: e.From, To: e.To,
		Signed: e.Signed, Encrypted: e.Encrypted, Compressed: e.Compressed, Digest: e.Digest, Cipher: e.Cipher,
		MIC: e.MIC, MICAlg: e.MICAlg, MICs: e.MICs, Signer: certificateOf(e.Signer), Recipient: certificateOf(e.Recipient),
		HTTPStatus: e.HTTPStatus, Response: e.Response,
	}
}

func transportEvidence(e tracking.Evidence) transport.Evidence {
	return transport.Evidence{
		Remote: e.Remote, TLS: e.TLS, Headers: transportHeaders(e.Headers), From: e.From, To: e.To,
		Signed: e.Signed, Encrypted: e.Encrypted, Compressed: e.Compressed, Digest: e.Digest, Cipher: e.Cipher,
		MIC: e.MIC, MICAlg: e.MICAlg, MICs: e.MICs, Signer: transportCertificate(e.Signer), Recipient: transportCertificate(e.Recipient),
		HTTPStatus: e.HTTPStatus, Response: e.Response,
	}
}

// resumed says in words how a transmission was gone on with, "" when it was not.
func resumed(e transport.Evidence) string {
	var at []string
	for _, n := range e.Resumed {
		at = append(at, fmt.Sprint(n))
	}
	if len(at) == 0 {
		return ""
	}
	return "the connection broke; gone on with from byte " + strings.Join(at, ", then from byte ")
}

// mergeEvidence adds what sending learned to what preparing fixed.
func mergeEvidence(base tracking.Evidence, sent transport.Evidence) tracking.Evidence {
	if sent.Remote != "" {
		base.Remote = sent.Remote
	}
	if sent.TLS != "" {
		base.TLS = sent.TLS
	}
	if sent.HTTPStatus != 0 {
		base.HTTPStatus = sent.HTTPStatus
	}
	if sent.Response != "" {
		base.Response = sent.Response
	}
	return base
}

func receiptOf(r *transport.Receipt, body tracking.Payload) *tracking.Receipt {
	return &tracking.Receipt{
		MessageID: r.MessageID, Disposition: r.Disposition, Positive: r.Positive, Signed: r.Signed, Async: r.Async, AsyncURL: r.AsyncURL,
		MIC: r.MIC, MICAlg: r.MICAlg, MICMatches: r.MICMatches, Signer: certificateOf(r.Signer),
		Headers: trackingHeaders(r.Headers), Body: body, Reason: r.Reason,
	}
}

// transportReceipt rebuilds a stored receipt with its exact bytes.
func transportReceipt(r *tracking.Receipt, body []byte) *transport.Receipt {
	return &transport.Receipt{
		MessageID: r.MessageID, Disposition: r.Disposition, Positive: r.Positive, Signed: r.Signed, Async: r.Async, AsyncURL: r.AsyncURL,
		MIC: r.MIC, MICAlg: r.MICAlg, MICMatches: r.MICMatches, Signer: transportCertificate(r.Signer),
		Headers: transportHeaders(r.Headers), Body: body, Reason: r.Reason,
	}
}

func certificateOf(c *transport.Certificate) *tracking.Certificate {
	if c == nil {
		return nil
	}
	out := tracking.Certificate(*c)
	return &out
}

func transportCertificate(c *tracking.Certificate) *transport.Certificate {
	if c == nil {
		return nil
	}
	out := transport.Certificate(*c)
	return &out
}

func trackingHeaders(in []transport.HeaderField) []tracking.HeaderField {
	var out []tracking.HeaderField
	for _, h := range in {
		out = append(out, tracking.HeaderField(h))
	}
	return out
}

func transportHeaders(in []tracking.HeaderField) []transport.HeaderField {
	var out []transport.HeaderField
	for _, h := range in {
		out = append(out, transport.HeaderField(h))
	}
	return out
}
