package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestShippedMapsWithImportedDirectories runs the cases of the shipped EDIFACT
// maps with the two imported directories of the corpus in place of the guides
// that the maps were written for: the same form comes out.
func TestShippedMapsWithImportedDirectories(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, release := range []string{"d96a", "d01b"} {
		if code, _, words := ediRun(t, "", "dictionary", "import", corpusFolder(t, "edi", "unece-directories", release), "--to", dir); code != ExitOK {
			t.Fatal(words)
		}
	}
	cases, err := filepath.Glob(filepath.Join("..", "..", "edi", "mapping", "testdata", "shipped", "edifact", "*", "*.case"))
	if err != nil {
		t.Fatal(err)
	}
	named, input := regexp.MustCompile(`(?m)^map: *(\S+)`), regexp.MustCompile(`(?ms)^-- input --\n(UN.*?)(?:^-- [a-z]+.*--$|\z)`)
	ran := 0
	for _, name := range cases {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m, in := named.FindStringSubmatch(string(text)), input.FindStringSubmatch(string(text))
		if m == nil || in == nil {
			continue // the way back
		}
		ran++
		_, shipped, _ := ediRun(t, in[1], "convert", "-", "--to", "json", "--map", m[1])
		code, imported, words := ediRun(t, in[1], "convert", "-", "--to", "json", "--map", m[1], "--dictionary", dir)
		if imported != shipped || code != ExitOK && code != ExitInvalid {
			t.Errorf("%s: exit %d: %s\nwith the directory:\n%s\nwithout:\n%s", filepath.Base(name), code, words, imported, shipped)
		}
		if code == ExitInvalid && !strings.Contains(words, `"33E" is not one of its codes`) { // a code of EANCOM, for which the directory's list is closed
			t.Errorf("%s: refused: %s", filepath.Base(name), words)
		}
	}
	if ran < 20 {
		t.Errorf("only %d cases ran", ran)
	}
}
