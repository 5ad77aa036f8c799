package mapping_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"tradepost/edi"
	"tradepost/edi/mapping"
	"tradepost/edi/schema"
	"tradepost/edi/validate"

	"github.com/google/go-cmp/cmp"
)

// lineMap is a map with one line an element, whose lines tests count.
const lineMap = `map: lines
from: {edi: x12/004010/850}
to: {form: {form: f, fields: {number: text, date: date, unit: text, lines: {list: L, fields: {q: decimal, u: text}}}}}
tables:
  units: {rows: {EA: each}}
lines:
  number: BEG/3
  date: BEG/5
  lines:
    each: PO1
    fields:
      q: PO1/2
      u: {path: PO1/3, lookup: units}
only-from:
  BEG/1: {const: "00"}
  BEG/2: {const: SA}
`

// TestFaultsNameBothPlaces: a fault says where in the input, where to, and
// which line of the map.
func TestFaultsNameBothPlaces(t *testing.T) {
	t.Parallel()
	input := "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*U*00401*000000001*0*P*>~\nGS*PO*A*B*20260301*1200*1*X*004010~\n" +
		"ST*850*0001~\nBEG*00*SA*4501**20260301~\nPO1**3*EA~\nPO1**4*CA~\nSE*5*0001~\nGE*1*1~\nIEA*1*000000001~\n"
	_, d, err := convertText(t, lineMap, input, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []mapping.Fault{{
		Text: `"CA" is not in table units; there are EA`, File: "test.yaml", Line: 13, Column: 7,
		Source: mapping.Location{Path: "PO1/3", Segment: "PO1", Ordinal: 4, Element: 3, Offset: int64(strings.Index(input, "CA~")), Value: "CA"},
		Target: "lines[2].u",
	}}
	if d := cmp.Diff(want, d.Faults); d != "" {
		t.Error(d)
	}
	if got := want[0].String(); got != `PO103 (segment 4, byte 200): "CA" is not in table units; there are EA; it goes to lines[2].u [test.yaml:13:7]` {
		t.Error(got)
	}
	form := `{"number": "1", "date": "2026-03-01", "lines": [{"q": 1, "u": "each"}, {"q": 2, "u": "dozen"}]}`
	_, d, err = convertText(t, lineMap, form, mapping.Options{Way: mapping.Backward})
	if err != nil {
		t.Fatal(err)
	}
	want = []mapping.Fault{{
		Text: `"dozen" is not in table units; there are each`, File: "test.yaml", Line: 13, Column: 7,
		Source: mapping.Location{Path: "lines[2].u", Offset: int64(strings.Index(form, "dozen")), Value: "dozen"},
		Target: "PO1[2] PO1/3",
	}}
	if d := cmp.Diff(want, d.Faults); d != "" {
		t.Error(d)
	}
}

// TestEnvelopes: what an interchange says comes from the caller, and what is
// missing is told.
func TestEnvelopes(t *testing.T) {
	t.Parallel()
	form := `{"number": "1", "date": "2026-03-01", "lines": [{"q": 1, "u": "each"}]}`
	m, err := mapping.NewLibrary(schema.Shipped()).Parse("test.yaml", []byte(lineMap))
	if err != nil {
		t.Fatal(err)
	}
	back := func(e mapping.Envelope, input string) (string, error) {
		var out bytes.Buffer
		_, err := m.Convert(t.Context(), &out, strings.NewReader(input), mapping.Options{Way: mapping.Backward, Envelope: e})
		return out.String(), err
	}
	var lacks *mapping.EnvelopeError
	if _, err := back(mapping.Envelope{Sender: partyA()}, form); !errors.As(err, &lacks) || strings.Join(lacks.Missing, ",") != "receiver,control number,time" {
		t.Errorf("%v", err)
	}
	got, err := back(mapping.Envelope{
		Sender: partyA(), Receiver: edi.Party{Qualifier: "01", ID: "B"}, GroupSender: "GA", GroupReceiver: "GB", Time: when(),
		Control: "77", Group: "78", Document: "000900", Test: true, Delimiters: edi.Delimiters{Element: '|', Component: ':', Segment: '\'', Decimal: '.'},
	}, form+form)
	want := "ISA|00|          |00|          |ZZ|A              |01|B              |260301|1200|U|00401|000000077|0|T|:'" +
		"GS|PO|GA|GB|20260301|1200|78|X|004010'" +
		"ST|850|000900'BEG|00|SA|1||20260301'PO1||1|EA'SE|4|000900'ST|850|000901'BEG|00|SA|1||20260301'PO1||1|EA'SE|4|000901'GE|2|78'IEA|1|000000077'"
	if err != nil || got != want {
		t.Errorf("%v\n%s", err, cmp.Diff(want, got))
	}
	for _, e := range []mapping.Envelope{
		{Bare: true, Document: "A1"},
		{Bare: true, Document: "0"},
		{Bare: true, Delimiters: edi.Delimiters{Element: 'A', Segment: '~'}},
		{Sender: edi.Party{ID: strings.Repeat("x", 40)}, Receiver: partyA(), Time: when(), Control: "1"},
	} {
		if out, err := back(e, form); err == nil {
			t.Errorf("%+v is let pass\n%s", e, out)
		}
	}
	// EDIFACT, in a character set the caller chooses.
	m, err = mapping.NewLibrary(schema.Shipped()).Parse("test.yaml", []byte("map: e\nfrom: {edi: edifact/D96A/ORDERS}\nto: {form: {form: f, fields: {number: text, date: date, name: text}}}\nlines:\n  number: BGM/2\n  date: \"DTM[1.1=137]/1.2\"\n  name: \"NAD[1=BY]/4.1\"\nonly-from: {BGM/1.1: {const: \"220\"}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	form = `{"number": "1", "date": "2026-03-01", "name": "Büro"}`
	got, err = back(mapping.Envelope{Sender: partyA(), Receiver: partyA(), Time: when(), Control: "77"}, form)
	if err != nil || !strings.HasPrefix(got, "UNB+UNOC:3+A:ZZ+A:ZZ+260301:1200+77'UNH+1+ORDERS:D:96A:UN'") || !strings.Contains(got, "NAD+BY+++B\xfcro'") || !strings.HasSuffix(got, "UNZ+1+77'") {
		t.Errorf("%v\n%q", err, got)
	}
	got, err = back(mapping.Envelope{Sender: partyA(), Receiver: partyA(), Time: when(), Control: "77", Charset: "UNOY"}, form)
	if err != nil || !strings.HasPrefix(got, "UNB+UNOY:4+A:ZZ+A:ZZ+20260301:1200+77'") || !strings.Contains(got, "NAD+BY+++Büro'") {
		t.Errorf("%v\n%q", err, got)
	}
	if got, err = back(mapping.Envelope{Bare: true, Charset: "UNOA"}, form); err != nil || got != "" {
		t.Errorf("a character that is not in UNOA: %v, %q", err, got)
	}
	if _, err = back(mapping.Envelope{Bare: true, Charset: "UNOQ"}, form); err == nil {
		t.Error("a character set that does not exist")
	}
}

// TestStreams: an input of many documents takes the memory of one, and what is
// written comes out while the input is read.
func TestStreams(t *testing.T) {
	t.Parallel()
	m, err := mapping.NewLibrary(schema.Shipped()).Parse("test.yaml", []byte(lineMap))
	if err != nil {
		t.Fatal(err)
	}
	in, feed := io.Pipe()
	pieces, done := make(chan string), make(chan error, 1)
	go func() {
		_, err := m.Convert(t.Context(), writerFunc(func(b []byte) { pieces <- string(b) }), in, mapping.Options{Form: mapping.JSONLines, Validate: validate.Options{Catalog: schema.Shipped()}})
		close(pieces)
		done <- err
	}()
	go func() {
		for _, part := range []string{
			"ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*U*00401*000000001*0*P*>~\nGS*PO*A*B*20260301*1200*1*X*004010~\nST*850*0001~\nBEG*00*SA*1**20260301~\nPO1**1*EA~\nSE*4*0001~\n",
			"ST*850*0002~\nBEG*00*SA*2**20260301~\nPO1**1*EA~\nSE*4*0002~\nGE*2*1~\nIEA*1*000000001~\n",
		} {
			_, _ = io.WriteString(feed, part) // the reader tells
		}
		_ = feed.Close() // never fails
	}()
	var got []string
	for p := range pieces {
		got = append(got, p)
	}
	if err := <-done; err != nil || len(got) != 2 || !strings.HasPrefix(got[1], `{"number":"2"`) {
		t.Errorf("%v, %q", err, got)
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}

// TestNamesOfFunctions may be names of values: the one is called, the other is
// not.
func TestNamesOfFunctions(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"text", "date", "days", "total", "count", "len", "min", "first", "map", "less", "plus", "more", "same"} {
		text := head + "  number: {path: BEG/3, to: {value: '" + name + " + \"x\"', with: {" + name + ": BEG/2}}}\n"
		got, _, err := convertText(t, text, smallOrder, mapping.Options{Form: mapping.JSONLines})
		if err != nil || got != `{"number":"SAx"}`+"\n" {
			t.Errorf("%s: %v, %s", name, err, got)
		}
	}
}

// TestOneWayMaps name the lines that stand in the way.
func TestOneWayMaps(t *testing.T) {
	t.Parallel()
	m, err := mapping.NewLibrary(schema.Shipped()).Parse("test.yaml", []byte(head+"  number: {path: BEG/3, to: upper(value)}\n  date: BEG/5\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Convert(t.Context(), io.Discard, strings.NewReader("{}"), mapping.Options{Way: mapping.Backward})
	var one *mapping.OneWayError
	if !errors.As(err, &one) || len(one.Lines) != 1 || one.Lines[0].Line != 5 || !strings.Contains(err.Error(), "number runs forward only") {
		t.Errorf("%v", err)
	}
}

// TestPartnersGuide: lines a partner's guide has no place for are listed.
func TestPartnersGuide(t *testing.T) {
	t.Parallel()
	catalog := schema.Shipped().Clone()
	for _, text := range []string{"guide acme/850 \"ACME\"\nbased-on x12/004010/850\nat heading/CUR\n  forbid\n", "guide acme/810 \"ACME\"\nbased-on x12/004010/810\n"} {
		if _, err := catalog.Add("acme.guide", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	m, err := mapping.NewLibrary(catalog).Map("x12/850")
	if err != nil {
		t.Fatal(err)
	}
	order, err := catalog.Guide("acme/850")
	if err != nil {
		t.Fatal(err)
	}
	list, err := m.Unfit(order)
	if err != nil || len(list) == 0 || !strings.Contains(list[0].Text, "CUR") {
		t.Errorf("%v, %v", err, list)
	}
	if err := m.Check(order); err != nil {
		t.Error(err)
	}
	invoice, err := catalog.Guide("acme/810")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Check(invoice); err == nil || !strings.Contains(err.Error(), "is not for documents 810") {
		t.Errorf("a map of orders takes a guide of invoices: %v", err)
	}
}
