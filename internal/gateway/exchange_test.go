package gateway_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/certs"
	"tradepost/certs/cem"
	"tradepost/internal/config"
	"tradepost/internal/gateway"
	"tradepost/internal/store/sqlstore"
	"tradepost/processes/certificates"
	"tradepost/tracking"
)

// exchanging lets a house take part in exchanges of certificates.
func (h *house) exchanging(profile string) {
	h.t.Helper()
	h.edit(func(c *config.Config) ([]byte, error) {
		text, err := os.ReadFile(c.File)
		changed := strings.NewReplacer(
			"\nlisten: {", fmt.Sprintf("\nmonitor: {every: 1s}\nlisten: {as2_url: %q, ", "http://"+h.as2+"/as2"),
			"certificates: [keys/peer.crt]", "certificates: [keys/peer.crt], certificate_exchange: "+profile,
		).Replace(string(text))
		return []byte(changed), err
	})
}

// exchange is what the commands of a house do, beside its running station.
func (h *house) exchange(s *sqlstore.Store) *certificates.Exchange {
	h.t.Helper()
	c := h.config()
	archive, err := gateway.OpenArchive(c, time.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = archive.Close() })
	ring, err := c.Keyring()
	if err != nil {
		h.t.Fatal(err)
	}
	sets := map[string]certs.Set{"": ring.Own}
	for name, set := range ring.Partners {
		sets[name] = set
	}
	return &certificates.Exchange{
		Store: s, Archive: archive, IDs: s.IDs(), Now: h.clock.now, Directory: c.Directory, ResponseURL: c.Listen.AS2URL,
		Sets: func() map[string]certs.Set { return sets },
	}
}

// offer waits until the newest offer of a store is as wanted.
func (h *house) offer(s *sqlstore.Store, is func(tracking.CertificateOffer) bool) tracking.CertificateOffer {
	h.t.Helper()
	var last []tracking.CertificateOffer
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		list, err := s.CertificateOffers(h.t.Context(), tracking.OfferQuery{})
		if err != nil {
			h.t.Fatal(err)
		}
		if last = list; len(list) > 0 && is(list[0]) {
			return list[0]
		}
	}
	h.t.Fatalf("the %s's offer does not come to it: %+v", h.name, last)
	return tracking.CertificateOffer{}
}

// taken waits until the running station of a house uses a certificate.
func (h *house) taken(o tracking.CertificateOffer) {
	h.t.Helper()
	h.follows(func(e tracking.Event) bool { return e.Kind == tracking.EventCertLive && e.Partner == o.Partner })
}

// follows waits until a station has told something.
func (h *house) follows(is func(tracking.Event) bool) {
	h.t.Helper()
	s := h.open()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		events, err := s.Events(h.t.Context(), 0, 1000)
		if err != nil {
			h.t.Fatal(err)
		}
		if slices.ContainsFunc(events, is) {
			return
		}
	}
	h.t.Fatalf("the %s's station does not tell of it", h.name)
}

func state(want tracking.OfferState) func(tracking.CertificateOffer) bool {
	return func(o tracking.CertificateOffer) bool { return o.State == want }
}

// TestExchangeOfCertificates carries a rollover through without anybody
// sending a file: the buyer offers its next certificate over AS2, the supplier
// accepts it (by its profile, or by hand), and both trade on with it.
func TestExchangeOfCertificates(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{"accept", "ask"} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			buyer, supplier := newHouses(t)
			buyer.exchanging("ask")
			supplier.exchanging(profile)
			next := buyer.pair(time.Now().Add(-time.Hour), time.Now().AddDate(1, 0, 0))
			live := time.Now().Truncate(time.Second).Add(time.Hour)
			buyer.follow(next, live)
			buyer.start()
			supplier.start()
			ours, theirs := buyer.open(), supplier.open()

			x := buyer.exchange(ours)
			entry := certs.Entry{Certificate: next.Certificate, GoLive: live}
			id, err := x.Offer(t.Context(), "supplier", []certs.Entry{entry}, live, "kim")
			if err != nil {
				t.Fatal(err)
			}
			if profile == "ask" {
				o := supplier.offer(theirs, state(tracking.OfferOpen))
				if o.RequestID != id || o.Certificate.SHA256 != certs.Fingerprint(next.Certificate) || o.TransmissionID == 0 {
					t.Errorf("the offer as it arrived: %+v", o)
				}
				if got := buyer.offer(ours, func(tracking.CertificateOffer) bool { return true }); got.State != tracking.OfferOpen {
					t.Errorf("before anybody decided the buyer's offer is %s", got.State)
				}
				decision := certificates.Decision{Offer: o.ID, Accept: true, Actor: "lee"}
				if _, err := supplier.exchange(theirs).Decide(t.Context(), decision); err != nil {
					t.Fatal(err)
				}
			}
			taken := supplier.offer(theirs, state(tracking.OfferAccepted))
			if !taken.GoLive.Equal(live) || taken.Direction != tracking.Inbound {
				t.Errorf("what was accepted: %+v", taken)
			}
			if o := buyer.offer(ours, state(tracking.OfferAccepted)); o.Direction != tracking.Outbound || o.TransmissionID == 0 {
				t.Errorf("the buyer's offer: %+v", o)
			}
			unfinished := func() (open []string) {
				for _, s := range []*sqlstore.Store{ours, theirs} {
					lanes, err := s.Lanes(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					for _, l := range lanes {
						if l.Waiting > 0 {
							open = append(open, fmt.Sprintf("%d jobs wait in %s", l.Waiting, l.Name))
						}
					}
					page, err := s.Transmissions(t.Context(), tracking.TransmissionQuery{Connector: "as2"})
					if err != nil {
						t.Fatal(err)
					}
					for _, m := range page.Transmissions {
						if m.State != tracking.TransmissionDelivered && m.State != tracking.TransmissionProcessed {
							open = append(open, fmt.Sprintf("transmission %s, %q, is %s: %s", m.ID, m.Subject, m.State, m.Error))
						}
					}
				}
				return open
			}
			finish := func() {
				t.Helper()
				for deadline := time.Now().Add(2 * time.Minute); len(unfinished()) > 0 && time.Now().Before(deadline); {
					time.Sleep(20 * time.Millisecond)
				}
				for _, open := range unfinished() {
					t.Error(open)
				}
			}
			finish() // an hour must not pass while something is on its way: leases would end
			// The supplier's station takes it up by itself; then orders are signed
			// with it and 997s are encrypted to it.
			for _, h := range []*house{buyer, supplier} {
				h.clock.advance(time.Hour + time.Minute)
			}
			supplier.taken(taken)
			buyer.drop("order.edi", order("4500099101"))
			buyer.await(tracking.DocumentQuery{Direction: tracking.Outbound, Type: "850"}, accepted)
			uses, err := theirs.CertificateUses(t.Context(), tracking.CertificateUseQuery{Partners: []string{"buyer"}})
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for _, u := range uses {
				if sha, err := certs.ParseFingerprint(u.Certificate.SHA256); err == nil && sha == certs.Fingerprint(next.Certificate) {
					seen[u.Purpose] = true
				}
			}
			if !seen["sign"] || !seen["encrypt"] {
				t.Errorf("the new certificate was not used for everything: %v", seen)
			}
			// A document is accepted one commit before the run that read its 997
			// ends: both stations finish what they hold.
			finish()
			kinds := func() map[tracking.EventKind]int { return merge(t, ours, theirs) }
			for deadline := time.Now().Add(2 * time.Minute); kinds()[tracking.EventCertLive] < 2 && time.Now().Before(deadline); {
				time.Sleep(20 * time.Millisecond) // the monitors look every second
			}
			if k := kinds(); k[tracking.EventCertAccepted] != 2 || k[tracking.EventCertOffered] < 1 || k[tracking.EventUnreadable] != 0 || k[tracking.EventCertLive] != 2 {
				t.Errorf("events %v", k)
			}
		})
	}
}

// merge counts the events of some stores.
func merge(t *testing.T, stores ...*sqlstore.Store) map[tracking.EventKind]int {
	t.Helper()
	kinds := map[tracking.EventKind]int{}
	for _, s := range stores {
		events, err := s.Events(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			kinds[e.Kind]++
		}
	}
	return kinds
}

// post posts a transmission from a partner, signed by whom one likes.
func (h *house) post(from string, signer *certs.Pair, contentType string, body []byte) int {
	h.t.Helper()
	o := as2.Options{MessageID: fmt.Sprintf("<%d@test>", time.Now().UnixNano()), Now: time.Now()}
	rel := as2.Relation{Station: as2.Station{ID: from}, Partner: as2.Partner{ID: strings.ToUpper(h.name)}}
	if signer != nil {
		o.Sign, rel.Station.Keys = as2.SHA256, []as2.Key{{Certificate: signer.Certificate, Private: signer.Key}}
	}
	out, err := as2.Build(context.Background(), rel, as2.Payload{ContentType: contentType, Size: int64(len(body)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(body)), nil
	}}, o)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	r, err := out.Open()
	if err != nil {
		h.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, "http://"+h.as2+"/as2", r)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header = out.Header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// TestExchangeTrustsNobodyByItself sends offers that must not be taken, to a
// station that takes every offer of this partner.
func TestExchangeTrustsNobodyByItself(t *testing.T) {
	t.Parallel()
	buyer, supplier := newHouses(t)
	supplier.exchanging("accept")
	supplier.edit(func(c *config.Config) ([]byte, error) { // the loosest agreement there is
		text, err := os.ReadFile(c.File)
		return []byte(strings.NewReplacer("require_signed: true", "require_signed: false", "require_encrypted: true", "require_encrypted: false").Replace(string(text))), err
	})
	ring, err := buyer.config().Keyring()
	if err != nil {
		t.Fatal(err)
	}
	known := &certs.Pair{Certificate: ring.Own[0].Certificate}
	known.Key = ring.Key(known.Certificate)
	mallory := supplier.pair(time.Now().Add(-time.Hour), time.Now().AddDate(1, 0, 0))
	over := supplier.pair(time.Now().AddDate(-2, 0, 0), time.Now().AddDate(-1, 0, 0))
	request := func(from string, c *certs.Pair, usages ...cem.Usage) *cem.Entity {
		r := &cem.Request{ID: fmt.Sprint(time.Now().UnixNano()), From: from, Originated: time.Now(), Trust: []cem.TrustRequest{{Usages: usages, ResponseURL: "http://127.0.0.1:1/", Certificate: c.Certificate}}}
		e, err := r.Encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	supplier.start()
	store := supplier.open()
	both := []cem.Usage{cem.DigitalSignature, cem.KeyEncipherment}
	for _, c := range []struct {
		name   string
		signer *certs.Pair
		e      *cem.Entity
		state  tracking.OfferState // "" = no offer
		reason string
	}{
		{"unsigned", nil, request("BUYER", mallory, both...), "", "not signed"},
		{"signed by the offered one itself", mallory, request("BUYER", mallory, both...), "", ""},
		{"in another name", known, request("OTHER", mallory, both...), tracking.OfferOpen, ""},
		{"of TLS", known, request("BUYER", mallory, cem.TLSServer), tracking.OfferRefused, "TLS"},
		{"with a weak key", known, request("BUYER", weak(t), both...), tracking.OfferOpen, ""},
		{"that is over", known, request("BUYER", over, both...), tracking.OfferRefused, "ended"},
		{"no exchange at all", known, &cem.Entity{ContentType: cem.MediaType, Body: []byte("<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>")}, "", "document type"},
	} {
		before, err := store.CertificateOffers(t.Context(), tracking.OfferQuery{})
		if err != nil {
			t.Fatal(err)
		}
		supplier.post("BUYER", c.signer, c.e.ContentType, c.e.Body)
		m := supplier.settled(store)
		after, err := store.CertificateOffers(t.Context(), tracking.OfferQuery{})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case c.state == "":
			if len(after) != len(before) || m.State == tracking.TransmissionProcessed || !strings.Contains(m.Error, c.reason) {
				t.Errorf("%s: %d offers, transmission %s: %s", c.name, len(after)-len(before), m.State, m.Error)
			}
		case len(after) != len(before)+1 || after[0].State != c.state || !strings.Contains(after[0].Reason, c.reason):
			t.Errorf("%s: %d offers, the newest %+v", c.name, len(after)-len(before), after[0])
		}
	}
	// None of it may be used.
	body := []byte(order("4500099102"))
	supplier.post("BUYER", mallory, "application/edi-x12", body)
	if m := supplier.settled(store); m.State != tracking.TransmissionRefused {
		t.Errorf("an order signed with a certificate that nobody accepted is %s", m.State)
	}
}

// weak is a pair that a partner of long ago may have.
func weak(t *testing.T) *certs.Pair {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // it is what is tested
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1024), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return &certs.Pair{Certificate: c, Key: key}
}

// settled waits until the newest transmission that came in over AS2 is worked
// off.
func (h *house) settled(s *sqlstore.Store) tracking.Transmission {
	h.t.Helper()
	var last tracking.Transmission
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		page, err := s.Transmissions(h.t.Context(), tracking.TransmissionQuery{Direction: tracking.Inbound, Connector: "as2", Limit: 1})
		if err != nil {
			h.t.Fatal(err)
		}
		if len(page.Transmissions) == 1 {
			if last = page.Transmissions[0]; last.State != tracking.TransmissionReceived {
				return last
			}
		}
	}
	h.t.Fatalf("the transmission is not worked off: %+v", last)
	return last
}

// TestExchangeThatIsRefused offers to a partner that does not know us.
func TestExchangeThatIsRefused(t *testing.T) {
	t.Parallel()
	buyer, supplier := newHouses(t)
	buyer.exchanging("ask")
	stranger := buyer.pair(time.Now().Add(-time.Hour), time.Now().AddDate(1, 0, 0))
	supplier.file("keys/peer.crt", string(certs.EncodeCertificate(stranger.Certificate)))
	buyer.start()
	supplier.start()
	store := buyer.open()
	if _, err := buyer.exchange(store).Offer(t.Context(), "supplier", []certs.Entry{{Certificate: stranger.Certificate}}, time.Time{}, "kim"); err != nil {
		t.Fatal(err)
	}
	failed := func() (text string) {
		events, err := store.Events(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.Kind == tracking.EventDeliveryFailed && e.Partner == "supplier" && e.DocumentID == 0 {
				text = e.Text
			}
		}
		return text
	}
	for deadline := time.Now().Add(2 * time.Minute); failed() == "" && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	page, err := store.Transmissions(t.Context(), tracking.TransmissionQuery{Direction: tracking.Outbound})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Transmissions) != 1 || page.Transmissions[0].State != tracking.TransmissionRefused || failed() == "" {
		t.Errorf("the event says %q; transmissions %+v", failed(), page.Transmissions)
	}
}
