package mapping_test

import (
	"strings"
	"testing"

	"tradepost/edi/mapping"
)

const namesOfParties = "map: n\nfrom: {edi: %}\nto: {form: {form: n, fields: {number: text, name: text}}}\nlines:\n"

// TestCharacterSets: text is UTF-8 in forms, whatever set the interchange has.
func TestCharacterSets(t *testing.T) {
	t.Parallel()
	edifact := strings.Replace(namesOfParties, "%", "edifact/D96A/ORDERS", 1) + "  number: BGM/2\n  name: \"NAD[1=BY]/4.1\"\n"
	x12 := strings.Replace(namesOfParties, "%", "x12/004010/850", 1) + "  number: BEG/3\n  name: \"heading/N1[1=BY]/2\"\n"
	for _, c := range []struct{ name, text, input, want, fault string }{
		{"UNOC", edifact, "UNB+UNOC:3+A+B+260301:1200+1'UNH+1+ORDERS:D:96A:UN'BGM+220+1'DTM+137:20260301:102'NAD+BY+++B\xfcro'UNS+S'UNT+6+1'UNZ+1+1'", "Büro", ""},
		{"UNOE is Cyrillic", edifact, "UNB+UNOE:3+A+B+260301:1200+1'UNH+1+ORDERS:D:96A:UN'BGM+220+1'DTM+137:20260301:102'NAD+BY+++\xbc\xd8\xe0'UNS+S'UNT+6+1'UNZ+1+1'", "Мир", ""},
		{"UNOY is UTF-8", edifact, "UNB+UNOY:4+A+B+20260301:1200+1'UNH+1+ORDERS:D:96A:UN'BGM+220+1'DTM+137:20260301:102'NAD+BY+++B\xc3\xbcro'UNS+S'UNT+6+1'UNZ+1+1'", "Büro", ""},
		{"UNOA with more in it", edifact, "UNB+UNOA:3+A+B+260301:1200+1'UNH+1+ORDERS:D:96A:UN'BGM+220+1'DTM+137:20260301:102'NAD+BY+++B\xfcro'UNS+S'UNT+6+1'UNZ+1+1'", "Büro", ""},
		{"no UTF-8 in UNOY", edifact, "UNB+UNOY:4+A+B+20260301:1200+1'UNH+1+ORDERS:D:96A:UN'BGM+220+1'DTM+137:20260301:102'NAD+BY+++B\xfcro'UNS+S'UNT+6+1'UNZ+1+1'", "", "not in character set UNOY"},
		{"X12 names none: UTF-8", x12, strings.Replace(smallOrder, "Buyer", "B\xc3\xbcro", 1), "Büro", ""},
		{"X12 names none: ISO 8859-1", x12, strings.Replace(smallOrder, "Buyer", "B\xfcro", 1), "Büro", ""},
		{"blanks at the end are padding", x12, strings.Replace(smallOrder, "Buyer", "Buyer   ", 1), "Buyer", ""},
		{"line ends inside of a value", x12, strings.Replace(smallOrder, "Buyer", "Bu\nyer", 1), "Buyer", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, d, err := convertText(t, c.text, c.input, mapping.Options{Form: mapping.JSONLines})
			switch {
			case err != nil:
				t.Error(err)
			case c.fault != "" && (len(d.Faults) != 1 || !strings.Contains(d.Faults[0].Text, c.fault)):
				t.Errorf("%+v", d.Faults)
			case c.fault == "" && !strings.Contains(got, `"name":"`+c.want+`"`):
				t.Errorf("%s, %+v", got, d.Faults)
			}
		})
	}
}

// TestControlCharacters survive JSON and become what XML has a place for.
func TestControlCharacters(t *testing.T) {
	t.Parallel()
	text := strings.Replace(namesOfParties, "%", "x12/004010/850", 1) + "  number: BEG/3\n  name: \"heading/N1[1=BY]/2\"\n"
	input := strings.Replace(smallOrder, "Buyer", "a\x01\"<&>\\b\t", 1)
	for format, want := range map[mapping.Format]string{
		mapping.JSONLines: `{"number":"4501","name":"a\u0001\"<&>\\b\t"}` + "\n",
		mapping.XML:       "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<n>\n  <number>4501</number>\n  <name>a\ufffd\"&lt;&amp;&gt;\\b&#x9;</name>\n</n>\n",
	} {
		if got, d, err := convertText(t, text, input, mapping.Options{Form: format}); err != nil || got != want {
			t.Errorf("%s: %v, %v\n%s", format, err, d, got)
		}
	}
}
