package directory

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// The folders of our own below a configured folder.
const (
	workDir    = ".tradepost"
	claimedDir = workDir + "/claimed"
	stagedDir  = workDir + "/staged"
	sentDir    = workDir + "/sent"
)

// stamp is what tells whether a file has stood still.
type stamp struct {
	size  int64
	mtime time.Time
}

func stampOf(fi fs.FileInfo) stamp { return stamp{size: fi.Size(), mtime: fi.ModTime()} }

func (s stamp) same(o stamp) bool { return s.size == o.size && s.mtime.Equal(o.mtime) }

// errNotRegular is an entry that is not a plain file.
var errNotRegular = errors.New("not a plain file")

// openFolder opens a configured folder and makes sure of our own folders in
// it. The configured folder itself is never made: an NFS mount that is not
// there would be written to the disk below it.
func openFolder(dir string, own ...string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		if fi, serr := os.Stat(dir); serr == nil && !fi.IsDir() {
			err = &fs.PathError{Op: "open", Path: dir, Err: syscall.ENOTDIR}
		}
		return nil, advise(err)
	}
	for _, d := range append([]string{workDir}, own...) {
		if err := ownFolder(root, d); err != nil {
			_ = root.Close() // the first error says more
			return nil, err
		}
	}
	return root, nil
}

// ownFolder makes sure that d is a real folder below root, readable by us only.
func ownFolder(root *os.Root, d string) error {
	fi, err := root.Lstat(d)
	if errors.Is(err, fs.ErrNotExist) {
		if err := root.Mkdir(d, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return advise(err)
		}
		fi, err = root.Lstat(d)
	}
	if err != nil {
		return advise(err)
	}
	if !fi.IsDir() {
		return fmt.Errorf("%s is not a folder: move it away, the gateway keeps its own files there", d)
	}
	return nil
}

// openPlain opens a plain file for reading and nothing else: a link, a pipe or
// a device of that name is errNotRegular, and opening it does not wait.
func openPlain(root *os.Root, name string) (*os.File, error) {
	before, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	after, err := f.Stat()
	if err == nil && !os.SameFile(before, after) {
		err = errNotRegular
	}
	if err != nil {
		_ = f.Close() // read only
		return nil, err
	}
	return f, nil
}

// syncFolder makes renames in a folder durable. File systems that cannot sync
// a folder do not need it, or offer nothing better.
func syncFolder(root *os.Root, d string) error {
	f, err := root.Open(d)
	if err != nil {
		return err
	}
	err = f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// writeDurable writes a new file under a name nobody looks at, syncs it and
// puts it in place by a rename.
func writeDurable(root *os.Root, d, name string, mode fs.FileMode, fill func(io.Writer) error) error {
	temp := d + "/." + name + ".tmp"
	f, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return advise(err)
	}
	err = fill(f)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = root.Rename(temp, d+"/"+name)
	}
	if err != nil {
		_ = root.Remove(temp) // the first error says more
		return advise(err)
	}
	return advise(syncFolder(root, d))
}

// plainFile is a payload in a folder. It can be opened as long as root is.
type plainFile struct {
	root *os.Root
	name string
	size int64
}

// Open opens the file from its beginning.
func (p plainFile) Open() (io.ReadCloser, error) { return openPlain(p.root, p.name) }

// Size is the size the file had when it was taken.
func (p plainFile) Size() int64 { return p.size }

// advise adds what to do about the errors that people can do something about.
func advise(err error) error {
	var todo string
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		todo = "make the folder, or mount what belongs there"
	case errors.Is(err, fs.ErrPermission):
		todo = "give the gateway's user the right to read, write and rename there"
	case errors.Is(err, syscall.ENOSPC):
		todo = "the disk is full: make room"
	case errors.Is(err, syscall.EDQUOT):
		todo = "the quota is used up: make room or raise it"
	case errors.Is(err, syscall.EROFS):
		todo = "the file system is read only: mount it for writing"
	case errors.Is(err, syscall.ESTALE):
		todo = "the network folder is gone: mount it again"
	case errors.Is(err, syscall.ENAMETOOLONG):
		todo = "the name is too long for this file system: choose a shorter name pattern"
	case errors.Is(err, syscall.ENOTDIR):
		todo = "it is not a folder: correct the setting"
	default:
		return err
	}
	return fmt.Errorf("%w: %s", err, todo)
}
