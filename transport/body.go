package transport

import (
	"bytes"
	"io"
)

// Open returns a reader over the bytes.
func (b Bytes) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }

// Release frees what b holds beside memory (a temporary file), if anything. A
// released body cannot be opened again.
func Release(b Body) error {
	if c, ok := b.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// Size returns the number of bytes.
func (b Bytes) Size() int64 { return int64(len(b)) }
