package certificates_test

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tradepost/certs"
	"tradepost/internal/store/sqlite"
	"tradepost/internal/store/sqlstore"
	"tradepost/processes/certificates"
	"tradepost/tracking"
)

var day0 = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

func day(n int) time.Time { return day0.AddDate(0, 0, n) }

// entry is a certificate valid from and to a day.
func entry(name string, from, to int) certs.Entry {
	return certs.Entry{Certificate: &x509.Certificate{
		Raw: []byte(name), Subject: pkix.Name{CommonName: name}, NotBefore: day(from), NotAfter: day(to),
	}}
}

func openStore(t *testing.T) *sqlstore.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestWatchSaysItOnce walks through the life of a few certificates and looks
// twice a day.
func TestWatchSaysItOnce(t *testing.T) {
	t.Parallel()
	store := openStore(t)
	next := entry("NEXT", 0, 1000)
	next.GoLive = day(40)
	sets := map[string]certs.Set{
		"":         {entry("OWN", -300, 65), next}, // taken over from: no warning, one switch
		"supplier": {entry("SUPPLIER", -300, 61)},  // nothing follows: every threshold
		"carrier":  {entry("CARRIER", -300, 900)},
	}
	var logged []string
	now := day(0)
	w := &certificates.Watch{
		Store: store, IDs: store.IDs(), Now: func() time.Time { return now },
		Sets: func() map[string]certs.Set { return sets }, Thresholds: certs.DefaultThresholds(),
		Notice: func(e tracking.Event) { logged = append(logged, e.Text) },
	}
	for half := range 2 * 70 {
		now = day0.Add(time.Duration(half) * 12 * time.Hour)
		if err := w.Look(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	events, err := store.Events(context.Background(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if len(logged) != len(events) {
		t.Errorf("%d were logged, %d recorded", len(logged), len(events))
	}
	want := []struct {
		day     int
		kind    tracking.EventKind
		partner string
		text    string
	}{
		{1, tracking.EventCertEnding, "supplier", "in 60 days"},
		{31, tracking.EventCertEnding, "supplier", "in 30 days"},
		{40, tracking.EventCertLive, "", `we sign with "CN=NEXT"`},
		{47, tracking.EventCertEnding, "supplier", "in 14 days"},
		{54, tracking.EventCertEnding, "supplier", "in 7 days"},
		{60, tracking.EventCertEnding, "supplier", "in 1 day,"},
		{61, tracking.EventCertEnding, "supplier", "ended on 2027-01-21"},
	}
	if len(events) != len(want) {
		for _, e := range events {
			t.Logf("%s %s %s", e.At, e.Kind, e.Text)
		}
		t.Fatalf("%d events, want %d", len(events), len(want))
	}
	for i, e := range events {
		w := want[i]
		if !e.At.Equal(day(w.day)) || e.Kind != w.kind || e.Partner != w.partner || !strings.Contains(e.Text, w.text) {
			t.Errorf("event %d: %s %s %q: %s; want day %d and %q", i, e.At, e.Kind, e.Partner, e.Text, w.day, w.text)
		}
	}
}

// TestWatchAfterARest says only what is true now, not every threshold that
// went by.
func TestWatchAfterARest(t *testing.T) {
	t.Parallel()
	store := openStore(t)
	sets := map[string]certs.Set{"supplier": {entry("SUPPLIER", -300, 10)}}
	w := &certificates.Watch{
		Store: store, IDs: store.IDs(), Now: func() time.Time { return day(0) },
		Sets: func() map[string]certs.Set { return sets }, Thresholds: certs.DefaultThresholds(),
	}
	for range 3 {
		if err := w.Look(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	w.Thresholds = nil
	sets["carrier"] = certs.Set{entry("CARRIER", -300, 1)}
	if err := w.Look(context.Background()); err != nil {
		t.Fatal(err)
	}
	events, err := store.Events(context.Background(), 0, 1000)
	if err != nil || len(events) != 1 || !strings.Contains(events[0].Text, "in 10 days") || !strings.Contains(events[0].Text, "cert import FILE --partner supplier") {
		t.Errorf("%v: %+v", err, events)
	}
}

// TestWatchTLS tells of certificates of TLS, which nothing takes over from: one
// of the AS2 pairs that lasts longer does not, nor does another of TLS.
func TestWatchTLS(t *testing.T) {
	t.Parallel()
	store := openStore(t)
	now := day(0)
	var logged []string
	w := &certificates.Watch{
		Store: store, IDs: store.IDs(), Now: func() time.Time { return now }, Thresholds: []int{30, 7},
		Sets: func() map[string]certs.Set { return map[string]certs.Set{"": {entry("OWN", -300, 900)}} },
		TLS: func() []certificates.TLSCertificate {
			return []certificates.TLSCertificate{
				{Where: "the AS2 listener", Certificate: entry("LISTENER", -300, 20).Certificate},
				{Where: "connection supplier-as2", Certificate: entry("CLIENT", -300, 500).Certificate},
			}
		},
		Notice: func(e tracking.Event) { logged = append(logged, e.Text) },
	}
	for _, at := range []int{0, 1, 14, 21} {
		now = day(at)
		if err := w.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		`the TLS certificate "CN=LISTENER" of the AS2 listener ends on 2026-12-11 09:00 UTC, in 20 days: renew it with whoever issued it`,
		`the TLS certificate "CN=LISTENER" of the AS2 listener ends on 2026-12-11 09:00 UTC, in 6 days: renew it with whoever issued it`,
		`the TLS certificate "CN=LISTENER" of the AS2 listener ended on 2026-12-11 09:00 UTC: renew it with whoever issued it`,
	}
	if strings.Join(logged, "\n") != strings.Join(want, "\n") {
		t.Errorf("it said:\n%s\nwant:\n%s", strings.Join(logged, "\n"), strings.Join(want, "\n"))
	}
}

// TestWatchTellsOfRetirement once, from the day on, and not of what has ended
// anyway.
func TestWatchTellsOfRetirement(t *testing.T) {
	t.Parallel()
	store := openStore(t)
	now := day(0)
	own, theirs, over := entry("OWN", -300, 900), entry("SUPPLIER", -300, 900), entry("OVER", -300, -10)
	own.Retire, theirs.Retire, over.Retire = day(2), day(1), day(-20)
	w := &certificates.Watch{
		Store: store, IDs: store.IDs(), Now: func() time.Time { return now },
		Sets: func() map[string]certs.Set {
			return map[string]certs.Set{"": {own, entry("NEXT", 0, 900)}, "supplier": {theirs}, "carrier": {over}}
		},
	}
	for half := range 8 {
		now = day0.Add(time.Duration(half) * 12 * time.Hour)
		if err := w.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	events, err := store.Events(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		if e.Kind == tracking.EventCertRetired {
			got = append(got, e.At.Format(time.DateOnly)+" "+e.Partner+": "+e.Text)
		}
	}
	if len(got) != 2 || !strings.HasPrefix(got[0], "2026-11-22 supplier: \"CN=SUPPLIER\"") || !strings.Contains(got[0], "its signatures are refused") ||
		!strings.HasPrefix(got[1], "2026-11-23 : \"CN=OWN\"") || !strings.Contains(got[1], "we sign nothing with it") {
		t.Errorf("told %q", got)
	}
}

// TestRetireNamesWhatDependsOnIt tells what is left, who has not switched, and
// what is on its way.
func TestRetireNamesWhatDependsOnIt(t *testing.T) {
	t.Parallel()
	old, next := entry("OLD", -300, 900), entry("NEXT", -300, 900)
	next.GoLive, next.Purposes = day(3), []certs.Purpose{certs.Encrypt}
	mark := func(e certs.Entry) *tracking.Certificate {
		return &tracking.Certificate{SHA256: certs.Fingerprint(e.Certificate)}
	}
	uses := []tracking.CertificateUse{
		{Partner: "supplier", Purpose: "sign", Certificate: *mark(old), Count: 1, LastAt: day(-1)},
		{Partner: "carrier", Purpose: "sign", Certificate: *mark(old), Count: 1, LastAt: day(-1)},
		{Partner: "supplier", Purpose: "encrypt", Certificate: *mark(old), Count: 1, LastAt: day(-1)},
	}
	open := []tracking.Transmission{
		{ID: 1, Partner: "supplier", Evidence: tracking.Evidence{Recipient: mark(old)}},
		{ID: 2, Partner: "supplier", Evidence: tracking.Evidence{Recipient: mark(next)}},
		{ID: 3, Partner: "carrier", Evidence: tracking.Evidence{Recipient: mark(old)}},
		{ID: 4, Partner: "supplier"},
	}
	for _, c := range []struct {
		at      int
		without string
		next    int
	}{{0, "sign encrypt", 0}, {5, "sign", 1}, {-5, "sign encrypt", 0}} {
		r := certificates.Retire("supplier", certs.Set{old, next}, 0, day(c.at), uses, open, day0)
		var without []string
		for _, p := range r.Without {
			without = append(without, string(p))
		}
		if strings.Join(without, " ") != c.without || len(r.Successors) != c.next || strings.Join(r.Unswitched, " ") != "supplier" || len(r.Open) != 1 || r.Open[0] != 1 {
			t.Errorf("on day %d: %+v", c.at, r)
		}
	}
}
