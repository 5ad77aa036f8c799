package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tradepost/edi/mapping"
	"tradepost/edi/schema"

	"github.com/spf13/cobra"
)

// newEDIMapCommand is `tradepost edi map`.
func newEDIMapCommand(env *Env) *cobra.Command {
	return group(&cobra.Command{
		Use:   "map",
		Short: "Maps between EDI and JSON, XML or CSV: list, show, check and test",
		Long: `A map says in YAML which element of a document goes to which field of a form, and
works both ways. Shipped are maps for orders, responses, shipments and invoices in
X12 and EDIFACT; edi map show prints one as a beginning for your own.`,
	},
		newEDIMapListCommand(env),
		newEDIMapShowCommand(env),
		newEDIMapCheckCommand(env),
		newEDIMapTestCommand(env),
	)
}

// onDisk finds a file the operator named in a tree that holds what a map may
// name beside it.
func onDisk(name string) (tree fs.FS, file string, err error) {
	full, err := filepath.Abs(name)
	if err != nil {
		return nil, "", err
	}
	root := filepath.VolumeName(full) + string(filepath.Separator)
	return os.DirFS(root), filepath.ToSlash(strings.TrimPrefix(full, root)), nil
}

// openMap loads a shipped map by its name, or one from a file.
func openMap(env *Env, l *mapping.Library, name string) (*mapping.Map, error) {
	if !isMapFile(name) {
		m, err := l.Map(name)
		if errors.Is(err, mapping.ErrNotFound) {
			return nil, &ExitError{Code: ExitNotFound, Err: err}
		}
		return m, err
	}
	tree, file, err := onDisk(name)
	if err != nil {
		return nil, err
	}
	m, err := l.Load(tree, file)
	bad := problemsOf(err)
	switch {
	case bad != nil:
		showProblems(env, tree, file, name, bad)
		return nil, exit(ExitConfig, "map %s has %s", name, count(len(bad), "mistake"))
	case errors.Is(err, fs.ErrNotExist):
		return nil, exit(ExitNotFound, "there is no file %s", name)
	}
	return m, err
}

// mapRow is one line of edi map list.
type mapRow struct {
	Name     string   `json:"name"`
	Title    string   `json:"title"`
	From     []string `json:"from"`
	To       []string `json:"to"`
	BothWays bool     `json:"both_ways"`
}

func newEDIMapListCommand(env *Env) *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the maps that are shipped",
		Example: `  tradepost edi map list
  tradepost edi map list -o csv`,
		Args: want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			l := mapping.NewLibrary(schema.Shipped())
			var rows []mapRow
			for _, name := range l.Names() {
				m, err := l.Map(name)
				if err != nil {
					return err
				}
				rows = append(rows, mapRow{name, m.Title(), sideNames(m.From()), sideNames(m.To()), len(m.Standing()) == 0})
			}
			return writeList(env.Stdout, out.format, []column[mapRow]{
				{Name: "Name", Text: func(r mapRow) string { return r.Name }},
				{Name: "Title", Text: func(r mapRow) string { return r.Title }},
				{Name: "From", Text: func(r mapRow) string { return strings.Join(r.From, " ") }},
				{Name: "To", Text: func(r mapRow) string { return strings.Join(r.To, " ") }},
				{Name: "Both ways", Text: func(r mapRow) string {
					if r.BothWays {
						return "yes"
					}
					return "no"
				}},
			}, rows)
		},
	}
	out.flag(cmd, listForms()...)
	return cmd
}

func sideNames(s mapping.Side) []string {
	if s.IsEDI() {
		return s.Guides
	}
	return []string{s.Form.Name}
}

func newEDIMapShowCommand(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Print a shipped map, or the form it writes",
		Long: `Prints the text of a map (x12/850) or form (order) as it is shipped. Put it into a
file, change it, and give that file to edi map check and edi convert --map.`,
		Example: `  tradepost edi map show x12/850 > orders.yaml
  tradepost edi map show order`,
		Args: want("NAME"),
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := mapping.NewLibrary(schema.Shipped()).Text(args[0])
			if errors.Is(err, mapping.ErrNotFound) {
				return &ExitError{Code: ExitNotFound, Err: err}
			}
			if err == nil {
				_, err = env.Stdout.Write(text)
			}
			return err
		},
	}
}
