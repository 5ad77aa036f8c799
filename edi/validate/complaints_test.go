package validate_test

import (
	"fmt"
	"strings"
	"testing"

	"tradepost/edi/validate"
)

// TestUsersComplaints: what users of other engines have had to suffer, where no
// other test of this package has it. The cases are named by the complaint.
func TestUsersComplaints(t *testing.T) {
	t.Parallel()
	x := func(group, version string, segments ...string) string {
		body := strings.Join(segments, "~\n") + "~\n"
		return "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260301*1200*U*00401*000000001*0*P*>~\n" +
			"GS*" + group + "*B*S*20260301*1200*1*X*" + version + "~\n" + body + fmt.Sprintf("SE*%d*0001~\nGE*1*1~\nIEA*1*000000001~\n", len(segments)+1)
	}
	e := func(unb string, segments ...string) string {
		return unb + "'\n" + strings.Join(segments, "'\n") + fmt.Sprintf("'\nUNT+%d+1'\nUNZ+1+R1'\n", len(segments)+1)
	}
	order := func(segments ...string) string {
		return x("PO", "004010", append([]string{"ST*850*0001", "BEG*00*NE*PO-1**20260301"}, segments...)...)
	}
	shipment := func(segments ...string) string {
		return x("SH", "004010", append([]string{"ST*856*0001", "BSN*00*SH-1*20260301*1200"}, segments...)...)
	}
	orders := func(segments ...string) string {
		return e("UNB+UNOC:3+BUYER:14+SELLER:14+260301:1200+R1", append([]string{"UNH+1+ORDERS:D:96A:UN", "BGM+220+PO-1+9", "DTM+137:20260301:102"}, segments...)...)
	}
	for _, c := range []struct {
		name, input string
		want        string // errors: code, segment and ordinal, with the path where that is the point
		text        string // in the text of the first issue
	}{
		{"a document nobody has a dictionary for does not stop the walk", x("HS", "005010X279A1", "ST*270*0001", "BHT*0022*13*1*20260301*1200"), "", "no dictionary for 270"},
		{"a code newer than the list is no fault", order("PO1*1*10*X7*9.95**UP*012345678905"), "", ""},
		{"a unit of measure nobody knew in D.97A is no fault", orders("LIN+1++4711:EN", "QTY+21:5:XZY", "UNS+S"), "", ""},
		{"a declared repetition separator below syntax 4 is data", "UNA:+.?*'\n" + e("UNB+IATA:1+A:14+B:14+260301:1200+R1", "UNH+1+ORDERS:D:96A:UN", "BGM+220+PO*1+9", "DTM+137:20260301:102", "UNS+S"), "", "repetition separator"},
		{"a repetition in syntax 4 is split", e("UNB+UNOC:4+A:14+B:14+260301:1200+R1", "UNH+1+ORDERS:D:96A:UN", "BGM+220+PO-1*PO-2+9", "DTM+137:20260301:102", "UNS+S"), "0085=35 BGM#2", "occurs 2 times"},
		{"a loop between LS and LE", order("PO1*1*10*EA", "LS*LDT", "LDT*AF*3*DA", "LE*LDT", "PO1*2*10*EA"), "", ""},
		{"LS without its LE is told, and read on", order("PO1*1*10*EA", "LS*LDT", "LDT*AF*3*DA", "PO1*2*10*EA"), "AK304=3 LE#6", "LS \"LDT\" of segment 4"},
		{"LE of another loop", order("PO1*1*10*EA", "LS*LDT", "LDT*AF*3*DA", "LE*LXX"), "AK403=7 LE#6", "does not repeat LS01"},
		{"LE without LS", order("PO1*1*10*EA", "LE*LDT"), "AK304=2 LE#4", "no LS began"},
		{"N1 of the heading and of the line are told apart", order("N1*ST*Store*92*0042", "PO1*1*10*EA", "N1*ST*Dock*92*0043", "N3*1 Main Street"), "", ""},
		{"a segment of the loop before comes too late", order("N1*ST*Store*92*0042", "N4*Town*IL", "N3*1 Main Street", "PO1*1*10*EA"), "AK304=7 N3#5", "its place is heading/N1/N3"},
		{"a loop whose first segment is missing is named", order("N3*1 Main Street", "PO1*1*10*EA"), "AK304=2 N3#3", "begins with N1"},
		{"what is missing is placed where it should have stood", x("IN", "004010", "ST*810*0001", "BIG*20260301*INV-1", "IT1*1*10*EA*9.95", "CTT*1"), "AK304=3 TDS#4", "at summary/TDS"},
		{"HL levels in another order than a book has them", shipment("HL*1**S", "HL*2*1*P", "HL*3*2*I", "LIN**VP*1", "SN1**5*EA"), "", ""},
		{"HL of a level code of their own", shipment("HL*1**S", "HL*2*1*ZZ", "HL*3*2*I", "LIN**VP*1", "SN1**5*EA"), "", "not expected below"},
		{"HL that names a parent that never comes", shipment("HL*1**S", "HL*2*7*I", "LIN**VP*1", "SN1**5*EA"), "AK403=7 HL#4", "has not come yet"},
		{"a wrong count says which count", strings.Replace(order("PO1*1*10*EA"), "SE*4", "SE*9", 1), "AK502=4 SE#4", "SE01 says 9 segments, there are 4, ST and SE included"},
		{"a separator inside the data is guessed", order("PO1*1*10*EA*9.95**UP*11*VP*13*VP*15*VP*17*VP*19*VP*21*VP*23*VP*25*VP*27*VP*29*VP"), "AK403=3 PO1#3", "A separator inside the data"},
		{"one too many does not begin the summary", orders(strings.Split("LIN+1++4711:EN"+strings.Repeat(";MOA+8:1", 11)+";PRI+AAA:5;LIN+3++4713:EN;UNS+S;MOA+86:100", ";")...), "0085=35 MOA#15", "MOA stands here once more"},
		{"a total among the lines does not begin the summary", orders("LIN+1++4711:EN", "QTY+21:5", "CNT+2:1", "CNT+1:1", "PRI+AAA:5", "LIN+3++4713:EN", "UNS+S", "MOA+86:100"), "0085=15 CNT#6", "CNT, with the 1 segment behind it, is not expected here"},
		{"a missing UNS is one fault", orders("LIN+1++4711:EN", "QTY+21:5", "CNT+2:1", "CNT+1:1"), "0085=13 UNS#6", "UNS"},
		{"a total before the lines does not end them", order("CTT*2", "PO1*1*10*EA", "PO1*2*10*EA", "CTT*2"), "AK304=2 CTT#3", "CTT is not expected here"},
		{"two that were swapped are one fault", strings.Replace(order("PO1*1*10*EA"), "BEG*00*NE*PO-1**20260301~\nPO1*1*10*EA", "CUR*BY*USD~\nBEG*00*NE*PO-1**20260301", 1), "AK304=7 BEG#3, AK304=3 PO1#4", "BEG is out of sequence"},
		{"a loop whose beginning is missing is one fault", order("N1*BT*Buyer", "N3*1 Main Street", "PER*BD*Jo", "N3*2 Main Street", "N4*Town*IL", "PO1*1*10*EA"), "AK304=7 N3#6", "add the N1 that is missing before it when another loop N1 begins here. What follows is read from that place on."},
		{"a released release character at the end of a value", orders("FTX+AAI+++100 %??", "UNS+S"), "", ""},
		{"a number with the other decimal mark", orders("LIN+1++4711:EN", "QTY+21:1.5", "QTY+21:1,5", "UNS+S"), "", ""},
		{"an association code nobody asked for in UNH", e("UNB+UNOC:3+A:14+B:14+260301:1200+R1", "UNH+1+ORDERS:D:96A:UN:EAN008", "BGM+220+PO-1+9", "DTM+137:20260301:102", "UNS+S"), "", "names a subset; guide edifact/D96A/ORDERS is of the standard itself"},
		{"UNG with qualifiers", e("UNB+UNOA:1+A:14+B:14+260301:1200+R1'\nUNG+ORDERS+A:ZZ+B:ZZ+260301:1200+G1+UN+D:96A", "UNH+1+ORDERS:D:96A:UN", "BGM+220+PO-1+9", "DTM+137:20260301:102", "UNS+S", "UNT+5+1'\nUNE+1+G1"), "0085=33 UNT#0", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := check(t, c.input, validate.Options{})
			var got []string
			first := ""
			for _, is := range r.All() {
				if first == "" {
					first = is.Text
				}
				if is.Severity == validate.Error {
					got = append(got, fmt.Sprintf("%s %s#%d", is.Ack, is.Segment, is.Ordinal))
				}
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if !strings.Contains(first, c.text) || c.text == "" && first != "" && c.want == "" {
				t.Errorf("the text is %q, want %q in it", first, c.text)
			}
		})
	}
}
