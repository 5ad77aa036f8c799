package validate_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tradepost/edi/validate"
)

// TestRulesAreComplete: every rule this package and the reader name is in the
// list that a partner's exceptions are checked against.
func TestRulesAreComplete(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	// Warnings that waive nothing.
	others := []string{"no-dictionary", "duplicates-unchecked"}
	found := 0
	use := regexp.MustCompile(`(?:Rule(?:, is\.\w+)? = |Waiver\(|waiveOrFail\(|again\(|strictly\(|rule, text = )"([a-z0-9-]+)"`)
	for _, file := range append(files, "../notice.go") {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pattern := use
		if strings.HasSuffix(file, "notice.go") {
			pattern = regexp.MustCompile(`Rule = "([a-z-]+)"`)
		}
		for _, m := range pattern.FindAllStringSubmatch(string(text), -1) {
			found++
			if rule := m[1]; !slices.Contains(validate.Rules(), rule) && !slices.Contains(others, rule) {
				t.Errorf("%s names the rule %s, Rules does not", file, rule)
			}
		}
	}
	if found < 45 {
		t.Errorf("%d rules found in the sources: they are not read right", found)
	}
}
