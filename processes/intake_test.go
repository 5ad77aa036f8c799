package processes_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tradepost/internal/store/sqlstore"
	"tradepost/processes"
	"tradepost/tracking"
	"tradepost/tracking/archive"
	"tradepost/transport"
)

// door is an intake over a store and an archive of its own.
type door struct {
	*processes.Intake
	store   *sqlstore.Store
	archive *failing
}

func newDoor(t *testing.T) *door {
	t.Helper()
	a, err := archive.Open(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	d := &door{store: openStore(t), archive: &failing{Archive: a}}
	d.Intake = processes.NewIntake(processes.IntakeConfig{
		Store: d.store, Archive: d.archive, IDs: d.store.IDs(), Now: time.Now, Station: "buyer",
		ProcessFor: func(string, string) string { return "inbound" },
	})
	return d
}

func arrival(key, content string) *transport.Arrival {
	return &transport.Arrival{
		Connection: "supplier-as2", Connector: "as2", Partner: "supplier", Key: key, MessageID: "<1@supplier>",
		Content: transport.Part{Filename: "../../etc/passwd", ContentType: "application/EDI-X12", Body: transport.Bytes(content)},
		Wire:    transport.Bytes("encrypted " + content),
		Receipt: &transport.Receipt{Disposition: "automatic-action/MDN-sent-automatically; processed", Positive: true, Body: []byte("receipt of " + content)},
	}
}

func (d *door) accept(t *testing.T, a *transport.Arrival) *transport.Acceptance {
	t.Helper()
	got, err := d.Accept(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (d *door) view(t *testing.T, id string) *tracking.TransmissionView {
	t.Helper()
	parsed, err := tracking.ParseID(id)
	if err != nil {
		t.Fatal(err)
	}
	v, err := d.store.TransmissionView(t.Context(), parsed)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (d *door) waiting(t *testing.T) int {
	t.Helper()
	lanes, err := d.store.Lanes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, l := range lanes {
		n += l.Waiting
	}
	return n
}

func TestAcceptedArrivalIsRecordedWithItsReceiptAndQueued(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	got := d.accept(t, arrival("as2:SUPPLIER:1", "ISA*00"))
	v := d.view(t, got.ID)
	if v.Transmission.State != tracking.TransmissionReceived || v.Transmission.Wire.None() || v.Transmission.Content.Size != 6 {
		t.Errorf("transmission: %+v", v.Transmission)
	}
	if len(v.Receipts) != 1 || v.Receipts[0].Direction != tracking.Outbound {
		t.Errorf("receipts: %+v", v.Receipts)
	}
	if n := d.waiting(t); n != 1 {
		t.Errorf("%d runs are queued, want 1", n)
	}
}

func TestDuplicateGetsTheFirstReceiptAndIsNotProcessed(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	first := d.accept(t, arrival("as2:SUPPLIER:1", "the first"))
	again := d.accept(t, arrival("as2:SUPPLIER:1", "something else under the same Message-ID"))
	if !again.Duplicate || again.Receipt == nil || string(again.Receipt.Body) != "receipt of the first" {
		t.Errorf("the duplicate is answered with %+v", again.Receipt)
	}
	v := d.view(t, again.ID)
	if v.Transmission.State != tracking.TransmissionDuplicate || v.Transmission.DuplicateOf.String() != first.ID {
		t.Errorf("the duplicate is recorded as %s of %s", v.Transmission.State, v.Transmission.DuplicateOf)
	}
	if n := d.waiting(t); n != 1 {
		t.Errorf("%d runs are queued, want the first one's only", n)
	}
}

// A refused arrival must not use up the key: the partner corrects and sends
// the same Message-ID again.
func TestRefusedArrivalIsKeptAndUsesNoKey(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	bad := arrival("as2:SUPPLIER:1", "tampered")
	bad.Refused = "the signature does not match"
	kept := d.view(t, d.accept(t, bad).ID)
	if kept.Transmission.State != tracking.TransmissionRefused || kept.Transmission.Error != bad.Refused || kept.Transmission.Wire.None() {
		t.Errorf("what was refused is recorded as %+v", kept.Transmission)
	}
	if good := d.accept(t, arrival("as2:SUPPLIER:1", "corrected")); good.Duplicate {
		t.Error("the corrected transmission counts as a duplicate of the refused one")
	}
	if n := d.waiting(t); n != 1 {
		t.Errorf("%d runs are queued, want the corrected one's only", n)
	}
}

func TestFullArchiveLeavesNoTrace(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.archive.fail = errors.New("no space left on device")
	if _, err := d.Accept(t.Context(), arrival("as2:SUPPLIER:1", "x")); err == nil {
		t.Fatal("an arrival that could not be kept was accepted")
	}
	page, err := d.store.Transmissions(t.Context(), tracking.TransmissionQuery{})
	if err != nil || len(page.Transmissions) != 0 || d.waiting(t) != 0 {
		t.Errorf("left behind: %+v, %v", page, err)
	}
	d.archive.fail = nil
	if again := d.accept(t, arrival("as2:SUPPLIER:1", "x")); again.Duplicate {
		t.Error("the second try counts as a duplicate of one that was never accepted")
	}
}

// sent stores an outbound transmission that waits for a receipt of its own.
func (d *door) sent(t *testing.T, messageID string) (transmission, document tracking.ID) {
	t.Helper()
	transmission, document = d.store.IDs().Next(), d.store.IDs().Next()
	err := d.store.Update(t.Context(), func(ctx context.Context, tx processes.Tx) error {
		err := tx.InsertTransmission(ctx, &tracking.Transmission{
			ID: transmission, Direction: tracking.Outbound, State: tracking.TransmissionPrepared, Partner: "supplier", Connection: "supplier-as2", MessageID: messageID, CreatedAt: time.Now(),
		})
		if err != nil {
			return err
		}
		return tx.InsertDocument(ctx, &tracking.Document{
			ID: document, Direction: tracking.Outbound, Partner: "supplier", Type: "850", State: tracking.DocumentSending, Ack: tracking.AckAwaited,
			DeliveryID: transmission, CreatedAt: time.Now(), UpdatedAt: time.Now(),
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return transmission, document
}

func returned(messageID string, o *transport.Outcome) *transport.Arrival {
	return &transport.Arrival{
		Connection: "supplier-as2", Connector: "as2", Partner: "supplier", Key: "as2:SUPPLIER:mdn", MessageID: "<mdn@supplier>",
		Wire:     transport.Bytes("the receipt"),
		Returned: &transport.Returned{OriginalMessageID: messageID, Check: func(*transport.Prepared) *transport.Outcome { return o }},
	}
}

func TestReceiptOnItsOwnSettlesItsTransmissionOnce(t *testing.T) {
	t.Parallel()
	trusted := &transport.Certificate{Subject: "CN=SUPPLIER"}
	for name, c := range map[string]struct {
		outcome  *transport.Outcome
		state    tracking.TransmissionState
		document tracking.DocumentState
	}{
		"proof of delivery": {
			&transport.Outcome{Delivered: true, Receipt: &transport.Receipt{Positive: true, Signer: trusted, Body: []byte("yes")}},
			tracking.TransmissionDelivered, tracking.DocumentDelivered,
		},
		"signed refusal": {
			&transport.Outcome{Reason: "decryption-failed", Receipt: &transport.Receipt{Signer: trusted, Body: []byte("no")}},
			tracking.TransmissionRefused, tracking.DocumentFailed,
		},
		"unsigned refusal proves nothing": {
			&transport.Outcome{Reason: "not signed", Receipt: &transport.Receipt{Body: []byte("no")}},
			tracking.TransmissionPrepared, tracking.DocumentSending,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoor(t)
			transmission, document := d.sent(t, "<850@buyer>")
			d.accept(t, returned("<850@buyer>", c.outcome))
			d.accept(t, returned("<850@buyer>", c.outcome)) // again: changes nothing
			v := d.view(t, transmission.String())
			if v.Transmission.State != c.state {
				t.Errorf("the transmission is %s, want %s", v.Transmission.State, c.state)
			}
			if want := c.state != tracking.TransmissionPrepared; (len(v.Receipts) == 1) != want {
				t.Errorf("%d receipts are recorded", len(v.Receipts))
			}
			doc, err := d.store.DocumentView(t.Context(), document)
			if err != nil || doc.Document.State != c.document {
				t.Errorf("the document is %s, want %s (%v)", doc.Document.State, c.document, err)
			}
		})
	}
}

func TestAsynchronousReceiptIsQueuedWithTheArrival(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	a := arrival("as2:SUPPLIER:1", "x")
	a.Receipt.Async, a.Receipt.AsyncURL = true, "http://127.0.0.1:9/mdn"
	v := d.view(t, d.accept(t, a).ID)
	if len(v.Receipts) != 1 || v.Receipts[0].AsyncURL != a.Receipt.AsyncURL {
		t.Errorf("receipts: %+v", v.Receipts)
	}
	if n := d.waiting(t); n != 2 {
		t.Errorf("%d runs are queued, want the content's and the receipt's", n)
	}
}

// TestNamesAreTakenOnce: of many transmissions with one name at the same moment
// one is accepted, and the others leave no trace.
func TestNamesAreTakenOnce(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	const many = 8
	results := make(chan error, many)
	for i := range many {
		go func() {
			a := arrival(fmt.Sprint("as2:SUPPLIER:", i), "x")
			a.UniqueNames = true
			a.Attachments = []transport.Part{{Filename: fmt.Sprint("own-", i), Body: transport.Bytes("y")}}
			_, err := d.Accept(t.Context(), a)
			results <- err
		}()
	}
	accepted := 0
	for range many {
		err := <-results
		var used *transport.NameUsedError
		switch {
		case err == nil:
			accepted++
		case !errors.As(err, &used) || used.Name != "../../etc/passwd":
			t.Error(err)
		}
	}
	page, err := d.store.Transmissions(t.Context(), tracking.TransmissionQuery{})
	if err != nil || accepted != 1 || len(page.Transmissions) != 1 || d.waiting(t) != 1 {
		t.Fatalf("%d accepted, %d on record, %d queued, %v", accepted, len(page.Transmissions), d.waiting(t), err)
	}
	// The same once more is a duplicate, not a name used by another; what is
	// refused uses none; an attachment's name counts; another partner's does not.
	for _, c := range []struct {
		key, content, attached, partner, refused, used string
		duplicate                                      bool
	}{
		{key: page.Transmissions[0].Key, content: "../../etc/passwd", partner: "supplier", duplicate: true},
		{key: "r", content: "new", partner: "supplier", refused: "tampered"},
		{key: "n", content: "new", partner: "supplier"},
		{key: "a", content: "other", attached: "new", partner: "supplier", used: "new"},
		{key: "b", content: "other", attached: "other", partner: "supplier"},
		{key: "c", content: "new", partner: "carrier"},
		{key: "e", content: "", partner: "supplier"},
		{key: "f", content: "", partner: "supplier"},
	} {
		a := arrival(c.key, "x")
		a.UniqueNames, a.Partner, a.Refused, a.Content.Filename = true, c.partner, c.refused, c.content
		if c.attached != "" {
			a.Attachments = []transport.Part{{Filename: c.attached, Body: transport.Bytes("y")}}
		}
		got, err := d.Accept(t.Context(), a)
		var used *transport.NameUsedError
		switch {
		case errors.As(err, &used):
			if used.Name != c.used {
				t.Errorf("%s: %v", c.key, err)
			}
		case err != nil || c.used != "" || got.Duplicate != c.duplicate:
			t.Errorf("%s: %+v, %v", c.key, got, err)
		}
	}
}

// TestAskedAgainIsOnRecord: who asks for the answer once more is noted, without
// bytes, and when there was nothing to answer the door says so.
func TestAskedAgainIsOnRecord(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	again := arrival("as2:SUPPLIER:1", "")
	again.Again, again.Wire, again.Content, again.Receipt = true, nil, transport.Part{}, nil
	if _, err := d.Accept(t.Context(), again); !errors.Is(err, transport.ErrNeverAccepted) {
		t.Fatal(err)
	}
	if page, err := d.store.Transmissions(t.Context(), tracking.TransmissionQuery{}); err != nil || len(page.Transmissions) != 0 || d.waiting(t) != 0 {
		t.Fatalf("left behind: %+v, %v", page, err)
	}
	first := d.accept(t, arrival("as2:SUPPLIER:1", "the first"))
	got := d.accept(t, again)
	if !got.Duplicate || string(got.Receipt.Body) != "receipt of the first" || d.waiting(t) != 1 {
		t.Errorf("%+v, %d queued", got, d.waiting(t))
	}
	v := d.view(t, got.ID)
	if v.Transmission.State != tracking.TransmissionDuplicate || v.Transmission.DuplicateOf.String() != first.ID || !v.Transmission.Wire.None() {
		t.Errorf("%+v", v.Transmission)
	}
	events, err := d.store.Events(t.Context(), 0, 100)
	if err != nil || !slices.ContainsFunc(events, func(e tracking.Event) bool {
		return e.Kind == tracking.EventDuplicate && e.TransmissionID == v.Transmission.ID
	}) {
		t.Errorf("%+v, %v", events, err)
	}
}
