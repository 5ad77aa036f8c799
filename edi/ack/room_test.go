package ack_test

import (
	"bytes"
	"strings"
	"testing"

	"tradepost/edi"
	"tradepost/edi/ack"
	"tradepost/edi/edifact"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
	"tradepost/edi/x12"
)

// TestAnswersToVeryBadDocuments: a 997, 999 or CONTRL has only so much room, and
// is valid however bad what it answers is.
func TestAnswersToVeryBadDocuments(t *testing.T) {
	t.Parallel()
	catalog := schema.Shipped()
	order := func(segments string) string {
		return "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*^*00501*000000001*0*T*:~GS*PO*A*B*20260301*1200*1*X*005010~" +
			"ST*850*0001~BEG*00*NE*PO-1**20260301~" + segments + "PO1*1*1*EA~SE*4*0001~GE*1*1~IEA*1*000000001~"
	}
	orders := func(segments string) string {
		return "UNB+UNOC:3+A+B+260301:1200+1'UNH+1+ORDERS:D:96A:UN'BGM+220+1+9'DTM+137:20260301:102'" + segments + "UNS+S'UNT+5+1'UNZ+1+1'"
	}
	for name, input := range map[string]string{
		"X12, every segment":             order(strings.Repeat("REF*????~", 1200)),
		"X12, element 200":               order("REF*DP" + strings.Repeat("*", 200) + "X~"),
		"X12, 150 repetitions":           order("REF*DP*" + strings.Repeat("\x01^", 150) + "~"),
		"X12, component 150":             order("CUR*BY" + strings.Repeat(":", 150) + "X*USD~"),
		"X12, a tag of 40 characters":    order(strings.Repeat("T", 40) + "*1~"),
		"X12, a tag of one character":    order("T*1~"),
		"EDIFACT, every segment":         orders(strings.Repeat("DTM+137:X:102'", 1200)),
		"EDIFACT, element 200":           orders("FTX+AAI" + strings.Repeat("+", 200) + "X'"),
		"EDIFACT, component 900":         orders("FTX+AAI+" + strings.Repeat(":", 900) + "X'"),
		"EDIFACT, 300 elements too many": orders("NAD+" + strings.Repeat("TOOLONG+", 300) + "'"),
		"EDIFACT, an odd tag":            orders(strings.Repeat("T", 40) + "+1'"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, err := validate.Validate(t.Context(), strings.NewReader(input), validate.Options{Catalog: catalog, MaxDocumentIssues: 5000})
			if err != nil || report.Accepted {
				t.Fatalf("accepted %v, %v", report.Accepted, err)
			}
			ic := report.Interchanges[0]
			if ic.Standard == edi.EDIFACT.String() {
				strictly(t, name, catalog, ic, contrlOf(t, ic))
				return
			}
			for _, kind := range []ack.Kind{ack.FA997, ack.FA999} {
				strictly(t, name, catalog, ic, functionalOf(t, kind, ic))
			}
		})
	}
}

func contrlOf(t *testing.T, ic *validate.Interchange) []byte {
	t.Helper()
	c, err := ack.NewContrl(ic, ack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	document, err := c.Bytes("1")
	if err != nil {
		t.Fatal(err)
	}
	c.UNB.Control = "1"
	c.UNB.SetTime(day())
	var b bytes.Buffer
	if err := edifact.Wrap(&b, c.UNB, edifact.Document{Bytes: document, Delimiters: c.Delimiters}, ""); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func functionalOf(t *testing.T, kind ack.Kind, ic *validate.Interchange) []byte {
	t.Helper()
	f, err := ack.Answer(kind, ic, ic.Groups[0], ack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	document, err := f.Bytes("0001")
	if err != nil {
		t.Fatal(err)
	}
	isa, gs := f.Envelope.ISA, f.Envelope.GS
	isa.Control, gs.Control = "1", "1"
	isa.SetTime(day())
	gs.SetTime(day())
	var b bytes.Buffer
	if err := x12.Wrap(&b, isa, gs, x12.Document{Bytes: document, Delimiters: f.Envelope.Delimiters}, ""); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
