package as2

import (
	"fmt"
	"net/http"
	"strings"

	"tradepost/as2"
	"tradepost/transport"
)

// bareArrival is what is known of a request before anything was read of it.
func (h *handler) bareArrival(r *http.Request, kept *wire) *transport.Arrival {
	return &transport.Arrival{
		Connection: h.name,
		Connector:  Connector,
		MessageID:  clip(text(messageID(r.Header))),
		Subject:    clip(text(r.Header.Get("Subject"))),
		Wire:       kept,
		Evidence: transport.Evidence{
			Remote:  r.RemoteAddr,
			TLS:     tlsName(r.TLS),
			Headers: headerFields(withoutSecrets(r.Header)),
			From:    clip(text(as2.ParseID(r.Header.Get("AS2-From")))),
			To:      clip(text(as2.ParseID(r.Header.Get("AS2-To")))),
		},
	}
}

// withoutSecrets is h as it may be kept for years and shown to many.
func withoutSecrets(h http.Header) http.Header {
	out := h.Clone()
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie"} {
		if out.Get(name) != "" {
			out.Set(name, "(not kept)")
		}
	}
	return out
}

// messageID is the Message-ID as it came, without the white space around it.
func messageID(h http.Header) string { return strings.TrimSpace(h.Get("Message-ID")) }

// arrival turns a transmission into what goes through the door, with the
// receipt that will answer it.
func (h *handler) arrival(r *http.Request, rcv *as2.Received, rel *Relation, kept *wire) (*transport.Arrival, error) {
	a := h.bareArrival(r, kept)
	a.Key = transport.Key(Connector, rcv.From, messageID(r.Header))
	if rel != nil {
		a.Partner, a.Connection, a.UniqueNames = rel.Partner, rel.Connection, rel.NameUsed != nil
	}
	if err := h.names(r, rcv, rel); err != nil {
		return nil, err
	}
	e := &a.Evidence
	if kept.resumed > 0 {
		e.Resumed = []int64{kept.resumed}
	}
	e.Signed, e.Encrypted, e.Compressed = rcv.Signed, rcv.Encrypted, rcv.Compressed
	e.Digest, e.Cipher = string(rcv.Digest), string(rcv.Cipher)
	e.Signer, e.Recipient = certificate(rcv.Signer), certificate(rcv.Recipient)
	if d := rcv.ReceiptDigest(); rcv.MICs[d] != "" {
		e.MIC, e.MICAlg, e.MICs = rcv.MICs[d], string(d), allMICs(rcv.MICs, nil)
	}
	if rcv.Failure != nil {
		a.Refused = text(rcv.Failure.Error()) + advice(rcv.Disposition.Modifier)
	}
	for i, p := range rcv.Payloads {
		if i == 0 {
			a.Content = payloadPart(p)
			continue
		}
		a.Attachments = append(a.Attachments, payloadPart(p))
	}
	var err error
	a.Receipt, err = h.receipt(r, rcv, rel)
	if a.Receipt != nil {
		a.Receipt.Reason = a.Refused
	}
	return a, err
}

// names refuses what has a file name that was used before.
func (h *handler) names(r *http.Request, rcv *as2.Received, rel *Relation) error {
	if rel == nil || rel.NameUsed == nil || rcv.Failure != nil {
		return nil
	}
	for _, p := range rcv.Payloads {
		name := clip(text(p.Filename)) // as it is kept
		if name == "" {
			continue
		}
		used, err := rel.NameUsed(r.Context(), name, clip(text(messageID(r.Header))))
		if err != nil {
			return fmt.Errorf("whether the file name %q was used before: %w", name, err)
		}
		if used {
			rcv.Fail(as2.DuplicateFilename, fmt.Errorf("the file name %q was used before", name))
			return nil
		}
	}
	return nil
}

// advice says what to look at where a transmission was refused for a reason that
// lies in the agreement or the keys.
func advice(m as2.Modifier) string {
	switch m {
	case as2.InsufficientMessageSecurity:
		return "; what is accepted is in the partnership: require_signed, require_encrypted, accept_digests, accept_ciphers"
	case as2.IllegalFilename:
		return "; file_names of the partnership asks for plain names"
	case as2.DuplicateFilename:
		return "; file_names of the partnership asks for a new name each time"
	case as2.DecryptionFailed:
		return "; ask the partner which certificate of ours it encrypts to"
	case as2.AuthenticationFailed, as2.IntegrityCheckFailed:
		return "; if nobody has tampered with it: ask the partner which certificate it signs with, and compare"
	case as2.UnknownTradingRelationship:
		return "; a partner is known by the AS2 id of its entry, upper and lower case count, and needs a partnership"
	}
	return ""
}

// receipt makes the receipt that was asked for; nil where none was. A stranger
// gets none on a connection of its own: we do not post to addresses that
// nobody vouched for.
func (h *handler) receipt(r *http.Request, rcv *as2.Received, rel *Relation) (*transport.Receipt, error) {
	async := rcv.Request.Mode == as2.AsyncReceipt
	if !rcv.Request.Wanted() || async && rel == nil {
		return nil, nil
	}
	cfg := h.e.cfg
	id, err := as2.NewMessageID(cfg.Now(), cfg.Rand, cfg.Host)
	if err != nil {
		return nil, err
	}
	o := as2.ReceiptOptions{MessageID: id, Now: cfg.Now(), Rand: cfg.Rand, Product: cfg.Product, Features: h.e.features()}
	if rel == nil {
		if o.Key, err = cfg.Relations.StrangerKey(r.Context(), rcv.To); err != nil {
			return nil, fmt.Errorf("key for a stranger's receipt: %w", err)
		}
	}
	made, err := rcv.Receipt(o)
	if err != nil {
		return nil, err
	}
	out := &transport.Receipt{
		MessageID: made.MessageID, Disposition: made.Disposition.String(), Positive: made.Disposition.Positive(),
		Signed: made.Signed, Async: async, MIC: made.MIC, MICAlg: string(made.MICDigest),
		Headers: headerFields(made.Header), Body: made.Body,
	}
	if async {
		out.AsyncURL = text(rcv.Request.URL)
	}
	switch {
	case !made.Signed:
	case o.Key != nil:
		out.Signer = certificate(o.Key.Certificate)
	case rel != nil && len(rel.Station.Keys) > 0:
		out.Signer = certificate(rel.Station.Keys[0].Certificate)
	}
	return out, nil
}
