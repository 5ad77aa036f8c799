package tree_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"tradepost/edi"
	"tradepost/edi/schema"
	"tradepost/edi/tree"
	"tradepost/edi/validate"
)

// TestPrintGoesOn: what cannot be read is told where it stands, and what is
// behind it is shown all the same.
func TestPrintGoesOn(t *testing.T) {
	t.Parallel()
	header := "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260301*1200*U*00401*000000001*0*P*>~\nGS*PO*BUYERGS*SELLERGS*20260301*1200*1*X*004010~\n"
	order := "ST*850*0001~\nBEG*00*NE*PO-1**20260301~\nPO1*1*10*EA*9.95~\nCTT*1~\nSE*5*0001~\n"
	trailer := "GE*2*1~\nIEA*1*000000001~\n"
	long := "MSG*" + strings.Repeat("lost ", 1<<18) + "~\n"
	second := strings.ReplaceAll(order, "0001~", "0002~")
	for _, c := range []struct {
		name, input, err string
		want             []string // in this order
	}{
		{
			"a segment that is too long", header + strings.Replace(order, "CTT", long+"CTT", 1) + second + trailer, "no segment terminator within 1048576 bytes",
			[]string{"document 850 0001", "    PO1", "!! not read: ", "MSG", "CTT  ", "document 850 0002", "IEA  "},
		},
		{
			"three of them", header + long + strings.Replace(order, "CTT", long+long+"CTT", 1) + trailer, "3 places were not read",
			[]string{"!! not read: ", "document 850 0001", "!! not read: ", "!! not read: ", "CTT  ", "IEA  "},
		},
		{
			"an ISA without an end", header + order + trailer + "ISA*00*", "the input ends inside the ISA",
			[]string{"document 850 0001", "IEA  ", "!! not read: "},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := tree.Print(t.Context(), &out, strings.NewReader(c.input), validate.Options{Catalog: schema.Shipped()})
			var syntax *edi.SyntaxError
			if !errors.As(err, &syntax) || !strings.Contains(err.Error(), c.err) {
				t.Errorf("the error is %v, %q is expected", err, c.err)
			}
			rest := out.String()
			for _, w := range c.want {
				i := strings.Index(rest, w)
				if i < 0 {
					t.Fatalf("%q does not follow in\n%s", w, out.String())
				}
				rest = rest[i+len(w):]
			}
			if strings.Contains(out.String(), "lost lost lost") {
				t.Error("what was passed over is shown")
			}
		})
	}
}

// TestPrint: values are shown by name and meaning, and nothing in them reaches
// the terminal as a command.
func TestPrint(t *testing.T) {
	t.Parallel()
	in := "UNA:+.?*'UNB+UNOC:4+A:14+B:14+20260301:1200+R1'UNH+1+ORDERS:D:96A:UN'BGM+220+O?'1\x1b[2J+9'" +
		"NAD+BY+5412345000013::9++r\u00e9\u202e?+?:'ZZZ+a*b+c:d'FTX+AAI+++" + strings.Repeat("x", 250) + "'UNT+6+1'UNZ+1+R1'"
	var out bytes.Buffer
	if err := tree.Print(t.Context(), &out, strings.NewReader(in), validate.Options{Catalog: schema.Shipped()}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"EDIFACT interchange R1 from 14:A to 14:B, version UNOC:4\n",
		"  document ORDERS 1 (",
		"      BGM  ",
		" O'1\ufffd[2J\n",
		"        02-1 Identification of the party", " 5412345000013\n",
		" r\u00e9\ufffd+:\n",
		"ZZZ  (not described)\n", "01 (1)" + strings.Repeat(" ", 38) + "a\n", "01 (2)" + strings.Repeat(" ", 38) + "b\n", "02-1 " + strings.Repeat(" ", 37) + "c\n",
		"... (250 bytes)\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	if strings.ContainsAny(out.String(), "\x1b\u202e") {
		t.Error("a control character is printed")
	}
}
