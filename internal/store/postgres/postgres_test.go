package postgres_test

import (
	"context"
	"testing"

	"tradepost/internal/store/postgres"
	"tradepost/internal/store/postgrestest"
	"tradepost/internal/store/sqlstore"
	"tradepost/internal/store/storetest"
)

func open(t testing.TB, address string) *sqlstore.Store {
	t.Helper()
	s, err := postgres.Open(context.Background(), address, postgres.Options{})
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
	server := postgrestest.Start(t)
	storetest.Run(t, func(t testing.TB) storetest.Store { return open(t, server.Address(t)) })
}

func BenchmarkAccept(b *testing.B) {
	server := postgrestest.Start(b)
	storetest.BenchmarkAccept(b, func(t testing.TB) storetest.Store { return open(t, server.Address(t)) })
}

func BenchmarkWork(b *testing.B) {
	server := postgrestest.Start(b)
	storetest.BenchmarkWork(b, func(t testing.TB) storetest.Store { return open(t, server.Address(t)) })
}
