package validate

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"tradepost/edi"
	"tradepost/edi/schema"
)

const maxKeys = 200 // business keys kept of one document

// spot is the place of a value in the segment being checked.
type spot struct {
	seg       *edi.Segment
	node      *schema.Node // nil when the segment has no place
	layout    *schema.Segment
	use       *schema.Use
	p         int // position of the element, from 1
	component int // 0 for the whole element
	repeat    int // repetition, 0 when there is only one
}

// name is how a text calls the spot: BEG02, BEG02 component 3.
func (at *spot) name() string {
	if at.component > 0 {
		return fmt.Sprintf("%s component %d", name(at.layout, at.p), at.component)
	}
	return name(at.layout, at.p)
}

// checkSegment checks the elements of a segment against its layout. The
// envelope checks have looked at ST, SE, UNH and UNT already.
func (v *validator) checkSegment(seg *edi.Segment, layout *schema.Segment, node *schema.Node) {
	if v.o.StructureOnly {
		return
	}
	switch layout.Tag {
	case "ST", "SE", "UNH", "UNT":
		return
	}
	at := spot{seg: seg, node: node, layout: layout}
	n, uses := seg.Len(), layout.Uses
	var present uint64
	for i := range uses[:min(len(uses), max(n, layout.LastRequired))] {
		u := &uses[i]
		e := seg.Element(i + 1)
		at.p, at.use = i+1, u
		if e.Empty() {
			if u.Required {
				v.missingElement(&at)
			}
			continue
		}
		if i < 64 {
			present |= 1 << i
		}
		if u.Forbidden {
			v.forbidden(&at, e.Raw())
			continue
		}
		v.checkElement(&at, e)
	}
	switch {
	case n > len(uses):
		v.surplus(seg, node, layout)
	case n > 0 && seg.Element(n).Empty() && !v.again("trailing-separators"):
		v.elementWaiver("trailing-separators", seg, node, n, fmt.Sprintf("Empty elements with their separators stand at the end of %s.", layout.Tag))
	}
	for _, p := range layout.Formats {
		if p <= n {
			at.p, at.use = p, &uses[p-1]
			v.checkForm(&at, seg.Element(at.use.Format).Value(), seg.Element(p).Value())
		}
	}
	for i := range layout.Notes {
		if note := &layout.Notes[i]; !note.Holds(present) {
			v.broken(seg, node, note, present, 0, func(p int) string { return name(layout, p) }, uses)
		}
	}
}

// surplus looks at elements beyond the last one of the layout.
func (v *validator) surplus(seg *edi.Segment, node *schema.Node, layout *schema.Segment) {
	for i := len(layout.Uses) + 1; i <= seg.Len(); i++ {
		if e := seg.Element(i); !e.Empty() && !v.onlySeparators(e.Raw()) {
			v.elementIssue(faultTooManyElements, seg, node, i, 0, e.Raw(), fmt.Sprintf("%s has %s, at most %s are expected. A separator inside the data makes one too many.", layout.Tag, plural(seg.Len(), "element"), plural(len(layout.Uses), "element")))
			return
		}
	}
	if !v.again("trailing-separators") {
		v.elementWaiver("trailing-separators", seg, node, seg.Len(), fmt.Sprintf("Empty elements with their separators stand at the end of %s.", layout.Tag))
	}
}

// onlySeparators tells that a value is component separators and nothing else.
func (v *validator) onlySeparators(b []byte) bool {
	if v.delims.Component == 0 {
		return false
	}
	for _, c := range b {
		if c != v.delims.Component {
			return false
		}
	}
	return true
}

func name(layout *schema.Segment, p int) string {
	return fmt.Sprintf("%s%02d", layout.Tag, p)
}

func (v *validator) missingElement(at *spot) {
	if v.full() {
		v.add(&Issue{Severity: Error, Level: LevelElement})
		return
	}
	u := at.use
	text := fmt.Sprintf("%s (%s) is missing; %s always needs it.", at.name(), u.Name, at.layout.Tag)
	if u.OwnRequired {
		text = fmt.Sprintf("%s (%s) is missing; guide %s asks for it.", at.name(), u.Name, v.walk.guide.Name)
	}
	whole := *at
	whole.repeat = 0
	v.useIssue(faultMissingElement, &whole, nil, u.OwnRequired, text)
}

// forbidden reports a value that a partner's guide has no use for.
func (v *validator) forbidden(at *spot, value []byte) {
	whole := *at
	whole.repeat = 0
	v.useIssue(faultForbiddenElement, &whole, value, true, fmt.Sprintf("%s (%s) is not used in guide %s. Leave it empty.", at.name(), at.use.Name, v.walk.guide.Name))
}

// checkElement checks one element that holds something.
func (v *validator) checkElement(at *spot, e edi.Element) {
	if e.Simple() && at.use.Composite == nil {
		v.checkValue(at, e.Value())
		return
	}
	repeats := e.Repeats()
	if repeats <= 1 {
		v.checkRepeat(at, e)
		return
	}
	if repeats > at.use.Repeat {
		v.useIssue(faultTooManyRepeats, at, e.Raw(), false, fmt.Sprintf("%s (%s) occurs %d times, at most %s allowed. The repetition separator inside the data splits it, too.", at.name(), at.use.Name, repeats, times(at.use.Repeat)))
	}
	for k := 1; k <= repeats && k <= at.use.Repeat; k++ {
		if part := e.Repeat(k); !part.Empty() {
			at.repeat = k
			v.checkRepeat(at, part)
		}
	}
	at.repeat = 0
}

func times(n int) string {
	if n == 1 {
		return "once is"
	}
	return fmt.Sprintf("%d times are", n)
}

// checkRepeat checks one repetition of an element.
func (v *validator) checkRepeat(whole *spot, e edi.Element) {
	if whole.use.Composite == nil {
		if e.Simple() {
			v.checkValue(whole, e.Value())
		} else {
			v.split(whole, e)
		}
		return
	}
	at := *whole
	uses, n := whole.use.Composite.Uses, e.Parts()
	var present uint64
	for j := range uses[:min(len(uses), max(n, whole.use.Composite.LastRequired))] {
		at.use, at.component = &uses[j], j+1
		value := e.Part(j + 1)
		if value.Empty() {
			if at.use.Required {
				v.missingElement(&at)
			}
			continue
		}
		if j < 64 {
			present |= 1 << j
		}
		if at.use.Forbidden {
			v.forbidden(&at, value.Raw())
			continue
		}
		v.checkValue(&at, value)
	}
	for _, j := range whole.use.Composite.Formats {
		at.use, at.component = &uses[j-1], j
		v.checkForm(&at, e.Part(at.use.Format), e.Part(j))
	}
	if n > 1 {
		v.lastParts(whole, e)
	}
	for i := range whole.use.Composite.Notes {
		if note := &whole.use.Composite.Notes[i]; !note.Holds(present) {
			v.broken(at.seg, at.node, note, present, at.p, func(c int) string { return fmt.Sprintf("%s component %d", name(at.layout, at.p), c) }, uses)
		}
	}
}

// lastParts looks at the end of a composite: components beyond the last one of
// its layout, and separators with nothing behind them.
func (v *validator) lastParts(at *spot, e edi.Element) {
	n, most := e.Parts(), len(at.use.Composite.Uses)
	if n <= most && e.Part(n).Empty() && !v.again("trailing-component-separators") {
		v.elementWaiver("trailing-component-separators", at.seg, at.node, at.p, fmt.Sprintf("%s (%s) ends in component separators with nothing behind them.", at.name(), at.use.Name))
	}
	for j := most + 1; j <= n; j++ {
		if value := e.Part(j); !value.Empty() {
			beyond := *at
			beyond.component = j
			v.useIssue(faultTooManyComponents, &beyond, value.Raw(), false, fmt.Sprintf("%s (%s) has %s, at most %d are expected.", at.name(), at.use.Name, plural(n, "component"), most))
			break
		}
	}
}

// split handles component separators inside a simple element.
func (v *validator) split(at *spot, e edi.Element) {
	u := at.use
	first := e.Part(1)
	rest := e.Raw()[len(first.Raw()):]
	if v.onlySeparators(rest) {
		if !v.again("trailing-component-separators") {
			v.elementWaiver("trailing-component-separators", at.seg, at.node, at.p, fmt.Sprintf("%s ends in a component separator though it is no composite; it is read without it.", at.name()))
		}
		if !first.Empty() {
			v.checkValue(at, first)
		} else if u.Required {
			v.missingElement(at)
		}
		return
	}
	if u.Type == schema.String && v.ic.Standard == schema.X12 && !v.strictly("separator-in-text") {
		if !v.again("separator-in-text") {
			v.elementWaiver("separator-in-text", at.seg, at.node, at.p, fmt.Sprintf("%s (%s) holds the component separator %q though it is no composite; it is read as part of the text.", at.name(), u.Name, v.delims.Component))
		}
		v.checkValue(at, e.Value())
		return
	}
	second := *at
	second.component = 2
	v.useIssue(faultTooManyComponents, &second, e.Raw(), false, fmt.Sprintf("%s (%s) is no composite, but the component separator %q splits it.", at.name(), u.Name, v.delims.Component))
}

// checkValue checks one value as it stands in the input.
func (v *validator) checkValue(at *spot, value edi.Value) {
	b := value.Raw()
	if !value.Plain() {
		v.scratch = value.Append(v.scratch[:0])
		if b = v.scratch; len(b) == 0 { // line ends only, of a wrapped line
			if at.use.Required {
				v.missingElement(at)
			}
			return
		}
	}
	v.checkText(at, b)
}

// checkText checks a value whose release characters and line ends are gone.
func (v *validator) checkText(at *spot, b []byte) {
	u, n := at.use, len(b)
	if u.Type == schema.Binary {
		return
	}
	if !v.ascii {
		class := classes(b)
		if class&classControl != 0 {
			if v.ic.Standard == schema.EDIFACT {
				return // checkCharacters has told so
			}
			v.valueIssue(faultCharacter, at, b, "holds a control character; only printable characters are allowed")
			return
		}
		if class&classHigh != 0 && v.ic.Standard == schema.X12 && !v.again("non-ascii") {
			v.elementWaiver("non-ascii", at.seg, at.node, at.p, fmt.Sprintf("%s (%s) holds characters outside ASCII; both sides have to agree on them.", name(at.layout, at.p), u.Name))
		}
	}
	if b[0] == ' ' || b[n-1] == ' ' {
		if b = v.padding(at, b); len(b) == 0 {
			if u.Required {
				v.valueIssue(faultMissingElement, at, nil, "holds blanks only, and a value is always needed")
			}
			return
		}
		n = len(b)
	}
	if !v.ascii {
		n = length(b)
	}
	switch u.Type {
	case schema.Implied:
		digits := b
		if b[0] == '-' {
			digits = b[1:]
			n--
		}
		if !isDigits(digits) {
			v.valueIssue(faultKind, at, b, "is no whole number: digits, with a minus sign in front if need be, are expected")
			return
		}
	case schema.Decimal, schema.Numeric:
		digits, ok := decimal(b, v.mark)
		if ok && (v.ic.Standard == schema.EDIFACT || b[0] == '+') {
			v.notation(at, b)
		}
		if !ok {
			v.valueIssue(faultKind, at, b, "is no number: digits with a decimal point and a minus sign in front if need be are expected")
			return
		}
		n = digits
	}
	if n < u.Min {
		v.valueIssue(faultTooShort, at, b, fmt.Sprintf("has %s, at least %d are expected", plural(n, "character"), u.Min))
		return
	}
	if n > u.Max {
		v.valueIssue(faultTooLong, at, b, fmt.Sprintf("has %s, at most %d are expected", plural(n, "character"), u.Max))
		return
	}
	if u.Pattern != nil && !u.Pattern.Match(b) {
		v.valueIssue(faultPattern, at, b, fmt.Sprintf("does not look as guide %s asks for: %s is expected", v.walk.guide.Name, bare(u.Pattern)))
		return
	}
	switch u.Type {
	case schema.Date:
		if !validDate(b) {
			v.valueIssue(faultDate, at, b, "is no date: "+dateForm(u)+" is expected, and the day has to exist")
		}
		return
	case schema.Time:
		if !validTime(b) {
			v.valueIssue(faultTime, at, b, "is no time: HHMM, HHMMSS or HHMMSS with decimals is expected, 00 to 23 hours")
		}
		return
	case schema.Alpha:
		if classes(b)&classDigit != 0 {
			v.valueIssue(faultKind, at, b, "holds digits; letters are expected")
			return
		}
	}
	if u.Codes != nil && !u.Codes.Allows(b, v.today) {
		v.badCode(at, b)
	}
}

func dateForm(u *schema.Use) string {
	switch {
	case u.Max == 6:
		return "YYMMDD"
	case u.Min == 6:
		return "YYMMDD or CCYYMMDD"
	}
	return "CCYYMMDD"
}

func (v *validator) badCode(at *spot, b []byte) {
	u := at.use
	if code, ok := u.Codes.Find(b); ok {
		v.valueIssue(faultCode, at, b, fmt.Sprintf("(%s) is out of its dates: valid %s", code.Name, period(code)))
		return
	}
	what := "is not one of its codes"
	if u.OwnCodes {
		what = "is not one of the codes guide " + v.walk.guide.Name + " allows"
	}
	v.valueIssue(faultCode, at, b, what+": "+u.Codes.Hint(8)+" are expected")
}

func period(c schema.Code) string {
	switch {
	case c.From != 0 && c.Until != 0:
		return fmt.Sprintf("from %d to %d", c.From, c.Until)
	case c.From != 0:
		return fmt.Sprintf("from %d on", c.From)
	}
	return fmt.Sprintf("up to %d", c.Until)
}

// padding takes blanks off a value. Text may be padded behind; elsewhere
// blanks are a waiver.
func (v *validator) padding(at *spot, b []byte) []byte {
	u, where := at.use, name(at.layout, at.p)
	trimmed := bytes.TrimRight(b, " ")
	if u.Type == schema.String || u.Type == schema.AlphaNum || u.Type == schema.Alpha {
		if len(trimmed) == 0 {
			if !v.again("blank-value") {
				v.elementWaiver("blank-value", at.seg, at.node, at.p, fmt.Sprintf("%s (%s) holds blanks only.", where, u.Name))
			}
			return trimmed
		}
		if v.strictly("padded-value") && len(trimmed) < len(b) {
			if !v.again("padded-value") {
				v.elementWaiver("padded-value", at.seg, at.node, at.p, fmt.Sprintf("%s (%s) is padded with blanks.", where, u.Name))
			}
		}
		return b
	}
	if !v.again("padded-value") {
		v.elementWaiver("padded-value", at.seg, at.node, at.p, fmt.Sprintf("%s (%s) is padded with blanks; it is read without them.", where, u.Name))
	}
	return bytes.Trim(b, " ")
}

// broken reports a syntax note that does not hold.
func (v *validator) broken(seg *edi.Segment, node *schema.Node, note *schema.Note, present uint64, element int, say func(int) string, uses []schema.Use) {
	has := func(p int) bool { return present&(1<<(p-1)) != 0 }
	f, at := faultConditional, note.Positions[0]
	first, rest := note.Positions[0], note.Positions[1:]
	var text string
	trigger := 0 // the element that makes the missing one needed
	switch note.Kind {
	case schema.Paired:
		trigger = firstOf(note.Positions, has)
		at = firstOf(note.Positions, func(p int) bool { return !has(p) })
		text = fmt.Sprintf("%s have to stand together or not at all; %s (%s) is missing.", list(note.Positions, say, "and"), say(at), uses[at-1].Name)
	case schema.OneRequired, schema.OnlyOne:
		text = fmt.Sprintf("One of %s is needed.", list(note.Positions, say, "or"))
		if note.Kind == schema.OnlyOne && slices.ContainsFunc(note.Positions, has) {
			f, at = faultExclusive, secondOf(note.Positions, has)
			text = fmt.Sprintf("Only one of %s may stand here; %s is one too many.", list(note.Positions, say, "or"), say(at))
		}
	case schema.Exclusive, schema.FirstNone:
		f, at = faultExclusive, secondOf(note.Positions, has)
		text = fmt.Sprintf("Only one of %s may stand here; %s is one too many.", list(note.Positions, say, "or"), say(at))
		if note.Kind == schema.FirstNone {
			text = fmt.Sprintf("%s excludes %s; leave one of them out.", say(first), list(rest, say, "and"))
		}
	case schema.Conditional:
		trigger = first
		at = firstOf(rest, func(p int) bool { return !has(p) })
		text = fmt.Sprintf("%s stands here, so %s (%s) is needed, too.", say(first), say(at), uses[at-1].Name)
	case schema.ListCond:
		trigger = first
		at = rest[0]
		text = fmt.Sprintf("%s stands here, so one of %s is needed, too.", say(first), list(rest, say, "or"))
	}
	text += " (" + v.noteName(note) + ".)"
	component := 0
	if element > 0 {
		component = at
	} else {
		element = at
	}
	if note.Soft && !v.strictly("syntax-note") {
		v.elementWaiver("syntax-note", seg, node, element, text)
		return
	}
	is := v.useIssue(f, &spot{seg: seg, node: node, use: &uses[at-1], p: element, component: component}, nil, note.Own, text)
	if component == 0 {
		is.Trigger = trigger
	}
}

// noteName names a note as its standard does: syntax note P0607 of X12,
// dependency note D2(01,02) of EDIFACT.
func (v *validator) noteName(note *schema.Note) string {
	if v.ic.Standard != schema.EDIFACT {
		return "Syntax note " + note.String()
	}
	number := byte(note.Kind)
	if i := strings.IndexByte("PRECL", number); i >= 0 {
		number = "23456"[i]
	}
	positions := make([]string, len(note.Positions))
	for i, p := range note.Positions {
		positions[i] = fmt.Sprintf("%02d", p)
	}
	return fmt.Sprintf("Dependency note D%c(%s)", number, strings.Join(positions, ","))
}

func secondOf(positions []int, wanted func(int) bool) int {
	first := firstOf(positions, wanted)
	return firstOf(positions, func(p int) bool { return p != first && wanted(p) })
}

func firstOf(positions []int, wanted func(int) bool) int {
	for _, p := range positions {
		if wanted(p) {
			return p
		}
	}
	return positions[0]
}

func list(positions []int, say func(int) string, word string) string {
	s := ""
	for i, p := range positions {
		switch {
		case i == 0:
		case i == len(positions)-1:
			s += " " + word + " "
		default:
			s += ", "
		}
		s += say(p)
	}
	return s
}

// keys takes the business keys of a segment.
func (v *validator) keys(seg *edi.Segment, node *schema.Node) {
	for i := range node.Keys {
		k := &node.Keys[i]
		if k.Where != nil && !matches(k.Where, seg) {
			continue
		}
		value := seg.Element(k.Element).Value()
		if k.Component > 0 {
			value = seg.Element(k.Element).Component(k.Component)
		}
		if value.Empty() || len(v.doc.Keys) >= maxKeys {
			continue
		}
		if text := string(bytes.TrimRight(value.Text(nil), " ")); text != "" {
			v.addKey(k.Name, text)
		}
	}
}

func (v *validator) addKey(name, value string) {
	for _, k := range v.doc.Keys {
		if k.Name == name && k.Value == value {
			return
		}
	}
	v.doc.Keys = append(v.doc.Keys, Key{Name: name, Value: value})
}
