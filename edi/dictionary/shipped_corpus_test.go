package dictionary_test

import (
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

// shippedMessages are the EDIFACT guides that are of a directory. CONTRL is of
// ISO 9735 and stands in none.
var shippedMessages = []string{
	"APERAK", "DESADV", "IFTMIN", "IFTSTA", "INVOIC", "INVRPT", "ORDCHG", "ORDERS", "ORDRSP", "PRICAT", "RECADV", "REMADV", "SLSRPT",
}

// TestShippedIsAsTheDirectories holds the shipped EDIFACT texts to the
// directories that UNECE published: in each guide every place with its status
// and its largest number, in each dictionary every segment and composite with
// its elements, their status, repetition, type and both lengths, its dependency
// notes, and the lists of codes: a closed list has every code of the directory
// and no other, an open one names codes of either directory, because the
// dictionary of D.01B takes over those of D.96A.
func TestShippedIsAsTheDirectories(t *testing.T) {
	t.Parallel()
	root := os.Getenv("TRADEPOST_CORPUS")
	if root == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("TRADEPOST_CORPUS is not set: with CI=true the directories must be there")
		}
		t.Skip("TRADEPOST_CORPUS is not set: no directories to hold the shipped texts to")
	}
	folder := filepath.Join(root, "edi", "unece-directories")
	official := map[string]*schema.Catalog{"D96A": directoryOf(t, filepath.Join(folder, "d96a")), "D01B": directoryOf(t, filepath.Join(folder, "d01b"))}
	shipped, tags, either := schema.Shipped(), describedSegments(t), map[string]map[string]bool{}
	if len(tags) < 60 {
		t.Fatalf("only %d segments were found: %q", len(tags), tags)
	}
	for release, catalog := range official {
		d := dictionaryOf(t, catalog, "edifact/"+release+"/directory")
		for _, tag := range tags {
			if s := d.Segment(schema.MakeTag(tag)); s != nil {
				gather(either, s.Uses)
			}
		}
	}
	for release, catalog := range official {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			for _, message := range shippedMessages {
				sameGuide(t, shipped, catalog, "edifact/"+release+"/"+message)
			}
			own, theirs := dictionaryOf(t, shipped, "edifact/"+release), dictionaryOf(t, catalog, "edifact/"+release+"/directory")
			c := comparison{either: either, said: map[string]bool{}}
			for _, tag := range tags {
				mine, wanted := own.Segment(schema.MakeTag(tag)), theirs.Segment(schema.MakeTag(tag))
				if mine == nil && release == "D96A" {
					continue // of D.01B only
				}
				if mine == nil || wanted == nil && release == "D96A" {
					t.Errorf("segment %s: described %v, in the directory %v", tag, mine != nil, wanted != nil)
					continue
				}
				if wanted == nil {
					t.Logf("segment %s of D.96A was withdrawn before %s", tag, release)
					continue
				}
				c.layout(tag, mine.Uses, wanted.Uses, mine.Notes, wanted.Notes)
			}
			for _, line := range c.lines {
				t.Error(line)
			}
		})
	}
}

// sameGuide compares the places of a guide.
func sameGuide(t *testing.T, shipped, official *schema.Catalog, name string) {
	t.Helper()
	own, err := shipped.Guide(name)
	if err != nil {
		t.Error(err)
		return
	}
	theirs, err := official.Guide(name)
	if err != nil {
		t.Error(err)
		return
	}
	got, want := guidePlaces(own.Root, nil), guidePlaces(theirs.Root, nil)
	for i := range max(len(got), len(want)) {
		if at(got, i) != at(want, i) {
			t.Errorf("%s: place %d is %q, in the directory %q", name, i+1, at(got, i), at(want, i))
			return
		}
	}
}

// gather adds the codes of each element to those known of it.
func gather(into map[string]map[string]bool, uses []schema.Use) {
	for i := range uses {
		u := &uses[i]
		if u.Composite != nil {
			gather(into, u.Composite.Uses)
			continue
		}
		if into[u.Ref] == nil {
			into[u.Ref] = map[string]bool{}
		}
		for _, code := range u.Codes.List() {
			into[u.Ref][code.Value] = true
		}
	}
}

// directoryOf imports a directory and loads what comes of it.
func directoryOf(t *testing.T, folder string) *schema.Catalog {
	t.Helper()
	var in dictionary.Source
	if err := in.AddFolder(filepath.Base(folder), os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	made, err := dictionary.Import(t.Context(), &in, dictionary.Options{})
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, f := range made.Files {
		files[f.Name] = &fstest.MapFile{Data: f.Text}
	}
	catalog, err := schema.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return catalog
}

func dictionaryOf(t *testing.T, c *schema.Catalog, name string) *schema.Dictionary {
	t.Helper()
	d, err := c.Dictionary(name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// describedSegments lists the segments that the shipped dictionaries describe.
func describedSegments(t *testing.T) []string {
	t.Helper()
	var tags []string
	for _, release := range []string{"D96A", "D01B"} {
		text, err := os.ReadFile(filepath.Join("..", "schema", "shipped", "edifact", release, "common.dictionary"))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^segment ([A-Z]{3}) `).FindAllStringSubmatch(string(text), -1) {
			tags = append(tags, m[1])
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// guidePlaces lists the places of a guide in their order.
func guidePlaces(l *schema.Loop, out []string) []string {
	for i := range l.Nodes {
		n := &l.Nodes[i]
		kind := "segment"
		if n.Loop != nil {
			kind = "group"
		}
		out = append(out, fmt.Sprintf("%s %s %d..%d", kind, n.Path, n.Min, n.Max))
		if n.Loop != nil {
			out = guidePlaces(n.Loop, out)
		}
	}
	return out
}

// comparison collects differences, each told once.
type comparison struct {
	either map[string]map[string]bool // the codes of each element in one of the directories
	said   map[string]bool
	lines  []string
}

func (c *comparison) errorf(format string, args ...any) {
	if line := fmt.Sprintf(format, args...); !c.said[line] {
		c.said[line] = true
		c.lines = append(c.lines, line)
	}
}

func (c *comparison) layout(name string, mine, theirs []schema.Use, notes, theirNotes []schema.Note) {
	if len(mine) != len(theirs) {
		c.errorf("%s has %d positions, in the directory %d", name, len(mine), len(theirs))
	}
	if got, want := noteWords(notes), noteWords(theirNotes); got != want {
		c.errorf("%s has the notes %q, in the directory %q", name, got, want)
	}
	for i := range min(len(mine), len(theirs)) {
		a, b := &mine[i], &theirs[i]
		if got, want := use(a), use(b); got != want {
			c.errorf("%s position %d is %s, in the directory %s", name, i+1, got, want)
			continue
		}
		if a.Composite != nil {
			c.layout(a.Ref, a.Composite.Uses, b.Composite.Uses, a.Composite.Notes, b.Composite.Notes)
			continue
		}
		c.codes(a.Ref, a.Codes, b.Codes)
	}
}

func noteWords(notes []schema.Note) string {
	words := make([]string, len(notes))
	for i, n := range notes {
		words[i] = n.String()
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

func use(u *schema.Use) string {
	status, form := "C", "composite"
	if u.Required {
		status = "M"
	}
	if u.Composite == nil {
		form = fmt.Sprintf("%s%d..%d", u.Type, u.Min, u.Max)
	}
	return fmt.Sprintf("%s %s x%d %s", u.Ref, status, u.Repeat, form)
}

// elsewhere are the elements whose codes are kept by others than UNCL.
var elsewhere = map[string]string{
	"4053": "Incoterms of the ICC",
	"6345": "ISO 4217",
	"6411": "UNECE Recommendation 20",
	"7065": "UNECE Recommendation 21",
	"8067": "UNECE Recommendation 19",
}

// later are the closed lists that have the codes of D.01B in D.96A already,
// because they are written there, too.
var later = []string{"2379"}

func (c *comparison) codes(ref string, mine, theirs *schema.Codes) {
	if mine == nil || elsewhere[ref] != "" && mine.Open {
		return
	}
	known, missing, surplus := map[string]bool{}, []string(nil), []string(nil)
	for _, code := range theirs.List() {
		known[code.Value] = true
		if !mine.Open && !slices.ContainsFunc(mine.List(), func(o schema.Code) bool { return o.Value == code.Value }) {
			missing = append(missing, code.Value)
		}
	}
	if mine.Open || slices.Contains(later, ref) {
		known = c.either[ref]
	}
	for _, code := range mine.List() {
		if !known[code.Value] {
			surplus = append(surplus, code.Value)
		}
	}
	if len(surplus) > 0 {
		c.errorf("element %s names codes that the directory has not: %s", ref, strings.Join(surplus, " "))
	}
	if len(missing) > 0 {
		c.errorf("element %s has a closed list without these codes of the directory: %s", ref, strings.Join(missing, " "))
	}
}
