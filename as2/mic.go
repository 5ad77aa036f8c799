package as2

import (
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"math"
	"strings"
)

// MICs holds the message integrity check of one transmission under several
// digests, as base64 of the digest value. Peers label the MIC they return with
// the algorithm of the signature or of the receipt options, whichever they
// prefer, so both sides keep several and compare under the label that comes
// back.
//
// There are SHA-256 and what signature and receipt options name. Content of up
// to 16 KiB has SHA-1, SHA-384 and SHA-512 as well; up to 4 MiB it has SHA-1
// when the receipt options name nothing, since old peers mean that then. Of
// more content there are no others: hashing is most of the work there.
type MICs map[Digest]string

// Match reports whether value, base64 as a receipt carries it, equals the MIC
// under digest d. White space inside value is ignored: long values wrap.
func (m MICs) Match(d Digest, value string) bool {
	want, ok := m[d]
	if !ok {
		return false
	}
	w, err1 := decodeMIC(want)
	g, err2 := decodeMIC(value)
	return err1 == nil && err2 == nil && len(w) > 0 && subtle.ConstantTimeCompare(w, g) == 1
}

// decodeMIC decodes base64 with or without padding and inner white space.
func decodeMIC(s string) ([]byte, error) {
	s = strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\r', '\n':
			return -1
		}
		return r
	}, s)
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
}

// How much content is hashed under digests that nobody named.
const (
	anyMIC  = 16 << 10
	sha1MIC = 4 << 20 // SHA-1, when the receipt options name nothing
)

// micHasher computes MICs of what is written to it.
type micHasher struct {
	sumsOf []micSum
	n      int64
}

// micSum is one digest in the making.
type micSum struct {
	digest Digest
	hash   hash.Hash
	most   int64 // content above this is not hashed
}

// newMICHasher hashes under the usual digests, those that the receipt options
// name, and the signature's.
func newMICHasher(asked []Digest, signature ...Digest) *micHasher {
	m := &micHasher{sumsOf: make([]micSum, 0, 6)}
	add := func(d Digest, most int64) {
		for _, s := range m.sumsOf {
			if s.digest == d {
				return
			}
		}
		m.sumsOf = append(m.sumsOf, micSum{d, d.New(), most})
	}
	for _, named := range [][]Digest{signature, asked, {SHA256}} {
		for _, d := range named {
			if d.Valid() {
				add(d, math.MaxInt64)
			}
		}
	}
	if len(asked) == 0 {
		add(SHA1, sha1MIC)
	}
	add(SHA1, anyMIC)
	add(SHA384, anyMIC)
	add(SHA512, anyMIC)
	return m
}

// Write implements io.Writer; it never fails.
func (m *micHasher) Write(p []byte) (int, error) {
	m.n += int64(len(p))
	for i := range m.sumsOf {
		if s := &m.sumsOf[i]; m.n <= s.most {
			_, _ = s.hash.Write(p) // a hash never fails
		}
	}
	return len(p), nil
}

// sum returns one digest value, nil when d is not computed.
func (m *micHasher) sum(d Digest) []byte {
	for _, s := range m.sumsOf {
		if s.digest == d && m.n <= s.most {
			return s.hash.Sum(nil)
		}
	}
	return nil
}

// sums returns the digest values.
func (m *micHasher) sums() map[Digest][]byte {
	out := make(map[Digest][]byte, len(m.sumsOf))
	for _, s := range m.sumsOf {
		if m.n <= s.most {
			out[s.digest] = s.hash.Sum(nil)
		}
	}
	return out
}

// mics returns the digest values as MICs.
func (m *micHasher) mics() MICs { return toMICs(m.sums()) }

func toMICs(sums map[Digest][]byte) MICs {
	out := make(MICs, len(sums))
	for d, s := range sums {
		out[d] = base64.StdEncoding.EncodeToString(s)
	}
	return out
}
