package cli

import (
	"errors"
	"fmt"
	"io"
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
	Used       bool   `json:"used"` // it is what a document of its type and version is checked with
}

// newEDIDictionaryListCommand is `tradepost edi dictionary list`.
func newEDIDictionaryListCommand(env *Env) *cobra.Command {
	var checks ediChecks
	var out output
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the guides there are",
		Long: `Lists the shipped guides and those of --dictionary. A star stands at the guide that
documents of its type and version are checked with when no other one is named.`,
		Args: want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			o, err := checks.options(cmd)
			if err != nil {
				return err
			}
			var rows []guideRow
			for _, name := range o.Catalog.Names() {
				g, err := o.Catalog.Guide(name)
				if err != nil {
					return &ExitError{Code: ExitConfig, Err: err}
				}
				used, ok := o.Catalog.Lookup(g.Standard, g.Version, g.Type)
				rows = append(rows, guideRow{g.Name, g.Standard, g.Version, g.Type, g.Group, g.BasedOn, g.Dictionary.Name, g.Title, ok && used.Name == g.Name})
			}
			return writeList(env.Stdout, out.format, []column[guideRow]{
				{Name: "used", Text: func(r guideRow) string {
					if r.Used {
						return "*"
					}
					return ""
				}},
				{Name: "guide", Text: func(r guideRow) string { return r.Name }},
				{Name: "type", Text: func(r guideRow) string { return r.Type }},
				{Name: "version", Text: func(r guideRow) string { return r.Version }},
				{Name: "dictionary", Text: func(r guideRow) string { return r.Dictionary }},
				{Name: "title", Text: func(r guideRow) string { return r.Title }},
			}, rows)
		},
	}
	cmd.Flags().StringVar(&checks.dictionary, "dictionary", "", "`DIR` with .dictionary and .guide files, used before the shipped ones")
	out.flag(cmd, listForms()...)
	return cmd
}

// newEDIDictionaryShowCommand is `tradepost edi dictionary show`.
func newEDIDictionaryShowCommand(env *Env) *cobra.Command {
	var checks ediChecks
	var all bool
	cmd := &cobra.Command{
		Use:   "show NAME [SEGMENT]",
		Short: "Show the tree of a guide, or a segment with its elements and codes",
		Long: `NAME is a guide, as in x12/004010/850, or with a SEGMENT also a dictionary, as in
x12/004010. Behind each segment of a guide stands whether it is mandatory (M) or
optional (O), and how often it may occur.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := checks.options(cmd)
			if err != nil {
				return err
			}
			g, err := o.Catalog.Guide(args[0])
			switch {
			case errors.Is(err, schema.ErrNotFound) && len(args) == 2:
				d, derr := o.Catalog.Dictionary(args[0])
				if derr != nil {
					return exit(ExitNotFound, "there is no guide and no dictionary %s", args[0])
				}
				return showSegments(env.Stdout, args[0], args[1], []*schema.Segment{d.Segment(schema.MakeTag(args[1]))}, all)
			case errors.Is(err, schema.ErrNotFound):
				return exit(ExitNotFound, "there is no guide %s; see edi dictionary list", args[0])
			case err != nil:
				return &ExitError{Code: ExitConfig, Err: err}
			case len(args) == 1:
				return showGuide(env.Stdout, g)
			}
			return showSegments(env.Stdout, args[0], args[1], segmentsOf(g, schema.MakeTag(args[1])), all)
		},
	}
	cmd.Flags().StringVar(&checks.dictionary, "dictionary", "", "`DIR` with .dictionary and .guide files, used before the shipped ones")
	cmd.Flags().BoolVar(&all, "all", false, "show every code, not the first 20 of each element")
	return cmd
}

// showGuide prints the tree of a guide.
func showGuide(w io.Writer, g *schema.Guide) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n%s %s, dictionary %s", g.Name, g.Title, g.Standard, g.Version, g.Dictionary.Name)
	if g.BasedOn != "" {
		fmt.Fprintf(&b, ", based on %s", g.BasedOn)
	}
	b.WriteString("\n\n")
	showLoop(&b, g.Root, 0)
	_, err := io.WriteString(w, b.String())
	return err
}

func showLoop(b *strings.Builder, l *schema.Loop, depth int) {
	for i := range l.Nodes {
		n := &l.Nodes[i]
		name, title := n.Tag.String(), n.Segment.Name
		if n.Loop != nil {
			name, title = "loop "+n.Loop.Name, n.Loop.Title
		}
		if n.Title != "" {
			title = n.Title
		}
		use := "O"
		switch {
		case n.Forbidden:
			use = "-"
		case n.Min > 0:
			use = "M"
		}
		times := "*"
		if n.Max > 0 {
			times = fmt.Sprint(n.Max)
		}
		in := strings.Repeat("  ", depth)
		fmt.Fprintf(b, "%s%-*s %s %-6s %s\n", in, max(24-len(in), 4), name, use, times, title)
		if n.Loop == nil {
			continue
		}
		for j := range n.Loop.Levels {
			level := &n.Loop.Levels[j]
			fmt.Fprintf(b, "%s  level %s %s\n", in, level.Code, level.Title)
			showLoop(b, level.Loop, depth+2)
		}
		if len(n.Loop.Levels) == 0 {
			showLoop(b, n.Loop, depth+1)
		}
	}
}

// segmentsOf lists the different layouts a segment has in a guide.
func segmentsOf(g *schema.Guide, tag schema.Tag) []*schema.Segment {
	var out []*schema.Segment
	seen := map[*schema.Segment]bool{}
	var collect func(*schema.Loop)
	collect = func(l *schema.Loop) {
		for i := range l.Nodes {
			n := &l.Nodes[i]
			if n.Loop == nil && n.Tag == tag && !seen[n.Segment] {
				seen[n.Segment] = true
				out = append(out, n.Segment)
			}
			if n.Loop != nil && len(n.Loop.Levels) == 0 {
				collect(n.Loop)
			}
			for j := 0; n.Loop != nil && j < len(n.Loop.Levels); j++ {
				collect(n.Loop.Levels[j].Loop)
			}
		}
	}
	collect(g.Root)
	if len(out) == 0 {
		out = append(out, g.Dictionary.Segment(tag))
	}
	return out
}

// showSegments prints the layouts of a segment.
func showSegments(w io.Writer, where, name string, list []*schema.Segment, all bool) error {
	var b strings.Builder
	for i, s := range list {
		if s == nil {
			return exit(ExitNotFound, "%s has no segment %s", where, name)
		}
		if i > 0 {
			b.WriteString("\nelsewhere in this guide:\n")
		}
		fmt.Fprintf(&b, "%s  %s\n", s.Tag, s.Name)
		showUses(&b, s.Uses, 1, all)
		for _, n := range s.Notes {
			fmt.Fprintf(&b, "  syntax note %s\n", n)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func showUses(b *strings.Builder, uses []schema.Use, depth int, all bool) {
	in := strings.Repeat("  ", depth)
	for i := range uses {
		u := &uses[i]
		use := "O"
		switch {
		case u.Forbidden:
			use = "-"
		case u.Required:
			use = "M"
		}
		kind := fmt.Sprintf("%s %d..%d", u.Type, u.Min, u.Max)
		if u.Composite != nil {
			kind = "composite"
		}
		repeat := ""
		if u.Repeat > 1 {
			repeat = fmt.Sprintf(" x%d", u.Repeat)
		}
		fmt.Fprintf(b, "%s%02d %-5s %s %-12s %s%s\n", in, i+1, u.Ref, use, kind, u.Name, repeat)
		if u.Composite != nil {
			showUses(b, u.Composite.Uses, depth+1, all)
			continue
		}
		codes := u.Codes.List()
		for j, c := range codes {
			if j == 20 && !all {
				fmt.Fprintf(b, "%s      ... %d more, --all shows them\n", in, len(codes)-j)
				break
			}
			fmt.Fprintf(b, "%s      %-6s %s\n", in, c.Value, c.Name)
		}
		if u.Codes.Len() > 0 && u.Codes.Open {
			fmt.Fprintf(b, "%s      and others\n", in)
		}
	}
}
