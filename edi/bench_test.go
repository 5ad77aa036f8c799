package edi_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"tradepost/edi"
)

// purchaseOrders850 returns about n bytes of X12 004010: one interchange of
// purchase orders of 5 to 34 lines with parties, dates, references and item
// descriptions.
func purchaseOrders850(n int) []byte {
	rnd := rand.New(rand.NewPCG(850, 4010))
	var b bytes.Buffer
	fmt.Fprintf(&b, "ISA*00*          *00*          *ZZ*%-15s*ZZ*%-15s*260801*1200*U*00401*000000001*0*P*>~\n", "BUYER", "SUPPLIER")
	b.WriteString("GS*PO*BUYER*SUPPLIER*20260801*1200*1*X*004010~\n")
	docs := 0
	for b.Len() < n {
		docs++
		segs := 0
		seg := func(format string, a ...any) {
			fmt.Fprintf(&b, format+"~\n", a...)
			segs++
		}
		seg("ST*850*%04d", docs)
		seg("BEG*00*SA*PO%08d**20260801", rnd.IntN(1e8))
		seg("CUR*BY*USD")
		seg("REF*DP*%03d", rnd.IntN(1000))
		seg("REF*IA*%06d", rnd.IntN(1e6))
		seg("PER*BD*JANE DOE*TE*5551230000*EM*JANE.DOE@EXAMPLE.COM")
		seg("FOB*PP*OR*ORIGIN")
		seg("ITD*01*3*2**10**30")
		seg("DTM*002*202609%02d", 1+rnd.IntN(28))
		seg("TD5**2*UPSN*M*GROUND")
		for _, party := range []string{"ST", "BT"} {
			seg("N1*%s*EXAMPLE STORE %d*92*%04d", party, rnd.IntN(900), rnd.IntN(1e4))
			seg("N3*%d MAIN STREET*SUITE %d", rnd.IntN(9999), rnd.IntN(99))
			seg("N4*SPRINGFIELD*IL*%05d*US", rnd.IntN(1e5))
		}
		lines := 5 + rnd.IntN(30)
		for i := 1; i <= lines; i++ {
			seg("PO1*%d*%d*EA*%d.%02d**UP*%012d*VN*SKU-%06d", i, 1+rnd.IntN(500), rnd.IntN(900), rnd.IntN(100), rnd.IntN(1e12), rnd.IntN(1e6))
			seg("PID*F****WIDGET, SIZE %d, COLOUR BLUE", rnd.IntN(60))
			seg("PO4*%d*%d*EA", 1+rnd.IntN(20), 1+rnd.IntN(12))
		}
		seg("CTT*%d*%d", lines, rnd.IntN(5000))
		seg("SE*%d*%04d", segs+1, docs)
	}
	fmt.Fprintf(&b, "GE*%d*1~\nIEA*1*000000001~\n", docs)
	return b.Bytes()
}

// ordersD96A returns about n bytes of EDIFACT ORDERS D.96A with UNA, composites
// and released characters.
func ordersD96A(n int) []byte {
	rnd := rand.New(rand.NewPCG(96, 1))
	var b bytes.Buffer
	b.WriteString("UNA:+.? 'UNB+UNOC:3+4012345000009:14+5412345000013:14+260801:1200+REF0001'")
	docs := 0
	for b.Len() < n {
		docs++
		segs := 0
		seg := func(format string, a ...any) {
			fmt.Fprintf(&b, format+"'", a...)
			segs++
		}
		seg("UNH+%d+ORDERS:D:96A:UN:EAN008", docs)
		seg("BGM+220+PO%08d+9", rnd.IntN(1e8))
		seg("DTM+137:20260801:102")
		seg("DTM+2:202609%02d:102", 1+rnd.IntN(28))
		seg("FTX+AAI+++DELIVER TO GATE 5?: ASK FOR O?'NEIL")
		seg("RFF+CT:C%05d", rnd.IntN(1e5))
		seg("NAD+BY+5412345000013::9")
		seg("NAD+SU+4012345000094::9++EXAMPLE GMBH ?+ CO+HAUPTSTR. %d+HAMBURG++20095+DE", rnd.IntN(200))
		seg("CUX+2:EUR:9")
		lines := 5 + rnd.IntN(30)
		for i := 1; i <= lines; i++ {
			seg("LIN+%d++%013d:EN", i, rnd.Int64N(1e13))
			seg("PIA+1+SKU%06d:SA", rnd.IntN(1e6))
			seg("IMD+F++:::WIDGET SIZE %d", rnd.IntN(60))
			seg("QTY+21:%d", 1+rnd.IntN(500))
			seg("MOA+203:%d.%02d", rnd.IntN(900), rnd.IntN(100))
			seg("PRI+AAA:%d.%02d", rnd.IntN(90), rnd.IntN(100))
		}
		seg("UNS+S")
		seg("CNT+2:%d", lines)
		seg("UNT+%d+%d", segs+1, docs)
	}
	fmt.Fprintf(&b, "UNZ+%d+REF0001'", docs)
	return b.Bytes()
}

type benchInput struct {
	name  string
	data  []byte
	delim edi.Delimiters
}

func benchInputs(size int) []benchInput {
	return []benchInput{
		{"X12-850", purchaseOrders850(size), edi.Delimiters{Segment: '~', Element: '*', Component: '>'}},
		{"EDIFACT-ORDERS", ordersD96A(size), edi.DefaultEDIFACT(3)},
	}
}

// plainLoop is the yardstick: a byte loop over a class table that counts
// segments, elements and components with release characters, and does nothing
// else.
func plainLoop(b []byte, d edi.Delimiters) (segments, elements, components int) {
	var class [256]uint8
	class[d.Segment], class[d.Element], class[d.Component] = 1, 2, 3
	if d.Release != 0 {
		class[d.Release] = 4
	}
	for i := 0; i < len(b); i++ {
		switch class[b[i]] {
		case 0:
		case 1:
			segments++
		case 2:
			elements++
		case 3:
			components++
		case 4:
			i++
		}
	}
	return segments, elements, components
}

// plainTokenizer is plainLoop that does what a tokenizer is for: it keeps where
// elements and components end and hands every segment to a consumer.
func plainTokenizer(b []byte, d edi.Delimiters, consume func(segment []byte, elements, components []int)) (segments int) {
	var class [256]uint8
	class[d.Segment], class[d.Element], class[d.Component] = 1, 2, 3
	if d.Release != 0 {
		class[d.Release] = 4
	}
	elements, components, start := make([]int, 0, 64), make([]int, 0, 64), 0
	for i := 0; i < len(b); i++ {
		switch class[b[i]] {
		case 0:
		case 1:
			elements = append(elements, i-start)
			consume(b[start:i+1], elements, components)
			segments++
			if i+1 < len(b) && b[i+1] == '\n' {
				i++
			}
			start, elements, components = i+1, elements[:0], components[:0]
		case 2:
			elements = append(elements, i-start)
		case 3:
			components = append(components, i-start)
		case 4:
			i++
		}
	}
	return segments
}

// contender is one of several ways over the same bytes.
type contender struct {
	name string
	run  func()
}

// race lets contenders run in turn, so that they share whatever else the
// machine does, and reports by the best time of each: MB/s, and what share of
// the floors' speed the contenders named ours reach.
func race(b *testing.B, size int, floors, ours []string, list []contender) {
	best := make(map[string]time.Duration)
	for b.Loop() {
		for _, c := range list {
			began := time.Now()
			c.run()
			if took := time.Since(began); best[c.name] == 0 || took < best[c.name] {
				best[c.name] = took
			}
		}
	}
	for _, c := range list {
		b.ReportMetric(float64(size)/1e6/best[c.name].Seconds(), c.name+"-MB/s")
	}
	for _, our := range ours {
		for _, floor := range floors {
			b.ReportMetric(100*best[floor].Seconds()/best[our].Seconds(), our+"-%"+floor)
		}
	}
}

// BenchmarkTokenize compares, in one run: memcpy, a byte loop that counts, a
// plain tokenizer that keeps what it finds, and the Reader on bytes, on a stream
// and with a visit to every element and component.
func BenchmarkTokenize(b *testing.B) {
	for _, in := range benchInputs(4 << 20) {
		b.Run(in.name, func(b *testing.B) {
			b.ReportAllocs()
			to, seen := make([]byte, len(in.data)), 0
			consume := func(_ []byte, elements, _ []int) { seen += len(elements) }
			r, rs, src := edi.NewBytesReader(in.data, edi.Options{}), edi.NewReader(nil, edi.Options{}), bytes.NewReader(in.data)
			race(b, len(in.data), []string{"loop", "tokenizer"}, []string{"reader"}, []contender{
				{"memcpy", func() { copy(to, in.data) }},
				{"loop", func() { plainLoop(in.data, in.delim) }},
				{"tokenizer", func() { plainTokenizer(in.data, in.delim, consume) }},
				{"reader", func() { r.ResetBytes(in.data); drain(b, r) }},
				{"stream", func() { src.Reset(in.data); rs.Reset(src); drain(b, rs) }},
				{"visit", func() { r.ResetBytes(in.data); visit(b, r) }},
			})
		})
	}
}

// BenchmarkCopy reads and writes the same bytes again.
func BenchmarkCopy(b *testing.B) {
	for _, in := range benchInputs(4 << 20) {
		b.Run(in.name, func(b *testing.B) {
			b.SetBytes(int64(len(in.data)))
			b.ReportAllocs()
			r := edi.NewBytesReader(in.data, edi.Options{})
			for b.Loop() {
				r.ResetBytes(in.data)
				if err := edi.Copy(edi.NewWriter(io.Discard, in.delim, edi.WriterOptions{}), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestNothingAllocated: the Reader allocates nothing for a segment.
func TestNothingAllocated(t *testing.T) {
	for _, in := range benchInputs(256 << 10) {
		r, rs, src := edi.NewBytesReader(in.data, edi.Options{}), edi.NewReader(nil, edi.Options{}), bytes.NewReader(in.data)
		for name, run := range map[string]func(){
			"bytes":  func() { r.ResetBytes(in.data); drain(t, r) },
			"stream": func() { src.Reset(in.data); rs.Reset(src); drain(t, rs) },
			"visit":  func() { r.ResetBytes(in.data); visit(t, r) },
		} {
			if n := testing.AllocsPerRun(3, run); n > 2 {
				t.Errorf("%s, %s: %.0f allocations for %d bytes", in.name, name, n, len(in.data))
			}
		}
	}
}

func drain(b testing.TB, r *edi.Reader) (segments int) {
	for {
		_, err := r.Next()
		if errors.Is(err, io.EOF) {
			return segments
		}
		if err != nil {
			b.Fatal(err)
		}
		segments++
	}
}

// visit looks at every element and component.
func visit(b testing.TB, r *edi.Reader) (bytesSeen int) {
	for {
		s, err := r.Next()
		if errors.Is(err, io.EOF) {
			return bytesSeen
		}
		if err != nil {
			b.Fatal(err)
		}
		for i := 1; i <= s.Len(); i++ {
			e := s.Element(i)
			for j := 1; j <= e.Components(); j++ {
				bytesSeen += len(e.Component(j).Raw())
			}
		}
	}
}

func BenchmarkOutline(b *testing.B) {
	for _, in := range benchInputs(4 << 20) {
		b.Run(in.name, func(b *testing.B) {
			b.SetBytes(int64(len(in.data)))
			b.ReportAllocs()
			r := edi.NewBytesReader(nil, edi.Options{})
			for b.Loop() {
				r.ResetBytes(in.data)
				if _, err := edi.ReadOutline(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPeek(b *testing.B) {
	in := []byte(order850)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := edi.Peek(in); err != nil {
			b.Fatal(err)
		}
	}
}
