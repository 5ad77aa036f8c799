package interop

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestFetchingIsTriedAgain: a registry that fails once is no reason to fail.
func TestFetchingIsTriedAgain(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	for good := range fetches + 1 {
		tries := 0
		dir, err := fetched(t, base, "product", func(_ context.Context, dir string) error {
			write(t, filepath.Join(dir, "half"), nil)
			if tries++; tries <= good {
				return errors.New("the registry does not answer")
			}
			return nil
		})
		if (err == nil) != (good < fetches) || tries != min(good+1, fetches) {
			t.Errorf("good after %d: %v after %d tries", good, err, tries)
		}
		entries, rerr := os.ReadDir(base)
		if rerr != nil || len(entries) != min(1, fetches-good) {
			t.Errorf("good after %d: %d folders are left, %v", good, len(entries), rerr)
		}
		if err == nil {
			_ = os.RemoveAll(dir) // the next round starts anew
		}
	}
}
