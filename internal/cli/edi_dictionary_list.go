package cli

import (
	"cmp"
	"slices"
	"strings"

	"tradepost/edi/schema"

	"github.com/spf13/cobra"
)

// guideRow is one line of edi dictionary list.
type guideRow struct {
	Name       string `json:"name"`
	Standard   string `json:"standard"`
	Version    string `json:"version"`
	Type       string `json:"type"`
	Group      string `json:"group,omitempty"`
	BasedOn    string `json:"based_on,omitempty"`
	Dictionary string `json:"dictionary"`
	Title      string `json:"title"`
	From       string `json:"from"` // shipped, or the folder
	Used       bool   `json:"used"` // it is what a document of its type and version is checked with
}

// newEDIDictionaryListCommand is `tradepost edi dictionary list`.
func newEDIDictionaryListCommand(env *Env) *cobra.Command {
	var checks ediChecks
	var out output
	cmd := &cobra.Command{
		Use:   "list [WORD]",
		Short: "List the guides there are",
		Example: `  tradepost edi dictionary list
  tradepost edi dictionary list invoice`,
		Long: `Lists the shipped guides and those of --dictionary; with WORD those whose name,
type, version or title has it. A star stands at the guide that documents of its
type and version are checked with when no other one is named.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			shelf, err := newShelf(cmd, &checks)
			if err != nil {
				return err
			}
			rows, err := shelf.rows(strings.Join(args, ""))
			if err != nil {
				return err
			}
			return writeList(env.Stdout, out.format, []column[guideRow]{
				{Name: "used", Text: func(r guideRow) string { return map[bool]string{true: "*"}[r.Used] }},
				{Name: "guide", Text: func(r guideRow) string { return r.Name }},
				{Name: "type", Text: func(r guideRow) string { return r.Type }},
				{Name: "version", Text: func(r guideRow) string { return r.Version }},
				{Name: "from", Text: func(r guideRow) string { return r.From }},
				{Name: "based-on", Text: func(r guideRow) string { return r.BasedOn }},
				{Name: "title", Text: func(r guideRow) string { return r.Title }},
			}, rows)
		},
	}
	dictionaryFlag(cmd, &checks.dictionary)
	out.flag(cmd, listForms()...)
	return cmd
}

// shelf is the guides and dictionaries there are.
type shelf struct {
	catalog *schema.Catalog
	folder  string
	own     map[string]bool // names of the texts in folder
	guides  []*schema.Guide // those of the folder first, then the newest
	books   []*book         // in the same order
}

// book is a dictionary with the guides over it, partners' guides left out.
type book struct {
	name string
	*schema.Dictionary
	guides []*schema.Guide
}

func newShelf(cmd *cobra.Command, checks *ediChecks) (*shelf, error) {
	o, err := checks.options(cmd)
	if err != nil {
		return nil, err
	}
	s := &shelf{catalog: o.Catalog, folder: checks.dictionary, own: map[string]bool{}}
	for _, f := range s.catalog.Loaded() {
		s.own[f.Name] = true
	}
	for _, name := range s.catalog.Names() {
		g, err := s.catalog.Guide(name)
		if err != nil {
			return nil, &ExitError{Code: ExitConfig, Err: err}
		}
		s.guides = append(s.guides, g)
	}
	slices.SortStableFunc(s.guides, func(a, b *schema.Guide) int {
		switch {
		case s.own[a.Name] != s.own[b.Name] && s.own[a.Name]:
			return -1
		case s.own[a.Name] != s.own[b.Name]:
			return 1
		}
		return cmp.Compare(age(b.Version), age(a.Version))
	})
	return s, s.fill()
}

// fill puts the dictionaries on the shelf: those of the folder first, then the
// newest.
func (s *shelf) fill() error {
	for _, name := range s.catalog.Dictionaries() {
		d, err := s.catalog.Dictionary(name)
		if err != nil {
			return wrongText(err)
		}
		b := &book{name: name, Dictionary: d}
		for _, g := range s.guides {
			if g.Dictionary.Name == name && g.BasedOn == "" {
				b.guides = append(b.guides, g)
			}
		}
		s.books = append(s.books, b)
	}
	slices.SortStableFunc(s.books, func(a, b *book) int {
		switch {
		case s.own[a.name] != s.own[b.name] && s.own[a.name]:
			return -1
		case s.own[a.name] != s.own[b.name]:
			return 1
		}
		return cmp.Compare(age(b.Version), age(a.Version))
	})
	return nil
}

// age makes versions comparable: D:96A is of 1996 and D:01B of 2001.
func age(version string) string {
	if _, release, edifact := strings.Cut(version, ":"); edifact && len(release) > 1 {
		if release[0] >= '8' {
			return "19" + release
		}
		return "20" + release
	}
	return version
}

func (s *shelf) from(name string) string {
	if s.own[name] {
		return s.folder
	}
	return "shipped"
}

// rows lists the guides by name, those with a word when there is one.
func (s *shelf) rows(word string) ([]guideRow, error) {
	var rows []guideRow
	for _, g := range s.guides {
		if !strings.Contains(strings.ToLower(strings.Join([]string{g.Name, g.Type, g.Version, g.Title}, " ")), strings.ToLower(word)) {
			continue
		}
		used, ok := s.catalog.Lookup(g.Standard, g.Version, g.Type)
		rows = append(rows, guideRow{g.Name, g.Standard, g.Version, g.Type, g.Group, g.BasedOn, g.Dictionary.Name, g.Title, s.from(g.Name), ok && used.Name == g.Name})
	}
	if len(rows) == 0 && word != "" {
		return nil, exit(ExitNotFound, "no guide has %q in its name, type, version or title", word)
	}
	slices.SortFunc(rows, func(a, b guideRow) int { return strings.Compare(a.Name, b.Name) })
	return rows, nil
}
