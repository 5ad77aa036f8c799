package cms

import "io"

// chunkSize is the length of the octet strings a content of unknown size is cut
// into, and the unit of work of the ciphers. It is a multiple of every block.
const chunkSize = 64 << 10

// chunkHeader is the room for identifier and length of a chunk: 04 83 01 00 00.
const chunkHeader = 5

// chunkWriter collects what is written into chunks, transforms each in place
// and writes it as a primitive octet string, or bare.
type chunkWriter struct {
	w         io.Writer
	transform func(chunk []byte) // nil for none
	bare      bool               // without identifier and length
	buf       []byte             // room for the header, then the chunk
	n         int                // octets of the chunk so far
}

func (c *chunkWriter) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		c.room(len(p))
		n := copy(c.buf[chunkHeader+c.n:chunkHeader+min(chunkSize, len(c.buf)-chunkHeader)], p)
		c.n += n
		p = p[n:]
		if c.n == chunkSize {
			if err := c.flush(); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

// room grows the buffer, so that a small content does not cost a large one.
func (c *chunkWriter) room(n int) {
	need := chunkHeader + min(chunkSize, c.n+n)
	if need <= len(c.buf) {
		return
	}
	size := max(4<<10, 2*len(c.buf))
	for size < need {
		size *= 2
	}
	grown := make([]byte, min(size, chunkHeader+chunkSize))
	copy(grown, c.buf)
	c.buf = grown
}

// flush writes what is collected.
func (c *chunkWriter) flush() error {
	if c.n == 0 {
		return nil
	}
	chunk := c.buf[chunkHeader : chunkHeader+c.n]
	if c.transform != nil {
		c.transform(chunk)
	}
	c.n = 0
	if !c.bare {
		var header [chunkHeader]byte
		h := appendHeader(header[:0], tagOctetString, len(chunk))
		at := chunkHeader - len(h)
		copy(c.buf[at:], h)
		chunk = c.buf[at : chunkHeader+len(chunk)]
	}
	_, err := c.w.Write(chunk)
	return err
}
