package edi_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tradepost/edi"
)

// corpusFile is one row of an INDEX.tsv of the corpus.
type corpusFile struct {
	name, path, standard, version, messages string
	segments                                int
}

// corpus returns the labelled files of $TRADEPOST_CORPUS/edi.
func corpus(t *testing.T) []corpusFile {
	t.Helper()
	root := os.Getenv("TRADEPOST_CORPUS")
	if root == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("TRADEPOST_CORPUS is not set: the corpus must be there in CI")
		}
		t.Skip("TRADEPOST_CORPUS is not set: corpus tests need the sample files")
	}
	indexes, err := filepath.Glob(filepath.Join(root, "edi", "*", "INDEX.tsv"))
	if err != nil || len(indexes) == 0 {
		t.Fatalf("no INDEX.tsv in the corpus: %v", err)
	}
	var files []corpusFile
	for _, index := range indexes {
		b, err := os.ReadFile(index)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
			f := strings.Split(line, "\t")
			if len(f) < 7 {
				t.Fatalf("%s: short row %q", index, line)
			}
			n, err := strconv.Atoi(f[6])
			if err != nil {
				t.Fatalf("%s: %v", index, err)
			}
			files = append(files, corpusFile{
				name: filepath.Base(filepath.Dir(index)) + "/" + f[0], path: filepath.Join(filepath.Dir(index), f[0]),
				standard: f[3], version: f[4], messages: f[5], segments: n,
			})
		}
	}
	return files
}

// refused are the files of the corpus that are no readable interchange, with
// the code of the error that says so.
func refused() map[string]edi.Code {
	return map[string]edi.Code{
		"walmartlabs-gozer/x12.missing.ISA.txt":            edi.CodeMissingISA, // starts with GS
		"walmartlabs-gozer/x12.no.line.break.no.delim.txt": edi.CodeTerminator, // no segment terminator at all
	}
}

// otherCount are files whose label counts segments otherwise than the reader.
func otherCount() map[string]int {
	return map[string]int{
		"stupidedi/004010/PR855/fail/2.edi":              16,  // label counts the wrapped ISA twice
		"staedi/x12/issue109/ts214_ellipses_segterm.edi": 24,  // label counts what is left of the last terminator
		"EDI.Net/x12.850.issue135.edi":                   185, // one terminator is missing; label counts lines
		"EDI.Net/edifact.D01B.IFCSUM.NewLines.EDI":       29,  // line ends terminate; label sees one segment
	}
}

func TestCorpusIsReadAndWrittenBackByteForByte(t *testing.T) {
	t.Parallel()
	refused, otherCount := refused(), otherCount()
	for _, f := range corpus(t) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			in, err := os.ReadFile(f.path)
			if err != nil {
				t.Fatal(err)
			}
			h, peekErr := edi.Peek(in)
			var out bytes.Buffer
			w := edi.NewWriter(&out, edi.Delimiters{}, edi.WriterOptions{})
			err = edi.Copy(w, edi.NewReader(bytes.NewReader(in), edi.Options{}))
			want, bad := refused[f.name]
			if f.standard == "TRADACOMS" {
				want, bad = edi.CodeNotEDI, true
			}
			if bad {
				var se *edi.SyntaxError
				if !errors.As(err, &se) || se.Code != want || peekErr == nil {
					t.Fatalf("error %v, peek %v; want code %s", err, peekErr, want)
				}
				if f.standard == "TRADACOMS" && !strings.Contains(err.Error(), "TRADACOMS") {
					t.Errorf("the error does not name TRADACOMS: %v", err)
				}
				return
			}
			if err != nil || peekErr != nil {
				t.Fatalf("read %v, peek %v", err, peekErr)
			}
			if !bytes.Equal(in, out.Bytes()) {
				t.Fatalf("round trip changed the bytes: %d in, %d out", len(in), out.Len())
			}
			if f.standard != "?" && h.Standard.String() != f.standard {
				t.Errorf("standard %v, want %s", h.Standard, f.standard)
			}
			if f.standard != "?" && f.version != "" && f.version[0] != ':' && strings.ReplaceAll(f.version, "*", ":") != h.Version {
				t.Errorf("version %q, want %s", h.Version, f.version)
			}
			n, segs := w.Segments(), f.segments
			if other, ok := otherCount[f.name]; ok {
				segs = other
			}
			if h.Standard == edi.EDIFACT && bytes.Contains(in[:min(len(in), 12)], []byte("UNA")) {
				n--
			}
			if f.standard != "?" && n != segs {
				t.Errorf("%d segments, want %d", n, segs)
			}
		})
	}
}
