package edi_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"tradepost/edi"
)

func written(t *testing.T, d edi.Delimiters, o edi.WriterOptions, write func(w *edi.Writer) error) (string, error) {
	t.Helper()
	var out bytes.Buffer
	w := edi.NewWriter(&out, d, o)
	err := write(w)
	if ferr := w.Flush(); ferr != nil {
		t.Fatal(ferr)
	}
	if int64(out.Len()) != w.Written() {
		t.Errorf("Written says %d of %d bytes", w.Written(), out.Len())
	}
	return out.String(), err
}

func TestWriteInCanonicalForm(t *testing.T) {
	t.Parallel()
	x12, edifact := edi.DefaultX12(), edi.DefaultEDIFACT(4)
	for name, tt := range map[string]struct {
		d     edi.Delimiters
		o     edi.WriterOptions
		write func(w *edi.Writer) error
		want  string
	}{
		"simple elements":           {x12, edi.WriterOptions{}, func(w *edi.Writer) error { return w.Write("AK1", "PO", "1") }, "AK1*PO*1~"},
		"line end":                  {x12, edi.WriterOptions{LineEnd: "\r\n"}, func(w *edi.Writer) error { return w.Write("SE", "2", "0001") }, "SE*2*0001~\r\n"},
		"no elements":               {x12, edi.WriterOptions{}, func(w *edi.Writer) error { return w.Write("AK2") }, "AK2~"},
		"trailing empties left out": {x12, edi.WriterOptions{}, func(w *edi.Writer) error { return w.Write("N1", "ST", "", "92", "", "") }, "N1*ST**92~"},
		"trailing empties kept":     {x12, edi.WriterOptions{KeepEmpty: true}, func(w *edi.Writer) error { return w.Write("N1", "ST", "", "") }, "N1*ST**~"},
		"composite":                 {x12, edi.WriterOptions{}, func(w *edi.Writer) error { return w.WriteFields("SV1", edi.Composite("HC", "99211", "", "")) }, "SV1*HC>99211~"},
		"repeated": {x12, edi.WriterOptions{}, func(w *edi.Writer) error {
			return w.WriteFields("EB", edi.Repeated(edi.Simple("1"), edi.Composite("2", "x")), edi.Field{}, edi.Simple("z"))
		}, "EB*1^2>x**z~"},
		"question mark in X12": {x12, edi.WriterOptions{}, func(w *edi.Writer) error { return w.Write("MSG", "why? it's +1:2") }, "MSG*why? it's +1:2~"},
		"released in EDIFACT":  {edifact, edi.WriterOptions{}, func(w *edi.Writer) error { return w.Write("FTX", "a?b'c+d:e*f") }, "FTX+a??b?'c?+d?:e?*f'"},
		"composite in EDIFACT": {edifact, edi.WriterOptions{}, func(w *edi.Writer) error { return w.WriteFields("DTM", edi.Composite("137", "20260801", "102")) }, "DTM+137:20260801:102'"},
		"star before syntax 4": {edi.DefaultEDIFACT(3), edi.WriterOptions{}, func(w *edi.Writer) error { return w.Write("FTX", "a*b") }, "FTX+a*b'"},
		"empty components inside": {edifact, edi.WriterOptions{}, func(w *edi.Writer) error {
			return w.WriteFields("NAD", edi.Simple("BY"), edi.Composite("1", "", "9", ""))
		}, "NAD+BY+1::9'"},
	} {
		got, err := written(t, tt.d, tt.o, tt.write)
		if err != nil || got != tt.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, tt.want)
		}
	}
}

func TestWriterRefusesWhatCannotBeReadBack(t *testing.T) {
	t.Parallel()
	noRelease := edi.Delimiters{Standard: edi.EDIFACT, Segment: 0x1C, Element: 0x1D, Component: 0x1F}
	for name, tt := range map[string]struct {
		d         edi.Delimiters
		write     func(w *edi.Writer) error
		code      edi.Code
		element   int
		component int
	}{
		"element separator":    {edi.DefaultX12(), func(w *edi.Writer) error { return w.Write("MSG", "ok", "a*b") }, edi.CodeDelimiterValue, 2, 1},
		"terminator":           {edi.DefaultX12(), func(w *edi.Writer) error { return w.Write("MSG", "a~b") }, edi.CodeDelimiterValue, 1, 1},
		"component separator":  {edi.DefaultX12(), func(w *edi.Writer) error { return w.WriteFields("SV1", edi.Composite("HC", "a>b")) }, edi.CodeDelimiterValue, 1, 2},
		"repetition separator": {edi.DefaultX12(), func(w *edi.Writer) error { return w.Write("MSG", "a^b") }, edi.CodeDelimiterValue, 1, 1},
		"line end":             {edi.DefaultX12(), func(w *edi.Writer) error { return w.Write("MSG", "a\nb") }, edi.CodeDelimiterValue, 1, 1},
		"line end in EDIFACT":  {edi.DefaultEDIFACT(3), func(w *edi.Writer) error { return w.Write("FTX", "a\r\nb") }, edi.CodeDelimiterValue, 1, 1},
		"no release character": {noRelease, func(w *edi.Writer) error { return w.Write("FTX", "a\x1Db") }, edi.CodeDelimiterValue, 1, 1},
		"no repetition":        {edi.DefaultEDIFACT(3), func(w *edi.Writer) error { return w.WriteFields("RFF", edi.Repeated(edi.Simple("a"), edi.Simple("b"))) }, edi.CodeDelimiters, 1, 0},
		"tag with delimiter":   {edi.DefaultX12(), func(w *edi.Writer) error { return w.Write("A*B", "x") }, edi.CodeSegmentTag, 0, 0},
		"no tag":               {edi.DefaultX12(), func(w *edi.Writer) error { return w.Write("", "x") }, edi.CodeSegmentTag, 0, 0},
	} {
		got, err := written(t, tt.d, edi.WriterOptions{}, tt.write)
		var se *edi.SyntaxError
		if !errors.As(err, &se) || se.Code != tt.code || se.Element != tt.element || se.Component != tt.component || se.Hint == "" {
			t.Errorf("%s: error %v", name, err)
		}
		if got != "" {
			t.Errorf("%s: wrote %q all the same", name, got)
		}
	}
}

// rewrite reads the segments of in and writes each by put.
func rewrite(t *testing.T, in string, d edi.Delimiters, put func(w *edi.Writer, s *edi.Segment) error) (string, error) {
	t.Helper()
	return written(t, d, edi.WriterOptions{}, func(w *edi.Writer) error {
		all, _ := segmentsOf(t, in)
		for _, s := range all {
			if err := put(w, s); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestWriteEditedKeepsEveryOtherByte(t *testing.T) {
	t.Parallel()
	in := "UNA:+.? '\r\n" + unb3 + "\r\nUNH+M?'1+ORDERS:D:96A:UN+++'\r\n BGM+220::'UNT+3+M?'1'UNZ+1+1'"
	got, err := rewrite(t, in, edi.DefaultX12(), func(w *edi.Writer, s *edi.Segment) error {
		switch string(s.Tag) {
		case "UNH":
			return w.WriteEdited(s, edi.Edit{Element: 1, Value: "A+7"})
		case "BGM":
			return w.WriteEdited(s, edi.Edit{Element: 4, Value: "9"})
		case "UNT":
			return w.WriteEdited(s, edi.Edit{Element: 2, Value: "A+7"}, edi.Edit{Element: 1, Value: "33"})
		}
		return w.WriteEdited(s)
	})
	want := "UNA:+.? '\r\n" + unb3 + "\r\nUNH+A?+7+ORDERS:D:96A:UN+++'\r\n BGM+220::+++9'UNT+33+A?+7'UNZ+1+1'"
	if err != nil || got != want {
		t.Errorf("%v\ngot  %q\nwant %q", err, got, want)
	}
	_, err = rewrite(t, order850, edi.DefaultX12(), func(w *edi.Writer, s *edi.Segment) error {
		return w.WriteEdited(s, edi.Edit{Element: 2, Value: "a*b"})
	})
	var se *edi.SyntaxError
	if !errors.As(err, &se) || se.Code != edi.CodeDelimiterValue || se.Segment != "ISA" || se.Line != 1 {
		t.Errorf("a delimiter in an edit: %v", err)
	}
}

func TestRewriteWithOtherDelimiters(t *testing.T) {
	t.Parallel()
	other := edi.Delimiters{Standard: edi.X12, Segment: '!', Element: '|', Component: '<'}
	put := func(w *edi.Writer, s *edi.Segment) error {
		if s.Is("ISA") {
			return nil
		}
		return w.Rewrite(s)
	}
	in := isa("U", "00401") + ">~PO1*1**EA*A>B>*~\nBIN*3*~|!~IEA*0*1~"
	got, err := rewrite(t, in, other, put)
	if want := "PO1|1||EA|A<B<|!BIN|3|~|!!IEA|0|1!"; err != nil || got != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	if _, err = rewrite(t, isa("U", "00401")+">~MSG*a|b~", other, put); err == nil {
		t.Error("a value with one of the new delimiters went through")
	}
	if _, err = rewrite(t, order850, other, func(w *edi.Writer, s *edi.Segment) error { return w.Rewrite(s) }); err == nil {
		t.Error("an ISA went through")
	}
	var se *edi.SyntaxError
	if _, err = rewrite(t, unb4+"RFF+a*b'", other, put); !errors.As(err, &se) || se.Code != edi.CodeDelimiters {
		t.Errorf("repetitions without a repetition separator: %v", err)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errDiskFull }

var errDiskFull = errors.New("disk full")

func TestWriteErrorsComeBack(t *testing.T) {
	t.Parallel()
	r := edi.NewReader(strings.NewReader(order850), edi.Options{})
	if err := edi.Copy(edi.NewWriter(fullDisk{}, edi.Delimiters{}, edi.WriterOptions{}), r); !errors.Is(err, errDiskFull) {
		t.Errorf("Copy gives %v", err)
	}
	long := strings.Repeat(order850, 200)
	if err := edi.Copy(edi.NewWriter(fullDisk{}, edi.Delimiters{}, edi.WriterOptions{}), edi.NewReader(strings.NewReader(long), edi.Options{})); !errors.Is(err, errDiskFull) {
		t.Errorf("Copy of more than a buffer gives %v", err)
	}
}
