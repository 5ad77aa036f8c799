package ack_test

import (
	"errors"
	"strings"
	"testing"

	"tradepost/edi/ack"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

const isa = "ISA*00*          *00*          *ZZ*SELLER         *ZZ*BUYER          *260302*0830*U*00401*000000077*0*P*>~\n"

func read(t *testing.T, text string) []ack.Acknowledgement {
	t.Helper()
	list, err := ack.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestRead997(t *testing.T) {
	t.Parallel()
	list := read(t, isa+"GS*FA*SELLERGS*BUYERGS*20260302*0830*77*X*004010~\nST*997*0001~\nAK1*PO*1~\n"+
		"AK2*850*0001~\nAK5*A~\nAK2*850*0002~\nAK3*BEG*2**8~\nAK4*1*353*7*QQ~\nAK4*3>1**5*TOO LONG~\nAK3*ZZZ*9**1~\nAK5*R*5*4~\n"+
		"AK9*P*2*2*1*5~\nSE*12*0001~\nGE*1*77~\nIEA*1*000000077~\n")
	if len(list) != 1 {
		t.Fatalf("%d acknowledgements", len(list))
	}
	a := list[0]
	if a.Kind != ack.FA997 || a.GroupType != "PO" || a.GroupControl != "1" || a.Status != ack.PartlyAccepted || a.Included != 2 || a.Received != 2 || a.Taken != 1 ||
		len(a.Codes) != 1 || a.Codes[0] != "AK905=5" || a.From.ID != "SELLER" || a.To.ID != "BUYER" || a.Interchange != "000000077" || a.Control != "0001" {
		t.Errorf("acknowledgement %+v", a)
	}
	if len(a.Documents) != 2 || a.Documents[0].Status != ack.Accepted {
		t.Fatalf("documents %+v", a.Documents)
	}
	d := a.Documents[1]
	if d.Status != ack.Rejected || d.Type != "850" || d.Control != "0002" || strings.Join(d.Codes, " ") != "AK502=5 AK502=4" || len(d.Issues) != 3 {
		t.Fatalf("document %+v", d)
	}
	want := []ack.Issue{
		{Segment: "BEG", Ordinal: 2, Element: 1, Reference: "353", Code: "AK403=7", Value: "QQ", Text: "invalid code"},
		{Segment: "BEG", Ordinal: 2, Element: 3, Component: 1, Code: "AK403=5", Value: "TOO LONG", Text: "too long"},
		{Segment: "ZZZ", Ordinal: 9, Code: "AK304=1", Text: "segment identifier unknown"},
	}
	for i := range want {
		if d.Issues[i] != want[i] {
			t.Errorf("issue %d\n got %+v\nwant %+v", i, d.Issues[i], want[i])
		}
	}
	if v, listed := a.Verdict("850", "0002"); !listed || v.Status != ack.Rejected {
		t.Errorf("verdict on 0002: %+v %v", v, listed)
	}
	if v, listed := a.Verdict("850", "0003"); listed || v.Status != ack.Accepted {
		t.Errorf("verdict on a document that is not listed in a partly accepted group: %+v %v", v, listed)
	}
}

// TestReadOdd997 reads what partners really send.
func TestReadOdd997(t *testing.T) {
	t.Parallel()
	const head = isa + "GS*FA*S*B*20260302*0830*77*X*004010~\nST*997*0001~\n"
	const tail = "SE*3*0001~\nGE*1*77~\nIEA*1*000000077~\n"
	for _, c := range []struct {
		name, body string
		status     ack.Status
		documents  int
	}{
		{"no documents listed", "AK1*PO*1~AK9*A*1*1*1~", ack.Accepted, 0},
		{"refused without reasons", "AK1*PO*1~AK9*R*1*1*0~", ack.Rejected, 0},
		{"AK9 missing", "AK1*PO*1~AK2*850*0001~AK5*A~", ack.Accepted, 1},
		{"AK9 and AK5 missing", "AK1*PO*1~AK2*850*0001~", ack.Rejected, 1},
		{"AK5 without AK2", "AK1*PO*1~AK5*R*5~AK9*R*1*1*0~", ack.Rejected, 1},
		{"AK3 without AK2", "AK1*PO*1~AK3*BEG*2**8~AK4*1**7~AK9*E*1*1*1~", ack.AcceptedWithErrors, 1},
		{"AK4 without AK3", "AK1*PO*1~AK2*850*0001~AK4*1**7~AK5*E~AK9*E~", ack.AcceptedWithErrors, 1},
		{"counts missing", "AK1*PO*1~AK9*A~", ack.Accepted, 0},
		{"verdict in words", "AK1*PO*1~AK9*OK~", ack.Unknown, 0},
		{"security verdict", "AK1*PO*1~AK9*M*1*1*0~", ack.Rejected, 0},
		{"nothing", "", ack.Unknown, 0},
		{"SE missing", "AK1*PO*1~AK2*850*0001~AK5*A~AK9*A*1*1*1~ST*997*0002~AK1*PO*2~AK9*A*1*1*1~", ack.Accepted, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			list := read(t, head+c.body+tail)
			if len(list) == 0 || list[0].Status != c.status || len(list[0].Documents) != c.documents {
				t.Errorf("%+v", list)
			}
		})
	}
}

func TestReadTA1And999AndContrl(t *testing.T) {
	t.Parallel()
	list := read(t, isa+"TA1*000000001*260301*1200*R*018~\nIEA*0*000000077~\n"+
		strings.Replace(isa, "*U*00401*", "*^*00501*", 1)+"GS*FA*S*B*20260302*0830*77*X*005010X231A1~\nST*999*0001*005010X231A1~\nAK1*HC*17*005010X222A1~\n"+
		"AK2*837*0001*005010X222A1~\nIK3*CLM*22*2300*8~\nCTX*CLM01>123456789~\nIK4*2*782*I10*5~\nCTX*SITUATIONAL TRIGGER*CLM*22**5>3*1325~\nIK5*R*I5~\nAK9*R*1*1*0~\nSE*10*0001~\nGE*1*77~\nIEA*1*000000077~\n"+
		"UNB+UNOA:3+S:14+B:14+260302:0830+9'UNH+1+CONTRL:D:3:UN'UCI+55+B:14+S:14+7'UCM+1+ORDERS:D:96A:UN+7'UCM+2+ORDERS:D:96A:UN+4'UCS+3+15'UCS+4'UCD+12+3:2'UNT+8+1'UNZ+1+9'")
	if len(list) != 3 {
		t.Fatalf("%+v", list)
	}
	ta1, fa, contrl := list[0], list[1], list[2]
	if ta1.Kind != ack.TA1 || ta1.About != "000000001" || ta1.Status != ack.Rejected || ta1.Codes[0] != "TA105=018" {
		t.Errorf("TA1 %+v", ta1)
	}
	d := fa.Documents[0]
	if fa.Kind != ack.FA999 || fa.GroupVersion != "005010X222A1" || d.Convention != "005010X222A1" || d.Codes[0] != "AK502=I5" {
		t.Errorf("999 %+v", fa)
	}
	if is := d.Issues[0]; is.Segment != "CLM" || is.Loop != "2300" || is.Element != 2 || is.Code != "AK403=I10" || is.Text == "" ||
		is.Context != "CLM01>123456789\nSITUATIONAL TRIGGER CLM 22 5>3 1325" {
		t.Errorf("999 issue %+v", is)
	}
	if contrl.Kind != ack.CONTRL || contrl.About != "55" || contrl.Status != ack.PartlyAccepted || len(contrl.Documents) != 2 || contrl.Documents[1].Status != ack.Rejected {
		t.Fatalf("CONTRL %+v", contrl)
	}
	if is := contrl.Documents[1].Issues; len(is) != 2 || is[0].Code != "0085=15" || is[0].Ordinal != 3 || is[1].Element != 2 || is[1].Component != 2 || is[1].Ordinal != 4 {
		t.Errorf("CONTRL issues %+v", is)
	}
}

// TestReadBackWhatWeWrite: the faults of a report come back from its 997 as
// they went in.
func TestReadBackWhatWeWrite(t *testing.T) {
	t.Parallel()
	input := strings.Replace(isa, "*0*P*", "*1*P*", 1) + "GS*PO*A*B*20260302*0830*5*X*004010~\n" +
		"ST*850*0001~\nBEG*QQ*NE*4500012345**20261301~\nXX*1~\nPO1*1*x*EA~\nSE*5*0001~\n" +
		"ST*850*0002~\nBEG*00*NE*4500012346**20260301~\nPO1*1*1*EA~\nSE*4*0002~\nGE*2*5~\nIEA*1*000000077~\n"
	report, err := validate.Validate(t.Context(), strings.NewReader(input), validate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ic := report.Interchanges[0]
	f, err := ack.Answer(ack.Auto, ic, ic.Groups[0], ack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := f.Bytes("0001")
	if err != nil {
		t.Fatal(err)
	}
	ta1, err := ack.Interchange(ic).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if !ack.WantsTA1(ic) {
		t.Error("ISA14 asks for a TA1")
	}
	list := read(t, isa+string(ta1)+"GS*FA*B*A*20260302*0830*1*X*004010~"+string(text)+"GE*1*1~IEA*1*000000077~")
	if len(list) != 2 || list[0].Kind != ack.TA1 || list[0].Status != ack.Accepted || list[0].About != ic.Control {
		t.Fatalf("%+v", list)
	}
	a := list[1]
	if a.Status != f.Status || a.Status != ack.PartlyAccepted || len(a.Documents) != 2 || !(a.Documents[1].Status == ack.Accepted) {
		t.Fatalf("%+v", a)
	}
	var sent []string
	for _, is := range ic.Groups[0].Documents[0].Issues {
		sent = append(sent, is.Ack+" "+is.Segment)
	}
	var back []string
	for _, is := range a.Documents[0].Issues {
		back = append(back, is.Code+" "+is.Segment)
	}
	if strings.Join(sent, ", ") != strings.Join(back, ", ") {
		t.Errorf("sent %q\nback %q", sent, back)
	}
}

// TestAcceptErrors: a partner policy that takes documents with errors noted,
// but not those whose envelope is wrong.
func TestAcceptErrors(t *testing.T) {
	t.Parallel()
	input := isa + "GS*PO*A*B*20260302*0830*5*X*004010~\nST*850*0001~\nBEG*QQ*NE*4500012345**20260301~\nPO1*1*1*EA~\nSE*4*0001~\n" +
		"ST*850*0002~\nBEG*00*NE*4500012345**20260301~\nPO1*1*1*EA~\nSE*9*0002~\nGE*2*5~\nIEA*1*000000077~\n"
	report, err := validate.Validate(t.Context(), strings.NewReader(input), validate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ic := report.Interchanges[0]
	for _, c := range []struct {
		o    ack.Options
		want string
	}{
		{ack.Options{}, "AK5*R*5~ AK5*R*4~ AK9*R*2*2*0~"},
		{ack.Options{AcceptErrors: true}, "AK5*E*5~ AK5*R*4~ AK9*P*2*2*1~"},
	} {
		f, err := ack.Answer(ack.FA997, ic, ic.Groups[0], c.o)
		if err != nil {
			t.Fatal(err)
		}
		text, err := f.Bytes("0001")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, seg := range strings.SplitAfter(string(text), "~") {
			if strings.HasPrefix(seg, "AK5") || strings.HasPrefix(seg, "AK9") {
				got = append(got, seg)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %q, want %q", c.o, got, c.want)
		}
	}
}

func TestNeverAcknowledged(t *testing.T) {
	t.Parallel()
	report, err := validate.Validate(t.Context(), strings.NewReader(isa+"GS*FA*A*B*20260302*0830*5*X*004010~\nST*997*0001~\nAK1*PO*1~\nAK9*A*1*1*1~\nSE*4*0001~\nGE*1*5~\nIEA*1*000000077~\n"), validate.Options{})
	if err != nil || !report.Accepted {
		t.Fatal(err, report.Issues)
	}
	ic := report.Interchanges[0]
	if _, err := ack.Answer(ack.Auto, ic, ic.Groups[0], ack.Options{}); !errors.Is(err, ack.ErrNotAcknowledged) {
		t.Errorf("a 997 was acknowledged: %v", err)
	}
}

// FuzzRead reads any bytes; what comes out is bounded and never a panic. What
// validates is answered, and the answer is read back.
func FuzzRead(f *testing.F) {
	f.Add([]byte(isa + "GS*FA*S*B*20260302*0830*77*X*004010~\nST*997*0001~\nAK1*PO*1~\nAK2*850*0001~\nAK3*BEG*2**8~\nAK4*1>1*353*7*QQ~\nAK5*R*5~\nAK9*R*1*1*0~\nSE*8*0001~\nGE*1*77~\nIEA*1*000000077~\n"))
	f.Add([]byte(isa + "GS*PO*S*B*20260302*0830*77*X*004010~\nST*850*0001~\nBEG*QQ~\nSE*3*0001~\nGE*1*77~\nIEA*1*000000077~\n"))
	f.Add([]byte("UNB+UNOA:3+S:14+B:14+260302:0830+9'UNH+1+CONTRL:D:3:UN'UCI+55+B:14+S:14+7'UCM+2+ORDERS:D:96A:UN+4'UCS+3+15'UCD+12+3:2'UNT+8+1'UNZ+1+9'"))
	catalog := schema.Shipped()
	f.Fuzz(func(t *testing.T, text []byte) {
		list, _ := ack.Read(strings.NewReader(string(text)))
		for _, a := range list {
			a.Verdict("850", "0001")
		}
		report, err := validate.Validate(t.Context(), strings.NewReader(string(text)), validate.Options{MaxIssues: 100, Catalog: catalog})
		if err != nil {
			t.Fatal(err)
		}
		for _, ic := range report.Interchanges {
			if _, err := ack.Interchange(ic).Bytes(); err != nil {
				t.Fatalf("TA1: %v", err)
			}
			if c, err := ack.NewContrl(ic, ack.Options{}); err == nil {
				if _, err := c.Bytes("1"); err != nil {
					t.Fatalf("CONTRL: %v", err)
				}
			}
			for _, g := range ic.Groups {
				f, err := ack.Answer(ack.Auto, ic, g, ack.Options{NoteWarnings: true})
				if err != nil {
					continue
				}
				out, err := f.Bytes("0001")
				if err != nil {
					t.Fatalf("997: %v", err)
				}
				if len(out) == 0 {
					t.Fatal("an empty 997")
				}
			}
		}
	})
}

// TestVerdictOfWhatIsNotListed: documents that an acknowledgement does not name
// share the verdict on what they are in, where there is one.
func TestVerdictOfWhatIsNotListed(t *testing.T) {
	t.Parallel()
	fa := func(body string) string {
		return isa + "GS*FA*S*B*20260302*0830*77*X*004010~\nST*997*0001~\nAK1*PO*1~\n" + body + "SE*4*0001~\nGE*1*77~\nIEA*1*000000077~\n"
	}
	contrl := func(body string) string {
		return "UNB+UNOA:3+S:14+B:14+260302:0830+9'UNH+1+CONTRL:D:3:UN'" + body + "UNT+4+1'UNZ+1+9'"
	}
	for _, c := range []struct {
		name, input string
		want        ack.Status
	}{
		{"997 that accepts its group", fa("AK9*A*2*2*2~\n"), ack.Accepted},
		{"997 that refuses its group", fa("AK9*R*2*2*0~\n"), ack.Rejected},
		{"997 that lists what it refuses only", fa("AK2*850*0009~\nAK5*R*5~\nAK9*P*2*2*1~\n"), ack.Accepted},
		{"CONTRL that accepts its interchange", contrl("UCI+55+B:14+S:14+7'"), ack.Accepted},
		{"CONTRL that refuses its interchange", contrl("UCI+55+B:14+S:14+4+28+UNZ+3'"), ack.Rejected},
		{"CONTRL that is a receipt", contrl("UCI+55+B:14+S:14+8'"), ack.Unknown},
		{"CONTRL that refuses the only group", contrl("UCI+55+B:14+S:14+7'UCF+G1+B+S+4+29+UNE+2'"), ack.Rejected},
		{"CONTRL that refuses one group of two", contrl("UCI+55+B:14+S:14+7'UCF+G1+B+S+4+29+UNE+2'UCF+G2+B+S+7'"), ack.Unknown},
	} {
		list := read(t, c.input)
		if v, listed := list[0].Verdict("850", "0001"); listed || v.Status != c.want {
			t.Errorf("%s: %q, want %q", c.name, v.Status, c.want)
		}
	}
}

// TestVersionFollowsTheInbound: a 997, 999 or CONTRL goes out in the version its
// interchange came in.
func TestVersionFollowsTheInbound(t *testing.T) {
	t.Parallel()
	x12 := func(isa12, gs08 string) string {
		return "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*^*" + isa12 + "*000000001*0*T*:~GS*PO*A*B*20260301*1200*1*X*" + gs08 +
			"~ST*850*0001~BEG*00*NE*PO-1**20260301~PO1*1*1*EA~SE*4*0001~GE*1*1~IEA*1*000000001~"
	}
	for _, c := range []struct {
		input                   string
		kind                    ack.Kind
		interchange, group, doc string // versions, and what stands in ST03 or UNH
	}{
		{x12("00300", "003060"), ack.FA997, "00300", "003060", ""},
		{x12("00401", "004010"), ack.FA997, "00401", "004010", ""},
		{x12("00401", "004030VICS"), ack.FA997, "00401", "004030", ""},
		{x12("00501", "005010"), ack.FA997, "00501", "005010", ""},
		{x12("00501", "005010X222A1"), ack.FA999, "00501", "005010X231A1", "005010X231A1"},
		{x12("00602", "006020"), ack.FA997, "00602", "006020", ""},
		{"UNB+UNOA:1+A+B+260301:1200+1'UNH+1+ORDERS:D:96A:UN'BGM+220+1+9'DTM+137:20260301:102'UNS+S'UNT+5+1'UNZ+1+1'", ack.CONTRL, "UNOA:1", "", "D:3"},
		{"UNB+UNOC:3+A+B+260301:1200+1'UNH+1+ORDERS:D:96A:UN'BGM+220+1+9'DTM+137:20260301:102'UNS+S'UNT+5+1'UNZ+1+1'", ack.CONTRL, "UNOC:3", "", "D:3"},
		{"UNB+UNOC:4+A+B+20260301:1200+1'UNH+1+ORDERS:D:01B:UN'BGM+220+1+9'DTM+137:20260301:102'UNS+S'UNT+5+1'UNZ+1+1'", ack.CONTRL, "UNOC:4", "", "4:1"},
	} {
		report, err := validate.Validate(t.Context(), strings.NewReader(c.input), validate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ic := report.Interchanges[0]
		if c.kind == ack.CONTRL {
			a, err := ack.NewContrl(ic, ack.Options{})
			if err != nil {
				t.Fatal(err)
			}
			text, err := a.Bytes("1")
			if err != nil || a.UNB.Syntax+":"+a.UNB.Version != c.interchange || !strings.HasPrefix(string(text), "UNH+1+CONTRL:"+c.doc+":UN'") {
				t.Errorf("%s: UNB %+v, %s, %v", c.interchange, a.UNB, text, err)
			}
			continue
		}
		f, err := ack.Answer(ack.Auto, ic, ic.Groups[0], ack.Options{})
		if err != nil {
			t.Fatal(err)
		}
		text, err := f.Bytes("0001")
		st := "ST*" + string(c.kind) + "*0001"
		if c.doc != "" {
			st += "*" + c.doc
		}
		if err != nil || f.Kind != c.kind || f.Envelope.ISA.Version != c.interchange || f.Envelope.GS.Version != c.group || !strings.HasPrefix(string(text), st+"~") {
			t.Errorf("%s %s: %s in ISA12 %s, GS08 %s: %.40s, %v", c.interchange, c.group, f.Kind, f.Envelope.ISA.Version, f.Envelope.GS.Version, text, err)
		}
		if ic.Test != (f.Envelope.ISA.Usage == "T") {
			t.Errorf("%s: the test mark is lost", c.group)
		}
	}
}
