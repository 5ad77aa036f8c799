package cli

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tradepost/edi/schema"

	"github.com/google/go-cmp/cmp"
)

// corpusFolder is a folder of the shared corpus, which is read in place.
func corpusFolder(t *testing.T, parts ...string) string {
	t.Helper()
	root := os.Getenv("TRADEPOST_CORPUS")
	if root == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("TRADEPOST_CORPUS is not set: with CI=true the corpus must be there")
		}
		t.Skip("TRADEPOST_CORPUS is not set: no corpus to read")
	}
	return filepath.Join(append([]string{root}, parts...)...)
}

// release is one original UNECE directory of the corpus with what its import
// has to give.
type release struct {
	folder, version, name            string
	guides, segments, elements, code int
	findings                         []string // those that are no skipped file
	documents                        map[string]compared
}

// compared is what the faults of a corpus file are when it is checked with the
// shipped guides and with the imported directory.
type compared struct {
	both     []string
	shipped  []string // with the shipped guides only
	imported []string // with the imported directory only
	why      string   // the difference
}

func releases() []release {
	noGuide := "no starter guide is shipped for this message: the shipped dictionaries check its envelope only; "
	ifcsum := compared{
		both: []string{"UNT#27/1 0085=29 787"},
		imported: []string{
			"GID#19/2-2 0085=39 350114081527920321", "MEA#22/2-1 0085=12 UCO",
			"GID#23/2-2 0085=39 350114081527920321", "MEA#26/2-1 0085=12 UCO",
		},
		why: noGuide + "a package code of 18 characters where 17 are allowed, and a measurement code that UNCL D.01B does not have (UNH names EAN003)",
	}
	return []release{
		{
			folder: "d96a", version: "D:96A", name: "edifact/D96A", guides: 125, segments: 134, elements: 495, code: 6150,
			findings: []string{
				"UNCL-1.96A: not kept: code 4 of element 3405 is marked as deleted in this release",
				"TRCD.96A: not kept: 9424 occurs 100 times in C770; 99 positions were kept",
				"TRSD.96A: not kept: C770 occurs 100 times in ARR; 98 positions were kept",
			},
			documents: map[string]compared{
				"EDI.Net/edifact.Issue196.edi": {
					both:     []string{"UNT#13/1 0085=29 331"},
					imported: []string{"DTM#3/1-2 0085=12 20060619165058"},
					why:      noGuide + "the date has seconds, which its form 203 has not",
				},
				"EDI.Net/edifact.01.edi": {
					both: []string{"UNT#31/1 0085=29 158", "UNZ#0/2 0085=28 20101000064507"},
					imported: []string{
						"LOC#9/2-3 0085=12 SM", "LIN#11/3-4 0085=12 SM", "DTM#12/1-3 0085=12 Z13", "LIN#17/3-4 0085=12 SM",
						"DTM#18/1-3 0085=12 Z13", "LIN#23/3-4 0085=12 SM", "DTM#24/1-3 0085=12 Z13", "CNT#30/1-1 0085=12 ZZZ",
					},
					why: noGuide + "SM, Z13 and ZZZ are codes of the Nordic energy guide EDIEL2 that UNH names, not of UNCL D.96A: --open-codes lets them pass",
				},
				"EDI.Net/edifact.01.multi-message.edi": {
					both: []string{"UNT#31/1 0085=29 158", "UNH#1/1 0085=26 1", "UNT#31/1 0085=29 158", "UNZ#0/2 0085=28 20101000064507"},
					imported: []string{
						"LOC#9/2-3 0085=12 SM", "LIN#11/3-4 0085=12 SM", "DTM#12/1-3 0085=12 Z13", "LIN#17/3-4 0085=12 SM",
						"DTM#18/1-3 0085=12 Z13", "LIN#23/3-4 0085=12 SM", "DTM#24/1-3 0085=12 Z13", "CNT#30/1-1 0085=12 ZZZ",
						"LOC#9/2-3 0085=12 SM", "LIN#11/3-4 0085=12 SM", "DTM#12/1-3 0085=12 Z13", "LIN#17/3-4 0085=12 SM",
						"DTM#18/1-3 0085=12 Z13", "LIN#23/3-4 0085=12 SM", "DTM#24/1-3 0085=12 Z13", "CNT#30/1-1 0085=12 ZZZ",
					},
					why: noGuide + "the same document twice",
				},
			},
		},
		{
			folder: "d01b", version: "D:01B", name: "edifact/D01B", guides: 194, segments: 165, elements: 674, code: 10230,
			findings: []string{
				"EDCD.01B: not kept: 9424 occurs 100 times in C770; 99 positions were kept",
				"EDSD.01B: not kept: C819 occurs 5 times before other elements of ADR: repeats are read with the repetition character of syntax 4, not as elements of their own",
				"EDSD.01B: not kept: C063 occurs 5 times before other elements of EVE: repeats are read with the repetition character of syntax 4, not as elements of their own",
				"EDSD.01B: not kept: C778 occurs 99 times before other elements of IDE: repeats are read with the repetition character of syntax 4, not as elements of their own",
				"EDSD.01B: not kept: C011 occurs 5 times before other elements of IFD: repeats are read with the repetition character of syntax 4, not as elements of their own",
			},
			documents: map[string]compared{
				"EDI.Net/edifact.Issue203.edi": {
					both: []string{
						"BGM#2/0 0085=13", "DTM#7/1-2 0085=12 20020804", "MOA#65/1-2 0085=37 TEST", "ALC#101/1 0085=12 PP",
						"UNT#102/1 0085=29 13", "UNT#102/2 0085=28 1",
					},
					imported: []string{"COM#13/1-2 0085=12 PL", "PCI#73/1 0085=12 33E"},
					why:      "codes of EANCOM (UNH names EAN011) that UNCL D.01B does not have; these lists of the starter guide are open",
				},
				"EDI.Net/edifact.D01B.IFCSUM.EDI":          ifcsum,
				"EDI.Net/edifact.D01B.IFCSUM.NewLines.EDI": ifcsum,
				"smooks-edi-cartridge/edg/src/test/resources/recadv/recadv.txt": {
					both:     []string{"NAD#12/4-1 0085=39 CSP test d'This is also a test section"},
					imported: []string{"RFF#8/1-1 0085=12 YC1", "RFF#10/1-1 0085=12 YC1", "RFF#13/1-1 0085=12 YC1", "RFF#22/1-1 0085=12 AVQ"},
					why:      "codes of EANCOM (UNH names EAN007) that UNCL D.01B does not have; this list of the starter guide is open",
				},
			},
		},
	}
}

// TestImportedDirectories imports the two original UNECE directories of the
// corpus by the command, holds the shipped guides to their structure, and
// checks every document of these releases in the corpus with both. Each
// difference is told with its reason.
func TestImportedDirectories(t *testing.T) {
	t.Parallel()
	root := corpusFolder(t, "edi")
	for _, r := range releases() {
		t.Run(r.folder, func(t *testing.T) {
			t.Parallel()
			to, open := t.TempDir(), t.TempDir()
			importRelease(t, r, filepath.Join(root, "unece-directories", r.folder), to)
			if code, _, words := ediRun(t, "", "dictionary", "import", filepath.Join(root, "unece-directories", r.folder), "--to", open, "--open-codes", "-o", "json"); code != ExitOK {
				t.Fatalf("exit %d: %s", code, words)
			}
			sameStructure(t, r, to)
			found := documentsOf(t, root, r.version)
			for _, file := range found {
				t.Run(file, func(t *testing.T) {
					t.Parallel()
					want, known := r.documents[file]
					if !known {
						t.Errorf("%s is a document of %s that nobody has looked at", file, r.version)
					}
					path := filepath.Join(root, filepath.FromSlash(file))
					shipped, imported, opened := faults(t, path), faults(t, path, "--dictionary", to), faults(t, path, "--dictionary", open)
					both, onlyShipped, onlyImported := apart(shipped, imported)
					if diff := cmp.Diff([][]string{want.both, want.shipped, want.imported}, [][]string{both, onlyShipped, onlyImported}); diff != "" {
						t.Errorf("faults by both, the shipped and the imported guides (-want +got), %s:\n%s", want.why, diff)
					}
					if i := slices.IndexFunc(opened, func(f string) bool { return strings.Contains(f, " 0085=12 ") && !strings.HasPrefix(f, "DTM") }); i >= 0 {
						t.Errorf("with --open-codes %s is still a fault", opened[i])
					}
				})
			}
			for file := range r.documents {
				if !slices.Contains(found, file) {
					t.Errorf("%s is no document of %s in the corpus", file, r.version)
				}
			}
		})
	}
}

// importRelease imports a directory and checks what the command tells of it.
func importRelease(t *testing.T, r release, from, to string) {
	t.Helper()
	code, out, words := ediRun(t, "", "dictionary", "import", from, "--to", to, "-o", "json")
	var got imported
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != ExitOK {
		t.Fatalf("exit %d, %v: %s", code, err, words)
	}
	if got.Version != r.version || len(got.Guides) != r.guides || len(got.Files) != r.guides+1 || got.Segments != r.segments || got.Elements != r.elements || got.Codes != r.code {
		t.Errorf("%s: %d guides, %d files, %d segments, %d elements, %d codes", got.Version, len(got.Guides), len(got.Files), got.Segments, got.Elements, got.Codes)
	}
	var told []string
	for _, f := range got.Findings {
		if !strings.Contains(f.Text, "the file was not taken over") {
			told = append(told, fmt.Sprintf("%s: %s: %s", f.File[strings.LastIndex(f.File, "/")+1:], f.Kind, f.Text))
		}
	}
	if diff := cmp.Diff(r.findings, told); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// sameStructure compares each shipped guide of a release, place by place, with
// the imported one, and the layouts of its segments.
func sameStructure(t *testing.T, r release, dir string) {
	t.Helper()
	shipped := schema.Shipped()
	imported, err := schema.Load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, name := range shipped.Names() {
		if !strings.HasPrefix(name, r.name+"/") {
			continue
		}
		own, err := shipped.Guide(name)
		if err != nil {
			t.Fatal(err)
		}
		official, err := imported.Guide(name)
		if err != nil {
			continue // CONTRL is of ISO 9735, not of the directories
		}
		compared++
		if diff := cmp.Diff(placesOf(official.Root, nil), placesOf(own.Root, nil)); diff != "" {
			t.Errorf("%s is not as the directory has it (-directory +shipped):\n%s", name, diff)
		}
	}
	if compared < 12 {
		t.Errorf("%d shipped guides were compared", compared)
	}
}

// placesOf lists the places of a guide: path, mandatory, largest number, and
// the elements of the segment with status, length and repetition.
func placesOf(l *schema.Loop, out []string) []string {
	for i := range l.Nodes {
		n := &l.Nodes[i]
		line := fmt.Sprintf("%s %d %d", n.Path, n.Min, n.Max)
		if n.Loop == nil && !strings.HasPrefix(n.Tag.String(), "U") {
			line += layoutOf(n.Segment.Uses)
		}
		out = append(out, line)
		if n.Loop != nil {
			out = placesOf(n.Loop, out)
		}
	}
	return out
}

func layoutOf(uses []schema.Use) string {
	var b strings.Builder
	for i := range uses {
		u := &uses[i]
		fmt.Fprintf(&b, " %s", u.Ref)
		if u.Required {
			b.WriteString("!")
		}
		if u.Repeat > 1 {
			fmt.Fprintf(&b, "x%d", u.Repeat)
		}
		if u.Composite != nil {
			b.WriteString(" (" + strings.TrimSpace(layoutOf(u.Composite.Uses)) + ")")
		} else {
			fmt.Fprintf(&b, ":%s%d", u.Type, u.Max)
		}
	}
	return b.String()
}

// documentsOf lists the files of the corpus that hold documents of a release.
func documentsOf(t *testing.T, root, version string) []string {
	t.Helper()
	header := regexp.MustCompile(`UNH.[^:+*@]{0,14}[+@][A-Z]{6}:` + version + `\b`)
	var out []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == "unece-directories" {
				return fs.SkipDir
			}
			return err
		}
		text, err := os.ReadFile(path)
		if name, rel := filepath.Rel(root, path); err == nil && rel == nil && filepath.Ext(path) != ".tsv" && filepath.Ext(path) != ".md" && header.Match(text) {
			out = append(out, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// faults validates a file and lists the errors: segment, number, element, code
// and value.
func faults(t *testing.T, args ...string) []string {
	t.Helper()
	code, out, words := ediRun(t, "", append([]string{"validate", "-o", "json"}, args...)...)
	var report struct {
		Issues []struct {
			Severity, Ack, Segment, Value string
			Ordinal, Element, Component   int
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != ExitOK && code != ExitInvalid {
		t.Fatalf("exit %d, %v: %s", code, err, words)
	}
	var list []string
	for _, is := range report.Issues {
		if is.Severity != "error" {
			continue
		}
		at := fmt.Sprintf("%s#%d/%d", is.Segment, is.Ordinal, is.Element)
		if is.Component > 0 {
			at += fmt.Sprintf("-%d", is.Component)
		}
		list = append(list, strings.TrimSpace(at+" "+is.Ack+" "+is.Value))
	}
	return list
}

// apart splits two lists into what both have, and what only one has.
func apart(a, b []string) (both, onlyA, onlyB []string) {
	onlyB = slices.Clone(b)
	for _, x := range a {
		if i := slices.Index(onlyB, x); i >= 0 {
			both = append(both, x)
			onlyB = slices.Delete(onlyB, i, i+1)
		} else {
			onlyA = append(onlyA, x)
		}
	}
	if len(onlyB) == 0 {
		onlyB = nil
	}
	return both, onlyA, onlyB
}
