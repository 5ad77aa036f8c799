package validate_test

import (
	"fmt"
	"math/rand/v2"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"tradepost/edi/schema"
)

// maker writes random documents that keep every rule of a guide: it is the
// walk turned round, and shares nothing with it but the compiled guide.
type maker struct {
	t       *testing.T
	rnd     *rand.Rand
	guide   *schema.Guide
	density float64 // how likely what is optional is there, 0 to 1
	left    int     // segments that may still be made of what is optional
	lines   []line
	levels  []string // codes of the HL segments so far, by number
	bounds  []string // identifiers of the LS segments that are open
	needed  []int    // levels of a hierarchy that have to come yet
}

// line is one segment of a document.
type line struct {
	node   *schema.Node
	layout *schema.Segment
	values []field
}

// field is an element: its repetitions, each with its components.
type field [][]string

func (f field) empty() bool { return len(f) == 0 }

// generate makes a document of a guide; the same seed makes the same. size
// bounds the segments that need not be there.
func generate(t *testing.T, g *schema.Guide, seed uint64, density float64, size int) *maker {
	t.Helper()
	m := &maker{t: t, rnd: rand.New(rand.NewPCG(seed, 1)), guide: g, density: density, left: size} //nolint:gosec // to be the same every time
	m.loop(g.Root, "")
	return m
}

func (m *maker) chance(p float64) bool { return m.rnd.Float64() < p }

// loop makes the segments of a loop; code is the level of an HL.
func (m *maker) loop(l *schema.Loop, code string) {
	bounded := 0 // 1 between LS and LE, -1 where LS was left out
	for i := 0; i < len(l.Nodes); i = l.Nodes[i].To {
		var row []*schema.Node // variants of one segment may come in any order
		for j := l.Nodes[i].From; j < l.Nodes[i].To; j++ {
			n := &l.Nodes[j]
			uses := m.uses(n)
			if n.Loop != nil && len(n.Loop.Levels) > 0 {
				uses = max(uses, m.need(n.Loop))
			}
			switch tag := n.Tag.String(); {
			case tag == "LS" && n.Loop == nil && n.Min == 0:
				uses, bounded = min(uses, 1), 2*min(uses, 1)-1
			case tag == "LE" && bounded != 0:
				uses, bounded = max(bounded, 0), 0
			case bounded < 0:
				uses = 0
			}
			for range uses {
				row = append(row, n)
			}
		}
		m.rnd.Shuffle(len(row), func(a, b int) { row[a], row[b] = row[b], row[a] })
		for _, n := range row {
			switch {
			case n.Loop == nil:
				m.segment(l, n, code)
			case len(n.Loop.Levels) > 0:
				m.level(n.Loop)
			default:
				m.opener(n)
			}
		}
	}
}

// opener makes a loop; the condition of a variant holds for its first segment.
func (m *maker) opener(n *schema.Node) {
	inner := *n.Loop
	inner.Nodes = slices.Clone(inner.Nodes)
	inner.Nodes[0].Where = n.Where
	m.loop(&inner, "")
}

// ambiguous are places that the standards themselves leave open: a segment there
// may as well belong to the loop around it, and only what stands behind it
// tells. The walk takes the nearest place, as all engines do.
var ambiguous = map[string]string{
	"edifact/D96A/INVRPT": "SG9/SG11/SG15/SG16",
	"x12/005010/832":      "heading/G93",
}

// uses is how often a node is used.
func (m *maker) uses(n *schema.Node) int {
	if n.Forbidden || ambiguous[m.guide.Name] == n.Path {
		return 0
	}
	most := n.Max
	if most == 0 {
		most = n.Min + 4
	}
	if m.left <= 0 || most == n.Min || !m.chance(m.density) {
		return n.Min
	}
	count := n.Min + 1 + m.rnd.IntN(min(most-n.Min, 2))
	if most <= 9 && m.chance(0.2) {
		count = most
	}
	m.left -= count
	return count
}

// level makes one HL with what stands below it.
func (m *maker) level(l *schema.Loop) {
	type choice struct{ level, parent int }
	var choices []choice
	for i, level := range l.Levels {
		count := 0
		for _, code := range m.levels {
			if code == level.Code {
				count++
			}
		}
		if level.Forbidden || level.Max > 0 && count >= level.Max || len(m.needed) > 0 && m.needed[0] != i {
			continue
		}
		if level.IsRoot && (len(m.levels) == 0 || m.chance(0.1)) {
			choices = append(choices, choice{i, 0})
		}
		for k, code := range m.levels {
			if level.Code != "*" && (len(level.Under) == 0 || slices.Contains(level.Under, code)) {
				choices = append(choices, choice{i, k + 1})
			}
		}
	}
	if len(m.needed) > 0 {
		m.needed = m.needed[1:]
	}
	if len(choices) == 0 {
		choices = append(choices, choice{slices.IndexFunc(l.Levels, func(l schema.Level) bool { return l.IsRoot }), 0})
	}
	c := choices[m.rnd.IntN(len(choices))]
	code := l.Levels[c.level].Code
	if code == "*" {
		code = "ZZ"
	}
	m.levels = append(m.levels, code)
	parent := ""
	if c.parent > 0 {
		parent = fmt.Sprint(c.parent)
	}
	m.loop(l.Levels[c.level].Loop, fmt.Sprintf("%d/%s/%s", len(m.levels), parent, code))
}

// need lists the levels that a hierarchy must have, and gives their number.
func (m *maker) need(l *schema.Loop) int {
	for i, level := range l.Levels {
		for range level.Min {
			m.needed = append(m.needed, i)
		}
	}
	return len(m.needed)
}

// segment makes one segment.
func (m *maker) segment(l *schema.Loop, n *schema.Node, code string) {
	given := map[int]string{}
	switch tag := n.Tag.String(); {
	case n == &l.Nodes[0] && code != "":
		for i, value := range strings.Split(code, "/") {
			given[i+1] = value
		}
	case tag == "LS":
		m.bounds = append(m.bounds, fmt.Sprintf("B%d", len(m.bounds)+1))
		given[1] = m.bounds[len(m.bounds)-1]
	case tag == "LE":
		given[1] = m.bounds[len(m.bounds)-1]
		m.bounds = m.bounds[:len(m.bounds)-1]
	}
	m.lines = append(m.lines, line{node: n, layout: n.Segment, values: m.elements(n, given)})
}

// elements makes the elements of a segment.
func (m *maker) elements(n *schema.Node, given map[int]string) []field {
	uses := n.Segment.Uses
	if w := n.Where; w != nil && w.Component == 0 {
		list := w.Values.List()
		given[w.Element] = list[m.rnd.IntN(len(list))].Value
	}
	present := m.present(uses, n.Segment.Notes, func(p int) (bool, bool) {
		value, ok := given[p]
		return value != "", ok
	})
	values := make([]field, len(uses))
	for i := range uses {
		p, u := i+1, &uses[i]
		if !present[i] {
			continue
		}
		if value, ok := given[p]; ok {
			values[i] = field{{value}}
			continue
		}
		repeats := 1
		if u.Repeat > 1 && m.chance(0.3) {
			repeats = 2 + m.rnd.IntN(min(u.Repeat, 5)-1)
		}
		for range repeats {
			values[i] = append(values[i], m.components(u, n.Where, p))
		}
	}
	if l := n.Segment; l.Tag == "BIN" || l.Tag == "BDS" {
		data := len(uses) - 1
		values[data-1] = field{{fmt.Sprint(len(values[data][0][0]))}}
	}
	for _, p := range n.Segment.Formats {
		if u := &uses[p-1]; present[p-1] {
			if code := values[u.Format-1]; !code.empty() {
				form, value := m.dated(&uses[u.Format-1], u)
				values[u.Format-1], values[p-1] = field{{form}}, field{{value}}
			}
		}
	}
	return values
}

// components makes one occurrence of an element.
func (m *maker) components(u *schema.Use, w *schema.Where, p int) []string {
	if u.Composite == nil {
		return []string{m.value(u)}
	}
	uses := u.Composite.Uses
	present := m.present(uses, u.Composite.Notes, func(c int) (bool, bool) {
		return true, w != nil && w.Element == p && w.Component == c
	})
	if !slices.Contains(present, true) {
		m.t.Fatalf("%s: nothing can stand in composite %s", m.guide.Name, u.Ref)
	}
	values := make([]string, len(uses))
	for i := range uses {
		if present[i] {
			values[i] = m.value(&uses[i])
		}
		if w != nil && w.Element == p && w.Component == i+1 {
			list := w.Values.List()
			values[i] = list[m.rnd.IntN(len(list))].Value
		}
	}
	for _, c := range u.Composite.Formats {
		if f := uses[c-1].Format; present[c-1] && present[f-1] {
			values[f-1], values[c-1] = m.dated(&uses[f-1], &uses[c-1])
		}
	}
	return values
}

// present chooses which positions hold a value, so that all notes hold. fixed
// tells those that were chosen before.
func (m *maker) present(uses []schema.Use, notes []schema.Note, fixed func(int) (value, ok bool)) []bool {
	for try := range 500 {
		out, bits, some := make([]bool, len(uses)), uint64(0), false
		density := m.density
		if try > 20 {
			density = float64(1+try%9) / 10
		}
		for i := range uses {
			out[i] = uses[i].Required || !uses[i].Forbidden && m.chance(density)
			if value, ok := fixed(i + 1); ok {
				out[i] = value
			}
			if uses[i].Type == schema.Binary && !uses[i].Required {
				out[i] = false
			}
		}
		for _, n := range notes { // what is paired comes together, as far as that can be done
			if n.Kind == schema.Paired && len(n.Positions) == 2 && !uses[n.Positions[0]-1].Required {
				out[n.Positions[0]-1] = out[n.Positions[1]-1]
			}
		}
		for i := range out {
			some = some || out[i]
			if out[i] && i < 64 {
				bits |= 1 << i
			}
		}
		if (some || len(uses) == 0) && !slices.ContainsFunc(notes, func(n schema.Note) bool { return !n.Holds(bits) }) {
			return out
		}
	}
	m.t.Fatalf("%s: no choice of elements keeps the notes %v", m.guide.Name, notes)
	return nil
}

// text makes a text of some length with blanks inside.
func (m *maker) text(least, most int, letters string) string {
	n := least + m.rnd.IntN(min(most-least, 12)+1)
	if n > 2000 {
		m.t.Fatalf("%s: a value of %d characters", m.guide.Name, n)
	}
	var b strings.Builder
	for b.Len() < max(n, 1) {
		b.WriteByte(letters[m.rnd.IntN(len(letters))])
	}
	return b.String()
}

const capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// value makes a value.
func (m *maker) value(u *schema.Use) string {
	if u.Pattern != nil {
		tree, err := syntax.Parse(u.Pattern.String(), syntax.Perl)
		if err != nil {
			m.t.Fatal(err)
		}
		return m.like(tree)
	}
	if u.Codes.Len() > 0 && !(u.Codes.Open && m.chance(0.3)) {
		list := slices.DeleteFunc(u.Codes.List(), func(c schema.Code) bool { return !u.Codes.Allows([]byte(c.Value), generatedDay) })
		return list[m.rnd.IntN(len(list))].Value
	}
	switch u.Type {
	case schema.Implied:
		return "1" + m.text(u.Min-1, u.Max-1, "0123456789")[:max(u.Min-1, min(u.Max-1, 1))]
	case schema.Decimal, schema.Numeric:
		digits := m.text(u.Min, u.Max, "123456789")
		if k := m.rnd.IntN(len(digits)); k > 0 {
			digits = digits[:k] + "." + digits[k:]
		}
		if m.chance(0.1) {
			digits = "-" + digits
		}
		return digits
	case schema.Date:
		if u.Max < 8 {
			return "260228"
		}
		return "20240229"
	case schema.Time:
		for _, value := range []string{"23595999", "235959", "0000"} {
			if len(value) >= u.Min && len(value) <= u.Max && m.chance(0.5) {
				return value
			}
		}
		return "2359"
	case schema.Alpha:
		return m.text(u.Min, u.Max, capitals)
	}
	value := m.text(u.Min, u.Max, capitals+"0123456789 .,-/()=")
	return "A" + value[1:len(value)-min(1, len(value)-1)] + strings.Repeat("Z", min(1, len(value)-1))
}

// like makes a text that a pattern of the simple kind matches.
func (m *maker) like(p *syntax.Regexp) string {
	var b strings.Builder
	switch p.Op {
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range p.Sub {
			b.WriteString(m.like(sub))
		}
	case syntax.OpLiteral:
		b.WriteString(string(p.Rune))
	case syntax.OpCharClass:
		b.WriteRune(p.Rune[0] + rune(m.rnd.IntN(int(p.Rune[1]-p.Rune[0])+1)))
	case syntax.OpRepeat:
		for range p.Min {
			b.WriteString(m.like(p.Sub[0]))
		}
	case syntax.OpBeginText, syntax.OpEndText:
	default:
		m.t.Fatalf("a pattern %v", p)
	}
	return b.String()
}

// generatedDay is the day the documents are sent.
const generatedDay = 20260301

// dated makes the code of a form and a date in it.
func (m *maker) dated(code, date *schema.Use) (string, string) {
	forms := [][2]string{{"102", "20240229"}, {"203", "202402292400"}, {"101", "240229"}, {"718", "2024022820240229"}, {"D8", "20240229"}, {"RD8", "20240228-20240229"}, {"TM", "2359"}, {"CY", "2024"}, {"TS", "235959"}}
	forms = slices.DeleteFunc(forms, func(f [2]string) bool {
		known := code.Codes == nil
		if !known {
			_, known = code.Codes.Find([]byte(f[0]))
		}
		return !known || len(f[0]) < code.Min || len(f[0]) > code.Max || len(f[1]) < date.Min || len(f[1]) > date.Max
	})
	if len(forms) == 0 {
		m.t.Fatalf("%s: no form of a date is known for element %s", m.guide.Name, code.Ref)
	}
	f := forms[m.rnd.IntN(len(forms))]
	return f[0], f[1]
}

// interchange writes the lines of a document with an envelope around it.
func (m *maker) interchange(lines []line) string {
	edifact := m.guide.Standard == schema.EDIFACT
	d := marks{"*", "^", ":", "~\n"}
	if edifact {
		d = marks{"+", "*", ":", "'\n"}
	}
	var b strings.Builder
	year, repeat := "00401", "U"
	switch {
	case edifact:
		b.WriteString("UNB+UNOC:4+A:14+B:14+20260301:1200+R1'\n")
	default:
		if m.guide.Version >= "00402" {
			year, repeat = "00501", d.repeat
		}
		fmt.Fprintf(&b, "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*%s*%s*000000001*0*P*:~\n", repeat, year)
		fmt.Fprintf(&b, "GS*%s*A*B*20260301*1200*1*X*%s%s~\n", m.guide.Group, m.guide.Version, strings.Join(m.guide.Conventions, ""))
	}
	for i := range lines {
		switch tag := lines[i].layout.Tag; tag {
		case "ST":
			fmt.Fprintf(&b, "ST*%s*0001~\n", m.guide.Type)
		case "SE":
			fmt.Fprintf(&b, "SE*%d*0001~\n", len(lines))
		case "UNH":
			subset := ""
			if len(m.guide.Conventions) > 0 {
				subset = ":" + m.guide.Conventions[0]
			}
			fmt.Fprintf(&b, "UNH+1+%s:%s:UN%s'\n", m.guide.Type, m.guide.Version, subset)
		case "UNT":
			fmt.Fprintf(&b, "UNT+%d+1'\n", len(lines))
		default:
			b.WriteString(d.segment(&lines[i]))
		}
	}
	if edifact {
		b.WriteString("UNZ+1+R1'\n")
	} else {
		b.WriteString("GE*1*1~\nIEA*1*000000001~\n")
	}
	return b.String()
}

type marks struct{ element, repeat, component, end string }

// segment writes a line.
func (d marks) segment(l *line) string {
	text := l.layout.Tag
	release := strings.NewReplacer("?", "??", "+", "?+", ":", "?:", "'", "?'", "*", "?*")
	for _, f := range l.values {
		text += d.element
		for k, parts := range f {
			if k > 0 {
				text += d.repeat
			}
			var b strings.Builder
			for c, part := range parts {
				if c > 0 {
					b.WriteString(d.component)
				}
				if d.element == "+" {
					part = release.Replace(part)
				}
				b.WriteString(part)
			}
			text += strings.TrimRight(b.String(), d.component)
		}
	}
	return strings.TrimRight(text, d.element) + d.end
}
