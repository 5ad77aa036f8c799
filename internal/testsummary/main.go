// Command testsummary reads the output of `go test -json` and prints what a
// person wants of it: the closing line of every package, the output of what
// failed, and what was left out with the reason. It exits 1 when anything
// failed.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// event is one line of `go test -json` (see `go doc test2json`).
type event struct {
	Action, Package, Test, Output string
}

func main() {
	failed, err := summarize(os.Stdin, os.Stdout)
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "testsummary:", err)
	}
	if failed || err != nil {
		os.Exit(1)
	}
}

// skip is why tests were left out, and how many.
type skip struct {
	reason string
	tests  int
}

// summarize copies what matters from r to w.
func summarize(r io.Reader, w io.Writer) (failed bool, err error) {
	output := map[[2]string][]string{} // package and test -> lines
	var skips []skip
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			if _, err := fmt.Fprintln(w, lines.Text()); err != nil { // a message of the go command itself
				return failed, err
			}
			continue
		}
		key := [2]string{e.Package, e.Test}
		switch e.Action {
		case "output", "build-output":
			if e.Test == "" && (closing(e.Output) || e.Action == "build-output") {
				if _, err := io.WriteString(w, e.Output); err != nil {
					return failed, err
				}
				continue
			}
			if !strings.HasPrefix(e.Output, "=== ") {
				output[key] = append(output[key], e.Output)
			}
		case "fail", "build-fail":
			failed = true
			if _, err := io.WriteString(w, strings.Join(output[key], "")); err != nil {
				return failed, err
			}
			delete(output, key)
		case "skip":
			if e.Test != "" {
				skips = count(skips, reason(output[key]))
			}
			delete(output, key)
		case "pass":
			delete(output, key)
		}
	}
	if err := lines.Err(); err != nil {
		return failed, err
	}
	slices.SortFunc(skips, func(a, b skip) int { return cmp.Compare(b.tests, a.tests) })
	for _, s := range skips {
		if _, err := fmt.Fprintf(w, "left out, %d of the tests: %s\n", s.tests, s.reason); err != nil {
			return failed, err
		}
	}
	return failed, nil
}

// closing tells whether a line is the last one of a package.
func closing(line string) bool {
	return strings.HasPrefix(line, "ok  ") || strings.HasPrefix(line, "FAIL\t") || strings.HasPrefix(line, "panic:")
}

// reason finds the words of t.Skip among the output of a test.
func reason(lines []string) string {
	for _, l := range lines {
		if _, words, ok := strings.Cut(l, ".go:"); ok {
			_, words, _ = strings.Cut(words, ": ")
			return strings.TrimSpace(words)
		}
	}
	return "no reason was given"
}

func count(skips []skip, reason string) []skip {
	for i := range skips {
		if skips[i].reason == reason {
			skips[i].tests++
			return skips
		}
	}
	return append(skips, skip{reason, 1})
}
