package steps_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tradepost/internal/store/sqlite"
	"tradepost/internal/store/sqlstore"
	"tradepost/partners"
	"tradepost/processes"
	"tradepost/processes/steps"
	"tradepost/tracking"
	"tradepost/tracking/archive"
	"tradepost/transport"
)

// road is two stations in one process, joined by a wire without AS2: what one
// sends, the other's door accepts. Engine, steps and store are the real ones.
type road struct {
	t               *testing.T
	buyer, supplier *station
}

type station struct {
	t       *testing.T
	name    string
	store   *sqlstore.Store
	archive *archive.Archive
	intake  *processes.Intake
	peer    *station
	config  steps.Config
	house   []string // what the back office got
	mu      sync.Mutex
	refuse  *transport.Outcome // what the wire answers instead of delivering
}

// Sender implements processes.Senders: "house" is the back office, everything
// else the wire to the other station.
func (s *station) Sender(connection string) (transport.Sender, error) {
	if connection == "house" {
		return backOffice{s}, nil
	}
	return wire{s}, nil
}

func (s *station) ReceiptSender(connection string) (transport.ReceiptSender, error) {
	return nil, fmt.Errorf("%s owes no receipts on %s", s.name, connection)
}

type backOffice struct{ *station }

func (b backOffice) Prepare(_ context.Context, d *transport.Delivery) (*transport.Prepared, error) {
	return &transport.Prepared{MessageID: d.ID, Content: d.Content}, nil
}

func (b backOffice) Send(_ context.Context, _ string, p *transport.Prepared) (*transport.Outcome, error) {
	content, err := readAll(p.Content.Body)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.house = append(b.house, content)
	return &transport.Outcome{Delivered: true}, nil
}

type wire struct{ *station }

func (w wire) Prepare(_ context.Context, d *transport.Delivery) (*transport.Prepared, error) {
	return &transport.Prepared{MessageID: "<" + d.ID + "@" + w.name + ">", Content: d.Content, Wire: d.Content.Body, WantReceipt: true}, nil
}

func (w wire) Send(ctx context.Context, _ string, p *transport.Prepared) (*transport.Outcome, error) {
	if w.refuse != nil {
		return w.refuse, nil
	}
	content, err := readAll(p.Wire)
	if err != nil {
		return nil, err
	}
	receipt := &transport.Receipt{Disposition: "processed", Positive: true, Signed: true, MICMatches: true, Body: []byte("receipt for " + p.MessageID)}
	_, err = w.peer.intake.Accept(ctx, &transport.Arrival{
		Connection: "wire", Connector: "wire", Partner: w.name, Key: "wire:" + p.MessageID, MessageID: p.MessageID,
		Content: transport.Part{Filename: p.Content.Filename, Body: transport.Bytes(content)}, Receipt: receipt,
	})
	return &transport.Outcome{Delivered: err == nil, Receipt: receipt}, err
}

func readAll(b transport.Body) (string, error) {
	r, err := b.Open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	return string(content), err
}

type observer struct{ t *testing.T }

func (o observer) StepDone(r *processes.Run, step string, _ time.Duration, err error) {
	if err != nil {
		o.t.Logf("%s of %s: %v", step, r.Process, err)
	}
}
func (o observer) Trouble(doing string, err error) { o.t.Logf("%s: %v", doing, err) }

const partnerGuide = `guide supplier/850 "What the supplier expects"
based-on x12/004010/850
at detail/PO1/PO1
  3 codes EA CA
`

// newRoad makes two stations; with changes what the supplier agreed.
func newRoad(t *testing.T, with ...func(*partners.Partnership)) *road {
	t.Helper()
	guide := filepath.Join(t.TempDir(), "supplier-850.guide")
	if err := os.WriteFile(guide, []byte(partnerGuide), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &road{t: t}
	r.buyer = newStation(t, "buyer", "supplier", partners.Partnership{
		Inbound: []partners.DocumentRule{{Type: "856", Deliver: "house"}}, Outbound: []partners.DocumentRule{{Type: "850"}, {Type: "ORDERS"}},
	})
	agreement := partners.Partnership{
		Inbound: []partners.DocumentRule{{Type: "850", Guide: guide, Deliver: "house"}, {Type: "ORDERS", Deliver: "house"}}, Outbound: []partners.DocumentRule{{Type: "856"}},
	}
	for _, change := range with {
		change(&agreement)
	}
	r.supplier = newStation(t, "supplier", "buyer", agreement)
	r.buyer.peer, r.supplier.peer = r.supplier, r.buyer
	return r
}

func newStation(t *testing.T, name, peer string, agreement partners.Partnership) *station {
	t.Helper()
	agreement.Partner, agreement.Connection, agreement.Acknowledge, agreement.AckWithin, agreement.Test = peer, "wire", "997", time.Hour, true
	agreement.Profile, agreement.AS2.Receipt = cmp.Or(agreement.Profile, "tolerant"), "none"
	id := func(n string) []partners.Identifier {
		return []partners.Identifier{{Qualifier: "ZZ", ID: strings.ToUpper(n)}}
	}
	d, err := partners.NewDirectory(
		partners.Station{Name: name, Identifiers: id(name)},
		[]partners.Partner{{Name: peer, Identifiers: id(peer)}},
		[]partners.Partnership{agreement},
		[]partners.Connection{{Name: "wire", Connector: "wire", Partner: peer}, {Name: "house", Connector: "house"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	s := &station{t: t, name: name}
	if s.archive, err = archive.Open(t.TempDir(), time.Now()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.archive.Close() })
	s.store, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), name+".db"), sqlite.Options{Poll: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	s.intake = processes.NewIntake(processes.IntakeConfig{
		Store: s.store, Archive: s.archive, IDs: s.store.IDs(), Now: time.Now, Station: name,
		ProcessFor: func(connection, _ string) string {
			if connection == "house" {
				return "outbound"
			}
			return "inbound"
		},
	})
	s.run(t, d)
	return s
}

// run works the station's queue until the test ends.
func (s *station) run(t *testing.T, d *partners.Directory) {
	t.Helper()
	guides, err := steps.LoadGuides(d, "")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := steps.LoadMaps(d, guides)
	if err != nil {
		t.Fatal(err)
	}
	carrier := processes.CarrierConfig{
		Store: s.store, Archive: s.archive, IDs: s.store.IDs(), Now: time.Now, Station: s.name, Senders: s,
		Connector: func(connection string) string { return connection },
	}
	s.config = steps.Config{Store: s.store, Archive: s.archive, Directory: d, Guides: guides, Maps: maps, IDs: s.store.IDs(), Now: time.Now}
	table, err := processes.NewSteps(append(steps.All(s.config), processes.NewPrepare(carrier), processes.NewSend(carrier), processes.NewChase(carrier), processes.NewReturnReceipt(carrier))...)
	if err != nil {
		t.Fatal(err)
	}
	defs, err := processes.BuiltinDefinitions()
	if err != nil {
		t.Fatal(err)
	}
	engine, err := processes.NewEngine(processes.EngineConfig{
		Store: s.store, Steps: table, Definitions: defs, IDs: s.store.IDs(), Now: time.Now, Owner: s.name, Poll: 20 * time.Millisecond,
		Retry: processes.RetryPolicy{First: 10 * time.Millisecond, Max: 50 * time.Millisecond, GiveUp: time.Minute}, Observe: observer{t},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- engine.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.store.Close(); err != nil {
			t.Error(err)
		}
	})
}

// handOut gives a document to the station's own back-office connection.
func (s *station) handOut(name, content string) {
	s.t.Helper()
	_, err := s.intake.Accept(s.t.Context(), &transport.Arrival{
		Connection: "house", Connector: "house", Key: "house:" + name, Content: transport.Part{Filename: name, Body: transport.Bytes(content)},
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// arrive gives the station a transmission from its partner.
func (s *station) arrive(key, content string) string {
	s.t.Helper()
	a, err := s.intake.Accept(s.t.Context(), &transport.Arrival{
		Connection: "wire", Connector: "wire", Partner: s.peer.name, Key: key, Content: transport.Part{Body: transport.Bytes(content)},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return a.ID
}

// await waits until the single document a query selects satisfies a condition.
func (s *station) await(q tracking.DocumentQuery, what string, is func(*tracking.DocumentView) bool) *tracking.DocumentView {
	s.t.Helper()
	var last *tracking.DocumentView
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		page, err := s.store.Documents(s.t.Context(), q)
		if err != nil {
			s.t.Fatal(err)
		}
		if len(page.Documents) == 0 {
			continue
		}
		last, err = s.store.DocumentView(s.t.Context(), page.Documents[0].ID)
		if err != nil {
			s.t.Fatal(err)
		}
		if is(last) {
			return last
		}
	}
	s.t.Fatalf("the %s's document does not become %s: %+v", s.name, what, last)
	return nil
}

// quiet waits until the station's queue is empty.
func (s *station) quiet() {
	s.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		lanes, err := s.store.Lanes(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		waiting := 0
		for _, l := range lanes {
			waiting += l.Waiting
		}
		if waiting == 0 {
			return
		}
	}
	s.t.Fatalf("the %s's queue does not become empty", s.name)
}
