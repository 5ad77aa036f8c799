package cms

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
)

// keyWrapIV is the initial value of AES key wrap (RFC 3394 section 2.2.3.1).
const keyWrapIV = 0xa6a6a6a6a6a6a6a6

// wrapKey wraps a content key of at least 16 octets, a multiple of 8, with a
// key-encryption key (RFC 3394 section 2.2.1).
func wrapKey(block cipher.Block, key []byte) []byte {
	n := len(key) / 8
	out := make([]byte, 8+len(key))
	copy(out[8:], key)
	var b [aes.BlockSize]byte
	binary.BigEndian.PutUint64(b[:], keyWrapIV)
	for t := 1; t <= 6*n; t++ {
		r := out[8*((t-1)%n+1):][:8]
		copy(b[8:], r)
		block.Encrypt(b[:], b[:])
		copy(r, b[8:])
		binary.BigEndian.PutUint64(b[:], binary.BigEndian.Uint64(b[:])^uint64(t))
	}
	copy(out, b[:8])
	return out
}

// unwrapKey takes the wrapping off (RFC 3394 section 2.2.2). ok is 1 when the
// key came out whole and 0 otherwise; the work is the same.
func unwrapKey(block cipher.Block, wrapped []byte) (key []byte, ok int) {
	if len(wrapped) < 24 || len(wrapped)%8 != 0 || len(wrapped) > 72 {
		return nil, 0
	}
	n := len(wrapped)/8 - 1
	key = append([]byte(nil), wrapped[8:]...)
	var b [aes.BlockSize]byte
	copy(b[:], wrapped[:8])
	for t := 6 * n; t >= 1; t-- {
		r := key[8*((t-1)%n):][:8]
		binary.BigEndian.PutUint64(b[:], binary.BigEndian.Uint64(b[:])^uint64(t))
		copy(b[8:], r)
		block.Decrypt(b[:], b[:])
		copy(r, b[8:])
	}
	var want [8]byte
	binary.BigEndian.PutUint64(want[:], keyWrapIV)
	return key, subtle.ConstantTimeCompare(b[:8], want[:])
}

// deriveKey is the key derivation function of ANSI X9.63 (RFC 5753 section 7.2
// gives the shared info).
func deriveKey(d Digest, secret, sharedInfo []byte, size int) []byte {
	var out []byte
	h := d.New()
	for counter := uint32(1); len(out) < size; counter++ {
		h.Reset()
		h.Write(secret)
		_ = binary.Write(h, binary.BigEndian, counter) // a hash takes everything
		h.Write(sharedInfo)
		out = h.Sum(out)
	}
	return out[:size]
}
