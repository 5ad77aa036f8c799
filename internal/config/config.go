// Package config reads the one YAML file (YAML 1.2) that a station is run
// from: who we are, where we listen and store, who our partners are and what
// was agreed with them. It is strict: an unknown key, a wrong kind of value or
// a name that points nowhere is a *config.Error that shows the line.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"tradepost/certs"
	"tradepost/partners"
	"tradepost/transport"
	transportas2 "tradepost/transport/as2"
	"tradepost/transport/directory"
)

// Config is a checked configuration. All paths in it are absolute, but for
// those in the settings of connections, which are relative to Dir.
type Config struct {
	File    string // the file it was read from
	Dir     string // the folder of the file
	Store   Store
	Secrets Secrets
	Listen  Listen
	Monitor Monitor
	Limits  Limits
	Logs    Logs
	// Dictionaries is the folder of dictionaries and guides that stand before the
	// shipped ones; "" for none.
	Dictionaries string
	Directory    *partners.Directory // station, partners, partnerships, connections

	named  string // the file as the caller named it
	source *reader
}

// Store says where everything is kept.
type Store struct {
	Data     string // folder of the payload archive and, without Database, of the SQLite database
	Database string // DSN of a Postgres; "" = embedded SQLite in Data
}

// Secrets says what the private keys are sealed with. One of the two is set, or
// none: then they are plain.
type Secrets struct {
	KeyFile string // file of the sealing key
	KeyEnv  string // environment variable that holds it
}

// Listen says where the station can be reached.
type Listen struct {
	AS2     string // "127.0.0.1:4080", public
	AS2Path string // "/as2"
	AS2URL  string // as partners see it; needed where receipts come back asynchronously
	TLS     *TLS   // of the AS2 listener; nil = plain HTTP
	// Proxies are in front of the AS2 listener: the X-Forwarded-For of these, and
	// of nobody else, tells who sends.
	Proxies    []netip.Prefix
	Admin      string // "127.0.0.1:4081", private: console and API
	AdminToken string // file of the token that opens the console and API
}

// TLS names the files of a listener's certificate, and of the certificates that
// those who connect must be vouched for by; "" asks nobody for one.
type TLS struct{ Certificate, Key, ClientCA string }

// Monitor says how closely the station watches for what is overdue.
type Monitor struct {
	Every       time.Duration // between two looks
	Certificate time.Duration // how long before a certificate ends somebody is told
}

// Thresholds are the days before the end of a certificate at which somebody is
// told: the usual ones that are not above the setting, and the setting itself;
// none when it is zero.
func (m Monitor) Thresholds() []int {
	most := int(m.Certificate / (24 * time.Hour))
	if most <= 0 {
		return nil
	}
	out := []int{most}
	for _, d := range certs.DefaultThresholds() {
		if d < most {
			out = append(out, d)
		}
	}
	return out
}

// Limits bound what one transmission or the work of one moment may take.
type Limits struct {
	Transmission int64         // largest transmission accepted, in bytes
	Workers      int           // runs worked on at the same time
	Drain        time.Duration // how long a stop waits for what is in hand
	Connections  int           // open at a time at the AS2 listener
	Requests     int           // worked on at a time there
	Share        int           // percent of both that one source may take
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

// connectors lists what a connection may name as its connector, each with the
// check of its settings.
func connectors() map[string]func(transport.Connection) error {
	return map[string]func(transport.Connection) error{
		transportas2.Connector: func(c transport.Connection) error { _, err := transportas2.ParseSettings(c); return err },
		directory.Connector:    func(c transport.Connection) error { _, err := directory.ParseSettings(c); return err },
	}
}

// connectorNames names them in a sentence.
func connectorNames() string {
	return strings.Join(slices.Sorted(maps.Keys(connectors())), " or ")
}

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
			return c.fail([]Problem{c.setting(i, setting)})
		}
	case errors.As(err, &conflict):
		return c.fail(c.conflicts(conflict))
	}
	return err
}

// setting makes a Problem of what the connector says of connection i.
func (c *Config) setting(i int, e *transport.SettingsError) Problem {
	path := fmt.Sprintf("connections[%d]", i)
	if e.Path != "" { // "include.0" there is include[0] here
		path += regexp.MustCompile(`\.([0-9]+)`).ReplaceAllString("."+e.Path, "[$1]")
	}
	return c.at(path, e.Msg, "")
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
	c.secrets(top.section("secrets"))
	c.listen(top.section("listen"))
	c.housekeeping(top)
	c.Dictionaries = top.file("dictionaries", "", c.Dir)
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
	for i, x := range connections {
		var wrong *transport.SettingsError
		err := connectors()[x.Connector](transport.Connection{Name: x.Name, Connector: x.Connector, Partner: x.Partner, Settings: x.Settings})
		if errors.As(err, &wrong) {
			top.r.problems = append(top.r.problems, c.setting(i, wrong))
		} else if err != nil {
			top.r.problems = append(top.r.problems, c.at(fmt.Sprintf("connections[%d]", i), err.Error(), ""))
		}
	}
	for i, p := range agreements {
		if p.AS2.Receipt == "async" && c.Listen.AS2URL == "" {
			top.r.problems = append(top.r.problems, c.at(fmt.Sprintf("partnerships[%d].as2.receipt", i),
				"an asynchronous receipt needs an address to come back to", "add as2_url under listen: the URL under which partners reach this station"))
		}
	}
}

// reason leaves the path out of a file error: the sentence around it has it.
func reason(err error) string {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// unreadable says what to do about a file that cannot be read.
func unreadable(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "let the user of this program read it, and enter the folders above it"
	}
	return "relative paths start at the folder of the configuration"
}
