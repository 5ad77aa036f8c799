package directory

import (
	"errors"
	"os"
)

// lockName is the file that whoever picks up from a folder holds a lock on. It
// stays; the lock ends with its holder, however that ends.
const lockName = workDir + "/lock"

// errTaken tells that somebody else picks up from the folder.
var errTaken = errors.New("another process picks up from this folder: give each station a folder of its own; this one waits until the other ends")

// hold makes sure that nobody else picks up from the folder, for as long as p
// does: two stations would take each other's claimed files for ones that a crash
// had left. It is false while somebody else does. Where the file system knows no
// locks the folder is ours.
func (p *pickup) hold(root *os.Root) (bool, error) {
	if p.lock != nil {
		mine, err := p.lock.Stat()
		there, lerr := root.Lstat(lockName)
		if err == nil && lerr == nil && os.SameFile(mine, there) {
			return true, nil
		}
		p.release() // the folder is another now
	}
	f, err := root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false, advise(err)
	}
	if taken(f) {
		_ = f.Close() // nothing was written
		return false, nil
	}
	p.lock = f
	return true, nil
}

// release lets others pick up from the folder.
func (p *pickup) release() {
	if p.lock != nil {
		unlock(p.lock)
		_ = p.lock.Close() // nothing was written
		p.lock = nil
	}
}
