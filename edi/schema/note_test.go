package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"tradepost/edi/schema"
)

// TestSyntaxNotesHold: every kind of note, of X12.6 and of ISO 9735-1, over all
// ways in which three elements are there or not.
func TestSyntaxNotesHold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		note  string
		holds string // of the combinations below
	}{
		{"P010203", "- 123"},
		{"R010203", "1 2 3 12 13 23 123"},
		{"E010203", "- 1 2 3"},
		{"C010203", "- 2 3 23 123"},
		{"L010203", "- 2 3 12 13 23 123"},
		{"D1:010203", "1 2 3"},
		{"D2:010203", "- 123"},
		{"D3:010203", "1 2 3 12 13 23 123"},
		{"D4:010203", "- 1 2 3"},
		{"D5:010203", "- 2 3 23 123"},
		{"D6:010203", "- 2 3 12 13 23 123"},
		{"D7:010203", "- 1 2 3 23"},
	} {
		dictionary := strings.Replace("dictionary test/d\nstandard X12\nversion 009999\nelement 1 AN 1..5\nsegment AAA\n  1 1 O\n  2 1 O\n  3 1 O\n  notes N\n", "N\n", c.note+"\n", 1)
		g, err := catalog(t, dictionary, "guide test/777\nuses test/d\nset 777\narea heading\n  AAA M 1\n")
		if err != nil {
			t.Fatalf("%s: %v", c.note, err)
		}
		compiled, err := g.Guide("test/777")
		if err != nil {
			t.Fatal(err)
		}
		note := compiled.Places(schema.MakeTag("AAA")).Notes[0]
		var holds []string
		for _, there := range []string{"-", "1", "2", "3", "12", "13", "23", "123"} {
			var present uint64
			for p := 1; p <= 3; p++ {
				if strings.Contains(there, fmt.Sprint(p)) {
					present |= 1 << (p - 1)
				}
			}
			if note.Holds(present) {
				holds = append(holds, there)
			}
		}
		if got := strings.Join(holds, " "); got != c.holds {
			t.Errorf("%s holds for %q, want %q", c.note, got, c.holds)
		}
	}
}
