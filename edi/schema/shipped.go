package schema

import (
	"embed"
	"io/fs"
)

//go:embed shipped
var shipped embed.FS

// Shipped returns a new catalog of the dictionaries and guides that come with
// this package, all written in our own words: envelopes and acknowledgements
// whole, business documents as starter guides.
func Shipped() *Catalog {
	tree, err := fs.Sub(shipped, "shipped")
	if err != nil {
		panic("schema: the shipped folder is not embedded: " + err.Error()) // cannot happen in a build that passed its tests
	}
	c, _, err := load(tree, nil)
	if err != nil {
		panic("schema: a shipped text is broken: " + err.Error()) // kept out by TestShippedCompiles
	}
	return c
}
