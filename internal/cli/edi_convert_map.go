package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"tradepost/edi"
	"tradepost/edi/mapping"
	"tradepost/edi/validate"

	"github.com/spf13/cobra"
)

// mapConversion is the part of edi convert that runs maps.
type mapConversion struct {
	maps             []string
	backward         bool
	bare, test       bool
	sender, receiver string
	groups           [2]string
	control          string
	group, document  string
	charset          string
	lineEnd          string
	delimiters       string
	convention       string
	limit            int

	shown int // faults and values printed
	more  int // those beyond the limit
}

func (m *mapConversion) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&m.maps, "map", nil, "`MAP` to run: a name such as x12/850, or a .yaml file; a second one takes what the first made")
	f.BoolVar(&m.backward, "backward", false, "run the map from its to side to its from side, whatever the input looks like")
	f.BoolVar(&m.bare, "bare", false, "write documents without interchange and group")
	f.StringVar(&m.sender, "sender", "", "sender of the interchange as `QUALIFIER:ID`, or the id alone")
	f.StringVar(&m.receiver, "receiver", "", "receiver, likewise")
	f.StringVar(&m.groups[0], "group-sender", "", "`ID` in GS02; that of the sender when left out")
	f.StringVar(&m.groups[1], "group-receiver", "", "`ID` in GS03; that of the receiver when left out")
	f.StringVar(&m.control, "control", "", "`NUMBER` of the interchange")
	f.StringVar(&m.group, "group-control", "", "`NUMBER` of the group; that of the interchange when left out")
	f.StringVar(&m.document, "document-control", "", "`NUMBER` of the first document; the others count up from it")
	f.BoolVar(&m.test, "test", false, "mark the interchange as a test")
	f.StringVar(&m.charset, "charset", "", "character `SET` of an EDIFACT interchange, UNOA to UNOY; UNOC when left out")
	f.StringVar(&m.convention, "convention", "", "`TEXT` of ST03, or of the association's code in UNH (EAN008)")
	f.StringVar(&m.delimiters, "delimiters", "", "`CHARACTERS` that delimit: element, component, segment and, if there is one, repetition, as in '*:~^'")
	f.StringVar(&m.lineEnd, "line-end", "lf", "line end behind each segment: `lf`, crlf or none")
	f.IntVar(&m.limit, "max-issues", 1000, "`NUMBER` of issues to print; the others are counted")
}

// mapFlags are those that say nothing without --map.
func mapFlags() []string {
	return []string{"backward", "bare", "sender", "receiver", "group-sender", "group-receiver", "control", "group-control", "document-control", "test", "charset", "convention", "delimiters", "line-end", "max-issues"}
}

func (m *mapConversion) check(cmd *cobra.Command) error {
	if len(m.maps) == 0 {
		for _, name := range mapFlags() {
			if cmd.Flags().Changed(name) {
				return usage(cmd, fmt.Errorf("--%s goes with --map", name))
			}
		}
		return nil
	}
	switch {
	case len(m.maps) > 2:
		return usage(cmd, errors.New("--map is given once, or twice to turn one kind of EDI into another"))
	case len(m.maps) == 2 && m.backward:
		return usage(cmd, errors.New("--backward goes with one --map; of two, the first reads EDI and the second writes it"))
	case m.limit < 1:
		return usage(cmd, fmt.Errorf("--max-issues %d: at least 1", m.limit))
	}
	return nil
}

// run converts an input through one map or two.
func (m *mapConversion) run(cmd *cobra.Command, env *Env, in io.Reader, to mapping.Format, o validate.Options) error {
	library := mapping.NewLibrary(o.Catalog)
	var maps []*mapping.Map
	for _, name := range m.maps {
		one, err := openMap(env, library, name)
		if err != nil {
			return err
		}
		maps = append(maps, one)
	}
	r := bufio.NewReaderSize(in, 64<<10)
	head, err := peekText(r)
	if err != nil {
		return err
	}
	if len(head) == 0 {
		return exit(ExitInvalid, "there is no document in the input: it is empty")
	}
	noForm := !strings.ContainsRune("{[<", rune(head[0]))
	found, notEDI := edi.Peek(head)
	if notEDI == nil && noForm {
		head = head[found.Offset:] // text before the interchange is passed over, as everywhere
	}
	way, ok := maps[0].WayOf(head)
	switch {
	case m.backward:
		way = mapping.Backward
	case !ok:
		return exit(ExitInvalid, "map %s does not read this input: it is for %s and %s", maps[0].Name(), sideWords(maps[0].From()), sideWords(maps[0].To()))
	case notEDI != nil && noForm && !sideOf(maps[0], way, true).IsEDI() && (len(maps) == 2 || to != mapping.EDI):
		return &ExitError{Code: ExitInvalid, Err: notEDI} // what was asked for is made of EDI
	}
	envelope, err := m.envelope(cmd, env)
	if err != nil {
		return err
	}
	if len(maps) == 2 && envelope.Sender.ID == "" && envelope.Receiver.ID == "" {
		if h, err := edi.Peek(head); err == nil {
			envelope.Sender, envelope.Receiver = h.Sender, h.Receiver
		}
	}
	options := mapping.Options{Way: way, Form: formOf(head), Validate: o, Envelope: envelope, OnDocument: m.report(env)}
	if len(maps) == 2 {
		return m.both(cmd, env, r, maps, to, options)
	}
	if err := writes(cmd, maps[0], way, to); err != nil {
		return err
	}
	if !sideOf(maps[0], way, false).IsEDI() {
		options.Form = to
	}
	if err := m.guide(cmd, maps[0], o, &options); err != nil {
		return err
	}
	sum, err := maps[0].Convert(cmd.Context(), env.Stdout, r, options)
	return m.verdict(cmd, env, sum, err)
}

// both runs a map from EDI to its form and another one from there to EDI, one
// document at a time.
func (m *mapConversion) both(cmd *cobra.Command, env *Env, in io.Reader, maps []*mapping.Map, to mapping.Format, o mapping.Options) error {
	first, second := sideOf(maps[0], o.Way, false), mapping.Backward
	if !maps[1].From().IsEDI() {
		second = mapping.Forward
	}
	middle := sideOf(maps[1], second, true)
	switch {
	case first.IsEDI() || middle.IsEDI() || first.Form.Name != middle.Form.Name:
		return usage(cmd, fmt.Errorf("the first map makes %s and the second takes %s: two maps need the same form between them", sideWords(first), sideWords(middle)))
	case to != mapping.EDI:
		return usage(cmd, fmt.Errorf("--to %s: two maps write EDI", to))
	}
	reading, writing := o, o
	reading.Form, writing.Form, writing.Way = mapping.JSONLines, mapping.JSONLines, second
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	pipe, out := io.Pipe()
	type outcome struct {
		sum mapping.Summary
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		sum, err := maps[0].Convert(ctx, out, in, reading)
		_ = out.CloseWithError(err) // io.EOF for the reader when err is nil
		done <- outcome{sum, err}
	}()
	sum, err := maps[1].Convert(ctx, env.Stdout, pipe, writing)
	if err != nil {
		stop()
	}
	_ = pipe.CloseWithError(err) // the writer ends, too
	read := <-done
	if read.err != nil && !errors.Is(read.err, io.ErrClosedPipe) && cmd.Context().Err() == nil && (err == nil || errors.Is(err, read.err)) {
		err = read.err
	}
	sum.Documents = read.sum.Documents
	sum.Failed += read.sum.Failed
	sum.Skipped += read.sum.Skipped
	sum.Invalid += read.sum.Invalid
	sum.Left += read.sum.Left
	return m.verdict(cmd, env, sum, err)
}

// sideOf is what a map reads or writes.
func sideOf(m *mapping.Map, way mapping.Way, reads bool) mapping.Side {
	if (way == mapping.Forward) == reads {
		return m.From()
	}
	return m.To()
}

// sideWords names a side for a person.
func sideWords(s mapping.Side) string {
	if s.IsEDI() {
		return strings.Join(s.Guides, ", ")
	}
	return "form " + s.Form.Name
}

// writes checks that a map can write what --to asks for.
func writes(cmd *cobra.Command, m *mapping.Map, way mapping.Way, to mapping.Format) error {
	side := sideOf(m, way, false)
	switch {
	case side.IsEDI() && to != mapping.EDI:
		return usage(cmd, fmt.Errorf("--to %s: map %s makes EDI (%s) of this input; write --to edi", to, m.Name(), sideWords(side)))
	case !side.IsEDI() && to == mapping.EDI:
		return usage(cmd, fmt.Errorf("--to edi: map %s makes %s of this input; write --to json, jsonl, xml or csv", m.Name(), sideWords(side)))
	}
	return nil
}

// guide takes --guide as that of the EDI that is written.
func (m *mapConversion) guide(cmd *cobra.Command, one *mapping.Map, o validate.Options, options *mapping.Options) error {
	side := sideOf(one, options.Way, false)
	if o.GuideFor == nil || !side.IsEDI() {
		return nil
	}
	for _, name := range side.Guides {
		named, err := o.Catalog.Guide(name)
		if err != nil {
			return err
		}
		if g := o.GuideFor(validate.Choice{Standard: named.Standard, Type: named.Type, Version: named.Version}); g != nil {
			options.Guide = g
			return nil
		}
	}
	if !sideOf(one, options.Way, true).IsEDI() {
		return usage(cmd, fmt.Errorf("--guide is not for what map %s writes: %s", one.Name(), sideWords(side)))
	}
	return nil
}

// formOf tells what documents of a form are written in.
func formOf(head []byte) mapping.Format {
	switch {
	case len(head) == 0, head[0] == '{', head[0] == '[':
		return mapping.JSON
	case head[0] == '<':
		return mapping.XML
	}
	return mapping.CSV
}

func (m *mapConversion) envelope(cmd *cobra.Command, env *Env) (mapping.Envelope, error) {
	e := mapping.Envelope{
		Bare: m.bare, Test: m.test, Time: env.Now(), Control: m.control, Group: m.group, Document: m.document,
		Sender: partyOf(m.sender), Receiver: partyOf(m.receiver), GroupSender: m.groups[0], GroupReceiver: m.groups[1],
		Charset: m.charset, Convention: m.convention,
	}
	switch m.lineEnd {
	case "lf":
		e.LineEnd = "\n"
	case "crlf":
		e.LineEnd = "\r\n"
	case "none":
	default:
		return e, usage(cmd, fmt.Errorf("--line-end %s is not known: write lf, crlf or none", m.lineEnd))
	}
	if d := m.delimiters; d != "" {
		if len(d) < 3 || len(d) > 4 {
			return e, usage(cmd, fmt.Errorf("--delimiters %q: three or four characters are wanted, element, component, segment and repetition", d))
		}
		e.Delimiters = edi.Delimiters{Element: d[0], Component: d[1], Segment: d[2], Decimal: '.'}
		if len(d) == 4 {
			e.Delimiters.Repetition = d[3]
		}
	}
	return e, nil
}

// partyOf reads QUALIFIER:ID or ID.
func partyOf(s string) edi.Party {
	if qualifier, id, ok := strings.Cut(s, ":"); ok {
		return edi.Party{Qualifier: qualifier, ID: id}
	}
	return edi.Party{ID: s}
}

// report tells what was wrong with each document.
func (m *mapConversion) report(env *Env) func(*mapping.Document) error {
	return func(d *mapping.Document) error {
		name := fmt.Sprintf("document %d (%s)", d.Number, plain(strings.TrimSpace(d.Type+" "+d.Control)))
		if d.Skipped != "" {
			m.line(env, "%s: not converted: %s", name, d.Skipped)
		}
		for _, i := range d.Issues {
			m.line(env, "%s: %s at byte %d: %s", name, i.Severity, i.Offset, i.Text)
		}
		for _, f := range d.Faults {
			m.line(env, "%s: not converted: %s", name, f)
		}
		if d.Omitted > 0 {
			m.line(env, "%s: and %d faults more", name, d.Omitted)
		}
		for _, l := range d.Left {
			text := l.String()
			if l.Source.Value != "" {
				text += fmt.Sprintf(": %q", l.Source.Value)
			}
			m.line(env, "%s: left behind: %s", name, text)
		}
		return nil
	}
}

func (m *mapConversion) line(env *Env, format string, args ...any) {
	if m.shown++; m.shown > m.limit {
		m.more++
		return
	}
	env.say("%s", plain(fmt.Sprintf(format, args...)))
}

// verdict sums up, and chooses the exit code.
func (m *mapConversion) verdict(cmd *cobra.Command, env *Env, sum mapping.Summary, err error) error {
	var lacks *mapping.EnvelopeError
	var one *mapping.OneWayError
	switch {
	case errors.As(err, &lacks):
		return usage(cmd, fmt.Errorf("the interchange to be written has no %s: give %s, or write bare documents with --bare", strings.Join(lacks.Missing, ", no "), envelopeFlags(lacks.Missing)))
	case errors.As(err, &one):
		return usage(cmd, err)
	case errors.Is(err, mapping.ErrInput):
		return &ExitError{Code: ExitInvalid, Err: err}
	case err != nil:
		return unreadable(err)
	}
	if m.more > 0 {
		env.say("... and %d more; --max-issues shows more of them", m.more)
	}
	if sum.Failed+sum.Skipped+sum.Invalid > 0 {
		text := fmt.Sprintf("%s in the input, %d written", count(sum.Documents, "document"), sum.Written)
		for _, c := range []struct {
			n    int
			what string
		}{{sum.Failed, "could not be mapped"}, {sum.Skipped, "not for this map"}, {sum.Invalid, "not valid under its guide"}} {
			if c.n > 0 {
				text += fmt.Sprintf(", %d %s", c.n, c.what)
			}
		}
		return exit(ExitInvalid, "%s", text)
	}
	if sum.Documents == 0 {
		return exit(ExitInvalid, "there is no document in the input")
	}
	return nil
}

// envelopeFlags names the flags that give what is missing.
func envelopeFlags(missing []string) string {
	var flags []string
	for _, name := range missing {
		flags = append(flags, "--"+strings.TrimSuffix(name, " number"))
	}
	return strings.Join(flags, ", ")
}
