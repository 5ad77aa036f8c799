package as2

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"tradepost/as2"
	"tradepost/transport"
)

// Settings are the settings of an AS2 connection: where the partner listens
// and how to get there. What is sent, signed and encrypted is in its Terms.
type Settings struct {
	// URL is where the partner takes transmissions.
	URL string `json:"url"`
	// Timeout is how long the partner may be silent: while it takes the bytes,
	// and until its answer; 5m when not set.
	Timeout transport.Duration `json:"timeout"`
	// BasicAuth is sent to URL, and nowhere else.
	BasicAuth *BasicAuth `json:"basic_auth"`
	// TLS is how the partner's server is trusted.
	TLS TLS `json:"tls"`
	// Restart says that the partner understands AS2 Restart: what breaks off is
	// then gone on with. Transmissions of 1 MiB and more carry an ETag for it.
	Restart bool `json:"restart"`
	// Proxy is an HTTP proxy, http://host:port.
	Proxy string `json:"proxy"`
	// Headers are further headers of each transmission. They are kept as
	// evidence, so they are no place for secrets.
	Headers map[string]string `json:"headers"`
	// ReceiptHosts are the hosts, host or host:port, that the partner may have
	// its asynchronous receipts posted to, beside the one of URL.
	ReceiptHosts []string `json:"receipt_hosts"`
	// PrivateNetwork allows receipt hosts to have private addresses.
	PrivateNetwork bool `json:"private_network"`
}

// BasicAuth is a user with the name of the environment variable that holds the
// password.
type BasicAuth struct {
	User        string `json:"user"`
	PasswordEnv string `json:"password_env"`
}

// TLS says whom to trust as the partner's server and who we are to it.
type TLS struct {
	// CA is a PEM file of certificates to trust instead of the system's; the
	// server's own self-signed certificate may be among them.
	CA string `json:"ca"`
	// Pin is the SHA-256 fingerprint of the server's certificate, in hex with
	// or without colons. That certificate, and no other, is trusted then.
	Pin string `json:"pin"`
	// ServerName is the name in the server's certificate, when it is not the
	// one in the URL.
	ServerName string `json:"server_name"`
	// Certificate and Key are files of our own, for servers that ask: PEM, and
	// the key may be sealed. A renewed one counts from the next connection on.
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
	// MinVersion is "1.2" or "1.3"; 1.2 when not set.
	MinVersion string `json:"min_version"`
}

// defaultTimeout is Settings.Timeout when it is not set.
const defaultTimeout = 5 * time.Minute

// ParseSettings reads and checks the settings of c, without opening the files
// they name. Errors are *transport.SettingsError.
func ParseSettings(c transport.Connection) (Settings, error) {
	s := Settings{Timeout: transport.Duration(defaultTimeout)}
	if err := transport.DecodeSettings(c, &s); err != nil {
		return s, err
	}
	wrong := func(path, format string, args ...any) (Settings, error) {
		return s, settingsError(c, path, format, args...)
	}
	if s.URL == "" {
		return wrong("url", "is not set: name the address the partner takes AS2 at, https://host/path")
	}
	if u, err := url.Parse(s.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return wrong("url", "%q: want http://host/path or https://host/path; a user belongs into basic_auth", s.URL)
	}
	if s.Timeout <= 0 {
		return wrong("timeout", "must be more than 0s")
	}
	if b := s.BasicAuth; b != nil && (b.User == "" || strings.Contains(b.User, ":") || b.PasswordEnv == "") {
		return wrong("basic_auth", "needs user, without a colon, and password_env, the name of an environment variable")
	}
	if s.Proxy != "" {
		if u, err := url.Parse(s.Proxy); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return wrong("proxy", "%q: want http://host:port", s.Proxy)
		}
	}
	for name, value := range s.Headers {
		if ours(name) || !token(name) || strings.ContainsAny(value, "\r\n\x00") {
			return wrong("headers."+name, "cannot be set: the name is no header name or one that AS2 itself uses, or the value has line ends")
		}
	}
	for i, h := range s.ReceiptHosts {
		if h == "" || strings.ContainsAny(h, "/@?# ") {
			return wrong(fmt.Sprintf("receipt_hosts.%d", i), "%q: want host or host:port", h)
		}
	}
	switch t := s.TLS; {
	case t.MinVersion != "" && t.MinVersion != "1.2" && t.MinVersion != "1.3":
		return wrong("tls.min_version", "%q: want 1.2 or 1.3", t.MinVersion)
	case (t.Certificate == "") != (t.Key == ""):
		return wrong("tls.certificate", "certificate and key go together")
	case t.Pin != "" && t.CA != "":
		return wrong("tls.pin", "one of pin and ca is enough")
	case t.Pin != "" && len(fingerprint(t.Pin)) != sha256.Size:
		return wrong("tls.pin", "want the SHA-256 fingerprint of the certificate, 64 hex digits")
	}
	return s, nil
}

func settingsError(c transport.Connection, path, format string, args ...any) error {
	return &transport.SettingsError{Connection: c.Name, Path: path, Msg: fmt.Sprintf(format, args...)}
}

// ours tells whether a header is one that the library or HTTP itself writes.
func ours(name string) bool {
	switch n := http.CanonicalHeaderKey(name); n {
	case "Message-Id", "Mime-Version", "Date", "Subject", "User-Agent", "Host", "Connection", "Transfer-Encoding",
		"Authorization", "Receipt-Delivery-Option", "Ediint-Features", "Etag", "Expect", "Te", "Trailer", "Upgrade":
		return true
	default:
		return strings.HasPrefix(n, "As2-") || strings.HasPrefix(n, "Content-") || strings.HasPrefix(n, "Disposition-")
	}
}

// token tells whether s can be the name of a header.
func token(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// fingerprint reads hex with or without colons; nil when it is none.
func fingerprint(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(s), ":", ""))
	if err != nil {
		return nil
	}
	return b
}

// clientConfig opens what the settings name. strange is for addresses that a
// partner named: no password, no pinned certificate, no private addresses.
func (e *Endpoint) clientConfig(c transport.Connection, s Settings, strange bool) (as2.ClientConfig, error) {
	cc := as2.ClientConfig{
		TLS: &tls.Config{MinVersion: tls.VersionTLS12}, ResponseTimeout: time.Duration(s.Timeout),
		ConnectTimeout: min(30*time.Second, time.Duration(s.Timeout)),
	}
	if s.TLS.MinVersion == "1.3" {
		cc.TLS.MinVersion = tls.VersionTLS13
	}
	if s.Proxy != "" {
		cc.Proxy, _ = url.Parse(s.Proxy) // was checked
	}
	if s.TLS.CA != "" {
		pem, err := e.file(s.TLS.CA)
		if err != nil {
			return cc, settingsError(c, "tls.ca", "%v", err)
		}
		cc.TLS.RootCAs = x509.NewCertPool()
		if !cc.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return cc, settingsError(c, "tls.ca", "%s holds no certificate in PEM form", s.TLS.CA)
		}
	}
	if strange {
		return cc, nil
	}
	cc.TLS.ServerName = s.TLS.ServerName
	if s.TLS.Pin != "" {
		pin(cc.TLS, fingerprint(s.TLS.Pin))
	}
	if s.TLS.Certificate != "" {
		if err := e.presented(cc.TLS, s.TLS); err != nil {
			return cc, settingsError(c, "tls.certificate", "%v", err)
		}
	}
	if s.BasicAuth != nil {
		cc.Username, cc.Password = s.BasicAuth.User, e.cfg.Getenv(s.BasicAuth.PasswordEnv)
		if cc.Password == "" {
			return cc, settingsError(c, "basic_auth.password_env", "the environment variable %s is not set", s.BasicAuth.PasswordEnv)
		}
	}
	return cc, nil
}

// presented makes us known to servers that ask. Files that have become
// unreadable leave the last good certificate in use.
func (e *Endpoint) presented(t *tls.Config, s TLS) error {
	read := func() (*tls.Certificate, error) { return e.cfg.KeyPair(e.path(s.Certificate), e.path(s.Key)) }
	first, err := read()
	if err != nil {
		return err
	}
	var good atomic.Pointer[tls.Certificate]
	good.Store(first)
	t.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if pair, err := read(); err == nil {
			good.Store(pair)
		} else {
			e.cfg.OnTrouble(fmt.Errorf("the certificate for TLS servers that ask is used as it was: %w", err))
		}
		return good.Load(), nil
	}
	return nil
}

// pin trusts exactly one certificate, whoever issued it and whatever its name.
func pin(t *tls.Config, want []byte) {
	t.InsecureSkipVerify = true // VerifyConnection is stricter
	t.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) > 0 {
			if sum := sha256.Sum256(s.PeerCertificates[0].Raw); string(sum[:]) == string(want) {
				return nil
			}
		}
		return &tls.CertificateVerificationError{
			UnverifiedCertificates: s.PeerCertificates,
			Err:                    errors.New("the server's certificate is not the pinned one"),
		}
	}
}
