package processes

import (
	"context"
	"fmt"
	"time"

	"tradepost/tracking"
)

// Operations is what people do to documents: the console calls it, and the
// command line. Every operation names who asked and why, which stands in the
// document's history for good.
type Operations struct {
	Store Store
	IDs   *tracking.IDs
	Now   func() time.Time
}

// Request is an operation somebody asks for.
type Request struct {
	Document tracking.ID
	Actor    string // who asks
	Comment  string // why, in their words
}

// Operation names what can be done to a document.
type Operation string

// Operations on documents.
const (
	OperationResend  Operation = "resend"
	OperationRelease Operation = "release"
)

// OperationFor names what may be asked for a document as it stands, "" when
// there is nothing. Resend and Release look closer, and may refuse it.
func OperationFor(d *tracking.Document) Operation {
	switch {
	case !stands(d):
	case d.DeliveryID != 0:
		return OperationResend
	case d.SourceID != 0 && (d.Direction == tracking.Outbound || !tracking.IsAcknowledgement(d.Type)):
		return OperationRelease
	}
	return ""
}

// stands tells whether nothing is being done to a document.
func stands(d *tracking.Document) bool {
	switch d.State {
	case tracking.DocumentInvalid, tracking.DocumentFailed, tracking.DocumentDelivered:
		return true
	}
	return false
}

// RefusedError tells why an operation is not done.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

// Resend carries a document again that was carried before: the same bytes to
// the same place, in a transmission of its own with a new id. It is refused
// while the document is still on its way. The error is a *RefusedError,
// tracking.ErrNotFound (wrapped), or the store's.
func (o *Operations) Resend(ctx context.Context, r Request) (tracking.ID, error) {
	run := &Run{ID: o.IDs.Next(), Process: "resend", DocumentID: r.Document, CreatedAt: o.Now()}
	err := o.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
		d, err := o.standing(ctx, tx, r.Document)
		if err != nil {
			return err
		}
		if d.DeliveryID == 0 {
			return &RefusedError{fmt.Sprintf("document %s was never carried: release it instead, once what stopped it is mended", d.ID)}
		}
		t, err := tx.Transmission(ctx, d.DeliveryID)
		if err != nil {
			return err
		}
		if t.State == tracking.TransmissionPrepared {
			return &RefusedError{fmt.Sprintf("transmission %s of document %s waits for its receipt: wait for it, or for its time to be up", t.ID, d.ID)}
		}
		run.Partner = d.Partner
		err = PutParcel(run, &Parcel{Connection: t.Connection, Content: t.Content, Filename: t.Filename, ContentType: t.ContentType, Subject: t.Subject})
		if err != nil {
			return err
		}
		if err := o.ready(ctx, tx, d, tracking.EventResent, "to be carried again over "+t.Connection, r); err != nil {
			return err
		}
		return Enqueue(ctx, tx, run, "deliver/"+t.Connection)
	})
	return run.ID, err
}

// Release lets a document go on that stands still and was never carried: one
// that was found invalid, on the responsibility of who asks, or one that could
// not be routed before the configuration was mended. Errors as for Resend.
func (o *Operations) Release(ctx context.Context, r Request) (tracking.ID, error) {
	run := &Run{ID: o.IDs.Next(), Process: "release", DocumentID: r.Document, CreatedAt: o.Now()}
	err := o.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
		d, err := o.standing(ctx, tx, r.Document)
		if err != nil {
			return err
		}
		switch {
		case d.DeliveryID != 0:
			return &RefusedError{fmt.Sprintf("document %s was carried before: resend it instead", d.ID)}
		case tracking.IsAcknowledgement(d.Type) && d.Direction == tracking.Inbound:
			return &RefusedError{fmt.Sprintf("document %s is an acknowledgement: it goes nowhere", d.ID)}
		case d.SourceID == 0:
			return &RefusedError{fmt.Sprintf("document %s was made here and is retried by its job: see `queue list`", d.ID)}
		}
		source, err := tx.Transmission(ctx, d.SourceID)
		if err != nil {
			return err
		}
		run.Partner = d.Partner
		if err := o.ready(ctx, tx, d, tracking.EventReprocessed, "released", r); err != nil {
			return err
		}
		return Enqueue(ctx, tx, run, "process/"+source.Connection)
	})
	return run.ID, err
}

// standing reads a document that nothing is being done to.
func (o *Operations) standing(ctx context.Context, tx Tx, id tracking.ID) (*tracking.Document, error) {
	d, err := tx.Document(ctx, id)
	if err != nil {
		return nil, err
	}
	if stands(d) {
		return d, nil
	}
	return nil, &RefusedError{fmt.Sprintf("document %s is %s: nothing to do before it stands still (invalid, failed or delivered)", d.ID, d.State)}
}

// ready moves a document back to ready and writes down who asked and why.
func (o *Operations) ready(ctx context.Context, tx Tx, d *tracking.Document, kind tracking.EventKind, what string, r Request) error {
	if err := d.Move(tracking.DocumentReady); err != nil {
		return err
	}
	d.Error, d.UpdatedAt = "", o.Now()
	if err := tx.UpdateDocument(ctx, d); err != nil {
		return err
	}
	text := what
	if r.Comment != "" {
		text += ": " + r.Comment
	}
	return tx.AppendEvent(ctx, &tracking.Event{
		ID: o.IDs.Next(), At: o.Now(), Kind: kind, DocumentID: d.ID, Partner: d.Partner, Text: text, Actor: r.Actor,
	})
}
