package edi_test

import (
	"errors"
	"strings"
	"testing"

	"tradepost/edi"
)

func TestPeek(t *testing.T) {
	t.Parallel()
	h, err := edi.Peek([]byte(order850))
	if err != nil {
		t.Fatal(err)
	}
	if h.Standard != edi.X12 || h.Version != "00401" || h.Control != "000000001" || h.Sender.String() != "ZZ:ALICE" || h.Receiver.String() != "ZZ:BOB" ||
		h.Date != "260801" || h.Time != "1200" || !h.Test || h.AckWanted ||
		h.Group != (edi.GroupHeader{Type: "PO", Version: "004010", Control: "1", Sender: "ALICE", Receiver: "BOB", Agency: "X"}) ||
		h.Document != (edi.DocumentHeader{Type: "850", Control: "0001"}) {
		t.Errorf("%+v", h)
	}
	in := "\xef\xbb\xbfUNA:+.? '\nUNB+UNOC:3+S?+1:14:IN+R+260801:1200+REF9++ORDERS++1+EANCOM+1'\nUNG+ORDERS+GS:14+GR+260801:1200+G1+UN+D:96A'UNH+M1+ORDERS:D:96A:UN:EAN008'BGM"
	if h, err = edi.PeekReader(strings.NewReader(in)); err != nil {
		t.Fatal(err)
	}
	if h.Standard != edi.EDIFACT || h.Version != "UNOC:3" || h.Control != "REF9" || h.Sender != (edi.Party{Qualifier: "14", ID: "S+1", Internal: "IN"}) || h.Receiver.String() != "R" ||
		h.Date != "260801" || h.Time != "1200" || !h.Test || !h.AckWanted || h.Agreement != "EANCOM" || h.Reference != "ORDERS" || h.Offset != 3 || len(h.Notices) != 1 ||
		h.Group != (edi.GroupHeader{Type: "ORDERS", Version: "D:96A", Control: "G1", Sender: "GS", Receiver: "GR", Agency: "UN"}) ||
		h.Document != (edi.DocumentHeader{Type: "ORDERS", Version: "D:96A", Control: "M1", Agency: "UN", Association: "EAN008"}) {
		t.Errorf("%+v", h)
	}
}

func TestPeekTakesTheBeginningOfAnInput(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{
		110: "", 147: "", 148: "PO/", 155: "PO/", 158: "PO/", 160: "PO/", 161: "PO/850", len(order850): "PO/850",
	} {
		h, err := edi.Peek([]byte(order850[:n]))
		got := ""
		if h.Group.Type != "" {
			got = h.Group.Type + "/" + h.Document.Type
		}
		if err != nil || h.Control != "000000001" || got != want {
			t.Errorf("first %d bytes: %q, %v; want %q", n, got, err, want)
		}
	}
}

// cut returns the exact bytes of p.
func cut(in string, p edi.Part) string { return in[p.Offset:p.End()] }

func TestOutlineGivesExactByteRanges(t *testing.T) {
	t.Parallel()
	order := "UNH+1+ORDERS:D:96A:UN'\nBGM+220'\nUNT+3+1'"
	second := "UNH+2+ORDERS:D:96A:UN'UNT+2+2'"
	group := "UNG+ORDERS+A+B+260801:1200+7+UN+D:96A'" + order + "\n" + second + "UNE+2+7'"
	interchange := "UNA:+.? '\n" + unb3 + group + "UNZ+1+1'"
	in := "\n" + order850 + "junk\n" + interchange + "\n"
	o, err := edi.ReadOutline(edi.NewReader(strings.NewReader(in), edi.Options{}))
	if err != nil || len(o.Interchanges) != 2 || len(o.Notices) != 2 {
		t.Fatalf("%v, %+v", err, o)
	}
	x, e := o.Interchanges[0], o.Interchanges[1]
	if cut(in, x.Part) != strings.TrimSuffix(order850, "\n") || x.Segments != 8 || x.Children != 1 || !x.Complete || x.Interchange.Control != "000000001" || x.TrailerCount != "1" || x.TrailerControl != "000000001" {
		t.Errorf("X12 interchange %+v", x.Part)
	}
	doc := x.Groups[0].Documents[0]
	if got := cut(in, doc); got != order850[strings.Index(order850, "ST*"):strings.Index(order850, "\nGE")] {
		t.Errorf("X12 document %q", got)
	}
	if doc.Segments != 4 || doc.TrailerCount != "4" || doc.Document.Type != "850" || doc.Pos.Line != 4 || doc.Level.String() != "document" {
		t.Errorf("X12 document %+v", doc)
	}
	if cut(in, e.Part) != interchange || e.Segments != 9 || e.Delimiters.Release != '?' || e.Interchange.Version != "UNOC:3" {
		t.Errorf("EDIFACT interchange %q %+v", cut(in, e.Part), e.Part)
	}
	g := e.Groups[0]
	if len(e.Groups) != 1 || cut(in, g.Part) != group || g.Segments != 7 || g.Children != 2 || g.Group.Type != "ORDERS" || g.TrailerControl != "7" {
		t.Errorf("EDIFACT group %+v", g.Part)
	}
	if len(g.Documents) != 2 || cut(in, g.Documents[0]) != order || cut(in, g.Documents[1]) != second || g.Documents[0].Segments != 3 {
		t.Errorf("EDIFACT documents %+v", g.Documents)
	}
}

func TestOutlineOfBrokenEnvelopes(t *testing.T) {
	t.Parallel()
	head := isa("U", "00401") + ">~"
	gs := "GS*PO*A*B*20260801*1200*1*X*004010~"
	for name, tt := range map[string]struct{ in, want string }{
		"no SE":             {head + gs + "ST*850*1~BEG*00~ST*850*2~SE*2*2~GE*2*1~IEA*1*1~", "I8(G6(D2! D2))"},
		"no SE and no GE":   {head + gs + "ST*850*1~BEG*00~IEA*1*1~", "I5(G3!(D2!))"},
		"no IEA":            {head + gs + "ST*850*1~SE*2*1~GE*1*1~" + head + "IEA*0*1~", "I5!(G4(D2)) I2()"},
		"cut off":           {head + gs + "ST*850*1~BEG", "I4!(G3!(D2!))"},
		"stray trailers":    {head + "SE*1*1~GE*1*1~" + gs + "GE*0*1~IEA*1*1~", "I6(G2())"},
		"no groups":         {unb3 + "UNH+1+ORDERS:D:96A:UN'UNT+2+1'UNH+2+ORDERS:D:96A:UN'UNT+2+2'UNZ+2+1'", "I6(-(D2 D2))"},
		"no UNB":            {"UNH+1+ORDERS:D:96A:UN'UNT+2+1'", "-(-(D2))"},
		"TA1 alone":         {head + "TA1*000000001*260801*1200*A*000~IEA*0*1~", "I3()"},
		"documents outside": {head + "ST*850*1~SE*2*1~" + gs + "ST*850*2~SE*2*2~GE*1*1~IEA*1*1~", "I8(-(D2) G4(D2))"},
	} {
		o, err := edi.ReadOutline(edi.NewBytesReader([]byte(tt.in), edi.Options{}))
		if got := draw(o); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, tt.want)
		}
	}
}

// draw writes an outline as I6(G4(D2 D2!)): level, segments, ! for a missing
// trailer, - for a level that is not there.
func draw(o edi.Outline) string {
	part := func(p edi.Part) string {
		if p.Level == 0 {
			return "-"
		}
		s := strings.ToUpper(p.Level.String()[:1]) + string(rune('0'+p.Segments))
		if !p.Complete {
			s += "!"
		}
		return s
	}
	var all []string
	for _, i := range o.Interchanges {
		var groups []string
		for _, g := range i.Groups {
			var docs []string
			for _, d := range g.Documents {
				docs = append(docs, part(d))
			}
			groups = append(groups, part(g.Part)+"("+strings.Join(docs, " ")+")")
		}
		all = append(all, part(i.Part)+"("+strings.Join(groups, " ")+")")
	}
	return strings.Join(all, " ")
}

func TestOutlineIsBounded(t *testing.T) {
	t.Parallel()
	in := unb3 + strings.Repeat("UNH+1+A:D:96A:UN'UNT+2+1'", 11) + "UNZ+11+1'"
	_, err := edi.ReadOutline(edi.NewBytesReader([]byte(in), edi.Options{Limits: edi.Limits{Parts: 10}}))
	var se *edi.SyntaxError
	if !errors.As(err, &se) || se.Code != edi.CodeParts {
		t.Errorf("error %v", err)
	}
}
