package cms

import (
	"crypto"
	_ "crypto/md5"  //nolint:gosec // linked in so that old partners' digests can be checked; policy is the caller's
	_ "crypto/sha1" //nolint:gosec // the same
	_ "crypto/sha256"
	_ "crypto/sha512"
	"hash"
	"strings"
)

// Digest names a hash function as it is written on the wire (RFC 8551 section
// 3.5.3.2): "sha-256". The zero value names none.
type Digest string

// The digests this package computes. MD5 and SHA-1 are here to read old
// partners; whether they are good enough is the caller's policy.
const (
	MD5    Digest = "md5"
	SHA1   Digest = "sha-1"
	SHA224 Digest = "sha-224"
	SHA256 Digest = "sha-256"
	SHA384 Digest = "sha-384"
	SHA512 Digest = "sha-512"
)

// Digests lists every digest this package computes, weakest first.
func Digests() []Digest {
	return []Digest{MD5, SHA1, SHA224, SHA256, SHA384, SHA512}
}

// ParseDigest reads the name of a digest in any of the spellings found in
// micalg parameters, MIC labels and receipt options: "sha256", "SHA-256",
// "sha_256", "rsa-sha256", "sha2-256", quoted or not. It returns
// *UnsupportedError for a name it does not know.
func ParseDigest(name string) (Digest, error) {
	s := foldName(name)
	for _, prefix := range []string{"rsa", "ecdsa"} {
		s = strings.TrimPrefix(s, prefix)
	}
	switch s {
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
	return "", &UnsupportedError{What: "digest", Name: name}
}

// Hash returns the standard library's number of d, 0 for an unknown one.
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

// Valid tells whether d is one of the digests of this package.
func (d Digest) Valid() bool { return d.Hash() != 0 }

// New starts a computation of d; nil when d is not Valid.
func (d Digest) New() hash.Hash {
	if h := d.Hash(); h != 0 {
		return h.New()
	}
	return nil
}

// Size is the length of the digest in octets, 0 when d is not Valid.
func (d Digest) Size() int {
	if h := d.Hash(); h != 0 {
		return h.Size()
	}
	return 0
}

// OID is the algorithm identifier of d (RFC 5754, RFC 3370), "" when d is not
// Valid.
func (d Digest) OID() OID {
	switch d {
	case MD5:
		return oidMD5
	case SHA1:
		return oidSHA1
	case SHA224:
		return oidSHA224
	case SHA256:
		return oidSHA256
	case SHA384:
		return oidSHA384
	case SHA512:
		return oidSHA512
	}
	return ""
}

// digestOf finds the digest an algorithm identifier names. Signature algorithms
// that imply a digest are understood as well: some products put
// sha256WithRSAEncryption where the digest belongs.
func digestOf(id OID) (Digest, bool) {
	switch id {
	case oidMD5, oidMD5RSA:
		return MD5, true
	case oidSHA1, oidSHA1RSA, oidSHA1RSAOld, oidECDSASHA1:
		return SHA1, true
	case oidSHA224, oidSHA224RSA, oidECDSASHA224:
		return SHA224, true
	case oidSHA256, oidSHA256RSA, oidECDSASHA256:
		return SHA256, true
	case oidSHA384, oidSHA384RSA, oidECDSASHA384:
		return SHA384, true
	case oidSHA512, oidSHA512RSA, oidECDSASHA512:
		return SHA512, true
	}
	return "", false
}

// foldName reduces a name to lower-case letters and digits.
func foldName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, s)
}
