package processes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"tradepost/processes/queue"
	"tradepost/tracking"
	"tradepost/transport"
)

// Intake is the one door in (transport.Sink): it archives what arrived, then
// records transmission, evidence, receipt and the run that will work it off in
// one database transaction. Only when that is durable does Accept return, and
// only then does the connector tell the other side "received".
type Intake struct {
	store   Store
	archive tracking.Archive
	ids     *tracking.IDs
	now     func() time.Time
	station string
	// processFor names the process that works off what a connection brings.
	processFor func(connection, contentType string) string
}

// IntakeConfig is what an Intake needs; every field is required.
type IntakeConfig struct {
	Store   Store
	Archive tracking.Archive
	IDs     *tracking.IDs
	Now     func() time.Time
	Station string
	// ProcessFor names the process that works off what a connection brings, by
	// the type of the content.
	ProcessFor func(connection, contentType string) string
}

// NewIntake returns the door of a station.
func NewIntake(c IntakeConfig) *Intake {
	return &Intake{store: c.Store, archive: c.Archive, ids: c.IDs, now: c.Now, station: c.Station, processFor: c.ProcessFor}
}

var _ transport.Sink = (*Intake)(nil)

// Accept implements transport.Sink. An arrival whose key was accepted before
// is recorded as a duplicate and not processed; the answer is the receipt that
// the first one got, byte for byte. An arrival that was refused is kept with
// its reason and not processed.
func (in *Intake) Accept(ctx context.Context, a *transport.Arrival) (*transport.Acceptance, error) {
	if a.Returned != nil {
		return in.settle(ctx, a)
	}
	t, err := in.keep(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("keep what arrived over %s: %w", a.Connection, err)
	}
	receipt, err := in.keepReceipt(ctx, t, a.Receipt)
	if err != nil {
		return nil, fmt.Errorf("keep the receipt for transmission %s: %w", t.ID, err)
	}
	runID := in.ids.Next()

	var first *tracking.Receipt // of the transmission that this one repeats
	var duplicate bool
	err = in.store.Update(ctx, func(ctx context.Context, tx Tx) error {
		first, duplicate = nil, false
		t.State, t.DuplicateOf = tracking.TransmissionReceived, 0
		if a.Refused != "" {
			return in.recordRefused(ctx, tx, t, a.Refused, receipt)
		}
		err := tx.InsertTransmission(ctx, t)
		var dup *tracking.DuplicateError
		if errors.As(err, &dup) {
			duplicate = true
			first, err = in.recordDuplicate(ctx, tx, t, dup)
			return err
		}
		if err != nil {
			return err
		}
		if a.Again {
			return transport.ErrNeverAccepted // and the row is gone again
		}
		if a.UniqueNames {
			if err := in.claimNames(ctx, tx, t); err != nil {
				return err
			}
		}
		return in.recordAccepted(ctx, tx, t, receipt, runID, resumed(a.Evidence))
	})
	if err != nil {
		return nil, fmt.Errorf("record transmission over %s: %w", a.Connection, err)
	}
	if !duplicate {
		return &transport.Acceptance{ID: t.ID.String(), Receipt: a.Receipt}, nil
	}
	acceptance := &transport.Acceptance{ID: t.ID.String(), Duplicate: true}
	if first != nil {
		if acceptance.Receipt, err = in.storedReceipt(ctx, first); err != nil {
			return nil, fmt.Errorf("read the receipt of transmission %s for its duplicate: %w", t.DuplicateOf, err)
		}
	}
	return acceptance, nil
}

// keep puts the bytes of an arrival into the archive and returns the
// transmission that will point at them.
func (in *Intake) keep(ctx context.Context, a *transport.Arrival) (*tracking.Transmission, error) {
	t := &tracking.Transmission{
		ID:          in.ids.Next(),
		Direction:   tracking.Inbound,
		Station:     in.station,
		Partner:     a.Partner,
		Connection:  a.Connection,
		Connector:   a.Connector,
		Key:         a.Key,
		MessageID:   a.MessageID,
		Filename:    a.Content.Filename,
		ContentType: a.Content.ContentType,
		Subject:     a.Subject,
		Evidence:    evidenceOf(a.Evidence),
		CreatedAt:   in.now(),
	}
	var err error
	if t.Wire, err = in.put(ctx, a.Wire); err != nil {
		return nil, err
	}
	if t.Content, err = in.put(ctx, a.Content.Body); err != nil {
		return nil, err
	}
	for _, part := range a.Attachments {
		p, err := in.put(ctx, part.Body)
		if err != nil {
			return nil, err
		}
		t.Attachments = append(t.Attachments, tracking.Attachment{Filename: part.Filename, ContentType: part.ContentType, Payload: p})
	}
	return t, nil
}

func (in *Intake) put(ctx context.Context, b transport.Body) (tracking.Payload, error) {
	if b == nil {
		return tracking.Payload{}, nil
	}
	r, err := b.Open()
	if err != nil {
		return tracking.Payload{}, err
	}
	defer r.Close()
	return in.archive.Put(ctx, r)
}

func (in *Intake) keepReceipt(ctx context.Context, t *tracking.Transmission, r *transport.Receipt) (*tracking.Receipt, error) {
	if r == nil {
		return nil, nil
	}
	body, err := in.archive.Put(ctx, bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	out := receiptOf(r, body)
	out.ID, out.TransmissionID, out.Direction, out.At = in.ids.Next(), t.ID, tracking.Outbound, in.now()
	out.MICMatches = r.MIC != "" && r.MIC == t.Evidence.MIC
	return out, nil
}

func (in *Intake) recordAccepted(ctx context.Context, tx Tx, t *tracking.Transmission, receipt *tracking.Receipt, runID tracking.ID, resumed string) error {
	if resumed != "" {
		if err := in.event(ctx, tx, t, tracking.EventResumed, resumed); err != nil {
			return err
		}
	}
	if err := in.event(ctx, tx, t, tracking.EventReceived, "received over "+t.Connection+describe(t)); err != nil {
		return err
	}
	if receipt != nil {
		if err := in.recordReceipt(ctx, tx, t, receipt); err != nil {
			return err
		}
	}
	return Enqueue(ctx, tx, &Run{
		ID:             runID,
		Process:        in.processFor(t.Connection, t.ContentType),
		TransmissionID: t.ID,
		Partner:        t.Partner,
		CreatedAt:      in.now(),
	}, "process/"+t.Connection)
}

// claimNames takes the file names of a transmission for its partner, so that no
// other has them: of two at the same moment one gets them.
func (in *Intake) claimNames(ctx context.Context, tx Tx, t *tracking.Transmission) error {
	names := []string{t.Filename}
	for _, a := range t.Attachments {
		names = append(names, a.Filename)
	}
	slices.Sort(names) // in one order, so that two never wait for each other
	for _, name := range slices.Compact(names) {
		if name == "" {
			continue
		}
		first, err := tx.RememberControl(ctx, "file name of "+t.Partner, name, t.ID, in.now(), time.Time{})
		if err != nil {
			return err
		}
		if first != 0 {
			return &transport.NameUsedError{Name: name}
		}
	}
	return nil
}

func (in *Intake) recordRefused(ctx context.Context, tx Tx, t *tracking.Transmission, reason string, receipt *tracking.Receipt) error {
	t.State, t.Error, t.CompletedAt = tracking.TransmissionRefused, reason, t.CreatedAt
	if err := tx.InsertTransmission(ctx, t); err != nil {
		return err
	}
	if receipt != nil {
		if err := in.recordReceipt(ctx, tx, t, receipt); err != nil {
			return err
		}
	}
	return in.event(ctx, tx, t, tracking.EventRefused, "refused: "+reason)
}

func (in *Intake) recordDuplicate(ctx context.Context, tx Tx, t *tracking.Transmission, dup *tracking.DuplicateError) (*tracking.Receipt, error) {
	t.State, t.DuplicateOf, t.CompletedAt = tracking.TransmissionDuplicate, dup.Existing, t.CreatedAt
	if err := tx.InsertTransmission(ctx, t); err != nil {
		return nil, err
	}
	text := fmt.Sprintf("came again over %s%s: same as transmission %s, kept and not processed", t.Connection, describe(t), dup.Existing)
	if err := in.event(ctx, tx, t, tracking.EventDuplicate, text); err != nil {
		return nil, err
	}
	first, err := tx.FirstReceipt(ctx, dup.Existing)
	switch {
	case errors.Is(err, tracking.ErrNotFound):
		return nil, nil
	case err == nil && first.Async:
		err = in.oweReceipt(ctx, tx, t)
	}
	return first, err
}

// recordReceipt stores our receipt with what it is about. One that is wanted
// on a connection of its own is queued.
func (in *Intake) recordReceipt(ctx context.Context, tx Tx, t *tracking.Transmission, r *tracking.Receipt) error {
	if err := tx.InsertReceipt(ctx, r); err != nil {
		return err
	}
	if r.Async {
		return in.oweReceipt(ctx, tx, t)
	}
	return in.event(ctx, tx, t, tracking.EventReceiptSent, "receipt answered: "+r.Disposition)
}

// oweReceipt queues the posting of a receipt. Each has a lane of its own: a
// receipt nobody takes must not hold up the others.
func (in *Intake) oweReceipt(ctx context.Context, tx Tx, t *tracking.Transmission) error {
	return Enqueue(ctx, tx, &Run{
		ID: in.ids.Next(), Process: "receipt", TransmissionID: t.ID, Partner: t.Partner, CreatedAt: in.now(),
	}, "receipt/"+t.ID.String())
}

func (in *Intake) event(ctx context.Context, tx Tx, t *tracking.Transmission, kind tracking.EventKind, text string) error {
	return tx.AppendEvent(ctx, &tracking.Event{ID: in.ids.Next(), At: in.now(), Kind: kind, TransmissionID: t.ID, Partner: t.Partner, Text: text})
}

// storedReceipt rebuilds the receipt that was answered before.
func (in *Intake) storedReceipt(ctx context.Context, r *tracking.Receipt) (*transport.Receipt, error) {
	f, err := in.archive.Open(ctx, r.Body)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	body, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	return transportReceipt(r, body), nil
}

// describe names a transmission in an event's sentence.
func describe(t *tracking.Transmission) string {
	switch {
	case t.Filename != "" && t.Partner != "":
		return fmt.Sprintf(" from %s: %s, %d bytes", t.Partner, t.Filename, t.Content.Size)
	case t.Filename != "":
		return fmt.Sprintf(": %s, %d bytes", t.Filename, t.Content.Size)
	case t.Partner != "":
		return fmt.Sprintf(" from %s, %d bytes", t.Partner, t.Content.Size)
	}
	return fmt.Sprintf(", %d bytes", t.Content.Size)
}

// Enqueue stores a new run and queues it, both in the caller's database
// transaction. r needs ID, Process, CreatedAt and its subject.
func Enqueue(ctx context.Context, tx Tx, r *Run, lane string) error {
	return EnqueueAt(ctx, tx, r, lane, r.CreatedAt)
}

// EnqueueAt is Enqueue for a run that begins at a later time; it holds its
// lane until then.
func EnqueueAt(ctx context.Context, tx Tx, r *Run, lane string, at time.Time) error {
	r.State, r.UpdatedAt = RunReady, r.CreatedAt
	if err := tx.InsertRun(ctx, r); err != nil {
		return err
	}
	args, err := json.Marshal(jobArgs{Run: r.ID})
	if err != nil {
		return err
	}
	return tx.Enqueue(ctx, &queue.Job{ID: int64(r.ID), Lane: lane, Kind: jobKindRun, Args: args, RunAt: at, CreatedAt: r.CreatedAt})
}

// jobKindRun is the kind of job that carries a run on.
const jobKindRun = "run"

type jobArgs struct {
	Run tracking.ID `json:"run"`
}
