package postgres

import (
	"os"
	"os/exec"
	"testing"

	"tradepost/internal/store/postgrestest"
	"tradepost/internal/store/storetest"
)

// crashAddress names the database to a child process of testCrash.
const crashAddress = "TRADEPOST_TEST_CRASH_ADDRESS"

// testCrash kills processes that write, and finds everything that they said
// was committed.
func testCrash(t *testing.T, server *postgrestest.Server) {
	address := server.Address(t)
	child := func() *exec.Cmd {
		cmd := exec.Command(os.Args[0], "-test.run=^TestServer$") //nolint:gosec // this very program
		cmd.Env = append(os.Environ(), crashAddress+"="+address)
		return cmd
	}
	storetest.Crash(t, 4, child, func(t testing.TB) storetest.Store { return openStore(t, address) })
}
