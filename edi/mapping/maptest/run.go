package maptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"tradepost/edi"
	"tradepost/edi/edifact"
	"tradepost/edi/mapping"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
	"tradepost/edi/x12"
)

// Runner runs cases against one catalog of guides.
type Runner struct {
	catalog *schema.Catalog
	library *mapping.Library
}

// NewRunner returns a runner. It may be used by several goroutines.
func NewRunner(catalog *schema.Catalog) *Runner {
	return &Runner{catalog, mapping.NewLibrary(catalog)}
}

// Difference is one way in which a map does not do what a case says.
type Difference struct {
	Section string // of the case
	Line    int    // where it begins in the text of the case, 0 when it is not there
	Text    string // a line each: - what is missing, + what is too much
}

// Result is what came of a case.
type Result struct {
	Differences []Difference // none when it passed

	c      *Case
	actual []section // as they should be for the case to pass
}

// Passed tells whether the map did what the case says.
func (r *Result) Passed() bool { return len(r.Differences) == 0 }

// execution is one case being run.
type execution struct {
	*Result
	runner  Runner
	m       *mapping.Map
	way     mapping.Way
	guide   *schema.Guide // the case names
	opposed *schema.Guide // the documents were read with
	input   string
	control string         // number of the first document
	delims  edi.Delimiters // of the input
}

// Run runs one case. The error says why it cannot be run at all; what the map
// does differently is in the result.
func (r *Runner) Run(ctx context.Context, c *Case) (*Result, error) {
	x := &execution{Result: &Result{c: c}, runner: *r}
	if err := x.guides(); err != nil {
		return nil, err
	}
	problems, err := x.load()
	if err != nil {
		return nil, err
	}
	if _, ok := c.section("problems"); ok || len(problems) > 0 {
		x.lines("problems", problems)
		return x.Result, nil
	}
	s, _ := c.section("input")
	if err := x.prepare(s); err != nil {
		return nil, err
	}
	output, err := x.convert(ctx, "", x.way, x.input)
	if err != nil {
		return nil, err
	}
	wrote := strings.TrimSpace(output) != ""
	if c.Then != "" {
		return x.Result, x.then(ctx, output)
	}
	if _, ok := c.section("output"); ok || wrote {
		x.text("output", x.format(x.other()), output)
	}
	if back, ok := c.section("back"); ok {
		return x.Result, x.back(ctx, back, output)
	}
	return x.Result, nil
}

// guides lays the guides of the case over the shipped ones.
func (x *execution) guides() error {
	own := false
	for _, s := range x.c.sections {
		if s.name != "guide" {
			continue
		}
		if !own {
			x.runner.catalog, own = x.runner.catalog.Clone(), true
		}
		if _, err := x.runner.catalog.Add(x.c.File, []byte(strings.Repeat("\n", s.line-1)+s.text)); err != nil {
			return fmt.Errorf("the guide in case %s: %w", x.c.File, err)
		}
	}
	if own {
		x.runner.library = mapping.NewLibrary(x.runner.catalog)
	}
	if x.c.guide == "" {
		return nil
	}
	var err error
	if x.guide, err = x.runner.catalog.Guide(x.c.guide); err != nil {
		return fmt.Errorf("case %s: %w", x.c.File, err)
	}
	return nil
}

// load loads the map; problems are the mistakes it has.
func (x *execution) load() (problems []string, err error) {
	s, inline := x.c.section("map")
	if inline {
		files := memory{x.c.File: strings.Repeat("\n", s.line-1) + s.text}
		for _, f := range x.c.sections {
			if name, ok := strings.CutPrefix(f.name, "file "); ok {
				files[path.Join(path.Dir(x.c.File), name)] = f.text
			}
		}
		x.m, err = x.runner.library.Load(files, x.c.File)
	} else {
		x.m, err = x.named(x.c.Map)
	}
	var bad *mapping.LoadError
	if !errors.As(err, &bad) {
		if err != nil {
			err = fmt.Errorf("case %s: %w", x.c.File, err)
		}
		return nil, err
	}
	for _, p := range bad.Problems {
		text := p.Text
		if p.Hint != "" {
			text += "; " + p.Hint
		}
		name := ""
		if p.File != x.c.File {
			name = p.File + ":"
		}
		problems = append(problems, fmt.Sprintf("%s%d:%d: %s", name, p.Line, p.Column, text))
	}
	return problems, nil
}

// named loads a map that is shipped, or a file beside the case.
func (x *execution) named(name string) (*mapping.Map, error) {
	if path.Ext(name) != ".yaml" && path.Ext(name) != ".yml" {
		return x.runner.library.Map(name)
	}
	full := path.Join(path.Dir(x.c.File), name)
	if !fs.ValidPath(full) {
		return nil, fmt.Errorf("case %s: the map %s lies outside of what can be read", x.c.File, name)
	}
	return x.runner.library.Load(x.c.fsys, full)
}

// then runs the second map over what the first one made, and compares what is
// written in the end.
func (x *execution) then(ctx context.Context, output string) error {
	m, err := x.named(x.c.Then)
	if err != nil {
		return fmt.Errorf("case %s: %w", x.c.File, err)
	}
	way, ok := m.WayOf([]byte(output))
	if !ok && output != "" {
		return fmt.Errorf("case %s: map %s does not take what map %s makes", x.c.File, m.Name(), x.m.Name())
	}
	x.m, x.way, x.delims = m, way, edi.Delimiters{}
	got, err := x.convert(ctx, "back ", way, output)
	if err != nil {
		return err
	}
	x.text("output", x.format(x.other()), got)
	return nil
}

// prepare finds out which way to run and puts bare documents into an envelope.
func (x *execution) prepare(s section) error {
	x.input = s.text
	if x.c.format == mapping.JSON || !strings.HasSuffix(x.input, "\n\n") {
		x.input = strings.TrimSuffix(x.input, "\n")
	}
	head := []byte(x.input)
	way, ok := x.m.WayOf(head[:min(len(head), 4096)])
	switch x.c.way {
	case "forward":
		way = mapping.Forward
	case "backward":
		way = mapping.Backward
	default:
		if !ok {
			return &FormatError{x.c.File, s.line, fmt.Sprintf("map %s does not read this input", x.m.Name())}
		}
	}
	x.way = way
	if x.format(x.side()) != mapping.EDI {
		return nil
	}
	if begin := strings.TrimLeft(x.input, " \r\n"); strings.HasPrefix(begin, "ST") || strings.HasPrefix(begin, "UNH") {
		if err := x.wrap(begin, s); err != nil {
			return err
		}
	}
	h, err := edi.Peek([]byte(x.input))
	if err != nil {
		return fmt.Errorf("%s:%d: the input: %w", x.c.File, s.line, err)
	}
	x.control, x.delims = h.Document.Control, h.Delimiters
	return nil
}

// side and other are what the map reads and writes.
func (x *execution) side() mapping.Side {
	if x.way == mapping.Backward {
		return x.m.To()
	}
	return x.m.From()
}

func (x *execution) other() mapping.Side {
	if x.way == mapping.Backward {
		return x.m.From()
	}
	return x.m.To()
}

func (x *execution) format(s mapping.Side) mapping.Format {
	if s.IsEDI() {
		return mapping.EDI
	}
	return x.c.format
}

// wrap puts bare documents into one interchange.
func (x *execution) wrap(documents string, s section) error {
	g := x.guide
	if g == nil || !strings.HasPrefix(documents, "ST") == (g.Standard == schema.X12) {
		var err error
		if g, err = x.runner.catalog.Guide(x.side().Guides[0]); err != nil {
			return fmt.Errorf("case %s: %w", x.c.File, err)
		}
	}
	var out bytes.Buffer
	sender, receiver, when := edi.Party{Qualifier: "ZZ", ID: "SENDER"}, edi.Party{Qualifier: "ZZ", ID: "RECEIVER"}, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	count := 0
	if g.Standard == schema.X12 {
		d := x12.InForce(edi.DefaultX12(), x12.InterchangeVersion(g.Version))
		isa := x12.ISA{Sender: sender, Receiver: receiver, Version: x12.InterchangeVersion(g.Version), Control: "1"}
		isa.SetTime(when)
		header, err := isa.Append(nil, d)
		if err != nil {
			return err
		}
		out.Write(header)
		w := edi.NewWriter(&out, d, edi.WriterOptions{})
		gs := x12.GS{Type: g.Group, Sender: sender.ID, Receiver: receiver.ID, Control: "1", Version: g.Version}
		gs.SetTime(when)
		if err := errors.Join(gs.Write(w), w.Flush()); err != nil {
			return err
		}
		out.WriteString(documents)
		for l := range strings.SplitSeq(documents, "~") {
			if strings.HasPrefix(strings.TrimSpace(l), "ST*") {
				count++
			}
		}
		if err := errors.Join(x12.Trailer{Count: count, Control: "1"}.WriteGE(w), x12.Trailer{Count: 1, Control: "1"}.WriteIEA(w), w.Flush()); err != nil {
			return err
		}
		x.input = out.String()
		return nil
	}
	w := edi.NewWriter(&out, edi.DefaultEDIFACT(3), edi.WriterOptions{})
	unb := edifact.UNB{Syntax: "UNOY", Version: "3", Sender: sender, Receiver: receiver, Control: "1"}
	unb.SetTime(when)
	if err := errors.Join(unb.Write(w), w.Flush()); err != nil {
		return err
	}
	out.WriteString(documents)
	for l := range strings.SplitSeq(documents, "'") {
		if strings.HasPrefix(strings.TrimSpace(l), "UNH+") {
			count++
		}
	}
	if err := errors.Join(edifact.Trailer{Count: count, Control: "1"}.WriteUNZ(w), w.Flush()); err != nil {
		return err
	}
	x.input = out.String()
	return nil
}

// convert runs the map and compares what it reports; kind is "back " on the
// way back.
func (x *execution) convert(ctx context.Context, kind string, way mapping.Way, input string) (string, error) {
	var out bytes.Buffer
	var faults, left, issues []string
	o := mapping.Options{
		Way: way, Form: x.c.format, Guide: x.guide, Validate: validate.Options{Catalog: x.runner.catalog},
		Envelope: mapping.Envelope{Bare: true, LineEnd: "\n", Document: x.control, Charset: "UNOY"},
		OnDocument: func(d *mapping.Document) error {
			for _, f := range d.Faults {
				faults = append(faults, faultLine(f))
			}
			if d.Skipped != "" {
				faults = append(faults, d.Skipped)
			}
			for _, l := range d.Left {
				left = append(left, leftLine(l))
			}
			for _, i := range d.Issues {
				if i.Severity == validate.Error {
					issues = append(issues, fmt.Sprintf("segment %d: %s", i.Ordinal, i.Text))
				}
			}
			if g, err := x.runner.catalog.Guide(d.Guide); err == nil && d.Guide != "" {
				x.opposed = g
			}
			return nil
		},
	}
	if kind != "" && x.guide == nil {
		o.Guide = x.opposed
	}
	writes := x.m.To()
	if way == mapping.Backward {
		writes = x.m.From()
	}
	o.Envelope.Delimiters = x.defaults(writes)
	if x.delims.Segment != 0 && kind != "" {
		o.Envelope.Delimiters = x.delims
		o.Envelope.Delimiters.SegmentTail = ""
	}
	if x.c.strict {
		o.Validate.Profile = validate.Strict
	}
	_, err := x.m.Convert(ctx, &out, strings.NewReader(input), o)
	if err != nil {
		faults = append(faults, strings.Split(err.Error(), "\n")...)
	}
	x.lines(kind+"faults", faults)
	if !x.c.anyLeft {
		x.lines(kind+"left", left)
	}
	if kind == "" {
		x.lines("issues", issues)
	}
	return out.String(), nil
}

// defaults are the delimiters of the standard a side is written in: those of
// syntax 3 in EDIFACT, which bare documents are read with, too.
func (x *execution) defaults(s mapping.Side) edi.Delimiters {
	if s.IsEDI() {
		if g, err := x.runner.catalog.Guide(s.Guides[0]); err == nil && g.Standard == schema.EDIFACT {
			return edi.DefaultEDIFACT(3)
		}
	}
	return edi.Delimiters{}
}

// back runs the map the other way.
func (x *execution) back(ctx context.Context, s section, output string) error {
	way := mapping.Backward
	if x.way == mapping.Backward {
		way = mapping.Forward
	}
	from, to := x.format(x.other()), x.format(x.side())
	if from == mapping.EDI {
		x.input = output
		whole := x.way
		x.way = way
		err := x.wrap(output, s)
		x.way = whole
		if err != nil {
			return err
		}
		output = x.input
	}
	got, err := x.convert(ctx, "back ", way, output)
	if err != nil {
		return err
	}
	if strings.TrimSpace(s.text) != "same" {
		x.text("back", to, got)
		return nil
	}
	in, _ := x.c.section("input")
	want := in.text
	if to == mapping.EDI {
		if want, err = x.documents(); err != nil {
			return err
		}
	}
	if d := compare(to, want, got); d != "" {
		x.Differences = append(x.Differences, Difference{"back", s.line, d})
		x.actual = append(x.actual, section{name: "back", text: got})
	}
	return nil
}

// documents are those of the input, a line a segment.
func (x *execution) documents() (string, error) {
	in, _ := x.c.section("input")
	if begin := strings.TrimLeft(in.text, " \r\n"); strings.HasPrefix(begin, "ST") || strings.HasPrefix(begin, "UNH") {
		return in.text, nil
	}
	list, err := segments(in.text)
	return strings.Join(list, "\n"), err
}

// text compares the text of a section.
func (x *execution) text(name string, f mapping.Format, got string) {
	s, ok := x.c.section(name)
	x.actual = append(x.actual, section{name: name, text: got})
	if !ok && strings.TrimSpace(got) == "" {
		return
	}
	if !ok {
		x.Differences = append(x.Differences, Difference{name, 0, diff(nil, strings.Split(strings.TrimRight(got, "\n"), "\n"))})
		return
	}
	if d := compare(f, s.text, got); d != "" {
		x.Differences = append(x.Differences, Difference{name, s.line, d})
	}
}

// lines compares a section whose lines stand for those that contain them.
func (x *execution) lines(name string, got []string) {
	s, _ := x.c.section(name)
	want := textLines(s.text)
	shown := make([]string, len(got))
	for i, g := range got {
		shown[i] = g
		for k, w := range want {
			if strings.Contains(g, w) {
				shown[i] = w
				want = append(append([]string{}, want[:k]...), want[k+1:]...)
				break
			}
		}
	}
	want = textLines(s.text)
	if d := diff(want, shown); d != "" {
		x.Differences = append(x.Differences, Difference{name, s.line, d})
	}
	x.actual = append(x.actual, section{name: name, text: strings.Join(shown, "\n")})
}

// faultLine shows a fault without what changes when the case is edited: byte
// offsets and lines of the map.
func faultLine(f mapping.Fault) string {
	text := f.Text
	if where := where(f.Source); where != "" {
		text = where + ": " + text
	}
	if f.Target != "" {
		text += "; it goes to " + f.Target
	}
	return text
}

// leftLine shows a value that stays behind.
func leftLine(f mapping.Fault) string {
	text := fmt.Sprintf("%s %q", where(f.Source), f.Source.Value)
	if !strings.HasPrefix(f.Text, "no line") {
		text += ": " + f.Text
	}
	return text
}

func where(l mapping.Location) string {
	switch {
	case l.Segment == "":
		return l.Path
	case l.Component > 0:
		return fmt.Sprintf("segment %d, %s%02d-%d", l.Ordinal, l.Segment, l.Element, l.Component)
	case l.Element > 0:
		return fmt.Sprintf("segment %d, %s%02d", l.Ordinal, l.Segment, l.Element)
	}
	return fmt.Sprintf("segment %d, %s", l.Ordinal, l.Segment)
}
