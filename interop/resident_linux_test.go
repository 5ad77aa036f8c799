package interop

import (
	"os"
	"syscall"
)

// residentMost is the most memory that a process which has ended had resident.
func residentMost(s *os.ProcessState) int64 {
	if usage, ok := s.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss << 10
	}
	return 0
}
