package dictionary

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tradepost/edi"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

const (
	maxShapes   = 2000    // different orders of segments that are kept
	maxTags     = 1 << 17 // segments of all shapes together
	maxShape    = 4_000   // segments of one shape
	maxMerging  = 1 << 25 // comparisons while sequences are merged
	maxBlock    = 64      // longest block whose repeats are seen
	maxSequence = 600     // places of one loop before it has to be divided
	maxDividers = 150     // loops that are found
	maxRow      = 600     // places of one loop at all
)

// structure finds loops in the order of the segments of all samples, and makes
// a guide of them in which everything is optional.
func (l *learner) structure(ctx context.Context) error {
	kept := map[string]bool{}
	var shapes [][]string
	size := 0
	current := &shape{}
	keep := func() {
		key := strings.Join(current.tags, " ")
		if !kept[key] && len(shapes) < maxShapes && size+len(current.tags) < maxTags {
			kept[key] = true
			shapes = append(shapes, slices.Clone(current.tags))
			size += len(current.tags)
		}
	}
	openers := l.openers()
	var g *schema.Guide
	for round := 0; ; round++ {
		if g != nil && round >= maxRounds {
			break
		}
		before := len(shapes)
		guide := g
		if guide == nil {
			var err error
			if guide, err = l.permissive(nil); err != nil {
				return err
			}
		}
		err := l.each(ctx, guide, nil, func(seg *edi.Segment, _ *validate.Place) {
			if tag := string(seg.Tag); len(current.tags) < maxShape && segmentName.MatchString(tag) {
				current.add(tag)
			}
		}, func(_ string, d *validate.Document) {
			if g == nil || misplaced(d) {
				keep()
			}
			current.tags = current.tags[:0]
		})
		if err != nil {
			return err
		}
		if g != nil && len(shapes) == before {
			break
		}
		slices.SortFunc(shapes, func(a, b []string) int {
			if len(a) != len(b) {
				return len(b) - len(a)
			}
			return slices.Compare(a, b)
		})
		finder := finder{openers: openers, left: maxDividers, merging: maxMerging}
		if g, err = l.permissive(finder.infer(shapes, 0)); err != nil {
			return err
		}
	}
	l.guide = g
	return nil
}

// misplaced tells that a segment of a document had no place.
func misplaced(d *validate.Document) bool {
	return slices.ContainsFunc(d.Issues, func(is *validate.Issue) bool {
		return is.Severity == validate.Error && is.Level == validate.LevelSegment
	})
}

// openers are the segments that begin a loop in any guide of the standard.
func (l *learner) openers() map[string]bool {
	out := map[string]bool{}
	var collect func(*schema.Loop)
	collect = func(loop *schema.Loop) {
		for i := range loop.Nodes {
			if n := &loop.Nodes[i]; n.Loop != nil {
				out[n.Tag.String()] = true
				collect(n.Loop)
			}
		}
		for i := range loop.Levels {
			collect(loop.Levels[i].Loop)
		}
	}
	for _, name := range l.o.Catalog.Names() {
		if g, err := l.o.Catalog.Guide(name); err == nil && g.Standard == l.draft.Standard {
			collect(g.Root)
		}
	}
	return out
}

// permissive makes a guide of places in which every segment may hold anything.
func (l *learner) permissive(nodes []node) (*schema.Guide, error) {
	s := newStandard()
	s.standard, s.version = l.draft.Standard, l.draft.Version
	im := &importer{}
	nodes = frame(s.standard, []area{{name: "message", nodes: append([]node{{name: l.header(), required: true, max: 1}}, nodes...)}})[0].nodes
	walk(nodes, "", func(n *node, _ string) {
		if len(n.nodes) == 0 {
			s.segments[n.name] = im.anything(s, n.name)
		}
	})
	d := &document{kind: l.draft.Type, nodes: []area{{"message", nodes}}, name: "draft/structure"}
	catalog := &schema.Catalog{}
	for _, f := range []File{{"draft/any", s.dictionaryText("draft/any")}, {"draft/structure", s.guideText(d, "draft/any")}} {
		if _, err := catalog.Add(f.Name, f.Text); err != nil {
			return nil, fmt.Errorf("the structure that was found does not load: %w", err)
		}
	}
	return catalog.Guide("draft/structure")
}

func (l *learner) header() string {
	if l.draft.Standard == schema.EDIFACT {
		return "UNH"
	}
	return "ST"
}

// shape is the order of the segments of one document. A block that repeats is
// kept twice, so that a document of many lines is no longer than one of two.
type shape struct {
	tags []string
}

func (s *shape) add(tag string) {
	s.tags = append(s.tags, tag)
	n := len(s.tags)
	if n > 1 && s.tags[n-2] == tag { // a run counts once here
		s.tags = s.tags[:n-1]
		return
	}
	for k := 2; k <= maxBlock && 3*k <= n; k++ {
		if slices.Equal(s.tags[n-k:], s.tags[n-2*k:n-k]) && slices.Equal(s.tags[n-k:], s.tags[n-3*k:n-2*k]) {
			s.tags = s.tags[:n-k]
			return
		}
	}
}

// finder looks for loops.
type finder struct {
	openers map[string]bool
	left    int // loops that may still be found
	merging int // comparisons that may still be made
}

// infer finds the places for a set of sequences: a segment that comes again
// and again with the same company begins a loop; what stands before, inside
// and behind the loop is looked at on its own. Sequences without such a
// segment are merged into the shortest row that holds them all.
func (f *finder) infer(sequences [][]string, depth int) []node {
	divider := ""
	if depth < maxNestedLoops && f.left > 0 {
		divider = f.divider(sequences, 0.6)
	}
	if divider == "" {
		merged := f.merge(sequences)
		if len(merged) <= maxSequence || depth >= maxNestedLoops || f.left <= 0 {
			return rowOf(merged)
		}
		if divider = f.divider(sequences, 0); divider == "" {
			return rowOf(merged)
		}
	}
	f.left--
	prefix, bodies, suffix := divide(sequences, divider)
	out := f.infer(prefix, depth)
	loop := node{name: divider, nodes: append([]node{{name: divider, max: 1, required: true}}, f.infer(bodies, depth+1)...)}
	if len(loop.nodes) == 1 {
		loop = node{name: divider}
	}
	out = append(out, loop)
	return apart(append(out, f.infer(suffix, depth)...))
}

// apart gives a loop another name where a segment of its name, or a loop,
// stands beside it: a path has to lead to one of them.
func apart(nodes []node) []node {
	taken := map[string]int{}
	for i := range nodes {
		if len(nodes[i].nodes) == 0 {
			taken[nodes[i].name] = 1
		}
	}
	for i := range nodes {
		n := &nodes[i]
		if len(n.nodes) == 0 {
			continue
		}
		opener := n.nodes[0].name
		if taken[opener]++; taken[opener] > 1 {
			n.name = opener + "-" + strconv.Itoa(taken[opener])
		}
	}
	return nodes
}

func rowOf(tags []string) []node {
	out := make([]node, len(tags))
	for i, tag := range tags {
		out[i] = node{name: tag}
	}
	return out
}

// candidate is a segment that may begin a loop.
type candidate struct {
	tag        string
	span       int // segments from its first to its last place, all sequences together
	first      int // earliest place
	likeness   float64
	comparings int
}

// divider takes the segment whose repeats divide most of the sequences into
// parts that are alike.
func (f *finder) divider(sequences [][]string, atLeast float64) string {
	found := map[string]*candidate{}
	for _, seq := range sequences {
		places := map[string][]int{}
		for i, tag := range seq {
			places[tag] = append(places[tag], i)
		}
		for tag, at := range places {
			if len(at) < 2 {
				continue
			}
			c := found[tag]
			if c == nil {
				c = &candidate{tag: tag, first: at[0]}
				found[tag] = c
			}
			c.first = min(c.first, at[0])
			c.span += at[len(at)-1] - at[0]
			// Behind the last place something else follows, so that part is
			// looked at only when there is no other to compare.
			for i := 0; i+1 < len(at) && (i+2 < len(at) || i == 0); i++ {
				next, last := len(seq), i+2 >= len(at)
				if !last {
					next = at[i+2]
				}
				if one, two := seq[at[i]+1:at[i+1]], seq[at[i+1]+1:next]; len(one) > 0 && len(two) > 0 {
					c.likeness += alike(one, two, last)
					c.comparings++
				}
			}
		}
	}
	best := (*candidate)(nil)
	for _, tag := range sortedRefs(found) {
		c := found[tag]
		if c.likeness < atLeast*float64(c.comparings) {
			continue
		}
		if best == nil || f.better(c, best) {
			best = c
		}
	}
	if best == nil {
		return ""
	}
	return best.tag
}

func (f *finder) better(a, b *candidate) bool {
	if f.openers[a.tag] != f.openers[b.tag] {
		return f.openers[a.tag]
	}
	if a.span != b.span {
		return a.span > b.span
	}
	return a.first < b.first
}

// alike tells how much two parts have in common: between their share of all
// segments of both, and the share of the smaller one, so that something optional
// counts half. The last part may go on with something else.
func alike(a, b []string, last bool) float64 {
	set, other := map[string]bool{}, map[string]bool{}
	for _, tag := range a {
		set[tag] = true
	}
	both := 0
	for _, tag := range b {
		if set[tag] && !other[tag] {
			both++
		}
		other[tag] = true
	}
	if last {
		return float64(both) / float64(len(set))
	}
	ofAll, ofSmaller := float64(both)/float64(len(set)+len(other)-both), float64(both)/float64(min(len(set), len(other)))
	return (ofAll + ofSmaller) / 2
}

// divide cuts sequences at a segment: what stands before the first, between
// them, and behind the last one from where a segment comes that never stands
// between them.
func divide(sequences [][]string, divider string) (prefix, bodies, suffix [][]string) {
	inside := map[string]bool{}
	for _, seq := range sequences {
		last := -1
		for i, tag := range seq {
			if tag == divider {
				if last >= 0 {
					for _, t := range seq[last+1 : i] {
						inside[t] = true
					}
				}
				last = i
			}
		}
	}
	behind := map[string]bool{}
	for _, seq := range sequences {
		first := slices.Index(seq, divider)
		if first < 0 {
			continue
		}
		prefix = append(prefix, seq[:first])
		at := first
		for i := first + 1; i <= len(seq); i++ {
			if i < len(seq) && seq[i] == divider {
				bodies = append(bodies, seq[at+1:i])
				at = i
			}
		}
		end := at + 1
		for end < len(seq) && inside[seq[end]] {
			end++
		}
		bodies = append(bodies, seq[at+1:end])
		suffix = append(suffix, seq[end:])
		for _, tag := range seq[end:] {
			behind[tag] = true
		}
	}
	for _, seq := range sequences { // without a line at all
		if slices.Contains(seq, divider) {
			continue
		}
		cut := slices.IndexFunc(seq, func(tag string) bool { return behind[tag] })
		if cut < 0 {
			cut = len(seq)
		}
		prefix, suffix = append(prefix, seq[:cut]), append(suffix, seq[cut:])
	}
	return prefix, bodies, suffix
}

// merge makes a row that every sequence is a part of, in order.
func (f *finder) merge(sequences [][]string) []string {
	var out []string
	for _, seq := range sequences {
		if len(out) < maxRow && !isPart(seq, out) {
			out = f.supersequence(out, seq)
		}
	}
	return out[:min(len(out), maxRow)]
}

func isPart(seq, row []string) bool {
	i := 0
	for _, tag := range row {
		if i < len(seq) && seq[i] == tag {
			i++
		}
	}
	return i == len(seq)
}

// supersequence is the shortest row that both are a part of. Where that is too
// much work they follow each other.
func (f *finder) supersequence(a, b []string) []string {
	cells := (len(a) + 1) * (len(b) + 1)
	if len(a) == 0 || len(b) == 0 || cells > 1<<20 || cells > f.merging {
		return append(slices.Clone(a), b...)
	}
	f.merging -= cells
	common := make([][]int32, len(a)+1) // longest common part of a[i:] and b[j:]
	for i := range common {
		common[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out []string
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			out = append(out, a[i])
			i, j = i+1, j+1
		case common[i+1][j] >= common[i][j+1]:
			out = append(out, a[i])
			i++
		default:
			out = append(out, b[j])
			j++
		}
	}
	return append(append(out, a[i:]...), b[j:]...)
}
