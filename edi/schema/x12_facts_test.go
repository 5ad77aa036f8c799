package schema

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The texts in testdata/x12 say what a second source knows of the releases: the
// order of segments in a document, the elements of a segment with their notes,
// types, lengths and closed lists of codes. The shipped guides and dictionaries
// have to agree with every word of them.

// x12Facts is one text: a section such as "segments 004010" to its entries.
type x12Facts map[string]map[string]string

// readFacts reads a text: a line that begins at the margin is a section, one
// with two spaces an entry, one with more goes on with it.
func readFacts(t *testing.T, name string) x12Facts {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	out, section, entry := x12Facts{}, "", ""
	for _, line := range strings.Split(string(text), "\n") {
		words := strings.Join(strings.Fields(line), " ")
		switch {
		case words == "" || line[0] == '#':
		case line[0] != ' ':
			section = words
			out[section] = map[string]string{}
		case strings.HasPrefix(line, "    "):
			out[section][entry] += " " + words
		default:
			rest := ""
			entry, rest, _ = strings.Cut(words, " ")
			if strings.HasPrefix(section, "elements ") {
				length := ""
				length, rest, _ = strings.Cut(rest, ": ")
				entry += " " + length
			}
			entry = strings.TrimSuffix(entry, ":")
			out[section][entry] = rest
		}
	}
	return out
}

// factWords writes what a segment or composite holds in the words of the facts.
func factWords(uses []Use, notes []Note) string {
	var words, said []string
	for i := range uses {
		u := &uses[i]
		word := u.Ref
		if u.Required {
			word += "!"
		}
		if u.Repeat > 1 {
			word += fmt.Sprintf("x%d", u.Repeat)
		}
		words = append(words, word)
	}
	for _, n := range notes {
		said = append(said, n.String())
	}
	if len(said) > 0 {
		slices.Sort(said)
		words = append(append(words, "|"), said...)
	}
	return strings.Join(words, " ")
}

// described lists what a shipped dictionary describes itself.
func described(c *Catalog, name string) (segments, composites []string) {
	f := c.files[name]
	return slices.Sorted(maps.Keys(f.segments)), slices.Sorted(maps.Keys(f.composites))
}

// TestX12Segments compares every segment and composite.
func TestX12Segments(t *testing.T) {
	t.Parallel()
	c := Shipped()
	want := map[string]map[string]string{"segments": {}, "composites": {}}
	for _, release := range []string{"004010", "005010"} {
		facts := readFacts(t, "x12/"+release+".facts")
		d, err := c.Dictionary("x12/" + release)
		if err != nil {
			t.Fatal(err)
		}
		segments, composites := described(c, "x12/"+release)
		if known := slices.Sorted(maps.Keys(facts["segments "+release])); !slices.Equal(segments, known) {
			t.Errorf("%s describes the segments\n%q, the facts\n%q", release, segments, known)
		}
		if known := slices.Sorted(maps.Keys(facts["composites "+release])); !slices.Equal(composites, known) {
			t.Errorf("%s describes the composites\n%q, the facts\n%q", release, composites, known)
		}
		maps.Copy(want["segments"], facts["segments "+release])
		maps.Copy(want["composites"], facts["composites "+release])
		for tag, words := range want["segments"] {
			s := d.Segment(MakeTag(tag))
			if s == nil {
				t.Errorf("%s: segment %s does not compile", release, tag)
				continue
			}
			if got := factWords(s.Uses, s.Notes); got != words {
				t.Errorf("%s: segment %s is\n%s, the facts say\n%s", release, tag, got, words)
			}
			for i := range s.Uses {
				if composite := s.Uses[i].Composite; composite != nil {
					if got := factWords(composite.Uses, composite.Notes); got != want["composites"][composite.Ref] {
						t.Errorf("%s: composite %s is\n%s, the facts say\n%s", release, composite.Ref, got, want["composites"][composite.Ref])
					}
				}
			}
		}
	}
}

// laterCodes are closed lists with codes that came after the release and are
// written in it nevertheless.
var laterCodes = map[string][]string{"718": {"18"}, "723": {"12", "13"}}

// boundless are elements whose largest length has no bound in the standard.
var boundless = map[string]string{"785": "B 1..1000000000"}

// TestX12Elements compares the type and the lengths of every element, and the
// closed lists of codes.
func TestX12Elements(t *testing.T) {
	t.Parallel()
	c := Shipped()
	types, codes := map[string]string{}, map[string]string{}
	for _, release := range []string{"004010", "005010"} {
		facts := readFacts(t, "x12/"+release+".facts")
		for form, refs := range facts["elements "+release] {
			for _, ref := range strings.Fields(refs) {
				types[ref] = form
			}
		}
		maps.Copy(types, boundless)
		maps.Copy(codes, facts["codes "+release])
		d, err := c.Dictionary("x12/" + release)
		if err != nil {
			t.Fatal(err)
		}
		used := map[string]*Use{}
		for _, f := range d.resolver.chain {
			for tag := range f.segments {
				gatherUses(used, d.Segment(MakeTag(tag)).Uses)
			}
		}
		for ref, u := range used {
			if form := formWords(u); form != types[ref] {
				t.Errorf("%s: element %s (%s) is %s, the facts say %q", release, ref, u.Name, form, types[ref])
			}
			if u.Codes == nil || u.Codes.Open {
				continue
			}
			var have []string
			for _, code := range u.Codes.List() {
				if !slices.Contains(laterCodes[ref], code.Value) {
					have = append(have, code.Value)
				}
			}
			known := slices.DeleteFunc(strings.Fields(codes[ref]), func(v string) bool { return slices.Contains(laterCodes[ref], v) })
			slices.Sort(have)
			slices.Sort(known)
			if !slices.Equal(have, known) {
				t.Errorf("%s: element %s (%s) has the codes %q, the facts say %q", release, ref, u.Name, have, known)
			}
		}
	}
}

// formWords writes type and lengths of an element in the words of the facts.
func formWords(u *Use) string {
	form := u.Type.String()
	if u.Type == Implied {
		form += fmt.Sprint(u.Decimals)
	}
	if form += fmt.Sprintf(" %d", u.Min); u.Max != u.Min {
		form += fmt.Sprintf("..%d", u.Max)
	}
	return form
}

// TestX12Meanings holds the names of codes that are easily mistaken to a word
// that has to stand in them.
func TestX12Meanings(t *testing.T) {
	t.Parallel()
	d, err := Shipped().Dictionary("x12/005010")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]*Use{}
	for _, f := range d.resolver.chain {
		for tag := range f.segments {
			gatherUses(used, d.Segment(MakeTag(tag)).Uses)
		}
	}
	for ref, meanings := range readFacts(t, "x12/004010.facts")["meanings 004010"] {
		names := map[string]string{}
		for _, code := range used[ref].Codes.List() {
			names[code.Value] = code.Name
		}
		words := strings.Fields(meanings)
		for i := 0; i+1 < len(words); i += 2 {
			if name := names[words[i]]; !strings.Contains(strings.ToLower(name), words[i+1]) {
				t.Errorf("code %s of element %s (%s) is called %q, it means %s", words[i], ref, used[ref].Name, name, words[i+1])
			}
		}
	}
}

// gatherUses collects one use of each element.
func gatherUses(into map[string]*Use, uses []Use) {
	for i := range uses {
		if u := &uses[i]; u.Composite != nil {
			gatherUses(into, u.Composite.Uses)
		} else {
			into[u.Ref] = u
		}
	}
}

// asOne are the places where a shipped guide says the same in another way: the
// two bounded loops of a price begin with the same segment.
var asOne = map[string]*strings.Replacer{
	"set 005010 832": strings.NewReplacer("(LS (LM:* LQ!:*) LE!) (LS (N1:* N2:2 N3:2 N4:2) LE!)", "(LS:2 (LM:* LQ!:*) (N1:* N2:2 N3:2 N4:2) LE!)"),
}

// TestX12Sets compares the order, the status and the repetition of every
// segment and loop of each document type; in a hierarchy of each level.
func TestX12Sets(t *testing.T) {
	t.Parallel()
	c := Shipped()
	facts := readFacts(t, "x12/sets.facts")
	for _, name := range c.Names() {
		if set, ok := strings.CutPrefix(name, "x12/"); ok && facts["set "+strings.ReplaceAll(set, "/", " ")] == nil {
			t.Errorf("no facts are there of %s", name)
		}
	}
	for set, lines := range facts {
		var want string
		for first, rest := range lines {
			want = first + " " + rest
		}
		if other := asOne[set]; other != nil {
			want = other.Replace(want)
		}
		words := strings.Fields(set)
		g, ok := c.Lookup(X12, words[1], words[2])
		if !ok {
			t.Errorf("no guide is shipped for %s", set)
			continue
		}
		levels := 1
		for level := 0; level < levels; level++ {
			var got []string
			if got, levels = setWords(g.Root, 0, level); strings.Join(got, " ") != want {
				t.Errorf("%s %s", set, firstOther(got, strings.Fields(want)))
			}
		}
	}
}

// firstOther tells where two texts part.
func firstOther(got, want []string) string {
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	part := func(words []string) string {
		return strings.Join(words[min(at, len(words)):min(at+8, len(words))], " ")
	}
	return fmt.Sprintf("has behind %q\n%s ...\nwhere the facts say\n%s ...", strings.Join(got[max(0, at-3):at], " "), part(got), part(want))
}

// setWords writes the places of a loop from one on in the words of the facts,
// a hierarchy by its level of that number; levels is how many it has, 1 when
// there is no hierarchy.
func setWords(l *Loop, from, level int) (words []string, levels int) {
	levels = 1
	for i := from; i < len(l.Nodes); i++ {
		n := &l.Nodes[i]
		word := n.Tag.String()
		if n.Min > 0 {
			word += "!"
		}
		switch {
		case n.Max == 0:
			word += ":*"
		case n.Max > 1:
			word += fmt.Sprintf(":%d", n.Max)
		}
		if n.Loop == nil {
			words = append(words, word)
			continue
		}
		inner := n.Loop
		if len(inner.Levels) > 0 {
			levels = len(inner.Levels)
			inner = inner.Levels[level].Loop
		}
		within, _ := setWords(inner, 1, level)
		within = append([]string{"(" + word}, within...)
		within[len(within)-1] += ")"
		words = append(words, within...)
	}
	return words, levels
}
