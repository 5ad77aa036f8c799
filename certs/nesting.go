package certs

// bagDepth is the deepest nesting of BER values accepted in a PKCS #7 bag.
// Certificates with their extensions stay far below.
const bagDepth = 32

// nesting walks BER values without recursion and returns how deep constructed
// values nest, stopping as soon as limit is passed. Damaged input ends the
// walk: saying what is wrong with it is the parser's business.
func nesting(b []byte, limit int) int {
	deepest := 0
	var ends []int // end offset of each open value, -1 when indefinite
	for i := 0; i < len(b); {
		for len(ends) > 0 && ends[len(ends)-1] >= 0 && i >= ends[len(ends)-1] {
			ends = ends[:len(ends)-1]
		}
		if b[i] == 0 && i+1 < len(b) && b[i+1] == 0 && len(ends) > 0 && ends[len(ends)-1] < 0 {
			ends = ends[:len(ends)-1]
			i += 2
			continue
		}
		constructed := b[i]&0x20 != 0
		if b[i]&0x1f == 0x1f { // high tag number
			for i++; i < len(b) && b[i]&0x80 != 0; i++ {
			}
		}
		i++
		if i >= len(b) {
			break
		}
		length, indefinite := int(b[i]), false
		i++
		switch {
		case length == 0x80:
			indefinite = true
		case length > 0x80:
			n := length & 0x7f
			if n > 4 || i+n > len(b) {
				return deepest
			}
			length = 0
			for ; n > 0; n-- {
				length = length<<8 | int(b[i])
				i++
			}
		}
		if !constructed {
			if indefinite || length < 0 || length > len(b)-i {
				return deepest
			}
			i += length
			continue
		}
		if indefinite {
			ends = append(ends, -1)
		} else {
			ends = append(ends, i+length)
		}
		if len(ends) > deepest {
			deepest = len(ends)
		}
		if deepest > limit {
			return deepest
		}
	}
	return deepest
}
