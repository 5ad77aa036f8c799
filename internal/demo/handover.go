package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// handOver puts a document under its name into the folder that the side's back
// office hands out from: once, however often it is asked to, and wherever an
// earlier demonstration on the same data died. The station takes the file away
// some time before a document of it can be found, so that neither tells.
//
// The document lies ready beside the folder, with a mark that it was made, and
// one rename hands it over. What is marked and no longer there was handed over.
func (s *side) handOver(name string, content []byte) error {
	dir := filepath.Join(s.dir, "backoffice", "handed-over")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	ready := filepath.Join(dir, hex.EncodeToString(sum[:8])+"-"+name)
	mark := ready + ".made"
	if !exists(mark) {
		for _, f := range []struct {
			path    string
			content []byte
		}{{ready, content}, {mark, nil}} {
			if err := os.WriteFile(f.path+".tmp", f.content, 0o600); err != nil {
				return err
			}
			if err := os.Rename(f.path+".tmp", f.path); err != nil {
				return err
			}
		}
	}
	err := os.Rename(ready, filepath.Join(s.outbox(), name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
