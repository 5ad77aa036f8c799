package postgres

import (
	"context"
	"os"
	"testing"

	"tradepost/internal/store/postgrestest"
	"tradepost/internal/store/sqlstore"
	"tradepost/internal/store/storetest"
)

func openStore(t testing.TB, address string) *sqlstore.Store {
	t.Helper()
	s, err := Open(context.Background(), address, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// TestServer runs everything that needs a server on one.
func TestServer(t *testing.T) {
	if address := os.Getenv(crashAddress); address != "" { // a child process of testCrash
		storetest.WriteUntilKilled(openStore(t, address), os.Stdout)
		return
	}
	t.Parallel()
	server := postgrestest.Start(t)
	for _, c := range []struct {
		name string
		test func(t *testing.T, server *postgrestest.Server)
	}{
		{"conformance", testConformance},
		{"processes that are killed", testCrash},
		{"many open at once", testOpenAtOnce},
		{"another's database", testOpenAnothersDatabase},
		{"a migration fails", testMigrationFails},
		{"node numbers are scarce", testNodeNumbersAreScarce},
		{"a node number is lost", testNodeIsLost},
		{"work of another process wakes", testNotify},
		{"connections break", testConnectionsBreak},
		{"the network breaks", testNetworkBreaks},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, server)
		})
	}
}

func testConformance(t *testing.T, server *postgrestest.Server) {
	storetest.Run(t, func(t testing.TB) storetest.Store { return openStore(t, server.Address(t)) })
}

func BenchmarkAccept(b *testing.B) {
	server := postgrestest.Start(b)
	storetest.BenchmarkAccept(b, func(t testing.TB) storetest.Store { return openStore(t, server.Address(t)) })
}

func BenchmarkUpdate(b *testing.B) {
	storetest.BenchmarkUpdate(b, openStore(b, postgrestest.Start(b).Address(b)))
}

func BenchmarkWork(b *testing.B) {
	server := postgrestest.Start(b)
	storetest.BenchmarkWork(b, func(t testing.TB) storetest.Store { return openStore(t, server.Address(t)) })
}

func BenchmarkSearch(b *testing.B) {
	address := postgrestest.Start(b).Address(b)
	storetest.BenchmarkSearch(b, openStore(b, address), func() { raw(b, address, "analyze") }) // as autovacuum does in time
}
