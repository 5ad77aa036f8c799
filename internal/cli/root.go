package cli

import (
	"fmt"

	"tradepost/internal/config"

	"github.com/spf13/cobra"
)

// newRootCommand lists all commands, a line each.
func newRootCommand(env *Env) *cobra.Command {
	root := group(&cobra.Command{
		Use:   "tradepost",
		Short: "A gateway for EDI documents between trading partners",
		Long: `tradepost exchanges EDI documents with trading partners over AS2 and other
connectors, validates and acknowledges them, and keeps a record of everything.

Begin with ` + "`tradepost demo`" + ` to see two stations trade, or with
` + "`tradepost init`" + ` to make a station of your own.`,
		Version:       version().String(),
		SilenceUsage:  true,
		SilenceErrors: true,
	},
		newDemoCommand(env),
		newInitCommand(env),
		newServeCommand(env),
		newDoctorCommand(env),
		newDocumentCommand(env),
		newQueueCommand(env),
		newEDICommand(env),
		newAS2Command(env),
		newCertCommand(env),
		newConsoleCommand(env),
		newVersionCommand(env),
	)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	root.SetFlagErrorFunc(usage)
	root.SetVersionTemplate("{{.Version}}\n")
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	strict(root)
	return root
}

// group makes cmd a noun that only holds others: alone it prints its help, and
// a word it does not know is a usage error.
func group(cmd *cobra.Command, subs ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(subs...)
	cmd.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		text := fmt.Sprintf("there is no command %q in `%s`", args[0], c.CommandPath())
		for _, s := range c.SuggestionsFor(args[0]) {
			text += fmt.Sprintf("; did you mean `%s %s`?", c.CommandPath(), s)
		}
		return usage(c, fmt.Errorf("%s", text))
	}
	cmd.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	cmd.SuggestionsMinimumDistance = 2
	return cmd
}

// strict makes wrong arguments of every command usage errors, and lets no
// command take arguments it did not ask for.
func strict(cmd *cobra.Command) {
	check := cmd.Args
	if check == nil {
		check = cobra.NoArgs
		if cmd.Name() == "help" {
			check = cobra.ArbitraryArgs
		}
	}
	cmd.Args = func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usage(c, err)
		}
		return nil
	}
	for _, sub := range cmd.Commands() {
		strict(sub)
	}
}

// want checks the number of arguments and names the ones that are missing.
func want(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return fmt.Errorf("%s is missing", names[len(args)])
		case len(args) > len(names):
			return fmt.Errorf("%q is one argument too many", args[len(names)])
		}
		return nil
	}
}

// station is the part of a command line that tells which station is meant.
type station struct{ file, data, database string }

// flags adds --config, --data and --database to cmd.
func (s *station) flags(env *Env, cmd *cobra.Command) {
	file := "tradepost.yaml"
	if v, ok := env.LookupEnv("TRADEPOST_CONFIG"); ok && v != "" {
		file = v
	}
	cmd.Flags().StringVarP(&s.file, "config", "c", file, "configuration `FILE` of the station (or set TRADEPOST_CONFIG)")
	cmd.Flags().StringVar(&s.data, "data", "", "data `DIR`, instead of the configured one")
	cmd.Flags().StringVar(&s.database, "database", "", "Postgres `DSN`, instead of the configured store")
}

// load reads the configuration with its keys; loadForStore leaves the keys alone.
func (s *station) load(env *Env) (*config.Config, error) {
	return config.Load(s.file, config.Overrides{Data: s.data, Database: s.database, Env: env.LookupEnv})
}

func (s *station) loadForStore(env *Env) (*config.Config, error) {
	return config.Load(s.file, config.Overrides{Data: s.data, Database: s.database, Env: env.LookupEnv, NoFiles: true})
}

// withStore opens the store of the station for the time of do.
func (s *station) withStore(cmd *cobra.Command, env *Env, do func(*config.Config, Store) error) (err error) {
	cfg, err := s.loadForStore(env)
	if err != nil {
		return err
	}
	store, err := env.OpenStore(cmd.Context(), cfg)
	if err != nil {
		return fmt.Errorf("open the store of %s: %w", cfg.File, err)
	}
	defer func() {
		if closeErr := store.Close(); err == nil && closeErr != nil {
			err = fmt.Errorf("close the store: %w", closeErr)
		}
	}()
	return do(cfg, store)
}
