package partners

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that does not fit. Path leads to the faulty value as it
// is written in a configuration: "partnerships[0].inbound[1].deliver".
type Problem struct {
	Path string
	Text string
	Hint string // what to do; may be empty
}

// ConflictError holds everything that keeps a Directory from being made.
type ConflictError struct{ Problems []Problem }

func (e *ConflictError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.Path + ": " + p.Text
		if p.Hint != "" {
			lines[i] += " (" + p.Hint + ")"
		}
	}
	return strings.Join(lines, "\n")
}

// checker fills the look-ups of a Directory and notes what does not fit.
type checker struct {
	d        *Directory
	problems []Problem
	supplied map[string]string // connection -> path of the rule its files are for
}

func (c *checker) problem(path, hint, format string, args ...any) {
	p := Problem{Path: path, Text: fmt.Sprintf(format, args...), Hint: hint}
	if !slices.Contains(c.problems, p) {
		c.problems = append(c.problems, p)
	}
}

func (c *checker) station() {
	s := c.d.station
	c.name("station.name", s.Name)
	c.as2ID("station.as2_id", s.AS2ID)
	if len(s.Identifiers) == 0 {
		c.problem("station.identifiers", `write the address partners send to, such as ["ZZ:ACME"]`, "the station has no EDI identifier")
	}
	for i, id := range s.Identifiers {
		n := id.Normal()
		if c.d.ours[n] {
			c.problem(fmt.Sprintf("station.identifiers[%d]", i), "remove one of the two", "%s is listed twice", id)
		}
		c.d.ours[n] = true
	}
}

func (c *checker) partners() {
	for i, p := range c.d.partners {
		at := fmt.Sprintf("partners[%d]", i)
		if c.name(at+".name", p.Name) {
			if first, taken := c.d.byName[p.Name]; taken {
				c.problem(at+".name", "give each partner its own name", "%q is already the name of partner %d", p.Name, first+1)
			} else {
				c.d.byName[p.Name] = i
			}
		}
		if p.AS2ID != "" {
			c.as2ID(at+".as2_id", p.AS2ID)
			if first, taken := c.d.byAS2[p.AS2ID]; taken {
				c.problem(at+".as2_id", "an AS2 id tells partners apart, so each needs its own", "%q is already the AS2 id of partner %s", p.AS2ID, c.d.partners[first].Name)
			} else {
				c.d.byAS2[p.AS2ID] = i
			}
			if p.AS2ID == c.d.station.AS2ID {
				c.problem(at+".as2_id", "ask the partner for its own", "%q is the station's AS2 id", p.AS2ID)
			}
		}
		if p.CertificateExchange != "" { // as it comes from a configuration it is set
			c.oneOf(at+".certificate_exchange", p.CertificateExchange, "ask", "accept")
		}
		for j, id := range p.Identifiers {
			path, n := fmt.Sprintf("%s.identifiers[%d]", at, j), id.Normal()
			first, taken := c.d.byIdentifier[n]
			switch {
			case c.d.ours[n]:
				c.problem(path, "ask the partner for its own", "%s is the station's identifier", id)
			case taken && first == i:
				c.problem(path, "remove one of the two", "%s is listed twice", id)
			case taken:
				c.problem(path, "an identifier tells partners apart, so each needs its own", "%s is already an identifier of partner %s", id, c.d.partners[first].Name)
			default:
				c.d.byIdentifier[n] = i
			}
		}
	}
}

func (c *checker) connections() {
	for i, x := range c.d.connections {
		at := fmt.Sprintf("connections[%d]", i)
		if c.name(at+".name", x.Name) {
			if first, taken := c.d.connection[x.Name]; taken {
				c.problem(at+".name", "give each connection its own name", "%q is already the name of connection %d", x.Name, first+1)
			} else {
				c.d.connection[x.Name] = i
			}
		}
		if x.Partner != "" {
			c.partner(at+".partner", x.Partner)
		}
	}
}

func (c *checker) partnerships() {
	for i, p := range c.d.partnerships {
		at := fmt.Sprintf("partnerships[%d]", i)
		if c.partner(at+".partner", p.Partner) {
			if first, taken := c.d.partnership[p.Partner]; taken {
				c.problem(at+".partner", "write both into one partnership", "partner %s already has partnership %d", p.Partner, first+1)
			} else {
				c.d.partnership[p.Partner] = i
			}
		}
		c.carrier(at+".connection", p)
		c.oneOf(at+".acknowledge", p.Acknowledge, "997", "999", "none")
		c.oneOf(at+".profile", p.Profile, "tolerant", "strict")
		c.oneOf(at+".as2.receipt", p.AS2.Receipt, "sync", "async", "none")
		if p.AckWithin < 0 {
			c.problem(at+".acknowledge_within", "write a duration such as 24h", "%s is before the document is sent", p.AckWithin)
		}
		if p.Duplicates.Window < 0 {
			c.problem(at+".duplicates.window", "write a duration such as 720h, or none", "%s is before the number is used", p.Duplicates.Window)
		}
		c.rules(at+".inbound", p.Inbound, Inbound)
		c.rules(at+".outbound", p.Outbound, Outbound)
		if len(p.Inbound)+len(p.Outbound) == 0 {
			c.problem(at, "list documents under inbound or outbound", "no document may be traded under this partnership")
		}
	}
}

// carrier checks the connection that leads to the partner.
func (c *checker) carrier(path string, p Partnership) {
	i, ok := c.d.connection[p.Connection]
	if !ok {
		c.missing(path, "connection", p.Connection)
		return
	}
	x := c.d.connections[i]
	switch {
	case x.Partner == "":
		c.problem(path, fmt.Sprintf("add `partner: %s` to connection %s, or name another", p.Partner, x.Name), "connection %s leads to no partner", x.Name)
	case x.Partner != p.Partner:
		c.problem(path, "documents for one partner must not go to another", "connection %s leads to partner %s, not to %s", x.Name, x.Partner, p.Partner)
	}
	if x.Connector != "as2" {
		return
	}
	if n, ok := c.d.byName[p.Partner]; ok {
		q := c.d.partners[n]
		if q.AS2ID == "" {
			c.problem(fmt.Sprintf("partners[%d]", n), "add as2_id: ask the partner for it", "partner %s is reached by AS2 but has no AS2 id", q.Name)
		}
		c.certificates(n, p)
	}
	if c.d.station.AS2ID == "" {
		c.problem("station", "add as2_id: the name partners send to", "partners are reached by AS2 but the station has no AS2 id")
	}
	c.keys()
}

// certificates checks that partner n has what its partnership needs.
func (c *checker) certificates(n int, p Partnership) {
	q, at := c.d.partners[n], fmt.Sprintf("partners[%d]", n)
	signs := p.AS2.RequireSigned || p.AS2.SignedReceipt && p.AS2.Receipt != "none"
	switch {
	case len(q.Certificates) == 0 && (p.AS2.Encrypt != "" || signs):
		c.problem(at, "add certificates: the file the partner gave you", "partner %s has no certificate, but its partnership encrypts or checks signatures", q.Name)
	case len(q.Certificates) == 0:
	case p.AS2.Encrypt != "" && !slices.ContainsFunc(q.Certificates, func(f CertificateFile) bool { return f.For("encrypt") }):
		c.problem(at+".certificates", "add encrypt to the purposes of one, or add another", "partner %s has no certificate to encrypt to, but its partnership encrypts", q.Name)
	case signs && !slices.ContainsFunc(q.Certificates, func(f CertificateFile) bool { return f.For("sign") }):
		c.problem(at+".certificates", "add sign to the purposes of one, or add another", "partner %s has no certificate to check signatures with, but its partnership does", q.Name)
	}
}

// keys checks that the station can sign and read with its keys. That it has
// any is the business of whoever reads its files.
func (c *checker) keys() {
	pairs := c.d.station.KeyFiles()
	if len(pairs) == 0 {
		return
	}
	for _, purpose := range []string{"sign", "encrypt"} {
		if !slices.ContainsFunc(pairs, func(f KeyFile) bool { return f.For(purpose) }) {
			c.problem("station.keys", "add it to the purposes of one", "no key of the station has the purpose %s", purpose)
		}
	}
}

// rules checks what is agreed for documents of one direction.
func (c *checker) rules(at string, rules []DocumentRule, dir Direction) {
	seen := map[string]bool{}
	for i, r := range rules {
		path := fmt.Sprintf("%s[%d]", at, i)
		switch {
		case !plainWord(r.Type, 6):
			c.problem(path+".document", `write a document type such as 850 or ORDERS`, "%q is no document type", r.Type)
		case seen[r.Type]:
			c.problem(path+".document", "remove one of the two", "%s is listed twice", r.Type)
		}
		seen[r.Type] = true
		c.mapped(path, r, dir)
		switch {
		case dir == Outbound && r.Deliver != "":
			c.problem(path+".deliver", "remove it", "an outbound document goes to the partner over the partnership's connection")
		case dir == Inbound && r.Deliver == "":
			c.problem(path, "add deliver: the connection that takes it to the back office", "nothing says where an inbound %s goes", r.Type)
		case dir == Inbound:
			n, ok := c.d.connection[r.Deliver]
			if !ok {
				c.missing(path+".deliver", "connection", r.Deliver)
			} else if to := c.d.connections[n].Partner; to != "" {
				c.problem(path+".deliver", "name a connection of your own house", "connection %s leads to partner %s, not to the back office", r.Deliver, to)
			}
		}
	}
}

// mapped checks what is agreed on the form a document has in our own house.
func (c *checker) mapped(path string, r DocumentRule, dir Direction) {
	switch {
	case r.Map == "" && r.Format != "":
		c.problem(path+".format", "add map, or remove it", "without a map the back office works with EDI")
	case r.Map == "" && r.From != "":
		c.problem(path+".from", "add map, or remove it", "without a map any connection of the house may hand over a %s", r.Type)
	case r.Map == "":
		return
	}
	if r.Format != "" {
		c.oneOf(path+".format", r.Format, FormatJSON, FormatXML, FormatCSV)
	}
	if dir == Inbound {
		if r.From != "" {
			c.problem(path+".from", "remove it", "an inbound document comes from the partner")
		}
		return
	}
	n, ok := c.d.connection[r.From]
	switch {
	case r.From == "":
		c.problem(path, "add from: the connection whose files become it", "nothing says which files become a %s", r.Type)
	case !ok:
		c.missing(path+".from", "connection", r.From)
	case c.d.connections[n].Partner != "":
		c.problem(path+".from", "name a connection of your own house", "connection %s leads to partner %s, not to the back office", r.From, c.d.connections[n].Partner)
	case c.supplied[r.From] != "" && c.supplied[r.From] != path:
		c.problem(path+".from", "give each its own connection: a file does not say which of them it is", "the files of connection %s already become another document (%s)", r.From, c.supplied[r.From])
	default:
		c.supplied[r.From] = path
	}
}

// partner checks that a name is a partner's.
func (c *checker) partner(path, name string) bool {
	_, ok := c.d.byName[name]
	if !ok {
		c.missing(path, "partner", name)
	}
	return ok
}

// missing notes a name that points nowhere, with what it may have meant.
func (c *checker) missing(path, kind, name string) {
	var names []string
	if kind == "partner" {
		for _, p := range c.d.partners {
			names = append(names, p.Name)
		}
	} else {
		for _, x := range c.d.connections {
			names = append(names, x.Name)
		}
	}
	if name == "" {
		c.problem(path, listed(kind+"s are", names, "add one under "+kind+"s"), "the name of a %s is missing", kind)
		return
	}
	c.problem(path, listed(kind+"s are", names, "add it under "+kind+"s"), "there is no %s %q", kind, name)
}

// oneOf checks a word against the words allowed.
func (c *checker) oneOf(path, got string, want ...string) {
	for _, w := range want {
		if got == w {
			return
		}
	}
	c.problem(path, "write one of "+strings.Join(want, ", "), "%q is not known here", got)
}

// name checks a name of ours: it is used in addresses and lanes.
func (c *checker) name(path, s string) bool {
	if plainWord(s, 64) {
		return true
	}
	if s == "" {
		c.problem(path, "give it a short name", "the name is missing")
	} else {
		c.problem(path, "use up to 64 letters, digits, dots, hyphens and underscores, a letter or digit first", "%q cannot be a name", s)
	}
	return false
}

// as2ID checks the form of an AS2 id: 1 to 128 printable ASCII characters
// (RFC 4130, section 6.2). Empty is for stations that speak no AS2.
func (c *checker) as2ID(path, s string) {
	if len(s) > 128 {
		c.problem(path, "RFC 4130 allows 128", "an AS2 id of %d letters is too long", len(s))
	}
	for _, r := range s {
		if r < ' ' || r > '~' {
			c.problem(path, "RFC 4130 allows printable ASCII", "%q in an AS2 id cannot be sent", r)
			return
		}
	}
	if s != strings.TrimSpace(s) {
		c.problem(path, "remove it", "the AS2 id %q begins or ends with a space", s)
	}
}

// plainWord tells whether s is a letter or digit followed by letters, digits,
// dots, hyphens and underscores, at most most of them.
func plainWord(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i, r := range s {
		alnum := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !alnum && (i == 0 || !strings.ContainsRune("._-", r)) {
			return false
		}
	}
	return true
}
