package cms

import (
	"math/big"
	"slices"
	"strconv"
	"time"
)

// This file writes structures as DER (X.690 clause 10).

// appendHeader writes identifier and length octets.
func appendHeader(dst []byte, tag byte, length int) []byte {
	return appendHeader64(dst, tag, int64(length))
}

func appendHeader64(dst []byte, tag byte, length int64) []byte {
	dst = append(dst, tag)
	if length < 0x80 {
		return append(dst, byte(length&0x7f))
	}
	var digits [8]byte
	n := len(digits)
	for ; length > 0; length >>= 8 {
		n--
		digits[n] = byte(length)
	}
	dst = append(dst, 0x80|byte(len(digits)-n))
	return append(dst, digits[n:]...)
}

// tlv writes one element with the parts as contents.
func tlv(tag byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	out := appendHeader(make([]byte, 0, n+8), tag, n)
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// setOf writes a SET OF: its elements in ascending order (X.690 11.6).
func setOf(tag byte, elements ...[]byte) []byte {
	sorted := slices.Clone(elements)
	slices.SortFunc(sorted, slices.Compare[[]byte])
	return tlv(tag, sorted...)
}

// encodeInteger writes an INTEGER of any size and sign.
func encodeInteger(n *big.Int) []byte {
	if n.Sign() >= 0 {
		b := n.Bytes()
		if len(b) == 0 || b[0]&0x80 != 0 {
			b = append([]byte{0}, b...)
		}
		return tlv(tagInteger, b)
	}
	// Two's complement in as few octets as hold the sign bit.
	size := new(big.Int).Not(n).BitLen()/8 + 1
	b := new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(size)*8)).Bytes()
	return tlv(tagInteger, b)
}

func encodeSmall(n int) []byte { return encodeInteger(big.NewInt(int64(n))) }

func encodeNull() []byte { return []byte{tagNull, 0} }

// encodeAlgorithm writes an AlgorithmIdentifier; no parameters means absent.
func encodeAlgorithm(id OID, parameters ...[]byte) []byte {
	return tlv(tagSequence, append([][]byte{encodeOID(id)}, parameters...)...)
}

// encodeTime writes a Time as RFC 5652 section 11.3 asks: UTCTime up to 2049.
func encodeTime(t time.Time) []byte {
	t = t.UTC()
	if y := t.Year(); y >= 1950 && y < 2050 {
		return tlv(tagUTCTime, []byte(t.Format("060102150405Z")))
	}
	return tlv(tagGeneralized, []byte(t.Format("20060102150405Z")))
}

// encodeOID writes an OBJECT IDENTIFIER. The identifier is one of ours or has
// passed validOID.
func encodeOID(id OID) []byte {
	body, _ := oidBody(id)
	return tlv(tagOID, body)
}

// validOID tells whether id can be written.
func validOID(id OID) bool {
	_, ok := oidBody(id)
	return ok
}

func oidBody(id OID) (body []byte, ok bool) {
	var first uint64
	position := 0
	for s := string(id); ; position++ {
		arc := s
		dot := false
		for i := range len(s) {
			if s[i] == '.' {
				arc, s, dot = s[:i], s[i+1:], true
				break
			}
		}
		n, err := strconv.ParseUint(arc, 10, 63)
		if err != nil || (position == 0 && n > 2) || (position == 1 && (n > 1<<62 || (first < 2 && n > 39))) {
			return nil, false
		}
		switch position {
		case 0:
			first = n
		case 1:
			body = appendBase128(body, first*40+n)
		default:
			body = appendBase128(body, n)
		}
		if !dot {
			return body, position > 0
		}
	}
}

func appendBase128(dst []byte, n uint64) []byte {
	shift := 0
	for n>>shift >= 0x80 {
		shift += 7
	}
	for ; shift > 0; shift -= 7 {
		dst = append(dst, byte(n>>shift&0x7f)|0x80)
	}
	return append(dst, byte(n&0x7f))
}
