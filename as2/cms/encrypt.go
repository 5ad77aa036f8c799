package cms

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
)

// EncryptOptions says how a content is encrypted.
type EncryptOptions struct {
	// Cipher is the content encryption algorithm; AES256CBC when empty. An
	// Authenticated cipher makes an AuthEnvelopedData, any other an
	// EnvelopedData. TripleDES needs AllowTripleDES as well.
	Cipher Cipher
	// AllowTripleDES is the explicit word that 3DES may be written: it is for
	// partners that read nothing else.
	AllowTripleDES bool
	// ContentType is the type of what is inside; OIDData when empty.
	ContentType OID
	// Definite writes DER with definite lengths. Size must then be the exact
	// number of octets that will be written; Write and Close fail when it is
	// not. Without it the form is BER with indefinite lengths and octet strings
	// of 64 KiB, and Size is not looked at.
	Definite bool
	Size     int64
}

func (o EncryptOptions) check() (EncryptOptions, error) {
	if o.Cipher == "" {
		o.Cipher = AES256CBC
	}
	if o.ContentType == "" {
		o.ContentType = OIDData
	}
	switch {
	case !o.Cipher.Valid():
		return o, &UnsupportedError{What: "cipher", Name: string(o.Cipher)}
	case o.Cipher == TripleDES && !o.AllowTripleDES:
		return o, errors.New("cms: 3DES is written only when AllowTripleDES says so")
	case !validOID(o.ContentType):
		return o, &UnsupportedError{What: "content type", Name: string(o.ContentType)}
	case o.Definite && (o.Size < 0 || o.Size > o.Cipher.maxContent()):
		return o, fmt.Errorf("cms: a definite form under %s needs a size between 0 and %d, not %d", o.Cipher, o.Cipher.maxContent(), o.Size)
	}
	return o, nil
}

// Encrypter is where the plaintext goes. Nothing but Close tells whether the
// structure is whole.
type Encrypter struct {
	o       EncryptOptions
	chunks  chunkWriter
	gcm     *gcmStream // nil for CBC
	attrs   []byte     // contents of the authenticated attributes
	written int64
	size    int64
	err     error
}

// Encrypt writes the beginning of an EnvelopedData or AuthEnvelopedData
// ContentInfo for the recipients to w and returns where to write the content.
// Close ends the structure and does not close w. random gives the content key,
// the initialisation vector and the padding of the recipients' keys.
func Encrypt(random io.Reader, w io.Writer, recipients []Recipient, o EncryptOptions) (*Encrypter, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	if len(recipients) == 0 {
		return nil, errors.New("cms: nobody to encrypt to")
	}
	secret := make([]byte, o.Cipher.KeySize()+16)
	if _, err := io.ReadFull(random, secret); err != nil {
		return nil, fmt.Errorf("cms: reading randomness: %w", err)
	}
	key, iv := secret[:o.Cipher.KeySize()], secret[o.Cipher.KeySize():]

	version := 0
	infos := make([][]byte, 0, len(recipients))
	for _, r := range recipients {
		info, plain, err := r.encode(random, key)
		if err != nil {
			return nil, err
		}
		if !plain && !o.Cipher.Authenticated() {
			version = 2
		}
		infos = append(infos, info)
	}
	e := &Encrypter{o: o, size: -1, chunks: chunkWriter{w: w, bare: o.Definite}}
	parameters, err := e.start(key, iv)
	if err != nil {
		return nil, err
	}
	fields := append(encodeSmall(version), setOf(tagSet, infos...)...)
	algorithm := append(encodeOID(o.ContentType), encodeAlgorithm(o.Cipher.OID(), parameters)...)
	head := e.indefiniteHead(fields, algorithm)
	if o.Definite {
		head = e.definiteHead(fields, algorithm)
	}
	_, err = w.Write(head)
	return e, err
}

// start sets the cipher up and returns its encoded parameters.
func (e *Encrypter) start(key, random []byte) (parameters []byte, err error) {
	block, err := e.o.Cipher.newBlock(key)
	if err != nil {
		return nil, err
	}
	if !e.o.Cipher.Authenticated() {
		iv := random[:block.BlockSize()]
		mode := cipher.NewCBCEncrypter(block, iv)
		e.chunks.transform = func(chunk []byte) { mode.CryptBlocks(chunk, chunk) }
		return tlv(tagOctetString, iv), nil
	}
	nonce := random[:gcmNonceSize]
	if e.gcm, err = newGCMStream(block, nonce); err != nil {
		return nil, err
	}
	e.chunks.transform = e.gcm.seal
	if e.o.ContentType != OIDData { // RFC 5083 section 2.1: then it must be protected too
		e.attrs = encodeAttribute(oidContentType, encodeOID(e.o.ContentType))
	}
	return tlv(tagSequence, tlv(tagOctetString, nonce), encodeSmall(gcmTagSize)), nil
}

func (e *Encrypter) structure() OID {
	if e.gcm != nil {
		return OIDAuthEnvelopedData
	}
	return OIDEnvelopedData
}

// indefiniteHead is everything up to the first chunk.
func (e *Encrypter) indefiniteHead(fields, algorithm []byte) []byte {
	head := beginContentInfo(nil, e.structure())
	head = append(head, fields...)
	head = append(head, tagSequence, 0x80)
	head = append(head, algorithm...)
	return append(head, tagContextCons|0, 0x80)
}

// definiteHead is everything up to the first octet of ciphertext, for a content
// of the announced size.
func (e *Encrypter) definiteHead(fields, algorithm []byte) []byte {
	content := e.o.Size
	if e.gcm == nil {
		block := int64(e.o.Cipher.blockSize())
		content += block - content%block
	}
	// From the inside out; each header is written in front of the one before.
	parts := [][]byte{appendHeader64(nil, tagContext|0, content), algorithm}
	length := content + int64(len(parts[0])+len(algorithm))
	wrap := func(tag byte, before []byte) {
		h := appendHeader64(nil, tag, length)
		parts = append(parts, h, before)
		length += int64(len(h) + len(before))
	}
	wrap(tagSequence, fields) // EncryptedContentInfo
	length += int64(len(e.tail(make([]byte, gcmTagSize))))
	wrap(tagSequence, nil)
	wrap(tagContextCons|0, encodeOID(e.structure()))
	wrap(tagSequence, nil)
	e.size = length

	var head []byte
	for i := len(parts) - 1; i >= 0; i-- {
		head = append(head, parts[i]...)
	}
	return head
}

// tail is what follows the EncryptedContentInfo: with GCM the authenticated
// attributes and the tag.
func (e *Encrypter) tail(tag []byte) []byte {
	if e.gcm == nil {
		return nil
	}
	var attrs []byte
	if e.attrs != nil {
		attrs = tlv(tagContextCons|1, e.attrs)
	}
	return append(attrs, tlv(tagOctetString, tag)...)
}

// Size is the length in octets of the whole structure when it is Definite (what
// a Content-Length needs), -1 otherwise.
func (e *Encrypter) Size() int64 { return e.size }

// Write encrypts p. It implements io.Writer.
func (e *Encrypter) Write(p []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	e.written += int64(len(p))
	switch {
	case e.o.Definite && e.written > e.o.Size:
		e.err = fmt.Errorf("cms: more than the %d octets announced were written", e.o.Size)
		return 0, e.err
	case e.written > e.o.Cipher.maxContent():
		e.err = &LimitError{Limit: "content", Max: e.o.Cipher.maxContent()}
		return 0, e.err
	}
	n, err := e.chunks.Write(p)
	e.err = err
	return n, err
}

// Close ends the content and the structure.
func (e *Encrypter) Close() error {
	if e.err != nil {
		return e.err
	}
	e.err = errClosed
	if e.o.Definite && e.written != e.o.Size {
		return fmt.Errorf("cms: %d octets were written, %d were announced", e.written, e.o.Size)
	}
	if e.gcm == nil {
		if err := e.pad(); err != nil {
			return err
		}
	}
	if err := e.chunks.flush(); err != nil {
		return err
	}
	var end []byte
	if !e.o.Definite {
		end = append(end, 0, 0, 0, 0) // of the octets and of EncryptedContentInfo
	}
	if e.gcm != nil {
		var additional []byte
		if e.attrs != nil {
			additional = tlv(tagSet, e.attrs)
		}
		end = append(end, e.tail(e.gcm.sum(additional))...)
	}
	if !e.o.Definite {
		end = append(end, 0, 0, 0, 0, 0, 0)
	}
	_, err := e.chunks.w.Write(end)
	return err
}

// pad fills the last block (RFC 5652 section 6.3).
func (e *Encrypter) pad() error {
	block := e.o.Cipher.blockSize()
	n := block - int(e.written%int64(block))
	padding := make([]byte, n)
	for i := range padding {
		padding[i] = byte(n & 0xff)
	}
	_, err := e.chunks.Write(padding)
	return err
}
