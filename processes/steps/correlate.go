package steps

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tradepost/edi/ack"
	"tradepost/processes"
	"tradepost/tracking"
)

// Correlate is the step that lets the acknowledgements in what a partner sent
// settle what we sent: groups and documents by their control numbers.
type Correlate struct{ c Config }

// NewCorrelate returns the step.
func NewCorrelate(c Config) *Correlate { return &Correlate{c} }

// Name implements processes.Step.
func (*Correlate) Name() string { return "correlate" }

// Run implements processes.Step.
func (s *Correlate) Run(ctx context.Context, x *processes.Execution) (processes.Result, error) {
	t, err := s.c.transmission(ctx, x)
	if err != nil || t.Content.None() {
		return processes.Result{Detail: "nothing to correlate"}, err
	}
	j, err := s.c.judge(ctx, x, t)
	if err != nil {
		return processes.Result{}, err
	}
	if !j.acknowledges() {
		return processes.Result{Detail: "no acknowledgements in it"}, nil
	}
	content, err := s.c.Archive.Open(ctx, t.Content)
	if err != nil {
		return processes.Result{}, err
	}
	defer content.Close()
	found, err := ack.Read(content)
	if err != nil && !errors.Is(err, ack.ErrTooLarge) {
		return processes.Result{}, err
	}
	partner := j.partner(t)
	return processes.Result{
		Detail: fmt.Sprintf("%d acknowledgements from %s", len(found), partner),
		Commit: func(ctx context.Context, tx processes.Tx) error {
			rows, err := tx.DocumentsOfSource(ctx, t.ID)
			if err != nil {
				return err
			}
			settling := &settling{c: s.c, tx: tx, transmission: t.ID, partner: partner, carriers: map[int64]*tracking.Document{}}
			for _, d := range rows {
				settling.carriers[d.Offset] = d
			}
			for n := range found {
				if err := settling.one(ctx, &found[n]); err != nil {
					return err
				}
			}
			return settling.settled(ctx)
		},
	}, nil
}

// acknowledges tells whether any accepted interchange holds acknowledgements.
func (j *judgement) acknowledges() bool {
	for n, i := range j.report.Interchanges {
		if j.owners[n].refused() {
			continue
		}
		if i.TA1 > 0 {
			return true
		}
		for _, g := range i.Groups {
			if g.NoAck {
				return true
			}
		}
	}
	return false
}

// partner names whose content a transmission holds.
func (j *judgement) partner(t *tracking.Transmission) string {
	if t.Partner != "" {
		return t.Partner
	}
	for _, o := range j.owners {
		if o.match != nil {
			return o.match.Partner.Name
		}
	}
	return ""
}

// settling applies the acknowledgements of one transmission inside a database
// transaction.
type settling struct {
	c            Config
	tx           processes.Tx
	transmission tracking.ID
	partner      string
	carriers     map[int64]*tracking.Document // the 997s by their offset
}

// one applies one acknowledgement.
func (s *settling) one(ctx context.Context, a *ack.Acknowledgement) error {
	switch a.Kind {
	case ack.TA1:
		return s.interchange(ctx, a)
	case ack.CONTRL:
		return s.contrl(ctx, a)
	}
	group, err := s.tx.SentGroup(ctx, s.partner, a.GroupType, a.GroupControl)
	if errors.Is(err, tracking.ErrNotFound) {
		return s.unmatched(ctx, a, fmt.Sprintf("group %s %s", a.GroupType, a.GroupControl))
	}
	if err != nil {
		return err
	}
	group.State = verdict(a.Status)
	if err := s.tx.UpdateGroup(ctx, group); err != nil {
		return err
	}
	i, err := s.tx.Interchange(ctx, group.InterchangeID)
	if err != nil {
		return err
	}
	i.State = group.State
	if err := s.tx.UpdateInterchange(ctx, i); err != nil {
		return err
	}
	if err := s.insert(ctx, a, tracking.Acknowledgement{GroupID: group.ID, Status: ackState(a.Status), Code: string(a.Status)}); err != nil {
		return err
	}
	docs, err := s.tx.DocumentsOfGroup(ctx, group.ID)
	if err != nil {
		return err
	}
	return s.documents(ctx, a, docs)
}

// contrl settles one interchange of ours and the documents in it by a CONTRL.
func (s *settling) contrl(ctx context.Context, a *ack.Acknowledgement) error {
	i, err := s.tx.SentInterchange(ctx, s.partner, a.About)
	if errors.Is(err, tracking.ErrNotFound) {
		return s.unmatched(ctx, a, "interchange "+a.About)
	}
	if err != nil {
		return err
	}
	i.State = verdict(a.Status)
	if err := s.tx.UpdateInterchange(ctx, i); err != nil {
		return err
	}
	if err := s.insert(ctx, a, tracking.Acknowledgement{InterchangeID: i.ID, Status: ackState(a.Status), Code: string(a.Status)}); err != nil {
		return err
	}
	carried, err := s.tx.DocumentsOfDelivery(ctx, i.TransmissionID)
	if err != nil {
		return err
	}
	docs := slices.DeleteFunc(carried, func(d *tracking.Document) bool { return d.InterchangeID != i.ID })
	return s.documents(ctx, a, docs)
}

// documents settles those of a few documents that an acknowledgement judges,
// by name or, as many partners have it, with the group or interchange they are
// in.
func (s *settling) documents(ctx context.Context, a *ack.Acknowledgement, docs []*tracking.Document) error {
	for _, d := range docs {
		if v, listed := a.Verdict(d.Type, d.Control); listed || v.Status != ack.Unknown {
			if err := s.document(ctx, a, d, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// document settles one document of ours.
func (s *settling) document(ctx context.Context, a *ack.Acknowledgement, d *tracking.Document, v ack.Document) error {
	status := ackState(v.Status)
	again := d.Ack == status && !d.AckAt.IsZero()
	d.Ack, d.AckAt, d.UpdatedAt = status, s.c.Now(), s.c.Now()
	text := fmt.Sprintf("%s of %s: %s", a.Kind, s.partner, status)
	if status == tracking.AckRejected {
		d.Error = fmt.Sprintf("%s rejected it%s", s.partner, firstFault(v))
		text = fmt.Sprintf("%s of %s rejected it%s", a.Kind, s.partner, firstFault(v))
	}
	if err := s.tx.UpdateDocument(ctx, d); err != nil {
		return err
	}
	if err := s.insert(ctx, a, tracking.Acknowledgement{DocumentID: d.ID, Status: status, Code: string(v.Status)}); err != nil {
		return err
	}
	if again {
		return s.tx.AppendEvent(ctx, s.c.event(tracking.EventAckIn, d, text+", as it said before"))
	}
	if issues := partnerIssues(v); len(issues) > 0 {
		if err := s.tx.InsertIssues(ctx, d.InterchangeID, d.ID, issues); err != nil {
			return err
		}
	}
	return s.tx.AppendEvent(ctx, s.c.event(tracking.EventAckIn, d, text))
}

// interchange settles one interchange of ours by a TA1.
func (s *settling) interchange(ctx context.Context, a *ack.Acknowledgement) error {
	i, err := s.tx.SentInterchange(ctx, s.partner, a.About)
	if errors.Is(err, tracking.ErrNotFound) {
		return s.unmatched(ctx, a, "interchange "+a.About)
	}
	if err != nil {
		return err
	}
	// An accepting TA1 speaks of the envelope only: the verdict on what is
	// inside comes with the 997.
	if a.Status == ack.Rejected {
		i.State = tracking.VerdictRejected
		if err := s.tx.UpdateInterchange(ctx, i); err != nil {
			return err
		}
	}
	if err := s.insert(ctx, a, tracking.Acknowledgement{InterchangeID: i.ID, Status: ackState(a.Status), Code: string(a.Status)}); err != nil {
		return err
	}
	text := fmt.Sprintf("TA1 of %s for interchange %s: %s", s.partner, i.Control, a.Status)
	for _, code := range a.Codes {
		if words := ack.Words(code); words != "" && code != "TA105=000" {
			text += ": " + words
		}
	}
	return s.tx.AppendEvent(ctx, &tracking.Event{
		ID: s.c.IDs.Next(), At: s.c.Now(), Kind: tracking.EventAckIn, InterchangeID: i.ID, TransmissionID: i.TransmissionID, Partner: s.partner, Text: text,
	})
}

func (s *settling) insert(ctx context.Context, a *ack.Acknowledgement, row tracking.Acknowledgement) error {
	row.ID, row.Type, row.Direction, row.At = s.c.IDs.Next(), string(a.Kind), tracking.Inbound, s.c.Now()
	if carrier := s.carriers[a.Offset]; carrier != nil {
		row.CarrierID = carrier.ID
	}
	return s.tx.InsertAcknowledgement(ctx, &row)
}

// settled marks the acknowledgements themselves as having done their work.
func (s *settling) settled(ctx context.Context) error {
	for _, d := range s.carriers {
		if !tracking.IsAcknowledgement(d.Type) || d.State != tracking.DocumentReady {
			continue
		}
		if err := d.Move(tracking.DocumentSettled); err != nil {
			return err
		}
		d.UpdatedAt = s.c.Now()
		if err := s.tx.UpdateDocument(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// unmatched records an acknowledgement of something we never sent.
func (s *settling) unmatched(ctx context.Context, a *ack.Acknowledgement, about string) error {
	event := &tracking.Event{
		ID: s.c.IDs.Next(), At: s.c.Now(), Kind: tracking.EventAckUnmatched, TransmissionID: s.transmission, Partner: s.partner,
		Text: fmt.Sprintf("%s of %s is about %s, which was never sent to them: ask what they mean", a.Kind, s.partner, about),
	}
	if carrier := s.carriers[a.Offset]; carrier != nil {
		event.DocumentID = carrier.ID
	}
	return s.tx.AppendEvent(ctx, event)
}

// partnerIssues are the faults a partner's acknowledgement names.
func partnerIssues(v ack.Document) []tracking.Issue {
	var out []tracking.Issue
	for _, i := range v.Issues {
		level := "segment"
		if i.Element > 0 {
			level = "element"
		}
		out = append(out, tracking.Issue{
			Severity: "error", Level: level, Ack: i.Code, Segment: i.Segment, Ordinal: i.Ordinal, Element: i.Element, Component: i.Component,
			Value: i.Value, Text: i.Text, Reporter: "partner",
		})
	}
	for _, code := range v.Codes {
		out = append(out, tracking.Issue{Severity: "error", Level: "document", Ack: code, Text: ack.Words(code), Reporter: "partner"})
	}
	return out
}

// firstFault says in words where the first fault lies.
func firstFault(v ack.Document) string {
	if len(v.Issues) == 0 {
		if len(v.Codes) > 0 {
			return ": " + ack.Words(v.Codes[0])
		}
		return ""
	}
	i := v.Issues[0]
	for _, other := range v.Issues { // an element's fault says more than its segment's
		if other.Element > 0 {
			i = other
			break
		}
	}
	where := fmt.Sprintf(": segment %d, %s", i.Ordinal, i.Segment)
	if i.Element > 0 {
		where += fmt.Sprintf(", element %d", i.Element)
	}
	if i.Value != "" {
		where += fmt.Sprintf(", %q", i.Value)
	}
	return where + ": " + i.Text
}

func verdict(s ack.Status) tracking.Verdict {
	switch s {
	case ack.Accepted, ack.AcceptedWithErrors:
		return tracking.VerdictAccepted
	case ack.PartlyAccepted:
		return tracking.VerdictPartial
	}
	return tracking.VerdictRejected
}
