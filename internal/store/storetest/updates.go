package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"tradepost/processes"
	"tradepost/processes/queue"
	"tradepost/tracking"
)

func testUpdateFails(t *testing.T, s Store) {
	boom := errors.New("boom")
	d := document(s)
	err := s.Update(context.Background(), func(ctx context.Context, tx processes.Tx) error {
		if err := tx.InsertDocument(ctx, d); err != nil {
			return err
		}
		if _, err := tx.NextControl(ctx, "scope"); err != nil {
			return err
		}
		if err := tx.Enqueue(ctx, &queue.Job{ID: 1, Lane: "l", Kind: "run", CreatedAt: day}); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("Update: %v, want the function's error", err)
	}
	if _, err := s.DocumentView(context.Background(), d.ID); !errors.Is(err, tracking.ErrNotFound) {
		t.Errorf("the document of a failed update: %v, want ErrNotFound", err)
	}
	lanes, err := s.Lanes(context.Background())
	if err != nil || len(lanes) != 0 {
		t.Errorf("the lanes of a failed update: %v, %v", lanes, err)
	}
	// The same row twice is the store's error, and leaves nothing either.
	err = s.Update(context.Background(), func(ctx context.Context, tx processes.Tx) error {
		if err := tx.InsertDocument(ctx, d); err != nil {
			return err
		}
		return tx.InsertDocument(ctx, d)
	})
	if err == nil {
		t.Error("the same document was stored twice")
	}
	if _, err := s.DocumentView(context.Background(), d.ID); !errors.Is(err, tracking.ErrNotFound) {
		t.Errorf("the document stored twice: %v, want ErrNotFound", err)
	}
}

func testUpdateFailsAlone(t *testing.T, s Store) {
	const each = 25
	boom := errors.New("boom")
	var mu sync.Mutex
	good, bad := []tracking.ID{}, []tracking.ID{}
	together(writers, func(i int) {
		for n := range each {
			d := document(s, tracking.Key{Name: "PO", Value: "1"})
			err := s.Update(context.Background(), func(ctx context.Context, tx processes.Tx) error {
				if err := tx.InsertDocument(ctx, d); err != nil {
					return err
				}
				switch (i + n) % 4 {
				case 0: // the function's own error
					return boom
				case 1: // the database's
					return tx.InsertDocument(ctx, d)
				}
				return nil
			})
			if want := (i+n)%4 > 1; (err == nil) != want {
				t.Errorf("update %d of writer %d: %v", n, i, err)
			}
			mu.Lock()
			if err == nil {
				good = append(good, d.ID)
			} else {
				bad = append(bad, d.ID)
			}
			mu.Unlock()
		}
	})
	for _, id := range good {
		if v, err := s.DocumentView(context.Background(), id); err != nil || len(v.Document.Keys) != 1 {
			t.Errorf("document %s was committed: %v", id, err)
		}
	}
	for _, id := range bad {
		if _, err := s.DocumentView(context.Background(), id); !errors.Is(err, tracking.ErrNotFound) {
			t.Errorf("document %s was undone: %v", id, err)
		}
	}
}

func testUpdatePanics(t *testing.T, s Store) {
	lost := document(s)
	panicked := func() (v any) {
		defer func() { v = recover() }()
		_ = s.Update(context.Background(), func(ctx context.Context, tx processes.Tx) error {
			if err := tx.InsertDocument(ctx, lost); err != nil {
				return err
			}
			panic("bang")
		})
		return nil
	}
	if got := panicked(); got != "bang" {
		t.Errorf("the caller's panic was %v", got)
	}
	if _, err := s.DocumentView(context.Background(), lost.ID); !errors.Is(err, tracking.ErrNotFound) {
		t.Errorf("the document of a panic: %v, want ErrNotFound", err)
	}
	kept := document(s)
	insertDocuments(t, s, kept)
	if _, err := s.DocumentView(context.Background(), kept.ID); err != nil {
		t.Errorf("the store after a panic: %v", err)
	}
}

func testNested(t *testing.T, s Store) {
	d := document(s)
	err := s.Update(context.Background(), func(ctx context.Context, tx processes.Tx) error {
		inner := s.Update(ctx, func(context.Context, processes.Tx) error { return nil })
		if inner == nil {
			t.Error("an update inside an update was run")
		}
		if err := s.PauseLane(ctx, "l", true); err == nil {
			t.Error("a lane was paused inside an update")
		}
		return tx.InsertDocument(ctx, d)
	})
	if err != nil {
		t.Errorf("the outer update: %v", err)
	}
}

func testUpdateCancelled(t *testing.T, s Store) {
	before, cancel := context.WithCancel(context.Background())
	cancel()
	called := false
	err := s.Update(before, func(context.Context, processes.Tx) error { called = true; return nil })
	if !errors.Is(err, context.Canceled) || called {
		t.Errorf("an update that was cancelled before: %v, called %v", err, called)
	}
	during, cancel := context.WithCancel(context.Background())
	defer cancel()
	d := document(s)
	err = s.Update(during, func(ctx context.Context, tx processes.Tx) error {
		if err := tx.InsertDocument(ctx, d); err != nil {
			return err
		}
		cancel()
		_, err := tx.NextControl(ctx, "scope")
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("an update that was cancelled meanwhile: %v", err)
	}
	if _, err := s.DocumentView(context.Background(), d.ID); !errors.Is(err, tracking.ErrNotFound) {
		t.Errorf("its document: %v, want ErrNotFound", err)
	}
	// Cancelling one of many harms only that one.
	var ok atomic.Int32
	together(writers, func(i int) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		if i%2 == 0 {
			go cancel()
		}
		d := document(s)
		err := s.Update(ctx, func(ctx context.Context, tx processes.Tx) error { return tx.InsertDocument(ctx, d) })
		_, look := s.DocumentView(context.Background(), d.ID)
		if (err == nil) != (look == nil) {
			t.Errorf("update said %v, and its document is there: %v", err, look)
		}
		if err == nil {
			ok.Add(1)
		} else if !errors.Is(err, context.Canceled) {
			t.Errorf("update: %v", err)
		}
	})
	if ok.Load() < writers/2 {
		t.Errorf("%d updates succeeded, want at least the %d that nobody cancelled", ok.Load(), writers/2)
	}
}

func testNoLostUpdate(t *testing.T, s Store) {
	const each = 10
	d, i := document(s), &tracking.Interchange{ID: s.IDs().Next(), CreatedAt: day}
	d.GroupID = s.IDs().Next()
	insertDocuments(t, s, d)
	update(t, s, func(ctx context.Context, tx processes.Tx) error { return tx.InsertInterchange(ctx, i) })
	together(writers, func(w int) {
		for range each {
			err := s.Update(context.Background(), func(ctx context.Context, tx processes.Tx) error {
				var got *tracking.Document
				if w%2 == 0 {
					var err error
					if got, err = tx.Document(ctx, d.ID); err != nil {
						return err
					}
				} else {
					all, err := tx.DocumentsOfGroup(ctx, d.GroupID)
					if err != nil || len(all) != 1 {
						return errors.Join(errors.New("documents of the group"), err)
					}
					got = all[0]
				}
				got.Errors++
				if err := tx.UpdateDocument(ctx, got); err != nil {
					return err
				}
				in, err := tx.Interchange(ctx, i.ID)
				if err != nil {
					return err
				}
				in.Length++
				return tx.UpdateInterchange(ctx, in)
			})
			if err != nil {
				t.Errorf("Update: %v", err)
			}
		}
	})
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		got, err := tx.Document(ctx, d.ID)
		if err != nil {
			return err
		}
		if got.Errors != writers*each {
			t.Errorf("%d changes to the document survived of %d", got.Errors, writers*each)
		}
		in, err := tx.Interchange(ctx, i.ID)
		if err == nil && in.Length != writers*each {
			t.Errorf("%d changes to the interchange survived of %d", in.Length, writers*each)
		}
		return err
	})
}
