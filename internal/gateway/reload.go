package gateway

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"tradepost/internal/config"
	"tradepost/partners"
	"tradepost/processes/certificates"
	"tradepost/tracking"
)

// reloader keeps the keyring of a running station up to date with its
// configuration, its key and certificate files, and the certificates taken over
// from partners. What it finds is read and checked whole before it replaces the
// old in one step; when anything is wrong the old stays.
type reloader struct {
	g  *Gateway
	mu sync.Mutex // one reload at a time
	// files (the configuration first) and taken are what the last try saw, good or
	// not, so that the same fault is not found again and again.
	files []fileState
	taken string
	// now is the configuration the keyring was made from.
	now *config.Config
	// documents are the dictionaries, guides and maps as they were when the station
	// loaded them.
	documents []fileState
}

// fileState tells whether a file has changed.
type fileState struct {
	name string
	size int64
	time time.Time
}

// stateOf looks at a file; one that is not there has no size and no time.
func stateOf(file string) fileState {
	s := fileState{name: file}
	if info, err := os.Stat(file); err == nil {
		s.size, s.time = info.Size(), info.ModTime()
	}
	return s
}

// open makes the first keyring of a station.
func (r *reloader) open(ctx context.Context) (*keyring, error) {
	r.now, r.documents = r.g.c, documentFiles(r.g.c)
	return r.read(ctx, r.g.c, stateOf(r.g.c.File))
}

// read makes the keyring that a configuration asks for. Files are looked at
// before they are read: what changes meanwhile is found by the next look. file
// is the configuration's own, as it was before it was read.
func (r *reloader) read(ctx context.Context, c *config.Config, file fileState) (*keyring, error) {
	r.files = []fileState{file}
	for _, f := range c.KeyFiles() {
		r.files = append(r.files, stateOf(f))
	}
	files, err := c.Keyring()
	if err != nil {
		return nil, err
	}
	ring := newKeyring(files)
	taken, err := r.g.takenOver(ctx)
	if err != nil {
		return nil, err
	}
	r.taken = key(taken)
	return ring, ring.add(taken)
}

// takenOver lists the certificates that partners offered and that were
// accepted, oldest first.
func (g *Gateway) takenOver(ctx context.Context) ([]tracking.CertificateOffer, error) {
	list, err := g.store.CertificateOffers(ctx, tracking.OfferQuery{Direction: tracking.Inbound, States: []tracking.OfferState{tracking.OfferAccepted}})
	if err != nil {
		return nil, fmt.Errorf("read the certificates taken over from partners: %w", err)
	}
	slices.Reverse(list)
	return list, nil
}

// key is another one whenever the list is.
func key(list []tracking.CertificateOffer) string {
	var b strings.Builder
	for _, o := range list {
		fmt.Fprintf(&b, "%s %d;", o.ID, o.GoLive.UnixMilli())
	}
	return b.String()
}

// add puts certificates taken over from partners beside the configured ones.
func (k *keyring) add(taken []tracking.CertificateOffer) error {
	for _, o := range taken {
		e, err := certificates.EntryOf(o)
		if err != nil {
			return err
		}
		k.partners[o.Partner] = certificates.With(k.partners[o.Partner], e)
	}
	return nil
}

// Reload reads the keys and certificates again and puts them into use: the next
// transmission is signed, encrypted and checked with them. Of a changed
// configuration nothing else counts before the next start. When it does not
// hold, or a key cannot be opened, the old ones stay in use. The log says what
// came of it.
func (g *Gateway) Reload(ctx context.Context) error {
	waiting, err := g.reloader.reload(ctx)
	if err != nil {
		g.o.Log.Error("keys and certificates were not read again; the old ones stay in use", "error", err)
		return err
	}
	ring := g.relations.ring.Load()
	count := 0
	for _, set := range ring.partners {
		count += len(set)
	}
	g.o.Log.Info("keys and certificates were read again", "own", len(ring.own), "partners", count)
	if len(waiting) > 0 {
		g.o.Log.Warn("more of the configuration has changed; it counts from the next start", "sections", strings.Join(waiting, ", "))
	}
	return nil
}

func (r *reloader) reload(ctx context.Context) (waiting []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, f := range r.files { // also when it fails
		r.files[i] = stateOf(f.name)
	}
	file := r.files[0]
	c := r.now
	if r.g.o.Reload != nil {
		if c, err = r.g.o.Reload(); err != nil {
			return nil, err
		}
	}
	ring, err := r.read(ctx, c, file)
	if err != nil {
		return nil, err
	}
	if r.g.c.Listen.TLS != nil && ring.tls == nil {
		return nil, fmt.Errorf("%s: listen.tls is gone, and a listener cannot change to plain HTTP while it runs", c.File)
	}
	r.g.relations.ring.Store(ring)
	r.now = c
	waiting = waits(r.g.c, c)
	if !slices.Equal(r.documents, documentFiles(r.g.c)) {
		waiting = append(waiting, "texts of dictionaries, guides and maps")
	}
	return waiting, nil
}

// look reloads when something has changed. The monitor calls it from time to
// time.
func (r *reloader) look(ctx context.Context) error {
	changed, err := r.changed(ctx)
	if err != nil || !changed {
		return err
	}
	_ = r.g.Reload(ctx) // the log has it
	return nil
}

// changed tells whether a file, or what was taken over, is another than at the
// last try.
func (r *reloader) changed(ctx context.Context) (bool, error) {
	taken, err := r.g.takenOver(ctx)
	if err != nil {
		return false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken != key(taken) || slices.ContainsFunc(r.files, func(f fileState) bool { return stateOf(f.name) != f }), nil
}

// waits names what of a configuration has changed and counts only from the next
// start: everything but keys and certificates.
func waits(before, after *config.Config) []string {
	var out []string
	note := func(name string, a, b any) {
		if !reflect.DeepEqual(a, b) {
			out = append(out, name)
		}
	}
	note("store", before.Store, after.Store)
	note("listen", listenOf(before), listenOf(after))
	note("monitor", before.Monitor, after.Monitor)
	note("limits", before.Limits, after.Limits)
	note("logs", before.Logs, after.Logs)
	note("dictionaries", before.Dictionaries, after.Dictionaries)
	note("station", stationOf(before), stationOf(after))
	note("partners", partnersOf(before), partnersOf(after))
	note("partnerships", before.Directory.Partnerships(), after.Directory.Partnerships())
	note("connections", before.Directory.Connections(), after.Directory.Connections())
	return out
}

// listenOf is the section without the names of the certificate's files.
func listenOf(c *config.Config) config.Listen {
	l := c.Listen
	if l.TLS != nil {
		l.TLS = &config.TLS{ClientCA: l.TLS.ClientCA}
	}
	return l
}

// stationOf is the station without its keys.
func stationOf(c *config.Config) partners.Station {
	s := c.Directory.Station()
	s.Certificate, s.Key, s.Retire, s.Keys = "", "", time.Time{}, nil
	return s
}

// partnersOf are the partners without their certificates.
func partnersOf(c *config.Config) []partners.Partner {
	list := c.Directory.Partners()
	for i := range list {
		list[i].Certificates = nil
	}
	return list
}
