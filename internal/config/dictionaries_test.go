package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDictionaries: the folder is seen from that of the configuration, has to be
// there, and is left alone by who needs no files.
func TestDictionaries(t *testing.T) {
	t.Parallel()
	file := station(t, strings.Replace(good, "limits:", "dictionaries: texts\nlimits:", 1))
	folder := filepath.Join(filepath.Dir(file), "texts")
	for _, c := range []struct {
		make func() error
		want string
	}{
		{nil, "34:15: dictionaries: " + folder + " cannot be read: no such file or directory"},
		{func() error { return os.WriteFile(folder, nil, 0o600) }, "34:15: dictionaries: " + folder + " is no folder"},
		{func() error { return errors.Join(os.Remove(folder), os.Mkdir(folder, 0o700)) }, ""},
	} {
		if c.make != nil {
			if err := c.make(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Load(file, Overrides{Env: env, NoFiles: true}); err != nil {
			t.Errorf("without its files: %v", err)
		}
		got, err := Load(file, Overrides{Env: env})
		switch {
		case c.want == "" && (err != nil || got.Dictionaries != folder):
			t.Errorf("%+v: %v", got, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "edi dictionary import SOURCE --to FOLDER")):
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
	var wrong *Error
	if _, err := Load(station(t, "dictionaries: [a, b]\n"+good), Overrides{Env: env}); !errors.As(err, &wrong) || wrong.Problems[0].Path != "dictionaries" || wrong.Problems[0].Line != 1 {
		t.Errorf("a list: %v", err)
	}
}
