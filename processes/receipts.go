package processes

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"tradepost/tracking"
	"tradepost/transport"
)

// settle takes a receipt that came on its own (an asynchronous MDN). It counts
// once, only for an open transmission of ours, and only when it proves
// something; one that does not is kept, says so, and changes nothing.
func (in *Intake) settle(ctx context.Context, a *transport.Arrival) (*transport.Acceptance, error) {
	t, err := in.keep(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("keep the receipt that arrived over %s: %w", a.Connection, err)
	}
	var open []*tracking.Transmission
	err = in.store.Update(ctx, func(ctx context.Context, tx Tx) error {
		open, err = tx.OpenTransmissions(ctx, a.Returned.OriginalMessageID)
		return err
	})
	if err != nil {
		return nil, err
	}
	reason := "it answers no transmission of ours that is open"
	for _, sent := range open {
		if a.Partner != "" && sent.Partner != a.Partner {
			continue
		}
		outcome := a.Returned.Check(&transport.Prepared{
			MessageID: sent.MessageID, Headers: transportHeaders(sent.Evidence.Headers),
			Evidence: transportEvidence(sent.Evidence), WantReceipt: true,
		})
		if proves(outcome) {
			return in.recordSettled(ctx, t, sent.ID, outcome)
		}
		reason = "it proves nothing: " + outcome.Reason
	}
	err = in.store.Update(ctx, func(ctx context.Context, tx Tx) error {
		return in.recordRefused(ctx, tx, t, "receipt for "+a.Returned.OriginalMessageID+" kept and set aside: "+reason, nil)
	})
	return &transport.Acceptance{ID: t.ID.String()}, err
}

// proves tells whether an outcome settles a transmission: delivery is proven,
// or a signature we trust says no.
func proves(o *transport.Outcome) bool {
	return o.Delivered || o.Receipt != nil && !o.Receipt.Positive && o.Receipt.Signer != nil
}

// recordSettled stores a proof and what follows from it.
func (in *Intake) recordSettled(ctx context.Context, carrier *tracking.Transmission, sent tracking.ID, o *transport.Outcome) (*transport.Acceptance, error) {
	stored, err := in.archive.Put(ctx, bytes.NewReader(o.Receipt.Body))
	if err != nil {
		return nil, fmt.Errorf("keep the receipt: %w", err)
	}
	receipt := receiptOf(o.Receipt, stored)
	receipt.ID, receipt.TransmissionID, receipt.Direction, receipt.Async, receipt.At = in.ids.Next(), sent, tracking.Inbound, true, in.now()
	err = in.store.Update(ctx, func(ctx context.Context, tx Tx) error {
		carrier.State, carrier.CompletedAt = tracking.TransmissionProcessed, in.now()
		if err := tx.InsertTransmission(ctx, carrier); err != nil {
			return err
		}
		if err := in.event(ctx, tx, carrier, tracking.EventReceived, "receipt came over "+carrier.Connection+" for transmission "+sent.String()); err != nil {
			return err
		}
		return settleTransmission(ctx, tx, settlement{ids: in.ids, now: in.now(), sent: sent, outcome: o, receipt: receipt})
	})
	return &transport.Acceptance{ID: carrier.ID.String()}, err
}

// settlement is a proof about a transmission of ours.
type settlement struct {
	ids     *tracking.IDs
	now     time.Time
	sent    tracking.ID
	outcome *transport.Outcome
	receipt *tracking.Receipt // nil where delivery is proven without
}

// settleTransmission moves a transmission and the documents it carried to
// delivered, or to refused and failed.
func settleTransmission(ctx context.Context, tx Tx, s settlement) error {
	t, err := tx.Transmission(ctx, s.sent)
	if err != nil {
		return err
	}
	if t.State != tracking.TransmissionPrepared {
		return nil // settled by another receipt meanwhile: the first counts
	}
	t.Evidence = mergeEvidence(t.Evidence, s.outcome.Evidence)
	t.State, t.CompletedAt, t.Error = tracking.TransmissionDelivered, s.now, ""
	kind, text := tracking.EventDelivered, "delivered over "+t.Connection
	if s.receipt != nil {
		kind, text = tracking.EventReceiptIn, "receipt proves delivery: "+s.receipt.Disposition
		if err := tx.InsertReceipt(ctx, s.receipt); err != nil {
			return err
		}
	}
	if !s.outcome.Delivered {
		t.State, t.Error = tracking.TransmissionRefused, refusal(s.outcome)
		kind, text = tracking.EventReceiptBad, "refused by the other side: "+t.Error
	}
	if err := tx.UpdateTransmission(ctx, t); err != nil {
		return err
	}
	docs, err := tx.DocumentsOfDelivery(ctx, t.ID)
	if err != nil {
		return err
	}
	event := &tracking.Event{ID: s.ids.Next(), At: s.now, Kind: kind, TransmissionID: t.ID, Partner: t.Partner, Text: text}
	for _, d := range docs {
		event.DocumentID = d.ID
		if !s.outcome.Delivered {
			if err := FailDocument(ctx, tx, s.ids.Next(), s.now, d.ID, t.ID, fmt.Errorf("%s", t.Error)); err != nil {
				return err
			}
			continue
		}
		if err := d.Move(tracking.DocumentDelivered); err != nil {
			return Permanent(err)
		}
		d.Error, d.UpdatedAt = "", s.now
		if err := tx.UpdateDocument(ctx, d); err != nil {
			return err
		}
	}
	if len(docs) != 1 {
		event.DocumentID = 0
	}
	return tx.AppendEvent(ctx, event)
}

// refusal says why an outcome is a no.
func refusal(o *transport.Outcome) string {
	switch {
	case o.Reason != "":
		return o.Reason
	case o.Receipt != nil && o.Receipt.Reason != "":
		return o.Receipt.Reason
	case o.Receipt != nil:
		return o.Receipt.Disposition
	}
	return "the other side refused it"
}

// ReturnReceipt is the step that posts a receipt that was asked for
// asynchronously, from the bytes stored with what it is about.
type ReturnReceipt struct{ c CarrierConfig }

// NewReturnReceipt returns the step.
func NewReturnReceipt(c CarrierConfig) *ReturnReceipt { return &ReturnReceipt{c} }

// Name implements Step.
func (*ReturnReceipt) Name() string { return "return-receipt" }

// Run implements Step.
func (s *ReturnReceipt) Run(ctx context.Context, x *Execution) (Result, error) {
	var t *tracking.Transmission
	var owed *tracking.Receipt
	err := s.c.Store.Update(ctx, func(ctx context.Context, tx Tx) (err error) {
		if t, err = tx.Transmission(ctx, x.Run.TransmissionID); err != nil {
			return err
		}
		about := t.ID
		if t.DuplicateOf != 0 {
			about = t.DuplicateOf
		}
		owed, err = tx.FirstReceipt(ctx, about)
		return err
	})
	if err != nil {
		return Result{}, err
	}
	sender, err := s.c.Senders.ReceiptSender(t.Connection)
	if err != nil {
		return Result{}, Permanent(err)
	}
	f, err := s.c.Archive.Open(ctx, owed.Body)
	if err != nil {
		return Result{}, err
	}
	content, err := io.ReadAll(f)
	if err := errorOf(err, f.Close()); err != nil {
		return Result{}, err
	}
	if err := sender.SendReceipt(ctx, t.Partner, transportReceipt(owed, content)); err != nil {
		return Result{}, stepError(err)
	}
	return Result{
		Detail: "receipt posted to " + owed.AsyncURL,
		Commit: func(ctx context.Context, tx Tx) error {
			return tx.AppendEvent(ctx, &tracking.Event{
				ID: s.c.IDs.Next(), At: s.c.Now(), Kind: tracking.EventReceiptSent, TransmissionID: t.ID, Partner: t.Partner,
				Text: "receipt posted to " + owed.AsyncURL + ": " + owed.Disposition,
			})
		},
	}, nil
}

// Failed implements Failer: the partner waits for a receipt that does not come.
func (s *ReturnReceipt) Failed(ctx context.Context, tx Tx, x *Execution, reason error) error {
	return tx.AppendEvent(ctx, &tracking.Event{
		ID: s.c.IDs.Next(), At: s.c.Now(), Kind: tracking.EventReceiptUnsent, TransmissionID: x.Run.TransmissionID, Partner: x.Run.Partner,
		Text: fmt.Sprintf("the receipt could not be posted: %v", reason),
	})
}
