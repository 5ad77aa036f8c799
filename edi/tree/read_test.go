package tree_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"tradepost/edi/schema"
	"tradepost/edi/tree"
	"tradepost/edi/validate"
)

// document is the JSON form as encoding/json sees it.
type document struct {
	Format string
	Parts  []part
}

type part struct {
	Segment, Name, Loop, Raw, Lead string
	Raw64                          string `json:"raw_base64"`
	Count                          int
	Elements                       []element
	Parts                          []part
}

type element struct {
	Position       int
	Name           string
	Value, Meaning *string
	Components     []string
	Repeats        []element
}

// segments lists the segments of a tree in their order.
func segments(parts []part) []part {
	var out []part
	for _, p := range parts {
		if p.Segment != "" {
			out = append(out, p)
		}
		out = append(out, segments(p.Parts)...)
	}
	return out
}

func TestJSONForm(t *testing.T) {
	t.Parallel()
	in := "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*^*00501*000000001*0*P*>~\n" +
		"GS*PO*A*B*20260301*1200*1*X*005010~\nST*850*0001~\nBEG*00*NE*quote \" and \\**20260301~\n" +
		"REF*DP*B\xfcro***~\nN9*ZZ*a^b~\nPO1*1*5*EA*9.250~\nSLN*1**I*1*EA>2>>*~\nXXX*1~\nSE*8*0001~\nGE*1*1~\nIEA*1*000000001~\n"
	var out bytes.Buffer
	if err := tree.WriteJSON(t.Context(), &out, strings.NewReader(in), validate.Options{Catalog: schema.Shipped()}); err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(out.Bytes(), &d); err != nil {
		t.Fatalf("%v\n%s", err, out.Bytes())
	}
	s := segments(d.Parts)
	if len(s) != 12 || s[3].Segment != "BEG" || s[3].Name != "Start of a purchase order" {
		t.Fatalf("segments %+v", s)
	}
	beg := s[3].Elements
	if len(beg) != 4 || *beg[0].Value != "00" || *beg[0].Meaning != "Original" || beg[0].Name != "Purpose of the document" || *beg[2].Value != `quote " and \` || beg[3].Position != 5 {
		t.Errorf("BEG %+v", beg)
	}
	if ref := s[4]; *ref.Elements[1].Value != "Büro" || ref.Raw64 == "" || ref.Count != 5 {
		t.Errorf("a text that is no UTF-8 is read as ISO 8859-1 and kept raw: %+v", ref)
	}
	if n9 := s[5].Elements[1]; len(n9.Repeats) != 2 || *n9.Repeats[1].Value != "b" {
		t.Errorf("repeats %+v", n9)
	}
	if sln := s[7]; len(sln.Elements) != 4 || strings.Join(sln.Elements[3].Components, "|") != "EA|2||" || sln.Count != 6 || sln.Raw != "" {
		t.Errorf("composite %+v", sln)
	}
	if s[8].Name != "" || s[8].Elements[0].Name != "" || s[0].Raw != "" {
		t.Errorf("a segment without layout %+v, the ISA %+v", s[8], s[0])
	}
}

// TestReadJSON: members stand in any order, white space and escapes in any
// form, and what is wrong is told.
func TestReadJSON(t *testing.T) {
	t.Parallel()
	const head, tail = `{"format":"tradepost-edi-tree-1","parts":[{"delimiters":{"element":"+","segment":"'","component":":","release":"?","repetition":"*"},"parts":[`, `]}]}`
	for _, c := range []struct{ name, in, want, mistake string }{
		{"order and blanks", head + "\n { \"elements\" : [ { \"value\" : \"x\" , \"position\" : 2 } ] ,\r\n\t\"segment\":\"BGM\" } " + tail, "BGM++x'", ""},
		{"escapes", head + `{"segment":"FTX","elements":[{"position":1,"value":"\u00e9\ud83d\ude00\"\\\/\b\u0041\ud800x"}]}` + tail, "FTX+é😀\"\\/\bA\ufffdx'", ""},
		{"released", head + `{"segment":"FTX","elements":[{"position":1,"components":["it's","5?","a+b*"]}]}` + tail, "FTX+it?'s:5??:a?+b?*'", ""},
		{"repeats", head + `{"segment":"FTX","count":3,"elements":[{"position":1,"repeats":[{"value":"a"},{"components":["b","c"]},{}]}]}` + tail, "FTX+a*b:c*++'", ""},
		{"raw first", head + `{"segment":"X","elements":[{"position":1,"value":"no"}],"raw":"as it is"}` + tail, "as it is", ""},
		{"lead holds on", head + `{"segment":"A","lead":"\n"},{"segment":"B"},{"segment":"C","lead_base64":""}` + tail, "\nA'\nB'C'", ""},
		{"unknown members", head + `{"segment":"A","x":[1,-2.5e3,true,null,{"y":"\"]}"}],"elements":[{"position":1,"value":"v","z":{}}]}` + tail, "A+v'", ""},
		{"trailing", strings.TrimSuffix(head, `{"delimiters":{"element":"+","segment":"'","component":":","release":"?","repetition":"*"},"parts":[`) + `],"trailing":"\n\u001a"}`, "\n\x1a", ""},
		{"no format", `{"parts":[]}`, "", "format is missing"},
		{"other format", `{"format":"x"}`, "", "is expected"},
		{"no object", `[]`, "", "'{' is expected"},
		{"cut off", head + `{"segment":"A"`, "", "ends in the middle"},
		{"cut off in a text", head + `{"segment":"A`, "", "ends in the middle"},
		{"behind the tree", `{"format":"tradepost-edi-tree-1"} x`, "", "something follows"},
		{"no comma", head + `{"segment":"A" "count":1}` + tail, "", "a comma"},
		{"bad escape", head + `{"segment":"\x"}` + tail, "", "no escape"},
		{"control character", head + "{\"segment\":\"\x01\"}" + tail, "", "control character"},
		{"out of order", head + `{"segment":"A","elements":[{"position":2},{"position":1}]}` + tail, "", "out of order"},
		{"repeats in repeats", head + `{"segment":"A","elements":[{"position":1,"repeats":[{"repeats":[{"repeats":[]}]}]}]}` + tail, "", "repeats stand inside repeats"},
		{"too deep", head + `{"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}` + tail, "", "nested deeper"},
		{"no delimiters", `{"format":"tradepost-edi-tree-1","parts":[{"segment":"A"}]}`, "", "delimiters of its interchange are not known"},
		{"bad base64", head + `{"segment":"A","raw_base64":"!"}` + tail, "", "raw_base64"},
		{"number", head + `{"segment":"A","count":"3"}` + tail, "", "a number is expected"},
	} {
		for _, size := range []int{1, 7, 1 << 20} { // texts may be split anywhere
			var out bytes.Buffer
			err := tree.WriteEDI(&out, &slowReader{[]byte(c.in), size})
			if c.mistake == "" && (err != nil || out.String() != c.want) {
				t.Errorf("%s: %v, got %q, want %q", c.name, err, out.String(), c.want)
			}
			if c.mistake != "" && (err == nil || !strings.Contains(err.Error(), c.mistake)) {
				t.Errorf("%s: error %v, want %q", c.name, err, c.mistake)
			}
		}
	}
	x12 := `{"format":"tradepost-edi-tree-1","parts":[{"delimiters":{"element":"*","segment":"~"},"parts":[{"segment":"A","elements":[{"position":1,"value":"a*b"}]}]}]}`
	if err := tree.WriteEDI(&bytes.Buffer{}, strings.NewReader(x12)); err == nil || !strings.Contains(err.Error(), "holds a delimiter") {
		t.Errorf("a value that holds a delimiter went through: %v", err)
	}
	if err := tree.WriteEDI(&bytes.Buffer{}, strings.NewReader("{")); !errors.Is(err, tree.ErrFormat) {
		t.Errorf("error %v is not ErrFormat", err)
	}
}

// slowReader gives a few bytes a call.
type slowReader struct {
	b []byte
	n int
}

func (r *slowReader) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.n)], r.b)
	r.b = r.b[n:]
	return n, nil
}
