package ack_test

import (
	"strings"
	"testing"

	"tradepost/edi/ack"
	"tradepost/edi/validate"
)

// TestCodesOfTheRelease: a 997 of a release has the codes of that release only;
// the report keeps the finer ones.
func TestCodesOfTheRelease(t *testing.T) {
	t.Parallel()
	order := func(isa12, gs08, group string) string {
		return "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*^*" + isa12 + "*000000001*0*T*:~GS*" + group + "*A*B*20260301*1200*1*X*" + gs08 +
			"~ST*850*0001~BEG*00*NE*PO-1**20260301~CUR*B:Y*USD~PO1*1*1*EA~SE*5*0001~GE*1*1~IEA*1*000000001~"
	}
	for _, c := range []struct {
		name, input string
		kind        ack.Kind
		want        string // in the 997 or 999
	}{
		{"components, 004010", order("00401", "004010", "PO"), ack.FA997, "AK4*1:2*98*3~"},
		{"components, 005010", order("00501", "005010", "PO"), ack.FA997, "AK4*1:2*98*13~"},
		{"group, 004010", order("00401", "004010", "IN"), ack.FA997, "~AK5*R*6*5~"},
		{"group, 005010", order("00501", "005010", "IN"), ack.FA997, "~AK5*R*18*5~"},
		{"a 999 has those of its own release", order("00401", "004010", "PO"), ack.FA999, "IK4*1:2*98*13~"},
	} {
		report, err := validate.Validate(t.Context(), strings.NewReader(c.input), validate.Options{Profile: validate.Strict})
		if err != nil {
			t.Fatal(err)
		}
		ic := report.Interchanges[0]
		f, err := ack.Answer(c.kind, ic, ic.Groups[0], ack.Options{})
		if err != nil {
			t.Fatal(err)
		}
		text, err := f.Bytes("0001")
		if err != nil || !strings.Contains(string(text), c.want) {
			t.Errorf("%s: %s, %v, want %s", c.name, text, err, c.want)
		}
	}
}
