package mapping_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"tradepost/edi/mapping/maptest"
	"tradepost/edi/schema"
)

// TestDocumentedExamples runs every example of docs/maps.md; -update writes
// what the maps make into the page.
func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	const page = "../../docs/maps.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	runner := maptest.NewRunner(schema.Shipped())
	block := regexp.MustCompile("(?s)```case\n(.*?)```\n")
	n, changed := 0, false
	out := block.ReplaceAllStringFunc(string(text), func(b string) string {
		n++
		example := block.FindStringSubmatch(b)[1]
		fsys := fstest.MapFS{"maps.md": {Data: []byte(example)}}
		c, err := maptest.Read(fsys, "maps.md")
		if err != nil {
			t.Errorf("example %d: %v", n, err)
			return b
		}
		result, err := runner.Run(t.Context(), c)
		if err != nil {
			t.Errorf("example %d (%s): %v", n, c.Title, err)
			return b
		}
		if result.Passed() {
			return b
		}
		if *update {
			changed = true
			return "```case\n" + string(result.Updated()) + "```\n"
		}
		for _, d := range result.Differences {
			t.Errorf("example %d (%s): %s is not as the page says:\n%s", n, c.Title, d.Section, d.Text)
		}
		return b
	})
	if n < 10 || strings.Count(out, "```")%2 != 0 {
		t.Errorf("%d examples were found: the search is broken", n)
	}
	if changed {
		if err := os.WriteFile(page, []byte(out), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
