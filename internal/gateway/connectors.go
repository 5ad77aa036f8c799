package gateway

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"

	"tradepost/partners"
	"tradepost/processes"
	"tradepost/transport"
	transportas2 "tradepost/transport/as2"
	"tradepost/transport/directory"
)

// connectors are the two ends of every configured connection.
type connectors struct {
	listeners []transport.Listener
	senders   map[string]transport.Sender
	receipts  map[string]transport.ReceiptSender
}

var _ processes.Senders = (*connectors)(nil)

// newConnectors makes the connections of the configuration, a case a connector.
func newConnectors(g *Gateway, sink transport.Sink) (*connectors, error) {
	c := &connectors{senders: map[string]transport.Sender{}, receipts: map[string]transport.ReceiptSender{}}
	endpoint, err := g.as2Endpoint(c, sink)
	if err != nil {
		return nil, err
	}
	for _, conn := range g.c.Directory.Connections() {
		settings := transport.Connection{Name: conn.Name, Connector: conn.Connector, Partner: conn.Partner, Settings: conn.Settings}
		var err error
		switch conn.Connector {
		case transportas2.Connector:
			err = c.addAS2(endpoint, settings)
		case directory.Connector:
			err = c.addDirectory(g, settings, sink)
		default:
			err = fmt.Errorf("connection %s: there is no connector %q", conn.Name, conn.Connector)
		}
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

// as2Endpoint makes the station's AS2 server and what its senders share.
func (g *Gateway) as2Endpoint(c *connectors, sink transport.Sink) (*transportas2.Endpoint, error) {
	spool := filepath.Join(g.c.Store.Data, "spool") // large bodies while they are worked on
	if err := os.MkdirAll(spool, 0o700); err != nil {
		return nil, fmt.Errorf("make the spool folder: %w", err)
	}
	config := transportas2.Config{
		Relations: g.relations, Now: g.o.Now, Rand: g.o.Random, Host: messageHost(g.c.Listen.AS2URL, g.c.Directory.Station()),
		Product: "tradepost", ReceiptURL: g.c.Listen.AS2URL, TempDir: spool, Base: g.c.Dir,
		OnTrouble: func(err error) { g.o.Log.Warn("as2", "error", err) },
		KeyPair:   g.c.KeyPair, Features: []string{"CEM"}, // see exchange
	}
	// A payload at the limit grows by base64 and envelopes on the wire.
	config.Limits.Payload = g.c.Limits.Transmission
	config.Limits.Body = g.c.Limits.Transmission + g.c.Limits.Transmission/2 + 1<<20
	config.Limits.Drain = g.c.Limits.Drain
	config.Limits.Connections, config.Limits.Concurrent, config.Limits.Share = g.c.Limits.Connections, g.c.Limits.Requests, g.c.Limits.Share
	endpoint, err := transportas2.New(config)
	if err != nil {
		return nil, err
	}
	listen := transportas2.ListenConfig{Listener: g.as2, Path: g.c.Listen.AS2Path}
	if len(g.c.Listen.Proxies) > 0 {
		listen.Source = transportas2.BehindProxies(g.c.Listen.Proxies)
	}
	if t := g.c.Listen.TLS; t != nil {
		clients, err := t.Clients()
		if err != nil {
			return nil, fmt.Errorf("listen.tls.client_ca: %w", err)
		}
		listen.TLS = &tls.Config{
			MinVersion: tls.VersionTLS12,
			// Asked for at every handshake, so that a renewed one needs no restart.
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return g.relations.ring.Load().tls, nil },
		}
		if clients != nil {
			listen.TLS.ClientAuth, listen.TLS.ClientCAs = tls.RequireAndVerifyClientCert, clients
		}
	}
	l, err := endpoint.Listener(listen, sink)
	if err != nil {
		return nil, err
	}
	c.listeners = append(c.listeners, l)
	return endpoint, nil
}

// messageHost is the part behind the @ of our Message-IDs: the name that partners
// know us by, or else the station's name.
func messageHost(as2URL string, station partners.Station) string {
	u, err := url.Parse(as2URL)
	if err != nil || u.Hostname() == "" || u.Hostname() == "localhost" {
		return station.Name
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return station.Name
	}
	return u.Hostname()
}

func (c *connectors) addAS2(endpoint *transportas2.Endpoint, conn transport.Connection) error {
	sender, err := endpoint.Sender(conn)
	if err != nil {
		return err
	}
	c.senders[conn.Name], c.receipts[conn.Name] = sender, sender
	return nil
}

func (c *connectors) addDirectory(g *Gateway, conn transport.Connection, sink transport.Sink) error {
	config := directory.Config{
		Base: g.c.Dir, Now: g.o.Now, Rand: g.o.Random, Drain: g.c.Limits.Drain,
		OnTrouble: func(err error) { g.o.Log.Warn("directory", "error", err) },
	}
	settings, err := directory.ParseSettings(conn)
	if err != nil {
		return err
	}
	if settings.Pickup != "" {
		l, err := directory.NewListener(conn, sink, config)
		if err != nil {
			return err
		}
		c.listeners = append(c.listeners, l)
	}
	if settings.Deliver != "" {
		sender, err := directory.NewSender(conn, config)
		if err != nil {
			return err
		}
		c.senders[conn.Name] = sender
	}
	return nil
}

// Sender implements processes.Senders.
func (c *connectors) Sender(connection string) (transport.Sender, error) {
	if s, ok := c.senders[connection]; ok {
		return s, nil
	}
	return nil, fmt.Errorf("nothing can be sent over connection %q: it is not configured, or only receives", connection)
}

// ReceiptSender implements processes.Senders.
func (c *connectors) ReceiptSender(connection string) (transport.ReceiptSender, error) {
	if s, ok := c.receipts[connection]; ok {
		return s, nil
	}
	return nil, fmt.Errorf("no receipts can be posted over connection %q: it is not configured, or no AS2 connection", connection)
}
