package ack_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tradepost/edi"
	"tradepost/edi/ack"
	"tradepost/edi/edifact"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
	"tradepost/edi/x12"
)

// inputs are the real files of $TRADEPOST_CORPUS and our own cases.
func inputs(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	cases, err := filepath.Glob("../validate/testdata/*.case")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range cases {
		text := readFile(t, file)
		_, text, _ = bytes.Cut(text, []byte("-- input --\n"))
		text, _, _ = bytes.Cut(text, []byte("\n-- "))
		out[filepath.Base(file)] = text
	}
	root := os.Getenv("TRADEPOST_CORPUS")
	if root == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("TRADEPOST_CORPUS is not set; with CI=true the corpus has to be there")
		}
		t.Log("TRADEPOST_CORPUS is not set: the corpus of real files is left out")
		return out
	}
	err = filepath.WalkDir(filepath.Join(root, "edi"), func(file string, d fs.DirEntry, err error) error {
		if d.IsDir() && d.Name() == "unece-directories" {
			return fs.SkipDir
		}
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(root, file)
			out[filepath.ToSlash(name)] = readFile(t, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func readFile(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestAnswersAreValidAndReadBack: whatever came in, our 997, 999 and CONTRL
// have no fault in the strict profile, and say when read what the report said.
func TestAnswersAreValidAndReadBack(t *testing.T) {
	t.Parallel()
	catalog := schema.Shipped()
	answered := 0
	for name, input := range inputs(t) {
		report, err := validate.Validate(t.Context(), bytes.NewReader(input), validate.Options{Catalog: catalog})
		if err != nil {
			t.Fatal(err)
		}
		for _, ic := range report.Interchanges {
			if ic.From.ID == "" || ic.To.ID == "" || ic.Control == "" {
				continue // nobody to answer, or nothing to name it by
			}
			if ic.Standard == edi.EDIFACT.String() {
				answered += contrlHolds(t, name, catalog, ic)
				continue
			}
			for _, g := range ic.Groups {
				for _, kind := range []ack.Kind{ack.FA997, ack.FA999} {
					answered += functionalHolds(t, name, catalog, kind, ic, g)
				}
			}
		}
	}
	if answered < 100 {
		t.Errorf("%d answers only", answered)
	}
}

func day() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

func functionalHolds(t *testing.T, name string, catalog *schema.Catalog, kind ack.Kind, ic *validate.Interchange, g *validate.Group) int {
	t.Helper()
	f, err := ack.Answer(kind, ic, g, ack.Options{})
	if errors.Is(err, ack.ErrNotAcknowledged) {
		return 0
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return 0
	}
	document, err := f.Bytes("0001")
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return 0
	}
	out := x12.Interchange{ISA: f.Envelope.ISA, Delimiters: f.Envelope.Delimiters, TA1: []x12.TA1{}}
	out.ISA.Control = "1"
	out.ISA.SetTime(day())
	gs := f.Envelope.GS
	gs.Control = "1"
	gs.SetTime(day())
	gs.Sender, gs.Receiver = cmp.Or(gs.Sender, "UNKNOWN"), cmp.Or(gs.Receiver, "UNKNOWN")
	out.Groups = []x12.Group{{GS: gs, Documents: []x12.Document{{Bytes: document}}}}
	var b bytes.Buffer
	if err := out.Write(&b); err != nil {
		t.Errorf("%s: %v", name, err)
		return 0
	}
	strictly(t, name, catalog, ic, b.Bytes())
	list, err := ack.Read(&b)
	if err != nil || len(list) != 1 {
		t.Errorf("%s: %s read back as %+v, %v", name, kind, list, err)
		return 0
	}
	a := list[0]
	if a.Kind != kind || a.Status != f.Status || len(a.Documents) != len(g.Documents) || a.Received != len(g.Documents) {
		t.Errorf("%s: %s says %s of %d documents, read back %s of %d", name, kind, f.Status, len(g.Documents), a.Status, len(a.Documents))
		return 0
	}
	for i, d := range g.Documents {
		want := g.Accepted && d.Accepted
		if got := a.Documents[i].Status; (got == ack.Accepted) != want {
			t.Errorf("%s: %s: document %s is %v, read back %q", name, kind, d.Control, want, got)
		}
		sameFaults(t, name+" "+string(kind)+" "+d.Control, faultsOf(d, kind, f.Envelope.GS.Version), a.Documents[i].Issues)
	}
	return 1
}

// faultsOf lists what an acknowledgement has to say about a document.
func faultsOf(d *validate.Document, kind ack.Kind, release string) []string {
	var out []string
	for _, is := range d.Issues {
		code := is.Ack
		if is.Severity != validate.Error || !strings.HasPrefix(code, "AK3") && !strings.HasPrefix(code, "AK4") {
			continue
		}
		if kind == ack.FA999 && is.Code999 != "" {
			code = code[:strings.IndexByte(code, '=')+1] + is.Code999
		}
		if kind == ack.FA997 && release < "005010" && (code == "AK403=12" || code == "AK403=13") {
			code = "AK403=3"
		}
		out = append(out, fmt.Sprintf("%s %d.%d.%d", code, is.Ordinal, is.Element, is.Component))
	}
	slices.Sort(out)
	return out
}

func sameFaults(t *testing.T, name string, want []string, issues []ack.Issue) {
	t.Helper()
	var got []string
	for _, is := range issues {
		got = append(got, fmt.Sprintf("%s %d.%d.%d", is.Code, is.Ordinal, is.Element, is.Component))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%s: read back %q, want %q", name, got, want)
	}
}

func contrlHolds(t *testing.T, name string, catalog *schema.Catalog, ic *validate.Interchange) int {
	t.Helper()
	c, err := ack.NewContrl(ic, ack.Options{})
	if errors.Is(err, ack.ErrNotAcknowledged) {
		return 0
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return 0
	}
	document, err := c.Bytes("1")
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return 0
	}
	out := edifact.Interchange{UNB: c.UNB, Delimiters: c.Delimiters, Documents: []edifact.Document{{Bytes: document}}}
	out.UNB.Control = "1"
	out.UNB.SetTime(day())
	var b bytes.Buffer
	if err := out.Write(&b); err != nil {
		t.Errorf("%s: %v", name, err)
		return 0
	}
	strictly(t, name, catalog, ic, b.Bytes())
	list, err := ack.Read(&b)
	if err != nil || len(list) != 1 {
		t.Errorf("%s: CONTRL read back as %+v, %v", name, list, err)
		return 0
	}
	a := list[0]
	if a.About != ic.Control || a.Status != c.Status {
		t.Errorf("%s: CONTRL about %q is %s, read back about %q %s", name, ic.Control, c.Status, a.About, a.Status)
	}
	listed := a.Documents
	for _, g := range ic.Groups {
		if slices.Contains(a.GroupRejected, g.Control) == g.Accepted && ic.Accepted && g.Control != "" {
			t.Errorf("%s: group %s is %v, read back %q", name, g.Control, g.Accepted, a.GroupRejected)
		}
		for _, d := range g.Documents {
			if d.Type == "UNO" || d.Accepted && !(ic.Accepted && g.Accepted) {
				continue // of what is refused above, only the refused ones are listed
			}
			if len(listed) == 0 {
				t.Errorf("%s: message %s is not listed", name, d.Control)
				break
			}
			if got := listed[0]; (got.Status == ack.Accepted) != d.Accepted {
				t.Errorf("%s: message %s is %v, read back %q", name, d.Control, d.Accepted, got.Status)
			}
			listed = listed[1:]
		}
	}
	return 1
}

// broken tells that a type or control number that an acknowledgement repeats is
// not of its form.
func broken(ic *validate.Interchange) bool {
	for _, g := range ic.Groups {
		issues := g.Issues
		for _, d := range g.Documents {
			issues = append(issues, d.Issues...)
		}
		for _, is := range issues {
			if slices.Contains([]string{"AK905=1", "AK905=6", "AK502=6", "AK502=7"}, is.Ack) {
				return true
			}
		}
	}
	return false
}

// strictly validates what we wrote: neither fault nor waiver.
func strictly(t *testing.T, name string, catalog *schema.Catalog, ic *validate.Interchange, text []byte) {
	t.Helper()
	r, err := validate.Validate(t.Context(), bytes.NewReader(text), validate.Options{Catalog: catalog, Profile: validate.Strict})
	if err != nil {
		t.Fatal(err)
	}
	for _, is := range r.All() {
		if is.Rule == "character-set-name" {
			continue // theirs, which both agreed on
		}
		if header := is.Segment == "ISA" || is.Segment == "UNB"; header && !ic.Accepted || (is.Segment == "AK1" || is.Segment == "AK2") && broken(ic) {
			continue // a copy of what was wrong in theirs
		}
		t.Errorf("%s: our answer: %s %s %s#%d.%d %s", name, is.Severity, is.Ack, is.Segment, is.Ordinal, is.Element, is.Text)
	}
}
