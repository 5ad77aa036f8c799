package schema_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"tradepost/edi/schema"
)

// TestShippedCompiles compiles every shipped guide and dictionary, so that
// Shipped never meets a broken text.
func TestShippedCompiles(t *testing.T) {
	t.Parallel()
	c := schema.Shipped()
	names := c.Names()
	if len(names) == 0 {
		t.Fatal("no guide is shipped")
	}
	for _, name := range names {
		g, err := c.Guide(name)
		if err != nil {
			t.Errorf("guide %s: %v", name, err)
			continue
		}
		if found, ok := c.Lookup(g.Standard, g.Version, g.Type); !ok || found.Name != name {
			t.Errorf("Lookup(%s, %s, %s) does not find %s", g.Standard, g.Version, g.Type, name)
		}
		if g.Title == "" {
			t.Errorf("guide %s has no title", name)
		}
	}
}

// TestOrder: of two guides or dictionaries for the same thing, the one whose
// path comes later serves, and what Load is laid over comes before.
func TestOrder(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{}
	for _, name := range []string{"b", "c", "a"} {
		fsys[name+"/d"+schema.DictionaryExt] = &fstest.MapFile{Data: []byte(strings.Replace(base, "test/d", name+"/d", 1))}
		fsys[name+"/g"+schema.GuideExt] = &fstest.MapFile{Data: []byte(strings.NewReplacer("test/777", name+"/777", "test/d", name+"/d").Replace(guide))}
	}
	for range 20 {
		first, err := catalog(t, base, guide)
		if err != nil {
			t.Fatal(err)
		}
		c, err := schema.Load(fsys, first)
		if err != nil {
			t.Fatal(err)
		}
		if g, ok := c.Lookup(schema.X12, "009999", "777"); !ok || g.Name != "c/777" {
			t.Fatalf("Lookup finds %+v", g)
		}
		if d := c.DictionaryFor(schema.X12, "009999"); d == nil || d.Name != "c/d" {
			t.Fatalf("DictionaryFor finds %+v", d)
		}
	}
}

// directory writes a dictionary of many codes and many guides over it, of the
// size of a UN/EDIFACT directory.
func directory(guides int) fstest.MapFS {
	var b strings.Builder
	b.WriteString("dictionary big/d\nstandard X12\nversion 008888\n")
	for e := 1; e <= 100; e++ {
		fmt.Fprintf(&b, "element %d ID 1..3 \"Element\"\n", e)
		for code := range 100 {
			fmt.Fprintf(&b, "  A%02d \"A code of this list\"\n", code)
		}
		fmt.Fprintf(&b, "segment S%02d \"Segment\"\n  1 %d M\n  2 %d O\n", e%100, e, 101-e)
	}
	fsys := fstest.MapFS{"d" + schema.DictionaryExt: {Data: []byte(b.String())}}
	for n := range guides {
		text := fmt.Sprintf("guide big/%03d\nuses big/d\nset %03d\narea heading\n  S01 M 1\n  loop L O *\n    S02 M 1\n    S03 O 5\n", n, n)
		fsys[fmt.Sprintf("g%03d%s", n, schema.GuideExt)] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

// TestGuidesShare: what a dictionary describes is compiled once for all its
// guides, in any of which a partner may change it without the others noticing.
func TestGuidesShare(t *testing.T) {
	t.Parallel()
	fsys := directory(2)
	fsys["own"+schema.GuideExt] = &fstest.MapFile{Data: []byte("guide own\nbased-on big/001\ncodes 1 only A01\nat heading/L/S02\n  2 forbid\n")}
	c, err := schema.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	get := func(name string) *schema.Guide {
		g, err := c.Guide(name)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	one, two, own := get("big/000"), get("big/001"), get("own")
	s1, s2 := schema.MakeTag("S01"), schema.MakeTag("S02")
	if one.Places(s1) != two.Places(s1) || one.Places(s1) != one.Dictionary.Segment(s1) {
		t.Error("two guides hold a segment of their dictionary twice")
	}
	if own.Places(s1) == two.Places(s1) || own.Places(s1).Uses[0].Codes.Len() != 1 || two.Places(s1).Uses[0].Codes.Len() != 100 {
		t.Error("codes a partner leaves out are gone for others, or stay for the partner")
	}
	opener := func(g *schema.Guide) *schema.Segment { return g.Root.Nodes[1].Loop.Nodes[0].Segment }
	if !opener(own).Uses[1].Forbidden || opener(two).Uses[1].Forbidden || two.Dictionary.Segment(s2).Uses[1].Forbidden {
		t.Error("an element a partner forbids is forbidden for others, or allowed for the partner")
	}
	if opener(own).Uses[0].Codes != opener(two).Uses[0].Codes {
		t.Error("a code list that the partner left alone is held twice")
	}
	if own.Dictionary.Name != "big/d" || !own.Dictionary.Knows(schema.MakeTag("S77")) || own.Dictionary.Knows(schema.MakeTag("QQQ")) {
		t.Errorf("dictionary %+v", own.Dictionary)
	}
}

// TestLoadMemory: a directory of 10 000 codes costs what it holds, however many
// guides stand over it.
func TestLoadMemory(t *testing.T) {
	fsys := directory(200)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := schema.Load(fsys); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 24 {
		t.Errorf("200 guides over a dictionary of 10000 codes took %d MiB to load", took)
	}
}

// BenchmarkShipped is the price of a catalog and of its first look-up; one
// catalog serves any number of walks.
func BenchmarkShipped(b *testing.B) {
	for b.Loop() {
		if _, ok := schema.Shipped().Lookup(schema.X12, "004010", "850"); !ok {
			b.Fatal("no 850")
		}
	}
}

// BenchmarkLoad is a folder of the size of a UN/EDIFACT directory, and its
// first look-up.
func BenchmarkLoad(b *testing.B) {
	fsys := directory(200)
	b.ReportAllocs()
	for b.Loop() {
		c, err := schema.Load(fsys)
		if err != nil {
			b.Fatal(err)
		}
		if _, ok := c.Lookup(schema.X12, "008888", "100"); !ok {
			b.Fatal("no guide")
		}
	}
}
