package mapping_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"

	"tradepost/edi"
	"tradepost/edi/mapping"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// manyOrders writes realistic 850s of 5 to 34 lines until there are size bytes.
func manyOrders(size int) []byte {
	var b bytes.Buffer
	b.WriteString("ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260301*1200*U*00401*000000001*0*P*>~\n")
	b.WriteString("GS*PO*BUYERGS*SELLERGS*20260301*1200*1*X*004010~\n")
	documents := 0
	for b.Len() < size {
		documents++
		n := 0
		seg := func(format string, args ...any) {
			n++
			fmt.Fprintf(&b, format+"~\n", args...)
		}
		seg("ST*850*%04d", documents)
		seg("BEG*00*NE*45%08d**20260301", documents)
		seg("CUR*BY*USD")
		seg("REF*DP*038")
		seg("REF*IA*0000%06d", documents)
		seg("PER*BD*John Buyer*TE*15551234567*EM*john.buyer@example.com")
		seg("FOB*PP*OR*Origin")
		seg("ITD*14*3*2**10**30*****2/10 net 30")
		seg("DTM*002*20260315")
		seg("TD5*O*2*UPSN*U*Ground")
		for _, party := range []string{"ST", "BT", "VN"} {
			seg("N1*%s*Main Street Store No. %d*92*%05d", party, documents%400, documents%10000)
			seg("N3*%d Main Street*Dock 4", documents%900+1)
			seg("N4*Springfield*IL*62701*US")
		}
		lines := 5 + documents%30
		for line := 1; line <= lines; line++ {
			seg("PO1*%d*%d*EA*%d.%02d*PE*UP*%012d*VN*W-%05d", line, line*3, line, line*7%100, line*777, line)
			seg("PID*F****Widget, blue, with a longer description no. %d", line)
			if line%3 == 0 {
				seg("REF*ZZ*LINE%05d", line)
				seg("DTM*010*20260310")
			}
		}
		seg("CTT*%d", lines)
		n++
		fmt.Fprintf(&b, "SE*%d*%04d~\n", n, documents)
	}
	fmt.Fprintf(&b, "GE*%d*1~\nIEA*1*000000001~\n", documents)
	return b.Bytes()
}

// Benchmark850ToJSON maps whole orders: reading, validation and the shipped
// map to JSON, one document at a time. MB/s count bytes of EDI. The others are
// its limits and a yardstick in the same run: reading alone, validation alone,
// and encoding/json reading the result (whose MB/s count bytes of EDI, too, so
// that the figures compare).
func Benchmark850ToJSON(b *testing.B) {
	input := manyOrders(8 << 20)
	catalog := schema.Shipped()
	m, err := mapping.NewLibrary(catalog).Map("x12/850")
	if err != nil {
		b.Fatal(err)
	}
	convert := func(w io.Writer) mapping.Summary {
		s, err := m.Convert(b.Context(), w, bytes.NewReader(input), mapping.Options{Form: mapping.JSONLines, Validate: validate.Options{Catalog: catalog}})
		if err != nil || s.Failed > 0 || s.Invalid > 0 || s.Written == 0 {
			b.Fatal(s, err)
		}
		return s
	}
	var result bytes.Buffer
	convert(&result)
	b.Run("map", func(b *testing.B) {
		b.SetBytes(int64(len(input)))
		b.ReportAllocs()
		for b.Loop() {
			convert(io.Discard)
		}
	})
	b.Run("validate", func(b *testing.B) {
		b.SetBytes(int64(len(input)))
		for b.Loop() {
			if _, err := validate.Validate(b.Context(), bytes.NewReader(input), validate.Options{Catalog: catalog, Stream: true}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(input)))
		for b.Loop() {
			r := edi.NewReader(bytes.NewReader(input), edi.Options{})
			for {
				if _, err := r.Next(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("decode-result-with-encoding-json", func(b *testing.B) {
		b.SetBytes(int64(len(input)))
		for b.Loop() {
			dec := json.NewDecoder(bytes.NewReader(result.Bytes()))
			dec.UseNumber()
			for {
				var v any
				if err := dec.Decode(&v); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
