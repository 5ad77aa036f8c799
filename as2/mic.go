package as2

import (
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// MICs holds the message integrity check of one transmission under several
// digests, as base64 of the digest value. Peers label the MIC they return with
// the algorithm of the signature or of the receipt options, whichever they
// prefer, so both sides keep all of them and compare under the label that
// comes back.
type MICs map[Digest]string

// Match reports whether value, base64 as a receipt carries it, equals the MIC
// under digest d. White space inside value is ignored: long values wrap.
func (m MICs) Match(d Digest, value string) bool {
	want, ok := m[d]
	if !ok {
		return false
	}
	w, err1 := decodeMIC(want)
	g, err2 := decodeMIC(value)
	return err1 == nil && err2 == nil && len(w) > 0 && subtle.ConstantTimeCompare(w, g) == 1
}

// decodeMIC decodes base64 with or without padding and inner white space.
func decodeMIC(s string) ([]byte, error) {
	s = strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\r', '\n':
			return -1
		}
		return r
	}, s)
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
}
