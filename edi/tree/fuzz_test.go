package tree_test

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	"tradepost/edi/schema"
	"tradepost/edi/tree"
	"tradepost/edi/validate"
)

func seeds(f *testing.F) {
	f.Add([]byte("ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*U*00401*000000001*0*P*>~\nGS*PO*A*B*20260301*1200*1*X*004010~\nST*850*0001~\nBEG*00*NE*1**20260301~\nN1*ST*X~\nPO1**1*EA***~\nSE*5*0001~\nGE*1*1~\nIEA*1*000000001~\n\x1a"))
	f.Add([]byte("UNA:+.? '\r\nUNB+UNOA:3+A+B+260301:1200+1'\r\nUNH+1+ORDERS:D:96A:UN'\r\nFTX+AAI+++it?'s ??+5'\r\nUNT+3+1'\r\nUNZ+1+1'\r\n"))
	f.Add([]byte("ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*^*00501*000000001*0*P*>~GS*SH*A*B*20260301*1200*1*X*005010~ST*856*0001~BSN*00*12*20260301*1200~HL*1**S~N1*SF*\xe9~HL*2*1*O~REF^A*1^2>3~SE*7*0001~"))
}

// FuzzRoundTrip turns any input that can be read into a tree and back into the
// same bytes.
func FuzzRoundTrip(f *testing.F) {
	seeds(f)
	catalog := schema.Shipped()
	f.Fuzz(func(t *testing.T, input []byte) {
		var j, out bytes.Buffer
		o := validate.Options{Catalog: catalog}
		if err := tree.WriteJSON(t.Context(), &j, bytes.NewReader(input), o); err != nil {
			return // no EDI, which is told
		}
		if !json.Valid(j.Bytes()) {
			t.Fatalf("the tree is no JSON\n%s", j.Bytes())
		}
		if err := tree.WriteEDI(&out, bytes.NewReader(j.Bytes())); err != nil {
			t.Fatalf("%v\n%s", err, j.Bytes())
		}
		if !bytes.Equal(out.Bytes(), input) {
			t.Fatalf("not the same bytes\n in %q\nout %q\n%s", input, out.Bytes(), j.Bytes())
		}
		var lines bytes.Buffer
		if err := tree.WriteLines(t.Context(), &lines, bytes.NewReader(input), o); err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(lines.Bytes()) {
			if !json.Valid(line) {
				t.Fatalf("a line is no JSON\n%s", line)
			}
		}
		if err := tree.Print(t.Context(), io.Discard, bytes.NewReader(input), o); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzReadTree reads any bytes as a tree: an error, or EDI, never a panic.
func FuzzReadTree(f *testing.F) {
	f.Add([]byte(`{"format":"tradepost-edi-tree-1","parts":[{"delimiters":{"segment":"~","element":"*"},"parts":[{"segment":"BEG","elements":[{"position":1,"value":"00"},{"position":3,"components":["a","b"]},{"position":4,"repeats":[{"value":"x"}]}],"count":9,"lead":"\n"}]}],"trailing":"\n"}`))
	f.Add([]byte(`{"format":"tradepost-edi-tree-1","parts":[{"segment":"X","raw_base64":"AAEC"}],"trailing_base64":"AA=="}`))
	f.Fuzz(func(t *testing.T, input []byte) {
		_ = tree.WriteEDI(io.Discard, bytes.NewReader(input))
	})
}
