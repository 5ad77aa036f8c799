package tree

import (
	"strconv"
	"unicode/utf8"
)

// appendJSON writes the segment as encoding/json would by its tags, without
// reflection: it is done for every segment of the input.
func (s *segmentNode) appendJSON(b []byte) []byte {
	b = append(b, `{"segment":`...)
	b = appendString(b, s.Segment)
	b = appendMember(b, "name", s.Name)
	if s.Lead != nil {
		b = append(b, `,"lead":`...)
		b = appendString(b, *s.Lead)
	}
	b = appendMember(b, "lead_base64", s.LeadBase64)
	if s.Count != 0 {
		b = append(b, `,"count":`...)
		b = strconv.AppendInt(b, int64(s.Count), 10)
	}
	if len(s.Elements) > 0 {
		b = append(b, `,"elements":`...)
		b = appendElements(b, s.Elements)
	}
	b = appendMember(b, "raw", s.Raw)
	b = appendMember(b, "raw_base64", s.RawBase64)
	return append(b, '}')
}

func appendElements(b []byte, list []elementNode) []byte {
	b = append(b, '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = list[i].appendJSON(b)
	}
	return append(b, ']')
}

func (e *elementNode) appendJSON(b []byte) []byte {
	b = append(b, '{')
	start := len(b)
	if e.Position != 0 {
		b = append(b, `,"position":`...)
		b = strconv.AppendInt(b, int64(e.Position), 10)
	}
	b = appendMember(b, "name", e.Name)
	if e.Value != nil {
		b = append(b, `,"value":`...)
		b = appendString(b, *e.Value)
	}
	b = appendMember(b, "meaning", e.Meaning)
	if len(e.Components) > 0 {
		b = append(b, `,"components":[`...)
		for i, c := range e.Components {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, c)
		}
		b = append(b, ']')
	}
	if len(e.Repeats) > 0 {
		b = append(b, `,"repeats":`...)
		b = appendElements(b, e.Repeats)
	}
	if len(b) > start { // the first member needs no comma
		b = append(b[:start], b[start+1:]...)
	}
	return append(b, '}')
}

// appendMember writes a member that is left out when it is empty.
func appendMember(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return appendString(b, value)
}

// appendString writes a JSON string; bytes that are no UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[start:i]...), "\ufffd"...)
				start = i + n
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}
