package cms

import (
	"crypto"
	"crypto/aes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
)

// Recipient says to whom a content key is encrypted and how. An RSA certificate
// gets key transport (RFC 5652 section 6.2.1), an elliptic curve certificate
// (P-256, P-384, P-521) gets key agreement with a fresh key (RFC 5753).
type Recipient struct {
	Certificate *x509.Certificate
	// OAEP asks for RSAES-OAEP with these parameters instead of
	// RSAES-PKCS1-v1_5; RSA keys only.
	OAEP *OAEP
	// KeyIdentifier names the certificate by subject key identifier instead of
	// by issuer and serial number.
	KeyIdentifier bool
}

// OAEP holds the parameters of RSAES-OAEP (RFC 8017 section 7.1). The zero
// value means SHA-256 throughout and no label.
type OAEP struct {
	Digest Digest // hash of the label; SHA256 when empty
	MGF    Digest // hash of the mask generation function; Digest when empty
	Label  []byte
}

func (o OAEP) withDefaults() OAEP {
	if o.Digest == "" {
		o.Digest = SHA256
	}
	if o.MGF == "" {
		o.MGF = o.Digest
	}
	return o
}

func (o OAEP) options() *rsa.OAEPOptions {
	return &rsa.OAEPOptions{Hash: o.Digest.Hash(), MGFHash: o.MGF.Hash(), Label: o.Label}
}

// encode writes RSAES-OAEP-params (RFC 4055 section 4.1).
func (o OAEP) encode() []byte {
	var label []byte
	if len(o.Label) > 0 {
		label = tlv(tagContextCons|2, encodeAlgorithm(oidPSpecified, tlv(tagOctetString, o.Label)))
	}
	return tlv(tagSequence, encodeHashes(o.Digest, o.MGF), label)
}

// parseOAEP reads RSAES-OAEP-params, whose defaults are SHA-1 throughout.
func parseOAEP(parameters []byte) (OAEP, error) {
	o := OAEP{Digest: SHA1, MGF: SHA1}
	if len(parameters) == 0 {
		return o, nil
	}
	p := &parsing{what: "RSAES-OAEP-params"}
	c := p.sub(parameters)
	seq := c.into(tagSequence, "parameters")
	var err error
	if inner, ok := seq.optional(tagContextCons | 0); ok {
		if o.Digest, err = knownDigest(inner.algorithm("hash algorithm").id); err != nil && p.err == nil {
			return o, err
		}
	}
	if inner, ok := seq.optional(tagContextCons | 1); ok {
		if o.MGF, err = maskDigest(inner.algorithm("mask generation algorithm"), p); err != nil {
			return o, err
		}
	}
	if inner, ok := seq.optional(tagContextCons | 2); ok {
		a := inner.algorithm("label")
		if a.id != oidPSpecified && p.err == nil {
			return o, &UnsupportedError{What: "label source", Name: string(a.id)}
		}
		label := p.sub(a.parameters)
		o.Label = label.octets("label")
	}
	return o, p.err
}

// encode writes the RecipientInfo that carries the content key to r, and tells
// whether it is one that makes the EnvelopedData version 0.
func (r Recipient) encode(random io.Reader, contentKey []byte) (info []byte, plain bool, err error) {
	if r.Certificate == nil {
		return nil, false, fmt.Errorf("cms: a recipient without a certificate")
	}
	id := identifier(r.Certificate, r.KeyIdentifier)
	if r.KeyIdentifier && id.KeyID == nil {
		return nil, false, fmt.Errorf("cms: the certificate %s has no key identifier", r.Certificate.Subject)
	}
	switch key := certificateKey(r.Certificate).(type) {
	case *rsa.PublicKey:
		info, err = r.transport(random, key, id, contentKey)
		plain = !r.KeyIdentifier
	case *ecdsa.PublicKey:
		if r.OAEP != nil {
			return nil, false, fmt.Errorf("cms: OAEP is for RSA keys, the certificate %s has an elliptic curve key", r.Certificate.Subject)
		}
		info, err = agree(random, key, id, contentKey)
	default:
		err = &UnsupportedError{What: "recipient key", Name: fmt.Sprintf("%T", key)}
	}
	if err != nil {
		return nil, false, fmt.Errorf("cms: encrypting to %s: %w", r.Certificate.Subject, err)
	}
	return info, plain, nil
}

// transport writes a KeyTransRecipientInfo.
func (r Recipient) transport(random io.Reader, key *rsa.PublicKey, id Identifier, contentKey []byte) ([]byte, error) {
	method := encodeAlgorithm(oidRSAEncryption, encodeNull())
	var encrypted []byte
	var err error
	if r.OAEP != nil {
		o := r.OAEP.withDefaults()
		if !o.Digest.Valid() || !o.MGF.Valid() {
			return nil, &UnsupportedError{What: "digest for OAEP", Name: string(o.Digest) + "/" + string(o.MGF)}
		}
		method = encodeAlgorithm(oidRSAOAEP, o.encode())
		encrypted, err = rsa.EncryptOAEPWithOptions(random, key, contentKey, o.options())
	} else {
		encrypted, err = rsa.EncryptPKCS1v15(random, key, contentKey)
	}
	if err != nil {
		return nil, err
	}
	version := 0
	if r.KeyIdentifier {
		version = 2
	}
	return tlv(tagSequence, encodeSmall(version), id.encode(tagContext|0), method, tlv(tagOctetString, encrypted)), nil
}

// agreement is a key agreement scheme: one-pass Diffie-Hellman, with or without
// the cofactor, which is 1 on all curves here, and the digest of its KDF.
func agreementDigest(id OID) (Digest, bool) {
	switch id {
	case oidStdDHSHA1, oidCofactorSHA1:
		return SHA1, true
	case oidStdDHSHA224, oidCofactorSHA224:
		return SHA224, true
	case oidStdDHSHA256, oidCofactorSHA256:
		return SHA256, true
	case oidStdDHSHA384, oidCofactorSHA384:
		return SHA384, true
	case oidStdDHSHA512, oidCofactorSHA512:
		return SHA512, true
	}
	return "", false
}

// wrapSize is the key size of a key wrap algorithm in octets.
func wrapSize(id OID) (int, bool) {
	switch id {
	case oidAES128Wrap:
		return 16, true
	case oidAES192Wrap, oid3DESWrap:
		return 24, true
	case oidAES256Wrap:
		return 32, true
	}
	return 0, false
}

// sharedInfo is the ECC-CMS-SharedInfo that goes into the key derivation
// (RFC 5753 section 7.2). wrap is the encoded identifier of the key wrap.
func sharedInfo(wrap, ukm []byte, keySize int) []byte {
	var user []byte
	if ukm != nil {
		user = tlv(tagContextCons|0, tlv(tagOctetString, ukm))
	}
	var bits [4]byte
	binary.BigEndian.PutUint32(bits[:], uint32(keySize)*8) //nolint:gosec // 16 to 32
	return tlv(tagSequence, wrap, user, tlv(tagContextCons|2, tlv(tagOctetString, bits[:])))
}

// agree writes a KeyAgreeRecipientInfo with a fresh key on the recipient's curve.
func agree(random io.Reader, key *ecdsa.PublicKey, id Identifier, contentKey []byte) ([]byte, error) {
	public, err := key.ECDH()
	if err != nil {
		return nil, err
	}
	fresh, err := public.Curve().GenerateKey(random)
	if err != nil {
		return nil, err
	}
	secret, err := fresh.ECDH(public)
	if err != nil {
		return nil, err
	}
	scheme, digest := oidStdDHSHA256, SHA256
	switch public.Curve() {
	case ecdh.P384():
		scheme, digest = oidStdDHSHA384, SHA384
	case ecdh.P521():
		scheme, digest = oidStdDHSHA512, SHA512
	}
	wrapID := oidAES256Wrap
	switch len(contentKey) {
	case 16:
		wrapID = oidAES128Wrap
	case 24:
		wrapID = oidAES192Wrap
	}
	size, _ := wrapSize(wrapID)
	wrap := encodeAlgorithm(wrapID)
	block, err := aes.NewCipher(deriveKey(digest, secret, sharedInfo(wrap, nil, size), size))
	if err != nil {
		return nil, err
	}
	rid := id.encode(tagContext | 0)
	if id.KeyID != nil { // RecipientKeyIdentifier is a sequence here
		rid = tlv(tagContextCons|0, tlv(tagOctetString, id.KeyID))
	}
	originator := tlv(tagContextCons|0, tlv(tagContextCons|1,
		encodeAlgorithm(oidECPublicKey), tlv(tagBitString, []byte{0}, fresh.PublicKey().Bytes())))
	return tlv(tagContextCons|1,
		encodeSmall(3),
		originator,
		encodeAlgorithm(scheme, wrap),
		tlv(tagSequence, tlv(tagSequence, rid, tlv(tagOctetString, wrapKey(block, contentKey))))), nil
}

// recipientInfo is one way to the content key that a message offers.
type recipientInfo struct {
	id        Identifier
	method    algorithm
	encrypted []byte
	agreement *agreementInfo // nil for key transport
}

// agreementInfo is what several recipients of one key agreement share.
type agreementInfo struct {
	public []byte // the originator's point
	ukm    []byte // nil when absent
}

// parseRecipients reads the RecipientInfos (RFC 5652 section 6.2). Kinds that
// need no certificate (passwords, key-encryption keys) are passed over.
func parseRecipients(set cursor) []recipientInfo {
	var out []recipientInfo
	for set.more() {
		tag, info, _ := set.any()
		switch tag {
		case tagSequence:
			info.small("version")
			r := recipientInfo{id: info.identifier(tagContext|0, "recipient's identifier")}
			r.method = info.algorithm("key encryption algorithm")
			r.encrypted = info.octets("encrypted key")
			out = append(out, r)
		case tagContextCons | 1:
			out = append(out, parseAgreement(info)...)
		}
	}
	return out
}

// parseAgreement reads a KeyAgreeRecipientInfo (RFC 5652 section 6.2.2). An
// originator that is only named leaves nothing to agree with.
func parseAgreement(info cursor) []recipientInfo {
	info.small("version")
	originator := info.into(tagContextCons|0, "originator")
	shared := &agreementInfo{}
	if key, ok := originator.optional(tagContextCons | 1); ok {
		key.algorithm("originator's algorithm")
		shared.public = key.bits("originator's public key")
	}
	if ukm, ok := info.optional(tagContextCons | 1); ok {
		shared.ukm = append([]byte{}, ukm.octets("user keying material")...)
	}
	method := info.algorithm("key encryption algorithm")
	keys := info.into(tagSequence, "recipient encrypted keys")
	var out []recipientInfo
	for keys.more() {
		one := keys.into(tagSequence, "recipient encrypted key")
		r := recipientInfo{method: method, agreement: shared}
		if rid, ok := one.optional(tagContextCons | 0); ok {
			r.id = Identifier{KeyID: append([]byte{}, rid.octets("key identifier")...)}
		} else {
			r.id = one.identifier(tagContext|0, "recipient's identifier")
		}
		r.encrypted = one.octets("encrypted key")
		out = append(out, r)
	}
	return out
}

// publicOf returns the public half of whatever key it is, nil when it has none.
func publicOf(key crypto.PrivateKey) crypto.PublicKey {
	switch k := key.(type) {
	case interface{ Public() crypto.PublicKey }:
		return k.Public()
	case ecdh.KeyExchanger:
		return k.PublicKey()
	}
	return nil
}
