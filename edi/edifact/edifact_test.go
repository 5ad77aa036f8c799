package edifact_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tradepost/edi"
	"tradepost/edi/edifact"
)

func header(version string) edifact.UNB {
	x := edifact.UNB{
		Syntax: "UNOC", Version: version, Sender: edi.Party{ID: "4012345000009", Qualifier: "14"},
		Receiver: edi.Party{ID: "O'NEIL", Qualifier: "ZZZ", Internal: "EU"}, Control: "REF1", Test: "1",
	}
	x.SetTime(time.Date(2026, 8, 1, 12, 5, 0, 0, time.UTC))
	return x
}

const document = "UNH+1+ORDERS:D:96A:UN:EAN008'\r\nBGM+220+PO?+1++'\r\n UNT+3+1'"

func TestWrapKeepsTheBytesOfTheDocument(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		doc  edifact.Document
		want string
	}{
		"as it is":      {edifact.Document{Bytes: []byte(document)}, document},
		"new reference": {edifact.Document{Bytes: []byte(document), Control: "A'7"}, strings.NewReplacer("UNH+1+", "UNH+A?'7+", "UNT+3+1", "UNT+3+A?'7").Replace(document)},
		"counted anew":  {edifact.Document{Bytes: []byte(strings.Replace(document, "UNT+3", "UNT+158", 1)), Recount: true}, document},
	} {
		var out bytes.Buffer
		if err := edifact.Wrap(&out, header("3"), tt.doc, "\n"); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := "UNB+UNOC:3+4012345000009:14+O?'NEIL:ZZZ:EU+260801:1205+REF1++++++1'\n" + tt.want + "\nUNZ+1+REF1'\n"
		if out.String() != want {
			t.Errorf("%s:\ngot  %q\nwant %q", name, out.String(), want)
		}
	}
}

func TestUNAIsWrittenWhenItIsNeeded(t *testing.T) {
	t.Parallel()
	other := edi.Delimiters{Segment: '#', Element: '@', Component: '*', Release: '?', Decimal: ','}
	for name, tt := range map[string]struct {
		x    edifact.Interchange
		want string
	}{
		"default":           {edifact.Interchange{UNB: header("3")}, "UNB+"},
		"default, syntax 4": {edifact.Interchange{UNB: header("4")}, "UNB+UNOC:4+4012345000009:14+O?'NEIL:ZZZ:EU+20260801:1205"},
		"asked for":         {edifact.Interchange{UNB: header("3"), AlwaysUNA: true}, "UNA:+.? 'UNB+"},
		"asked for, 4":      {edifact.Interchange{UNB: header("4"), AlwaysUNA: true}, "UNA:+.?*'UNB+"},
		"others":            {edifact.Interchange{UNB: header("3"), Delimiters: other}, "UNA*@,? #UNB@UNOC*3@"},
	} {
		tt.x.Documents = []edifact.Document{{Bytes: []byte(strings.ReplaceAll(document, "\n ", "\n")), Delimiters: edi.DefaultEDIFACT(3)}}
		var out bytes.Buffer
		if err := tt.x.Write(&out); err != nil || !strings.HasPrefix(out.String(), tt.want) {
			t.Errorf("%s: %q, %v", name, out.String(), err)
		}
		o, err := edi.ReadOutline(edi.NewBytesReader(out.Bytes(), edi.Options{Strict: true}))
		if err != nil || len(o.Interchanges) != 1 || !o.Interchanges[0].Complete || len(o.Interchanges[0].Groups[0].Documents) != 1 {
			t.Errorf("%s: read back %d interchanges, %v", name, len(o.Interchanges), err)
		}
	}
}

func TestGroups(t *testing.T) {
	t.Parallel()
	ung := edifact.UNG{
		Type: "ORDERS", Sender: edi.Party{ID: "GS", Qualifier: "14"}, Receiver: edi.Party{ID: "GR", Qualifier: "ZZ"},
		Date: "260801", Time: "1205", Control: "7", Agency: "UN", Version: "D", Release: "96A", Association: "EAN008",
	}
	doc := edifact.Document{Bytes: []byte(document)}
	x := edifact.Interchange{UNB: header("3"), LineEnd: "\n", Groups: []edifact.Group{{UNG: ung, Documents: []edifact.Document{doc, doc}}}}
	var out bytes.Buffer
	if err := x.Write(&out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "'\nUNE+2+7'\nUNZ+1+REF1'\n") {
		t.Errorf("%q", out.String())
	}
	r := edi.NewBytesReader(out.Bytes(), edi.Options{})
	for {
		s, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch string(s.Tag) {
		case "UNB":
			got, err := edifact.ReadUNB(s)
			if want := header("3"); err != nil || got.Sender != want.Sender || got.Receiver != want.Receiver || got.Control != want.Control || got.Test != "1" || got.Syntax != "UNOC" || got.Date != "260801" {
				t.Errorf("UNB %+v, %v", got, err)
			}
		case "UNG":
			if got, err := edifact.ReadUNG(s); err != nil || got != ung {
				t.Errorf("UNG with qualifiers %+v, %v", got, err)
			}
		case "UNH":
			if got, err := edifact.ReadUNH(s); err != nil || got != (edifact.UNH{Control: "1", Type: "ORDERS", Version: "D", Release: "96A", Agency: "UN", Association: "EAN008"}) {
				t.Errorf("UNH %+v, %v", got, err)
			}
			if _, err := edifact.ReadUNB(s); err == nil {
				t.Error("a UNH was read as UNB")
			}
		case "UNE":
			if got, err := edifact.ReadTrailer(s); err != nil || got != (edifact.Trailer{Count: 2, Control: "7"}) {
				t.Errorf("UNE %+v, %v", got, err)
			}
		}
	}
	x.Documents = []edifact.Document{doc}
	if err := x.Write(&out); err == nil {
		t.Error("documents in groups and outside went through")
	}
}

func TestDocumentsInOtherDelimiters(t *testing.T) {
	t.Parallel()
	from := edi.Delimiters{Segment: '~', Element: '|', Component: '^', Release: '\\'}
	var out bytes.Buffer
	x := edifact.Interchange{UNB: header("3"), Documents: []edifact.Document{{Bytes: []byte("UNH|1|ORDERS^D^96A^UN~FTX|AAI|||it's 5\\^ + a\\|b?~UNT|3|1~"), Delimiters: from}}}
	if err := x.Write(&out); err != nil {
		t.Fatal(err)
	}
	if want := "UNH+1+ORDERS:D:96A:UN'FTX+AAI+++it?'s 5^ ?+ a|b??'UNT+3+1'"; !strings.Contains(out.String(), want) {
		t.Errorf("%q lacks %q", out.String(), want)
	}
	for name, in := range map[string]string{"nothing": "", "two": document + document, "no UNT": "UNH+1+A:D:96A:UN'", "no terminator": "UNH+1+A:D:96A:UN'UNT+2+1", "its UNB": "UNB+UNOC:3+A+B+C+D'" + document} {
		var se *edi.SyntaxError
		if err := edifact.Wrap(&out, header("3"), edifact.Document{Bytes: []byte(in)}, ""); !errors.As(err, &se) || se.Code != edi.CodeEnvelope {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCombiningMarks: what a system writes as a letter and its accent is one
// character in a set that has it.
func TestCombiningMarks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ id, text, encoded string }{
		{"UNOC", "Gro\u0308\u00dfe, cafe\u0301", "Gr\xf6\xdfe, caf\xe9"},
		{"UNOC", "A\u030a", "\xc5"},
		{"UNOD", "Lo\u0301dz\u0301", "L\xf3d\xbc"},
		{"UNOE", "\u0438\u0306", "\xd9"},
		{"UNOF", "\u03b1\u0301", "\xdc"},
		{"UNOY", "cafe\u0301", "cafe\u0301"},
		{"UNOC", "x\u0301", ""}, // no such letter
		{"UNOC", "n\u0301", ""}, // not in this set
		{"UNOC", "e\u0301\u0301", ""},
		{"UNOC", "\u0301", ""},
		{"UNOA", "E\u0301", ""},
		{"UNOC", "e\xff", ""},
	} {
		set, _ := edifact.CharsetOf(c.id)
		got, err := set.Encode(nil, c.text)
		if (err == nil) != (c.encoded != "") || err == nil && string(got) != c.encoded {
			t.Errorf("%s encodes %q: %q, %v", c.id, c.text, got, err)
		}
	}
}

func TestCharacterSets(t *testing.T) {
	t.Parallel()
	for id, tt := range map[string]struct{ name, text, encoded, outside string }{
		"UNOA": {"ISO-646 level A", "ORDER 5, (A/B)=!\"%&*;<>'+:?", "ORDER 5, (A/B)=!\"%&*;<>'+:?", "a"},
		"UNOB": {"ISO-646 level B", "Order 5", "Order 5", "@"},
		"UNOC": {"ISO-8859-1", "Büro @ Åse", "B\xfcro @ \xc5se", "€"},
		"UNOD": {"ISO-8859-2", "Łódź", "\xa3\xf3d\xbc", "ñ"},
		"UNOE": {"ISO-8859-5", "Москва", "\xbc\xde\xe1\xda\xd2\xd0", "é"},
		"UNOF": {"ISO-8859-7", "Αθήνα", "\xc1\xe8\xde\xed\xe1", "é"},
		"UNOG": {"ISO-8859-3", "Ħ", "\xa1", "Ж"},
		"UNOH": {"ISO-8859-4", "Rīga", "R\xefga", "Ж"},
		"UNOI": {"ISO-8859-6", "سلام", "\xd3\xe4\xc7\xe5", "é"},
		"UNOJ": {"ISO-8859-8", "שלום", "\xf9\xec\xe5\xed", "é"},
		"UNOK": {"ISO-8859-9", "İğ", "\xdd\xf0", "Ж"},
		"UNOL": {"ISO-8859-15", "5 €", "5 \xa4", "¤"},
		"UNOW": {"UTF-8", "Łódź €", "Łódź €", "\u0085"},
		"UNOX": {"ISO-2022", "plain", "plain", "é"},
		"UNOY": {"UTF-8", "漢字", "漢字", "\u0085"},
	} {
		c, ok := edifact.CharsetOf(id)
		if !ok || c.ID() != id || c.Name() != tt.name {
			t.Errorf("%s: %v, %v", id, c, ok)
			continue
		}
		got, err := c.Decode(nil, []byte(tt.encoded))
		if err != nil || string(got) != tt.text {
			t.Errorf("%s decodes %q, %v", id, got, err)
		}
		back, err := c.Encode(nil, tt.text)
		if err != nil || string(back) != tt.encoded {
			t.Errorf("%s encodes %q, %v", id, back, err)
		}
		var se *edi.SyntaxError
		if _, err := c.Encode(nil, "AB"+tt.outside); !errors.As(err, &se) || se.Code != edi.CodeCharset || se.Offset != 2 {
			t.Errorf("%s encodes %q: %v", id, tt.outside, err)
		}
		if at := c.Check([]byte(tt.encoded)); at != -1 {
			t.Errorf("%s: byte %d of its own text is outside", id, at)
		}
		if at := c.Check([]byte("A\x07B")); at != 1 {
			t.Errorf("%s: a control character is inside: %d", id, at)
		}
	}
	for id, in := range map[string]string{"UNOA": "Ab", "UNOB": "A#", "UNOC": "A\x85", "UNOF": "A\xff", "UNOW": "A\xff", "UNOX": "A\x1b$B"} {
		c, _ := edifact.CharsetOf(id)
		got, err := c.Decode(nil, []byte(in))
		var se *edi.SyntaxError
		if !errors.As(err, &se) || se.Offset != 1 || string(got) != "A" || c.Check([]byte(in)) != 1 {
			t.Errorf("%s decodes %q to %q, %v", id, in, got, err)
		}
	}
	if _, ok := edifact.CharsetOf("IATB"); ok {
		t.Error("IATB is known")
	}
}

func FuzzCharset(f *testing.F) {
	f.Add("UNOC", []byte("B\xfcro"))
	f.Add("UNOF", []byte("\xc1\xff"))
	f.Add("UNOD", []byte("e\xcc\x81"))
	f.Add("UNOW", []byte("\xed\xa0\x80"))
	f.Fuzz(func(t *testing.T, id string, in []byte) {
		c, ok := edifact.CharsetOf(id)
		if !ok {
			return
		}
		if _, err := c.Encode(nil, string(in)); err == nil && !utf8.Valid(in) {
			t.Fatalf("%s encodes %q", c, in)
		}
		text, err := c.Decode(nil, in)
		if (err == nil) != (c.Check(in) == -1) {
			t.Fatalf("Decode says %v, Check %d", err, c.Check(in))
		}
		if err != nil {
			return
		}
		back, err := c.Encode(nil, string(text))
		if err != nil || !bytes.Equal(back, in) {
			t.Fatalf("%q became %q, then %q: %v", in, text, back, err)
		}
	})
}
