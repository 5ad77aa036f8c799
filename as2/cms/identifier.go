package cms

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // names keys, protects nothing
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"
)

// Identifier names a certificate the way CMS does (RFC 5652 sections 5.3 and
// 6.2): by issuer and serial number, or by subject key identifier.
type Identifier struct {
	Issuer []byte   // DER of the issuer's name; nil when KeyID is set
	Serial *big.Int // may be 0 or negative; nil when KeyID is set
	KeyID  []byte   // subject key identifier; nil when Issuer is set
}

// String shows the identifier for people: "CN=Bob, serial 17" or
// "key identifier 0a1b".
func (id Identifier) String() string {
	if id.KeyID != nil {
		return fmt.Sprintf("key identifier %x", id.KeyID)
	}
	name, ok := parseName(id.Issuer)
	if !ok {
		name = fmt.Sprintf("issuer %x", id.Issuer)
	}
	return fmt.Sprintf("%s, serial %v", name, id.Serial)
}

// Matches tells whether id names the certificate. Names are compared byte for
// byte first and then by their values regardless of case and string type, since
// some products write an issuer's name anew instead of copying it.
func (id Identifier) Matches(c *x509.Certificate) bool {
	if c == nil {
		return false
	}
	if id.KeyID != nil {
		return bytes.Equal(id.KeyID, keyIdentifier(c))
	}
	if id.Serial == nil || c.SerialNumber == nil || id.Serial.Cmp(c.SerialNumber) != 0 {
		return false
	}
	if bytes.Equal(id.Issuer, c.RawIssuer) {
		return true
	}
	a, okA := parseName(id.Issuer)
	b, okB := parseName(c.RawIssuer)
	return okA && okB && strings.EqualFold(a, b)
}

func parseName(der []byte) (string, bool) {
	var rdn pkix.RDNSequence
	rest, err := asn1.Unmarshal(der, &rdn)
	if err != nil || len(rest) != 0 {
		return "", false
	}
	return strings.Join(strings.Fields(rdn.String()), " "), true
}

// keyIdentifier returns the certificate's subject key identifier, or when it has
// none the SHA-1 of its public key, which is what others take then (RFC 5280
// section 4.2.1.2).
func keyIdentifier(c *x509.Certificate) []byte {
	if len(c.SubjectKeyId) > 0 {
		return c.SubjectKeyId
	}
	_, key, ok := subjectPublicKey(c)
	if !ok {
		return nil
	}
	sum := sha1.Sum(key) //nolint:gosec // a name, not a protection
	return sum[:]
}

// subjectPublicKey takes the certificate's SubjectPublicKeyInfo apart.
func subjectPublicKey(c *x509.Certificate) (algorithm, []byte, bool) {
	cur := (&parsing{what: "SubjectPublicKeyInfo"}).sub(c.RawSubjectPublicKeyInfo)
	info := cur.into(tagSequence, "SubjectPublicKeyInfo")
	a := info.algorithm("algorithm")
	key := info.bits("public key")
	return a, key, cur.p.err == nil
}

// identifier names c the way asked for.
func identifier(c *x509.Certificate, byKey bool) Identifier {
	if byKey {
		return Identifier{KeyID: keyIdentifier(c)}
	}
	return Identifier{Issuer: c.RawIssuer, Serial: c.SerialNumber}
}

// encode writes the identifier; the key identifier under the given implicit tag.
func (id Identifier) encode(keyTag byte) []byte {
	if id.KeyID != nil {
		return tlv(keyTag, id.KeyID)
	}
	return tlv(tagSequence, id.Issuer, encodeInteger(id.Serial))
}

// identifier reads IssuerAndSerialNumber or an implicitly tagged key identifier.
func (c *cursor) identifier(keyTag byte, name string) Identifier {
	if key, ok := c.optional(keyTag); ok {
		return Identifier{KeyID: append([]byte{}, key.bytes()...)}
	}
	if pieces, ok := c.optional(keyTag | constructedBit); ok { // BER: the identifier in pieces
		id := Identifier{KeyID: []byte{}}
		for pieces.more() {
			id.KeyID = append(id.KeyID, pieces.octets(name)...)
		}
		return id
	}
	seq := c.into(tagSequence, name)
	_, _, issuer := seq.any()
	issuer, _ = shorten(issuer, maxDepth)
	return Identifier{Issuer: bytes.Clone(issuer), Serial: seq.integer("serial number")}
}
