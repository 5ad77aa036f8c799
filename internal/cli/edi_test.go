package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

const goodOrder = "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260301*1200*U*00401*000000001*0*P*>~\r\n" +
	"GS*PO*BUYERGS*SELLERGS*20260301*1200*1*X*004010~\r\n" +
	"ST*850*0001~\r\nBEG*00*NE*4500012345**20260301~\r\nN1*ST*Main Street Store*92*0042~\r\n" +
	"PO1*1*10*EA*9.95**UP*012345678905~\r\nCTT*1~\r\nSE*6*0001~\r\nGE*1*1~\r\nIEA*1*000000001~\r\n"

func badOrder() string { return strings.Replace(goodOrder, "BEG*00", "BEG*QQ", 1) }

// ediRun runs `edi args` with an input on standard input.
func ediRun(t *testing.T, input string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, words bytes.Buffer
	env := &Env{Stdin: strings.NewReader(input), Stdout: &out, Stderr: &words, Now: func() time.Time { return time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC) }}
	root := group(&cobra.Command{Use: "tradepost", SilenceUsage: true, SilenceErrors: true}, newEDICommand(env))
	root.SetFlagErrorFunc(usage)
	strict(root)
	root.SetArgs(append([]string{"edi"}, args...))
	code = env.report(t.Context(), root.ExecuteContext(t.Context()))
	return code, out.String(), words.String()
}

func TestEDIValidateJSON(t *testing.T) {
	t.Parallel()
	code, out, words := ediRun(t, badOrder(), "validate", "-", "-o", "json")
	if code != ExitInvalid || words != "" {
		t.Errorf("exit %d, %q", code, words)
	}
	var got struct {
		Accepted     bool
		Interchanges []struct {
			Standard, Version, Control, Sender, Receiver string
			Offset                                       int
			Accepted                                     bool
			Groups                                       []struct {
				Type, Version, Control string
				Accepted               bool
				Documents              []struct {
					Type, Control, Guide string
					Segments             int
					Accepted             bool
				}
			}
		}
		Issues []struct {
			Severity, Level, Ack, Segment, Path, Value, Text string
			Ordinal, Element, Component, Offset, Line        int
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ic := got.Interchanges[0]
	if got.Accepted || ic.Standard != "X12" || ic.Version != "00401" || ic.Control != "000000001" || ic.Sender != "ZZ:BUYER" || ic.Receiver != "ZZ:SELLER" || !ic.Accepted {
		t.Errorf("interchange %+v", ic)
	}
	g := ic.Groups[0]
	if g.Type != "PO" || g.Version != "004010" || g.Control != "1" || !g.Accepted {
		t.Errorf("group %+v", g)
	}
	if d := g.Documents[0]; d.Type != "850" || d.Control != "0001" || d.Segments != 6 || d.Accepted || d.Guide != "x12/004010/850" {
		t.Errorf("document %+v", d)
	}
	if len(got.Issues) != 1 {
		t.Fatalf("issues %+v", got.Issues)
	}
	is := got.Issues[0]
	want := strings.Index(badOrder(), "QQ")
	if is.Severity != "error" || is.Level != "element" || is.Ack != "AK403=7" || is.Segment != "BEG" || is.Ordinal != 2 || is.Element != 1 || is.Component != 0 ||
		is.Path != "heading/BEG" || is.Offset != want || is.Line != 4 || is.Value != "QQ" || is.Text == "" {
		t.Errorf("issue %+v, want offset %d", is, want)
	}
	if code, out, _ := ediRun(t, goodOrder, "validate", "-", "-o", "json"); code != ExitOK || !json.Valid([]byte(out)) {
		t.Errorf("good order: exit %d\n%s", code, out)
	}
	if code, out, _ := ediRun(t, "", "validate", "-", "-o", "json"); code != ExitInvalid || !json.Valid([]byte(out)) {
		t.Errorf("empty input: exit %d\n%s", code, out)
	}
	if code, out, _ := ediRun(t, "no EDI at all", "validate", "-", "-o", "json"); code != ExitInvalid || !json.Valid([]byte(out)) {
		t.Errorf("no EDI: exit %d\n%s", code, out)
	}
}

func TestEDIValidateText(t *testing.T) {
	t.Parallel()
	code, out, _ := ediRun(t, badOrder(), "validate", "-")
	want := `REFUSED: document 850 0001 in group PO 1 of interchange 000000001 (x12/004010/850)
  error  line 4, byte 176, segment 2  AK403=7
    BEG*QQ*NE*4500012345**20260301~
        ^^
    BEG01 (Purpose of the document) "QQ" is not one of its codes: 00, 01, 02, 03, 04, 05, 06, 07, ... are expected.

REFUSED: 1 interchange, 1 group, 1 document (1 refused), 1 error, 0 warnings
`
	if code != ExitInvalid || out != want {
		t.Errorf("exit %d\n%s", code, out)
	}
}

func TestEDIAck(t *testing.T) {
	t.Parallel()
	code, out, _ := ediRun(t, badOrder(), "ack", "-")
	want := "ISA*00*          *00*          *ZZ*SELLER         *ZZ*BUYER          *260302*0830*U*00401*000000001*0*P*>~\n" +
		"GS*FA*SELLERGS*BUYERGS*20260302*0830*1*X*004010~\n" +
		"ST*997*0001~AK1*PO*1~AK2*850*0001~AK3*BEG*2**8~AK4*1*353*7*QQ~AK5*R*5~AK9*R*1*1*0~SE*8*0001~\n" +
		"GE*1*1~\nIEA*1*000000001~\n"
	if code != ExitOK || out != want {
		t.Errorf("exit %d\ngot  %s\nwant %s", code, out, want)
	}
	// What we write is valid, and never acknowledged again.
	if code, report, _ := ediRun(t, out, "validate", "-"); code != ExitOK {
		t.Errorf("our 997 is not valid:\n%s", report)
	}
	if code, again, _ := ediRun(t, out, "ack", "-"); code != ExitOK || again != "" {
		t.Errorf("a 997 was acknowledged: exit %d\n%s", code, again)
	}
}

func TestEDIConvertRoundTrip(t *testing.T) {
	t.Parallel()
	for _, input := range []string{goodOrder, badOrder(), "UNA:+.? '\r\nUNB+UNOA:3+A:14+B:14+260301:1200+1'\r\nUNH+1+ORDERS:D:96A:UN'\r\nFTX+AAI+++it?'s 5?+5++'\r\nUNT+3+1'\r\nUNZ+1+1'\r\n"} {
		code, tree, words := ediRun(t, input, "convert", "-", "--to", "json")
		if code != ExitOK || !json.Valid([]byte(tree)) {
			t.Fatalf("exit %d, %s\n%s", code, words, tree)
		}
		code, back, words := ediRun(t, tree, "convert", "-", "--to", "edi")
		if code != ExitOK || back != input {
			t.Errorf("exit %d, %s\ngot  %q\nwant %q", code, words, back, input)
		}
	}
	code, lines, _ := ediRun(t, goodOrder+strings.ReplaceAll(goodOrder, "000000001", "000000002"), "convert", "-", "--to", "jsonl")
	rows := strings.Split(strings.TrimSpace(lines), "\n")
	if code != ExitOK || len(rows) != 2 || !json.Valid([]byte(rows[0])) || !json.Valid([]byte(rows[1])) {
		t.Errorf("exit %d, %d lines\n%s", code, len(rows), lines)
	}
}

func TestEDIInspect(t *testing.T) {
	t.Parallel()
	code, out, _ := ediRun(t, goodOrder, "inspect", "-")
	for _, want := range []string{"X12 interchange 000000001 from ZZ:BUYER to ZZ:SELLER", "document 850 0001 (Purchase order, guide x12/004010/850)", "loop N1: Party", "= Original"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if code != ExitOK {
		t.Errorf("exit %d\n%s", code, out)
	}
}

func TestEDIGuidesAndErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	guide := write("acme.guide", "guide acme/850 \"ACME\"\nbased-on x12/004010/850\nat heading/CUR\n  require\n")
	broken := write("broken.guide", "guide acme/broken\nbased-on x12/004010/850\nat heading/CUR\n  requier\n")
	order := write("order.edi", goodOrder)
	for _, c := range []struct {
		name string
		want int
		args []string
		text string
	}{
		{"own guide", ExitInvalid, []string{"validate", order, "--guide", guide}, ""},
		{"guide by name", ExitOK, []string{"validate", order, "--guide", "x12/004010/850"}, ""},
		{"guide with a mistake", ExitConfig, []string{"validate", order, "--guide", broken}, "broken.guide:4:3"},
		{"unknown guide", ExitNotFound, []string{"validate", order, "--guide", "x12/nothing"}, "there is no guide x12/nothing; `tradepost edi dictionary list` shows"},
		{"guide of another version", ExitNotFound, []string{"validate", order, "--guide", "x12/006020/850"}, "there is no guide x12/006020/850; there is x12/004010/850, x12/005010/850"},
		{"unknown file", ExitNotFound, []string{"validate", filepath.Join(dir, "nothing.edi")}, "there is no file"},
		{"unknown profile", ExitUsage, []string{"validate", order, "--profile", "lazy"}, "tolerant or strict"},
		{"unknown form", ExitUsage, []string{"convert", order, "--to", "yaml"}, "json, jsonl, xml, csv or edi"},
		{"no file", ExitUsage, []string{"validate"}, "FILE is missing"},
		{"no EDI to convert", ExitInvalid, []string{"convert", broken, "--to", "json"}, ""},
		{"folder of guides", ExitConfig, []string{"validate", order, "--dictionary", dir}, "    4 |   requier\n        |   ^"},
		{"no such folder", ExitNotFound, []string{"validate", order, "--dictionary", dir + "/x"}, "no folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			code, out, words := ediRun(t, "", c.args...)
			if code != c.want || !strings.Contains(words, c.text) {
				t.Errorf("exit %d, want %d\n%s%s", code, c.want, words, out)
			}
		})
	}
}
