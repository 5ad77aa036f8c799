package processes_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tradepost/processes"
	"tradepost/tracking"
	"tradepost/transport"
)

// line is a connection of which the test knows what left over it.
type line struct {
	outcome *transport.Outcome
	sent    []string // Message-ID and bytes
}

func (l *line) Sender(string) (transport.Sender, error) { return l, nil }
func (*line) ReceiptSender(string) (transport.ReceiptSender, error) {
	return nil, errors.New("no receipts go out here")
}

func (*line) Prepare(context.Context, *transport.Delivery) (*transport.Prepared, error) {
	return nil, errors.New("it is prepared already")
}

func (l *line) Send(_ context.Context, _ string, p *transport.Prepared) (*transport.Outcome, error) {
	r, err := p.Wire.Open()
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	l.sent = append(l.sent, p.MessageID+" "+string(b))
	return l.outcome, errors.Join(err, r.Close())
}

// chase runs the step once for a transmission of d.
func (d *door) chase(t *testing.T, l *line, transmission, document tracking.ID) (processes.Result, error) {
	t.Helper()
	run := &processes.Run{ID: d.store.IDs().Next(), Process: "chase", Partner: "supplier", DocumentID: document}
	if err := processes.PutParcel(run, &processes.Parcel{Connection: "supplier-as2", Transmission: transmission, WantReceipt: true}); err != nil {
		t.Fatal(err)
	}
	step := processes.NewChase(processes.CarrierConfig{
		Store: d.store, Archive: d.archive, IDs: d.store.IDs(), Now: time.Now, Station: "buyer", Senders: l, Connector: func(string) string { return "as2" },
	})
	return step.Run(t.Context(), &processes.Execution{Run: run, Memo: map[string]any{}})
}

// wired is sent with bytes in the archive.
func (d *door) wired(t *testing.T, messageID, wire string) (transmission, document tracking.ID) {
	t.Helper()
	transmission, document = d.sent(t, messageID)
	p, err := d.archive.Put(t.Context(), strings.NewReader(wire))
	if err != nil {
		t.Fatal(err)
	}
	err = d.store.Update(t.Context(), func(ctx context.Context, tx processes.Tx) error {
		sent, err := tx.Transmission(ctx, transmission)
		if err != nil {
			return err
		}
		sent.Wire = p
		return tx.UpdateTransmission(ctx, sent)
	})
	if err != nil {
		t.Fatal(err)
	}
	return transmission, document
}

// TestMissingReceiptIsChased: a receipt that does not come is no failure yet.
// The same bytes leave under the same Message-ID until it has come.
func TestMissingReceiptIsChased(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	transmission, document := d.wired(t, "<850@buyer>", "the bytes")
	l := &line{outcome: &transport.Outcome{Pending: true}}
	for range 2 {
		if _, err := d.chase(t, l, transmission, document); err == nil || !strings.Contains(err.Error(), "receipt has not come") {
			t.Errorf("the chase ends with %v", err)
		}
		if v := d.view(t, transmission.String()); v.Transmission.State != tracking.TransmissionPrepared {
			t.Errorf("the transmission is %s", v.Transmission.State)
		}
	}
	// Now the partner gives, to the duplicate, the receipt it has.
	l.outcome = &transport.Outcome{Delivered: true, Receipt: &transport.Receipt{Positive: true, Signer: &transport.Certificate{Subject: "CN=SUPPLIER"}, Body: []byte("yes")}}
	if _, err := d.chase(t, l, transmission, document); err != nil {
		t.Error(err)
	}
	if v := d.view(t, transmission.String()); v.Transmission.State != tracking.TransmissionDelivered || len(v.Receipts) != 1 {
		t.Errorf("the transmission is %s with %d receipts", v.Transmission.State, len(v.Receipts))
	}
	if want := "<850@buyer> the bytes"; len(l.sent) != 3 || l.sent[0] != want || l.sent[1] != want || l.sent[2] != want {
		t.Errorf("what left: %q", l.sent)
	}
	if _, err := d.chase(t, l, transmission, document); err != nil || len(l.sent) != 3 {
		t.Errorf("it was sent again though its receipt had come: %q, %v", l.sent, err)
	}
}

// TestReceiptOfAnotherPartnerSettlesNothing: who knows a Message-ID cannot
// answer for the partner it was sent to.
func TestReceiptOfAnotherPartnerSettlesNothing(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	transmission, _ := d.sent(t, "<850@buyer>")
	a := returned("<850@buyer>", &transport.Outcome{Delivered: true, Receipt: &transport.Receipt{Positive: true, Signer: &transport.Certificate{Subject: "CN=OTHER"}, Body: []byte("yes")}})
	a.Partner, a.Connection = "other", "other-as2"
	d.accept(t, a)
	if v := d.view(t, transmission.String()); v.Transmission.State != tracking.TransmissionPrepared || len(v.Receipts) != 0 {
		t.Errorf("the transmission is %s with %d receipts", v.Transmission.State, len(v.Receipts))
	}
}

// TestReceiptsAtTheSameMoment: of many that prove the same delivery, one counts.
// Another that meets it head on is asked to come again, and is set aside then.
func TestReceiptsAtTheSameMoment(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	transmission, _ := d.sent(t, "<850@buyer>")
	var all sync.WaitGroup
	var taken atomic.Int32
	for range 8 {
		all.Go(func() {
			o := &transport.Outcome{Delivered: true, Receipt: &transport.Receipt{Positive: true, Signer: &transport.Certificate{Subject: "CN=SUPPLIER"}, Body: []byte("yes")}}
			for try := 0; try < 8; try++ {
				if _, err := d.Accept(t.Context(), returned("<850@buyer>", o)); err == nil {
					taken.Add(1)
					return
				}
			}
		})
	}
	all.Wait()
	if n := taken.Load(); n != 8 {
		t.Errorf("%d of 8 were taken in the end", n)
	}
	if v := d.view(t, transmission.String()); v.Transmission.State != tracking.TransmissionDelivered || len(v.Receipts) != 1 {
		t.Errorf("the transmission is %s with %d receipts", v.Transmission.State, len(v.Receipts))
	}
}
