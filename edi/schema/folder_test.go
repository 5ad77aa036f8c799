package schema_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"tradepost/edi/schema"
)

// TestLayers: a text that takes the name of one below stands in its place, and
// what builds on the one below still has it.
func TestLayers(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"850.guide":          {Data: []byte("guide x12/004010/850 \"Ours\"\nuses ours\nset 850\narea heading\n  ST M 1\n  AAA M 1\n  SE M 1\n")},
		"ours.dictionary":    {Data: []byte(strings.Replace(strings.Replace(base, "test/d", "ours", 1), "009999", "004010", 1))},
		"edifact.dictionary": {Data: []byte("dictionary edifact/D96A \"Nothing\"\nstandard EDIFACT\nversion D:96A\n")},
		"over.guide":         {Data: []byte("guide over\nbased-on x12/004010/850\nat heading/AAA\n  1 codes AA\n")},
	}
	shipped := schema.Shipped()
	c, err := schema.Load(fsys, shipped)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*schema.Catalog{c, c.Clone()} {
		for _, want := range []struct{ version, kind, title string }{
			{"004010", "850", "Ours"}, {"005010", "850", "Purchase order"}, {"004010", "855", "Purchase order acknowledgement"},
		} {
			if g, ok := c.Lookup(schema.X12, want.version, want.kind); !ok || g.Title != want.title {
				t.Errorf("%s %s is checked with %+v", want.kind, want.version, g)
			}
		}
		if g, ok := c.Lookup(schema.EDIFACT, "D:96A", "ORDERS"); !ok || g.Places(schema.MakeTag("BGM")) == nil {
			t.Error("a shipped guide has lost its dictionary")
		}
		if g, err := c.Guide("over"); err != nil || g.Places(schema.MakeTag("AAA")) == nil {
			t.Errorf("a guide of the folder lies over a shipped one: %v", err)
		}
	}
	if g, _ := shipped.Lookup(schema.X12, "004010", "850"); g.Title != "Purchase order" {
		t.Error("the catalog below has changed")
	}
}

// TestMistakesOfAFolder: every file with a mistake is told at once, with its
// line, and two of one name as well.
func TestMistakesOfAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"d.dictionary": base, "good.guide": guide,
		"a.guide":       "guide a\nbased-on test/777\nat heading/AAA\n  1 cods AA\n",
		"b.guide":       strings.Replace(guide, "test/777", "b", 1) + "  LLL Q 1\n",
		"c.guide":       "guide c\nbased-on nobody/850\n",
		"twice.guide":   guide,
		"below/x.guide": "guide x\n\t\tset\n",
		"notes.txt":     "nothing to read here",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := schema.LoadFolder(dir)
	if err == nil {
		t.Fatal("it loads")
	}
	told := schema.Explain(err)
	for _, want := range []string{
		filepath.Join(dir, "a.guide") + ":4:5: ", "      4 |   1 cods AA\n        |     ^\n",
		filepath.Join(dir, "b.guide") + ":14:7: ",
		filepath.Join(dir, "c.guide") + ":2:10: guide nobody/850 is not in the catalog",
		filepath.Join(dir, "twice.guide") + ":1:1: the name test/777 is taken by " + filepath.Join(dir, "good.guide"),
		filepath.Join(dir, "below", "x.guide") + ":2:1: a tab",
	} {
		if !strings.Contains(told, want) {
			t.Errorf("%q is not told:\n%s", want, told)
		}
	}
	if n := strings.Count(told, "| "); n != 2*5 {
		t.Errorf("%d lines of excerpts:\n%s", n, told)
	}
	if _, err := schema.LoadFolder(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "reading "+filepath.Join(dir, "none")+": ") {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// TestExcerpt shows long lines and strange characters in a way a terminal can
// bear.
func TestExcerpt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		e    schema.SyntaxError
		want string
	}{
		{schema.SyntaxError{}, ""},
		{schema.SyntaxError{Line: 7, Column: 3, Source: "  1 x\x1b[2J\xff"}, "      7 |   1 x [2J\ufffd\n        |   ^"},
		{schema.SyntaxError{Line: 7, Column: 99, Source: "short"}, "      7 | short\n        |      ^"},
		{
			schema.SyntaxError{Line: 12345678, Column: 201, Source: strings.Repeat("a", 200) + strings.Repeat("b", 200)},
			"12345678 | ..." + strings.Repeat("a", 70) + strings.Repeat("b", 50) + "...\n         | " + strings.Repeat(" ", 73) + "^",
		},
	} {
		if got := c.e.Excerpt(); got != c.want {
			t.Errorf("excerpt\n%s\nwant\n%s", got, c.want)
		}
	}
}

// TestNamed: a guide that was put in for one partner is found by its name, and
// never for the documents of another.
func TestNamed(t *testing.T) {
	t.Parallel()
	c, err := catalog(t, base, guide)
	if err != nil {
		t.Fatal(err)
	}
	c = c.Clone()
	own := strings.Replace(guide, "test/777 \"Test document\"", "acme/777 \"Of ACME\"", 1)
	for range 2 { // the same text again is the same guide
		if f, err := c.AddNamed("acme.guide", []byte(own)); err != nil || f.Name != "acme/777" {
			t.Fatalf("%+v: %v", f, err)
		}
	}
	for _, c := range []*schema.Catalog{c, c.Clone()} {
		if g, err := c.Guide("acme/777"); err != nil || g.Title != "Of ACME" {
			t.Errorf("by name: %v", err)
		}
		if g, ok := c.Lookup(schema.X12, "009999", "777"); !ok || g.Name != "test/777" {
			t.Errorf("Lookup finds %+v", g)
		}
	}
	var taken *schema.NameError
	if _, err := c.AddNamed("other.guide", []byte(own+"  # other\n")); !errors.As(err, &taken) || taken.Name != "acme/777" || taken.Taken != "acme.guide" {
		t.Errorf("another guide of the name: %v", err)
	}
	if _, err := c.AddNamed("again.guide", []byte(guide)); err != nil {
		t.Errorf("the text of the catalog itself: %v", err)
	}
	if _, err := c.AddNamed("d.guide", []byte(base)); err == nil || !strings.Contains(err.Error(), "not a guide") {
		t.Errorf("a dictionary: %v", err)
	}
}

// TestLoadKeepsLittle: what a station holds of a directory that it does not use
// is its text and little more, however much there is to compile.
func TestLoadKeepsLittle(t *testing.T) { //nolint:paralleltest // the memory is that of the process
	fsys := directory(200)
	size := 0
	for _, f := range fsys {
		size += len(f.Data)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c, err := schema.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > int64(4*size) { //nolint:gosec // a heap
		t.Errorf("%d bytes are held for texts of %d", held, size)
	}
	if g, ok := c.Lookup(schema.X12, "008888", "100"); !ok || len(g.Root.Nodes) != 2 {
		t.Errorf("guide %+v", g)
	}
}
