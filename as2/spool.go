package as2

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// defaultThreshold is Spool.Threshold when it is 0.
const defaultThreshold = 1 << 20

// Spool says where content is kept while it is worked on: in memory up to
// Threshold bytes, then in a temporary file. The file is unlinked at once
// where the system allows it, so a crash leaves nothing readable behind.
type Spool struct {
	// Dir is the folder of temporary files; empty is the system's.
	Dir string
	// Threshold in bytes; 0 is 1 MiB, negative keeps everything in memory.
	Threshold int64
}

// SpoolError is a failure of the local disk, never the partner's fault.
type SpoolError struct{ Err error }

// Error describes the failure.
func (e *SpoolError) Error() string { return "as2: spool: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *SpoolError) Unwrap() error { return e.Err }

// create makes an empty spooled content.
func (s Spool) create() *spooled {
	t := s.Threshold
	if t == 0 {
		t = defaultThreshold
	}
	return &spooled{dir: s.Dir, threshold: t}
}

// spooled is content that was written once and is read by section, any number
// of times and concurrently.
type spooled struct {
	dir       string
	threshold int64
	mem       [][]byte // blocks of spoolBlock octets, the last of them shorter
	file      *os.File
	name      string // to be removed at Close; empty when already unlinked
	size      int64
	closed    bool
}

// Write appends p, moving to a file when the threshold is passed.
func (b *spooled) Write(p []byte) (int, error) {
	if b.closed {
		return 0, &SpoolError{fs.ErrClosed}
	}
	if b.file == nil {
		if b.threshold < 0 || b.size+int64(len(p)) <= b.threshold {
			b.toMemory(p)
			return len(p), nil
		}
		if err := b.toFile(); err != nil {
			return 0, err
		}
	}
	n, err := b.file.Write(p)
	b.size += int64(n)
	if err != nil {
		return n, &SpoolError{err}
	}
	return n, nil
}

// spoolBlock is the size of the pieces memory is taken in, so that growing
// copies nothing.
const spoolBlock = 32 << 10

// toMemory appends p to what is in memory.
func (b *spooled) toMemory(p []byte) {
	b.size += int64(len(p))
	for len(p) > 0 {
		last := len(b.mem) - 1
		if last < 0 || len(b.mem[last]) == spoolBlock {
			var block []byte // the first grows, for contents are small as a rule
			if last >= 0 {
				block = make([]byte, 0, spoolBlock)
			}
			b.mem = append(b.mem, block)
			last++
		}
		n := min(len(p), spoolBlock-len(b.mem[last]))
		b.mem[last] = append(b.mem[last], p[:n]...)
		p = p[n:]
	}
}

// toFile moves what is in memory to a new temporary file.
func (b *spooled) toFile() error {
	f, err := os.CreateTemp(b.dir, "as2-*.spool")
	if err != nil {
		return &SpoolError{err}
	}
	b.file, b.name = f, f.Name()
	if os.Remove(b.name) == nil {
		b.name = "" // the open file lives on without a name
	}
	for _, block := range b.mem {
		if _, err := f.Write(block); err != nil {
			return &SpoolError{err}
		}
	}
	b.mem = nil
	return nil
}

// ReadAt implements io.ReaderAt.
func (b *spooled) ReadAt(p []byte, off int64) (int, error) {
	switch {
	case b.closed:
		return 0, &SpoolError{fs.ErrClosed}
	case off < 0:
		return 0, &SpoolError{fmt.Errorf("offset %d", off)}
	case b.file != nil:
		n, err := b.file.ReadAt(p, off)
		if err != nil && !errors.Is(err, io.EOF) {
			err = &SpoolError{err}
		}
		return n, err
	}
	n := 0
	for ; n < len(p) && off < b.size; off = off/spoolBlock*spoolBlock + spoolBlock {
		n += copy(p[n:], b.mem[off/spoolBlock][off%spoolBlock:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// section reads n bytes from off.
func (b *spooled) section(off, n int64) io.Reader { return io.NewSectionReader(b, off, n) }

// Close frees memory or file.
func (b *spooled) Close() error {
	if b.closed {
		return nil
	}
	b.closed, b.mem = true, nil
	if b.file == nil {
		return nil
	}
	err := b.file.Close()
	if b.name != "" {
		if rerr := os.Remove(b.name); err == nil {
			err = rerr
		}
	}
	if err != nil {
		return &SpoolError{err}
	}
	return nil
}
