//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package directory

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// taken tries to lock a file for us alone; it is true when somebody else has.
func taken(f *os.File) bool {
	return errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// unlock lets others lock the file at once. Closing it alone might not: a child
// that this process is just starting has it open for a moment, too.
func unlock(f *os.File) { _ = unix.Flock(int(f.Fd()), unix.LOCK_UN) }
