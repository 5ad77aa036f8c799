package transport

import (
	"context"
	"errors"
	"time"
)

// AttemptError is a failed attempt at a Send together with what was seen of
// it. It is temporary unless Permanent marked it. Senders return it where there
// is something to show; look for it with errors.As.
type AttemptError struct {
	Err error
	// Evidence is what the attempt brought to light: address, TLS, HTTP status
	// and the answer cut to a readable length.
	Evidence Evidence
	// RetryAfter is how long the other side asked us to wait, 0 when it did not.
	RetryAfter time.Duration
}

func (e *AttemptError) Error() string { return e.Err.Error() }
func (e *AttemptError) Unwrap() error { return e.Err }

// RetryAfter is how long the other side asked to be left alone, 0 when err
// says nothing about it.
func RetryAfter(err error) time.Duration {
	var a *AttemptError
	if errors.As(err, &a) {
		return a.RetryAfter
	}
	return 0
}

// Returned is a receipt that came on its own, some time after the delivery it
// is about (an asynchronous MDN). What it says is worth nothing before Check.
type Returned struct {
	// OriginalMessageID names the delivery: the Prepared.MessageID it was sent
	// under. It is foreign input.
	OriginalMessageID string
	// Check tells what the receipt proves about the delivery, exactly as Send
	// would have with the same receipt in the answer. It may be called once for
	// each open delivery with that Message-ID, and does no input or output.
	Check func(p *Prepared) *Outcome
}

// ReceiptSender posts the receipts that we owe: those of arrivals whose
// Receipt.Async is set. It is called, again and again until it succeeds, with
// the receipt as it was stored; errors are those of Sender.Send.
type ReceiptSender interface {
	SendReceipt(ctx context.Context, partner string, r *Receipt) error
}
