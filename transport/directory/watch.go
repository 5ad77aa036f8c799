package directory

import (
	"context"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// calm is how long hints are gathered, so that a file written in many small
// pieces is not looked at for each of them.
const calm = 100 * time.Millisecond

// hinter wakes the listener early when the operating system tells that
// something happened in the folder. Where it cannot (NFS, no watches left),
// polling alone finds everything.
type hinter struct{ w *fsnotify.Watcher }

// watch makes a hinter; stop frees it.
func watch() (h *hinter, stop func()) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return &hinter{}, func() {}
	}
	return &hinter{w: w}, func() { _ = w.Close() }
}

// follow begins to watch dir, or begins again when the folder was replaced.
func (h *hinter) follow(dir string) {
	if h.w == nil || slices.Contains(h.w.WatchList(), dir) {
		return
	}
	_ = h.w.Add(dir) // without it, polling has to do
}

// wait returns after d, soon after a hint, or when ctx ends.
func (h *hinter) wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	var events chan fsnotify.Event
	var errs chan error
	if h.w != nil {
		events, errs = h.w.Events, h.w.Errors
	}
	hinted := false
	hint := func() {
		if !hinted {
			hinted = true
			t.Reset(min(d, calm))
		}
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			return
		case e := <-events:
			if e.Op.Has(fsnotify.Create) || e.Op.Has(fsnotify.Write) {
				hint()
			}
		case err := <-errs:
			if err != nil { // too many at once: some were missed
				hint()
			}
		}
	}
}
