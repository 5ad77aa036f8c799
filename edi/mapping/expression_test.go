package mapping_test

import (
	"strings"
	"testing"

	"tradepost/edi/mapping"
)

// expressionNames are what the expressions below see, all of smallOrder:
// quantities 10 and 2, prices 9.950 and 20, the names of two parties, 1 March
// 2026, a moment, and things that are not there.
const expressionNames = `with: {q: PO1#1/2, p: PO1#1/4, qs: PO1/2, missing: PO1/CTP/3, t: "N1[1=ST]/2", names: N1/2, d: BEG/5, m: DTM#1/2, no: REF#1/2, nod: ITD#1/4, non: ITD#1/7}`

func TestExpressions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expression, want string }{
		{"q * p", "99.500"},
		{"q + 1", "11"},
		{"1 - p", "-8.950"},
		{"q / 4", "2.5"},
		{"-p", "-9.950"},
		{"1.10 + 2.20", "3.30"},
		{"0.1 + 0.2 == 0.3", "true"},
		{"round(p, 1)", "10.0"},
		{"round(0 - 0.5, 0)", "-1"},
		{"round(7, 2)", "7.00"},
		{"divide(1, 3, 4)", "0.3333"},
		{"divide(q, 4, 1)", "2.5"},
		{"abs(0 - p)", "9.950"},
		{"abs(-3)", "3"},
		{"min(q, p)", "9.950"},
		{"max(q, 3)", "10"},
		{"min(qs)", "2"},
		{"max(qs)", "10"},
		{"max(d, date(\"2026-05-01\"))", "2026-05-01"},
		{"number(\"9.250\") + 1", "10.250"},
		{"number(7)", "7"},
		{"total(qs)", "12"},
		{"total(missing)", "0"},
		{"total(filter(qs, # > 5))", "10"},
		{"count(qs, # >= 2)", "2"},
		{"len(qs)", "2"},
		{"first(qs)", "10"},
		{"last(qs)", "2"},
		{"text(qs[1])", "2"},
		{"any(qs, # == 10)", "true"},
		{"all(qs, # == 10)", "false"},
		{"none(qs, # == 11)", "true"},
		{"one(qs, # == 2)", "true"},
		{"text(find(qs, # < 5))", "2"},
		{"join(map(qs, text(# * 2)), \"-\")", "20-4"},
		{"join(take(reverse(qs), 1), \",\")", "2"},
		{"join(names, \"; \")", "Main Street Store; Buyer"},
		{"upper(t)", "MAIN STREET STORE"},
		{"lower(t) + \"!\"", "main street store!"},
		{"trim(\"  a \")", "a"},
		{"trimPrefix(t, \"Main \")", "Street Store"},
		{"trimSuffix(t, \" Store\")", "Main Street"},
		{"replace(t, \"Street\", \"St\")", "Main St Store"},
		{"split(t, \" \")[1]", "Street"},
		{"hasPrefix(t, \"Main\")", "true"},
		{"hasSuffix(t, \"x\")", "false"},
		{"indexOf(t, \"Street\")", "5"},
		{"t[0:4]", "Main"},
		{"len(t)", "17"},
		{"t contains \"Store\"", "true"},
		{"t matches \"^M.*e$\"", "true"},
		{"d + 30", "2026-03-31"},
		{"d + q", "2026-03-11"},
		{"days(d, date(\"2026-03-15\"))", "14"},
		{"format(d, \"YYMMDD\")", "260301"},
		{"format(date(\"2026-03-01T08:30\"), \"CCYYMMDDHHMM\")", "202603010830"},
		{"d < date(\"2026-03-02\")", "true"},
		{"d == date(\"2026-03-01\")", "true"},
		{"d != date(\"2026-03-01\")", "false"},
		{"m > d", "true"},
		{"date(\"08:30\")", "08:30"},
		{"date(\"2026-03-01T08:30:15.25+01:00\")", "2026-03-01T08:30:15.25+01:00"},
		{"q > 5 ? t : \"small\"", "Main Street Store"},
		{"q <= 10 and not (p > 10)", "true"},
		{"q < 10 or p >= 9.95", "true"},
		{"t in [\"Buyer\", \"Main Street Store\"]", "true"},
		{"has(t)", "true"},
		{"text(q) + \" \" + text(d)", "10 2026-03-01"},
		// What is not there.
		{"has(no)", "false"},
		{"has(missing)", "false"},
		{"has(qs)", "true"},
		{"has(nod)", "false"},
		{"no", ""},
		{"no + \"x\"", "x"},
		{"non + 1", ""},
		{"nod + 1", ""},
		{"days(nod, d)", ""},
		{"format(nod, \"YYMMDD\")", ""},
		{"number(no)", ""},
		{"date(no)", ""},
		{"text(non)", ""},
		{"round(non, 2)", ""},
		{"divide(non, 1, 2)", ""},
		{"abs(non)", ""},
		{"non > 1", "false"},
		{"non == 1", "false"},
		{"non != 1", "true"},
		{"non < 1", "false"},
		{"max(non, 3)", "3"},
		{"len(missing)", "0"},
		{"join(missing, \",\")", ""},
	} {
		t.Run(c.expression, func(t *testing.T) {
			t.Parallel()
			text := "map: e\nfrom: {edi: x12/004010/850}\nto: {form: {form: e, fields: {v: text}}}\nlines:\n  v: {to: {value: '" + c.expression + "', " + expressionNames + "}}\n"
			_, _, err := convertText(t, text, smallOrder, mapping.Options{Form: mapping.CSV})
			if err == nil {
				t.Fatal("a form without csv was written as CSV")
			}
			got, d, err := convertText(t, text, smallOrder, mapping.Options{Form: mapping.JSONLines})
			want := "{}\n"
			if c.want != "" {
				want = `{"v":"` + c.want + `"}` + "\n"
			}
			if err != nil || got != want || len(d.Faults) > 0 {
				t.Errorf("%v, %v\n got %s\nwant %s", err, d.Faults, got, want)
			}
		})
	}
}

func TestExpressionFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expression, fault string }{
		{"number(t)", "is no number"},
		{"date(t)", "is no date or time"},
		{"q / 3", "does not end; write divide(a, b, places)"},
		{"divide(q, 0, 2)", "division by zero"},
		{"round(q, 99)", "round to 0 to 30 places"},
		{"format(d, \"HHMM\")", "does not fill the form"},
		{"format(d, \"X\")", "is no form of a date"},
		{"d + 1.5", "a whole number"},
		{"date(\"08:30\") + 1", "without a date"},
		{"days(date(\"08:30\"), d)", "not times"},
		{"split(t, \" \")[9]", "out of range"},
	} {
		t.Run(c.expression, func(t *testing.T) {
			t.Parallel()
			text := "map: e\nfrom: {edi: x12/004010/850}\nto: {form: {form: e, fields: {v: text}}}\nlines:\n  v: {to: {value: '" + c.expression + "', " + expressionNames + "}}\n"
			_, d, err := convertText(t, text, smallOrder, mapping.Options{})
			if err != nil || len(d.Faults) != 1 || !strings.Contains(d.Faults[0].Text, c.fault) || d.Faults[0].Line != 5 {
				t.Errorf("%v, %v", err, d.Faults)
			}
		})
	}
}

// TestNumbers are exact, and say so.
func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"9.250", "9.250"}, {"+7", "7"}, {"-0", "0"}, {"-0.00", "0.00"}, {"007", "7"}, {".5", "0.5"}, {"5.", "5"}, {"1e3", "1000"}, {"1.5E-3", "0.0015"}, {"-12e0", "-12"}, {"123456789012345678901234567890.12", "123456789012345678901234567890.12"},
	} {
		n, err := mapping.ParseNumber(c.in)
		if err != nil || n.String() != c.want {
			t.Errorf("%s: %v, %s, want %s", c.in, err, n, c.want)
		}
	}
	for _, in := range []string{"", "-", ".", "1,5", "1e", "0x1", "1 2", "1e99999999999", "NaN", strings.Repeat("9", 61)} {
		if n, err := mapping.ParseNumber(in); err == nil {
			t.Errorf("%q is read as %s", in, n)
		}
	}
	var zero mapping.Number
	if zero.String() != "0" || zero.Cmp(zero) != 0 {
		t.Errorf("the zero Number is %s", zero)
	}
}
