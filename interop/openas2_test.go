package interop

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"embed"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"tradepost/as2"
	"tradepost/certs"
)

//go:embed openas2/*.tmpl
var openAS2Files embed.FS

// openAS2 is the OpenAS2 server. It takes what it shall send out of a folder
// and puts what it receives into another.
type openAS2 struct {
	process *process
	key     as2.Key
	data    string
	port    string
	receipt string
	version string
	java    string
	silent  map[string]bool   // names that ask for no receipt
	with    map[string]string // our name that a name trades with

	securePort string
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:4])
}

// startOpenAS2 starts the product with its agreements.
func startOpenAS2(t testing.TB, b *bench, agreements []agreement) *openAS2 {
	t.Helper()
	java, keytool, sh := tool(t, "java", "a Java runtime"), tool(t, "keytool", "of the Java runtime"), tool(t, "sh", "a shell")
	pom, err := os.ReadFile(filepath.Join("openas2", "pom.xml"))
	if err != nil {
		t.Fatal(err)
	}
	lib := os.Getenv("TRADEPOST_OPENAS2")
	if lib == "" {
		lib = cached(t, "openas2-"+digest(pom), func(ctx context.Context, dir string) error {
			mvn := tool(t, "mvn", "Maven")
			_, err := command(ctx, "openas2", mvn, "-B", "-q", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+dir)
			return err
		})
	}
	home := t.TempDir()
	o := &openAS2{key: b.keys["peer"], data: filepath.Join(home, "data"), silent: map[string]bool{}, with: map[string]string{}}
	for _, dir := range []string{"outbox", "inbox", "sent", "failed"} {
		if err := os.MkdirAll(filepath.Join(o.data, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	o.keystore(t, keytool, filepath.Join(home, "keys.p12"), b.keys, map[string]*x509.Certificate{
		b.station.id: b.station.key.Certificate, b.curved.id: b.curved.key.Certificate, b.secure.id: b.secure.key.Certificate,
	})
	o.keystore(t, keytool, filepath.Join(home, "server.p12"), map[string]as2.Key{"server": b.authority.certify(t, "peer")}, nil)
	o.keystore(t, keytool, filepath.Join(home, "trust.p12"), nil, map[string]*x509.Certificate{"authority": b.authority.certificate})
	ports := freePorts(t, 3)
	o.port, o.receipt, o.securePort = ports[0], ports[1], ports[2]
	// In alphabetical order: several of the libraries hold the same classes, and
	// in another order unsigned receipts cannot be written.
	jars, err := filepath.Glob(filepath.Join(lib, "*.jar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, jar := range jars {
		if version, ok := strings.CutPrefix(filepath.Base(jar), "openas2-server-"); ok {
			o.version = strings.TrimSuffix(version, ".jar")
		}
	}
	ownLog := o.version < "3" // later releases log with logback
	options := []string{"-Xmx512m"}
	if _, benchmark := t.(*testing.B); !benchmark { // be ready soon rather than fast later
		options = append(options, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
	}
	options = append(options,
		"-Djavax.net.ssl.trustStore="+filepath.Join(home, "trust.p12"), "-Djavax.net.ssl.trustStorePassword="+keystorePassword,
	)
	if ownLog {
		options = append(options, "-Dorg.apache.commons.logging.Log=org.openas2.logging.Log")
	}
	o.file(t, home, "config.xml", map[string]any{
		"Data": o.data, "Password": keystorePassword, "Port": o.port, "ReceiptPort": o.receipt, "SecurePort": o.securePort, "OwnLog": ownLog,
	})
	o.file(t, home, "partnerships.xml", o.partnerships(agreements))
	write(t, filepath.Join(home, "commands.xml"), []byte("<commands/>\n"))
	// The shell ends the server when its own standard input does, and itself
	// when the server does.
	o.process = start(t, home, nil, sh, slices.Concat(
		[]string{"-c", `exec 3<&0; "$@" & server=$!; (cat; kill "$server") <&3 >/dev/null 2>&1 & wait "$server"`, "sh", java}, options,
		[]string{"-cp", strings.Join(jars, string(filepath.ListSeparator)), "org.openas2.app.OpenAS2Server", filepath.Join(home, "config.xml")},
	)...)
	o.process.until(t, "OpenAS2", func() bool {
		return reachable("127.0.0.1:"+o.port) && reachable("127.0.0.1:"+o.securePort) && reachable("127.0.0.1:"+o.receipt) && o.process.out.lines(" started.") != ""
	})
	out, err := command(t.Context(), "", java, "-version")
	if err != nil {
		t.Fatal(err)
	}
	if parts := strings.Split(string(out), `"`); len(parts) > 1 {
		o.java = parts[1]
	}
	return o
}

// keystorePassword protects keys that live as long as a test.
const keystorePassword = "changeit"

// keystore makes a PKCS #12 store: keys and certificates by alias.
func (o *openAS2) keystore(t testing.TB, keytool, store string, keys map[string]as2.Key, certificates map[string]*x509.Certificate) {
	t.Helper()
	home := filepath.Dir(store)
	openssl := tool(t, "openssl", "OpenSSL")
	for alias, key := range keys {
		pem, p12 := filepath.Join(home, alias+".pem"), filepath.Join(home, alias+".p12")
		writePEM(t, pem, key)
		if _, err := command(t.Context(), home, openssl, "pkcs12", "-export", "-in", pem, "-name", alias, "-out", p12, "-passout", "pass:"+keystorePassword); err != nil {
			t.Fatal(err)
		}
		if _, err := command(t.Context(), home, keytool, "-J-Dkeystore.pkcs12.legacy", "-importkeystore", "-noprompt",
			"-srckeystore", p12, "-srcstoretype", "PKCS12", "-srcstorepass", keystorePassword,
			"-destkeystore", store, "-deststoretype", "PKCS12", "-deststorepass", keystorePassword); err != nil {
			t.Fatal(err)
		}
	}
	for alias, certificate := range certificates {
		crt := filepath.Join(home, alias+".crt")
		write(t, crt, certs.EncodeCertificate(certificate))
		if _, err := command(t.Context(), home, keytool, "-J-Dkeystore.pkcs12.legacy", "-importcert", "-noprompt", "-alias", alias, "-file", crt,
			"-keystore", store, "-storetype", "PKCS12", "-storepass", keystorePassword); err != nil {
			t.Fatal(err)
		}
	}
}

// file writes one of the product's own files.
func (o *openAS2) file(t testing.TB, home, name string, data any) {
	t.Helper()
	tmpl, err := template.ParseFS(openAS2Files, "openas2/"+name+".tmpl")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := tmpl.Execute(&b, data); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(home, name), b.Bytes())
}

type openAS2Attribute struct{ Name, Value string }

type openAS2Agreement struct {
	Name, Alias, Station string
	Attributes           []openAS2Attribute
}

// partnerships is what partnerships.xml needs.
func (o *openAS2) partnerships(agreements []agreement) any {
	var out struct {
		Stations   []string
		Agreements []openAS2Agreement
	}
	for _, a := range agreements {
		to := openAS2Agreement{Name: a.name, Alias: a.key, Station: a.with.id}
		if !slices.Contains(out.Stations, a.with.id) {
			out.Stations = append(out.Stations, a.with.id)
		}
		o.silent[a.name], o.with[a.name] = a.receipt == noReceipt, a.with.id
		for name, value := range o.attributes(a) {
			to.Attributes = append(to.Attributes, openAS2Attribute{name, value})
		}
		out.Agreements = append(out.Agreements, to)
	}
	return out
}

// attributes are the attributes of a partnership.
func (o *openAS2) attributes(a agreement) map[string]string {
	plain := strings.NewReplacer("sha-", "SHA")
	out := map[string]string{
		"protocol": "as2", "subject": "interoperability", "as2_url": a.with.url, "as2_mdn_options": "none",
		"content_type": contentOf(a.content).contentType, "content_transfer_encoding": "binary", "resend_max_retries": "0",
	}
	if a.url != "" {
		out["as2_url"] = a.url
	}
	if a.sign != "" {
		out["sign"] = plain.Replace(string(a.sign))
	}
	if a.encrypt != "" {
		out["encrypt"] = map[as2.Cipher]string{
			as2.TripleDES: "3DES", as2.AES128CBC: "AES128", as2.AES192CBC: "AES192", as2.AES256CBC: "AES256",
		}[a.encrypt]
	}
	switch a.compress {
	case as2.BeforeSigning:
		out["compression_type"] = "ZLIB"
	case as2.AfterSigning:
		out["compression_type"], out["compression_mode"] = "ZLIB", "compress-after-signing"
	}
	if a.receipt != noReceipt {
		out["as2_mdn_to"] = "edi@openas2.test"
	}
	if a.receipt == syncSigned || a.receipt == asyncSigned {
		digest := "SHA256"
		if a.sign != "" {
			digest = plain.Replace(string(a.sign))
		}
		out["as2_mdn_options"] = "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, " + digest
	}
	if a.receipt == asyncSigned {
		out["as2_receipt_option"] = "http://" + o.receiptHost() + "/receipts"
	}
	for name, value := range a.more {
		out[name] = value
	}
	return out
}

func (o *openAS2) about() string                  { return "OpenAS2 " + o.version + " (Java " + o.java + ")" }
func (o *openAS2) url() string                    { return "http://127.0.0.1:" + o.port + "/as2" }
func (o *openAS2) secureURL() string              { return "https://127.0.0.1:" + o.securePort + "/as2" }
func (o *openAS2) receiptHost() string            { return "127.0.0.1:" + o.receipt }
func (o *openAS2) certificate() *x509.Certificate { return o.key.Certificate }

func (o *openAS2) received(ctx context.Context, name string) ([][]byte, error) {
	dir := filepath.Join(o.data, "inbox", name)
	return eventually(ctx, func() ([][]byte, bool, error) {
		entries, err := os.ReadDir(dir)
		if errors.Is(err, os.ErrNotExist) {
			return nil, false, nil
		}
		var out [][]byte
		for _, e := range entries {
			b, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				return nil, false, err
			}
			out = append(out, b)
		}
		return out, len(out) > 0, err
	})
}

func (o *openAS2) send(ctx context.Context, name string, g goods) error {
	file := name + "+" + o.with[name] + "+" + g.filename
	ready := filepath.Join(o.data, file)
	if err := os.WriteFile(ready, g.bytes, 0o600); err != nil {
		return err
	}
	if err := os.Rename(ready, filepath.Join(o.data, "outbox", file)); err != nil {
		return err
	}
	good, err := eventually(ctx, func() (bool, bool, error) {
		// What needs no receipt stays where it is, as if it waited for one.
		for line := range strings.Lines(o.process.out.lines("<" + name + "-")) {
			if o.silent[name] && strings.Contains(line, "Message sent and response received") {
				return true, true, nil
			}
		}
		sent, err := filepath.Glob(filepath.Join(o.data, "sent", name+"+*"))
		if err != nil || len(sent) > 0 {
			return true, true, err
		}
		failed, err := filepath.Glob(filepath.Join(o.data, "failed", name+"+*"))
		return false, len(failed) > 0, err
	})
	if err != nil || !good {
		// What it logs may take a moment longer.
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		why, late := eventually(ctx, func() (string, bool, error) {
			why := o.troubles(name)
			return why, why != "", nil
		})
		return errors.Join(errors.New("OpenAS2 does not count it as sent: "+why), err, late)
	}
	return nil
}

// troubles are the errors that OpenAS2 logs about a name: they stand between
// lines with the name.
func (o *openAS2) troubles(name string) string {
	log := o.process.out.String()
	from, to := strings.Index(log, name), strings.LastIndex(log, name)
	if from < 0 {
		return ""
	}
	var found []string
	for line := range strings.Lines(log[from:to]) {
		if strings.Contains(line, "Exception: ") && !slices.Contains(found, strings.TrimSpace(line)) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return strings.Join(found, "\n")
}
