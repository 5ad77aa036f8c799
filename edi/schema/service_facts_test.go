package schema

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// wider are service elements that the shipped dictionary takes longer than the
// standard has them: associations write codes such as EAN008 and longer ones.
var wider = map[string]string{"0057": "an 1..12"}

// TestServiceSegments holds the service segments of ISO 9735 to what a second
// source knows of them.
func TestServiceSegments(t *testing.T) {
	t.Parallel()
	c, facts := Shipped(), readFacts(t, "edifact/service.facts")
	d, err := c.Dictionary("edifact/service")
	if err != nil {
		t.Fatal(err)
	}
	segments, composites := described(c, "edifact/service")
	if known := slices.Sorted(maps.Keys(facts["segments service"])); !slices.Equal(segments, known) {
		t.Errorf("described are the segments\n%q, the facts have\n%q", segments, known)
	}
	if known := slices.Sorted(maps.Keys(facts["composites service"])); !slices.Equal(composites, known) {
		t.Errorf("described are the composites\n%q, the facts have\n%q", composites, known)
	}
	used, types := map[string]*Use{}, map[string]string{}
	for tag, words := range facts["segments service"] {
		s := d.Segment(MakeTag(tag))
		if s == nil {
			t.Errorf("segment %s does not compile", tag)
			continue
		}
		if got := factWords(s.Uses, s.Notes); got != words {
			t.Errorf("segment %s is\n%s, the facts say\n%s", tag, got, words)
		}
		gatherUses(used, s.Uses)
		for i := range s.Uses {
			if composite := s.Uses[i].Composite; composite != nil {
				if got := factWords(composite.Uses, composite.Notes); got != facts["composites service"][composite.Ref] {
					t.Errorf("composite %s is\n%s, the facts say\n%s", composite.Ref, got, facts["composites service"][composite.Ref])
				}
			}
		}
	}
	for form, refs := range facts["elements service"] {
		for _, ref := range strings.Fields(refs) {
			types[ref] = form
		}
	}
	maps.Copy(types, wider)
	for ref, u := range used {
		if got, known := formWords(u), types[ref]; got != known && "an"+strings.TrimPrefix(got, "a") != known {
			t.Errorf("element %s (%s) is %s, the facts say %q", ref, u.Name, got, known)
		}
	}
}
