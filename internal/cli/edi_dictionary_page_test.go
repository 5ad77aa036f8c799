package cli

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// caseFile is a file inside of a golden case of the importers.
func caseFile(t *testing.T, name, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "edi", "dictionary", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "-- file "+file+" --\n")
	if !found {
		t.Fatalf("%s has no file %s", name, file)
	}
	end := regexp.MustCompile(`(?m)^-- [a-z]+.* --$`).FindStringIndex(rest)
	return rest[:end[0]]
}

// tinyDirectory is a directory of one message, zipped as UNECE does it.
func tinyDirectory(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range []string{"EDED", "EDCD", "EDSD", "UNCL", "TESTER_D"} {
		w, err := z.Create(strings.Replace(f, "TESTER", "ORDERS", 1) + ".96A")
		if err == nil {
			text := caseFile(t, "unece-columns.case", f+".99X")
			_, err = w.Write([]byte(strings.NewReplacer("TESTER", "ORDERS", "99X", "96A").Replace(text)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// partnerSEF is what a partner might send about orders in 004010.
const partnerSEF = `.VER 1.6
.INI
ACME,,004 010,X,X12-4010,Orders of ACME
.SETS
850=^[ST,M][BEG*1,M][.CUR]{:200[N1]}^{:100000[PO1,M]}^{:1[CTT]}[SE,M]
.SEGS
BEG=[353,M][92,M][324,M][328][373,M],!!!#!
CTT=[354,M]
CUR=[98,M][100,M]
N1=[98,M][93][66][67]+R0203P0304
PO1=[350][330][355][212][639]{10[235][234]}+C0302P0607P0809
SE=[96,M][329,M]
ST=[143,M][329,M]
.ELMS
66=ID,1,2
67=AN,2,80
92=ID,2,2
93=AN,1,60
96=N0,1,10
98=ID,2,3
100=ID,3,3
143=ID,3,3
212=R,1,17
234=AN,1,48
235=ID,2,2
324=AN,1,22
328=AN,1,30
329=AN,4,9
330=R,1,15
350=AN,1,20
353=ID,2,2
354=N0,1,6
355=ID,2,2
373=DT,8,8
639=ID,2,2
.CODES
92=NE,SA
`

const tinyOrders = "UNB+UNOC:3+A+B+260301:1200+1'UNH+1+ORDERS:D:96A:UN'BGM+1+77'DTM+9:20260301'ARR+a'QTY+5'UNS+S'UNT+7+1'UNZ+1+1'"

// TestDictionaryPage runs every command of docs/dictionaries.md in a folder
// that has the files the page speaks of. A command ends well, or as the comment
// behind it says; the lines that the page shows below it come out, in order.
func TestDictionaryPage(t *testing.T) { //nolint:paralleltest // it changes the folder
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "dictionaries.md"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"d96a.zip": tinyDirectory(t), "partner.sef": partnerSEF,
		"orders.edi": tinyOrders, "orders-of-a-subset.edi": strings.Replace(strings.Replace(tinyOrders, ":UN'", ":UN:EAN008'", 1), "DTM+9:", "DTM+9E:", 1),
		"order.x12": goodOrder, "samples/one.x12": goodOrder, "samples/two.x12": strings.Replace(goodOrder, "BEG*00*NE", "BEG*00*SA", 1),
		"types.xml": caseFile(t, "staedi-v4.case", "types.xml"), "850.xml": caseFile(t, "staedi-v4.case", "transaction.xml"),
		"schemas/EFACT_D96A_TESTER.xsd": caseFile(t, "xsd-edifact.case", "EFACT_D96A_TESTER.xsd"),
	}
	blocks := regexp.MustCompile("(?s)```(\\w+)([^\n]*)\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	for _, b := range blocks {
		if b[1] == "text" && b[2] != "" { // a file; without a name it is what a screen shows
			files[strings.TrimSpace(b[2])] = b[3]
		}
	}
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ran := 0
	for _, b := range blocks {
		if b[1] != "sh" && b[1] != "console" {
			continue
		}
		var rest []string // what the last command printed
		for _, line := range strings.Split(strings.TrimSpace(b[3]), "\n") {
			command, is := strings.CutPrefix(strings.TrimPrefix(line, "$ "), "tradepost edi ")
			if !is {
				i := slices.Index(rest, line)
				if i < 0 {
					t.Errorf("the line %q does not come out there:\n%s", line, strings.Join(rest, "\n"))
					continue
				}
				rest = rest[i+1:]
				continue
			}
			want := ExitOK
			if words, comment, found := strings.Cut(command, " # exit "); found {
				command, want = words, int(comment[0]-'0')
			}
			code, out, words := ediRun(t, "", strings.Fields(command)...)
			if code != want {
				t.Errorf("%s: exit %d, want %d\n%s%s", line, code, want, out, words)
			}
			rest = strings.Split(out, "\n")
			ran++
		}
	}
	if ran < 20 {
		t.Errorf("%d commands were found: the search is broken", ran)
	}
}
