package validate_test

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tradepost/edi/ack"
	"tradepost/edi/edifact"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
	"tradepost/edi/x12"
)

var update = flag.Bool("update", false, "write the golden sections anew")

// A case is a text file of sections, each begun by a line "-- name --":
//
//	options   words: strict, catalog (the guide sections are laid over the shipped ones)
//	guide     a guide or dictionary text; may occur several times
//	input     the interchange, its last line end left out
//	issues    one line an issue, made by the test
//	keys      business keys, one line a document
//	ack       the acknowledgements that answer it
//
// Adding a case is adding a file; go test -update fills in the rest.
type section struct{ name, text string }

var sectionLine = regexp.MustCompile(`(?m)^-- ([a-z]+) --\n`)

func readCase(t *testing.T, file string) []section {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []section
	at := sectionLine.FindAllSubmatchIndex(text, -1)
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		out = append(out, section{string(text[m[2]:m[3]]), string(text[m[1]:end])})
	}
	if len(at) == 0 {
		t.Fatalf("%s has no sections", file)
	}
	return out
}

func TestCases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.case")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	shipped := shippedOnce()
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".case"), func(t *testing.T) {
			t.Parallel()
			runCase(t, file, shipped)
		})
	}
}

func runCase(t *testing.T, file string, shipped *schema.Catalog) {
	sections := readCase(t, file)
	o := validate.Options{Catalog: shipped}
	var input string
	found := map[string]string{}
	for _, s := range sections {
		switch s.name {
		case "options":
			if strings.Contains(s.text, "strict") {
				o.Profile = validate.Strict
			}
		case "guide":
			if o.Catalog == shipped {
				o.Catalog = shipped.Clone()
			}
			f, err := o.Catalog.Add("guide section", []byte(s.text))
			if err != nil {
				t.Fatal(err)
			}
			if f.IsGuide {
				g, err := o.Catalog.Guide(f.Name)
				if err != nil {
					t.Fatal(err)
				}
				o.GuideFor = func(c validate.Choice) *schema.Guide {
					if c.Type == g.Type {
						return g
					}
					return nil
				}
			}
		case "input":
			input = strings.TrimSuffix(s.text, "\n")
		default:
			found[s.name] = s.text
		}
	}
	report, err := validate.Validate(t.Context(), strings.NewReader(input), o)
	if err != nil {
		t.Fatal(err)
	}
	got := []section{{"issues", issueLines(report)}, {"keys", keyLines(report)}, {"ack", ackLines(t, shipped, report)}}
	if *update {
		writeCase(t, file, sections, got)
		return
	}
	for _, s := range got {
		if found[s.name] != s.text {
			t.Errorf("%s of %s differ\ngot:\n%s\nwant:\n%s", s.name, file, s.text, found[s.name])
		}
	}
}

func writeCase(t *testing.T, file string, sections, got []section) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.Write(text[:sectionLine.FindIndex(text)[0]])
	for _, s := range sections {
		if s.name != "issues" && s.name != "keys" && s.name != "ack" {
			fmt.Fprintf(&b, "-- %s --\n%s", s.name, s.text)
		}
	}
	for _, s := range got {
		if s.text != "" {
			fmt.Fprintf(&b, "-- %s --\n%s", s.name, s.text)
		}
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func issueLines(r *validate.Report) string {
	var b strings.Builder
	for _, is := range r.All() {
		code := is.Ack
		if is.Code999 != "" {
			code += " (" + is.Code999 + ")"
		}
		place := fmt.Sprintf("%s#%d", is.Segment, is.Ordinal)
		if is.Element > 0 {
			place += fmt.Sprintf(".%d", is.Element)
		}
		if is.Component > 0 {
			place += fmt.Sprintf(".%d", is.Component)
		}
		if is.Repeat > 0 {
			place += fmt.Sprintf(" x%d", is.Repeat)
		}
		fmt.Fprintf(&b, "%s %s %s %s %s @%d line %d", is.Severity, is.Level, code, place, is.Path, is.Offset, is.Line)
		if is.Value != "" {
			fmt.Fprintf(&b, " %q", is.Value)
		}
		if is.Rule != "" {
			fmt.Fprintf(&b, " rule %s", is.Rule)
		}
		fmt.Fprintf(&b, "\n    %s\n", is.Text)
	}
	return b.String()
}

func keyLines(r *validate.Report) string {
	var b strings.Builder
	for _, ic := range r.Interchanges {
		for _, g := range ic.Groups {
			for _, d := range g.Documents {
				for _, k := range d.Keys {
					fmt.Fprintf(&b, "%s %s: %s %s\n", d.Type, d.Control, k.Name, k.Value)
				}
			}
		}
	}
	return b.String()
}

func ackLines(t *testing.T, shipped *schema.Catalog, r *validate.Report) string {
	t.Helper()
	var b bytes.Buffer
	for _, ic := range r.Interchanges {
		if ack.WantsTA1(ic) {
			text, err := ack.Interchange(ic).Bytes()
			if err != nil {
				t.Fatal(err)
			}
			b.Write(append(text, '\n'))
		}
		contrlLines(t, shipped, &b, ic)
		for i, g := range ic.Groups {
			f, err := ack.Answer(ack.Auto, ic, g, ack.Options{})
			if errors.Is(err, ack.ErrNotAcknowledged) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			text, err := f.Bytes(fmt.Sprintf("%04d", i+1))
			if err != nil {
				t.Fatal(err)
			}
			gs := f.Envelope.GS
			gs.Control, gs.Sender, gs.Receiver = "1", cmp.Or(gs.Sender, "UNKNOWN"), cmp.Or(gs.Receiver, "UNKNOWN")
			gs.SetTime(noon)
			wrapped := x12.Interchange{ISA: ack.Interchange(ic).Envelope.ISA, Delimiters: f.Envelope.Delimiters, Groups: []x12.Group{{GS: gs, Documents: []x12.Document{{Bytes: text}}}}}
			wrapped.ISA.Control = "1"
			wrapped.ISA.SetTime(noon)
			validAnswer(t, shipped, wrapped.Write)
			terminator := []byte{f.Envelope.Delimiters.Segment}
			b.Write(bytes.ReplaceAll(text, terminator, append(terminator, '\n')))
		}
	}
	return b.String()
}

func contrlLines(t *testing.T, shipped *schema.Catalog, b *bytes.Buffer, ic *validate.Interchange) {
	t.Helper()
	c, err := ack.NewContrl(ic, ack.Options{})
	if errors.Is(err, ack.ErrNotAcknowledged) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.Bytes("1")
	if err != nil {
		t.Fatal(err)
	}
	wrapped := edifact.Interchange{UNB: c.UNB, Delimiters: c.Delimiters, Documents: []edifact.Document{{Bytes: text}}}
	wrapped.UNB.Control = "1"
	wrapped.UNB.SetTime(noon)
	validAnswer(t, shipped, wrapped.Write)
	terminator := []byte{c.Delimiters.Segment}
	b.Write(bytes.ReplaceAll(text, terminator, append(terminator, '\n')))
}

//nolint:gochecknoglobals // a constant: Go has none of this type
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// validAnswer validates what we answer: our own acknowledgements have no
// fault, whatever came in.
func validAnswer(t *testing.T, shipped *schema.Catalog, write func(io.Writer) error) {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	r, err := validate.Validate(t.Context(), &b, validate.Options{Catalog: shipped})
	if err != nil {
		t.Fatal(err)
	}
	for _, is := range r.All() {
		switch is.Segment {
		case "AK1", "AK2", "UCI", "UCF", "UCM": // copies of what the sender wrote, right or wrong
			continue
		}
		if is.Severity == validate.Error && is.Level != validate.LevelInterchange {
			t.Errorf("our acknowledgement: %s %s#%d.%d %s", is.Ack, is.Segment, is.Ordinal, is.Element, is.Text)
		}
	}
}
