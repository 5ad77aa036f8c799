package mapping

// Kind is the kind of value a field holds. Values travel through a map as
// text in one canonical form a kind, which is also the form JSON, XML and CSV
// carry.
type Kind uint8

// The kinds of values.
const (
	Text    Kind = iota + 1 // characters
	Integer                 // whole number: -12
	Decimal                 // exact decimal number, zeros behind the point kept: 9.250
	Date                    // 2026-03-01
	Time                    // 08:30, 08:30:15 or 08:30:15.25
	Moment                  // a date, or a date with a time: 2026-03-01T08:30, with +01:00 behind it where the offset is known
	Boolean                 // true or false
	Group                   // an object with fields of its own
	List                    // any number of objects or values
)

// String gives the kind as forms write it.
func (k Kind) String() string {
	switch k {
	case Text:
		return "text"
	case Integer:
		return "integer"
	case Decimal:
		return "decimal"
	case Date:
		return "date"
	case Time:
		return "time"
	case Moment:
		return "moment"
	case Boolean:
		return "boolean"
	case Group:
		return "object"
	case List:
		return "list"
	}
	return "nothing"
}

// kindOf reads the name of a kind.
func kindOf(name string) (Kind, bool) {
	for k := Text; k <= List; k++ {
		if k.String() == name {
			return k, true
		}
	}
	return 0, false
}

func kindNames() []string {
	var names []string
	for k := Text; k <= List; k++ {
		names = append(names, k.String())
	}
	return names
}

// isScalar tells a value from an object or a list.
func (k Kind) isScalar() bool { return k >= Text && k <= Boolean }

// isNumber tells kinds that JSON writes without quotes as numbers.
func (k Kind) isNumber() bool { return k == Integer || k == Decimal }

// check brings a value as a form carries it into the canonical form of its
// kind, appended to dst. The text says what is wrong.
func (k Kind) check(dst, v []byte) ([]byte, string) {
	switch k {
	case Integer:
		return appendInteger(dst, v)
	case Decimal:
		return appendDecimal(dst, v, 0)
	case Date:
		d, rest, ok := parseISODate(v)
		if !ok || len(rest) > 0 {
			return dst, "is no date: write it as 2026-03-01"
		}
		return d.append(dst), ""
	case Time:
		t, ok := parseISOTime(v)
		if !ok || t.hasOffset {
			return dst, "is no time: write it as 08:30 or 08:30:15"
		}
		return t.append(dst), ""
	case Moment:
		m, ok := parseMoment(v)
		if !ok {
			return dst, "is no date with or without a time: write it as 2026-03-01 or 2026-03-01T08:30"
		}
		return m.append(dst), ""
	case Boolean:
		if s := string(v); s != "true" && s != "false" {
			return dst, "is neither true nor false"
		}
	}
	return append(dst, v...), ""
}
