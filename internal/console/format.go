package console

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// funcs are the words of the templates.
func (c *Console) funcs() (template.FuncMap, error) {
	return template.FuncMap{
		"asset":       c.assets.url,
		"icon":        c.assets.icon,
		"when":        c.when,
		"clock":       c.clock,
		"day":         func(t time.Time) string { return t.In(c.cfg.Location).Format("2 January 2006") },
		"number":      anyNumber,
		"size":        size,
		"cut":         cut,
		"fingerprint": fingerprint,
		"sentence":    sentence,
		"plural":      plural,
		"dict":        dict,
	}, nil
}

// when writes a moment the way a list needs it: the time of day today, the day
// as well in this year, the date before. The whole moment is in its title.
func (c *Console) when(t time.Time) template.HTML {
	if t.IsZero() {
		return `<span class="none">–</span>`
	}
	t, now := t.In(c.cfg.Location), c.cfg.Now().In(c.cfg.Location)
	layout := "2006-01-02"
	switch {
	case sameDay(t, now):
		layout = "15:04:05"
	case t.Year() == now.Year():
		layout = "2 Jan 15:04"
	}
	return c.timeElement(t, layout)
}

// clock writes a moment to the millisecond, with its day where that is not today.
func (c *Console) clock(t time.Time) template.HTML {
	if t.IsZero() {
		return `<span class="none">–</span>`
	}
	t = t.In(c.cfg.Location)
	layout := "15:04:05.000"
	if !sameDay(t, c.cfg.Now().In(c.cfg.Location)) {
		layout = "2 Jan 15:04:05"
	}
	return c.timeElement(t, layout)
}

func (c *Console) timeElement(t time.Time, layout string) template.HTML {
	// Nothing but digits, names of days and months, and the zone goes in.
	return template.HTML(`<time datetime="` + t.Format(time.RFC3339Nano) + `" title="` + //nolint:gosec // see above
		template.HTMLEscapeString(t.Format("Monday, 2 January 2006, 15:04:05.000 MST")) + `">` + t.Format(layout) + `</time>`)
}

func sameDay(a, b time.Time) bool {
	ay, am, ad := a.Date()
	by, bm, bd := b.Date()
	return ay == by && am == bm && ad == bd
}

// number groups digits by thousands.
func number[T int | int64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// anyNumber is number for templates.
func anyNumber(n any) (string, error) {
	switch n := n.(type) {
	case int:
		return number(n), nil
	case int64:
		return number(n), nil
	}
	return "", fmt.Errorf("%v is no whole number", n)
}

// size writes a number of bytes.
func size(n int64) string {
	switch {
	case n == 1:
		return "1 byte"
	case n < 10_000:
		return number(n) + " bytes"
	case n < 10_000_000:
		return number(n/1000) + " kB"
	case n < 10_000_000_000:
		return number(n/1_000_000) + " MB"
	}
	return number(n/1_000_000_000) + " GB"
}

// duration writes how long something took, with as much detail as helps.
func duration(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + duration(-d)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return pair(int(d/time.Minute), "min", int(d%time.Minute/time.Second), "s")
	case d < 48*time.Hour:
		return pair(int(d/time.Hour), "h", int(d%time.Hour/time.Minute), "min")
	}
	return plural(int(d/(24*time.Hour)), "day", "days")
}

func pair(a int, unitA string, b int, unitB string) string {
	s := strconv.Itoa(a) + " " + unitA
	if b > 0 {
		s += " " + strconv.Itoa(b) + " " + unitB
	}
	return s
}

// plural writes a count with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// cut shortens a text that a partner may have made as long as it likes.
func cut(limit int, s string) string {
	if len(s) <= limit {
		return s
	}
	if n := utf8.RuneCountInString(s); n > limit {
		at := 0
		for i := range s {
			if at++; at == limit {
				return s[:i] + "… (" + number(n) + " letters)"
			}
		}
	}
	return s
}

// fingerprint writes a digest in hex, with or without colons, in pairs, the form
// people read to each other; a line may break behind every eighth pair.
func fingerprint(h string) template.HTML {
	h = strings.ToUpper(strings.ReplaceAll(h, ":", ""))
	if strings.Trim(h, "0123456789ABCDEF") != "" {
		return template.HTML(template.HTMLEscapeString(cut(100, h))) //nolint:gosec // escaped
	}
	var b strings.Builder
	for i := 0; i+1 < len(h); i += 2 {
		if i > 0 {
			b.WriteByte(':')
			if i%16 == 0 {
				b.WriteString("<wbr>")
			}
		}
		b.WriteString(h[i : i+2])
	}
	return template.HTML(b.String()) //nolint:gosec // hex digits and colons
}

// sentence begins a text with a capital letter.
func sentence(s string) string {
	if s != "" && 'a' <= s[0] && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

// dict makes a map out of names and values, to hand several to a template.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict needs pairs, got %d values", len(pairs))
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict needs names, got %v", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}
