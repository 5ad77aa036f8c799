package interop

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/certs"
	"tradepost/transport"
	connector "tradepost/transport/as2"
)

// stationID is our AS2 name.
const stationID = "TRADEPOST"

// patience bounds every wait for the other side.
const patience = 2 * time.Minute

// newKey makes a key with its certificate.
func newKey(t testing.TB, name string, kind certs.KeyType) as2.Key {
	t.Helper()
	p, err := certs.Generate(certs.Request{CommonName: name, Type: kind, NotBefore: time.Now().Add(-time.Hour), Validity: 48 * time.Hour}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return as2.Key{Certificate: p.Certificate, Private: p.Key}
}

// station is our side: the AS2 connector of the gateway with a door that keeps
// everything in memory.
type station struct {
	t        testing.TB
	id       string
	key      as2.Key
	endpoint *connector.Endpoint
	url      string // where partners post to

	mu       sync.Mutex
	partners map[string]*partner // by AS2 name
	accepted map[string]*transport.Receipt
	open     map[string]waiting // deliveries that wait for their receipt, by Message-ID
	working  sync.WaitGroup     // receipts on their way
}

// partner is one AS2 name of a peer, with what came from it.
type partner struct {
	rel      connector.Relation
	sender   *connector.Sender
	arrivals chan arrived
}

// arrived is what came through the door.
type arrived struct {
	transport.Arrival
	content   []byte
	wire      []byte // the body as it crossed
	duplicate bool
}

// waiting is a delivery whose receipt comes on its own.
type waiting struct {
	prepared *transport.Prepared
	outcome  chan *transport.Outcome
}

// newStation serves a station until the test ends, over HTTPS when somebody
// certifies it.
func newStation(t testing.TB, id string, key as2.Key, by *authority) *station {
	t.Helper()
	s := &station{t: t, id: id, key: key, partners: map[string]*partner{}, accepted: map[string]*transport.Receipt{}, open: map[string]waiting{}}
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := connector.ListenConfig{Listener: socket}
	s.url = "http://" + socket.Addr().String() + "/as2"
	if by != nil {
		s.url = "https" + strings.TrimPrefix(s.url, "http")
		listen.TLS = &tls.Config{Certificates: []tls.Certificate{by.server(t, "tradepost")}}
	}
	s.endpoint, err = connector.New(connector.Config{
		Relations: s, Now: time.Now, Rand: rand.Reader, Host: "tradepost.test", ReceiptURL: s.url, TempDir: t.TempDir(),
		Limits: connector.Limits{Refusals: 1000},
		OnTrouble: func(err error) {
			t.Logf("our listener: %v", err)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.endpoint.Listener(listen, s)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx) }()
	t.Cleanup(func() {
		s.working.Wait()
		stop()
		if err := <-done; err != nil {
			t.Errorf("our listener: %v", err)
		}
	})
	return s
}

// know adds a partner: how we send to it, and what we demand of what it sends.
func (s *station) know(with party, at peer, certificate *x509.Certificate) {
	s.t.Helper()
	id, name := with.name, "to-"+with.name
	p := &partner{
		rel: connector.Relation{
			Relation: as2.Relation{
				Station: as2.Station{ID: s.id, Keys: []as2.Key{s.key}},
				Partner: as2.Partner{ID: id, Encrypt: certificate, Verify: []*x509.Certificate{certificate}},
				Policy:  with.policy, ReceiptMIC: with.mic,
			},
			Partner: id, Connection: name, Terms: with.terms,
		},
		arrivals: make(chan arrived, 16),
	}
	set := map[string]any{"url": at.url(), "timeout": "30s", "receipt_hosts": []string{at.receiptHost()}}
	if with.tls != nil {
		set["url"], set["tls"] = at.secureURL(), with.tls
	}
	settings, err := json.Marshal(set)
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	s.partners[id] = p
	s.mu.Unlock()
	if p.sender, err = s.endpoint.Sender(transport.Connection{Name: name, Connector: connector.Connector, Partner: id, Settings: settings}); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = p.sender.Close() })
}

func (s *station) partner(id string) *partner {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.partners[id]
}

// Receiving implements connector.Relations.
func (s *station) Receiving(_ context.Context, from, to string) (*connector.Relation, error) {
	p := s.partner(from)
	if p == nil || to != s.id {
		return nil, as2.ErrUnknownRelation
	}
	rel := p.rel
	return &rel, nil
}

// Sending implements connector.Relations.
func (s *station) Sending(_ context.Context, connection string) (*connector.Relation, error) {
	p := s.partner(connection[len("to-"):])
	if p == nil {
		return nil, as2.ErrUnknownRelation
	}
	rel := p.rel
	return &rel, nil
}

// StrangerKey implements connector.Relations.
func (s *station) StrangerKey(context.Context, string) (*as2.Key, error) { return &s.key, nil }

// Accept is the door.
func (s *station) Accept(_ context.Context, a *transport.Arrival) (*transport.Acceptance, error) {
	if a.Returned != nil {
		s.mu.Lock()
		w, ok := s.open[a.Returned.OriginalMessageID]
		delete(s.open, a.Returned.OriginalMessageID)
		s.mu.Unlock()
		if ok {
			w.outcome <- a.Returned.Check(w.prepared)
		}
		return &transport.Acceptance{}, nil
	}
	in := arrived{Arrival: *a}
	var err error
	if in.content, err = readBody(a.Content.Body); err != nil {
		return nil, err
	}
	if in.wire, err = readBody(a.Wire); err != nil {
		return nil, err
	}
	in.Content.Body, in.Wire = nil, nil // they end with this call
	out := &transport.Acceptance{ID: a.MessageID, Receipt: a.Receipt}
	s.mu.Lock()
	if first, ok := s.accepted[a.Key]; ok && a.Refused == "" {
		in.duplicate, out.Duplicate, out.Receipt = true, true, first
	} else if a.Refused == "" {
		s.accepted[a.Key] = a.Receipt
	}
	p := s.partners[a.Partner]
	s.mu.Unlock()
	if p == nil {
		return out, nil
	}
	if r := out.Receipt; r != nil && r.Async {
		// On a connection of its own, after the answer to this one.
		s.working.Add(1)
		time.AfterFunc(50*time.Millisecond, func() {
			defer s.working.Done()
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := p.sender.SendReceipt(ctx, a.Partner, r); err != nil {
				s.t.Errorf("%s: our receipt cannot be posted: %v", a.Partner, err)
			}
		})
	}
	p.arrivals <- in
	return out, nil
}

func readBody(b transport.Body) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	r, err := b.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// arrival waits for the next thing that comes from a partner.
func (s *station) arrival(ctx context.Context, id string) (arrived, error) {
	select {
	case a := <-s.partner(id).arrivals:
		return a, nil
	case <-ctx.Done():
		return arrived{}, fmt.Errorf("nothing came from %s: %w", id, context.Cause(ctx))
	}
}

// send carries goods to a partner and waits until it is known what became of
// them: a receipt that comes later is waited for.
func (s *station) send(ctx context.Context, id string, g goods) (*transport.Outcome, error) {
	p := s.partner(id)
	prepared, err := p.sender.Prepare(ctx, &transport.Delivery{
		ID: rand.Text(), Partner: id, Subject: "interoperability", CreatedAt: time.Now(),
		Content: transport.Part{Filename: g.filename, ContentType: g.contentType, Body: transport.Bytes(g.bytes)},
	})
	if err != nil {
		return nil, err
	}
	w := waiting{prepared, make(chan *transport.Outcome, 1)}
	s.mu.Lock()
	s.open[prepared.MessageID] = w
	s.mu.Unlock()
	outcome, err := p.sender.Send(ctx, id, prepared)
	if err != nil || !outcome.Pending {
		return outcome, err
	}
	select {
	case outcome = <-w.outcome:
		return outcome, nil
	case <-ctx.Done():
		return outcome, errors.New("the receipt that was to come later did not come")
	}
}

// same compares two contents without printing a megabyte.
func same(got, want []byte) error {
	if bytes.Equal(got, want) {
		return nil
	}
	if bytes.Equal(got, bytes.ReplaceAll(want, []byte("\n"), []byte("\r\n"))) {
		return errors.New(crlf)
	}
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	return fmt.Errorf("%d bytes arrived of %d, and differ from byte %d: %q, want %q", len(got), len(want), at, cut(got, at), cut(want, at))
}

func cut(b []byte, at int) []byte { return b[min(at, len(b)):min(at+20, len(b))] }
