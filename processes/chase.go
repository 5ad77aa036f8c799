package processes

import (
	"context"
	"errors"
	"time"

	"tradepost/tracking"
)

const (
	// chaseProcess sends again what was never receipted.
	chaseProcess = "chase"
	// chaseAfter is how long an asynchronous receipt may take before the same
	// bytes are sent again, and between two such tries.
	chaseAfter = 30 * time.Minute
)

// Chase is the step that sends a transmission again whose receipt did not come
// in time: same bytes, same Message-ID, so that a partner that has it answers
// with the receipt it gave before.
type Chase struct{ *Send }

// NewChase returns the step.
func NewChase(c CarrierConfig) *Chase { return &Chase{NewSend(c)} }

// Name implements Step.
func (*Chase) Name() string { return "chase" }

// errNoReceipt keeps a chase going.
var errNoReceipt = errors.New("the other side has it, but its receipt has not come")

// Run implements Step.
func (s *Chase) Run(ctx context.Context, x *Execution) (Result, error) {
	open, err := s.open(ctx, x)
	if err != nil {
		return Result{}, err
	}
	if !open {
		return Result{Detail: "its receipt came"}, nil
	}
	result, err := s.Send.Run(ctx, x)
	if err != nil {
		return Result{}, err
	}
	if err := s.c.Store.Update(ctx, result.Commit); err != nil {
		return Result{}, err
	}
	if open, err = s.open(ctx, x); err != nil {
		return Result{}, err
	}
	if open {
		return Result{}, RetryAfter(errNoReceipt, chaseAfter)
	}
	return Result{Detail: result.Detail}, nil
}

// open tells whether the transmission still waits for its receipt.
func (s *Chase) open(ctx context.Context, x *Execution) (bool, error) {
	parcel, err := ParcelOf(x.Run)
	if err != nil {
		return false, err
	}
	var t *tracking.Transmission
	err = s.c.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
		t, err = tx.Transmission(ctx, parcel.Transmission)
		return err
	})
	return err == nil && t.State == tracking.TransmissionPrepared, err
}
