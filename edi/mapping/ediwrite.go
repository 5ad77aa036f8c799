package mapping

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tradepost/edi"
	"tradepost/edi/schema"
)

// ediWriter writes what an ediOut holds as one document.
type ediWriter struct {
	o       *ediOut
	w       *edi.Writer
	header  header
	levels  int // loops numbered so far (HL, CPS)
	numbers map[*outLoop]string
	written map[schema.Tag]int // segments so far
	faults  func(text, target string)
	err     error
}

// header is what the header of a document says.
type header struct {
	control    string
	convention string // ST03, or UNH 0057
}

// write writes the document, ST to SE or UNH to UNT.
func (o *ediOut) writeTo(buf *bytes.Buffer, d edi.Delimiters, h header, lineEnd string, faults func(text, target string)) error {
	w := &ediWriter{o: o, w: edi.NewWriter(buf, d, edi.WriterOptions{LineEnd: lineEnd}), header: h, numbers: map[*outLoop]string{}, written: map[schema.Tag]int{}, faults: faults}
	w.loop(o.loops[0])
	if w.err != nil {
		return w.err
	}
	return w.w.Flush()
}

// loop writes the segments of a loop in the order of the guide.
func (w *ediWriter) loop(l *outLoop) {
	if l.info.byNumber {
		w.number(l)
	}
	for i := range l.info.loop.Nodes {
		n := &l.info.loop.Nodes[i]
		if n.From != i {
			continue // written with the first of its variants
		}
		if n.Loop != nil && len(n.Loop.Levels) > 0 {
			w.below(l)
			continue
		}
		if w.service(n) {
			continue
		}
		count := w.separator(l, i)
		for _, item := range l.slots[i] {
			if item.dropped() || item.seg != nil && !item.seg.filled && item.seg != l.head || item.loop != nil && !item.loop.filled() {
				continue // nothing but what its conditions ask for
			}
			count++
			if item.loop != nil {
				w.loop(item.loop)
				w.below(item.loop)
			} else {
				w.segment(item.seg, n)
			}
		}
		if count < n.Min {
			w.faults(fmt.Sprintf("%s (%s) is needed at %s in guide %s, and no line of the map has filled it", n.Tag, n.Segment.Name, n.Path, w.o.index.guide.Name), n.Path)
		}
	}
}

// service writes the segments that carry the order of the document.
func (w *ediWriter) service(n *schema.Node) bool {
	g, h := w.o.index.guide, w.header
	switch n.Tag.String() {
	case "ST":
		w.check(w.w.Write("ST", g.Type, h.control, h.convention), "ST")
	case "SE":
		w.check(w.w.Write("SE", strconv.Itoa(w.w.Segments()+1), h.control), "SE")
	case "UNH":
		version, release, _ := strings.Cut(g.Version, ":")
		w.check(w.w.WriteFields("UNH", edi.Simple(h.control), edi.Composite(g.Type, version, release, "UN", h.convention)), "UNH")
	case "UNT":
		w.check(w.w.Write("UNT", strconv.Itoa(w.w.Segments()+1), h.control), "UNT")
	default:
		return false
	}
	return true
}

// separator writes the UNS a guide asks for where no line of the map does: D
// between heading and detail, S between detail and summary.
func (w *ediWriter) separator(l *outLoop, i int) int {
	nodes := l.info.loop.Nodes
	if nodes[i].Tag != tagUNS || nodes[i].Min == 0 || len(l.slots[i]) > 0 {
		return 0
	}
	code := "S"
	if slices.ContainsFunc(nodes[i+1:], func(n schema.Node) bool { return n.Tag == tagUNS }) {
		code = "D"
	}
	w.check(w.w.Write("UNS", code), nodes[i].Path)
	return 1
}

// number gives a loop that nests by numbers its own number and that of the
// loop above.
func (w *ediWriter) number(l *outLoop) {
	w.levels++
	w.numbers[l] = strconv.Itoa(w.levels)
	l.head.set(1, 0, w.numbers[l])
	if above := w.numbers[l.parent]; above != "" {
		l.head.set(2, 0, above)
	}
	if l.head.layout.Tag == "HL" && len(l.head.layout.Uses) > 3 && !l.head.layout.Uses[3].Forbidden {
		child := "0"
		for _, k := range l.info.levels {
			for _, item := range l.slots[k.slotBelow(l.info)] {
				if !item.loop.dropped {
					child = "1"
				}
			}
		}
		l.head.set(4, 0, child)
	}
	l.head.filled = true
}

// below writes the numbered loops inside of a loop, in the order they were
// made.
func (w *ediWriter) below(l *outLoop) {
	var next []*outLoop
	for _, k := range l.info.levels {
		for _, item := range l.slots[k.slotBelow(l.info)] {
			if !item.loop.dropped {
				next = append(next, item.loop)
			}
		}
	}
	slices.SortFunc(next, func(a, b *outLoop) int { return cmp.Compare(a.id, b.id) })
	for _, inner := range next {
		w.loop(inner)
		w.below(inner)
	}
}

// segment checks what is needed in a segment and writes it.
func (w *ediWriter) segment(s *outSegment, n *schema.Node) {
	layout := n.Segment
	w.written[n.Tag]++
	for _, c := range s.counts {
		bad := w.o.put(s, c.element, c.component, c.codec, strconv.AppendInt(nil, int64(w.written[c.tag]), 10))
		if bad != "" {
			w.faults(fmt.Sprintf("%s%02d: %s", layout.Tag, c.element, bad), n.Path)
		}
	}
	var present uint64
	for i := range layout.Uses {
		use := &layout.Uses[i]
		has := i < len(s.elements) && holdsText(s.elements[i])
		if has && i < 64 {
			present |= 1 << i
		}
		if use.Required && !has {
			w.faults(fmt.Sprintf("%s%02d (%s) is needed and has no value", layout.Tag, i+1, use.Name), n.Path)
		}
		if has && use.Composite != nil {
			w.composite(s.elements[i], use, layout.Tag, i+1, n)
		}
	}
	for i := range layout.Notes {
		if note := &layout.Notes[i]; !note.Soft && !note.Holds(present) {
			w.faults(fmt.Sprintf("%s breaks its syntax note %s: %s", layout.Tag, note, noteWords(note, layout.Tag)), n.Path)
		}
	}
	w.w.Begin(layout.Tag)
	for _, e := range s.elements {
		w.w.Element(e...)
	}
	w.check(w.w.End(), n.Path)
}

func (w *ediWriter) composite(components []string, use *schema.Use, tag string, element int, n *schema.Node) {
	var present uint64
	for i := range use.Composite.Uses {
		c := &use.Composite.Uses[i]
		has := i < len(components) && components[i] != ""
		if has {
			present |= 1 << i
		}
		if c.Required && !has {
			w.faults(fmt.Sprintf("%s%02d-%d (%s) is needed and has no value", tag, element, i+1, c.Name), n.Path)
		}
	}
	for i := range use.Composite.Notes {
		if note := &use.Composite.Notes[i]; !note.Soft && !note.Holds(present) {
			w.faults(fmt.Sprintf("%s%02d breaks its syntax note %s", tag, element, note), n.Path)
		}
	}
}

// noteWords explains a syntax note.
func noteWords(n *schema.Note, tag string) string {
	names := make([]string, len(n.Positions))
	for i, p := range n.Positions {
		names[i] = fmt.Sprintf("%s%02d", tag, p)
	}
	all := strings.Join(names, ", ")
	first, others := names[0], strings.Join(names[1:], ", ")
	switch n.Kind {
	case schema.Paired:
		return all + " come together or not at all"
	case schema.OneRequired:
		return "at least one of " + all + " is needed"
	case schema.Exclusive:
		return "at most one of " + all + " may stand"
	case schema.Conditional:
		return first + " needs " + others
	case schema.ListCond:
		return first + " needs at least one of " + others
	case schema.OnlyOne:
		return "exactly one of " + all + " is needed"
	case schema.FirstNone:
		return first + " excludes " + others
	}
	return all
}

// check turns an error of the writer into a fault.
func (w *ediWriter) check(err error, path string) {
	var bad *edi.SyntaxError
	switch {
	case err == nil || w.err != nil:
	case errors.As(err, &bad):
		w.faults(fmt.Sprintf("%s%02d: %s; %s", bad.Segment, bad.Element, bad.Msg, bad.Hint), path)
	default:
		w.err = err
	}
}
