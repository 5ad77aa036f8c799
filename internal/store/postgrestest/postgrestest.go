// Package postgrestest gives tests a PostgreSQL server: the one that
// TRADEPOST_TEST_DATABASE_URL names, or else one of their own, made from the
// server programs that are installed on the machine and gone after the test.
package postgrestest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Variable names a server to use; its user must be allowed to make schemas.
const Variable = "TRADEPOST_TEST_DATABASE_URL"

// Server is a running server.
type Server struct {
	address string
	process *os.Process // nil when it is not ours
}

// Start returns a server for a test and its subtests. Without one the test is
// skipped, but fails where CI=true.
func Start(t testing.TB) *Server {
	t.Helper()
	if address := os.Getenv(Variable); address != "" {
		return &Server{address: address}
	}
	bin := programs()
	if bin == "" {
		missing := "no PostgreSQL here: set " + Variable + " or install the server (package postgresql)"
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	s, err := launch(t, bin)
	if err != nil {
		t.Fatalf("start PostgreSQL from %s: %v", bin, err)
	}
	return s
}

// Process is the server's main process, or nil when the server is not ours to
// disturb.
func (s *Server) Process() *os.Process { return s.process }

// Address returns the address of an empty schema of the test's own.
func (s *Server) Address(t testing.TB) string {
	t.Helper()
	ctx := context.Background()
	schema := "test_" + strings.ToLower(rand.Text())
	s.exec(ctx, t, "create schema "+schema)
	t.Cleanup(func() { s.exec(ctx, t, "drop schema "+schema+" cascade") })
	address, err := withSchema(s.address, schema)
	if err != nil {
		t.Fatalf("%s: %v", Variable, err)
	}
	return address
}

// withSchema adds a search_path to an address in either of its forms.
func withSchema(address, schema string) (string, error) {
	if !strings.Contains(address, "://") {
		return address + " search_path=" + schema, nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.New("it is no address")
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String(), nil
}

func (s *Server) exec(ctx context.Context, t testing.TB, sql string) {
	t.Helper()
	conn, err := pgx.Connect(ctx, s.address)
	if err != nil {
		t.Fatalf("connect to PostgreSQL: %v", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// programs finds the folder of the newest installed server.
func programs() string {
	var folders []string
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		folders = append(folders, strings.TrimSpace(string(out)))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin",
	} {
		found, _ := filepath.Glob(pattern) // the patterns are well formed
		slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
		folders = append(folders, found...)
	}
	for _, folder := range folders {
		if isProgram(filepath.Join(folder, "initdb")) && isProgram(filepath.Join(folder, "postgres")) {
			return folder
		}
	}
	return ""
}

// version is the number in the path of a server.
func version(folder string) int {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, folder)
	n, _ := strconv.Atoi(digits) // zero without one
	return n
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// launch makes and starts a server that listens on a socket in a folder of its
// own. Its data is thrown away, so it does not wait for the disk.
func launch(t testing.TB, bin string) (*Server, error) {
	folder, err := os.MkdirTemp("", "tp-pg-") // short: the path of a socket is
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	who, err := user(folder)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(folder, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "tradepost", "-E", "UTF8", "--locale=C", "--auth=trust", "--no-sync") //nolint:gosec // a program that was found above
	initdb.SysProcAttr, initdb.Dir = who, folder
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	var log strings.Builder
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "max_connections=300", //nolint:gosec // as above
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "log_min_messages=fatal")
	server.SysProcAttr, server.Dir, server.Stdout, server.Stderr = who, folder, &log, &log
	exited, err := run(server)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { stop(t, server.Process, exited) })
	s := &Server{address: (&url.URL{Scheme: "postgres", Path: "/postgres", RawQuery: url.Values{"host": {folder}, "user": {"tradepost"}}.Encode()}).String(), process: server.Process}
	return s, s.await(exited, &log)
}

// run starts a program and ends it with this one: on Linux a program that asks
// for it is ended when the thread that started it ends, so that thread waits.
func run(cmd *exec.Cmd) (exited chan struct{}, err error) {
	started := make(chan error, 1)
	exited = make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer close(exited)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ends shows in its log
		}
	}()
	return exited, <-started
}

// await waits until the server answers.
func (s *Server) await(exited <-chan struct{}, log *strings.Builder) error {
	deadline := time.Now().Add(60 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		conn, err := pgx.Connect(ctx, s.address)
		if err == nil {
			err = conn.Close(ctx)
		}
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("the server ended at once:\n%s", log)
		case <-tick.C:
			if time.Now().After(deadline) {
				return fmt.Errorf("the server does not answer: %w", err)
			}
		}
	}
}

// stop shuts a server down: "fast", and "immediate" when that takes long.
func stop(t testing.TB, p *os.Process, exited <-chan struct{}) {
	_ = p.Signal(os.Interrupt) // it may have ended
	timer := time.NewTimer(10 * time.Second)
	defer timer.Stop()
	select {
	case <-exited:
	case <-timer.C:
		t.Errorf("PostgreSQL did not stop in ten seconds; it is killed")
		_ = p.Kill()
		<-exited
	}
}
