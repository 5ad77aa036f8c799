package cli

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

// shownIn gives the lines of a snippet: the segment, and the marks below it.
func shownIn(t *testing.T, out, ack string) (segment, marks string) {
	t.Helper()
	lines := strings.Split(out, "\n")
	for i, l := range lines {
		if strings.Contains(l, ack) && i+2 < len(lines) {
			return strings.TrimPrefix(lines[i+1], "    "), strings.TrimPrefix(lines[i+2], "    ")
		}
	}
	t.Fatalf("no issue %s in\n%s", ack, out)
	return "", ""
}

// TestCaretStandsUnderTheFault: the marks are under what is wrong and under
// nothing else, whatever stands between the bytes and the value.
func TestCaretStandsUnderTheFault(t *testing.T) {
	t.Parallel()
	edifact := func(set string, segments ...string) string {
		return "UNB+" + set + ":3+A:14+B:14+260301:1200+R1'UNH+1+ORDERS:D:96A:UN'BGM+220+PO-1+9'DTM+137:20260301:102'" +
			strings.Join(segments, "") + "LIN+1++4711:EN'UNS+S'UNT+7+1'UNZ+1+R1'"
	}
	for _, c := range []struct {
		name, input, ack string
		want             string // what the marks cover
	}{
		{"a code", badOrder(), "AK403=7", "QQ"},
		{"a control character in a text", strings.Replace(goodOrder, "Street", "Str\x01et", 1), "AK403=6", "Main Str\ufffdet Store"},
		{"one character outside the set", edifact("UNOA", "NAD+BY+1::9++ACME Gmb'"), "0085=21", "m"},
		{"a value with a released character", edifact("UNOC", "NAD+BY+1::9++?'"+strings.Repeat("N", 36)+"'"), "0085=39", "?'" + strings.Repeat("N", 36)},
		{"a value with a line end in it", strings.Replace(goodOrder, "20260301~\r\nN1", "2026\r\n030199~\r\nN1", 1), "AK403=5", "2026\ufffd\ufffd030199"},
		{"a missing element", strings.Replace(goodOrder, "BEG*00*NE", "BEG**NE", 1), "AK403=1", "*"},
		{"an unknown segment", strings.Replace(goodOrder, "N1*ST", "ZZQ*ST", 1), "AK304=1", "ZZQ"},
		{"a value longer than a line", strings.Replace(goodOrder, "Main Street Store", strings.Repeat("x", 200), 1), "AK403=5", strings.Repeat("x", 80)},
		{"a count", strings.Replace(goodOrder, "SE*6", "SE*16", 1), "AK502=4", "16"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, out, _ := ediRun(t, c.input, "validate", "-")
			segment, marks := shownIn(t, out, c.ack)
			from := strings.Index(marks, "^")
			if from < 0 || strings.Trim(marks, " ^") != "" {
				t.Fatalf("no marks:\n%s\n%s", segment, marks)
			}
			covered := []rune(segment)[from:min(len(marks), len([]rune(segment)))]
			// A character is marked alone, or with the value it stands in.
			if string(covered) != c.want && (c.want != "m" || string(covered) != "ACME Gmb") {
				t.Errorf("the marks cover %q, want %q:\n%s\n%s", string(covered), c.want, segment, marks)
			}
		})
	}
}

func TestShownAs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		raw, value string
		want       int
	}{
		{"QQ*NE~", "QQ", 2},
		{"d?'This'", "d'This", 7},
		{"??'", "?", 1},
		{"20\r\n26*", "2026", 6},
		{"mbH'", "GmbH", 0},
		{"", "x", 0},
		{"xx", "xxxx", 2}, // the segment is shown cut off
		{"a!+b!'", "a+b", 4},
		{strings.Repeat("y", 120) + "'", strings.Repeat("y", 97) + "...", 97},
	} {
		if got := shownAs(c.raw, c.value); got != c.want {
			t.Errorf("%q as %q: %d bytes, want %d", c.raw, c.value, got, c.want)
		}
	}
}

// TestHeadingsOfNamelessInterchanges: a header without a number is no missing
// header.
func TestHeadingsOfNamelessInterchanges(t *testing.T) {
	t.Parallel()
	_, out, _ := ediRun(t, "UNB+UNOC:3+A+B+260301:1200'UNZ+0+'", "validate", "-")
	if !strings.Contains(out, "interchange without control number from A to B") {
		t.Errorf("%s", out)
	}
	_, out, _ = ediRun(t, "UNH+1+ORDERS:D:96A:UN'UNT+2+1'", "validate", "-")
	if !strings.Contains(out, "interchange without header") {
		t.Errorf("%s", out)
	}
}

// TestContrlThatCannotBeWritten: a CONTRL repeats sender, receiver and reference
// of the interchange. Where the header lacks one, none is written, and others
// of the same input are.
func TestContrlThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	message := "UNH+1+ORDERS:D:96A:UN'BGM+220+PO-1+9'DTM+137:20260301:102'LIN+1++4711:EN'UNS+S'UNT+6+1'"
	good := "UNB+UNOC:3+A:14+B:14+260301:1200+R1'" + message + "UNZ+1+R1'"
	for _, c := range []struct{ name, input, lacks string }{
		{"no sender", "UNB+UNOC:3++B:14+260301:1200+R2'" + message + "UNZ+1+R2'", "no sender;"},
		{"no receiver", "UNB+UNOC:3+A:14++260301:1200+R2'" + message + "UNZ+1+R2'", "no receiver;"},
		{"no reference", "UNB+UNOC:3+A:14+B:14+260301:1200'" + message + "UNZ+1+'", "no control reference (0020);"},
		{"no UNB", message + "UNZ+1+R2'", "no sender, no receiver, no control reference (0020);"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			code, out, words := ediRun(t, c.input, "ack", "-")
			if code != ExitInvalid || out != "" || !strings.Contains(words, "tell its sender by other means") || !strings.Contains(words, c.lacks) {
				t.Errorf("alone: exit %d, %q, %q", code, out, words)
			}
			if c.name == "no UNB" {
				return // nothing can stand before it
			}
			code, out, words = ediRun(t, good+c.input, "ack", "-")
			if code != ExitInvalid || strings.Count(out, "UCI+R1+") != 1 || strings.Count(out, "UNB+") != 1 || !strings.Contains(words, c.lacks) {
				t.Errorf("behind a good one: exit %d, %q, %q", code, out, words)
			}
			if code, report, _ := ediRun(t, out, "validate", "-", "--profile", "strict"); code != ExitOK {
				t.Errorf("our CONTRL is not valid:\n%s", report)
			}
		})
	}
}

// TestNamelessX12: the same holds for X12, where a TA1 needs a control number
// and a 997 both parties.
func TestNamelessX12(t *testing.T) {
	t.Parallel()
	noSender := strings.Replace(goodOrder, "ZZ*BUYER          ", "ZZ*               ", 1)
	for _, c := range []struct {
		kind string
		code int
		out  bool
	}{{"997", ExitInvalid, false}, {"auto", ExitOK, true}, {"TA1", ExitOK, true}, {"CONTRL", ExitOK, false}} {
		code, out, words := ediRun(t, noSender, "ack", "-", "--type", c.kind)
		if code != c.code || (out != "") != c.out || out != "" && !strings.Contains(out, "TA1*000000001*260301*1200*R*006~") {
			t.Errorf("%s: exit %d, %q, %q", c.kind, code, out, words)
		}
		if code == ExitInvalid && !strings.Contains(words, "its ISA has no sender; tell its sender by other means") {
			t.Errorf("%s: %q", c.kind, words)
		}
	}
}

// TestMapOnWhatIsNoEDI: where EDI was to be turned into a form, an input that is
// none is an invalid document; the command line was right.
func TestMapOnWhatIsNoEDI(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, input string
		args        []string
		code        int
		says        string
	}{
		{"empty", "", []string{"--to", "json", "--map", "x12/850"}, ExitInvalid, "it is empty"},
		{"empty, to EDI", "", []string{"--to", "edi", "--map", "x12/850", "--bare"}, ExitInvalid, "it is empty"},
		{"line ends", "\n\n", []string{"--to", "json", "--map", "x12/850"}, ExitInvalid, "it is empty"},
		{"binary", "\x00\x01\x02\x03\xff", []string{"--to", "json", "--map", "x12/850"}, ExitInvalid, "not X12 or EDIFACT"},
		{"gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00", []string{"--to", "csv", "--map", "x12/850"}, ExitInvalid, "gzip"},
		{"cut off", "ISA*00*  ", []string{"--to", "json", "--map", "x12/850"}, ExitInvalid, "ends inside the ISA"},
		{"two maps", "hello", []string{"--to", "edi", "--map", "x12/850", "--map", "edifact/ORDERS", "--bare"}, ExitInvalid, "not X12 or EDIFACT"},
		{"a form to a form", "{}", []string{"--to", "json", "--map", "x12/850"}, ExitUsage, "write --to edi"},
		{"words before the interchange", "From: a@b.example\n\n" + goodOrder, []string{"--to", "json", "--map", "x12/850"}, ExitOK, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			code, out, words := ediRun(t, c.input, append([]string{"convert", "-"}, c.args...)...)
			if code != c.code || !strings.Contains(words, c.says) || (code == ExitOK) != (out != "") {
				t.Errorf("exit %d, %q, %q", code, out, words)
			}
		})
	}
}

// TestInputThatCannotBeRead: a failure of the input is no fault of the document.
func TestInputThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, args := range [][]string{
		{"validate", dir},
		{"inspect", dir},
		{"ack", dir},
		{"convert", dir, "--to", "json"},
		{"convert", dir, "--to", "edi"},
		{"convert", dir, "--to", "json", "--map", "x12/850"},
	} {
		if code, _, words := ediRun(t, "", args...); code != ExitFailed || !strings.Contains(words, "directory") {
			t.Errorf("%v: exit %d, %q", args, code, words)
		}
	}
	broken := errors.New("the line broke")
	env, out, words := testEnvOf(iotest.ErrReader(broken))
	if code := Run(t.Context(), env, []string{"edi", "convert", "-", "--to", "json", "--map", "x12/850"}); code != ExitFailed || !strings.Contains(words.String(), "the line broke") || out.Len() > 0 {
		t.Errorf("exit %d, %q, %q", code, out, words)
	}
}
