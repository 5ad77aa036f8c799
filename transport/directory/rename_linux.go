package directory

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// renameNew renames oldDir/oldName to newDir/newName in one step and never over
// anything that is there: fs.ErrExist then. Where the file system does not know
// how (NFS), looking first has to do.
func renameNew(root *os.Root, oldDir, oldName, newDir, newName string) error {
	from, err := root.Open(oldDir)
	if err != nil {
		return err
	}
	defer from.Close() //nolint:errcheck // read only
	to, err := root.Open(newDir)
	if err != nil {
		return err
	}
	defer to.Close() //nolint:errcheck // read only
	err = unix.Renameat2(int(from.Fd()), oldName, int(to.Fd()), newName, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP) {
		return renameLooking(root, oldDir+"/"+oldName, newDir+"/"+newName)
	}
	if err != nil {
		return &fs.PathError{Op: "rename", Path: newName, Err: err}
	}
	return nil
}
