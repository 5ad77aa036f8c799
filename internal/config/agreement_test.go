package config

import (
	"os"
	"strings"
	"testing"

	"tradepost/partners"

	"github.com/google/go-cmp/cmp"
)

// agreed reads the AS2 settings of a partnership.
func agreed(t *testing.T, settings string) partners.AS2Policy {
	t.Helper()
	text := strings.Replace(good, "{sign: sha256, compress: true, require_encrypted: false}", settings, 1)
	c, err := read("tradepost.yaml", "/station/tradepost.yaml", []byte(text), Overrides{Env: env, NoFiles: true})
	if err != nil {
		t.Fatal(err)
	}
	return c.Directory.Partnerships()[0].AS2
}

// TestAS2Agreement reads what was agreed, from nothing said to everything.
func TestAS2Agreement(t *testing.T) {
	t.Parallel()
	usual := func(change func(p *partners.AS2Policy)) partners.AS2Policy {
		p := partners.AS2Policy{
			Sign: "sha-256", Encrypt: "aes-256-cbc", Receipt: "sync", SignedReceipt: true, RequireSigned: true, RequireEncrypted: true,
			AcceptDigests: []string{"sha-224", "sha-256", "sha-384", "sha-512"}, ReceiptMIC: "signature",
		}
		change(&p)
		return p
	}
	for settings, want := range map[string]partners.AS2Policy{
		"{}":                          usual(func(*partners.AS2Policy) {}),
		"{compress: true}":            usual(func(p *partners.AS2Policy) { p.Compress = true }),
		"{compress: before-signing}":  usual(func(p *partners.AS2Policy) { p.Compress = true }),
		"{compress: after-signing}":   usual(func(p *partners.AS2Policy) { p.Compress, p.CompressSigned = true, true }),
		"{compress: false}":           usual(func(*partners.AS2Policy) {}),
		"{compress: none}":            usual(func(*partners.AS2Policy) {}),
		"{sign: none, encrypt: none}": usual(func(p *partners.AS2Policy) { p.Sign, p.Encrypt = "", "" }),
		// What we sign with, they may sign with.
		"{sign: SHA1}":    usual(func(p *partners.AS2Policy) { p.Sign, p.AcceptDigests = "sha-1", append(p.AcceptDigests, "sha-1") }),
		"{peer: OpenAS2}": usual(func(p *partners.AS2Policy) { p.ReceiptMIC = "first-listed" }),
		"{peer: pyas2}":   usual(func(p *partners.AS2Policy) { p.ReceiptMICOptional = true }),
		// What is said outright counts more than the product.
		"{peer: openas2, receipt_mic: signature}":    usual(func(*partners.AS2Policy) {}),
		"{peer: pyas2, receipt_mic_optional: false}": usual(func(*partners.AS2Policy) {}),
		`{sign: sha-512, signature_scheme: pss, encrypt: aes-256-gcm, encrypt_fallback: aes128, key_transport: oaep,
      encrypt_to_self: true, compress: after-signing, encoding: der, send_file_name: false, receipt: none, signed_receipt: false,
      receipt_mic_optional: true, require_signed: false, require_encrypted: false, accept_digests: [SHA384, md5],
      accept_ciphers: [3des, aes-256-gcm], max_payload: 10MB, file_names: plain, receipt_mic: first-listed}`: {
			Sign: "sha-512", PSS: true, Encrypt: "aes-256-gcm", EncryptFallback: "aes-128-cbc", OAEP: true, EncryptToSelf: true,
			Compress: true, CompressSigned: true, DER: true, NoFileName: true, Receipt: "none", ReceiptMICOptional: true,
			AcceptDigests: []string{"sha-384", "md5"}, AcceptCiphers: []string{"3des", "aes-256-gcm"}, MaxPayload: 10 << 20,
			PlainFileNames: true, ReceiptMIC: "first-listed",
		},
		"{file_names: unique}":                  usual(func(p *partners.AS2Policy) { p.PlainFileNames, p.UniqueFileNames = true, true }),
		"{receipt_digests: [sha-512, sha-256]}": usual(func(p *partners.AS2Policy) { p.ReceiptDigests = []string{"sha-512", "sha-256"} }),
	} {
		if diff := cmp.Diff(want, agreed(t, settings)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", settings, diff)
		}
	}
}

// TestProductsWereTried holds peer to the page of live exchanges.
func TestProductsWereTried(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/interop.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ToLower(string(page))
	for _, p := range products() {
		if !strings.Contains(text, "\n## "+p.name) {
			t.Errorf("docs/interop.md has no chapter about %s", p.name)
		}
	}
}
