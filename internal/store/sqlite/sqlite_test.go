package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"tradepost/internal/store/sqlite"
	"tradepost/internal/store/sqlstore"
	"tradepost/internal/store/storetest"
)

// open opens a store in a folder of the test's own.
func open(t testing.TB) *sqlstore.Store {
	t.Helper()
	return openFile(t, filepath.Join(t.TempDir(), "tradepost.db"))
}

func openFile(t testing.TB, path string) *sqlstore.Store {
	t.Helper()
	s, err := sqlite.Open(context.Background(), path, sqlite.Options{})
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

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) storetest.Store { return open(t) })
}

func BenchmarkFsync(b *testing.B) { storetest.BenchmarkFsync(b) }

func BenchmarkAccept(b *testing.B) {
	storetest.BenchmarkAccept(b, func(t testing.TB) storetest.Store { return open(t) })
}

func BenchmarkUpdate(b *testing.B) { storetest.BenchmarkUpdate(b, open(b)) }

func BenchmarkWork(b *testing.B) {
	storetest.BenchmarkWork(b, func(t testing.TB) storetest.Store { return open(t) })
}

func BenchmarkSearch(b *testing.B) {
	storetest.BenchmarkSearch(b, open(b), func() {})
}
