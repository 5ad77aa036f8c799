package validate

import (
	"fmt"
	"strings"

	"tradepost/edi"
	"tradepost/edi/schema"
)

// segmentIssue reports a fault of a segment's place.
func (v *validator) segmentIssue(f fault, node *schema.Node, own bool, tag, text string) {
	is := &Issue{Severity: Error, Level: LevelSegment, Segment: tag, Ordinal: v.ordinal, Text: text, Loop: v.walk.loopName()}
	is.Ack = v.code(f)
	if own {
		_, _, is.Code999 = f.codes()
	}
	if node != nil {
		is.Path = node.Path
	} else {
		is.Path = v.walk.path()
	}
	if v.seg == nil {
		is.Ordinal++ // what is missing would be the next segment
	}
	is.Offset, is.Line = v.here()
	v.add(is)
}

// elementAt starts an issue that points at an element or component.
func (v *validator) elementAt(f fault, seg *edi.Segment, node *schema.Node, p, component, repeat int, value []byte) *Issue {
	is := &Issue{Severity: Error, Level: LevelElement, Segment: string(seg.Tag), Ordinal: v.ordinal, Element: p, Component: component, Repeat: repeat, Line: seg.Pos.Line, Value: clip(value), Loop: v.walk.loopName()}
	is.Ack = v.code(f)
	if node != nil {
		is.Path = node.Path
	} else {
		is.Path = v.walk.path()
	}
	e := seg.Element(p)
	if repeat > 1 {
		e = e.Repeat(repeat)
	}
	is.Offset = e.Offset()
	if component > 1 {
		if c := e.Component(component); c.Raw() != nil {
			is.Offset = c.Offset()
		}
	}
	if e.Raw() == nil {
		is.Offset = seg.Pos.Offset + int64(len(seg.Content()))
	}
	return is
}

// useIssue reports a fault of an element with a layout; own says that a rule
// of a partner's guide is what it breaks.
func (v *validator) useIssue(f fault, at *spot, value []byte, own bool, text string) *Issue {
	if v.full() {
		is := &Issue{Severity: Error, Level: LevelElement}
		v.add(is)
		return is
	}
	is := v.elementAt(f, at.seg, at.node, at.p, at.component, at.repeat, value)
	is.Text, is.Reference = text, reference(at.use.Ref)
	if own {
		_, _, is.Code999 = f.codes()
	}
	v.add(is)
	return is
}

// reference gives an element's number for AK402: composites have none there.
func reference(ref string) string {
	if isDigits(ref) {
		return ref
	}
	return ""
}

// valueIssue reports a fault of a value: "BEG02 (Type) "QQ" is no ...".
func (v *validator) valueIssue(f fault, at *spot, value []byte, what string) {
	if v.full() {
		v.add(&Issue{Severity: Error, Level: LevelElement})
		return
	}
	var b strings.Builder
	b.WriteString(at.name())
	if at.repeat > 0 {
		fmt.Fprintf(&b, " repetition %d", at.repeat)
	}
	u := at.use
	fmt.Fprintf(&b, " (%s) %s %s.", u.Name, quote(clip(value)), what)
	own := f == faultPattern || f == faultCode && u.OwnCodes || (f == faultTooShort || f == faultTooLong) && u.OwnLength
	v.useIssue(f, at, value, own, b.String())
}

// elementIssue reports a fault of an element without a layout at hand.
func (v *validator) elementIssue(f fault, seg *edi.Segment, node *schema.Node, p, component int, value []byte, text string) {
	if v.full() {
		v.add(&Issue{Severity: Error, Level: LevelElement})
		return
	}
	is := v.elementAt(f, seg, node, p, component, 0, value)
	is.Text = text
	v.add(is)
}

// elementWaiver records something let pass at an element.
func (v *validator) elementWaiver(rule string, seg *edi.Segment, node *schema.Node, p int, text string) {
	is := v.elementAt(waiverFault(rule), seg, node, p, 0, 0, seg.Element(p).Raw())
	is.Rule, is.Text = rule, text
	v.waive(&v.docScope, *is)
}

// waiverFault is the fault a waiver is in the strict profile.
func waiverFault(rule string) fault {
	switch rule {
	case "trailing-separators":
		return faultTooManyElements
	case "trailing-component-separators", "separator-in-text":
		return faultTooManyComponents
	case "syntax-note":
		return faultConditional
	case "decimal-notation":
		return faultDecimalNotation
	case "decimal-digit":
		return faultDecimalDigit
	case "plus-sign":
		return faultKind
	}
	return faultCharacter
}

// levelWaiver records an HL whose place in the hierarchy is unusual.
func (v *validator) levelWaiver(seg *edi.Segment, p int, text string) {
	is := v.elementAt(faultLevel, seg, nil, p, 0, 0, seg.Element(p).Raw())
	is.Rule, is.Text = "hierarchy", text
	v.waive(&v.docScope, *is)
}
