package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tradepost/internal/store"
	"tradepost/internal/store/postgrestest"
	"tradepost/internal/store/sqlstore"
	"tradepost/processes"

	"github.com/jackc/pgx/v5/pgxpool"
)

func TestNumbered(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                             "",
		"select 1":                     "select 1",
		"a = ? and b in (?, ?) or c=?": "a = $1 and b in ($2, $3) or c=$4",
	} {
		if got := numbered(in); got != want {
			t.Errorf("numbered(%q) = %q, want %q", in, got, want)
		}
	}
}

func testMigrationFails(t *testing.T, server *postgrestest.Server) {
	ctx := context.Background()
	cfg, err := configure(server.Address(t), Options{Connections: 4})
	if err != nil {
		t.Fatal(err)
	}
	migration := func(n int, sql string) sqlstore.Migration {
		return sqlstore.Migration{Version: n, Name: fmt.Sprint("m", n), SQL: sql, Checksum: sql}
	}
	known, err := Migrations()
	if err != nil {
		t.Fatal(err)
	}
	bad := append(known[:len(known):len(known)], migration(len(known)+1, `create table fresh (x int); create table lane (x int)`))
	if s, err := open(ctx, cfg, Options{Now: time.Now}, bad); err == nil || !strings.Contains(err.Error(), "_m") {
		t.Errorf("a migration that fails: %v, %v", s, err)
	}
	good := append(known[:len(known):len(known)], migration(len(known)+1, `create table fresh (x int)`))
	var older *store.OlderVersionError
	if s, err := open(ctx, cfg, Options{Now: time.Now, Beside: true}, good); !errors.As(err, &older) || older.Have != len(known) || older.Need != len(good) {
		t.Errorf("beside the older program: %v, %v", s, err)
	}
	s, err := open(ctx, cfg, Options{Now: time.Now}, good)
	if err != nil {
		t.Fatalf("after it was put right: %v", err)
	}
	defer s.Close()
	if got := s.Info().Schema; got != len(good) {
		t.Errorf("schema %d, want %d", got, len(good))
	}
}

func testNodeIsLost(t *testing.T, server *postgrestest.Server) {
	ctx := context.Background()
	cfg, err := configure(server.Address(t), Options{Connections: 4})
	if err != nil {
		t.Fatal(err)
	}
	known, err := Migrations()
	if err != nil {
		t.Fatal(err)
	}
	first, err := open(ctx, cfg, Options{Now: time.Now}, known)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	b := &backend{}
	if b.pool, err = pgxpool.NewWithConfig(ctx, cfg.Copy()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.prepare(ctx, known, Options{Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	s := sqlstore.New(b, sqlstore.Config{Node: b.node.number})
	defer s.Close()
	b.renewNode(ctx)
	if err := s.Ping(ctx); err != nil {
		t.Errorf("after a renewal: %v", err)
	}
	if _, err := b.pool.Exec(ctx, `update node set owner = 'other' where number = $1`, b.node.number); err != nil {
		t.Fatal(err)
	}
	b.renewNode(ctx)
	err = s.Update(ctx, func(context.Context, processes.Tx) error { return nil })
	if !errors.Is(err, errNodeLost) || !errors.Is(s.Ping(ctx), errNodeLost) {
		t.Errorf("with a lost node number: %v", err)
	}
}
