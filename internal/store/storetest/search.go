package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"tradepost/processes"
	"tradepost/tracking"
)

// searchStock is how many documents BenchmarkSearch looks through.
const searchStock = 100_000

// BenchmarkSearch measures what people ask, over a hundred thousand documents
// of a hundred partners in a year. loaded is called when they are there.
func BenchmarkSearch(b *testing.B, s Store, loaded func()) {
	now := day.AddDate(1, 0, 0)
	var last tracking.ID
	const batch = 500
	for first := 0; first < searchStock; first += batch {
		update(b, s, func(ctx context.Context, tx processes.Tx) error {
			for n := first; n < first+batch; n++ {
				d := searched(s, n, now)
				last = d.ID
				if err := tx.InsertDocument(ctx, d); err != nil {
					return err
				}
				for range 3 {
					if _, err := event(ctx, tx, s, tracking.EventDocValid, 0, 0, d.ID); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	loaded()
	documents := func(q tracking.DocumentQuery) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			page, err := s.Documents(ctx, q)
			if err == nil && len(page.Documents) == 0 {
				err = fmt.Errorf("%+v finds nothing", q)
			}
			return err
		}
	}
	for _, c := range []struct {
		name string
		ask  func(ctx context.Context) error
	}{
		{"newest", documents(tracking.DocumentQuery{})},
		{"key", documents(tracking.DocumentQuery{KeyName: "PO", KeyValue: "4500050000"})},
		{"text", documents(tracking.DocumentQuery{Text: "4500050000"})},
		{"prefix of ten", documents(tracking.DocumentQuery{Text: "450005000"})},
		{"prefix of thousands", documents(tracking.DocumentQuery{Text: "45000"})},
		{"partner", documents(tracking.DocumentQuery{Partner: "partner-7"})},
		{"partner and type in a month", documents(tracking.DocumentQuery{Partner: "partner-7", Type: "850", Since: now.AddDate(0, -6, 0), Until: now.AddDate(0, -5, 0)})},
		{"troubled", documents(tracking.DocumentQuery{States: []tracking.DocumentState{tracking.DocumentInvalid}})},
		{"troubled of a partner", documents(tracking.DocumentQuery{Partner: "partner-0", States: []tracking.DocumentState{tracking.DocumentInvalid}})},
		{"overdue", documents(tracking.DocumentQuery{Overdue: true, Now: now})},
		{"control", documents(tracking.DocumentQuery{Control: "000050000"})},
		{"one day", documents(tracking.DocumentQuery{Since: now.AddDate(0, -6, 0), Until: now.AddDate(0, -6, 1)})},
		{"view", func(ctx context.Context) error { _, err := s.DocumentView(ctx, last); return err }},
		{"summary of a day", func(ctx context.Context) error { _, err := s.Summary(ctx, now.AddDate(0, 0, -1), now); return err }},
		{"summary of a month", func(ctx context.Context) error { _, err := s.Summary(ctx, now.AddDate(0, -1, 0), now); return err }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if err := c.ask(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// searched is document n of the stock.
func searched(s Store, n int, now time.Time) *tracking.Document {
	d := document(s, tracking.Key{Name: "PO", Value: fmt.Sprintf("45%08d", n)}, tracking.Key{Name: "SHIP", Value: fmt.Sprintf("S%08d", n/3)})
	d.CreatedAt = now.Add(-time.Duration(searchStock-n) * 5 * time.Minute)
	d.Partner, d.Control, d.State = fmt.Sprintf("partner-%d", n%100), fmt.Sprintf("%09d", n), tracking.DocumentDelivered
	switch n % 10 {
	case 0:
		d.Type, d.Direction, d.Ack = "856", tracking.Outbound, tracking.AckAccepted
	case 1:
		d.Type, d.Direction, d.Ack, d.AckDue = "810", tracking.Outbound, tracking.AckAwaited, now.Add(time.Duration(n-searchStock)*time.Minute)
	}
	if n%100 == 0 {
		d.State = tracking.DocumentInvalid
	}
	return d
}
