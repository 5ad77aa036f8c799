package config

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// TestUnreadable: a file that is not there is looked for elsewhere, one that
// must not be read gets its rights.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]string{
		&os.PathError{Op: "open", Path: "own.key", Err: fs.ErrPermission}: "let the user of this program read it",
		&os.PathError{Op: "open", Path: "own.key", Err: fs.ErrNotExist}:   "relative paths start at",
	} {
		if got := unreadable(fmt.Errorf("reading: %w", err)); !strings.HasPrefix(got, want) {
			t.Errorf("%v: %q", err, got)
		}
	}
}
