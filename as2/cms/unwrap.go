package cms

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
)

// maxCandidates is how many pairs of recipient and key are tried. More than one
// is rare: a certificate and its successor, or two certificates that carry the
// same issuer and serial number.
const maxCandidates = 4

// candidate is a recipient of the message that one of our keys belongs to.
type candidate struct {
	key    DecryptionKey
	scheme Scheme
	open   func(fallback []byte) []byte // the content key, or fallback
}

// candidates pairs recipients with keys. The error is the first reason why a
// pair could not be used, when there was one.
func candidates(recipients []recipientInfo, keys []DecryptionKey) ([]candidate, error) {
	var out []candidate
	var reason error
	for _, key := range keys {
		for _, r := range recipients {
			if len(out) == maxCandidates || !r.id.Matches(key.Certificate) {
				continue
			}
			c, err := r.candidate(key)
			if err != nil {
				if reason == nil {
					reason = err
				}
				continue
			}
			out = append(out, c)
		}
	}
	return out, reason
}

// candidate prepares the unwrapping of r with key. Its errors depend on nothing
// secret.
func (r recipientInfo) candidate(key DecryptionKey) (candidate, error) {
	c := candidate{key: key}
	if r.agreement != nil {
		exchanger, err := keyExchanger(key.Key)
		if err != nil {
			return c, err
		}
		c.scheme = ECDH
		c.open, err = r.agreed(exchanger)
		return c, err
	}
	decrypter, ok := key.Key.(crypto.Decrypter)
	if !ok {
		return c, &UnsupportedError{What: "key for key transport", Name: fmt.Sprintf("%T", key.Key)}
	}
	switch r.method.id {
	case oidRSAEncryption:
		c.scheme = RSAPKCS1
		c.open = func(fallback []byte) []byte {
			// What is read as randomness becomes the key when the padding is
			// wrong (RFC 3218 section 2.3.2), in constant time.
			got, err := decrypter.Decrypt(bytes.NewReader(fallback), r.encrypted,
				&rsa.PKCS1v15DecryptOptions{SessionKeyLen: len(fallback)})
			return keyOr(got, err == nil, fallback)
		}
	case oidRSAOAEP:
		o, err := parseOAEP(r.method.parameters)
		if err != nil {
			return c, err
		}
		c.scheme = RSAOAEP
		c.open = func(fallback []byte) []byte {
			got, err := decrypter.Decrypt(nil, r.encrypted, o.options())
			return keyOr(got, err == nil, fallback)
		}
	default:
		return c, &UnsupportedError{What: "key transport", Name: string(r.method.id)}
	}
	return c, nil
}

// keyOr returns got when it is a key of the right length, fallback otherwise.
func keyOr(got []byte, ok bool, fallback []byte) []byte {
	if !ok || len(got) != len(fallback) {
		return fallback
	}
	return got
}

// keyExchanger finds what can agree on a key.
func keyExchanger(key crypto.PrivateKey) (ecdh.KeyExchanger, error) {
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		return k.ECDH()
	case ecdh.KeyExchanger:
		return k, nil
	}
	return nil, &UnsupportedError{What: "key for key agreement", Name: fmt.Sprintf("%T", key)}
}

// agreed prepares a key agreement (RFC 5753 section 3.1).
func (r recipientInfo) agreed(key ecdh.KeyExchanger) (func([]byte) []byte, error) {
	digest, ok := agreementDigest(r.method.id)
	if !ok {
		return nil, &UnsupportedError{What: "key agreement", Name: string(r.method.id)}
	}
	p := &parsing{what: "KeyAgreeRecipientInfo.keyEncryptionAlgorithm"}
	c := p.sub(r.method.parameters)
	wrapID := c.algorithm("key wrap algorithm").id
	if p.err != nil {
		return nil, p.err
	}
	size, ok := wrapSize(wrapID)
	if !ok {
		return nil, &UnsupportedError{What: "key wrap", Name: string(wrapID)}
	}
	public, err := key.Curve().NewPublicKey(r.agreement.public)
	if err != nil {
		return nil, &SyntaxError{Element: "KeyAgreeRecipientInfo.originator", Problem: "not a point on the recipient's curve"}
	}
	wrap, _ := shorten(r.method.parameters, maxDepth)
	return func(fallback []byte) []byte {
		secret, err := key.ECDH(public)
		if err != nil {
			return fallback
		}
		kek := deriveKey(digest, secret, sharedInfo(wrap, r.agreement.ukm, size), size)
		if wrapID == oid3DESWrap {
			got, ok := unwrap3DES(kek, r.encrypted)
			return keyOr(got, ok == 1, fallback)
		}
		block, err := aes.NewCipher(kek)
		if err != nil {
			return fallback
		}
		got, ok := unwrapKey(block, r.encrypted)
		return keyOr(got, ok == 1, fallback)
	}, nil
}

// unwrapAll tries every candidate and returns the content key of the first that
// gives one, or a random key when none does. Which of these happened cannot be
// seen from the work done.
func unwrapAll(random io.Reader, cands []candidate, size int) (key []byte, used int, err error) {
	fallback := make([]byte, size)
	if _, err := io.ReadFull(random, fallback); err != nil {
		return nil, 0, fmt.Errorf("cms: reading randomness: %w", err)
	}
	key = bytes.Clone(fallback)
	found := 0
	for i, c := range cands {
		got := c.open(bytes.Clone(fallback))
		good := 1 - subtle.ConstantTimeCompare(got, fallback)
		take := good &^ found
		subtle.ConstantTimeCopy(take, key, got)
		used = subtle.ConstantTimeSelect(take, i, used)
		found |= good
	}
	return key, used, nil
}

// check finds a key that does not belong to its certificate, which would only
// show as a message that cannot be decrypted.
func (k DecryptionKey) check() error {
	if k.Certificate == nil || k.Key == nil {
		return errors.New("cms: a decryption key needs its certificate and its private key")
	}
	got := publicOf(k.Key)
	want := certificateKey(k.Certificate)
	if point, ok := got.(*ecdh.PublicKey); ok {
		if ec, isEC := want.(*ecdsa.PublicKey); isEC {
			if converted, err := ec.ECDH(); err == nil && converted.Equal(point) {
				return nil
			}
		}
	} else if public, ok := want.(interface{ Equal(crypto.PublicKey) bool }); ok && public.Equal(got) {
		return nil
	}
	return mismatch(k.Certificate)
}

func mismatch(c *x509.Certificate) error {
	return fmt.Errorf("cms: the private key does not belong to the certificate %s", c.Subject)
}
