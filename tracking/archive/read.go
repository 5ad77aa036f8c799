package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"strings"

	"tradepost/tracking"

	"github.com/klauspost/compress/zstd"
)

// Open implements tracking.Archive. Reading ends with a *CorruptError instead
// of io.EOF when the bytes are not those that were put.
func (a *Archive) Open(_ context.Context, p tracking.Payload) (io.ReadCloser, error) {
	if !isHash(p.SHA256) {
		return nil, fmt.Errorf("payload %q: that is no SHA-256: %w", p.SHA256, tracking.ErrNotFound)
	}
	f, err := a.root.Open(place(p.SHA256))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("payload %s is not in the archive: %w", p.SHA256, tracking.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("open payload %s: %w", p.SHA256, err)
	}
	dec, err := a.decoder(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open payload %s: %w", p.SHA256, err), f.Close())
	}
	return &content{archive: a, payload: p, file: f, dec: dec, sum: sha256.New()}, nil
}

// isHash tells whether s is 64 digits of lower-case hex, and so safe to make a
// path of.
func isHash(s string) bool {
	return len(s) == hex.EncodedLen(sha256.Size) && strings.Trim(s, "0123456789abcdef") == ""
}

func (a *Archive) decoder(r io.Reader) (*zstd.Decoder, error) {
	if dec, ok := a.decoders.Get().(*zstd.Decoder); ok {
		return dec, dec.Reset(r)
	}
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
}

// content reads one payload and checks it on the way.
type content struct {
	archive *Archive
	payload tracking.Payload
	file    io.Closer
	dec     *zstd.Decoder // nil when closed
	sum     hash.Hash
	read    int64
	err     error // how reading ended
}

func (c *content) Read(p []byte) (int, error) {
	switch {
	case c.dec == nil:
		return 0, fs.ErrClosed
	case c.err != nil:
		return 0, c.err
	}
	n, err := c.dec.Read(p)
	c.sum.Write(p[:n])
	c.read += int64(n)
	switch {
	case c.read > c.payload.Size:
		c.err = &CorruptError{Payload: c.payload}
	case errors.Is(err, io.EOF):
		c.err = io.EOF
		if hex.EncodeToString(c.sum.Sum(nil)) != c.payload.SHA256 || c.read != c.payload.Size {
			c.err = &CorruptError{Payload: c.payload}
		}
	case err != nil:
		c.err = &CorruptError{Payload: c.payload, Err: err}
	}
	return n, c.err
}

func (c *content) Close() error {
	if c.dec == nil {
		return nil
	}
	// A decoder without a source can be used again.
	if err := c.dec.Reset(nil); err == nil {
		c.archive.decoders.Put(c.dec)
	}
	c.dec = nil
	return c.file.Close()
}
