package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// littleMap carries four values and the lines of an order, both ways.
const littleMap = `map: little
title: A little order
from: {edi: x12/004010/850}
to:
  form:
    form: little
    fields:
      number: text!
      date: date!
      lines: {list: Lines, fields: {quantity: decimal, unit: text, price: decimal}}
    csv: {rows: lines, key: [number]}
lines:
  number: BEG/3
  date: BEG/5
  lines: {each: PO1, fields: {quantity: PO1/2, unit: PO1/3, price: PO1/4}}
only-from:
  BEG/1: {const: "00"}
  BEG/2: {const: NE}
  CTT/1: {count: lines}
`

func inFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestConvertThroughAMapAndBack(t *testing.T) {
	t.Parallel()
	file := filepath.Join(inFolder(t, map[string]string{"little.yaml": littleMap}), "little.yaml")
	order := strings.Replace(strings.ReplaceAll(goodOrder, "\r\n", "\n"), "9.95*", "9.950*", 1)
	for _, c := range []struct{ to, want string }{
		{"json", "{\n  \"number\": \"4500012345\",\n  \"date\": \"2026-03-01\",\n  \"lines\": [\n    {\n      \"quantity\": 10,\n      \"unit\": \"EA\",\n      \"price\": 9.950\n    }\n  ]\n}\n"},
		{"jsonl", `{"number":"4500012345","date":"2026-03-01","lines":[{"quantity":10,"unit":"EA","price":9.950}]}` + "\n"},
		{"xml", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<little>\n  <number>4500012345</number>\n  <date>2026-03-01</date>\n  <lines>\n    <quantity>10</quantity>\n    <unit>EA</unit>\n    <price>9.950</price>\n  </lines>\n</little>\n"},
		{"csv", "number,date,lines.quantity,lines.unit,lines.price\n4500012345,2026-03-01,10,EA,9.950\n"},
	} {
		code, out, words := ediRun(t, order, "convert", "-", "--map", file, "--to", c.to)
		if code != ExitOK {
			t.Errorf("%s: exit %d: %s", c.to, code, words)
		}
		if d := cmp.Diff(c.want, out); d != "" {
			t.Errorf("%s: %s", c.to, d)
		}
		if !strings.Contains(words, `left behind: N101`) || !strings.Contains(words, `"Main Street Store"`) {
			t.Errorf("%s: what is left behind is not told: %s", c.to, words)
		}
		want := strings.NewReplacer("N1*ST*Main Street Store*92*0042~\n", "", "BUYERGS*SELLERGS*20260301*1200*1*", "BUYER*SELLER*20260302*0830*42*", "260301*1200*U*00401*000000001", "260302*0830*U*00401*000000042", "GE*1*1", "GE*1*42", "IEA*1*000000001", "IEA*1*000000042",
			"SE*6", "SE*5", "**UP*012345678905", "", "PO1*1*", "PO1**").Replace(order)
		code, back, words := ediRun(t, out, "convert", "-", "--map", file, "--to", "edi", "--sender", "ZZ:BUYER", "--receiver", "SELLER", "--control", "42")
		if code != ExitOK || words != "" {
			t.Errorf("%s and back: exit %d: %s", c.to, code, words)
		}
		if d := cmp.Diff(want, back); d != "" {
			t.Errorf("%s and back: %s", c.to, d)
		}
	}
}

// TestConvertFromX12ToEDIFACT runs two maps with the form between them.
func TestConvertFromX12ToEDIFACT(t *testing.T) {
	t.Parallel()
	args := []string{"convert", "-", "--map", "x12/850", "--map", "edifact/ORDERS", "--to", "edi"}
	code, _, words := ediRun(t, goodOrder, args...)
	if code != ExitUsage || !strings.Contains(words, "no control number: give --control,") {
		t.Errorf("exit %d: %s", code, words)
	}
	code, out, words := ediRun(t, goodOrder, append(args, "--control", "17", "--test", "--document-control", "100")...)
	if code != ExitOK || !strings.HasPrefix(out, "UNB+UNOC:3+BUYER:ZZ+SELLER:ZZ+260302:0830+17++++++1'\nUNH+100+ORDERS:D:96A:UN'\nBGM+") || !strings.Contains(out, "4500012345") {
		t.Errorf("exit %d: %s\n%s", code, words, out)
	}
	if code, _, words := ediRun(t, out, "validate", "-"); code != ExitOK {
		t.Errorf("what was written is not valid: %s", words)
	}
	code, back, words := ediRun(t, out, "convert", "-", "--map", "edifact/ORDERS", "--map", "x12/850", "--to", "edi", "--control", "1", "--bare")
	if code != ExitOK || !strings.Contains(back, "*4500012345**20260301~") || !strings.Contains(back, "PO1*1*10*EA*9.95**UP*012345678905~") {
		t.Errorf("and back: exit %d: %s\n%s", code, words, back)
	}
}

func TestConvertThroughAMapSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := inFolder(t, map[string]string{
		"little.yaml": littleMap,
		"broken.yaml": strings.Replace(littleMap, "BEG/5", "BEG/55", 1),
		"oneway.yaml": strings.Replace(littleMap, "number: BEG/3", "number: {path: BEG/3, to: {value: upper(value)}}", 1),
	})
	little := filepath.Join(dir, "little.yaml")
	for _, c := range []struct {
		name, input string
		want        int
		text        string
		args        []string
	}{
		{"no form to write", goodOrder, ExitUsage, "--to is missing", []string{}},
		{"a map makes no EDI of EDI", goodOrder, ExitUsage, "write --to json, jsonl, xml or csv", []string{"--map", little, "--to", "edi"}},
		{"a map makes EDI of JSON", `{"number":"1"}`, ExitUsage, "write --to edi", []string{"--map", little, "--to", "json"}},
		{"flags without a map", goodOrder, ExitUsage, "--control goes with --map", []string{"--to", "json", "--control", "1"}},
		{"no envelope", `{"number":"1","date":"2026-03-01"}`, ExitUsage, "no sender, no receiver, no control number: give --sender, --receiver, --control", []string{"--map", little, "--to", "edi"}},
		{"no such map", goodOrder, ExitNotFound, "did you mean x12/850", []string{"--map", "x12/580", "--to", "json"}},
		{"no such file", goodOrder, ExitNotFound, "there is no file", []string{"--map", dir + "/nothing.yaml", "--to", "json"}},
		{"map with a mistake", goodOrder, ExitConfig, "broken.yaml:14:13: path \"BEG/55\": BEG has 12 elements", []string{"--map", filepath.Join(dir, "broken.yaml"), "--to", "json"}},
		{"map that runs forward only", `{"number":"1","date":"2026-03-01"}`, ExitUsage, "cannot run backward", []string{"--map", filepath.Join(dir, "oneway.yaml"), "--to", "edi", "--bare"}},
		{"missing field", `{"number":"1"}`, ExitInvalid, "document 1 (little): not converted: date: is required and missing", []string{"--map", little, "--to", "edi", "--bare"}},
		{"wrong date", `{"number":"1","date":"2026-02-30"}`, ExitInvalid, `date (byte 22): "2026-02-30" is no date`, []string{"--map", little, "--to", "edi", "--bare"}},
		{"no JSON", `{"number" 1}`, ExitInvalid, "reading JSON at byte 10: the input is no JSON", []string{"--map", little, "--to", "edi", "--bare"}},
		{"not for the map", strings.ReplaceAll(goodOrder, "ST*850", "ST*855"), ExitInvalid, "does not read this input", []string{"--map", little, "--to", "json"}},
		{"invalid document", badOrder(), ExitInvalid, "error at byte", []string{"--map", little, "--to", "json"}},
		{"empty", "", ExitInvalid, "", []string{"--map", little, "--to", "edi", "--bare"}},
		{"line end", goodOrder, ExitUsage, "lf, crlf or none", []string{"--map", little, "--to", "json", "--line-end", "cr"}},
		{"delimiters", goodOrder, ExitUsage, "three or four characters", []string{"--map", little, "--to", "json", "--delimiters", "*"}},
		{"two maps without the same form", goodOrder, ExitUsage, "the same form between them", []string{"--map", "x12/850", "--map", little, "--to", "edi", "--bare"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			code, out, words := ediRun(t, c.input, append([]string{"convert", "-"}, c.args...)...)
			if code != c.want || !strings.Contains(words, c.text) {
				t.Errorf("exit %d, want %d\n%s%s", code, c.want, words, out)
			}
		})
	}
}

func TestConvertToXMLAndCSVWithoutAMap(t *testing.T) {
	t.Parallel()
	code, text, words := ediRun(t, goodOrder, "convert", "-", "--to", "xml")
	if code != ExitOK || !strings.Contains(text, `<element position="3" name="Purchase order number">4500012345</element>`) {
		t.Errorf("exit %d: %s\n%s", code, words, text)
	}
	code, back, words := ediRun(t, text, "convert", "-", "--to", "edi")
	if code != ExitOK || back != goodOrder {
		t.Errorf("exit %d: %s\n%s", code, words, back)
	}
	code, text, words = ediRun(t, goodOrder, "convert", "-", "--to", "csv")
	if code != ExitOK || !strings.Contains(text, "000000001,1,0001,850,2,,BEG,3,,,Purchase order number,4500012345,\n") {
		t.Errorf("exit %d: %s\n%s", code, words, text)
	}
}

func TestMapListAndShow(t *testing.T) {
	t.Parallel()
	code, out, _ := ediRun(t, "", "map", "list", "-o", "json")
	var rows []mapRow
	if err := json.Unmarshal([]byte(out), &rows); err != nil || code != ExitOK || len(rows) == 0 {
		t.Fatalf("exit %d, %v: %s", code, err, out)
	}
	for _, r := range rows {
		if !r.BothWays || r.Title == "" || len(r.From) == 0 || len(r.To) == 0 {
			t.Errorf("%+v", r)
		}
		if code, out, _ := ediRun(t, "", "map", "show", r.Name); code != ExitOK || !strings.Contains(out, "map: "+r.Name+"\n") {
			t.Errorf("show %s: exit %d", r.Name, code)
		}
	}
	if code, out, _ := ediRun(t, "", "map", "show", "order"); code != ExitOK || !strings.Contains(out, "form: order\n") {
		t.Errorf("a form: exit %d", code)
	}
	if code, _, words := ediRun(t, "", "map", "show", "nothing"); code != ExitNotFound || !strings.Contains(words, "there are") {
		t.Errorf("exit %d: %s", code, words)
	}
}

// TestShownMapsAreBeginnings: what show prints is in order when it is put into
// a file.
func TestShownMapsAreBeginnings(t *testing.T) {
	t.Parallel()
	_, text, _ := ediRun(t, "", "map", "show", "x12/850")
	dir := inFolder(t, map[string]string{"own.yaml": text})
	code, out, words := ediRun(t, "", "map", "check", filepath.Join(dir, "own.yaml"))
	if code != ExitOK || !strings.Contains(out, "in order; it runs both ways") {
		t.Errorf("exit %d: %s%s", code, out, words)
	}
}

func TestMapCheckMarksThePlace(t *testing.T) {
	t.Parallel()
	dir := inFolder(t, map[string]string{"a.yaml": strings.Replace(littleMap, "  date: BEG/5", "  dat: BEG/5", 1), "b.yaml": littleMap})
	a, b := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml")
	code, out, words := ediRun(t, "", "map", "check", a, b)
	want := a + ":14:3: path \"dat\": there is no field dat in little in form little\n" +
		"   14 |   dat: BEG/5\n      |   ^\n        did you mean date?\n"
	if code != ExitConfig || !strings.Contains(words, want) || !strings.Contains(out, "b.yaml: map little is in order; it runs both ways") {
		t.Errorf("exit %d\n%s%s", code, words, out)
	}
	code, out, _ = ediRun(t, "", "map", "check", "-o", "json", a, b)
	var rows []checkedMap
	if err := json.Unmarshal([]byte(out), &rows); err != nil || code != ExitConfig || len(rows) != 2 || rows[0].Valid || !rows[1].Valid || !rows[1].BothWays {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
	if p := rows[0].Problems[len(rows[0].Problems)-1]; p.File != a || p.Line != 14 || p.Column != 3 || p.Hint != "did you mean date?" {
		t.Errorf("%+v", p)
	}
	if code, _, _ := ediRun(t, "", "map", "check", filepath.Join(dir, "c.yaml")); code != ExitNotFound {
		t.Errorf("a file that is not there: exit %d", code)
	}
}

const littleCase = `-- case --
map: little.yaml
title: A line
-- input --
ST*850*0001~
BEG*00*NE*1**20260301~
PO1**10*EA*9.950~
CTT*1~
SE*5*0001~
`

func TestMapTest(t *testing.T) {
	t.Parallel()
	dir := inFolder(t, map[string]string{"little.yaml": littleMap, "line.case": littleCase + "-- back --\nsame\n"})
	code, out, _ := ediRun(t, "", "map", "test", dir)
	if code != ExitFailed || !strings.Contains(out, "FAIL  "+filepath.Join(dir, "line.case")+"  A line\n") || !strings.Contains(out, `+   "number": "1",`) || !strings.Contains(out, "1 case: 0 passed, 1 failed") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, out, words := ediRun(t, "", "map", "test", "--update", dir); code != ExitOK || !strings.Contains(out, "new ") {
		t.Errorf("update: exit %d\n%s%s", code, out, words)
	}
	text, err := os.ReadFile(filepath.Join(dir, "line.case"))
	if err != nil || !strings.HasSuffix(string(text), "      \"price\": 9.950\n    }\n  ]\n}\n-- back --\nsame\n") {
		t.Errorf("%v\n%s", err, text)
	}
	if code, out, _ := ediRun(t, "", "map", "test", filepath.Join(dir, "line.case")); code != ExitOK || !strings.Contains(out, "1 case: 1 passed, 0 failed") {
		t.Errorf("exit %d\n%s", code, out)
	}
	changed := strings.Replace(string(text), "9.950\n", "9.95\n", 1)
	if err := os.WriteFile(filepath.Join(dir, "line.case"), []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, _ = ediRun(t, "", "map", "test", "-o", "json", dir)
	var rows []testedCase
	if err := json.Unmarshal([]byte(out), &rows); err != nil || code != ExitFailed || len(rows) != 1 || rows[0].Passed {
		t.Fatalf("exit %d, %v: %s", code, err, out)
	}
	if d := rows[0].Differences; len(d) != 1 || d[0].Section != "output" || d[0].Line != 11 || !strings.Contains(d[0].Text, "-       \"price\": 9.95\n+       \"price\": 9.950\n") {
		t.Errorf("%+v", rows)
	}
	if code, _, words := ediRun(t, "", "map", "test", inFolder(t, nil)); code != ExitNotFound || !strings.Contains(words, "there is no .case file") {
		t.Errorf("no cases: exit %d: %s", code, words)
	}
	bad := inFolder(t, map[string]string{"bad.case": "-- case --\nmapp: x\n"})
	if code, out, _ := ediRun(t, "", "map", "test", bad); code != ExitFailed || !strings.Contains(out, "bad.case:2: there is no key") {
		t.Errorf("a case with a mistake: exit %d\n%s", code, out)
	}
}
