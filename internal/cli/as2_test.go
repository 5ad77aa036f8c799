package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/certs"
)

// as2Bench is a folder with the key files of two parties.
type as2Bench struct {
	dir string
	now time.Time
}

func newAS2Bench(t *testing.T) *as2Bench {
	t.Helper()
	b := &as2Bench{dir: t.TempDir(), now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	for _, name := range []string{"alice", "bob", "mallory"} {
		p, err := certs.Generate(certs.Request{CommonName: name, NotBefore: b.now.AddDate(-1, 0, 0)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(b.path(name+".crt"), certs.EncodeCertificate(p.Certificate), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := certs.WriteKeyFile(b.path(name+".key"), p, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func (b *as2Bench) path(name string) string { return filepath.Join(b.dir, name) }

// run runs one as2 command line.
func (b *as2Bench) run(t *testing.T, stdin io.Reader, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, words bytes.Buffer
	env := &Env{
		Stdin: stdin, Stdout: &out, Stderr: &words, Random: rand.Reader,
		Now:       func() time.Time { return b.now },
		LookupEnv: func(string) (string, bool) { return "", false },
	}
	cmd := newAS2Command(env)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetFlagErrorFunc(usage)
	strict(cmd)
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&words)
	code = env.report(t.Context(), cmd.ExecuteContext(t.Context()))
	return code, out.String(), words.String()
}

// request stores a request of alice to bob and returns its name.
func (b *as2Bench) request(t *testing.T, o as2.Options) string {
	t.Helper()
	read := func(name string) []byte {
		data, err := os.ReadFile(b.path(name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	alice, err := certs.ParsePair(read("alice.crt"), read("alice.key"))
	if err != nil {
		t.Fatal(err)
	}
	bob, err := certs.ParseCertificate(read("bob.crt"))
	if err != nil {
		t.Fatal(err)
	}
	o.MessageID, o.Now = "<one@alice.test>", b.now
	out, err := as2.Build(t.Context(), as2.Relation{
		Station: as2.Station{ID: "alice", Keys: []as2.Key{{Certificate: alice.Certificate, Private: alice.Key}}},
		Partner: as2.Partner{ID: "bob", Encrypt: bob},
	}, as2.Payload{ContentType: "application/edi-x12", Filename: "order.edi", Size: 5, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("ISA*~")), nil
	}}, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	body, err := out.Open()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.CreateTemp(b.dir, "request-*")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := as2.WriteStored(f, out.Header, body); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

func decodeJSON[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return v
}

func TestAS2ReceiveThenVerify(t *testing.T) {
	t.Parallel()
	b := newAS2Bench(t)
	file := b.request(t, as2.Options{
		Sign: as2.SHA256, Encrypt: as2.AES256CBC, Compress: as2.BeforeSigning, EncryptToSelf: true,
		Receipt: as2.ReceiptRequest{Mode: as2.SyncReceipt, Signed: true},
	})
	code, out, words := b.run(t, nil, "receive", file, "--cert", b.path("bob.crt"), "--key", b.path("bob.key"),
		"--partner-cert", b.path("alice.crt"), "--payload", b.path("payload"), "--mdn", b.path("mdn"), "-o", "json")
	if code != ExitOK {
		t.Fatalf("exit %d: %s", code, words)
	}
	got := decodeJSON[receivedInfo](t, out)
	if got.Status != "accepted" || got.From != "alice" || got.To != "bob" || !got.Signed || !got.Encrypted || !got.Compressed ||
		got.Digest != as2.SHA256 || got.Cipher != as2.AES256CBC || got.MIC == "" || got.Size != 5 || got.Filename != "order.edi" ||
		got.Disposition != "automatic-action/MDN-sent-automatically; processed" {
		t.Errorf("got %+v", got)
	}
	if p, err := os.ReadFile(b.path("payload")); err != nil || string(p) != "ISA*~" {
		t.Errorf("payload %q, %v", p, err)
	}

	verify := func(args ...string) (int, verifiedInfo) {
		t.Helper()
		code, out, words := b.run(t, nil, append([]string{"verify", b.path("mdn"), "-o", "json"}, args...)...)
		if out == "" {
			t.Fatalf("exit %d: %s", code, words)
		}
		return code, decodeJSON[verifiedInfo](t, out)
	}
	code, v := verify("--request", file, "--partner-cert", b.path("bob.crt"), "--cert", b.path("alice.crt"), "--key", b.path("alice.key"))
	if code != ExitOK || !v.Delivered || !v.MICMatches || !v.Signed || v.OriginalMessageID != "<one@alice.test>" {
		t.Errorf("exit %d, %+v", code, v)
	}
	code, v = verify("--mic", got.MIC, "--mic-algorithm", "SHA256", "--partner-cert", b.path("bob.crt"))
	if code != ExitOK || !v.Delivered {
		t.Errorf("by MIC: exit %d, %+v", code, v)
	}
	code, v = verify("--mic", got.MIC, "--message-id", "<two@alice.test>", "--partner-cert", b.path("bob.crt"))
	if code != ExitRefused || v.Code != as2.OutcomeUnknownOriginal {
		t.Errorf("another message: exit %d, %+v", code, v)
	}
	code, v = verify("--mic", "AAAA", "--partner-cert", b.path("bob.crt"))
	if code != ExitRefused || v.Delivered || v.Code != as2.OutcomeMICMismatch || v.Reason == "" {
		t.Errorf("wrong MIC: exit %d, %+v", code, v)
	}
	code, v = verify("--mic", got.MIC, "--partner-cert", b.path("mallory.crt"))
	if code != ExitRefused || v.Delivered || v.Code != as2.OutcomeBadSignature {
		t.Errorf("stranger: exit %d, %+v", code, v)
	}
}

func TestAS2ReceiveRefuses(t *testing.T) {
	t.Parallel()
	b := newAS2Bench(t)
	file := b.request(t, as2.Options{Sign: as2.SHA256, Receipt: as2.ReceiptRequest{Mode: as2.SyncReceipt, Signed: true}})
	code, out, _ := b.run(t, nil, "receive", file, "--cert", b.path("bob.crt"), "--key", b.path("bob.key"),
		"--partner-cert", b.path("mallory.crt"), "--payload", b.path("payload"), "--mdn", b.path("mdn"), "-o", "json")
	got := decodeJSON[receivedInfo](t, out)
	if code != ExitRefused || got.Status != "failed" || got.Error == "" || !strings.HasSuffix(got.Disposition, "processed/error: authentication-failed") {
		t.Errorf("exit %d, %+v", code, got)
	}
	if _, err := os.Stat(b.path("payload")); err == nil {
		t.Error("the payload of a refused transmission was written")
	}
	code, out, _ = b.run(t, nil, "verify", b.path("mdn"), "--request", file, "--partner-cert", b.path("bob.crt"), "-o", "json")
	if v := decodeJSON[verifiedInfo](t, out); code != ExitRefused || v.Code != as2.OutcomeRefused {
		t.Errorf("exit %d, %+v", code, v)
	}
}

func TestAS2ReceiveMalformed(t *testing.T) {
	t.Parallel()
	b := newAS2Bench(t)
	for name, stored := range map[string]string{
		"empty":             "",
		"no headers":        "\r\nbody",
		"garbage":           "\x00\x01\x02\r\n\r\n",
		"no AS2-From":       "AS2-To: bob\r\nMessage-ID: <x@y>\r\n\r\nbody",
		"only a first line": "POST / HTTP/1.1\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, words := b.run(t, strings.NewReader(stored), "receive", "-", "-o", "json")
			if code != ExitFailed || out != "" || !strings.Contains(words, "malformed") {
				t.Errorf("exit %d, %q, %q", code, out, words)
			}
		})
	}
}

func TestAS2Usage(t *testing.T) {
	t.Parallel()
	b := newAS2Bench(t)
	for name, c := range map[string]struct {
		args []string
		code int
	}{
		"no file":             {[]string{"receive"}, ExitUsage},
		"unknown word":        {[]string{"resend"}, ExitUsage},
		"unknown flag":        {[]string{"receive", "x", "--nope"}, ExitUsage},
		"missing file":        {[]string{"receive", b.path("nothing")}, ExitNotFound},
		"key without cert":    {[]string{"decrypt", b.path("bob.crt"), "--key", b.path("bob.key")}, ExitUsage},
		"key of another":      {[]string{"decrypt", b.path("bob.crt"), "--key", b.path("bob.key"), "--cert", b.path("alice.crt")}, ExitFailed},
		"nothing to check by": {[]string{"verify", b.path("bob.crt")}, ExitUsage},
		"send without --to":   {[]string{"send", b.path("bob.crt"), "--from", "a", "--partner", "b"}, ExitUsage},
		"async without URL": {[]string{
			"send", b.path("bob.crt"), "--to", "http://127.0.0.1:1/", "--from", "a", "--partner", "b",
			"--sign", "none", "--encrypt", "none", "--receipt", "async",
		}, ExitUsage},
		"unknown digest": {[]string{
			"send", b.path("bob.crt"), "--to", "http://127.0.0.1:1/", "--from", "a", "--partner", "b",
			"--sign", "crc32", "--cert", b.path("bob.crt"), "--key", b.path("bob.key"), "--encrypt", "none",
		}, ExitUsage},
		"a digest that is only read": {[]string{
			"send", b.path("bob.crt"), "--to", "http://127.0.0.1:1/", "--from", "a", "--partner", "b",
			"--sign", "md5", "--cert", b.path("bob.crt"), "--key", b.path("bob.key"), "--encrypt", "none",
		}, ExitUsage},
		"nobody listens": {[]string{
			"send", b.path("bob.crt"), "--to", "http://127.0.0.1:1/", "--from", "a", "--partner", "b",
			"--sign", "none", "--encrypt", "none",
		}, ExitUnreachable},
		"decrypt no CMS": {[]string{"decrypt", b.path("bob.crt"), "--cert", b.path("bob.crt"), "--key", b.path("bob.key")}, ExitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, words := b.run(t, nil, c.args...)
			if code != c.code || words == "" || out != "" {
				t.Errorf("exit %d, want %d: %q %q", code, c.code, out, words)
			}
		})
	}
}

func TestAS2Decrypt(t *testing.T) {
	t.Parallel()
	b := newAS2Bench(t)
	stored, err := os.ReadFile(b.request(t, as2.Options{Encrypt: as2.AES128GCM}))
	if err != nil {
		t.Fatal(err)
	}
	_, bare, _ := bytes.Cut(stored, []byte("\r\n\r\n"))
	if err := os.WriteFile(b.path("bare.p7m"), bare, 0o600); err != nil {
		t.Fatal(err)
	}
	keys := []string{"--cert", b.path("bob.crt"), "--key", b.path("bob.key")}
	code, out, words := b.run(t, nil, append([]string{"decrypt", b.path("bare.p7m")}, keys...)...)
	if code != ExitOK || !strings.HasSuffix(out, "\r\n\r\nISA*~") {
		t.Errorf("exit %d, %q, %q", code, out, words)
	}
	code, out, _ = b.run(t, bytes.NewReader(bare), append([]string{"decrypt", "-", "--out", b.path("plain")}, keys...)...)
	if plain, err := os.ReadFile(b.path("plain")); code != ExitOK || out != "" || err != nil || !bytes.HasSuffix(plain, []byte("ISA*~")) {
		t.Errorf("exit %d, %q, %v", code, plain, err)
	}
	// Whatever is wrong, the words are the same.
	damaged := bytes.Clone(bare)
	damaged[len(damaged)-1] ^= 1
	answers := map[string]bool{}
	for _, c := range []struct {
		bytes []byte
		party string
	}{{damaged, "bob"}, {bare[:len(bare)-7], "bob"}, {bare, "mallory"}, {[]byte("0"), "bob"}, {nil, "bob"}} {
		code, out, words := b.run(t, bytes.NewReader(c.bytes), "decrypt", "-", "--cert", b.path(c.party+".crt"), "--key", b.path(c.party+".key"))
		if code != ExitFailed || out != "" {
			t.Errorf("exit %d, wrote %d bytes", code, len(out))
		}
		answers[words] = true
	}
	if len(answers) != 1 {
		t.Errorf("answers differ: %v", answers)
	}
}

func TestAS2Send(t *testing.T) {
	t.Parallel()
	b := newAS2Bench(t)
	read := func(name string) []byte {
		data, err := os.ReadFile(b.path(name))
		if err != nil {
			t.Error(err)
		}
		return data
	}
	bob, err := certs.ParsePair(read("bob.crt"), read("bob.key"))
	if err != nil {
		t.Fatal(err)
	}
	alice, err := certs.ParseCertificates(read("alice.crt"))
	if err != nil {
		t.Fatal(err)
	}
	partner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rcv, err := as2.Receive(r.Context(), r.Header, r.Body, as2.ReceiveOptions{Lookup: func(from, to string) (*as2.Relation, error) {
			return &as2.Relation{
				Station: as2.Station{ID: to, Keys: []as2.Key{{Certificate: bob.Certificate, Private: bob.Key}}},
				Partner: as2.Partner{ID: from, Verify: alice},
			}, nil
		}})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		defer func() { _ = rcv.Close() }()
		if rcv.Subject == "please refuse" {
			rcv.Fail(as2.DuplicateFilename, os.ErrExist)
		}
		rc, err := rcv.Receipt(as2.ReceiptOptions{MessageID: "<mdn@bob.test>", Now: b.now})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if !rcv.Request.Wanted() {
			return
		}
		for name, values := range rc.Header {
			w.Header()[name] = values
		}
		_, _ = w.Write(rc.Body)
	}))
	t.Cleanup(partner.Close)
	if err := os.WriteFile(b.path("order.edi"), []byte("ISA*~"), 0o600); err != nil {
		t.Fatal(err)
	}
	send := func(args ...string) (int, sentInfo) {
		t.Helper()
		code, out, words := b.run(t, nil, append([]string{
			"send", b.path("order.edi"), "--to", partner.URL + "/as2?x=1", "--from", "alice", "--partner", "bob",
			"--cert", b.path("alice.crt"), "--key", b.path("alice.key"), "--partner-cert", b.path("bob.crt"), "-o", "json",
		}, args...)...)
		if out == "" {
			t.Fatalf("exit %d: %s", code, words)
		}
		return code, decodeJSON[sentInfo](t, out)
	}
	if code, got := send("--compress", "--save-request", b.path("sent")); code != ExitOK || got.Status != "delivered" || !got.MICMatches || !got.Signed {
		t.Errorf("exit %d, %+v", code, got)
	}
	if _, err := os.Stat(b.path("sent")); err != nil {
		t.Error(err)
	}
	if code, got := send("--receipt", "none", "--sign", "none"); code != ExitOK || got.Status != "sent" {
		t.Errorf("no receipt: exit %d, %+v", code, got)
	}
	if code, got := send("--subject", "please refuse", "--encrypt", "none"); code != ExitRefused || got.Status != "refused" || !strings.Contains(got.Disposition, "duplicate-filename") {
		t.Errorf("refused: exit %d, %+v", code, got)
	}
	if code, got := send("--partner-cert", b.path("mallory.crt"), "--encrypt", "none"); code != ExitRefused || got.Status != "unproven" {
		t.Errorf("stranger's receipt: exit %d, %+v", code, got)
	}
}

// TestAS2Interrupted stops while the partner does not answer.
func TestAS2Interrupted(t *testing.T) {
	t.Parallel()
	b := newAS2Bench(t)
	ctx, cancel := context.WithCancel(t.Context())
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	}))
	t.Cleanup(silent.Close)
	var words bytes.Buffer
	env := &Env{Stdout: io.Discard, Stderr: &words, Random: rand.Reader, Now: func() time.Time { return b.now }, LookupEnv: os.LookupEnv}
	cmd := newAS2Command(env)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs([]string{"send", b.path("bob.crt"), "--to", silent.URL, "--from", "a", "--partner", "b", "--sign", "none", "--encrypt", "none"})
	if code := env.report(ctx, cmd.ExecuteContext(ctx)); code != ExitInterrupted {
		t.Errorf("exit %d: %s", code, words.String())
	}
}
