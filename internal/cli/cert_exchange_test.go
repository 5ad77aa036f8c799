package cli

import (
	"context"
	"strings"
	"testing"

	"tradepost/certs"
	"tradepost/internal/config"
	"tradepost/processes"
	"tradepost/tracking"
)

// TestExchangeOnFiles goes request, read, respond, read.
func TestExchangeOnFiles(t *testing.T) {
	t.Parallel()
	b := newBureau(t)
	next := b.make("next", "SUPPLIER NEXT", b.now)
	b.ok("cert", "exchange", "request", "--from", "SUPPLIER", "--certificate", b.path("next.crt"), "--response-url", "http://supplier.example/as2",
		"--respond-by", "2026-05-01", "--id", "exchange-1", "--out", b.path("request.mime"))
	if !strings.HasPrefix(string(b.read("request.mime")), "MIME-Version: 1.0\r\nContent-Type: multipart/related; type=\"application/ediint-cert-exchange+xml\"; boundary=") {
		t.Errorf("%.200s", b.read("request.mime"))
	}
	type message struct {
		Kind, ID, From string
		Certificates   []struct {
			Usages                                         []string
			RespondBy, ResponseURL, Status, Reason, Serial string
			Certificate                                    struct{ SHA256 string }
		}
	}
	m := decodeJSON[message](t, b.ok("cert", "exchange", "read", b.path("request.mime"), "-o", "json", "--certificates", b.path("got.pem")).stdout)
	if m.Kind != "request" || m.ID != "exchange-1" || m.From != "SUPPLIER" || len(m.Certificates) != 1 {
		t.Fatalf("%+v", m)
	}
	c := m.Certificates[0]
	if strings.Join(c.Usages, " ") != "digitalSignature keyEncipherment" || c.RespondBy != "2026-05-01T00:00:00Z" || c.ResponseURL != "http://supplier.example/as2" || c.Certificate.SHA256 != certs.Fingerprint(next.Certificate) {
		t.Errorf("%+v", c)
	}
	if got, err := certs.ParseCertificate(b.read("got.pem")); err != nil || !got.Equal(next.Certificate) {
		t.Errorf("the certificate that was written: %v", err)
	}
	if text := b.ok("cert", "exchange", "read", b.path("request.mime")).stdout; !strings.Contains(text, "offers      CN=SUPPLIER NEXT") || !strings.Contains(text, "SHA-256") {
		t.Errorf("%s", text)
	}
	for name, x := range map[string]struct {
		flags          []string
		status, reason string
	}{"yes": {nil, "accepted", ""}, "no": {[]string{"--refuse", "we do not know you"}, "refused", "we do not know you"}} {
		file := b.path(name + ".mime")
		b.ok(append([]string{"cert", "exchange", "respond", b.path("request.mime"), "--from", "BUYER", "--out", file}, x.flags...)...)
		m := decodeJSON[message](t, b.ok("cert", "exchange", "read", file, "-o", "json").stdout)
		if m.Kind != "response" || m.ID != "exchange-1" || m.Certificates[0].Status != x.status || m.Certificates[0].Reason != x.reason || m.Certificates[0].Serial != next.Certificate.SerialNumber.Text(16) {
			t.Errorf("%s: %+v", name, m)
		}
	}
	b.write("junk", []byte("junk"))
	for args, want := range map[string]struct {
		code int
		says string
	}{
		"request": {ExitUsage, "are needed"},
		"request --from A --certificate DIR/junk --response-url x":                       {ExitFailed, "neither PEM nor DER"},
		"request --from A --certificate DIR/next.crt --response-url x --usage wrap":      {ExitUsage, "--usage wrap"},
		"request --from A --certificate DIR/next.crt --response-url x --respond-by soon": {ExitUsage, "--respond-by soon"},
		"read DIR/junk":                       {ExitFailed, "malformed"},
		"read DIR/none":                       {ExitNotFound, "there is no file"},
		"read DIR/yes.mime --certificates x":  {ExitFailed, "brings no certificates"},
		"respond DIR/request.mime":            {ExitUsage, "--from is missing"},
		"respond DIR/yes.mime --from BUYER":   {ExitFailed, "nobody answers a response"},
		"refuse 01ABCDEFGHJKM":                {ExitUsage, "--comment is missing"},
		"accept nonsense":                     {ExitNotFound, "nonsense"},
		"accept 01ABCDEFGHJKM --go-live soon": {ExitUsage, "--go-live soon"},
		"accept 01ABCDEFGHJKM":                {ExitNotFound, "there is no offer"},
		"list --state maybe":                  {ExitUsage, "--state maybe"},
		"offer":                               {ExitNotFound, "no certificate is waiting to go live"},
		"offer --sha256 00:00":                {ExitNotFound, "begins with 00:00"},
	} {
		r := b.run(append([]string{"cert", "exchange"}, strings.Fields(strings.ReplaceAll(args, "DIR", b.dir))...)...)
		if r.code != want.code || !strings.Contains(r.stderr, want.says) {
			t.Errorf("%s: exit code %d, says %q; want %d, %q", args, r.code, r.stderr, want.code, want.says)
		}
	}
}

// TestExchangeOfAStation offers, and decides what a partner offers.
func TestExchangeOfAStation(t *testing.T) {
	t.Parallel()
	b := newBureau(t)
	b.ok("cert", "roll", "--go-live", "2026-05-01")
	if r := b.run("cert", "exchange", "offer"); r.code != ExitFailed || !strings.Contains(r.stderr, "set listen.as2_url") {
		t.Errorf("without an address: %+v", r)
	}
	r := b.ok("cert", "exchange", "offer", "--response-url", "http://buyer.example/as2", "--user", "kim")
	if !strings.HasPrefix(r.stdout, "supplier\t") || !strings.Contains(r.stderr, "is queued for supplier") {
		t.Errorf("%+v", r)
	}
	// What the supplier offers, as the station's process records it.
	theirs := b.make("theirs", "SUPPLIER NEXT", b.now)
	id := b.offered(theirs)
	type offer struct{ ID, Direction, Partner, State, Reason, Actor, GoLive string }
	list := decodeJSON[[]offer](t, b.ok("cert", "exchange", "list", "-o", "json").stdout)
	if len(list) != 2 || list[0].State != "open" || list[1].Direction != "outbound" && list[0].Direction != "outbound" {
		t.Fatalf("%+v", list)
	}
	if r := b.ok("cert", "list"); !strings.Contains(r.stderr, "supplier offers a new certificate") || !strings.Contains(r.stderr, "cert exchange accept "+id.String()) {
		t.Errorf("cert list says %q", r.stderr)
	}
	if r := b.ok("cert", "exchange", "accept", id.String(), "--go-live", "2026-06-01", "--user", "lee"); !strings.Contains(r.stderr, "from 2026-06-01 00:00 UTC on") || !strings.Contains(r.stderr, "SIGHUP") {
		t.Errorf("accept says %q", r.stderr)
	}
	if r := b.run("cert", "exchange", "accept", id.String()); r.code != ExitFailed || !strings.Contains(r.stderr, "accepted already") {
		t.Errorf("accepted twice: %+v", r)
	}
	rows := b.list("--partner", "supplier")
	if len(rows) != 2 || rows[1].Subject != "CN=SUPPLIER NEXT" || rows[1].Standing != "next" || rows[1].Source != "offer "+id.String() {
		t.Errorf("%+v", rows)
	}
	b.ok("cert", "exchange", "refuse", id.String(), "--comment", "it was a mistake", "--user", "lee")
	if rows := b.list("--partner", "supplier"); len(rows) != 1 {
		t.Errorf("a certificate that is not accepted any more is in use: %+v", rows)
	}
	list = decodeJSON[[]offer](t, b.ok("cert", "exchange", "list", "--state", "refused", "-o", "json").stdout)
	if len(list) != 1 || list[0].Reason != "it was a mistake" || list[0].Actor != "lee" {
		t.Errorf("%+v", list)
	}
	if r := b.run("cert", "exchange", "accept", id.String()); r.code != ExitFailed || !strings.Contains(r.stderr, "ask supplier to offer it again") {
		t.Errorf("accepted after all: %+v", r)
	}
}

// offered records an offer of the supplier.
func (b *bureau) offered(p *certs.Pair) tracking.ID {
	b.t.Helper()
	cfg, err := config.Load(b.env["TRADEPOST_CONFIG"], config.Overrides{})
	if err != nil {
		b.t.Fatal(err)
	}
	s, err := openStore(&Env{Now: noon})(b.t.Context(), cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	id := tracking.FirstIDAt(b.now) + 7
	err = s.Update(b.t.Context(), func(ctx context.Context, tx processes.Tx) error {
		return tx.InsertCertificateOffer(ctx, &tracking.CertificateOffer{
			ID: id, Direction: tracking.Inbound, Partner: "supplier", State: tracking.OfferOpen, RequestID: "r-1", OfferedAt: b.now,
			Certificate: tracking.Certificate{Subject: "CN=SUPPLIER NEXT", SHA256: certs.Fingerprint(p.Certificate), NotAfter: p.Certificate.NotAfter},
			PEM:         string(certs.EncodeCertificate(p.Certificate)), Purposes: []string{"sign", "encrypt"},
		})
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}
