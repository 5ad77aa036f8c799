package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"tradepost/internal/config"
	"tradepost/internal/gateway"
	"tradepost/internal/observe"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func newServeCommand(env *Env) *cobra.Command {
	var (
		st         station
		withParent bool
	)
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Run a station: listeners, queue, console",
		Example: `  tradepost serve --config my-station/tradepost.yaml`,
		Long: `Runs the station of a configuration until it is told to stop (Ctrl-C or
SIGTERM); then it finishes what is in hand. Started again it goes on where it
stopped, however it stopped.

New keys and certificates are taken up while it runs: it looks for them every
monitor.every, and at once when it gets SIGHUP. Everything else that changes in
the configuration counts from the next start.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := st.load(env)
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			if withParent {
				var stop context.CancelFunc
				ctx, stop = untilEOF(ctx, env.Stdin)
				defer stop()
			}
			return serve(ctx, env, cfg, func() (*config.Config, error) { return st.loadForStore(env) })
		},
	}
	st.flags(env, cmd)
	cmd.Flags().BoolVar(&withParent, "exit-with-parent", false, "stop when standard input ends, for programs that start a station")
	return cmd
}

// serve runs the station of a configuration until ctx ends. reload reads the
// configuration again.
func serve(ctx context.Context, env *Env, cfg *config.Config, reload func() (*config.Config, error)) (err error) {
	_, plain := env.LookupEnv("NO_COLOR")
	log, err := observe.NewLogger(env.Stderr, observe.Format(cfg.Logs.Format), cfg.Logs.Level, isTerminal(env.Stderr) && !plain)
	if err != nil {
		return err
	}
	g, err := gateway.New(ctx, cfg, gateway.Options{Log: log, Now: env.Now, Random: env.Random, Version: version().Version, Reload: reload})
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := g.Close(); err == nil {
			err = closeErr
		}
	}()
	defer onHangup(ctx, g.Reload)()
	return g.Run(ctx)
}

// onHangup calls do at each SIGHUP until the returned function is called.
func onHangup(ctx context.Context, do func(context.Context) error) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangups:
				_ = do(ctx) // the log has it
			}
		}
	}()
	return func() {
		signal.Stop(hangups)
		cancel()
		<-done
	}
}

// untilEOF ends the context when a stream ends: a child whose parent dies
// reads the end of its standard input, whatever the parent died of.
func untilEOF(ctx context.Context, r io.Reader) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, r)
		cancel()
	}()
	return ctx, cancel
}

// executable returns the path of this program, for starting it again.
func executable() (string, error) { return os.Executable() }

// isTerminal tells whether a stream goes to a person's terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
