package interop

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"tradepost/as2"
)

// variant is a way to send that is not in the matrix.
type variant struct {
	title string
	cell  cell
	more  map[string]string // settings of the product
	name  string            // the AS2 name, when it matters
	mic   as2.MICRule       // our rule for receipts to such a partner
}

// underSHA256 asks for a receipt with the MIC under SHA-256.
const underSHA256 = "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, SHA256"

// openAS2Variants are attributes of OpenAS2's partnerships.
func openAS2Variants() []variant {
	with := func(change func(*cell)) cell {
		c := usual
		change(&c)
		return c
	}
	text := with(func(c *cell) { c.encrypt, c.content = "", latin1Text })
	return []variant{
		{title: "base64 transfer encoding", cell: usual, more: map[string]string{"content_transfer_encoding": "base64"}},
		{title: "base64, unencrypted text with LF", cell: text, more: map[string]string{"content_transfer_encoding": "base64"}},
		{title: "base64, compressed before signing", cell: with(func(c *cell) { c.compress = as2.BeforeSigning }), more: map[string]string{"content_transfer_encoding": "base64"}},
		{title: "base64, compressed after signing", cell: with(func(c *cell) { c.compress = as2.AfterSigning }), more: map[string]string{"content_transfer_encoding": "base64"}},
		{title: "quoted-printable transfer encoding", cell: text, more: map[string]string{"content_transfer_encoding": "quoted-printable"}},
		{title: "8bit transfer encoding, text with LF", cell: text, more: map[string]string{"content_transfer_encoding": "8bit"}},
		{title: "8bit, MIC over the bytes as they are", cell: text, more: map[string]string{"content_transfer_encoding": "8bit", "prevent_canonicalization_for_mic": "true"}},
		{title: "Content-Length instead of chunks", cell: usual, more: map[string]string{"no_chunked_max_size": "10000000"}},
		{title: "old digest names (micalg=sha1)", cell: with(func(c *cell) { c.sign = as2.SHA1 }), more: map[string]string{"rename_digest_to_old_name": "true"}},
		{title: "without the CMS algorithm protection attribute", cell: usual, more: map[string]string{"remove_cms_algorithm_protection_attrib": "true"}},
		{title: "SHA-224 signature", cell: with(func(c *cell) { c.sign = as2.SHA224 })},
		{title: "AS2 name with spaces", cell: usual, name: "PEER with spaces"},
		{title: "asynchronous receipt, AS2 name with spaces", cell: with(func(c *cell) { c.receipt = asyncSigned }), name: "PEER with more spaces"},
		{
			title: "SHA-384 signature, receipt asked under SHA-256", cell: with(func(c *cell) { c.sign = as2.SHA384 }),
			more: map[string]string{"as2_mdn_options": underSHA256},
		},
		{
			title: "SHA-384 signature, receipt asked under SHA-256 and set so with us", cell: with(func(c *cell) { c.sign = as2.SHA384 }),
			more: map[string]string{"as2_mdn_options": underSHA256}, mic: as2.MICFirstListed,
		},
	}
}

// pyas2Variants are fields of pyas2lib's Partner.
func pyas2Variants() []variant {
	with := func(change func(*cell)) cell {
		c := usual
		change(&c)
		return c
	}
	return []variant{
		{title: "RSA-PSS signature", cell: usual, more: map[string]string{"sign_alg": "rsassa_pss"}},
		{title: "in chunks instead of Content-Length", cell: usual, more: map[string]string{"how": "chunked"}},
		{title: "asking first (Expect: 100-continue)", cell: usual, more: map[string]string{"how": "asking"}},
		{title: "SHA-224 signature", cell: with(func(c *cell) { c.sign = as2.SHA224 })},
		{title: "AS2 name with spaces", cell: usual, name: "PEER with spaces"},
		{title: "asynchronous receipt, AS2 name with spaces", cell: with(func(c *cell) { c.receipt = asyncSigned }), name: "PEER with more spaces"},
		{title: "SHA-384 signature, receipt asked under SHA-256", cell: with(func(c *cell) { c.sign = as2.SHA384 }), more: map[string]string{"mdn_digest_alg": "sha256"}},
	}
}

// further adds what is not in the matrix: their settings, and our options.
func (b *bench) further() {
	for i, v := range b.product.more {
		name := v.name
		if name == "" {
			name = fmt.Sprintf("PEER-VARIANT-%02d", i+1)
		}
		p := newParty(name, v.cell, b.product)
		p.more, p.mic = v.more, v.mic
		b.party(p)
		b.trial(further, fromPeer, v.cell, func(ctx context.Context) error { return b.theySend(ctx, name, v.cell) }, v.title)
	}
	for i, v := range []struct {
		title  string
		change func(*as2.Options)
		name   string
	}{
		{"RSA-PSS signature", func(o *as2.Options) { o.PSS = true }, ""},
		{"RSA-OAEP key transport", func(o *as2.Options) { o.OAEP = true }, ""},
		{"AES-128-GCM", func(o *as2.Options) { o.Encrypt = as2.AES128GCM }, ""},
		{"AES-256-GCM", func(o *as2.Options) { o.Encrypt = as2.AES256GCM }, ""},
		{"encrypted to ourselves as well", func(o *as2.Options) { o.EncryptToSelf = true }, ""},
		{"compressed and encrypted in DER, not BER", func(o *as2.Options) { o.DER, o.Compress = true, as2.BeforeSigning }, ""},
		{"SHA-224 signature", func(o *as2.Options) { o.Sign = as2.SHA224 }, ""},
		{"SHA-384 signature, receipt asked under SHA-256", func(o *as2.Options) {
			o.Sign, o.Receipt.Digests = as2.SHA384, []as2.Digest{as2.SHA256}
		}, ""},
		{"receipt asked under SHA-512, SHA-256 or SHA-1", func(o *as2.Options) {
			o.Receipt.Digests = []as2.Digest{as2.SHA512, as2.SHA256, as2.SHA1}
		}, ""},
		{"AS2 name with spaces", func(*as2.Options) {}, "PEER known by spaces"},
		{"in chunks instead of Content-Length", nil, ""},
		{"asking first (Expect: 100-continue)", nil, ""},
	} {
		name := v.name
		if name == "" {
			name = fmt.Sprintf("PEER-OPTION-%02d", i+1)
		}
		b.party(newParty(name, usual, b.product))
		b.trial(further, toPeer, usual, func(ctx context.Context) error {
			out, err := b.build(ctx, name, contentOf(binaryBytes), v.change)
			if err != nil {
				return err
			}
			defer out.Close()
			switch {
			case v.change != nil:
			case strings.HasPrefix(v.title, "in chunks"):
				out.Size = -1 // as if the length were not known
			default:
				out.Header.Set("Expect", "100-continue")
			}
			if _, o, err := b.exchange(ctx, out); err != nil {
				return err
			} else if !o.Delivered || !o.MICMatches {
				return errors.New("not delivered: " + o.Reason)
			}
			return b.theyHave(ctx, name, contentOf(binaryBytes))
		}, v.title)
	}
}

// build makes a transmission with package as2: what is usual, changed.
func (b *bench) build(ctx context.Context, name string, g goods, change func(*as2.Options)) (*as2.Outgoing, error) {
	id, err := as2.NewMessageID(time.Now(), rand.Reader, "tradepost.test")
	if err != nil {
		return nil, err
	}
	o := as2.Options{
		MessageID: id, Now: time.Now(), Subject: "interoperability", Sign: usual.sign, Encrypt: usual.encrypt,
		Receipt: as2.ReceiptRequest{Mode: as2.SyncReceipt, Signed: true, To: "edi@tradepost.test"},
	}
	if change != nil {
		change(&o)
	}
	certificate := b.peer.certificate()
	return as2.Build(ctx, as2.Relation{
		Station: as2.Station{ID: stationID, Keys: []as2.Key{b.station.key}},
		Partner: as2.Partner{ID: name, Encrypt: certificate, Verify: []*x509.Certificate{certificate}},
	}, as2.Payload{
		ContentType: g.contentType, Filename: g.filename, Size: int64(len(g.bytes)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(g.bytes)), nil },
	}, o)
}

// exchange posts a transmission and checks the receipt in the answer.
func (b *bench) exchange(ctx context.Context, out *as2.Outgoing) (*as2.Receipt, as2.Outcome, error) {
	client := as2.NewClient(as2.ClientConfig{ResponseTimeout: 30 * time.Second})
	defer client.CloseIdle()
	resp, err := client.Post(ctx, b.peer.url(), out)
	if err != nil {
		return nil, as2.Outcome{}, err
	}
	r, err := resp.Receipt()
	if err != nil {
		return nil, as2.Outcome{}, err
	}
	return r, r.Check(out.Sent, []*x509.Certificate{b.peer.certificate()}), nil
}
