package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"tradepost/internal/config"
	"tradepost/internal/doctor"
	"tradepost/internal/gateway"
	"tradepost/partners"

	"github.com/spf13/cobra"
)

func newDoctorCommand(env *Env) *cobra.Command {
	var (
		st     station
		out    output
		online bool
	)
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look a station over: configuration, keys, store, ports, folders, clock",
		Example: `  tradepost doctor --config my-station/tradepost.yaml
  tradepost doctor --online -o json`,
		Long: `Look a station over and say what to do. It can be run before the first start
and beside a running station. Exit code 0: nothing fails (there may be
warnings); 1: something fails; 7: the configuration is invalid.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			cfg, err := st.loadForStore(env)
			if err != nil {
				var invalid *config.Error
				if errors.As(err, &invalid) && out.format != formTable {
					return errors.Join(writeFindings(env, out.format, configFindings(invalid)), &ExitError{Code: ExitConfig, Err: err})
				}
				return err
			}
			d := &doctor.Doctor{
				Config: cfg, Now: env.Now, Online: online, Client: &http.Client{},
				OpenStore: func(ctx context.Context) (doctor.Store, error) { return env.OpenStore(ctx, cfg) },
				Reach: func(ctx context.Context, c partners.Connection) (*http.Response, error) {
					return gateway.Reach(ctx, cfg, c)
				},
				Documents: func() ([]doctor.Text, error) { return documentTexts(cfg) },
			}
			findings := d.Run(cmd.Context())
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if err := writeFindings(env, out.format, findings); err != nil {
				return err
			}
			if doctor.Worst(findings) == doctor.Fail {
				return exit(ExitFailed, "something is wrong with station %s: see the lines marked fail", cfg.Directory.Station().Name)
			}
			return nil
		},
	}
	st.flags(env, cmd)
	cmd.Flags().BoolVar(&online, "online", false, "also call the partners")
	out.flag(cmd, formTable, formJSON, formJSONL)
	return cmd
}

// documentTexts loads what documents are checked and mapped by, and lists what
// is in the station's folder of dictionaries.
func documentTexts(cfg *config.Config) ([]doctor.Text, error) {
	texts, err := gateway.CheckDocuments(cfg)
	out := make([]doctor.Text, len(texts))
	for i, t := range texts {
		out[i] = doctor.Text(t)
	}
	return out, err
}

// configFindings shows a configuration that does not hold as findings.
func configFindings(e *config.Error) []doctor.Finding {
	var out []doctor.Finding
	for _, p := range e.Problems {
		text := p.Text
		if p.Line > 0 {
			text = fmt.Sprintf("line %d: %s: %s", p.Line, p.Path, p.Text)
		}
		out = append(out, doctor.Finding{Check: "config", Status: doctor.Fail, Text: text, Advice: p.Hint})
	}
	return out
}

func writeFindings(env *Env, format string, findings []doctor.Finding) error {
	if format != formTable {
		return writeList(env.Stdout, format, nil, findings)
	}
	for _, f := range findings {
		lines := strings.Split(f.Text, "\n")
		for i, line := range lines {
			if lines[i] = plain(line); i > 0 {
				lines[i] = strings.Repeat(" ", 20) + lines[i] // an excerpt keeps its shape
			}
		}
		if _, err := fmt.Fprintf(env.Stdout, "%-4s  %-12s  %s\n", f.Status, f.Check, strings.Join(lines, "\n")); err != nil {
			return err
		}
		if f.Advice == "" {
			continue
		}
		if _, err := fmt.Fprintf(env.Stdout, "%20s-> %s\n", "", plain(f.Advice)); err != nil {
			return err
		}
	}
	return nil
}
