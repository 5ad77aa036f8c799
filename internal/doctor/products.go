package doctor

import (
	"context"
	"strings"

	"tradepost/partners"
	"tradepost/tracking"
)

// products compares what partners say they run with what was agreed: a few
// products need a setting of their own, and nothing but a receipt that does not
// count tells so later.
func (d *Doctor) products(ctx context.Context, r *report) {
	if !d.stored() {
		return
	}
	s, err := d.open(ctx)
	if err != nil {
		return // that is the matter of store
	}
	for _, p := range d.Config.Directory.Partnerships() {
		c, err := d.Config.Directory.Connection(p.Connection)
		if err != nil || c.Connector != "as2" {
			continue
		}
		agent := said(ctx, s, p.Partner)
		if peer, why := needs(agent, p.AS2); peer != "" {
			r.add(Warn, "write peer: "+peer+" under as2 of the partnership: it sets what this product needs", "partner %s runs %s, which %s", p.Partner, agent, why)
		}
	}
}

// said is the User-Agent of the newest that a partner sent us over AS2, ""
// when nothing tells. What was refused may be anybody's.
func said(ctx context.Context, s Store, partner string) string {
	page, err := s.Transmissions(ctx, tracking.TransmissionQuery{Partner: partner, Direction: tracking.Inbound, Connector: "as2", Limit: 10})
	if err != nil {
		return "" // that is the matter of store
	}
	for _, t := range page.Transmissions {
		if t.State == tracking.TransmissionRefused {
			continue
		}
		for _, h := range t.Evidence.Headers {
			if strings.EqualFold(h.Name, "User-Agent") {
				agent, _, _ := strings.Cut(h.Value, " (")
				return agent[:min(len(agent), 60)]
			}
		}
	}
	return ""
}

// needs names the product that an agreement does not suit, and why.
func needs(agent string, a partners.AS2Policy) (peer, why string) {
	switch {
	case strings.HasPrefix(agent, "OpenAS2 ") && a.ReceiptMIC != "first-listed":
		return "openas2", "compares the MIC of a receipt under the digest it asks for first, and not under that of the signature"
	case strings.HasPrefix(agent, "pyAS2 ") && a.Sign == "" && !a.ReceiptMICOptional:
		return "pyas2", "writes no MIC into signed receipts for what is sent unsigned, as we do"
	}
	return "", ""
}
