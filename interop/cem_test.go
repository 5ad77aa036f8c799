package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/certs/cem"
)

// exchanger is the program of folder cem, which takes part in certificate
// exchanges and shares nothing with ours, beside openssl, which signs for it.
type exchanger struct {
	*openSSL
	python string
}

// newExchanger is started by make interop alone, as the products are.
func newExchanger(t *testing.T) *exchanger {
	t.Helper()
	python := newASN1Crypto(t).python
	return &exchanger{newOpenSSL(t), python}
}

// ask runs the program.
func (x *exchanger) ask(t *testing.T, stdin []byte, args ...string) []byte {
	t.Helper()
	program, err := filepath.Abs(filepath.Join("cem", "exchange.py"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), x.python, append([]string{program}, args...)...) // #nosec G204 -- fixed program, arguments of this file
	var words bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stderr = x.dir, bytes.NewReader(stdin), &words
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("exchange.py %s: %v\n%s", args, err, words.String())
	}
	return out
}

// carried is an entity of ours after it has crossed in a transmission, signed by
// us and checked by openssl: header and body as the other side has them.
func (x *exchanger) carried(t *testing.T, e *cem.Entity) []byte {
	t.Helper()
	out, err := as2.Build(t.Context(), x.relation("alice", "bob"), as2.Payload{
		ContentType: e.ContentType, Size: int64(len(e.Body)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(e.Body)), nil },
	}, as2.Options{MessageID: "<cem@alice.test>", Now: x.now, Sign: as2.SHA256})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	r, err := out.Open()
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return x.verify(t, out.Header.Get("Content-Type"), body, "alice")
}

// received is an entity of the program's as it comes to us in a transmission
// that openssl has signed.
func (x *exchanger) received(t *testing.T, entity []byte) *cem.Message {
	t.Helper()
	name := strings.ReplaceAll(t.Name(), "/", "_") + ".entity"
	signature := x.run(t, nil, "cms", "-sign", "-binary", "-in", x.write(t, name, entity), "-outform", "DER", "-md", "sha256", "-signer", "alice.crt", "-inkey", "alice.key")
	var b bytes.Buffer
	fmt.Fprintf(&b, "--b\r\n%s\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\n%s\r\n--b--\r\n", entity, signature)
	rcv := x.receive(t, header("alice", "bob", "multipart/signed; micalg=sha256; boundary=b"), b.Bytes())
	if rcv.Failure != nil {
		t.Fatalf("refused: %v", rcv.Failure)
	}
	var parts []cem.Part
	for _, p := range rcv.Payloads {
		r, err := p.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, cem.Part{ContentType: p.ContentType, Body: content})
	}
	m, err := cem.ParseParts(parts)
	if err != nil {
		t.Fatalf("%v\n%s", err, entity)
	}
	return m
}

// TestExchangeOfCertificatesWithPython goes through an exchange in both
// directions: no AS2 product that can be had knows it, so the other side is made
// of other libraries than ours.
func TestExchangeOfCertificatesWithPython(t *testing.T) {
	t.Parallel()
	x := newExchanger(t)
	offered := []string{"carol", "p256", "p521"}
	t.Run("we offer", func(t *testing.T) {
		t.Parallel()
		r := &cem.Request{ID: "ours <1> & co", From: `BUYER "EDI" & Co`, Originated: x.now}
		until := x.now.AddDate(0, 1, 0).Truncate(time.Second)
		for _, name := range offered {
			r.Trust = append(r.Trust, cem.TrustRequest{
				Usages: []cem.Usage{cem.DigitalSignature, cem.TLSClient}, RespondBy: until, ResponseURL: "http://buyer.example/as2?a=1&b=2",
				Certificate: x.parties[name].Certificate,
			})
		}
		r.Trust[1].Chain = append(r.Trust[1].Chain, x.parties["bob"].Certificate)
		e, err := r.Encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		entity := x.carried(t, e)
		var said struct {
			Kind, ID, From, Qualifier, Originated string
			Trust                                 []struct {
				Usages      []string
				RespondBy   string `json:"respond_by"`
				URL         string
				Certificate []byte
				Along       int
			}
		}
		if err := json.Unmarshal(x.ask(t, entity, "read"), &said); err != nil {
			t.Fatal(err)
		}
		if said.Kind != "EDIINTCertificateExchangeRequest" || said.ID != r.ID || said.From != r.From || said.Qualifier != "AS2" || len(said.Trust) != len(offered) {
			t.Fatalf("Python read %+v", said)
		}
		for i, c := range said.Trust {
			along := map[int]int{1: 1}[i]
			if !slices.Equal(c.Usages, []string{"digitalSignature", "tlsClient"}) || c.RespondBy != until.UTC().Format(time.RFC3339) || c.URL != r.Trust[i].ResponseURL ||
				!bytes.Equal(c.Certificate, r.Trust[i].Certificate.Raw) || c.Along != along {
				t.Errorf("Python read as certificate %d %+v", i, c)
			}
		}
		m := x.received(t, x.ask(t, entity, "answer", "Accepted", "Rejected", "Accepted"))
		if m.Response == nil || m.Response.RequestID != r.ID || len(m.Response.Answers) != len(offered) {
			t.Fatalf("the answer: %+v", m)
		}
		for i, a := range m.Response.Answers {
			// The certificate is known by its number, in whatever order a bag has them.
			if a.Accepted == (i == 1) || !a.Concerns(r.Trust[i].Certificate) && i != 1 || (a.Reason != "") != (i == 1) {
				t.Errorf("answer %d: %+v", i, a)
			}
		}
	})
	t.Run("they offer", func(t *testing.T) {
		t.Parallel()
		var files []string
		for _, name := range offered {
			files = append(files, x.path(name+".crt"))
		}
		m := x.received(t, x.ask(t, nil, append([]string{"offer"}, files...)...))
		if m.Request == nil || m.Request.ID != "python-1@example" || m.Request.From != "PYTHON & Co" || len(m.Request.Trust) != len(offered) {
			t.Fatalf("the request: %+v", m)
		}
		answer := &cem.Response{RequestID: m.Request.ID, From: "BUYER", Originated: x.now}
		for i, c := range m.Request.Trust {
			if !c.Certificate.Equal(x.parties[offered[i]].Certificate) || len(c.Usages) != 2 || c.ResponseURL != "http://python.example/as2?a=1&b=2" ||
				!c.RespondBy.Equal(time.Date(2027, 1, 15, 5, 0, 0, 0, time.UTC)) {
				t.Errorf("certificate %d: %+v", i, c)
			}
			answer.Answers = append(answer.Answers, cem.About(c.Certificate, i != 1, "not <ours>"))
		}
		e, err := answer.Encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		var said struct {
			Kind, ID string
			Answers  []struct{ Status, Reason, Serial string }
		}
		if err := json.Unmarshal(x.ask(t, x.carried(t, e), "read"), &said); err != nil {
			t.Fatal(err)
		}
		if said.Kind != "EDIINTCertificateExchangeResponse" || said.ID != "python-1@example" || len(said.Answers) != len(offered) {
			t.Fatalf("Python read %+v", said)
		}
		for i, a := range said.Answers {
			want := map[bool]string{true: "Accepted", false: "Rejected"}[i != 1]
			if a.Status != want || (a.Reason == "not <ours>") != (i == 1) || a.Serial != x.parties[offered[i]].Certificate.SerialNumber.String() {
				t.Errorf("Python read as answer %d %+v", i, a)
			}
		}
	})
}
