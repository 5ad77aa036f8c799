package tree

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"tradepost/edi"
	"tradepost/edi/schema"
)

// plainText tells which bytes of a JSON string stand for themselves.
//
//nolint:gochecknoglobals // a constant table: Go has no constant arrays
var plainText = makePlainText()

func makePlainText() [256]bool {
	var t [256]bool
	for i := ' '; i < utf8.RuneSelf; i++ {
		t[i] = i != '"' && i != '\\' && i != 0x7f
	}
	return t
}

// appendString writes a JSON string; bytes that are no UTF-8 become U+FFFD.
func appendString[T string | []byte](b []byte, s T) []byte {
	b = append(b, '"')
	n := 0
	for n < len(s) && plainText[s[n]] {
		n++
	}
	if n == len(s) {
		return append(append(b, s...), '"')
	}
	return append(appendEscaped(b, string(s)), '"')
}

func appendEscaped(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
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
		if plainText[c] {
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
	return append(b, s[start:]...)
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

// layoutText is what the JSON of every segment with one layout has in common.
type layoutText struct {
	head     []byte   // {"segment":"BEG","name":"..."
	elements [][]byte // {"position":1,"name":"...",
}

func makeLayoutText(layout *schema.Segment) *layoutText {
	t := &layoutText{head: appendMember(appendString([]byte(`{"segment":`), layout.Tag), "name", layout.Name)}
	for i := range layout.Uses {
		t.elements = append(t.elements, elementHead(i+1, layout.Uses[i].Name))
	}
	return t
}

func elementHead(position int, name string) []byte {
	b := strconv.AppendInt([]byte(`{"position":`), int64(position), 10)
	return append(appendMember(b, "name", name), ',')
}

// encoder writes segments as JSON. While it writes the values it puts them
// together again; where that does not give the bytes of the input, raw keeps
// them.
type encoder struct {
	layouts map[*schema.Segment]*layoutText
	text    texter
	built   []byte
	d       edi.Delimiters
}

func (e *encoder) layout(layout *schema.Segment) *layoutText {
	if layout == nil {
		return nil
	}
	t := e.layouts[layout]
	if t == nil {
		if e.layouts == nil {
			e.layouts = make(map[*schema.Segment]*layoutText)
		}
		t = makeLayoutText(layout)
		e.layouts[layout] = t
	}
	return t
}

// segment appends a segment. lead tells what stands before it, when that is
// not what stood before the segment before.
func (e *encoder) segment(b []byte, seg *edi.Segment, layout *schema.Segment, lead bool) []byte {
	known := e.layout(layout)
	if known != nil && layout.Tag == string(seg.Tag) {
		b = append(b, known.head...)
	} else {
		b = appendString(append(b, `{"segment":`...), seg.Tag)
	}
	switch {
	case lead && utf8.Valid(seg.Lead):
		b = appendString(append(b, `,"lead":`...), seg.Lead)
	case lead:
		b = append(b, `,"lead_base64":"`...)
		b = append(base64.StdEncoding.AppendEncode(b, seg.Lead), '"')
	}
	length := seg.Len()
	last := length
	for last > 0 && seg.Element(last).Empty() {
		last--
	}
	if last < length {
		b = strconv.AppendInt(append(b, `,"count":`...), int64(length), 10)
	}
	e.built = append(e.built[:0], seg.Tag...)
	open := false
	for i := 1; i <= last; i++ {
		e.built = append(e.built, e.d.Element)
		element := seg.Element(i)
		if element.Empty() {
			continue
		}
		if !open {
			b, open = append(b, `,"elements":[`...), true
		} else {
			b = append(b, ',')
		}
		var use *schema.Use
		if known != nil && i <= len(known.elements) {
			b = append(b, known.elements[i-1]...)
			use = &layout.Uses[i-1]
		} else {
			b = append(strconv.AppendInt(append(b, `{"position":`...), int64(i), 10), ',')
		}
		b = append(e.element(b, element, use), '}')
	}
	if open {
		b = append(b, ']')
	}
	for i := last; i < length; i++ {
		e.built = append(e.built, e.d.Element)
	}
	e.built = append(append(e.built, e.d.Segment), e.d.SegmentTail...)
	switch {
	case !utf8.Valid(seg.Raw):
		b = append(b, `,"raw_base64":"`...)
		b = append(base64.StdEncoding.AppendEncode(b, seg.Raw), '"')
	case length > maxElements || !bytes.Equal(e.built, seg.Raw) || !e.separable(seg):
		b = appendString(append(b, `,"raw":`...), seg.Raw)
	}
	return append(b, '}')
}

// separable tells that the delimiters stand in the segment where they delimit
// and nowhere else, and that they cannot split a UTF-8 sequence: the values can
// be written between them again.
func (e *encoder) separable(seg *edi.Segment) bool {
	d := &e.d
	if d.Segment == 0 || d.Element == 0 || (d.Segment|d.Element|d.Component|d.Repetition|d.Release) >= utf8.RuneSelf {
		return false
	}
	content := seg.Content()
	return d.Release != 0 || bytes.IndexByte(content, d.Segment) < 0 && bytes.Count(content, []byte{d.Element}) == seg.Len()
}

// element appends the members of an element behind its name.
func (e *encoder) element(b []byte, element edi.Element, use *schema.Use) []byte {
	value := element.Value()
	if element.Simple() {
		return e.value(append(b, `"value":`...), value, use)
	}
	n := element.Repeats()
	if n <= 1 {
		return e.one(b, element, use)
	}
	b = append(b, `"repeats":[`...)
	for k := 1; k <= n; k++ {
		if k > 1 {
			b = append(b, ',')
			e.built = append(e.built, e.d.Repetition)
		}
		b = append(e.one(append(b, '{'), element.Repeat(k), use), '}')
	}
	return append(b, ']')
}

// one appends the members of one repetition.
func (e *encoder) one(b []byte, element edi.Element, use *schema.Use) []byte {
	n := element.Components()
	if n <= 1 {
		return e.value(append(b, `"value":`...), element.Component(1), use)
	}
	b = append(b, `"components":[`...)
	for j := 1; j <= n; j++ {
		if j > 1 {
			b = append(b, ',')
			e.built = append(e.built, e.d.Component)
		}
		text, bytes := e.text.of(element.Component(j))
		b = appendString(b, text)
		e.built = appendValue(e.built, bytes, e.d)
	}
	return append(b, ']')
}

// value appends a value and what it stands for.
func (e *encoder) value(b []byte, value edi.Value, use *schema.Use) []byte {
	text, bytes := e.text.of(value)
	b = appendString(b, text)
	e.built = appendValue(e.built, bytes, e.d)
	if use != nil {
		if code, ok := use.Codes.Find(bytes); ok {
			b = appendMember(b, "meaning", code.Name)
		}
	}
	return b
}
