package directory

import (
	"errors"
	"io/fs"
	"os"
)

// renameLooking renames after a look that the new name is free. Between the
// look and the rename only somebody else who writes that very name can come.
func renameLooking(root *os.Root, from, to string) error {
	_, err := root.Lstat(to)
	switch {
	case err == nil:
		return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return root.Rename(from, to)
}
