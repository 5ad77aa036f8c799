package transport

import "strings"

// Key joins the parts of an exactly-once key (Arrival.Key) with colons. Colons,
// percent signs, spaces and control characters inside a part are written as
// %XX, so that no choice of foreign ids makes two different lists of parts meet
// in one key.
func Key(parts ...string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteByte(':')
		}
		for j := 0; j < len(p); j++ {
			c := p[j]
			if c <= ' ' || c >= 0x7f || c == ':' || c == '%' {
				b.WriteByte('%')
				b.WriteByte(hex[c>>4])
				b.WriteByte(hex[c&15])
				continue
			}
			b.WriteByte(c)
		}
	}
	return b.String()
}
