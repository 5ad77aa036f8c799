package cli

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"
)

// output is the form in which a command prints its data.
type output struct {
	format string
	forms  []string
}

// Forms of output.
const (
	formTable = "table"
	formJSON  = "json"
	formJSONL = "jsonl"
	formCSV   = "csv"
)

// listForms are what every list offers; the first is the default.
func listForms() []string { return []string{formTable, formJSON, formJSONL, formCSV} }

// flag adds -o to cmd; the first form is the default.
func (o *output) flag(cmd *cobra.Command, forms ...string) {
	o.forms = forms
	cmd.Flags().StringVarP(&o.format, "output", "o", forms[0], "`FORM` of the output: "+strings.Join(forms, ", "))
}

// check refuses a form the command does not have.
func (o *output) check(cmd *cobra.Command) error {
	if slices.Contains(o.forms, o.format) {
		return nil
	}
	return usage(cmd, fmt.Errorf("-o %s is not known: write one of %s", o.format, strings.Join(o.forms, ", ")))
}

// column is one column of a list. Text is for people; Machine, where it is
// set, is what CSV carries instead.
type column[T any] struct {
	Name    string
	Text    func(T) string
	Machine func(T) string
}

// writeList prints items in the form asked for.
func writeList[T any](w io.Writer, format string, columns []column[T], items []T) error {
	switch format {
	case formJSON:
		if items == nil {
			items = []T{}
		}
		return writeJSON(w, items)
	case formJSONL:
		return writeJSONL(w, items)
	case formCSV:
		return writeCSV(w, columns, items)
	}
	return writeTable(w, columns, items)
}

// writeJSON prints v indented, on lines of its own.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// writeJSONL prints an item a line.
func writeJSONL[T any](w io.Writer, items []T) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, it := range items {
		if err := enc.Encode(it); err != nil {
			return err
		}
	}
	return nil
}

func writeCSV[T any](w io.Writer, columns []column[T], items []T) error {
	out := csv.NewWriter(w)
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = strings.ToLower(c.Name)
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for _, it := range items {
		for i, c := range columns {
			if c.Machine != nil {
				row[i] = c.Machine(it)
			} else {
				row[i] = c.Text(it)
			}
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func writeTable[T any](w io.Writer, columns []column[T], items []T) error {
	if len(items) == 0 {
		return nil
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = strings.ToUpper(c.Name)
	}
	lines := [][]string{slices.Clone(cells)}
	for _, it := range items {
		for i, c := range columns {
			cells[i] = plain(c.Text(it))
		}
		lines = append(lines, slices.Clone(cells))
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(out, strings.TrimRight(strings.Join(l, "\t"), "\t")); err != nil {
			return err
		}
	}
	return out.Flush()
}

// plain makes foreign text fit for a terminal: what controls one becomes a
// replacement character.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// clock shows a time to a person, in the zone of the machine.
func (e *Env) clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(e.Now().Location()).Format("2006-01-02 15:04:05")
}

// stamp writes a time for a program.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
