package x12_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"tradepost/edi"
	"tradepost/edi/x12"
)

func header() (x12.ISA, x12.GS) {
	now := time.Date(2026, 8, 1, 12, 5, 0, 0, time.UTC)
	isa := x12.ISA{Sender: edi.Party{Qualifier: "ZZ", ID: "ALICE"}, Receiver: edi.Party{Qualifier: "01", ID: "123456789"}, Version: "00401", Control: "7", Usage: "T"}
	isa.SetTime(now)
	gs := x12.GS{Type: "PO", Sender: "ALICE", Receiver: "BOB", Control: "12", Version: "004010"}
	gs.SetTime(now)
	return isa, gs
}

func TestISAHasItsFixedWidths(t *testing.T) {
	t.Parallel()
	isa, _ := header()
	got, err := isa.Append(nil, edi.DefaultX12())
	want := "ISA*00*          *00*          *ZZ*ALICE          *01*123456789      *260801*1205*U*00401*000000007*0*T*>~"
	if err != nil || string(got) != want || len(got) != 106 {
		t.Fatalf("%q, %v", got, err)
	}
	isa.Version, isa.AckRequested = "00501", true
	got, err = isa.Append(got[:0], edi.DefaultX12())
	if err != nil || string(got[82:90]) != "^*00501*" || got[100] != '1' {
		t.Errorf("from 00402 on ISA11 is the repetition separator: %q, %v", got, err)
	}
	s, err := edi.NewBytesReader(got, edi.Options{Strict: true}).Next()
	if err != nil {
		t.Fatal(err)
	}
	back, err := x12.ReadISA(s)
	isa.AuthorizationQualifier, isa.SecurityQualifier, isa.Standards, isa.Control = "00", "00", "^", "000000007"
	if err != nil || back != isa {
		t.Errorf("read back %+v, %v; want %+v", back, err, isa)
	}
}

func TestISARefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change  func(*x12.ISA, *edi.Delimiters)
		code    edi.Code
		element int
	}{
		"sender too long":     {func(x *x12.ISA, _ *edi.Delimiters) { x.Sender.ID = "SIXTEEN-LETTERS!" }, edi.CodeValueWidth, 6},
		"qualifier too short": {func(x *x12.ISA, _ *edi.Delimiters) { x.Receiver.Qualifier = "1" }, edi.CodeValueWidth, 7},
		"date of 8":           {func(x *x12.ISA, _ *edi.Delimiters) { x.Date = "20260801" }, edi.CodeValueWidth, 9},
		"no version":          {func(x *x12.ISA, _ *edi.Delimiters) { x.Version = "" }, edi.CodeValueWidth, 12},
		"control of 10":       {func(x *x12.ISA, _ *edi.Delimiters) { x.Control = "1234567890" }, edi.CodeControlNumber, 13},
		"control of letters":  {func(x *x12.ISA, _ *edi.Delimiters) { x.Control = "A1" }, edi.CodeControlNumber, 13},
		"no control":          {func(x *x12.ISA, _ *edi.Delimiters) { x.Control = "" }, edi.CodeControlNumber, 13},
		"delimiter inside":    {func(x *x12.ISA, _ *edi.Delimiters) { x.Sender.ID = "A>B" }, edi.CodeDelimiterValue, 6},
		"same delimiters":     {func(_ *x12.ISA, d *edi.Delimiters) { d.Component = '*' }, edi.CodeDelimiters, 0},
		"no component":        {func(_ *x12.ISA, d *edi.Delimiters) { d.Component = 0 }, edi.CodeDelimiters, 16},
	} {
		isa, _ := header()
		d := edi.DefaultX12()
		tt.change(&isa, &d)
		got, err := isa.Append(nil, d)
		var se *edi.SyntaxError
		if !errors.As(err, &se) || se.Code != tt.code || se.Element != tt.element || len(got) != 0 {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

const document = "ST*850*0001~\r\n BEG*00*NE*PO-1**20260801~\r\nPO1*1*5*EA*9.95**~\r\nSE*4*0001~"

// outline reads what was written and returns it with its documents.
func outline(t *testing.T, b []byte) edi.InterchangeOutline {
	t.Helper()
	o, err := edi.ReadOutline(edi.NewBytesReader(b, edi.Options{}))
	if err != nil || len(o.Interchanges) != 1 || !o.Interchanges[0].Complete {
		t.Fatalf("%q: %v, %+v", b, err, o)
	}
	return o.Interchanges[0]
}

func TestWrapKeepsTheBytesOfTheDocument(t *testing.T) {
	t.Parallel()
	isa, gs := header()
	for name, tt := range map[string]struct {
		doc  x12.Document
		want string
	}{
		"as it is":          {x12.Document{Bytes: []byte(document)}, document},
		"new control":       {x12.Document{Bytes: []byte(document), Control: "000042"}, strings.ReplaceAll(document, "*0001~", "*000042~")},
		"counted anew":      {x12.Document{Bytes: []byte(strings.Replace(document, "SE*4", "SE*99", 1)), Recount: true}, document},
		"wrong count stays": {x12.Document{Bytes: []byte(strings.Replace(document, "SE*4", "SE*99", 1)), Control: "0001"}, strings.Replace(document, "SE*4", "SE*99", 1)},
		"line end behind":   {x12.Document{Bytes: []byte(document + "\r\n")}, document},
		"with ST03":         {x12.Document{Bytes: []byte("ST*850*1*X~SE*2*1~"), Control: "9"}, "ST*850*9*X~SE*2*9~"},
	} {
		var out bytes.Buffer
		if err := x12.Wrap(&out, isa, gs, tt.doc, "\r\n"); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		i := outline(t, out.Bytes())
		doc := i.Groups[0].Documents[0]
		if got := out.String()[doc.Offset:doc.End()]; got != tt.want {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got, tt.want)
		}
		if i.Interchange.Control != "000000007" || i.TrailerControl != "000000007" || i.TrailerCount != "1" || i.Groups[0].TrailerCount != "1" || i.Groups[0].TrailerControl != "12" {
			t.Errorf("%s: envelope %+v", name, i)
		}
	}
}

func TestWrapInOtherDelimiters(t *testing.T) {
	t.Parallel()
	isa, gs := header()
	from := edi.Delimiters{Standard: edi.X12, Segment: '\n', Element: '|', Component: '<', Repetition: '^'}
	doc := x12.Document{Bytes: []byte("ST|850|0001\nBEG|00|NE|PO*1\nPO1|1||A<B|\nSE|4|0001\n"), Delimiters: from, Control: "0002"}
	x := x12.Interchange{ISA: isa, Delimiters: edi.Delimiters{Segment: '!', Element: '+', Component: ':'}, Groups: []x12.Group{{GS: gs, Documents: []x12.Document{doc}}}}
	var out bytes.Buffer
	if err := x.Write(&out); err != nil {
		t.Fatal(err)
	}
	if want := "ST+850+0002!BEG+00+NE+PO*1!PO1+1++A:B+!SE+4+0002!"; !strings.Contains(out.String(), want) {
		t.Errorf("%q lacks %q", out.String(), want)
	}
	x.Delimiters = edi.DefaultX12()
	var se *edi.SyntaxError
	if err := x.Write(&out); !errors.As(err, &se) || se.Code != edi.CodeDelimiterValue || se.Segment != "BEG" || se.Element != 3 {
		t.Errorf("a value with one of the new delimiters: %v", err)
	}
	// Another repetition separator concerns only documents that use one.
	isa.Version = "00501"
	old := edi.DefaultX12()
	old.Repetition = '!'
	for bytesOf, want := range map[string]string{"ST*1*1~EB*a^b~SE*3*1~": "refused", "ST*1*1~EB*a!b~SE*3*1~": "EB*a^b~", "ST*1*1~EB*a*~\nSE*3*1~": "EB*a*~\nSE"} {
		out.Reset()
		x = x12.Interchange{ISA: isa, Groups: []x12.Group{{GS: gs, Documents: []x12.Document{{Bytes: []byte(bytesOf), Delimiters: old}}}}}
		if err := x.Write(&out); (want == "refused") != (err != nil) || err == nil && !strings.Contains(out.String(), want) {
			t.Errorf("%q became %q, %v", bytesOf, out.String(), err)
		}
	}
}

func TestWrapRefusesWhatIsNotOneDocument(t *testing.T) {
	t.Parallel()
	isa, gs := header()
	for name, in := range map[string]string{
		"nothing":        "",
		"two":            document + document,
		"no ST":          "BEG*00~SE*2*1~",
		"no SE":          "ST*850*1~BEG*00~",
		"no terminator":  "ST*850*1~SE*2*1",
		"with its GS":    "GS*PO*A*B~" + document,
		"another inside": "ST*850*1~ST*850*2~SE*2*2~",
	} {
		var out bytes.Buffer
		var se *edi.SyntaxError
		if err := x12.Wrap(&out, isa, gs, x12.Document{Bytes: []byte(in)}, ""); !errors.As(err, &se) || se.Code != edi.CodeEnvelope {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestInterchangeOfAcknowledgementsAlone(t *testing.T) {
	t.Parallel()
	isa, _ := header()
	x := x12.Interchange{ISA: isa, LineEnd: "\n", TA1: []x12.TA1{{Control: "15", Date: "260731", Time: "2359", Code: "R", Note: "022"}}}
	var out bytes.Buffer
	if err := x.Write(&out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "~\nTA1*000000015*260731*2359*R*022~\nIEA*0*000000007~\n") {
		t.Errorf("%q", out.String())
	}
	r := edi.NewBytesReader(out.Bytes(), edi.Options{Strict: true})
	var got x12.TA1
	var end x12.Trailer
	for range 3 {
		s, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		switch string(s.Tag) {
		case "TA1":
			got, err = x12.ReadTA1(s)
		case "IEA":
			end, err = x12.ReadTrailer(s)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if got != (x12.TA1{Control: "000000015", Date: "260731", Time: "2359", Code: "R", Note: "022"}) || end != (x12.Trailer{Count: 0, Control: "000000007"}) {
		t.Errorf("%+v %+v", got, end)
	}
}

func TestServiceSegmentsReadBack(t *testing.T) {
	t.Parallel()
	isa, gs := header()
	var out bytes.Buffer
	if err := x12.Wrap(&out, isa, gs, x12.Document{Bytes: []byte("ST*837*0021*005010X222~SE*x*0021~")}, "\n"); err != nil {
		t.Fatal(err)
	}
	r := edi.NewBytesReader(out.Bytes(), edi.Options{})
	for {
		s, err := r.Next()
		if err != nil {
			break
		}
		switch string(s.Tag) {
		case "GS":
			gs.Agency = "X"
			if got, err := x12.ReadGS(s); err != nil || got != gs {
				t.Errorf("GS %+v, %v", got, err)
			}
		case "ST":
			if got, err := x12.ReadST(s); err != nil || got != (x12.ST{Type: "837", Control: "0021", Convention: "005010X222"}) {
				t.Errorf("ST %+v, %v", got, err)
			}
			if _, err := x12.ReadGS(s); err == nil {
				t.Error("an ST was read as GS")
			}
		case "SE":
			var se *edi.SyntaxError
			if _, err := x12.ReadTrailer(s); !errors.As(err, &se) || se.Element != 1 || se.Line != 3 {
				t.Errorf("a count that is no number: %v", err)
			}
		case "GE":
			if got, err := x12.ReadTrailer(s); err != nil || got != (x12.Trailer{Count: 1, Control: "12"}) {
				t.Errorf("GE %+v, %v", got, err)
			}
		}
	}
	if got := x12.InterchangeVersion("005010X222A1"); got != "00501" {
		t.Errorf("interchange version %q", got)
	}
	old := x12.GS{Version: "003020"}
	old.SetTime(time.Date(1999, 12, 31, 1, 2, 0, 0, time.UTC))
	if old.Date != "991231" || old.Time != "0102" {
		t.Errorf("before 004010 a group date has six digits: %+v", old)
	}
}
