package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tradepost/processes"
	"tradepost/tracking"

	"github.com/google/go-cmp/cmp"
)

// event appends an event and returns it.
func event(ctx context.Context, tx processes.Tx, s Store, kind tracking.EventKind, transmission, interchange, document tracking.ID) (tracking.Event, error) {
	e := tracking.Event{ID: s.IDs().Next(), At: day, Kind: kind, TransmissionID: transmission, InterchangeID: interchange, DocumentID: document, Partner: "buyer", Text: string(kind)}
	return e, tx.AppendEvent(ctx, &e)
}

// story is an order that came in with another one, was passed on twice, and
// whose 997 went out.
type story struct {
	source, firstDelivery, delivery, stranger *tracking.Transmission
	interchange                               *tracking.Interchange
	group                                     *tracking.Group
	order, neighbour, earlier, ack997         *tracking.Document
	receipts                                  []tracking.Receipt // of source, firstDelivery and delivery
	acks                                      []tracking.Acknowledgement
	issue, interchangeIssue                   tracking.Issue
	events                                    []tracking.Event // of the order's life
	sourceEvents                              []tracking.Event
}

func tell(t *testing.T, s Store) *story {
	t.Helper()
	id := s.IDs().Next
	st := &story{}
	st.source, st.firstDelivery, st.delivery, st.stranger = transmission(s, "in"), transmission(s, "out1"), transmission(s, "out2"), transmission(s, "x")
	for _, m := range []*tracking.Transmission{st.firstDelivery, st.delivery} {
		m.Direction, m.State = tracking.Outbound, tracking.TransmissionDelivered
	}
	st.interchange = &tracking.Interchange{ID: id(), TransmissionID: st.source.ID, Direction: tracking.Inbound, Partner: "buyer", Control: "000000001", State: tracking.VerdictPartial, CreatedAt: day}
	st.group = &tracking.Group{ID: id(), InterchangeID: st.interchange.ID, Type: "PO", Control: "1", State: tracking.VerdictPartial}
	st.earlier = document(s, tracking.Key{Name: "CONTRACT", Value: "C-1"})
	st.order = document(s, tracking.Key{Name: "PO", Value: "4711"}, tracking.Key{Name: "REF", Value: "C-1"}, tracking.Key{Name: "REF", Value: ""})
	st.neighbour = document(s, tracking.Key{Name: "PO", Value: "4712"}, tracking.Key{Name: "REF", Value: ""})
	otherPartner := document(s, tracking.Key{Name: "PO", Value: "4711"})
	otherPartner.Partner = "seller"
	for _, d := range []*tracking.Document{st.order, st.neighbour} {
		d.SourceID, d.InterchangeID, d.GroupID = st.source.ID, st.interchange.ID, st.group.ID
	}
	st.order.DeliveryID = st.delivery.ID
	st.ack997 = document(s)
	st.ack997.Type, st.ack997.Direction = "997", tracking.Outbound
	for _, m := range []*tracking.Transmission{st.source, st.firstDelivery, st.delivery, st.stranger} {
		r := tracking.Receipt{ID: id(), TransmissionID: m.ID, Direction: tracking.Outbound, Disposition: "processed", At: day}
		st.receipts = append(st.receipts, r)
	}
	ack := func(interchange, group, document tracking.ID) tracking.Acknowledgement {
		return tracking.Acknowledgement{
			ID: id(), Type: "997", Direction: tracking.Outbound, CarrierID: st.ack997.ID,
			InterchangeID: interchange, GroupID: group, DocumentID: document, Status: tracking.AckAccepted, Code: "A", At: day,
		}
	}
	st.acks = []tracking.Acknowledgement{
		ack(st.interchange.ID, st.group.ID, st.order.ID), ack(st.interchange.ID, st.group.ID, st.neighbour.ID),
		ack(st.interchange.ID, st.group.ID, 0), ack(st.interchange.ID, 0, 0),
	}
	st.issue = tracking.Issue{Severity: "warning", Level: "element", Text: "odd"}
	st.interchangeIssue = tracking.Issue{Severity: "error", Level: "interchange", Text: "ISA14"}
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		var errs []error
		for _, m := range []*tracking.Transmission{st.source, st.firstDelivery, st.delivery, st.stranger} {
			errs = append(errs, tx.InsertTransmission(ctx, m))
		}
		errs = append(errs, tx.InsertInterchange(ctx, st.interchange), tx.InsertGroup(ctx, st.group))
		for _, d := range []*tracking.Document{st.earlier, st.order, st.neighbour, otherPartner, st.ack997} {
			errs = append(errs, tx.InsertDocument(ctx, d))
		}
		for i := range st.receipts {
			errs = append(errs, tx.InsertReceipt(ctx, &st.receipts[i]))
		}
		for i := range st.acks {
			errs = append(errs, tx.InsertAcknowledgement(ctx, &st.acks[i]))
		}
		errs = append(errs,
			tx.InsertIssues(ctx, st.interchange.ID, st.order.ID, []tracking.Issue{st.issue}),
			tx.InsertIssues(ctx, st.interchange.ID, st.neighbour.ID, []tracking.Issue{{Severity: "error", Text: "of the neighbour"}}),
			tx.InsertIssues(ctx, st.interchange.ID, 0, []tracking.Issue{st.interchangeIssue}))
		st.events, st.sourceEvents = nil, nil
		otherInterchange := id()
		for _, e := range []struct {
			kind                               tracking.EventKind
			transmission, interchange, subject tracking.ID
			order, source                      bool // belongs to the life of the order, of the source
		}{
			{tracking.EventReceived, st.source.ID, 0, 0, true, true},
			{tracking.EventReceiptSent, st.source.ID, 0, 0, true, true},
			{tracking.EventUnreadable, st.source.ID, otherInterchange, 0, false, true},
			{tracking.EventDocReceived, st.source.ID, st.interchange.ID, st.order.ID, true, true},
			{tracking.EventDocInvalid, st.source.ID, st.interchange.ID, st.neighbour.ID, false, true},
			{tracking.EventAckMade, 0, st.interchange.ID, 0, true, true},
			{tracking.EventDeliveryReady, st.firstDelivery.ID, 0, st.order.ID, true, false},
			{tracking.EventReceiptBad, st.firstDelivery.ID, 0, 0, true, false},
			{tracking.EventDelivered, st.delivery.ID, 0, 0, true, false},
			{tracking.EventReceived, st.stranger.ID, 0, 0, false, false},
			{tracking.EventResent, 0, 0, st.order.ID, true, false},
			// What came in about the order later is no part of its own way.
			{tracking.EventAckIn, st.stranger.ID, 0, st.order.ID, true, false},
		} {
			ev, err := event(ctx, tx, s, e.kind, e.transmission, e.interchange, e.subject)
			if errs = append(errs, err); e.order {
				st.events = append(st.events, ev)
			}
			if e.source {
				st.sourceEvents = append(st.sourceEvents, ev)
			}
		}
		return errors.Join(errs...)
	})
	return st
}

func testDocumentView(t *testing.T, s Store) {
	st := tell(t, s)
	got, err := s.DocumentView(context.Background(), st.order.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := &tracking.DocumentView{
		Document: *st.order, Interchange: st.interchange, Group: st.group, Source: st.source, Delivery: st.delivery,
		Receipts:         st.receipts[:3],
		Acknowledgements: []tracking.Acknowledgement{st.acks[0], st.acks[2], st.acks[3]},
		Issues:           []tracking.Issue{st.issue},
		Related:          []tracking.DocumentRow{{Document: *st.earlier}},
		Events:           st.events,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the order (-want +got):\n%s", diff)
	}
	// The 997 shows what it says.
	got, err = s.DocumentView(context.Background(), st.ack997.ID)
	if err != nil {
		t.Fatal(err)
	}
	want = &tracking.DocumentView{Document: *st.ack997, Receipts: []tracking.Receipt{}, Acknowledgements: st.acks, Issues: []tracking.Issue{}, Related: []tracking.DocumentRow{}, Events: []tracking.Event{}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the 997 (-want +got):\n%s", diff)
	}
}

func testTransmissionView(t *testing.T, s Store) {
	st := tell(t, s)
	duplicate := transmission(s, "in")
	duplicate.State, duplicate.DuplicateOf = tracking.TransmissionDuplicate, st.source.ID
	update(t, s, func(ctx context.Context, tx processes.Tx) error { return tx.InsertTransmission(ctx, duplicate) })
	row := func(d *tracking.Document) tracking.DocumentRow {
		return tracking.DocumentRow{Document: *d, InterchangeControl: st.interchange.Control, GroupControl: st.group.Control}
	}
	for _, c := range []struct {
		name string
		want tracking.TransmissionView
	}{
		{"source", tracking.TransmissionView{
			Transmission: *st.source, Receipts: st.receipts[:1], Interchanges: []tracking.Interchange{*st.interchange},
			Documents: []tracking.DocumentRow{row(st.order), row(st.neighbour)}, Issues: []tracking.Issue{st.interchangeIssue},
			Duplicates: []tracking.ID{duplicate.ID}, Events: st.sourceEvents,
		}},
		{"duplicate", tracking.TransmissionView{
			Transmission: *duplicate, Receipts: []tracking.Receipt{}, Interchanges: []tracking.Interchange{}, Documents: []tracking.DocumentRow{},
			Issues: []tracking.Issue{}, Duplicates: []tracking.ID{}, Events: []tracking.Event{},
		}},
	} {
		got, err := s.TransmissionView(context.Background(), c.want.Transmission.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	got, err := s.TransmissionView(context.Background(), st.delivery.ID)
	if err != nil || len(got.Documents) != 1 || got.Documents[0].ID != st.order.ID {
		t.Errorf("the delivery carried %+v, %v", got, err)
	}
}

func testRuns(t *testing.T, s Store) {
	m, d := s.IDs().Next(), s.IDs().Next()
	run := func(transmission, document tracking.ID) *processes.Run {
		return &processes.Run{ID: s.IDs().Next(), Process: "inbound", Version: 1, TransmissionID: transmission, DocumentID: document, State: processes.RunDone, CreatedAt: day, UpdatedAt: day}
	}
	ofTransmission, ofDocument, ofBoth, ofNone := run(m, 0), run(0, d), run(m, d), run(0, 0)
	step := func(r *processes.Run, n int) processes.StepRecord {
		return processes.StepRecord{ID: s.IDs().Next(), RunID: r.ID, Step: fmt.Sprint("step ", n), Attempt: 1, StartedAt: day, EndedAt: day, Outcome: "done"}
	}
	steps := []processes.StepRecord{step(ofBoth, 1), step(ofBoth, 2), step(ofNone, 1)}
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		var errs []error
		for _, r := range []*processes.Run{ofTransmission, ofDocument, ofBoth, ofNone} {
			errs = append(errs, tx.InsertRun(ctx, r))
		}
		for i := range steps {
			errs = append(errs, tx.InsertStepRecord(ctx, &steps[i]))
		}
		return errors.Join(errs...)
	})
	none := []processes.StepRecord{}
	first, second, both := processes.RunView{Run: *ofTransmission, Steps: none}, processes.RunView{Run: *ofDocument, Steps: none}, processes.RunView{Run: *ofBoth, Steps: steps[:2]}
	for _, c := range []struct {
		transmission, document tracking.ID
		want                   []processes.RunView
	}{
		{m, 0, []processes.RunView{first, both}},
		{0, d, []processes.RunView{second, both}},
		{m, d, []processes.RunView{first, second, both}},
		{0, 0, nil},
	} {
		got, err := s.Runs(context.Background(), c.transmission, c.document)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("Runs(%v, %v): %v (-want +got):\n%s", c.transmission, c.document, err, diff)
		}
	}
}

func testEvents(t *testing.T, s Store) {
	const each, total = 20, 20 * writers
	var written, read []tracking.ID
	var mu sync.Mutex
	write := func(i, n int) {
		// The id is made before the transaction begins, and some take longer.
		e := tracking.Event{ID: s.IDs().Next(), At: day, Kind: tracking.EventReceived, Text: "x"}
		err := s.Update(context.Background(), func(ctx context.Context, tx processes.Tx) error {
			if (i+n)%3 == 0 {
				if _, err := tx.NextControl(ctx, "busy"); err != nil {
					return err
				}
			}
			return tx.AppendEvent(ctx, &e)
		})
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			t.Errorf("Update: %v", err)
		}
		written = append(written, e.ID)
	}
	// follow reads on until it has as many events as there are, or ten seconds
	// have passed: a store may hold events back while others are being written.
	follow := func() {
		var last tracking.ID
		for deadline := time.Now().Add(10 * time.Second); len(read) < total && time.Now().Before(deadline); {
			events, err := s.Events(context.Background(), last, 7)
			if err != nil {
				t.Errorf("Events: %v", err)
				return
			}
			for _, e := range events {
				read = append(read, e.ID)
				last = e.ID
			}
		}
	}
	together(writers+1, func(i int) {
		if i == writers {
			follow()
			return
		}
		for n := range each {
			write(i, n)
		}
	})
	slices.Sort(read)
	slices.Sort(written)
	if !slices.Equal(read, written) {
		t.Errorf("the follower read %d events of %d", len(read), len(written))
	}

	// A moment serves as a place to begin, too.
	after := s.IDs().Next()
	var last tracking.Event
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		var err error
		last, err = event(ctx, tx, s, tracking.EventDelivered, 0, 0, 0)
		return err
	})
	eventually(t, "the event after a moment", func() bool {
		got, err := s.Events(context.Background(), after, 10)
		if diff := cmp.Diff([]tracking.Event{last}, got); len(got) > 0 && diff != "" || err != nil {
			t.Errorf("Events after a moment: %v (-want +got):\n%s", err, diff)
		}
		return len(got) > 0
	})
}

func testSummary(t *testing.T, s Store) {
	now := day.Add(3*time.Hour + 15*time.Minute) // 13:45
	since := day.Add(-10 * time.Minute)          // 10:20
	add := func(at time.Time, partner string, direction tracking.Direction, state tracking.DocumentState, ack tracking.AckState, due time.Time) *tracking.Document {
		d := document(s)
		d.CreatedAt, d.Partner, d.Direction, d.State, d.Ack, d.AckDue = at, partner, direction, state, ack, due
		return d
	}
	const in, out = tracking.Inbound, tracking.Outbound
	insertDocuments(t, s,
		add(day, "buyer", in, tracking.DocumentDelivered, tracking.AckAccepted, time.Time{}),
		add(day.Add(time.Minute), "buyer", in, tracking.DocumentInvalid, tracking.AckRejected, time.Time{}),
		add(day.Add(2*time.Hour), "seller", in, tracking.DocumentReady, tracking.AckNone, time.Time{}),
		add(day.Add(2*time.Hour), "buyer", out, tracking.DocumentDelivered, tracking.AckAwaited, now.Add(time.Hour)),
		add(day.Add(2*time.Hour), "buyer", out, tracking.DocumentDelivered, tracking.AckAwaited, now.Add(-time.Hour)),
		add(day.Add(3*time.Hour), "buyer", out, tracking.DocumentDelivered, tracking.AckRejected, day),
		add(day.Add(3*time.Hour), "carrier", out, tracking.DocumentFailed, tracking.AckNone, time.Time{}),
		// Before: only what is still awaited counts.
		add(day.AddDate(0, 0, -9), "buyer", out, tracking.DocumentDelivered, tracking.AckAwaited, day.AddDate(0, 0, -8)),
		add(since.Add(-time.Second), "buyer", in, tracking.DocumentInvalid, tracking.AckNone, time.Time{}),
		// After.
		add(now.Add(time.Second), "buyer", in, tracking.DocumentReady, tracking.AckNone, time.Time{}),
	)
	states := []tracking.TransmissionState{tracking.TransmissionReceived, tracking.TransmissionRefused, tracking.TransmissionFailed, tracking.TransmissionDuplicate, tracking.TransmissionDuplicate}
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		for i, state := range states {
			m := transmission(s, "")
			m.State = state
			if i == 4 {
				m.CreatedAt = since.Add(-time.Minute)
			}
			if err := tx.InsertTransmission(ctx, m); err != nil {
				return err
			}
		}
		return nil
	})
	got, err := s.Summary(context.Background(), since, now)
	if err != nil {
		t.Fatal(err)
	}
	hour := func(h, in, out, troubled int) tracking.HourCount {
		return tracking.HourCount{Hour: time.Date(2026, 3, 2, h, 0, 0, 0, time.UTC), Inbound: in, Outbound: out, Troubled: troubled}
	}
	want := &tracking.Summary{
		Since: since, Received: 3, Sent: 3, Invalid: 1, Failed: 1, Rejected: 1, AwaitingAck: 3, Overdue: 2, Refused: 2, Duplicates: 1,
		Hours: []tracking.HourCount{hour(10, 2, 0, 1), hour(11, 0, 0, 0), hour(12, 1, 2, 0), hour(13, 0, 2, 2)},
		Partners: []tracking.PartnerCount{
			{Partner: "buyer", Inbound: 2, Outbound: 3, Troubled: 2, LastAt: day.Add(3 * time.Hour)},
			{Partner: "carrier", Outbound: 1, Troubled: 1, LastAt: day.Add(3 * time.Hour)},
			{Partner: "seller", Inbound: 1, LastAt: day.Add(2 * time.Hour)},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Summary (-want +got):\n%s", diff)
	}
	var bad *tracking.QueryError
	if _, err := s.Summary(context.Background(), now, since); !errors.As(err, &bad) {
		t.Errorf("a summary that ends before it begins: %v, want a QueryError", err)
	}
	long, err := s.Summary(context.Background(), time.Time{}, now)
	if err != nil || len(long.Hours) > 366*24+1 || long.Received != 4 {
		t.Errorf("a summary of all time: %v", err)
	}
}
