package cms

import (
	"bufio"
	"errors"
	"io"
	"math"
)

// Universal tags and the classes used here, as identifier octets (X.690 8.1.2).
const (
	tagInteger     = 0x02
	tagBitString   = 0x03
	tagOctetString = 0x04
	tagNull        = 0x05
	tagOID         = 0x06
	tagUTCTime     = 0x17
	tagGeneralized = 0x18
	tagSequence    = 0x30
	tagSet         = 0x31
	tagContext     = 0x80 // primitive context-specific; add the number
	tagContextCons = 0xa0 // constructed context-specific; add the number

	constructedBit = 0x20
)

const (
	bufferSize   = 8 << 10  // of a reader over foreign bytes; large reads go past it
	maxTrailing  = 64 << 10 // octets behind the end that are counted
	inlineFrames = 16       // nesting that costs no allocation
)

// element is the beginning of one BER element: identifier and length octets.
type element struct {
	tag    byte  // identifier octet; tag numbers above 30 are never asked for
	length int64 // of the contents; -1 means indefinite
	offset int64 // of the identifier octet
}

func (e *element) constructed() bool { return e.tag&constructedBit != 0 }

// frame is one element that has been entered and not left.
type frame struct {
	end        int64 // where it ends, or where the nearest definite one around it does
	indefinite bool
	ended      bool // its end-of-contents octets were read
}

// berReader is a pull parser of BER over a stream (X.690 clause 8). It holds one
// buffer and one frame per entered element.
type berReader struct {
	src    *bufio.Reader
	off    int64
	what   string // what is being read, for errors
	limits Limits
	frames []frame
	store  [inlineFrames]frame
	raw    [24]byte // the header read last, as it came
	rawLen int
}

func newBERReader(r io.Reader, limits Limits) *berReader {
	b := &berReader{limits: limits.withDefaults()}
	if br, ok := r.(*bufio.Reader); ok {
		b.src = br
	} else {
		b.src = bufio.NewReaderSize(r, bufferSize)
	}
	b.frames = b.store[:0]
	return b
}

func (b *berReader) syntax(offset int64, problem string) error {
	return &SyntaxError{Offset: offset, Element: b.what, Problem: problem}
}

// failed turns an error of the source into what callers see: an early end is a
// matter of syntax, everything else is passed on.
func (b *berReader) failed(err error) error {
	if errors.Is(err, io.EOF) {
		return &SyntaxError{Offset: b.off, Element: b.what, Problem: "the data ends here", cause: io.ErrUnexpectedEOF}
	}
	return err
}

func (b *berReader) octet() (byte, error) {
	c, err := b.src.ReadByte()
	if err != nil {
		return 0, b.failed(err)
	}
	b.off++
	return c, nil
}

// readFull fills p from the contents of the current element.
func (b *berReader) readFull(p []byte) error {
	for len(p) > 0 {
		n, err := b.src.Read(p)
		b.off += int64(n)
		p = p[n:]
		if err != nil && len(p) > 0 {
			return b.failed(err)
		}
	}
	return nil
}

// end is where the innermost definite element around here ends.
func (b *berReader) end() int64 {
	if len(b.frames) == 0 {
		return math.MaxInt64
	}
	return b.frames[len(b.frames)-1].end
}

// header reads identifier and length octets.
func (b *berReader) header() (element, error) {
	e := element{offset: b.off}
	b.rawLen = 0
	if !b.quickHeader(&e) {
		if err := b.slowHeader(&e); err != nil {
			return e, err
		}
	}
	if end := b.end(); b.off > end || e.length > end-b.off {
		return e, b.syntax(e.offset, "an element that is longer than the one around it")
	}
	return e, nil
}

// quickHeader takes a header of the usual kinds, an identifier of one octet and
// a length of up to five, if it is in the buffer whole.
func (b *berReader) quickHeader(e *element) bool {
	p, _ := b.src.Peek(min(b.src.Buffered(), 6))
	if len(p) < 2 || p[0]&0x1f == 0x1f || p[1] == 0x80 && p[0]&constructedBit == 0 {
		return false
	}
	n := 2
	switch {
	case p[1] < 0x80:
		e.length = int64(p[1])
	case p[1] == 0x80:
		e.length = -1
	case p[1] <= 0x84 && len(p) >= 2+int(p[1]&0x7f):
		n += int(p[1] & 0x7f)
		for _, digit := range p[2:n] {
			e.length = e.length<<8 | int64(digit)
		}
	default:
		return false
	}
	e.tag = p[0]
	b.rawLen = copy(b.raw[:], p[:n])
	b.off += int64(n)
	_, err := b.src.Discard(n)
	return err == nil // they are in the buffer
}

// slowHeader takes any header, octet by octet.
func (b *berReader) slowHeader(e *element) error {
	take := func() (byte, error) {
		c, err := b.octet()
		if err != nil {
			return 0, err
		}
		if b.rawLen == len(b.raw) {
			return 0, b.syntax(e.offset, "an identifier or length of too many octets")
		}
		b.raw[b.rawLen] = c
		b.rawLen++
		return c, nil
	}
	c, err := take()
	if err != nil {
		return err
	}
	e.tag = c
	for more := c&0x1f == 0x1f; more; {
		if c, err = take(); err != nil {
			return err
		}
		more = c&0x80 != 0
	}
	if c, err = take(); err != nil {
		return err
	}
	switch {
	case c < 0x80:
		e.length = int64(c)
	case c == 0x80:
		if !e.constructed() {
			return b.syntax(e.offset, "a primitive element of indefinite length")
		}
		e.length = -1
	default:
		for n := int(c & 0x7f); n > 0; n-- {
			if c, err = take(); err != nil {
				return err
			}
			if e.length > math.MaxInt64>>8 {
				return b.syntax(e.offset, "a length no data can have")
			}
			e.length = e.length<<8 | int64(c)
		}
	}
	if e.length > math.MaxInt64-b.off {
		return b.syntax(e.offset, "a length no data can have")
	}
	return nil
}

// next reads the header of the next element inside the current one. It returns
// false when there is none. End-of-contents octets inside a definite element, as
// some products leave them, are passed over.
func (b *berReader) next() (element, bool, error) {
	for {
		var f *frame
		if n := len(b.frames); n > 0 {
			f = &b.frames[n-1]
			if f.ended || (!f.indefinite && b.off == f.end) {
				return element{}, false, nil
			}
		}
		e, err := b.header()
		if err != nil {
			return e, false, err
		}
		if e.tag != 0 {
			return e, true, nil
		}
		if e.length != 0 {
			return e, false, b.syntax(e.offset, "an end-of-contents with contents")
		}
		switch {
		case f == nil:
			return e, false, b.syntax(e.offset, "an end-of-contents with nothing to end")
		case f.indefinite:
			f.ended = true
			return element{}, false, nil
		}
	}
}

// enter makes e, whose header was just read, the current element.
func (b *berReader) enter(e element) error {
	if !e.constructed() {
		return b.syntax(e.offset, "a primitive element where a constructed one belongs")
	}
	if len(b.frames) >= b.limits.Depth {
		return &LimitError{Limit: "depth", Max: int64(b.limits.Depth), Offset: e.offset}
	}
	f := frame{end: b.end(), indefinite: e.length < 0}
	if !f.indefinite {
		f.end = b.off + e.length
	}
	b.frames = append(b.frames, f)
	return nil
}

// pop goes back to the element around the current one, which must be at its end.
func (b *berReader) pop() { b.frames = b.frames[:len(b.frames)-1] }

// leave ends the current element, passing over what is left in it.
func (b *berReader) leave() error {
	for {
		e, ok, err := b.next()
		if err != nil {
			return err
		}
		if !ok {
			b.pop()
			return nil
		}
		if err := b.skip(e); err != nil {
			return err
		}
	}
}

// expect reads the next element, which must have the tag.
func (b *berReader) expect(tag byte, name string) (element, error) {
	e, ok, err := b.next()
	if err != nil {
		return e, err
	}
	if !ok {
		return e, b.syntax(b.off, "there is no "+name)
	}
	if e.tag != tag {
		return e, b.syntax(e.offset, "something else where "+name+" belongs")
	}
	return e, nil
}

// expectInto expects an element and enters it.
func (b *berReader) expectInto(tag byte, name string) error {
	e, err := b.expect(tag, name)
	if err != nil {
		return err
	}
	return b.enter(e)
}

// skip passes over the contents of e.
func (b *berReader) skip(e element) error {
	if e.length >= 0 {
		return b.discard(e.length)
	}
	base := len(b.frames)
	if err := b.enter(e); err != nil {
		return err
	}
	for len(b.frames) > base {
		e, ok, err := b.next()
		switch {
		case err != nil:
			return err
		case !ok:
			b.pop()
		case e.length >= 0:
			err = b.discard(e.length)
		default:
			err = b.enter(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *berReader) discard(n int64) error {
	for n > 0 {
		d, err := b.src.Discard(int(min(n, 1<<20)))
		b.off += int64(d)
		n -= int64(d)
		if err != nil {
			return b.failed(err)
		}
	}
	return nil
}

// capture reads the whole of e, whose header was the last one read, into memory
// as it came, at most limits.Header octets of it.
func (b *berReader) capture(e element) ([]byte, error) {
	limit := b.limits.Header
	out := append([]byte(nil), b.raw[:b.rawLen]...)
	grow := func(n int64) error {
		if n > int64(limit-len(out)) {
			return &LimitError{Limit: "header", Max: int64(limit), Offset: e.offset}
		}
		at := len(out)
		out = append(out, make([]byte, n)...)
		return b.readFull(out[at:])
	}
	if e.length >= 0 {
		return out, grow(e.length)
	}
	base := len(b.frames)
	if err := b.enter(e); err != nil {
		return nil, err
	}
	for len(b.frames) > base {
		e, ok, err := b.next()
		if err != nil {
			return nil, err
		}
		if !ok { // all that were entered here are indefinite
			b.pop()
			out = append(out, 0, 0)
			continue
		}
		if len(out)+b.rawLen > limit {
			return nil, &LimitError{Limit: "header", Max: int64(limit), Offset: e.offset}
		}
		out = append(out, b.raw[:b.rawLen]...)
		if e.length >= 0 {
			err = grow(e.length)
		} else {
			err = b.enter(e)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// finish leaves every element that is still open and counts what lies behind.
func (b *berReader) finish() (trailing int, err error) {
	for len(b.frames) > 0 {
		if err := b.leave(); err != nil {
			return 0, err
		}
	}
	for trailing < maxTrailing {
		n, err := b.src.Discard(maxTrailing - trailing)
		trailing += n
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return trailing, err
		}
	}
	return trailing, nil
}

// octetReader streams the contents of an OCTET STRING, primitive or constructed
// to any depth allowed (X.690 8.7), under its universal or an implicit tag.
type octetReader struct {
	b    *berReader
	base int   // frames that were open before
	left int64 // octets left of the current primitive string
	done bool
}

// octets starts reading the contents of e, whose header was just read.
func (b *berReader) octets(e element) (*octetReader, error) {
	o := &octetReader{b: b, base: len(b.frames)}
	if e.constructed() {
		return o, b.enter(e)
	}
	o.left = e.length
	return o, nil
}

// Read implements io.Reader. After io.EOF the berReader is behind the string.
func (o *octetReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for o.left == 0 {
		if o.done || len(o.b.frames) == o.base {
			o.done = true
			return 0, io.EOF
		}
		e, ok, err := o.b.next()
		switch {
		case err != nil:
			return 0, err
		case !ok:
			o.b.pop()
		case e.tag == tagOctetString:
			o.left = e.length
		case e.tag == tagOctetString|constructedBit:
			err = o.b.enter(e)
		default:
			err = o.b.syntax(e.offset, "something else inside an octet string")
		}
		if err != nil {
			return 0, err
		}
	}
	if int64(len(p)) > o.left {
		p = p[:o.left]
	}
	n, err := o.b.src.Read(p)
	o.b.off += int64(n)
	o.left -= int64(n)
	if err != nil && n == 0 {
		return 0, o.b.failed(err)
	}
	return n, nil
}
