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

// TestNodesShareAFolder: two listeners on one folder, each file once.
func TestNodesShareAFolder(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	cfg := directory.Config{Base: base, Now: time.Now, Rand: rand.Reader}
	in := transport.Connection{Name: "in", Settings: json.RawMessage(`{"pickup":".","settle":"5ms","poll":"2ms"}`)}
	sink := transporttest.NewSink()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 3)
	for range 3 {
		l, err := directory.NewListener(in, sink, cfg)
		must(t, err)
		go func() { done <- l.Serve(ctx) }()
	}
	const n = 100
	for i := range n {
		must(t, os.WriteFile(filepath.Join(base, fmt.Sprintf("%03d.edi", i)), fmt.Appendf(nil, "content %03d", i), 0o600))
	}
	wait, stop := context.WithTimeout(ctx, 2*time.Minute)
	defer stop()
	if err := sink.Wait(wait, func() bool { return len(sink.Accepted()) >= n }); err != nil {
		t.Errorf("%d taken: %v", len(sink.Accepted()), err)
	}
	cancel()
	for range 3 {
		must(t, <-done)
	}
	seen := map[string]bool{}
	for _, a := range sink.Accepted() {
		if seen[string(a.Bytes)] {
			t.Errorf("%q was taken twice", a.Bytes)
		}
		seen[string(a.Bytes)] = true
	}
	if len(seen) != n {
		t.Errorf("%d taken, want %d", len(seen), n)
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
	self, err := os.ReadFile(os.Args[0])
	must(t, err)
	binary := filepath.Join(base, "test")
	must(t, os.WriteFile(binary, self, 0o755))
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
