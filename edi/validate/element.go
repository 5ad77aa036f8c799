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

// checkSegment checks the elements of a segment against its layout. The
// envelope checks have looked at ST, SE, UNH and UNT already.
func (v *validator) checkSegment(seg *edi.Segment, layout *schema.Segment, node *schema.Node) {
	if v.o.StructureOnly {
		return
	}
	if tag := schema.MakeTag(seg.Tag); tag == tagST || tag == tagSE || tag == tagUNH || tag == tagUNT {
		return
	}
	n, uses := seg.Len(), layout.Uses
	var present uint64
	for i := range min(len(uses), max(n, layout.LastRequired)) {
		u := &uses[i]
		if i >= n {
			if u.Required {
				v.missingElement(seg, node, layout, i+1, 0, u)
			}
			continue
		}
		e := seg.Element(i + 1)
		if e.Empty() {
			if u.Required {
				v.missingElement(seg, node, layout, i+1, 0, u)
			}
			continue
		}
		if i < 64 {
			present |= 1 << i
		}
		if u.Forbidden {
			v.ownIssue(faultForbiddenElement, seg, node, i+1, 0, e.Raw(), u, fmt.Sprintf("%s (%s) is not used in guide %s. Leave it empty.", name(layout, i+1), u.Name, v.walk.guide.Name))
			continue
		}
		v.checkElement(seg, node, layout, i+1, u, e)
	}
	switch {
	case n > len(uses):
		v.surplus(seg, node, layout)
	case n > 0 && len(seg.Element(n).Raw()) == 0 && !v.again("trailing-separators"):
		v.elementWaiver("trailing-separators", seg, node, n, fmt.Sprintf("Empty elements with their separators stand at the end of %s.", layout.Tag))
	}
	for _, p := range layout.Formats {
		if p <= n {
			u := &uses[p-1]
			v.checkForm(seg, node, layout, p, 0, 0, u, seg.Element(u.Format).Value(), seg.Element(p).Value())
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

func (v *validator) missingElement(seg *edi.Segment, node *schema.Node, layout *schema.Segment, p, component int, u *schema.Use) {
	if v.full() {
		v.add(&Issue{Severity: Error, Level: LevelElement})
		return
	}
	where := name(layout, p)
	if component > 0 {
		where = fmt.Sprintf("%s component %d", where, component)
	}
	text := fmt.Sprintf("%s (%s) is missing; %s always needs it.", where, u.Name, layout.Tag)
	if u.OwnRequired {
		text = fmt.Sprintf("%s (%s) is missing; guide %s asks for it.", where, u.Name, v.walk.guide.Name)
	}
	v.useIssue(faultMissingElement, seg, node, p, component, 0, nil, u, u.OwnRequired, text)
}

// checkElement checks one element that holds something.
func (v *validator) checkElement(seg *edi.Segment, node *schema.Node, layout *schema.Segment, p int, u *schema.Use, e edi.Element) {
	// Nearly all values hold no separator: one pass tells, and is all they need.
	raw, class := e.Raw(), uint8(0)
	for _, b := range raw {
		class |= v.table[b]
	}
	if class&classSeparator == 0 && u.Composite == nil {
		v.checkText(seg, node, layout, p, 0, 0, u, raw, class)
		return
	}
	repeats := e.Repeats()
	if repeats <= 1 {
		v.checkRepeat(seg, node, layout, p, 0, u, e)
		return
	}
	if repeats > u.Repeat {
		v.useIssue(faultTooManyRepeats, seg, node, p, 0, 0, e.Raw(), u, false, fmt.Sprintf("%s (%s) occurs %d times, at most %s allowed. The repetition separator inside the data splits it, too.", name(layout, p), u.Name, repeats, times(u.Repeat)))
	}
	for k := 1; k <= repeats && k <= u.Repeat; k++ {
		if part := e.Repeat(k); !part.Empty() {
			v.checkRepeat(seg, node, layout, p, k, u, part)
		}
	}
}

func times(n int) string {
	if n == 1 {
		return "once is"
	}
	return fmt.Sprintf("%d times are", n)
}

func (v *validator) checkRepeat(seg *edi.Segment, node *schema.Node, layout *schema.Segment, p, repeat int, u *schema.Use, e edi.Element) {
	components := e.Components()
	if u.Composite == nil {
		if components > 1 {
			v.split(seg, node, layout, p, repeat, u, e)
			return
		}
		v.checkValue(seg, node, layout, p, 0, repeat, u, e.Value())
		return
	}
	uses := u.Composite.Uses
	var present uint64
	for j := range uses {
		cu := &uses[j]
		value := e.Component(j + 1)
		if value.Empty() {
			if cu.Required {
				v.missingElement(seg, node, layout, p, j+1, cu)
			}
			continue
		}
		if j < 64 {
			present |= 1 << j
		}
		if cu.Forbidden {
			v.ownIssue(faultForbiddenElement, seg, node, p, j+1, value.Raw(), cu, fmt.Sprintf("%s component %d (%s) is not used in guide %s. Leave it empty.", name(layout, p), j+1, cu.Name, v.walk.guide.Name))
			continue
		}
		v.checkValue(seg, node, layout, p, j+1, repeat, cu, value)
	}
	for _, j := range u.Composite.Formats {
		cu := &uses[j-1]
		v.checkForm(seg, node, layout, p, j, repeat, cu, e.Component(cu.Format), e.Component(j))
	}
	if components > 1 && components <= len(uses) && len(e.Component(components).Raw()) == 0 && !v.again("trailing-component-separators") {
		v.elementWaiver("trailing-component-separators", seg, node, p, fmt.Sprintf("%s (%s) ends in component separators with nothing behind them.", name(layout, p), u.Name))
	}
	for j := len(uses) + 1; j <= components; j++ {
		if value := e.Component(j); !value.Empty() {
			v.useIssue(faultTooManyComponents, seg, node, p, j, repeat, value.Raw(), u, false, fmt.Sprintf("%s (%s) has %s, at most %d are expected.", name(layout, p), u.Name, plural(components, "component"), len(uses)))
			break
		}
	}
	for i := range u.Composite.Notes {
		if note := &u.Composite.Notes[i]; !note.Holds(present) {
			v.broken(seg, node, note, present, p, func(c int) string { return fmt.Sprintf("%s component %d", name(layout, p), c) }, uses)
		}
	}
}

// split handles component separators inside a simple element.
func (v *validator) split(seg *edi.Segment, node *schema.Node, layout *schema.Segment, p, repeat int, u *schema.Use, e edi.Element) {
	first := e.Component(1)
	rest := e.Raw()[len(first.Raw()):]
	if v.onlySeparators(rest) {
		if !v.again("trailing-component-separators") {
			v.elementWaiver("trailing-component-separators", seg, node, p, fmt.Sprintf("%s ends in a component separator though it is no composite; it is read without it.", name(layout, p)))
		}
		if !first.Empty() {
			v.checkValue(seg, node, layout, p, 0, repeat, u, first)
		} else if u.Required {
			v.missingElement(seg, node, layout, p, 0, u)
		}
		return
	}
	if u.Type == schema.String && v.ic.Standard == schema.X12 && !v.strictly("separator-in-text") {
		if !v.again("separator-in-text") {
			v.elementWaiver("separator-in-text", seg, node, p, fmt.Sprintf("%s (%s) holds the component separator %q though it is no composite; it is read as part of the text.", name(layout, p), u.Name, v.delims.Component))
		}
		v.checkValue(seg, node, layout, p, 0, repeat, u, e.Value())
		return
	}
	v.useIssue(faultTooManyComponents, seg, node, p, 2, repeat, e.Raw(), u, false, fmt.Sprintf("%s (%s) is no composite, but the component separator %q splits it.", name(layout, p), u.Name, v.delims.Component))
}

// checkValue checks one value as it stands in the input.
func (v *validator) checkValue(seg *edi.Segment, node *schema.Node, layout *schema.Segment, p, component, repeat int, u *schema.Use, value edi.Value) {
	b := value.Raw()
	if !value.Plain() {
		v.scratch = value.Append(v.scratch[:0])
		if b = v.scratch; len(b) == 0 { // line ends only, of a wrapped line
			if u.Required {
				v.missingElement(seg, node, layout, p, component, u)
			}
			return
		}
	}
	v.checkText(seg, node, layout, p, component, repeat, u, b, classes(b))
}

// checkText checks a value whose release characters and line ends are gone.
// class is the union of the classes of its bytes.
func (v *validator) checkText(seg *edi.Segment, node *schema.Node, layout *schema.Segment, p, component, repeat int, u *schema.Use, b []byte, class uint8) {
	if u.Type == schema.Binary {
		return
	}
	if class&classControl != 0 {
		if v.ic.Standard == schema.EDIFACT {
			return // checkCharacters has told so
		}
		v.valueIssue(faultCharacter, seg, node, layout, p, component, repeat, b, u, "holds a control character; only printable characters are allowed")
		return
	}
	if class&classHigh != 0 && v.ic.Standard == schema.X12 {
		if !v.again("non-ascii") {
			v.elementWaiver("non-ascii", seg, node, p, fmt.Sprintf("%s (%s) holds characters outside ASCII; both sides have to agree on them.", name(layout, p), u.Name))
		}
	}
	if class&classSpace != 0 && (b[0] == ' ' || b[len(b)-1] == ' ') {
		b = v.padding(seg, node, layout, p, u, b)
		if len(b) == 0 {
			if u.Required {
				v.valueIssue(faultMissingElement, seg, node, layout, p, component, repeat, nil, u, "holds blanks only, and a value is always needed")
			}
			return
		}
	}
	n := length(b, class)
	switch u.Type {
	case schema.Implied:
		if b[0] == '-' {
			n--
		}
		if class&^(classDigit|classOther|classSpace) != 0 || !isDigits(b[len(b)-n:]) {
			v.valueIssue(faultKind, seg, node, layout, p, component, repeat, b, u, "is no whole number: digits, with a minus sign in front if need be, are expected")
			return
		}
	case schema.Decimal, schema.Numeric:
		digits, ok := decimal(b, v.mark)
		if ok && (v.ic.Standard == schema.EDIFACT || b[0] == '+') {
			v.notation(seg, node, layout, p, component, u, b)
		}
		if !ok {
			v.valueIssue(faultKind, seg, node, layout, p, component, repeat, b, u, "is no number: digits with a decimal point and a minus sign in front if need be are expected")
			return
		}
		n = digits
	}
	if n < u.Min {
		v.valueIssue(faultTooShort, seg, node, layout, p, component, repeat, b, u, fmt.Sprintf("has %s, at least %d are expected", plural(n, "character"), u.Min))
		return
	}
	if n > u.Max {
		v.valueIssue(faultTooLong, seg, node, layout, p, component, repeat, b, u, fmt.Sprintf("has %s, at most %d are expected", plural(n, "character"), u.Max))
		return
	}
	switch u.Type {
	case schema.Date:
		if !validDate(b) {
			v.valueIssue(faultDate, seg, node, layout, p, component, repeat, b, u, "is no date: "+dateForm(u)+" is expected, and the day has to exist")
		}
		return
	case schema.Time:
		if !validTime(b) {
			v.valueIssue(faultTime, seg, node, layout, p, component, repeat, b, u, "is no time: HHMM, HHMMSS or HHMMSS with decimals is expected, 00 to 23 hours")
		}
		return
	case schema.Alpha:
		if class&classDigit != 0 {
			v.valueIssue(faultKind, seg, node, layout, p, component, repeat, b, u, "holds digits; letters are expected")
			return
		}
	}
	if u.Codes != nil && !u.Codes.Allows(b, v.today) {
		v.badCode(seg, node, layout, p, component, repeat, b, u)
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

func (v *validator) badCode(seg *edi.Segment, node *schema.Node, layout *schema.Segment, p, component, repeat int, b []byte, u *schema.Use) {
	if code, ok := u.Codes.Find(b); ok {
		v.valueIssue(faultCode, seg, node, layout, p, component, repeat, b, u, fmt.Sprintf("(%s) is out of its dates: valid %s", code.Name, period(code)))
		return
	}
	what := "is not one of its codes"
	if u.OwnCodes {
		what = "is not one of the codes guide " + v.walk.guide.Name + " allows"
	}
	v.valueIssue(faultCode, seg, node, layout, p, component, repeat, b, u, what+": "+u.Codes.Hint(8)+" are expected")
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
func (v *validator) padding(seg *edi.Segment, node *schema.Node, layout *schema.Segment, p int, u *schema.Use, b []byte) []byte {
	trimmed := bytes.TrimRight(b, " ")
	if u.Type == schema.String || u.Type == schema.AlphaNum || u.Type == schema.Alpha {
		if len(trimmed) == 0 {
			if !v.again("blank-value") {
				v.elementWaiver("blank-value", seg, node, p, fmt.Sprintf("%s (%s) holds blanks only.", name(layout, p), u.Name))
			}
			return trimmed
		}
		if v.strictly("padded-value") && len(trimmed) < len(b) {
			if !v.again("padded-value") {
				v.elementWaiver("padded-value", seg, node, p, fmt.Sprintf("%s (%s) is padded with blanks.", name(layout, p), u.Name))
			}
		}
		return b
	}
	if !v.again("padded-value") {
		v.elementWaiver("padded-value", seg, node, p, fmt.Sprintf("%s (%s) is padded with blanks; it is read without them.", name(layout, p), u.Name))
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
			f = faultExclusive
			text = fmt.Sprintf("Only one of %s may stand here.", list(note.Positions, say, "or"))
		}
	case schema.Exclusive, schema.FirstNone:
		f = faultExclusive
		at = firstOf(rest, has)
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
	is := v.useIssue(f, seg, node, element, component, 0, nil, &uses[at-1], false, text)
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
