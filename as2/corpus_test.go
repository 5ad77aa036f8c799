package as2

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// corpus opens the corpus of other products' transmissions, which is no part
// of this project.
func corpus(t *testing.T) string {
	t.Helper()
	root := os.Getenv("TRADEPOST_CORPUS")
	if root == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("TRADEPOST_CORPUS is not set, and CI needs it")
		}
		t.Skip("TRADEPOST_CORPUS is not set: the corpus is not tested")
	}
	return filepath.Join(root, "as2")
}

func readFile(t *testing.T, elem ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readCert(t *testing.T, elem ...string) *x509.Certificate {
	t.Helper()
	b, _ := pem.Decode(readFile(t, elem...))
	c, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func readKey(t *testing.T, root, name string) Key {
	t.Helper()
	b, _ := pem.Decode(readFile(t, root, "keys", name+".key"))
	k, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return Key{Certificate: readCert(t, root, "keys", name+".crt"), Private: k.(crypto.Signer)}
}

// corpusRelation is bob hearing alice, whatever they call themselves.
func corpusRelation(t *testing.T, root string) Relation {
	bob, alice := readKey(t, root, "bob"), readCert(t, root, "keys", "alice.crt")
	return Relation{
		Station: Station{ID: "bob", Keys: []Key{bob}},
		Partner: Partner{ID: "alice", Encrypt: alice, Verify: []*x509.Certificate{alice}},
	}
}

func receiveStored(t *testing.T, rel Relation, stored []byte) *Received {
	t.Helper()
	h, body, err := ReadStored(bytes.NewReader(stored), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Receive(context.Background(), h, body, ReceiveOptions{
		Lookup: func(string, string) (*Relation, error) { return &rel, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// expectation is one entry of an expected.json.
type expectation struct {
	Expect     string
	Signed     *bool
	Encrypted  *bool
	Compressed *bool
	MIC        string `json:"mic"`
	MICAlg     string `json:"mic_alg"`
	SHA256     string `json:"mic_sha256"`
	SHA1       string `json:"mic_sha1"`
	PayloadHex string `json:"payload_hex"`
}

func expectations(t *testing.T, dir string) map[string]expectation {
	t.Helper()
	var out map[string]expectation
	if err := json.Unmarshal(readFile(t, dir, "expected.json"), &out); err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		t.Fatal("no expectations")
	}
	return out
}

// TestCorpusAccepted receives what OpenAS2, pyas2lib and a hand made peer sent.
func TestCorpusAccepted(t *testing.T) {
	t.Parallel()
	root := corpus(t)
	rel := corpusRelation(t, root)
	for _, dir := range []string{"gen-openas2/msg", "gen-pyas2lib", "gen-handmade"} {
		for name, want := range expectations(t, filepath.Join(root, dir)) {
			if !strings.HasSuffix(name, ".as2") {
				continue
			}
			t.Run(dir+"/"+name, func(t *testing.T) {
				t.Parallel()
				r := receiveStored(t, rel, readFile(t, root, dir, name))
				if m, ok := strings.CutPrefix(want.Expect, "MDN processed/error: "); ok {
					if got := modifierOf(r.Failure); got != Modifier(m) {
						t.Fatalf("failure is %v, want %s", r.Failure, m)
					}
					return
				}
				checkCorpusMessage(t, r, want)
				if p, err := os.ReadFile(filepath.Join(root, dir, strings.TrimSuffix(name, ".as2")+".payload")); err == nil {
					if got := open(t, r.Payloads[0]); !bytes.Equal(got, p) {
						t.Errorf("payload is %q, want %q", got, p)
					}
				}
			})
		}
	}
}

func checkCorpusMessage(t *testing.T, r *Received, want expectation) {
	t.Helper()
	if !strings.HasPrefix(want.Expect, "accept") {
		t.Fatalf("unknown expectation %q", want.Expect)
	}
	if r.Failure != nil {
		t.Fatalf("refused: %v", r.Failure)
	}
	for _, c := range []struct {
		what string
		got  bool
		want *bool
	}{{"signed", r.Signed, want.Signed}, {"encrypted", r.Encrypted, want.Encrypted}, {"compressed", r.Compressed, want.Compressed}} {
		if c.want != nil && c.got != *c.want {
			t.Errorf("%s is %v", c.what, c.got)
		}
	}
	for _, m := range []struct{ alg, value string }{{want.MICAlg, want.MIC}, {"sha256", want.SHA256}, {"sha1", want.SHA1}} {
		if m.value == "" {
			continue
		}
		d, err := ParseDigest(m.alg)
		if err != nil {
			t.Fatal(err)
		}
		if r.MICs[d] != m.value {
			t.Errorf("MIC %s is %s, want %s", d, r.MICs[d], m.value)
		}
		if want.MIC != "" && r.ReceiptDigest() != d {
			t.Errorf("the receipt would carry %s, want %s", r.ReceiptDigest(), d)
		}
	}
	if want.PayloadHex != "" {
		if got := hex.EncodeToString(open(t, r.Payloads[0])); got != want.PayloadHex {
			t.Errorf("payload is %s, want %s", got, want.PayloadHex)
		}
	}
}

// TestCorpusHandmadeReceipts checks the spoofed and odd receipts against the
// facts of msg-base.as2.
func TestCorpusHandmadeReceipts(t *testing.T) {
	t.Parallel()
	root := corpus(t)
	dir := filepath.Join(root, "gen-handmade")
	h, body, err := ReadStored(bytes.NewReader(readFile(t, dir, "msg-base.as2")), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	sent, err := Recall(context.Background(), h, body, nil, ReceiveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	bob := []*x509.Certificate{readCert(t, root, "keys", "bob.crt")}
	codes := map[string]OutcomeCode{
		"mdn-error-auth.mdn":                 OutcomeRefused,
		"mdn-mic-mismatch.mdn":               OutcomeMICMismatch,
		"mdn-no-mic.mdn":                     OutcomeMICMissing,
		"mdn-signed-by-stranger.mdn":         OutcomeBadSignature,
		"mdn-unknown-original-id.mdn":        OutcomeUnknownOriginal,
		"mdn-unsigned-though-requested.mdn":  OutcomeUnsigned,
		"mdn-ok.mdn":                         OutcomeDelivered,
		"mdn-ok-alg-SHA-256-upper.mdn":       OutcomeDelivered,
		"mdn-ok-lowercase-fields.mdn":        OutcomeDelivered,
		"mdn-ok-nospace-after-semicolon.mdn": OutcomeDelivered,
		"mdn-ok-nospace-before-alg.mdn":      OutcomeDelivered,
	}
	for name, want := range expectations(t, dir) {
		if !strings.HasSuffix(name, ".mdn") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, ok := codes[name]
			if !ok {
				t.Fatalf("new case, expect %q", want.Expect)
			}
			got := parseStored(t, readFile(t, dir, name)).Check(sent, bob)
			if got.Code != code || got.Delivered != (want.Expect == "delivered") {
				t.Errorf("outcome %+v, want %s", got, want.Expect)
			}
			if !got.Delivered && got.Reason == "" {
				t.Error("no reason")
			}
		})
	}
}

func parseStored(t *testing.T, stored []byte) *Receipt {
	t.Helper()
	h, body, err := ReadStored(bytes.NewReader(stored), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseReceipt(h, body, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestCorpusPeerReceipts checks what OpenAS2 and pyas2lib answered to each
// other's transmissions, as if they had been ours.
func TestCorpusPeerReceipts(t *testing.T) {
	t.Parallel()
	root := corpus(t)
	bob := readKey(t, root, "bob")
	check := func(t *testing.T, request, receipt string) Outcome {
		t.Helper()
		h, body, err := ReadStored(bytes.NewReader(readFile(t, root, request)), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		sent, err := Recall(context.Background(), h, body, []Key{bob}, ReceiveOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return parseStored(t, readFile(t, root, receipt)).Check(sent, []*x509.Certificate{bob.Certificate})
	}
	for _, receipt := range globbed(t, root, "gen-openas2/mdn/for-*.mdn") {
		name := strings.TrimPrefix(strings.TrimSuffix(filepath.Base(receipt), ".mdn"), "for-")
		if name == "01-plain-nomdn" {
			continue // no receipt was asked for; the answer is empty
		}
		t.Run("OpenAS2 answers pyas2lib "+name, func(t *testing.T) {
			t.Parallel()
			got := check(t, "gen-pyas2lib/"+name+".as2", receipt)
			want := OutcomeDelivered
			if name == "07-sign-pss-sha256" {
				want = OutcomeRefused // OpenAS2 knows no PSS
			}
			if got.Code != want {
				t.Errorf("outcome %+v", got)
			}
		})
	}
	for _, receipt := range globbed(t, root, "gen-pyas2lib/mdn/for-openas2-*.mdn") {
		name := strings.TrimPrefix(strings.TrimSuffix(filepath.Base(receipt), ".mdn"), "for-openas2-")
		t.Run("pyas2lib answers OpenAS2 "+name, func(t *testing.T) {
			t.Parallel()
			checkPyas2(t, check(t, "gen-openas2/msg/"+name+".as2", receipt), strings.Contains(name, "-sign-"), name == "00-plain")
		})
	}
	for _, receipt := range globbed(t, root, "gen-pyas2lib/*.mdn") {
		name := strings.TrimSuffix(filepath.Base(receipt), ".mdn")
		t.Run("pyas2lib answers itself "+name, func(t *testing.T) {
			t.Parallel()
			checkPyas2(t, check(t, "gen-pyas2lib/"+name+".as2", receipt), strings.Contains(name, "-sign-"), false)
		})
	}
	t.Run("OpenAS2 answers asynchronously", func(t *testing.T) {
		t.Parallel()
		got := check(t, "gen-openas2/mdn/async.request", "gen-openas2/mdn/async.mdn")
		if got.Code != OutcomeDelivered {
			t.Errorf("outcome %+v", got)
		}
	})
	for _, receipt := range globbed(t, root, "gen-openas2/mdn/neg-*.mdn") {
		name := strings.TrimSuffix(filepath.Base(receipt), ".mdn")
		t.Run("OpenAS2 refuses "+name, func(t *testing.T) {
			t.Parallel()
			h, body, err := ReadStored(bytes.NewReader(readFile(t, root, receipt)), Limits{})
			if name == "neg-unknown-as2-to" {
				if err == nil {
					_, err = ParseReceipt(h, body, Limits{})
				}
				if err == nil {
					t.Error("an HTTP 500 without a receipt was read as one")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			r, err := ParseReceipt(h, body, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if duplicate := strings.HasPrefix(name, "neg-duplicate"); r.Disposition.Positive() != duplicate {
				t.Errorf("disposition %s", r.Disposition)
			}
		})
	}
}

// checkPyas2 knows that pyas2lib gives no MIC for unsigned content.
func checkPyas2(t *testing.T, got Outcome, signed, unsignedReceipt bool) {
	t.Helper()
	want := OutcomeMICMissing
	if signed || unsignedReceipt {
		want = OutcomeDelivered
	}
	if got.Code != want || got.MICMatches != signed {
		t.Errorf("outcome %+v, want %s", got, want)
	}
}

func globbed(t *testing.T, root, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	for i, f := range files {
		files[i], err = filepath.Rel(root, f)
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// TestCorpusRefused receives the requests OpenAS2 was given to refuse.
func TestCorpusRefused(t *testing.T) {
	t.Parallel()
	root := corpus(t)
	rel := corpusRelation(t, root)
	for name, want := range map[string]Modifier{
		"neg-corrupt-compressed":      DecompressionFailed,
		"neg-encrypted-to-wrong-cert": DecryptionFailed,
		"neg-signed-by-stranger":      AuthenticationFailed,
		"neg-tampered-body":           IntegrityCheckFailed,
		"neg-truncated-ciphertext":    DecryptionFailed,
		"neg-unknown-as2-to":          UnknownTradingRelationship,
		"neg-duplicate-first":         "", // a duplicate is the caller's to find
		"async":                       "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, body, err := ReadStored(bytes.NewReader(readFile(t, root, "gen-openas2/mdn", name+".request")), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			r, err := Receive(context.Background(), h, body, ReceiveOptions{Lookup: lookup(rel)})
			if err != nil {
				t.Fatal(err)
			}
			if got := modifierOf(r.Failure); got != want {
				t.Errorf("failure %v, want %q", r.Failure, want)
			}
			if want != "" && len(r.Payloads) > 0 {
				t.Error("a refused transmission has payloads")
			}
			rc, err := r.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
			if err != nil {
				t.Fatal(err)
			}
			if back := reparse(t, rc); back.Disposition.Modifier != want || back.Disposition.Positive() != (want == "") {
				t.Errorf("the receipt says %s", back.Disposition)
			}
		})
	}
}

// TestCorpusThirdParty reads what certified and open products left behind.
func TestCorpusThirdParty(t *testing.T) {
	t.Parallel()
	root := corpus(t)
	t.Run("OpenText GXS: mixed line ends, no transfer encoding", func(t *testing.T) {
		t.Parallel()
		stored := append([]byte("AS2-From: gxs\r\nAS2-To: us\r\nMessage-ID: <gxs@test>\r\n"),
			readFile(t, root, "mimekit/octet-stream-with-mixed-line-endings.dat")...)
		r := receiveStored(t, Relation{Partner: Partner{Verify: embeddedCertificates(t, stored)}}, stored)
		if r.Failure != nil || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "SHA-1") {
			t.Fatalf("failure %v, warnings %q", r.Failure, r.Warnings)
		}
		if got := string(open(t, r.Payloads[0])); got != "This is a test from OT GXS. Please ignore.\n" {
			t.Errorf("payload %q", got)
		}
	})
	t.Run("phase2 issue 12: first line is no header, LF inside", func(t *testing.T) {
		t.Parallel()
		stored := readFile(t, root, "phase2/issue12-1.txt")
		r := receiveStored(t, Relation{Partner: Partner{Verify: embeddedCertificates(t, stored)}}, stored)
		if r.Failure != nil {
			t.Fatalf("failure %v", r.Failure)
		}
		if r.MICs[SHA1] == "" || r.Payloads[0].Filename != "test_data_2.edi" || !bytes.Contains(open(t, r.Payloads[0]), []byte("*T*:\n")) {
			t.Errorf("payload %+v", r.Payloads[0])
		}
	})
	for _, c := range []struct{ name, file, cert, id, mic string }{
		{"phase2 david", "20190925-david", "20190925-david", "", ""},
		{"phase2 issue 97: quoted Content-Type", "issue97", "", "<mftas2_07102019213832125_ctm_mft_ctm_mft_dedc08b2181a4553a0996dc5eb258615_mfttest_0>", "WX3WE/vT631XugOIxrcgSd1YPVo="},
		{"phase2 Sterling", "4af6f84c-d882-4466-8e0c-305a7fbe37b3", "4af6f84c-d882-4466-8e0c-305a7fbe37b3", "4af6f84c-d882-4466-8e0c-305a7fbe37b3@QVALIA-PSE000094", "BNIQV5N+hShfIa+06dXMM4fkS8A="},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stored := append(bytes.TrimRight(readFile(t, root, "phase2", c.file+".header"), "\r\n"), "\n\n"...)
			r := parseStored(t, append(stored, readFile(t, root, "phase2", c.file+".payload")...))
			if r.OriginalMessageID == "" || c.id != "" && r.OriginalMessageID != c.id {
				t.Errorf("Original-Message-ID %q", r.OriginalMessageID)
			}
			if c.mic != "" && (r.MIC != c.mic || r.MICDigest != SHA1) {
				t.Errorf("MIC %q %q", r.MIC, r.MICDigest)
			}
			var verify []*x509.Certificate
			if c.cert != "" {
				verify = append(verify, readCert(t, root, "phase2", c.cert+".pem"))
			}
			got := r.Check(Sent{From: r.To, To: r.From, MessageID: r.OriginalMessageID, MICs: MICs{SHA1: r.MIC}, Request: ReceiptRequest{Mode: SyncReceipt, Signed: true}}, verify)
			if got.Code != OutcomeBadSignature {
				t.Errorf("outcome %+v", got)
			}
			t.Log(r.Disposition, got.Reason)
		})
	}
	for _, name := range []string{"signed-msg.txt", "signed2.txt"} {
		t.Run("phpas2 "+name+": canonical line ends", func(t *testing.T) {
			t.Parallel()
			stored := append([]byte("AS2-From: php\nAS2-To: us\nMessage-ID: <php@test>\n"), readFile(t, root, "phpas2", name)...)
			r := receiveStored(t, Relation{Partner: Partner{Verify: embeddedCertificates(t, stored)}}, stored)
			if r.Failure != nil || len(r.Warnings) == 0 {
				t.Fatalf("failure %v, warnings %q", r.Failure, r.Warnings)
			}
			if !bytes.Contains(open(t, r.Payloads[0]), []byte("EAN008'\nBGM")) {
				t.Error("the payload's line ends were changed")
			}
		})
	}
	for name, want := range map[string]Modifier{"phpas2.raw": DecompressionFailed, "phpas2_new.raw": ""} {
		t.Run("phpas2 "+name+": 3DES, compressed, base64", func(t *testing.T) {
			t.Parallel()
			b, _ := pem.Decode(readFile(t, root, "phpas2/server.pem"))
			k, err := x509.ParsePKCS8PrivateKey(b.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			own := Key{Certificate: readCert(t, root, "phpas2/server.crt"), Private: k.(crypto.Signer)}
			stored := readFile(t, root, "phpas2", name)
			r := receiveStored(t, Relation{
				Station: Station{ID: "B", Keys: []Key{own}},
				Partner: Partner{ID: "A", Verify: []*x509.Certificate{own.Certificate}},
			}, stored)
			// The zlib stream is base64 text inside the CompressedData, an error
			// of that product. The older one has no MIME entity inside, either.
			if len(r.Warnings) == 0 || !strings.Contains(r.Warnings[0], "base64 text") {
				t.Errorf("warnings %q", r.Warnings)
			}
			if m := modifierOf(r.Failure); m != want || !r.Encrypted || !r.Signed || !r.Compressed || r.Cipher != TripleDES {
				t.Errorf("signed %v, encrypted %v, compressed %v, cipher %s, failure %v", r.Signed, r.Encrypted, r.Compressed, r.Cipher, r.Failure)
			}
		})
	}
	t.Run("phpas2 test.mdn: text/html is no receipt", func(t *testing.T) {
		t.Parallel()
		h, body, err := ReadStored(bytes.NewReader(readFile(t, root, "phpas2/test.mdn")), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if r, err := ParseReceipt(h, body, Limits{}); err == nil {
			t.Errorf("read as %s", r.Disposition)
		}
	})
	t.Run("phpas2 mic-calculation: folded header lines are hashed as sent", func(t *testing.T) {
		t.Parallel()
		b := readFile(t, root, "phpas2/mic-calculation")
		p := &peeler{stop: context.Background().Err, o: ReceiveOptions{Limits: Limits{}.withDefaults()}, rel: &Relation{}, r: &Received{}}
		if err := p.inner(bytes.NewReader(b), false); err != nil {
			t.Fatal(err)
		}
		h := newMICHasher(nil)
		_, _ = h.Write(b)
		if p.r.MICs[SHA256] != h.mics()[SHA256] {
			t.Error("the MIC is not that of the exact bytes")
		}
		if p.r.Payloads[0].Filename != "b9e89bc0-98e6-11e9-b9b5-9ed6995f3d54" {
			t.Errorf("file name %q", p.r.Payloads[0].Filename)
		}
	})
}

// embeddedCertificates gives the certificates inside a stored signature, to
// stand in for the configured ones that are lost.
func embeddedCertificates(t *testing.T, stored []byte) []*x509.Certificate {
	t.Helper()
	h, body, err := ReadStored(bytes.NewReader(stored), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var whole bytes.Buffer
	if _, err := whole.ReadFrom(body); err != nil {
		t.Fatal(err)
	}
	parts, err := splitParts(whole.Bytes(), parseMediaType(h.Get("Content-Type")), Limits{}.withDefaults())
	if err != nil || len(parts) < 2 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	sd, err := readSignature(parts[1], Limits{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	return sd.Certificates()
}

// TestCorpusLibAS2 receives the odd messages of libas2: content that is signed
// with base64 bodies, OAEP with SHA-512, GCM inside EnvelopedData.
func TestCorpusLibAS2(t *testing.T) {
	t.Parallel()
	root := corpus(t)
	rel := corpusRelation(t, root)
	for _, name := range []string{"plain", "sign-sha256", "sign-sha256-enc-aes256cbc-oaep512", "sign-sha384-enc-3des-oaep512", "enc-aes128gcm-oaep512"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := receiveStored(t, rel, readFile(t, root, "gen-libas2", name+".as2"))
			if r.Failure != nil {
				t.Fatalf("refused: %v", r.Failure)
			}
			if got := open(t, r.Payloads[0]); !bytes.Equal(got, readFile(t, root, "gen-libas2", name+".payload")) {
				t.Errorf("payload %q", got)
			}
		})
	}
}

// TestCorpusHostile receives each hostile structure as an encrypted or
// compressed body: a clean refusal, quickly.
func TestCorpusHostile(t *testing.T) {
	t.Parallel()
	root := corpus(t)
	rel := corpusRelation(t, root)
	rel.Policy.MaxPayload = 1 << 20
	for _, file := range globbed(t, root, "gen-hostile/*") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			h.Set("AS2-From", "alice")
			h.Set("AS2-To", "bob")
			h.Set("Message-ID", "<h@test>")
			h.Set("Content-Type", "application/pkcs7-mime")
			start := time.Now()
			r := receiveAt(t, rel, h, readFile(t, root, file))
			if r.Failure == nil {
				t.Fatal("accepted")
			}
			if m := modifierOf(r.Failure); m != DecryptionFailed && m != DecompressionFailed {
				t.Errorf("failure %v", r.Failure)
			}
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}
