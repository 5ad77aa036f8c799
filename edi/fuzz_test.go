package edi_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"tradepost/edi"
)

// seeds are inputs of many kinds for the fuzz targets.
func seeds() []string {
	return []string{
		order850,
		"UNA:+.? '\nUNB+UNOA:3+S:14+R:14+260801:1200+1'\nUNH+1+ORDERS:D:96A:UN'\nFTX+AAI+++a??b?'c?+d?:e'\nUNT+3+1'\nUNZ+1+1'",
		"UNB+UNOC:4+S+R+20260801:1200+1'UNG+ORDERS+A+B+20260801:1200+1+UN+D:01B'UNH+1+ORDERS:D:01B:UN'RFF+ON:1*ON:2'UNT+3+1'UNE+1+1'UNZ+1+1'",
		"UNB+UNOC:4+S+R+20260801:1200+1'UNO+1+A:1+B+5'\x00'+U?UNP+5+1'UNZ+1+1'",
		"UNB\x1dUNOB\x1f1\x1dS\x1dR\x1d260801\x1f1200\x1d1\x1cUNZ\x1d0\x1d1\x1c",
		"ISA*00* *00* *ZZ*A*ZZ*B*260801*1200*^*00501*000000001*0*T*:~\r\nGS*HI*A*B*20260801*1200*1*X*005010~BIN*4*a~*b~\r\nGE*0*1~IEA*1*000000001~",
		"some mail text\n" + order850 + "\n\n--\nregards\n" + order850 + "\x1a",
		"\xef\xbb\xbfUNB+UNOA:1+A+B+260801:1200+1\nUNH+1+IFCSUM:D:01B:UN\nUNT+2+1\nUNZ+1+1\n",
		"UNA:+.?*'\nUNB+IATA:1+1A+KRC+130527:0649+0003'\nUNH+1+PNRGOV:11:1:IA'\nFTX+a*b'UNT+3+1'UNZ+1+0003'",
		"STX=ANA:1+A+B'", "GS*PO*A*B~", "", " \n", "UNA", "ISA*", "UNB+", "UNH+1+ORDERS:D:96A:UN'UNT+2+1'",
	}
}

func options(b byte) edi.Options {
	o := edi.Options{Strict: b&1 != 0}
	if b&2 != 0 {
		o.Limits = edi.Limits{Segment: 128, Binary: 64, Elements: 20, Components: 5, Repeats: 4, Gap: 64}
	}
	return o
}

// step is what one call of Next gave.
type step struct {
	lead, raw, tag string
	pos            edi.Position
	elements       string
	notices        int
	err            string
}

// steps reads r to its end and checks what holds for every input.
func steps(t *testing.T, r *edi.Reader) (all []step, whole []byte) {
	t.Helper()
	offset, exact := int64(0), true
	for range 1 << 16 {
		s, err := r.Next()
		st := step{notices: len(r.Notices())}
		if err != nil {
			st.err = err.Error()
			all = append(all, st)
			if errors.Is(err, io.EOF) {
				if exact {
					return all, append(whole, r.Trailing()...)
				}
				return all, nil
			}
			var se *edi.SyntaxError
			if !errors.As(err, &se) {
				t.Fatalf("untyped error %v", err)
			}
			if !se.Recoverable {
				return all, nil
			}
			exact = false
			offset = se.Offset
			continue
		}
		if s.Pos.Offset < offset || exact && s.Pos.Offset != offset+int64(len(s.Lead)) {
			t.Fatalf("segment %q at %d, behind %d", s.Raw, s.Pos.Offset, offset)
		}
		offset = s.End()
		st.lead, st.raw, st.tag, st.pos = string(s.Lead), string(s.Raw), string(s.Tag), s.Pos
		whole = append(append(whole, s.Lead...), s.Raw...)
		var b bytes.Buffer
		for i := 0; i <= s.Len()+1; i++ {
			e := s.Element(i)
			b.WriteByte('|')
			b.Write(e.Raw())
			if at := e.Offset() - s.Pos.Offset; !e.Empty() && !bytes.HasPrefix(s.Raw[at:], e.Raw()) {
				t.Fatalf("element %d of %q is not at its offset", i, s.Raw)
			}
			for k := 1; k <= e.Repeats(); k++ {
				one := e.Repeat(k)
				for j := 1; j <= one.Components(); j++ {
					v := one.Component(j)
					b.WriteByte('.')
					b.Write(v.Append(nil))
					if v.String() != string(v.Text(nil)) || !v.Is(v.String()) {
						t.Fatalf("texts of %q differ", v.Raw())
					}
				}
			}
		}
		st.elements = b.String()
		all = append(all, st)
	}
	t.Fatal("the reader does not end")
	return nil, nil
}

func FuzzReader(f *testing.F) {
	for i, s := range seeds() {
		f.Add([]byte(s), byte(i))
	}
	f.Fuzz(func(t *testing.T, in []byte, mode byte) {
		o := options(mode)
		r := edi.NewBytesReader(in, o)
		want, whole := steps(t, r)
		if whole != nil && !bytes.Equal(whole, in) {
			t.Fatalf("what was read is not what went in:\n%q\n%q", whole, in)
		}
		got, _ := steps(t, edi.NewReader(iotest.OneByteReader(bytes.NewReader(in)), o))
		if len(got) != len(want) {
			t.Fatalf("%d steps byte by byte, %d at once", len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("step %d byte by byte %+v, at once %+v", i, got[i], want[i])
			}
		}
	})
}

func FuzzRoundTrip(f *testing.F) {
	for _, s := range seeds() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		r := edi.NewReader(iotest.HalfReader(bytes.NewReader(in)), edi.Options{})
		if err := edi.Copy(edi.NewWriter(&out, edi.Delimiters{}, edi.WriterOptions{}), r); err != nil {
			return // not readable; FuzzReader looks at the errors
		}
		if !bytes.Equal(in, out.Bytes()) {
			t.Fatalf("in %q\nout %q", in, out.Bytes())
		}
		o, err := edi.ReadOutline(edi.NewBytesReader(in, edi.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range o.Interchanges {
			for _, g := range x.Groups {
				for _, d := range append(g.Documents, g.Part, x.Part) {
					if d.Offset < 0 || d.Length < 0 || d.End() > int64(len(in)) {
						t.Fatalf("part %+v leaves the input", d)
					}
				}
			}
		}
	})
}

func FuzzPeek(f *testing.F) {
	for _, s := range seeds() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		h, err := edi.Peek(in)
		if err == nil && h.Standard == edi.Unknown {
			t.Fatal("no error and no standard")
		}
		h2, err2 := edi.PeekReader(bytes.NewReader(in))
		if (err == nil) != (err2 == nil) || h.Control != h2.Control || h.Document != h2.Document {
			t.Fatalf("Peek %+v %v, PeekReader %+v %v", h, err, h2, err2)
		}
	})
}

// FuzzWriter writes values and reads them back.
func FuzzWriter(f *testing.F) {
	f.Add("FTX", "a?b'c+d:e", "", "x", byte(0))
	f.Add("N1", "plain", "two", "", byte(1))
	f.Fuzz(func(t *testing.T, tag, a, b, c string, mode byte) {
		d := edi.DefaultEDIFACT(4)
		if mode&1 != 0 {
			d = edi.DefaultX12()
		}
		var out bytes.Buffer
		w := edi.NewWriter(&out, d, edi.WriterOptions{KeepEmpty: mode&2 != 0})
		err := w.WriteFields(tag, edi.Simple(a), edi.Composite(b, c), edi.Repeated(edi.Simple(c), edi.Composite(a, b)), edi.Simple("end"))
		if err != nil {
			if w.Written() != 0 {
				t.Fatalf("an error and bytes: %v", err)
			}
			return
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if tag == "UNA" || tag == "ISA" || tag == "UNB" || tag == "UIB" || tag == "BIN" || tag == "BDS" {
			return // these declare delimiters or count bytes
		}
		s, err := edi.NewFragmentReader(out.Bytes(), d, edi.Options{}).Next()
		if err != nil {
			t.Fatal(err)
		}
		second, third := s.Element(2), s.Element(3)
		if !s.Is(tag) || s.Len() != 4 || !s.Element(1).Component(1).Is(a) || !second.Component(1).Is(b) || !second.Component(2).Is(c) ||
			!third.Repeat(1).Component(1).Is(c) || !third.Repeat(2).Component(1).Is(a) || !third.Repeat(2).Component(2).Is(b) {
			t.Fatalf("wrote %q %q %q %q as %q", tag, a, b, c, out.Bytes())
		}
	})
}
