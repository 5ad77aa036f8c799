package mapping

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// fill spreads a text over the elements a joined line names, in order, and
// over as many occurrences as it takes where the last step may repeat. Reading
// puts the pieces together to the same text again.
func (o *ediOut) fill(c spot, places []*place, join string, v []byte) string {
	rest := string(v)
	room := 0
	for _, p := range places {
		for rest != "" {
			at, repeats, bad := o.next(c, p)
			if bad != "" {
				return bad
			}
			seg := o.segment(at)
			element, component, bad := o.elementFor(at, seg, p)
			if bad != "" {
				return bad
			}
			lastElement := element
			if p.leaf.pair == nil && len(p.leaf.conds) == 0 {
				lastElement += p.leaf.last - p.leaf.element
			}
			for e := element; e <= lastElement && rest != ""; e++ {
				for n := component; n <= max(component, p.leaf.lastComponent) && rest != ""; n++ {
					most := p.leaf.use.Max
					piece, more, ok := cut(rest, join, most)
					if !ok {
						return "cannot be cut into pieces of " + plural(most, "character")
					}
					rest, room = more, room+most
					if bad := o.put(seg, e, n, &codec{kind: Text, use: p.codec.use}, []byte(piece)); bad != "" {
						return bad
					}
				}
			}
			if !repeats {
				break
			}
		}
	}
	if rest != "" {
		return "is too long: there is room for about " + plural(room, "character")
	}
	return ""
}

// next is the next occurrence to fill, and whether there may be more.
func (o *ediOut) next(c spot, p *place) (at spot, repeats bool, bad string) {
	if len(p.steps) > 0 {
		if s := &p.steps[len(p.steps)-1]; !s.head && s.nth == 0 && s.max != 1 {
			at, bad = o.add(c, p)
			return at, true, bad
		}
	}
	at, bad = o.open(c, p)
	return at, false, bad
}

// cut takes the first piece of at most a number of characters off a text, so
// that piece, join and rest give the text again. Readers drop blanks at the
// end of an element, so no piece ends in one.
func cut(text, join string, most int) (piece, rest string, ok bool) {
	if utf8.RuneCountInString(text) <= most && (join == "" || join == " " || !strings.Contains(text, join)) {
		return text, "", true
	}
	// The byte behind the last character that fits.
	limit, n := len(text), 0
	for i := range text {
		if n == most {
			limit = i
			break
		}
		n++
	}
	if join == "" {
		for limit > 0 && text[limit-1] == ' ' {
			limit--
		}
		return text[:limit], text[limit:], limit > 0
	}
	if join != " " {
		// Lines: each has its own place.
		line, more, found := strings.Cut(text, join)
		return line, more, found && len(line) <= limit && line != "" && more != "" && line == strings.TrimRight(line, " ")
	}
	for i := min(limit, len(text)-1); i > 0; i-- {
		if text[i] == ' ' && text[i-1] != ' ' && text[i+1:] != "" && text[i+1] != ' ' {
			return text[:i], text[i+1:], true
		}
	}
	return "", "", false
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}
