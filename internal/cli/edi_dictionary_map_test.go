package cli

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	guides, err := filepath.Glob(filepath.Join(dir, "edifact", "*", "*.guide"))
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range guides { // the others only cost time
		if !slices.Contains([]string{"ORDERS.guide", "ORDRSP.guide", "DESADV.guide", "INVOIC.guide"}, filepath.Base(g)) {
			if err := os.Remove(g); err != nil {
				t.Fatal(err)
			}
		}
	}
	cases, err := filepath.Glob(filepath.Join("..", "..", "edi", "mapping", "testdata", "shipped", "edifact", "*", "*.case"))
	if err != nil {
		t.Fatal(err)
	}
	named, input := regexp.MustCompile(`(?m)^map: *(\S+)`), regexp.MustCompile(`(?ms)^-- input --\n(UN.*?)(?:^-- [a-z]+.*--$|\z)`)
	ran := map[string]int{}
	for _, name := range cases {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m, in := named.FindStringSubmatch(string(text)), input.FindStringSubmatch(string(text))
		if m == nil || in == nil || ran[m[1]] == 2 { // the way back, or another one of which two have run
			continue
		}
		ran[m[1]]++
		_, shipped, _ := ediRun(t, in[1], "convert", "-", "--to", "json", "--map", m[1])
		code, imported, words := ediRun(t, in[1], "convert", "-", "--to", "json", "--map", m[1], "--dictionary", dir)
		if imported != shipped || code != ExitOK && code != ExitInvalid {
			t.Errorf("%s: exit %d: %s\nwith the directory:\n%s\nwithout:\n%s", filepath.Base(name), code, words, imported, shipped)
		}
		if code == ExitInvalid && !strings.Contains(words, `"33E" is not one of its codes`) { // a code of EANCOM, for which the directory's list is closed
			t.Errorf("%s: refused: %s", filepath.Base(name), words)
		}
	}
	if want := map[string]int{"edifact/ORDERS": 2, "edifact/ORDRSP": 2, "edifact/DESADV": 2, "edifact/INVOIC": 2}; !maps.Equal(ran, want) {
		t.Errorf("cases that ran: %v", ran)
	}
}
