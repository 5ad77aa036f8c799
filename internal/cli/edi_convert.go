package cli

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"tradepost/edi"
	"tradepost/edi/tree"

	"github.com/spf13/cobra"
)

// newEDIConvertCommand is `tradepost edi convert`.
func newEDIConvertCommand(env *Env) *cobra.Command {
	var checks ediChecks
	var to string
	cmd := &cobra.Command{
		Use:   "convert FILE|-",
		Short: "Turn EDI into JSON and back",
		Long: `--to json writes the document tree: loops and segments by name, elements by
position and name. --to edi takes such a tree and gives back the very bytes it was
made from, or what it says after it was edited. --to jsonl writes a line for each
document, for other programs. Documents need not be valid.`,
		Args: want("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := checks.options(cmd)
			if err != nil {
				return err
			}
			return withInput(env, args[0], func(in io.Reader) error {
				switch to {
				case formJSON:
					return unreadable(tree.WriteJSON(cmd.Context(), env.Stdout, in, o))
				case formJSONL:
					return unreadable(tree.WriteLines(cmd.Context(), env.Stdout, in, o))
				case "edi":
					return unreadable(toEDI(env.Stdout, in))
				}
				return usage(cmd, fmt.Errorf("--to %s is not known: write json, jsonl or edi", to))
			})
		},
	}
	checks.flags(cmd, false)
	cmd.Flags().StringVar(&to, "to", "", "`FORM` to write: json, jsonl or edi")
	if err := cmd.MarkFlagRequired("to"); err != nil {
		panic(err) // the flag was added one line above
	}
	return cmd
}

// toEDI writes EDI from a tree in JSON; EDI goes through as it is.
func toEDI(w io.Writer, in io.Reader) error {
	r := bufio.NewReader(in)
	for n := 1; ; n++ {
		head, err := r.Peek(n)
		if rest := bytes.TrimSpace(head); len(rest) > 0 {
			if rest[0] == '{' {
				return tree.WriteEDI(w, r)
			}
			break
		}
		if err != nil || n == r.Size() {
			break
		}
	}
	out := edi.NewWriter(w, edi.Delimiters{}, edi.WriterOptions{})
	if err := edi.Copy(out, edi.NewReader(r, edi.Options{})); err != nil {
		return err
	}
	return out.Flush()
}
