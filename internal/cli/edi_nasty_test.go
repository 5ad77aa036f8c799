package cli

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"
)

// gzipped, wide and garbage are what people send by mistake.
func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func wide(text string, mark bool) string {
	var b []byte
	if mark {
		b = append(b, 0xFF, 0xFE)
	}
	for _, r := range utf16.Encode([]rune(text)) {
		b = append(b, byte(r), byte(r>>8)) //nolint:gosec // the two bytes of a code unit
	}
	return string(b)
}

func garbage(n int) string {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // not a secret
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32()) //nolint:gosec // the low byte
	}
	return string(b)
}

// TestEDINastyInputs: whatever is handed in, every command ends with an exit code
// that was promised, in words that say what is wrong and where, and what can be
// converted comes back byte for byte.
func TestEDINastyInputs(t *testing.T) {
	t.Parallel()
	at := func(s string) int { return strings.Index(goodOrder, s) }
	edifact := "UNB+UNOC:3+A:14+B:14+260301:1200+7'UNH+1+ORDERS:D:96A:UN'BGM+220+PO1+9'DTM+137:20260301:102'UNS+S'UNT+5+1'UNZ+1+7'"
	for _, c := range []struct {
		name, input string
		code        int
		text        string // in what validate says to a person
	}{
		{"nothing", "", ExitInvalid, "The input is empty"},
		{"white space", " \r\n\r\n", ExitInvalid, "The input is empty"},
		{"one byte", "I", ExitInvalid, `begins with "I"`},
		{"one NUL byte", "\x00", ExitInvalid, "The input is empty"},
		{"ISA cut off", goodOrder[:50], ExitInvalid, "50 bytes into it"},
		{"ISA alone", goodOrder[:108], ExitInvalid, "The trailer IEA of interchange 000000001 is missing: the input ends before it"},
		{"cut off in a segment", goodOrder[:at("PO1")+7], ExitInvalid, "The trailer SE of document 0001 is missing: the input ends before it"},
		{"byte order mark", "\xef\xbb\xbf" + goodOrder, ExitOK, "byte order mark"},
		{"UTF-16", wide(goodOrder, true), ExitInvalid, "UTF-16 text"},
		{"UTF-16 without a mark", wide(goodOrder, false), ExitInvalid, "UTF-16 text without a byte order mark"},
		{"EBCDIC", "\xc9\xe2\xc1\x5c\xf0\xf0\x5c\x40\x40", ExitInvalid, "EBCDIC"},
		{"gzip", gzipped(t, goodOrder), ExitInvalid, "gzip data. Unpack it first"},
		{"garbage", "\xa7" + garbage(50000), ExitInvalid, "not X12 or EDIFACT"},
		{"a mail", "Dear partner,\nplease find our order attached.\n", ExitInvalid, `begins with "Dear partner,`},
		{"small letters", strings.ToLower(goodOrder), ExitInvalid, "small letters"},
		{"a tag in small letters", strings.Replace(goodOrder, "N1*ST", "n1*ST", 1), ExitInvalid, "have it sent as N1"},
		{"NUL inside a value", strings.Replace(goodOrder, "BEG*00", "BEG*0\x00", 1), ExitInvalid, "control character"},
		{"group first", goodOrder[at("GS*"):], ExitInvalid, "starts with a group"},
		{"document first", goodOrder[at("ST*850"):], ExitInvalid, "starts with a document"},
		{"UNH first", edifact[strings.Index(edifact, "UNH"):], ExitInvalid, "interchange without header from (not told)"},
		{"UNB of other characters without UNA", strings.NewReplacer("+", "|", ":", "^").Replace(edifact), ExitInvalid, "no UNA that declares it"},
		{"three interchanges of three sets of delimiters", goodOrder + strings.NewReplacer("*", "|", "~", "!", "000000001", "000000002").Replace(goodOrder) + "UNA:+,? '" + edifact, ExitOK, "3 interchanges"},
		{"ISA in an ISA", goodOrder[:at("GE*")] + goodOrder, ExitInvalid, "the next ISA comes before it"},
		{"text between", goodOrder + "-- \r\nregards\r\n" + strings.ReplaceAll(goodOrder, "000000001", "000000002"), ExitOK, `belong to no interchange were passed over: "-- ··regards"`},
		{"a version nobody has", strings.Replace(goodOrder, "004010", "009990", 1), ExitOK, "no dictionary for 850 in version 009990"},
		{"a group in EDIFACT whose counts are wrong", strings.NewReplacer("UNH", "UNG+ORDERS+A+B+260301:1200+G+UN+D:96A'UNH", "UNZ", "UNE+3+G'UNZ").Replace(edifact), ExitInvalid, "UNE01 says 3 messages, there is 1. Either 2 messages did not arrive"},
		{"a segment of 3 MB", strings.Replace(goodOrder, "N1*ST*", "N1*ST*"+strings.Repeat("x", 3<<20), 1), ExitInvalid, "N1: no segment terminator within 1048576 bytes"},
		{"2000 elements", strings.Replace(goodOrder, "N1*ST*", "N1*ST*"+strings.Repeat("x*", 2000), 1), ExitInvalid, "N1: more than 1000 elements"},
		{"10000 empty segments", strings.Replace(goodOrder, "CTT*1~", "CTT*1~"+strings.Repeat("~", 10000), 1), ExitOK, "rule empty-segment"},
		{"HL that is its own parent", strings.NewReplacer("GS*PO", "GS*SH", "850*", "856*", "BEG*00*NE*4500012345**20260301", "BSN*00*SH-1*20260301*1200", "N1*ST*Main Street Store*92*0042", "HL*1*1*S", "PO1*1*10*EA*9.95**UP*012345678905", "HL*1**ZZ").Replace(goodOrder), ExitInvalid, "has not come yet"},
		{"an MSG and nothing else", goodOrder[:at("BEG")] + "MSG*hello~\r\nSE*3*0001~\r\nGE*1*1~\r\nIEA*1*000000001~\r\n", ExitInvalid, "BEG (Start of a purchase order) is missing"},
		{"no ISA but IEA", "IEA*1*000000001~\r\n", ExitInvalid, "not X12 or EDIFACT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			code, out, words := ediRun(t, c.input, "validate", "-")
			if code != c.code || words != "" {
				t.Errorf("validate: exit %d, want %d; %q", code, c.code, words)
			}
			if !strings.Contains(out, c.text) {
				t.Errorf("validate does not say %q:\n%s", c.text, out)
			}
			code, out, _ = ediRun(t, c.input, "validate", "-", "-o", "json")
			var report struct {
				Accepted bool
				Issues   []struct {
					Text, Severity string
					Line           int
				}
			}
			if err := json.Unmarshal([]byte(out), &report); err != nil || code != c.code || report.Accepted != (code == ExitOK) {
				t.Errorf("validate -o json: exit %d, accepted %v, %v", code, report.Accepted, err)
			}
			for _, is := range report.Issues {
				if is.Text == "" || is.Line < 1 {
					t.Errorf("an issue without text or place: %+v", is)
				}
			}
			if code, out, words = ediRun(t, c.input, "ack", "-"); code != ExitOK && code != ExitInvalid || code == ExitInvalid && words == "" {
				t.Errorf("ack: exit %d, %q", code, words)
			} else if out != "" {
				if code, report, _ := ediRun(t, out, "validate", "-", "--profile", "strict"); code != ExitOK && !strings.Contains(report, "is missing") {
					t.Errorf("the acknowledgement is not valid:\n%s\n%s", out, report)
				}
			}
			if code, _, words = ediRun(t, c.input, "inspect", "-"); code != ExitOK && code != ExitInvalid || code == ExitInvalid && words == "" {
				t.Errorf("inspect: exit %d, %q", code, words)
			}
			code, out, words = ediRun(t, c.input, "convert", "-", "--to", "json")
			if code != ExitOK && code != ExitInvalid || code == ExitInvalid && words == "" {
				t.Errorf("convert: exit %d, %q", code, words)
			}
			if code == ExitOK {
				if code, back, words := ediRun(t, out, "convert", "-", "--to", "edi"); code != ExitOK || back != c.input {
					t.Errorf("back to EDI: exit %d, %q, %d bytes of %d", code, words, len(back), len(c.input))
				}
			}
		})
	}
}

// TestEDIExcept: rules of which the other profile holds.
func TestEDIExcept(t *testing.T) {
	t.Parallel()
	padded := strings.Replace(goodOrder, "SE*6*0001", "SE*6*1", 1)
	for _, c := range []struct {
		args []string
		code int
	}{
		{nil, ExitOK},
		{[]string{"--profile", "strict"}, ExitInvalid},
		{[]string{"--profile", "strict", "--except", "leading-zeros,padding"}, ExitOK},
		{[]string{"--except", "leading-zeros"}, ExitInvalid},
		{[]string{"--except", "leading-zero"}, ExitUsage},
	} {
		if code, out, words := ediRun(t, padded, append([]string{"validate", "-"}, c.args...)...); code != c.code {
			t.Errorf("%v: exit %d, want %d\n%s%s", c.args, code, c.code, out, words)
		}
	}
}

// TestEDIMaxSegment: a segment that is longer than usual is read when asked for.
func TestEDIMaxSegment(t *testing.T) {
	t.Parallel()
	long := strings.Replace(goodOrder, "CTT*1~", "CTT*1*"+strings.Repeat("1", 2<<20)+"~", 1)
	code, out, _ := ediRun(t, long, "validate", "-", "--max-segment", "4000000")
	if code != ExitInvalid || !strings.Contains(out, "CTT02") {
		t.Errorf("exit %d\n%.500s", code, out)
	}
	if code, _, words := ediRun(t, long, "validate", "-", "--max-segment", "-1"); code != ExitUsage {
		t.Errorf("exit %d, %s", code, words)
	}
}
