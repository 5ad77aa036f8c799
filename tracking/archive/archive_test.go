package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tradepost/tracking"
)

func open(t testing.TB) (*Archive, string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "archive")
	return openAt(t, folder), folder
}

func openAt(t testing.TB, folder string) *Archive {
	t.Helper()
	a, err := Open(folder, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return a
}

// edi is text that compresses like EDI does; noise does not compress.
func edi(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "PO1*%d*%d*EA*%d.50**BP*PART-%d~", i, i%17, i%90, i*7)
	}
	return b.Bytes()[:n]
}

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}

// stream hides that a reader can seek.
func stream(b []byte) io.Reader { return struct{ io.Reader }{bytes.NewReader(b)} }

func put(t testing.TB, a *Archive, r io.Reader) tracking.Payload {
	t.Helper()
	p, err := a.Put(context.Background(), r)
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	return p
}

func read(a *Archive, p tracking.Payload) ([]byte, error) {
	r, err := a.Open(context.Background(), p)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	return b, errors.Join(err, r.Close())
}

// files lists the files of a folder, below it.
func files(t testing.TB, folder string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(folder, name)
			list = append(list, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestPutAndOpen(t *testing.T) {
	t.Parallel()
	a, folder := open(t)
	for _, size := range []int{0, 1, 1000, bufferSize - 1, bufferSize, bufferSize + 1, 3*bufferSize + 7} {
		for kind, content := range map[string][]byte{"edi": edi(size), "noise": noise(size)} {
			for how, r := range map[string]io.Reader{"seekable": bytes.NewReader(content), "stream": stream(content)} {
				p := put(t, a, r)
				sum := sha256.Sum256(content)
				if want := (tracking.Payload{SHA256: hex.EncodeToString(sum[:]), Size: int64(size)}); p != want {
					t.Errorf("%s %s of %d: %+v, want %+v", how, kind, size, p, want)
				}
				got, err := read(a, p)
				if err != nil || !bytes.Equal(got, content) {
					t.Errorf("%s %s of %d: read back %d bytes, %v", how, kind, size, len(got), err)
				}
				if _, err := os.Stat(filepath.Join(folder, p.SHA256[:2], p.SHA256[2:4], p.SHA256+".zst")); err != nil {
					t.Errorf("its place: %v", err)
				}
			}
		}
	}
	for _, name := range files(t, folder) {
		if strings.HasPrefix(name, incoming) {
			t.Errorf("%s was left behind", name)
		}
	}
}

func TestPutFromWhereTheReaderStands(t *testing.T) {
	t.Parallel()
	a, _ := open(t)
	content := edi(2 * bufferSize)
	r := bytes.NewReader(content)
	if _, err := r.Seek(1000, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	got, err := read(a, put(t, a, r))
	if err != nil || !bytes.Equal(got, content[1000:]) {
		t.Errorf("read back %d bytes, %v, want %d", len(got), err, len(content)-1000)
	}
}

func TestKnownContentIsNotWrittenAgain(t *testing.T) {
	t.Parallel()
	a, folder := open(t)
	small, large := edi(1000), edi(5*bufferSize)
	put(t, a, bytes.NewReader(small))
	put(t, a, bytes.NewReader(large))
	before := files(t, folder)
	writes := 0
	create := a.create
	a.create = func(name string) (file, error) { writes++; return create(name) }
	put(t, a, stream(small))
	put(t, a, bytes.NewReader(small))
	put(t, a, bytes.NewReader(large))
	if writes != 0 {
		t.Errorf("known content was written %d times", writes)
	}
	// A long stream is known only at its end, but leaves nothing beside.
	put(t, a, stream(large))
	if after := files(t, folder); len(after) != len(before) || len(before) != 2 {
		t.Errorf("files: %v, before %v", after, before)
	}
}

func TestPutAtOnce(t *testing.T) {
	t.Parallel()
	a, folder := open(t)
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			content := edi(10_000 + i%4)
			p, err := a.Put(context.Background(), stream(content))
			if err != nil {
				t.Errorf("Put: %v", err)
				return
			}
			if got, err := read(a, p); err != nil || !bytes.Equal(got, content) {
				t.Errorf("read back: %v", err)
			}
		})
	}
	wg.Wait()
	if n := len(files(t, folder)); n != 4 {
		t.Errorf("%d files, want 4", n)
	}
}

func TestOpenWhatIsNotThere(t *testing.T) {
	t.Parallel()
	a, _ := open(t)
	for _, p := range []tracking.Payload{
		{},
		{SHA256: strings.Repeat("a", 64), Size: 1},
		{SHA256: strings.Repeat("A", 64), Size: 1},
		{SHA256: "../../../../etc/passwd"},
		{SHA256: "../" + strings.Repeat("a", 61)},
	} {
		if _, err := a.Open(context.Background(), p); !errors.Is(err, tracking.ErrNotFound) {
			t.Errorf("Open(%q): %v, want ErrNotFound", p.SHA256, err)
		}
	}
}

func TestDamageIsFound(t *testing.T) {
	t.Parallel()
	a, folder := open(t)
	content := edi(3 * bufferSize)
	p := put(t, a, bytes.NewReader(content))
	other := put(t, a, bytes.NewReader(edi(100)))
	path := filepath.Join(folder, filepath.FromSlash(place(p.SHA256)))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(place(other.SHA256))))
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 1
	for name, bad := range map[string][]byte{
		"empty": {}, "half": whole[:len(whole)/2], "without its end": whole[:len(whole)-1], "with a flipped bit": flipped,
		"another's": foreign, "twice": append(bytes.Clone(whole), whole...), "no zstd": content[:100],
	} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := read(a, p)
		var damaged *CorruptError
		if !errors.As(err, &damaged) || damaged.Payload != p {
			t.Errorf("a file that is %s: %v, want a CorruptError", name, err)
		}
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := read(a, p); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the restored file: %v", err)
	}
	wrong := p
	wrong.Size--
	var damaged *CorruptError
	if _, err := read(a, wrong); !errors.As(err, &damaged) {
		t.Errorf("another size: %v, want a CorruptError", err)
	}
}

// fullDisk is a file on a disk with room for so many bytes.
type fullDisk struct {
	file
	room              int
	failSync, failEnd bool
}

func (f *fullDisk) Write(p []byte) (int, error) {
	if len(p) > f.room {
		n, _ := f.file.Write(p[:f.room])
		f.room -= n
		return n, syscall.ENOSPC
	}
	f.room -= len(p)
	return f.file.Write(p)
}

func (f *fullDisk) Sync() error {
	if f.failSync {
		return syscall.ENOSPC
	}
	return f.file.Sync()
}

func (f *fullDisk) Close() error {
	err := f.file.Close()
	if f.failEnd {
		return syscall.ENOSPC
	}
	return err
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	a, folder := open(t)
	create := a.create
	content := noise(4 * bufferSize)
	for name, disk := range map[string]fullDisk{
		"at once":        {room: 0},
		"half way":       {room: bufferSize + 10},
		"at the last":    {room: 4 * bufferSize},
		"when synced":    {room: 1 << 30, failSync: true},
		"when it closes": {room: 1 << 30, failEnd: true},
	} {
		for how, r := range map[string]io.Reader{"seekable": bytes.NewReader(content), "stream": stream(content)} {
			a.create = func(at string) (file, error) {
				f, err := create(at)
				d := disk
				d.file = f
				return &d, err
			}
			p, err := a.Put(context.Background(), r)
			if !errors.Is(err, syscall.ENOSPC) || !p.None() {
				t.Errorf("full %s, %s: %+v, %v, want ENOSPC", name, how, p, err)
			}
			if left := files(t, folder); len(left) != 0 {
				t.Errorf("full %s, %s: left %v", name, how, left)
			}
		}
	}
	a.create = create
	if got, err := read(a, put(t, a, stream(content))); err != nil || !bytes.Equal(got, content) {
		t.Errorf("with room again: %v", err)
	}
}

func TestPutEndsWithItsSource(t *testing.T) {
	t.Parallel()
	a, folder := open(t)
	broken := errors.New("connection reset")
	for name, n := range map[string]int{"at once": 0, "early": 100, "late": 2 * bufferSize} {
		r := io.MultiReader(bytes.NewReader(edi(n)), readFunc(func([]byte) (int, error) { return 0, broken }))
		if _, err := a.Put(context.Background(), r); !errors.Is(err, broken) {
			t.Errorf("a source that breaks %s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	endless := readFunc(func(p []byte) (int, error) { cancel(); return len(p), nil })
	if _, err := a.Put(ctx, endless); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled Put: %v", err)
	}
	if left := files(t, folder); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	a, folder := open(t)
	kept := put(t, a, bytes.NewReader(edi(500)))
	for name, age := range map[string]time.Duration{"stale": 2 * time.Hour, "fresh": time.Minute} {
		path := filepath.Join(folder, incoming, name)
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	again := openAt(t, folder)
	want := []string{place(kept.SHA256), incoming + "/fresh"}
	for _, name := range files(t, folder) {
		if name != want[0] && name != want[1] {
			t.Errorf("%s was not swept", name)
		}
	}
	if n := len(files(t, folder)); n != 2 {
		t.Errorf("%d files are left, want %v", n, want)
	}
	if _, err := read(again, kept); err != nil {
		t.Errorf("what was put before: %v", err)
	}
}

func TestReadAfterClose(t *testing.T) {
	t.Parallel()
	a, _ := open(t)
	r, err := a.Open(context.Background(), put(t, a, bytes.NewReader(edi(500))))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Read after Close: %v", err)
	}
}

// FuzzDamaged reads files that are anything.
func FuzzDamaged(f *testing.F) {
	a, folder := open(f)
	content := edi(5000)
	p := put(f, a, bytes.NewReader(content))
	path := filepath.Join(folder, filepath.FromSlash(place(p.SHA256)))
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, damaged []byte) {
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := read(a, p)
		var corrupt *CorruptError
		if err == nil && !bytes.Equal(got, content) || err != nil && !errors.As(err, &corrupt) {
			t.Fatalf("read %d bytes, %v", len(got), err)
		}
		if len(got) > len(content)+1<<20 {
			t.Fatalf("read %d bytes of a payload of %d", len(got), len(content))
		}
	})
}

func BenchmarkPut(b *testing.B) {
	for _, size := range []int{4 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("fresh/%dKiB", size>>10), func(b *testing.B) {
			a, _ := open(b)
			content := edi(size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				copy(content, fmt.Sprintf("ISA*%012d", i))
				put(b, a, bytes.NewReader(content))
			}
		})
		b.Run(fmt.Sprintf("known/%dKiB", size>>10), func(b *testing.B) {
			a, _ := open(b)
			content := edi(size)
			put(b, a, bytes.NewReader(content))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				put(b, a, bytes.NewReader(content))
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	a, _ := open(b)
	p := put(b, a, bytes.NewReader(edi(1<<20)))
	b.SetBytes(p.Size)
	b.ReportAllocs()
	for b.Loop() {
		r, err := a.Open(context.Background(), p)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			b.Fatal(err)
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
