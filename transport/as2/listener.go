package as2

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"tradepost/transport"
)

// ListenConfig says where a Listener listens.
type ListenConfig struct {
	// Name stands for the connection in what cannot be told to be anybody's;
	// "as2" when empty.
	Name string
	// Listener is the socket to serve; when nil, Address is listened on.
	Listener net.Listener
	Address  string // "host:port"
	// Path is where transmissions are posted to; "/as2" when empty.
	Path string
	// TLS makes it HTTPS; it needs a certificate, and is raised to TLS 1.2.
	TLS *tls.Config
	// Source tells who sends a request, for the limit on refused ones; nil is
	// the address of the connection. Behind a proxy it must be told otherwise,
	// and only from headers that the proxy sets itself.
	Source func(*http.Request) string
}

// Listener is the AS2 server of a station.
type Listener struct {
	e      *Endpoint
	sink   transport.Sink
	name   string
	path   string
	tls    *tls.Config
	source func(*http.Request) string
	direct bool // connections come from whom they serve, and not through a proxy

	socket   net.Listener
	limiter  *limiter
	partials *partials // nil when nothing can be gone on with
	slots    *places   // requests being worked on
}

// Listener makes a Listener and opens its socket, so that a port in use is an
// error now. Serve closes the socket; Close does when Serve is never called.
func (e *Endpoint) Listener(c ListenConfig, sink transport.Sink) (*Listener, error) {
	l := &Listener{
		e: e, sink: sink, name: c.Name, path: c.Path, source: c.Source, socket: c.Listener,
		limiter: newLimiter(e.cfg.Limits.Refusals, e.cfg.Limits.Sources, e.cfg.Now),
		slots:   newPlaces(e.cfg.Limits.Concurrent, e.cfg.Limits.Share),
	}
	if l.name == "" {
		l.name = Connector
	}
	if l.path == "" {
		l.path = "/as2"
	}
	if !strings.HasPrefix(l.path, "/") {
		return nil, fmt.Errorf("as2 listener: path %q: must begin with /", l.path)
	}
	l.direct = l.source == nil
	if l.direct {
		l.source = func(r *http.Request) string { return source(r.RemoteAddr) }
	}
	if c.TLS != nil {
		l.tls = c.TLS.Clone()
		l.tls.MinVersion = max(l.tls.MinVersion, tls.VersionTLS12)
		if len(l.tls.Certificates) == 0 && l.tls.GetCertificate == nil && l.tls.GetConfigForClient == nil {
			return nil, errors.New("as2 listener: TLS without a certificate")
		}
	}
	var err error
	if l.partials, err = e.partials(); err != nil {
		return nil, fmt.Errorf("as2 listener: %w", err)
	}
	if l.socket == nil {
		s, err := net.Listen("tcp", c.Address)
		if err != nil {
			return nil, fmt.Errorf("as2 listener: %w: choose another address, or end what listens there", err)
		}
		l.socket = s
	}
	return l, nil
}

// Addr is the address listened on.
func (l *Listener) Addr() net.Addr { return l.socket.Addr() }

// Close closes the socket of a Listener that does not Serve.
func (l *Listener) Close() error { return l.socket.Close() }

// Serve answers requests until ctx ends. It then takes no more, finishes those
// in hand within Limits.Drain, and returns nil. Any other end is an error.
func (l *Listener) Serve(ctx context.Context) error {
	hand, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	lim := l.e.cfg.Limits
	server := &http.Server{
		Handler:           &handler{Listener: l, hand: hand},
		TLSConfig:         l.tls,
		ReadHeaderTimeout: lim.HeaderTime,
		IdleTimeout:       lim.Idle,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return hand },
		ErrorLog:          log.New(troubleWriter{l.e.cfg.OnTrouble}, "", 0),
	}
	share := 100
	if l.direct {
		share = lim.Share
	}
	socket := net.Listener(&counted{Listener: l.socket, open: newPlaces(lim.Connections, share)})
	go l.partials.sweepUntil(hand.Done())
	served := make(chan error, 1)
	go func() {
		if l.tls != nil {
			served <- server.ServeTLS(socket, "", "")
			return
		}
		served <- server.Serve(socket)
	}()
	select {
	case err := <-served:
		return fmt.Errorf("as2 listener on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	drain, done := context.WithTimeout(context.WithoutCancel(ctx), lim.Drain)
	defer done()
	if err := server.Shutdown(drain); err != nil {
		cancel()
		if cerr := server.Close(); cerr != nil {
			err = errors.Join(err, cerr)
		}
		l.e.cfg.OnTrouble(fmt.Errorf("as2 listener on %s: requests in hand were cut off after %v: %w", l.Addr(), lim.Drain, err))
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("as2 listener on %s: %w", l.Addr(), err)
	}
	return nil
}

// counted accepts no more connections than open has places for. Who has its
// share already is not let in, so that it does not keep others out.
type counted struct {
	net.Listener
	open *places
}

func (c *counted) Accept() (net.Conn, error) {
	for {
		c.open.await()
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if leave := c.open.enter(source(conn.RemoteAddr().String())); leave != nil {
			return &countedConn{Conn: conn, done: leave}, nil
		}
		_ = conn.Close() // it has heard nothing from us
	}
}

type countedConn struct {
	net.Conn
	done func()
}

func (c *countedConn) Close() error {
	defer c.done()
	return c.Conn.Close()
}

// troubleWriter hands what net/http wants to log to OnTrouble.
type troubleWriter struct{ tell func(error) }

func (w troubleWriter) Write(p []byte) (int, error) {
	w.tell(errors.New("as2 listener: " + strings.TrimSpace(string(p))))
	return len(p), nil
}

// patientBody is a request body that must keep coming: the connection is given
// up when no byte comes for the stall time, or when it comes more slowly than
// slowest on the whole.
type patientBody struct {
	http.ResponseWriter
	r     *http.Request
	stall time.Duration
	start time.Time
	got   int64
}

// slowest is the least rate of a body, in bytes a second, after a first
// allowance of the stall time.
const slowest = 512

// Read implements io.Reader. The deadline is one of the socket, so it follows
// the real clock and not Config.Now.
func (b *patientBody) Read(p []byte) (int, error) {
	now := time.Now() //nolint:forbidigo // see above
	if b.start.IsZero() {
		b.start = now
	}
	limit := b.start.Add(b.stall + time.Duration(b.got/slowest)*time.Second)
	if next := now.Add(b.stall); next.Before(limit) {
		limit = next
	}
	if err := http.NewResponseController(b.ResponseWriter).SetReadDeadline(limit); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	n, err := b.r.Body.Read(p)
	b.got += int64(n)
	if errors.Is(err, io.EOF) { // what follows may take its time
		_ = http.NewResponseController(b.ResponseWriter).SetReadDeadline(time.Time{}) // as above
	}
	return n, err
}
