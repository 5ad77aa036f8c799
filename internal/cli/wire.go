package cli

import (
	"context"
	"errors"

	"tradepost/internal/config"
)

func openStore(context.Context, *config.Config) (Store, error) {
	return nil, errors.New("wire.go awaits internal/gateway")
}

func consoleLink(context.Context, *config.Config, Store, string) (string, error) {
	return "", errors.New("wire.go awaits internal/gateway")
}
