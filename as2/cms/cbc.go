package cms

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" //nolint:gosec // 3DES for partners that have nothing else
	"crypto/subtle"
	"errors"
	"io"
)

// newBlock returns the block cipher of c.
func (c Cipher) newBlock(key []byte) (cipher.Block, error) {
	if c == TripleDES {
		return des.NewTripleDESCipher(key) //nolint:gosec // see the import
	}
	return aes.NewCipher(key)
}

// blockSize is that of the block cipher, in octets.
func (c Cipher) blockSize() int {
	if c == TripleDES {
		return des.BlockSize
	}
	return aes.BlockSize
}

// contentReader is the decrypting end of a cipher: plaintext up to io.EOF, then
// verified tells whether padding or tag were right.
type contentReader interface {
	io.Reader
	// verified is called once after io.EOF with what follows the content in an
	// AuthEnvelopedData: the authenticated attributes and the tag.
	verified(attributes, tag []byte) bool
}

// cbcReader decrypts CBC and takes the padding off (RFC 5652 section 6.3).
type cbcReader struct {
	src   io.Reader
	mode  cipher.BlockMode
	block int
	buf   []byte // one block held back, then what is being decrypted
	held  bool   // buf begins with a block that may be the last
	n     int    // end of what is decrypted in buf
	out   []byte // what Read has still to hand out, part of buf
	fill  int    // octets to read at a time
	ok    int    // 1 when the padding was right
	done  bool
}

// firstFill is how much of a content is read before anything is known about
// its size; the amount doubles from there to chunkSize.
const firstFill = 4 << 10

func newCBCReader(src io.Reader, block cipher.Block, iv []byte) *cbcReader {
	return &cbcReader{src: src, mode: cipher.NewCBCDecrypter(block, iv), block: block.BlockSize(), fill: firstFill}
}

// Read implements io.Reader.
func (c *cbcReader) Read(p []byte) (int, error) {
	for len(c.out) == 0 {
		if c.done {
			return 0, io.EOF
		}
		if err := c.more(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.out)
	c.out = c.out[n:]
	return n, nil
}

// more decrypts the next piece and holds its last block back.
func (c *cbcReader) more() error {
	start := 0
	if len(c.buf) < c.block+c.fill {
		grown := make([]byte, c.block+c.fill)
		copy(grown, c.last())
		c.buf = grown
	} else {
		copy(c.buf, c.last())
	}
	if c.held {
		start = c.block
	}
	got, err := io.ReadFull(c.src, c.buf[start:start+c.fill])
	switch {
	case err == nil:
		c.fill = min(2*c.fill, chunkSize)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		c.done = true
	default:
		return err
	}
	whole := got - got%c.block
	c.mode.CryptBlocks(c.buf[start:start+whole], c.buf[start:start+whole])
	c.n = start + whole
	if c.n > 0 {
		c.held = true
		c.out = c.buf[:c.n-c.block]
	}
	if c.done {
		c.finish(got == whole && c.held)
	}
	return nil
}

// last is the block held back.
func (c *cbcReader) last() []byte {
	if !c.held {
		return nil
	}
	return c.buf[c.n-c.block : c.n]
}

// finish checks the padding in constant time and hands out what it leaves of
// the last block.
func (c *cbcReader) finish(whole bool) {
	if !whole {
		return // the length is wrong, which anyone can see
	}
	last := c.last()
	pad := int(last[len(last)-1])
	good := subtle.ConstantTimeLessOrEq(1, pad) & subtle.ConstantTimeLessOrEq(pad, c.block)
	for i, b := range last {
		inPad := subtle.ConstantTimeLessOrEq(c.block-i, pad)
		good &= subtle.ConstantTimeEq(int32(b), int32(last[len(last)-1])) | (1 - inPad)
	}
	c.ok = good
	keep := subtle.ConstantTimeSelect(good, c.block-pad, 0)
	c.out = c.buf[:c.n-c.block+keep]
}

// verified implements contentReader.
func (c *cbcReader) verified(_, _ []byte) bool { return c.ok == 1 }
