package dictionary_test

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tradepost/edi/dictionary"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// traded is a kind of document in the corpus.
type traded struct{ standard, version, kind string }

// corpusDocuments finds the files of the corpus by what they hold.
func corpusDocuments(t *testing.T) map[traded][]string {
	t.Helper()
	root := os.Getenv("TRADEPOST_CORPUS")
	if root == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("TRADEPOST_CORPUS is not set: with CI=true the corpus must be there")
		}
		t.Skip("TRADEPOST_CORPUS is not set: no corpus to learn from")
	}
	out := map[traded][]string{}
	err := filepath.WalkDir(filepath.Join(root, "edi"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "unece-directories") || slices.Contains([]string{".tsv", ".md"}, filepath.Ext(path)) {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // opened for reading
		_, err = validate.Validate(t.Context(), f, validate.Options{
			Catalog: &schema.Catalog{}, Stream: true,
			OnDocument: func(ic *validate.Interchange, g *validate.Group, d *validate.Document) error {
				k := traded{ic.Standard, cmp.Or(d.Version, g.Version), d.Type}
				if !slices.Contains(out[k], path) {
					out[k] = append(out[k], path)
				}
				return nil
			},
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestLearnFromCorpus drafts a guide for every kind of document in the corpus,
// over the shipped guide and alone. The draft accepts every document that it
// was learned from, but for faults of envelopes and for what the standard
// itself refuses, which is listed here.
func TestLearnFromCorpus(t *testing.T) {
	t.Parallel()
	refused := map[string]string{
		"X12 004010 214":     "N1 and L11 have neither of two elements of which the standard asks for one (notes R0203, R0103)",
		"X12 005010X230 997": "invalid997.edi has letters in AK402, a number",
	}
	catalog := schema.Shipped()
	drafts, documents := 0, 0
	for k, files := range corpusDocuments(t) {
		var samples []dictionary.Sample
		for _, path := range files {
			samples = append(samples, dictionary.Sample{Name: path, Open: func() (io.ReadCloser, error) { return os.Open(path) }})
		}
		for _, alone := range []bool{false, true} {
			d, err := dictionary.Learn(t.Context(), samples, dictionary.LearnOptions{Type: k.kind, Version: k.version, Catalog: catalog, Alone: alone})
			if errors.Is(err, dictionary.ErrNothing) && (k.kind == "" || k.version == "") {
				continue // a header without type or version
			}
			if err != nil {
				t.Errorf("%v, alone %t: %v", k, alone, err)
				continue
			}
			drafts++
			documents += d.Documents
			why, known := refused[k.standard+" "+k.version+" "+k.kind]
			if d.Accepted+d.Faulty != d.Documents && !known {
				t.Errorf("%v, alone %t: of %d documents %d are accepted and %d have faulty envelopes; refused %v", k, alone, d.Documents, d.Accepted, d.Faulty, d.Refused)
			} else if d.Accepted+d.Faulty != d.Documents {
				t.Logf("%v, alone %t: %d of %d refused: %s", k, alone, d.Documents-d.Accepted-d.Faulty, d.Documents, why)
			}
		}
	}
	if drafts < 100 || documents < 900 {
		t.Errorf("%d drafts of %d documents: the corpus has more", drafts, documents)
	}
}
