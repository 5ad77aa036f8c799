package mapping

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"tradepost/edi/schema"
)

// codec turns the value of one element into the canonical form of its kind and
// back.
type codec struct {
	kind     Kind
	use      *schema.Use
	implied  bool // a number whose decimal point is implied
	places   int  // decimal places of an implied point
	form     form // of a date or time, when the map names one
	formatAt int  // the component or element whose code names the form of the date
	timeAt   int  // the element that holds the time of the date
}

// codecOf chooses the codec an element's type asks for. uses are the elements
// or components beside it.
func codecOf(use *schema.Use, formatAt int, uses []schema.Use) codec {
	c := codec{kind: Text, use: use}
	switch use.Type {
	case schema.Implied:
		c.kind, c.implied, c.places = Decimal, true, use.Decimals
		if use.Decimals == 0 {
			c.kind = Integer
		}
	case schema.Decimal, schema.Numeric:
		c.kind = Decimal
	case schema.Date:
		c.kind = Date
	case schema.Time:
		c.kind = Time
	}
	if formatAt > 0 && formatAt <= len(uses) && c.kind == Text {
		c.kind, c.formatAt = Moment, formatAt
	}
	return c
}

// decode appends the canonical form of an element's text. format and time are
// the texts beside it, where the codec names them. The text says what is
// wrong.
func (c *codec) decode(dst, v, format, time []byte, mark byte) ([]byte, string) {
	switch c.kind {
	case Integer, Decimal:
		if c.implied {
			return appendImplied(dst, bytes.TrimSpace(v), c.places)
		}
		return appendDecimal(dst, bytes.TrimSpace(v), mark)
	case Date, Moment, Time:
		return c.decodeMoment(dst, v, format, time)
	}
	return append(dst, v...), ""
}

func (c *codec) decodeMoment(dst, v, format, time []byte) ([]byte, string) {
	f := c.form
	if c.formatAt > 0 && f == "" {
		var ok bool
		if len(format) == 0 {
			format = []byte("102")
		}
		if f, ok = formNamed(string(format)); !ok {
			return dst, fmt.Sprintf("is in the form %s, which is no date or time of day", clip(format))
		}
	}
	if f == "" && c.kind == Time {
		t, ok := parseEDITime(v)
		if !ok {
			return dst, "is no time: HHMM, HHMMSS or HHMMSS with a fraction is wanted"
		}
		return t.append(dst), ""
	}
	if f == "" {
		switch len(v) {
		case 6:
			f = "YYMMDD"
		default:
			f = "CCYYMMDD"
		}
	}
	m, ok := f.parse(v)
	if !ok {
		return dst, fmt.Sprintf("is no date or time of the form %s", f)
	}
	if c.timeAt > 0 && len(time) > 0 {
		t, ok := parseEDITime(time)
		if !ok {
			return dst, fmt.Sprintf("has the time %q beside it, which is none", clip(time))
		}
		m.clock, m.hasTime = t, true
	}
	if !f.hasDay() {
		return m.clock.append(dst), ""
	}
	return m.append(dst), ""
}

// parseEDITime reads HHMM, HHMMSS, or HHMMSS with digits of a fraction.
func parseEDITime(v []byte) (c clock, ok bool) {
	if len(v) != 4 && len(v) < 6 || len(v) > 15 {
		return c, false
	}
	if _, ok := number(v); !ok {
		return c, false
	}
	c.hour, _ = two(v)
	c.minute, _ = two(v[2:])
	if len(v) >= 6 {
		c.second, _ = two(v[4:])
		c.hasSecond, c.fraction = true, string(v[6:])
	}
	return c, c.ok()
}

// encoded is what writing a value gives: the text of the element and, where
// the codec names them, of the elements beside it.
type encoded struct {
	text, format, time []byte
}

// encode turns a canonical value into the text of an element. The text says
// what is wrong.
func (c *codec) encode(dst, v []byte, mark byte) (encoded, string) {
	switch c.kind {
	case Integer, Decimal:
		return c.encodeNumber(dst, v, mark)
	case Date, Moment, Time:
		return c.encodeMoment(dst, v)
	}
	return encoded{text: append(dst, v...)}, ""
}

func (c *codec) encodeNumber(dst, v []byte, mark byte) (encoded, string) {
	start := len(dst)
	var bad string
	if c.kind == Integer {
		dst, bad = appendInteger(dst, v)
	} else {
		dst, bad = appendDecimal(dst, v, 0)
	}
	if bad != "" {
		return encoded{}, bad
	}
	if c.implied {
		number := bytes.Clone(dst[start:])
		if dst, bad = appendDigits(dst[:start], number, c.places); bad != "" {
			return encoded{}, bad
		}
	}
	out := dst[start:]
	if c.use != nil && isNumeric(c.use) {
		// Leading zeros up to the smallest length, and none beyond the largest.
		for digits(out) < c.use.Min {
			at := bytes.IndexFunc(out, func(r rune) bool { return r != '-' })
			out = append(out[:at], append([]byte{'0'}, out[at:]...)...)
		}
		if at := bytes.Index(out, []byte("0.")); c.use.Max > 0 && digits(out) > c.use.Max && (at == 0 || at == 1 && out[0] == '-') {
			out = append(out[:at], out[at+1:]...)
		}
	}
	if mark != 0 && mark != '.' {
		if at := bytes.IndexByte(out, '.'); at >= 0 {
			out[at] = mark
		}
	}
	return encoded{text: out}, ""
}

func digits(v []byte) int {
	n := 0
	for _, b := range v {
		if b >= '0' && b <= '9' {
			n++
		}
	}
	return n
}

func (c *codec) encodeMoment(dst, v []byte) (encoded, string) {
	var m moment
	var ok bool
	if len(v) > 2 && v[2] == ':' {
		m.clock, ok = parseISOTime(v)
		m.hasTime = true
	} else {
		m, ok = parseMoment(v)
	}
	if !ok {
		return encoded{}, "is no date or time"
	}
	var out encoded
	f := c.form
	switch {
	case f != "":
	case c.kind == Time:
		out.text = appendEDITime(dst, m.clock)
		return out, ""
	case c.formatAt > 0:
		code := "102"
		f = "CCYYMMDD"
		switch {
		case m.hasTime && m.hasOffset && !m.hasSecond:
			code, f = "205", "CCYYMMDDhhmmZZZZZ"
		case m.hasTime && m.hasSecond:
			code, f = "204", "CCYYMMDDhhmmss"
		case m.hasTime:
			code, f = "203", "CCYYMMDDhhmm"
		}
		out.format = []byte(code)
	case c.use != nil && c.use.Max == 6:
		f = "YYMMDD"
	default:
		f = "CCYYMMDD"
	}
	if m.year > 9999 || !f.holds('C') && f.hasDay() && (m.year < 1980 || m.year >= 2080) {
		return encoded{}, fmt.Sprintf("is outside of the years that the form %s can tell", f)
	}
	if m.hasOffset && !f.holds('Z') && (c.timeAt == 0 || f.hasTime()) || m.fraction != "" && (f.hasTime() || c.formatAt > 0) {
		return encoded{}, fmt.Sprintf("has an offset or fractions of a second, which the form %s has no place for", f)
	}
	if m.hasTime && !f.hasTime() {
		if c.timeAt == 0 {
			return encoded{}, "has a time of day, the element holds a date only"
		}
		if m.hasOffset {
			return encoded{}, "has an offset from UTC, the element of the time has no place for it"
		}
		out.time = appendEDITime(nil, m.clock)
	}
	if !m.hasTime && f.hasTime() {
		return encoded{}, fmt.Sprintf("has no time of day, the form %s needs one", f)
	}
	out.text = f.append(dst, m)
	return out, ""
}

// appendEDITime writes HHMM, HHMMSS, or HHMMSS with a fraction.
func appendEDITime(dst []byte, c clock) []byte {
	f := form("hhmm")
	if c.hasSecond {
		f = "hhmmss"
	}
	return append(f.append(dst, moment{clock: c}), c.fraction...)
}

// isNumeric tells elements whose length counts digits.
func isNumeric(u *schema.Use) bool {
	return u.Type == schema.Implied || u.Type == schema.Decimal || u.Type == schema.Numeric
}

// fits checks the length and code of an element's text before it is written.
func (c *codec) fits(v []byte) string {
	u := c.use
	if u == nil || u.Composite != nil {
		return ""
	}
	n := utf8.RuneCount(v)
	if isNumeric(u) {
		n = digits(v)
	}
	switch {
	case u.Max > 0 && n > u.Max:
		return fmt.Sprintf("has %s, %s takes at most %d", plural(n, "character"), u.Name, u.Max)
	case n < u.Min && n > 0 && !isNumeric(u):
		return fmt.Sprintf("has %s, %s takes at least %d", plural(n, "character"), u.Name, u.Min)
	case n < u.Min && n > 0:
		return fmt.Sprintf("has %s, %s takes at least %d", plural(n, "digit"), u.Name, u.Min)
	case !u.Codes.Allows(v, 0):
		return fmt.Sprintf("is no code of %s: %s", u.Name, u.Codes.Hint(12))
	}
	return ""
}
