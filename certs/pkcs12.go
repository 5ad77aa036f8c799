package certs

import (
	"crypto"
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- old key files are protected with it
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"math/big"
	"unicode/utf16"

	"golang.org/x/crypto/pkcs12"
)

// ParsePKCS12 reads a .p12 or .pfx file: one private key, its certificate and
// the chain (RFC 7292). It reads PBES2 with AES, which newer tools write, and
// the 3DES and RC2 of older ones. ErrPassword when the password is wrong.
func ParsePKCS12(data []byte, password string) (*Pair, error) {
	key, cs, err := openPKCS12(data, password)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, fmt.Errorf("PKCS #12 file: %w", ErrNoKey)
	}
	return NewPair(key, cs)
}

// ParseTrustStore reads the certificates of a PKCS #12 file, with or without a
// private key: what Java programs keep those of their partners in.
func ParseTrustStore(data []byte, password string) ([]*x509.Certificate, error) {
	_, cs, err := openPKCS12(data, password)
	if err == nil && len(cs) == 0 {
		err = fmt.Errorf("PKCS #12 file: %w", ErrNoCertificate)
	}
	return unique(cs), err
}

// openPKCS12 reads what is in a file; key is nil when there is none.
func openPKCS12(data []byte, password string) (crypto.Signer, []*x509.Certificate, error) {
	if len(data) > maxInput {
		return nil, nil, fmt.Errorf("certs: input of %d bytes is over the limit of %d", len(data), maxInput)
	}
	key, cs, err := readPFX(data, password)
	var unsupported *unsupportedError
	if errors.As(err, &unsupported) {
		// RC2: leave it to the library that knows it.
		if k, c, legacyErr := readLegacyPFX(data, password); legacyErr == nil || errors.Is(legacyErr, ErrPassword) {
			key, cs, err = k, c, legacyErr
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("certs: PKCS #12 file: %w", err)
	}
	return key, cs, nil
}

// readLegacyPFX reads with golang.org/x/crypto, which is old and frozen:
// damaged input can make it panic.
func readLegacyPFX(data []byte, password string) (key crypto.Signer, cs []*x509.Certificate, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("damaged")
		}
	}()
	blocks, err := pkcs12.ToPEM(data, password)
	if errors.Is(err, pkcs12.ErrIncorrectPassword) {
		return nil, nil, ErrPassword
	}
	if err != nil {
		return nil, nil, err
	}
	for _, b := range blocks {
		if err := collect(b, &key, &cs); err != nil {
			return nil, nil, err
		}
	}
	return key, cs, nil
}

// collect adds a key or certificate of a file.
func collect(b *pem.Block, key *crypto.Signer, cs *[]*x509.Certificate) error {
	switch b.Type {
	case "PRIVATE KEY":
		if *key != nil {
			return errors.New("more than one private key: export the one you mean alone")
		}
		k, err := parseKeyDER(b.Bytes)
		if err != nil {
			return err
		}
		*key = k
	case "CERTIFICATE":
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return fmt.Errorf("certificate: %w", err)
		}
		*cs = append(*cs, c)
	}
	return nil
}

// The structures of RFC 7292, as far as they are read.
type (
	pfx struct {
		Version int
		Auth    contentInfo
		MAC     macData `asn1:"optional"`
	}
	contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"tag:0,explicit,optional"`
	}
	macData struct {
		Digest struct {
			Algorithm pkix.AlgorithmIdentifier
			Value     []byte
		}
		Salt       []byte
		Iterations int `asn1:"optional,default:1"`
	}
	encryptedData struct {
		Version int
		Info    struct {
			Type      asn1.ObjectIdentifier
			Algorithm pkix.AlgorithmIdentifier
			Content   asn1.RawValue `asn1:"tag:0,optional"`
		}
	}
	safeBag struct {
		ID         asn1.ObjectIdentifier
		Value      asn1.RawValue `asn1:"tag:0,explicit"`
		Attributes asn1.RawValue `asn1:"set,optional"`
	}
	encryptedKey struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	certBag struct {
		ID    asn1.ObjectIdentifier
		Value []byte `asn1:"tag:0,explicit"`
	}
)

const (
	oidData          = "1.2.840.113549.1.7.1"
	oidEncryptedData = "1.2.840.113549.1.7.6"
	oidKeyBag        = "1.2.840.113549.1.12.10.1.1"
	oidShroudedBag   = "1.2.840.113549.1.12.10.1.2"
	oidCertBag       = "1.2.840.113549.1.12.10.1.3"
)

// readPFX reads a file in DER.
func readPFX(data []byte, password string) (key crypto.Signer, cs []*x509.Certificate, err error) {
	var p pfx
	if err := unmarshal(data, &p, "PFX"); err != nil {
		return nil, nil, err
	}
	if p.Auth.Type.String() != oidData {
		return nil, nil, &unsupportedError{"integrity mode", p.Auth.Type.String()}
	}
	var safe []byte
	if err := unmarshal(p.Auth.Content.Bytes, &safe, "AuthenticatedSafe"); err != nil {
		return nil, nil, err
	}
	if err := p.MAC.verify(safe, password); err != nil {
		return nil, nil, err
	}
	var infos []contentInfo
	if err := unmarshal(safe, &infos, "AuthenticatedSafe"); err != nil {
		return nil, nil, err
	}
	for _, info := range infos {
		content, err := info.open(password)
		if err != nil {
			return nil, nil, err
		}
		var bags []safeBag
		if err := unmarshal(content, &bags, "SafeContents"); err != nil {
			return nil, nil, err
		}
		for _, bag := range bags {
			b, err := bag.open(password)
			if err != nil {
				return nil, nil, err
			}
			if err := collect(b, &key, &cs); err != nil {
				return nil, nil, err
			}
		}
	}
	return key, cs, nil
}

// open returns the SafeContents of a content.
func (c contentInfo) open(password string) ([]byte, error) {
	switch c.Type.String() {
	case oidData:
		var b []byte
		err := unmarshal(c.Content.Bytes, &b, "SafeContents")
		return b, err
	case oidEncryptedData:
		var e encryptedData
		if err := unmarshal(c.Content.Bytes, &e, "EncryptedData"); err != nil {
			return nil, err
		}
		b, err := decryptPassword(e.Info.Algorithm, e.Info.Content.Bytes, password)
		return b, wrongPassword(err)
	}
	return nil, &unsupportedError{"content type", c.Type.String()}
}

// open returns what a bag holds; kinds that are not wanted give an empty block.
func (b safeBag) open(password string) (*pem.Block, error) {
	switch b.ID.String() {
	case oidKeyBag:
		return &pem.Block{Type: "PRIVATE KEY", Bytes: b.Value.Bytes}, nil
	case oidShroudedBag:
		der, err := decryptKey(b.Value.Bytes, password)
		return &pem.Block{Type: "PRIVATE KEY", Bytes: der}, err
	case oidCertBag:
		var c certBag
		if err := unmarshal(b.Value.Bytes, &c, "CertBag"); err != nil {
			return nil, err
		}
		return &pem.Block{Type: "CERTIFICATE", Bytes: c.Value}, nil
	}
	return &pem.Block{}, nil
}

// decryptKey opens an EncryptedPrivateKeyInfo (RFC 5958).
func decryptKey(der []byte, password string) ([]byte, error) {
	var k encryptedKey
	if err := unmarshal(der, &k, "EncryptedPrivateKeyInfo"); err != nil {
		return nil, err
	}
	b, err := decryptPassword(k.Algorithm, k.Data, password)
	return b, wrongPassword(err)
}

// wrongPassword names what broken padding means.
func wrongPassword(err error) error {
	if errors.Is(err, errPadding) {
		return ErrPassword
	}
	return err
}

// verify checks the password-based integrity of a file (RFC 7292 section 4).
func (m macData) verify(content []byte, password string) error {
	if len(m.Digest.Value) == 0 {
		return errors.New("no integrity check is inside: export it again with one")
	}
	if err := checkIterations(m.Iterations); err != nil {
		return err
	}
	var h func() hash.Hash
	block := 64
	switch oid := m.Digest.Algorithm.Algorithm.String(); oid {
	case "1.3.14.3.2.26":
		h = sha1.New
	case "2.16.840.1.101.3.4.2.1":
		h = sha256.New
	case "2.16.840.1.101.3.4.2.2":
		h, block = sha512.New384, 128
	case "2.16.840.1.101.3.4.2.3":
		h, block = sha512.New, 128
	default:
		return &unsupportedError{"integrity check", oid}
	}
	key := pkcs12Key(h, block, bmpPassword(password), m.Salt, m.Iterations, 3, h().Size())
	mac := hmac.New(h, key)
	mac.Write(content)
	if !hmac.Equal(mac.Sum(nil), m.Digest.Value) {
		return ErrPassword
	}
	return nil
}

// bmpPassword writes a password the way PKCS #12 wants it: UTF-16, big endian,
// with an end mark.
func bmpPassword(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.BigEndian.AppendUint16(out, u)
	}
	return append(out, 0, 0)
}

// pkcs12Key derives size bytes for a purpose (RFC 7292 appendix B.2). block is
// the block size of the hash.
func pkcs12Key(h func() hash.Hash, block int, password, salt []byte, iterations int, purpose byte, size int) []byte {
	fill := func(b []byte) []byte {
		if len(b) == 0 {
			return nil
		}
		n := (len(b) + block - 1) / block * block
		out := make([]byte, n)
		for i := range out {
			out[i] = b[i%len(b)]
		}
		return out
	}
	diversifier := make([]byte, block)
	for i := range diversifier {
		diversifier[i] = purpose
	}
	input := append(fill(salt), fill(password)...)
	one := big.NewInt(1)
	var out []byte
	for {
		d := h()
		d.Write(diversifier)
		d.Write(input)
		sum := d.Sum(nil)
		for i := 1; i < iterations; i++ {
			d.Reset()
			d.Write(sum)
			sum = d.Sum(sum[:0])
		}
		out = append(out, sum...)
		if len(out) >= size {
			return out[:size]
		}
		// Every block of the input grows by the sum and one.
		add := new(big.Int).SetBytes(fill(sum)[:block])
		add.Add(add, one)
		for i := 0; i < len(input); i += block {
			v := new(big.Int).SetBytes(input[i : i+block])
			v.Add(v, add)
			b := v.Bytes()
			if len(b) > block {
				b = b[len(b)-block:]
			}
			clear(input[i : i+block])
			copy(input[i+block-len(b):i+block], b)
		}
	}
}
