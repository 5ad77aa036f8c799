package validate_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// corpus gives the folder of real files, or skips the test.
func corpus(tb testing.TB) string {
	tb.Helper()
	root := os.Getenv("TRADEPOST_CORPUS")
	if root == "" {
		if os.Getenv("CI") == "true" {
			tb.Fatal("TRADEPOST_CORPUS is not set; with CI=true the corpus has to be there")
		}
		tb.Skip("TRADEPOST_CORPUS is not set: the corpus of real files is left out")
	}
	return filepath.Join(root, "edi")
}

// index reads the INDEX.tsv files: what an independent check of the envelope
// found, by file.
func index(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	files, err := filepath.Glob(filepath.Join(root, "*", "INDEX.tsv"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no INDEX.tsv below %s: %v", root, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(text), "\n")[1:] {
			if cells := strings.Split(line, "\t"); len(cells) > 7 && (cells[3] == "X12" || cells[3] == "EDIFACT") {
				out[filepath.Join(filepath.Dir(file), filepath.FromSlash(cells[0]))] = cells[7]
			}
		}
	}
	return out
}

// otherVerdict are the files whose envelope our check and the index judge
// differently, and why ours is right.
var otherVerdict = map[string]string{
	"stupidedi/004010/PR855/fail/2.edi":               "ISA10 is broken by a line end; values are read without line ends, and IEA02 does repeat ISA13",
	"staedi/EDIFACT/issue128/wrapped_invoic_d97b.edi": "the reference in UNZ is broken by a line end; values are read without line ends",
	"staedi/x12/issue109/ts214_ellipses_segterm.edi":  "segments end in a character of several bytes, which we read",
}

// TestCorpusEnvelopes compares the faults of the envelope with those an
// independent checker found: references and counts.
func TestCorpusEnvelopes(t *testing.T) {
	t.Parallel()
	root, catalog := corpus(t), schema.Shipped()
	for file, verdict := range index(t, root) {
		name, _ := filepath.Rel(root, file)
		t.Run(filepath.ToSlash(name), func(t *testing.T) {
			t.Parallel()
			r := validateFile(t, catalog, file)
			var faults []string
			for _, is := range r.All() {
				if is.Severity == validate.Error && is.Level != validate.LevelElement && is.Level != validate.LevelSegment {
					faults = append(faults, is.Ack+" "+is.Text)
				}
			}
			if why, other := otherVerdict[filepath.ToSlash(name)]; other {
				t.Log(why)
				return
			}
			if (verdict == "ok") != (len(faults) == 0) {
				t.Errorf("the index says %q, we found %q", verdict, faults)
			}
		})
	}
}

func validateFile(t *testing.T, catalog *schema.Catalog, file string) *validate.Report {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := validate.Validate(t.Context(), bytes.NewReader(text), validate.Options{Catalog: catalog})
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return r
}

// TestCorpusLabels takes the folders pass and fail of stupidedi: what has a
// guide has to come out as labelled; the rest is listed.
func TestCorpusLabels(t *testing.T) {
	t.Parallel()
	root, catalog := filepath.Join(corpus(t), "stupidedi"), schema.Shipped()
	covered := 0
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		label := filepath.Base(filepath.Dir(file))
		if label != "pass" && label != "fail" {
			return nil
		}
		name, _ := filepath.Rel(root, file)
		r := validateFile(t, catalog, file)
		var without []string
		for _, ic := range r.Interchanges {
			for _, g := range ic.Groups {
				for _, doc := range g.Documents {
					if doc.Guide == "" {
						without = append(without, doc.Type+" "+g.Version)
					}
				}
			}
		}
		if len(without) > 0 {
			t.Logf("not covered, no guide for %s: %s", strings.Join(without, ", "), name)
			return nil
		}
		covered++
		if r.Accepted != (label == "pass") {
			t.Errorf("%s: accepted %v", name, r.Accepted)
			for _, is := range r.All() {
				t.Logf("  %s %s %s", is.Severity, is.Ack, is.Text)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if covered < 19 {
		t.Errorf("only %d labelled files have a guide", covered)
	}
}
