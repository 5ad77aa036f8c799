// Package steps holds the steps that know EDI: map, validate, acknowledge,
// correlate, route, envelope and extract, one file a step. They read payloads
// from the archive, judge and cut documents with package edi, and hand their
// effects back to the engine, which stores them with the run's checkpoint.
package steps

import (
	"context"
	"io"
	"time"

	"tradepost/partners"
	"tradepost/processes"
	"tradepost/tracking"
)

// Config is what the steps need of their surroundings; every field is
// required unless it says otherwise.
type Config struct {
	Store     processes.Store
	Archive   tracking.Archive
	Directory *partners.Directory
	Guides    *Guides
	Maps      *Maps
	IDs       *tracking.IDs
	Now       func() time.Time
}

// All returns every step of this package.
func All(c Config) []processes.Step {
	return []processes.Step{
		NewMap(c),
		NewValidate(c),
		NewAcknowledge(c),
		NewCorrelate(c),
		NewRoute(c),
		NewEnvelope(c),
		NewExtract(c),
	}
}

// read returns length bytes of a payload from an offset on.
func read(ctx context.Context, a tracking.Archive, p tracking.Payload, offset, length int64) ([]byte, error) {
	r, err := a.Open(ctx, p)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if _, err := io.CopyN(io.Discard, r, offset); err != nil {
		return nil, err
	}
	b := make([]byte, length)
	_, err = io.ReadFull(r, b)
	return b, err
}

// transmission reads the transmission a run is over.
func (c Config) transmission(ctx context.Context, x *processes.Execution) (*tracking.Transmission, error) {
	return memo(x, "transmission", func() (t *tracking.Transmission, err error) {
		err = c.Store.Update(ctx, func(ctx context.Context, tx processes.Tx) error {
			t, err = tx.Transmission(ctx, x.Run.TransmissionID)
			return err
		})
		return t, err
	})
}

// document reads the document a run is over.
func (c Config) document(ctx context.Context, x *processes.Execution) (d *tracking.Document, err error) {
	err = c.Store.Update(ctx, func(ctx context.Context, tx processes.Tx) error {
		d, err = tx.Document(ctx, x.Run.DocumentID)
		return err
	})
	return d, err
}

// carried is a document on its way to a partner or to the back office.
type carried struct {
	document  *tracking.Document
	frame     *Frame
	agreement *partners.Partnership
	bytes     []byte // the document's own, cut out of its payload
}

// carry reads what a run over one document works on.
func (c Config) carry(ctx context.Context, x *processes.Execution) (*carried, error) {
	d, err := c.document(ctx, x)
	if err != nil {
		return nil, err
	}
	frame, err := frameOf(x.Run)
	if err != nil {
		return nil, err
	}
	agreement, err := c.Directory.Partnership(d.Partner)
	if err != nil {
		return nil, processes.Permanent(err)
	}
	cut, err := read(ctx, c.Archive, d.Payload, d.Offset, d.Length)
	return &carried{d, frame, agreement, cut}, err
}

// memo returns what was made before in this execution, or makes it.
func memo[T any](x *processes.Execution, key string, make func() (T, error)) (T, error) {
	if v, ok := x.Memo[key].(T); ok {
		return v, nil
	}
	v, err := make()
	if err == nil {
		x.Memo[key] = v
	}
	return v, err
}

// event makes an event about a document.
func (c Config) event(kind tracking.EventKind, d *tracking.Document, text string) *tracking.Event {
	return &tracking.Event{ID: c.IDs.Next(), At: c.Now(), Kind: kind, DocumentID: d.ID, Partner: d.Partner, Text: text}
}
