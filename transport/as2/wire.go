package as2

import (
	"bytes"
	"io"
	"os"
)

// wireMemory is how much of a body is kept in memory.
const wireMemory = 1 << 20

// wire keeps the exact bytes of a request: in memory, or in a temporary file
// without a name when they are many. It is a transport.Body once written.
type wire struct {
	dir  string
	mem  bytes.Buffer
	file *os.File
	name string // to be removed at Close; empty when it has none any more
	size int64
	err  error // of the disk
}

// Write appends.
func (w *wire) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if w.file == nil && w.mem.Len()+len(p) > wireMemory {
		w.err = w.toFile()
	}
	if w.err != nil {
		return 0, w.err
	}
	if w.file == nil {
		w.size += int64(len(p))
		return w.mem.Write(p)
	}
	n, err := w.file.Write(p)
	w.size += int64(n)
	w.err = err
	return n, err
}

// toFile moves what is in memory to a file.
func (w *wire) toFile() error {
	f, err := os.CreateTemp(w.dir, "as2-*.wire")
	if err != nil {
		return err
	}
	w.file, w.name = f, f.Name()
	if os.Remove(w.name) == nil {
		w.name = "" // nothing is left of it after a crash
	}
	if _, err := f.Write(w.mem.Bytes()); err != nil {
		return err
	}
	w.mem = bytes.Buffer{}
	return nil
}

// Open reads from the beginning.
func (w *wire) Open() (io.ReadCloser, error) {
	if w.file != nil {
		return io.NopCloser(io.NewSectionReader(w.file, 0, w.size)), nil
	}
	return io.NopCloser(bytes.NewReader(w.mem.Bytes())), nil
}

// Size is the number of bytes written.
func (w *wire) Size() int64 { return w.size }

// Close frees memory and file.
func (w *wire) Close() error {
	w.mem = bytes.Buffer{}
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	if w.name != "" {
		if rerr := os.Remove(w.name); err == nil {
			err = rerr
		}
	}
	return err
}
