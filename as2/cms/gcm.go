package cms

import (
	"bytes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"io"
)

// gcmTagSize is the length of the tags written; 12 to 16 octets are read
// (RFC 5084 section 3.2).
const (
	gcmTagSize    = 16
	gcmMinTagSize = 12
	gcmNonceSize  = 12
	gcmMaxContent = 1<<36 - 32 // octets, SP 800-38D section 5.2.1.1
)

// gcmStream is AES-GCM over a stream. The additional data may come last, as
// RFC 5083 has it on the wire.
type gcmStream struct {
	block cipher.Block
	hash  *ghash
	first [16]byte // the first counter block, J0
	ctr   cipher.Stream
	next  [16]byte // counter block ctr began with
	left  int64    // octets until its 32-bit counter wraps
	size  int64    // octets of content so far
}

func newGCMStream(block cipher.Block, nonce []byte) (*gcmStream, error) {
	hash, err := newGHASH(block)
	if err != nil {
		return nil, err
	}
	g := &gcmStream{block: block, hash: hash}
	if len(nonce) == gcmNonceSize {
		copy(g.first[:], nonce)
		g.first[15] = 1
	} else {
		hash.update(bytes.Clone(nonce))
		y, _ := hash.reset()
		g.first = y.add(field{lo: uint64(len(nonce)) * 8}).mul(hash.key).bytes()
	}
	g.next = g.first
	g.step(1)
	return g, nil
}

// step moves the counter on and starts the key stream there. Only the last 32
// bits count, and they wrap.
func (g *gcmStream) step(n uint32) {
	counter := binary.BigEndian.Uint32(g.next[12:]) + n
	binary.BigEndian.PutUint32(g.next[12:], counter)
	g.left = (1<<32 - int64(counter)) * 16
	g.ctr = cipher.NewCTR(g.block, g.next[:])
}

// xor applies the key stream in place.
func (g *gcmStream) xor(p []byte) {
	for len(p) > 0 {
		if g.left == 0 {
			binary.BigEndian.PutUint32(g.next[12:], 0)
			g.step(0)
		}
		n := int(min(int64(len(p)), g.left))
		g.ctr.XORKeyStream(p[:n], p[:n])
		g.left -= int64(n)
		p = p[n:]
	}
}

// seal encrypts a chunk in place; all but the last are whole blocks.
func (g *gcmStream) seal(p []byte) {
	g.size += int64(len(p))
	g.xor(p)
	g.hash.update(p)
}

// open decrypts a chunk in place.
func (g *gcmStream) open(p []byte) {
	g.size += int64(len(p))
	g.hash.update(p)
	g.xor(p)
}

// sum is the tag over everything and the additional data.
func (g *gcmStream) sum(additional []byte) []byte {
	content, blocks := g.hash.reset()
	g.hash.update(bytes.Clone(additional))
	y, _ := g.hash.reset()
	y = y.mul(g.hash.key.power(blocks)).add(content)
	size := uint64(g.size) //nolint:gosec // never negative: it only grows, to 2^36 at most
	y = y.add(field{hi: uint64(len(additional)) * 8, lo: size * 8}).mul(g.hash.key)
	var cover [16]byte
	g.block.Encrypt(cover[:], g.first[:])
	tag := y.add(fieldOf(cover[:])).bytes()
	return tag[:]
}

// gcmReader decrypts AES-GCM.
type gcmReader struct {
	src     io.Reader
	stream  *gcmStream
	tagSize int
	// appended tells that the tag is the end of the encrypted content, as in the
	// EnvelopedData some products make, which no standard describes.
	appended bool
	tag      []byte // of the appended form
	buf      []byte // undecrypted octets held back, then what is read
	held     int    // octets held back at buf[n:]
	n        int
	out      []byte
	fill     int
	done     bool
}

func newGCMReader(src io.Reader, block cipher.Block, nonce []byte, tagSize int, appended bool) (*gcmReader, error) {
	stream, err := newGCMStream(block, nonce)
	if err != nil {
		return nil, err
	}
	return &gcmReader{src: src, stream: stream, tagSize: tagSize, appended: appended, fill: firstFill}, nil
}

// Read implements io.Reader.
func (g *gcmReader) Read(p []byte) (int, error) {
	for len(g.out) == 0 {
		if g.done {
			return 0, io.EOF
		}
		if err := g.more(); err != nil {
			return 0, err
		}
	}
	n := copy(p, g.out)
	g.out = g.out[n:]
	return n, nil
}

// more decrypts the next whole blocks.
func (g *gcmReader) more() error {
	if len(g.buf) < g.fill+2*gcmTagSize {
		grown := make([]byte, g.fill+2*gcmTagSize)
		copy(grown, g.buf[g.n:g.n+g.held])
		g.buf = grown
	} else {
		copy(g.buf, g.buf[g.n:g.n+g.held])
	}
	got, err := io.ReadFull(g.src, g.buf[g.held:g.held+g.fill])
	got += g.held
	switch {
	case err == nil:
		g.fill = min(2*g.fill, chunkSize)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		g.done = true
	default:
		return err
	}
	reserve := 0
	if g.appended {
		reserve = g.tagSize
	}
	usable := max(got-reserve, 0)
	if !g.done {
		usable -= usable % 16
	} else if g.appended {
		g.tag = bytes.Clone(g.buf[usable:got])
	}
	if g.stream.size+int64(usable) > gcmMaxContent {
		return &LimitError{Limit: "content", Max: gcmMaxContent}
	}
	g.stream.open(g.buf[:usable])
	g.n, g.held = usable, got-usable
	g.out = g.buf[:usable]
	return nil
}

// verified implements contentReader.
func (g *gcmReader) verified(attributes, tag []byte) bool {
	if g.appended {
		tag = g.tag
	}
	if len(tag) != g.tagSize {
		return false
	}
	return subtle.ConstantTimeCompare(g.stream.sum(attributes)[:g.tagSize], tag) == 1
}
