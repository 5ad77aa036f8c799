package validate_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// everyGuide calls a test for every shipped guide and for those of partners that
// the examples have.
func everyGuide(t *testing.T, test func(t *testing.T, g *schema.Guide)) {
	t.Helper()
	catalog, err := schema.Load(os.DirFS("../../examples/guides"), shippedOnce())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range catalog.Names() {
		g, err := catalog.Guide(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, g)
		})
	}
}

// density gives how full the documents of a seed are.
func density(seed uint64) float64 { return []float64{0.05, 0.3, 0.9}[seed%3] }

// issuesWith checks a text with a guide and writes its issues short.
func issuesWith(t *testing.T, g *schema.Guide, text string, o validate.Options) []string {
	t.Helper()
	o.GuideFor = func(validate.Choice) *schema.Guide { return g }
	var got []string
	for _, is := range check(t, text, o).All() {
		where := fmt.Sprintf("%s %s#%d", is.Ack, is.Segment, is.Ordinal)
		if is.Element > 0 {
			where += fmt.Sprintf(".%d", is.Element)
		}
		if is.Component > 0 {
			where += fmt.Sprintf(".%d", is.Component)
		}
		got = append(got, where)
	}
	return got
}

// TestGeneratedDocumentsAreClean: what keeps every rule of a guide has no issue.
func TestGeneratedDocumentsAreClean(t *testing.T) {
	t.Parallel()
	everyGuide(t, func(t *testing.T, g *schema.Guide) {
		for seed := range uint64(6) {
			m := generate(t, g, seed, density(seed), 150)
			text := m.interchange(m.lines)
			if got := issuesWith(t, g, text, validate.Options{}); len(got) > 0 {
				t.Fatalf("seed %d: %q in\n%s", seed, got, text)
			}
		}
	})
}

// TestGeneratedStructureFaults: a segment left out, put twice or changed with
// its neighbour is told when the document cannot be read in any way with it, and
// only then; and nearly always as one fault, whatever comes behind it.
func TestGeneratedStructureFaults(t *testing.T) {
	t.Parallel()
	var bad, alone atomic.Int64
	t.Run("guides", func(t *testing.T) {
		everyGuide(t, func(t *testing.T, g *schema.Guide) {
			if g.BasedOn != "" {
				return // the oracle knows no variants
			}
			for seed := range uint64(2) {
				m := generate(t, g, seed, []float64{0.1, 0.3, 0.6}[seed%3], 30)
				if len(m.lines) > 60 {
					continue
				}
				for i := 1; i < len(m.lines)-1; i++ {
					for what, changed := range structureChanges(m.lines, i) {
						got := issuesWith(t, g, m.interchange(changed), validate.Options{StructureOnly: true})
						if accepts(g, changed) != (len(got) == 0) {
							t.Errorf("%s#%d %s: %q in\n%s", m.lines[i].layout.Tag, i+1, what, got, m.interchange(changed))
							return
						}
						if len(got) > 0 {
							bad.Add(1)
						}
						if len(got) == 1 {
							alone.Add(1)
						}
						if n := m.lines[i].node; what == "twice" && len(got) > 0 && n != &g.Root.Nodes[0] && n.Loop == nil && n.Max == 1 && n.Min == 0 && (len(got) > 1 || !strings.HasPrefix(got[0], code(g, "AK304=5", "0085=35")+fmt.Sprintf(" %s#", n.Tag))) {
							t.Errorf("%s#%d twice: %q", n.Tag, i+1, got)
						}
					}
				}
			}
		})
	})
	if share := float64(alone.Load()) / float64(bad.Load()); share < 0.93 || bad.Load() < 1500 {
		t.Errorf("%d documents with one fault, told as one in %.0f %%", bad.Load(), 100*share)
	}
}

// structureChanges gives a document with one change at a segment. Levels and
// bounded loops are left alone: they hang together.
func structureChanges(lines []line, i int) map[string][]line {
	apart := func(i int) bool {
		tag := lines[i].layout.Tag
		return i < len(lines)-1 && tag != "HL" && tag != "LS" && tag != "LE"
	}
	if !apart(i) {
		return nil
	}
	changes := map[string][]line{
		"left out": slices.Concat(lines[:i], lines[i+1:]),
		"twice":    slices.Concat(lines[:i+1], lines[i:]),
	}
	if apart(i + 1) {
		changes["swapped"] = slices.Concat(lines[:i], []line{lines[i+1], lines[i]}, lines[i+2:])
	}
	return changes
}

// code gives the code of a guide's standard.
func code(g *schema.Guide, x12, edifact string) string {
	if g.Standard == schema.X12 {
		return x12
	}
	return edifact
}

// TestGeneratedStrangers: a segment that the release or the document type does
// not have is told by its code at its place, and nothing else is.
func TestGeneratedStrangers(t *testing.T) {
	t.Parallel()
	everyGuide(t, func(t *testing.T, g *schema.Guide) {
		for seed := range uint64(3) {
			m := generate(t, g, seed, density(seed), 40)
			for tag, want := range map[string]string{"ZZZ": code(g, "AK304=1", "0085=15"), strange(g): code(g, "AK304=6", "0085=15")} {
				i := 1 + m.rnd.IntN(len(m.lines)-1)
				stranger := line{layout: &schema.Segment{Tag: tag}, values: []field{{{"A"}}}}
				got := issuesWith(t, g, m.interchange(slices.Insert(slices.Clone(m.lines), i, stranger)), validate.Options{})
				if want := fmt.Sprintf("%s %s#%d", want, tag, i+1); len(got) != 1 || got[0] != want {
					t.Errorf("seed %d: got %q, want %q", seed, got, want)
				}
			}
		}
	})
}

// strange gives a segment of the release that the guide has no place for.
func strange(g *schema.Guide) string {
	for _, tag := range []string{"SLN", "BPR", "LIN", "CPS", "PO1", "GIR", "UCD", "ERC"} {
		if t := schema.MakeTag(tag); g.Places(t) == nil && g.Dictionary.Knows(t) {
			return tag
		}
	}
	return "no segment is strange to " + g.Name
}

// TestGeneratedValueFaults: a value spoiled in a way its element does not allow
// is told by its code at its place, and nothing else is.
func TestGeneratedValueFaults(t *testing.T) {
	t.Parallel()
	var spoiled atomic.Int64
	t.Run("guides", func(t *testing.T) {
		everyGuide(t, func(t *testing.T, g *schema.Guide) {
			for seed := range uint64(2) {
				m := generate(t, g, seed, density(seed+1), 30)
				for i := range m.lines {
					if tag := m.lines[i].layout.Tag; tag == "ST" || tag == "SE" || tag == "UNH" || tag == "UNT" || tag == "HL" || tag == "LS" || tag == "LE" || tag == "BIN" {
						continue
					}
					for _, s := range m.spoil(&m.lines[i]) {
						lines := slices.Clone(m.lines)
						lines[i] = s.line
						got := issuesWith(t, g, m.interchange(lines), validate.Options{})
						want := fmt.Sprintf("%s %s#%d%s", s.code, lines[i].layout.Tag, i+1, s.at)
						if spoiled.Add(1); len(got) != 1 || got[0] != want {
							d := marks{"*", "^", ":", ""}
							t.Errorf("seed %d, %s: got %q, want %q: %s", seed, s.what, got, want, d.segment(&lines[i]))
						}
					}
				}
				if t.Failed() {
					return
				}
			}
		})
	})
	if spoiled.Load() < 4000 {
		t.Errorf("only %d values were spoiled", spoiled.Load())
	}
}

// spoilt is a segment with one fault.
type spoilt struct {
	line           line
	what, code, at string
}

// spoil makes one fault of each kind that the elements of a segment can have, at
// a place of chance.
func (m *maker) spoil(l *line) []spoilt {
	var all []spoilt
	uses := l.layout.Uses
	noted := map[int]bool{}
	for _, n := range l.layout.Notes {
		for _, p := range n.Positions {
			noted[p] = true
		}
	}
	for i := range uses {
		u := &uses[i]
		noted[u.Format] = noted[u.Format] || u.Format > 0
		noted[i+1] = noted[i+1] || u.Format > 0
	}
	put := func(p, c int, value string) line {
		out := line{node: l.node, layout: l.layout, values: slices.Clone(l.values)}
		if c == 0 {
			out.values[p-1] = field{{value}}
			return out
		}
		parts := slices.Clone(l.values[p-1][0])
		parts[c-1] = value
		out.values[p-1] = field{parts}
		return out
	}
	add := func(what, x12, edifact string, p, c int, value string) {
		at := fmt.Sprintf(".%d", p)
		if c > 0 {
			at += fmt.Sprintf(".%d", c)
		}
		all = append(all, spoilt{put(p, c, value), what, code(m.guide, x12, edifact), at})
	}
	for i := range uses {
		if w := l.node.Where; w != nil && w.Element == i+1 {
			continue // it would be another variant then
		}
		if p, u := i+1, &uses[i]; !l.values[i].empty() && m.chance(0.5) {
			if u.Composite == nil {
				m.spoilValue(u, !noted[p], func(what, x12, edifact, value string) { add(what, x12, edifact, p, 0, value) })
				continue
			}
			fixed := map[int]bool{}
			for _, n := range u.Composite.Notes {
				for _, c := range n.Positions {
					fixed[c] = true
				}
			}
			for j := range u.Composite.Uses {
				f := u.Composite.Uses[j].Format
				fixed[f], fixed[j+1] = true, fixed[j+1] || f > 0
			}
			parts := l.values[i][0]
			c := 1 + m.rnd.IntN(len(parts))
			for parts[c-1] == "" {
				c = 1 + m.rnd.IntN(len(parts))
			}
			others := len(slices.DeleteFunc(slices.Clone(parts), func(s string) bool { return s == "" })) > 1
			m.spoilValue(&u.Composite.Uses[c-1], !fixed[c] && others, func(what, x12, edifact, value string) { add(what, x12, edifact, p, c, value) })
			if extra := slices.Concat(parts, make([]string, len(u.Composite.Uses)+1-len(parts))); true {
				extra[len(extra)-1] = "X"
				out := put(p, c, parts[c-1])
				out.values[i] = field{extra}
				all = append(all, spoilt{out, "a component too many", code(m.guide, "AK403=13", "0085=16"), fmt.Sprintf(".%d.%d", p, len(extra))})
			}
		}
	}
	if len(uses) > 0 {
		out := line{node: l.node, layout: l.layout, values: append(slices.Clone(l.values), field{{"X"}})}
		all = append(all, spoilt{out, "an element too many", code(m.guide, "AK403=3", "0085=16"), fmt.Sprintf(".%d", len(uses)+1)})
	}
	return all
}

// spoilValue gives the faults that the value of an element can have. alone says
// that nothing else hangs on it.
func (m *maker) spoilValue(u *schema.Use, alone bool, add func(what, x12, edifact, value string)) {
	add("a control character", "AK403=6", "0085=21", "\x02")
	if u.Required && alone {
		add("left out", "AK403=1", "0085=13", "")
	}
	if !alone {
		return
	}
	closed := u.Codes.Len() > 0 && !u.Codes.Open
	switch u.Type {
	case schema.Implied:
		add("a letter in a number", "AK403=6", "0085=37", "1"+strings.Repeat("X", max(u.Min, 1)))
	case schema.Decimal, schema.Numeric:
		add("a letter in a number", "AK403=6", "0085=37", "1X"+strings.Repeat("1", u.Min))
	case schema.Date:
		add("a day that is none", "AK403=8", "0085=12", map[bool]string{true: "260230", false: "20260230"}[u.Max < 8])
		return
	case schema.Time:
		add("an hour that is none", "AK403=9", "0085=12", "2560"+strings.Repeat("0", max(u.Min-4, 0)))
		return
	case schema.Alpha:
		if !closed {
			add("a digit in letters", "AK403=6", "0085=37", strings.Repeat("1", u.Min))
		}
	}
	digit := "A"
	if u.Type == schema.Implied || u.Type == schema.Decimal || u.Type == schema.Numeric {
		digit = "1"
	}
	if u.Max < 4000 {
		add("too long", "AK403=5", "0085=39", strings.Repeat(digit, u.Max+1))
	}
	if u.Min > 1 {
		add("too short", "AK403=4", "0085=40", strings.Repeat(digit, u.Min-1))
	}
	if closed {
		for _, value := range []string{"Z", "ZQ", "ZQZ", "ZQZQ", "0", "00", "999"} {
			if _, ok := u.Codes.Find([]byte(value)); !ok && len(value) >= u.Min && len(value) <= u.Max && (digit == "A" || value < "A") && !(u.Type == schema.Alpha && value < "A") {
				add("no code", "AK403=7", "0085=12", value)
				return
			}
		}
	}
}
