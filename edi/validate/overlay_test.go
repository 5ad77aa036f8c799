package validate_test

import (
	"fmt"
	"strings"
	"testing"

	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// TestPartnerRules: what a partner's guide narrows, asks for, forbids, relaxes
// or adds holds for that partner, and is told by the code of a 997 and, where a
// 999 has another, by that.
// TestPartnerLevels: what a partner's guide says of the levels of a hierarchy.
func TestPartnerLevels(t *testing.T) {
	t.Parallel()
	const rules = "at detail/HL\n  level S require max 1\n  level O under S require\n  level P under O max 2\n  level I under P\n  level * forbid\n"
	for _, c := range []struct{ name, levels, want string }{
		{"as agreed", "1//S 2/1/O 3/2/P 4/3/I", ""},
		{"below another level", "1//S 2/1/O 3/2/I", "AK403=7/7 HL#5.2"},
		{"below none", "1//S 2//O", "AK403=7/7 HL#4.2"},
		{"the first below none", "1//P 2//S 3/2/O", "AK403=7/7 HL#3.2"},
		{"too many", "1//S 2/1/O 3//S", "AK403=7/I6 HL#5.3"},
		{"one too many is told once", "1//S 2/1/O 3/2/P 4/2/P 5/2/P 6/2/P", "AK403=7/I6 HL#7.3"},
		{"one that is not there", "1//S", "AK304=3/I7 HL#4.0"},
		{"one that is not used", "1//S 2/1/O 3/2/ZZ", "AK403=7/I6 HL#5.3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			catalog := shippedOnce().Clone()
			if _, err := catalog.Add("acme", []byte("guide acme/856\nbased-on x12/004010/856\n"+rules)); err != nil {
				t.Fatal(err)
			}
			g, err := catalog.Guide("acme/856")
			if err != nil {
				t.Fatal(err)
			}
			document := "ST*856*0001~\nBSN*00*SH-1*20260301*1200~\n"
			for _, level := range strings.Fields(c.levels) {
				document += "HL*" + strings.ReplaceAll(level, "/", "*") + "~\n"
			}
			input := x12Envelope[:strings.Index(x12Envelope, "ST*")] + document + fmt.Sprintf("SE*%d*0001~\nGE*1*1~\nIEA*1*000000001~\n", strings.Count(document, "~")+1)
			var got []string
			for _, is := range check(t, strings.Replace(input, "GS*PO", "GS*SH", 1), validate.Options{Catalog: catalog, GuideFor: func(validate.Choice) *schema.Guide { return g }}).All() {
				_, code, _ := strings.Cut(is.Ack, "=")
				if is.Code999 != "" {
					code = is.Code999
				}
				got = append(got, fmt.Sprintf("%s/%s %s#%d.%d", is.Ack, code, is.Segment, is.Ordinal, is.Element))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPartnerRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, rule string
		old, new   string // a change of the order
		want       string // codes and segments
	}{
		{"narrow codes", "at heading/BEG\n  2 codes SA", "", "", "AK403=7/I6 BEG.2"},
		{"narrow a length", "at heading/BEG\n  3 length 1..3", "", "", "AK403=5/5 BEG.3"},
		{"narrow a number of uses", "at heading/REF\n  max 1", "BEG*00*NE*PO-1**20260301~", "BEG*00*NE*PO-1**20260301~\nREF*DP*1~\nREF*DP*2~", "AK304=5/5 REF.0"},
		{"require an element", "at heading/BEG\n  6 require", "", "", "AK403=1/I9 BEG.6"},
		{"require a segment", "at heading/CUR\n  require", "", "", "AK304=3/I6 CUR.0"},
		{"require a loop", "at heading/N1\n  require", "", "", "AK304=3/I7 N1.0"},
		{"require several", "at heading/REF\n  min 2", "BEG*00*NE*PO-1**20260301~", "BEG*00*NE*PO-1**20260301~\nREF*DP*1~", "AK304=3/I8 REF.0"},
		{"forbid an element", "at detail/PO1/PO1\n  5 forbid", "9.95**", "9.95*TE*", "AK403=3/I10 PO1.5"},
		{"forbid a segment", "at heading/CUR\n  forbid", "BEG*00*NE*PO-1**20260301~", "BEG*00*NE*PO-1**20260301~\nCUR*BY*USD~", "AK304=2/I4 CUR.0"},
		{"forbid a range of elements", "at detail/PO1/PO1\n  4..5 forbid", "", "", "AK403=3/I10 PO1.4"},
		{"a pattern", "at heading/BEG\n  3 pattern \"[0-9]{10}\"", "", "", "AK403=7/I12 BEG.3"},
		{"a pattern that is met", "at heading/BEG\n  3 pattern \"PO-[0-9]+\"", "", "", ""},
		{"a pattern is for the whole value", "at heading/BEG\n  3 pattern \"PO|X\"", "", "", "AK403=7/I12 BEG.3"},
		{"a syntax note", "at detail/PO1/PO1\n  notes P0405", "", "", "AK403=2/I9 PO1.5"},
		{"an exclusion", "at heading/BEG\n  notes E0305", "", "", "AK403=10/I13 BEG.5"},
		{"fewer repetitions", "at heading/BEG\n  3 x1", "", "", ""},
		{"another convention", "convention VICS", "", "", "AK502=19/19 ST.3"},
		{"relax an element", "at heading/BEG\n  3 optional", "NE*PO-1*", "NE**", ""},
		{"relax a segment", "at heading/BEG\n  optional", "BEG*00*NE*PO-1**20260301~\n", "", ""},
		{"relax a length", "at heading/BEG\n  3 length 1..40", "PO-1", strings.Repeat("P", 40), ""},
		{"relax a number of uses", "at heading/CUR\n  max 2", "BEG*00*NE*PO-1**20260301~", "BEG*00*NE*PO-1**20260301~\nCUR*BY*USD~\nCUR*SE*USD~", ""},
		{"own codes", "codes 353 add ZY \"Yearly\"", "BEG*00", "BEG*ZY", ""},
		{"own codes only where they are put", "codes 353 add ZY \"Yearly\"", "BEG*00", "BEG*ZX", "AK403=7/7 BEG.1"},
		{"a code before its first day", "codes 353 add ZY \"Yearly\" from 2026-04-01", "BEG*00", "BEG*ZY", "AK403=7/7 BEG.1"},
		{"a code on its first day", "codes 353 add ZY \"Yearly\" from 2026-03-01", "BEG*00", "BEG*ZY", ""},
		{"a code behind its last day", "codes 353 add ZY \"Yearly\" until 2026-02-28", "BEG*00", "BEG*ZY", "AK403=7/7 BEG.1"},
		{"a discriminator", "at heading/N1\n  variant ST \"Ship to\" require max 1 where 1 = ST\n  others forbid", "PO1*1*", "N1*BY*Buyer~\nPO1*1*", "AK304=2/I4 N1.0 AK304=3/I7 N1.0"},
		{"a discriminator that is met", "at heading/N1\n  variant ST \"Ship to\" require max 1 where 1 = ST\n  others forbid", "PO1*1*", "N1*ST*Store~\nPO1*1*", ""},
		{"too many of a variant", "at heading/N1\n  variant ST \"Ship to\" max 1 where 1 = ST", "PO1*1*", "N1*ST*Store~\nN1*ST*Store~\nPO1*1*", "AK304=4/4 N1.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			catalog := shippedOnce().Clone()
			if _, err := catalog.Add("acme", []byte("guide acme/850\nbased-on x12/004010/850\n"+c.rule+"\n")); err != nil {
				t.Fatal(err)
			}
			g, err := catalog.Guide("acme/850")
			if err != nil {
				t.Fatal(err)
			}
			order := x12Envelope[strings.Index(x12Envelope, "ST*850*0001"):strings.Index(x12Envelope, "ST*850*0002")]
			changed := strings.Replace(order, c.old, c.new, 1)
			if (changed == order) != (c.old == "") {
				t.Fatalf("%q does not occur", c.old)
			}
			changed = strings.Replace(changed, "SE*4*", fmt.Sprintf("SE*%d*", strings.Count(changed, "~")), 1)
			input := x12Envelope[:strings.Index(x12Envelope, "ST*")] + changed + "GE*1*1~\nIEA*1*000000001~\n"
			r := check(t, input, validate.Options{Catalog: catalog, GuideFor: func(validate.Choice) *schema.Guide { return g }})
			var got []string
			for _, is := range r.All() {
				_, code, _ := strings.Cut(is.Ack, "=")
				if is.Code999 != "" {
					code = is.Code999
				}
				got = append(got, fmt.Sprintf("%s/%s %s.%d", is.Ack, code, is.Segment, is.Element))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
