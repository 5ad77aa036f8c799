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

// manyEDIFACTOrders writes ORDERS of 5 to 34 lines until there are size bytes.
func manyEDIFACTOrders(size int) []byte {
	var b bytes.Buffer
	b.WriteString("UNA:+.? '\nUNB+UNOC:3+4012345000009:14+4054321000001:14+260301:1200+1'\n")
	documents := 0
	for b.Len() < size {
		documents++
		n := 0
		seg := func(format string, args ...any) {
			n++
			fmt.Fprintf(&b, format+"'\n", args...)
		}
		seg("UNH+%d+ORDERS:D:96A:UN", documents)
		seg("BGM+220+45%08d+9", documents)
		seg("DTM+137:20260301:102")
		seg("DTM+2:202603151200:203")
		seg("FTX+AAI+++Please call the dock?: it?'s closed at noon")
		for _, role := range []string{"BY", "SU", "DP"} {
			seg("NAD+%s+4012345%06d::9++Main Street Store No. %d+%d Main Street+Springfield+IL+62701+US", role, documents%1000000, documents%400, documents%900+1)
			seg("CTA+OC+:John Buyer")
			seg("COM+15551234567:TE")
		}
		seg("CUX+2:EUR:9")
		lines := 5 + documents%30
		for line := 1; line <= lines; line++ {
			seg("LIN+%d++40008621%05d:EN", line, line*777)
			seg("PIA+1+W-%05d:SA", line)
			seg("IMD+F++:::Widget, blue, no. %d", line)
			seg("QTY+21:%d:PCE", line*3)
			seg("PRI+AAA:%d.%02d", line, line*7%100)
		}
		seg("UNS+S")
		seg("CNT+2:%d", lines)
		n++
		fmt.Fprintf(&b, "UNT+%d+%d'\n", n, documents)
	}
	fmt.Fprintf(&b, "UNZ+%d+1'\n", documents)
	return b.Bytes()
}

// convert maps an input and returns what was written.
func convert(b *testing.B, m *mapping.Map, w io.Writer, input []byte, o mapping.Options) {
	b.Helper()
	s, err := m.Convert(b.Context(), w, bytes.NewReader(input), o)
	if err != nil || s.Failed > 0 || s.Invalid > 0 || s.Written == 0 {
		b.Fatal(s, err)
	}
}

// BenchmarkORDERSToJSON maps whole EDIFACT orders with the shipped map, and
// back; MB/s count bytes of EDI both times.
func BenchmarkORDERSToJSON(b *testing.B) { bothWays(b, "edifact/ORDERS", manyEDIFACTOrders(8<<20)) }

// BenchmarkJSONTo850 writes orders from their JSON; MB/s count bytes of EDI.
func BenchmarkJSONTo850(b *testing.B) { bothWays(b, "x12/850", manyOrders(8<<20)) }

func bothWays(b *testing.B, name string, input []byte) {
	catalog := schema.Shipped()
	m, err := mapping.NewLibrary(catalog).Map(name)
	if err != nil {
		b.Fatal(err)
	}
	forward := mapping.Options{Form: mapping.JSONLines, Validate: validate.Options{Catalog: catalog}}
	back := mapping.Options{Way: mapping.Backward, Form: mapping.JSONLines, Envelope: mapping.Envelope{Sender: partyA(), Receiver: partyA(), Time: when(), Control: "1"}}
	var result bytes.Buffer
	convert(b, m, &result, input, forward)
	b.Run("forward", func(b *testing.B) {
		b.SetBytes(int64(len(input)))
		b.ReportAllocs()
		for b.Loop() {
			convert(b, m, io.Discard, input, forward)
		}
	})
	b.Run("backward", func(b *testing.B) {
		b.SetBytes(int64(len(input)))
		b.ReportAllocs()
		for b.Loop() {
			convert(b, m, io.Discard, result.Bytes(), back)
		}
	})
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
	o := mapping.Options{Form: mapping.JSONLines, Validate: validate.Options{Catalog: catalog}}
	var result bytes.Buffer
	convert(b, m, &result, input, o)
	b.Run("map", func(b *testing.B) {
		b.SetBytes(int64(len(input)))
		b.ReportAllocs()
		for b.Loop() {
			convert(b, m, io.Discard, input, o)
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
