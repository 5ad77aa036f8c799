package config

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"tradepost/certs"
)

//go:embed station.yaml.tmpl
var stationTemplate string

// New says what a station to be created looks like.
type New struct {
	Name         string // "buyer"; also the common name of the certificate when there is no AS2ID
	AS2ID        string
	Identifier   string // "ZZ:BUYER"
	AS2Address   string // "127.0.0.1:4080"
	AdminAddress string
	Database     string // DSN of a Postgres; "" = embedded store
	KeyType      certs.KeyType
	Seal         *Seal       // nil: the private key is a plain file
	Partner      *NewPartner // nil: the configuration shows one in comments
}

// Seal says what the private key of a new station is sealed with.
type Seal struct {
	// File is where a new sealing key is written; "" = it comes from Env.
	File string
	// Env is the environment variable that holds the sealing key, Key its value.
	Env string
	Key string
}

// NewPartner is what is known of the first partner.
type NewPartner struct {
	Name, AS2ID, Identifier, URL, Contact string
	Certificate                           string   // file to copy from
	Receive, Send                         []string // types of documents
}

// ExistsError tells that something is where a new station was to be written.
type ExistsError struct{ Path string }

func (e *ExistsError) Error() string {
	return e.Path + " is there already, and nothing is ever overwritten: choose another folder, or move it away"
}

// Create makes dir a station: tradepost.yaml, keys, token and folders. It
// overwrites nothing: when one of its files is there already the error is an
// *ExistsError and nothing was written. It returns the checked configuration.
func Create(dir string, n New, now time.Time, random io.Reader) (*Config, error) {
	file := filepath.Join(dir, "tradepost.yaml")
	var partnerCert []byte
	if p := n.Partner; p != nil {
		data, err := os.ReadFile(p.Certificate)
		if err != nil {
			return nil, fmt.Errorf("the certificate of partner %s cannot be read: %w", p.Name, err)
		}
		cs, err := certs.ParseCertificates(data)
		if err != nil {
			return nil, fmt.Errorf("the certificate of partner %s: %s: %w", p.Name, p.Certificate, err)
		}
		for _, c := range cs {
			partnerCert = append(partnerCert, certs.EncodeCertificate(c)...)
		}
	}
	text, err := n.text()
	if err != nil {
		return nil, err
	}
	// Whatever is wrong with the names is found before anything is written.
	if _, err := read(file, file, text, Overrides{NoFiles: true, Env: anyVariable}); err != nil {
		return nil, err
	}
	pair, err := certs.Generate(certs.Request{CommonName: cmp.Or(n.AS2ID, n.Name), Type: n.KeyType, NotBefore: now.Add(-time.Hour)}, random)
	if err != nil {
		return nil, fmt.Errorf("make the station's key: %w", err)
	}
	sealer, sealing, err := n.Seal.sealer(random)
	if err != nil {
		return nil, err
	}
	key, err := certs.SealKey(pair.Key, sealer, random)
	if err != nil {
		return nil, fmt.Errorf("make the station's key: %w", err)
	}
	token := make([]byte, 32)
	if _, err := io.ReadFull(random, token); err != nil {
		return nil, fmt.Errorf("draw the admin token: %w", err)
	}
	type entry struct {
		name string
		data []byte
		mode fs.FileMode
	}
	entries := []entry{
		{"keys/station.crt", certs.EncodeCertificate(pair.Certificate), 0o644},
		{"keys/station.key", key, 0o600},
		{"keys/admin.token", []byte("# NAME TOKEN, one a line: who may use the API\nadmin " + hex.EncodeToString(token) + "\n"), 0o600},
	}
	if len(sealing) > 0 {
		entries = append(entries, entry{n.Seal.File, sealing, 0o600})
	}
	if n.Partner != nil {
		entries = append(entries, entry{"keys/" + n.Partner.Name + ".crt", partnerCert, 0o644})
	}
	entries = append(entries, entry{"tradepost.yaml", text, 0o600}) // last: a folder with a configuration is complete
	for i, e := range entries {
		entries[i].name = absolute(dir, e.name)
		if _, err := os.Lstat(entries[i].name); !errors.Is(err, fs.ErrNotExist) {
			if err != nil {
				return nil, err
			}
			return nil, &ExistsError{entries[i].name}
		}
	}
	for _, d := range []string{"keys", "data", "backoffice/in", "backoffice/out"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, err
		}
	}
	for _, e := range entries {
		if err := writeNew(e.name, e.data, e.mode); err != nil {
			return nil, err
		}
	}
	return Load(file, Overrides{Env: n.Seal.environment()})
}

// sealer makes what the private key is sealed with, and the content of the file
// that a new sealing key goes into.
func (s *Seal) sealer(random io.Reader) (*certs.Sealer, []byte, error) {
	if s == nil {
		return nil, nil, nil
	}
	text, content := s.Key, []byte(nil)
	if s.File != "" {
		made, err := certs.NewSealingKey(random)
		if err != nil {
			return nil, nil, err
		}
		text, content = made, []byte(made+"\n")
	}
	key, err := certs.ParseSealingKey([]byte(text))
	if err != nil {
		return nil, nil, fmt.Errorf("the sealing key in %s: %w", s.Env, err)
	}
	sealer, err := certs.NewSealer(key)
	return sealer, content, err
}

// environment is anyVariable, but for the sealing key.
func (s *Seal) environment() func(string) (string, bool) {
	return func(name string) (string, bool) {
		if s != nil && name == s.Env {
			return s.Key, true
		}
		return anyVariable(name)
	}
}

// text writes the configuration.
func (n New) text() ([]byte, error) {
	t, err := template.New("station").Funcs(template.FuncMap{"quote": quote}).Parse(stationTemplate)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	values := struct {
		New
		SealFile, SealEnv string
	}{New: n}
	if n.Seal != nil {
		values.SealFile, values.SealEnv = n.Seal.File, n.Seal.Env
	}
	if err := t.Execute(&b, values); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// quote writes a YAML text: JSON's form is one.
func quote(s string) (string, error) {
	b, err := json.Marshal(s)
	return string(b), err
}

// anyVariable stands for an environment in which every variable is set: the
// one that the station will run in is not this one.
func anyVariable(string) (string, bool) { return "set", true }

// writeNew writes a file that must not be there yet.
func writeNew(path string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return &ExistsError{path}
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if syncErr := f.Sync(); err == nil {
		err = syncErr
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}
