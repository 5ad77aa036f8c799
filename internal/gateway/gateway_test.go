package gateway_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tradepost/certs"
	"tradepost/internal/config"
	"tradepost/internal/freeport"
	"tradepost/internal/gateway"
	"tradepost/internal/store"
	"tradepost/internal/store/postgrestest"
	"tradepost/tracking"
)

// house is one station of a test, in a folder of its own.
type house struct {
	t        *testing.T
	name     string
	dir      string
	as2      string
	admin    string
	database string // DSN; "" = embedded
	clock    clock
}

// clock is the time of day of a house, which a test can move on.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time           { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(by time.Duration) { c.ahead.Add(int64(by)) }

// newHouses makes two stations that know each other, over real AS2.
func newHouses(t *testing.T, databases ...string) (buyer, supplier *house) {
	t.Helper()
	buyer = &house{t: t, name: "buyer", dir: t.TempDir(), as2: freePort(t), admin: freePort(t)}
	supplier = &house{t: t, name: "supplier", dir: t.TempDir(), as2: freePort(t), admin: freePort(t)}
	if len(databases) == 2 {
		buyer.database, supplier.database = databases[0], databases[1]
	}
	pairs, err := firstPairs()
	if err != nil {
		t.Fatal(err)
	}
	buyer.write(pairs[0], supplier, pairs[1], "856", "850")
	supplier.write(pairs[1], buyer, pairs[0], "850", "856")
	return buyer, supplier
}

// firstPairs are the keys that every buyer and supplier begins with: made once,
// since RSA keys take their time.
var firstPairs = sync.OnceValues(func() (pairs [2]*certs.Pair, err error) {
	for i, name := range []string{"BUYER", "SUPPLIER"} {
		if pairs[i], err = certs.Generate(certs.Request{CommonName: name, NotBefore: time.Now().Add(-time.Hour)}, rand.Reader); err != nil {
			return pairs, err
		}
	}
	return pairs, nil
})

// freePort is the address of a station: the same each time it starts.
func freePort(t *testing.T) string {
	t.Helper()
	p, err := freeport.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Release() })
	return p.Address()
}

// write writes the station's configuration, keys and folders.
func (h *house) write(own *certs.Pair, peer *house, peerPair *certs.Pair, in, out string) {
	h.t.Helper()
	for _, d := range []string{"keys", "in", "out"} {
		if err := os.MkdirAll(filepath.Join(h.dir, d), 0o700); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := certs.WriteKeyFile(filepath.Join(h.dir, "keys", "own.key"), own, nil, rand.Reader); err != nil {
		h.t.Fatal(err)
	}
	h.file("keys/own.crt", string(certs.EncodeCertificate(own.Certificate)))
	h.file("keys/peer.crt", string(certs.EncodeCertificate(peerPair.Certificate)))
	h.file("tradepost.yaml", fmt.Sprintf(`
station: {name: %[1]s, as2_id: %[2]s, identifiers: ["ZZ:%[2]s"], certificate: keys/own.crt, key: keys/own.key}
store: {data: data%[3]s}
listen: {as2: "%[4]s", admin: "%[5]s"}
partners:
  - {name: %[6]s, as2_id: %[7]s, identifiers: ["ZZ:%[7]s"], certificates: [keys/peer.crt]}
partnerships:
  - partner: %[6]s
    connection: wire
    acknowledge: "997"
    acknowledge_within: 1h
    inbound: [{document: "%[8]s", deliver: house}]
    outbound: [{document: "%[9]s"}]
    as2: {sign: sha-256, encrypt: aes-256-cbc, compress: true, receipt: sync, signed_receipt: true, require_signed: true, require_encrypted: true}
connections:
  - {name: wire, connector: as2, partner: %[6]s, url: "http://%[10]s/as2", timeout: 5s}
  - {name: house, connector: directory, pickup: out, deliver: in, settle: 20ms, poll: 50ms}
`, h.name, strings.ToUpper(h.name), h.store(), h.as2, h.admin, peer.name, strings.ToUpper(peer.name), in, out, peer.as2))
}

func (h *house) store() string {
	if h.database == "" {
		return ""
	}
	return fmt.Sprintf(", database: %q", h.database)
}

func (h *house) file(name, content string) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(content), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) config() *config.Config {
	h.t.Helper()
	c, err := config.Load(filepath.Join(h.dir, "tradepost.yaml"), config.Overrides{})
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func options() gateway.Options {
	return gateway.Options{Log: slog.New(slog.DiscardHandler), Now: time.Now, Random: rand.Reader, Version: "test"}
}

// serve runs the station until the returned function is called.
func (h *house) serve() (stop func()) {
	h.t.Helper()
	g, err := gateway.New(h.t.Context(), h.config(), options())
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- errors.Join(g.Run(ctx), g.Close()) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				h.t.Errorf("the %s's station: %v", h.name, err)
			}
		case <-time.After(2 * time.Minute):
			h.t.Errorf("the %s's station does not stop", h.name)
		}
	}
	h.t.Cleanup(stop)
	return stop
}

// drop puts a document where the back office hands out.
func (h *house) drop(name, content string) {
	h.t.Helper()
	h.file("out/"+name+".tmp", content)
	if err := os.Rename(filepath.Join(h.dir, "out", name+".tmp"), filepath.Join(h.dir, "out", name)); err != nil {
		h.t.Fatal(err)
	}
}

// got lists what the back office was given.
func (h *house) got() []string {
	h.t.Helper()
	entries, err := os.ReadDir(filepath.Join(h.dir, "in"))
	if err != nil {
		h.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names
}

// await asks the station's store until its newest document of a query is as wanted.
func (h *house) await(q tracking.DocumentQuery, is func(tracking.DocumentRow) bool) tracking.DocumentRow {
	h.t.Helper()
	s, err := gateway.OpenStore(h.t.Context(), h.config(), time.Now)
	if err != nil {
		h.t.Fatal(err)
	}
	defer s.Close()
	var last tracking.DocumentRow
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		page, err := s.Documents(h.t.Context(), q)
		if err != nil {
			h.t.Fatal(err)
		}
		if len(page.Documents) > 0 {
			if last = page.Documents[0]; is(last) {
				return last
			}
		}
	}
	h.t.Fatalf("the %s's document does not come to it: %+v", h.name, last.Document)
	return last
}

func accepted(d tracking.DocumentRow) bool {
	return d.State == tracking.DocumentDelivered && d.Ack == tracking.AckAccepted
}

func order(po string) string {
	return "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SUPPLIER       *261121*0915*U*00401*000000001*0*P*>~\n" +
		"GS*PO*BUYER*SUPPLIER*20261121*0915*1*X*004010~\nST*850*0001~\nBEG*00*SA*" + po + "**20261121~\n" +
		"N1*ST*DC 12*92*0012~\nPO1*1*144*EA*4.95**VN*TRV-100~\nCTT*1~\nSE*6*0001~\nGE*1*1~\nIEA*1*000000001~\n"
}

func TestTwoStationsTradeOverAS2(t *testing.T) {
	t.Parallel()
	for name, databases := range map[string]func(t *testing.T) []string{
		"embedded store": func(*testing.T) []string { return nil },
		"Postgres": func(t *testing.T) []string {
			server := postgrestest.Start(t)
			return []string{server.Address(t), server.Address(t)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			buyer, supplier := newHouses(t, databases(t)...)
			buyer.serve()
			supplier.serve()
			buyer.drop("order.edi", order("4500099001"))
			buyer.await(tracking.DocumentQuery{Direction: tracking.Outbound, Type: "850"}, accepted)
			supplier.await(tracking.DocumentQuery{Direction: tracking.Inbound, KeyName: "PO", KeyValue: "4500099001"}, accepted)
			if files := supplier.got(); len(files) != 1 {
				t.Errorf("the supplier's back office has %v", files)
			}
		})
	}
}

// A partner that is down costs nothing but time, and a station that is stopped
// and started again goes on where it was.
func TestOrderWaitsForAPartnerThatIsDownAndSurvivesARestart(t *testing.T) {
	t.Parallel()
	buyer, supplier := newHouses(t)
	stop := buyer.serve()
	buyer.drop("order.edi", order("4500099002"))
	buyer.await(tracking.DocumentQuery{Direction: tracking.Outbound, Type: "850"}, func(d tracking.DocumentRow) bool {
		return d.State == tracking.DocumentSending
	})
	stop()
	supplier.serve()
	buyer.serve()
	buyer.await(tracking.DocumentQuery{Direction: tracking.Outbound, Type: "850"}, accepted)
	supplier.await(tracking.DocumentQuery{Direction: tracking.Inbound, Type: "850"}, accepted) // its 997 leaves first
	if files := supplier.got(); len(files) != 1 {
		t.Errorf("the supplier's back office has %v", files)
	}
}

func TestPortInUseSaysWhichSettingToChange(t *testing.T) {
	t.Parallel()
	buyer, _ := newHouses(t)
	l, err := net.Listen("tcp", buyer.as2)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = gateway.New(t.Context(), buyer.config(), options())
	if err == nil || !strings.Contains(err.Error(), buyer.as2) || !strings.Contains(err.Error(), "listen.as2") {
		t.Errorf("error %v", err)
	}
}

func TestStoreOfANewerVersionIsLeftAlone(t *testing.T) {
	t.Parallel()
	buyer, _ := newHouses(t)
	c := buyer.config()
	s, err := gateway.OpenStore(t.Context(), c, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	known := s.Info().Schema
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(c.Store.Data, "tradepost.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "insert into schema_version (version, name, checksum, applied_at) values (?, 'of the future', '', 0)", known+1); err != nil {
		t.Fatal(err)
	}
	_, err = gateway.New(t.Context(), c, options())
	var newer *store.NewerVersionError
	if !errors.As(err, &newer) || newer.Have != known+1 {
		t.Errorf("error %v", err)
	}
}

func TestConsoleNeedsSignInAndHealthDoesNot(t *testing.T) {
	t.Parallel()
	buyer, _ := newHouses(t)
	buyer.serve()
	for path, want := range map[string]int{"/livez": 200, "/readyz": 200, "/": 401, "/documents": 401, "/metrics": 401, "/api/v1/documents": 401} {
		resp, err := http.Get("http://" + buyer.admin + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s answers %d, want %d", path, resp.StatusCode, want)
		}
	}
}
