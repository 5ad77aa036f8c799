package dictionary_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"tradepost/edi/dictionary"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// x12 wraps documents of one type, their segments joined by ~, into an
// interchange.
func x12(kind, version string, documents ...string) string {
	var b strings.Builder
	b.WriteString("ISA*00*          *00*          *ZZ*ALICE          *ZZ*BOB            *260301*1200*U*00401*000000001*0*P*>~")
	fmt.Fprintf(&b, "GS*PO*ALICE*BOB*20260301*1200*1*X*%s~", version)
	for i, d := range documents {
		n := strings.Count(d, "~") + 1
		fmt.Fprintf(&b, "ST*%s*%04d~%s~SE*%d*%04d~", kind, i+1, d, n+2, i+1)
	}
	fmt.Fprintf(&b, "GE*%d*1~IEA*1*000000001~", len(documents))
	return b.String()
}

func samples(texts ...string) []dictionary.Sample {
	var out []dictionary.Sample
	for i, text := range texts {
		out = append(out, dictionary.Sample{Name: fmt.Sprintf("sample-%d", i+1), Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(text)), nil
		}})
	}
	return out
}

// TestLearnOverGuide drafts a guide over the shipped 850.
func TestLearnOverGuide(t *testing.T) {
	t.Parallel()
	in := samples(
		x12("850", "004010",
			"BEG*00*NE*PO1001**20260301~REF*DP*12~REF*IA*77~N1*ST*Store*92*0042~N3*Main Street~N1*BY*Head office*92*0001~PO1*1*10*EA*9.95**UP*012345678905~PO1*2*1*CA*1**UP*012345678912~CTT*2",
			"BEG*00*SA*PO1002**20260302~N1*ST*Store*92*0043~PO1*1*5*EA*9.95**UP*012345678905~CTT*1"),
		x12("850", "004010", "BEG*06*NE*1003**20260303~N1*ST*A store whose name is far longer than sixty characters, which the standard has*92*0044~PO1*1*5*ZX*9.95**UP*012345678905~CTT*1"),
	)
	d, err := dictionary.Learn(t.Context(), in, dictionary.LearnOptions{Name: "acme/850"})
	if err != nil {
		t.Fatal(err)
	}
	if d.BasedOn != "x12/004010/850" || d.Documents != 3 || d.Accepted != 3 || len(d.Refused) != 0 || d.File.Name != "acme/850.guide" {
		t.Errorf("draft %+v", d)
	}
	text := string(d.File.Text)
	for _, want := range []string{
		"guide acme/850", "based-on x12/004010/850",
		"at heading/BEG\n  1 codes 00 06 # 3 of 3: 00 2 (Original), 06 1 (Confirmation)\n  2 codes NE SA # 3 of 3",
		"  3 length 1..6 # 3 of 3, 4 to 6 characters",
		"at heading/REF\n  max 2 # 1 of 3, at most 2\n",
		"at heading/N1\n  require # 3 of 3, at most 2\n  max 2 ",
		"at heading/N1/N1\n  1 codes BY ST # 4 of 4: ST 3 (Ship-to party), BY 1 (Buyer)\n",
		"length 1..78", // a relaxed length: all samples have to fit
		"3 require codes CA EA ZX", "# never filled: 4 6",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the draft has no %q", want)
		}
	}
	if strings.Contains(text, "PO1001") || strings.Contains(text, "Main Street") {
		t.Error("the draft tells business data")
	}
	again, err := dictionary.Learn(t.Context(), in, dictionary.LearnOptions{Name: "acme/850"})
	if err != nil || !bytes.Equal(again.File.Text, d.File.Text) {
		t.Errorf("the same samples give another draft: %v", err)
	}
	if t.Failed() {
		t.Log(text)
	}
}

// TestLearnAlone drafts guides for documents nobody describes: loops are found
// from what repeats.
func TestLearnAlone(t *testing.T) {
	t.Parallel()
	shipped := schema.Shipped()
	for _, c := range []struct {
		name string
		docs []string
		want string // the places, one line
	}{
		{"a row", []string{"AAA*1~BBB*2", "AAA*1~BBB*2"}, "ST AAA BBB SE"},
		{"something optional", []string{"AAA*1~BBB*2~CCC*3", "AAA*1~CCC*3"}, "ST AAA BBB? CCC SE"},
		{"a run", []string{"AAA*1~REF*1~REF*2~REF*3~CCC*3"}, "ST AAA REF<=3 CCC SE"},
		{"one loop", []string{"AAA*1~PO1*1~PID*x~PO1*2~PID*y~PO1*3~CTT*3"}, "ST AAA PO1<=3(PO1 PID?) CTT SE"},
		{
			"a loop before a loop, and the same segment in both",
			[]string{"BEG*1~REF*x~N1*a~N3*s~N1*b~N3*s~PO1*1~REF*x~PID*x~PO1*2~REF*y~PID*y~PO1*3~REF*z~CTT*3", "BEG*1~REF*x~N1*a~N3*s~N1*b~N3*s~N1*c~PO1*1~PID*x~PO1*2~REF*x~PID*x~CTT*2"},
			"ST BEG REF N1<=3(N1 N3?) PO1<=3(PO1 REF? PID?) CTT SE",
		},
		{
			"a loop in a loop",
			[]string{"HDR*1~LIN*1~QTY*1~SCH*1~DTM*1~SCH*2~DTM*2~LIN*2~QTY*1~SCH*1~DTM*1~SCH*2~DTM*2~SCH*3~DTM*3~LIN*3~QTY*3~END*1"},
			"ST HDR LIN<=3(LIN QTY SCH?<=3(SCH DTM)) END SE",
		},
		{"either order", []string{"AAA*1~BBB*2~CCC*1", "AAA*1~CCC*2~BBB*1"}, "ST AAA BBB? CCC BBB? SE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, err := dictionary.Learn(t.Context(), samples(x12("777", "009990", c.docs...)), dictionary.LearnOptions{Catalog: shipped})
			if err != nil {
				t.Fatal(err)
			}
			if text := string(d.File.Text); !strings.Contains(text, "\nset 777 group ") || !strings.Contains(text, "  1 L00001 M # ") {
				t.Errorf("the group or the count of an element is missing:\n%s", text)
			}
			if d.BasedOn != "" || d.Accepted != len(c.docs) {
				t.Errorf("accepted %d of %d: %v", d.Accepted, d.Documents, d.Refused)
			}
			catalog := &schema.Catalog{}
			if _, err := catalog.Add(d.File.Name, d.File.Text); err != nil {
				t.Fatal(err)
			}
			g, err := catalog.Guide("draft/777")
			if err != nil {
				t.Fatal(err)
			}
			if got := places(g.Root); got != c.want {
				t.Errorf("places %s\nwant   %s\n%s", got, c.want, d.File.Text)
			}
		})
	}
}

// places writes a loop's places on one line.
func places(l *schema.Loop) string {
	var words []string
	for i := range l.Nodes {
		n := &l.Nodes[i]
		w := n.Tag.String()
		if n.Min == 0 {
			w += "?"
		}
		if n.Max > 1 {
			w += fmt.Sprintf("<=%d", n.Max)
		}
		if n.Loop != nil {
			w += "(" + places(n.Loop) + ")"
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

// TestLearnManyLines: a document of many lines is no harder than one of two.
func TestLearnManyLines(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("AAA*1")
	for i := range 5000 {
		fmt.Fprintf(&b, "~LIN*%d~QTY*1", i+1)
		if i%3 == 0 {
			b.WriteString("~PID*x")
		}
	}
	b.WriteString("~CTT*5000")
	d, err := dictionary.Learn(t.Context(), samples(x12("777", "009990", b.String())), dictionary.LearnOptions{})
	if err != nil || d.Accepted != 1 {
		t.Fatalf("%v, %+v", err, d)
	}
	if !strings.Contains(string(d.File.Text), "loop LIN M 5000") {
		t.Errorf("draft:\n%s", d.File.Text[:min(2000, len(d.File.Text))])
	}
}

// TestLearnChoice: several types need a choice, and what is left out is told.
func TestLearnChoice(t *testing.T) {
	t.Parallel()
	shipped := schema.Shipped()
	in := samples(x12("850", "004010", "BEG*00*NE*1**20260301~PO1*1*1*EA~CTT*1"), x12("855", "004010", "BAK*00*AC*1*20260301"), x12("850", "005010", "BEG*00*NE*1**20260301"))
	if _, err := dictionary.Learn(t.Context(), in, dictionary.LearnOptions{}); !errors.Is(err, dictionary.ErrSeveral) || !strings.Contains(err.Error(), "850 004010 (1), 855 004010 (1), 850 005010 (1)") {
		t.Errorf("error %v", err)
	}
	d, err := dictionary.Learn(t.Context(), in, dictionary.LearnOptions{Type: "850", Version: "004010", Catalog: shipped})
	if err != nil || d.Documents != 1 || d.Others != 2 {
		t.Errorf("%v, %+v", err, d)
	}
	if _, err := dictionary.Learn(t.Context(), in, dictionary.LearnOptions{Type: "810"}); !errors.Is(err, dictionary.ErrNothing) {
		t.Errorf("error %v", err)
	}
	if _, err := dictionary.Learn(t.Context(), samples("no EDI at all"), dictionary.LearnOptions{}); !errors.Is(err, dictionary.ErrNothing) {
		t.Errorf("error %v", err)
	}
	if _, err := dictionary.Learn(t.Context(), in, dictionary.LearnOptions{Type: "850", Version: "004010", Guide: "x12/none"}); !errors.Is(err, schema.ErrNotFound) {
		t.Errorf("error %v", err)
	}
	broken := []dictionary.Sample{{Name: "broken", Open: func() (io.ReadCloser, error) { return nil, io.ErrClosedPipe }}}
	if _, err := dictionary.Learn(t.Context(), broken, dictionary.LearnOptions{}); !errors.Is(err, io.ErrClosedPipe) || !strings.Contains(err.Error(), "broken") {
		t.Errorf("error %v", err)
	}
}

// TestLearnEDIFACT learns composites, and over an imported directory.
func TestLearnEDIFACT(t *testing.T) {
	t.Parallel()
	text := "UNB+UNOC:3+A+B+260301:1200+1'UNH+1+TESTER:D:99X:UN'BGM+1:::name+77'ARR+a:b:c'QTY+5'ARR+d'QTY+1.5'UNS+S'UNT+8+1'UNZ+1+1'"
	d, err := dictionary.Learn(t.Context(), samples(text), dictionary.LearnOptions{})
	if err != nil || d.Accepted != 1 {
		t.Fatalf("%v, %+v", err, d)
	}
	for _, want := range []string{"standard EDIFACT\nversion D:99X\nset TESTER", "loop ARR M 2", "n 1..3 \"QTY01\"", "composite K00001 \"ARR01\"\n  1 L00002 M # 2 of 2, 1 character\n  2 L00003 C # 1 of 2, 1 character"} {
		if !strings.Contains(string(d.File.Text), want) {
			t.Errorf("the draft has no %q:\n%s", want, d.File.Text)
		}
	}
	_, sections := readCase(t, "testdata/unece-columns.case")
	in, o := source(t, sections)
	result, err := dictionary.Import(t.Context(), in, o)
	if err != nil {
		t.Fatal(err)
	}
	catalog := schema.Shipped()
	for _, f := range result.Files {
		if _, err := catalog.Add(f.Name, f.Text); err != nil {
			t.Fatal(err)
		}
	}
	d, err = dictionary.Learn(t.Context(), samples(text), dictionary.LearnOptions{Catalog: catalog, Unseen: dictionary.UnseenElements})
	if err != nil || d.BasedOn != "edifact/D99X/TESTER" {
		t.Fatalf("%v, %+v", err, d)
	}
	if !strings.Contains(string(d.File.Text), "1-1 require codes 1 #") || !strings.Contains(string(d.File.Text), "  forbid # 0 of 1") {
		t.Errorf("draft:\n%s", d.File.Text)
	}
}

// FuzzLearn learns from any bytes: it ends in a draft that loads, or an error.
func FuzzLearn(f *testing.F) {
	f.Add([]byte(x12("777", "009990", "AAA*1~PO1*1~PID*x~PO1*2~PID*y~PO1*3~CTT*3", "BBB*1")))
	f.Add([]byte(x12("850", "004010", "BEG*00*NE*1**20260301~PO1*1*1*EA~CTT*1")))
	f.Add([]byte("UNB+UNOC:3+A+B+260301:1200+1'UNH+1+TESTER:D:99X:UN'BGM+1:::name+77'ARR+a:b:c'QTY+5'UNT+5+1'UNZ+1+1'"))
	catalog := schema.Shipped()
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := dictionary.Learn(t.Context(), []dictionary.Sample{{Name: "fuzz", Open: func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(data)), nil
		}}}, dictionary.LearnOptions{Catalog: catalog})
		if err != nil {
			if !errors.Is(err, dictionary.ErrNothing) && !errors.Is(err, dictionary.ErrSeveral) {
				t.Fatal(err)
			}
			return
		}
		if d.BasedOn == "" {
			misplaced(t, d, data)
		}
	})
}

// misplaced fails when a draft that stands alone has no place for a segment of
// its samples.
func misplaced(t *testing.T, d *dictionary.Draft, data []byte) {
	t.Helper()
	c := &schema.Catalog{}
	for _, text := range []*schema.Catalog{schema.Shipped(), c} {
		if _, err := text.Add(d.File.Name, d.File.Text); err == nil {
			c = text
			break
		}
	}
	g, err := c.Guide(strings.TrimSuffix(d.File.Name, ".guide"))
	if err != nil {
		t.Fatal(err)
	}
	report, err := validate.Validate(t.Context(), bytes.NewReader(data), validate.Options{Catalog: c, GuideFor: func(o validate.Choice) *schema.Guide {
		if o.Type == d.Type && o.Version == d.Version {
			return g
		}
		return nil
	}})
	if err != nil {
		return
	}
	for _, is := range report.All() {
		if is.Level == validate.LevelSegment && is.Severity == validate.Error && len(is.Segment) <= 3 && strings.Contains(is.Text, "not expected here") {
			t.Errorf("%s\n%s", is.Text, d.File.Text)
		}
	}
}
