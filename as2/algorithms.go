package as2

import (
	"crypto"
	"fmt"
	"strings"
)

// Digest is a message digest algorithm under its RFC 8551 micalg name.
type Digest string

// The digests known. SHA-256 is what a 1.3 peer must know; SHA-1 and MD5 are
// for old peers and are only used when the caller names them.
const (
	MD5    Digest = "md5"
	SHA1   Digest = "sha-1"
	SHA224 Digest = "sha-224"
	SHA256 Digest = "sha-256"
	SHA384 Digest = "sha-384"
	SHA512 Digest = "sha-512"
)

// Cipher is a content encryption algorithm.
type Cipher string

// The ciphers known. AES-GCM is sent as AuthEnvelopedData (RFC 5083).
const (
	AES128CBC Cipher = "aes-128-cbc"
	AES192CBC Cipher = "aes-192-cbc"
	AES256CBC Cipher = "aes-256-cbc"
	AES128GCM Cipher = "aes-128-gcm"
	AES192GCM Cipher = "aes-192-gcm"
	AES256GCM Cipher = "aes-256-gcm"
	TripleDES Cipher = "des-ede3-cbc"
)

// Compression tells whether and where the content is compressed (RFC 5402).
type Compression string

// The places compression can take. A MIC covers the content as signed, so
// BeforeSigning makes it cover the compressed form.
const (
	NoCompression Compression = ""
	BeforeSigning Compression = "before-signing"
	AfterSigning  Compression = "after-signing"
)

// ParseDigest reads a digest name as peers write it: SHA1, sha-1, rsa-sha1,
// SHA_256 and "sha256" are all understood.
func ParseDigest(name string) (Digest, error) {
	n := strings.ToLower(strings.Trim(strings.TrimSpace(name), `"'`))
	n = strings.NewReplacer("-", "", "_", "", " ", "").Replace(n)
	n = strings.TrimPrefix(n, "rsa")
	switch n {
	case "md5":
		return MD5, nil
	case "sha1", "sha":
		return SHA1, nil
	case "sha224", "sha2224":
		return SHA224, nil
	case "sha256", "sha2256":
		return SHA256, nil
	case "sha384", "sha2384":
		return SHA384, nil
	case "sha512", "sha2512":
		return SHA512, nil
	}
	return "", fmt.Errorf("as2: unknown digest %q: want sha-256, sha-384, sha-512, sha-224, sha-1 or md5", clip(name))
}

// Hash returns the digest's crypto.Hash, 0 when d is not one of the constants.
func (d Digest) Hash() crypto.Hash {
	switch d {
	case MD5:
		return crypto.MD5
	case SHA1:
		return crypto.SHA1
	case SHA224:
		return crypto.SHA224
	case SHA256:
		return crypto.SHA256
	case SHA384:
		return crypto.SHA384
	case SHA512:
		return crypto.SHA512
	}
	return 0
}

// ParseCipher reads a cipher name: the constants, and the common short forms
// aes256, aes-256, 3des.
func ParseCipher(name string) (Cipher, error) {
	n := strings.ToLower(strings.TrimSpace(name))
	n = strings.NewReplacer("-", "", "_", "", " ", "").Replace(n)
	switch n {
	case "aes128cbc", "aes128":
		return AES128CBC, nil
	case "aes192cbc", "aes192":
		return AES192CBC, nil
	case "aes256cbc", "aes256":
		return AES256CBC, nil
	case "aes128gcm":
		return AES128GCM, nil
	case "aes192gcm":
		return AES192GCM, nil
	case "aes256gcm":
		return AES256GCM, nil
	case "desede3cbc", "3des", "des3", "3descbc", "tripledes":
		return TripleDES, nil
	}
	return "", fmt.Errorf("as2: unknown cipher %q: want aes-128-cbc, aes-192-cbc, aes-256-cbc, aes-128-gcm, aes-256-gcm or des-ede3-cbc", clip(name))
}

// clip shortens foreign text for an error.
func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "..."
	}
	return s
}
