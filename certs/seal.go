package certs

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// sealMagic begins every sealed secret and names the format.
const sealMagic = "tradepost-sealed-1\n"

// Sealer encrypts secrets at rest with AES-256-GCM.
type Sealer struct {
	aead cipher.AEAD
}

// NewSealer makes a Sealer from a 32 byte key.
func NewSealer(key []byte) (*Sealer, error) {
	if len(key) != 32 {
		return nil, fmt.Errorf("certs: sealing key has %d bytes, want 32", len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("certs: sealing key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("certs: sealing key: %w", err)
	}
	return &Sealer{aead: aead}, nil
}

// ParseSealingKey reads a 32 byte key from a file or an environment variable:
// 64 hex digits, or base64. White space around it is ignored.
func ParseSealingKey(text []byte) ([]byte, error) {
	t := string(bytes.TrimSpace(text))
	if k, err := hex.DecodeString(t); err == nil && len(k) == 32 {
		return k, nil
	}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if k, err := enc.DecodeString(t); err == nil && len(k) == 32 {
			return k, nil
		}
	}
	return nil, errors.New("certs: sealing key: want 32 bytes as 64 hex digits or as base64; make one with: openssl rand -hex 32")
}

// NewSealingKey makes a sealing key, as the hex digits ParseSealingKey reads.
func NewSealingKey(random io.Reader) (string, error) {
	if random == nil {
		random = rand.Reader
	}
	k := make([]byte, 32)
	if _, err := io.ReadFull(random, k); err != nil {
		return "", fmt.Errorf("certs: sealing key: %w", err)
	}
	return hex.EncodeToString(k), nil
}

// Seal encrypts secret. label names what it is (for example the fingerprint of
// a public key) and must be given again to Open, so that one sealed
// secret cannot be put in the place of another. random nil is crypto/rand.
func (s *Sealer) Seal(random io.Reader, label string, secret []byte) ([]byte, error) {
	if random == nil {
		random = rand.Reader
	}
	nonce := make([]byte, s.aead.NonceSize())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("certs: seal: %w", err)
	}
	out := append([]byte(sealMagic), nonce...)
	return s.aead.Seal(out, nonce, secret, sealLabel(label)), nil
}

// Open decrypts what Seal made. ErrSealed when it cannot.
func (s *Sealer) Open(label string, sealed []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(sealed, []byte(sealMagic))
	if !ok || len(rest) < s.aead.NonceSize() {
		return nil, ErrSealed
	}
	n := s.aead.NonceSize()
	secret, err := s.aead.Open(nil, rest[:n], rest[n:], sealLabel(label))
	if err != nil {
		return nil, ErrSealed
	}
	return secret, nil
}

// IsSealed reports whether data looks like the output of Seal.
func IsSealed(data []byte) bool { return bytes.HasPrefix(data, []byte(sealMagic)) }

// sealLabel binds format and label to the ciphertext.
func sealLabel(label string) []byte {
	sum := sha256.Sum256([]byte(sealMagic + label))
	return sum[:]
}
