package gateway_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tradepost/certs"
	"tradepost/internal/config"
	"tradepost/internal/gateway"
	"tradepost/internal/store/sqlstore"
	"tradepost/partners"
	"tradepost/tracking"
)

// start runs the station until the test ends, with a configuration that it can
// read again; its log goes to the lines given.
func (h *house) start(lines ...io.Writer) *gateway.Gateway {
	h.t.Helper()
	o := options()
	o.Now = h.clock.now
	if len(lines) > 0 {
		o.Log = slog.New(slog.NewTextHandler(lines[0], nil))
	}
	o.Reload = func() (*config.Config, error) {
		return config.Load(filepath.Join(h.dir, "tradepost.yaml"), config.Overrides{NoFiles: true})
	}
	g, err := gateway.New(h.t.Context(), h.config(), o)
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- errors.Join(g.Run(ctx), g.Close()) }()
	h.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Errorf("the %s's station: %v", h.name, err)
		}
	})
	return g
}

// edit changes the configuration of the house.
func (h *house) edit(change func(c *config.Config) ([]byte, error)) {
	h.t.Helper()
	c := h.config()
	text, err := change(c)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := c.Write(text); err != nil {
		h.t.Fatal(err)
	}
}

// pair makes a key with its certificate for the house.
func (h *house) pair(from, to time.Time) *certs.Pair {
	h.t.Helper()
	p, err := certs.Generate(certs.Request{CommonName: strings.ToUpper(h.name), NotBefore: from, Validity: to.Sub(from)}, rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// follow gives the house its next pair, to sign with from a moment on.
func (h *house) follow(p *certs.Pair, from time.Time) {
	h.t.Helper()
	if err := certs.WriteKeyFile(filepath.Join(h.dir, "keys", "next.key"), p, nil, rand.Reader); err != nil {
		h.t.Fatal(err)
	}
	h.file("keys/next.crt", string(certs.EncodeCertificate(p.Certificate)))
	h.edit(func(c *config.Config) ([]byte, error) {
		return c.AddKey(partners.KeyFile{
			Certificate: filepath.Join(h.dir, "keys/next.crt"), Key: filepath.Join(h.dir, "keys/next.key"), Use: partners.Use{GoLive: from},
		})
	})
}

// take gives the house the next certificate of its partner, to encrypt to from
// a moment on.
func (h *house) take(peer *house, p *certs.Pair, from time.Time) {
	h.t.Helper()
	h.file("keys/peer-next.crt", string(certs.EncodeCertificate(p.Certificate)))
	h.edit(func(c *config.Config) ([]byte, error) {
		return c.AddCertificate(peer.name, partners.CertificateFile{File: filepath.Join(h.dir, "keys/peer-next.crt"), Use: partners.Use{GoLive: from}})
	})
}

func (h *house) open() *sqlstore.Store {
	h.t.Helper()
	s, err := gateway.OpenStore(h.t.Context(), h.config(), time.Now)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestRolloverUnderLoad changes the certificates of both sides while they
// trade. Nobody makes an appointment: each side gets the other's next
// certificate some time before, the four switches (who signs, to whom is
// encrypted, on either side) happen at different moments, and then the old
// certificates end. Not one transmission may fail, be refused, or be tried
// twice.
//
// The certificates live for seconds of the real clock, so it needs a machine
// that nothing else slows down: `make soak` runs it.
func TestRolloverUnderLoad(t *testing.T) {
	if os.Getenv("TRADEPOST_SOAK") == "" {
		t.Skip("TRADEPOST_SOAK is not set: `make soak` rolls certificates over under load")
	}
	buyer, supplier := newHouses(t)
	begin := time.Now().Truncate(time.Second).Add(time.Second)
	at := func(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }
	end := at(6) // of the old certificates
	old, next := map[*house]*certs.Pair{}, map[*house]*certs.Pair{}
	for _, h := range []*house{buyer, supplier} {
		old[h], next[h] = h.pair(begin.Add(-time.Hour), end), h.pair(begin.Add(-time.Hour), end.Add(time.Hour))
	}
	for h, peer := range map[*house]*house{buyer: supplier, supplier: buyer} {
		for _, name := range []string{"own.key", "own.crt", "peer.crt"} {
			if err := os.Remove(filepath.Join(h.dir, "keys", name)); err != nil {
				t.Fatal(err)
			}
		}
		in, out := "856", "850"
		if h == supplier {
			in, out = out, in
		}
		h.write(old[h], peer, old[peer], in, out)
		h.edit(func(c *config.Config) ([]byte, error) { // the shortest there is
			text, err := os.ReadFile(c.File)
			return []byte(strings.Replace(string(text), "\nlisten:", "\nmonitor: {every: 1s}\nlisten:", 1)), err
		})
	}
	running := map[*house]*gateway.Gateway{buyer: buyer.start(), supplier: supplier.start()}

	orders := 0
	drop := func(until time.Time) {
		for ; time.Now().Before(until); time.Sleep(40 * time.Millisecond) {
			orders++
			buyer.drop(fmt.Sprintf("order-%d.edi", orders), order(fmt.Sprint(4500000000+orders)))
		}
	}
	drop(begin)
	// Each side makes its next pair and hands the certificate over. The buyer is
	// told to look, the supplier looks by itself.
	supplier.follow(next[supplier], at(3))
	buyer.follow(next[buyer], at(5))
	buyer.take(supplier, next[supplier], at(4))
	supplier.take(buyer, next[buyer], at(2))
	if err := running[buyer].Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	drop(end.Add(500 * time.Millisecond))
	for orders < 50 { // on a slow machine
		drop(time.Now().Add(time.Millisecond))
	}

	stores := map[*house]*sqlstore.Store{buyer: buyer.open(), supplier: supplier.open()}
	settled := func() (n int) {
		page, err := stores[buyer].Documents(t.Context(), tracking.DocumentQuery{Direction: tracking.Outbound, Type: "850", Acks: []tracking.AckState{tracking.AckAccepted}, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		return len(page.Documents)
	}
	for deadline := time.Now().Add(2 * time.Minute); settled() < orders && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
	if n := settled(); n != orders {
		t.Fatalf("%d of %d orders were acknowledged", n, orders)
	}
	for h, s := range stores {
		page, err := s.Transmissions(t.Context(), tracking.TransmissionQuery{Connector: "as2", Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Transmissions {
			good := m.State == tracking.TransmissionDelivered || m.State == tracking.TransmissionProcessed
			if !good || m.Attempts > 1 {
				t.Errorf("the %s's transmission %s is %s after %d tries: %s", h.name, m.ID, m.State, m.Attempts, m.Error)
			}
		}
		if len(page.Transmissions) < 2*orders {
			t.Errorf("the %s has %d transmissions for %d orders", h.name, len(page.Transmissions), orders)
		}
	}
	checkUses(t, stores[buyer], supplier, old[buyer], next[buyer], old[supplier], next[supplier], map[string]time.Time{
		"ours sign": at(5), "theirs sign": at(3), "theirs encrypt": at(4), "ours encrypt": at(2),
	})
	checkUses(t, stores[supplier], buyer, old[supplier], next[supplier], old[buyer], next[buyer], map[string]time.Time{
		"ours sign": at(3), "theirs sign": at(5), "theirs encrypt": at(2), "ours encrypt": at(4),
	})
	t.Logf("%d orders, each with its acknowledgement, over four switches", orders)
}

// checkUses holds the evidence of one side against the moments of the
// switches: the old certificate before, the new one after. A transmission is
// made a moment before it is recorded, and an acknowledgement may wait.
func checkUses(t *testing.T, s *sqlstore.Store, peer *house, ourOld, ourNext, theirOld, theirNext *certs.Pair, switches map[string]time.Time) {
	t.Helper()
	uses, err := s.CertificateUses(t.Context(), tracking.CertificateUseQuery{Partners: []string{peer.name}, Newest: 5000})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]tracking.CertificateUse{}
	for _, u := range uses {
		side := "theirs "
		if u.Ours {
			side = "ours "
		}
		sha, err := certs.ParseFingerprint(u.Certificate.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		seen[side+u.Purpose+" "+sha] = u
	}
	if len(seen) != 8 {
		t.Errorf("with %s: %d kinds of use, want 8 (two sides, two purposes, old and new)", peer.name, len(seen))
	}
	const slack = 1500 * time.Millisecond
	for role, at := range switches {
		before, after := ourOld, ourNext
		if strings.HasPrefix(role, "theirs") {
			before, after = theirOld, theirNext
		}
		was, is := seen[role+" "+certs.Fingerprint(before.Certificate)], seen[role+" "+certs.Fingerprint(after.Certificate)]
		if was.Count == 0 || was.LastAt.After(at.Add(slack)) {
			t.Errorf("with %s, %s: the old certificate was used %d times, last %v after the switch", peer.name, role, was.Count, was.LastAt.Sub(at))
		}
		if is.Count == 0 || is.FirstAt.Before(at.Add(-time.Millisecond)) {
			t.Errorf("with %s, %s: the new certificate was used %d times, first %v after the switch", peer.name, role, is.Count, is.FirstAt.Sub(at))
		}
	}
}

// TestReloadKeepsWhatWorks breaks what a running station is to take up.
func TestReloadKeepsWhatWorks(t *testing.T) {
	t.Parallel()
	buyer, supplier := newHouses(t)
	g := buyer.start()
	supplier.start()
	good, err := os.ReadFile(filepath.Join(buyer.dir, "tradepost.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"no YAML":             {"station: [", "this is not YAML"},
		"a key that is gone":  {strings.Replace(string(good), "keys/own.key", "keys/gone.key", 1), "keys/gone.key cannot be read"},
		"not a certificate":   {strings.Replace(string(good), "keys/peer.crt", "keys/own.key", 1), "holds no certificate"},
		"nothing of the kind": {"", "is empty"},
	} {
		buyer.file("tradepost.yaml", c.text)
		if err := g.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	buyer.file("tradepost.yaml", string(good))
	if err := g.Reload(t.Context()); err != nil {
		t.Error(err)
	}
	buyer.drop("order.edi", order("4500099001"))
	buyer.await(tracking.DocumentQuery{Direction: tracking.Outbound, Type: "850"}, accepted)
}

// lines is a log that can be read while it is written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestReloadSaysWhatWaits changes more than keys and certificates.
func TestReloadSaysWhatWaits(t *testing.T) {
	t.Parallel()
	buyer, _ := newHouses(t)
	var log lines
	g := buyer.start(&log)
	buyer.edit(func(c *config.Config) ([]byte, error) {
		text, err := os.ReadFile(c.File)
		changed := strings.NewReplacer("acknowledge_within: 1h", "acknowledge_within: 2h", "timeout: 5s", "timeout: 6s", "\nlisten:", "\nlimits: {workers: 2}\nlisten:").Replace(string(text))
		return []byte(changed), err
	})
	if err := g.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), `sections="limits, partnerships, connections"`) {
		t.Errorf("the log does not say what waits for the next start:\n%s", log.String())
	}
}

// TestReloadRenewsTLS puts another certificate under the listener.
func TestReloadRenewsTLS(t *testing.T) {
	t.Parallel()
	buyer, _ := newHouses(t)
	write := func(p *certs.Pair) {
		key, err := certs.EncodeKey(p.Key)
		if err != nil {
			t.Fatal(err)
		}
		buyer.file("keys/tls.key", string(key))
		buyer.file("keys/tls.crt", string(certs.EncodeCertificate(p.Certificate)))
	}
	first, second := buyer.pair(time.Now().Add(-time.Hour), time.Now().Add(time.Hour)), buyer.pair(time.Now().Add(-time.Hour), time.Now().Add(2*time.Hour))
	write(first)
	buyer.edit(func(c *config.Config) ([]byte, error) {
		text, err := os.ReadFile(c.File)
		return []byte(strings.Replace(string(text), "listen: {", "monitor: {every: 1s}\nlisten: {tls: {certificate: keys/tls.crt, key: keys/tls.key}, ", 1)), err
	})
	g := buyer.start()
	served := func() string {
		conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", buyer.as2) //nolint:gosec // which one it is, is what is asked
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		return certs.Fingerprint(conn.(*tls.Conn).ConnectionState().PeerCertificates[0])
	}
	if served() != certs.Fingerprint(first.Certificate) {
		t.Error("the listener shows another certificate than the configured one")
	}
	buyer.follows(func(e tracking.Event) bool {
		return e.Kind == tracking.EventCertEnding && strings.Contains(e.Text, "of the AS2 listener ends on")
	})
	write(second)
	if err := g.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if served() != certs.Fingerprint(second.Certificate) {
		t.Error("the listener still shows the old certificate")
	}
}
