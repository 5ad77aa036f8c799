package edi_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"tradepost/edi"
)

const order850 = "ISA*00*          *00*          *ZZ*ALICE          *ZZ*BOB            *260801*1200*U*00401*000000001*0*T*>~\n" +
	"GS*PO*ALICE*BOB*20260801*1200*1*X*004010~\n" +
	"ST*850*0001~\n" +
	"BEG*00*NE*PO-1**20260801~\n" +
	"PO1*1*5*EA*9.95**VP*A>B~\n" +
	"SE*4*0001~\n" +
	"GE*1*1~\n" +
	"IEA*1*000000001~\n"

func TestNextReturnsSegmentsWithPositions(t *testing.T) {
	t.Parallel()
	r := edi.NewBytesReader([]byte(order850), edi.Options{})
	var tags []string
	for {
		s, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		tags = append(tags, string(s.Tag))
		if got := order850[s.Pos.Offset:s.End()]; got != string(s.Raw) {
			t.Errorf("segment %d: offset points to %q, raw is %q", s.Pos.Ordinal, got, s.Raw)
		}
		if s.Pos.Line != len(tags) || s.Pos.Ordinal != len(tags) {
			t.Errorf("%s: position %+v", s.Tag, s.Pos)
		}
	}
	if len(tags) != 8 {
		t.Errorf("tags %v", tags)
	}
}

// segmentsOf reads in, which must have no error, and returns its segments as
// copies, and the rules waived.
func segmentsOf(t *testing.T, in string) (all []*edi.Segment, rules []edi.Rule) {
	t.Helper()
	r := edi.NewBytesReader([]byte(in), edi.Options{})
	for {
		s, err := r.Next()
		for _, n := range r.Notices() {
			rules = append(rules, n.Rule)
		}
		if errors.Is(err, io.EOF) {
			return all, rules
		}
		if err != nil {
			t.Fatalf("%q: %v", in, err)
		}
		all = append(all, s.Clone())
	}
}

const (
	unb3 = "UNB+UNOC:3+S+R+260801:1200+1'"
	unb4 = "UNB+UNOC:4+S+R+20260801:1200+1'"
)

func TestReleaseCharacterParity(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][]string{
		"FTX+a?'b'":       {"a'b"},
		"FTX+a??'":        {"a?"},
		"FTX+a???'b'":     {"a?'b"},
		"FTX+a????'":      {"a??"},
		"FTX+a?+b+c'":     {"a+b", "c"},
		"FTX+a??+b'":      {"a?", "b"},
		"FTX+a?:b'":       {"a:b"},
		"FTX+?xy'":        {"xy"},
		"FTX+???+???'+z'": {"?+?'", "z"},
	} {
		all, rules := segmentsOf(t, unb3+raw+"UNZ+0+1'")
		if len(all) != 3 || len(rules) != 0 {
			t.Errorf("%s: %d segments, rules %v", raw, len(all), rules)
			continue
		}
		s := all[1]
		if string(s.Raw) != raw || s.Len() != len(want) {
			t.Errorf("%s: read as %q with %d elements", raw, s.Raw, s.Len())
		}
		for i, v := range want {
			if got := s.Element(i + 1); got.String() != v || got.Components() != 1 || !got.Component(1).Is(v) {
				t.Errorf("%s: element %d is %q in %d components, want %q", raw, i+1, got.String(), got.Components(), v)
			}
		}
	}
}

func TestLineEndsInsideSegmentsAreNotPartOfValues(t *testing.T) {
	t.Parallel()
	// Lines of ten bytes, as some mainframes send them.
	plain := unb3 + "FTX+AAI+++one ?+ two ?'three'UNZ+0+1'"
	wrapped := ""
	for i := 0; i < len(plain); i += 10 {
		wrapped += plain[i:min(i+10, len(plain))] + "\r\n"
	}
	want, _ := segmentsOf(t, plain)
	got, rules := segmentsOf(t, wrapped)
	if len(got) != len(want) || len(rules) != 3 || rules[1] != edi.RuleNewlineInSegment {
		t.Fatalf("%d segments, want %d; rules %v", len(got), len(want), rules)
	}
	for i := range want {
		for e := 1; e <= want[i].Len(); e++ {
			for c := 1; c <= want[i].Element(e).Components(); c++ {
				a, b := want[i].Element(e).Component(c).String(), got[i].Element(e).Component(c).String()
				if a != b {
					t.Errorf("%s element %d component %d: %q, want %q", want[i].Tag, e, c, b, a)
				}
			}
		}
	}
	if at := got[2].Pos; at.Line != 6 || wrapped[at.Offset:at.Offset+2] != "UN" {
		t.Errorf("UNZ at %+v", at)
	}
}

func TestRepetitions(t *testing.T) {
	t.Parallel()
	all, _ := segmentsOf(t, unb4+"RFF+ON:1:x*CT:2*+a?*b*'UNZ+0+1'")
	e := all[1].Element(1)
	if e.Repeats() != 3 || e.Repeat(2).Component(2).String() != "2" || e.Repeat(1).Components() != 3 || e.Components() != 3 ||
		!e.Repeat(3).Empty() || !e.Repeat(4).Empty() || !e.Repeat(0).Empty() || e.Component(4).String() != "" || e.Component(0).String() != "" {
		t.Errorf("element %q is split wrongly", e.Raw())
	}
	e = all[1].Element(2)
	if e.Repeats() != 2 || e.Repeat(1).String() != "a*b" || all[1].Element(3).Repeats() != 0 || all[1].Element(3).Components() != 0 {
		t.Errorf("element %q is split wrongly", e.Raw())
	}
	// PNRGOV: before syntax 4 the character UNA declares is data.
	all, _ = segmentsOf(t, "UNA:+.?*'UNB+IATA:1+A+B+130527:0649+3'FTX+a*b'UNZ+0+3'")
	if e := all[2].Element(1); e.Repeats() != 1 || e.String() != "a*b" {
		t.Errorf("%q has %d repetitions", e.Raw(), e.Repeats())
	}
}

func TestAbsentElementsAreEmpty(t *testing.T) {
	t.Parallel()
	all, _ := segmentsOf(t, unb3+"BGM++a:'UNZ+0+1'")
	s := all[1]
	for _, i := range []int{-1, 0, 1, 3, 99} {
		e := s.Element(i)
		if !e.Empty() || e.Repeats() != 0 || e.Components() != 0 || len(e.Raw()) != 0 || e.String() != "" || !e.Component(1).Empty() || !e.Component(2).Empty() || !e.Repeat(2).Empty() {
			t.Errorf("element %d is not empty", i)
		}
	}
	if s.Len() != 2 || s.Element(2).Components() != 2 || s.Element(2).Component(2).Offset() != s.Pos.Offset+7 {
		t.Errorf("%q: %d elements, element 2 has %d components", s.Raw, s.Len(), s.Element(2).Components())
	}
	if tag := string((&edi.Segment{}).Element(1).Raw()); tag != "" {
		t.Errorf("an empty Segment has element %q", tag)
	}
}

func TestBinarySegmentsAreReadByTheirCount(t *testing.T) {
	t.Parallel()
	head := isa("^", "00501") + ":~GS*PI*A*B*20260801*1200*1*X*005010~ST*275*0001~"
	for name, tt := range map[string]struct {
		segment, data string
		element       int
		rules         []edi.Rule
	}{
		"BIN with delimiters inside":         {"BIN*11*a~b*c:d^\n?'~", "a~b*c:d^\n?'", 2, nil},
		"BIN of nothing":                     {"BIN*0*~", "", 2, nil},
		"BDS with a filter":                  {"BDS*ASC*4*~~**~", "~~**", 3, nil},
		"BIN whose count is no number":       {"BIN*11a*abc~", "abc", 2, []edi.Rule{edi.RuleBinaryLength}},
		"BIN whose count is too low":         {"BIN*2*abc~", "abc", 2, []edi.Rule{edi.RuleBinaryLength}},
		"BIN whose count leads past the end": {"BIN*9999*abc~", "abc", 2, []edi.Rule{edi.RuleBinaryLength}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, rules := segmentsOf(t, head+tt.segment+"SE*3*0001~GE*1*1~IEA*1*000000001~")
			if len(all) != 7 || !slices.Equal(rules, tt.rules) {
				t.Fatalf("%d segments, rules %v", len(all), rules)
			}
			if s := all[3]; s.Element(tt.element).String() != tt.data || s.Len() != tt.element || s.Element(tt.element).Repeats() > 1 {
				t.Errorf("%q: data %q, want %q", s.Raw, s.Element(tt.element).String(), tt.data)
			}
		})
	}
}

func TestObjectsAreReadByTheirLength(t *testing.T) {
	t.Parallel()
	object := "\x00'+:?UNP+\n"
	for name, tt := range map[string]struct {
		in    string
		rules []edi.Rule
	}{
		"at once":             {"UNO+1+A:1+B:2+10'" + object + "UNP+10+1'", nil},
		"lines around":        {"UNO+1+A:1+B:2+10'\r\n" + object + "\r\nUNP+10+1'", nil},
		"with a wrong length": {"UNO+1+A:1+B:2+7'\x00'+:?NP+\nUNP+10+1'", []edi.Rule{edi.RuleObjectLength}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, rules := segmentsOf(t, unb4+tt.in+"UNZ+1+1'")
			if len(all) != 4 || !slices.Equal(rules, tt.rules) {
				t.Fatalf("%d segments, rules %v", len(all), rules)
			}
			want := object
			if tt.rules != nil {
				want = "\x00'+:?NP+\n"
			}
			if string(all[2].Object) != want || !all[2].Is("UNP") || all[1].Object != nil {
				t.Errorf("object %q", all[2].Object)
			}
		})
	}
	_, err := edi.ReadOutline(edi.NewBytesReader([]byte(unb4+"UNO+1+A:1+B:2+10'abc'UNZ+1+1'"), edi.Options{}))
	var se *edi.SyntaxError
	if !errors.As(err, &se) || se.Code != edi.CodeObject {
		t.Errorf("object without UNP: %v", err)
	}
}

func TestOdditiesBetweenSegments(t *testing.T) {
	t.Parallel()
	head := isa("U", "00401") + ">~"
	for name, tt := range map[string]struct {
		between string
		rules   []edi.Rule
	}{
		"nothing":            {"", nil},
		"line feed":          {"\n", nil},
		"CR LF":              {"\r\n", nil},
		"blank lines":        {"\r\n\r\n", []edi.Rule{edi.RuleBlankLine}},
		"indentation":        {"\n\t  ", []edi.Rule{edi.RulePadding}},
		"blank behind":       {" \n", []edi.Rule{edi.RulePadding}},
		"a lone terminator":  {"~", []edi.Rule{edi.RuleEmptySegment}},
		"lone ones on lines": {"~\n~\n", []edi.Rule{edi.RuleEmptySegment, edi.RuleBlankLine}},
	} {
		all, rules := segmentsOf(t, head+tt.between+"GS*FA*A*B*20260801*1200*1*X*004010~GE*0*1~IEA*1*000000001~")
		if len(all) != 4 || !slices.Equal(rules, tt.rules) || string(all[1].Lead) != tt.between {
			t.Errorf("%s: %d segments, rules %v, lead %q", name, len(all), rules, all[1].Lead)
		}
	}
	all, rules := segmentsOf(t, head+"IEA*0*000000001\n")
	if len(all) != 2 || !slices.Equal(rules, []edi.Rule{edi.RuleUnterminated}) || all[1].Element(2).String() != "000000001" {
		t.Errorf("no terminator at the end: %d segments, rules %v", len(all), rules)
	}
}

func TestStrictRefusesTheFirstWaiver(t *testing.T) {
	t.Parallel()
	r := edi.NewBytesReader([]byte(order850+"\n\n"+order850), edi.Options{Strict: true})
	for range 8 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		var se *edi.SyntaxError
		if _, err := r.Next(); !errors.As(err, &se) || se.Code != edi.Code(edi.RuleBlankLine) {
			t.Errorf("error %v", err)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	limits := edi.Limits{Segment: 200, Binary: 50, Elements: 20, Components: 4, Repeats: 3, Gap: 100}
	for name, tt := range map[string]struct {
		in    string
		code  edi.Code
		after string // tag of the segment behind, when the reader can go on
	}{
		"segment":     {unb4 + "FTX+" + strings.Repeat("x", 300) + "'UNT+1+1'", edi.CodeSegmentLong, "UNT"},
		"elements":    {unb4 + "FTX" + strings.Repeat("+", 21) + "'UNT+1+1'", edi.CodeElements, "UNT"},
		"components":  {unb4 + "FTX+a:b:c:d:e'UNT+1+1'", edi.CodeComponents, "UNT"},
		"repetitions": {unb4 + "FTX+a*b*c*d'UNT+1+1'", edi.CodeRepeats, "UNT"},
		"of a tag":    {unb4 + "FTX*b*c*d'UNT+1+1'", edi.CodeRepeats, "UNT"},
		"binary":      {isa("U", "00401") + ">~BIN*51*" + strings.Repeat("x", 51) + "~", edi.CodeBinaryLong, ""},
		"object":      {unb4 + "UNO+1+a+b+51'" + strings.Repeat("x", 51) + "UNP+51+1'", edi.CodeBinaryLong, ""},
		"gap inside":  {unb4 + strings.Repeat("\n", 101) + "UNT+1+1'", edi.CodeGapLong, ""},
		"gap outside": {unb4 + "UNZ+0+1'" + strings.Repeat("x", 101) + unb4, edi.CodeGapLong, ""},
		"gap before":  {strings.Repeat("x ", 101) + unb4, edi.CodeNotEDI, ""},
		"in bounds":   {unb4 + "FTX+a:b:c:d*b*c" + strings.Repeat("+", 19) + "'UNT+1+1'", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, r := range []*edi.Reader{
				edi.NewBytesReader([]byte(tt.in), edi.Options{Limits: limits}),
				edi.NewReader(iotest.OneByteReader(strings.NewReader(tt.in)), edi.Options{Limits: limits}),
			} {
				var err error
				for err == nil {
					_, err = r.Next()
				}
				var se *edi.SyntaxError
				if tt.code == "" {
					if !errors.Is(err, io.EOF) {
						t.Errorf("error %v", err)
					}
					continue
				}
				if !errors.As(err, &se) || se.Code != tt.code || se.Hint == "" {
					t.Fatalf("error %v, want code %s", err, tt.code)
				}
				if se.Recoverable != (tt.after != "") {
					t.Errorf("recoverable: %v", se.Recoverable)
				}
				s, err := r.Next()
				if tt.after != "" && (err != nil || !s.Is(tt.after)) || tt.after == "" && err == nil {
					t.Errorf("behind the error: %v, %v", s, err)
				}
			}
		})
	}
}

func TestReadErrorsAreWrapped(t *testing.T) {
	t.Parallel()
	broken := errors.New("line broke")
	r := edi.NewReader(io.MultiReader(strings.NewReader(order850[:120]), iotest.ErrReader(broken)), edi.Options{})
	if _, err := r.Next(); err != nil {
		t.Fatalf("the ISA before the break: %v", err)
	}
	if _, err := r.Next(); !errors.Is(err, broken) || !strings.Contains(err.Error(), "120") {
		t.Errorf("error %v", err)
	}
	r = edi.NewReader(io.MultiReader(strings.NewReader(order850), iotest.ErrReader(fmt.Errorf("pipe: %w", io.EOF))), edi.Options{})
	for range 8 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Next(); errors.Is(err, io.EOF) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("an end that is an error: %v", err)
	}
	if _, err := edi.NewReader(emptyReader{}, edi.Options{}).Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

type emptyReader struct{}

func (emptyReader) Read([]byte) (int, error) { return 0, nil }

func TestNextAllocatesNothing(t *testing.T) {
	for _, in := range [][]byte{purchaseOrders850(1 << 18), ordersD96A(1 << 18)} {
		src := bytes.NewReader(in)
		r := edi.NewReader(src, edi.Options{})
		var scratch []byte
		turn := func() {
			src.Reset(in)
			r.Reset(src)
			for {
				s, err := r.Next()
				if errors.Is(err, io.EOF) {
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				for i := 1; i <= s.Len(); i++ {
					e := s.Element(i)
					for j := 1; j <= e.Components(); j++ {
						scratch = e.Component(j).Text(scratch)
					}
				}
			}
		}
		turn()
		if n := testing.AllocsPerRun(3, turn); n > 1 {
			t.Errorf("%v allocations for %d bytes", n, len(in))
		}
	}
}

// repeating gives the same bytes again and again, up to left bytes.
type repeating struct {
	data     []byte
	at, left int
}

func (p *repeating) Read(b []byte) (int, error) {
	if p.left <= 0 {
		return 0, io.EOF
	}
	n := copy(b, p.data[p.at:min(len(p.data), p.at+p.left)])
	p.at, p.left = (p.at+n)%len(p.data), p.left-n
	return n, nil
}

func TestMemoryStaysTheSameHoweverLongTheInput(t *testing.T) {
	var before, after runtime.MemStats
	in := purchaseOrders850(1 << 18)
	r := edi.NewReader(&repeating{data: in, left: 128 * len(in)}, edi.Options{})
	runtime.ReadMemStats(&before)
	segments := 0
	for {
		_, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		segments++
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<10 || segments%128 != 0 || r.Offset() != int64(128*len(in)) {
		t.Errorf("%d bytes allocated for %d segments in %d bytes", grown, segments, r.Offset())
	}
}

// TestWrappedTag: a line that wraps inside a tag leaves no line end in it, and
// the clone of the segment has the same tag.
func TestWrappedTag(t *testing.T) {
	t.Parallel()
	in := "UNB+UNOA:3+A+B+260801:1200+1'\nB\r\nGM+220'U\n NZ+0+1'"
	r := edi.NewBytesReader([]byte(in), edi.Options{})
	var tags []string
	var out bytes.Buffer
	w := edi.NewWriter(&out, edi.Delimiters{}, edi.WriterOptions{})
	for {
		s, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if c := s.Clone(); string(c.Tag) != string(s.Tag) {
			t.Errorf("the clone of %q has the tag %q", s.Tag, c.Tag)
		}
		tags = append(tags, string(s.Tag))
		if err := w.WriteSegment(s); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"UNB", "BGM", "U NZ"}; !slices.Equal(tags, want) {
		t.Errorf("tags %q, want %q", tags, want)
	}
	if err := w.Flush(); err != nil || out.String() != in {
		t.Errorf("%v: written back as %q", err, out.String())
	}
}
