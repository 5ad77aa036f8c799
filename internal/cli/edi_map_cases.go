package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"tradepost/edi/mapping"
	"tradepost/edi/mapping/maptest"

	"github.com/spf13/cobra"
)

// testedCase is what edi map test -o json prints of one case.
type testedCase struct {
	File        string           `json:"file"`
	Map         string           `json:"map"`
	Title       string           `json:"title,omitempty"`
	Passed      bool             `json:"passed"`
	Error       string           `json:"error,omitempty"` // why it could not be run
	Differences []caseDifference `json:"differences"`
}

type caseDifference struct {
	Section string `json:"section"`
	Line    int    `json:"line"`
	Text    string `json:"text"`
}

func newEDIMapTestCommand(env *Env) *cobra.Command {
	var checks ediChecks
	var out output
	var update bool
	cmd := &cobra.Command{
		Use:   "test [DIR|FILE]...",
		Short: "Run the golden cases of maps",
		Long: `A case is a text file that ends in .case: an input, and what a map has to make of
it. Write the first two sections, let --update write the others, read them, and
keep the file:

  -- case --
  map: orders.yaml
  -- input --
  ST*850*0001~
  ...

A folder is searched for cases, the current one when none is named. What a map
does differently is shown line by line: - is missing, + is too much. The exit code
is 1 when a case fails.`,
		Example: `  tradepost edi map test maps
  tradepost edi map test order.case --update`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			o, err := checks.options(cmd)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				args = []string{"."}
			}
			files, err := caseFiles(args)
			if err != nil {
				return err
			}
			t := &caseTester{runner: maptest.NewRunner(o.Catalog), env: env, update: update, words: out.format != formJSON}
			for _, name := range files {
				if err := t.run(cmd, name); err != nil {
					return err
				}
			}
			if out.format == formJSON {
				if err := writeJSON(env.Stdout, t.results); err != nil {
					return err
				}
			} else if _, err := fmt.Fprintf(env.Stdout, "%s: %d passed, %d failed\n", count(len(files), "case"), len(files)-t.failed, t.failed); err != nil {
				return err
			}
			if t.failed > 0 {
				return &ExitError{Code: ExitFailed}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&update, "update", false, "write the sections of failing cases as the maps make them now")
	dictionaryFlag(cmd, &checks.dictionary)
	out.flag(cmd, "text", formJSON)
	return cmd
}

// caseFiles lists the cases in files and folders.
func caseFiles(names []string) ([]string, error) {
	var files []string
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, exit(ExitNotFound, "there is no file or folder %s", name)
		}
		if !info.IsDir() {
			files = append(files, name)
			continue
		}
		found, err := maptest.Find(os.DirFS(name), ".")
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			files = append(files, filepath.Join(name, filepath.FromSlash(f)))
		}
	}
	if len(files) == 0 {
		return nil, exit(ExitNotFound, "there is no %s file in %s", maptest.Ext, strings.Join(names, ", "))
	}
	return files, nil
}

// caseTester runs cases and tells about them.
type caseTester struct {
	runner        *maptest.Runner
	env           *Env
	update, words bool
	results       []testedCase
	failed        int
}

func (t *caseTester) run(cmd *cobra.Command, name string) error {
	row := testedCase{File: name, Differences: []caseDifference{}}
	tree, file, err := onDisk(name)
	if err != nil {
		return err
	}
	c, err := maptest.Read(tree, file)
	var result *maptest.Result
	if err == nil {
		row.Map, row.Title = c.Map, c.Title
		result, err = t.runner.Run(cmd.Context(), c)
	}
	verdict := "ok  "
	switch {
	case cmd.Context().Err() != nil:
		return cmd.Context().Err()
	case err != nil:
		row.Error = strings.ReplaceAll(err.Error(), file, name)
	case result.Passed():
		row.Passed = true
	case t.update:
		if err := t.env.writeOutput(name, func(w io.Writer) error {
			_, err := w.Write(result.Updated())
			return err
		}); err != nil {
			return err
		}
		row.Passed, verdict = true, "new "
	}
	if result != nil {
		for _, d := range result.Differences {
			row.Differences = append(row.Differences, caseDifference{d.Section, d.Line, d.Text})
		}
	}
	if !row.Passed {
		t.failed++
		verdict = "FAIL"
	}
	t.results = append(t.results, row)
	if !t.words {
		return nil
	}
	return t.tell(row, verdict)
}

func (t *caseTester) tell(row testedCase, verdict string) error {
	_, err := fmt.Fprintf(t.env.Stdout, "%s  %s  %s\n", verdict, row.File, plain(row.Title))
	if row.Error != "" {
		_, err = fmt.Fprintf(t.env.Stdout, "      %s\n", plain(row.Error))
	}
	if row.Passed {
		return err
	}
	for _, d := range row.Differences {
		where := row.File
		if d.Line > 0 {
			where = fmt.Sprintf("%s:%d", row.File, d.Line)
		}
		_, err = fmt.Fprintf(t.env.Stdout, "      %s: %s is not as expected (- missing, + too much)\n", where, d.Section)
		for l := range strings.Lines(d.Text) {
			_, err = fmt.Fprintf(t.env.Stdout, "        %s\n", plain(strings.TrimRight(l, "\r\n")))
		}
	}
	return err
}

// problemsOf takes the mistakes out of an error of loading.
func problemsOf(err error) []mapping.Problem {
	var bad *mapping.LoadError
	if errors.As(err, &bad) {
		return bad.Problems
	}
	return nil
}
