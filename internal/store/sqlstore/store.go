package sqlstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"tradepost/processes"
	"tradepost/tracking"
)

// Config is what a Store needs beside its database.
type Config struct {
	Now  func() time.Time // the application's clock; nil is time.Now
	Node int              // 0 to 1023, for IDs
	// Schema is the version of the database after its migrations.
	Schema int
	// Poll is how often Wake gives a value without a known reason, because jobs
	// fall due and other processes may enqueue; zero is one second.
	Poll time.Duration
}

// Store implements processes.Store over one open database. It is safe for
// concurrent use.
type Store struct {
	backend Backend
	dialect Dialect
	ids     *tracking.IDs
	now     func() time.Time
	schema  int

	wake    chan struct{}
	stop    chan struct{}
	stopped chan struct{}
	once    sync.Once
	ended   error // of Close
}

var _ processes.Store = (*Store)(nil)

// New returns a store over a migrated database, which Close closes.
func New(backend Backend, cfg Config) *Store {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Poll == 0 {
		cfg.Poll = time.Second
	}
	s := &Store{
		backend: backend,
		dialect: backend.Dialect(),
		ids:     tracking.NewIDs(cfg.Now, cfg.Node),
		now:     cfg.Now,
		schema:  cfg.Schema,
		wake:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
	go s.remind(cfg.Poll)
	return s
}

// Update implements processes.Store. fn must not call the store's other
// methods, only those of its Tx.
func (s *Store) Update(ctx context.Context, fn func(ctx context.Context, tx processes.Tx) error) error {
	if fn == nil {
		return errors.New("update: no function was given")
	}
	return s.update(ctx, func(ctx context.Context, t *tx) error { return fn(ctx, t) })
}

// inUpdate marks the context of an Update's function.
type inUpdate struct{ s *Store }

var errNested = errors.New("an update was begun inside an update, for which it would wait: use the transaction that is open")

func (s *Store) update(ctx context.Context, fn func(ctx context.Context, t *tx) error) error {
	if ctx.Value(inUpdate{s}) != nil {
		return errNested
	}
	var work bool
	err := s.backend.Update(context.WithValue(ctx, inUpdate{s}, true), func(ctx context.Context, c Conn) error {
		t := &tx{c: c, dialect: s.dialect, ids: s.ids, now: s.now}
		err := fn(ctx, t)
		work = t.work
		return err
	})
	if err == nil && work {
		s.hint()
		s.backend.Announce()
	}
	return err
}

// Wake implements queue.Store. There is one channel, for one dispatcher. It
// gives a value after every change that may let a job be claimed, and once a
// second besides, because jobs fall due and other processes work on the same
// database.
func (s *Store) Wake() <-chan struct{} { return s.wake }

func (s *Store) hint() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// remind passes hints on until the store is closed.
func (s *Store) remind(every time.Duration) {
	defer close(s.stopped)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		case <-s.backend.Announced():
		}
		s.hint()
	}
}

// IDs returns the maker of ids for this process.
func (s *Store) IDs() *tracking.IDs { return s.ids }

// Ping asks whether the database is there and can be written.
func (s *Store) Ping(ctx context.Context) error { return s.backend.Ping(ctx) }

// Info tells what a store runs on.
type Info struct {
	Engine string `json:"engine"` // "SQLite 3.53.3", "PostgreSQL 17.2"
	Schema int    `json:"schema"` // version of the tables
}

// Info tells what this store runs on.
func (s *Store) Info() Info { return Info{Engine: s.backend.Engine(), Schema: s.schema} }

// Close waits for what is being committed and closes the database. Calls
// after it fail.
func (s *Store) Close() error {
	s.once.Do(func() {
		close(s.stop)
		<-s.stopped
		s.ended = s.backend.Close()
	})
	return s.ended
}
