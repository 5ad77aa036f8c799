package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr"
)

// Instant is a date, a time, or a date with a time, as expressions see it.
type Instant struct {
	m      moment
	hasDay bool
}

// ParseInstant reads 2026-03-01, 2026-03-01T08:30 or 08:30.
func ParseInstant(s string) (Instant, error) {
	if len(s) > 2 && s[2] == ':' {
		c, ok := parseISOTime([]byte(s))
		if ok {
			return Instant{m: moment{clock: c, hasTime: true}}, nil
		}
	} else if m, ok := parseMoment([]byte(s)); ok {
		return Instant{m, true}, nil
	}
	return Instant{}, fmt.Errorf("%q is no date or time: write it as 2026-03-01, 2026-03-01T08:30 or 08:30", clip(s))
}

// String returns the canonical form.
func (t Instant) String() string {
	if !t.hasDay {
		return string(t.m.clock.append(nil))
	}
	return string(t.m.append(nil))
}

func (t Instant) time() time.Time {
	return time.Date(t.m.year, time.Month(t.m.month), t.m.day.day, t.m.hour, t.m.minute-t.m.offset, t.m.second, 0, time.UTC)
}

// Cmp returns -1, 0 or 1 as t is before, at or after u. A date without a time
// counts as its midnight.
func (t Instant) Cmp(u Instant) int {
	return cmp.Or(t.time().Compare(u.time()), cmp.Compare(t.m.fraction, u.m.fraction))
}

// addDays returns the date a number of days later.
func (t Instant) addDays(n int) (Instant, error) {
	if !t.hasDay {
		return t, errors.New("days cannot be added to a time without a date")
	}
	d := time.Date(t.m.year, time.Month(t.m.month), t.m.day.day+n, 0, 0, 0, 0, time.UTC)
	if n > 1<<20 || n < -1<<20 || d.Year() < 1 || d.Year() > 9999 {
		return t, fmt.Errorf("%d days from %s is out of range", n, t)
	}
	t.m.year, t.m.month, t.m.day.day = d.Year(), int(d.Month()), d.Day()
	return t, nil
}

// internal begins the names of functions that operators stand for: no map can
// write it, so no name of a map is the same.
const internal = "\u00b7"

// functionNames are what expressions may call.
func functionNames() []string {
	return append([]string{"has", "number", "text", "date", "total", "round", "divide", "days", "format", "replace", "join", "min", "max", "abs"}, builtinNames()...)
}

// builtinNames are the functions of the expression language that are let in:
// those that are exact and cannot grow what they are given.
func builtinNames() []string {
	return []string{"all", "none", "any", "one", "filter", "map", "find", "count", "len", "trim", "trimPrefix", "trimSuffix", "upper", "lower", "split", "indexOf", "hasPrefix", "hasSuffix", "first", "last", "take", "reverse"}
}

// functions sets up the language: its operators on numbers and dates, and its
// functions. A missing value (nil) makes the result of most of them missing,
// too.
func functions() []expr.Option {
	options := []expr.Option{expr.DisableAllBuiltins()}
	for _, name := range builtinNames() {
		options = append(options, expr.EnableBuiltin(name))
	}
	options = append(options, arithmetic()...)
	options = append(options, comparisons()...)
	return append(options, helpers()...)
}

// missing tells whether one of the values is not there.
func missing(values []any) bool { return slices.Contains(values, nil) }

// asNumber takes a number or whole number.
func asNumber(v any) (Number, bool) {
	switch v := v.(type) {
	case Number:
		return v, true
	case int:
		return Number{coefficient: newInt(v)}, true
	}
	return Number{}, false
}

// onNumbers makes an operator of two numbers.
func onNumbers(f func(a, b Number) (any, error)) func(...any) (any, error) {
	return func(v ...any) (any, error) {
		if len(v) != 2 || missing(v) {
			return nil, nil
		}
		a, ok1 := asNumber(v[0])
		b, ok2 := asNumber(v[1])
		if !ok1 || !ok2 {
			return nil, errors.New("two numbers are wanted")
		}
		out, err := f(a, b)
		if n, ok := out.(Number); ok && n.digits() > maxExprDigits {
			return nil, fmt.Errorf("a number has more than %d digits", maxExprDigits)
		}
		return out, err
	}
}

func arithmetic() []expr.Option {
	mixed := []any{new(func(Number, Number) Number), new(func(Number, int) Number), new(func(int, Number) Number)}
	exact := append(slices.Clone(mixed), new(func(int, int) Number))
	return []expr.Option{
		expr.Function(internal+"plus", onNumbers(func(a, b Number) (any, error) { return a.Add(b), nil }), mixed...),
		expr.Function(internal+"minus", onNumbers(func(a, b Number) (any, error) { return a.Sub(b), nil }), mixed...),
		expr.Function(internal+"times", onNumbers(func(a, b Number) (any, error) { return a.Mul(b), nil }), exact...),
		expr.Function(internal+"quotient", onNumbers(func(a, b Number) (any, error) {
			q, ok := a.Quo(b)
			if !ok && b.Cmp(Number{}) == 0 {
				return nil, errors.New("division by zero")
			}
			if !ok {
				return nil, fmt.Errorf("%s / %s does not end; write divide(a, b, places)", a, b)
			}
			return q, nil
		}), exact...),
		expr.Function(internal+"concat2", func(v ...any) (any, error) {
			a, _ := v[0].(string)
			b, _ := v[1].(string)
			return short(a + b)
		}, new(func(string, string) string)),
		expr.Function(internal+"later", func(v ...any) (any, error) {
			if missing(v) {
				return nil, nil
			}
			t, _ := v[0].(Instant)
			n, ok := asInt(v[1])
			if !ok {
				return nil, errors.New("days are a whole number")
			}
			return t.addDays(n)
		}, new(func(Instant, int) Instant), new(func(Instant, Number) Instant)),
		expr.Function(internal+"negative", func(v ...any) (any, error) {
			if missing(v) {
				return nil, nil
			}
			n, _ := v[0].(Number)
			return Number{}.Sub(n), nil
		}, new(func(Number) Number)),
		expr.Operator("+", internal+"plus", internal+"concat2", internal+"later"), expr.Operator("-", internal+"minus"), expr.Operator("*", internal+"times"), expr.Operator("/", internal+"quotient"),
	}
}

// short refuses a text that grew too long.
func short(s string) (any, error) {
	if len(s) > maxExprText {
		return nil, fmt.Errorf("a text has more than %d bytes", maxExprText)
	}
	return s, nil
}

// asInt takes a whole number.
func asInt(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case Number:
		w := v.Round(0)
		if v.Cmp(w) == 0 && w.int().IsInt64() {
			return int(w.int().Int64()), true
		}
	}
	return 0, false
}

func comparisons() []expr.Option {
	var options []expr.Option
	for name, op := range map[string]struct {
		sign  string
		holds func(int) bool
	}{
		"less":    {"<", func(c int) bool { return c < 0 }},
		"atMost":  {"<=", func(c int) bool { return c <= 0 }},
		"more":    {">", func(c int) bool { return c > 0 }},
		"atLeast": {">=", func(c int) bool { return c >= 0 }},
		"same":    {"==", func(c int) bool { return c == 0 }},
		"other":   {"!=", func(c int) bool { return c != 0 }},
	} {
		compare := func(v ...any) (any, error) {
			if missing(v) {
				// A missing value is equal to a missing one only.
				return op.sign == "!=" && v[0] != v[1] || op.sign == "==" && v[0] == nil && v[1] == nil, nil
			}
			if t, ok := v[0].(Instant); ok {
				u, _ := v[1].(Instant)
				return op.holds(t.Cmp(u)), nil
			}
			a, ok1 := asNumber(v[0])
			b, ok2 := asNumber(v[1])
			return ok1 && ok2 && op.holds(a.Cmp(b)), nil
		}
		options = append(options,
			expr.Function(internal+name, compare, new(func(Number, Number) bool), new(func(Number, int) bool), new(func(int, Number) bool), new(func(Instant, Instant) bool)),
			expr.Operator(op.sign, internal+name))
	}
	return options
}

func helpers() []expr.Option {
	return []expr.Option{
		expr.Function(internal+"counted", func(v ...any) (any, error) {
			if b, ok := v[1].(*budget); ok {
				return v[0], b.step()
			}
			return nil, errors.New("no budget")
		}, new(func(bool, *budget) bool), new(func(string, *budget) string), new(func(Number, *budget) Number), new(func(Instant, *budget) Instant), new(func(int, *budget) int), new(func(any, *budget) any)),
		expr.Function("has", func(v ...any) (any, error) {
			if list, ok := v[0].([]any); ok {
				return len(list) > 0, nil
			}
			return v[0] != nil && v[0] != "", nil
		}, new(func(any) bool)),
		expr.Function("number", func(v ...any) (any, error) {
			switch s := v[0].(type) {
			case string:
				if s == "" {
					return nil, nil
				}
				return ParseNumber(s)
			case int:
				return Number{coefficient: newInt(s)}, nil
			}
			return v[0], nil
		}, new(func(string) Number), new(func(int) Number), new(func(Number) Number)),
		expr.Function("text", func(v ...any) (any, error) {
			if v[0] == nil {
				return "", nil
			}
			out, _ := canonical(nil, v[0])
			return string(out), nil
		}, new(func(any) string)),
		expr.Function("date", func(v ...any) (any, error) {
			s, _ := v[0].(string)
			if s == "" {
				return nil, nil
			}
			return ParseInstant(s)
		}, new(func(string) Instant)),
		expr.Function("days", func(v ...any) (any, error) {
			if missing(v) {
				return nil, nil
			}
			a, _ := v[0].(Instant)
			b, _ := v[1].(Instant)
			if !a.hasDay || !b.hasDay {
				return nil, errors.New("days lie between two dates, not times")
			}
			a.m.hasTime, a.m.clock, b.m.hasTime, b.m.clock = false, clock{}, false, clock{}
			return Number{coefficient: newInt(int(b.time().Sub(a.time()).Hours()) / 24)}, nil
		}, new(func(Instant, Instant) Number)),
		expr.Function("format", func(v ...any) (any, error) {
			if missing(v) {
				return nil, nil
			}
			t, _ := v[0].(Instant)
			name, _ := v[1].(string)
			f, ok := formNamed(name)
			if !ok {
				return nil, fmt.Errorf("%q is no form of a date; %s", clip(name), choose(name, formNames()))
			}
			if f.hasDay() && !t.hasDay || f.hasTime() && !t.m.hasTime {
				return nil, fmt.Errorf("%s does not fill the form %s", t, name)
			}
			return string(f.append(nil, t.m)), nil
		}, new(func(Instant, string) string)),
		expr.Function("total", func(v ...any) (any, error) {
			var sum Number
			list, _ := v[0].([]any)
			for _, item := range list {
				if n, ok := asNumber(item); ok {
					sum = sum.Add(n)
				}
			}
			return sum, nil
		}, new(func([]any) Number)),
		expr.Function("round", func(v ...any) (any, error) {
			n, ok1 := asNumber(v[0])
			places, ok2 := asInt(v[1])
			if !ok1 || !ok2 {
				return nil, nil
			}
			if places < 0 || places > 30 {
				return nil, errors.New("round to 0 to 30 places")
			}
			return n.Round(places), nil
		}, new(func(Number, int) Number), new(func(int, int) Number)),
		expr.Function("divide", func(v ...any) (any, error) {
			a, ok1 := asNumber(v[0])
			b, ok2 := asNumber(v[1])
			places, ok3 := asInt(v[2])
			if !ok1 || !ok2 || !ok3 {
				return nil, nil
			}
			q, ok := a.Divide(b, min(max(places, 0), 30))
			if !ok {
				return nil, errors.New("division by zero")
			}
			return q, nil
		}, new(func(Number, Number, int) Number), new(func(Number, int, int) Number), new(func(int, Number, int) Number), new(func(int, int, int) Number)),
		expr.Function("abs", func(v ...any) (any, error) {
			n, ok := asNumber(v[0])
			if !ok {
				return nil, nil
			}
			if n.Cmp(Number{}) < 0 {
				n = Number{}.Sub(n)
			}
			return n, nil
		}, new(func(Number) Number), new(func(int) Number)),
		extreme("min", -1), extreme("max", 1),
		expr.Function("replace", func(v ...any) (any, error) {
			s, _ := v[0].(string)
			old, _ := v[1].(string)
			young, _ := v[2].(string)
			if strings.Count(s, old)*len(young) > maxExprText {
				return short(strings.Repeat(" ", maxExprText+1))
			}
			return short(strings.ReplaceAll(s, old, young))
		}, new(func(string, string, string) string)),
		expr.Function("join", func(v ...any) (any, error) {
			list, _ := v[0].([]any)
			between, _ := v[1].(string)
			var out []byte
			first := true
			for _, item := range list {
				text, _ := canonical(nil, item)
				if len(text) == 0 {
					continue
				}
				if !first {
					out = append(out, between...)
				}
				first = false
				if out = append(out, text...); len(out) > maxExprText {
					break
				}
			}
			if !utf8.Valid(out) {
				return nil, errors.New("join: not UTF-8 text")
			}
			return short(string(out))
		}, new(func([]any, string) string)),
	}
}

// extreme makes min and max: of two values, or of a list.
func extreme(name string, sign int) expr.Option {
	return expr.Function(name, func(v ...any) (any, error) {
		values := v
		if list, ok := v[0].([]any); ok {
			values = list
		}
		var best any
		for _, item := range values {
			switch x := item.(type) {
			case Instant:
				if b, ok := best.(Instant); best == nil || ok && x.Cmp(b)*sign > 0 {
					best = x
				}
			default:
				n, ok := asNumber(item)
				if !ok {
					continue
				}
				if b, ok := best.(Number); best == nil || ok && n.Cmp(b)*sign > 0 {
					best = n
				}
			}
		}
		return best, nil
	}, new(func(Number, Number) Number), new(func(Number, int) Number), new(func(int, Number) Number), new(func(Instant, Instant) Instant), new(func([]any) Number))
}
