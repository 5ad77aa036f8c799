package schema

import (
	"embed"
	"errors"
)

//go:embed shipped
var shipped embed.FS

// Shipped returns a new catalog of the dictionaries and guides that come with
// this package, all written in our own words: envelopes and acknowledgements
// whole, business documents as starter guides.
func Shipped() *Catalog {
	c, mistakes, err := load(shipped, "", false, nil)
	if err = errors.Join(append(mistakes, err)...); err != nil {
		panic("schema: a shipped text is broken: " + err.Error()) // kept out by TestShippedCompiles
	}
	c.loaded = nil
	return c
}
