package archive

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path"
)

// checkSize is what Check writes: as much as an ordinary transmission.
const checkSize = 64 << 10

// Check finds out whether payloads can be kept, by writing a small file and
// removing it again. It synchronises nothing, so it may be called often.
func (a *Archive) Check() error {
	name := path.Join(incoming, rand.Text())
	f, err := a.create(name)
	if err != nil {
		return fmt.Errorf("the archive cannot be written: %w", err)
	}
	noise := make([]byte, checkSize)
	_, _ = rand.Read(noise) // it never fails; zeros might take no room
	_, err = f.Write(noise)
	if err = errors.Join(err, f.Close(), a.root.Remove(name)); err != nil {
		return fmt.Errorf("the archive cannot be written: %w", err)
	}
	return nil
}
