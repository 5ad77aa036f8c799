package as2

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
)

// mimeError is content that is no MIME entity.
type mimeError struct{ problem string }

func (e *mimeError) Error() string { return "as2: MIME: " + e.problem }

// errHeaderTooLong is a header block above Limits.Headers.
var errHeaderTooLong = &mimeError{"header lines are longer than the limit"}

// headerBlock is the header lines of an entity.
type headerBlock struct {
	fields http.Header
	// raw is the exact bytes up to and including the empty line.
	raw []byte
	// ended is false when the input ended before the empty line.
	ended bool
}

// readHeader reads header lines up to the empty line. Lines may end with CRLF
// or LF and may be folded. No header line at all is fine: the entity then
// begins with the empty line.
func readHeader(r *bufio.Reader, limit int64) (*headerBlock, error) {
	h := &headerBlock{fields: http.Header{}}
	name, value := "", []byte(nil) // of the field whose lines are being read
	flush := func() {
		if name != "" {
			h.fields.Add(name, string(bytes.Trim(value, " \t")))
		}
		name, value = "", nil
	}
	for {
		start := len(h.raw)
		for {
			piece, err := r.ReadSlice('\n')
			if int64(len(h.raw)+len(piece)) > limit {
				return nil, errHeaderTooLong
			}
			h.raw = append(h.raw, piece...)
			if err == nil {
				break
			}
			if errors.Is(err, bufio.ErrBufferFull) {
				continue
			}
			if !errors.Is(err, io.EOF) {
				return nil, err
			}
			if len(h.raw) == start {
				flush()
				return h, nil
			}
			break
		}
		whole := h.raw[len(h.raw)-1] == '\n'
		line := bytes.TrimSuffix(bytes.TrimSuffix(h.raw[start:], []byte("\n")), []byte("\r"))
		if len(line) == 0 {
			flush()
			h.ended = true
			return h, nil
		}
		if line[0] == ' ' || line[0] == '\t' {
			if name == "" {
				return nil, &mimeError{"header begins with a continuation line"}
			}
			value = append(append(value, ' '), bytes.Trim(line, " \t")...)
		} else {
			flush()
			n, v, ok := bytes.Cut(line, []byte(":"))
			if n = bytes.TrimRight(n, " \t"); !ok || !isToken(n) {
				return nil, &mimeError{fmt.Sprintf("%q is no header line", clip(string(line)))}
			}
			name, value = textproto.CanonicalMIMEHeaderKey(string(n)), bytes.Clone(v)
		}
		if !whole {
			flush()
			return h, nil
		}
	}
}

// isToken reports whether b can be a header name (RFC 5322 ftext).
func isToken(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || c == ':' {
			return false
		}
	}
	return len(b) > 0
}

// mediaType is a Content-Type, or any value with parameters.
type mediaType struct {
	full   string            // "multipart/signed", lower case
	params map[string]string // names in lower case
}

// parseMediaType reads a value with parameters and never fails: what cannot
// be understood is left out. It takes unquoted values with any characters, a
// value that was quoted as a whole, and the extended forms of RFC 2231.
func parseMediaType(v string) mediaType {
	v = strings.TrimSpace(v)
	if strings.HasPrefix(v, `"`) {
		v, _ = unquote(v)
	}
	m := mediaType{params: map[string]string{}}
	first, rest, _ := strings.Cut(v, ";")
	if i := strings.IndexByte(first, '='); i >= 0 && !strings.Contains(first[:i], "/") {
		first, rest = "", v // a Content-Disposition that says nothing but the name
	}
	m.full = strings.ToLower(strings.TrimSpace(first))
	for rest != "" {
		rest = strings.TrimLeft(rest, "; \t\r\n")
		i := strings.IndexAny(rest, ";=")
		if i < 0 {
			break
		}
		if rest[i] == ';' {
			rest = rest[i:]
			continue // a word without a value
		}
		name := strings.ToLower(strings.TrimSpace(rest[:i]))
		after := strings.TrimLeft(rest[i+1:], " \t")
		value := ""
		if strings.HasPrefix(after, `"`) {
			value, rest = unquote(after)
			if i := strings.IndexByte(rest, ';'); i >= 0 {
				rest = rest[i:]
			} else {
				rest = ""
			}
		} else {
			value, rest, _ = strings.Cut(after, ";")
			value = strings.TrimSpace(value)
		}
		if _, twice := m.params[name]; !twice && name != "" {
			m.params[name] = value
		}
	}
	m.join()
	return m
}

// join puts values together that were cut into pieces, name*0, name*1 ... or
// name*0*, name*1* ... (RFC 2231 section 3), as Java's mail library does with
// long ones. A value that came whole counts more.
func (m mediaType) join() {
	for key := range m.params {
		name, ok := strings.CutSuffix(strings.TrimSuffix(key, "*"), "*0")
		if !ok || name == "" || strings.Contains(name, "*") || m.params[name] != "" {
			continue
		}
		var value, coded strings.Builder
		extended := false
		for n := 0; ; n++ {
			at := name + "*" + strconv.Itoa(n)
			if piece, ok := m.params[at]; ok {
				value.WriteString(piece)
				coded.WriteString(strings.ReplaceAll(piece, "%", "%25"))
			} else if piece, ok := m.params[at+"*"]; ok {
				extended = true
				value.WriteString(piece)
				coded.WriteString(piece)
			} else {
				break
			}
		}
		if extended {
			m.params[name+"*"] = coded.String()
		} else {
			m.params[name] = value.String()
		}
	}
}

// unquote reads a quoted string at the beginning of s and returns it without
// quotes and escapes, and what follows. A missing end quote is forgiven.
func unquote(s string) (value, rest string) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			return b.String(), s[i+1:]
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

// quoteParam writes a parameter value as a quoted string.
func quoteParam(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '\\', '"':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\r', '\n':
			b.WriteByte(' ')
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// filename finds the sender's name of the content: Content-Disposition's
// filename, else Content-Type's name. RFC 2231 and RFC 2047 forms are decoded.
func filename(h http.Header) string {
	d := parseMediaType(h.Get("Content-Disposition"))
	t := parseMediaType(h.Get("Content-Type"))
	for _, c := range []struct {
		params map[string]string
		name   string
	}{{d.params, "filename"}, {t.params, "name"}} {
		if v := extendedParam(c.params[c.name+"*"]); v != "" {
			return v
		}
		if v := c.params[c.name]; v != "" {
			if strings.HasPrefix(v, "=?") {
				if w, err := new(mime.WordDecoder).DecodeHeader(v); err == nil {
					return w
				}
			}
			return v
		}
	}
	return ""
}

// extendedParam decodes charset'language'percent-encoded for UTF-8, ASCII and
// ISO 8859-1.
func extendedParam(v string) string {
	charset, rest, ok := strings.Cut(v, "'")
	if !ok {
		return ""
	}
	_, rest, ok = strings.Cut(rest, "'")
	if !ok {
		return ""
	}
	s, err := url.PathUnescape(rest)
	if err != nil {
		return ""
	}
	switch strings.ToLower(charset) {
	case "utf-8", "us-ascii", "":
		return s
	case "iso-8859-1":
		letters := make([]rune, len(s))
		for i := range len(s) {
			letters[i] = rune(s[i])
		}
		return string(letters)
	}
	return ""
}

// filenameParam writes a file name as a Content-Disposition parameter, in the
// form of RFC 2231 when it is not ASCII.
func filenameParam(name string) string {
	ascii := true
	for _, c := range []byte(name) {
		ascii = ascii && c >= ' ' && c < 0x7f
	}
	if ascii {
		return "filename=" + quoteParam(name)
	}
	var b strings.Builder
	for _, c := range []byte(name) {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' || c == '-' || c == '_' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return "filename*=utf-8''" + b.String()
}

// field is one header line to be written.
type field struct{ name, value string }

// appendFields appends header lines and the empty line. Values never fold.
func appendFields(b []byte, fields []field) []byte {
	for _, f := range fields {
		b = append(b, f.name...)
		b = append(b, ": "...)
		b = append(b, oneLine(f.value)...)
		b = append(b, "\r\n"...)
	}
	return append(b, "\r\n"...)
}

// oneLine replaces line ends and NUL, so that a value cannot begin a new line.
func oneLine(s string) string {
	if !strings.ContainsAny(s, "\r\n\x00") {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' || r == 0 {
			return ' '
		}
		return r
	}, s)
}
