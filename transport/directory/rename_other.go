//go:build !linux

package directory

import "os"

// renameNew renames oldDir/oldName to newDir/newName unless something of that
// name is there: fs.ErrExist then.
func renameNew(root *os.Root, oldDir, oldName, newDir, newName string) error {
	return renameLooking(root, oldDir+"/"+oldName, newDir+"/"+newName)
}
