// Package config reads the one YAML file (YAML 1.2) that a station is run
// from: who we are, where we listen and store, who our partners are and what
// was agreed with them. It is strict: an unknown key, a wrong kind of value or
// a name that points nowhere is a *config.Error that shows the line.
package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"tradepost/as2"
	"tradepost/partners"
	"tradepost/transport"
)

// Config is a checked configuration. All paths in it are absolute, but for
// those in the settings of connections, which are relative to Dir.
type Config struct {
	File      string // the file it was read from
	Dir       string // the folder of the file
	Store     Store
	Listen    Listen
	Monitor   Monitor
	Limits    Limits
	Logs      Logs
	Directory *partners.Directory // station, partners, partnerships, connections

	named  string // the file as the caller named it
	source *reader
}

// Store says where everything is kept.
type Store struct {
	Data     string // folder of the payload archive and, without Database, of the SQLite database
	Database string // DSN of a Postgres; "" = embedded SQLite in Data
}

// Listen says where the station can be reached.
type Listen struct {
	AS2        string // "127.0.0.1:4080", public
	AS2Path    string // "/as2"
	AS2URL     string // as partners see it; needed where receipts come back asynchronously
	TLS        *TLS   // of the AS2 listener; nil = plain HTTP
	Admin      string // "127.0.0.1:4081", private: console and API
	AdminToken string // file of the token that opens the console and API
}

// TLS names the files of a listener's certificate.
type TLS struct{ Certificate, Key string }

// Monitor says how closely the station watches for what is overdue.
type Monitor struct {
	Every       time.Duration // between two looks
	Certificate time.Duration // how long before a certificate ends somebody is told
}

// Limits bound what one transmission or the work of one moment may take.
type Limits struct {
	Transmission int64         // largest transmission accepted, in bytes
	Workers      int           // runs worked on at the same time
	Drain        time.Duration // how long a stop waits for what is in hand
}

// Logs says how the log is written.
type Logs struct {
	Level  string // "debug", "info", "warn", "error"
	Format string // "text", "json"
}

// Overrides are what a command line may change about a configuration.
type Overrides struct {
	Data     string // replaces store.data
	Database string // replaces store.database
	// NoFiles leaves the key and certificate files unread, for commands that
	// need only the store: a broken key must not hide the documents.
	NoFiles bool
	// Env looks up ${NAME}; nil is the environment of the process.
	Env func(name string) (string, bool)
}

// connectors lists what a connection may name as its connector.
func connectors() []string { return []string{"as2", "directory"} }

// Load reads, checks and completes the configuration in path. When it does not
// hold, the error is an *Error.
func Load(path string, o Overrides) (*Config, error) {
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	src, err := os.ReadFile(path)
	if err != nil {
		hint := "name another with --config"
		if errors.Is(err, os.ErrNotExist) {
			hint = "make one with `tradepost init`, or name another with --config"
		}
		return nil, &Error{File: path, Problems: []Problem{{Text: "the configuration cannot be read: " + reason(err), Hint: hint}}}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, &Error{File: path, Problems: []Problem{{Text: reason(err)}}}
	}
	return read(path, abs, src, o)
}

// read is Load for bytes at hand.
func read(named, abs string, src []byte, o Overrides) (*Config, error) {
	c := &Config{File: abs, Dir: filepath.Dir(abs), named: named, source: &reader{env: o.Env}}
	r := c.source
	if top := r.parse(src); top != nil {
		c.sections(top, o)
	}
	if c.Directory != nil && !o.NoFiles {
		r.problems = append(r.problems, c.CheckFiles()...)
	}
	if len(r.problems) > 0 {
		return nil, c.fail(r.problems)
	}
	return c, nil
}

func (c *Config) fail(ps []Problem) *Error {
	return &Error{File: c.named, Problems: sorted(ps), lines: c.source.lines}
}

// Explain turns an error that names a setting (of a connector, or of the
// directory) into an *Error that shows its line. Other errors come back as
// they are.
func (c *Config) Explain(err error) error {
	var setting *transport.SettingsError
	var conflict *partners.ConflictError
	switch {
	case errors.As(err, &setting):
		for i, x := range c.Directory.Connections() {
			if x.Name != setting.Connection {
				continue
			}
			path := fmt.Sprintf("connections[%d]", i)
			if setting.Path != "" { // "include.0" there is include[0] here
				path += regexp.MustCompile(`\.([0-9]+)`).ReplaceAllString("."+setting.Path, "[$1]")
			}
			return c.fail([]Problem{c.at(path, setting.Msg, "")})
		}
	case errors.As(err, &conflict):
		return c.fail(c.conflicts(conflict))
	}
	return err
}

// at makes a Problem for a path.
func (c *Config) at(path, text, hint string) Problem {
	p := c.source.at(path)
	return Problem{Line: p.line, Column: p.column, width: p.width, Path: path, Text: text, Hint: hint}
}

func (c *Config) conflicts(e *partners.ConflictError) []Problem {
	out := make([]Problem, len(e.Problems))
	for i, p := range e.Problems {
		out[i] = c.at(p.Path, p.Text, p.Hint)
	}
	return out
}

// sections reads the whole file.
func (c *Config) sections(top *section, o Overrides) {
	before := len(top.r.problems)
	station := c.station(top.section("station"), top)
	c.store(top.section("store"), o)
	c.listen(top.section("listen"))
	c.housekeeping(top)
	var ps []partners.Partner
	for _, s := range top.sections("partners") {
		ps = append(ps, c.partner(s))
	}
	var agreements []partners.Partnership
	for _, s := range top.sections("partnerships") {
		agreements = append(agreements, c.partnership(s))
	}
	var connections []partners.Connection
	for _, s := range top.sections("connections") {
		connections = append(connections, c.connection(s))
	}
	top.done()
	if len(top.r.problems) > before {
		return // names cannot be checked against what was misread
	}
	d, err := partners.NewDirectory(station, ps, agreements, connections)
	var conflict *partners.ConflictError
	if errors.As(err, &conflict) {
		top.r.problems = append(top.r.problems, c.conflicts(conflict)...)
		return
	}
	c.Directory = d
	for i, p := range agreements {
		if p.AS2.Receipt == "async" && c.Listen.AS2URL == "" {
			top.r.problems = append(top.r.problems, c.at(fmt.Sprintf("partnerships[%d].as2.receipt", i),
				"an asynchronous receipt needs an address to come back to", "add as2_url under listen: the URL under which partners reach this station"))
		}
	}
}

func (c *Config) station(s, top *section) partners.Station {
	if !s.present {
		top.r.problem("station", place{}, "begin with:\nstation:\n  name: our-name\n  identifiers: [\"ZZ:OUR-ID\"]", "the section station is missing")
	}
	st := partners.Station{}
	if s.present {
		st.Name = s.required("name", "a short name of this station, shown in the console")
		st.AS2ID = s.text("as2_id", "")
		st.Identifiers = identifiers(s)
		st.Certificate = s.file("certificate", "", c.Dir)
		st.Key = s.file("key", "", c.Dir)
		if (st.Certificate == "") != (st.Key == "") {
			s.r.problem(s.path, s.r.at(s.path), "give both", "a certificate and its key belong together, one of them is missing")
		}
		if st.AS2ID != "" && st.Certificate == "" {
			s.r.problem(s.path, s.r.at(s.path), "`tradepost init` makes them in a new folder", "a station with an AS2 id needs certificate and key")
		}
	}
	s.done()
	return st
}

func identifiers(s *section) []partners.Identifier {
	var out []partners.Identifier
	for i, v := range s.texts("identifiers") {
		id, err := partners.ParseIdentifier(v)
		if err != nil {
			path := fmt.Sprintf("%s.identifiers[%d]", s.path, i)
			s.r.problem(path, s.r.at(path), "", "%v", err)
			continue
		}
		out = append(out, id)
	}
	return out
}

func (c *Config) store(s *section, o Overrides) {
	c.Store.Data = s.file("data", "data", c.Dir)
	c.Store.Database = s.text("database", "")
	if o.Data != "" {
		c.Store.Data = o.Data
		if abs, err := filepath.Abs(o.Data); err == nil {
			c.Store.Data = abs
		}
	}
	if db := c.Store.Database; db != "" && !isPostgres(db) {
		s.wrong("database", "write postgres://user:${PASSWORD}@host:5432/name, or remove the line for the embedded store", "the database is not a Postgres URL")
	}
	if o.Database != "" {
		c.Store.Database = o.Database
	}
	s.done()
}

// isPostgres accepts both forms of a Postgres DSN: a URL, and words such as "host=x dbname=y".
func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") || strings.Contains(dsn, "=")
}

func (c *Config) listen(s *section) {
	l := &c.Listen
	l.AS2 = s.address("as2", "127.0.0.1:4080")
	l.AS2Path = s.text("as2_path", "/as2")
	if !strings.HasPrefix(l.AS2Path, "/") || strings.ContainsAny(l.AS2Path, " ?#{}") {
		s.wrong("as2_path", "write a path such as /as2", "%q is no path", l.AS2Path)
	}
	l.AS2URL = s.text("as2_url", "")
	if l.AS2URL != "" && !strings.HasPrefix(l.AS2URL, "http://") && !strings.HasPrefix(l.AS2URL, "https://") {
		s.wrong("as2_url", "write the whole URL: https://edi.example.com/as2", "%q is no URL", l.AS2URL)
	}
	l.Admin = s.address("admin", "127.0.0.1:4081")
	l.AdminToken = s.file("admin_token", "keys/admin.token", c.Dir)
	if sameAddress(l.AS2, l.Admin) {
		s.wrong("admin", "the console and the API must not be public: give them another port", "%s is already taken by the AS2 listener", l.Admin)
	}
	if t := s.section("tls"); t.present {
		l.TLS = &TLS{
			Certificate: absolute(c.Dir, t.required("certificate", "the PEM file of the server certificate with its chain")),
			Key:         absolute(c.Dir, t.required("key", "the PEM file of its key")),
		}
		t.done()
	}
	s.done()
}

// sameAddress tells whether two listeners would want one port.
func sameAddress(a, b string) bool {
	hostA, portA, _ := net.SplitHostPort(a)
	hostB, portB, _ := net.SplitHostPort(b)
	every := func(h string) bool { return h == "" || h == "0.0.0.0" || h == "::" }
	return portA == portB && portA != "0" && (hostA == hostB || every(hostA) || every(hostB))
}

func (c *Config) housekeeping(top *section) {
	m := top.section("monitor")
	c.Monitor = Monitor{Every: m.duration("every", 30*time.Second), Certificate: m.duration("certificate", 30*24*time.Hour)}
	if c.Monitor.Every < time.Second {
		m.wrong("every", "write at least 1s", "%s is too often", c.Monitor.Every)
	}
	m.done()
	l := top.section("limits")
	c.Limits = Limits{Transmission: l.size("transmission", 1<<30), Workers: l.number("workers", 4, 1, 256), Drain: l.duration("drain", 30*time.Second)}
	l.done()
	g := top.section("logs")
	c.Logs = Logs{Level: g.choice("level", "info", "debug", "info", "warn", "error"), Format: g.choice("format", "text", "text", "json")}
	g.done()
}

func (c *Config) partner(s *section) partners.Partner {
	p := partners.Partner{
		Name:        s.required("name", "a short name of the partner, as you call it"),
		AS2ID:       s.text("as2_id", ""),
		Identifiers: identifiers(s),
		Contact:     s.text("contact", ""),
	}
	for _, f := range s.texts("certificates") {
		p.Certificates = append(p.Certificates, absolute(c.Dir, f))
	}
	s.done()
	return p
}

func (c *Config) partnership(s *section) partners.Partnership {
	p := partners.Partnership{
		Partner:     s.required("partner", "the name of the partner this was agreed with"),
		Connection:  s.required("connection", "the name of the connection that leads to the partner"),
		Acknowledge: s.text("acknowledge", "997"),
		AckWithin:   s.duration("acknowledge_within", 24*time.Hour),
		Profile:     s.text("profile", "tolerant"),
		Test:        s.boolean("test", false),
		Inbound:     c.rules(s, "inbound"),
		Outbound:    c.rules(s, "outbound"),
	}
	a := s.section("as2")
	p.AS2 = partners.AS2Policy{
		Compress:         a.boolean("compress", false),
		Receipt:          a.text("receipt", "sync"),
		SignedReceipt:    a.boolean("signed_receipt", true),
		RequireSigned:    a.boolean("require_signed", true),
		RequireEncrypted: a.boolean("require_encrypted", true),
	}
	if v := a.text("sign", string(as2.SHA256)); v != "none" {
		d, err := as2.ParseDigest(v)
		if err != nil {
			a.wrong("sign", "write sha-256, or none to send unsigned", "%q is no digest", v)
		}
		p.AS2.Sign = string(d)
	}
	if v := a.text("encrypt", string(as2.AES256CBC)); v != "none" {
		e, err := as2.ParseCipher(v)
		if err != nil {
			a.wrong("encrypt", "write aes-256-cbc, or none to send in the clear", "%q is no cipher", v)
		}
		p.AS2.Encrypt = string(e)
	}
	a.done()
	s.done()
	return p
}

func (c *Config) rules(s *section, key string) []partners.DocumentRule {
	var out []partners.DocumentRule
	for _, x := range s.sections(key) {
		r := partners.DocumentRule{
			Type:    x.required("document", "a document type such as 850"),
			Guide:   x.text("guide", ""),
			Deliver: x.text("deliver", ""),
		}
		if isGuideFile(r.Guide) {
			r.Guide = absolute(c.Dir, r.Guide)
		}
		x.done()
		out = append(out, r)
	}
	return out
}

// isGuideFile tells a guide that is a file ("guides/acme-850.guide") from one
// that is shipped ("x12/004010/850").
func isGuideFile(guide string) bool { return strings.HasSuffix(guide, ".guide") }

func (c *Config) connection(s *section) partners.Connection {
	x := partners.Connection{
		Name:      s.required("name", "a short name of the connection"),
		Connector: s.required("connector", strings.Join(connectors(), " or ")),
		Partner:   s.text("partner", ""),
	}
	if x.Connector != "" && !slices.Contains(connectors(), x.Connector) {
		s.wrong("connector", "write "+strings.Join(connectors(), " or "), "there is no connector %q", x.Connector)
	}
	x.Settings = s.rest()
	return x
}

// reason leaves the path out of a file error: the sentence around it has it.
func reason(err error) string {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
