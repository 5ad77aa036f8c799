package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	maxDepth = 100      // values inside values
	maxValue = 64 << 20 // bytes of one string
	scanSize = 64 << 10
)

// scanner reads JSON (RFC 8259) from a stream, a token at a time, in one
// buffer that does not grow.
type scanner struct {
	r        io.Reader
	buf      []byte
	pos, end int
	base     int64 // offset of buf[0] in the input
	err      error // of r, io.EOF at the end
	name     []byte
}

func newScanner(r io.Reader) *scanner { return &scanner{r: r, buf: make([]byte, scanSize)} }

// offset is where the next byte stands in the input.
func (s *scanner) offset() int64 { return s.base + int64(s.pos) }

// fill reads more behind what is unread and tells whether there was any.
func (s *scanner) fill() bool {
	if s.err != nil {
		return false
	}
	n := copy(s.buf, s.buf[s.pos:s.end])
	s.base += int64(s.pos)
	s.pos, s.end = 0, n
	for range 100 {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		s.err = err
		if n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// ended is the error for input that ends where more is expected.
func (s *scanner) ended() error {
	if s.err != nil && !errors.Is(s.err, io.EOF) {
		return s.err
	}
	return fmt.Errorf("the input ends in the middle: %w", ErrFormat)
}

// next passes over white space and returns the byte behind it without taking
// it.
func (s *scanner) next() (byte, error) {
	if s.pos < s.end && s.buf[s.pos] > ' ' {
		return s.buf[s.pos], nil
	}
	return s.nextSlow()
}

func (s *scanner) nextSlow() (byte, error) {
	for {
		for ; s.pos < s.end; s.pos++ {
			if c := s.buf[s.pos]; c != ' ' && c != '\n' && c != '\r' && c != '\t' {
				return c, nil
			}
		}
		if !s.fill() {
			return 0, s.ended()
		}
	}
}

// take passes over white space and takes the byte behind it, which has to be c.
func (s *scanner) take(c byte) error {
	if s.pos < s.end && s.buf[s.pos] == c {
		s.pos++
		return nil
	}
	return s.takeSlow(c)
}

func (s *scanner) takeSlow(c byte) error {
	got, err := s.next()
	if err != nil {
		return err
	}
	if got != c {
		return fmt.Errorf("%q is expected, not %q: %w", c, got, ErrFormat)
	}
	s.pos++
	return nil
}

// more tells whether a list or object has another member, and takes the comma
// or the closing bracket.
func (s *scanner) more(first bool, closing byte) (bool, error) {
	c, err := s.next()
	switch {
	case err != nil:
		return false, err
	case c == closing:
		s.pos++
		return false, nil
	case first:
		return true, nil
	case c == ',':
		s.pos++
		return true, nil
	}
	return false, fmt.Errorf("a comma or %q is expected, not %q: %w", closing, c, ErrFormat)
}

// key reads the name of a member and its colon. The name is valid until the
// next call of a method.
func (s *scanner) key() ([]byte, error) {
	if _, err := s.next(); err != nil {
		return nil, err
	}
	// Nearly always the name is whole in the buffer and its colon follows.
	w := s.buf[s.pos:s.end]
	n := 1
	for n < len(w) && inString[w[n]] {
		n++
	}
	if w[0] == '"' && n+1 < len(w) && w[n] == '"' && w[n+1] == ':' {
		s.pos += n + 2
		return w[1:n], nil
	}
	var err error
	if s.name, err = s.text(s.name[:0]); err != nil {
		return nil, err
	}
	return s.name, s.take(':')
}

// inString tells which bytes of a string stand for themselves.
//
//nolint:gochecknoglobals // a constant table: Go has no constant arrays
var inString = makeInString()

func makeInString() [256]bool {
	var t [256]bool
	for i := ' '; i < 256; i++ {
		t[i] = i != '"' && i != '\\'
	}
	return t
}

// text reads a string and appends it, without escapes, to dst.
func (s *scanner) text(dst []byte) ([]byte, error) {
	if err := s.take('"'); err != nil {
		return dst, err
	}
	start := len(dst)
	for {
		w := s.buf[s.pos:s.end]
		n := 0
		for n < len(w) && inString[w[n]] {
			n++
		}
		dst = append(dst, w[:n]...)
		s.pos += n
		if n < len(w) && w[n] == '"' {
			s.pos++
			return dst, nil
		}
		if len(dst)-start > maxValue {
			return dst, fmt.Errorf("a string is longer than %d bytes: %w", maxValue, ErrFormat)
		}
		switch {
		case n == len(w):
			if !s.fill() {
				return dst, s.ended()
			}
		case w[n] == '\\':
			var err error
			if dst, err = s.escape(dst); err != nil {
				return dst, err
			}
		default:
			return dst, fmt.Errorf("a control character (0x%02x) stands in a string: %w", w[n], ErrFormat)
		}
	}
}

// need makes sure that n bytes are unread, if the input has them.
func (s *scanner) need(n int) bool {
	for s.end-s.pos < n {
		if !s.fill() {
			return false
		}
	}
	return true
}

// escape reads the escape that begins at the next byte and appends what it
// stands for.
func (s *scanner) escape(dst []byte) ([]byte, error) {
	if !s.need(2) {
		return dst, s.ended()
	}
	c := s.buf[s.pos+1]
	if i := bytes.IndexByte([]byte(`"\/bfnrt`), c); i >= 0 {
		s.pos += 2
		return append(dst, "\"\\/\b\f\n\r\t"[i]), nil
	}
	r, ok := s.unicode()
	if !ok {
		return dst, fmt.Errorf("\\%c is no escape: %w", c, ErrFormat)
	}
	if utf16.IsSurrogate(r) {
		low, ok := rune(0), s.need(2) && s.buf[s.pos] == '\\' && s.buf[s.pos+1] == 'u'
		if ok {
			at := s.pos
			if low, ok = s.unicode(); ok {
				if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
					return utf8.AppendRune(dst, both), nil
				}
				s.pos = at
			}
		}
		r = utf8.RuneError
	}
	return utf8.AppendRune(dst, r), nil
}

// unicode takes \uXXXX.
func (s *scanner) unicode() (rune, bool) {
	if !s.need(6) || s.buf[s.pos+1] != 'u' {
		return 0, false
	}
	r, err := strconv.ParseUint(string(s.buf[s.pos+2:s.pos+6]), 16, 16)
	if err != nil {
		return 0, false
	}
	s.pos += 6
	return rune(r), true
}

// skipText passes over a string.
func (s *scanner) skipText() error {
	if err := s.take('"'); err != nil {
		return err
	}
	for {
		w := s.buf[s.pos:s.end]
		n := bytes.IndexByte(w, '"')
		part := w
		if n >= 0 {
			part = w[:n]
		}
		if i := bytes.IndexByte(part, '\\'); i >= 0 {
			s.pos += i
			if !s.need(2) {
				return s.ended()
			}
			s.pos += 2
			continue
		}
		if n >= 0 {
			s.pos += n + 1
			return nil
		}
		s.pos = s.end
		if !s.fill() {
			return s.ended()
		}
	}
}

// number reads a whole number that is not negative.
func (s *scanner) number() (int, error) {
	if _, err := s.next(); err != nil {
		return 0, err
	}
	n, digits := 0, 0
	for s.need(1) {
		c := s.buf[s.pos]
		if c < '0' || c > '9' {
			break
		}
		if n = n*10 + int(c-'0'); n > 1<<30 {
			return 0, fmt.Errorf("a number is too large: %w", ErrFormat)
		}
		digits++
		s.pos++
	}
	if digits == 0 {
		return 0, fmt.Errorf("a number is expected: %w", ErrFormat)
	}
	return n, nil
}

// skip passes over a value of any kind.
func (s *scanner) skip(depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("values are nested deeper than %d: %w", maxDepth, ErrFormat)
	}
	c, err := s.next()
	if err != nil {
		return err
	}
	switch c {
	case '"':
		return s.skipText()
	case '{', '[':
		s.pos++
		for first := true; ; first = false {
			if ok, err := s.more(first, c+2); err != nil || !ok { // ] and } stand two behind [ and {
				return err
			}
			if c == '{' {
				if err := s.skipText(); err != nil {
					return err
				}
				if err := s.take(':'); err != nil {
					return err
				}
			}
			if err := s.skip(depth + 1); err != nil {
				return err
			}
		}
	}
	n := 0
	for s.need(1) {
		c := s.buf[s.pos]
		if c != '-' && c != '+' && c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != 'E' {
			break
		}
		if n++; n > 1000 {
			break
		}
		s.pos++
	}
	if n == 0 {
		return fmt.Errorf("a value is expected, not %q: %w", c, ErrFormat)
	}
	return nil
}

// list calls do for every member of a list.
func (s *scanner) list(do func() error) error {
	if err := s.take('['); err != nil {
		return err
	}
	for first := true; ; first = false {
		if ok, err := s.more(first, ']'); err != nil || !ok {
			return err
		}
		if err := do(); err != nil {
			return err
		}
	}
}
