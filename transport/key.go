package transport

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// longPart is the longest part, in bytes, that stands in a key as it is.
const longPart = 300

// Key joins the parts of an exactly-once key (Arrival.Key) with colons. Colons,
// percent signs, spaces, control characters and bytes above 0x7e inside a part
// are written as %XX, and a part of more than 300 bytes as %sha256= and its
// digest, so that no choice of foreign ids makes two different lists of parts
// meet in one key, and none makes a key too long to be stored.
func Key(parts ...string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteByte(':')
		}
		if len(p) > longPart {
			sum := sha256.Sum256([]byte(p))
			b.WriteString("%sha256=" + hex.EncodeToString(sum[:]))
			continue
		}
		for j := 0; j < len(p); j++ {
			c := p[j]
			if c <= ' ' || c >= 0x7f || c == ':' || c == '%' {
				b.WriteByte('%')
				b.WriteByte(digits[c>>4])
				b.WriteByte(digits[c&15])
				continue
			}
			b.WriteByte(c)
		}
	}
	return b.String()
}
