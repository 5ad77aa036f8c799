package steps_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tradepost/partners"
	"tradepost/processes/steps"

	"github.com/google/go-cmp/cmp"
)

// A dictionary of a release that is not shipped, with a guide over it, in words
// of our own.
const (
	otherRelease = "dictionary x12/003060 \"What our dealers use\"\nstandard X12\nversion 003060\n" +
		"element 143 ID 3 \"Type\"\nelement 329 AN 4..9 \"Control number\"\nelement 96 N0 1..10 \"Count\"\nelement 353 ID 2 \"Purpose\"\n  00 \"Original\"\n" +
		"segment ST \"Document header\"\n  1 143 M\n  2 329 M\nsegment BEG \"Start\"\n  1 353 M\nsegment SE \"Document trailer\"\n  1 96 M\n  2 329 M\n"
	otherGuide = "guide x12/003060/850 \"Purchase order of 1996\"\nuses x12/003060\nset 850 group PO\narea heading\n  ST M 1\n  BEG M 1\n  SE M 1\n"
)

// folder writes texts below a new folder.
func folder(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// agreed is a directory with one partner for each list of rules.
func agreed(t *testing.T, rules ...[]partners.DocumentRule) *partners.Directory {
	t.Helper()
	id := func(n string) []partners.Identifier { return []partners.Identifier{{Qualifier: "ZZ", ID: n}} }
	var ps []partners.Partner
	var agreements []partners.Partnership
	connections := []partners.Connection{{Name: "house", Connector: "house"}}
	for i, list := range rules {
		name := "partner-" + string(rune('a'+i))
		ps = append(ps, partners.Partner{Name: name, Identifiers: id(strings.ToUpper(name))})
		connections = append(connections, partners.Connection{Name: name, Connector: "wire", Partner: name})
		agreements = append(agreements, partners.Partnership{
			Partner: name, Connection: name, Acknowledge: "997", Profile: "tolerant", AS2: partners.AS2Policy{Receipt: "none"}, Outbound: list,
		})
	}
	d, err := partners.NewDirectory(partners.Station{Name: "us", Identifiers: id("US")}, ps, agreements, connections)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDictionaries: what is in the station's folder is found by type and
// version, by name and by its file; what was agreed with one partner in a file
// of its own is that partner's only.
func TestDictionaries(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"x12/003060.dictionary": otherRelease, "x12/850.guide": otherGuide,
		"acme.guide": "guide acme/850 \"ACME\"\nbased-on x12/003060/850\nat heading/BEG\n  1 codes 00\n",
	})
	own := folder(t, map[string]string{"own.guide": strings.Replace(otherGuide, "x12/003060/850 \"Purchase order of 1996\"", "own/850 \"Own\"", 1)})
	byName := partners.DocumentRule{Type: "850", Guide: "acme/850"}
	byFile := partners.DocumentRule{Type: "850", Guide: filepath.Join(dir, "acme.guide")}
	inFile := partners.DocumentRule{Type: "850", Guide: filepath.Join(own, "own.guide")}
	g, err := steps.LoadGuides(agreed(t, []partners.DocumentRule{byName}, []partners.DocumentRule{byFile}, []partners.DocumentRule{inFile}), dir)
	if err != nil {
		t.Fatal(err)
	}
	if guide, ok := g.Catalog().Lookup("X12", "003060", "850"); !ok || guide.Name != "x12/003060/850" {
		t.Errorf("a document of that release is checked with %+v", guide)
	}
	for rule, want := range map[partners.DocumentRule]string{byName: "ACME", byFile: "ACME", inFile: "Own", {Type: "850"}: ""} {
		got := ""
		if guide := g.For(rule, "003060"); guide != nil {
			got = guide.Title
		}
		if got != want {
			t.Errorf("%q leads to the guide %q, want %q", rule.Guide, got, want)
		}
	}
	if guide := g.For(byName, "004010"); guide != nil {
		t.Error("a document of another release is judged by this one's guide")
	}
	texts, err := g.Folder()
	if err != nil {
		t.Fatal(err)
	}
	want := []steps.FolderText{
		{Name: "acme/850", IsGuide: true, Standard: "X12", Version: "003060", Type: "850", Named: true, Over: "x12/003060/850"},
		{Name: "x12/003060", Standard: "X12", Version: "003060"},
		{Name: "x12/003060/850", IsGuide: true, Standard: "X12", Version: "003060", Type: "850"},
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("the folder (-want +got):\n%s", diff)
	}
}

// TestShippedStays: a partnership that names the shipped guide keeps it beside a
// folder that has another one for the same documents.
func TestShippedStays(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"d.dictionary": strings.ReplaceAll(otherRelease, "003060", "004010-of-acme") + "version 004010\n",
		"850.guide":    strings.ReplaceAll(strings.ReplaceAll(otherGuide, "x12/003060/850", "acme/standard/850"), "x12/003060", "x12/004010-of-acme"),
	})
	shipped := partners.DocumentRule{Type: "850", Guide: "x12/004010/850"}
	g, err := steps.LoadGuides(agreed(t, []partners.DocumentRule{shipped}, []partners.DocumentRule{{Type: "850"}}), dir)
	if err != nil {
		t.Fatal(err)
	}
	if guide := g.For(shipped, "004010"); guide == nil || guide.Title != "Purchase order" {
		t.Errorf("who names the shipped guide has %+v", guide)
	}
	if guide, ok := g.Catalog().Lookup("X12", "004010", "850"); !ok || guide.Name != "acme/standard/850" {
		t.Errorf("the others have %+v", guide)
	}
}

// TestDictionariesThatDoNotFit: what is wrong is told where it was agreed, with
// the line of the text and what to do.
func TestDictionariesThatDoNotFit(t *testing.T) {
	t.Parallel()
	good := map[string]string{"d.dictionary": otherRelease, "a.guide": otherGuide}
	wrong := folder(t, map[string]string{
		"d.dictionary": otherRelease, "a.guide": strings.Replace(otherGuide, "BEG M 1", "BEG Q 1", 1), "b.guide": "guide b\nbased-on nobody/850\n",
	})
	files := folder(t, map[string]string{
		"alone.guide": otherGuide, "one.guide": "guide acme/850\nbased-on x12/004010/850\n", "two.guide": "guide acme/850\nbased-on x12/004010/850\nat heading/CUR\n  forbid\n",
	})
	in := func(name string) []partners.DocumentRule {
		return []partners.DocumentRule{{Type: "850", Guide: filepath.Join(files, name)}}
	}
	for name, c := range map[string]struct {
		rules  [][]partners.DocumentRule
		folder string
		path   string
		text   string
		hint   string
	}{
		"a line that is wrong":           {nil, wrong, "dictionaries", filepath.Join(wrong, "a.guide") + ":6:7: ", "mend the line"},
		"its excerpt":                    {nil, wrong, "dictionaries", "      6 |   BEG Q 1\n        |       ^", "mend the line"},
		"what it builds on":              {nil, wrong, "dictionaries", "b.guide:2:10: guide nobody/850 is not in the catalog", "put nobody/850 into the folder"},
		"no folder":                      {nil, filepath.Join(wrong, "none"), "dictionaries", "no such file", "is the folder there"},
		"a guide nobody has":             {[][]partners.DocumentRule{{{Type: "850", Guide: "acme/850"}}}, folder(t, good), "partnerships[0].outbound[0].guide", "there are x12/003060/850, x12/004010/850", ""},
		"a guide without its dictionary": {[][]partners.DocumentRule{in("alone.guide")}, "", "partnerships[0].outbound[0].guide", "alone.guide:2:6: dictionary x12/003060 is not in the catalog", "dictionaries names"},
		"two guides of a name":           {[][]partners.DocumentRule{in("one.guide"), in("two.guide")}, "", "partnerships[1].outbound[0].guide", "the name acme/850 is taken by another guide (" + filepath.Join(files, "one.guide"), ""},
		"another document's":             {[][]partners.DocumentRule{{{Type: "856", Guide: "x12/004010/850"}}}, "", "partnerships[0].outbound[0].guide", "is for 850 004010, not for a 856", ""},
		"a file that is not there":       {[][]partners.DocumentRule{in("none.guide")}, "", "partnerships[0].outbound[0].guide", "none.guide", ""},
	} {
		_, err := steps.LoadGuides(agreed(t, c.rules...), c.folder)
		var conflict *partners.ConflictError
		if !errors.As(err, &conflict) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		found := false
		for _, p := range conflict.Problems {
			found = found || p.Path == c.path && strings.Contains(p.Text, c.text) && strings.Contains(p.Hint, c.hint)
		}
		if !found {
			t.Errorf("%s: nothing at %s says %q: %+v", name, c.path, c.text, conflict.Problems)
		}
	}
}
