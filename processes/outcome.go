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

// FailDocument records that the delivery of a document was given up.
func FailDocument(ctx context.Context, tx Tx, event tracking.ID, now time.Time, document, transmission tracking.ID, reason error) error {
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
