package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"tradepost/edi/schema"

	"github.com/spf13/cobra"
)

// newEDIDictionaryShowCommand is `tradepost edi dictionary show`.
func newEDIDictionaryShowCommand(env *Env) *cobra.Command {
	var checks ediChecks
	var version string
	var all bool
	var out output
	cmd := &cobra.Command{
		Use:   "show NAME [PART]",
		Short: "Show a guide, a dictionary, a segment with its elements, or the codes of an element",
		Long: `NAME is a guide by its name (x12/004010/850), by type and version (x12/850/004010)
or by its type (ORDERS), or a .guide file; a dictionary (x12/004010); or a segment
(BGM), a composite (C002) or an element (1001), whether a guide uses it or not.
PART is a segment, composite or element as that guide or dictionary has it. Of
several versions the newest is shown, and one of --dictionary before a shipped
one.

Behind each place stands whether it is mandatory (M) or not (O in X12, C in
EDIFACT), and how often it may occur there.`,
		Example: `  tradepost edi dictionary show ORDERS --version D:96A
  tradepost edi dictionary show x12/850/004010 BEG
  tradepost edi dictionary show 1001 --all
  tradepost edi dictionary show edifact/D96A`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			shelf, err := newShelf(cmd, &checks)
			if err != nil {
				return err
			}
			if filepath.Ext(args[0]) == schema.GuideExt {
				checks.guide = args[0]
				g, err := checks.namedGuide(shelf.catalog)
				if err != nil {
					return err
				}
				args[0], shelf.guides = g.Name, append(shelf.guides, g)
			}
			v, err := shelf.show(args, version)
			if err != nil {
				return err
			}
			if out.format == formJSON {
				return writeJSON(env.Stdout, v)
			}
			if seen := v.others(); len(seen) > 0 {
				env.say("also in %s", strings.Join(seen, ", "))
			}
			_, err = fmt.Fprint(env.Stdout, v.text(all))
			return err
		},
	}
	f := cmd.Flags()
	dictionaryFlag(cmd, &checks.dictionary)
	f.StringVar(&version, "version", "", "`VERSION` to show, instead of the newest: 004010, D:96A")
	f.BoolVar(&all, "all", false, "show every code, not the first 20 of each element")
	out.flag(cmd, "text", formJSON)
	return cmd
}

// view is what show prints.
type view interface {
	// text is the view for a person; all codes or some.
	text(all bool) string
	// others names where else there is such a thing.
	others() []string
}

// The names of parts. A document type has none of these forms but for X12,
// whose types are numbers as elements are; types come first.
var (
	segmentPart = regexp.MustCompile(`^[A-Z][A-Z0-9]{1,2}$`)
	elementPart = regexp.MustCompile(`^[A-Z]?[0-9]{1,5}$`)
)

// show finds what is asked for.
func (s *shelf) show(args []string, version string) (view, error) {
	name := args[0]
	guide, also, err := s.guide(name, version)
	if err != nil && !errors.Is(err, schema.ErrNotFound) {
		return nil, err
	}
	one := slices.IndexFunc(s.books, func(b *book) bool { return b.name == name })
	if len(args) == 2 {
		part := strings.ToUpper(args[1])
		switch {
		case guide != nil:
			return s.part(&book{name: guide.Name, Dictionary: guide.Dictionary, guides: []*schema.Guide{guide}}, part)
		case one >= 0:
			return s.part(s.books[one], part)
		}
		return nil, exit(ExitNotFound, "there is no guide and no dictionary %s; see edi dictionary list", name)
	}
	if guide != nil {
		return viewGuide(guide, also), nil
	}
	if one >= 0 {
		return viewBook(s.books[one]), nil
	}
	part := strings.ToUpper(name)
	if !segmentPart.MatchString(part) && !elementPart.MatchString(part) {
		return nil, exit(ExitNotFound, "there is no guide and no dictionary %s; see edi dictionary list, or look for a word with edi dictionary find", name)
	}
	return s.anywhere(part, version)
}

// guide finds a guide by its name, by standard, type and version in any order,
// or by its type.
func (s *shelf) guide(name, version string) (*schema.Guide, []string, error) {
	g, err := s.catalog.Guide(name)
	if err == nil || !errors.Is(err, schema.ErrNotFound) {
		return g, nil, err
	}
	words := strings.Split(name, "/")
	var found []*schema.Guide
	for _, g := range s.guides {
		if g.BasedOn == "" && (version == "" || sameVersion(g.Version, version)) && !slices.ContainsFunc(words, func(w string) bool {
			return w != g.Type && !strings.EqualFold(w, g.Standard) && !sameVersion(g.Version, w)
		}) && slices.Contains(words, g.Type) {
			found = append(found, g)
		}
	}
	if len(found) == 0 {
		return nil, nil, fmt.Errorf("guide %s: %w", name, schema.ErrNotFound)
	}
	var also []string
	for _, g := range found[1:] {
		also = append(also, g.Name)
	}
	return found[0], also, nil
}

// sameVersion takes D96A for D:96A.
func sameVersion(version, asked string) bool {
	return version == asked || strings.ReplaceAll(version, ":", "") == strings.ToUpper(strings.ReplaceAll(asked, ".", ""))
}

// anywhere looks for a part in every dictionary, those of the folder first,
// then the newest.
func (s *shelf) anywhere(part, version string) (view, error) {
	var first view
	var also []string
	for _, b := range s.books {
		if version != "" && !sameVersion(b.Version, version) {
			continue
		}
		v, err := s.part(b, part)
		switch {
		case err != nil:
		case first == nil:
			first = v
		default:
			also = append(also, b.name)
		}
	}
	switch v := first.(type) {
	case *segmentsView:
		v.Also = also
	case *elementsView:
		v.Also = also
	default:
		return nil, exit(ExitNotFound, "no dictionary has a segment, composite or element %s; edi dictionary find looks for words", part)
	}
	return first, nil
}

// part finds a segment, composite or element in a dictionary and its guides.
func (s *shelf) part(b *book, part string) (view, error) {
	if segmentPart.MatchString(part) {
		if v := viewSegments(b, schema.MakeTag(part)); v != nil {
			return v, nil
		}
	}
	if elementPart.MatchString(part) {
		if v := viewElements(b, part); v != nil {
			return v, nil
		}
	}
	return nil, exit(ExitNotFound, "%s has no segment, composite or element %s", b.name, part)
}
