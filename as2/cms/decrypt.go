package cms

import (
	"crypto"
	"crypto/cipher"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
)

// DecryptionKey is one of our certificates with its private key.
type DecryptionKey struct {
	// Certificate is what recipients' identifiers are compared with.
	Certificate *x509.Certificate
	// Key is a crypto.Decrypter for RSA (*rsa.PrivateKey or a device that honours
	// *rsa.PKCS1v15DecryptOptions.SessionKeyLen and *rsa.OAEPOptions), or for key
	// agreement an *ecdsa.PrivateKey or a crypto/ecdh.KeyExchanger.
	Key crypto.PrivateKey
}

// Decrypted streams the plaintext of an EnvelopedData or AuthEnvelopedData and
// tells how it came.
type Decrypted struct {
	ContentType   OID               // what is inside; OIDData as a rule
	Cipher        Cipher            // how the content was encrypted
	Authenticated bool              // whether a tag protects the content (AES-GCM)
	Scheme        Scheme            // how the content key travelled
	Recipient     *x509.Certificate // which of our certificates it was encrypted to
	Recipients    []Identifier      // everybody it was encrypted to

	b        *berReader
	content  contentReader
	separate bool // an AuthEnvelopedData: attributes and tag follow the content
	count    int64
	trailing int
	err      error
}

// Decrypt reads the beginning of an EnvelopedData or AuthEnvelopedData
// ContentInfo from r, finds the recipients that are ours and returns the
// plaintext as a stream.
//
// Keys are tried in their order; several may match. From then on every failure
// that depends on a key is ErrDecrypt and shows only at the end of the stream: an
// RSA PKCS#1 v1.5 content key that does not unwrap is replaced by a random one
// (implicit rejection), padding is checked in constant time, and the same work
// is done in each case. Therefore the caller MUST NOT release or act upon
// plaintext before Read returned io.EOF. Plaintext without a tag
// (Authenticated false) can be garbage even then: answer what follows from a
// decryption failure and from garbage in the same words.
//
// Errors before that: *NotRecipientError, *UnsupportedError, *SyntaxError,
// *LimitError, or what r returned. random gives the replacement keys.
func Decrypt(random io.Reader, r io.Reader, keys []DecryptionKey, limits Limits) (*Decrypted, error) {
	for _, k := range keys {
		if err := k.check(); err != nil {
			return nil, err
		}
	}
	b := newBERReader(r, limits)
	id, err := b.openContentInfo()
	if err != nil {
		return nil, err
	}
	d := &Decrypted{b: b}
	switch id {
	case OIDEnvelopedData:
		b.what = "EnvelopedData"
	case OIDAuthEnvelopedData:
		b.what, d.separate = "AuthEnvelopedData", true
	default:
		return nil, &UnsupportedError{What: "content type for an enveloped-data", Name: string(id)}
	}
	recipients, err := b.recipients()
	if err != nil {
		return nil, err
	}
	for _, r := range recipients {
		d.Recipients = append(d.Recipients, r.id)
	}
	cands, reason := candidates(recipients, keys)
	switch {
	case len(cands) > 0:
	case reason != nil:
		return nil, reason
	default:
		return nil, &NotRecipientError{Recipients: d.Recipients}
	}
	parameters, src, err := d.encryptedContent()
	if err != nil {
		return nil, err
	}
	key, used, err := unwrapAll(random, cands, d.Cipher.KeySize())
	if err != nil {
		return nil, err
	}
	d.Recipient, d.Scheme = cands[used].key.Certificate, cands[used].scheme
	block, err := d.Cipher.newBlock(key)
	if err != nil {
		return nil, ErrDecrypt
	}
	return d, d.start(block, parameters, src)
}

// recipients reads up to and with the RecipientInfos.
func (b *berReader) recipients() ([]recipientInfo, error) {
	if err := b.expectInto(tagSequence, "a sequence"); err != nil {
		return nil, err
	}
	if err := b.version(); err != nil {
		return nil, err
	}
	e, ok, err := b.next()
	if err != nil {
		return nil, err
	}
	if ok && e.tag == tagContextCons|0 { // originatorInfo: their certificates, not needed
		if err := b.skip(e); err != nil {
			return nil, err
		}
		e, ok, err = b.next()
		if err != nil {
			return nil, err
		}
	}
	if !ok || e.tag != tagSet {
		return nil, b.syntax(b.off, "there are no recipient infos")
	}
	b.what += ".recipientInfos"
	c, err := b.parse(e)
	if err != nil {
		return nil, err
	}
	out := parseRecipients(c.into(tagSet, "recipient infos"))
	return out, c.p.err
}

// cipherParameters are those of a content encryption algorithm.
type cipherParameters struct {
	iv      []byte // or nonce
	tagSize int    // GCM only
}

// encryptedContent reads the EncryptedContentInfo up to its octets.
func (d *Decrypted) encryptedContent() (cipherParameters, *octetReader, error) {
	var none cipherParameters
	b := d.b
	b.what = "EncryptedContentInfo"
	if err := b.expectInto(tagSequence, "the encrypted content"); err != nil {
		return none, nil, err
	}
	var err error
	if d.ContentType, err = b.oid("content type"); err != nil {
		return none, nil, err
	}
	e, err := b.expect(tagSequence, "the content encryption algorithm")
	if err != nil {
		return none, nil, err
	}
	c, err := b.parse(e)
	if err != nil {
		return none, nil, err
	}
	parameters, err := d.algorithm(c.algorithm("content encryption algorithm"), c.p)
	if err != nil {
		return none, nil, err
	}
	if e, err = b.expectContext(0, "the encrypted octets"); err != nil {
		return none, nil, err
	}
	src, err := b.octets(e)
	return parameters, src, err
}

// expectContext reads the next element, which must have the context-specific tag
// number, primitive or constructed.
func (b *berReader) expectContext(number byte, name string) (element, error) {
	e, ok, err := b.next()
	if err != nil {
		return e, err
	}
	if !ok || e.tag&^constructedBit != tagContext|number {
		return e, b.syntax(b.off, "there are no "+name)
	}
	return e, nil
}

// algorithm understands the contentEncryptionAlgorithm (RFC 3565, RFC 5084).
func (d *Decrypted) algorithm(a algorithm, p *parsing) (cipherParameters, error) {
	if p.err != nil {
		return cipherParameters{}, p.err
	}
	known := false
	if d.Cipher, known = cipherOf(a.id); !known {
		return cipherParameters{}, &UnsupportedError{What: "cipher", Name: string(a.id)}
	}
	d.Authenticated = d.Cipher.Authenticated()
	if d.separate && !d.Authenticated {
		return cipherParameters{}, &UnsupportedError{What: "cipher for an auth-enveloped-data", Name: string(d.Cipher)}
	}
	c := p.sub(a.parameters)
	if !d.Authenticated {
		iv := c.octets("initialisation vector")
		if p.err == nil && len(iv) != d.Cipher.blockSize() {
			p.fail(fmt.Sprintf("an initialisation vector of %d octets", len(iv)))
		}
		return cipherParameters{iv: iv}, p.err
	}
	out := cipherParameters{tagSize: gcmMinTagSize}
	if !d.separate && c.is(tagOctetString) { // libas2: nothing but a nonce, which may be long
		out.iv, out.tagSize = c.octets("nonce"), gcmTagSize
	} else {
		seq := c.into(tagSequence, "GCM parameters")
		out.iv = seq.octets("nonce")
		if seq.more() {
			out.tagSize = seq.small("tag length")
		}
	}
	if p.err == nil && (len(out.iv) == 0 || out.tagSize < gcmMinTagSize || out.tagSize > gcmTagSize) {
		p.fail(fmt.Sprintf("a nonce of %d and a tag of %d octets", len(out.iv), out.tagSize))
	}
	return out, p.err
}

func (d *Decrypted) start(block cipher.Block, parameters cipherParameters, src io.Reader) error {
	if !d.Authenticated {
		d.content = newCBCReader(src, block, parameters.iv)
		return nil
	}
	var err error
	d.content, err = newGCMReader(src, block, parameters.iv, parameters.tagSize, !d.separate)
	return err
}

// Read implements io.Reader. io.EOF means that padding or tag were right.
func (d *Decrypted) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	n, err := d.content.Read(p)
	d.count += int64(n)
	if limit := d.b.limits.Content; d.count > limit {
		d.err = uniform(&LimitError{Limit: "content", Max: limit, Offset: d.b.off})
		return 0, d.err
	}
	if errors.Is(err, io.EOF) {
		err = d.end()
	}
	d.err = uniform(err)
	return n, d.err
}

// uniform gives every failure after the recipient was found the one name.
// Failures of the source keep theirs: nothing was wrong with the data.
func uniform(err error) error {
	var syntax *SyntaxError
	var limit *LimitError
	if errors.As(err, &syntax) || errors.As(err, &limit) {
		return fmt.Errorf("%w: %w", ErrDecrypt, err)
	}
	return err
}

// end reads what follows the content and tells whether all was well: io.EOF.
func (d *Decrypted) end() error {
	b := d.b
	if err := b.leave(); err != nil { // EncryptedContentInfo
		return err
	}
	var attributes, tag []byte
	if d.separate {
		var err error
		if attributes, tag, err = b.authentication(); err != nil {
			return err
		}
	}
	var err error
	if d.trailing, err = b.finish(); err != nil {
		return err
	}
	if !d.content.verified(attributes, tag) {
		return ErrDecrypt
	}
	return io.EOF
}

// authentication reads authAttrs and mac of an AuthEnvelopedData (RFC 5083
// section 2.1). What is authenticated are the attributes under the tag of a
// SET OF.
func (b *berReader) authentication() (attributes, tag []byte, err error) {
	b.what = "AuthEnvelopedData"
	e, ok, err := b.next()
	if err != nil {
		return nil, nil, err
	}
	if ok && e.tag == tagContextCons|1 {
		c, err := b.parse(e)
		if err != nil {
			return nil, nil, err
		}
		inner := c.into(tagContextCons|1, "authenticated attributes")
		attributes = derSet(inner.bytes())
		if c.p.err != nil {
			return nil, nil, c.p.err
		}
		if e, ok, err = b.next(); err != nil {
			return nil, nil, err
		}
	}
	if !ok || e.tag&^constructedBit != tagOctetString {
		return nil, nil, b.syntax(b.off, "there is no authentication code")
	}
	c, err := b.parse(e)
	if err != nil {
		return nil, nil, err
	}
	tag = c.octets("authentication code")
	return attributes, tag, c.p.err
}

// Trailing is the number of octets found behind the end of the structure, once
// Read returned io.EOF. It says 65536 when there was that much or more.
func (d *Decrypted) Trailing() int { return d.trailing }
