package interop

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// reportMemory writes what Linux tells of this process into a file; elsewhere
// there is nothing to tell. (What wait tells of a process that has ended counts
// the memory of its parent as well.)
func reportMemory(file string) {
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		_ = os.WriteFile(file, status, 0o600) // without it nothing is measured, which is noticed
	}
}

// residentMost reads the most memory that was resident, in octets; 0 when that
// was not told.
func residentMost(file string) int64 {
	status, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(status) {
		if kb, ok := strings.CutPrefix(string(line), "VmHWM:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kb), "kB")), 10, 64) // 0 is not told
			return n << 10
		}
	}
	return 0
}
