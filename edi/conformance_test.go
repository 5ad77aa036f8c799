package edi_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestConformancePage holds docs/edi-conformance.md to the tests and cases it
// names.
func TestConformancePage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/edi-conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]string{}
	source := func(folder string) string {
		if text, known := sources[folder]; known {
			return text
		}
		files, err := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
		if folder == "internal/store/storetest" {
			files, err = filepath.Glob(filepath.Join("..", folder, "*.go"))
		}
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no tests, %v", folder, err)
		}
		var all strings.Builder
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(b)
		}
		sources[folder] = all.String()
		return all.String()
	}
	named := 0
	for _, m := range regexp.MustCompile("`([a-z0-9/.]+) ((?:[tT]est|Fuzz|Example)[A-Za-z0-9]+)(?:/([^`]*))?`").FindAllStringSubmatch(string(page), -1) {
		folder, test, sub := m[1], m[2], m[3]
		named++
		if !strings.Contains(source(folder), "func "+test+"(") {
			t.Errorf("%s has no %s", folder, test)
		}
		if sub == "" || strings.Contains(source(folder), `"`+sub) {
			continue
		}
		if _, err := os.Stat(filepath.Join("..", folder, "testdata", sub+".case")); err != nil {
			t.Errorf("%s %s has no case %q", folder, test, sub)
		}
	}
	if code := strings.Count(string(page), "`edi/validate "); named < 90 || code < 50 {
		t.Errorf("the page names %d tests, %d of edi/validate: it is not read right", named, code)
	}
	// Every code of the acknowledgements' lists that we report has its own case.
	for _, m := range regexp.MustCompile(`"(AK304|AK403)=(\d+)"`).FindAllStringSubmatch(source("edi/validate")+faultTable(t), -1) {
		if !strings.Contains(string(page), strings.ToLower(m[1])+"-"+m[2]+"-") {
			t.Errorf("%s=%s has no case on the page", m[1], m[2])
		}
	}
}

func faultTable(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("validate/fault.go")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
