package cms

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/textproto"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCorpusOpenSSL(t *testing.T) {
	t.Parallel()
	dir := corpusDir(t)
	bob := corpusParty(t, dir, "bob")
	folder := filepath.Join(dir, "gen-openssl-cms")
	var expected map[string]struct{ Expect string }
	if err := json.Unmarshal(readFile(t, filepath.Join(folder, "expected.json")), &expected); err != nil {
		t.Fatal(err)
	}
	if len(expected) < 8 {
		t.Fatalf("only %d cases", len(expected))
	}
	want := readFile(t, filepath.Join(folder, "plaintext.mime"))
	for name, e := range expected {
		if e.Expect != "decrypts to plaintext.mime" {
			t.Errorf("%s: an expectation this test does not know: %q", name, e.Expect)
			continue
		}
		got, d, err := decryptAll(readFile(t, filepath.Join(folder, name)), Limits{}, bob.decryption())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %d octets that are not plaintext.mime", name, len(got))
		}
		t.Logf("%s: %s, %s, %d recipients", name, d.Cipher, d.Scheme, len(d.Recipients))
	}
}

// TestCorpusMessages takes the CMS layers off messages that other products made,
// in whatever order they come, and checks each signature.
func TestCorpusMessages(t *testing.T) {
	t.Parallel()
	dir := corpusDir(t)
	o := opener{
		keys:    []DecryptionKey{corpusParty(t, dir, "bob").decryption()},
		trusted: []*x509.Certificate{corpusParty(t, dir, "alice").cert},
	}
	total := map[string]int{}
	for _, folder := range []string{"gen-openas2/msg", "gen-pyas2lib", "gen-libas2"} {
		files, err := filepath.Glob(filepath.Join(dir, folder, "*.as2"))
		if err != nil || len(files) < 5 {
			t.Fatalf("%s: %d messages, %v", folder, len(files), err)
		}
		for _, path := range files {
			name := folder + "/" + filepath.Base(path)
			o.layers = nil
			got, err := o.open(readFile(t, path))
			if err != nil {
				t.Errorf("%s: after %v: %v", name, o.layers, err)
				continue
			}
			want := readFile(t, strings.TrimSuffix(path, ".as2")+".payload")
			if !bytes.Equal(got, want) {
				t.Errorf("%s: after %v %d octets that are not the payload's %d", name, o.layers, len(got), len(want))
			}
			t.Logf("%s: %v", name, o.layers)
			for _, l := range o.layers {
				total[strings.Fields(l)[0]]++
			}
		}
	}
	if total["signed"] < 15 || total["encrypted"] < 12 || total["compressed"] < 5 {
		t.Errorf("too little was opened: %v", total)
	}
}

// opener takes MIME and CMS layers off. It is as simple as the corpus allows.
type opener struct {
	keys    []DecryptionKey
	trusted []*x509.Certificate
	layers  []string
}

func (o *opener) open(entity []byte) ([]byte, error) {
	buffered := bufio.NewReader(bytes.NewReader(entity))
	header, err := textproto.NewReader(buffered).ReadMIMEHeader()
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	body, err := io.ReadAll(buffered)
	if err != nil {
		return nil, err
	}
	mediaType, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		mediaType = "application/octet-stream"
	}
	if mediaType == "multipart/signed" {
		return o.signed(body, parameters["boundary"])
	}
	if strings.EqualFold(header.Get("Content-Transfer-Encoding"), "base64") {
		if body, err = io.ReadAll(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(body))); err != nil {
			return nil, fmt.Errorf("base64: %w", err)
		}
	}
	if !strings.HasSuffix(mediaType, "pkcs7-mime") {
		return body, nil
	}
	kind, err := Peek(bufio.NewReader(bytes.NewReader(body)))
	if err != nil {
		return nil, err
	}
	var inner []byte
	if kind == OIDCompressedData {
		o.layers = append(o.layers, "compressed")
		inner, err = decompressAll(body, Limits{})
	} else {
		var d *Decrypted
		if inner, d, err = decryptAll(body, Limits{}, o.keys...); d != nil {
			o.layers = append(o.layers, fmt.Sprintf("encrypted %s %s", d.Cipher, d.Scheme))
		}
	}
	if err != nil {
		return nil, err
	}
	return o.open(inner)
}

func (o *opener) signed(body []byte, boundary string) ([]byte, error) {
	parts := bytes.Split(append([]byte("\r\n"), body...), []byte("\r\n--"+boundary))
	if len(parts) < 4 {
		return nil, fmt.Errorf("%d parts", len(parts))
	}
	content := bytes.TrimPrefix(parts[1], []byte("\r\n"))
	inner := opener{}
	signature, err := inner.open(bytes.TrimPrefix(parts[2], []byte("\r\n")))
	if err != nil {
		return nil, err
	}
	parsed, err := ParseSignedData(bytes.NewReader(signature), Limits{})
	if err != nil {
		return nil, err
	}
	digests := map[Digest][]byte{}
	for _, d := range parsed.Digests() {
		digests[d] = digestBy(d, content)
	}
	v, err := parsed.Verify(digests, o.trusted, time.Time{})
	if err != nil {
		return nil, err
	}
	o.layers = append(o.layers, fmt.Sprintf("signed %s %s, %d certificates", v.Digest, v.Scheme, len(parsed.Certificates())))
	return o.open(content)
}
