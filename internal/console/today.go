package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"tradepost/internal/api"
	"tradepost/tracking"
)

// Today is the first page.
type Today struct {
	Period    string // as in the address: 24h, today, 7d
	Since     time.Time
	Tiles     []Tile // what needs somebody
	Calm      bool   // nothing does
	Cases     []Case // the newest of what needs somebody
	Figures   []Tile
	Chart     Chart
	Partners  []PartnerLine
	Events    []EventLine
	LastEvent string
}

// Tile is a count that leads to what it counts.
type Tile struct {
	Count int
	Word  string
	Icon  string
	Tone  string // of a count above zero
	Link  string
}

// Case is one document or transmission that needs somebody.
type Case struct {
	Chip    Chip
	Link    string
	Title   string
	Partner string
	Text    string
	At      time.Time
}

// PartnerLine is a partner's share of the traffic.
type PartnerLine struct {
	tracking.PartnerCount
	Link         string
	TroubledLink string
}

// EventLine is an event in a list.
type EventLine struct {
	tracking.Event
	Chip Chip
	Link string
	Of   string // the partner, where the list is of several
}

func (c *Console) today(r *http.Request) (*view, error) {
	ctx, now := r.Context(), c.cfg.Now()
	t := Today{Period: r.URL.Query().Get("period")}
	if !slices.Contains([]string{"24h", "today", "7d"}, t.Period) {
		t.Period = "24h"
	}
	var err error
	if t.Since, err = api.ParseTime(t.Period, now, c.cfg.Location); err != nil {
		return nil, err
	}
	sum, err := c.cfg.Data.Summary(ctx, t.Since, now)
	if err != nil {
		return nil, err
	}
	if err := c.needs(ctx, &t, sum, now); err != nil {
		return nil, err
	}
	if t.Cases, err = c.cases(ctx, t.Since, now); err != nil {
		return nil, err
	}
	t.Figures = []Tile{
		{sum.Received, "received", "arrow-in", "", documentsLink("direction", "inbound", "since", t.Period)},
		{sum.Sent, "sent and delivered", "arrow-out", "", documentsLink("direction", "outbound", "state", "delivered", "since", t.Period)},
		{sum.AwaitingAck, "awaiting acknowledgement", "hourglass", "", documentsLink("direction", "outbound", "ack", "awaited", "since", t.Period)},
		{sum.Duplicates, "duplicates kept out", "copy", "", "/transmissions?" + url.Values{"state": {"duplicate"}, "since": {t.Period}}.Encode()},
	}
	t.Chart = c.chart(sum.Hours, t.Period)
	for _, p := range sum.Partners[:min(len(sum.Partners), 8)] {
		t.Partners = append(t.Partners, PartnerLine{
			PartnerCount: p, Link: documentsLink("partner", p.Partner, "since", t.Period),
			TroubledLink: documentsLink("partner", p.Partner, "state", "troubled", "since", t.Period),
		})
	}
	events, err := c.latestEvents(ctx, 14, now)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		line := eventLine(e)
		line.Of = e.Partner
		t.Events = append(t.Events, line)
	}
	if len(events) > 0 {
		t.LastEvent = events[0].ID.String()
	}
	return &view{template: "today", title: "Today", section: "today", body: t}, nil
}

// needs fills the counts of what somebody must look after.
func (c *Console) needs(ctx context.Context, t *Today, sum *tracking.Summary, now time.Time) error {
	lanes, err := c.cfg.Queue.Lanes(ctx)
	if err != nil {
		return err
	}
	stuck := 0
	for _, l := range lanes {
		stuck += l.Dead
	}
	expiring := 0
	d, err := c.cfg.Directory(ctx)
	if err != nil {
		return err
	}
	for _, list := range d.Certificates {
		// One that is about to end matters where no later one takes over.
		if len(list) > 0 && !slices.ContainsFunc(list, func(k tracking.Certificate) bool { return k.NotAfter.Sub(now) >= 30*24*time.Hour }) {
			expiring++
		}
	}
	since := t.Period
	t.Tiles = []Tile{
		{sum.Invalid, "invalid", "octagon", "bad", documentsLink("state", "invalid", "since", since)},
		{sum.Rejected, "rejected by partner", "cross", "bad", documentsLink("direction", "outbound", "ack", "rejected", "since", since)},
		{sum.Failed, "not delivered", "alert", "bad", documentsLink("state", "failed", "since", since)},
		{sum.Overdue, "acknowledgement late", "late", "warn", documentsLink("ack", "overdue")},
		{sum.Refused, "transmissions refused", "shield", "bad", "/transmissions?" + url.Values{"state": {"refused,failed"}, "since": {since}}.Encode()},
		{stuck, "dead letters", "queue", "bad", "/queue#dead"},
		{expiring, "certificates to renew", "key", "warn", "/partners"},
	}
	t.Calm = !slices.ContainsFunc(t.Tiles, func(x Tile) bool { return x.Count > 0 })
	return nil
}

// documentsLink is the address of a list of documents.
func documentsLink(pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return "/documents?" + v.Encode()
}

// cases lists the newest things that need somebody.
func (c *Console) cases(ctx context.Context, since, now time.Time) ([]Case, error) {
	const each, most = 5, 6
	var list []Case
	for _, q := range []tracking.DocumentQuery{
		{States: []tracking.DocumentState{tracking.DocumentInvalid, tracking.DocumentFailed}, Since: since},
		{Direction: tracking.Outbound, Acks: []tracking.AckState{tracking.AckRejected}, Since: since},
		{Overdue: true},
	} {
		q.Now, q.Limit = now, each
		page, err := c.cfg.Data.Documents(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range page.Documents {
			d := &page.Documents[i].Document
			k := Case{Chip: documentChip(d.State), Link: "/documents/" + d.ID.String(), Title: documentTitle(d), Partner: d.Partner, Text: d.Error, At: d.CreatedAt}
			if d.State != tracking.DocumentInvalid && d.State != tracking.DocumentFailed {
				k.Chip = ackChip(d, now)
			}
			if overdue(d, now) {
				k.Text = "Its acknowledgement was due " + duration(now.Sub(d.AckDue)) + " ago."
			}
			list = append(list, k)
		}
	}
	page, err := c.cfg.Data.Transmissions(ctx, tracking.TransmissionQuery{
		States: []tracking.TransmissionState{tracking.TransmissionRefused, tracking.TransmissionFailed},
		// An outbound one shows through its documents, which failed.
		Direction: tracking.Inbound, Since: since, Limit: each,
	})
	if err != nil {
		return nil, err
	}
	for i := range page.Transmissions {
		t := &page.Transmissions[i]
		list = append(list, Case{transmissionChip(t.State), "/transmissions/" + t.ID.String(), "Transmission", t.Partner, t.Error, t.CreatedAt})
	}
	slices.SortStableFunc(list, func(a, b Case) int { return b.At.Compare(a.At) })
	return list[:min(len(list), most)], nil
}

// latestEvents returns the newest events, newest first. The Reader lists
// forward only, so it looks back over growing spans of time until there are
// enough.
func (c *Console) latestEvents(ctx context.Context, n int, now time.Time) ([]tracking.Event, error) {
	const batch, rounds = 500, 8
	var found []tracking.Event
	for span := 2 * time.Second; span < 400*24*time.Hour; span *= 8 {
		found = found[:0]
		after := tracking.FirstIDAt(now.Add(-span))
		for range rounds {
			list, err := c.cfg.Data.Events(ctx, after, batch)
			if err != nil {
				return nil, err
			}
			found = append(found, list...)
			if len(list) < batch {
				break
			}
			after = list[len(list)-1].ID
		}
		if len(found) >= n {
			break
		}
	}
	slices.Reverse(found)
	return found[:min(len(found), n)], nil
}

func eventLine(e tracking.Event) EventLine {
	l := EventLine{Event: e, Chip: eventChip(e.Kind)}
	switch {
	case e.DocumentID != 0:
		l.Link = "/documents/" + e.DocumentID.String()
	case e.TransmissionID != 0:
		l.Link = "/transmissions/" + e.TransmissionID.String()
	}
	return l
}

// documentTitle names a document for a list: "850 Purchase order 4500012345".
func documentTitle(d *tracking.Document) string {
	s := d.Type + " " + typeName(d.Type)
	if len(d.Keys) > 0 {
		return s + " " + cut(60, d.Keys[0].Value)
	}
	return s + " " + cut(60, d.Control)
}
