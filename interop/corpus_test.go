package interop

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"tradepost/as2"
)

// corpusBench is the program `tradepost as2` beside the corpus of other
// products' transmissions, which is no part of this project.
type corpusBench struct {
	root, program string
	room          chan struct{} // programs at a time
}

func newCorpusBench(t *testing.T) *corpusBench {
	t.Helper()
	root := os.Getenv("TRADEPOST_CORPUS")
	if root == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("TRADEPOST_CORPUS is not set, and CI needs it")
		}
		t.Skip("TRADEPOST_CORPUS is not set: the corpus is not tested")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &corpusBench{root: filepath.Join(root, "as2"), program: program, room: make(chan struct{}, 4)}
}

func (b *corpusBench) path(name string) string {
	return filepath.Join(b.root, filepath.FromSlash(name))
}

func (b *corpusBench) read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(b.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// files are those of a folder and the folders in it, by their names in the corpus.
func (b *corpusBench) files(t *testing.T, folder, suffix string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(b.path(folder), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, suffix) {
			return err
		}
		name, err := filepath.Rel(b.root, path)
		out = append(out, filepath.ToSlash(name))
		return err
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("no %s in %s, %v", suffix, folder, err)
	}
	return out
}

// ran is one run of the program: what it said, and what it cost.
type ran struct {
	code           int
	stdout, stderr []byte
	cpu            time.Duration
	memory         int64 // most resident octets, 0 where the system does not tell
}

// What a run may cost, whatever it is given. With nothing to do the program took
// 22 MB and some milliseconds where this was written.
const (
	mostCPU    = time.Second
	mostMemory = 64 << 20
)

// run runs `tradepost as2` in a process of its own, and holds it to the limits.
func (b *corpusBench) run(t *testing.T, args ...string) ran {
	t.Helper()
	b.room <- struct{}{}
	defer func() { <-b.room }()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.program, append([]string{"as2"}, args...)...)
	report := filepath.Join(t.TempDir(), "memory")
	cmd.Env = append(os.Environ(), asProgram+"="+report, "GOMAXPROCS=1")
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	err := cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	r := ran{cmd.ProcessState.ExitCode(), out.Bytes(), words.Bytes(), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), residentMost(report)}
	for _, crash := range []string{"panic:", "fatal error:", "goroutine ", "runtime error"} {
		if bytes.Contains(r.stderr, []byte(crash)) {
			t.Errorf("as2 %s crashes:\n%s", args[0], last(r.stderr, 2000))
		}
	}
	if r.code != 0 && r.code != 1 && r.code != 4 || r.code != 0 && len(r.stderr) == 0 {
		t.Errorf("as2 %s: exit code %d, %q", args[0], r.code, last(r.stderr, 500))
	}
	if runtime.GOOS == "linux" && r.memory == 0 {
		t.Errorf("as2 %s: its memory was not told", args[0])
	}
	if r.cpu > mostCPU || r.memory > mostMemory {
		t.Errorf("as2 %s: %v of CPU, %d MB", args[0], r.cpu, r.memory>>20)
	}
	return r
}

// identity are the flags for bob, who hears alice.
func (b *corpusBench) identity() []string {
	return []string{"--cert", b.path("keys/bob.crt"), "--key", b.path("keys/bob.key"), "--partner-cert", b.path("keys/alice.crt")}
}

func (b *corpusBench) key(t *testing.T, name string) as2.Key {
	t.Helper()
	block, _ := pem.Decode(b.read(t, "keys/"+name+".key"))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	block, _ = pem.Decode(b.read(t, "keys/"+name+".crt"))
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return as2.Key{Certificate: certificate, Private: key.(crypto.Signer)}
}

// corpusCase is an entry of an expected.json.
type corpusCase struct {
	Expect     string
	MIC        string `json:"mic"`
	MICAlg     string `json:"mic_alg"`
	SHA256     string `json:"mic_sha256"`
	SHA1       string `json:"mic_sha1"`
	PayloadHex string `json:"payload_hex"`
}

func (b *corpusBench) expected(t *testing.T, folder string) map[string]corpusCase {
	t.Helper()
	var out map[string]corpusCase
	if err := json.Unmarshal(b.read(t, folder+"/expected.json"), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCorpusReceive runs `as2 receive` on every stored request.
func TestCorpusReceive(t *testing.T) {
	t.Parallel()
	b := newCorpusBench(t)
	for _, folder := range []string{"gen-openas2/msg", "gen-pyas2lib", "gen-handmade", "gen-libas2"} {
		var want map[string]corpusCase
		if folder != "gen-libas2" {
			want = b.expected(t, folder)
		}
		for _, file := range b.files(t, folder, ".as2") {
			t.Run(file, func(t *testing.T) {
				t.Parallel()
				c, told := want[filepath.Base(file)]
				payload, mdn := filepath.Join(t.TempDir(), "payload"), filepath.Join(t.TempDir(), "mdn")
				r := b.run(t, append([]string{"receive", b.path(file), "--payload", payload, "--mdn", mdn, "-o", "json"}, b.identity()...)...)
				var said struct {
					Status, Disposition, MIC, Error string
					MICAlgorithm                    string `json:"mic_algorithm"`
				}
				if err := json.Unmarshal(r.stdout, &said); err != nil {
					t.Fatalf("%v: %q, %s", err, r.stdout, r.stderr)
				}
				if _, err := os.Stat(mdn); err != nil {
					t.Error("no receipt was written")
				}
				if modifier, refused := strings.CutPrefix(c.Expect, "MDN processed/error: "); refused {
					if r.code != 4 || said.Status != "failed" || !strings.HasSuffix(said.Disposition, modifier) {
						t.Errorf("exit %d, %+v", r.code, said)
					}
					return
				}
				if r.code != 0 || said.Status != "accepted" || told && !strings.HasPrefix(c.Expect, "accept") {
					t.Fatalf("exit %d, %+v, want %q", r.code, said, c.Expect)
				}
				mics := map[string]string{}
				if c.MIC != "" {
					mics[c.MICAlg] = c.MIC
				} else if strings.ReplaceAll(said.MICAlgorithm, "-", "") == "sha1" {
					mics["sha1"] = c.SHA1
				} else {
					mics["sha256"] = c.SHA256
				}
				for digest, mic := range mics {
					if mic != "" && (said.MIC != mic || strings.ReplaceAll(said.MICAlgorithm, "-", "") != strings.ReplaceAll(digest, "-", "")) {
						t.Errorf("MIC %s, %s; want %s, %s", said.MIC, said.MICAlgorithm, mic, digest)
					}
				}
				got, err := os.ReadFile(payload)
				if err != nil {
					t.Fatal(err)
				}
				bytesWant, err := os.ReadFile(b.path(strings.TrimSuffix(file, ".as2") + ".payload"))
				if err == nil && !bytes.Equal(got, bytesWant) || c.PayloadHex != "" && hex.EncodeToString(got) != c.PayloadHex {
					t.Errorf("payload %q", last(got, 200))
				}
			})
		}
	}
}

// TestCorpusVerify runs `as2 verify` on every stored receipt, against the
// request it may answer, and compares with package as2.
func TestCorpusVerify(t *testing.T) {
	t.Parallel()
	b := newCorpusBench(t)
	bob := b.key(t, "bob")
	type pair struct{ receipt, request string }
	var pairs []pair
	for _, f := range b.files(t, "gen-handmade", ".mdn") {
		pairs = append(pairs, pair{f, "gen-handmade/msg-base.as2"})
	}
	for _, f := range b.files(t, "gen-openas2/mdn", ".mdn") {
		name := strings.TrimSuffix(filepath.Base(f), ".mdn")
		if answered, ok := strings.CutPrefix(name, "for-"); ok {
			pairs = append(pairs, pair{f, "gen-pyas2lib/" + answered + ".as2"})
		} else {
			pairs = append(pairs, pair{f, "gen-openas2/mdn/" + strings.TrimSuffix(name, "-second") + ".request"})
		}
	}
	for _, f := range b.files(t, "gen-pyas2lib", ".mdn") {
		if answered, ok := strings.CutPrefix(filepath.Base(f), "for-openas2-"); ok {
			pairs = append(pairs, pair{f, "gen-openas2/msg/" + strings.TrimSuffix(answered, ".mdn") + ".as2"})
		} else {
			pairs = append(pairs, pair{f, strings.TrimSuffix(f, ".mdn") + ".as2"})
		}
	}
	want := b.expected(t, "gen-handmade")
	delivered := 0
	for _, p := range pairs {
		if _, err := os.Stat(b.path(p.request)); err != nil {
			p.request = "gen-handmade/msg-base.as2" // it answers something else
		}
		outcome := b.outcome(t, p.receipt, p.request, bob)
		if outcome.Delivered {
			delivered++
		}
		t.Run(p.receipt, func(t *testing.T) {
			t.Parallel()
			args := []string{
				"verify", b.path(p.receipt), "--request", b.path(p.request), "--partner-cert", b.path("keys/bob.crt"),
				"--cert", b.path("keys/bob.crt"), "--key", b.path("keys/bob.key"), "-o", "json",
			}
			r := b.run(t, args...)
			var said struct {
				Delivered bool
				Code      as2.OutcomeCode
				Reason    string
			}
			if len(r.stdout) > 0 {
				if err := json.Unmarshal(r.stdout, &said); err != nil {
					t.Fatalf("%v: %q", err, r.stdout)
				}
			}
			if said.Delivered != outcome.Delivered || (r.code == 0) != outcome.Delivered || outcome.Code != "" && said.Code != outcome.Code {
				t.Errorf("exit %d, %+v; package as2 says %+v", r.code, said, outcome)
			}
			if c := want[filepath.Base(p.receipt)]; strings.HasPrefix(p.receipt, "gen-handmade/") && (c.Expect == "delivered") != said.Delivered {
				t.Errorf("%+v, want %q", said, c.Expect)
			}
		})
	}
	if delivered < 20 {
		t.Errorf("only %d receipts prove delivery", delivered)
	}
}

// outcome is what package as2 says of a receipt; nothing when it cannot be read.
func (b *corpusBench) outcome(t *testing.T, receipt, request string, key as2.Key) as2.Outcome {
	t.Helper()
	h, body, err := as2.ReadStored(bytes.NewReader(b.read(t, request)), as2.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	sent, err := as2.Recall(t.Context(), h, body, []as2.Key{key}, as2.ReceiveOptions{})
	if err != nil {
		return as2.Outcome{}
	}
	h, body, err = as2.ReadStored(bytes.NewReader(b.read(t, receipt)), as2.Limits{})
	if err != nil {
		return as2.Outcome{}
	}
	rc, err := as2.ParseReceipt(h, body, as2.Limits{})
	if err != nil {
		return as2.Outcome{}
	}
	return rc.Check(sent, []*x509.Certificate{key.Certificate})
}

// TestCorpusDecrypt runs `as2 decrypt` on what openssl encrypted, and on what
// was made to hurt: all of that is answered in the same words.
func TestCorpusDecrypt(t *testing.T) {
	t.Parallel()
	b := newCorpusBench(t)
	plain := b.read(t, "gen-openssl-cms/plaintext.mime")
	for _, file := range b.files(t, "gen-openssl-cms", ".p7m") {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			if r := b.run(t, "decrypt", b.path(file), "--cert", b.path("keys/bob.crt"), "--key", b.path("keys/bob.key")); r.code != 0 || !bytes.Equal(r.stdout, plain) {
				t.Errorf("exit %d, %s", r.code, r.stderr)
			}
		})
	}
	words := map[string]string{}
	for _, file := range b.files(t, "gen-hostile", "") {
		r := b.run(t, "decrypt", b.path(file), "--cert", b.path("keys/bob.crt"), "--key", b.path("keys/bob.key"))
		if r.code != 1 || len(r.stdout) > 0 {
			t.Errorf("%s: exit %d, %d octets", file, r.code, len(r.stdout))
		}
		words[strings.ReplaceAll(string(r.stderr), b.path(file), "FILE")] += " " + file
		t.Logf("%s: %v of CPU, %d MB", file, r.cpu, r.memory>>20)
	}
	if len(words) != 1 {
		t.Errorf("different answers: %v", words)
	}
}

// TestCorpusEverything runs every command on every file there is, whatever it
// is: the worst that may come of it is an error.
func TestCorpusEverything(t *testing.T) {
	t.Parallel()
	b := newCorpusBench(t)
	for _, file := range b.files(t, ".", "") {
		if strings.HasSuffix(file, ".payload") && !strings.HasPrefix(file, "phase2/") {
			continue // the contents of others, see TestCorpusSend
		}
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			b.run(t, append([]string{"receive", b.path(file)}, b.identity()...)...)
			b.run(t, append([]string{"verify", b.path(file), "--mic", "AAAA"}, b.identity()...)...)
			b.run(t, "decrypt", b.path(file), "--cert", b.path("keys/bob.crt"), "--key", b.path("keys/bob.key"), "--out", filepath.Join(t.TempDir(), "out"))
		})
	}
}

// TestCorpusSend runs `as2 send` on every payload of the corpus.
func TestCorpusSend(t *testing.T) {
	t.Parallel()
	b := newCorpusBench(t)
	bob, alice := b.key(t, "bob"), b.key(t, "alice")
	arrived := make(chan []byte, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rcv, err := as2.Receive(r.Context(), r.Header, r.Body, as2.ReceiveOptions{Lookup: func(from, to string) (*as2.Relation, error) {
			return &as2.Relation{
				Station: as2.Station{ID: to, Keys: []as2.Key{bob}}, Partner: as2.Partner{ID: from, Verify: []*x509.Certificate{alice.Certificate}},
				Policy: as2.Policy{RequireSigned: true, RequireEncrypted: true},
			}, nil
		}})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		defer func() { _ = rcv.Close() }() // only frees the spool
		receipt, err := rcv.Receipt(as2.ReceiptOptions{MessageID: "<r@bob.test>", Now: time.Now()})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if rcv.Failure == nil {
			body, err := rcv.Payloads[0].Open()
			if err == nil {
				var content []byte
				if content, err = io.ReadAll(body); err == nil {
					arrived <- content
				}
			}
			if err != nil {
				t.Error(err)
			}
		}
		for name, values := range receipt.Header {
			w.Header()[name] = values
		}
		_, _ = w.Write(receipt.Body)
	}))
	t.Cleanup(server.Close)
	for _, file := range b.files(t, ".", ".payload") {
		r := b.run(t, "send", b.path(file), "--to", server.URL, "--from", "alice", "--partner", "bob",
			"--cert", b.path("keys/alice.crt"), "--key", b.path("keys/alice.key"), "--partner-cert", b.path("keys/bob.crt"), "--compress", "-o", "json")
		if r.code != 0 {
			t.Errorf("%s: exit %d, %s", file, r.code, r.stderr)
			continue
		}
		if err := same(<-arrived, b.read(t, file)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
