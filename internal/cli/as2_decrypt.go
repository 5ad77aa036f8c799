package cli

import (
	"fmt"

	"tradepost/as2"

	"github.com/spf13/cobra"
)

func newAS2DecryptCommand(env *Env) *cobra.Command {
	var (
		id    identity
		out   string
		limit int64
	)
	cmd := &cobra.Command{
		Use:     "decrypt FILE.p7m",
		Short:   "Decrypt or decompress a bare CMS structure",
		Example: `  tradepost as2 decrypt order.p7m --cert own.crt --key own.key --out order.edi`,
		Long: `Opens a CMS EnvelopedData, AuthEnvelopedData or CompressedData in BER, DER or
base64 and writes the content. Nothing is written before all of it was checked.
Every fault in the content is answered with the same words.`,
		Args: want("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := id.own(env)
			if err != nil {
				return err
			}
			f, err := openInput(env.Stdin, args[0])
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }() // only read from
			u, err := as2.Unwrap(cmd.Context(), f, keys, as2.ReceiveOptions{
				Rand: env.Random, Limits: as2.Limits{Payload: limit},
			})
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			defer func() { _ = u.Close() }() // only frees the spool
			return env.writeOutput(out, copyPayload(u.Payload))
		},
	}
	id.flags(cmd, false)
	cmd.Flags().StringVar(&out, "out", "-", "write the content to `FILE` instead of standard output")
	cmd.Flags().Int64Var(&limit, "max-size", 0, "largest content in `BYTES` (default 16 GiB)")
	return cmd
}
