package certs

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" // #nosec G502 -- old key files are encrypted with it
	"crypto/pbkdf2"
	"crypto/sha1" // #nosec G505 -- old key files derive keys with it
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"
)

// maxIterations bounds the work a key file may ask for: a few seconds.
const maxIterations = 5_000_000

// unsupportedError is an algorithm of a key file that is not known here.
type unsupportedError struct{ what, oid string }

func (e *unsupportedError) Error() string {
	return fmt.Sprintf("certs: %s %s is not supported; convert the file with openssl", e.what, e.oid)
}

// errPadding is how a wrong password shows.
var errPadding = errors.New("certs: padding")

// pbes2Params are the parameters of PBES2 (RFC 8018 appendix A.4).
type pbes2Params struct {
	KDF    pkix.AlgorithmIdentifier
	Cipher pkix.AlgorithmIdentifier
}

// pbkdf2Params are the parameters of PBKDF2 (RFC 8018 appendix A.2).
type pbkdf2Params struct {
	Salt       []byte
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

// decryptPassword decrypts data under the password-based scheme alg: PBES2, or
// the 3DES scheme of PKCS #12.
func decryptPassword(alg pkix.AlgorithmIdentifier, data []byte, password string) ([]byte, error) {
	switch oid := alg.Algorithm.String(); oid {
	case "1.2.840.113549.1.5.13": // PBES2
		return decryptPBES2(alg, data, password)
	case "1.2.840.113549.1.12.1.3": // pbeWithSHAAnd3-KeyTripleDES-CBC
		var p struct {
			Salt       []byte
			Iterations int
		}
		if err := unmarshal(alg.Parameters.FullBytes, &p, "PBE parameters"); err != nil {
			return nil, err
		}
		if err := checkIterations(p.Iterations); err != nil {
			return nil, err
		}
		key := pkcs12Key(sha1.New, 64, bmpPassword(password), p.Salt, p.Iterations, 1, 24)
		iv := pkcs12Key(sha1.New, 64, bmpPassword(password), p.Salt, p.Iterations, 2, 8)
		block, err := des.NewTripleDESCipher(key) // #nosec G405 -- see import
		if err != nil {
			return nil, fmt.Errorf("certs: 3DES: %w", err)
		}
		return decryptCBC(block, iv, data)
	default:
		return nil, &unsupportedError{"password-based encryption", oid}
	}
}

// decryptPBES2 decrypts with a key of PBKDF2 (RFC 8018 section 6.2).
func decryptPBES2(alg pkix.AlgorithmIdentifier, data []byte, password string) ([]byte, error) {
	var p pbes2Params
	if err := unmarshal(alg.Parameters.FullBytes, &p, "PBES2 parameters"); err != nil {
		return nil, err
	}
	if oid := p.KDF.Algorithm.String(); oid != "1.2.840.113549.1.5.12" {
		return nil, &unsupportedError{"key derivation", oid}
	}
	var k pbkdf2Params
	if err := unmarshal(p.KDF.Parameters.FullBytes, &k, "PBKDF2 parameters"); err != nil {
		return nil, err
	}
	if err := checkIterations(k.Iterations); err != nil {
		return nil, err
	}
	var prf func() hash.Hash
	switch oid := k.PRF.Algorithm.String(); oid {
	case "", "1.2.840.113549.2.7":
		prf = sha1.New
	case "1.2.840.113549.2.9":
		prf = sha256.New
	case "1.2.840.113549.2.10":
		prf = sha512.New384
	case "1.2.840.113549.2.11":
		prf = sha512.New
	default:
		return nil, &unsupportedError{"pseudorandom function", oid}
	}
	size, makeBlock := 0, aes.NewCipher
	switch oid := p.Cipher.Algorithm.String(); oid {
	case "2.16.840.1.101.3.4.1.2":
		size = 16
	case "2.16.840.1.101.3.4.1.22":
		size = 24
	case "2.16.840.1.101.3.4.1.42":
		size = 32
	case "1.2.840.113549.3.7":
		size, makeBlock = 24, des.NewTripleDESCipher
	default:
		return nil, &unsupportedError{"cipher", oid}
	}
	var iv []byte
	if err := unmarshal(p.Cipher.Parameters.FullBytes, &iv, "initialisation vector"); err != nil {
		return nil, err
	}
	key, err := pbkdf2.Key(prf, password, k.Salt, k.Iterations, size)
	if err != nil {
		return nil, fmt.Errorf("certs: PBKDF2: %w", err)
	}
	block, err := makeBlock(key)
	if err != nil {
		return nil, fmt.Errorf("certs: cipher: %w", err)
	}
	return decryptCBC(block, iv, data)
}

// decryptCBC decrypts and takes the padding off.
func decryptCBC(block cipher.Block, iv, data []byte) ([]byte, error) {
	n := block.BlockSize()
	if len(iv) != n || len(data) == 0 || len(data)%n != 0 {
		return nil, errors.New("certs: encrypted data has a wrong length")
	}
	out := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, data)
	pad := int(out[len(out)-1])
	if pad < 1 || pad > n || !bytes.Equal(out[len(out)-pad:], bytes.Repeat(out[len(out)-1:], pad)) {
		return nil, errPadding
	}
	return out[:len(out)-pad], nil
}

// unmarshal parses DER that must be used up.
func unmarshal(der []byte, v any, what string) error {
	rest, err := asn1.Unmarshal(der, v)
	if err == nil && len(rest) > 0 {
		err = errors.New("trailing bytes")
	}
	if err != nil {
		return fmt.Errorf("certs: %s: %w", what, err)
	}
	return nil
}

// checkIterations refuses work without end.
func checkIterations(n int) error {
	if n < 1 || n > maxIterations {
		return fmt.Errorf("certs: the key file asks for %d iterations, at most %d are allowed", n, maxIterations)
	}
	return nil
}
