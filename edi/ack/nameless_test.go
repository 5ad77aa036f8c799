package ack_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tradepost/edi/ack"
	"tradepost/edi/validate"
	"tradepost/edi/x12"
)

// TestAnswerable: an interchange that does not say whom it is from, whom it is
// for or what its number is gets no answer, and the error says why.
func TestAnswerable(t *testing.T) {
	t.Parallel()
	x12 := func(sender, receiver, isa13, gs06 string) string {
		pad := func(s string, n int) string { return s + strings.Repeat(" ", n-len(s)) }
		return "ISA*00*          *00*          *ZZ*" + pad(sender, 15) + "*ZZ*" + pad(receiver, 15) + "*260301*1200*U*00401*" + pad(isa13, 9) + "*1*T*:~GS*PO*A*B*20260301*1200*" + gs06 + "*X*004010~" +
			"ST*850*0001~BEG*00*NE*PO-1**20260301~PO1*1*1*EA~SE*4*0001~GE*1*" + gs06 + "~IEA*1*" + pad(isa13, 9) + "~"
	}
	edifact := func(sender, receiver, control string) string {
		return "UNB+UNOC:3+" + sender + "+" + receiver + "+260301:1200+" + control + "'UNH+1+ORDERS:D:96A:UN'BGM+220+1+9'DTM+137:20260301:102'UNS+S'UNT+5+1'UNZ+1+" + control + "'"
	}
	for _, c := range []struct{ name, input, interchange, group string }{ // what the error says, empty for an answer
		{"all is there", x12("A", "B", "000000001", "1"), "", ""},
		{"no sender", x12("", "B", "000000001", "1"), "its ISA has no sender;", "no sender"},
		{"no receiver", x12("A", "", "000000001", "1"), "its ISA has no receiver;", "no receiver"},
		{"no ISA13", x12("A", "B", "", "1"), "its ISA has no control number (ISA13)", ""},
		{"an ISA13 of letters", x12("A", "B", "ABC", "1"), "", ""},
		{"no GS06", x12("A", "B", "000000001", ""), "", "no control number (GS06)"},
		{"EDIFACT, all is there", edifact("A", "B", "1"), "", ""},
		{"EDIFACT, no sender", edifact("", "B", "1"), "its UNB has no sender;", ""},
		{"EDIFACT, neither receiver nor reference", edifact("A", "", ""), "no receiver, no control reference (0020)", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			report, err := validate.Validate(t.Context(), strings.NewReader(c.input), validate.Options{})
			if err != nil {
				t.Fatal(err)
			}
			ic := report.Interchanges[0]
			says(t, "the interchange", ack.Answerable(ic), c.interchange)
			if ic.Standard != "X12" {
				_, err = ack.NewContrl(ic, ack.Options{})
				says(t, "CONTRL", err, c.interchange)
				return
			}
			if ack.WantsTA1(ic) == strings.Contains(c.interchange, "ISA13") {
				t.Errorf("TA1: %v", ack.WantsTA1(ic))
			}
			_, err = ack.Answer(ack.Auto, ic, ic.Groups[0], ack.Options{})
			says(t, "997", err, c.group)
		})
	}
}

func says(t *testing.T, what string, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (!errors.Is(err, ack.ErrNotAcknowledged) || !strings.Contains(err.Error(), want)) {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

// TestSlippedHeader: whatever stands in an ISA, what answers it is an ISA that
// can be read.
func TestSlippedHeader(t *testing.T) {
	t.Parallel()
	const good = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*U*00401*000000001*1*T*:~IEA*0*000000001~"
	for _, c := range []struct{ name, was, is, want string }{
		{"as it should be", "", "", "*ZZ*B              *ZZ*A              *"},
		{"ISA05 of one character", "*ZZ*A ", "*0*A ", "*ZZ*B              *ZZ*A              *"},
		{"ISA05 blank", "*ZZ*A ", "*  *A ", "*ZZ*A              *"},
		{"a terminator in ISA09", "260301", "26~301", ""},
		{"a separator in ISA10", "*1200*", "*1:00*", "TA1*000000001*260301*100*"},
		{"a release that there is not", "*00401*", "*99999*", "*00401*"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			report, err := validate.Validate(t.Context(), strings.NewReader(strings.Replace(good, c.was, c.is, 1)), validate.Options{})
			if err != nil {
				t.Fatal(err)
			}
			answer := ack.Interchange(report.Interchanges[0])
			out := x12.Interchange{ISA: answer.Envelope.ISA, Delimiters: answer.Envelope.Delimiters, TA1: []x12.TA1{answer.TA1}}
			out.ISA.Control = "7"
			out.ISA.SetTime(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))
			var b strings.Builder
			if err := out.Write(&b); err != nil || !strings.Contains(b.String(), c.want) {
				t.Fatalf("%v, want %q\n%s", err, c.want, b.String())
			}
			back, err := validate.Validate(t.Context(), strings.NewReader(b.String()), validate.Options{})
			if err != nil || len(back.Interchanges) != 1 || back.Interchanges[0].TA1 != 1 {
				t.Errorf("%v\n%s", err, b.String())
			}
		})
	}
}
