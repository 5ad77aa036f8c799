package processes

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"

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

// Definitions finds a process by its name: every version of it, the newest
// first. A run goes on by the version it was begun with, so a version leaves
// only when no run of it can be under way.
type Definitions map[string][]*Definition

// NewDefinitions makes the table of the definitions given. The error names two
// of one name and version.
func NewDefinitions(defs ...*Definition) (Definitions, error) {
	table := make(Definitions, len(defs))
	for _, d := range defs {
		table[d.Name] = append(table[d.Name], d)
	}
	for name, versions := range table {
		slices.SortFunc(versions, func(a, b *Definition) int { return b.Version - a.Version })
		for i := range versions[1:] {
			if versions[i].Version == versions[i+1].Version {
				return nil, fmt.Errorf("process %q is defined twice in version %d", name, versions[i].Version)
			}
		}
	}
	return table, nil
}

// Of returns the definition a run goes by: the version it was begun with, or
// the newest for one that was not begun. Runs under way that do not tell were
// begun before versions were noted, by the oldest.
func (d Definitions) Of(r *Run) (*Definition, error) {
	versions := d[r.Process]
	switch {
	case len(versions) == 0:
		return nil, fmt.Errorf("process %q of run %s is not defined", r.Process, r.ID)
	case r.Version == 0 && r.Cursor == 0:
		return versions[0], nil
	case r.Version == 0:
		return versions[len(versions)-1], nil
	}
	for _, v := range versions {
		if v.Version == r.Version {
			return v, nil
		}
	}
	return nil, fmt.Errorf("run %s was begun by version %d of process %s, which this program does not have (its newest is %d): finish it with the program that began it", r.ID, r.Version, r.Process, versions[0].Version)
}

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
	slices.Sort(names)
	defs := make([]*Definition, 0, len(names))
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
		defs = append(defs, &d)
	}
	return NewDefinitions(defs...)
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
