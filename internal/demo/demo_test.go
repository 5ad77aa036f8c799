package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the tradepost program, built once for the tests of this package.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tradepost-test-")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "tradepost")
	out, err := exec.Command("go", "build", "-o", file, "tradepost/cmd/tradepost").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return file, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if file, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(code)
}

// events collects the lines of a demonstration and lets a test look at each.
type events struct {
	mu    sync.Mutex
	lines []line
	seen  func(line)
}

func (e *events) follow(r io.Reader) {
	scan := bufio.NewScanner(r)
	for scan.Scan() {
		var l line
		if json.Unmarshal(scan.Bytes(), &l) != nil {
			continue
		}
		e.mu.Lock()
		e.lines = append(e.lines, l)
		e.mu.Unlock()
		if e.seen != nil {
			e.seen(l)
		}
	}
}

func (e *events) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var b strings.Builder
	for _, l := range e.lines {
		fmt.Fprintf(&b, "%s %s %s→%s %s %s %s\n", l.Time, l.Station, l.From, l.To, l.Document, l.Event, l.Detail)
	}
	return b.String()
}

func (e *events) has(event string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.lines {
		if l.Event == event {
			return true
		}
	}
	return false
}

// play runs `tradepost demo --once` as a person would and returns its events.
func play(ctx context.Context, t *testing.T, seen func(line), args ...string) (*events, error) {
	t.Helper()
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, file, append([]string{"demo", "--once", "-o", "jsonl", "--timeout", "5m"}, args...)...)
	var words bytes.Buffer
	cmd.Stderr = &words
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	e := &events{seen: seen}
	e.follow(out)
	if err := cmd.Wait(); err != nil {
		return e, fmt.Errorf("%w\n%s", err, words.String())
	}
	return e, nil
}

func TestTheWholeTradeComesTrue(t *testing.T) {
	t.Parallel()
	e, err := play(t.Context(), t, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, e)
	}
	if !e.has("demo.done") {
		t.Errorf("it does not say that it is done:\n%s", e)
	}
	rejected := false
	for _, l := range e.lines {
		rejected = rejected || l.Event == "acknowledgement.received" && strings.Contains(l.Detail, "PO1, element 3")
		if l.Event == "demo.missing" {
			t.Errorf("missing: %s", l.Detail)
		}
		if _, err := time.Parse(time.RFC3339Nano, l.Time); err != nil {
			t.Errorf("time %q: %v", l.Time, err)
		}
	}
	if !rejected {
		t.Errorf("no event names the segment and element of the rejection:\n%s", e)
	}
}

// A real 850 goes the same road.
func TestTradeWithARealOrder(t *testing.T) {
	t.Parallel()
	corpus := os.Getenv("TRADEPOST_CORPUS")
	if corpus == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("TRADEPOST_CORPUS is not set")
		}
		t.Skip("TRADEPOST_CORPUS is not set: no real orders at hand")
	}
	order := filepath.Join(corpus, "edi", "stupidedi", "004010", "X357 SC850 Aerospace Industry Purchase Order", "pass", "basic-po.edi")
	e, err := play(t.Context(), t, nil, "--document", order)
	if err != nil {
		t.Fatalf("%s: %v\n%s", order, err, e)
	}
}

var process = regexp.MustCompile(`process (\d+)`)

// killer kills a station's process at random moments, a number of times.
type killer struct {
	mu    sync.Mutex
	pids  map[string]int
	kills int
	rng   *rand.Rand
}

// see learns the process of each station, and kills one now and then.
func (k *killer) see(l line) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l.Event == "station.started" {
		if m := process.FindStringSubmatch(l.Detail); m != nil {
			k.pids[l.From], _ = strconv.Atoi(m[1])
		}
		return
	}
	if k.kills == 0 || k.rng.IntN(4) != 0 || len(k.pids) < 2 {
		return
	}
	station := []string{"buyer", "supplier"}[k.rng.IntN(2)]
	pid := k.pids[station]
	if pid == 0 {
		return
	}
	k.pids[station] = 0
	k.kills--
	delay := time.Duration(k.rng.IntN(120)) * time.Millisecond
	time.AfterFunc(delay, func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
}

// Whatever dies and whenever, the trade ends in the same state, with each
// document delivered once.
func TestTradeSurvivesTheDeathOfItsStations(t *testing.T) {
	t.Parallel()
	rounds, kills := 2, 4
	if os.Getenv("TRADEPOST_SOAK") != "" {
		rounds, kills = 60, 8
	}
	for round := range rounds {
		seed := uint64(time.Now().UnixNano()) + uint64(round)
		k := &killer{pids: map[string]int{}, kills: kills, rng: rand.New(rand.NewPCG(seed, 1))}
		dir := t.TempDir()
		e, err := play(t.Context(), t, k.see, "--data", dir)
		if err != nil {
			t.Fatalf("seed %d, %d kills left: %v\n%s", seed, k.kills, err, e)
		}
		if k.kills == kills {
			t.Errorf("seed %d: nothing was killed:\n%s", seed, e)
		}
		t.Logf("seed %d: %d kills", seed, kills-k.kills)
	}
}

// The demonstration itself may die too: the next one on the same data goes on.
func TestTradeGoesOnAfterTheDeathOfTheDemonstration(t *testing.T) {
	t.Parallel()
	if _, err := program(); err != nil { // built before the clock runs
		t.Fatal(err)
	}
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2))
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond+time.Duration(rng.IntN(1200))*time.Millisecond)
		_, _ = play(ctx, t, nil, "--data", dir) // killed on the way, or done early
		cancel()
	}
	e, err := play(t.Context(), t, nil, "--data", dir)
	if err != nil {
		t.Fatalf("%v\n%s", err, e)
	}
}

// A real order may use units of measure that the supplier of the built-in trade
// does not take, even the one its faulty order has.
func TestTradeWithOtherUnits(t *testing.T) {
	t.Parallel()
	order, err := files.ReadFile("documents/850-order.edi")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "order.edi")
	order = bytes.Replace(bytes.Replace(order, []byte("*EA*"), []byte("*LB*"), 1), []byte("*CA*"), []byte("*DZ*"), 1)
	if err := os.WriteFile(file, order, 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := play(t.Context(), t, nil, "--document", file)
	if err != nil || !strings.Contains(e.String(), `PO1, element 3, "GS"`) {
		t.Errorf("%v\n%s", err, e)
	}
}

// What the supplier does not accept ends the demonstration with the reason, and
// not with its timeout.
func TestWaitingEndsWhereItIsHopeless(t *testing.T) {
	t.Parallel()
	faulty, err := files.ReadFile("documents/850-order-faulty.edi")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	// The guide of the first trade stays in the stations of the second.
	if e, err := play(t.Context(), t, nil, "--data", dir); err != nil {
		t.Fatalf("%v\n%s", err, e)
	}
	file := filepath.Join(dir, "order.edi")
	if err := os.WriteFile(file, bytes.ReplaceAll(faulty, []byte("4500012346"), []byte("4500099999")), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := play(t.Context(), t, nil, "--data", dir, "--document", file, "--timeout", "1h")
	if err == nil || !strings.Contains(err.Error(), "the supplier does not accept it: PO103") {
		t.Errorf("%v\n%s", err, e)
	}
}

// A file that no order can be read from is named as it was given.
func TestDocumentsThatCannotBeTradedAreNamed(t *testing.T) {
	t.Parallel()
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	order, err := files.ReadFile("documents/850-order.edi")
	if err != nil {
		t.Fatal(err)
	}
	shipment, err := files.ReadFile("documents/856-shipment.edi")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"empty.edi": nil, "text.txt": []byte("hello"), "shipment.edi": shipment,
		"keyless.edi": bytes.Replace(order, []byte("BEG*"), []byte("BAL*"), 1),
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), file, "demo", "--once", "--document", path).CombinedOutput()
		if err == nil || !strings.Contains(string(out), path) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// An order that breaks the standard is not sent, and the demonstration says
// where it is wrong instead of waiting.
func TestOrderThatBreaksTheStandardIsNotTraded(t *testing.T) {
	t.Parallel()
	order, err := files.ReadFile("documents/850-order.edi")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "order.edi")
	if err := os.WriteFile(file, bytes.Replace(order, []byte("*20261204"), []byte("*20261504"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := play(t.Context(), t, nil, "--document", file)
	if err == nil || !strings.Contains(err.Error(), "DTM02") {
		t.Errorf("the error does not say where the order is wrong: %v\n%s", err, e)
	}
}
