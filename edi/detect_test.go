package edi_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"tradepost/edi"
)

// isa returns a standard ISA of 106 bytes less its last three: separator,
// component separator and terminator are the caller's.
func isa(standards, version string) string {
	return "ISA*00*          *00*          *ZZ*ALICE          *ZZ*BOB            *260801*1200*" + standards + "*" + version + "*000000001*0*T*"
}

// readAll returns the tags and the rules waived.
func readAll(t *testing.T, in string) (tags []string, rules []edi.Rule, d edi.Delimiters) {
	t.Helper()
	r := edi.NewReader(strings.NewReader(in), edi.Options{})
	for {
		s, err := r.Next()
		for _, n := range r.Notices() {
			rules = append(rules, n.Rule)
			if n.Rule.Explain() == string(n.Rule) {
				t.Errorf("rule %s explains nothing", n.Rule)
			}
		}
		if errors.Is(err, io.EOF) {
			return tags, rules, d
		}
		if err != nil {
			t.Fatalf("%v", err)
		}
		d = r.Delimiters()
		tags = append(tags, string(s.Tag))
	}
}

func TestX12DelimitersComeFromTheISA(t *testing.T) {
	t.Parallel()
	x12 := func(segment, element, component, repetition byte) edi.Delimiters {
		return edi.Delimiters{Standard: edi.X12, Segment: segment, Element: element, Component: component, Repetition: repetition, Decimal: '.'}
	}
	rest := "GS*FA*ALICE*BOB*20260801*1200*1*X*004010~GE*0*1~IEA*1*000000001~"
	swap := func(s string) string { return strings.NewReplacer("*", "\x1d", ":", "\x1f", "~", "\x1c").Replace(s) }
	lines := func(s, end string) string { return strings.ReplaceAll(s, "~", end) }
	short := "ISA*00* *00* *ZZ*ALICE*ZZ*BOB*260801*1200*U*00401*000000001*0*T*"
	for name, tt := range map[string]struct {
		in    string
		want  edi.Delimiters
		rules []edi.Rule
		tags  int
	}{
		"106 bytes":                             {isa("U", "00401") + ":~" + rest, x12('~', '*', ':', 0), nil, 4},
		"line feed behind the terminator":       {isa("U", "00401") + ":~\n" + lines(rest, "~\n"), x12('~', '*', ':', 0), nil, 4},
		"CR LF behind the terminator":           {isa("U", "00401") + ":~\r\n" + lines(rest, "~\r\n"), x12('~', '*', ':', 0), nil, 4},
		"line feed as terminator":               {isa("U", "00401") + ":\n" + lines(rest, "\n"), x12('\n', '*', ':', 0), nil, 4},
		"CR as terminator, then LF":             {isa("U", "00401") + ":\r\n" + lines(rest, "\r\n"), x12('\r', '*', ':', 0), nil, 4},
		"line feed declared, CR LF sent":        {isa("U", "00401") + ":\n" + lines(rest, "\r\n"), x12('\n', '*', ':', 0), []edi.Rule{edi.RuleCarriageReturn, edi.RuleCarriageReturn, edi.RuleCarriageReturn}, 4},
		"control characters":                    {swap(isa("U", "00401") + ":~" + rest), x12(0x1c, 0x1d, 0x1f, 0), nil, 4},
		"repetition separator from 00402 on":    {isa("^", "00402") + ":~" + rest, x12('~', '*', ':', '^'), nil, 4},
		"no repetition separator before 00402":  {isa("^", "00401") + ":~" + rest, x12('~', '*', ':', 0), nil, 4},
		"U is no repetition separator":          {isa("U", "00501") + ":~" + rest, x12('~', '*', ':', 0), nil, 4},
		"repetition equals component separator": {isa(":", "00501") + ":~" + rest, x12('~', '*', ':', 0), []edi.Rule{edi.RuleRepetition}, 4},
		"elements not padded":                   {short + ":~" + rest, x12('~', '*', ':', 0), []edi.Rule{edi.RuleISAWidth}, 4},
		"elements not padded, lines":            {short + ":\n" + lines(rest, "\n"), x12('\n', '*', ':', 0), []edi.Rule{edi.RuleISAWidth}, 4},
		"ISA16 left out":                        {isa("U", "00401") + "~" + rest, x12('~', '*', 0, 0), []edi.Rule{edi.RuleISAWidth, edi.RuleISATerminator}, 4},
		"ISA16 left out, lines":                 {isa("U", "00401") + "~\n" + lines(rest, "~\n"), x12('~', '*', 0, 0), []edi.Rule{edi.RuleISATerminator}, 4},
		"ISA with 15 elements":                  {strings.TrimSuffix(isa("U", "00401"), "*") + "~\n" + lines(rest, "~\n"), x12('~', '*', 0, 0), []edi.Rule{edi.RuleISAElements}, 4},
		"component separator that is a letter":  {isa("U", "00401") + "C~" + rest, x12('~', '*', 0, 0), []edi.Rule{edi.RuleComponentSeparator}, 4},
		"ISA wrapped in mid-element":            {strings.Replace(short, "1200", "12\n00", 1) + ":~" + rest, x12('~', '*', ':', 0), []edi.Rule{edi.RuleISAWidth, edi.RuleNewlineInSegment}, 4},
		"TA1 alone in an interchange":           {isa("U", "00401") + ":~TA1*000000007*260801*1200*A*000~IEA*0*000000001~", x12('~', '*', ':', 0), nil, 3},
		"UTF-8 ellipsis as terminator":          {isa("U", "00401") + ":…" + lines(rest, "…"), edi.Delimiters{Standard: edi.X12, Segment: 0xE2, SegmentTail: "\x80\xA6", Element: '*', Component: ':', Decimal: '.'}, []edi.Rule{edi.RuleMultiByteTerminator}, 4},
		"UTF-8 ellipsis, another sign in data":  {isa("U", "00401") + ":…" + lines(strings.Replace(rest, "GS*FA*ALICE", "GS*FA*A‘", 1), "…"), edi.Delimiters{Standard: edi.X12, Segment: 0xE2, SegmentTail: "\x80\xA6", Element: '*', Component: ':', Decimal: '.'}, []edi.Rule{edi.RuleMultiByteTerminator}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tags, rules, d := readAll(t, tt.in)
			if d != tt.want {
				t.Errorf("delimiters %+v, want %+v", d, tt.want)
			}
			if !slices.Equal(rules, tt.rules) {
				t.Errorf("rules %v, want %v", rules, tt.rules)
			}
			if len(tags) != tt.tags {
				t.Errorf("segments %q, want %d", tags, tt.tags)
			}
		})
	}
}

func TestEDIFACTServiceCharactersComeFromUNAAndSyntax(t *testing.T) {
	t.Parallel()
	want := func(chars string) edi.Delimiters {
		d := edi.Delimiters{Standard: edi.EDIFACT, Component: chars[0], Element: chars[1], Decimal: chars[2], Release: chars[3], Repetition: chars[4], Segment: chars[5]}
		if d.Release == ' ' {
			d.Release = 0
		}
		if d.Repetition == ' ' {
			d.Repetition = 0
		}
		return d
	}
	body := "+S+R+260801:1200+1'UNZ+0+1'"
	for name, tt := range map[string]struct {
		in, want string
		rules    []edi.Rule
		tags     int
	}{
		"no UNA":                                 {"UNB+UNOA:3" + body, ":+.? '", nil, 2},
		"syntax version 1":                       {"UNB+UNOC:1" + body, ":+.? '", nil, 2},
		"syntax version 2":                       {"UNB+UNOB:2" + body, ":+.? '", nil, 2},
		"syntax version 4 repeats with *":        {"UNB+UNOC:4" + body, ":+.?*'", nil, 2},
		"UNA with comma":                         {"UNA:+,? 'UNB+UNOA:2" + body, ":+,? '", nil, 3},
		"UNA, then a line end":                   {"UNA:+.? '\r\nUNB+UNOA:2" + body, ":+.? '", nil, 3},
		"UNA without release character":          {"UNA:+.  'UNB+UNOA:2" + body, ":+.  '", nil, 3},
		"UNA with backslash":                     {"UNA:+.\\*'UNB+UNOA:1" + body, ":+.\\ '", []edi.Rule{edi.RuleUNARepetition}, 3},
		"UNA repetition in syntax 4":             {"UNA:+.?|'UNB+UNOC:4" + body, ":+.?|'", nil, 3},
		"UNA blank in syntax 4":                  {"UNA:+.? 'UNB+UNOC:4" + body, ":+.? '", nil, 3},
		"UNA repetition before syntax 4 is data": {"UNA:+.?*'UNB+IATA:1" + body, ":+.? '", []edi.Rule{edi.RuleUNARepetition}, 3},
		"UNA of eight bytes":                     {"UNA:+.?'UNB+UNOA:2" + body, ":+.? '", []edi.Rule{edi.RuleUNAWidth}, 3},
		"other characters throughout":            {"UNA*@.? #UNB@UNOA*3@S@R@260801*1200@1#UNZ@0@1#", "*@.? #", nil, 3},
		"control characters of UNOB":             {"UNB\x1dUNOB\x1f1\x1dS\x1dR\x1d260801\x1f1200\x1d1\x1cUNZ\x1d0\x1d1\x1c", "\x1f\x1d.  \x1c", nil, 2},
		"lines in place of the terminator":       {"UNB+UNOA:1+S+R+260801:1200+1\r\nUNH+1+IFCSUM:D:01B:UN\r\nUNT+2+1\r\nUNZ+1+1\r\n", ":+.? \r", []edi.Rule{edi.RuleNewlineTerminator}, 4},
		"no UNB":                                 {"UNH+1+ORDERS:D:96A:UN'UNT+2+1'", ":+.? '", []edi.Rule{edi.RuleMissingUNB}, 2},
		"interactive UIB":                        {"UIB+UNOA:4++1'UIH+X:1:1+1'UIT+1+2'UIZ++1'", ":+.?*'", nil, 4},
		"byte order mark":                        {"\xef\xbb\xbfUNB+UNOA:3" + body, ":+.? '", []edi.Rule{edi.RuleByteOrderMark}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tags, rules, d := readAll(t, tt.in)
			if d != want(tt.want) {
				t.Errorf("delimiters %+v, want %q", d, tt.want)
			}
			if !slices.Equal(rules, tt.rules) {
				t.Errorf("rules %v, want %v", rules, tt.rules)
			}
			if len(tags) != tt.tags {
				t.Errorf("segments %q, want %d", tags, tt.tags)
			}
		})
	}
}

func TestDelimitersAreDetectedAnewInEveryInterchange(t *testing.T) {
	t.Parallel()
	second := strings.NewReplacer("*", "|", "~", "!", ">", "<").Replace(order850)
	third := "UNA:+.? 'UNB+UNOA:3+S+R+260801:1200+1'UNZ+0+1'"
	fourth := "UNB+UNOC:4+S+R+20260801:1200+2'UNZ+0+2'"
	tags, rules, d := readAll(t, order850+second+third+fourth+order850)
	if len(tags) != 8+8+3+2+8 || len(rules) != 0 || d.Standard != edi.X12 || d.Element != '*' {
		t.Errorf("tags %v, rules %v, delimiters %+v", tags, rules, d)
	}
}

func TestWhatStandsOutsideInterchangesIsReported(t *testing.T) {
	t.Parallel()
	mail := "Dear partner,\nISA is our order of today: ISA* see below.\n\n"
	in := mail + order850 + "\n\n" + order850 + "-- \nregards\n\x1a"
	r := edi.NewBytesReader([]byte(in), edi.Options{})
	var got []edi.Notice
	for {
		_, err := r.Next()
		got = append(got, r.Notices()...)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	first := int64(len(mail) + len(order850))
	want := []edi.Notice{
		{Position: edi.Position{Offset: 0, Line: 1, Ordinal: 1}, Rule: edi.RuleText, Length: int64(len(mail))},
		{Position: edi.Position{Offset: first - 1, Line: 11, Ordinal: 9}, Rule: edi.RuleBlankLine, Length: 3},
		{Position: edi.Position{Offset: first + 2 + int64(len(order850)), Line: 22, Ordinal: 17}, Rule: edi.RuleText, Length: 13},
	}
	if !slices.Equal(got, want) {
		t.Errorf("notices %+v\nwant    %+v", got, want)
	}
	if string(r.Trailing()) != "\n-- \nregards\n\x1a" {
		t.Errorf("trailing %q", r.Trailing())
	}
}

// TestTextRightBeforeAnInterchange: words that end where an interchange begins do
// not hide it.
func TestTextRightBeforeAnInterchange(t *testing.T) {
	t.Parallel()
	unb := "UNB+UNOC:4+S+R+20260801:1200+2'UNZ+0+2'"
	for _, c := range []struct {
		text, next string
		segments   int // of next that are read
	}{
		{"hello", order850, 8},
		{"ISA", order850, 8},
		{"IS", order850, 8},
		{"PLUNA", "UNA:+.? '" + unb, 3},
		{"x", unb, 2},
		{"UNB", unb, 2},
		{"x", "UNB+1234+5'", 0}, // may be anything
		{"V", "ISA*00*x*00*y", 0},
	} {
		tags, rules, _ := readAll(t, order850+c.text+c.next)
		if len(tags) != 8+c.segments || !slices.Contains(rules, edi.RuleText) {
			t.Errorf("%s: tags %v, rules %v", c.text+c.next, tags, rules)
		}
	}
}

func TestInputsThatAreNoInterchange(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct {
		code edi.Code
		word string
	}{
		"":                              {edi.CodeEmpty, "empty"},
		" \r\n\t":                       {edi.CodeEmpty, "empty"},
		"STX=ANA:1+5000000000000'":      {edi.CodeNotEDI, "TRADACOMS"},
		"<?xml version='1.0'?>":         {edi.CodeNotEDI, "XML"},
		"\xff\xfeI\x00S\x00A\x00*\x00":  {edi.CodeNotEDI, "UTF-16"},
		"PK\x03\x04....":                {edi.CodeNotEDI, "ZIP"},
		"nothing to see here":           {edi.CodeNotEDI, "ISA"},
		"GS*PO*A*B*20260801~":           {edi.CodeMissingISA, "ISA"},
		"ST*850*0001~BEG*00~":           {edi.CodeMissingISA, "ISA"},
		"I\x00S\x00A\x00*\x00":          {edi.CodeNotEDI, "UTF-16"},
		"\x00U\x00N\x00B\x00+":          {edi.CodeNotEDI, "UTF-16"},
		"\xff\xfe\x00\x00I\x00\x00\x00": {edi.CodeNotEDI, "UTF-32"},
		"\xc9\xe2\xc1\\\xf0\xf0":        {edi.CodeNotEDI, "EBCDIC"},
		"isa*00*          *00*":         {edi.CodeNotEDI, "small letters"},
		"UNB|UNOA^3|A|B|260801^1200|1'": {edi.CodeNotEDI, "no UNA"},
		"SVNBKjAwKiAgICAgICAgICAq":      {edi.CodeNotEDI, "base64"},
		"I":                             {edi.CodeNotEDI, `begins with "I"`},
		"\x1f\x8b\x08":                  {edi.CodeNotEDI, "gzip"},
		isa("U", "00401")[:50]:          {edi.CodeISACut, "50 bytes into it"},
		isa("U", "00401") + ">":         {edi.CodeISACut, "105 bytes into it"},
		isa("U", "00401") + ">GS*PO*A":  {edi.CodeTerminator, "segment terminator"},
		isa("U", "00401") + "~~GS*PO*A": {edi.CodeComponentSeparator, "component separator"},
		strings.Replace(isa("U", "00401"), "*T*", "*T", 1) + ">" + strings.Repeat(" ", 300): {edi.CodeISA, "106"},
		strings.ReplaceAll(isa("U", "00401"), "*", "X") + ">~GSXPOXA":                       {edi.CodeElementSeparator, "element separator"},
		"UNAABCDEF":            {edi.CodeNotEDI, "ISA, UNA or UNB"},
		"UNA+++++++UNB+UNOA:3": {edi.CodeUNA, "six characters"},
	} {
		_, err := edi.NewBytesReader([]byte(in), edi.Options{}).Next()
		var se *edi.SyntaxError
		if !errors.As(err, &se) || se.Code != want.code || !strings.Contains(err.Error(), want.word) {
			t.Errorf("%q: error %v, want code %s and the word %q", in, err, want.code, want.word)
		}
		if _, err := edi.Peek([]byte(in)); err == nil {
			t.Errorf("%q: Peek gives no error", in)
		}
	}
}
