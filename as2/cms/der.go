package cms

import (
	"math/big"
	"strconv"
	"time"
)

// This file reads structures small enough to be held in memory; encode.go writes
// them.

// parsing is what the cursors over one captured structure share: the first
// error sticks, and everything after it reads as empty.
type parsing struct {
	offset int64
	what   string
	err    error
}

func (p *parsing) fail(problem string) {
	if p.err == nil {
		p.err = &SyntaxError{Offset: p.offset, Element: p.what, Problem: problem}
	}
}

// cursor walks over the elements in b. Lengths are definite: flatten has seen
// to that.
type cursor struct {
	b []byte
	p *parsing
}

// cursor flattens a captured structure and returns a cursor in front of it.
func (b *berReader) cursor(raw []byte, offset int64) cursor {
	p := &parsing{offset: offset, what: b.what}
	flat, problem := flatten(raw, b.limits.Depth-len(b.frames))
	switch problem {
	case "":
	case tooDeep:
		p.err = &LimitError{Limit: "depth", Max: int64(b.limits.Depth), Offset: offset}
	default:
		p.fail(problem)
	}
	return cursor{b: flat, p: p}
}

// tooDeep is the problem that is a matter of limits and not of syntax.
const tooDeep = "nested too deeply"

// split takes the first element off b.
func split(b []byte) (tag byte, contents, raw, rest []byte, problem string) {
	if len(b) < 2 {
		return 0, nil, nil, nil, "an element without a length"
	}
	tag = b[0]
	if tag&0x1f == 0x1f {
		return 0, nil, nil, nil, "a tag number that is not used in CMS"
	}
	n, head := int64(b[1]), 2
	if n == 0x80 {
		return 0, nil, nil, nil, "an indefinite length"
	}
	if n > 0x80 {
		digits := int(n & 0x7f)
		n = 0
		for ; digits > 0; digits-- {
			if head == len(b) || n > 1<<31 {
				return 0, nil, nil, nil, "a length that does not fit"
			}
			n = n<<8 | int64(b[head])
			head++
		}
	}
	if n > int64(len(b)-head) {
		return 0, nil, nil, nil, "an element longer than the one around it"
	}
	end := head + int(n)
	return tag, b[head:end], b[:end], b[end:], ""
}

// more tells whether there is another element, passing over stray
// end-of-contents octets.
func (c *cursor) more() bool {
	if c.p.err != nil {
		return false
	}
	for len(c.b) >= 2 && c.b[0] == 0 && c.b[1] == 0 {
		c.b = c.b[2:]
	}
	return len(c.b) > 0
}

// is tells whether the next element has the tag.
func (c *cursor) is(tag byte) bool { return c.more() && c.b[0] == tag }

// any takes the next element whatever it is.
func (c *cursor) any() (tag byte, contents cursor, raw []byte) {
	if !c.more() {
		c.p.fail("an element is missing")
		return 0, cursor{p: c.p}, nil
	}
	tag, inner, raw, rest, problem := split(c.b)
	if problem != "" {
		c.p.fail(problem)
		return 0, cursor{p: c.p}, nil
	}
	c.b = rest
	return tag, cursor{b: inner, p: c.p}, raw
}

// into takes the next element, which must have the tag, and returns its
// contents.
func (c *cursor) into(tag byte, name string) cursor {
	if !c.is(tag) {
		c.p.fail("no " + name + " where it belongs")
		return cursor{p: c.p}
	}
	_, inner, _ := c.any()
	return inner
}

// optional takes the next element if it has the tag.
func (c *cursor) optional(tag byte) (cursor, bool) {
	if !c.is(tag) {
		return cursor{p: c.p}, false
	}
	_, inner, _ := c.any()
	return inner, c.p.err == nil
}

// bytes returns the octets that are left; nil after an error.
func (c *cursor) bytes() []byte {
	if c.p.err != nil {
		return nil
	}
	return c.b
}

func (c *cursor) octets(name string) []byte {
	inner := c.into(tagOctetString, name)
	return inner.bytes()
}

// bits takes a BIT STRING of whole octets.
func (c *cursor) bits(name string) []byte {
	inner := c.into(tagBitString, name)
	b := inner.bytes()
	if len(b) == 0 || b[0] != 0 {
		c.p.fail("the " + name + " is not a bit string of whole octets")
		return nil
	}
	return b[1:]
}

// integer takes an INTEGER of any size and sign.
func (c *cursor) integer(name string) *big.Int {
	inner := c.into(tagInteger, name)
	b := inner.bytes()
	if len(b) == 0 {
		c.p.fail("the " + name + " is an integer without octets")
		return new(big.Int)
	}
	n := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
	}
	return n
}

// small takes an INTEGER between 0 and 2^31-1.
func (c *cursor) small(name string) int {
	n := c.integer(name)
	if n.Sign() < 0 || n.BitLen() > 31 {
		c.p.fail("the " + name + " is out of range")
		return 0
	}
	return int(n.Int64())
}

func (c *cursor) oid(name string) OID {
	inner := c.into(tagOID, name)
	id, ok := parseOID(inner.bytes())
	if !ok {
		c.p.fail("the " + name + " is not an object identifier")
	}
	return id
}

// parseOID reads the contents of an OBJECT IDENTIFIER.
func parseOID(b []byte) (OID, bool) {
	if len(b) == 0 || len(b) > 64 || b[len(b)-1]&0x80 != 0 {
		return "", false
	}
	var out []byte
	var n uint64
	for i, first := 0, true; i < len(b); i++ {
		if n > 1<<54 { // more than anybody assigns
			return "", false
		}
		n = n<<7 | uint64(b[i]&0x7f)
		if b[i]&0x80 != 0 {
			continue
		}
		if first {
			arc := min(n/40, 2)
			out = append(strconv.AppendUint(out, arc, 10), '.')
			out = strconv.AppendUint(out, n-arc*40, 10)
			first = false
		} else {
			out = strconv.AppendUint(append(out, '.'), n, 10)
		}
		n = 0
	}
	return OID(out), true
}

// algorithm is an AlgorithmIdentifier. parameters are nil when absent, and the
// raw element otherwise.
type algorithm struct {
	id         OID
	parameters []byte
}

func (c *cursor) algorithm(name string) algorithm {
	inner := c.into(tagSequence, name)
	return inner.algorithmFields(name)
}

// algorithmFields reads an AlgorithmIdentifier whose tag has been taken off.
func (c *cursor) algorithmFields(name string) algorithm {
	a := algorithm{id: c.oid(name)}
	if c.more() {
		_, _, a.parameters = c.any()
	}
	return a
}

// sub returns a cursor over an element kept from c's structure.
func (p *parsing) sub(b []byte) cursor { return cursor{b: b, p: p} }

// time takes a UTCTime or a GeneralizedTime.
func (c *cursor) time(name string) time.Time {
	tag, inner, _ := c.any()
	var layouts []string
	switch tag {
	case tagUTCTime:
		layouts = []string{"060102150405Z0700", "0601021504Z0700"}
	case tagGeneralized:
		layouts = []string{"20060102150405Z0700", "20060102150405.999999999Z0700", "200601021504Z0700"}
	}
	for _, layout := range layouts {
		t, err := time.Parse(layout, string(inner.bytes()))
		if err != nil {
			continue
		}
		if tag == tagUTCTime && t.Year() >= 2050 { // RFC 5652 section 11.3
			t = t.AddDate(-100, 0, 0)
		}
		return t.UTC()
	}
	c.p.fail("the " + name + " is not a time")
	return time.Time{}
}

// flatten gives every element a definite length and makes constructed octet
// strings primitive. What needs neither is left exactly as it came, and so is
// what lies in definite elements deeper than depth. It returns what is wrong, ""
// for nothing.
func flatten(b []byte, depth int) (flat []byte, problem string) {
	out, rest, changed, problem := flattenElements(b, depth, false)
	switch {
	case problem != "":
		return nil, problem
	case len(rest) != 0:
		return nil, "an end-of-contents with nothing to end"
	case !changed:
		return b, ""
	}
	return out, ""
}

// flattenElements flattens the elements in b up to its end or, when inside an
// indefinite one, up to its end-of-contents, which it takes too.
func flattenElements(b []byte, depth int, indefinite bool) (out, rest []byte, changed bool, problem string) {
	for len(b) > 0 {
		if len(b) < 2 {
			return nil, nil, false, "an element without a length"
		}
		if indefinite && b[0] == 0 && b[1] == 0 {
			return out, b[2:], true, ""
		}
		if b[1] != 0x80 {
			tag, contents, raw, after, problem := split(b)
			if problem != "" {
				return nil, nil, false, problem
			}
			b = after
			if tag&constructedBit == 0 || depth <= 0 {
				out = append(out, raw...)
				continue
			}
			inner, _, innerChanged, problem := flattenElements(contents, depth-1, false)
			if problem != "" {
				return nil, nil, false, problem
			}
			if !innerChanged && tag != tagOctetString|constructedBit {
				out = append(out, raw...)
				continue
			}
			changed = true
			if out, problem = appendFlat(out, tag, inner); problem != "" {
				return nil, nil, false, problem
			}
			continue
		}
		tag := b[0]
		if tag&0x1f == 0x1f || tag&constructedBit == 0 {
			return nil, nil, false, "an indefinite length where none can be"
		}
		if depth <= 0 {
			return nil, nil, false, tooDeep
		}
		inner, after, _, problem := flattenElements(b[2:], depth-1, true)
		if problem != "" {
			return nil, nil, false, problem
		}
		b, changed = after, true
		if out, problem = appendFlat(out, tag, inner); problem != "" {
			return nil, nil, false, problem
		}
	}
	if indefinite {
		return nil, nil, false, "an indefinite length without an end"
	}
	return out, nil, changed, ""
}

// appendFlat writes one flattened element, joining the pieces of an octet string.
func appendFlat(out []byte, tag byte, inner []byte) ([]byte, string) {
	if tag != tagOctetString|constructedBit {
		return append(appendHeader(out, tag, len(inner)), inner...), ""
	}
	var joined []byte
	for len(inner) > 0 {
		tag, contents, _, rest, problem := split(inner)
		if problem != "" {
			return nil, problem
		}
		if stray := tag == 0 && len(contents) == 0; tag != tagOctetString && !stray {
			return nil, "something else inside an octet string"
		}
		joined = append(joined, contents...)
		inner = rest
	}
	return append(appendHeader(out, tagOctetString, len(joined)), joined...), ""
}

// derSet encodes the elements in b, which are flat, as the SET OF they belong to
// the way DER has it: lengths as short as they can be, elements in order.
func derSet(b []byte) []byte {
	var elements [][]byte
	for len(b) > 0 {
		var one []byte
		if one, b = shorten(b, maxDepth); len(one) > 0 {
			elements = append(elements, one)
		}
	}
	return setOf(tagSet, elements...)
}

// shorten takes the first element off b with its lengths as short as they can
// be and without stray end-of-contents octets. What is no element stays as it
// is.
func shorten(b []byte, depth int) (one, rest []byte) {
	tag, contents, raw, rest, problem := split(b)
	switch {
	case problem != "":
		return b, nil
	case tag == 0 && len(contents) == 0:
		return nil, rest
	case tag&constructedBit == 0:
		return tlv(tag, contents), rest
	case depth == 0:
		return raw, rest
	}
	var inner []byte
	for len(contents) > 0 {
		var child []byte
		child, contents = shorten(contents, depth-1)
		inner = append(inner, child...)
	}
	return tlv(tag, inner), rest
}
