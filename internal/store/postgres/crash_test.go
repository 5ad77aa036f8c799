package postgres_test

import (
	"os"
	"os/exec"
	"testing"

	"tradepost/internal/store/postgrestest"
	"tradepost/internal/store/storetest"
)

// crashAddress names the database to a child process of TestCrash.
const crashAddress = "TRADEPOST_TEST_CRASH_ADDRESS"

// TestCrash kills processes that write, and finds everything that they said
// was committed.
func TestCrash(t *testing.T) {
	if address := os.Getenv(crashAddress); address != "" {
		storetest.WriteUntilKilled(open(t, address), os.Stdout)
		return
	}
	t.Parallel()
	address := postgrestest.Start(t).Address(t)
	child := func() *exec.Cmd {
		cmd := exec.Command(os.Args[0], "-test.run=^TestCrash$") //nolint:gosec // this very program
		cmd.Env = append(os.Environ(), crashAddress+"="+address)
		return cmd
	}
	storetest.Crash(t, 4, child, func(t testing.TB) storetest.Store { return open(t, address) })
}
