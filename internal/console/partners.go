package console

import (
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"tradepost/partners"
	"tradepost/tracking"
)

// Partners is the list of trading partners.
type Partners struct {
	Query   string
	List    []PartnerCard
	Found   int // that fit the search
	Total   int
	Station StationCard
}

// StationCard is our own side, the facts a new partner asks for.
type StationCard struct {
	Name, AS2ID  string
	Identifiers  []string
	Certificates []CertificateView
}

// PartnerCard is one partner with the agreement.
type PartnerCard struct {
	Name, AS2ID  string
	Identifiers  []string
	Contact      string
	Inbound      []RuleLine
	Outbound     []RuleLine
	Facts        []Fact
	Safe         []Chip
	Certificates []CertificateView
	Test         bool
	NoAgreement  bool
	Last         time.Time // of the last 30 days
	In, Out      int
	Troubled     int
	Link         string // to its documents
	TroubledLink string
}

// RuleLine is one type of document of an agreement.
type RuleLine struct {
	Type, Name, Deliver string
	Guide               string // its name, or the name of its file without the folders
}

const maxPartners = 100

func (c *Console) partners(r *http.Request) (*view, error) {
	ctx, now := r.Context(), c.cfg.Now()
	d, err := c.cfg.Directory(ctx)
	if err != nil {
		return nil, err
	}
	sum, err := c.cfg.Data.Summary(ctx, now.AddDate(0, 0, -30), now)
	if err != nil {
		return nil, err
	}
	traffic := map[string]tracking.PartnerCount{}
	for _, p := range sum.Partners {
		traffic[p.Partner] = p
	}
	agreed := map[string]*partners.Partnership{}
	for i := range d.Partnerships {
		agreed[d.Partnerships[i].Partner] = &d.Partnerships[i]
	}
	p := Partners{Query: strings.TrimSpace(r.URL.Query().Get("q")), Total: len(d.Partners), Station: StationCard{
		Name: d.Station.Name, AS2ID: d.Station.AS2ID, Identifiers: identifiers(d.Station.Identifiers),
		Certificates: certificates(d.Certificates[""], now),
	}}
	for i := range d.Partners {
		partner := &d.Partners[i]
		if !fits(partner, p.Query) {
			continue
		}
		if p.Found++; p.Found > maxPartners {
			continue
		}
		card := partnerCard(partner, agreed[partner.Name], d.Connections)
		card.Certificates = certificates(d.Certificates[partner.Name], now)
		t := traffic[partner.Name]
		card.Last, card.In, card.Out, card.Troubled = t.LastAt, t.Inbound, t.Outbound, t.Troubled
		p.List = append(p.List, card)
	}
	return &view{template: "partners", title: "Partners", section: "partners", body: p}, nil
}

func fits(p *partners.Partner, query string) bool {
	q := strings.ToLower(query)
	if q == "" || strings.Contains(strings.ToLower(p.Name), q) || strings.Contains(strings.ToLower(p.AS2ID), q) {
		return true
	}
	for _, i := range p.Identifiers {
		if strings.Contains(strings.ToLower(i.ID), q) {
			return true
		}
	}
	return false
}

func identifiers(list []partners.Identifier) []string {
	var out []string
	for _, i := range list {
		out = append(out, i.String())
	}
	return out
}

func certificates(list []tracking.Certificate, now time.Time) []CertificateView {
	var out []CertificateView
	for i := range list {
		out = append(out, certificateView(&list[i], "", now))
	}
	return out
}

func partnerCard(p *partners.Partner, a *partners.Partnership, connections []partners.Connection) PartnerCard {
	card := PartnerCard{
		Name: p.Name, AS2ID: p.AS2ID, Identifiers: identifiers(p.Identifiers), Contact: p.Contact,
		Link: documentsLink("partner", p.Name), TroubledLink: documentsLink("partner", p.Name, "state", "troubled", "since", "30d"),
	}
	if a == nil {
		card.NoAgreement = true
		return card
	}
	card.Test = a.Test
	card.Inbound, card.Outbound = ruleLines(a.Inbound), ruleLines(a.Outbound)
	fact := func(name, value string) { card.Facts = append(card.Facts, Fact{name, value}) }
	how := a.Connection
	as2 := false
	for _, c := range connections {
		if c.Name == a.Connection {
			how, as2 = connectorName(c.Connector)+" · "+c.Name, c.Connector == "as2"
		}
	}
	fact("Connection", how)
	if a.Acknowledge == "none" {
		fact("We acknowledge", "nothing")
	} else {
		fact("We acknowledge", "by "+a.Acknowledge)
	}
	if a.AckWithin > 0 {
		fact("They acknowledge", "within "+duration(a.AckWithin))
	} else {
		fact("They acknowledge", "not expected")
	}
	fact("Checks", a.Profile)
	if as2 {
		receipt := a.AS2.Receipt
		if receipt != "none" && a.AS2.SignedReceipt {
			receipt += ", signed"
		}
		fact("Receipt asked for", receipt)
		card.Safe = []Chip{
			safe(a.AS2.Sign != "", "lock-check", "Signed", "Not signed", a.AS2.Sign),
			safe(a.AS2.Encrypt != "", "lock", "Encrypted", "Not encrypted", a.AS2.Encrypt),
		}
		if a.AS2.Compress {
			card.Safe = append(card.Safe, Chip{"mute", "compress", "Compressed"})
		}
	}
	return card
}

func ruleLines(rules []partners.DocumentRule) []RuleLine {
	var out []RuleLine
	for _, r := range rules {
		guide := r.Guide
		if filepath.IsAbs(guide) {
			guide = filepath.Base(guide)
		}
		out = append(out, RuleLine{Type: r.Type, Name: typeName(r.Type), Deliver: r.Deliver, Guide: guide})
	}
	return out
}
