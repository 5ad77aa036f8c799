package cli

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"tradepost/internal/config"

	"github.com/spf13/cobra"
)

// consoleWait bounds the question whether a station is running.
const consoleWait = 2 * time.Second

func newConsoleCommand(env *Env) *cobra.Command {
	var (
		st   station
		user string
	)
	cmd := &cobra.Command{
		Use:     "console",
		Short:   "Print a one-time link into the console of a running station",
		Example: `  tradepost console --config my-station/tradepost.yaml`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return st.withStore(cmd, env, func(cfg *config.Config, s Store) error {
				base := "http://" + reachable(cfg.Listen.Admin)
				if err := alive(cmd.Context(), base); err != nil {
					return exit(ExitUnreachable, "the console of station %s does not answer at %s: %w\nstart the station with `tradepost serve --config %s`", cfg.Directory.Station().Name, base, err, st.file)
				}
				link, err := env.ConsoleLink(cmd.Context(), cfg, s, user)
				if err != nil {
					return fmt.Errorf("make a link into the console: %w", err)
				}
				_, err = fmt.Fprintln(env.Stdout, base+link)
				return err
			})
		},
	}
	st.flags(env, cmd)
	cmd.Flags().StringVar(&user, "user", "operator", "`NAME` that stands in the record of what is done with the link")
	return cmd
}

// reachable turns an address to listen on into one to call: every address of
// the machine becomes the loopback one.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// alive asks a station whether it is there.
func alive(ctx context.Context, base string) error {
	ctx, cancel := context.WithTimeout(ctx, consoleWait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/livez", nil)
	if err != nil {
		return err
	}
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET /livez answers %s", res.Status)
	}
	return nil
}
