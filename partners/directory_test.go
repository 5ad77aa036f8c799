package partners

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// buyer is a station with two partners, the second reached over a folder.
func buyer() (Station, []Partner, []Partnership, []Connection) {
	return Station{Name: "buyer", AS2ID: "BUYER", Identifiers: []Identifier{{"ZZ", "BUYER"}, {"01", "123456789"}}},
		[]Partner{
			{Name: "supplier", AS2ID: "SUPPLIER", Identifiers: []Identifier{{"ZZ", "SUPPLIER"}, {"02", "ABCD"}}, Certificates: []CertificateFile{{File: "supplier.crt"}}},
			{Name: "carrier", Identifiers: []Identifier{{"14", "4012345000009"}}},
			{Name: "prospect", AS2ID: "Prospect", Identifiers: []Identifier{{"ZZ", "PROSPECT"}}},
		},
		[]Partnership{
			{
				Partner: "supplier", Connection: "supplier-as2", Acknowledge: "997", Profile: "tolerant",
				Inbound:  []DocumentRule{{Type: "856", Deliver: "back-office"}},
				Outbound: []DocumentRule{{Type: "850"}},
				AS2:      AS2Policy{Sign: "sha-256", Encrypt: "aes-256-cbc", Receipt: "sync", SignedReceipt: true, RequireSigned: true},
			},
			{
				Partner: "carrier", Connection: "carrier-folder", Acknowledge: "none", Profile: "strict",
				Outbound: []DocumentRule{{Type: "204"}}, AS2: AS2Policy{Receipt: "none"},
			},
		},
		[]Connection{
			{Name: "supplier-as2", Connector: "as2", Partner: "supplier"},
			{Name: "carrier-folder", Connector: "directory", Partner: "carrier"},
			{Name: "back-office", Connector: "directory"},
		}
}

func directory(t *testing.T) *Directory {
	t.Helper()
	d, err := NewDirectory(buyer())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestByIdentifiers(t *testing.T) {
	t.Parallel()
	d := directory(t)
	for _, c := range []struct {
		name, sender, receiver string
		partner                string
		direction              Direction
		fault                  string
	}{
		{name: "a partner to us", sender: "ZZ:SUPPLIER", receiver: "ZZ:BUYER", partner: "supplier", direction: Inbound},
		{name: "us to a partner", sender: "ZZ:BUYER", receiver: "ZZ:SUPPLIER", partner: "supplier", direction: Outbound},
		{name: "padded as in ISA06", sender: "ZZ:SUPPLIER       ", receiver: "ZZ:BUYER          ", partner: "supplier", direction: Inbound},
		{name: "lower case", sender: "zz:supplier", receiver: "ZZ:Buyer", partner: "supplier", direction: Inbound},
		{name: "02 and 2 are one qualifier", sender: "2:ABCD", receiver: "1:123456789", partner: "supplier", direction: Inbound},
		{name: "002 as well", sender: "002:ABCD", receiver: "01:123456789", partner: "supplier", direction: Inbound},
		{name: "another qualifier is another address", sender: "12:SUPPLIER", receiver: "ZZ:BUYER", fault: "partner supplier has the same id under another qualifier, ZZ:SUPPLIER"},
		{name: "unknown sender", sender: "ZZ:NOBODY", receiver: "ZZ:BUYER", fault: "the sender is unknown: no partner has it"},
		{name: "unknown receiver", sender: "ZZ:BUYER", receiver: "ZZ:NOBODY", fault: "the receiver is unknown: no partner has it"},
		{name: "not for us", sender: "ZZ:SUPPLIER", receiver: "14:4012345000009", fault: "the sender is partner supplier, but the receiver is not this station"},
		{name: "strangers", sender: "ZZ:A", receiver: "ZZ:B", fault: "neither side is this station; the station has ZZ:BUYER, 01:123456789"},
		{name: "us to us", sender: "ZZ:BUYER", receiver: "01:123456789", fault: "the station itself, on both sides"},
		{name: "nothing agreed yet", sender: "ZZ:PROSPECT", receiver: "ZZ:BUYER", fault: "nothing was agreed with it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, err := d.ByIdentifiers(parse(c.sender), parse(c.receiver))
			if c.fault != "" {
				var missing *NotFoundError
				if !errors.As(err, &missing) || !strings.Contains(err.Error(), c.fault) {
					t.Fatalf("error %v, want a *NotFoundError that says %q", err, c.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if m.Partner.Name != c.partner || m.Partnership.Partner != c.partner || m.Direction != c.direction {
				t.Errorf("%s, partnership %s, %s; want %s %s", m.Partner.Name, m.Partnership.Partner, m.Direction, c.partner, c.direction)
			}
		})
	}
}

// parse splits "Q:ID" as it stood on the wire, padding and all.
func parse(s string) Identifier {
	q, id, _ := strings.Cut(s, ":")
	return Identifier{q, id}
}

func TestByName(t *testing.T) {
	t.Parallel()
	d := directory(t)
	if p, err := d.Partner("supplier"); err != nil || p.AS2ID != "SUPPLIER" {
		t.Errorf("Partner(supplier) = %v, %v", p, err)
	}
	if p, err := d.ByAS2("SUPPLIER"); err != nil || p.Name != "supplier" {
		t.Errorf("ByAS2(SUPPLIER) = %v, %v", p, err)
	}
	if c, err := d.Connection("back-office"); err != nil || c.Connector != "directory" {
		t.Errorf("Connection(back-office) = %v, %v", c, err)
	}
	if p, err := d.Partnership("carrier"); err != nil || p.Connection != "carrier-folder" {
		t.Errorf("Partnership(carrier) = %v, %v", p, err)
	}
	for call, want := range map[string]struct {
		err  func() error
		says string
	}{
		"partner":            {func() error { _, err := d.Partner("x"); return err }, `no partner "x": partners are supplier, carrier, prospect`},
		"connection":         {func() error { _, err := d.Connection("x"); return err }, `no connection "x": connections are supplier-as2, carrier-folder, back-office`},
		"partnership":        {func() error { _, err := d.Partnership("prospect"); return err }, "the partner is known, but nothing was agreed"},
		"AS2 id":             {func() error { _, err := d.ByAS2("x"); return err }, `no AS2 id "x"`},
		"AS2 id, other case": {func() error { _, err := d.ByAS2("supplier"); return err }, `partner supplier has "SUPPLIER"`},
		"our own AS2 id":     {func() error { _, err := d.ByAS2("BUYER"); return err }, "the station's own"},
	} {
		var missing *NotFoundError
		if err := want.err(); !errors.As(err, &missing) || !strings.Contains(err.Error(), want.says) {
			t.Errorf("%s: error %v, want %q", call, err, want.says)
		}
	}
}

func TestRule(t *testing.T) {
	t.Parallel()
	p, err := directory(t).Partnership("supplier")
	if err != nil {
		t.Fatal(err)
	}
	if r, ok := p.Rule(Inbound, "856"); !ok || r.Deliver != "back-office" {
		t.Errorf("inbound 856: %v %v", r, ok)
	}
	if _, ok := p.Rule(Inbound, "850"); ok {
		t.Error("an 850 may come in, though it was only agreed outbound")
	}
}

func TestNewDirectoryFindsWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	type parts struct {
		station      Station
		partners     []Partner
		partnerships []Partnership
		connections  []Connection
	}
	for _, c := range []struct {
		name   string
		change func(*parts)
		want   []string // "path: text", beginning
	}{
		{"nothing wrong", func(*parts) {}, nil},
		{"station without identifiers", func(p *parts) { p.station.Identifiers = nil }, []string{"station.identifiers: the station has no EDI identifier"}},
		{"station identifier twice", func(p *parts) {
			p.station.Identifiers = append(p.station.Identifiers, Identifier{"1", "123456789"})
		}, []string{"station.identifiers[2]: 1:123456789 is listed twice"}},
		{"two partners, one AS2 id", func(p *parts) { p.partners[2].AS2ID = "SUPPLIER" }, []string{`partners[2].as2_id: "SUPPLIER" is already the AS2 id of partner supplier`}},
		{"two partners, one identifier", func(p *parts) { p.partners[1].Identifiers[0] = Identifier{"2", "abcd"} }, []string{"partners[1].identifiers[0]: 2:abcd is already an identifier of partner supplier"}},
		{"a partner with our AS2 id", func(p *parts) { p.partners[2].AS2ID = "BUYER" }, []string{`partners[2].as2_id: "BUYER" is the station's AS2 id`}},
		{"a partner with our identifier", func(p *parts) { p.partners[1].Identifiers[0] = Identifier{"ZZ", "BUYER"} }, []string{"partners[1].identifiers[0]: ZZ:BUYER is the station's identifier"}},
		{"two partners, one name", func(p *parts) { p.partners[2].Name = "carrier" }, []string{`partners[2].name: "carrier" is already the name of partner 2`}},
		{"a name that is a path", func(p *parts) { p.partners[2].Name = "../etc" }, []string{`partners[2].name: "../etc" cannot be a name`}},
		{"an AS2 id with a line break", func(p *parts) { p.partners[2].AS2ID = "A\r\nB" }, []string{`partners[2].as2_id: '\r' in an AS2 id cannot be sent`}},
		{"two connections, one name", func(p *parts) { p.connections[2].Name = "carrier-folder"; p.partnerships[0].Inbound = nil }, []string{`connections[2].name: "carrier-folder" is already the name of connection 2`}},
		{"a connection of nobody", func(p *parts) { p.connections[2].Partner = "x"; p.partnerships[0].Inbound = nil }, []string{`connections[2].partner: there is no partner "x"`}},
		{"a partnership with nobody", func(p *parts) { p.partnerships[1].Partner = "freight" }, []string{
			`partnerships[1].partner: there is no partner "freight"`,
			"partnerships[1].connection: connection carrier-folder leads to partner carrier, not to freight",
		}},
		{"two partnerships with one partner", func(p *parts) { p.partnerships[1] = p.partnerships[0] }, []string{"partnerships[1].partner: partner supplier already has partnership 1"}},
		{"no such connection", func(p *parts) { p.partnerships[0].Connection = "x" }, []string{`partnerships[0].connection: there is no connection "x"`}},
		{"connection into our own house", func(p *parts) { p.partnerships[0].Connection = "back-office" }, []string{"partnerships[0].connection: connection back-office leads to no partner"}},
		{"delivery to a partner", func(p *parts) { p.partnerships[0].Inbound[0].Deliver = "supplier-as2" }, []string{"partnerships[0].inbound[0].deliver: connection supplier-as2 leads to partner supplier"}},
		{"no delivery", func(p *parts) { p.partnerships[0].Inbound[0].Deliver = "" }, []string{"partnerships[0].inbound[0]: nothing says where an inbound 856 goes"}},
		{"document twice", func(p *parts) { p.partnerships[0].Outbound = []DocumentRule{{Type: "850"}, {Type: "850"}} }, []string{"partnerships[0].outbound[1].document: 850 is listed twice"}},
		{"no document", func(p *parts) { p.partnerships[1].Outbound = nil }, []string{"partnerships[1]: no document may be traded"}},
		{"unknown words", func(p *parts) {
			p.partnerships[0].Acknowledge, p.partnerships[0].Profile, p.partnerships[0].AS2.Receipt = "yes", "lax", "soon"
		}, []string{`partnerships[0].acknowledge: "yes"`, `partnerships[0].profile: "lax"`, `partnerships[0].as2.receipt: "soon"`}},
		{"nothing to encrypt to", func(p *parts) {
			p.partners[0].Certificates = []CertificateFile{{File: "s.crt", Use: Use{Purposes: []string{"sign"}}}}
			p.partnerships[0].AS2.Encrypt = "aes-256-cbc"
		}, []string{"partners[0].certificates: partner supplier has no certificate to encrypt to"}},
		{"nothing to check signatures with", func(p *parts) {
			p.partners[0].Certificates = []CertificateFile{{File: "s.crt", Use: Use{Purposes: []string{"encrypt"}}}}
			p.partnerships[0].AS2.RequireSigned = true
		}, []string{"partners[0].certificates: partner supplier has no certificate to check signatures with"}},
		{"keys that only sign", func(p *parts) {
			p.station.Keys = []KeyFile{{Certificate: "a.crt", Key: "a.key", Use: Use{Purposes: []string{"sign"}}}}
		}, []string{"station.keys: no key of the station has the purpose encrypt"}},
		{
			"an unknown way of certificate exchange", func(p *parts) { p.partners[0].CertificateExchange = "always" },
			[]string{`partners[0].certificate_exchange: "always" is not known here`},
		},
		{"AS2 without ids and certificates", func(p *parts) {
			p.station.AS2ID, p.partners[0].AS2ID, p.partners[0].Certificates = "", "", nil
		}, []string{"partners[0]: partner supplier is reached by AS2 but has no AS2 id", "partners[0]: partner supplier has no certificate", "station: partners are reached by AS2 but the station has no AS2 id"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var p parts
			p.station, p.partners, p.partnerships, p.connections = buyer()
			c.change(&p)
			_, err := NewDirectory(p.station, p.partners, p.partnerships, p.connections)
			var got []string
			if err != nil {
				var conflict *ConflictError
				if !errors.As(err, &conflict) {
					t.Fatalf("%T: %v", err, err)
				}
				for _, x := range conflict.Problems {
					got = append(got, x.Path+": "+x.Text)
				}
			}
			if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
				t.Errorf("problems:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}

func TestParseIdentifier(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Identifier{
		"ZZ:BUYER":         {"ZZ", "BUYER"},
		" 01 : 123456789 ": {"01", "123456789"},
		"4012345000009":    {"", "4012345000009"},
		"ZZ:A:B":           {"ZZ", "A:B"},
	} {
		if got, err := ParseIdentifier(in); err != nil || got != want {
			t.Errorf("ParseIdentifier(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", ":", "ZZ:", ":BUYER", "ZZZZZ:A", "ZZ:" + strings.Repeat("A", 36)} {
		if got, err := ParseIdentifier(in); err == nil {
			t.Errorf("ParseIdentifier(%q) = %v, want an error", in, got)
		}
	}
}
