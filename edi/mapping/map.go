package mapping

import (
	"fmt"
	"slices"
	"sync"

	"tradepost/edi/schema"
)

// Map is a map that was loaded and checked. It may be used by several
// goroutines.
type Map struct {
	text     *mapText
	from, to sideModel
	shipped  bool // it comes with this package

	mu       sync.Mutex
	programs map[programKey]*program
}

// sideModel is one side of a map with what was found by its names.
type sideModel struct {
	guides []*schema.Guide
	form   *Form
}

// programKey names the guides a program was compiled for, nil for a form.
type programKey struct{ from, to *schema.Guide }

// Side is one side of a map.
type Side struct {
	Guides []string // names of guides; empty for a form
	Form   *Form    // nil for EDI
}

// IsEDI tells a side that is EDI from one that is a form.
func (s Side) IsEDI() bool { return s.Form == nil }

// Name returns the map's own name, as in x12/850.
func (m *Map) Name() string { return m.text.name }

// Title returns what the map is for in a few words.
func (m *Map) Title() string { return m.text.title }

// About returns the remarks of its author.
func (m *Map) About() string { return m.text.about }

// From returns the from side, To the to side: forward runs from the one to the
// other.
func (m *Map) From() Side { return m.from.side() }

// To returns the to side.
func (m *Map) To() Side { return m.to.side() }

func (s *sideModel) side() Side {
	out := Side{Form: s.form}
	for _, g := range s.guides {
		out.Guides = append(out.Guides, g.Name)
	}
	return out
}

// sides returns what the map reads and writes when it runs in a direction.
func (m *Map) sides(w Way) (from, to *sideModel) {
	if w == Backward {
		return &m.to, &m.from
	}
	return &m.from, &m.to
}

// Standing lists the lines that stand in the way of running the map backward,
// each with its reason; none when it runs both ways.
func (m *Map) Standing() []Problem {
	var out []Problem
	seen := map[position]bool{}
	for _, p := range m.all() {
		for _, l := range p.all {
			if l.stands != "" && l.backward && !seen[l.at] {
				seen[l.at] = true
				out = append(out, Problem{
					File: l.at.file, Line: l.at.line, Column: l.at.column,
					Text: fmt.Sprintf("%s runs forward only: %s", l.name, l.stands), Hint: "add from:, or move the line to only-to if the way back does not need it",
				})
			}
		}
	}
	return out
}

func (m *Map) all() []*program {
	m.mu.Lock()
	defer m.mu.Unlock()
	keys := slices.SortedFunc(keysOf(m.programs), func(a, b programKey) int { return compareGuides(a.from, b.from)*2 + compareGuides(a.to, b.to) })
	out := make([]*program, len(keys))
	for i, k := range keys {
		out[i] = m.programs[k]
	}
	return out
}

func compareGuides(a, b *schema.Guide) int {
	switch {
	case a == b || a == nil || b == nil:
		return 0
	case a.Name < b.Name:
		return -1
	}
	return 1
}

// OneWayError says that a map was asked to run backward and cannot.
type OneWayError struct {
	Map   string
	Lines []Problem // those that stand in the way
}

// Error names the lines.
func (e *OneWayError) Error() string {
	load := LoadError{e.Lines}
	return fmt.Sprintf("map %s cannot run backward; these lines stand in the way:\n%s", e.Map, load.Error())
}

// check refuses a direction the map cannot run in.
func (m *Map) check(w Way) error {
	if w == Forward {
		return nil
	}
	if lines := m.Standing(); len(lines) > 0 {
		return &OneWayError{m.Name(), lines}
	}
	return nil
}

// program returns the program for one guide or form on each side, compiling it
// when it is met for the first time: a partner's own guide, say.
func (m *Map) program(from, to *schema.Guide) (*program, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := programKey{from, to}
	if p := m.programs[key]; p != nil {
		return p, nil
	}
	var bad problems
	p := m.compile(from, to, &bad)
	if err := bad.err(); err != nil {
		return nil, err
	}
	m.programs[key] = p
	return p, nil
}

func (m *Map) compile(from, to *schema.Guide, bad *problems) *program {
	side := func(s *sideModel, g *schema.Guide) sideInfo {
		if s.form != nil {
			return sideInfo{form: s.form}
		}
		return sideInfo{guide: newGuideIndex(g)}
	}
	named := func(s *sideModel, g *schema.Guide) bool { return g == nil || slices.Contains(s.guides, g) }
	p := compile(m.text, side(&m.from, from), side(&m.to, to), !named(&m.from, from) || !named(&m.to, to), bad)
	if len(bad.list) == 0 {
		p.settle()
	}
	return p
}

// pairs calls f for every pair of guides the map names.
func (m *Map) pairs(f func(from, to *schema.Guide)) {
	one := func(s sideModel) []*schema.Guide {
		if s.form != nil {
			return []*schema.Guide{nil}
		}
		return s.guides
	}
	for _, from := range one(m.from) {
		for _, to := range one(m.to) {
			f(from, to)
		}
	}
}

// settle derives what a run needs besides the lines: which values of the input
// follow from the rest of it.
func (p *program) settle() {
	p.made, p.derived = map[*schema.Node][]madeValue{}, map[*Field][]byte{}
	for _, l := range p.all {
		switch {
		case (l.turned || !l.backward) && l.to != nil && l.to.node != nil:
			var conds []cond
			if n := len(l.to.steps); n > 0 {
				conds = l.to.steps[n-1].conds
			}
			at := p.made[l.to.node]
			for _, c := range conds {
				at = append(at, madeValue{c.element, c.component, nil, conds})
			}
			p.made[l.to.node] = append(at, madeValue{l.to.leaf.element, l.to.leaf.component, l.constant, conds})
		case !l.backward && l.to != nil && l.to.field != nil:
			p.derived[l.to.field] = l.constant
		}
	}
}

// Check makes the map ready for a guide it does not name, such as a partner's
// guide laid over one it does name, and returns what stands in the way of
// that.
func (m *Map) Check(g *schema.Guide) error {
	_, err := m.Unfit(g)
	return err
}

// Unfit lists the lines of the map that a guide it does not name has no place
// for: a segment or code a partner does not use. Such lines are left out for
// documents of that guide; a value they would have carried back is told as
// left behind.
func (m *Map) Unfit(g *schema.Guide) ([]Problem, error) {
	var err error
	var list []Problem
	fits := false
	m.pairs(func(from, to *schema.Guide) {
		reads := from != nil && from.Standard == g.Standard && from.Type == g.Type
		writes := to != nil && to.Standard == g.Standard && to.Type == g.Type
		if err != nil || !reads && !writes {
			return
		}
		if fits = true; reads {
			from = g
		} else {
			to = g
		}
		var p *program
		if p, err = m.program(from, to); err == nil {
			list = append(list, p.dropped...)
		}
	})
	if err == nil && !fits {
		err = fmt.Errorf("map %s is not for documents %s of %s, which guide %s describes", m.Name(), g.Type, g.Standard, g.Name)
	}
	seen := map[position]bool{}
	return slices.DeleteFunc(list, func(p Problem) bool {
		at := position{p.File, p.Line, p.Column}
		before := seen[at]
		seen[at] = true
		return before
	}), err
}
