package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"tradepost/processes"
	"tradepost/tracking"

	"github.com/google/go-cmp/cmp"
)

// writers is how many goroutines the races use.
const writers = 16

// together runs fn in many goroutines at once and waits for all.
func together(n int, fn func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { fn(i) })
	}
	wg.Wait()
}

func testDuplicate(t *testing.T, s Store) {
	ctx := context.Background()
	insert := func(m *tracking.Transmission) error {
		return s.Update(ctx, func(ctx context.Context, tx processes.Tx) error { return tx.InsertTransmission(ctx, m) })
	}
	// What was refused or failed at the door does not count, nor do duplicates.
	for _, state := range []tracking.TransmissionState{tracking.TransmissionRefused, tracking.TransmissionFailed, tracking.TransmissionDuplicate, tracking.TransmissionRefused} {
		m := transmission(s, "as2:A:1")
		m.State = state
		if err := insert(m); err != nil {
			t.Fatalf("%s: %v", state, err)
		}
	}
	first := transmission(s, "as2:A:1")
	if err := insert(first); err != nil {
		t.Fatalf("the first accepted one: %v", err)
	}
	isDuplicate := func(when string, err error) {
		t.Helper()
		var dup *tracking.DuplicateError
		if !errors.As(err, &dup) || dup.Existing != first.ID || dup.Key != first.Key {
			t.Errorf("%s: %v, want a DuplicateError that names %s", when, err, first.ID)
		}
	}
	isDuplicate("again", insert(transmission(s, "as2:A:1")))

	// The transaction goes on after it: intake records the duplicate in it.
	again := transmission(s, "as2:A:1")
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		err := tx.InsertTransmission(ctx, again)
		isDuplicate("inside", err)
		again.State, again.DuplicateOf = tracking.TransmissionDuplicate, first.ID
		return tx.InsertTransmission(ctx, again)
	})
	v, err := s.TransmissionView(ctx, first.ID)
	if err != nil || cmp.Diff([]tracking.ID{again.ID}, v.Duplicates) != "" {
		t.Errorf("duplicates of the first: %v, %v, want %s", v, err, again.ID)
	}

	// Accepted once is accepted for good, however processing ends.
	for _, state := range []tracking.TransmissionState{tracking.TransmissionProcessed, tracking.TransmissionFailed} {
		first.State = state
		update(t, s, func(ctx context.Context, tx processes.Tx) error { return tx.UpdateTransmission(ctx, first) })
		isDuplicate("after the first became "+string(state), insert(transmission(s, "as2:A:1")))
	}

	// The direction counts, an empty key does not.
	out := transmission(s, "as2:A:1")
	out.Direction, out.State = tracking.Outbound, tracking.TransmissionPrepared
	for _, m := range []*tracking.Transmission{out, transmission(s, ""), transmission(s, ""), transmission(s, "as2:A:2")} {
		if err := insert(m); err != nil {
			t.Errorf("insert %s %q: %v", m.Direction, m.Key, err)
		}
	}
}

func testDuplicateRace(t *testing.T, s Store) {
	const rounds = 5
	for round := range rounds {
		key := fmt.Sprintf("as2:A:%d", round)
		var mu sync.Mutex
		var accepted []tracking.ID
		named := map[tracking.ID]int{}
		together(writers, func(int) {
			m := transmission(s, key)
			err := s.Update(context.Background(), func(ctx context.Context, tx processes.Tx) error {
				err := tx.InsertTransmission(ctx, m)
				if err == nil {
					err = tx.AppendEvent(ctx, &tracking.Event{ID: s.IDs().Next(), At: day, Kind: tracking.EventReceived, TransmissionID: m.ID})
				}
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			var dup *tracking.DuplicateError
			switch {
			case err == nil:
				accepted = append(accepted, m.ID)
			case errors.As(err, &dup):
				named[dup.Existing]++
			default:
				t.Errorf("insert: %v", err)
			}
		})
		if len(accepted) != 1 {
			t.Fatalf("%d of %d were accepted, want 1", len(accepted), writers)
		}
		if named[accepted[0]] != writers-1 {
			t.Errorf("the others name %v, want all %s", named, accepted[0])
		}
	}
}

func testOpenTransmissions(t *testing.T, s Store) {
	sent := func(id string, state tracking.TransmissionState, direction tracking.Direction) *tracking.Transmission {
		m := transmission(s, "")
		m.MessageID, m.State, m.Direction = id, state, direction
		return m
	}
	open1, open2 := sent("<1@us>", tracking.TransmissionPrepared, tracking.Outbound), sent("<1@us>", tracking.TransmissionPrepared, tracking.Outbound)
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		for _, m := range []*tracking.Transmission{
			open1, open2,
			sent("<1@us>", tracking.TransmissionDelivered, tracking.Outbound), sent("<1@us>", tracking.TransmissionReceived, tracking.Inbound),
			sent("<2@us>", tracking.TransmissionPrepared, tracking.Outbound), sent("", tracking.TransmissionPrepared, tracking.Outbound),
		} {
			if err := tx.InsertTransmission(ctx, m); err != nil {
				return err
			}
		}
		got, err := tx.OpenTransmissions(ctx, "<1@us>")
		if diff := cmp.Diff([]*tracking.Transmission{open1, open2}, got); diff != "" {
			t.Errorf("OpenTransmissions (-want +got):\n%s", diff)
		}
		if none, _ := tx.OpenTransmissions(ctx, ""); len(none) != 0 {
			t.Errorf("an empty Message-ID finds %d", len(none))
		}
		return err
	})
}

func testFirstReceipt(t *testing.T, s Store) {
	m := transmission(s, "k")
	first := &tracking.Receipt{ID: s.IDs().Next(), TransmissionID: m.ID, Direction: tracking.Outbound, At: day}
	second := &tracking.Receipt{ID: s.IDs().Next(), TransmissionID: m.ID, Direction: tracking.Outbound, At: day}
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		return errors.Join(tx.InsertTransmission(ctx, m), tx.InsertReceipt(ctx, second), tx.InsertReceipt(ctx, first))
	})
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		got, err := tx.FirstReceipt(ctx, m.ID)
		if diff := cmp.Diff(first, got); diff != "" {
			t.Errorf("FirstReceipt (-want +got):\n%s", diff)
		}
		return err
	})
}

func testSent(t *testing.T, s Store) {
	interchange := func(partner string, direction tracking.Direction, control string) *tracking.Interchange {
		return &tracking.Interchange{ID: s.IDs().Next(), Partner: partner, Direction: direction, Control: control, State: tracking.VerdictPending, CreatedAt: day}
	}
	group := func(i *tracking.Interchange, kind, control string) *tracking.Group {
		return &tracking.Group{ID: s.IDs().Next(), InterchangeID: i.ID, Type: kind, Control: control, State: tracking.VerdictPending}
	}
	old, sent := interchange("buyer", tracking.Outbound, "000000007"), interchange("buyer", tracking.Outbound, "000000007")
	other, in := interchange("seller", tracking.Outbound, "000000007"), interchange("buyer", tracking.Inbound, "000000007")
	oldGroup, sentGroup := group(old, "SH", "7"), group(sent, "SH", "7")
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		for _, i := range []*tracking.Interchange{old, sent, other, in} {
			if err := tx.InsertInterchange(ctx, i); err != nil {
				return err
			}
		}
		for _, g := range []*tracking.Group{oldGroup, sentGroup, group(sent, "IN", "7"), group(other, "SH", "7"), group(in, "SH", "7")} {
			if err := tx.InsertGroup(ctx, g); err != nil {
				return err
			}
		}
		return nil
	})
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		g, err := tx.SentGroup(ctx, "buyer", "SH", "7")
		if diff := cmp.Diff(sentGroup, g); diff != "" || err != nil {
			t.Errorf("SentGroup: %v (-want +got):\n%s", err, diff)
		}
		i, err := tx.SentInterchange(ctx, "buyer", "000000007")
		if diff := cmp.Diff(sent, i); diff != "" || err != nil {
			t.Errorf("SentInterchange: %v (-want +got):\n%s", err, diff)
		}
		if _, err := tx.SentGroup(ctx, "buyer", "SH", "8"); !errors.Is(err, tracking.ErrNotFound) {
			t.Errorf("SentGroup that was not sent: %v", err)
		}
		return nil
	})
}

func testDocumentsOf(t *testing.T, s Store) {
	a, b, c, other := document(s), document(s), document(s), document(s)
	group, source, delivery := s.IDs().Next(), s.IDs().Next(), s.IDs().Next()
	a.GroupID, a.SourceID = group, source
	b.GroupID, b.DeliveryID = group, delivery
	c.SourceID, c.DeliveryID = source, delivery
	a.Keys = []tracking.Key{{Name: "PO", Value: "1"}, {Name: "SHIP", Value: "2"}}
	insertDocuments(t, s, c, b, a, other)
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		for name, c := range map[string]struct {
			read func(context.Context, tracking.ID) ([]*tracking.Document, error)
			id   tracking.ID
			want []*tracking.Document
		}{
			"group":         {tx.DocumentsOfGroup, group, []*tracking.Document{a, b}},
			"source":        {tx.DocumentsOfSource, source, []*tracking.Document{a, c}},
			"delivery":      {tx.DocumentsOfDelivery, delivery, []*tracking.Document{b, c}},
			"zero group":    {tx.DocumentsOfGroup, 0, nil},
			"zero delivery": {tx.DocumentsOfDelivery, 0, nil},
		} {
			got, err := c.read(ctx, c.id)
			if err != nil {
				return err
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("documents of %s (-want +got):\n%s", name, diff)
			}
		}
		return nil
	})
}

func testOverdueAcks(t *testing.T, s Store) {
	awaited := func(due time.Time) *tracking.Document {
		d := document(s)
		d.Direction, d.Ack, d.AckDue = tracking.Outbound, tracking.AckAwaited, due
		return d
	}
	later, sooner, notYet := awaited(day.Add(2*time.Hour)), awaited(day.Add(time.Hour)), awaited(day.Add(24*time.Hour))
	settled, inbound := awaited(day), awaited(day)
	settled.Ack, inbound.Direction = tracking.AckAccepted, tracking.Inbound
	insertDocuments(t, s, later, sooner, notYet, settled, inbound)
	now := day.Add(3 * time.Hour)
	overdue := func(now time.Time, limit int) (ids []tracking.ID) {
		update(t, s, func(ctx context.Context, tx processes.Tx) error {
			ids = nil
			docs, err := tx.OverdueAcks(ctx, now, limit)
			for _, d := range docs {
				ids = append(ids, d.ID)
			}
			return err
		})
		return ids
	}
	raise := func(id tracking.ID, at time.Time) {
		update(t, s, func(ctx context.Context, tx processes.Tx) error {
			return tx.AppendEvent(ctx, &tracking.Event{ID: s.IDs().Next(), At: at, Kind: tracking.EventAckOverdue, DocumentID: id, Partner: "buyer"})
		})
	}
	if diff := cmp.Diff([]tracking.ID{sooner.ID, later.ID}, overdue(now, 10)); diff != "" {
		t.Errorf("overdue, oldest first (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]tracking.ID{sooner.ID}, overdue(now, 1)); diff != "" {
		t.Errorf("overdue, at most one (-want +got):\n%s", diff)
	}
	raise(sooner.ID, now)
	if diff := cmp.Diff([]tracking.ID{later.ID}, overdue(now, 10)); diff != "" {
		t.Errorf("after one was raised (-want +got):\n%s", diff)
	}
	// Changing the document does not raise it again, sending it again does.
	update(t, s, func(ctx context.Context, tx processes.Tx) error { return tx.UpdateDocument(ctx, sooner) })
	if diff := cmp.Diff([]tracking.ID{later.ID}, overdue(now, 10)); diff != "" {
		t.Errorf("after the raised one changed (-want +got):\n%s", diff)
	}
	sooner.AckDue = now.Add(time.Hour)
	update(t, s, func(ctx context.Context, tx processes.Tx) error { return tx.UpdateDocument(ctx, sooner) })
	if diff := cmp.Diff([]tracking.ID{later.ID, sooner.ID}, overdue(now.Add(2*time.Hour), 10)); diff != "" {
		t.Errorf("after the raised one was sent again (-want +got):\n%s", diff)
	}
}

func testNextControl(t *testing.T, s Store) {
	const each = 20
	var mu sync.Mutex
	seen := map[int64]int{}
	together(writers, func(i int) {
		for n := range each {
			var got int64
			giveUp := errors.New("given up")
			err := s.Update(context.Background(), func(ctx context.Context, tx processes.Tx) error {
				var err error
				if got, err = tx.NextControl(ctx, "ISA13 ZZ:US ZZ:BUYER"); err != nil {
					return err
				}
				if (i+n)%7 == 0 {
					return giveUp // a number that nobody used
				}
				return nil
			})
			if errors.Is(err, giveUp) {
				continue
			}
			if err != nil {
				t.Errorf("NextControl: %v", err)
			}
			mu.Lock()
			seen[got]++
			mu.Unlock()
		}
	})
	for n, times := range seen {
		if times != 1 || n < 1 || n > writers*each {
			t.Errorf("control number %d was given %d times", n, times)
		}
	}
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		var got []int64
		for range 3 {
			n, err := tx.NextControl(ctx, "another scope")
			if err != nil {
				return err
			}
			got = append(got, n)
		}
		if diff := cmp.Diff([]int64{1, 2, 3}, got); diff != "" {
			t.Errorf("a fresh scope (-want +got):\n%s", diff)
		}
		return nil
	})
}

func testRememberControl(t *testing.T, s Store) {
	const scope = "ISA13 ZZ:A ZZ:B"
	first, second := s.IDs().Next(), s.IDs().Next()
	remember := func(scope, control string, id tracking.ID) (got tracking.ID) {
		update(t, s, func(ctx context.Context, tx processes.Tx) error {
			var err error
			got, err = tx.RememberControl(ctx, scope, control, id, day, time.Time{})
			return err
		})
		return got
	}
	for _, c := range []struct {
		scope, control string
		id, want       tracking.ID
	}{
		{scope, "000000001", first, 0},
		{scope, "000000001", second, first},
		{scope, "000000002", second, 0},
		{"ISA13 ZZ:B ZZ:A", "000000001", second, 0},
	} {
		if got := remember(c.scope, c.control, c.id); got != c.want {
			t.Errorf("remember %s %s: %v, want %v", c.scope, c.control, got, c.want)
		}
	}
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		for control, want := range map[string]tracking.ID{"000000001": first, "000000003": 0} {
			got, err := tx.ControlSeen(ctx, scope, control, time.Time{})
			if err != nil || got != want {
				t.Errorf("ControlSeen %s: %v, %v, want %v", control, got, err, want)
			}
		}
		return nil
	})

	// A window: what was used before it is new again, and takes the place.
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		later, third := day.Add(48*time.Hour), s.IDs().Next()
		for _, c := range []struct {
			since time.Time
			want  tracking.ID
		}{{day, first}, {day.Add(time.Hour), 0}} {
			if got, err := tx.ControlSeen(ctx, scope, "000000001", c.since); err != nil || got != c.want {
				t.Errorf("ControlSeen since %s: %v, %v, want %v", c.since, got, err, c.want)
			}
			if got, err := tx.RememberControl(ctx, scope, "000000001", third, later, c.since); err != nil || got != c.want {
				t.Errorf("RememberControl since %s: %v, %v, want %v", c.since, got, err, c.want)
			}
		}
		got, err := tx.ControlSeen(ctx, scope, "000000001", day.Add(time.Hour))
		if got != third {
			t.Errorf("the second use is kept as %v, want %v", got, third)
		}
		return err
	})

	var mu sync.Mutex
	fresh := 0
	together(writers, func(int) {
		id := s.IDs().Next()
		var was tracking.ID
		err := s.Update(context.Background(), func(ctx context.Context, tx processes.Tx) error {
			var err error
			was, err = tx.RememberControl(ctx, scope, "000000009", id, day, time.Time{})
			return err
		})
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			t.Errorf("RememberControl: %v", err)
		} else if was == 0 {
			fresh++
		}
	})
	if fresh != 1 {
		t.Errorf("one control number was new to %d writers", fresh)
	}
}
