package validate_test

import (
	"fmt"
	"strings"
	"testing"

	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// TestSyntaxNotes: what breaks a note of X12 or a dependency note of EDIFACT is
// told with its code at the element that is missing or too many, and by the name
// the standard has for it.
func TestSyntaxNotes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		note, segment string
		want          string // code and element; empty when the note holds
		name          string // of the note in the text
	}{
		{"P0102", "AAA*1", "AK403=2 2", "P0102"},
		{"P0102", "AAA**2", "AK403=2 1", "P0102"},
		{"P0102", "AAA*1*2", "", ""},
		{"R0102", "AAA***3", "AK403=2 1", "R0102"},
		{"E0102", "AAA*1*2", "AK403=10 2", "E0102"},
		{"E010203", "AAA**2*3", "AK403=10 3", "E010203"},
		{"C0102", "AAA*1", "AK403=2 2", "C0102"},
		{"C0102", "AAA**2", "", ""},
		{"L010203", "AAA*1", "AK403=2 2", "L010203"},
		{"L010203", "AAA*1**3", "", ""},
		{"D1:0102", "AAA+1+2", "0085=15 2", "D1(01,02)"},
		{"D1:0102", "AAA+++3", "0085=13 1", "D1(01,02)"},
		{"D2:0102", "AAA+1", "0085=13 2", "D2(01,02)"},
		{"D3:0102", "AAA+++3", "0085=13 1", "D3(01,02)"},
		{"D4:0102", "AAA+1+2", "0085=15 2", "D4(01,02)"},
		{"D5:0102", "AAA+1", "0085=13 2", "D5(01,02)"},
		{"D6:010203", "AAA+1", "0085=13 2", "D6(01,02,03)"},
		{"D7:0102", "AAA+1+2", "0085=15 2", "D7(01,02)"},
		{"D7:0102", "AAA++2", "", ""},
	} {
		t.Run(c.note+" "+c.segment, func(t *testing.T) {
			t.Parallel()
			checkNote(t, c.note, c.segment, c.want, c.name)
		})
	}
}

func checkNote(t *testing.T, note, segment, want, name string) {
	t.Helper()
	layout := "element 1 AN 1..5 \"Thing\"\nsegment AAA \"Test\"\n  1 1 O\n  2 1 O\n  3 1 O\n  notes " + note + "\n"
	texts := []string{
		"dictionary test/x\nstandard X12\nversion 009999\n" + layout + "segment ST\n  1 1 O\nsegment SE\n  1 1 O\n",
		"guide test/777\nuses test/x\nset 777\narea heading\n  ST M 1\n  AAA M 1\n  SE M 1\n",
	}
	input := "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*U*00401*000000001*0*P*>~GS*ZZ*A*B*20260301*1200*1*X*009999~ST*777*0001~" + segment + "~SE*3*0001~GE*1*1~IEA*1*000000001~"
	if strings.Contains(segment, "+") {
		texts = []string{
			"dictionary test/x\nstandard EDIFACT\nversion D:99Z\n" + strings.Replace(layout, "AN", "an", 1) + "segment UNH\n  1 1 O\nsegment UNT\n  1 1 O\n",
			"guide test/TESTED\nuses test/x\nset TESTED\narea message\n  UNH M 1\n  AAA M 1\n  UNT M 1\n",
		}
		input = "UNB+UNOC:3+A+B+260301:1200+1'UNH+1+TESTED:D:99Z:UN'" + segment + "'UNT+3+1'UNZ+1+1'"
	}
	catalog := &schema.Catalog{}
	for _, text := range texts {
		if _, err := catalog.Add("test", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	r := check(t, input, validate.Options{Catalog: catalog})
	got := ""
	for _, is := range r.All() {
		got += fmt.Sprintf("%s %d", is.Ack, is.Element)
		if !strings.Contains(is.Text, name) {
			t.Errorf("the text does not name %s: %s", name, is.Text)
		}
	}
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if d := r.Interchanges[0].Groups[0].Documents[0]; d.Guide == "" {
		t.Error("the guide was not found")
	}
}
