package dictionary_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"tradepost/edi/dictionary"
)

// What a hostile source may cost: all that is ever allocated, which is more than
// what is in use at once; the number of pieces, which grows with the work; and
// CPU time, five times what the slowest takes. The first two are the same on a
// busy machine. BenchmarkHostileSources tells the time. The tests below run alone.
const (
	hostileCPU    = 2 * time.Second
	hostileMemory = 160 << 20
	hostilePieces = 3_000_000
)

// cost runs f and gives its CPU time, and how many bytes were allocated for it in
// how many pieces.
func cost(f func()) (cpu time.Duration, memory, pieces uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	used := processTime()
	f()
	used = processTime() - used
	runtime.ReadMemStats(&after)
	return used, after.TotalAlloc - before.TotalAlloc, after.Mallocs - before.Mallocs
}

// hostile is a source that means harm.
type hostile struct {
	name string
	// file and data are the source; add does more when it is set.
	file string
	data func() []byte
	add  func(tb testing.TB, in *dictionary.Source) error
	o    dictionary.Options

	wrong error  // errors.Is of what Add or Import gives, nil when all is well
	told  string // in a finding or in the error
}

func zeros(n int64) []byte { return make([]byte, n) }

// entry is a file of an archive made by hand.
type entry struct {
	name  string
	mode  fs.FileMode
	data  []byte
	raw   []byte // packed already, with size as the size it is said to have
	size  uint64
	sum   uint32
	flags uint16
}

func archive(entries ...entry) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Flags: e.flags}
		h.SetMode(0o644 | e.mode)
		var w io.Writer
		var err error
		if e.raw != nil {
			h.CompressedSize64, h.UncompressedSize64, h.CRC32 = uint64(len(e.raw)), e.size, e.sum
			w, err = z.CreateRaw(h)
			e.data = e.raw
		} else {
			w, err = z.CreateHeader(h)
		}
		if err == nil {
			_, err = w.Write(e.data)
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// squeezed packs what an archive holds many times.
func squeezed(data []byte) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err == nil {
		_, err = w.Write(data)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// packed is a text followed by zeros, n MiB in all, in a thousandth of the
// bytes.
func packed(text string, n int) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	write := func(p []byte) {
		if _, err := w.Write(p); err != nil {
			panic(err)
		}
		if err := w.Flush(); err != nil {
			panic(err)
		}
	}
	write([]byte(text))
	from := b.Len()
	write(zeros(1 << 20))
	piece := bytes.Clone(b.Bytes()[from:])
	for range n - 1 {
		b.Write(piece)
	}
	b.Write([]byte{1, 0, 0, 0xff, 0xff}) // the last block, empty
	return b.Bytes()
}

// repeat makes n times the same piece.
func repeat(head, text string, n int, tail string) func() []byte {
	return func() []byte { return []byte(head + strings.Repeat(text, n) + tail) }
}

// tag is the n-th segment identifier.
func tag(n int) string {
	return string([]byte{byte('A' + n/676%26), byte('A' + n/26%26), byte('A' + n%26)})
}

// many makes n numbered pieces.
func many(head, format string, n int, tail string) func() []byte {
	return func() []byte {
		var b bytes.Buffer
		b.WriteString(head)
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		b.WriteString(tail)
		return b.Bytes()
	}
}

func hostiles() []hostile {
	x12 := dictionary.Options{Standard: "X12", Version: "005010", Type: "837"}
	nothing, tooLarge := dictionary.ErrNothing, dictionary.ErrTooLarge
	const mega = 1 << 20
	return []hostile{
		{
			name: "zip bomb that tells its size", file: "bomb.zip", wrong: tooLarge, told: "UNCL.96A has more than",
			data: func() []byte { return archive(entry{name: "UNCL.96A", raw: packed(unclHead, 4096), size: 4096 * mega}) },
		},
		{
			name: "zip bomb that lies about its size", file: "bomb.zip", wrong: nothing, told: "cannot be read",
			data: func() []byte { return archive(entry{name: "UNCL.96A", raw: packed(unclHead, 4096), size: 100}) },
		},
		{
			name: "zip bomb of nothing of use", file: "bomb.zip", wrong: nothing,
			data: func() []byte { return archive(entry{name: "blank", raw: packed("", 4096), size: 4096 * mega}) },
		},
		{name: "zip bomb of many files", file: "bomb.zip", wrong: tooLarge, told: "bytes in all", data: func() []byte {
			var list []entry
			raw := packed(unclHead, 7)
			for i := range 2000 {
				list = append(list, entry{name: fmt.Sprintf("UNCL.%02dA", i), raw: raw, size: 7 * mega})
			}
			return archive(list...)
		}},
		{name: "zip in zip in zip", file: "bomb.zip", wrong: nothing, told: "nested deeper", data: func() []byte {
			inner := archive(entry{name: "a", data: []byte("a")})
			for range 100 {
				inner = archive(entry{name: "inner.zip", data: inner})
			}
			return inner
		}},
		{name: "zips that unpack to zips", file: "bomb.zip", wrong: tooLarge, told: "archives have more than", data: func() []byte {
			inner := archive(entry{name: "blank", data: []byte("x")})
			padded := append(bytes.Clone(inner), zeros(8*mega)...)
			one := entry{raw: squeezed(padded), size: uint64(len(padded)), sum: crc32.ChecksumIEEE(padded)}
			list := make([]entry, 20)
			for i := range list {
				list[i] = one
				list[i].name = fmt.Sprint(i, ".zip")
			}
			return archive(list...)
		}},
		{name: "zip of countless files", file: "many.zip", wrong: tooLarge, told: "more than 5000 files", data: func() []byte {
			return archive(make([]entry, 6_000)...)
		}},
		{name: "zip that is cut off", file: "cut.zip", wrong: nothing, told: "cannot be opened", data: func() []byte {
			whole := archive(entry{name: "UNCL.96A", data: []byte(unclHead)})
			return whole[:len(whole)-30]
		}},
		{name: "names that lead elsewhere", file: "names.zip", told: "/etc/passwd?", data: func() []byte {
			return archive(entry{name: "../../../etc/UNCL.96A", data: []byte(unclHead)}, entry{name: `C:\x\UNCL.97A`, data: []byte(unclHead)},
				entry{name: "/etc/passwd\x00\n\x1b[2J", data: []byte("root")}, entry{name: strings.Repeat("n", 65000) + "/UNCL.98A", data: []byte(unclHead)})
		}},
		{name: "links in a zip", file: "links.zip", wrong: nothing, told: "no regular file", data: func() []byte {
			return archive(entry{name: "UNCL.96A", mode: fs.ModeSymlink, data: []byte("/etc/passwd")})
		}},
		{name: "a locked zip", file: "locked.zip", wrong: nothing, told: "password", data: func() []byte {
			return archive(entry{name: "UNCL.96A", flags: 1, data: []byte(unclHead)})
		}},
		{name: "links in a folder", wrong: nothing, told: "no regular file", add: func(tb testing.TB, in *dictionary.Source) error {
			dir := tb.TempDir()
			if err := os.Symlink("/etc/hostname", filepath.Join(dir, "UNCL.96A")); err != nil {
				tb.Skip(err)
			}
			return in.AddFolder("links", os.DirFS(dir))
		}},
		{name: "a file beyond all limits", wrong: tooLarge, add: func(_ testing.TB, in *dictionary.Source) error {
			return in.Add("UNCL.96A", io.MultiReader(strings.NewReader(unclHead), endless{}))
		}},

		{name: "one endless line of a directory", file: "UNCL.96A", told: "", data: repeat(unclHead, "A ", 4*mega-1000, "\n")},
		{name: "one endless line of tabs", file: "UNCL.96A", data: repeat(unclHead, "\t", 8*mega-1000, "\n")},
		{name: "empty lines only", file: "UNCL.96A", wrong: tooLarge, told: "more than 200000 lines", data: repeat(unclHead, "\n", 8*mega-1000, "")},
		{name: "letters that take three bytes", file: "UNCL.96A", data: repeat(unclHead, "\x80", 8*mega-1000, "")},
		{name: "an endless name", file: "EDED.96A", data: repeat("x\n----------\n  1001  Kind\n", "        of thing that goes on and on\n", 190_000, "\n  Repr: an..3\n")},
		{name: "endless notes", file: "EDSD.96A", data: repeat("x\n----------\n  BGM  Begin\n\n  Note: The composite C002\n", "        - x - occurs 99 times in the segment.\n", 150_000, "\n")},
		{name: "segments that repeat everything", file: "EDSD.96A", told: "more positions", data: func() []byte {
			b := bytes.NewBufferString("x\n")
			for i := range 5000 {
				fmt.Fprintf(b, "----------\n  %s  Many\n\n  Note: The element 1001 - x - occurs 99 times in the segment.\n\n010   1001  KIND   C  an..3\n", tag(i))
			}
			return b.Bytes()
		}},
		{name: "a table of nothing but groups", file: "TESTER_D.96A", told: "nested deeper than", data: func() []byte {
			b := bytes.NewBufferString("  Message Type : TESTER\n  Version      : D\n  Release      : 96A\n  Contr. Agency: UN\n4.3.1  Segment table\n")
			for i := range 60_000 {
				fmt.Fprintf(b, "0040       ----- Segment group 1  ------------------ C   10----------+%s\n", strings.Repeat("|", i%60))
			}
			return b.Bytes()
		}},
		{name: "codes without end", file: "UNCL.96A", told: "", data: many(unclHead, "     %06d x\n", 190_000, "")},

		{name: "entities that multiply", file: "laughs.xsd", wrong: nothing, told: "cannot be read", data: func() []byte {
			return []byte(`<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>` + xsdHead + `<xs:element name="&c;"/></xs:schema>`)
		}},
		{name: "nested without end", file: "deep.xsd", wrong: nothing, told: "nested deeper", data: repeat(xsdHead, "<xs:element>", 600_000, "")},
		{name: "elements without end", file: "wide.xsd", wrong: nothing, told: "more than 100000 elements", data: repeat(xsdHead, "<a/>", 2_000_000, "</xs:schema>")},
		{name: "attributes without end", file: "attr.xsd", wrong: nothing, told: "a tag, comment or text", data: many(xsdHead+"<a", ` a%d=""`, 700_000, "/></xs:schema>")},
		{name: "a comment without end", file: "comment.xsd", wrong: nothing, told: "a tag, comment or text", data: repeat(xsdHead+"<!--", "x", 8*mega-1000, "--></xs:schema>")},
		{name: "text in pieces", file: "text.xsd", wrong: nothing, data: repeat(xsdHead, "x<!---->", mega-1000, "</xs:schema>")},
		{name: "loops that hold themselves", file: "loops.xsd", told: "", data: func() []byte {
			inner := strings.Repeat(`<xs:element ref="ALoop"/>`, 20)
			return []byte(strings.Replace(xsdRoot, `ref="A"`, `ref="ALoop"`, 1) + `<xs:element name="ALoop"><xs:complexType><xs:sequence><xs:element ref="BGM"/>` + inner + `</xs:sequence></xs:complexType></xs:element></xs:schema>`)
		}},
		{name: "types that extend themselves", file: "types.xsd", data: func() []byte {
			return []byte(xsdRoot + `<xs:element name="A"><xs:annotation><xs:appinfo><b:recordInfo tag_name="ABC"/></xs:appinfo></xs:annotation><xs:complexType><xs:sequence><xs:element name="ABC01" type="T"/></xs:sequence></xs:complexType></xs:element>` +
				`<xs:simpleType name="T"><xs:restriction base="U"/></xs:simpleType><xs:simpleType name="U"><xs:restriction base="T"/></xs:simpleType></xs:schema>`)
		}},
		{name: "segments that hold themselves", file: "segments.xsd", data: func() []byte {
			return []byte(xsdRoot + `<xs:element name="A"><xs:annotation><xs:appinfo><b:recordInfo tag_name="ABC"/></xs:appinfo></xs:annotation><xs:complexType><xs:sequence><xs:element ref="A"/></xs:sequence></xs:complexType></xs:element></xs:schema>`)
		}},
		{name: "one segment at ten thousand places", file: "places.xsd", data: func() []byte {
			places := strings.Repeat(`<xs:element ref="A"/>`, 10_000)
			codes := strings.Repeat(`<xs:enumeration value="1"/><xs:enumeration value="2"/>`, 10_000)
			fields := strings.Repeat(`<xs:element name="ABC01" type="T"/>`, 99)
			return []byte(strings.Replace(xsdRoot, `<xs:element ref="A"/>`, places, 1) + `<xs:element name="A"><xs:annotation><xs:appinfo><b:recordInfo tag_name="ABC"/></xs:appinfo></xs:annotation><xs:complexType><xs:sequence>` + fields + `</xs:sequence></xs:complexType></xs:element>` +
				`<xs:simpleType name="T"><xs:restriction base="X12_ID">` + codes + `</xs:restriction></xs:simpleType></xs:schema>`)
		}},
		{name: "a StAEDI loop that holds itself", file: "loop.xml", o: x12, data: func() []byte {
			inner := strings.Repeat(`<loop type="L"/>`, 20)
			return []byte(staediHead + `<loopType name="L" code="L"><sequence><segment type="NM1"/>` + inner + `</sequence></loopType><transaction><sequence><loop type="L"/></sequence></transaction></schema>`)
		}},
		{name: "a StAEDI schema that includes itself", file: "self.xml", o: x12, data: repeat(staediHead, `<include schemaLocation="self.xml"/>`, 10_000, `<segmentType name="NM1"/></schema>`)},
		{name: "StAEDI segments that take anything", file: "any.xml", o: x12, told: "more", data: func() []byte {
			var b strings.Builder
			b.WriteString(staediHead)
			for i := range 20_000 {
				fmt.Fprintf(&b, `<segmentType name="%s"><sequence><any maxOccurs="99"/></sequence></segmentType>`, tag(i))
			}
			return []byte(b.String() + "</schema>")
		}},

		{name: "composites that hold each other", file: "cycle.sef", data: func() []byte {
			return []byte(sefHead + ".SETS\n850=[ST,M][AAA,M]\n.SEGS\nAAA=[C001]\n.COMS\nC001=[C002][1]\nC002=[C001][1]\n.ELMS\n1=AN,1,2\n")
		}},
		{name: "masks that use each other", file: "masks.sef", data: func() []byte {
			return []byte(sefHead + ".SETS\n850=[ST,M][AAA*1,M]\n.SEGS\nAAA=[C001*1],.*1\n.COMS\nC001=[1*1],.*2,.*1\n.ELMS\n1=AN,1,2\n")
		}},
		{name: "loops without end", file: "loops.sef", told: "", data: repeat(sefHead+".SETS\n850=[ST,M]", "{:9[AAA]", mega-1000, "\n")},
		{name: "sets without end", file: "sets.sef", told: "more documents", data: many(sefHead+".SEGS\nAAA=[1]\n.ELMS\n1=AN,1,2\n.SETS\n", "%06d=[AAA][AAA][AAA][AAA][AAA][AAA][AAA][AAA][AAA]\n", 90_000, "")},
		{name: "groups of groups of elements", file: "groups.sef", told: "", data: many(sefHead+".ELMS\n1=AN,1,2\n.SEGS\n", "A%02X={99[1][1][1]}\n", 60_000, "")},
		{name: "ranges of codes", file: "codes.sef", told: "more codes", data: many(sefHead+".ELMS\n"+string(many("", "%d=AN,1,9\n", 20_000, "")())+".CODES\n", "%d=1:5000,A00:ZZZ\n", 20_000, "")},
		{name: "codes for everywhere", file: "places.sef", told: "", data: func() []byte {
			return []byte(sefHead + ".SETS\n850=[ST,M]" + strings.Repeat("[AAA]", 4999) + "\n.SEGS\nAAA=[1]\n.ELMS\n1=AN,1,2\n.CODES\n1=A,B%" + strings.Repeat("[A]+////1", 100_000) + "\n")
		}},
		{name: "lines that go on and on", file: "lines.sef", data: repeat(sefHead+".SETS\n850=[ST,M]\n", "x\n", 190_000, "")},
		{name: "texts that go on and on", file: "texts.sef", data: repeat(sefHead+".SETS\n850=[ST,M][AAA,M]\n.SEGS\nAAA=[1]\n.ELMS\n1=AN,1,2\n.TEXT,SETS\n850~2,5,a\n", "more of it, and more, and more\n", 190_000, "")},
		{name: "texts on everything", file: "notes.sef", data: many(sefHead+".SETS\n850=[ST,M]"+strings.Repeat("[AAA]", 4000)+"\n.SEGS\nAAA=[1]\n.ELMS\n1=AN,1,2\n.TEXT,SETS\n", "850~4000,5,note %d\n", 190_000, "")},
		{name: "one endless line of SEF", file: "line.sef", data: repeat(sefHead+".SETS\n850=", "[ST", 2*mega, "\n")},
	}
}

// small loads what came out, unless it is large: the import has proved it.
func small(t *testing.T, r *dictionary.Result) {
	t.Helper()
	size := 0
	for _, f := range r.Files {
		size += len(f.Text)
		if !fs.ValidPath(f.Name) {
			t.Errorf("file name %q", f.Name)
		}
	}
	if size < 100<<10 {
		loads(t, r)
	}
}

// endless is a reader of blanks.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// bring imports the source.
func (h *hostile) bring(tb testing.TB, data []byte) (*dictionary.Result, error) {
	var in dictionary.Source
	var err error
	if h.add != nil {
		err = h.add(tb, &in)
	} else {
		err = in.Add(h.file, bytes.NewReader(data))
	}
	if err != nil {
		return nil, err
	}
	return dictionary.Import(tb.Context(), &in, h.o)
}

// TestHostileSources brings sources that mean harm: each ends in a clean error
// or in findings, for bounded work and memory, and every text that comes out
// has a safe name and loads.
func TestHostileSources(t *testing.T) { //nolint:paralleltest // the cost is that of the process
	if watched {
		t.Skip("there is nothing for the race detector here, and it takes its time")
	}
	for _, h := range hostiles() {
		t.Run(h.name, func(t *testing.T) {
			var data []byte
			if h.data != nil {
				data = h.data()
			}
			var result *dictionary.Result
			var err error
			cpu, memory, pieces := cost(func() { result, err = h.bring(t, data) })
			t.Logf("%v, %d MiB in %d pieces", cpu, memory>>20, pieces)
			if !errors.Is(err, h.wrong) {
				t.Errorf("error %v, want %v", err, h.wrong)
			}
			if cpu > hostileCPU || memory > hostileMemory || pieces > hostilePieces {
				t.Errorf("it took %v, %d MiB in %d pieces", cpu, memory>>20, pieces)
			}
			var words strings.Builder
			fmt.Fprintln(&words, err)
			if result != nil {
				for _, f := range result.Findings {
					fmt.Fprintln(&words, f)
					if len(f.File) > 1000 || strings.ContainsAny(f.String(), "\x00\x1b") {
						t.Errorf("finding %q", f.String())
					}
				}
				small(t, result)
			}
			if told := words.String(); !strings.Contains(told, h.told) {
				t.Errorf("%q is not told:\n%s", h.told, told[:min(len(told), 2000)])
			}
		})
	}
}

// BenchmarkHostileSources is the time that each of them takes.
func BenchmarkHostileSources(b *testing.B) {
	for _, h := range hostiles() {
		b.Run(h.name, func(b *testing.B) {
			var data []byte
			if h.data != nil {
				data = h.data()
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := h.bring(b, data); !errors.Is(err, h.wrong) {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestHostileSamples learns from samples that mean harm: what is kept of them
// is bounded, whatever their size and variety.
func TestHostileSamples(t *testing.T) { //nolint:paralleltest // the cost is that of the process
	if watched {
		t.Skip("there is nothing for the race detector here, and it takes its time")
	}
	random := rand.New(rand.NewPCG(1, 2))
	documents := func(n int, body func(i int) []string) string {
		var b strings.Builder
		b.WriteString("ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*U*00401*000000001*0*P*>~GS*PO*A*B*20260301*1200*1*X*009990~")
		for i := range n {
			segments := body(i)
			fmt.Fprintf(&b, "ST*777*%04d~%s~SE*%d*%04d~", i+1, strings.Join(segments, "~"), len(segments)+2, i+1)
		}
		fmt.Fprintf(&b, "GE*%d*1~IEA*1*000000001~", n)
		return b.String()
	}
	for _, c := range []struct {
		name string
		text string
	}{
		{"segments in no order", documents(1, func(int) []string {
			var list []string
			for range 20_000 {
				list = append(list, tag(random.IntN(17_576))+"*1")
			}
			return list
		})},
		{"no two documents alike", documents(1000, func(int) []string {
			var list []string
			for range 40 {
				list = append(list, tag(random.IntN(30))+"*1")
			}
			return list
		})},
		{"components without end", documents(1, func(i int) []string {
			var list []string
			for n := range 3000 {
				list = append(list, tag(n)+strings.Repeat("*"+strings.Repeat("1>", 98)+"1", 3))
			}
			return list
		})},
		{"values without end", documents(1, func(int) []string {
			var list []string
			for n := range 15_000 {
				list = append(list, fmt.Sprintf("%s*%d*%d*%d", tag(n%300), n, n*7, n*11))
			}
			return list
		})},
		{"loops in loops", documents(1, func(int) []string {
			var list []string
			for n := range 20_000 {
				list = append(list, tag(bits.TrailingZeros(uint(n+1)))+"*1") //nolint:gosec // positive
			}
			return list
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d *dictionary.Draft
			var err error
			cpu, memory, pieces := cost(func() {
				d, err = dictionary.Learn(t.Context(), samples(c.text), dictionary.LearnOptions{})
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%v, %d MiB in %d pieces; %d of %d accepted", cpu, memory>>20, pieces, d.Accepted, d.Documents)
			if cpu > 5*hostileCPU || memory > 2*hostileMemory || pieces > hostilePieces { // each sample is read three times
				t.Errorf("it took %v, %d MiB in %d pieces", cpu, memory>>20, pieces)
			}
		})
	}
}
