package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tradepost/internal/config"
	"tradepost/internal/demo"

	"github.com/spf13/cobra"
)

func newDemoCommand(env *Env) *cobra.Command {
	var (
		o      demo.Options
		output string
	)
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Play a whole trade between two stations on this machine",
		Example: `  tradepost demo
  tradepost demo --once -o jsonl
  tradepost demo --document order.edi`,
		Long: `Starts two stations on this machine, each with its own keys, store and AS2
listener, and lets them trade: an order, its acknowledgement, a shipment the
other way, and an order with a fault that comes back as a rejection naming the
segment and element. Prints each event as it happens.`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			switch output {
			case "text", "table":
			case "json", "jsonl":
				o.JSONL = true
			default:
				return usage(cmd, fmt.Errorf("output %q: use text or jsonl", output))
			}
			if o.Executable, err = executable(); err != nil {
				return fmt.Errorf("find this program to start the stations with: %w", err)
			}
			o.Stdout, o.Stderr, o.Now = env.Stdout, env.Stderr, env.Now
			o.ConsoleLink = func(ctx context.Context, file string) (string, error) { return stationLink(ctx, env, file) }
			err = demo.Run(cmd.Context(), o)
			if errors.Is(err, demo.ErrExpectation) {
				return &ExitError{Code: ExitFailed, Err: err}
			}
			return err
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.Once, "once", false, "end when the trade is done; exit code 0 only if all of it came true")
	f.BoolVar(&o.Keep, "keep", false, "leave the stations' data and tell how to serve them")
	f.StringVar(&o.Dir, "data", "", "`DIR` for the stations; one of an earlier run goes on where it stopped")
	f.StringVar(&o.Document, "document", "", "`FILE` with a real 850 to trade in place of the built-in one")
	f.DurationVar(&o.Timeout, "timeout", 2*time.Minute, "how long the whole trade may take")
	f.StringVarP(&output, "output", "o", "text", "`FORMAT` of the events: text or jsonl")
	return cmd
}

// stationLink makes a one-time link to the console of a configuration.
func stationLink(ctx context.Context, env *Env, file string) (link string, err error) {
	cfg, err := config.Load(file, config.Overrides{NoFiles: true})
	if err != nil {
		return "", err
	}
	store, err := env.OpenStore(ctx, cfg)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	path, err := env.ConsoleLink(ctx, cfg, store, "operator")
	return "http://" + reachable(cfg.Listen.Admin) + path, err
}
