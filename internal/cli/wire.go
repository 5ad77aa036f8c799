package cli

import (
	"context"
	"fmt"

	"tradepost/internal/auth"
	"tradepost/internal/config"
	"tradepost/internal/gateway"
)

// openStore returns what opens the store of a configuration.
func openStore(env *Env) func(context.Context, *config.Config) (Store, error) {
	return func(ctx context.Context, c *config.Config) (Store, error) {
		return gateway.OpenStoreBeside(ctx, c, env.Now)
	}
}

// openArchive returns what opens the archive of a configuration.
func openArchive(env *Env) func(*config.Config) (Archive, error) {
	return func(c *config.Config) (Archive, error) { return gateway.OpenArchive(c, env.Now()) }
}

// consoleLink returns what makes a one-time link into the console of the
// station whose store is at hand.
func consoleLink(env *Env) func(context.Context, *config.Config, Store, string) (string, error) {
	return func(ctx context.Context, c *config.Config, s Store, user string) (string, error) {
		tokens, ok := s.(auth.Store)
		if !ok {
			return "", fmt.Errorf("the store of %s keeps no sign-in links", c.File)
		}
		return gateway.LoginLink(ctx, tokens, c.Directory.Station().Name, user, gateway.Options{Now: env.Now, Random: env.Random})
	}
}
