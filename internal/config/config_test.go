package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tradepost/certs"
	"tradepost/partners"
	"tradepost/transport"

	"github.com/google/go-cmp/cmp"
)

// good is a whole configuration; the tests change a line of it.
const good = `# the buyer's station
station:
  name: buyer
  as2_id: BUYER
  identifiers: ["ZZ:BUYER"]
  certificate: keys/station.crt
  key: keys/station.key
store: {database: "postgres://tradepost:${PASSWORD}@db/tradepost"}
listen:
  as2: "127.0.0.1:4080"
  admin: "127.0.0.1:4081"
partners:
  - name: supplier
    as2_id: SUPPLIER
    identifiers: ["ZZ:SUPPLIER", "01:987654321"]
    certificates: [keys/supplier.crt]
    contact: EDI desk, +1 555 0100
partnerships:
  - partner: supplier
    connection: supplier-as2
    acknowledge: 997
    acknowledge_within: 2d
    inbound:
      - {document: 856, deliver: back-office}
    outbound:
      - {document: 850, guide: guides/supplier.guide}
    as2: {sign: sha256, compress: true, require_encrypted: false}
connections:
  - {name: supplier-as2, connector: as2, partner: supplier, url: "http://127.0.0.1:5080/as2", tls: {min_version: "1.3"}}
  - name: back-office
    connector: directory
    pickup: backoffice/out
    deliver: backoffice/in
limits: {transmission: 64MB}
`

// station makes a folder with keys and the configuration.
func station(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{"keys", "guides"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"station", "supplier", "other"} {
		pair, err := certs.Generate(certs.Request{CommonName: name, Type: certs.P256, NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		key, err := certs.EncodeKey(pair.Key)
		if err != nil {
			t.Fatal(err)
		}
		write("keys/"+name+".crt", certs.EncodeCertificate(pair.Certificate))
		write("keys/"+name+".key", key)
	}
	write("keys/notes.txt", []byte("nothing to see here\n"))
	write("guides/supplier.guide", []byte("guide\n"))
	write("tradepost.yaml", []byte(text))
	return filepath.Join(dir, "tradepost.yaml")
}

func env(name string) (string, bool) { return "hunter2", name == "PASSWORD" }

func TestLoad(t *testing.T) {
	t.Parallel()
	file := station(t, good)
	c, err := Load(file, Overrides{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(file)
	want := &Config{
		File: file, Dir: dir,
		Store:   Store{Data: filepath.Join(dir, "data"), Database: "postgres://tradepost:hunter2@db/tradepost"},
		Listen:  Listen{AS2: "127.0.0.1:4080", AS2Path: "/as2", Admin: "127.0.0.1:4081", AdminToken: filepath.Join(dir, "keys/admin.token")},
		Monitor: Monitor{Every: 30 * time.Second, Certificate: 60 * 24 * time.Hour},
		Limits:  Limits{Transmission: 64 << 20, Workers: 4, Drain: 30 * time.Second, Connections: 1024, Requests: 128, Share: 50},
		Logs:    Logs{Level: "info", Format: "text"},
	}
	d := c.Directory
	c.Directory, c.source, c.named = nil, nil, ""
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(Config{})); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(partners.Station{
		Name: "buyer", AS2ID: "BUYER", Identifiers: []partners.Identifier{{Qualifier: "ZZ", ID: "BUYER"}},
		Certificate: filepath.Join(dir, "keys/station.crt"), Key: filepath.Join(dir, "keys/station.key"),
	}, d.Station()); diff != "" {
		t.Errorf("station (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]partners.Partner{{
		Name: "supplier", AS2ID: "SUPPLIER",
		Identifiers:  []partners.Identifier{{Qualifier: "ZZ", ID: "SUPPLIER"}, {Qualifier: "01", ID: "987654321"}},
		Certificates: []partners.CertificateFile{{File: filepath.Join(dir, "keys/supplier.crt")}}, Contact: "EDI desk, +1 555 0100", CertificateExchange: "ask",
	}}, d.Partners()); diff != "" {
		t.Errorf("partners (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]partners.Partnership{{
		Partner: "supplier", Connection: "supplier-as2", Acknowledge: "997", AckWithin: 48 * time.Hour, Profile: "tolerant",
		Inbound:  []partners.DocumentRule{{Type: "856", Deliver: "back-office"}},
		Outbound: []partners.DocumentRule{{Type: "850", Guide: filepath.Join(dir, "guides/supplier.guide")}},
		AS2: partners.AS2Policy{
			Sign: "sha-256", Encrypt: "aes-256-cbc", Compress: true, Receipt: "sync", SignedReceipt: true, RequireSigned: true,
			AcceptDigests: []string{"sha-224", "sha-256", "sha-384", "sha-512"}, ReceiptMIC: "signature",
		},
	}}, d.Partnerships()); diff != "" {
		t.Errorf("partnerships (-want +got):\n%s", diff)
	}
	for i, settings := range []string{
		`{"tls":{"min_version":"1.3"},"url":"http://127.0.0.1:5080/as2"}`,
		`{"deliver":"backoffice/in","pickup":"backoffice/out"}`,
	} {
		if got := string(d.Connections()[i].Settings); got != settings {
			t.Errorf("settings of connection %d: %s, want %s", i, got, settings)
		}
	}
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	file := station(t, good)
	data := t.TempDir()
	c, err := Load(file, Overrides{Env: env, Data: data, Database: "postgres://elsewhere/x"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Store != (Store{Data: data, Database: "postgres://elsewhere/x"}) {
		t.Errorf("store %+v", c.Store)
	}
}

func TestBrokenKeysDoNotHideTheStore(t *testing.T) {
	t.Parallel()
	file := station(t, strings.Replace(good, "keys/station.key", "keys/gone.key", 1))
	if _, err := Load(file, Overrides{Env: env}); err == nil {
		t.Error("a missing key was not noticed")
	}
	c, err := Load(file, Overrides{Env: env, NoFiles: true})
	if err != nil {
		t.Fatal(err)
	}
	if ps := c.CheckFiles(); len(ps) != 1 || ps[0].Path != "station.key" || ps[0].Line != 7 {
		t.Errorf("problems %+v, want station.key in line 7", ps)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		from, to string   // the change of the good configuration
		want     []string // "line:column: path: text", beginnings
		hint     string   // of the first
	}{
		{"unknown key", "as2_id: BUYER", "as2id: BUYER", []string{`4:3: station.as2id: unknown key "as2id"`}, "did you mean as2_id?"},
		{"unknown key, nothing near", "as2_id: BUYER", "colour: red", []string{`4:3: station.colour: unknown key "colour"`}, "keys here are name, as2_id"},
		{"unknown section", "limits:", "limts:", []string{`34:1: limts: unknown key "limts"`}, "did you mean limits?"},
		{"not YAML", "identifiers: [\"ZZ:BUYER\"]", "identifiers: [\"ZZ:BUYER\"", []string{"6:3: this is not YAML"}, ""},
		{"a key twice", "  name: buyer", "  name: buyer\n  name: seller", []string{"4:3: this is not YAML: mapping key \"name\" already defined"}, ""},
		{"a text where a section belongs", `store: {database: "postgres://tradepost:${PASSWORD}@db/tradepost"}`, "store: here", []string{"8:8: store: a section is wanted here, not a text"}, ""},
		{"a section where a list belongs", "partners:\n  - name", "partners:\n    name", []string{"13:5: partners: a list is wanted here, not a section"}, ""},
		{"a text where true or false belongs", "require_encrypted: false", "require_encrypted: no", []string{"27:60: partnerships[0].as2.require_encrypted: true or false is wanted here, not a text"}, ""},
		{"compression nobody knows", "compress: true", "compress: yes", []string{`27:35: partnerships[0].as2.compress: "yes" is not known here`}, "before-signing, after-signing, none"},
		{"missing value", "as2_id: SUPPLIER", "as2_id:", []string{"14:5: partners[0].as2_id: the value is missing"}, ""},
		{"missing name", "  - name: supplier\n    as2_id", "  - as2_id", []string{"13:5: partners[0].name: name is missing"}, ""},
		{"bad duration", "2d", "2 days", []string{`22:25: partnerships[0].acknowledge_within: "2 days" is no duration`}, "24h"},
		{"bad size", "64MB", "lots", []string{`34:24: limits.transmission: "lots" is no size`}, ""},
		{"bad address", `"127.0.0.1:4081"`, "localhost", []string{`11:10: listen.admin: "localhost" is no address to listen on`}, ""},
		{"bad port", `"127.0.0.1:4081"`, "localhost:99999", []string{`11:10: listen.admin: "localhost:99999" is no address`}, ""},
		{"one port for both", `"127.0.0.1:4081"`, ":4080", []string{"11:10: listen.admin: :4080 is already taken by the AS2 listener"}, ""},
		{"bad identifier", `"01:987654321"`, `"01:"`, []string{`15:34: partners[0].identifiers[1]: "01:" has no id`}, ""},
		{"bad digest", "sha256", "crc32", []string{`27:17: partnerships[0].as2.sign: "crc32" is no digest`}, ""},
		{"md5 to sign with", "sha256", "md5", []string{"27:17: partnerships[0].as2.sign: what is signed with MD5 proves nothing"}, "accept_digests"},
		{"bad digest in a list", "compress: true", "accept_digests: [sha-256, crc]", []string{`27:51: partnerships[0].as2.accept_digests[1]: "crc" is no digest`}, "sha-384"},
		{"bad cipher in a list", "compress: true", "accept_ciphers: rot13", []string{`27:41: partnerships[0].as2.accept_ciphers[0]: "rot13" is no cipher`}, "aes-256-gcm"},
		{"a fallback for nothing", "compress: true", "encrypt_fallback: aes-256-cbc", []string{"27:43: partnerships[0].as2.encrypt_fallback: it stands in for AES-GCM, and encrypt is aes-256-cbc"}, "aes-256-gcm"},
		{"a fallback that is none", "compress: true", "encrypt: aes-256-gcm, encrypt_fallback: aes-128-gcm", []string{"27:65: partnerships[0].as2.encrypt_fallback: it is for partners that cannot read AES-GCM"}, "aes-256-cbc"},
		{"a way to sign nothing", "sign: sha256", "sign: none, signature_scheme: pss", []string{"27:41: partnerships[0].as2.signature_scheme: nothing is signed"}, "sha-256"},
		{"a way to encrypt nothing", "compress: true", "encrypt: none, encrypt_to_self: true", []string{"27:57: partnerships[0].as2.encrypt_to_self: nothing is encrypted"}, "aes-256-cbc"},
		{"digests of no receipt", "compress: true", "receipt: none, receipt_digests: [sha-512]", []string{"27:57: partnerships[0].as2.receipt_digests: no signed receipt is asked for"}, "signed receipt"},
		{"a product nobody tried", "compress: true", "peer: mendel", []string{`27:31: partnerships[0].as2.peer: "mendel" is no product that was tried: openas2 and pyas2 are`}, "one by one"},
		{"what the product cannot read", "compress: true", "peer: openas2, key_transport: oaep, encrypt: aes-256-gcm", []string{"27:55: partnerships[0].as2.key_transport: openas2 does not read RSAES-OAEP", "27:70: partnerships[0].as2.encrypt: openas2 does not read AES-GCM"}, "docs/interop.md"},
		{"more than anybody may send", "compress: true", "max_payload: 65MB", []string{"27:38: partnerships[0].as2.max_payload: it is more than the station takes of anybody"}, "limits.transmission"},
		{"no network", `admin: "127.0.0.1:4081"`, `proxies: [10.0.0.0/8, front]`, []string{`11:25: listen.proxies[1]: "front" is neither an address nor a network`}, "10.0.0.0/8"},
		{"unknown connector", "connector: directory", "connector: pigeon", []string{`31:16: connections[1].connector: there is no connector "pigeon"`}, ""},
		{"unknown setting", "pickup: backoffice/out", "pikcup: backoffice/out", []string{"32:13: connections[1].pikcup: unknown setting"}, ""},
		{"bad setting", `"1.3"`, `"1.1"`, []string{`29:114: connections[0].tls.min_version: "1.1": want 1.2 or 1.3`}, ""},
		{"connection without its settings", "    pickup: backoffice/out\n    deliver: backoffice/in\n", "", []string{"30:5: connections[1].pickup: neither pickup nor deliver is set"}, ""},
		{"unset variable", "${PASSWORD}", "${PASSWROD}", []string{"8:19: store.database: the environment has no ${PASSWROD}"}, ""},
		{"not Postgres", "postgres://tradepost:${PASSWORD}@db/tradepost", "mysql://db", []string{"8:19: store.database: the database is not a Postgres URL"}, ""},
		{"name that points nowhere", "connection: supplier-as2", "connection: suplier-as2", []string{`20:17: partnerships[0].connection: there is no connection "suplier-as2"`}, "connections are supplier-as2, back-office"},
		{"two partners with one AS2 id", "partnerships:", "  - name: acme\n    as2_id: SUPPLIER\npartnerships:", []string{`19:13: partners[1].as2_id: "SUPPLIER" is already the AS2 id of partner supplier`}, ""},
		{"two partners with one identifier", "partnerships:", "  - name: acme\n    identifiers: [\"1:987654321\"]\npartnerships:", []string{`19:19: partners[1].identifiers[0]: 1:987654321 is already an identifier of partner supplier`}, ""},
		{"missing certificate", "keys/supplier.crt", "keys/gone.crt", []string{"16:20: partners[0].certificates[0]: DIR/keys/gone.crt cannot be read: no such file"}, ""},
		{"unreadable certificate", "keys/supplier.crt", "keys/notes.txt", []string{"16:20: partners[0].certificates[0]: DIR/keys/notes.txt holds no certificate"}, "ask partner supplier"},
		{"a key of another certificate", "keys/station.key", "keys/other.key", []string{"7:8: station.key: the key does not belong to the certificate in DIR/keys/station.crt"}, ""},
		{"a certificate without its key", "  key: keys/station.key\n", "", []string{"3:3: station: a certificate and its key belong together"}, ""},
		{"missing guide", "guides/supplier.guide", "guides/gone.guide", []string{"26:32: partnerships[0].outbound[0].guide: DIR/guides/gone.guide cannot be read"}, ""},
		{"asynchronous receipts without an address", "compress: true", "receipt: async", []string{"27:34: partnerships[0].as2.receipt: an asynchronous receipt needs an address"}, "as2_url"},
		{"an alias", "as2_id: SUPPLIER", "as2_id: *x", []string{"14:13: partners[0].as2_id: a text is wanted here, not a YAML anchor or alias"}, ""},
		{"two documents", "limits:", "---\nlimits:", []string{"35:1: a second YAML document begins here"}, ""},
		{
			"several at once", "as2_id: BUYER\n  identifiers: [\"ZZ:BUYER\"]", "as2id: BUYER\n  identifiers: [\":\"]\n  nane: x",
			[]string{`4:3: station.as2id: unknown key`, `5:17: station.identifiers[0]: ":" has no id`, `6:3: station.nane: unknown key`},
			"",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(good, c.from, c.to, 1)
			if text == good {
				t.Fatalf("%q is not in the good configuration", c.from)
			}
			file := station(t, text)
			_, err := Load(file, Overrides{Env: env})
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v, want an *Error", err)
			}
			var got []string
			for _, p := range e.Problems {
				line := strings.ReplaceAll(problemLine(p), filepath.Dir(file), "DIR")
				got = append(got, line)
			}
			if len(got) != len(c.want) {
				t.Fatalf("problems:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
			for i := range got {
				if !strings.HasPrefix(got[i], c.want[i]) {
					t.Errorf("problem %q, want %q", got[i], c.want[i])
				}
			}
			if !strings.Contains(e.Problems[0].Hint, c.hint) {
				t.Errorf("hint %q, want %q in it", e.Problems[0].Hint, c.hint)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the error shows a secret of the environment")
			}
		})
	}
}

// problemLine writes a problem as the first line of its text in an Error.
func problemLine(p Problem) string {
	first, _, _ := strings.Cut((&Error{Problems: []Problem{p}}).Error(), "\n")
	return strings.TrimPrefix(first, ":")
}

var update = flag.Bool("update", false, "write the golden files")

func TestErrorShowsTheMarkedLine(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][2]string{
		"unknown-key":  {"as2_id: BUYER", "as2id: BUYER"},
		"two-problems": {"127.0.0.1:4081\"\npartners:", "127.0.0.1:4080\"\npartnesr:"},
		"syntax":       {`["ZZ:BUYER"]`, `["ZZ:BUYER"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := read("tradepost.yaml", "/station/tradepost.yaml", []byte(strings.Replace(good, change[0], change[1], 1)), Overrides{Env: env, NoFiles: true})
			if err == nil {
				t.Fatal("no error")
			}
			golden := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, readErr := os.ReadFile(golden)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if diff := cmp.Diff(string(want), err.Error()+"\n"); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoConfiguration(t *testing.T) {
	t.Parallel()
	_, err := Load(filepath.Join(t.TempDir(), "tradepost.yaml"), Overrides{})
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(err.Error(), "tradepost init") {
		t.Errorf("error %v, want an *Error that names `tradepost init`", err)
	}
	for name, text := range map[string]string{"empty": "", "comment": "# nothing\n", "binary": "\xff\xfe\x00"} {
		if _, err := Load(station(t, text), Overrides{}); !errors.As(err, &e) {
			t.Errorf("%s: error %v, want an *Error", name, err)
		}
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	c, err := Load(station(t, good), Overrides{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		path string
		line int
	}{{"url", 29}, {"tls.min_version", 29}, {"receipt_hosts.0", 29}, {"timeout", 29}, {"", 29}} {
		var e *Error
		if !errors.As(c.Explain(&transport.SettingsError{Connection: "supplier-as2", Path: x.path, Msg: "not good"}), &e) || e.Problems[0].Line != x.line {
			t.Errorf("setting %q: %v, want line %d", x.path, e, x.line)
		}
	}
	other := errors.New("something else")
	if got := c.Explain(other); got != other { //nolint:errorlint // it must come back as it is
		t.Errorf("another error became %v", got)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(good)
	f.Add("station: {name: x\n")
	f.Add("a: &x [*x]\n")
	f.Add("? [a]\n: b\n")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := read("tradepost.yaml", "/station/tradepost.yaml", []byte(text), Overrides{Env: env, NoFiles: true})
		var e *Error
		if err != nil && (!errors.As(err, &e) || len(e.Error()) == 0) {
			t.Errorf("error %v is no *Error", err)
		}
	})
}
