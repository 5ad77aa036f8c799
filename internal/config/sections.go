package config

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"tradepost/partners"
)

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
		st.Retire = s.moment("retire")
		if (st.Certificate == "") != (st.Key == "") {
			s.r.problem(s.path, s.r.at(s.path), "give both", "a certificate and its key belong together, one of them is missing")
		}
		st.Keys = c.keyFiles(s)
		if st.AS2ID != "" && len(st.KeyFiles()) == 0 {
			s.r.problem(s.path, s.r.at(s.path), "`tradepost init` makes them in a new folder, `tradepost cert new` in this one", "a station with an AS2 id needs certificate and key")
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
	l.Proxies = s.networks("proxies")
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
			ClientCA:    t.file("client_ca", "", c.Dir),
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
	c.Monitor = Monitor{Every: m.duration("every", 30*time.Second), Certificate: m.duration("certificate", 60*24*time.Hour)}
	if c.Monitor.Every < time.Second {
		m.wrong("every", "write at least 1s", "%s is too often", c.Monitor.Every)
	}
	m.done()
	l := top.section("limits")
	c.Limits = Limits{
		Transmission: l.size("transmission", 1<<30), Workers: l.number("workers", 4, 1, 256), Drain: l.duration("drain", 30*time.Second),
		Connections: l.number("connections", 1024, 2, 100_000), Requests: l.number("requests", 128, 2, 10_000), Share: l.number("share", 50, 1, 100),
	}
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
	p.Certificates = c.certificateFiles(s)
	p.CertificateExchange = s.text("certificate_exchange", "ask")
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
		Except:      s.texts("except"),
		Test:        s.boolean("test", false),
		Inbound:     c.rules(s, "inbound"),
		Outbound:    c.rules(s, "outbound"),
	}
	d := s.section("duplicates")
	p.Duplicates = partners.DuplicatePolicy{
		AnyInterchange: !d.boolean("interchanges", true),
		Groups:         d.boolean("groups", false),
		Documents:      d.boolean("documents", false),
		Window:         d.duration("window", 0),
	}
	d.done()
	p.AS2 = c.as2Policy(s.section("as2"))
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
			Map:     x.text("map", ""),
			Format:  x.text("format", ""),
			From:    x.text("from", ""),
		}
		if isGuideFile(r.Guide) {
			r.Guide = absolute(c.Dir, r.Guide)
		}
		if partners.IsMapFile(r.Map) {
			r.Map = absolute(c.Dir, r.Map)
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
		Connector: s.required("connector", connectorNames()),
		Partner:   s.text("partner", ""),
	}
	if _, known := connectors()[x.Connector]; !known && x.Connector != "" {
		s.wrong("connector", "write "+connectorNames(), "there is no connector %q", x.Connector)
	}
	x.Settings = s.rest()
	return x
}
