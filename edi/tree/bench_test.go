package tree_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"tradepost/edi/schema"
	"tradepost/edi/tree"
	"tradepost/edi/validate"
)

// orders writes 850s of 5 to 34 lines until there are size bytes.
func orders(size int) []byte {
	var b bytes.Buffer
	b.WriteString("ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260301*1200*U*00401*000000001*0*P*>~\n")
	b.WriteString("GS*PO*BUYERGS*SELLERGS*20260301*1200*1*X*004010~\n")
	documents := 0
	for b.Len() < size {
		documents++
		n := 1
		seg := func(format string, args ...any) {
			n++
			fmt.Fprintf(&b, format+"~\n", args...)
		}
		fmt.Fprintf(&b, "ST*850*%04d~\n", documents)
		seg("BEG*00*NE*45%08d**20260301", documents)
		seg("REF*DP*038")
		seg("PER*BD*John Buyer*TE*15551234567*EM*john.buyer@example.com")
		seg("DTM*002*20260315")
		for _, party := range []string{"ST", "BT", "VN"} {
			seg("N1*%s*Main Street Store No. %d*92*%05d", party, documents%400, documents%10000)
			seg("N3*%d Main Street*Dock 4", documents%900+1)
			seg("N4*Springfield*IL*62701*US")
		}
		lines := 5 + documents%30
		for line := 1; line <= lines; line++ {
			seg("PO1*%d*%d*EA*%d.%02d*PE*UP*%012d*VN*W-%05d", line, line*3, line, line*7%100, line*777, line)
			seg("PID*F****Widget, blue, with a longer description no. %d", line)
		}
		seg("CTT*%d", lines)
		fmt.Fprintf(&b, "SE*%d*%04d~\n", n+1, documents)
	}
	fmt.Fprintf(&b, "GE*%d*1~\nIEA*1*000000001~\n", documents)
	return b.Bytes()
}

// BenchmarkForms writes and reads the forms of a tree, and prints it; MB/s are bytes of EDI.
// Validation and a copy of the JSON stand beside them as limits.
func BenchmarkForms(b *testing.B) {
	input := orders(4 << 20)
	o := validate.Options{Catalog: schema.Shipped()}
	var json bytes.Buffer
	if err := tree.WriteJSON(b.Context(), &json, bytes.NewReader(input), o); err != nil {
		b.Fatal(err)
	}
	run := func(name string, do func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(input)))
			b.ReportAllocs()
			for b.Loop() {
				if err := do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("write JSON", func() error { return tree.WriteJSON(b.Context(), io.Discard, bytes.NewReader(input), o) })
	run("read JSON", func() error { return tree.WriteEDI(io.Discard, bytes.NewReader(json.Bytes())) })
	run("write lines", func() error { return tree.WriteLines(b.Context(), io.Discard, bytes.NewReader(input), o) })
	run("print", func() error { return tree.Print(b.Context(), io.Discard, bytes.NewReader(input), o) })
	run("validate", func() error {
		stream := o
		stream.Stream = true
		_, err := validate.Validate(b.Context(), bytes.NewReader(input), stream)
		return err
	})
	out := make([]byte, json.Len())
	run("copy JSON", func() error { copy(out, json.Bytes()); return nil })
	b.Logf("%d bytes of JSON for %d of EDI", json.Len(), len(input))
}
