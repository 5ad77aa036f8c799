package validate_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"tradepost/edi/validate"
)

// TestNeighboursAreNotSpoiled: whatever happens to one segment of a document,
// the documents beside it keep their verdict, and what is told about the bad one
// does not run away.
func TestNeighboursAreNotSpoiled(t *testing.T) {
	t.Parallel()
	for name, text := range goodInterchanges(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			end, elem := "~", "*"
			if strings.HasPrefix(text, "UN") {
				end, elem = "'", "+"
			}
			segments := strings.SplitAfter(text, end)
			for i := range segments {
				tag := strings.TrimLeft(segments[i], "\r\n")
				if !strings.Contains(tag, elem) || strings.Contains(" ISA IEA GS GE UNA UNB UNZ UNG UNE ", " "+tag[:strings.Index(tag, elem)]+" ") {
					continue
				}
				for what, mutated := range map[string]string{
					"left out":     "",
					"twice":        segments[i] + segments[i],
					"unknown":      strings.Replace(segments[i], tag[:strings.Index(tag, elem)], "QQQ", 1),
					"swapped":      segments[i+1] + segments[i],
					"without data": tag[:strings.Index(tag, elem)] + end,
					"garbled":      strings.Replace(segments[i], elem, elem+"\x01", 1),
				} {
					all := append(append(append([]string{}, segments[:i]...), mutated), segments[i+1:]...)
					if what == "swapped" {
						if strings.HasPrefix(tag, "SE") || strings.HasPrefix(tag, "UNT") {
							continue // two documents in one another
						}
						all = append(append(append([]string{}, segments[:i]...), mutated), segments[i+2:]...)
					}
					spoiled(t, fmt.Sprintf("%s %s", strings.TrimSpace(segments[i]), what), strings.Join(all, ""))
				}
			}
		})
	}
}

// spoiled validates a mutated interchange: of its documents all but the one or
// two that were touched are as good as before.
func spoiled(t *testing.T, what, text string) {
	t.Helper()
	r := check(t, text, validate.Options{})
	bad, issues := 0, 0
	for _, ic := range r.Interchanges {
		for _, g := range ic.Groups {
			for _, d := range g.Documents {
				if !d.Accepted {
					bad++
				}
				for _, is := range d.Issues {
					if is.Severity == validate.Error {
						issues++
					}
				}
			}
		}
	}
	if bad > 2 || issues > 6 {
		t.Errorf("%s: %d documents are bad, %d errors", what, bad, issues)
		for i, is := range r.All() {
			if i < 15 {
				t.Logf("  %s %s#%d %s", is.Ack, is.Segment, is.Ordinal, is.Text)
			}
		}
	}
}

// goodInterchanges are the inputs of our cases that are accepted and hold more
// than one document.
func goodInterchanges(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	files, err := filepath.Glob("testdata/*.case")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		input := ""
		for _, s := range readCase(t, file) {
			switch s.name {
			case "input":
				input = strings.TrimSuffix(s.text, "\n")
			case "guide", "options":
				input = ""
			}
		}
		if input == "" {
			continue
		}
		r := check(t, input, validate.Options{})
		documents := 0
		for _, ic := range r.Interchanges {
			for _, g := range ic.Groups {
				documents += len(g.Documents)
			}
		}
		if r.Accepted && r.Warnings == 0 && documents > 1 {
			out[strings.TrimSuffix(filepath.Base(file), ".case")] = input
		}
	}
	if len(out) < 5 {
		t.Fatalf("%d good interchanges only", len(out))
	}
	return out
}
