package schema_test

import (
	"testing"

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

// BenchmarkShipped is the price of a catalog and of its first look-up; one
// catalog serves any number of walks.
func BenchmarkShipped(b *testing.B) {
	for b.Loop() {
		if _, ok := schema.Shipped().Lookup(schema.X12, "004010", "850"); !ok {
			b.Fatal("no 850")
		}
	}
}
