package gateway

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"time"

	"tradepost/certs"
	"tradepost/internal/api"
	"tradepost/internal/auth"
	"tradepost/internal/console"
	"tradepost/processes"
	"tradepost/tracking"
)

// adminHandler is everything on the private listener: console, API, health and
// metrics, behind sign-in.
func (g *Gateway) adminHandler() (http.Handler, error) {
	pages, err := console.New(console.Config{
		Data: g.store, Archive: g.archive, Runs: g.store, Queue: g.store,
		Directory:  func(context.Context) (*console.Directory, error) { return g.people(), nil },
		Status:     g.status,
		Run:        g.run,
		Operations: &processes.Operations{Store: g.store, IDs: g.store.IDs(), Now: g.o.Now},
		Segments:   console.NewSegments(g.guides.Catalog()),
		SignIn:     "Run `tradepost console --config " + g.c.File + "` where the station runs: it prints a link that signs you in once.",
		Version:    g.o.Version, Location: zone(g.o.Now()), Now: g.o.Now, Log: g.o.Log,
	})
	if err != nil {
		return nil, err
	}
	rest, err := api.New(api.Config{
		Data: g.store, Archive: g.archive, Runs: g.store, Queue: g.store,
		Checks: g.checks, Location: zone(g.o.Now()), Now: g.o.Now, Log: g.o.Log, Stop: g.stopping,
	})
	if err != nil {
		return nil, err
	}
	bearers, err := readBearers(g.c.Listen.AdminToken)
	if err != nil {
		return nil, err
	}
	guard, err := newAuth(g.store, g.c.Directory.Station().Name, pages, bearers, g.o)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", rest)
	mux.Handle("GET /livez", rest)
	mux.Handle("GET /readyz", rest)
	mux.Handle("GET /metrics", g.metrics.Handler())
	mux.Handle("/", pages)
	return guard.Require(mux), nil
}

func newAuth(store auth.Store, station string, pages auth.Pages, bearers []auth.Bearer, o Options) (*auth.Auth, error) {
	return auth.New(auth.Config{Store: store, Station: station, Pages: pages, Bearer: bearers, Now: o.Now, Random: o.Random, Log: o.Log})
}

// readBearers reads the token file; without one no program may use the API.
func readBearers(file string) ([]auth.Bearer, error) {
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the admin tokens: %w", err)
	}
	defer func() { _ = f.Close() }()
	list, err := auth.ReadBearers(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return list, nil
}

// LoginLink makes a one-time link into the console of a station: path and
// query, to be put behind the admin address. It needs nothing but the store,
// so a command can make one for a station that another process runs.
func LoginLink(ctx context.Context, store auth.Store, station, user string, o Options) (string, error) {
	a, err := newAuth(store, station, noPages{}, nil, o)
	if err != nil {
		return "", err
	}
	return a.LoginLink(ctx, user)
}

// noPages stands where an auth.Auth serves nobody.
type noPages struct{}

func (noPages) SignInPage(w http.ResponseWriter, _ *http.Request, p auth.Page) {
	w.WriteHeader(p.Status)
}

// run reads one run, so that the console can link jobs to their documents.
func (g *Gateway) run(ctx context.Context, id tracking.ID) (run *processes.Run, err error) {
	err = g.store.Update(ctx, func(ctx context.Context, tx processes.Tx) error {
		run, err = tx.Run(ctx, id)
		return err
	})
	return run, err
}

// people is whom the station trades with, with their certificates as they are.
func (g *Gateway) people() *console.Directory {
	d := &console.Directory{
		Station: g.c.Directory.Station(), Partners: g.c.Directory.Partners(), Partnerships: g.c.Directory.Partnerships(),
		Connections: g.c.Directory.Connections(), Certificates: map[string][]tracking.Certificate{},
	}
	ring, now := g.relations.ring.Load(), g.o.Now()
	d.Certificates[""] = inUseFirst(ring.own, certs.Sign, now)
	for name, set := range ring.partners {
		d.Certificates[name] = inUseFirst(set, certs.Encrypt, now)
	}
	return d
}

// inUseFirst lists the certificates of a party, the one that sending uses first,
// then the newest.
func inUseFirst(set certs.Set, p certs.Purpose, t time.Time) []tracking.Certificate {
	var out []tracking.Certificate
	live, err := set.ForSending(p, t)
	if err == nil {
		out = append(out, certificate(live.Certificate))
	}
	rest := slices.Clone(set)
	slices.SortStableFunc(rest, func(a, b certs.Entry) int { return b.Live().Compare(a.Live()) })
	for _, e := range rest {
		if err != nil || !e.Certificate.Equal(live.Certificate) {
			out = append(out, certificate(e.Certificate))
		}
	}
	return out
}

func certificate(c *x509.Certificate) tracking.Certificate {
	return tracking.Certificate{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(), Serial: c.SerialNumber.Text(16),
		SHA256: certs.Fingerprint(c), NotBefore: c.NotBefore, NotAfter: c.NotAfter,
	}
}

// checks are what readiness rests on.
func (g *Gateway) checks(ctx context.Context) []api.Check {
	store := api.Check{Name: "store", OK: true}
	if err := g.store.Ping(ctx); err != nil {
		store.OK, store.Detail = false, "the database does not answer: "+err.Error()
	}
	payloads := api.Check{Name: "archive", OK: true}
	if err := g.archive.Check(); err != nil {
		payloads.OK, payloads.Detail = false, err.Error()+": make room, or give the station's user the right to write there"
	}
	return []api.Check{store, payloads, {Name: "listener as2", OK: true, Detail: g.as2.Addr().String()}}
}

// status is the state of the station's machinery.
func (g *Gateway) status(ctx context.Context) (*console.Status, error) {
	info := g.store.Info()
	as2 := console.Listener{Name: "as2", Address: g.as2.Addr().String() + g.c.Listen.AS2Path, Use: "partners post here", Public: true}
	if g.c.Listen.TLS != nil {
		as2.TLS = "TLS 1.2 and up"
	}
	return &console.Status{
		Started: g.started,
		Listeners: []console.Listener{
			as2,
			{Name: "admin", Address: g.admin.Addr().String(), Use: "console, API and metrics"},
		},
		Checks: g.checks(ctx),
		Store: []console.Fact{
			{Name: "Database", Value: info.Engine},
			{Name: "Schema version", Value: fmt.Sprint(info.Schema)},
			{Name: "Data folder", Value: g.c.Store.Data},
		},
		Versions: []console.Fact{{Name: "tradepost", Value: g.o.Version}, {Name: "Go", Value: runtime.Version()}},
		Config:   g.c.File,
	}, nil
}
