package archive

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// full is a file on a disk without room.
type full struct{ file }

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, err := Open(dir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	left := func() int {
		list, err := os.ReadDir(filepath.Join(dir, incoming))
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if err := a.Check(); err != nil || left() != 0 {
		t.Errorf("an archive with room: %v, %d files left", err, left())
	}
	create := a.create
	a.create = func(name string) (file, error) {
		f, err := create(name)
		return full{f}, err
	}
	if err := a.Check(); !errors.Is(err, syscall.ENOSPC) || left() != 0 {
		t.Errorf("a full disk: %v, %d files left", err, left())
	}
	a.create = func(string) (file, error) { return nil, os.ErrPermission }
	if err := a.Check(); !errors.Is(err, os.ErrPermission) {
		t.Errorf("a folder that may not be written: %v", err)
	}
}
