package schema

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
)

// Segments lists the identifiers of the segments the dictionary describes,
// those of the dictionaries it extends included, sorted.
func (d *Dictionary) Segments() []Tag {
	if d == nil {
		return nil
	}
	names := map[string]bool{}
	for _, f := range d.resolver.chain {
		for name := range f.segments {
			names[name] = true
		}
	}
	var out []Tag
	for _, name := range slices.Sorted(maps.Keys(names)) {
		out = append(out, MakeTag(name))
	}
	return out
}

// Elements lists the numbers of the elements and composites the dictionary
// describes, those of the dictionaries it extends included: numbers by value,
// those with a letter behind them.
func (d *Dictionary) Elements() []string {
	if d == nil {
		return nil
	}
	refs := map[string]bool{}
	for _, f := range d.resolver.chain {
		for ref := range f.elements {
			refs[ref] = true
		}
		for ref := range f.composites {
			refs[ref] = true
		}
	}
	return slices.SortedFunc(maps.Keys(refs), func(a, b string) int {
		m, noA := strconv.Atoi(a)
		n, noB := strconv.Atoi(b)
		switch {
		case noA == nil && noB == nil:
			return cmp.Or(cmp.Compare(m, n), cmp.Compare(a, b))
		case noA == nil:
			return -1
		case noB == nil:
			return 1
		}
		return cmp.Compare(a, b)
	})
}

// Element returns an element or composite as the dictionary describes it, with
// the whole of its codes, whether a segment uses it or not; false when there is
// none of that number.
func (d *Dictionary) Element(ref string) (Use, bool) {
	if d == nil {
		return Use{}, false
	}
	r := d.resolver
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.element(ref); e != nil {
		return Use{Ref: ref, Name: e.name, Type: e.kind, Decimals: e.decimals, Min: e.min, Max: e.max, Repeat: 1, Codes: r.elementCodes(e)}, true
	}
	c, _ := r.composite(ref) // mistakes were told when the text was put into the catalog
	if c == nil {
		return Use{}, false
	}
	return Use{Ref: ref, Name: c.Name, Repeat: 1, Composite: c}, true
}
