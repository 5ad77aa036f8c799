package steps

import (
	"context"
	"fmt"

	"tradepost/partners"
	"tradepost/processes"
	"tradepost/tracking"
)

// Route is the step that queues good documents for where they go: the
// partner's connection, or the back office. Over a transmission it takes every
// document in it, over a document just that one.
type Route struct{ c Config }

// NewRoute returns the step.
func NewRoute(c Config) *Route { return &Route{c} }

// Name implements processes.Step.
func (*Route) Name() string { return "route" }

// Run implements processes.Step.
func (s *Route) Run(ctx context.Context, x *processes.Execution) (processes.Result, error) {
	t, docs, err := s.documents(ctx, x.Run)
	if err != nil {
		return processes.Result{}, err
	}
	around := map[tracking.Payload]map[int64]*Frame{} // of the payloads documents are cut from: one, as a rule
	var moves []move
	for _, d := range docs {
		if d.State != tracking.DocumentReady || tracking.IsAcknowledgement(d.Type) {
			continue
		}
		if around[d.Payload] == nil {
			if around[d.Payload], err = s.frames(ctx, d.Payload); err != nil {
				return processes.Result{}, err
			}
		}
		moves = append(moves, s.decide(d, x.Run, around[d.Payload][d.Offset]))
	}
	return processes.Result{
		Detail: fmt.Sprintf("%d of %s to go on", len(moves), count(len(docs), "document")),
		Commit: func(ctx context.Context, tx processes.Tx) error {
			for _, m := range moves {
				if err := s.commit(ctx, tx, m); err != nil {
					return err
				}
			}
			t, err := tx.Transmission(ctx, t.ID)
			if err != nil {
				return err
			}
			if t.State == tracking.TransmissionReceived {
				t.State, t.CompletedAt = tracking.TransmissionProcessed, s.c.Now()
			}
			return tx.UpdateTransmission(ctx, t)
		},
	}, nil
}

// documents reads what a run is to route, and the transmission it came in.
func (s *Route) documents(ctx context.Context, run *processes.Run) (t *tracking.Transmission, docs []*tracking.Document, err error) {
	err = s.c.Store.Update(ctx, func(ctx context.Context, tx processes.Tx) error {
		source := run.TransmissionID
		if run.DocumentID != 0 {
			d, err := tx.Document(ctx, run.DocumentID)
			if err != nil {
				return err
			}
			source, docs = d.SourceID, []*tracking.Document{d}
		}
		if t, err = tx.Transmission(ctx, source); err != nil {
			return err
		}
		if run.DocumentID == 0 {
			docs, err = tx.DocumentsOfSource(ctx, source)
		}
		return err
	})
	return t, docs, err
}

// move is the decision about one document: the run that carries it on, or why
// there is none.
type move struct {
	document *tracking.Document
	run      *processes.Run
	lane     string
	why      string
}

// frames reads the frames of a payload.
func (s *Route) frames(ctx context.Context, p tracking.Payload) (map[int64]*Frame, error) {
	payload, err := s.c.Archive.Open(ctx, p)
	if err != nil {
		return nil, err
	}
	defer payload.Close()
	return frames(payload)
}

func (s *Route) decide(d *tracking.Document, parent *processes.Run, frame *Frame) move {
	m := move{document: d, run: &processes.Run{ID: s.c.IDs.Next(), Process: "deliver", Parent: parent.ID, DocumentID: d.ID, Partner: d.Partner, CreatedAt: s.c.Now()}}
	p, err := s.c.Directory.Partnership(d.Partner)
	if err != nil {
		m.why = err.Error()
		return m
	}
	rule, ok := p.Rule(partners.Direction(d.Direction), d.Type)
	connection := rule.Deliver
	if d.Direction == tracking.Outbound {
		m.run.Process, connection = "dispatch", p.Connection
	}
	switch {
	case !ok:
		m.why = fmt.Sprintf("nothing was agreed with %s about %s documents %s: add a line for %s under `%s` of the partnership, then send it again", d.Partner, d.Direction, d.Type, d.Type, d.Direction)
	case connection == "":
		m.why = fmt.Sprintf("the agreement with %s does not say where a %s goes: name a connection under `deliver`", d.Partner, d.Type)
	case frame == nil:
		m.why = fmt.Sprintf("no document header stands at byte %d of the payload any more", d.Offset)
	default:
		if err := putFrame(m.run, frame); err != nil {
			m.why = err.Error()
		}
	}
	m.lane = lane(connection)
	return m
}

func (s *Route) commit(ctx context.Context, tx processes.Tx, m move) error {
	if m.why == "" {
		return processes.Enqueue(ctx, tx, m.run, m.lane)
	}
	d, err := tx.Document(ctx, m.document.ID)
	if err != nil {
		return err
	}
	if err := d.Move(tracking.DocumentFailed); err != nil {
		return err
	}
	d.Error, d.UpdatedAt = m.why, s.c.Now()
	if err := tx.UpdateDocument(ctx, d); err != nil {
		return err
	}
	return tx.AppendEvent(ctx, s.c.event(tracking.EventDeliveryFailed, d, "cannot go on: "+m.why))
}

// lane is the queue lane of a connection: what goes over it goes in sequence.
func lane(connection string) string { return "deliver/" + connection }
