package gateway_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/internal/config"
	"tradepost/internal/gateway"
	"tradepost/internal/store/sqlstore"
	"tradepost/tracking"
)

// replace changes words of the house's configuration; each must be there.
func (h *house) replace(pairs ...string) {
	h.t.Helper()
	h.edit(func(c *config.Config) ([]byte, error) {
		text, err := os.ReadFile(c.File)
		for i := 0; i < len(pairs); i += 2 {
			if !strings.Contains(string(text), pairs[i]) {
				h.t.Fatalf("the %s's configuration has no %s", h.name, pairs[i])
			}
			text = []byte(strings.ReplaceAll(string(text), pairs[i], pairs[i+1]))
		}
		return text, err
	})
}

// agree sets what a house agreed with its partner for AS2. The settings that
// newHouses writes for the same are left out.
func (h *house) agree(settings string) {
	h.t.Helper()
	h.edit(func(c *config.Config) ([]byte, error) {
		text, err := os.ReadFile(c.File)
		lines := strings.Split(string(text), "\n")
		for i, line := range lines {
			before, old, ok := strings.Cut(line, "as2: {sign")
			if !ok {
				continue
			}
			kept := []string{}
			for _, one := range strings.Split(strings.TrimSuffix("sign"+old, "}"), ", ") {
				key, _, _ := strings.Cut(one, ":")
				if !regexp.MustCompile(`(^|\s)` + key + `:`).MatchString(settings) {
					kept = append(kept, one)
				}
			}
			lines[i] = before + "as2: {" + strings.Join(append(kept, settings), ", ") + "}"
		}
		return []byte(strings.Join(lines, "\n")), err
	})
}

// trade is one order that went from one house to the other, as each side has it.
type trade struct {
	t               *testing.T
	buyer, supplier *house
	ours, theirs    *sqlstore.Store
	document        tracking.DocumentRow
	sent, received  *tracking.TransmissionView // received is nil when nothing is known of it there
}

// trades sends an order, and waits until it is settled or has failed.
func trades(t *testing.T, buyer, supplier *house, content string) *trade {
	t.Helper()
	x := &trade{t: t, buyer: buyer, supplier: supplier, ours: buyer.open(), theirs: supplier.open()}
	x.order("order.edi", content)
	return x
}

// order sends another.
func (x *trade) order(name, content string) {
	x.t.Helper()
	before := x.document.ID
	x.buyer.drop(name, content)
	x.document = x.buyer.await(tracking.DocumentQuery{Direction: tracking.Outbound, Type: "850"}, func(d tracking.DocumentRow) bool {
		return d.ID != before && (d.State == tracking.DocumentFailed || accepted(d))
	})
	x.sent, x.received = nil, nil
	page, err := x.ours.Transmissions(x.t.Context(), tracking.TransmissionQuery{Direction: tracking.Outbound, Connector: "as2", Partner: "supplier"})
	if err != nil {
		x.t.Fatal(err)
	}
	for _, m := range page.Transmissions {
		if strings.HasPrefix(m.Subject, "850") && x.sent == nil {
			x.sent = x.view(x.ours, m.ID)
		}
	}
	if x.sent == nil {
		x.t.Fatalf("no transmission carries the order: %+v", x.document.Document)
	}
	page, err = x.theirs.Transmissions(x.t.Context(), tracking.TransmissionQuery{Direction: tracking.Inbound, Connector: "as2"})
	if err != nil {
		x.t.Fatal(err)
	}
	for _, m := range page.Transmissions {
		if m.MessageID == x.sent.Transmission.MessageID {
			x.received = x.view(x.theirs, m.ID)
		}
	}
}

func (x *trade) view(s *sqlstore.Store, id tracking.ID) *tracking.TransmissionView {
	x.t.Helper()
	v, err := s.TransmissionView(x.t.Context(), id)
	if err != nil {
		x.t.Fatal(err)
	}
	return v
}

// arrived is the transmission as the supplier has it.
func (x *trade) arrived() tracking.Transmission {
	x.t.Helper()
	if x.received == nil {
		x.t.Fatalf("nothing arrived: %s", x.sent.Transmission.Error)
	}
	return x.received.Transmission
}

// header is a line of the request as it arrived.
func (x *trade) header(name string) string {
	x.t.Helper()
	for _, h := range x.arrived().Evidence.Headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// wire are the bytes as they arrived.
func (x *trade) wire() []byte {
	x.t.Helper()
	archive, err := gateway.OpenArchive(x.supplier.config(), time.Now())
	if err != nil {
		x.t.Fatal(err)
	}
	defer func() { _ = archive.Close() }()
	r, err := archive.Open(x.t.Context(), x.arrived().Wire)
	if err != nil {
		x.t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	if err != nil {
		x.t.Fatal(err)
	}
	return b
}

// receipt is the one that the buyer got.
func (x *trade) receipt() tracking.Receipt {
	x.t.Helper()
	for _, r := range x.sent.Receipts {
		if r.Direction == tracking.Inbound {
			return r
		}
	}
	x.t.Fatalf("no receipt came back: %s", x.sent.Transmission.Error)
	return tracking.Receipt{}
}

// delivered fails the test unless the order came through.
func (x *trade) delivered() {
	x.t.Helper()
	if x.document.State != tracking.DocumentDelivered {
		x.t.Fatalf("the order is %s: %s", x.document.State, x.sent.Transmission.Error)
	}
}

// refused fails the test unless the supplier refused the order, for a reason.
func (x *trade) refused(modifier string) {
	x.t.Helper()
	if x.document.State != tracking.DocumentFailed || x.arrived().State != tracking.TransmissionRefused {
		x.t.Fatalf("the order is %s, its transmission there %s", x.document.State, x.arrived().State)
	}
	if got := x.receipt().Disposition; !strings.Contains(got, modifier) {
		x.t.Errorf("the receipt says %q, want %s", got, modifier)
	}
	if why := x.arrived().Error; modifier == "insufficient-message-security" && !strings.Contains(why, "accept_ciphers") {
		x.t.Errorf("the supplier's people are not told where that was agreed: %s", why)
	}
}

// clear is what both sides need for a transmission that can be read as it
// crossed the wire.
const clear = ", encrypt: none, require_encrypted: false"

// oid is the DER form of an object identifier's value, as it stands in CMS.
func oid(last ...byte) []byte {
	return append([]byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d}, last...)
}

// TestAgreement sets each of the AS2 settings of a partnership and looks at what
// it does: to the bytes on the wire, to the receipt, or to what is taken.
func TestAgreement(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		buyer, supplier string // settings of the two sides
		check           func(x *trade)
	}{
		"sign": {"sign: sha-384", "", func(x *trade) {
			x.delivered()
			if e := x.arrived().Evidence; e.Digest != "sha-384" || e.MICAlg != "sha-384" || x.receipt().MICAlg != "sha-384" {
				x.t.Errorf("digest %s, MIC %s, receipt %s", e.Digest, e.MICAlg, x.receipt().MICAlg)
			}
			if f := x.header("EDIINT-Features"); !strings.Contains(f, "CEM") || !strings.Contains(f, "AS2-Reliability") {
				x.t.Errorf("EDIINT-Features: %s", f)
			}
		}},
		"sign: none": {"sign: none", "require_signed: false", func(x *trade) {
			x.delivered()
			if x.arrived().Evidence.Signed {
				x.t.Error("it is signed")
			}
		}},
		"signature_scheme": {"signature_scheme: pss" + clear, "require_encrypted: false", func(x *trade) {
			x.delivered()
			pss, plain := signatureHas(x, oid(1, 1, 10)), signatureHas(x, oid(1, 1, 1))
			if !pss {
				x.t.Errorf("the signature is not of RSASSA-PSS (rsaEncryption: %v)", plain)
			}
		}},
		"encrypt": {"encrypt: aes-192-cbc", "", func(x *trade) {
			x.delivered()
			if c := x.arrived().Evidence.Cipher; c != "aes-192-cbc" {
				x.t.Errorf("cipher %s", c)
			}
		}},
		"encrypt: AES-GCM": {"encrypt: aes-256-gcm", "", func(x *trade) {
			x.delivered()
			if c := x.arrived().Evidence.Cipher; c != "aes-256-gcm" {
				x.t.Errorf("cipher %s", c)
			}
			if !bytes.Contains(x.wire()[:64], oid(1, 9, 16, 1, 23)) {
				x.t.Error("AES-GCM does not travel as AuthEnvelopedData")
			}
		}},
		"encrypt_fallback": {"encrypt: aes-256-gcm, encrypt_fallback: aes-128-cbc", "", func(x *trade) {
			x.delivered()
			if c := x.arrived().Evidence.Cipher; c != "aes-128-cbc" {
				x.t.Errorf("to a partner of which nothing is known went %s", c)
			}
			x.order("second.edi", order("4500099002")) // it has answered since, in AS2 1.3
			x.delivered()
			if c := x.arrived().Evidence.Cipher; c != "aes-256-gcm" {
				x.t.Errorf("to a partner that speaks AS2 1.3 went %s", c)
			}
		}},
		"key_transport": {"key_transport: oaep", "", func(x *trade) {
			x.delivered()
			if !bytes.Contains(x.wire()[:1024], oid(1, 1, 7)) {
				x.t.Error("the content key is not encrypted with RSAES-OAEP")
			}
		}},
		"encrypt_to_self": {"encrypt_to_self: true", "", func(x *trade) {
			x.delivered()
			if err := x.recall(); err != nil {
				x.t.Errorf("the buyer cannot read what it sent: %v", err)
			}
		}},
		"encrypt_to_self: false": {"encrypt_to_self: false", "", func(x *trade) {
			x.delivered()
			if x.recall() == nil {
				x.t.Error("the buyer can read what it sent")
			}
		}},
		"compress: none": {"compress: none", "", func(x *trade) {
			x.delivered()
			if x.arrived().Evidence.Compressed {
				x.t.Error("it is compressed")
			}
		}},
		"compress: before-signing": {"compress: before-signing" + clear, "require_encrypted: false", func(x *trade) {
			x.delivered()
			if ct := x.header("Content-Type"); !strings.HasPrefix(ct, "multipart/signed") || !x.arrived().Evidence.Compressed {
				x.t.Errorf("outermost is %s", ct)
			}
		}},
		"compress: after-signing": {"compress: after-signing" + clear, "require_encrypted: false", func(x *trade) {
			x.delivered()
			if ct := x.header("Content-Type"); !strings.Contains(ct, "compressed-data") || !x.arrived().Evidence.Signed {
				x.t.Errorf("outermost is %s", ct)
			}
		}},
		"encoding: ber": {"encoding: ber", "", func(x *trade) {
			x.delivered()
			if b := x.wire(); b[1] != 0x80 {
				x.t.Errorf("it begins with %x: not of indefinite length", b[:2])
			}
		}},
		"encoding: der": {"encoding: der", "", func(x *trade) {
			x.delivered()
			if b := x.wire(); b[1] == 0x80 {
				x.t.Error("it is of indefinite length")
			}
		}},
		"send_file_name": {"", "", func(x *trade) {
			x.delivered()
			if x.arrived().Filename == "" {
				x.t.Error("no file name arrived")
			}
		}},
		"send_file_name: false": {"send_file_name: false", "", func(x *trade) {
			x.delivered()
			if f := x.arrived().Filename; f != "" {
				x.t.Errorf("the file name %s arrived", f)
			}
		}},
		"receipt: none": {"receipt: none", "", func(x *trade) {
			x.delivered()
			if x.header("Disposition-Notification-To") != "" || len(x.sent.Receipts) > 0 {
				x.t.Error("a receipt was asked for")
			}
		}},
		"signed_receipt: false": {"signed_receipt: false", "", func(x *trade) {
			x.delivered()
			if x.receipt().Signed {
				x.t.Error("the receipt is signed")
			}
		}},
		"receipt_digests": {"receipt_digests: [sha-512, sha-384]", "", func(x *trade) {
			x.delivered()
			if o := x.header("Disposition-Notification-Options"); !strings.Contains(o, "sha-512, sha-384") {
				x.t.Errorf("asked for with %q", o)
			}
			if alg := x.receipt().MICAlg; alg != "sha-256" { // the signature's counts
				x.t.Errorf("MIC under %s", alg)
			}
		}},
		"receipt_mic": {"receipt_digests: [sha-512, sha-384]", "receipt_mic: first-listed", func(x *trade) {
			x.delivered()
			if alg := x.receipt().MICAlg; alg != "sha-512" {
				x.t.Errorf("MIC under %s", alg)
			}
		}},
		"peer: openas2": {"receipt_digests: [sha-384]", "peer: openas2", func(x *trade) {
			x.delivered()
			if alg := x.receipt().MICAlg; alg != "sha-384" {
				x.t.Errorf("MIC under %s", alg)
			}
		}},
		"require_signed":    {"sign: none", "", func(x *trade) { x.refused("insufficient-message-security") }},
		"require_encrypted": {"encrypt: none", "", func(x *trade) { x.refused("insufficient-message-security") }},
		"accept_digests":    {"", "accept_digests: [sha-512]", func(x *trade) { x.refused("insufficient-message-security") }},
		"accept_digests: SHA-1 is not among the usual": {"sign: sha-1", "", func(x *trade) { x.refused("insufficient-message-security") }},
		"accept_digests: SHA-1 by agreement": {"sign: sha-1, accept_digests: [sha-1, sha-256]", "accept_digests: [sha-1]", func(x *trade) {
			x.delivered()
			if d := x.arrived().Evidence.Digest; d != "sha-1" {
				x.t.Errorf("digest %s", d)
			}
		}},
		"accept_ciphers":               {"", "accept_ciphers: [aes-128-cbc, aes-256-gcm]", func(x *trade) { x.refused("insufficient-message-security") }},
		"accept_ciphers: 3DES is read": {"encrypt: 3des", "", func(x *trade) { x.delivered() }},
		"max_payload":                  {"", "max_payload: 100B", func(x *trade) { x.refused("unexpected-processing-error") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			buyer, supplier := newHouses(t)
			if c.buyer != "" {
				buyer.agree(c.buyer)
			}
			if c.supplier != "" {
				supplier.agree(c.supplier)
			}
			buyer.serve()
			supplier.serve()
			c.check(trades(t, buyer, supplier, order("4500099001")))
		})
	}
}

// signatureHas looks for bytes in the signature of what crossed the wire in the
// clear.
func signatureHas(x *trade, want []byte) bool {
	x.t.Helper()
	for _, part := range regexp.MustCompile(`\r?\n\r?\n`).Split(string(x.wire()), -1) {
		text, _, _ := strings.Cut(part, "--")
		der, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "").Replace(text))
		if err == nil && bytes.Contains(der, want) {
			return true
		}
	}
	return bytes.Contains(x.wire(), want)
}

// recall reads what the buyer sent with the keys of the buyer.
func (x *trade) recall() error {
	x.t.Helper()
	ring, err := x.buyer.config().Keyring()
	if err != nil {
		x.t.Fatal(err)
	}
	h := http.Header{}
	for _, f := range x.arrived().Evidence.Headers {
		h.Add(f.Name, f.Value)
	}
	c := ring.Own[0].Certificate
	_, err = as2.Recall(x.t.Context(), h, bytes.NewReader(x.wire()), []as2.Key{{Certificate: c, Private: ring.Key(c)}}, as2.ReceiveOptions{})
	return err
}
