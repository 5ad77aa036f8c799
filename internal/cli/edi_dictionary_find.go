package cli

import (
	"fmt"
	"strings"

	"tradepost/edi/schema"

	"github.com/spf13/cobra"
)

// foundRow is one line of edi dictionary find.
type foundRow struct {
	Kind    string `json:"kind"` // guide, segment, composite, element or code
	Ref     string `json:"ref"`  // ORDERS, BGM, C002, 1001
	Code    string `json:"code,omitempty"`
	Name    string `json:"name"`
	In      string `json:"in"` // the dictionary, or the name of the guide
	Version string `json:"version"`
}

// newEDIDictionaryFindCommand is `tradepost edi dictionary find`.
func newEDIDictionaryFindCommand(env *Env) *cobra.Command {
	var checks ediChecks
	var version string
	var out output
	cmd := &cobra.Command{
		Use:   "find WORD...",
		Short: "Find guides, segments, elements and codes by a word of their name, or by their number",
		Long: `Looks through the names of the shipped dictionaries and guides and those of
--dictionary for the words as they stand, upper or lower case. A number of an
element, an identifier of a segment or a code finds what it stands for, too.`,
		Example: `  tradepost edi dictionary find pallet
  tradepost edi dictionary find delivery date --version D:96A
  tradepost edi dictionary find 1004 --dictionary dictionaries -o csv`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			shelf, err := newShelf(cmd, &checks)
			if err != nil {
				return err
			}
			words := strings.Join(args, " ")
			rows := shelf.find(words, version)
			if len(rows) == 0 {
				return exit(ExitNotFound, "nothing has %q in its name, and nothing has it as its number", words)
			}
			return writeList(env.Stdout, out.format, []column[foundRow]{
				{Name: "kind", Text: func(r foundRow) string { return r.Kind }},
				{Name: "ref", Text: func(r foundRow) string { return r.Ref }},
				{Name: "code", Text: func(r foundRow) string { return r.Code }},
				{Name: "name", Text: func(r foundRow) string { return r.Name }},
				{Name: "in", Text: func(r foundRow) string { return r.In }},
			}, rows)
		},
	}
	dictionaryFlag(cmd, &checks.dictionary)
	cmd.Flags().StringVar(&version, "version", "", "`VERSION` to look in: 004010, D:96A")
	out.flag(cmd, listForms()...)
	return cmd
}

// find lists what has a word in its name, or is named by it, in the order of
// the shelf.
func (s *shelf) find(word, version string) []foundRow {
	var rows []foundRow
	lower := strings.ToLower(word)
	hit := func(ref, name string) bool {
		return strings.EqualFold(ref, word) || strings.Contains(strings.ToLower(name), lower)
	}
	for _, g := range s.guides {
		if (version == "" || sameVersion(g.Version, version)) && hit(g.Type, g.Title) {
			rows = append(rows, foundRow{Kind: "guide", Ref: g.Type, Name: g.Title, In: g.Name, Version: g.Version})
		}
	}
	for _, b := range s.books {
		if version == "" || sameVersion(b.Version, version) {
			rows = append(rows, b.find(hit)...)
		}
	}
	return rows
}

func (b *book) find(hit func(ref, name string) bool) []foundRow {
	var rows []foundRow
	add := func(kind, ref, code, name string) {
		rows = append(rows, foundRow{kind, ref, code, name, b.name, b.Version})
	}
	for _, tag := range b.Dictionary.Segments() {
		if name := b.Segment(tag).Name; hit(tag.String(), name) {
			add("segment", tag.String(), "", name)
		}
	}
	for _, ref := range b.Dictionary.Elements() {
		u, _ := b.Element(ref)
		kind := "element"
		if u.Composite != nil {
			kind = "composite"
		}
		name := u.Name
		if hit(ref, name) {
			add(kind, ref, "", name)
		}
		for _, c := range u.Codes.List() {
			if hit(c.Value, c.Name) {
				add("code", ref, c.Value, codeName(c))
			}
		}
	}
	return rows
}

// codeName is the name of a code with the days it is valid on.
func codeName(c schema.Code) string {
	name := c.Name
	if c.From > 0 {
		name += fmt.Sprintf(" from %d", c.From)
	}
	if c.Until > 0 {
		name += fmt.Sprintf(" until %d", c.Until)
	}
	return name
}
