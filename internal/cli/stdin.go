package cli

import (
	"context"
	"io"
	"os"
	"sync"
)

// interruptible lets go of a read of standard input when the command is
// interrupted: nobody knows when a pipe or a terminal has more, and the read
// itself cannot be ended.
type interruptible struct {
	in    io.Reader
	done  <-chan struct{}
	once  sync.Once
	full  chan chunk
	empty chan []byte
	now   chunk // what is being given out
	left  []byte
}

// chunk is what one read gave.
type chunk struct {
	buffer []byte
	n      int
	err    error
}

// Chunks: while one is given out the next one is read.
const (
	chunks    = 2
	chunkSize = 64 << 10
)

// untilDone makes a reader of in whose reads end with context.Canceled when
// ctx does. What ends anyway, such as a file, is left as it is. Nothing is
// read before somebody asks.
func untilDone(ctx context.Context, in io.Reader) io.Reader {
	if f, ok := in.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			return in
		}
	}
	return &interruptible{in: in, done: ctx.Done(), full: make(chan chunk, chunks), empty: make(chan []byte, chunks)}
}

// Read is for one goroutine at a time.
func (r *interruptible) Read(p []byte) (int, error) {
	r.once.Do(func() {
		for range chunks {
			r.empty <- make([]byte, chunkSize)
		}
		go r.pump()
	})
	for len(r.left) == 0 {
		if r.now.err != nil {
			return 0, r.now.err
		}
		if r.now.buffer != nil {
			r.empty <- r.now.buffer
		}
		select {
		case <-r.done:
			r.now = chunk{err: context.Canceled}
		case r.now = <-r.full:
			r.left = r.now.buffer[:r.now.n]
		}
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

// pump reads until the end of the input or of the program. Both channels have
// room for every chunk, so that it waits for the input and for nothing else.
func (r *interruptible) pump() {
	for buffer := range r.empty {
		n, err := r.in.Read(buffer)
		r.full <- chunk{buffer, n, err}
		if err != nil {
			return
		}
	}
}
