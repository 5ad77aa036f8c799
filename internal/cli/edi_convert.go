package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"tradepost/edi"
	"tradepost/edi/mapping"
	"tradepost/edi/tree"

	"github.com/spf13/cobra"
)

// convertForms are what edi convert writes.
func convertForms() []string { return []string{formJSON, formJSONL, "xml", formCSV, "edi"} }

// newEDIConvertCommand is `tradepost edi convert`.
func newEDIConvertCommand(env *Env) *cobra.Command {
	var checks ediChecks
	var to string
	var m mapConversion
	cmd := &cobra.Command{
		Use:   "convert FILE|-",
		Short: "Turn EDI into JSON, XML or CSV and back, as it is or through a map",
		Long: `Without --map the whole of the input is shown: --to json writes the document
tree, loops and segments by name, elements by position and name, --to xml the same
tree as XML, and --to edi takes either and gives back the very bytes it was made
from, or what it says after it was edited. --to jsonl writes a line for each
document and --to csv a row for each value, for other programs. Documents need not
be valid.

With --map documents are turned into the form of a map, JSON, XML or CSV, or from
it into EDI. The way is told by the input: EDI or not. Two maps with the same form
turn one kind of EDI into the other.

An interchange that is written needs --sender, --receiver and --control; parties
are those of the input when it is EDI. --bare writes documents without envelope.

What goes wrong with one document is told on standard error, with the place in the
input and in the map, and leaves the others alone. So are values that no line of
the map carries. The exit code is 3 when a document was not valid or not mapped.`,
		Example: `  tradepost edi convert order.edi --to json > order.json
  tradepost edi convert order.json --to edi
  tradepost edi convert order.edi --to json --map x12/850
  tradepost edi convert order.csv --to edi --map orders.yaml --sender ZZ:BUYER --receiver ZZ:SUPPLIER --control 17
  tradepost edi convert order.x12 --map x12/850 --map edifact/ORDERS --to edi \
      --sender 14:4012345000009 --receiver 14:4054321000001 --control 17`,
		Args: want("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(convertForms(), to) {
				if to == "" {
					return usage(cmd, errors.New("--to is missing: write json, jsonl, xml, csv or edi"))
				}
				return usage(cmd, fmt.Errorf("--to %s is not known: write json, jsonl, xml, csv or edi", to))
			}
			if err := m.check(cmd); err != nil {
				return err
			}
			o, err := checks.options(cmd)
			if err != nil {
				return err
			}
			return withInput(env, args[0], func(in io.Reader) error {
				switch {
				case len(m.maps) > 0:
					return m.run(cmd, env, in, mapping.Format(to), o)
				case to == formJSON:
					return unreadable(tree.WriteJSON(cmd.Context(), env.Stdout, in, o))
				case to == formJSONL:
					return unreadable(tree.WriteLines(cmd.Context(), env.Stdout, in, o))
				case to == "xml":
					return unreadable(tree.WriteXML(cmd.Context(), env.Stdout, in, o))
				case to == formCSV:
					return unreadable(tree.WriteCSV(cmd.Context(), env.Stdout, in, o))
				}
				return unreadable(toEDI(env.Stdout, in))
			})
		},
	}
	checks.flags(cmd, false)
	cmd.Flags().StringVar(&to, "to", "", "`FORM` to write: json, jsonl, xml, csv or edi")
	m.flags(cmd)
	return cmd
}

// peekText looks at the beginning of an input without its byte order mark and
// white space.
func peekText(r *bufio.Reader) ([]byte, error) {
	head, err := r.Peek(r.Size())
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the input: %w", err)
	}
	return bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"), nil
}

// toEDI writes EDI from a tree in JSON or XML; EDI goes through as it is.
func toEDI(w io.Writer, in io.Reader) error {
	r := bufio.NewReader(in)
	head, err := peekText(r)
	switch {
	case err != nil:
		return err
	case bytes.HasPrefix(head, []byte("{")):
		return tree.WriteEDI(w, r)
	case bytes.HasPrefix(head, []byte("<")):
		return tree.WriteEDIFromXML(w, r)
	}
	out := edi.NewWriter(w, edi.Delimiters{}, edi.WriterOptions{})
	if err := edi.Copy(out, edi.NewReader(r, edi.Options{})); err != nil {
		return err
	}
	return out.Flush()
}
