package steps

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"tradepost/edi"
	"tradepost/edi/edifact"
	"tradepost/edi/x12"
	"tradepost/partners"
	"tradepost/processes"
	"tradepost/tracking"
)

// Envelope is the step that puts an outbound document into an interchange of
// its own under our addresses and the next control numbers. Numbers are
// allocated before the interchange is written: a death in between leaves a
// gap, never a repeat.
type Envelope struct{ c Config }

// NewEnvelope returns the step.
func NewEnvelope(c Config) *Envelope { return &Envelope{c} }

// Name implements processes.Step.
func (*Envelope) Name() string { return "envelope" }

// Run implements processes.Step.
func (s *Envelope) Run(ctx context.Context, x *processes.Execution) (processes.Result, error) {
	c, err := s.c.carry(ctx, x)
	if err != nil {
		return processes.Result{}, err
	}
	d := c.document
	partner, err := s.c.Directory.Partner(d.Partner)
	if err != nil {
		return processes.Result{}, processes.Permanent(err)
	}
	station := s.c.Directory.Station()
	if len(station.Identifiers) == 0 || len(partner.Identifiers) == 0 {
		return processes.Result{}, processes.Permanent(fmt.Errorf("an interchange to %s needs an EDI identifier on both sides: give `identifiers` under station and partner", d.Partner))
	}
	e := &enveloping{carried: c, sender: station.Identifiers[0], receiver: partner.Identifiers[0], now: s.c.Now()}
	if err := s.allocate(ctx, e); err != nil {
		return processes.Result{}, err
	}
	written, err := e.write(c.bytes)
	if err != nil {
		return processes.Result{}, processes.Permanent(fmt.Errorf("write the interchange: %w", err))
	}
	content, err := s.c.Archive.Put(ctx, bytes.NewReader(written))
	if err != nil {
		return processes.Result{}, err
	}
	i, g, place, err := s.records(e, written, content)
	if err != nil {
		return processes.Result{}, err
	}
	err = processes.PutParcel(x.Run, &processes.Parcel{
		Connection: c.agreement.Connection, Content: content, ContentType: contentType(d.Standard),
		Filename: fmt.Sprintf("%s-%s.edi", d.Type, i.Control),
		Subject:  fmt.Sprintf("%s %s from %s", d.Type, i.Control, station.Name),
	})
	if err != nil {
		return processes.Result{}, err
	}
	return processes.Result{
		Detail: fmt.Sprintf("%s under interchange %s, group %s", d.Type, i.Control, g.Control),
		Commit: func(ctx context.Context, tx processes.Tx) error { return s.commit(ctx, tx, x, e, i, g, place) },
	}, nil
}

// allocate takes the next control numbers of the pair of addresses.
func (s *Envelope) allocate(ctx context.Context, e *enveloping) error {
	pair := e.sender.String() + " " + e.receiver.String()
	return s.c.Store.Update(ctx, func(ctx context.Context, tx processes.Tx) (err error) {
		if e.interchange, err = tx.NextControl(ctx, "interchange "+pair); err != nil {
			return err
		}
		e.group, err = tx.NextControl(ctx, "group "+pair)
		return err
	})
}

// records makes the rows of the interchange and its group, and finds the
// place of the document in the bytes written.
func (s *Envelope) records(e *enveloping, written []byte, content tracking.Payload) (*tracking.Interchange, *tracking.Group, edi.Part, error) {
	var i *tracking.Interchange
	var document edi.Part
	parts, err := outline(written)
	if err != nil {
		return nil, nil, document, err
	}
	g := &tracking.Group{ID: s.c.IDs.Next(), State: tracking.VerdictPending}
	for _, p := range parts {
		switch p.Level {
		case edi.LevelInterchange:
			h := p.Interchange
			i = &tracking.Interchange{
				ID: s.c.IDs.Next(), Direction: tracking.Outbound, Partner: e.document.Partner, Standard: h.Standard.String(), Version: h.Version,
				Sender: tracking.Identifier(e.sender), Receiver: tracking.Identifier(e.receiver), Control: h.Control, Date: e.now, Test: h.Test,
				State: tracking.VerdictPending, Payload: content, Offset: p.Offset, Length: p.Length, CreatedAt: e.now,
			}
		case edi.LevelGroup:
			g.Type, g.Version, g.Control = p.Group.Type, p.Group.Version, p.Group.Control
		case edi.LevelDocument:
			document = p
		}
	}
	if i == nil {
		return nil, nil, document, errors.New("what was written is no interchange")
	}
	if document.Level == 0 { // a TA1 stands in the interchange itself
		document.Offset, document.Length, document.Document.Control = 0, content.Size, i.Control
	}
	g.InterchangeID = i.ID
	return i, g, document, nil
}

func (s *Envelope) commit(ctx context.Context, tx processes.Tx, x *processes.Execution, e *enveloping, i *tracking.Interchange, g *tracking.Group, place edi.Part) error {
	if err := tx.InsertInterchange(ctx, i); err != nil {
		return err
	}
	if err := tx.InsertGroup(ctx, g); err != nil {
		return err
	}
	d, err := tx.Document(ctx, x.Run.DocumentID)
	if err != nil {
		return err
	}
	d.InterchangeID, d.GroupID, d.Control = i.ID, g.ID, place.Document.Control
	d.Payload, d.Offset, d.Length, d.UpdatedAt = i.Payload, place.Offset, place.Length, s.c.Now()
	if e.agreement.AckWithin > 0 && !tracking.IsAcknowledgement(d.Type) {
		d.Ack, d.AckDue = tracking.AckAwaited, s.c.Now().Add(e.agreement.AckWithin)
	}
	if err := tx.UpdateDocument(ctx, d); err != nil {
		return err
	}
	return tx.AppendEvent(ctx, s.c.event(tracking.EventDocEnveloped, d, fmt.Sprintf("enveloped as interchange %s, group %s, document %s", i.Control, g.Control, d.Control)))
}

// Failed implements processes.Failer.
func (s *Envelope) Failed(ctx context.Context, tx processes.Tx, x *processes.Execution, reason error) error {
	return failed(ctx, tx, s.c, x, reason)
}

// Failed implements processes.Failer.
func (s *Extract) Failed(ctx context.Context, tx processes.Tx, x *processes.Execution, reason error) error {
	return failed(ctx, tx, s.c, x, reason)
}

func failed(ctx context.Context, tx processes.Tx, c Config, x *processes.Execution, reason error) error {
	return processes.FailDocument(ctx, tx, c.IDs.Next(), c.Now(), x.Run.DocumentID, 0, reason)
}

// outline returns the parts of an interchange, innermost first.
func outline(b []byte) ([]edi.Part, error) {
	r := edi.NewBytesReader(b, edi.Options{})
	splitter := edi.NewSplitter()
	var parts []edi.Part
	for {
		seg, err := r.Next()
		if errors.Is(err, io.EOF) {
			return append(parts, splitter.Close()...), nil
		}
		if err != nil {
			return nil, err
		}
		parts = append(parts, splitter.Push(seg)...)
	}
}

// enveloping is one document on its way into its interchange.
type enveloping struct {
	*carried
	sender, receiver   partners.Identifier
	interchange, group int64
	now                time.Time
}

// write returns the bytes of the interchange.
func (e *enveloping) write(document []byte) ([]byte, error) {
	var b bytes.Buffer
	sender, receiver := party(e.sender), party(e.receiver)
	if e.frame.Delimiters.Standard == edi.EDIFACT {
		unb, err := e.unb(sender, receiver)
		if err != nil {
			return nil, err
		}
		doc := edifact.Document{Bytes: document, Delimiters: e.frame.Delimiters, Control: "1"}
		err = edifact.Wrap(&b, unb, doc, lineEnd(document))
		return b.Bytes(), err
	}
	isa := x12.ISA{
		Sender: sender, Receiver: receiver, Version: x12.InterchangeVersion(e.frame.GroupVersion),
		Control: strconv.FormatInt(e.interchange%1_000_000_000, 10), Usage: "P",
	}
	if e.agreement.Test {
		isa.Usage = "T"
	}
	isa.SetTime(e.now)
	if e.document.Type == typeTA1 {
		ta1, err := readTA1(document, e.frame.Delimiters)
		if err != nil {
			return nil, err
		}
		err = (&x12.Interchange{ISA: isa, Delimiters: e.frame.Delimiters, TA1: []x12.TA1{ta1}}).Write(&b)
		return b.Bytes(), err
	}
	gs := x12.GS{
		Type: e.frame.GroupType, Sender: cmp.Or(e.frame.GroupSender, sender.ID), Receiver: cmp.Or(e.frame.GroupReceiver, receiver.ID),
		Control: strconv.FormatInt(e.group%1_000_000_000, 10), Version: e.frame.GroupVersion,
	}
	gs.SetTime(e.now)
	doc := x12.Document{Bytes: document, Delimiters: e.frame.Delimiters, Control: "0001"}
	err := x12.Wrap(&b, isa, gs, doc, lineEnd(document))
	return b.Bytes(), err
}

// typeTA1 is the type under which an interchange acknowledgement travels as a
// document of ours.
const typeTA1 = "TA1"

// readTA1 reads the one segment of such a document.
func readTA1(b []byte, d edi.Delimiters) (x12.TA1, error) {
	seg, err := edi.NewFragmentReader(b, d, edi.Options{}).Next()
	if err != nil {
		return x12.TA1{}, err
	}
	return x12.ReadTA1(seg)
}

// unb returns the header of an EDIFACT interchange: syntax as the document
// came, addresses, time and reference ours.
func (e *enveloping) unb(sender, receiver edi.Party) (edifact.UNB, error) {
	seg, err := lastSegment(e.frame.Head)
	if err != nil {
		return edifact.UNB{}, err
	}
	unb, err := edifact.ReadUNB(seg)
	if err != nil {
		return edifact.UNB{}, err
	}
	unb.Sender, unb.Receiver = sender, receiver
	unb.Control = strconv.FormatInt(e.interchange, 10)
	unb.Test = ""
	if e.agreement.Test {
		unb.Test = "1"
	}
	unb.SetTime(e.now)
	return unb, nil
}

// lastSegment returns the last segment of a few.
func lastSegment(b []byte) (*edi.Segment, error) {
	r := edi.NewBytesReader(b, edi.Options{})
	for {
		seg, err := r.Next()
		if err != nil {
			return nil, fmt.Errorf("the header of the interchange cannot be read: %w", err)
		}
		if !seg.Is("UNA") {
			return seg, nil
		}
	}
}
