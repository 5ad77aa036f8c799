package processes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tradepost/tracking"
	"tradepost/transport"
)

// Parcel is what an earlier step packed for the steps prepare and send: the
// exact bytes to carry and over which connection. It lives in Run.Vars.
type Parcel struct {
	Connection  string           `json:"connection"`
	Content     tracking.Payload `json:"content"`
	Filename    string           `json:"filename"`
	ContentType string           `json:"contentType"`
	Subject     string           `json:"subject"`
	// Transmission is the one that carries it, from prepare on.
	Transmission tracking.ID `json:"transmission,omitzero"`
	WantReceipt  bool        `json:"wantReceipt,omitempty"`
}

// PutParcel stores a parcel in the run's variables.
func PutParcel(r *Run, p *Parcel) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	r.Vars = b
	return nil
}

// ParcelOf reads the parcel of a run.
func ParcelOf(r *Run) (*Parcel, error) {
	var p Parcel
	if len(r.Vars) == 0 {
		return nil, Permanent(fmt.Errorf("run %s of process %s has packed nothing to carry", r.ID, r.Process))
	}
	if err := json.Unmarshal(r.Vars, &p); err != nil {
		return nil, Permanent(fmt.Errorf("variables of run %s: %w", r.ID, err))
	}
	return &p, nil
}

// CarrierConfig is what the steps prepare and send need.
type CarrierConfig struct {
	Store   Store
	Archive tracking.Archive
	IDs     *tracking.IDs
	Now     func() time.Time
	Station string
	Senders Senders
	// Connector names the connector of a connection, for the record.
	Connector func(connection string) string
}

// Prepare is the step that fixes everything by which the other side will know
// a delivery (Message-ID, bytes, MIC) and stores it before the first byte
// leaves, so that every later try is recognisably the same.
type Prepare struct{ c CarrierConfig }

// NewPrepare returns the step.
func NewPrepare(c CarrierConfig) *Prepare { return &Prepare{c} }

// Name implements Step.
func (*Prepare) Name() string { return "prepare" }

// Run implements Step.
func (s *Prepare) Run(ctx context.Context, x *Execution) (Result, error) {
	parcel, err := ParcelOf(x.Run)
	if err != nil {
		return Result{}, err
	}
	sender, err := s.c.Senders.Sender(parcel.Connection)
	if err != nil {
		return Result{}, Permanent(err)
	}
	t := &tracking.Transmission{
		ID: s.c.IDs.Next(), Direction: tracking.Outbound, State: tracking.TransmissionPrepared, Station: s.c.Station,
		Partner: x.Run.Partner, Connection: parcel.Connection, Connector: s.c.Connector(parcel.Connection),
		Filename: parcel.Filename, ContentType: parcel.ContentType, Subject: parcel.Subject, Content: parcel.Content, CreatedAt: s.c.Now(),
	}
	prepared, err := sender.Prepare(ctx, &transport.Delivery{
		ID: x.Run.ID.String(), Partner: x.Run.Partner, Subject: parcel.Subject, CreatedAt: t.CreatedAt,
		Content: transport.Part{Filename: parcel.Filename, ContentType: parcel.ContentType, Body: body(ctx, s.c.Archive, parcel.Content)},
	})
	if err != nil {
		return Result{}, stepError(err)
	}
	if prepared.Wire != nil {
		r, err := prepared.Wire.Open()
		if err != nil {
			return Result{}, err
		}
		t.Wire, err = s.c.Archive.Put(ctx, r)
		if err := errorOf(err, r.Close()); err != nil {
			return Result{}, fmt.Errorf("keep the bytes to send: %w", err)
		}
	}
	t.MessageID, t.Evidence = prepared.MessageID, evidenceOf(prepared.Evidence)
	t.Evidence.Headers = trackingHeaders(prepared.Headers)
	parcel.Transmission, parcel.WantReceipt = t.ID, prepared.WantReceipt
	if err := PutParcel(x.Run, parcel); err != nil {
		return Result{}, err
	}
	return Result{
		Detail: fmt.Sprintf("transmission %s over %s is fixed, %d bytes", t.ID, t.Connection, max(t.Wire.Size, t.Content.Size)),
		Commit: func(ctx context.Context, tx Tx) error { return s.commit(ctx, tx, x, t) },
	}, nil
}

func (s *Prepare) commit(ctx context.Context, tx Tx, x *Execution, t *tracking.Transmission) error {
	if err := tx.InsertTransmission(ctx, t); err != nil {
		return err
	}
	if x.Run.DocumentID != 0 {
		if err := s.sending(ctx, tx, x.Run.DocumentID, t); err != nil {
			return err
		}
	}
	return tx.AppendEvent(ctx, &tracking.Event{
		ID: s.c.IDs.Next(), At: s.c.Now(), Kind: tracking.EventDeliveryReady, TransmissionID: t.ID, DocumentID: x.Run.DocumentID, Partner: t.Partner,
		Text: fmt.Sprintf("ready to leave over %s%s", t.Connection, protection(t.Evidence)),
	})
}

// sending notes in a document that a transmission carries it now.
func (s *Prepare) sending(ctx context.Context, tx Tx, document tracking.ID, t *tracking.Transmission) error {
	d, err := tx.Document(ctx, document)
	if err != nil {
		return err
	}
	if err := d.Move(tracking.DocumentSending); err != nil {
		return Permanent(err)
	}
	d.DeliveryID, d.Error, d.UpdatedAt = t.ID, "", s.c.Now()
	if err := tx.UpdateDocument(ctx, d); err != nil {
		return err
	}
	if d.Direction != tracking.Outbound || d.InterchangeID == 0 {
		return nil
	}
	i, err := tx.Interchange(ctx, d.InterchangeID)
	if err != nil {
		return err
	}
	i.TransmissionID = t.ID
	return tx.UpdateInterchange(ctx, i)
}

// Failed implements Failer.
func (s *Prepare) Failed(ctx context.Context, tx Tx, x *Execution, reason error) error {
	return FailDocument(ctx, tx, s.c.IDs.Next(), s.c.Now(), x.Run.DocumentID, 0, reason)
}

// Send is the step that lets the bytes leave and judges what comes back.
type Send struct{ c CarrierConfig }

// NewSend returns the step.
func NewSend(c CarrierConfig) *Send { return &Send{c} }

// Name implements Step.
func (*Send) Name() string { return "send" }

// Run implements Step.
func (s *Send) Run(ctx context.Context, x *Execution) (Result, error) {
	parcel, err := ParcelOf(x.Run)
	if err != nil {
		return Result{}, err
	}
	var t *tracking.Transmission
	err = s.c.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
		if t, err = tx.Transmission(ctx, parcel.Transmission); err != nil {
			return err
		}
		t.Attempts++ // counted before the first byte leaves
		return tx.UpdateTransmission(ctx, t)
	})
	if err != nil {
		return Result{}, err
	}
	sender, err := s.c.Senders.Sender(t.Connection)
	if err != nil {
		return Result{}, Permanent(err)
	}
	outcome, err := sender.Send(ctx, x.Run.ID.String(), &transport.Prepared{
		MessageID: t.MessageID, Headers: transportHeaders(t.Evidence.Headers), Wire: body(ctx, s.c.Archive, t.Wire),
		Content:     transport.Part{Filename: t.Filename, ContentType: t.ContentType, Body: body(ctx, s.c.Archive, t.Content)},
		Evidence:    transportEvidence(t.Evidence),
		WantReceipt: parcel.WantReceipt,
	})
	if err != nil {
		return Result{}, stepError(err)
	}
	var receipt *tracking.Receipt
	if outcome.Receipt != nil {
		stored, err := s.c.Archive.Put(ctx, bytes.NewReader(outcome.Receipt.Body))
		if err != nil {
			return Result{}, fmt.Errorf("keep the receipt: %w", err)
		}
		receipt = receiptOf(outcome.Receipt, stored)
		receipt.ID, receipt.TransmissionID, receipt.Direction, receipt.At = s.c.IDs.Next(), t.ID, tracking.Inbound, s.c.Now()
	}
	if !outcome.Delivered && !outcome.Pending {
		return s.refused(outcome, receipt)
	}
	return Result{
		Detail: sentDetail(t, outcome),
		Commit: func(ctx context.Context, tx Tx) error { return s.gone(ctx, tx, x, t.ID, outcome, receipt) },
	}, nil
}

func sentDetail(t *tracking.Transmission, o *transport.Outcome) string {
	switch {
	case o.Pending:
		return fmt.Sprintf("transmission %s left over %s; its receipt comes later", t.ID, t.Connection)
	case o.Receipt != nil:
		return fmt.Sprintf("transmission %s is delivered over %s: %s", t.ID, t.Connection, o.Receipt.Disposition)
	}
	return fmt.Sprintf("transmission %s is delivered over %s", t.ID, t.Connection)
}

// gone stores what came of a send that reached the other side: delivered, or
// on its way with the receipt to come.
func (s *Send) gone(ctx context.Context, tx Tx, x *Execution, id tracking.ID, o *transport.Outcome, receipt *tracking.Receipt) error {
	if text := resumed(o.Evidence); text != "" {
		if err := tx.AppendEvent(ctx, &tracking.Event{
			ID: s.c.IDs.Next(), At: s.c.Now(), Kind: tracking.EventResumed, TransmissionID: id, DocumentID: x.Run.DocumentID, Partner: x.Run.Partner, Text: text,
		}); err != nil {
			return err
		}
	}
	if o.Delivered {
		return settleTransmission(ctx, tx, settlement{ids: s.c.IDs, now: s.c.Now(), sent: id, outcome: o, receipt: receipt})
	}
	t, err := tx.Transmission(ctx, id)
	if err != nil {
		return err
	}
	if t.State != tracking.TransmissionPrepared {
		return nil // the receipt was faster than we are
	}
	t.Evidence = mergeEvidence(t.Evidence, o.Evidence)
	if err := tx.UpdateTransmission(ctx, t); err != nil {
		return err
	}
	if err := s.chaseLater(ctx, tx, x, t); err != nil {
		return err
	}
	return tx.AppendEvent(ctx, &tracking.Event{
		ID: s.c.IDs.Next(), At: s.c.Now(), Kind: tracking.EventDeliverySent, TransmissionID: t.ID, DocumentID: x.Run.DocumentID, Partner: t.Partner,
		Text: "left over " + t.Connection + "; the receipt is to come on its own",
	})
}

// chaseLater queues the second try of a transmission whose receipt does not come.
func (s *Send) chaseLater(ctx context.Context, tx Tx, x *Execution, t *tracking.Transmission) error {
	if x.Run.Process == chaseProcess {
		return nil // it is this run that chases
	}
	run := &Run{ID: s.c.IDs.Next(), Process: chaseProcess, Parent: x.Run.ID, DocumentID: x.Run.DocumentID, Partner: x.Run.Partner, Vars: x.Run.Vars, CreatedAt: s.c.Now()}
	return EnqueueAt(ctx, tx, run, "chase/"+t.ID.String(), s.c.Now().Add(chaseAfter))
}

// refused ends the run: the other side said no, or what it said proves nothing.
func (s *Send) refused(o *transport.Outcome, receipt *tracking.Receipt) (Result, error) {
	return Result{}, Permanent(&refusedError{outcome: o, receipt: receipt})
}

// refusedError carries a negative answer to Failed, which records it.
type refusedError struct {
	outcome *transport.Outcome
	receipt *tracking.Receipt
}

func (e *refusedError) Error() string { return refusal(e.outcome) }

// Retried implements Retrier.
func (s *Send) Retried(ctx context.Context, tx Tx, x *Execution, reason error, at time.Time) error {
	parcel, err := ParcelOf(x.Run)
	if err != nil {
		return err
	}
	t, err := tx.Transmission(ctx, parcel.Transmission)
	if err != nil {
		return err
	}
	t.Error = reason.Error()
	var attempt *transport.AttemptError
	if errors.As(reason, &attempt) {
		t.Evidence = mergeEvidence(t.Evidence, attempt.Evidence)
	}
	if err := tx.UpdateTransmission(ctx, t); err != nil {
		return err
	}
	return tx.AppendEvent(ctx, &tracking.Event{
		ID: s.c.IDs.Next(), At: s.c.Now(), Kind: tracking.EventDeliveryRetry, TransmissionID: t.ID, DocumentID: x.Run.DocumentID, Partner: t.Partner,
		Text: fmt.Sprintf("try %d over %s failed, next at %s: %v", t.Attempts, t.Connection, at.UTC().Format(time.RFC3339), reason),
	})
}

// Failed implements Failer.
func (s *Send) Failed(ctx context.Context, tx Tx, x *Execution, reason error) error {
	parcel, err := ParcelOf(x.Run)
	if err != nil {
		return err
	}
	t, err := tx.Transmission(ctx, parcel.Transmission)
	if err != nil {
		return err
	}
	t.State, t.Error, t.CompletedAt = tracking.TransmissionFailed, reason.Error(), s.c.Now()
	if refused, ok := asRefused(reason); ok {
		t.State = tracking.TransmissionRefused
		t.Evidence = mergeEvidence(t.Evidence, refused.outcome.Evidence)
		if refused.receipt != nil {
			if err := tx.InsertReceipt(ctx, refused.receipt); err != nil {
				return err
			}
			err := tx.AppendEvent(ctx, &tracking.Event{
				ID: s.c.IDs.Next(), At: s.c.Now(), Kind: tracking.EventReceiptBad, TransmissionID: t.ID, Partner: t.Partner,
				Text: "receipt does not prove delivery: " + refused.receipt.Disposition,
			})
			if err != nil {
				return err
			}
		}
	}
	if err := tx.UpdateTransmission(ctx, t); err != nil {
		return err
	}
	return FailDocument(ctx, tx, s.c.IDs.Next(), s.c.Now(), x.Run.DocumentID, t.ID, reason)
}
