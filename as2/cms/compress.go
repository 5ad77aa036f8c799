package cms

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
)

// Deflaters keeps compressors from one use to the next: each holds most of a
// megabyte, which costs more than to deflate a small content. The zero value is
// ready, and so is a nil pointer, which keeps none. It is safe for concurrent
// use, and keeps no more of them than twice the number of processors.
type Deflaters struct {
	mu   sync.Mutex
	free [2][]*deflater // the usual ones, and those for small contents
}

// briefContent is the size in octets up to which the swiftest level makes a
// content about as small as the usual one. To get a compressor of the usual
// level ready takes four times as long as such a content itself.
const briefContent = 4 << 10

// deflater is a compressor that writes to whatever is put behind it.
type deflater struct {
	zlib  *zlib.Writer
	to    io.Writer
	small int // index in Deflaters.free
}

// Write implements io.Writer for zlib.
func (d *deflater) Write(p []byte) (int, error) { return d.to.Write(p) }

// Compress is the function Compress with the level that suits a content of size
// octets, -1 when that is not known.
func (d *Deflaters) Compress(w io.Writer, size int64) (io.WriteCloser, error) {
	return compress(w, d.take(size), d)
}

// Deflate gives a bare zlib stream, as WrapCompressed wants it, for a content
// of size octets, -1 when that is not known. Close ends the stream and does not
// close w.
func (d *Deflaters) Deflate(w io.Writer, size int64) io.WriteCloser {
	z := d.take(size)
	z.to = w
	z.zlib.Reset(z)
	return &deflateWriter{z, d}
}

type deflateWriter struct {
	z      *deflater
	keeper *Deflaters
}

func (w *deflateWriter) Write(p []byte) (int, error) { return w.z.zlib.Write(p) }

func (w *deflateWriter) Close() error {
	z := w.z
	w.z = nil // to use it again is a fault
	if err := z.zlib.Close(); err != nil {
		return err
	}
	w.keeper.giveBack(z)
	return nil
}

func (d *Deflaters) take(size int64) *deflater {
	z := &deflater{}
	level := zlib.DefaultCompression
	if size >= 0 && size <= briefContent {
		z.small, level = 1, zlib.BestSpeed
	}
	if d != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		free := &d.free[z.small]
		if n := len(*free); n > 0 {
			z, *free = (*free)[n-1], (*free)[:n-1]
			return z
		}
	}
	z.zlib, _ = zlib.NewWriterLevel(z, level) // the level is one there is
	return z
}

func (d *Deflaters) giveBack(z *deflater) {
	z.to = nil
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if free := &d.free[z.small]; len(*free) < runtime.GOMAXPROCS(0) {
		*free = append(*free, z)
	}
}

// compressWriter is the writing end of a CompressedData.
type compressWriter struct {
	z      *deflater
	chunks *chunkWriter
	keeper *Deflaters // gets the compressor back, may be nil
	err    error
}

// Compress writes the beginning of a CompressedData ContentInfo to w (RFC 3274,
// zlib) and returns where to write the content. Close ends the structure and
// does not close w. level is that of compress/zlib: 1 (fastest) to 9 (smallest),
// 0 for none, -1 for the usual. The form is BER with indefinite lengths.
func Compress(w io.Writer, level int) (io.WriteCloser, error) {
	z := &deflater{}
	var err error
	if z.zlib, err = zlib.NewWriterLevel(z, level); err != nil {
		return nil, fmt.Errorf("cms: %w", err)
	}
	return compress(w, z, nil)
}

// WrapCompressed writes a CompressedData ContentInfo as DER, with definite
// lengths, around a finished zlib stream of size octets. It fails when the
// stream has more or less.
func WrapCompressed(w io.Writer, stream io.Reader, size int64) error {
	var head []byte
	length := size
	wrap := func(tag byte, before []byte) { // from the inside out
		head = slices.Concat(before, appendHeader64(nil, tag, length), head)
		length = size + int64(len(head))
	}
	wrap(tagOctetString, nil)
	wrap(tagContextCons|0, encodeOID(OIDData))
	wrap(tagSequence, append(encodeSmall(0), encodeAlgorithm(oidZlib)...))
	wrap(tagSequence, nil)
	wrap(tagContextCons|0, encodeOID(OIDCompressedData))
	wrap(tagSequence, nil)
	if _, err := w.Write(head); err != nil {
		return err
	}
	n, err := io.Copy(w, io.LimitReader(stream, size+1))
	if err != nil {
		return err
	}
	if n != size {
		return fmt.Errorf("cms: the compressed stream has not the %d octets announced", size)
	}
	return nil
}

// compress is Compress with a compressor of any state.
func compress(w io.Writer, z *deflater, keeper *Deflaters) (io.WriteCloser, error) {
	chunks := &chunkWriter{w: w}
	z.to = chunks
	z.zlib.Reset(z)
	head := beginContentInfo(nil, OIDCompressedData)
	head = append(head, encodeSmall(0)...)
	head = append(head, encodeAlgorithm(oidZlib)...)
	head = append(head, tagSequence, 0x80)
	head = append(head, encodeOID(OIDData)...)
	head = append(head, tagContextCons|0, 0x80, tagOctetString|constructedBit, 0x80)
	if _, err := w.Write(head); err != nil {
		return nil, err
	}
	return &compressWriter{z: z, chunks: chunks, keeper: keeper}, nil
}

func (c *compressWriter) Write(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.z.zlib.Write(p)
	c.err = err
	return n, err
}

func (c *compressWriter) Close() error {
	if c.err != nil {
		return c.err
	}
	c.err = errClosed
	if err := c.z.zlib.Close(); err != nil {
		return err
	}
	c.keeper.giveBack(c.z)
	if err := c.chunks.flush(); err != nil {
		return err
	}
	// Ends of the octet string, of [0], of encapContentInfo, of CompressedData,
	// of [0] and of ContentInfo.
	_, err := c.chunks.w.Write(make([]byte, 12))
	return err
}

// Decompressed is the content of a CompressedData as it is inflated.
type Decompressed struct {
	// Base64 tells that the octets are base64 of a zlib stream and not the
	// stream itself, as phpas2 writes them. No standard has that; it is read,
	// and left to the caller to mention.
	Base64 bool

	b     *berReader
	src   *compressedOctets
	start int64 // of the compressed octets
	zlib  io.ReadCloser
	count int64
	err   error

	trailing int
}

// Trailing is the number of octets found behind the end of the structure, once
// Read returned io.EOF. It says 65536 when there was that much or more.
func (d *Decompressed) Trailing() int { return d.trailing }

// Decompress reads the beginning of a CompressedData ContentInfo from r and
// returns the content as a stream. limits.Content and limits.Ratio bound what
// comes out.
func Decompress(r io.Reader, limits Limits) (*Decompressed, error) {
	b := newBERReader(r, limits)
	id, err := b.openContentInfo()
	if err != nil {
		return nil, err
	}
	if id != OIDCompressedData {
		return nil, &UnsupportedError{What: "content type for a compressed-data", Name: string(id)}
	}
	b.what = "CompressedData"
	if err := b.expectInto(tagSequence, "a sequence"); err != nil {
		return nil, err
	}
	if err := b.version(); err != nil {
		return nil, err
	}
	e, err := b.expect(tagSequence, "the compression algorithm")
	if err != nil {
		return nil, err
	}
	c, err := b.parse(e)
	if err != nil {
		return nil, err
	}
	if a := c.algorithm("compression algorithm"); c.p.err != nil {
		return nil, c.p.err
	} else if a.id != oidZlib {
		return nil, &UnsupportedError{What: "compression", Name: string(a.id)}
	}
	b.what = "CompressedData.encapContentInfo"
	if err := b.expectInto(tagSequence, "the content"); err != nil {
		return nil, err
	}
	if _, err := b.oid("content type"); err != nil {
		return nil, err
	}
	if err := b.expectInto(tagContextCons|0, "the content"); err != nil {
		return nil, err
	}
	if e, err = b.expectOctets("the compressed octets"); err != nil {
		return nil, err
	}
	octets, err := b.octets(e)
	if err != nil {
		return nil, err
	}
	d := &Decompressed{b: b, src: &compressedOctets{octets: octets}, start: b.off}
	d.Base64 = d.src.base64Text()
	if d.zlib, err = zlib.NewReader(d.src); err != nil {
		return nil, d.broken(err)
	}
	return d, nil
}

// expectOctets reads the next element, which must be an OCTET STRING, primitive
// or constructed.
func (b *berReader) expectOctets(name string) (element, error) {
	e, ok, err := b.next()
	if err != nil {
		return e, err
	}
	if !ok || e.tag&^constructedBit != tagOctetString {
		return e, b.syntax(b.off, "there are no "+name)
	}
	return e, nil
}

// Read implements io.Reader. It returns *SyntaxError for anything broken,
// *LimitError when the content grows too large, or what the source returned;
// only io.EOF means that the checksum was right and the structure whole.
func (d *Decompressed) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	n, err := d.zlib.Read(p)
	d.count += int64(n)
	limits := d.b.limits
	switch {
	case d.count > limits.Content:
		err, n = &LimitError{Limit: "content", Max: limits.Content, Offset: d.at()}, 0
	case limits.Ratio > 0 && d.count > ratioGrace && d.count/int64(limits.Ratio) > d.src.count:
		err, n = &LimitError{Limit: "ratio", Max: int64(limits.Ratio), Offset: d.at()}, 0
	case errors.Is(err, io.EOF):
		err = d.end()
	case err != nil:
		err = d.broken(err)
	}
	d.err = err
	return n, err
}

// at is about where the inflater is: chunk headers are not counted, nor is what
// was read ahead.
func (d *Decompressed) at() int64 { return d.start + d.src.count }

// broken turns what the inflater says into what callers see.
func (d *Decompressed) broken(err error) error {
	if d.src.err != nil {
		return d.src.err
	}
	var corrupt flate.CorruptInputError
	problem := "the compressed octets are broken"
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		problem, err = "the compressed octets end too early", io.ErrUnexpectedEOF
	case errors.Is(err, zlib.ErrHeader):
		problem = "the compressed octets are not zlib"
	case errors.Is(err, zlib.ErrChecksum):
		problem = "the checksum of the content is wrong"
	case errors.As(err, &corrupt):
		problem = "the compressed octets are not deflate"
	}
	return &SyntaxError{Offset: d.at(), Element: d.b.what, Problem: problem, cause: err}
}

// end passes over what follows the compressed stream; io.EOF means all was well.
func (d *Decompressed) end() error {
	if _, err := io.Copy(io.Discard, d.src.octets); err != nil {
		return err
	}
	var err error
	if d.trailing, err = d.b.finish(); err != nil {
		return err
	}
	return io.EOF
}

// compressedOctets feeds the inflater, counts, and keeps the first failure apart
// from the inflater's own. It reads ahead by itself, an octet at a time where
// the inflater asks so.
type compressedOctets struct {
	octets *octetReader
	text   io.Reader // decodes octets when they are base64, else nil
	buf    [4 << 10]byte
	at, n  int
	count  int64
	err    error
}

// base64Text looks at the first octet. A zlib stream begins with one whose low
// half is 8, base64 of a zlib stream with one of eight letters, none of which
// has that half. It then decodes, and the octets counted are those decoded.
func (c *compressedOctets) base64Text() bool {
	if c.more() != nil || c.n == 0 || bytes.IndexByte([]byte("CGKOSWae"), c.buf[0]) < 0 {
		return false
	}
	c.text = base64.NewDecoder(base64.StdEncoding, io.MultiReader(bytes.NewReader(bytes.Clone(c.buf[:c.n])), rawOctets{c}))
	c.n = 0
	return true
}

// rawOctets are the octets as they stand.
type rawOctets struct{ c *compressedOctets }

func (r rawOctets) Read(p []byte) (int, error) {
	n, err := r.c.octets.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.c.err = err
	}
	return n, err
}

func (c *compressedOctets) more() error {
	if c.err != nil {
		return c.err
	}
	var src io.Reader = rawOctets{c}
	if c.text != nil {
		src = c.text
	}
	n, err := src.Read(c.buf[:])
	if c.at, c.n = 0, n; n > 0 {
		return nil // an error comes again
	}
	return err
}

// Read implements io.Reader.
func (c *compressedOctets) Read(p []byte) (int, error) {
	for c.at == c.n {
		if err := c.more(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.buf[c.at:c.n])
	c.at += n
	c.count += int64(n)
	return n, nil
}

// ReadByte implements io.ByteReader, which the inflater prefers.
func (c *compressedOctets) ReadByte() (byte, error) {
	for c.at == c.n {
		if err := c.more(); err != nil {
			return 0, err
		}
	}
	c.at++
	c.count++
	return c.buf[c.at-1], nil
}
