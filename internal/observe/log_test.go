package observe

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// TestLogLinesStayLines: what partners write neither ends a line of the log nor
// reaches the terminal as an order to it, and nothing of it is left out.
func TestLogLinesStayLines(t *testing.T) {
	t.Parallel()
	for _, hostile := range []string{
		"<a\r\n2026-11-21 INF all is well>", "\x1b[31mred\x1b[0m end", "\x1b]0;title\a end", "\u009b31m end", "a\x00b end", "a\u2028b end", "\u202etxt.exe end", "<\xff\ufffd@x> end",
	} {
		for _, color := range []bool{false, true} {
			var b bytes.Buffer
			log, err := NewLogger(&b, Text, "info", color)
			if err != nil {
				t.Fatal(err)
			}
			log.Info("told "+hostile, "messageId", hostile, "error", errors.New(hostile))                 //nolint:sloglint // it is what is tested
			line := strings.NewReplacer("\x1b[2m", "", "\x1b[0m", "", "\x1b[92m", "").Replace(b.String()) // the log's own colours
			if strings.Count(line, "\n") != 1 || strings.ContainsAny(line, "\x1b\x00\a\r\u009b\u2028\u202e") || strings.Count(line, hostile[len(hostile)-3:]) != 3 {
				t.Errorf("%q, in colour %v: %q", hostile, color, line)
			}
		}
	}
	var b bytes.Buffer
	log, err := NewLogger(&b, Text, "info", false)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("Grüße", "partner", "Łódź", "count", 3)
	if !strings.HasSuffix(b.String(), " INF Grüße partner=Łódź count=3\n") {
		t.Errorf("%q", b.String())
	}
}
