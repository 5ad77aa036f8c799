package mapping_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"tradepost/edi/mapping"
	"tradepost/edi/mapping/maptest"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// smallOrder is a valid order for a map to run on.
const smallOrder = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*U*00401*000000001*0*P*>~\n" +
	"GS*PO*A*B*20260301*1200*1*X*004010~\nST*850*0001~\nBEG*00*SA*4501**20260301~\nCUR*BY*USD~\nDTM*002*20260315*0830~\n" +
	"N1*ST*Main Street Store*92*0042~\nN4*Springfield*IL*62701*US~\nN1*BY*Buyer*9*123456789~\nPO1*1*10*EA*9.950**UP*012345678905*VN*W-1~\n" +
	"PO1*2*2*CA*20**UP*012345678912~\nCTT*2~\nSE*11*0001~\nGE*1*1~\nIEA*1*000000001~\n"

const smallOrders = "UNA:+.? '\nUNB+UNOC:3+A:14+B:14+260301:1200+1'\nUNH+1+ORDERS:D:96A:UN'\nBGM+220+4501+9'\nDTM+137:20260301:102'\nDTM+2:202603150830:203'\n" +
	"NAD+BY+4012345000009::9'\nCUX+2:EUR:9'\nLIN+1++4000862141404:EN'\nQTY+21:5'\nPRI+AAA:9.950'\nUNS+S'\nUNT+11+1'\nUNZ+1+1'\n"

// fuzzMaps gives the seeds of map loaders: a map of each case of the language.
func fuzzMaps(f *testing.F) {
	fsys := os.DirFS(".")
	cases, err := maptest.Find(fsys, "testdata/language")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range cases {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if _, rest, ok := strings.Cut(string(text), "-- map --\n"); ok {
			m, _, _ := strings.Cut(rest, "\n-- ")
			f.Add(m + "\n")
		}
	}
}

// FuzzLoadMap loads any text as a map. One that loads is run both ways: a
// document is mapped or refused, never a panic, and never for long.
func FuzzLoadMap(f *testing.F) {
	fuzzMaps(f)
	library := mapping.NewLibrary(schema.Shipped())
	f.Fuzz(func(t *testing.T, text string) {
		m, err := library.Parse("fuzz.yaml", []byte(text))
		if err != nil {
			var bad *mapping.LoadError
			if !errors.As(err, &bad) || len(bad.Problems) == 0 || bad.Error() == "" {
				t.Fatalf("not a LoadError: %v", err)
			}
			return
		}
		runBothWays(t, m)
	})
}

// runBothWays maps a small order and, when there is something, back again.
func runBothWays(t *testing.T, m *mapping.Map) {
	input := smallOrder
	if from := m.From(); from.IsEDI() && strings.HasPrefix(from.Guides[0], "edifact") {
		input = smallOrders
	}
	way := mapping.Forward
	if !m.From().IsEDI() {
		way = mapping.Backward
	}
	var out bytes.Buffer
	sum, err := m.Convert(t.Context(), &out, strings.NewReader(input), mapping.Options{Way: way, Envelope: mapping.Envelope{Bare: true}})
	if err != nil || sum.Written == 0 || m.From().IsEDI() == m.To().IsEDI() {
		return
	}
	if !json.Valid(out.Bytes()) {
		t.Fatalf("no JSON: %s", out.Bytes())
	}
	other := mapping.Backward
	if way == mapping.Backward {
		other = mapping.Forward
	}
	_, _ = m.Convert(t.Context(), io.Discard, &out, mapping.Options{Way: other, Envelope: mapping.Envelope{Bare: true}})
}

// FuzzParseForm reads any text as a form.
func FuzzParseForm(f *testing.F) {
	f.Add("form: a\nshapes: {s: {x: text!, deep: {list: L, like: s}}}\nfields: {a: text, b: {decimal: B, required: true}, c: {list: C, of: date}, d: {object: D, like: s, fields: {y: time}}}\ncsv: {rows: c, key: [a]}\n")
	f.Add("form: a\nfields: {a: {text: A, codes: [x, y], open: true, max: 3, unit: U, header: H}, m: moment, i: integer, z: boolean}\n")
	f.Fuzz(func(t *testing.T, text string) {
		form, err := mapping.ParseForm("fuzz.yaml", []byte(text))
		if err == nil && form.Root == nil {
			t.Fatal("a form without fields")
		}
	})
}

// FuzzReadForm reads any bytes as JSON, XML or CSV of an order and writes EDI.
// What is written can be read again.
func FuzzReadForm(f *testing.F) {
	library := mapping.NewLibrary(schema.Shipped())
	x12, err := library.Map("x12/850")
	if err != nil {
		f.Fatal(err)
	}
	for _, format := range []mapping.Format{mapping.JSON, mapping.XML, mapping.CSV} {
		var out bytes.Buffer
		if _, err := x12.Convert(f.Context(), &out, strings.NewReader(smallOrder), mapping.Options{Form: format}); err != nil {
			f.Fatal(err)
		}
		f.Add(string(format), out.Bytes())
	}
	f.Fuzz(func(t *testing.T, format string, input []byte) {
		var out bytes.Buffer
		sum, err := x12.Convert(t.Context(), &out, bytes.NewReader(input), mapping.Options{Way: mapping.Backward, Form: mapping.Format(format), Envelope: mapping.Envelope{Sender: partyA(), Receiver: partyA(), Control: "1", Time: when(), LineEnd: "\n"}, MaxDocument: 1 << 20})
		if err != nil || sum.Written == 0 {
			return
		}
		again, err := x12.Convert(t.Context(), io.Discard, bytes.NewReader(out.Bytes()), mapping.Options{Form: mapping.JSONLines})
		if err != nil || again.Written != sum.Written {
			t.Fatalf("%v: %d documents were written and %d come back\n%s", err, sum.Written, again.Written, out.Bytes())
		}
	})
}

// FuzzConvertEDI maps any EDI to JSON, which is JSON then.
func FuzzConvertEDI(f *testing.F) {
	f.Add([]byte(smallOrder))
	f.Add([]byte(smallOrders))
	library := mapping.NewLibrary(schema.Shipped())
	var maps []*mapping.Map
	for _, name := range []string{"x12/850", "edifact/ORDERS"} {
		m, err := library.Map(name)
		if err != nil {
			f.Fatal(err)
		}
		maps = append(maps, m)
	}
	catalog := schema.Shipped()
	f.Fuzz(func(t *testing.T, input []byte) {
		for _, m := range maps {
			var out bytes.Buffer
			sum, err := m.Convert(t.Context(), &out, bytes.NewReader(input), mapping.Options{Form: mapping.JSONLines, Validate: validate.Options{Catalog: catalog}})
			if err != nil {
				continue
			}
			n := 0
			for line := range bytes.Lines(out.Bytes()) {
				if n++; !json.Valid(line) {
					t.Fatalf("no JSON: %s", line)
				}
			}
			if n != sum.Written {
				t.Fatalf("%d lines for %d documents", n, sum.Written)
			}
		}
	})
}

// FuzzExpression runs any expression on an order: a value or a fault, within
// its budget.
func FuzzExpression(f *testing.F) {
	for _, e := range []string{`q * p`, `total(all) > 100 and has(t)`, `join(map(texts, upper(#)), " ")`, `d + 30`, `format(d, "YYMMDD")`, `count(all, # > 5) / 3`, `q > 5 ? t : replace(t, "a", "bb")`, `filter(all, # in all) | first()`, `-q + 1.50`, `split(t, "")[0]`} {
		f.Add(e)
	}
	library := mapping.NewLibrary(schema.Shipped())
	f.Fuzz(func(t *testing.T, expression string) {
		quoted, err := json.Marshal(expression)
		if err != nil {
			t.Fatal(err)
		}
		with := `with: {q: PO1#1/2, p: PO1#1/4, all: PO1/4, t: N1#1/2, texts: N1/2, d: BEG/5}`
		text := "map: e\nfrom: {edi: x12/004010/850}\nto: {form: {form: e, fields: {v: text, w: text}}}\nlines:\n" +
			"  v: {to: {value: " + string(quoted) + ", " + with + "}}\n  w: {path: BEG/3, when: " + string(quoted) + ", " + with + "}\n"
		for range 2 {
			m, err := library.Parse("fuzz.yaml", []byte(text))
			if err == nil {
				if _, err := m.Convert(t.Context(), io.Discard, strings.NewReader(smallOrder), mapping.Options{}); err != nil {
					t.Fatal(err)
				}
			}
			text, _, _ = strings.Cut(text, "  w:") // the value alone, when it is no condition
		}
	})
}
