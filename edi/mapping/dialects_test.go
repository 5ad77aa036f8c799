package mapping_test

import (
	"strings"
	"testing"
	"unicode/utf16"

	"tradepost/edi/mapping"
	"tradepost/edi/schema"
)

const sheetOfOrders = `map: n
from: {edi: x12/004010/850}
to: {form: {form: n, fields: {number: text, name: text, lines: {list: L, fields: {q: decimal}}}, csv: {rows: lines, key: [number]SEPARATOR}}}
lines:
  number: BEG/3
  name: "heading/N1[1=BY]/2"
  lines: {each: PO1, fields: {q: PO1/2}}
only-from: {BEG/1: {const: "00"}, BEG/2: {const: SA}, BEG/5: {const: "2026-03-01"}}
`

// written converts a form to EDI, without an envelope.
func written(t *testing.T, text, input string, format mapping.Format) (string, *mapping.Document, error) {
	t.Helper()
	return convertText(t, text, input, mapping.Options{Form: format, Way: mapping.Backward})
}

// TestDialectsOfCSV: cells are apart by what the heading shows, or the form says.
func TestDialectsOfCSV(t *testing.T) {
	t.Parallel()
	const want = "N1*BY*a \"b\"; c, d~"
	for _, c := range []struct{ name, separator, input string }{
		{"commas", "", "number,name,lines.q\n1,\"a \"\"b\"\"; c, d\",5\n1,,6\n"},
		{"semicolons", "", "\xef\xbb\xbfnumber;name;lines.q\r\n1;\"a \"\"b\"\"; c, d\";5\r\n1;;6\r\n"},
		{"tabs", "", "number\tname\tlines.q\n1\t\"a \"\"b\"\"; c, d\"\t5\n1\t\t6\n"},
		{"said", `, separator: "|"`, "number|name|lines.q\n1|\"a \"\"b\"\"; c, d\"|5\n1||6\n"},
		{"tabs, said", `, separator: tab`, "number\tname\tlines.q\n1\t\"a \"\"b\"\"; c, d\"\t5\n1\t\t6\n"},
	} {
		text := strings.Replace(sheetOfOrders, "SEPARATOR", c.separator, 1)
		got, d, err := written(t, text, c.input, mapping.CSV)
		if err != nil || !strings.Contains(got, want) || strings.Count(got, "PO1*") != 2 {
			t.Errorf("%s: %s, %+v, %v", c.name, got, d, err)
		}
	}
	odd := strings.Replace(sheetOfOrders, "SEPARATOR", `, separator: "x"`, 1)
	if _, err := mapping.NewLibrary(schema.Shipped()).Parse("test.yaml", []byte(odd)); err == nil || !strings.Contains(err.Error(), `"x" separates no cells`) {
		t.Errorf("a letter: %v", err)
	}
	text := strings.Replace(sheetOfOrders, "SEPARATOR", `, separator: ";"`, 1)
	got, d, err := convertText(t, text, smallOrder, mapping.Options{Form: mapping.CSV})
	if err != nil || !strings.HasPrefix(got, "number;name;lines.q\n4501;Buyer;") {
		t.Errorf("written: %s, %+v, %v", got, d, err)
	}
}

// TestEncodingsOfXML: what the declaration or the byte order mark names.
func TestEncodingsOfXML(t *testing.T) {
	t.Parallel()
	text := strings.Replace(sheetOfOrders, "SEPARATOR", "", 1)
	xml := func(encoding, name string) string {
		return `<?xml version="1.0" encoding="` + encoding + "\"?>\n<n><number>1</number><name>" + name + "</name><lines><q>5</q></lines></n>"
	}
	wide := func(mark string, low bool, s string) string {
		var b strings.Builder
		b.WriteString(mark)
		for _, u := range utf16.Encode([]rune(s)) {
			if high, l := byte(u>>8), byte(u); low {
				b.Write([]byte{l, high})
			} else {
				b.Write([]byte{high, l})
			}
		}
		return b.String()
	}
	for _, c := range []struct{ name, input, want, wrong string }{
		{"UTF-8", xml("UTF-8", "Büro"), "Büro", ""},
		{"ISO-8859-1", xml("ISO-8859-1", "B\xfcro"), "Büro", ""},
		{"ISO-8859-15", xml("iso-8859-15", "5 \xa4"), "5 €", ""},
		{"windows-1252", xml("Windows-1252", "\x80 B\xfcro"), "€ Büro", ""},
		{"ASCII", xml("US-ASCII", "Bureau"), "Bureau", ""},
		{"UTF-16, low byte first", wide("\xff\xfe", true, xml("UTF-16", "Büro 😀")), "Büro 😀", ""},
		{"UTF-16, high byte first", wide("\xfe\xff", false, xml("UTF-16", "Büro")), "Büro", ""},
		{"half a byte pair", wide("\xff\xfe", true, xml("UTF-16", "B")) + "x", "", "unexpected EOF"},
		{"half a character", "\xff\xfe\x00\xd8<\x00", "", "half a character"},
		{"no character of the set", xml("windows-1252", "\x81"), "", "no character"},
		{"not read", xml("EBCDIC-US", "x"), "", `encoding "ebcdic-us" is not read; write it as UTF-8`},
	} {
		got, d, err := written(t, text, c.input, mapping.XML)
		switch {
		case c.wrong != "":
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%s: %v, want %q", c.name, err, c.wrong)
			}
		case err != nil || !strings.Contains(got, "N1*BY*"+c.want+"~"):
			t.Errorf("%s: %s, %+v, %v", c.name, got, d, err)
		}
	}
}
