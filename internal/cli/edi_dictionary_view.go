package cli

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"tradepost/edi/schema"
)

// guideView is a guide as show prints it.
type guideView struct {
	Name       string      `json:"name"`
	Title      string      `json:"title"`
	Standard   string      `json:"standard"`
	Version    string      `json:"version"`
	Type       string      `json:"type"`
	Group      string      `json:"group,omitempty"`
	BasedOn    string      `json:"based_on,omitempty"`
	Dictionary string      `json:"dictionary"`
	Places     []placeView `json:"places"`
	Also       []string    `json:"also,omitempty"` // guides of the type in other versions
}

// placeView is a segment or loop at its place.
type placeView struct {
	Path   string      `json:"path,omitempty"`
	Name   string      `json:"name"` // segment, or loop
	Kind   string      `json:"kind"` // segment, loop or level
	Title  string      `json:"title,omitempty"`
	Use    string      `json:"use,omitempty"` // M, O (X12), C (EDIFACT), - for forbidden
	Min    int         `json:"min"`
	Max    int         `json:"max"`             // 0 for any number
	Where  string      `json:"where,omitempty"` // a variant: 1 = ST
	Under  []string    `json:"under,omitempty"` // of a level: codes of its parents
	Places []placeView `json:"places,omitempty"`
}

func viewGuide(g *schema.Guide, also []string) *guideView {
	return &guideView{
		Name: g.Name, Title: g.Title, Standard: g.Standard, Version: g.Version, Type: g.Type, Group: g.Group, BasedOn: g.BasedOn,
		Dictionary: g.Dictionary.Name, Places: viewPlaces(g.Standard, g.Root), Also: also,
	}
}

func viewPlaces(standard string, l *schema.Loop) []placeView {
	out := make([]placeView, 0, len(l.Nodes))
	for i := range l.Nodes {
		n := &l.Nodes[i]
		v := placeView{Path: n.Path, Name: n.Tag.String(), Kind: "segment", Title: n.Segment.Name, Use: letter(standard, n.Min > 0, n.Forbidden), Min: n.Min, Max: n.Max}
		if n.Where != nil {
			v.Where = whereText(n.Where)
		}
		if n.Loop != nil {
			v.Name, v.Kind, v.Title = n.Loop.Name, "loop", n.Loop.Title
			if len(n.Loop.Levels) == 0 {
				v.Places = viewPlaces(standard, n.Loop)
			}
			for j := range n.Loop.Levels {
				level := &n.Loop.Levels[j]
				v.Places = append(v.Places, placeView{Name: level.Code, Kind: "level", Title: level.Title, Under: level.Under, Places: viewPlaces(standard, level.Loop)})
			}
		}
		if n.Title != "" {
			v.Title = n.Title
		}
		out = append(out, v)
	}
	return out
}

// letter is how the standards write whether something has to be there.
func letter(standard string, required, forbidden bool) string {
	switch {
	case forbidden:
		return "-"
	case required:
		return "M"
	case standard == schema.EDIFACT:
		return "C"
	}
	return "O"
}

func whereText(w *schema.Where) string {
	var values []string
	for _, c := range w.Values.List() {
		values = append(values, c.Value)
	}
	at := fmt.Sprint(w.Element)
	if w.Component > 0 {
		at += fmt.Sprintf("-%d", w.Component)
	}
	return at + " = " + strings.Join(values, " ")
}

func (v *guideView) others() []string { return v.Also }

func (v *guideView) text(bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n%s %s, dictionary %s", v.Name, v.Title, v.Standard, v.Version, v.Dictionary)
	if v.BasedOn != "" {
		fmt.Fprintf(&b, ", based on %s", v.BasedOn)
	}
	fmt.Fprintf(&b, "\n\n%-26s %s %6s  %s\n", "PLACE", "U", "MAX", "NAME")
	printPlaces(&b, v.Places, 0)
	return b.String()
}

func printPlaces(b *strings.Builder, places []placeView, depth int) {
	in := strings.Repeat("  ", depth)
	for i := range places {
		p := &places[i]
		title := plain(p.Title)
		if p.Where != "" {
			title += " (where " + plain(p.Where) + ")"
		}
		if p.Kind == "level" {
			under := ""
			if len(p.Under) > 0 {
				under = ", under " + strings.Join(p.Under, " ")
			}
			printLine(b, "%slevel %s  %s%s", in, plain(p.Name), title, under)
		} else {
			name, times := p.Name, "*"
			if p.Kind == "loop" {
				name = "loop " + name
			}
			if p.Max > 0 {
				times = fmt.Sprint(p.Max)
			}
			printLine(b, "%-26s %s %6s  %s", in+name, p.Use, times, title)
		}
		printPlaces(b, p.Places, depth+1)
	}
}

// segmentsView is a segment as show prints it: the layouts it has.
type segmentsView struct {
	Layouts []segmentView `json:"layouts"` // of a partner's guide there may be several
	In      string        `json:"in"`      // the guide or dictionary
	Guides  []string      `json:"guides"`  // that have a place for it
	Also    []string      `json:"also,omitempty"`
}

// segmentView is one layout.
type segmentView struct {
	Segment  string        `json:"segment"`
	Name     string        `json:"name"`
	Elements []elementView `json:"elements"`
	Notes    []string      `json:"notes,omitempty"`
}

// elementView is an element or composite at its position, or on its own.
type elementView struct {
	Position   int           `json:"position,omitempty"`
	Element    string        `json:"element"`
	Name       string        `json:"name"`
	Use        string        `json:"use,omitempty"`
	Type       string        `json:"type,omitempty"` // as the standards write it: AN, an, N2, composite
	Min        int           `json:"min,omitempty"`
	Max        int           `json:"max,omitempty"`
	Repeat     int           `json:"repeat,omitempty"`
	Codes      []codeView    `json:"codes,omitempty"`
	Open       bool          `json:"open,omitempty"` // other codes are allowed, too
	Components []elementView `json:"components,omitempty"`
}

type codeView struct {
	Value string `json:"value"`
	Name  string `json:"name,omitempty"`
	From  int    `json:"from,omitempty"` // CCYYMMDD
	Until int    `json:"until,omitempty"`
}

// viewSegments lists the different layouts a segment has in the guides of a
// dictionary, or the one it has in the dictionary where no guide uses it; nil
// when there is none.
func viewSegments(b *book, tag schema.Tag) *segmentsView {
	v := &segmentsView{In: b.name}
	seen := map[*schema.Segment]bool{}
	for _, g := range b.guides {
		uses := false
		eachSegment(g.Root, func(s *schema.Segment) {
			if schema.MakeTag(s.Tag) != tag {
				return
			}
			if uses = true; !seen[s] {
				seen[s] = true
				v.Layouts = append(v.Layouts, viewSegment(g.Standard, s))
			}
		})
		if uses {
			v.Guides = append(v.Guides, g.Name)
		}
	}
	if len(v.Layouts) == 0 {
		if s := b.Segment(tag); s != nil {
			v.Layouts = append(v.Layouts, viewSegment(b.Standard, s))
		}
	}
	if len(v.Layouts) == 0 {
		return nil
	}
	slices.Sort(v.Guides)
	v.Layouts = slices.CompactFunc(v.Layouts, func(a, b segmentView) bool { return reflect.DeepEqual(a, b) })
	return v
}

// eachSegment visits the segments of a loop and of those inside it.
func eachSegment(l *schema.Loop, visit func(*schema.Segment)) {
	for i := range l.Nodes {
		n := &l.Nodes[i]
		switch {
		case n.Loop == nil:
			visit(n.Segment)
		case len(n.Loop.Levels) == 0:
			eachSegment(n.Loop, visit)
		}
		for j := 0; n.Loop != nil && j < len(n.Loop.Levels); j++ {
			eachSegment(n.Loop.Levels[j].Loop, visit)
		}
	}
}

func viewSegment(standard string, s *schema.Segment) segmentView {
	v := segmentView{Segment: s.Tag, Name: s.Name, Elements: viewUses(standard, s.Uses)}
	for _, n := range s.Notes {
		v.Notes = append(v.Notes, n.String())
	}
	return v
}

func viewUses(standard string, uses []schema.Use) []elementView {
	out := make([]elementView, len(uses))
	for i := range uses {
		u := &uses[i]
		v := &out[i]
		*v = viewElement(standard, u)
		v.Position, v.Use, v.Repeat = i+1, letter(standard, u.Required, u.Forbidden), u.Repeat
	}
	return out
}

func viewElement(standard string, u *schema.Use) elementView {
	v := elementView{Element: u.Ref, Name: u.Name}
	if u.Composite != nil {
		v.Type, v.Components = "composite", viewUses(standard, u.Composite.Uses)
		return v
	}
	v.Type, v.Min, v.Max = u.Type.String(), u.Min, u.Max
	if u.Type == schema.Implied {
		v.Type += fmt.Sprint(u.Decimals)
	}
	for _, c := range u.Codes.List() {
		v.Codes = append(v.Codes, codeView(c))
	}
	v.Open = u.Codes.Len() > 0 && u.Codes.Open
	return v
}

func (v *segmentsView) others() []string { return v.Also }

func (v *segmentsView) text(all bool) string {
	var b strings.Builder
	for i := range v.Layouts {
		if i > 0 {
			b.WriteString("\nelsewhere:\n")
		}
		b.WriteString(v.Layouts[i].text(all))
	}
	b.WriteString("\n" + whose(v.In, v.Guides, all))
	return b.String()
}

// whose tells where something is described and which guides use it.
func whose(in string, guides []string, all bool) string {
	switch len(guides) {
	case 0:
		return fmt.Sprintf("in %s; no guide uses it\n", in)
	case 1:
		if guides[0] == in {
			return fmt.Sprintf("in %s\n", in)
		}
	}
	names := make([]string, len(guides))
	for i, g := range guides {
		names[i] = g[strings.LastIndexByte(g, '/')+1:]
	}
	return fmt.Sprintf("in %s, used by %s: %s\n", in, counted(len(guides), "guide"), some(names, 12, all))
}

// some lists words, not more than limit of them unless all are wanted.
func some(words []string, limit int, all bool) string {
	if !all && len(words) > limit {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:limit], " "), len(words)-limit)
	}
	return strings.Join(words, " ")
}

func (v *segmentView) text(all bool) string {
	var b strings.Builder
	printLine(&b, "%s  %s", v.Segment, plain(v.Name))
	b.WriteString("\n")
	printElements(&b, v.Elements, 0, all)
	for _, n := range v.Notes {
		fmt.Fprintf(&b, "syntax note %s\n", n)
	}
	return b.String()
}

func printElements(b *strings.Builder, list []elementView, depth int, all bool) {
	in := strings.Repeat("  ", depth)
	for i := 0; i < len(list); {
		e := &list[i]
		last := i // equal positions in a row are one line
		for last+1 < len(list) && reflect.DeepEqual(e.unplaced(), list[last+1].unplaced()) {
			last++
		}
		at := fmt.Sprintf("%02d", e.Position)
		if last > i {
			at += fmt.Sprintf("..%02d", list[last].Position)
		}
		repeat := ""
		if e.Repeat > 1 {
			repeat = fmt.Sprintf(", up to %d times", e.Repeat)
		}
		printLine(b, "%s%s  %-5s %s  %-10s %s%s", in, at, e.Element, e.Use, e.form(), plain(e.Name), repeat)
		printElements(b, e.Components, depth+1, all)
		limit := 20
		if all {
			limit = len(e.Codes)
		}
		printCodes(b, e, in+"        ", limit)
		i = last + 1
	}
}

// unplaced is the element without its position.
func (e *elementView) unplaced() elementView {
	v := *e
	v.Position = 0
	return v
}

// printLine writes a line without blanks at its end.
func printLine(b *strings.Builder, format string, args ...any) {
	b.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

// form is type and length: an..35, an3, AN 1..22.
func (e *elementView) form() string {
	switch {
	case e.Type == "composite":
		return ""
	case e.Type == strings.ToLower(e.Type) && e.Min == e.Max:
		return fmt.Sprintf("%s%d", e.Type, e.Max)
	case e.Type == strings.ToLower(e.Type) && e.Min <= 1:
		return fmt.Sprintf("%s..%d", e.Type, e.Max)
	case e.Min == e.Max:
		return fmt.Sprintf("%s %d", e.Type, e.Max)
	}
	return fmt.Sprintf("%s %d..%d", e.Type, e.Min, e.Max)
}

func printCodes(b *strings.Builder, e *elementView, in string, limit int) {
	for i, c := range e.Codes {
		if i == limit {
			fmt.Fprintf(b, "%s... %d more, --all shows them\n", in, len(e.Codes)-i)
			break
		}
		dates := ""
		if c.From > 0 {
			dates += fmt.Sprintf(" from %d", c.From)
		}
		if c.Until > 0 {
			dates += fmt.Sprintf(" until %d", c.Until)
		}
		printLine(b, "%s%-6s %s%s", in, plain(c.Value), plain(c.Name), dates)
	}
	if e.Open {
		fmt.Fprintf(b, "%sand others\n", in)
	}
}

// elementsView is an element or composite as show prints it on its own.
type elementsView struct {
	elementView
	In     string   `json:"in"`
	UsedAt []string `json:"used_at"` // BGM01-1, in segments; C002-1, in composites that no segment uses
	Guides []string `json:"guides"`  // that have a place for it
	Also   []string `json:"also,omitempty"`
}

// viewElements finds an element or composite in a dictionary and in the
// segments of its guides; nil when it is nowhere.
func viewElements(b *book, ref string) *elementsView {
	var best *schema.Use
	at := map[string]bool{}
	found := func(u *schema.Use, place string) bool {
		if u.Ref != ref {
			return false
		}
		at[place] = true
		if best == nil || u.Codes.Len() > best.Codes.Len() { // a place may have fewer codes than the element
			best = u
		}
		return true
	}
	look := func(s *schema.Segment) (uses bool) {
		for i := range s.Uses {
			place := fmt.Sprintf("%s%02d", s.Tag, i+1)
			uses = found(&s.Uses[i], place) || uses
			if c := s.Uses[i].Composite; c != nil {
				for j := range c.Uses {
					uses = found(&c.Uses[j], fmt.Sprintf("%s-%d", place, j+1)) || uses
				}
			}
		}
		return uses
	}
	v := &elementsView{In: b.name}
	seen := map[*schema.Segment]bool{}
	for _, g := range b.guides {
		uses := false
		eachSegment(g.Root, func(s *schema.Segment) {
			before, known := seen[s]
			if !known {
				before = look(s)
				seen[s] = before
			}
			uses = uses || before
		})
		if uses {
			v.Guides = append(v.Guides, g.Name)
		}
	}
	if single := len(b.guides) == 1 && b.guides[0].Name == b.name; !single || best == nil {
		for _, tag := range b.Segments() {
			look(b.Segment(tag))
		}
		if u, ok := b.Element(ref); ok {
			best = &u // with all its codes
		}
	}
	if best == nil {
		return nil
	}
	v.elementView = viewElement(b.Standard, best)
	if v.Components == nil && len(at) == 0 {
		for _, composite := range b.Elements() {
			if u, ok := b.Element(composite); ok && u.Composite != nil {
				for j := range u.Composite.Uses {
					found(&u.Composite.Uses[j], fmt.Sprintf("%s-%d", composite, j+1))
				}
			}
		}
	}
	v.UsedAt = slices.Sorted(maps.Keys(at))
	slices.Sort(v.Guides)
	return v
}

func (v *elementsView) others() []string { return v.Also }

func (v *elementsView) text(all bool) string {
	var b strings.Builder
	printLine(&b, "%s  %s  %s", v.Element, plain(v.Name), v.form())
	if len(v.Components) > 0 {
		b.WriteString("\n")
		printElements(&b, v.Components, 0, all)
	}
	if len(v.Codes) > 0 {
		b.WriteString("\n")
		printCodes(&b, &v.elementView, "", len(v.Codes))
	}
	if b.WriteString("\n"); len(v.UsedAt) > 0 {
		fmt.Fprintf(&b, "used at %s\n", some(v.UsedAt, 12, all))
	}
	b.WriteString(whose(v.In, v.Guides, all))
	return b.String()
}
