package interop

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tradepost/as2"
)

// openSSL is the openssl program with the key files of two parties.
type openSSL struct {
	program, dir string
	now          time.Time
	parties      map[string]as2.Key
}

func newOpenSSL(t *testing.T) *openSSL {
	t.Helper()
	program, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is not installed, and CI needs it")
		}
		t.Skip("openssl is not installed: nothing is compared with it")
	}
	o := &openSSL{program: program, dir: t.TempDir(), now: time.Now()}
	o.parties = newParties(t, o.dir, "alice", "bob", "carol", "p256", "p384", "p521")
	return o
}

func (o *openSSL) path(name string) string { return filepath.Join(o.dir, name) }

func (o *openSSL) write(t *testing.T, name string, b []byte) string {
	t.Helper()
	if err := os.WriteFile(o.path(name), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return o.path(name)
}

// run runs openssl with stdin and returns its output.
func (o *openSSL) run(t *testing.T, stdin []byte, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, o.program, args...) // #nosec G204 -- fixed program, arguments of this file
	cmd.Dir, cmd.Stdin = o.dir, bytes.NewReader(stdin)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	if err := cmd.Run(); err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, words.String())
	}
	return out.Bytes()
}

// relation is station with partner.
func (o *openSSL) relation(station, partner string) as2.Relation {
	c := o.parties[partner].Certificate
	return as2.Relation{
		Station: as2.Station{ID: station, Keys: []as2.Key{o.parties[station]}},
		Partner: as2.Partner{ID: partner, Encrypt: c, Verify: []*x509.Certificate{c}},
	}
}

// document has every kind of line end, so that a changed byte shows.
var document = []byte("ISA*00*~\r\nGS*PO*~\nST*850*0001~\rSE*2*0001~\n\r\x00\xff")

func (o *openSSL) build(t *testing.T, station, partner string, opts as2.Options) (*as2.Outgoing, []byte) {
	t.Helper()
	opts.MessageID, opts.Now = "<one@alice.test>", o.now
	out, err := as2.Build(t.Context(), o.relation(station, partner), as2.Payload{
		ContentType: "application/edi-x12", Filename: "order.edi", Size: int64(len(document)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(document)), nil },
	}, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close() })
	r, err := out.Open()
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out, body
}

// verify lets openssl check a multipart/signed of ours against signer.
func (o *openSSL) verify(t *testing.T, contentType string, body []byte, signer string) []byte {
	t.Helper()
	_, boundary, ok := strings.Cut(contentType, `boundary="`)
	if !ok {
		t.Fatalf("no boundary in %s", contentType)
	}
	boundary = strings.TrimSuffix(boundary, `"`)
	pieces := bytes.Split(body, []byte("--"+boundary))
	if len(pieces) != 4 {
		t.Fatalf("%d pieces", len(pieces))
	}
	part := bytes.TrimSuffix(bytes.TrimPrefix(pieces[1], []byte("\r\n")), []byte("\r\n"))
	_, signature, _ := bytes.Cut(pieces[2], []byte("\r\n\r\n"))
	name := strings.ReplaceAll(t.Name(), "/", "_")
	content := o.write(t, name+".part", part)
	o.write(t, name+".p7s", append(append([]byte("-----BEGIN CMS-----\n"), bytes.ReplaceAll(bytes.TrimSpace(signature), []byte("\r\n"), []byte("\n"))...), "\n-----END CMS-----\n"...))
	return o.run(t, nil, "cms", "-verify", "-inform", "PEM", "-in", name+".p7s", "-content", content, "-binary",
		"-CAfile", signer+".crt", "-certfile", signer+".crt", "-purpose", "any", "-partial_chain")
}

// TestOpenSSLReadsOurs signs, encrypts and answers with us, and opens it with
// openssl.
func TestOpenSSLReadsOurs(t *testing.T) {
	t.Parallel()
	o := newOpenSSL(t)
	for _, signer := range []string{"alice", "p256", "p384", "p521"} {
		for _, digest := range []as2.Digest{as2.SHA1, as2.SHA224, as2.SHA256, as2.SHA384, as2.SHA512} {
			for _, pss := range []bool{false, true} {
				if pss && signer != "alice" {
					continue
				}
				t.Run(fmt.Sprintf("signed by %s, %s, PSS %v", signer, digest, pss), func(t *testing.T) {
					t.Parallel()
					out, body := o.build(t, signer, "bob", as2.Options{Sign: digest, PSS: pss})
					got := o.verify(t, out.Header.Get("Content-Type"), body, signer)
					if !bytes.HasSuffix(got, append([]byte("\r\n\r\n"), document...)) {
						t.Errorf("openssl read %q", got)
					}
					part := o.write(t, strings.ReplaceAll(t.Name(), "/", "_")+".signed", got)
					if mic := o.mic(t, strings.Replace(string(digest), "-", "", 1), part); out.MICs[digest] != mic {
						t.Errorf("MIC %s, openssl has %s", out.MICs[digest], mic)
					}
				})
			}
		}
	}
	for _, cipher := range []as2.Cipher{as2.AES128CBC, as2.AES192CBC, as2.AES256CBC, as2.AES128GCM, as2.AES192GCM, as2.AES256GCM, as2.TripleDES} {
		for _, recipient := range []string{"bob", "p256", "p384", "p521"} {
			for _, oaep := range []bool{false, true} {
				if oaep && recipient != "bob" {
					continue
				}
				t.Run(fmt.Sprintf("%s to %s, OAEP %v", cipher, recipient, oaep), func(t *testing.T) {
					t.Parallel()
					_, body := o.build(t, "alice", recipient, as2.Options{Encrypt: cipher, OAEP: oaep, EncryptToSelf: true, DER: recipient == "p384"})
					for _, reader := range []string{recipient, "alice"} {
						got := o.run(t, body, "cms", "-decrypt", "-inform", "DER", "-binary", "-recip", reader+".crt", "-inkey", reader+".key")
						if !bytes.HasSuffix(got, append([]byte("\r\n\r\n"), document...)) {
							t.Errorf("openssl read %q as %s", got, reader)
						}
					}
				})
			}
		}
	}
	t.Run("receipt", func(t *testing.T) {
		t.Parallel()
		out, body := o.build(t, "alice", "bob", as2.Options{Sign: as2.SHA256, Receipt: as2.ReceiptRequest{Mode: as2.SyncReceipt, Signed: true}})
		rc := o.receipt(t, out.Header, body)
		got := o.verify(t, rc.Header.Get("Content-Type"), rc.Body, "bob")
		if !bytes.Contains(got, []byte("Original-Message-ID: <one@alice.test>\r\n")) {
			t.Errorf("openssl read %q", got)
		}
	})
}

// receipt is bob's answer to a transmission.
func (o *openSSL) receipt(t *testing.T, h http.Header, body []byte) *as2.Receipt {
	t.Helper()
	rcv := o.receive(t, h, body)
	rc, err := rcv.Receipt(as2.ReceiptOptions{MessageID: "<r@bob.test>", Now: o.now})
	if err != nil {
		t.Fatal(err)
	}
	return rc
}

// receive receives as bob, whoever sent it.
func (o *openSSL) receive(t *testing.T, h http.Header, body []byte) *as2.Received {
	t.Helper()
	rcv, err := as2.Receive(t.Context(), h, bytes.NewReader(body), as2.ReceiveOptions{
		Lookup: func(from, to string) (*as2.Relation, error) {
			rel := o.relation(to, from)
			return &rel, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rcv.Close() })
	return rcv
}

// accept receives and compares the document.
func (o *openSSL) accept(t *testing.T, h http.Header, body []byte) *as2.Received {
	t.Helper()
	rcv := o.receive(t, h, body)
	if rcv.Failure != nil {
		t.Fatalf("refused: %v", rcv.Failure)
	}
	r, err := rcv.Payloads[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, document) {
		t.Errorf("read %q, %v", got, err)
	}
	return rcv
}

// mic is what openssl has for the MIC of a file.
func (o *openSSL) mic(t *testing.T, digest, file string) string {
	t.Helper()
	return base64.StdEncoding.EncodeToString(o.run(t, nil, "dgst", "-"+digest, "-binary", file))
}

func header(from, to, contentType string) http.Header {
	h := http.Header{}
	h.Set("AS2-From", from)
	h.Set("AS2-To", to)
	h.Set("Message-ID", "<hand@test>")
	h.Set("Content-Type", contentType)
	return h
}

// TestWeReadOpenSSL signs and encrypts with openssl, and receives it.
func TestWeReadOpenSSL(t *testing.T) {
	t.Parallel()
	o := newOpenSSL(t)
	part := append([]byte("Content-Type: application/edi-x12\r\n\r\n"), document...)
	content := o.write(t, "part", part)
	for _, signer := range []string{"alice", "p256", "p384", "p521"} {
		for _, digest := range []string{"sha1", "sha224", "sha256", "sha384", "sha512"} {
			for name, extra := range map[string][]string{
				"plain":          nil,
				"key identifier": {"-keyid"},
				"no certificate": {"-nocerts"},
				"no attributes":  {"-noattr"},
				"no capabilities": {
					"-nosmimecap",
				},
				"PSS": {"-keyopt", "rsa_padding_mode:pss"},
			} {
				if name == "PSS" && signer != "alice" {
					continue
				}
				t.Run(fmt.Sprintf("signed by %s, %s, %s", signer, digest, name), func(t *testing.T) {
					t.Parallel()
					args := append([]string{"cms", "-sign", "-binary", "-in", content, "-outform", "DER", "-md", digest, "-signer", signer + ".crt", "-inkey", signer + ".key"}, extra...)
					signature := o.run(t, nil, args...)
					var b bytes.Buffer
					b.WriteString("--b\r\n")
					b.Write(part)
					b.WriteString("\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\n")
					b.Write(signature)
					b.WriteString("\r\n--b--\r\n")
					rcv := o.accept(t, header(signer, "bob", "multipart/signed; micalg="+digest+"; boundary=b"), b.Bytes())
					if want, err := as2.ParseDigest(digest); err != nil || rcv.Digest != want {
						t.Errorf("digest %s, want %s", rcv.Digest, digest)
					}
					if mic := o.mic(t, digest, content); rcv.MICs[rcv.Digest] != mic {
						t.Errorf("MIC %s, openssl has %s", rcv.MICs[rcv.Digest], mic)
					}
					// Enveloping the same content.
					args = append(args, "-nodetach")
					o.accept(t, header(signer, "bob", "application/pkcs7-mime; smime-type=signed-data"), o.run(t, nil, args...))
				})
			}
		}
	}
	for _, cipher := range []string{"aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "aes-128-gcm", "aes-192-gcm", "aes-256-gcm", "des-ede3-cbc"} {
		for name, c := range map[string]struct {
			to    string
			extra []string
		}{
			"RSA":                  {"bob", nil},
			"indefinite length":    {"bob", []string{"-stream"}},
			"key identifier":       {"bob", []string{"-keyid"}},
			"several recipients":   {"bob", []string{"-recip", "carol.crt", "-recip", "p256.crt"}},
			"OAEP":                 {"bob", []string{"-keyopt", "rsa_padding_mode:oaep"}},
			"OAEP with SHA-256":    {"bob", []string{"-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"}},
			"ECDH":                 {"p256", nil},
			"ECDH with SHA-256":    {"p256", []string{"-keyopt", "ecdh_kdf_md:sha256"}},
			"ECDH with P-384":      {"p384", []string{"-keyopt", "ecdh_kdf_md:sha384"}},
			"ECDH with P-521":      {"p521", []string{"-keyopt", "ecdh_kdf_md:sha512"}},
			"ECDH, cofactor":       {"p256", []string{"-keyopt", "ecdh_cofactor_mode:1"}},
			"ECDH, key identifier": {"p256", []string{"-keyid"}},
		} {
			t.Run(cipher+", "+name, func(t *testing.T) {
				t.Parallel()
				args := append([]string{"cms", "-encrypt", "-binary", "-in", content, "-outform", "DER", "-" + cipher, "-recip", c.to + ".crt"}, c.extra...)
				rcv := o.accept(t, header("alice", c.to, "application/pkcs7-mime"), o.run(t, nil, args...))
				if want, err := as2.ParseCipher(cipher); err != nil || rcv.Cipher != want {
					t.Errorf("cipher %s, want %s", rcv.Cipher, cipher)
				}
			})
		}
	}
}
