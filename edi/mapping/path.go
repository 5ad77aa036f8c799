package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// pathText is a path as it is written, read into its parts but not yet looked
// up in a guide or form.
//
//	N1[1=ST]/N4/2      EDI: loop, segment, element
//	../BEG/3           one context up
//	/BEG/3             from the document
//	lines.item.gtin    form: fields
type pathText struct {
	located
	root  bool
	up    int
	steps []stepText
	leaf  *leafText
}

// stepText is a loop or segment of a guide, or a field of a form.
type stepText struct {
	name  string
	level string // HL[S]
	conds []condText
	nth   int // #2: the second; 0 for any
	col   int // where it begins in the path
}

// condText is one condition in brackets.
type condText struct {
	field     string // form
	element   int    // EDI
	component int
	values    []string // nil: whether there is a value at all
	not       bool
	col       int
}

// leafText is the end of an EDI path: which element, component, or range.
type leafText struct {
	element, last                int // last is above element for a range of elements
	component, lastComponent     int // lastComponent is above component for a range of components
	pair                         []string
	conds                        []condText
	col                          int
	hasPair, hasConds, wholeList bool
}

const (
	maxPath     = 500
	maxPosition = 999
	maxNth      = 100000
)

// pathReader reads one path.
type pathReader struct {
	s   string
	i   int
	at  position
	p   *problems
	bad bool
}

func (r *pathReader) fail(col int, hint, format string, args ...any) {
	if !r.bad {
		at := r.at
		at.column += col
		r.p.at(at, hint, "path %q: "+format, append([]any{clip(r.s)}, args...)...)
	}
	r.bad = true
}

// readPath reads a path of a guide, or of a form when dots is set. It returns
// nil when it is not well formed, which is then among the problems.
func readPath(l located, dots bool, p *problems) *pathText {
	r := &pathReader{s: l.text, at: l.at, p: p}
	out := &pathText{located: l}
	switch {
	case l.text == "":
		r.fail(0, "", "the path is empty")
		return nil
	case len(l.text) > maxPath:
		r.fail(0, "", "the path is longer than %d characters", maxPath)
		return nil
	}
	for strings.HasPrefix(r.rest(), "..") {
		out.up++
		r.i += 2
		if r.i < len(r.s) && !r.eat('/') {
			r.fail(r.i, "write ../ and what follows", "a / is missing behind ..")
			return nil
		}
	}
	if out.up == 0 && r.eat('/') {
		out.root = true
	}
	separator := byte('/')
	if dots {
		separator = '.'
	}
	for r.i < len(r.s) && !r.bad {
		if !dots && r.atNumber() {
			out.leaf = r.leaf()
			break
		}
		out.steps = append(out.steps, r.step(dots))
		if r.i < len(r.s) && !r.eat(separator) {
			r.fail(r.i, "", "%q is not expected here", r.s[r.i:r.i+1])
		} else if r.i == len(r.s) && len(r.s) > 0 && r.s[r.i-1] == separator {
			r.fail(r.i-1, "", "something is missing behind the last %c", separator)
		}
	}
	if r.i < len(r.s) {
		r.fail(r.i, "", "%q is not expected here", r.s[r.i:r.i+1])
	}
	if r.bad {
		return nil
	}
	return out
}

func (r *pathReader) rest() string { return r.s[r.i:] }

func (r *pathReader) eat(c byte) bool {
	if r.i < len(r.s) && r.s[r.i] == c {
		r.i++
		return true
	}
	return false
}

// atNumber tells an element from a loop whose name begins with digits, such as
// 2010AA.
func (r *pathReader) atNumber() bool {
	i := r.i
	for i < len(r.s) && r.s[i] >= '0' && r.s[i] <= '9' {
		i++
	}
	return i > r.i && (i == len(r.s) || !isWord(r.s[i], true))
}

func isWord(c byte, first bool) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_' || !first && (c >= '0' && c <= '9' || c == '-')
}

// step reads NAME[conditions]#n.
func (r *pathReader) step(dots bool) stepText {
	st := stepText{col: r.i}
	from := r.i
	for r.i < len(r.s) && isWord(r.s[r.i], dots && r.i == from) {
		r.i++
	}
	st.name = r.s[from:r.i]
	if st.name == "" {
		r.fail(from, "", "a name is wanted at %q", clip(r.rest()))
		return st
	}
	for r.eat('[') {
		if st.name == "HL" && st.level == "" && !dots {
			if end := strings.IndexByte(r.rest(), ']'); end > 0 && !strings.ContainsAny(r.s[r.i:r.i+end], "=!.,") {
				st.level = r.s[r.i : r.i+end]
				r.i += end + 1
				continue
			}
		}
		st.conds = append(st.conds, r.conds(dots)...)
		if r.bad {
			return st
		}
	}
	if r.eat('#') {
		st.nth = r.number("which one", maxNth)
	}
	return st
}

// conds reads conditions up to the closing bracket.
func (r *pathReader) conds(dots bool) []condText {
	var out []condText
	for !r.bad {
		r.blanks()
		c := condText{col: r.i}
		absent := r.eat('!')
		if dots {
			from := r.i
			for r.i < len(r.s) && isWord(r.s[r.i], r.i == from) {
				r.i++
			}
			if c.field = r.s[from:r.i]; c.field == "" {
				r.fail(from, "write [field=value]", "a field is wanted in brackets")
			}
		} else {
			c.element = r.number("an element", maxPosition)
			if r.eat('.') {
				c.component = r.number("a component", maxPosition)
			}
		}
		r.blanks()
		switch {
		case strings.HasPrefix(r.rest(), "!="):
			r.i += 2
			c.not = true
			c.values = r.values()
		case r.eat('='):
			c.values = r.values()
		}
		if absent {
			if c.values != nil {
				r.fail(c.col, "write [1!=ST] or [!1]", "! stands in front of an element without a value")
			}
			c.not = true
		}
		out = append(out, c)
		r.blanks()
		if r.eat(']') {
			return out
		}
		if !r.eat(',') {
			r.fail(r.i, "write [1=ST] or [1=ST, 3=92]", "a ] is missing")
		}
	}
	return out
}

func (r *pathReader) blanks() {
	for r.i < len(r.s) && r.s[r.i] == ' ' {
		r.i++
	}
}

// values reads A|B|'C D'.
func (r *pathReader) values() []string {
	var out []string
	for !r.bad {
		r.blanks()
		var v string
		if r.eat('\'') {
			end := strings.IndexByte(r.rest(), '\'')
			if end < 0 {
				r.fail(r.i, "", "the closing ' is missing")
				return nil
			}
			v = r.s[r.i : r.i+end]
			r.i += end + 1
		} else {
			from := r.i
			for r.i < len(r.s) && !strings.ContainsRune("|],/'", rune(r.s[r.i])) {
				r.i++
			}
			v = strings.TrimRight(r.s[from:r.i], " ")
		}
		if v == "" {
			r.fail(r.i, "", "a value is missing behind =")
			return nil
		}
		out = append(out, v)
		r.blanks()
		if !r.eat('|') {
			return out
		}
	}
	return nil
}

func (r *pathReader) number(what string, top int) int {
	from := r.i
	for r.i < len(r.s) && r.s[r.i] >= '0' && r.s[r.i] <= '9' {
		r.i++
	}
	n, err := strconv.Atoi(r.s[from:r.i])
	if err != nil || n < 1 || n > top {
		r.fail(from, "", "%s is a number from 1 to %d", what, top)
		return 1
	}
	return n
}

// leaf reads 2, 2.1, 4.1..5, 6..24, 6..24=UP or 2..6[2=SA].1.
func (r *pathReader) leaf() *leafText {
	l := &leafText{col: r.i}
	l.element = r.number("an element", maxPosition)
	l.last = l.element
	if strings.HasPrefix(r.rest(), "..") {
		r.i += 2
		l.last = r.number("the last element", maxPosition)
		if l.last <= l.element && !r.bad {
			r.fail(l.col, "", "a range runs from a smaller to a larger number")
		}
		switch {
		case r.eat('='):
			l.hasPair = true
			l.pair = r.values()
		case r.eat('['):
			l.hasConds = true
			l.conds = r.conds(false)
		default:
			l.wholeList = true
		}
	}
	if !r.bad && !strings.HasPrefix(r.rest(), "..") && r.eat('.') {
		l.component = r.number("a component", maxPosition)
		l.lastComponent = l.component
		if strings.HasPrefix(r.rest(), "..") {
			r.i += 2
			l.lastComponent = r.number("the last component", maxPosition)
			if l.lastComponent <= l.component && !r.bad {
				r.fail(l.col, "", "a range runs from a smaller to a larger number")
			}
		}
	}
	return l
}

// fieldPath shows a path into a form: lines[2].item.gtin.
type fieldPath []string

func (f fieldPath) String() string { return strings.Join(f, ".") }

// key gives two equal steps the same text.
func (s stepText) key() string {
	return fmt.Sprintf("%s[%s]%s#%d", s.name, s.level, condsKey(s.conds), s.nth)
}

func condsKey(conds []condText) string {
	var b strings.Builder
	for _, c := range conds {
		fmt.Fprintf(&b, "%s%d.%d%t%q", c.field, c.element, c.component, c.not, slices.Clone(c.values))
	}
	return b.String()
}
