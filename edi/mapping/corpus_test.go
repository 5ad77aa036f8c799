package mapping_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tradepost/edi/mapping"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// TestCorpusThroughMaps runs the shipped maps over every real file. A document
// that is mapped, written again and read again is the same, but for a default
// the way back needs; from then on nothing changes any more: what a map carries
// it carries both ways.
func TestCorpusThroughMaps(t *testing.T) {
	t.Parallel()
	root := os.Getenv("TRADEPOST_CORPUS")
	if root == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("TRADEPOST_CORPUS is not set; with CI=true the corpus has to be there")
		}
		t.Skip("TRADEPOST_CORPUS is not set: the corpus of real files is left out")
	}
	catalog := schema.Shipped()
	library := mapping.NewLibrary(catalog)
	var maps []*mapping.Map
	for _, name := range library.Names() {
		m, err := library.Map(name)
		if err != nil {
			t.Fatal(err)
		}
		maps = append(maps, m)
	}
	var count struct{ documents, mapped, valid, back, same int }
	err := filepath.WalkDir(filepath.Join(root, "edi"), func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(file, "unece") {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil || len(text) > 2<<20 {
			return err
		}
		for _, m := range maps {
			o := mapping.Options{Form: mapping.JSONLines, Validate: validate.Options{Catalog: catalog}}
			o.OnDocument = func(d *mapping.Document) error {
				if d.Skipped != "" {
					return nil
				}
				if count.documents++; !d.Written {
					return nil
				}
				if count.mapped++; d.Accepted {
					count.valid++
				}
				again, faults := thereAndBack(t, m, catalog, d.Guide, string(d.Bytes))
				if faults != "" {
					t.Logf("%s: %s %s is not written again: %s", strings.TrimPrefix(file, root), m.Name(), d.Control, faults)
					return nil
				}
				if count.back++; again == string(d.Bytes) {
					count.same++
					return nil
				}
				if third, faults := thereAndBack(t, m, catalog, d.Guide, again); d.Accepted && (faults != "" || third != again) {
					t.Errorf("%s: %s %s comes back as\n%s\nand was\n%s%s", file, m.Name(), d.Control, third, again, faults)
				}
				return nil
			}
			_, _ = m.Convert(t.Context(), io.Discard, bytes.NewReader(text), o) // many files are no EDI, which is told
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", count)
	if count.documents == 0 || count.valid == 0 {
		t.Errorf("the corpus has no document for the maps: %+v", count)
	}
}

// thereAndBack writes a document that was mapped and maps it again.
func thereAndBack(t *testing.T, m *mapping.Map, catalog *schema.Catalog, named, document string) (again, faults string) {
	guide, err := catalog.Guide(named)
	if err != nil {
		t.Fatal(err)
	}
	var out, in bytes.Buffer
	o := mapping.Options{
		Way: mapping.Backward, Form: mapping.JSONLines, Guide: guide, Validate: validate.Options{Catalog: catalog},
		Envelope: mapping.Envelope{Sender: partyA(), Receiver: partyA(), Time: when(), Control: "1", LineEnd: "\n", Charset: "UNOY"},
		OnDocument: func(d *mapping.Document) error {
			if !d.Written {
				faults = fmt.Sprint(d.Faults)
			}
			return nil
		},
	}
	if _, err := m.Convert(t.Context(), &out, strings.NewReader(document), o); err != nil {
		t.Errorf("%s: %v", m.Name(), err)
		return "", err.Error()
	}
	if faults != "" {
		return "", faults
	}
	o.Way, o.OnDocument = mapping.Forward, nil
	if _, err := m.Convert(t.Context(), &in, &out, o); err != nil {
		t.Errorf("%s: %v", m.Name(), err)
	}
	return in.String(), ""
}
