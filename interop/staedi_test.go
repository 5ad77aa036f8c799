package interop

import (
	"bytes"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// BenchmarkStAEDI lets StAEDI and edi/validate check the same file by the same
// rules: our guide for an 850, written as a StAEDI schema. It needs Java and
// Maven, and says so where they are missing.
func BenchmarkStAEDI(b *testing.B) {
	var programs []string
	for _, name := range []string{"java", "javac", "mvn"} {
		program, err := exec.LookPath(name)
		if err != nil {
			b.Skipf("%s is not installed: StAEDI is left out, nothing stands beside our own figures", name)
		}
		programs = append(programs, program)
	}
	java, javac, mvn := programs[0], programs[1], programs[2]
	home := b.TempDir()
	lib, err := fetchStAEDI(b, mvn)
	if err != nil {
		b.Skipf("StAEDI is left out, Maven does not get it: %v", err)
	}
	path := strings.Join([]string{filepath.Join(lib, "*"), home}, string(filepath.ListSeparator))
	if out, err := command(b.Context(), "", javac, "-cp", path, "-d", home, filepath.Join("staedi", "Rounds.java")); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	guide, err := schema.Shipped().Guide("x12/004010/850")
	if err != nil {
		b.Fatal(err)
	}
	input := purchaseOrders(1 << 20) // small, so that Java has rounds to warm up in
	file, rules := filepath.Join(home, "850.edi"), filepath.Join(home, "850.xml")
	for name, content := range map[string][]byte{file: input, rules: stAEDISchema(guide)} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	theirs := func(args ...string) float64 {
		out, err := command(b.Context(), "", java, append([]string{"-Xmx512m", "-cp", path, "Rounds", file}, args...)...)
		if err != nil {
			b.Fatal(err)
		}
		return bestRound(b, string(out))
	}
	ours := time.Duration(0)
	var read, checked float64
	for b.Loop() {
		if checked == 0 {
			read, checked = theirs("5"), theirs("10", rules)
		}
		began := time.Now()
		r, err := validate.Validate(b.Context(), bytes.NewReader(input), validate.Options{Stream: true})
		if err != nil || r.Errors > 0 || r.Warnings > 0 {
			b.Fatal(err, r.Errors, r.Warnings)
		}
		if took := time.Since(began); ours == 0 || took < ours {
			ours = took
		}
	}
	size := float64(len(input)) / 1e6
	b.ReportMetric(size/read, "StAEDI-read-MB/s")
	b.ReportMetric(size/checked, "StAEDI-validate-MB/s")
	b.ReportMetric(size/ours.Seconds(), "validate-MB/s")
	b.ReportMetric(checked/ours.Seconds(), "validate-times-StAEDI")
}

// fetchStAEDI gives the folder of its libraries, fetched once into the user's
// cache.
func fetchStAEDI(b *testing.B, mvn string) (string, error) {
	pom, err := os.ReadFile(filepath.Join("staedi", "pom.xml"))
	if err != nil {
		b.Fatal(err)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	lib := filepath.Join(base, "tradepost-interop", "staedi-"+digest(pom))
	if _, err := os.Stat(lib); err == nil {
		return lib, nil
	}
	fresh := lib + fmt.Sprintf(".%d", os.Getpid())
	defer os.RemoveAll(fresh) //nolint:errcheck // a folder of the cache
	if _, err := command(b.Context(), "staedi", mvn, "-B", "-q", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+fresh); err != nil {
		return "", err
	}
	return lib, os.Rename(fresh, lib)
}

// bestRound reads what Rounds prints. What it finds wrong with good documents
// is told: then its rules are not ours.
func bestRound(b *testing.B, out string) float64 {
	best := 0.0
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		fields := append(strings.Fields(line), "", "", "")
		took, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			continue // it logs, too
		}
		if fields[2] != "0" {
			b.Fatalf("StAEDI finds errors: %s", line)
		}
		if best == 0 || took < best {
			best = took
		}
	}
	if best == 0 {
		b.Fatalf("StAEDI says %s", out)
	}
	return best
}

// purchaseOrders writes 850s until there are size bytes.
func purchaseOrders(size int) []byte {
	var b bytes.Buffer
	b.WriteString("ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260301*1200*U*00401*000000001*0*P*>~\nGS*PO*BUYERGS*SELLERGS*20260301*1200*1*X*004010~\n")
	documents := 0
	for b.Len() < size {
		documents++
		segments := 1
		seg := func(format string, args ...any) {
			segments++
			fmt.Fprintf(&b, format+"~\n", args...)
		}
		fmt.Fprintf(&b, "ST*850*%04d~\n", documents)
		seg("BEG*00*NE*45%08d**20260301", documents)
		seg("CUR*BY*USD")
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
		fmt.Fprintf(&b, "SE*%d*%04d~\n", segments+1, documents)
	}
	fmt.Fprintf(&b, "GE*%d*1~\nIEA*1*000000001~\n", documents)
	return b.Bytes()
}

// stAEDISchema writes a guide as a StAEDI schema, version 4.
func stAEDISchema(g *schema.Guide) []byte {
	w := &stAEDIWriter{types: map[string]bool{}}
	w.body.WriteString("<transaction><sequence>\n")
	w.loop(g.Root)
	w.body.WriteString("</sequence></transaction>\n")
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<schema xmlns="http://xlate.io/EDISchema/v4">` + "\n" +
		w.body.String() + w.elements.String() + w.composites.String() + w.segments.String() + "</schema>\n")
}

type stAEDIWriter struct {
	body, elements, composites, segments strings.Builder
	types                                map[string]bool
	loops                                int
}

func (w *stAEDIWriter) loop(l *schema.Loop) {
	for i := range l.Nodes {
		n := &l.Nodes[i]
		if tag := n.Tag.String(); tag == "ST" || tag == "SE" {
			continue // StAEDI knows them
		}
		most := n.Max
		if most == 0 {
			most = 999999
		}
		if n.Loop == nil {
			fmt.Fprintf(&w.body, "<segment type=%q minOccurs=\"%d\" maxOccurs=\"%d\"/>\n", n.Tag, n.Min, most)
			w.segment(n.Segment)
			continue
		}
		w.loops++
		fmt.Fprintf(&w.body, "<loop code=\"L%04d\" minOccurs=\"%d\" maxOccurs=\"%d\"><sequence>\n", w.loops, n.Min, most)
		w.loop(n.Loop)
		w.body.WriteString("</sequence></loop>\n")
	}
}

func (w *stAEDIWriter) segment(s *schema.Segment) {
	if w.types[s.Tag] {
		return
	}
	w.types[s.Tag] = true
	text := w.sequence(s.Uses) + stAEDINotes(s.Notes)
	fmt.Fprintf(&w.segments, "<segmentType name=%q>%s</segmentType>\n", s.Tag, text)
}

func (w *stAEDIWriter) sequence(uses []schema.Use) string {
	var b strings.Builder
	b.WriteString("<sequence>")
	for i := range uses {
		u := &uses[i]
		kind, name := "element", w.element(u)
		if u.Composite != nil {
			kind, name = "composite", u.Ref
			if !w.types[name] {
				w.types[name] = true
				text := w.sequence(u.Composite.Uses) + stAEDINotes(u.Composite.Notes)
				fmt.Fprintf(&w.composites, "<compositeType name=%q>%s</compositeType>\n", name, text)
			}
		}
		least := 0
		if u.Required {
			least = 1
		}
		fmt.Fprintf(&b, "<%s type=%q minOccurs=\"%d\" maxOccurs=\"%d\"/>", kind, name, least, max(u.Repeat, 1))
	}
	b.WriteString("</sequence>")
	return b.String()
}

// element gives the type of an element, which is one of its own where a
// position has codes of its own.
func (w *stAEDIWriter) element(u *schema.Use) string {
	if u.Composite != nil {
		return ""
	}
	codes := u.Codes
	if codes.Len() == 0 || codes.Open {
		codes = nil
	}
	name := fmt.Sprintf("E%s-%d-%d-%d", u.Ref, u.Min, u.Max, codes.Len())
	if w.types[name] {
		return name
	}
	w.types[name] = true
	base := map[schema.Type]string{schema.Code1: "identifier", schema.Implied: "numeric", schema.Decimal: "decimal", schema.Date: "date", schema.Time: "time", schema.Binary: "binary"}[u.Type]
	if base == "" {
		base = "string"
	}
	fmt.Fprintf(&w.elements, "<elementType name=%q base=%q minLength=\"%d\" maxLength=\"%d\">", name, base, u.Min, u.Max)
	if codes != nil {
		w.elements.WriteString("<enumeration>")
		for _, c := range codes.List() {
			fmt.Fprintf(&w.elements, "<value>%s</value>", html.EscapeString(c.Value))
		}
		w.elements.WriteString("</enumeration>")
	}
	w.elements.WriteString("</elementType>\n")
	return name
}

func stAEDINotes(notes []schema.Note) string {
	kinds := map[schema.NoteKind]string{schema.Paired: "paired", schema.OneRequired: "required", schema.Exclusive: "exclusion", schema.Conditional: "conditional", schema.ListCond: "list"}
	var b strings.Builder
	for _, n := range notes {
		fmt.Fprintf(&b, "<syntax type=%q>", kinds[n.Kind])
		for _, p := range n.Positions {
			fmt.Fprintf(&b, "<position>%d</position>", p)
		}
		b.WriteString("</syntax>")
	}
	return b.String()
}
