package interop

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/certs"
	"tradepost/internal/freeport"
)

// peer is another product, running. It has one AS2 name for each agreement.
type peer interface {
	// about is name and version of the product and of what it runs on.
	about() string
	// url is where the product takes transmissions, secureURL the same over HTTPS.
	url() string
	secureURL() string
	// receiptHost is host:port at which it takes receipts that come on their own.
	receiptHost() string
	// certificate is the one all its AS2 names use.
	certificate() *x509.Certificate
	// received is what the product has taken over for one of its names, oldest
	// first; it waits until there is something.
	received(ctx context.Context, name string) ([][]byte, error)
	// send has the product send from one of its names to us. It returns when
	// the product is done: what it says of our receipt is in the error.
	send(ctx context.Context, name string, g goods) error
}

// agreement is how one AS2 name of a peer trades with us.
type agreement struct {
	name string
	cell
	// with is our side; the usual station when nil.
	with *station
	// url is where the peer sends to; our station when empty.
	url string
	// key signs, and reads what is encrypted: a name among bench.keys.
	key string
	// more are settings of the product itself.
	more map[string]string
}

// tool is a program the peers need. Without it the test fails where CI is
// true, and is skipped elsewhere.
func tool(t testing.TB, name, what string) string {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		missing(t, fmt.Errorf("%s (%s) is not installed", name, what))
	}
	return program
}

// missing ends a test that cannot be run here.
func missing(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%v, and CI needs it", err)
	}
	t.Skipf("%v: nothing is traded with this product", err)
}

// cached is a folder of the user's cache that fill fills once. A folder that
// is there is whole.
func cached(t testing.TB, name string, fill func(ctx context.Context, dir string) error) string {
	t.Helper()
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	base = filepath.Join(base, "tradepost-interop")
	dir := filepath.Join(base, name)
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		t.Fatal(err)
	}
	half, err := fetched(t, base, name, fill)
	if err != nil {
		missing(t, fmt.Errorf("%s cannot be had: %w", name, err))
	}
	defer os.RemoveAll(half)
	if err := os.Rename(half, dir); err != nil {
		if _, there := os.Stat(dir); there != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// fetching is how long a product may take to come from its registry, which may
// be slow, and how often it is asked for.
const (
	fetching = 5 * time.Minute
	fetches  = 3
)

// fetched fills a new folder below base. What was fetched by an attempt that
// failed is as a rule in the caches of Maven and pip, and is not fetched again.
// All ends while there is time to say why, before the test is cut off.
func fetched(t testing.TB, base, name string, fill func(ctx context.Context, dir string) error) (string, error) {
	t.Helper()
	ctx := t.Context()
	if own, ok := t.(*testing.T); ok {
		if end, ok := own.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, end.Add(-time.Minute))
			defer cancel()
		}
	}
	var failed error
	for range fetches {
		dir, err := os.MkdirTemp(base, name+".*")
		if err != nil {
			t.Fatal(err)
		}
		attempt, cancel := context.WithTimeout(ctx, fetching)
		err = fill(attempt, dir)
		cancel()
		if err == nil {
			return dir, nil
		}
		failed = errors.Join(failed, err, os.RemoveAll(dir))
		if ctx.Err() != nil {
			break
		}
	}
	return "", failed
}

// command runs a program to its end. Its output is in the error.
func command(ctx context.Context, dir, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.WaitDelay = dir, 5*time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return out, fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, last(out, 2000))
	}
	return out, nil
}

func last(b []byte, n int) []byte { return b[max(0, len(b)-n):] }

// process is a program that runs until the test ends. It is told to stop by
// the end of its standard input, so it ends with the test however that ends.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	out   *output
	ended chan struct{}
}

// output keeps what a program says.
type output struct {
	mu sync.Mutex
	b  []byte
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.b = append(o.b, p...)
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.b)
}

// lines are the lines that contain a text.
func (o *output) lines(text string) string {
	var found []string
	for line := range strings.Lines(o.String()) {
		if strings.Contains(line, text) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return strings.Join(found, "\n")
}

// start starts a program that ends when its standard input does.
func start(t testing.TB, dir string, env []string, program string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(program, args...), out: &output{}, ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = dir, append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended does not matter: that it did is noticed
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.stdin.Close()
		select {
		case <-p.ended:
		case <-time.After(2 * time.Minute):
			_ = p.cmd.Process.Kill()
			t.Errorf("%s did not end with its standard input, and was killed", filepath.Base(program))
		}
		// Kept by go test -artifacts.
		write(t, filepath.Join(t.ArtifactDir(), filepath.Base(program)+".log"), []byte(p.out.String()))
	})
	return p
}

// until asks again and again until ready says so, the program ends, or patience does.
func (p *process) until(t testing.TB, what string, ready func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for !ready() {
		select {
		case <-p.ended:
			t.Fatalf("%s has ended before it was ready:\n%s", what, p.out)
		case <-deadline:
			t.Fatalf("%s is not ready after %v:\n%s", what, patience, p.out)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// reachable tells whether something listens.
func reachable(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	return c.Close() == nil
}

// freePorts are ports that nobody listens on, and that are kept for the test.
func freePorts(t testing.TB, n int) []string {
	t.Helper()
	var out []string
	for range n {
		p, err := freeport.Reserve()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Release() })
		_, port, err := net.SplitHostPort(p.Address())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, port)
	}
	return out
}

// eventually asks again and again until ask has an answer or ctx ends.
func eventually[T any](ctx context.Context, ask func() (T, bool, error)) (T, error) {
	for {
		answer, ok, err := ask()
		if ok || err != nil {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return answer, errors.New("nothing has come")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// writePEM writes a key with its certificate into one file.
func writePEM(t testing.TB, file string, key as2.Key) {
	t.Helper()
	k, err := certs.EncodeKey(key.Private)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, append(k, certs.EncodeCertificate(key.Certificate)...))
}

func write(t testing.TB, file string, b []byte) {
	t.Helper()
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
