package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/template"
	"time"

	"tradepost/as2"
	"tradepost/certs"
	"tradepost/internal/cli"
	"tradepost/internal/config"
	"tradepost/internal/gateway"
	"tradepost/tracking"
)

// asProgram is the variable that turns this test into the program tradepost.
// When it names a file, the memory that was resident at most is told there.
const asProgram = "TRADEPOST_INTEROP_PROGRAM"

func TestMain(m *testing.M) {
	if report := os.Getenv(asProgram); report != "" {
		code := cli.Main()
		if filepath.IsAbs(report) {
			reportMemory(report)
		}
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// program is `tradepost serve`, a process of its own, with the product as its
// partner under several AS2 names.
type program struct {
	t       *testing.T
	b       *bench
	dir     string
	as2     string
	admin   string
	process *process
	names   []programName
	mu      sync.Mutex // one look into the store at a time
}

// programName is one AS2 name of the product in the program's configuration.
type programName struct {
	Name, Short, Receipt string
	URL, Host            string // of the product
}

// newProgram chooses where the program will be, so that the product can know.
func newProgram(t *testing.T, b *bench) *program {
	ports := freePorts(t, 2)
	return &program{t: t, b: b, dir: t.TempDir(), as2: "127.0.0.1:" + ports[0], admin: "127.0.0.1:" + ports[1]}
}

func (p *program) url() string { return "http://" + p.as2 + "/as2" }

// programConfig is the program's configuration.
const programConfig = `
station: {name: us, as2_id: {{.Station}}, identifiers: ["ZZ:US"], certificate: keys/own.crt, key: keys/own.key}
store: {data: data}
listen: {as2: "{{.AS2}}", admin: "{{.Admin}}", as2_url: "{{.URL}}"}
partners:
{{- range .Names}}
  - {name: {{.Short}}, as2_id: {{.Name}}, identifiers: ["ZZ:{{.Short}}"], certificates: [keys/peer.crt]}
{{- end}}
partnerships:
{{- range .Names}}
  - partner: {{.Short}}
    connection: to-{{.Short}}
    acknowledge: "997"
    inbound: [{document: "850", deliver: house}]
    outbound: [{document: "850"}]
    as2: {peer: {{$.Peer}}, sign: sha-256, encrypt: aes-256-cbc, compress: true, receipt: {{.Receipt}}, signed_receipt: true, require_signed: true, require_encrypted: true}
{{- end}}
connections:
{{- range .Names}}
  - {name: to-{{.Short}}, connector: as2, partner: {{.Short}}, url: "{{.URL}}", receipt_hosts: ["{{.Host}}"], timeout: 30s}
{{- end}}
  - {name: house, connector: directory, pickup: out, deliver: in, settle: 20ms, poll: 50ms}
`

// name adds an AS2 name of the product to the program's partners.
func (p *program) name(short string, receipt wish, change func(*party)) string {
	agreed := party{agreement: agreement{name: "PEER-" + strings.ToUpper(short), cell: usual, url: p.url()}, unknown: true}
	agreed.receipt, agreed.content, agreed.compress = receipt, x12Lines, as2.BeforeSigning
	if change != nil {
		change(&agreed)
	}
	p.b.party(agreed)
	mode := "sync"
	if receipt == asyncSigned {
		mode = "async"
	}
	p.names = append(p.names, programName{Name: agreed.name, Short: short, Receipt: mode})
	return agreed.name
}

// trials adds what to try.
func (p *program) trials() {
	for _, receipt := range []wish{syncSigned, asyncSigned} {
		short := strings.ToUpper(string(receipt))
		in := p.name("IN"+short, receipt, nil)
		p.b.trial(inProgram, fromPeer, usual, func(ctx context.Context) error { return p.orderFromThem(ctx, in, "IN"+short) },
			"an order to the back office, the 997 back", "receipts "+string(receipt))
		out := p.name("OUT"+short, receipt, nil)
		p.b.trial(inProgram, toPeer, usual, func(ctx context.Context) error { return p.orderToThem(ctx, out, "OUT"+short, receipt) },
			"an order from the back office", "receipts "+string(receipt))
	}
	hand := p.name("HAND", syncSigned, nil)
	p.b.trial(inProgram, toPeer, usual, func(ctx context.Context) error { return p.byHand(ctx, hand) },
		"by hand, with `tradepost as2 send`", "receipts sync")
	m, url := newMiddle(p.t, p.url(), nil)
	again := p.name("AGAIN", syncSigned, func(a *party) { a.url = url })
	p.b.trial(inProgram, fromPeer, usual, func(ctx context.Context) error { return p.sameOrderTwice(ctx, again, "AGAIN", m) },
		"the same order twice", "receipts sync")
	stranger := p.name("STRANGER", syncSigned, func(a *party) { a.key = "mallory" })
	p.b.trial(inProgram, fromPeer, usual, func(ctx context.Context) error { return p.orderOfAStranger(ctx, stranger, "STRANGER") },
		"an order signed with another key", "receipts sync")
}

// byHand sends a document with `tradepost as2 send`, which needs no station.
func (p *program) byHand(ctx context.Context, name string) error {
	file := p.path("byhand.x12")
	if err := os.WriteFile(file, contentOf(x12Lines).bytes, 0o600); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "as2", "send", file, "--to", p.b.peer.url(), "--from", stationID, "--partner", name,
		"--cert", p.path("keys", "own.crt"), "--key", p.path("keys", "own.key"), "--partner-cert", p.path("keys", "peer.crt"), "-o", "json")
	cmd.Env = append(os.Environ(), asProgram+"=1")
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	var sent struct {
		Status     string `json:"status"`
		MICMatches bool   `json:"mic_matches"`
	}
	if err := json.Unmarshal(out, &sent); err != nil || sent.Status != "delivered" || !sent.MICMatches {
		return fmt.Errorf("%w: %s", err, out)
	}
	return p.b.theyHave(ctx, name, contentOf(x12Lines))
}

// start writes the configuration and starts the program.
func (p *program) start(peer peer) {
	p.t.Helper()
	for _, dir := range []string{"keys", "in", "out"} {
		if err := os.MkdirAll(filepath.Join(p.dir, dir), 0o700); err != nil {
			p.t.Fatal(err)
		}
	}
	own := p.b.station.key
	key, err := certs.EncodeKey(own.Private)
	if err != nil {
		p.t.Fatal(err)
	}
	write(p.t, p.path("keys", "own.key"), key)
	write(p.t, p.path("keys", "own.crt"), certs.EncodeCertificate(own.Certificate))
	write(p.t, p.path("keys", "peer.crt"), certs.EncodeCertificate(peer.certificate()))
	for i := range p.names {
		p.names[i].URL, p.names[i].Host = peer.url(), peer.receiptHost()
	}
	var b bytes.Buffer
	err = template.Must(template.New("").Parse(programConfig)).Execute(&b, map[string]any{
		"Station": stationID, "AS2": p.as2, "Admin": p.admin, "URL": p.url(), "Names": p.names, "Peer": p.b.product.peer,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	write(p.t, p.path("tradepost.yaml"), b.Bytes())
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	p.process = start(p.t, p.dir, []string{asProgram + "=1"}, self, "serve", "--config", p.path("tradepost.yaml"), "--exit-with-parent")
	p.process.until(p.t, "tradepost serve", func() bool {
		resp, err := http.Get("http://" + p.admin + "/readyz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

func (p *program) path(parts ...string) string {
	return filepath.Join(append([]string{p.dir}, parts...)...)
}

// order is an order between us and a partner.
func order(from, to, number string) goods {
	return goods{"order.x12", "application/edi-x12", fmt.Appendf(nil,
		"ISA*00*          *00*          *ZZ*%-15s*ZZ*%-15s*261121*0915*U*00401*000000001*0*P*>~\n"+
			"GS*PO*%s*%s*20261121*0915*1*X*004010~\nST*850*0001~\nBEG*00*SA*%s**20261121~\n"+
			"N1*ST*DC 12*92*0012~\nPO1*1*144*EA*4.95**VN*TRV-100~\nCTT*1~\nSE*6*0001~\nGE*1*1~\nIEA*1*000000001~\n", from, to, from, to, number)}
}

// orderFromThem has the product send an order: it arrives in the back office,
// and the product gets the 997.
func (p *program) orderFromThem(ctx context.Context, name, short string) error {
	if err := p.b.peer.send(ctx, name, order(short, "US", "PO-"+short)); err != nil {
		return err
	}
	if err := p.inBackOffice(ctx, "PO-"+short, 1); err != nil {
		return err
	}
	got, err := p.b.peer.received(ctx, name)
	if err != nil {
		return fmt.Errorf("the 997 has not come to the product: %w", err)
	}
	if len(got) != 1 || !bytes.Contains(got[0], []byte("AK9*A")) {
		return fmt.Errorf("the product has got %q", got)
	}
	return p.settled(ctx, short)
}

// orderToThem puts an order into the back office: it arrives at the product.
func (p *program) orderToThem(ctx context.Context, name, short string, receipt wish) error {
	g := order("US", short, "PO-"+short)
	if err := os.WriteFile(p.path(short+".tmp"), g.bytes, 0o600); err != nil {
		return err
	}
	if err := os.Rename(p.path(short+".tmp"), p.path("out", short+".x12")); err != nil {
		return err
	}
	got, err := p.b.peer.received(ctx, name)
	if err != nil {
		return fmt.Errorf("the order has not come to the product: %w", err)
	}
	if len(got) != 1 || !bytes.Contains(got[0], []byte("*PO-"+short+"*")) {
		return fmt.Errorf("the product has got %q", got)
	}
	return p.settled(ctx, short)
}

// settled waits until the program has the receipt for what it sent a partner.
func (p *program) settled(ctx context.Context, short string) error {
	view, err := p.transmission(ctx, tracking.TransmissionQuery{Partner: short, Direction: tracking.Outbound, Connector: "as2", States: []tracking.TransmissionState{
		tracking.TransmissionDelivered, tracking.TransmissionRefused, tracking.TransmissionFailed,
	}})
	if err != nil {
		return err
	}
	if view.Transmission.State != tracking.TransmissionDelivered {
		return fmt.Errorf("%s: %s", view.Transmission.State, view.Transmission.Error)
	}
	if len(view.Receipts) != 1 || !view.Receipts[0].Positive || !view.Receipts[0].Signed || !view.Receipts[0].MICMatches {
		return fmt.Errorf("receipts %+v", view.Receipts)
	}
	return nil
}

// transmission waits for one in the program's store.
func (p *program) transmission(ctx context.Context, q tracking.TransmissionQuery) (*tracking.TransmissionView, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, err := config.Load(p.path("tradepost.yaml"), config.Overrides{})
	if err != nil {
		return nil, err
	}
	s, err := gateway.OpenStore(ctx, c, time.Now)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return eventually(ctx, func() (*tracking.TransmissionView, bool, error) {
		page, err := s.Transmissions(ctx, q)
		if err != nil || len(page.Transmissions) == 0 {
			return nil, false, err
		}
		view, err := s.TransmissionView(ctx, page.Transmissions[0].ID)
		return view, err == nil, err
	})
}

// inBackOffice waits until so many documents with a number were delivered.
func (p *program) inBackOffice(ctx context.Context, number string, want int) error {
	found, err := eventually(ctx, func() (int, bool, error) {
		n, err := p.count(number)
		return n, n >= want, err
	})
	if err != nil || found != want {
		return fmt.Errorf("%d documents with number %s in the back office, want %d: %w", found, number, want, err)
	}
	return nil
}

// count counts the documents with a number in the back office.
func (p *program) count(number string) (int, error) {
	entries, err := os.ReadDir(p.path("in"))
	n := 0
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		b, err := os.ReadFile(p.path("in", e.Name()))
		if err != nil {
			return 0, err
		}
		if bytes.Contains(b, []byte("*"+number+"*")) {
			n++
		}
	}
	return n, err
}

// sameOrderTwice repeats the product's request: the same answer, one order.
func (p *program) sameOrderTwice(ctx context.Context, name, short string, m *middle) error {
	if err := p.orderFromThem(ctx, name, short); err != nil {
		return err
	}
	m.mu.Lock()
	header, body, first := m.request.Header, m.body, m.answer
	m.mu.Unlock()
	resp, answer, err := repost(ctx, p.url(), header, body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || !bytes.Equal(answer, first) {
		return fmt.Errorf("the second answer (%s) is another than the first", resp.Status)
	}
	view, err := p.transmission(ctx, tracking.TransmissionQuery{Partner: short, Direction: tracking.Inbound, States: []tracking.TransmissionState{tracking.TransmissionDuplicate}})
	if err != nil {
		return fmt.Errorf("the duplicate is not on record: %w", err)
	}
	if view.Transmission.DuplicateOf == 0 {
		return errors.New("the duplicate does not say of what")
	}
	return p.inBackOffice(ctx, "PO-"+short, 1)
}

// orderOfAStranger is refused, and the product learns of it.
func (p *program) orderOfAStranger(ctx context.Context, name, short string) error {
	if err := wantRefusal(p.b.peer.send(ctx, name, order(short, "US", "PO-"+short))); err != nil {
		return err
	}
	view, err := p.transmission(ctx, tracking.TransmissionQuery{Direction: tracking.Inbound, States: []tracking.TransmissionState{tracking.TransmissionRefused}})
	if err != nil {
		return fmt.Errorf("the refusal is not on record: %w", err)
	}
	if !strings.Contains(view.Transmission.Error, string(as2.AuthenticationFailed)) ||
		!slices.ContainsFunc(view.Receipts, func(r tracking.Receipt) bool {
			return !r.Positive && strings.HasSuffix(r.Disposition, string(as2.AuthenticationFailed))
		}) {
		return fmt.Errorf("%q, receipts %+v", view.Transmission.Error, view.Receipts)
	}
	if n, err := p.count("PO-" + short); err != nil || n != 0 {
		return fmt.Errorf("%d orders of a stranger in the back office, %w", n, err)
	}
	return nil
}
