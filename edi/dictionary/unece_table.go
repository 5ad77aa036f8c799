package dictionary

import (
	"regexp"
	"strconv"
	"strings"
)

// The segment table of a message, one line a segment or a group:
//
//	0930 *     ───── Segment group 25 ──────── C   200000──────┐
//	0940   LIN Line item                       M   1           │
//
// Brackets at the end tell where groups begin and end: as many as groups are
// open, the innermost first, with a corner where one begins or ends. Files up
// to 1993 have no positions, those from 2002 on draw in ASCII.
var (
	tableHeading = regexp.MustCompile(`^\s*4\.[0-9.]+\s+[Ss]egment [Tt]able`)
	tableSegment = regexp.MustCompile(`^\s*(?:[0-9]{4,5})?[-+*#| ]*(?:[XS] +)?[-+*#| ]*([A-Z][A-Z0-9]{2})\s+(\S.*?)\s+([MCmc])\s+([0-9]{1,9})\s*([-─ |│+┐┘┴┤]*)$`)
	tableBegin   = regexp.MustCompile(`^\s*(?:[0-9]{4,5})?[-+*#| ]*(?:[XS] +)?[-+*#| ]*[A-Z][A-Z0-9]{2}\s+(\S.*?)$`)
	tableEnd     = regexp.MustCompile(`^\s+(\S.*?)\s+([MCmc])\s+([0-9]{1,9})\s*([-─ |│+┐┘┴┤]*)$`)
	tableGroup   = regexp.MustCompile(`^\s*(?:[0-9]{4,5})?[-+*#| ]*(?:[XS] +)?[-+*#| ]*[-─]+\s*[Ss]egment [Gg]roup\s+([0-9]{1,3})\s*[-─]*\s*([MCmc])\s+([0-9]{1,9})\s*([-─ |│+┐┘┴┤]*)$`)
	tableSection = regexp.MustCompile(`^\s*(?:HEADER|DETAIL|SUMMARY) SECTION\s*$`)
	tableColumns = regexp.MustCompile(`(?i)^\s*(?:Pos\s+)?Tag\s+Name\s+S\s+`)
	tableFrame   = regexp.MustCompile(`^[-─ |│+┐┘┴┤]*$`)
	headField    = regexp.MustCompile(`^\s*(Message Type|Version|Release|Contr\. Agency)\s*:\s*(\S+)\s*$`)
)

// message reads one message.
func (u *unece) message(f *sourceFile, text []line) {
	head := map[string]string{}
	start := -1
	for i, l := range text {
		if m := headField.FindStringSubmatch(l.text); m != nil && start < 0 && head[m[1]] == "" {
			head[m[1]] = m[2]
		}
		if tableHeading.MatchString(l.text) {
			start = i + 1
		}
	}
	kind := head["Message Type"]
	if kind == "" {
		kind, _, _ = strings.Cut(f.base(), "_")
	}
	if !documentKind.MatchString(kind) || start < 0 {
		u.skip(f, "a message without "+map[bool]string{true: "a segment table", false: "a type"}[start < 0])
		return
	}
	if head["Version"] != "" && head["Release"] != "" {
		version := head["Version"] + ":" + head["Release"]
		if u.std.version == "" {
			u.std.version = version
		} else if version != u.std.version && u.options.Version == "" {
			u.report(Contradiction, place{file: f.name}, "the message says it is of %s, the directory is taken for %s", version, u.std.version)
		}
	}
	d := &document{kind: kind, title: u.names[kind], place: place{file: f.name, line: start + 1}}
	if d.title == "" {
		d.title = sentenceCase(messageTitle(text, start))
	}
	t := tableReader{u: u, file: f.name, root: &node{}}
	t.open = []*node{t.root}
	end := t.read(text[start:])
	u.prose += len(text) - end
	d.nodes = []area{{name: "message", nodes: t.root.nodes}}
	if len(t.root.nodes) < 2 {
		u.report(NotUnderstood, place{file: f.name, line: start}, "the segment table has no segments")
		return
	}
	if u.within(&u.left.documents, 1, d.place, "documents") {
		u.std.documents = append(u.std.documents, d)
	}
}

// messageTitle is what stands below the heading UN/EDIFACT and its status.
func messageTitle(text []line, limit int) string {
	title := ""
	for _, l := range text[:min(limit, len(text))] {
		s := strings.TrimSpace(l.text)
		switch {
		case s == "" || s == "UN/EDIFACT" || strings.HasPrefix(s, "DRAFT RECOMMENDATION") || strings.HasPrefix(s, "UNITED NATIONS STANDARD MESSAGE"):
			if s == "" && title != "" {
				return collapse(title)
			}
		case isRule(s), headField.MatchString(s):
			return collapse(title)
		default:
			title = joinName(title, s)
		}
	}
	return collapse(title)
}

// tableReader builds the tree of groups from the lines of a table.
type tableReader struct {
	u    *unece
	file string
	root *node
	open []*node // groups, the root first
	part string  // a name that goes on on the next line
	at   line    // where it began
}

// read takes lines up to the trailer and returns how many it looked at.
func (t *tableReader) read(text []line) int {
	for i, l := range text {
		if t.line(l) {
			if len(t.open) > 1 {
				t.u.report(Contradiction, t.place(l), "the table ends inside %s; it was closed", t.open[len(t.open)-1].name)
			}
			return i + 1
		}
	}
	t.u.report(Contradiction, place{file: t.file}, "the segment table has no trailer (UNT or UIT)")
	return len(text)
}

func (t *tableReader) place(l line) place { return place{file: t.file, line: l.number, text: l.text} }

// line reads one line and tells whether it is the trailer, the last.
func (t *tableReader) line(l line) bool {
	s := l.text
	if t.part != "" {
		if m := tableEnd.FindStringSubmatch(s); m != nil && indent(s) >= 8 {
			s = t.part + " " + strings.TrimSpace(s)
			t.part = ""
		} else {
			t.u.report(NotUnderstood, t.place(t.at), "a segment without status and number of uses")
			t.part = ""
		}
	}
	switch {
	case strings.TrimSpace(s) == "", tableSection.MatchString(s), tableColumns.MatchString(s), tableFrame.MatchString(s):
	default:
		if m := tableGroup.FindStringSubmatch(s); m != nil {
			t.group(l, m)
			return false
		}
		if m := tableSegment.FindStringSubmatch(s); m != nil {
			t.segment(l, m)
			return m[1] == "UNT" || m[1] == "UIT"
		}
		if m := tableBegin.FindStringSubmatch(s); m != nil && indent(s) < 16 {
			t.part, t.at = s, l
			return false
		}
		t.u.report(NotUnderstood, t.place(l), "no line of a segment table")
	}
	return false
}

func (t *tableReader) group(l line, m []string) {
	n := node{name: "SG" + m[1], required: strings.EqualFold(m[2], "M"), place: t.place(l)}
	n.max = t.uses(l, m[3])
	depth := strings.Count(m[4], "│") + strings.Count(m[4], "|") + 1
	t.shut(l, depth)
	into := t.open[len(t.open)-1]
	if !t.u.within(&t.u.left.nodes, 1, n.place, "places in guides") {
		return
	}
	into.nodes = append(into.nodes, n)
	if len(t.open) > maxNestedLoops {
		t.u.report(NotUnderstood, t.place(l), "groups are nested deeper than %d", maxNestedLoops)
		return
	}
	t.open = append(t.open, &into.nodes[len(into.nodes)-1])
}

// shut brings the open groups to the number a line's brackets show. Normally
// it is that already; where it is not, the line before was drawn wrongly.
func (t *tableReader) shut(l line, depth int) {
	if len(t.open) > depth {
		t.u.report(Contradiction, t.place(l), "the brackets show that %s has ended, though none of its segments ended it", t.open[len(t.open)-1].name)
		t.open = t.open[:max(depth, 1)]
	}
	if len(t.open) == depth {
		return
	}
	shown := depth - 1
	for len(t.open) < depth {
		above := t.open[len(t.open)-1]
		if len(above.nodes) == 0 || len(above.nodes[len(above.nodes)-1].nodes) == 0 {
			t.u.report(Contradiction, t.place(l), "the brackets show %d open groups, there are %d", shown, len(t.open)-1)
			return
		}
		t.open = append(t.open, &above.nodes[len(above.nodes)-1])
	}
	t.u.report(Contradiction, t.place(l), "the brackets show that %s goes on, though a line before ended it; it goes on", t.open[len(t.open)-1].name)
}

func (t *tableReader) segment(l line, m []string) {
	brackets := m[5]
	open, closing := 0, 0
	for _, r := range brackets {
		switch r {
		case '│', '|':
			open++
		case '┘', '┴', '+', '┤', '┐':
			closing++
		}
	}
	if strings.TrimSpace(brackets) != "" || len(t.open) > 1 {
		t.shut(l, open+closing+1)
	}
	into := t.open[len(t.open)-1]
	if !t.u.within(&t.u.left.nodes, 1, t.place(l), "places in guides") {
		return
	}
	into.nodes = append(into.nodes, node{name: m[1], required: strings.EqualFold(m[3], "M"), max: t.uses(l, m[4]), place: t.place(l)})
	if len(into.nodes) == 1 && into.name != "" {
		into.title = collapse(m[2])
	}
	t.open = t.open[:max(1, len(t.open)-closing)]
}

func (t *tableReader) uses(l line, text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxUses {
		t.u.report(NotUnderstood, t.place(l), "%s is no number of uses; it was taken for any number", text)
		return 0
	}
	return n
}
