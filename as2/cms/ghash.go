package cms

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"math/bits"
)

// GCM as the standard library offers it takes a whole message at once. This file
// makes a stream of it (NIST SP 800-38D) without giving up the processor's
// carry-less multiplication: the authentication tag of an empty message is
// GHASH of its additional data, finished with a length block, so a chunk of
// ciphertext handed in as additional data comes back hashed. Taking the finish
// off again costs one multiplication by the inverse of the hash key.

// field is an element of GF(2^128) in GCM's order: the first bit of the block
// is the highest bit of hi and the coefficient of x^0.
type field struct{ hi, lo uint64 }

func fieldOf(b []byte) field {
	return field{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}

func (f field) bytes() (b [16]byte) {
	binary.BigEndian.PutUint64(b[:], f.hi)
	binary.BigEndian.PutUint64(b[8:], f.lo)
	return b
}

func (f field) add(g field) field { return field{f.hi ^ g.hi, f.lo ^ g.lo} }

// mul multiplies in constant time (SP 800-38D algorithm 1).
func (f field) mul(g field) field {
	var z field
	for _, word := range [2]uint64{f.hi, f.lo} {
		for range 64 {
			take := -(word >> 63)
			z.hi ^= g.hi & take
			z.lo ^= g.lo & take
			word <<= 1
			carry := -(g.lo & 1)
			g.lo = g.lo>>1 | g.hi<<63
			g.hi = g.hi>>1 ^ 0xe1<<56&carry
		}
	}
	return z
}

// squares squares n times.
func (f field) squares(n int) field {
	for range n {
		f = f.mul(f)
	}
	return f
}

// inverse is f^(2^128-2), by way of f^(2^k-1) for growing k.
func (f field) inverse() field {
	e := f // f^(2^1-1)
	for k, step := 1, 0; step < 6; step++ {
		e = e.squares(k).mul(e) // 2k
		e = e.squares(1).mul(f) // 2k+1
		k = 2*k + 1             // 1, 3, 7, 15, 31, 63, 127
	}
	return e.squares(1)
}

// power is f^n for a public n.
func (f field) power(n uint64) field {
	out := field{hi: 1 << 63} // one
	for i := bits.Len64(n) - 1; i >= 0; i-- {
		out = out.mul(out)
		if n>>i&1 == 1 {
			out = out.mul(f)
		}
	}
	return out
}

// ghash evaluates GHASH piece by piece.
type ghash struct {
	aead    cipher.AEAD
	nonce   [12]byte
	mask    field // what the tag is covered with under that nonce
	key     field
	inverse field
	y       field
	blocks  uint64
	tag     []byte
}

func newGHASH(block cipher.Block) (*ghash, error) {
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	g := &ghash{aead: aead, tag: make([]byte, 0, 16)}
	var in, out [16]byte
	block.Encrypt(out[:], in[:])
	g.key = fieldOf(out[:])
	g.inverse = g.key.inverse()
	in[15] = 1
	block.Encrypt(out[:], in[:])
	g.mask = fieldOf(out[:])
	return g, nil
}

// update hashes whole blocks; the last piece may end in a part of one, which
// counts as padded with zeros. The contents of p are the same afterwards.
func (g *ghash) update(p []byte) {
	if len(p) == 0 {
		return
	}
	if len(p) < 16 {
		var block [16]byte
		copy(block[:], p)
		g.y = g.y.add(fieldOf(block[:])).mul(g.key)
		g.blocks++
		return
	}
	y := g.y.bytes()
	subtle.XORBytes(p[:16], p[:16], y[:])
	g.tag = g.aead.Seal(g.tag[:0], g.nonce[:], nil, p)
	subtle.XORBytes(p[:16], p[:16], y[:])
	sum := fieldOf(g.tag).add(g.mask)
	g.y = sum.mul(g.inverse).add(field{hi: uint64(len(p)) * 8})
	g.blocks += uint64(len(p)+15) / 16
}

// reset begins anew and returns where the last computation stood.
func (g *ghash) reset() (y field, blocks uint64) {
	y, blocks = g.y, g.blocks
	g.y, g.blocks = field{}, 0
	return y, blocks
}
