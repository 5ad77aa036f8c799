package cms

import (
	"bytes"
	"crypto/rsa"
	"encoding/binary"
	"math/big"
)

// verifyPSS checks an RSASSA-PSS signature whose mask uses another hash than the
// content (RFC 8017 sections 8.1.2 and 9.1.2), which crypto/rsa does not. All
// that goes in is public.
func verifyPSS(key *rsa.PublicKey, m signatureMethod, hashed, signature []byte) bool {
	modulusBits := key.N.BitLen()
	s := new(big.Int).SetBytes(signature)
	if len(signature) != key.Size() || s.Cmp(key.N) >= 0 || modulusBits < 1024 || modulusBits > 16384 {
		return false
	}
	emBits := modulusBits - 1
	emLen := (emBits + 7) / 8
	s.Exp(s, big.NewInt(int64(key.E)), key.N)
	if s.BitLen() > emBits {
		return false
	}
	em := s.FillBytes(make([]byte, emLen))

	hLen := m.digest.Size()
	if len(hashed) != hLen || m.salt > emLen || emLen < hLen+m.salt+2 || em[emLen-1] != 0xbc {
		return false
	}
	db, h := em[:emLen-hLen-1], em[emLen-hLen-1:emLen-1]
	topBits := byte(0xff) >> (8*emLen - emBits)
	if db[0]&^topBits != 0 {
		return false
	}
	xorMGF1(m.mgf, h, db)
	db[0] &= topBits
	padding := emLen - hLen - m.salt - 2
	for _, b := range db[:padding] {
		if b != 0 {
			return false
		}
	}
	if db[padding] != 1 {
		return false
	}
	d := m.digest.New()
	d.Write(make([]byte, 8))
	d.Write(hashed)
	d.Write(db[padding+1:])
	return bytes.Equal(d.Sum(nil), h)
}

// xorMGF1 masks dst with MGF1 of seed (RFC 8017 appendix B.2.1).
func xorMGF1(d Digest, seed, dst []byte) {
	h := d.New()
	var counter [4]byte
	for i := uint32(0); len(dst) > 0; i++ {
		binary.BigEndian.PutUint32(counter[:], i)
		h.Reset()
		h.Write(seed)
		h.Write(counter[:])
		for _, b := range h.Sum(nil) {
			if len(dst) == 0 {
				break
			}
			dst[0] ^= b
			dst = dst[1:]
		}
	}
}
