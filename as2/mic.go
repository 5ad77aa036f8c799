package as2

import (
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"strings"
)

// MICs holds the message integrity check of one transmission under several
// digests, as base64 of the digest value. Peers label the MIC they return with
// the algorithm of the signature or of the receipt options, whichever they
// prefer, so both sides keep several and compare under the label that comes
// back.
//
// Content of up to 4 MiB has SHA-1, SHA-256, SHA-384 and SHA-512, and MD5 or
// SHA-224 if signature or receipt options name them. Larger content has
// SHA-256 and what signature and receipt options name, since hashing is most
// of the work there.
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

// allMICs is how much content is hashed under every digest.
const allMICs = 4 << 20

// micHasher computes MICs of what is written to it.
type micHasher struct {
	named  map[Digest]bool // to be computed however large the content is
	hashes map[Digest]hash.Hash
	n      int64
}

// newMICHasher hashes under the usual digests and those named.
func newMICHasher(named ...Digest) *micHasher {
	m := &micHasher{named: map[Digest]bool{SHA256: true}, hashes: map[Digest]hash.Hash{}}
	for _, d := range named {
		if d.Valid() {
			m.named[d] = true
			m.hashes[d] = d.New()
		}
	}
	for _, d := range []Digest{SHA1, SHA256, SHA384, SHA512} {
		m.hashes[d] = d.New()
	}
	return m
}

// Write implements io.Writer; it never fails.
func (m *micHasher) Write(p []byte) (int, error) {
	for _, h := range m.hashes {
		_, _ = h.Write(p) // a hash never fails
	}
	if m.n += int64(len(p)); m.n > allMICs && len(m.hashes) > len(m.named) {
		for d := range m.hashes {
			if !m.named[d] {
				delete(m.hashes, d)
			}
		}
	}
	return len(p), nil
}

// sums returns the digest values.
func (m *micHasher) sums() map[Digest][]byte {
	out := make(map[Digest][]byte, len(m.hashes))
	for d, h := range m.hashes {
		out[d] = h.Sum(nil)
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
