package processes

import (
	"context"
	"fmt"
	"time"

	"tradepost/tracking"
)

// Monitor raises what did not happen in time: acknowledgements that are
// overdue.
type Monitor struct {
	Store   Store
	IDs     *tracking.IDs
	Now     func() time.Time
	Every   time.Duration // default one minute
	Observe Observer
	// Further are looked after at the same pace.
	Further []Look
}

// Look is something that has to be looked after from time to time.
type Look struct {
	Name string // "look after certificates", for the log when it fails
	Do   func(ctx context.Context) error
}

// monitorBatch bounds one database transaction of the monitor.
const monitorBatch = 200

// Run looks around every so often until ctx ends.
func (m *Monitor) Run(ctx context.Context) error {
	every := m.Every
	if every == 0 {
		every = time.Minute
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		for _, l := range append([]Look{{"look for overdue acknowledgements", m.Check}}, m.Further...) {
			if err := l.Do(ctx); err != nil && ctx.Err() == nil {
				m.Observe.Trouble(l.Name, err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Check records one event for every acknowledgement that has become overdue.
func (m *Monitor) Check(ctx context.Context) error {
	for {
		var found int
		err := m.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
			now := m.Now()
			docs, err := tx.OverdueAcks(ctx, now, monitorBatch)
			if err != nil {
				return err
			}
			found = len(docs)
			for _, d := range docs {
				err := tx.AppendEvent(ctx, &tracking.Event{
					ID: m.IDs.Next(), At: now, Kind: tracking.EventAckOverdue, DocumentID: d.ID, InterchangeID: d.InterchangeID, Partner: d.Partner,
					Text: fmt.Sprintf("no acknowledgement from %s by %s: ask them for the 997 of control number %s", d.Partner, d.AckDue.UTC().Format("2006-01-02 15:04 MST"), d.Control),
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || found < monitorBatch {
			return err
		}
	}
}
