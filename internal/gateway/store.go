package gateway

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tradepost/internal/config"
	"tradepost/internal/store/postgres"
	"tradepost/internal/store/sqlite"
	"tradepost/internal/store/sqlstore"
	"tradepost/tracking/archive"
)

// OpenStore opens the database a configuration names, the embedded one in the
// data folder or a Postgres, and brings it up to date. Others may have it open at
// the same time.
func OpenStore(ctx context.Context, c *config.Config, now func() time.Time) (*sqlstore.Store, error) {
	return openStore(ctx, c, now, false)
}

// OpenStoreBeside is OpenStore for whoever works beside the station that serves
// it: a database of an older program is left as it is, with
// *store.OlderVersionError.
func OpenStoreBeside(ctx context.Context, c *config.Config, now func() time.Time) (*sqlstore.Store, error) {
	return openStore(ctx, c, now, true)
}

func openStore(ctx context.Context, c *config.Config, now func() time.Time, beside bool) (*sqlstore.Store, error) {
	if c.Store.Database != "" {
		return postgres.Open(ctx, c.Store.Database, postgres.Options{Now: now, Beside: beside})
	}
	if err := os.MkdirAll(c.Store.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	return sqlite.Open(ctx, filepath.Join(c.Store.Data, "tradepost.db"), sqlite.Options{Now: now, Beside: beside})
}

// OpenArchive opens the folder of payloads in the data folder. Others may have it
// open at the same time.
func OpenArchive(c *config.Config, now time.Time) (*archive.Archive, error) {
	return archive.Open(filepath.Join(c.Store.Data, "archive"), now)
}
