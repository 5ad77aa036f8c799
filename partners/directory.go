package partners

import (
	"fmt"
	"slices"
	"strings"
)

// Direction tells which way a document crosses the border of the station,
// seen from the partner. It has the meaning of tracking.Direction.
type Direction string

// The two directions.
const (
	Inbound  Direction = "inbound"  // from the partner to us
	Outbound Direction = "outbound" // from us to the partner
)

// Directory answers who trades with whom. It is made once from a checked
// configuration, never changes, and is safe for concurrent use; a changed
// configuration makes a new one.
type Directory struct {
	station      Station
	partners     []Partner
	partnerships []Partnership
	connections  []Connection

	byName       map[string]int // partner name -> partners
	byAS2        map[string]int // AS2 id -> partners
	byIdentifier map[Identifier]int
	ours         map[Identifier]bool
	partnership  map[string]int // partner name -> partnerships
	connection   map[string]int // connection name -> connections
}

// NotFoundError tells that a name or address belongs to nothing in the directory.
type NotFoundError struct {
	Kind string // "partner", "partnership", "connection", "AS2 id", "identifier"
	Name string
	Hint string // what is there instead
}

func (e *NotFoundError) Error() string {
	s := fmt.Sprintf("no %s %q", e.Kind, e.Name)
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// Match is what the sender and receiver of an interchange lead to.
type Match struct {
	Partner     *Partner
	Partnership *Partnership
	Direction   Direction
}

// NewDirectory checks that everything fits together and builds the look-ups.
// When something does not fit the error is a *ConflictError with every problem found.
func NewDirectory(station Station, partners []Partner, partnerships []Partnership, connections []Connection) (*Directory, error) {
	d := &Directory{
		station:      station,
		partners:     slices.Clone(partners),
		partnerships: slices.Clone(partnerships),
		connections:  slices.Clone(connections),
		byName:       map[string]int{},
		byAS2:        map[string]int{},
		byIdentifier: map[Identifier]int{},
		ours:         map[Identifier]bool{},
		partnership:  map[string]int{},
		connection:   map[string]int{},
	}
	c := &checker{d: d, supplied: map[string]string{}}
	c.station()
	c.partners()
	c.connections()
	c.partnerships()
	if len(c.problems) > 0 {
		return nil, &ConflictError{Problems: c.problems}
	}
	return d, nil
}

// Station returns us.
func (d *Directory) Station() Station { return d.station }

// Partners returns every partner in the order of the configuration.
func (d *Directory) Partners() []Partner { return slices.Clone(d.partners) }

// Partnerships returns every partnership in the order of the configuration.
func (d *Directory) Partnerships() []Partnership { return slices.Clone(d.partnerships) }

// Connections returns every connection in the order of the configuration.
func (d *Directory) Connections() []Connection { return slices.Clone(d.connections) }

// Partner returns the partner of a name, or a *NotFoundError.
func (d *Directory) Partner(name string) (*Partner, error) {
	i, ok := d.byName[name]
	if !ok {
		return nil, &NotFoundError{"partner", name, d.known()}
	}
	p := d.partners[i]
	return &p, nil
}

// Partnership returns the agreement with the partner of a name, or a *NotFoundError.
func (d *Directory) Partnership(partner string) (*Partnership, error) {
	i, ok := d.partnership[partner]
	if !ok {
		hint := d.known()
		if _, known := d.byName[partner]; known {
			hint = "the partner is known, but nothing was agreed with it: add it under partnerships"
		}
		return nil, &NotFoundError{"partnership", partner, hint}
	}
	p := d.partnerships[i]
	return &p, nil
}

// Connection returns the connection of a name, or a *NotFoundError.
func (d *Directory) Connection(name string) (*Connection, error) {
	i, ok := d.connection[name]
	if !ok {
		names := make([]string, 0, len(d.connections))
		for _, c := range d.connections {
			names = append(names, c.Name)
		}
		return nil, &NotFoundError{"connection", name, listed("connections are", names, "no connection is configured")}
	}
	c := d.connections[i]
	return &c, nil
}

// ByAS2 returns the partner of an AS2 id, or a *NotFoundError. AS2 ids are
// compared byte by byte: RFC 4130 section 6.2 makes them case-sensitive.
func (d *Directory) ByAS2(id string) (*Partner, error) {
	if i, ok := d.byAS2[id]; ok {
		p := d.partners[i]
		return &p, nil
	}
	hint := ""
	for _, p := range d.partners {
		if strings.EqualFold(strings.TrimSpace(id), p.AS2ID) && p.AS2ID != "" {
			hint = fmt.Sprintf("partner %s has %q, and AS2 ids must agree in every letter (RFC 4130, 6.2)", p.Name, p.AS2ID)
		}
	}
	if id == d.station.AS2ID {
		hint = "that is the station's own"
	}
	return nil, &NotFoundError{"AS2 id", id, hint}
}

// ByIdentifiers finds the partnership for an interchange by its sender and
// receiver, and which way it goes: from a partner to us, or from our own house
// to a partner. Padding, letter case and leading zeros of a numeric qualifier
// make no difference ("02" and "2" are one qualifier). Sender and receiver are
// never swapped to make them fit.
func (d *Directory) ByIdentifiers(sender, receiver Identifier) (*Match, error) {
	s, r := sender.Normal(), receiver.Normal()
	switch {
	case d.ours[r]:
		return d.match(s, sender, "sender", Inbound)
	case d.ours[s]:
		return d.match(r, receiver, "receiver", Outbound)
	}
	name, hint := sender.String()+" to "+receiver.String(), "neither side is this station"
	if i, ok := d.byIdentifier[s]; ok {
		name = receiver.String()
		hint = fmt.Sprintf("the sender is partner %s, but the receiver is not this station", d.partners[i].Name)
	} else if i, ok := d.byIdentifier[r]; ok {
		name = sender.String()
		hint = fmt.Sprintf("the receiver is partner %s, but the sender is not this station", d.partners[i].Name)
	}
	return nil, &NotFoundError{"identifier", name, hint + "; the station has " + join(d.station.Identifiers)}
}

// match finishes ByIdentifiers for the side that has to be the partner.
func (d *Directory) match(n, as Identifier, side string, dir Direction) (*Match, error) {
	i, ok := d.byIdentifier[n]
	if !ok {
		hint := "no partner has it as an identifier"
		if d.ours[n] {
			hint = "that is the station itself, on both sides"
		}
		for _, p := range d.partners {
			for _, id := range p.Identifiers {
				if id.Normal().ID == n.ID {
					hint = fmt.Sprintf("partner %s has the same id under another qualifier, %s", p.Name, id)
				}
			}
		}
		return nil, &NotFoundError{"identifier", as.String(), "the " + side + " is unknown: " + hint}
	}
	ps, err := d.Partnership(d.partners[i].Name)
	if err != nil {
		return nil, err
	}
	p := d.partners[i]
	return &Match{Partner: &p, Partnership: ps, Direction: dir}, nil
}

// Rule returns what was agreed for a type of document in a direction, or false.
func (p *Partnership) Rule(dir Direction, documentType string) (DocumentRule, bool) {
	rules := p.Inbound
	if dir == Outbound {
		rules = p.Outbound
	}
	for _, r := range rules {
		if r.Type == documentType {
			return r, true
		}
	}
	return DocumentRule{}, false
}

// Supplies returns the partnership and rule under which the files of a
// connection of our own house are mapped to a document; ok is false when they
// are none's.
func (d *Directory) Supplies(connection string) (p *Partnership, rule DocumentRule, ok bool) {
	for i := range d.partnerships {
		for _, r := range d.partnerships[i].Outbound {
			if r.Map != "" && r.From == connection {
				return &d.partnerships[i], r, true
			}
		}
	}
	return nil, DocumentRule{}, false
}

// ParseIdentifier reads "QUALIFIER:ID", or "ID" alone where there is no
// qualifier (allowed by EDIFACT).
func ParseIdentifier(s string) (Identifier, error) {
	q, id, found := strings.Cut(s, ":")
	if !found {
		q, id = "", s
	}
	i := Identifier{Qualifier: strings.TrimSpace(q), ID: strings.TrimSpace(id)}
	switch {
	case i.ID == "":
		return Identifier{}, fmt.Errorf("%q has no id: write QUALIFIER:ID, such as ZZ:ACME", s)
	case found && i.Qualifier == "":
		return Identifier{}, fmt.Errorf("%q has an empty qualifier: write QUALIFIER:ID, such as ZZ:ACME", s)
	case len(i.Qualifier) > 4:
		return Identifier{}, fmt.Errorf("%q: the qualifier %q has more than 4 letters (UNB 0007)", s, i.Qualifier)
	case len(i.ID) > 35:
		return Identifier{}, fmt.Errorf("%q: the id has more than 35 letters (UNB 0004)", s)
	}
	return i, nil
}

// Normal is the form under which identifiers are compared: without padding, in
// upper case, and with the leading zeros of a numeric qualifier dropped.
func (i Identifier) Normal() Identifier {
	q := strings.ToUpper(strings.TrimSpace(i.Qualifier))
	if strings.Trim(q, "0123456789") == "" && len(q) > 1 {
		if q = strings.TrimLeft(q, "0"); q == "" {
			q = "0"
		}
	}
	return Identifier{Qualifier: q, ID: strings.ToUpper(strings.TrimSpace(i.ID))}
}

// known lists the partners for a hint.
func (d *Directory) known() string {
	names := make([]string, 0, len(d.partners))
	for _, p := range d.partners {
		names = append(names, p.Name)
	}
	return listed("partners are", names, "no partner is configured")
}

// listed writes at most ten names after an introduction.
func listed(intro string, names []string, none string) string {
	if len(names) == 0 {
		return none
	}
	more := ""
	if len(names) > 10 {
		more = fmt.Sprintf(" and %d more", len(names)-10)
		names = names[:10]
	}
	return intro + " " + strings.Join(names, ", ") + more
}

// join lists identifiers for a sentence.
func join(ids []Identifier) string {
	s := make([]string, len(ids))
	for i, id := range ids {
		s[i] = id.String()
	}
	return strings.Join(s, ", ")
}
