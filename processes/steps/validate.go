package steps

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tradepost/edi/validate"
	"tradepost/processes"
	"tradepost/tracking"
)

// Validate is the step that splits a transmission into interchanges, groups
// and documents and judges each: one bad document neither hides nor spoils its
// neighbours. Everything found is recorded, good or bad.
type Validate struct{ c Config }

// NewValidate returns the step.
func NewValidate(c Config) *Validate { return &Validate{c} }

// Name implements processes.Step.
func (*Validate) Name() string { return "validate" }

// Run implements processes.Step.
func (s *Validate) Run(ctx context.Context, x *processes.Execution) (processes.Result, error) {
	t, err := s.c.transmission(ctx, x)
	if err != nil {
		return processes.Result{}, err
	}
	payload, err := content(x.Run, t)
	if err != nil {
		return processes.Result{}, err
	}
	switch {
	case t.Content.None():
		return s.unreadable(t, nil, "there is no payload in it"), nil
	case payload.None():
		return processes.Result{Detail: "nothing was mapped"}, nil
	}
	j, err := s.c.judge(ctx, x, t)
	if err != nil {
		return processes.Result{}, err
	}
	if len(j.report.Interchanges) == 0 {
		why := "no interchange is in it: neither an ISA nor a UNB begins one"
		if len(j.report.Issues) > 0 {
			why = j.report.Issues[0].Text
		}
		return s.unreadable(t, j.report, why), nil
	}
	r := &recording{c: s.c, t: t, content: payload, way: tracking.Direction(s.c.wayOf(t)), now: s.c.Now()}
	for n, i := range j.report.Interchanges {
		r.interchange(i, j.owners[n])
	}
	return processes.Result{
		Detail: fmt.Sprintf("%s, %s: %d good, %d not", count(len(j.report.Interchanges), "interchange"), count(len(r.documents), "document"), r.good, len(r.documents)-r.good),
		Commit: func(ctx context.Context, tx processes.Tx) error { return r.store(ctx, tx, j.report.Issues) },
	}, nil
}

// unreadable records that what arrived is no EDI. It is kept, and the
// transmission shows as failed until somebody has looked.
func (s *Validate) unreadable(t *tracking.Transmission, report *validate.Report, why string) processes.Result {
	return processes.Result{
		Detail: "unreadable: " + why,
		Commit: func(ctx context.Context, tx processes.Tx) error {
			t, err := tx.Transmission(ctx, t.ID)
			if err != nil {
				return err
			}
			t.State, t.Error, t.CompletedAt = tracking.TransmissionFailed, why, s.c.Now()
			if err := tx.UpdateTransmission(ctx, t); err != nil {
				return err
			}
			return tx.AppendEvent(ctx, &tracking.Event{
				ID: s.c.IDs.Next(), At: s.c.Now(), Kind: tracking.EventUnreadable, TransmissionID: t.ID, Partner: t.Partner,
				Text: "the content cannot be read as EDI and is kept: " + why,
			})
		},
	}
}

// recording turns a judgement into rows.
type recording struct {
	c   Config
	t   *tracking.Transmission
	way tracking.Direction
	now time.Time
	// content is that of the transmission, or what was mapped from it.
	content tracking.Payload

	interchanges []*tracking.Interchange
	groups       []*tracking.Group
	documents    []*tracking.Document
	issues       []issueSet
	remember     []remembered
	good         int
}

// issueSet is what was found in one document, or in an interchange outside its
// documents.
type issueSet struct {
	interchange, document tracking.ID
	issues                []tracking.Issue
}

// interchange adds the rows of one interchange. What our own back office hands
// over is not recorded as an interchange: the partner never sees that envelope.
func (r *recording) interchange(i *validate.Interchange, o owner) {
	row := &tracking.Interchange{
		ID: r.c.IDs.Next(), TransmissionID: r.t.ID, Direction: r.way, Partner: r.t.Partner, Standard: i.Standard, Version: i.Version,
		Sender: tracking.Identifier(identifier(i.From)), Receiver: tracking.Identifier(identifier(i.To)), Control: i.Control, Date: envelopeDate(i.Date, i.Time),
		Test: i.Test, State: tracking.VerdictAccepted, Payload: r.content, Offset: i.Extent.Offset, Length: i.Extent.Length, CreatedAt: r.now,
	}
	if o.match != nil {
		row.Partner = o.match.Partner.Name
	}
	verdicts := make([]bool, 0, len(i.Groups))
	issues := issuesOf(i.Issues)
	for _, g := range i.Groups {
		verdict, fromGroup := r.group(i, g, o, row)
		verdicts = append(verdicts, verdict)
		issues = append(issues, fromGroup...)
	}
	row.State = verdictOf(i.Accepted, verdicts)
	if r.way == tracking.Inbound {
		r.interchanges = append(r.interchanges, row)
		r.numbers(i, o, row)
	}
	if len(issues) > 0 {
		r.issues = append(r.issues, issueSet{interchange: row.ID, issues: issues})
	}
}

// group adds the rows of one group and returns its verdict and its own issues.
func (r *recording) group(i *validate.Interchange, g *validate.Group, o owner, in *tracking.Interchange) (bool, []tracking.Issue) {
	row := &tracking.Group{ID: r.c.IDs.Next(), InterchangeID: in.ID, Type: g.Type, Version: g.Version, Control: g.Control}
	verdicts := make([]bool, 0, len(g.Documents))
	for _, d := range g.Documents {
		verdicts = append(verdicts, d.Accepted)
		r.document(i, g, d, o, in, row)
	}
	row.State = verdictOf(g.Accepted, verdicts)
	if r.way == tracking.Inbound {
		r.groups = append(r.groups, row)
	}
	return row.State != tracking.VerdictRejected, issuesOf(g.Issues)
}

// document adds the row of one document.
func (r *recording) document(i *validate.Interchange, g *validate.Group, d *validate.Document, o owner, in *tracking.Interchange, group *tracking.Group) {
	row := &tracking.Document{
		ID: r.c.IDs.Next(), Direction: r.way, Partner: in.Partner, Standard: i.Standard, Type: d.Type, Version: version(g, d), Guide: d.Guide,
		Control: d.Control, SourceID: r.t.ID, Payload: r.content, Offset: d.Extent.Offset, Length: d.Extent.Length, Segments: d.Segments,
		State: tracking.DocumentReady, Ack: tracking.AckNone, Keys: keysOf(d.Keys), Test: i.Test, CreatedAt: r.now, UpdatedAt: r.now,
	}
	if r.way == tracking.Inbound {
		row.InterchangeID, row.GroupID = in.ID, group.ID
	}
	issues := issuesOf(d.Issues)
	for _, issue := range issues {
		if issue.Severity == string(validate.Error) {
			row.Errors++
		} else {
			row.Warnings++
		}
	}
	if !d.Accepted {
		row.State, row.Error = tracking.DocumentInvalid, whyInvalid(i, g, d, o)
	} else {
		r.good++
	}
	r.documents = append(r.documents, row)
	if len(issues) > 0 {
		r.issues = append(r.issues, issueSet{interchange: in.ID, document: row.ID, issues: issues})
	}
}

// store writes all rows and their events.
func (r *recording) store(ctx context.Context, tx processes.Tx, input []*validate.Issue) error {
	for _, i := range r.interchanges {
		if err := tx.InsertInterchange(ctx, i); err != nil {
			return err
		}
	}
	for _, g := range r.groups {
		if err := tx.InsertGroup(ctx, g); err != nil {
			return err
		}
	}
	for _, d := range r.documents {
		if err := tx.InsertDocument(ctx, d); err != nil {
			return err
		}
		if err := tx.AppendEvent(ctx, r.verdictEvent(d)); err != nil {
			return err
		}
	}
	for _, set := range r.issues {
		if err := tx.InsertIssues(ctx, set.interchange, set.document, set.issues); err != nil {
			return err
		}
	}
	for _, m := range r.remember {
		first, err := tx.RememberControl(ctx, m.scope, m.control, m.interchange, r.now, m.since)
		if err != nil {
			return err
		}
		if first != 0 {
			return errors.New("the control number " + m.control + " was used by another interchange at this moment: judge again")
		}
	}
	return r.transmission(ctx, tx, input)
}

// transmission notes on the transmission itself what was found in it.
func (r *recording) transmission(ctx context.Context, tx processes.Tx, input []*validate.Issue) error {
	t, err := tx.Transmission(ctx, r.t.ID)
	if err != nil {
		return err
	}
	if t.Partner == "" && len(r.documents) > 0 {
		t.Partner = r.documents[0].Partner
		if err := tx.UpdateTransmission(ctx, t); err != nil {
			return err
		}
	}
	text := fmt.Sprintf("%d documents found in it, %d of them good", len(r.documents), r.good)
	switch len(r.documents) {
	case 0: // a TA1 alone
		text = "no document found in it"
	case 1:
		text = "one document found in it, " + map[int]string{0: "not good", 1: "good"}[r.good]
	}
	if n := len(input); n > 0 {
		text += fmt.Sprintf("; %s", input[0].Text)
	}
	return tx.AppendEvent(ctx, &tracking.Event{ID: r.c.IDs.Next(), At: r.now, Kind: tracking.EventProcessed, TransmissionID: t.ID, Partner: t.Partner, Text: text})
}

func (r *recording) verdictEvent(d *tracking.Document) *tracking.Event {
	if d.State == tracking.DocumentInvalid {
		return r.c.event(tracking.EventDocInvalid, d, fmt.Sprintf("%s %s is not accepted: %s", d.Type, d.Control, d.Error))
	}
	text := fmt.Sprintf("%s %s is good by guide %s", d.Type, d.Control, d.Guide)
	if d.Guide == "" {
		text = fmt.Sprintf("%s %s has no guide and was checked in its envelope only", d.Type, d.Control)
	}
	if d.Warnings > 0 {
		text += fmt.Sprintf(", with %d warnings", d.Warnings)
	}
	return r.c.event(tracking.EventDocValid, d, text)
}

// whyInvalid says in one sentence why a document goes no further.
func whyInvalid(i *validate.Interchange, g *validate.Group, d *validate.Document, o owner) string {
	switch {
	case o.stranger != "":
		return o.stranger
	case o.duplicate != 0:
		return fmt.Sprintf("interchange %s was accepted before (%s): nothing in a repetition goes on", i.Control, o.duplicate)
	}
	errs := 0
	first := ""
	for _, set := range [][]*validate.Issue{d.Issues, g.Issues, i.Issues} {
		for _, issue := range set {
			if issue.Severity == validate.Error {
				if errs++; first == "" {
					first = issue.Text
				}
			}
		}
	}
	if errs > 1 {
		return fmt.Sprintf("%s (and %d more)", first, errs-1)
	}
	return first
}

func verdictOf(envelope bool, inside []bool) tracking.Verdict {
	good := 0
	for _, ok := range inside {
		if ok {
			good++
		}
	}
	switch {
	case !envelope && good == 0, len(inside) > 0 && good == 0:
		return tracking.VerdictRejected
	case envelope && good == len(inside):
		return tracking.VerdictAccepted
	}
	return tracking.VerdictPartial
}

func issuesOf(in []*validate.Issue) []tracking.Issue {
	var out []tracking.Issue
	for _, i := range in {
		out = append(out, tracking.Issue{
			Severity: string(i.Severity), Level: string(i.Level), Ack: i.Ack, Segment: i.Segment, Ordinal: i.Ordinal, Element: i.Element,
			Component: i.Component, Path: i.Path, Offset: i.Offset, Line: i.Line, Value: i.Value, Text: i.Text,
		})
	}
	return out
}

func keysOf(in []validate.Key) []tracking.Key {
	var out []tracking.Key
	for _, k := range in {
		out = append(out, tracking.Key(k))
	}
	return out
}

// version returns the version of a document: the group's in X12, its own in EDIFACT.
func version(g *validate.Group, d *validate.Document) string {
	if d.Version != "" {
		return d.Version
	}
	return g.Version
}

// envelopeDate reads date and time of an interchange header; zero when they
// cannot be read.
func envelopeDate(date, clock string) time.Time {
	for _, layout := range []string{"0601021504", "200601021504"} {
		if t, err := time.Parse(layout, date+clock); err == nil {
			return t
		}
	}
	return time.Time{}
}
