package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestANewStationAgainstItsStore runs the commands on the embedded store, as
// the program wires them.
func TestANewStationAgainstItsStore(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "station")
	run := func(args ...string) result {
		var out, words bytes.Buffer
		env := &Env{
			Stdin: strings.NewReader(""), Stdout: &out, Stderr: &words, Now: time.Now, Random: rand.Reader,
			LookupEnv: func(string) (string, bool) { return "", false },
		}
		env.OpenStore, env.ConsoleLink = openStore(env), consoleLink(env)
		code := Run(context.Background(), env, args)
		return result{code, out.String(), words.String()}
	}
	file := filepath.Join(dir, "tradepost.yaml")
	run("init", dir, "--name", "buyer", "--as2-address", "127.0.0.1:0", "--admin-address", "127.0.0.1:0").expect(t, ExitOK, "Station buyer is ready")
	if r := run("doctor", "-c", file).expect(t, ExitOK, ""); !strings.Contains(r.stdout, "the embedded store is made at the first start") {
		t.Errorf("doctor before the first start:\n%s", r.stdout)
	}
	if r := run("document", "list", "-c", file, "-o", "json").expect(t, ExitOK, ""); r.stdout != "[]\n" {
		t.Errorf("documents of a new station: %s", r.stdout)
	}
	run("document", "list", "-c", file, "--key", "PO=1", "--state", "failed", "--overdue", "--since", "1h").expect(t, ExitOK, "no document matches")
	run("document", "list", "-c", file, "--partner", "suplier").expect(t, ExitOK, `no partner "suplier": partners are not there yet`)
	run("document", "show", "-c", file, "01ABCDEFGHJKM").expect(t, ExitNotFound, "there is no document 01ABCDEFGHJKM")
	run("queue", "list", "-c", file).expect(t, ExitOK, "no work is waiting")
	run("queue", "pause", "-c", file, "deliver/back-office").expect(t, ExitOK, "is paused")
	if r := run("queue", "list", "-c", file, "-o", "csv").expect(t, ExitOK, ""); !strings.Contains(r.stdout, "deliver/back-office,paused,0,0") {
		t.Errorf("lanes after a pause:\n%s", r.stdout)
	}
	run("queue", "resume", "-c", file, "deliver/back-office").expect(t, ExitOK, "is open")
	run("queue", "retry", "-c", file, "01ABCDEFGHJKM").expect(t, ExitNotFound, "there is no dead letter")
	if r := run("doctor", "-c", file).expect(t, ExitOK, ""); !strings.Contains(r.stdout, "the store opens and answers") {
		t.Errorf("doctor after the first start:\n%s", r.stdout)
	}
	run("document", "list", "-c", file, "--database", "postgres://nobody@127.0.0.1:1/none?connect_timeout=2").expect(t, ExitUnreachable, "open the store")
}
