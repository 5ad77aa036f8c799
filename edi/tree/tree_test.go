package tree_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tradepost/edi/schema"
	"tradepost/edi/tree"
	"tradepost/edi/validate"
)

func roundTrip(tb testing.TB, catalog *schema.Catalog, input []byte) (tree_ []byte, back []byte) {
	tb.Helper()
	var j, out bytes.Buffer
	if err := tree.WriteJSON(tb.Context(), &j, bytes.NewReader(input), validate.Options{Catalog: catalog}); err != nil {
		tb.Fatal(err)
	}
	if err := tree.WriteEDI(&out, bytes.NewReader(j.Bytes())); err != nil {
		tb.Fatalf("%v\n%s", err, j.Bytes())
	}
	return j.Bytes(), out.Bytes()
}

// TestCorpusRoundTrip turns every real file into a tree and back into its very
// bytes.
func TestCorpusRoundTrip(t *testing.T) {
	t.Parallel()
	root := os.Getenv("TRADEPOST_CORPUS")
	if root == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("TRADEPOST_CORPUS is not set; with CI=true the corpus has to be there")
		}
		t.Skip("TRADEPOST_CORPUS is not set: the corpus of real files is left out")
	}
	files, catalog := 0, schema.Shipped()
	err := filepath.WalkDir(filepath.Join(root, "edi"), func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(file, "unece") {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		r, err := validate.Validate(t.Context(), bytes.NewReader(text), validate.Options{Catalog: catalog})
		if err != nil || r.Unread != nil {
			return nil // not EDI: README, INDEX, licences, TRADACOMS
		}
		files++
		if _, back := roundTrip(t, catalog, text); !bytes.Equal(back, text) {
			t.Errorf("%s does not come back as it was", file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files", files)
	if files < 100 {
		t.Errorf("only %d files were read as EDI", files)
	}
}
