package tree_test

import (
	"bytes"
	"encoding/csv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tradepost/edi/schema"
	"tradepost/edi/tree"
	"tradepost/edi/validate"
)

const twoInterchanges = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*^*00501*000000001*0*P*>~\n" +
	"GS*PO*A*B*20260301*1200*1*X*005010~\nST*850*0001~\nBEG*00*NE*quote \" <and & \x01**20260301~\n" +
	"REF*DP*B\xfcro***~\nN1*ST*\tTab \r\n~\nPO1*1*5*EA*9.250~\nSLN*1**I*1*EA>2>>*~\nN9*ZZ*a^b~\nSE*8*0001~\nGE*1*1~\nIEA*1*000000001~\n" +
	"UNA:+.? '\r\nUNB+UNOA:3+A+B+260301:1200+1'\r\nUNH+1+ORDERS:D:96A:UN'\r\nFTX+AAI+++it?'s ??+5'\r\nUNT+3+1'\r\nUNZ+1+1'\r\n\x1a"

// throughXML turns EDI into XML and back.
func throughXML(tb testing.TB, o validate.Options, input []byte) (asXML, back []byte) {
	tb.Helper()
	var x, out bytes.Buffer
	if err := tree.WriteXML(tb.Context(), &x, bytes.NewReader(input), o); err != nil {
		tb.Fatal(err)
	}
	if err := tree.WriteEDIFromXML(&out, bytes.NewReader(x.Bytes())); err != nil {
		tb.Fatalf("%v\n%s", err, x.Bytes())
	}
	return x.Bytes(), out.Bytes()
}

func TestXMLComesBackAsItWas(t *testing.T) {
	t.Parallel()
	o := validate.Options{Catalog: schema.Shipped()}
	text, back := throughXML(t, o, []byte(twoInterchanges))
	if string(back) != twoInterchanges {
		t.Errorf("got %q\n%s", back, text)
	}
	for _, want := range []string{
		`<document control="0001" type="850" guide="x12/005010/850">`,
		`<segment id="BEG" name="Start of a purchase order">`,
		`<element position="1" name="Purpose of the document" meaning="Original">00</element>`,
		`escape="json">quote \&#34; &lt;and &amp; \u0001</element>`,
		`<repeat>b</repeat>`, `<component>EA</component>`, `<loop id="N1" name="`, `<trailing escape="json">\r\n\u001a</trailing>`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
}

// TestCorpusThroughXML turns every real file into XML and back into its very
// bytes.
func TestCorpusThroughXML(t *testing.T) {
	t.Parallel()
	root := os.Getenv("TRADEPOST_CORPUS")
	if root == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("TRADEPOST_CORPUS is not set; with CI=true the corpus has to be there")
		}
		t.Skip("TRADEPOST_CORPUS is not set: the corpus of real files is left out")
	}
	files, o := 0, validate.Options{Catalog: schema.Shipped()}
	err := filepath.WalkDir(filepath.Join(root, "edi"), func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(file, "unece") {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if r, err := validate.Validate(t.Context(), bytes.NewReader(text), o); err != nil || r.Unread != nil || len(text) > 1<<20 {
			return err
		}
		files++
		if _, back := throughXML(t, o, text); !bytes.Equal(back, text) {
			t.Errorf("%s does not come back as it was", file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 100 {
		t.Errorf("only %d files were read as EDI", files)
	}
}

func TestXMLThatIsNoTree(t *testing.T) {
	t.Parallel()
	const head = `<edi format="tradepost-edi-tree-1"><interchange control="1"><delimiters segment="~" element="*"/>`
	for _, c := range []struct{ name, in, mistake string }{
		{"empty", "", "it is empty"},
		{"no XML", "ISA*00", "stands between elements"},
		{"another element", "<orders/>", "outermost element has to be edi"},
		{"cut off", head + `<segment id="A">`, "it is no XML"},
		{"declared entities", `<!DOCTYPE edi [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]><edi format="tradepost-edi-tree-1"/>`, "document type declaration"},
		{"unknown entity", head + `<segment id="A"><element position="1">&b;</element></segment></interchange></edi>`, "it is no XML"},
		{"deep", `<edi format="tradepost-edi-tree-1">` + strings.Repeat(`<loop id="A">`, 5000), "nested deeper"},
		{"no position", head + `<segment id="A"><element>x</element></segment></interchange></edi>`, "no place of an element"},
		{"out of order", head + `<segment id="A"><element position="2">x</element><element position="1">x</element></segment></interchange></edi>`, "out of order"},
		{"no id", head + `<segment/></interchange></edi>`, "no id"},
		{"text", head + `hello</interchange></edi>`, "stands between elements"},
		{"mixed", head + `<segment id="A"><element position="1">x<component>y</component></element></segment></interchange></edi>`, "stands between parts"},
		{"foreign part", head + `<order/></interchange></edi>`, "has no place here"},
		{"behind", `<edi format="tradepost-edi-tree-1"/><edi/>`, "something follows"},
		{"no format", `<edi/>`, "format is missing"},
	} {
		err := tree.WriteEDIFromXML(io.Discard, strings.NewReader(c.in))
		if err == nil || !strings.Contains(err.Error(), c.mistake) {
			t.Errorf("%s: %v, want %q", c.name, err, c.mistake)
		}
	}
}

func TestCSVOfValues(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := tree.WriteCSV(t.Context(), &out, strings.NewReader(twoInterchanges), validate.Options{Catalog: schema.Shipped()}); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(out.Bytes())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range rows {
		seen[strings.Join(r, "|")] = true
	}
	for _, want := range []string{
		"interchange|group|document|type|segment|path|tag|element|repeat|component|name|value|meaning",
		"000000001|1|0001|850|2||BEG|1|||Purpose of the document|00|Original",
		"000000001|1|0001|850|4|N1|N1|1|||Role of the party|ST|Ship-to party",
	} {
		if !seen[want] {
			t.Errorf("no row %s in\n%s", want, out.String())
		}
	}
	for _, value := range []string{"it's ?"} {
		if !strings.Contains(strings.ReplaceAll(out.String(), ",", "|"), value) {
			t.Errorf("%q is not in\n%s", value, out.String())
		}
	}
}

// FuzzXML reads any bytes as a tree in XML, and turns any EDI into XML and
// back into its bytes.
func FuzzXML(f *testing.F) {
	f.Add([]byte(twoInterchanges))
	f.Add([]byte(`<edi format="tradepost-edi-tree-1"><interchange control="1"><delimiters segment="~" element="*" component="&gt;"/><segment id="A" lead="&#10;" count="9"><element position="1">x</element><element position="3"><repeat>a</repeat><repeat><component>b</component></repeat></element></segment></interchange><trailing escape="base64">AAA=</trailing></edi>`))
	o := validate.Options{Catalog: schema.Shipped()}
	f.Fuzz(func(t *testing.T, input []byte) {
		_ = tree.WriteEDIFromXML(io.Discard, bytes.NewReader(input))
		var x, out bytes.Buffer
		if err := tree.WriteXML(t.Context(), &x, bytes.NewReader(input), o); err != nil {
			return // no EDI
		}
		if err := tree.WriteEDIFromXML(&out, bytes.NewReader(x.Bytes())); err != nil || !bytes.Equal(out.Bytes(), input) {
			t.Fatalf("%v\n in %q\nout %q\n%s", err, input, out.Bytes(), x.Bytes())
		}
		if err := tree.WriteCSV(t.Context(), io.Discard, bytes.NewReader(input), o); err != nil {
			t.Fatal(err)
		}
	})
}
