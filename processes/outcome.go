package processes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tradepost/tracking"
	"tradepost/transport"
)

// stepError carries a connector's judgement over to the engine.
func stepError(err error) error {
	if transport.IsPermanent(err) {
		return Permanent(err)
	}
	if wait := transport.RetryAfter(err); wait > 0 {
		return RetryAfter(err, wait)
	}
	return err
}

func asRefused(err error) (*refusedError, bool) {
	var r *refusedError
	ok := errors.As(err, &r)
	return r, ok
}

// errorOf returns the first error of a few.
func errorOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// FailDocument records that the delivery of a document was given up, or, with
// document zero, of something that is no document.
func FailDocument(ctx context.Context, tx Tx, event tracking.ID, now time.Time, document, transmission tracking.ID, reason error) error {
	if document == 0 {
		return failBare(ctx, tx, event, now, transmission, reason)
	}
	d, err := tx.Document(ctx, document)
	if err != nil {
		return err
	}
	if err := d.Move(tracking.DocumentFailed); err != nil {
		return err
	}
	d.Error, d.UpdatedAt = reason.Error(), now
	if err := tx.UpdateDocument(ctx, d); err != nil {
		return err
	}
	return tx.AppendEvent(ctx, &tracking.Event{
		ID: event, At: now, Kind: tracking.EventDeliveryFailed, DocumentID: document, TransmissionID: transmission, Partner: d.Partner,
		Text: fmt.Sprintf("delivery given up: %v", reason),
	})
}

// failBare records that the delivery of what is no document was given up.
func failBare(ctx context.Context, tx Tx, event tracking.ID, now time.Time, transmission tracking.ID, reason error) error {
	e := &tracking.Event{
		ID: event, At: now, Kind: tracking.EventDeliveryFailed, TransmissionID: transmission,
		Text: fmt.Sprintf("delivery given up: %v", reason),
	}
	if transmission != 0 {
		t, err := tx.Transmission(ctx, transmission)
		if err != nil {
			return err
		}
		e.Partner = t.Partner
	}
	return tx.AppendEvent(ctx, e)
}

// protection says in words how a transmission is protected.
func protection(e tracking.Evidence) string {
	var how []string
	if e.Signed {
		how = append(how, "signed "+e.Digest)
	}
	if e.Compressed {
		how = append(how, "compressed")
	}
	if e.Encrypted {
		how = append(how, "encrypted "+e.Cipher)
	}
	if len(how) == 0 {
		return ""
	}
	return ", " + strings.Join(how, ", ")
}
