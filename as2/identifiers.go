package as2

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
)

// maxMessageID is the longest Message-ID accepted (RFC 5322 line length).
const maxMessageID = 998

// ParseID reads an AS2-From or AS2-To value (RFC 4130 section 6.2) and returns
// the identifier without quotes. A value that was quoted more than once, as
// some peers do, is unwrapped until no quotes enclose it.
func ParseID(v string) string {
	v = strings.TrimSpace(v)
	for i := 0; i < 3 && len(v) >= 2 && strings.HasPrefix(v, `"`) && strings.HasSuffix(v, `"`); i++ {
		u, rest := unquote(v)
		if strings.TrimSpace(rest) != "" {
			break
		}
		v = u
	}
	return v
}

// FormatID writes an identifier as AS2-From or AS2-To: quoted when it holds
// anything an unquoted one may not.
func FormatID(id string) string {
	plain := id != ""
	for _, c := range []byte(id) {
		if c <= ' ' || c == '"' || c == '\\' || c >= 0x7f {
			plain = false
		}
	}
	if plain {
		return id
	}
	return quoteParam(id)
}

// checkID says whether id can be written as an AS2 identifier.
func checkID(what, id string) error {
	if id == "" || len(id) > 128 {
		return fmt.Errorf("as2: %s identifier has %d characters: 1 to 128 are allowed (RFC 4130 section 6.2)", what, len(id))
	}
	for _, c := range []byte(id) {
		if c < ' ' || c >= 0x7f {
			return fmt.Errorf("as2: %s identifier %q: only printable ASCII is allowed (RFC 4130 section 6.2)", what, id)
		}
	}
	return nil
}

// sameMessageID compares two Message-IDs byte for byte, except for brackets
// and enclosing quotes or white space that one side may have lost.
func sameMessageID(a, b string) bool {
	a, b = bareMessageID(a), bareMessageID(b)
	return a != "" && a == b
}

func bareMessageID(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	return strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
}

// newMessageID makes a Message-ID (see NewMessageID).
func newMessageID(now time.Time, random io.Reader, host string) (string, error) {
	if random == nil {
		random = rand.Reader
	}
	b := make([]byte, 12)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("as2: message id: %w", err)
	}
	host = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '.' || r == '-' || r == '_' {
			return r
		}
		return -1
	}, host)
	if len(host) > 128 {
		host = host[:128]
	}
	if host == "" {
		host = "as2"
	}
	return "<" + now.UTC().Format("20060102150405") + "-" + hex.EncodeToString(b) + "@" + host + ">", nil
}

// checkMessageID says whether id may be generated: brackets, no spaces, at
// most 255 characters.
func checkMessageID(id string) error {
	if len(id) < 5 || len(id) > 255 || id[0] != '<' || id[len(id)-1] != '>' {
		return fmt.Errorf("as2: message id %q: want <...> of at most 255 characters", clip(id))
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c >= 0x7f {
			return fmt.Errorf("as2: message id %q: spaces and control characters are not allowed", clip(id))
		}
	}
	return nil
}
