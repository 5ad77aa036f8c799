package cms

import (
	"crypto/cipher"
	"crypto/des"  //nolint:gosec // 3DES for partners that have nothing else
	"crypto/sha1" //nolint:gosec // RFC 3217 names it
	"crypto/subtle"
	"slices"
)

// unwrap3DES takes the 3DES key wrap off a 3DES key (RFC 3217 section 3.2). ok
// is 1 when the key came out whole and 0 otherwise.
func unwrap3DES(kek, wrapped []byte) (key []byte, ok int) {
	const size = 40                           // vector 8, key 24, checksum 8
	block, err := des.NewTripleDESCipher(kek) //nolint:gosec // see the import
	if err != nil || len(wrapped) != size {
		return nil, 0
	}
	b := slices.Clone(wrapped)
	outer := []byte{0x4a, 0xdd, 0xa2, 0x2c, 0x79, 0xe8, 0x21, 0x05}
	cipher.NewCBCDecrypter(block, outer).CryptBlocks(b, b)
	slices.Reverse(b)
	iv, rest := b[:8], b[8:]
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(rest, rest)
	sum := sha1.Sum(rest[:24]) //nolint:gosec // see the import
	return rest[:24], subtle.ConstantTimeCompare(sum[:8], rest[24:])
}
