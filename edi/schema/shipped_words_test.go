package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sameCode are codes of one element that mean the same: X12 partners write ZZ
// where ISO 9735 has ZZZ, and UNCL itself has 711 and 718.
var sameCode = map[string]string{"0007": "ZZ ZZZ", "2379": "711 718"}

// plain is how a name is written: a word with a capital or a number first, and
// no full stop behind.
var plain = regexp.MustCompile(`^[A-Z0-9"][ -~]*[^. ]$|^[A-Z]$`)

// TestShippedWords reads the shipped dictionaries as someone does who has to
// understand a partner's document with them: names are plain and say one thing
// each, codes fit into their element, and nothing is described that no segment
// has.
func TestShippedWords(t *testing.T) {
	t.Parallel()
	c := Shipped()
	for name, f := range c.files {
		if f.IsGuide {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := c.Dictionary(name)
			if err != nil {
				t.Fatal(err)
			}
			used := map[string]*Use{}
			for _, file := range d.resolver.chain {
				for tag, s := range file.segments {
					wellNamed(t, "segment "+tag, s.name)
					gatherUses(used, d.Segment(MakeTag(tag)).Uses)
				}
			}
			byName := map[string][]string{}
			for ref, u := range used {
				wellNamed(t, "element "+ref, u.Name)
				byName[u.Name] = append(byName[u.Name], ref)
				codesFit(t, ref, u)
			}
			for ref := range f.elements {
				if used[ref] == nil && !usedAbove(c, name, ref) {
					t.Errorf("element %s is described, but no segment has it", ref)
				}
			}
			for said, refs := range byName {
				if slices.Sort(refs); len(refs) > 1 {
					t.Errorf("elements %s are all called %q: say how they differ", strings.Join(refs, ", "), said)
				}
			}
		})
	}
}

// usedAbove tells whether a dictionary that extends this one uses an element.
func usedAbove(c *Catalog, name, ref string) bool {
	for above, f := range c.files {
		if f.extends.name != name {
			continue
		}
		d, err := c.Dictionary(above)
		if err != nil {
			continue
		}
		used := map[string]*Use{}
		for tag := range f.segments {
			gatherUses(used, d.Segment(MakeTag(tag)).Uses)
		}
		if used[ref] != nil || usedAbove(c, above, ref) {
			return true
		}
	}
	return false
}

func wellNamed(t *testing.T, what, name string) {
	t.Helper()
	if !plain.MatchString(name) {
		t.Errorf("%s is called %q: a capital first, no full stop behind", what, name)
	}
}

// codesFit holds the codes of an element to its type and its lengths, and
// their names to one meaning each.
func codesFit(t *testing.T, ref string, u *Use) {
	t.Helper()
	if u.Codes == nil {
		return
	}
	switch u.Type {
	case Implied, Decimal, Date, Time, Binary:
		t.Errorf("element %s is a %s and has codes", ref, u.Type.Words())
	}
	names := map[string]string{}
	for _, code := range u.Codes.List() {
		if n := len(code.Value); n < u.Min || n > u.Max {
			t.Errorf("element %s has %d to %d characters, and the code %s", ref, u.Min, u.Max, code.Value)
		}
		if code.Name == "" {
			continue
		}
		wellNamed(t, fmt.Sprintf("code %s of element %s", code.Value, ref), code.Name)
		if other := names[code.Name]; other != "" && sameCode[ref] != other+" "+code.Value {
			t.Errorf("codes %s and %s of element %s are both called %q", other, code.Value, ref, code.Name)
		}
		names[code.Name] = code.Value
	}
}
