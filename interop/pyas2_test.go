package interop

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"tradepost/as2"
	"tradepost/certs"
)

// pyas2 is pyas2lib behind the server of folder pyas2.
type pyas2 struct {
	process  *process
	key      as2.Key
	base     string
	versions struct {
		Port     int    `json:"port"`
		Secure   int    `json:"secure"`
		Pyas2lib string `json:"pyas2lib"`
		Python   string `json:"python"`
	}
}

// startPyas2 starts the product with its agreements.
func startPyas2(t *testing.T, b *bench, agreements []agreement) *pyas2 {
	t.Helper()
	python := pythonWith(t)
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	for name, key := range b.keys {
		writePEM(t, file(name+".pem"), key)
	}
	for _, s := range []*station{b.station, b.curved, b.secure} {
		write(t, file(s.id+".crt"), certs.EncodeCertificate(s.key.Certificate))
	}
	writePEM(t, file("server.pem"), b.authority.certify(t, "peer"))
	write(t, file("authority.crt"), certs.EncodeCertificate(b.authority.certificate))
	type terms struct {
		Partner     string         `json:"partner"`
		Certificate string         `json:"certificate"`
		URL         string         `json:"url"`
		Key         string         `json:"key"`
		How         string         `json:"how,omitempty"`
		Settings    map[string]any `json:"settings"`
	}
	config := struct {
		Server     string           `json:"server"`
		Authority  string           `json:"authority"`
		Agreements map[string]terms `json:"agreements"`
	}{file("server.pem"), file("authority.crt"), map[string]terms{}}
	for _, a := range agreements {
		to := terms{Partner: a.with.id, Certificate: file(a.with.id + ".crt"), URL: a.url, Key: file(a.key + ".pem"), How: a.more["how"], Settings: pyas2Settings(a)}
		if to.URL == "" {
			to.URL = a.with.url
		}
		config.Agreements[a.name] = to
	}
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file("agreements.json"), text)
	p := &pyas2{key: b.keys["peer"]}
	p.process = start(t, "", nil, python, filepath.Join("pyas2", "server.py"), file("agreements.json"))
	p.process.until(t, "pyas2lib", func() bool {
		return json.Unmarshal([]byte(p.process.out.lines(`"pyas2lib"`)), &p.versions) == nil
	})
	p.base = fmt.Sprintf("http://127.0.0.1:%d", p.versions.Port)
	return p
}

// pythonWith is a Python that has what pyas2/requirements.txt names.
func pythonWith(t *testing.T) string {
	t.Helper()
	python := tool(t, "python3", "with venv and pip")
	requirements, err := filepath.Abs(filepath.Join("pyas2", "requirements.txt"))
	if err != nil {
		t.Fatal(err)
	}
	// What is in the folder belongs to this Python and these versions.
	pinned, err := os.ReadFile(requirements)
	if err != nil {
		t.Fatal(err)
	}
	which, err := command(t.Context(), "", python, "-c", "import sys; print(sys.version, sys.prefix)")
	if err != nil {
		t.Fatal(err)
	}
	venv := cached(t, "pyas2lib-"+digest(append(pinned, which...)), func(ctx context.Context, dir string) error {
		if _, err := command(ctx, dir, python, "-m", "venv", dir); err != nil {
			return err
		}
		_, err := command(ctx, dir, inVenv(dir), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements)
		return err
	})
	return inVenv(venv)
}

func inVenv(dir string) string {
	if runtime.GOOS == "windows" {
		return filepath.Join(dir, "Scripts", "python.exe")
	}
	return filepath.Join(dir, "bin", "python")
}

// pyas2Settings are the fields of pyas2lib's Partner.
func pyas2Settings(a agreement) map[string]any {
	out := map[string]any{
		"sign": a.sign != "", "encrypt": a.encrypt != "", "compress": a.compress != as2.NoCompression,
	}
	if a.sign != "" {
		out["digest_alg"] = strings.ReplaceAll(string(a.sign), "-", "")
	}
	if a.encrypt != "" {
		out["enc_alg"] = map[as2.Cipher]string{
			as2.TripleDES: "tripledes_192_cbc", as2.AES128CBC: "aes_128_cbc", as2.AES192CBC: "aes_192_cbc", as2.AES256CBC: "aes_256_cbc",
		}[a.encrypt]
	}
	digest := "sha256"
	if a.sign != "" {
		digest = strings.ReplaceAll(string(a.sign), "-", "")
	}
	switch a.receipt {
	case syncSigned:
		out["mdn_mode"], out["mdn_digest_alg"] = "SYNC", digest
	case syncPlain:
		out["mdn_mode"] = "SYNC"
	case asyncSigned:
		out["mdn_mode"], out["mdn_digest_alg"] = "ASYNC", digest
	}
	for name, value := range a.more {
		if name != "how" {
			out[name] = value
		}
	}
	return out
}

func (p *pyas2) about() string {
	return "pyas2lib " + p.versions.Pyas2lib + " (Python " + p.versions.Python + ")"
}
func (p *pyas2) url() string                    { return p.base + "/as2" }
func (p *pyas2) secureURL() string              { return fmt.Sprintf("https://127.0.0.1:%d/as2", p.versions.Secure) }
func (p *pyas2) receiptHost() string            { return strings.TrimPrefix(p.base, "http://") }
func (p *pyas2) certificate() *x509.Certificate { return p.key.Certificate }

// records are what came for a name, refused or not.
func (p *pyas2) records(ctx context.Context, name string) ([]pyas2Record, error) {
	var out []pyas2Record
	err := p.call(ctx, http.MethodGet, "/received?name="+url.QueryEscape(name), nil, &out)
	return out, err
}

type pyas2Record struct {
	MessageID string `json:"message_id"`
	Status    string `json:"status"`
	Problem   string `json:"problem"`
	Digest    string `json:"digest"`
	Content   []byte `json:"content"`
}

func (p *pyas2) received(ctx context.Context, name string) ([][]byte, error) {
	return eventually(ctx, func() ([][]byte, bool, error) {
		records, err := p.records(ctx, name)
		var out [][]byte
		for _, r := range records {
			if r.Status == "processed" {
				out = append(out, r.Content)
			}
		}
		return out, len(out) > 0, err
	})
}

func (p *pyas2) send(ctx context.Context, name string, g goods) error {
	var verdict struct {
		HTTP   int    `json:"http"`
		Status string `json:"status"`
		Detail string `json:"detail"`
	}
	order := map[string]any{"name": name, "content": g.bytes, "content_type": g.contentType, "filename": g.filename}
	if err := p.call(ctx, http.MethodPost, "/send", order, &verdict); err != nil {
		return err
	}
	switch {
	case verdict.HTTP/100 != 2:
		return fmt.Errorf("pyas2lib was answered %d", verdict.HTTP)
	case verdict.Status != "" && verdict.Status != "processed", verdict.Detail != "":
		return errors.New("pyas2lib says of our receipt: " + strings.TrimSpace(verdict.Status+" "+verdict.Detail))
	}
	return nil
}

// call asks the server of folder pyas2.
func (p *pyas2) call(ctx context.Context, method, path string, order, into any) error {
	var body io.Reader = http.NoBody
	if order != nil {
		b, err := json.Marshal(order)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, p.base+path, body)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, last([]byte(p.process.out.String()), 2000))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
