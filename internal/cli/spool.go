package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	spoolMemory = 1 << 20  // bytes a spool holds before they go to disk
	spoolChunk  = 64 << 10 // bytes read from disk at once
)

// spool holds what is written to it until it is read: some of it in memory,
// and what is too long for that in a temporary file. It is written to its end,
// then read to its end, and may then be written again.
type spool struct {
	tail  bytes.Buffer // what was written last
	file  *os.File     // what was written before, in its first size bytes
	size  int64
	at    int64 // of the file, how much was read
	chunk []byte
	rest  []byte // of chunk or tail, what was not handed over yet
}

// Write keeps p.
func (s *spool) Write(p []byte) (int, error) {
	n, err := s.tail.Write(p)
	if err == nil && s.tail.Len() > spoolMemory {
		err = s.spill()
	}
	return n, err
}

// spill moves what is in memory to the end of the file.
func (s *spool) spill() error {
	if s.file == nil {
		f, err := os.CreateTemp("", "tradepost-*")
		if err != nil {
			return fmt.Errorf("make room on disk: %w", err)
		}
		s.file = f
		_ = os.Remove(f.Name()) // nothing is left behind, however we end; where it has to wait, close does it
	}
	n, err := s.file.WriteAt(s.tail.Bytes(), s.size)
	s.size += int64(n)
	s.tail.Reset()
	if err != nil {
		return fmt.Errorf("write %s: %w", s.file.Name(), err)
	}
	return nil
}

// next gives what was written and not read yet, as far as it is in memory, and
// io.EOF behind the last of it.
func (s *spool) next() ([]byte, error) {
	if len(s.rest) > 0 {
		return s.rest, nil
	}
	if s.at == s.size {
		if s.rest = s.tail.Next(s.tail.Len()); len(s.rest) > 0 {
			return s.rest, nil
		}
		s.reset()
		return nil, io.EOF
	}
	if s.chunk == nil {
		s.chunk = make([]byte, spoolChunk)
	}
	s.rest = s.chunk[:min(spoolChunk, s.size-s.at)]
	if _, err := s.file.ReadAt(s.rest, s.at); err != nil {
		s.rest = nil
		return nil, fmt.Errorf("read %s: %w", s.file.Name(), err)
	}
	s.at += int64(len(s.rest))
	return s.rest, nil
}

// Read gives back what was written, and io.EOF behind it.
func (s *spool) Read(p []byte) (int, error) {
	rest, err := s.next()
	n := copy(p, rest)
	s.rest = s.rest[n:]
	return n, err
}

// WriteTo gives back all that was written.
func (s *spool) WriteTo(w io.Writer) (written int64, _ error) {
	for {
		rest, err := s.next()
		if errors.Is(err, io.EOF) {
			return written, nil
		}
		if err != nil {
			return written, err
		}
		n, err := w.Write(rest)
		written += int64(n)
		if s.rest = s.rest[n:]; err != nil {
			return written, err
		}
	}
}

// reset forgets everything and keeps the room.
func (s *spool) reset() {
	s.tail.Reset()
	s.size, s.at, s.rest = 0, 0, nil
}

// close gives the room back.
func (s *spool) close() {
	s.reset()
	if s.file == nil {
		return
	}
	_ = s.file.Close() // nothing in it is needed any more
	_ = os.Remove(s.file.Name())
	s.file = nil
}
