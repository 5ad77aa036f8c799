package validate

import "fmt"

// decimal counts the digits of a number; sign, decimal mark and exponent sign
// do not count. The mark is a point, or the one given.
func decimal(b []byte, mark byte) (int, bool) {
	if len(b) == 0 { // nothing but a line end
		return 0, false
	}
	i, digits, marks := 0, 0, 0
	if b[0] == '-' || b[0] == '+' && len(b) > 1 {
		i++
	}
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == mark || c == '.':
			if marks++; marks > 1 {
				return 0, false
			}
		case c == 'E' && digits > 0:
			exponent := b[i+1:]
			if len(exponent) > 1 && exponent[0] == '-' {
				exponent = exponent[1:]
			}
			return digits + len(exponent), isDigits(exponent)
		default:
			return 0, false
		}
	}
	return digits, digits > 0
}

// notation looks at what is around the digits of a number: neither standard
// has a plus sign, and ISO 9735 wants a digit on both sides of the decimal mark.
func (v *validator) notation(at *spot, b []byte) {
	isMark := func(c byte) bool { return c == v.mark || c == '.' }
	rule, text := "", ""
	switch last := len(b) - 1; {
	case b[0] == '+':
		rule, text = "plus-sign", "has a plus sign, which numbers never have"
	case isMark(b[last]):
		rule, text = "decimal-notation", "has no digit behind the decimal mark"
	case isMark(b[0]), len(b) > 1 && b[0] == '-' && isMark(b[1]):
		rule, text = "decimal-digit", "has no digit before the decimal mark"
	default:
		return
	}
	if v.again(rule) {
		return
	}
	is := v.elementAt(waiverFault(rule), at.seg, at.node, at.p, at.component, 0, b)
	is.Rule, is.Text = rule, fmt.Sprintf("%s (%s) %s %s.", name(at.layout, at.p), at.use.Name, quote(clip(b)), text)
	v.waive(&v.docScope, *is)
}
