package api

import (
	"encoding/base64"
	"encoding/hex"
)

// reprDigest writes a SHA-256 in hex as the Repr-Digest field of RFC 9530, so
// that a client can check what it got.
func reprDigest(sha256Hex string) string {
	sum, err := hex.DecodeString(sha256Hex)
	if err != nil {
		return ""
	}
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum) + ":"
}
