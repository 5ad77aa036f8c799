package dictionary_test

import (
	"bytes"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"tradepost/edi/dictionary"
	"tradepost/edi/schema"
)

const (
	unclHead = "UNCL\n----------------------------------------------------------------------\n\n  1001  Kind\n\n  Repr: an..3\n\n"
	xsdHead  = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">`
	xsdRoot  = xsdHead + `<xs:element name="EFACT_D96A_TESTER"><xs:complexType><xs:sequence><xs:element ref="BGM"/><xs:element ref="A"/></xs:sequence></xs:complexType></xs:element>` +
		`<xs:element name="BGM"><xs:complexType><xs:sequence><xs:element name="BGM01" type="EDIFACT_AN"/></xs:sequence></xs:complexType></xs:element>`
	staediHead = `<schema xmlns="http://xlate.io/EDISchema/v4">`
	sefHead    = ".VER 1.6\n.INI\nBAD,,004 010,X,X12-4010,Bad\n"
)

// caseFiles adds the files of the golden cases whose name begins so.
func caseFiles(f *testing.F, prefix string, add func(name string, data []byte)) {
	f.Helper()
	files, err := filepath.Glob("testdata/" + prefix + "*.case")
	if err != nil || len(files) == 0 {
		f.Fatalf("no cases %s: %v", prefix, err)
	}
	for _, file := range files {
		_, sections := readCase(f, file)
		for _, s := range sections {
			if name, is := strings.CutPrefix(s.name, "file "); is {
				add(name, []byte(s.text))
			}
		}
	}
}

// imports brings files to the importer: whatever they hold, it ends in texts
// that load and have safe names, or in an error it is known for.
func imports(t *testing.T, o dictionary.Options, files ...sourceText) {
	t.Helper()
	in := dictionary.Source{Limits: dictionary.Limits{FileBytes: 1 << 20, ArchiveBytes: 1 << 20, TotalBytes: 4 << 20, Files: 100}}
	for _, f := range files {
		if err := in.Add(f.name, bytes.NewReader(f.data)); err != nil && !errors.Is(err, dictionary.ErrTooLarge) {
			t.Fatal(err)
		}
	}
	r, err := dictionary.Import(t.Context(), &in, o)
	if err != nil {
		if !errors.Is(err, dictionary.ErrNothing) && !errors.Is(err, dictionary.ErrTooLarge) && !strings.Contains(err.Error(), "name the") && !strings.Contains(err.Error(), "name them") {
			t.Fatal(err)
		}
		return
	}
	fsys := fstest.MapFS{}
	for _, f := range r.Files {
		if !fs.ValidPath(f.Name) {
			t.Fatalf("file name %q", f.Name)
		}
		fsys[f.Name] = &fstest.MapFile{Data: f.Text}
	}
	if _, err := schema.Load(fsys); err != nil {
		t.Fatalf("the result does not load: %v", err)
	}
	for _, f := range r.Findings {
		if s := f.String(); strings.ContainsAny(s, "\x00\x1b\n") {
			t.Fatalf("finding %q", s)
		}
	}
}

type sourceText struct {
	name string
	data []byte
}

// directoryNames are the files a UN/EDIFACT directory has.
var directoryNames = []string{"EDED.99X", "UNCL.99X", "EDCD.99X", "EDSD.99X", "EDSDI1.99X", "TESTER_D.99X", "source.zip", "readme"}

// FuzzUNECE reads one file of a directory among others that are sound.
func FuzzUNECE(f *testing.F) {
	sound := map[string][]byte{}
	caseFiles(f, "unece", func(name string, data []byte) {
		for i, n := range directoryNames {
			if strings.HasPrefix(name, n[:4]) {
				f.Add(uint8(i), data) //nolint:gosec // a handful
				if strings.HasSuffix(name, ".99X") {
					sound[n] = data
				}
			}
		}
	})
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		name := directoryNames[int(which)%len(directoryNames)]
		files := []sourceText{{name, data}}
		for n, text := range sound {
			if n != name {
				files = append(files, sourceText{n, text})
			}
		}
		imports(t, dictionary.Options{}, files...)
	})
}

// FuzzSEF reads a SEF file.
func FuzzSEF(f *testing.F) {
	caseFiles(f, "sef", func(_ string, data []byte) { f.Add(data) })
	f.Add([]byte(sefHead + ".SETS\n850=^[ST,M][AAA*1@2,M]{:>1+2[BBB][CCC,,9]{L:3[HL,M][BBB]}}^[SE,M]\n.SEGS\nAAA=[C001*1,M]{3[1][2;2:3]}+P0102D5(020,030),.*1#\nBBB=[!1,M,>1][.2]\nHL=[1]\n.COMS\nC001=[1][2]+R0102,#!\n.ELMS\n1=ID,1,3\n2=N2,1,9\n.CODES\n1=AA:AC,01:09,Z|1,2%[AA{XX}]+850/2///1+///BBB/1\n.VALLISTS\nL=\"x\"\n'A\n&9\n.VALREFS\n850/3///1=L\n.TEXT,SETS\n850,0,Name\\r\n850~2,5,note\n.TEXT,ELMS\n1~AA,2,Code\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		imports(t, dictionary.Options{Known: nil}, sourceText{"fuzz.sef", data})
	})
}

// FuzzStAEDI reads a StAEDI schema, as one of X12 and of EDIFACT.
func FuzzStAEDI(f *testing.F) {
	caseFiles(f, "staedi", func(_ string, data []byte) { f.Add(true, data) })
	caseFiles(f, "staedi", func(_ string, data []byte) { f.Add(false, data) })
	f.Fuzz(func(t *testing.T, x12 bool, data []byte) {
		o := dictionary.Options{Standard: schema.EDIFACT, Version: "D:99X", Type: "TESTER"}
		if x12 {
			o = dictionary.Options{Standard: schema.X12, Version: "004010", Type: "850"}
		}
		imports(t, o, sourceText{"fuzz.xml", data})
	})
}

// FuzzXSD reads an XML Schema.
func FuzzXSD(f *testing.F) {
	caseFiles(f, "xsd", func(_ string, data []byte) { f.Add(data) })
	f.Add([]byte(xsdRoot + `<xs:element name="A"><xs:complexType><xs:sequence><xs:element ref="A"/><xs:choice><xs:element ref="BGM"/></xs:choice></xs:sequence></xs:complexType></xs:element></xs:schema>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		imports(t, dictionary.Options{}, sourceText{"fuzz.xsd", data})
	})
}
