package sqlite_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"tradepost/internal/store/storetest"
)

// crashFile names the database to a child process of TestCrash.
const crashFile = "TRADEPOST_TEST_CRASH_FILE"

// TestCrash kills processes that write, and finds everything that they said
// was committed.
func TestCrash(t *testing.T) {
	if path := os.Getenv(crashFile); path != "" {
		storetest.WriteUntilKilled(openFile(t, path), os.Stdout)
		return
	}
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tradepost.db")
	child := func() *exec.Cmd {
		cmd := exec.Command(os.Args[0], "-test.run=^TestCrash$") //nolint:gosec // this very program
		cmd.Env = append(os.Environ(), crashFile+"="+path)
		return cmd
	}
	storetest.Crash(t, 6, child, func(t testing.TB) storetest.Store { return openFile(t, path) })
}
