package as2

import (
	"bytes"
	"io"
	"os"
	"sync"
)

// wireMemory is how much of a body is kept in memory.
const wireMemory = 1 << 20

// wire keeps the exact bytes of a request: in memory, or in a file when they
// are many. The file has no name, so that nothing is left of it after a crash,
// unless path gives it one. It is a transport.Body once written.
type wire struct {
	dir    string
	path   string // of a file that is to stay; "" for one without a name
	memory int    // bytes kept in memory; 0 is wireMemory
	// settled hears how much of a file with a name has reached the disk, each
	// time that every bytes more have been written.
	settled func(size int64) error
	every   int64

	resumed int64 // size at which it was reopened

	mem     bytes.Buffer
	file    *os.File
	name    string // to be removed at Close; empty when it has none any more
	size    int64
	synced  int64          // size at the last sync that was begun
	syncing sync.WaitGroup // it
	err     error          // of the disk
}

// reopen goes on with a file that an earlier request wrote, at a size.
func (w *wire) reopen(size int64) error {
	f, err := os.OpenFile(w.path, os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err = f.Truncate(size); err == nil {
		_, err = f.Seek(size, io.SeekStart)
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return err
	}
	w.file, w.size, w.synced, w.resumed = f, size, size, size
	return nil
}

// Write appends.
func (w *wire) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	limit := w.memory
	if limit == 0 {
		limit = wireMemory
	}
	if w.file == nil && w.mem.Len()+len(p) > limit {
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
	if w.settled != nil && w.size-w.synced >= w.every {
		w.settle()
	}
	return n, err
}

// settle brings what there is to the disk, while more is written.
func (w *wire) settle() {
	w.syncing.Wait() // one at a time
	size := w.size
	w.synced = size
	w.syncing.Go(func() {
		if w.file.Sync() == nil {
			_ = w.settled(size) // without it more is sent again, and that is all
		}
	})
}

// sync brings all to the disk.
func (w *wire) sync() error {
	w.syncing.Wait()
	if w.file == nil {
		return nil
	}
	return w.file.Sync()
}

// onDisk tells whether there is a file.
func (w *wire) onDisk() bool { return w.file != nil }

// toFile moves what is in memory to a file.
func (w *wire) toFile() error {
	f, err := w.create()
	if err != nil {
		return err
	}
	w.file = f
	if _, err := f.Write(w.mem.Bytes()); err != nil {
		return err
	}
	w.mem = bytes.Buffer{}
	return nil
}

func (w *wire) create() (*os.File, error) {
	if w.path != "" {
		return os.OpenFile(w.path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	}
	f, err := os.CreateTemp(w.dir, "as2-*.wire")
	if err != nil {
		return nil, err
	}
	if w.name = f.Name(); os.Remove(w.name) == nil {
		w.name = ""
	}
	return f, nil
}

// Open reads from the beginning.
func (w *wire) Open() (io.ReadCloser, error) { return io.NopCloser(w.first(w.size)), nil }

// first reads the first n bytes.
func (w *wire) first(n int64) io.Reader {
	if w.file != nil {
		return io.NewSectionReader(w.file, 0, n)
	}
	return bytes.NewReader(w.mem.Bytes()[:n])
}

// Size is the number of bytes written.
func (w *wire) Size() int64 { return w.size }

// Close frees memory and file. A file with a path stays.
func (w *wire) Close() error {
	w.syncing.Wait()
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
