package validate

import (
	"fmt"
	"slices"
	"strings"

	"tradepost/edi"
	"tradepost/edi/schema"
)

func (v *validator) openST(seg *edi.Segment) error {
	field := func(n int) string { return unpad(seg.Element(n).String()) }
	if v.gr == nil {
		v.fail(Issue{Level: LevelInterchange, Ack: "TA105=024", Segment: "ST", Text: "ST begins a document outside of any group: a GS has to come before it."})
		v.openBareGroup(seg.Pos)
	}
	doc := &Document{Type: field(1), Control: field(2), Convention: field(3), Accepted: true, Extent: Extent{Offset: seg.Pos.Offset, First: seg.Pos.Ordinal}}
	v.begin(doc)
	bad := func(n int, ack, format string, args ...any) {
		is := v.envelopeElement(LevelDocument, ack, n, format, args...)
		is.Severity, is.Ordinal = Error, 1
		v.add(&is)
	}
	if len(doc.Type) != 3 || !isUpperAlnum(doc.Type) {
		bad(1, "AK502=6", "ST01 %q is no document type: three characters such as 850 are expected.", clip([]byte(doc.Type)))
	}
	if n := len(doc.Control); n < 4 || n > 9 {
		if n > 0 && n < 4 && isDigits(doc.Control) {
			is := v.envelopeElement(LevelDocument, "AK502=7", 2, "ST02 %q has %d characters, four to nine are expected; it is taken as it stands.", doc.Control, n)
			is.Ordinal, is.Rule = 1, "short-control-number"
			v.waive(&v.docScope, is)
		} else {
			bad(2, "AK502=7", "ST02 %q is no control number: four to nine characters are expected.", clip([]byte(doc.Control)))
		}
	}
	guide := v.guide(Choice{Standard: schema.X12, Version: v.gr.Version, Type: doc.Type, Convention: doc.Convention})
	if guide != nil && guide.Group != "" && guide.Group != v.gr.Type {
		is := v.envelopeElement(LevelDocument, "AK502=18", 1, "A %s belongs in a group of type %s, this group's GS01 is %s.", doc.Type, guide.Group, v.gr.Type)
		is.Ordinal, is.Rule = 1, "group-type"
		v.waive(&v.docScope, is)
	}
	v.start(guide, seg, tagST)
	v.convention(guide)
	return v.duplicate(&v.docControls, v.documentReference(doc), "", "AK502=23", 2)
}

// convention looks at the implementation convention of a document, when its
// guide is for some only: ST03, or what stands behind the version in GS08.
func (v *validator) convention(guide *schema.Guide) {
	if guide == nil || len(guide.Conventions) == 0 || slices.Contains(guide.Conventions, v.doc.Convention) {
		return
	}
	if version := v.gr.Version; len(version) > 6 && (slices.Contains(guide.Conventions, version[6:]) || slices.Contains(guide.Conventions, version)) {
		return
	}
	is := v.envelopeElement(LevelDocument, "AK502=19", 3, "ST03 is %q and GS08 %q; guide %s is for convention %s.", v.doc.Convention, v.gr.Version, guide.Name, strings.Join(guide.Conventions, " or "))
	is.Rule, is.Ordinal = "convention", 1
	v.waive(&v.docScope, is)
}

// documentReference names the use of a document's control number.
func (v *validator) documentReference(doc *Document) Reference {
	group := v.gr.Type + " " + v.gr.Control
	if v.ic.Standard == schema.EDIFACT {
		group = strings.TrimSpace(group)
	}
	return Reference{Level: LevelDocument, Standard: v.ic.Standard, Sender: v.ic.From, Receiver: v.ic.To, Group: group, Type: doc.Type, Control: doc.Control}
}

// openBareGroup makes a group for documents that stand in none.
func (v *validator) openBareGroup(at edi.Position) {
	v.gr = &Group{Accepted: true, Documents: []*Document{}, Declared: -1, Extent: Extent{Offset: at.Offset, First: at.Ordinal}}
	v.grScope = scope{}
	v.bareGroup = true
	v.docControls.reset()
	if !v.o.Stream {
		v.ic.Groups = append(v.ic.Groups, v.gr)
	}
}

// begin makes a document the current one.
func (v *validator) begin(doc *Document) {
	v.doc, v.ordinal = doc, 1
	v.docScope = scope{waivers: v.docScope.waivers[:0]}
	v.gr.Received++
	v.docNo++
	if !v.o.Stream {
		v.gr.Documents = append(v.gr.Documents, doc)
	}
}

// guide chooses the guide of the current document.
func (v *validator) guide(c Choice) *schema.Guide {
	if v.o.GuideFor != nil {
		c.Sender, c.Receiver, c.GroupSender, c.GroupReceiver = v.ic.From, v.ic.To, v.gr.Sender, v.gr.Receiver
		if g := v.o.GuideFor(c); g != nil {
			return g
		}
	}
	key := c.Standard + " " + c.Version + " " + c.Type
	g, ok := v.guides[key]
	if !ok {
		g, _ = v.catalog.Lookup(c.Standard, c.Version, c.Type)
		if g == nil && c.Standard == schema.X12 && (c.Type == "997" || c.Type == "999") && len(c.Version) >= 6 && isDigits(c.Version[:6]) {
			g = v.acknowledgement(c)
		}
		if len(v.guides) < 1000 {
			v.guides[key] = g
		}
	}
	return g
}

// others names guides of the same type in other releases, for a text.
func (v *validator) others(documentType string) string {
	if v.near == nil {
		v.near = make(map[string]string)
		for _, name := range v.catalog.Names() {
			kind := name[strings.LastIndexByte(name, '/')+1:]
			v.near[kind] += ", " + name
		}
	}
	if names := v.near[documentType]; names != "" {
		return " of another release (" + names[2:] + ")"
	}
	return ""
}

// acknowledgement gives the guide of a 997 or 999 of a version without one:
// both have hardly changed, and each version acknowledges its own.
func (v *validator) acknowledgement(c Choice) *schema.Guide {
	version := "005010"
	if c.Type == "997" && c.Version < version {
		version = "004010"
	}
	g, _ := v.catalog.Lookup(c.Standard, version, c.Type)
	return g
}

// start sets the walk to the beginning of the guide and takes the header
// segment.
func (v *validator) start(guide *schema.Guide, seg *edi.Segment, tag schema.Tag) {
	v.walk.reset(guide)
	if guide == nil {
		version := v.gr.Version
		if v.doc.Version != "" {
			version = v.doc.Version
		}
		if version == "" {
			version = "(not told)"
		}
		is := &Issue{Severity: Warning, Level: LevelDocument, Segment: string(seg.Tag), Ordinal: 1, Element: 1, Value: v.doc.Type, Offset: seg.Element(1).Offset(), Line: seg.Pos.Line, Rule: "no-dictionary"}
		if tag == tagUNH {
			is.Element, is.Component, is.Offset = 2, 1, seg.Element(2).Offset()
		}
		if seg.Len() < is.Element {
			is.Offset = seg.Pos.Offset + int64(len(seg.Content()))
		}
		what := v.doc.Type
		if what == "" {
			what = "a document without type"
		}
		is.Text = fmt.Sprintf("There is no dictionary for %s in version %s: only the envelope was checked, not the content. Import one with edi dictionary import, or name a guide%s.", what, version, v.others(v.doc.Type))
		v.add(is)
		return
	}
	v.doc.Guide = guide.Name
	v.gr.NoAck = v.gr.NoAck || guide.NoAck
	v.walk.step(v, seg, tag)
}

func (v *validator) closeSE(seg *edi.Segment) error {
	if v.doc == nil {
		v.fail(Issue{Level: v.above(), Ack: "TA105=024", Segment: "SE", Text: "SE ends a document that no ST began. The ST is missing, or this is the second SE."})
		return nil
	}
	v.ordinal++
	v.walk.unbound(v, 0)
	v.walk.levels.missing(v)
	v.walk.step(v, seg, tagSE)
	v.trailer(LevelDocument, "SE", "ST02", v.doc.Control, "AK502=3", "AK502=4", "segment", v.ordinal)
	v.doc.Extent.end(seg, true)
	return v.endDocument()
}

// closeDocument ends the document that is open; its trailer is missing.
func (v *validator) closeDocument() error {
	if v.doc == nil {
		return nil
	}
	v.walk.bounds = v.walk.bounds[:0] // what else is missing was cut off with the trailer
	tag, ack := "SE", "AK502=2"
	if v.ic.Standard == schema.EDIFACT {
		tag, ack = "UNT", "0085=13"
	}
	before := "the input ends before it"
	if v.seg != nil {
		before = fmt.Sprintf("the next %s comes before it", v.seg.Tag)
	}
	v.fail(Issue{Level: LevelDocument, Ack: ack, Segment: tag, Ordinal: v.ordinal + 1, Text: fmt.Sprintf("The trailer %s of document %s is missing: %s. The document may be cut off; ask the sender to send it again.", tag, v.doc.Control, before)})
	v.cut(&v.doc.Extent)
	return v.endDocument()
}

func (v *validator) endDocument() error {
	doc := v.doc
	doc.Segments = v.ordinal
	v.docScope.settle("document")
	v.doc = nil
	return v.ended(doc)
}

// ended counts a document that was checked and tells OnDocument about it.
func (v *validator) ended(doc *Document) error {
	if !doc.Accepted {
		v.gr.Refused++
	}
	v.kept -= v.dropped(len(doc.Issues))
	if v.o.OnDocument != nil {
		return v.o.OnDocument(v.ic, v.gr, doc)
	}
	return nil
}

// duplicate looks a control number up in this input and in the history.
func (v *validator) duplicate(in *numbers, ref Reference, prefix, ack string, element int) error {
	if ref.Control == "" || v.apart {
		return nil
	}
	name := map[Level]string{LevelInterchange: "interchange", LevelGroup: "group", LevelDocument: "document"}[ref.Level]
	issue := func(where string) {
		is := v.envelopeElement(ref.Level, ack, element, "The control number %s of this %s was used before, %s. Either it was sent twice, or the sender's numbering stands still.", ref.Control, name, where)
		is.Severity = Error
		if ref.Level == LevelDocument {
			is.Ordinal = 1
		}
		v.add(&is)
	}
	if !in.add(prefix + ref.Control) {
		issue("earlier in this input")
		return nil
	}
	if in.overflow && !in.told {
		in.told = true
		is := v.envelopeElement(ref.Level, "", element, "More than %d control numbers that do not count up by one were remembered; whether those from here on repeat each other is no longer checked. Split the input, or number its %ss one by one.", maxNumbers, name)
		is.Severity, is.Rule = Warning, "duplicates-unchecked"
		v.add(&is)
	}
	seen, err := v.seen(ref)
	if seen {
		issue("in an earlier transmission")
	}
	return err
}

// seen looks a control number up in the history.
func (v *validator) seen(ref Reference) (bool, error) {
	if v.o.History == nil {
		return false, nil
	}
	seen, err := v.o.History.Seen(v.ctx, ref)
	if err != nil {
		return false, fmt.Errorf("looking up control number %s of %s: %w", ref.Control, ref.Level, err)
	}
	return seen, nil
}

// numbers is a set of control numbers. Numbers counted up one by one, as
// nearly all senders do, take one range, so that the set stays small however
// long the input is.
type numbers struct {
	ranges []numberRange
	others map[string]struct{}

	overflow bool // a number could not be remembered
	told     bool // and that was reported
}

type numberRange struct {
	width    int // digits, since 0001 and 1 are different numbers
	low, top uint64
}

// most odd numbers remembered; beyond it duplicates are no longer found, and a
// warning says so
const maxNumbers = 1 << 18

func (n *numbers) reset() {
	n.ranges = n.ranges[:0]
	clear(n.others)
	n.overflow, n.told = false, false
}

// has tells whether a number is in the set.
func (n *numbers) has(control string) bool {
	if _, known := n.others[control]; known || len(control) > 18 || !isDigits(control) {
		return known
	}
	value := digits(control)
	return slices.ContainsFunc(n.ranges, func(r numberRange) bool { return r.width == len(control) && value >= r.low && value <= r.top })
}

// digits reads up to 18 digits.
func digits(s string) (value uint64) {
	for i := 0; i < len(s); i++ {
		value = value*10 + uint64(s[i]-'0')
	}
	return value
}

// add puts a number into the set and tells whether it is new.
func (n *numbers) add(control string) bool {
	if len(control) <= 18 && isDigits(control) {
		value := digits(control)
		near := -1
		for i := range n.ranges {
			r := &n.ranges[i]
			if r.width != len(control) {
				continue
			}
			if value >= r.low && value <= r.top {
				return false
			}
			if value == r.top+1 || value+1 == r.low {
				near = i
			}
		}
		if near >= 0 {
			n.ranges[near].low, n.ranges[near].top = min(n.ranges[near].low, value), max(n.ranges[near].top, value)
			if _, known := n.others[control]; known {
				return false
			}
			return true
		}
		if len(n.ranges) < 64 {
			n.ranges = append(n.ranges, numberRange{len(control), value, value})
			return true
		}
	}
	if _, known := n.others[control]; known {
		return false
	}
	if n.others == nil {
		n.others = make(map[string]struct{})
	}
	if n.overflow = len(n.others) >= maxNumbers; !n.overflow {
		n.others[strings.Clone(control)] = struct{}{}
	}
	return true
}
