package cms

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
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

func TestCorpusHostile(t *testing.T) {
	t.Parallel()
	dir := corpusDir(t)
	bob := corpusParty(t, dir, "bob")
	files, err := filepath.Glob(filepath.Join(dir, "gen-hostile", "*"))
	if err != nil || len(files) < 6 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, _, errD := decryptAll(b, Limits{}, bob.decryption())
		_, errS := ParseSignedData(bytes.NewReader(b), Limits{})
		var n int64
		r, errZ := Decompress(bytes.NewReader(b), Limits{Content: 32 << 20})
		if errZ == nil {
			n, errZ = io.Copy(io.Discard, r)
		}
		t.Logf("%s:\n decrypt %v\n signed %v\n decompress %v (%d)", filepath.Base(path), errD, errS, errZ, n)
		if errD == nil || errS == nil || errZ == nil {
			t.Errorf("%s: read without an error", filepath.Base(path))
		}
	}
}
