package validate_test

import (
	"fmt"
	"strings"
	"testing"

	"tradepost/edi/validate"
)

// TestPlaceOfAValue: an issue is at the element, component, repetition, byte and
// line of the value in question, in a wrapped segment, too.
func TestPlaceOfAValue(t *testing.T) {
	t.Parallel()
	orders := func(segment string) string {
		return "UNB+UNOC:4+A:14+B:14+20260301:1200+R1'\nUNH+1+ORDERS:D:96A:UN'\nBGM+220+PO-1+9'\nDTM+137:20260301:102'\n" + segment + "'\nUNS+S'\nUNT+6+1'\nUNZ+1+R1'\n"
	}
	for _, c := range []struct{ name, input, at, want string }{
		{"the component of a control character", orders("NAD+BY+1::9++Name:St\x02reet"), "\x02", "0085=21 4.4.2 line 5"},
		{"each value with a control character", orders("NAD+BY+1::9++Na\x02me\x03:St\x02reet"), "\x02", "0085=21 4.4.1 line 5, 0085=21 4.4.2 line 5"},
		{"the line of a value behind a line end", orders("NAD+BY+1::9++Name\n of two lines+Street+" + strings.Repeat("x", 36)), "+xxxx", "0085=39 4.6 line 6"},
		{"the line of a value in the second of CR lines", orders("NAD+BY+1::9++Name\r+Street+" + strings.Repeat("x", 36)), "+xxxx", "0085=39 4.6 line 6"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, is := range check(t, c.input, validate.Options{}).All() {
				if is.Severity != validate.Error {
					continue
				}
				where := fmt.Sprintf("%s %d.%d", is.Ack, is.Ordinal, is.Element)
				if is.Component > 0 {
					where += fmt.Sprintf(".%d", is.Component)
				}
				got = append(got, fmt.Sprintf("%s line %d", where, is.Line))
				if len(got) == 1 && is.Offset != int64(strings.Index(c.input, c.at)+strings.Count(c.at, "+")) {
					t.Errorf("offset %d: %.20q", is.Offset, c.input[is.Offset:])
				}
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
