package steps

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"tradepost/edi"
	"tradepost/edi/ack"
	"tradepost/edi/edifact"
	"tradepost/edi/validate"
	"tradepost/partners"
	"tradepost/processes"
	"tradepost/tracking"
)

// Acknowledge is the step that answers what a partner sent: in X12 a 997 or 999
// for every group and a TA1 where the interchange asks for one or was refused,
// in EDIFACT a CONTRL for the interchange. Each is an outbound document of its
// own, queued in the same database transaction.
type Acknowledge struct{ c Config }

// NewAcknowledge returns the step.
func NewAcknowledge(c Config) *Acknowledge { return &Acknowledge{c} }

// Name implements processes.Step.
func (*Acknowledge) Name() string { return "acknowledge" }

// Run implements processes.Step.
func (s *Acknowledge) Run(ctx context.Context, x *processes.Execution) (processes.Result, error) {
	t, err := s.c.transmission(ctx, x)
	if err != nil || t.Content.None() {
		return processes.Result{Detail: "nothing to acknowledge"}, err
	}
	j, err := s.c.judge(ctx, x, t)
	if err != nil {
		return processes.Result{}, err
	}
	var answers []*answer
	for n, i := range j.report.Interchanges {
		more, err := s.interchange(ctx, x.Run, i, j.owners[n])
		if err != nil {
			return processes.Result{}, err
		}
		answers = append(answers, more...)
	}
	return processes.Result{
		Detail: fmt.Sprintf("%d acknowledgements made", len(answers)),
		Commit: func(ctx context.Context, tx processes.Tx) error {
			rows, err := tx.DocumentsOfSource(ctx, t.ID)
			if err != nil {
				return err
			}
			byOffset := make(map[int64]*tracking.Document, len(rows))
			for _, d := range rows {
				byOffset[d.Offset] = d
			}
			for _, a := range answers {
				if err := s.commit(ctx, tx, a, byOffset); err != nil {
					return err
				}
			}
			return nil
		},
	}, nil
}

// answer is one acknowledgement on its way out.
type answer struct {
	carrier *tracking.Document
	run     *processes.Run
	lane    string
	groups  []*validate.Group // whose documents it judges; none for a TA1
	status  ack.Status
	about   *validate.Interchange
}

// interchange makes the answers to one interchange. One from a stranger gets none.
func (s *Acknowledge) interchange(ctx context.Context, run *processes.Run, i *validate.Interchange, o owner) ([]*answer, error) {
	if o.match == nil || o.match.Partnership.Acknowledge == "none" {
		return nil, nil
	}
	if i.Standard == edi.EDIFACT.String() {
		return s.contrl(ctx, run, i, o)
	}
	var answers []*answer
	// A refusal of what is inside is the 997's to say.
	if ta1 := ack.Interchange(i); ack.WantsTA1(i) && (i.AckRequested || ta1.TA1.Code != string(ack.Accepted)) {
		a, err := s.ta1(ctx, run, i, o, ta1)
		if err != nil {
			return nil, err
		}
		answers = append(answers, a)
	}
	if o.duplicate != 0 {
		return answers, nil // its groups were acknowledged the first time
	}
	for _, g := range i.Groups {
		f, err := ack.Answer(ack.Kind(o.match.Partnership.Acknowledge), i, g, ack.Options{})
		if errors.Is(err, ack.ErrNotAcknowledged) {
			continue
		}
		if err != nil {
			return nil, err
		}
		document, err := f.Bytes("0001")
		if err != nil {
			return nil, err
		}
		gs := f.Envelope.GS
		frame := &Frame{Delimiters: f.Envelope.Delimiters, GroupType: gs.Type, GroupVersion: gs.Version, GroupSender: gs.Sender, GroupReceiver: gs.Receiver}
		a, err := s.answer(ctx, run, o.match, string(f.Kind), document, frame)
		if err != nil {
			return nil, err
		}
		a.groups, a.status, a.about = []*validate.Group{g}, f.Status, i
		answers = append(answers, a)
	}
	return answers, nil
}

func (s *Acknowledge) ta1(ctx context.Context, run *processes.Run, i *validate.Interchange, o owner, ta1 ack.InterchangeAnswer) (*answer, error) {
	document, err := ta1.Bytes()
	if err != nil {
		return nil, err
	}
	frame := &Frame{Delimiters: ta1.Envelope.Delimiters, GroupVersion: i.Version + "0"}
	a, err := s.answer(ctx, run, o.match, typeTA1, document, frame)
	if err != nil {
		return nil, err
	}
	a.status, a.about = ack.Status(ta1.TA1.Code), i
	return a, nil
}

// contrl makes the CONTRL of an interchange.
func (s *Acknowledge) contrl(ctx context.Context, run *processes.Run, i *validate.Interchange, o owner) ([]*answer, error) {
	if o.duplicate != 0 {
		return nil, nil // it was answered the first time
	}
	c, err := ack.NewContrl(i, ack.Options{})
	if errors.Is(err, ack.ErrNotAcknowledged) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	document, err := c.Bytes("1")
	if err != nil {
		return nil, err
	}
	head, err := contrlHead(c, s.c.Now())
	if err != nil {
		return nil, err
	}
	a, err := s.answer(ctx, run, o.match, string(ack.CONTRL), document, &Frame{Delimiters: c.Delimiters, Head: head})
	if err != nil {
		return nil, err
	}
	a.groups, a.status, a.about = i.Groups, c.Status, i
	return []*answer{a}, nil
}

// contrlHead writes the UNA and UNB that go with a CONTRL. The reference is the
// envelope step's to give.
func contrlHead(c *ack.Contrl, now time.Time) ([]byte, error) {
	una, err := edifact.AppendUNA(nil, c.Delimiters)
	if err != nil {
		return nil, err
	}
	b := bytes.NewBuffer(una)
	unb := c.UNB
	unb.Control = "0"
	unb.SetTime(now)
	w := edi.NewWriter(b, c.Delimiters, edi.WriterOptions{})
	if err := unb.Write(w); err != nil {
		return nil, err
	}
	err = w.Flush()
	return b.Bytes(), err
}

// answer makes the outbound document of an acknowledgement and its run.
func (s *Acknowledge) answer(ctx context.Context, parent *processes.Run, to *partners.Match, kind string, document []byte, frame *Frame) (*answer, error) {
	payload, err := s.c.Archive.Put(ctx, bytes.NewReader(document))
	if err != nil {
		return nil, err
	}
	now := s.c.Now()
	a := &answer{
		carrier: &tracking.Document{
			ID: s.c.IDs.Next(), Direction: tracking.Outbound, Partner: to.Partner.Name, Standard: frame.Delimiters.Standard.String(), Type: kind, Version: frame.GroupVersion,
			Control: "0001", Payload: payload, Length: payload.Size, Segments: bytes.Count(document, []byte{frame.Delimiters.Segment}),
			State: tracking.DocumentReady, Ack: tracking.AckNone, Test: to.Partnership.Test, CreatedAt: now, UpdatedAt: now,
		},
		lane: lane(to.Partnership.Connection),
	}
	a.run = &processes.Run{ID: s.c.IDs.Next(), Process: "dispatch", Parent: parent.ID, DocumentID: a.carrier.ID, Partner: to.Partner.Name, CreatedAt: now}
	return a, putFrame(a.run, frame)
}

// commit stores an acknowledgement, what it says of each document, and its run.
func (s *Acknowledge) commit(ctx context.Context, tx processes.Tx, a *answer, byOffset map[int64]*tracking.Document) error {
	if err := tx.InsertDocument(ctx, a.carrier); err != nil {
		return err
	}
	text := fmt.Sprintf("%s made for interchange %s: %s", a.carrier.Type, a.about.Control, a.status)
	if a.carrier.Standard == edi.X12.String() && len(a.groups) == 1 {
		text = fmt.Sprintf("%s made for group %s %s: %s", a.carrier.Type, a.groups[0].Type, a.groups[0].Control, a.status)
	}
	for _, g := range a.groups {
		if err := s.commitGroup(ctx, tx, a, g, byOffset); err != nil {
			return err
		}
	}
	if err := tx.AppendEvent(ctx, s.c.event(tracking.EventAckMade, a.carrier, text)); err != nil {
		return err
	}
	return processes.Enqueue(ctx, tx, a.run, a.lane)
}

func (s *Acknowledge) commitGroup(ctx context.Context, tx processes.Tx, a *answer, g *validate.Group, byOffset map[int64]*tracking.Document) error {
	for n, doc := range g.Documents {
		d, ok := byOffset[doc.Extent.Offset]
		if !ok {
			return fmt.Errorf("the document at byte %d was judged but not recorded", doc.Extent.Offset)
		}
		if n == 0 {
			if err := tx.InsertAcknowledgement(ctx, s.row(a, ackState(a.status), tracking.Acknowledgement{GroupID: d.GroupID, Code: string(a.status)})); err != nil {
				return err
			}
		}
		d.Ack, d.AckAt = tracking.AckAccepted, s.c.Now()
		code := string(ack.Accepted)
		if !doc.Accepted {
			d.Ack, code = tracking.AckRejected, string(ack.Rejected)
		}
		if err := tx.UpdateDocument(ctx, d); err != nil {
			return err
		}
		if err := tx.InsertAcknowledgement(ctx, s.row(a, d.Ack, tracking.Acknowledgement{DocumentID: d.ID, Code: code})); err != nil {
			return err
		}
		event := s.c.event(tracking.EventAckMade, d, fmt.Sprintf("%s to %s made: %s", a.carrier.Type, d.Partner, d.Ack))
		if err := tx.AppendEvent(ctx, event); err != nil {
			return err
		}
	}
	return nil
}

// row completes an acknowledgement's row.
func (s *Acknowledge) row(a *answer, status tracking.AckState, about tracking.Acknowledgement) *tracking.Acknowledgement {
	about.ID, about.Type, about.Direction, about.CarrierID = s.c.IDs.Next(), a.carrier.Type, tracking.Outbound, a.carrier.ID
	about.Status, about.At = status, s.c.Now()
	return &about
}

// ackState translates a verdict.
func ackState(s ack.Status) tracking.AckState {
	switch s {
	case ack.Accepted:
		return tracking.AckAccepted
	case ack.AcceptedWithErrors:
		return tracking.AckWithErrors
	case ack.PartlyAccepted:
		return tracking.AckPartial
	}
	return tracking.AckRejected
}
