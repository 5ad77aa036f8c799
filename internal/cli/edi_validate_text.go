package cli

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"tradepost/edi/validate"
)

// ediText prints a report for a person: what was found in every document, each
// issue under the segment it is about, with a mark at the place.
type ediText struct {
	w     io.Writer
	out   *bufio.Writer
	err   error
	limit int // issues to print

	printed      int
	interchanges int
	groups       int
	documents    int
	refused      int
}

func (p *ediText) hooks(o *validate.Options) {
	p.out = bufio.NewWriterSize(p.w, 64<<10)
	o.KeepRaw = true
	o.OnDocument = func(ic *validate.Interchange, g *validate.Group, d *validate.Document) error {
		p.documents++
		if !d.Accepted {
			p.refused++
		}
		if len(d.Issues) > 0 || !d.Accepted {
			guide := d.Guide
			if guide == "" {
				guide = "no guide"
			}
			p.heading(d.Accepted, "document %s%s of interchange %s (%s)", known(d.Type, d.Control), inGroup(g), named(ic), guide)
			p.list(d.Issues)
		}
		return p.err
	}
	o.OnGroup = func(ic *validate.Interchange, g *validate.Group) error {
		p.groups++
		if len(g.Issues) > 0 {
			p.heading(g.Accepted, "group %s of interchange %s", known(g.Type, g.Control), named(ic))
			p.list(g.Issues)
		}
		return p.err
	}
	o.OnInterchange = func(ic *validate.Interchange) error {
		p.interchanges++
		if len(ic.Issues) > 0 {
			p.heading(ic.Accepted, "interchange %s from %s to %s", named(ic), cmp.Or(ic.Sender, "(not told)"), cmp.Or(ic.Receiver, "(not told)"))
			p.list(ic.Issues)
		}
		return p.err
	}
}

// named is the control number of an interchange, or why there is none.
func named(ic *validate.Interchange) string {
	switch {
	case ic.Control != "":
		return ic.Control
	case ic.Version == "" && ic.Sender == "" && ic.Receiver == "":
		return "without header"
	}
	return "without control number"
}

// inGroup names the group of a document; EDIFACT mostly has none.
func inGroup(g *validate.Group) string {
	if g.Type == "" && g.Control == "" {
		return ""
	}
	return " in group " + known(g.Type, g.Control)
}

// known names a document or group by its type and control number.
func known(kind, control string) string {
	return cmp.Or(kind, "(no type)") + " " + cmp.Or(control, "(no control number)")
}

func (p *ediText) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", args...)
	}
}

func (p *ediText) heading(accepted bool, format string, args ...any) {
	if p.printed >= p.limit {
		return
	}
	verdict := "accepted"
	if !accepted {
		verdict = "REFUSED"
	}
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = plain(s)
		}
	}
	p.line("%s: "+format, append([]any{verdict}, args...)...)
}

func (p *ediText) list(issues []*validate.Issue) {
	for _, is := range issues {
		if p.printed >= p.limit {
			return
		}
		p.printed++
		p.issue(is)
	}
}

func (p *ediText) issue(is *validate.Issue) {
	at := fmt.Sprintf("line %d, byte %d", is.Line, is.Offset)
	if is.Ordinal > 0 {
		at += fmt.Sprintf(", segment %d", is.Ordinal)
	}
	if is.Ack != "" {
		at += "  " + is.Ack
	}
	if is.Rule != "" {
		at += "  rule " + is.Rule
	}
	p.line("  %s  %s", is.Severity, at)
	if is.Raw != "" {
		p.snippet(is)
	}
	p.line("    %s\n", plain(is.Text))
}

// Columns of the snippet: how much is shown before and behind the mark.
const (
	snippetBefore = 60
	snippetBehind = 80
)

// snippet prints the raw segment with carets under the value in question.
func (p *ediText) snippet(is *validate.Issue) {
	raw := strings.TrimRight(is.Raw, "\r\n")
	at := int(is.Offset - is.RawOffset)
	if at < 0 || at > len(raw) {
		at = 0
	}
	width := shownAs(raw[at:], is.Value)
	if width == 0 && is.Element == 0 && is.Segment != "" && strings.HasPrefix(raw[at:], is.Segment) {
		width = len(is.Segment)
	}
	if width == 0 && at < len(raw) {
		_, width = utf8.DecodeRuneInString(raw[at:]) // the place alone
	}
	width = max(1, min(width, len(raw)-at, snippetBehind))
	from, to := max(0, at-snippetBefore), min(len(raw), at+snippetBehind)
	head, tail := "", ""
	if from > 0 {
		head = "..."
	}
	if to < len(raw) {
		tail = "..."
	}
	p.line("    %s%s%s", head, oneByOne(raw[from:to]), tail)
	column := utf8.RuneCountInString(head) + utf8.RuneCountInString(oneByOne(raw[from:at]))
	marks := max(1, utf8.RuneCountInString(oneByOne(raw[at:min(at+width, to)])))
	p.line("    %s%s", strings.Repeat(" ", column), strings.Repeat("^", marks))
}

// shownAs tells how many bytes of raw, from its beginning, are a value. Line ends
// inside a segment and release characters are no part of values. It is 0 when raw
// begins with something else: some faults are about one character of a value.
func shownAs(raw, value string) int {
	whole := strings.TrimSuffix(value, "...") // of long values the beginning is told
	n := 0
	for i := 0; i < len(whole); i++ {
		for n < len(raw) && raw[n] != whole[i] && (raw[n] == '\r' || raw[n] == '\n' || releasing(raw[n:], whole[i])) {
			n++
		}
		if n == len(raw) {
			return n // shown as far as the segment is
		}
		if raw[n] != whole[i] {
			return 0
		}
		n++
	}
	return n
}

// releasing tells whether raw begins with a sign that may be a release character,
// and the character it releases.
func releasing(raw string, c byte) bool {
	return len(raw) > 1 && raw[1] == c && strings.IndexByte("?\\!#@^", raw[0]) >= 0
}

// oneByOne makes foreign text fit for a terminal, a column for a character.
func oneByOne(s string) string { return plain(strings.ToValidUTF8(s, "\u00b7")) }

func (p *ediText) finish(r *validate.Report) error {
	if len(r.Issues) > 0 {
		p.line("in the input:")
		p.list(r.Issues)
	}
	if more := r.Errors + r.Warnings - p.printed; more > 0 {
		p.line("... and %d more; --max-issues shows more of them\n", more)
	}
	verdict := "accepted"
	if !r.Accepted {
		verdict = "REFUSED"
	}
	p.line("%s: %s, %s, %s (%d refused), %s, %s", verdict, count(p.interchanges, "interchange"), count(p.groups, "group"),
		count(p.documents, "document"), p.refused, count(r.Errors, "error"), count(r.Warnings, "warning"))
	if p.err != nil {
		return p.err
	}
	return p.out.Flush()
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
