package cli

import (
	"fmt"
	"io"
	"runtime"

	"tradepost/edi/validate"

	"github.com/spf13/cobra"
)

// ediPrinter prints a report while the input is read.
type ediPrinter interface {
	// hooks sets the functions of o that feed the printer.
	hooks(o *validate.Options)
	// finish ends the output.
	finish(r *validate.Report) error
}

// newEDIValidateCommand is `tradepost edi validate`.
func newEDIValidateCommand(env *Env) *cobra.Command {
	var checks ediChecks
	var out output
	var limit int
	cmd := &cobra.Command{
		Use:   "validate FILE|-",
		Short: "Check interchanges, groups and documents, and name every fault",
		Long: `Checks envelopes, structure, elements, codes, dates and syntax notes in one walk
and names every fault by the code an acknowledgement would carry. What the
tolerant profile lets pass is a warning that names its rule. A document type
without a guide is checked by its envelope only.

The exit code is 0 when everything is accepted and 3 when it is not.`,
		Example: `  tradepost edi validate order.edi
  tradepost edi validate - --profile strict -o json < order.edi
  tradepost edi validate order.edi --guide acme-orders.guide
  tradepost edi validate orders.edi --dictionary dictionaries --except leading-zeros`,
		Args: want("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			if limit < 1 {
				return usage(cmd, fmt.Errorf("--max-issues %d: at least 1", limit))
			}
			o, err := checks.options(cmd)
			if err != nil {
				return err
			}
			return withInput(env, args[0], func(in io.Reader) error {
				var p ediPrinter = &ediText{w: env.Stdout, limit: limit}
				if out.format == formJSON {
					p = &ediJSON{w: env.Stdout, limit: limit}
				}
				o.Stream, o.MaxIssues, o.Workers = true, limit, runtime.GOMAXPROCS(0)
				p.hooks(&o)
				report, err := validate.Validate(cmd.Context(), in, o)
				if err != nil {
					return err
				}
				if err := p.finish(report); err != nil {
					return err
				}
				if !report.Accepted {
					return &ExitError{Code: ExitInvalid}
				}
				return nil
			})
		},
	}
	checks.flags(cmd, true)
	out.flag(cmd, "text", formJSON)
	cmd.Flags().IntVar(&limit, "max-issues", 10000, "`NUMBER` of issues to print; the others are counted")
	return cmd
}
