package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tradepost/processes"
	"tradepost/processes/queue"
	"tradepost/tracking"

	"github.com/google/go-cmp/cmp"
)

// long is a lease that does not run out during a test.
const long = time.Hour

// eventually polls until ok, for at most ten seconds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); <-tick.C {
		if ok() {
			return
		}
	}
	t.Fatalf("%s did not come about in ten seconds", what)
}

// newJob is due at once.
func newJob(s Store, lane string) *queue.Job {
	return &queue.Job{ID: int64(s.IDs().Next()), Lane: lane, Kind: "run", Args: json.RawMessage(`{"run":"1"}`), RunAt: day, CreatedAt: day}
}

// enqueue adds jobs that are due at once and returns them.
func enqueue(t *testing.T, s Store, lane string, n int) (jobs []*queue.Job) {
	t.Helper()
	for range n {
		j := newJob(s, lane)
		update(t, s, func(ctx context.Context, tx processes.Tx) error { return tx.Enqueue(ctx, j) })
		jobs = append(jobs, j)
	}
	return jobs
}

func claim(t *testing.T, s Store, owner string, n int, lease time.Duration) []*queue.Job {
	t.Helper()
	jobs, err := s.Claim(context.Background(), owner, n, lease)
	if err != nil {
		t.Fatalf("Claim: %v", err)
	}
	return jobs
}

// claimOne claims exactly one job.
func claimOne(t *testing.T, s Store, owner string) *queue.Job {
	t.Helper()
	jobs := claim(t, s, owner, 1, long)
	if len(jobs) != 1 {
		t.Fatalf("claimed %d jobs, want 1", len(jobs))
	}
	return jobs[0]
}

// claimNone expects that nothing can be claimed.
func claimNone(t *testing.T, s Store, why string) {
	t.Helper()
	if jobs := claim(t, s, "nobody", 10, long); len(jobs) != 0 {
		t.Errorf("%s: %d jobs were claimed, the first is %d of lane %s", why, len(jobs), jobs[0].ID, jobs[0].Lane)
	}
}

// in runs one of the queue's verbs in an Update of its own.
func in(s Store, fn func(ctx context.Context, tx processes.Tx) error) error {
	return s.Update(context.Background(), fn)
}

func finish(s Store, j *queue.Job) error {
	return in(s, func(ctx context.Context, tx processes.Tx) error { return tx.FinishJob(ctx, j) })
}

func testLaneOrder(t *testing.T, s Store) {
	want := enqueue(t, s, "process/buyer", 5)
	for i, w := range want {
		if w.Seq != int64(i+1) {
			t.Errorf("job %d of the lane has seq %d", i+1, w.Seq)
		}
		got := claimOne(t, s, "w1")
		if got.ID != w.ID || got.State != queue.Claimed || got.Owner != "w1" || got.Attempt != 1 || got.Fence != 1 || string(got.Args) != string(w.Args) {
			t.Fatalf("claimed %+v, want %+v", got, w)
		}
		if err := finish(s, got); err != nil {
			t.Fatalf("FinishJob: %v", err)
		}
	}
	claimNone(t, s, "an empty lane")
}

func testOneInFlight(t *testing.T, s Store) {
	enqueue(t, s, "process/buyer", 3)
	held := claim(t, s, "w1", 10, long)
	if len(held) != 1 {
		t.Fatalf("%d jobs of one lane were claimed, want 1", len(held))
	}
	claimNone(t, s, "a lane whose head is claimed")
	enqueue(t, s, "process/buyer", 1)
	claimNone(t, s, "a lane whose head is claimed, after another job came")
	if err := in(s, func(ctx context.Context, tx processes.Tx) error { return tx.HoldJob(ctx, held[0]) }); err != nil {
		t.Errorf("HoldJob: %v", err)
	}
	claimNone(t, s, "a lane whose head is held on")
	if err := finish(s, held[0]); err != nil {
		t.Fatal(err)
	}
	claimOne(t, s, "w2")
}

func testLanesApart(t *testing.T, s Store) {
	for i := range 5 {
		enqueue(t, s, fmt.Sprintf("lane %d", i), 2)
	}
	seen := map[string]bool{}
	for _, n := range []int{2, 10} {
		for _, j := range claim(t, s, "w", n, long) {
			if seen[j.Lane] || j.Seq != 1 {
				t.Errorf("lane %s gave job %d while another is in flight", j.Lane, j.Seq)
			}
			seen[j.Lane] = true
		}
		if want := min(n, 5); len(seen) != want {
			t.Errorf("%d lanes in flight after claiming up to %d, want %d", len(seen), n, want)
		}
	}
}

func testRetryHolds(t *testing.T, s Store) {
	jobs := enqueue(t, s, "deliver/buyer", 2)
	j := claimOne(t, s, "w")
	retry := func(at time.Time) {
		t.Helper()
		if err := in(s, func(ctx context.Context, tx processes.Tx) error { return tx.RetryJob(ctx, j, at, "connection refused") }); err != nil {
			t.Fatalf("RetryJob: %v", err)
		}
	}
	retry(time.Now().Add(time.Hour))
	claimNone(t, s, "a lane whose head waits for its next attempt")
	lanes, err := s.Lanes(context.Background())
	if err != nil || len(lanes) != 1 || lanes[0].Head == nil {
		t.Fatalf("Lanes: %+v, %v", lanes, err)
	}
	if h := lanes[0].Head; h.ID != jobs[0].ID || h.LastError != "connection refused" || h.State != queue.Ready || h.Owner != "" || lanes[0].Waiting != 2 {
		t.Errorf("the head that waits: %+v of %+v", h, lanes[0])
	}
	if err := finish(s, j); !errors.Is(err, queue.ErrLeaseLost) {
		t.Errorf("finishing a job that was given back: %v, want ErrLeaseLost", err)
	}

	other := enqueue(t, s, "deliver/seller", 1)
	j = claimOne(t, s, "w")
	if j.ID != other[0].ID {
		t.Fatalf("claimed %d", j.ID)
	}
	retry(time.Now().Add(50 * time.Millisecond))
	eventually(t, "the retry", func() bool {
		again := claim(t, s, "w2", 10, long)
		if len(again) == 0 {
			return false
		}
		if len(again) != 1 || again[0].ID != j.ID || again[0].Attempt != 2 || again[0].Fence != 2 || again[0].LastError != "connection refused" {
			t.Errorf("claimed again: %+v", again[0])
		}
		return true
	})
}

func testBuryFrees(t *testing.T, s Store) {
	jobs := enqueue(t, s, "deliver/buyer", 2)
	j := claimOne(t, s, "w")
	if err := in(s, func(ctx context.Context, tx processes.Tx) error { return tx.BuryJob(ctx, j, "gave up") }); err != nil {
		t.Fatalf("BuryJob: %v", err)
	}
	if next := claimOne(t, s, "w"); next.ID != jobs[1].ID {
		t.Errorf("claimed %d after the burial, want %d", next.ID, jobs[1].ID)
	}
	dead, err := s.DeadJobs(context.Background(), 10)
	if err != nil || len(dead) != 1 || dead[0].ID != j.ID || dead[0].State != queue.Dead || dead[0].LastError != "gave up" || dead[0].Owner != "" {
		t.Errorf("DeadJobs: %+v, %v", dead, err)
	}
	if err := finish(s, j); !errors.Is(err, queue.ErrLeaseLost) {
		t.Errorf("finishing a dead letter: %v, want ErrLeaseLost", err)
	}
}

func testRevive(t *testing.T, s Store) {
	jobs := enqueue(t, s, "deliver/buyer", 3)
	for range 2 {
		j := claimOne(t, s, "w")
		if err := in(s, func(ctx context.Context, tx processes.Tx) error { return tx.BuryJob(ctx, j, "gave up") }); err != nil {
			t.Fatal(err)
		}
	}
	dead, err := s.DeadJobs(context.Background(), 10)
	if err != nil || len(dead) != 2 || dead[0].ID != jobs[1].ID {
		t.Fatalf("DeadJobs, newest first: %+v, %v", dead, err)
	}
	if one, err := s.DeadJobs(context.Background(), 1); err != nil || len(one) != 1 {
		t.Errorf("DeadJobs, at most one: %d, %v", len(one), err)
	}
	if err := s.ReviveJob(context.Background(), jobs[0].ID); err != nil {
		t.Fatalf("ReviveJob: %v", err)
	}
	if err := s.ReviveJob(context.Background(), jobs[0].ID); !errors.Is(err, tracking.ErrNotFound) {
		t.Errorf("reviving what lives: %v, want ErrNotFound", err)
	}
	var order []int64
	for range 2 {
		j := claimOne(t, s, "w")
		order = append(order, j.ID)
		if j.ID == jobs[0].ID && (j.Attempt != 1 || j.Fence != 2) {
			t.Errorf("the revived job has attempt %d and fence %d, want 1 and 2", j.Attempt, j.Fence)
		}
		if err := finish(s, j); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]int64{jobs[2].ID, jobs[0].ID}, order); diff != "" {
		t.Errorf("order after the revival (-want +got):\n%s", diff)
	}
	claimNone(t, s, "a lane with nothing but a dead letter")
}

func testLeaseRunsOut(t *testing.T, s Store) {
	enqueue(t, s, "process/buyer", 2)
	slow := claim(t, s, "slow", 1, time.Millisecond)[0]
	var fast *queue.Job
	eventually(t, "the end of the lease", func() bool {
		if jobs := claim(t, s, "fast", 10, long); len(jobs) == 1 {
			fast = jobs[0]
		}
		return fast != nil
	})
	if fast.ID != slow.ID || fast.Fence <= slow.Fence || fast.Attempt != 2 || fast.Owner != "fast" {
		t.Fatalf("claimed again: %+v, was %+v", fast, slow)
	}
	d := document(s)
	for name, verb := range map[string]func(ctx context.Context, tx processes.Tx) error{
		"HoldJob":   func(ctx context.Context, tx processes.Tx) error { return tx.HoldJob(ctx, slow) },
		"FinishJob": func(ctx context.Context, tx processes.Tx) error { return tx.FinishJob(ctx, slow) },
		"RetryJob":  func(ctx context.Context, tx processes.Tx) error { return tx.RetryJob(ctx, slow, day, "x") },
		"BuryJob":   func(ctx context.Context, tx processes.Tx) error { return tx.BuryJob(ctx, slow, "x") },
	} {
		err := in(s, func(ctx context.Context, tx processes.Tx) error {
			return errors.Join(tx.InsertDocument(ctx, d), verb(ctx, tx))
		})
		if !errors.Is(err, queue.ErrLeaseLost) {
			t.Errorf("%s by the slow worker: %v, want ErrLeaseLost", name, err)
		}
	}
	if err := s.Extend(context.Background(), slow, long); !errors.Is(err, queue.ErrLeaseLost) {
		t.Errorf("Extend by the slow worker: %v, want ErrLeaseLost", err)
	}
	if _, err := s.DocumentView(context.Background(), d.ID); !errors.Is(err, tracking.ErrNotFound) {
		t.Errorf("what the slow worker stored beside it: %v, want ErrNotFound", err)
	}
	// The same owner with an old fence has lost it too.
	stale := *fast
	stale.Fence = slow.Fence
	if err := finish(s, &stale); !errors.Is(err, queue.ErrLeaseLost) {
		t.Errorf("FinishJob with an old fence: %v, want ErrLeaseLost", err)
	}
	if err := finish(s, fast); err != nil {
		t.Errorf("FinishJob by the holder: %v", err)
	}
}

func testExtend(t *testing.T, s Store) {
	enqueue(t, s, "process/buyer", 1)
	j := claim(t, s, "w", 1, 50*time.Millisecond)[0]
	was := j.LeaseUntil
	if err := s.Extend(context.Background(), j, long); err != nil {
		t.Fatalf("Extend: %v", err)
	}
	if !j.LeaseUntil.After(was) {
		t.Errorf("the lease ran until %v, and after Extend until %v", was, j.LeaseUntil)
	}
	timer := time.NewTimer(60 * time.Millisecond) // past the first lease
	<-timer.C
	claimNone(t, s, "a lane whose lease was extended")
	if err := finish(s, j); err != nil {
		t.Errorf("FinishJob: %v", err)
	}
	if err := s.Extend(context.Background(), j, long); !errors.Is(err, queue.ErrLeaseLost) {
		t.Errorf("Extend of a finished job: %v, want ErrLeaseLost", err)
	}
}

func testRunAt(t *testing.T, s Store) {
	j := &queue.Job{ID: int64(s.IDs().Next()), Lane: "l", Kind: "run", RunAt: time.Now().Add(time.Hour), CreatedAt: day}
	update(t, s, func(ctx context.Context, tx processes.Tx) error { return tx.Enqueue(ctx, j) })
	enqueue(t, s, "l", 1)
	claimNone(t, s, "a lane whose head is not due")
	// Due at once, whatever the exact times are.
	for i, at := range []time.Time{{}, day, time.Now()} {
		lane := fmt.Sprintf("due %d", i)
		j := &queue.Job{ID: int64(s.IDs().Next()), Lane: lane, Kind: "run", RunAt: at, CreatedAt: day}
		update(t, s, func(ctx context.Context, tx processes.Tx) error { return tx.Enqueue(ctx, j) })
		if got := claimOne(t, s, "w"); got.Lane != lane {
			t.Errorf("claimed from %s, want %s", got.Lane, lane)
		}
	}
}

func testPause(t *testing.T, s Store) {
	ctx := context.Background()
	if err := s.PauseLane(ctx, "deliver/buyer", true); err != nil {
		t.Fatal(err)
	}
	jobs := enqueue(t, s, "deliver/buyer", 1)
	claimNone(t, s, "a paused lane")
	if err := s.PauseLane(ctx, "deliver/buyer", false); err != nil {
		t.Fatal(err)
	}
	j := claimOne(t, s, "w")
	if j.ID != jobs[0].ID {
		t.Errorf("claimed %d", j.ID)
	}
	// What is in flight goes on in a lane that is paused meanwhile.
	enqueue(t, s, "deliver/buyer", 1)
	if err := s.PauseLane(ctx, "deliver/buyer", true); err != nil {
		t.Fatal(err)
	}
	if err := s.Extend(ctx, j, long); err != nil {
		t.Errorf("Extend in a paused lane: %v", err)
	}
	if err := finish(s, j); err != nil {
		t.Errorf("FinishJob in a paused lane: %v", err)
	}
	claimNone(t, s, "a lane that was paused while a job was in flight")
	if err := s.PauseLane(ctx, "deliver/buyer", false); err != nil {
		t.Fatal(err)
	}
	claimOne(t, s, "w")
}

func testRelease(t *testing.T, s Store) {
	enqueue(t, s, "a", 1)
	enqueue(t, s, "b", 2)
	enqueue(t, s, "c", 1)
	mine := claim(t, s, "w1", 2, long)
	theirs := claim(t, s, "w2", 1, long)
	if len(mine) != 2 || len(theirs) != 1 {
		t.Fatalf("claimed %d and %d", len(mine), len(theirs))
	}
	if err := s.Release(context.Background(), "w1"); err != nil {
		t.Fatalf("Release: %v", err)
	}
	if err := finish(s, mine[0]); !errors.Is(err, queue.ErrLeaseLost) {
		t.Errorf("finishing a released job: %v, want ErrLeaseLost", err)
	}
	again := claim(t, s, "w3", 10, long)
	if len(again) != 2 || again[0].Fence != 2 || again[0].Seq != 1 {
		t.Errorf("claimed after the release: %d jobs", len(again))
	}
	if err := finish(s, theirs[0]); err != nil {
		t.Errorf("the other worker's job: %v", err)
	}
	if err := s.Release(context.Background(), "nobody"); err != nil {
		t.Errorf("Release of nothing: %v", err)
	}
}

func testLanes(t *testing.T, s Store) {
	ctx := context.Background()
	a := enqueue(t, s, "a", 3)
	j := claimOne(t, s, "w")
	if err := in(s, func(ctx context.Context, tx processes.Tx) error { return tx.BuryJob(ctx, j, "x") }); err != nil {
		t.Fatal(err)
	}
	enqueue(t, s, "gone", 1)
	for range 2 {
		if j := claimOne(t, s, "w"); j.Lane == "gone" {
			if err := finish(s, j); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.PauseLane(ctx, "b", true); err != nil {
		t.Fatal(err)
	}
	lanes, err := s.Lanes(ctx)
	if err != nil || len(lanes) != 2 {
		t.Fatalf("Lanes: %+v, %v, want a and b", lanes, err)
	}
	head := lanes[0].Head
	lanes[0].Head = nil
	want := []queue.Lane{{Name: "a", Waiting: 2, Dead: 1}, {Name: "b", Paused: true}}
	if diff := cmp.Diff(want, lanes); diff != "" {
		t.Errorf("Lanes (-want +got):\n%s", diff)
	}
	if head == nil || head.ID != a[1].ID || head.State != queue.Claimed {
		t.Errorf("the head of lane a is %+v, want job %d", head, a[1].ID)
	}
}

func testManyWorkers(t *testing.T, s Store) {
	const lanes, each, workers = 8, 25, 8
	total := lanes * each
	var mu sync.Mutex
	worked := map[string][]int64{}
	inFlight := map[string]bool{}
	done := 0
	var producers sync.WaitGroup
	for l := range lanes {
		producers.Go(func() { enqueue(t, s, fmt.Sprintf("lane %d", l), each) })
	}
	deadline := time.Now().Add(60 * time.Second)
	together(workers, func(w int) {
		owner := fmt.Sprintf("w%d", w)
		for {
			mu.Lock()
			end := done == total || t.Failed()
			mu.Unlock()
			if end || time.Now().After(deadline) {
				return
			}
			jobs, err := s.Claim(context.Background(), owner, 3, long)
			if err != nil {
				t.Errorf("Claim: %v", err)
				return
			}
			for _, j := range jobs {
				mu.Lock()
				if inFlight[j.Lane] {
					t.Errorf("lane %s has two jobs in flight", j.Lane)
				}
				inFlight[j.Lane] = true
				worked[j.Lane] = append(worked[j.Lane], j.Seq)
				mu.Unlock()
			}
			for _, j := range jobs {
				err := in(s, func(ctx context.Context, tx processes.Tx) error {
					if err := tx.FinishJob(ctx, j); err != nil {
						return err
					}
					mu.Lock()
					defer mu.Unlock()
					inFlight[j.Lane] = false
					return nil
				})
				mu.Lock()
				if err != nil {
					t.Errorf("FinishJob: %v", err)
				}
				done++
				mu.Unlock()
			}
		}
	})
	producers.Wait()
	if done != total {
		t.Fatalf("%d of %d jobs were worked", done, total)
	}
	for lane, seqs := range worked {
		if len(seqs) != each || !slices.IsSorted(seqs) || len(slices.Compact(seqs)) != each {
			t.Errorf("lane %s was worked in the order %v", lane, seqs)
		}
	}
	if left, err := s.Lanes(context.Background()); err != nil || len(left) != 0 {
		t.Errorf("lanes left: %+v, %v", left, err)
	}
}

func testWake(t *testing.T, s Store) {
	drain := func() {
		for {
			select {
			case <-s.Wake():
			default:
				return
			}
		}
	}
	wakes := func(what string) {
		t.Helper()
		timer := time.NewTimer(10 * time.Second)
		defer timer.Stop()
		select {
		case <-s.Wake():
		case <-timer.C:
			t.Errorf("%s did not wake", what)
		}
	}
	drain()
	enqueue(t, s, "l", 2)
	wakes("a new job")
	j := claimOne(t, s, "w")
	drain()
	if err := finish(s, j); err != nil {
		t.Fatal(err)
	}
	wakes("a job behind a finished one")
	// With nothing done it wakes all the same, for what falls due.
	drain()
	wakes("the passing of time")
}
