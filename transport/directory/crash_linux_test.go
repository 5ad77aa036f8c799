package directory_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tradepost/transport"
	"tradepost/transport/directory"
	"tradepost/transport/transporttest"
)

// childEnv makes the test binary play a part of its own process.
const childEnv = "TRADEPOST_DIRECTORY_CHILD"

func TestMain(m *testing.M) {
	part, base, _ := strings.Cut(os.Getenv(childEnv), "=")
	child, known := map[string]func(string) error{"gateway": gateway, "no rights": withoutRights, "full disk": fullDisk}[part]
	if known {
		if err := child(base); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const killDeliveries = 40

// TestKilledAtAnyMoment runs a process that delivers into a folder and picks up
// from it, kills it again and again, and finds each delivery taken once.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	for _, d := range []string{"box", "prepared", "sent", "accepted"} {
		must(t, os.Mkdir(filepath.Join(base, d), 0o700))
	}
	kills := 0
	for {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"=gateway="+base)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		must(t, cmd.Start())
		var kill *time.Timer
		if kills < 25 {
			kill = time.AfterFunc(time.Duration(15+mathrand.IntN(40))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		} else {
			kill = time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		}
		err := cmd.Wait()
		kill.Stop()
		if err == nil {
			break
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL || kills > 25 {
			t.Fatalf("%v after %d kills: %s", err, kills, stderr.String())
		}
		kills++
	}
	t.Logf("killed %d times", kills)
	count := map[string]int{}
	entries, err := os.ReadDir(filepath.Join(base, "accepted"))
	must(t, err)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			b, err := os.ReadFile(filepath.Join(base, "accepted", e.Name()))
			must(t, err)
			count[string(b)]++
		}
	}
	for i := range killDeliveries {
		if c := fmt.Sprintf("content of D%03d", i); count[c] != 1 {
			t.Errorf("%q was taken %d times", c, count[c])
		}
	}
	if len(count) != killDeliveries {
		t.Errorf("%d different contents were taken, want %d", len(count), killDeliveries)
	}
}

// gateway sends everything not sent yet, and picks up until all of it came.
func gateway(base string) error {
	cfg := directory.Config{Base: base, Now: time.Now, Rand: rand.Reader}
	sender, err := directory.NewSender(transport.Connection{Name: "out", Settings: json.RawMessage(`{"deliver":"box"}`)}, cfg)
	if err != nil {
		return err
	}
	sink := &diskSink{dir: filepath.Join(base, "accepted")}
	listener, err := directory.NewListener(transport.Connection{Name: "in", Settings: json.RawMessage(`{"pickup":"box","settle":"1ms","poll":"1ms"}`)}, sink, cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- listener.Serve(ctx) }()
	for i := range killDeliveries {
		if err := sendOnce(ctx, sender, base, fmt.Sprintf("D%03d", i)); err != nil {
			return err
		}
	}
	for ctx.Err() == nil {
		if n, err := sink.count(); err != nil || n >= killDeliveries {
			cancel()
			return errors.Join(err, <-served)
		}
		time.Sleep(time.Millisecond)
	}
	return errors.New("not everything came")
}

// sendOnce does for one delivery what the engine does: prepare, store, send,
// store.
func sendOnce(ctx context.Context, s *directory.Sender, base, id string) error {
	if _, err := os.Stat(filepath.Join(base, "sent", id)); err == nil {
		return nil
	}
	content := transport.Part{Filename: "same.edi", Body: transport.Bytes("content of " + id)}
	stored := filepath.Join(base, "prepared", id)
	name, err := os.ReadFile(stored)
	if errors.Is(err, fs.ErrNotExist) {
		p, err := s.Prepare(ctx, &transport.Delivery{ID: id, Content: content})
		if err != nil {
			return err
		}
		name = []byte(p.MessageID)
		if err := writeWhole(stored, name); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	o, err := s.Send(ctx, id, &transport.Prepared{MessageID: string(name), Content: content})
	if err != nil || !o.Delivered {
		return fmt.Errorf("%s: %+v, %w", id, o, err)
	}
	return writeWhole(filepath.Join(base, "sent", id), nil)
}

func writeWhole(name string, b []byte) error {
	if err := os.WriteFile(name+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// diskSink keeps what it accepts, by key, so that it survives the process.
type diskSink struct {
	dir string
}

func (d *diskSink) Accept(_ context.Context, a *transport.Arrival) (*transport.Acceptance, error) {
	b, err := transporttest.ReadAll(a.Content.Body)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(a.Key))
	name := filepath.Join(d.dir, hex.EncodeToString(sum[:]))
	if _, err := os.Stat(name); err == nil {
		return &transport.Acceptance{Duplicate: true}, nil
	}
	if err := os.WriteFile(filepath.Join(d.dir, ".new"), b, 0o600); err != nil {
		return nil, err
	}
	return &transport.Acceptance{}, os.Rename(filepath.Join(d.dir, ".new"), name)
}

func (d *diskSink) count() (n int, err error) {
	entries, err := os.ReadDir(d.dir)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			n++
		}
	}
	return n, err
}

// TestStationsOnOneFolder: several stations, each with a store of its own, are
// set to one folder. Each file is taken once, by whoever works; the others say
// that they wait, and one of them goes on when it ends, with the files that are
// claimed and those that are not.
func TestStationsOnOneFolder(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	in := transport.Connection{Name: "in", Settings: json.RawMessage(`{"pickup":".","settle":"5ms","poll":"2ms"}`)}
	type station struct {
		sink *transporttest.Sink
		told chan error
		stop context.CancelFunc
		done chan error
	}
	begin := func() *station {
		s := &station{sink: transporttest.NewSink(), told: make(chan error, 10), done: make(chan error, 1)}
		cfg := directory.Config{Base: base, Now: time.Now, Rand: rand.Reader, OnTrouble: func(err error) { s.told <- err }}
		l, err := directory.NewListener(in, s.sink, cfg)
		must(t, err)
		ctx, stop := context.WithCancel(context.Background())
		s.stop = stop
		go func() { s.done <- l.Serve(ctx) }()
		t.Cleanup(stop)
		return s
	}
	const n = 100
	drop := func(from int) {
		for i := from; i < from+n; i++ {
			must(t, os.WriteFile(filepath.Join(base, fmt.Sprintf("%03d.edi.part", i)), fmt.Appendf(nil, "content %03d", i), 0o600))
			must(t, os.Rename(filepath.Join(base, fmt.Sprintf("%03d.edi.part", i)), filepath.Join(base, fmt.Sprintf("%03d.edi", i))))
		}
	}
	wait, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()

	first := begin()
	drop(0)
	must(t, first.sink.Wait(wait, func() bool { return len(first.sink.Accepted()) >= n/2 }))
	second := begin()
	select {
	case err := <-second.told:
		if !strings.Contains(err.Error(), "another process picks up from this folder") {
			t.Errorf("told %v", err)
		}
	case <-wait.Done():
		t.Fatal("the second station does not say that it waits")
	}
	first.stop()
	must(t, <-first.done)
	drop(n)
	must(t, second.sink.Wait(wait, func() bool { return len(first.sink.Accepted())+len(second.sink.Accepted()) >= 2*n }))
	second.stop()
	must(t, <-second.done)
	seen := map[string]bool{}
	for _, a := range append(first.sink.Accepted(), second.sink.Accepted()...) {
		if seen[string(a.Bytes)] {
			t.Errorf("%q was taken twice", a.Bytes)
		}
		seen[string(a.Bytes)] = true
	}
	if len(seen) != 2*n {
		t.Errorf("%d taken, want %d", len(seen), 2*n)
	}
	select {
	case err := <-first.told:
		t.Errorf("the first station has trouble: %v", err)
	default:
	}
}

// TestWithoutRights: what the gateway's user may not read or write is reported
// and left alone. Root may do everything, so the test steps down first.
func TestWithoutRights(t *testing.T) {
	t.Parallel()
	base, err := os.MkdirTemp("", "rights")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(base)) })
	must(t, os.Chmod(base, 0o755))
	for _, d := range []string{"in", "out"} {
		must(t, os.Mkdir(filepath.Join(base, d), 0o777))
		must(t, os.Chmod(filepath.Join(base, d), 0o777))
	}
	must(t, os.WriteFile(filepath.Join(base, "in", "secret.edi"), []byte("secret"), 0o000))
	must(t, os.WriteFile(filepath.Join(base, "in", "open.edi"), []byte("open"), 0o644))
	if os.Geteuid() != 0 {
		must(t, withoutRights(base))
		return
	}
	// A process of its own copies: what this one writes may still be open in a
	// child that another test is just starting, and cannot be run then.
	binary := filepath.Join(base, "test")
	if out, err := exec.Command("cp", os.Args[0], binary).CombinedOutput(); err != nil {
		t.Fatalf("copy the test: %v\n%s", err, out)
	}
	must(t, os.Chmod(binary, 0o755))
	cmd := exec.Command(binary)
	cmd.Dir = base
	cmd.Env = []string{childEnv + "=no rights=" + base}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("as another user: %v\n%s", err, out)
	}
}

// withoutRights runs as a user who may not read secret.edi, and then may not
// write the folders.
func withoutRights(base string) error {
	told := make(chan error, 100)
	cfg := directory.Config{Base: base, Now: time.Now, Rand: rand.Reader, OnTrouble: func(err error) { told <- err }}
	sink := transporttest.NewSink()
	l, err := directory.NewListener(transport.Connection{Name: "in", Settings: json.RawMessage(`{"pickup":"in","settle":"5ms","poll":"5ms"}`)}, sink, cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- l.Serve(ctx) }()
	if err := sink.Wait(ctx, func() bool { return len(sink.Accepted()) == 1 }); err != nil {
		return fmt.Errorf("open.edi was not taken: %w", err)
	}
	select {
	case err := <-told:
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "in/secret.edi: cannot be read: give") {
			return fmt.Errorf("told %w", err)
		}
	case <-ctx.Done():
		return errors.New("secret.edi was not reported")
	}
	cancel()
	if err := <-served; err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(base, "in", "secret.edi")); err != nil {
		return fmt.Errorf("secret.edi was not left alone: %w", err)
	}
	s, err := directory.NewSender(transport.Connection{Name: "out", Settings: json.RawMessage(`{"deliver":"."}`)}, cfg)
	if err != nil {
		return err
	}
	if os.Geteuid() == 65534 { // base belongs to somebody else
		_, err := s.Prepare(context.Background(), &transport.Delivery{ID: "D1", Content: transport.Part{Body: transport.Bytes("x")}})
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "give the gateway's user the right") || transport.IsPermanent(err) {
			return fmt.Errorf("prepared without rights: %w", err)
		}
	}
	return nil
}
