package as2

import (
	"errors"
	"io"
	"runtime"
	"sync"
)

// A small transmission must not pay for the buffers of a large one, and a
// large one must not crawl through small ones: buffers begin with firstBuffer
// octets and grow with what passes, up to lastBuffer.
const (
	firstBuffer = 4 << 10
	lastBuffer  = 128 << 10
)

// copyContent copies r to w. It is io.Copy with a buffer that grows, and
// without its short cuts: the whole content in one Write would be one step for
// whoever wants to stop, or to work on one piece while the next is read.
func copyContent(w io.Writer, r io.Reader) (int64, error) {
	if m, ok := r.(*multipartReader); ok {
		return m.WriteTo(w) // has its own buffer, of the same kind
	}
	var n int64
	buf := make([]byte, firstBuffer)
	for {
		got, err := r.Read(buf)
		if got > 0 {
			n += int64(got)
			if _, werr := w.Write(buf[:got]); werr != nil {
				return n, werr
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, err
		case n >= int64(len(buf)) && len(buf) < lastBuffer:
			buf = make([]byte, 2*len(buf))
		}
	}
}

// hashed writes to w and to the hashers. From the size on where it pays, the
// hashers work on a piece while w does: on encryption, or on the disk.
func hashed(w io.Writer, hashers ...*micHasher) io.Writer {
	return &hashedWriter{w: w, hashers: hashers, parallel: runtime.GOMAXPROCS(0) > 1}
}

type hashedWriter struct {
	w        io.Writer
	hashers  []*micHasher
	parallel bool
}

// parallelFrom is the length of a piece whose hash takes much longer than to
// begin and end a goroutine.
const parallelFrom = 32 << 10

func (h *hashedWriter) Write(p []byte) (int, error) {
	if !h.parallel || len(p) < parallelFrom {
		for _, m := range h.hashers {
			_, _ = m.Write(p) // a hash never fails
		}
		return h.w.Write(p)
	}
	var wait sync.WaitGroup
	for _, m := range h.hashers {
		wait.Go(func() { _, _ = m.Write(p) }) // as above
	}
	n, err := h.w.Write(p)
	wait.Wait()
	return n, err
}
