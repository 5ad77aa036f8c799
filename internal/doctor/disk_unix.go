//go:build linux || darwin || freebsd

package doctor

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// freeSpace returns the bytes free for this user where dir lies.
func freeSpace(dir string) (bytes uint64, known bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return uint64(s.Bavail) * uint64(s.Bsize), true //nolint:gosec,unconvert // the types differ between systems
}

// otherDevice tells whether a folder below dir lies on another file system.
// One that is not there lies on the same.
func otherDevice(dir, below string) (other, known bool) {
	a, err := os.Stat(dir)
	if err != nil {
		return false, false
	}
	b, err := os.Stat(below)
	if errors.Is(err, os.ErrNotExist) {
		return false, true
	}
	if err != nil {
		return false, false
	}
	x, okX := a.Sys().(*syscall.Stat_t)
	y, okY := b.Sys().(*syscall.Stat_t)
	return okX && okY && x.Dev != y.Dev, okX && okY
}

// inUse tells whether an address is taken.
func inUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }
