package cli

import (
	"context"
	"strings"
	"testing"
	"time"

	"tradepost/certs"
	"tradepost/internal/config"
	"tradepost/processes"
	"tradepost/tracking"
)

// retirement is what `cert retire -o json` prints.
type retirement struct {
	Party, SHA256, Standing, Source string
	At, Ends                        time.Time
	Successors                      map[string]struct{ SHA256 string }
	Without, Unswitched, Open       []string
}

// keep writes a transmission into the station's store.
func (b *bureau) keep(m *tracking.Transmission) {
	b.t.Helper()
	cfg, err := config.Load(b.env["TRADEPOST_CONFIG"], config.Overrides{NoFiles: true})
	if err != nil {
		b.t.Fatal(err)
	}
	s, err := openStore(&Env{Now: func() time.Time { return b.now }})(b.t.Context(), cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	err = s.Update(b.t.Context(), func(ctx context.Context, tx processes.Tx) error { return tx.InsertTransmission(ctx, m) })
	if err != nil {
		b.t.Fatal(err)
	}
}

// TestCertRetireOwn ends the station's present certificate at once, as after a
// theft: not before there is another, and naming who depends on it.
func TestCertRetireOwn(t *testing.T) {
	t.Parallel()
	b := newBureau(t)
	old := b.list("--own")[0].SHA256
	before := string(b.read("station/tradepost.yaml"))
	if r := b.run("cert", "retire", old); r.code != ExitFailed || !strings.Contains(r.stderr, "nothing would take the place") || !strings.Contains(r.stderr, "cert roll --now") {
		t.Errorf("the only one: %d %s", r.code, r.stderr)
	}
	if string(b.read("station/tradepost.yaml")) != before {
		t.Error("the configuration has changed all the same")
	}
	b.sealed()
	b.ok("cert", "roll", "--now")
	delete(b.env, "SEALING_KEY") // who ends a certificate in a hurry need not have it
	mark := strings.ToLower(strings.ReplaceAll(old, ":", ""))
	b.receive("supplier", mark)
	b.keep(&tracking.Transmission{
		ID: tracking.FirstIDAt(b.now) + 2, Direction: tracking.Outbound, State: tracking.TransmissionPrepared, Partner: "supplier", Connector: "as2",
		Evidence: tracking.Evidence{Signer: &tracking.Certificate{SHA256: mark}}, CreatedAt: b.now,
	})
	got := decodeJSON[retirement](t, b.ok("cert", "retire", old[:11], "-o", "json").stdout)
	if got.SHA256 != old || got.Party != "" || !got.At.Equal(b.now.Truncate(time.Second)) || !got.Ends.Equal(got.At) || len(got.Without) != 0 ||
		strings.Join(got.Unswitched, " ") != "supplier" || len(got.Open) != 1 || got.Successors["sign"].SHA256 == "" || got.Successors["encrypt"].SHA256 == old {
		t.Errorf("%+v", got)
	}
	rows := b.list("--own")
	if len(rows) != 2 || rows[1].SHA256 != old || rows[1].Standing != "ended" || rows[0].Standing != "live" {
		t.Errorf("%+v", rows)
	}
	if r := b.run("cert", "retire", old); r.code != ExitFailed || !strings.Contains(r.stderr, "anyway") {
		t.Errorf("once more: %d %s", r.code, r.stderr)
	}
	// With --force the last one goes as well, and the words say what that means.
	r := b.ok("cert", "retire", rows[0].SHA256, "--force", "--own")
	if !strings.Contains(r.stderr, "nothing takes its place") || !strings.Contains(r.stderr, "SIGHUP") || !strings.Contains(r.stdout, rows[0].SHA256) {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}
}

// TestCertRetirePartner ends a partner's certificate, now and on a day.
func TestCertRetirePartner(t *testing.T) {
	t.Parallel()
	b := newBureau(t)
	old := b.list("--partner", "supplier")[0].SHA256
	if r := b.run("cert", "retire", old, "--partner", "supplier"); r.code != ExitFailed || !strings.Contains(r.stderr, "cert import FILE --partner supplier") {
		t.Errorf("the only one: %d %s", r.code, r.stderr)
	}
	next := b.make("next", "SUPPLIER", b.now.Add(-time.Hour))
	b.ok("cert", "import", b.path("next.crt"), "--partner", "supplier")
	day := b.now.AddDate(0, 0, 10).UTC().Format(time.DateOnly)
	got := decodeJSON[retirement](t, b.ok("cert", "retire", old, "--at", day, "-o", "json").stdout)
	if got.Party != "supplier" || got.At.Format(time.DateOnly) != day || got.Successors["encrypt"].SHA256 != certs.Fingerprint(next.Certificate) {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(string(b.read("station/tradepost.yaml")), "retire: "+day) {
		t.Errorf("%s", b.read("station/tradepost.yaml"))
	}
	if r := b.ok("cert", "retire", old); !strings.Contains(r.stderr, "takes its place") { // sooner after all
		t.Errorf("%s", r.stderr)
	}
	if rows := b.list("--partner", "supplier"); rows[1].Standing != "ended" || rows[1].SHA256 != old {
		t.Errorf("%+v", rows)
	}
	for args, want := range map[string]struct {
		code  int
		words string
	}{
		"zz":                           {ExitUsage, "fingerprint"},
		"000000000000":                 {ExitNotFound, "cert list"},
		old + " --partner nobody":      {ExitNotFound, "nobody"},
		old + " --own":                 {ExitNotFound, "no certificate"},
		old + " --own --partner x":     {ExitUsage, "one of the two"},
		old + " --at soon":             {ExitUsage, "write a date"},
		"":                             {ExitUsage, "FINGERPRINT"},
		old + " -o xml":                {ExitUsage, "xml"},
		old + " --config /does/not/be": {ExitConfig, "/does/not/be"},
	} {
		if r := b.run(append([]string{"cert", "retire"}, strings.Fields(args)...)...); r.code != want.code || !strings.Contains(r.stderr, want.words) {
			t.Errorf("%s: %d %s", args, r.code, r.stderr)
		}
	}
}

// TestCertRetireTakenOver ends a certificate that came by an exchange, which
// stands in the store and in no file.
func TestCertRetireTakenOver(t *testing.T) {
	t.Parallel()
	b := newBureau(t)
	pair := b.make("offered", "SUPPLIER", b.now.Add(-time.Hour))
	cfg, err := config.Load(b.env["TRADEPOST_CONFIG"], config.Overrides{NoFiles: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := openStore(&Env{Now: func() time.Time { return b.now }})(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	id := tracking.FirstIDAt(b.now) + 3
	err = s.Update(t.Context(), func(ctx context.Context, tx processes.Tx) error {
		return tx.InsertCertificateOffer(ctx, &tracking.CertificateOffer{
			ID: id, Direction: tracking.Inbound, Partner: "supplier", State: tracking.OfferAccepted, RequestID: "1",
			Certificate: tracking.Certificate{SHA256: certs.Fingerprint(pair.Certificate), NotAfter: pair.Certificate.NotAfter},
			PEM:         string(certs.EncodeCertificate(pair.Certificate)), GoLive: b.now, OfferedAt: b.now, DecidedAt: b.now,
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	mark := certs.Fingerprint(pair.Certificate)
	if r := b.run("cert", "retire", mark, "--at", "2029-01-01"); r.code != ExitFailed {
		t.Errorf("later: %d %s", r.code, r.stderr)
	}
	before := string(b.read("station/tradepost.yaml"))
	got := decodeJSON[retirement](t, b.ok("cert", "retire", mark, "-o", "json").stdout)
	if got.Source != "offer "+id.String() || got.Party != "supplier" {
		t.Errorf("%+v", got)
	}
	if rows := b.list("--partner", "supplier"); len(rows) != 1 || rows[0].SHA256 == mark {
		t.Errorf("%+v", rows)
	}
	if string(b.read("station/tradepost.yaml")) != before {
		t.Error("the configuration has changed")
	}
}
