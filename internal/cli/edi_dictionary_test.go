package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tinySEF is a SEF file of our own with one document and one finding.
const tinySEF = `.VER 1.6
.INI
TINY,,009 990,X,X12-9990,Tiny
.SETS
777=^[ST,M][AAA,M]{:5[LLL][SUB,,>1]}[SE,M]
.SEGS
AAA=[901,M][902]
LLL=[901,M]
SE=[96,M][329,M]
ST=[143,M][329,M]
SUB=[902,M]?
.ELMS
96=N0,1,10
143=ID,3,3
329=AN,4,9
901=ID,1,2
902=AN,1,20
.CODES
901=A,B
`

const tinyDocument = "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260301*1200*U*00401*000000001*0*P*>~" +
	"GS*TT*A*B*20260301*1200*1*X*009990~ST*777*0001~AAA*A*one~LLL*B~SUB*first~SUB*second~LLL*A~SE*7*0001~GE*1*1~IEA*1*000000001~"

func TestEDIDictionaryImport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source, to, doc := filepath.Join(dir, "tiny.sef"), filepath.Join(dir, "out"), filepath.Join(dir, "doc.edi")
	for name, text := range map[string]string{source: tinySEF, doc: tinyDocument, filepath.Join(dir, "letter"): "Dear partner"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, out, words := ediRun(t, "", "dictionary", "import", source, "--to", to, "-o", "json")
	var got struct {
		Format, Standard, Version string
		Guides, Files             []string
		Segments, Codes           int
		Findings                  []struct {
			Kind, File, Text string
			Line             int
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != ExitOK || words != "" {
		t.Fatalf("exit %d, %q, %v\n%s", code, words, err, out)
	}
	if got.Format != "sef" || got.Version != "009990" || len(got.Guides) != 1 || got.Guides[0] != "x12/009990/777" || got.Segments != 5 || got.Codes != 2 {
		t.Errorf("imported %+v", got)
	}
	if len(got.Findings) != 1 || got.Findings[0].File != "tiny.sef" || got.Findings[0].Line != 11 || got.Findings[0].Kind != "not understood" {
		t.Errorf("findings %+v", got.Findings)
	}

	// The folder serves the other commands.
	if code, out, _ = ediRun(t, "", "validate", doc, "--dictionary", to, "-o", "json"); code != ExitOK || !strings.Contains(out, `"x12/009990/777"`) {
		t.Errorf("validate: exit %d\n%s", code, out)
	}
	if code, out, _ = ediRun(t, strings.Replace(tinyDocument, "LLL*B", "LLL*C", 1), "validate", "-", "--dictionary", to, "-o", "json"); code != ExitInvalid || !strings.Contains(out, "AK403=7") {
		t.Errorf("validate a wrong code: exit %d\n%s", code, out)
	}
	if code, out, _ = ediRun(t, "", "dictionary", "list", "--dictionary", to); code != ExitOK || !strings.Contains(out, "x12/009990/777") {
		t.Errorf("list: exit %d\n%s", code, out)
	}
	if code, out, _ = ediRun(t, "", "dictionary", "show", "x12/009990/777", "--dictionary", to); code != ExitOK || !strings.Contains(out, "loop LLL") || !strings.Contains(out, "  SUB") {
		t.Errorf("show: exit %d\n%s", code, out)
	}
	if code, out, _ = ediRun(t, "", "dictionary", "show", "x12/009990/directory", "AAA", "--dictionary", to); code != ExitOK || !strings.Contains(out, "02  902   O  AN 1..20") {
		t.Errorf("show segment: exit %d\n%s", code, out)
	}

	// Nothing is written over by accident.
	if code, _, words = ediRun(t, "", "dictionary", "import", source, "--to", to); code != ExitFailed || !strings.Contains(words, "--replace") {
		t.Errorf("again: exit %d, %q", code, words)
	}
	if code, out, words = ediRun(t, "", "dictionary", "import", source, "--to", to, "--replace"); code != ExitOK || !strings.Contains(out, "1 guide, ") || !strings.Contains(words, "tiny.sef:11") {
		t.Errorf("replace: exit %d, %q %q", code, out, words)
	}
	// A folder of files is read while it is imported.
	folder := filepath.Join(dir, "sources")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(source, filepath.Join(folder, "tiny.sef")); err != nil {
		t.Fatal(err)
	}
	if code, out, words = ediRun(t, "", "dictionary", "import", folder, "--to", filepath.Join(dir, "again")); code != ExitOK || !strings.Contains(out, "1 guide, ") {
		t.Errorf("a folder: exit %d, %q %q", code, out, words)
	}
	source = filepath.Join(folder, "tiny.sef")

	// What is too large is told, and nothing is written.
	large, none := filepath.Join(dir, "UNCL.96A"), filepath.Join(dir, "none")
	if err := os.WriteFile(large, []byte(strings.Repeat("x", 9<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, words = ediRun(t, "", "dictionary", "import", large, "--to", none); code != ExitInvalid || !strings.Contains(words, "too large") {
		t.Errorf("a large file: exit %d, %q", code, words)
	}
	if _, err := os.Stat(none); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
	for _, c := range []struct {
		code int
		args []string
	}{
		{ExitInvalid, []string{filepath.Join(dir, "letter"), "--to", to}},
		{ExitNotFound, []string{filepath.Join(dir, "gone"), "--to", to}},
		{ExitUsage, []string{source, "--to", to, "--name", "../out"}},
		{ExitUsage, []string{source, "--to", to, "--format", "pdf"}},
		{ExitUsage, []string{source}},
		{ExitUsage, nil},
	} {
		if code, _, words := ediRun(t, "", append([]string{"dictionary", "import"}, c.args...)...); code != c.code || words == "" {
			t.Errorf("import %v: exit %d, want %d; %q", c.args, code, c.code, words)
		}
	}
}

// TestEDIDictionaryShow asks for guides, segments, composites and elements in
// all the ways there are.
func TestEDIDictionaryShow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ask  string
		want []string // lines
		also string   // on standard error
	}{
		{"ORDERS", []string{"edifact/D01B/ORDERS  Order", "PLACE                      U    MAX  NAME", "BGM                        M      1  Start of the document", "loop SG2                   C     99  Party", "  loop SG3                 C     99  Reference", "    RFF                    M      1  Reference"}, "also in edifact/D96A/ORDERS"},
		{"ORDERS --version D96A", []string{"edifact/D96A/ORDERS  Order"}, ""},
		{"edifact/ORDERS/D:96A", []string{"edifact/D96A/ORDERS  Order"}, ""},
		{"x12/850/004010", []string{"x12/004010/850  Purchase order", "BEG                        M      1  Start of a purchase order", "REF                        O      *  Reference"}, ""},
		{"x12/004010/856", []string{"  level S  Shipment", "    HL                     M      1  Level", "  level O  Order, under S"}, ""},
		{"x12/004010/850 BEG", []string{"01  353   M  ID 2       Purpose of the document", "        00     Original", "in x12/004010/850"}, ""},
		{"x12/004010 BEG", []string{"BEG  Start of a purchase order", "in x12/004010, used by 1 guide: 850"}, ""},
		{"BGM", []string{"01  C002  C             Kind of document", "  01  1001  C  an..3      Kind of document", "          ... 19 more, --all shows them", "          and others", "in edifact/D01B, used by"}, "also in edifact/D96A"},
		{"PIA", []string{"02  C212  M             Item number", "03..06  C212  C             Item number"}, "edifact/D96A"},
		{"N1 --version 004010", []string{"syntax note R0203", "in x12/004010, used by"}, ""},
		{"c507", []string{"C507  Date or time", "01  2005  M  an..3      Kind of date", "used at DTM01"}, "also in edifact/D96A"},
		{"2379", []string{"2379  Form of the date  an..3", "102    CCYYMMDD"}, "also in"},
		{"x12/005010", []string{"x12/005010  X12 005010, what the starter guides need", "segments", "  ACK              Verdict on the line", "elements", "guides: 204 210 214"}, ""},
		{"353", []string{"353  Purpose of the document  ID 2", "00     Original"}, "also in x12/004010"},
	} {
		code, out, words := ediRun(t, "", append([]string{"dictionary", "show"}, strings.Fields(c.ask)...)...)
		if code != ExitOK || !strings.Contains(words, c.also) || c.also == "" && words != "" {
			t.Errorf("show %s: exit %d, %q", c.ask, code, words)
		}
		for _, line := range c.want {
			if !strings.Contains("\n"+out, "\n"+line+"\n") && !strings.Contains("\n"+out, "\n"+line+" ") {
				t.Errorf("show %s has no line %q:\n%s", c.ask, line, out)
			}
		}
		if strings.Contains(out, " \n") {
			t.Errorf("show %s: blanks at the end of a line", c.ask)
		}
		code, out, words = ediRun(t, "", append([]string{"dictionary", "show", "-o", "json"}, strings.Fields(c.ask)...)...)
		var got map[string]any
		if err := json.Unmarshal([]byte(out), &got); err != nil || code != ExitOK || words != "" {
			t.Errorf("show %s -o json: exit %d, %q, %v", c.ask, code, words, err)
		}
		if got["places"] == nil && got["layouts"] == nil && got["element"] == nil && got["segments"] == nil {
			t.Errorf("show %s -o json: %v", c.ask, got)
		}
	}
	for ask, want := range map[string]int{
		"x12/000000/000": ExitNotFound, "NOSUCH": ExitNotFound, "QQQ": ExitNotFound, "Z999": ExitNotFound, "77777": ExitNotFound,
		"ORDERS --version D:11A": ExitNotFound, "x12/004010 QQQ": ExitNotFound, "x12/000000 BEG": ExitNotFound, "ORDERS BGM more": ExitUsage, "": ExitUsage,
	} {
		if code, _, words := ediRun(t, "", append([]string{"dictionary", "show"}, strings.Fields(ask)...)...); code != want || words == "" {
			t.Errorf("show %s: exit %d, want %d, %q", ask, code, want, words)
		}
	}
	code, out, _ := ediRun(t, "", "dictionary", "list", "850", "-o", "json")
	var rows []guideRow
	if err := json.Unmarshal([]byte(out), &rows); err != nil || code != ExitOK || len(rows) != 2 || rows[0].Name != "x12/004010/850" || !rows[0].Used || rows[0].From != "shipped" {
		t.Errorf("list 850: exit %d, %v, %+v", code, err, rows)
	}
	if code, _, _ = ediRun(t, "", "dictionary", "list", "nothing-like-this"); code != ExitNotFound {
		t.Errorf("list of nothing: exit %d", code)
	}
}

// TestEDIDictionaryUnused shows and finds what a folder's dictionary describes
// and no guide uses.
func TestEDIDictionaryUnused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "own.dictionary"), []byte(`dictionary own/003060 "Ours"
standard X12
version 003060
element 7 ID 2 "Kind of crate"
  AA "Small crate"
  BB "Large crate" from 2026-01-01 until 2026-12-31
element 8 AN 1..5 "Mark"
composite C7 "Crates"
  1 7 M
segment CRT "Crate"
  1 7 M codes AA
`), 0o600); err != nil {
		t.Fatal(err)
	}
	for ask, want := range map[string]string{
		"show CRT":          "CRT  Crate\n\n01  7     M  ID 2       Kind of crate\n        AA     Small crate\n\nin own/003060; no guide uses it\n",
		"show 7":            "7  Kind of crate  ID 2\n\nAA     Small crate\nBB     Large crate from 20260101 until 20261231\n\nused at CRT01\nin own/003060; no guide uses it\n",
		"show C7":           "C7  Crates\n\n01  7     M  ID 2       Kind of crate\n        AA     Small crate\n        BB     Large crate from 20260101 until 20261231\n\nin own/003060; no guide uses it\n",
		"show own/003060 8": "8  Mark  AN 1..5\n\nin own/003060; no guide uses it\n",
		"show own/003060": "own/003060  Ours\nX12 003060: 0 guides, 1 segment, 1 composite, 2 elements\n\nsegments\n  CRT              Crate\n\ncomposites\n  C7               Crates\n\nelements\n" +
			"  7     ID 2       Kind of crate  (2 codes)\n  8     AN 1..5    Mark\n",
		"find crate --version 003060": "KIND       REF  CODE  NAME                                       IN\nsegment    CRT        Crate                                      own/003060\nelement    7          Kind of crate                              own/003060\n" +
			"code       7    AA    Small crate                                own/003060\ncode       7    BB    Large crate from 20260101 until 20261231  own/003060\ncomposite  C7         Crates                                     own/003060\n",
		"find crt -o csv": "kind,ref,code,name,in\nsegment,CRT,,Crate,own/003060\n",
	} {
		code, out, words := ediRun(t, "", append([]string{"dictionary"}, strings.Fields(ask+" --dictionary "+dir)...)...)
		if squeeze := regexp.MustCompile(` +`); code != ExitOK || squeeze.ReplaceAllString(out, " ") != squeeze.ReplaceAllString(want, " ") {
			t.Errorf("%s: exit %d %s\n%s\nwant\n%s", ask, code, words, out, want)
		}
	}
	code, out, _ := ediRun(t, "", "dictionary", "find", "purchase order", "-o", "json")
	var rows []foundRow
	if err := json.Unmarshal([]byte(out), &rows); err != nil || code != ExitOK || len(rows) < 4 || rows[0].Kind != "guide" {
		t.Errorf("find: exit %d, %v, %+v", code, err, rows)
	}
	for ask, want := range map[string]int{"find nothing-like-this": ExitNotFound, "find": ExitUsage, "find crate --version 003060 --dictionary " + dir + "/none": ExitNotFound} {
		if code, _, words := ediRun(t, "", append([]string{"dictionary"}, strings.Fields(ask)...)...); code != want || words == "" {
			t.Errorf("%s: exit %d, want %d: %s", ask, code, want, words)
		}
	}
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	if code, _, words := ediRun(t, goodOrder, "validate", "-", "--dictionary", empty); code != ExitNotFound || !strings.Contains(words, "edi dictionary import") {
		t.Errorf("an empty folder: exit %d, %s", code, words)
	}
}

func TestEDIDictionaryLearn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.edi"), filepath.Join(dir, "two.edi")
	for name, text := range map[string]string{one: goodOrder, two: strings.Replace(goodOrder, "BEG*00*NE", "BEG*00*SA", 1)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	to := filepath.Join(dir, "out")
	code, out, words := ediRun(t, "", "dictionary", "learn", dir)
	if code != ExitOK || !strings.Contains(out, "based-on x12/004010/850") || !strings.Contains(out, "2 codes NE SA # 2 of 2") || !strings.Contains(words, "the draft accepts 2 of them") {
		t.Fatalf("exit %d\n%s\n%s", code, words, out)
	}
	if code, _, words = ediRun(t, "", "dictionary", "learn", one, two, "--name", "acme/850", "--to", to); code != ExitOK || !strings.Contains(words, filepath.Join(to, "acme", "850.guide")) {
		t.Fatalf("exit %d, %q", code, words)
	}
	// The draft accepts its samples and refuses what none of them has.
	count := func(order string) string { return strings.Replace(order, "SE*6*", "SE*7*", 1) }
	for what, c := range map[string]struct {
		order, ack string
	}{
		"the sample":              {goodOrder, ""},
		"an unseen code":          {strings.Replace(goodOrder, "BEG*00*NE", "BEG*00*BK", 1), "AK403=7"},
		"an unseen qualifier":     {strings.Replace(goodOrder, "N1*ST", "N1*BT", 1), "AK403=7"},
		"an unseen segment":       {count(strings.Replace(goodOrder, "N1*ST", "CUR*BY*USD~\r\nN1*ST", 1)), "AK304="},
		"an unseen loop":          {count(strings.Replace(goodOrder, "CTT*1", "PID*F****Beans~\r\nCTT*1", 1)), "AK304="},
		"a segment left out":      {strings.Replace(strings.Replace(goodOrder, "CTT*1~\r\n", "", 1), "SE*6*", "SE*5*", 1), "AK304=3"},
		"an element left out":     {strings.Replace(goodOrder, "*UP*012345678905", "", 1), "AK403=1"},
		"a value longer than all": {strings.Replace(goodOrder, "4500012345", "45000123456", 1), "AK403=5"},
	} {
		want := ExitInvalid
		if c.ack == "" {
			want = ExitOK
		}
		if code, out, _ := ediRun(t, c.order, "validate", "-", "--guide", filepath.Join(to, "acme", "850.guide"), "-o", "json"); code != want || !strings.Contains(out, c.ack) {
			t.Errorf("%s: exit %d, want %d and %s\n%s", what, code, want, c.ack, out)
		}
	}
	if code, out, _ = ediRun(t, "", "dictionary", "learn", one, "--unseen", "nothing"); code != ExitOK || strings.Contains(out, "forbid") || !strings.Contains(out, "# not seen: ") {
		t.Errorf("--unseen nothing: exit %d\n%s", code, out)
	}
	if code, out, _ = ediRun(t, "", "dictionary", "learn", one, "--unseen", "elements"); code != ExitOK || !strings.Contains(out, "4 forbid # 0 of 1") {
		t.Errorf("--unseen elements: exit %d\n%s", code, out)
	}
	if code, _, _ = ediRun(t, "", "dictionary", "learn", one, "--unseen", "everything"); code != ExitUsage {
		t.Errorf("--unseen everything: exit %d", code)
	}
	code, out, words = ediRun(t, "", "dictionary", "learn", one, two, "-o", "json")
	var draft learned
	if err := json.Unmarshal([]byte(out), &draft); err != nil || code != ExitOK || words != "" || draft.Name != "draft/850" || draft.Documents != 2 || draft.Accepted != 2 || !strings.Contains(draft.Text, "guide draft/850") {
		t.Errorf("-o json: exit %d, %v, %q, %+v", code, err, words, draft)
	}
	// A pile of several types: told, or a draft of each.
	pile := filepath.Join(dir, "pile")
	if err := os.Mkdir(pile, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"a.edi": goodOrder, "b.edi": tinyOrders} {
		if err := os.WriteFile(filepath.Join(pile, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, words = ediRun(t, "", "dictionary", "learn", pile); code != ExitUsage || !strings.Contains(words, "--each") {
		t.Errorf("a pile: exit %d, %q", code, words)
	}
	code, out, words = ediRun(t, "", "dictionary", "learn", pile, "--each", "--name", "acme", "--to", to, "-o", "json")
	var each []learned
	if err := json.Unmarshal([]byte(out), &each); err != nil || code != ExitOK || len(each) != 2 || each[0].File != "acme/D96A/ORDERS.guide" || each[1].File != "acme/004010/850.guide" || each[1].Accepted != 1 {
		t.Errorf("--each: exit %d, %v, %q, %+v", code, err, words, each)
	}
	if code, out, _ = ediRun(t, goodOrder, "validate", "-", "--guide", filepath.Join(to, "acme", "004010", "850.guide")); code != ExitOK {
		t.Errorf("--each: exit %d\n%s", code, out)
	}
	for _, args := range [][]string{{"--each"}, {"--each", "--to", to, "--type", "850"}} {
		if code, _, _ = ediRun(t, "", append([]string{"dictionary", "learn", pile}, args...)...); code != ExitUsage {
			t.Errorf("%v: exit %d", args, code)
		}
	}
	// Alone, it has no place for what it has not seen.
	if code, _, words = ediRun(t, "", "dictionary", "learn", one, two, "--alone", "--name", "acme/alone", "--to", to); code != ExitOK {
		t.Fatalf("alone: exit %d, %q", code, words)
	}
	for input, want := range map[string]int{goodOrder: ExitOK, count(strings.Replace(goodOrder, "N1*ST", "CUR*BY*USD~\r\nN1*ST", 1)): ExitInvalid} {
		if code, out, _ := ediRun(t, input, "validate", "-", "--guide", filepath.Join(to, "acme", "alone.guide")); code != want {
			t.Errorf("alone: exit %d, want %d\n%s", code, want, out)
		}
	}
	if code, _, _ = ediRun(t, goodOrder, "dictionary", "learn", "-"); code != ExitUsage {
		t.Errorf("standard input: exit %d", code)
	}
	if code, _, _ = ediRun(t, "", "dictionary", "learn", filepath.Join(dir, "gone")); code != ExitNotFound {
		t.Errorf("no file: exit %d", code)
	}
	if code, _, words = ediRun(t, "", "dictionary", "learn", one, "--type", "810"); code != ExitInvalid || !strings.Contains(words, "810") {
		t.Errorf("no such type: exit %d, %q", code, words)
	}
}
