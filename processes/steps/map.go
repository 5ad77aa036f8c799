package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"tradepost/edi"
	"tradepost/edi/mapping"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
	"tradepost/partners"
	"tradepost/processes"
	"tradepost/tracking"

	"golang.org/x/sync/errgroup"
)

// Map is the step between EDI and the forms a back office works with. Over a
// document it turns what extract cut out into the form agreed for it; over a
// transmission it turns what the back office handed over into documents. Where
// nothing was agreed, or EDI comes already, everything stays as it is.
type Map struct{ c Config }

// NewMap returns the step.
func NewMap(c Config) *Map { return &Map{c} }

// Name implements processes.Step.
func (*Map) Name() string { return "map" }

// Run implements processes.Step.
func (s *Map) Run(ctx context.Context, x *processes.Execution) (processes.Result, error) {
	if x.Run.DocumentID != 0 {
		return s.toForm(ctx, x)
	}
	return s.toEDI(ctx, x)
}

// toForm maps the parcel of one document.
func (s *Map) toForm(ctx context.Context, x *processes.Execution) (processes.Result, error) {
	d, err := s.c.document(ctx, x)
	if err != nil {
		return processes.Result{}, err
	}
	agreement, err := s.c.Directory.Partnership(d.Partner)
	if err != nil {
		return processes.Result{}, processes.Permanent(err)
	}
	rule, _ := agreement.Rule(partners.Inbound, d.Type)
	m := s.c.Maps.For(rule)
	if m == nil {
		return processes.Result{Detail: "the back office gets EDI"}, nil
	}
	parcel, err := processes.ParcelOf(x.Run)
	if err != nil {
		return processes.Result{}, err
	}
	made, out, err := s.convert(ctx, m, parcel.Content, mapping.Options{
		Way: mapWay(m, partners.Inbound), Form: format(rule), Guide: s.c.Guides.For(rule, d.Version),
		Validate: validate.Options{Profile: validate.Profile(agreement.Profile), Catalog: s.c.Guides.Catalog()},
	})
	if err != nil {
		return processes.Result{}, err
	}
	if out.documents != 1 || len(out.bad) > 0 {
		return processes.Result{}, processes.Permanent(fmt.Errorf("map %s cannot turn it into %s: %s", m.Name(), format(rule), out.failure()))
	}
	parcel.Content = made
	parcel.ContentType, parcel.Filename = formType(format(rule)), strings.TrimSuffix(parcel.Filename, ".edi")+"."+string(format(rule))
	if err := processes.PutParcel(x.Run, parcel); err != nil {
		return processes.Result{}, err
	}
	text := fmt.Sprintf("mapped by %s to %s, %d bytes", m.Name(), strings.ToUpper(string(format(rule))), parcel.Content.Size) + out.leftBehind()
	return processes.Result{Detail: text, Commit: func(ctx context.Context, tx processes.Tx) error {
		return tx.AppendEvent(ctx, s.c.event(tracking.EventDocMapped, d, text))
	}}, nil
}

// Failed implements processes.Failer.
func (s *Map) Failed(ctx context.Context, tx processes.Tx, x *processes.Execution, reason error) error {
	if x.Run.DocumentID != 0 {
		return failed(ctx, tx, s.c, x, reason)
	}
	return s.refuse(ctx, tx, x.Run.TransmissionID, reason.Error())
}

// toEDI maps the content of a transmission that came from our own house.
func (s *Map) toEDI(ctx context.Context, x *processes.Execution) (processes.Result, error) {
	t, err := s.c.transmission(ctx, x)
	if err != nil {
		return processes.Result{}, err
	}
	agreement, rule, agreed := s.c.Directory.Supplies(t.Connection)
	if !agreed || t.Content.None() {
		return processes.Result{Detail: "the back office gives EDI"}, nil
	}
	if is, err := s.isEDI(ctx, t.Content); err != nil || is {
		return processes.Result{Detail: "it is EDI already"}, err
	}
	m := s.c.Maps.For(rule)
	partner, err := s.c.Directory.Partner(agreement.Partner)
	if err != nil {
		return processes.Result{}, processes.Permanent(err)
	}
	station := s.c.Directory.Station()
	if len(station.Identifiers) == 0 || len(partner.Identifiers) == 0 {
		return processes.Result{}, processes.Permanent(fmt.Errorf("a document for %s needs an EDI identifier on both sides: give `identifiers` under station and partner", partner.Name))
	}
	// The envelope only carries the documents to the next steps: envelope
	// gives each one of its own with the next control numbers.
	made, out, err := s.convert(ctx, m, t.Content, mapping.Options{
		Way: mapWay(m, partners.Outbound), Form: format(rule), Guide: s.c.Guides.Named(rule),
		Validate: validate.Options{Catalog: s.c.Guides.Catalog()},
		Envelope: mapping.Envelope{
			Sender: party(station.Identifiers[0]), Receiver: party(partner.Identifiers[0]),
			Time: t.CreatedAt, Control: "1", Test: agreement.Test, LineEnd: "\n",
		},
	})
	if err != nil {
		return processes.Result{}, err
	}
	note := mapped{Done: true}
	if good := out.documents - len(out.bad); good > 0 {
		note.Content = made
	}
	if err := note.put(x.Run); err != nil {
		return processes.Result{}, err
	}
	text := fmt.Sprintf("%d of %d documents mapped by %s to %s", out.documents-len(out.bad), out.documents, m.Name(), rule.Type) + out.leftBehind()
	if out.documents == 0 {
		text = fmt.Sprintf("there is no document in it that map %s could turn into a %s", m.Name(), rule.Type)
	}
	return processes.Result{Detail: text, Commit: func(ctx context.Context, tx processes.Tx) error {
		for _, b := range out.bad {
			if err := s.recordBad(ctx, tx, t, partner.Name, rule.Type, m, b); err != nil {
				return err
			}
		}
		if note.Content.None() {
			return s.refuse(ctx, tx, t.ID, text)
		}
		return tx.AppendEvent(ctx, &tracking.Event{ID: s.c.IDs.Next(), At: s.c.Now(), Kind: tracking.EventDocMapped, TransmissionID: t.ID, Partner: partner.Name, Text: text})
	}}, nil
}

// recordBad records a document of the back office that no EDI could be made
// of, with everything that was found, so that it can be found itself.
func (s *Map) recordBad(ctx context.Context, tx processes.Tx, t *tracking.Transmission, partner, documentType string, m *mapping.Map, b badDocument) error {
	d := &tracking.Document{
		ID: s.c.IDs.Next(), Direction: tracking.Outbound, Partner: partner, Standard: ediSide(m, s.c.Guides), Type: documentType, SourceID: t.ID,
		Payload: t.Content, Length: t.Content.Size, State: tracking.DocumentInvalid, Ack: tracking.AckNone, Errors: len(b.issues),
		Error:     fmt.Sprintf("document %d of %s: map %s cannot make a %s of it: %s", b.number, t.Filename, m.Name(), documentType, b.why),
		CreatedAt: s.c.Now(), UpdatedAt: s.c.Now(),
	}
	if err := tx.InsertDocument(ctx, d); err != nil {
		return err
	}
	if err := tx.InsertIssues(ctx, 0, d.ID, b.issues); err != nil {
		return err
	}
	return tx.AppendEvent(ctx, s.c.event(tracking.EventDocInvalid, d, d.Error))
}

// refuse marks a transmission of the back office of which nothing goes on. It
// is kept, and shows as failed until somebody has looked.
func (s *Map) refuse(ctx context.Context, tx processes.Tx, id tracking.ID, why string) error {
	t, err := tx.Transmission(ctx, id)
	if err != nil {
		return err
	}
	t.State, t.Error, t.CompletedAt = tracking.TransmissionFailed, why, s.c.Now()
	if err := tx.UpdateTransmission(ctx, t); err != nil {
		return err
	}
	return tx.AppendEvent(ctx, &tracking.Event{
		ID: s.c.IDs.Next(), At: s.c.Now(), Kind: tracking.EventUnreadable, TransmissionID: id, Partner: t.Partner, Text: "the content cannot be mapped and is kept: " + why,
	})
}

// isEDI tells whether a payload begins as an interchange does.
func (s *Map) isEDI(ctx context.Context, p tracking.Payload) (bool, error) {
	r, err := s.c.Archive.Open(ctx, p)
	if err != nil {
		return false, err
	}
	defer r.Close()
	head, err := io.ReadAll(io.LimitReader(r, 4096))
	if err != nil {
		return false, err
	}
	_, notEDI := edi.Peek(head)
	return notEDI == nil, nil
}

// conversion is what became of the documents of a payload.
type conversion struct {
	documents int
	bad       []badDocument
	left      int    // values the map does not carry
	firstLeft string // one of them
}

// badDocument is one that could not be written.
type badDocument struct {
	number int // in the payload, from 1
	why    string
	issues []tracking.Issue
}

// convert runs a map over a payload and archives what it writes. What is wrong
// with the payload is an error that trying again does not cure.
func (s *Map) convert(ctx context.Context, m *mapping.Map, p tracking.Payload, o mapping.Options) (tracking.Payload, *conversion, error) {
	payload, err := s.c.Archive.Open(ctx, p)
	if err != nil {
		return tracking.Payload{}, nil, err
	}
	defer payload.Close()
	out := &conversion{}
	o.OnDocument = func(d *mapping.Document) error {
		out.add(d)
		return nil
	}
	in := &watched{r: payload}
	r, w := io.Pipe()
	var archiving errgroup.Group
	var made tracking.Payload
	archiving.Go(func() (err error) {
		made, err = s.c.Archive.Put(ctx, r)
		return errors.Join(err, r.CloseWithError(err))
	})
	_, err = m.Convert(ctx, w, in, o)
	_ = w.CloseWithError(err) // never fails
	kept := archiving.Wait()
	switch {
	case err == nil:
		return made, out, kept
	case in.err != nil, ctx.Err() != nil, kept != nil && !errors.Is(kept, err):
		return made, nil, errors.Join(err, in.err)
	}
	return made, nil, processes.Permanent(fmt.Errorf("map %s: %w", m.Name(), err))
}

// watched notes that the archive itself failed.
type watched struct {
	r   io.Reader
	err error
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

func (c *conversion) add(d *mapping.Document) {
	c.documents++
	if c.left += len(d.Left); c.firstLeft == "" && len(d.Left) > 0 {
		c.firstLeft = d.Left[0].String()
	}
	if d.Written {
		return
	}
	b := badDocument{number: d.Number, why: d.Skipped}
	for _, f := range d.Faults {
		b.issues = append(b.issues, tracking.Issue{
			Severity: string(validate.Error), Level: tracking.LevelMap, Segment: f.Source.Segment, Ordinal: f.Source.Ordinal, Element: f.Source.Element,
			Component: f.Source.Component, Path: f.Source.Path, Offset: f.Source.Offset, Value: f.Source.Value, Text: faultText(f),
		})
	}
	switch n := len(d.Faults) + d.Omitted; {
	case n == 1:
		b.why = d.Faults[0].String()
	case n > 1:
		b.why = fmt.Sprintf("%s (and %d more)", d.Faults[0], n-1)
	}
	c.bad = append(c.bad, b)
}

// faultText says what is wrong, where it was to go and which line of the map
// says so; where it stands is told beside it.
func faultText(f mapping.Fault) string {
	text := f.Text
	if f.Target != "" {
		text += "; it goes to " + f.Target
	}
	if f.Line > 0 {
		text += fmt.Sprintf(" (%s, line %d)", f.File, f.Line)
	}
	return text
}

// failure says in one sentence why not exactly one document was written.
func (c *conversion) failure() string {
	switch {
	case len(c.bad) > 0:
		return c.bad[0].why
	case c.documents == 0:
		return "no document is in it"
	}
	return fmt.Sprintf("%d documents are in it where one is wanted", c.documents)
}

// leftBehind tells what the map did not carry, which nobody would know otherwise.
func (c *conversion) leftBehind() string {
	switch c.left {
	case 0:
		return ""
	case 1:
		return "; left behind: " + c.firstLeft
	}
	return fmt.Sprintf("; %d values left behind, the first: %s", c.left, c.firstLeft)
}

// format is that of the form of a rule.
func format(rule partners.DocumentRule) mapping.Format {
	if rule.Format == "" {
		return mapping.JSON
	}
	return mapping.Format(rule.Format)
}

// formType returns the media type of a format.
func formType(f mapping.Format) string {
	switch f {
	case mapping.XML:
		return "application/xml"
	case mapping.CSV:
		return "text/csv"
	}
	return "application/json"
}

// ediSide names the standard of the side of a map that is EDI.
func ediSide(m *mapping.Map, g *Guides) string {
	side := m.From()
	if !side.IsEDI() {
		side = m.To()
	}
	if guide, err := g.catalog.Guide(side.Guides[0]); err == nil && guide.Standard == schema.EDIFACT {
		return edi.EDIFACT.String()
	}
	return edi.X12.String()
}

// mapped is what the step notes in the run of a transmission: the documents it
// made, in an interchange of their own.
type mapped struct {
	Done    bool             `json:"mapped"`
	Content tracking.Payload `json:"content"`
}

func (m mapped) put(r *processes.Run) (err error) {
	r.Vars, err = json.Marshal(m)
	return err
}

// content is what the steps behind map work on: the documents it made, or the
// content of the transmission as it came. It is none when all were refused.
func content(r *processes.Run, t *tracking.Transmission) (tracking.Payload, error) {
	var m mapped
	if len(r.Vars) > 0 {
		if err := json.Unmarshal(r.Vars, &m); err != nil {
			return t.Content, processes.Permanent(fmt.Errorf("variables of run %s: %w", r.ID, err))
		}
	}
	if m.Done {
		return m.Content, nil
	}
	return t.Content, nil
}
