package validate_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// FuzzValidate walks any bytes in both profiles: no panic, every issue inside
// the input and with its text, extents inside the input and one behind the
// other, and no document accepted that has an error.
func FuzzValidate(f *testing.F) {
	files, err := filepath.Glob("testdata/*.case")
	if err != nil || len(files) == 0 {
		f.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if i := bytes.Index(text, []byte("-- input --\n")); i >= 0 {
			text = text[i+len("-- input --\n"):]
		}
		if i := bytes.Index(text, []byte("-- issues --\n")); i >= 0 {
			text = text[:i]
		}
		f.Add(text)
	}
	f.Add([]byte("UNA:+.? 'UNB+UNOA:3+A+B+260301:1200+1'UNG+ORDERS+A+B+260301:1200+1+UN+D:96A'UNH+1+ORDERS:D:96A:UN'BGM+220+1?'+9'UNT+3+1'UNE+1+1'UNZ+1+1'"))
	f.Add([]byte("ISA*00~ GS*0*******004010~ST*850~PO1**\n*\n*\n*\n~BEG*\n*\n*\n*\n*\n~DTM*\n*\n*\n~"))
	catalog := schema.Shipped()
	f.Fuzz(func(t *testing.T, input []byte) {
		for _, profile := range []validate.Profile{validate.Tolerant, validate.Strict} {
			r, err := validate.Validate(t.Context(), bytes.NewReader(input), validate.Options{Catalog: catalog, Profile: profile, MaxIssues: 200, KeepRaw: true})
			if err != nil {
				t.Fatal(err)
			}
			checkReport(t, input, r)
		}
	})
}

// FuzzWorkers: several workers, with blocks of any size, report what one does.
func FuzzWorkers(f *testing.F) {
	documents := func(n int, header, one, trailer string) []byte {
		return []byte(header + strings.Repeat(one, n) + trailer)
	}
	f.Add(documents(9, "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*U*00401*000000001*0*P*>~GS*PO*A*B*20260301*1200*1*X*004010~",
		"ST*850*0001~BEG*00*NE*1**20260301~PO1*1*10*EA*9.95**UP*012345678905~CTT*1~SE*5*0001~", "GE*9*1~IEA*1*000000001~"), byte(40))
	f.Add(documents(9, "UNA:+.? 'UNB+UNOC:3+A+B+260801:1200+1'", "UNH+1+ORDERS:D:96A:UN'BGM+220+it?'s+9'DTM+137:20260801:102'UNS+S'UNT+5+1'", "UNZ+9+1'"), byte(70))
	f.Add(documents(5, "", "UNB+UNOC:3+A+B+260801:1200+1'UNG+ORDERS+A+B+260801:1200+1+UN+D:96A'UNH+1+ORDERS:D:96A:UN'BGM+220+1+9'UNT+3+1'UNE+1+1'UNZ+1+1'\r\n", ""), byte(1))
	f.Add(documents(5, "", "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260301*1200*^*00501*000000001*0*P*>\nGS*HI*A*B*20260301*1200*1*X*005010\nST*278*0001\nBIN*5*SE*1\n\nSE*3*0001\nGE*1*1\nIEA*1*000000001\n", ""), byte(90))
	catalog := schema.Shipped()
	f.Fuzz(func(t *testing.T, input []byte, blocks byte) {
		o := validate.Options{Catalog: catalog, MaxIssues: 100, MaxDocumentIssues: 5, KeepRaw: true, Stream: blocks&1 != 0}
		if blocks&2 != 0 {
			o.Profile = validate.Strict
		}
		one := account(t.Context(), bytes.NewReader(input), o)
		o.Workers = 2
		if many := account(t.Context(), bytes.NewReader(input), o.WithBlocks(int(blocks)*4+1)); one != many {
			t.Fatalf("one worker\n%s\ntwo workers\n%s", one, many)
		}
	})
}

func checkReport(t *testing.T, input []byte, r *validate.Report) {
	t.Helper()
	if out, err := json.Marshal(r); err != nil || !json.Valid(out) {
		t.Fatalf("the report is no JSON: %v", err)
	}
	size := int64(len(input))
	for _, is := range r.All() {
		if is.Offset < 0 || is.Offset > size || is.Line < 1 || is.Text == "" || is.Severity == "" || is.Level == "" {
			t.Fatalf("issue %+v of %d bytes", is, size)
		}
		if is.Severity == validate.Warning && is.Rule == "" {
			t.Fatalf("a warning names no rule: %+v", is)
		}
	}
	if r.Accepted != (r.Errors == 0) {
		t.Fatalf("accepted %v with %d errors", r.Accepted, r.Errors)
	}
	end := int64(0)
	extent := func(e validate.Extent, from, to int64) {
		if e.Length <= 0 || e.Offset < from || e.Offset+e.Length > to || e.Last < e.First {
			t.Fatalf("extent %+v is not within %d to %d", e, from, to)
		}
	}
	for _, ic := range r.Interchanges {
		extent(ic.Extent, end, size)
		end = ic.Extent.Offset + ic.Extent.Length
		inner := ic.Extent.Offset
		for _, g := range ic.Groups {
			extent(g.Extent, inner, end)
			inner = g.Extent.Offset + g.Extent.Length
			at := g.Extent.Offset
			for _, d := range g.Documents {
				extent(d.Extent, at, inner)
				at = d.Extent.Offset + d.Extent.Length
				if d.Segments < 1 {
					t.Fatalf("document of %d segments", d.Segments)
				}
				for _, is := range d.Issues {
					if is.Severity == validate.Error && d.Accepted {
						t.Fatalf("accepted with %+v", is)
					}
				}
			}
		}
	}
}
