package dictionary

import (
	"regexp"
	"strconv"
	"strings"

	"tradepost/edi/schema"
)

// elements reads .ELMS: 353=ID,2,2
func (s *sefFile) elements() {
	for _, r := range s.records["ELMS"] {
		fields := strings.SplitN(strings.TrimSpace(r.value), ",", 4)
		e := &element{ref: r.key, place: r.place}
		if !elementName.MatchString(r.key) || len(fields) < 3 {
			s.report(NotUnderstood, r.place, "no element: NUMBER=TYPE,MIN,MAX is expected")
			continue
		}
		var ok bool
		if e.kind, e.decimals, ok = sefType(s.std.standard, fields[0]); !ok {
			s.report(NotUnderstood, r.place, "%q is no element type", fields[0])
			continue
		}
		shortest, err1 := strconv.Atoi(fields[1])
		longest, err2 := strconv.Atoi(fields[2])
		if longest == 0 && err2 == nil {
			longest = maxElementLength // no limit
		}
		if err1 != nil || err2 != nil || shortest < 0 || longest < max(shortest, 1) || longest > maxElementLength {
			s.report(NotUnderstood, r.place, "%s to %s is no length", fields[1], fields[2])
			continue
		}
		e.min, e.max = max(shortest, 1), longest
		if s.std.elements[e.ref] != nil {
			s.report(Contradiction, r.place, "element %s is described twice; the first was kept", e.ref)
			continue
		}
		if len(fields) > 3 {
			s.report(NotUnderstood, r.place, "%q behind the length of element %s was left out", excerpt(fields[3]), e.ref)
		}
		if !s.within(&s.left.elements, 1, r.place, "elements") {
			return
		}
		s.std.elements[e.ref] = e
	}
}

func sefType(standard, text string) (kind schema.Type, decimals int, ok bool) {
	text = strings.ToUpper(strings.TrimSpace(text))
	if standard == schema.EDIFACT {
		kind, ok = map[string]schema.Type{"A": schema.Alpha, "N": schema.Numeric, "AN": schema.AlphaNum, "ID": schema.AlphaNum, "R": schema.Numeric}[text]
		return kind, 0, ok
	}
	if len(text) == 2 && text[0] == 'N' && text[1] >= '0' && text[1] <= '9' {
		return schema.Implied, int(text[1] - '0'), true
	}
	kind, ok = map[string]schema.Type{
		"AN": schema.String, "ID": schema.Code1, "N": schema.Implied, "R": schema.Decimal, "DT": schema.Date, "TM": schema.Time, "B": schema.Binary, "A": schema.String,
	}[text]
	return kind, 0, ok
}

// sefLayout is what a record of .SEGS or .COMS says beyond the standard.
type sefLayout struct {
	attributes []byte       // of each position, 0 for none
	masks      [][]maskItem // *1, *2 ...
	use        []int        // mask a composite is used with, 0 for none
}

// layouts reads .SEGS and .COMS.
func (s *sefFile) layouts(section string, into map[string]*layout) {
	valid, what := segmentName, "segment"
	if section == "COMS" {
		valid, what = compositeRef, "composite"
	}
	for _, r := range s.records[section] {
		if !valid.MatchString(r.key) {
			s.report(NotUnderstood, r.place, "%q is no %s", r.key, what)
			continue
		}
		p := sefParser{sefFile: s, text: r.value, place: r.place}
		l := &layout{ref: r.key, place: r.place}
		extra := &sefLayout{}
		if !p.positions(l, extra, 0) {
			continue
		}
		p.rest(l, extra)
		if into[r.key] != nil {
			s.report(Contradiction, r.place, "%s %s is described twice; the first was kept", what, r.key)
			continue
		}
		if !s.within(&s.left.layouts, 1, r.place, "segments and composites") {
			return
		}
		into[r.key] = l
		s.masks[r.key] = extra
	}
}

// sefParser reads the value of one record.
type sefParser struct {
	*sefFile
	text  string
	at    int
	place place
}

func (p *sefParser) fail(format string, args ...any) bool {
	at := p.place
	at.column = p.at + 1
	at.text = p.text[min(p.at, len(p.text)):]
	p.report(NotUnderstood, at, format, args...)
	return false
}

func (p *sefParser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

// number reads digits.
func (p *sefParser) number() (int, bool) {
	from := p.at
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	if from == p.at || p.at-from > 7 {
		return 0, false
	}
	n, err := strconv.Atoi(p.text[from:p.at])
	return n, err == nil
}

// inside reads what stands between a bracket, at the place, and its end.
func (p *sefParser) inside() (string, bool) {
	end := strings.IndexByte(p.text[p.at:], ']')
	if end < 0 {
		return "", p.fail("this bracket has no end")
	}
	text := p.text[p.at+1 : p.at+end]
	p.at += end + 1
	return text, true
}

const maxSEFPositions = 300 // of a segment, written out

// positions reads [353,M][92]{3[373][1313]} up to the end or a closing brace.
func (p *sefParser) positions(l *layout, extra *sefLayout, depth int) bool {
	for {
		switch p.peek() {
		case '[':
			text, ok := p.inside()
			if !ok {
				return false
			}
			p.position(text, l, extra)
		case '{':
			p.at++
			n, ok := p.number()
			if !ok || depth > 4 {
				return p.fail("a repeated group of elements begins with its number, as in {3[373]}")
			}
			from := len(l.uses)
			if !p.positions(l, extra, depth+1) {
				return false
			}
			if p.peek() != '}' {
				return p.fail("a closing brace is missing")
			}
			p.at++
			group, attributes, use := l.uses[from:], extra.attributes[from:], extra.use[from:]
			for range n - 1 {
				if len(l.uses)+len(group) > maxSEFPositions || !p.within(&p.left.uses, len(group), p.place, "positions") {
					return p.fail("more than %d positions", maxSEFPositions)
				}
				l.uses = append(l.uses, group...)
				extra.attributes = append(extra.attributes, attributes...)
				extra.use = append(extra.use, use...)
			}
		default:
			return true
		}
	}
}

// sefPosition is [ATTRIBUTE NUMBER *MASK @ORDINAL ;MIN:MAX ,REQUIREMENT ,REPEAT].
var sefPosition = regexp.MustCompile(`^([.!$&-])?([A-Z0-9]{1,6})(?:\*([0-9]{1,3}))?(?:@([0-9]{1,4}))?(?:;([0-9]*):([0-9]*))?(?:,([A-Z]?)(?:,(>1|[0-9]+))?)?$`)

func (p *sefParser) position(text string, l *layout, extra *sefLayout) {
	m := sefPosition.FindStringSubmatch(text)
	if m == nil || !elementName.MatchString(m[2]) || len(l.uses) >= maxSEFPositions || !p.within(&p.left.uses, 1, p.place, "positions") {
		at := p.place
		at.text = "[" + text + "]"
		p.report(NotUnderstood, at, "no position of %s", l.ref)
		return
	}
	x := use{ref: m[2], required: m[7] == "M", repeat: 1, place: p.place}
	x.min, x.max = number(m[5]), number(m[6])
	if x.min > 0 || x.max > 0 {
		if e := p.std.elements[x.ref]; e != nil {
			if x.max == 0 {
				x.max = e.max
			}
			if x.min == 0 {
				x.min = e.min
			}
		}
		if x.max < x.min || x.max == 0 {
			x.min, x.max = 0, 0
			p.report(NotUnderstood, p.place, "the length of %s in %s", x.ref, l.ref)
		}
	}
	switch m[8] {
	case "":
	case ">1":
		x.repeat = 999999
	default:
		x.repeat = min(max(number(m[8]), 1), 999999)
	}
	if m[4] != "" {
		p.report(NotKept, p.place, "element %s of %s has the ordinal %s; ordinals count positions here", x.ref, l.ref, m[4])
	}
	if strings.IndexByte(" MOCFXN", append([]byte(m[7]), ' ')[0]) < 0 {
		p.report(NotUnderstood, p.place, "%s in %s has requirement %s; it was taken as optional", x.ref, l.ref, m[7])
	}
	l.addUse(x)
	var attribute byte
	if m[1] != "" {
		attribute = m[1][0]
	}
	extra.attributes = append(extra.attributes, attribute)
	extra.use = append(extra.use, number(m[3]))
}

var (
	sefNote    = regexp.MustCompile(`^([PRECL])((?:[0-9]{2}){2,64})`)
	sefDepends = regexp.MustCompile(`^D([1-7])\(([0-9]{1,3}(?:,[0-9]{1,3}){1,64})\)`)
)

const (
	maxMasks = 500 // of one segment
	maxNotes = 100 // of one segment
)

// rest reads syntax notes and masks: +P0203C0405,....,..#.
func (p *sefParser) rest(l *layout, extra *sefLayout) {
	if p.peek() == '+' {
		p.at++
		for p.at < len(p.text) && p.peek() != ',' {
			if len(l.notes) == maxNotes {
				p.fail("more than %d syntax notes", maxNotes)
				return
			}
			if m := sefNote.FindStringSubmatch(p.text[p.at:]); m != nil {
				l.notes = append(l.notes, m[0])
				p.at += len(m[0])
				continue
			}
			m := sefDepends.FindStringSubmatch(p.text[p.at:])
			if m == nil {
				p.fail("no syntax note")
				return
			}
			note := "D" + m[1] + ":"
			for _, f := range strings.Split(m[2], ",") {
				n := number(f)
				if len(f) == 3 && n%10 == 0 {
					n /= 10
				}
				note += twoDigits(min(n, 99))
			}
			l.notes = append(l.notes, note)
			p.at += len(m[0])
		}
	}
	if p.peek() == ',' {
		for _, mask := range strings.SplitN(p.text[p.at+1:], ",", maxMasks+1) {
			if len(extra.masks) == maxMasks {
				p.fail("more than %d masks", maxMasks)
				break
			}
			extra.masks = append(extra.masks, parseMask(strings.TrimSpace(mask)))
		}
		p.at = len(p.text)
	}
	if strings.TrimSpace(p.text[p.at:]) != "" {
		p.fail("this was left out")
	}
}

// maskItem is one position of a mask: how the element is used, and the mask of
// its components.
type maskItem struct {
	use   byte
	inner int
}

// parseMask reads ..#.*1. with *1 behind the position it belongs to.
func parseMask(text string) []maskItem {
	var out []maskItem
	for i := 0; i < len(text) && len(out) < maxSEFPositions; i++ {
		if text[i] == '*' && len(out) > 0 {
			n := 0
			for i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9' && n < 1000 {
				i++
				n = n*10 + int(text[i]-'0')
			}
			out[len(out)-1].inner = n
			continue
		}
		out = append(out, maskItem{use: text[i]})
	}
	return out
}
