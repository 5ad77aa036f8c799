package cms

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Peek tells the content type of the ContentInfo that r begins with, and leaves
// r where it is. It looks at no more than 64 octets, which r's buffer must be
// able to hold. It returns *SyntaxError when r does not begin with a ContentInfo
// and what r returned when it could not be read.
func Peek(r *bufio.Reader) (OID, error) {
	head, err := r.Peek(64)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return "", err
	}
	b := newBERReader(bufio.NewReaderSize(bytes.NewReader(head), len(head)), Limits{})
	b.what = "ContentInfo"
	if err := b.expectInto(tagSequence, "a sequence"); err != nil {
		return "", err
	}
	return b.oid("content type")
}

// oid reads an OBJECT IDENTIFIER.
func (b *berReader) oid(name string) (OID, error) {
	e, err := b.expect(tagOID, "the "+name)
	if err != nil {
		return "", err
	}
	c, err := b.parse(e)
	if err != nil {
		return "", err
	}
	id := c.oid(name)
	return id, c.p.err
}

// parse captures e and returns a cursor in front of it.
func (b *berReader) parse(e element) (cursor, error) {
	raw, err := b.capture(e)
	if err != nil {
		return cursor{}, err
	}
	c := b.cursor(raw, e.offset)
	return c, c.p.err
}

// openContentInfo reads the beginning of a ContentInfo (RFC 5652 section 3) up
// to and into the sequence that is its content.
func (b *berReader) openContentInfo() (OID, error) {
	b.what = "ContentInfo"
	if err := b.expectInto(tagSequence, "a sequence"); err != nil {
		return "", err
	}
	id, err := b.oid("content type")
	if err != nil {
		return "", err
	}
	if err := b.expectInto(tagContextCons|0, "the content"); err != nil {
		return "", err
	}
	return id, nil
}

// beginContentInfo writes the beginning of a ContentInfo of indefinite length up
// to and into the sequence that is its content.
func beginContentInfo(dst []byte, id OID) []byte {
	dst = append(dst, tagSequence, 0x80)
	dst = append(dst, encodeOID(id)...)
	return append(dst, tagContextCons|0, 0x80, tagSequence, 0x80)
}
