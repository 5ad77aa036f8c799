package validate_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// The envelopes the cases below are made from by replacing one text: an X12
// interchange of two orders in one group, and an EDIFACT one of two messages,
// without groups and with one.
const (
	x12Envelope = "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260301*1200*U*00401*000000001*0*P*>~\n" +
		"GS*PO*BUYERGS*SELLERGS*20260301*1200*1*X*004010~\n" +
		"ST*850*0001~\nBEG*00*NE*PO-1**20260301~\nPO1*1*10*EA*9.95**UP*012345678905~\nSE*4*0001~\n" +
		"ST*850*0002~\nBEG*00*NE*PO-2**20260301~\nPO1*1*10*EA*9.95**UP*012345678905~\nSE*4*0002~\n" +
		"GE*2*1~\nIEA*1*000000001~\n"
	edifactEnvelope = "UNB+UNOC:3+BUYER:14+SELLER:14+260301:1200+R1'\n" +
		"UNH+1+ORDERS:D:96A:UN'\nBGM+220+PO-1+9'\nDTM+137:20260301:102'\nUNS+S'\nUNT+5+1'\n" +
		"UNH+2+ORDERS:D:96A:UN'\nBGM+220+PO-2+9'\nDTM+137:20260301:102'\nUNS+S'\nUNT+5+2'\n" +
		"UNZ+2+R1'\n"
)

func groupEnvelope() string {
	return strings.NewReplacer("R1'\nUNH", "R1'\nUNG+ORDERS+A:14+B:14+260301:1200+G1+UN+D:96A'\nUNH", "UNZ+2", "UNE+2+G1'\nUNZ+1").Replace(edifactEnvelope)
}

// part cuts a text out of an envelope: from the first of its ends to the second.
func part(from, to string) string {
	at := strings.Index(x12Envelope, from)
	return x12Envelope[at : at+strings.Index(x12Envelope[at:], to)]
}

// TestEnvelopeFaults: every fault of an envelope is found, in the tolerant
// profile, and has the code its acknowledgement names; nothing else is found.
func TestEnvelopeFaults(t *testing.T) {
	t.Parallel()
	first, second := part("ST*850*0001", "ST*850*0002"), part("ST*850*0002", "GE*")
	group := part("GS*", "IEA*")
	for _, c := range []struct {
		name, base, old, new string
		want                 string // codes of the errors, in the order of the input
	}{
		{"ISA01 no qualifier", x12Envelope, "ISA*00", "ISA*9Z", "TA105=010"},
		{"ISA03 no qualifier", x12Envelope, "*00*          *ZZ*BUYER", "*99*          *ZZ*BUYER", "TA105=012"},
		{"ISA05 no qualifier", x12Envelope, "ZZ*BUYER", "QQ*BUYER", "TA105=005"},
		{"ISA06 blank", x12Envelope, "ZZ*BUYER ", "ZZ*      ", "TA105=006"},
		{"ISA07 no qualifier", x12Envelope, "ZZ*SELLER", "QQ*SELLER", "TA105=007"},
		{"ISA08 blank", x12Envelope, "ZZ*SELLER ", "ZZ*       ", "TA105=008"},
		{"ISA09 no day of the calendar", x12Envelope, "*260301*1200*U", "*260231*1200*U", "TA105=014"},
		{"ISA10 no time", x12Envelope, "*260301*1200*U", "*260301*2460*U", "TA105=015"},
		{"ISA12 no version", x12Envelope, "*00401*", "*4010 *", "TA105=017"},
		{"ISA13 no number", strings.ReplaceAll(x12Envelope, "000000001", "00000000A"), "", "", "TA105=018"},
		{"ISA14 neither 0 nor 1", x12Envelope, "*0*P*>", "*2*P*>", "TA105=019"},
		{"ISA15 unknown", x12Envelope, "*0*P*>", "*0*X*>", "TA105=020"},
		{"ISA16 is the terminator", x12Envelope, "*0*P*>", "*0*P*~", "TA105=027"},
		{"element separator is a letter", strings.ReplaceAll(x12Envelope, "*", "X"), "", "", "TA105=026"},
		{"terminator is a letter", strings.ReplaceAll(x12Envelope, "~\n", "A"), "", "", "TA105=004"},
		{"ISA cut off", x12Envelope[:60], "", "", "TA105=023"},
		{"ISA missing", x12Envelope[strings.Index(x12Envelope, "GS*"):], "", "", "TA105=022"},
		{"ISA twice", x12Envelope, "GS*", x12Envelope[:107] + "GS*", "TA105=022 TA105=025"},
		{"IEA missing", x12Envelope, "IEA*1*000000001~\n", "", "TA105=023"},
		{"IEA missing before the next ISA", strings.Replace(x12Envelope, "IEA*1*000000001~\n", "", 1) + strings.ReplaceAll(x12Envelope, "000000001", "000000002"), "", "", "TA105=022"},
		{"IEA twice", x12Envelope, "IEA*1*000000001~\n", "IEA*1*000000001~\nIEA*1*000000001~\n", "TA105=022"},
		{"IEA01 counts one group too many", x12Envelope, "IEA*1", "IEA*2", "TA105=021"},
		{"IEA01 counts a group too few", x12Envelope, "IEA*1", "IEA*0", "TA105=021"},
		{"IEA01 no number", x12Envelope, "IEA*1", "IEA*one", "TA105=021"},
		{"IEA02 another number", x12Envelope, "IEA*1*000000001", "IEA*1*000000009", "TA105=001"},
		{"same ISA13 twice", x12Envelope + x12Envelope, "", "", "TA105=025"},
		{"cut off inside a document", x12Envelope[:strings.Index(x12Envelope, "SE*4*0002")], "", "", "TA105=023 AK905=3 AK502=2"},
		{"GS missing", x12Envelope, part("GS*", "ST*850*0001"), "", "TA105=024 TA105=022 TA105=021"},
		{"GS01 empty", x12Envelope, "GS*PO", "GS*", "AK905=1"},
		{"GS02 empty", x12Envelope, "BUYERGS", "", "TA105=024"},
		{"GS03 empty", x12Envelope, "SELLERGS", "", "TA105=024"},
		{"GS04 no date", x12Envelope, "20260301*1200*1*X", "20261301*1200*1*X", "TA105=024"},
		{"GS05 no time", x12Envelope, "20260301*1200*1*X", "20260301*2500*1*X", "TA105=024"},
		{"GS06 no number", x12Envelope, "1200*1*X*004010", "1200*1A*X*004010", "AK905=6 AK905=4"},
		{"GS08 no version", x12Envelope, "X*004010", "X*4010", "AK905=2"},
		{"GE missing", x12Envelope, "GE*2*1~\n", "", "AK905=3"},
		{"GE twice", x12Envelope, "GE*2*1~\n", "GE*2*1~\nGE*2*1~\n", "TA105=022"},
		{"GE01 counts wrongly", x12Envelope, "GE*2*", "GE*3*", "AK905=5"},
		{"GE02 another number", x12Envelope, "GE*2*1", "GE*2*2", "AK905=4"},
		{"same GS06 twice", strings.Replace(x12Envelope, group, group+group, 1), "IEA*1", "IEA*2", "AK905=19"},
		{"ST missing", x12Envelope, "ST*850*0001~\n", "", "TA105=024 TA105=024 AK905=5"},
		{"ST01 no type", x12Envelope, "ST*850*0001", "ST*85*0001", "AK502=6"},
		{"ST02 empty", strings.Replace(x12Envelope, "SE*4*0001", "SE*4*", 1), "ST*850*0001", "ST*850*", "AK502=7"},
		{"SE missing", x12Envelope, "SE*4*0001~\n", "", "AK502=2"},
		{"SE twice", x12Envelope, "SE*4*0001~\n", "SE*4*0001~\nSE*4*0001~\n", "TA105=024"},
		{"SE01 counts wrongly", x12Envelope, "SE*4*0001", "SE*5*0001", "AK502=4"},
		{"SE01 no number", x12Envelope, "SE*4*0001", "SE*x*0001", "AK502=4"},
		{"SE02 another number", x12Envelope, "SE*4*0001", "SE*4*0003", "AK502=3"},
		{"same ST02 twice", strings.Replace(x12Envelope, second, first, 1), "", "", "AK502=23"},
		{"a segment between documents", x12Envelope, "ST*850*0002", "REF*DP*1~\nST*850*0002", "TA105=024"},
		{"a segment before the first group", x12Envelope, "GS*", "REF*DP*1~\nGS*", "TA105=024"},
		{"TA104 unknown", x12Envelope, "GS*", "TA1*000000001*260301*1200*X*000~\nGS*", "TA105=024"},

		{"UNA without usable characters", "UNA+++++++" + edifactEnvelope, "", "", "0085=22"},
		{"UNB missing", edifactEnvelope[strings.Index(edifactEnvelope, "UNH"):], "", "", "0085=13"},
		{"UNB twice", edifactEnvelope, "UNH+1+", edifactEnvelope[:strings.Index(edifactEnvelope, "UNH")] + "UNH+1+", "0085=13 0085=26"},
		{"character set missing", edifactEnvelope, "UNOC:3", ":3", "0085=13"},
		{"syntax version unknown", edifactEnvelope, "UNOC:3", "UNOC:7", "0085=2"},
		{"sender missing", edifactEnvelope, "BUYER:14", "", "0085=13"},
		{"receiver missing", edifactEnvelope, "SELLER:14", "", "0085=13"},
		{"sender too long", edifactEnvelope, "BUYER:14", strings.Repeat("B", 36) + ":14", "0085=39"},
		{"UNB no date", edifactEnvelope, "260301:1200", "261301:1200", "0085=12"},
		{"UNB no time", edifactEnvelope, "260301:1200", "260301:2461", "0085=12"},
		{"UNB 0020 missing", strings.ReplaceAll(edifactEnvelope, "R1", ""), "", "", "0085=13"},
		{"UNB 0020 too long", strings.ReplaceAll(edifactEnvelope, "R1", "R12345678901234"), "", "", "0085=39"},
		{"UNZ missing", edifactEnvelope, "UNZ+2+R1'\n", "", "0085=13"},
		{"UNZ twice", edifactEnvelope, "UNZ+2+R1'\n", "UNZ+2+R1'\nUNZ+2+R1'\n", "0085=33"},
		{"UNZ counts wrongly", edifactEnvelope, "UNZ+2", "UNZ+3", "0085=29"},
		{"UNZ no number", edifactEnvelope, "UNZ+2", "UNZ+two", "0085=29"},
		{"UNZ another reference", edifactEnvelope, "UNZ+2+R1", "UNZ+2+R2", "0085=28"},
		{"same UNB 0020 twice", edifactEnvelope + edifactEnvelope, "", "", "0085=26"},
		{"UNE missing", groupEnvelope(), "UNE+2+G1'\n", "", "0085=13"},
		{"UNE without UNG", edifactEnvelope, "UNZ", "UNE+1+G1'\nUNZ", "0085=33"},
		{"UNE counts wrongly", groupEnvelope(), "UNE+2", "UNE+1", "0085=29"},
		{"UNE another reference", groupEnvelope(), "UNE+2+G1", "UNE+2+G2", "0085=28"},
		{"UNG reference missing", strings.ReplaceAll(groupEnvelope(), "G1", ""), "", "", "0085=13"},
		{"UNG no date", groupEnvelope(), "B:14+260301", "B:14+260399", "0085=12"},
		{"same UNG 0048 twice", strings.Replace(groupEnvelope(), groupPart(), groupPart()+groupPart(), 1), "UNZ+1", "UNZ+2", "0085=26"},
		{"a message outside of the groups", groupEnvelope(), "UNE+2+G1'\n", "UNE+2+G1'\nUNH+9+ORDERS:D:96A:UN'\nBGM+220+PO-1+9'\nDTM+137:20260301:102'\nUNS+S'\nUNT+5+9'\n", "0085=30"},
		{"UNH missing", edifactEnvelope, "UNH+1+ORDERS:D:96A:UN'\n", "", "0085=33 0085=33 0085=29"},
		{"UNH 0062 missing", strings.Replace(edifactEnvelope, "UNT+5+1'", "UNT+5+'", 1), "UNH+1+", "UNH++", "0085=13"},
		{"UNH type missing", edifactEnvelope, "UNH+1+ORDERS:D:96A:UN", "UNH+1", "0085=13"},
		{"UNT missing", edifactEnvelope, "UNT+5+1'\n", "", "0085=13"},
		{"UNT counts wrongly", edifactEnvelope, "UNT+5+1", "UNT+6+1", "0085=29"},
		{"UNT another reference", edifactEnvelope, "UNT+5+1", "UNT+5+3", "0085=28"},
		{"UNT twice", edifactEnvelope, "UNT+5+1'\n", "UNT+5+1'\nUNT+5+1'\n", "0085=33"},
		{"same UNH 0062 twice", strings.NewReplacer("UNH+2", "UNH+1", "UNT+5+2", "UNT+5+1").Replace(edifactEnvelope), "", "", "0085=26"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			input := c.base
			if c.old != "" {
				if input = strings.Replace(c.base, c.old, c.new, 1); input == c.base {
					t.Fatalf("%q does not occur", c.old)
				}
			}
			r := check(t, input, validate.Options{})
			if got := strings.Join(errorCodes(r), " "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if r.Accepted {
				t.Error("it was accepted")
			}
			for _, is := range r.All() {
				if is.Severity == validate.Error && (is.Text == "" || is.Line < 1) {
					t.Errorf("%+v: it does not say what or where", is)
				}
			}
		})
	}
}

func groupPart() string {
	g := groupEnvelope()
	return g[strings.Index(g, "UNG"):strings.Index(g, "UNZ")]
}

// shippedOnce is the catalog that all small cases share.
var shippedOnce = sync.OnceValue(schema.Shipped)

// check validates a text with the shipped guides.
func check(t *testing.T, input string, o validate.Options) *validate.Report {
	t.Helper()
	if o.Catalog == nil {
		o.Catalog = shippedOnce()
	}
	r, err := validate.Validate(t.Context(), strings.NewReader(input), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func errorCodes(r *validate.Report) (codes []string) {
	for _, is := range r.All() {
		if is.Severity == validate.Error {
			codes = append(codes, is.Ack)
		}
	}
	return codes
}

// TestGoodInputs: what real traffic does is accepted in the tolerant profile.
// Where the letter of the standard says otherwise a warning names the rule, and
// the strict profile refuses it.
func TestGoodInputs(t *testing.T) {
	t.Parallel()
	x, e := x12Envelope, edifactEnvelope
	ta1 := x[:strings.Index(x, "GS*")] + "TA1*000000077*260301*1200*A*000~\nIEA*0*000000001~\n"
	binary := x[:strings.Index(x, "GS*")] + "GS*SP*B*S*20260301*1200*1*X*004010~\nST*841*0001~\nBIN*15*~GE*1*1~IEA*0*0~\nSE*3*0001~\nGE*1*1~\nIEA*1*000000001~\n"
	control := strings.NewReplacer("~\n", "\x1c", "*", "\x1d", ">", "\x1f").Replace(x)
	replace := func(s string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(s) }
	for _, c := range []struct {
		name, input string
		want        string // rules of the warnings
	}{
		{"as the standard has it, a line a segment", x, ""},
		{"in one line", replace(x, "\n", ""), ""},
		{"CR LF behind segments", replace(x, "\n", "\r\n"), ""},
		{"line feed ends segments", replace(x, "~\n", "\n"), ""},
		{"carriage return ends segments", replace(x, "~\n", "\r"), ""},
		{"control characters as delimiters", control, ""},
		{"delimiters |, ! and :", replace(x, "*", "|", "~", "!", ">", ":"), ""},
		{"two interchanges of two sets of delimiters", x + replace(x, "*", "|", "~", "!", ">", ":", "000000001", "000000002"), ""},
		{"X12 and EDIFACT in one input", x + e, ""},
		{"repetition separator of 00501", replace(x, "*U*00401", "*^*00501", "004010", "005010"), ""},
		{"U as ISA11 of 00501", replace(x, "00401", "00501", "004010", "005010"), "isa11-repetition-separator"},
		{"another ISA11 of 00401", replace(x, "*U*00401", "*^*00401"), "isa11-standards-id"},
		{"binary data with delimiters in it", binary, "no-dictionary"},
		{"a TA1 alone", ta1, ""},
		{"nothing inside", x[:strings.Index(x, "GS*")] + "IEA*0*000000001~\n", "empty-interchange"},
		{"a group with nothing in it", replace(x, part("ST*850*0001", "GE*"), "", "GE*2", "GE*0"), "empty-group"},
		{"byte order mark", "\xef\xbb\xbf" + x, "byte-order-mark"},
		{"Ctrl-Z behind", x + "\x1a", "padding"},
		{"NUL bytes behind", x + strings.Repeat("\x00", 50), "padding"},
		{"empty lines between interchanges", x + "\n\n" + replace(x, "000000001", "000000002"), "blank-line"},
		{"text between interchanges", x + "-- our next one --\n" + replace(x, "000000001", "000000002"), "text"},
		{"ISA06 not padded", replace(x, "BUYER          *", "BUYER*"), "isa-width"},
		{"ISA13 of seven digits", replace(x, "000000001", "0000001"), "isa-width short-control-number"},
		{"SE02 without leading zeros", replace(x, "SE*4*0001", "SE*4*1"), "leading-zeros"},
		{"ST02 of three digits", replace(x, "*0001~", "*001~"), "short-control-number"},
		{"GE01 with leading zeros", replace(x, "GE*2*", "GE*0002*"), ""},
		{"an order in a group of another type", replace(x, "GS*PO", "GS*SC"), "group-type group-type"},
		{"empty elements at the end", replace(x, "BEG*00*NE*PO-1**20260301~", "BEG*00*NE*PO-1**20260301**~"), "trailing-separators"},
		{"a plus sign before a number", replace(x, "PO1*1*10*EA", "PO1*1*+10*EA"), "plus-sign plus-sign"},
		{"empty components at the end", replace(x, "BEG*00*NE*PO-1**20260301~", "BEG*00*NE*PO-1**20260301~\nMEA**WT*1*LB>>>~", "SE*4*0001", "SE*5*0001"), "trailing-component-separators"},
		{"last terminator missing", x[:len(x)-2], "unterminated-segment"},
		{"test indicator", replace(x, "*0*P*>", "*0*T*>"), ""},
		{"a version nobody has a guide for", replace(x, "004010", "008060"), "no-dictionary no-dictionary"},
		{"ISA12 newer than GS08", replace(x, "*U*00401", "*^*00602"), ""},

		{"EDIFACT without UNA", e, ""},
		{"EDIFACT in one line", replace(e, "\n", ""), ""},
		{"UNA of the usual characters", "UNA:+.? '" + e, ""},
		{"UNA of other characters", "UNA|*,\\ ~" + replace(e, ":", "|", "+", "*", "'", "~"), ""},
		{"UNA without a release character", "UNA:+.  '" + e, ""},
		{"released service characters", replace(e, "PO-1", "P?+?:?'??1"), ""},
		{"groups", groupEnvelope(), ""},
		{"another type of message in a group", replace(groupEnvelope(), "UNG+ORDERS", "UNG+INVOIC"), "group-type group-type"},
		{"syntax version 1", replace(e, "UNOC:3", "UNOA:1"), ""},
		{"syntax version 2", replace(e, "UNOC:3", "UNOB:2"), ""},
		{"syntax version 4 with a date of eight digits", replace(e, "UNOC:3", "UNOC:4", "260301:1200", "20260301:1200"), ""},
		{"Latin-1 under UNOC", replace(e, "PO-1", "PO-\xc4\xdf"), ""},
		{"UTF-8 under UNOY", replace(e, "UNOC:3", "UNOY:4", "PO-1", "PO-Äß"), ""},
		{"small letters under UNOA", replace(e, "UNOC", "UNOA", "PO-1", "po-1"), "character-set"},
		{"a character set of their own", replace(e, "UNOC", "IATA"), "character-set-name"},
		{"no version in UNH", replace(e, "UNH+1+ORDERS:D:96A:UN", "UNH+1+ORDERS"), "message-version no-dictionary"},
		{"association code in UNH", replace(e, "96A:UN'", "96A:UN:EAN008'"), "convention convention"},
		{"line ends in place of terminators", replace(e, "'\n", "\n"), "newline-terminator"},
		{"a number without a digit before its decimal mark", replace(e, "UNS+S'\nUNT+5+1", "LIN+1'\nQTY+21:.5'\nUNS+S'\nUNT+7+1"), "decimal-digit"},
		{"a number without a digit behind its decimal mark", replace(e, "UNS+S'\nUNT+5+1", "LIN+1'\nQTY+21:5,'\nUNS+S'\nUNT+7+1"), "decimal-notation"},
		{"blanks around a number", replace(e, "UNS+S'\nUNT+5+1", "LIN+1'\nQTY+21: 5'\nUNS+S'\nUNT+7+1"), "padded-value"},
		{"blanks in place of a value", replace(e, "UNS+S'\nUNT+5+1", "LIN+1'\nPIA+1+ :EN'\nQTY+21:5'\nUNS+S'\nUNT+8+1"), "blank-value"},
		{"UNZ with leading zeros", replace(e, "UNZ+2", "UNZ+000002"), ""},
		{"test indicator of UNB", replace(e, "1200+R1'", "1200+R1++++++1'"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := check(t, c.input, validate.Options{})
			var rules []string
			for _, is := range r.All() {
				if is.Severity == validate.Error {
					t.Errorf("refused: %s %s", is.Ack, is.Text)
					continue
				}
				rules = append(rules, is.Rule)
			}
			slices.Sort(rules)
			if got := strings.Join(rules, " "); got != c.want {
				t.Errorf("warnings %q, want %q", got, c.want)
			}
			strict := check(t, c.input, validate.Options{Profile: validate.Strict})
			wantStrict := strings.ReplaceAll(c.want, "no-dictionary", "") == strings.Repeat(" ", strings.Count(c.want, " "))
			if strict.Accepted != wantStrict {
				t.Errorf("strictly: accepted %v, %v", strict.Accepted, errorCodes(strict))
			}
			// What was agreed with a partner turns the profiles around.
			waived := slices.DeleteFunc(strings.Fields(c.want), func(rule string) bool { return rule == "no-dictionary" })
			for _, rule := range waived {
				if !slices.Contains(validate.Rules(), rule) {
					t.Errorf("Rules does not have %s", rule)
				}
			}
			if r := check(t, c.input, validate.Options{Profile: validate.Strict, Except: waived}); !r.Accepted {
				t.Errorf("strictly except %v: %v", waived, errorCodes(r))
			}
			if r := check(t, c.input, validate.Options{Except: waived}); r.Accepted != (len(waived) == 0) {
				t.Errorf("tolerantly except %v: accepted %v", waived, r.Accepted)
			}
		})
	}
}
