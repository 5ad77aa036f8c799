package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonKind is what a token of JSON is: a bracket, or one of the letters below.
type jsonKind byte

const (
	jsonText   jsonKind = 's' // a string; in an object a name, too
	jsonNumber jsonKind = 'd'
	jsonTrue   jsonKind = 't'
	jsonFalse  jsonKind = 'f'
	jsonNull   jsonKind = 'n'
)

// isScalar tells a value from a bracket and from null.
func (k jsonKind) isScalar() bool {
	return k == jsonText || k == jsonNumber || k == jsonTrue || k == jsonFalse
}

// jsonWant is what has to come next.
type jsonWant byte

const (
	wantTop   jsonWant = iota // a value, or the end of the input
	wantItem                  // the first item of an array, or its end
	wantItems                 // a comma and an item, or the end of the array
	wantName                  // the first name of an object, or its end
	wantNames                 // a comma and a name, or the end of the object
	wantColon                 // a colon and a value
)

// jsonTokens reads JSON (RFC 8259) a token at a time: values behind each
// other, with nothing but white space in between.
type jsonTokens struct {
	r        io.Reader
	buf      []byte
	pos, end int
	base     int64 // offset of buf[0] in the input
	err      error // of r
	want     jsonWant
	open     []byte // brackets that are open
	text     []byte // of the token, without quotes and escapes
	start    int64  // where its text begins in the input
}

func newJSONTokens(r io.Reader) *jsonTokens { return &jsonTokens{r: r, buf: make([]byte, 32<<10)} }

// fill reads more behind what is unread.
func (t *jsonTokens) fill() bool {
	if t.err != nil {
		return false
	}
	n := copy(t.buf, t.buf[t.pos:t.end])
	t.base += int64(t.pos)
	t.pos, t.end = 0, n
	for range 100 {
		n, err := t.r.Read(t.buf[t.end:])
		t.end, t.err = t.end+n, err
		if n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	t.err = io.ErrNoProgress
	return false
}

// blank passes over white space and returns the byte behind it without taking
// it; ok is false at the end of the input.
func (t *jsonTokens) blank() (c byte, ok bool) {
	for {
		for ; t.pos < t.end; t.pos++ {
			if c := t.buf[t.pos]; c != ' ' && c != '\n' && c != '\r' && c != '\t' {
				return c, true
			}
		}
		if !t.fill() {
			return 0, false
		}
	}
}

// peek returns the next byte without taking it; ok is false at the end.
func (t *jsonTokens) peek() (c byte, ok bool) {
	if t.pos == t.end && !t.fill() {
		return 0, false
	}
	return t.buf[t.pos], true
}

// ended is the error for an input that ends where more is wanted.
func (t *jsonTokens) ended() error {
	if t.err != nil && !errors.Is(t.err, io.EOF) {
		return t.err
	}
	return io.ErrUnexpectedEOF
}

// errNoJSON begins what is told about an input that is no JSON.
var errNoJSON = errors.New("the input is no JSON")

func (t *jsonTokens) bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errNoJSON, fmt.Sprintf(format, args...))
}

// offset is where the next byte stands in the input.
func (t *jsonTokens) offset() int64 { return t.base + int64(t.pos) }

// next reads a token; io.EOF behind the last value. Its text is valid until
// the next call.
func (t *jsonTokens) next() (jsonKind, error) {
	c, ok := t.blank()
	if !ok {
		if t.want == wantTop && errors.Is(t.err, io.EOF) {
			return 0, io.EOF
		}
		return 0, t.ended()
	}
	closing := (t.want == wantItem || t.want == wantItems) && c == ']' || (t.want == wantName || t.want == wantNames) && c == '}'
	if closing {
		t.pos++
		t.open = t.open[:len(t.open)-1]
		t.behind()
		return jsonKind(c), nil
	}
	if between := t.between(); between != 0 {
		if c != between {
			return 0, t.bad("%q is wanted, not %q", between, c)
		}
		t.pos++
		if c, ok = t.blank(); !ok {
			return 0, t.ended()
		}
	}
	if t.want == wantName || t.want == wantNames {
		if c != '"' {
			return 0, t.bad("a name in quotes is wanted, not %q", c)
		}
		t.want = wantColon
		return jsonText, t.string()
	}
	return t.value(c)
}

// between is the byte that has to stand in front of the next token, 0 for
// none.
func (t *jsonTokens) between() byte {
	switch t.want {
	case wantItems, wantNames:
		return ','
	case wantColon:
		return ':'
	}
	return 0
}

// behind sets what follows a value.
func (t *jsonTokens) behind() {
	switch {
	case len(t.open) == 0:
		t.want = wantTop
	case t.open[len(t.open)-1] == '[':
		t.want = wantItems
	default:
		t.want = wantNames
	}
}

// value reads a value, or the bracket that begins one.
func (t *jsonTokens) value(c byte) (jsonKind, error) {
	switch {
	case c == '{' || c == '[':
		t.pos++
		t.open = append(t.open, c)
		if t.want = wantName; c == '[' {
			t.want = wantItem
		}
		return jsonKind(c), nil
	case c == '"':
		t.behind()
		return jsonText, t.string()
	case c == '-' || c >= '0' && c <= '9':
		t.behind()
		return jsonNumber, t.number()
	}
	t.behind()
	t.start, t.text = t.offset(), t.text[:0]
	for {
		c, ok := t.peek()
		if !ok || c < 'a' || c > 'z' || len(t.text) > 5 {
			break
		}
		t.text = append(t.text, c)
		t.pos++
	}
	switch string(t.text) {
	case "true":
		return jsonTrue, nil
	case "false":
		return jsonFalse, nil
	case "null":
		return jsonNull, nil
	case "":
		return 0, t.bad("a value is wanted, not %q", c)
	}
	return 0, t.bad("%q is no value; texts stand in quotes", t.text)
}

// number reads a number into text.
func (t *jsonTokens) number() error {
	t.start, t.text = t.offset(), t.text[:0]
	for {
		c, ok := t.peek()
		if !ok && t.err != nil && !errors.Is(t.err, io.EOF) {
			return t.err
		}
		if !ok || c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E' && (c < '0' || c > '9') {
			break
		}
		t.text = append(t.text, c)
		t.pos++
	}
	if !isJSONNumber(t.text) {
		return t.bad("%q is no number", clip(t.text))
	}
	return nil
}

func isJSONNumber(b []byte) bool {
	digits := func() bool {
		n := 0
		for n < len(b) && b[n] >= '0' && b[n] <= '9' {
			n++
		}
		b = b[n:]
		return n > 0
	}
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	if len(b) > 1 && b[0] == '0' && b[1] >= '0' && b[1] <= '9' || !digits() {
		return false
	}
	if len(b) > 0 && b[0] == '.' {
		if b = b[1:]; !digits() {
			return false
		}
	}
	if len(b) > 0 && (b[0] == 'e' || b[0] == 'E') {
		if b = b[1:]; len(b) > 0 && (b[0] == '-' || b[0] == '+') {
			b = b[1:]
		}
		if !digits() {
			return false
		}
	}
	return len(b) == 0
}

// string reads a text in quotes into text.
func (t *jsonTokens) string() error {
	t.pos++
	t.start, t.text = t.offset(), t.text[:0]
	for {
		w := t.buf[t.pos:t.end]
		n := 0
		for n < len(w) && w[n] != '"' && w[n] != '\\' && w[n] >= ' ' {
			n++
		}
		t.text = append(t.text, w[:n]...)
		t.pos += n
		switch {
		case n == len(w):
			if !t.fill() {
				return t.ended()
			}
		case w[n] == '"':
			t.pos++
			return nil
		case w[n] == '\\':
			if err := t.escape(); err != nil {
				return err
			}
		default:
			return t.bad("a control character (0x%02x) stands in a text", w[n])
		}
	}
}

// need makes sure that n bytes are unread, if the input has them.
func (t *jsonTokens) need(n int) bool {
	for t.end-t.pos < n {
		if !t.fill() {
			return false
		}
	}
	return true
}

// escape appends what an escape stands for.
func (t *jsonTokens) escape() error {
	if !t.need(2) {
		return t.ended()
	}
	c := t.buf[t.pos+1]
	if i := bytes.IndexByte([]byte(`"\/bfnrt`), c); i >= 0 {
		t.pos += 2
		t.text = append(t.text, "\"\\/\b\f\n\r\t"[i])
		return nil
	}
	if c == 'u' && !t.need(6) {
		return t.ended()
	}
	r, ok := t.unicode()
	if !ok {
		return t.bad("\\%c is no escape", c)
	}
	if utf16.IsSurrogate(r) {
		low, ok := rune(0), t.need(6) && t.buf[t.pos] == '\\'
		at := t.pos // need may move what is unread
		if ok {
			low, ok = t.unicode()
		}
		if both := utf16.DecodeRune(r, low); ok && both != utf8.RuneError {
			t.text = utf8.AppendRune(t.text, both)
			return nil
		}
		t.pos, r = at, utf8.RuneError
	}
	t.text = utf8.AppendRune(t.text, r)
	return nil
}

// unicode takes \uXXXX, which is whole in the buffer.
func (t *jsonTokens) unicode() (rune, bool) {
	w := t.buf[t.pos:t.end]
	if len(w) < 6 || w[1] != 'u' {
		return 0, false
	}
	r, err := strconv.ParseUint(string(w[2:6]), 16, 16)
	if err != nil {
		return 0, false
	}
	t.pos += 6
	return rune(r), true
}
