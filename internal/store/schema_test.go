package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tradepost/internal/auth"
	"tradepost/internal/store/postgres"
	"tradepost/internal/store/postgrestest"
	"tradepost/internal/store/sqlite"
	"tradepost/internal/store/sqlstore"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// What package auth asks of a store.
var _ auth.Store = (*sqlstore.Store)(nil)

// TestMigrationsRunInStep compares the migrations as texts: the same numbers
// and names, and, but for what is known to differ, the same statements.
func TestMigrationsRunInStep(t *testing.T) {
	t.Parallel()
	lite, err := sqlite.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	pg, err := postgres.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	if len(lite) != len(pg) || len(lite) == 0 {
		t.Fatalf("%d migrations on SQLite and %d on Postgres", len(lite), len(pg))
	}
	onlyPostgres := regexp.MustCompile(`^(create function|alter table \w+ set \()`)
	plain := strings.NewReplacer(` collate "C"`, "", " without rowid", "", "id integer primary key", "id bigint primary key")
	comment := regexp.MustCompile(`(?m)--.*$`)
	statements := func(text string) (list []string) {
		for s := range strings.SplitSeq(comment.ReplaceAllString(plain.Replace(text), ""), ";") {
			s = strings.Join(strings.Fields(s), " ")
			if s != "" && !onlyPostgres.MatchString(s) {
				list = append(list, s)
			}
		}
		return list
	}
	for i := range lite {
		if lite[i].Version != pg[i].Version || lite[i].Name != pg[i].Name {
			t.Errorf("migration %d is %s on SQLite and %s on Postgres", i+1, lite[i].Name, pg[i].Name)
		}
		if diff := cmp.Diff(statements(lite[i].SQL), statements(pg[i].SQL)); diff != "" {
			t.Errorf("migration %d (-SQLite +Postgres):\n%s", i+1, diff)
		}
	}
}

// TestSchemasAreEqual compares what the databases themselves say of their
// tables, columns and indexes.
func TestSchemasAreEqual(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	address := postgrestest.Start(t).Address(t)
	p, err := postgres.Open(ctx, address, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	path := filepath.Join(t.TempDir(), "tradepost.db")
	l, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if p.Info().Schema != l.Info().Schema {
		t.Errorf("schema %d on Postgres and %d on SQLite", p.Info().Schema, l.Info().Schema)
	}
	lite, pg := ofSQLite(t, path), ofPostgres(t, address)
	if diff := cmp.Diff(lite, pg); diff != "" {
		t.Errorf("(-SQLite +Postgres):\n%s", diff)
	}
	if len(lite) < 100 {
		t.Errorf("only %d columns and indexes were compared", len(lite))
	}
}

// kind makes the types of both databases comparable.
func kind(declared string) string {
	declared = strings.ToLower(declared)
	if declared == "bigint" {
		return "integer"
	}
	return declared
}

func ofSQLite(t *testing.T, path string) (lines []string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`select m.name, c.name, c.type, c."notnull" or c.pk > 0 from sqlite_master m join pragma_table_xinfo(m.name) c where m.type = 'table' and m.name not like 'sqlite_%'
		union all select 'index', tbl_name || ' ' || name, case when sql like 'create unique%' then 'unique' else '' end, 0 from sqlite_master where type = 'index' and sql is not null`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table, column, declared string
		var notNull bool
		if err := rows.Scan(&table, &column, &declared, &notNull); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line(table, column, declared, notNull))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

func ofPostgres(t *testing.T, address string) (lines []string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `select table_name, column_name, data_type, is_nullable = 'NO' from information_schema.columns where table_schema = current_schema()
		union all select 'index', tablename || ' ' || indexname, case when indexdef like 'CREATE UNIQUE%' then 'unique' else '' end, false from pg_indexes where schemaname = current_schema() and indexname not like '%_pkey'`)
	if err != nil {
		t.Fatal(err)
	}
	lines, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (string, error) {
		var table, column, declared string
		var notNull bool
		err := r.Scan(&table, &column, &declared, &notNull)
		return line(table, column, declared, notNull), err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

func line(table, column, declared string, notNull bool) string {
	// A generated column is never null by its expression, and both say so
	// differently.
	if column == "troubled" {
		notNull = false
	}
	return fmt.Sprintf("%s %s %s %v", table, column, kind(declared), notNull)
}
