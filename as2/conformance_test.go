package as2

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestConformancePage holds docs/as2-conformance.md to the tests it names, and
// the tests made for certified products to being named there.
func TestConformancePage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/as2-conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]string{}
	for _, folder := range []string{
		"as2", "as2/cms", "transport/as2", "certs", "certs/cem", "interop", "processes", "processes/steps", "transport/directory",
		"internal/config", "internal/gateway", "internal/observe", "internal/store/sqlstore",
	} {
		files, err := filepath.Glob("../" + folder + "/*_test.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no tests, %v", folder, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			sources[folder] += string(b)
		}
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`([a-z0-9/]+) ((?:Test|Fuzz)[A-Za-z0-9]+)(?:/([^`]*))?`").FindAllStringSubmatch(string(page), -1) {
		folder, test, sub := m[1], m[2], m[3]
		named[folder+" "+test] = true
		if _, ok := sources[folder]; !ok {
			t.Errorf("%s is not read by this test", folder)
		}
		if !strings.Contains(sources[folder], "func "+test+"(") {
			t.Errorf("%s has no %s", folder, test)
		}
		if sub != "" && !strings.Contains(sources[folder], `"`+sub) {
			t.Errorf("%s %s has no case %q", folder, test, sub)
		}
	}
	for _, chapter := range []string{"What other products do", "What users reported", "What attackers used"} {
		if !strings.Contains(string(page), "\n## "+chapter+"\n") {
			t.Errorf("the page has no chapter %q", chapter)
		}
	}
	if len(named) < 120 {
		t.Errorf("the page names %d tests: it is not read right", len(named))
	}
	for folder, source := range sources {
		for _, m := range regexp.MustCompile(`func (TestDrummond[A-Za-z0-9]+)\(`).FindAllStringSubmatch(source, -1) {
			if !named[folder+" "+m[1]] {
				t.Errorf("%s %s is not on the page", folder, m[1])
			}
		}
	}
}
