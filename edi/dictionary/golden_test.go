package dictionary_test

import (
	"archive/zip"
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"tradepost/edi/dictionary"
	"tradepost/edi/schema"
)

var update = flag.Bool("update", false, "write the golden sections anew")

// A case is a text file of sections, each begun by a line "-- name --":
//
//	options       NAME=VALUE words: type, version, standard, name, guide, group; cp437 and zip change the files
//	file NAME     a file of the source
//	out NAME      a text that was made
//	findings      one line a finding
//	counts        what was read
//
// Adding a case is adding a file; go test -update fills in the rest.
type section struct{ name, text string }

var sectionLine = regexp.MustCompile(`(?m)^-- ([a-z]+(?: [^ \n]+)?) --\n`)

func readCase(t testing.TB, file string) (about string, sections []section) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := sectionLine.FindAllSubmatchIndex(text, -1)
	if len(at) == 0 {
		t.Fatalf("%s has no sections", file)
	}
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		sections = append(sections, section{string(text[m[2]:m[3]]), string(text[m[1]:end])})
	}
	return string(text[:at[0][0]]), sections
}

// source builds the input of a case.
func source(t testing.TB, sections []section) (*dictionary.Source, dictionary.Options) {
	t.Helper()
	var in dictionary.Source
	o := dictionary.Options{Known: schema.Shipped()}
	cp437, zipped := false, false
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for _, s := range sections {
		switch kind, name, _ := strings.Cut(s.name, " "); kind {
		case "options":
			for _, w := range strings.Fields(s.text) {
				k, v, _ := strings.Cut(w, "=")
				switch k {
				case "cp437":
					cp437 = true
				case "zip":
					zipped = true
				case "open-codes":
					o.OpenCodes = true
				default:
					set := map[string]*string{"type": &o.Type, "version": &o.Version, "standard": &o.Standard, "name": &o.Name, "guide": &o.Guide, "group": &o.Group}[k]
					if set == nil {
						t.Fatalf("option %q is not known", k)
					}
					*set = v
				}
			}
		case "file":
			text := []byte(s.text)
			if cp437 {
				text = toDOS(s.text)
			}
			if !zipped {
				if err := in.Add(name, bytes.NewReader(text)); err != nil {
					t.Fatal(err)
				}
				continue
			}
			w, err := z.Create(name)
			if err == nil {
				_, err = w.Write(text)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if zipped {
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := in.Add("source.zip", &archive); err != nil {
			t.Fatal(err)
		}
	}
	return &in, o
}

// toDOS writes a text with the line characters of code page 437 and the line
// ends of DOS.
func toDOS(text string) []byte {
	lines := map[rune]byte{'─': 0xc4, '│': 0xb3, '┐': 0xbf, '┘': 0xd9, '┴': 0xc1}
	var out []byte
	for _, r := range text {
		switch c, ok := lines[r]; {
		case ok:
			out = append(out, c)
		case r == '\n':
			out = append(out, '\r', '\n')
		case r == '’':
			out = append(out, 0x92)
		case r < 256:
			out = append(out, byte(r))
		}
	}
	return append(out, 0x1a)
}

func TestImport(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.case")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".case"), func(t *testing.T) {
			t.Parallel()
			about, sections := readCase(t, file)
			in, o := source(t, sections)
			result, err := dictionary.Import(t.Context(), in, o)
			got := outcome(t, result, err)
			var b strings.Builder
			b.WriteString(about)
			for _, s := range sections {
				if kind, _, _ := strings.Cut(s.name, " "); kind == "options" || kind == "file" {
					fmt.Fprintf(&b, "-- %s --\n%s", s.name, s.text)
				}
			}
			input := b.String()
			for _, s := range got {
				fmt.Fprintf(&b, "-- %s --\n%s", s.name, s.text)
			}
			if *update {
				if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if b.String() != string(want) {
				t.Errorf("the outcome is not as written in %s; go test -update shows the difference:\n%s", file, strings.TrimPrefix(b.String(), input))
			}
			if err == nil {
				loads(t, result)
			}
		})
	}
}

// outcome writes what an import gave as sections.
func outcome(t *testing.T, r *dictionary.Result, err error) []section {
	t.Helper()
	var out []section
	if r != nil && (err == nil || len(r.Findings) > 0) {
		for _, f := range r.Files {
			out = append(out, section{"out " + f.Name, string(f.Text)})
		}
		var b strings.Builder
		for _, f := range r.Findings {
			fmt.Fprintln(&b, f)
		}
		out = append(out, section{"findings", b.String()}, section{"counts", fmt.Sprintf("%s %s %s: %d segments, %d composites, %d elements, %d codes; %d files read, %d skipped, %d lines of explanation\n",
			r.Format, r.Standard, r.Version, r.Segments, r.Composites, r.Elements, r.Codes, r.Read, r.Skipped, r.Prose)})
	}
	if err != nil {
		out = append(out, section{"error", err.Error() + "\n"})
	}
	return out
}

// loads proves that the texts load as a folder, alone and over the shipped
// ones.
func loads(t *testing.T, r *dictionary.Result) {
	t.Helper()
	fsys := fstest.MapFS{}
	for _, f := range r.Files {
		if strings.Contains(f.Name, "..") || strings.HasPrefix(f.Name, "/") {
			t.Errorf("file name %q leads out of the folder", f.Name)
		}
		fsys[f.Name] = &fstest.MapFile{Data: f.Text}
	}
	for _, base := range [][]*schema.Catalog{nil, {schema.Shipped()}} {
		c, err := schema.Load(fsys, base...)
		if err != nil {
			t.Errorf("the result does not load: %v", err)
			return
		}
		for _, name := range r.Guides {
			if g, err := c.Guide(name); err != nil || g.BasedOn == "" && !slices.Contains(strings.Split(r.Version, ", "), g.Version) {
				t.Errorf("guide %s: %v", name, err)
			}
		}
	}
}

// TestNameForSeveralVersions: a name is for one version, or the texts of one
// would take the place of the other's.
func TestNameForSeveralVersions(t *testing.T) {
	t.Parallel()
	_, sections := readCase(t, filepath.Join("testdata", "xsd-versions.case"))
	in, o := source(t, sections)
	o.Name = "mine"
	if r, err := dictionary.Import(t.Context(), in, o); err == nil || !strings.Contains(err.Error(), "EDIFACT 4:1, EDIFACT D:99Z") || len(r.Files) != 0 {
		t.Errorf("%d files: %v", len(r.Files), err)
	}
}
