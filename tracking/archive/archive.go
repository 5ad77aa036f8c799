// Package archive keeps payloads in a folder, each once, under the SHA-256 (FIPS
// 180-4) of its bytes and compressed with Zstandard (RFC 8878). It implements
// tracking.Archive.
//
// What Put returned from is durable: the bytes are written to a file beside,
// synchronised, renamed to their place, and the folder is synchronised. A crash
// in between leaves a file in the folder "incoming" that a later Open sweeps
// away. What is read back is checked against its hash.
package archive

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"sync"
	"time"

	"tradepost/tracking"

	"github.com/klauspost/compress/zstd"
)

const (
	incoming   = "incoming"
	suffix     = ".zst"
	bufferSize = 128 << 10
	window     = 256 << 10 // of the compression: bounds the memory of both sides
	staleAfter = time.Hour // without a write: nobody is at work on an incoming file any more
)

// CorruptError tells that a kept payload is not what was put.
type CorruptError struct {
	Payload tracking.Payload
	Err     error // of the decompression; nil when the bytes are simply others
}

func (e *CorruptError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("payload %s is damaged in the archive: %v: restore it from a backup", e.Payload.SHA256, e.Err)
	}
	return fmt.Sprintf("payload %s is damaged in the archive: its bytes have another hash or size: restore it from a backup", e.Payload.SHA256)
}

func (e *CorruptError) Unwrap() error { return e.Err }

// Archive is a folder of payloads. It is safe for concurrent use, also by
// several processes on one folder.
type Archive struct {
	root   *os.Root
	create func(name string) (file, error)

	buffers, encoders, decoders sync.Pool

	mu      sync.Mutex
	durable map[string]bool // folders whose entry in their parent is durable
}

var _ tracking.Archive = (*Archive)(nil)

// file is what is written of an incoming file.
type file interface {
	io.Writer
	Sync() error
	Close() error
}

// Open opens, or makes, the archive in a folder and sweeps away what crashes
// left behind before now.
func Open(folder string, now time.Time) (*Archive, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	a := &Archive{root: root, durable: map[string]bool{".": true}}
	a.create = func(name string) (file, error) {
		return root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	}
	a.buffers.New = func() any { b := make([]byte, bufferSize); return &b }
	if err := a.prepare(now); err != nil {
		return nil, errors.Join(fmt.Errorf("open the archive %s: %w", folder, err), root.Close())
	}
	return a, nil
}

// Close ends the use of the folder. Payloads that are being read stay readable.
func (a *Archive) Close() error { return a.root.Close() }

func (a *Archive) prepare(now time.Time) error {
	if err := a.folder(incoming); err != nil {
		return err
	}
	list, err := fs.ReadDir(a.root.FS(), incoming)
	if err != nil {
		return err
	}
	for _, e := range list {
		info, err := e.Info()
		if err == nil && now.Sub(info.ModTime()) > staleAfter {
			err = a.root.Remove(path.Join(incoming, e.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// place is where a payload lies, below two levels of folders.
func place(sum string) string { return path.Join(sum[:2], sum[2:4], sum+suffix) }

// Put implements tracking.Archive. Content that is kept already is not written
// again; it is found out before anything is written when it is short or r can
// seek.
func (a *Archive) Put(ctx context.Context, r io.Reader) (tracking.Payload, error) {
	p, err := a.put(ctx, r)
	if err != nil {
		return tracking.Payload{}, fmt.Errorf("archive a payload: %w", err)
	}
	return p, nil
}

func (a *Archive) put(ctx context.Context, r io.Reader) (tracking.Payload, error) {
	buffer := a.buffers.Get().(*[]byte)
	defer a.buffers.Put(buffer)
	sum := sha256.New()
	n, err := io.ReadFull(r, *buffer)
	start := (*buffer)[:n]
	sum.Write(start)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF): // all of it
		p := payload(sum, int64(n))
		if known, err := a.known(p); known || err != nil {
			return p, err
		}
		return a.write(ctx, start, nil)
	case err != nil:
		return tracking.Payload{}, err
	}
	if s, ok := r.(io.Seeker); ok {
		if known, p, err := a.lookAhead(ctx, s, r, sum, int64(n)); known || err != nil {
			return p, err
		}
	}
	return a.write(ctx, start, r)
}

// lookAhead hashes the rest of r and, when its content is not known, goes back
// to where it was.
func (a *Archive) lookAhead(ctx context.Context, s io.Seeker, r io.Reader, sum hash.Hash, n int64) (known bool, p tracking.Payload, err error) {
	here, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return false, p, nil //nolint:nilerr // it cannot seek after all
	}
	rest, err := io.Copy(sum, until(ctx, r))
	if err != nil {
		return false, p, err
	}
	p = payload(sum, n+rest)
	if known, err := a.known(p); known || err != nil {
		return known, p, err
	}
	_, err = s.Seek(here, io.SeekStart)
	return false, p, err
}

// payload names what was hashed.
func payload(sum hash.Hash, size int64) tracking.Payload {
	return tracking.Payload{SHA256: hex.EncodeToString(sum.Sum(nil)), Size: size}
}

// known tells whether a payload is kept, and makes sure that it stays: another
// Put may have renamed it a moment ago.
func (a *Archive) known(p tracking.Payload) (bool, error) {
	at := place(p.SHA256)
	info, err := a.root.Stat(at)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || !info.Mode().IsRegular() {
		return false, errors.Join(err, regular(info))
	}
	return true, a.settle(path.Dir(at))
}

func regular(info fs.FileInfo) error {
	if info != nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", info.Name())
	}
	return nil
}

// write compresses start and the rest of r, which may be nil, into an incoming
// file and gives that its place.
func (a *Archive) write(ctx context.Context, start []byte, r io.Reader) (p tracking.Payload, err error) {
	name := path.Join(incoming, rand.Text())
	f, err := a.create(name)
	if err != nil {
		return p, err
	}
	defer func() {
		if err != nil { // leave no half file; what is not removed is swept later
			_ = f.Close()
			_ = a.root.Remove(name)
		}
	}()
	if p, err = a.compress(ctx, f, start, r); err != nil {
		return p, err
	}
	if err = f.Sync(); err != nil {
		return p, err
	}
	if err = f.Close(); err != nil {
		return p, err
	}
	at := place(p.SHA256)
	if err = a.folder(path.Dir(at)); err != nil {
		return p, err
	}
	if err = a.root.Rename(name, at); err != nil {
		return p, err
	}
	return p, a.sync(path.Dir(at))
}

func (a *Archive) compress(ctx context.Context, w io.Writer, start []byte, r io.Reader) (p tracking.Payload, err error) {
	enc, err := a.encoder(w)
	if err != nil {
		return p, err
	}
	defer func() {
		enc.Reset(nil)
		a.encoders.Put(enc)
	}()
	sum := sha256.New()
	out := io.MultiWriter(sum, enc)
	if _, err = out.Write(start); err != nil {
		return p, err
	}
	var rest int64
	if r != nil {
		buffer := a.buffers.Get().(*[]byte)
		defer a.buffers.Put(buffer)
		if rest, err = io.CopyBuffer(out, until(ctx, r), *buffer); err != nil {
			return p, err
		}
	}
	if err = enc.Close(); err != nil {
		return p, err
	}
	return payload(sum, int64(len(start))+rest), ctx.Err()
}

func (a *Archive) encoder(w io.Writer) (*zstd.Encoder, error) {
	if enc, ok := a.encoders.Get().(*zstd.Encoder); ok {
		enc.Reset(w)
		return enc, nil
	}
	return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
}

// readFunc is a reader made of its one method.
type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// until returns a reader of r that ends with ctx.
func until(ctx context.Context, r io.Reader) io.Reader {
	return readFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return r.Read(p)
	})
}

// folder makes a folder and those above it, durably.
func (a *Archive) folder(name string) error {
	a.mu.Lock()
	done := a.durable[name]
	a.mu.Unlock()
	if done {
		return nil
	}
	parent := path.Dir(name)
	if err := a.folder(parent); err != nil {
		return err
	}
	if err := a.root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := a.sync(parent); err != nil {
		return err
	}
	a.mu.Lock()
	a.durable[name] = true
	a.mu.Unlock()
	return nil
}

// settle makes what a folder holds, and the folder, durable.
func (a *Archive) settle(name string) error {
	if err := a.folder(name); err != nil {
		return err
	}
	return a.sync(name)
}

// sync makes the entries of a folder durable.
func (a *Archive) sync(name string) error {
	if runtime.GOOS == "windows" { // there folders cannot be synchronised, and need not be
		return nil
	}
	d, err := a.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
