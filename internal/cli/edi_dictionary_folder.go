package cli

import (
	"errors"
	"fmt"
	"os"

	"tradepost/edi/schema"

	"github.com/spf13/cobra"
)

// dictionaryFlag adds --dictionary, the same for every edi command: what the
// setting `dictionaries` is to a station.
func dictionaryFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "dictionary", "", "`DIR` with imported dictionaries and guides of your own, used before the shipped ones (a station's `dictionaries`)")
}

// loadCatalog gives the shipped dictionaries and guides, with those of a folder
// before them when one is named.
func loadCatalog(dir string) (*schema.Catalog, error) {
	shipped := schema.Shipped()
	if dir == "" {
		return shipped, nil
	}
	switch info, err := os.Stat(dir); {
	case errors.Is(err, os.ErrNotExist), err == nil && !info.IsDir():
		return nil, exit(ExitNotFound, "there is no folder %s", dir)
	case err != nil:
		return nil, fmt.Errorf("reading the folder %s: %w", dir, err)
	}
	loaded, err := schema.LoadFolder(dir, shipped)
	if err != nil {
		return nil, wrongText(err)
	}
	if len(loaded.Loaded()) == 0 {
		return nil, exit(ExitNotFound, "there is no %s and no %s below %s: `tradepost edi dictionary import` makes them", schema.DictionaryExt, schema.GuideExt, dir)
	}
	return loaded, nil
}

// wrongText gives a dictionary or guide that does not load its exit code, and
// shows the lines.
func wrongText(err error) error {
	return &ExitError{Code: ExitConfig, Err: errors.New(schema.Explain(err))}
}
