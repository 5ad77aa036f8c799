package schema_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"tradepost/edi/schema"
)

// base is a small dictionary and guide for the tests of the format.
const base = `dictionary test/d "Test"
standard X12
version 009999
element 1 ID 2 "Kind"
  AA "First"
  BB "Second" from 2026-01-01 until 2026-12-31
element 2 AN 1..10 "Text"
element 3 R 1..9 "Number"
composite C1 "Pair"
  1 1 M
  2 2 O
segment ST "Start"
  1 2 M
  2 2 M
segment SE "End"
  1 3 M
  2 2 M
segment AAA "Head"
  1 1 M
  2 2 O x3 "Texts"
  3 C1 O
  notes C0203
segment LLL "Line"
  1 3 M
segment SUB "Sub"
  1 2 O
tags ZZZ
`

const guide = `guide test/777 "Test document"
uses test/d
set 777 group TT
key Number LLL01
area heading
  ST M 1
  AAA M 1
area detail
  loop LLL O 5 "Lines"
    LLL M 1
    SUB O *
area summary
  SE M 1
`

func catalog(t *testing.T, texts ...string) (*schema.Catalog, error) {
	t.Helper()
	fsys := fstest.MapFS{}
	for i, text := range texts {
		ext := schema.DictionaryExt
		if strings.HasPrefix(text, "guide") {
			ext = schema.GuideExt
		}
		fsys["text"+string(rune('0'+i))+ext] = &fstest.MapFile{Data: []byte(text)}
	}
	return schema.Load(fsys)
}

func TestFormat(t *testing.T) {
	t.Parallel()
	c, err := catalog(t, base, guide)
	if err != nil {
		t.Fatal(err)
	}
	g, ok := c.Lookup(schema.X12, "009999X123", "777")
	if !ok {
		t.Fatal("an industry version does not find the guide of its release")
	}
	if g.Name != "test/777" || g.Group != "TT" || g.Title != "Test document" || g.Standard != schema.X12 || g.Version != "009999" {
		t.Errorf("guide %+v", g)
	}
	head := g.Places(schema.MakeTag("AAA"))
	if head == nil || len(head.Uses) != 3 || !head.Uses[0].Required || head.Uses[1].Repeat != 3 || head.Uses[1].Name != "Texts" || head.Uses[2].Composite == nil {
		t.Fatalf("segment AAA %+v", head)
	}
	codes := head.Uses[0].Codes
	for _, c := range []struct {
		value string
		day   int
		want  bool
	}{{"AA", 20200101, true}, {"BB", 20251231, false}, {"BB", 20260101, true}, {"BB", 20261231, true}, {"BB", 20270101, false}, {"BB", 0, true}, {"CC", 20260101, false}} {
		if got := codes.Allows([]byte(c.value), c.day); got != c.want {
			t.Errorf("code %s on %d: allowed %v", c.value, c.day, got)
		}
	}
	if !g.Dictionary.Knows(schema.MakeTag("ZZZ")) || g.Dictionary.Knows(schema.MakeTag("QQQ")) {
		t.Error("the dictionary does not know its tags")
	}
	line := g.Root.Nodes[2]
	if line.Loop == nil || line.Path != "detail/LLL" || line.Max != 5 || line.Loop.Nodes[1].Path != "detail/LLL/SUB" || len(line.Loop.Nodes[0].Keys) != 1 {
		t.Errorf("loop LLL %+v", line)
	}
}

// TestMistakes checks that every mistake is told with its place.
func TestMistakes(t *testing.T) {
	t.Parallel()
	with := func(from, to string) []string {
		return []string{strings.Replace(base, from, to, 1), strings.Replace(guide, from, to, 1)}
	}
	overlay := func(text string) []string {
		return []string{base, guide, "guide test/own\nbased-on test/777\n" + text}
	}
	for _, c := range []struct {
		name  string
		texts []string
		want  string
	}{
		{"empty", []string{"# nothing\n"}, "text0.dictionary:1:1: the text is empty"},
		{"first line", []string{"element 1 AN 2\n"}, "1:1: the first line must be dictionary NAME or guide NAME"},
		{"tab", with("  AA \"First\"", "\tAA \"First\""), "5:1: a tab"},
		{"odd indent", with("  AA \"First\"", "   AA \"First\""), "5:4: indented by 3 spaces"},
		{"too deep", with("  AA \"First\"", "    AA \"First\""), "5:5: indented too deep"},
		{"open quote", with("\"First\"", "\"First"), "5:6: this text has no closing quote"},
		{"type", with("element 3 R", "element 3 Q"), "8:11: \"Q\" is no element type"},
		{"length", with("1..9", "9..1"), "8:13: \"9..1\" is no length"},
		{"twice", with("element 3 R", "element 2 R"), "8:9: element 2 is described twice, first on line 7"},
		{"day", with("2026-01-01", "soon"), "6:20: \"soon\" is no day"},
		{"unknown element", with("segment SUB \"Sub\"\n  1 2 O", "segment SUB \"Sub\"\n  1 99 O"), "element or composite 99 is not described"},
		{"usage", with("  1 3 M\nsegment SUB", "  1 3 X\nsegment SUB"), "an element is M (mandatory), O (optional) or C (conditional)"},
		{"position missing", with("  3 C1 O", "  4 C1 O"), "position 3 of AAA is missing"},
		{"position twice", with("  3 C1 O", "  2 C1 O"), "position 2 of AAA is described twice"},
		{"note", with("C0203", "X0203"), "is no syntax note"},
		{"note position", with("C0203", "C0209"), "names position 9, there are 3"},
		{"no structure", []string{base, "guide test/777\nuses test/d\nset 777\n"}, "describes nothing"},
		{"no type", with("set 777 group TT\n", ""), "does not say which document"},
		{"no dictionary", with("uses test/d", "uses test/x"), "2:6: dictionary test/x is not in the catalog"},
		{"unknown segment", with("    SUB O *", "    SXX O *"), "segment SXX is not described"},
		{"no loop segments", with("    LLL M 1\n    SUB O *\n", ""), "a loop needs a name"},
		{"max", with("loop LLL O 5", "loop LLL O five"), "9:14: \"five\": how often it may occur"},
		{"key", with("key Number LLL01", "key Number QQQ01"), "4:12: no segment QQQ has a place"},
		{"key element", with("key Number LLL01", "key Number LLL09"), "LLL has 1 elements"},
		{"template", with("    SUB O *", "    include none"), "there is no template none"},
		{"statement", with("set 777", "sat 777"), "3:1: \"sat\" is no statement of a guide"},
		{"overlay path", overlay("at heading/QQQ\n  forbid\n"), "3:4: the guide below has no place heading/QQQ"},
		{"overlay change", overlay("at heading/AAA\n  forbed\n"), "4:3: \"forbed\" is no change"},
		{"overlay element", overlay("at heading/AAA\n  9 forbid\n"), "AAA has elements 1 to 3"},
		{"overlay loop element", overlay("at detail/LLL\n  1 forbid\n"), "is a loop: name the segment"},
		{"overlay base", []string{base, guide, "guide test/own\nbased-on test/none\n"}, "2:10: guide test/none is not in the catalog"},
		{"based on itself", []string{base, "guide test/own\nbased-on test/own\n"}, "is based on itself"},
		{"variant", overlay("at detail/LLL\n  variant A\n"), "a variant needs its condition"},
		{"format", with("  3 C1 O", "  3 C1 O format 4"), "format names position 4"},
		{"place", overlay("at heading/AAA\n  followed-by ZZZ O 1\n"), "segment ZZZ is not described"},
		{"place of the first", overlay("at detail/LLL/LLL\n  instead SUB O 1\n"), "begins its loop and cannot be replaced"},
		{"remove with others", overlay("at detail/LLL/SUB\n  remove\n  max 3\n"), "remove stands alone"},
		{"component", overlay("at heading/AAA\n  3-3 require\n"), "element 3 of AAA has components 1 to 2"},
		{"component of none", overlay("at heading/AAA\n  1-1 require\n"), "element 1 of AAA is no composite"},
		{"codes", overlay("codes 99 add X\n"), "element 99 is not described"},
		{"codes from no day", overlay("codes 1 add X \"Ex\" from soon\n"), "\"soon\" is no day"},
		{"range", overlay("at heading/AAA\n  2..9 forbid\n"), "4:3: AAA has elements 1 to 3"},
		{"range the wrong way", overlay("at heading/AAA\n  3..2 forbid\n"), "is no range of elements"},
		{"pattern", overlay("at heading/AAA\n  1 pattern \"[A\"\n"), "4:13: \"[A\" is no pattern"},
		{"pattern without quotes", overlay("at heading/AAA\n  1 pattern A\n"), "4:5: \"pattern\" is not expected"},
		{"pattern of a composite", overlay("at heading/AAA\n  3 pattern \"A\"\n"), "is a composite"},
		{"no repetition", overlay("at heading/AAA\n  1 x0\n"), "an element that is not used is forbidden"},
		{"note of an overlay", overlay("at heading/AAA\n  notes P0109\n"), "names position 9, AAA has 3"},
		{"no note", overlay("at heading/AAA\n  notes Q0102\n"), "4:9: \"Q0102\" is no syntax note"},
		{"note of a loop", overlay("at detail/LLL\n  notes P0102\n"), "is a loop"},
		{"level of no hierarchy", overlay("at detail/LLL\n  level S forbid\n"), "is no hierarchy"},
		{"too many levels", []string{base + "segment HL \"Level\"\n  1 2 M\n  2 2 O\n  3 2 M\n", "guide test/778\nuses test/d\nset 778\narea detail\n  hl HL M *\n" + manyLevels(101)}, "at most 100 kinds of levels"},
		{"convention of nothing", overlay("convention\n"), "convention needs a name"},
		{"template bomb", with("    SUB O *\n", "    include a\ntemplate a\n  include a\n  include a\n"), "nested deeper"},
		{"extends itself", []string{"dictionary test/d\nextends test/d\n"}, "extends itself"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := catalog(t, c.texts...)
			var syntax *schema.SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("error %v, want a *SyntaxError with %q", err, c.want)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %q, want %q", err, c.want)
			}
		})
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	c := schema.Shipped()
	if _, err := c.Guide("x12/nothing"); !errors.Is(err, schema.ErrNotFound) {
		t.Errorf("error %v", err)
	}
	if _, ok := c.Lookup(schema.X12, "004010", "000"); ok {
		t.Error("a guide for document type 000 was found")
	}
	if _, ok := c.Lookup(schema.X12, "00", "850"); ok {
		t.Error("a guide for version 00 was found")
	}
	if d := c.DictionaryFor(schema.X12, "005010X222A1"); d == nil || d.Version != "005010" {
		t.Errorf("dictionary %+v", d)
	}
}

// TestOpenCodes: an open list names values and refuses none.
func TestOpenCodes(t *testing.T) {
	t.Parallel()
	open := schema.NewCodes(true, []schema.Code{{Value: "A", Name: "one"}, {Value: "LONGERTHAN8", Name: "two"}})
	for value, known := range map[string]bool{"A": true, "LONGERTHAN8": true, "B": false, "LONGERTHAN9": false, "": false} {
		if _, ok := open.Find([]byte(value)); ok != known {
			t.Errorf("%q known %v", value, ok)
		}
		if !open.Allows([]byte(value), 0) {
			t.Errorf("%q refused", value)
		}
	}
	var none *schema.Codes
	if !none.Allows([]byte("X"), 0) || none.Len() != 0 || none.Hint(3) != "" {
		t.Error("no list does not allow everything")
	}
}

// FuzzSchema loads any text: it ends in a guide or a *SyntaxError, never in a
// panic, and in bounded time.
func FuzzSchema(f *testing.F) {
	f.Add([]byte(base))
	f.Add([]byte(guide))
	f.Add([]byte("guide test/own\nbased-on test/777\nat detail/LLL\n  variant A require where 1 = 5\n    at SUB\n      forbid\n  others forbid\ncodes 1 add CC\n"))
	f.Add([]byte("guide test/own\nbased-on test/777\nat */SUB\n  instead SUB O *\n  followed-by loop AAA O *\n    AAA M 1\n    SUB O 1\nat heading/AAA\n  3-2 codes X\n"))
	f.Add([]byte("dictionary x\nelement 5 ID 1..3\n  A\n  others B C\nelement 6 AN 1..9\nsegment DDD\n  1 5 O\n  2 6 O format 1\n"))
	f.Add([]byte("guide a\nuses test/d\nset 1\narea detail\n  hl HL M *\n    level S root\n      HL M 1\n    level * under S\n      HL M 1\nsegment HL\n  1 2 M\n  2 2 O\n  3 1 M\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c := &schema.Catalog{}
		for _, known := range []string{base, guide} {
			if _, err := c.Add("known", []byte(known)); err != nil {
				t.Fatal(err)
			}
		}
		file, err := c.Add("text", text)
		if err != nil {
			var syntax *schema.SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		if file.IsGuide {
			if _, err := c.Guide(file.Name); err != nil {
				t.Fatalf("added, but not there: %v", err)
			}
		}
	})
}

// manyLevels writes levels A00, A01 and so on.
func manyLevels(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "    level A%02d\n      HL M 1\n", i)
	}
	return b.String()
}
