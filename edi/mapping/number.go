package mapping

import (
	"bytes"
	"fmt"
	"math/big"
	"strconv"
)

// maxDigits bounds a number: no price, quantity or amount comes near it.
const maxDigits = 60

// appendDecimal appends a number in canonical form: no plus sign, no zeros in
// front but one before the point, zeros behind the point as they were given.
// The point may be . or, when mark says so, another byte; an exponent is
// written out. The text says what is wrong, "" when nothing is.
func appendDecimal(dst, v []byte, mark byte) ([]byte, string) {
	start, i := len(dst), 0
	if i < len(v) && (v[i] == '-' || v[i] == '+') {
		if v[i] == '-' {
			dst = append(dst, '-')
		}
		i++
	}
	digitsAt := len(dst)
	whole := i
	for i < len(v) && v[i] >= '0' && v[i] <= '9' {
		i++
	}
	part := v[whole:i]
	for len(part) > 1 && part[0] == '0' {
		part = part[1:]
	}
	if len(part) == 0 {
		dst = append(dst, '0')
	}
	dst = append(dst, part...)
	digits := i - whole
	if i < len(v) && (v[i] == '.' || v[i] == mark && mark != 0) {
		i++
		from := i
		for i < len(v) && v[i] >= '0' && v[i] <= '9' {
			i++
		}
		if digits += i - from; i > from {
			dst = append(dst, '.')
			dst = append(dst, v[from:i]...)
		}
	}
	switch {
	case digits == 0:
		return dst[:start], "is no number"
	case digits > maxDigits:
		return dst[:start], fmt.Sprintf("has %d digits; a number has at most %d here", digits, maxDigits)
	case i < len(v) && (v[i] == 'e' || v[i] == 'E'):
		return appendExponent(dst, start, v[i+1:])
	case i < len(v):
		return dst[:start], "is no number"
	}
	return dropMinus(dst, digitsAt), ""
}

// dropMinus turns -0 into 0.
func dropMinus(dst []byte, digitsAt int) []byte {
	if digitsAt > 0 && dst[digitsAt-1] == '-' && len(bytes.Trim(dst[digitsAt:], "0.")) == 0 {
		return append(dst[:digitsAt-1], dst[digitsAt:]...)
	}
	return dst
}

// appendExponent moves the point of the number at dst[start:].
func appendExponent(dst []byte, start int, exponent []byte) ([]byte, string) {
	n, err := strconv.Atoi(string(exponent))
	if err != nil || n > maxDigits || n < -maxDigits {
		return dst[:start], "has an exponent out of range"
	}
	d, _ := parseNumber(dst[start:])
	dst = dst[:start]
	d = d.shift(n)
	if d.digits() > maxDigits {
		return dst, fmt.Sprintf("is a number of more than %d digits", maxDigits)
	}
	return d.append(dst), ""
}

// appendInteger appends a whole number in canonical form.
func appendInteger(dst, v []byte) ([]byte, string) {
	start := len(dst)
	dst, bad := appendDecimal(dst, v, 0)
	if bad != "" {
		return dst, bad
	}
	if at := bytes.IndexByte(dst[start:], '.'); at >= 0 {
		if len(bytes.Trim(dst[start+at+1:], "0")) > 0 {
			return dst[:start], "is no whole number"
		}
		dst = dst[:start+at]
	}
	return dst, ""
}

// appendImplied appends the number that digits with an implied decimal point
// stand for (X12 type Nn): 12345 with two places is 123.45.
func appendImplied(dst, v []byte, places int) ([]byte, string) {
	start := len(dst)
	dst, bad := appendInteger(dst, v)
	if bad != "" || places == 0 {
		return dst, bad
	}
	if bytes.IndexByte(v, '.') >= 0 {
		return dst[:start], "has a decimal point, which is implied here"
	}
	if dst[start] == '-' {
		start++
	}
	for len(dst)-start <= places {
		dst = append(dst, 0)
		copy(dst[start+1:], dst[start:])
		dst[start] = '0'
	}
	at := len(dst) - places
	dst = append(dst, 0)
	copy(dst[at+1:], dst[at:])
	dst[at] = '.'
	return dropMinus(dst, start), ""
}

// appendDigits is the inverse of appendImplied: the canonical number v without
// its point. More places than there are is no rounding but a fault.
func appendDigits(dst, v []byte, places int) ([]byte, string) {
	whole, part, _ := bytes.Cut(v, []byte{'.'})
	extra := bytes.TrimRight(part, "0")
	if len(extra) > places {
		return dst, fmt.Sprintf("has %d decimal places, the element holds %d", len(extra), places)
	}
	if len(whole) > 0 && whole[0] == '-' {
		dst, whole = append(dst, '-'), whole[1:]
	}
	at := len(dst)
	dst = append(dst, whole...)
	for i := range places {
		if i < len(part) {
			dst = append(dst, part[i])
		} else {
			dst = append(dst, '0')
		}
	}
	for len(dst)-at > 1 && dst[at] == '0' {
		dst = append(dst[:at], dst[at+1:]...)
	}
	return dst, ""
}

// Number is an exact decimal number: a whole number and how many of its digits
// stand behind the point, so that 9.250 stays 9.250. The zero Number is 0.
// Expressions in maps calculate with it.
type Number struct {
	coefficient *big.Int
	places      int
}

// ParseNumber reads a number such as -9.250 or 1e3.
func ParseNumber(s string) (Number, error) {
	b, bad := appendDecimal(nil, []byte(s), 0)
	if bad != "" {
		return Number{}, fmt.Errorf("%q %s", clip(s), bad)
	}
	n, _ := parseNumber(b)
	return n, nil
}

// parseNumber reads a number in canonical form.
func parseNumber(b []byte) (Number, bool) {
	whole, part, _ := bytes.Cut(b, []byte{'.'})
	n := Number{new(big.Int), len(part)}
	if len(b) < 18 { // fits an int64
		v, negative := int64(0), false
		for _, c := range b {
			switch {
			case c == '-':
				negative = true
			case c >= '0' && c <= '9':
				v = v*10 + int64(c-'0')
			case c != '.':
				return n, false
			}
		}
		if negative {
			v = -v
		}
		n.coefficient.SetInt64(v)
		return n, true
	}
	_, ok := n.coefficient.SetString(string(whole)+string(part), 10)
	return n, ok
}

func (n Number) int() *big.Int {
	if n.coefficient == nil {
		return new(big.Int)
	}
	return n.coefficient
}

// String writes the number with all its decimal places.
func (n Number) String() string { return string(n.append(nil)) }

func (n Number) append(dst []byte) []byte {
	digits := new(big.Int).Abs(n.int()).String()
	for len(digits) <= n.places {
		digits = "0" + digits
	}
	if n.int().Sign() < 0 {
		dst = append(dst, '-')
	}
	dst = append(dst, digits[:len(digits)-n.places]...)
	if n.places > 0 {
		dst = append(dst, '.')
		dst = append(dst, digits[len(digits)-n.places:]...)
	}
	return dst
}

func (n Number) digits() int { return max(len(n.int().String()), n.places) }

// shift moves the point to the right, or to the left for a negative by.
func (n Number) shift(by int) Number {
	if by <= n.places {
		return Number{n.int(), n.places - by}
	}
	return Number{new(big.Int).Mul(n.int(), power(by-n.places)), 0}
}

func power(of int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(of)), nil) }

// align gives both coefficients the same places.
func align(a, b Number) (x, y *big.Int, places int) {
	x, y = a.int(), b.int()
	switch {
	case a.places < b.places:
		x = new(big.Int).Mul(x, power(b.places-a.places))
	case b.places < a.places:
		y = new(big.Int).Mul(y, power(a.places-b.places))
	}
	return x, y, max(a.places, b.places)
}

// Add returns n + m.
func (n Number) Add(m Number) Number {
	x, y, places := align(n, m)
	return Number{new(big.Int).Add(x, y), places}
}

// Sub returns n - m.
func (n Number) Sub(m Number) Number {
	x, y, places := align(n, m)
	return Number{new(big.Int).Sub(x, y), places}
}

// Mul returns n * m, exactly.
func (n Number) Mul(m Number) Number {
	return Number{new(big.Int).Mul(n.int(), m.int()), n.places + m.places}
}

// Cmp returns -1, 0 or 1 as n is less than, equal to or greater than m. 9.25
// and 9.250 are equal.
func (n Number) Cmp(m Number) int {
	x, y, _ := align(n, m)
	return x.Cmp(y)
}

// Round returns n with the number of decimal places given, halves away from
// zero.
func (n Number) Round(places int) Number {
	if places >= n.places {
		return Number{new(big.Int).Mul(n.int(), power(places-n.places)), places}
	}
	return Number{roundedQuotient(n.int(), power(n.places-places)), places}
}

// Divide returns n / m with the number of decimal places given, halves away
// from zero; ok is false when m is 0.
func (n Number) Divide(m Number, places int) (q Number, ok bool) {
	if m.int().Sign() == 0 {
		return Number{}, false
	}
	x, y, _ := align(n, m)
	return Number{roundedQuotient(new(big.Int).Mul(x, power(places)), y), places}, true
}

// roundedQuotient divides, halves away from zero.
func roundedQuotient(x, y *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(x, y, new(big.Int))
	if r.Abs(r).Lsh(r, 1).CmpAbs(y) >= 0 {
		if x.Sign()*y.Sign() < 0 {
			return q.Sub(q, big.NewInt(1))
		}
		return q.Add(q, big.NewInt(1))
	}
	return q
}

// Quo returns n / m when the quotient ends within 30 decimal places; ok is
// false when it does not, or when m is 0.
func (n Number) Quo(m Number) (q Number, ok bool) {
	if m.int().Sign() == 0 {
		return Number{}, false
	}
	x, y, _ := align(n, m)
	for places := range 31 {
		q, r := new(big.Int).QuoRem(x, y, new(big.Int))
		if r.Sign() == 0 {
			return Number{q, places}, true
		}
		x = new(big.Int).Mul(x, big.NewInt(10))
	}
	return Number{}, false
}

func newInt(n int) *big.Int { return big.NewInt(int64(n)) }
