package processes

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"sort"

	"github.com/goccy/go-yaml"
)

// Definition is a process as data: an ordered list of steps over one subject.
type Definition struct {
	Name    string    `yaml:"process"`
	Version int       `yaml:"version"`
	Title   string    `yaml:"title"`
	Over    Subject   `yaml:"over"`
	Steps   []StepRef `yaml:"steps"`
}

// StepRef names one step of a process.
type StepRef struct {
	Step string `yaml:"step"`
}

// Subject is what a process runs over.
type Subject string

// Subjects of processes.
const (
	OverTransmission Subject = "transmission"
	OverDocument     Subject = "document"
)

// Definitions finds a process by its name.
type Definitions map[string]*Definition

//go:embed definitions/*.yaml
var builtin embed.FS

// BuiltinDefinitions returns the processes every station has: inbound,
// outbound, dispatch and deliver.
func BuiltinDefinitions() (Definitions, error) {
	return LoadDefinitions(builtin, "definitions")
}

// LoadDefinitions reads every .yaml file of a folder as a process. Unknown
// keys are errors and show their place.
func LoadDefinitions(fsys fs.FS, dir string) (Definitions, error) {
	names, err := fs.Glob(fsys, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	defs := make(Definitions, len(names))
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		var d Definition
		if err := yaml.UnmarshalWithOptions(text, &d, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("process definition %s: %w", name, err)
		}
		if err := d.check(); err != nil {
			return nil, fmt.Errorf("process definition %s: %w", name, err)
		}
		if other, taken := defs[d.Name]; taken {
			return nil, fmt.Errorf("process definition %s: process %q is already defined in version %d", name, d.Name, other.Version)
		}
		defs[d.Name] = &d
	}
	return defs, nil
}

func (d *Definition) check() error {
	switch {
	case d.Name == "":
		return fmt.Errorf("`process` is missing: give the process a name")
	case d.Version < 1:
		return fmt.Errorf("`version` must be 1 or more, not %d", d.Version)
	case d.Over != OverTransmission && d.Over != OverDocument:
		return fmt.Errorf("`over` must be transmission or document, not %q", d.Over)
	case len(d.Steps) == 0:
		return fmt.Errorf("`steps` is empty: a process needs at least one step")
	}
	return nil
}
