package maptest_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"tradepost/edi/mapping/maptest"
	"tradepost/edi/schema"
)

const mapText = `-- map --
map: m
from: {edi: x12/004010/850}
to: {form: {form: m, fields: {number: text, date: date, lines: {list: L, fields: {q: decimal, u: text}}}}}
lines:
  number: BEG/3
  date: BEG/5
  lines: {each: PO1, fields: {q: PO1/2, u: PO1/3}}
only-from: {BEG/1: {const: "00"}, BEG/2: {const: SA}}
`

const inputText = "-- input --\nST*850*0001~\nBEG*00*SA*4501**20260301~\nPO1**9.250*EA~\nSE*4*0001~\n"

func run(t *testing.T, text string, files ...string) (*maptest.Result, error) {
	t.Helper()
	fsys := fstest.MapFS{"cases/a.case": {Data: []byte(text)}}
	for i := 0; i+1 < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	c, err := maptest.Read(fsys, "cases/a.case")
	if err != nil {
		return nil, err
	}
	return maptest.NewRunner(schema.Shipped()).Run(t.Context(), c)
}

// TestDifferences: what a map does differently is shown line by line, and
// Updated gives the case it passes.
func TestDifferences(t *testing.T) {
	t.Parallel()
	good := `{"lines": [{"u": "EA", "q": 9.250}], "date": "2026-03-01", "number": "4501"}`
	for _, c := range []struct{ name, sections, section, want string }{
		{"the order of fields does not matter", "-- output --\n" + good + "\n-- back --\nsame\n", "", ""},
		{"digits do", "-- output --\n" + strings.Replace(good, "9.250", "9.25", 1) + "\n", "output", "-       \"q\": 9.25\n"},
		{"a value", "-- output --\n" + strings.Replace(good, "4501", "4502", 1) + "\n", "output", "-   \"number\": \"4502\"\n"},
		{"no JSON", "-- output --\n{\n", "output", "the section is no JSON"},
		{"another segment", "-- output --\n" + good + "\n-- back --\nST*850*0001~\nBEG*00*SA*4502**20260301~\nPO1**9.250*EA~\nSE*4*0001~\n", "back", "- BEG*00*SA*4502**20260301~\n+ BEG*00*SA*4501**20260301~\n"},
		{"a fault that does not come", "-- output --\n" + good + "\n-- faults --\nno such thing\n", "faults", "- no such thing\n"},
		{"a value that is not left", "-- output --\n" + good + "\n-- left --\nBEG09\n", "left", "- BEG09\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := run(t, "-- case --\ntitle: t\n"+mapText+inputText+c.sections)
			if err != nil {
				t.Fatal(err)
			}
			if c.section == "" {
				if !r.Passed() {
					t.Errorf("%+v", r.Differences)
				}
				return
			}
			if len(r.Differences) != 1 || r.Differences[0].Section != c.section || r.Differences[0].Line == 0 || !strings.Contains(r.Differences[0].Text, c.want) {
				t.Fatalf("%+v", r.Differences)
			}
			if again, err := run(t, string(r.Updated())); err != nil || !again.Passed() {
				t.Errorf("the updated case does not pass: %v\n%s", err, r.Updated())
			}
		})
	}
}

func TestMapsBesideTheCase(t *testing.T) {
	t.Parallel()
	beside := strings.TrimPrefix(mapText, "-- map --\n")
	r, err := run(t, "-- case --\nmap: ../maps/m.yaml\nthen: ../maps/m.yaml\n"+inputText+"-- output --\nST*850*0001~\nBEG*00*SA*4501**20260301~\nPO1**9.250*EA~\nSE*4*0001~\n", "maps/m.yaml", beside)
	if err != nil || !r.Passed() {
		t.Errorf("%v, %+v", err, r)
	}
	if _, err := run(t, "-- case --\nmap: ../../m.yaml\n"+inputText); err == nil || !strings.Contains(err.Error(), "outside of what can be read") {
		t.Error(err)
	}
	if _, err := run(t, "-- case --\nmap: nothing.yaml\n"+inputText); err == nil {
		t.Error("a map that is not there was run")
	}
}

func TestCasesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, mistake string }{
		{"", "the case is empty"},
		{"hello\n", "a.case:1: a case begins with a line -- case --"},
		{"-- cas --\n", `there is no section "cas"`},
		{"-- case --\nmapp: x\n", `a.case:2: there is no key "mapp"`},
		{"-- case --\nmap\n", "write key: value"},
		{"-- case --\nmap: x12/850\n", "no section input"},
		{"-- case --\ntitle: t\n" + inputText, "name the map"},
		{"-- case --\nmap: x12/850\n" + mapText + inputText, "name the map"},
		{"-- case --\nmap: x12/850\nway: up\n", "way is forward or backward"},
		{"-- case --\nmap: x12/850\nformat: yaml\n", "format is json"},
		{"-- case --\nmap: x12/850\nprofile: lazy\n", "profile is tolerant or strict"},
		{"-- case --\nmap: x12/850\nleft: right\n", "left is ignore"},
		{"-- case --\nmap: edifact/ORDERS\n" + inputText, "does not read this input"},
		{"-- case --\nmap: x12/850\nguide: x12/nothing\n" + inputText, "x12/nothing"},
		{"-- case --\nmap: x12/850\n-- guide --\nguid x\n" + inputText, "the guide in case"},
	} {
		_, err := run(t, c.text)
		if err == nil || !strings.Contains(err.Error(), c.mistake) {
			t.Errorf("%q: %v, want %q", c.text, err, c.mistake)
		}
		var format *maptest.FormatError
		if errors.As(err, &format) && format.Line == 0 {
			t.Errorf("%v has no line", err)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{"b/x.case": {}, "a/y.case": {}, "a/z.txt": {}}
	got, err := maptest.Find(fsys, ".")
	if err != nil || strings.Join(got, " ") != "a/y.case b/x.case" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := maptest.Find(fsys, "c"); err == nil {
		t.Error("a folder that is not there")
	}
}
