package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tradepost/certs"
	"tradepost/internal/config"
	"tradepost/internal/store"
	"tradepost/partners"
	"tradepost/tracking"
)

func noon() time.Time { return time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC) }

// memory is a store with at most one document.
type memory struct {
	tracking.Reader
	tracking.CertificateReader
	newest time.Time
	fault  error
	offers []tracking.CertificateOffer
	sent   []tracking.Transmission
	closed int
}

func (m *memory) Transmissions(context.Context, tracking.TransmissionQuery) (*tracking.TransmissionPage, error) {
	return &tracking.TransmissionPage{Transmissions: m.sent}, m.fault
}

func (m *memory) Close() error {
	m.closed++
	return nil
}

func (m *memory) CertificateOffers(_ context.Context, q tracking.OfferQuery) (list []tracking.CertificateOffer, _ error) {
	for _, o := range m.offers {
		if slices.Contains(q.States, o.State) {
			list = append(list, o)
		}
	}
	return list, nil
}

func (m *memory) Documents(context.Context, tracking.DocumentQuery) (*tracking.DocumentPage, error) {
	p := &tracking.DocumentPage{}
	if !m.newest.IsZero() {
		p.Documents = []tracking.DocumentRow{{Document: tracking.Document{CreatedAt: m.newest}}}
	}
	return p, m.fault
}

// healthy makes a station with a partner whose only fault is none.
func healthy(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "station")
	partner := filepath.Join(t.TempDir(), "partner.crt")
	pair, err := certs.Generate(certs.Request{CommonName: "SUPPLIER", Type: certs.P256, NotBefore: noon().Add(-time.Hour)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(partner, certs.EncodeCertificate(pair.Certificate), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = config.Create(dir, config.New{
		Name: "buyer", AS2ID: "BUYER", Identifier: "ZZ:BUYER", AS2Address: "127.0.0.1:0", AdminAddress: "127.0.0.1:0", KeyType: certs.P256,
		Partner: &config.NewPartner{Name: "supplier", AS2ID: "SUPPLIER", Identifier: "ZZ:SUPPLIER", URL: "http://127.0.0.1:1/as2", Certificate: partner, Contact: "Kim, 555 0100", Send: []string{"850"}},
	}, noon(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// examine changes the configuration's text and runs the doctor.
func examine(t *testing.T, dir string, change func(text string) string, adjust func(*Doctor)) []Finding {
	t.Helper()
	file := filepath.Join(dir, "tradepost.yaml")
	if change != nil {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := change(string(text))
		if changed == string(text) {
			t.Fatal("the change changed nothing")
		}
		if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Load(file, config.Overrides{NoFiles: true})
	if err != nil {
		t.Fatal(err)
	}
	d := &Doctor{Config: c, Now: noon, Client: &http.Client{}, OpenStore: func(context.Context) (Store, error) { return &memory{}, nil }}
	if adjust != nil {
		adjust(d)
	}
	return d.Run(context.Background())
}

func replace(from, to string) func(string) string {
	return func(text string) string { return strings.Replace(text, from, to, 1) }
}

func TestHealthyStation(t *testing.T) {
	t.Parallel()
	fs := examine(t, healthy(t), nil, nil)
	checks := map[string]bool{}
	for _, f := range fs {
		checks[f.Check] = true
		if f.Status != OK {
			t.Errorf("%+v", f)
		}
	}
	for _, name := range []string{"config", "keys", "certificates", "exchange", "secrets", "algorithms", "clock", "disk", "store", "folders", "ports"} {
		if !checks[name] {
			t.Errorf("the check %s found nothing", name)
		}
	}
	if Worst(fs) != OK {
		t.Errorf("worst is %s", Worst(fs))
	}
}

// folderOf gives the station a folder of dictionaries with some texts.
func folderOf(texts ...Text) func(*Doctor) {
	return func(d *Doctor) {
		d.Config.Dictionaries = "/texts"
		d.Documents = func() ([]Text, error) { return texts, nil }
	}
}

func TestFindings(t *testing.T) {
	t.Parallel()
	taken, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	fill := func(t *testing.T, dir string) {
		if err := os.WriteFile(filepath.Join(dir, "data", "store.db"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name   string
		spoil  func(t *testing.T, dir string)
		change func(string) string
		adjust func(*Doctor)
		check  string
		status Status
		text   string
		advice string
	}{
		{name: "map that does not fit", adjust: func(d *Doctor) {
			d.Documents = func() ([]Text, error) {
				return nil, d.Config.Explain(&partners.ConflictError{Problems: []partners.Problem{{Path: "partnerships[0].outbound[0].map", Text: "there is no map x12/999", Hint: "shipped are x12/850"}}})
			}
		}, check: "documents", status: Fail, text: "partnerships[0].outbound[0].map (line ", advice: "shipped are"},
		{name: "maps that fit", adjust: func(d *Doctor) { d.Documents = func() ([]Text, error) { return nil, nil } }, check: "documents", status: OK, text: "fit what was agreed"},
		{name: "a folder of dictionaries", adjust: folderOf(
			Text{Name: "d/96a", Standard: "EDIFACT", Version: "D:96A"},
			Text{Name: "d/96a/ORDERS", IsGuide: true, Standard: "EDIFACT", Version: "D:96A", Type: "ORDERS"},
			Text{Name: "d/96a/INVOIC", IsGuide: true, Standard: "EDIFACT", Version: "D:96A", Type: "INVOIC"},
			Text{Name: "old/850", IsGuide: true, Standard: "X12", Version: "003060", Type: "850"},
		), check: "documents", status: OK, text: "dictionaries: 2 guides of EDIFACT D:96A, 1 guide of X12 003060, 1 dictionary in /texts"},
		{name: "a folder of dictionaries that is not there", adjust: folderOf(), check: "keys", status: OK, text: "the key belongs to the certificate"},
		{name: "an empty folder of dictionaries", adjust: folderOf(), check: "documents", status: Warn, text: "no dictionary and no guide in /texts", advice: "edi dictionary import SOURCE --to /texts"},
		{name: "a guide that nobody names", adjust: folderOf(Text{Name: "acme/850", IsGuide: true, Over: "x12/004010/850"}), check: "documents", status: Warn, text: "no partnership names it", advice: "guide: acme/850"},
		{name: "two guides for one thing", adjust: folderOf(Text{Name: "a/850", IsGuide: true, Type: "850", Version: "003060", Behind: "b/850"}), check: "documents", status: Warn, text: "both for 850 003060, and b/850 is used", advice: "take one of the two out"},
		{name: "no key", spoil: func(t *testing.T, dir string) { remove(t, dir, "keys/station.key") }, check: "keys", status: Fail, text: "cannot be read", advice: "relative paths"},
		{name: "certificate over", adjust: at(noon().AddDate(4, 0, 0)), check: "certificates", status: Fail, text: "the station's certificate ended on 2029-", advice: "cert roll"},
		{name: "certificate nearly over", adjust: at(noon().AddDate(3, 0, -10)), check: "certificates", status: Warn, text: "partner supplier, supplier.crt ends on 2029-", advice: "ask the partner"},
		{name: "certificate too new", adjust: at(noon().Add(-48 * time.Hour)), check: "certificates", status: Warn, text: "begins only on", advice: "clock"},
		{name: "readable key", spoil: func(t *testing.T, dir string) { chmod(t, dir, "keys/station.key", 0o644) }, check: "secrets", status: Warn, text: "can be read by others", advice: "chmod 600"},
		{name: "no token", spoil: func(t *testing.T, dir string) { remove(t, dir, "keys/admin.token") }, check: "secrets", status: Warn, text: "programs cannot use the API", advice: "openssl rand"},
		{name: "weak digest", change: replace("sign: sha-256", "sign: sha1"), check: "algorithms", status: Warn, text: "signatures use sha-1", advice: "agree on sha-256"},
		{name: "in the clear", change: replace("encrypt: aes-256-cbc", "encrypt: none"), check: "algorithms", status: Warn, text: "not encrypted", advice: "agree"},
		{name: "no proof", change: replace("signed_receipt: true", "signed_receipt: false"), check: "algorithms", status: Warn, text: "not proven", advice: "agree"},
		{name: "old digests accepted", change: replace("      # accept_digests: [sha-1, sha-256]", "      accept_digests: [sha-1, sha-256]"), check: "algorithms", status: Warn, text: "signatures with sha-1 are accepted", advice: "agree"},
		{name: "unsigned accepted", change: replace("require_signed: true", "require_signed: false"), check: "algorithms", status: Warn, text: "unsigned is accepted", advice: "agree"},
		{
			name: "offer that waits", spoil: fill, adjust: offered(tracking.CertificateOffer{
				ID: 7, Direction: tracking.Inbound, Partner: "supplier", State: tracking.OfferOpen, OfferedAt: noon().AddDate(0, 0, -2), RespondBy: noon().AddDate(0, 0, 5),
				Certificate: tracking.Certificate{Subject: "CN=NEXT", SHA256: "AB:CD"},
			}), check: "exchange", status: Warn, text: "supplier offers a new certificate, CN=NEXT, since 2026-11-29, and wants an answer by 2026-12-06", advice: "AB:CD with Kim, 555 0100, then: tradepost cert exchange accept " + tracking.ID(7).String(),
		},
		{
			name: "offer nobody answers", spoil: fill, adjust: offered(tracking.CertificateOffer{
				ID: 7, Direction: tracking.Outbound, Partner: "supplier", State: tracking.OfferOpen, OfferedAt: noon().AddDate(0, 0, -8),
			}), check: "exchange", status: Warn, text: "has not answered our offer of 2026-11-23", advice: "Kim, 555 0100",
		},
		{name: "offer of yesterday", spoil: fill, adjust: offered(tracking.CertificateOffer{
			Direction: tracking.Outbound, Partner: "supplier", State: tracking.OfferOpen, OfferedAt: noon().AddDate(0, 0, -1),
		}), check: "exchange", status: OK, text: "waits for an answer"},
		{name: "client certificate nearly over", spoil: client, change: withClient, adjust: at(noon().AddDate(3, 0, -10)), check: "certificates", status: Warn, text: "our TLS certificate for connection supplier-as2 ends on 2029-", advice: "renew"},
		{name: "client certificate without its key", spoil: func(t *testing.T, dir string) {
			client(t, dir)
			remove(t, dir, "keys/client.key")
		}, change: withClient, check: "certificates", status: Fail, text: "client.key cannot be read", advice: "under tls of connection supplier-as2"},
		{name: "client key that others read", spoil: func(t *testing.T, dir string) {
			client(t, dir)
			chmod(t, dir, "keys/client.key", 0o644)
		}, change: withClient, check: "secrets", status: Warn, text: "client.key can be read by others", advice: "chmod 600"},
		{
			name: "partner with OpenAS2", spoil: fill, adjust: sent("OpenAS2 Server v4.9.0 (class org.openas2.processor.sender.AS2SenderModule)"),
			check: "products", status: Warn, text: "partner supplier runs OpenAS2 Server v4.9.0, which compares", advice: "peer: openas2",
		},
		{
			name: "partner with pyas2, unsigned", spoil: fill, change: replace("sign: sha-256", "sign: none"), adjust: sent("pyAS2 Open Source AS2 Software"),
			check: "products", status: Warn, text: "writes no MIC", advice: "peer: pyas2",
		},
		{name: "clock far back", adjust: at(time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)), check: "clock", status: Fail, text: "2001-01-01", advice: "set the clock"},
		{name: "data is a file", spoil: func(t *testing.T, dir string) {
			remove(t, dir, "data")
			if err := os.WriteFile(filepath.Join(dir, "data"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, check: "disk", status: Fail, text: "cannot be written", advice: "right to write"},
		{name: "store does not open", spoil: fill, adjust: func(d *Doctor) {
			d.OpenStore = func(context.Context) (Store, error) { return nil, errors.New("disk I/O error") }
		}, check: "store", status: Fail, text: "disk I/O error", advice: "backup"},
		{name: "store of another user", spoil: fill, adjust: func(d *Doctor) {
			d.OpenStore = func(context.Context) (Store, error) {
				return nil, &os.PathError{Op: "open", Path: "tradepost.db", Err: os.ErrPermission}
			}
		}, check: "store", status: Fail, text: "permission denied", advice: "give the user that runs the station the right"},
		{name: "store of a newer program", spoil: fill, adjust: func(d *Doctor) {
			d.OpenStore = func(context.Context) (Store, error) { return nil, &store.NewerVersionError{Have: 9, Know: 1} }
		}, check: "store", status: Fail, text: "schema version 9", advice: "a newer tradepost"},
		{name: "store of an older program", spoil: fill, adjust: func(d *Doctor) {
			d.OpenStore = func(context.Context) (Store, error) { return nil, &store.OlderVersionError{Have: 1, Need: 2} }
		}, check: "store", status: Warn, text: "the next start of `tradepost serve` brings it up to date", advice: "copy the store before"},
		{name: "store does not answer", spoil: fill, adjust: func(d *Doctor) {
			d.OpenStore = func(context.Context) (Store, error) { return &memory{fault: errors.New("malformed")}, nil }
		}, check: "store", status: Fail, text: "malformed", advice: "log"},
		{name: "documents of the future", spoil: fill, adjust: func(d *Doctor) {
			d.OpenStore = func(context.Context) (Store, error) { return &memory{newest: noon().Add(time.Hour)}, nil }
		}, check: "store", status: Warn, text: "still to come", advice: "clock"},
		{name: "no folder", spoil: func(t *testing.T, dir string) { remove(t, dir, "backoffice/in") }, check: "folders", status: Fail, text: "there is no folder", advice: "mkdir -p"},
		{name: "folder is a file", change: replace("pickup: backoffice/out", "pickup: tradepost.yaml"), check: "folders", status: Fail, text: "is no folder", advice: "name a folder"},
		{name: "port taken", change: replace(`as2: "127.0.0.1:0"`, `as2: "`+taken.Addr().String()+`"`), check: "ports", status: Fail, text: "taken by another program", advice: "another port"},
		{name: "address of another machine", change: replace(`as2: "127.0.0.1:0"`, `as2: "192.0.2.1:4080"`), check: "ports", status: Fail, text: "cannot be opened", advice: "another address"},
		{name: "public console", change: replace(`admin: "127.0.0.1:0"`, `admin: ":0"`), check: "ports", status: Warn, text: "from the network", advice: "127.0.0.1"},
		{name: "partner that does not let us in", adjust: func(d *Doctor) {
			d.Online = true
			d.Reach = func(context.Context, partners.Connection) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusUnauthorized, Body: http.NoBody}, nil
			}
		}, check: "partners", status: Warn, text: "does not take our user, password or certificate", advice: "Kim, 555 0100"},
		{name: "partner whose certificate is not trusted", adjust: func(d *Doctor) {
			d.Online = true
			d.Reach = func(context.Context, partners.Connection) (*http.Response, error) {
				return nil, errors.New("the server's certificate is not the pinned one")
			}
		}, check: "partners", status: Fail, text: "not the pinned one", advice: "Kim, 555 0100"},
		{name: "partner away", adjust: func(d *Doctor) { d.Online = true }, check: "partners", status: Fail, text: "cannot be reached", advice: "Kim, 555 0100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := healthy(t)
			if c.spoil != nil {
				c.spoil(t, dir)
			}
			fs := examine(t, dir, c.change, c.adjust)
			for _, f := range fs {
				if f.Check == c.check && f.Status == c.status && strings.Contains(f.Text, c.text) && strings.Contains(f.Advice, c.advice) {
					return
				}
			}
			t.Errorf("no %s of %s with %q and %q among:", c.status, c.check, c.text, c.advice)
			for _, f := range fs {
				t.Logf("%+v", f)
			}
		})
	}
}

// offered gives the store an offer of a certificate.
func offered(o tracking.CertificateOffer) func(*Doctor) {
	return func(d *Doctor) {
		d.OpenStore = func(context.Context) (Store, error) { return &memory{offers: []tracking.CertificateOffer{o}}, nil }
	}
}

// sent gives the store two transmissions of the partner: a forged one, and one of
// a product.
func sent(agent string) func(*Doctor) {
	of := func(agent string, state tracking.TransmissionState) tracking.Transmission {
		return tracking.Transmission{State: state, Evidence: tracking.Evidence{Headers: []tracking.HeaderField{{Name: "user-agent", Value: agent}}}}
	}
	return func(d *Doctor) {
		d.OpenStore = func(context.Context) (Store, error) {
			return &memory{sent: []tracking.Transmission{of("forged", tracking.TransmissionRefused), of(agent, tracking.TransmissionProcessed)}}, nil
		}
	}
}

// TestProductsThatSuit has nothing to say where the agreement suits the product,
// or the product is not one that needs anything.
func TestProductsThatSuit(t *testing.T) {
	t.Parallel()
	for agent, change := range map[string]func(string) string{
		"OpenAS2 Server v4.9.0":          replace("      # peer: openas2 ", "      peer: openas2 "),
		"OpenAS2 Server v4.10.0":         replace("      # peer: openas2 ", "      receipt_mic: first-listed "),
		"pyAS2 Open Source AS2 Software": nil,
		"ph-OpenAS2 4.4.4":               nil,
	} {
		dir := healthy(t)
		if err := os.WriteFile(filepath.Join(dir, "data", "store.db"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, f := range examine(t, dir, change, sent(agent)) {
			if f.Check == "products" {
				t.Errorf("%s: %+v", agent, f)
			}
		}
	}
}

// TestStoreIsOpenedOnce has a database that does not answer: it is asked once,
// and told of once.
func TestStoreIsOpenedOnce(t *testing.T) {
	t.Parallel()
	for _, fault := range []error{nil, errors.New("timeout")} {
		dir := healthy(t)
		if err := os.WriteFile(filepath.Join(dir, "data", "store.db"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		m := &memory{}
		opened := 0
		fs := examine(t, dir, nil, func(d *Doctor) {
			d.OpenStore = func(context.Context) (Store, error) {
				opened++
				return m, fault
			}
		})
		failed := 0
		for _, f := range fs {
			if f.Status == Fail {
				failed++
			}
		}
		if want := map[bool]int{true: 1, false: 0}; opened != 1 || m.closed != want[fault == nil] || failed != want[fault != nil] {
			t.Errorf("with the fault %v: opened %d times, closed %d times, %d failures", fault, opened, m.closed, failed)
		}
	}
}

// client makes a certificate for servers that ask.
func client(t *testing.T, dir string) {
	t.Helper()
	pair, err := certs.Generate(certs.Request{CommonName: "CLIENT", Type: certs.P256, NotBefore: noon().Add(-time.Hour)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := certs.WriteKeyFile(filepath.Join(dir, "keys/client.key"), pair, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keys/client.crt"), certs.EncodeCertificate(pair.Certificate), 0o600); err != nil {
		t.Fatal(err)
	}
}

// withClient shows it.
func withClient(text string) string {
	return strings.Replace(text, "    # tls: {certificate", "    tls: {certificate", 1)
}

// TestTakenOverCounts has the partner's configured certificate end after the
// next one was taken over by an exchange.
func TestTakenOverCounts(t *testing.T) {
	t.Parallel()
	dir := healthy(t)
	if err := os.WriteFile(filepath.Join(dir, "data", "store.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	end := noon().AddDate(3, 0, 10)
	next, err := certs.Generate(certs.Request{CommonName: "NEXT", Type: certs.P256, NotBefore: noon(), Validity: 5 * 365 * 24 * time.Hour}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range []tracking.OfferState{tracking.OfferOpen, tracking.OfferAccepted} {
		o := tracking.CertificateOffer{Direction: tracking.Inbound, Partner: "supplier", State: state, PEM: string(certs.EncodeCertificate(next.Certificate))}
		fs := examine(t, dir, nil, func(d *Doctor) { at(end)(d); offered(o)(d) })
		var found []string
		for _, f := range fs {
			if f.Check == "certificates" && strings.Contains(f.Text, "supplier.crt") {
				found = append(found, string(f.Status)+" "+f.Text)
			}
		}
		want := map[tracking.OfferState]string{tracking.OfferOpen: "fail partner supplier, supplier.crt ended", tracking.OfferAccepted: "ok partner supplier, supplier.crt ended on 2029-11-30; another took over"}[state]
		if len(found) != 1 || !strings.HasPrefix(found[0], want) {
			t.Errorf("with the offer %s: %q, want %s", state, found, want)
		}
	}
}

func at(now time.Time) func(*Doctor) {
	return func(d *Doctor) { d.Now = func() time.Time { return now } }
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, dir, name string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
		t.Fatal(err)
	}
}

func TestRunningStationAndPartner(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", noon().Add(-time.Hour).Format(http.TimeFormat))
		if r.URL.Path != "/livez" {
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	}))
	t.Cleanup(server.Close)
	address := strings.TrimPrefix(server.URL, "http://")
	fs := examine(t, healthy(t), func(text string) string {
		text = strings.Replace(text, `admin: "127.0.0.1:0"`, `admin: "`+address+`"`, 1)
		return strings.Replace(text, "http://127.0.0.1:1/as2", server.URL+"/as2", 1)
	}, func(d *Doctor) { d.Online = true })
	for _, want := range []string{"a station is running here", "partner supplier answers", "1h0m0s apart"} {
		found := false
		for _, f := range fs {
			found = found || strings.Contains(f.Text, want)
		}
		if !found {
			t.Errorf("%q is missing among %+v", want, fs)
		}
	}
}
