package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tradepost/processes"
	"tradepost/processes/queue"
	"tradepost/tracking"

	"github.com/google/go-cmp/cmp"
)

// kind is how rows of one type are stored and read.
type kind[T any] struct {
	id func(*T) *tracking.ID
	// parent stores what the row hangs on; nil when it hangs on nothing.
	parent func(ctx context.Context, tx processes.Tx, row *T) error
	// keep carries over what an update does not change.
	keep           func(was, is *T)
	insert, change func(processes.Tx, context.Context, *T) error
	read           func(processes.Tx, context.Context, tracking.ID) (*T, error)
}

// roundTrip stores a row with every field set, reads it back, changes every
// field but the id, and reads it back again.
func roundTrip[T any](t *testing.T, s Store, k kind[T]) {
	t.Helper()
	row := new(T)
	fill(row, 100)
	*k.id(row) = s.IDs().Next()
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		if k.parent != nil {
			if err := k.parent(ctx, tx, row); err != nil {
				return err
			}
		}
		return k.insert(tx, ctx, row)
	})
	compare := func(when string, want *T) {
		t.Helper()
		update(t, s, func(ctx context.Context, tx processes.Tx) error {
			got, err := k.read(tx, ctx, *k.id(row))
			if err != nil {
				return err
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%T %s (-stored +read):\n%s", row, when, diff)
			}
			return nil
		})
	}
	compare("after insert", row)
	if k.change == nil {
		return
	}
	next := new(T)
	fill(next, 201)
	*k.id(next) = *k.id(row)
	if k.keep != nil {
		k.keep(row, next)
	}
	update(t, s, func(ctx context.Context, tx processes.Tx) error { return k.change(tx, ctx, next) })
	compare("after update", next)
}

func testRoundTrips(t *testing.T, s Store) {
	roundTrip(t, s, kind[tracking.Transmission]{
		id:     func(r *tracking.Transmission) *tracking.ID { return &r.ID },
		insert: processes.Tx.InsertTransmission, change: processes.Tx.UpdateTransmission, read: processes.Tx.Transmission,
	})
	roundTrip(t, s, kind[tracking.Interchange]{
		id:     func(r *tracking.Interchange) *tracking.ID { return &r.ID },
		insert: processes.Tx.InsertInterchange, change: processes.Tx.UpdateInterchange, read: processes.Tx.Interchange,
	})
	roundTrip(t, s, kind[tracking.Group]{
		id: func(r *tracking.Group) *tracking.ID { return &r.ID },
		parent: func(ctx context.Context, tx processes.Tx, r *tracking.Group) error {
			r.InterchangeID = s.IDs().Next()
			return tx.InsertInterchange(ctx, &tracking.Interchange{ID: r.InterchangeID})
		},
		keep:   func(was, is *tracking.Group) { is.InterchangeID = was.InterchangeID },
		insert: processes.Tx.InsertGroup, change: processes.Tx.UpdateGroup, read: processes.Tx.Group,
	})
	roundTrip(t, s, kind[tracking.Document]{
		id:     func(r *tracking.Document) *tracking.ID { return &r.ID },
		keep:   func(was, is *tracking.Document) { is.Keys = was.Keys },
		insert: processes.Tx.InsertDocument, change: processes.Tx.UpdateDocument, read: processes.Tx.Document,
	})
	roundTrip(t, s, kind[processes.Run]{
		id:     func(r *processes.Run) *tracking.ID { return &r.ID },
		insert: processes.Tx.InsertRun, change: processes.Tx.UpdateRun, read: processes.Tx.Run,
	})
	roundTrip(t, s, kind[tracking.Receipt]{
		id: func(r *tracking.Receipt) *tracking.ID { return &r.ID },
		parent: func(ctx context.Context, tx processes.Tx, r *tracking.Receipt) error {
			r.TransmissionID = r.ID // so that it is found by its own id below
			return tx.InsertTransmission(ctx, &tracking.Transmission{ID: r.ID})
		},
		insert: processes.Tx.InsertReceipt, read: processes.Tx.FirstReceipt,
	})

	// What has no verb that reads it back shows in the views.
	d := document(s)
	ack, event, issue := tracking.Acknowledgement{}, tracking.Event{}, tracking.Issue{}
	run, step := processes.Run{}, processes.StepRecord{}
	fill(&ack, 300)
	fill(&event, 400)
	fill(&issue, 500)
	fill(&run, 600)
	fill(&step, 700)
	ack.ID, ack.DocumentID = s.IDs().Next(), d.ID
	event.ID, event.DocumentID = s.IDs().Next(), d.ID
	run.ID, run.DocumentID = s.IDs().Next(), d.ID
	step.ID, step.RunID = s.IDs().Next(), run.ID
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		return errors.Join(tx.InsertDocument(ctx, d), tx.InsertAcknowledgement(ctx, &ack), tx.AppendEvent(ctx, &event),
			tx.InsertIssues(ctx, 0, d.ID, []tracking.Issue{issue}), tx.InsertRun(ctx, &run), tx.InsertStepRecord(ctx, &step))
	})
	v, err := s.DocumentView(context.Background(), d.ID)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := s.Runs(context.Background(), 0, d.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, diff := range []string{
		cmp.Diff([]tracking.Acknowledgement{ack}, v.Acknowledgements),
		cmp.Diff([]tracking.Event{event}, v.Events),
		cmp.Diff([]tracking.Issue{issue}, v.Issues),
		cmp.Diff([]processes.RunView{{Run: run, Steps: []processes.StepRecord{step}}}, runs),
	} {
		if diff != "" {
			t.Errorf("(-stored +read):\n%s", diff)
		}
	}

	job := queue.Job{}
	fill(&job, 800)
	job.Lane, job.Attempt, job.Fence = "lane", 0, 0
	job.RunAt = job.RunAt.AddDate(-1, 0, 0)
	update(t, s, func(ctx context.Context, tx processes.Tx) error { return tx.Enqueue(ctx, &job) })
	lanes, err := s.Lanes(context.Background())
	if err != nil || len(lanes) != 1 {
		t.Fatalf("Lanes: %v, %v", lanes, err)
	}
	want := job
	want.State, want.Owner, want.LeaseUntil = queue.Ready, "", lanes[0].Head.LeaseUntil
	if diff := cmp.Diff(&want, lanes[0].Head); diff != "" {
		t.Errorf("job (-enqueued +read):\n%s", diff)
	}
}

func testNotFound(t *testing.T, s Store) {
	id := s.IDs().Next()
	for name, fn := range map[string]func(ctx context.Context, tx processes.Tx) error{
		"Transmission": func(ctx context.Context, tx processes.Tx) error { _, err := tx.Transmission(ctx, id); return err },
		"Interchange":  func(ctx context.Context, tx processes.Tx) error { _, err := tx.Interchange(ctx, id); return err },
		"Group":        func(ctx context.Context, tx processes.Tx) error { _, err := tx.Group(ctx, id); return err },
		"Document":     func(ctx context.Context, tx processes.Tx) error { _, err := tx.Document(ctx, id); return err },
		"Run":          func(ctx context.Context, tx processes.Tx) error { _, err := tx.Run(ctx, id); return err },
		"FirstReceipt": func(ctx context.Context, tx processes.Tx) error { _, err := tx.FirstReceipt(ctx, id); return err },
		"SentGroup": func(ctx context.Context, tx processes.Tx) error {
			_, err := tx.SentGroup(ctx, "p", "PO", "1")
			return err
		},
		"SentInterchange": func(ctx context.Context, tx processes.Tx) error {
			_, err := tx.SentInterchange(ctx, "p", "1")
			return err
		},
		"UpdateTransmission": func(ctx context.Context, tx processes.Tx) error {
			return tx.UpdateTransmission(ctx, &tracking.Transmission{ID: id})
		},
		"UpdateInterchange": func(ctx context.Context, tx processes.Tx) error {
			return tx.UpdateInterchange(ctx, &tracking.Interchange{ID: id})
		},
		"UpdateGroup": func(ctx context.Context, tx processes.Tx) error { return tx.UpdateGroup(ctx, &tracking.Group{ID: id}) },
		"UpdateDocument": func(ctx context.Context, tx processes.Tx) error {
			return tx.UpdateDocument(ctx, &tracking.Document{ID: id})
		},
		"UpdateRun": func(ctx context.Context, tx processes.Tx) error { return tx.UpdateRun(ctx, &processes.Run{ID: id}) },
	} {
		// An error of a statement that a store holds back comes from Update.
		if err := s.Update(context.Background(), fn); !errors.Is(err, tracking.ErrNotFound) {
			t.Errorf("%s of an unknown id: %v, want ErrNotFound", name, err)
		}
	}
	// A read that finds nothing leaves the transaction usable.
	d := document(s)
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		if _, err := tx.Document(ctx, d.ID); !errors.Is(err, tracking.ErrNotFound) {
			t.Errorf("Document: %v, want ErrNotFound", err)
		}
		return tx.InsertDocument(ctx, d)
	})
	if _, err := s.DocumentView(context.Background(), d.ID); err != nil {
		t.Errorf("the document stored after a read that found nothing: %v", err)
	}
	if _, err := s.DocumentView(context.Background(), id); !errors.Is(err, tracking.ErrNotFound) {
		t.Errorf("DocumentView of an unknown id: %v, want ErrNotFound", err)
	}
	if _, err := s.TransmissionView(context.Background(), id); !errors.Is(err, tracking.ErrNotFound) {
		t.Errorf("TransmissionView of an unknown id: %v, want ErrNotFound", err)
	}
	if err := s.ReviveJob(context.Background(), 4711); !errors.Is(err, tracking.ErrNotFound) {
		t.Errorf("ReviveJob of an unknown id: %v, want ErrNotFound", err)
	}
}

func testForeignTexts(t *testing.T, s Store) {
	m := transmission(s, "as2:X:\xe4\x00\u00e9")
	m.Filename, m.Evidence.Response = "..\\\xff.edi\x00", "caf\xe9 \x00"
	d := document(s, tracking.Key{Name: "PO", Value: "M\xfcller"})
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		if err := tx.InsertTransmission(ctx, m); err != nil {
			return err
		}
		return tx.InsertDocument(ctx, d)
	})
	v, err := s.TransmissionView(context.Background(), m.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := v.Transmission.Filename, `..\\xFF.edi\x00`; got != want {
		t.Errorf("file name %q, want %q", got, want)
	}
	if got, want := v.Transmission.Key, `as2:X:\xE4\x00`+"\u00e9"; got != want {
		t.Errorf("key %q, want %q", got, want)
	}
	if !strings.HasPrefix(v.Transmission.Evidence.Response, "caf") {
		t.Errorf("response %q", v.Transmission.Evidence.Response)
	}
	page, err := s.Documents(context.Background(), tracking.DocumentQuery{KeyName: "PO", KeyValue: "M\xfcller"})
	if err != nil || len(page.Documents) != 1 {
		t.Errorf("the key is found by what was stored: %v, %v", page, err)
	}
	// Another invalid byte is another key.
	other := transmission(s, "as2:X:\xe5\x00\u00e9")
	update(t, s, func(ctx context.Context, tx processes.Tx) error { return tx.InsertTransmission(ctx, other) })
}

func testLongTexts(t *testing.T, s Store) {
	long := strings.Repeat("é", 4000)
	m := transmission(s, long+"1")
	m.Filename, m.Subject = long, long
	i := &tracking.Interchange{ID: s.IDs().Next(), Partner: "buyer", Direction: tracking.Outbound, Control: long, CreatedAt: day}
	g := &tracking.Group{ID: s.IDs().Next(), InterchangeID: i.ID, Type: long, Control: long}
	d := document(s, tracking.Key{Name: long, Value: long + "1"}, tracking.Key{Name: "PO", Value: long + "2"})
	d.Type, d.Control, d.Error = long, long, long
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		_, remember := tx.RememberControl(ctx, long, long, i.ID, day, time.Time{})
		_, next := tx.NextControl(ctx, long)
		return errors.Join(remember, next, tx.InsertTransmission(ctx, m), tx.InsertInterchange(ctx, i), tx.InsertGroup(ctx, g), tx.InsertDocument(ctx, d))
	})
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		var dup *tracking.DuplicateError
		if err := tx.InsertTransmission(ctx, transmission(s, long+"1")); !errors.As(err, &dup) {
			t.Errorf("the same long key: %v, want a DuplicateError", err)
		}
		if err := tx.InsertTransmission(ctx, transmission(s, long+"2")); err != nil {
			t.Errorf("another long key: %v", err)
		}
		if got, err := tx.SentGroup(ctx, "buyer", long, long); err != nil || got.ID != g.ID {
			t.Errorf("SentGroup: %v, %v", got, err)
		}
		if got, err := tx.ControlSeen(ctx, long, long, time.Time{}); err != nil || got != i.ID {
			t.Errorf("ControlSeen: %v, %v", got, err)
		}
		// What was read can be stored again, and stays what it is.
		got, err := tx.Document(ctx, d.ID)
		if err != nil {
			return err
		}
		if got.Error != long || !strings.HasPrefix(got.Control, "éé") {
			t.Errorf("read back: error of %d bytes, control number of %d", len(got.Error), len(got.Control))
		}
		return tx.UpdateDocument(ctx, got)
	})
	page, err := s.Documents(context.Background(), tracking.DocumentQuery{KeyValue: long + "2"})
	if err != nil || len(page.Documents) != 1 {
		t.Errorf("a long key: %v, %v", page, err)
	}
	page, err = s.Documents(context.Background(), tracking.DocumentQuery{Text: "ééé"})
	if err != nil || len(page.Documents) != 1 {
		t.Errorf("the beginning of a long key: %v, %v", page, err)
	}
}

func testParents(t *testing.T, s Store) {
	id := s.IDs().Next()
	for name, fn := range map[string]func(ctx context.Context, tx processes.Tx) error{
		"group": func(ctx context.Context, tx processes.Tx) error {
			return tx.InsertGroup(ctx, &tracking.Group{ID: id, InterchangeID: id})
		},
		"receipt": func(ctx context.Context, tx processes.Tx) error {
			return tx.InsertReceipt(ctx, &tracking.Receipt{ID: id, TransmissionID: id})
		},
		"step": func(ctx context.Context, tx processes.Tx) error {
			return tx.InsertStepRecord(ctx, &processes.StepRecord{ID: id, RunID: id})
		},
	} {
		if err := s.Update(context.Background(), fn); err == nil {
			t.Errorf("a %s without its parent was stored", name)
		}
	}
}
