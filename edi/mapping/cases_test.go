package mapping_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tradepost/edi/mapping"
	"tradepost/edi/mapping/maptest"
	"tradepost/edi/schema"
)

var update = flag.Bool("update", false, "write the sections of failing cases anew")

// TestShippedCases runs the golden cases of the shipped maps.
func TestShippedCases(t *testing.T) {
	t.Parallel()
	runCases(t, "testdata/shipped")
}

// TestLanguageCases runs a case for each rule of the language.
func TestLanguageCases(t *testing.T) {
	t.Parallel()
	runCases(t, "testdata/language")
}

func runCases(t *testing.T, dir string) {
	t.Helper()
	fsys := os.DirFS(".")
	cases, err := maptest.Find(fsys, dir)
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	runner := maptest.NewRunner(schema.Shipped())
	for _, name := range cases {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(name, dir+"/"), maptest.Ext), func(t *testing.T) {
			t.Parallel()
			c, err := maptest.Read(fsys, name)
			if err != nil {
				t.Fatal(err)
			}
			result, err := runner.Run(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if result.Passed() {
				return
			}
			if *update {
				if err := os.WriteFile(filepath.FromSlash(name), result.Updated(), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			for _, d := range result.Differences {
				t.Errorf("%s:%d: %s is not as the case says:\n%s", name, d.Line, d.Section, d.Text)
			}
		})
	}
}

// TestShippedMapsRunBothWays loads every map and form that is shipped.
func TestShippedMapsRunBothWays(t *testing.T) {
	t.Parallel()
	l := mapping.NewLibrary(schema.Shipped())
	if len(l.FormNames()) == 0 || len(l.Names()) == 0 {
		t.Fatal("nothing is shipped")
	}
	for _, n := range l.FormNames() {
		if _, err := l.Form(n); err != nil {
			t.Error(err)
		}
	}
	for _, n := range l.Names() {
		m, err := l.Map(n)
		if err != nil {
			t.Errorf("%s:\n%v", n, err)
			continue
		}
		for _, p := range m.Standing() {
			t.Error(p)
		}
	}
}
