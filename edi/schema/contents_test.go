package schema_test

import (
	"fmt"
	"slices"
	"testing"

	"tradepost/edi/schema"
)

// TestContents lists what a dictionary describes, with that of the one it
// extends, and shows each thing that no guide uses.
func TestContents(t *testing.T) {
	t.Parallel()
	c, err := catalog(t, base, "dictionary own\nextends test/d\nelement 10 AN 1..3 \"Ten\"\nelement 2 AN 1..99 \"Longer text\"\nsegment OWN \"Own\"\n  1 10 M\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Dictionaries(); !slices.Equal(got, []string{"own", "test/d"}) {
		t.Errorf("dictionaries %v", got)
	}
	d, err := c.Dictionary("own")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(d.Segments(), d.Elements()); got != "[AAA LLL OWN SE ST SUB] [1 2 3 10 C1]" {
		t.Errorf("contents %s", got)
	}
	for ref, want := range map[string]string{"1": "Kind ID 2..2 2 codes", "2": "Longer text AN 1..99 0 codes", "10": "Ten AN 1..3 0 codes"} {
		u, ok := d.Element(ref)
		if got := fmt.Sprintf("%s %s %d..%d %d codes", u.Name, u.Type, u.Min, u.Max, u.Codes.Len()); !ok || got != want {
			t.Errorf("element %s: %s, want %s", ref, got, want)
		}
	}
	if u, ok := d.Element("C1"); !ok || u.Composite == nil || len(u.Composite.Uses) != 2 || u.Composite.Uses[1].Max != 99 {
		t.Errorf("composite %+v", u)
	}
	for _, ref := range []string{"99", "", "AAA"} {
		if u, ok := d.Element(ref); ok {
			t.Errorf("there is an element %q: %+v", ref, u)
		}
	}
	if none := (*schema.Dictionary)(nil); none.Segments() != nil || none.Elements() != nil {
		t.Error("no dictionary describes something")
	}
}
