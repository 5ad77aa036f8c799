package storetest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tradepost/processes"
	"tradepost/tracking"
)

// crashWriters is how many goroutines of a child write at once.
const crashWriters = 8

// WriteUntilKilled stores orders as fast as it can, and prints the id of a
// transmission only when its Update has returned. It is what a child process of
// Crash does.
func WriteUntilKilled(s Store, out io.Writer) {
	var next atomic.Int64
	seed := int64(s.IDs().Next())
	together(crashWriters, func(int) {
		for {
			id, err := acceptNumbered(s, fmt.Sprintf("%d-%d", seed, next.Add(1)))
			if err != nil {
				fmt.Fprintf(out, "error %v\n", err)
				return
			}
			fmt.Fprintf(out, "committed %s\n", id)
		}
	})
}

// acceptNumbered stores a transmission, its document and event, a control
// number and a job.
func acceptNumbered(s Store, key string) (tracking.ID, error) {
	m := transmission(s, "as2:BUYER:"+key)
	d := document(s, tracking.Key{Name: "PO", Value: key})
	d.SourceID = m.ID
	return m.ID, s.Update(context.Background(), func(ctx context.Context, tx processes.Tx) error {
		if err := tx.InsertTransmission(ctx, m); err != nil {
			return err
		}
		n, err := tx.NextControl(ctx, "crash")
		if err != nil {
			return err
		}
		d.Control = fmt.Sprint(n)
		if err := tx.InsertDocument(ctx, d); err != nil {
			return err
		}
		if _, err := event(ctx, tx, s, tracking.EventReceived, m.ID, 0, d.ID); err != nil {
			return err
		}
		return tx.Enqueue(ctx, newJob(s, fmt.Sprintf("lane %d", n%3)))
	})
}

// Crash kills child processes that run WriteUntilKilled on a database, and
// looks after each at what is there. child makes the command, open opens the
// database.
func Crash(t *testing.T, rounds int, child func() *exec.Cmd, open Open) {
	t.Helper()
	committed := map[tracking.ID]bool{}
	for round := range rounds {
		killOne(t, child(), committed)
		t.Run(fmt.Sprintf("after kill %d", round+1), func(t *testing.T) {
			checkOrders(t, open(t), committed)
		})
		if t.Failed() {
			return
		}
	}
	if len(committed) == 0 {
		t.Error("no child committed anything before it was killed")
	}
}

// killOne runs a child for a moment, kills it, and notes what it committed.
func killOne(t *testing.T, cmd *exec.Cmd, committed map[tracking.ID]bool) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var words strings.Builder
	cmd.Stderr = &words
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var timer *time.Timer
	for lines.Scan() {
		if timer == nil {
			after := time.Duration(rand.IntN(150)) * time.Millisecond //nolint:gosec // no secret
			timer = time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch id, err := tracking.ParseID(rest); {
		case word == "committed" && err == nil:
			committed[id] = true
		case word == "error":
			t.Errorf("the child: %s", rest)
		}
	}
	_ = cmd.Wait() // it was killed
	if timer == nil {
		t.Fatalf("the child wrote nothing:\n%s", words.String())
	}
	timer.Stop()
}

// tally counts what orders are made of.
type tally struct{ transmissions, documents, controls, keys, events, jobs int }

// whole tells that no half order is among them.
func (n tally) whole() bool {
	return n == tally{n.transmissions, n.transmissions, n.transmissions, n.transmissions, n.transmissions, n.transmissions}
}

// checkOrders expects every committed order, and no half one. A server may
// still be at the last commit of a child that was killed, so a tally that does
// not add up is made again.
func checkOrders(t *testing.T, s Store, committed map[tracking.ID]bool) {
	t.Helper()
	var stored map[tracking.ID]bool
	var n tally
	for deadline := time.Now().Add(10 * time.Second); ; {
		stored, n = count(t, s)
		if n.whole() || time.Now().After(deadline) {
			break
		}
	}
	if !n.whole() {
		t.Errorf("half an order was stored: %+v", n)
	}
	for id := range committed {
		if !stored[id] {
			t.Errorf("transmission %s was committed and is gone", id)
		}
	}
	t.Logf("%d orders stored, %d of them known to be committed", len(stored), len(committed))
}

// count reads everything that is stored.
func count(t *testing.T, s Store) (stored map[tracking.ID]bool, n tally) {
	t.Helper()
	ctx := context.Background()
	stored = map[tracking.ID]bool{}
	for q := (tracking.TransmissionQuery{Limit: 1000}); ; {
		page, err := s.Transmissions(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Transmissions {
			stored[m.ID] = true
		}
		if q.Before = page.Next; page.Next == 0 {
			break
		}
	}
	n.transmissions = len(stored)
	controls := map[string]bool{}
	for q := (tracking.DocumentQuery{Limit: 1000}); ; {
		page, err := s.Documents(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page.Documents {
			controls[d.Control] = true
			n.keys += len(d.Keys)
		}
		n.documents += len(page.Documents)
		if q.Before = page.Next; page.Next == 0 {
			break
		}
	}
	n.controls = len(controls) // fewer when one was given twice
	for after := tracking.ID(0); ; {
		events, err := s.Events(ctx, after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			break
		}
		n.events += len(events)
		after = events[len(events)-1].ID
	}
	lanes, err := s.Lanes(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lanes {
		n.jobs += l.Waiting
	}
	return stored, n
}
