package validate_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"tradepost/edi"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// orders writes realistic 850s of 5 to 34 lines until there are size bytes.
func orders(size int) []byte {
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

// ordersD96A writes EDIFACT ORDERS of 5 to 34 lines, with composites and
// released characters, until there are size bytes.
func ordersD96A(size int) []byte {
	var b bytes.Buffer
	b.WriteString("UNA:+.? 'UNB+UNOC:3+4012345000009:14+5412345000013:14+260801:1200+REF0001'")
	documents := 0
	for b.Len() < size {
		documents++
		n := 1
		seg := func(format string, args ...any) {
			n++
			fmt.Fprintf(&b, format+"'", args...)
		}
		fmt.Fprintf(&b, "UNH+%d+ORDERS:D:96A:UN'", documents)
		seg("BGM+220+PO%08d+9", documents)
		seg("DTM+137:20260801:102")
		seg("DTM+2:202609%02d:102", 1+documents%28)
		seg("FTX+AAI+++DELIVER TO GATE 5?: ASK FOR O?'NEIL")
		seg("RFF+CT:C%05d", documents%1e5)
		seg("NAD+BY+5412345000013::9")
		seg("NAD+SU+4012345000094::9++EXAMPLE GMBH ?+ CO+HAUPTSTR. %d+HAMBURG++20095+DE", documents%200)
		seg("CUX+2:EUR:9")
		lines := 5 + documents%30
		for line := 1; line <= lines; line++ {
			seg("LIN+%d++%013d:EN", line, documents*line)
			seg("PIA+1+SKU%06d:SA", line)
			seg("IMD+F++:::WIDGET SIZE %d", line%60)
			seg("QTY+21:%d", 1+line*7%500)
			seg("MOA+203:%d.%02d", documents%900, line)
			seg("PRI+AAA:%d.%02d", line, documents%100)
		}
		seg("UNS+S")
		seg("CNT+2:%d", lines)
		fmt.Fprintf(&b, "UNT+%d+%d'", n+1, documents)
	}
	fmt.Fprintf(&b, "UNZ+%d+REF0001'", documents)
	return b.Bytes()
}

// BenchmarkValidate is full validation: structure, types, lengths, codes,
// dates, syntax notes, counts and business keys. Memcpy, reading alone, and
// several workers run in turn with it; of each the best time counts. What the
// machine gives to several cores is told by as many validations of an input
// each: n-workers-%apart is how near n workers on one input come to it.
func BenchmarkValidate(b *testing.B) {
	b.Run("X12-850", func(b *testing.B) { benchmarkValidate(b, orders(8<<20)) })
	b.Run("EDIFACT-ORDERS", func(b *testing.B) { benchmarkValidate(b, ordersD96A(8<<20)) })
}

func benchmarkValidate(b *testing.B, input []byte) {
	catalog := schema.Shipped()
	out := make([]byte, len(input))
	read := func() {
		r := edi.NewReader(bytes.NewReader(input), edi.Options{})
		for {
			if _, err := r.Next(); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				b.Error(err)
				return
			}
		}
	}
	check := func(workers int) {
		r, err := validate.Validate(b.Context(), bytes.NewReader(input), validate.Options{Catalog: catalog, Stream: true, Workers: workers})
		if err != nil || r.Errors > 0 || r.Warnings > 0 {
			b.Error(err, r.Errors, r.Warnings)
		}
	}
	type contender struct {
		name  string
		times int // how often it goes over the input
		run   func()
	}
	contenders := []contender{{"memcpy", 1, func() { copy(out, input) }}, {"read", 1, read}, {"validate", 1, func() { check(1) }}}
	for n := 2; n <= runtime.GOMAXPROCS(0); n *= 2 {
		contenders = append(contenders,
			contender{fmt.Sprintf("%d-workers", n), 1, func() { check(n) }},
			contender{fmt.Sprintf("%d-apart", n), n, func() {
				var all sync.WaitGroup
				for range n {
					all.Go(func() { check(1) })
				}
				all.Wait()
			}})
	}
	best := make(map[string]float64) // MB/s
	for b.Loop() {
		for _, c := range contenders {
			began := time.Now()
			c.run()
			best[c.name] = max(best[c.name], float64(c.times*len(input))/1e6/time.Since(began).Seconds())
		}
	}
	for name, speed := range best {
		b.ReportMetric(speed, name+"-MB/s")
		if apart := best[strings.Replace(name, "workers", "apart", 1)]; strings.HasSuffix(name, "-workers") {
			b.ReportMetric(100*speed/apart, name+"-%apart")
		}
	}
	b.ReportMetric(100*best["validate"]/best["read"], "validate-%read")
}

// TestNothingAllocatedPerSegment: a document ten times as long costs no
// allocation more.
func TestNothingAllocatedPerSegment(t *testing.T) {
	catalog := schema.Shipped()
	allocations := func(text string) float64 {
		return testing.AllocsPerRun(3, func() {
			r, err := validate.Validate(t.Context(), strings.NewReader(text), validate.Options{Catalog: catalog, Stream: true})
			if err != nil || r.Errors > 0 || r.Warnings > 0 {
				t.Fatal(err, r.Errors, r.Warnings)
			}
		})
	}
	x12 := func(lines int) string {
		var b strings.Builder
		b.WriteString("ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260301*1200*U*00401*000000001*0*P*>~GS*PO*BUYERGS*SELLERGS*20260301*1200*1*X*004010~")
		for i := range 20 {
			fmt.Fprintf(&b, "ST*850*%04d~BEG*00*NE*PO1**20260301~%sCTT*%d~SE*%d*%04d~", i,
				strings.Repeat("PO1*1*10*EA*9.95**UP*012345678905~PID*F****Widget~REF*ZZ*A~DTM*010*20260310~", lines), lines, 4*lines+4, i)
		}
		return b.String() + "GE*20*1~IEA*1*000000001~"
	}
	edifact := func(lines int) string {
		var b strings.Builder
		b.WriteString("UNA:+.? 'UNB+UNOC:3+4012345000009:14+5412345000013:14+260801:1200+1'")
		for i := range 20 {
			fmt.Fprintf(&b, "UNH+%d+ORDERS:D:96A:UN'BGM+220+PO1+9'DTM+137:20260801:102'NAD+BY+5412345000013::9'%sUNS+S'UNT+%d+%d'", i+1,
				strings.Repeat("LIN+1++4012345000009:EN'IMD+F++:::it?'s a widget'QTY+21:5'PRI+AAA:9.95'", lines), 4*lines+6, i+1)
		}
		return b.String() + "UNZ+20+1'"
	}
	for name, of := range map[string]func(int) string{"X12": x12, "EDIFACT": edifact} {
		if short, long := allocations(of(10)), allocations(of(100)); long > short+20 {
			t.Errorf("%s: %.0f allocations, %.0f for ten times the segments", name, short, long)
		}
	}
}

// TestCharactersBeyondASCII: what is to be said about the characters of a long
// value costs no more than looking at each of them once; a square of it would
// never come to an end here.
func TestCharactersBeyondASCII(t *testing.T) {
	t.Parallel()
	const letters = 900_000
	for _, set := range []string{"UNOA", "UNOC", "UNOE", "UNOW"} {
		in := "UNB+" + set + ":3+A+B+260801:1200+1'UNH+1+ORDERS:D:96A:UN'BGM+220+1+9'FTX+AAI+++" + strings.Repeat("\xe9", letters) + "'UNT+4+1'UNZ+1+1'"
		r, err := validate.Validate(t.Context(), strings.NewReader(in), validate.Options{Catalog: schema.Shipped()})
		if err != nil || r.Errors == 0 {
			t.Errorf("%s: %v, %d errors for a value of %d characters", set, err, r.Errors, letters)
		}
	}
}
