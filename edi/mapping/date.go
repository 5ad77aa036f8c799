package mapping

import (
	"fmt"
	"strings"
)

// day is a day of the calendar.
type day struct{ year, month, day int }

// clock is a time of day. Seconds and their fraction are there when given.
type clock struct {
	hour, minute, second int
	hasSecond            bool
	fraction             string // digits behind the second
	hasOffset            bool
	offset               int // minutes east of UTC
}

// moment is a day, with a time or without.
type moment struct {
	day
	clock
	hasTime bool
}

func (d day) ok() bool {
	return d.year >= 1 && d.month >= 1 && d.month <= 12 && d.day >= 1 && d.day <= daysIn(d.month, d.year)
}

func daysIn(month, year int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

func (c clock) ok() bool {
	return c.hour >= 0 && c.hour <= 23 && c.minute >= 0 && c.minute <= 59 && c.second >= 0 && c.second <= 59
}

// append writes 2026-03-01.
func (d day) append(dst []byte) []byte {
	dst = appendTwo(dst, d.year/100)
	dst = append(appendTwo(dst, d.year), '-')
	dst = append(appendTwo(dst, d.month), '-')
	return appendTwo(dst, d.day)
}

// appendTwo writes the last two digits of a number.
func appendTwo(dst []byte, n int) []byte {
	const digits = "0123456789"
	return append(dst, digits[n/10%10], digits[n%10])
}

// append writes 08:30, 08:30:15 or 08:30:15.25, and +01:00 behind it.
func (c clock) append(dst []byte) []byte {
	dst = append(appendTwo(dst, c.hour), ':')
	dst = appendTwo(dst, c.minute)
	if c.hasSecond {
		dst = appendTwo(append(dst, ':'), c.second)
	}
	if c.fraction != "" {
		dst = append(append(dst, '.'), c.fraction...)
	}
	if c.hasOffset {
		sign, o := byte('+'), c.offset
		if o < 0 {
			sign, o = '-', -o
		}
		dst = append(appendTwo(append(dst, sign), o/60), ':')
		dst = appendTwo(dst, o%60)
	}
	return dst
}

func (m moment) append(dst []byte) []byte {
	dst = m.day.append(dst)
	if m.hasTime {
		dst = m.clock.append(append(dst, 'T'))
	}
	return dst
}

// number reads n digits; ok is false when there are others.
func number(b []byte) (int, bool) {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, len(b) > 0
}

func two(b []byte) (int, bool) { return number(b[:2]) }

// parseISODate reads 2026-03-01 at the start of b.
func parseISODate(b []byte) (d day, rest []byte, ok bool) {
	if len(b) < 10 || b[4] != '-' || b[7] != '-' {
		return d, b, false
	}
	var ok1, ok2, ok3 bool
	d.year, ok1 = number(b[:4])
	d.month, ok2 = number(b[5:7])
	d.day, ok3 = number(b[8:10])
	return d, b[10:], ok1 && ok2 && ok3 && d.ok()
}

// parseISOTime reads 08:30, 08:30:15, 08:30:15.25, with Z or +01:00 behind it.
func parseISOTime(b []byte) (clock, bool) {
	c, ok := parseClock(b)
	return c, ok && c.ok()
}

// parseClock reads what looks like a time, 24:00 included.
func parseClock(b []byte) (c clock, ok bool) {
	if len(b) < 5 || b[2] != ':' {
		return c, false
	}
	var ok1, ok2 bool
	c.hour, ok1 = two(b)
	c.minute, ok2 = two(b[3:])
	if !ok1 || !ok2 {
		return c, false
	}
	b = b[5:]
	if len(b) >= 3 && b[0] == ':' {
		if c.second, ok = two(b[1:]); !ok {
			return c, false
		}
		c.hasSecond, b = true, b[3:]
		if len(b) > 1 && b[0] == '.' {
			n := 1
			for n < len(b) && b[n] >= '0' && b[n] <= '9' {
				n++
			}
			if n == 1 || n > 10 {
				return c, false
			}
			c.fraction, b = string(b[1:n]), b[n:]
		}
	}
	switch {
	case len(b) == 1 && b[0] == 'Z':
		c.hasOffset, b = true, nil
	case len(b) == 6 && (b[0] == '+' || b[0] == '-') && b[3] == ':':
		h, ok1 := two(b[1:])
		m, ok2 := two(b[4:])
		if !ok1 || !ok2 || h > 14 || m > 59 {
			return c, false
		}
		c.hasOffset, c.offset = true, h*60+m
		if b[0] == '-' {
			c.offset = -c.offset
		}
		b = nil
	}
	return c, len(b) == 0
}

// parseMoment reads a date with or without T and a time.
func parseMoment(b []byte) (m moment, ok bool) {
	d, rest, ok := parseISODate(b)
	m.day = d
	if !ok || len(rest) == 0 {
		return m, ok
	}
	if rest[0] != 'T' {
		return m, false
	}
	m.hasTime = true
	m.clock, ok = parseClock(rest[1:])
	if ok {
		m.midnight()
	}
	return m, ok && m.clock.ok()
}

// midnight turns 24:00, the end of a day, into the beginning of the next.
func (m *moment) midnight() {
	if m.hour != 24 || m.minute != 0 || m.second != 0 || strings.Trim(m.fraction, "0") != "" {
		return
	}
	m.hour = 0
	if m.day.day++; m.day.ok() {
		return
	}
	m.day.day = 1
	if m.month++; m.month > 12 {
		m.year, m.month = m.year+1, 1
	}
}

// form is a way EDI writes dates and times: one letter for each character, in
// the order of the value. C is the century, Y the year, M the month, D the day,
// h the hour, m the minute, s the second, Z the offset from UTC.
type form string

// formNamed returns the form with an EDIFACT code (2379), an X12 code (1250) or
// a name such as CCYYMMDDHHMM.
func formNamed(name string) (form, bool) {
	switch name {
	case "102", "D8", "CCYYMMDD":
		return "CCYYMMDD", true
	case "101", "D6", "YYMMDD":
		return "YYMMDD", true
	case "203", "DT", "CCYYMMDDHHMM":
		return "CCYYMMDDhhmm", true
	case "204", "RTS", "CCYYMMDDHHMMSS":
		return "CCYYMMDDhhmmss", true
	case "205", "CCYYMMDDHHMMZHHMM":
		return "CCYYMMDDhhmmZZZZZ", true
	case "201", "YYMMDDHHMM":
		return "YYMMDDhhmm", true
	case "202", "YYMMDDHHMMSS":
		return "YYMMDDhhmmss", true
	case "2", "DDMMYY":
		return "DDMMYY", true
	case "3", "MMDDYY":
		return "MMDDYY", true
	case "4", "DDMMCCYY":
		return "DDMMCCYY", true
	case "DB", "MMDDCCYY":
		return "MMDDCCYY", true
	case "5", "DDMMCCYYHHMM":
		return "DDMMCCYYhhmm", true
	case "401", "TM", "HHMM":
		return "hhmm", true
	case "402", "HHMMSS":
		return "hhmmss", true
	}
	return "", false
}

func formNames() []string {
	return []string{"CCYYMMDD", "YYMMDD", "CCYYMMDDHHMM", "CCYYMMDDHHMMSS", "CCYYMMDDHHMMZHHMM", "YYMMDDHHMM", "YYMMDDHHMMSS", "DDMMYY", "MMDDYY", "DDMMCCYY", "MMDDCCYY", "DDMMCCYYHHMM", "HHMM", "HHMMSS"}
}

// hasDay and hasTime tell what a form holds.
func (f form) hasDay() bool  { return len(f) > 0 && f[0] != 'h' }
func (f form) hasTime() bool { return f.holds('h') }

func (f form) holds(letter byte) bool {
	for i := range len(f) {
		if f[i] == letter {
			return true
		}
	}
	return false
}

// parse reads a value in this form.
func (f form) parse(v []byte) (m moment, ok bool) {
	if len(v) != len(f) {
		return m, false
	}
	var parts ['z']int
	for i := range len(f) {
		if f[i] == 'Z' {
			return f.parseOffset(v, i, parts)
		}
		if v[i] < '0' || v[i] > '9' {
			return m, false
		}
		parts[f[i]] = parts[f[i]]*10 + int(v[i]-'0')
	}
	return f.moment(parts)
}

// moment puts the parts of a value together.
func (f form) moment(parts ['z']int) (m moment, ok bool) {
	m.year, m.month, m.day.day = parts['C']*100+parts['Y'], parts['M'], parts['D']
	m.hour, m.minute, m.second = parts['h'], parts['m'], parts['s']
	m.hasTime, m.hasSecond = f.hasTime(), f.holds('s')
	if !f.holds('C') {
		// The window that interchange dates have, too.
		if m.year += 2000; m.year >= 2080 {
			m.year -= 100
		}
	}
	if f.hasDay() && m.day.ok() {
		m.midnight()
	}
	return m, (!f.hasDay() || m.day.ok()) && m.clock.ok()
}

// parseOffset reads +0100 at the end of a value.
func (f form) parseOffset(v []byte, at int, parts ['z']int) (m moment, ok bool) {
	m, ok = f.moment(parts)
	h, ok1 := two(v[at+1:])
	min, ok2 := two(v[at+3:])
	m.hasOffset, m.offset = true, h*60+min
	if v[at] == '-' {
		m.offset = -m.offset
	}
	return m, ok && ok1 && ok2 && h <= 14 && min <= 59 && (v[at] == '+' || v[at] == '-')
}

// append writes m in this form.
func (f form) append(dst []byte, m moment) []byte {
	var scratch [32]byte
	left := map[byte]string{
		'C': fmt.Sprintf("%02d", m.year/100), 'Y': fmt.Sprintf("%02d", m.year%100), 'M': fmt.Sprintf("%02d", m.month), 'D': fmt.Sprintf("%02d", m.day.day),
		'h': fmt.Sprintf("%02d", m.hour), 'm': fmt.Sprintf("%02d", m.minute), 's': fmt.Sprintf("%02d", m.second),
	}
	if f.holds('Z') {
		c := clock{hasOffset: true, offset: m.offset}
		o := c.append(scratch[:0])[5:] // behind 00:00
		left['Z'] = string(o[:3]) + string(o[4:])
	}
	for i := range len(f) {
		dst = append(dst, left[f[i]][0])
		left[f[i]] = left[f[i]][1:]
	}
	return dst
}
