package processes_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tradepost/internal/store/sqlite"
	"tradepost/internal/store/sqlstore"
	"tradepost/processes"
	"tradepost/tracking"
	"tradepost/tracking/archive"
)

// failing is an archive that can be told to fail.
type failing struct {
	*archive.Archive
	fail error // returned by Put when set
}

func (a *failing) Put(ctx context.Context, r io.Reader) (tracking.Payload, error) {
	if a.fail != nil {
		return tracking.Payload{}, a.fail
	}
	return a.Archive.Put(ctx, r)
}

// quiet observes nothing but what goes wrong around the engine.
type quiet struct{ t *testing.T }

func (quiet) StepDone(*processes.Run, string, time.Duration, error) {}
func (q quiet) Trouble(doing string, err error)                     { q.t.Logf("trouble: %s: %v", doing, err) }

// stepFunc is a step made of a function.
type stepFunc struct {
	name   string
	run    func(ctx context.Context, x *processes.Execution) (processes.Result, error)
	failed func(reason error)
}

func (s stepFunc) Name() string { return s.name }
func (s stepFunc) Run(ctx context.Context, x *processes.Execution) (processes.Result, error) {
	return s.run(ctx, x)
}

func (s stepFunc) Failed(_ context.Context, _ processes.Tx, _ *processes.Execution, reason error) error {
	if s.failed != nil {
		s.failed(reason)
	}
	return nil
}

func openStore(t *testing.T) *sqlstore.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Options{Poll: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// house is an engine over a store of its own with one process of the steps given.
type house struct {
	t     *testing.T
	store *sqlstore.Store
	steps []processes.Step
	retry processes.RetryPolicy
}

func (h *house) engine(owner string) *processes.Engine {
	h.t.Helper()
	table, err := processes.NewSteps(h.steps...)
	if err != nil {
		h.t.Fatal(err)
	}
	def := &processes.Definition{Name: "test", Version: 1, Over: processes.OverTransmission}
	for _, s := range h.steps {
		def.Steps = append(def.Steps, processes.StepRef{Step: s.Name()})
	}
	e, err := processes.NewEngine(processes.EngineConfig{
		Store: h.store, Steps: table, Definitions: processes.Definitions{"test": {def}}, IDs: h.store.IDs(), Now: time.Now,
		Owner: owner, Workers: 4, Lease: time.Minute, Poll: 20 * time.Millisecond, Retry: h.retry, Observe: quiet{h.t},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

// start runs an engine until the returned function is called.
func (h *house) start(owner string) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	e := h.engine(owner)
	go func() { done <- e.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error(err)
		}
	}
}

func (h *house) enqueue(lane string) tracking.ID {
	h.t.Helper()
	id := h.store.IDs().Next()
	err := h.store.Update(h.t.Context(), func(ctx context.Context, tx processes.Tx) error {
		return processes.Enqueue(ctx, tx, &processes.Run{ID: id, Process: "test", TransmissionID: id, CreatedAt: time.Now()}, lane)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return id
}

// await waits until a run is in the state.
func (h *house) await(id tracking.ID, want processes.RunState) processes.RunView {
	h.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		views, err := h.store.Runs(h.t.Context(), id, 0)
		if err != nil {
			h.t.Fatal(err)
		}
		if len(views) == 1 && views[0].State == want {
			return views[0]
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("run %s does not become %s: %+v", id, want, views)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func fastRetry() processes.RetryPolicy {
	return processes.RetryPolicy{First: 5 * time.Millisecond, Max: 20 * time.Millisecond, GiveUp: time.Hour}
}

func ok(detail string) func(context.Context, *processes.Execution) (processes.Result, error) {
	return func(context.Context, *processes.Execution) (processes.Result, error) {
		return processes.Result{Detail: detail}, nil
	}
}

func TestStepsRunInOrderWithACheckpointEach(t *testing.T) {
	t.Parallel()
	h := &house{t: t, store: openStore(t), retry: fastRetry(), steps: []processes.Step{
		stepFunc{name: "one", run: ok("first")}, stepFunc{name: "two", run: ok("second")},
	}}
	id := h.enqueue("lane")
	stop := h.start("a")
	defer stop()
	v := h.await(id, processes.RunDone)
	if len(v.Steps) != 2 || v.Steps[0].Step != "one" || v.Steps[1].Detail != "second" {
		t.Errorf("records of the steps: %+v", v.Steps)
	}
	lanes, err := h.store.Lanes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lanes {
		if l.Waiting != 0 {
			t.Errorf("lane %s still has %d jobs", l.Name, l.Waiting)
		}
	}
}

func TestFailedStepIsTriedAgainAndHoldsItsLane(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var order []string
	failures := 3
	h := &house{t: t, store: openStore(t), retry: fastRetry()}
	var first tracking.ID
	h.steps = []processes.Step{stepFunc{name: "work", run: func(_ context.Context, x *processes.Execution) (processes.Result, error) {
		mu.Lock()
		defer mu.Unlock()
		if x.Run.ID == first && failures > 0 {
			failures--
			return processes.Result{}, errors.New("the partner is out")
		}
		order = append(order, x.Run.ID.String())
		return processes.Result{}, nil
	}}}
	first = h.enqueue("lane")
	second := h.enqueue("lane")
	defer h.start("a")()
	h.await(second, processes.RunDone)
	v := h.await(first, processes.RunDone)
	if len(v.Steps) != 4 || v.Steps[0].Outcome != "retry" || !strings.Contains(v.Steps[0].Detail, "the partner is out") {
		t.Errorf("records of the steps: %+v", v.Steps)
	}
	if order[0] != first.String() {
		t.Errorf("the second run overtook the first in its lane")
	}
}

func TestPermanentErrorBuriesTheJobAndFreesTheLane(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var told error
	h := &house{t: t, store: openStore(t), retry: fastRetry()}
	var first tracking.ID
	h.steps = []processes.Step{stepFunc{
		name: "work",
		run: func(_ context.Context, x *processes.Execution) (processes.Result, error) {
			if x.Run.ID == first {
				return processes.Result{}, processes.Permanent(errors.New("nobody agreed to this"))
			}
			return processes.Result{}, nil
		},
		failed: func(reason error) {
			mu.Lock()
			defer mu.Unlock()
			told = reason
		},
	}}
	first = h.enqueue("lane")
	second := h.enqueue("lane")
	defer h.start("a")()
	h.await(second, processes.RunDone)
	h.await(first, processes.RunFailed)
	mu.Lock()
	defer mu.Unlock()
	if told == nil || told.Error() != "nobody agreed to this" {
		t.Errorf("Failed was told %v", told)
	}
	dead, err := h.store.DeadJobs(t.Context(), 10)
	if err != nil || len(dead) != 1 || dead[0].LastError != "nobody agreed to this" {
		t.Errorf("dead letters: %+v, %v", dead, err)
	}
}

func TestPanicOfAStepIsAFailedAttempt(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	panics := 1
	h := &house{t: t, store: openStore(t), retry: fastRetry(), steps: []processes.Step{
		stepFunc{name: "work", run: func(context.Context, *processes.Execution) (processes.Result, error) {
			mu.Lock()
			defer mu.Unlock()
			if panics > 0 {
				panics--
				panic("index out of range")
			}
			return processes.Result{}, nil
		}},
	}}
	id := h.enqueue("lane")
	defer h.start("a")()
	v := h.await(id, processes.RunDone)
	if len(v.Steps) != 2 || !strings.Contains(v.Steps[0].Detail, "panicked: index out of range") {
		t.Errorf("records of the steps: %+v", v.Steps)
	}
}

// A worker that dies keeps its job until the lease runs out; another one then
// goes on behind the last checkpoint.
func TestAnotherWorkerGoesOnBehindTheLastCheckpoint(t *testing.T) {
	t.Parallel()
	h := &house{t: t, store: openStore(t), retry: fastRetry()}
	var mu sync.Mutex
	counts := map[string]int{}
	count := func(name string) {
		mu.Lock()
		defer mu.Unlock()
		counts[name]++
	}
	h.steps = []processes.Step{
		stepFunc{name: "one", run: func(context.Context, *processes.Execution) (processes.Result, error) {
			count("one")
			return processes.Result{}, nil
		}},
		stepFunc{name: "two", run: func(context.Context, *processes.Execution) (processes.Result, error) {
			count("two")
			return processes.Result{}, nil
		}},
	}
	id := h.enqueue("lane")
	// The dead worker: it claimed the job, stored the first checkpoint, and is gone.
	jobs, err := h.store.Claim(t.Context(), "dead", 1, 200*time.Millisecond)
	if err != nil || len(jobs) != 1 {
		t.Fatalf("claim: %d jobs, %v", len(jobs), err)
	}
	err = h.store.Update(t.Context(), func(ctx context.Context, tx processes.Tx) error {
		run, err := tx.Run(ctx, id)
		if err != nil {
			return err
		}
		run.Cursor = 1
		return tx.UpdateRun(ctx, run)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer h.start("alive")()
	h.await(id, processes.RunDone)
	mu.Lock()
	defer mu.Unlock()
	if counts["one"] != 0 || counts["two"] != 1 {
		t.Errorf("step one ran %d times and step two %d times, want 0 and 1", counts["one"], counts["two"])
	}
}

// Effects and checkpoint are one: what a step that lost its lease wanted to
// store is not stored.
func TestSlowWorkerStoresNothingOnceItsLeaseIsLost(t *testing.T) {
	t.Parallel()
	h := &house{t: t, store: openStore(t), retry: fastRetry()}
	h.enqueue("lane")
	claim := func(owner string) []int64 {
		jobs, err := h.store.Claim(t.Context(), owner, 1, 30*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		var fences []int64
		for _, j := range jobs {
			fences = append(fences, j.Fence)
		}
		return fences
	}
	slow, err := h.store.Claim(t.Context(), "slow", 1, 30*time.Millisecond)
	if err != nil || len(slow) != 1 {
		t.Fatalf("claim: %v, %v", slow, err)
	}
	var fast []int64
	for deadline := time.Now().Add(2 * time.Minute); len(fast) == 0 && time.Now().Before(deadline); {
		fast = claim("fast")
		time.Sleep(5 * time.Millisecond)
	}
	if len(fast) != 1 || fast[0] <= slow[0].Fence {
		t.Fatalf("fences %v after %d: the second claim needs a higher one", fast, slow[0].Fence)
	}
	err = h.store.Update(t.Context(), func(ctx context.Context, tx processes.Tx) error { return tx.FinishJob(ctx, slow[0]) })
	if err == nil {
		t.Error("a job was finished by a worker that had lost it")
	}
}

func TestDefinitionsNameTheirMistakes(t *testing.T) {
	t.Parallel()
	defs, err := processes.BuiltinDefinitions()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"inbound", "outbound", "dispatch", "deliver", "receipt", "chase", "resend", "release"} {
		if defs[name] == nil {
			t.Errorf("there is no process %s", name)
		}
	}
	table, err := processes.NewSteps(stepFunc{name: "one"})
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Check(defs); err == nil || !strings.Contains(err.Error(), "there is no step") {
		t.Errorf("definitions with unknown steps give %v", err)
	}
	if _, err := processes.NewSteps(stepFunc{name: "one"}, stepFunc{name: "one"}); err == nil {
		t.Error("two steps of one name are taken")
	}
}

func TestRunGoesOnByTheVersionItBeganWith(t *testing.T) {
	t.Parallel()
	version := func(n int, steps ...string) *processes.Definition {
		d := &processes.Definition{Name: "carry", Version: n, Over: processes.OverDocument}
		for _, s := range steps {
			d.Steps = append(d.Steps, processes.StepRef{Step: s})
		}
		return d
	}
	defs, err := processes.NewDefinitions(version(2, "extract", "map", "send"), version(1, "extract", "send"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what            string
		version, cursor int
		want            int // 0 = refused
	}{
		{"one that was not begun takes the newest", 0, 0, 2},
		{"one begun by the first goes on by it", 1, 1, 1},
		{"one that does not tell was begun before versions were noted", 0, 1, 1},
		{"one begun by a newer program is not guessed at", 3, 1, 0},
	} {
		got, err := defs.Of(&processes.Run{Process: "carry", Version: c.version, Cursor: c.cursor})
		switch {
		case c.want == 0 && err == nil, c.want != 0 && (err != nil || got.Version != c.want):
			t.Errorf("%s: %+v, %v", c.what, got, err)
		}
	}
	if _, err := defs.Of(&processes.Run{Process: "other"}); err == nil {
		t.Error("a process that is not there was found")
	}
	if _, err := processes.NewDefinitions(version(1, "a"), version(1, "b")); err == nil {
		t.Error("two definitions of one version were taken")
	}
}

// TestEngineNotesTheVersion makes sure that what a run began with is in the
// store with what it did.
func TestEngineNotesTheVersion(t *testing.T) {
	t.Parallel()
	h := &house{t: t, store: openStore(t), retry: fastRetry(), steps: []processes.Step{
		stepFunc{name: "only", run: func(context.Context, *processes.Execution) (processes.Result, error) { return processes.Result{}, nil }},
	}}
	defer h.start("one")()
	if view := h.await(h.enqueue("lane"), processes.RunDone); view.Version != 1 {
		t.Errorf("the run was done by version %d", view.Version)
	}
}
