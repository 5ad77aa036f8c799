package as2

import "tradepost/as2/cms"

// Digest is a message digest algorithm under its RFC 8551 micalg name.
type Digest = cms.Digest

// The digests known. SHA-256 is what a 1.3 peer must know; SHA-1 and MD5 are
// for old peers and are only used when the caller names them.
const (
	MD5    = cms.MD5
	SHA1   = cms.SHA1
	SHA224 = cms.SHA224
	SHA256 = cms.SHA256
	SHA384 = cms.SHA384
	SHA512 = cms.SHA512
)

// Cipher is a content encryption algorithm.
type Cipher = cms.Cipher

// The ciphers known. AES-GCM is sent as AuthEnvelopedData (RFC 5083).
const (
	AES128CBC = cms.AES128CBC
	AES192CBC = cms.AES192CBC
	AES256CBC = cms.AES256CBC
	AES128GCM = cms.AES128GCM
	AES192GCM = cms.AES192GCM
	AES256GCM = cms.AES256GCM
	TripleDES = cms.TripleDES
)

// ParseDigest reads a digest name as peers write it: SHA1, sha-1, rsa-sha1,
// SHA_256 and "sha256" are all understood.
func ParseDigest(name string) (Digest, error) { return cms.ParseDigest(name) }

// ParseCipher reads a cipher name: the constants, and the common short forms
// aes256, aes-256, 3des.
func ParseCipher(name string) (Cipher, error) { return cms.ParseCipher(name) }

// Deflaters keeps compressors from one transmission to the next. The zero value
// is ready, and may be shared.
type Deflaters = cms.Deflaters

// Compression tells whether and where the content is compressed (RFC 5402).
type Compression string

// The places compression can take. A MIC covers the content as signed, so
// BeforeSigning makes it cover the compressed form.
const (
	NoCompression Compression = ""
	BeforeSigning Compression = "before-signing"
	AfterSigning  Compression = "after-signing"
)

// clip shortens foreign text for an error.
func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "..."
	}
	return s
}
