package storetest

import (
	order "cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tradepost/processes"
	"tradepost/tracking"

	"github.com/google/go-cmp/cmp"
)

// shelf is a small stock of documents, by name.
type shelf struct {
	docs  map[string]*tracking.Document
	names map[tracking.ID]string
}

// stock stores the documents that the query tests look for.
func stock(t *testing.T, s Store) shelf {
	t.Helper()
	sh := shelf{map[string]*tracking.Document{}, map[tracking.ID]string{}}
	add := func(name string, change func(d *tracking.Document)) *tracking.Document {
		d := document(s)
		change(d)
		sh.docs[name], sh.names[d.ID] = d, name
		return d
	}
	out := &tracking.Interchange{ID: s.IDs().Next(), Direction: tracking.Outbound, Partner: "buyer", Control: "000000042", CreatedAt: day}
	group := &tracking.Group{ID: s.IDs().Next(), InterchangeID: out.ID, Type: "SH", Control: "77"}
	docs := []*tracking.Document{
		add("order", func(d *tracking.Document) {
			d.Keys = []tracking.Key{{Name: "PO", Value: "4500012345"}, {Name: "VENDOR", Value: "V-9"}}
		}),
		add("order of seller", func(d *tracking.Document) {
			d.Partner, d.CreatedAt = "seller", day.Add(time.Hour)
			d.Keys = []tracking.Key{{Name: "PO", Value: "4500012999"}}
		}),
		add("bad order", func(d *tracking.Document) {
			d.State, d.Control = tracking.DocumentInvalid, "0002"
			d.Keys = []tracking.Key{{Name: "PO", Value: "AB-77"}}
		}),
		add("shipment", func(d *tracking.Document) {
			d.Direction, d.Type, d.State, d.Ack = tracking.Outbound, "856", tracking.DocumentDelivered, tracking.AckAwaited
			d.AckDue, d.InterchangeID, d.GroupID, d.Control = day.Add(time.Hour), out.ID, group.ID, "0009"
			d.Keys = []tracking.Key{{Name: "SHIP", Value: "4500012345"}}
		}),
		add("late shipment", func(d *tracking.Document) {
			d.Direction, d.Type, d.State, d.Ack, d.Control = tracking.Outbound, "856", tracking.DocumentDelivered, tracking.AckAwaited, "0010"
			d.AckDue = day.Add(-time.Hour)
		}),
		add("refused shipment", func(d *tracking.Document) {
			d.Direction, d.Type, d.State, d.Ack, d.Control = tracking.Outbound, "856", tracking.DocumentDelivered, tracking.AckRejected, "0011"
			d.AckDue = day.Add(-time.Hour)
		}),
		add("failed invoice", func(d *tracking.Document) {
			d.Direction, d.Type, d.State, d.Control, d.CreatedAt = tracking.Outbound, "810", tracking.DocumentFailed, "0012", day.Add(24*time.Hour)
		}),
	}
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		return errors.Join(tx.InsertInterchange(ctx, out), tx.InsertGroup(ctx, group))
	})
	insertDocuments(t, s, docs...)
	return sh
}

// find runs a query and returns the names of what it finds, newest first.
func (sh shelf) find(t *testing.T, s Store, q tracking.DocumentQuery) string {
	t.Helper()
	page, err := s.Documents(context.Background(), q)
	if err != nil {
		t.Fatalf("Documents(%+v): %v", q, err)
	}
	names := make([]string, len(page.Documents))
	for i, d := range page.Documents {
		names[i] = sh.names[d.ID]
	}
	return strings.Join(names, ", ")
}

func testDocumentFilters(t *testing.T, s Store) {
	sh := stock(t, s)
	for _, c := range []struct {
		name string
		q    tracking.DocumentQuery
		want string
	}{
		{"all", tracking.DocumentQuery{}, "failed invoice, order of seller, refused shipment, late shipment, shipment, bad order, order"},
		{"partner", tracking.DocumentQuery{Partner: "seller"}, "order of seller"},
		{"partner nobody has", tracking.DocumentQuery{Partner: "none"}, ""},
		{"direction", tracking.DocumentQuery{Direction: tracking.Inbound}, "order of seller, bad order, order"},
		{"type", tracking.DocumentQuery{Type: "810"}, "failed invoice"},
		{"partner and type", tracking.DocumentQuery{Partner: "buyer", Type: "850"}, "bad order, order"},
		{"one state", tracking.DocumentQuery{States: []tracking.DocumentState{tracking.DocumentInvalid}}, "bad order"},
		{"troubled states", tracking.DocumentQuery{States: []tracking.DocumentState{tracking.DocumentInvalid, tracking.DocumentFailed}}, "failed invoice, bad order"},
		{"mixed states", tracking.DocumentQuery{States: []tracking.DocumentState{tracking.DocumentReady, tracking.DocumentFailed}}, "failed invoice, order of seller, order"},
		{"troubled states of a partner", tracking.DocumentQuery{Partner: "buyer", States: []tracking.DocumentState{tracking.DocumentFailed}}, "failed invoice"},
		{"troubled", tracking.DocumentQuery{Troubled: true}, "failed invoice, refused shipment, bad order"},
		{"troubled of a partner", tracking.DocumentQuery{Troubled: true, Partner: "none"}, ""},
		{"rejected", tracking.DocumentQuery{Acks: []tracking.AckState{tracking.AckRejected}}, "refused shipment"},
		{"awaited", tracking.DocumentQuery{Acks: []tracking.AckState{tracking.AckAwaited}}, "late shipment, shipment"},
		{"awaited or rejected", tracking.DocumentQuery{Acks: []tracking.AckState{tracking.AckAwaited, tracking.AckRejected}}, "refused shipment, late shipment, shipment"},
		{"overdue", tracking.DocumentQuery{Overdue: true, Now: day}, "late shipment"},
		{"overdue later", tracking.DocumentQuery{Overdue: true, Now: day.Add(2 * time.Hour)}, "late shipment, shipment"},
		{"ST02", tracking.DocumentQuery{Control: "0002"}, "bad order"},
		{"GS06", tracking.DocumentQuery{Control: "77"}, "shipment"},
		{"ISA13", tracking.DocumentQuery{Control: "000000042"}, "shipment"},
		{"ISA13 without its zeros", tracking.DocumentQuery{Control: "42"}, "shipment"},
		{"key", tracking.DocumentQuery{KeyName: "PO", KeyValue: "4500012345"}, "order"},
		{"key of any name", tracking.DocumentQuery{KeyValue: "4500012345"}, "shipment, order"},
		{"key and partner", tracking.DocumentQuery{KeyValue: "4500012345", Partner: "seller"}, ""},
		{"a key is no prefix", tracking.DocumentQuery{KeyName: "PO", KeyValue: "45000"}, ""},
		{"since", tracking.DocumentQuery{Since: day.Add(time.Minute)}, "failed invoice, order of seller"},
		{"until", tracking.DocumentQuery{Until: day.Add(time.Hour), Direction: tracking.Inbound}, "bad order, order"},
		{"since and until", tracking.DocumentQuery{Since: day.Add(time.Hour), Until: day.Add(2 * time.Hour)}, "order of seller"},
		{"at most two", tracking.DocumentQuery{Limit: 2}, "failed invoice, order of seller"},
		{"before", tracking.DocumentQuery{Before: sh.docs["shipment"].ID}, "bad order, order"},
	} {
		if got := sh.find(t, s, c.q); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}

	page, err := s.Documents(context.Background(), tracking.DocumentQuery{Control: "77"})
	if err != nil || len(page.Documents) != 1 {
		t.Fatalf("Documents: %v, %v", page, err)
	}
	want := tracking.DocumentRow{Document: *sh.docs["shipment"], InterchangeControl: "000000042", GroupControl: "77"}
	if diff := cmp.Diff(want, page.Documents[0]); diff != "" {
		t.Errorf("a row (-want +got):\n%s", diff)
	}
	var bad *tracking.QueryError
	if _, err := s.Documents(context.Background(), tracking.DocumentQuery{KeyName: "PO"}); !errors.As(err, &bad) || bad.Field != "keyName" {
		t.Errorf("a key name without its value: %v, want a QueryError", err)
	}
}

func testDocumentText(t *testing.T, s Store) {
	sh := stock(t, s)
	for _, c := range []struct{ text, want string }{
		{"4500012345", "shipment, order"},
		{"45000123", "shipment, order"},
		{"4500012", "order of seller, shipment, order"},
		{" 4500012999 ", "order of seller"},
		{"V-", "order"},
		{"ab-7", "bad order"}, // typed in small letters
		{"AB-77", "bad order"},
		{"000000042", "shipment"},
		{"0000000", "shipment"},
		{"42", "shipment"},
		{"77", "shipment"},
		{"0009", "shipment"},
		{"0002", "bad order"},
		{"nothing", ""},
		{"%", ""},
		{"45%", ""},
		{"4_00", ""},
		{sh.docs["late shipment"].ID.String(), "late shipment"},
		{strings.ToLower(sh.docs["late shipment"].ID.String()), "late shipment"},
	} {
		if len(c.text) < 2 {
			continue
		}
		if got := sh.find(t, s, tracking.DocumentQuery{Text: c.text}); got != c.want {
			t.Errorf("text %q: %q, want %q", c.text, got, c.want)
		}
	}
	if got := sh.find(t, s, tracking.DocumentQuery{Text: "45000", Partner: "buyer", Type: "850"}); got != "order" {
		t.Errorf("text with partner and type: %q", got)
	}
	var bad *tracking.QueryError
	if _, err := s.Documents(context.Background(), tracking.DocumentQuery{Text: "4"}); !errors.As(err, &bad) || bad.Field != "text" {
		t.Errorf("one character: %v, want a QueryError", err)
	}
	if _, err := s.Transmissions(context.Background(), tracking.TransmissionQuery{Text: "x"}); !errors.As(err, &bad) {
		t.Errorf("one character of a transmission: %v, want a QueryError", err)
	}
}

func testPages(t *testing.T, s Store) {
	const n = 23
	var docs []*tracking.Document
	for i := range n {
		d := document(s)
		d.CreatedAt = day.Add(time.Duration(i%5) * time.Hour) // many of the same time
		insertDocuments(t, s, d)
		docs = append(docs, d)
		m := transmission(s, "")
		update(t, s, func(ctx context.Context, tx processes.Tx) error { return tx.InsertTransmission(ctx, m) })
	}
	slices.SortFunc(docs, func(a, b *tracking.Document) int {
		return order.Or(b.CreatedAt.Compare(a.CreatedAt), order.Compare(b.ID, a.ID))
	})
	var want []tracking.ID
	for _, d := range docs {
		want = append(want, d.ID)
	}
	for _, limit := range []int{1, 5, 23, 24} {
		var got []tracking.ID
		q := tracking.DocumentQuery{Limit: limit}
		for pages := 0; ; pages++ {
			page, err := s.Documents(context.Background(), q)
			if err != nil || pages > n {
				t.Fatalf("page %d: %v", pages, err)
			}
			for _, d := range page.Documents {
				got = append(got, d.ID)
			}
			if page.Next == 0 {
				break
			}
			q.Before = page.Next
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", limit, diff)
		}
	}
	var count int
	q := tracking.TransmissionQuery{Limit: 7}
	for {
		page, err := s.Transmissions(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		count += len(page.Transmissions)
		if q.Before = page.Next; page.Next == 0 || count > n {
			break
		}
	}
	if count != n {
		t.Errorf("pages of transmissions hold %d, want %d", count, n)
	}
}

func testTransmissionFilters(t *testing.T, s Store) {
	names := map[tracking.ID]string{}
	add := func(name string, change func(m *tracking.Transmission)) *tracking.Transmission {
		m := transmission(s, "")
		m.MessageID = "<" + name + "@buyer>"
		change(m)
		names[m.ID] = name
		return m
	}
	all := []*tracking.Transmission{
		add("plain", func(*tracking.Transmission) {}),
		add("refused", func(m *tracking.Transmission) { m.State = tracking.TransmissionRefused }),
		add("out", func(m *tracking.Transmission) {
			m.Direction, m.State, m.Partner, m.CreatedAt = tracking.Outbound, tracking.TransmissionDelivered, "seller", day.Add(time.Hour)
		}),
		add("dropped", func(m *tracking.Transmission) {
			m.Connector, m.Filename, m.MessageID = "directory", "orders-7.edi", ""
		}),
	}
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		for _, m := range all {
			if err := tx.InsertTransmission(ctx, m); err != nil {
				return err
			}
		}
		return nil
	})
	for _, c := range []struct {
		name string
		q    tracking.TransmissionQuery
		want string
	}{
		{"all", tracking.TransmissionQuery{}, "out, dropped, refused, plain"},
		{"partner", tracking.TransmissionQuery{Partner: "seller"}, "out"},
		{"direction", tracking.TransmissionQuery{Direction: tracking.Inbound}, "dropped, refused, plain"},
		{"states", tracking.TransmissionQuery{States: []tracking.TransmissionState{tracking.TransmissionRefused, tracking.TransmissionDelivered}}, "out, refused"},
		{"connector", tracking.TransmissionQuery{Connector: "directory"}, "dropped"},
		{"Message-ID", tracking.TransmissionQuery{Text: "<plain@buyer>"}, "plain"},
		{"Message-ID without brackets", tracking.TransmissionQuery{Text: "plain@"}, "plain"},
		{"file name", tracking.TransmissionQuery{Text: "orders-"}, "dropped"},
		{"id", tracking.TransmissionQuery{Text: all[1].ID.String()}, "refused"},
		{"nothing", tracking.TransmissionQuery{Text: "nothing"}, ""},
		{"since", tracking.TransmissionQuery{Since: day.Add(time.Minute)}, "out"},
		{"until", tracking.TransmissionQuery{Until: day.Add(time.Minute)}, "dropped, refused, plain"},
		{"at most one", tracking.TransmissionQuery{Limit: 1}, "out"},
		{"before", tracking.TransmissionQuery{Before: all[1].ID}, "plain"},
	} {
		page, err := s.Transmissions(context.Background(), c.q)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var got []string
		for _, m := range page.Transmissions {
			got = append(got, names[m.ID])
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
