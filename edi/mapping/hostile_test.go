package mapping_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"tradepost/edi/mapping"
	"tradepost/edi/schema"
)

// head is a map up to its lines.
const head = "map: h\nfrom: {edi: x12/004010/850}\nto: {form: {form: h, fields: {number: text, date: date, lines: {list: L, fields: {q: decimal}}}}}\nlines:\n"

// loadError loads a text that has to be refused.
func loadError(t *testing.T, text string) *mapping.LoadError {
	t.Helper()
	_, err := mapping.NewLibrary(schema.Shipped()).Parse("hostile.yaml", []byte(text))
	var bad *mapping.LoadError
	if !errors.As(err, &bad) {
		t.Fatalf("not refused: %v", err)
	}
	return bad
}

func TestHostileMapsAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, mistake string }{
		{"empty", "", "the file is empty"},
		{"anchors", "map: &a h\nfrom: *a\n", "anchors, aliases, tags and complex keys are not used"},
		{"a bomb of aliases", "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]\n", "not used here"},
		{"merge keys", "a: {x: 1}\nb: {<<: {y: 2}}\n", "not used here"},
		{"tags", "map: !!python/object h\n", "not used here"},
		{"complex keys", "? [a, b]\n: c\n", "not used here"},
		{"brackets", "map: " + strings.Repeat("[", 100000), "nested too deep"},
		{"braces", "map: " + strings.Repeat("{a: ", 100000), "nested too deep"},
		{"dashes", strings.Repeat("- ", 100000) + "x\n", "nested too deep"},
		{"indentation", deepYAML(2100), "nested too deep"},
		{"too long", "map: " + strings.Repeat("x", 5<<20), "more than the"},
		{"no UTF-8", "map: \xff\xfe", "not UTF-8"},
		{"two documents", "map: a\n---\nmap: b\n", "a second YAML document"},
		{"a list", "- map\n", "a mapping is wanted here, not a list"},
		{"a text", "hello\n", `a mapping is wanted here, not "hello"`},
		{"twice", head + "  number: BEG/3\n  number: BEG/4\n", `mapping key "number" already defined`},
		{"unknown key", head + "  number: {pat: BEG/3}\n", `unknown key "pat"; did you mean path?`},
		{"long path", head + "  number: " + strings.Repeat("N1/", 1000) + "1\n", "longer than 500 characters"},
		{"far element", head + "  number: BEG/99999999999999999999\n", "a number from 1 to 999"},
		{"open bracket", head + "  number: \"N1[1=ST/2\"\n", "a ] is missing"},
		{"long expression", head + "  number: {path: BEG/3, to: '" + strings.Repeat("value+", 2000) + "value'}\n", "nested too deep"},
		{"large expression", head + "  number: {path: BEG/3, to: '" + strings.Repeat("(", 900) + "value" + strings.Repeat(")+value", 50) + "'}\n", "expression"},
		{"powers", head + "  number: {path: BEG/3, to: 'text(9 ** 9 ** 9)'}\n", "** is not for maps"},
		{"ranges", head + "  number: {path: BEG/3, to: 'text(len(1..1000000000))'}\n", ".. is not for maps"},
		{"the environment", head + "  number: {path: BEG/3, to: 'string($env)'}\n", "unknown name"},
		{"our own names", head + "  number: {path: BEG/3, to: 'text(__budget)'}\n", "unknown name __budget"},
		{"functions that grow", head + "  number: {path: BEG/3, to: 'repeat(value, 1000000)'}\n", "unknown name repeat"},
		{"a file elsewhere", "map: h\nfrom: {edi: x12/004010/850}\nto: {form: ../../secret.yaml}\nlines: {number: BEG/3}\n", "cannot be read from here"},
		{"no such guide", "map: h\nfrom: {edi: x12/004010/580}\nto: {form: order}\nlines: {number: BEG/3}\n", "did you mean x12/004010/850"},
		{"no lines", head, "the map has no lines"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			bad := loadError(t, c.text)
			if !strings.Contains(bad.Error(), c.mistake) {
				t.Errorf("%s\nwant %q", bad, c.mistake)
			}
			if d := time.Since(began); d > 20*time.Second {
				t.Errorf("it took %s", d)
			}
		})
	}
}

// deepYAML nests mappings by indentation.
func deepYAML(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// TestBlocksThatUseThemselves go deeper each time, or are refused.
func TestBlocksThatUseThemselves(t *testing.T) {
	t.Parallel()
	form := "map: h\nfrom: {edi: x12/004010/850}\nto: {form: {form: h, shapes: {s: {n: text, a: {object: A, like: s}, b: {object: B, like: s}}}, fields: {n: text, a: {object: A, like: s}}}}\n"
	bad := loadError(t, form+"blocks: {x: {fields: {n: BEG/3, a: {use: x}, b: {use: x}}}}\nlines: {n: BEG/3, a: {use: x}}\n")
	if !strings.Contains(bad.Error(), `block "x" uses itself without end`) {
		t.Error(bad)
	}
	bad = loadError(t, form+"blocks: {x: {fields: {n: /BEG/3, .y: {at: /PO1, use: x}}}}\nlines: {n: BEG/3, a: {use: x}}\n")
	if !strings.Contains(bad.Error(), `block "x" uses itself without end`) {
		t.Error(bad)
	}
	// Levels below levels: as deep as the document is.
	text := "map: h\nfrom: {edi: x12/004010/856}\nto: {form: {form: h, shapes: {level: {code: text, below: {list: B, like: level}}}, fields: {below: {list: B, like: level}}}}\n" +
		"blocks: {level: {fields: {code: HL/3, below: {each: \"HL[I]\", use: level}}}}\nlines: {below: {each: \"HL[S]\", use: level}}\n"
	if _, err := mapping.NewLibrary(schema.Shipped()).Parse("levels.yaml", []byte(text)); err != nil {
		t.Error(err)
	}
}

// convertText runs a map of the given lines over an input.
func convertText(t *testing.T, text, input string, o mapping.Options) (string, *mapping.Document, error) {
	t.Helper()
	m, err := mapping.NewLibrary(schema.Shipped()).Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	var first *mapping.Document
	o.OnDocument = func(d *mapping.Document) error {
		if first == nil {
			first = d
		}
		return nil
	}
	if o.Envelope.Control == "" {
		o.Envelope.Bare = true
	}
	_, err = m.Convert(t.Context(), &out, strings.NewReader(input), o)
	return out.String(), first, err
}

// TestHostileExpressions end within their budget, or when the context does.
func TestHostileExpressions(t *testing.T) {
	t.Parallel()
	order := orderOf(2000)
	for _, c := range []struct{ name, value, fault string }{
		{"loops in loops", "text(count(all, count(all, count(all, # > 0) > 0) > 0))", "more than"},
		{"growing text", `replace(replace(replace(t, "e", t), "e", t), "e", replace(t, "e", t))`, "a text has more than"},
		{"large number", `text(n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n)`, "more than 500 digits"},
		{"division", "text(1 / 3)", "does not end"},
		{"division by zero", "text(1 / (n - n))", "division by zero"},
		{"date out of range", `text(d + 999999999)`, "out of range"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := head + "  number: {path: BEG/3, to: {value: '" + c.value + "', with: {all: PO1/2, t: N1#1/2, n: PO1#1/4, d: BEG/5}}}\n"
			_, d, err := convertText(t, text, order, mapping.Options{})
			if err != nil || d.Written || len(d.Faults) == 0 || !strings.Contains(d.Faults[0].Text, c.fault) {
				t.Errorf("%v, %+v", err, d)
			}
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		m, err := mapping.NewLibrary(schema.Shipped()).Parse("test.yaml", []byte(head+"  number: {path: BEG/3, to: {value: 'text(count(all, count(all, # > 0) > 0))', with: {all: PO1/2}}}\n"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := m.Convert(ctx, io.Discard, strings.NewReader(order), mapping.Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

// orderOf is an order of many lines.
func orderOf(lines int) string {
	var b strings.Builder
	b.WriteString("ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*U*00401*000000001*0*P*>~\nGS*PO*A*B*20260301*1200*1*X*004010~\n" +
		"ST*850*0001~\nBEG*00*SA*4501**20260301~\nN1*ST*Main Street Store eeeeeeeeeeeeeeeeeeeeeeee~\n")
	for i := range lines {
		fmt.Fprintf(&b, "PO1*%d*%d*EA*12345678901234567~\n", i%1000+1, i+1)
	}
	fmt.Fprintf(&b, "SE*%d*0001~\nGE*1*1~\nIEA*1*000000001~\n", lines+4)
	return b.String()
}

func TestHostileInputsOfForms(t *testing.T) {
	t.Parallel()
	text := head + "  number: BEG/3\n  date: BEG/5\n  lines: {each: PO1, fields: {q: PO1/2}}\nonly-from:\n  BEG/1: {const: \"00\"}\n  BEG/2: {const: SA}\n"
	csvText := strings.Replace(text, "{q: decimal}}}}}", "{q: decimal}}}, csv: {rows: lines, key: [number]}}}", 1)
	for _, c := range []struct {
		name   string
		format mapping.Format
		input  string
		error  string // of the input
		fault  string // of the document
	}{
		{"deep JSON", mapping.JSON, `{"x":` + strings.Repeat("[", 100000), "nested deeper", ""},
		{"deep unknown objects", mapping.JSON, strings.Repeat(`{"x":`, 100000), "nested deeper", ""},
		{"JSON that ends", mapping.JSON, `{"number":"1","lines":[{"q":1`, "unexpected EOF", ""},
		{"a field twice", mapping.JSON, `{"number":"1","number":"2","date":"2026-03-01"}`, "", "stands twice"},
		{"a list twice", mapping.JSON, `{"number":"1","lines":[{"q":1}],"lines":[{"q":2}]}`, "", "stands twice"},
		{"large exponent", mapping.JSON, `{"number":"1","lines":[{"q":1e999999999}]}`, "", "exponent out of range"},
		{"large number", mapping.JSON, `{"number":"1","lines":[{"q":` + strings.Repeat("9", 100000) + `}]}`, "", "a number has at most"},
		{"a text for a list", mapping.JSON, `{"number":"1","lines":"many"}`, "", `lines (byte`},
		{"an object for a text", mapping.JSON, `{"number":{"a":[1,2,{}]}}`, "", "is a text, not {"},
		{"values for objects", mapping.JSON, `{"number":"1","lines":[1,2]}`, "the items of lines are objects", ""},
		{"behind the array", mapping.JSON, `[{"number":"1","date":"2026-03-01"}] x`, "no JSON", ""},
		{"too long", mapping.JSON, `{"number":"` + strings.Repeat("x", 2<<20) + `"}`, "longer than it may be", ""},
		{"many items", mapping.JSON, `{"number":"1","lines":[` + strings.Repeat(`{"q":1},`, 200000), "longer than it may be", ""},
		{"entities", mapping.XML, `<!DOCTYPE h [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><h><number>&b;</number></h>`, "document type declaration", ""},
		{"an entity alone", mapping.XML, `<h><number>&b;</number></h>`, "invalid character entity", ""},
		{"a file as entity", mapping.XML, `<!DOCTYPE h [<!ENTITY f SYSTEM "file:///etc/hostname">]><h><number>&f;</number></h>`, "document type declaration", ""},
		{"deep XML", mapping.XML, "<h>" + strings.Repeat("<x>", 400000), "longer than it may be", ""},
		{"attributes", mapping.XML, `<h lang="en"><number>1</number></h>`, "", "elements only"},
		{"an element twice", mapping.XML, `<h><number>1</number><number>2</number></h>`, "", "stands twice"},
		{"text between", mapping.XML, `<h>hello<number>1</number></h>`, "", "elements are wanted"},
		{"another root", mapping.XML, `<a><b><h/></b></a>`, "element h is wanted", ""},
		{"no XML", mapping.XML, `hello`, "text outside of documents", ""},
		{"unknown column", mapping.CSV, "number,dat\n1,2026-03-01\n", "did you mean date?", ""},
		{"no key", mapping.CSV, "date\n2026-03-01\n", "tells one document from the next", ""},
		{"a column twice", mapping.CSV, "number,number\n1,2\n", "stands twice", ""},
		{"short row", mapping.CSV, "number,date\n1\n", "wrong number of fields", ""},
		{"open quote", mapping.CSV, "number,date\n\"1,2026-03-01\n", "extraneous or missing", ""},
		{"long row", mapping.CSV, "number,date\n\"" + strings.Repeat("x", 3<<20), "more than", ""},
		{"two values", mapping.CSV, "number,date,lines.q\n1,2026-03-01,1\n1,2026-03-02,2\n", "", "in one before of the same document"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			use := text
			if c.format == mapping.CSV {
				use = csvText
			}
			_, d, err := convertText(t, use, c.input, mapping.Options{Way: mapping.Backward, Form: c.format, MaxDocument: 1 << 20})
			switch {
			case c.error != "" && (!errors.Is(err, mapping.ErrInput) || !strings.Contains(err.Error(), c.error)):
				t.Errorf("error %v, want %q", err, c.error)
			case c.error == "" && err != nil:
				t.Error(err)
			case c.fault != "" && (d == nil || d.Written || len(d.Faults) == 0 || !strings.Contains(fmt.Sprint(d.Faults), c.fault)):
				t.Errorf("%+v, want a fault %q", d, c.fault)
			}
		})
	}
}

// TestTooLargeADocument leaves the next one alone.
func TestTooLargeADocument(t *testing.T) {
	t.Parallel()
	text := head + "  number: BEG/3\n  lines: {each: PO1, fields: {q: PO1/2}}\n"
	input := strings.Replace(orderOf(20000), "GE*1*1", "ST*850*0002~\nBEG*00*SA*4502**20260301~\nPO1**1*EA~\nSE*4*0002~\nGE*2*1", 1)
	m, err := mapping.NewLibrary(schema.Shipped()).Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	sum, err := m.Convert(t.Context(), &out, strings.NewReader(input), mapping.Options{MaxDocument: 1 << 20})
	if err != nil || sum.Documents != 2 || sum.Failed != 1 || sum.Written != 1 || !strings.Contains(out.String(), "4502") {
		t.Errorf("%v, %+v\n%s", err, sum, out.String())
	}
}
