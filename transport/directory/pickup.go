package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sort"
	"time"

	"tradepost/transport"
)

const (
	// batch is how many files are claimed before the claimed ones are worked off.
	batch = 256
	// mostSeen bounds how many files are watched for standing still at a time,
	// and how many complaints are remembered.
	mostSeen = 10000
)

// Listener picks files up from the folder of one connection.
type Listener struct {
	conn transport.Connection
	set  Settings
	cfg  Config
	sink transport.Sink
}

// NewListener makes the Listener of a connection with a pickup folder. Errors
// of the settings are *transport.SettingsError; whether the folder is there is
// found out, and reported, by Serve.
func NewListener(conn transport.Connection, sink transport.Sink, c Config) (*Listener, error) {
	s, err := ParseSettings(conn)
	if err != nil {
		return nil, err
	}
	if s.Pickup == "" {
		return nil, &transport.SettingsError{Connection: conn.Name, Path: "pickup", Msg: "is not set: name the folder to take files from"}
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return &Listener{conn: conn, set: s, cfg: c, sink: sink}, nil
}

// Serve picks up until ctx ends. It returns nil then, after the file in hand
// was accepted; files that were claimed but not begun wait for the next Serve.
// A folder that is missing or not accessible is reported and tried again. Of
// several Serves on one folder, in one process or in several, one works; the
// others report it, wait, and take over when it ends.
func (l *Listener) Serve(ctx context.Context) error {
	hints, stop := watch()
	defer stop()
	accept, finish := draining(ctx, l.cfg.Drain)
	defer finish()
	p := &pickup{Listener: l, seen: map[string]*sighting{}, claims: map[string]*claim{}, told: map[string]bool{}, dirty: true}
	defer p.release()
	failures := 0
	for ctx.Err() == nil {
		wait, err := p.pass(ctx, accept)
		if err != nil {
			failures++
			wait = l.backoff(failures)
			p.trouble("", err, l.cfg.Now().Add(wait))
		} else {
			failures = 0
			hints.follow(l.cfg.at(l.set.Pickup))
		}
		hints.wait(ctx, wait)
	}
	return nil
}

// draining is a context for the work in hand: it outlives ctx by d.
func draining(ctx context.Context, d time.Duration) (context.Context, func()) {
	hand, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			cancel()
		case <-hand.Done():
		}
	})
	return hand, func() { stop(); cancel() }
}

// backoff is the wait after so many failures in a row.
func (l *Listener) backoff(failures int) time.Duration {
	d := l.cfg.Retry
	for i := 1; i < failures && d < maxRetry; i++ {
		d *= 2
	}
	return min(d, maxRetry)
}

// pickup is the state of one Serve. All of it can be forgotten: what must not
// be forgotten is in the claimed folder.
type pickup struct {
	*Listener
	seen   map[string]*sighting // files in the folder, by name
	claims map[string]*claim    // files in the claimed folder, by name there
	told   map[string]bool      // complaints made, so that each is made once
	last   int64                // time of the last claim id
	dirty  bool                 // the last claims may not be durable yet
	lock   *os.File             // held while the folder is ours
}

// sighting is how a file looked, and since when.
type sighting struct {
	stamp
	since time.Time
	round bool // it was there in this pass
}

// pass looks at the folder once: claims what stood still, works off what is
// claimed. It tells how long until there may be something to do.
func (p *pickup) pass(ctx, accept context.Context) (time.Duration, error) {
	root, err := openFolder(p.cfg.at(p.set.Pickup), claimedDir)
	if err != nil {
		return 0, err
	}
	defer root.Close() //nolint:errcheck // a handle on a folder
	ours, err := p.hold(root)
	if err != nil {
		return 0, err
	}
	if !ours {
		p.once("", errTaken)
		return time.Duration(p.set.Poll), nil
	}
	delete(p.told, "")
	next := p.cfg.Now().Add(time.Duration(p.set.Poll))
	more, err := p.claimAll(root, &next)
	if err != nil {
		err = advise(err)
	}
	if werr := p.workAll(ctx, accept, root, &next); err == nil {
		err = werr
	}
	if more && err == nil {
		return 0, nil
	}
	return max(0, next.Sub(p.cfg.Now())), err
}

// claimAll claims what stood still long enough, oldest first, at most a batch;
// more tells that there was more than that.
func (p *pickup) claimAll(root *os.Root, next *time.Time) (more bool, err error) {
	now := p.cfg.Now()
	if err := p.look(root, now); err != nil {
		return false, err
	}
	var ready []string
	for name, s := range p.seen {
		due := s.since.Add(time.Duration(p.set.Settle))
		switch {
		case !s.round:
			delete(p.seen, name)
		case s.size == 0: // somebody made it and has not written yet
		case due.After(now):
			*next = earlier(*next, due)
		default:
			ready = append(ready, name)
		}
	}
	sort.Slice(ready, func(i, j int) bool {
		a, b := p.seen[ready[i]], p.seen[ready[j]]
		if !a.mtime.Equal(b.mtime) {
			return a.mtime.Before(b.mtime)
		}
		return ready[i] < ready[j]
	})
	more = len(ready) > batch
	for _, name := range ready[:min(len(ready), batch)] {
		if err := p.claim(root, name); err != nil {
			return false, err
		}
	}
	return more, nil
}

// look notes what is in the folder and how it looks.
func (p *pickup) look(root *os.Root, now time.Time) error {
	for _, s := range p.seen {
		s.round = false
	}
	present := map[string]bool{}
	err := eachEntry(root, ".", func(e fs.DirEntry) error {
		name := e.Name()
		if !p.set.wants(name) {
			return nil
		}
		if !e.Type().IsRegular() {
			present[name] = true
			p.once(name, fmt.Errorf("is %s and left alone: only plain files are picked up", kind(e.Type())))
			return nil
		}
		fi, err := root.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // taken away meanwhile
		}
		if err != nil {
			return err
		}
		s := p.seen[name]
		if s == nil && len(p.seen) < mostSeen {
			s = &sighting{stamp: stampOf(fi), since: now}
			p.seen[name] = s
		}
		if s == nil {
			return nil // its turn comes when others are done
		}
		if st := stampOf(fi); !st.same(s.stamp) {
			s.stamp, s.since = st, now
		}
		s.round, present[name] = true, true
		return nil
	})
	for name := range p.told {
		if !present[name] {
			if _, claimed := p.claims[name]; !claimed {
				delete(p.told, name)
			}
		}
	}
	return err
}

// claim moves a file to the claimed folder. An error is one of the folder, not
// of the file.
func (p *pickup) claim(root *os.Root, name string) error {
	s := p.seen[name]
	f, err := openPlain(root, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		delete(p.seen, name)
		return nil
	case errors.Is(err, fs.ErrPermission):
		p.once(name, fmt.Errorf("cannot be read: give the gateway's user the right to: %w", err))
		return nil
	case err != nil:
		p.once(name, err)
		return nil
	}
	_ = f.Close() // it was only opened to see that it can be
	id, err := p.newClaimID()
	if err != nil {
		return err
	}
	to := claimName(id, name)
	if err := root.Rename(name, claimedDir+"/"+to); err != nil {
		if errors.Is(err, fs.ErrNotExist) { // another node was quicker
			delete(p.seen, name)
			return nil
		}
		return err
	}
	p.dirty = true
	delete(p.seen, name)
	p.claims[to] = &claim{seen: s.stamp}
	return nil
}

// trouble reports what failed and when it will be tried again.
func (p *pickup) trouble(name string, err error, next time.Time) {
	p.cfg.OnTrouble(&TroubleError{Connection: p.conn.Name, Folder: p.set.Pickup, Name: name, Err: err, Next: next})
}

// once reports what is wrong with an entry, the first time only.
func (p *pickup) once(name string, err error) {
	if p.told[name] || len(p.told) >= mostSeen {
		return
	}
	p.told[name] = true
	p.trouble(name, err, time.Time{})
}

// eachEntry calls fn for every entry of a folder, without holding them all.
func eachEntry(root *os.Root, dir string, fn func(fs.DirEntry) error) error {
	d, err := root.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // read only
	for {
		entries, err := d.ReadDir(1024)
		for _, e := range entries {
			if err := fn(e); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// kind names what is not a plain file.
func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeSymlink != 0:
		return "a symbolic link"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a special file"
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
