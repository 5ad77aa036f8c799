package directory_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tradepost/transport"
	"tradepost/transport/directory"
)

// TestFullDisk delivers to a disk of 256 KiB of its own, which needs a user
// name space.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=full disk="+base)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || strings.Contains(string(out), errNoMount.Error()) {
		t.Skip("this system lets nobody mount a small disk: a full disk was not tried")
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

var errNoMount = errors.New("cannot mount a small disk")

// fullDisk fills the disk and makes room again.
func fullDisk(base string) error {
	if err := syscall.Mount("tmpfs", base, "tmpfs", 0, "size=256k"); err != nil {
		return errNoMount
	}
	s, err := directory.NewSender(transport.Connection{Name: "out", Settings: json.RawMessage(`{"deliver":"."}`)},
		directory.Config{Base: base, Now: time.Now, Rand: rand.Reader})
	if err != nil {
		return err
	}
	ctx := context.Background()
	content := func(n int) transport.Part {
		return transport.Part{Filename: "po.edi", Body: transport.Bytes(strings.Repeat("x", n))}
	}
	if _, err := s.Prepare(ctx, &transport.Delivery{ID: "D1", Content: content(1 << 20)}); !errors.Is(err, syscall.ENOSPC) ||
		!strings.Contains(err.Error(), "make room") || transport.IsPermanent(err) {
		return fmt.Errorf("prepared on a full disk: %w", err)
	}
	p, err := s.Prepare(ctx, &transport.Delivery{ID: "D2", Content: content(4096)})
	if err != nil {
		return fmt.Errorf("the failed attempt left no room: %w", err)
	}
	filler := filepath.Join(base, "filler")
	for i := 1 << 20; i > 0; i /= 2 { // until not a byte is left
		f, err := os.OpenFile(filler, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, _ = f.Write(make([]byte, i)) // meant to fail in the end
		if err := f.Close(); err != nil {
			return err
		}
	}
	if _, err := s.Send(ctx, "D2", p); !errors.Is(err, syscall.ENOSPC) || transport.IsPermanent(err) {
		return fmt.Errorf("sent on a full disk: %w", err)
	}
	if err := os.Remove(filler); err != nil {
		return err
	}
	o, err := s.Send(ctx, "D2", p)
	if err != nil || !o.Delivered {
		return fmt.Errorf("with room again: %+v, %w", o, err)
	}
	b, err := os.ReadFile(filepath.Join(base, "po-D2.edi"))
	if err == nil && len(b) != 4096 {
		err = fmt.Errorf("%d bytes", len(b))
	}
	return err
}
