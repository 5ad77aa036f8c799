package demo

import (
	"os"
	"path/filepath"
	"testing"
)

// TestHandOver hands a document over again at every point at which a
// demonstration may have died: it lies in the folder once, and not again when
// the station has taken it.
func TestHandOver(t *testing.T) {
	t.Parallel()
	for _, died := range []struct {
		name string
		undo func(ready, mark string) error
	}{
		{"nowhere", func(string, string) error { return nil }},
		{"before the mark", func(_, mark string) error { return os.Remove(mark) }},
		{"before it lay ready", func(ready, mark string) error {
			if err := os.Remove(mark); err != nil {
				return err
			}
			return os.Rename(ready, ready+".tmp")
		}},
	} {
		t.Run(died.name, func(t *testing.T) {
			t.Parallel()
			s := &side{dir: t.TempDir()}
			if err := os.MkdirAll(s.outbox(), 0o700); err != nil {
				t.Fatal(err)
			}
			dropped := filepath.Join(s.outbox(), "order.edi")
			if err := s.handOver("order.edi", []byte("ISA")); err != nil {
				t.Fatal(err)
			}
			marks, err := filepath.Glob(filepath.Join(s.dir, "backoffice", "handed-over", "*.made"))
			if err != nil || len(marks) != 1 {
				t.Fatalf("marks %q, %v", marks, err)
			}
			mark := marks[0]
			ready := mark[:len(mark)-len(".made")]
			if died.name != "nowhere" { // as if the rename had not been reached
				if err := os.Rename(dropped, ready); err != nil {
					t.Fatal(err)
				}
			}
			if err := died.undo(ready, mark); err != nil {
				t.Fatal(err)
			}
			if err := s.handOver("order.edi", []byte("ISA")); err != nil {
				t.Fatal(err)
			}
			if b, err := os.ReadFile(dropped); err != nil || string(b) != "ISA" {
				t.Errorf("in the folder: %q, %v", b, err)
			}
			if err := os.Remove(dropped); err != nil { // the station takes it
				t.Fatal(err)
			}
			if err := s.handOver("order.edi", []byte("ISA")); err != nil {
				t.Fatal(err)
			}
			if exists(dropped) {
				t.Error("it was handed over twice")
			}
			if err := s.handOver("order.edi", []byte("another")); err != nil || !exists(dropped) {
				t.Errorf("another order of the same name was not handed over: %v", err)
			}
		})
	}
}
