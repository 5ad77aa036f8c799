package cli

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"tradepost/edi/mapping"

	"github.com/spf13/cobra"
)

// checkedMap is what edi map check -o json prints of one map.
type checkedMap struct {
	File     string       `json:"file"`
	Name     string       `json:"name"`
	Valid    bool         `json:"valid"`
	BothWays bool         `json:"both_ways"`
	Problems []mapProblem `json:"problems"`
	Forward  []mapProblem `json:"forward_only"` // lines that cannot run backward
}

type mapProblem struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Text   string `json:"text"`
	Hint   string `json:"hint,omitempty"`
}

func newEDIMapCheckCommand(env *Env) *cobra.Command {
	var checks ediChecks
	var out output
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Check maps against the guides and forms they name",
		Long: `Looks every path, code, expression and table of a map up on both sides and tells
all mistakes at once, each with its line. Lines that run forward only are told,
too. The exit code is 7 when a map has a mistake.`,
		Example: `  tradepost edi map check orders.yaml
  tradepost edi map check orders.yaml invoices.yaml --dictionary dictionaries -o json`,
		Args: func(cmd *cobra.Command, args []string) error { return want("FILE")(cmd, args[:min(len(args), 1)]) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			o, err := checks.options(cmd)
			if err != nil {
				return err
			}
			library := mapping.NewLibrary(o.Catalog)
			results := []checkedMap{}
			bad := 0
			for _, name := range args {
				c, err := checkMap(env, library, name, out.format != formJSON)
				if err != nil {
					return err
				}
				if results = append(results, c); !c.Valid {
					bad++
				}
			}
			if out.format == formJSON {
				if err := writeJSON(env.Stdout, results); err != nil {
					return err
				}
			}
			if bad > 0 {
				return &ExitError{Code: ExitConfig}
			}
			return nil
		},
	}
	dictionaryFlag(cmd, &checks.dictionary)
	out.flag(cmd, "text", formJSON)
	return cmd
}

// checkMap loads one map and tells about it.
func checkMap(env *Env, l *mapping.Library, name string, words bool) (checkedMap, error) {
	c := checkedMap{File: name, Problems: []mapProblem{}, Forward: []mapProblem{}}
	tree, file, err := onDisk(name)
	if err != nil {
		return c, err
	}
	if info, err := fs.Stat(tree, file); err != nil || info.IsDir() {
		return c, exit(ExitNotFound, "there is no file %s", name)
	}
	m, err := l.Load(tree, file)
	if bad := problemsOf(err); bad != nil {
		if words {
			showProblems(env, tree, file, name, bad)
		}
		c.Problems = problemRows(bad, file, name)
		return c, nil
	}
	if err != nil {
		return c, err
	}
	standing := m.Standing()
	c.Name, c.Valid, c.BothWays = m.Name(), true, len(standing) == 0
	c.Forward = problemRows(standing, file, name)
	if words {
		ways := "both ways"
		if len(standing) > 0 {
			ways = "forward only"
		}
		if _, err := fmt.Fprintf(env.Stdout, "%s: map %s is in order; it runs %s: %s and %s\n", name, m.Name(), ways, sideWords(m.From()), sideWords(m.To())); err != nil {
			return c, err
		}
		showProblems(env, tree, file, name, standing)
	}
	return c, nil
}

func problemRows(list []mapping.Problem, file, name string) []mapProblem {
	rows := []mapProblem{}
	for _, p := range list {
		rows = append(rows, mapProblem{shownName(p.File, file, name), p.Line, p.Column, p.Text, p.Hint})
	}
	return rows
}

// shownName gives a file the name the operator knows it by.
func shownName(problem, file, name string) string {
	if problem == file {
		return name
	}
	return problem
}

// showProblems prints each mistake with its line and a mark below the place.
func showProblems(env *Env, tree fs.FS, file, name string, list []mapping.Problem) {
	texts := map[string][]string{}
	for _, p := range list {
		where := shownName(p.File, file, name)
		if p.Line == 0 {
			env.say("%s: %s", where, p.Text)
		} else {
			env.say("%s:%d:%d: %s", where, p.Line, p.Column, p.Text)
		}
		lines, ok := texts[p.File]
		if !ok {
			at := p.File
			if at != file {
				at = path.Join(path.Dir(file), p.File)
			}
			if text, err := fs.ReadFile(tree, at); err == nil {
				lines = strings.Split(string(bytes.ToValidUTF8(text, []byte("\u00b7"))), "\n")
			}
			texts[p.File] = lines
		}
		if p.Line > 0 && p.Line <= len(lines) {
			line, mark := markedLine(lines[p.Line-1], p.Column)
			number := fmt.Sprintf("%5d", p.Line)
			env.say("%s | %s\n%s | %s", number, line, strings.Repeat(" ", len(number)), mark)
		}
		if p.Hint != "" {
			env.say("        %s", p.Hint)
		}
	}
}

// markedLine cuts a line around a column and puts a mark below it.
func markedLine(line string, column int) (text, mark string) {
	const before, behind = 70, 50
	runes := []rune(plain(strings.ReplaceAll(line, "\t", " ")))
	at := min(max(column-1, 0), len(runes))
	from, to := max(0, at-before), min(len(runes), at+behind)
	head, tail := "", ""
	if from > 0 {
		head = "..."
	}
	if to < len(runes) {
		tail = "..."
	}
	return head + string(runes[from:to]) + tail, strings.Repeat(" ", len(head)+at-from) + "^"
}

// isMapFile tells the file of a map from the name of a shipped one.
func isMapFile(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".yaml" || ext == ".yml"
}
