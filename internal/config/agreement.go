package config

import (
	"fmt"
	"slices"
	"strings"

	"tradepost/as2"
	"tradepost/partners"

	"github.com/goccy/go-yaml/ast"
)

// as2Policy reads what was agreed with a partner for AS2: what we send, the
// receipt we ask for, what we accept, and the receipts we give.
func (c *Config) as2Policy(s *section) partners.AS2Policy {
	defer s.done()
	product := s.product()
	p := partners.AS2Policy{
		Sign:            s.digest("sign", as2.SHA256),
		PSS:             s.choice("signature_scheme", "pkcs1", "pkcs1", "pss") == "pss",
		Encrypt:         s.cipher("encrypt", as2.AES256CBC),
		EncryptFallback: s.cipher("encrypt_fallback", ""),
		OAEP:            s.choice("key_transport", "pkcs1", "pkcs1", "oaep") == "oaep",
		EncryptToSelf:   s.boolean("encrypt_to_self", false),
		DER:             s.choice("encoding", "ber", "ber", "der") == "der",
		NoFileName:      !s.boolean("send_file_name", true),

		Receipt:            s.text("receipt", "sync"),
		SignedReceipt:      s.boolean("signed_receipt", true),
		ReceiptDigests:     s.digests("receipt_digests"),
		ReceiptMICOptional: s.boolean("receipt_mic_optional", product.micOptional),

		RequireSigned:    s.boolean("require_signed", true),
		RequireEncrypted: s.boolean("require_encrypted", true),
		AcceptDigests:    s.digests("accept_digests"),
		AcceptCiphers:    s.ciphers("accept_ciphers"),
		MaxPayload:       s.size("max_payload", 0),

		ReceiptMIC: s.choice("receipt_mic", product.receiptMIC, "signature", "first-listed"),
	}
	names := s.choice("file_names", "any", "any", "plain", "unique")
	p.PlainFileNames, p.UniqueFileNames = names != "any", names == "unique"
	p.Compress, p.CompressSigned = s.compression("compress")
	if len(p.AcceptDigests) == 0 {
		p.AcceptDigests = acceptedDigests(p.Sign)
	}
	if p.MaxPayload > c.Limits.Transmission {
		s.wrong("max_payload", "raise limits.transmission, or write less", "it is more than the station takes of anybody (limits.transmission, %d bytes)", c.Limits.Transmission)
	}
	s.together(p, product)
	return p
}

// acceptedDigests are those a partner may sign with when nothing else was
// agreed: SHA-2, and what we sign with ourselves. MD5 and SHA-1 must be named.
func acceptedDigests(sign string) []string {
	out := []string{string(as2.SHA224), string(as2.SHA256), string(as2.SHA384), string(as2.SHA512)}
	if sign != "" && !slices.Contains(out, sign) {
		out = append(out, sign)
	}
	return out
}

// together notes what does not go together, or cannot be understood at the
// other end.
func (s *section) together(p partners.AS2Policy, product product) {
	gcm := func(cipher string) bool { return strings.HasSuffix(cipher, "-gcm") }
	switch {
	case p.Sign == string(as2.MD5):
		s.wrong("sign", "sha-256 is what every product knows; md5 can be accepted (accept_digests), and is never written", "what is signed with MD5 proves nothing")
	case p.EncryptFallback != "" && !gcm(p.Encrypt):
		s.wrong("encrypt_fallback", "remove it, or write aes-256-gcm under encrypt", "it stands in for AES-GCM, and encrypt is %s", named(p.Encrypt))
	case gcm(p.EncryptFallback):
		s.wrong("encrypt_fallback", "write aes-256-cbc", "it is for partners that cannot read AES-GCM")
	case p.PSS && p.Sign == "":
		s.wrong("signature_scheme", "remove it, or write sha-256 under sign", "nothing is signed")
	case (p.OAEP || p.EncryptToSelf) && p.Encrypt == "":
		key := "key_transport"
		if !p.OAEP {
			key = "encrypt_to_self"
		}
		s.wrong(key, "remove it, or write aes-256-cbc under encrypt", "nothing is encrypted")
	case len(p.ReceiptDigests) > 0 && (p.Receipt == "none" || !p.SignedReceipt):
		s.wrong("receipt_digests", "remove it, or ask for a signed receipt", "no signed receipt is asked for")
	}
	if !product.noGCM {
		return
	}
	const hint = "write another, or remove peer if yours does (docs/interop.md has what was tried)"
	if gcm(p.Encrypt) {
		s.wrong("encrypt", hint, "%s does not read AES-GCM", product.name)
	}
	if p.OAEP {
		s.wrong("key_transport", hint, "%s does not read RSAES-OAEP with SHA-256", product.name)
	}
}

func named(word string) string {
	if word == "" {
		return "none"
	}
	return word
}

// product is a program at a partner's end, with what it is known to need and
// not to read. docs/interop.md proves each.
type product struct {
	name        string
	receiptMIC  string // rule for our receipts
	micOptional bool   // its signed receipts for unsigned content have no MIC
	noGCM       bool   // neither AES-GCM nor RSAES-OAEP with SHA-256
}

// products lists what peer may name.
func products() []product {
	return []product{
		{name: "openas2", receiptMIC: "first-listed", noGCM: true},
		{name: "pyas2", receiptMIC: "signature", micOptional: true, noGCM: true},
	}
}

// product reads peer; without it the standard holds.
func (s *section) product() product {
	standard := product{receiptMIC: "signature"}
	v := s.text("peer", "")
	if v == "" {
		return standard
	}
	var names []string
	for _, p := range products() {
		if names = append(names, p.name); strings.EqualFold(v, p.name) {
			return p
		}
	}
	s.wrong("peer", "remove the line, and set what it needs one by one: docs/configuration.md lists the settings", "%q is no product that was tried: %s are", v, strings.Join(names, " and "))
	return standard
}

// digest reads the name of one digest; none is "".
func (s *section) digest(key string, fallback as2.Digest) string {
	v := s.text(key, string(fallback))
	if v == "none" || v == "" {
		return ""
	}
	d, err := as2.ParseDigest(v)
	if err != nil {
		s.wrong(key, "write sha-256, or none to send unsigned", "%q is no digest", v)
	}
	return string(d)
}

// cipher reads the name of one cipher; none is "".
func (s *section) cipher(key string, fallback as2.Cipher) string {
	v := s.text(key, string(fallback))
	if v == "none" || v == "" {
		return ""
	}
	e, err := as2.ParseCipher(v)
	if err != nil {
		s.wrong(key, "write aes-256-cbc, or none to send in the clear", "%q is no cipher", v)
	}
	return string(e)
}

// digests reads a list of digests.
func (s *section) digests(key string) []string {
	return parsed(s, key, as2.ParseDigest, "write names such as sha-256, sha-384", "digest")
}

// ciphers reads a list of ciphers.
func (s *section) ciphers(key string) []string {
	return parsed(s, key, as2.ParseCipher, "write names such as aes-256-cbc, aes-256-gcm", "cipher")
}

// parsed reads a list of names in their proper writing.
func parsed[T ~string](s *section, key string, parse func(string) (T, error), hint, kind string) []string {
	var out []string
	for i, v := range s.texts(key) {
		d, err := parse(v)
		if err != nil {
			path := fmt.Sprintf("%s[%d]", s.child(key), i)
			s.r.problem(path, s.r.at(path), hint, "%q is no %s", v, kind)
			continue
		}
		out = append(out, string(d))
	}
	return out
}

// compression reads where content is compressed: true is before signing.
func (s *section) compression(key string) (compress, signed bool) {
	if b, ok := s.values[key].(*ast.BoolNode); ok {
		s.asked = append(s.asked, key)
		return b.Value, false
	}
	switch s.choice(key, "none", "before-signing", "after-signing", "none") {
	case "before-signing":
		return true, false
	case "after-signing":
		return true, true
	}
	return false, false
}
