package schema_test

import (
	"slices"
	"testing"

	"tradepost/edi/schema"
)

// paths lists the places of a guide with the largest number of uses.
func paths(l *schema.Loop) []string {
	var out []string
	for i := range l.Nodes {
		n := &l.Nodes[i]
		if n.Loop != nil {
			out = append(out, paths(n.Loop)...)
			continue
		}
		out = append(out, n.Path)
	}
	return out
}

func TestLikeWithDifferences(t *testing.T) {
	t.Parallel()
	c, err := catalog(t, base, guide, `dictionary test/e
extends test/d
standard X12
version 010000
segment NEW "New"
  1 2 O
`, `guide test/778 "As in the release before"
uses test/e
like test/777
at */LLL/SUB
  instead NEW O 2
  followed-by SUB O 3
  followed-by loop NEW O * "New loop"
    NEW M 1
    AAA O 1
at heading/AAA
  1 codes AA
  3-2 require
`, `guide test/own
based-on test/777
at detail/LLL/SUB
  remove
at heading/AAA
  3-1 codes AA
  followed-by SUB O 1
`)
	if err != nil {
		t.Fatal(err)
	}
	g, err := c.Guide("test/778")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := paths(g.Root), []string{"heading/ST", "heading/AAA", "detail/LLL/LLL", "detail/LLL/NEW", "detail/LLL/SUB", "detail/LLL/NEW/NEW", "detail/LLL/NEW/AAA", "summary/SE"}; !slices.Equal(got, want) {
		t.Errorf("places %q\nwant   %q", got, want)
	}
	line := g.Root.Nodes[2].Loop
	if line.Nodes[1].Max != 2 || line.Nodes[2].Max != 3 || line.Nodes[3].Loop.Title != "New loop" || line.Nodes[1].Own {
		t.Errorf("nodes %+v", line.Nodes)
	}
	head := g.Root.Nodes[1].Segment
	if head.Uses[0].OwnCodes || head.Uses[0].Codes.Len() != 1 || !head.Uses[2].Composite.Uses[1].Required || head.Uses[2].Composite.Uses[1].OwnRequired {
		t.Errorf("what another release has otherwise is marked as a partner's rule: %+v", head.Uses)
	}
	if below, err := c.Guide("test/777"); err != nil || below.Root.Nodes[1].Segment.Uses[2].Composite.Uses[1].Required {
		t.Errorf("the guide below was changed: %v", err)
	}
	own, err := c.Guide("test/own")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := paths(own.Root), []string{"heading/ST", "heading/AAA", "heading/SUB", "detail/LLL/LLL", "summary/SE"}; !slices.Equal(got, want) {
		t.Errorf("places %q\nwant   %q", got, want)
	}
	if !own.Root.Nodes[2].Own || !own.Root.Nodes[1].Segment.Uses[2].Composite.Uses[0].OwnCodes {
		t.Error("a partner's rule is not marked so")
	}
	if found, ok := c.Lookup(schema.X12, "009999", "777"); !ok || found.Name != "test/777" {
		t.Errorf("Lookup finds %v", found)
	}
}

// TestLastComesFirst: of two guides for the same document the one put in last
// is found.
func TestLastComesFirst(t *testing.T) {
	t.Parallel()
	shipped, err := catalog(t, base, guide)
	if err != nil {
		t.Fatal(err)
	}
	own := shipped.Clone()
	if _, err := own.Add("own", []byte("dictionary a/d\nextends test/d\nstandard X12\nversion 009999\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := own.Add("own", []byte("guide a/777\nuses a/d\nlike test/777\n")); err != nil {
		t.Fatal(err)
	}
	if g, ok := own.Lookup(schema.X12, "009999", "777"); !ok || g.Name != "a/777" {
		t.Errorf("Lookup finds %v", g)
	}
	if d := own.DictionaryFor(schema.X12, "009999"); d == nil || d.Name != "a/d" {
		t.Errorf("DictionaryFor finds %+v", d)
	}
	if g, ok := shipped.Lookup(schema.X12, "009999", "777"); !ok || g.Name != "test/777" {
		t.Errorf("the catalog below finds %v", g)
	}
}
