package transport

import (
	"bytes"
	"io"
)

// Open returns a reader over the bytes.
func (b Bytes) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }

// Size returns the number of bytes.
func (b Bytes) Size() int64 { return int64(len(b)) }
