// Package gateway is the composition root: it builds a station from its
// configuration, runs its parts and stops them in order. It does no work
// itself.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"time"

	"tradepost/certs/cem"
	"tradepost/internal/config"
	"tradepost/internal/observe"
	"tradepost/internal/store/sqlstore"
	"tradepost/processes"
	"tradepost/processes/certificates"
	"tradepost/processes/steps"
	"tradepost/tracking/archive"
	"tradepost/transport"

	"golang.org/x/sync/errgroup"
)

// Options are what a Gateway needs beside its configuration.
type Options struct {
	Log     *slog.Logger
	Now     func() time.Time
	Random  io.Reader
	Version string
	// Reload reads the configuration again, for a station that is to take up new
	// keys and certificates while it runs, without looking into their files; nil
	// keeps the one it has and reads only the files again.
	Reload func() (*config.Config, error)
}

// Gateway is one station, built and ready to run.
type Gateway struct {
	c         *config.Config
	o         Options
	store     *sqlstore.Store
	archive   *archive.Archive
	metrics   *observe.Metrics
	engine    *processes.Engine
	monitor   *processes.Monitor
	relations *relations
	reloader  *reloader
	guides    *steps.Guides
	started   time.Time
	// listeners receive from partners and from our own house.
	listeners []transport.Listener
	as2       net.Listener
	admin     net.Listener
	console   http.Handler
	stopping  chan struct{}
}

// New opens the store, binds the ports and builds the station's parts. When it
// returns an error nothing stays open.
func New(ctx context.Context, c *config.Config, o Options) (*Gateway, error) {
	g := &Gateway{c: c, o: o, metrics: observe.NewMetrics(), started: o.Now(), stopping: make(chan struct{})}
	if err := g.open(ctx); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

func (g *Gateway) open(ctx context.Context) (err error) {
	if g.store, err = OpenStore(ctx, g.c, g.o.Now); err != nil {
		return err
	}
	if g.archive, err = OpenArchive(g.c, g.o.Now()); err != nil {
		return err
	}
	g.reloader = &reloader{g: g}
	ring, err := g.reloader.open(ctx)
	if err != nil {
		return err
	}
	g.relations = newRelations(g.c.Directory, ring, g.store, g.o.Now)
	if g.as2, err = listen(ctx, "listen.as2", g.c.Listen.AS2); err != nil {
		return err
	}
	if g.admin, err = listen(ctx, "listen.admin", g.c.Listen.Admin); err != nil {
		return err
	}
	if err := g.build(); err != nil {
		return err
	}
	g.console, err = g.adminHandler()
	return err
}

// listen binds an address; a port in use says which setting to change.
func listen(ctx context.Context, setting, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w: stop what uses the port, or change %s in the configuration", address, err, setting)
	}
	return l, nil
}

// build makes the parts that work: door, steps, engine, monitor, connectors.
func (g *Gateway) build() error {
	observer := observe.Engine{Log: g.o.Log, Metrics: g.metrics}
	intake := processes.NewIntake(processes.IntakeConfig{
		Store: g.store, Archive: g.archive, IDs: g.store.IDs(), Now: g.o.Now,
		Station: g.c.Directory.Station().Name, ProcessFor: g.processFor,
	})
	sink := observe.Sink{Next: intake, Engine: observer, Now: g.o.Now}
	connectors, err := newConnectors(g, sink)
	if err != nil {
		return g.c.Explain(err)
	}
	g.listeners = connectors.listeners
	if g.guides, err = steps.LoadGuides(g.c.Directory, g.c.Dictionaries); err != nil {
		return g.c.Explain(err)
	}
	agreed, err := steps.LoadMaps(g.c.Directory, g.guides)
	if err != nil {
		return g.c.Explain(err)
	}
	carrier := processes.CarrierConfig{
		Store: g.store, Archive: g.archive, IDs: g.store.IDs(), Now: g.o.Now,
		Station: g.c.Directory.Station().Name, Senders: connectors, Connector: g.connectorOf,
	}
	table, err := processes.NewSteps(append(steps.All(steps.Config{
		Store: g.store, Archive: g.archive, Directory: g.c.Directory, Guides: g.guides, Maps: agreed, IDs: g.store.IDs(), Now: g.o.Now,
	}),
		processes.NewPrepare(carrier),
		processes.NewSend(carrier),
		processes.NewChase(carrier),
		processes.NewReturnReceipt(carrier),
		&certificates.Step{Exchange: g.exchange()},
	)...)
	if err != nil {
		return err
	}
	definitions, err := processes.BuiltinDefinitions()
	if err != nil {
		return err
	}
	exchanges, err := certificates.Definitions()
	if err != nil {
		return err
	}
	maps.Copy(definitions, exchanges)
	g.engine, err = processes.NewEngine(processes.EngineConfig{
		Store: g.store, Steps: table, Definitions: definitions, IDs: g.store.IDs(), Now: g.o.Now,
		Owner: owner(g.store.IDs().Next().String()), Workers: g.c.Limits.Workers, Observe: observer,
	})
	g.monitor = &processes.Monitor{
		Store: g.store, IDs: g.store.IDs(), Now: g.o.Now, Every: g.c.Monitor.Every, Observe: observer,
		Further: []processes.Look{
			{Name: "read keys and certificates again", Do: g.reloader.look},
			{Name: "look for certificates that end", Do: g.watch().Look},
		},
	}
	return err
}

// owner names this process in leases: host, process and a number of its own.
func owner(unique string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "host"
	}
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), unique)
}

// processFor names the process that works off what a connection brings: what
// comes from our own house goes out, what is about certificates goes its own
// way, and everything else came in.
func (g *Gateway) processFor(connection, contentType string) string {
	if c, err := g.c.Directory.Connection(connection); err == nil && c.Partner == "" {
		return "outbound"
	}
	if cem.Is(contentType) {
		return certificates.Process
	}
	return "inbound"
}

func (g *Gateway) connectorOf(connection string) string {
	if c, err := g.c.Directory.Connection(connection); err == nil {
		return c.Connector
	}
	return ""
}

// Run serves until ctx ends or a part fails, then stops in order: doors and
// engine first, after what they have in hand; the console last.
func (g *Gateway) Run(ctx context.Context) error {
	private := &http.Server{
		Handler: g.console, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(g.o.Log.Handler(), slog.LevelWarn),
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	parts, working := errgroup.WithContext(ctx)
	for _, l := range g.listeners {
		parts.Go(func() error { return l.Serve(working) })
	}
	parts.Go(func() error { return g.engine.Run(working) })
	parts.Go(func() error { return g.monitor.Run(working) })
	served := make(chan error, 1)
	go func() { served <- private.Serve(g.admin) }()
	g.o.Log.Info("station is ready", "station", g.c.Directory.Station().Name,
		"as2", g.as2.Addr().String(), "console", "http://"+g.admin.Addr().String())

	var err error
	select {
	case <-working.Done():
	case err = <-served: // the console's listener broke: nothing to shut down
		served <- http.ErrServerClosed
	}
	stop()
	err = errors.Join(err, parts.Wait())
	close(g.stopping)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if private.Shutdown(drain) != nil {
		err = errors.Join(err, private.Close())
	}
	if serve := <-served; !errors.Is(serve, http.ErrServerClosed) {
		err = errors.Join(err, serve)
	}
	g.o.Log.Info("station has stopped", "station", g.c.Directory.Station().Name)
	return err
}

// Close frees what New opened.
func (g *Gateway) Close() error {
	var errs []error
	for _, l := range []net.Listener{g.as2, g.admin} {
		if l == nil {
			continue
		}
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if g.store != nil {
		errs = append(errs, g.store.Close())
	}
	if g.archive != nil {
		errs = append(errs, g.archive.Close())
	}
	return errors.Join(errs...)
}
